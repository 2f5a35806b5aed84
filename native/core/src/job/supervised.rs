//! A search under supervision, from where another one stopped: what searches of texts and merges have in common.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::limits::Limits;
use super::resume::Start;
use super::supervisor::{SAVE, Supervisor};
use crate::archive::{ArchiveWriter, Limit};
use crate::checkpoint::Checkpoint;
use crate::control::{Control, Phase};
use crate::error::Result;
use crate::results::{Allowance, Found, ResultsWriter};
use crate::search::{Ledger, Progress, Search};

/// How often commits and checkpoints are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Commit after every step.
    pub(crate) eager: bool,
    pub(crate) save: Duration,
}

impl Pace {
    /// As often as can be, for tests.
    pub(crate) const EAGER: Self = Self { eager: true, save: Duration::ZERO };
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
    /// What else makes it the same work, so that no other goes on from its checkpoints.
    pub(crate) identity: [u8; 32],
    pub(crate) pace: Pace,
    pub(crate) control: &'a Control,
}

/// Work that comes before a search and puts what it does into the same results and ledger: given the ledger, and what makes
/// a checkpoint at once.
pub(crate) type Before<'a> = &'a mut dyn FnMut(&Ledger, &dyn Fn() -> Result<()>) -> Result<()>;

/// What it came to.
#[derive(Debug)]
pub(crate) struct Ended {
    /// What was found, by the search that it went on from too.
    pub(crate) found: Found,
    /// What came of the work before the search.
    pub(crate) copied: Found,
    /// What ended it early.
    pub(crate) limits: Vec<Limit>,
    /// What a later search can go on from; nothing if all was done.
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl Supervised<'_> {
    /// Does the work before the search, and the search if it is `wanted`; its allowance is set here. Limits end the search
    /// only.
    pub(crate) fn run(self, search: Search<'_>, wanted: bool, before: Before<'_>) -> Result<Ended> {
        let Self { archive, results, limits, start, identity, pace, control } = self;
        let index = search.index;
        let mut ledger = Ledger::new(index.bigram_count());
        if let Some(start) = start {
            start.copy(archive, results, control)?;
            ledger = Ledger::from(start.checkpoint.progress.clone());
        }
        if pace.eager {
            ledger = ledger.eager();
        }
        let interner = index.interner();
        let scope = search.scope.clone();
        let supervisor = Supervisor {
            archive,
            results,
            ledger: &ledger,
            interner_digest: interner.digest(),
            identity,
            scope: &scope,
            bigrams: index.bigram_count(),
            seeded: search.seeded,
            limits,
            save_every: pace.save,
            saving: Mutex::new(()),
            control,
        };
        if start.is_some() {
            // What it was copied from is not needed any more.
            supervisor.save()?;
        }
        let outcome = supervisor.over(|| {
            before(&ledger, &|| supervisor.save())?;
            if !wanted {
                return Ok(None);
            }
            control.enter(Phase::Search, 0);
            let Progress { found, copied, .. } = ledger.progress();
            let count = found.tally.count() + copied.found.tally.count();
            let allowance = limits.max_orthos.map(|most| Allowance::new(most.saturating_sub(count)));
            let search = Search { allowance, ..search };
            search.run(&ledger, control.stop(), control.watch(interner)).map(Some)
        })??;
        let copied = ledger.progress().copied.found;
        let Some(outcome) = outcome else {
            return Ok(Ended { found: Found::default(), copied, limits: vec![], checkpoint: None });
        };
        let mut hit = vec![];
        if let Some(limit) = outcome.limit {
            let value = limits.value(limit, archive.space().ok());
            hit.push(Limit { name: limit.name().to_owned(), value });
        }
        // Without any of so many axes there are none of more: one axis less makes an ortho of an ortho.
        let most = *scope.axes.end();
        let mut shapes = outcome.found.tally.0.keys().chain(copied.tally.0.keys());
        if shapes.any(|dims| dims.len() as u32 >= most) {
            hit.push(Limit { name: "maxDims".to_owned(), value: u64::from(most) });
        }
        let checkpoint = if hit.is_empty() { None } else { Some(supervisor.checkpoint()?) };
        Ok(Ended { found: outcome.found, copied, limits: hit, checkpoint })
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
