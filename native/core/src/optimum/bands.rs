//! Three rows one over the other: every 3xk for a k > 3.
//!
//! For each run of k words, as middle row, the runs that can be over it and those that can be under it come from sets of bits
//! ([`Beside`]). Which of these go together is found by bits again: for a column and a word over the middle row, the lower rows with
//! which they make a phrase of three words there. An upper row goes with the lower ones that the sets of its words have in common. So
//! the work is in pairs of rows, and next to none in triples.
//!
//! Middle rows are dealt with in portions whose lists fit the budget. If what the first ones have says that there will be far too many, it is
//! given up soon.
//!
//! Guarantee: complete, each once. Memory: [`Beside`] twice, a quarter of the budget for lists, 16 bytes for each word of the text,
//! and 12 for each found.

use super::beside::{Beside, Side, Visitor};
use super::corpus::{Corpus, Word};
use super::rows::Row;
use super::work::{Halt, Work};

/// Columns of which sets are made; in the others what is left is looked at one by one.
const SETS: usize = 4;

/// Lower rows that are dealt with at a time.
const SLICE: usize = 4096;

/// Middle rows that a thread takes at a time.
const GROUP: usize = 16;

/// Middle rows of the first portion.
const FIRST: usize = 4096;

/// Stripes in which middle rows are dealt with if there are many.
const STRIPES: usize = 16;

/// From one stripe to the next; no divisor in common with their number.
const STEP: usize = 7;

/// No entry.
const NONE: u32 = u32::MAX;

/// Every 3xk for a k > 3, in parts.
pub(super) fn all(corpus: &Corpus, k: usize, work: &Work<'_>) -> Result<Vec<Vec<[Row; 3]>>, Halt> {
    let runs = Runs::of(corpus, k, work)?;
    let ahead = &corpus.forward;
    // A column is a phrase of three words.
    let comes_after = |bigram: u32| {
        let (a, b) = ahead.bigram_words(bigram);
        corpus.backward.bigram(b, a).is_some_and(|back| corpus.backward.goes_on(back))
    };
    let over = Beside::new(corpus, &runs.text, Side::Over, |bigram| ahead.goes_on(bigram), work)?;
    let under = Beside::new(corpus, &runs.text, Side::Under, comes_after, work)?;
    let phrases = Phrases::of(corpus, work)?;
    let mut found = vec![];
    let (mut from, mut count) = (0, FIRST);
    let room = (work.memory / 32) as usize;
    let middles = striped(&runs.starts);
    while from < middles.len() {
        let portion = &middles[from..middles.len().min(from + count)];
        let lists = match Lists::of(&runs, &under, portion, k, room, work)? {
            Some(unders) => Lists::of(&runs, &over, portion, k, room, work)?.map(|overs| (overs, unders)),
            None => None,
        };
        let Some((overs, unders)) = lists else {
            // Too long for the budget.
            if count == 1 {
                return Err(Halt::Memory);
            }
            count = count.div_ceil(4);
            continue;
        };
        let parts = work.divide(portion.len().div_ceil(GROUP), &|next| {
            let mut join = Join::new(corpus, &phrases, &runs, k, work);
            while let Some(number) = next() {
                for (at, &middle) in portion.iter().enumerate().skip(number * GROUP).take(GROUP) {
                    work.check()?;
                    join.middle(middle, overs.of_run(at), unders.of_run(at))?;
                }
            }
            Ok(join.found)
        })?;
        found.extend(parts);
        from += portion.len();
        let entries = expected(found.iter().map(Vec::len).sum(), from, middles.len());
        work.check_room(entries, 12)?;
        let longest = overs.len().max(unders.len()).max(1);
        count = (count as f64 * (0.7 * room as f64 / longest as f64).clamp(0.25, 4.0)) as usize + 1;
    }
    Ok(found)
}

/// Many middle rows in stripes from all over the text, so that what the first ones have says how many there will be.
fn striped(rows: &[u32]) -> Vec<u32> {
    let count = if rows.len() < STRIPES * FIRST { 1 } else { STRIPES };
    let begin = |stripe: usize| rows.len() * stripe / count;
    // Every number once, neighbours far from each other.
    let stripes = (0..count).map(|number| number * STEP % count);
    stripes.flat_map(|stripe| &rows[begin(stripe)..begin(stripe + 1)]).copied().collect()
}

/// About how many there will be in all when some of the rows have so many, or somewhat less; that many until an eighth is done.
fn expected(found: usize, done: usize, all: usize) -> usize {
    if done * 8 < all { found } else { found.max((found as f64 / done as f64 * all as f64 * 0.8) as usize) }
}

/// The runs of k words, each once.
struct Runs {
    /// Words that have each run somewhere; 0 between.
    text: Vec<Word>,
    /// Where the runs begin.
    starts: Vec<u32>,
    /// For each place of the text the row that begins there, or `NONE`.
    rows: Vec<Row>,
}

impl Runs {
    fn of(corpus: &Corpus, k: usize, work: &Work<'_>) -> Result<Self, Halt> {
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
        let mut runs = Self { text: vec![0], starts: vec![], rows: vec![NONE] };
        let mut to = 0;
        for (place, (&word, &row)) in corpus.text.iter().zip(&rows).enumerate() {
            if row != NONE {
                runs.starts.push(runs.text.len() as u32);
                to = place + k;
            }
            if place < to || runs.text.last() != Some(&0) {
                runs.text.push(if place < to { word } else { 0 });
                runs.rows.push(row);
            }
        }
        Ok(runs)
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

struct Join<'a> {
    corpus: &'a Corpus,
    phrases: &'a Phrases,
    runs: &'a Runs,
    k: usize,
    work: &'a Work<'a>,
    over: Vec<u32>,
    under: Vec<u32>,
    /// Of each word its number in the column that is begun.
    numbers: Vec<u32>,
    /// The lower rows that go with an upper one so far.
    common: Vec<u64>,
    columns: Vec<Column>,
    found: Vec<[Row; 3]>,
}

/// Which words before and after a word make a phrase with it: a bit for each pair.
pub(super) struct Phrases {
    /// For each word where its bits begin.
    starts: Vec<u64>,
    bits: Vec<u64>,
}

impl Phrases {
    pub(super) fn of(corpus: &Corpus, work: &Work<'_>) -> Result<Self, Halt> {
        let (ahead, back) = (&corpus.forward, &corpus.backward);
        let mut starts = vec![0];
        let mut total = 0;
        for word in 1..=corpus.vocabulary() as Word {
            starts.push(total);
            total += ahead.next(word).len() as u64 * back.next(word).len() as u64;
        }
        let words = (total / 64 + 1) as usize;
        work.check_room(words, 8)?;
        let mut phrases = Self { starts, bits: vec![0; words] };
        for id in 0..ahead.bigram_count() as u32 {
            let (before, word) = ahead.bigram_words(id);
            let line = phrases.line(corpus, before, word);
            let mut rest = ahead.next(word);
            let mut passed = 0;
            for &third in ahead.thirds(id) {
                let at = rest.partition_point(|&other| other < third);
                passed += at;
                rest = &rest[at..];
                let bit = line + passed as u64;
                phrases.bits[bit as usize / 64] |= 1 << (bit % 64);
            }
        }
        Ok(phrases)
    }

    /// The bits of the words after a word and one before it.
    pub(super) fn line(&self, corpus: &Corpus, before: Word, word: Word) -> u64 {
        let back = &corpus.backward;
        let place = back.bigram(word, before).map_or(0, |id| id - back.first_bigram(word));
        self.starts[word as usize] + u64::from(place) * corpus.forward.next(word).len() as u64
    }

    /// Whether the word at a place of those after the word makes a phrase.
    #[inline]
    pub(super) fn has(&self, line: u64, place: u32) -> bool {
        let bit = line + u64::from(place);
        self.bits[bit as usize / 64] >> (bit % 64) & 1 == 1
    }
}

/// What goes together in one column of some rows over and under a middle one.
#[derive(Default)]
struct Column {
    at: usize,
    middle: Word,
    /// Whether the rows are numbered yet.
    begun: bool,
    /// For each upper row the number of its word; and the words.
    numbers: Vec<u32>,
    uppers: Vec<Word>,
    /// For each upper word the bits of what goes with it.
    lines: Vec<u64>,
    /// For each lower row the number of its word; and the words, and the places of these among those that follow the middle one.
    lower_numbers: Vec<u32>,
    lowers: Vec<Word>,
    places: Vec<u32>,
    /// For each lower word a row that has it, and for each row the next one that has the same.
    heads: Vec<u32>,
    next: Vec<u32>,
    /// For each number where its set begins, if it is made yet.
    made: Vec<u32>,
    /// Sets of lower rows.
    sets: Vec<u64>,
}

impl Column {
    fn begin(
        &mut self,
        corpus: &Corpus,
        phrases: &Phrases,
        uppers: impl Iterator<Item = Word>,
        lowers: impl Iterator<Item = Word>,
        numbers: &mut [u32],
    ) {
        self.begun = true;
        self.numbers.clear();
        self.uppers.clear();
        for word in uppers {
            let number = &mut numbers[word as usize];
            if *number == NONE {
                *number = self.uppers.len() as u32;
                self.uppers.push(word);
            }
            self.numbers.push(*number);
        }
        self.uppers.iter().for_each(|&word| numbers[word as usize] = NONE);
        self.lowers.clear();
        self.lower_numbers.clear();
        self.heads.clear();
        self.next.clear();
        for (row, word) in (0..).zip(lowers) {
            let number = &mut numbers[word as usize];
            if *number == NONE {
                *number = self.lowers.len() as u32;
                self.lowers.push(word);
                self.heads.push(NONE);
            }
            self.lower_numbers.push(*number);
            self.next.push(std::mem::replace(&mut self.heads[*number as usize], row));
        }
        self.lowers.iter().for_each(|&word| numbers[word as usize] = NONE);
        let first = corpus.forward.first_bigram(self.middle);
        let place = |&word: &Word| corpus.forward.bigram(self.middle, word).map_or(NONE, |id| id - first);
        self.places.clear();
        self.places.extend(self.lowers.iter().map(place));
        self.lines.clear();
        self.lines.extend(self.uppers.iter().map(|&word| phrases.line(corpus, word, self.middle)));
        self.made.clear();
        self.made.resize(self.uppers.len(), NONE);
        self.sets.clear();
    }

    /// The lower rows that go with an upper one here.
    #[inline]
    fn set(&mut self, phrases: &Phrases, upper: usize, length: usize) -> &[u64] {
        let number = self.numbers[upper] as usize;
        let mut from = self.made[number] as usize;
        if from == NONE as usize {
            from = self.make(phrases, number, length);
        }
        &self.sets[from..from + length]
    }

    /// Whether an upper row and a lower one go together here.
    #[inline]
    fn has(&self, phrases: &Phrases, upper: usize, lower: u32) -> bool {
        let line = self.lines[self.numbers[upper] as usize];
        phrases.has(line, self.places[self.lower_numbers[lower as usize] as usize])
    }

    fn make(&mut self, phrases: &Phrases, number: usize, length: usize) -> usize {
        let from = self.sets.len();
        self.made[number] = from as u32;
        self.sets.resize(from + length, 0);
        let set = &mut self.sets[from..];
        let line = self.lines[number];
        for (&place, &head) in self.places.iter().zip(&self.heads) {
            if phrases.has(line, place) {
                let mut row = head;
                while row != NONE {
                    set[row as usize / 64] |= 1 << (row % 64);
                    row = self.next[row as usize];
                }
            }
        }
        from
    }
}

impl<'a> Join<'a> {
    fn new(corpus: &'a Corpus, phrases: &'a Phrases, runs: &'a Runs, k: usize, work: &'a Work<'a>) -> Self {
        Self {
            corpus,
            phrases,
            runs,
            k,
            work,
            over: vec![],
            under: vec![],
            numbers: vec![NONE; corpus.vocabulary() + 1],
            common: vec![],
            columns: (0..k).map(|_| Column::default()).collect(),
            found: vec![],
        }
    }

    fn words(&self, place: u32) -> &'a [Word] {
        &self.runs.text[place as usize..place as usize + self.k]
    }

    /// What goes over and under a middle row, of the rows that may.
    fn middle(
        &mut self,
        middle: u32,
        over: impl Iterator<Item = u32>,
        under: impl Iterator<Item = u32>,
    ) -> Result<(), Halt> {
        let (mut uppers, mut lowers) = (std::mem::take(&mut self.over), std::mem::take(&mut self.under));
        uppers.clear();
        uppers.extend(over);
        lowers.clear();
        if !uppers.is_empty() {
            lowers.extend(under);
        }
        // Rare words have few others beside them: they say most, and their sets cost least.
        let mut order: Vec<usize> = (0..self.k).collect();
        order.sort_unstable_by_key(|&column| std::cmp::Reverse(self.words(middle)[column]));
        for lowers in lowers.chunks(SLICE) {
            self.work.check()?;
            self.slice(middle, &uppers, lowers, &order);
        }
        (self.over, self.under) = (uppers, lowers);
        if self.found.len() > 1 << 16 {
            self.work.check_room(self.found.len(), 12)?;
        }
        Ok(())
    }

    fn slice(&mut self, middle: u32, uppers: &[u32], lowers: &[u32], order: &[usize]) {
        let mut columns = std::mem::take(&mut self.columns);
        for (column, &at) in columns.iter_mut().zip(order) {
            (column.at, column.middle, column.begun) = (at, self.runs.text[middle as usize + at], false);
        }
        let length = lowers.len().div_ceil(64);
        let (sets, rest) = columns.split_at_mut(SETS);
        for column in &mut *sets {
            self.begin(column, uppers, lowers);
        }
        for (upper, &place) in uppers.iter().enumerate() {
            self.common.clear();
            self.common.resize(length, u64::MAX);
            let any = sets.iter_mut().all(|column| {
                let set = column.set(self.phrases, upper, length);
                let common = self.common.iter_mut().zip(set);
                common.fold(0, |any, (bits, set)| {
                    *bits &= set;
                    any | *bits
                }) != 0
            });
            if !any {
                continue;
            }
            for at in 0..length {
                let mut bits = self.common[at];
                while bits != 0 {
                    let lower = (at * 64) as u32 + bits.trailing_zeros();
                    bits &= bits - 1;
                    let go_together = rest.iter_mut().all(|column| {
                        if !column.begun {
                            self.begin(column, uppers, lowers);
                        }
                        column.has(self.phrases, upper, lower)
                    });
                    let lower = lowers[lower as usize];
                    if go_together && self.are_distinct(place, lower) {
                        self.found.push([place, middle, lower].map(|place| self.runs.rows[place as usize]));
                    }
                }
            }
        }
        self.columns = columns;
    }

    fn begin(&mut self, column: &mut Column, uppers: &[u32], lowers: &[u32]) {
        let (text, at) = (&self.runs.text, column.at);
        let word = |&place: &u32| text[place as usize + at];
        let (uppers, lowers) = (uppers.iter().map(word), lowers.iter().map(word));
        column.begin(self.corpus, self.phrases, uppers, lowers, &mut self.numbers);
    }

    /// Whether the shells that the first and the third row have in common have no word twice.
    fn are_distinct(&self, upper: u32, lower: u32) -> bool {
        self.words(upper)[2..].iter().zip(self.words(lower)).all(|(a, b)| a != b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stripes_are_all_rows_once() {
        for total in [0, 1, 100, STRIPES * FIRST - 1, STRIPES * FIRST, STRIPES * FIRST + 12_345] {
            let rows: Vec<u32> = (0..total as u32).collect();
            let mut middles = striped(&rows);
            assert_eq!(middles != rows, total >= STRIPES * FIRST);
            middles.sort_unstable();
            assert_eq!(middles, rows);
        }
    }

    #[test]
    fn more_than_was_found_is_expected_only_after_an_eighth() {
        assert_eq!(expected(10, 100, 1000), 10);
        assert_eq!(expected(10, 125, 1000), 64);
        assert_eq!(expected(10, 1000, 1000), 10);
    }
}
