//! Checks an archive in full: every byte against its sum, every ortho against the definition, every number of the
//! manifest against what is there.
//!
//! Guarantees: nothing is changed; one problem does not hide the next; of problems alike the first
//! [`LISTED`] are listed and the rest counted. Costs: one pass over the bytes for their sums, one over the orthos
//! with a phrase query a line; memory for the interner and its index, and the given budget for telling
//! whether an ortho was there before.

mod distinct;
mod proof;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::distinct::Distinct;
use super::manifest::{Manifest, Optimal};
use super::reader::{
    file_len, inside, load_interner, load_manifest, load_results, load_tallies, missing, wrong_length,
};
use super::shape::Shape;
use super::sums::{MANIFEST_NAME, SUMS_NAME, hash_reader, hex};
use super::writer::{
    CHECKPOINT_NAME, INTERNER_NAME, LINEAGE_NAME, LOCK_NAME, OPTIMAL_NAME, RANKS_NAME, RESULTS_NAME,
    TALLIES_NAME, counts, optimal_text,
};
use crate::control::{Control, Phase};
use crate::digest::{OrthoHasher, SetTally, WordHashes};
use crate::disk::Disk;
use crate::error::{Code, Error, Result};
use crate::ortho::check::Checker;
use crate::ortho::{Ortho, compare_optimal, shape_name};
use crate::results::ResultsReader;
use crate::text::{Interner, PhraseIndex};

/// Problems alike that are listed one by one.
pub const LISTED: u64 = 20;

/// Orthos between two looks at whether to stop.
const BATCH: usize = 4096;

/// What [`verify`] works with.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// An existing directory for temporary files, such as the system's.
    pub scratch: PathBuf,
    /// Bytes of memory for telling which orthos came before.
    pub memory: u64,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file it is in, by its path within the archive; nothing if no single one is to blame.
    pub file: Option<String>,
    /// What was expected and found.
    pub message: String,
}

/// What [`verify`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Everything that is wrong; nothing for a sound archive.
    pub problems: Vec<Problem>,
    /// Files read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Orthos read.
    pub orthos: u64,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn add(&mut self, file: Option<&str>, message: impl Into<String>) {
        self.problems.push(Problem { file: file.map(str::to_owned), message: message.into() });
    }
}

/// Checks the archive at `path`.
///
/// # Errors
/// [`Code::InputNotFound`], [`Code::NotAnArchive`], [`Code::NewerFormat`]; [`Code::Cancelled`]; failures of the
/// operating system. Damage is no error but in the report.
pub fn verify(
    path: &Path,
    options: &VerifyOptions,
    control: &Control,
    disk: &Arc<dyn Disk>,
) -> Result<Report> {
    let mut report = Report::default();
    let Some(manifest) = noted(load_manifest(path, &**disk), Some(MANIFEST_NAME), &mut report)? else {
        return Ok(report);
    };
    // Orthos are decoded from compact records, so reading one costs about as much as summing several bytes.
    control
        .enter(Phase::Verify, manifest.file_bytes().saturating_add(manifest.ortho_count.saturating_mul(8)));
    check_files(path, &manifest, control, &**disk, &mut report)?;
    find_strangers(path, &manifest, &**disk, &mut report)?;
    check_texts(path, &manifest, &**disk, &mut report)?;
    let blamed = |name: &str| report.problems.iter().any(|problem| problem.file.as_deref() == Some(name));
    if let Some(name) = [INTERNER_NAME, RANKS_NAME].into_iter().find(|name| blamed(name)) {
        report.add(None, format!("the orthos were not checked, as that cannot be done without {name}"));
    } else if let Some(interner) =
        noted(load_interner(path, &manifest, &**disk), Some(INTERNER_NAME), &mut report)?
    {
        let index = PhraseIndex::build_while(Arc::new(interner), &|| control.check())?;
        let mut orthos = OrthoCheck::new(&index, options, disk)?;
        orthos.read(path, &manifest, control, disk, &mut report)?;
        let said = noted(load_tallies(path, &manifest, &**disk), Some(TALLIES_NAME), &mut report)?;
        if said.is_some_and(|said| said != orthos.tally) {
            report.add(
                Some(TALLIES_NAME),
                format!("{TALLIES_NAME} has other counts or sums than the sound orthos"),
            );
        }
        orthos.conclude(&manifest, &mut report)?;
    }
    Ok(report)
}

/// Turns damage into a problem and lets other errors through.
fn noted<T>(result: Result<T>, file: Option<&str>, report: &mut Report) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code() == Code::Damaged => {
            report.add(file, error.to_string());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Length and sum of every file that the manifest lists.
fn check_files(
    path: &Path,
    manifest: &Manifest,
    control: &Control,
    disk: &dyn Disk,
    report: &mut Report,
) -> Result<()> {
    for (name, info) in &manifest.files {
        let file = inside(path, name);
        match file_len(&file, disk)? {
            None => report.add(Some(name), missing(name)),
            Some(found) if found != info.bytes => {
                report.add(Some(name), wrong_length(name, info.bytes, found));
            }
            Some(_) => {
                let mut each = |got: usize| {
                    control.advance(got as u64);
                    if control.is_cancelled() { Err(io::Error::other("cancelled")) } else { Ok(()) }
                };
                let summed = disk.open_read(&file).and_then(|mut reader| hash_reader(&mut reader, &mut each));
                control.check()?;
                let summed = summed.map_err(|cause| Error::io("reading", &file, cause))?;
                if summed.sha256 != info.sha256 {
                    let message = format!(
                        "{name} has the SHA-256 {}, expected {}: it was changed",
                        summed.sha256, info.sha256
                    );
                    report.add(Some(name), message);
                }
                report.files += 1;
                report.bytes += summed.bytes;
            }
        }
    }
    Ok(())
}

/// Names what is there and not listed. Goes only into directories that hold listed files.
fn find_strangers(path: &Path, manifest: &Manifest, disk: &dyn Disk, report: &mut Report) -> Result<()> {
    let mut files: BTreeSet<PathBuf> = manifest.files.keys().map(|name| inside(path, name)).collect();
    // A writer that was killed just after the rename leaves these two.
    files.extend([CHECKPOINT_NAME, LOCK_NAME].map(|name| path.join(name)));
    files.extend([MANIFEST_NAME, SUMS_NAME].map(|name| path.join(name)));
    let mut directories: BTreeSet<&Path> = files.iter().flat_map(|file| file.ancestors().skip(1)).collect();
    directories.retain(|directory| directory.starts_with(path));
    let results = path.join(RESULTS_NAME);
    for directory in &directories {
        if !disk.exists(directory) {
            continue;
        }
        let entries = disk.list(directory).map_err(|cause| Error::io("listing", directory, cause))?;
        for entry in entries {
            // An archive without orthos has an empty directory for them.
            if !files.contains(&entry)
                && !directories.contains(entry.as_path())
                && !is_empty(&entry, &results, disk)
            {
                let inside = entry.strip_prefix(path).unwrap_or(&entry);
                let name = inside.to_string_lossy().replace('\\', "/");
                report.add(Some(&name), format!("{name} does not belong to the archive"));
            }
        }
    }
    Ok(())
}

fn is_empty(entry: &Path, results: &Path, disk: &dyn Disk) -> bool {
    entry == results && disk.list(entry).is_ok_and(|entries| entries.is_empty())
}

/// The texts for people, which follow from the manifest.
fn check_texts(path: &Path, manifest: &Manifest, disk: &dyn Disk, report: &mut Report) -> Result<()> {
    let optimal = optimal_text(
        manifest.optimal.as_ref(),
        manifest.ortho_count,
        manifest.complete,
        manifest.proof.as_ref(),
    );
    for (name, expected) in [(OPTIMAL_NAME, optimal), (LINEAGE_NAME, format!("{}\n", manifest.lineage))] {
        if !manifest.files.contains_key(name) {
            report.add(Some(MANIFEST_NAME), format!("{MANIFEST_NAME} does not list {name}"));
        }
        let file = path.join(name);
        if file_len(&file, disk)? == Some(expected.len() as u64) {
            let mut found = Vec::new();
            let read = disk.open_read(&file).and_then(|mut reader| reader.read_to_end(&mut found));
            read.map_err(|cause| Error::io("reading", &file, cause))?;
            if found == expected.as_bytes() {
                continue;
            }
        } else if !disk.exists(&file) {
            // Named with the files.
            continue;
        }
        report.add(Some(name), format!("{name} does not say what {MANIFEST_NAME} does"));
    }
    if let Err(reason) = manifest.lineage.parse::<super::Lineage>() {
        report.add(Some(MANIFEST_NAME), reason);
    }
    Ok(())
}

/// Problems alike: the first are listed, the rest counted.
#[derive(Debug, Default)]
struct Many(u64);

impl Many {
    fn add(&mut self, file: &str, message: impl FnOnce() -> String, report: &mut Report) {
        self.0 += 1;
        if self.0 <= LISTED {
            report.add(Some(file), message());
        }
    }

    fn conclude(&self, what: &str, report: &mut Report) {
        if self.0 > LISTED {
            report.add(None, format!("{} more {what}", self.0 - LISTED));
        }
    }
}

/// One pass over all orthos.
struct OrthoCheck<'a> {
    index: &'a PhraseIndex,
    words: WordHashes,
    hasher: OrthoHasher,
    distinct: Distinct,
    tally: SetTally,
    best: Option<Ortho>,
    unsound: Many,
    repeated: Many,
}

impl<'a> OrthoCheck<'a> {
    fn new(index: &'a PhraseIndex, options: &VerifyOptions, disk: &Arc<dyn Disk>) -> Result<Self> {
        Ok(Self {
            index,
            words: WordHashes::new(index.interner()),
            hasher: OrthoHasher::default(),
            distinct: Distinct::open(options, disk)?,
            tally: SetTally::default(),
            best: None,
            unsound: Many::default(),
            repeated: Many::default(),
        })
    }

    fn interner(&self) -> &'a Arc<Interner> {
        self.index.interner()
    }

    fn read(
        &mut self,
        path: &Path,
        manifest: &Manifest,
        control: &Control,
        disk: &Arc<dyn Disk>,
        report: &mut Report,
    ) -> Result<()> {
        let results = load_results(path, manifest, disk);
        let Some(results) = noted(results, None, report)? else { return Ok(()) };
        let listed = manifest.shapes.iter().map(|(shape, _)| shape.dims().to_vec());
        let shapes: BTreeSet<_> = results.shapes().iter().cloned().chain(listed).collect();
        for dims in shapes {
            let file = format!("{RESULTS_NAME}/{}", shape_name(&dims));
            match Checker::new(&dims, self.index) {
                Err(reason) => report.add(Some(&file), reason),
                Ok(checker) => {
                    let read = self.read_shape(&results, &dims, checker, &file, control, report);
                    noted(read, Some(&file), report)?;
                }
            }
        }
        Ok(())
    }

    fn read_shape(
        &mut self,
        results: &ResultsReader,
        dims: &[u32],
        mut checker: Checker<'_>,
        file: &str,
        control: &Control,
        report: &mut Report,
    ) -> Result<()> {
        let mut cursor = results.cursor(dims)?;
        let mut batch = Vec::with_capacity(BATCH);
        let mut at = 0;
        let mut ended = false;
        while !ended {
            control.check()?;
            batch.clear();
            let mut failed = None;
            while batch.len() < BATCH {
                let mut ortho = Ortho::default();
                match cursor.next(&mut ortho) {
                    Ok(true) => batch.push(ortho),
                    Ok(false) => {
                        ended = true;
                        break;
                    }
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            self.check_batch(&batch, dims, &mut checker, at, file, report)?;
            at += batch.len() as u64;
            report.orthos += batch.len() as u64;
            control.add_orthos(batch.len() as u64);
            control.advance(batch.len() as u64 * 8);
            if let Some(error) = failed {
                return Err(error);
            }
        }
        Ok(())
    }

    fn check_batch(
        &mut self,
        batch: &[Ortho],
        dims: &[u32],
        checker: &mut Checker<'_>,
        first: u64,
        file: &str,
        report: &mut Report,
    ) -> Result<()> {
        let mut hashes = Vec::with_capacity(batch.len());
        let mut places = Vec::with_capacity(batch.len());
        for (at, ortho) in (first..).zip(batch) {
            let sound = if ortho.dims == dims {
                checker.check(&ortho.tokens)
            } else {
                Err(format!("it is a {}", shape_name(&ortho.dims)))
            };
            if let Err(reason) = sound {
                self.unsound.add(file, || format!("ortho {at} of {file} is none: {reason}"), report);
                continue;
            }
            let hash = self.hasher.hash(&self.words, ortho);
            self.tally.add(dims, 1, hash);
            if self.best.as_ref().is_none_or(|best| compare_optimal(ortho, best) == Ordering::Greater) {
                self.best = Some(ortho.clone());
            }
            hashes.push(hash);
            places.push(at);
        }
        let new = self.distinct.add(&hashes)?;
        for (at, _) in places.iter().zip(new).filter(|(_, new)| !new) {
            self.repeated.add(file, || format!("ortho {at} of {file} was there before"), report);
        }
        Ok(())
    }

    /// Holds what was counted against the manifest.
    fn conclude(self, manifest: &Manifest, report: &mut Report) -> Result<()> {
        self.unsound.conclude("orthos are none", report);
        self.repeated.conclude("orthos were there before", report);
        let counts = counts(&self.tally)?;
        let shapes: BTreeSet<&Shape> =
            counts.iter().chain(manifest.shapes.iter()).map(|(shape, _)| shape).collect();
        for shape in shapes {
            let (said, found) = (manifest.shapes.get(shape), counts.get(shape));
            if said != found {
                report.add(
                    Some(MANIFEST_NAME),
                    format!(
                        "{MANIFEST_NAME} says {said} orthos of shape {shape}, there are {found} sound ones"
                    ),
                );
            }
        }
        if let Some(said) = &manifest.proof {
            let shapes: Vec<&[u32]> = counts.iter().map(|(shape, _)| shape.dims()).collect();
            for problem in proof::problems(said, self.best.as_ref(), &shapes) {
                report.add(Some(MANIFEST_NAME), problem);
            }
        }
        let best: Option<Optimal> = self.best.as_ref().map(|best| Optimal::of(best, self.interner()));
        if best != manifest.optimal {
            let name = |optimal: &Option<Optimal>| match optimal {
                Some(optimal) => format!("{} {:?}", shape_name(&optimal.dims), optimal.words.join(" ")),
                None => "none".to_owned(),
            };
            let (said, found) = (name(&manifest.optimal), name(&best));
            report.add(
                Some(MANIFEST_NAME),
                format!("{MANIFEST_NAME} says the optimal ortho is {said}; it is {found}"),
            );
        }
        let digest = hex(&self.tally.content_digest(&self.interner().digest()));
        if digest != manifest.content_digest {
            let said = &manifest.content_digest;
            report.add(
                Some(MANIFEST_NAME),
                format!("{MANIFEST_NAME} says the content digest is {said}; it is {digest}"),
            );
        }
        Ok(())
    }
}
