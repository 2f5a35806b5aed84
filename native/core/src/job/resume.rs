//! Where a search goes on from: what an ended or killed one left.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::archive::{ArchiveReader, ArchiveWriter, Goal, Leftover};
use crate::checkpoint::Checkpoint;
use crate::control::{Control, Phase};
use crate::disk::Disk;
use crate::disk_backed_queue::{DiskBackedQueue, QueueOptions};
use crate::error::{Code, Error, Result};
use crate::ortho::shape_name;
use crate::results::{RankTables, Ranks, ResultsWriter, names_table};
use crate::search::{Place, Progress, Scope};
use crate::text::{Bits, Interner};

/// Records to begin with, and what they say is done.
#[derive(Debug)]
pub(crate) struct Start {
    pub(super) checkpoint: Checkpoint,
    results: PathBuf,
    /// Temporary files that the checkpoint speaks of.
    scratch: PathBuf,
    /// An archive, of which nothing may be changed.
    sealed: bool,
}

impl Start {
    /// Brings over the committed records, which are then committed here too. Of what a killed process left, files that are
    /// whole are taken as they are, so that this takes no longer the more there is; all else is copied.
    ///
    /// # Errors
    /// [`Code::Damaged`] if they are not there, or a failure to write.
    pub(super) fn copy(&self, archive: &ArchiveWriter, to: &ResultsWriter, control: &Control) -> Result<()> {
        let disk = archive.disk();
        if self.checkpoint.progress.copied.seen > Place::default() {
            archive.adopt_scratch(&self.scratch)?;
        }
        let total = self.checkpoint.committed.values().map(|kept| kept.records).sum();
        control.enter(Phase::Copy, total);
        let lane = to.lane();
        for (dims, kept) in &self.checkpoint.committed {
            let directory = self.results.join(shape_name(dims));
            let options = QueueOptions { disk: Arc::clone(&disk), ..QueueOptions::default() };
            let queue = if self.sealed {
                DiskBackedQueue::open_read_only(&directory, options)?
            } else {
                DiskBackedQueue::open(&directory, options)?
            };
            let lost = || {
                let shown = directory.display();
                Error::new(Code::Damaged, format!("{shown} lacks records that its checkpoint says are there"))
            };
            if !queue.damage().is_empty() {
                return Err(lost());
            }
            let files = queue.files();
            let (mut whole, mut first) = (0, 0);
            if !self.sealed {
                let most = kept.skipped.first().map_or(kept.records, |range| range.start);
                let mut end = 0;
                let fits = files.iter().take_while(|file| {
                    end += file.records;
                    end <= most
                });
                let fits = fits.count();
                if fits > 0 {
                    whole = to.adopt(dims, &files[..fits], kept)?;
                    first = files[..whole].iter().map(|file| file.records).sum();
                    control.advance(first);
                }
            }
            let mut iter = queue.iter_files(whole..files.len())?;
            let mut skipped = kept.skipped.iter().peekable();
            for at in first..kept.records {
                let record = iter.next_record()?.ok_or_else(lost)?;
                while skipped.next_if(|range| range.end <= at).is_some() {}
                // Those that name tables are made again where they are needed.
                if skipped.peek().is_none_or(|range| at < range.start) && !names_table(record) {
                    to.push(lane, dims, kept.table_of(at), record)?;
                }
                if at.is_multiple_of(64) {
                    control.check()?;
                    control.advance(64);
                }
            }
        }
        to.commit(lane, || {});
        Ok(())
    }
}

/// The checkpoint of a killed search of the same text and scope with the same target that came furthest; and
/// everything that was left of that target, to be removed once it is no longer needed.
///
/// # Errors
/// When the directory of the target cannot be read.
pub(crate) fn leftovers(
    target: &Path,
    digest: &[u8; 32],
    scope: &Scope,
    identity: &[u8; 32],
    disk: &Arc<dyn Disk>,
) -> Result<(Option<Start>, Vec<Leftover>)> {
    let leftovers = Leftover::of(target, disk)?;
    let start = leftovers
        .iter()
        .filter_map(|leftover| {
            let checkpoint = leftover.checkpoint()?;
            let fits = checkpoint.interner_digest == *digest
                && checkpoint.scope == *scope
                && checkpoint.identity == *identity;
            let (results, scratch) = (leftover.results(), leftover.scratch());
            fits.then_some(Start { checkpoint, results, scratch, sealed: false })
        })
        .max_by_key(|start| {
            let progress = &start.checkpoint.progress;
            (progress.copied.place, progress.found.tally.count())
        });
    Ok((start, leftovers))
}

/// What came of work on an archive at `target`. If it was cancelled the archive is not wanted, so what killed processes left of it
/// is removed as well.
///
/// # Errors
/// The work's.
pub(crate) fn unless_cancelled<T>(outcome: Result<T>, target: &Path, disk: &Arc<dyn Disk>) -> Result<T> {
    if let Err(error) = &outcome
        && error.code() == Code::Cancelled
        && let Ok(leftovers) = Leftover::of(target, disk)
    {
        // What stays is removed by the next search or merge with this target.
        let _ = remove_all(leftovers);
    }
    outcome
}

/// Removes what was left.
///
/// # Errors
/// When that fails.
pub(crate) fn remove_all(leftovers: Vec<Leftover>) -> Result<()> {
    leftovers.into_iter().try_for_each(Leftover::remove)
}

/// An archive to go on from.
#[derive(Debug)]
pub(super) struct Continued {
    reader: ArchiveReader,
    checkpoint: Checkpoint,
}

impl Continued {
    /// Opens it.
    ///
    /// # Errors
    /// Those of [`ArchiveReader::open`]; [`Code::InvalidArgument`] if its search cannot be gone on with.
    pub(super) fn open(path: &Path, disk: &Arc<dyn Disk>) -> Result<Self> {
        let reader = ArchiveReader::open(path, Arc::clone(disk))?;
        let shown = path.display();
        let Some(checkpoint) = reader.progress()? else {
            let why = if reader.manifest().complete {
                "is complete: there is nothing to go on with"
            } else if reader.manifest().goal == Goal::Optimal {
                "is of a search for the optimal ortho; go on with that, or search its text anew"
            } else if !reader.manifest().limits.is_empty() {
                "is a merge of archives that limits ended; go on with those, and merge again"
            } else if reader.manifest().shards.is_empty() {
                "is a merge of archives that are incomplete; complete those, and merge again"
            } else {
                "holds whole shards, with which nothing is left to do; search the missing ones, and merge them"
            };
            return Err(Error::new(Code::InvalidArgument, format!("{shown} {why}")));
        };
        if checkpoint.interner_digest != reader.interner().digest() {
            return Err(Error::new(Code::Damaged, format!("{shown} has the progress of another text")));
        }
        Ok(Self { reader, checkpoint })
    }

    pub(super) fn reader(&self) -> &ArchiveReader {
        &self.reader
    }

    /// What is left out of the search, see [`LeftOut`](super::left_out::LeftOut).
    pub(super) fn left_out(&self) -> &[Interner] {
        &self.checkpoint.left_out
    }

    /// Whether its search goes from new bigrams.
    pub(super) fn seeded(&self) -> bool {
        self.checkpoint.seeded
    }

    /// What tells going on with this from other searches of the same text.
    pub(super) fn identity(&self) -> [u8; 32] {
        if self.checkpoint.identity == [0; 32] {
            return [0; 32];
        }
        // Whoever goes on with it has no archives to copy from, so it is not the merge itself.
        Sha256::new().chain_update("continued").chain_update(self.checkpoint.identity).finalize().into()
    }

    /// The tables of its records, of which the first has to be that of the search.
    ///
    /// # Errors
    /// [`Code::Damaged`].
    pub(super) fn tables(&self, ranks: &Ranks) -> Result<RankTables> {
        let tables = self.reader.rank_tables()?;
        if tables.get(0).is_none_or(|table| **table != *ranks) {
            let what =
                format!("{} is damaged: its ranks are not those of its text", self.reader.path().display());
            return Err(Error::new(Code::Damaged, what));
        }
        Ok(tables)
    }

    /// How to go on within the scope that is asked for, and the scope to search. An archive that has everything up to
    /// some number of axes is gone on with by looking for those with more; one that was ended before that is
    /// searched with the same number only.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] if the two scopes do not go together.
    pub(super) fn start(&self, asked: &Scope) -> Result<(Start, Scope)> {
        let had = &self.checkpoint.scope;
        let shown = self.reader.path().display();
        let refuse = |what: String| Err(Error::new(Code::InvalidArgument, what));
        if asked.shard.is_some() && asked.shard != had.shard {
            let had = had.shard.map_or("the whole text".to_owned(), |shard| format!("shard {shard}"));
            return refuse(format!("{shown} is of {had}; go on with that, or search the other shard anew"));
        }
        let mut checkpoint = self.checkpoint.clone();
        let (had_axes, most) = (*had.axes.end(), *asked.axes.end());
        let mut axes = had.axes.clone();
        if most != had_axes {
            let all_done = (0..checkpoint.bigrams).all(|unit| checkpoint.progress.done.get(unit as usize));
            if !all_done || most < had_axes {
                return refuse(format!(
                    "{shown} was searched for orthos of at most {had_axes} dimensions and not to the end of those; \
                     go on with the same --max-dims first, or search anew"
                ));
            }
            axes = had_axes + 1..=most;
            checkpoint.progress = Progress {
                done: Bits::new(checkpoint.bigrams as usize),
                begun: std::collections::BTreeMap::new(),
                ..checkpoint.progress
            };
        }
        let scope = Scope { shard: had.shard, axes };
        let (results, scratch) = (self.reader.results(), PathBuf::new());
        Ok((Start { checkpoint, results, scratch, sealed: true }, scope))
    }
}
