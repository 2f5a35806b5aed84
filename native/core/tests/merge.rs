//! The merge law (SPEC section 3) on generated and on real texts: a merge is what a search of the texts together gives,
//! in any order, any grouping, with repeats, whatever the memory and the threads.
//!
//! `FOLD_LAWS_CASES` asks for more generated texts, `FOLD_LAWS_SEED` for others.

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fold_core::Code;
use fold_core::archive::verify::{VerifyOptions, verify};
use fold_core::archive::{Manifest, Optimal};
use fold_core::control::Control;
use fold_core::disk::Disk;
use fold_core::job::{SearchRequest, Source, search};
use fold_core::merge::{MergeRequest, Ways, merge_with};
use fold_core::search::Sizes;
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
            source: Source::Bytes(text.as_bytes().to_vec()),
            input_name: name.to_owned(),
            out: out.clone(),
            memory: 64 << 20,
            threads: 1,
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
    let request = MergeRequest {
        archives: archives.to_vec(),
        out: out.to_path_buf(),
        memory: how.memory,
        threads: how.threads,
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
            let taken: Vec<PathBuf> = (0..2 + random.below(2))
                .filter_map(|_| {
                    (!archives.is_empty()).then(|| archives.swap_remove(random.below(archives.len())))
                })
                .collect();
            let mut given = taken.clone();
            given.push(taken[random.below(taken.len())].clone());
            let (merged, _) = place.merge(&format!("step-{step}.bin"), &given, How::default());
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
