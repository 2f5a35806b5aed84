//! Which orthos of a text a search is to find.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

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
