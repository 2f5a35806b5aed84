//! What archives hold that are not complete, beside what the complete ones have.
//!
//! An ortho of theirs is left out if each of its lines is a phrase of the union of the complete archives' texts, as then
//! the result has it. The largest disjoint part, such as some shards of one text, is copied as it is; of all others each
//! ortho is read, and added if a [`SeenTracker`] has not seen its hash.
//!
//! Memory: an index of the union of all texts, and what the tracker is given.

use std::path::Path;
use std::sync::Arc;

use super::kept::{best, checked_tally, damaged, renumber, tables_of};
use super::sources::{Group, Source};
use super::{INDEX_BYTES, texts};
use crate::control::Control;
use crate::digest::{OrthoHasher, SetTally, WordHashes};
use crate::disk::Disk;
use crate::error::Result;
use crate::ortho::{Canonicalizer, Dims, Ortho};
use crate::results::{
    Cursor, Emitter, Filter, Found, Known, MAX_TABLES, Rank, RankTables, Ranks, ResultsWriter, copy_shape,
};
use crate::search::exclusion::Exclusion;
use crate::seen_tracker::{MIN_MEMORY_BYTES, SeenOptions, SeenTracker};
use crate::text::{Interner, PhraseIndex, Token};

/// Orthos that are looked up together.
const BATCH: usize = 4096;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Incomplete<'g> {
    groups: Vec<&'g Group>,
    /// Of the union of all texts.
    index: PhraseIndex,
    /// Its token for each of the union of the complete ones.
    map: Vec<Token>,
}

impl<'g> Incomplete<'g> {
    /// `None` if their texts add nothing to the union of the complete ones: then that has all that they hold.
    pub(super) fn new(
        groups: Vec<&'g Group>,
        complete: &PhraseIndex,
        memory: u64,
        control: &Control,
        disk: &dyn Disk,
    ) -> Result<Option<Self>> {
        let union = texts::union(groups.iter().copied(), memory, control, disk)?;
        let all = complete.interner().union(&union)?.interner;
        if all == **complete.interner() {
            return Ok(None);
        }
        texts::check(all.memory_bytes() as u64 + all.token_count() as u64 * INDEX_BYTES, memory)?;
        let map = texts::map(complete.interner(), &all);
        Ok(Some(Self { groups, index: PhraseIndex::build(Arc::new(all))?, map }))
    }

    /// The union of all texts.
    pub(super) fn interner(&self) -> &Arc<Interner> {
        self.index.interner()
    }

    /// Its token for each of the union of the complete ones.
    pub(super) fn map(&self) -> &[Token] {
        &self.map
    }

    /// Bytes of memory taken.
    pub(super) fn memory(&self) -> u64 {
        (self.index.memory_bytes() + self.map.len() * 4) as u64
    }

    /// Bytes of results to read.
    pub(super) fn bytes(&self) -> u64 {
        self.groups.iter().map(|group| group.bytes()).sum()
    }

    /// Adds what is new. `complete` is the union of the complete texts, `scratch` a path for temporary files.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn add(
        &self,
        complete: &PhraseIndex,
        memory: u64,
        scratch: &Path,
        tables: &mut RankTables,
        results: &ResultsWriter,
        control: &Control,
        disk: &Arc<dyn Disk>,
    ) -> Result<Found> {
        let held = Exclusion::new(&self.index, &[(complete, &self.map)]);
        let words = WordHashes::new(self.interner());
        let Some((base, rest)) = self.groups.split_first() else { return Ok(Found::default()) };
        let as_they_are = tables.iter().len() + tables_of(base, disk)? < MAX_TABLES;
        let (copied, mut others): (&[Source], Vec<&Source>) =
            if as_they_are { (&base.parts, vec![]) } else { (&[], base.parts.iter().collect()) };
        others.extend(base.others.iter().chain(rest.iter().flat_map(|group| group.sources())));

        let mut found = Found::default();
        for source in copied {
            source.check(control, &**disk)?;
            let interner = source.interner(&**disk)?;
            let map = texts::map(&interner, self.interner());
            if let Some(mut best) = best(&source.manifest, &interner)? {
                best.tokens.iter_mut().for_each(|token| *token = map[*token as usize]);
                found.offer(&best);
            }
            let tally = self.copy(source, &interner, &map, &held, &words, tables, results, control, disk)?;
            control.add_orthos(tally.count());
            found.tally.merge(&tally);
        }
        if others.is_empty() {
            return Ok(found);
        }
        let memory_bytes = usize::try_from(memory).unwrap_or(usize::MAX).max(MIN_MEMORY_BYTES);
        let seen = SeenTracker::open(scratch, SeenOptions { memory_bytes, disk: Arc::clone(disk) })?;
        let ranks = Ranks::new(&self.index);
        let table = tables.add(ranks.clone());
        let emitter = Emitter::new(&ranks, &words, results).with_table(table);
        let mut adding = Adding { held: &held, words: &words, ranks: &ranks, seen, emitter, batch: vec![] };
        for source in copied {
            adding.source(source, self.interner(), false, control, disk)?;
        }
        for source in others {
            source.check(control, &**disk)?;
            let before = adding.emitter.count();
            adding.source(source, self.interner(), true, control, disk)?;
            control.add_orthos(adding.emitter.count() - before);
        }
        let Adding { emitter, seen, .. } = adding;
        found.merge(emitter.finish()?);
        drop(seen);
        disk.remove_dir_all(scratch).map_err(|cause| crate::Error::io("removing", scratch, cause))?;
        Ok(found)
    }

    /// Copies an archive without what the complete ones have. Gives the tally of what was copied.
    #[allow(clippy::too_many_arguments)]
    fn copy(
        &self,
        source: &Source,
        interner: &Interner,
        map: &[Token],
        held: &Exclusion<'_>,
        words: &WordHashes,
        tables: &mut RankTables,
        results: &ResultsWriter,
        control: &Control,
        disk: &Arc<dyn Disk>,
    ) -> Result<SetTally> {
        let tally = checked_tally(source, interner, &**disk)?;
        let reader = source.results(disk)?;
        let renumbered = renumber(source, &reader, map, None, tables)?;
        let filter = Filter { known: held, among: 1 };
        let mut removed = super::kept::Left::new(words);
        let lane = results.lane();
        for dims in reader.shapes() {
            let mut take =
                |table, grown: &[u32], cells: &[Rank]| removed.take(&renumbered, table, grown, cells);
            copy_shape(
                &reader,
                dims,
                (results, lane),
                &renumbered,
                Some(&filter),
                &mut take,
                &mut |bytes| {
                    control.advance(bytes);
                    control.check()
                },
            )?;
        }
        removed.out_of(&tally).ok_or_else(|| damaged(source, "its results hold more orthos than it says"))
    }
}

/// The way of orthos that are read one by one.
struct Adding<'a> {
    held: &'a Exclusion<'a>,
    words: &'a WordHashes,
    ranks: &'a Ranks,
    seen: SeenTracker,
    emitter: Emitter<'a>,
    batch: Vec<Candidate>,
}

struct Candidate {
    hash: u128,
    dims: Dims,
    cells: Vec<Rank>,
}

impl Adding<'_> {
    /// Shows all orthos of an archive to the tracker, and adds the new ones if that is wanted.
    fn source(
        &mut self,
        source: &Source,
        all: &Interner,
        wanted: bool,
        control: &Control,
        disk: &Arc<dyn Disk>,
    ) -> Result<()> {
        let map = texts::map(&source.interner(&**disk)?, all);
        let reader = source.results(disk)?;
        let mut hasher = OrthoHasher::default();
        let mut canonicalizer = Canonicalizer::default();
        let (mut tokens, mut ortho): (Vec<Token>, _) = (vec![], Ortho::default());
        let each = source.manifest.bytes / source.manifest.ortho_count.max(1);
        for dims in reader.shapes() {
            let mut cursor: Cursor = reader.cursor(dims)?;
            while cursor.next(&mut ortho)? {
                tokens.clear();
                tokens.extend(cursor.grown_tokens().iter().filter_map(|&token| map.get(token as usize)));
                let grown = cursor.grown_dims();
                if tokens.len() as u64 != ortho.fullness() {
                    return Err(damaged(source, "its ranks are those of another vocabulary"));
                }
                if self.held.ortho(grown, &tokens, 1) != 0 {
                    continue;
                }
                canonicalizer.canonicalize(grown, &tokens, &mut ortho);
                let hash = hasher.hash(self.words, &ortho);
                let cells = tokens.iter().map(|&token| self.ranks.rank(token)).collect();
                self.batch.push(Candidate { hash, dims: grown.to_vec(), cells });
                if self.batch.len() >= BATCH {
                    self.flush(wanted)?;
                    control.advance(each * BATCH as u64);
                    control.check()?;
                }
            }
        }
        self.flush(wanted)?;
        control.check()
    }

    fn flush(&mut self, wanted: bool) -> Result<()> {
        let hashes: Vec<u128> = self.batch.iter().map(|candidate| candidate.hash).collect();
        let new = self.seen.insert_batch(&hashes)?;
        for (candidate, new) in self.batch.drain(..).zip(new) {
            if new && wanted {
                self.emitter.single(&candidate.dims, &candidate.cells)?;
            }
        }
        Ok(())
    }
}
