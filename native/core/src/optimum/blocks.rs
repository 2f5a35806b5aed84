//! From rows to grids of more rows and more axes: r x k with r >= 4, and 3x3xk.
//!
//! 3x3xk is a 3x3 grid of rows of which every line, in both directions, is a 3xk. Before these are joined, every 3xk
//! that cannot stand anywhere in such a grid is dropped: a line at place i of one direction needs, for each of its
//! rows, a crossing line that has this row at place i. Dropping lines makes others impossible, so it is repeated. On
//! text this leaves next to nothing.
//!
//! Memory: 3 bits and 12 bytes a 3xk besides the list itself, and what is found.

use std::collections::{BTreeSet, HashMap};

use super::corpus::{Corpus, Word};
use super::grid::Grid;
use super::rows::{Row, Triples, words};
use super::work::{Halt, Work};

/// Every r x k, from all 3xk; r >= 3.
pub(super) fn sheets(
    corpus: &Corpus,
    triples: &Triples,
    rows: usize,
    work: &Work<'_>,
) -> Result<Vec<Grid>, Halt> {
    let k = triples.k;
    let list = &triples.rows;
    let mut chains: Vec<Vec<Row>> = list.iter().map(|triple| triple.to_vec()).collect();
    for count in 4..=rows {
        let mut longer = vec![];
        for chain in &chains {
            work.check()?;
            let &[.., a, b] = &chain[..] else { continue };
            let from = list.partition_point(|triple| (triple[0], triple[1]) < (a, b));
            for triple in list[from..].iter().take_while(|triple| (triple[0], triple[1]) == (a, b)) {
                if goes_below(corpus, chain, triple[2], k) {
                    longer.push([&chain[..], &[triple[2]]].concat());
                }
            }
            work.check_room(longer.len(), count * 4 + 24)?;
        }
        chains = longer;
    }
    let dims = vec![rows as u32, k as u32];
    Ok(chains
        .iter()
        .map(|chain| Grid {
            dims: dims.clone(),
            words: chain.iter().flat_map(|&row| words(corpus, row, k)).copied().collect(),
        })
        .collect())
}

/// Whether a row can be below a chain of rows, the last two of which are a 3xk with it.
fn goes_below(corpus: &Corpus, chain: &[Row], row: Row, k: usize) -> bool {
    let below = words(corpus, row, k);
    let above: Vec<&[Word]> = chain.iter().map(|&row| words(corpus, row, k)).collect();
    let depth = above.len();
    (0..k).all(|column| {
        let distinct =
            above.iter().enumerate().all(|(i, row)| row.get(column + depth - i) != Some(&below[column]));
        distinct && {
            let line: Vec<Word> =
                above.iter().map(|row| row[column]).chain(std::iter::once(below[column])).collect();
            corpus.find(&line).is_some()
        }
    })
}

/// Every 3x3xk, from all 3xk.
pub(super) fn cubes(corpus: &Corpus, triples: &Triples, work: &Work<'_>) -> Result<Vec<Grid>, Halt> {
    let Peeled { lines, alive } = peel(&triples.rows, work)?;
    if lines.is_empty() {
        return Ok(vec![]);
    }
    let k = triples.k;
    let of = |place: u8| -> Vec<[Row; 3]> {
        let chosen = lines.iter().zip(&alive).filter(|(_, alive)| **alive >> place & 1 == 1);
        chosen.map(|(line, _)| *line).collect()
    };
    // Lines by their place in the grid; ascending, so those with the same first rows are neighbours.
    let [first, second, third] = [of(0), of(1), of(2)];
    let pairs = |lines: &[[Row; 3]]| -> HashMap<Row, Vec<Row>> {
        let mut pairs: HashMap<Row, Vec<Row>> = HashMap::new();
        for line in lines {
            let seconds = pairs.entry(line[0]).or_default();
            if seconds.last() != Some(&line[1]) {
                seconds.push(line[1]);
            }
        }
        pairs
    };
    let with = |lines: &'_ [[Row; 3]], a: Row, b: Row| -> Vec<Row> {
        let from = lines.partition_point(|line| (line[0], line[1]) < (a, b));
        let same = lines[from..].iter().take_while(|line| (line[0], line[1]) == (a, b));
        same.map(|line| line[2]).collect()
    };
    // u and v are in one shell (or so many apart), shifted against each other.
    let apart = |a: Row, b: Row, shells: usize| {
        let (a, b) = (words(corpus, a, k), words(corpus, b, k));
        a[shells.min(k)..].iter().zip(b).all(|(x, y)| x != y)
    };
    let middles = pairs(&second);
    let none = vec![];
    let mut found = BTreeSet::new();
    let starts = pairs(&first);
    let mut corners: Vec<&Row> = starts.keys().collect();
    corners.sort_unstable();
    for &x in corners {
        let around = &starts[&x];
        for (i, &u) in around.iter().enumerate() {
            work.check()?;
            let above_u = middles.get(&u).unwrap_or(&none);
            for &v in &around[i + 1..] {
                let above_v = middles.get(&v).unwrap_or(&none);
                if above_u.is_empty() || above_v.is_empty() || !apart(u, v, 0) {
                    continue;
                }
                for &w in above_u.iter().filter(|w| above_v.binary_search(w).is_ok()) {
                    if !apart(x, w, 2) {
                        continue;
                    }
                    // Rows (i, j): (0, 0) is x, (1, 0) is u, (0, 1) is v, (1, 1) is w.
                    for &r20 in &with(&first, x, u) {
                        for &r21 in &with(&second, v, w) {
                            let r22_of_row = with(&third, r20, r21);
                            if r22_of_row.is_empty() {
                                continue;
                            }
                            for &r02 in &with(&first, x, v) {
                                for &r12 in &with(&second, u, w) {
                                    let r22_of_column = with(&third, r02, r12);
                                    for r22 in r22_of_row.iter().filter(|r| r22_of_column.contains(r)) {
                                        let grid = [x, v, r02, u, w, r12, r20, r21, *r22];
                                        found.extend(sound(corpus, grid, k));
                                        work.check_room(found.len(), 9 * k * 4 + 64)?;
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// The grid of nine rows whose lines are sound, if its shells are.
fn sound(corpus: &Corpus, rows: [Row; 9], k: usize) -> Option<Grid> {
    let grid: Vec<Word> = rows.iter().flat_map(|&row| words(corpus, row, k)).copied().collect();
    let mut shells: Vec<(usize, Word)> =
        grid.iter().enumerate().map(|(at, &word)| (at / k / 3 + at / k % 3 + at % k, word)).collect();
    shells.sort_unstable();
    let distinct = shells.windows(2).all(|pair| pair[0] != pair[1]);
    distinct.then(|| Grid { dims: vec![3, 3, k as u32], words: grid }.sorted())
}

/// Lines that may be in a grid of rows, and at which places, as three bits.
struct Peeled {
    lines: Vec<[Row; 3]>,
    alive: Vec<u8>,
}

fn peel(lines: &[[Row; 3]], work: &Work<'_>) -> Result<Peeled, Halt> {
    // Rows by dense numbers.
    let mut rows: Vec<Row> = lines.iter().flatten().copied().collect();
    rows.sort_unstable();
    rows.dedup();
    work.check_room(lines.len() + rows.len() * 3, 12)?;
    let number = |row: Row| rows.partition_point(|&other| other < row) as u32;
    let mut lines: Vec<[u32; 3]> = lines.iter().map(|line| line.map(number)).collect();
    let mut alive = vec![0b111_u8; lines.len()];
    // For each row, how many living lines of place j have it at place i: entry 3 j + i.
    let mut crossing: Vec<[u32; 9]> = vec![[0; 9]; rows.len()];
    for line in &lines {
        for (i, &row) in line.iter().enumerate() {
            for j in 0..3 {
                crossing[row as usize][3 * j + i] += 1;
            }
        }
    }
    loop {
        work.check()?;
        let mut dropped = 0;
        for (line, alive) in lines.iter().zip(&mut alive) {
            for place in (0..3).filter(|place| *alive >> place & 1 == 1).collect::<Vec<usize>>() {
                // At j, a line of place j crosses that has the row at this place: another one, not itself.
                let stays = line
                    .iter()
                    .enumerate()
                    .all(|(j, &row)| crossing[row as usize][3 * j + place] > u32::from(j == place));
                if !stays {
                    *alive &= !(1 << place);
                    dropped += 1;
                    for (i, &row) in line.iter().enumerate() {
                        crossing[row as usize][3 * place + i] -= 1;
                    }
                }
            }
        }
        let mut keep = alive.iter().map(|&alive| alive != 0);
        lines.retain(|_| keep.next().unwrap_or(false));
        alive.retain(|&alive| alive != 0);
        if dropped == 0 {
            break;
        }
    }
    Ok(Peeled { lines: lines.into_iter().map(|line| line.map(|row| rows[row as usize])).collect(), alive })
}
