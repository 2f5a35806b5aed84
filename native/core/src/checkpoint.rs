//! `checkpoint.bin` and `progress.bin`: what a search needs to go on where another one stopped.
//!
//! The first lies beside results that are still being written and is replaced every few seconds; the second is part of
//! an archive whose search ended early. Both say which records are whole, what was found in them and which work is
//! done; the records after that are left out when a search goes on. `docs/formats/progress.md` has the bytes.
//!
//! Guarantees: what decodes fits itself and its checksum; nothing in it is trusted beyond that. Size: a bit for each
//! bigram, some hundred bytes a shape.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::{SetTally, ShapeTally};
use crate::error::{Code, Error, Result};
use crate::ortho::{Dims, Ortho};
use crate::results::{Committed, Found, Kept};
use crate::search::{Copied, Place, Progress, Scope, Shard};
use crate::text::{Bits, Interner};

const MAGIC: &[u8; 8] = b"FOLDPROG";
const VERSION: u32 = 2;
/// For a search from new bigrams. Before any release it was 1, and its steps came in another order.
const SEEDED: u32 = 2;
/// Magic, version and checksum.
const FRAME: usize = 16;

/// See the [module](self).
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// Of the interner: whose search this is.
    pub interner_digest: [u8; 32],
    /// What else makes it the same search: of a merge, which archives are left out of it; zeros for a text.
    pub identity: [u8; 32],
    /// Which part of it.
    pub scope: Scope,
    /// The number of bigrams of the text.
    pub bigrams: u32,
    /// What is done.
    pub progress: Progress,
    /// The records that go with it.
    pub committed: Committed,
    /// The search finds new cubes from new bigrams ([`Search::seeded`](crate::search::Search)): its steps are others then.
    pub seeded: bool,
    /// Texts whose orthos were copied and are left out of the search. Only of a `progress.bin`: a merge that is given its
    /// archives again has them.
    pub left_out: Vec<Interner>,
}

impl Checkpoint {
    /// The bytes of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        put32(&mut out, VERSION);
        out.extend_from_slice(&self.interner_digest);
        out.extend_from_slice(&self.identity);
        let shard = self.scope.shard.map_or((0, 0), |shard| (shard.index(), shard.count()));
        for number in [shard.0, shard.1, *self.scope.axes.start(), *self.scope.axes.end(), self.bigrams] {
            put32(&mut out, number);
        }
        for word in self.progress.done.words() {
            put64(&mut out, *word);
        }
        put32(&mut out, self.progress.begun.len() as u32);
        for (&unit, &steps) in &self.progress.begun {
            put32(&mut out, unit);
            put32(&mut out, steps);
        }
        let Progress { found, copied, .. } = &self.progress;
        let tally = &found.tally.0;
        let shapes: BTreeSet<&Dims> = tally.keys().chain(self.committed.keys()).collect();
        put32(&mut out, shapes.len() as u32);
        let (none, no_records) = (ShapeTally::default(), Kept::default());
        for dims in shapes {
            put_dims(&mut out, dims);
            let tally = tally.get(dims).unwrap_or(&none);
            put64(&mut out, tally.count);
            out.extend_from_slice(&tally.sum.to_le_bytes());
            let kept = self.committed.get(dims).unwrap_or(&no_records);
            put64(&mut out, kept.records);
            put32(&mut out, kept.skipped.len() as u32);
            for range in &kept.skipped {
                put64(&mut out, range.start);
                put64(&mut out, range.end);
            }
            put32(&mut out, kept.tables.len() as u32);
            for &(record, table) in &kept.tables {
                put64(&mut out, record);
                put32(&mut out, table);
            }
        }
        put_best(&mut out, found.best.as_ref());
        for place in [copied.place, copied.seen] {
            put64(&mut out, place.files);
            put64(&mut out, place.records);
            put32(&mut out, place.table);
        }
        put64(&mut out, copied.fingerprints);
        put_tally(&mut out, &copied.found.tally);
        put_best(&mut out, copied.found.best.as_ref());
        put_tally(&mut out, &copied.removed);
        put32(&mut out, if self.seeded { SEEDED } else { 0 });
        put32(&mut out, self.left_out.len() as u32);
        for interner in &self.left_out {
            let mut bytes = vec![];
            // Writing to memory does not fail; what is not whole would not be read back.
            let _ = interner.encode_to(&mut bytes);
            put64(&mut out, bytes.len() as u64);
            out.extend_from_slice(&bytes);
        }
        let crc = crc32fast::hash(&out);
        put32(&mut out, crc);
        out
    }

    /// From the bytes of the file, which is called `shown` in errors.
    ///
    /// # Errors
    /// [`Code::Damaged`] or [`Code::NewerFormat`].
    pub fn decode(shown: &str, bytes: &[u8]) -> Result<Self> {
        let damaged = |what: &str| Error::new(Code::Damaged, format!("{shown} is damaged: {what}"));
        if bytes.get(..8) != Some(MAGIC) || bytes.len() < FRAME {
            return Err(damaged("it does not begin as a progress does"));
        }
        let (body, crc) = bytes.split_at(bytes.len() - 4);
        if crc != crc32fast::hash(body).to_le_bytes() {
            return Err(damaged("its checksum is wrong"));
        }
        let mut from = Cursor(&body[8..]);
        let version = from.u32().unwrap_or(0);
        if version > VERSION {
            return Err(Error::new(
                Code::NewerFormat,
                format!(
                    "{shown} has format version {version}; this program reads {VERSION}: use a newer one"
                ),
            ));
        }
        from.checkpoint(version).filter(|_| from.0.is_empty()).ok_or_else(|| damaged("it makes no sense"))
    }
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_dims(out: &mut Vec<u8>, dims: &[u32]) {
    put32(out, dims.len() as u32);
    for &d in dims {
        put32(out, d);
    }
}

fn put_tally(out: &mut Vec<u8>, tally: &SetTally) {
    put32(out, tally.0.len() as u32);
    for (dims, tally) in &tally.0 {
        put_dims(out, dims);
        put64(out, tally.count);
        out.extend_from_slice(&tally.sum.to_le_bytes());
    }
}

fn put_best(out: &mut Vec<u8>, best: Option<&Ortho>) {
    put_dims(out, best.map_or(&[], |best| &best.dims));
    for &token in best.iter().flat_map(|best| &best.tokens) {
        put32(out, token);
    }
}

/// What is left to read.
struct Cursor<'b>(&'b [u8]);

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    /// A number of things that take so many bytes each at least.
    fn count(&mut self, bytes: usize) -> Option<usize> {
        let count = self.u32()? as usize;
        (count <= self.0.len() / bytes).then_some(count)
    }

    fn dims(&mut self) -> Option<Dims> {
        let axes = self.count(4)?;
        (0..axes).map(|_| self.u32()).collect()
    }

    fn tally(&mut self) -> Option<ShapeTally> {
        Some(ShapeTally { count: self.u64()?, sum: u128::from_le_bytes(self.take()?) })
    }

    fn tallies(&mut self) -> Option<SetTally> {
        let mut tally = SetTally::default();
        for _ in 0..self.count(28)? {
            let dims = self.dims()?;
            let shape = self.tally()?;
            tally.add(&dims, shape.count, shape.sum);
        }
        Some(tally)
    }

    /// An ortho, or none.
    #[allow(clippy::option_option)]
    fn best(&mut self) -> Option<Option<Ortho>> {
        let dims = self.dims()?;
        if dims.is_empty() {
            return Some(None);
        }
        let cells = dims.iter().try_fold(1usize, |cells, &d| cells.checked_mul(d as usize))?;
        if cells > self.0.len() / 4 || dims.len() < 2 || dims.iter().any(|&d| d < 2) {
            return None;
        }
        let tokens = (0..cells).map(|_| self.u32()).collect::<Option<Vec<u32>>>()?;
        Some(Some(Ortho { dims, tokens }))
    }

    fn place(&mut self) -> Option<Place> {
        Some(Place { files: self.u64()?, records: self.u64()?, table: self.u32()? })
    }

    fn copied(&mut self) -> Option<Copied> {
        let (place, seen, fingerprints) = (self.place()?, self.place()?, self.u64()?);
        let found = Found { tally: self.tallies()?, best: self.best()? };
        Some(Copied { place, seen, fingerprints, found, removed: self.tallies()? })
    }

    fn checkpoint(&mut self, version: u32) -> Option<Checkpoint> {
        let (interner_digest, identity) = (self.take()?, self.take()?);
        let (index, count) = (self.u32()?, self.u32()?);
        let shard = if count == 0 { None } else { Some(Shard::new(index, count).ok()?) };
        let axes = self.u32()?..=self.u32()?;
        let bigrams = self.u32()?;
        let words = (bigrams as usize).div_ceil(64);
        if words > self.0.len() / 8 {
            return None;
        }
        let done = (0..words).map(|_| self.u64()).collect::<Option<Vec<u64>>>()?;
        let done = Bits::from_words(done, bigrams as usize)?;
        let mut begun = BTreeMap::new();
        for _ in 0..self.count(8)? {
            let (unit, steps) = (self.u32()?, self.u32()?);
            if unit >= bigrams || begun.insert(unit, steps).is_some() {
                return None;
            }
        }
        let mut progress = Progress { done, begun, ..Progress::default() };
        let mut committed = Committed::new();
        for _ in 0..self.count(40)? {
            let dims = self.dims()?;
            let tally = self.tally()?;
            progress.found.tally.add(&dims, tally.count, tally.sum);
            let records = self.u64()?;
            let mut skipped = vec![];
            let mut last = 0;
            for _ in 0..self.count(16)? {
                let range = self.u64()?..self.u64()?;
                if range.start < last || range.end <= range.start || range.end > records {
                    return None;
                }
                last = range.end;
                skipped.push(range);
            }
            let mut tables = vec![];
            // Version 1 knows none: there is one table then.
            let count = if version == 1 { 0 } else { self.count(12)? };
            for _ in 0..count {
                let (record, table) = (self.u64()?, self.u32()?);
                if record >= records || tables.last().is_some_and(|&(last, _)| record <= last) {
                    return None;
                }
                tables.push((record, table));
            }
            if records > 0 && committed.insert(dims, Kept { records, skipped, tables }).is_some() {
                return None;
            }
        }
        progress.found.best = self.best()?;
        let (mut seeded, mut left_out) = (false, vec![]);
        if version > 1 {
            progress.copied = self.copied()?;
            seeded = match self.u32()? {
                0 => false,
                SEEDED => true,
                _ => return None,
            };
            for _ in 0..self.count(8)? {
                let len = self.u64()?;
                let (mut bytes, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
                left_out.push(Interner::decode("a text that is left out", &mut bytes, len).ok()?);
                self.0 = rest;
            }
        }
        Some(Checkpoint {
            interner_digest,
            identity,
            scope: Scope { shard, axes },
            bigrams,
            progress,
            committed,
            seeded,
            left_out,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Checkpoint {
        let mut progress = Progress { done: Bits::new(70), ..Progress::default() };
        progress.done.set(0);
        progress.done.set(69);
        progress.begun = BTreeMap::from([(3, 9), (60, 1)]);
        progress.found.tally.add(&[2, 2], 5, u128::MAX - 3);
        progress.found.tally.add(&[2, 3], 1, 77);
        progress.found.best = Some(Ortho { dims: vec![2, 3], tokens: vec![0, 1, 2, 3, 4, 5] });
        let committed = Committed::from([
            (vec![2, 2], Kept { records: 9, skipped: vec![2..3, 5..9], tables: vec![(0, 3), (8, 0)] }),
            (vec![2, 2, 2], Kept { records: 4, skipped: vec![0..1, 2..4], tables: vec![] }),
        ]);
        progress.copied.place = Place { files: 3, records: 17, table: 2 };
        progress.copied.seen = Place { files: 2, records: 5, table: 1 };
        progress.copied.fingerprints = 21;
        progress.copied.found.tally.add(&[2, 4], 3, 9);
        progress.copied.found.best = Some(Ortho { dims: vec![2, 2], tokens: vec![3, 1, 2, 0] });
        progress.copied.removed.add(&[2, 2], 2, 11);
        let scope = Scope { shard: Some(Shard::new(3, 8).expect("a shard")), axes: 2..=4 };
        let left_out =
            ["a b. c a.", "b c"].map(|text| Interner::from_bytes("t", text.as_bytes()).expect("a text"));
        Checkpoint {
            interner_digest: [7; 32],
            identity: [8; 32],
            scope,
            bigrams: 70,
            progress,
            committed,
            seeded: true,
            left_out: left_out.to_vec(),
        }
    }

    #[test]
    fn comes_back_as_it_went() {
        let sample = sample();
        let bytes = sample.encode();
        let back = Checkpoint::decode("p", &bytes).expect("a checkpoint");
        assert_eq!(back.encode(), bytes);
        assert_eq!(back.scope, sample.scope);
        assert_eq!(back.committed, sample.committed);
        assert_eq!(back.progress.done, sample.progress.done);
        assert_eq!(back.progress.found.best, sample.progress.found.best);
        assert_eq!(back.progress.copied, sample.progress.copied);
        assert_eq!((back.seeded, back.left_out), (sample.seeded, sample.left_out));
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_noticed() {
        let bytes = sample().encode();
        for len in 0..bytes.len() {
            assert!(Checkpoint::decode("p", &bytes[..len]).is_err(), "cut at {len}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Checkpoint::decode("p", &flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn sense_is_checked_behind_a_right_checksum() {
        let wrong = |change: &dyn Fn(&mut Checkpoint)| {
            let mut sample = sample();
            change(&mut sample);
            Checkpoint::decode("p", &sample.encode()).map(|_| ()).map_err(|e| e.code())
        };
        assert_eq!(wrong(&|c| c.bigrams = 71 << 20), Err(Code::Damaged));
        assert_eq!(wrong(&|c| c.progress.begun.extend([(70, 1)])), Err(Code::Damaged));
        let skipped = |range: std::ops::Range<u64>| {
            wrong(&move |c| {
                let skipped = vec![range.clone(); 1];
                c.committed.insert(vec![2, 2], Kept { records: 9, skipped, tables: vec![] });
            })
        };
        let tables = |tables: &[(u64, u32)]| {
            wrong(&|c| {
                c.committed.insert(vec![2, 2], Kept { records: 9, skipped: vec![], tables: tables.to_vec() });
            })
        };
        assert_eq!(tables(&[(0, 4), (8, 4)]), Ok(()));
        assert_eq!(tables(&[(9, 4)]), Err(Code::Damaged));
        assert_eq!(tables(&[(4, 1), (4, 2)]), Err(Code::Damaged));
        assert_eq!(skipped(8..9), Ok(()));
        assert_eq!(skipped(8..10), Err(Code::Damaged));
        assert_eq!(skipped(4..4), Err(Code::Damaged));
    }

    /// Gone on with in the new order they would lack orthos.
    #[test]
    fn steps_from_seeds_in_the_former_order_are_not_read() {
        let of = |seeded: bool| Checkpoint { seeded, ..sample() }.encode();
        let (mut bytes, without) = (of(true), of(false));
        let at = (0..bytes.len()).find(|&at| bytes[at] != without[at]).expect("a difference");
        assert_eq!(bytes[at..at + 4], SEEDED.to_le_bytes());
        bytes[at..at + 4].copy_from_slice(&1u32.to_le_bytes());
        let end = bytes.len() - 4;
        let crc = crc32fast::hash(&bytes[..end]);
        bytes[end..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(Checkpoint::decode("p", &bytes).map_err(|e| e.code()).err(), Some(Code::Damaged));
    }

    #[test]
    fn version_1_is_read() {
        let mut bytes = vec![];
        bytes.extend_from_slice(b"FOLDPROG");
        put32(&mut bytes, 1);
        bytes.extend_from_slice(&[7; 64]);
        // The shard, the axes, 3 bigrams, of which the first is done and the third begun.
        [1, 2, 2, 9, 3].into_iter().for_each(|number| put32(&mut bytes, number));
        put64(&mut bytes, 1);
        [1, 2, 5].into_iter().for_each(|number| put32(&mut bytes, number));
        // One shape: 4 orthos in 6 records, of which the second is left out.
        [1, 2, 2, 2].into_iter().for_each(|number| put32(&mut bytes, number));
        [4, 99, 0, 6].into_iter().for_each(|number| put64(&mut bytes, number));
        put32(&mut bytes, 1);
        [1, 2].into_iter().for_each(|number| put64(&mut bytes, number));
        // The best.
        [2, 2, 2, 0, 3, 1, 2].into_iter().for_each(|number| put32(&mut bytes, number));
        let crc = crc32fast::hash(&bytes);
        put32(&mut bytes, crc);
        let back = Checkpoint::decode("p", &bytes).expect("a checkpoint");
        let kept = Kept { records: 6, skipped: vec![1..2; 1], tables: vec![] };
        assert_eq!(back.committed, Committed::from([(vec![2, 2], kept)]));
        assert_eq!(back.progress.begun, BTreeMap::from([(2, 5)]));
        assert_eq!(back.progress.found.tally.0[&vec![2, 2]], ShapeTally { count: 4, sum: 99 });
        assert_eq!(back.progress.found.best.map(|best| best.tokens), Some(vec![0, 3, 1, 2]));
        assert_eq!(back.progress.copied, Copied::default());
    }

    #[test]
    fn a_later_version_is_told() {
        let mut bytes = sample().encode();
        bytes[8] = 3;
        let body = bytes.len() - 4;
        let crc = crc32fast::hash(&bytes[..body]);
        bytes[body..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(Checkpoint::decode("p", &bytes).map(|_| ()).map_err(|e| e.code()), Err(Code::NewerFormat));
    }
}
