//! A run: a sorted file of fingerprints that never changes, with what is kept of it in memory.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::bloom::Bloom;
use super::pieces::Shard;
use super::table::mix;
use crate::disk::{Disk, DiskFile};
use crate::error::{Code, Error, Result};
use crate::header::{Format, OPENING_LEN, crc_holds, u32_at};

pub(super) const VERSION: u32 = 1;
const RUN: Format = Format { magic: *b"FOLDSEEN", version: VERSION, called: "format" };
pub(super) const BLOCK_LEN: usize = 1024;
/// Fingerprints in a full block; the last 16 bytes are its trailer.
pub(super) const BLOCK_KEYS: usize = BLOCK_LEN / 16 - 1;
const KEYS_LEN: usize = BLOCK_KEYS * 16;
/// Blocks that are read or written together when a file is gone through from end to end.
const STREAM_BLOCKS: usize = 128;
/// Blocks from one that is wanted to the next, up to which one read of both is quicker than two.
const NEAR_BLOCKS: usize = 4;
/// The most blocks that one probe reads together.
const PROBE_BLOCKS: usize = 64;
/// Candidates whose places in a cached shard are fetched side by side.
const TOGETHER: usize = 32;

/// How fingerprints are divided into shards, and how much is kept of a run in memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Leading bits that choose the shard.
    pub(super) shard_bits: u32,
    /// Bloom bits a fingerprint.
    pub(super) bloom_bits: u64,
    /// Blocks a page, the unit of probing: the first fingerprint of each page is kept in memory.
    pub(super) stride: usize,
}

impl Plan {
    pub(super) fn shards(&self) -> usize {
        1 << self.shard_bits
    }

    /// The memory for filters and fences of a run with shards of these sizes.
    pub(super) fn index_bytes(&self, sizes: &[u64]) -> usize {
        let count: u64 = sizes.iter().sum();
        let filters = if self.bloom_bits < 4 { 0 } else { count * self.bloom_bits / 8 };
        filters as usize + count as usize / (BLOCK_KEYS * self.stride) * 16 + sizes.len() * 100
    }

    pub(super) fn shard(&self, fingerprint: u128) -> usize {
        // Two steps, as shifting by all 128 bits is not defined.
        ((fingerprint >> 64) as u64 >> 1 >> (63 - self.shard_bits)) as usize
    }
}

/// What the manifest says of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) count: u64,
    /// CRC-32 of the CRCs of all blocks in order.
    pub(super) crc: u32,
}

pub(super) fn run_path(directory: &Path, id: u64) -> PathBuf {
    directory.join(format!("{id:020}.run"))
}

fn header(id: u64, count: u64) -> [u8; BLOCK_LEN] {
    let mut bytes = [0; BLOCK_LEN];
    bytes[..OPENING_LEN].copy_from_slice(&RUN.opening());
    bytes[16..24].copy_from_slice(&id.to_le_bytes());
    bytes[24..32].copy_from_slice(&count.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..BLOCK_LEN - 4]);
    bytes[BLOCK_LEN - 4..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn key(block: &[u8], at: usize) -> u128 {
    let mut raw = [0; 16];
    if let Some(bytes) = block.get(at * 16..at * 16 + 16) {
        raw.copy_from_slice(bytes);
    }
    u128::from_le_bytes(raw)
}

/// The number of fingerprints in a block if it is the valid block `index` of run `id`.
fn check_block(block: &[u8], id: u64, index: u64) -> Option<usize> {
    let count = u32_at(block, KEYS_LEN) as usize;
    let good = u32_at(block, KEYS_LEN + 4) == id as u32
        && u32_at(block, KEYS_LEN + 8) == index as u32
        && crc_holds(block, KEYS_LEN + 12)
        && (1..=BLOCK_KEYS).contains(&count);
    good.then_some(count)
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::new(
        Code::Damaged,
        format!(
            "{} {what}; the set of what was seen cannot be trusted, start again without it",
            path.display()
        ),
    )
}

/// A fingerprint that a run is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) fingerprint: u128,
    /// The runs whose filters let it through.
    pub(super) runs: u64,
    /// Where in the batch it was.
    pub(super) place: u32,
}

/// Where between the two ends of a stretch of `len` fingerprints one should stand if they are spread evenly.
fn part_of(low: u128, fingerprint: u128, high: u128, len: usize) -> usize {
    let (low, fingerprint, high) = ((low >> 64) as u64, (fingerprint >> 64) as u64, (high >> 64) as u64);
    // Rounding only moves the guess; a stretch that begins and ends alike gives no number, which becomes 0.
    let part = fingerprint.saturating_sub(low) as f64 / high.saturating_sub(low) as f64;
    ((part * len as f64) as usize).min(len.saturating_sub(1))
}

/// Where in a cached shard a candidate may be, and where it is looked for first.
#[derive(Debug, Clone, Copy, Default)]
struct Guess {
    candidate: usize,
    from: usize,
    to: usize,
    at: usize,
}

/// Whether a good block of `count` fingerprints holds `wanted`. Halving without a branch that depends on what is found.
fn block_has(block: &[u8], count: usize, wanted: u128) -> bool {
    let (mut base, mut size) = (0, count);
    while size > 1 {
        let half = size / 2;
        base += if key(block, base + half) <= wanted { half } else { 0 };
        size -= half;
    }
    key(block, base) == wanted
}

/// A run that can be asked.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) entry: Entry,
    pub(super) path: PathBuf,
    file: Box<dyn DiskFile>,
    plan: Plan,
    bloom: Bloom,
    /// The first fingerprint of each page.
    fences: Vec<u128>,
    /// How many fingerprints come before each shard; one more than there are shards.
    starts: Vec<u64>,
    /// The shards kept in memory, in ascending order, and the batch each was last asked in.
    cached: Vec<Option<(Shard, u64)>>,
    pub(super) cached_bytes: usize,
    /// The file has not been made durable.
    pub(super) unsynced: bool,
    scratch: Vec<u8>,
    pages: Vec<u32>,
}

impl Run {
    pub(super) fn size_of_shard(&self, shard: usize) -> u64 {
        match (self.starts.get(shard), self.starts.get(shard + 1)) {
            (Some(start), Some(end)) => end - start,
            _ => 0,
        }
    }

    /// Memory for filters and fences.
    pub(super) fn index_bytes(&self) -> usize {
        self.bloom.memory() + self.fences.len() * 16 + self.starts.len() * 8
    }

    /// Whether hardly any fingerprint is asked for in vain.
    pub(super) fn is_filtered(&self) -> bool {
        self.bloom.is_there()
    }

    /// Sets `flag` in `marks` for those hashes of a shard that may be in this run.
    pub(super) fn mark(&self, shard: usize, hashes: &[u64], marks: &mut [u64], flag: u64) {
        self.bloom.mark(shard, hashes, marks, flag);
    }

    pub(super) fn sync(&mut self) -> Result<()> {
        if self.unsynced {
            self.file.sync().map_err(|cause| Error::io("making durable", &self.path, cause))?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// The shard that was asked longest ago, and when.
    pub(super) fn coldest(&self) -> Option<(u64, usize)> {
        self.cached
            .iter()
            .enumerate()
            .filter_map(|(shard, c)| c.as_ref().map(|(_, used)| (*used, shard)))
            .min()
    }

    pub(super) fn evict(&mut self, shard: usize) {
        if let Some((keys, _)) = self.cached.get_mut(shard).and_then(Option::take) {
            self.cached_bytes -= keys.memory();
        }
    }

    /// Marks in `found` the candidates of one shard that are in the run. They are in ascending order.
    pub(super) fn probe(
        &mut self,
        shard: usize,
        now: u64,
        flag: u64,
        candidates: &[Candidate],
        found: &mut [bool],
    ) -> Result<()> {
        let keys_a_page = (BLOCK_KEYS * self.plan.stride) as u64;
        let (start, end) = (self.starts[shard], self.starts[shard + 1]);
        if start == end {
            return Ok(());
        }
        let (first_page, last_page) = ((start / keys_a_page) as usize, ((end - 1) / keys_a_page) as usize);
        let fences = &self.fences[first_page..=last_page];
        // For each candidate how many fences are not above it: one more than its page, or 0 if it is in none. Both sides
        // ascend, so each search starts where the last one ended. A page may begin in the shard before.
        self.pages.clear();
        let mut below = 0;
        for (&Candidate { fingerprint, runs, .. }, &found) in candidates.iter().zip(found.iter()) {
            // What another run has, or this one's filter rules out, is not worth a page.
            if found || runs & flag == 0 {
                self.pages.push(0);
                continue;
            }
            let mut step = 1;
            while fences.get(below + step - 1).is_some_and(|&fence| fence <= fingerprint) {
                below += step;
                step *= 2;
            }
            let reach = fences.len().min(below + step - 1);
            below += fences[below..reach].partition_point(|&fence| fence <= fingerprint);
            self.pages.push(below as u32);
        }
        let pages = &self.pages;
        let page_of = |candidate: usize| (pages[candidate] as usize).checked_sub(1).map(|at| first_page + at);
        if let Some((keys, used)) = &mut self.cached[shard] {
            *used = now;
            // A few at a time: first all places where they should be are fetched side by side, then they are compared.
            let mut few = [Guess::default(); TOGETHER];
            let mut asked = candidates.iter().enumerate().filter_map(|(at, c)| Some((at, c, page_of(at)?)));
            loop {
                let mut filled = 0;
                for (guess, (candidate, &Candidate { fingerprint, .. }, page)) in
                    few.iter_mut().zip(&mut asked)
                {
                    let from = (page as u64 * keys_a_page).saturating_sub(start) as usize;
                    let to = (((page as u64 + 1) * keys_a_page - start) as usize).min(keys.len());
                    let low = fences[page - first_page];
                    let high = fences.get(page - first_page + 1).copied().unwrap_or(u128::MAX);
                    let at = from + part_of(low, fingerprint, high, to - from);
                    *guess = Guess { candidate, from, to, at };
                    filled += 1;
                }
                let few = &few[..filled];
                if few.is_empty() {
                    break;
                }
                keys.warm(few.iter().map(|guess| guess.at));
                for &Guess { candidate, from, to, at } in few {
                    found[candidate] = keys.has(candidates[candidate].fingerprint, &(from..to), at);
                }
            }
            return Ok(());
        }
        let mut at = 0;
        while at < candidates.len() {
            let Some(page) = page_of(at).filter(|_| !found[at]) else {
                at += 1;
                continue;
            };
            // Neighbouring pages that are wanted too come with the same read.
            let (mut next, mut last) = (at + 1, page);
            let most = (PROBE_BLOCKS / self.plan.stride).max(1);
            let near = (NEAR_BLOCKS / self.plan.stride).max(1);
            while next < candidates.len() {
                match page_of(next) {
                    Some(other) if other <= last + near && other < page + most => last = other,
                    Some(_) => break,
                    None => {}
                }
                next += 1;
            }
            let blocks = self.entry.count.div_ceil(BLOCK_KEYS as u64);
            let first_block = (page * self.plan.stride) as u64;
            let end_block = (((last + 1) * self.plan.stride) as u64).min(blocks);
            read_unchecked(&mut *self.file, &self.path, first_block, end_block, &mut self.scratch)?;
            // What nobody asks for is not checked.
            let mut checked = None;
            for i in at..next {
                let Some(page) = page_of(i) else { continue };
                let wanted = candidates[i].fingerprint;
                let from = page * self.plan.stride - first_block as usize;
                let to = (from + self.plan.stride).min((end_block - first_block) as usize);
                if checked != Some(page) {
                    for block in from..to {
                        self.check(first_block, block)?;
                    }
                    checked = Some(page);
                }
                let first_key = |block: usize| key(&self.scratch[block * BLOCK_LEN..], 0);
                let (mut block, mut size) = (from, to - from);
                while size > 1 {
                    let half = size / 2;
                    block += if first_key(block + half) <= wanted { half } else { 0 };
                    size -= half;
                }
                let bytes = &self.scratch[block * BLOCK_LEN..(block + 1) * BLOCK_LEN];
                let before = (first_block + block as u64) * BLOCK_KEYS as u64;
                let count = (self.entry.count - before).min(BLOCK_KEYS as u64) as usize;
                found[i] = block_has(bytes, count, wanted);
            }
            at = next;
        }
        Ok(())
    }

    /// Checks block `at` of the scratch buffer, which begins with block `first` of the file.
    fn check(&self, first: u64, at: usize) -> Result<()> {
        let index = first + at as u64;
        let block = self.scratch.get(at * BLOCK_LEN..(at + 1) * BLOCK_LEN).unwrap_or_default();
        match check_block(block, self.entry.id, index) {
            Some(_) => Ok(()),
            None => Err(damaged(&self.path, &format!("fails its checksum in block {index}"))),
        }
    }

    /// Brings a shard into memory.
    pub(super) fn load(&mut self, shard: usize, now: u64) -> Result<()> {
        let (start, end) = (self.starts[shard], self.starts[shard + 1]);
        let mut keys = Shard::new((end - start) as usize);
        let mut block = start / BLOCK_KEYS as u64;
        let end_block = end.div_ceil(BLOCK_KEYS as u64);
        while block < end_block {
            let stop = (block + STREAM_BLOCKS as u64).min(end_block);
            read_blocks(&mut *self.file, &self.path, self.entry.id, block, stop, &mut self.scratch)?;
            for (i, bytes) in self.scratch.chunks_exact(BLOCK_LEN).enumerate() {
                let base = (block + i as u64) * BLOCK_KEYS as u64;
                let from = start.saturating_sub(base).min(BLOCK_KEYS as u64) as usize;
                let to = end.saturating_sub(base).min(BLOCK_KEYS as u64) as usize;
                (from..to).for_each(|at| keys.push(key(bytes, at)));
            }
            block = stop;
        }
        self.cached_bytes += keys.memory();
        self.cached[shard] = Some((keys, now));
        Ok(())
    }

    pub(super) fn is_cached(&self, shard: usize) -> bool {
        self.cached.get(shard).is_some_and(Option::is_some)
    }

    /// Opens a run and reads all of it: that rebuilds filters and fences, and checks every byte.
    pub(super) fn open(disk: &dyn Disk, directory: &Path, entry: Entry, plan: Plan) -> Result<Self> {
        let path = run_path(directory, entry.id);
        if !disk.exists(&path) {
            return Err(damaged(&path, "is missing"));
        }
        let mut file = disk.open(&path).map_err(|cause| Error::io("opening", &path, cause))?;
        let expected = (entry.count.div_ceil(BLOCK_KEYS as u64) + 1).saturating_mul(BLOCK_LEN as u64);
        let len = file.len().map_err(|cause| Error::io("reading", &path, cause))?;
        if len != expected {
            return Err(damaged(&path, &format!("has {len} bytes instead of {expected}")));
        }
        let mut first = [0; BLOCK_LEN];
        file.read_at(&mut first, 0).map_err(|cause| Error::io("reading", &path, cause))?;
        if first != header(entry.id, entry.count) {
            return Err(damaged(&path, "has a header that contradicts the manifest"));
        }
        // A first pass counts the shards, a second fills the filters made to these sizes.
        let mut sizes = vec![0_u64; plan.shards()];
        let mut cursor = Cursor::new(disk, &path, entry)?;
        let mut crc = crc32fast::Hasher::new();
        let mut last = None;
        while let Some(fingerprint) = cursor.peek() {
            if last.is_some_and(|last| last >= fingerprint) {
                return Err(damaged(&path, "is not in ascending order"));
            }
            last = Some(fingerprint);
            sizes[plan.shard(fingerprint)] += 1;
            cursor.advance(Some(&mut crc))?;
        }
        if crc.finalize() != entry.crc {
            return Err(damaged(&path, "contradicts the checksum in the manifest"));
        }
        let mut index = Index::new(&sizes, plan);
        let mut cursor = Cursor::new(disk, &path, entry)?;
        while let Some(fingerprint) = cursor.peek() {
            index.add(fingerprint);
            cursor.advance(None)?;
        }
        Ok(index.into_run(entry, path, file, false, vec![]))
    }
}

/// Reads the blocks `from..to` of a run, each checked, into `out`.
fn read_blocks(
    file: &mut dyn DiskFile,
    path: &Path,
    id: u64,
    from: u64,
    to: u64,
    out: &mut Vec<u8>,
) -> Result<()> {
    read_unchecked(file, path, from, to, out)?;
    for (block, index) in out.chunks_exact(BLOCK_LEN).zip(from..) {
        if check_block(block, id, index).is_none() {
            return Err(damaged(path, &format!("fails its checksum in block {index}")));
        }
    }
    Ok(())
}

/// Reads the blocks `from..to` of a run into `out`; whoever looks at one checks it.
fn read_unchecked(file: &mut dyn DiskFile, path: &Path, from: u64, to: u64, out: &mut Vec<u8>) -> Result<()> {
    out.resize((to - from) as usize * BLOCK_LEN, 0);
    file.read_at(out, (from + 1) * BLOCK_LEN as u64).map_err(|cause| match cause.kind() {
        io::ErrorKind::UnexpectedEof => damaged(path, "is cut short"),
        _ => Error::io("reading", path, cause),
    })
}

/// Goes through a run in order.
#[derive(Debug)]
pub(super) struct Cursor {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    entry: Entry,
    blocks: Vec<u8>,
    /// The first block in memory, and the fingerprint that is next, counted over the run.
    first: u64,
    next: u64,
    current: Option<u128>,
}

impl Cursor {
    pub(super) fn new(disk: &dyn Disk, path: &Path, entry: Entry) -> Result<Self> {
        let file = disk.open_read(path).map_err(|cause| Error::io("opening", path, cause))?;
        let mut cursor = Self {
            file,
            path: path.to_path_buf(),
            entry,
            blocks: Vec::new(),
            first: 0,
            next: 0,
            current: None,
        };
        cursor.settle(None)?;
        Ok(cursor)
    }

    pub(super) fn peek(&self) -> Option<u128> {
        self.current
    }

    pub(super) fn advance(&mut self, crc: Option<&mut crc32fast::Hasher>) -> Result<()> {
        let at = (self.next % BLOCK_KEYS as u64) as usize;
        let block = self.next / BLOCK_KEYS as u64 - self.first;
        if let Some(crc) = crc
            && (at + 1 == BLOCK_KEYS || self.next + 1 == self.entry.count)
        {
            let start = block as usize * BLOCK_LEN;
            crc.update(&self.blocks[start + BLOCK_LEN - 4..start + BLOCK_LEN]);
        }
        self.next += 1;
        if at + 1 < BLOCK_KEYS && self.next < self.entry.count {
            self.current = Some(key(&self.blocks[block as usize * BLOCK_LEN..], at + 1));
            return Ok(());
        }
        self.settle(Some(block + 1))
    }

    fn settle(&mut self, block: Option<u64>) -> Result<()> {
        if self.next >= self.entry.count {
            self.current = None;
            return Ok(());
        }
        let block = match block {
            Some(block) if (block as usize) < self.blocks.len() / BLOCK_LEN => block,
            _ => {
                self.first = self.next / BLOCK_KEYS as u64;
                let blocks = self.entry.count.div_ceil(BLOCK_KEYS as u64);
                let end = (self.first + STREAM_BLOCKS as u64).min(blocks);
                read_blocks(&mut *self.file, &self.path, self.entry.id, self.first, end, &mut self.blocks)?;
                0
            }
        };
        self.current = Some(key(&self.blocks[block as usize * BLOCK_LEN..], 0));
        Ok(())
    }
}

/// What is kept in memory of a run, built from its fingerprints in order.
#[derive(Debug)]
struct Index {
    plan: Plan,
    bloom: Bloom,
    fences: Vec<u128>,
    starts: Vec<u64>,
    added: u64,
    /// How many more the page takes.
    in_page: usize,
}

impl Index {
    fn new(sizes: &[u64], plan: Plan) -> Self {
        let mut starts = Vec::with_capacity(sizes.len() + 1);
        let mut total = 0;
        starts.push(0);
        for size in sizes {
            total += size;
            starts.push(total);
        }
        let pages = total.div_ceil((BLOCK_KEYS * plan.stride) as u64);
        let fences = Vec::with_capacity(pages as usize);
        Self { plan, bloom: Bloom::new(sizes, plan.bloom_bits), fences, starts, added: 0, in_page: 0 }
    }

    fn add(&mut self, fingerprint: u128) {
        if self.in_page == 0 {
            self.fences.push(fingerprint);
            self.in_page = BLOCK_KEYS * self.plan.stride;
        }
        self.in_page -= 1;
        self.added += 1;
        self.bloom.insert(self.plan.shard(fingerprint), mix(fingerprint));
    }

    fn into_run(
        self,
        entry: Entry,
        path: PathBuf,
        file: Box<dyn DiskFile>,
        unsynced: bool,
        mut cached: Vec<Option<(Shard, u64)>>,
    ) -> Run {
        cached.resize_with(self.plan.shards(), || None);
        let cached_bytes = cached.iter().flatten().map(|(keys, _)| keys.memory()).sum();
        Run {
            entry,
            path,
            file,
            plan: self.plan,
            bloom: self.bloom,
            fences: self.fences,
            starts: self.starts,
            cached,
            cached_bytes,
            unsynced,
            scratch: Vec::new(),
            pages: Vec::new(),
        }
    }
}

/// Writes a run from fingerprints in ascending order.
#[derive(Debug)]
pub(super) struct RunWriter {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    entry: Entry,
    index: Index,
    crc: crc32fast::Hasher,
    buffer: Vec<u8>,
    /// Fingerprints in the block being filled, and blocks done.
    in_block: usize,
    block: u64,
    last: Option<u128>,
    /// Whole shards that stay in memory, as long as they fit `room` bytes.
    cached: Vec<Option<(Shard, u64)>>,
    room: usize,
    now: u64,
}

impl RunWriter {
    /// Begins run `id`, which will hold exactly `sizes` fingerprints in each shard.
    pub(super) fn create(
        disk: &dyn Disk,
        directory: &Path,
        id: u64,
        sizes: &[u64],
        plan: Plan,
        room: usize,
        now: u64,
    ) -> Result<Self> {
        let path = run_path(directory, id);
        let count = sizes.iter().sum();
        let mut file = disk.create_new(&path).map_err(|cause| Error::io("creating", &path, cause))?;
        file.write_all(&header(id, count)).map_err(|cause| Error::io("writing", &path, cause))?;
        let mut room = room;
        let cached = sizes
            .iter()
            .map(|&size| {
                let bytes = Shard::memory_for(size);
                (size > 0 && bytes <= room).then(|| {
                    room -= bytes;
                    (Shard::new(size as usize), now)
                })
            })
            .collect();
        Ok(Self {
            file,
            path,
            entry: Entry { id, count, crc: 0 },
            index: Index::new(sizes, plan),
            crc: crc32fast::Hasher::new(),
            buffer: Vec::with_capacity(STREAM_BLOCKS * BLOCK_LEN),
            in_block: 0,
            block: 0,
            last: None,
            cached,
            room,
            now,
        })
    }

    pub(super) fn push(&mut self, fingerprint: u128) -> Result<()> {
        if self.last.is_some_and(|last| last >= fingerprint) {
            // Runs are disjoint; that two hold the same shows that one of them is not what was written.
            return Err(damaged(&self.path, "would hold a fingerprint twice"));
        }
        self.last = Some(fingerprint);
        self.index.add(fingerprint);
        if let Some((keys, _)) =
            self.cached.get_mut(self.index.plan.shard(fingerprint)).and_then(Option::as_mut)
        {
            keys.push(fingerprint);
        }
        self.buffer.extend_from_slice(&fingerprint.to_le_bytes());
        self.in_block += 1;
        if self.in_block == BLOCK_KEYS {
            self.end_block()?;
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<()> {
        let start = self.block as usize % STREAM_BLOCKS * BLOCK_LEN;
        self.buffer.resize(start + KEYS_LEN, 0);
        self.buffer.extend_from_slice(&(self.in_block as u32).to_le_bytes());
        self.buffer.extend_from_slice(&(self.entry.id as u32).to_le_bytes());
        self.buffer.extend_from_slice(&(self.block as u32).to_le_bytes());
        let crc = crc32fast::hash(&self.buffer[start..]).to_le_bytes();
        self.buffer.extend_from_slice(&crc);
        self.crc.update(&crc);
        self.in_block = 0;
        self.block += 1;
        if self.buffer.len() == STREAM_BLOCKS * BLOCK_LEN {
            self.write_out()?;
        }
        Ok(())
    }

    fn write_out(&mut self) -> Result<()> {
        self.file.write_all(&self.buffer).map_err(|cause| Error::io("writing", &self.path, cause))?;
        self.buffer.clear();
        Ok(())
    }

    /// The run, complete but not yet durable.
    pub(super) fn finish(mut self) -> Result<Run> {
        if self.in_block > 0 {
            self.end_block()?;
        }
        self.write_out()?;
        if self.index.added != self.entry.count {
            return Err(Error::new(
                Code::Internal,
                format!("{} got another count than planned", self.path.display()),
            ));
        }
        self.entry.crc = self.crc.finalize();
        debug_assert!(self.room < usize::MAX && self.now < u64::MAX);
        Ok(self.index.into_run(self.entry, self.path, self.file, true, self.cached))
    }
}
