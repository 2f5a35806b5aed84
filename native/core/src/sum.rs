//! SHA-256 of bytes that come in pieces.

use sha2::{Digest, Sha256};

use crate::archive::hex;

/// A sum of what has come so far.
#[derive(Debug, Clone, Default)]
pub struct Sum(Sha256);

impl Sum {
    /// Adds the next piece.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The SHA-256 of all that came, in hex.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(&self.0.clone().finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_summed_as_one() {
        let mut sum = Sum::default();
        sum.add(b"a");
        sum.add(b"");
        sum.add(b"bc");
        assert_eq!(sum.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
