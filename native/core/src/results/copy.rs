//! Records of one archive into another as they are, without expanding them.
//!
//! Ranks stay what they were: only the number of their table changes. Cost: a copy and the queue's checksums; with a
//! [`Filter`], what that costs.

use super::filter::{Filter, Filtered};
use super::reader::Records;
use super::{Lane, Rank, Ranks, ResultsWriter};
use crate::error::Result;
use crate::ortho::Dims;

/// Is shown what a copy leaves out: the number of the source's table, lengths in grown order, and ranks.
pub type Removed<'r> = &'r mut dyn FnMut(u32, &[u32], &[Rank]);

/// What a table of the source becomes.
#[derive(Debug)]
pub struct Renumbered {
    /// Its number in the target.
    pub number: u32,
    /// Its ranks as the filter numbers words.
    pub ranks: Ranks,
}

/// Copies the record that was read last, of a canonical shape. `tables` says what becomes of each table of the source. What
/// the filter knows is left out and shown to `removed`. Gives the bytes of the record.
///
/// # Errors
/// [`Code::Damaged`](crate::Code::Damaged) naming the source, or a failure to write.
pub(crate) fn copy_record(
    records: &Records,
    dims: &Dims,
    (to, lane): (&ResultsWriter, Lane),
    tables: &[Renumbered],
    filter: Option<&Filter<'_>>,
    removed: Removed<'_>,
) -> Result<u64> {
    let Some(Renumbered { number, ranks }) = tables.get(records.table as usize) else {
        return Err(records.damaged("a record uses a table that there is not"));
    };
    let (record, table) = (&records.record, records.table);
    let filtered = match filter {
        None => Some(Filtered::Whole),
        Some(filter) => filter.apply(record, ranks, &mut |grown, cells| removed(table, grown, cells)),
    };
    match filtered {
        Some(Filtered::Whole) => to.push(lane, dims, *number, record)?,
        Some(Filtered::Part(part)) => to.push(lane, dims, *number, &part)?,
        Some(Filtered::Nothing) => {}
        None => return Err(records.damaged("a record makes no sense")),
    }
    Ok(record.len() as u64)
}
