//! An archive is there whole or not at all, whatever fails and whenever the power goes.

use super::*;
use crate::disk::faulty::{Fault, FaultyDisk};
use crate::disk::{DiskFile, Held, Space};
use crate::error::Error;
use std::io;

const TARGET: &str = "/archives/a.bin";

fn write(disk: &FaultyDisk, orthos: &[Ortho]) -> Result<Manifest> {
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    write_archive(TEXT, orthos, Path::new(TARGET), &shared)
}

fn is_there(disk: &FaultyDisk) -> bool {
    disk.exists(Path::new(TARGET))
}

fn assert_sound(disk: &FaultyDisk, when: &str) {
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let report = check(Path::new(TARGET), Path::new("/scratch"), &shared).expect("a report");
    assert!(report.is_sound(), "{when}: {:?}", report.problems);
}

fn operations(orthos: &[Ortho]) -> u64 {
    let disk = FaultyDisk::default();
    write(&disk, orthos).expect("an archive");
    disk.operations()
}

#[test]
fn after_any_failure_nothing_is_left() {
    let orthos = brute_force::orthos(&index(TEXT));
    let mut full = 0;
    for at in 0..operations(&orthos) {
        let disk = FaultyDisk::default();
        disk.fail(at, Fault::Once);
        match write(&disk, &orthos) {
            Ok(_) => assert_sound(&disk, &format!("operation {at} failed unnoticed")),
            Err(error) => {
                assert!([Code::DiskFull, Code::Io].contains(&error.code()), "operation {at}: {error}");
                full += u32::from(error.code() == Code::DiskFull);
                // Only the very last step, making the rename durable, can fail with the archive in its place.
                if is_there(&disk) {
                    assert_sound(&disk, &format!("operation {at}"));
                } else {
                    assert_eq!(disk.files(), [] as [PathBuf; 0], "operation {at}");
                }
            }
        }
    }
    assert!(full > 5, "a full disk was met {full} times");
}

#[test]
fn after_a_crash_the_archive_is_whole_or_not_there() {
    let orthos = brute_force::orthos(&index(TEXT));
    let all = operations(&orthos);
    for at in 0..=all {
        for seed in [None, Some(1), Some(2), Some(3), Some(4)] {
            let disk = FaultyDisk::default();
            disk.fail(at, Fault::ForEver);
            let outcome = write(&disk, &orthos);
            disk.crash(seed);
            if is_there(&disk) {
                assert_sound(&disk, &format!("crash at {at}, seed {seed:?}"));
            } else {
                assert!(outcome.is_err(), "reported as written and gone: crash at {at}, seed {seed:?}");
                for file in disk.files() {
                    let top = file.strip_prefix("/archives").expect("here").components().next();
                    let top = top.expect("a name").as_os_str().to_string_lossy().into_owned();
                    assert!(is_leftover(&top), "{top}");
                }
            }
        }
    }
}

#[test]
fn one_fsync_a_file() {
    // Archives of short texts are to cost milliseconds: the operations are few and known.
    let disk = FaultyDisk::default();
    let manifest = write(&disk, &brute_force::orthos(&index(TEXT))).expect("an archive");
    let files = manifest.files.len() as u64;
    assert!(disk.operations() < 12 * (files + 4), "{} operations for {files} files", disk.operations());
}

/// A file system mounted read-only.
#[derive(Debug)]
struct ReadOnly;

fn refused<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

impl Disk for ReadOnly {
    fn create_new(&self, _: &Path) -> io::Result<Box<dyn DiskFile>> {
        refused()
    }
    fn open(&self, _: &Path) -> io::Result<Box<dyn DiskFile>> {
        refused()
    }
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.open_read(path)
    }
    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        refused()
    }
    fn remove_file(&self, _: &Path) -> io::Result<()> {
        refused()
    }
    fn create_dir_all(&self, _: &Path) -> io::Result<()> {
        refused()
    }
    fn remove_dir_all(&self, _: &Path) -> io::Result<()> {
        refused()
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        refused()
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

#[test]
fn a_read_only_place_is_told_at_once() {
    let place = tempfile::tempdir().expect("a directory");
    let target = place.path().join("a.bin");
    let disk: Arc<dyn Disk> = Arc::new(ReadOnly);
    let error: Error = ArchiveWriter::create(&target, &disk).expect_err("read-only");
    assert_eq!(error.code(), Code::NotWritable, "{error}");
}

#[test]
fn a_read_only_archive_can_be_read() {
    let place = Place::new();
    let reader = ArchiveReader::open(&place.target(), Arc::new(ReadOnly)).expect("an archive");
    assert_eq!(text_of(&reader, &Filter::default(), 100), text_of(&place.open(), &Filter::default(), 100));
}
