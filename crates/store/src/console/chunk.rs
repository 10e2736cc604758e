//! Lines of one process as bytes: a head with numbers, times, outputs and lengths, and the texts.

use std::borrow::Cow;
use std::sync::Arc;

use steplog_model::ConsoleOutput;

use super::bits::Bits;
use crate::{Error, chunk};

/// What a line counts beside its text.
pub(super) const LINE_WEIGHT: usize = 16;

/// About the largest chunk: some thousand lines, read for the one that is shown.
pub(super) const CHUNK_WEIGHT: usize = 256 << 10;

/// Largest decoded size of a head, and of texts. A line alone may be 64 KiB long.
const MAX_BYTES: usize = 4 << 20;

/// A line as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry<'a> {
    pub(super) number: u64,
    /// When it first appeared.
    pub(super) time: f64,
    pub(super) output: ConsoleOutput,
    pub(super) text: Cow<'a, str>,
}

impl Entry<'_> {
    pub(super) fn weight(&self) -> usize {
        self.text.len() + LINE_WEIGHT
    }
}

/// Entries with numbers that follow one another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NumberRange {
    /// The number of the first.
    pub(super) number: u64,
    /// Where the first stands in the chunk.
    pub(super) entry: u32,
    pub(super) count: u32,
}

/// Everything of the lines but their texts.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Head {
    /// By number, and so the entries are.
    pub(super) ranges: Vec<NumberRange>,
    pub(super) times: Vec<f64>,
    /// Whether an entry is of standard error.
    pub(super) stderr: Arc<Bits>,
    /// Where each text ends; a line break follows, and then the next text.
    pub(super) ends: Vec<u32>,
}

impl Head {
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    pub(super) fn bytes(&self) -> usize {
        16 * self.ranges.len() + 12 * self.times.len() + self.stderr.bytes()
    }

    /// The text of an entry in the texts of its chunk.
    pub(super) fn text<'a>(&self, entry: usize, texts: &'a str) -> &'a str {
        let begin = if entry == 0 { 0 } else { self.ends[entry - 1] as usize + 1 };
        &texts[begin..self.ends[entry] as usize]
    }

    /// The entries with their texts.
    pub(super) fn entries<'a>(&self, texts: &'a str) -> Vec<Entry<'a>> {
        let numbers = self.ranges.iter().flat_map(|range| range.number..range.number + u64::from(range.count));
        let entry = |(index, number): (usize, u64)| Entry {
            number,
            time: self.times[index],
            output: if self.stderr.get(index) { ConsoleOutput::Stderr } else { ConsoleOutput::Stdout },
            text: Cow::Borrowed(self.text(index, texts)),
        };
        numbers.enumerate().map(entry).collect()
    }
}

/// The head and the texts of lines that stand by number, each number once.
pub(super) fn encode(entries: &[Entry<'_>]) -> (Vec<u8>, Vec<u8>) {
    let mut ranges: Vec<(u64, u32)> = Vec::new();
    let mut times: Vec<(u64, u32)> = Vec::new();
    let mut outputs: Vec<(u64, u32)> = Vec::new();
    let mut lengths = Vec::with_capacity(4 * entries.len());
    let mut texts = String::with_capacity(entries.iter().map(|entry| entry.text.len() + 1).sum());
    for entry in entries {
        match ranges.last_mut() {
            Some((first, count)) if *first + u64::from(*count) == entry.number => *count += 1,
            _ => ranges.push((entry.number, 1)),
        }
        for (list, word) in [(&mut times, entry.time.to_bits()), (&mut outputs, entry.output as u64)] {
            match list.last_mut() {
                Some((last, count)) if *last == word => *count += 1,
                _ => list.push((word, 1)),
            }
        }
        lengths.extend((entry.text.len() as u32).to_le_bytes());
        texts.push_str(&entry.text);
        texts.push('\n');
    }
    let mut head = (entries.len() as u32).to_le_bytes().to_vec();
    for list in [ranges, times, outputs] {
        head.extend((list.len() as u32).to_le_bytes());
        for (word, count) in list {
            head.extend(word.to_le_bytes());
            head.extend(count.to_le_bytes());
        }
    }
    head.extend(lengths);
    let level = if texts.len() > CHUNK_WEIGHT / 2 { 3 } else { 1 };
    (chunk::compress(&head, 1), chunk::compress(texts.as_bytes(), level))
}

pub(super) fn decode_head(stored: &[u8], checksum: i64) -> Result<Head, Error> {
    chunk::check(stored, checksum)?;
    let plain = chunk::decompress(stored, MAX_BYTES)?;
    let mut rest = &plain[..];
    read_head(&mut rest).filter(|_| rest.is_empty()).ok_or_else(malformed)
}

fn read_head(rest: &mut &[u8]) -> Option<Head> {
    let count = take_count(rest)?;
    let ranges = take_pairs(rest, count)?;
    let times = take_pairs(rest, count)?;
    let outputs = take_pairs(rest, count)?;
    let mut head = Head::default();
    let (mut entry, mut next) = (0u32, 0);
    for (number, count) in ranges {
        let end = number.checked_add(count.into()).filter(|_| number >= next)?;
        head.ranges.push(NumberRange { number, entry, count });
        entry = entry.checked_add(count)?;
        next = end;
    }
    for (bits, count) in times {
        head.times.extend(std::iter::repeat_n(f64::from_bits(bits), count as usize));
    }
    let mut stderr = Bits::default();
    for (output, count) in outputs {
        stderr.push_many(output == ConsoleOutput::Stderr as u64, count as usize);
    }
    head.stderr = Arc::new(stderr);
    let mut end = 0u32;
    for _ in 0..count {
        let length = take_count(rest)? as u32;
        head.ends.push(end.checked_add(length)?);
        end = end.checked_add(length)?.checked_add(1)?;
    }
    (entry as usize == count).then_some(head)
}

/// The texts of the lines that a head tells of.
pub(super) fn decode_texts(stored: &[u8], checksum: i64, head: &Head) -> Result<String, Error> {
    chunk::check(stored, checksum)?;
    let texts = String::from_utf8(chunk::decompress(stored, MAX_BYTES)?).map_err(|_| malformed())?;
    let breaks = head.ends.iter().all(|end| texts.as_bytes().get(*end as usize) == Some(&b'\n'));
    match breaks && head.ends.last().map_or(0, |end| *end as usize + 1) == texts.len() {
        true => Ok(texts),
        false => Err(malformed()),
    }
}

/// Words with how often each comes; together `count` times.
fn take_pairs(rest: &mut &[u8], count: usize) -> Option<Vec<(u64, u32)>> {
    let pairs = take_count(rest)?;
    let (front, back) = rest.split_at_checked(pairs.checked_mul(12)?)?;
    *rest = back;
    let pair = |bytes: &[u8]| {
        let (word, count) = bytes.split_at(8);
        (u64::from_le_bytes(word.try_into().expect("8 bytes")), u32::from_le_bytes(count.try_into().expect("4 bytes")))
    };
    let pairs: Vec<_> = front.chunks_exact(12).map(pair).collect();
    let sum: u64 = pairs.iter().map(|(_, count)| u64::from(*count)).sum();
    (sum == count as u64).then_some(pairs)
}

fn take_count(rest: &mut &[u8]) -> Option<usize> {
    let (front, back) = rest.split_first_chunk::<4>()?;
    *rest = back;
    Some(u32::from_le_bytes(*front) as usize)
}

fn malformed() -> Error {
    Error::data("a chunk of console lines is malformed")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_read_back(lines in prop::collection::btree_map(0..300u64, (0..9u32, any::<bool>(), "[^\n]{0,9}"), 0..90)) {
            let entry = |(number, (time, is_stderr, text)): (&u64, &(u32, bool, String))| Entry {
                number: *number,
                time: f64::from(*time),
                output: if *is_stderr { ConsoleOutput::Stderr } else { ConsoleOutput::Stdout },
                text: Cow::Owned(text.clone()),
            };
            let entries: Vec<_> = lines.iter().map(entry).collect();
            let (head, texts) = encode(&entries);
            let head = decode_head(&head, chunk::checksum(&head)).unwrap();
            let texts = decode_texts(&texts, chunk::checksum(&texts), &head).unwrap();
            prop_assert_eq!(head.entries(&texts), entries);
        }

        #[test]
        fn hostile_bytes_are_refused_without_panic(plain: Vec<u8>) {
            let _ = read_head(&mut &plain[..]);
        }
    }
}
