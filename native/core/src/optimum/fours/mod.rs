//! Every 3x3x3x3, from all 3x3, one rarest word after the other.
//!
//! A 3x3x3x3 has four lines through each of its words, of which each two have a 3x3. Through its rarest word these are of commoner words only. So words are
//! put in order by how many 3x3 they are in, and for each the 3x3 are looked at of which it is the rarest: its [`star`]. Three of its lines have a 3x3x3 or not,
//! [`cubes`]; what they leave is [`finish`]ed with a fourth. Nothing has to be known of other words for that.
//!
//! Guarantee: every 3x3x3x3 of the text, whatever the threads and the memory. Costs: grow with the 3x3 to the power of 2.2; figures in docs/optimal.md.
//! Memory: 16 bytes a 3x3, and 256 for those of one word; what does not fit is looked for again for some words at a time. And tables
//! of the phrases, see [`lexicon`].

mod cubes;
mod finish;
mod layers;
mod lexicon;
mod star;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use self::cubes::Cubes;
use self::finish::Words;
use self::lexicon::Lexicon;
use self::star::Star;
use super::corpus::{Corpus, Word};
use super::grid::Grid;
use super::rows::{Seeds, Taker};
use super::work::{Halt, Work};

/// Tables for commoner words only are made anew for half of the words, and so on, down to so many.
const LEAST_WORDS: usize = 64;

/// Pairs of words below this may be looked up in a table.
const COMMON: u64 = 1024;

/// Bytes that a star takes for each 3x3 while it is looked at.
const STAR_BYTES: usize = 256;

/// A 3x3: its rarest word, and its rows as numbers of phrases.
type Square = (Word, [u32; 3]);

/// Told of how many 3x3 have been looked at, of how many.
type Told<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// All 3x3x3x3, each with its axes in one order. More than `most` 3x3 are not looked at.
pub(super) fn all(corpus: &Corpus, most: usize, work: &Work<'_>, told: Told<'_>) -> Result<Vec<Grid>, Halt> {
    // As long as a list grows it may take twice its room.
    let room = (work.memory / 8 / work.threads as u64) as usize / size_of::<Square>();
    within(corpus, most, room, work, told)
}

/// The same, with so many 3x3 for each thread at a time.
fn within(
    corpus: &Corpus,
    most: usize,
    room: usize,
    work: &Work<'_>,
    told: Told<'_>,
) -> Result<Vec<Grid>, Halt> {
    let seeds = Seeds::new(corpus, work)?;
    let count = || Count::new(corpus, room);
    let (some, times) = seeds.sampled(&count)?;
    let sampled: usize = some.iter().map(|count| count.squares).sum();
    if sampled * times > most {
        return Err(Halt::Effort);
    }
    let counts = some.into_iter().chain(seeds.others(&count)?).fold(count(), Count::and);
    if counts.squares > most {
        return Err(Halt::Effort);
    }
    let mut found = BTreeSet::new();
    let (done, all) = (AtomicUsize::new(0), counts.squares);
    let told = |squares: usize| told(done.fetch_add(squares, Ordering::Relaxed) + squares, all);
    let ranked = Ranked::new(corpus, &counts.words, work, &told);
    let mut left = ranked.words.len();
    if let Some(mut squares) = counts.list {
        for (rarest, rows) in &mut squares {
            let words = rows.iter().flat_map(|&row| ranked.lines[row as usize]);
            *rarest = words.max().unwrap_or_default();
        }
        squares.sort_unstable();
        squares.dedup();
        ranked.look(&squares, left, &mut found)?;
        left = 0;
    }
    while left > 0 {
        // The rarest words come first, as many as there is room for.
        let (squares, from) = ranked.list(&seeds, left, room)?;
        if from == left {
            return Err(Halt::Memory);
        }
        ranked.look(&squares, left, &mut found)?;
        left = from;
    }
    Ok(found.into_iter().collect())
}

/// How many 3x3 each word is in, and the 3x3 themselves as long as there is room.
struct Count<'a> {
    corpus: &'a Corpus,
    squares: usize,
    words: Vec<u32>,
    /// Without the rarest word, which is not known yet.
    list: Option<Vec<Square>>,
    most: usize,
}

impl<'a> Count<'a> {
    fn new(corpus: &'a Corpus, most: usize) -> Self {
        Self { corpus, squares: 0, words: vec![0; corpus.vocabulary() + 1], list: Some(vec![]), most }
    }

    fn and(mut self, other: Self) -> Self {
        self.squares += other.squares;
        self.words.iter_mut().zip(other.words).for_each(|(sum, count)| *sum = sum.saturating_add(count));
        self.list = self.list.zip(other.list).map(|(mut list, other)| {
            list.extend(other);
            list
        });
        self
    }
}

impl Taker for Count<'_> {
    fn take(&mut self, rows: [[Word; 3]; 3]) {
        self.squares += 1;
        for word in rows.into_iter().flatten() {
            let count = &mut self.words[word as usize];
            *count = count.saturating_add(1);
        }
        if let Some(list) = &mut self.list {
            if list.len() < self.most {
                list.push((0, numbered(self.corpus, rows)));
            } else {
                self.list = None;
            }
        }
    }
}

/// The numbers of phrases that there are.
fn numbered(corpus: &Corpus, rows: [[Word; 3]; 3]) -> [u32; 3] {
    let reading = &corpus.forward;
    rows.map(|[a, b, c]| {
        reading.bigram(a, b).and_then(|bigram| reading.trigram(bigram, c)).unwrap_or_default() as u32
    })
}

/// The words that are in some 3x3, those in most first: their place is their *rank*.
struct Ranked<'a> {
    corpus: &'a Corpus,
    words: Vec<Word>,
    /// By word; of those in none it is the greatest there is.
    ranks: Vec<Word>,
    /// By number of a phrase of three words the ranks of these.
    lines: Vec<[Word; 3]>,
    work: &'a Work<'a>,
    /// Told of each 3x3 that has been looked at.
    told: &'a (dyn Fn(usize) + Sync),
}

impl<'a> Ranked<'a> {
    /// Of how many 3x3 each word is in.
    fn new(corpus: &'a Corpus, counts: &[u32], work: &'a Work<'a>, told: &'a (dyn Fn(usize) + Sync)) -> Self {
        let mut words: Vec<Word> =
            (0..).zip(counts).filter(|&(_, &count)| count > 0).map(|(word, _)| word).collect();
        words.sort_by_key(|&word| Reverse(counts[word as usize]));
        let mut ranks = vec![Word::MAX; counts.len()];
        for (rank, &word) in (0..).zip(&words) {
            ranks[word as usize] = rank;
        }
        let reading = &corpus.forward;
        let mut lines = vec![];
        for bigram in 0..reading.bigram_count() as u32 {
            let (a, b) = reading.bigram_words(bigram);
            lines.extend(reading.thirds(bigram).iter().map(|&c| [a, b, c].map(|word| ranks[word as usize])));
        }
        Self { corpus, words, ranks, lines, work, told }
    }

    /// The 3x3 whose rarest word has a rank from the one that is given back on, below the given one; in order.
    fn list(&self, seeds: &Seeds<'_>, below: usize, room: usize) -> Result<(Vec<Square>, usize), Halt> {
        let list = || List { ranked: self, ranks: 0..below, most: room, squares: vec![] };
        let mut lists = seeds.all(&list)?;
        // Where they did not fit, one or the other thread kept those of the rarest words only.
        let from = lists.iter().map(|list| list.ranks.start).max().unwrap_or(0);
        let mut squares = lists.pop().map(|list| list.squares).unwrap_or_default();
        lists.into_iter().for_each(|list| squares.extend(list.squares));
        squares.retain(|square| square.0 as usize >= from);
        squares.sort_unstable();
        squares.dedup();
        Ok((squares, from))
    }

    /// Those of a list with ranks below the given one. The tables are made anew for words of half the rank, as they are the faster the smaller.
    fn look(&self, mut squares: &[Square], mut below: usize, found: &mut BTreeSet<Grid>) -> Result<(), Halt> {
        self.work.check_room(self.lines.len(), 100)?;
        let most_common = (self.work.memory / 16 / 24).isqrt().min(COMMON);
        while !squares.is_empty() {
            let from = if below > LEAST_WORDS { below / 2 } else { 0 };
            let (rest, these) =
                squares.split_at(squares.partition_point(|square| (square.0 as usize) < from));
            if !these.is_empty() {
                let common =
                    self.lines.iter().filter(|line| line.iter().all(|&rank| (rank as usize) < below));
                let lexicon = Lexicon::new(common.copied().collect(), below, most_common as usize);
                self.stars(&lexicon, these, found)?;
            }
            (squares, below) = (rest, from);
        }
        Ok(())
    }

    /// Star by star.
    fn stars(&self, lexicon: &Lexicon, squares: &[Square], found: &mut BTreeSet<Grid>) -> Result<(), Halt> {
        let work = self.work;
        let stars: Vec<&[Square]> = squares.chunk_by(|a, b| a.0 == b.0).collect();
        let layers = (work.memory / 8 / work.threads as u64) as usize / size_of::<[Word; 4]>();
        let all = Mutex::new(found);
        work.divide(stars.len(), &|next| {
            let mut cubes = Cubes::new(lexicon, layers, work);
            let mut found = vec![];
            while let Some(number) = next() {
                work.check()?;
                let squares = stars[number];
                let Some(&(word, _)) = squares.first() else { continue };
                work.check_room(squares.len() * work.threads, STAR_BYTES)?;
                let lines = |&(_, rows): &Square| rows.map(|row| self.lines[row as usize]);
                let rows: Vec<[[Word; 3]; 3]> = squares.iter().map(lines).collect();
                if let Some(mut star) = Star::new(lexicon, word, &rows, work)? {
                    finish::all(lexicon, &mut cubes, &mut star, work, &mut found)?;
                }
                (self.told)(squares.len());
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                all.extend(found.drain(..).map(|words| self.grid(&words)));
                work.check_room(all.len(), 81 * 4 + 96)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    fn grid(&self, ranks: &Words) -> Grid {
        Grid { dims: vec![3; 4], words: ranks.iter().map(|&rank| self.words[rank as usize]).collect() }
            .sorted()
    }
}

/// The 3x3 whose rarest word has one of these ranks. If there is no room for all, those of the rarest words.
struct List<'a> {
    ranked: &'a Ranked<'a>,
    ranks: Range<usize>,
    most: usize,
    squares: Vec<Square>,
}

impl Taker for List<'_> {
    fn take(&mut self, rows: [[Word; 3]; 3]) {
        let rank = |&word: &Word| self.ranked.ranks[word as usize];
        let Some(rarest) = rows.iter().flatten().map(rank).max() else { return };
        if !self.ranks.contains(&(rarest as usize)) {
            return;
        }
        self.squares.push((rarest, numbered(self.ranked.corpus, rows)));
        if self.squares.len() > self.most {
            // Half of them go; those are looked for again.
            let middle = self.squares.len() / 2;
            let (_, &mut (median, _), _) = self.squares.select_nth_unstable(middle);
            self.ranks.start = median as usize + 1;
            self.squares.retain(|square| square.0 > median);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::optimum::grid::Filler;
    use crate::optimum::rows::{both_ways, squares};
    use crate::optimum::{blocks, grown};
    use crate::search::Stop;
    use crate::text::{Interner, PhraseIndex};

    fn random(state: &mut u64) -> impl FnMut(usize) -> usize + '_ {
        move |below| {
            *state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (*state >> 33) as usize % below
        }
    }

    fn sentence(words: [usize; 3]) -> String {
        let name = |word: usize| [word / 10, word % 10].map(|letter| char::from(b'a' + letter as u8));
        words.map(|word| String::from_iter(name(word))).join(" ") + ". "
    }

    /// The lines of grids of four axes of length 3, of few words, some of which lack a line; and other lines.
    fn text(seed: u64) -> String {
        let mut state = seed;
        let mut below = random(&mut state);
        let words = 24 + below(60);
        let mut text = String::new();
        for _ in 0..1 + below(3) {
            let mut grid = [0; 81];
            for shell in 0..9 {
                let mut left: Vec<usize> = (0..words).collect();
                for at in (0..81).filter(|at| (at / 27 + at / 9 % 3 + at / 3 % 3 + at % 3) == shell) {
                    grid[at] = left.swap_remove(below(left.len()));
                }
            }
            let lacking = below(216);
            let lines = (0..4_u32).flat_map(|axis| {
                let stride = 3_usize.pow(axis);
                (0..81)
                    .filter(move |at| at / stride % 3 == 0)
                    .map(move |at| [at, at + stride, at + 2 * stride])
            });
            for (_, line) in lines.enumerate().filter(|(number, _)| *number != lacking) {
                let [a, b, c] = line.map(|at| grid[at]);
                text.push_str(&sentence([a, b, c]));
            }
        }
        for _ in 0..below(120) {
            let [a, b, c] = [below(words), below(words), below(words)];
            text.push_str(&sentence([a, b, c]));
        }
        text
    }

    /// What the 3x3x3 grow to.
    fn fours(corpus: &Corpus, cubes: Vec<Grid>, work: &Work<'_>) -> BTreeSet<Grid> {
        let mut filler = Filler::new(corpus, work);
        let cubes = cubes.into_iter().collect();
        let two = grown(&mut filler, &cubes, |grid| vec![grid.dims.len()], work).expect("no limit");
        let shortest = |grid: &Grid| (0..4).filter(|&axis| grid.dims[axis] == 2).collect();
        grown(&mut filler, &two, shortest, work).expect("no limit")
    }

    #[test]
    fn all_are_found() {
        let stop = Stop::default();
        let (mut with, mut without) = (0, 0);
        for seed in 0..100 {
            let interner = Arc::new(Interner::from_bytes("text", text(seed).as_bytes()).expect("UTF-8"));
            let index = PhraseIndex::build(interner).expect("an index");
            let corpus = Corpus::new(&index).expect("a corpus");
            let work = Work { stop: &stop, threads: 1 + seed as usize % 2, memory: 1 << 30 };
            let squares = squares(&corpus, &work).expect("no limit");
            let cubes = blocks::cubes(&corpus, &both_ways(&squares), &work).expect("no limit");
            let expected: Vec<Grid> = fours(&corpus, cubes, &work).iter().map(Grid::sorted).collect();
            // All 3x3 at a time, and some.
            for room in [1 << 20, squares.len() / 2 + 200] {
                let found = within(&corpus, 1 << 20, room, &work, &|_, _| ()).expect("no limit");
                assert_eq!(found, expected, "{seed}");
            }
            *if expected.is_empty() { &mut without } else { &mut with } += 1;
        }
        assert!(with > 10 && without > 5, "{with} texts with a grid, {without} without");
    }

    #[test]
    fn it_ends_at_a_limit() {
        let stop = Stop::default();
        let interner = Arc::new(Interner::from_bytes("text", text(1).as_bytes()).expect("UTF-8"));
        let index = PhraseIndex::build(interner).expect("an index");
        let corpus = Corpus::new(&index).expect("a corpus");
        let work = Work { stop: &stop, threads: 1, memory: 1 << 30 };
        let squares = squares(&corpus, &work).expect("no limit").len();
        assert!(all(&corpus, squares * 2, &work, &|_, _| ()).is_ok());
        assert_eq!(all(&corpus, squares / 2, &work, &|_, _| ()), Err(Halt::Effort));
        // No room for the 3x3 of a single word.
        assert_eq!(within(&corpus, squares * 2, 1, &work, &|_, _| ()), Err(Halt::Memory));
        stop.end_early(crate::search::Limit::MaxTime);
        assert_eq!(all(&corpus, squares * 2, &work, &|_, _| ()), Err(Halt::Stopped));
    }
}
