#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::disk::faulty::{Fault, FaultyDisk};

const DIR: &str = "seen";

fn options(disk: &FaultyDisk, memory_bytes: usize) -> SeenOptions {
    SeenOptions { memory_bytes, disk: Arc::new(disk.clone()) }
}

fn open(disk: &FaultyDisk) -> SeenTracker {
    SeenTracker::open(Path::new(DIR), options(disk, MIN_MEMORY_BYTES)).unwrap()
}

/// A generator of uniform fingerprints.
fn random(seed: u64) -> impl FnMut() -> u128 {
    let mut state = seed;
    move || {
        let mut half = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            u128::from(z ^ (z >> 31))
        };
        half() << 64 | half()
    }
}

fn check(tracker: &mut SeenTracker, model: &mut HashSet<u128>, batch: &[u128]) {
    let known: Vec<bool> = batch.iter().map(|f| model.contains(f)).collect();
    assert_eq!(tracker.contains_batch(batch).unwrap(), known);
    let expected: Vec<bool> = batch.iter().map(|&f| model.insert(f)).collect();
    assert_eq!(tracker.insert_batch(batch).unwrap(), expected);
    assert_eq!(tracker.len(), model.len() as u64);
}

#[test]
fn answers_as_a_set_far_beyond_its_memory() {
    for memory in [MIN_MEMORY_BYTES, 1 << 20, 16 << 20] {
        let dir = tempfile::tempdir().unwrap();
        let options = SeenOptions { memory_bytes: memory, ..SeenOptions::default() };
        let mut tracker = SeenTracker::open(dir.path(), options.clone()).unwrap();
        let mut model = HashSet::new();
        let (mut fresh, mut choose) = (random(1), random(2));
        let mut known = Vec::new();
        for round in 0..40 {
            let batch: Vec<u128> = (0..5_000)
                .map(|_| {
                    let old = choose() as usize;
                    if old.is_multiple_of(2) && !known.is_empty() {
                        known[old / 2 % known.len()]
                    } else {
                        fresh()
                    }
                })
                .collect();
            known.extend(&batch);
            check(&mut tracker, &mut model, &batch);
            assert!(tracker.memory_bytes() <= memory, "{} of {memory}", tracker.memory_bytes());
            if round % 13 == 12 {
                tracker.close().unwrap();
                tracker = SeenTracker::open(dir.path(), options.clone()).unwrap();
            }
        }
    }
}

#[test]
fn fingerprints_that_all_share_a_shard_are_still_told_apart() {
    let disk = FaultyDisk::default();
    let mut tracker = open(&disk);
    let mut model = HashSet::new();
    for round in 0..20_u128 {
        let low: Vec<u128> = (0..3_000).map(|i| round * 1_500 + i).collect();
        check(&mut tracker, &mut model, &low);
        let high: Vec<u128> = low.iter().map(|i| u128::MAX - i).collect();
        check(&mut tracker, &mut model, &high);
        let strided: Vec<u128> = low.iter().map(|i| i << 64).collect();
        check(&mut tracker, &mut model, &strided);
    }
    tracker.close().unwrap();
    let mut tracker = open(&disk);
    let all: Vec<u128> = model.iter().copied().collect();
    assert!(tracker.contains_batch(&all).unwrap().into_iter().all(|known| known));
}

#[test]
fn a_closed_tracker_says_so_and_a_tiny_one_is_refused() {
    let disk = FaultyDisk::default();
    let mut tracker = open(&disk);
    tracker.close().unwrap();
    tracker.close().unwrap();
    assert_eq!(tracker.insert_batch(&[1]).unwrap_err().code(), Code::Closed);
    assert_eq!(tracker.contains_batch(&[1]).unwrap_err().code(), Code::Closed);
    assert_eq!(tracker.flush().unwrap_err().code(), Code::Closed);
    let small = SeenTracker::open(Path::new(DIR), options(&disk, 1)).unwrap_err();
    assert_eq!(small.code(), Code::MemoryTooSmall);
}

#[test]
fn any_flipped_bit_and_any_truncation_is_named() {
    let pristine = FaultyDisk::default();
    let mut tracker = open(&pristine);
    let mut fresh = random(3);
    let batch: Vec<u128> = (0..200).map(|_| fresh()).collect();
    tracker.insert_batch(&batch).unwrap();
    tracker.close().unwrap();
    for path in pristine.files() {
        for byte in 0..pristine.bytes(&path).unwrap().len() {
            for cut in [false, true] {
                let disk = pristine.copy();
                disk.edit(
                    &path,
                    |bytes| if cut { bytes.truncate(byte) } else { bytes[byte] ^= 1 << (byte % 8) },
                );
                let error = SeenTracker::open(Path::new(DIR), options(&disk, MIN_MEMORY_BYTES)).unwrap_err();
                assert_eq!(error.code(), Code::Damaged);
                assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
            }
        }
    }
}

#[test]
fn damage_under_an_open_tracker_is_an_error_and_never_an_answer() {
    let disk = FaultyDisk::default();
    let mut tracker = open(&disk);
    let mut fresh = random(4);
    let batch: Vec<u128> = (0..20_000).map(|_| fresh()).collect();
    tracker.insert_batch(&batch).unwrap();
    tracker.flush().unwrap();
    for path in disk.files() {
        disk.edit(&path, |bytes| bytes.iter_mut().skip(1024).step_by(100).for_each(|b| *b ^= 4));
    }
    let mut refused = false;
    for part in batch.chunks(50) {
        match tracker.contains_batch(part) {
            Ok(known) => assert!(known.into_iter().all(|known| known)),
            Err(error) => refused |= error.code() == Code::Damaged,
        }
    }
    assert!(refused);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_crash_brings_back_the_last_flush(
        steps in prop::collection::vec((0..6_u8, 0..40_u64, any::<Option<u64>>(), 1..2_500_usize), 1..14),
        narrow in any::<bool>(),
    ) {
        let disk = FaultyDisk::default();
        let mut tracker = open(&disk);
        let (mut model, mut flushed) = (HashSet::new(), HashSet::new());
        let mut fresh = random(steps.len() as u64);
        let mut recent = Vec::new();
        for (what, when, seed, size) in steps {
            match what {
                0 => {
                    tracker.flush().unwrap();
                    flushed.clone_from(&model);
                }
                1 => {
                    drop(tracker);
                    disk.crash(seed);
                    tracker = open(&disk);
                    model.clone_from(&flushed);
                    let all: Vec<u128> = model.iter().copied().collect();
                    prop_assert!(tracker.contains_batch(&all).unwrap().into_iter().all(|known| known));
                    prop_assert_eq!(tracker.len(), model.len() as u64);
                }
                2 => {
                    disk.fail(when, Fault::ForEver);
                    let done = tracker.flush().is_ok();
                    drop(tracker);
                    disk.crash(seed);
                    tracker = open(&disk);
                    // A flush that was interrupted may have come through.
                    if done || tracker.len() == model.len() as u64 {
                        flushed.clone_from(&model);
                    }
                    model.clone_from(&flushed);
                    prop_assert_eq!(tracker.len(), model.len() as u64);
                }
                3 => {
                    // A write that fails once loses nothing; the part of the batch that got in is found by asking.
                    let batch: Vec<u128> = (0..size).map(|_| fresh()).collect();
                    disk.fail(when, Fault::Once);
                    let outcome = tracker.insert_batch(&batch);
                    disk.heal();
                    let known = tracker.contains_batch(&batch).unwrap();
                    prop_assert!(outcome.is_err() || known.iter().all(|&k| k));
                    model.extend(batch.iter().zip(known).filter(|(_, known)| *known).map(|(f, _)| *f));
                    prop_assert_eq!(tracker.len(), model.len() as u64);
                }
                _ => {
                    let batch: Vec<u128> = (0..size)
                        .map(|i| match recent.get(i * 7) {
                            Some(&old) if i % 2 == 0 => old,
                            _ if narrow => fresh() & 0xffff_ffff,
                            _ => fresh(),
                        })
                        .collect();
                    recent.extend(&batch);
                    check(&mut tracker, &mut model, &batch);
                }
            }
        }
    }
}
