//! Every ortho of a tiny text, straight from the definition: what stands in for the search in tests of what is around it.

use std::collections::{BTreeMap, BTreeSet};

use crate::ortho::{Ortho, canonical_cells};
use crate::text::{PhraseIndex, Token};

type Grid = BTreeMap<Vec<u32>, Token>;

fn fits(index: &PhraseIndex, at: &Grid, cell: &[u32], token: Token) -> bool {
    let shell: u32 = cell.iter().sum();
    let apart = at.iter().all(|(other, &used)| other.iter().sum::<u32>() != shell || used != token);
    apart
        && (0..cell.len()).filter(|&k| cell[k] > 0).all(|k| {
            let mut line: Vec<Token> = Vec::new();
            for x in 0..cell[k] {
                let mut below = cell.to_vec();
                below[k] = x;
                line.push(at[&below]);
            }
            line.push(token);
            index.phrase(&line).is_some()
        })
}

fn fill(index: &PhraseIndex, at: &mut Grid, todo: &[Vec<u32>], found: &mut dyn FnMut(&Grid)) {
    let Some((cell, rest)) = todo.split_first() else { return found(at) };
    for token in 0..index.interner().vocabulary_len() as Token {
        if fits(index, at, cell, token) {
            at.insert(cell.clone(), token);
            fill(index, at, rest, found);
            at.remove(cell);
        }
    }
}

fn canonical(dims: &[u32], at: &Grid) -> (Vec<u32>, Vec<Token>) {
    let unit = |k: usize| at[&(0..dims.len()).map(|i| u32::from(i == k)).collect::<Vec<u32>>()];
    let mut axes: Vec<usize> = (0..dims.len()).collect();
    axes.sort_by_key(|&k| (dims[k], unit(k)));
    let shape: Vec<u32> = axes.iter().map(|&k| dims[k]).collect();
    let tokens = canonical_cells(&shape).into_iter().map(|cell| {
        let mut own = vec![0; dims.len()];
        axes.iter().zip(cell).for_each(|(&k, x)| own[k] = x);
        at[&own]
    });
    let tokens = tokens.collect();
    (shape, tokens)
}

pub(crate) fn orthos(index: &PhraseIndex) -> Vec<Ortho> {
    let mut found: BTreeSet<(Vec<u32>, Vec<Token>)> = BTreeSet::new();
    let mut frontier = BTreeSet::new();
    fill(index, &mut Grid::new(), &canonical_cells(&[2, 2]), &mut |at| {
        frontier.insert(canonical(&[2, 2], at));
    });
    while !frontier.is_empty() {
        let mut grown = BTreeSet::new();
        for (shape, tokens) in &frontier {
            let at: Grid = canonical_cells(shape).into_iter().zip(tokens.iter().copied()).collect();
            let mut grow = |dims: &[u32], mut at: Grid| {
                let todo: Vec<_> =
                    canonical_cells(dims).into_iter().filter(|c| !at.contains_key(c)).collect();
                fill(index, &mut at, &todo, &mut |full| {
                    grown.insert(canonical(dims, full));
                });
            };
            for k in 0..shape.len() {
                let mut dims = shape.clone();
                dims[k] += 1;
                grow(&dims, at.clone());
            }
            let dims: Vec<u32> = shape.iter().copied().chain([2]).collect();
            grow(&dims, at.iter().map(|(c, &t)| (c.iter().copied().chain([0]).collect(), t)).collect());
        }
        found.append(&mut frontier);
        frontier = grown.into_iter().filter(|ortho| !found.contains(ortho)).collect();
    }
    found.into_iter().map(|(dims, tokens)| Ortho { dims, tokens }).collect()
}
