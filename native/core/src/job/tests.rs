use super::*;
use crate::archive::tests::{TEXT, brute_force, check, write_orthos};
use crate::archive::{ArchiveReader, Limit};
use crate::disk::RealDisk;
use crate::disk::faulty::FaultyDisk;

fn by_definition(work: &Work<'_>) -> Result<Contents> {
    let orthos = brute_force::orthos(work.index);
    work.control.add_orthos(orthos.len() as u64);
    write_orthos(&orthos, work.index, work.ranks, &work.archive.results(), work.archive.disk())
}

fn request(source: Source, out: &Path) -> SearchRequest {
    SearchRequest {
        source: Some(source),
        input_name: "chapter 1".to_owned(),
        out: out.to_path_buf(),
        memory: 64 << 20,
        threads: 0,
        limits: Limits::default(),
        shard: None,
        continue_from: None,
    }
}

struct Place {
    directory: tempfile::TempDir,
    disk: Arc<dyn Disk>,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory"), disk: RealDisk::shared() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&self, source: Source) -> Result<Manifest> {
        let control = Control::default();
        search_with(&by_definition, &request(source, &self.path("out.bin")), &control, &self.disk)
    }

    fn left(&self) -> Vec<PathBuf> {
        self.disk.list(self.directory.path()).expect("a list")
    }

    fn refuses(&self, source: Source, code: Code) -> String {
        let before = self.left();
        let error = self.run(source).expect_err("refused");
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(self.left(), before, "nothing is left behind and nothing taken away");
        error.to_string()
    }
}

#[test]
fn a_file_becomes_an_archive() {
    let place = Place::new();
    std::fs::write(place.path("in.txt"), TEXT).expect("written");
    let manifest = place.run(Source::Path(place.path("in.txt"))).expect("an archive");
    let input = manifest.input.as_ref().expect("an input");
    assert_eq!((input.name.as_str(), input.bytes), ("chapter 1", TEXT.len() as u64));
    assert_eq!(input.sha256, crate::archive::hex(&Sha256::digest(TEXT)));
    assert_eq!(manifest.lineage, "\"chapter 1\"");
    assert_eq!(manifest.search.threads, 1);
    let reader = ArchiveReader::open(&place.path("out.bin"), Arc::clone(&place.disk)).expect("an archive");
    assert_eq!(reader.manifest(), &manifest);
    assert!(check(&place.path("out.bin"), place.directory.path(), &place.disk).expect("a report").is_sound());
    assert_eq!(place.left(), [place.path("in.txt"), place.path("out.bin")]);
    assert_eq!(std::fs::read(place.path("in.txt")).expect("still there"), TEXT.as_bytes());
}

#[test]
fn the_search_gives_what_the_definition_does() {
    let place = Place::new();
    let source = || Source::Bytes(TEXT.as_bytes().to_vec());
    let a = place.run(source()).expect("an archive");
    let control = Control::default();
    let b =
        search(&request(source(), &place.path("searched.bin")), &control, &place.disk).expect("an archive");
    assert_eq!((&a.content_digest, &a.shapes, &a.optimal), (&b.content_digest, &b.shapes, &b.optimal));
    let progress = control.progress();
    assert_eq!((progress.orthos, &progress.best), (b.ortho_count, &b.optimal));
    assert_eq!(progress.shapes, b.shapes);
}

#[test]
fn bytes_and_a_file_give_the_same() {
    let place = Place::new();
    let disk: Arc<dyn Disk> = Arc::new(FaultyDisk::default());
    std::fs::write(place.path("in.txt"), TEXT).expect("written");
    let a = place.run(Source::Path(place.path("in.txt"))).expect("an archive");
    let bytes = request(Source::Bytes(TEXT.as_bytes().to_vec()), Path::new("/b.bin"));
    let b = search_with(&by_definition, &bytes, &Control::default(), &disk).expect("an archive");
    assert_eq!(Manifest { search: a.search.clone(), ..b }, a);
}

#[test]
fn bad_inputs_are_told() {
    let place = Place::new();
    place.refuses(Source::Path(place.path("missing.txt")), Code::InputNotFound);
    std::fs::create_dir(place.path("directory")).expect("made");
    place.refuses(Source::Path(place.path("directory")), Code::InputUnreadable);
    std::fs::write(place.path("latin.txt"), b"caf\xe9 noir").expect("written");
    let message = place.refuses(Source::Path(place.path("latin.txt")), Code::InputNotUtf8);
    assert!(message.contains("latin.txt") && message.contains("byte 3"), "{message}");
    place.refuses(Source::Path(place.path("latin.txt").join("below")), Code::InputUnreadable);
}

#[test]
fn a_taken_name_is_told_before_the_input_is_looked_at() {
    let place = Place::new();
    std::fs::create_dir(place.path("out.bin")).expect("made");
    place.refuses(Source::Path(place.path("missing.txt")), Code::OutputExists);
}

#[test]
fn an_empty_text_has_an_archive() {
    let place = Place::new();
    let manifest = place.run(Source::Bytes(Vec::new())).expect("an archive");
    assert_eq!((manifest.ortho_count, manifest.vocabulary, manifest.complete), (0, 0, true));
}

#[test]
fn a_budget_too_small_says_what_would_do() {
    let place = Place::new();
    let text: String = (0..60_000).map(|n| format!("{} {}. ", letters(n), letters(n * 7))).collect();
    let mut small = request(Source::Bytes(text.into_bytes()), &place.path("out.bin"));
    small.memory = 1 << 20;
    let error = search_with(&by_definition, &small, &Control::default(), &place.disk).expect_err("too small");
    assert_eq!(error.code(), Code::MemoryTooSmall, "{error}");
    assert!(error.to_string().contains("MiB"), "{error}");
    assert!(place.left().is_empty());
}

fn letters(mut n: usize) -> String {
    let mut word = String::from("w");
    while n > 0 {
        word.push(char::from(b'a' + (n % 26) as u8));
        n /= 26;
    }
    word
}

#[test]
fn stopping_leaves_nothing() {
    let place = Place::new();
    let control = Control::default();
    let request = request(Source::Bytes(TEXT.as_bytes().to_vec()), &place.path("out.bin"));
    let late = |work: &Work<'_>| {
        let contents = by_definition(work)?;
        work.control.cancel();
        Ok(contents)
    };
    let error = search_with(&late, &request, &control, &place.disk).expect_err("cancelled");
    assert_eq!(error.code(), Code::Cancelled);
    assert!(place.left().is_empty());
    let error =
        search_with(&by_definition, &request, &control, &place.disk).expect_err("cancelled from the start");
    assert_eq!(error.code(), Code::Cancelled);
    assert!(place.left().is_empty());
}

#[test]
fn an_engine_that_fails_leaves_nothing() {
    let place = Place::new();
    let request = request(Source::Bytes(TEXT.as_bytes().to_vec()), &place.path("out.bin"));
    let failing = |work: &Work<'_>| {
        by_definition(work)?;
        Err(Error::new(Code::DiskFull, "full"))
    };
    let error = search_with(&failing, &request, &Control::default(), &place.disk).expect_err("full");
    assert_eq!(error.code(), Code::DiskFull);
    assert!(place.left().is_empty());
}

#[test]
fn limits_are_kept() {
    let place = Place::new();
    let request = request(Source::Bytes(TEXT.as_bytes().to_vec()), &place.path("out.bin"));
    let limited = |work: &Work<'_>| {
        let limits = vec![Limit { name: "maxOrthos".to_owned(), value: 5 }];
        Ok(Contents { complete: false, limits, ..by_definition(work)? })
    };
    search_with(&limited, &request, &Control::default(), &place.disk).expect("an archive");
    let reader = ArchiveReader::open(&place.path("out.bin"), Arc::clone(&place.disk)).expect("an archive");
    assert!(!reader.manifest().complete);
    assert_eq!(reader.manifest().limits, [Limit { name: "maxOrthos".to_owned(), value: 5 }]);
    assert!(check(&place.path("out.bin"), place.directory.path(), &place.disk).expect("a report").is_sound());
}
