//! A fixed-size row of bits: one bit a position where a whole word would be too dear.

/// Bits, all unset at first. Memory: 1/8 byte a bit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// `len` unset bits.
    #[must_use]
    pub fn new(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)] }
    }

    /// Whether a bit is set.
    ///
    /// # Panics
    /// If there is no such bit; as does [`set`](Self::set).
    #[must_use]
    #[inline]
    pub fn get(&self, at: usize) -> bool {
        self.words[at / 64] >> (at % 64) & 1 != 0
    }

    /// Sets a bit.
    #[inline]
    pub fn set(&mut self, at: usize) {
        self.words[at / 64] |= 1 << (at % 64);
    }

    /// The first set bit at or after `at`, if any. Skips 64 unset bits a step.
    #[must_use]
    #[inline]
    pub fn next_set(&self, at: usize) -> Option<usize> {
        let mut index = at / 64;
        let mut word = *self.words.get(index)? & (u64::MAX << (at % 64));
        while word == 0 {
            index += 1;
            word = *self.words.get(index)?;
        }
        Some(index * 64 + word.trailing_zeros() as usize)
    }

    /// Bytes of memory taken.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.words.capacity() * 8
    }

    /// 64 bits a word, the lowest first; unset beyond the last.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// From [`words`](Self::words); `None` if they are not those of so many bits.
    #[must_use]
    pub fn from_words(words: Vec<u64>, len: usize) -> Option<Self> {
        let beyond = len.div_ceil(64) * 64 - len;
        let fits = words.len() == len.div_ceil(64)
            && (beyond == 0 || words.last().is_none_or(|&last| last >> (64 - beyond) == 0));
        fits.then_some(Self { words })
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn next_set_crosses_words_and_stops_at_the_end() {
        let mut bits = Bits::new(300);
        for at in [0, 63, 64, 200] {
            bits.set(at);
        }
        assert!(bits.get(63) && !bits.get(62));
        assert_eq!(bits.next_set(0), Some(0));
        assert_eq!(bits.next_set(1), Some(63));
        assert_eq!(bits.next_set(65), Some(200));
        assert_eq!(bits.next_set(201), None);
        assert_eq!(bits.next_set(1000), None);
    }
}
