//! Takes out of a record the orthos that are known already.
//!
//! A record is looked through along its operations: with each edge of a cube the texts are narrowed down that have
//! everything so far, and as soon as none is left, what lies above need not be looked at. Cost: for a record that shares
//! nothing with other texts hardly more than reading its numbers; one that does is written anew, in the same groups.

use super::cubes::{CubesDecoder, CubesRecord, Edge, Step, ears_part};
use super::list::{ListDecoder, ListRecord};
use super::varint::get;
use super::{Known, Rank, Ranks, kind};
use crate::text::Token;

/// What is taken out of records.
#[derive(Debug)]
pub struct Filter<'a> {
    /// Tells what is known.
    pub known: &'a dyn Known,
    /// Known by one of these texts.
    pub among: u8,
}

/// What is left of a record.
#[derive(Debug)]
pub(super) enum Filtered {
    /// The record as it is.
    Whole,
    /// Another record.
    Part(Vec<u8>),
    /// No ortho.
    Nothing,
}

/// An edge with its number in a table of the record, and the texts that have it in its place.
#[derive(Debug, Clone, Copy, Default)]
struct Masked {
    number: u32,
    edge: Edge,
    mask: u8,
}

impl Filter<'_> {
    /// Looks a record through. `None` if it makes no sense.
    pub(super) fn apply(
        &self,
        record: &[u8],
        ranks: &Ranks,
        removed: &mut dyn FnMut(&[u32], &[Rank]),
    ) -> Option<Filtered> {
        let mut at = 1;
        let kind = *record.first()?;
        let count = get(record, &mut at)?;
        let pass = Pass { filter: self, ranks };
        match kind {
            kind::LIST => pass.list(record, at, count, removed),
            kind::SQUARES | kind::CUBES | kind::TESSERACTS | kind::TURNED => {
                if !pass.cubes(kind, record, at, &mut None, removed)? {
                    return Some(Filtered::Whole);
                }
                let mut part = Some(CubesRecord::default());
                let mut left = u64::from(count);
                pass.cubes(kind, record, at, &mut part, &mut |dims, cells| {
                    left = left.wrapping_sub(1);
                    removed(dims, cells);
                })?;
                if left > u64::from(count) {
                    return None;
                }
                let mut part = part?;
                part.count = left;
                Some(part.take(kind).map_or(Filtered::Nothing, Filtered::Part))
            }
            _ => None,
        }
    }
}

/// The axes along which edges of a record stand beside each other, by their bits in `flips`.
const NODE: u8 = 0;
const THIRD: u8 = 1;
const TOP: u8 = 2;

struct Pass<'a> {
    filter: &'a Filter<'a>,
    ranks: &'a Ranks,
}

impl Pass<'_> {
    fn token(&self, rank: Rank) -> Option<Token> {
        self.ranks.get(rank)
    }

    /// The texts of `mask` that have the bigram.
    #[inline]
    fn bigram(&self, mask: u8, a: Rank, b: Rank) -> Option<u8> {
        if mask == 0 {
            return Some(0);
        }
        Some(mask & self.filter.known.bigram(self.token(a)?, self.token(b)?))
    }

    /// The texts of `mask` that have the edge.
    fn edge(&self, mask: u8, edge: Edge) -> Option<u8> {
        self.bigram(mask, edge[0], edge[1])
    }

    /// The texts of `mask` that have the arc from `low` to `high`.
    fn arc(&self, mask: u8, low: Edge, high: Edge) -> Option<u8> {
        let mask = self.bigram(mask, low[0], high[0])?;
        self.bigram(mask, low[1], high[1])
    }

    /// The same for edges of a record of which the far one is further along an axis, as the record sees it.
    fn along(&self, flips: u8, axis: u8, mask: u8, near: Edge, far: Edge) -> Option<u8> {
        if flips >> axis & 1 == 0 { self.arc(mask, near, far) } else { self.arc(mask, far, near) }
    }

    fn list(
        &self,
        record: &[u8],
        mut at: usize,
        count: u32,
        removed: &mut dyn FnMut(&[u32], &[Rank]),
    ) -> Option<Filtered> {
        let mut list = ListDecoder::new(record, &mut at, count)?;
        let mut part = ListRecord::new(&list.dims);
        let mut tokens = vec![];
        let mut left = 0;
        while list.next(record, &mut at)? {
            tokens.clear();
            for &rank in &list.cells {
                tokens.push(self.token(rank)?);
            }
            if self.filter.known.ortho(&list.dims, &tokens, self.filter.among) == 0 {
                part.push(&list.cells);
                left += 1;
            } else {
                removed(&list.dims, &list.cells);
            }
        }
        if left == count {
            return Some(Filtered::Whole);
        }
        Some(part.take().map_or(Filtered::Nothing, Filtered::Part))
    }

    /// Goes through a record of cubes. Without `part`, says at the first known ortho that there is one. With it, writes all
    /// others there and shows the known ones to `removed`.
    fn cubes(
        &self,
        kind: u8,
        record: &[u8],
        mut at: usize,
        part: &mut Option<CubesRecord>,
        removed: &mut dyn FnMut(&[u32], &[Rank]),
    ) -> Option<bool> {
        let mut decoder = CubesDecoder::new(kind, record, &mut at)?;
        let (kind, flips) = (decoder.kind, decoder.flips);
        if let Some(part) = part {
            part.flips = flips;
        }
        let along = |axis, mask, near, far| self.along(flips, axis, mask, near, far);
        let dims = [2; 4];
        let dims = &dims[..usize::from(kind)];
        let (mut origin, mut node, mut mid, mut top) =
            (Masked::default(), Masked::default(), Masked::default(), Masked::default());
        let (mut left, mut right): (Vec<Masked>, Vec<Masked>) = (vec![], vec![]);
        let mut blocks: Vec<((u32, Edge), u64, u64)> = vec![];
        let mut kept: Vec<(u32, Edge)> = vec![];
        loop {
            match decoder.operation(record, &mut at)? {
                Step::End => return Some(false),
                Step::Unit(edge) => {
                    let mask = self.edge(self.filter.among, edge)?;
                    origin = Masked { number: 0, edge, mask };
                    if let Some(part) = part {
                        part.unit(edge);
                    }
                    if kind != kind::SQUARES {
                        continue;
                    }
                    kept.clear();
                    for x in decoder.squares(record, &mut at)? {
                        if self.arc(self.edge(mask, x)?, edge, x)? == 0 {
                            kept.push((0, x));
                        } else if part.is_some() {
                            removed(dims, [edge, x].as_flattened());
                        } else {
                            return Some(true);
                        }
                    }
                    if let Some(part) = part {
                        part.squares(kept.iter().map(|x| x.1));
                    }
                }
                Step::Node((number, edge)) => {
                    let mask = along(NODE, self.edge(origin.mask, edge)?, origin.edge, edge)?;
                    node = Masked { number, edge, mask };
                    if let Some(part) = part {
                        part.node((number, edge));
                    }
                }
                Step::Mid(edge) => {
                    let mask = along(THIRD, self.edge(node.mask, edge)?, node.edge, edge)?;
                    mid = Masked { number: 0, edge, mask };
                    if let Some(part) = part {
                        part.mid(edge);
                    }
                    if kind != kind::CUBES {
                        continue;
                    }
                    kept.clear();
                    for (number, x) in decoder.thirds(record, &mut at)? {
                        let mask = self.arc(self.edge(mask, x)?, origin.edge, x)?;
                        if self.arc(mask, x, edge)? == 0 {
                            kept.push((number, x));
                        } else if part.is_some() {
                            removed(dims, [origin.edge, node.edge, x, edge].as_flattened());
                        } else {
                            return Some(true);
                        }
                    }
                    if let Some(part) = part {
                        part.third_axes(kept.iter().copied());
                    }
                }
                Step::Top((number, edge), ears) => {
                    let mask = along(TOP, self.edge(mid.mask, edge)?, origin.edge, edge)?;
                    top = Masked { number, edge, mask };
                    let over = |mask, ear| along(NODE, along(TOP, mask, node.edge, ear)?, edge, ear);
                    self.ears(ears, mask, over, &mut left)?;
                    if let Some(part) = part {
                        part.top((top.number, edge), left.iter().map(|ear| (ear.number, ear.edge)));
                    }
                }
                Step::Ears((number, edge), ears, count) => {
                    let mask = along(THIRD, self.edge(top.mask, edge)?, origin.edge, edge)?;
                    let mask = along(NODE, mask, edge, mid.edge)?;
                    let third = Masked { number, edge, mask };
                    let over = |mask, ear| along(THIRD, along(TOP, mask, edge, ear)?, top.edge, ear);
                    self.ears(ears, mask, over, &mut right)?;
                    blocks.clear();
                    for _ in 0..count {
                        let (n, lefts, rights) = decoder.read_block(record, &mut at)?;
                        let known = self.block([mid, third], n.1, [&left, &right], [lefts, rights], flips)?;
                        let Some(known) = known else {
                            blocks.push((n, lefts, rights));
                            continue;
                        };
                        if part.is_none() {
                            return Some(true);
                        }
                        for (f, olds) in known.iter().enumerate() {
                            for h in bits(*olds) {
                                let parts = [
                                    origin.edge,
                                    node.edge,
                                    edge,
                                    mid.edge,
                                    top.edge,
                                    left[h].edge,
                                    right[f].edge,
                                    n.1,
                                ];
                                let turned: [Edge; 8] =
                                    std::array::from_fn(|i| parts[i ^ usize::from(flips)]);
                                removed(dims, turned.as_flattened());
                            }
                        }
                        split(lefts, rights, |f| known[f], |lefts, rights| blocks.push((n, lefts, rights)));
                    }
                    if let Some(part) = part {
                        let ears = right.iter().map(|ear| (ear.number, ear.edge));
                        part.ears((third.number, edge), ears, blocks.len());
                        for &(n, lefts, rights) in &blocks {
                            part.block(n, (lefts, left.len()), (rights, right.len()));
                        }
                    }
                }
            }
        }
    }

    /// Ears, with the texts of `mask` that have them where they are.
    fn ears(
        &self,
        ears: Vec<(u32, Edge)>,
        mask: u8,
        over: impl Fn(u8, Edge) -> Option<u8>,
        to: &mut Vec<Masked>,
    ) -> Option<()> {
        to.clear();
        for (number, edge) in ears {
            to.push(Masked { number, edge, mask: over(self.edge(mask, edge)?, edge)? });
        }
        Some(())
    }

    /// For each right ear of a block the left ears with which it is known; `Some(None)` if there are none.
    fn block(
        &self,
        [mid, third]: [Masked; 2],
        n: Edge,
        [left, right]: [&[Masked]; 2],
        [lefts, rights]: [u64; 2],
        flips: u8,
    ) -> Option<Option<[u64; 64]>> {
        if third.mask == 0 {
            return Some(None);
        }
        let mask = self.along(flips, TOP, self.edge(third.mask, n)?, mid.edge, n)?;
        if mask == 0 {
            return Some(None);
        }
        let always = ears_part(flips);
        let mut masks = [0u8; 64];
        for h in bits(lefts) {
            masks[h] = self.along(flips, THIRD, mask & left[h].mask, left[h].edge, n)?;
        }
        let mut known = [0u64; 64];
        let mut any = false;
        for f in bits(rights) {
            let mask = self.along(flips, NODE, mask & right[f].mask, right[f].edge, n)?;
            for h in bits(lefts) {
                let (a, b) = (left[h].edge, right[f].edge);
                if masks[h] & mask != 0 && (always || a[0] != b[0] && a[1] != b[1]) {
                    known[f] |= 1 << h;
                    any = true;
                }
            }
        }
        Some(any.then_some(known))
    }
}

/// The places of the bits of a mask, ascending.
#[inline]
pub(crate) fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = mask.trailing_zeros() as usize;
        (mask != 0).then(|| {
            mask &= mask - 1;
            bit
        })
    })
}

/// Cuts a block of left and right ears into blocks without the pairs to leave out: for each right ear its left ones.
pub(crate) fn split(left: u64, right: u64, without: impl Fn(usize) -> u64, mut part: impl FnMut(u64, u64)) {
    let mut rest = right;
    while rest != 0 {
        let first = left & !without(rest.trailing_zeros() as usize);
        let alike = bits(rest).filter(|&f| left & !without(f) == first).fold(0, |mask, f| mask | 1 << f);
        rest &= !alike;
        if first != 0 {
            part(first, alike);
        }
    }
}
