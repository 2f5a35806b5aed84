//! The interner with its phrase index.

use std::fmt::Write;
use std::sync::Arc;

use fold_core::text::{self, PhraseIndex};
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi_derive::napi;
use serde_json::json;

use crate::archive::open_text;
use crate::background::{Background, background};

/// The vocabulary and the phrases of a text. Shared between threads, as it never changes.
#[napi]
pub struct Interner {
    index: Arc<PhraseIndex>,
}

impl Interner {
    /// Indexes the phrases: linear in the text, so not for the event loop.
    pub(crate) fn index(interner: Arc<text::Interner>) -> fold_core::Result<Self> {
        Ok(Self { index: Arc::new(PhraseIndex::build(interner)?) })
    }
}

/// Reads a text that is in memory; `name` is what errors call it.
#[napi(ts_return_type = "Promise<Interner>")]
pub fn intern_text(name: String, bytes: Uint8Array) -> AsyncTask<Background<Interner>> {
    background(move || Interner::index(Arc::new(text::Interner::from_bytes(&name, &bytes)?)))
}

/// Where phrases stand in a text: for each how often and the lines of the first `most`, as JSON.
#[napi(ts_return_type = "Promise<string>")]
pub fn locate_phrases(path: String, phrases: Vec<Vec<String>>, most: u32) -> AsyncTask<Background<String>> {
    background(move || {
        let places = text::locate(&path, &mut open_text(&path)?, &phrases, most as usize)?;
        let each = places.iter().map(|places| json!({ "count": places.count, "lines": places.lines }));
        Ok(serde_json::Value::from_iter(each).to_string())
    })
}

#[napi]
impl Interner {
    /// The number of distinct words.
    #[napi(getter)]
    #[must_use]
    pub fn size(&self) -> u32 {
        // Tokens are 32 bits, and the core takes no text with more words.
        self.index.interner().vocabulary_len() as u32
    }

    /// The word of a token.
    #[napi]
    #[must_use]
    pub fn word(&self, token: u32) -> Option<&str> {
        self.index.interner().vocabulary().get(token)
    }

    /// The token of a word.
    #[napi]
    #[must_use]
    pub fn token(&self, word: String) -> Option<u32> {
        self.index.interner().token(&word)
    }

    /// The tokens that follow a run of tokens, ascending.
    #[napi]
    #[must_use]
    pub fn completions(&self, tokens: Vec<u32>) -> Vec<u32> {
        let known = self.index.interner().vocabulary_len();
        if tokens.iter().any(|&token| token as usize >= known) {
            return Vec::new();
        }
        self.index
            .phrase(&tokens)
            .map(|phrase| self.index.completions(phrase).map(|(token, _)| token).collect())
            .unwrap_or_default()
    }

    /// How often a run of two tokens or more stands in the maximal sentences, and the words around the first `most` of
    /// them, at most `around` on either side: as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    #[must_use]
    pub fn contexts(&self, tokens: Vec<u32>, most: u32, around: u32) -> AsyncTask<Background<String>> {
        let index = Arc::clone(&self.index);
        background(move || {
            let known = index.interner().vocabulary_len();
            let phrase = if tokens.len() < 2 || tokens.iter().any(|&token| token as usize >= known) {
                None
            } else {
                index.phrase(&tokens)
            };
            let places = phrase.map_or(&[][..], |phrase| index.occurrences(phrase));
            let around_each: Vec<_> = places
                .iter()
                .take(most as usize)
                .map(|&at| {
                    let (words, before) = index.surroundings(at, tokens.len() as u32, around as usize);
                    let words: Vec<&str> = words.iter().map(|&token| index.interner().word(token)).collect();
                    json!({ "words": words, "before": before })
                })
                .collect();
            Ok(json!({ "count": places.len(), "places": around_each }).to_string())
        })
    }

    /// SHA-256 of the words and phrases, in hexadecimal.
    #[napi(ts_return_type = "Promise<string>")]
    #[must_use]
    pub fn digest(&self) -> AsyncTask<Background<String>> {
        let index = Arc::clone(&self.index);
        background(move || {
            Ok(index.interner().digest().iter().fold(String::new(), |mut hex, byte| {
                // Writing to a string cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            }))
        })
    }

    /// The interner of both texts together.
    #[napi(ts_return_type = "Promise<Interner>")]
    #[must_use]
    pub fn union(&self, other: &Interner) -> AsyncTask<Background<Interner>> {
        let (a, b) = (Arc::clone(&self.index), Arc::clone(&other.index));
        background(move || Interner::index(Arc::new(a.interner().union(b.interner())?.interner)))
    }
}
