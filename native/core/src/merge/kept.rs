//! The complete archives whose records are copied.
//!
//! Each has a bit of the masks of an [`Exclusion`]. Of what two of them share, the first in order brings the orthos, and
//! the records of the other are filtered.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::sources::{Group, Source};
use super::{INDEX_BYTES, Ways, texts};
use crate::archive::{Manifest, hex};
use crate::control::Control;
use crate::digest::{OrthoHasher, SetTally, ShapeTally, WordHashes};
use crate::disk::Disk;
use crate::error::{Code, Error, Result};
use crate::ortho::{Canonicalizer, Dims, Ortho};
use crate::results::{
    Filter, Found, MAX_TABLES, Rank, RankTables, Ranks, Renumbered, ResultsReader, ResultsWriter, copy_shape,
};
use crate::search::exclusion::{Exclusion, MOST};
use crate::text::{Interner, PhraseIndex, Token};

/// One group that is copied.
#[derive(Debug)]
struct KeptGroup<'g> {
    group: &'g Group,
    index: PhraseIndex,
    /// The union's token of each of its own.
    map: Vec<Token>,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Kept<'g> {
    groups: Vec<KeptGroup<'g>>,
    /// One of them has all phrases of the union, so there is nothing to search for.
    everything: bool,
}

impl<'g> Kept<'g> {
    /// The groups with most orthos whose indexes fit the memory; or the one that has all phrases.
    pub(super) fn choose(
        groups: &[&'g Group],
        union: &PhraseIndex,
        memory: u64,
        ways: Ways,
        control: &Control,
        disk: &Arc<dyn Disk>,
    ) -> Result<Self> {
        let mut kept = Self { groups: vec![], everything: false };
        let whole = union.interner().digest();
        let copyable = |group: &Group| group.others.is_empty();
        if let Some(group) = groups.iter().find(|group| group.digest == whole && copyable(group)) {
            kept.everything = true;
            kept.add(group, union, &**disk)?;
            return Ok(kept);
        }
        let mut left = memory;
        let mut tables = 1;
        for group in groups.iter().filter(|group| group.bytes() >= ways.least_bytes && copyable(group)) {
            control.check()?;
            if kept.groups.len() >= ways.most.min(MOST) {
                break;
            }
            // The index, and the way between its words and the union's.
            let needed = group.memory() * (4 + INDEX_BYTES) / 4
                + Exclusion::memory_of(union.interner().vocabulary_len());
            // Each part has few tables; what has too many is found by the search again.
            let count = tables_of(group, disk)?;
            if needed > left || tables + count > MAX_TABLES {
                continue;
            }
            if kept.add(group, union, &**disk)? {
                left -= needed;
                tables += count;
            }
        }
        Ok(kept)
    }

    /// Keeps a group, unless another one has all its phrases and so all its orthos.
    fn add(&mut self, group: &'g Group, union: &PhraseIndex, disk: &dyn Disk) -> Result<bool> {
        let interner = group.interner(disk)?;
        let map = texts::map(&interner, union.interner());
        if self.groups.iter().any(|kept| kept.has_all(&interner, &map)) {
            return Ok(false);
        }
        let index = PhraseIndex::build(Arc::new(interner))?;
        self.groups.push(KeptGroup { group, index, map });
        Ok(true)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether they hold all that a search would find.
    pub(super) fn is_everything(&self) -> bool {
        self.everything
    }

    /// What the steps of a search that leaves them out depend on: SHA-256 of their interners' digests in ascending order, and of
    /// an `s` if it goes from seeds.
    pub(super) fn identity(&self, seeded: bool) -> [u8; 32] {
        let mut digests: Vec<[u8; 32]> =
            self.groups.iter().map(|kept| kept.index.interner().digest()).collect();
        digests.sort_unstable();
        let sha = Sha256::new().chain_update(digests.as_flattened());
        if seeded { sha.chain_update(b"s") } else { sha }.finalize().into()
    }

    /// Bytes of results to copy.
    pub(super) fn bytes(&self) -> u64 {
        self.groups.iter().map(|kept| kept.group.bytes()).sum()
    }

    /// Bytes of memory taken.
    pub(super) fn memory(&self) -> u64 {
        self.groups.iter().map(|kept| (kept.index.memory_bytes() + kept.map.len() * 8) as u64).sum()
    }

    /// What an [`Exclusion`] is made of.
    pub(super) fn texts(&self) -> Vec<(&PhraseIndex, &[Token])> {
        self.groups.iter().map(|kept| (&kept.index, kept.map.as_slice())).collect()
    }

    /// Copies all of them. What comes back is numbered as `to_all` says, which leads from the union's tokens to those of
    /// the result; `words` are the union's.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn copy(
        &self,
        exclusion: &Exclusion<'_>,
        words: &WordHashes,
        to_all: Option<&[Token]>,
        tables: &mut RankTables,
        results: &ResultsWriter,
        control: &Control,
        disk: &Arc<dyn Disk>,
    ) -> Result<Found> {
        let mut found = Found::default();
        for (bit, kept) in self.groups.iter().enumerate() {
            let earlier = (1u8 << bit) - 1;
            let filter = (earlier != 0).then_some(Filter { known: exclusion, among: earlier });
            for source in &kept.group.parts {
                source.check(control, &**disk)?;
                let tally =
                    kept.copy_source(source, filter.as_ref(), words, to_all, tables, results, control, disk)?;
                control.add_orthos(tally.count());
                found.tally.merge(&tally);
                let optimal = &source.manifest.optimal;
                if let Some(mut best) = best(&source.manifest, kept.index.interner())? {
                    for token in &mut best.tokens {
                        let there = kept.map[*token as usize];
                        *token = to_all.map_or(there, |map| map[there as usize]);
                    }
                    found.offer(&best);
                } else if optimal.is_some() {
                    return Err(damaged(
                        source,
                        "its optimal ortho has a word that is not in its vocabulary",
                    ));
                }
            }
        }
        Ok(found)
    }
}

impl KeptGroup<'_> {
    /// Whether all phrases of a text, whose tokens are the union's of `map`, are phrases of this one.
    fn has_all(&self, text: &Interner, map: &[Token]) -> bool {
        let mut own = vec![];
        text.sentences().all(|sentence| {
            own.clear();
            let there = sentence.iter().map(|&token| self.map.binary_search(&map[token as usize]));
            own.extend(there.map_while(std::result::Result::ok).map(|token| token as Token));
            own.len() == sentence.len() && self.index.phrase(&own).is_some()
        })
    }

    /// Copies one archive. Gives the tally of what was copied.
    #[allow(clippy::too_many_arguments)]
    fn copy_source(
        &self,
        source: &Source,
        filter: Option<&Filter<'_>>,
        words: &WordHashes,
        to_all: Option<&[Token]>,
        tables: &mut RankTables,
        results: &ResultsWriter,
        control: &Control,
        disk: &Arc<dyn Disk>,
    ) -> Result<SetTally> {
        let tally = checked_tally(source, self.index.interner(), &**disk)?;
        let reader = source.results(disk)?;
        let renumbered = renumber(source, &reader, &self.map, to_all, tables)?;
        let mut removed = Left::new(words);
        // Never committed: a merge that goes on copies again.
        let lane = results.lane();
        for dims in reader.shapes() {
            let mut take =
                |table, grown: &[u32], cells: &[Rank]| removed.take(&renumbered, table, grown, cells);
            copy_shape(&reader, dims, (results, lane), &renumbered, filter, &mut take, &mut |bytes| {
                control.advance(bytes);
                control.check()
            })?;
        }
        removed.out_of(&tally).ok_or_else(|| damaged(source, "its results hold more orthos than it says"))
    }
}

/// The tally of what a copy leaves out.
#[derive(Debug)]
pub(super) struct Left<'a> {
    words: &'a WordHashes,
    tally: SetTally,
    canonicalizer: Canonicalizer,
    hasher: OrthoHasher,
    tokens: Vec<Token>,
    ortho: Ortho,
}

impl<'a> Left<'a> {
    /// `words` are those of the filter's numbering.
    pub(super) fn new(words: &'a WordHashes) -> Self {
        Self {
            words,
            tally: SetTally::default(),
            canonicalizer: Canonicalizer::default(),
            hasher: OrthoHasher::default(),
            tokens: vec![],
            ortho: Ortho::default(),
        }
    }

    /// One ortho that is left out, in grown form as ranks of a table of the source.
    pub(super) fn take(&mut self, tables: &[Renumbered], table: u32, grown: &[u32], cells: &[Rank]) {
        let Some(table) = tables.get(table as usize) else { return };
        self.tokens.clear();
        self.tokens.extend(cells.iter().filter_map(|&rank| table.ranks.get(rank)));
        self.canonicalizer.canonicalize(grown, &self.tokens, &mut self.ortho);
        self.tally.add(&self.ortho.dims, 1, self.hasher.hash(self.words, &self.ortho));
    }

    /// What stays of a tally; nothing if that does not have so many orthos.
    pub(super) fn out_of(&self, tally: &SetTally) -> Option<SetTally> {
        let enough =
            |(dims, left): (&Dims, &ShapeTally)| tally.0.get(dims).is_some_and(|t| t.count >= left.count);
        self.tally.0.iter().all(enough).then(|| tally.since(&self.tally))
    }
}

/// What becomes of the tables of an archive: numbered for the result, and in the words of the union for a filter.
pub(super) fn renumber(
    source: &Source,
    reader: &ResultsReader,
    map: &[Token],
    to_all: Option<&[Token]>,
    tables: &mut RankTables,
) -> Result<Vec<Renumbered>> {
    let mut renumbered = vec![];
    for table in reader.tables().iter() {
        if reader.tables().words() != map.len() {
            return Err(damaged(source, "its ranks are those of another vocabulary"));
        }
        let ranks: Ranks = table.renumbered(map);
        let number = tables.add(to_all.map_or_else(|| ranks.clone(), |to_all| ranks.renumbered(to_all)));
        renumbered.push(Renumbered { number, ranks });
    }
    Ok(renumbered)
}

/// The tally that an archive has, which has to lead to its content digest.
pub(super) fn checked_tally(source: &Source, interner: &Interner, disk: &dyn Disk) -> Result<SetTally> {
    let tally = source.tallies(disk)?;
    if hex(&tally.content_digest(&interner.digest())) != source.manifest.content_digest {
        return Err(damaged(source, "its content digest is not that of its tallies"));
    }
    Ok(tally)
}

/// The optimal ortho that a manifest names, if all its words are of the vocabulary.
pub(super) fn best(manifest: &Manifest, interner: &Interner) -> Result<Option<Ortho>> {
    let Some(optimal) = &manifest.optimal else { return Ok(None) };
    let tokens: Option<Vec<Token>> = optimal.words.iter().map(|word| interner.token(word)).collect();
    Ok(tokens.map(|tokens| Ortho { dims: optimal.dims.clone(), tokens }))
}

pub(super) fn tables_of(group: &Group, disk: &Arc<dyn Disk>) -> Result<usize> {
    group.parts.iter().map(|source| source.tables(disk)).sum()
}

pub(super) fn damaged(source: &Source, what: &str) -> Error {
    Error::new(
        Code::Damaged,
        format!(
            "the archive {} is damaged: {what}; take another copy or search the text again",
            source.path.display()
        ),
    )
}
