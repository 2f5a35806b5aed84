//! Records that list orthos one by one: each shares a prefix with the one before.
//!
//! ```text
//! 0 | orthos | axes | length of each axis, as grown | for each ortho: shared cells | rank of each further cell
//! ```
//!
//! All numbers are varints; the first ortho shares none. Cells are in grown order (first axis fastest).

use super::varint::{get, put};
use super::{Rank, kind};

/// A list record under construction.
#[derive(Debug, Default)]
pub(super) struct ListRecord {
    body: Vec<u8>,
    count: u32,
    dims: Vec<u32>,
    previous: Vec<Rank>,
}

impl ListRecord {
    pub(super) fn new(dims: &[u32]) -> Self {
        Self { dims: dims.to_vec(), ..Self::default() }
    }

    pub(super) fn push(&mut self, cells: &[Rank]) {
        let shared = self.previous.iter().zip(cells).take_while(|(a, b)| a == b).count();
        put(&mut self.body, shared as u32);
        for &rank in &cells[shared..] {
            put(&mut self.body, rank);
        }
        self.previous.clear();
        self.previous.extend_from_slice(cells);
        self.count += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.body.len()
    }

    /// The record's bytes; what follows starts a new one. `None` if it is empty.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        if self.count == 0 {
            return None;
        }
        let mut record = Vec::with_capacity(self.body.len() + 16);
        record.push(kind::LIST);
        put(&mut record, self.count);
        put(&mut record, self.dims.len() as u32);
        for &d in &self.dims {
            put(&mut record, d);
        }
        record.append(&mut self.body);
        self.count = 0;
        self.previous.clear();
        Some(record)
    }
}

/// Reads a list record's body.
#[derive(Debug)]
pub(super) struct ListDecoder {
    pub(super) dims: Vec<u32>,
    pub(super) cells: Vec<Rank>,
    left: u32,
}

impl ListDecoder {
    /// Reads the dims at `at`; `left` is the record's count.
    pub(super) fn new(bytes: &[u8], at: &mut usize, left: u32) -> Option<Self> {
        let axes = get(bytes, at)? as usize;
        let mut dims = vec![];
        let mut cells = 1usize;
        for _ in 0..axes {
            let d = get(bytes, at)?;
            cells = cells.checked_mul(d as usize)?;
            dims.push(d);
        }
        // The first ortho has every cell in at least a byte of its own: a larger shape is a lie.
        if dims.len() < 2 || dims.iter().any(|&d| d < 2) || cells > bytes.len() {
            return None;
        }
        Some(Self { dims, cells: vec![0; cells], left })
    }

    /// Puts the next ortho into `cells`. `Some(false)` at the proper end.
    pub(super) fn next(&mut self, bytes: &[u8], at: &mut usize) -> Option<bool> {
        if self.left == 0 {
            return (*at == bytes.len()).then_some(false);
        }
        self.left -= 1;
        let shared = get(bytes, at)? as usize;
        for cell in self.cells.get_mut(shared..)? {
            *cell = get(bytes, at)?;
        }
        Some(true)
    }
}
