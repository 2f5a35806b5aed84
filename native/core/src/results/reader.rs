//! Reads results back: the orthos of a shape as a stream, in the same order every time.
//!
//! Memory: one record (64 KiB, or one ortho if that is longer) and what one block of it expands to (at most 4,096
//! orthos). Everything is checked: a record that makes no sense is named as damage, never guessed at.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cubes::CubesDecoder;
use super::list::ListDecoder;
use super::varint::get;
use super::{Rank, RankTables, Ranks, kind};
use crate::disk::Disk;
use crate::disk_backed_queue::{DiskBackedQueue, Iter, QueueOptions};
use crate::error::{Code, Error, Result};
use crate::ortho::{Canonicalizer, Dims, Ortho, parse_shape, shape_name};
use crate::text::Token;

/// The results of one archive.
#[derive(Debug, Clone)]
pub struct ResultsReader {
    directory: PathBuf,
    tables: RankTables,
    disk: Arc<dyn Disk>,
    shapes: Vec<Dims>,
}

impl ResultsReader {
    /// Looks which shapes there are. A missing directory has none.
    ///
    /// # Errors
    /// When the directory cannot be read, or holds what is no shape.
    pub fn open(directory: &Path, tables: impl Into<RankTables>, disk: Arc<dyn Disk>) -> Result<Self> {
        let mut shapes = vec![];
        if disk.exists(directory) {
            let entries = disk.list(directory).map_err(|cause| Error::io("listing", directory, cause))?;
            for entry in entries {
                let name = entry.file_name().and_then(|n| n.to_str()).unwrap_or_default();
                let dims = parse_shape(name).filter(|dims| shape_name(dims) == name);
                shapes.push(dims.ok_or_else(|| {
                    Error::new(Code::Damaged, format!("{} is no directory of a shape", entry.display()))
                })?);
            }
        }
        shapes.sort_by_key(|dims| (dims.len(), dims.clone()));
        Ok(Self { directory: directory.to_owned(), tables: tables.into(), disk, shapes })
    }

    /// The shapes that there are, by number of axes and then lexicographically.
    #[must_use]
    pub fn shapes(&self) -> &[Dims] {
        &self.shapes
    }

    /// The tables that its records use.
    #[must_use]
    pub fn tables(&self) -> &RankTables {
        &self.tables
    }

    fn queue(&self, dims: &[u32]) -> Result<Option<Iter>> {
        if !self.shapes.iter().any(|d| d == dims) {
            return Ok(None);
        }
        self.files(dims)?.queue.iter().map(Some)
    }

    /// The files that hold the records of one canonical shape.
    ///
    /// # Errors
    /// When they cannot be opened or are damaged.
    pub(crate) fn files(&self, dims: &[u32]) -> Result<Files> {
        let options = QueueOptions { disk: Arc::clone(&self.disk), ..QueueOptions::default() };
        let directory = self.directory.join(shape_name(dims));
        let queue = DiskBackedQueue::open_read_only(&directory, options)?;
        let names =
            queue.files().into_iter().map(|file| file.path.file_name().map(OsStr::to_owned)).collect();
        Ok(Files { queue, names, directory, tables: self.tables.clone(), dims: dims.to_vec() })
    }

    /// The records of one canonical shape as they are stored, each with the number of its table.
    ///
    /// # Errors
    /// As [`cursor`](Self::cursor).
    pub(super) fn records(&self, dims: &[u32]) -> Result<Records> {
        let directory = self.directory.join(shape_name(dims));
        let tables = self.tables.iter().len() as u32;
        Ok(Records { directory, iter: self.queue(dims)?, tables, record: vec![], table: 0 })
    }

    /// A stream of the orthos of one canonical shape; empty if there are none.
    ///
    /// # Errors
    /// When the queue cannot be opened or is damaged.
    pub fn cursor(&self, dims: &[u32]) -> Result<Cursor> {
        Ok(Cursor::over(self.records(dims)?, dims, &self.tables))
    }
}

/// See [`ResultsReader::files`].
#[derive(Debug)]
pub(crate) struct Files {
    queue: DiskBackedQueue,
    names: Vec<Option<OsString>>,
    directory: PathBuf,
    tables: RankTables,
    dims: Dims,
}

impl Files {
    /// The records of one file, which begins under a table.
    ///
    /// # Errors
    /// [`Code::Damaged`] if there is no file of this name.
    pub(crate) fn records(&self, name: &OsStr, table: u32) -> Result<Records> {
        let tables = self.tables.iter().len() as u32;
        let mut records =
            Records { directory: self.directory.clone(), iter: None, tables, record: vec![], table };
        let at = self.names.iter().position(|other| other.as_deref() == Some(name));
        let at = at.ok_or_else(|| records.damaged(&format!("it lacks {}", name.display())))?;
        records.iter = Some(self.queue.iter_files(at..at + 1)?);
        Ok(records)
    }

    /// The orthos of some records of this shape.
    pub(crate) fn cursor(&self, records: Records) -> Cursor {
        Cursor::over(records, &self.dims, &self.tables)
    }
}

/// See [`ResultsReader::records`].
#[derive(Debug)]
pub(crate) struct Records {
    directory: PathBuf,
    iter: Option<Iter>,
    tables: u32,
    /// The record read last, and the number of the table that it uses.
    pub(super) record: Vec<u8>,
    pub(super) table: u32,
}

impl Records {
    /// Reads the next record that holds orthos; `false` when there is none.
    pub(crate) fn next(&mut self) -> Result<bool> {
        let Some(iter) = &mut self.iter else { return Ok(false) };
        while let Some(record) = iter.next_record()? {
            match table_of(record) {
                None => {
                    self.record.clear();
                    self.record.extend_from_slice(record);
                    return Ok(true);
                }
                Some(table) => match table.filter(|&table| table < self.tables) {
                    Some(table) => self.table = table,
                    None => return Err(self.damaged("a record names a table that there is not")),
                },
            }
        }
        Ok(false)
    }

    /// The table in force.
    pub(crate) fn table(&self) -> u32 {
        self.table
    }

    /// Passes over so many of them.
    pub(crate) fn skip(&mut self, records: u64) -> Result<()> {
        for _ in 0..records {
            if !self.next()? {
                return Err(self.damaged("it has fewer records than before"));
            }
        }
        Ok(())
    }

    pub(super) fn damaged(&self, what: &str) -> Error {
        Error::new(Code::Damaged, format!("{} is damaged: {what}", self.directory.display()))
    }
}

/// The table that a record names; nothing if it is a record of another kind.
fn table_of(record: &[u8]) -> Option<Option<u32>> {
    (record.first() == Some(&kind::TABLE)).then(|| {
        let mut at = 1;
        get(record, &mut at).filter(|_| at == record.len())
    })
}

#[derive(Debug)]
enum Decoder {
    List(ListDecoder),
    Cubes(CubesDecoder),
}

/// A stream of the orthos of one shape.
#[derive(Debug)]
pub struct Cursor {
    records: Records,
    dims: Dims,
    tables: RankTables,
    /// Those of the record.
    ranks: Arc<Ranks>,
    at: usize,
    /// Orthos that the record still owes.
    left: u64,
    decoder: Option<Decoder>,
    /// Dims in grown order of the orthos in `cells`.
    grown: Dims,
    /// Orthos expanded and not yet given, one after the other; `next` is where the next one starts.
    cells: Vec<Rank>,
    next: usize,
    canonicalizer: Canonicalizer,
    tokens: Vec<Token>,
    stride: u64,
    records_met: u64,
    met: Vec<u64>,
}

impl Cursor {
    fn over(records: Records, dims: &[u32], tables: &RankTables) -> Self {
        Self {
            records,
            dims: dims.to_vec(),
            ranks: Arc::default(),
            tables: tables.clone(),
            at: 0,
            left: 0,
            decoder: None,
            grown: vec![],
            cells: vec![],
            next: 0,
            canonicalizer: Canonicalizer::default(),
            tokens: vec![],
            stride: 1,
            records_met: 0,
            met: vec![],
        }
    }

    /// How many records it has begun.
    pub(crate) fn records_met(&self) -> u64 {
        self.records_met
    }

    /// The table in force.
    pub(crate) fn table(&self) -> u32 {
        self.records.table
    }

    /// Puts the next ortho into `out`; `false` when there is none.
    ///
    /// # Errors
    /// [`Code::Damaged`] naming the directory, or a failure to read.
    pub fn next(&mut self, out: &mut Ortho) -> Result<bool> {
        while self.next >= self.cells.len() {
            self.cells.clear();
            self.next = 0;
            if !self.expand()? {
                return Ok(false);
            }
        }
        let cells = self.grown.iter().map(|&d| d as usize).product::<usize>();
        let ortho = self
            .cells
            .get(self.next..self.next + cells)
            .ok_or_else(|| self.records.damaged("it ends in an ortho"))?;
        self.tokens.clear();
        for &rank in ortho {
            if rank as usize >= self.ranks.len() {
                return Err(self.records.damaged("a record has a word outside the vocabulary"));
            }
            self.tokens.push(self.ranks.token(rank));
        }
        self.next += cells;
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| self.records.damaged("a record holds more than it says"))?;
        self.canonicalizer.canonicalize(&self.grown, &self.tokens, out);
        if out.dims != self.dims {
            return Err(self.records.damaged("a record has another shape"));
        }
        Ok(true)
    }

    /// Gives the orthos of every `stride`-th record only, the first included; the others are counted and not expanded.
    #[must_use]
    pub fn every(mut self, stride: u64) -> Self {
        self.stride = stride.max(1);
        self
    }

    /// How many orthos the records so far hold, those that are not given included, by the number of their table.
    #[must_use]
    pub fn met(&self) -> &[u64] {
        &self.met
    }

    /// The lengths of the ortho that [`next`](Self::next) gave last, in grown order.
    pub(crate) fn grown_dims(&self) -> &[u32] {
        &self.grown
    }

    /// Its tokens, first axis fastest.
    pub(crate) fn grown_tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Fills `cells` with some more orthos, perhaps none; `false` at the end of all records.
    fn expand(&mut self) -> Result<bool> {
        let step = match &mut self.decoder {
            None => Some(false),
            Some(Decoder::List(list)) => {
                let step = list.next(&self.records.record, &mut self.at);
                if step == Some(true) {
                    self.cells.extend_from_slice(&list.cells);
                }
                step
            }
            Some(Decoder::Cubes(cubes)) => cubes.step(&self.records.record, &mut self.at, &mut self.cells),
        };
        match step {
            Some(true) => Ok(true),
            Some(false) if self.left > 0 => Err(self.records.damaged("a record holds fewer than it says")),
            Some(false) => self.load(),
            None => Err(self.records.damaged("a record makes no sense")),
        }
    }

    fn load(&mut self) -> Result<bool> {
        self.decoder = None;
        loop {
            if !self.records.next()? {
                return Ok(false);
            }
            self.meet();
            if self.records_met % self.stride == 1 % self.stride {
                break;
            }
        }
        let table = self.tables.get(self.records.table);
        self.ranks = table.cloned().ok_or_else(|| self.records.damaged("a table is missing"))?;
        let record = &self.records.record;
        self.at = 1;
        let opened = (|| {
            let kind = *record.first()?;
            let count = get(record, &mut self.at)?;
            self.left = u64::from(count);
            self.decoder = Some(match kind {
                kind::LIST => {
                    let list = ListDecoder::new(record, &mut self.at, count)?;
                    self.grown.clone_from(&list.dims);
                    Decoder::List(list)
                }
                kind::SQUARES | kind::CUBES | kind::TESSERACTS | kind::TURNED => {
                    let cubes = CubesDecoder::new(kind, record, &mut self.at)?;
                    self.grown = vec![2; usize::from(cubes.kind)];
                    Decoder::Cubes(cubes)
                }
                _ => return None,
            });
            Some(())
        })();
        opened.map(|()| true).ok_or_else(|| self.records.damaged("a record of unknown kind"))
    }

    /// Counts the record read last.
    fn meet(&mut self) {
        self.records_met += 1;
        let table = self.records.table as usize;
        if self.met.len() <= table {
            self.met.resize(table + 1, 0);
        }
        if let Some(met) = self.met.get_mut(table) {
            *met += u64::from(get(&self.records.record, &mut 1).unwrap_or(0));
        }
    }
}
