//! What a search is to leave out: the orthos that texts hold whose orthos are all there already.
//!
//! A merge searches the union of texts and copies what some of them are known to hold. An ortho is *old* for such a text
//! exactly if each of its lines is a phrase of it. Up to 8 texts are the bits of a mask; a bigram, and with it an edge or
//! an arc of the graph, has the mask of the texts that have it, and what is made of several has the AND of theirs.
//!
//! [`Exclusion`] answers for lines of any length; [`Masks`] has the edges and arcs of one search at hand. A word is
//! *closed* for a text if all that the union says after it, and after all words that can be reached from it, the text
//! says too: then nothing that starts there is new.
//!
//! Memory: a byte a bigram and a word of the union (while it is made 4 more), an index and 4 bytes a word for each text;
//! [`Masks`] two bytes an arc.

use super::graph::{Arcs, Graph};
use crate::results::{Known, Ranks};
use crate::text::{Phrase, PhraseIndex, Token};

/// The most texts.
pub const MOST: usize = 8;

/// See the [module](self).
#[derive(Debug)]
pub struct Exclusion<'a> {
    union: &'a PhraseIndex,
    /// The mask of each bigram of the union.
    bigrams: Vec<u8>,
    /// The texts for which each word of the union is closed.
    closed: Vec<u8>,
    texts: Vec<Text<'a>>,
}

#[derive(Debug)]
struct Text<'a> {
    index: &'a PhraseIndex,
    /// The text's token for each token of the union, or `NONE`.
    own: Vec<Token>,
}

const NONE: Token = Token::MAX;

impl<'a> Exclusion<'a> {
    /// For a union and at most [`MOST`] of its texts, each with the union's token for each of its own.
    ///
    /// Cost: for each text some looks at each sentence of the union.
    ///
    /// # Panics
    /// If a text is none of the union's.
    #[must_use]
    pub fn new(union: &'a PhraseIndex, texts: &[(&'a PhraseIndex, &[Token])]) -> Self {
        let words = union.interner().vocabulary_len();
        let mut bigrams = vec![0u8; union.bigram_count() as usize];
        let mut all = vec![];
        for (bit, &(index, map)) in texts.iter().take(MOST).enumerate() {
            let mut own = vec![NONE; words];
            for (token, &there) in (0..).zip(map) {
                own[there as usize] = token;
            }
            for id in 0..index.bigram_count() {
                let (a, b) = index.bigram_tokens(id);
                if let Some(id) = union.bigram(map[a as usize], map[b as usize]) {
                    bigrams[id as usize] |= 1 << bit;
                }
            }
            all.push(Text { index, own });
        }
        let mut exclusion = Self { union, bigrams, closed: vec![0; words], texts: all };
        exclusion.close();
        exclusion
    }

    /// Bytes that a text takes here beside its index, by the words of the union.
    #[must_use]
    pub fn memory_of(words: usize) -> u64 {
        words as u64 * 4
    }

    /// The words closed for each text: first those after which the text says all that the union does, then of these
    /// those from which only such words can be reached.
    fn close(&mut self) {
        let all = self.all();
        self.closed.fill(all);
        for (bit, text) in self.texts.iter().enumerate() {
            for sentence in self.union.interner().sentences() {
                // If the text has a part that goes to the end, it has all shorter ones.
                let (mut lacks, mut has) = (0, sentence.len());
                while lacks < has {
                    let middle = lacks + (has - lacks) / 2;
                    if text.has(sentence[middle..].iter().copied()) {
                        has = middle;
                    } else {
                        lacks = middle + 1;
                    }
                }
                // Nothing follows the last word here.
                for &word in &sentence[..has.min(sentence.len() - 1)] {
                    self.closed[word as usize] &= !(1 << bit);
                }
            }
        }
        let words = self.closed.len();
        let mut starts = vec![0u32; words + 2];
        for word in 0..words as Token {
            for &next in self.union.successors(word) {
                starts[next as usize + 2] += 1;
            }
        }
        for i in 2..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut before = vec![0; self.bigrams.len()];
        for word in 0..words as Token {
            for &next in self.union.successors(word) {
                let place = &mut starts[next as usize + 1];
                before[*place as usize] = word;
                *place += 1;
            }
        }
        let mut todo: Vec<Token> =
            (0..words as Token).filter(|&word| self.closed[word as usize] != all).collect();
        while let Some(word) = todo.pop() {
            let mask = self.closed[word as usize];
            for &earlier in &before[starts[word as usize] as usize..starts[word as usize + 1] as usize] {
                let own = &mut self.closed[earlier as usize];
                if *own & !mask != 0 {
                    *own &= mask;
                    todo.push(earlier);
                }
            }
        }
    }

    fn all(&self) -> u8 {
        (0..self.texts.len()).fold(0, |mask, bit| mask | 1 << bit)
    }

    /// The texts for which a word is closed.
    pub(super) fn closed(&self, word: Token) -> u8 {
        self.closed[word as usize]
    }

    /// The texts of `mask` that have a line of three words or more.
    fn line(&self, mask: u8, line: &(impl Iterator<Item = Token> + Clone)) -> u8 {
        (0..self.texts.len())
            .filter(|&bit| mask >> bit & 1 == 1 && self.texts[bit].has(line.clone()))
            .fold(0, |mask, bit| mask | 1 << bit)
    }
}

impl Text<'_> {
    /// A word of the union as a phrase of the text, if anything follows it there.
    fn start(&self, word: Token) -> Option<Phrase> {
        let own = self.own[word as usize];
        (own != NONE).then(|| self.index.word_phrase(own))
    }

    fn extend(&self, phrase: Phrase, word: Token) -> Option<Phrase> {
        let own = self.own[word as usize];
        if own == NONE { None } else { self.index.extend(phrase, own) }
    }

    fn has(&self, mut line: impl Iterator<Item = Token>) -> bool {
        let Some(mut phrase) = line.next().and_then(|word| self.start(word)) else { return false };
        line.all(|word| match self.extend(phrase, word) {
            Some(longer) => {
                phrase = longer;
                true
            }
            None => false,
        })
    }
}

impl Known for Exclusion<'_> {
    fn bigram(&self, a: Token, b: Token) -> u8 {
        self.union.bigram(a, b).map_or(0, |id| self.bigrams[id as usize])
    }

    fn ortho(&self, dims: &[u32], tokens: &[Token], among: u8) -> u8 {
        let mut mask = among & self.all();
        let mut stride = 1;
        for &d in dims {
            let length = d as usize;
            for (at, &token) in tokens.iter().enumerate() {
                if mask == 0 {
                    return 0;
                }
                if at / stride % length > 0 {
                    continue;
                }
                mask &= if length == 2 {
                    self.bigram(token, tokens[at + stride])
                } else {
                    self.line(mask, &(0..length).map(|i| tokens[at + i * stride]))
                };
            }
            stride *= length;
        }
        mask
    }
}

/// The masks of the edges and arcs of one search.
#[derive(Debug)]
pub(super) struct Masks {
    /// Of each edge.
    pub(super) edges: Vec<u8>,
    /// Of each arc with the edge above, in the order of `Arcs::up`; and in that of `Arcs::down`.
    pub(super) up: Vec<u8>,
    pub(super) down: Vec<u8>,
}

impl Masks {
    pub(super) fn new(exclusion: &Exclusion<'_>, graph: &Graph, arcs: &Arcs, ranks: &Ranks) -> Self {
        let token = |rank| ranks.token(rank);
        let edges: Vec<u8> = (0..graph.edges())
            .map(|edge| {
                let [a, b] = graph.words_of(edge);
                exclusion.bigram(token(a), token(b))
            })
            .collect();
        let mut up = Vec::with_capacity(arcs.up.items());
        let mut down = vec![0; arcs.up.items()];
        let mut next: Vec<u32> = (0..graph.edges()).map(|edge| arcs.down.range(edge).start as u32).collect();
        let of = |a, b| graph.edge(a, b).map_or(0, |edge| edges[edge as usize]);
        for edge in 0..graph.edges() {
            let [x, y] = graph.words_of(edge);
            let mut first = None;
            for &above in arcs.up.of(edge) {
                let [f, g] = graph.words_of(above);
                let left = match first {
                    Some((word, mask)) if word == f => mask,
                    _ => of(x, f),
                };
                first = Some((f, left));
                let mask = left & edges[above as usize];
                let mask = if mask == 0 { 0 } else { mask & of(y, g) };
                up.push(mask);
                // Lists of `down` have ascending edges, as this loop goes.
                let place = &mut next[above as usize];
                down[*place as usize] = mask;
                *place += 1;
            }
        }
        Self { edges, up, down }
    }
    pub(super) fn memory(&self) -> u64 {
        (self.edges.len() + self.up.len() + self.down.len()) as u64
    }
}
