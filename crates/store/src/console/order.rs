//! The lines of all processes of a run in one order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::bits::Bits;
use super::chunk::Head;
use super::stream_order::{Place, StreamOrder};
use crate::Error;

/// The merge of the processes is remembered every so many lines, and made again in between.
const BLOCK: u64 = 4096;

/// Reads the head of a chunk.
pub(super) type ReadHead<'a> = &'a mut dyn FnMut(i64) -> Result<Arc<Head>, Error>;

/// The lines of a run: those of each process, and how they are merged.
#[derive(Clone, Debug, Default)]
pub(super) struct ConsoleOrder {
    /// The rows of the processes, in the order in which they began, and their lines.
    streams: Vec<(i64, Arc<StreamOrder>)>,
    /// After every [`BLOCK`] lines; none for a single process.
    checkpoints: Vec<Checkpoint>,
}

/// How far a merge was.
#[derive(Clone, Debug)]
struct Checkpoint {
    /// How many lines of each process came before.
    positions: Box<[u64]>,
    /// Highest time of them.
    time: f64,
}

/// Lines of a selection, by process and place. A selection is of one process or all of them; masks say which of the lines
/// count.
pub(super) struct Selection<'a> {
    order: &'a ConsoleOrder,
    streams: Range<usize>,
    /// Those of the output, by process; `None` for all.
    of_output: Option<Vec<Bits>>,
    /// Those that match as well.
    matching: Option<Vec<Bits>>,
}

/// A line of a selection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Selected {
    /// Its place among the lines of the process and output, whether they match or not.
    pub(super) index: u64,
    /// The process.
    pub(super) stream: usize,
    /// Its place among the lines of the process.
    pub(super) at: u64,
}

impl ConsoleOrder {
    pub(super) fn streams(&self) -> &[(i64, Arc<StreamOrder>)] {
        &self.streams
    }

    pub(super) fn bytes(&self) -> usize {
        self.streams.iter().map(|(_, stream)| stream.bytes()).sum::<usize>()
            + self.checkpoints.len() * (size_of::<Checkpoint>() + 8 * self.streams.len())
    }

    /// Takes in the chunks that there are now: for each process that has any, its row and the chunks by arrival.
    pub(super) fn take_in(&mut self, now: &[(i64, Vec<i64>)], head: ReadHead<'_>) -> Result<(), Error> {
        let is_same = self.streams.len() <= now.len() && self.streams.iter().zip(now).all(|((a, _), (b, _))| a == b);
        if !is_same {
            // A process that began before others came late, or one is gone.
            self.checkpoints.clear();
            let mut before: HashMap<i64, Arc<StreamOrder>> = self.streams.drain(..).collect();
            self.streams = now.iter().map(|(row, _)| (*row, before.remove(row).unwrap_or_default())).collect();
        }
        for (row, _) in &now[self.streams.len()..] {
            self.streams.push((*row, Arc::default()));
            for checkpoint in &mut self.checkpoints {
                checkpoint.positions = checkpoint.positions.iter().copied().chain([0]).collect();
            }
        }
        for (index, (_, ids)) in now.iter().enumerate() {
            let stream = &mut self.streams[index].1;
            if stream.chunk_ids().eq(ids.iter().copied()) {
                continue;
            }
            let Some(changed) = Arc::make_mut(stream).take_in(ids, head)? else { continue };
            let stream = stream.clone();
            let first = match changed < stream.line_count() {
                true => time_of(&stream, stream.line(changed).first, head)?,
                false => f64::INFINITY,
            };
            // What comes now may belong before what was merged already.
            let stays = |checkpoint: &Checkpoint| {
                let position = checkpoint.positions[index];
                position < changed || position == changed && checkpoint.time < first
            };
            let kept = self.checkpoints.iter().take_while(|checkpoint| stays(checkpoint)).count();
            self.checkpoints.truncate(kept);
        }
        self.merge_on(head)
    }

    /// Remembers the merge up to the last whole block.
    fn merge_on(&mut self, head: ReadHead<'_>) -> Result<(), Error> {
        let missing = (self.line_count() / BLOCK).saturating_sub(self.checkpoints.len() as u64);
        if self.streams.len() < 2 || missing == 0 {
            return Ok(());
        }
        let mut new = Vec::new();
        let mut positions = self.positions(self.checkpoints.len());
        let mut time = self.checkpoints.last().map_or(f64::NEG_INFINITY, |last| last.time);
        let mut merge = Merge::new(&self.streams, &positions, None, head)?;
        for count in 1..=missing * BLOCK {
            let Some((stream, at, line_time)) = merge.next()? else { break };
            positions[stream] = at + 1;
            time = line_time.max(time);
            if count % BLOCK == 0 {
                new.push(Checkpoint { positions: positions.clone(), time });
            }
        }
        self.checkpoints.extend(new);
        Ok(())
    }

    fn line_count(&self) -> u64 {
        self.streams.iter().map(|(_, stream)| stream.line_count()).sum()
    }

    /// How many lines of each process come before a block.
    fn positions(&self, block: usize) -> Box<[u64]> {
        match block {
            0 => vec![0; self.streams.len()].into(),
            block if block <= self.checkpoints.len() => self.checkpoints[block - 1].positions.clone(),
            _ => self.streams.iter().map(|(_, stream)| stream.line_count()).collect(),
        }
    }

    /// No lines at all.
    pub(super) fn select_nothing(&self) -> Selection<'_> {
        Selection { order: self, streams: 0..0, of_output: None, matching: None }
    }

    /// The lines of a process, or of all. With `is_stderr`, only those of that output.
    pub(super) fn select(&self, stream: Option<usize>, is_stderr: Option<bool>) -> Selection<'_> {
        let streams = stream.map_or(0..self.streams.len(), |stream| stream..stream + 1);
        let of_output = is_stderr.map(|is_stderr| {
            let mask = |index: usize| {
                let mut mask = self.streams[index].1.stderr();
                if !is_stderr {
                    mask.flip();
                }
                mask
            };
            // Those of other processes are never looked at.
            (0..self.streams.len())
                .map(|index| if streams.contains(&index) { mask(index) } else { Bits::default() })
                .collect()
        });
        Selection { order: self, streams, of_output, matching: None }
    }
}

impl Selection<'_> {
    /// The processes that it is of.
    pub(super) fn streams(&self) -> Range<usize> {
        self.streams.clone()
    }

    /// Leaves those lines that `matches` tells of the entries of each chunk.
    pub(super) fn retain<'b>(&mut self, matches: &dyn Fn(i64) -> &'b Bits) {
        let mask = |index: usize| {
            if !self.streams.contains(&index) {
                return Bits::default();
            }
            let mut mask = self.order.streams[index].1.of_texts(matches);
            if let Some(of_output) = &self.of_output {
                mask.retain(&of_output[index]);
            }
            mask
        };
        self.matching = Some((0..self.order.streams.len()).map(mask).collect());
    }

    /// How many lines the process and output have.
    pub(super) fn line_count(&self) -> u64 {
        self.streams.clone().map(|index| count(&self.of_output, index, 0..self.all(index))).sum()
    }

    /// How many of them match.
    pub(super) fn total(&self) -> u64 {
        self.streams.clone().map(|index| count(self.mask(), index, 0..self.all(index))).sum()
    }

    /// At most `limit` of the lines that match, from one on.
    pub(super) fn lines(&self, from: u64, limit: usize, head: ReadHead<'_>) -> Result<Vec<Selected>, Error> {
        match self.streams.len() {
            0 => Ok(Vec::new()),
            1 => Ok(self.lines_of_one(self.streams.start, from, limit)),
            _ => self.lines_of_all(from, limit, head),
        }
    }

    fn lines_of_one(&self, stream: usize, from: u64, limit: usize) -> Vec<Selected> {
        let places: Vec<u64> = match self.mask() {
            None => (from..self.all(stream)).take(limit).collect(),
            Some(masks) => masks[stream].ones(from as usize).take(limit).map(|at| at as u64).collect(),
        };
        let (mut index, mut reached) = (0, 0);
        let selected = |at| {
            index += count(&self.of_output, stream, reached..at);
            reached = at;
            Selected { index, stream, at }
        };
        places.into_iter().map(selected).collect()
    }

    fn lines_of_all(&self, from: u64, limit: usize, head: ReadHead<'_>) -> Result<Vec<Selected>, Error> {
        let mut selected = Vec::with_capacity(limit.min(BLOCK as usize));
        // Lines of the output, and those that match, before the block.
        let (mut index, mut passed) = (0, 0);
        // All blocks before have as many lines when all lines count.
        let first = if self.mask().is_none() { (from / BLOCK).min(self.order.checkpoints.len() as u64) } else { 0 };
        (index, passed) = (index + first * BLOCK, passed + first * BLOCK);
        for block in first as usize..=self.order.checkpoints.len() {
            let (begin, end) = (self.order.positions(block), self.order.positions(block + 1));
            let sum = |masks: &Option<Vec<Bits>>| -> u64 {
                self.streams.clone().map(|stream| count(masks, stream, begin[stream]..end[stream])).sum()
            };
            let matching = sum(self.mask());
            if passed + matching <= from {
                (index, passed) = (index + sum(&self.of_output), passed + matching);
                continue;
            }
            let mut merge = Merge::new(&self.order.streams, &begin, Some(&end), &mut *head)?;
            while let Some((stream, at, _)) = merge.next()? {
                let is = |masks: &Option<Vec<Bits>>| masks.as_ref().is_none_or(|masks| masks[stream].get(at as usize));
                if is(self.mask()) {
                    if passed >= from {
                        selected.push(Selected { index, stream, at });
                    }
                    passed += 1;
                    if selected.len() == limit {
                        return Ok(selected);
                    }
                }
                index += u64::from(is(&self.of_output));
            }
        }
        Ok(selected)
    }

    fn mask(&self) -> &Option<Vec<Bits>> {
        if self.matching.is_some() { &self.matching } else { &self.of_output }
    }

    fn all(&self, stream: usize) -> u64 {
        self.order.streams[stream].1.line_count()
    }
}

/// How many lines of a range count.
fn count(masks: &Option<Vec<Bits>>, stream: usize, range: Range<u64>) -> u64 {
    match masks {
        None => range.end - range.start,
        Some(masks) => masks[stream].count(range.start as usize..range.end as usize) as u64,
    }
}

fn time_of(stream: &StreamOrder, place: Place, head: ReadHead<'_>) -> Result<f64, Error> {
    Ok(head(stream.chunk_id(place))?.times[place.entry as usize])
}

/// Merges lines of processes by time; those of a process stay in order.
struct Merge<'a> {
    cursors: Vec<Cursor<'a>>,
    /// The next line of each process that has one: its time, as a number in the order of times, and the process.
    next: BinaryHeap<Reverse<(i64, usize)>>,
    head: ReadHead<'a>,
}

/// The lines of a process from one on.
struct Cursor<'a> {
    stream: &'a StreamOrder,
    lines: Box<dyn Iterator<Item = (u64, Place)> + 'a>,
    /// The head that was last looked at.
    head: Option<(u32, Arc<Head>)>,
    /// The next line.
    line: Option<(u64, f64)>,
}

impl<'a> Merge<'a> {
    fn new(
        streams: &'a [(i64, Arc<StreamOrder>)],
        from: &[u64],
        until: Option<&[u64]>,
        head: ReadHead<'a>,
    ) -> Result<Self, Error> {
        let mut merge = Self { cursors: Vec::with_capacity(streams.len()), next: BinaryHeap::new(), head };
        for (index, (_, stream)) in streams.iter().enumerate() {
            let until = until.map_or(stream.line_count(), |until| until[index]);
            let lines = Box::new(stream.walk(from[index]..until));
            merge.cursors.push(Cursor { stream, lines, head: None, line: None });
            merge.advance(index)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, index: usize) -> Result<(), Error> {
        let cursor = &mut self.cursors[index];
        cursor.line = match cursor.lines.next() {
            None => None,
            Some((at, place)) => {
                let head = match &cursor.head {
                    Some((chunk, head)) if *chunk == place.chunk => head,
                    _ => {
                        let head = (self.head)(cursor.stream.chunk_id(place))?;
                        &cursor.head.insert((place.chunk, head)).1
                    }
                };
                let time = head.times[place.entry as usize];
                self.next.push(Reverse((in_order(time), index)));
                Some((at, time))
            }
        };
        Ok(())
    }

    /// The next line: its process, its place among the lines of that, and its time.
    fn next(&mut self) -> Result<Option<(usize, u64, f64)>, Error> {
        let Some(Reverse((_, index))) = self.next.pop() else { return Ok(None) };
        let line = self.cursors[index].line.map(|(at, time)| (index, at, time));
        self.advance(index)?;
        Ok(line)
    }
}

/// A number that is higher for a higher time.
fn in_order(time: f64) -> i64 {
    let bits = time.to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}
