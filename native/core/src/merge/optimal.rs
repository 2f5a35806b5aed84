//! Several archives into one that answers for the optimum of all their texts together.
//!
//! The optimum of the union need not be one of the parts', as a line may be a phrase of one text and the next of another.
//! So the union is searched, but what the parts hold is known beforehand: only what is better is looked for.
//!
//! Guarantees: the result is what a search of all texts for the optimum gives, in any order, grouping and repetition of the
//! archives; whether the parts were finished does not matter, as only their texts are relied on.

use std::sync::Arc;

use super::sources::{Group, Source, Sources};
use super::{MergeRequest, index, texts};
use crate::archive::{ArchiveWriter, Description, Leftover, Manifest, SearchInfo};
use crate::control::{Control, Phase};
use crate::disk::Disk;
use crate::error::{Code, Error, Result};
use crate::job::optimal::Wanted;
use crate::job::{MOST_BEST, remove_all};
use crate::ortho::{Ortho, compare_optimal};
use crate::results::Ranks;
use crate::text::Interner;

/// Finds the best orthos of the union of archives, whatever they were searched for: so many, or as many as the archive that
/// holds the most was asked for.
///
/// # Errors
/// As [`merge`](super::merge), but for goals that differ.
pub fn optimal(
    request: &MergeRequest,
    top: Option<u64>,
    control: &Control,
    disk: &Arc<dyn Disk>,
) -> Result<Manifest> {
    if request.archives.is_empty() {
        return Err(Error::new(
            Code::InvalidArgument,
            "there is nothing to merge; give at least one archive",
        ));
    }
    let writer = ArchiveWriter::create(&request.out, disk)?;
    control.enter(Phase::Read, request.archives.len() as u64);
    let sources = Sources::open(&request.archives, control, &**disk)?;
    finish(&sources, top, request, writer, control, disk)
}

/// The merge of archives that are open.
pub(super) fn finish(
    sources: &Sources,
    top: Option<u64>,
    request: &MergeRequest,
    writer: ArchiveWriter,
    control: &Control,
    disk: &Arc<dyn Disk>,
) -> Result<Manifest> {
    let asked = sources.optima.iter().filter_map(|source| Some(source.manifest.proof.as_ref()?.top)).max();
    let top = top.or(asked).unwrap_or(1);
    control.enter(Phase::Index, 0);
    let union = texts::union(sources.groups.iter(), request.memory, control, &**disk)?;
    let mut seeds = vec![];
    let listings = sources.groups.iter().flat_map(Group::sources);
    for source in listings.chain(&sources.optima) {
        seeds.extend(known(source, &union, control, disk)?);
        seeds.sort_by(|a, b| compare_optimal(b, a));
        seeds.dedup();
        seeds.truncate(usize::try_from(top).unwrap_or(usize::MAX));
    }
    let text = index(union, request.memory, control)?;
    let ranks = Ranks::new(&text);
    let leftovers = Leftover::of(&request.out, disk)?;
    let threads = request.threads.max(1);
    let wanted = Wanted { top, seeds, threads, memory: request.memory, limits: request.limits };
    let contents = wanted.find(&text, &ranks, &writer, control).map_err(|error| match error.code() {
        // The texts are checked; so an ortho that is none of the union is none of its archive either.
        Code::InvalidArgument if (1..=MOST_BEST).contains(&top) => {
            Error::new(Code::Damaged, format!("one of the archives is damaged: {error}")).because(error)
        }
        _ => error,
    })?;
    remove_all(leftovers)?;
    let description = Description {
        input: sources.input.clone(),
        lineage: &sources.lineage,
        interner: text.interner(),
        ranks: &Arc::new(ranks).into(),
        contents: &contents,
        search: SearchInfo {
            elapsed_seconds: control.elapsed().as_secs_f64(),
            threads: threads as u64,
            memory: request.memory,
        },
    };
    writer.finish(description, control)
}

/// What an archive is known to hold, in the tokens of the union.
fn known(source: &Source, union: &Interner, control: &Control, disk: &Arc<dyn Disk>) -> Result<Vec<Ortho>> {
    control.check()?;
    let interner = source.interner(&**disk)?;
    let map = texts::map(&interner, union);
    let mut best = source.best(&interner, disk)?;
    for token in best.iter_mut().flat_map(|ortho| &mut ortho.tokens) {
        *token = map.get(*token as usize).copied().unwrap_or(u32::MAX);
    }
    Ok(best)
}
