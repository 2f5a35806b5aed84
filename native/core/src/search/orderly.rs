//! The plain search: grows orthos one layer at a time, each from its one parent (orderly generation, McKay 1998).
//!
//! It knows every shape and needs hardly any memory: what one chain of parents takes. It finds all orthos with an axis
//! longer than two, which are few; and cubes where the fast search has no room for its tables, or more than five axes.
//!
//! Every ortho is reached once. A cube is grown by axes of descending rank. An ortho with a longest axis of 3 and all
//! others 2 is grown from its long line by axes of descending rank. Any other is grown from the one that lacks the last
//! layer of a longest axis (of several, the one with the greatest token at its unit cell). What lacks a last layer is
//! an ortho too, so nothing is missed.
//!
//! Cost: for each parent, a backtracking fill of a layer; a cell's candidates come from its shortest list.

use std::collections::HashMap;
use std::rc::Rc;

use crate::error::Result;
use crate::ortho::Dims;
use crate::results::{Rank, Ranks};
use crate::text::{Phrase, PhraseIndex, Token};

use super::Stop;

/// An ortho in grown form with the phrase that ends at each cell along each axis.
#[derive(Debug, Clone)]
struct Grown {
    dims: Dims,
    tokens: Vec<Token>,
    /// `cell * axes + axis`; of single words where the coordinate is 0. None for cubes, which are never lengthened here.
    phrases: Vec<Phrase>,
}

/// How a parent becomes a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Action {
    /// One more axis of length two.
    AddAxis,
    /// One more layer on this axis.
    Lengthen(usize),
}

/// One cell of a new layer.
#[derive(Debug)]
struct PlanCell {
    at: usize,
    /// For each axis with a coordinate above 0: the axis, the cell before, and that coordinate.
    before: Vec<(usize, usize, u32)>,
    /// Cells of the same shell that are filled earlier.
    rivals: Vec<usize>,
}

/// Where everything goes when a shape grows by an action.
#[derive(Debug)]
struct Plan {
    dims: Dims,
    /// The new place of each old cell.
    moved: Vec<usize>,
    layer: Vec<PlanCell>,
}

impl Plan {
    fn new(old: &[u32], action: Action) -> Self {
        let mut dims = old.to_vec();
        let axis = match action {
            Action::AddAxis => {
                dims.push(2);
                old.len()
            }
            Action::Lengthen(axis) => {
                dims[axis] += 1;
                axis
            }
        };
        let cells: usize = dims.iter().map(|&d| d as usize).product();
        let mut moved = vec![];
        let mut layer = vec![];
        let mut shells: HashMap<u32, Vec<usize>> = HashMap::new();
        let mut place = vec![0u32; dims.len()];
        for at in 0..cells {
            let mut rest = at;
            for (x, &d) in place.iter_mut().zip(&dims) {
                *x = (rest % d as usize) as u32;
                rest /= d as usize;
            }
            if place[axis] + 1 < dims[axis] {
                moved.push(at);
                shells.entry(place.iter().sum()).or_default().push(at);
            } else {
                let mut stride = 1;
                let mut before = vec![];
                for (k, &d) in dims.iter().enumerate() {
                    if place[k] > 0 {
                        before.push((k, at - stride, place[k]));
                    }
                    stride *= d as usize;
                }
                layer.push((PlanCell { at, before, rivals: vec![] }, place.iter().sum::<u32>()));
            }
        }
        let layer = layer
            .into_iter()
            .map(|(mut cell, shell)| {
                let peers = shells.entry(shell).or_default();
                cell.rivals.clone_from(peers);
                peers.push(cell.at);
                cell
            })
            .collect();
        Self { dims, moved, layer }
    }
}

impl Plan {
    /// Whether the first cells of a new axis' layer, which are fine over a part of the parent, cannot stand over all of
    /// it as a shell would have a word twice.
    fn clashes(&self, parent: &[Token], layer: &[Token]) -> bool {
        layer.iter().zip(&self.layer).any(|(token, cell)| {
            cell.rivals.iter().any(|&rival| parent.get(rival).is_some_and(|other| other == token))
        })
    }
}

/// The backtracking fill of one layer.
#[derive(Debug)]
struct Fill {
    plan: Rc<Plan>,
    /// The first cell's rank must be below this.
    below: Rank,
    grown: Grown,
    /// For each layer cell reached: its candidates, and how many were tried.
    candidates: Vec<(Vec<Token>, usize)>,
    depth: usize,
    /// Layer cells before this one are given.
    floor: usize,
}

/// A parent whose children are being made.
#[derive(Debug)]
struct Frame {
    grown: Grown,
    actions: Vec<Action>,
    fill: Option<Fill>,
}

/// Plans of more cells than this are made anew each time, so that a family of long shapes does not fill the memory.
const CACHED_CELLS: usize = 256;

/// See the [module](self). One for each thread.
#[derive(Debug)]
pub(super) struct Orderly<'a> {
    index: &'a PhraseIndex,
    ranks: &'a Ranks,
    stop: &'a Stop,
    /// Most axes that are looked for.
    axes: u32,
    plans: HashMap<(Dims, Action), Rc<Plan>>,
    ranked: Vec<Rank>,
}

/// What is given every ortho found, in grown form as ranks.
pub(super) type Sink<'s> = &'s mut dyn FnMut(&[u32], &[Rank]) -> Result<()>;

/// Puts the places of the later layers that the one at a place may be joined with into the list.
pub(super) type Joinable<'s> = &'s mut dyn FnMut(usize, &mut Vec<usize>);

impl<'a> Orderly<'a> {
    pub(super) fn new(index: &'a PhraseIndex, ranks: &'a Ranks, stop: &'a Stop, axes: u32) -> Self {
        Self { index, ranks, stop, axes, plans: HashMap::new(), ranked: vec![] }
    }

    /// All cubes with more axes than the given grown cube (a single edge of two cells counts as one), of which it is
    /// the part on the first axes.
    pub(super) fn cubes_from(&mut self, cells: &[Rank], sink: Sink<'_>) -> Result<()> {
        let root = self.grown(&vec![2; cells.len().ilog2() as usize], cells);
        self.grow(root, sink)
    }

    /// All orthos with an axis longer than two that have a long first line that starts with these words, whose phrase is
    /// given.
    pub(super) fn long_from(&mut self, line: [Rank; 3], trigram: Phrase, sink: Sink<'_>) -> Result<()> {
        let [o, a, z] = line.map(|r| self.ranks.token(r));
        let Some(bigram) = self.index.bigram(o, a).map(|id| self.index.bigram_phrase(id)) else {
            return Ok(());
        };
        // Cells 1 and 2 are of different shells, so only shell 0 and what comes later can clash.
        let phrases = vec![self.index.word_phrase(o), bigram, trigram];
        self.grow(Grown { dims: vec![3], tokens: vec![o, a, z], phrases }, sink)
    }

    /// All orthos that grow out of this one (with a first axis of 3 and all others 2) by layers alone.
    pub(super) fn layers_from(&mut self, dims: &[u32], cells: &[Rank], sink: Sink<'_>) -> Result<()> {
        let root = self.grown(dims, cells);
        let mut lengthen = actions(&root);
        lengthen.retain(|&action| action != Action::AddAxis);
        self.run(root, lengthen, sink)
    }

    /// All orthos that grow out of this one (with a first axis of 3 and all others 2) by another axis at first.
    pub(super) fn axes_from(&mut self, dims: &[u32], cells: &[Rank], sink: Sink<'_>) -> Result<()> {
        if dims.len() as u32 >= self.axes {
            return Ok(());
        }
        let root = self.grown(dims, cells);
        self.run(root, vec![Action::AddAxis], sink)
    }

    /// All orthos with two or more axes more than `base`, whose further axes are all of two at first, by joining its
    /// *layers*: every ortho of one axis of two more than `base`, each given by the cells that it has more, by
    /// descending rank of its axis. Those themselves are not given to the sink. `joinable` lists the later ones that one may be
    /// joined with.
    ///
    /// What has two more axes is over two such layers, so only the corner above both has to be filled; what has three
    /// is over two of these that share the first, and so on.
    ///
    /// Memory: the layers of one chain of parents, each list of at most `most` cells; beyond that, the plain way.
    pub(super) fn join_layers(
        &mut self,
        dims: &[u32],
        base: &[Rank],
        layers: &[&[Rank]],
        joinable: Joinable<'_>,
        most: usize,
        sink: Sink<'_>,
    ) -> Result<()> {
        let base = self.grown(dims, base);
        let layers: Vec<Vec<Token>> =
            layers.iter().map(|layer| layer.iter().map(|&r| self.ranks.token(r)).collect()).collect();
        self.join(&base, &layers, Some(joinable), most, sink)
    }

    fn join(
        &mut self,
        base: &Grown,
        layers: &[Vec<Token>],
        mut given: Option<Joinable<'_>>,
        most: usize,
        sink: Sink<'_>,
    ) -> Result<()> {
        // With one more axis they were given; with two more is what is looked for.
        if base.dims.len() as u32 + 1 + u32::from(given.is_some()) > self.axes {
            return Ok(());
        }
        let mut later = vec![];
        for (i, layer) in layers.iter().enumerate() {
            self.stop.check()?;
            later.clear();
            match &mut given {
                None => later.extend(i + 1..layers.len()),
                Some(joinable) => {
                    joinable(i, &mut later);
                    if later.is_empty() {
                        continue;
                    }
                }
            }
            let Some(child) = self.with_layer(base, layer) else { continue };
            if given.is_none() {
                self.give(&child, sink)?;
                let mut lengthen = actions(&child);
                lengthen.retain(|&action| action != Action::AddAxis);
                if !lengthen.is_empty() {
                    self.run(child.clone(), lengthen, sink)?;
                }
            }
            let mut above = vec![];
            let mut overflow = false;
            let plan = self.plan(&child.dims, Action::AddAxis);
            for other in later.iter().map(|&j| &layers[j]) {
                if other[0] == layer[0] || plan.clashes(&child.tokens, other) {
                    continue;
                }
                self.stop.check()?;
                let Some(mut fill) = self.start(&child, Action::AddAxis, other) else { continue };
                while let Some(full) = self.advance(&mut fill) {
                    overflow |= above.len() * full.tokens.len() > most * 2;
                    above.push(full.tokens[child.tokens.len()..].to_vec());
                    if overflow {
                        break;
                    }
                }
                if overflow {
                    break;
                }
            }
            if overflow {
                self.run(child, vec![Action::AddAxis], sink)?;
            } else if !above.is_empty() {
                self.join(&child, &above, None, most, sink)?;
            }
        }
        // What was cut short is not done.
        self.stop.check()
    }

    /// The ortho with one axis of two more, whose second half is given.
    fn with_layer(&mut self, base: &Grown, layer: &[Token]) -> Option<Grown> {
        let last = layer.len() - 1;
        let mut fill = self.start(base, Action::AddAxis, &layer[..last])?;
        self.put(&mut fill, last, layer[last]);
        Some(fill.grown)
    }

    fn give(&mut self, grown: &Grown, sink: Sink<'_>) -> Result<()> {
        self.ranked.clear();
        self.ranked.extend(grown.tokens.iter().map(|&t| self.ranks.rank(t)));
        sink(&grown.dims, &self.ranked)
    }

    /// An ortho given by its cells, with the phrases of its lines.
    fn grown(&self, dims: &[u32], cells: &[Rank]) -> Grown {
        let tokens: Vec<Token> = cells.iter().map(|&r| self.ranks.token(r)).collect();
        if dims.iter().all(|&d| d == 2) {
            return Grown { dims: dims.to_vec(), tokens, phrases: vec![] };
        }
        let mut phrases = Vec::with_capacity(cells.len() * dims.len());
        for (at, &token) in tokens.iter().enumerate() {
            let mut stride = 1;
            for (axis, &d) in dims.iter().enumerate() {
                let line = if at / stride % d as usize == 0 {
                    None
                } else {
                    let before: Phrase = phrases[(at - stride) * dims.len() + axis];
                    self.index.extend(before, token)
                };
                phrases.push(line.unwrap_or_else(|| self.index.word_phrase(token)));
                stride *= d as usize;
            }
        }
        Grown { dims: dims.to_vec(), tokens, phrases }
    }

    fn actions(&self, grown: &Grown) -> Vec<Action> {
        let mut actions = actions(grown);
        if grown.dims.len() as u32 >= self.axes {
            actions.retain(|&action| action != Action::AddAxis);
        }
        actions
    }

    fn grow(&mut self, root: Grown, sink: Sink<'_>) -> Result<()> {
        let first = self.actions(&root);
        self.run(root, first, sink)
    }

    fn run(&mut self, root: Grown, first: Vec<Action>, sink: Sink<'_>) -> Result<()> {
        let mut stack = vec![Frame { actions: first, grown: root, fill: None }];
        while let Some(frame) = stack.last_mut() {
            self.stop.check()?;
            match self.next_child(frame) {
                None => {
                    stack.pop();
                }
                Some(child) => {
                    self.give(&child, sink)?;
                    stack.push(Frame { actions: self.actions(&child), grown: child, fill: None });
                }
            }
        }
        // What was cut short is not done.
        self.stop.check()
    }

    fn next_child(&mut self, frame: &mut Frame) -> Option<Grown> {
        loop {
            if let Some(fill) = &mut frame.fill {
                if let Some(child) = self.advance(fill) {
                    return Some(child);
                }
                frame.fill = None;
            }
            let action = frame.actions.pop()?;
            frame.fill = self.start(&frame.grown, action, &[]);
        }
    }

    /// Prepares the fill of a layer whose first cells are given, perhaps none of them; `None` if a look at the lines or
    /// the given cells says that there can be none.
    fn start(&mut self, grown: &Grown, action: Action, given: &[Token]) -> Option<Fill> {
        let axes = grown.dims.len();
        let mut below = Rank::MAX;
        match action {
            Action::Lengthen(axis) => {
                let stride: usize = grown.dims[..axis].iter().map(|&d| d as usize).product();
                let last = grown.dims[axis] as usize - 1;
                let ends = (0..grown.tokens.len()).filter(|cell| cell / stride % (last + 1) == last);
                for cell in ends {
                    if !self.index.can_extend(grown.phrases[cell * axes + axis]) {
                        return None;
                    }
                }
            }
            Action::AddAxis => {
                // Every cell gets one above it.
                if grown.tokens.iter().any(|&token| self.index.successors(token).is_empty()) {
                    return None;
                }
                // The last axis of length two was added last, and is the commonest.
                let unit = grown.tokens.len() / 2;
                if grown.dims[axes - 1] == 2 {
                    below = self.ranks.rank(grown.tokens[unit]);
                }
            }
        }
        let plan = self.plan(&grown.dims, action);
        let cells = plan.moved.len() + plan.layer.len();
        let axes_new = plan.dims.len();
        let mut tokens = vec![Token::MAX; cells];
        let keeps_phrases = !grown.phrases.is_empty();
        let none = Phrase { lo: 0, hi: 0, len: 0 };
        let mut phrases = vec![none; if keeps_phrases { cells * axes_new } else { 0 }];
        for (from, &to) in plan.moved.iter().enumerate() {
            tokens[to] = grown.tokens[from];
            if keeps_phrases {
                phrases[to * axes_new..to * axes_new + axes]
                    .copy_from_slice(&grown.phrases[from * axes..(from + 1) * axes]);
                if axes_new > axes {
                    phrases[to * axes_new + axes] = self.index.word_phrase(tokens[to]);
                }
            }
        }
        let mut fill = Fill {
            grown: Grown { dims: plan.dims.clone(), tokens, phrases },
            below,
            candidates: vec![],
            depth: 0,
            floor: 0,
            plan,
        };
        if given.is_empty() {
            self.fill_candidates(&mut fill);
            return Some(fill);
        }
        for (depth, &token) in given.iter().enumerate() {
            let cell = &fill.plan.layer[depth];
            if cell.rivals.iter().any(|&rival| fill.grown.tokens[rival] == token) {
                return None;
            }
            self.put(&mut fill, depth, token);
        }
        fill.floor = given.len();
        fill.depth = given.len();
        self.fill_candidates(&mut fill);
        Some(fill)
    }

    /// Puts a token into a cell of the layer; all lines must go on with it.
    fn put(&self, fill: &mut Fill, depth: usize, token: Token) {
        let Fill { plan, grown, .. } = fill;
        let cell = &plan.layer[depth];
        grown.tokens[cell.at] = token;
        if grown.phrases.is_empty() {
            return;
        }
        let axes = grown.dims.len();
        for axis in 0..axes {
            grown.phrases[cell.at * axes + axis] = self.index.word_phrase(token);
        }
        for &(axis, before, _) in &cell.before {
            let line = grown.phrases[before * axes + axis];
            if let Some(longer) = self.index.extend(line, token) {
                grown.phrases[cell.at * axes + axis] = longer;
            }
        }
    }

    fn plan(&mut self, dims: &[u32], action: Action) -> Rc<Plan> {
        let key = (dims.to_vec(), action);
        if let Some(plan) = self.plans.get(&key) {
            return Rc::clone(plan);
        }
        let plan = Rc::new(Plan::new(dims, action));
        if plan.moved.len() <= CACHED_CELLS {
            self.plans.insert(key, Rc::clone(&plan));
        }
        plan
    }

    /// The next complete layer, or `None` when all were given, or when the search is to stop: between two complete
    /// layers can be any number of dead ends.
    fn advance(&self, fill: &mut Fill) -> Option<Grown> {
        loop {
            if self.stop.is_requested() {
                return None;
            }
            let depth = fill.depth;
            let (candidates, tried) = &mut fill.candidates[depth];
            let Some(&token) = candidates.get(*tried) else {
                if depth <= fill.floor {
                    return None;
                }
                fill.depth = depth - 1;
                continue;
            };
            *tried += 1;
            self.put(fill, depth, token);
            if depth + 1 == fill.plan.layer.len() {
                return Some(fill.grown.clone());
            }
            fill.depth += 1;
            self.fill_candidates(fill);
        }
    }

    /// Puts the candidates of the cell at the current depth in their place.
    fn fill_candidates(&self, fill: &mut Fill) {
        let depth = fill.depth;
        if fill.candidates.len() <= depth {
            fill.candidates.resize_with(depth + 1, Default::default);
        }
        let mut list = std::mem::take(&mut fill.candidates[depth].0);
        list.clear();
        let cell = &fill.plan.layer[depth];
        let Grown { dims, tokens, phrases } = &fill.grown;
        let axes = dims.len();
        let width = |&(axis, before, coordinate): &(usize, usize, u32)| {
            if coordinate == 1 {
                self.index.successors(tokens[before]).len() as u32
            } else {
                let line = phrases[before * axes + axis];
                line.hi - line.lo
            }
        };
        if let Some(shortest) = (0..cell.before.len()).min_by_key(|&i| width(&cell.before[i])) {
            let follows = |&(axis, before, coordinate): &(usize, usize, u32), token: Token| {
                if coordinate == 1 {
                    self.index.successors(tokens[before]).binary_search(&token).is_ok()
                } else {
                    self.index.extend(phrases[before * axes + axis], token).is_some()
                }
            };
            let fits = |token: Token| {
                (depth > 0 || self.ranks.rank(token) < fill.below)
                    && cell.rivals.iter().all(|&rival| tokens[rival] != token)
                    && cell.before.iter().enumerate().all(|(i, line)| i == shortest || follows(line, token))
            };
            let (axis, before, coordinate) = cell.before[shortest];
            if coordinate == 1 {
                list.extend(self.index.successors(tokens[before]).iter().copied().filter(|&t| fits(t)));
            } else {
                let line = phrases[before * axes + axis];
                list.extend(self.index.completions(line).map(|(t, _)| t).filter(|&t| fits(t)));
            }
        }
        fill.candidates[depth] = (list, 0);
    }
}

/// Which children an ortho is the parent of.
fn actions(grown: &Grown) -> Vec<Action> {
    let Grown { dims, tokens, phrases } = grown;
    if phrases.is_empty() {
        return vec![Action::AddAxis];
    }
    let mut actions = vec![];
    // The long line is the first axis; what has only it longer than two may still get axes.
    if dims[0] == 3 && dims[1..].iter().all(|&d| d == 2) {
        actions.push(Action::AddAxis);
        if dims.len() == 1 {
            return actions;
        }
    }
    let mut stride = 1;
    let mut units = vec![];
    for &d in dims {
        units.push(tokens[stride]);
        stride *= d as usize;
    }
    let longest = dims.iter().copied().max().unwrap_or(0);
    let greatest = dims.iter().zip(&units).filter(|(d, _)| **d == longest).map(|(_, t)| *t).max();
    for (axis, (&d, &unit)) in dims.iter().zip(&units).enumerate() {
        if d == longest || d + 1 == longest && Some(unit) > greatest {
            actions.push(Action::Lengthen(axis));
        }
    }
    actions
}
