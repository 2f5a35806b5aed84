//! The phrases of three words, for words that are numbered so that those that are looked for last come first.
//!
//! Every list is in order of these numbers. So whoever leaves out the rarest words stops at the first that is one of them. Where the words are few, the lists
//! are there as sets of bits too.
//!
//! Costs: a step for two of the three words of a phrase, a few where one of them is none of the commonest; for a set some steps a block. Memory: some
//! 100 bytes a phrase, for each two of the commonest words 24, and within what is given for them the sets.

use super::sets::{BLOCK, Block, NONE, and, any, has, insert, intersect, meet, or};
use crate::optimum::corpus::Word;

/// Pairs of words below this may be looked up in a table.
const COMMON: usize = 1024;

/// The other two places of a line.
pub(super) const OTHERS: [[usize; 2]; 3] = [[1, 2], [0, 2], [0, 1]];

/// A line, and one of its places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spoke {
    pub(super) line: [Word; 3],
    pub(super) at: usize,
}

impl Spoke {
    /// The word there.
    pub(super) fn word(&self) -> Word {
        self.line[self.at]
    }

    /// The words at the other places.
    pub(super) fn others(&self) -> [Word; 2] {
        OTHERS[self.at].map(|place| self.line[place])
    }
}

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
    sets: Option<Known>,
}

/// Lists as sets.
#[derive(Debug)]
struct Known {
    /// For two words where their set is; that of none comes first.
    rows: Vec<u32>,
    bits: Vec<Block>,
    width: usize,
}

impl Completions {
    fn new(lines: &[[Word; 3]], missing: usize, words: usize, room: usize) -> Self {
        let [p, q] = OTHERS[missing];
        let mut sorted: Vec<[Word; 3]> = lines.iter().map(|line| [line[p], line[q], line[missing]]).collect();
        sorted.sort_unstable();
        let common = (room / 3 / 8).isqrt().min(COMMON).min(words);
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
        let width = words.div_ceil(BLOCK);
        let bytes = common * common * 4 + pairs.len() * width * size_of::<Block>();
        let sets = (common == words && bytes <= room / 3).then(|| {
            let mut known = Known { rows: vec![0; words * words], bits: vec![NONE; width], width };
            for same in sorted.chunk_by(|a, b| a[..2] == b[..2]) {
                let [first, second, _] = same[0];
                let from = known.bits.len();
                known.rows[first as usize * words + second as usize] = from as u32;
                known.bits.resize(from + width, NONE);
                same.iter().for_each(|line| insert(&mut known.bits[from..], line[2]));
            }
            known
        });
        let list = sorted.into_iter().map(|line| line[2]).collect();
        Self { table, common, starts, pairs, list, sets }
    }

    /// The set of what goes with two words, if there are sets.
    #[inline]
    fn set(&self, first: Word, second: Word) -> Option<&[Block]> {
        let Known { rows, bits, width } = self.sets.as_ref()?;
        Some(&bits[rows[first as usize * self.common + second as usize] as usize..][..*width])
    }

    #[inline]
    fn list(&self, first: Word, second: Word) -> &[Word] {
        let (from, to) = self.range(first, second);
        &self.list[from as usize..to as usize]
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
    /// Of phrases whose words are below `words`, each given once. Tables of pairs and sets may take so many bytes each.
    pub(super) fn new(mut lines: Vec<[Word; 3]>, words: usize, room: usize) -> Self {
        lines.sort_unstable();
        let missing = [0, 1, 2].map(|missing| Completions::new(&lines, missing, words, room));
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

    /// What goes with a word at one place and another, and these two in the order of their places.
    #[inline]
    fn with(&self, at: usize, word: Word, other: usize, second: Word) -> (&Completions, Word, Word) {
        let missing = &self.missing[3 - at - other];
        if at < other { (missing, word, second) } else { (missing, second, word) }
    }

    /// The words that make a phrase with two others at given places.
    #[inline]
    pub(super) fn completions(&self, at: usize, word: Word, other: usize, second: Word) -> &[Word] {
        let (missing, first, second) = self.with(at, word, other, second);
        missing.list(first, second)
    }

    /// Whether some of these are in a set.
    #[inline]
    pub(super) fn meet(&self, at: usize, word: Word, other: usize, second: Word, set: &[Block]) -> bool {
        let (missing, first, second) = self.with(at, word, other, second);
        match missing.set(first, second) {
            Some(all) => meet(all, set),
            None => within(missing.list(first, second), set).any(|word| has(set, word)),
        }
    }

    /// Of words at a place, each with a block, the blocks of those that together with another word leave something of a set.
    #[inline]
    pub(super) fn meeting(
        &self,
        at: usize,
        words: &[(Word, Block)],
        other: usize,
        second: Word,
        set: &[Block],
    ) -> Block {
        let missing = &self.missing[3 - at - other];
        let mut met = NONE;
        if let ([set], Some(Known { rows, bits, width: 1 })) = (set, &missing.sets) {
            // The same without a branch, as what comes next cannot be told.
            let second = second as usize;
            let (from, step) =
                if at < other { (second, missing.common) } else { (second * missing.common, 1) };
            for (word, block) in words {
                let row = rows[from + *word as usize * step];
                let mask = u64::from(any(&and(&bits[row as usize], set))).wrapping_neg();
                met = or(&met, &and(block, &[mask; 4]));
            }
        } else {
            for (word, block) in words {
                if self.meet(at, *word, other, second, set) {
                    met = or(&met, block);
                }
            }
        }
        met
    }

    /// Those that are in a set; whether there are any.
    #[inline]
    pub(super) fn narrow(
        &self,
        at: usize,
        word: Word,
        other: usize,
        second: Word,
        set: &[Block],
        left: &mut [Block],
    ) -> bool {
        let (missing, first, second) = self.with(at, word, other, second);
        if let Some(all) = missing.set(first, second) {
            return intersect(all, set, left);
        }
        left.fill(NONE);
        let mut some = false;
        for word in within(missing.list(first, second), set).filter(|&word| has(set, word)) {
            insert(left, word);
            some = true;
        }
        some
    }

    /// The number of a phrase that there is.
    pub(super) fn number(&self, line: [Word; 3]) -> u32 {
        self.lines.binary_search(&line).unwrap_or_default() as u32
    }

    pub(super) fn line(&self, number: u32) -> [Word; 3] {
        self.lines[number as usize]
    }

    /// All phrases.
    pub(super) fn lines(&self) -> &[[Word; 3]] {
        &self.lines
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

/// The words of an ascending list that a set has bits for.
#[inline]
fn within(list: &[Word], set: &[Block]) -> impl Iterator<Item = Word> {
    let words = set.len() * BLOCK;
    list.iter().copied().take_while(move |&word| (word as usize) < words)
}

/// The words that may be beside another as sets, made when they are asked for, of words up to one.
#[derive(Debug)]
pub(super) struct Sets<'a> {
    lexicon: &'a Lexicon,
    /// By word and which places, the row that holds its set; only good if the mark is that of this time.
    rows: Vec<(u32, u32)>,
    time: u32,
    last: Word,
    width: usize,
    bits: Vec<Block>,
}

impl<'a> Sets<'a> {
    pub(super) fn new(lexicon: &'a Lexicon) -> Self {
        Self { lexicon, rows: vec![(0, 0); lexicon.words * 9], time: 0, last: 0, width: 1, bits: vec![] }
    }

    /// Begins anew, with words up to this one.
    pub(super) fn begin(&mut self, last: Word) {
        self.time += 1;
        self.last = last;
        self.width = last as usize / BLOCK + 1;
        self.bits.clear();
    }

    /// Blocks of a set.
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
        self.bits.resize(from + self.width, NONE);
        for &word in self.lexicon.beside(at, word, other).iter().take_while(|&&word| word <= self.last) {
            insert(&mut self.bits[from..], word);
        }
        let row = (from / self.width) as u32;
        self.rows[which] = (self.time, row);
        row
    }

    #[inline]
    pub(super) fn set(&self, row: u32) -> &[Block] {
        &self.bits[row as usize * self.width..][..self.width]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::sets;
    use super::*;

    proptest! {
        #[test]
        fn sets_and_lists_say_the_same(
            lines in prop::collection::btree_set([0..9_u32, 250..260_u32, 0..600_u32], 1..200),
            places in Just([0, 1, 2]).prop_shuffle(),
            of in prop::collection::btree_set(0..600_u32, 0..300),
            words in prop::sample::select(vec![200, 600]),
        ) {
            let lines: BTreeSet<[Word; 3]> =
                lines.into_iter().map(|line| places.map(|place| line[place] % words)).collect();
            let lines: Vec<[Word; 3]> = lines.into_iter().collect();
            let words = words as usize;
            let mut set = vec![NONE; words.div_ceil(BLOCK)];
            let of: BTreeSet<Word> = of.into_iter().filter(|&word| (word as usize) < words).collect();
            of.iter().for_each(|&word| insert(&mut set, word));
            let lexicons = [1 << 30, 60_000, 0].map(|room| Lexicon::new(lines.clone(), words, room));
            prop_assert!(lexicons[0].missing.iter().all(|missing| missing.sets.is_some()));
            prop_assert!(lexicons[2].missing.iter().all(|missing| missing.sets.is_none() && missing.common == 0));
            for &[a, b, c] in &lines {
                for (line, missing) in [([a, b, c], 0), ([b, a, c], 1), ([c, a, b], 2)] {
                    let [at, other] = OTHERS[missing];
                    let all = |line: &&[Word; 3]| line[at] == [a, b, c][at] && line[other] == [a, b, c][other];
                    let there: BTreeSet<Word> = lines.iter().filter(all).map(|line| line[missing]).collect();
                    let expected: Vec<Word> = there.intersection(&of).copied().collect();
                    for lexicon in &lexicons {
                        for (at, word, other, second) in [(at, line[1], other, line[2]), (other, line[2], at, line[1])] {
                            let listed = lexicon.completions(at, word, other, second);
                            prop_assert_eq!(listed, there.iter().copied().collect::<Vec<_>>());
                            let mut left = vec![NONE; set.len()];
                            prop_assert_eq!(lexicon.narrow(at, word, other, second, &set, &mut left), !expected.is_empty());
                            prop_assert_eq!(sets::words(&left).collect::<Vec<_>>(), expected.clone());
                            prop_assert_eq!(lexicon.meet(at, word, other, second, &set), !expected.is_empty());
                            let met = lexicon.meeting(at, &[(word, [1, 0, 0, 2])], other, second, &set);
                            prop_assert_eq!(met, if expected.is_empty() { NONE } else { [1, 0, 0, 2] });
                        }
                    }
                }
            }
        }
    }
}
