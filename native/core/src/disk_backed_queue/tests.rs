#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::disk::faulty::{Fault, FaultyDisk};

const DIR: &str = "queue";

fn options(disk: &FaultyDisk, segment_bytes: u64, buffer_bytes: usize) -> QueueOptions {
    QueueOptions { segment_bytes, buffer_bytes, disk: Arc::new(disk.clone()) }
}

fn tiny(disk: &FaultyDisk) -> QueueOptions {
    options(disk, 300, 64)
}

fn open(disk: &FaultyDisk) -> DiskBackedQueue {
    DiskBackedQueue::open(Path::new(DIR), tiny(disk)).unwrap()
}

fn drain(queue: &mut DiskBackedQueue) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| queue.pop().unwrap()).collect()
}

fn record(i: usize) -> Vec<u8> {
    format!("record {i:04}").into_bytes()
}

fn segments(disk: &FaultyDisk) -> Vec<PathBuf> {
    disk.files().into_iter().filter(|p| p.to_string_lossy().contains(".seg")).collect()
}

/// A closed queue of `n` records in several segments.
fn closed(n: usize) -> FaultyDisk {
    let disk = FaultyDisk::default();
    let mut queue = open(&disk);
    queue.push_batch((0..n).map(record)).unwrap();
    queue.close().unwrap();
    disk
}

#[test]
fn records_of_every_size_come_out_as_they_went_in() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = [0, 1, 127, 128, 129, 16_383, 16_384, 300_000, 2_097_151, 2_097_152, 0];
    let records: Vec<Vec<u8>> = sizes.iter().map(|&n| (0..n).map(|i| (i % 251) as u8).collect()).collect();
    let mut queue = DiskBackedQueue::open(dir.path(), QueueOptions::default()).unwrap();
    queue.push_batch(&records).unwrap();
    assert_eq!(queue.len(), records.len() as u64);
    assert_eq!(queue.bytes(), records.iter().map(|r| r.len() as u64).sum::<u64>());
    let iterated: Vec<_> = queue.iter().unwrap().collect::<Result<_>>().unwrap();
    assert_eq!(iterated, records);
    queue.close().unwrap();
    let read = DiskBackedQueue::open_read_only(dir.path(), QueueOptions::default()).unwrap();
    assert_eq!(read.iter().unwrap().collect::<Result<Vec<_>>>().unwrap(), records);
    let mut queue = DiskBackedQueue::open(dir.path(), QueueOptions::default()).unwrap();
    assert_eq!(drain(&mut queue), records);
    queue.close().unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "only the head is left of an empty queue");
}

#[test]
fn what_fits_the_buffer_never_touches_the_disk() {
    let disk = FaultyDisk::default();
    let mut queue = DiskBackedQueue::open(Path::new(DIR), options(&disk, 1 << 20, 1 << 16)).unwrap();
    let before = disk.operations();
    for i in 0..10_000 {
        queue.push(&record(i)).unwrap();
        assert_eq!(queue.pop().unwrap().unwrap(), record(i));
    }
    assert_eq!(disk.operations(), before);
}

#[test]
fn a_batch_respects_both_limits_and_gives_at_least_one() {
    let disk = FaultyDisk::default();
    let mut queue = open(&disk);
    queue.push_batch((0..100).map(record)).unwrap();
    assert_eq!(queue.pop_batch(7, u64::MAX).unwrap().len(), 7);
    assert_eq!(
        queue.pop_batch(100, 33).unwrap().iter().collect::<Vec<_>>(),
        [record(7), record(8), record(9)]
    );
    assert_eq!(queue.pop_batch(100, 0).unwrap().len(), 1);
    assert!(queue.pop_batch(0, 100).unwrap().is_empty());
    assert_eq!(queue.pop_batch(1000, u64::MAX).unwrap().len(), 89);
    assert!(queue.pop_batch(1000, u64::MAX).unwrap().is_empty());
}

#[test]
fn a_closed_queue_says_so() {
    let mut queue = open(&FaultyDisk::default());
    queue.push(b"x").unwrap();
    queue.close().unwrap();
    queue.close().unwrap();
    assert_eq!(queue.push(b"x").unwrap_err().code(), Code::Closed);
    assert_eq!(queue.pop().unwrap_err().code(), Code::Closed);
    assert_eq!(queue.flush().unwrap_err().code(), Code::Closed);
    assert_eq!(queue.iter().unwrap_err().code(), Code::Closed);
}

#[test]
fn reading_only_changes_nothing_and_refuses_what_is_not_whole() {
    let disk = closed(200);
    let before = disk.operations();
    let mut queue = DiskBackedQueue::open_read_only(Path::new(DIR), tiny(&disk)).unwrap();
    assert_eq!(queue.len(), 200);
    assert_eq!(queue.iter().unwrap().count(), 200);
    assert!(queue.verify().unwrap().is_empty());
    assert_eq!(queue.push(b"x").unwrap_err().code(), Code::NotWritable);
    assert_eq!(queue.pop().unwrap_err().code(), Code::NotWritable);
    queue.close().unwrap();
    assert_eq!(disk.operations(), before);

    let unclosed = FaultyDisk::default();
    let mut queue = open(&unclosed);
    queue.push_batch((0..9).map(record)).unwrap();
    queue.flush().unwrap();
    let error = DiskBackedQueue::open_read_only(Path::new(DIR), tiny(&unclosed)).unwrap_err();
    assert_eq!(error.code(), Code::Damaged);
    let nowhere = DiskBackedQueue::open_read_only(Path::new("nowhere"), tiny(&unclosed)).unwrap_err();
    assert_eq!(nowhere.code(), Code::InputNotFound);
}

#[test]
fn a_newer_format_is_not_taken_for_damage() {
    let disk = closed(50);
    let last = segments(&disk).pop().unwrap();
    disk.edit(&last, |bytes| {
        bytes[8] = 9;
        let crc = crc32fast::hash(&bytes[..28]);
        bytes[28..32].copy_from_slice(&crc.to_le_bytes());
    });
    for read_only in [false, true] {
        let error = recovery::open(Path::new(DIR), tiny(&disk), read_only).unwrap_err();
        assert_eq!(error.code(), Code::NewerFormat);
    }
    assert!(disk.files().contains(&last));
}

#[test]
fn a_full_disk_loses_nothing() {
    let disk = FaultyDisk::default();
    let mut queue = open(&disk);
    let mut taken = Vec::new();
    for i in 0..400 {
        if i % 3 == 0 {
            disk.fail(u64::try_from(i % 7).unwrap(), Fault::Once);
        }
        let before = queue.len();
        // A seal that fails in its fsync is final; this plan hits writes only often enough to matter.
        match queue.push(&record(i)) {
            Ok(()) => taken.push(record(i)),
            Err(_) => assert_eq!(queue.len(), before),
        }
        disk.heal();
    }
    assert_eq!(drain(&mut queue), taken);
}

/// `all` without some contiguous or scattered losses: what is left after damage, in order.
fn is_subsequence(some: &[Vec<u8>], all: &[Vec<u8>]) -> bool {
    let mut rest = all.iter();
    some.iter().all(|r| rest.any(|a| a == r))
}

#[test]
fn any_flipped_bit_costs_one_frame_at_most_and_is_noticed() {
    let pristine = closed(120);
    let all: Vec<_> = (0..120).map(record).collect();
    for path in pristine.files() {
        let len = pristine.bytes(&path).unwrap().len();
        for byte in 0..len {
            let disk = pristine.copy();
            disk.edit(&path, |bytes| bytes[byte] ^= 1 << (byte % 8));
            let name = format!("{} byte {byte}", path.display());

            let head = path.ends_with("head");
            match DiskBackedQueue::open_read_only(Path::new(DIR), tiny(&disk)) {
                Err(error) => {
                    assert_eq!(error.code(), Code::Damaged, "{name}");
                    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
                }
                Ok(queue) => {
                    let bad = queue.iter().unwrap().filter_map(std::result::Result::err).count();
                    assert_eq!(bad, usize::from(!head), "{name}");
                }
            }

            let mut queue = open(&disk);
            let got = drain(&mut queue);
            assert!(is_subsequence(&got, &all), "{name}");
            assert!(all.len() - got.len() <= 5, "{name}: {} lost", all.len() - got.len());
            assert_eq!(queue.len(), 0, "{name}");
            queue.close().unwrap();
            if !head && got.len() < all.len() {
                assert_eq!(queue.damage().len(), 1, "{name}");
                assert_eq!(queue.damage()[0].lost_records, Some((all.len() - got.len()) as u64), "{name}");
                assert!(disk.files().contains(&recovery::aside_name(&path)), "{name}");
            }
        }
    }
}

#[test]
fn any_truncation_leaves_the_rest_readable() {
    let pristine = closed(60);
    let all: Vec<_> = (0..60).map(record).collect();
    for path in pristine.files().into_iter().filter(|p| !p.ends_with("head")) {
        let others: usize = segments(&pristine).len() - 1;
        for len in 0..pristine.bytes(&path).unwrap().len() {
            let disk = pristine.copy();
            disk.edit(&path, |bytes| bytes.truncate(len));
            let error = DiskBackedQueue::open_read_only(Path::new(DIR), tiny(&disk)).unwrap_err();
            assert_eq!(error.code(), Code::Damaged);
            let mut queue = open(&disk);
            assert_eq!(queue.len(), queue.iter().unwrap().count() as u64);
            let got = drain(&mut queue);
            assert!(is_subsequence(&got, &all) && got.len() >= others, "{} cut to {len}", path.display());
        }
    }
}

#[test]
fn a_missing_segment_is_named() {
    let disk = closed(120);
    let path = segments(&disk)[1].clone();
    disk.remove_file(&path).unwrap();
    let error = DiskBackedQueue::open_read_only(Path::new(DIR), tiny(&disk)).unwrap_err();
    assert_eq!(error.code(), Code::Damaged);
    let mut queue = open(&disk);
    assert_eq!(queue.damage()[0].file, path);
    assert!(is_subsequence(&drain(&mut queue), &(0..120).map(record).collect::<Vec<_>>()));
}

#[test]
fn a_damaged_segment_stays_readable_over_a_crash_until_it_is_consumed() {
    let disk = closed(120);
    let path = segments(&disk)[0].clone();
    disk.edit(&path, |bytes| bytes[40] ^= 1);
    let mut queue = open(&disk);
    let first = queue.pop().unwrap().unwrap();
    assert_eq!(queue.damage().len(), 1);
    let left = queue.len();
    queue.sync_directory().unwrap();
    disk.crash(None);
    let mut queue = open(&disk);
    assert_eq!(queue.len(), left + 1);
    assert_eq!(queue.pop().unwrap().unwrap(), first);
    drain(&mut queue);
    queue.close().unwrap();
    assert!(open(&disk).is_empty());
    assert!(disk.files().contains(&recovery::aside_name(&path)));
}

#[derive(Debug, Clone)]
enum Op {
    Push(usize, usize),
    Pop(usize),
    PopBatch(usize),
    Flush,
    Reopen,
    Crash(Option<u64>),
    CrashIn(u64, Option<u64>),
    Iterate,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (1..30_usize, 0..150_usize).prop_map(|(n, len)| Op::Push(n, len)),
        3 => (1..40_usize).prop_map(Op::Pop),
        3 => (1..60_usize).prop_map(Op::PopBatch),
        2 => Just(Op::Flush),
        1 => Just(Op::Reopen),
        1 => any::<Option<u64>>().prop_map(Op::Crash),
        2 => (0..25_u64, any::<Option<u64>>()).prop_map(|(n, seed)| Op::CrashIn(n, seed)),
        1 => Just(Op::Iterate),
    ]
}

/// What must hold after a crash: some suffix of all records ever pushed, in order, that starts no earlier than what was
/// popped by the last flush (or that a flush under way had popped) and holds everything flushed and not popped.
#[derive(Debug, Default)]
struct Model {
    /// Records pushed since the beginning, by serial number; those before `popped` have been popped.
    pushed: usize,
    popped: usize,
    queue: VecDeque<Vec<u8>>,
    flushed: (usize, usize),
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn behaves_as_a_queue_whatever_crashes(ops in prop::collection::vec(op(), 1..60), segment in 60..900_u64) {
        let disk = FaultyDisk::default();
        let mut log: Vec<Vec<u8>> = Vec::new();
        let mut model = Model::default();
        let reopen = || DiskBackedQueue::open(Path::new(DIR), options(&disk, segment, 64));
        let mut queue = reopen().unwrap();
        for op in ops {
            let mut crash = None;
            // The serial numbers a flush under way may have made durable.
            match op {
                Op::Push(n, len) => for _ in 0..n {
                    let mut bytes = (log.len() as u64).to_le_bytes().to_vec();
                    bytes.resize(8 + len, log.len() as u8);
                    if queue.push(&bytes).is_ok() {
                        log.push(bytes.clone());
                        model.queue.push_back(bytes);
                        model.pushed += 1;
                    }
                },
                Op::Pop(n) => for _ in 0..n {
                    if let Ok(got) = queue.pop() {
                        model.popped += usize::from(got.is_some());
                        prop_assert_eq!(got, model.queue.pop_front());
                    }
                },
                Op::PopBatch(n) => if let Ok(batch) = queue.pop_batch(n, u64::MAX) {
                    prop_assert_eq!(batch.len(), n.min(model.queue.len()));
                    for got in batch.iter() {
                        prop_assert_eq!(got, &model.queue.pop_front().unwrap()[..]);
                        model.popped += 1;
                    }
                },
                Op::Flush => {
                    queue.flush().unwrap();
                    model.flushed = (model.popped, model.pushed);
                }
                Op::Reopen => {
                    queue.close().unwrap();
                    model.flushed = (model.popped, model.pushed);
                    queue = reopen().unwrap();
                    prop_assert!(queue.damage().is_empty());
                }
                Op::Iterate => {
                    let all: Vec<_> = queue.iter().unwrap().collect::<Result<_>>().unwrap();
                    prop_assert_eq!(&all, model.queue.make_contiguous());
                }
                Op::Crash(seed) => crash = Some((seed, model.flushed.0)),
                Op::CrashIn(n, seed) => {
                    disk.fail(n, Fault::ForEver);
                    let done = queue.flush().is_ok();
                    if done {
                        model.flushed = (model.popped, model.pushed);
                    }
                    crash = Some((seed, model.popped));
                }
            }
            if let Some((seed, most_popped)) = crash {
                drop(queue);
                disk.crash(seed);
                queue = reopen().unwrap();
                let all: Vec<_> = queue.iter().unwrap().collect::<Result<_>>().unwrap();
                prop_assert_eq!(all.len() as u64, queue.len());
                let (popped, pushed) = model.flushed;
                match all.first() {
                    Some(first) => {
                        let start = u64::from_le_bytes(first[..8].try_into().unwrap()) as usize;
                        prop_assert!(start >= popped, "a flushed pop came back");
                        prop_assert!(start <= most_popped.max(popped) || start >= pushed, "lost the front");
                    }
                    None => prop_assert!(popped == pushed || most_popped >= pushed, "lost everything"),
                }
                let serials: Vec<usize> =
                    all.iter().map(|r| u64::from_le_bytes(r[..8].try_into().unwrap()) as usize).collect();
                prop_assert!(serials.windows(2).all(|w| w[0] < w[1]));
                let must: Vec<usize> = (most_popped.max(popped)..pushed).collect();
                prop_assert!(must.iter().all(|s| serials.binary_search(s).is_ok()), "flushed records are gone");
                prop_assert!(all.iter().zip(&serials).all(|(r, &s)| *r == log[s]));
                // Serial numbers go on from what is there now, so the log is rewritten to match.
                log = Vec::new();
                model = Model::default();
                let mut fresh = Vec::new();
                while let Some(mut bytes) = queue.pop().unwrap() {
                    bytes[..8].copy_from_slice(&(fresh.len() as u64).to_le_bytes());
                    fresh.push(bytes);
                }
                for bytes in fresh {
                    queue.push(&bytes).unwrap();
                    log.push(bytes.clone());
                    model.queue.push_back(bytes);
                }
                queue.flush().unwrap();
                model.pushed = log.len();
                model.flushed = (0, model.pushed);
            }
            prop_assert_eq!(queue.len(), model.queue.len() as u64);
            prop_assert_eq!(queue.bytes(), model.queue.iter().map(|r| r.len() as u64).sum::<u64>());
        }
    }
}
