//! Every 3x3x3x3, one rarest word after the other.
//!
//! A 3x3x3x3 has four lines through each of its words, of which each two have a 3x3. Through its rarest word these are of commoner words only. So words are
//! put in order by how many 3x3 they are in, as a sample says, and for each the lines are looked at of which it is the rarest, and their 3x3: its [`star`]. Three of its lines have a 3x3x3 or not,
//! [`cubes`]; what they leave is [`finish`]ed with a fourth. Nothing has to be known of other words for that.
//!
//! Guarantee: every 3x3x3x3 of the text, whatever the threads and the memory. Costs: grow with the 3x3 to the power of 2.2; figures in docs/optimal.md.
//! Memory: some 160 bytes for each 3x3 of one word, and tables of the phrases, see [`lexicon`].

mod around;
mod cubes;
mod finish;
mod layers;
mod lexicon;
mod sets;
mod star;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use self::cubes::Cubes;
use self::finish::Words;
use self::lexicon::{Lexicon, Spoke};
use self::star::Star;
use super::corpus::{Corpus, Word};
use super::grid::Grid;
use super::rows::{Seeds, Taker};
use super::work::{Halt, Work};

/// Tables for commoner words only are made anew for each power of two of them, down to so many: so their sets have as few blocks as can be.
const LEAST_WORDS: usize = 64;

/// Told of how many 3x3 have been looked at, of about how many.
type Told<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// All 3x3x3x3, each with its axes in one order. If there are likely to be more than `most` 3x3, nothing is looked at.
pub(super) fn all(corpus: &Corpus, most: usize, work: &Work<'_>, told: Told<'_>) -> Result<Vec<Grid>, Halt> {
    let count = || Count { squares: 0, words: vec![0; corpus.vocabulary() + 1] };
    let (counts, times) = Seeds::new(corpus, work)?.sampled(&count)?;
    let counts = counts.into_iter().fold(count(), Count::and);
    let likely = counts.squares * times;
    if likely > most {
        return Err(Halt::Effort);
    }
    let done = AtomicUsize::new(0);
    let told = |squares: usize| told(done.fetch_add(squares, Ordering::Relaxed) + squares, likely);
    let found = Ranked::new(corpus, &counts.words, work, &told).look()?;
    Ok(found.into_iter().collect())
}

/// How many 3x3 there are, and each word is in.
struct Count {
    squares: usize,
    words: Vec<u32>,
}

impl Count {
    fn and(mut self, other: Self) -> Self {
        self.squares += other.squares;
        self.words.iter_mut().zip(other.words).for_each(|(sum, count)| *sum = sum.saturating_add(count));
        self
    }
}

impl Taker for Count {
    fn take(&mut self, rows: [[Word; 3]; 3]) {
        self.squares += 1;
        for word in rows.into_iter().flatten() {
            let count = &mut self.words[word as usize];
            *count = count.saturating_add(1);
        }
    }
}

/// The words of phrases of three, those in most 3x3 first: their place is their *rank*.
struct Ranked<'a> {
    words: Vec<Word>,
    /// The phrases, as ranks.
    lines: Vec<[Word; 3]>,
    work: &'a Work<'a>,
    /// Told of each 3x3 that has been looked at.
    told: &'a (dyn Fn(usize) + Sync),
}

impl<'a> Ranked<'a> {
    /// Of how many 3x3 of a sample each word is in. Those in as many, or in none, come by their phrases.
    fn new(corpus: &Corpus, counts: &[u32], work: &'a Work<'a>, told: &'a (dyn Fn(usize) + Sync)) -> Self {
        let reading = &corpus.forward;
        let mut lines = vec![];
        for bigram in 0..reading.bigram_count() as u32 {
            let (a, b) = reading.bigram_words(bigram);
            lines.extend(reading.thirds(bigram).iter().map(|&c| [a, b, c]));
        }
        let mut phrases = vec![0_u32; counts.len()];
        lines.iter().flatten().for_each(|&word| phrases[word as usize] += 1);
        let mut words: Vec<Word> =
            (0..).zip(&phrases).filter(|&(_, &phrases)| phrases > 0).map(|(word, _)| word).collect();
        words.sort_by_key(|&word| Reverse((counts[word as usize], phrases[word as usize])));
        let mut ranks = vec![Word::MAX; counts.len()];
        (0..).zip(&words).for_each(|(rank, &word)| ranks[word as usize] = rank);
        lines.iter_mut().flatten().for_each(|word| *word = ranks[*word as usize]);
        Self { words, lines, work, told }
    }

    /// The rarest words first. The tables are made anew for fewer words, as they are the faster the smaller.
    fn look(&self) -> Result<BTreeSet<Grid>, Halt> {
        self.work.check_room(self.lines.len(), 100)?;
        let room = (self.work.memory / 8) as usize;
        let found = Mutex::default();
        let mut below = self.words.len();
        while below > 0 {
            let from = if below > LEAST_WORDS { below.next_power_of_two() / 2 } else { 0 };
            let common = |line: &&[Word; 3]| line.iter().all(|&rank| (rank as usize) < below);
            let lexicon = Lexicon::new(self.lines.iter().filter(common).copied().collect(), below, room);
            self.stars(&lexicon, from, &found)?;
            below = from;
        }
        Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Star by star, of words from the given one on.
    fn stars(&self, lexicon: &Lexicon, from: usize, found: &Mutex<BTreeSet<Grid>>) -> Result<(), Halt> {
        let mut spokes = vec![];
        for &line in lexicon.lines() {
            let rarest = line.into_iter().max().unwrap_or_default();
            let places = (0..3).filter(|&at| rarest as usize >= from && line[at] == rarest);
            spokes.extend(places.map(|at| Spoke { line, at }));
        }
        spokes.sort_unstable_by_key(|spoke| (Reverse(spoke.word()), *spoke));
        let work = self.work;
        let stars: Vec<&[Spoke]> = spokes.chunk_by(|a, b| a.word() == b.word()).collect();
        let layers = (work.memory / 8 / work.threads as u64) as usize / size_of::<[Word; 4]>();
        work.divide(stars.len(), &|next| {
            let mut cubes = Cubes::new(lexicon, layers, work);
            let mut grids = vec![];
            while let Some(number) = next() {
                let (squares, star) =
                    Star::new(lexicon, cubes.begin(stars[number][0].word()), stars[number], work)?;
                if let Some(mut star) = star {
                    finish::all(lexicon, &mut cubes, &mut star, work, &mut grids)?;
                }
                (self.told)(squares);
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                found.extend(grids.drain(..).map(|words| self.grid(&words)));
                work.check_room(found.len(), 81 * 4 + 96)?;
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
        let name = |word: usize| {
            [word / 100, word / 10 % 10, word % 10].map(|letter| char::from(b'a' + letter as u8))
        };
        words.map(|word| String::from_iter(name(word))).join(" ") + ". "
    }

    /// The lines of grids of four axes of length 3, of few words, some of which lack a line; and other lines. Every tenth has more words than a block.
    fn text(seed: u64) -> String {
        let mut state = seed;
        let mut below = random(&mut state);
        let many = seed % 10 == 9;
        let words = if many { 300 + below(400) } else { 24 + below(60) };
        let mut text = String::new();
        for _ in 0..1 + below(3) + if many { 12 } else { 0 } {
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

    /// Counts 3x3.
    struct Sum(usize);

    impl Taker for Sum {
        fn take(&mut self, _: [[Word; 3]; 3]) {
            self.0 += 1;
        }
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
            let found = all(&corpus, usize::MAX, &work, &|_, _| ()).expect("no limit");
            assert_eq!(found, expected, "{seed}");
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
        let (sample, times) =
            Seeds::new(&corpus, &work).expect("no limit").sampled(&|| Sum(0)).expect("no limit");
        let likely = sample[0].0 * times;
        assert!(likely > 0);
        assert!(all(&corpus, likely, &work, &|_, _| ()).is_ok());
        assert_eq!(all(&corpus, likely - 1, &work, &|_, _| ()), Err(Halt::Effort));
        // No room for the phrases; and if there were, for the 3x3 of a word.
        let small = Work { memory: 1 << 10, ..work };
        assert_eq!(all(&corpus, likely, &small, &|_, _| ()), Err(Halt::Memory));
        let ranked = Ranked::new(&corpus, &vec![0; corpus.vocabulary() + 1], &small, &|_| ());
        let lexicon = Lexicon::new(ranked.lines.clone(), ranked.words.len(), 0);
        assert_eq!(ranked.stars(&lexicon, 0, &Mutex::default()), Err(Halt::Memory));
        stop.end_early(crate::search::Limit::MaxTime);
        assert_eq!(all(&corpus, likely, &work, &|_, _| ()), Err(Halt::Stopped));
    }
}
