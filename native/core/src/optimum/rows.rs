//! Three long phrases, one over the other: every 3xk for a given k.
//!
//! Those for k > 3 are found by [`bands`](super::bands). Of 3x3 there are too many pairs of rows for that. Of the bigrams of the upper row the
//! one that is cheapest to look below is its *seed*; rows with the same seed share the search for the squares under it. Only one of the two
//! orientations is looked for, the one whose upper row has the cheaper seed; the other is its transpose. So rows of
//! common words are only met with columns of common words.
//!
//! Guarantee: complete, in ascending order, each once. Memory: 12 bytes for each found, 24 for each 3x3, and 12 for each run of three words.

use super::bands;
use super::corpus::{Corpus, Interval, Word};
use super::work::{Halt, Work};

/// A run of k words, k being known: the first place in the suffix array where it is read.
pub(super) type Row = u32;

/// Every 3xk, as its three rows; ascending.
#[derive(Debug, Default)]
pub(super) struct Triples {
    pub(super) k: usize,
    pub(super) rows: Vec<[Row; 3]>,
}

/// The words of a row.
#[inline]
pub(super) fn words(corpus: &Corpus, row: Row, k: usize) -> &[Word] {
    corpus.run(corpus.forward.places[row as usize], k)
}

/// The row of a run of words that the text has.
fn row_of(corpus: &Corpus, run: &[Word]) -> Option<Row> {
    corpus.find(run).map(|interval| interval.lo)
}

/// An upper row and the column where its seed is.
#[derive(Debug, Clone, Copy)]
struct Upper {
    seed: u32,
    column: u32,
    place: u32,
}

/// Three rows and then three columns of a 3x3, of which one orientation stands for both.
pub(super) type Square = [Row; 6];

/// One in so many seeds is looked at first.
const SAMPLED: usize = 64;

/// So many of them say it well enough: within a third on texts of 0.3 to 1.2 MB.
const ENOUGH: usize = 512;

/// Finds every 3xk.
pub(super) fn all(corpus: &Corpus, k: usize, work: &Work<'_>) -> Result<Triples, Halt> {
    if k == 3 {
        return Ok(both_ways(&squares(corpus, work)?));
    }
    let mut rows = bands::all(corpus, k, work)?.concat();
    rows.sort_unstable();
    rows.dedup();
    Ok(Triples { k, rows })
}

/// 3x3 in both orientations.
pub(super) fn both_ways(squares: &[Square]) -> Triples {
    let both = |&[a, b, c, d, e, f]: &Square| [[a, b, c], [d, e, f]];
    let mut rows: Vec<[Row; 3]> = squares.iter().flat_map(both).collect();
    rows.sort_unstable();
    Triples { k: 3, rows }
}

/// Every 3x3, in one orientation.
pub(super) fn squares(corpus: &Corpus, work: &Work<'_>) -> Result<Vec<Square>, Halt> {
    let seeds = Seeds::new(corpus, work)?;
    let list = || List { corpus, squares: vec![] };
    let (some, times) = seeds.sampled(&list)?;
    let found: usize = some.iter().map(|list| list.squares.len()).sum();
    work.check_room(found * times.div_ceil(2), 24)?;
    let others = seeds.others(&list)?;
    let mut parts: Vec<Vec<Square>> = some.into_iter().chain(others).map(|list| list.squares).collect();
    // The longest part is not copied if one thread made it.
    let mut squares = parts.pop().unwrap_or_default();
    squares.reserve_exact(parts.iter().map(Vec::len).sum());
    parts.into_iter().for_each(|part| squares.extend(part));
    squares.sort_unstable();
    squares.dedup();
    Ok(squares)
}

/// What takes 3x3 as they are found, each in one orientation, some more than once.
pub(super) trait Taker: Send {
    fn take(&mut self, rows: [[Word; 3]; 3]);

    /// Asked for now and then: an error ends the search.
    fn check(&self, _: &Work<'_>) -> Result<(), Halt> {
        Ok(())
    }
}

/// All of them as rows and columns.
struct List<'a> {
    corpus: &'a Corpus,
    squares: Vec<Square>,
}

impl Taker for List<'_> {
    fn take(&mut self, [x, y, z]: [[Word; 3]; 3]) {
        let row = |run: [Word; 3]| row_of(self.corpus, &run);
        let rows = [x, y, z].map(row);
        let columns = [0, 1, 2].map(|column| row([x[column], y[column], z[column]]));
        if let ([Some(r0), Some(r1), Some(r2)], [Some(c0), Some(c1), Some(c2)]) = (rows, columns) {
            // The first row and the first column differ, as the words beside the first one do.
            let square = if r0 < c0 { [r0, r1, r2, c0, c1, c2] } else { [c0, c1, c2, r0, r1, r2] };
            self.squares.push(square);
        }
    }

    fn check(&self, work: &Work<'_>) -> Result<(), Halt> {
        work.check_room(self.squares.len(), 24)
    }
}

/// The seeds of all upper rows.
pub(super) struct Seeds<'a> {
    corpus: &'a Corpus,
    work: &'a Work<'a>,
    costs: Vec<u64>,
    /// The greatest seed cost of the runs of three words that begin with a bigram.
    reach: Vec<u64>,
    uppers: Vec<Upper>,
}

impl<'a> Seeds<'a> {
    pub(super) fn new(corpus: &'a Corpus, work: &'a Work<'a>) -> Result<Self, Halt> {
        let reading = &corpus.forward;
        let costs = seed_costs(corpus);
        let mut uppers: Vec<Upper> = vec![];
        let mut before: Option<u32> = None;
        for (i, &place) in reading.places.iter().enumerate() {
            if i % 4096 == 0 {
                work.check()?;
            }
            let from = place as usize;
            let Some(run) = corpus.text.get(from..from + 3).filter(|run| !run.contains(&0)) else {
                continue;
            };
            if before.is_some_and(|before| corpus.run(before, 3) == run) {
                continue;
            }
            before = Some(place);
            let mut best: Option<(u64, Upper)> = None;
            for (column, pair) in run.windows(2).enumerate() {
                if let Some(seed) = reading.bigram(pair[0], pair[1]) {
                    let cost = costs[seed as usize];
                    if best.is_none_or(|(least, _)| cost < least) {
                        best = Some((cost, Upper { seed, column: column as u32, place }));
                    }
                }
            }
            uppers.extend(best.map(|(_, upper)| upper));
            work.check_room(uppers.len(), 12)?;
        }
        uppers.sort_unstable_by_key(|upper| (upper.seed, upper.column, upper.place));
        let reach: Vec<u64> = (0..reading.bigram_count() as u32)
            .map(|first| {
                let (_, b) = reading.bigram_words(first);
                let cost_after = |&c: &Word| reading.bigram(b, c).map_or(0, |second| costs[second as usize]);
                let after = reading.thirds(first).iter().map(cost_after).max().unwrap_or(0);
                after.min(costs[first as usize])
            })
            .collect();
        Ok(Self { corpus, work, costs, reach, uppers })
    }

    fn groups(&self) -> Vec<&[Upper]> {
        self.uppers.chunk_by(|a, b| a.seed == b.seed).collect()
    }

    /// The 3x3 of every 64th seed, to each thread's taker; and how many times as many there are of all, about: half of that surely.
    pub(super) fn sampled<T: Taker>(&self, taker: &(dyn Fn() -> T + Sync)) -> Result<(Vec<T>, usize), Halt> {
        let some: Vec<&[Upper]> = self.groups().chunks(SAMPLED).map(|groups| groups[0]).collect();
        let times = if some.len() >= ENOUGH { SAMPLED } else { 1 };
        Ok((self.of(&some, taker)?, times))
    }

    /// Those of the others.
    pub(super) fn others<T: Taker>(&self, taker: &(dyn Fn() -> T + Sync)) -> Result<Vec<T>, Halt> {
        let groups = self.groups();
        let others: Vec<&[Upper]> = groups.chunks(SAMPLED).flat_map(|groups| &groups[1..]).copied().collect();
        self.of(&others, taker)
    }

    fn of<T: Taker>(&self, groups: &[&[Upper]], taker: &(dyn Fn() -> T + Sync)) -> Result<Vec<T>, Halt> {
        self.work.divide(groups.len(), &|next| {
            let mut finder =
                Finder { corpus: self.corpus, costs: &self.costs, reach: &self.reach, taker: taker() };
            while let Some(group) = next() {
                self.work.check()?;
                finder.group(groups[group], self.work)?;
            }
            Ok(finder.taker)
        })
    }
}

/// Successors that are looked at for an estimate, at most.
const LOOKED_AT: usize = 256;

/// For each bigram a, b what it may cost to find the squares under it: the pairs that are looked at.
fn seed_costs(corpus: &Corpus) -> Vec<u64> {
    let reading = &corpus.forward;
    let lengths: Vec<u32> = (0..=corpus.vocabulary() as Word).map(|a| reading.next(a).len() as u32).collect();
    (0..reading.bigram_count() as u32)
        .map(|id| {
            let (a, b) = reading.bigram_words(id);
            let under = reading.next(a);
            let most = lengths[b as usize];
            let step = under.len().div_ceil(LOOKED_AT);
            let pairs =
                under.iter().step_by(step).map(|&d| u64::from(lengths[d as usize].min(most))).sum::<u64>();
            pairs * step as u64 + under.len() as u64
        })
        .collect()
}

struct Finder<'a, T> {
    corpus: &'a Corpus,
    costs: &'a [u64],
    reach: &'a [u64],
    taker: T,
}

impl<T: Taker> Finder<'_, T> {
    fn group(&mut self, group: &[Upper], work: &Work<'_>) -> Result<(), Halt> {
        let corpus = self.corpus;
        let reading = &corpus.forward;
        let Some(&Upper { seed, .. }) = group.first() else { return Ok(()) };
        let (a, b) = reading.bigram_words(seed);
        let after_b = reading.next(b);
        let first_a = reading.first_bigram(a);
        for (i, &d) in reading.next(a).iter().enumerate() {
            let left = first_a + i as u32;
            if d == b || !reading.goes_on(left) {
                continue;
            }
            work.check()?;
            let after_d = reading.next(d);
            let (first_b, first_d) = (reading.first_bigram(b), reading.first_bigram(d));
            if after_d.len() <= after_b.len() {
                for (i, &e) in after_d.iter().enumerate() {
                    if corpus.follows(b, e)
                        && let Some(right) = reading.bigram(b, e)
                        && reading.goes_on(right)
                    {
                        self.square(group, first_d + i as u32, left, right);
                    }
                }
            } else {
                for (i, &e) in after_b.iter().enumerate() {
                    if corpus.follows(d, e)
                        && reading.goes_on(first_b + i as u32)
                        && let Some(lower) = reading.bigram(d, e)
                    {
                        self.square(group, lower, left, first_b + i as u32);
                    }
                }
            }
            self.taker.check(work)?;
        }
        Ok(())
    }

    /// A square under a seed: the bigram of its lower row and those of its columns.
    fn square(&mut self, group: &[Upper], below: u32, left: u32, right: u32) {
        let corpus = self.corpus;
        let reading = &corpus.forward;
        let Some(seed) = group.first().map(|upper| upper.seed) else { return };
        let cost = self.costs[seed as usize];
        let (a, b) = reading.bigram_words(seed);
        let (d, e) = reading.bigram_words(below);
        // The seed is the left square: a b c over d e f.
        let split = group.partition_point(|upper| upper.column == 0);
        if reading.goes_on(below) && self.reach[left as usize] >= cost {
            for upper in &group[..split] {
                let c = corpus.text[upper.place as usize + 2];
                if c == e {
                    continue;
                }
                for &f in reading.thirds(below) {
                    if corpus.follows(c, f)
                        && let Some(column) = reading.bigram(c, f)
                        && reading.goes_on(column)
                    {
                        self.third_row([a, b, c], [d, e, f], [left, right, column], cost);
                    }
                }
            }
        }
        // It is the right square: p a b over q d e.
        if split < group.len()
            && let Some(back) = corpus.backward.bigram(e, d)
        {
            for upper in &group[split..] {
                let p = corpus.text[upper.place as usize];
                for &q in corpus.backward.thirds(back) {
                    if q != a
                        && corpus.follows(p, q)
                        && let Some(column) = reading.bigram(p, q)
                        && reading.goes_on(column)
                        && self.reach[column as usize] >= cost
                    {
                        self.third_row([p, a, b], [q, d, e], [column, left, right], cost);
                    }
                }
            }
        }
    }

    /// The third rows of three columns, for the cheaper orientation.
    fn third_row(&mut self, x: [Word; 3], y: [Word; 3], columns: [u32; 3], cost: u64) {
        let corpus = self.corpus;
        let (ahead, back) = (&corpus.forward, &corpus.backward);
        let [d0, d1, d2] = columns.map(|column| ahead.thirds(column));
        // Upper right and lower left cells of each shell differ.
        let ok0 = |z: Word| z != y[1] && z != x[2];
        let ok1 = |z: Word| z != y[2];
        if d2.len() < d0.len().min(d1.len()) {
            for &z2 in d2 {
                meet(d1, back.next(z2), back.first_bigram(z2), |z1, bigram| {
                    if ok1(z1) {
                        meet(d0, back.thirds(bigram), 0, |z0, _| {
                            if ok0(z0) {
                                self.emit(x, y, [z0, z1, z2], cost);
                            }
                        });
                    }
                });
            }
        } else if d1.len() < d0.len() {
            for &z1 in d1.iter().filter(|&&z1| ok1(z1)) {
                meet(d0, back.next(z1), 0, |z0, _| {
                    if ok0(z0)
                        && let Some(bigram) = ahead.bigram(z0, z1)
                    {
                        meet(d2, ahead.thirds(bigram), 0, |z2, _| self.emit(x, y, [z0, z1, z2], cost));
                    }
                });
            }
        } else {
            for &z0 in d0.iter().filter(|&&z0| ok0(z0)) {
                meet(d1, ahead.next(z0), ahead.first_bigram(z0), |z1, bigram| {
                    if ok1(z1) {
                        meet(d2, ahead.thirds(bigram), 0, |z2, _| self.emit(x, y, [z0, z1, z2], cost));
                    }
                });
            }
        }
    }

    fn emit(&mut self, x: [Word; 3], y: [Word; 3], z: [Word; 3], cost: u64) {
        let reading = &self.corpus.forward;
        let pair_cost =
            |a: Word, b: Word| reading.bigram(a, b).map_or(0, |bigram| self.costs[bigram as usize]);
        if pair_cost(x[0], y[0]).min(pair_cost(y[0], z[0])) < cost {
            return;
        }
        self.taker.take([x, y, z]);
    }
}

/// Calls `each` with what two ascending lists share and its place in the second, counted from `base`.
#[inline]
pub(super) fn meet(a: &[Word], b: &[Word], base: u32, mut each: impl FnMut(Word, u32)) {
    if b.len() <= a.len() {
        let mut rest = a;
        for (i, &word) in b.iter().enumerate() {
            let at = gallop(rest, word);
            rest = &rest[at..];
            match rest.first() {
                None => return,
                Some(&first) if first == word => each(word, base + i as u32),
                Some(_) => {}
            }
        }
    } else {
        let mut rest = b;
        let mut skipped = 0;
        for &word in a {
            let at = gallop(rest, word);
            rest = &rest[at..];
            skipped += at as u32;
            match rest.first() {
                None => return,
                Some(&first) if first == word => each(word, base + skipped),
                Some(_) => {}
            }
        }
    }
}

/// The first place of an ascending list with at least this word.
#[inline]
fn gallop(list: &[Word], word: Word) -> usize {
    let mut step = 1;
    while step <= list.len() && list[step - 1] < word {
        step *= 2;
    }
    let from = step / 2;
    let to = step.min(list.len());
    from + list[from..to].partition_point(|&other| other < word)
}

/// Every 3x(k+1): those 3xk whose rows go on together.
pub(super) fn longer(corpus: &Corpus, triples: &Triples, work: &Work<'_>) -> Result<Triples, Halt> {
    let k = triples.k;
    let reading = &corpus.forward;
    let mut rows = vec![];
    for (i, triple) in triples.rows.iter().enumerate() {
        if i % 4096 == 0 {
            work.check()?;
        }
        let [x, y, z] = triple.map(|row| words(corpus, row, k));
        let Some([over, middle, under]) = intervals(corpus, [x, y, z]) else { continue };
        corpus.continuations(reading, under, k, |c, lower| {
            corpus.continuations(reading, middle, k, |b, center| {
                if z[k - 1] == b || !corpus.follows(b, c) {
                    return;
                }
                corpus.continuations(reading, over, k, |a, upper| {
                    if a != y[k - 1]
                        && a != z[k - 2]
                        && corpus.follows(a, b)
                        && reading.bigram(a, b).is_some_and(|id| reading.trigram(id, c).is_some())
                    {
                        rows.push([upper.lo, center.lo, lower.lo]);
                    }
                });
            });
        });
        work.check_room(rows.len(), 12)?;
    }
    rows.sort_unstable();
    Ok(Triples { k: k + 1, rows })
}

fn intervals(corpus: &Corpus, runs: [&[Word]; 3]) -> Option<[Interval; 3]> {
    Some([corpus.find(runs[0])?, corpus.find(runs[1])?, corpus.find(runs[2])?])
}
