//! An archive under construction.
//!
//! It grows in a directory beside its target, `.NAME.tmp-<process>-<nonce>`, so that the last step is a rename
//! within one file system. Guarantees: the target appears whole and durable, or not at all; nothing that is there
//! already is replaced; dropped unfinished, it removes what it made. A killed process leaves the temporary
//! directory and nothing else ([`is_leftover`] knows its name).

use std::collections::hash_map::RandomState;
use std::ffi::{OsStr, OsString};
use std::hash::{BuildHasher, Hasher};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::drawing::draw;
use super::lineage::Lineage;
use super::manifest::{
    FORMAT, FORMAT_VERSION, Goal, InputInfo, Limit, Manifest, Optimal, PROGRAM, Proof, SearchInfo, TOKENIZER,
};
use super::shape::{Shape, ShapeCounts};
use super::staging::StagingDisk;
use super::sums::{MANIFEST_NAME, SUMS_NAME, hex, render, sha256};
use super::tallies;
use crate::checkpoint::Checkpoint;
use crate::control::{Control, Phase};
use crate::digest::SetTally;
use crate::disk::{Disk, Held, Space, write_whole};
use crate::error::{Code, Error, Result};
use crate::ortho::{Ortho, shape_name};
use crate::results::RankTables;
use crate::search::Shard;
use crate::text::Interner;

pub(super) const INTERNER_NAME: &str = "interner.bin";
pub(super) const RANKS_NAME: &str = "ranks.bin";
pub(super) const TALLIES_NAME: &str = "tallies.bin";
pub(super) const OPTIMAL_NAME: &str = "optimal.txt";
pub(super) const LINEAGE_NAME: &str = "lineage.txt";
pub(super) const RESULTS_NAME: &str = "results";
/// In archives that a search can go on from.
pub(super) const PROGRESS_NAME: &str = "progress.bin";
/// In temporary directories only.
pub(super) const CHECKPOINT_NAME: &str = "checkpoint.bin";
pub(super) const SCRATCH_NAME: &str = "seen";
pub(super) const LOCK_NAME: &str = "work.lock";
/// How often a temporary directory is made at most.
const BEGINNINGS: usize = 16;

/// What was found, beside the results on disk.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// Counts and hashes by shape.
    pub tally: SetTally,
    /// The optimal ortho.
    pub best: Option<Ortho>,
    /// Whether these are all orthos of the text.
    pub complete: bool,
    /// The limits that ended the search early.
    pub limits: Vec<Limit>,
    /// The shards that are whole, if these are not all orthos of the text.
    pub shards: Vec<Shard>,
    /// Why the optimal ortho is that, if the goal was to find it.
    pub proof: Option<Proof>,
    /// What a later search needs to go on.
    pub progress: Option<Checkpoint>,
}

/// What an archive's manifest says besides.
#[derive(Debug)]
pub struct Description<'a> {
    /// The text that was searched; nothing for a merge.
    pub input: Option<InputInfo>,
    /// Where it came from.
    pub lineage: &'a Lineage,
    /// The vocabulary and phrases.
    pub interner: &'a Interner,
    /// The numbers that the results use for words.
    pub ranks: &'a RankTables,
    /// What was found.
    pub contents: &'a Contents,
    /// How it was searched.
    pub search: SearchInfo,
}

/// See the [module](self).
#[derive(Debug)]
pub struct ArchiveWriter {
    disk: Arc<dyn Disk>,
    staging: Arc<StagingDisk>,
    target: PathBuf,
    temporary: PathBuf,
    /// Says that this writer lives.
    held: Option<Box<dyn Held>>,
}

/// Whether a directory of this name was left by a killed [`ArchiveWriter`].
#[must_use]
pub fn is_leftover(name: &str) -> bool {
    temporary_name(OsStr::new(name)).is_some()
}

/// The name of the archive that a temporary directory of this name is for.
pub(super) fn temporary_name(name: &OsStr) -> Option<OsString> {
    let bytes = name.as_encoded_bytes();
    let at = bytes.windows(5).rposition(|window| window == b".tmp-")?;
    let (process, nonce) = std::str::from_utf8(&bytes[at + 5..]).ok()?.split_once('-')?;
    let is_ours = bytes.first() == Some(&b'.')
        && at > 1
        && !process.is_empty()
        && process.bytes().all(|b| b.is_ascii_digit())
        && nonce.len() == 16
        && nonce.bytes().all(|b| b.is_ascii_hexdigit());
    let text = name.to_str();
    match text {
        Some(text) => is_ours.then(|| text[1..at].into()),
        #[cfg(unix)]
        None => is_ours.then(|| std::os::unix::ffi::OsStrExt::from_bytes(&bytes[1..at])).map(OsStr::to_owned),
        #[cfg(not(unix))]
        None => None,
    }
}

fn taken(target: &Path) -> Error {
    Error::new(
        Code::OutputExists,
        format!(
            "{} is there already and is not replaced; remove it or choose another name for the archive",
            target.display()
        ),
    )
}

impl ArchiveWriter {
    /// Begins an archive that will be at `target`; missing parent directories are made.
    ///
    /// # Errors
    /// [`Code::OutputExists`] if anything is there, [`Code::InvalidArgument`] if the path has no last name, and
    /// failures to make the temporary directory.
    pub fn create(target: &Path, disk: &Arc<dyn Disk>) -> Result<Self> {
        let Some(name) = target.file_name() else {
            return Err(Error::new(
                Code::InvalidArgument,
                format!(
                    "{} is no name for an archive; give a path that ends in a new name",
                    target.display()
                ),
            ));
        };
        if disk.exists(target) {
            return Err(taken(target));
        }
        // Whoever looks for leftovers may find the directory before it is locked, and take it.
        for _ in 0..BEGINNINGS {
            if let Some(writer) = Self::begin(target, name, disk)? {
                return Ok(writer);
            }
        }
        Err(Error::new(
            Code::Io,
            format!(
                "other processes removed what was begun for {} time and again; start again",
                target.display()
            ),
        ))
    }

    /// `None` if somebody took the temporary directory for a leftover before it was locked.
    fn begin(target: &Path, name: &OsStr, disk: &Arc<dyn Disk>) -> Result<Option<Self>> {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        // Seeded by the system, so unlike that of any other process, on this machine or another.
        let nonce = RandomState::new().build_hasher().finish();
        hidden.push(format!(".tmp-{}-{nonce:016x}", std::process::id()));
        let temporary = target.with_file_name(hidden);
        let staging = Arc::new(StagingDisk::new(Arc::clone(disk), &temporary));
        let mut writer =
            Self { disk: Arc::clone(disk), staging, target: target.to_path_buf(), temporary, held: None };
        let results = writer.results();
        writer.disk.create_dir_all(&results).map_err(|cause| Error::io("creating", &results, cause))?;
        let lock = writer.temporary.join(LOCK_NAME);
        match writer.disk.create_new(&lock).and_then(|_| writer.disk.try_lock(&lock)) {
            Ok(Some(held)) => writer.held = Some(held),
            Ok(None) => return Ok(None),
            Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) => {
                return Ok(None);
            }
            // Without locks a leftover is never adopted; nothing else is lost.
            Err(_) if writer.disk.exists(&lock) => {}
            Err(cause) => return Err(Error::io("creating", &lock, cause)),
        }
        Ok(writer.disk.exists(&lock).then_some(writer))
    }

    /// Makes what was written so far durable, and a checkpoint that goes with it.
    ///
    /// # Errors
    /// Failures to write.
    pub fn save(&self, checkpoint: &Checkpoint) -> Result<()> {
        self.staging.make_durable()?;
        write_whole(&*self.disk, &self.temporary.join(CHECKPOINT_NAME), &checkpoint.encode())
    }

    /// The room where the archive is.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn space(&self) -> std::io::Result<Space> {
        self.disk.space(&self.temporary)
    }

    /// The directory for the results.
    #[must_use]
    pub fn results(&self) -> PathBuf {
        self.temporary.join(RESULTS_NAME)
    }

    /// A directory for temporary files beside the results: on the same file system, outlived by a killed process's checkpoint,
    /// and to be removed before [`finish`](Self::finish). It is written with the disk that this writer was given.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.temporary.join(SCRATCH_NAME)
    }

    /// Takes over the temporary files of a [`Leftover`](super::Leftover), none of which may change any more, and makes that
    /// durable.
    ///
    /// # Errors
    /// Failures to read and write.
    pub fn adopt_scratch(&self, from: &Path) -> Result<()> {
        if !self.disk.exists(from) {
            return Ok(());
        }
        let scratch = self.scratch();
        let attempt = || {
            self.disk.create_dir_all(&scratch)?;
            for file in self.disk.list(from)? {
                let to = scratch.join(file.file_name().unwrap_or_default());
                if self.disk.link(&file, &to).is_err() {
                    let mut copy = self.disk.create_new(&to)?;
                    std::io::copy(&mut self.disk.open_read(&file)?, &mut copy)?;
                    copy.sync()?;
                }
            }
            self.disk.sync_dir(&scratch)?;
            self.disk.sync_dir(&self.temporary)
        };
        attempt().map_err(|cause| Error::io("taking over", from, cause))
    }

    /// The disk to write the results with: what is written any other way will be missing from the manifest. It does
    /// not make anything durable before [`finish`](Self::finish).
    #[must_use]
    pub fn disk(&self) -> Arc<dyn Disk> {
        Arc::clone(&self.staging) as Arc<dyn Disk>
    }

    /// Writes everything but the results, makes all durable and gives the archive its name.
    ///
    /// # Errors
    /// [`Code::OutputExists`] if something took the name meanwhile, [`Code::Cancelled`], failures to write.
    pub fn finish(mut self, description: Description<'_>, control: &Control) -> Result<Manifest> {
        control.enter(Phase::Write, 3);
        self.write(INTERNER_NAME, |file| description.interner.encode_to(file))?;
        self.write(RANKS_NAME, |file| file.write_all(&description.ranks.encode()))?;
        let contents = description.contents;
        self.write(TALLIES_NAME, |file| file.write_all(&tallies::encode(&contents.tally)))?;
        let optimal = contents.best.as_ref().map(|best| Optimal::of(best, description.interner));
        let counts = counts(&contents.tally)?;
        let text = optimal_text(optimal.as_ref(), counts.total(), contents.complete, contents.proof.as_ref());
        self.write(OPTIMAL_NAME, |file| file.write_all(text.as_bytes()))?;
        let lineage = description.lineage.to_string();
        self.write(LINEAGE_NAME, |file| writeln!(file, "{lineage}"))?;
        if let Some(progress) = &contents.progress {
            self.write(PROGRESS_NAME, |file| file.write_all(&progress.encode()))?;
        }
        control.advance(1);
        let files = self.staging.settle(&mut || control.check())?;
        control.advance(1);
        let mut manifest = Manifest {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            program: PROGRAM.to_owned(),
            input: description.input,
            ortho_count: counts.total(),
            shapes: counts,
            goal: if contents.proof.is_some() { Goal::Optimal } else { Goal::All },
            complete: contents.complete,
            limits: contents.limits.clone(),
            shards: contents.shards.clone(),
            proof: contents.proof.clone(),
            optimal,
            content_digest: hex(&contents.tally.content_digest(&description.interner.digest())),
            lineage,
            vocabulary: description.interner.vocabulary_len() as u64,
            tokenizer: TOKENIZER,
            bytes: 0,
            files,
            search: description.search,
        };
        manifest.bytes = manifest.result_bytes();
        let json = manifest.to_json()?;
        // What would not be read back must not get the name of an archive.
        Manifest::from_json(MANIFEST_NAME, &json).map_err(|error| {
            Error::new(Code::Internal, format!("the search gave what no archive can hold: {error}"))
                .because(error)
        })?;
        let sums = render(&sha256(&json), &manifest.files);
        self.write_durably(SUMS_NAME, sums.as_bytes())?;
        self.write_durably(MANIFEST_NAME, &json)?;
        control.check()?;
        self.disk
            .sync_dir(&self.temporary)
            .map_err(|cause| Error::io("making durable", &self.temporary, cause))?;
        if cfg!(windows) {
            // What holds an open file is not renamed there.
            self.held = None;
        }
        self.publish()?;
        // Only now, so that a process killed a moment ago is gone on from, and nobody takes a finished archive for a leftover.
        // If they stay they are in nobody's way.
        for name in [CHECKPOINT_NAME, LOCK_NAME] {
            let _ = self.disk.remove_file(&self.target.join(name));
        }
        control.advance(1);
        Ok(manifest)
    }

    fn write(&self, name: &str, contents: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
        let path = self.temporary.join(name);
        let attempt = || {
            let mut file = BufWriter::with_capacity(64 << 10, self.staging.create_new(&path)?);
            contents(&mut file)?;
            file.flush()
        };
        attempt().map_err(|cause| Error::io("writing", &path, cause))
    }

    fn write_durably(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.temporary.join(name);
        let attempt = || {
            let mut file = self.disk.create_new(&path)?;
            file.write_all(bytes)?;
            file.sync()
        };
        attempt().map_err(|cause| Error::io("writing", &path, cause))
    }

    fn publish(&self) -> Result<()> {
        self.disk.rename_new(&self.temporary, &self.target).map_err(|cause| match cause.kind() {
            ErrorKind::AlreadyExists => taken(&self.target).because(cause),
            _ => Error::io("renaming the finished archive to", &self.target, cause),
        })?;
        let parent = match self.target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        self.disk.sync_dir(parent).map_err(|cause| Error::io("making durable", parent, cause))
    }
}

impl Drop for ArchiveWriter {
    fn drop(&mut self) {
        if cfg!(windows) {
            // Open files are not removed there.
            self.held = None;
        }
        // After the rename there is nothing of this name. A failure leaves a directory whose name says what it is.
        if self.disk.exists(&self.temporary) {
            let _ = self.disk.remove_dir_all(&self.temporary);
        }
    }
}

/// The counts of a tally, as manifests have them.
pub(super) fn counts(tally: &SetTally) -> Result<ShapeCounts> {
    let count = |(dims, tally): (&Vec<u32>, &crate::digest::ShapeTally)| match Shape::new(dims.clone()) {
        Some(shape) => Ok((shape, tally.count)),
        None => {
            Err(Error::new(Code::Internal, format!("{dims:?} is counted as a canonical shape and is none")))
        }
    };
    tally.0.iter().map(count).collect()
}

/// The whole of `optimal.txt`.
pub(super) fn optimal_text(
    optimal: Option<&Optimal>,
    orthos: u64,
    complete: bool,
    proof: Option<&Proof>,
) -> String {
    let known = complete || proof.is_some_and(Proof::is_whole);
    let unknown = match proof.and_then(|proof| proof.open) {
        Some(open) => format!(" The search ended early: volumes of {open} and more are not excluded."),
        None if known => String::new(),
        None => " The search ended early, so there may be a better one.".to_owned(),
    };
    let Some(optimal) = optimal else {
        let none = if known { "There is no ortho in this text." } else { "No ortho was found." };
        return format!("{none}{unknown}\n");
    };
    let Optimal { dims, volume, fullness, words } = optimal;
    let shape = shape_name(dims);
    let of = match proof {
        Some(_) if known => "the optimal ortho of the text".to_owned(),
        Some(_) => "the best that was found".to_owned(),
        None if orthos == 1 => "the only ortho".to_owned(),
        None => format!("the best of {orthos} orthos"),
    };
    format!("{shape}, volume {volume}, {fullness} words: {of}.{unknown}\n\n{}", draw(dims, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_told_by_their_names() {
        assert!(is_leftover(".a.bin.tmp-12-0123456789abcdef"));
        assert!(is_leftover(".a b.tmp-x.bin.tmp-12-0123456789abcdef"));
        for other in [
            "a.bin",
            ".a.bin.tmp-12-",
            ".a.bin.tmp--0123456789abcdef",
            "a.bin.tmp-12-0123456789abcdef",
            ".tmp",
        ] {
            assert!(!is_leftover(other), "{other}");
        }
    }

    #[test]
    fn people_are_told_what_is_optimal() {
        let words = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let square = Optimal::new(vec![2, 2], words);
        let text = optimal_text(Some(&square), 5, true, None);
        assert_eq!(text, "2x2, volume 1, 4 words: the best of 5 orthos.\n\na  b\nc  d\n");
        assert!(optimal_text(Some(&square), 1, true, None).contains("the only ortho.\n"));
        assert!(optimal_text(Some(&square), 5, false, None).contains("ended early"));
        assert_eq!(optimal_text(None, 0, true, None), "There is no ortho in this text.\n");
        assert!(optimal_text(None, 0, false, None).starts_with("No ortho was found. The search ended early"));
        let proof = |open| Proof { top: 1, excluded: vec![], open, unranked: None };
        let text = optimal_text(Some(&square), 1, false, Some(&proof(None)));
        assert!(text.starts_with("2x2, volume 1, 4 words: the optimal ortho of the text.\n\n"), "{text}");
        let text = optimal_text(Some(&square), 1, false, Some(&proof(Some(7))));
        assert!(
            text.contains("the best that was found. The search ended early: volumes of 7 and more"),
            "{text}"
        );
        assert_eq!(optimal_text(None, 0, false, Some(&proof(None))), "There is no ortho in this text.\n");
    }
}
