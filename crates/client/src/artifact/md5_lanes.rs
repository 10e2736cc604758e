//! MD5 of several contents at once.
//!
//! Each step of MD5 needs the one before, so that a processor waits most of the time; with a lane of a vector for each
//! content, the steps of eight are done in the time of about three. Source: RFC 1321.

use md5::block_api::compress;
use steplog_model::Md5;
use wide::u32x8;

/// So many contents go side by side.
pub(crate) const LANES: usize = 8;

/// Of fewer contents each is hashed by itself.
const WORTHWHILE: usize = 3;

const BLOCK_BYTES: usize = 64;

/// A, B, C and D before the first block.
const BEGINNING: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// What is added in each step: the integer part of 2³² × |sin(step + 1)|.
#[rustfmt::skip]
const SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

/// The digests of contents, in their order. It takes least when they are about as long as each other.
pub(crate) fn digest_each(contents: &[&[u8]]) -> Vec<Md5> {
    let mut order: Vec<usize> = (0..contents.len()).collect();
    order.sort_unstable_by_key(|index| contents[*index].len());
    let mut digests = vec![Md5::from_bytes([0; 16]); contents.len()];
    for some in order.chunks(LANES) {
        // They are side by side as long as each has a block more.
        let shared = match some {
            [shortest, ..] if some.len() >= WORTHWHILE => contents[*shortest].len() / BLOCK_BYTES * BLOCK_BYTES,
            _ => 0,
        };
        // A lane that has none repeats the last.
        let lanes = std::array::from_fn(|lane| &contents[some[lane.min(some.len() - 1)]][..shared]);
        let states = compress_each(lanes);
        for (index, state) in some.iter().zip(states) {
            digests[*index] = finish(state, contents[*index], shared);
        }
    }
    digests
}

/// A digest, when the blocks up to `done` are in the state.
fn finish(mut state: [u32; 4], content: &[u8], done: usize) -> Md5 {
    let (blocks, rest) = content[done..].as_chunks::<BLOCK_BYTES>();
    compress(&mut state, blocks);
    // A one, zeros, and the length in bits: one block more, or two.
    let mut last = [0; 2 * BLOCK_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    let end = if rest.len() < BLOCK_BYTES - 8 { BLOCK_BYTES } else { 2 * BLOCK_BYTES };
    last[end - 8..end].copy_from_slice(&(content.len() as u64).wrapping_mul(8).to_le_bytes());
    compress(&mut state, last[..end].as_chunks().0);
    let mut digest = [0; 16];
    for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_le_bytes();
    }
    Md5::from_bytes(digest)
}

/// The states after the blocks of contents that have the same length.
fn compress_each(contents: [&[u8]; LANES]) -> [[u32; 4]; LANES] {
    let mut blocks = contents.map(|content| content.as_chunks::<BLOCK_BYTES>().0.iter());
    let mut state = BEGINNING.map(u32x8::splat);
    for _ in 0..contents[0].len() / BLOCK_BYTES {
        let before = state;
        let words = words(blocks.each_mut().map(|blocks| blocks.next().expect("all have the same length")));
        round::<7, 12, 17, 22>(&mut state, &words, 0, |b, c, d| d ^ (b & (c ^ d)), |step| step);
        round::<5, 9, 14, 20>(&mut state, &words, 16, |b, c, d| c ^ (d & (b ^ c)), |step| 5 * step + 1);
        round::<4, 11, 16, 23>(&mut state, &words, 32, |b, c, d| b ^ c ^ d, |step| 3 * step + 5);
        round::<6, 10, 15, 21>(&mut state, &words, 48, |b, c, d| c ^ (b | !d), |step| 7 * step);
        state = std::array::from_fn(|word| state[word] + before[word]);
    }
    let state = state.map(u32x8::to_array);
    std::array::from_fn(|lane| state.map(|words| words[lane]))
}

/// The words of a block, of each lane.
#[inline(always)]
fn words(blocks: [&[u8; BLOCK_BYTES]; LANES]) -> [u32x8; 16] {
    let words = blocks.map(|block| block.as_chunks::<4>().0);
    std::array::from_fn(|word| u32x8::from(words.map(|words| u32::from_le_bytes(words[word]))))
}

/// Sixteen steps that differ in what they rotate by, four by four, and in which word they take.
#[inline(always)]
fn round<const FIRST: u32, const SECOND: u32, const THIRD: u32, const FOURTH: u32>(
    [a, b, c, d]: &mut [u32x8; 4],
    words: &[u32x8; 16],
    sines: usize,
    mix: impl Fn(u32x8, u32x8, u32x8) -> u32x8 + Copy,
    word: impl Fn(usize) -> usize,
) {
    for first in (0..16).step_by(4) {
        let added = |step: usize| words[word(step) % 16] + u32x8::splat(SINES[sines + step]);
        *a = turn::<FIRST>(*a + mix(*b, *c, *d) + added(first)) + *b;
        *d = turn::<SECOND>(*d + mix(*a, *b, *c) + added(first + 1)) + *a;
        *c = turn::<THIRD>(*c + mix(*d, *a, *b) + added(first + 2)) + *d;
        *b = turn::<FOURTH>(*b + mix(*c, *d, *a) + added(first + 3)) + *c;
    }
}

#[inline(always)]
fn turn<const BY: u32>(value: u32x8) -> u32x8 {
    (value << BY) | (value >> (32 - BY))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn content(seed: usize, size: usize) -> Vec<u8> {
        (0..size).map(|index| ((index + seed) * 31 % 251) as u8).collect()
    }

    fn check(contents: &[Vec<u8>]) {
        let contents: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
        let expected: Vec<Md5> = contents.iter().map(|content| Md5::of(content)).collect();
        assert_eq!(digest_each(&contents), expected);
    }

    #[test]
    fn every_length_around_a_block_ends_as_it_should() {
        for count in 0..=2 * LANES + 1 {
            check(&(0..count).map(|seed| content(seed, 1000)).collect::<Vec<_>>());
        }
        for size in 0..=3 * BLOCK_BYTES {
            check(&(0..LANES).map(|seed| content(seed, size)).collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn contents_of_any_lengths_have_their_digests(sizes in proptest::collection::vec(0usize..2000, 0..20)) {
            check(&sizes.iter().enumerate().map(|(seed, size)| content(seed, *size)).collect::<Vec<_>>());
        }
    }
}
