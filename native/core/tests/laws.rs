//! The laws of the specification (section 3) that concern one search: sound, complete, unique and deterministic, on
//! generated and on real texts; and that it stops when asked.
//!
//! `FOLD_LAWS_CASES` asks for more generated texts, `FOLD_LAWS_SEED` for others; `scripts/long-tests.sh` does both.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use fold_core::Code;
use fold_core::digest::{OrthoHasher, WordHashes};
use fold_core::ortho::{Dims, Ortho, shape_name};
use fold_core::search::{Sizes, Stop};
use fold_core::text::Interner;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use support::generate::{Recipe, SCRIPTS, Sentences, recipes, render};
use support::searching::{How, search, search_interner, search_into, shared, tiny_sizes};
use support::{brute_force, sentences_by_definition};

/// More cells than this the oracle does not fill for one generated text; the text is then made thinner.
const CELLS: u64 = 20_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|n| n.parse().ok())
}

/// A runner of so many cases that generates the same ones every time, or those of `FOLD_LAWS_SEED`.
fn runner(cases: u32) -> TestRunner {
    let cases = number("FOLD_LAWS_CASES").map_or(cases, |n| n as u32);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number("FOLD_LAWS_SEED").unwrap_or(1).to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// The sentences of a recipe, made thinner until the oracle can do them, and what the oracle says.
fn feasible(recipe: &Recipe) -> (Sentences, String, Vec<Ortho>) {
    for thinner in 0.. {
        let sentences = recipe.sentences(thinner);
        let text = render(&sentences, recipe.script, recipe.seed);
        if let Some(orthos) = brute_force::orthos(&sentences_by_definition(&text), CELLS) {
            return (sentences, text, orthos);
        }
    }
    unreachable!("every recipe is feasible without noise")
}

fn assert_same(expected: &[Ortho], found: &[Ortho], text: &str) {
    if expected != found {
        let (e, f): (BTreeSet<_>, BTreeSet<_>) = (
            expected.iter().map(|o| (&o.dims, &o.tokens)).collect(),
            found.iter().map(|o| (&o.dims, &o.tokens)).collect(),
        );
        let missing: Vec<_> = e.difference(&f).take(5).collect();
        let extra: Vec<_> = f.difference(&e).take(5).collect();
        panic!(
            "expected {} orthos, found {}; missing {missing:?}, extra {extra:?}, in {text:?}",
            e.len(),
            found.len()
        );
    }
}

/// Runs a check on every generated text. The check panics when a law is broken.
fn on_texts(cases: u32, mut check: impl FnMut(&Recipe, &Sentences, &str, &[Ortho])) -> BTreeMap<Dims, u32> {
    let seen = std::cell::RefCell::new(BTreeMap::new());
    let check = std::cell::RefCell::new(&mut check);
    let outcome = runner(cases).run(&recipes(), |recipe| {
        let (sentences, text, orthos) = feasible(&recipe);
        let attempt = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (check.borrow_mut())(&recipe, &sentences, &text, &orthos);
        }));
        attempt.map_err(|panic| {
            let message = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            TestCaseError::fail(format!("{message}\nin {text:?}"))
        })?;
        let shapes: BTreeSet<&Dims> = orthos.iter().map(|o| &o.dims).collect();
        for dims in shapes {
            *seen.borrow_mut().entry(dims.clone()).or_insert(0) += 1;
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    seen.into_inner()
}

#[test]
fn what_is_found_is_what_the_definition_says() {
    let mut texts = 0u32;
    let mut orthos = 0;
    let seen = on_texts(1_100, |_, _, text, expected| {
        let found = search(text.as_bytes(), How::default()).expect("search");
        assert_same(expected, &found.orthos, text);
        found.agrees_with_itself();
        texts += 1;
        orthos += expected.len();
    });
    // The texts must have been worth it.
    let with = |holds: &dyn Fn(&Dims) -> bool| -> u32 {
        seen.iter().filter(|(dims, _)| holds(dims)).map(|(_, n)| n).sum()
    };
    let by_axes: Vec<u32> = (2..=7).map(|n| with(&|d| d.len() == n)).collect();
    let long_axes = |dims: &Dims| dims.iter().filter(|&&d| d > 2).count();
    let by_long: Vec<u32> = (0..=3).map(|n| with(&|d| long_axes(d) == n)).collect();
    let longest = seen.keys().flatten().max().copied().unwrap_or(0);
    println!(
        "{texts} texts, {orthos} orthos; (text, shape) by axes from 2: {by_axes:?}, by long axes: {by_long:?}"
    );
    let shapes: Vec<String> = seen.iter().map(|(dims, n)| format!("{} {n}", shape_name(dims))).collect();
    println!("texts with each shape: {}", shapes.join(", "));
    assert!(texts >= 1_000 || number("FOLD_LAWS_CASES").is_some());
    for dims in
        [&[2; 4][..], &[2; 5], &[2; 6], &[3, 3], &[4, 4], &[3, 3, 3], &[2, 7], &[2, 2, 4], &[2, 2, 3, 3]]
    {
        assert!(seen.get(dims).is_some_and(|&n| n >= 5), "{} occurred too rarely", shape_name(dims));
    }
    assert!(by_long[2] > 50 && by_long[3] > 10 && longest >= 7);
}

/// Threads, budgets and the sizes at which the search changes its ways make no difference.
#[test]
fn the_result_is_the_same_whatever_the_threads_and_the_memory() {
    let plain = Sizes::default();
    let ways = [
        How { threads: 2, ..How::default() },
        How { threads: 3, memory: 1 << 20, sizes: plain },
        How { threads: 1, memory: 0, sizes: plain },
        How { threads: 2, memory: 4 << 10, sizes: plain },
        How { threads: 1, memory: 16 << 10, sizes: plain },
        How { threads: 3, memory: 64 << 10, sizes: plain },
        How { threads: 1, memory: 256 << 10, sizes: tiny_sizes() },
        How { sizes: tiny_sizes(), ..How::default() },
        How { sizes: Sizes { fours: 0, ..plain }, ..How::default() },
        How { sizes: Sizes { fours: 8, ..plain }, ..How::default() },
        How { sizes: Sizes { fours: 40, line_words: 1, ..plain }, ..How::default() },
        How { sizes: Sizes { fours: 3, ears: 3, fives: 2, joins: 3, ..plain }, ..How::default() },
        How { sizes: Sizes { line_words: 0, ..plain }, ..How::default() },
    ];
    on_texts(120, |_, _, text, expected| {
        let first = search(text.as_bytes(), How::default()).expect("search");
        for how in ways {
            let other = search(text.as_bytes(), how).expect("search");
            assert_same(expected, &other.orthos, text);
            assert_eq!(first.found.tally, other.found.tally, "{how:?}");
            assert_eq!(first.found.best, other.found.best, "{how:?}");
            assert_eq!(first.digest, other.digest, "{how:?}");
        }
    });
}

/// An ortho read from its far corner is an ortho of the text read backwards.
#[test]
fn a_text_with_every_sentence_reversed_has_as_many_orthos_of_each_shape() {
    on_texts(150, |recipe, sentences, text, _| {
        let mut reversed = sentences.clone();
        reversed.iter_mut().for_each(|sentence| sentence.reverse());
        let reversed = render(&reversed, recipe.script, recipe.seed);
        let there = search(text.as_bytes(), How::default()).expect("search").counts();
        let back = search(reversed.as_bytes(), How::default()).expect("search").counts();
        assert_eq!(there, back);
    });
}

#[test]
fn the_scripts_have_different_words() {
    let sentences: Sentences = (0..130).map(|i| vec![i, i + 1]).collect();
    for script in 0..SCRIPTS {
        let text = render(&sentences, script, 5);
        let interner = Interner::from_bytes("text", text.as_bytes()).expect("text");
        assert_eq!(interner.vocabulary_len(), 131, "script {script}");
        let by_definition = sentences_by_definition(&text);
        assert_eq!(by_definition.len(), 130, "script {script}");
        let words: BTreeSet<&String> = by_definition.iter().flatten().collect();
        assert!(interner.words().eq(words), "script {script}");
    }
}

/// The example of `docs/formats/content_digest.md`, computed there by other means.
#[test]
fn the_documented_example_has_the_documented_digest() {
    let found = search(b"a b c. d e f. a d. b e. c f.", How::default()).expect("search");
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    assert_eq!(
        hex(&found.interner.digest()),
        "682d90ad0e1718bf1e5707bac22afb966f20a0796c7ca395a02657c4822f884b"
    );
    let words = WordHashes::new(&found.interner);
    let mut hasher = OrthoHasher::default();
    let hashes: Vec<String> =
        found.orthos.iter().map(|ortho| format!("{:032x}", hasher.hash(&words, ortho))).collect();
    assert_eq!(
        hashes,
        [
            "611fe5baa52dfbe6df8be3f063d1e3c9",
            "3d0834037fc50b5a49d6a429480e9305",
            "344ecb6c6e48ac6beb2b22ed9db23faa"
        ]
    );
    assert_eq!(hex(&found.digest), "d48f6c3d8799e7d7908ff58e29554cb96f2a66733d605fb12eeed1ca50637f4a");
}

// ---- real texts

fn python(text: &std::path::Path) -> Option<String> {
    let oracle = shared("oracle/brute_force.py")?;
    let output = Command::new("python3").arg(oracle).arg("--list").arg(text).output();
    let output = output.ok().filter(|o| o.status.success());
    if output.is_none() {
        eprintln!("skipped: python3 is not there");
    }
    output.map(|o| String::from_utf8(o.stdout).expect("UTF-8"))
}

/// The form of the oracle's `--list`, sorted by line.
fn listing<'a>(orthos: &[Ortho], words: &[&'a str]) -> Vec<String> {
    let line = |o: &Ortho| {
        let words: Vec<&'a str> = o.tokens.iter().map(|&t| words[t as usize]).collect();
        format!("{}\t{}", shape_name(&o.dims), words.join(" "))
    };
    let mut lines: Vec<String> = orthos.iter().map(line).collect();
    lines.sort();
    lines
}

/// The port of the oracle is the oracle.
#[test]
fn the_oracle_in_python_says_what_its_port_says() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut texts: Vec<PathBuf> = shared("texts/novel-4000.txt").into_iter().collect();
    let mut runner = runner(10);
    for i in 0..8 {
        use proptest::strategy::{Strategy, ValueTree};
        let recipe = recipes().new_tree(&mut runner).expect("recipe").current();
        let path = directory.path().join(format!("{i}.txt"));
        std::fs::write(&path, feasible(&recipe).1).expect("write");
        texts.push(path);
    }
    for path in texts {
        let Some(said) = python(&path) else { return };
        let text = std::fs::read_to_string(&path).expect("text");
        let sentences = sentences_by_definition(&text);
        let words: BTreeSet<&str> = sentences.iter().flatten().map(String::as_str).collect();
        let words: Vec<&str> = words.into_iter().collect();
        let orthos = brute_force::orthos(&sentences, u64::MAX).expect("orthos");
        let mut said: Vec<&str> = said.lines().collect();
        said.sort_unstable();
        assert_eq!(listing(&orthos, &words), said, "{text:?}");
    }
}

#[test]
fn real_texts_have_exactly_the_orthos_of_the_definition() {
    let mut texts = vec![];
    for name in ["novel-4000", "novel-8000"] {
        let Some(path) = shared(&format!("texts/{name}.txt")) else { return };
        texts.push((name.to_owned(), std::fs::read_to_string(path).expect("text")));
    }
    let Some(path) = shared("texts/novel.txt") else { return };
    let novel = std::fs::read_to_string(path).expect("text");
    for (i, chapter) in novel.split("CHAPTER").skip(1).enumerate() {
        texts.push((format!("chapter {}", i + 1), chapter.chars().take(7_000).collect()));
    }
    assert!(texts.len() > 10);
    for (name, text) in texts {
        let expected = brute_force::orthos(&sentences_by_definition(&text), u64::MAX).expect("orthos");
        for how in [How::default(), How { threads: 2, memory: 1 << 20, sizes: tiny_sizes() }] {
            let found = search(text.as_bytes(), how).expect("search");
            assert_same(&expected, &found.orthos, &name);
            found.agrees_with_itself();
        }
    }
}

/// Shapes and counts of `expected.tsv`.
fn expected_counts(text: &str) -> Option<BTreeMap<String, u64>> {
    let table = std::fs::read_to_string(shared("texts/expected.tsv")?).expect("table");
    let rows = table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        (fields.next() == Some(text)).then_some(())?;
        Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
    });
    Some(rows.collect())
}

fn named(counts: &BTreeMap<Dims, u64>) -> BTreeMap<String, u64> {
    counts.iter().map(|(dims, &count)| (shape_name(dims), count)).collect()
}

/// The text that the splitter would find the same words in, with every sentence reversed.
fn reversed(text: &str) -> String {
    sentences_by_definition(text)
        .into_iter()
        .map(|mut sentence| {
            sentence.reverse();
            sentence.join(" ") + ".\n"
        })
        .collect()
}

fn counts_are_as_expected(name: &str, ways: &[How]) {
    let Some(path) = shared(&format!("texts/{name}.txt")) else { return };
    let Some(expected) = expected_counts(name) else { return };
    assert!(!expected.is_empty());
    let text = std::fs::read_to_string(path).expect("text");
    let mut first = None;
    for &how in ways {
        let found = search(text.as_bytes(), how).expect("search");
        assert_eq!(named(&found.counts()), expected, "{name} {how:?}");
        found.agrees_with_itself();
        let outcome = (found.digest, found.found.best);
        assert_eq!(first.get_or_insert(outcome.clone()), &outcome, "{name} {how:?}");
    }
    let back = search(reversed(&text).as_bytes(), ways[0]).expect("search");
    assert_eq!(named(&back.counts()), expected, "{name} reversed");
}

#[test]
fn counts_of_the_novel_are_as_expected() {
    let ways = [
        How::default(),
        How { threads: 2, ..How::default() },
        How { threads: 3, memory: 0, sizes: Sizes::default() },
        How { threads: 1, memory: 64 << 10, sizes: Sizes::default() },
        How { threads: 2, memory: 1 << 20, sizes: Sizes::default() },
        How { threads: 1, memory: 256 << 20, sizes: tiny_sizes() },
    ];
    for name in ["novel-4000", "novel-8000", "novel-16000"] {
        counts_are_as_expected(name, &ways);
    }
    // Rows that come and go, and what runs over.
    let few = Sizes {
        ears: 100,
        fours: 40,
        least_fours: 10,
        fives: 1,
        line_words: 1 << 10,
        past: 1 << 12,
        joins: 10,
        axes: u32::MAX,
        cubes_alone: false,
        seeded: None,
    };
    let ways = [
        How::default(),
        How { threads: 2, memory: 3 << 20, sizes: Sizes::default() },
        How { threads: 3, memory: 6 << 20, sizes: Sizes::default() },
        How { threads: 1, memory: 64 << 20, sizes: few },
    ];
    counts_are_as_expected("novel-32000", &ways);
}

/// 78 million orthos: counts, digest and best only, in ample and in little memory, and reversed.
#[test]
#[ignore = "takes minutes; scripts/long-tests.sh runs it"]
fn counts_of_the_longest_text_are_as_expected() {
    let name = "novel-64000";
    let Some(path) = shared(&format!("texts/{name}.txt")) else { return };
    let Some(expected) = expected_counts(name) else { return };
    let text = std::fs::read_to_string(path).expect("text");
    let run = |text: &str, how: How| {
        let interner = Arc::new(Interner::from_bytes(name, text.as_bytes()).expect("text"));
        let directory = tempfile::tempdir().expect("temporary directory");
        let (found, _) = search_into(directory.path(), &interner, how, &Stop::default()).expect("search");
        let counts: BTreeMap<Dims, u64> =
            found.tally.0.iter().map(|(dims, tally)| (dims.clone(), tally.count)).collect();
        assert_eq!(named(&counts), expected, "{how:?}");
        (found.tally, found.best)
    };
    let first = run(&text, How::default());
    for how in [
        How { threads: 2, memory: 256 << 20, sizes: Sizes::default() },
        How { threads: 2, memory: 24 << 20, sizes: Sizes { ears: 1 << 12, ..Sizes::default() } },
    ] {
        assert_eq!(first, run(&text, how), "{how:?}");
    }
    run(&reversed(&text), How { threads: 2, ..How::default() });
}

#[test]
fn a_search_stops_when_it_is_asked_to() {
    let Some(path) = shared("texts/novel-64000.txt") else { return };
    let text = std::fs::read(path).expect("text");
    let interner = Arc::new(Interner::from_bytes("text", &text).expect("text"));
    // It would take seconds, and be complete, if it did not look for that.
    for (after, threads, memory) in
        [(0, 1, 256 << 20), (300, 2, 256 << 20), (1_500, 2, 256 << 20), (300, 2, 0)]
    {
        let stop = Arc::new(Stop::default());
        let asker = {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(after));
                stop.request();
            })
        };
        let how = How { threads, memory, sizes: Sizes::default() };
        let outcome = search_interner(&interner, how, &stop);
        asker.join().expect("asker");
        assert_eq!(outcome.err().map(|error| error.code()), Some(Code::Cancelled), "{after} ms");
    }
}
