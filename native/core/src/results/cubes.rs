//! Records of cubes: written as the search finds them, in groups that share most of their cells.
//!
//! A cube of n axes is a cube of n - 1 axes whose cells are *edges* (bigrams), since the first axis of every cube is an
//! edge itself. So, all numbers varints except masks:
//!
//! ```text
//! record   kind (2, 3, 4 or 5) | orthos | in kind 5: flips | operations to the end
//! 1 UNIT   o a                    the first edge; forgets everything below
//!   in kind 2: count, then for each square its second edge (2 ranks)
//! 2 NODE   X                      the edge above o a on the second axis; forgets MID and below
//! 3 MID    m0 m1                  an edge above X on the third axis; forgets the M and N tables and TOP
//!   in kind 3: count, then for each cube the X whose third axis it is
//! 4 TOP    X, count, M ...        kind 4: the edge of the fourth axis, and the left ears (above NODE and TOP)
//! 5 EARS   X, count, M ..., blocks: an edge of the third axis (below MID), the right ears (above it and TOP); then for
//!   each block N (the edge above MID and both ears), mask of left ears, mask of right ears (each 1 bit an ear, low
//!   first, in as many bytes as its list needs). Every pair of a left and a right ear of a block that differ in both
//!   words is an ortho.
//! ```
//!
//! `X`, `M` and `N` are places in tables: 0 means "the next new one", followed by its 2 ranks; i + 1 the i-th one.
//! X is forgotten by UNIT, M and N by MID. Cells of a 2x2x2x2, first axis fastest: o a, NODE, X of EARS, MID, X of TOP,
//! left ear, right ear, N.
//!
//! Kind 5 is kind 4 seen from another corner: an edge that the operations put at a place of these eight is at that place
//! with the bits of `flips` turned over. Ears of which one is two shells above the other need not differ.

use super::varint::{get, put};
use super::{Rank, kind};

/// A bigram: what the search calls an edge.
pub(super) type Edge = [Rank; 2];

/// Operations of a record.
mod op {
    pub(super) const UNIT: u8 = 1;
    pub(super) const NODE: u8 = 2;
    pub(super) const MID: u8 = 3;
    pub(super) const TOP: u8 = 4;
    pub(super) const EARS: u8 = 5;
}

/// The places that keys (edge numbers of the search) have in a table of the record.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// For each key the epoch in which its place is valid, and the place.
    places: Vec<(u32, u32)>,
    epoch: u32,
    len: u32,
}

impl Table {
    fn clear(&mut self) {
        self.len = 0;
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.places.clear();
            self.epoch = 1;
        }
    }

    #[inline]
    fn put(&mut self, out: &mut Vec<u8>, key: u32, edge: Edge) {
        let key = key as usize;
        if key >= self.places.len() {
            self.places.resize((key + 1).next_power_of_two(), (0, 0));
        }
        let place = &mut self.places[key];
        if place.0 == self.epoch {
            put(out, place.1 + 1);
        } else {
            *place = (self.epoch, self.len);
            self.len += 1;
            out.push(0);
            put(out, edge[0]);
            put(out, edge[1]);
        }
    }
}

/// What has been written of the place where the search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Depth {
    /// Nothing.
    #[default]
    Start,
    /// UNIT.
    Unit,
    /// UNIT and NODE.
    Node,
    /// UNIT, NODE and MID.
    Mid,
    /// UNIT, NODE, MID and TOP.
    Top,
}

/// A record of cubes under construction. The caller opens operations from the outside in and says what the context is.
#[derive(Debug, Default)]
pub(super) struct CubesRecord {
    pub(super) body: Vec<u8>,
    pub(super) count: u64,
    pub(super) depth: Depth,
    /// Bits of the places of edges that are turned over.
    pub(super) flips: u8,
    xs: Table,
    ms: Table,
    ns: Table,
}

/// An edge with the number that the search knows it by.
pub(super) type Keyed = (u32, Edge);

impl CubesRecord {
    pub(super) fn turned(flips: u8) -> Self {
        Self { flips, ..Self::default() }
    }

    /// The search has left what is deeper than `depth`.
    pub(super) fn leave(&mut self, depth: Depth) {
        self.depth = self.depth.min(depth);
    }

    pub(super) fn unit(&mut self, origin: Edge) {
        self.body.push(op::UNIT);
        put(&mut self.body, origin[0]);
        put(&mut self.body, origin[1]);
        self.xs.clear();
        self.depth = Depth::Unit;
    }

    pub(super) fn squares(&mut self, edges: impl ExactSizeIterator<Item = Edge>) {
        put(&mut self.body, edges.len() as u32);
        for edge in edges {
            put(&mut self.body, edge[0]);
            put(&mut self.body, edge[1]);
        }
    }

    pub(super) fn node(&mut self, x: Keyed) {
        self.body.push(op::NODE);
        self.xs.put(&mut self.body, x.0, x.1);
        self.depth = Depth::Node;
    }

    pub(super) fn mid(&mut self, m: Edge) {
        self.body.push(op::MID);
        put(&mut self.body, m[0]);
        put(&mut self.body, m[1]);
        self.ms.clear();
        self.ns.clear();
        self.depth = Depth::Mid;
    }

    pub(super) fn third_axes(&mut self, xs: impl ExactSizeIterator<Item = Keyed>) {
        put(&mut self.body, xs.len() as u32);
        for (key, edge) in xs {
            self.xs.put(&mut self.body, key, edge);
        }
    }

    pub(super) fn top(&mut self, x: Keyed, ears: impl ExactSizeIterator<Item = Keyed>) {
        self.body.push(op::TOP);
        self.ears_of(x, ears);
        self.depth = Depth::Top;
    }

    pub(super) fn ears(&mut self, x: Keyed, ears: impl ExactSizeIterator<Item = Keyed>, blocks: usize) {
        self.body.push(op::EARS);
        self.ears_of(x, ears);
        put(&mut self.body, blocks as u32);
    }

    fn ears_of(&mut self, x: Keyed, ears: impl ExactSizeIterator<Item = Keyed>) {
        self.xs.put(&mut self.body, x.0, x.1);
        put(&mut self.body, ears.len() as u32);
        for (key, edge) in ears {
            self.ms.put(&mut self.body, key, edge);
        }
    }

    #[inline]
    pub(super) fn block(&mut self, n: Keyed, left: (u64, usize), right: (u64, usize)) {
        self.ns.put(&mut self.body, n.0, n.1);
        for (mask, bits) in [left, right] {
            self.body.extend_from_slice(&mask.to_le_bytes()[..bits.div_ceil(8)]);
        }
    }

    /// The record's bytes; what follows starts a new one. `None` if it is empty.
    pub(super) fn take(&mut self, kind: u8) -> Option<Vec<u8>> {
        self.depth = Depth::Start;
        if self.count == 0 {
            self.body.clear();
            return None;
        }
        let mut record = Vec::with_capacity(self.body.len() + 12);
        if self.flips == 0 {
            record.push(kind);
            put(&mut record, self.count as u32);
        } else {
            record.push(kind::TURNED);
            put(&mut record, self.count as u32);
            put(&mut record, u32::from(self.flips));
        }
        record.append(&mut self.body);
        self.count = 0;
        Some(record)
    }
}

/// Expands a record of cubes.
#[derive(Debug, Default)]
pub(super) struct CubesDecoder {
    /// 2, 3 or 4: how many axes.
    pub(super) kind: u8,
    pub(super) flips: u8,
    depth: Depth,
    origin: Edge,
    xs: Vec<Edge>,
    ms: Vec<Edge>,
    ns: Vec<Edge>,
    node: Edge,
    mid: Edge,
    top: Edge,
    left: Vec<Edge>,
    right_axis: Edge,
    right: Vec<Edge>,
    blocks: u32,
    /// The lengths of the ears' lists, for [`operation`](Self::operation).
    left_len: usize,
    right_len: usize,
}

fn edge(bytes: &[u8], at: &mut usize) -> Option<Edge> {
    Some([get(bytes, at)?, get(bytes, at)?])
}

fn entry(table: &mut Vec<Edge>, bytes: &[u8], at: &mut usize) -> Option<Edge> {
    match get(bytes, at)? {
        0 => {
            let new = edge(bytes, at)?;
            table.push(new);
            Some(new)
        }
        place => table.get(place as usize - 1).copied(),
    }
}

/// Whether the ears of a turned record are two shells apart, so that any two go together.
pub(super) fn ears_part(flips: u8) -> bool {
    flips & 1 != flips >> 1 & 1
}

/// Masks are 64 bits wide.
const MAX_EARS: usize = 64;

fn ears(table: &mut Vec<Edge>, list: &mut Vec<Edge>, bytes: &[u8], at: &mut usize) -> Option<()> {
    let count = get(bytes, at)? as usize;
    if count > MAX_EARS {
        return None;
    }
    list.clear();
    for _ in 0..count {
        list.push(entry(table, bytes, at)?);
    }
    Some(())
}

/// An operation of a record.
#[derive(Debug)]
pub(super) enum Step {
    /// The record's proper end.
    End,
    /// UNIT: the origin; in kind 2 [`CubesDecoder::squares`] come next.
    Unit(Edge),
    /// NODE.
    Node(Keyed),
    /// MID; in kind 3 [`CubesDecoder::thirds`] come next.
    Mid(Edge),
    /// TOP, and the left ears.
    Top(Keyed, Vec<Keyed>),
    /// EARS: the third axis, the right ears, and how many [blocks](CubesDecoder::read_block) come next.
    Ears(Keyed, Vec<Keyed>, u32),
}

fn numbered(table: &mut Vec<Edge>, bytes: &[u8], at: &mut usize) -> Option<Keyed> {
    match get(bytes, at)? {
        0 => {
            let new = edge(bytes, at)?;
            table.push(new);
            Some((table.len() as u32 - 1, new))
        }
        place => Some((place - 1, *table.get(place as usize - 1)?)),
    }
}

fn numbered_list(table: &mut Vec<Edge>, bytes: &[u8], at: &mut usize, most: usize) -> Option<Vec<Keyed>> {
    let count = get(bytes, at)? as usize;
    if count > most {
        return None;
    }
    (0..count).map(|_| numbered(table, bytes, at)).collect()
}

fn mask(bytes: &[u8], at: &mut usize, bits: usize) -> Option<u64> {
    let len = bits.div_ceil(8);
    let mut whole = [0; 8];
    whole[..len].copy_from_slice(bytes.get(*at..*at + len)?);
    *at += len;
    let mask = u64::from_le_bytes(whole);
    (bits == 64 || mask >> bits == 0).then_some(mask)
}

impl CubesDecoder {
    /// For a record of this kind; reads what stands before the operations.
    pub(super) fn new(kind: u8, bytes: &[u8], at: &mut usize) -> Option<Self> {
        if kind != kind::TURNED {
            return Some(Self { kind, ..Self::default() });
        }
        let flips = get(bytes, at)?;
        (1..8).contains(&flips).then(|| Self {
            kind: kind::TESSERACTS,
            flips: flips as u8,
            ..Self::default()
        })
    }

    /// Reads the next operation without expanding anything, with the numbers that edges have in the record's tables.
    /// Not to be mixed with [`step`](Self::step).
    pub(super) fn operation(&mut self, bytes: &[u8], at: &mut usize) -> Option<Step> {
        let Some(&operation) = bytes.get(*at) else { return Some(Step::End) };
        *at += 1;
        Some(match operation {
            op::UNIT => {
                self.xs.clear();
                self.depth = Depth::Unit;
                Step::Unit(edge(bytes, at)?)
            }
            op::NODE if self.depth >= Depth::Unit => {
                self.depth = Depth::Node;
                Step::Node(numbered(&mut self.xs, bytes, at)?)
            }
            op::MID if self.depth >= Depth::Node => {
                self.ms.clear();
                self.ns.clear();
                self.depth = Depth::Mid;
                Step::Mid(edge(bytes, at)?)
            }
            op::TOP if self.depth >= Depth::Mid && self.kind == kind::TESSERACTS => {
                let x = numbered(&mut self.xs, bytes, at)?;
                let ears = numbered_list(&mut self.ms, bytes, at, MAX_EARS)?;
                self.left_len = ears.len();
                self.depth = Depth::Top;
                Step::Top(x, ears)
            }
            op::EARS if self.depth >= Depth::Top => {
                let x = numbered(&mut self.xs, bytes, at)?;
                let ears = numbered_list(&mut self.ms, bytes, at, MAX_EARS)?;
                self.right_len = ears.len();
                Step::Ears(x, ears, get(bytes, at)?)
            }
            _ => return None,
        })
    }

    /// The second edges of the squares of a UNIT.
    pub(super) fn squares(&self, bytes: &[u8], at: &mut usize) -> Option<Vec<Edge>> {
        (0..get(bytes, at)?).map(|_| edge(bytes, at)).collect()
    }

    /// The third axes of a MID.
    pub(super) fn thirds(&mut self, bytes: &[u8], at: &mut usize) -> Option<Vec<Keyed>> {
        numbered_list(&mut self.xs, bytes, at, usize::MAX)
    }

    /// A block: the edge above both, the left and the right ears.
    pub(super) fn read_block(&mut self, bytes: &[u8], at: &mut usize) -> Option<(Keyed, u64, u64)> {
        let n = numbered(&mut self.ns, bytes, at)?;
        Some((n, mask(bytes, at, self.left_len)?, mask(bytes, at, self.right_len)?))
    }

    /// Expands the next operation or block: appends orthos of 2^kind cells, first axis fastest. `Some(false)` at the
    /// proper end, `None` if the bytes make no sense.
    pub(super) fn step(&mut self, bytes: &[u8], at: &mut usize, out: &mut Vec<Rank>) -> Option<bool> {
        if self.blocks > 0 {
            self.blocks -= 1;
            self.block(bytes, at, out)?;
            return Some(true);
        }
        let Some(&operation) = bytes.get(*at) else { return Some(false) };
        *at += 1;
        match operation {
            op::UNIT => {
                self.origin = edge(bytes, at)?;
                self.xs.clear();
                self.depth = Depth::Unit;
                if self.kind == kind::SQUARES {
                    for _ in 0..get(bytes, at)? {
                        let x = edge(bytes, at)?;
                        out.extend(self.origin.iter().chain(&x));
                    }
                }
            }
            op::NODE if self.depth >= Depth::Unit => {
                self.node = entry(&mut self.xs, bytes, at)?;
                self.depth = Depth::Node;
            }
            op::MID if self.depth >= Depth::Node => {
                self.mid = edge(bytes, at)?;
                self.ms.clear();
                self.ns.clear();
                self.depth = Depth::Mid;
                if self.kind == kind::CUBES {
                    for _ in 0..get(bytes, at)? {
                        let x = entry(&mut self.xs, bytes, at)?;
                        for part in [self.origin, self.node, x, self.mid] {
                            out.extend_from_slice(&part);
                        }
                    }
                }
            }
            op::TOP if self.depth >= Depth::Mid && self.kind == kind::TESSERACTS => {
                self.top = entry(&mut self.xs, bytes, at)?;
                ears(&mut self.ms, &mut self.left, bytes, at)?;
                self.depth = Depth::Top;
            }
            op::EARS if self.depth >= Depth::Top => {
                self.right_axis = entry(&mut self.xs, bytes, at)?;
                ears(&mut self.ms, &mut self.right, bytes, at)?;
                self.blocks = get(bytes, at)?;
            }
            _ => return None,
        }
        Some(true)
    }

    fn block(&mut self, bytes: &[u8], at: &mut usize, out: &mut Vec<Rank>) -> Option<()> {
        let n = entry(&mut self.ns, bytes, at)?;
        let left = mask(bytes, at, self.left.len())?;
        let mut right = mask(bytes, at, self.right.len())?;
        let turned = usize::from(self.flips) * 2;
        let mut cells = [0; 16];
        for (place, part) in
            [(0, self.origin), (2, self.node), (4, self.right_axis), (6, self.mid), (8, self.top), (14, n)]
        {
            let place = place ^ turned;
            cells[place..place + 2].copy_from_slice(&part);
        }
        let (left_ear, right_ear) = (10 ^ turned, 12 ^ turned);
        let always = ears_part(self.flips);
        while right != 0 {
            let f = self.right[right.trailing_zeros() as usize];
            right &= right - 1;
            cells[right_ear..right_ear + 2].copy_from_slice(&f);
            let mut rest = left;
            while rest != 0 {
                let h = self.left[rest.trailing_zeros() as usize];
                rest &= rest - 1;
                if always || h[0] != f[0] && h[1] != f[1] {
                    cells[left_ear..left_ear + 2].copy_from_slice(&h);
                    out.extend_from_slice(&cells);
                }
            }
        }
        Some(())
    }
}
