//! The 3x3x3 that two crossing 3x3 are in.
//!
//! At each of the three words of the line that the two share, the 3x3 in which they cross say what can be at the four places that are open. Of these
//! slices the first two are taken in pairs; for each corner of such a pair there is a set of the third slices that make a phrase with it.
//!
//! Costs: two numbers of slices multiplied, some nanoseconds each, and a phrase looked up for every three words that a corner can have.

use super::NONE;
use super::Net;
use super::beam::Through;
use super::crossings::Crossings;
use super::phrases::Phrases;
use crate::optimum::corpus::{Corpus, Word};
use crate::optimum::grid::Grid;
use crate::results::bits;

/// How the four lines are found that two 3x3 through a line leave open in a 3x3x3.
pub(super) struct Corners<'a> {
    net: &'a Net<'a>,
    phrases: &'a Phrases,
    crossings: &'a Crossings,
    corners: [Corner; 4],
    /// What can be at their places at one word of the line.
    slices: Vec<[Word; 4]>,
    /// By word a number, while they are given.
    marks: Vec<u32>,
    /// By shell the words that are there already.
    known: [Vec<Word>; 11],
}

impl<'a> Corners<'a> {
    pub(super) fn new(net: &'a Net<'a>, phrases: &'a Phrases, crossings: &'a Crossings) -> Self {
        Self {
            net,
            phrases,
            crossings,
            corners: Default::default(),
            slices: vec![],
            marks: vec![NONE; net.corpus.vocabulary() + 1],
            known: Default::default(),
        }
    }

    /// Whether there is a 3x3x3 with two 3x3 through a line; with `found`, all of them.
    pub(super) fn close(
        &mut self,
        line: &[Word; 3],
        two: [Through; 2],
        mut found: Option<&mut Vec<Grid>>,
    ) -> bool {
        let (net, corpus) = (self.net, self.net.corpus);
        // The line is at (x, y); the first 3x3 has all lines at (_, y), the second those at (x, _).
        let [x, y] = two.map(|one| one.place);
        let rest = |place: usize| [usize::from(place == 0), if place == 2 { 1 } else { 2 }];
        let ([x0, x1], [y0, y1]) = (rest(x), rest(y));
        let open = [(x0, y0), (x1, y0), (x0, y1), (x1, y1)];
        // The first word of the line is in shell 4, as a corner may be four before it.
        self.known.iter_mut().for_each(Vec::clear);
        for (shell, word) in two.iter().flat_map(|one| one.words(net)) {
            self.known[2 + shell].push(word);
        }
        for (at, &word) in line.iter().enumerate() {
            self.known[4 + at].push(word);
        }
        for (at, &word) in line.iter().enumerate() {
            let [one, other] = two.map(|one| (one.place, one.across[at]));
            let shells = open.map(|(i, j)| 4 + i + j + at - x - y);
            let differ = |words: &[Word; 4]| {
                words.iter().zip(shells).all(|(word, shell)| !self.known[shell].contains(word))
            };
            let words = |along: &[u32]| open.map(|(x, y)| net.lines[along[y] as usize][x]);
            self.slices.clear();
            self.slices.extend(self.crossings.squares(net, one, other, word).map(words).filter(differ));
            if self.slices.is_empty() {
                return false;
            }
            for (i, corner) in self.corners.iter_mut().enumerate() {
                corner.read(at, self.slices.iter().map(|words| words[i]), &mut self.marks);
            }
        }
        let [firsts, seconds, thirds] = self.corners[0].numbers.each_ref().map(Vec::len);
        let length = thirds.div_ceil(64);
        self.corners.iter_mut().for_each(Corner::begin);
        for (a, b) in (0..firsts).flat_map(|a| (0..seconds).map(move |b| (a, b))) {
            let mut starts = [0; 4];
            let all = self.corners.iter_mut().zip(&mut starts).all(|(corner, start)| {
                let set = corner.set(corpus, self.phrases, a, b, length);
                set.inspect(|&set| *start = set).is_some()
            });
            for at in 0..if all { length } else { 0 } {
                let sets = self.corners.iter().zip(starts).map(|(corner, start)| corner.sets[start + at]);
                for c in bits(sets.fold(u64::MAX, |all, set| all & set)).map(|bit| at * 64 + bit) {
                    let mut words = [0; 27];
                    for place in 0..3 {
                        let [one, other] = two.map(|one| net.lines[one.along[place] as usize]);
                        words[(place * 3 + y) * 3..][..3].copy_from_slice(&one);
                        words[(x * 3 + place) * 3..][..3].copy_from_slice(&other);
                    }
                    for (corner, (x, y)) in self.corners.iter().zip(open) {
                        words[(x * 3 + y) * 3..][..3].copy_from_slice(&corner.words([a, b, c]));
                    }
                    if !are_distinct(&words) {
                        continue;
                    }
                    match &mut found {
                        None => return true,
                        Some(found) => {
                            found.push(Grid { dims: vec![3, 3, 3], words: words.to_vec() }.sorted());
                        }
                    }
                }
            }
        }
        false
    }
}

/// A line of which it is known what may be at each place: a word for each slice.
#[derive(Default)]
struct Corner {
    /// By place: for each slice the number of its word; and the words.
    numbers: [Vec<u32>; 3],
    known: [Vec<Word>; 3],
    /// For each first and second word where the set of the slices is that have a third one in `sets`; `NONE` if it is not made yet.
    made: Vec<u32>,
    sets: Vec<u64>,
    goes: Vec<bool>,
}

/// That set is empty.
const EMPTY: u32 = NONE - 1;

impl Corner {
    fn read(&mut self, place: usize, words: impl Iterator<Item = Word>, marks: &mut [u32]) {
        let (numbers, known) = (&mut self.numbers[place], &mut self.known[place]);
        numbers.clear();
        known.clear();
        for word in words {
            let mark = &mut marks[word as usize];
            if *mark == NONE {
                *mark = known.len() as u32;
                known.push(word);
            }
            numbers.push(*mark);
        }
        known.iter().for_each(|&word| marks[word as usize] = NONE);
    }

    fn begin(&mut self) {
        self.made.clear();
        self.made.resize(self.known[0].len() * self.known[1].len(), NONE);
        self.sets.clear();
    }

    /// The words of three slices.
    fn words(&self, slices: [usize; 3]) -> [Word; 3] {
        std::array::from_fn(|at| self.known[at][self.numbers[at][slices[at]] as usize])
    }

    /// Where the set of the slices is that have a third word for the first and the second one; `None` if there are none.
    #[inline]
    fn set(
        &mut self,
        corpus: &Corpus,
        phrases: &Phrases,
        a: usize,
        b: usize,
        length: usize,
    ) -> Option<usize> {
        let at = self.numbers[0][a] as usize * self.known[1].len() + self.numbers[1][b] as usize;
        if self.made[at] == NONE {
            self.made[at] = self.make(corpus, phrases, at, length).map_or(EMPTY, |from| from as u32);
        }
        (self.made[at] != EMPTY).then_some(self.made[at] as usize)
    }

    fn make(&mut self, corpus: &Corpus, phrases: &Phrases, at: usize, length: usize) -> Option<usize> {
        let (a, b) = (self.known[0][at / self.known[1].len()], self.known[1][at % self.known[1].len()]);
        if !corpus.follows(a, b) {
            return None;
        }
        let line = phrases.line(corpus, a, b);
        let first = corpus.forward.first_bigram(b);
        self.goes.clear();
        self.goes.extend(self.known[2].iter().map(|&c| {
            corpus.follows(b, c)
                && corpus.forward.bigram(b, c).is_some_and(|id| phrases.has(line, id - first))
        }));
        if !self.goes.contains(&true) {
            return None;
        }
        let from = self.sets.len();
        self.sets.resize(from + length, 0);
        for (i, &number) in self.numbers[2].iter().enumerate() {
            self.sets[from + i / 64] |= u64::from(self.goes[number as usize]) << (i % 64);
        }
        Some(from)
    }
}

/// Whether no word is twice in a shell of a 3x3x3.
fn are_distinct(words: &[Word; 27]) -> bool {
    let mut shells: [(usize, Word); 27] = std::array::from_fn(|at| (at / 9 + at / 3 % 3 + at % 3, words[at]));
    shells.sort_unstable();
    shells.windows(2).all(|pair| pair[0] != pair[1])
}
