//! The archives that are merged, and which of them belong together.
//!
//! Archives of one *group* have equal interners: the same words and phrases, so their orthos are parts of the same set. A
//! group is complete if one of its archives is, or if finished shards cover all of a text; then all that the others
//! hold is there too, and they are left aside.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::archive::{
    FileInfo, Goal, InputInfo, Limit, Lineage, Manifest, TOKENIZER, check_lengths, hash_reader, inside,
    load_best, load_interner, load_manifest, load_results, load_tallies,
};
use crate::control::Control;
use crate::digest::SetTally;
use crate::disk::Disk;
use crate::error::{Code, Error, Result};
use crate::ortho::{Dims, Ortho, parse_shape};
use crate::results::ResultsReader;
use crate::search::Shard;
use crate::text::Interner;

/// One archive.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) manifest: Manifest,
    digest: [u8; 32],
    /// Bytes that its interner takes in memory.
    memory: u64,
}

impl Source {
    /// Opens one. All its files must be there, and all but the records as they were written: records are held against the manifest
    /// where they are used.
    fn open(path: &Path, disk: &dyn Disk) -> Result<Self> {
        let manifest = load_manifest(path, disk)?;
        if manifest.tokenizer != TOKENIZER {
            return Err(Error::new(
                Code::TokenizerDiffers,
                format!(
                    "{} was made by version {} of the rules that cut a text into words, this program has version \
                     {TOKENIZER}: its words cannot be compared with others; search its text again",
                    path.display(),
                    manifest.tokenizer
                ),
            ));
        }
        check_lengths(path, &manifest, disk)?;
        let interner = load_interner(path, &manifest, disk)?;
        let memory = interner.memory_bytes() as u64;
        let source = Self { path: path.to_path_buf(), manifest, digest: interner.digest(), memory };
        source
            .others()?
            .into_iter()
            .try_for_each(|(name, info)| source.hold(name, info, disk, &mut |_| Ok(())))?;
        Ok(source)
    }

    pub(super) fn interner(&self, disk: &dyn Disk) -> Result<Interner> {
        load_interner(&self.path, &self.manifest, disk)
    }

    /// The best orthos that it is known to hold, in its own tokens.
    pub(super) fn best(&self, interner: &Interner, disk: &Arc<dyn Disk>) -> Result<Vec<Ortho>> {
        load_best(&self.path, &self.manifest, interner, disk)
    }

    pub(super) fn results(&self, disk: &Arc<dyn Disk>) -> Result<ResultsReader> {
        load_results(&self.path, &self.manifest, disk)
    }

    /// How many tables of ranks it has.
    pub(super) fn tables(&self, disk: &Arc<dyn Disk>) -> Result<usize> {
        Ok(self.results(disk)?.tables().iter().len())
    }

    pub(super) fn tallies(&self, disk: &dyn Disk) -> Result<SetTally> {
        load_tallies(&self.path, &self.manifest, disk)
    }

    /// SHA-256 of the manifest, which has the sums of all files.
    pub(super) fn sum(&self) -> Result<[u8; 32]> {
        Ok(Sha256::digest(self.manifest.to_json()?).into())
    }

    /// The files that hold records, those of one shape after each other and in their order.
    pub(super) fn record_files(&self) -> Result<Vec<RecordFile<'_>>> {
        let mut files = vec![];
        for (name, info) in &self.manifest.files {
            let Some((shape, file)) = name.strip_prefix("results/").and_then(|inside| inside.split_once('/'))
            else {
                continue;
            };
            if !file.ends_with(".seg") {
                continue;
            }
            let dims = parse_shape(shape).ok_or_else(|| {
                let shown = self.path.display();
                Error::new(Code::Damaged, format!("the archive {shown} is damaged: {name} is of no shape"))
            })?;
            files.push(RecordFile { name, file, dims, info });
        }
        Ok(files)
    }

    /// The files that hold no records.
    fn others(&self) -> Result<Vec<(&str, &FileInfo)>> {
        let records: BTreeSet<&str> = self.record_files()?.into_iter().map(|file| file.name).collect();
        let all = self.manifest.files.iter().map(|(name, info)| (name.as_str(), info));
        Ok(all.filter(|(name, _)| !records.contains(name)).collect())
    }

    /// Holds a file against the manifest.
    pub(super) fn check_file(
        &self,
        name: &str,
        info: &FileInfo,
        control: &Control,
        disk: &dyn Disk,
    ) -> Result<()> {
        let held = self.hold(name, info, disk, &mut |got| {
            control.advance(got as u64);
            control.check().map_err(std::io::Error::other)
        });
        control.check()?;
        held
    }

    fn hold(
        &self,
        name: &str,
        info: &FileInfo,
        disk: &dyn Disk,
        each: &mut dyn FnMut(usize) -> std::io::Result<()>,
    ) -> Result<()> {
        let path = inside(&self.path, name);
        let summed = disk.open_read(&path).and_then(|mut file| hash_reader(&mut file, each));
        let summed = summed.map_err(|cause| Error::io("reading", &path, cause))?;
        if summed == *info {
            return Ok(());
        }
        Err(Error::new(
            Code::Damaged,
            format!(
                "the archive {} is damaged: {name} has the SHA-256 {}, expected {}; take another copy or search the text \
                 again",
                self.path.display(),
                summed.sha256,
                info.sha256
            ),
        ))
    }

    /// Its shards, if it is made of whole ones and nothing else.
    fn shards(&self) -> &[Shard] {
        if self.manifest.limits.is_empty() { &self.manifest.shards } else { &[] }
    }
}

/// A file with records of one shape.
#[derive(Debug)]
pub(super) struct RecordFile<'s> {
    /// Its path in the archive, and its own name.
    pub(super) name: &'s str,
    pub(super) file: &'s str,
    pub(super) dims: Dims,
    pub(super) info: &'s FileInfo,
}

/// Archives with equal interners.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) digest: [u8; 32],
    /// Whether they hold all orthos of their text.
    pub(super) complete: bool,
    /// Archives that share no ortho; at least one.
    pub(super) parts: Vec<Source>,
    /// Archives that may share orthos with any other.
    pub(super) others: Vec<Source>,
}

impl Group {
    fn new(digest: [u8; 32], mut sources: Vec<Source>) -> Self {
        // An order of the content, not of the arguments: merging is commutative.
        sources.sort_by(|a, b| order(a).cmp(&order(b)));
        if let Some(whole) = sources.iter().position(|source| source.manifest.complete) {
            return Self { digest, complete: true, parts: vec![sources.swap_remove(whole)], others: vec![] };
        }
        let counts: BTreeSet<u32> =
            sources.iter().flat_map(Source::shards).map(|shard| shard.count()).collect();
        let mut best: Option<(bool, u64, Vec<usize>, u32)> = None;
        for count in counts {
            let (parts, covered) = disjoint(&sources, count);
            let all: BTreeSet<Shard> = sources.iter().flat_map(|source| of(source, count)).collect();
            let whole = all.len() as u64 == u64::from(count);
            let orthos = parts.iter().map(|&i| sources[i].manifest.ortho_count).sum();
            if whole && covered == all.len() {
                let parts = parts.into_iter().map(|i| sources[i].clone()).collect();
                return Self { digest, complete: true, parts, others: vec![] };
            }
            if best.as_ref().is_none_or(|best| (whole, orthos) > (best.0, best.1)) {
                best = Some((whole, orthos, parts, count));
            }
        }
        let (complete, _, parts, count) = best.unwrap_or((false, 0, vec![0], 0));
        let (mut chosen, mut others) = (vec![], vec![]);
        for (i, source) in sources.into_iter().enumerate() {
            if parts.contains(&i) {
                chosen.push(source);
            } else if !complete || of(&source, count).next().is_some() {
                others.push(source);
            }
        }
        Self { digest, complete, parts: chosen, others }
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.parts.iter().chain(&self.others)
    }

    pub(super) fn orthos(&self) -> u64 {
        self.sources().map(|source| source.manifest.ortho_count).sum()
    }

    /// Bytes of the results.
    pub(super) fn bytes(&self) -> u64 {
        self.sources().map(|source| source.manifest.bytes).sum()
    }

    /// Bytes that its interner takes in memory.
    pub(super) fn memory(&self) -> u64 {
        self.parts.first().map_or(0, |source| source.memory)
    }

    pub(super) fn interner(&self, disk: &dyn Disk) -> Result<Interner> {
        match self.parts.first() {
            Some(source) => source.interner(disk),
            None => Ok(Interner::default()),
        }
    }

    /// The shards that it holds of its one input, if it is not complete.
    fn shards(&self) -> Vec<Shard> {
        let Some(count) = self.parts.first().and_then(|source| source.manifest.shards.first()) else {
            return vec![];
        };
        let all: BTreeSet<Shard> =
            self.sources().flat_map(|source| source.manifest.shards.iter().copied()).collect();
        all.into_iter().filter(|shard| shard.count() == count.count()).collect()
    }
}

/// What one archive is told from another by, in ascending order of what a merge would rather read.
fn order(source: &Source) -> (u64, &str, &[Shard], &str) {
    let manifest = &source.manifest;
    (manifest.bytes, &manifest.content_digest, &manifest.shards, &manifest.lineage)
}

fn of(source: &Source, count: u32) -> impl Iterator<Item = Shard> {
    source.shards().iter().copied().filter(move |shard| shard.count() == count)
}

/// Archives without a shard in common, those of many shards first, and how many shards they have.
fn disjoint(sources: &[Source], count: u32) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..sources.len())
        .filter(|&i| {
            let shards = sources[i].shards();
            !shards.is_empty() && shards.iter().all(|shard| shard.count() == count)
        })
        .collect();
    order.sort_by_key(|&i| std::cmp::Reverse(sources[i].shards().len()));
    let mut covered: BTreeSet<Shard> = BTreeSet::new();
    let mut parts = vec![];
    for i in order {
        if sources[i].shards().iter().all(|shard| !covered.contains(shard)) {
            covered.extend(sources[i].shards());
            parts.push(i);
        }
    }
    (parts, covered.len())
}

/// All archives by group, and what they say together.
#[derive(Debug)]
pub(super) struct Sources {
    /// Complete ones first, those with most orthos first.
    pub(super) groups: Vec<Group>,
    pub(super) lineage: Lineage,
    /// If all are of one input.
    pub(super) input: Option<InputInfo>,
    /// Those that were searched for the optimum, and one that was searched for all orthos, if there are such.
    pub(super) optima: Vec<Source>,
    listing: Option<PathBuf>,
}

impl Sources {
    /// Opens all archives: their manifests and interners, one after the other.
    pub(super) fn open(paths: &[PathBuf], control: &Control, disk: &dyn Disk) -> Result<Self> {
        let mut by_digest: BTreeMap<[u8; 32], Vec<Source>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut lineages: BTreeMap<String, Lineage> = BTreeMap::new();
        let mut inputs: Vec<Option<InputInfo>> = vec![];
        let mut optima = vec![];
        let mut listing = None;
        for path in paths {
            control.check()?;
            let source = Source::open(path, disk)?;
            let manifest = &source.manifest;
            let lineage = manifest.lineage.parse().map_err(|reason| {
                Error::new(
                    Code::Damaged,
                    format!("the archive {} is damaged: {reason}; take another copy", path.display()),
                )
            })?;
            lineages.insert(manifest.lineage.clone(), lineage);
            inputs.push(manifest.input.clone());
            match manifest.goal {
                Goal::Optimal => optima.push(source.clone()),
                Goal::All => listing = Some(path.clone()),
            }
            // Equal content is there once; of equal ones with different claims each.
            let claims = (
                manifest.content_digest.clone(),
                manifest.complete,
                manifest.shards.clone(),
                manifest.limits.is_empty(),
            );
            if seen.insert(claims) {
                by_digest.entry(source.digest).or_default().push(source);
            }
            control.advance(1);
        }
        let mut groups: Vec<Group> =
            by_digest.into_iter().map(|(digest, sources)| Group::new(digest, sources)).collect();
        groups.sort_by_key(|group| (!group.complete, std::cmp::Reverse(group.orthos()), group.digest));
        let lineage = if lineages.len() == 1 {
            lineages.into_values().next().unwrap_or(Lineage::Merge(vec![]))
        } else {
            Lineage::Merge(lineages.into_values().collect())
        };
        let same = |a: &Option<InputInfo>, b: &Option<InputInfo>| match (a, b) {
            (Some(a), Some(b)) => (&a.name, &a.sha256) == (&b.name, &b.sha256),
            _ => false,
        };
        let input = inputs.first().filter(|first| inputs.iter().all(|input| same(first, input)));
        let input = input.cloned().flatten();
        Ok(Self { groups, lineage, input, optima, listing })
    }

    /// What all archives were searched for.
    ///
    /// # Errors
    /// [`Code::GoalsDiffer`].
    pub(super) fn goal(&self) -> Result<Goal> {
        match (self.optima.first(), &self.listing) {
            (None, _) => Ok(Goal::All),
            (Some(_), None) => Ok(Goal::Optimal),
            (Some(optimum), Some(listing)) => Err(Error::new(
                Code::GoalsDiffer,
                format!(
                    "{} holds the best orthos of its text only and {} was searched for all: merge them with the goal \
                     optimal for the best of both together, or search the text of the first for all",
                    optimum.path.display(),
                    listing.display()
                ),
            )),
        }
    }

    /// The limits that ended the searches whose results are not complete.
    pub(super) fn limits(&self) -> Vec<Limit> {
        let incomplete = self.groups.iter().filter(|group| !group.complete);
        let limits: BTreeSet<(String, u64)> = incomplete
            .flat_map(Group::sources)
            .flat_map(|source| &source.manifest.limits)
            .map(|limit| (limit.name.clone(), limit.value))
            .collect();
        limits.into_iter().map(|(name, value)| Limit { name, value }).collect()
    }

    /// The shards that the result holds, if all archives are of one text and some are missing.
    pub(super) fn shards(&self) -> Vec<Shard> {
        match &self.groups[..] {
            [group] if !group.complete => group.shards(),
            _ => vec![],
        }
    }
}
