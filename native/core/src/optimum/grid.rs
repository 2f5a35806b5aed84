//! Grids of words, and how they grow by one layer: the definition of an ortho, applied cell by cell.
//!
//! Cells are in row-major order, the first axis slowest, so a layer added along the first axis comes at the end. An
//! axis that is not there yet counts as one of length 1.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::corpus::{Corpus, Word};
use super::work::{Halt, Work};
use crate::ortho::{Canonicalizer, Dims, Ortho};

/// A grid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grid {
    pub(crate) dims: Dims,
    pub(crate) words: Vec<Word>,
}

impl Grid {
    /// The canonical ortho of the grid.
    pub(crate) fn ortho(&self, corpus: &Corpus, canonicalizer: &mut Canonicalizer) -> Ortho {
        let mut ortho = Ortho::default();
        // There the first axis is the fastest.
        let dims: Dims = self.dims.iter().rev().copied().collect();
        let tokens: Vec<u32> = self.words.iter().map(|&word| corpus.token(word)).collect();
        canonicalizer.canonicalize(&dims, &tokens, &mut ortho);
        ortho
    }

    /// The same grid with its axes in the order given.
    pub(crate) fn permuted(&self, order: &[usize]) -> Self {
        let dims: Dims = order.iter().map(|&k| self.dims[k]).collect();
        let mut strides = vec![1_usize; self.dims.len()];
        for k in (1..self.dims.len()).rev() {
            strides[k - 1] = strides[k] * self.dims[k] as usize;
        }
        let mut words = Vec::with_capacity(self.words.len());
        let mut cell = vec![0_u32; dims.len()];
        for _ in 0..self.words.len() {
            words.push(
                self.words[order.iter().zip(&cell).map(|(&k, &x)| strides[k] * x as usize).sum::<usize>()],
            );
            for k in (0..dims.len()).rev() {
                cell[k] += 1;
                if cell[k] < dims[k] {
                    break;
                }
                cell[k] = 0;
            }
        }
        Self { dims, words }
    }

    /// The same grid with its axes by length and then by unit word: one form for all orders of the axes.
    pub(crate) fn sorted(&self) -> Self {
        let mut stride = self.words.len();
        let mut order = vec![];
        for (k, &d) in self.dims.iter().enumerate() {
            stride /= d as usize;
            order.push((d, self.words[stride], k));
        }
        order.sort_unstable();
        let order: Vec<usize> = order.into_iter().map(|(_, _, k)| k).collect();
        self.permuted(&order)
    }
}

/// What a cell of a new layer must go with.
#[derive(Debug)]
struct Cell {
    /// For each axis along which there are cells before it, these, in order.
    lines: Vec<Vec<u32>>,
    /// The cells of its shell that are filled before it.
    rivals: Vec<u32>,
}

/// How to fill the last layer along the first axis of a shape.
#[derive(Debug)]
pub(crate) struct Plan {
    cells: Vec<Cell>,
    /// Cells before the layer.
    pub(crate) before: usize,
}

impl Plan {
    fn new(dims: &[u32]) -> Self {
        let total: usize = dims.iter().map(|&d| d as usize).product();
        let layer = total / dims[0] as usize;
        let mut strides = vec![1_usize; dims.len()];
        for k in (1..dims.len()).rev() {
            strides[k - 1] = strides[k] * dims[k] as usize;
        }
        let coordinate = |at: usize, k: usize| at / strides[k] % dims[k] as usize;
        let shell = |at: usize| (0..dims.len()).map(|k| coordinate(at, k)).sum::<usize>();
        let shells: Vec<usize> = (0..total).map(shell).collect();
        let cells = (total - layer..total)
            .map(|at| Cell {
                lines: (0..dims.len())
                    .filter(|&k| coordinate(at, k) > 0)
                    .map(|k| {
                        let first = at - coordinate(at, k) * strides[k];
                        (0..coordinate(at, k)).map(|x| (first + x * strides[k]) as u32).collect()
                    })
                    .collect(),
                rivals: (0..at)
                    .filter(|&other| shells[other] == shells[at])
                    .map(|other| other as u32)
                    .collect(),
            })
            .collect();
        Self { cells, before: total - layer }
    }
}

/// Fills layers; one for each thread.
#[derive(Debug)]
pub(crate) struct Filler<'a> {
    corpus: &'a Corpus,
    work: &'a Work<'a>,
    plans: HashMap<Dims, Rc<Plan>>,
    line: Vec<Word>,
}

impl<'a> Filler<'a> {
    pub(crate) fn new(corpus: &'a Corpus, work: &'a Work<'a>) -> Self {
        Self { corpus, work, plans: HashMap::new(), line: vec![] }
    }

    /// How to fill the last layer along the first axis of a shape.
    pub(crate) fn plan(&mut self, dims: &[u32]) -> Rc<Plan> {
        if let Some(plan) = self.plans.get(dims) {
            return Rc::clone(plan);
        }
        let plan = Rc::new(Plan::new(dims));
        self.plans.insert(dims.to_vec(), Rc::clone(&plan));
        plan
    }

    /// Whether a cell that is already filled differs from all in its shell that are before it.
    pub(crate) fn is_distinct(plan: &Plan, words: &[Word], at: usize) -> bool {
        plan.cells[at - plan.before].rivals.iter().all(|&rival| words[rival as usize] != words[at])
    }

    /// Calls `each` with every way to complete the layer of which some cells are given, at the end of `words`. The
    /// first word of the layer, if not given, is greater than `floor`.
    pub(crate) fn fill(
        &mut self,
        plan: &Plan,
        words: &mut Vec<Word>,
        floor: Word,
        each: &mut dyn FnMut(&[Word]) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let Some(cell) = plan.cells.get(words.len() - plan.before) else { return each(words) };
        self.work.check()?;
        let floor_here = if words.len() == plan.before { floor } else { 0 };
        let mut candidates = vec![];
        self.candidates(cell, words, floor_here, &mut candidates);
        for word in candidates {
            words.push(word);
            let result = self.fill(plan, words, floor, each);
            words.pop();
            result?;
        }
        Ok(())
    }

    /// The words that can come next in a layer of which some cells are given, ascending.
    pub(crate) fn next_words(&mut self, plan: &Plan, words: &[Word], floor: Word, out: &mut Vec<Word>) {
        out.clear();
        if let Some(cell) = plan.cells.get(words.len() - plan.before) {
            let floor = if words.len() == plan.before { floor } else { 0 };
            self.candidates(cell, words, floor, out);
        }
    }

    /// The words that can be in a cell.
    fn candidates(&mut self, cell: &Cell, words: &[Word], floor: Word, out: &mut Vec<Word>) {
        let corpus = self.corpus;
        let reading = &corpus.forward;
        // What follows a longer run is fewer; of single words those with the fewest successors.
        let fewest = |line: &&Vec<u32>| match line[..] {
            [only] => (usize::MAX, reading.next(words[only as usize]).len()),
            _ => (usize::MAX - line.len(), 0),
        };
        let Some(shortest) = cell.lines.iter().min_by_key(fewest) else { return };
        let mut line = std::mem::take(&mut self.line);
        let mut fits = |word: Word| {
            word > floor
                && cell.rivals.iter().all(|&rival| words[rival as usize] != word)
                && cell.lines.iter().all(|other| {
                    std::ptr::eq(other, shortest)
                        || match other[..] {
                            [only] => corpus.follows(words[only as usize], word),
                            _ => {
                                line.clear();
                                line.extend(other.iter().map(|&at| words[at as usize]));
                                line.push(word);
                                corpus.find(&line).is_some()
                            }
                        }
                })
        };
        match shortest[..] {
            [only] => {
                out.extend(reading.next(words[only as usize]).iter().copied().filter(|&word| fits(word)));
            }
            _ => {
                let run: Vec<Word> = shortest.iter().map(|&at| words[at as usize]).collect();
                if let Some(interval) = corpus.find(&run) {
                    corpus.continuations(reading, interval, run.len(), |word, _| {
                        if fits(word) {
                            out.push(word);
                        }
                    });
                }
            }
        }
        self.line = line;
    }

    /// Every grid that has one layer more than this one along an axis; the axis after the last is a new one.
    pub(crate) fn grown(&mut self, grid: &Grid, axis: usize, found: &mut BTreeSet<Grid>) -> Result<(), Halt> {
        let mut first = if axis == grid.dims.len() {
            Grid { dims: [&[1], &grid.dims[..]].concat(), words: grid.words.clone() }
        } else {
            let others = (0..grid.dims.len()).filter(|&k| k != axis);
            grid.permuted(&std::iter::once(axis).chain(others).collect::<Vec<usize>>())
        };
        first.dims[0] += 1;
        let plan = self.plan(&first.dims);
        let Grid { dims, mut words } = first;
        self.fill(&plan, &mut words, 0, &mut |words| {
            found.insert(Grid { dims: dims.clone(), words: words.to_vec() }.sorted());
            Ok(())
        })
    }
}
