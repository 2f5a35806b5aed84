//! Every ortho of some sentences, straight from section 2 of the specification.
//!
//! An oracle, not an algorithm: it grows each ortho by any axis in any orientation, keeps what satisfies the definition
//! and lets a set remove the copies. It shares no idea with the search, so the two can check each other.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use fold_core::ortho::Ortho;
use fold_core::text::Token;

type Cell = Vec<u32>;
type Found = (Vec<u32>, Vec<Token>);

/// All canonical orthos in ascending order; words are numbered by their place in the sorted vocabulary. `None` if that
/// would fill more than `most` cells.
pub(crate) fn orthos(sentences: &[Vec<String>], most: u64) -> Option<Vec<Ortho>> {
    let words: BTreeSet<&String> = sentences.iter().flatten().collect();
    let tokens: HashMap<&String, Token> = words.into_iter().zip(0..).collect();
    let mut follow: HashMap<Vec<Token>, BTreeSet<Token>> = HashMap::new();
    for sentence in sentences {
        let sentence: Vec<Token> = sentence.iter().map(|word| tokens[word]).collect();
        for from in 0..sentence.len() {
            for to in from + 1..sentence.len() {
                follow.entry(sentence[from..to].to_vec()).or_default().insert(sentence[to]);
            }
        }
    }
    let vocabulary = follow.keys().filter(|run| run.len() == 1).map(|run| run[0]).collect();
    let mut oracle = Oracle { follow, vocabulary, grids: HashMap::new(), left: most };

    let mut found: HashSet<Found> = HashSet::new();
    let mut frontier: HashSet<Found> = HashSet::new();
    oracle.grow(&[2, 2], None, &mut frontier)?;
    while !frontier.is_empty() {
        let mut grown = HashSet::new();
        for (dims, tokens) in &frontier {
            for axis in 0..dims.len() {
                let mut longer = dims.clone();
                longer[axis] += 1;
                oracle.grow(&longer, Some((dims, tokens)), &mut grown)?;
            }
            oracle.grow(&[&dims[..], &[2]].concat(), Some((dims, tokens)), &mut grown)?;
        }
        found.extend(frontier);
        frontier = grown.into_iter().filter(|ortho| !found.contains(ortho)).collect();
    }
    let mut all: Vec<Ortho> = found.into_iter().map(|(dims, tokens)| Ortho { dims, tokens }).collect();
    all.sort_by(|a, b| (&a.dims, &a.tokens).cmp(&(&b.dims, &b.tokens)));
    Some(all)
}

/// The cells of a shape in fill order, with what the definition asks of each.
struct Grid {
    cells: Vec<Cell>,
    place: HashMap<Cell, usize>,
    /// For each cell its lines: the places of the cells before it along an axis.
    lines: Vec<Vec<Vec<usize>>>,
    /// For each cell the other cells of its shell.
    shells: Vec<Vec<usize>>,
}

impl Grid {
    fn new(dims: &[u32]) -> Self {
        let cells = cells_of(dims);
        let place: HashMap<Cell, usize> = cells.iter().cloned().zip(0..).collect();
        let line = |cell: &Cell, axis: usize| -> Vec<usize> {
            let before = |i| {
                let mut on = cell.clone();
                on[axis] = i;
                place[&on]
            };
            (0..cell[axis]).map(before).collect()
        };
        let lines_of =
            |cell: &Cell| (0..dims.len()).filter(|&k| cell[k] > 0).map(|k| line(cell, k)).collect();
        let lines = cells.iter().map(lines_of).collect();
        let sum = |place: usize| cells[place].iter().sum::<u32>();
        let all = 0..cells.len();
        let shell = |cell| all.clone().filter(|&other| other != cell && sum(other) == sum(cell)).collect();
        let shells = all.clone().map(shell).collect();
        Self { cells, place, lines, shells }
    }
}

struct Oracle {
    /// For each run of words what follows it.
    follow: HashMap<Vec<Token>, BTreeSet<Token>>,
    vocabulary: BTreeSet<Token>,
    grids: HashMap<Vec<u32>, Rc<Grid>>,
    left: u64,
}

impl Oracle {
    fn grid(&mut self, dims: &[u32]) -> Rc<Grid> {
        Rc::clone(self.grids.entry(dims.to_vec()).or_insert_with(|| Rc::new(Grid::new(dims))))
    }

    /// All ways to complete a grid, of which a smaller one at the origin (perhaps with an axis less) is filled.
    fn grow(
        &mut self,
        dims: &[u32],
        from: Option<(&[u32], &[Token])>,
        out: &mut HashSet<Found>,
    ) -> Option<()> {
        let grid = self.grid(dims);
        let mut at: Vec<Option<Token>> = vec![None; grid.cells.len()];
        if let Some((smaller, tokens)) = from {
            for (cell, &token) in self.grid(smaller).cells.iter().zip(tokens) {
                let mut cell = cell.clone();
                cell.resize(dims.len(), 0);
                at[grid.place[&cell]] = Some(token);
            }
        }
        let todo: Vec<usize> = (0..at.len()).filter(|&place| at[place].is_none()).collect();
        self.fill(dims, &grid, &mut at, &todo, out)
    }

    fn fill(
        &mut self,
        dims: &[u32],
        grid: &Grid,
        at: &mut [Option<Token>],
        todo: &[usize],
        out: &mut HashSet<Found>,
    ) -> Option<()> {
        let Some((&cell, rest)) = todo.split_first() else {
            let axes = canonical_axes(dims, grid, at);
            let shape: Vec<u32> = axes.iter().map(|&axis| dims[axis]).collect();
            let turned_grid = self.grid(&shape);
            let tokens = turned_grid.cells.iter().filter_map(|turned| {
                let mut cell = vec![0; dims.len()];
                for (&x, &axis) in turned.iter().zip(&axes) {
                    cell[axis] = x;
                }
                at[grid.place[&cell]]
            });
            out.insert((shape, tokens.collect()));
            return Some(());
        };
        let mut options: Option<BTreeSet<Token>> = None;
        for line in &grid.lines[cell] {
            let line: Option<Vec<Token>> = line.iter().map(|&before| at[before]).collect();
            let Some(next) = line.and_then(|line| self.follow.get(&line)) else { return Some(()) };
            options = Some(options.map_or_else(|| next.clone(), |o| o.intersection(next).copied().collect()));
        }
        for token in options.unwrap_or_else(|| self.vocabulary.clone()) {
            if grid.shells[cell].iter().all(|&other| at[other] != Some(token)) {
                self.left = self.left.checked_sub(1)?;
                at[cell] = Some(token);
                self.fill(dims, grid, at, rest, out)?;
                at[cell] = None;
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

/// The order of the axes in the one representative of an ortho under their permutations.
fn canonical_axes(dims: &[u32], grid: &Grid, at: &[Option<Token>]) -> Vec<usize> {
    let unit = |axis: usize| {
        let mut cell = vec![0; dims.len()];
        cell[axis] = 1;
        at[grid.place[&cell]]
    };
    let mut axes: Vec<usize> = (0..dims.len()).collect();
    axes.sort_by_key(|&axis| (dims[axis], unit(axis)));
    axes
}
