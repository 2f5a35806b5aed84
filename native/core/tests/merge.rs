//! The merge law (SPEC section 3) on generated and on real texts: a merge is what a search of the texts together gives,
//! in any order, any grouping, with repeats, whatever the memory and the threads.
//!
//! `FOLD_LAWS_CASES` asks for more generated texts, `FOLD_LAWS_SEED` for others.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fold_core::Code;
use fold_core::archive::verify::{VerifyOptions, verify};
use fold_core::archive::{
    ArchiveReader, ArchiveWriter, Contents, Description, Filter, Limit, Manifest, Optimal,
};
use fold_core::control::Control;
use fold_core::digest::WordHashes;
use fold_core::disk::Disk;
use fold_core::job::{Limits, SearchRequest, Source, search};
use fold_core::merge::{MergeRequest, Ways, merge_with};
use fold_core::ortho::canonical_cells;
use fold_core::results::{Emitter, Ranks, ResultsWriter};
use fold_core::search::{Shard, Sizes};
use fold_core::text::PhraseIndex;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use support::brute_force;
use support::generate::{Random, Recipe, Sentences, recipes, render};
use support::searching::{Careless, shared, tiny_sizes};
use support::sentences_by_definition;

fn disk() -> Arc<dyn Disk> {
    Arc::new(Careless)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|n| n.parse().ok())
}

fn runner(cases: u32) -> TestRunner {
    let cases = number("FOLD_LAWS_CASES").map_or(cases, |n| n as u32);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let mut seed = [9; 32];
    seed[..8].copy_from_slice(&number("FOLD_LAWS_SEED").unwrap_or(1).to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// What two archives of the same content have in common.
type Content = (String, u64, String, Option<Optimal>, bool);

fn content(manifest: &Manifest) -> Content {
    let shapes: Vec<String> =
        manifest.shapes.iter().map(|(shape, count)| format!("{shape} {count}")).collect();
    (
        manifest.content_digest.clone(),
        manifest.ortho_count,
        shapes.join(", "),
        manifest.optimal.clone(),
        manifest.complete,
    )
}

/// A directory with archives.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn search(&self, name: &str, text: &str) -> (PathBuf, Manifest) {
        let out = self.path(&format!("{name}.bin"));
        let request = SearchRequest {
            source: Some(Source::Bytes(text.as_bytes().to_vec())),
            input_name: name.to_owned(),
            out: out.clone(),
            memory: 64 << 20,
            threads: 1,
            limits: Limits::default(),
            shard: None,
            continue_from: None,
        };
        let manifest = search(&request, &Control::default(), &disk()).expect("a search");
        (out, manifest)
    }

    fn merge(&self, name: &str, archives: &[PathBuf], how: How) -> (PathBuf, Manifest) {
        let out = self.path(name);
        let manifest = merge_to(&out, archives, how).expect("a merge");
        (out, manifest)
    }

    fn assert_sound(&self, archive: &Path) {
        let options = VerifyOptions { scratch: self.0.path().to_path_buf(), memory: 1 << 20 };
        let report = verify(archive, &options, &Control::default(), &disk()).expect("a report");
        assert_eq!(report.problems, [], "{}", archive.display());
    }
}

#[derive(Debug, Clone, Copy)]
struct How {
    threads: usize,
    memory: u64,
    ways: Ways,
}

impl Default for How {
    /// Everything is kept that can be.
    fn default() -> Self {
        Self { threads: 1, memory: 64 << 20, ways: Ways { least_bytes: 0, ..Ways::default() } }
    }
}

impl How {
    fn sizes(self, sizes: Sizes) -> Self {
        Self { ways: Ways { sizes, ..self.ways }, ..self }
    }
}

fn merge_to(out: &Path, archives: &[PathBuf], how: How) -> fold_core::Result<Manifest> {
    merge_within(out, archives, how, Limits::default())
}

fn merge_within(out: &Path, archives: &[PathBuf], how: How, limits: Limits) -> fold_core::Result<Manifest> {
    let request = MergeRequest {
        archives: archives.to_vec(),
        out: out.to_path_buf(),
        memory: how.memory,
        threads: how.threads,
        limits,
    };
    merge_with(&request, how.ways, &Control::default(), &disk())
}

/// Several texts over one vocabulary or several, made out of one recipe each; some sentences are in more than one.
#[derive(Debug, Clone)]
struct Texts {
    recipe: Recipe,
    /// How many texts.
    count: usize,
    /// In how many of 8 cases a sentence is in one more text; 8 is all of them in all texts.
    shared: usize,
    /// The texts from this one on are in other words.
    apart: usize,
    seed: u64,
}

fn texts(most: usize) -> impl Strategy<Value = Texts> {
    (recipes(), 1..=most, 0usize..=8, 0usize..16, any::<u64>())
        .prop_map(|(recipe, count, shared, apart, seed)| Texts { recipe, count, shared, apart, seed })
}

impl Texts {
    /// The texts, thin enough that the union has not too many orthos.
    fn make(&self) -> Vec<String> {
        for thinner in 0.. {
            let sentences = self.recipe.sentences(thinner);
            let parts = self.divide(&sentences);
            let union = parts.join("\n\n");
            if brute_force::orthos(&sentences_by_definition(&union), 20_000).is_some() {
                return parts;
            }
        }
        unreachable!("every recipe is feasible without noise")
    }

    fn divide(&self, sentences: &Sentences) -> Vec<String> {
        let mut random = Random(self.seed);
        let mut parts: Vec<Sentences> = vec![vec![]; self.count];
        for sentence in sentences {
            let first = random.below(self.count);
            for (i, part) in parts.iter_mut().enumerate() {
                if i == first || random.below(8) < self.shared {
                    part.push(sentence.clone());
                }
            }
        }
        let scripts = support::generate::SCRIPTS;
        let script = |i: usize| if i >= self.apart { self.recipe.script + 1 } else { self.recipe.script };
        (0..)
            .zip(&parts)
            .map(|(i, part)| render(part, script(i) % scripts, self.recipe.seed ^ i as u64))
            .map(|text| text.trim_start_matches('\u{feff}').to_owned())
            .collect()
    }
}

fn on_texts(cases: u32, most: usize, check: impl Fn(&[String], u64)) {
    let outcome = runner(cases).run(&texts(most), |texts| {
        let parts = texts.make();
        let attempt = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&parts, texts.seed)));
        attempt.map_err(|panic| {
            let message = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            TestCaseError::fail(format!("{message}\nin {parts:?}"))
        })
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

fn archives(place: &Place, texts: &[String]) -> Vec<PathBuf> {
    texts.iter().enumerate().map(|(i, text)| place.search(&format!("text-{i:02}"), text).0).collect()
}

/// Ways at which a search with something left out goes every way.
fn all_ways() -> Vec<How> {
    let plain = Sizes::default();
    let how = How::default();
    vec![
        how,
        How { threads: 2, ..how },
        How { memory: 1 << 20, threads: 2, ..how },
        How { memory: 192 << 10, ..how },
        How { memory: 96 << 10, ..how }.sizes(tiny_sizes()),
        how.sizes(tiny_sizes()),
        how.sizes(Sizes { fours: 0, ..plain }),
        how.sizes(Sizes { fours: 3, ears: 3, fives: 2, joins: 3, ..plain }),
        how.sizes(Sizes { line_words: 0, ..plain }),
        How { ways: Ways { most: 1, ..how.ways }, ..how },
        how.sizes(Sizes { seeded: Some(true), ..plain }),
        how.sizes(Sizes { seeded: Some(false), ..plain }),
        how.sizes(Sizes { seeded: Some(true), ..tiny_sizes() }),
        how.sizes(Sizes { seeded: Some(true), line_words: 0, ..plain }),
        How { threads: 2, ..how }.sizes(Sizes { seeded: Some(true), fours: 3, ..plain }),
        How { memory: 1 << 20, threads: 2, ..how }.sizes(Sizes { seeded: Some(true), ..plain }),
        How { memory: 192 << 10, ..how }.sizes(Sizes { seeded: Some(true), ..plain }),
        How { ways: Ways { most: 1, ..how.ways }, ..how }.sizes(Sizes { seeded: Some(true), ..plain }),
        How { ways: Ways::default(), ..how },
    ]
}

#[test]
fn a_merge_is_a_search_of_the_texts_together() {
    on_texts(300, 12, |texts, _| {
        let place = Place::new();
        let archives = archives(&place, texts);
        let (_, expected) = place.search("union", &texts.join("\n\n"));
        let (merged, found) = place.merge("merged.bin", &archives, How::default());
        assert_eq!(content(&found), content(&expected));
        place.assert_sound(&merged);
    });
}

#[test]
fn no_way_of_searching_makes_a_difference() {
    on_texts(60, 4, |texts, _| {
        let place = Place::new();
        let archives = archives(&place, texts);
        let (_, expected) = place.search("union", &texts.join("\n\n"));
        for (i, how) in all_ways().into_iter().enumerate() {
            match merge_to(&place.path(&format!("merged-{i}.bin")), &archives, how) {
                Ok(found) => assert_eq!(content(&found), content(&expected), "{how:?}"),
                Err(error) => assert_eq!(error.code(), Code::MemoryTooSmall, "{error}"),
            }
        }
    });
}

/// Some words that nearly all follow each other, one text with most sentences: cubes of up to six axes and more, in which a new
/// bigram is at several places. Nothing if the texts have too many orthos.
fn dense_texts(case: u64) -> Option<[String; 3]> {
    let mut random = Random(case ^ number("FOLD_LAWS_SEED").unwrap_or(1) << 32);
    let words = 6 + random.below(14);
    let most = 15 + random.below(60);
    let sentence = |random: &mut Random| {
        let length = 2 + random.below(3);
        (0..length)
            .map(|_| format!("{}x", (b'a' + random.below(words) as u8) as char))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut text =
        |sentences: usize| (0..sentences).map(|_| sentence(&mut random)).collect::<Vec<_>>().join(". ");
    let texts = [text(most), text(1 + case as usize % 4), text(1 + case as usize % 7)];
    brute_force::orthos(&sentences_by_definition(&texts.join("\n\n")), 200_000).map(|_| texts)
}

#[test]
fn what_is_new_in_dense_texts_is_found_from_seeds() {
    for texts in (0..number("FOLD_LAWS_CASES").unwrap_or(40)).filter_map(dense_texts) {
        let place = Place::new();
        let archives = archives(&place, &texts);
        let (_, expected) = place.search("union", &texts.join("\n\n"));
        let plain = Sizes { seeded: Some(true), ..Sizes::default() };
        let seeded = |sizes: Sizes| How::default().sizes(Sizes { seeded: Some(true), ..sizes });
        let ways = [
            seeded(plain),
            seeded(tiny_sizes()),
            seeded(Sizes { line_words: 0, ..plain }),
            How { threads: 2, ..seeded(Sizes { fours: 2, ..plain }) },
            seeded(Sizes { fours: 40, ..plain }),
            seeded(Sizes { past: 0, ..plain }),
            seeded(Sizes { past: 2000, ..plain }),
            How { memory: 1 << 20, threads: 2, ..seeded(plain) },
            How { ways: Ways { most: 1, ..seeded(plain).ways }, ..seeded(plain) },
        ];
        for (i, how) in ways.into_iter().enumerate() {
            let (merged, found) = place.merge(&format!("merged-{i}.bin"), &archives, how);
            assert_eq!(content(&found), content(&expected), "{how:?} of {texts:?}");
            if i == 0 {
                place.assert_sound(&merged);
            }
        }
    }
}

/// As many orthos as are wanted and no more, and none with more axes than are wanted, but for what the archives hold.
#[test]
fn limits_hold_where_what_is_new_is_found_from_seeds() {
    let mut ended = 0;
    for (case, texts) in
        (0..number("FOLD_LAWS_CASES").unwrap_or(30)).filter_map(|case| Some((case, dense_texts(case)?)))
    {
        let mut random = Random(case);
        let place = Place::new();
        let archives = archives(&place, &texts);
        let (union, _) = place.search("union", &texts.join("\n\n"));
        let (union, held) =
            (by_axes(&union), archives.iter().flat_map(|archive| by_axes(archive)).collect::<BTreeSet<_>>());
        let added = union.len() - held.len();
        let plain = Sizes { seeded: Some(true), ..Sizes::default() };
        let ways = [
            How::default().sizes(plain),
            How { threads: 2, ..How::default() }.sizes(plain),
            How::default().sizes(Sizes { fours: 40, ..plain }),
            How::default().sizes(Sizes { seeded: Some(true), ..tiny_sizes() }),
            How { ways: Ways { most: 1, ..How::default().ways }, ..How::default() }.sizes(plain),
        ];
        for (i, how) in ways.into_iter().enumerate() {
            // Archives that are not kept are searched for again, and a limit is one on that too.
            let held = if how.ways.most > 1 { held.clone() } else { by_axes(&archives[0]) };
            let out = place.path(&format!("most-{i}.bin"));
            let most = held.len() + random.below(added + 2);
            let limits = Limits { max_orthos: Some(most as u64), ..Limits::default() };
            let manifest = merge_within(&out, &archives, how, limits).expect("a merge");
            let found = by_axes(&out);
            assert_eq!(found.len(), most.min(union.len()), "{how:?} of {texts:?}");
            assert!(found.is_subset(&union) && found.is_superset(&held), "{how:?} of {texts:?}");
            assert_eq!(manifest.complete, found.len() == union.len(), "{how:?} of {texts:?}");
            place.assert_sound(&out);
            ended += usize::from(!manifest.complete);

            let out = place.path(&format!("axes-{i}.bin"));
            let axes = 2 + random.below(4);
            let limits = Limits { max_dims: Some(axes as u32), ..Limits::default() };
            merge_within(&out, &archives, how, limits).expect("a merge");
            let expected = union.iter().filter(|ortho| ortho.0 <= axes || held.contains(*ortho));
            assert!(by_axes(&out).iter().eq(expected), "{axes} axes, {how:?} of {texts:?}");
            place.assert_sound(&out);
        }
    }
    assert!(ended > 0, "no limit ended anything");
}

/// The orthos of an archive: how many axes each has, its shape, its words.
fn by_axes(archive: &Path) -> BTreeSet<(usize, Vec<u32>, Vec<String>)> {
    let reader = ArchiveReader::open(archive, disk()).expect("an archive");
    let mut orthos = reader.orthos(&Filter::default()).expect("orthos");
    let (mut all, mut batch) = (BTreeSet::new(), vec![]);
    while orthos.next_batch(1000, &mut batch).expect("a batch") {
        for ortho in &batch {
            let words = ortho.tokens.iter().map(|&token| reader.interner().word(token).to_owned()).collect();
            assert!(all.insert((ortho.dims.len(), ortho.dims.clone(), words)), "{ortho:?} is there twice");
        }
    }
    all
}

/// A cube of six axes whose words come again every few shells, all in bigrams, of which some are in the second text.
#[test]
fn a_cube_of_six_axes_is_found_from_any_of_its_seeds() {
    for case in 0..12 {
        let mut random = Random(case);
        let period = 3 + case as u32 % 5;
        let word = |cell: u32| {
            let shell = cell.count_ones();
            let place = (0..cell).filter(|other| other.count_ones() == shell).count() as u8;
            let letter = |n: u8| (b'a' + n) as char;
            format!("{}{}", letter((shell % period) as u8), letter(place))
        };
        let bigrams: BTreeSet<String> = (0..64u32)
            .flat_map(|cell| (0..6).map(move |axis| (cell, cell | 1 << axis)))
            .filter(|(low, high)| low != high)
            .map(|(low, high)| format!("{} {}", word(low), word(high)))
            .collect();
        let new: BTreeSet<usize> = (0..=case % 3).map(|_| random.below(bigrams.len())).collect();
        let part = |wanted: bool| {
            let some = bigrams.iter().enumerate().filter(|(i, _)| new.contains(i) == wanted);
            some.map(|(_, bigram)| bigram.as_str()).collect::<Vec<_>>().join(". ")
        };
        let texts = [part(false), part(true)];
        let place = Place::new();
        let archives = archives(&place, &texts);
        let (_, expected) = place.search("union", &texts.join("\n\n"));
        assert!(expected.shapes.iter().any(|(shape, _)| shape.to_string() == "2x2x2x2x2x2"));
        for (i, fours) in [usize::MAX, 2].into_iter().enumerate() {
            let how = How::default().sizes(Sizes { seeded: Some(true), fours, ..Sizes::default() });
            let (_, found) = place.merge(&format!("merged-{i}.bin"), &archives, how);
            assert_eq!(content(&found), content(&expected), "{how:?} of {texts:?}");
        }
    }
}

#[test]
fn merging_is_commutative_associative_and_idempotent() {
    on_texts(80, 5, |texts, seed| {
        let place = Place::new();
        let mut archives = archives(&place, texts);
        let (_, expected) = place.search("union", &texts.join("\n\n"));
        let mut random = Random(seed);
        // Merges of any two or three, some of them used again, until one is left.
        let mut step = 0;
        while archives.len() > 1 {
            let mut taken: Vec<PathBuf> = vec![];
            for _ in 0..archives.len().min(2 + random.below(2)) {
                taken.push(archives.swap_remove(random.below(archives.len())));
            }
            let mut given = taken.clone();
            given.push(taken[random.below(taken.len())].clone());
            // So that what is found from seeds is copied and filtered too.
            let seeded = [None, Some(true), Some(false)][random.below(3)];
            let how = How::default().sizes(Sizes { seeded, ..Sizes::default() });
            let (merged, _) = place.merge(&format!("step-{step}.bin"), &given, how);
            place.assert_sound(&merged);
            archives.push(merged);
            step += 1;
        }
        let (last, found) = place.merge("last.bin", &archives, How::default());
        assert_eq!(content(&found), content(&expected));
        place.assert_sound(&last);
        let again = [last.clone(), last, place.path("text-00.bin")];
        let (_, found) = place.merge("again.bin", &again, How::default());
        assert_eq!(content(&found), content(&expected));
    });
}

/// The first so many bytes of a text, and the rest, cut at the end of a sentence.
fn halves(text: &str, at: usize) -> (&str, &str) {
    let at = text[..at].rfind(". ").map_or(at, |end| end + 1);
    text.split_at(at)
}

#[test]
fn real_texts_merge() {
    let Some(path) = shared("texts/novel-16000.txt") else { return };
    let text = std::fs::read_to_string(path).expect("a text");
    let (a, b) = halves(&text, 8_000);
    let (most, rest) = halves(&text, 15_000);
    let place = Place::new();
    let (_, expected) = place.search("union", &text);
    for (i, (a, b)) in [(a, b), (most, rest), (text.as_str(), most), (&text[..12_000], &text[4_000..])]
        .into_iter()
        .enumerate()
    {
        let archives = [place.search(&format!("a{i}"), a).0, place.search(&format!("b{i}"), b).0];
        let (merged, found) = place.merge(&format!("merged-{i}.bin"), &archives, How::default());
        if i < 3 {
            assert_eq!(content(&found), content(&expected), "{i}");
        }
        place.assert_sound(&merged);
    }
}

/// What an archive holds, as lines of words.
fn lines(archive: &Path) -> BTreeSet<String> {
    let reader = ArchiveReader::open(archive, disk()).expect("an archive");
    let mut orthos = reader.orthos(&Filter::default()).expect("orthos");
    let (mut all, mut text) = (BTreeSet::new(), vec![]);
    while orthos.next_text(1 << 16, &mut text).expect("text") {
        for line in String::from_utf8_lossy(&text).lines() {
            assert!(all.insert(line.to_owned()), "{line} is there twice");
        }
    }
    all
}

impl Place {
    /// An archive of those orthos of a complete one that are wanted.
    fn part(&self, name: &str, whole: &Path, wanted: impl Fn(usize) -> bool, claims: Contents) -> PathBuf {
        let reader = ArchiveReader::open(whole, disk()).expect("an archive");
        let index = PhraseIndex::build(Arc::clone(reader.interner())).expect("an index");
        let ranks = Arc::new(Ranks::new(&index));
        let words = WordHashes::new(index.interner());
        let out = self.path(&format!("{name}.bin"));
        let writer = ArchiveWriter::create(&out, &disk()).expect("a writer");
        let results = ResultsWriter::create(&writer.results(), 1 << 16, writer.disk()).expect("results");
        let mut emitter = Emitter::new(&ranks, &words, &results);
        let mut orthos = reader.orthos(&Filter::default()).expect("orthos");
        let (mut batch, mut number) = (vec![], 0);
        while orthos.next_batch(1000, &mut batch).expect("a batch") {
            for ortho in &batch {
                if wanted(number) {
                    let mut cells: Vec<_> =
                        canonical_cells(&ortho.dims).into_iter().zip(&ortho.tokens).collect();
                    cells.sort_by_key(|(cell, _)| cell.iter().rev().copied().collect::<Vec<u32>>());
                    let cells: Vec<_> = cells.into_iter().map(|(_, &token)| ranks.rank(token)).collect();
                    emitter.single(&ortho.dims, &cells).expect("taken");
                }
                number += 1;
            }
        }
        let found = emitter.finish().expect("written");
        results.close().expect("closed");
        let description = Description {
            input: reader.manifest().input.clone(),
            lineage: &reader.manifest().lineage.parse().expect("a lineage"),
            interner: index.interner(),
            ranks: &ranks.into(),
            contents: &Contents { tally: found.tally, best: found.best, complete: false, ..claims },
            search: reader.manifest().search.clone(),
        };
        writer.finish(description, &Control::default()).expect("an archive");
        out
    }

    fn limited(&self, name: &str, whole: &Path, seed: u64) -> PathBuf {
        let limits = vec![Limit { name: "maxOrthos".to_owned(), value: 7 }];
        let wanted = |i| Random(seed ^ i as u64).below(2) == 0;
        self.part(name, whole, wanted, Contents { limits, ..Contents::default() })
    }

    /// Those of so many shards that are in a list, in one archive.
    fn shards(&self, name: &str, whole: &Path, list: &[u32], count: u32) -> PathBuf {
        let shards = list.iter().map(|&i| Shard::new(i, count).expect("a shard")).collect();
        let wanted = |i: usize| list.contains(&(i as u32 % count + 1));
        self.part(name, whole, wanted, Contents { shards, ..Contents::default() })
    }
}

#[test]
fn what_incomplete_archives_hold_is_not_lost() {
    let incomplete = std::cell::Cell::new(0);
    on_texts(150, 4, |texts, seed| {
        let place = Place::new();
        let whole = archives(&place, texts);
        let mut random = Random(seed);
        let mut given: Vec<PathBuf> = vec![];
        let mut complete: Vec<&str> = vec![];
        let mut held: BTreeSet<String> = BTreeSet::new();
        for (i, (text, whole)) in texts.iter().zip(&whole).enumerate() {
            let shards =
                |name: &str, list: &[u32], count| place.shards(&format!("{name}-{i}"), whole, list, count);
            let limited = |name: &str, seed| place.limited(&format!("{name}-{i}"), whole, seed);
            let (parts, is_complete) = match random.below(7) {
                0 => (vec![whole.clone()], true),
                1 => (vec![limited("a", 1)], false),
                2 => (vec![limited("a", 1), whole.clone(), shards("s", &[1], 2)], true),
                3 => (vec![shards("a", &[2], 3), shards("b", &[1, 3], 3)], true),
                4 => (vec![shards("a", &[2], 3), shards("b", &[3], 3), limited("c", 3)], false),
                5 => (vec![shards("a", &[1, 2], 3), shards("b", &[3, 1], 3), shards("c", &[1], 2)], true),
                _ => (
                    vec![limited("a", 1), limited("b", 2), shards("c", &[1, 2], 4), shards("d", &[2, 3], 4)],
                    false,
                ),
            };
            if is_complete {
                complete.push(text);
            } else {
                held.extend(parts.iter().flat_map(|part| lines(part)));
            }
            given.extend(parts);
        }
        let (union, _) = place.search("complete", &complete.join("\n\n"));
        let (all, _) = place.search("all", &texts.join("\n\n"));
        let mut expected = lines(&union);
        expected.extend(held);
        let digests = [&union, &all]
            .map(|path| ArchiveReader::open(path, disk()).expect("an archive").interner().digest());
        let is_complete = digests[0] == digests[1];
        incomplete.set(incomplete.get() + u32::from(!is_complete));
        let ways = [
            How::default(),
            How { threads: 2, ways: Ways::default(), ..How::default() },
            How { memory: 1 << 20, ..How::default() },
        ];
        let mut contents: Vec<Content> = vec![];
        for (i, how) in ways.into_iter().enumerate() {
            given.rotate_left(1);
            let (merged, found) = place.merge(&format!("merged-{i}.bin"), &given, how);
            assert_eq!(found.complete, is_complete);
            assert!(lines(&merged) == expected, "{how:?}");
            place.assert_sound(&merged);
            // Once more with what went into it.
            let (_, again) = place.merge(&format!("again-{i}.bin"), &[merged, given[0].clone()], how);
            assert_eq!(content(&again), content(&found));
            contents.push(content(&found));
        }
        assert!(contents.iter().all(|other| other == &contents[0]));
    });
    assert!(incomplete.get() > 20 || number("FOLD_LAWS_CASES").is_some(), "{incomplete:?}");
}

#[test]
fn shards_become_the_whole_and_missing_ones_are_named() {
    let place = Place::new();
    let text = "a b c. d e f. a d. b e. c f. o p. o q. o r. p s. p t. q s. q u. r t. r u. s z. t z. u z.";
    let (whole, expected) = place.search("text", text);
    let shards: Vec<PathBuf> =
        (1..=4).map(|i| place.shards(&format!("shard-{i}"), &whole, &[i], 4)).collect();
    let (some, found) = place.merge("some.bin", &[shards[2].clone(), shards[0].clone()], How::default());
    assert_eq!(found.shards.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1/4", "3/4"]);
    assert_eq!((found.complete, found.limits.len()), (false, 0));
    assert_eq!(found.input, expected.input);
    assert_eq!(found.lineage, "\"text\"");
    let rest = [some, shards[1].clone(), shards[3].clone()];
    let (_, found) = place.merge("all.bin", &rest, How::default());
    assert_eq!(content(&found), content(&expected));
    assert_eq!((found.shards.len(), &found.input), (0, &expected.input));
}

#[test]
fn lineages_are_sorted_and_there_once() {
    let place = Place::new();
    let texts: Vec<PathBuf> = [("b", "x y. y z"), ("a", "p q. q r"), ("c", "")]
        .map(|(name, text)| place.search(name, text).0)
        .into();
    let (two, found) = place.merge("two.bin", &[texts[0].clone(), texts[1].clone()], How::default());
    assert_eq!((found.lineage.as_str(), found.input), (r#"("a" "b")"#, None));
    let (_, found) = place.merge("three.bin", &[texts[2].clone(), two.clone(), two.clone()], How::default());
    assert_eq!(found.lineage, r#"("c" ("a" "b"))"#);
    let (_, found) = place.merge("one.bin", &[two.clone(), two], How::default());
    assert_eq!(found.lineage, r#"("a" "b")"#);
}

/// Replaces text in the manifest, with sums that fit.
fn rewrite(archive: &Path, from: &str, to: &str) {
    use sha2::{Digest, Sha256};
    let path = archive.join("manifest.json");
    let sum = |text: &str| Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let before = std::fs::read_to_string(&path).expect("a manifest");
    let after = before.replace(from, to);
    assert_ne!(before, after);
    std::fs::write(&path, &after).expect("written");
    let sums = std::fs::read_to_string(archive.join("SHA256SUMS")).expect("sums");
    std::fs::write(archive.join("SHA256SUMS"), sums.replace(&sum(&before), &sum(&after))).expect("written");
}

#[test]
fn bad_archives_are_named_and_nothing_is_left() {
    let text = "a b c. d e f. a d. b e. c f. o p. o q. p s. q s.";
    let change = |what: &dyn Fn(&Path)| {
        let place = Place::new();
        let (good, _) = place.search("good", "x y. x z. y w. z w. a b");
        let (bad, _) = place.search("bad", text);
        what(&bad);
        let out = place.path("out.bin");
        let error = merge_to(&out, &[good, bad], How::default()).expect_err("refused");
        assert!(error.to_string().contains("bad.bin"), "{error}");
        let names = std::fs::read_dir(place.0.path()).expect("a list");
        let left: Vec<_> = names
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name != "good.bin" && name != "bad.bin")
            .collect();
        assert!(left.is_empty(), "{left:?}");
        error.code()
    };
    let rewritten = |from, to| change(&|bad| rewrite(bad, from, to));
    assert_eq!(rewritten("\"tokenizer\": 1", "\"tokenizer\": 2"), Code::TokenizerDiffers);
    assert_eq!(rewritten("\"formatVersion\": 2", "\"formatVersion\": 3"), Code::NewerFormat);
    let flip = |name: &str| {
        change(&|bad| {
            let path = bad.join(name);
            let mut bytes = std::fs::read(&path).expect("a file");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
            std::fs::write(&path, bytes).expect("written");
        })
    };
    for name in ["results/2x2/00000000000000000001.seg", "interner.bin", "ranks.bin", "tallies.bin"] {
        assert_eq!(flip(name), Code::Damaged, "{name}");
    }
    assert_eq!(change(&|bad| std::fs::remove_file(bad.join("ranks.bin")).expect("removed")), Code::Damaged);
    assert_eq!(change(&|bad| std::fs::remove_dir_all(bad).expect("removed")), Code::InputNotFound);
    assert_eq!(
        change(&|bad| {
            std::fs::remove_dir_all(bad).expect("removed");
            std::fs::create_dir(bad).expect("made");
        }),
        Code::NotAnArchive
    );
}

/// A small archive of which nothing is copied, as all is found by the search: it is looked at all the same.
#[test]
fn a_bad_archive_is_named_though_nothing_of_it_is_needed() {
    let change = |name: &str, what: &dyn Fn(&mut Vec<u8>)| {
        let place = Place::new();
        let (good, _) = place.search("good", "x y. x z. y w. z w. a b");
        let (bad, _) = place.search("bad", "a b c. d e f. a d. b e. c f");
        let path = bad.join(name);
        let mut bytes = std::fs::read(&path).expect("a file");
        what(&mut bytes);
        std::fs::write(&path, bytes).expect("written");
        let how = How { ways: Ways::default(), ..How::default() };
        let error = merge_to(&place.path("out.bin"), &[good, bad], how).expect_err(name);
        assert!(error.to_string().contains("bad.bin"), "{error}");
        assert_eq!(error.code(), Code::Damaged, "{name}");
    };
    let flip = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
    };
    for name in ["interner.bin", "ranks.bin", "tallies.bin", "lineage.txt", "optimal.txt", "results/2x2/head"]
    {
        change(name, &flip);
    }
    change("results/2x2/00000000000000000001.seg", &|bytes| bytes.truncate(bytes.len() - 1));
}

#[test]
fn a_merge_stops_when_asked() {
    let place = Place::new();
    let archives = [place.search("a", "a b. c d").0, place.search("b", "a c. b d").0];
    let control = Control::default();
    control.cancel();
    let request = MergeRequest {
        archives: archives.into(),
        out: place.path("out.bin"),
        memory: 1 << 26,
        threads: 2,
        limits: Limits::default(),
    };
    let error = merge_with(&request, Ways::default(), &control, &disk()).expect_err("cancelled");
    assert_eq!(error.code(), Code::Cancelled);
    assert!(!request.out.exists());
}
