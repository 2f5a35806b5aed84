//! Where phrases stand in a text, by its lines: for showing results in their place.
//!
//! An interner keeps which phrases there are and not where, so the text itself is read again, by the same splitter.
//! Cost: one pass; memory a few words for each phrase asked for, whatever the text.

use std::collections::HashMap;
use std::io::Read;

use super::splitter::{SentenceSink, split};
use crate::error::Result;

/// Where one phrase stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// How often.
    pub count: u64,
    /// The numbers, from 1, of the lines of the text in which its first word stands, for the first occurrences.
    pub lines: Vec<u64>,
}

/// Looks for phrases, given as words in lower case; the result has the places of each, at most `most` lines a phrase.
///
/// # Errors
/// As [`split`]: a text that is not UTF-8 or cannot be read.
pub fn locate(
    name: &str,
    reader: &mut dyn Read,
    phrases: &[Vec<String>],
    most: usize,
) -> Result<Vec<Places>> {
    let mut words = HashMap::new();
    let mut coded = vec![];
    for phrase in phrases {
        let code = |word| {
            let next = words.len() as u32;
            *words.entry(word).or_insert(next)
        };
        coded.push(phrase.iter().map(String::as_str).map(code).collect());
    }
    let mut by_last: Vec<Vec<usize>> = vec![vec![]; words.len()];
    for (number, phrase) in coded.iter().enumerate() {
        let phrase: &Vec<u32> = phrase;
        if let Some(ending) = phrase.last().and_then(|&last| by_last.get_mut(last as usize)) {
            ending.push(number);
        }
    }
    let longest = coded.iter().map(Vec::len).max().unwrap_or(0);
    let places = vec![Places::default(); phrases.len()];
    let mut seeker =
        Seeker { words, phrases: coded, by_last, longest, most, line: 1, recent: vec![], places };
    split(name, reader, &mut seeker)?;
    Ok(seeker.places)
}

struct Seeker<'a> {
    words: HashMap<&'a str, u32>,
    /// The words of each phrase by their numbers.
    phrases: Vec<Vec<u32>>,
    /// For each word the phrases that end with it.
    by_last: Vec<Vec<usize>>,
    longest: usize,
    most: usize,
    line: u64,
    /// The last words of the sentence with their lines, since one that is in no phrase; at most twice the longest phrase.
    recent: Vec<(u32, u64)>,
    places: Vec<Places>,
}

impl SentenceSink for Seeker<'_> {
    fn word(&mut self, word: &str) -> Result<()> {
        let Some(&code) = self.words.get(word) else {
            self.recent.clear();
            return Ok(());
        };
        if self.recent.len() >= 2 * self.longest {
            self.recent.drain(..self.longest);
        }
        self.recent.push((code, self.line));
        for &number in self.by_last.get(code as usize).into_iter().flatten() {
            let (Some(phrase), Some(places)) = (self.phrases.get(number), self.places.get_mut(number)) else {
                continue;
            };
            let Some(start) = self.recent.len().checked_sub(phrase.len()) else { continue };
            let found = self.recent.iter().skip(start);
            if !found.clone().map(|(code, _)| code).eq(phrase) {
                continue;
            }
            places.count += 1;
            if places.lines.len() < self.most {
                places.lines.extend(found.take(1).map(|(_, line)| line));
            }
        }
        Ok(())
    }

    fn end_sentence(&mut self) -> Result<()> {
        self.recent.clear();
        Ok(())
    }

    fn end_line(&mut self) {
        self.line += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Interner, PhraseIndex};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn find(text: &str, phrases: &[&str]) -> Vec<(u64, Vec<u64>)> {
        let phrases: Vec<Vec<String>> =
            phrases.iter().map(|phrase| phrase.split(' ').map(str::to_owned).collect()).collect();
        let places = locate("t", &mut text.as_bytes(), &phrases, 2).expect("places");
        places.into_iter().map(|places| (places.count, places.lines)).collect()
    }

    #[test]
    fn lines_are_those_of_the_first_word() {
        let text = "The cat\nsat. The Cat\r\rsat\r\nthe cat sat";
        assert_eq!(find(text, &["the cat"]), [(3, vec![1, 2])]);
        // A blank line ends a sentence, one line feed does not.
        assert_eq!(find(text, &["cat sat", "the cat sat"]), [(2, vec![1, 5]), (2, vec![1, 5])]);
        assert_eq!(find(text, &["sat the", "the dog", "cat"]), [(1, vec![4]), (0, vec![]), (3, vec![1, 2])]);
    }

    proptest! {
        #[test]
        fn finds_exactly_the_phrases_of_the_text(text in "([ab]( |, |\n|\r\n|\r|\n\n)){0,30}", phrase in "[ab]( [ab]){1,3}") {
            let index = PhraseIndex::build(Arc::new(Interner::from_bytes("t", text.as_bytes()).expect("UTF-8"))).expect("index");
            let tokens: Option<Vec<_>> = phrase.split(' ').map(|word| index.interner().token(word)).collect();
            let there = tokens.and_then(|tokens| index.phrase(&tokens));
            let places = find(&text, &[&phrase]);
            prop_assert_eq!(places[0].0 > 0, there.is_some());
        }
    }
}
