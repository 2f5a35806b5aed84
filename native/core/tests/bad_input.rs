//! Bad input at the level of the core: each has the right result, in the memory that was granted.
//!
//! Memory is measured by an allocator that counts, so these tests take turns.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use fold_core::digest::WordHashes;
use fold_core::disk::RealDisk;
use fold_core::ortho::Ortho;
use fold_core::results::{Found, Ranks, ResultsReader, ResultsWriter};
use fold_core::search::{Settings, Stop, Watch, run};
use fold_core::text::{Interner, PhraseIndex};
use support::searching::shared;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

fn grew(bytes: usize) {
    let now = NOW.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(now, Ordering::Relaxed);
}

// A global allocator is unsafe by nature; this one hands everything on.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new may both be there for a moment.
        grew(size);
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

static TURN: Mutex<()> = Mutex::new(());

/// Taken by each test before it makes its text, so that nothing else is counted.
fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a search took.
struct Taken {
    found: Found,
    interner: Arc<Interner>,
    /// Bytes that vocabulary and index keep.
    index: usize,
    /// The most that was allocated while searching, beyond interner, index and ranks.
    search: usize,
    /// The orthos read back.
    read: u64,
}

const MIB: usize = 1 << 20;

fn search(name: &str, text: &[u8], threads: usize, memory: u64) -> Taken {
    let begin = Instant::now();
    let before = NOW.load(Ordering::Relaxed);
    let interner = Arc::new(Interner::from_bytes(name, text).expect("text"));
    let index = PhraseIndex::build(Arc::clone(&interner)).expect("index");
    let kept = NOW.load(Ordering::Relaxed).saturating_sub(before);
    let indexed = begin.elapsed();
    let ranks = Arc::new(Ranks::new(&index));
    let words = WordHashes::new(&interner);
    let directory = tempfile::tempdir().expect("temporary directory");
    let results = directory.path().join("results");
    let writer = ResultsWriter::create(&results, 1 << 18, RealDisk::shared()).expect("writer");
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let settings = Settings { threads, memory };
    let found = run(&index, &ranks, &words, &writer, None, settings, &Stop::default(), &Watch::default());
    let found = found.expect("search");
    let search = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    writer.close().expect("close");

    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let reader = ResultsReader::open(&results, ranks, RealDisk::shared()).expect("reader");
    let mut read = 0;
    let mut ortho = Ortho::default();
    for dims in reader.shapes() {
        let mut cursor = reader.cursor(dims).expect("cursor");
        while read < 100_000 && cursor.next(&mut ortho).expect("ortho") {
            read += 1;
        }
    }
    let reading = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    println!(
        "{name}: {} orthos, {} words, index {:.1} MiB ({:.2} bytes a byte), search {:.1} MiB of {:.1} MiB on {threads} threads, reading {:.1} MiB; index {indexed:?}, all {:?}",
        found.tally.count(),
        interner.vocabulary_len(),
        kept as f64 / MIB as f64,
        kept as f64 / text.len().max(1) as f64,
        search as f64 / MIB as f64,
        memory as f64 / MIB as f64,
        reading as f64 / MIB as f64,
        begin.elapsed()
    );
    assert!(reading < 4 * MIB, "{name}: reading took {reading} bytes");
    Taken { found, interner, index: kept, search, read }
}

/// The text has no ortho, and finding that out took no more than its index and the budget.
fn has_none(name: &str, text: &str, words: usize) {
    for (threads, memory) in [(1, 64 * MIB), (2, MIB)] {
        let taken = search(name, text.as_bytes(), threads, memory as u64);
        assert_eq!(taken.found.tally.count(), 0, "{name}");
        assert_eq!(taken.found.best, None, "{name}");
        assert_eq!(taken.read, 0, "{name}");
        assert_eq!(taken.interner.vocabulary_len(), words, "{name}");
        // Below this size fixed costs count.
        assert!(taken.index <= text.len() * 6 + MIB, "{name}: the index takes {}", taken.index);
        within_budget(name, &taken, memory, threads);
    }
}

/// What comes on top of the budget: the records being written by each thread (a queue's buffer and frames), and for each
/// bigram what the graph takes.
fn within_budget(name: &str, taken: &Taken, memory: usize, threads: usize) {
    let fixed = 2 * MIB + threads * MIB;
    assert!(
        taken.search <= memory + fixed,
        "{name}: the search took {:.1} MiB of {:.1} MiB",
        taken.search as f64 / MIB as f64,
        memory as f64 / MIB as f64
    );
}

/// Different words for different numbers.
fn word(mut number: usize) -> String {
    let mut word = String::new();
    loop {
        word.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return word;
        }
    }
}

#[test]
fn an_empty_text_has_no_ortho() {
    let _turn = turn();
    has_none("empty", "", 0);
    has_none("only a byte order mark", "\u{feff}", 0);
    has_none("only separators", " \r\n\r\n.,;!? 12 --- '' \u{2019}", 0);
}

#[test]
fn a_text_without_any_ortho_has_none() {
    let _turn = turn();
    has_none("one word", "word", 1);
    has_none("one sentence", "no word comes twice here", 5);
    has_none("almost a square", "a b. a c. b d. c e", 5);
    has_none("a square with twice the same word in a shell", "a b. b d. a b d", 3);
}

#[test]
fn a_word_of_ten_megabytes_is_a_word() {
    let _turn = turn();
    has_none("a word of 10 MB", &"abcdefghij".repeat(1 << 20), 1);
}

#[test]
fn a_sentence_of_a_million_different_words_is_fine() {
    let _turn = turn();
    let text: Vec<String> = (0..1_000_000).map(word).collect();
    has_none("a million different words", &text.join(" "), 1_000_000);
}

#[test]
fn a_sentence_of_a_million_equal_words_is_fine() {
    let _turn = turn();
    has_none("a million times a word", &"word ".repeat(1_000_000), 1);
}

#[test]
fn a_sentence_of_a_million_words_in_turn_is_fine() {
    let _turn = turn();
    let text: Vec<String> = (0..1_000_000).map(|i| word(i % 7)).collect();
    has_none("a million words in turn", &text.join(" "), 7);
}

#[test]
fn a_million_empty_sentences_are_none() {
    let _turn = turn();
    has_none("a million full stops", &". ".repeat(1_000_000), 0);
    has_none("a million blank lines", &"\r\n".repeat(1_000_000), 0);
    has_none("a million sentences of one word", &"word. ".repeat(1_000_000), 1);
}

/// Squares `o a. o b. a d. b d` of words with numbers beyond 16 bits.
#[test]
fn a_vocabulary_of_more_than_65536_words_is_fine() {
    let _turn = turn();
    let mut text = String::new();
    for square in 0..50_000 {
        let [o, a, b, d] = [0, 1, 2, 3].map(|i| word(square * 4 + i));
        writeln!(text, "{o} {a} {d}. {o} {b} {d}.").expect("string");
    }
    for (threads, memory) in [(1, 64 * MIB), (2, 4 * MIB), (1, MIB)] {
        let taken = search("200,000 words", text.as_bytes(), threads, memory as u64);
        assert_eq!(taken.interner.vocabulary_len(), 200_000);
        assert_eq!(taken.found.tally.count(), 50_000);
        assert_eq!(taken.read, 50_000);
        within_budget("200,000 words", &taken, memory, threads);
    }
}

/// One word that everything follows, and that follows everything: a row of the graph as long as the vocabulary.
#[test]
fn a_word_beside_every_other_is_fine() {
    let _turn = turn();
    let mut text = String::new();
    for i in 1..100_000 {
        write!(text, "the {} of. ", word(i * 26 + 1)).expect("string");
    }
    let words = 100_001;
    // Any two make a square, and the plain search tries every third with them; so a part is enough.
    let few: String = text.split_inclusive(". ").take(300).collect();
    for (threads, memory) in [(1, 64 * MIB), (2, MIB)] {
        let taken = search("a hub of 300", few.as_bytes(), threads, memory as u64);
        assert_eq!(taken.found.tally.count(), 300 * 299 / 2);
        within_budget("a hub of 300", &taken, memory, threads);
    }
    // One way only: no square.
    let out: String = (1..words).map(|i| format!("the {}. ", word(i * 26 + 1))).collect();
    let taken = search("a word before 100,000", out.as_bytes(), 1, MIB as u64);
    assert_eq!(taken.found.tally.count(), 0);
    within_budget("a word before 100,000", &taken, MIB, 1);
}

#[test]
fn the_novel_stays_in_its_budget() {
    let _turn = turn();
    for (name, count) in [("novel-16000", 5_633), ("novel-32000", 73_804)] {
        let Some(path) = shared(&format!("texts/{name}.txt")) else { return };
        let text = std::fs::read(path).expect("text");
        for (threads, memory) in [(1, 64 * MIB), (2, 16 * MIB), (2, 4 * MIB), (3, MIB), (1, 0)] {
            let taken = search(name, &text, threads, memory as u64);
            assert_eq!(taken.found.tally.count(), count);
            within_budget(name, &taken, memory, threads);
        }
    }
}

/// 64,000 bytes of the novel take more than little budgets can hold.
#[test]
#[ignore = "takes minutes; scripts/long-tests.sh runs it"]
fn a_long_text_stays_in_its_budget() {
    let _turn = turn();
    let Some(path) = shared("texts/novel-64000.txt") else { return };
    let text = std::fs::read(path).expect("text");
    for (threads, memory) in [(1, 256 * MIB), (2, 256 * MIB), (2, 64 * MIB), (2, 24 * MIB)] {
        let taken = search("novel-64000", &text, threads, memory as u64);
        assert_eq!(taken.found.tally.count(), 77_881_309);
        within_budget("novel-64000", &taken, memory, threads);
    }
}
