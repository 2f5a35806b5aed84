//! Searches one text without an archive around it, for profiling: `orthos FILE [threads] [memory MiB] [MODE]`, where MODE
//! is `list` or a shape (prints them), `cubes` (finds only 2x2 and 2x2x2) or anything else (reads all back).

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use fold_core::digest::WordHashes;
use fold_core::disk::RealDisk;
use fold_core::ortho::{Ortho, shape_name};
use fold_core::results::{Ranks, ResultsReader, ResultsWriter};
use fold_core::search::{Settings, Sizes, Stop, Watch, run_with_sizes};
use fold_core::text::{Interner, PhraseIndex};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let number =
        |i: usize, otherwise: u64| arguments.get(i).and_then(|a| a.parse().ok()).unwrap_or(otherwise);
    let threads = number(2, 1) as usize;
    let memory = number(3, 256) << 20;
    let begin = Instant::now();
    let interner = Arc::new(Interner::from_bytes("text", &std::fs::read(&arguments[1])?)?);
    let index = PhraseIndex::build(Arc::clone(&interner))?;
    let ranks = Arc::new(Ranks::new(&index));
    let words = WordHashes::new(&interner);
    let directory = std::env::temp_dir().join(format!("orthos-{}", std::process::id()));
    let writer = ResultsWriter::create(Path::new(&directory), 1 << 18, RealDisk::shared())?;
    let indexed = begin.elapsed();
    let cubes_alone = arguments.get(4).is_some_and(|mode| mode == "cubes");
    let found = run_with_sizes(
        &index,
        &ranks,
        &words,
        &writer,
        None,
        Settings { threads, memory },
        Sizes { cubes_alone, ..Sizes::default() },
        &Stop::default(),
        &Watch::default(),
    )?;
    let searched = begin.elapsed();
    let bytes = writer.bytes();
    writer.close()?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default().to_owned();
    let count = found.tally.count();
    eprintln!(
        "{count} orthos, index {indexed:?}, searched {searched:?}, all {:?}, {bytes} bytes = {:.2} an ortho, {peak}",
        begin.elapsed(),
        bytes as f64 / count as f64
    );
    eprintln!(
        "digest {}",
        found.tally.content_digest(&interner.digest()).iter().map(|b| format!("{b:02x}")).collect::<String>()
    );
    for (dims, tally) in found.tally.shapes() {
        eprintln!("{}\t{}", shape_name(dims), tally.count);
    }
    if let Some(best) = &found.best {
        let words: Vec<&str> = best.tokens.iter().map(|&t| interner.word(t)).collect();
        eprintln!("best {} {}", shape_name(&best.dims), words.join(" "));
    }
    if let Some(mode) = arguments.get(4).filter(|_| !cubes_alone) {
        let begin = Instant::now();
        let reader = ResultsReader::open(&directory, ranks, RealDisk::shared())?;
        let mut ortho = Ortho::default();
        let mut read = 0u64;
        for dims in
            reader.shapes().iter().filter(|d| mode.len() < 3 || mode == "list" || shape_name(d) == *mode)
        {
            let mut cursor = reader.cursor(dims)?;
            while cursor.next(&mut ortho)? {
                read += 1;
                if mode.len() > 2 {
                    let words: Vec<&str> = ortho.tokens.iter().map(|&t| interner.word(t)).collect();
                    println!("{}\t{}", shape_name(&ortho.dims), words.join(" "));
                }
            }
        }
        eprintln!("read {read} in {:?}", begin.elapsed());
    }
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}
