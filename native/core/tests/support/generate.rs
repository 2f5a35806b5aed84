//! Small texts in which high dimensions and long axes occur.
//!
//! A [`Recipe`] says what to plant (grids whose lines are sentences) and how much noise to add over the same words. Its
//! sentences are word numbers; [`render`] writes them in one of several scripts with all kinds of ends and spaces.

use proptest::prelude::*;

use super::brute_force::cells_of;

/// SplitMix64: enough to choose words.
#[derive(Debug, Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// How a text is made.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    /// Shapes to plant.
    pub(crate) plants: Vec<Vec<u32>>,
    /// Words of the vocabulary; more if a planted shell needs them.
    pub(crate) words: usize,
    /// Words that may follow a word in the noise.
    pub(crate) degree: usize,
    /// Sentences of noise.
    pub(crate) noise: usize,
    /// The longest sentence of noise.
    pub(crate) longest: usize,
    pub(crate) script: usize,
    pub(crate) seed: u64,
}

pub(crate) type Sentences = Vec<Vec<usize>>;

pub(crate) fn recipes() -> impl Strategy<Value = Recipe> {
    let shape = |dims: &[u32]| Just(dims.to_vec());
    let plants = prop_oneof![
        6 => Just(vec![]),
        2 => shape(&[2, 2, 2, 2]).prop_map(|d| vec![d]),
        3 => shape(&[2, 2, 2, 2, 2]).prop_map(|d| vec![d]),
        2 => shape(&[2, 2, 2, 2, 2, 2]).prop_map(|d| vec![d]),
        8 => prop::collection::vec(
            prop_oneof![
                shape(&[3, 3]),
                shape(&[3, 3, 3]),
                shape(&[2, 2, 4]),
                shape(&[4, 4]),
                shape(&[2, 7]),
                shape(&[3, 4]),
                shape(&[2, 3, 3]),
                shape(&[2, 2, 3]),
                shape(&[2, 2, 2, 3]),
                shape(&[2, 2, 2, 2, 3]),
                shape(&[2, 3, 4]),
                shape(&[2, 2, 3, 3]),
                shape(&[2, 2, 2, 2]),
            ],
            1..=2,
        ),
    ];
    (plants, 4usize..=40, 1usize..=8, 0usize..=90, 2usize..=12, 0usize..SCRIPTS, any::<u64>()).prop_map(
        |(plants, words, degree, noise, longest, script, seed)| Recipe {
            plants,
            words,
            degree,
            noise,
            longest,
            script,
            seed,
        },
    )
}

impl Recipe {
    /// The planted sentences, then the noise. `thinner` leaves out more of the noise and uses more words.
    pub(crate) fn sentences(&self, thinner: usize) -> Sentences {
        let mut random = Random(self.seed);
        let widest = self.plants.iter().map(|dims| widest_shell(dims)).max().unwrap_or(0);
        let words = self.words.max(widest + 2) + if self.plants.is_empty() { 0 } else { thinner * 8 };
        let mut sentences = vec![];
        for dims in &self.plants {
            plant(dims, words, &mut random, &mut sentences);
        }
        let follow: Vec<Vec<usize>> =
            (0..words).map(|_| (0..self.degree).map(|_| random.below(words)).collect()).collect();
        let noise = if self.plants.is_empty() { self.noise + 10 } else { self.noise / 2 };
        for _ in 0..noise >> thinner {
            let mut word = random.below(words);
            let mut sentence = vec![word];
            for _ in 0..random.below(self.longest) {
                // Now and then a word that never follows otherwise.
                word = if random.below(12) == 0 {
                    random.below(words)
                } else {
                    follow[word][random.below(self.degree)]
                };
                sentence.push(word);
            }
            sentences.push(sentence);
        }
        sentences
    }
}

fn widest_shell(dims: &[u32]) -> usize {
    let cells = cells_of(dims);
    cells
        .chunk_by(|a, b| a.iter().sum::<u32>() == b.iter().sum::<u32>())
        .map(<[Vec<u32>]>::len)
        .max()
        .unwrap_or(0)
}

/// Adds the lines of an ortho of this shape; a word may be in several shells.
fn plant(dims: &[u32], words: usize, random: &mut Random, sentences: &mut Sentences) {
    let cells = cells_of(dims);
    let mut at = std::collections::HashMap::new();
    for shell in cells.chunk_by(|a, b| a.iter().sum::<u32>() == b.iter().sum::<u32>()) {
        let mut deck: Vec<usize> = (0..words).collect();
        for cell in shell {
            at.insert(cell.clone(), deck.swap_remove(random.below(deck.len())));
        }
    }
    for cell in &cells {
        for axis in (0..dims.len()).filter(|&axis| cell[axis] == 0) {
            let line = (0..dims[axis]).map(|x| {
                let mut on = cell.clone();
                on[axis] = x;
                at[&on]
            });
            sentences.push(line.collect());
        }
    }
}

pub(crate) const SCRIPTS: usize = 8;

/// The word of a number: different numbers give different words, also in lower case and in NFC.
fn word(script: usize, number: usize) -> String {
    let (first, second) = (number % 7, number / 7);
    let letters = |alphabet: &[&str], more: &[&str]| {
        format!(
            "{}{}",
            alphabet[first % alphabet.len()],
            more[second % more.len()].repeat(1 + second / more.len())
        )
    };
    match script {
        0 => letters(&["ba", "ce", "di", "Fo", "gu", "ha", "Je"], &["n", "R", "st", "l", "m"]),
        // With apostrophes of both kinds inside, and some at the ends, which are stripped.
        1 => letters(
            &["d'a", "l\u{2019}e", "o''", "'ti", "qu'u", "y'", "n'o"],
            &["n'", "r", "s\u{2019}t", "l", "m"],
        ),
        2 => letters(&["Α", "β", "Γ", "δα", "Έ", "ζ", "η"], &["ν", "ρα", "τι", "λ", "μ"]),
        3 => letters(&["Б", "в", "Г", "д", "Ё", "ж", "й"], &["н", "ра", "Т", "л", "м"]),
        4 => letters(&["ب", "ت", "ج", "د", "ر", "س", "ع"], &["ن", "را", "ت\u{64e}", "ل", "م"]),
        5 => letters(&["一", "二", "三", "四", "五", "六", "七"], &["人", "山", "水", "火", "木"]),
        6 => letters(&["क", "ख", "ग", "च", "ज", "त", "द"], &["न", "र\u{93e}", "त\u{94d}", "ल", "म"]),
        // Decomposed accents, and letters beyond the basic plane.
        _ => letters(
            &["e\u{301}", "A\u{30a}", "o\u{308}", "\u{10400}", "\u{1e0c}", "u\u{302}", "ñ"],
            &["n", "r\u{323}", "st", "l", "m"],
        ),
    }
}

/// The text of some sentences.
pub(crate) fn render(sentences: &Sentences, script: usize, seed: u64) -> String {
    let mut random = Random(seed ^ 0x7e87);
    let ends = [". ", "? ", "; ", "! ", ", ", "。", "，", "؟ ", ".\r\n", "\r\n\r\n", "\n \n", "\r\r", ".\n"];
    let gaps = [" ", " ", " ", "\n", "\r\n", "\r", "\t", "  ", "\u{a0}", " - ", "\u{3000}", " 7 "];
    let mut text = String::new();
    if random.below(8) == 0 {
        text.push('\u{feff}');
    }
    for sentence in sentences {
        for (i, &number) in sentence.iter().enumerate() {
            if i > 0 {
                text.push_str(gaps[random.below(gaps.len())]);
            }
            text.push_str(&word(script, number));
        }
        text.push_str(ends[random.below(ends.len())]);
    }
    text
}
