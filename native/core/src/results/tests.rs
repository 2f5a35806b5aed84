//! Records of all kinds, there and back; and records that make no sense.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::cubes::CubesRecord;
use super::list::ListRecord;
use super::{Filter, Known, RankTables, Ranks, Renumbered, ResultsReader, ResultsWriter, copy_record, kind};
use crate::disk::Disk;
use crate::disk::faulty::FaultyDisk;
use crate::disk_backed_queue::{DiskBackedQueue, QueueOptions};
use crate::error::Code;
use crate::ortho::{Canonicalizer, Dims, Ortho, shape_name};

/// Ranks of so many words, backwards, so that a rank taken for a token is noticed.
fn ranks(words: u32) -> Arc<Ranks> {
    Arc::new(Ranks::from_tokens((0..words).rev().collect()))
}

/// What a reader makes of a shape's records. At most so many orthos are taken.
fn read(disk: &Arc<dyn Disk>, dims: &[u32], words: u32, most: usize) -> crate::Result<Vec<Ortho>> {
    let reader = ResultsReader::open(Path::new(RESULTS), ranks(words), Arc::clone(disk))?;
    let mut cursor = reader.cursor(dims)?;
    let mut ortho = Ortho::default();
    let mut all = vec![];
    while all.len() < most && cursor.next(&mut ortho)? {
        all.push(ortho.clone());
    }
    Ok(all)
}

/// Puts a record where the results of a shape are, and reads it.
fn read_record(record: &[u8], dims: &[u32], words: u32) -> crate::Result<Vec<Ortho>> {
    let disk: Arc<dyn Disk> = Arc::new(FaultyDisk::default());
    let options = QueueOptions { disk: Arc::clone(&disk), ..QueueOptions::default() };
    let mut queue = DiskBackedQueue::open(&Path::new(RESULTS).join(shape_name(dims)), options)?;
    queue.push(record)?;
    queue.close()?;
    read(&disk, dims, words, 5_000)
}

fn canonical(dims: &[u32], cells: &[u32], words: u32) -> Ortho {
    let mut ortho = Ortho::default();
    let tokens: Vec<u32> = cells.iter().map(|&rank| words - 1 - rank).collect();
    Canonicalizer::default().canonicalize(dims, &tokens, &mut ortho);
    ortho
}

const WORDS: u32 = 300;

/// A directory of a disk in memory.
const RESULTS: &str = "/results";

/// Some grown orthos of one shape whose unit cells differ, so that there is one canonical form.
fn lists() -> impl Strategy<Value = (Dims, Vec<Vec<u32>>)> {
    let dims = prop::collection::vec(2u32..=4, 2..=4);
    (dims, 1usize..20, any::<u64>()).prop_map(|(dims, count, seed)| {
        let cells: u32 = dims.iter().product();
        let mut orthos: Vec<Vec<u32>> = vec![];
        let mut state = seed | 1;
        for _ in 0..count {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Shares a prefix with the one before; cells differ by their residues.
            let mut ortho = orthos.last().cloned().unwrap_or_else(|| (0..cells).collect());
            let from = (state >> 33) as usize % ortho.len();
            for (i, cell) in ortho.iter_mut().enumerate().skip(from) {
                *cell = i as u32 + cells * ((state >> (i % 40)) as u32 % (WORDS / cells));
            }
            orthos.push(ortho);
        }
        (dims, orthos)
    })
}

/// Knows the orthos whose tokens add up to a multiple of something, and hence all bigrams.
#[derive(Debug)]
struct Sums(u32);

impl Known for Sums {
    fn bigram(&self, _: u32, _: u32) -> u8 {
        1
    }
    fn ortho(&self, _: &[u32], tokens: &[u32], among: u8) -> u8 {
        among & u8::from(tokens.iter().sum::<u32>().is_multiple_of(self.0))
    }
}

/// Has the bigrams of some orthos.
#[derive(Debug)]
struct Bigrams(std::collections::BTreeSet<[u32; 2]>);

impl Bigrams {
    fn of(orthos: &[Vec<u32>]) -> Self {
        let lines = |cells: &Vec<u32>| -> Vec<[u32; 2]> {
            let axes = (0..cells.len().ilog2()).map(|k| 1 << k);
            axes.flat_map(|bit| {
                (0..cells.len()).filter(move |at| at & bit == 0).map(move |at| [cells[at], cells[at | bit]])
            })
            .collect()
        };
        Self(orthos.iter().flat_map(lines).collect())
    }
}

impl Known for Bigrams {
    fn bigram(&self, a: u32, b: u32) -> u8 {
        // Rank r is token WORDS - 1 - r.
        u8::from(self.0.contains(&[WORDS - 1 - a, WORDS - 1 - b]))
    }
    fn ortho(&self, _: &[u32], _: &[u32], _: u8) -> u8 {
        0
    }
}

/// What a copy of one record has, and what it left out.
fn filtered(record: &[u8], dims: &[u32], known: &dyn Known) -> (Vec<Ortho>, Vec<Vec<u32>>) {
    let disk: Arc<dyn Disk> = Arc::new(FaultyDisk::default());
    let writer = ResultsWriter::create(Path::new("/from"), 1 << 16, Arc::clone(&disk)).expect("writer");
    writer.push(writer.lane(), dims, 0, record).expect("push");
    writer.close().expect("close");
    let from = ResultsReader::open(Path::new("/from"), ranks(WORDS), Arc::clone(&disk)).expect("reader");
    let to = ResultsWriter::create(Path::new(RESULTS), 1 << 16, Arc::clone(&disk)).expect("writer");
    let mut tables = RankTables::from(Arc::new(Ranks::from_tokens((0..WORDS).collect())));
    let number = tables.add(Ranks::clone(&ranks(WORDS)));
    let renumbered = [Renumbered { number, ranks: Ranks::clone(&ranks(WORDS)) }];
    let mut removed = vec![];
    let mut take = |_: u32, _: &[u32], cells: &[u32]| removed.push(cells.to_vec());
    let filter = Filter { known, among: 1 };
    let (dims, lane) = (&dims.to_vec(), to.lane());
    let mut records = from.records(dims).expect("records");
    while records.next().expect("a record") {
        copy_record(&records, dims, (&to, lane), &renumbered, Some(&filter), &mut take).expect("copy");
    }
    to.close().expect("close");
    let reader = ResultsReader::open(Path::new(RESULTS), tables, Arc::clone(&disk)).expect("reader");
    let mut cursor = reader.cursor(dims).expect("cursor");
    let (mut ortho, mut left) = (Ortho::default(), vec![]);
    while cursor.next(&mut ortho).expect("orthos") {
        left.push(ortho.clone());
    }
    (left, removed)
}

/// Every set of orthos of a record that can be known leaves exactly the others.
#[test]
fn what_is_known_is_taken_out_of_a_record() {
    for (dims, record, orthos) in cube_records() {
        for chosen in 0..1u32 << orthos.len() {
            let some: Vec<Vec<u32>> =
                (0..).zip(&orthos).filter(|(i, _)| chosen >> i & 1 == 1).map(|(_, o)| o.clone()).collect();
            let known = Bigrams::of(&some);
            let is_known = |cells: &Vec<u32>| Bigrams::of(std::slice::from_ref(cells)).0.is_subset(&known.0);
            let (mut left, mut removed) = filtered(&record, &dims, &known);
            let (mut old, new): (Vec<_>, Vec<_>) = orthos.iter().cloned().partition(is_known);
            let mut expected: Vec<Ortho> = new.iter().map(|cells| canonical(&dims, cells, WORDS)).collect();
            left.sort_by_key(|o| o.tokens.clone());
            expected.sort_by_key(|o| o.tokens.clone());
            assert_eq!(left, expected, "{dims:?} {chosen:b}");
            removed.sort();
            old.sort();
            assert_eq!(removed, old, "{dims:?} {chosen:b}");
        }
    }
}

/// Records of several tables in one queue, whatever their order.
#[test]
fn records_name_their_table() {
    let disk: Arc<dyn Disk> = Arc::new(FaultyDisk::default());
    let writer = ResultsWriter::create(Path::new(RESULTS), 1 << 16, Arc::clone(&disk)).expect("writer");
    let cells = vec![1, 2, 3, 4, 5, 6];
    let record = list_record(&[3, 2], std::slice::from_ref(&cells));
    let mut tables = RankTables::from(ranks(WORDS));
    let shift: Vec<u32> = (0..WORDS).map(|i| (i + 7) % WORDS).collect();
    let one = tables.add(ranks(WORDS).renumbered(&shift));
    let order = [0, 0, one, one, 0, one];
    for table in order {
        writer.push(writer.lane(), &[2, 3], table, &record).expect("push");
    }
    writer.close().expect("close");
    let open = |tables| ResultsReader::open(Path::new(RESULTS), tables, Arc::clone(&disk)).expect("reader");
    let reader = open(tables.clone());
    let mut cursor = reader.cursor(&[2, 3]).expect("cursor");
    let mut ortho = Ortho::default();
    for table in order {
        assert!(cursor.next(&mut ortho).expect("an ortho"));
        let ranks = tables.get(table).expect("a table");
        let tokens: Vec<u32> = cells.iter().map(|&rank| ranks.token(rank)).collect();
        let mut expected = Ortho::default();
        Canonicalizer::default().canonicalize(&[3, 2], &tokens, &mut expected);
        assert_eq!(ortho, expected);
    }
    assert!(!cursor.next(&mut ortho).expect("the end"));
    let fewer = open(RankTables::from(ranks(WORDS)));
    let mut cursor = fewer.cursor(&[2, 3]).expect("cursor");
    assert!(cursor.next(&mut ortho).and_then(|_| cursor.next(&mut ortho)).expect("two"));
    let error = cursor.next(&mut ortho).expect_err("a table that there is not");
    assert_eq!(error.code(), Code::Damaged, "{error}");
}

fn list_record(dims: &[u32], orthos: &[Vec<u32>]) -> Vec<u8> {
    let mut list = ListRecord::new(dims);
    orthos.iter().for_each(|cells| list.push(cells));
    list.take().expect("orthos")
}

/// One record of each kind of cubes as the search would write it, with its orthos.
fn cube_records() -> Vec<(Dims, Vec<u8>, Vec<Vec<u32>>)> {
    let mut squares = CubesRecord::default();
    squares.unit([1, 2]);
    squares.squares([[3, 4], [200, 5]].into_iter());
    squares.unit([7, 299]);
    squares.squares([[130, 6]].into_iter());
    squares.count = 3;
    let two = vec![vec![1, 2, 3, 4], vec![1, 2, 200, 5], vec![7, 299, 130, 6]];

    let mut cubes = CubesRecord::default();
    cubes.unit([1, 2]);
    cubes.node((0, [3, 4]));
    cubes.mid([5, 6]);
    cubes.third_axes([(1, [7, 8]), (2, [9, 10])].into_iter());
    cubes.mid([11, 12]);
    cubes.third_axes([(2, [9, 10])].into_iter());
    cubes.leave(super::cubes::Depth::Unit);
    cubes.node((1, [7, 8]));
    cubes.mid([13, 14]);
    cubes.third_axes([(2, [9, 10])].into_iter());
    cubes.count = 4;
    let three = vec![
        vec![1, 2, 3, 4, 7, 8, 5, 6],
        vec![1, 2, 3, 4, 9, 10, 5, 6],
        vec![1, 2, 3, 4, 9, 10, 11, 12],
        vec![1, 2, 7, 8, 9, 10, 13, 14],
    ];

    let mut tesseracts = CubesRecord::default();
    tesseracts.unit([1, 2]);
    tesseracts.node((0, [3, 4]));
    tesseracts.mid([5, 6]);
    tesseracts.top((2, [9, 10]), [(50, [20, 21]), (51, [22, 23])].into_iter());
    tesseracts.ears((1, [7, 8]), [(52, [24, 25]), (53, [20, 26])].into_iter(), 2);
    // The left ear 20 21 and the right ear 20 26 share a word: three orthos of the four pairs.
    tesseracts.block((0, [30, 31]), (0b11, 2), (0b11, 2));
    tesseracts.block((1, [32, 33]), (0b01, 2), (0b01, 2));
    tesseracts.count = 4;
    let cube = |left: [u32; 2], right: [u32; 2], top: [u32; 2]| {
        [[1, 2], [3, 4], [7, 8], [5, 6], [9, 10], left, right, top].concat()
    };
    let four = vec![
        cube([20, 21], [24, 25], [30, 31]),
        cube([22, 23], [24, 25], [30, 31]),
        cube([22, 23], [20, 26], [30, 31]),
        cube([20, 21], [24, 25], [32, 33]),
    ];
    // The same operations with the fourth axis going down, and with the third one too: ears two shells apart.
    let [down, apart] = [4u8, 6].map(|flips| {
        let mut record = CubesRecord::turned(flips);
        record.body.clone_from(&tesseracts.body);
        record.count = if flips == 4 { 4 } else { 5 };
        record
    });
    let turned =
        |cells: &Vec<u32>, flips: usize| -> Vec<u32> { (0..16).map(|at| cells[at ^ (flips * 2)]).collect() };
    let four_down = four.iter().map(|cells| turned(cells, 4)).collect();
    let alike = cube([20, 21], [20, 26], [30, 31]);
    let five_apart = four.iter().chain([&alike]).map(|cells| turned(cells, 6)).collect();
    [
        (squares, kind::SQUARES, two),
        (cubes, kind::CUBES, three),
        (tesseracts, kind::TESSERACTS, four),
        (down, kind::TURNED, four_down),
        (apart, kind::TURNED, five_apart),
    ]
    .into_iter()
    .map(|(mut record, kind, orthos)| {
        (vec![2; usize::from(kind.min(4))], record.take(kind).expect("orthos"), orthos)
    })
    .collect()
}

/// The bytes of `docs/formats/results.md`: they may not change.
#[test]
fn records_have_the_documented_bytes() {
    let bytes: Vec<Vec<u8>> = cube_records().into_iter().map(|(_, record, _)| record).collect();
    assert_eq!(bytes[0], [2, 3, 1, 1, 2, 2, 3, 4, 200, 1, 5, 1, 7, 171, 2, 1, 130, 1, 6]);
    assert_eq!(
        bytes[1],
        [3, 4, 1, 1, 2, 2, 0, 3, 4, 3, 5, 6, 2, 0, 7, 8, 0, 9, 10, 3, 11, 12, 1, 3, 2, 2, 3, 13, 14, 1, 3]
    );
    assert_eq!(
        bytes[2],
        [
            4, 4, 1, 1, 2, 2, 0, 3, 4, 3, 5, 6, 4, 0, 9, 10, 2, 0, 20, 21, 0, 22, 23, 5, 0, 7, 8, 2, 0, 24,
            25, 0, 20, 26, 2, 0, 30, 31, 3, 3, 0, 32, 33, 1, 1
        ]
    );
    assert_eq!(bytes[3], [&[5, 4, 4], &bytes[2][2..]].concat());
    assert_eq!(bytes[4], [&[5, 5, 6], &bytes[2][2..]].concat());
    let list = list_record(&[3, 2], &[vec![1, 2, 3, 4, 5, 6], vec![1, 2, 3, 4, 300, 7]]);
    assert_eq!(list, [0, 2, 2, 3, 2, 0, 1, 2, 3, 4, 5, 6, 4, 172, 2, 7]);
}

#[test]
fn records_of_cubes_expand_to_what_was_put_in() {
    for (dims, record, orthos) in cube_records() {
        let expected: Vec<Ortho> = orthos.iter().map(|cells| canonical(&dims, cells, WORDS)).collect();
        let mut found = read_record(&record, &dims, WORDS).expect("record");
        let order = |o: &Ortho| o.tokens.clone();
        let mut expected_sorted = expected;
        expected_sorted.sort_by_key(order);
        found.sort_by_key(order);
        assert_eq!(found, expected_sorted);
    }
}

/// Reading it ends, with orthos of the shape or with damage.
fn is_harmless(record: &[u8], dims: &[u32]) -> Option<Vec<Ortho>> {
    match read_record(record, dims, WORDS) {
        Ok(orthos) => {
            let cells = dims.iter().product::<u32>() as usize;
            assert!(orthos.iter().all(|o| o.dims == dims && o.tokens.len() == cells));
            assert!(orthos.iter().all(|o| o.tokens.iter().all(|&t| t < WORDS)));
            Some(orthos)
        }
        Err(error) => {
            assert_eq!(error.code(), Code::Damaged, "{error}");
            assert!(error.to_string().contains(&shape_name(dims)), "{error}");
            None
        }
    }
}

/// The queue's checksums keep such records out; the decoder does not rely on them.
#[test]
fn a_flipped_bit_or_a_cut_in_a_record_never_does_harm() {
    let list = list_record(&[3, 2], &[vec![1, 2, 3, 4, 5, 6], vec![1, 2, 3, 4, 299, 7]]);
    let mut all: Vec<(Dims, Vec<u8>)> = cube_records().into_iter().map(|(d, r, _)| (d, r)).collect();
    all.push((vec![2, 3], list));
    for (dims, record) in all {
        let good = is_harmless(&record, &dims).expect("the record is good");
        let mut same = 0;
        for bit in 0..record.len() * 8 {
            let mut bad = record.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            same += usize::from(is_harmless(&bad, &dims).is_some_and(|orthos| orthos == good));
        }
        assert!(same <= 1, "{dims:?}: {same} bits mean nothing");
        for len in 0..record.len() {
            let read = is_harmless(&record[..len], &dims);
            assert_eq!(read, None, "{dims:?} cut to {len}");
        }
        let mut longer = record.clone();
        longer.push(0);
        assert_eq!(is_harmless(&longer, &dims), None, "{dims:?} with a byte more");
    }
}

/// Numbers that promise much with few bytes behind them.
#[test]
fn a_record_that_promises_too_much_is_damage() {
    let most = [0xff, 0xff, 0xff, 0xff, 0x0f];
    let big = |before: &[u8]| [before, &most[..], &[1, 2, 3, 4, 5, 6, 7, 8]].concat();
    for record in [
        big(&[0]),
        big(&[0, 1]),
        big(&[0, 1, 2]),
        big(&[0, 1, 2, 2]),
        big(&[2]),
        big(&[2, 1, 1, 1, 2]),
        big(&[3, 1, 1, 1, 2, 2, 0, 3, 4, 3, 5, 6]),
        big(&[4, 1, 1, 1, 2, 2, 0, 3, 4, 3, 5, 6, 4, 0, 9, 10]),
        big(&[4, 1, 1, 1, 2, 2, 0, 3, 4, 3, 5, 6, 4, 0, 9, 10, 0, 5, 0, 7, 8, 0]),
        [&[0, 1, 200][..], &[2; 200], &[1; 300]].concat(),
        vec![1, 1],
        vec![5, 1],
        vec![5, 1, 0],
        vec![5, 1, 8],
        vec![6, 1],
        vec![],
    ] {
        for dims in [&[2, 2][..], &[2, 2, 2], &[2, 2, 2, 2], &[2, 3]] {
            assert_eq!(is_harmless(&record, dims), None, "{record:?} as {dims:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lists_come_back_as_they_went((dims, orthos) in lists()) {
        let expected: Vec<Ortho> = orthos.iter().map(|cells| canonical(&dims, cells, WORDS)).collect();
        let record = list_record(&dims, &orthos);
        let found = read_record(&record, &expected[0].dims, WORDS).expect("record");
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn lists_lose_what_is_known((dims, orthos) in lists(), sum in 1u32..4) {
        let record = list_record(&dims, &orthos);
        let known = |cells: &&Vec<u32>| cells.iter().map(|&r| WORDS - 1 - r).sum::<u32>().is_multiple_of(sum);
        let sorted = canonical(&dims, &orthos[0], WORDS).dims;
        let (left, removed) = filtered(&record, &sorted, &Sums(sum));
        let expected: Vec<Ortho> =
            orthos.iter().filter(|o| !known(o)).map(|cells| canonical(&dims, cells, WORDS)).collect();
        prop_assert_eq!(left, expected);
        prop_assert_eq!(removed, orthos.iter().filter(known).cloned().collect::<Vec<_>>());
    }

    #[test]
    fn several_records_are_read_in_order((dims, orthos) in lists(), cut in 1usize..20) {
        let disk: Arc<dyn Disk> = Arc::new(FaultyDisk::default());
        let expected: Vec<Ortho> = orthos.iter().map(|cells| canonical(&dims, cells, WORDS)).collect();
        let writer = ResultsWriter::create(Path::new(RESULTS), 1 << 16, Arc::clone(&disk)).expect("writer");
        let lane = writer.lane();
        let mut bytes = 0;
        for part in orthos.chunks(cut) {
            let record = list_record(&dims, part);
            bytes += record.len() as u64;
            writer.push(lane, &expected[0].dims, 0, &record).expect("push");
        }
        prop_assert_eq!(writer.bytes(), bytes);
        writer.close().expect("close");
        let found = read(&disk, &expected[0].dims, WORDS, usize::MAX).expect("records");
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_bytes_are_harmless(
        kind in prop_oneof![Just(0u8), Just(2), Just(3), Just(4), Just(5)],
        count in 0u8..20,
        // Mostly operations and small numbers, so that the decoder gets somewhere.
        rest in prop::collection::vec(prop_oneof![3 => 0u8..6, 1 => any::<u8>()], 0..120),
    ) {
        let record = [&[kind, count][..], &rest].concat();
        let dims = if kind == 0 { vec![2, 3] } else { vec![2; usize::from(kind.min(4))] };
        is_harmless(&record, &dims);
    }
}
