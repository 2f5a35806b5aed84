//! Proves the optimal ortho of one text, for measuring: `optimum FILE [threads] [memory MiB] [K] [seconds]
//! [many bigrams] [axes]`. Says when each shape was excluded. With a number of seconds it is patient. With `axes` 2 it ends when all
//! shapes of two axes are excluded that are greater than the best.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use fold_core::optimum::{Excluded, Settings, Watch, Ways, contains, find_in, least_cores};
use fold_core::ortho::{Ortho, shape_name};
use fold_core::search::{Limit, Stop};
use fold_core::text::{Interner, PhraseIndex};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let number =
        |i: usize, otherwise: u64| arguments.get(i).and_then(|a| a.parse().ok()).unwrap_or(otherwise);
    let patient = number(5, 0) > 0;
    let (threads, memory, top) = (number(2, 1) as usize, number(3, 512) << 20, number(4, 1) as usize);
    let settings = Settings { threads, memory, top, patient };
    let most = Duration::from_secs(number(5, u64::MAX >> 20));
    let begin = Instant::now();
    let interner = Arc::new(Interner::from_bytes("text", &std::fs::read(&arguments[1])?)?);
    let index = PhraseIndex::build(Arc::clone(&interner))?;
    eprintln!("{:.1?} index", begin.elapsed());
    let (stop, watch) = (Stop::default(), Watch::default());
    let (done, ended) = channel::<()>();
    let optimum = std::thread::scope(|scope| {
        let (stop, watch) = (&stop, &watch);
        scope.spawn(move || {
            let mut known = vec![];
            // Until the search lets go of its end.
            while ended.recv_timeout(Duration::from_millis(5)) == Err(RecvTimeoutError::Timeout) {
                let excluded = watch.excluded();
                for part in excluded.iter().filter(|part| !known.contains(*part)) {
                    let best = watch.best().map(|best| shape_name(&best.dims)).unwrap_or_default();
                    eprintln!("{:.1?} excluded {}, best {best}", begin.elapsed(), shape_name(&part.shape));
                }
                known = excluded;
                let sheets = || watch.best().is_some_and(|best| flat(best.volume(), &known));
                if begin.elapsed() > most || number(7, 0) == 2 && sheets() {
                    stop.end_early(Limit::MaxTime);
                }
            }
        });
        let ways = Ways::default();
        let many_bigrams = number(6, ways.many_bigrams as u64) as usize;
        let optimum = find_in(&index, settings, &[], stop, watch, Ways { many_bigrams, ..ways });
        drop(done);
        optimum
    })?;
    let all = begin.elapsed();
    for ortho in &optimum.best {
        let words: Vec<&str> = ortho.tokens.iter().map(|&t| interner.word(t)).collect();
        println!("{} {} {}", ortho.volume(), shape_name(&ortho.dims), words.join(" "));
    }
    let excluded: Vec<String> = optimum.excluded.iter().map(|part| shape_name(&part.shape)).collect();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default().to_owned();
    println!("excluded {}", excluded.join(" "));
    let volume = optimum.best.first().map_or(0, Ortho::volume);
    println!("two axes {}", if flat(volume, &optimum.excluded) { "excluded" } else { "open" });
    println!("open {:?} unranked {:?} limit {:?}", optimum.open, optimum.unranked, optimum.limit);
    println!("all {:.3}, {peak}", all.as_secs_f64());
    Ok(())
}

/// Whether all shapes of two axes are excluded that have a greater volume.
fn flat(volume: u64, excluded: &[Excluded]) -> bool {
    let mut sheets = least_cores(volume + 1).into_iter().filter(|core| core.len() == 2);
    sheets.all(|core| excluded.iter().any(|part| contains(&core, &part.shape)))
}
