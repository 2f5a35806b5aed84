//! The phrases of three words, for words that are numbered so that those that are looked for last come first.
//!
//! Every list is in order of these numbers. So whoever leaves out the rarest words stops at the first that is one of them.
//!
//! Costs: a step for two of the three words of a phrase, a few where one of them is none of the commonest. Memory: some 100 bytes a
//! phrase, and for each two of the commonest words 24.

use crate::optimum::corpus::Word;

/// The other two places of a line.
pub(super) const OTHERS: [[usize; 2]; 3] = [[1, 2], [0, 2], [0, 1]];

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Lexicon {
    /// The phrases, ascending; their places here are their numbers.
    lines: Vec<[Word; 3]>,
    /// By the place that is not given, what may be there.
    missing: [Completions; 3],
    /// By the place of a word and another place, the words that may be there: at 3 times the first and the second.
    beside: Vec<Lists>,
    pub(super) words: usize,
}

/// Lists of words, one after the other.
#[derive(Debug, Default)]
struct Lists {
    starts: Vec<u32>,
    words: Vec<Word>,
}

impl Lists {
    fn of(&self, word: Word) -> &[Word] {
        &self.words[self.starts[word as usize] as usize..self.starts[word as usize + 1] as usize]
    }
}

/// The words that go with two others.
#[derive(Debug)]
struct Completions {
    /// For two words below `common` where their list begins and ends.
    table: Vec<(u32, u32)>,
    common: usize,
    /// For each word where its pairs begin.
    starts: Vec<u32>,
    /// Second words of the pairs, ascending for each first one, and where their lists begin.
    pairs: Vec<(Word, u32)>,
    list: Vec<Word>,
}

impl Completions {
    fn new(lines: &[[Word; 3]], missing: usize, words: usize, common: usize) -> Self {
        let [p, q] = OTHERS[missing];
        let mut sorted: Vec<[Word; 3]> = lines.iter().map(|line| [line[p], line[q], line[missing]]).collect();
        sorted.sort_unstable();
        let mut table = vec![(0, 0); common * common];
        let (mut starts, mut pairs) = (vec![0; words + 1], vec![]);
        let mut at = 0;
        for same in sorted.chunk_by(|a, b| a[..2] == b[..2]) {
            let [first, second, _] = same[0];
            starts[first as usize + 1] += 1;
            pairs.push((second, at));
            let end = at + same.len() as u32;
            if (first.max(second) as usize) < common {
                table[first as usize * common + second as usize] = (at, end);
            }
            at = end;
        }
        pairs.push((Word::MAX, at));
        for word in 0..words {
            starts[word + 1] += starts[word];
        }
        Self { table, common, starts, pairs, list: sorted.into_iter().map(|line| line[2]).collect() }
    }

    #[inline]
    fn range(&self, first: Word, second: Word) -> (u32, u32) {
        if (first.max(second) as usize) < self.common {
            return self.table[first as usize * self.common + second as usize];
        }
        let (from, to) = (self.starts[first as usize] as usize, self.starts[first as usize + 1] as usize);
        match self.pairs[from..to].binary_search_by_key(&second, |pair| pair.0) {
            Ok(at) => (self.pairs[from + at].1, self.pairs[from + at + 1].1),
            Err(_) => (0, 0),
        }
    }
}

impl Lexicon {
    /// Of phrases whose words are below `words`, each given once. Pairs of words below `common` are looked up in a table.
    pub(super) fn new(mut lines: Vec<[Word; 3]>, words: usize, common: usize) -> Self {
        lines.sort_unstable();
        let missing = [0, 1, 2].map(|missing| Completions::new(&lines, missing, words, common.min(words)));
        let beside = (0..9).map(|which| {
            let (at, other) = (which / 3, which % 3);
            if at == other {
                return Lists::default();
            }
            let mut pairs: Vec<(Word, Word)> = lines.iter().map(|line| (line[at], line[other])).collect();
            pairs.sort_unstable();
            pairs.dedup();
            let mut starts = vec![0; words + 1];
            pairs.iter().for_each(|pair| starts[pair.0 as usize + 1] += 1);
            (0..words).for_each(|word| starts[word + 1] += starts[word]);
            Lists { starts, words: pairs.into_iter().map(|pair| pair.1).collect() }
        });
        let beside = beside.collect();
        Self { lines, missing, beside, words }
    }

    /// The words that make a phrase with two others at given places.
    #[inline]
    pub(super) fn completions(&self, at: usize, word: Word, other: usize, second: Word) -> &[Word] {
        let missing = &self.missing[3 - at - other];
        let (from, to) = if at < other { missing.range(word, second) } else { missing.range(second, word) };
        &missing.list[from as usize..to as usize]
    }

    /// The number of a phrase that there is.
    pub(super) fn number(&self, line: [Word; 3]) -> u32 {
        self.lines.binary_search(&line).unwrap_or_default() as u32
    }

    pub(super) fn line(&self, number: u32) -> [Word; 3] {
        self.lines[number as usize]
    }

    /// The words that may be at one place of a line with a word at another.
    pub(super) fn beside(&self, at: usize, word: Word, other: usize) -> &[Word] {
        self.beside[at * 3 + other].of(word)
    }
}

/// Whether an ascending list has a word.
#[inline]
pub(super) fn contains(list: &[Word], word: Word) -> bool {
    if list.len() <= 8 { list.contains(&word) } else { list.binary_search(&word).is_ok() }
}

/// The numbers of the bits that are set.
pub(super) struct Ones(pub(super) u64);

impl Iterator for Ones {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let bit = self.0.trailing_zeros() as usize;
        let some = self.0 != 0;
        self.0 &= self.0.wrapping_sub(1);
        some.then_some(bit)
    }
}

/// The numbers of the bits that are set in a set of many words.
pub(super) fn numbers(words: impl Iterator<Item = u64>) -> impl Iterator<Item = usize> {
    words.enumerate().flat_map(|(at, bits)| Ones(bits).map(move |bit| at * 64 + bit))
}

/// The same words as sets of bits, made when they are asked for, of words up to one.
#[derive(Debug)]
pub(super) struct Sets<'a> {
    lexicon: &'a Lexicon,
    /// By word and which places, the row that holds its set; only good if the mark is that of this time.
    rows: Vec<(u32, u32)>,
    time: u32,
    last: Word,
    width: usize,
    bits: Vec<u64>,
}

impl<'a> Sets<'a> {
    pub(super) fn new(lexicon: &'a Lexicon) -> Self {
        Self { lexicon, rows: vec![(0, 0); lexicon.words * 9], time: 0, last: 0, width: 1, bits: vec![] }
    }

    /// Begins anew, with words up to this one.
    pub(super) fn begin(&mut self, last: Word) {
        self.time += 1;
        self.last = last;
        self.width = last as usize / 64 + 1;
        self.bits.clear();
    }

    #[inline]
    pub(super) fn last(&self) -> Word {
        self.last
    }

    /// 64-bit words of a set.
    #[inline]
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The row of the words that may be at `other` with a word at `at`.
    #[inline]
    pub(super) fn row(&mut self, at: usize, word: Word, other: usize) -> u32 {
        let which = word as usize * 9 + at * 3 + other;
        let (time, row) = self.rows[which];
        if time == self.time {
            return row;
        }
        let from = self.bits.len();
        self.bits.resize(from + self.width, 0);
        for &word in self.lexicon.beside(at, word, other).iter().take_while(|&&word| word <= self.last) {
            self.bits[from + word as usize / 64] |= 1 << (word % 64);
        }
        let row = (from / self.width) as u32;
        self.rows[which] = (self.time, row);
        row
    }

    #[inline]
    pub(super) fn set(&self, row: u32) -> &[u64] {
        &self.bits[row as usize * self.width..][..self.width]
    }

    #[inline]
    pub(super) fn has(&self, row: u32, word: Word) -> bool {
        self.bits[row as usize * self.width + word as usize / 64] >> (word % 64) & 1 == 1
    }
}
