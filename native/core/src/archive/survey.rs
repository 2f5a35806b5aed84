//! What there is to tell of the orthos of an archive beside how many there are: which words they have, from which
//! texts and searches they come, and some of each shape to look at.
//!
//! A small archive is read whole. Of a large one every n-th record of a shape is expanded, spread over all of it; what
//! is counted there stands for the rest, and the result says that it is an estimate. Records that are not expanded are
//! only read, so the time is bounded by [`SurveyOptions::read`] and the bytes of the archive.
//!
//! Guarantees: the same archive and options give the same survey. Memory: some bytes a word of the vocabulary, the
//! sample, and the indexes of the texts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::{ArchiveReader, Shape};
use crate::control::{Control, Phase};
use crate::error::Result;
use crate::ortho::Ortho;
use crate::ortho::check::Checker;
use crate::results::{Cursor, ResultsReader};
use crate::text::{PhraseIndex, Token};

/// How much of an archive is looked at.
#[derive(Debug, Clone, Default)]
pub struct SurveyOptions {
    /// Orthos that are expanded at most, or a little more (records are expanded whole).
    pub read: u64,
    /// Orthos of each shape that are given.
    pub show: usize,
    /// Words that are given.
    pub words: usize,
    /// Shapes that are looked into, those with most orthos.
    pub shapes: usize,
    /// Texts: of every ortho read it is counted which of them have all its lines.
    pub texts: Vec<Arc<PhraseIndex>>,
}

/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Survey {
    /// Orthos that were expanded.
    pub read: u64,
    /// Whether these are all orthos of the archive, so that nothing is an estimate.
    pub exact: bool,
    /// The words that stand in most orthos, and in how many.
    pub words: Vec<WordCount>,
    /// Shapes in the manifest's order.
    pub shapes: Vec<ShapeSurvey>,
    /// The searches that found the orthos: that of the archive itself, then those that came with what was merged.
    pub searches: Vec<SearchOrigin>,
    /// Orthos by the texts that have all their lines.
    pub origins: Origins,
}

/// A word and the orthos that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WordCount {
    /// The word.
    pub word: String,
    /// Orthos in which it stands, once or more.
    pub orthos: u64,
}

/// Orthos that one search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SearchOrigin {
    /// Orthos of the shapes looked into.
    pub orthos: u64,
    /// Distinct words of what was searched.
    pub vocabulary: usize,
}

/// Orthos by the texts that have all their lines; an ortho may be of several.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Origins {
    /// For each text the orthos that it has by itself.
    pub each: Vec<u64>,
    /// Orthos that two or more texts have.
    pub several: u64,
    /// Orthos that no text has by itself.
    pub together: u64,
}

/// What was seen of one shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShapeSurvey {
    /// Lengths, ascending.
    pub dims: Vec<u32>,
    /// Orthos of this shape.
    pub orthos: u64,
    /// Those of them that were expanded.
    pub read: u64,
    /// The words of the first of those by the order of the optimal one.
    pub first: Option<Vec<String>>,
    /// The words of others, taken evenly.
    pub sample: Vec<Vec<String>>,
}

/// The sample has at most so many words in all.
const SAMPLE_WORDS: usize = 400_000;
/// Orthos between two looks at the control.
const STEP: u64 = 1 << 14;

/// Looks at an archive.
///
/// # Errors
/// [`Code::Damaged`](crate::Code::Damaged) naming the file, a failure to read, or a cancellation.
pub fn survey(archive: &ArchiveReader, options: &SurveyOptions, control: &Control) -> Result<Survey> {
    let results = archive.open_results()?;
    let mut shapes: Vec<(&Shape, u64)> = archive.manifest().shapes.iter().collect();
    let all: u64 = shapes.iter().map(|(_, count)| count).sum();
    let listed: Vec<&Shape> = shapes.iter().map(|&(shape, _)| shape).collect();
    shapes.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    shapes.truncate(options.shapes);
    shapes.sort_by_key(|(shape, _)| listed.iter().position(|other| other == shape));
    let quota = quota(shapes.iter().map(|&(_, count)| count).collect(), options.read);
    control.enter(Phase::Read, shapes.iter().map(|&(_, count)| count.min(quota)).sum());
    let mut surveyor = Surveyor::new(archive, options);
    let mut found = vec![];
    for &(shape, count) in &shapes {
        let stride = if count > quota { count.div_ceil(quota.max(1)) } else { 1 };
        let cursor = results.cursor(shape.dims())?.every(stride);
        found.push(surveyor.shape(shape, count, cursor, control)?);
    }
    Ok(surveyor.conclude(found, all, &results, options))
}

/// What each shape may take of `budget` so that the small ones are read whole and the others alike.
fn quota(mut counts: Vec<u64>, budget: u64) -> u64 {
    counts.sort_unstable();
    let mut left = budget;
    let mut shapes = counts.len() as u64;
    for count in counts {
        if count > left / shapes {
            return left / shapes;
        }
        left -= count;
        shapes -= 1;
    }
    u64::MAX
}

struct Text<'a> {
    index: &'a PhraseIndex,
    /// The text's token of each of the archive's words.
    map: Vec<Option<Token>>,
}

struct Surveyor<'a> {
    archive: &'a ArchiveReader,
    show: usize,
    texts: Vec<Text<'a>>,
    /// For each word the last ortho that had it, and the orthos of the shape that did.
    seen: Vec<(u64, u64)>,
    /// Words of the shape that have been seen.
    touched: Vec<Token>,
    words: Vec<u64>,
    origins: Origins,
    /// By table.
    searches: BTreeMap<usize, u64>,
    read: u64,
}

impl<'a> Surveyor<'a> {
    fn new(archive: &'a ArchiveReader, options: &'a SurveyOptions) -> Self {
        let interner = archive.interner();
        let texts: Vec<Text<'a>> = options
            .texts
            .iter()
            .map(|index| Text {
                index,
                map: interner.words().map(|word| index.interner().token(word)).collect(),
            })
            .collect();
        Self {
            archive,
            show: options.show,
            origins: Origins { each: vec![0; texts.len()], ..Origins::default() },
            texts,
            seen: vec![(0, 0); interner.vocabulary_len()],
            touched: vec![],
            words: vec![0; interner.vocabulary_len()],
            searches: BTreeMap::new(),
            read: 0,
        }
    }

    fn shape(
        &mut self,
        shape: &Shape,
        count: u64,
        mut cursor: Cursor,
        control: &Control,
    ) -> Result<ShapeSurvey> {
        let dims = shape.dims();
        let cells = dims.iter().fold(1_usize, |product, &d| product.saturating_mul(d as usize));
        let show =
            self.show.min(SAMPLE_WORDS / cells.max(1) / self.archive.manifest().shapes.iter().count().max(1));
        let mut checkers: Vec<Option<Checker<'_>>> =
            self.texts.iter().map(|text| Checker::new(dims, text.index).ok()).collect();
        let mut sample: Vec<Ortho> = vec![];
        let mut first: Option<Ortho> = None;
        let mut origins = Origins { each: vec![0; self.texts.len()], ..Origins::default() };
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut read = 0_u64;
        let mut ortho = Ortho::default();
        let mut mapped = vec![];
        while cursor.next(&mut ortho)? {
            read += 1;
            self.read += 1;
            if read.is_multiple_of(STEP) {
                control.check()?;
                control.advance(STEP);
                control.add_orthos(STEP);
            }
            for &token in &ortho.tokens {
                let Some((last, orthos)) = self.seen.get_mut(token as usize) else { continue };
                if *last == self.read {
                    continue;
                }
                *last = self.read;
                *orthos += 1;
                if *orthos == 1 {
                    self.touched.push(token);
                }
            }
            if first.as_ref().is_none_or(|first| ortho.tokens < first.tokens) {
                first = Some(ortho.clone());
            }
            // A sample in which every ortho read is as likely as any other.
            if sample.len() < show {
                sample.push(ortho.clone());
            } else {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let place = (random % read) as usize;
                if let Some(old) = sample.get_mut(place) {
                    old.clone_from(&ortho);
                }
            }
            if !self.texts.is_empty() {
                let mut holders = 0;
                for ((text, checker), each) in self.texts.iter().zip(&mut checkers).zip(&mut origins.each) {
                    mapped.clear();
                    let there =
                        ortho.tokens.iter().map(|&token| text.map.get(token as usize).copied().flatten());
                    mapped.extend(there.map_while(|token| token));
                    if checker.as_mut().is_some_and(|checker| checker.has_lines(&mapped)) {
                        *each += 1;
                        holders += 1;
                    }
                }
                origins.several += u64::from(holders > 1);
                origins.together += u64::from(holders == 0);
            }
        }
        control.advance(read % STEP);
        control.add_orthos(read % STEP);
        let scaled = |n: u64| scale(n, count, read);
        for token in self.touched.drain(..) {
            let at = token as usize;
            if let (Some((_, orthos)), Some(total)) = (self.seen.get_mut(at), self.words.get_mut(at)) {
                *total += scaled(std::mem::take(orthos));
            }
        }
        for (total, each) in self.origins.each.iter_mut().zip(&origins.each) {
            *total += scaled(*each);
        }
        self.origins.several += scaled(origins.several);
        self.origins.together += scaled(origins.together);
        for (table, &orthos) in cursor.met().iter().enumerate() {
            *self.searches.entry(table).or_default() += orthos;
        }
        sample.sort_by(|a, b| a.tokens.cmp(&b.tokens));
        sample.dedup();
        Ok(ShapeSurvey {
            dims: dims.to_vec(),
            orthos: count,
            read,
            first: first.map(|first| self.spell(&first)),
            sample: sample.iter().map(|ortho| self.spell(ortho)).collect(),
        })
    }

    fn spell(&self, ortho: &Ortho) -> Vec<String> {
        let vocabulary = self.archive.interner().vocabulary();
        ortho.tokens.iter().map(|&token| vocabulary.get(token).unwrap_or_default().to_owned()).collect()
    }

    fn conclude(
        self,
        shapes: Vec<ShapeSurvey>,
        all: u64,
        results: &ResultsReader,
        options: &SurveyOptions,
    ) -> Survey {
        let vocabulary = self.archive.interner().vocabulary();
        let mut words: Vec<(u64, &str)> = self
            .words
            .iter()
            .zip(0..)
            .filter(|&(&orthos, _)| orthos > 0)
            .map(|(&orthos, token)| (orthos, vocabulary.get(token).unwrap_or_default()))
            .collect();
        words.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let word = |&(orthos, word): &(u64, &str)| WordCount { word: word.to_owned(), orthos };
        let search = |(&table, &orthos): (&usize, &u64)| SearchOrigin {
            orthos,
            vocabulary: results.tables().get(table as u32).map_or(0, |ranks| ranks.len()),
        };
        Survey {
            read: self.read,
            exact: self.read == all,
            words: words.iter().take(options.words).map(word).collect(),
            shapes,
            searches: self.searches.iter().map(search).collect(),
            origins: self.origins,
        }
    }
}

/// `n` of `read` as so many of `count`.
fn scale(n: u64, count: u64, read: u64) -> u64 {
    if read == 0 || read == count {
        return n;
    }
    let scaled = (u128::from(n) * u128::from(count) + u128::from(read) / 2) / u128::from(read);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::tests::brute_force::orthos as all_orthos;
    use crate::archive::tests::{TEXT, index, write_archive};
    use crate::disk::RealDisk;

    fn options(read: u64) -> SurveyOptions {
        SurveyOptions { read, show: 3, words: 5, shapes: 10, texts: vec![] }
    }

    #[test]
    fn what_is_read_whole_is_counted_exactly() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = directory.path().join("a.bin");
        let orthos = all_orthos(&index(TEXT));
        write_archive(TEXT, &orthos, &target, &RealDisk::shared()).expect("an archive");
        let archive = ArchiveReader::open(&target, RealDisk::shared()).expect("an archive");
        let half: String = TEXT.chars().take_while(|&c| c != 'o').collect();
        let texts = vec![Arc::new(index(TEXT)), Arc::new(index(&half)), Arc::new(index("x y"))];
        let options = SurveyOptions { texts, ..options(u64::MAX) };
        let survey = survey(&archive, &options, &Control::default()).expect("a survey");
        assert!(survey.exact);
        assert_eq!(survey.read, orthos.len() as u64);
        for WordCount { word, orthos: count } in &survey.words {
            let token = archive.interner().token(word).expect("a word");
            let holding = orthos.iter().filter(|ortho| ortho.tokens.contains(&token)).count();
            assert_eq!(*count, holding as u64, "{word}");
        }
        assert_eq!(survey.words.len(), 5);
        for shape in &survey.shapes {
            let of_shape = orthos.iter().filter(|ortho| ortho.dims == shape.dims);
            let least = of_shape.clone().min_by(|a, b| a.tokens.cmp(&b.tokens)).expect("an ortho");
            let words: Vec<String> =
                least.tokens.iter().map(|&token| archive.interner().word(token).to_owned()).collect();
            assert_eq!(shape.first.as_ref(), Some(&words));
            assert_eq!(
                (shape.read, shape.orthos),
                (of_shape.clone().count() as u64, of_shape.count() as u64)
            );
            assert_eq!(shape.sample.len() as u64, shape.orthos.min(3));
        }
        let of_half = all_orthos(&index(&half)).len() as u64;
        assert!(of_half > 0 && of_half < survey.read);
        assert_eq!(
            survey.origins,
            Origins { each: vec![survey.read, of_half, 0], several: of_half, together: 0 }
        );
        assert_eq!(survey.searches.iter().map(|search| search.orthos).sum::<u64>(), survey.read);
    }

    #[test]
    fn small_shapes_are_read_whole_and_large_ones_alike() {
        assert_eq!(quota(vec![5, 1000, 2000], 105), 50);
        assert_eq!(quota(vec![5, 10], 15), u64::MAX);
        assert_eq!(quota(vec![], 15), u64::MAX);
        assert_eq!(quota(vec![3, 3], 1), 0);
    }

    #[test]
    fn estimates_are_in_proportion() {
        assert_eq!((scale(3, 100, 10), scale(3, 10, 10), scale(0, 5, 0)), (30, 3, 0));
        assert_eq!(scale(u64::MAX, u64::MAX, 1), u64::MAX);
    }
}
