//! With which further axes a cube of three axes around a seed makes one of four.
//!
//! A cube of five axes has a cube of four without its first axis from the seed, that of the node in which it is found. Nodes
//! come in descending order, so when its turn comes all cubes of four axes without the node's are known: which three of their
//! cubes of three axes (the vertices) go with which axis is kept, a bit each, and says of most labels that they
//! are in no cube of five axes.
//!
//! Memory: a bit for each vertex and axis, or nothing if that is too much: then every axis is taken for possible.

use super::world::World;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Spans {
    /// For each vertex, by its place among all, the axes; empty if they are not known.
    bits: Vec<u64>,
    row: usize,
}

impl Spans {
    /// Begins a world of which nothing was found yet, within so many bytes.
    pub(super) fn begin(&mut self, world: &World, memory: u64) {
        self.row = world.xs.len().div_ceil(64);
        self.bits.clear();
        let words = world.count() * self.row;
        if (words * 8) as u64 <= memory {
            self.bits.resize(words, 0);
        } else {
            self.forget();
        }
    }

    /// Some cubes of four axes will not be added.
    pub(super) fn forget(&mut self) {
        self.bits = Vec::new();
    }

    pub(super) fn are_known(&self) -> bool {
        !self.bits.is_empty()
    }

    /// A cube of four axes has this vertex and this axis.
    #[inline]
    pub(super) fn add(&mut self, vertex: u32, axis: u32) {
        if let Some(word) = self.bits.get_mut(vertex as usize * self.row + axis as usize / 64) {
            *word |= 1 << (axis % 64);
        }
    }

    /// Whether one may have; only if they are known.
    #[inline]
    pub(super) fn has(&self, vertex: u32, axis: u32) -> bool {
        self.bits[vertex as usize * self.row + axis as usize / 64] >> (axis % 64) & 1 == 1
    }
}
