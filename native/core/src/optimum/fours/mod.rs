//! Every 3x3x3 that may be in a 3x3x3x3, from all 3x3.
//!
//! In a 3x3x3x3 three 3x3 go through each line, one for every other axis. Of these each two *cross*: no word is twice in a shell of the two,
//! and at each of the line's three words the lines that they have there are lines of another 3x3. So a 3x3 is in none if it has a line
//! through which no two others go such that all three cross. Then it is dropped, with which others cross nowhere any more, and so on: this
//! is consistency in constraint networks (Mackworth, Consistency in Networks of Relations, 1977). Through common lines go thousands of
//! 3x3: they cost most and drop least. So lines with few are looked at over and over, and then those with somewhat more. For many texts
//! nothing is left.
//!
//! Of what is left the lines are finished one by one, that with the fewest 3x3 first: for each two that cross and are among three that do, the
//! 3x3x3 with these two is sought, of which only four lines are missing. Where three 3x3 have one two by two, these are found. Whether or not, all
//! 3x3 through the line are dropped then, as every grid with this line has been seen. So the common lines come last, when little is left.
//!
//! Which lines cross is a bit for each two that share a word; for one line the 3x3 that cross with one are a set of bits, and
//! whether two of them cross each other too is an `and`.
//!
//! Guarantee: of each 3x3x3x3 of the text at least one 3x3x3 is found that is the first along the axis that it lacks. Costs: for each line the 3x3
//! through it squared / 64, and some microseconds for two that cross; figures in docs/optimal.md. Memory: 110 bytes a 3x3; the bits, of
//! which there are as many as pairs of lines with a word in common; the sets of one line for each thread.

mod beam;
mod corners;
mod crossings;
mod phrases;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::AtomicBool;

use self::beam::Beam;
use self::corners::Corners;
use self::crossings::Crossings;
use self::phrases::Phrases;
use super::corpus::{Corpus, Word};
use super::grid::{Filler, Grid};
use super::rows::{Square, words};
use super::work::{Halt, Work};

/// 3x3 through a line, at most, in the first passes, and in the last ones.
const FEW: usize = 256;
const MANY: usize = 512;

/// A pass that drops less than one in so many is followed by one over lines with more.
const WORTH: usize = 16;

/// Bytes for each 3x3, besides the list that is given.
const BYTES: u64 = 90;

/// Parts of a pass; before each the bits are made anew if enough has been dropped since.
const PARTS: usize = 64;

/// Lines that a thread takes at a time.
const GROUP: usize = 64;

/// No line.
const NONE: u32 = u32::MAX;

/// 3x3x3 of the text, among them the first one along some axis of each 3x3x3x3.
pub(super) fn cubes(corpus: &Corpus, squares: Vec<Square>, work: &Work<'_>) -> Result<Vec<Grid>, Halt> {
    among(corpus, squares, FEW..MANY + 1, work)
}

/// The same; first lines are looked at over and over that have at most so many 3x3.
fn among(
    corpus: &Corpus,
    mut squares: Vec<Square>,
    passes: Range<usize>,
    work: &Work<'_>,
) -> Result<Vec<Grid>, Halt> {
    if squares.len() as u64 * BYTES > work.memory / 4 * 3 {
        return Err(Halt::Memory);
    }
    let lines = numbered(corpus, &mut squares);
    let mut most = passes.start;
    while !squares.is_empty() && passes.contains(&most) {
        let mut stays = Net::of(corpus, &lines, &squares, work)?.pass(most)?.into_iter();
        let before = squares.len();
        squares.retain(|_| stays.next().unwrap_or(true));
        if (before - squares.len()) * WORTH < before {
            most *= 2;
        }
    }
    if squares.is_empty() {
        return Ok(vec![]);
    }
    let seen = Net::of(corpus, &lines, &squares, work)?.finish()?;
    let mut found: BTreeSet<Grid> = seen.into_iter().collect();
    if !found.is_empty() {
        // The line that a grid was seen from may be in its third layer.
        let once = before(corpus, &found, work)?;
        found.extend(before(corpus, &once, work)?);
        found.extend(once);
    }
    Ok(found.into_iter().collect())
}

/// The 3x3x3 after which one of these comes, along a fourth axis: in the text read backwards it comes before.
fn before(corpus: &Corpus, cubes: &BTreeSet<Grid>, work: &Work<'_>) -> Result<BTreeSet<Grid>, Halt> {
    let backwards = |words: &[Word]| words.iter().rev().copied().collect();
    let reversed = corpus.reversed().map_err(|_| Halt::Memory)?;
    let mut filler = Filler::new(&reversed, work);
    let mut pairs = BTreeSet::new();
    for cube in cubes {
        work.check()?;
        let cube = Grid { words: backwards(&cube.words), ..cube.clone() };
        filler.grown(&cube, 3, &mut pairs)?;
        work.check_room(pairs.len(), 54 * 8 + 64)?;
    }
    let layer = |words: &[Word]| Grid { dims: vec![3, 3, 3], words: backwards(words) }.sorted();
    Ok(pairs.iter().map(|pair| layer(&pair.words[27..])).collect())
}

/// Gives the lines of some 3x3 numbers, in place of rows; and their words.
fn numbered(corpus: &Corpus, squares: &mut [Square]) -> Vec<[Word; 3]> {
    let mut numbers = vec![NONE; corpus.forward.places.len()];
    let mut lines: Vec<[Word; 3]> = vec![];
    for row in squares.iter_mut().flatten() {
        let number = &mut numbers[*row as usize];
        if *number == NONE {
            *number = lines.len() as u32;
            let words = words(corpus, *row, 3);
            lines.push([words[0], words[1], words[2]]);
        }
        *row = *number;
    }
    lines
}

/// Some 3x3 and the lines in them.
struct Net<'a> {
    corpus: &'a Corpus,
    /// By line, its three words.
    lines: &'a [[Word; 3]],
    /// By 3x3, its rows and its columns.
    squares: &'a [[u32; 6]],
    /// By line where it begins in `through`.
    starts: Vec<u32>,
    /// The 3x3 through each line: 8 times the number of the 3x3, plus which of its lines it is.
    through: Vec<u32>,
    /// The lines that are in any, those with the fewest 3x3 through them first.
    order: Vec<u32>,
    work: &'a Work<'a>,
}

impl<'a> Net<'a> {
    fn of(
        corpus: &'a Corpus,
        lines: &'a [[Word; 3]],
        squares: &'a [[u32; 6]],
        work: &'a Work<'a>,
    ) -> Result<Self, Halt> {
        if squares.len() > u32::MAX as usize / 18 {
            return Err(Halt::Memory);
        }
        let mut starts = vec![0_u32; lines.len() + 1];
        for &line in squares.iter().flatten() {
            starts[line as usize + 1] += 1;
        }
        for line in 0..lines.len() {
            starts[line + 1] += starts[line];
        }
        let mut next = starts.clone();
        let mut through = vec![0; squares.len() * 6];
        for (square, of) in (0_u32..).zip(squares) {
            for (which, &line) in (0_u32..).zip(of) {
                let at = &mut next[line as usize];
                through[*at as usize] = square * 8 + which;
                *at += 1;
            }
        }
        let count = |line: u32| starts[line as usize + 1] - starts[line as usize];
        let mut order: Vec<u32> = (0..lines.len() as u32).filter(|&line| count(line) > 0).collect();
        order.sort_by_key(|&line| count(line));
        Ok(Self { corpus, lines, squares, starts, through, order, work })
    }

    fn through(&self, line: u32) -> &[u32] {
        &self.through[self.starts[line as usize] as usize..self.starts[line as usize + 1] as usize]
    }

    /// Looks at every line with at most so many 3x3 through it, and says which 3x3 stay.
    fn pass(&self, most: usize) -> Result<Vec<bool>, Halt> {
        let few = self.order.partition_point(|&line| self.through(line).len() <= most);
        let alive: Vec<AtomicBool> = self.squares.iter().map(|_| AtomicBool::new(true)).collect();
        let mut crossings = Crossings::of(self)?;
        let mut filled = None;
        for part in self.parts(&self.order[..few]) {
            crossings.refresh(self, &alive, &mut filled, false);
            self.work.divide(part.len().div_ceil(GROUP), &|next| {
                let mut beam = Beam::new(self, &crossings, &alive);
                while let Some(group) = next() {
                    for &line in part.iter().skip(group * GROUP).take(GROUP) {
                        self.work.check()?;
                        beam.peel(line)?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(alive.into_iter().map(AtomicBool::into_inner).collect())
    }

    /// Finishes one line after the other.
    fn finish(&self) -> Result<Vec<Grid>, Halt> {
        let phrases = Phrases::of(self.corpus, self.work)?;
        let alive: Vec<AtomicBool> = self.squares.iter().map(|_| AtomicBool::new(true)).collect();
        let mut crossings = Crossings::of(self)?;
        let (mut filled, mut found) = (None, vec![]);
        for part in self.parts(&self.order) {
            crossings.refresh(self, &alive, &mut filled, true);
            let parts = self.work.divide(part.len().div_ceil(GROUP), &|next| {
                let mut beam = Beam::new(self, &crossings, &alive);
                let mut corners = Corners::new(self, &phrases, &crossings);
                let mut found = vec![];
                while let Some(group) = next() {
                    for &line in part.iter().skip(group * GROUP).take(GROUP) {
                        beam.finish(line, &mut corners, &mut found)?;
                    }
                }
                Ok(found)
            })?;
            found.extend(parts.into_iter().flatten());
            self.work.check_room(found.len(), 27 * 4 + 64)?;
        }
        Ok(found)
    }

    /// Lines in parts with about as many 3x3 through them.
    fn parts<'b>(&self, lines: &'b [u32]) -> Vec<&'b [u32]> {
        let entries: usize = lines.iter().map(|&line| self.through(line).len()).sum();
        let mut parts = vec![];
        let mut rest = lines;
        while !rest.is_empty() {
            let mut sum = 0;
            let last = rest.iter().position(|&line| {
                sum += self.through(line).len();
                sum * PARTS > entries
            });
            let (part, after) = rest.split_at(last.map_or(rest.len(), |last| last + 1));
            parts.push(part);
            rest = after;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::optimum::rows::{both_ways, squares};
    use crate::optimum::{blocks, grown};
    use crate::search::Stop;
    use crate::text::{Interner, PhraseIndex};

    fn random(state: &mut u64) -> impl FnMut(usize) -> usize + '_ {
        move |below| {
            *state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (*state >> 33) as usize % below
        }
    }

    fn sentence(words: [usize; 3]) -> String {
        let name = |word: usize| [word / 10, word % 10].map(|letter| char::from(b'a' + letter as u8));
        words.map(|word| String::from_iter(name(word))).join(" ") + ". "
    }

    /// The lines of grids of four axes of length 3, of few words, some of which lack a line; and other lines.
    fn text(seed: u64) -> String {
        let mut state = seed;
        let mut below = random(&mut state);
        let words = 24 + below(60);
        let mut text = String::new();
        for _ in 0..1 + below(3) {
            let mut grid = [0; 81];
            for shell in 0..9 {
                let mut left: Vec<usize> = (0..words).collect();
                for at in (0..81).filter(|at| (at / 27 + at / 9 % 3 + at / 3 % 3 + at % 3) == shell) {
                    grid[at] = left.swap_remove(below(left.len()));
                }
            }
            let lacking = below(216);
            let lines = (0..4_u32).flat_map(|axis| {
                let stride = 3_usize.pow(axis);
                (0..81)
                    .filter(move |at| at / stride % 3 == 0)
                    .map(move |at| [at, at + stride, at + 2 * stride])
            });
            for (_, line) in lines.enumerate().filter(|(number, _)| *number != lacking) {
                let [a, b, c] = line.map(|at| grid[at]);
                text.push_str(&sentence([a, b, c]));
            }
        }
        for _ in 0..below(120) {
            let [a, b, c] = [below(words), below(words), below(words)];
            text.push_str(&sentence([a, b, c]));
        }
        text
    }

    /// What the 3x3x3 grow to.
    fn fours(corpus: &Corpus, cubes: Vec<Grid>, work: &Work<'_>) -> BTreeSet<Grid> {
        let mut filler = Filler::new(corpus, work);
        let cubes = cubes.into_iter().collect();
        let two = grown(&mut filler, &cubes, |grid| vec![grid.dims.len()], work).expect("no limit");
        let shortest = |grid: &Grid| (0..4).filter(|&axis| grid.dims[axis] == 2).collect();
        grown(&mut filler, &two, shortest, work).expect("no limit")
    }

    #[test]
    fn nothing_of_a_grid_is_lost() {
        let stop = Stop::default();
        let (mut with, mut without) = (0, 0);
        for seed in 0..100 {
            let interner = Arc::new(Interner::from_bytes("text", text(seed).as_bytes()).expect("UTF-8"));
            let index = PhraseIndex::build(interner).expect("an index");
            let corpus = Corpus::new(&index).expect("a corpus");
            let work = Work { stop: &stop, threads: 1 + seed as usize % 2, memory: 1 << 30 };
            let squares = squares(&corpus, &work).expect("no limit");
            let cubes = blocks::cubes(&corpus, &both_ways(&squares), &work).expect("no limit");
            let expected = fours(&corpus, cubes.clone(), &work);
            // All at once, with few looks, and without any.
            for passes in [FEW..MANY + 1, 4..9, 1..1] {
                let found = among(&corpus, squares.clone(), passes, &work).expect("no limit");
                assert!(found.iter().all(|cube| cubes.binary_search(cube).is_ok()), "{seed}");
                assert_eq!(fours(&corpus, found, &work), expected, "{seed}");
            }
            *if expected.is_empty() { &mut without } else { &mut with } += 1;
        }
        assert!(with > 10 && without > 5, "{with} texts with a grid, {without} without");
    }

    #[test]
    fn a_small_budget_is_kept() {
        let stop = Stop::default();
        let interner = Arc::new(Interner::from_bytes("text", text(1).as_bytes()).expect("UTF-8"));
        let index = PhraseIndex::build(interner).expect("an index");
        let corpus = Corpus::new(&index).expect("a corpus");
        let work = Work { stop: &stop, threads: 1, memory: 1 << 30 };
        let squares = squares(&corpus, &work).expect("no limit");
        let small = Work { memory: squares.len() as u64 * 100, ..work };
        assert_eq!(cubes(&corpus, squares, &small), Err(Halt::Memory));
    }
}
