//! The lines of one process in order: where each stands in the chunks, without looking at them one by one.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::bits::Bits;
use super::chunk::Head;
use crate::Error;

/// An entry of a chunk: the chunk by its place in [`StreamOrder::chunks`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) chunk: u32,
    pub(super) entry: u32,
}

impl Place {
    fn plus(self, entries: u64) -> Self {
        Self { entry: self.entry + entries as u32, ..self }
    }
}

/// Lines with numbers that follow one another and that first appeared in one chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    number: u64,
    count: u32,
    place: Place,
    /// The place of the first among the lines of the process.
    start: u64,
}

impl Span {
    /// One more than the last number.
    fn end(&self) -> u64 {
        self.number + u64::from(self.count)
    }

    fn entries(&self) -> Range<usize> {
        self.place.entry as usize..self.place.entry as usize + self.count as usize
    }
}

/// A chunk, and which of its entries are of standard error.
#[derive(Clone, Debug)]
struct Chunk {
    id: i64,
    stderr: Arc<Bits>,
}

/// A line: its number, where it first appeared, and where its text is now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) first: Place,
    pub(super) text: Place,
}

/// The lines of a process by number. Memory goes with the chunks, the gaps between numbers, and the lines that were written
/// again after their chunk was full; never with the numbers themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamOrder {
    /// By arrival.
    chunks: Vec<Chunk>,
    /// By number.
    spans: Vec<Span>,
    /// Where the text of a line is, if not where it first appeared.
    rewritten: HashMap<u64, Place, foldhash::fast::RandomState>,
    line_count: u64,
}

impl StreamOrder {
    pub(super) fn line_count(&self) -> u64 {
        self.line_count
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.chunks.iter().map(|chunk| size_of::<Chunk>() + chunk.stderr.bytes()).sum::<usize>()
            + size_of::<Span>() * self.spans.capacity()
            + 32 * self.rewritten.capacity()
    }

    pub(super) fn chunk_ids(&self) -> impl Iterator<Item = i64> {
        self.chunks.iter().map(|chunk| chunk.id)
    }

    pub(super) fn chunk_id(&self, place: Place) -> i64 {
        self.chunks[place.chunk as usize].id
    }

    /// Takes in the chunks that there are now, by arrival: those at the end may have been joined. Answers the place of the
    /// first line from which on something may have changed, if anything did.
    pub(super) fn take_in(
        &mut self,
        ids: &[i64],
        head: &mut dyn FnMut(i64) -> Result<Arc<Head>, Error>,
    ) -> Result<Option<u64>, Error> {
        let kept = self.chunk_ids().zip(ids).take_while(|(old, new)| old == *new).count();
        if kept == self.chunks.len() && kept == ids.len() {
            return Ok(None);
        }
        let heads = ids[kept..].iter().map(|id| Ok((*id, head(*id)?))).collect::<Result<Vec<_>, Error>>()?;
        let mut changed = self.line_count;
        if kept < self.chunks.len() {
            // Every line of a chunk that was joined is in the new one.
            let is_kept = |place: &Place| (place.chunk as usize) < kept;
            self.spans.retain(|span| {
                let stays = is_kept(&span.place);
                changed = if stays { changed } else { changed.min(span.start) };
                stays
            });
            self.rewritten.retain(|_, place| is_kept(place));
            self.chunks.truncate(kept);
            self.count_from(0);
        }
        for (id, head) in heads {
            changed = changed.min(self.add(id, &head));
        }
        Ok(Some(changed))
    }

    /// Adds a chunk behind the others; answers the place of the first line that is new.
    fn add(&mut self, id: i64, head: &Head) -> u64 {
        let chunk = self.chunks.len() as u32;
        self.chunks.push(Chunk { id, stderr: head.stderr.clone() });
        let mut fresh = Vec::new();
        for range in &head.ranges {
            let (mut number, end) = (range.number, range.number + u64::from(range.count));
            let place = |number: u64| Place { chunk, entry: range.entry }.plus(number - range.number);
            while number < end {
                let at = self.spans.partition_point(|span| span.end() <= number);
                let next = self.spans.get(at);
                let until;
                if let Some(known) = next.filter(|span| span.number <= number) {
                    until = end.min(known.end());
                    self.rewritten.extend((number..until).map(|number| (number, place(number))));
                } else {
                    until = next.map_or(end, |next| end.min(next.number));
                    fresh.push(Span { number, count: (until - number) as u32, place: place(number), start: 0 });
                }
                number = until;
            }
        }
        let Some(first) = fresh.first().map(|span| span.number) else { return self.line_count };
        let at = self.spans.partition_point(|span| span.number < first);
        self.spans.extend(fresh);
        // Mostly they are in order; a late line goes to its place.
        self.spans[at..].sort_by_key(|span| span.number);
        self.count_from(at);
        self.spans[at].start
    }

    /// Counts the lines of the spans from one on.
    fn count_from(&mut self, at: usize) {
        let before = at.checked_sub(1).map(|before| &self.spans[before]);
        let mut start = before.map_or(0, |span| span.start + u64::from(span.count));
        for span in &mut self.spans[at..] {
            span.start = start;
            start += u64::from(span.count);
        }
        self.line_count = start;
    }

    /// The line at a place, below the number of lines.
    pub(super) fn line(&self, at: u64) -> Line {
        let span = &self.spans[self.span_at(at)];
        let number = span.number + (at - span.start);
        let first = span.place.plus(at - span.start);
        Line { number, first, text: self.rewritten.get(&number).copied().unwrap_or(first) }
    }

    fn span_at(&self, at: u64) -> usize {
        self.spans.partition_point(|span| span.start <= at) - 1
    }

    /// Which lines are of standard error, by place.
    pub(super) fn stderr(&self) -> Bits {
        let mut bits = Bits::default();
        for span in &self.spans {
            bits.extend(&self.chunks[span.place.chunk as usize].stderr, span.entries());
        }
        bits
    }

    /// What holds of the lines' texts, by place, when `of` tells it of the entries of each chunk.
    pub(super) fn of_texts<'a>(&self, of: &dyn Fn(i64) -> &'a Bits) -> Bits {
        let of: Vec<&Bits> = self.chunk_ids().map(of).collect();
        let mut bits = Bits::default();
        for span in &self.spans {
            bits.extend(of[span.place.chunk as usize], span.entries());
        }
        for (number, place) in &self.rewritten {
            let span = self.spans.partition_point(|span| span.number <= *number) - 1;
            let at = self.spans[span].start + (number - self.spans[span].number);
            bits.set(at as usize, of[place.chunk as usize].get(place.entry as usize));
        }
        bits
    }

    /// The lines from one place up to another, each with where it first appeared.
    pub(super) fn walk(&self, range: Range<u64>) -> impl Iterator<Item = (u64, Place)> {
        let first = if range.is_empty() { self.spans.len() } else { self.span_at(range.start) };
        self.spans[first..].iter().take_while(move |span| span.start < range.end).flat_map(move |span| {
            let from = range.start.max(span.start);
            let to = range.end.min(span.start + u64::from(span.count));
            (from..to).map(|at| (at, span.place.plus(at - span.start)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::chunk::{Entry, decode_head, encode};
    use super::*;
    use steplog_model::ConsoleOutput;

    fn head(numbers: impl IntoIterator<Item = u64>) -> Arc<Head> {
        let entry = |number| Entry { number, time: 0.0, output: ConsoleOutput::Stdout, text: "".into() };
        let (head, _) = encode(&numbers.into_iter().map(entry).collect::<Vec<_>>());
        Arc::new(decode_head(&head, crate::chunk::checksum(&head)).unwrap())
    }

    fn lines(order: &StreamOrder) -> Vec<(u64, i64, u32)> {
        let line = |at| {
            let line = order.line(at);
            (line.number, order.chunk_id(line.text), line.text.entry)
        };
        (0..order.line_count()).map(line).collect()
    }

    #[test]
    fn later_chunks_rewrite_lines_and_fill_gaps() {
        let heads = HashMap::from([(1, head(0..3)), (2, head([1, 5, 6])), (3, head([3, 4])), (4, head([2, 5, 9]))]);
        let mut read = |id| Ok(heads[&id].clone());
        let mut order = StreamOrder::default();
        assert_eq!(order.take_in(&[1, 2], &mut read).unwrap(), Some(0));
        assert_eq!(lines(&order), [(0, 1, 0), (1, 2, 0), (2, 1, 2), (5, 2, 1), (6, 2, 2)]);
        assert_eq!(order.take_in(&[1, 2, 3], &mut read).unwrap(), Some(3));
        assert_eq!(lines(&order)[2..], [(2, 1, 2), (3, 3, 0), (4, 3, 1), (5, 2, 1), (6, 2, 2)]);
        assert_eq!(order.take_in(&[1, 2, 3, 4], &mut read).unwrap(), Some(7));
        assert_eq!(lines(&order)[5..], [(5, 4, 1), (6, 2, 2), (9, 4, 2)]);
        assert_eq!(order.take_in(&[1, 2, 3, 4], &mut read).unwrap(), None);
        assert_eq!(order.walk(2..6).map(|(at, _)| at).collect::<Vec<_>>(), [2, 3, 4, 5]);
    }

    #[test]
    fn joined_chunks_take_the_place_of_their_parts() {
        let heads =
            HashMap::from([(1, head(0..3)), (2, head([1, 3])), (3, head([1, 3, 4])), (4, head([0, 1, 3, 4, 5]))]);
        let mut read = |id| Ok(heads[&id].clone());
        let mut order = StreamOrder::default();
        order.take_in(&[1, 2, 3], &mut read).unwrap();
        assert_eq!(lines(&order), [(0, 1, 0), (1, 3, 0), (2, 1, 2), (3, 3, 1), (4, 3, 2)]);
        assert_eq!(order.take_in(&[1, 4], &mut read).unwrap(), Some(3));
        assert_eq!(lines(&order), [(0, 4, 0), (1, 4, 1), (2, 1, 2), (3, 4, 2), (4, 4, 3), (5, 4, 4)]);
        assert_eq!(order.rewritten.len(), 2);
    }

    #[test]
    fn huge_numbers_take_no_room() {
        let heads = HashMap::from([(1, head([0, 1 << 62])), (2, head([1 << 40]))]);
        let mut order = StreamOrder::default();
        order.take_in(&[1, 2], &mut |id| Ok(heads[&id].clone())).unwrap();
        assert_eq!(lines(&order), [(0, 1, 0), (1 << 40, 2, 0), (1 << 62, 1, 1)]);
    }
}
