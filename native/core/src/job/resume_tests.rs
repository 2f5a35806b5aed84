//! Searches that end early, are killed, or do a part: what comes of them in the end is what one search gives.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::archive::tests::check;
use crate::archive::{ArchiveReader, Limit};
use crate::disk::faulty::{Fault, FaultyDisk};
use crate::merge::{MergeRequest, Ways, merge_with};
use crate::ortho::Ortho;
use crate::search::{Shard, Sizes};

const EAGER: Pace = Pace { eager: true, save: Duration::ZERO };

/// So many different words that there are thousands of orthos and not millions: about four follow each.
fn text(seed: u64, words: usize, vocabulary: u64) -> String {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut out = String::new();
    for _ in 0..words {
        let word = next() % vocabulary;
        out.push(char::from(b'a' + (word / 26) as u8));
        out.push(char::from(b'a' + (word % 26) as u8));
        out.push_str(if next() % 5 == 0 { ". " } else { " " });
    }
    out
}

fn request(text: &str, out: &Path) -> SearchRequest {
    SearchRequest {
        source: Some(Source::Bytes(text.as_bytes().to_vec())),
        input_name: "text".to_owned(),
        out: out.to_path_buf(),
        memory: 64 << 20,
        threads: 1,
        limits: Limits { disk_reserve: Some(0), ..Limits::default() },
        shard: None,
        continue_from: None,
    }
}

fn run(request: &SearchRequest, disk: &Arc<dyn Disk>) -> Result<Manifest> {
    search_with(&|work| engine(work, EAGER), request, &Control::default(), disk)
}

fn orthos(path: &Path, disk: &Arc<dyn Disk>) -> Vec<Ortho> {
    let reader = ArchiveReader::open(path, Arc::clone(disk)).expect("an archive");
    let mut orthos = reader.orthos(&crate::archive::Filter::default()).expect("orthos");
    let mut all = vec![];
    let mut batch = vec![];
    while orthos.next_batch(1000, &mut batch).expect("orthos") {
        all.append(&mut batch);
    }
    all.append(&mut batch);
    all
}

/// A disk in memory: hundreds of archives would wait for nothing but fsync.
struct Place(PathBuf, Arc<dyn Disk>);

impl Place {
    fn new() -> Self {
        Self(PathBuf::from("/place"), Arc::new(FaultyDisk::default()))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn is_sound(&self, name: &str) {
        let report = check(&self.path(name), &self.0, &self.1).expect("a report");
        assert!(report.is_sound(), "{report:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_ends_early_and_goes_on_is_the_same_in_the_end(
        seed in any::<u64>(),
        words in 40usize..160,
        vocabulary in 35u64..60,
        most in prop::collection::vec(1u64..400, 1..4),
        memories in prop::collection::vec(prop_oneof![Just(0u64), Just(64 << 20)], 5),
        threads in 1usize..3,
    ) {
        let place = Place::new();
        let text = text(seed, words, vocabulary);
        let whole = run(&request(&text, &place.path("whole.bin")), &place.1).expect("an archive");
        let mut last = None;
        let mut total = 0;
        for (i, add) in most.iter().map(Some).chain([None]).enumerate() {
            let out = place.path(&format!("{i}.bin"));
            let mut part = request(&text, &out);
            total += add.copied().unwrap_or(0);
            part.limits.max_orthos = add.map(|_| total);
            part.memory = (1 << 20) + memories[i];
            part.threads = threads;
            part.continue_from = last.clone();
            if i % 2 == 1 {
                part.source = None;
            }
            let manifest = run(&part, &place.1).expect("an archive");
            place.is_sound(&format!("{i}.bin"));
            if add.is_some() && total < whole.ortho_count {
                prop_assert_eq!(manifest.ortho_count, total);
                prop_assert!(!manifest.complete);
                prop_assert_eq!(&manifest.limits, &vec![Limit { name: "maxOrthos".to_owned(), value: total }]);
                last = Some(out);
            } else {
                prop_assert_eq!(manifest.ortho_count, whole.ortho_count);
                prop_assert!(manifest.complete);
                prop_assert_eq!(&manifest.content_digest, &whole.content_digest);
                prop_assert_eq!(&manifest.optimal, &whole.optimal);
                break;
            }
        }
    }

    #[test]
    fn the_best_is_one_of_those_that_were_kept(seed in any::<u64>(), most in 1u64..40) {
        let place = Place::new();
        let mut part = request(&text(seed, 160, 35), &place.path("part.bin"));
        part.limits.max_orthos = Some(most);
        run(&part, &place.1).expect("an archive");
        place.is_sound("part.bin");
    }

    #[test]
    fn shards_are_disjoint_and_all_together_the_whole(
        seed in any::<u64>(),
        words in 40usize..160,
        vocabulary in 35u64..60,
        count in 1u32..6,
        small in any::<bool>(),
    ) {
        let place = Place::new();
        let text = text(seed, words, vocabulary);
        run(&request(&text, &place.path("whole.bin")), &place.1).expect("an archive");
        let mut all = BTreeSet::new();
        let mut number = 0;
        for index in 1..=count {
            let name = format!("{index}.bin");
            let mut part = request(&text, &place.path(&name));
            part.shard = Some(Shard::new(index, count).expect("a shard"));
            if small && index % 2 == 0 {
                part.memory = 1 << 20;
            }
            let manifest = run(&part, &place.1).expect("an archive");
            prop_assert!(!manifest.complete && manifest.limits.is_empty());
            prop_assert_eq!(&manifest.shards, &vec![Shard::new(index, count).expect("a shard")]);
            place.is_sound(&name);
            for ortho in orthos(&place.path(&name), &place.1) {
                number += 1;
                all.insert((ortho.dims, ortho.tokens));
            }
        }
        let whole: BTreeSet<_> =
            orthos(&place.path("whole.bin"), &place.1).into_iter().map(|o| (o.dims, o.tokens)).collect();
        prop_assert_eq!(number, whole.len());
        prop_assert_eq!(all, whole);
    }

    #[test]
    fn fewer_axes_first_and_more_later_is_the_whole(
        seed in any::<u64>(),
        words in 40usize..160,
        vocabulary in 35u64..60,
        steps in prop::collection::vec(2u32..7, 1..3),
        small in any::<bool>(),
    ) {
        let place = Place::new();
        let text = text(seed, words, vocabulary);
        let whole = run(&request(&text, &place.path("whole.bin")), &place.1).expect("an archive");
        let steps: BTreeSet<u32> = steps.into_iter().collect();
        let mut last = None;
        for (i, most) in steps.into_iter().map(Some).chain([None]).enumerate() {
            let out = place.path(&format!("{i}.bin"));
            let mut part = request(&text, &out);
            part.limits.max_dims = most;
            part.continue_from = last.clone();
            if small {
                part.memory = 1 << 20;
            }
            let manifest = run(&part, &place.1).expect("an archive");
            place.is_sound(&format!("{i}.bin"));
            let expected: u64 = whole
                .shapes
                .iter()
                .filter(|(shape, _)| most.is_none_or(|most| shape.dims().len() as u32 <= most))
                .map(|(_, count)| count)
                .sum();
            prop_assert_eq!(manifest.ortho_count, expected);
            if manifest.complete {
                prop_assert_eq!(&manifest.content_digest, &whole.content_digest);
                break;
            }
            last = Some(out);
        }
    }

    /// The disk fails for good at some operation, as if the power went; what was made durable is what there is.
    #[test]
    fn a_search_that_lost_its_power_goes_on(
        seed in any::<u64>(),
        at in prop::collection::vec(0u64..400, 1..4),
        threads in 1usize..3,
    ) {
        let faulty = FaultyDisk::default();
        let disk: Arc<dyn Disk> = Arc::new(faulty.clone());
        let text = text(seed, 120, 36);
        let place = Place::new();
        let whole = run(&request(&text, &place.path("whole.bin")), &place.1).expect("an archive");
        let mut part = request(&text, Path::new("/place/out.bin"));
        part.threads = threads;
        for at in at {
            faulty.fail(at, Fault::ForEver);
            let ended = run(&part, &disk);
            faulty.crash(None);
            if ended.is_ok() {
                break;
            }
        }
        let out = Path::new("/place/out.bin");
        if !disk.exists(&out.join("manifest.json")) {
            run(&part, &disk).expect("an archive");
        }
        let reader = ArchiveReader::open(out, Arc::clone(&disk)).expect("an archive");
        prop_assert_eq!(&reader.manifest().content_digest, &whole.content_digest);
        prop_assert_eq!(orthos(out, &disk).len() as u64, whole.ortho_count);
        prop_assert!(reader.manifest().complete);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// As above, for a merge of a text's shards and another text.
    #[test]
    fn a_merge_that_lost_its_power_goes_on(
        seed in any::<u64>(),
        at in prop::collection::vec(0u64..600, 1..4),
        threads in 1usize..3,
        seeded in prop::collection::vec(any::<bool>(), 4),
    ) {
        let faulty = FaultyDisk::default();
        let disk: Arc<dyn Disk> = Arc::new(faulty.clone());
        let texts = [text(seed, 110, 36), text(seed ^ 1, 110, 36)];
        let place = Place::new();
        let whole = run(&request(&texts.join(". "), &place.path("whole.bin")), &place.1).expect("an archive");
        let path = |name: &str| Path::new("/place").join(name);
        for index in 1..=2 {
            let mut shard = request(&texts[0], &path(&format!("{index}.bin")));
            shard.shard = Shard::new(index, 2).ok();
            run(&shard, &disk).expect("an archive");
        }
        run(&request(&texts[1], &path("other.bin")), &disk).expect("an archive");
        let merging = MergeRequest {
            archives: ["1.bin", "other.bin", "2.bin"].map(path).to_vec(),
            out: path("out.bin"),
            memory: 64 << 20,
            threads,
            limits: Limits::default(),
        };
        let merge = |seeded: bool| {
            let sizes = Sizes { seeded: Some(seeded), ..Sizes::default() };
            let ways = Ways { least_bytes: 0, eager: true, sizes, ..Ways::default() };
            merge_with(&merging, ways, &Control::default(), &disk)
        };
        for (at, &seeded) in at.into_iter().zip(&seeded[1..]) {
            faulty.fail(at, Fault::ForEver);
            let ended = merge(seeded);
            faulty.crash(None);
            if ended.is_ok() {
                break;
            }
        }
        if !disk.exists(&merging.out.join("manifest.json")) {
            merge(seeded[0]).expect("an archive");
        }
        let reader = ArchiveReader::open(&merging.out, Arc::clone(&disk)).expect("an archive");
        prop_assert_eq!(&reader.manifest().content_digest, &whole.content_digest);
        prop_assert_eq!(orthos(&merging.out, &disk).len() as u64, whole.ortho_count);
        prop_assert!(reader.manifest().complete);
    }
}

#[test]
fn a_limited_merge_keeps_what_its_archives_hold() {
    let place = Place::new();
    let texts = [text(5, 110, 36), text(6, 110, 36)];
    let archives = ["a.bin", "b.bin"].map(|name| place.path(name));
    let mut held = 0;
    for (text, out) in texts.iter().zip(&archives) {
        held = held.max(run(&request(text, out), &place.1).expect("an archive").ortho_count);
    }
    let merge = |name: &str, limits: Limits| {
        let (archives, out) = (archives.to_vec(), place.path(name));
        let merging = MergeRequest { archives, out, memory: 64 << 20, threads: 1, limits };
        let ways = Ways { least_bytes: 0, ..Ways::default() };
        merge_with(&merging, ways, &Control::default(), &place.1).expect("an archive")
    };
    let whole = merge("whole.bin", Limits::default());
    assert!(whole.complete && whole.ortho_count > held);
    let most = whole.ortho_count - 1;
    let limited = merge("limited.bin", Limits { max_orthos: Some(most), ..Limits::default() });
    assert_eq!((limited.ortho_count, limited.complete), (most, false));
    assert_eq!(limited.limits, [Limit { name: "maxOrthos".to_owned(), value: most }]);
    place.is_sound("limited.bin");
    let none = merge("none.bin", Limits { max_orthos: Some(0), ..Limits::default() });
    assert!(none.ortho_count >= held && !none.complete);
    place.is_sound("none.bin");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let place = Place::new();
    let text = text(1, 100, 30);
    let part = |name: &str| request(&text, &place.path(name));
    let mut limited = part("limited.bin");
    limited.limits.max_orthos = Some(3);
    assert_eq!(run(&limited, &place.1).expect("an archive").ortho_count, 3);
    run(&part("whole.bin"), &place.1).expect("an archive");
    let refused = |change: &dyn Fn(&mut SearchRequest)| {
        let mut next = part("next.bin");
        next.continue_from = Some(place.path("limited.bin"));
        change(&mut next);
        let error = run(&next, &place.1).expect_err("refused");
        assert!(!place.1.exists(&place.path("next.bin").join("manifest.json")));
        (error.code(), error.to_string())
    };
    let whole = refused(&|r| r.continue_from = Some(place.path("whole.bin")));
    assert!(whole.0 == Code::InvalidArgument && whole.1.contains("complete"), "{}", whole.1);
    let other = refused(&|r| r.source = Some(Source::Bytes(b"a b. c d. a c. b d.".to_vec())));
    assert!(other.0 == Code::InvalidArgument && other.1.contains("another text"), "{}", other.1);
    let shard = refused(&|r| r.shard = Shard::new(1, 2).ok());
    assert!(shard.0 == Code::InvalidArgument && shard.1.contains("the whole text"), "{}", shard.1);
    let axes = refused(&|r| r.limits.max_dims = Some(3));
    assert!(axes.0 == Code::InvalidArgument && axes.1.contains("max-dims"), "{}", axes.1);
    assert_eq!(refused(&|r| r.limits.max_dims = Some(1)).0, Code::InvalidArgument);
    assert_eq!(refused(&|r| r.continue_from = Some(place.path("none.bin"))).0, Code::InputNotFound);
    let mut nothing = part("next.bin");
    nothing.source = None;
    assert_eq!(run(&nothing, &place.1).map_err(|e| e.code()).map(|_| ()), Err(Code::InvalidArgument));
}

#[test]
fn stopping_keeps_what_there_is() {
    let place = Place::new();
    let text = text(2, 100, 30);
    let control = Control::default();
    control.finish_early();
    let manifest = search(&request(&text, &place.path("a.bin")), &control, &place.1).expect("an archive");
    assert!(!manifest.complete);
    assert_eq!(manifest.limits, [Limit { name: "stopped".to_owned(), value: 0 }]);
    place.is_sound("a.bin");
}
