//! The 3x3x3 of three lines through a word, layer by layer.
//!
//! One of the three lines is the *pole*. The layer through the word is a 3x3 of the other two lines, the *equator*. The layer over another
//! word of the pole has two lines that are beside the pole, so what is around them is a 3x3 again. Those of two lines are sought once
//! for all threes of the same rarest word. The two layers go together if at each of the four corners there is a word for the third layer; this is asked
//! for each two words once, and answered for all equators with this word by a bit each. For what is left the third layer is closed by its two
//! lines beside the pole, of which those on the other side say what they may be.
//!
//! Guarantee: each 3x3x3 with words up to the given one is found, once for each 3x3 of its lines. Costs: some microseconds to milliseconds for three lines;
//! figures in docs/optimal.md. Memory: the layers that are kept, up to a bound.

use std::ops::ControlFlow;

use super::layers::Layers;
use super::lexicon::{Lexicon, OTHERS, Ones, Sets, contains};
use super::star::{Side, Spoke, Star};
use crate::optimum::corpus::Word;
use crate::optimum::work::Work;

/// A 3x3x3: the 3x3 of its first two spokes, of the first and the third, and of the other two; and the eight corners, along the first
/// spoke's other places first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cube {
    pub(super) squares: [u32; 3],
    pub(super) corners: [Word; 8],
}

/// Where the 3x3 of two of three spokes is in a [`Cube`].
pub(super) fn pair(a: usize, b: usize) -> usize {
    a + b - 1
}

/// Of three pairs, which of their 3x3 may be used; all where there is none.
pub(super) type Allowed<'a> = [Option<&'a [bool]>; 3];

/// Equators that are looked at in one go: a bit each.
const CHUNK: usize = 64;

/// Finds the 3x3x3 of one star after the other; one for each thread.
#[derive(Debug)]
pub(super) struct Cubes<'a> {
    lexicon: &'a Lexicon,
    work: &'a Work<'a>,
    sets: Sets<'a>,
    layers: Layers<'a>,
    scratch: Scratch,
}

/// What is known of the two lines that are looked at, kept for its room.
#[derive(Debug, Default)]
struct Scratch {
    /// By word, for each corner when it was met there last, and its place in `met`.
    marks: Vec<[(u32, u32); 4]>,
    time: u32,
    /// For each word that was met at a corner of a near layer: the equators it goes with, and where its lists begin.
    met: Vec<(u64, u32)>,
    /// For each of these and each word of the equators there, the words that may come in the far layer, up to here.
    ends: Vec<u32>,
    thirds: Vec<Word>,
    /// For each near layer the equators that go with it.
    masks: Vec<u64>,
    /// The lines on the far side that go with a near layer, of each of the two.
    fars: [Vec<u32>; 2],
    /// By corner what is left for the far layer: after the layers, and after the first line in it.
    left: [[Vec<Word>; 4]; 2],
    /// For both ends of that line the pairs of corners that go with it.
    pairs: [Vec<[Word; 2]>; 2],
}

/// Where three lines cross and what is beside them, seen from a pole.
struct View<'a> {
    /// The pole and the other two.
    spokes: [Spoke; 3],
    /// The places of the layers on the pole: with the word, the near and the far one.
    at: usize,
    near: usize,
    far: usize,
    /// The other places on the other two.
    others: [[usize; 2]; 2],
    /// What is beside the pole at the near layer, of each of the other two.
    sides: [&'a [Side]; 2],
    allowed: [Option<&'a [bool]>; 2],
    /// The shell of the word.
    sum: usize,
    /// The greatest word that may be used.
    last: Word,
    /// For each corner of the far layer, which of the near one and of the equator are in its shell.
    same: [[u8; 2]; 4],
}

/// Some equators, and which have a word at a corner.
struct Equators<'a> {
    corners: &'a [[Word; 4]],
    numbers: &'a [u32],
    /// For each corner its words, with the equators that have it.
    words: [Vec<(Word, u64)>; 4],
    /// For each equator and corner which of these it has.
    which: Vec<[u8; 4]>,
    all: u64,
}

impl<'a> Equators<'a> {
    fn new(corners: &'a [[Word; 4]], numbers: &'a [u32]) -> Self {
        let mut words: [Vec<(Word, u64)>; 4] = Default::default();
        let mut which = vec![[0; 4]; corners.len()];
        for (bit, (corners, which)) in corners.iter().zip(&mut which).enumerate() {
            for k in 0..4 {
                let at = words[k].iter().position(|known| known.0 == corners[k]).unwrap_or_else(|| {
                    words[k].push((corners[k], 0));
                    words[k].len() - 1
                });
                words[k][at].1 |= 1 << bit;
                which[k] = at as u8;
            }
        }
        let all = if corners.len() == CHUNK { !0 } else { (1 << corners.len()) - 1 };
        Self { corners, numbers, words, which, all }
    }
}

impl View<'_> {
    /// The shell of a corner, or of a cell beside the pole, in a layer.
    #[inline]
    fn corner(&self, layer: usize, k: usize) -> usize {
        layer + self.others[0][k >> 1] + self.others[1][k & 1]
    }

    /// The shells of the words of a line beside the pole: it goes along the first or second of the other two.
    #[inline]
    fn beside(&self, layer: usize, along: usize) -> [usize; 2] {
        let across = self.spokes[2 - along].at;
        self.others[along].map(|place| layer + place + across)
    }

    /// Whether a word is in a shell of the three lines.
    fn on_lines(&self, shell: usize, word: Word) -> bool {
        self.spokes.iter().any(|spoke| {
            shell.checked_sub(self.sum - spoke.at).and_then(|place| spoke.line.get(place)) == Some(&word)
        })
    }

    /// The equators that have a word in a shell.
    #[inline]
    fn clash(&self, equators: &Equators<'_>, shell: usize, word: Word) -> u64 {
        let mut mask = 0;
        for k in 0..4 {
            if self.corner(self.at, k) == shell {
                for known in &equators.words[k] {
                    if known.0 == word {
                        mask |= known.1;
                    }
                }
            }
        }
        mask
    }

    /// What two lines beside the pole, and what goes with them on the far side, leave for the far layer; whether each corner has something.
    fn third(&self, first: &Beside, second: &Beside, third: &mut [Vec<u64>; 4]) -> bool {
        third.iter_mut().enumerate().all(|(k, third)| {
            third.clear();
            third.extend(first.either[k].iter().zip(&second.either[k]).map(|(a, b)| a & b));
            let shell = self.corner(self.far, k);
            for spoke in &self.spokes {
                if let Some(&word) =
                    shell.checked_sub(self.sum - spoke.at).and_then(|place| spoke.line.get(place))
                {
                    clear(third, word);
                }
            }
            for (along, side) in [first, second].into_iter().enumerate() {
                for (beside, &word) in self.beside(self.near, along).iter().zip(&side.words) {
                    if *beside == shell {
                        clear(third, word);
                    }
                }
            }
            third.iter().any(|&bits| bits != 0)
        })
    }
}

impl<'a> Cubes<'a> {
    /// Which keeps about so many layers.
    pub(super) fn new(lexicon: &'a Lexicon, most: usize, work: &'a Work<'a>) -> Self {
        let scratch = Scratch { marks: vec![[(0, 0); 4]; lexicon.words], ..Scratch::default() };
        Self { lexicon, work, sets: Sets::new(lexicon), layers: Layers::new(lexicon, most), scratch }
    }

    /// Begins with a star.
    pub(super) fn begin(&mut self, star: &Star) {
        self.sets.begin(star.word);
        self.layers.clear();
    }

    /// What it may cost to look at three lines, of whose pairs at most so many 3x3 may be used: a number that grows with it, and how to look at them
    /// then, which is twice the place of the pole and the side of the near layer.
    pub(super) fn cost(star: &Star, three: [usize; 3], counts: [usize; 3]) -> (u64, u8) {
        let cost = |view: u8| {
            let (pole, near) = (view as usize / 2, view as usize % 2);
            let [first, second] = OTHERS[pole];
            let sides = |other: usize| {
                star.sides(three[pole], three[other], near).len().min(counts[pair(pole, other)]) as u64
            };
            (sides(first) * sides(second), view)
        };
        (0..6).map(cost).min().unwrap_or_default()
    }

    /// Calls `each` with every 3x3x3 of three spokes until it says that it is enough. Ends too when it is asked to stop: then there may be more.
    pub(super) fn find(
        &mut self,
        star: &Star,
        three: [usize; 3],
        view: u8,
        allowed: Allowed<'_>,
        each: &mut dyn FnMut(Cube) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (pole, near) = (view as usize / 2, view as usize % 2);
        let [first, second] = OTHERS[pole];
        let [x, y, z] = [three[pole], three[first], three[second]];
        let spokes = [star.spokes[x], star.spokes[y], star.spokes[z]];
        let of = |a: usize, b: usize| allowed[pair(a, b)];
        let mut seen = View {
            spokes,
            sum: spokes.iter().map(|spoke| spoke.at).sum(),
            last: star.word,
            same: [[0; 2]; 4],
            at: spokes[0].at,
            near: OTHERS[spokes[0].at][near],
            far: OTHERS[spokes[0].at][1 - near],
            others: [OTHERS[spokes[1].at], OTHERS[spokes[2].at]],
            sides: [star.sides(x, y, near), star.sides(x, z, near)],
            allowed: [of(pole, first), of(pole, second)],
        };
        for k in 0..4 {
            let shell = seen.corner(seen.far, k);
            seen.same[k] = [seen.near, seen.at].map(|layer| {
                (0..4).filter(|&m| seen.corner(layer, m) == shell).fold(0, |same, m| same | 1 << m)
            });
        }
        let (mut corners, mut numbers) = (vec![], vec![]);
        for (number, square) in (0..).zip(&star.pair(y, z).corners) {
            if of(first, second).is_none_or(|allowed| allowed[number as usize]) {
                corners.push(*square);
                numbers.push(number);
            }
        }
        // The corners as seen from the pole to the order of the spokes.
        let strides = [4, 2, 1];
        let mut each = |squares: [u32; 3], near_corners: [Word; 4], far_corners: [Word; 4]| {
            let mut cube = Cube { squares: [0; 3], corners: [0; 8] };
            cube.squares[pair(pole, first)] = squares[0];
            cube.squares[pair(pole, second)] = squares[1];
            cube.squares[pair(first, second)] = squares[2];
            for k in 0..4 {
                let at = (k >> 1) * strides[first] + (k & 1) * strides[second];
                cube.corners[at + near * strides[pole]] = near_corners[k];
                cube.corners[at + (1 - near) * strides[pole]] = far_corners[k];
            }
            each(cube)
        };
        for (corners, numbers) in corners.chunks(CHUNK).zip(numbers.chunks(CHUNK)) {
            self.look(&seen, &Equators::new(corners, numbers), &mut each)?;
        }
        ControlFlow::Continue(())
    }

    fn look(&mut self, view: &View<'_>, equators: &Equators<'_>, each: &mut Each<'_>) -> ControlFlow<()> {
        // Equators without a word of a line in its shell.
        let mut base = equators.all;
        for spoke in &view.spokes {
            for place in 0..3 {
                base &= !view.clash(equators, view.sum - spoke.at + place, spoke.line[place]);
            }
        }
        if base == 0 {
            return ControlFlow::Continue(());
        }
        let [firsts, seconds] = [0, 1].map(|along| self.besides(view, equators, along, base));
        let mut third: [Vec<u64>; 4] = Default::default();
        for first in &firsts {
            if self.work.check().is_err() {
                return ControlFlow::Break(());
            }
            for second in &seconds {
                let mask = first.mask & second.mask;
                if mask == 0
                    || clash(view.beside(view.near, 0), first.words, view.beside(view.near, 1), second.words)
                {
                    continue;
                }
                let layers = self.layers.of(&mut self.sets, first.crossing, second.crossing);
                if layers.is_empty() || !view.third(first, second, &mut third) {
                    continue;
                }
                let near = Near { view, equators, sides: [first, second], mask, third: &third };
                self.scratch.close(self.lexicon, &self.sets, &near, layers, each)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// The lines beside the pole at the near layer, along one of the other two.
    fn besides(&mut self, view: &View<'_>, equators: &Equators<'_>, along: usize, base: u64) -> Vec<Beside> {
        let across = view.spokes[2 - along];
        let (near, far) = (view.beside(view.near, along), view.beside(view.far, along));
        let free = |shells: [usize; 2], words: [Word; 2]| (0..2).all(|i| !view.on_lines(shells[i], words[i]));
        let without = |shells: [usize; 2], words: [Word; 2]| {
            !view.clash(equators, shells[0], words[0]) & !view.clash(equators, shells[1], words[1])
        };
        let mut besides = vec![];
        for side in view.sides[along].iter().filter(|side| free(near, side.words)) {
            let here = base & without(near, side.words);
            let mut beside = Beside {
                crossing: side.crossing,
                words: side.words,
                mask: 0,
                fars: vec![],
                either: [0; 4].map(|_| vec![0; self.sets.width()]),
            };
            for rest in &side.rests {
                if view.allowed[along].is_some_and(|allowed| !allowed[rest.square as usize])
                    || !free(far, rest.words)
                {
                    continue;
                }
                let mask = here & without(far, rest.words);
                if mask == 0 {
                    continue;
                }
                beside.mask |= mask;
                let mut rows = [0; 4];
                for (k, row) in rows.iter_mut().enumerate() {
                    // Corners go along the first of the two.
                    let (end, other) = if along == 0 { (k >> 1, k & 1) } else { (k & 1, k >> 1) };
                    *row = self.sets.row(across.at, rest.words[end], OTHERS[across.at][other]);
                    beside.either[k]
                        .iter_mut()
                        .zip(self.sets.set(*row))
                        .for_each(|(either, bits)| *either |= bits);
                }
                beside.fars.push(Far { words: rest.words, square: rest.square, mask, rows });
            }
            if beside.mask != 0 {
                besides.push(beside);
            }
        }
        besides
    }
}

/// Two lines beside the pole at the near layer, and what goes with them.
struct Near<'a> {
    view: &'a View<'a>,
    equators: &'a Equators<'a>,
    sides: [&'a Beside; 2],
    mask: u64,
    /// What may be at the corners of the far layer.
    third: &'a [Vec<u64>; 4],
}

impl Scratch {
    fn begin(&mut self, layers: usize, mask: u64) {
        if self.time == u32::MAX {
            self.marks.fill([(0, 0); 4]);
            self.time = 0;
        }
        self.time += 1;
        self.met.clear();
        self.ends.clear();
        self.thirds.clear();
        self.masks.clear();
        self.masks.resize(layers, mask);
    }

    /// The 3x3x3 with two lines beside the pole.
    fn close(
        &mut self,
        lexicon: &Lexicon,
        sets: &Sets<'_>,
        near: &Near<'_>,
        layers: &[[Word; 4]],
        each: &mut Each<'_>,
    ) -> ControlFlow<()> {
        let Near { view, sides, .. } = near;
        let swapped = sides[0].crossing > sides[1].crossing;
        self.begin(layers.len(), near.mask);
        for k in 0..4 {
            let of = if swapped { [0, 2, 1, 3][k] } else { k };
            let mut some = 0;
            for (n, layer) in layers.iter().enumerate() {
                if self.masks[n] != 0 {
                    self.masks[n] &= self.met(lexicon, near, k, layer[of]);
                    some |= self.masks[n];
                }
            }
            if some == 0 {
                return ControlFlow::Continue(());
            }
        }
        for (n, layer) in layers.iter().enumerate() {
            let mut mask = self.masks[n];
            if mask == 0 {
                continue;
            }
            let layer = if swapped { [layer[0], layer[2], layer[1], layer[3]] } else { *layer };
            for along in 0..2 {
                let shells = view.beside(view.far, along);
                let other = (view.beside(view.near, 1 - along), sides[1 - along].words);
                let fars = &mut self.fars[along];
                fars.clear();
                let mut together = 0;
                for (i, far) in (0..).zip(&sides[along].fars) {
                    if far.mask & mask != 0
                        && !clash(shells, far.words, other.0, other.1)
                        && (0..4).all(|m| {
                            (0..2).all(|i| far.words[i] != layer[m] || shells[i] != view.corner(view.near, m))
                        })
                    {
                        together |= far.mask;
                        fars.push(i);
                    }
                }
                mask &= together;
            }
            for bit in Ones(mask) {
                if self.after_layers(near, &layer, bit) {
                    self.far(lexicon, sets, near, &layer, bit, each)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// The equators that go with a word at a corner of the near layer.
    #[inline]
    fn met(&mut self, lexicon: &Lexicon, near: &Near<'_>, k: usize, word: Word) -> u64 {
        let (time, place) = self.marks[word as usize][k];
        if time == self.time {
            return self.met[place as usize].0;
        }
        self.marks[word as usize][k] = (self.time, self.met.len() as u32);
        let Near { view, equators, third, .. } = near;
        let shell = view.corner(view.near, k);
        let mut mask = 0;
        let start = self.ends.len() as u32;
        if !view.on_lines(shell, word) {
            let (third, last) = (&third[k], view.last);
            for &(other, having) in &equators.words[k] {
                let from = self.thirds.len();
                if having & near.mask != 0 {
                    let completions = lexicon.completions(view.at, other, view.near, word);
                    let fits = |&&far: &&Word| third[far as usize / 64] >> (far % 64) & 1 == 1;
                    self.thirds.extend(completions.iter().take_while(|&&far| far <= last).filter(fits));
                }
                if self.thirds.len() > from {
                    mask |= having;
                }
                self.ends.push(self.thirds.len() as u32);
            }
            mask &= !view.clash(equators, shell, word);
        }
        self.met.push((mask, start));
        mask
    }

    /// What is left for the corners of the far layer after those of the other two; whether each has something.
    #[inline]
    fn after_layers(&mut self, near: &Near<'_>, layer: &[Word; 4], bit: usize) -> bool {
        let Near { view, equators, .. } = near;
        let equator = &equators.corners[bit];
        for k in 0..4 {
            let (_, start) = self.met[self.marks[layer[k] as usize][k].1 as usize];
            let at = start as usize + equators.which[bit][k] as usize;
            let from = if at == 0 { 0 } else { self.ends[at - 1] };
            let left = &mut self.left[0][k];
            left.clear();
            for &far in &self.thirds[from as usize..self.ends[at] as usize] {
                let taken = (0..4).any(|m| {
                    (layer[m] == far && view.same[k][0] >> m & 1 == 1)
                        || (equator[m] == far && view.same[k][1] >> m & 1 == 1)
                });
                if !taken {
                    left.push(far);
                }
            }
            if left.is_empty() {
                return false;
            }
        }
        true
    }

    /// Pairs of corners of the far layer, at each end of the first line in it, from what is left for each; whether both ends have some.
    #[inline]
    fn ends_of(&mut self, lexicon: &Lexicon, sets: &Sets<'_>, view: &View<'_>, first: &Far) -> bool {
        let shells = view.beside(view.far, 0);
        for k in 0..4 {
            let shell = view.corner(view.far, k);
            let [same0, same1] = [0, 1].map(|i| if shells[i] == shell { first.words[i] } else { Word::MAX });
            let [before, after] = &mut self.left;
            after[k].clear();
            for &word in &before[k] {
                if sets.has(first.rows[k], word) && word != same0 && word != same1 {
                    after[k].push(word);
                }
            }
            if after[k].is_empty() {
                return false;
            }
        }
        let at = view.spokes[2].at;
        for end in 0..2 {
            let pairs = &mut self.pairs[end];
            pairs.clear();
            for &one in &self.left[1][end * 2] {
                let others = lexicon.completions(at, first.words[end], OTHERS[at][0], one);
                if !others.is_empty() {
                    for &other in &self.left[1][end * 2 + 1] {
                        if contains(others, other) {
                            pairs.push([one, other]);
                        }
                    }
                }
            }
            if pairs.is_empty() {
                return false;
            }
        }
        true
    }

    /// Closes the far layer.
    fn far(
        &mut self,
        lexicon: &Lexicon,
        sets: &Sets<'_>,
        near: &Near<'_>,
        layer: &[Word; 4],
        bit: usize,
        each: &mut Each<'_>,
    ) -> ControlFlow<()> {
        let Near { view, equators, sides, .. } = near;
        let shells = [0, 1].map(|along| view.beside(view.far, along));
        let at = view.spokes[1].at;
        let corners = [0, 1, 2, 3].map(|k| view.corner(view.far, k));
        for i in 0..self.fars[0].len() {
            let first = &sides[0].fars[self.fars[0][i] as usize];
            if first.mask >> bit & 1 == 0 || !self.ends_of(lexicon, sets, view, first) {
                continue;
            }
            for second in self.fars[1].iter().map(|&far| &sides[1].fars[far as usize]) {
                if second.mask >> bit & 1 == 0 || clash(shells[0], first.words, shells[1], second.words) {
                    continue;
                }
                let rows = second.rows;
                let fits = |end: usize, pair: &&[Word; 2]| {
                    sets.has(rows[end * 2], pair[0]) && sets.has(rows[end * 2 + 1], pair[1])
                };
                for upper in self.pairs[0].iter().filter(|pair| fits(0, pair)) {
                    let below =
                        [0, 1].map(|l| lexicon.completions(at, second.words[l], OTHERS[at][0], upper[l]));
                    if below[0].is_empty() || below[1].is_empty() {
                        continue;
                    }
                    for lower in self.pairs[1].iter().filter(|pair| fits(1, pair)) {
                        let far = [upper[0], upper[1], lower[0], lower[1]];
                        let twice = || {
                            (0..4).any(|k| {
                                (0..k).any(|m| far[k] == far[m] && corners[k] == corners[m])
                                    || (0..2).any(|l| far[k] == second.words[l] && corners[k] == shells[1][l])
                            })
                        };
                        if contains(below[0], lower[0]) && contains(below[1], lower[1]) && !twice() {
                            each([first.square, second.square, equators.numbers[bit]], *layer, far)?;
                        }
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// Takes the 3x3 of a 3x3x3 and its corners in the near and the far layer, as seen from the pole.
type Each<'a> = dyn FnMut([u32; 3], [Word; 4], [Word; 4]) -> ControlFlow<()> + 'a;

/// Whether two lines have a word in the same shell.
#[inline]
fn clash(shells: [usize; 2], words: [Word; 2], others: [usize; 2], second: [Word; 2]) -> bool {
    (0..2).any(|i| (0..2).any(|j| words[i] == second[j] && shells[i] == others[j]))
}

#[inline]
fn clear(set: &mut [u64], word: Word) {
    if let Some(bits) = set.get_mut(word as usize / 64) {
        *bits &= !(1 << (word % 64));
    }
}

/// A line beside the pole at the near layer, and what may be on the far side.
struct Beside {
    crossing: u32,
    words: [Word; 2],
    /// Equators that go with it and some line on the far side.
    mask: u64,
    fars: Vec<Far>,
    /// By corner what the lines on the far side leave there.
    either: [Vec<u64>; 4],
}

/// A line on the far side.
struct Far {
    words: [Word; 2],
    square: u32,
    /// Equators that go with it.
    mask: u64,
    /// By corner the row of what may be there.
    rows: [u32; 4],
}
