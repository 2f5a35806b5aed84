//! What an archive promises, on a real disk and on one that fails.

pub(crate) mod brute_force;
mod damage;
mod faults;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::verify::{Report, VerifyOptions, verify};
use super::*;
use crate::control::Control;
use crate::digest::WordHashes;
use crate::disk::{Disk, RealDisk};
use crate::error::{Code, Result};
use crate::ortho::{Ortho, canonical_cells};
use crate::results::{Emitter, Ranks, ResultsWriter};
use crate::text::{Interner, PhraseIndex};

/// Has a 2x3, a cube, and squares.
pub(crate) const TEXT: &str =
    "a b c. d e f. a d. b e. c f. o p. o q. o r. p s. p t. q s. q u. r t. r u. s z. t z. u z.";

pub(crate) fn index(text: &str) -> PhraseIndex {
    let interner = Interner::from_bytes("text", text.as_bytes()).expect("UTF-8");
    PhraseIndex::build(Arc::new(interner)).expect("an index")
}

/// Writes these orthos as results.
pub(crate) fn write_orthos(
    orthos: &[Ortho],
    index: &PhraseIndex,
    ranks: &Ranks,
    results: &Path,
    disk: Arc<dyn Disk>,
) -> Result<Contents> {
    let writer = ResultsWriter::create(results, 1 << 16, disk)?;
    let words = WordHashes::new(index.interner());
    let mut emitter = Emitter::new(ranks, &words, &writer);
    for ortho in orthos {
        let mut cells: Vec<_> = canonical_cells(&ortho.dims).into_iter().zip(&ortho.tokens).collect();
        // Grown order: the first axis fastest.
        cells.sort_by_key(|(cell, _)| cell.iter().rev().copied().collect::<Vec<u32>>());
        let cells: Vec<_> = cells.into_iter().map(|(_, &token)| ranks.rank(token)).collect();
        emitter.single(&ortho.dims, &cells)?;
    }
    let found = emitter.finish()?;
    writer.close()?;
    Ok(Contents { tally: found.tally, best: found.best, complete: true, ..Contents::default() })
}

pub(crate) fn write_archive(
    text: &str,
    orthos: &[Ortho],
    target: &Path,
    disk: &Arc<dyn Disk>,
) -> Result<Manifest> {
    let index = index(text);
    let ranks = Ranks::new(&index);
    let writer = ArchiveWriter::create(target, disk)?;
    let contents = write_orthos(orthos, &index, &ranks, &writer.results(), writer.disk())?;
    let lineage = Lineage::Text("a \"text\"".to_owned());
    let description = Description {
        input: Some(InputInfo { name: "a \"text\"".to_owned(), sha256: hex(&[7; 32]), bytes: 99 }),
        lineage: &lineage,
        interner: index.interner(),
        ranks: &Arc::new(ranks.clone()).into(),
        contents: &contents,
        search: SearchInfo { elapsed_seconds: 0.5, threads: 1, memory: 1 << 20 },
    };
    writer.finish(description, &Control::default())
}

pub(crate) fn check(target: &Path, scratch: &Path, disk: &Arc<dyn Disk>) -> Result<Report> {
    let options = VerifyOptions { scratch: scratch.to_path_buf(), memory: 1 << 16 };
    verify(target, &options, &Control::default(), disk)
}

/// A directory with an archive of [`TEXT`] in it.
struct Place {
    directory: tempfile::TempDir,
    disk: Arc<dyn Disk>,
    orthos: Vec<Ortho>,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            directory: tempfile::tempdir().expect("a directory"),
            disk: RealDisk::shared(),
            orthos: brute_force::orthos(&index(TEXT)),
        };
        write_archive(TEXT, &place.orthos, &place.target(), &place.disk).expect("an archive");
        place
    }

    fn target(&self) -> PathBuf {
        self.directory.path().join("a.bin")
    }

    fn open(&self) -> ArchiveReader {
        ArchiveReader::open(&self.target(), Arc::clone(&self.disk)).expect("an archive")
    }

    fn verify(&self) -> Report {
        check(&self.target(), self.directory.path(), &self.disk).expect("a report")
    }

    fn names(&self) -> Vec<String> {
        let entries = self.disk.list(self.directory.path()).expect("a list");
        entries.iter().filter_map(|e| Some(e.file_name()?.to_string_lossy().into_owned())).collect()
    }
}

fn text_of(reader: &ArchiveReader, filter: &Filter, max_bytes: usize) -> String {
    let mut orthos = reader.orthos(filter).expect("orthos");
    let (mut all, mut piece) = (Vec::new(), Vec::new());
    while orthos.next_text(max_bytes, &mut piece).expect("text") {
        all.extend_from_slice(&piece);
    }
    assert!(!orthos.next_text(max_bytes, &mut piece).expect("still nothing") && piece.is_empty());
    String::from_utf8(all).expect("UTF-8")
}

fn lines(orthos: &[Ortho], interner: &Interner) -> Vec<String> {
    let line = |ortho: &Ortho| {
        let words: Vec<&str> = ortho.tokens.iter().map(|&token| interner.word(token)).collect();
        format!("{}\t{}", crate::ortho::shape_name(&ortho.dims), words.join(" "))
    };
    orthos.iter().map(line).collect()
}

#[test]
fn what_was_written_is_read() {
    let place = Place::new();
    let reader = place.open();
    let mut expected = lines(&place.orthos, reader.interner());
    expected.sort();
    assert!(expected.iter().any(|line| line.starts_with("2x3\t")), "{expected:?}");
    assert!(expected.iter().any(|line| line.starts_with("2x2x2\t")), "{expected:?}");
    for max_bytes in [1, 30, 1 << 20] {
        let text = text_of(&reader, &Filter::default(), max_bytes);
        let mut found: Vec<&str> = text.lines().collect();
        found.sort_unstable();
        assert_eq!(found, expected);
    }
    let manifest = reader.manifest();
    assert_eq!(manifest.ortho_count, place.orthos.len() as u64);
    assert_eq!(manifest.lineage, r#""a \"text\"""#);
    let optimal = manifest.optimal.as_ref().expect("an optimal ortho");
    assert_eq!((optimal.dims.as_slice(), optimal.words.join(" ").as_str()), (&[2, 3][..], "a b d c e f"));
    assert_eq!(place.verify(), Report { problems: Vec::new(), ..place.verify() });
    assert_eq!(place.verify().orthos, manifest.ortho_count);
    assert_eq!(place.names(), ["a.bin"], "nothing temporary is left");
}

#[test]
fn batches_and_text_agree() {
    let place = Place::new();
    let reader = place.open();
    let mut orthos = reader.orthos(&Filter::default()).expect("orthos");
    let (mut all, mut batch) = (Vec::new(), Vec::new());
    while orthos.next_batch(3, &mut batch).expect("a batch") {
        assert!(batch.len() <= 3);
        all.extend(lines(&batch, reader.interner()));
    }
    assert_eq!(all.join("\n") + "\n", text_of(&reader, &Filter::default(), 100));
}

#[test]
fn filters_let_through_what_they_say() {
    let place = Place::new();
    let reader = place.open();
    let all = text_of(&reader, &Filter::default(), 100);
    let only = |shape: Option<&str>, word: Option<&str>, limit| {
        let shape = shape.map(|shape| shape.parse().expect("a shape"));
        text_of(&reader, &Filter { shape, word: word.map(str::to_owned), limit }, 100)
    };
    let with = |keep: &dyn Fn(&str) -> bool| -> String {
        all.lines().filter(|line| keep(line)).map(|line| format!("{line}\n")).collect()
    };
    assert_eq!(only(Some("2x3"), None, None), with(&|line| line.starts_with("2x3\t")));
    assert_eq!(only(None, Some("e"), None), with(&|line| line.contains(" e")));
    assert_eq!(
        only(Some("2x2"), Some("e"), None),
        with(&|line| line.starts_with("2x2\t") && line.contains(" e"))
    );
    assert_eq!(only(None, None, Some(2)).lines().count(), 2);
    assert_eq!(only(None, None, Some(0)), "");
    assert_eq!(only(Some("2x9"), None, None), "");
    assert_eq!(only(None, Some("nothing"), None), "");
}

#[test]
fn a_text_without_orthos_has_an_archive_that_says_so() {
    let place = tempfile::tempdir().expect("a directory");
    let (target, disk) = (place.path().join("none.bin"), RealDisk::shared());
    for text in ["", "a b c"] {
        let manifest = write_archive(text, &[], &target, &disk).expect("an archive");
        assert_eq!((manifest.ortho_count, &manifest.optimal), (0, &None));
        let reader = ArchiveReader::open(&target, Arc::clone(&disk)).expect("an archive");
        assert_eq!(text_of(&reader, &Filter::default(), 100), "");
        assert!(check(&target, place.path(), &disk).expect("a report").is_sound());
        std::fs::remove_dir(target.join("results")).expect("removed");
        assert!(
            check(&target, place.path(), &disk).expect("a report").is_sound(),
            "as unpacked by some tools"
        );
        disk.remove_dir_all(&target).expect("removed");
    }
}

#[test]
fn nothing_that_is_there_is_replaced() {
    let place = Place::new();
    let before = place.open().manifest().clone();
    let taken = |target: &Path| {
        let error = write_archive(TEXT, &place.orthos, target, &place.disk).expect_err("taken");
        assert_eq!(error.code(), Code::OutputExists, "{error}");
    };
    taken(&place.target());
    assert_eq!(place.open().manifest(), &before);
    let other = place.directory.path().join("other");
    std::fs::create_dir(&other).expect("made");
    taken(&other);
    std::fs::remove_dir(&other).expect("still empty");
    std::fs::write(&other, "mine").expect("written");
    taken(&other);
    assert_eq!(std::fs::read(&other).expect("still there"), b"mine");
    assert_eq!(place.names(), ["a.bin", "other"]);
}

#[test]
fn a_name_taken_meanwhile_is_not_replaced_either() {
    let place = Place::new();
    let index = index(TEXT);
    let ranks = Ranks::new(&index);
    let late = place.directory.path().join("late.bin");
    let writer = ArchiveWriter::create(&late, &place.disk).expect("begun");
    let contents =
        write_orthos(&place.orthos, &index, &ranks, &writer.results(), writer.disk()).expect("written");
    // A plain rename would replace an empty directory.
    std::fs::create_dir(&late).expect("made");
    let lineage = Lineage::Text("late".to_owned());
    let description = Description {
        input: None,
        lineage: &lineage,
        interner: index.interner(),
        ranks: &Arc::new(ranks.clone()).into(),
        contents: &contents,
        search: SearchInfo::default(),
    };
    let error = writer.finish(description, &Control::default()).expect_err("taken");
    assert_eq!(error.code(), Code::OutputExists, "{error}");
    assert_eq!(place.disk.list(&late).expect("a list"), [] as [PathBuf; 0]);
    assert_eq!(place.names(), ["a.bin", "late.bin"]);
}

#[test]
fn a_killed_writer_leaves_only_its_temporary_directory() {
    let place = Place::new();
    let late = place.directory.path().join("late.bin");
    let writer = ArchiveWriter::create(&late, &place.disk).expect("begun");
    std::mem::forget(writer);
    let names = place.names();
    assert_eq!((names.len(), is_leftover(&names[0])), (2, true), "{names:?}");
    write_archive(TEXT, &place.orthos, &late, &place.disk).expect("the next one is not in the way");
}

#[test]
fn a_leftover_without_its_lock_is_taken_and_one_that_is_held_is_not() {
    let place = Place::new();
    let late = place.directory.path().join("late.bin");
    let alive = ArchiveWriter::create(&late, &place.disk).expect("begun");
    assert!(Leftover::of(&late, &place.disk).expect("a list").is_empty(), "its writer lives");
    // Killed while it removed everything, or before it had its lock.
    let killed = place.directory.path().join(".late.bin.tmp-1-0123456789abcdef");
    place.disk.create_dir_all(&killed.join("results")).expect("a directory");
    let [left] = <[Leftover; 1]>::try_from(Leftover::of(&late, &place.disk).expect("a list")).expect("one");
    assert!(Leftover::of(&late, &place.disk).expect("a list").is_empty(), "somebody has it");
    left.remove().expect("removed");
    assert!(!place.disk.exists(&killed));
    drop(alive);
    assert_eq!(place.names(), ["a.bin"]);
}

#[test]
fn what_is_no_archive_is_told() {
    let place = Place::new();
    let open = |path: &Path| {
        let error = ArchiveReader::open(path, Arc::clone(&place.disk)).expect_err("no archive");
        let code = check(path, place.directory.path(), &place.disk).expect_err("no archive").code();
        assert_eq!(code, error.code());
        (code, error.to_string())
    };
    assert_eq!(open(&place.directory.path().join("missing")).0, Code::InputNotFound);
    let (code, message) = open(place.directory.path());
    assert_eq!(code, Code::NotAnArchive);
    assert!(message.contains("a.bin"), "{message}");
    let file = place.directory.path().join("file");
    std::fs::write(&file, "text").expect("written");
    let (code, message) = open(&file);
    assert_eq!(code, Code::NotAnArchive);
    assert!(message.contains("it is a file"), "{message}");
    let empty = place.directory.path().join("empty");
    std::fs::create_dir(&empty).expect("made");
    assert!(open(&empty).1.contains("empty directory"));
    std::fs::write(empty.join("manifest.json"), "{}").expect("written");
    assert_eq!(open(&empty).0, Code::NotAnArchive);
}

#[cfg(target_os = "linux")]
#[test]
fn sha256sum_agrees() {
    let place = Place::new();
    let Ok(output) = std::process::Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(place.target())
        .output()
    else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let manifest = place.open().manifest().clone();
    assert_eq!(said.lines().count(), manifest.files.len() + 1, "{said}");
}

#[test]
fn verify_stops_when_asked() {
    let place = Place::new();
    let control = Control::default();
    control.cancel();
    let options = VerifyOptions { scratch: place.directory.path().to_path_buf(), memory: 1 << 16 };
    let error = verify(&place.target(), &options, &control, &place.disk).expect_err("cancelled");
    assert_eq!(error.code(), Code::Cancelled);
    assert_eq!(place.names(), ["a.bin"]);
}
