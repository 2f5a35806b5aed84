//! The optimum equals that of the full search and of the definition.

mod support;

use std::sync::Arc;

use fold_core::optimum::{self, Limit, Optimum, Settings, Watch, Ways};
use fold_core::ortho::check::Checker;
use fold_core::ortho::{Ortho, compare_optimal, volume};
use fold_core::search::Stop;
use fold_core::text::{Interner, PhraseIndex};
use proptest::prelude::*;
use support::brute_force;
use support::generate::{Random, Recipe, recipes, render};
use support::searching::{How, search, shared};

fn index_of(text: &[u8]) -> PhraseIndex {
    let interner = Interner::from_bytes("text", text).expect("UTF-8");
    PhraseIndex::build(Arc::new(interner)).expect("an index")
}

fn best(index: &PhraseIndex, top: usize, threads: usize) -> Optimum {
    let settings = Settings { threads, memory: 256 << 20, top, patient: false };
    let optimum =
        optimum::find(index, settings, &[], &Stop::default(), &Watch::default()).expect("an optimum");
    assert!(optimum.complete(), "nothing stopped it: {optimum:?}");
    assert_eq!(optimum.limit, None);
    // As in a large text: no lists of short rows, and shapes of three axes around their rarest word.
    let ways = Ways { few_bigrams: 0, many_bigrams: 0, stacked_rows: 5 };
    let as_large = optimum::find_in(index, settings, &[], &Stop::default(), &Watch::default(), ways)
        .expect("an optimum");
    assert_eq!(as_large, optimum);
    optimum
}

/// Best first.
fn ranked(mut orthos: Vec<Ortho>) -> Vec<Ortho> {
    orthos.sort_by(|a, b| compare_optimal(b, a));
    orthos
}

/// The K best for some K, and what the proof says, against all orthos of the text.
fn agrees(text: &[u8], all: Vec<Ortho>, seed: u64) {
    let index = index_of(text);
    let all = ranked(all);
    let mut random = Random(seed);
    for top in [1, 2, 1 + random.below(40), all.len().min(3000)] {
        let optimum = best(&index, top, 1 + random.below(2));
        assert_eq!(optimum.best.len(), all.len().min(top.max(1)));
        for (i, (found, expected)) in optimum.best.iter().zip(&all).enumerate() {
            assert_eq!(found, expected, "the {i}th of the {top} best");
        }
        for excluded in &optimum.excluded {
            assert_eq!(excluded.volume, volume(&excluded.shape));
            let inside = |ortho: &&Ortho| {
                let pairs = excluded.shape.iter().rev().zip(ortho.dims.iter().rev());
                excluded.shape.len() <= ortho.dims.len() && pairs.clone().all(|(inner, outer)| inner <= outer)
            };
            assert_eq!(all.iter().find(inside), None, "{:?} is excluded", excluded.shape);
        }
    }
}

fn recipe_agrees(recipe: &Recipe) {
    // Texts with more orthos than can be listed in a test are made thinner.
    for thinner in 0..6 {
        let sentences = recipe.sentences(thinner);
        let text = render(&sentences, recipe.script, recipe.seed);
        let words = support::sentences_by_definition(&text);
        if let Some(orthos) = brute_force::orthos(&words, 50_000) {
            return agrees(text.as_bytes(), orthos, recipe.seed);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 400, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn equals_the_definition_on_generated_texts(recipe in recipes()) {
        recipe_agrees(&recipe);
    }
}

/// Texts of few words, so that orthos of many shapes overlap. `FOLD_ROUNDS` says how many.
#[test]
fn equals_the_full_search_on_dense_texts() {
    let rounds = std::env::var("FOLD_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(100);
    for seed in 0..rounds {
        let mut random = Random(seed);
        let words = 4 + random.below(14);
        let length = 2 + random.below(9);
        let sentences = 4 + random.below(34);
        let text: String = (0..sentences)
            .map(|_| {
                let length = if random.below(3) == 0 { length } else { 2 + random.below(length) };
                let run: Vec<String> = (0..length)
                    .map(|_| {
                        // The first words are the most frequent.
                        let a = random.below(words);
                        ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"]
                            [a.min(random.below(words))]
                        .to_owned()
                    })
                    .collect();
                run.join(" ") + ". "
            })
            .collect();
        let words = support::sentences_by_definition(&text);
        if brute_force::orthos(&words, 40_000).is_none() {
            continue;
        }
        let searched = search(text.as_bytes(), How::default()).expect("a search");
        agrees(text.as_bytes(), searched.orthos, seed);
    }
}

#[test]
fn equals_the_full_search_on_a_novel() {
    for (name, most) in [("4000", 200), ("8000", 1000), ("16000", 3000), ("32000", 1000)] {
        let Some(path) = shared(&format!("texts/novel-{name}.txt")) else { return };
        let text = std::fs::read(path).expect("a text");
        let all = ranked(search(&text, How::default()).expect("a search").orthos);
        for top in [1, 10, most] {
            let optimum = best(&index_of(&text), top, 1);
            assert!(optimum.best == all[..top.min(all.len())], "the {top} best of {name}");
        }
    }
}

/// Weaves an ortho of a shape into text of other words and of its own.
fn planted(dims: &[u32], seed: u64) -> String {
    let recipe = Recipe {
        plants: vec![dims.to_vec()],
        words: 400,
        degree: 3,
        noise: 600,
        longest: 9,
        script: 5,
        seed,
    };
    render(&recipe.sentences(0), recipe.script, seed)
}

#[test]
fn finds_what_was_planted() {
    let shapes: [&[u32]; 16] = [
        &[4, 4],
        &[3, 3, 3],
        &[2, 12],
        &[3, 7],
        &[5, 5],
        &[3, 3, 4],
        &[3, 4, 4],
        &[4, 4, 4],
        &[2, 2, 12],
        &[2, 3, 3, 3],
        &[3, 3, 3, 3],
        &[2, 2, 4, 5],
        &[4, 6],
        &[6, 7],
        &[3, 3, 3, 4],
        &[3, 4, 5],
    ];
    for dims in shapes {
        for seed in 0..3 {
            let index = index_of(planted(dims, seed).as_bytes());
            let optimum = best(&index, 1, 1);
            let found = optimum.best.first().expect("an ortho");
            assert!(found.volume() >= volume(dims), "{dims:?}: {:?}", found.dims);
            if found.volume() == volume(dims) {
                assert!(found.fullness() >= dims.iter().map(|&d| u64::from(d)).product(), "{dims:?}");
            }
            let checked = Checker::new(&found.dims, &index).and_then(|mut c| c.check(&found.tokens));
            assert_eq!(checked, Ok(()));
        }
    }
}

#[test]
fn a_text_without_orthos_has_none() {
    for text in ["", "a", "a b c d", "a a a a", "a b. c d. e f"] {
        let optimum = best(&index_of(text.as_bytes()), 3, 1);
        assert_eq!(optimum.best, []);
        assert_eq!(optimum.excluded.iter().map(|e| e.shape.clone()).collect::<Vec<_>>(), [[2, 2]]);
    }
}

#[test]
fn a_seed_saves_work_and_changes_nothing() {
    for seed in 0..40 {
        let text = planted(&[3, 4], seed);
        let index = index_of(text.as_bytes());
        let settings = Settings { threads: 1, memory: 256 << 20, top: 5, patient: false };
        let alone = best(&index, 5, 1);
        for known in &alone.best {
            let seeded = optimum::find(
                &index,
                settings,
                std::slice::from_ref(known),
                &Stop::default(),
                &Watch::default(),
            );
            let seeded = seeded.expect("an optimum");
            assert!(seeded.complete());
            assert_eq!(seeded.best, alone.best);
        }
        let mut none = alone.best[0].clone();
        none.tokens.swap(0, 1);
        let refused = optimum::find(&index, settings, &[none], &Stop::default(), &Watch::default());
        assert_eq!(refused.map_err(|e| e.code()).err(), Some(fold_core::Code::InvalidArgument));
    }
}

#[test]
fn when_stopped_it_says_what_is_open() {
    let index = index_of(planted(&[3, 4], 1).as_bytes());
    let stop = Stop::default();
    stop.request();
    let settings = Settings { threads: 2, memory: 256 << 20, top: 1, patient: false };
    let optimum = optimum::find(&index, settings, &[], &stop, &Watch::default()).expect("an answer");
    assert!(!optimum.complete());
    assert_eq!(optimum.limit, Some(Limit::Stopped));
    assert_eq!((optimum.best, optimum.open), (vec![], Some(1)));
    // With a known ortho only greater volumes are open.
    let known = best(&index, 1, 1).best;
    let volume = known[0].volume();
    let optimum = optimum::find(&index, settings, &known, &stop, &Watch::default()).expect("an answer");
    assert_eq!((optimum.best, optimum.open, optimum.unranked), (known, Some(volume + 1), Some(volume)));
}

#[test]
fn too_little_memory_is_said() {
    let index = index_of(planted(&[3, 4], 1).as_bytes());
    let settings = Settings { threads: 1, memory: 1 << 20, top: 1, patient: false };
    let refused = optimum::find(&index, settings, &[], &Stop::default(), &Watch::default());
    assert_eq!(refused.map_err(|e| e.code()).err(), Some(fold_core::Code::MemoryTooSmall));
    // The least that is not refused is enough here.
    let settings = Settings { memory: optimum::least_memory(&index), ..settings };
    let optimum =
        optimum::find(&index, settings, &[], &Stop::default(), &Watch::default()).expect("an answer");
    assert_eq!(optimum, best(&index, 1, 1));
}

/// What lies over words that stood elsewhere, too, may be longer here than it was there.
#[test]
fn a_run_is_found_though_its_parts_were_seen_before() {
    for order in
        ["p q x. y q r. p q r.", "p q r. p q x. y q r.", "a q r. p q a. p q r.", "p q a. a q r. p q r."]
    {
        let text = format!("{order} s t u. p s. q t. r u.");
        let optimum = best(&index_of(text.as_bytes()), 1, 1);
        assert_eq!(optimum.best[0].dims, [2, 3], "{order}");
    }
}
