//! Estimates the orthos of some texts, many times with different seeds: `estimate RUNS NODES ROUNDS FILE[=TOTAL]...`. Says how
//! often the total lay in the range, and how often the range spanned less than a factor 4.

use std::sync::Arc;
use std::time::Instant;

use fold_core::estimate::{Settings, estimate};
use fold_core::ortho::shape_name;
use fold_core::search::Stop;
use fold_core::text::{Interner, PhraseIndex};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |i: usize| arguments.get(i).and_then(|a| a.parse::<usize>().ok()).unwrap_or(1);
    for file in arguments.iter().skip(4) {
        let (path, total) = file.split_once('=').unwrap_or((file, ""));
        let total: Option<f64> = total.parse().ok();
        let interner = Arc::new(Interner::from_bytes("text", &std::fs::read(path)?)?);
        let index = PhraseIndex::build(Arc::clone(&interner))?;
        let (mut within, mut narrow) = (0, 0);
        for seed in 0..number(1) as u64 {
            let begin = Instant::now();
            let layers = std::env::var("LAYERS")
                .ok()
                .and_then(|n| n.parse().ok())
                .unwrap_or(Settings::default().layers);
            let settings =
                Settings { nodes: number(2), layers, rounds: number(3), seed, ..Settings::default() };
            let estimate = estimate(&index, settings, &Stop::default())?;
            let range = estimate.total;
            within += usize::from(total.is_some_and(|total| range.low <= total && total <= range.high));
            narrow += usize::from(range.factor() < 4.0);
            let shapes: Vec<String> = estimate
                .shapes
                .iter()
                .map(|(dims, range)| format!("{} {:.0}", shape_name(dims), range.likely))
                .collect();
            eprintln!(
                "  {:.0} .. {:.0} .. {:.0}{} {:?} {}",
                range.low,
                range.likely,
                range.high,
                if estimate.exact {
                    " exact"
                } else if estimate.at_least {
                    " or more"
                } else {
                    ""
                },
                begin.elapsed(),
                if seed == 0 { shapes.join(", ") } else { String::new() }
            );
        }
        println!("{path}: {within} of {} within, {narrow} narrower than 4", number(1));
    }
    Ok(())
}
