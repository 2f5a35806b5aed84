//! SeenTracker against databases that hold the same set, and against a plain hash set.
//!
//! `seen [COUNT] [BATCH] [CACHE_MIB] [PEER,...]` inserts COUNT fingerprints, half of them repeats, in batches; one
//! transaction a batch, nothing fsynced before the end. Peers: tracker, redb, fjall, heed, memory. LMDB (heed) cannot be
//! given a cache: it uses all of the system's. Prints a JSON line for each.

use std::path::Path;
use std::time::Instant;

use fold_core::seen_tracker::{SeenOptions, SeenTracker};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn mix(mut z: u64) -> u64 {
    z = z.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn fingerprint(serial: u64) -> u128 {
    u128::from(mix(serial + 1)) << 64 | u128::from(mix(serial ^ 0xabcd_ef01_2345))
}

/// Batch after batch: at odd places something new, at even places something from before, anywhere.
fn batches(count: usize, batch: usize, mut take: impl FnMut(&[u128]) -> Outcome<usize>) -> Outcome<(f64, usize)> {
    let (mut fresh, mut step) = (0_u64, 0_u64);
    let mut new = 0;
    let mut seconds = 0.0;
    let mut left = count;
    while left > 0 {
        let part: Vec<u128> = (0..left.min(batch))
            .map(|_| {
                step += 1;
                if step % 2 == 1 {
                    fresh += 1;
                    fingerprint(fresh - 1)
                } else {
                    fingerprint(mix(step ^ 0x5555) % fresh)
                }
            })
            .collect();
        left -= part.len();
        let start = Instant::now();
        new += take(&part)?;
        seconds += start.elapsed().as_secs_f64();
    }
    Ok((seconds, new))
}

fn tracker(dir: &Path, count: usize, batch: usize, memory_bytes: usize) -> Outcome<(f64, usize)> {
    let mut seen = SeenTracker::open(dir, SeenOptions { memory_bytes, ..SeenOptions::default() })?;
    let outcome = batches(count, batch, |part| Ok(seen.insert_batch(part)?.into_iter().filter(|&n| n).count()))?;
    if memory_bytes < 1 << 30 {
        let start = Instant::now();
        seen.close()?;
        eprintln!("close {:.2} s", start.elapsed().as_secs_f64());
    }
    Ok(outcome)
}

fn redb(dir: &Path, count: usize, batch: usize, cache: usize) -> Outcome<(f64, usize)> {
    let table: redb::TableDefinition<'_, u128, ()> = redb::TableDefinition::new("seen");
    let database = redb::Builder::new().set_cache_size(cache).create(dir.join("redb"))?;
    batches(count, batch, |part| {
        let mut transaction = database.begin_write()?;
        transaction.set_durability(redb::Durability::None)?;
        let mut new = 0;
        {
            let mut sorted = part.to_vec();
            sorted.sort_unstable();
            let mut table = transaction.open_table(table)?;
            for fingerprint in sorted {
                new += usize::from(table.insert(fingerprint, ())?.is_none());
            }
        }
        transaction.commit()?;
        Ok(new)
    })
}

fn fjall(dir: &Path, count: usize, batch: usize, cache: usize) -> Outcome<(f64, usize)> {
    let keyspace = fjall::Config::new(dir.join("fjall"))
        .cache_size(cache as u64 / 2)
        .max_write_buffer_size(cache as u64 / 2)
        .open()?;
    let options = fjall::PartitionCreateOptions::default().max_memtable_size(cache as u32 / 4);
    let partition = keyspace.open_partition("seen", options)?;
    batches(count, batch, |part| {
        let mut sorted = part.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let mut transaction = keyspace.batch();
        let mut new = 0;
        for fingerprint in sorted {
            let key = fingerprint.to_be_bytes();
            if !partition.contains_key(key)? {
                transaction.insert(&partition, key, []);
                new += 1;
            }
        }
        transaction.commit()?;
        Ok(new)
    })
}

fn heed(dir: &Path, count: usize, batch: usize) -> Outcome<(f64, usize)> {
    let dir = dir.join("heed");
    std::fs::create_dir_all(&dir)?;
    let mut options = heed::EnvOpenOptions::new();
    options.map_size(8 << 30);
    // SAFETY: the directory was just made for this process; nobody else maps or changes it.
    let environment = unsafe { options.flags(heed::EnvFlags::NO_SYNC).open(&dir)? };
    let mut transaction = environment.write_txn()?;
    let database: heed::Database<heed::types::Bytes, heed::types::Unit> =
        environment.create_database(&mut transaction, None)?;
    transaction.commit()?;
    batches(count, batch, |part| {
        let mut sorted = part.to_vec();
        sorted.sort_unstable();
        let mut transaction = environment.write_txn()?;
        let mut new = 0;
        for fingerprint in sorted {
            let put = database.get_or_put_with_flags(
                &mut transaction,
                heed::PutFlags::NO_OVERWRITE,
                &fingerprint.to_be_bytes(),
                &(),
            )?;
            new += usize::from(put.is_none());
        }
        transaction.commit()?;
        Ok(new)
    })
}

fn memory(count: usize, batch: usize) -> Outcome<(f64, usize)> {
    let mut set: hashbrown::HashSet<u128, foldhash::fast::FixedState> = hashbrown::HashSet::default();
    batches(count, batch, |part| {
        let answers: Vec<bool> = part.iter().map(|&fingerprint| set.insert(fingerprint)).collect();
        Ok(answers.into_iter().filter(|&n| n).count())
    })
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().map_or(Ok(20_000_000), |a| a.parse())?;
    let batch: usize = arguments.next().map_or(Ok(65_536), |a| a.parse())?;
    let cache: usize = arguments.next().map_or(Ok(64), |a| a.parse())?;
    let peers = arguments.next().unwrap_or_else(|| "tracker,redb,fjall,heed,memory,tracker-memory".into());
    let mut ours = None;
    for peer in peers.split(',') {
        let dir = tempfile::tempdir_in(".")?;
        let (seconds, new) = match peer {
            "tracker" => tracker(dir.path(), count, batch, cache << 20)?,
            "tracker-memory" => tracker(dir.path(), count, batch, 4 << 30)?,
            "redb" => redb(dir.path(), count, batch, cache << 20)?,
            "fjall" => fjall(dir.path(), count, batch, cache << 20)?,
            "heed" => heed(dir.path(), count, batch)?,
            "memory" => memory(count, batch)?,
            other => return Err(format!("no such peer: {other}").into()),
        };
        if new != count.div_ceil(2) {
            eprintln!("{peer}: {new} new instead of {}", count.div_ceil(2));
        }
        let first = *ours.get_or_insert(seconds);
        println!(
            "{{\"bench\":\"seen\",\"peer\":\"{peer}\",\"count\":{count},\"batch\":{batch},\"cache_mib\":{cache},\"seconds\":{seconds:.2},\"over_first\":{:.2}}}",
            seconds / first
        );
    }
    Ok(())
}
