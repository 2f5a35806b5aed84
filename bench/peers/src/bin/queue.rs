//! DiskBackedQueue against writing the same bytes to one file and reading them back, with one fsync each.
//!
//! `queue [TOTAL_MIB] [ROUNDS]` prints a JSON line for each record length and round.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::time::Instant;

use fold_core::disk_backed_queue::{Batch, DiskBackedQueue, QueueOptions};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const BATCH: usize = 64;

fn plain(dir: &Path, record: &[u8], count: usize) -> Outcome<(f64, f64, u64)> {
    let path = dir.join("plain");
    let start = Instant::now();
    let mut file = std::io::BufWriter::with_capacity(256 * 1024, File::create(&path)?);
    for _ in 0..count {
        file.write_all(record)?;
    }
    file.flush()?;
    file.get_ref().sync_all()?;
    let written = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut file = BufReader::with_capacity(256 * 1024, File::open(&path)?);
    let mut into = vec![0; record.len()];
    let mut sum = 0_u64;
    for _ in 0..count {
        file.read_exact(&mut into)?;
        sum += u64::from(into[0]) + into.len() as u64;
    }
    let read = start.elapsed().as_secs_f64();
    std::fs::remove_file(&path)?;
    Ok((written, read, sum))
}

fn queue(dir: &Path, record: &[u8], count: usize) -> Outcome<(f64, f64, u64)> {
    let dir = dir.join("queue");
    let start = Instant::now();
    let mut queue = DiskBackedQueue::open(&dir, QueueOptions::default())?;
    let batch = vec![record; BATCH];
    let mut left = count;
    while left > 0 {
        let now = left.min(BATCH);
        queue.push_batch(&batch[..now])?;
        left -= now;
    }
    queue.flush()?;
    let written = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut batch = Batch::default();
    let mut sum = 0_u64;
    loop {
        queue.pop_batch_into(&mut batch, 4096, 256 * 1024)?;
        if batch.is_empty() {
            break;
        }
        for record in batch.iter() {
            sum += u64::from(record[0]) + record.len() as u64;
        }
    }
    let read = start.elapsed().as_secs_f64();
    queue.close()?;
    std::fs::remove_dir_all(&dir)?;
    Ok((written, read, sum))
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let mib: usize = arguments.next().map_or(Ok(512), |a| a.parse())?;
    let rounds: usize = arguments.next().map_or(Ok(3), |a| a.parse())?;
    let dir = tempfile::tempdir_in(".")?;
    for len in [100, 64 * 1024] {
        let record: Vec<u8> = (0..len).map(|i| (i * 31 % 251) as u8).collect();
        let count = (mib << 20) / len;
        for _ in 0..rounds {
            let (plain_write, plain_read, a) = plain(dir.path(), &record, count)?;
            let (write, read, b) = queue(dir.path(), &record, count)?;
            assert_eq!(a, b);
            println!(
                "{{\"bench\":\"queue\",\"record\":{len},\"mib\":{mib},\"plain_write_s\":{plain_write:.3},\"plain_read_s\":{plain_read:.3},\"write_s\":{write:.3},\"read_s\":{read:.3},\"write_ratio\":{:.2},\"read_ratio\":{:.2},\"ratio\":{:.2}}}",
                plain_write / write,
                plain_read / read,
                (plain_write + plain_read) / (write + read),
            );
        }
    }
    Ok(())
}
