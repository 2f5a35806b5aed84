//! The lines through a word in which it is the rarest, and the 3x3 that two of them have.
//!
//! A grid of four axes has four lines through each of its words, and each two of these have a 3x3. So what is in no four of which each two have one is
//! dropped, again and again.
//!
//! Costs: a look for each two lines, a percent of what comes then; for two lines with a 3x3 the lines that go with both, squared / 64. Memory: for three
//! lines a bit, and some 160 bytes a 3x3.

use super::around::Around;
use super::lexicon::{Lexicon, OTHERS, Sets, Spoke};
use super::sets::{BLOCK, Block, numbers};
use crate::optimum::corpus::Word;
use crate::optimum::work::{Halt, Work};

/// Bytes that a star takes for each 3x3.
const STAR_BYTES: usize = 160;

/// Bytes that are taken for each 3x3 of two lines that are looked at, and each block of a set.
const BLOCK_BYTES: usize = 8 * size_of::<Block>();

/// The 3x3 of two spokes.
#[derive(Debug, Default)]
pub(super) struct Pair {
    /// Their corners: that beside the first other place of the first spoke and of the second, then that of the second's second, and so on.
    pub(super) corners: Vec<[Word; 4]>,
    /// What is beside the first spoke, over its other places, and beside the second.
    sides: [Vec<Side>; 4],
}

/// A line beside a spoke, through one of its other words.
#[derive(Debug)]
pub(super) struct Side {
    /// Three times its number and the place at which it crosses.
    pub(super) crossing: u32,
    /// Its other words.
    pub(super) words: [Word; 2],
    /// What may be on the other side then.
    pub(super) rests: Vec<Rest>,
}

/// The words of a line on the other side, without the one that is the spoke's, and which of the 3x3 that is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    pub(super) words: [Word; 2],
    pub(super) square: u32,
}

const NO_PAIR: u32 = u32::MAX;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Star {
    pub(super) word: Word,
    pub(super) spokes: Vec<Spoke>,
    pairs: Vec<Pair>,
    /// By two spokes which pair that is.
    pair_of: Vec<u32>,
    /// By two spokes the bits of those that are still looked at with them.
    open: Vec<u64>,
    width: usize,
}

impl Star {
    /// Of the lines that have a word, and no rarer one; none if no four are left. And how many 3x3 they have.
    pub(super) fn new(
        lexicon: &Lexicon,
        sets: &mut Sets<'_>,
        lines: &[Spoke],
        work: &Work<'_>,
    ) -> Result<(usize, Option<Self>), Halt> {
        let word = lines.first().map_or(0, Spoke::word);
        let pair_bytes = (word as usize / BLOCK + 1) * BLOCK_BYTES;
        work.check_room(lines.len() * lines.len().div_ceil(64), 8)?;
        let mut graph = Graph::new(lines.len());
        let (mut around, mut corners) = (Around::default(), vec![]);
        let mut found = vec![];
        let mut squares = 0;
        for x in 0..lines.len() {
            for y in x + 1..lines.len() {
                work.check()?;
                around.squares(lexicon, sets, [lines[x], lines[y]], &mut corners);
                if corners.is_empty() {
                    continue;
                }
                squares += corners.len();
                work.check_room(corners.len() * work.threads, pair_bytes)?;
                work.check_room(squares * work.threads, STAR_BYTES)?;
                graph.join(x, y);
                // A copy has no more room than it needs.
                found.push((x, y, corners.clone()));
                corners.clear();
            }
        }
        graph.keep_fours(work)?;
        // Only what is left gets a number.
        let mut numbers = vec![0; lines.len()];
        let mut spokes = vec![];
        for x in (0..lines.len()).filter(|&x| graph.any(x)) {
            numbers[x] = spokes.len();
            spokes.push(lines[x]);
        }
        let count = spokes.len();
        if count < 4 {
            return Ok((squares, None));
        }
        let width = count.div_ceil(64);
        work.check_room(count * count * width, 16)?;
        let mut star = Self {
            word,
            pairs: vec![],
            pair_of: vec![NO_PAIR; count * count],
            open: vec![0; count * count * width],
            width,
            spokes,
        };
        let mut left = Graph::new(count);
        for (x, y, corners) in found.into_iter().filter(|&(x, y, _)| graph.has(x, y)) {
            let (a, b) = (lines[x], lines[y]);
            let (x, y) = (numbers[x], numbers[y]);
            star.pair_of[x * count + y] = star.pairs.len() as u32;
            star.pair_of[y * count + x] = star.pairs.len() as u32;
            left.join(x, y);
            star.pairs.push(Pair::new(lexicon, a, b, corners));
        }
        for (both, open) in star.open.chunks_mut(width).enumerate() {
            let (x, y) = (both / count, both % count);
            if left.has(x, y) {
                open.iter_mut().zip(left.row(x)).zip(left.row(y)).for_each(|((open, a), b)| *open = a & b);
            }
        }
        Ok((squares, Some(star)))
    }

    /// The 3x3 of two spokes that have any.
    pub(super) fn pair(&self, x: usize, y: usize) -> &Pair {
        &self.pairs[self.pair_of[x * self.spokes.len() + y] as usize]
    }

    /// The lines of the 3x3 of x and y that are beside x, over the given one of its other places.
    pub(super) fn sides(&self, x: usize, y: usize, over: usize) -> &[Side] {
        &self.pair(x, y).sides[usize::from(x > y) * 2 + over]
    }

    #[inline]
    fn open(&self, x: usize, y: usize) -> &[u64] {
        &self.open[(x * self.spokes.len() + y) * self.width..][..self.width]
    }

    /// The spokes that are in a four with these, of which every three are looked at.
    pub(super) fn fourths(&self, [x, y, z]: [usize; 3]) -> impl Iterator<Item = usize> + '_ {
        let (a, b, c) = (self.open(x, y), self.open(x, z), self.open(y, z));
        numbers(a.iter().zip(b).zip(c).map(|((a, b), c)| a & b & c))
    }

    /// These three are not looked at any more.
    pub(super) fn close(&mut self, [x, y, z]: [usize; 3]) {
        let count = self.spokes.len();
        for (x, y, z) in [(x, y, z), (y, x, z), (x, z, y), (z, x, y), (y, z, x), (z, y, x)] {
            self.open[(x * count + y) * self.width + z / 64] &= !(1 << (z % 64));
        }
    }

    /// All threes that are looked at, ascending.
    pub(super) fn threes(&self) -> Vec<[usize; 3]> {
        let mut threes = vec![];
        for x in 0..self.spokes.len() {
            for y in x + 1..self.spokes.len() {
                let after = numbers(self.open(x, y).iter().copied());
                threes.extend(after.filter(|&z| z > y).map(|z| [x, y, z]));
            }
        }
        threes
    }
}

impl Pair {
    fn new(lexicon: &Lexicon, first: Spoke, second: Spoke, corners: Vec<[Word; 4]>) -> Self {
        let mut sides: [Vec<Side>; 4] = Default::default();
        for (which, sides) in sides.iter_mut().enumerate() {
            let (of, over) = (which / 2, which % 2);
            let (spoke, other) = if of == 0 { (first, second) } else { (second, first) };
            let beside = |corners: &[Word; 4], over: usize| {
                if of == 0 {
                    [corners[over * 2], corners[over * 2 + 1]]
                } else {
                    [corners[over], corners[2 + over]]
                }
            };
            let mut all: Vec<([Word; 2], [Word; 2], u32)> = (0..)
                .zip(&corners)
                .map(|(square, corners)| (beside(corners, over), beside(corners, 1 - over), square))
                .collect();
            all.sort_unstable();
            for same in all.chunk_by(|a, b| a.0 == b.0) {
                let words = same[0].0;
                let mut line = [0; 3];
                line[other.at] = spoke.line[OTHERS[spoke.at][over]];
                line[OTHERS[other.at][0]] = words[0];
                line[OTHERS[other.at][1]] = words[1];
                sides.push(Side {
                    crossing: lexicon.number(line) * 3 + other.at as u32,
                    words,
                    rests: same.iter().map(|&(_, words, square)| Rest { words, square }).collect(),
                });
            }
        }
        Self { corners, sides }
    }
}

/// Which two go together.
struct Graph {
    count: usize,
    width: usize,
    bits: Vec<u64>,
}

impl Graph {
    fn new(count: usize) -> Self {
        let width = count.div_ceil(64);
        Self { count, width, bits: vec![0; count * width] }
    }

    fn row(&self, x: usize) -> &[u64] {
        &self.bits[x * self.width..][..self.width]
    }

    fn has(&self, x: usize, y: usize) -> bool {
        self.row(x)[y / 64] >> (y % 64) & 1 == 1
    }

    fn any(&self, x: usize) -> bool {
        self.row(x).iter().any(|&bits| bits != 0)
    }

    fn join(&mut self, x: usize, y: usize) {
        self.bits[x * self.width + y / 64] |= 1 << (y % 64);
        self.bits[y * self.width + x / 64] |= 1 << (x % 64);
    }

    fn part(&mut self, x: usize, y: usize) {
        self.bits[x * self.width + y / 64] &= !(1 << (y % 64));
        self.bits[y * self.width + x / 64] &= !(1 << (x % 64));
    }

    /// Parts what is in no four of which each two go together.
    fn keep_fours(&mut self, work: &Work<'_>) -> Result<(), Halt> {
        let mut both = vec![0; self.width];
        loop {
            let mut parted = false;
            for x in 0..self.count {
                work.check()?;
                let row = self.row(x).to_vec();
                for y in numbers(row.into_iter()).filter(|&y| y > x) {
                    both.iter_mut()
                        .zip(self.row(x))
                        .zip(self.row(y))
                        .for_each(|((both, a), b)| *both = a & b);
                    let meets = |z: usize| self.row(z).iter().zip(&both).any(|(a, b)| a & b != 0);
                    if !numbers(both.iter().copied()).any(meets) {
                        self.part(x, y);
                        parted = true;
                    }
                }
            }
            if !parted {
                return Ok(());
            }
        }
    }
}
