//! Searches that end early, are killed, or do a part: what comes of them in the end is what one search gives.

use std::collections::BTreeSet;
use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::archive::tests::check;
use crate::archive::{ArchiveReader, Leftover, Limit};
use crate::disk::Space;
use crate::disk::faulty::{Fault, FaultyDisk};
use crate::merge::{MergeRequest, Ways, merge_with};
use crate::ortho::Ortho;
use crate::search::{Place as Done, Shard, Sizes};

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
    search_with(&|work| engine(work, Pace::EAGER), request, &Control::default(), disk)
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// A merge that a limit ended is gone on with as a search is, without its archives, as often as one likes.
    #[test]
    fn a_merge_that_ended_early_goes_on(
        seed in any::<u64>(),
        words in 60usize..140,
        most in prop::collection::vec(1u64..300, 1..4),
        axes in prop::option::of(2u32..4),
        least_bytes in prop_oneof![Just(0u64), Just(1 << 40)],
        shards in any::<bool>(),
        small in any::<bool>(),
        seeded in any::<bool>(),
    ) {
        let place = Place::new();
        let texts = [text(seed, words, 36), text(seed ^ 1, words, 36)];
        let whole = run(&request(&texts.join(". "), &place.path("all.bin")), &place.1).expect("an archive");
        let mut held = run(&request(&texts[1], &place.path("b.bin")), &place.1).expect("an archive").ortho_count;
        if shards {
            for index in 1..=2 {
                let mut shard = request(&texts[0], &place.path(&format!("a{index}.bin")));
                shard.shard = Shard::new(index, 2).ok();
                held += run(&shard, &place.1).expect("an archive").ortho_count;
            }
        } else {
            held += run(&request(&texts[0], &place.path("a1.bin")), &place.1).expect("an archive").ortho_count;
        }
        let names = if shards { &["b.bin", "a1.bin", "a2.bin"][..] } else { &["a1.bin", "b.bin"] };
        let mut most = most.into_iter().map(|add| held + add);
        let first = Limits { max_orthos: most.next(), max_dims: axes, disk_reserve: Some(0), ..Limits::default() };
        let merging = MergeRequest {
            archives: names.iter().map(|name| place.path(name)).collect(),
            out: place.path("0.bin"),
            limits: first,
            ..merging(&[])
        };
        let sizes = Sizes { seeded: Some(seeded), ..Sizes::default() };
        let ways = Ways { least_bytes, eager: true, sizes, ..Ways::default() };
        let mut manifest = merge_with(&merging, ways, &Control::default(), &place.1).expect("an archive");
        let lineage = manifest.lineage.clone();
        let mut lifted = false;
        place.is_sound("0.bin");
        for i in 1.. {
            if manifest.complete {
                break;
            }
            let mut next = request("", &place.path(&format!("{i}.bin")));
            next.source = None;
            next.continue_from = Some(place.path(&format!("{}.bin", i - 1)));
            next.limits.max_orthos = most.next();
            // With fewer axes first, all of those come before any of more.
            lifted |= manifest.limits.iter().all(|limit| limit.name != "maxOrthos");
            next.limits.max_dims = axes.filter(|_| !lifted);
            if small {
                next.memory = 4 << 20;
            }
            manifest = run(&next, &place.1).expect("an archive");
            place.is_sound(&format!("{i}.bin"));
            prop_assert_eq!(&manifest.lineage, &lineage);
            prop_assert_eq!(&manifest.input, &None);
            prop_assert!(i < 10);
        }
        prop_assert_eq!(manifest.ortho_count, whole.ortho_count);
        prop_assert_eq!(&manifest.content_digest, &whole.content_digest);
        prop_assert_eq!(&manifest.optimal, &whole.optimal);
    }
}

#[test]
fn a_merge_does_not_fill_the_disk_with_what_it_copies() {
    let faulty = FaultyDisk::default();
    let disk: Arc<dyn Disk> = Arc::new(faulty.clone());
    let (one, two) = (text(5, 110, 36), text(6, 110, 36));
    run(&request(&one, Path::new("/place/a.bin")), &disk).expect("an archive");
    run(&request(&other_words(&two), Path::new("/place/b.bin")), &disk).expect("an archive");
    let mut part = request(&two, Path::new("/place/part.bin"));
    part.limits.max_orthos = Some(50);
    run(&part, &disk).expect("an archive");
    let files = faulty.files();
    // A commit after every record looks at the room.
    faulty.set_space(Space { free: 99, total: 10_000 });
    for names in [&["a.bin", "b.bin"][..], &["part.bin"]] {
        let ways = Ways { least_bytes: 0, eager: true, ..Ways::default() };
        let limits = Limits { disk_reserve: Some(100), ..Limits::default() };
        let merging = MergeRequest { limits, ..merging(names) };
        let error = merge_with(&merging, ways, &Control::default(), &disk).expect_err("no room");
        assert_eq!(error.code(), Code::DiskFull, "{error}");
        assert_eq!(faulty.files(), files);
    }
}

#[test]
fn who_cancels_wants_nothing_of_what_was_killed_either() {
    let faulty = FaultyDisk::default();
    let disk: Arc<dyn Disk> = Arc::new(faulty.clone());
    let left = || {
        let files = faulty.files();
        files.iter().filter(|path| path.to_string_lossy().contains(".tmp-")).count()
    };
    let killed = |out: &Path, work: &dyn Fn(&Arc<dyn Disk>) -> Result<Manifest>| {
        let undisturbed = faulty.copy();
        let before = undisturbed.operations();
        let shared: Arc<dyn Disk> = Arc::new(undisturbed.clone());
        work(&shared).expect("an archive");
        faulty.fail((undisturbed.operations() - before) / 2, Fault::ForEver);
        work(&disk).expect_err("killed");
        faulty.crash(Some(1));
        assert!(!faulty.exists(out));
        assert!(left() > 0, "it was killed too early to leave anything");
    };
    let cancelled = Control::default();
    cancelled.cancel();

    let searching = request(&text(5, 110, 36), Path::new("/place/out.bin"));
    killed(&searching.out, &|disk| run(&searching, disk));
    let code = search(&searching, &cancelled, &disk).map(|_| ()).map_err(|error| error.code());
    assert_eq!((code, left()), (Err(Code::Cancelled), 0));

    run(&request(&text(5, 110, 36), Path::new("/place/a.bin")), &disk).expect("an archive");
    let merging = merging(&["a.bin"]);
    let ways = Ways { eager: true, ..Ways::default() };
    killed(&merging.out, &|disk| merge_with(&merging, ways, &Control::default(), disk));
    let code = crate::merge::merge(&merging, &cancelled, &disk).map(|_| ()).map_err(|error| error.code());
    assert_eq!((code, left()), (Err(Code::Cancelled), 0));
}

/// Interrupts a merge at every `stride`-th operation on the disk, with a checkpoint after every record, and goes on: what comes
/// out is the same, and what was done before is not done again.
fn interrupted_everywhere(disk: &FaultyDisk, merging: &MergeRequest, stride: usize) {
    let ways = Ways { least_bytes: 0, eager: true, ..Ways::default() };
    let merge = |disk: &FaultyDisk| {
        let before = disk.operations();
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let merged = merge_with(merging, ways, &Control::default(), &shared);
        (merged, disk.operations() - before)
    };
    let undisturbed = disk.copy();
    let (whole, operations) = merge(&undisturbed);
    let whole = whole.expect("an archive");
    for at in (0..operations).step_by(stride) {
        let disk = disk.copy();
        disk.fail(at, Fault::ForEver);
        let (failed, _) = merge(&disk);
        disk.crash(None);
        if failed.is_err() && !disk.exists(&merging.out.join("manifest.json")) {
            let (merged, again) = merge(&disk);
            let merged = merged.expect("an archive");
            assert_eq!(merged.content_digest, whole.content_digest, "interrupted at {at}");
            assert_eq!((merged.ortho_count, merged.complete), (whole.ortho_count, whole.complete));
            assert_eq!((&merged.optimal, &merged.shapes), (&whole.optimal, &whole.shapes));
            // Opening, taking over and closing a queue a shape, and one checkpoint that was not made.
            let most = 60 + 30 * whole.shapes.iter().count() as u64;
            assert!(at + again <= operations + most, "at {at} of {operations}, then {again} more");
        }
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let report = check(&merging.out, Path::new("/place"), &shared).expect("a report");
        assert!(report.is_sound(), "interrupted at {at}: {report:?}");
        let left: Vec<PathBuf> = disk.list(Path::new("/place")).expect("a list");
        let ours = |path: &PathBuf| path.to_string_lossy().contains(".out.bin.tmp-");
        assert!(!left.iter().any(ours), "interrupted at {at}: {left:?}");
    }
}

fn merging(names: &[&str]) -> MergeRequest {
    let path = |name: &str| Path::new("/place").join(name);
    MergeRequest {
        archives: names.iter().map(|name| path(name)).collect(),
        out: path("out.bin"),
        memory: 64 << 20,
        threads: 1,
        limits: Limits { disk_reserve: Some(0), ..Limits::default() },
    }
}

#[test]
fn copying_goes_on_at_every_checkpoint() {
    let faulty = FaultyDisk::default();
    let disk: Arc<dyn Disk> = Arc::new(faulty.clone());
    // Two that share orthos, and one of words of its own.
    let (one, two) = (text(5, 50, 36), text(6, 50, 36));
    let texts = [format!("{one}. {two}"), format!("{}. {one}", text(7, 50, 36)), other_words(&two)];
    for (text, name) in texts.iter().zip(["a.bin", "b.bin", "c.bin"]) {
        run(&request(text, &Path::new("/place").join(name)), &disk).expect("an archive");
    }
    interrupted_everywhere(&faulty, &merging(&["a.bin", "b.bin", "c.bin"]), 1);
    faulty.without_links();
    interrupted_everywhere(&faulty, &merging(&["a.bin", "b.bin", "c.bin"]), 7);
}

#[test]
fn adding_what_incomplete_archives_hold_goes_on_at_every_checkpoint() {
    let faulty = FaultyDisk::default();
    let disk: Arc<dyn Disk> = Arc::new(faulty.clone());
    let place = |name: &str| Path::new("/place").join(name);
    let (one, two) = (text(5, 70, 36), text(6, 70, 36));
    run(&request(&one, &place("whole.bin")), &disk).expect("an archive");
    let both = format!("{one}. {two}");
    for (name, shard, most) in [
        ("1.bin", Shard::new(1, 3), None),
        ("2.bin", Shard::new(2, 3), Some(60)),
        ("3.bin", Shard::new(1, 2), None),
    ] {
        let mut part = request(&both, &place(name));
        part.shard = shard.ok();
        part.limits.max_orthos = most;
        run(&part, &disk).expect("an archive");
    }
    let mut limited = request(&two, &place("limited.bin"));
    limited.limits.max_orthos = Some(20);
    run(&limited, &disk).expect("an archive");
    let merging = merging(&["1.bin", "2.bin", "3.bin", "limited.bin", "whole.bin"]);
    interrupted_everywhere(&faulty, &merging, 1);
    faulty.without_links();
    interrupted_everywhere(&faulty, &merging, 7);
}

#[test]
fn what_is_shown_to_the_tracker_again_is_kept_though_nothing_new_was_done() {
    let faulty = FaultyDisk::default();
    let disk: Arc<dyn Disk> = Arc::new(faulty.clone());
    let text = text(5, 70, 36);
    for (name, index, count) in [("1.bin", 1, 2), ("2.bin", 1, 3)] {
        let mut part = request(&text, &Path::new("/place").join(name));
        part.shard = Shard::new(index, count).ok();
        run(&part, &disk).expect("an archive");
    }
    let merging = merging(&["1.bin", "2.bin"]);
    let merge = |disk: &FaultyDisk| {
        let ways = Ways { least_bytes: 0, eager: true, ..Ways::default() };
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        merge_with(&merging, ways, &Control::default(), &shared)
    };
    let copied = |disk: &FaultyDisk| {
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let left = Leftover::of(&merging.out, &shared).expect("a list");
        left.iter()
            .filter_map(|left| Some(left.checkpoint()?.progress.copied))
            .max_by_key(|c| (c.place, c.seen))
    };
    let undisturbed = faulty.copy();
    let whole = merge(&undisturbed).expect("an archive");
    let operations = undisturbed.operations() - faulty.operations();
    faulty.fail(operations / 4 * 3, Fault::ForEver);
    merge(&faulty).expect_err("killed");
    faulty.crash(None);
    // As if it had been killed before the tracker was made durable for the first time.
    let [left] = &Leftover::of(&merging.out, &disk).expect("a list")[..] else { panic!("one leftover") };
    let mut checkpoint = left.checkpoint().expect("a checkpoint");
    let before = &mut checkpoint.progress.copied;
    (before.seen, before.fingerprints) = (Done::default(), 0);
    let place = before.place;
    let path = left.results().with_file_name("checkpoint.bin");
    disk.remove_file(&path).expect("removed");
    let mut file = disk.create_new(&path).expect("a file");
    file.write_all(&checkpoint.encode()).and_then(|()| file.sync()).expect("written");
    disk.remove_dir_all(&left.scratch()).expect("removed");

    let mut kept = BTreeSet::new();
    for at in 0..operations {
        let disk = faulty.copy();
        disk.fail(at, Fault::ForEver);
        let ended = merge(&disk);
        disk.crash(None);
        let Some(now) = copied(&disk).filter(|now| ended.is_err() && now.place == place) else { continue };
        if kept.insert(now.seen) {
            assert_eq!(merge(&disk).expect("an archive").content_digest, whole.content_digest);
        }
    }
    // Nothing; where the tracker begins; and further.
    assert!(kept.len() > 2, "what was shown again is not kept before something new is done: {kept:?}");
}

/// The same text with words that no other text has.
fn other_words(text: &str) -> String {
    text.split(' ').map(|word| format!("q{word}")).collect::<Vec<_>>().join(" ")
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
