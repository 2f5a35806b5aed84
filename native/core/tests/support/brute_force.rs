//! Every ortho of some sentences, straight from section 2 of the specification.
//!
//! An oracle, not an algorithm: it grows each ortho by any axis in any orientation, keeps what satisfies the definition
//! and lets a set remove the copies. It shares no idea with the search, so the two can check each other.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use fold_core::ortho::Ortho;
use fold_core::text::Token;

type Cell = Vec<u32>;
type Found = (Vec<u32>, Vec<Token>);

/// All canonical orthos in ascending order; words are numbered by their place in the sorted vocabulary. `None` if that
/// would fill more than `most` cells.
pub(crate) fn orthos(sentences: &[Vec<String>], most: u64) -> Option<Vec<Ortho>> {
    let words: BTreeSet<&String> = sentences.iter().flatten().collect();
    let tokens: HashMap<&String, Token> = words.into_iter().zip(0..).collect();
    let mut oracle = Oracle { follow: HashMap::new(), vocabulary: BTreeSet::new(), left: most };
    for sentence in sentences {
        let sentence: Vec<Token> = sentence.iter().map(|word| tokens[word]).collect();
        for from in 0..sentence.len() {
            for to in from + 1..sentence.len() {
                oracle.follow.entry(sentence[from..to].to_vec()).or_default().insert(sentence[to]);
            }
        }
    }
    oracle.vocabulary = oracle.follow.keys().filter(|run| run.len() == 1).map(|run| run[0]).collect();

    let mut found: HashSet<Found> = HashSet::new();
    let mut frontier: HashSet<Found> = HashSet::new();
    oracle.grow(&[2, 2], BTreeMap::new(), &mut frontier)?;
    while !frontier.is_empty() {
        let mut grown = HashSet::new();
        for (dims, tokens) in &frontier {
            let at: BTreeMap<Cell, Token> = cells_of(dims).into_iter().zip(tokens.iter().copied()).collect();
            for axis in 0..dims.len() {
                let mut longer = dims.clone();
                longer[axis] += 1;
                oracle.grow(&longer, at.clone(), &mut grown)?;
            }
            let mut wider = dims.clone();
            wider.push(2);
            let base = at.into_iter().map(|(mut cell, token)| {
                cell.push(0);
                (cell, token)
            });
            oracle.grow(&wider, base.collect(), &mut grown)?;
        }
        found.extend(frontier);
        frontier = grown.into_iter().filter(|ortho| !found.contains(ortho)).collect();
    }
    let mut all: Vec<Ortho> = found.into_iter().map(|(dims, tokens)| Ortho { dims, tokens }).collect();
    all.sort_by(|a, b| (&a.dims, &a.tokens).cmp(&(&b.dims, &b.tokens)));
    Some(all)
}

struct Oracle {
    /// For each run of words what follows it.
    follow: HashMap<Vec<Token>, BTreeSet<Token>>,
    vocabulary: BTreeSet<Token>,
    left: u64,
}

impl Oracle {
    /// All ways to complete a grid of which some cells are filled.
    fn grow(&mut self, dims: &[u32], mut at: BTreeMap<Cell, Token>, out: &mut HashSet<Found>) -> Option<()> {
        let todo: Vec<Cell> = cells_of(dims).into_iter().filter(|cell| !at.contains_key(cell)).collect();
        self.fill(dims, &mut at, &todo, out)
    }

    fn fill(
        &mut self,
        dims: &[u32],
        at: &mut BTreeMap<Cell, Token>,
        todo: &[Cell],
        out: &mut HashSet<Found>,
    ) -> Option<()> {
        let Some((cell, rest)) = todo.split_first() else {
            out.insert(canonical(dims, at));
            return Some(());
        };
        let mut options: Option<BTreeSet<Token>> = None;
        for (axis, &x) in cell.iter().enumerate().filter(|(_, x)| **x > 0) {
            let line: Vec<Token> = (0..x)
                .map(|i| {
                    let mut before = cell.clone();
                    before[axis] = i;
                    at[&before]
                })
                .collect();
            let Some(next) = self.follow.get(&line) else { return Some(()) };
            options = Some(options.map_or_else(|| next.clone(), |o| o.intersection(next).copied().collect()));
        }
        let sum = |c: &Cell| c.iter().sum::<u32>();
        let shell: Vec<Token> =
            at.iter().filter(|(c, _)| sum(c) == sum(cell)).map(|(_, &token)| token).collect();
        for token in options.unwrap_or_else(|| self.vocabulary.clone()) {
            if !shell.contains(&token) {
                self.left = self.left.checked_sub(1)?;
                at.insert(cell.clone(), token);
                self.fill(dims, at, rest, out)?;
                at.remove(cell);
            }
        }
        Some(())
    }
}

/// Cells in fill order: by shell, then lexicographically.
pub(crate) fn cells_of(dims: &[u32]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = vec![vec![]];
    for &d in dims {
        cells = cells.iter().flat_map(|cell| (0..d).map(|x| [&cell[..], &[x]].concat())).collect();
    }
    cells.sort_by_key(|cell| (cell.iter().sum::<u32>(), cell.clone()));
    cells
}

/// The one representative of an ortho under permutations of its axes.
fn canonical(dims: &[u32], at: &BTreeMap<Cell, Token>) -> Found {
    let unit = |axis: usize| {
        let mut cell = vec![0; dims.len()];
        cell[axis] = 1;
        at[&cell]
    };
    let mut axes: Vec<usize> = (0..dims.len()).collect();
    axes.sort_by_key(|&axis| (dims[axis], unit(axis)));
    let shape: Vec<u32> = axes.iter().map(|&axis| dims[axis]).collect();
    let tokens = cells_of(&shape)
        .iter()
        .map(|cell| {
            let mut turned = vec![0; dims.len()];
            for (place, &axis) in axes.iter().enumerate() {
                turned[axis] = cell[place];
            }
            at[&turned]
        })
        .collect();
    (shape, tokens)
}
