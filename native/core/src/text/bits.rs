//! A fixed-size row of bits: one bit a position where a whole word would be too dear.

/// Bits, all unset at first. Memory: 1/8 byte a bit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// `len` unset bits.
    pub(super) fn new(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)] }
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> bool {
        self.words[at / 64] >> (at % 64) & 1 != 0
    }

    #[inline]
    pub(super) fn set(&mut self, at: usize) {
        self.words[at / 64] |= 1 << (at % 64);
    }

    /// The first set bit at or after `at`, if any. Skips 64 unset bits a step.
    #[inline]
    pub(super) fn next_set(&self, at: usize) -> Option<usize> {
        let mut index = at / 64;
        let mut word = *self.words.get(index)? & (u64::MAX << (at % 64));
        while word == 0 {
            index += 1;
            word = *self.words.get(index)?;
        }
        Some(index * 64 + word.trailing_zeros() as usize)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.words.capacity() * 8
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
