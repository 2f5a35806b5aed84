//! Proves the optimal ortho of one text, for profiling: `optimum FILE [threads] [memory MiB] [K]`.

use std::sync::Arc;
use std::time::Instant;

use fold_core::optimum::{Settings, Watch, find};
use fold_core::ortho::shape_name;
use fold_core::search::Stop;
use fold_core::text::{Interner, PhraseIndex};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let number =
        |i: usize, otherwise: u64| arguments.get(i).and_then(|a| a.parse().ok()).unwrap_or(otherwise);
    let settings =
        Settings { threads: number(2, 1) as usize, memory: number(3, 512) << 20, top: number(4, 1) as usize };
    let begin = Instant::now();
    let interner = Arc::new(Interner::from_bytes("text", &std::fs::read(&arguments[1])?)?);
    let index = PhraseIndex::build(Arc::clone(&interner))?;
    let indexed = begin.elapsed();
    let optimum = find(&index, settings, &[], &Stop::default(), &Watch::default())?;
    let all = begin.elapsed();
    for ortho in &optimum.best {
        let words: Vec<&str> = ortho.tokens.iter().map(|&t| interner.word(t)).collect();
        println!("{} {} {}", ortho.volume(), shape_name(&ortho.dims), words.join(" "));
    }
    let excluded: Vec<String> = optimum.excluded.iter().map(|part| shape_name(&part.shape)).collect();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default().to_owned();
    eprintln!("excluded {}", excluded.join(" "));
    eprintln!("open {:?} unranked {:?} limit {:?}", optimum.open, optimum.unranked, optimum.limit);
    eprintln!("index {indexed:?}, all {all:?}, {peak}");
    Ok(())
}
