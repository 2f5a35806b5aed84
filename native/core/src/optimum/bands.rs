//! Three rows one over the other: every 3xk for a k > 3.
//!
//! For each run of k words, as middle row, the runs that can be over it and those that can be under it come from sets of bits
//! ([`Beside`]). Which of these go together is found by bits again ([`Join`]). So the work is in pairs of rows, and next to none in triples.
//!
//! Middle rows are dealt with in portions whose lists fit the budget. If what the first ones have says that there will be far too many, it is
//! given up: the sooner the more there would be.
//!
//! Guarantee: complete, each once. Memory: [`Beside`] twice, four tenths of the budget for lists, 16 bytes for each word of the text,
//! and 12 for each found.

use super::beside::{Beside, Side, Visitor};
use super::corpus::{Corpus, Word};
use super::joins::Join;
use super::rows::Row;
use super::work::{Halt, Work};

/// Middle rows that a thread takes at a time.
const GROUP: usize = 16;

/// Middle rows of the first portion.
const FIRST: usize = 1024;

/// Middle rows that are many: what the first of these have says how many there will be.
const MANY: usize = 1 << 16;

/// Stripes in which many are dealt with.
const STRIPES: usize = 64;

/// From one stripe to the next; no divisor in common with their number.
const STEP: usize = 27;

/// No entry.
const NONE: u32 = u32::MAX;

/// Every 3xk for a k > 3, in parts.
pub(super) fn all(corpus: &Corpus, k: usize, work: &Work<'_>) -> Result<Vec<Vec<[Row; 3]>>, Halt> {
    let runs = Runs::of(corpus, k, work)?;
    let middles = striped(&runs.starts);
    let mut found: Vec<Vec<[Row; 3]>> = vec![];
    let each = |list: &mut Vec<[Row; 3]>, rows: [u32; 3]| {
        list.push(rows.map(|place| runs.rows[place as usize]));
        if list.len().is_multiple_of(1 << 16) { work.check_room(list.len(), 12) } else { Ok(()) }
    };
    Bands::of(corpus, &runs, k, work)?.each(&middles, work, &each, &mut |parts, done| {
        found.extend(parts);
        let entries = expected(found.iter().map(Vec::len).sum(), done, middles.len());
        work.check_room(entries, 12)
    })?;
    Ok(found)
}

/// The 3xk of some runs.
pub(super) struct Bands<'a> {
    corpus: &'a Corpus,
    runs: &'a Runs,
    k: usize,
    /// What can be over and under these.
    over: Beside<'a>,
    under: Beside<'a>,
}

impl<'a> Bands<'a> {
    /// k > 3.
    pub(super) fn of(corpus: &'a Corpus, runs: &'a Runs, k: usize, work: &Work<'_>) -> Result<Self, Halt> {
        let (ahead, back) = (&corpus.forward, &corpus.backward);
        // A column is a phrase of three words.
        let comes_after = |bigram: u32| {
            let (a, b) = ahead.bigram_words(bigram);
            back.bigram(b, a).is_some_and(|id| back.goes_on(id))
        };
        let over = Beside::new(corpus, &runs.text, Side::Over, |bigram| ahead.goes_on(bigram), work)?;
        let under = Beside::new(corpus, &runs.text, Side::Under, comes_after, work)?;
        Ok(Self { corpus, runs, k, over, under })
    }

    /// The words of a row, by its place.
    pub(super) fn words(&self, place: u32) -> &'a [Word] {
        &self.runs.text[place as usize..place as usize + self.k]
    }

    /// About what share of the places can be over and under a row, if its words are independent.
    pub(super) fn share(&self, place: u32) -> f32 {
        self.over.share(self.words(place)) + self.under.share(self.words(place))
    }

    /// Every 3xk with one of some middle rows, as the places of its rows. `each` is given it, with what its thread has from the same
    /// portion of the middle rows; `end` what the threads have then, and how many middle rows are done.
    pub(super) fn each<T: Default + Send>(
        &self,
        middles: &[u32],
        work: &Work<'_>,
        each: &(impl Fn(&mut T, [u32; 3]) -> Result<(), Halt> + Sync),
        end: &mut impl FnMut(Vec<T>, usize) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let (mut from, mut count) = (0, FIRST);
        let room = (work.memory / 20) as usize;
        let lists = |beside: &Beside<'_>, portion| Lists::of(self.runs, beside, portion, self.k, room, work);
        while from < middles.len() {
            let portion = &middles[from..middles.len().min(from + count)];
            let both = match lists(&self.under, portion)? {
                Some(unders) => lists(&self.over, portion)?.map(|overs| (overs, unders)),
                None => None,
            };
            let Some((overs, unders)) = both else {
                // Too long for the budget.
                if count == 1 {
                    return Err(Halt::Memory);
                }
                count = count.div_ceil(4);
                continue;
            };
            let parts = work.divide(portion.len().div_ceil(GROUP), &|next| {
                let mut join = Join::new(self.corpus, &self.runs.text, self.k, work)?;
                let mut found = T::default();
                while let Some(number) = next() {
                    for (at, &middle) in portion.iter().enumerate().skip(number * GROUP).take(GROUP) {
                        work.check()?;
                        let (overs, unders) = (overs.of_run(at), unders.of_run(at));
                        join.middle(middle, overs, unders, &mut |rows| each(&mut found, rows))?;
                    }
                }
                Ok(found)
            })?;
            from += portion.len();
            end(parts, from)?;
            let longest = overs.len().max(unders.len()).max(1);
            count = (count as f64 * (0.7 * room as f64 / longest as f64).clamp(0.25, 4.0)) as usize + 1;
        }
        Ok(())
    }
}

/// Many middle rows in stripes from all over the text, so that what the first ones have says how many there will be.
fn striped(rows: &[u32]) -> Vec<u32> {
    let count = if rows.len() < MANY { 1 } else { STRIPES };
    let begin = |stripe: usize| rows.len() * stripe / count;
    // Every number once, neighbours far from each other.
    let stripes = (0..count).map(|number| number * STEP % count);
    stripes.flat_map(|stripe| &rows[begin(stripe)..begin(stripe + 1)]).copied().collect()
}

/// How many there will be in all, at least, when some of the rows have so many. The fewer these are, the less they say.
fn expected(found: usize, done: usize, all: usize) -> usize {
    let surely = if done * 8 >= all {
        0.8
    } else if all < MANY {
        0.0
    } else if done * 16 >= all {
        0.5
    } else {
        0.1
    };
    found.max((found as f64 / done as f64 * all as f64 * surely) as usize)
}

/// The runs of k words, each once.
pub(super) struct Runs {
    /// Words that have each run somewhere; 0 between.
    pub(super) text: Vec<Word>,
    /// Where the runs begin.
    pub(super) starts: Vec<u32>,
    /// For each place of the text the row that begins there, or `NONE`.
    pub(super) rows: Vec<Row>,
}

impl Runs {
    pub(super) fn of(corpus: &Corpus, k: usize, work: &Work<'_>) -> Result<Self, Halt> {
        work.check_room(corpus.text.len(), 12)?;
        let run =
            |place: u32| corpus.text.get(place as usize..place as usize + k).filter(|run| !run.contains(&0));
        let mut rows = vec![NONE; corpus.text.len()];
        let mut first = 0;
        let alike = corpus.forward.places.chunk_by(|&a, &b| run(a).is_some() && run(a) == run(b));
        for (i, alike) in alike.enumerate() {
            if i % 4096 == 0 {
                work.check()?;
            }
            if let Some(&place) = alike.iter().min()
                && run(place).is_some()
            {
                rows[place as usize] = first;
            }
            first += alike.len() as u32;
        }
        Ok(Self::compact(&corpus.text, &rows, k))
    }

    /// Some of them.
    pub(super) fn only(&self, some: &[u32], k: usize) -> Self {
        let mut rows = vec![NONE; self.rows.len()];
        some.iter().for_each(|&place| rows[place as usize] = self.rows[place as usize]);
        Self::compact(&self.text, &rows, k)
    }

    /// The words of a text that are in one of the rows that begin in it.
    fn compact(text: &[Word], rows: &[Row], k: usize) -> Self {
        let mut runs = Self { text: vec![0], starts: vec![], rows: vec![NONE] };
        let mut to = 0;
        for (place, (&word, &row)) in text.iter().zip(rows).enumerate() {
            if row != NONE {
                runs.starts.push(runs.text.len() as u32);
                to = place + k;
            }
            if place < to || runs.text.last() != Some(&0) {
                runs.text.push(if place < to { word } else { 0 });
                runs.rows.push(row);
            }
        }
        runs
    }
}

/// For each of some runs those on one side of it.
struct Lists {
    blocks: Vec<Block>,
}

#[derive(Default)]
struct Block {
    places: Vec<u32>,
    /// For each run where its places end.
    ends: Vec<u32>,
}

struct Collector {
    blocks: Vec<Block>,
    held: usize,
    room: usize,
}

impl Visitor for Collector {
    fn begin(&mut self) {
        self.blocks.push(Block::default());
    }

    fn visit(&mut self, _run: usize, place: u32) -> Result<(), Halt> {
        self.held += 1;
        if let Some(block) = self.blocks.last_mut() {
            block.places.push(place);
        }
        if self.held > self.room { Err(Halt::Memory) } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), Halt> {
        if let Some(block) = self.blocks.last_mut() {
            block.ends.push(block.places.len() as u32);
        }
        Ok(())
    }
}

impl Lists {
    /// `None` if they have more than so many places.
    fn of(
        runs: &Runs,
        beside: &Beside<'_>,
        portion: &[u32],
        k: usize,
        room: usize,
        work: &Work<'_>,
    ) -> Result<Option<Self>, Halt> {
        let room = room / work.threads;
        let collector = || Collector { blocks: vec![], held: 0, room };
        let begins = |place: usize| runs.rows[place] != NONE;
        match beside.each(portion, k, &begins, work, &collector, &|collector| collector.blocks) {
            Ok(parts) => Ok(Some(Self { blocks: parts.into_iter().flatten().collect() })),
            Err(Halt::Memory) => Ok(None),
            Err(halt) => Err(halt),
        }
    }

    fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.places.len()).sum()
    }

    fn of_run(&self, run: usize) -> impl Iterator<Item = u32> {
        self.blocks.iter().flat_map(move |block| {
            let from = run.checked_sub(1).map_or(0, |before| block.ends[before]);
            block.places[from as usize..block.ends[run] as usize].iter().copied()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stripes_are_all_rows_once() {
        for total in [0, 1, 100, MANY - 1, MANY, MANY + 12_345] {
            let rows: Vec<u32> = (0..total as u32).collect();
            let mut middles = striped(&rows);
            assert_eq!(middles != rows, total >= MANY);
            middles.sort_unstable();
            assert_eq!(middles, rows);
        }
    }

    #[test]
    fn the_more_is_done_the_more_is_expected() {
        assert_eq!(expected(10, 100, 1000), 10);
        assert_eq!(expected(10, 125, 1000), 64);
        assert_eq!(expected(10, 1000, 1000), 10);
        assert_eq!(expected(10, MANY / 64, MANY), 64);
        assert_eq!(expected(10, MANY / 16, MANY), 80);
        assert_eq!(expected(10, MANY / 8, MANY), 64);
    }
}
