//! The 3x3x3 of three lines through a word, layer by layer.
//!
//! One of the three lines is the *pole*. The layer through the word is a 3x3 of the other two lines, the *equator*. The layer over another
//! word of the pole has two lines that are beside the pole, so what is around them is a 3x3 again. Those of two lines are sought once
//! for all threes of the same rarest word. The two layers go together if at each of the four corners there is a word for the third layer, of those that
//! some lines on its far side leave; this is asked for each two words once, and answered for all equators with this word by a bit each. For what is left
//! the far layer is closed around its two lines beside the pole, of which each leaves some words for each corner.
//!
//! Guarantee: each 3x3x3 with words up to the given one is found, once for each 3x3 of its lines. Costs: some microseconds to milliseconds for three lines;
//! figures in docs/optimal.md. Memory: the layers that are kept, up to a bound.

use std::ops::ControlFlow;

use super::around::{Around, Crossing};
use super::layers::Layers;
use super::lexicon::{Lexicon, OTHERS, Sets, Spoke};
use super::sets::{
    BLOCK, Block, NONE, Ones, and, any, corner, corner_mut, count, has, insert, intersect, is_empty, or,
    remove, without, words,
};
use super::star::{Side, Star};
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
    /// For each word that was met at a corner of a near layer the equators that it goes with.
    met: Vec<Block>,
    /// The words of the equators at the corner that is looked at, with those that are left.
    equators: Vec<(Word, Block)>,
    /// For each near layer the equators that go with it.
    masks: Vec<Block>,
    /// The lines on the far side that go with a near layer, of each of the two.
    fars: [Vec<u32>; 2],
    /// Those of the second that go with an equator too.
    seconds: Vec<u32>,
    /// By corner what may be in the far layer: after the other two layers, after the first line in it, and after both.
    left: [Vec<Block>; 3],
    around: Around,
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
    /// For each corner of the far layer, which of the near one and of the equator are in its shell.
    same: [[u8; 2]; 4],
}

/// Some equators, and which have a word at a corner.
struct Equators<'a> {
    corners: &'a [[Word; 4]],
    numbers: &'a [u32],
    /// For each corner its words, with the equators that have it.
    words: [Vec<(Word, Block)>; 4],
    all: Block,
}

impl<'a> Equators<'a> {
    fn new(corners: &'a [[Word; 4]], numbers: &'a [u32]) -> Self {
        let mut words: [Vec<(Word, Block)>; 4] = Default::default();
        for (bit, corners) in (0..).zip(corners) {
            for k in 0..4 {
                let at = words[k].iter().position(|known| known.0 == corners[k]).unwrap_or_else(|| {
                    words[k].push((corners[k], NONE));
                    words[k].len() - 1
                });
                insert(std::slice::from_mut(&mut words[k][at].1), bit);
            }
        }
        let mut all = [NONE];
        (0..corners.len() as Word).for_each(|bit| insert(&mut all, bit));
        Self { corners, numbers, words, all: all[0] }
    }
}

impl View<'_> {
    /// The shell of a corner, or of a cell beside the pole, in a layer.
    #[inline]
    fn shell(&self, layer: usize, k: usize) -> usize {
        layer + self.others[0][k >> 1] + self.others[1][k & 1]
    }

    /// The shells of the words of a line beside the pole: it goes along the first or second of the other two.
    #[inline]
    fn beside(&self, layer: usize, along: usize) -> [usize; 2] {
        let across = self.spokes[2 - along].at;
        self.others[along].map(|place| layer + place + across)
    }

    /// The words of the three lines in a shell.
    fn on_lines(&self, shell: usize) -> impl Iterator<Item = Word> + '_ {
        self.spokes
            .iter()
            .filter_map(move |spoke| spoke.line.get(shell.checked_sub(self.sum - spoke.at)?).copied())
    }

    /// The equators that have a word in a shell.
    #[inline]
    fn clash(&self, equators: &Equators<'_>, shell: usize, word: Word) -> Block {
        let mut mask = NONE;
        for k in 0..4 {
            if self.shell(self.at, k) == shell {
                for known in &equators.words[k] {
                    if known.0 == word {
                        mask = or(&mask, &known.1);
                    }
                }
            }
        }
        mask
    }

    /// What two lines beside the pole, and what goes with them on the far side, leave for the far layer; whether each corner has something.
    fn third(&self, sides: [&Beside; 2], third: &mut [Block]) -> bool {
        (0..4).all(|k| {
            let [first, second] = sides.map(|side| corner(&side.either, k));
            let third = corner_mut(third, k);
            let some = intersect(first, second, third);
            for (along, side) in sides.into_iter().enumerate() {
                self.clear(third, k, self.beside(self.near, along), side.words);
            }
            some
        })
    }

    /// Takes from what may be at a corner of the far layer the words of a line that are in its shell.
    fn clear(&self, set: &mut [Block], k: usize, shells: [usize; 2], words: [Word; 2]) {
        let shell = self.shell(self.far, k);
        for (other, word) in shells.into_iter().zip(words) {
            if other == shell {
                remove(set, word);
            }
        }
    }
}

impl<'a> Cubes<'a> {
    /// Which keeps about so many layers.
    pub(super) fn new(lexicon: &'a Lexicon, most: usize, work: &'a Work<'a>) -> Self {
        let scratch = Scratch { marks: vec![[(0, 0); 4]; lexicon.words], ..Scratch::default() };
        Self { lexicon, work, sets: Sets::new(lexicon), layers: Layers::new(lexicon, most), scratch }
    }

    /// Begins with the star of a word; with the sets of the words that may be used.
    pub(super) fn begin(&mut self, word: Word) -> &mut Sets<'a> {
        self.sets.begin(word);
        self.layers.clear();
        &mut self.sets
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
            same: [[0; 2]; 4],
            at: spokes[0].at,
            near: OTHERS[spokes[0].at][near],
            far: OTHERS[spokes[0].at][1 - near],
            others: [OTHERS[spokes[1].at], OTHERS[spokes[2].at]],
            sides: [star.sides(x, y, near), star.sides(x, z, near)],
            allowed: [of(pole, first), of(pole, second)],
        };
        for k in 0..4 {
            let shell = seen.shell(seen.far, k);
            seen.same[k] = [seen.near, seen.at].map(|layer| {
                (0..4).filter(|&m| seen.shell(layer, m) == shell).fold(0, |same, m| same | 1 << m)
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
        for (corners, numbers) in corners.chunks(BLOCK).zip(numbers.chunks(BLOCK)) {
            self.look(&seen, &Equators::new(corners, numbers), &mut each)?;
        }
        ControlFlow::Continue(())
    }

    fn look(&mut self, view: &View<'_>, equators: &Equators<'_>, each: &mut Each<'_>) -> ControlFlow<()> {
        // Equators without a word of a line in its shell.
        let mut base = equators.all;
        for spoke in &view.spokes {
            for place in 0..3 {
                base = without(&base, &view.clash(equators, view.sum - spoke.at + place, spoke.line[place]));
            }
        }
        if !any(&base) {
            return ControlFlow::Continue(());
        }
        let [firsts, seconds] = [0, 1].map(|along| self.besides(view, equators, along, base));
        let mut third = vec![NONE; 4 * self.sets.width()];
        for first in &firsts {
            if self.work.check().is_err() {
                return ControlFlow::Break(());
            }
            for second in &seconds {
                let mask = and(&first.mask, &second.mask);
                if !any(&mask) {
                    continue;
                }
                // Two lines with a word in the same shell have none.
                let layers = self.layers.of(&mut self.sets, first.crossing, second.crossing);
                if layers.is_empty() || !view.third([first, second], &mut third) {
                    continue;
                }
                let near = Near { view, equators, sides: [first, second], mask, third: &third };
                self.scratch.close(self.lexicon, &near, layers, each)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// The lines beside the pole at the near layer, along one of the other two.
    fn besides(
        &mut self,
        view: &View<'_>,
        equators: &Equators<'_>,
        along: usize,
        base: Block,
    ) -> Vec<Beside> {
        let across = view.spokes[2 - along];
        let (near, far) = (view.beside(view.near, along), view.beside(view.far, along));
        let free = |shells: [usize; 2], words: [Word; 2]| {
            (0..2).all(|i| view.on_lines(shells[i]).all(|word| word != words[i]))
        };
        let apart = |mask: Block, shells: [usize; 2], words: [Word; 2]| {
            let mask = without(&mask, &view.clash(equators, shells[0], words[0]));
            without(&mask, &view.clash(equators, shells[1], words[1]))
        };
        let mut besides = vec![];
        for side in view.sides[along].iter().filter(|side| free(near, side.words)) {
            let here = apart(base, near, side.words);
            let width = self.sets.width();
            let mut beside = Beside {
                crossing: side.crossing,
                words: side.words,
                mask: NONE,
                fars: vec![],
                sets: vec![],
                either: vec![NONE; 4 * width],
            };
            for rest in &side.rests {
                if view.allowed[along].is_some_and(|allowed| !allowed[rest.square as usize])
                    || !free(far, rest.words)
                {
                    continue;
                }
                let mask = apart(here, far, rest.words);
                if !any(&mask) {
                    continue;
                }
                beside.mask = or(&beside.mask, &mask);
                let from = beside.sets.len();
                for k in 0..4 {
                    // Corners go along the first of the two.
                    let (end, other) = if along == 0 { (k >> 1, k & 1) } else { (k & 1, k >> 1) };
                    let row = self.sets.row(across.at, rest.words[end], OTHERS[across.at][other]);
                    beside.sets.extend_from_slice(self.sets.set(row));
                    let set = &mut beside.sets[from + k * width..];
                    view.clear(set, k, far, rest.words);
                    view.on_lines(view.shell(view.far, k)).for_each(|word| remove(set, word));
                }
                for (either, set) in beside.either.iter_mut().zip(&beside.sets[from..]) {
                    *either = or(either, set);
                }
                beside.fars.push(Far { words: rest.words, square: rest.square, mask });
            }
            if any(&beside.mask) {
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
    mask: Block,
    /// What may be at the corners of the far layer.
    third: &'a [Block],
}

impl Near<'_> {
    /// What one line on the far side leaves for the far layer: whether each corner has something, and each of its ends two that go together.
    #[inline]
    fn leaves(
        &self,
        lexicon: &Lexicon,
        along: usize,
        far: u32,
        before: &[Block],
        after: &mut [Block],
    ) -> bool {
        let Near { view, sides, third, .. } = self;
        let sets = &sides[along].sets[far as usize * third.len()..][..third.len()];
        if !(0..4).all(|k| intersect(corner(before, k), corner(sets, k), corner_mut(after, k))) {
            return false;
        }
        let line = sides[along].fars[far as usize].words;
        let at = view.spokes[2 - along].at;
        (0..2).all(|end| {
            let [one, other] = if along == 0 { [end * 2, end * 2 + 1] } else { [end, end + 2] };
            let others = corner(after, other);
            words(corner(after, one)).any(|word| lexicon.meet(at, line[end], OTHERS[at][0], word, others))
        })
    }
}

impl Scratch {
    fn begin(&mut self, layers: usize, near: &Near<'_>) {
        if self.time == u32::MAX {
            self.marks.fill([(0, 0); 4]);
            self.time = 0;
        }
        self.time += 1;
        self.met.clear();
        self.masks.clear();
        self.masks.resize(layers, near.mask);
        for left in &mut self.left {
            left.resize(near.third.len(), NONE);
        }
    }

    /// The 3x3x3 with two lines beside the pole.
    fn close(
        &mut self,
        lexicon: &Lexicon,
        near: &Near<'_>,
        layers: &[[Word; 4]],
        each: &mut Each<'_>,
    ) -> ControlFlow<()> {
        let swapped = near.sides[0].crossing > near.sides[1].crossing;
        self.begin(layers.len(), near);
        // The corners with the fewest words in the far layer leave the fewest equators for the others.
        let mut order = [0, 1, 2, 3];
        order.sort_by_key(|&k| count(corner(near.third, k)));
        let mut still = near.mask;
        for k in order {
            let of = if swapped { [0, 2, 1, 3][k] } else { k };
            let mut some = NONE;
            self.equators.clear();
            let left = near.equators.words[k].iter().map(|(word, having)| (*word, and(having, &still)));
            self.equators.extend(left.filter(|(_, having)| any(having)));
            for (n, layer) in layers.iter().enumerate() {
                if any(&self.masks[n]) {
                    let met = self.met(lexicon, near, k, layer[of]);
                    self.masks[n] = and(&self.masks[n], &met);
                    some = or(&some, &self.masks[n]);
                }
            }
            if !any(&some) {
                return ControlFlow::Continue(());
            }
            still = some;
        }
        for (n, layer) in layers.iter().enumerate() {
            let mask = self.masks[n];
            if !any(&mask) {
                continue;
            }
            let layer = if swapped { [layer[0], layer[2], layer[1], layer[3]] } else { *layer };
            for bit in words(&[self.beyond(near, &layer, mask)]) {
                if self.after_layers(lexicon, near, &layer, bit) {
                    self.far(lexicon, near, &layer, bit, each)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// The equators that go with a word at a corner of the near layer.
    #[inline]
    fn met(&mut self, lexicon: &Lexicon, near: &Near<'_>, k: usize, word: Word) -> Block {
        let (time, place) = self.marks[word as usize][k];
        if time == self.time {
            return self.met[place as usize];
        }
        let Near { view, equators, third, .. } = near;
        let shell = view.shell(view.near, k);
        let mut mask = NONE;
        if view.on_lines(shell).all(|other| other != word) {
            mask = lexicon.meeting(view.at, &self.equators, view.near, word, corner(third, k));
            if any(&mask) {
                mask = without(&mask, &view.clash(equators, shell, word));
            }
        }
        self.marks[word as usize][k] = (self.time, self.met.len() as u32);
        self.met.push(mask);
        mask
    }

    /// Notes the lines on the far side that go with a near layer. The equators, of those given, that go with some of each of the two.
    fn beyond(&mut self, near: &Near<'_>, layer: &[Word; 4], mut mask: Block) -> Block {
        let Near { view, sides, .. } = near;
        for along in 0..2 {
            let shells = view.beside(view.far, along);
            let other = (view.beside(view.near, 1 - along), sides[1 - along].words);
            let free = |far: &Far| {
                !clash(shells, far.words, other.0, other.1)
                    && (0..4).all(|m| {
                        (0..2).all(|i| far.words[i] != layer[m] || shells[i] != view.shell(view.near, m))
                    })
            };
            let fars = &mut self.fars[along];
            fars.clear();
            let mut together = NONE;
            for (i, far) in (0..).zip(&sides[along].fars) {
                if any(&and(&far.mask, &mask)) && free(far) {
                    together = or(&together, &far.mask);
                    fars.push(i);
                }
            }
            mask = and(&mask, &together);
        }
        mask
    }

    /// What is left for the corners of the far layer after those of the other two; whether each has something.
    #[inline]
    fn after_layers(&mut self, lexicon: &Lexicon, near: &Near<'_>, layer: &[Word; 4], bit: Word) -> bool {
        let Near { view, equators, third, .. } = near;
        let equator = &equators.corners[bit as usize];
        (0..4).all(|k| {
            let left = corner_mut(&mut self.left[0], k);
            lexicon.narrow(view.at, equator[k], view.near, layer[k], corner(third, k), left);
            for (same, words) in view.same[k].into_iter().zip([layer, equator]) {
                Ones(u64::from(same)).for_each(|m| remove(left, words[m]));
            }
            !is_empty(left)
        })
    }

    /// Closes the far layer.
    fn far(
        &mut self,
        lexicon: &Lexicon,
        near: &Near<'_>,
        layer: &[Word; 4],
        bit: Word,
        each: &mut Each<'_>,
    ) -> ControlFlow<()> {
        let Near { view, equators, sides, .. } = near;
        let shells = [0, 1].map(|along| view.beside(view.far, along));
        let corners = [0, 1, 2, 3].map(|k| view.shell(view.far, k));
        let ats = [view.spokes[1].at, view.spokes[2].at];
        let [left, after, both] = &mut self.left;
        self.seconds.clear();
        for &j in &self.fars[1] {
            if has(&[sides[1].fars[j as usize].mask], bit) && near.leaves(lexicon, 1, j, left, both) {
                self.seconds.push(j);
            }
        }
        if self.seconds.is_empty() {
            return ControlFlow::Continue(());
        }
        for &i in &self.fars[0] {
            let first = &sides[0].fars[i as usize];
            if !has(&[first.mask], bit) || !near.leaves(lexicon, 0, i, left, after) {
                continue;
            }
            for &j in &self.seconds {
                let second = &sides[1].fars[j as usize];
                if clash(shells[0], first.words, shells[1], second.words)
                    || !near.leaves(lexicon, 1, j, after, both)
                {
                    continue;
                }
                let crossing = Crossing { ats, words: [first.words, second.words] };
                self.around.each(lexicon, crossing, both, &mut |far| {
                    if (0..4).any(|k| (0..k).any(|m| far[k] == far[m] && corners[k] == corners[m])) {
                        return ControlFlow::Continue(());
                    }
                    each([first.square, second.square, equators.numbers[bit as usize]], *layer, far)
                })?;
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

/// A line beside the pole at the near layer, and what may be on the far side.
struct Beside {
    crossing: u32,
    words: [Word; 2],
    /// Equators that go with it and some line on the far side.
    mask: Block,
    fars: Vec<Far>,
    /// For each of these what it leaves for the corners of the far layer.
    sets: Vec<Block>,
    /// What some of them leaves.
    either: Vec<Block>,
}

/// A line on the far side.
struct Far {
    words: [Word; 2],
    square: u32,
    /// Equators that go with it.
    mask: Block,
}
