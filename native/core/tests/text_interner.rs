//! The interner's laws, and its stored form.

mod support;

use fold_core::text::{Interner, Token};
use fold_core::{Code, Result};
use proptest::prelude::*;
use support::runs;

fn interner(text: &str) -> Interner {
    Interner::from_bytes("text", text.as_bytes()).expect("text")
}

fn encoded(interner: &Interner) -> Vec<u8> {
    let mut bytes = Vec::new();
    interner.encode_to(&mut bytes).expect("memory");
    bytes
}

fn decode(mut bytes: &[u8]) -> Result<Interner> {
    let len = bytes.len() as u64;
    Interner::decode("interner.bin", &mut bytes, len)
}

fn as_text(sentences: &[Vec<u8>]) -> String {
    let word = |w: &u8| char::from(b'a' + w).to_string();
    let text = |s: &Vec<u8>| s.iter().map(word).collect::<Vec<_>>().join(" ");
    sentences.iter().map(text).collect::<Vec<_>>().join(". ")
}

fn some_sentences() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(0..4_u8, 0..7), 0..12)
}

/// The maximal sentences, found by comparing each with each.
fn maximal(sentences: &[Vec<Token>]) -> Vec<Vec<Token>> {
    let mut found: Vec<Vec<Token>> = sentences
        .iter()
        .filter(|s| s.len() > 1)
        .filter(|s| !sentences.iter().any(|t| t.len() > s.len() && t.windows(s.len()).any(|w| w == &s[..])))
        .cloned()
        .collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn a_text_becomes_its_vocabulary_and_maximal_sentences() {
    let found = interner("The cat sat. Cat sat! the cat sat, Dog. the dog the cat. Zebra; the cat");
    assert!(found.words().eq(["cat", "dog", "sat", "the", "zebra"]));
    let sentences: Vec<Vec<Token>> = found.sentences().map(<[Token]>::to_vec).collect();
    assert_eq!(sentences, [vec![3, 0, 2], vec![3, 1, 3, 0]]);
    assert_eq!((found.sentence_count(), found.token_count(), found.vocabulary_len()), (2, 7, 5));
    assert_eq!(found.token("zebra"), Some(4));
    assert_eq!(found.token("lion"), None);
    assert_eq!(found.word(1), "dog");
}

#[test]
fn the_vocabulary_is_in_the_order_of_bytes() {
    let found = interner("zz é 𐐨 ｚ éa e");
    assert!(found.words().eq(["e", "zz", "é", "éa", "ｚ", "𐐨"]));
}

#[test]
fn the_form_of_version_1_never_changes() {
    let found = interner("The cat sat, the cat.");
    let expected = "89666f6c64696e74010000000300000001000000030000000900000000000000\
                    000363617400037361740003746865\
                    0102000140a7ea2d507bacdd67b597292ffea858";
    assert_eq!(hex(&encoded(&found)), expected);
    assert_eq!(hex(&found.digest()), "7eaf5dc1ce1d4b68150dcdc1ea763ecf8968ac577bc97c210729955dd55600f8");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn texts_without_phrases_are_fine() {
    for (text, words) in [("", 0), ("one", 1), ("a. b. c. a", 3)] {
        let found = interner(text);
        assert_eq!((found.vocabulary_len(), found.token_count()), (words, 0));
        assert_eq!(decode(&encoded(&found)).expect("sound"), found);
    }
}

#[test]
fn a_budget_that_is_too_small_is_refused_with_what_would_do() {
    let letter = |n: u32| char::from(b'a' + (n % 26) as u8);
    let word = |n: u32| String::from_iter([letter(n), letter(n / 26), letter(n / 676), ' ']);
    let text: String = (0..200_000_u32).map(|n| word(n * 7919 % 9973)).collect();
    let error = Interner::from_reader_within("text", &mut text.as_bytes(), 1 << 19).expect_err("too small");
    assert_eq!(error.code(), Code::MemoryTooSmall);
    assert!(error.to_string().contains("text needs about") && error.to_string().contains("MiB"), "{error}");
    assert!(Interner::from_reader_within("text", &mut text.as_bytes(), 64 << 20).is_ok());
}

#[test]
fn a_newer_version_is_named() {
    let mut bytes = encoded(&interner("a b c"));
    bytes[8] = 2;
    let error = decode(&bytes).expect_err("newer");
    assert_eq!(error.code(), Code::NewerFormat);
    assert!(error.to_string().contains("version 2"), "{error}");
}

#[test]
fn lying_counts_are_refused_without_great_allocations() {
    let bytes = encoded(&interner("a b c. b c d"));
    for at in [12, 16, 20, 24] {
        for value in [0_u32, 1, 1 << 20, (1 << 31) - 3, u32::MAX] {
            let mut changed = bytes.clone();
            changed[at..at + 4].copy_from_slice(&value.to_le_bytes());
            if changed != bytes {
                assert_eq!(decode(&changed).expect_err("a lie").code(), Code::Damaged);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn sentences_are_the_maximal_ones(sentences in some_sentences()) {
        let found = interner(&as_text(&sentences));
        let number = |w: &u8| found.token(&char::from(b'a' + w).to_string()).expect("a word of the text");
        let tokens: Vec<Vec<Token>> = sentences.iter().map(|s| s.iter().map(number).collect()).collect();
        let kept: Vec<Vec<Token>> = found.sentences().map(<[Token]>::to_vec).collect();
        prop_assert_eq!(&kept, &maximal(&tokens));
        let long = |runs: &std::collections::BTreeMap<Vec<Token>, _>| -> Vec<Vec<Token>> {
            runs.keys().filter(|run| run.len() > 1).cloned().collect()
        };
        prop_assert_eq!(long(&runs(&kept)), long(&runs(&tokens)));
    }

    #[test]
    fn order_and_repetition_do_not_matter(
        (sentences, other) in some_sentences().prop_flat_map(|s| {
            let again = prop::sample::subsequence(s.clone(), 0..=s.len());
            (Just(s.clone()), (Just(s), again).prop_map(|(s, again)| [s, again].concat()).prop_shuffle())
        })
    ) {
        let (one, two) = (interner(&as_text(&sentences)), interner(&as_text(&other)));
        prop_assert_eq!(encoded(&one), encoded(&two));
        prop_assert_eq!(one.digest(), two.digest());
        prop_assert_eq!(one, two);
    }

    #[test]
    fn union_is_the_interner_of_both(a in some_sentences(), b in some_sentences()) {
        let (text_a, text_b) = (as_text(&a), as_text(&b).replace('a', "zz"));
        let (one, two) = (interner(&text_a), interner(&text_b));
        let union = one.union(&two).expect("small");
        prop_assert_eq!(&union.interner, &interner(&format!("{text_a}. {text_b}")));
        prop_assert_eq!(&union.interner, &two.union(&one).expect("small").interner);
        prop_assert_eq!(&one.union(&one).expect("small").interner, &one);
        for (part, map) in [(&one, &union.map_a), (&two, &union.map_b)] {
            prop_assert!(map.is_sorted_by(|x, y| x < y));
            prop_assert_eq!(map.len(), part.vocabulary_len());
            for (old, &new) in part.words().zip(map) {
                prop_assert_eq!(old, union.interner.word(new));
            }
        }
    }

    #[test]
    fn digests_differ_where_interners_do(a in some_sentences(), b in some_sentences()) {
        let (one, two) = (interner(&as_text(&a)), interner(&as_text(&b)));
        prop_assert_eq!(one == two, one.digest() == two.digest());
        prop_assert_eq!(one == two, encoded(&one) == encoded(&two));
    }

    #[test]
    fn what_was_stored_comes_back(text in "([a-zé']{1,9}[ .]){0,60}") {
        let found = interner(&text);
        prop_assert_eq!(decode(&encoded(&found)).expect("sound"), found);
    }

    #[test]
    fn random_bytes_are_never_an_interner(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes).is_err());
        let mut after_header = encoded(&interner("a b c"))[..32].to_vec();
        after_header.extend(&bytes);
        prop_assert!(decode(&after_header).is_err());
    }
}

#[test]
fn any_flipped_bit_and_any_truncation_is_detected() {
    let found = interner(
        "It was a dark and stormy night, the rain fell in torrents; it was a dark day. Étude étages",
    );
    let bytes = encoded(&found);
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let error = decode(&changed).expect_err("a flipped bit");
        assert!(matches!(error.code(), Code::Damaged | Code::NewerFormat), "{error}");
    }
    for len in 0..bytes.len() {
        assert_eq!(decode(&bytes[..len]).expect_err("cut short").code(), Code::Damaged);
        // The same, with the length still right and the bytes gone.
        let error = Interner::decode("x", &mut &bytes[..len], bytes.len() as u64).expect_err("cut short");
        assert_eq!(error.code(), Code::Damaged);
    }
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(decode(&longer).expect_err("too long").code(), Code::Damaged);
}
