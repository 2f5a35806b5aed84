//! Which runs of words can be one over the other, for the whole text at once, by sets of bits.
//!
//! For each word the places of the text that can be under it (or over it) are a set of bits. A run is over another exactly if the
//! places under its words, each moved back by its column, have the start of the other in common: an `and` of a few sets answers for 64 places
//! at a time. So every run is met with every place: quadratic, with a constant so small that nothing cleverer was faster
//! on texts of up to 10 MB (docs/optimal.md).
//!
//! The text is dealt with in blocks, so that the sets of all words fit. The places of a block are dealt out to the bits such that
//! neighbours stand in neighbouring machine words: moving a set by some columns is reading it from so many words later. Runs that are
//! neighbours in the text share most of their words, and so the sets of these are met for all of them together ([`Shared`]).
//!
//! Guarantee: every pair of runs all columns of which are bigrams and in no shell of which a word is twice, each once. Costs: runs
//! times places / 64 for each of a few columns, and some nanoseconds a pair. Memory: the sets take at most a quarter of the budget,
//! divided among the threads; 12 bytes a run.

use super::corpus::{Corpus, Word};
use super::work::{Halt, Work};
use crate::results::bits;

/// Columns of a run that are looked at, at most.
const COLUMNS: usize = 16;

/// Places of a block, at most: so the sets of one run stay in the nearest cache.
const BLOCK: usize = 1 << 15;

/// And at least.
const LEAST_BLOCK: usize = 1 << 10;

/// Sets that are met for one run, at most.
const SETS: usize = 7;

/// Words of a run, at most, that neighbours share their meetings for.
const MOST_SHARED: usize = 8;

/// Machine words that are looked at together for whether any bit is left.
const CHUNK: usize = 8;

/// Places that are expected to be left of the whole text when no more sets are met.
const FEW: f32 = 0.5;

/// On which side of the runs others are sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Over,
    Under,
}

/// Which columns of a run are looked at: how many, and these.
type Columns = [u8; SETS + 1];

/// A text in which runs are sought on one side of others.
#[derive(Debug)]
pub(super) struct Beside<'a> {
    corpus: &'a Corpus,
    text: &'a [Word],
    side: Side,
    /// For each word the words that it can be beside: where they begin in `others`.
    starts: Vec<u32>,
    others: Vec<Word>,
    /// For each word the share of the text that can be beside it.
    shares: Vec<f32>,
    /// Bytes that the sets of a thread may take.
    room: usize,
}

/// What is done with the places beside a run.
pub(super) trait Visitor {
    /// The runs of a block follow.
    fn begin(&mut self) {}

    /// Another run, by its place, that is beside one of the runs.
    fn visit(&mut self, run: usize, place: u32) -> Result<(), Halt>;

    /// That was all beside a run in this block.
    fn end(&mut self) -> Result<(), Halt> {
        Ok(())
    }
}

impl<'a> Beside<'a> {
    /// `text` is words of the corpus, 0 between what is not one run; of its bigrams those are columns for which `column` is true.
    pub(super) fn new(
        corpus: &'a Corpus,
        text: &'a [Word],
        side: Side,
        column: impl Fn(u32) -> bool,
        work: &Work<'_>,
    ) -> Result<Self, Halt> {
        let reading = &corpus.forward;
        let vocabulary = corpus.vocabulary();
        work.check_room(reading.bigram_count() + vocabulary * 5, 4)?;
        let mut counts = vec![0_u32; vocabulary + 1];
        for &word in text {
            counts[word as usize] += 1;
        }
        // The word beside which others are, and that which is there.
        let columns = || {
            (0..reading.bigram_count() as u32).filter(|&id| column(id)).map(|id| {
                let (over, under) = reading.bigram_words(id);
                if side == Side::Under { (over, under) } else { (under, over) }
            })
        };
        let mut starts = vec![0_u32; vocabulary + 2];
        let mut beside = vec![0_u64; vocabulary + 1];
        for (word, other) in columns() {
            starts[other as usize + 1] += 1;
            beside[word as usize] += u64::from(counts[other as usize]);
        }
        for word in 0..=vocabulary {
            starts[word + 1] += starts[word];
        }
        let mut next = starts.clone();
        let mut others = vec![0; starts[vocabulary + 1] as usize];
        for (word, other) in columns() {
            others[next[other as usize] as usize] = word;
            next[other as usize] += 1;
        }
        let shares = beside.iter().map(|&beside| beside as f32 / text.len().max(1) as f32).collect();
        let room = (work.memory / 4) as usize / work.threads;
        Ok(Self { corpus, text, side, starts, others, shares, room })
    }

    /// About what share of the places can be beside a run, if its words are independent.
    pub(super) fn share(&self, run: &[Word]) -> f32 {
        run.iter().map(|&word| self.shares[word as usize]).product()
    }

    /// Which words get sets, and how long these are, so that they fit.
    fn plan(&self, runs: &[u32], k: usize) -> Plan {
        let mut has = vec![false; self.shares.len()];
        for &run in runs {
            let run = run as usize;
            self.text[run..run + k.min(COLUMNS)].iter().for_each(|&word| has[word as usize] = true);
        }
        let count = has.iter().filter(|&&has| has).count();
        let bytes = |block: usize| (block / 64 + COLUMNS) * 8;
        let mut block = self.text.len().next_power_of_two().clamp(LEAST_BLOCK, BLOCK);
        while block > LEAST_BLOCK && bytes(block) * count > self.room {
            block /= 2;
        }
        // If not even the shortest fit, rare words have none.
        let most = (self.room / bytes(block)).min(count);
        let mut sets = vec![NONE; has.len()];
        for (number, word) in (0..has.len()).filter(|&word| has[word]).take(most).enumerate() {
            sets[word] = number as u32;
        }
        Plan { sets, count: most, length: block / 64 }
    }

    /// The columns of a run that say most, until next to nothing is expected to be left.
    fn columns(&self, run: &[Word], plan: &Plan) -> Columns {
        let mut order: Vec<(f32, u8)> = (0_u8..)
            .zip(run.iter().take(COLUMNS))
            .filter(|&(_, &word)| plan.sets[word as usize] != NONE)
            .map(|(column, &word)| (self.shares[word as usize], column))
            .collect();
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut columns = [0; SETS + 1];
        let mut left = self.text.len() as f32;
        for (i, &(share, column)) in order.iter().take(SETS).enumerate() {
            columns[0] = i as u8 + 1;
            columns[i + 1] = column;
            left *= share;
            if left < FEW {
                break;
            }
        }
        columns
    }

    /// Gives visitors, one for each thread, for each block all `runs` of k words with every place that can be beside them, of
    /// the places that are `wanted`.
    pub(super) fn each<V: Visitor, T: Send>(
        &self,
        runs: &[u32],
        k: usize,
        wanted: &(dyn Fn(usize) -> bool + Sync),
        work: &Work<'_>,
        visitor: &(dyn Fn() -> V + Sync),
        end: &(dyn Fn(V) -> T + Sync),
    ) -> Result<Vec<T>, Halt> {
        work.check_room(runs.len(), 4 + size_of::<Columns>())?;
        let words = |place: u32| &self.text[place as usize..place as usize + k];
        let plan = self.plan(runs, k);
        let columns: Vec<Columns> = runs.iter().map(|&run| self.columns(words(run), &plan)).collect();
        let shared = k <= MOST_SHARED;
        // Runs that go over the end of a block belong to the next.
        let step = plan.length * 64 - (COLUMNS - 1);
        work.divide(self.text.len().div_ceil(step), &|next| {
            let mut visitor = visitor();
            let mut sets = Sets::new(self, &plan);
            while let Some(number) = next() {
                let from = number * step;
                sets.fill(from, work)?;
                let among = sets.dealt(|place| {
                    place < step && from + place + k <= self.text.len() && wanted(from + place)
                });
                visitor.begin();
                let mut numbers = 0..;
                let mut rest = &columns[..];
                // Runs that have a place in common.
                for near in runs.chunk_by(|&a, &b| shared && a as usize / k == b as usize / k) {
                    work.check()?;
                    let (columns, after) = rest.split_at(near.len());
                    rest = after;
                    let alone: usize = columns.iter().map(|columns| columns[0] as usize).sum();
                    let together = alone > 2 * k + near.len();
                    if together {
                        sets.begin(near, k);
                    }
                    for ((&run, columns), number) in near.iter().zip(columns).zip(&mut numbers) {
                        let met = if together {
                            sets.meet_shared(run, k, &among)
                        } else {
                            sets.meet(words(run), columns, &among)
                        };
                        let run = words(run);
                        sets.collect();
                        for &place in &sets.places {
                            let place = from as u32 + place;
                            if self.fits(run, words(place), met) {
                                visitor.visit(number, place)?;
                            }
                        }
                        visitor.end()?;
                    }
                }
            }
            Ok(end(visitor))
        })
    }

    /// Whether one run is really beside another, of which the columns in `met` are known to be bigrams.
    #[inline]
    fn fits(&self, run: &[Word], other: &[Word], met: u32) -> bool {
        let (over, under) = if self.side == Side::Under { (run, other) } else { (other, run) };
        let alike = over[1..].iter().zip(under).fold(false, |alike, (a, b)| alike | (a == b));
        let mut columns = over.iter().zip(under).enumerate();
        !alike
            && (met.count_ones() as usize == run.len()
                || columns
                    .all(|(at, (&a, &b))| at < COLUMNS && met >> at & 1 == 1 || self.corpus.follows(a, b)))
    }
}

/// Not there.
const NONE: u32 = u32::MAX;

/// What sets there are for some runs.
struct Plan {
    /// For each word the number of its set.
    sets: Vec<u32>,
    count: usize,
    /// Machine words of a set, without those at its end that repeat its beginning.
    length: usize,
}

impl Plan {
    /// Machine words from the beginning of a set to that of the next.
    fn stride(&self) -> usize {
        self.length + COLUMNS
    }

    /// Where the set of a word begins, if it has one.
    #[inline]
    fn start(&self, word: Word) -> Option<usize> {
        let number = self.sets[word as usize];
        (number != NONE).then(|| number as usize * self.stride())
    }
}

/// The sets of one block.
struct Sets<'a> {
    beside: &'a Beside<'a>,
    plan: &'a Plan,
    /// For each word the places that can be beside it.
    sets: Vec<u64>,
    /// The places of one word.
    own: Vec<u64>,
    /// What is left of a meeting.
    common: Vec<u64>,
    /// The places that are left, from the beginning of the block.
    places: Vec<u32>,
    shared: Shared,
}

/// What runs have in common that all have some place of the text: those of k words that begin from a multiple of k on and before the next.
///
/// Each is the end of the words before that next multiple and a beginning of those from there on, and so is its meeting: two for each
/// word and one for each run, whatever k is (van Herk, A fast algorithm for local minimum and maximum filters, 1992).
#[derive(Default)]
struct Shared {
    /// The multiple of k in the middle.
    middle: usize,
    /// For each word before it what it and those up to the middle leave.
    ends: Vec<u64>,
    /// What so many words from the middle on leave.
    beginning: Vec<u64>,
    count: usize,
}

impl<'a> Sets<'a> {
    fn new(beside: &'a Beside<'a>, plan: &'a Plan) -> Self {
        Self {
            beside,
            plan,
            sets: vec![0; plan.stride() * plan.count],
            own: vec![0; plan.length],
            common: vec![0; plan.length],
            places: vec![],
            shared: Shared::default(),
        }
    }

    /// The bits of the places of a block that have a property.
    fn dealt(&self, has: impl Fn(usize) -> bool) -> Vec<u64> {
        let length = self.plan.length;
        let lanes = |at| (0..64).fold(0, |bits, lane| bits | u64::from(has(lane * length + at)) << lane);
        (0..length).map(lanes).collect()
    }

    fn fill(&mut self, from: usize, work: &Work<'_>) -> Result<(), Halt> {
        let (text, length) = (self.beside.text, self.plan.length);
        self.sets.fill(0);
        let block = &text[from..text.len().min(from + length * 64)];
        let mut places: Vec<(Word, u32)> = block
            .iter()
            .zip(0..)
            .filter(|&(&word, _)| word != 0)
            .map(|(&word, place)| (word, place))
            .collect();
        places.sort_unstable();
        let bit = |place: u32| (place as usize % length, 1_u64 << (place as usize / length));
        for group in places.chunk_by(|a, b| a.0 == b.0) {
            work.check()?;
            let word = group[0].0 as usize;
            let range = self.beside.starts[word] as usize..self.beside.starts[word + 1] as usize;
            let others = self.beside.others[range].iter().map(|&other| self.plan.sets[other as usize]);
            let others = others.filter(|&set| set != NONE).map(|set| set as usize);
            if group.len() * 4 < length {
                for other in others {
                    let set = &mut self.sets[other * self.plan.stride()..][..length];
                    for &(_, place) in group {
                        let (at, bit) = bit(place);
                        set[at] |= bit;
                    }
                }
            } else {
                self.own.fill(0);
                for &(_, place) in group {
                    let (at, bit) = bit(place);
                    self.own[at] |= bit;
                }
                for other in others {
                    let set = &mut self.sets[other * self.plan.stride()..][..length];
                    for (bits, own) in set.iter_mut().zip(&self.own) {
                        *bits |= own;
                    }
                }
            }
        }
        for set in self.sets.chunks_exact_mut(self.plan.stride()) {
            for at in 0..COLUMNS {
                set[length + at] = set[at] >> 1;
            }
        }
        Ok(())
    }

    /// Meets a run by itself, in some columns; says in which.
    fn meet(&mut self, run: &[Word], columns: &Columns, among: &[u64]) -> u32 {
        let length = self.plan.length;
        let (sets, stride) = (&self.sets, self.plan.stride());
        let set = |column: u8| {
            let from = self.plan.sets[run[column as usize] as usize] as usize * stride;
            &sets[from + column as usize..][..length]
        };
        let common = &mut self.common[..length];
        let columns = &columns[1..=columns[0] as usize];
        let met = columns.iter().fold(0, |met, column| met | 1 << column);
        let mut columns = columns.chunks_exact(2);
        let among = &among[..length];
        let odd = columns.remainder();
        let first = odd.first().map_or(among, |&column| set(column));
        for ((bits, a), b) in common.iter_mut().zip(among).zip(first) {
            *bits = a & b;
        }
        for pair in &mut columns {
            for ((bits, a), b) in common.iter_mut().zip(set(pair[0])).zip(set(pair[1])) {
                *bits &= a & b;
            }
        }
        met
    }

    /// Lists the places that are left.
    fn collect(&mut self) {
        let Self { plan, common, places, .. } = self;
        places.clear();
        for (from, chunk) in (0..).step_by(CHUNK).zip(common.chunks(CHUNK)) {
            if chunk.iter().fold(0, |any, left| any | left) == 0 {
                continue;
            }
            // Where anything is left is a matter of chance: no branch depends on it.
            let (mut some, mut count) = ([0; CHUNK], 0);
            for (at, &left) in chunk.iter().enumerate() {
                some[count] = at;
                count += usize::from(left != 0);
            }
            for &at in &some[..count] {
                places.extend(bits(chunk[at]).map(|lane| (lane * plan.length + from + at) as u32));
            }
        }
    }

    /// Begins to meet runs of k words that share some, in ascending order.
    fn begin(&mut self, runs: &[u32], k: usize) {
        let Some(&first) = runs.first() else { return };
        let (length, stride) = (self.plan.length, self.plan.stride());
        let Shared { middle, ends, beginning, count } = &mut self.shared;
        *middle = (first as usize / k + 1) * k;
        *count = 0;
        ends.resize(k * stride, 0);
        beginning.clear();
        beginning.resize(stride, u64::MAX);
        for i in (first as usize + k - *middle..k).rev() {
            let set = self.plan.start(self.beside.text[*middle - k + i]);
            let (ours, after) = ends[i * stride..].split_at_mut(stride);
            let ours = &mut ours[..length + i];
            match set {
                Some(from) => ours.copy_from_slice(&self.sets[from..][..length + i]),
                None => ours.fill(u64::MAX),
            }
            if i + 1 < k {
                ours.iter_mut().zip(&after[1..]).for_each(|(bits, after)| *bits &= after);
            }
        }
    }

    /// Meets the next of these; says which columns had sets.
    fn meet_shared(&mut self, run: u32, k: usize, among: &[u64]) -> u32 {
        let (length, stride) = (self.plan.length, self.plan.stride());
        let run = run as usize;
        let set = |at: usize| self.plan.start(self.beside.text[at]);
        let Shared { middle, ends, beginning, count } = &mut self.shared;
        let before = *middle - run;
        while *count < k - before {
            if let Some(from) = set(*middle + *count) {
                let set = &self.sets[from + *count..][..length + k - 1 - *count];
                beginning.iter_mut().zip(set).for_each(|(bits, set)| *bits &= set);
            }
            *count += 1;
        }
        let ends = &ends[(k - before) * stride..][..length];
        let beginning = &beginning[before..][..length];
        for (((bits, a), b), c) in self.common.iter_mut().zip(ends).zip(beginning).zip(among) {
            *bits = a & b & c;
        }
        (0..k).filter(|&at| set(run + at).is_some()).fold(0, |met, at| met | 1 << at)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::search::Stop;
    use crate::text::{Interner, PhraseIndex};

    struct Pairs<'a> {
        runs: &'a [u32],
        found: Vec<(u32, u32)>,
    }

    impl Visitor for Pairs<'_> {
        fn visit(&mut self, run: usize, place: u32) -> Result<(), Halt> {
            self.found.push((self.runs[run], place));
            Ok(())
        }
    }

    /// A text over several blocks, the words of which are of very different frequency.
    fn corpus() -> Corpus {
        let mut state = 7_u64;
        let mut random = |most: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % most
        };
        let mut text = String::new();
        for _ in 0..120 {
            for _ in 0..5 + random(30) {
                let (a, b) = (random(30), random(30));
                text.push(char::from(b'a' + (a * b / 50) as u8));
                text.push(' ');
            }
            text.push_str(". ");
        }
        let interner = Arc::new(Interner::from_bytes("text", text.as_bytes()).expect("UTF-8"));
        Corpus::new(&PhraseIndex::build(interner).expect("an index")).expect("a corpus")
    }

    #[test]
    fn finds_what_comparing_all_places_finds() {
        let corpus = corpus();
        let text = &corpus.text;
        let stop = Stop::default();
        for (k, threads, room) in [
            (2, 1, usize::MAX),
            (3, 2, 1 << 14),
            (5, 1, 1 << 11),
            (7, 1, 1 << 13),
            (8, 2, usize::MAX),
            (20, 2, 1),
            (3, 1, 0),
        ] {
            let work = Work { stop: &stop, threads, memory: 64 << 20 };
            let is_run = |place: &u32| {
                let place = *place as usize;
                text.get(place..place + k).is_some_and(|run| !run.contains(&0))
            };
            // Not all places may be asked for, and neighbours may lack.
            let asked =
                |place: u32| !(k == 3 && place.is_multiple_of(3) || k == 7 && place.is_multiple_of(5));
            let runs = (0..text.len() as u32).filter(is_run);
            let runs: Vec<u32> = runs.filter(|&place| k != 7 || asked(place)).collect();
            let column = |id: u32| k != 5 || corpus.forward.goes_on(id);
            for side in [Side::Over, Side::Under] {
                let mut beside = Beside::new(&corpus, text, side, column, &work).expect("room");
                beside.room = beside.room.min(room);
                let pairs = || Pairs { runs: &runs, found: vec![] };
                let found =
                    beside.each(&runs, k, &|place| asked(place as u32), &work, &pairs, &|pairs| pairs.found);
                let mut found = found.expect("all").concat();
                found.sort_unstable();
                let fits = |over: u32, under: u32| {
                    let [over, under] = [over, under].map(|place| &text[place as usize..place as usize + k]);
                    (1..k).all(|i| over[i] != under[i - 1])
                        && over.iter().zip(under).all(|(&a, &b)| corpus.follows(a, b))
                };
                let beside = |run: u32, other: u32| match side {
                    Side::Under => fits(run, other),
                    Side::Over => fits(other, run),
                };
                let pairs = runs.iter().flat_map(|&run| runs.iter().map(move |&other| (run, other)));
                let mut expected: Vec<(u32, u32)> =
                    pairs.filter(|&(run, other)| asked(other) && beside(run, other)).collect();
                if k == 5 {
                    // Those with columns that end may be there or not.
                    let goes_on = |&(run, other): &(u32, u32)| {
                        let (over, under) = if side == Side::Under { (run, other) } else { (other, run) };
                        (0..5).all(|i| {
                            let id = corpus.forward.bigram(text[over as usize + i], text[under as usize + i]);
                            id.is_some_and(column)
                        })
                    };
                    expected.retain(goes_on);
                    found.retain(goes_on);
                }
                assert!(!expected.is_empty() || k == 20);
                assert!(found == expected, "k {k}, {side:?}: {} and {}", found.len(), expected.len());
            }
        }
    }
}
