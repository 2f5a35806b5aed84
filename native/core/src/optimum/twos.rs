//! Axes of length 2 over a core: they add no volume, but decide among orthos of equal volume.
//!
//! From a *base*, a grid of the core's shape, axes are added in ascending order of the word at their unit cell, so each
//! ortho is met once. An axis is a *layer*: a copy of the grid that is parallel above it. The layers that an ortho may
//! get are among those that it could get before its last axis was added, each joined with a layer above that axis; so
//! the number of different unit words among them bounds the number of axes that can still come, and what cannot be
//! one of the best is left out.
//!
//! Guarantee: every ortho over the base that is one of the K best is offered. Memory: the layers of one path, within a
//! bound; past that layers are searched anew at each step.

use std::sync::{Mutex, PoisonError};

use super::corpus::{Corpus, Word};
use super::grid::{Filler, Grid};
use super::top::Top;
use super::work::{Halt, Work};
use crate::ortho::{Canonicalizer, Dims, Ortho, volume};

/// See the [module](self).
pub(super) struct Twos<'a> {
    corpus: &'a Corpus,
    work: &'a Work<'a>,
    filler: Filler<'a>,
    canonicalizer: Canonicalizer,
    core: &'a [u32],
    top: &'a Mutex<Top>,
    /// What is known of the bar of `top`.
    bar: Option<Ortho>,
    /// The origin of the base, as a token.
    origin: u32,
    /// Words in all lists of layers.
    held: usize,
    /// How many there may be.
    room: usize,
}

/// Layers with the same number of words each, ascending, so those with the same unit word are neighbours.
struct Layers {
    words: Vec<Word>,
    size: usize,
}

impl Layers {
    fn iter(&self) -> std::slice::ChunksExact<'_, Word> {
        self.words.chunks_exact(self.size)
    }

    /// The number of different unit words from a layer on.
    fn units_from(&self, from: usize) -> u32 {
        let mut units = 0;
        let mut last = 0;
        for layer in self.iter().skip(from) {
            if layer[0] != last {
                last = layer[0];
                units += 1;
            }
        }
        units
    }
}

impl<'a> Twos<'a> {
    /// For bases of one core, which must outlive it.
    pub(super) fn new(corpus: &'a Corpus, core: &'a [u32], top: &'a Mutex<Top>, work: &'a Work<'a>) -> Self {
        Self {
            corpus,
            work,
            filler: Filler::new(corpus, work),
            canonicalizer: Canonicalizer::default(),
            core,
            top,
            bar: None,
            origin: 0,
            held: 0,
            room: (work.memory / 4 / 4 / work.threads.max(1) as u64) as usize,
        }
    }

    /// Offers all over a base that may be one of the best.
    pub(super) fn over(&mut self, base: &[Word]) -> Result<(), Halt> {
        self.refresh();
        self.origin = base.first().map_or(0, |&word| self.corpus.token(word));
        if self.core.len() >= 2 {
            self.offer(base, 0);
        }
        // How many axes may come is not known before the layers are.
        let dims = self.dims(1);
        let plan = self.filler.plan(&dims);
        let mut words = base.to_vec();
        let mut layers = Layers { words: vec![], size: base.len() };
        let room = self.room;
        let result = self.filler.fill(&plan, &mut words, 0, &mut |words| {
            layers.words.extend_from_slice(&words[base.len()..]);
            if layers.words.len() > room { Err(Halt::Memory) } else { Ok(()) }
        });
        match result {
            Err(Halt::Memory) => return self.plainly(base, 0, 0),
            other => other?,
        }
        self.held = layers.words.len();
        self.node(base, 0, &layers)
    }

    /// The dimensions of the core with so many axes of length 2 before it, the last added first.
    fn dims(&self, twos: usize) -> Dims {
        std::iter::repeat_n(2, twos).chain(self.core.iter().copied()).collect()
    }

    fn refresh(&mut self) {
        let top = self.top.lock().unwrap_or_else(PoisonError::into_inner);
        if top.bar() != self.bar.as_ref() {
            self.bar = top.bar().cloned();
        }
    }

    fn offer(&mut self, words: &[Word], twos: usize) {
        if !self.can_enter(twos) {
            return;
        }
        let grid = Grid { dims: self.dims(twos), words: words.to_vec() };
        let ortho = grid.ortho(self.corpus, &mut self.canonicalizer);
        self.top.lock().unwrap_or_else(PoisonError::into_inner).offer(ortho);
        self.refresh();
    }

    /// Whether an ortho over the base with so many axes of length 2, or less, may be one of the best.
    fn can_enter(&self, twos: usize) -> bool {
        let Some(bar) = &self.bar else { return true };
        let own = (volume(self.core), self.cells(twos));
        let shape = || {
            let mut dims = self.dims(twos);
            dims.sort_unstable();
            dims
        };
        own.cmp(&(bar.volume(), bar.fullness()))
            .then_with(|| bar.dims.cmp(&shape()))
            .then_with(|| bar.tokens.first().cmp(&Some(&self.origin)))
            .is_ge()
    }

    fn cells(&self, twos: usize) -> u64 {
        let core = self.core.iter().fold(1_u64, |cells, &d| cells.saturating_mul(u64::from(d)));
        core.saturating_mul(1_u64.checked_shl(twos as u32).unwrap_or(u64::MAX))
    }

    /// Adds each of the layers to an ortho that has so many axes of length 2.
    fn node(&mut self, words: &[Word], twos: usize, layers: &Layers) -> Result<(), Halt> {
        let size = layers.size;
        let count = layers.words.len() / size;
        for q in 0..count {
            self.work.check()?;
            if !self.can_enter(twos + layers.units_from(q) as usize) {
                // Later layers have no more units than this one.
                return Ok(());
            }
            let layer = &layers.words[q * size..(q + 1) * size];
            let child = [words, layer].concat();
            if self.core.len() + twos + 1 >= 2 {
                self.offer(&child, twos + 1);
            }
            match self.layers_of(&child, twos + 1, layers, q) {
                Ok(next) => {
                    self.held += next.words.len();
                    let result = self.node(&child, twos + 1, &next);
                    self.held -= next.words.len();
                    result?;
                }
                Err(Halt::Memory) => self.plainly(&child, twos + 1, layer[0])?,
                Err(halt) => return Err(halt),
            }
        }
        Ok(())
    }

    /// The layers above an ortho whose last axis is layer `q` of `layers`.
    fn layers_of(&mut self, child: &[Word], twos: usize, layers: &Layers, q: usize) -> Result<Layers, Halt> {
        let dims = self.dims(twos + 1);
        let plan = self.filler.plan(&dims);
        let size = layers.size;
        let unit = layers.words[q * size];
        let mut found = Layers { words: vec![], size: 2 * size };
        let mut words = child.to_vec();
        let room = self.room.saturating_sub(self.held);
        for (at, other) in layers.iter().enumerate().skip(q + 1) {
            if other[0] == unit {
                continue;
            }
            // The first unit from here on, and no more.
            if at % 64 == 0 {
                self.work.check()?;
            }
            words.truncate(child.len());
            words.extend_from_slice(other);
            if !(child.len()..words.len()).all(|at| Filler::is_distinct(&plan, &words, at)) {
                continue;
            }
            self.filler.fill(&plan, &mut words, 0, &mut |words| {
                found.words.extend_from_slice(&words[child.len()..]);
                if found.words.len() > room { Err(Halt::Memory) } else { Ok(()) }
            })?;
        }
        Ok(found)
    }

    /// The same without lists: every layer is searched cell by cell.
    fn plainly(&mut self, words: &[Word], twos: usize, floor: Word) -> Result<(), Halt> {
        let dims = self.dims(twos + 1);
        let plan = self.filler.plan(&dims);
        let mut filler = Filler::new(self.corpus, self.work);
        let mut grid = words.to_vec();
        filler.fill(&plan, &mut grid, floor, &mut |grid| {
            if self.core.len() + twos + 1 >= 2 {
                self.offer(grid, twos + 1);
            }
            let unit = grid[words.len()];
            self.plainly(grid, twos + 1, unit)
        })
    }
}
