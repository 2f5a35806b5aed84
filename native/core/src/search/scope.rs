//! Which orthos of a text a search is to find.
//!
//! A text is divided among *shards* by *nodes* (a first edge and a second one: a square) and, for squares themselves and
//! long lines, by first edges. Which shard a node belongs to is a hash of its words' numbers, so it depends on the text
//! and the number of shards alone: not on threads, memory or machine. Nodes are many and the heaviest takes about a
//! hundredth of the work, so shards are balanced without knowing how long anything takes.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::text::Token;

/// One of the disjoint parts of the search of a text, written `i/n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    count: u32,
    index: u32,
}

impl Shard {
    /// The `index`-th of `count`, from 1.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] if there is no such part.
    pub fn new(index: u32, count: u32) -> Result<Self> {
        if (1..=count).contains(&index) {
            return Ok(Self { count, index });
        }
        let expected =
            if count == 0 { "at least 1/1".to_owned() } else { format!("1/{count} to {count}/{count}") };
        Err(Error::new(
            Code::InvalidArgument,
            format!("there is no shard {index}/{count}; expected {expected}"),
        ))
    }

    /// Which one, from 1.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// Of how many.
    #[must_use]
    pub fn count(self) -> u32 {
        self.count
    }

    fn has(self, hash: u64) -> bool {
        // The upper half of the product: an even share of all hashes for each part.
        (u128::from(hash) * u128::from(self.count)) >> 64 == u128::from(self.index - 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = |part: &str| {
            // Only as it would be written: no signs, no leading zeros.
            part.parse::<u32>().ok().filter(|n| n.to_string() == part)
        };
        let parts = text.split_once('/').and_then(|(i, n)| Some((number(i)?, number(n)?)));
        let (index, count) = parts.ok_or_else(|| {
            Error::new(Code::InvalidArgument, format!("\"{text}\" is no shard; expected i/n such as 3/8"))
        })?;
        Self::new(index, count)
    }
}

impl TryFrom<String> for Shard {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Only this part.
    pub shard: Option<Shard>,
    /// Only orthos with so many axes.
    pub axes: RangeInclusive<u32>,
}

impl Default for Scope {
    fn default() -> Self {
        Self { shard: None, axes: 2..=u32::MAX }
    }
}

impl Scope {
    /// Whether the squares and long lines over a first edge are in.
    pub(super) fn has_edge(&self, origin: [Token; 2]) -> bool {
        self.shard.is_none_or(|shard| shard.has(hash(origin, [Token::MAX; 2])))
    }

    /// Whether the cubes over a square are in.
    pub(super) fn has_node(&self, origin: [Token; 2], second: [Token; 2]) -> bool {
        self.shard.is_none_or(|shard| shard.has(hash(origin, second)))
    }

    /// Whether orthos with so many axes or more are.
    pub(super) fn reaches(&self, axes: u32) -> bool {
        axes <= *self.axes.end()
    }
}

/// Part of the meaning of `i/n`: shards of different versions of the program are united, so it never changes.
fn hash(first: [Token; 2], second: [Token; 2]) -> u64 {
    let word = |[a, b]: [Token; 2]| u64::from(a) << 32 | u64::from(b);
    mix(mix(word(first)).wrapping_add(word(second)))
}

/// The finaliser of splitmix64.
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_is_in_exactly_one_shard_and_shards_are_even() {
        for count in [1, 2, 3, 8, 1000] {
            let scopes: Vec<Scope> = (1..=count)
                .map(|i| Scope { shard: Some(Shard::new(i, count).expect("a shard")), ..Scope::default() })
                .collect();
            let mut sizes = vec![0u32; count as usize];
            for node in 0..2_000u32 {
                let holders: Vec<usize> = (0..scopes.len())
                    .filter(|&i| scopes[i].has_node([node % 7, node], [node / 3, 5]))
                    .collect();
                assert_eq!(holders.len(), 1);
                sizes[holders[0]] += 1;
                assert_eq!(scopes.iter().filter(|s| s.has_edge([node, 1])).count(), 1);
            }
            if count <= 8 {
                assert!(sizes.iter().all(|&n| n > 2_000 / count / 2), "{sizes:?}");
            }
        }
    }

    /// Which part a node is in is a format.
    #[test]
    fn the_hash_stays_what_it_is() {
        assert_eq!(hash([0, 1], [2, 3]), 0xef2a_312c_e0e1_aeaf);
        assert_eq!(hash([7, 70_000], [u32::MAX, u32::MAX]), 0x75ce_c4c1_e09c_11f9);
    }

    #[test]
    fn shards_are_written_as_they_are_read() {
        assert_eq!("3/8".parse::<Shard>().expect("a shard").to_string(), "3/8");
        for wrong in ["", "3", "0/8", "9/8", "0/0", "03/8", "+3/8", "3/8/1", "3/99999999999", "a/b", " 3/8"] {
            assert_eq!(wrong.parse::<Shard>().map_err(|e| e.code()), Err(Code::InvalidArgument), "{wrong}");
        }
    }
}
