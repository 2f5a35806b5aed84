//! The phrase index against a map of all runs, and its memory.

mod support;

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::Arc;

use fold_core::error::{Code, Error};
use fold_core::text::{Interner, PhraseIndex, Token};
use proptest::prelude::*;
use support::runs;

fn index(text: &str) -> PhraseIndex {
    let interner = Interner::from_bytes("text", text.as_bytes()).expect("text");
    PhraseIndex::build(Arc::new(interner)).expect("sound")
}

fn sentences_of(index: &PhraseIndex) -> Vec<Vec<Token>> {
    index.interner().sentences().map(<[Token]>::to_vec).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn answers_as_a_map_of_all_runs_does(text in "([a-d]( [a-d]){0,9}\\. ){0,9}") {
        let index = index(&text);
        let runs = runs(&sentences_of(&index));
        let words = index.interner().vocabulary_len() as Token;
        for (run, next) in &runs {
            let phrase = index.phrase(run).expect("a run of the text");
            prop_assert_eq!(phrase.len as usize, run.len());
            prop_assert_eq!(index.can_extend(phrase), !next.is_empty());
            let completions: Vec<Token> = index.completions(phrase).map(|(token, _)| token).collect();
            prop_assert!(completions.iter().eq(next));
            for (token, longer) in index.completions(phrase) {
                prop_assert_eq!(index.extend(phrase, token), Some(longer));
                prop_assert_eq!(index.phrase(&[&run[..], &[token]].concat()), Some(longer));
            }
            for token in 0..words + 1 {
                prop_assert_eq!(index.extend(phrase, token).is_some(), next.contains(&token));
            }
        }
        let bigrams: Vec<(Token, Token)> = runs.keys().filter(|r| r.len() == 2).map(|r| (r[0], r[1])).collect();
        prop_assert_eq!(index.bigram_count() as usize, bigrams.len());
        for (id, &(a, b)) in (0..).zip(&bigrams) {
            prop_assert_eq!(index.bigram(a, b), Some(id));
            prop_assert_eq!(index.bigram_tokens(id), (a, b));
            prop_assert_eq!(Some(index.bigram_phrase(id)), index.phrase(&[a, b]));
        }
        for a in 0..words {
            let next: Vec<Token> = bigrams.iter().filter(|(x, _)| *x == a).map(|&(_, y)| y).collect();
            prop_assert_eq!(index.successors(a), &next[..]);
            prop_assert_eq!(index.bigram_range(a).len(), next.len());
            for b in 0..words + 1 {
                prop_assert_eq!(index.bigram(a, b).is_some(), next.contains(&b));
            }
        }
        prop_assert_eq!(index.phrase(&[]), None);
        prop_assert_eq!(index.phrase(&[words]), None);
    }
}

#[test]
fn a_sentence_of_a_million_equal_words_is_fine() {
    let index = index(&"a ".repeat(1_000_000));
    assert_eq!(index.bigram_count(), 1);
    let long = index.phrase(&vec![0; 999_999]).expect("in the text");
    assert_eq!(long.hi - long.lo, 2);
    assert!(index.can_extend(long));
    assert_eq!(index.phrase(&vec![0; 1_000_001]), None);
}

/// At most 6 bytes for each byte of text, on texts made to break that.
#[test]
fn memory_in_use_is_bounded() {
    let mut texts: Vec<(&str, String)> = Vec::new();
    let letters: Vec<char> =
        ('a'..='z').chain('\u{df}'..='\u{f6}').chain('α'..='ω').chain('а'..='я').collect();
    let mut random = 1_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    let mut text = String::new();
    while text.len() < 1_200_000 {
        let _ = write!(text, "{} ", letters[next(26)]);
    }
    texts.push(("one-letter words, one sentence", text));
    let mut text = String::new();
    while text.len() < 1_200_000 {
        let _ = write!(text, "{} {}.", letters[next(letters.len())], letters[next(letters.len())]);
    }
    texts.push(("sentences of two letters", text));
    let mut text = String::new();
    while text.len() < 1_200_000 {
        let _ = write!(text, "{}{} ", letters[next(26)], letters[next(26)]);
    }
    texts.push(("two-letter words, one sentence", text));
    let mut text = String::new();
    while text.len() < 1_200_000 {
        let _ = write!(text, "{}{} ", letters[next(26)], letters[next(26)]);
        if next(4) == 0 {
            text.push('.');
        }
    }
    texts.push(("two-letter words, short sentences", text));
    let mut text = String::new();
    for a in '\u{4e00}'..'\u{9fff}' {
        let _ = write!(text, "{a} ");
    }
    for n in 0..26_usize.pow(3) {
        let _ = write!(text, "{}{}{} ", letters[n / 676], letters[n / 26 % 26], letters[n % 26]);
    }
    for n in 0..200_000 {
        let _ = write!(
            text,
            "{}{}{}{} ",
            letters[n / 17576],
            letters[n / 676 % 26],
            letters[n / 26 % 26],
            letters[n % 26]
        );
    }
    texts.push(("every word new, one sentence", text.clone()));
    texts.push(("every word new, every word a sentence", text.replace(' ', ".")));
    let mut text = String::new();
    while text.len() < 1_200_000 {
        let n = next(17576);
        let _ = write!(
            text,
            "{} {}{}{} ",
            letters[next(26)],
            letters[n / 676],
            letters[n / 26 % 26],
            letters[n % 26]
        );
    }
    texts.push(("words of one and of three letters", text));
    texts.push(("one word", "a ".repeat(600_000)));
    texts.push(("one word for ever", "a".repeat(1_200_000)));
    texts.push(("a lot of full stops", "a b.".repeat(300_000)));
    for (name, text) in texts {
        let index = index(&text);
        let used = index.memory_bytes() as f64 / text.len() as f64;
        println!("{used:.2} bytes a byte of text: {name}, {} bytes", text.len());
        assert!(text.len() >= 1_000_000 && used <= 6.0, "{name}: {used}");
    }
}

/// Told to stop at any question, reading, uniting and indexing end with that error; untold, they end well.
#[test]
fn long_work_on_a_text_ends_when_told() {
    // Words are of letters only.
    let word =
        |n: u32| n.to_string().bytes().map(|digit| char::from(digit + b'a' - b'0')).collect::<String>();
    let text: String =
        (0..400_u32).map(|i| format!("{} {} {}. ", word(i * i % 97), word(i % 89), word(i % 13))).collect();
    let other = Interner::from_bytes("other", b"a b. c d").expect("text");
    let asked = Cell::new(0);
    let work = |last: u32| -> fold_core::Result<u32> {
        asked.set(0);
        let check = || {
            asked.set(asked.get() + 1);
            if asked.get() == last { Err(Error::new(Code::Cancelled, "stop")) } else { Ok(()) }
        };
        let interner = Interner::from_reader_while("text", &mut text.as_bytes(), u64::MAX, &check)?;
        let union = interner.union_while(&other, &check)?;
        Ok(PhraseIndex::build_while(Arc::new(union.interner), &check)?.bigram_count())
    };
    let untold = work(0).expect("nobody says stop");
    let all = asked.get();
    assert!(untold > 100 && all > 20, "{untold} bigrams, asked {all} times");
    for last in 1..=all {
        assert_eq!(work(last).map_err(|error| error.code()), Err(Code::Cancelled));
        assert_eq!(asked.get(), last, "asked again after the end");
    }
    assert_eq!(work(all + 1).expect("nobody says stop"), untold);
}
