//! A search under supervision, from where another one stopped: what searches of texts and merges have in common.

use std::sync::Arc;
use std::time::Duration;

use super::limits::Limits;
use super::resume::Start;
use super::supervisor::{SAVE, Supervisor};
use crate::archive::{ArchiveWriter, Limit};
use crate::checkpoint::Checkpoint;
use crate::control::{Control, Phase};
use crate::digest::SetTally;
use crate::error::Result;
use crate::results::{Allowance, Found, ResultsWriter};
use crate::search::{Ledger, Search};

/// How often commits and checkpoints are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Commit after every step.
    pub(crate) eager: bool,
    pub(crate) save: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { eager: false, save: SAVE }
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Supervised<'a> {
    pub(crate) archive: &'a ArchiveWriter,
    pub(crate) results: &'a ResultsWriter,
    pub(crate) limits: Limits,
    /// What to go on from.
    pub(crate) start: Option<&'a Start>,
    /// What is excluded, so that no other search goes on from this one's checkpoints.
    pub(crate) identity: [u8; 32],
    /// What is in the results already, by other ways.
    pub(crate) there: &'a SetTally,
    pub(crate) pace: Pace,
    pub(crate) control: &'a Control,
}

/// What it came to.
#[derive(Debug)]
pub(crate) struct Ended {
    /// What was found, by the search that it went on from too.
    pub(crate) found: Found,
    /// What ended it early.
    pub(crate) limits: Vec<Limit>,
    /// What a later search can go on from; nothing if all was done.
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl Supervised<'_> {
    /// Runs the search, whose allowance is set here.
    pub(crate) fn run(self, mut search: Search<'_>) -> Result<Ended> {
        let Self { archive, results, limits, start, identity, there, pace, control } = self;
        let index = search.index;
        let mut ledger = Ledger::new(index.bigram_count());
        let mut count = there.count();
        if let Some(start) = start {
            start.copy(results, control, &archive.disk())?;
            let progress = start.checkpoint.progress.clone();
            count += progress.found.tally.count();
            ledger = Ledger::from(progress);
        }
        if pace.eager {
            ledger = ledger.eager();
        }
        control.enter(Phase::Search, 0);
        search.allowance = limits.max_orthos.map(|most| Allowance::new(most.saturating_sub(count)));
        let interner = index.interner();
        let supervisor = Supervisor {
            archive,
            results,
            ledger: &ledger,
            interner_digest: interner.digest(),
            identity,
            scope: &search.scope,
            bigrams: index.bigram_count(),
            limits,
            save_every: pace.save,
            control,
        };
        if start.is_some() {
            // What it was copied from is not needed any more.
            supervisor.save()?;
        }
        let watch = control.watch(interner);
        let outcome = supervisor.over(|| search.run(&ledger, control.stop(), watch))??;
        let mut hit = vec![];
        if let Some(limit) = outcome.limit {
            let value = limits.value(limit, archive.space().ok());
            hit.push(Limit { name: limit.name().to_owned(), value });
        }
        // Without any of so many axes there are none of more: one axis less makes an ortho of an ortho.
        let most = *search.scope.axes.end();
        let mut shapes = outcome.found.tally.0.keys().chain(there.0.keys());
        if shapes.any(|dims| dims.len() as u32 >= most) {
            hit.push(Limit { name: "maxDims".to_owned(), value: u64::from(most) });
        }
        let checkpoint = if hit.is_empty() { None } else { Some(supervisor.checkpoint()?) };
        Ok(Ended { found: outcome.found, limits: hit, checkpoint })
    }
}

/// What queues may keep in memory of the results of one shape, at least and at most; all together a sixteenth of the
/// budget.
const BUFFER_BYTES: (u64, u64) = (16 << 10, 1 << 20);

/// Opens the results of an archive within a budget. Gives the bytes that its queues may take.
pub(crate) fn results_within(archive: &ArchiveWriter, memory: u64) -> Result<(ResultsWriter, u64)> {
    let queues = crate::results::OPEN_QUEUES as u64;
    let buffer = (memory / 16 / queues).clamp(BUFFER_BYTES.0, BUFFER_BYTES.1);
    let results = ResultsWriter::create(&archive.results(), buffer as usize, Arc::clone(&archive.disk()))?;
    Ok((results, buffer * queues))
}
