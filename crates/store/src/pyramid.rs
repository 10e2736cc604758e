//! Statistics of a long column over ranges of steps, so that a chart reads as many of them as it has pixels.
//!
//! The base has a node for each range of `2^level` steps that has a point, some hundred points each; every level above
//! is four times as wide. A point behind all others costs one addition. A late or repeated step only marks its node:
//! marked nodes are computed anew from the points before the next look.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::Error;
use crate::points::Points;
use crate::source::Source;
use crate::statistics::Statistics;

/// Points for each base node that the first level is chosen for.
const POINTS_PER_NODE: u128 = 128;

/// The base gets coarser when it has more nodes than this, and more than one for every 32 points.
const FEW_NODES: usize = 4096;

/// Each level is `2^SHIFT` times as wide as the one below.
const SHIFT: u32 = 2;

/// The level, and what a node takes as bytes.
const HEAD_BYTES: usize = 4;
const NODE_BYTES: usize = 104;

/// Statistics of the points with `step >> level == index`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) index: i64,
    pub(crate) statistics: Statistics,
}

#[derive(Debug)]
pub(crate) struct Pyramid {
    level: u32,
    /// By index; none is empty.
    nodes: Vec<Node>,
    upper: Vec<Vec<Node>>,
    /// Base nodes below this position are in `upper`.
    folded: usize,
    /// Indices of base nodes that do not match the points.
    dirty: BTreeSet<i64>,
}

impl Pyramid {
    /// An empty pyramid for about so many points over so many steps.
    pub(crate) fn new(point_count: usize, first_step: i64, last_step: i64) -> Self {
        let span = (i128::from(last_step) - i128::from(first_step)).max(1) as u128;
        let width = (span * POINTS_PER_NODE / (point_count.max(1) as u128)).max(1);
        Self { level: width.ilog2().min(62), nodes: Vec::new(), upper: Vec::new(), folded: 0, dirty: BTreeSet::new() }
    }

    /// Memory that it takes, with what is taken in advance.
    pub(crate) fn bytes(&self) -> usize {
        let upper: usize = self.upper.iter().map(Vec::capacity).sum();
        size_of::<Node>() * (self.nodes.capacity() + upper) + 16 * self.dirty.len()
    }

    /// Takes in a later point; `None` is a value that cannot be charted and may overwrite one that can.
    pub(crate) fn push(&mut self, step: i64, time: f64, value: Option<f64>) {
        let index = step >> self.level;
        let last = self.nodes.len().wrapping_sub(1);
        match (self.nodes.last_mut(), value) {
            (Some(node), Some(value)) if node.index == index && step > node.statistics.last_step => {
                node.statistics.add(step, time, value);
                self.folded = self.folded.min(last);
            }
            (Some(node), _) if step <= node.statistics.last_step => drop(self.dirty.insert(index)),
            (_, Some(value)) => {
                let mut statistics = Statistics::default();
                statistics.add(step, time, value);
                self.nodes.push(Node { index, statistics });
            }
            (_, None) => {}
        }
    }

    /// Computes marked nodes anew and brings the levels above up to date.
    pub(crate) fn settle(&mut self, source: &Source<'_>) -> Result<(), Error> {
        self.repair(source)?;
        let point_count: u64 = self.nodes.iter().map(|node| u64::from(node.statistics.count)).sum();
        while self.nodes.len() > FEW_NODES && self.nodes.len() as u64 > point_count / 32 && self.level < 62 {
            self.level += 1;
            self.nodes = fold(&self.nodes, 1);
            self.folded = 0;
        }
        self.fold_upper();
        Ok(())
    }

    fn repair(&mut self, source: &Source<'_>) -> Result<(), Error> {
        let dirty = std::mem::take(&mut self.dirty);
        let mut fresh = Vec::new();
        let mut rest = dirty.iter().copied().peekable();
        while let Some(first) = rest.next() {
            let mut last = first;
            while rest.peek().is_some_and(|next| *next == last + 1) {
                last = rest.next().unwrap_or(last);
            }
            let steps = self.steps(self.level, first, last);
            let points = match source.arrivals(0, &steps) {
                Ok(arrivals) => Points::from(&arrivals),
                Err(error) => {
                    self.dirty = dirty;
                    return Err(error);
                }
            };
            for (step, time, value) in points.iter() {
                let index = step >> self.level;
                if fresh.last().is_none_or(|node: &Node| node.index != index) {
                    fresh.push(Node { index, statistics: Statistics::default() });
                }
                if let Some(node) = fresh.last_mut() {
                    node.statistics.add(step, time, value);
                }
            }
        }
        if let Some(first) = dirty.first() {
            self.folded = self.folded.min(self.nodes.partition_point(|node| node.index < *first));
            self.nodes.retain(|node| !dirty.contains(&node.index));
            self.nodes.extend(fresh);
            // Two sorted runs: the sort is a merge.
            self.nodes.sort_by_key(|node| node.index);
        }
        Ok(())
    }

    fn fold_upper(&mut self) {
        let mut shift = SHIFT;
        let mut above = 0;
        while self.nodes.len() >> shift > 16 || above == 0 {
            if self.upper.len() == above {
                self.upper.push(Vec::new());
                self.folded = 0;
            }
            shift += SHIFT;
            above += 1;
        }
        self.upper.truncate(above);
        let changed = self.nodes.get(self.folded).map(|node| node.index);
        for at in 0..above {
            let (below, level) = match self.upper.split_at_mut(at) {
                ([], [level, ..]) => (&self.nodes, level),
                ([.., below], [level, ..]) => (&*below, level),
                (_, []) => break,
            };
            let first = changed.map_or(i64::MAX, |index| index >> (SHIFT * (at as u32 + 1)));
            level.truncate(level.partition_point(|node| node.index < first));
            let begin = below.partition_point(|node| node.index >> SHIFT < first);
            level.extend(fold(&below[begin..], SHIFT));
        }
        self.folded = self.nodes.len();
    }

    /// The base as bytes, made coarser until it has at most so many nodes. To be called when all is settled.
    pub(crate) fn encode(&self, most: usize) -> Vec<u8> {
        let (mut level, mut nodes) = (self.level, self.nodes.clone());
        while nodes.len() > most && level < 62 {
            level += 1;
            nodes = fold(&nodes, 1);
        }
        let count = nodes.len();
        let mut bytes = vec![0; HEAD_BYTES + count * NODE_BYTES];
        bytes[..HEAD_BYTES].copy_from_slice(&level.to_le_bytes());
        for (at, node) in nodes.iter().enumerate() {
            let node = node.index.to_le_bytes().into_iter().chain(node.statistics.encode());
            // First bytes of all nodes, then second ones …: neighbours are alike, which a compressor likes.
            node.enumerate().for_each(|(byte, value)| bytes[HEAD_BYTES + byte * count + at] = value);
        }
        bytes
    }

    /// The inverse of [`Self::encode`]; the levels above are made when it is settled.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let damaged = || Error::data("the kept statistics of a column are damaged");
        let (level, bytes) = bytes.split_first_chunk().ok_or_else(damaged)?;
        let level = u32::from_le_bytes(*level);
        let count = bytes.len() / NODE_BYTES;
        if level > 62 || bytes.len() % NODE_BYTES != 0 {
            return Err(damaged());
        }
        let node = |at| {
            let mut node = [0; NODE_BYTES];
            node.iter_mut().enumerate().for_each(|(byte, value)| *value = bytes[byte * count + at]);
            let (index, statistics) = node.split_first_chunk().ok_or_else(damaged)?;
            Ok(Node { index: i64::from_le_bytes(*index), statistics: Statistics::decode(statistics)? })
        };
        let nodes = (0..count).map(node).collect::<Result<Vec<_>, Error>>()?;
        let is_sorted = nodes.is_sorted_by(|a, b| a.index < b.index);
        let fits = |node: &Node| node.statistics.count > 0 && node.statistics.last_step >> level == node.index;
        if !is_sorted || !nodes.iter().all(fits) {
            return Err(damaged());
        }
        Ok(Self { level, nodes, upper: Vec::new(), folded: 0, dirty: BTreeSet::new() })
    }

    /// Statistics of all points.
    pub(crate) fn total(&self) -> Statistics {
        let mut total = Statistics::default();
        for node in self.upper.last().unwrap_or(&self.nodes) {
            total.merge(&node.statistics);
        }
        total
    }

    /// The base: its level and nodes.
    pub(crate) fn base(&self) -> (u32, &[Node]) {
        (self.level, &self.nodes)
    }

    /// The coarsest nodes that fit into buckets of `2^level` steps; `None` when even the base is too coarse.
    pub(crate) fn nodes_within(&self, level: u32) -> Option<(u32, &[Node])> {
        let above = level.checked_sub(self.level)? / SHIFT;
        Some(match (above as usize).min(self.upper.len()) {
            0 => (self.level, &self.nodes),
            above => (self.level + SHIFT * above as u32, &self.upper[above - 1]),
        })
    }

    /// The steps of the nodes from `first` to `last`.
    pub(crate) fn steps(&self, level: u32, first: i64, last: i64) -> RangeInclusive<i64> {
        let width = 1i128 << level;
        let begin = (i128::from(first) * width).max(i64::MIN.into()) as i64;
        let end = ((i128::from(last) + 1) * width - 1).min(i64::MAX.into()) as i64;
        begin..=end
    }
}

/// Merges nodes whose indices agree without their last `shift` bits.
fn fold(nodes: &[Node], shift: u32) -> Vec<Node> {
    let mut folded: Vec<Node> = Vec::with_capacity(nodes.len() / 2 + 1);
    for node in nodes {
        let index = node.index >> shift;
        match folded.last_mut() {
            Some(last) if last.index == index => last.statistics.merge(&node.statistics),
            _ => folded.push(Node { index, ..*node }),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pyramid_reads_back_as_coarse_as_asked_for() {
        let mut pyramid = Pyramid::new(1 << 14, -50, 1 << 14);
        for step in -50..1 << 14 {
            pyramid.push(step, step as f64, Some(if step == 99 { f64::NAN } else { step as f64 }));
        }
        pyramid.fold_upper();
        let exact = Pyramid::decode(&pyramid.encode(usize::MAX)).unwrap();
        let text = |pyramid: &Pyramid| format!("{} {:?}", pyramid.level, pyramid.nodes);
        assert_eq!(text(&exact), text(&pyramid), "NaN equals nothing but its text");
        let mut coarse = Pyramid::decode(&pyramid.encode(10)).unwrap();
        assert!(coarse.nodes.len() <= 10 && coarse.nodes.len() > 4, "{}", coarse.nodes.len());
        coarse.fold_upper();
        let total = |pyramid: &Pyramid| {
            let total = pyramid.total();
            (total.count, total.nan_count, total.min, total.max, total.first_step, total.last_step, total.last)
        };
        assert_eq!(total(&coarse), total(&pyramid));
        let bytes = pyramid.encode(10);
        assert!(Pyramid::decode(&bytes[..bytes.len() - 1]).is_err());
        assert!(Pyramid::decode(&[&[63, 0, 0, 0], &bytes[4..]].concat()).is_err());
        assert!(Pyramid::decode(&[]).is_err());
    }
}
