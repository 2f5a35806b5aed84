//! Cubes of any number of axes around a seed, each from its layers.
//!
//! Over a cube, a *layer* is what one more axis brings: an edge beside each of its edges. Two layers over one cube make a
//! cube of two axes more if there is an edge beside both at each place, and these are joined as the cube's are. So all
//! cubes over one are found from its layers, along ascending axes.
//!
//! Memory: the layers of one chain of cubes.

use std::rc::Rc;

use super::world::World;
use super::{View, clash};
use crate::error::Result;
use crate::results::Emitter;
use crate::search::Stop;

/// A cube around a seed: at each place (a bit for each axis from the seed) its edge.
#[derive(Debug, Clone)]
pub(super) struct Cube {
    pub(super) cells: Vec<u32>,
    /// For each axis from the seed, whether it goes up (1) or down (-1).
    pub(super) signs: Vec<i8>,
}

/// An edge beside each edge of a cube.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) axis: u32,
    pub(super) cells: Rc<[u32]>,
}

impl From<(u32, Rc<[u32]>)> for Layer {
    fn from((axis, cells): (u32, Rc<[u32]>)) -> Self {
        Self { axis, cells }
    }
}

impl Cube {
    /// The seed and an edge beside it.
    pub(super) fn new(seed: u32, x: u32, sign: i8) -> Self {
        Self { cells: vec![seed, x], signs: vec![sign] }
    }

    fn level(&self, place: usize) -> i8 {
        self.signs.iter().enumerate().map(|(bit, sign)| if place >> bit & 1 == 1 { *sign } else { 0 }).sum()
    }

    fn with(&self, layer: &[u32], sign: i8) -> Self {
        let cells = [&self.cells, layer].concat();
        let signs = [&self.signs[..], &[sign]].concat();
        Self { cells, signs }
    }

    /// Whether the words of each shell differ.
    pub(super) fn shells_differ(&self, view: View<'_>) -> bool {
        self.cells.iter().enumerate().all(|(i, &a)| {
            self.cells[..i]
                .iter()
                .enumerate()
                .all(|(j, &b)| !clash(self.level(i), view.words(a), self.level(j), view.words(b)))
        })
    }

    /// Emits it.
    pub(super) fn give(&self, view: View<'_>, out: &mut Emitter<'_>) -> Result<()> {
        let flips: usize =
            self.signs.iter().enumerate().map(|(bit, &sign)| usize::from(sign < 0) << bit).sum();
        let cells: Vec<_> =
            (0..self.cells.len()).flat_map(|place| view.words(self.cells[place ^ flips])).collect();
        debug_assert!(self.shells_differ(view));
        out.single(&vec![2; self.signs.len() + 1], &cells)
    }
}

/// All layers over the cube of a seed and its `q`-th axis, with a later axis.
pub(super) fn over(view: View<'_>, world: &World, q: u32, stop: &Stop) -> Vec<Layer> {
    let seed = Cube { cells: vec![view.seed], signs: vec![] };
    let layers: Vec<Layer> =
        (0..).zip(&world.xs).map(|(axis, &x)| Layer { axis, cells: Rc::from([x]) }).collect();
    above(view, world, &seed, &layers, q as usize, stop)
}

/// Emits the cube with each of its layers.
pub(super) fn singles(
    view: View<'_>,
    world: &World,
    base: &Cube,
    layers: &[Layer],
    out: &mut Emitter<'_>,
) -> Result<()> {
    for layer in layers {
        base.with(&layer.cells, world.signs[layer.axis as usize]).give(view, out)?;
    }
    Ok(())
}

/// Which cubes are wanted, by all their axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) least: u32,
    pub(super) most: u32,
}

/// All cubes over one with two or more of its layers, which are given by ascending axis.
pub(super) fn grow(
    view: View<'_>,
    world: &World,
    base: &Cube,
    layers: &[Layer],
    wanted: Wanted,
    stop: &Stop,
    out: &mut Emitter<'_>,
) -> Result<()> {
    let axes = base.signs.len() as u32 + 3;
    if axes > wanted.most {
        return Ok(());
    }
    (0..layers.len()).try_for_each(|i| grow_from(view, world, base, layers, i, wanted, stop, out))
}

/// Those of [`grow`] whose first layer is the `i`-th.
#[allow(clippy::too_many_arguments)]
pub(super) fn grow_from(
    view: View<'_>,
    world: &World,
    base: &Cube,
    layers: &[Layer],
    i: usize,
    wanted: Wanted,
    stop: &Stop,
    out: &mut Emitter<'_>,
) -> Result<()> {
    let axes = base.signs.len() as u32 + 3;
    let over = above(view, world, base, layers, i, stop);
    // What was cut short is not done.
    stop.check()?;
    if over.is_empty() {
        return Ok(());
    }
    let child = base.with(&layers[i].cells, world.signs[layers[i].axis as usize]);
    if axes >= wanted.least {
        singles(view, world, &child, &over, out)?;
    }
    grow(view, world, &child, &over, wanted, stop, out)
}

/// The layers over a cube with the `i`-th of its layers.
fn above(view: View<'_>, world: &World, base: &Cube, layers: &[Layer], i: usize, stop: &Stop) -> Vec<Layer> {
    let low = &layers[i];
    let mut found = vec![];
    for high in layers[i + 1..].iter().filter(|high| high.axis > low.axis) {
        if stop.is_requested() {
            break;
        }
        let signs = [low, high].map(|layer| world.signs[layer.axis as usize]);
        let corner = Corner { view, base, layers: [&low.cells, &high.cells], signs, stop };
        if corner.fits() {
            corner.fill(&mut vec![], &mut |tops| {
                let cells = [&*high.cells, tops].concat();
                found.push(Layer { axis: high.axis, cells: cells.into() });
            });
        }
    }
    found
}

/// The corner above two layers.
struct Corner<'a> {
    view: View<'a>,
    base: &'a Cube,
    layers: [&'a [u32]; 2],
    signs: [i8; 2],
    stop: &'a Stop,
}

impl Corner<'_> {
    /// Whether the words of the two layers differ as they must.
    fn fits(&self) -> bool {
        let Self { view, base, layers: [low, high], signs: [a, b], .. } = self;
        low.iter().enumerate().all(|(i, &x)| {
            high.iter()
                .enumerate()
                .all(|(j, &y)| !clash(base.level(i) + a, view.words(x), base.level(j) + b, view.words(y)))
        })
    }

    /// Whether an edge may be at the next place of the corner.
    fn may_be(&self, tops: &[u32], edge: u32) -> bool {
        let Self { view, base, layers: [low, high], signs: [a, b], .. } = self;
        let place = tops.len();
        let level = base.level(place) + a + b;
        let joined = |(bit, &sign): (usize, &i8)| {
            place >> bit & 1 == 0 || view.joined(tops[place ^ 1 << bit], sign, edge, level - sign)
        };
        let words = view.words(edge);
        let differs = |cells: &[u32], sign: i8| {
            cells
                .iter()
                .enumerate()
                .all(|(i, &other)| !clash(level, words, base.level(i) + sign, view.words(other)))
        };
        view.joined(high[place], *a, edge, level - a)
            && base.signs.iter().enumerate().all(joined)
            && differs(&base.cells, 0)
            && differs(low, *a)
            && differs(high, *b)
            && differs(tops, a + b)
    }

    fn fill(&self, tops: &mut Vec<u32>, each: &mut dyn FnMut(&[u32])) {
        let Self { view, base, layers: [low, _], signs: [a, b], stop } = self;
        let place = tops.len();
        if place == low.len() {
            each(tops);
            return;
        }
        for edge in view.beside(low[place], *b, base.level(place) + a) {
            if stop.is_requested() {
                return;
            }
            if self.may_be(tops, edge) {
                tops.push(edge);
                self.fill(tops, each);
                tops.pop();
            }
        }
    }
}
