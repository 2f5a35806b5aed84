//! The 3x3x3x3 of four lines through a word, from the 3x3x3 of three of them.
//!
//! Four lines have four threes, each two of which have a pair of lines in common, and so its 3x3. So what one three leaves of the 3x3 of its pairs is all
//! that is looked at in the others. What is left fits together but for the sixteen corners, each of which ends four lines.
//!
//! Of a star, the three that cost least for the fours that they are in come first. Whatever it leaves of these is finished at once, and then it is
//! not looked at any more. So threes of common words, that have many 3x3, are next to never looked at with all of them.
//!
//! Guarantee: every 3x3x3x3 with the star's word and no rarer one is found.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

use super::cubes::{Allowed, Cube, Cubes, pair};
use super::lexicon::{Lexicon, OTHERS, contains};
use super::star::Star;
use crate::optimum::corpus::Word;
use crate::optimum::work::{Halt, Work};

/// What it costs to begin with a three, in the measure of [`Cubes::cost`].
const BEGIN: u64 = 4;

/// A three with more 3x3x3 comes after all others.
const FEW: usize = 128;

/// The grid's words, the last axis fastest.
pub(super) type Words = [Word; 81];

/// Finds every 3x3x3x3 of a star.
pub(super) fn all(
    lexicon: &Lexicon,
    cubes: &mut Cubes<'_>,
    star: &mut Star,
    work: &Work<'_>,
    found: &mut Vec<Words>,
) -> Result<(), Halt> {
    // Whether it comes last, its cost for each four, its cost, and for how many fours that was.
    let mut threes: BinaryHeap<_> = star
        .threes()
        .into_iter()
        .map(|three| {
            let (cost, view) = Cubes::cost(star, three, [usize::MAX; 3]);
            Reverse((false, 0, cost + BEGIN, 0, three, view))
        })
        .collect();
    while let Some(Reverse((last, _, cost, counted, three, view))) = threes.pop() {
        let fours = star.fourths(three).count() as u64;
        if fours == 0 {
            star.close(three);
            continue;
        }
        if fours != counted {
            // Others have been closed since, or it was not counted yet.
            threes.push(Reverse((last, cost * 1024 / fours, cost, fours, three, view)));
            continue;
        }
        let most = if last { usize::MAX } else { FEW };
        let Some(list) = listed(cubes, star, three, view, [None; 3], most, work)? else {
            threes.push(Reverse((true, cost * 1024 / fours, cost, fours, three, view)));
            continue;
        };
        if !list.is_empty() {
            let fourths: Vec<usize> = star.fourths(three).collect();
            for fourth in fourths {
                finish(&Join { lexicon, star, three, fourth }, cubes, &list, work, found)?;
                work.check_room(found.len(), size_of::<Words>())?;
            }
        }
        star.close(three);
    }
    Ok(())
}

/// The 3x3x3 of a three, if there are no more than `most`.
fn listed(
    cubes: &mut Cubes<'_>,
    star: &Star,
    three: [usize; 3],
    view: u8,
    allowed: Allowed<'_>,
    most: usize,
    work: &Work<'_>,
) -> Result<Option<Vec<Cube>>, Halt> {
    let mut list = vec![];
    let room = (work.memory / 32 / work.threads as u64) as usize / size_of::<Cube>();
    let _ = cubes.find(star, three, view, allowed, &mut |cube| {
        list.push(cube);
        if list.len() > most.min(room) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    work.check()?;
    if list.len() <= most && list.len() > room {
        return Err(Halt::Memory);
    }
    Ok((list.len() <= most).then_some(list))
}

/// Which 3x3 of a pair some 3x3x3 have, and how many that are.
struct Used {
    squares: Vec<bool>,
    count: usize,
}

impl Used {
    fn new(of: usize, cubes: &[Cube], pair: usize) -> Self {
        let mut squares = vec![false; of];
        cubes.iter().for_each(|cube| squares[cube.squares[pair] as usize] = true);
        let count = squares.iter().filter(|&&used| used).count();
        Self { squares, count }
    }
}

/// Finds every 3x3x3x3 of a three with a fourth line, from the 3x3x3 of the three.
fn finish(
    join: &Join<'_>,
    cubes: &mut Cubes<'_>,
    list: &[Cube],
    work: &Work<'_>,
    found: &mut Vec<Words>,
) -> Result<(), Halt> {
    let mut list = list.to_vec();
    let mut with: [Vec<Cube>; 3] = Default::default();
    let mut beside: [Option<Used>; 3] = [None, None, None];
    let mut left = vec![0, 1, 2];
    while !left.is_empty() {
        let others = left.iter().map(|&missing| Other::new(join, missing, &list, &beside));
        let Some(other) = others.min_by_key(|other| other.cost) else { return Ok(()) };
        left.retain(|&missing| missing != other.missing);
        let allowed = other.pairs(&beside).map(|used| used.map(|used| &used.squares[..]));
        let some = listed(cubes, join.star, other.three, other.view, allowed, usize::MAX, work)?;
        let some = some.unwrap_or_default();
        if some.is_empty() {
            return Ok(());
        }
        let [a, b] = OTHERS[other.missing];
        let kept = Used::new(other.base.squares.len(), &some, pair(other.places[0], other.places[1]));
        list.retain(|cube| kept.squares[cube.squares[pair(a, b)] as usize]);
        for (of, at) in [(a, other.places[0]), (b, other.places[1])] {
            let count = join.star.pair(join.three[of], join.fourth).corners.len();
            beside[of] = Some(Used::new(count, &some, pair(at, other.places[2])));
        }
        with[other.missing] = some;
    }
    join.all(&list, &with, found);
    Ok(())
}

/// Two of a three, and a fourth line.
struct Other {
    /// Which of the three is not in it.
    missing: usize,
    /// In the order of the star.
    three: [usize; 3],
    /// Where the two and the fourth are in that.
    places: [usize; 3],
    /// What is left of the 3x3 of the two.
    base: Used,
    cost: u64,
    view: u8,
}

impl Other {
    fn new(join: &Join<'_>, missing: usize, list: &[Cube], beside: &[Option<Used>; 3]) -> Self {
        let [a, b] = OTHERS[missing];
        let spokes = [join.three[a], join.three[b], join.fourth];
        let mut three = spokes;
        three.sort_unstable();
        let places = spokes.map(|spoke| three.iter().position(|&other| other == spoke).unwrap_or_default());
        let base = Used::new(join.star.pair(spokes[0], spokes[1]).corners.len(), list, pair(a, b));
        let mut other = Self { missing, three, places, base, cost: 0, view: 0 };
        let counts = other.pairs(beside).map(|used| used.map_or(usize::MAX, |used| used.count));
        (other.cost, other.view) = Cubes::cost(join.star, three, counts);
        other
    }

    /// What is left of the 3x3 of each pair, if it is known; `beside` is what is known of those with the fourth line.
    fn pairs<'a>(&'a self, beside: &'a [Option<Used>; 3]) -> [Option<&'a Used>; 3] {
        let [x, y, fourth] = self.places;
        let [a, b] = OTHERS[self.missing];
        let mut pairs = [None; 3];
        pairs[pair(x, y)] = Some(&self.base);
        pairs[pair(x, fourth)] = beside[a].as_ref();
        pairs[pair(y, fourth)] = beside[b].as_ref();
        pairs
    }
}

/// Three spokes and a fourth, of which each three have some 3x3x3.
struct Join<'a> {
    lexicon: &'a Lexicon,
    star: &'a Star,
    three: [usize; 3],
    fourth: usize,
}

impl Join<'_> {
    fn all(&self, list: &[Cube], with: &[Vec<Cube>; 3], found: &mut Vec<Words>) {
        // The four in the order of the star, and the four threes by which of them is missing.
        let mut four = [self.three[0], self.three[1], self.three[2], self.fourth];
        four.sort_unstable();
        let place = |spoke: usize| four.iter().position(|&other| other == spoke).unwrap_or_default();
        let mut threes: [&[Cube]; 4] = [&[]; 4];
        threes[place(self.fourth)] = list;
        for (with, &spoke) in with.iter().zip(&self.three) {
            threes[place(spoke)] = with;
        }
        // The pairs of a cube without `missing`, as pairs of the four.
        for d in threes[3] {
            for c in threes[2].iter().filter(|c| c.squares[0] == d.squares[0]) {
                for b in
                    threes[1].iter().filter(|b| b.squares[0] == d.squares[1] && b.squares[1] == c.squares[1])
                {
                    for a in threes[0].iter().filter(|a| {
                        a.squares[0] == d.squares[2]
                            && a.squares[1] == c.squares[2]
                            && a.squares[2] == b.squares[2]
                    }) {
                        self.corners(four, [a, b, c, d], found);
                    }
                }
            }
        }
    }

    /// The sixteen corners, given the 3x3x3 without each of the four.
    fn corners(&self, four: [usize; 4], cubes: [&Cube; 4], found: &mut Vec<Words>) {
        let spokes = four.map(|spoke| self.star.spokes[spoke]);
        let mut words: Words = [0; 81];
        let mut open = vec![];
        for (cell, word) in words.iter_mut().enumerate() {
            let at = [cell / 27, cell / 9 % 3, cell / 3 % 3, cell % 3];
            // By spoke which of its other places, if it is not the word's.
            let side = |k: usize| OTHERS[spokes[k].at].iter().position(|&place| place == at[k]);
            let away: Vec<usize> = (0..4).filter(|&k| side(k).is_some()).collect();
            let bit = |k: usize| side(k).unwrap_or_default();
            *word = match away[..] {
                [] => self.star.word,
                [k] => spokes[k].line[at[k]],
                [k, l] => {
                    // Any of the two threes with this pair.
                    let missing = (0..4).find(|&m| m != k && m != l).unwrap_or_default();
                    let square = cubes[missing].squares
                        [pair(k - usize::from(k > missing), l - usize::from(l > missing))];
                    self.star.pair(four[k], four[l]).corners[square as usize][bit(k) * 2 + bit(l)]
                }
                [k, l, m] => cubes[6 - k - l - m].corners[bit(k) * 4 + bit(l) * 2 + bit(m)],
                _ => {
                    open.push(cell);
                    0
                }
            };
        }
        let shell = |cell: usize| cell / 27 + cell / 9 % 3 + cell / 3 % 3 + cell % 3;
        let mut taken: Vec<(usize, Word)> =
            (0..81).filter(|cell| !open.contains(cell)).map(|cell| (shell(cell), words[cell])).collect();
        taken.sort_unstable();
        if taken.windows(2).all(|two| two[0] != two[1]) {
            let places = spokes.map(|spoke| spoke.at);
            self.fill(places, &open, &mut taken, &mut words, found);
        }
    }

    /// Fills the corners that are left, in order.
    fn fill(
        &self,
        places: [usize; 4],
        open: &[usize],
        taken: &mut Vec<(usize, Word)>,
        words: &mut Words,
        found: &mut Vec<Words>,
    ) {
        let Some((&cell, rest)) = open.split_first() else {
            found.push(*words);
            return;
        };
        let at = [cell / 27, cell / 9 % 3, cell / 3 % 3, cell % 3];
        let shell: usize = at.iter().sum();
        let strides = [27, 9, 3, 1];
        // Along each axis, whether what is beyond the word's layer is filled, and what goes with that layer and it.
        let along = |k: usize| {
            let with = |place: usize| cell - at[k] * strides[k] + place * strides[k];
            let (middle, other) = (words[with(places[k])], 3 - at[k] - places[k]);
            if open.contains(&with(other)) {
                (false, self.lexicon.beside(places[k], middle, at[k]))
            } else {
                (true, self.lexicon.completions(places[k], middle, other, words[with(other)]))
            }
        };
        let lists = [0, 1, 2, 3].map(along);
        let (_, candidates) = lists.iter().find(|(filled, _)| *filled).unwrap_or(&lists[0]);
        for &word in candidates.iter().take_while(|&&word| word <= self.star.word) {
            if lists.iter().all(|(_, list)| contains(list, word)) && !taken.contains(&(shell, word)) {
                words[cell] = word;
                taken.push((shell, word));
                self.fill(places, rest, taken, words, found);
                taken.pop();
            }
        }
    }
}
