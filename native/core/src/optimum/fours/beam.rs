//! One line, and the 3x3 through it.
//!
//! Costs: a bit looked up for each 3x3 through the line and each other line that crosses it; then the 3x3 squared / 64. Memory: the 3x3
//! squared / 8 bytes.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Net;
use super::corners::Corners;
use super::crossings::Crossings;
use crate::optimum::corpus::Word;
use crate::optimum::grid::Grid;
use crate::optimum::work::Halt;
use crate::results::bits;

/// A 3x3 through a line: at which place of it the line is, and the lines that run along it and across it.
#[derive(Clone, Copy)]
pub(super) struct Through {
    square: u32,
    pub(super) place: usize,
    pub(super) along: [u32; 3],
    pub(super) across: [u32; 3],
}

impl Through {
    /// The words that are not on the line, each with its shell, of which the first word of the line has number 2.
    pub(super) fn words(&self, net: &Net<'_>) -> impl Iterator<Item = (usize, Word)> {
        let Self { place, along, .. } = *self;
        let others = (0..3).filter(move |&other| other != place);
        others.flat_map(move |other| {
            let words = net.lines[along[other] as usize];
            (0..3).map(move |at| (2 + other + at - place, words[at]))
        })
    }
}

/// What one line is looked at with.
pub(super) struct Beam<'a> {
    net: &'a Net<'a>,
    crossings: &'a Crossings,
    alive: &'a [AtomicBool],
    /// Those of the line that are alive.
    through: Vec<Through>,
    /// For each 3x3 through the line the set of those that cross with it.
    sets: Vec<u64>,
    living: Vec<u64>,
    set: Vec<u64>,
    order: Vec<u32>,
    numbers: Vec<(u8, u32)>,
    keys: Vec<(u64, u32)>,
}

impl<'a> Beam<'a> {
    pub(super) fn new(net: &'a Net<'a>, crossings: &'a Crossings, alive: &'a [AtomicBool]) -> Self {
        Self {
            net,
            crossings,
            alive,
            through: vec![],
            sets: vec![],
            living: vec![],
            set: vec![],
            order: vec![],
            numbers: vec![],
            keys: vec![],
        }
    }

    /// Drops the 3x3 through a line that are in no three that cross.
    pub(super) fn peel(&mut self, line: u32) -> Result<(), Halt> {
        self.cross(line)?;
        for (at, through) in self.through.iter().enumerate() {
            if self.living[at / 64] >> (at % 64) & 1 == 0 {
                self.alive[through.square as usize].store(false, Ordering::Release);
            }
        }
        Ok(())
    }

    /// Finds every 3x3x3 through a line that may be in a grid, and drops all 3x3 through the line.
    ///
    /// Two threads may do so at once with two lines of one grid: it is seen from at least one of them, as a thread that finds something
    /// dropped began to look after the other one had seen it.
    pub(super) fn finish(
        &mut self,
        line: u32,
        corners: &mut Corners<'_>,
        found: &mut Vec<Grid>,
    ) -> Result<(), Halt> {
        self.cross(line)?;
        let length = self.living.len();
        let words = self.net.lines[line as usize];
        let mut real: Vec<(usize, usize)> = vec![];
        for one in 0..self.through.len() {
            self.net.work.check()?;
            if self.living[one / 64] >> (one % 64) & 1 == 0 {
                continue;
            }
            for at in one / 64..length {
                let others = bits(self.sets[one * length + at] & self.living[at]);
                for other in others.map(|bit| at * 64 + bit).filter(|&other| other > one) {
                    let two = [one, other].map(|one| self.through[one]);
                    if self.in_three(one, other, length) && corners.close(&words, two, None) {
                        real.push((one, other));
                    } else {
                        self.sets[one * length + other / 64] &= !(1 << (other % 64));
                        self.sets[other * length + one / 64] &= !(1 << (one % 64));
                    }
                }
            }
        }
        for (one, other) in real {
            if self.in_three(one, other, length) {
                corners.close(&words, [one, other].map(|one| self.through[one]), Some(found));
            }
        }
        for through in &self.through {
            self.alive[through.square as usize].store(false, Ordering::Release);
        }
        Ok(())
    }

    /// Whether a third one crosses with two.
    fn in_three(&self, one: usize, other: usize, length: usize) -> bool {
        let set = |one: usize| &self.sets[one * length..(one + 1) * length];
        share(set(one), set(other), &self.living)
    }

    /// The 3x3 through a line, and which of them cross; those that are in three that do are living.
    fn cross(&mut self, line: u32) -> Result<(), Halt> {
        let Self { net, alive, .. } = *self;
        self.through.clear();
        self.through.extend(net.through(line).iter().filter_map(|&entry| {
            let (square, which) = (entry / 8, entry as usize % 8);
            let [a, b, c, d, e, f] = net.squares[square as usize];
            let (along, across) = if which < 3 { ([a, b, c], [d, e, f]) } else { ([d, e, f], [a, b, c]) };
            let alive = alive[square as usize].load(Ordering::Acquire);
            alive.then_some(Through { square, place: which % 3, along, across })
        }));
        let count = self.through.len();
        let length = count.div_ceil(64);
        self.living.clear();
        self.living.resize(length, 0);
        if count >= 3 {
            self.living.fill(u64::MAX);
            if !count.is_multiple_of(64) {
                self.living[length - 1] = (1 << (count % 64)) - 1;
            }
            self.net.work.check_room(count * length * self.net.work.threads, 8)?;
            self.sets.clear();
            self.sets.resize(count * length, u64::MAX);
            for (at, &word) in net.lines[line as usize].iter().enumerate() {
                self.meet(at, word, length);
            }
            self.differ(length);
            self.close(length);
        }
        Ok(())
    }

    /// Takes from each set those that have a word in a shell where the one has it too.
    fn differ(&mut self, length: usize) {
        let Self { net, through, sets, set, keys, .. } = self;
        keys.clear();
        for (one, through) in (0_u32..).zip(&*through) {
            keys.extend(through.words(net).map(|(shell, word)| (u64::from(word) << 3 | shell as u64, one)));
        }
        keys.sort_unstable();
        for alike in keys.chunk_by(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
            set.clear();
            set.resize(length, 0);
            for &(_, one) in alike {
                set[one as usize / 64] |= 1 << (one % 64);
            }
            for &(_, one) in alike {
                let one = one as usize * length;
                for (bits, set) in sets[one..one + length].iter_mut().zip(&*set) {
                    *bits &= !set;
                }
            }
        }
    }

    /// Takes from each set those that do not cross at one word of the line.
    fn meet(&mut self, at: usize, word: Word, length: usize) {
        let Self { crossings, through, sets, set, order, numbers, .. } = self;
        numbers.clear();
        numbers.extend(through.iter().map(|through| {
            let line = through.across[at];
            (through.place as u8, crossings.numbers[through.place][line as usize])
        }));
        order.clear();
        order.extend(0..through.len() as u32);
        order.sort_unstable_by_key(|&one| numbers[one as usize]);
        // Those with the same line across have the same set here.
        for alike in order.chunk_by(|&a, &b| numbers[a as usize] == numbers[b as usize]) {
            let Some(&first) = alike.first() else { continue };
            let Through { place, across, .. } = through[first as usize];
            let starts = [0, 1, 2].map(|other| crossings.line((place, across[at]), other, word));
            set.clear();
            set.extend(numbers.chunks(64).map(|numbers| {
                let mut bits = 0;
                for (bit, &(other, number)) in numbers.iter().enumerate() {
                    bits |= crossings.bit(starts[other as usize] + number as usize) << bit;
                }
                bits
            }));
            for &one in alike {
                let one = one as usize * length;
                for (bits, set) in sets[one..one + length].iter_mut().zip(&*set) {
                    *bits &= set;
                }
            }
        }
    }

    /// Leaves living those that are in three of which each two cross.
    fn close(&mut self, length: usize) {
        let Self { sets, living, .. } = self;
        let set = |one: usize| &sets[one * length..(one + 1) * length];
        loop {
            let mut dropped = false;
            for at in 0..length {
                for bit in bits(living[at]) {
                    let ours = set(at * 64 + bit);
                    let in_three = ours.iter().zip(&*living).enumerate().any(|(at, (&others, &alive))| {
                        bits(others & alive).any(|bit| share(ours, set(at * 64 + bit), living))
                    });
                    if !in_three {
                        living[at] &= !(1 << bit);
                        dropped = true;
                    }
                }
            }
            if !dropped {
                break;
            }
        }
    }
}

/// Whether two sets share one that is living.
#[inline]
fn share(one: &[u64], other: &[u64], living: &[u64]) -> bool {
    one.iter().zip(other).zip(living).any(|((a, b), living)| a & b & living != 0)
}
