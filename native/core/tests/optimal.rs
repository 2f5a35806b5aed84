//! Archives of searches for the optimum: what is in them, and the merge law for them.

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fold_core::Code;
use fold_core::archive::verify::{VerifyOptions, verify};
use fold_core::archive::{ArchiveReader, Filter, Goal, Manifest};
use fold_core::control::Control;
use fold_core::disk::Disk;
use fold_core::job::{Limits, SearchRequest, Source, optimal, search};
use fold_core::merge::{self, MergeRequest};
use fold_core::search::Shard;
use proptest::prelude::*;
use support::brute_force;
use support::generate::{Random, recipes, render};
use support::searching::Careless;
use support::sentences_by_definition;

fn disk() -> Arc<dyn Disk> {
    Arc::new(Careless)
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

    fn request(&self, name: &str, text: &str) -> SearchRequest {
        SearchRequest {
            source: Some(Source::Bytes(text.as_bytes().to_vec())),
            input_name: name.to_owned(),
            out: self.path(name),
            memory: 128 << 20,
            threads: 1,
            limits: Limits::default(),
            shard: None,
            continue_from: None,
        }
    }

    fn search(&self, name: &str, text: &str) -> Manifest {
        search(&self.request(name, text), &Control::default(), &disk()).expect("a search")
    }

    fn optimal(&self, name: &str, text: &str, top: u64) -> Manifest {
        let request = self.request(name, text);
        let manifest = optimal(&request, top, &Control::default(), &disk()).expect("a search");
        assert_eq!((manifest.goal, manifest.complete), (Goal::Optimal, false));
        let proof = manifest.proof.as_ref().expect("a proof");
        assert!(proof.is_whole() && proof.top == top, "{proof:?}");
        manifest
    }

    fn merging(&self, name: &str, archives: &[&str]) -> MergeRequest {
        MergeRequest {
            archives: archives.iter().map(|name| self.path(name)).collect(),
            out: self.path(name),
            memory: 128 << 20,
            threads: 2,
            limits: Limits::default(),
        }
    }

    fn merge(&self, name: &str, archives: &[&str]) -> Manifest {
        merge::merge(&self.merging(name, archives), &Control::default(), &disk()).expect("a merge")
    }

    fn assert_sound(&self, name: &str) {
        let options = VerifyOptions { scratch: self.0.path().to_path_buf(), memory: 1 << 20 };
        let report = verify(&self.path(name), &options, &Control::default(), &disk()).expect("a report");
        assert_eq!(report.problems, [], "{name}");
    }

    fn orthos(&self, name: &str) -> Vec<String> {
        let reader = ArchiveReader::open(&self.path(name), disk()).expect("an archive");
        let mut orthos = reader.orthos(&Filter::default()).expect("orthos");
        let (mut all, mut piece) = (vec![], vec![]);
        while orthos.next_text(1 << 16, &mut piece).expect("text") {
            all.append(&mut piece);
        }
        String::from_utf8(all).expect("UTF-8").lines().map(str::to_owned).collect()
    }
}

/// What two answers to the same question have in common.
fn answer(manifest: &Manifest) -> impl PartialEq + std::fmt::Debug + use<> {
    let Manifest { content_digest, optimal, shapes, proof, limits, .. } = manifest.clone();
    let proof = proof.map(|proof| (proof.top, proof.open, proof.unranked));
    (content_digest, optimal, shapes, proof, limits)
}

const TEXT: &str = "a b c. d e f. a d. b e. c f. o p. o q. o r. p s. p t. q s. q u. r t. r u. s z. t z. u z.";

#[test]
fn an_archive_of_the_optimum_holds_it_and_the_proof() {
    let place = Place::new();
    let all = place.search("all.bin", TEXT);
    let one = place.optimal("one.bin", TEXT, 1);
    assert_eq!((one.ortho_count, &one.optimal), (1, &all.optimal));
    let excluded = &one.proof.as_ref().expect("a proof").excluded;
    let excluded: Vec<String> = excluded.iter().map(|part| part.shape.to_string()).collect();
    assert_eq!(excluded, ["2x4", "3x3"], "what would have a volume of 3 or more");
    let text = std::fs::read_to_string(place.path("one.bin").join("optimal.txt")).expect("a text");
    assert!(text.starts_with("2x3, volume 2, 6 words: the optimal ortho of the text.\n\n"), "{text}");
    let reader = ArchiveReader::open(&place.path("one.bin"), disk()).expect("an archive");
    assert_eq!(reader.manifest(), &one);
    // As many as there are, or more: the same orthos, but the archive does not claim to know that these are all.
    let many = place.optimal("many.bin", TEXT, 1000);
    assert_eq!((&many.content_digest, many.complete), (&all.content_digest, false));
    assert_eq!(place.orthos("many.bin").len() as u64, all.ortho_count);
    for name in ["all.bin", "one.bin", "many.bin"] {
        place.assert_sound(name);
    }
    let none = place.optimal("none.bin", "a b c d", 3);
    assert_eq!((none.ortho_count, none.optimal), (0, None));
    place.assert_sound("none.bin");
}

#[test]
fn a_limit_leaves_the_best_so_far_and_says_what_is_open() {
    let place = Place::new();
    let mut request = place.request("short.bin", TEXT);
    request.limits.max_time = Some(Duration::ZERO);
    let control = Control::default();
    control.stop().end_early(fold_core::search::Limit::MaxTime);
    let short = optimal(&request, 2, &control, &disk()).expect("an archive");
    let limits: Vec<&str> = short.limits.iter().map(|limit| limit.name.as_str()).collect();
    assert_eq!(limits, ["maxTime"]);
    assert_eq!(short.proof.as_ref().and_then(|proof| proof.open), Some(1), "{:?}", short.proof);
    place.assert_sound("short.bin");
    // It is gone on with, with or without the text; so is an archive that lists all.
    let whole = place.optimal("whole.bin", TEXT, 2);
    place.search("all.bin", TEXT);
    for (i, from) in ["short.bin", "whole.bin", "all.bin"].into_iter().enumerate() {
        let name = format!("next-{i}.bin");
        let mut request = place.request(&name, TEXT);
        request.source = request.source.filter(|_| i == 1);
        request.continue_from = Some(place.path(from));
        let next = optimal(&request, 2, &Control::default(), &disk()).expect("an archive");
        assert_eq!(answer(&next), answer(&whole), "from {from}");
        place.assert_sound(&name);
    }
    // A search for all orthos cannot go on from it.
    let mut request = place.request("other.bin", TEXT);
    request.continue_from = Some(place.path("short.bin"));
    let refused = search(&request, &Control::default(), &disk()).expect_err("refused");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.to_string().contains("for the optimal ortho"), "{refused}");
}

#[test]
fn what_has_no_meaning_is_refused() {
    let place = Place::new();
    type Change = fn(&mut SearchRequest);
    let changes: [Change; 3] = [
        |request| request.shard = Shard::new(1, 2).ok(),
        |request| request.limits.max_orthos = Some(3),
        |request| request.limits.max_dims = Some(2),
    ];
    for change in changes {
        let mut request = place.request("a.bin", TEXT);
        change(&mut request);
        let refused = optimal(&request, 1, &Control::default(), &disk()).expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    }
    for top in [0, 1_000_001] {
        let refused = optimal(&place.request("a.bin", TEXT), top, &Control::default(), &disk());
        assert_eq!(refused.map_err(|error| error.code()), Err(Code::InvalidArgument));
    }
    let small = SearchRequest { memory: 2 << 20, ..place.request("a.bin", TEXT) };
    let refused = optimal(&small, 1, &Control::default(), &disk()).expect_err("too small");
    assert_eq!(refused.code(), Code::MemoryTooSmall);
    let needed = refused.shortfall().expect("what is missing").needed;
    let enough = SearchRequest { memory: needed, ..small };
    optimal(&enough, 1, &Control::default(), &disk()).expect("what it said is enough");
}

#[test]
fn cancelling_leaves_nothing() {
    let place = Place::new();
    let control = Control::default();
    control.cancel();
    let refused = optimal(&place.request("a.bin", TEXT), 1, &control, &disk()).expect_err("cancelled");
    assert_eq!(refused.code(), Code::Cancelled);
    assert_eq!(std::fs::read_dir(place.0.path()).expect("a directory").count(), 0);
}

#[test]
fn goals_are_mixed_only_when_asked() {
    let place = Place::new();
    let (a, b) = TEXT.split_at(TEXT.find("o p").expect("a place"));
    place.search("a.bin", a);
    place.optimal("b.bin", b, 3);
    let request = place.merging("ab.bin", &["a.bin", "b.bin"]);
    let refused = merge::merge(&request, &Control::default(), &disk()).expect_err("refused");
    assert_eq!(refused.code(), Code::GoalsDiffer);
    assert!(!Path::new(&request.out).exists());
    let merged = merge::optimal(&request, None, &Control::default(), &disk()).expect("a merge");
    assert_eq!(answer(&merged), answer(&place.optimal("whole.bin", &format!("{a}\n\n{b}"), 3)));
    place.assert_sound("ab.bin");
    let request = place.merging("two.bin", &["a.bin", "b.bin"]);
    let merged = merge::optimal(&request, Some(2), &Control::default(), &disk()).expect("a merge");
    assert_eq!(merged.ortho_count, 2);
    // Archives of all orthos alone, too.
    let request = place.merging("alone.bin", &["a.bin"]);
    let merged = merge::optimal(&request, None, &Control::default(), &disk()).expect("a merge");
    assert_eq!(answer(&merged), answer(&place.optimal("a-optimal.bin", a, 1)));
}

#[test]
fn a_changed_ortho_is_found() {
    let place = Place::new();
    place.optimal("a.bin", TEXT, 1);
    place.optimal("b.bin", "x y. x z. y w. z w.", 1);
    // Its interner is of another text, and everything else is as before.
    for name in ["interner.bin", "ranks.bin"] {
        std::fs::copy(place.path("b.bin").join(name), place.path("a.bin").join(name)).expect("copied");
    }
    let request = place.merging("ab.bin", &["a.bin", "b.bin"]);
    let refused = merge::merge(&request, &Control::default(), &disk()).expect_err("damaged");
    assert_eq!(refused.code(), Code::Damaged, "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::with_cases(60) })]

    /// Sentences dealt out to three texts; the archives merged in some grouping, some of them twice.
    #[test]
    fn merging_answers_for_the_union(recipe in recipes(), seed in any::<u64>()) {
        let mut random = Random(seed);
        let sentences = recipe.sentences(2);
        let mut parts = [vec![], vec![], vec![]];
        for sentence in sentences {
            for _ in 0..1 + random.below(2) {
                parts[random.below(3)].push(sentence.clone());
            }
        }
        let texts = parts.map(|part| render(&part, recipe.script, recipe.seed));
        let whole = texts.join("\n\n");
        prop_assume!(brute_force::orthos(&sentences_by_definition(&whole), 30_000).is_some());
        let place = Place::new();
        let tops = [0, 1, 2].map(|_| 1 + random.below(20) as u64);
        for ((text, name), top) in texts.iter().zip(["a.bin", "b.bin", "c.bin"]).zip(tops) {
            place.optimal(name, text, top);
        }
        let top = *tops.iter().max().expect("three");
        let searched = place.optimal("whole.bin", &whole, top);
        let flat = place.merge("flat.bin", &["c.bin", "a.bin", "b.bin", "a.bin"]);
        place.merge("ab.bin", &["b.bin", "a.bin"]);
        let nested = place.merge("nested.bin", &["ab.bin", "c.bin", "flat.bin"]);
        prop_assert_eq!(answer(&flat), answer(&searched));
        prop_assert_eq!(answer(&nested), answer(&searched));
        place.search("b-all.bin", &texts[1]);
        let request = place.merging("mixed.bin", &["a.bin", "b-all.bin", "c.bin"]);
        let mixed = merge::optimal(&request, Some(top), &Control::default(), &disk()).expect("a merge");
        prop_assert_eq!(answer(&mixed), answer(&searched));
        prop_assert_eq!(&mixed.proof.map(|proof| proof.top), &Some(top));
        place.assert_sound("nested.bin");
        let all = place.search("all.bin", &whole);
        prop_assert_eq!(all.optimal, searched.optimal);
        prop_assert_eq!(searched.ortho_count, all.ortho_count.min(top));
    }
}
