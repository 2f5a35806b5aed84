//! What reading and indexing a text costs: time, MB/s, bytes of memory a byte of text.
//!
//! ```text
//! cargo run --release -p fold-core --example intern -- TEXT
//! cargo run --release -p fold-core --example intern -- --make MB WORDS SEED_TEXT OUT
//! ```
//!
//! The second form makes a text to measure: lines in the rhythm of the seed text's sentences, of WORDS distinct words
//! distributed as Zipf found.

use std::collections::HashSet;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::sync::Arc;
use std::time::Instant;

use fold_core::Result as FoldResult;
use fold_core::text::{Interner, PhraseIndex, SentenceSink, split};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--make", megabytes, words, seed, out] => make(megabytes.parse()?, words.parse()?, seed, out),
        [path] => measure(path),
        _ => Err("usage: intern TEXT | intern --make MB WORDS SEED_TEXT OUT".into()),
    }
}

fn measure(path: &str) -> Result<(), Box<dyn Error>> {
    let bytes = fs::metadata(path)?.len() as f64;
    let report = |what: &str, since: Instant| {
        let seconds = since.elapsed().as_secs_f64();
        println!(
            "{what:<12}{seconds:>8.2} s {:>8.1} MB/s   peak so far {}",
            bytes / 1e6 / seconds,
            peak(bytes)
        );
    };
    println!("{path}: {:.1} MB, before reading {}", bytes / 1e6, peak(bytes));

    let start = Instant::now();
    let mut counts = Counts::default();
    split(path, &mut File::open(path)?, &mut counts)?;
    report("split", start);
    let start = Instant::now();
    let interner = Interner::from_reader(path, &mut File::open(path)?)?;
    report("intern", start);
    let start = Instant::now();
    let index = PhraseIndex::build(Arc::new(interner))?;
    report("index", start);
    let interner = index.interner();
    ask(&index);
    let start = Instant::now();
    let mut stored = Vec::new();
    interner.encode_to(&mut stored)?;
    report("encode", start);
    let start = Instant::now();
    let decoded = Interner::decode(path, &mut &stored[..], stored.len() as u64)?;
    report("decode", start);
    assert_eq!(decoded.digest(), interner.digest(), "what was stored came back as something else");

    println!("words {} in {} sentences", counts.words, counts.sentences);
    println!(
        "vocabulary {}, maximal sentences {} of {} words, bigrams {}",
        interner.vocabulary_len(),
        interner.sentence_count(),
        interner.token_count(),
        index.bigram_count()
    );
    let used = index.memory_bytes() as f64;
    println!("in use {:.1} MB = {:.2} bytes a byte of text", used / 1e6, used / bytes);
    println!(
        "stored {:.1} MB = {:.2} bytes a byte of text",
        stored.len() as f64 / 1e6,
        stored.len() as f64 / bytes
    );
    Ok(())
}

/// The queries a search makes most, on all bigrams of the text.
fn ask(index: &PhraseIndex) {
    let each = |what: &str, query: &dyn Fn(u32) -> usize| {
        let start = Instant::now();
        let answers: usize = (0..index.bigram_count()).map(query).sum();
        let nanoseconds = start.elapsed().as_secs_f64() * 1e9 / f64::from(index.bigram_count().max(1));
        println!("{what:<12}{nanoseconds:>8.1} ns a bigram, {answers} answers");
    };
    each("bigram", &|id| {
        let (a, b) = index.bigram_tokens(id);
        index.bigram(b, a).is_some().into()
    });
    each("can_extend", &|id| index.can_extend(index.bigram_phrase(id)).into());
    each("completions", &|id| index.completions(index.bigram_phrase(id)).count());
    each("extend", &|id| {
        let (a, b) = index.bigram_tokens(id);
        index.extend(index.bigram_phrase(id), a.min(b)).is_some().into()
    });
}

#[derive(Default)]
struct Counts {
    words: u64,
    sentences: u64,
}

impl SentenceSink for Counts {
    fn word(&mut self, _: &str) -> FoldResult<()> {
        self.words += 1;
        Ok(())
    }
    fn end_sentence(&mut self) -> FoldResult<()> {
        self.sentences += 1;
        Ok(())
    }
}

/// The greatest resident size of this process so far, where the system tells it.
fn peak(bytes: f64) -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    match line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()) {
        Some(kib) => {
            format!("{:.0} MB = {:.2} bytes a byte of text", kib * 1024.0 / 1e6, kib * 1024.0 / bytes)
        }
        None => "unknown".into(),
    }
}

fn make(megabytes: usize, words: usize, seed: &str, out: &str) -> Result<(), Box<dyn Error>> {
    let seed = fs::read_to_string(seed)?;
    let mut known = HashSet::new();
    let mut vocabulary: Vec<String> = Vec::new();
    for word in seed.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).map(str::to_lowercase) {
        if known.insert(word.clone()) {
            vocabulary.push(word);
        }
    }
    // More words, of the same letters: the beginning of one and the end of another.
    let mut random = Random(1);
    while vocabulary.len() < words {
        let (a, b) = (&vocabulary[random.below(2000)], &vocabulary[random.below(2000)]);
        let cut = |word: &str, half: bool| -> String {
            let middle = word.chars().count().div_ceil(2);
            if half { word.chars().take(middle).collect() } else { word.chars().skip(middle / 2).collect() }
        };
        let word = cut(a, true) + &cut(b, false);
        if known.insert(word.clone()) {
            vocabulary.push(word);
        }
    }
    let mut out = BufWriter::new(File::create(out)?);
    let mut written = 0;
    while written < megabytes * 1_000_000 {
        for piece in seed.split_inclusive(|c: char| !c.is_alphabetic()) {
            // Rank r with a chance in proportion to 1/r.
            let rank = (words as f64).powf(random.unit()) as usize - 1;
            let end = if piece.ends_with(char::is_alphabetic) { "" } else { &piece[piece.len() - 1..] };
            let word = if piece.len() > 1 { vocabulary[rank].as_str() } else { "" };
            written += out.write(word.as_bytes())? + out.write(end.as_bytes())?;
        }
    }
    out.flush()?;
    Ok(())
}

struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
    fn below(&mut self, limit: usize) -> usize {
        (self.unit() * limit as f64) as usize
    }
}
