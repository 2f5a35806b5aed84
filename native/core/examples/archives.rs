//! Makes and merges archives without a command line around it, for measuring:
//! `archives search FILE OUT THREADS MIB` and `archives merge OUT THREADS MIB ARCHIVE...`.

use std::path::PathBuf;

use fold_core::control::Control;
use fold_core::disk::RealDisk;
use fold_core::job::{Limits, SearchRequest, Source, search};
use fold_core::merge::{MergeRequest, merge};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut rest = arguments.iter();
    let mut next =
        || rest.next().cloned().ok_or("search FILE OUT THREADS MIB | merge OUT THREADS MIB ARCHIVE...");
    let command = next()?;
    let path = if command == "search" { next()? } else { String::new() };
    let out = PathBuf::from(next()?);
    let threads = next()?.parse()?;
    let memory = next()?.parse::<u64>()? << 20;
    let control = Control::default();
    let manifest = if command == "search" {
        let source = Source::Path(path.clone().into());
        let request = SearchRequest {
            source: Some(source),
            input_name: path,
            out,
            memory,
            threads,
            limits: Limits::default(),
            shard: None,
            continue_from: None,
        };
        search(&request, &control, &RealDisk::shared())?
    } else {
        let archives = rest.map(PathBuf::from).collect();
        merge(
            &MergeRequest { archives, out, memory, threads, limits: Limits::default() },
            &control,
            &RealDisk::shared(),
        )?
    };
    println!("{} {} {}", manifest.ortho_count, manifest.content_digest, manifest.search.elapsed_seconds);
    Ok(())
}
