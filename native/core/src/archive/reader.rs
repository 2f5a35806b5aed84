//! An archive opened for reading.
//!
//! [`open`](ArchiveReader::open) checks what is cheap: that it is an archive of a known version, that manifest and
//! `SHA256SUMS` agree, that every file is there with its length, and the interner with its checksum. Results are
//! checked by their queues as they are read. Memory: the interner; the rest as needed.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::manifest::{Goal, Manifest, claimed_version, newer};
use super::orthos::{Filter, Orthos, Words};
use super::sums::{MANIFEST_NAME, SUMS_NAME, manifest_sum, render, sha256};
use super::tallies;
use super::writer::{INTERNER_NAME, PROGRESS_NAME, RANKS_NAME, RESULTS_NAME, TALLIES_NAME};
use crate::checkpoint::Checkpoint;
use crate::digest::SetTally;
use crate::disk::Disk;
use crate::error::{Code, Error, Result};
use crate::ortho::Ortho;
use crate::results::{RankTables, ResultsReader};
use crate::text::Interner;

/// Longest manifest that is read into memory: files for terabytes of results, or an ortho of a million words.
const MAX_MANIFEST: u64 = 64 << 20;
/// Longest progress: a bit for each of 2^32 bigrams, with what surrounds them.
const MAX_PROGRESS: u64 = 1 << 30;
/// Longest table of ranks: four bytes for each of 2^31 words, with what surrounds them.
const MAX_RANKS: u64 = (4 << 31) + 64;

/// See the [module](self).
#[derive(Debug)]
pub struct ArchiveReader {
    path: PathBuf,
    manifest: Manifest,
    interner: Arc<Interner>,
    words: OnceLock<Arc<Words>>,
    disk: Arc<dyn Disk>,
}

impl ArchiveReader {
    /// Opens the archive at `path`.
    ///
    /// # Errors
    /// [`Code::InputNotFound`] if nothing is there, [`Code::NotAnArchive`], [`Code::NewerFormat`], [`Code::Damaged`]
    /// naming the file, or a failure to read.
    pub fn open(path: &Path, disk: Arc<dyn Disk>) -> Result<Self> {
        let manifest = load_manifest(path, &*disk)?;
        check_lengths(path, &manifest, &*disk)?;
        let interner = load_interner(path, &manifest, &*disk)?;
        Ok(Self {
            path: path.to_path_buf(),
            manifest,
            interner: Arc::new(interner),
            words: OnceLock::new(),
            disk,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its vocabulary and phrases.
    #[must_use]
    pub fn interner(&self) -> &Arc<Interner> {
        &self.interner
    }

    /// Where its results are.
    #[must_use]
    pub fn results(&self) -> PathBuf {
        self.path.join(RESULTS_NAME)
    }

    /// How far the search came that was ended early; nothing if it cannot be gone on with.
    ///
    /// # Errors
    /// [`Code::Damaged`], or a failure to read.
    pub fn progress(&self) -> Result<Option<Checkpoint>> {
        let Some(info) = self.manifest.files.get(PROGRESS_NAME) else { return Ok(None) };
        let file = self.path.join(PROGRESS_NAME);
        let bytes = read_small(&file, MAX_PROGRESS, &*self.disk)?;
        let bytes = bytes.ok_or_else(|| damaged(&self.path, &missing(PROGRESS_NAME)))?;
        if sha256(&bytes) != info.sha256 {
            return Err(damaged(
                &self.path,
                &format!("{PROGRESS_NAME} has another SHA-256 than {MANIFEST_NAME} says"),
            ));
        }
        Checkpoint::decode(&file.display().to_string(), &bytes).map(Some)
    }

    /// The tables that its records use.
    ///
    /// # Errors
    /// [`Code::Damaged`], or a failure to read.
    pub fn rank_tables(&self) -> Result<RankTables> {
        Ok(self.open_results()?.tables().clone())
    }

    /// The results with their tables of ranks.
    pub(super) fn open_results(&self) -> Result<ResultsReader> {
        load_results(&self.path, &self.manifest, &self.disk)
    }

    /// The orthos that the filter lets through: by number of dimensions, then shape, then as stored; the same order every
    /// time. A shape or word that the archive does not have lets none through.
    ///
    /// # Errors
    /// Failures to open the results.
    pub fn orthos(&self, filter: &Filter) -> Result<Orthos> {
        let words = self.words.get_or_init(|| Arc::new(Words::of(&self.interner)));
        let results = self.open_results()?;
        Ok(Orthos::new(results, filter, &self.manifest, &self.interner, Arc::clone(words)))
    }
}

/// The manifest, agreeing with `SHA256SUMS`.
pub(crate) fn load_manifest(path: &Path, disk: &dyn Disk) -> Result<Manifest> {
    if !disk.exists(path) {
        return Err(Error::new(
            Code::InputNotFound,
            format!("there is no {}; expected the directory of an archive", path.display()),
        ));
    }
    let json = read_small(&path.join(MANIFEST_NAME), MAX_MANIFEST, disk)?;
    let sums = read_small(&path.join(SUMS_NAME), MAX_MANIFEST, disk)?;
    let Some(json) = json else {
        if sums.is_some() {
            return Err(damaged(path, &missing(MANIFEST_NAME)));
        }
        return Err(Error::new(Code::NotAnArchive, not_an_archive(path, disk)));
    };
    let name = path.join(MANIFEST_NAME).display().to_string();
    let Some(sums) = sums else {
        // A later version may guard its manifest in another way; anything else is damage or no archive.
        return Err(match claimed_version(&json) {
            Some(version) if version > super::FORMAT_VERSION => newer(&name, version),
            Some(_) => damaged(path, &missing(SUMS_NAME)),
            None => Error::new(Code::NotAnArchive, not_an_archive(path, disk)),
        });
    };
    let sums = String::from_utf8_lossy(&sums);
    let (sum, said) = (sha256(&json), manifest_sum(&sums));
    if said != Some(sum.as_str()) {
        let said = said.unwrap_or("nothing");
        return Err(damaged(
            path,
            &format!(
                "{MANIFEST_NAME} has the SHA-256 {sum} and {SUMS_NAME} says {said}: one of the two was changed"
            ),
        ));
    }
    let manifest = Manifest::from_json(&name, &json)?;
    if render(&sum, &manifest.files) != sums {
        return Err(damaged(
            path,
            &format!("{SUMS_NAME} does not say what {MANIFEST_NAME} does: it was changed"),
        ));
    }
    Ok(manifest)
}

/// Whether all files that a manifest lists are there, and as long as it says.
pub(crate) fn check_lengths(path: &Path, manifest: &Manifest, disk: &dyn Disk) -> Result<()> {
    for (name, info) in &manifest.files {
        let found = file_len(&inside(path, name), disk)?;
        let found = found.ok_or_else(|| damaged(path, &missing(name)))?;
        if found != info.bytes {
            return Err(damaged(path, &wrong_length(name, info.bytes, found)));
        }
    }
    Ok(())
}

/// The interner that a manifest lists.
pub(crate) fn load_interner(path: &Path, manifest: &Manifest, disk: &dyn Disk) -> Result<Interner> {
    let file = path.join(INTERNER_NAME);
    let Some(info) = manifest.files.get(INTERNER_NAME) else {
        return Err(damaged(path, &format!("{MANIFEST_NAME} does not list {INTERNER_NAME}")));
    };
    let mut reader = disk.open_read(&file).map_err(|cause| Error::io("reading", &file, cause))?;
    let interner = Interner::decode(&file.display().to_string(), &mut reader, info.bytes)?;
    if interner.vocabulary_len() as u64 != manifest.vocabulary {
        let found = interner.vocabulary_len();
        return Err(damaged(
            path,
            &format!("{INTERNER_NAME} has {found} words, not {}", manifest.vocabulary),
        ));
    }
    Ok(interner)
}

/// The results, by the ranks that a manifest lists.
pub(crate) fn load_results(path: &Path, manifest: &Manifest, disk: &Arc<dyn Disk>) -> Result<ResultsReader> {
    let file = path.join(RANKS_NAME);
    let Some(bytes) = read_small(&file, MAX_RANKS, &**disk)? else {
        return Err(damaged(path, &missing(RANKS_NAME)));
    };
    let ranks = RankTables::decode(&file.display().to_string(), &bytes)?;
    if ranks.words() as u64 != manifest.vocabulary {
        return Err(damaged(
            path,
            &format!("{RANKS_NAME} has {} words, not {}", ranks.words(), manifest.vocabulary),
        ));
    }
    ResultsReader::open(&path.join(RESULTS_NAME), ranks, Arc::clone(disk))
}

/// The best orthos that an archive is known to hold: all of them if it is of a search for the optimum, and else its
/// optimal one.
pub(crate) fn load_best(
    path: &Path,
    manifest: &Manifest,
    interner: &Interner,
    disk: &Arc<dyn Disk>,
) -> Result<Vec<Ortho>> {
    if manifest.goal == Goal::All {
        let Some(optimal) = &manifest.optimal else { return Ok(vec![]) };
        let tokens = optimal.words.iter().map(|word| interner.token(word)).collect::<Option<Vec<_>>>();
        let tokens = tokens
            .ok_or_else(|| damaged(path, "the optimal ortho has words that are not in its vocabulary"))?;
        return Ok(vec![Ortho { dims: optimal.dims.clone(), tokens }]);
    }
    let results = load_results(path, manifest, disk)?;
    let mut best = vec![];
    for dims in results.shapes() {
        let mut cursor = results.cursor(dims)?;
        let mut ortho = Ortho::default();
        while cursor.next(&mut ortho)? {
            best.push(ortho.clone());
            if best.len() as u64 > manifest.ortho_count {
                return Err(damaged(
                    path,
                    &format!("it holds more than its {} orthos", manifest.ortho_count),
                ));
            }
        }
    }
    Ok(best)
}

/// The tally of the results, which agrees with the manifest's counts.
pub(crate) fn load_tallies(path: &Path, manifest: &Manifest, disk: &dyn Disk) -> Result<SetTally> {
    let file = path.join(TALLIES_NAME);
    let Some(bytes) = read_small(&file, MAX_MANIFEST, disk)? else {
        return Err(damaged(path, &missing(TALLIES_NAME)));
    };
    let tally = tallies::decode(&file.display().to_string(), &bytes)?;
    let counted = tally.0.iter().map(|(dims, tally)| (dims.as_slice(), tally.count));
    let mut said: Vec<_> = manifest.shapes.iter().map(|(shape, count)| (shape.dims(), count)).collect();
    said.sort_unstable();
    if !counted.eq(said) {
        return Err(damaged(path, &format!("{TALLIES_NAME} has other counts than {MANIFEST_NAME}")));
    }
    Ok(tally)
}

/// The path of a file that a manifest lists.
pub(crate) fn inside(path: &Path, name: &str) -> PathBuf {
    name.split('/').fold(path.to_path_buf(), |path, part| path.join(part))
}

/// The length of a file; nothing if it is not there.
pub(super) fn file_len(path: &Path, disk: &dyn Disk) -> Result<Option<u64>> {
    if !disk.exists(path) {
        return Ok(None);
    }
    let length = disk.open_read(path).and_then(|file| file.len());
    length.map(Some).map_err(|cause| Error::io("opening", path, cause))
}

pub(super) fn missing(name: &str) -> String {
    format!("{name} is missing")
}

pub(super) fn wrong_length(name: &str, expected: u64, found: u64) -> String {
    format!("{name} has {found} bytes, expected {expected}")
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::new(
        Code::Damaged,
        format!(
            "the archive {} is damaged: {what}; take another copy or search the text again",
            path.display()
        ),
    )
}

fn read_small(path: &Path, most: u64, disk: &dyn Disk) -> Result<Option<Vec<u8>>> {
    // A file in the place of the archive's directory makes opening fail with one of these.
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let mut bytes = Vec::new();
    let read = disk.open_read(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    match read {
        Ok(length) if length as u64 > most => Err(Error::new(
            Code::Damaged,
            format!("{} is longer than the {most} bytes that it can have", path.display()),
        )),
        Ok(_) => Ok(Some(bytes)),
        Err(cause) if matches!(cause.kind(), NotFound | NotADirectory) => Ok(None),
        Err(cause) => Err(Error::io("reading", path, cause)),
    }
}

fn not_an_archive(path: &Path, disk: &dyn Disk) -> String {
    let found = match disk.list(path) {
        Err(_) => "it is a file; unpack it first if it is a packed archive".to_owned(),
        Ok(entries) if entries.is_empty() => "it is an empty directory".to_owned(),
        Ok(entries) => {
            let names: Vec<_> = entries
                .iter()
                .filter_map(|entry| entry.file_name())
                .map(|name| name.to_string_lossy())
                .collect();
            let more = if names.len() > 3 { " and more" } else { "" };
            format!("it holds {}{more}", names[..names.len().min(3)].join(", "))
        }
    };
    format!("{} is not an archive: expected a directory with {MANIFEST_NAME}, and {found}", path.display())
}
