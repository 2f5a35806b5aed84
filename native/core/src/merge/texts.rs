//! The union of the texts, and the way from the words of each to the words of the union.

use crate::control::Control;
use crate::disk::Disk;
use crate::error::{Code, Error, Result};
use crate::text::{Interner, Token};

use super::sources::Group;

/// The union of the interners of groups.
///
/// Cost: they are united in pairs of like size, so each sentence is looked at about log2(groups) times. Memory: the
/// union and the interners on the way to it, of different sizes.
pub(super) fn union<'g>(
    groups: impl Iterator<Item = &'g Group>,
    memory: u64,
    control: &Control,
    disk: &dyn Disk,
) -> Result<Interner> {
    // Each of more sentences than the next.
    let mut stack: Vec<(u32, Interner)> = vec![];
    for group in groups {
        control.check()?;
        let held: u64 = stack.iter().map(|(_, interner)| interner.memory_bytes() as u64).sum();
        check(held + group.memory() * UNION_FACTOR, memory)?;
        let mut next = (0, group.interner(disk)?);
        while let Some((level, _)) = stack.last()
            && *level <= next.0
            && let Some((level, before)) = stack.pop()
        {
            check_both(&before, &next.1, &stack, memory)?;
            next = (level.max(next.0) + 1, before.union_while(&next.1, &|| control.check())?.interner);
        }
        stack.push(next);
    }
    let mut all = Interner::default();
    while let Some((_, before)) = stack.pop() {
        control.check()?;
        check_both(&before, &all, &stack, memory)?;
        all = if all.vocabulary_len() == 0 {
            before
        } else {
            before.union_while(&all, &|| control.check())?.interner
        };
    }
    Ok(all)
}

/// What uniting two interners takes, in their own sizes.
const UNION_FACTOR: u64 = 5;

fn check_both(a: &Interner, b: &Interner, rest: &[(u32, Interner)], memory: u64) -> Result<()> {
    let rest: u64 = rest.iter().map(|(_, interner)| interner.memory_bytes() as u64).sum();
    check(rest + (a.memory_bytes() + b.memory_bytes()) as u64 * UNION_FACTOR, memory)
}

/// An error if so many bytes are more than there are.
pub(super) fn check(needed: u64, memory: u64) -> Result<()> {
    if needed <= memory {
        return Ok(());
    }
    Err(Error::new(
        Code::MemoryTooSmall,
        format!(
            "the union of the texts needs about {} MiB of memory and the budget is {} MiB; raise the budget",
            needed.div_ceil(1 << 20),
            memory >> 20
        ),
    ))
}

/// The union's token for each token of one of its parts. Cost: linear in both vocabularies.
pub(super) fn map(part: &Interner, union: &Interner) -> Vec<Token> {
    let mut words = (0..).zip(union.words());
    let mut map = Vec::with_capacity(part.vocabulary_len());
    for word in part.words() {
        // Both are sorted, and the union has every word.
        if let Some((token, _)) = words.find(|(_, other)| *other == word) {
            map.push(token);
        }
    }
    map
}
