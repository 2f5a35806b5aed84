//! Runs one search into a temporary directory and reads everything back.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fold_core::Result;
use fold_core::digest::{OrthoHasher, SetTally, WordHashes};
use fold_core::disk::{Disk, DiskFile, Held, RealDisk, Space};
use fold_core::ortho::{Dims, Ortho, compare_optimal};
use fold_core::results::{Found, Ranks, ResultsReader, ResultsWriter};
use fold_core::search::{Settings, Sizes, Stop, Watch, run_with_sizes};
use fold_core::text::{Interner, PhraseIndex};

/// How to search.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How {
    pub(crate) threads: usize,
    pub(crate) memory: u64,
    pub(crate) sizes: Sizes,
}

impl Default for How {
    fn default() -> Self {
        Self { threads: 1, memory: 256 << 20, sizes: Sizes::default() }
    }
}

/// Sizes at which everything is sliced, dropped or looked at by itself.
pub(crate) fn tiny_sizes() -> Sizes {
    Sizes {
        ears: 1,
        fours: usize::MAX,
        least_fours: 0,
        fives: 1,
        line_words: usize::MAX,
        past: 1 << 10,
        joins: 1,
        axes: u32::MAX,
        cubes_alone: false,
        seeded: None,
    }
}

/// What a search found, and what it left on disk.
#[derive(Debug)]
pub(crate) struct Searched {
    pub(crate) interner: Arc<Interner>,
    pub(crate) found: Found,
    /// What was read back, sorted; an ortho that is there twice is here twice.
    pub(crate) orthos: Vec<Ortho>,
    pub(crate) digest: [u8; 32],
}

impl Searched {
    pub(crate) fn counts(&self) -> BTreeMap<Dims, u64> {
        self.found.tally.0.iter().map(|(dims, tally)| (dims.clone(), tally.count)).collect()
    }

    /// What was counted, hashed and named best is what was written.
    pub(crate) fn agrees_with_itself(&self) {
        let words = WordHashes::new(&self.interner);
        let mut hasher = OrthoHasher::default();
        let mut tally = SetTally::default();
        for ortho in &self.orthos {
            tally.add(&ortho.dims, 1, hasher.hash(&words, ortho));
        }
        assert_eq!(tally, self.found.tally, "the tally is that of what was written");
        assert_eq!(tally.content_digest(&self.interner.digest()), self.digest);
        let best = self.orthos.iter().max_by(|a, b| compare_optimal(a, b));
        assert_eq!(best, self.found.best.as_ref(), "the best is the best of what was written");
        let repeated = self.orthos.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(repeated, None, "no ortho is there twice");
    }
}

pub(crate) fn search(text: &[u8], how: How) -> Result<Searched> {
    let interner = Arc::new(Interner::from_bytes("text", text)?);
    search_interner(&interner, how, &Stop::default())
}

pub(crate) fn search_interner(interner: &Arc<Interner>, how: How, stop: &Stop) -> Result<Searched> {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (found, ranks) = search_into(directory.path(), interner, how, stop)?;
    let orthos = read_back(directory.path(), ranks)?;
    let digest = found.tally.content_digest(&interner.digest());
    Ok(Searched { interner: Arc::clone(interner), found, orthos, digest })
}

/// Searches, without reading back.
pub(crate) fn search_into(
    directory: &Path,
    interner: &Arc<Interner>,
    how: How,
    stop: &Stop,
) -> Result<(Found, Arc<Ranks>)> {
    let index = PhraseIndex::build(Arc::clone(interner))?;
    let ranks = Arc::new(Ranks::new(&index));
    let words = WordHashes::new(interner);
    let writer = ResultsWriter::create(&directory.join("results"), 1 << 18, Arc::new(Careless))?;
    let How { threads, memory, sizes } = how;
    let settings = Settings { threads, memory };
    let found =
        run_with_sizes(&index, &ranks, &words, &writer, None, settings, sizes, stop, &Watch::default())?;
    writer.close()?;
    Ok((found, ranks))
}

fn read_back(directory: &Path, ranks: Arc<Ranks>) -> Result<Vec<Ortho>> {
    let reader = ResultsReader::open(&directory.join("results"), ranks, RealDisk::shared())?;
    let mut orthos = vec![];
    for dims in reader.shapes() {
        let mut cursor = reader.cursor(dims)?;
        let mut ortho = Ortho::default();
        let before = orthos.len();
        while cursor.next(&mut ortho)? {
            orthos.push(ortho.clone());
        }
        assert!(orthos.len() > before, "no directory without orthos");
    }
    orthos.sort_by(|a, b| (&a.dims, &a.tokens).cmp(&(&b.dims, &b.tokens)));
    Ok(orthos)
}

/// The real disk without fsync: thousands of small searches would wait for nothing else.
#[derive(Debug)]
pub(crate) struct Careless;

#[derive(Debug)]
struct CarelessFile(Box<dyn DiskFile>);

impl Read for CarelessFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for CarelessFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for CarelessFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl DiskFile for CarelessFile {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
}

impl Disk for Careless {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(CarelessFile(RealDisk.create_new(path)?)))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(CarelessFile(RealDisk.open(path)?)))
    }
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.open_read(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove_file(path)
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_dir_all(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove_dir_all(path)
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        RealDisk.list(path)
    }
    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Held>>> {
        RealDisk.try_lock(path)
    }
    fn space(&self, path: &Path) -> io::Result<Space> {
        RealDisk.space(path)
    }
    fn exists(&self, path: &Path) -> bool {
        RealDisk.exists(path)
    }
}

/// A real text, or `None` (and a note) where the shared files are not.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let shared = std::env::var_os("FOLD_SHARED").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let path = shared.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there; set FOLD_SHARED", path.display());
    None
}
