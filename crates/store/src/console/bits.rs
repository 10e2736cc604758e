//! A list of truths, a bit each.

use std::ops::Range;

/// Truths by index.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bits {
    /// Zero beyond the length.
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    pub(super) fn zeros(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + 8 * self.words.capacity()
    }

    pub(super) fn get(&self, index: usize) -> bool {
        self.words[index / 64] >> (index % 64) & 1 == 1
    }

    pub(super) fn set(&mut self, index: usize, truth: bool) {
        let bit = 1 << (index % 64);
        match truth {
            true => self.words[index / 64] |= bit,
            false => self.words[index / 64] &= !bit,
        }
    }

    /// Appends `count` times the same.
    pub(super) fn push_many(&mut self, truth: bool, count: usize) {
        let begin = self.len;
        self.len += count;
        self.words.resize(self.len.div_ceil(64), 0);
        if truth {
            (begin..self.len).for_each(|index| self.set(index, true));
        }
    }

    /// Appends a part of another list.
    pub(super) fn extend(&mut self, other: &Self, range: Range<usize>) {
        let mut from = range.start;
        while from < range.end {
            let count = (range.end - from).min(64 - self.len % 64);
            let word = other.word_at(from) & mask(count);
            if self.len.is_multiple_of(64) {
                self.words.push(0);
            }
            self.words[self.len / 64] |= word << (self.len % 64);
            self.len += count;
            from += count;
        }
    }

    /// Keeps only what is true in another list of the same length, too.
    pub(super) fn retain(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// Turns every truth around.
    pub(super) fn flip(&mut self) {
        self.words.iter_mut().for_each(|word| *word = !*word);
        if let Some(last) = self.words.last_mut().filter(|_| !self.len.is_multiple_of(64)) {
            *last &= mask(self.len % 64);
        }
    }

    /// How many are true in a range.
    pub(super) fn count(&self, range: Range<usize>) -> usize {
        let mut sum = 0;
        let mut from = range.start;
        while from < range.end {
            let count = (range.end - from).min(64 - from % 64);
            sum += (self.words[from / 64] >> (from % 64) & mask(count)).count_ones() as usize;
            from += count;
        }
        sum
    }

    /// The indices of those that are true, without the first `skip` of them.
    pub(super) fn ones(&self, mut skip: usize) -> impl Iterator<Item = usize> {
        let at = self.words.iter().position(|word| {
            let ones = word.count_ones() as usize;
            let here = skip < ones;
            skip -= if here { 0 } else { ones };
            here
        });
        let words = self.words.iter().enumerate().skip(at.unwrap_or(self.words.len()));
        words.flat_map(|(index, word)| Ones(*word).map(move |bit| 64 * index + bit)).skip(skip)
    }

    fn word_at(&self, index: usize) -> u64 {
        let (word, shift) = (index / 64, index % 64);
        let low = self.words[word] >> shift;
        match self.words.get(word + 1) {
            Some(high) if shift > 0 => low | high << (64 - shift),
            _ => low,
        }
    }
}

fn mask(count: usize) -> u64 {
    if count == 64 { u64::MAX } else { (1 << count) - 1 }
}

/// The places of the bits of a word.
struct Ones(u64);

impl Iterator for Ones {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0.checked_sub(1)?;
        Some(bit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(truths: &[bool]) -> Bits {
        let mut bits = Bits::default();
        truths.iter().for_each(|truth| bits.push_many(*truth, 1));
        bits
    }

    proptest! {
        #[test]
        fn bits_are_as_a_list_of_truths(a: Vec<bool>, b in prop::collection::vec(any::<bool>(), 1..400), cut in 0.0..1.0f64, end in 0.0..1.0f64) {
            let from = (cut * b.len() as f64) as usize;
            let to = from + (end * (b.len() - from) as f64) as usize;
            let mut bits = of(&a);
            bits.extend(&of(&b), from..to);
            let plain: Vec<bool> = a.iter().chain(&b[from..to]).copied().collect();
            prop_assert_eq!(&bits, &of(&plain));
            let ones: Vec<usize> = (0..plain.len()).filter(|index| plain[*index]).collect();
            for skip in [0, 1, ones.len() / 2, ones.len(), ones.len() + 1] {
                prop_assert_eq!(bits.ones(skip).collect::<Vec<_>>(), ones.iter().copied().skip(skip).collect::<Vec<_>>());
            }
            prop_assert_eq!(of(&b).count(from..to), b[from..to].iter().filter(|truth| **truth).count());
            bits.flip();
            prop_assert_eq!(bits, of(&plain.iter().map(|truth| !truth).collect::<Vec<_>>()));
        }
    }
}
