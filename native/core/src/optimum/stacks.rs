//! Sheets of five and more rows, without a list of all 3xk.
//!
//! Of the rows of a sheet all but the first and the last are in the middle of a 3xk. A few rows of common words have most of what is over and under
//! rows. So the rows that are expected to have less come first: each 3xk in the middle of which is one of these is stretched, upwards and
//! downwards. Of a sheet that is not found then, all but the first and the last row are among the other rows: each 3xk of these alone is looked at,
//! and stretched as the second, third and fourth row of a sheet.
//!
//! Guarantee: complete, ascending, each once. Costs: less than half of the pairs of pairs that all 3xk take; for each 3xk the phrases of three
//! words in one or two of its columns, most often. Memory: that of [`bands`](super::bands) without what is found, and 12 bytes a run.

use std::ops::RangeInclusive;

use super::bands::{Bands, Runs};
use super::corpus::{Corpus, Word};
use super::grid::Grid;
use super::rows::meet;
use super::work::{Halt, Work};

/// What part of what is expected beside the rows is beside those that come first.
const FIRST: f64 = 0.5;

/// Every sheet of at least five rows of k > 3 words.
pub(super) fn sheets(corpus: &Corpus, rows: usize, k: usize, work: &Work<'_>) -> Result<Vec<Grid>, Halt> {
    let runs = Runs::of(corpus, k, work)?;
    work.check_room(runs.starts.len(), 12)?;
    let bands = Bands::of(corpus, &runs, k, work)?;
    let (first, others) = divided(&runs, &bands);
    let mut found: Vec<Grid> = vec![];
    let (bytes, most) = (rows * k * 4 + 64, rows - 3);
    let mut stretch = |bands: &Bands<'_>, middles: &[u32], above: RangeInclusive<usize>| {
        let each = |stretcher: &mut Stretcher, triple: [u32; 3]| {
            work.check()?;
            stretcher.stretch(corpus, triple.map(|place| bands.words(place)), above.clone(), most);
            work.check_room(stretcher.found.len(), bytes)
        };
        bands.each(middles, work, &each, &mut |parts, _| {
            let parts = parts.into_iter().flat_map(|part| part.found);
            found.extend(parts.map(|words| Grid { dims: vec![rows as u32, k as u32], words }));
            work.check_room(found.len(), bytes)
        })
    };
    stretch(&bands, &first, 0..=most)?;
    drop(bands);
    let runs = runs.only(&others, k);
    stretch(&Bands::of(corpus, &runs, k, work)?, &runs.starts, 1..=1)?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The rows beside which less is expected, and the others.
fn divided(runs: &Runs, bands: &Bands<'_>) -> (Vec<u32>, Vec<u32>) {
    let shares: Vec<f32> = runs.starts.iter().map(|&place| bands.share(place)).collect();
    let mut order: Vec<u32> = (0..shares.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| shares[a as usize].total_cmp(&shares[b as usize]).then(a.cmp(&b)));
    let all: f64 = shares.iter().map(|&share| f64::from(share)).sum();
    let mut sum = 0.0;
    let least = order.iter().position(|&at| {
        sum += f64::from(shares[at as usize]);
        sum > all * FIRST
    });
    let (first, others) = order.split_at(least.unwrap_or(order.len()));
    let places = |part: &[u32]| {
        let mut places: Vec<u32> = part.iter().map(|&at| runs.starts[at as usize]).collect();
        places.sort_unstable();
        places
    };
    (places(first), places(others))
}

/// Stretches 3xk to sheets.
#[derive(Default)]
struct Stretcher {
    /// The words of the sheets, row by row.
    found: Vec<Vec<Word>>,
    /// The words that may be in each column of one more row, and those that go on from the column.
    words: Vec<Vec<Word>>,
    ahead: Vec<Word>,
}

impl Stretcher {
    /// All that have so many rows above a 3xk, of `more` in all.
    fn stretch(&mut self, corpus: &Corpus, triple: [&[Word]; 3], above: RangeInclusive<usize>, more: usize) {
        let k = triple[0].len();
        let sheet = triple.concat();
        let (mut over, mut under) = (None, None);
        for above in above {
            // Most can be stretched to no side.
            if above < more && under.get_or_insert_with(|| self.beyond(corpus, &sheet, k, true)).is_empty() {
                continue;
            }
            if above > 0 && over.get_or_insert_with(|| self.beyond(corpus, &sheet, k, false)).is_empty() {
                continue;
            }
            self.grow(corpus, &sheet, k, above, more - above);
        }
    }

    fn grow(&mut self, corpus: &Corpus, sheet: &[Word], k: usize, above: usize, below: usize) {
        if above + below == 0 {
            self.found.push(sheet.to_vec());
            return;
        }
        let down = below > 0;
        for row in self.beyond(corpus, sheet, k, down) {
            if down {
                self.grow(corpus, &[sheet, &row].concat(), k, above, below - 1);
            } else {
                self.grow(corpus, &[&row, sheet].concat(), k, above - 1, below);
            }
        }
    }

    /// Every row that can be below a sheet of at least three rows, or above.
    fn beyond(&mut self, corpus: &Corpus, sheet: &[Word], k: usize, down: bool) -> Vec<Vec<Word>> {
        let height = sheet.len() / k;
        let reading = if down { &corpus.forward } else { &corpus.backward };
        // The word so many rows before the new one.
        let before = |rows: usize, column: usize| {
            let row = if down { height - rows } else { rows - 1 };
            sheet[row * k + column]
        };
        // No word is twice in a shell.
        let fits = |column: usize, word: Word| {
            (1..=height).all(|rows| {
                let other = if down { Some(column + rows) } else { column.checked_sub(rows) };
                other.filter(|&other| other < k).is_none_or(|other| before(rows, other) != word)
            })
        };
        self.words.resize(k, vec![]);
        // From the column with the rarest word on, to both sides.
        let first = (0..k).max_by_key(|&column| before(1, column)).unwrap_or(0);
        for column in (first..k).chain((0..first).rev()) {
            let line = (1..=height).rev().map(|rows| before(rows, column));
            let Some(interval) = corpus.find_in(reading, line) else { return vec![] };
            let mut here = std::mem::take(&mut self.words[column]);
            here.clear();
            let ahead = &mut self.ahead;
            ahead.clear();
            corpus.continuations(reading, interval, height, |word, _| {
                if fits(column, word) {
                    ahead.push(word);
                }
            });
            if column == first {
                here.extend_from_slice(ahead);
            } else {
                let (there, beside) = if column > first {
                    (&self.words[column - 1], &corpus.forward)
                } else {
                    (&self.words[column + 1], &corpus.backward)
                };
                for &word in there {
                    meet(ahead, beside.next(word), 0, |word, _| here.push(word));
                }
                if there.len() > 1 {
                    here.sort_unstable();
                    here.dedup();
                }
            }
            let none = here.is_empty();
            self.words[column] = here;
            if none {
                return vec![];
            }
        }
        let mut found = vec![];
        phrases(corpus, &self.words, &mut vec![], &mut found);
        found
    }
}

/// Every phrase that has at each place one of some words.
fn phrases(corpus: &Corpus, words: &[Vec<Word>], run: &mut Vec<Word>, found: &mut Vec<Vec<Word>>) {
    let Some(next) = words.get(run.len()) else {
        found.push(run.clone());
        return;
    };
    for &word in next {
        run.push(word);
        if corpus.find(run).is_some() {
            phrases(corpus, words, run, found);
        }
        run.pop();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::optimum::{blocks, rows};
    use crate::search::Stop;
    use crate::text::{Interner, PhraseIndex};

    /// Sentences of few words, among them the lines of some grids.
    fn corpus(seed: u64) -> Corpus {
        let mut state = seed;
        let mut random = |most: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % most
        };
        let mut sentences: Vec<Vec<usize>> = vec![];
        for _ in 0..3 {
            // Words of a shell are alike modulo 12; and no two of them are the same, as their rows differ.
            let shifts: Vec<usize> = (0..12).map(|_| random(7)).collect();
            let word = |i: usize, j: usize| i + j + 12 * ((i + shifts[i + j]) % 7);
            let grid: Vec<Vec<usize>> = (0..7).map(|i| (0..6).map(|j| word(i, j)).collect()).collect();
            sentences.extend(grid.iter().cloned());
            sentences.extend((0..6).map(|j| grid.iter().map(|row| row[j]).collect::<Vec<usize>>()));
        }
        for _ in 0..40 {
            sentences.push((0..8).map(|_| random(84)).collect());
        }
        let name = |&word: &usize| ["a", "e", "i", "o", "u", "y", "w"][word / 12].repeat(1 + word % 12) + "b";
        let words = |sentence: &Vec<usize>| sentence.iter().map(name).collect::<Vec<String>>().join(" ");
        let text = sentences.iter().map(words).collect::<Vec<String>>().join(". ");
        let interner = Arc::new(Interner::from_bytes("text", text.as_bytes()).expect("UTF-8"));
        Corpus::new(&PhraseIndex::build(interner).expect("an index")).expect("a corpus")
    }

    #[test]
    fn finds_what_the_list_of_all_3xk_gives() {
        let stop = Stop::default();
        let work = Work { stop: &stop, threads: 2, memory: 64 << 20 };
        let mut by_place = [0, 0];
        for seed in 1..=20 {
            let corpus = corpus(seed);
            for (height, k) in [(5, 4), (5, 5), (6, 5), (7, 6), (6, 6)] {
                let triples = rows::all(&corpus, k, &work).expect("a list");
                let mut expected = blocks::sheets(&corpus, &triples, height, &work).expect("sheets");
                expected.sort_unstable();
                let found = sheets(&corpus, height, k, &work).expect("sheets");
                assert_eq!(found, expected, "{seed}: {height}x{k}");
                let runs = Runs::of(&corpus, k, &work).expect("runs");
                let bands = Bands::of(&corpus, &runs, k, &work).expect("bands");
                let (first, _) = divided(&runs, &bands);
                let first: Vec<&[Word]> = first.iter().map(|&place| bands.words(place)).collect();
                for grid in &found {
                    let mut inner = grid.words.chunks(k).skip(1).take(height - 2);
                    by_place[usize::from(inner.any(|row| first.contains(&row)))] += 1;
                }
            }
        }
        assert!(by_place[0] > 0 && by_place[1] > 0, "{by_place:?}");
    }
}
