//! Which rows over a middle one go with which rows under it: all columns are phrases of three words.
//!
//! For a column and a word over the middle row, the lower rows that go with it there are a set of bits, made from the phrases that begin
//! with these two words when it is first asked for. An upper row goes with the lower ones that the sets of its words have in common. Upper
//! rows that have the same word in the first column looked at are dealt with together. So the work is in pairs of rows, and next to
//! none in triples.
//!
//! Which phrases begin with a word of the middle row and one over it is looked up once for a place of the text: middle rows that are
//! neighbours there have most of it in common.
//!
//! Costs: a step for each phrase that begins with an upper word and the middle one, a 64th of the lower rows for each of its words that many of
//! them have, and for each upper row a 64th of the lower ones for each of up to four columns. Memory: 8 bytes for each word and column, and the sets of one middle row.

use super::corpus::{Corpus, Word};
use super::work::{Halt, Work};
use crate::results::bits;

/// Columns of which whole sets are met, at most; in the others what is left is looked at one by one.
const SETS: usize = 4;

/// If fewer lower rows than one of so many go with a word in the first column, they are looked at one by one in all others.
const FEW: usize = 256;

/// Lower rows that are dealt with at a time.
const SLICE: usize = 4096;

/// How many times more phrases than different lower words there may be if each of the phrases is looked at.
const MORE: usize = 8;

/// Rows with a word are added to a set one by one if they are at most one for so many machine words of the set.
const MANY: usize = 12;

/// No entry.
const NONE: u32 = u32::MAX;

/// An empty set.
const EMPTY: u32 = u32::MAX - 1;

/// A place of the text, as one of a middle row.
struct Slot<'a> {
    place: u32,
    word: Word,
    /// For each word over it its number, if that was asked for; the words; and for each number what goes on from these two.
    numbers: Vec<u32>,
    words: Vec<Word>,
    thirds: Vec<&'a [Word]>,
    /// The bigrams of the last ones.
    bigrams: Vec<Option<u32>>,
}

impl<'a> Slot<'a> {
    fn new(vocabulary: usize) -> Self {
        Self {
            place: NONE,
            word: 0,
            numbers: vec![NONE; vocabulary + 1],
            words: vec![],
            thirds: vec![],
            bigrams: vec![],
        }
    }

    fn set(&mut self, place: u32, word: Word) {
        if self.place != place {
            (self.place, self.word) = (place, word);
            self.words.drain(..).for_each(|word| self.numbers[word as usize] = NONE);
            self.thirds.clear();
        }
    }

    /// Numbers some words.
    fn extend(&mut self, corpus: &'a Corpus, uppers: impl Iterator<Item = Word>) {
        let from = self.words.len();
        for word in uppers {
            let number = &mut self.numbers[word as usize];
            if *number == NONE {
                *number = self.words.len() as u32;
                self.words.push(word);
            }
        }
        // First this for all and then that: so what is not in the cache is waited for at the same time.
        let reading = &corpus.forward;
        self.bigrams.clear();
        self.bigrams.extend(self.words[from..].iter().map(|&upper| reading.bigram(upper, self.word)));
        let thirds = self.bigrams.iter().map(|bigram| bigram.map_or(&[][..], |id| reading.thirds(id)));
        self.thirds.extend(thirds);
        let begin = |thirds: &&[Word]| thirds.first().copied().unwrap_or_default();
        std::hint::black_box(self.thirds[from..].iter().map(begin).fold(0, |all, word| all ^ word));
    }

    #[inline]
    fn number(&mut self, corpus: &'a Corpus, upper: Word) -> usize {
        if self.numbers[upper as usize] == NONE {
            self.extend(corpus, std::iter::once(upper));
        }
        self.numbers[upper as usize] as usize
    }
}

/// One column of some rows over and under a middle one.
struct Column {
    at: usize,
    /// Whether the lower rows are listed yet.
    begun: bool,
    /// For each word its number among the different lower words; these; and whether `order` has their numbers in their order.
    numbers: Vec<u32>,
    lowers: Vec<Lower>,
    order: Vec<u32>,
    /// For each lower row the next one that has the same word.
    next: Vec<u32>,
    /// For each number of an upper word where its set begins, if it is made.
    made: Vec<u32>,
    /// Sets of lower rows; and those that have one word.
    sets: Vec<u64>,
    own: Vec<u64>,
}

/// A word of some lower rows.
#[derive(Clone, Copy)]
struct Lower {
    word: Word,
    /// One of these rows, and how many there are.
    head: u32,
    count: u32,
    /// Where their set begins, if it is made.
    set: u32,
}

impl Column {
    fn new(vocabulary: usize) -> Self {
        Self {
            at: 0,
            begun: false,
            numbers: vec![NONE; vocabulary + 1],
            lowers: vec![],
            order: vec![],
            next: vec![],
            made: vec![],
            sets: vec![],
            own: vec![],
        }
    }

    fn clear(&mut self) {
        self.begun = false;
        self.lowers.drain(..).for_each(|lower| self.numbers[lower.word as usize] = NONE);
        self.order.clear();
        self.next.clear();
        self.made.clear();
        self.sets.clear();
        self.own.clear();
    }

    fn begin(&mut self, text: &[Word], lowers: &[u32]) {
        self.begun = true;
        for (row, &place) in (0..).zip(lowers) {
            let word = text[place as usize + self.at];
            let number = &mut self.numbers[word as usize];
            if *number == NONE {
                *number = self.lowers.len() as u32;
                self.lowers.push(Lower { word, head: NONE, count: 0, set: NONE });
            }
            let lower = &mut self.lowers[*number as usize];
            lower.count += 1;
            self.next.push(std::mem::replace(&mut lower.head, row));
        }
    }

    /// Makes the set of the lower rows that have one of some words; it says where it begins.
    fn make(&mut self, thirds: &[Word], length: usize) -> u32 {
        let from = self.sets.len();
        self.sets.resize(from + length, 0);
        let mut any = false;
        if thirds.len() <= MORE * self.lowers.len() {
            for &word in thirds {
                let number = self.numbers[word as usize];
                if number != NONE {
                    any = true;
                    self.add(from, number as usize, length);
                }
            }
        } else {
            if self.order.is_empty() {
                self.order.extend(0..self.lowers.len() as u32);
                self.order.sort_unstable_by_key(|&number| self.lowers[number as usize].word);
            }
            let mut rest = thirds;
            for at in 0..self.order.len() {
                let number = self.order[at] as usize;
                let word = self.lowers[number].word;
                rest = &rest[rest.partition_point(|&third| third < word)..];
                if rest.first() == Some(&word) {
                    any = true;
                    self.add(from, number, length);
                }
            }
        }
        if any { from as u32 } else { EMPTY }
    }

    /// Adds the rows that have a lower word to the set that begins at a place.
    #[inline]
    fn add(&mut self, from: usize, number: usize, length: usize) {
        let lower = &mut self.lowers[number];
        if lower.count as usize <= length / MANY {
            let set = &mut self.sets[from..];
            each(lower.head, &self.next, |row| set[row / 64] |= 1 << (row % 64));
            return;
        }
        if lower.set == NONE {
            lower.set = self.own.len() as u32;
            self.own.resize(self.own.len() + length, 0);
            let own = &mut self.own[lower.set as usize..];
            each(lower.head, &self.next, |row| own[row / 64] |= 1 << (row % 64));
        }
        let own = &self.own[lower.set as usize..];
        self.sets[from..].iter_mut().zip(own).for_each(|(bits, own)| *bits |= own);
    }
}

/// Each row of a chain.
#[inline]
fn each(head: u32, next: &[u32], mut each: impl FnMut(usize)) {
    let mut row = head;
    while row != NONE {
        each(row as usize);
        row = next[row as usize];
    }
}

/// The rows over and under a middle one.
#[derive(Clone, Copy)]
struct Rows<'a> {
    text: &'a [Word],
    k: usize,
    middle: u32,
    uppers: &'a [u32],
    lowers: &'a [u32],
}

impl Rows<'_> {
    fn slot<'b, 'c>(&self, slots: &'b mut [Slot<'c>], column: &Column) -> &'b mut Slot<'c> {
        &mut slots[(self.middle as usize + column.at) % self.k]
    }

    /// Machine words of a set of lower rows.
    fn length(&self) -> usize {
        self.lowers.len().div_ceil(64)
    }

    /// The lower rows that go with an upper word in a column; `None` if there are none.
    #[inline]
    fn set<'b, 'c>(
        &self,
        corpus: &'c Corpus,
        slots: &mut [Slot<'c>],
        column: &'b mut Column,
        upper: Word,
    ) -> Option<&'b [u64]> {
        let slot = self.slot(slots, column);
        let number = slot.number(corpus, upper);
        let from = match column.made.get(number) {
            None | Some(&NONE) => self.make(slot, column, number),
            Some(&from) => from,
        };
        (from != EMPTY).then(|| &column.sets[from as usize..from as usize + self.length()])
    }

    fn make(&self, slot: &Slot<'_>, column: &mut Column, number: usize) -> u32 {
        if !column.begun {
            column.begin(self.text, self.lowers);
        }
        if column.made.len() <= number {
            column.made.resize(slot.words.len(), NONE);
        }
        let set = column.make(slot.thirds[number], self.length());
        column.made[number] = set;
        set
    }
}

/// See the [module](self).
pub(super) struct Join<'a> {
    corpus: &'a Corpus,
    /// The words that rows are places in.
    text: &'a [Word],
    k: usize,
    work: &'a Work<'a>,
    over: Vec<u32>,
    under: Vec<u32>,
    /// Of each column its place in the text, at the place modulo k.
    slots: Vec<Slot<'a>>,
    columns: Vec<Column>,
    /// For each number of a word in the first column an upper row that has it, and for each upper row the next one that has the same.
    heads: Vec<u32>,
    next: Vec<u32>,
    /// The lower rows that go with an upper word in the first column, as a list and as bits.
    first: Vec<u32>,
    bits: Vec<u64>,
    /// Those that go with an upper row so far.
    left: Vec<u32>,
}

impl<'a> Join<'a> {
    /// For rows of k words, at least `SETS`.
    pub(super) fn new(
        corpus: &'a Corpus,
        text: &'a [Word],
        k: usize,
        work: &'a Work<'a>,
    ) -> Result<Self, Halt> {
        let vocabulary = corpus.vocabulary();
        work.check_room((vocabulary + 1) * k, 8 * work.threads)?;
        Ok(Self {
            corpus,
            text,
            k,
            work,
            over: vec![],
            under: vec![],
            slots: (0..k).map(|_| Slot::new(vocabulary)).collect(),
            columns: (0..k).map(|_| Column::new(vocabulary)).collect(),
            heads: vec![],
            next: vec![],
            first: vec![],
            bits: vec![],
            left: vec![],
        })
    }

    /// Of the rows that may be over and under a middle one each two that go together. It is of no use any more after an error.
    pub(super) fn middle(
        &mut self,
        middle: u32,
        over: impl Iterator<Item = u32>,
        under: impl Iterator<Item = u32>,
        each: &mut impl FnMut([u32; 3]) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let (mut uppers, mut lowers) = (std::mem::take(&mut self.over), std::mem::take(&mut self.under));
        uppers.clear();
        uppers.extend(over);
        lowers.clear();
        if !uppers.is_empty() {
            lowers.extend(under);
        }
        if !lowers.is_empty() {
            let words = &self.text[middle as usize..middle as usize + self.k];
            for (at, &word) in words.iter().enumerate() {
                self.columns[at].at = at;
                let place = middle + at as u32;
                self.slots[place as usize % self.k].set(place, word);
            }
            // Rare words have few others beside them: they say most, and their sets cost least.
            self.columns.sort_unstable_by_key(|column| std::cmp::Reverse((words[column.at], column.at)));
            for lowers in lowers.chunks(SLICE) {
                self.work.check()?;
                let rows = Rows { text: self.text, k: self.k, middle, uppers: &uppers, lowers };
                self.slice(rows, each)?;
            }
        }
        (self.over, self.under) = (uppers, lowers);
        Ok(())
    }

    fn slice(
        &mut self,
        rows: Rows<'_>,
        each: &mut impl FnMut([u32; 3]) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let (corpus, text, k) = (self.corpus, self.text, self.k);
        for column in &mut self.columns[..SETS] {
            let words = rows.uppers.iter().map(|&place| text[place as usize + column.at]);
            rows.slot(&mut self.slots, column).extend(corpus, words);
            column.begin(text, rows.lowers);
        }
        let at = self.columns[0].at;
        let slot = rows.slot(&mut self.slots, &self.columns[0]);
        self.heads.clear();
        self.heads.resize(slot.words.len(), NONE);
        self.next.clear();
        for (row, &place) in (0..).zip(rows.uppers) {
            let number = slot.numbers[text[place as usize + at] as usize] as usize;
            self.next.push(std::mem::replace(&mut self.heads[number], row));
        }
        for number in 0..self.heads.len() {
            let mut row = self.heads[number];
            if row == NONE {
                continue;
            }
            let slot = rows.slot(&mut self.slots, &self.columns[0]);
            let from = rows.make(slot, &mut self.columns[0], number);
            if from == EMPTY {
                continue;
            }
            let set = &self.columns[0].sets[from as usize..];
            self.bits.clear();
            self.bits.extend_from_slice(set);
            let count = set.iter().map(|bits| bits.count_ones() as usize).sum::<usize>();
            let many = count * FEW > rows.lowers.len();
            self.first.clear();
            if !many {
                list(set, &mut self.first);
            }
            while row != NONE {
                let place = rows.uppers[row as usize];
                row = self.next[row as usize];
                let upper = &text[place as usize..place as usize + k];
                self.go_together(rows, upper, many);
                for &lower in &self.left {
                    let lower = rows.lowers[lower as usize];
                    // The shells that the first and the third row have in common have no word twice.
                    let below = &text[lower as usize..lower as usize + k];
                    if upper[2..].iter().zip(below).all(|(a, b)| a != b) {
                        each([place, rows.middle, lower])?;
                    }
                }
            }
        }
        self.columns.iter_mut().for_each(Column::clear);
        Ok(())
    }

    /// Keeps of the lower rows that go with an upper one in the first column those that do in all others.
    fn go_together(&mut self, rows: Rows<'_>, upper: &[Word], many: bool) {
        let Self { corpus, slots, columns, first, bits: shared, left, .. } = self;
        left.clear();
        let mut from = 1;
        if many {
            let mut common = [0; SLICE / 64];
            let common = &mut common[..shared.len()];
            common.copy_from_slice(shared);
            for column in &mut columns[from..SETS] {
                let Some(set) = rows.set(corpus, slots, column, upper[column.at]) else { return };
                let any = common.iter_mut().zip(set).fold(0, |any, (bits, set)| {
                    *bits &= set;
                    any | *bits
                });
                if any == 0 {
                    return;
                }
            }
            list(common, left);
            from = SETS;
        } else {
            left.extend_from_slice(first);
        }
        for column in &mut columns[from..] {
            if left.is_empty() {
                return;
            }
            let Some(set) = rows.set(corpus, slots, column, upper[column.at]) else {
                left.clear();
                return;
            };
            left.retain(|&row| set[row as usize / 64] >> (row % 64) & 1 == 1);
        }
    }
}

fn list(set: &[u64], rows: &mut Vec<u32>) {
    for (at, &some) in (0..).step_by(64).zip(set) {
        rows.extend(bits(some).map(|bit| at + bit as u32));
    }
}
