//! Estimates against counts.

mod support;

use std::sync::Arc;

use fold_core::estimate::{Estimate, Settings, estimate};
use fold_core::search::Stop;
use fold_core::text::{Interner, PhraseIndex};
use proptest::prelude::*;
use support::generate::{recipes, render};
use support::searching::{How, search, shared};
use support::{brute_force, sentences_by_definition};

fn estimate_of(text: &[u8], settings: Settings) -> Estimate {
    let interner = Interner::from_bytes("text", text).expect("UTF-8");
    let index = PhraseIndex::build(Arc::new(interner)).expect("an index");
    estimate(&index, settings, &Stop::default()).expect("an estimate")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn few_are_counted(recipe in recipes()) {
        let text = render(&recipe.sentences(1), recipe.script, recipe.seed);
        prop_assume!(brute_force::orthos(&sentences_by_definition(&text), 30_000).is_some());
        let counted = search(text.as_bytes(), How::default()).expect("a search").counts();
        let found = estimate_of(text.as_bytes(), Settings::default());
        prop_assume!(counted.values().sum::<u64>() < 10_000);
        prop_assert!(found.exact);
        let shapes: Vec<_> = found.shapes.iter().map(|(dims, range)| (dims.clone(), range.likely as u64)).collect();
        prop_assert_eq!(shapes, counted.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(found.total.low, found.total.high);
    }
}

#[test]
fn the_mean_of_many_estimates_is_the_count() {
    let Some(path) = shared("texts/novel-32000.txt") else { return };
    let text = std::fs::read(path).expect("a text");
    let settings = Settings { nodes: 40, rounds: 100, ..Settings::default() };
    let found = estimate_of(&text, settings);
    assert!(!found.exact);
    let squares = found.shapes[&vec![2, 2]];
    assert!((squares.likely / 15206.0 - 1.0).abs() < 0.15, "{squares:?} for 15206");
    assert!((found.total.likely / 73804.0 - 1.0).abs() < 0.15, "{:?} for 73804", found.total);
    assert!(found.total.low < 73804.0 && 73804.0 < found.total.high, "{:?} for 73804", found.total);
    assert_eq!(found, estimate_of(&text, Settings { threads: 3, ..settings }), "the same again");
    assert_ne!(found, estimate_of(&text, Settings { seed: 2, ..settings }));
}

#[test]
fn a_text_without_orthos_has_none() {
    let found = estimate_of(b"a b c. d", Settings::default());
    assert_eq!((found.exact, found.total.high, found.shapes.len()), (true, 0.0, 0));
}
