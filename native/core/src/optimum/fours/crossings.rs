//! Which lines cross, by bits, and in which 3x3.
//!
//! Two lines that share a word cross if a 3x3 that is alive has both with this word in common. For each word and two places in a line
//! there is a bit for every two lines that have the word there.
//!
//! Costs: 18 bits are set for a 3x3. Memory: the bits; 36 bytes a 3x3 and 8 for each bit that is set where the 3x3 are listed.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Net, WORTH};
use crate::optimum::corpus::Word;
use crate::optimum::work::Halt;

/// Which lines cross in some 3x3, and at which places.
pub(super) struct Crossings {
    /// By place and line: its number among those that have the same word at this place.
    pub(super) numbers: [Vec<u32>; 3],
    /// By place and word: the number of lines that have it at this place.
    counts: [Vec<u32>; 3],
    /// By two places (3 times the one plus the other) and word: where its bits begin.
    starts: [Vec<usize>; 9],
    bits: Vec<u64>,
    /// The bits that are set before each of `bits`.
    ranks: Vec<u32>,
    /// For each bit that is set where its 3x3 begin in `squares`, if they are listed under it: see [`Place`].
    firsts: Vec<u32>,
    /// 8 times the number of a 3x3, plus which of its lines is the first of the two.
    squares: Vec<u32>,
}

/// Where a line has the word in which it crosses another one, and the line.
///
/// Of two the lesser comes first where their 3x3 are listed.
pub(super) type Place = (usize, u32);

impl Crossings {
    pub(super) fn of(net: &Net<'_>) -> Result<Self, Halt> {
        let vocabulary = net.corpus.vocabulary();
        let mut counts = [0; 3].map(|_| vec![0_u32; vocabulary + 1]);
        let mut numbers = [0; 3].map(|_| vec![0_u32; net.lines.len()]);
        for &line in &net.order {
            for (place, word) in net.lines[line as usize].into_iter().enumerate() {
                let count = &mut counts[place][word as usize];
                numbers[place][line as usize] = *count;
                *count += 1;
            }
        }
        let mut total = 0_usize;
        let starts = std::array::from_fn(|places| {
            let (ours, theirs) = (&counts[places / 3], &counts[places % 3]);
            let start = |(&ours, &theirs): (&u32, &u32)| {
                let start = total;
                total += ours as usize * theirs as usize;
                start
            };
            ours.iter().zip(theirs).map(start).collect()
        });
        net.work.check_room(total / 64 + 1, 8)?;
        let bits = vec![0; total / 64 + 1];
        Ok(Self { numbers, counts, starts, bits, ranks: vec![], firsts: vec![], squares: vec![] })
    }

    /// Where the bits of a line are, that has the word at one place, for lines that have it at another.
    #[inline]
    pub(super) fn line(&self, (place, line): Place, other: usize, word: Word) -> usize {
        let number = self.numbers[place][line as usize] as usize;
        self.starts[3 * place + other][word as usize] + number * self.counts[other][word as usize] as usize
    }

    /// The bit of two lines that have a word at these places.
    #[inline]
    fn at(&self, one: Place, other: Place, word: Word) -> usize {
        self.line(one, other.0, word) + self.numbers[other.0][other.1 as usize] as usize
    }

    /// Makes the bits anew, and if wanted the lists, if many 3x3 have been dropped since.
    pub(super) fn refresh(
        &mut self,
        net: &Net<'_>,
        alive: &[AtomicBool],
        filled: &mut Option<usize>,
        lists: bool,
    ) {
        let living = alive.iter().filter(|alive| alive.load(Ordering::Acquire)).count();
        if filled.is_some_and(|filled| (filled - living) * WORTH <= filled) {
            return;
        }
        *filled = Some(living);
        let mut bits = std::mem::take(&mut self.bits);
        bits.fill(0);
        self.each(net, alive, |one, other, word, _| {
            for at in [self.at(one, other, word), self.at(other, one, word)] {
                bits[at / 64] |= 1 << (at % 64);
            }
        });
        self.bits = bits;
        if lists {
            self.list(net, alive);
        }
    }

    /// Calls `each` with every two lines that cross in a 3x3 that is alive, the word they share, and which of its lines is the lesser one.
    #[inline]
    fn each(&self, net: &Net<'_>, alive: &[AtomicBool], mut each: impl FnMut(Place, Place, Word, u32)) {
        for (square, (lines, alive)) in (0_u32..).zip(net.squares.iter().zip(alive)) {
            if !alive.load(Ordering::Acquire) {
                continue;
            }
            for i in 0..3 {
                for j in 0..3 {
                    // The row has the word at place j, the column at place i.
                    let (row, column) = ((j, lines[i]), (i, lines[3 + j]));
                    let word = net.lines[lines[i] as usize][j];
                    let which = if row < column { i } else { 3 + j };
                    each(row.min(column), row.max(column), word, square * 8 + which as u32);
                }
            }
        }
    }

    fn list(&mut self, net: &Net<'_>, alive: &[AtomicBool]) {
        self.ranks.clear();
        let mut rank = 0;
        for bits in &self.bits {
            self.ranks.push(rank);
            rank += bits.count_ones();
        }
        let mut firsts = vec![0_u32; rank as usize + 1];
        self.each(net, alive, |one, other, word, _| firsts[self.rank(self.at(one, other, word)) + 1] += 1);
        for bit in 0..rank as usize {
            firsts[bit + 1] += firsts[bit];
        }
        let mut squares = std::mem::take(&mut self.squares);
        squares.clear();
        squares.resize(firsts[rank as usize] as usize, 0);
        self.each(net, alive, |one, other, word, entry| {
            let next = &mut firsts[self.rank(self.at(one, other, word))];
            squares[*next as usize] = entry;
            *next += 1;
        });
        // Each is where the next one was.
        firsts.rotate_right(1);
        firsts[0] = 0;
        (self.firsts, self.squares) = (firsts, squares);
    }

    #[inline]
    fn rank(&self, at: usize) -> usize {
        let before = self.bits[at / 64] & ((1 << (at % 64)) - 1);
        self.ranks[at / 64] as usize + before.count_ones() as usize
    }

    /// The 3x3 in which two lines cross, each by its lines that run along the first of the two.
    #[inline]
    pub(super) fn squares<'b>(
        &'b self,
        net: &'b Net<'_>,
        one: Place,
        other: Place,
        word: Word,
    ) -> impl Iterator<Item = &'b [u32]> {
        let rank = self.rank(self.at(one.min(other), one.max(other), word));
        let listed = &self.squares[self.firsts[rank] as usize..self.firsts[rank + 1] as usize];
        listed.iter().map(move |&entry| {
            let (rows, columns) = net.squares[entry as usize / 8].split_at(3);
            if (entry % 8 < 3) == (one <= other) { rows } else { columns }
        })
    }

    #[inline]
    pub(super) fn bit(&self, at: usize) -> u64 {
        self.bits[at / 64] >> (at % 64) & 1
    }
}
