//! Every grid of a shape, found around the rarest of its words, without lists for the whole text.
//!
//! Words are numbered by descending frequency, so the word with the greatest number in a grid, its *anchor*, is the
//! rarest, and all others are at least as frequent. Rows are read along the longest axis. For each word, each place of
//! it in the text, and each row there of words no rarer, the rows that can be beside it are sought from the word
//! beside the anchor: by the three words around that, or to one side where the anchor is at an end. Every column of two such rows must
//! be part of a line of the length of another axis, again of words no rarer, which is looked up by bigram
//! ([`Shape::limits`]). From what is left the other rows are placed one by one ([`Plan`]), those with the most neighbours first.
//!
//! - Sentences shorter than a row are left out of what rows are read in.
//! - Of two lines through the anchor that are equally long, the one beside which there is less is taken as its row: a
//!   row of common words is only met with columns of common words.
//! - Of a shape with three and more axes of which the two longest are equal, the face of these two is sought first.
//!
//! Guarantee: complete, in ascending order, each once. If the anchor's word is several times in a grid, it is met
//! several times. Memory: a second set of tables for the longer sentences, if there is room for it; 4 bytes for each
//! bigram and place of it in a column, 8 for each bigram of rows, 4 a word of the text; and what is found.

use std::collections::{BTreeSet, HashMap};

use super::corpus::{Corpus, Interval, Reading, Word};
use super::grid::Grid;
use super::work::{Halt, Work};

/// A run of k words: the first place in the suffix array where it is read.
type Row = u32;

/// So many occurrences are compared one by one.
const FEW: u32 = 4;

/// Shapes with more bits than this share the last one.
const LAST_BIT: usize = 63;

/// No row begins here.
const NONE: u32 = u32::MAX;

/// Every grid of a core of two and more axes.
pub(super) fn all(corpus: &Corpus, core: &[u32], work: &Work<'_>) -> Result<Vec<Grid>, Halt> {
    let k = core.last().map_or(2, |&k| k as usize);
    let longer;
    let across = if corpus.memory() <= work.memory / 2 {
        longer = corpus.only_longer(k).map_err(|_| Halt::Failed)?;
        &longer
    } else {
        corpus
    };
    let shape = Shape::new(corpus, across, core, work)?;
    let parts = work.divide(corpus.vocabulary(), &|next| {
        let mut finder = Finder::new(corpus, across, &shape, work);
        while let Some(number) = next() {
            finder.anchor(number as Word + 1)?;
        }
        Ok(finder.found)
    })?;
    let mut found = BTreeSet::new();
    for part in parts {
        found.extend(part);
    }
    Ok(found.into_iter().collect())
}

struct Shape {
    /// Words of a row: the longest axis.
    k: usize,
    /// How many bits there are.
    width: usize,
    /// For each bigram and bit the least word that is the greatest of a line of that length with the bigram there.
    limits: Vec<Word>,
    /// The first bit of columns that are as long as rows, if there are such.
    square: Option<usize>,
    /// For each bigram of a row, read ahead, its number when read back; and the other way round.
    reverse: Vec<u32>,
    reverse_back: Vec<u32>,
    /// For each place the row that begins there.
    rows: Vec<Row>,
    /// Where the anchor may be among rows, and how to go on from there.
    plans: Vec<Plan>,
    /// The same for a face as long and as wide as rows, if there is one besides other axes: it is the rarest part.
    faces: Vec<Plan>,
}

impl Shape {
    fn new(corpus: &Corpus, across: &Corpus, core: &[u32], work: &Work<'_>) -> Result<Self, Halt> {
        let (&k, sides) = core.split_last().unwrap_or((&2, &[]));
        let k = k as usize;
        let sides: Vec<usize> = sides.iter().map(|&d| d as usize).collect();
        let mut bits = vec![];
        let mut lengths: Vec<(usize, usize)> = vec![];
        let mut width = 0;
        for &n in &sides {
            let known = lengths.iter().find(|(length, _)| *length == n).map(|&(_, bit)| bit);
            bits.push(known.unwrap_or(width));
            if known.is_none() {
                lengths.push((n, width));
                width += n - 1;
            }
        }
        let reading = &corpus.forward;
        let rows = 2 * across.text.len() + 2 * across.forward.bigram_count();
        work.check_room(corpus.text.len() + rows + reading.bigram_count() * width, 4)?;
        let mut limits = vec![NONE; reading.bigram_count() * width];
        for (n, bit) in lengths {
            let tops = greatest(&corpus.text, n);
            for id in 0..reading.bigram_count() {
                if id % 4096 == 0 {
                    work.check()?;
                }
                let own = &mut limits[id * width + bit..id * width + bit + n - 1];
                let Interval { lo, hi } = reading.bigram_interval(id as u32);
                for &place in &reading.places[lo as usize..hi as usize] {
                    for (offset, limit) in own.iter_mut().enumerate() {
                        if let Some(&top) = (place as usize).checked_sub(offset).and_then(|at| tops.get(at)) {
                            *limit = (*limit).min(top);
                        }
                    }
                }
            }
        }
        let corpus = across;
        let reading = &corpus.forward;
        let tops = greatest(&corpus.text, k);
        let mut rows = vec![NONE; corpus.text.len()];
        let mut last: Option<u32> = None;
        for (i, &place) in reading.places.iter().enumerate() {
            if tops.get(place as usize).is_none_or(|&top| top == NONE) {
                continue;
            }
            let same =
                last.filter(|&last| corpus.run(reading.places[last as usize], k) == corpus.run(place, k));
            last = same.or(Some(i as u32));
            rows[place as usize] = last.unwrap_or(NONE);
        }
        let square = sides.iter().position(|&n| n == k).map(|axis| bits[axis]);
        let plans = Plan::all(&sides, &bits, k);
        let faces = match square {
            Some(bit) if sides.len() > 1 => Plan::all(&[k], &[bit], k),
            _ => vec![],
        };
        let mut reverse = vec![0; reading.bigram_count()];
        let mut reverse_back = vec![0; reading.bigram_count()];
        for id in 0..reading.bigram_count() as u32 {
            let (a, b) = reading.bigram_words(id);
            if let Some(back) = corpus.backward.bigram(b, a) {
                reverse[id as usize] = back;
                reverse_back[back as usize] = id;
            }
        }
        Ok(Self { k, width, limits, square, reverse, reverse_back, rows, plans, faces })
    }

    /// The bits of columns of the face that is as long and as wide as rows.
    fn face_bits(&self) -> u64 {
        let bits = |from: usize| (from..from + self.k - 1).fold(0, |bits, bit| bits | 1 << bit.min(LAST_BIT));
        self.square.map_or(u64::MAX, bits)
    }

    /// The bits of what a column may be whose first two known words are a bigram, if no word is rarer than one.
    #[inline]
    fn mask(&self, bigram: u32, most: Word) -> u64 {
        let from = bigram as usize * self.width;
        let mut mask = 0;
        for (bit, &limit) in self.limits[from..from + self.width].iter().enumerate() {
            mask |= u64::from(limit <= most) << bit.min(LAST_BIT);
        }
        mask
    }
}

/// For each place the greatest of so many words from there; [`NONE`] where there are not so many in one sentence.
fn greatest(text: &[Word], n: usize) -> Vec<Word> {
    let mut tops = vec![NONE; text.len()];
    let mut start = 0;
    for end in 0..=text.len() {
        if end < text.len() && text[end] != 0 {
            continue;
        }
        // A queue of places, the words of which descend.
        let mut queue = std::collections::VecDeque::new();
        for at in start..end {
            while queue.back().is_some_and(|&back: &usize| text[back] <= text[at]) {
                queue.pop_back();
            }
            queue.push_back(at);
            if at + 1 >= start + n {
                let from = at + 1 - n;
                while queue.front().is_some_and(|&front| front < from) {
                    queue.pop_front();
                }
                tops[from] = queue.front().map_or(NONE, |&front| text[front]);
            }
        }
        start = end + 1;
    }
    tops
}

fn for_each_cell(sides: &[usize], each: &mut dyn FnMut(&[usize])) {
    let mut cell = vec![0; sides.len()];
    loop {
        each(&cell);
        let mut k = sides.len();
        loop {
            if k == 0 {
                return;
            }
            k -= 1;
            cell[k] += 1;
            if cell[k] < sides[k] {
                break;
            }
            cell[k] = 0;
        }
    }
}

/// In which order rows are placed around that of the anchor.
struct Plan {
    /// The axes other than rows.
    sides: Vec<usize>,
    /// For each of them the first of its bits.
    bits: Vec<usize>,
    /// The coordinates of the anchor's row.
    anchor: Vec<usize>,
    steps: Vec<Step>,
    /// For each place in the order the place by coordinates, the last axis fastest.
    order: Vec<usize>,
}

struct Step {
    /// If it is beside the anchor's row: the axis, and whether it is after it.
    beside: Option<(usize, bool)>,
    /// Along each axis with rows before or after it that are placed: these, the farthest first, and whether they come before it.
    runs: Vec<(Vec<usize>, bool)>,
    /// Rows placed before, and by how many more shells this one begins.
    rivals: Vec<(usize, isize)>,
}

impl Plan {
    /// For each place of the anchor; axes of equal length can be exchanged.
    fn all(sides: &[usize], bits: &[usize], k: usize) -> Vec<Self> {
        let mut plans = vec![];
        for_each_cell(sides, &mut |cell| {
            if sides.windows(2).zip(cell.windows(2)).all(|(n, x)| n[0] != n[1] || x[0] <= x[1]) {
                plans.push(Self::new(sides, bits, cell, k));
            }
        });
        plans
    }

    fn new(sides: &[usize], bits: &[usize], anchor: &[usize], k: usize) -> Self {
        let mut all = vec![];
        for_each_cell(sides, &mut |cell| all.push(cell.to_vec()));
        let mut placed: Vec<Vec<usize>> = vec![anchor.to_vec()];
        let mut steps = vec![];
        let line = |placed: &[Vec<usize>], cell: &[usize], axis: usize| -> Option<(Vec<usize>, bool)> {
            if cell[axis] == anchor[axis] {
                return None;
            }
            let before = cell[axis] > anchor[axis];
            let mut at = cell.to_vec();
            let mut run = vec![];
            loop {
                if before {
                    match at[axis].checked_sub(1) {
                        Some(x) => at[axis] = x,
                        None => break,
                    }
                } else {
                    at[axis] += 1;
                    if at[axis] >= sides[axis] {
                        break;
                    }
                }
                match placed.iter().position(|other| *other == at) {
                    Some(place) => run.push(place),
                    None => break,
                }
            }
            run.reverse();
            Some((run, before))
        };
        while placed.len() < all.len() {
            let mut best: Option<((usize, usize), Vec<usize>)> = None;
            for cell in &all {
                if placed.contains(cell) {
                    continue;
                }
                let mut score = 0;
                let mut ready = true;
                for axis in 0..sides.len() {
                    if let Some((run, _)) = line(&placed, cell, axis) {
                        ready &= !run.is_empty();
                        score += [0, 1, 3][run.len().min(2)];
                    }
                }
                let axis = (0..sides.len()).rposition(|axis| cell[axis] != anchor[axis]).unwrap_or(0);
                if ready && best.as_ref().is_none_or(|(known, _)| (score, sides[axis]) > *known) {
                    best = Some(((score, sides[axis]), cell.clone()));
                }
            }
            let Some((_, cell)) = best else { break };
            let off: Vec<usize> = (0..sides.len()).filter(|&axis| cell[axis] != anchor[axis]).collect();
            let beside = match off[..] {
                [axis] if cell[axis].abs_diff(anchor[axis]) == 1 => Some((axis, cell[axis] > anchor[axis])),
                _ => None,
            };
            let runs = (0..sides.len()).filter_map(|axis| line(&placed, &cell, axis)).collect();
            let shell = |cell: &[usize]| cell.iter().sum::<usize>() as isize;
            let rivals = placed
                .iter()
                .enumerate()
                .map(|(place, other)| (place, shell(&cell) - shell(other)))
                .filter(|(_, shift)| shift.unsigned_abs() < k)
                .collect();
            steps.push(Step { beside, runs, rivals });
            placed.push(cell);
        }
        let order =
            placed.iter().map(|cell| all.iter().position(|other| other == cell).unwrap_or(0)).collect();
        Self { sides: sides.to_vec(), bits: bits.to_vec(), anchor: anchor.to_vec(), steps, order }
    }
}

/// A row beside the anchor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Beside {
    /// The column of the anchor.
    column: u32,
    row: Row,
    /// What the columns may be.
    mask: u64,
}

struct Finder<'a> {
    /// What columns are made of.
    corpus: &'a Corpus,
    /// What rows are made of.
    across: &'a Corpus,
    shape: &'a Shape,
    work: &'a Work<'a>,
    /// The anchor.
    most: Word,
    /// Where it is, and how many words around it are as frequent.
    place: usize,
    left: usize,
    right: usize,
    columns: Vec<u32>,
    /// For each word after or before the anchor in a line as long as rows, and its place there, the greatest openness of such lines.
    open_below: HashMap<(Word, u32), u32, foldhash::fast::FixedState>,
    open_above: HashMap<(Word, u32), u32, foldhash::fast::FixedState>,
    above: Vec<Beside>,
    below: Vec<Beside>,
    /// Bits of the columns that are looked for.
    wanted: u64,
    /// Whether it is enough to know that there is something, and whether there is.
    only_whether: bool,
    exists: bool,
    /// Columns of the anchor in rows that have a face.
    faced: Vec<u32>,
    found: Vec<Grid>,
    /// Words of the rows that are placed.
    grid: Vec<&'a [Word]>,
    /// Bigrams and words that the first step leads to.
    steps: Vec<(u32, Word)>,
    spare: Vec<Vec<Domain<'a>>>,
    spare_rows: Vec<Vec<Row>>,
}

/// How rows are read and on which side of the anchor's they are.
#[derive(Clone, Copy)]
struct Way<'a> {
    /// In rows.
    reading: &'a Reading,
    /// In columns.
    side: &'a Reading,
    step: isize,
}

impl<'a> Finder<'a> {
    fn new(corpus: &'a Corpus, across: &'a Corpus, shape: &'a Shape, work: &'a Work<'a>) -> Self {
        Self {
            corpus,
            across,
            shape,
            work,
            most: 0,
            place: 0,
            left: 0,
            right: 0,
            columns: vec![],
            open_below: HashMap::default(),
            open_above: HashMap::default(),
            above: vec![],
            below: vec![],
            wanted: u64::MAX,
            only_whether: false,
            exists: false,
            faced: vec![],
            found: vec![],
            grid: vec![],
            steps: vec![],
            spare: vec![],
            spare_rows: vec![],
        }
    }

    /// Goes to a place of the anchor; whether rows are there that were not met yet.
    fn go_to(&mut self, at: usize) -> bool {
        let (text, k) = (&self.across.text, self.shape.k);
        let fits = |other: &&Word| **other != 0 && **other <= self.most;
        self.place = at;
        self.right = text[at + 1..].iter().take(k - 1).take_while(fits).count();
        self.left = text[..at].iter().rev().take(k - 1).take_while(fits).count();
        self.columns.clear();
        if self.left + self.right + 1 < k {
            return false;
        }
        for column in (k - 1).saturating_sub(self.right)..=self.left.min(k - 1) {
            let row = self.shape.rows[at - column];
            if self.across.forward.places[row as usize] as usize == at - column {
                self.columns.push(column as u32);
            }
        }
        !self.columns.is_empty()
    }

    /// How much there may be beside a row with the anchor in a column of it.
    fn openness(&self, column: u32) -> u32 {
        let corpus = self.corpus;
        let of = |word: Word| (corpus.forward.next(word).len() + corpus.backward.next(word).len()) as u32;
        let text = &self.across.text;
        let right = || of(text[self.place + 1]);
        let left = || of(text[self.place - 1]);
        if column == 0 {
            right()
        } else if column as usize == self.shape.k - 1 {
            left()
        } else {
            right().min(left())
        }
    }

    fn anchor(&mut self, word: Word) -> Result<(), Halt> {
        let across = self.across;
        self.most = word;
        let Interval { lo, hi } = across.forward.word(word);
        let places = &across.forward.places[lo as usize..hi as usize];
        if self.shape.square.is_some() {
            self.open_below.clear();
            self.open_above.clear();
            for &place in places {
                if self.go_to(place as usize) {
                    for i in 0..self.columns.len() {
                        let column = self.columns[i];
                        let open = self.openness(column);
                        if (column as usize) < self.shape.k - 1 {
                            let after = across.text[self.place + 1];
                            let known = self.open_below.entry((after, column)).or_default();
                            *known = open.max(*known);
                        }
                        if column > 0 {
                            let before = across.text[self.place - 1];
                            let known = self.open_above.entry((before, column - 1)).or_default();
                            *known = open.max(*known);
                        }
                    }
                }
            }
        }
        for &place in places {
            if !self.go_to(place as usize) {
                continue;
            }
            self.work.check()?;
            if !self.shape.faces.is_empty() {
                // Only where there is the rarest face the rest is looked for.
                self.wanted = self.shape.face_bits();
                self.look(&self.shape.faces, true)?;
                self.columns.clear();
                self.columns.append(&mut self.faced);
                if self.columns.is_empty() {
                    continue;
                }
            }
            self.wanted = u64::MAX;
            self.look(&self.shape.plans, false)?;
        }
        Ok(())
    }

    /// Follows the plans from each row at the place; or only says which rows have what is planned.
    fn look(&mut self, plans: &'a [Plan], only_whether: bool) -> Result<(), Halt> {
        self.only_whether = only_whether;
        self.rows_beside(true);
        self.rows_beside(false);
        let (above, below) = (std::mem::take(&mut self.above), std::mem::take(&mut self.below));
        let mut result = Ok(());
        for i in 0..self.columns.len() {
            let column = self.columns[i];
            self.exists = false;
            result =
                self.row(plans, column, Self::of_column(&above, column), Self::of_column(&below, column));
            if result.is_err() {
                break;
            }
            if self.exists {
                self.faced.push(column);
            }
        }
        (self.above, self.below) = (above, below);
        result
    }

    /// What the column of the anchor may be, if the other word is beside it.
    fn seed_mask(&self, word: Word, below: bool, open: u32) -> u64 {
        let mut mask = self.wanted & self.column_mask(self.most, word, below);
        if let Some(from) = self.shape.square {
            // Of two lines of equal length the one with less beside it is the row.
            let table = if below { &self.open_below } else { &self.open_above };
            for column in 0..self.shape.k - 1 {
                let bit = (from + column).min(LAST_BIT);
                if bit < LAST_BIT
                    && mask >> bit & 1 == 1
                    && table.get(&(word, column as u32)).is_none_or(|&other| other < open)
                {
                    mask &= !(1 << bit);
                }
            }
        }
        mask
    }

    /// The rows that may be below those with the anchor here, or above them.
    fn rows_beside(&mut self, below: bool) {
        let (corpus, across, k) = (self.corpus, self.across, self.shape.k);
        let mut list = std::mem::take(if below { &mut self.below } else { &mut self.above });
        list.clear();
        let side = if below { &corpus.forward } else { &corpus.backward };
        let (ahead, back) = (
            Way { reading: &across.forward, side, step: 1 },
            Way { reading: &across.backward, side, step: -1 },
        );
        let has_first = self.columns.first() == Some(&0);
        let has_last = self.columns.last() == Some(&(k as u32 - 1));
        let has_inner = self.columns.iter().any(|&column| column > 0 && (column as usize) < k - 1);
        let right_words = if self.right > 0 { side.next(self.own(1)).len() } else { 0 };
        let left_words = if self.left > 0 { side.next(self.own(-1)).len() } else { 0 };
        let open_first = if has_first { self.openness(0) } else { 0 };
        let open_last = if has_last { self.openness(k as u32 - 1) } else { 0 };
        let open_inner = if has_inner { self.openness(1) } else { 0 };
        let mut open_least = u32::MAX;
        for (has, open) in [(has_first, open_first), (has_last, open_last), (has_inner, open_inner)] {
            if has {
                open_least = open_least.min(open);
            }
        }
        for &word in side.next(self.most) {
            if word > self.most {
                break;
            }
            let Interval { lo, hi } = across.forward.word(word);
            if lo == hi {
                continue;
            }
            let mask = self.seed_mask(word, below, open_least);
            if mask == 0 {
                continue;
            }
            if hi - lo <= 16 {
                for &other in &across.forward.places[lo as usize..hi as usize] {
                    self.occurrence(other as usize, below, mask, &mut list);
                }
                continue;
            }
            if has_first {
                self.walk(ahead, word, k - 1, self.seed_mask(word, below, open_first), &mut list);
            }
            if has_last {
                self.walk(back, word, k - 1, self.seed_mask(word, below, open_last), &mut list);
            }
            if has_inner {
                let mask = self.seed_mask(word, below, open_inner);
                if mask == 0 {
                    continue;
                }
                let right_cost = across.forward.next(word).len().min(right_words);
                let left_cost = across.backward.next(word).len().min(left_words);
                self.around(if right_cost <= left_cost { ahead } else { back }, word, mask, &mut list);
            }
        }
        list.sort_unstable();
        list.dedup();
        if below {
            self.below = list;
        } else {
            self.above = list;
        }
    }

    #[inline]
    fn follows(&self, over: Word, under: Word, below: bool) -> bool {
        if below { self.corpus.follows(over, under) } else { self.corpus.follows(under, over) }
    }

    #[inline]
    fn column_mask(&self, own: Word, other: Word, below: bool) -> u64 {
        let (over, under) = if below { (own, other) } else { (other, own) };
        self.corpus.forward.bigram(over, under).map_or(0, |id| self.shape.mask(id, self.most))
    }

    /// The word so many columns from the anchor.
    #[inline]
    fn own(&self, step: isize) -> Word {
        self.across.text[self.place.wrapping_add_signed(step)]
    }

    /// Whether two words can be neighbours of one row in a direction, as to the shells.
    #[inline]
    fn shells(&self, step: isize, word: Word, next: Word, ahead: bool, below: bool) -> bool {
        // Below, a word differs from the one above right; above, from the one below left.
        if ahead == below {
            word != self.own(if ahead { step + 1 } else { step - 1 })
        } else {
            next != self.own(step)
        }
    }

    /// The words that can be beside one beside the anchor, with the bigram that they make.
    #[inline]
    fn first_step(&self, way: Way<'a>, word: Word, each: &mut dyn FnMut(u32, Word)) {
        let Way { reading, side, step } = way;
        let below = side.ahead;
        let own = self.own(step);
        let after = reading.next(word);
        let under = side.next(own);
        let base = reading.first_bigram(word);
        if after.len() <= 4 * under.len() {
            for (i, &next) in after.iter().enumerate() {
                if next > self.most {
                    break;
                }
                if self.follows(own, next, below) && self.shells(0, word, next, reading.ahead, below) {
                    each(base + i as u32, next);
                }
            }
        } else {
            for &next in under {
                if next > self.most {
                    break;
                }
                if self.shells(0, word, next, reading.ahead, below)
                    && let Some(id) = reading.bigram(word, next)
                {
                    each(id, next);
                }
            }
        }
    }

    /// Rows that go on to both sides of the anchor's column: by the three words there.
    fn around(&mut self, way: Way<'a>, word: Word, mask: u64, list: &mut Vec<Beside>) {
        let across = self.across;
        let Way { reading, side, step } = way;
        let below = side.ahead;
        let opposite = if reading.ahead { &across.backward } else { &across.forward };
        let reverse = if reading.ahead { &self.shape.reverse } else { &self.shape.reverse_back };
        let own = self.own(-step);
        let under = side.next(own);
        let half = self.shape.k / 2;
        let mut steps = std::mem::take(&mut self.steps);
        steps.clear();
        self.first_step(way, word, &mut |id, next| steps.push((id, next)));
        for &(id, next) in &steps {
            let back = reverse[id as usize];
            let thirds = opposite.thirds(back);
            let base = opposite.first_trigram(back);
            let mut column: Option<u64> = None;
            let one = |me: &mut Self, i: usize, third: Word| {
                if !me.shells(0, word, third, !reading.ahead, below) {
                    return;
                }
                let column = *column.get_or_insert_with(|| mask & me.column_mask(me.own(step), next, below));
                let mask = if column == 0 { 0 } else { column & me.column_mask(own, third, below) };
                if mask == 0 {
                    return;
                }
                let within = opposite.trigram_interval(base + i);
                let other = Way { reading: opposite, side, step: -step };
                if within.hi - within.lo <= FEW {
                    me.further(other, step, 3, within, third, half, mask, list);
                    return;
                }
                // Every row goes half as far to the one side, or the rest to the other.
                me.further(other, step, 3, within, third, me.shape.k - half, mask, list);
                if let Some(bigram) = reading.bigram(third, word)
                    && let Some(trigram) = reading.trigram(bigram, next)
                {
                    let within = reading.trigram_interval(trigram);
                    me.further(way, -step, 3, within, next, half, mask, list);
                }
            };
            self.each_common(thirds, under, own, below, one);
        }
        self.steps = steps;
    }

    /// Rows that go on to one side.
    fn walk(&mut self, way: Way<'a>, word: Word, depth: usize, mask: u64, list: &mut Vec<Beside>) {
        if mask == 0 {
            return;
        }
        let mut steps = std::mem::take(&mut self.steps);
        steps.clear();
        self.first_step(way, word, &mut |id, next| steps.push((id, next)));
        for &(id, next) in &steps {
            self.second(way, id, next, depth, mask, list);
        }
        self.steps = steps;
    }

    fn second(
        &mut self,
        way: Way<'a>,
        bigram: u32,
        word: Word,
        depth: usize,
        mask: u64,
        list: &mut Vec<Beside>,
    ) {
        let Way { reading, side, step } = way;
        let (ahead, below) = (reading.ahead, side.ahead);
        if depth == 1 {
            let Interval { lo, hi } = reading.bigram_interval(bigram);
            for &place in &reading.places[lo as usize..hi as usize] {
                self.occurrence(place as usize, below, mask, list);
            }
            return;
        }
        let own = self.own(2 * step);
        let after = reading.thirds(bigram);
        let under = side.next(own);
        let base = reading.first_trigram(bigram);
        let mut column: Option<u64> = None;
        let one = |me: &mut Self, i: usize, next: Word| {
            if !me.shells(step, word, next, ahead, below) {
                return;
            }
            let mask = *column.get_or_insert_with(|| mask & me.column_mask(me.own(step), word, below));
            if mask != 0 {
                me.further(way, 0, 3, reading.trigram_interval(base + i), next, depth, mask, list);
            }
        };
        self.each_common(after, under, own, below, one);
    }

    /// The words no rarer than the anchor that are both in `after`, with their place there, and in `under`, those beside `own`.
    #[inline]
    fn each_common(
        &mut self,
        after: &[Word],
        under: &[Word],
        own: Word,
        below: bool,
        mut one: impl FnMut(&mut Self, usize, Word),
    ) {
        if after.len() <= 8 * under.len() {
            for (i, &next) in after.iter().enumerate() {
                if next > self.most {
                    break;
                }
                if self.follows(own, next, below) {
                    one(self, i, next);
                }
            }
        } else {
            for &next in under {
                if next > self.most {
                    break;
                }
                if let Ok(i) = after.binary_search(&next) {
                    one(self, i, next);
                }
            }
        }
    }

    /// A row is known for so many columns from `start`, counted from the anchor's; it must reach `depth` columns from the
    /// anchor's.
    #[allow(clippy::too_many_arguments)]
    fn further(
        &mut self,
        way: Way<'a>,
        start: isize,
        length: usize,
        within: Interval,
        word: Word,
        depth: usize,
        mask: u64,
        list: &mut Vec<Beside>,
    ) {
        let Way { reading, side, step } = way;
        let (ahead, below) = (reading.ahead, side.ahead);
        let last = start + step * (length as isize - 1);
        if within.hi - within.lo <= FEW || last.unsigned_abs() >= depth {
            for &place in &reading.places[within.lo as usize..within.hi as usize] {
                self.occurrence((place as usize).wrapping_add_signed(-start), below, mask, list);
            }
            return;
        }
        if last.unsigned_abs() >= if ahead { self.right } else { self.left } {
            return;
        }
        let mask = mask & self.column_mask(self.own(last), word, below);
        if mask == 0 {
            return;
        }
        let own = self.own(last + step);
        self.across.continuations(reading, within, length, |next, interval| {
            if next <= self.most
                && self.follows(own, next, below)
                && self.shells(last, word, next, ahead, below)
            {
                self.further(way, start, length + 1, interval, next, depth, mask, list);
            }
        });
    }

    /// The rows beside those of the anchor with a word beside the anchor that is at a place of the text.
    fn occurrence(&mut self, other: usize, below: bool, seed: u64, list: &mut Vec<Beside>) {
        let k = self.shape.k;
        let text = &self.across.text;
        let mut right = 0;
        while right < self.right {
            let (own, next) = (text[self.place + right + 1], text[other + right + 1]);
            if next == 0
                || next > self.most
                || !self.shells(right as isize, text[other + right], next, true, below)
                || !self.follows(own, next, below)
            {
                break;
            }
            right += 1;
        }
        let mut left = 0;
        while left < self.left {
            let (own, next) = (text[self.place - left - 1], text[other - left - 1]);
            if next == 0
                || next > self.most
                || !self.shells(-(left as isize), text[other - left], next, false, below)
                || !self.follows(own, next, below)
            {
                break;
            }
            left += 1;
        }
        if left + right + 1 < k {
            return;
        }
        for i in 0..self.columns.len() {
            let column = self.columns[i];
            let from = column as usize;
            if from > left || k - 1 - from > right {
                continue;
            }
            let mut mask = seed;
            for at in 0..k {
                mask &= self.column_mask(text[self.place - from + at], text[other - from + at], below);
                if mask == 0 {
                    break;
                }
            }
            if mask != 0 {
                list.push(Beside { column, row: self.shape.rows[other - from], mask });
            }
        }
    }

    fn of_column(list: &[Beside], column: u32) -> &[Beside] {
        let from = list.partition_point(|beside| beside.column < column);
        let to = from + list[from..].partition_point(|beside| beside.column == column);
        &list[from..to]
    }

    #[inline]
    fn words(&self, row: Row) -> &'a [Word] {
        let across = self.across;
        across.run(across.forward.places[row as usize], self.shape.k)
    }

    /// All grids with the anchor in this column of its row.
    fn row(&mut self, plans: &[Plan], column: u32, above: &[Beside], below: &[Beside]) -> Result<(), Halt> {
        let shape = self.shape;
        let any = |list: &[Beside]| list.iter().fold(0, |any, beside| any | beside.mask);
        let (any_above, any_below) = (any(above), any(below));
        for plan in plans {
            let possible = plan.anchor.iter().enumerate().all(|(axis, &at)| {
                let is_set = |mask: u64, bit: usize| mask >> bit.min(LAST_BIT) & 1 == 1;
                (at == 0 || is_set(any_above, plan.bits[axis] + at - 1))
                    && (at + 1 == plan.sides[axis] || is_set(any_below, plan.bits[axis] + at))
            });
            if !possible {
                continue;
            }
            self.grid.clear();
            self.grid.push(self.words(shape.rows[self.place - column as usize]));
            self.place_rows(plan, above, below)?;
        }
        Ok(())
    }

    fn place_rows(&mut self, plan: &Plan, above: &[Beside], below: &[Beside]) -> Result<(), Halt> {
        let shape = self.shape;
        if self.exists {
            return Ok(());
        }
        let Some(step) = plan.steps.get(self.grid.len() - 1) else {
            if self.only_whether {
                self.exists = true;
                return Ok(());
            }
            let mut words = vec![0; self.grid.len() * shape.k];
            for (row, &at) in self.grid.iter().zip(&plan.order) {
                words[at * shape.k..(at + 1) * shape.k].copy_from_slice(row);
            }
            let dims = plan.sides.iter().map(|&n| n as u32).chain([shape.k as u32]).collect();
            self.found.push(Grid { dims, words }.sorted());
            return self.work.check_room(self.found.len(), shape.k * self.grid.len() * 4 + 64);
        };
        self.work.check()?;
        let mut domains = self.spare.pop().unwrap_or_default();
        let mut result = Ok(());
        if let Some((axis, after)) = step.beside {
            domains.clear();
            // A single word above or below is what these rows were found by.
            let more = step.runs.len() > 1 || step.runs.iter().any(|(run, _)| run.len() > 1);
            if more && !self.domains(step, &mut domains) {
                self.spare.push(domains);
                return Ok(());
            }
            let list = if after { below } else { above };
            let bit = (plan.bits[axis] + plan.anchor[axis] - usize::from(!after)).min(LAST_BIT);
            for beside in list.iter().filter(|beside| beside.mask >> bit & 1 == 1) {
                let row = self.words(beside.row);
                if row.iter().enumerate().all(|(x, &word)| self.accepts(step, &domains, x, word)) {
                    self.grid.push(row);
                    result = self.place_rows(plan, above, below);
                    self.grid.pop();
                    if result.is_err() {
                        break;
                    }
                }
            }
        } else {
            let mut rows = self.spare_rows.pop().unwrap_or_default();
            rows.clear();
            if self.domains(step, &mut domains) {
                self.fill(step, &domains, &mut rows);
            }
            for &row in &rows {
                self.grid.push(self.words(row));
                result = self.place_rows(plan, above, below);
                self.grid.pop();
                if result.is_err() {
                    break;
                }
            }
            self.spare_rows.push(rows);
        }
        self.spare.push(domains);
        result
    }

    /// The rows that can be placed next.
    fn fill(&mut self, step: &Step, domains: &[Domain<'a>], rows: &mut Vec<Row>) {
        // From the column with the fewest words.
        let (across, k) = (self.across, self.shape.k);
        let size = |x: usize| Self::least(step, domains, x).size();
        let Some(start) = (0..k).min_by_key(|&x| (size(x), x.abs_diff(k / 2))) else { return };
        let ahead = start < k - 1 - start || start == 0;
        let reading = if ahead { &across.forward } else { &across.backward };
        let least = Self::least(step, domains, start);
        least.each(self.corpus, self.most, &mut |word| {
            if self.accepts(step, domains, start, word) {
                self.go_on(step, domains, reading, start, start, (0, word), reading.word(word), rows);
            }
        });
        rows.sort_unstable();
        rows.dedup();
    }

    /// What the columns of the rows that are placed allow; whether that may be anything.
    fn domains(&self, step: &Step, domains: &mut Vec<Domain<'a>>) -> bool {
        let corpus = self.corpus;
        domains.clear();
        for x in 0..self.shape.k {
            for (run, before) in &step.runs {
                let reading = if *before { &corpus.forward } else { &corpus.backward };
                let word = |i: usize| self.grid[run[i]][x];
                let domain = || {
                    Some(match run.len() {
                        1 => Domain::Next(reading, word(0)),
                        2 => Domain::Third(reading, reading.bigram(word(0), word(1))?),
                        n => Domain::Run(reading, corpus.find_in(reading, (0..n).map(word))?, n),
                    })
                };
                match domain() {
                    Some(domain) if domain.size() > 0 => domains.push(domain),
                    _ => return false,
                }
            }
        }
        true
    }

    #[inline]
    fn of<'d>(step: &Step, domains: &'d [Domain<'a>], x: usize) -> &'d [Domain<'a>] {
        let runs = step.runs.len();
        domains.get(x * runs..(x + 1) * runs).unwrap_or(&[])
    }

    /// The narrowest of a column.
    fn least(step: &Step, domains: &[Domain<'a>], x: usize) -> Domain<'a> {
        let own = Self::of(step, domains, x);
        let mut least = own[0];
        for domain in &own[1..] {
            if domain.size() < least.size() {
                least = *domain;
            }
        }
        least
    }

    #[inline]
    fn accepts(&self, step: &Step, domains: &[Domain<'a>], x: usize, word: Word) -> bool {
        word <= self.most
            && Self::of(step, domains, x).iter().all(|domain| domain.accepts(self.corpus, word))
            && step
                .rivals
                .iter()
                .all(|&(row, shift)| self.grid[row].get(x.wrapping_add_signed(shift)) != Some(&word))
    }

    /// The row is known from `start` to `at` in the direction of the reading; the last two words are given.
    #[allow(clippy::too_many_arguments)]
    fn go_on(
        &mut self,
        step: &Step,
        domains: &[Domain<'a>],
        reading: &'a Reading,
        start: usize,
        at: usize,
        (before, word): (Word, Word),
        within: Interval,
        rows: &mut Vec<Row>,
    ) {
        let (across, k) = (self.across, self.shape.k);
        let length = at.abs_diff(start) + 1;
        let last = if reading.ahead { k - 1 } else { 0 };
        if at == last || within.hi - within.lo <= 4 {
            for &place in &reading.places[within.lo as usize..within.hi as usize] {
                let Some(from) = (place as usize).checked_sub(start) else { continue };
                if self.shape.rows[from] == NONE {
                    continue;
                }
                let run = across.run(from as u32, k);
                let known = start.min(at)..=start.max(at);
                if (0..k).all(|x| known.contains(&x) || self.accepts(step, domains, x, run[x])) {
                    rows.push(self.shape.rows[from]);
                }
            }
            return;
        }
        let next = if reading.ahead { at + 1 } else { at - 1 };
        let domain = Self::least(step, domains, next);
        let size = domain.size();
        match length {
            1 => {
                let list = reading.next(word);
                if list.len() <= size {
                    let base = reading.first_bigram(word);
                    for (i, &w) in list.iter().enumerate() {
                        if w > self.most {
                            break;
                        }
                        if self.accepts(step, domains, next, w) {
                            let interval = reading.bigram_interval(base + i as u32);
                            self.go_on(step, domains, reading, start, next, (word, w), interval, rows);
                        }
                    }
                } else {
                    domain.each(self.corpus, self.most, &mut |w| {
                        if let Some(id) = reading.bigram(word, w)
                            && self.accepts(step, domains, next, w)
                        {
                            let interval = reading.bigram_interval(id);
                            self.go_on(step, domains, reading, start, next, (word, w), interval, rows);
                        }
                    });
                }
            }
            2 => {
                let Some(bigram) = reading.bigram(before, word) else { return };
                let list = reading.thirds(bigram);
                let base = reading.first_trigram(bigram);
                if list.len() <= 4 * size {
                    for (i, &w) in list.iter().enumerate() {
                        if w > self.most {
                            break;
                        }
                        if self.accepts(step, domains, next, w) {
                            let interval = reading.trigram_interval(base + i);
                            self.go_on(step, domains, reading, start, next, (word, w), interval, rows);
                        }
                    }
                } else {
                    domain.each(self.corpus, self.most, &mut |w| {
                        if let Ok(i) = list.binary_search(&w)
                            && self.accepts(step, domains, next, w)
                        {
                            let interval = reading.trigram_interval(base + i);
                            self.go_on(step, domains, reading, start, next, (word, w), interval, rows);
                        }
                    });
                }
            }
            _ => {
                across.continuations(reading, within, length, |w, interval| {
                    if self.accepts(step, domains, next, w) {
                        self.go_on(step, domains, reading, start, next, (word, w), interval, rows);
                    }
                });
            }
        }
    }
}

/// What a line that is placed in part allows in a cell.
#[derive(Clone, Copy)]
enum Domain<'a> {
    Next(&'a Reading, Word),
    Third(&'a Reading, u32),
    Run(&'a Reading, Interval, usize),
}

impl Domain<'_> {
    /// Calls `each` with what it allows, up to a word.
    fn each(&self, corpus: &Corpus, most: Word, each: &mut dyn FnMut(Word)) {
        let mut all = |list: &[Word]| list.iter().take_while(|w| **w <= most).for_each(|&w| each(w));
        match *self {
            Self::Next(reading, word) => all(reading.next(word)),
            Self::Third(reading, bigram) => all(reading.thirds(bigram)),
            Self::Run(reading, interval, length) => {
                corpus.continuations(reading, interval, length, |word, _| each(word));
            }
        }
    }

    #[inline]
    fn size(&self) -> usize {
        match *self {
            Self::Next(reading, word) => reading.next(word).len(),
            Self::Third(reading, bigram) => reading.thirds(bigram).len(),
            Self::Run(_, interval, _) => (interval.hi - interval.lo) as usize,
        }
    }

    #[inline]
    fn accepts(&self, corpus: &Corpus, word: Word) -> bool {
        match *self {
            Self::Next(reading, own) => {
                if reading.ahead {
                    corpus.follows(own, word)
                } else {
                    corpus.follows(word, own)
                }
            }
            Self::Third(reading, bigram) => reading.thirds(bigram).binary_search(&word).is_ok(),
            Self::Run(reading, interval, length) => corpus.extend(reading, interval, length, word).is_some(),
        }
    }
}
