//! The splitter against the specification.

mod support;

use fold_core::Code;
use proptest::prelude::*;
use support::golden::GOLDEN;
use support::{sentences_by_definition, split_in_pieces};

fn joined(sentences: &[Vec<String>]) -> Vec<String> {
    sentences.iter().map(|words| words.join(" ")).collect()
}

#[test]
fn golden_texts_split_as_the_oracle_splits_them() {
    for (name, text, expected) in GOLDEN {
        for step in [1, 2, 7, 1 << 20] {
            let found = split_in_pieces(text.as_bytes(), step).expect(name);
            assert_eq!(joined(&found), *expected, "{name}, in pieces of {step}");
        }
        assert_eq!(joined(&sentences_by_definition(text)), *expected, "{name}, by definition");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_named_by_offset() {
    let cases: [(&[u8], &str); 6] = [
        (b"\xff", "byte 0"),
        (b"\xef\xbb\xbfabc\xc3(", "byte 6"),
        (b"abc\xe2\x82", "byte 3"),
        (b"abc \xed\xa0\x80", "byte 4"),
        (b"ab\xc3\xa9\xc0\x80", "byte 4"),
        (b"\xf4\x90\x80\x80", "byte 0"),
    ];
    for (bytes, offset) in cases {
        for step in [1, 3, 100] {
            let error = split_in_pieces(bytes, step).expect_err("not UTF-8");
            assert_eq!(error.code(), Code::InputNotUtf8);
            assert!(error.to_string().contains(offset), "{error}");
            assert!(error.to_string().starts_with("text is not UTF-8"), "{error}");
        }
    }
    let mut late = vec![b'x'; 200_000];
    late.push(0x80);
    let error = split_in_pieces(&late, 1 << 20).expect_err("not UTF-8");
    assert!(error.to_string().contains("byte 200000 "), "{error}");
}

#[test]
fn a_word_of_ten_megabytes_is_a_word() {
    for unit in ["a", "É", "e\u{301}", "\u{301}", "\u{f900}", "a'", "\u{1161}"] {
        let text = unit.repeat(10_000_000 / unit.len());
        let found = split_in_pieces(format!("b {text} c").as_bytes(), 1 << 20).expect("text");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].len(), 3, "{unit:?}");
    }
}

#[test]
fn many_words_and_many_empty_sentences_are_fine() {
    let found = split_in_pieces("a ".repeat(1_000_000).as_bytes(), 1 << 20).expect("text");
    assert_eq!((found.len(), found[0].len()), (1, 1_000_000));
    for text in [".", "\n", " ,", "\r\n", "'.", "\u{2000}", "\u{3000}\n"] {
        let found = split_in_pieces(text.repeat(1_000_000).as_bytes(), 1 << 20).expect("text");
        assert_eq!(found, Vec::<Vec<String>>::new(), "{text:?}");
    }
}

/// Texts made of the characters that matter, most of them awkward.
fn awkward() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        4 => prop::sample::select(vec![
            "a", "B", "e", "I", "'", "\u{2019}", " ", "\n", "\r", "\r\n", ".", ",", "-", "7", "\t",
        ]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "\u{301}", "\u{323}", "\u{307}", "\u{338}", "\u{3a3}", "\u{130}", "\u{df}", "é", "\u{feff}",
            "\u{85}", "\u{a0}", "\u{2028}", "\u{3000}", "\u{2000}", "\u{37e}", "\u{387}", "\u{200d}", "、", "؟",
            "\u{1100}", "\u{1161}", "\u{11a8}", "\u{ac00}", "\u{212b}", "\u{f900}", "\u{9be}", "\u{9c7}", "\u{344}",
            "\u{958}", "\u{fb1d}", "\u{1d15e}", "\u{1d165}", "\u{ff21}", "\u{11935}", "\u{11930}",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_text_splits_by_the_definition(text in awkward(), step in 1..9_usize) {
        let found = split_in_pieces(text.as_bytes(), step).expect("text");
        prop_assert_eq!(found, sentences_by_definition(&text));
    }

    #[test]
    fn ascii_splits_by_the_definition(text in "[ -~\n\r\t']{0,80}", step in 1..90_usize) {
        let found = split_in_pieces(text.as_bytes(), step).expect("text");
        prop_assert_eq!(found, sentences_by_definition(&text));
    }

    #[test]
    fn any_bytes_are_text_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..60), step in 1..9_usize) {
        match (split_in_pieces(&bytes, step), std::str::from_utf8(&bytes)) {
            (Ok(found), Ok(text)) => prop_assert_eq!(found, sentences_by_definition(text)),
            (Err(error), Err(fault)) => {
                let offset = format!("byte {} ", fault.valid_up_to());
                prop_assert!(error.to_string().contains(&offset), "{error}, {fault}");
            }
            (found, _) => prop_assert!(false, "{found:?}"),
        }
    }
}
