//! An exact set of 128-bit fingerprints that may be larger than memory.
//!
//! It is divided into shards by leading bits. New fingerprints gather in one hash table for each shard; when those take
//! their part of the memory, they are sorted and written as a *run*, one file that holds all shards in order, and runs of
//! similar size are merged. Of a run there is in memory a Bloom filter for each shard, the first fingerprint of each
//! page, and as many whole shards as fit, least recently used ones going first. A batch is divided by shard; what no
//! filter lets through is answered by the shard's table, the rest by cached shards and then by the file, in ascending
//! order, with neighbouring pages read together; what no run has goes to the table after all. Within a shard, places in
//! memory are fetched for many fingerprints side by side before any of them is looked at: waiting for memory one at a
//! time would cost more than the rest.
//!
//! What it guarantees:
//! - No false answer either way, whatever the budget, the batches and the distribution of the fingerprints.
//! - After [`flush`](SeenTracker::flush) the set is durable as it is. A crash brings back the set of the last flush.
//! - Each block that is read is checked; opening reads and checks everything. Damage is [`Code::Damaged`] with the file's
//!   name: a set with a hole would call things new that are not.
//! - An error leaves the set as it was, or with part of the batch inserted; a full disk loses nothing. After a failed
//!   fsync it has to be opened again.
//!
//! What it costs: the memory budget: of its sixteenths four for new fingerprints (at 20 to 30 bytes each), eleven for
//! runs (of which up to three for filters and fences, and the rest for cached shards), one for batches. Filters shrink
//! and pages grow so that this holds for any number of fingerprints; while runs are merged, their old filters take the
//! place of cached shards. What is allocated and freed again comes in pieces of one size ([`pieces`]), so the process
//! takes no more than that. On disk 16.3 bytes a fingerprint, twice that while merging, and until the next flush what
//! it makes obsolete. Each fingerprint is written about log2(all / in memory) times.
//!
//! # Files
//!
//! Little-endian. `docs/formats/seen_tracker.md` says the same.
//!
//! `NNNNNNNNNNNNNNNNNNNN.run`, blocks of 1,024 bytes:
//!
//! ```text
//! first block   "FOLDSEEN" | version u32 | 0 u32 | id u64 | count u64 | zeros | crc u32 of the 1,020 bytes before
//! other blocks  63 fingerprints u128, ascending over the file, zeros after the last | how many u32 | id u32 (low half)
//!               | block number from 0, u32 (low half) | crc u32 of the 1,020 bytes before
//! ```
//!
//! `manifest`, replaced whole: "FOLDSMAN" | version u32 | 0 u32 | number of runs u64 | for each run, oldest first: id u64,
//! count u64, crc u32 of the crcs of its blocks, 0 u32 | crc u32 of all before. Runs that it does not name are leftovers.

mod bloom;
mod manifest;
mod pieces;
mod run;
mod table;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::pieces::Shard;
use self::run::{BLOCK_KEYS, Candidate, Cursor, Entry, Plan, Run, RunWriter, run_path};
use self::table::{Table, mix};
use crate::disk::{Disk, RealDisk};
use crate::error::{Code, Error, Result};

/// Batches after which a cached shard that nobody asked for gives way to one that is.
const STALE: u64 = 64;
/// The most Bloom bits a fingerprint: 1 of 100 answers "perhaps" in vain, and more would not pay.
const BLOOM_BITS: u64 = 10;

/// Sixteenths of the memory for new fingerprints, for what is kept of runs (filters, fences, and cached shards in the room
/// that these leave), and for a batch at work with all buffers.
const TABLE_PART: usize = 4;
const RUNS_PART: usize = 11;
/// Of those for runs, the most that filters and fences take.
const INDEX_PART: usize = 3;
const BATCH_PART: usize = 1;

/// How a tracker is opened.
#[derive(Debug, Clone)]
pub struct SeenOptions {
    /// The memory it may take, in bytes.
    pub memory_bytes: usize,
    /// Where the files are.
    pub disk: Arc<dyn Disk>,
}

impl Default for SeenOptions {
    fn default() -> Self {
        Self { memory_bytes: 64 << 20, disk: RealDisk::shared() }
    }
}

/// The smallest memory that a tracker works with.
pub const MIN_MEMORY_BYTES: usize = 64 << 10;

/// See the [module](self).
#[derive(Debug)]
pub struct SeenTracker {
    directory: PathBuf,
    options: SeenOptions,
    closed: bool,
    /// An fsync failed: what is durable cannot be told.
    broken: bool,
    shard_bits: u32,
    /// Fingerprints that are in no run yet, by shard.
    tables: Vec<Table>,
    table_bytes: usize,
    fresh: u64,
    /// Oldest and largest first. They are disjoint, from each other and from the tables.
    runs: Vec<Run>,
    next_id: u64,
    /// What the manifest on disk names.
    durable: Vec<Entry>,
    /// Merged runs that the manifest still names.
    obsolete: Vec<PathBuf>,
    /// Batches so far: the clock of the cache.
    now: u64,
    parts: Parts,
}

/// A batch divided by shard; kept for the memory.
#[derive(Debug, Default)]
struct Parts {
    fingerprints: Vec<u128>,
    /// Where in the batch each of them was.
    places: Vec<u32>,
    /// Where each shard begins; one more than there are shards.
    starts: Vec<u32>,
    /// Of one shard: the hashes, and which runs may hold each.
    hashes: Vec<u64>,
    marks: Vec<u64>,
    candidates: Vec<Candidate>,
    found: Vec<bool>,
}

/// The bit of [`Candidate::runs`] that stands for a run. Each run is larger than all after it, so there are hardly 64; if
/// there are, the last ones share a bit.
fn run_flag(at: usize) -> u64 {
    1 << at.min(63)
}

impl Parts {
    fn divide(&mut self, batch: &[u128], plan: Plan) {
        self.starts.clear();
        self.starts.resize(plan.shards() + 2, 0);
        for &fingerprint in batch {
            self.starts[plan.shard(fingerprint) + 2] += 1;
        }
        for shard in 2..self.starts.len() {
            self.starts[shard] += self.starts[shard - 1];
        }
        self.fingerprints.resize(batch.len(), 0);
        self.places.resize(batch.len(), 0);
        for (place, &fingerprint) in (0_u32..).zip(batch) {
            let at = &mut self.starts[plan.shard(fingerprint) + 1];
            self.fingerprints[*at as usize] = fingerprint;
            self.places[*at as usize] = place;
            *at += 1;
        }
    }

    fn shard(&self, shard: usize) -> std::ops::Range<usize> {
        self.starts[shard] as usize..self.starts[shard + 1] as usize
    }
}

impl SeenTracker {
    /// Opens the set in `directory`, which is created if it is not there. Reads every run once.
    ///
    /// # Errors
    /// [`Code::Damaged`] or [`Code::NewerFormat`] naming the file, [`Code::MemoryTooSmall`] under [`MIN_MEMORY_BYTES`],
    /// or a failure of the operating system.
    pub fn open(directory: &Path, options: SeenOptions) -> Result<Self> {
        if options.memory_bytes < MIN_MEMORY_BYTES {
            return Err(Error::new(
                Code::MemoryTooSmall,
                format!(
                    "a seen tracker needs {MIN_MEMORY_BYTES} bytes of memory, not {}",
                    options.memory_bytes
                ),
            ));
        }
        let disk = &*options.disk;
        if !disk.exists(directory) {
            disk.create_dir_all(directory).map_err(|cause| Error::io("creating", directory, cause))?;
            if let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                disk.sync_dir(parent).map_err(|cause| Error::io("making durable", parent, cause))?;
            }
        }
        let durable = manifest::read(disk, directory)?;
        let mut next_id = durable.iter().map(|entry| entry.id + 1).max().unwrap_or(1);
        for path in disk.list(directory).map_err(|cause| Error::io("listing", directory, cause))? {
            let id = path
                .file_name()
                .and_then(|n| n.to_str())
                .and_then(|n| n.strip_suffix(".run")?.parse::<u64>().ok());
            if let Some(id) = id.filter(|&id| durable.iter().all(|entry| entry.id != id)) {
                // A leftover of a crash; if it stays, its number must not be used.
                let _ = disk.remove_file(&path);
                next_id = next_id.max(id.saturating_add(1));
            }
        }
        // A shard of new fingerprints then takes some hundred KiB at most, which the second-level cache holds.
        let shard_bits = (options.memory_bytes >> 18).max(1).ilog2().min(12);
        let slots = (options.memory_bytes / 16 * TABLE_PART / size_of::<u128>()) >> shard_bits;
        let mut tracker = Self {
            directory: directory.to_path_buf(),
            closed: false,
            broken: false,
            shard_bits,
            tables: (0..1 << shard_bits).map(|_| Table::new(slots)).collect(),
            table_bytes: 0,
            fresh: 0,
            runs: Vec::new(),
            next_id,
            durable,
            obsolete: Vec::new(),
            now: 0,
            parts: Parts::default(),
            options,
        };
        let plan = tracker.plan(tracker.durable.iter().map(|entry| entry.count).sum());
        for &entry in &tracker.durable {
            tracker.runs.push(Run::open(&*tracker.options.disk, &tracker.directory, entry, plan)?);
        }
        Ok(tracker)
    }

    /// The number of fingerprints.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.fresh + self.runs.iter().map(|run| run.entry.count).sum::<u64>()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory in use for tables, filters, fences and cached shards.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.table_bytes + self.runs.iter().map(|run| run.index_bytes() + run.cached_bytes).sum::<usize>()
    }

    /// Inserts a batch. Answers for each fingerprint whether it was new; of equal ones in the batch the first is.
    ///
    /// # Errors
    /// [`Code::Damaged`] naming the file, [`Code::Closed`], or a failure of the operating system; some of the batch may
    /// have been inserted.
    pub fn insert_batch(&mut self, batch: &[u128]) -> Result<Vec<bool>> {
        self.usable()?;
        let mut answers = vec![false; batch.len()];
        for (part, answers) in batch.chunks(self.chunk()).zip(answers.chunks_mut(self.chunk())) {
            if self.is_full() {
                self.spill()?;
            }
            self.ask(part, answers, true)?;
        }
        Ok(answers)
    }

    /// Answers for each fingerprint whether it is in the set.
    ///
    /// # Errors
    /// As [`insert_batch`](Self::insert_batch).
    pub fn contains_batch(&mut self, batch: &[u128]) -> Result<Vec<bool>> {
        self.usable()?;
        let mut answers = vec![false; batch.len()];
        for (part, answers) in batch.chunks(self.chunk()).zip(answers.chunks_mut(self.chunk())) {
            self.ask(part, answers, false)?;
        }
        Ok(answers)
    }

    /// Makes the set durable as it is.
    ///
    /// # Errors
    /// A failure to write; a failed fsync is final until the set is opened again.
    pub fn flush(&mut self) -> Result<()> {
        self.usable()?;
        if self.fresh > 0 {
            self.spill()?;
        }
        let entries: Vec<Entry> = self.runs.iter().map(|run| run.entry).collect();
        if entries != self.durable {
            self.broken = true;
            for run in &mut self.runs {
                run.sync()?;
            }
            let disk = &*self.options.disk;
            disk.sync_dir(&self.directory)
                .map_err(|cause| Error::io("making durable", &self.directory, cause))?;
            self.broken = false;
            manifest::write(disk, &self.directory, &entries)?;
            self.durable = entries;
        }
        for path in self.obsolete.drain(..) {
            // What stays is removed when the set is opened again.
            let _ = self.options.disk.remove_file(&path);
        }
        Ok(())
    }

    /// Flushes and lets go of files and memory. Closing twice is fine.
    ///
    /// # Errors
    /// As [`flush`](Self::flush); the tracker then stays open.
    pub fn close(&mut self) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        self.flush()?;
        self.closed = true;
        self.tables = Vec::new();
        self.runs = Vec::new();
        Ok(())
    }

    fn usable(&self) -> Result<()> {
        let place = self.directory.display();
        if self.closed {
            return Err(Error::new(
                Code::Closed,
                format!("the seen tracker in {place} was closed; open it again"),
            ));
        }
        if self.broken {
            return Err(Error::new(
                Code::Io,
                format!(
                    "an earlier fsync failed in {place}; open the tracker again to go on from what is durable"
                ),
            ));
        }
        Ok(())
    }

    fn part(&self, sixteenths: usize) -> usize {
        self.options.memory_bytes / 16 * sixteenths
    }

    /// Fingerprints of a batch that are worked on together.
    fn chunk(&self) -> usize {
        // 20 bytes each for being divided, and 40 to 50 for those of one shard.
        (self.part(BATCH_PART) / 60).clamp(256, 1 << 20)
    }

    /// What is kept in memory of runs that hold `count` fingerprints in all.
    fn plan(&self, count: u64) -> Plan {
        let count = count.max(1);
        let budget = self.part(INDEX_PART) as u64;
        let bloom_bits = (budget / 4 * 3 * 8 / count).min(BLOOM_BITS);
        let mut stride = 1_usize;
        while count / (BLOCK_KEYS * stride) as u64 * 16 > budget / 4 {
            stride *= 2;
        }
        Plan { shard_bits: self.shard_bits, bloom_bits, stride }
    }

    fn shard_plan(&self) -> Plan {
        Plan { shard_bits: self.shard_bits, bloom_bits: 0, stride: 1 }
    }

    /// Whether the tables have used up their part.
    fn is_full(&self) -> bool {
        let budget = self.part(TABLE_PART);
        // At four fifths tables grow; the fullest of them gets there before the average does.
        self.table_bytes > budget || self.fresh as usize * 16 > budget / 10 * 7
    }

    fn ask(&mut self, batch: &[u128], answers: &mut [bool], insert: bool) -> Result<()> {
        self.now += 1;
        let mut parts = std::mem::take(&mut self.parts);
        parts.divide(batch, self.shard_plan());
        let outcome =
            (0..self.tables.len()).try_for_each(|shard| self.ask_shard(shard, &mut parts, answers, insert));
        self.parts = parts;
        outcome
    }

    fn ask_shard(
        &mut self,
        shard: usize,
        parts: &mut Parts,
        answers: &mut [bool],
        insert: bool,
    ) -> Result<()> {
        let range = parts.shard(shard);
        if range.is_empty() {
            return Ok(());
        }
        let table = &mut self.tables[shard];
        let (memory, len) = (table.memory(), table.len());
        let fingerprints = &parts.fingerprints[range.clone()];
        parts.hashes.clear();
        parts.hashes.extend(fingerprints.iter().map(|&fingerprint| mix(fingerprint)));
        parts.marks.clear();
        parts.marks.resize(fingerprints.len(), 0);
        for (at, run) in self.runs.iter().enumerate() {
            run.mark(shard, &parts.hashes, &mut parts.marks, run_flag(at));
        }
        table.warm(&parts.hashes);
        // What a filter lets through is most likely in a run and in no table, where a search that fails is the dearest.
        let filtered = self.runs.iter().all(Run::is_filtered);
        let mut candidates = std::mem::take(&mut parts.candidates);
        candidates.clear();
        let asked = fingerprints.iter().zip(&parts.places[range]).zip(parts.hashes.iter().zip(&parts.marks));
        for ((&fingerprint, &place), (&hash, &runs)) in asked {
            // A fingerprint that only a run can answer for is a candidate each time it comes, so none of its
            // repeats is inserted before the run was asked.
            if runs == 0 {
                answers[place as usize] =
                    if insert { table.insert(fingerprint, hash) } else { table.contains(fingerprint, hash) };
            } else if !filtered && table.contains(fingerprint, hash) {
                answers[place as usize] = !insert;
            } else {
                candidates.push(Candidate { fingerprint, place, runs });
            }
        }
        let mut outcome = Ok(());
        if !candidates.is_empty() {
            candidates.sort_unstable_by_key(|candidate| (candidate.fingerprint, candidate.place));
            let mut found = std::mem::take(&mut parts.found);
            found.clear();
            found.resize(candidates.len(), false);
            outcome = self.probe(shard, &candidates, &mut found);
            if outcome.is_ok() {
                let table = &mut self.tables[shard];
                for (&Candidate { fingerprint, place, .. }, &found) in candidates.iter().zip(&found) {
                    answers[place as usize] = if found {
                        !insert
                    } else if insert {
                        table.insert(fingerprint, mix(fingerprint))
                    } else {
                        filtered && table.contains(fingerprint, mix(fingerprint))
                    };
                }
            }
            parts.found = found;
        }
        parts.candidates = candidates;
        let table = &self.tables[shard];
        self.table_bytes = self.table_bytes + table.memory() - memory;
        self.fresh += (table.len() - len) as u64;
        outcome
    }

    /// Marks the candidates of a shard that are in a run.
    fn probe(&mut self, shard: usize, candidates: &[Candidate], found: &mut [bool]) -> Result<()> {
        for at in 0..self.runs.len() {
            let size = self.runs[at].size_of_shard(shard);
            // Reading a shard whole pays once the batch would read much of it anyway.
            let pays = candidates.len() as u64 * BLOCK_KEYS as u64 / 2 > size;
            if size > 0 && pays && !self.runs[at].is_cached(shard) && self.make_room(Shard::memory_for(size))
            {
                self.runs[at].load(shard, self.now)?;
            }
            self.runs[at].probe(shard, self.now, run_flag(at), candidates, found)?;
        }
        Ok(())
    }

    /// What is left of the memory for runs.
    fn room(&self) -> usize {
        let taken: usize = self.runs.iter().map(|run| run.index_bytes() + run.cached_bytes).sum();
        self.part(RUNS_PART).saturating_sub(taken)
    }

    /// The run and shard that was asked longest ago of those in memory, and when.
    fn coldest(&self) -> Option<(u64, usize, usize)> {
        let coldest = |at: usize| self.runs[at].coldest().map(|(used, shard)| (used, at, shard));
        (0..self.runs.len()).filter_map(coldest).min()
    }

    /// Makes room for `bytes` of cached shards, if only shards go that were not asked for long.
    fn make_room(&mut self, bytes: usize) -> bool {
        while self.room() < bytes {
            match self.coldest() {
                Some((used, at, shard)) if used + STALE < self.now && bytes <= self.part(RUNS_PART) => {
                    self.runs[at].evict(shard);
                }
                _ => return false,
            }
        }
        true
    }

    /// Writes the tables as a run, merged with the newest runs as long as the next is no larger than all merged so far. The set is the same
    /// before and after, also if it fails.
    fn spill(&mut self) -> Result<()> {
        let mut keep = self.runs.len();
        let mut count = self.fresh;
        while keep > 0 && self.runs[keep - 1].entry.count <= count {
            keep -= 1;
            count += self.runs[keep].entry.count;
        }
        let merged = self.write_run(keep)?;
        for old in self.runs.drain(keep..) {
            if self.durable.contains(&old.entry) {
                self.obsolete.push(old.path);
            } else {
                let _ = self.options.disk.remove_file(&old.path);
            }
        }
        self.runs.push(merged);
        self.fresh = 0;
        self.tables.iter_mut().for_each(Table::clear);
        self.table_bytes = self.tables.iter().map(Table::memory).sum();
        self.fill_cache()
    }

    /// Brings shards of the newest run into the room that is left for cached ones.
    fn fill_cache(&mut self) -> Result<()> {
        let (mut room, now) = (self.room(), self.now);
        if let Some(run) = self.runs.last_mut() {
            for shard in 0..self.tables.len() {
                let bytes = Shard::memory_for(run.size_of_shard(shard));
                if bytes > 0 && !run.is_cached(shard) && bytes <= room {
                    run.load(shard, now)?;
                    room -= bytes;
                }
            }
        }
        Ok(())
    }

    /// Merges the tables and the runs from `keep` on.
    fn write_run(&mut self, keep: usize) -> Result<Run> {
        let sizes: Vec<u64> = self
            .tables
            .iter()
            .enumerate()
            .map(|(shard, table)| {
                table.len() as u64 + self.runs[keep..].iter().map(|run| run.size_of_shard(shard)).sum::<u64>()
            })
            .collect();
        // The cached shards of the runs that go make room for those of the run that comes.
        for run in &mut self.runs[keep..] {
            (0..sizes.len()).for_each(|shard| run.evict(shard));
        }
        // Until the merge is done, both the old and the new filters are there.
        let plan = self.plan(self.len());
        let index = plan.index_bytes(&sizes);
        while self.room() < index
            && let Some((_, at, shard)) = self.coldest()
        {
            self.runs[at].evict(shard);
        }
        let room = self.room().saturating_sub(index);
        let id = self.next_id;
        self.next_id += 1;
        let disk = &*self.options.disk;
        let attempt = || -> Result<Run> {
            let mut writer = RunWriter::create(disk, &self.directory, id, &sizes, plan, room, self.now)?;
            let mut cursors = self.runs[keep..]
                .iter()
                .map(|run| Cursor::new(disk, &run.path, run.entry))
                .collect::<Result<Vec<_>>>()?;
            for table in &self.tables {
                for fingerprint in table.sorted(self.shard_bits) {
                    merge_until(&mut writer, &mut cursors, Some(fingerprint))?;
                    writer.push(fingerprint)?;
                }
            }
            merge_until(&mut writer, &mut cursors, None)?;
            writer.finish()
        };
        attempt().inspect_err(|_| {
            // The first failure is the one worth reporting; leftovers are removed at the next opening.
            let _ = disk.remove_file(&run_path(&self.directory, id));
        })
    }
}

/// Writes what the cursors hold below `end`, in order.
fn merge_until(writer: &mut RunWriter, cursors: &mut [Cursor], end: Option<u128>) -> Result<()> {
    loop {
        let mut least: Option<(u128, usize)> = None;
        for (at, cursor) in cursors.iter().enumerate() {
            if let Some(next) = cursor.peek()
                && least.is_none_or(|(least, _)| next < least)
            {
                least = Some((next, at));
            }
        }
        match least {
            Some((fingerprint, at)) if end.is_none_or(|end| fingerprint < end) => {
                writer.push(fingerprint)?;
                cursors[at].advance(None)?;
            }
            _ => return Ok(()),
        }
    }
}
