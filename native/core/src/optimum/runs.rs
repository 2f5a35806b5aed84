//! Two long phrases, one over the other: 2xk for the greatest k there is, or all for a given k.
//!
//! Every window of k words of every sentence is looked at as the upper row, but most share their work: in each the
//! cheapest *seed* of a few words is chosen, what can be below the seed is enumerated with the suffix array, and each
//! occurrence of that is compared with the text around the seed in both directions. A seed does for all windows around
//! it, and, when only windows of one length matter, for all places with the same words around it. The cost of a seed is estimated from its first two words.
//!
//! Where k is at least [`MANY`], few runs are one over the other, and sets of bits find them sooner ([`Beside`]): of each run of k words one
//! of its parts of half the length, at places that are half of k apart, is met with the whole text, and what is found is stretched.
//!
//! Guarantee: complete, as each window has a seed inside and whatever is below the window is below the seed. Memory: 8
//! bytes a bigram for the estimates and a bounded set of hashes for each thread, or [`Beside`] and 8 bytes a word, besides what is found.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::beside::{Beside, Side, Visitor};
use super::corpus::{Corpus, Interval, Reading, Word};
use super::work::{Halt, Work};

/// Words of a seed, at most.
const SEED: usize = 8;

/// Contexts that are remembered; past that they are forgotten, and work may be done twice.
const CONTEXTS: usize = 1 << 20;

/// The first k that is tried, in all but short texts.
const FIRST: usize = 24;

/// Words of a short text.
const SHORT: usize = 20_000;

/// The least k that is sought by sets of bits.
const MANY: usize = 10;

/// What 2xk there are.
#[derive(Debug, Default)]
pub(super) struct Runs {
    pub(super) k: usize,
    /// The distinct upper rows, as places in the text.
    pub(super) tops: Vec<u32>,
    /// Whether these are all; not if it was asked to stop.
    pub(super) whole: bool,
}

/// All upper rows of 2xk.
pub(super) fn list(corpus: &Corpus, k: usize, work: &Work<'_>) -> Result<Runs, Halt> {
    search(corpus, k, false, work)
}

/// The upper rows of 2xk for the greatest k there is, if that is at least `least`.
pub(super) fn longest(corpus: &Corpus, least: usize, work: &Work<'_>) -> Result<Option<Runs>, Halt> {
    let least = least.max(2);
    let longest_sentence = corpus.text.split(|&word| word == 0).map(<[Word]>::len).max().unwrap_or_default();
    if longest_sentence < least {
        return Ok(None);
    }
    // A pass costs the less the greater k is, so k comes down from above until something is found.
    // In a short text one pass that rises from below does it.
    let first = if corpus.text.len() < SHORT { least } else { FIRST };
    let mut k = longest_sentence.min(first).max(least);
    let mut none_from = longest_sentence + 1;
    loop {
        let runs = search(corpus, k, k + 1 < none_from, work)?;
        if !runs.tops.is_empty() {
            return Ok(Some(runs));
        }
        if !runs.whole {
            return Err(Halt::Stopped);
        }
        if k == least {
            return Ok(None);
        }
        none_from = k;
        let step = match k {
            0..=11 => 1,
            12..=17 => 2,
            _ => 4,
        };
        k = (k - step).max(least);
    }
}

fn search(corpus: &Corpus, k: usize, rising: bool, work: &Work<'_>) -> Result<Runs, Halt> {
    let level = AtomicUsize::new(k);
    let by_bits = (k >= MANY).then(|| by_bits(corpus, &level, rising, work));
    let (found, whole) = match by_bits {
        None | Some(Err(Halt::Memory)) => by_seeds(corpus, &level, rising, work)?,
        Some(done) => done?,
    };
    // Some of what was found before the level rose may be too short.
    let k = level.load(Ordering::Relaxed);
    let mut tops = vec![];
    for (place, length) in found {
        if let Some(more) = (length as usize).checked_sub(k) {
            tops.extend(place..=place + more as u32);
            work.check_room(tops.len(), 4)?;
        }
    }
    tops.sort_unstable();
    tops.dedup();
    tops.sort_by(|&a, &b| corpus.run(a, k).cmp(corpus.run(b, k)));
    tops.dedup_by(|a, b| corpus.run(*a, k) == corpus.run(*b, k));
    Ok(Runs { k, tops, whole })
}

/// Places and lengths of upper rows of at least the level, and whether these are all.
type Found = (Vec<(u32, u32)>, bool);

fn by_seeds(corpus: &Corpus, level: &AtomicUsize, rising: bool, work: &Work<'_>) -> Result<Found, Halt> {
    let sentences = sentences(corpus, level.load(Ordering::Relaxed));
    let whole = AtomicBool::new(true);
    let chunks: Vec<&[(usize, usize)]> = sentences.chunks(64).collect();
    let parts = work.divide(chunks.len(), &|next| {
        let mut finder = Finder::new(corpus, level, rising);
        'all: while let Some(chunk) = next() {
            for &(start, end) in chunks[chunk] {
                if work.check().is_err() {
                    whole.store(false, Ordering::Relaxed);
                    break 'all;
                }
                finder.sentence(start, end);
                work.check_room(finder.found.len(), 8)?;
            }
        }
        Ok(finder.found)
    })?;
    Ok((parts.concat(), whole.into_inner()))
}

/// Where the sentences of at least k words begin and end.
fn sentences(corpus: &Corpus, k: usize) -> Vec<(usize, usize)> {
    let mut sentences = vec![];
    let mut start = 1;
    for (at, _) in corpus.text.iter().enumerate().skip(1).filter(|&(_, &word)| word == 0) {
        if at - start >= k {
            sentences.push((start, at));
        }
        start = at + 1;
    }
    sentences
}

fn by_bits(corpus: &Corpus, level: &AtomicUsize, rising: bool, work: &Work<'_>) -> Result<Found, Halt> {
    let k = level.load(Ordering::Relaxed);
    let step = k.div_ceil(2);
    let part = k - step + 1;
    let mut text = vec![0];
    let mut places = vec![0];
    let mut parts = vec![];
    for (start, end) in sentences(corpus, k) {
        parts
            .extend((text.len()..=text.len() + (end - start) - part).step_by(step).map(|place| place as u32));
        text.extend_from_slice(&corpus.text[start..=end]);
        places.extend(start as u32..=end as u32);
        work.check_room(text.len(), 8)?;
    }
    let under = Beside::new(corpus, &text, Side::Under, |_| true, work)?;
    let found = Mutex::new(vec![]);
    let stretcher =
        || Stretcher { corpus, parts: &parts, places: &places, level, rising, work, found: &found };
    let whole = match under.each(&parts, part, &|_| true, work, &stretcher, &|_| ()) {
        Ok(_) => true,
        Err(Halt::Stopped) => false,
        Err(halt) => return Err(halt),
    };
    Ok((found.into_inner().unwrap_or_else(PoisonError::into_inner), whole))
}

/// Stretches what is found by bits.
struct Stretcher<'a> {
    corpus: &'a Corpus,
    parts: &'a [u32],
    /// Where in the text of the corpus each place is.
    places: &'a [u32],
    level: &'a AtomicUsize,
    rising: bool,
    work: &'a Work<'a>,
    found: &'a Mutex<Vec<(u32, u32)>>,
}

impl Visitor for Stretcher<'_> {
    fn visit(&mut self, part: usize, place: u32) -> Result<(), Halt> {
        let [over, under] = [self.parts[part], place].map(|place| self.places[place as usize]);
        let (left, right) = stretch(self.corpus, over, under);
        let length = left + right + 1;
        if length < self.level.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if self.rising && length > self.level.fetch_max(length, Ordering::Relaxed) {
            found.clear();
        }
        found.push((over - left as u32, length as u32));
        if found.len().is_power_of_two() {
            // Each is met once for every part that is in it, and one upper row has many lower ones.
            found.sort_unstable();
            found.dedup();
        }
        self.work.check_room(found.len(), 8)
    }
}

struct Finder<'a> {
    corpus: &'a Corpus,
    /// The least length that is looked for.
    level: &'a AtomicUsize,
    /// Whether the level rises to the greatest length found.
    rising: bool,
    /// Estimates by bigram of each reading; 0 for none.
    ahead_costs: Vec<u32>,
    back_costs: Vec<u32>,
    /// Of the seeds so far, with all that can be in a window with them. Of no use while the level may rise: what is
    /// around the same words may be longer elsewhere.
    contexts: HashSet<u128, foldhash::fast::FixedState>,
    /// The estimates of each place of the sentence.
    right: Vec<u32>,
    left: Vec<u32>,
    /// Places and lengths of upper rows.
    found: Vec<(u32, u32)>,
}

impl<'a> Finder<'a> {
    fn new(corpus: &'a Corpus, level: &'a AtomicUsize, rising: bool) -> Self {
        Self {
            corpus,
            level,
            rising,
            ahead_costs: vec![0; corpus.forward.bigram_count()],
            back_costs: vec![0; corpus.backward.bigram_count()],
            contexts: HashSet::default(),
            right: vec![],
            left: vec![],
            found: vec![],
        }
    }

    fn sentence(&mut self, start: usize, end: usize) {
        let length = end - start;
        let corpus = self.corpus;
        let text = &corpus.text;
        let mut k = self.level.load(Ordering::Relaxed);
        if length < k {
            return;
        }
        let mut right = std::mem::take(&mut self.right);
        let mut left = std::mem::take(&mut self.left);
        right.clear();
        left.clear();
        for at in start..end {
            right.push(cost(corpus, &corpus.forward, &mut self.ahead_costs, text[at], text[at + 1]));
            left.push(cost(corpus, &corpus.backward, &mut self.back_costs, text[at], text[at - 1]));
        }
        let mut window = 0;
        while window + k <= length {
            let more = (k - 1).min(SEED - 1);
            let (mut cheapest, mut from, mut ahead) = (u32::MAX, window, true);
            for at in window..window + k {
                if at + more < window + k && right[at] <= cheapest {
                    (cheapest, from, ahead) = (right[at], at, true);
                }
                if at >= window + more && left[at] < cheapest {
                    (cheapest, from, ahead) = (left[at], at - more, false);
                }
            }
            let lo = from.saturating_sub(k - 1 - more);
            let hi = (from + k - 1).min(length - 1);
            let context = fingerprint(&text[start + lo..=start + hi], (from - lo) * 2 + usize::from(ahead));
            if self.contexts.len() >= CONTEXTS {
                self.contexts.clear();
            }
            if self.rising || self.contexts.insert(context) {
                let (reading, place) = if ahead {
                    (&corpus.forward, start + from)
                } else {
                    (&corpus.backward, start + from + more)
                };
                self.seed(reading, place as u32, more);
                k = self.level.load(Ordering::Relaxed);
            }
            window = from + 1;
        }
        self.right = right;
        self.left = left;
    }

    /// Everything below a seed of `more + 1` words, read from `place`, and around it.
    fn seed(&mut self, reading: &'a Reading, place: u32, more: usize) {
        let corpus = self.corpus;
        let mut below = Below { corpus, reading, place, more };
        below.all(&mut |interval| {
            for &other in &reading.places[interval.lo as usize..interval.hi as usize] {
                let (left, right) = stretch(corpus, place, other);
                let length = left + right + 1;
                let mut level = self.level.load(Ordering::Relaxed);
                if length > level && self.rising {
                    level = self.level.fetch_max(length, Ordering::Relaxed).max(length);
                    self.found.clear();
                }
                if length >= level {
                    self.found.push((place - left as u32, length as u32));
                }
            }
        });
        // One upper row has many lower ones.
        if self.found.len() > 4096 {
            self.found.sort_unstable();
            self.found.dedup();
        }
    }
}

/// What it may cost to look for all that is parallel to words that begin with a, b: pairs looked at.
fn cost(corpus: &Corpus, reading: &Reading, costs: &mut [u32], a: Word, b: Word) -> u32 {
    if b == 0 {
        return u32::MAX;
    }
    let Some(id) = reading.bigram(a, b) else { return u32::MAX };
    let known = &mut costs[id as usize];
    if *known == 0 {
        let under = corpus.forward.next(a);
        let most = corpus.forward.next(b).len();
        *known = if under.len() > 2000 {
            1_000_000 + under.len() as u32 * 100
        } else {
            1 + under.iter().map(|&c| reading.next(c).len().min(most) as u32).sum::<u32>()
        };
    }
    *known
}

fn fingerprint(words: &[Word], extra: usize) -> u128 {
    let mut a: u64 = 0x243f_6a88_85a3_08d3;
    let mut b: u64 = 0x1319_8a2e_0370_7344 ^ extra as u64;
    for &word in words {
        a = (a ^ u64::from(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        b = b.wrapping_add(u64::from(word) + 1).wrapping_mul(0xd6e8_feb8_6659_fd93);
        b ^= b >> 32;
    }
    u128::from(a) << 64 | u128::from(b)
}

/// How far the columns go on to the left and right when the word at `over` is above the word at `under`.
fn stretch(corpus: &Corpus, over: u32, under: u32) -> (usize, usize) {
    let text = &corpus.text;
    let (over, under) = (over as usize, under as usize);
    let mut right = 0;
    loop {
        let (x, y) = (text[over + right + 1], text[under + right + 1]);
        if x == 0 || y == 0 || x == text[under + right] || !corpus.follows(x, y) {
            break;
        }
        right += 1;
    }
    let mut left = 0;
    loop {
        let (x, y) = (text[over - left - 1], text[under - left - 1]);
        if x == 0 || y == 0 || y == text[over - left] || !corpus.follows(x, y) {
            break;
        }
        left += 1;
    }
    (left, right)
}

/// The distinct runs that can be below a seed.
struct Below<'a> {
    corpus: &'a Corpus,
    reading: &'a Reading,
    place: u32,
    /// Words of the seed after its first.
    more: usize,
}

impl Below<'_> {
    #[inline]
    fn over(&self, column: usize) -> Word {
        self.corpus.at(self.place, self.reading.ahead, column)
    }

    /// Whether a column may be followed by another in the direction of reading: the word above right differs from the
    /// one below left.
    #[inline]
    fn shell(&self, column: usize, under: Word, next: Word) -> bool {
        if self.reading.ahead { under != self.over(column + 1) } else { next != self.over(column) }
    }

    fn all(&mut self, each: &mut dyn FnMut(Interval)) {
        let (corpus, reading) = (self.corpus, self.reading);
        let x0 = self.over(0);
        for &first in corpus.forward.next(x0) {
            if self.more == 0 {
                each(reading.word(first));
                continue;
            }
            let under = corpus.forward.next(self.over(1));
            let after = reading.next(first);
            if after.len() <= 2 * under.len() {
                let base = reading.first_bigram(first);
                for (i, &second) in after.iter().enumerate() {
                    if corpus.follows(self.over(1), second) && self.shell(0, first, second) {
                        self.third(base + i as u32, second, each);
                    }
                }
            } else {
                for &second in under {
                    if self.shell(0, first, second)
                        && let Some(bigram) = reading.bigram(first, second)
                    {
                        self.third(bigram, second, each);
                    }
                }
            }
        }
    }

    fn third(&mut self, bigram: u32, second: Word, each: &mut dyn FnMut(Interval)) {
        let (corpus, reading) = (self.corpus, self.reading);
        if self.more == 1 {
            each(reading.bigram_interval(bigram));
            return;
        }
        let x2 = self.over(2);
        let thirds = reading.thirds(bigram);
        let base = reading.first_trigram(bigram);
        let under = corpus.forward.next(x2);
        if thirds.len() <= 8 * under.len() {
            for (i, &third) in thirds.iter().enumerate() {
                if corpus.follows(x2, third) && self.shell(1, second, third) {
                    self.further(2, reading.trigram_interval(base + i), third, each);
                }
            }
        } else {
            for &third in under {
                if self.shell(1, second, third)
                    && let Ok(i) = thirds.binary_search(&third)
                {
                    self.further(2, reading.trigram_interval(base + i), third, each);
                }
            }
        }
    }

    fn further(&mut self, column: usize, within: Interval, under: Word, each: &mut dyn FnMut(Interval)) {
        if column == self.more {
            each(within);
            return;
        }
        let (corpus, reading) = (self.corpus, self.reading);
        let over = self.over(column + 1);
        corpus.continuations(reading, within, column + 1, |word, interval| {
            if corpus.follows(over, word) && self.shell(column, under, word) {
                self.further(column + 1, interval, word, each);
            }
        });
    }
}
