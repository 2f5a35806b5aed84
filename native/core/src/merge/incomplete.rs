//! What archives hold that are not complete, beside what the complete ones have.
//!
//! An ortho of theirs is left out if each of its lines is a phrase of the union of the complete archives' texts, as then
//! the result has it. The largest disjoint part, such as some shards of one text, is copied as it is; of all others each
//! ortho is read, and added if a [`SeenTracker`] has not seen its hash.
//!
//! A merge that was killed goes on where it was: the tracker is made durable now and then, always after a checkpoint that
//! covers all it was shown, so it is never ahead of the results; what it lacks of them it is shown again.
//!
//! Memory: an index of the union of all texts, and what the tracker is given.

use std::ffi::OsStr;
use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::copying::{Copying, Original, Shape, after};
use super::kept::{best, damaged, renumber, tables_of};
use super::sources::{Group, Source};
use super::{INDEX_BYTES, texts};
use crate::control::Control;
use crate::digest::{OrthoHasher, WordHashes};
use crate::disk::Disk;
use crate::error::{Code, Error, Result};
use crate::ortho::{Canonicalizer, Dims, Ortho};
use crate::results::{Cursor, Emitter, Filter, Found, Known, MAX_TABLES, Rank, RankTables, Ranks};
use crate::search::Place;
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
        let all = complete.interner().union_while(&union, &|| control.check())?.interner;
        if all == **complete.interner() {
            return Ok(None);
        }
        texts::check(all.memory_bytes() as u64 + all.token_count() as u64 * INDEX_BYTES, memory)?;
        let map = texts::map(complete.interner(), &all);
        let index = PhraseIndex::build_while(Arc::new(all), &|| control.check())?;
        Ok(Some(Self { groups, index, map }))
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

    /// How many of the tables that are there already leave room to copy the first group as it is.
    fn copies(&self, tables: usize, disk: &Arc<dyn Disk>) -> Result<bool> {
        let Some(base) = self.groups.first() else { return Ok(false) };
        Ok(tables + tables_of(base, disk)? < MAX_TABLES)
    }

    /// The archives in the order in which they are read, with whether each is copied.
    fn order(&self, copies: bool) -> impl Iterator<Item = (&Source, bool)> {
        let parts =
            self.groups.iter().take(1).flat_map(move |base| base.parts.iter().map(move |s| (s, copies)));
        let others = self.groups.iter().take(1).flat_map(|base| &base.others);
        let rest = self.groups.iter().skip(1).flat_map(|group| group.sources());
        parts.chain(others.chain(rest).map(|source| (source, false)))
    }

    /// Adds what is new. `complete` is the union of the complete texts, `scratch` a path for temporary files.
    pub(super) fn add(
        &self,
        complete: &PhraseIndex,
        memory: u64,
        scratch: &Path,
        tables: &mut RankTables,
        copying: &mut Copying<'_>,
    ) -> Result<()> {
        let disk = copying.disk;
        let held = Exclusion::new(&self.index, &[(complete, &self.map)]);
        let words = WordHashes::new(self.interner());
        let order: Vec<(&Source, bool)> = self.order(self.copies(tables.iter().len(), disk)?).collect();
        for &(source, _) in order.iter().filter(|(_, copied)| *copied) {
            let interner = &source.interner(&**disk)?;
            let map = texts::map(interner, self.interner());
            let mut best = best(&source.manifest, interner)?;
            for token in best.iter_mut().flat_map(|best| &mut best.tokens) {
                *token = map[*token as usize];
            }
            let reader = &source.results(disk)?;
            let tables = &renumber(source, reader, &map, None, tables)?;
            let filter = Some(&Filter { known: &held, among: 1 });
            copying.copy(&Original { source, interner, reader, tables, filter, words: &words, best })?;
        }
        if order.iter().all(|(_, copied)| *copied) {
            return Ok(());
        }
        let ranks = Ranks::new(&self.index);
        let table = tables.add(ranks.clone());
        let mut left = 0;
        for (source, _) in &order {
            left += source.record_files()?.len() as u64;
        }
        if copying.start.place.files >= copying.met + left {
            return Ok(());
        }
        // What is in the tracker is known only from here on.
        let begin = Place { files: copying.met, ..Place::default() };
        copying.state.seen = copying.start.seen.max(begin);
        let memory_bytes = usize::try_from(memory).unwrap_or(usize::MAX).max(MIN_MEMORY_BYTES);
        let seen = SeenTracker::open(scratch, SeenOptions { memory_bytes, disk: Arc::clone(disk) })?;
        if seen.len() < copying.start.fingerprints {
            let what = format!("{} has fewer fingerprints than its checkpoint says", scratch.display());
            return Err(Error::new(Code::Damaged, what));
        }
        let emitter = Emitter::new(&ranks, &words, copying.results).with_table(table);
        let before = copying.state.found.clone();
        let (flushed, counted) = (copying.control.elapsed(), 0);
        let mut adding = Adding {
            held: &held,
            words: &words,
            ranks: &ranks,
            seen,
            emitter,
            before,
            counted,
            batch: vec![],
            hasher: OrthoHasher::default(),
            canonicalizer: Canonicalizer::default(),
            copying,
            flushed,
        };
        for (source, copied) in order {
            adding.source(source, self.interner(), !copied)?;
        }
        (adding.copying.state.seen, adding.copying.state.fingerprints) = (Place::default(), 0);
        adding.commit()?;
        // Only then is the tracker not needed any more.
        (adding.copying.save)()?;
        drop(adding);
        disk.remove_dir_all(scratch).map_err(|cause| Error::io("removing", scratch, cause))
    }

    /// The archives in the order in which they are read.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.order(false).map(|(source, _)| source)
    }
}

/// How often the tracker is made durable: so much of its work is done again at most.
const FLUSH: Duration = Duration::from_secs(5);

/// The way of orthos that are read one by one.
struct Adding<'a, 'c> {
    held: &'a Exclusion<'a>,
    words: &'a WordHashes,
    ranks: &'a Ranks,
    seen: SeenTracker,
    emitter: Emitter<'a>,
    /// What had been found before the emitter began, and how much of what it gave is counted.
    before: Found,
    counted: u64,
    batch: Vec<Candidate>,
    hasher: OrthoHasher,
    canonicalizer: Canonicalizer,
    copying: &'a mut Copying<'c>,
    /// When the tracker was made durable.
    flushed: Duration,
}

struct Candidate {
    hash: u128,
    dims: Dims,
    cells: Vec<Rank>,
    /// It is to be added if it is new.
    wanted: bool,
}

impl Adding<'_, '_> {
    /// Shows all orthos of an archive to the tracker, and adds the new ones if that is wanted. What was done by a merge that was
    /// killed, but is not in the tracker, is shown again.
    fn source(&mut self, source: &Source, all: &Interner, wanted: bool) -> Result<()> {
        let (disk, control) = (self.copying.disk, self.copying.control);
        let files = source.record_files()?;
        let (seen, start) = (self.copying.state.seen, self.copying.start.place);
        if self.copying.passes(&files, seen) {
            return Ok(());
        }
        let map = texts::map(&source.interner(&**disk)?, all);
        let reader = source.results(disk)?;
        let each = source.manifest.bytes / source.manifest.ortho_count.max(1);
        let mut shape = Shape::default();
        let mut table = 0;
        for (at, file) in files.iter().enumerate() {
            let number = self.copying.met;
            self.copying.met += 1;
            if number < seen.files {
                continue;
            }
            if number == seen.files {
                table = seen.table;
            }
            source.check_file(file.name, file.info, control, &**disk)?;
            let queue = shape.open(&reader, &file.dims)?;
            let mut records = queue.records(OsStr::new(file.file), table)?;
            let mut place = Place { files: number, records: 0, table };
            if number == seen.files {
                records.skip(seen.records)?;
                place.records = seen.records;
            }
            let mut cursor = queue.cursor(records);
            let skipped = place.records;
            let mut ortho = Ortho::default();
            loop {
                let more = cursor.next(&mut ortho)?;
                let done = skipped + cursor.records_met() - u64::from(more);
                if done > place.records {
                    place.records = done;
                    self.reached(place)?;
                }
                if !more {
                    break;
                }
                if self.candidate(source, &cursor, &map, &mut ortho, wanted && place >= start)?
                    && self.batch.len() >= BATCH
                {
                    self.flush()?;
                    control.advance(each * BATCH as u64);
                    control.check()?;
                }
            }
            let next = after(&files, at, number, cursor.table());
            table = next.table;
            if next > start {
                self.flush()?;
                self.copying.state.place = next;
            }
        }
        self.flush()?;
        control.check()
    }

    /// Takes up an ortho unless it is held elsewhere.
    fn candidate(
        &mut self,
        source: &Source,
        cursor: &Cursor,
        map: &[Token],
        ortho: &mut Ortho,
        wanted: bool,
    ) -> Result<bool> {
        let tokens: Vec<Token> =
            cursor.grown_tokens().iter().filter_map(|&token| map.get(token as usize)).copied().collect();
        let grown = cursor.grown_dims();
        if tokens.len() as u64 != ortho.fullness() {
            return Err(damaged(source, "its ranks are those of another vocabulary"));
        }
        if self.held.ortho(grown, &tokens, 1) != 0 {
            return Ok(false);
        }
        self.canonicalizer.canonicalize(grown, &tokens, ortho);
        let hash = self.hasher.hash(self.words, ortho);
        let cells = tokens.iter().map(|&token| self.ranks.rank(token)).collect();
        self.batch.push(Candidate { hash, dims: grown.to_vec(), cells, wanted });
        Ok(true)
    }

    fn flush(&mut self) -> Result<()> {
        let hashes: Vec<u128> = self.batch.iter().map(|candidate| candidate.hash).collect();
        let new = self.seen.insert_batch(&hashes)?;
        for (candidate, new) in self.batch.drain(..).zip(new) {
            if new && candidate.wanted {
                self.emitter.single(&candidate.dims, &candidate.cells)?;
            }
        }
        let count = self.emitter.count();
        self.copying.control.add_orthos(count - mem::replace(&mut self.counted, count));
        Ok(())
    }

    /// All records up to a place are read: commits if that was asked for. What is only shown again is kept in the tracker as
    /// well, so that a merge that is killed again and again comes further each time.
    fn reached(&mut self, place: Place) -> Result<()> {
        if !self.copying.ledger.asks(&mut self.copying.answered) {
            return Ok(());
        }
        self.flush()?;
        if place >= self.copying.start.place {
            self.copying.state.place = place;
            self.commit()?;
            self.copying.room(0)?;
        }
        let now = self.copying.control.elapsed();
        if now >= self.flushed + FLUSH || self.copying.ledger.is_eager() {
            // In this order: a tracker that knew of what no checkpoint does would have it left out.
            (self.copying.save)()?;
            self.seen.flush()?;
            self.copying.state.seen = place;
            self.copying.state.fingerprints = self.seen.len();
            self.flushed = self.copying.control.elapsed();
            self.commit()?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.emitter.flush()?;
        let mut found = self.before.clone();
        found.merge(self.emitter.found());
        self.copying.state.found = found;
        self.copying.commit_on(self.emitter.lane())
    }
}
