//! Takes the records of archives one file after the other, and keeps in the ledger how far it has come.
//!
//! The order is decided by the archives alone, so a number of files and of records in the next one says what a merge that was
//! killed has done; together with them it says what came of that. A file is held against its archive's manifest right
//! before it is read, and again only if it was not done.

use std::ffi::OsStr;
use std::mem;
use std::sync::Arc;

use super::kept::{Left, checked_tally, damaged};
use super::sources::{RecordFile, Source};
use crate::archive::ArchiveWriter;
use crate::control::Control;
use crate::digest::{SetTally, WordHashes};
use crate::disk::Disk;
use crate::error::{Code, Error, Result};
use crate::job::Limits;
use crate::ortho::{Dims, Ortho};
use crate::results::{Files, Filter, Lane, Renumbered, ResultsReader, ResultsWriter, copy_record};
use crate::search::{Copied, Ledger, Place};
use crate::text::Interner;

/// So much is copied before anybody looks at the room that is left.
const UNSEEN: u64 = 16 << 20;

/// Where the records go, and what may be used up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) archive: &'a ArchiveWriter,
    pub(super) results: &'a ResultsWriter,
    pub(super) limits: Limits,
}

/// See the [module](self).
pub(super) struct Copying<'a> {
    archive: &'a ArchiveWriter,
    limits: Limits,
    pub(super) results: &'a ResultsWriter,
    pub(super) ledger: &'a Ledger,
    /// Makes a checkpoint of what is committed.
    pub(super) save: &'a dyn Fn() -> Result<()>,
    pub(super) control: &'a Control,
    pub(super) disk: &'a Arc<dyn Disk>,
    lane: Lane,
    /// What a merge that was killed had done.
    pub(super) start: Copied,
    /// Files of the sources so far, done or not.
    pub(super) met: u64,
    /// What is done by now.
    pub(super) state: Copied,
    pub(super) answered: u32,
}

/// An archive whose records are copied as they are.
#[derive(Debug)]
pub(super) struct Original<'o> {
    pub(super) source: &'o Source,
    pub(super) interner: &'o Interner,
    pub(super) reader: &'o ResultsReader,
    /// What becomes of its tables.
    pub(super) tables: &'o [Renumbered],
    /// What is left out; `words` are those of its numbering.
    pub(super) filter: Option<&'o Filter<'o>>,
    pub(super) words: &'o WordHashes,
    /// The best of its orthos, in the words of the result.
    pub(super) best: Option<Ortho>,
}

impl<'a> Copying<'a> {
    /// Goes on from what the ledger has. At least so many bytes are to be copied if it begins.
    ///
    /// # Errors
    /// [`Code::DiskFull`] if there is no room for them.
    pub(super) fn new(
        Target { archive, results, limits }: Target<'a>,
        least: u64,
        ledger: &'a Ledger,
        save: &'a dyn Fn() -> Result<()>,
        control: &'a Control,
        disk: &'a Arc<dyn Disk>,
    ) -> Result<Self> {
        let start = ledger.progress().copied;
        let (lane, state) = (results.lane(), start.clone());
        control.add_orthos(start.found.tally.count());
        let (met, answered, begins) = (0, 0, start == Copied::default());
        let copying =
            Self { archive, limits, results, ledger, save, control, disk, lane, start, met, state, answered };
        if begins && least >= UNSEEN {
            copying.room(least)?;
        }
        Ok(copying)
    }

    /// A limit does not end the copying, as then something would be lost. But a disk is not filled up either.
    pub(super) fn room(&self, needed: u64) -> Result<()> {
        let Ok(space) = self.archive.space() else { return Ok(()) };
        let reserve = self.limits.reserve(space);
        if space.free >= reserve.saturating_add(needed) {
            return Ok(());
        }
        Err(Error::new(
            Code::DiskFull,
            format!(
                "{} MiB are free where the merged archive is written, and {} MiB of them are to stay free, which is not \
                 enough for what is copied; free some, give an --out on another disk, or a smaller --disk-reserve",
                space.free >> 20,
                reserve >> 20
            ),
        ))
    }

    /// Passes over all files of a source if they were done.
    pub(super) fn passes(&mut self, files: &[RecordFile<'_>], done: Place) -> bool {
        let passed = !files.is_empty() && self.met + files.len() as u64 <= done.files;
        if passed {
            self.met += files.len() as u64;
            self.control.advance(files.iter().map(|file| file.info.bytes * 2).sum());
        }
        passed
    }

    /// Copies one archive.
    pub(super) fn copy(&mut self, original: &Original<'_>) -> Result<()> {
        let Original { source, interner, reader, tables, filter, words, best } = original;
        let files = source.record_files()?;
        if self.passes(&files, self.start.place) {
            return Ok(());
        }
        let tally = checked_tally(source, interner, &**self.disk)?;
        let mut removed = Left::new(words, mem::take(&mut self.state.removed));
        let mut shape = Shape::default();
        for (at, file) in files.iter().enumerate() {
            let number = self.met;
            self.met += 1;
            if number < self.start.place.files {
                continue;
            }
            source.check_file(file.name, file.info, self.control, &**self.disk)?;
            let queue = shape.open(reader, &file.dims)?;
            let mut records = queue.records(OsStr::new(file.file), self.state.place.table)?;
            records.skip(self.state.place.records)?;
            while records.next()? {
                let mut take =
                    |table, grown: &[u32], cells: &[u32]| removed.take(tables, table, grown, cells);
                let to = (self.results, self.lane);
                let bytes = copy_record(&records, &file.dims, to, tables, *filter, &mut take)?;
                self.state.place.records += 1;
                self.control.advance(bytes);
                self.control.check()?;
                if self.ledger.asks(&mut self.answered) {
                    self.state.removed.clone_from(removed.tally());
                    self.commit_on(self.lane)?;
                    self.room(0)?;
                }
            }
            self.state.place = after(&files, at, number, records.table());
        }
        let stays = removed.out_of(&tally);
        let stays = stays.ok_or_else(|| damaged(source, "its results hold more orthos than it says"))?;
        self.state.removed = SetTally::default();
        self.state.found.tally.merge(&stays);
        if let Some(best) = best {
            self.state.found.offer(best);
        }
        self.control.add_orthos(stays.count());
        self.commit_on(self.lane)
    }

    /// What was done is to be kept, with what was pushed on a lane.
    pub(super) fn commit_on(&self, lane: Lane) -> Result<()> {
        self.results.commit(lane, || self.ledger.copied(&self.state));
        if self.ledger.is_eager() { (self.save)() } else { Ok(()) }
    }
}

/// The place after a file of a source, the `at`-th of it and the `number`-th of all, at whose end a table is in force.
pub(super) fn after(files: &[RecordFile<'_>], at: usize, number: u64, table: u32) -> Place {
    let goes_on = files.get(at + 1).is_some_and(|next| files[at].dims == next.dims);
    Place { files: number + 1, records: 0, table: if goes_on { table } else { 0 } }
}

/// The shape whose files are read, opened once for all of them.
#[derive(Debug, Default)]
pub(super) struct Shape(Option<(Dims, Files)>);

impl Shape {
    pub(super) fn open(&mut self, reader: &ResultsReader, dims: &Dims) -> Result<&Files> {
        let files = match self.0.take() {
            Some((open, files)) if open == *dims => files,
            _ => reader.files(dims)?,
        };
        Ok(&self.0.insert((dims.clone(), files)).1)
    }
}
