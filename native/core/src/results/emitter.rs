//! Takes what a search finds, in the groups in which it finds it; codes, counts and hashes every ortho.
//!
//! One for each thread. Cost: what a group shares is coded and hashed once; each 2x2x2x2 costs two additions and the
//! finish of its hash. Memory: a record being filled for each kind, and what the canonical maps of the shapes take.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::cubes::{CubesRecord, Depth, Edge, Keyed};
use super::filter::bits;
use super::keys::CubeKeys;
use super::list::ListRecord;
use super::{Allowance, Known, Lane, RECORD_BYTES, Rank, Ranks, ResultsWriter, kind};
use crate::digest::{Lanes, OrthoHasher, SetTally, ShapeTally, WordHashes, add, finish, join};
use crate::error::{Code, Error, Result};
use crate::ortho::{Canonicalizer, Dims, Ortho, compare_optimal, fullness, volume};

/// What was found: how many of each shape, their hashes, and the best.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Counts and hash sums by shape.
    pub tally: SetTally,
    /// The optimal ortho among them.
    pub best: Option<Ortho>,
}

impl Found {
    /// Takes in what a disjoint part of the search found.
    pub fn merge(&mut self, other: Self) {
        self.tally.merge(&other.tally);
        if let Some(candidate) = other.best {
            self.offer(&candidate);
        }
    }

    /// What is in this and was not in `earlier`, an earlier state of it.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self { tally: self.tally.since(&earlier.tally), best: self.best.clone() }
    }

    /// Keeps the ortho if it is the best so far.
    pub fn offer(&mut self, candidate: &Ortho) {
        if self.best.as_ref().is_none_or(|best| compare_optimal(candidate, best) == Ordering::Greater) {
            self.best = Some(candidate.clone());
        }
    }
}

/// An edge that stands between an axis and the top of a 2x2x2x2: its number in the search and its words.
#[derive(Debug, Clone, Copy)]
pub struct Ear {
    /// The number that the search knows the edge by.
    pub id: u32,
    /// Its two words.
    pub edge: [Rank; 2],
}

/// One top edge with the left and right ears that it stands on.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// A number of the top edge that is unique above the current middle edge.
    pub key: u32,
    /// The top edge's number in the search.
    pub id: u32,
    /// Its two words.
    pub edge: [Rank; 2],
    /// Which of the left ears.
    pub left: u64,
    /// Which of the right ears.
    pub right: u64,
}

/// Lists are flushed together when they take more than this.
const LIST_BYTES: usize = 4 << 20;

/// A record's count has 32 bits, and one call adds at most 2^25 or so.
const RECORD_ORTHOS: u64 = 1 << 30;

/// See the [module](self).
#[derive(Debug)]
pub struct Emitter<'a> {
    ranks: &'a Ranks,
    words: &'a WordHashes,
    writer: &'a ResultsWriter,
    lane: Lane,
    axes: RangeInclusive<u32>,
    allowance: Option<&'a Allowance>,
    /// The number of the table of `ranks`.
    table: u32,
    /// What is not to be taken when it comes one by one.
    known: Option<&'a dyn Known>,
    keys: [CubeKeys; 3],
    /// Tallies of 2x2, 2x2x2 and 2x2x2x2.
    cubes: [ShapeTally; 3],
    records: [CubesRecord; 3],
    /// Records of 2x2x2x2 seen from other corners, by their flips.
    turned: [CubesRecord; 8],
    /// By order of the axes: what the edges that a group shares add to the hash.
    shared_sums: Vec<Option<Lanes>>,
    /// By grown dims: canonical dims and the record.
    lists: BTreeMap<Dims, (Dims, ListRecord)>,
    list_bytes: usize,
    found: Found,
    canonicalizer: Canonicalizer,
    hasher: OrthoHasher,
    ortho: Ortho,
    cells: Vec<u32>,
    // Where the search is.
    origin: Edge,
    xs: Vec<Edge>,
    node: u32,
    mid: Edge,
    top: u32,
    left: Vec<Ear>,
    left_sums: Vec<Lanes>,
}

const DIMS: [&[u32]; 3] = [&[2, 2], &[2, 2, 2], &[2, 2, 2, 2]];
const KINDS: [u8; 3] = [kind::SQUARES, kind::CUBES, kind::TESSERACTS];

impl<'a> Emitter<'a> {
    /// An emitter that writes to `writer`.
    #[must_use]
    pub fn new(ranks: &'a Ranks, words: &'a WordHashes, writer: &'a ResultsWriter) -> Self {
        Self {
            ranks,
            words,
            writer,
            lane: writer.lane(),
            axes: 2..=u32::MAX,
            allowance: None,
            table: 0,
            known: None,
            keys: [2, 3, 4].map(CubeKeys::new),
            cubes: Default::default(),
            records: Default::default(),
            turned: std::array::from_fn(|flips| CubesRecord::turned(flips as u8)),
            shared_sums: Vec::new(),
            lists: BTreeMap::new(),
            list_bytes: 0,
            found: Found::default(),
            canonicalizer: Canonicalizer::default(),
            hasher: OrthoHasher::default(),
            ortho: Ortho::default(),
            cells: Vec::new(),
            origin: [0; 2],
            xs: Vec::new(),
            node: 0,
            mid: [0; 2],
            top: 0,
            left: Vec::new(),
            left_sums: Vec::new(),
        }
    }

    /// Takes only orthos with so many axes, and no more than `allowance` has left; others with so many axes are
    /// passed over, and what is too much is refused with [`Code::LimitReached`].
    #[must_use]
    pub fn within(mut self, axes: RangeInclusive<u32>, allowance: Option<&'a Allowance>) -> Self {
        self.axes = axes;
        self.allowance = allowance;
        self
    }

    /// The same for ranks of the table with this number.
    #[must_use]
    pub fn with_table(self, table: u32) -> Self {
        Self { table, ..self }
    }

    /// The same, but what is known already is left out by [`single`](Self::single). Whoever gives groups leaves it out.
    #[must_use]
    pub fn without(self, known: Option<&'a dyn Known>) -> Self {
        Self { known, ..self }
    }

    /// What it writes on.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// How many of so many orthos with so many axes may be taken.
    #[inline]
    fn allowed(&self, axes: u32, wanted: usize) -> usize {
        if !self.axes.contains(&axes) {
            return 0;
        }
        self.allowance.map_or(wanted, |allowance| allowance.take(wanted as u64) as usize)
    }

    /// What to answer when `taken` of `wanted` orthos with so many axes were.
    #[inline]
    fn settle(&self, axes: u32, wanted: usize, taken: usize) -> Result<()> {
        if taken == wanted || !self.axes.contains(&axes) {
            return Ok(());
        }
        Err(Error::new(Code::LimitReached, "as many orthos as were asked for have been found"))
    }

    /// The number of orthos so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.found.tally.count() + self.cubes.iter().map(|t| t.count).sum::<u64>()
    }

    /// What was found so far.
    #[must_use]
    pub fn found(&self) -> Found {
        let mut found = self.found.clone();
        for (dims, tally) in DIMS.iter().zip(&self.cubes) {
            found.tally.add(dims, tally.count, tally.sum);
        }
        found
    }

    /// Writes what is still being collected.
    ///
    /// # Errors
    /// When a record cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        for i in 0..3 {
            self.flush_cubes(i)?;
        }
        for flips in 1..8 {
            self.flush_turned(flips)?;
        }
        self.flush_lists()
    }

    /// [Flushes](Self::flush) and gives the result.
    ///
    /// # Errors
    /// When a record cannot be written.
    pub fn finish(mut self) -> Result<Found> {
        self.flush()?;
        Ok(self.found())
    }

    /// One ortho in grown form (axes as added, first axis fastest).
    ///
    /// # Errors
    /// When a record cannot be written; so for all that take orthos.
    pub fn single(&mut self, dims: &[u32], cells: &[Rank]) -> Result<()> {
        let axes = dims.len() as u32;
        if !self.axes.contains(&axes) {
            return Ok(());
        }
        self.canonicalize(dims, cells);
        if self.known.is_some_and(|known| known.ortho(dims, &self.cells, u8::MAX) != 0) {
            return Ok(());
        }
        if self.allowed(axes, 1) == 0 {
            return self.settle(axes, 1, 0);
        }
        let hash = self.hasher.hash(self.words, &self.ortho);
        self.found.tally.add(&self.ortho.dims, 1, hash);
        self.found.offer(&self.ortho);
        if !self.lists.contains_key(dims) {
            self.lists.insert(dims.to_vec(), (self.ortho.dims.clone(), ListRecord::new(dims)));
        }
        if let Some((canonical, list)) = self.lists.get_mut(dims) {
            let before = list.len();
            list.push(cells);
            self.list_bytes += list.len() - before;
            if list.len() >= RECORD_BYTES {
                self.list_bytes -= list.len();
                if let Some(record) = list.take() {
                    self.writer.push(self.lane, canonical, self.table, &record)?;
                }
            }
        }
        if self.list_bytes > LIST_BYTES { self.flush_lists() } else { Ok(()) }
    }

    /// The search starts at an edge; `xs` are the second edges of the squares over it. Each square is an ortho, but
    /// only those for which `is_new` holds are taken.
    ///
    /// # Errors
    /// See [`single`](Self::single).
    pub fn unit(
        &mut self,
        origin: [Rank; 2],
        xs: &[[Rank; 2]],
        is_new: impl Fn(usize) -> bool,
    ) -> Result<()> {
        self.origin = origin;
        self.xs.clear();
        self.xs.extend((0..xs.len()).filter(|&i| is_new(i)).map(|i| xs[i]));
        let squares = self.squares(origin);
        self.xs.clear();
        self.xs.extend_from_slice(xs);
        squares
    }

    /// All squares over an edge with the second edges in `self.xs`.
    fn squares(&mut self, origin: [Rank; 2]) -> Result<()> {
        self.leave(Depth::Start);
        let taken = self.allowed(2, self.xs.len());
        let refused = self.settle(2, self.xs.len(), taken);
        let xs = &self.xs[..taken];
        for group in xs.chunks(RECORD_BYTES / 8) {
            self.records[0].unit(origin);
            self.records[0].squares(group.iter().copied());
            self.records[0].count += group.len() as u64;
            if self.records[0].body.len() >= RECORD_BYTES
                && let Some(record) = self.records[0].take(KINDS[0])
            {
                self.writer.push(self.lane, DIMS[0], self.table, &record)?;
            }
        }
        let [o, a] = origin.map(|r| self.ranks.token(r));
        for x in xs {
            let keys = self.keys[0].for_axes(&[a, self.ranks.token(x[0])]);
            let parts = [(0, origin), (2, *x)];
            let hash = finish(sum(self.words, self.ranks, keys, [0; 2], &parts));
            self.cubes[0].add(1, hash);
        }
        for i in 0..taken {
            let x = self.xs[i];
            if self.could_be_best(DIMS[0], o, &mut [a, self.ranks.token(x[0])]) {
                self.offer(DIMS[0], &[origin[0], origin[1], x[0], x[1]]);
            }
        }
        refused
    }

    /// The second axis: a place in `xs`.
    pub fn node(&mut self, q: u32) {
        self.node = q;
        self.leave(Depth::Unit);
    }

    /// An edge above the node and, for each of `thirds` (places in `xs`), above the third axis: each is a 2x2x2. There may
    /// be none.
    ///
    /// # Errors
    /// See [`single`](Self::single).
    pub fn mid(&mut self, m: [Rank; 2], thirds: &[u32]) -> Result<()> {
        self.mid = m;
        self.leave(Depth::Node);
        if thirds.is_empty() {
            return Ok(());
        }
        if self.records[1].body.len() >= RECORD_BYTES {
            self.flush_cubes(1)?;
        }
        let taken = self.allowed(3, thirds.len());
        let refused = self.settle(3, thirds.len(), taken);
        let thirds = &thirds[..taken];
        if thirds.is_empty() {
            return refused;
        }
        self.open(1, Depth::Mid);
        let Self { records, xs, .. } = self;
        records[1].third_axes(thirds.iter().map(|&r| (r, xs[r as usize])));
        records[1].count += thirds.len() as u64;

        let node = self.xs[self.node as usize];
        let [o, a] = self.origin.map(|r| self.ranks.token(r));
        let b = self.ranks.token(node[0]);
        for &r in thirds {
            let x = self.xs[r as usize];
            let keys = self.keys[1].for_axes(&[a, b, self.ranks.token(x[0])]);
            let parts = [(0, self.origin), (2, node), (4, x), (6, m)];
            let hash = finish(sum(self.words, self.ranks, keys, [0; 2], &parts));
            self.cubes[1].add(1, hash);
        }
        for &r in thirds {
            let x = self.xs[r as usize];
            if self.could_be_best(DIMS[1], o, &mut [a, b, self.ranks.token(x[0])]) {
                self.offer(DIMS[1], [self.origin, node, x, self.mid].as_flattened());
            }
        }
        refused
    }

    /// The fourth axis (a place in `xs`) with at most 64 edges above it and the node: the left ears.
    pub fn top(&mut self, s: u32, left: &[Ear]) {
        self.top = s;
        self.left.clear();
        self.left.extend_from_slice(left);
        self.leave(Depth::Mid);
    }

    /// The search has left what is deeper than `depth`.
    fn leave(&mut self, depth: Depth) {
        self.records.iter_mut().chain(&mut self.turned).for_each(|record| record.leave(depth));
    }

    /// For the third axis `r` with at most 64 right ears, the top edges with the ears below them. Every pair of a left
    /// ear and a right ear of a block that differ in both words is an ortho; `allowed[f]` are the left ears that may
    /// stand with right ear `f`, and each ear of a block's masks must have a partner. `each` sees every ortho as (left
    /// ear, right ear, block).
    ///
    /// # Errors
    /// See [`single`](Self::single).
    pub fn ears(
        &mut self,
        r: u32,
        right: &[Ear],
        allowed: &[u64],
        blocks: &[Block],
        mut each: impl FnMut(usize, usize, &Block),
    ) -> Result<()> {
        if !self.axes.contains(&4) {
            for block in blocks {
                for (h, f) in pairs(block, allowed) {
                    each(h, f, block);
                }
            }
            return Ok(());
        }
        let (blocks, refused) = match self.allowance {
            None => (Cow::Borrowed(blocks), Ok(())),
            Some(_) => {
                let wanted = blocks.iter().map(|block| pairs(block, allowed).count()).sum();
                let taken = self.allowed(4, wanted);
                let some = if taken < wanted { first(blocks, allowed, taken).into() } else { blocks.into() };
                (some, self.settle(4, wanted, taken))
            }
        };
        let blocks = &*blocks;
        if blocks.is_empty() {
            return refused;
        }
        if self.records[2].body.len() >= RECORD_BYTES || self.records[2].count >= RECORD_ORTHOS {
            self.flush_cubes(2)?;
        }
        self.open(2, Depth::Top);
        let record = &mut self.records[2];
        record.ears(keyed(&self.xs, r), right.iter().map(|e| (e.id, e.edge)), blocks.len());

        let node = self.xs[self.node as usize];
        let (x, top) = (self.xs[r as usize], self.xs[self.top as usize]);
        let token = |r: Rank| self.ranks.token(r);
        let mut units = [self.origin[1], node[0], x[0], top[0]].map(token);
        let keys = self.keys[2].for_axes(&units);
        let sum_of = |start, parts: &[(usize, Edge)]| sum(self.words, self.ranks, keys, start, parts);
        let base = sum_of([0; 2], &[(0, self.origin), (2, node), (4, x), (6, self.mid), (8, top)]);
        self.left_sums.clear();
        self.left_sums.extend(self.left.iter().map(|e| sum_of(base, &[(10, e.edge)])));
        let mut right_sums = [[0u64; 2]; 64];
        for (sums, e) in right_sums.iter_mut().zip(right) {
            *sums = sum_of([0; 2], &[(12, e.edge)]);
        }
        let (mut count, mut total) = (0u64, 0u128);
        for block in blocks {
            record.block((block.key, block.edge), (block.left, self.left.len()), (block.right, right.len()));
            let above = sum_of([0; 2], &[(14, block.edge)]);
            let mut fs = block.right;
            while fs != 0 {
                let f = fs.trailing_zeros() as usize;
                fs &= fs - 1;
                let half = join(above, right_sums[f]);
                let mut hs = block.left & allowed[f];
                count += u64::from(hs.count_ones());
                while hs != 0 {
                    let h = hs.trailing_zeros() as usize;
                    hs &= hs - 1;
                    total = total.wrapping_add(finish(join(half, self.left_sums[h])));
                    each(h, f, block);
                }
            }
        }
        record.count += count;
        self.cubes[2].add(count, total);
        let origin = self.ranks.token(self.origin[0]);
        if self.could_be_best(DIMS[2], origin, &mut units) {
            self.offer_all(x, right, allowed, blocks);
        }
        refused
    }

    /// The search looks from an edge on which it has cubes on both sides; `xs` are the edges beside it. None of them is
    /// taken as an ortho.
    pub fn corner(&mut self, origin: [Rank; 2], xs: impl Iterator<Item = [Rank; 2]>) {
        self.origin = origin;
        self.xs.clear();
        self.xs.extend(xs);
        self.leave(Depth::Start);
    }

    /// [`ears`](Self::ears) for cubes that are seen from another corner than their origin: each edge is at its place with
    /// these bits turned over (1 node, 2 third axis, 4 top). `allowed` must hold whenever one ear is two shells above the
    /// other.
    ///
    /// # Errors
    /// See [`single`](Self::single).
    pub fn turned_ears(
        &mut self,
        flips: u8,
        r: u32,
        right: &[Ear],
        allowed: &[u64],
        blocks: &[Block],
    ) -> Result<()> {
        if flips == 0 {
            return self.ears(r, right, allowed, blocks, |_, _, _| {});
        }
        let wanted = blocks.iter().map(|block| pairs(block, allowed).count()).sum();
        let taken = self.allowed(4, wanted);
        let refused = self.settle(4, wanted, taken);
        let some;
        let blocks = if taken < wanted {
            some = first(blocks, allowed, taken);
            &some[..]
        } else {
            blocks
        };
        if blocks.is_empty() {
            return refused;
        }
        let record = &self.turned[usize::from(flips)];
        if record.body.len() >= RECORD_BYTES || record.count >= RECORD_ORTHOS {
            self.flush_turned(flips)?;
        }
        let node = (self.node, self.xs[self.node as usize]);
        let top = (self.top, self.xs[self.top as usize]);
        let third = (r, self.xs[r as usize]);
        let record = &mut self.turned[usize::from(flips)];
        if record.depth < Depth::Unit {
            record.unit(self.origin);
        }
        if record.depth < Depth::Node {
            record.node(node);
        }
        if record.depth < Depth::Mid {
            record.mid(self.mid);
        }
        if record.depth < Depth::Top {
            record.top(top, self.left.iter().map(|e| (e.id, e.edge)));
        }
        record.ears(third, right.iter().map(|e| (e.id, e.edge)), blocks.len());
        record.count += taken as u64;
        for block in blocks {
            record.block((block.key, block.edge), (block.left, self.left.len()), (block.right, right.len()));
        }

        let turned = usize::from(flips);
        let mut parts = [self.origin, node.1, third.1, self.mid, top.1, [0; 2], [0; 2], [0; 2]];
        let may_be_best = self
            .found
            .best
            .as_ref()
            .is_none_or(|best| (best.volume(), best.fullness()) <= (volume(DIMS[2]), fullness(DIMS[2])));
        self.shared_sums.clear();
        self.shared_sums.resize(1 << 6, None);
        let mut total = 0u128;
        for block in blocks {
            parts[7] = block.edge;
            for (h, f) in pairs(block, allowed) {
                parts[5] = self.left[h].edge;
                parts[6] = right[f].edge;
                let origin = parts[turned];
                let units = [origin[1], parts[turned ^ 1][0], parts[turned ^ 2][0], parts[turned ^ 4][0]];
                let code = CubeKeys::code(&units.map(|r| self.ranks.token(r)));
                let keys = self.keys[2].of_code(code);
                let sum_of = |start, range: std::ops::Range<usize>| {
                    range.fold(start, |s, i| {
                        sum(self.words, self.ranks, keys, s, &[((i ^ turned) * 2, parts[i])])
                    })
                };
                let shared = *self.shared_sums[code].get_or_insert_with(|| sum_of([0; 2], 0..5));
                total = total.wrapping_add(finish(sum_of(shared, 5..8)));
                if may_be_best {
                    let cells: [Edge; 8] = std::array::from_fn(|i| parts[i ^ turned]);
                    self.offer(DIMS[2], cells.as_flattened());
                }
            }
        }
        self.cubes[2].add(taken as u64, total);
        refused
    }

    /// Offers every ortho of a call of [`ears`](Self::ears).
    fn offer_all(&mut self, x: Edge, right: &[Ear], allowed: &[u64], blocks: &[Block]) {
        let (node, top) = (self.xs[self.node as usize], self.xs[self.top as usize]);
        for block in blocks {
            for (f, ear) in right.iter().enumerate().filter(|(f, _)| block.right >> f & 1 == 1) {
                for h in (0..self.left.len()).filter(|h| block.left & allowed[f] & (1 << h) != 0) {
                    let parts =
                        [self.origin, node, x, self.mid, top, self.left[h].edge, ear.edge, block.edge];
                    self.offer(DIMS[2], parts.as_flattened());
                }
            }
        }
    }

    /// Writes the operations down to `depth` that the record does not have yet.
    fn open(&mut self, i: usize, depth: Depth) {
        let record = &mut self.records[i];
        if record.depth < Depth::Unit {
            record.unit(self.origin);
        }
        if record.depth < Depth::Node {
            record.node(keyed(&self.xs, self.node));
        }
        if record.depth < Depth::Mid || depth == Depth::Mid {
            record.mid(self.mid);
        }
        if depth == Depth::Top && record.depth < Depth::Top {
            record.top(keyed(&self.xs, self.top), self.left.iter().map(|e| (e.id, e.edge)));
        }
    }

    fn flush_cubes(&mut self, i: usize) -> Result<()> {
        match self.records[i].take(KINDS[i]) {
            Some(record) => self.writer.push(self.lane, DIMS[i], self.table, &record),
            None => Ok(()),
        }
    }

    fn flush_turned(&mut self, flips: u8) -> Result<()> {
        match self.turned[usize::from(flips)].take(kind::TURNED) {
            Some(record) => self.writer.push(self.lane, DIMS[2], self.table, &record),
            None => Ok(()),
        }
    }

    fn flush_lists(&mut self) -> Result<()> {
        self.list_bytes = 0;
        for (canonical, list) in self.lists.values_mut() {
            if let Some(record) = list.take() {
                self.writer.push(self.lane, canonical, self.table, &record)?;
            }
        }
        self.lists.clear();
        Ok(())
    }

    fn canonicalize(&mut self, dims: &[u32], cells: &[Rank]) {
        self.cells.clear();
        self.cells.extend(cells.iter().map(|&r| self.ranks.token(r)));
        self.canonicalizer.canonicalize(dims, &self.cells, &mut self.ortho);
    }

    /// Whether a cube with this origin and these unit tokens (in any order) could be better than the best so far.
    fn could_be_best(&self, dims: &[u32], origin: u32, units: &mut [u32]) -> bool {
        let Some(best) = &self.found.best else { return true };
        match (volume(dims), fullness(dims)).cmp(&(best.volume(), best.fullness())) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => {
                units.sort_unstable();
                let first = std::iter::once(&origin).chain(&*units);
                best.dims != dims || first.le(&best.tokens[..=units.len()])
            }
        }
    }

    fn offer(&mut self, dims: &[u32], cells: &[Rank]) {
        self.canonicalize(dims, cells);
        self.found.offer(&self.ortho);
    }
}

/// The orthos of a block as (left ear, right ear).
fn pairs<'b>(block: &'b Block, allowed: &'b [u64]) -> impl Iterator<Item = (usize, usize)> + use<'b> {
    bits(block.right).flat_map(move |f| bits(block.left & allowed[f]).map(move |h| (h, f)))
}

/// Blocks with the first so many orthos of these.
fn first(blocks: &[Block], allowed: &[u64], orthos: usize) -> Vec<Block> {
    let single = |block: &Block, h: usize, f: usize| Block { left: 1 << h, right: 1 << f, ..*block };
    let all = blocks.iter().flat_map(|block| pairs(block, allowed).map(move |(h, f)| single(block, h, f)));
    all.take(orthos).collect()
}

fn keyed(xs: &[Edge], place: u32) -> Keyed {
    (place, xs[place as usize])
}

/// `start` and what the edges at these grown places add to the hash.
#[inline]
fn sum(words: &WordHashes, ranks: &Ranks, keys: &[Lanes], start: Lanes, parts: &[(usize, Edge)]) -> Lanes {
    parts.iter().fold(start, |s, &(place, edge)| {
        let s = add(s, keys[place], words.of(ranks.token(edge[0])));
        add(s, keys[place + 1], words.of(ranks.token(edge[1])))
    })
}
