//! Straightforward versions of what the text module does, to compare it with.
#![allow(dead_code)]

pub(crate) mod brute_force;
pub(crate) mod generate;
pub(crate) mod golden;
pub(crate) mod searching;

use std::collections::{BTreeMap, BTreeSet};

use fold_core::Result;
use fold_core::text::{SentenceSink, Token, split};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// The sentences of a text by the letter of the specification: whole-text passes, no streaming.
pub(crate) fn sentences_by_definition(text: &str) -> Vec<Vec<String>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text: String = text.nfc().collect();
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\u{2019}', "'");
    let lines: Vec<&str> = text.split('\n').collect();
    let mut parts = vec![String::new()];
    for line in lines {
        if line.chars().all(char::is_whitespace) {
            parts.push(String::new());
            continue;
        }
        for c in format!("{line}\n").chars() {
            if ".?;!,。？；！，、؟؛،".contains(c) {
                parts.push(String::new());
            } else if let Some(part) = parts.last_mut() {
                part.push(c);
            }
        }
    }
    let in_word = |c: char| {
        let group = c.general_category_group();
        c == '\'' || matches!(group, GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark)
    };
    let words = |part: &String| -> Vec<String> {
        let runs = part.split(|c| !in_word(c)).map(|run| run.trim_matches('\''));
        runs.filter(|run| !run.is_empty()).map(str::to_lowercase).collect()
    };
    parts.iter().map(words).filter(|words| !words.is_empty()).collect()
}

/// Collects what the splitter delivers.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) sentences: Vec<Vec<String>>,
    current: Vec<String>,
}

impl SentenceSink for Collected {
    fn word(&mut self, word: &str) -> Result<()> {
        self.current.push(word.to_owned());
        Ok(())
    }
    fn end_sentence(&mut self) -> Result<()> {
        self.sentences.push(std::mem::take(&mut self.current));
        Ok(())
    }
}

/// A reader that gives its bytes in pieces of `step` bytes.
pub(crate) struct Pieces<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) step: usize,
}

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let now = self.step.min(buffer.len()).min(self.bytes.len());
        buffer[..now].copy_from_slice(&self.bytes[..now]);
        self.bytes = &self.bytes[now..];
        Ok(now)
    }
}

/// The sentences that the splitter finds, fed in pieces.
pub(crate) fn split_in_pieces(bytes: &[u8], step: usize) -> Result<Vec<Vec<String>>> {
    let mut collected = Collected::default();
    split("text", &mut Pieces { bytes, step }, &mut collected)?;
    assert!(collected.current.is_empty(), "the last sentence was not ended");
    Ok(collected.sentences)
}

/// All runs of one or more words with what follows them.
pub(crate) fn runs(sentences: &[Vec<Token>]) -> BTreeMap<Vec<Token>, BTreeSet<Token>> {
    let mut runs: BTreeMap<Vec<Token>, BTreeSet<Token>> = BTreeMap::new();
    for sentence in sentences {
        for from in 0..sentence.len() {
            for to in from + 1..=sentence.len() {
                let next = runs.entry(sentence[from..to].to_vec()).or_default();
                next.extend(sentence.get(to));
            }
        }
    }
    runs
}
