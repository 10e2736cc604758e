//! Samples of one process as bytes: steps, times, and a column for each metric, which is read without the others.

use std::ops::Range;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};

use crate::Error;
use crate::chunk::{check, compress, decompress, malformed, put_numbers, take_count, take_numbers};

/// What a sample, and each of its values, counts.
const WEIGHT: usize = 16;

/// About the largest chunk.
pub(super) const CHUNK_WEIGHT: usize = 512 << 10;

/// Largest decoded size of what is told of the columns. A sample may have 4 MiB of keys.
const MAX_HEAD_BYTES: usize = 32 << 20;

/// Some samples of a process, as they came.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Samples {
    /// The run's highest step when they were taken.
    pub(super) steps: Vec<i64>,
    pub(super) times: Vec<f64>,
    /// By metric: which of the samples have it, in order, and the values.
    columns: HashMap<Arc<str>, Column>,
    /// The metrics in the order in which they came.
    names: Vec<Arc<str>>,
    pub(super) weight: usize,
}

#[derive(Debug, Default, PartialEq)]
struct Column {
    samples: Vec<u64>,
    values: Vec<f64>,
}

impl Samples {
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    pub(super) fn push(&mut self, step: i64, time: f64, values: impl Iterator<Item = (Arc<str>, f64)>) {
        let sample = self.len() as u64;
        self.steps.push(step);
        self.times.push(time);
        self.weight += WEIGHT;
        for (name, value) in values {
            self.put(sample, name, value);
        }
    }

    /// Of two values of a metric in a sample the later holds.
    fn put(&mut self, sample: u64, name: Arc<str>, value: f64) {
        let column = self.columns.entry(name.clone()).or_insert_with(|| {
            self.names.push(name.clone());
            Column::default()
        });
        if column.samples.last() == Some(&sample) {
            column.values.pop();
        } else {
            column.samples.push(sample);
            self.weight += WEIGHT + name.len();
        }
        column.values.push(value);
    }

    /// Adds later samples.
    pub(super) fn append(&mut self, later: Self) {
        let offset = self.len() as u64;
        self.steps.extend(later.steps);
        self.times.extend(later.times);
        for name in later.names {
            let Some(more) = later.columns.get(&name) else { continue };
            let column = self.columns.entry(name.clone()).or_insert_with(|| {
                self.names.push(name);
                Column::default()
            });
            column.samples.extend(more.samples.iter().map(|sample| offset + sample));
            column.values.extend(&more.values);
        }
        self.weight += later.weight;
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let (mut head, mut columns) = (Vec::new(), Vec::new());
        put_numbers(&mut head, &self.steps);
        put_numbers(&mut head, &self.times);
        for name in &self.names {
            let column = &self.columns[name];
            let begin = columns.len();
            put_numbers(&mut columns, &column.values);
            if column.samples.len() < self.len() {
                put_numbers(&mut columns, &column.samples);
            }
            head.extend((name.len() as u32).to_le_bytes());
            head.extend(name.as_bytes());
            head.extend(((columns.len() - begin) as u32).to_le_bytes());
        }
        let head = compress(&head, 1);
        let mut data = (head.len() as u32).to_le_bytes().to_vec();
        data.extend(head);
        data.extend(columns);
        data
    }
}

/// A stored chunk, whose columns are decoded when they are asked for.
#[derive(Debug)]
pub(crate) struct SystemChunk {
    pub(super) steps: Vec<i64>,
    pub(super) times: Vec<f64>,
    /// Where each metric stands in the data.
    places: HashMap<Arc<str>, Range<usize>>,
    names: Vec<Arc<str>>,
    data: Vec<u8>,
}

impl SystemChunk {
    pub(super) fn decode(data: &[u8], checksum: i64) -> Result<Self, Error> {
        check(data, checksum)?;
        let mut rest = data;
        let length = take_count(&mut rest)?;
        let (head, columns) = rest.split_at_checked(length).ok_or_else(malformed)?;
        let head = decompress(head, MAX_HEAD_BYTES)?;
        let mut rest = &head[..];
        let (steps, times) = (take_numbers::<i64>(&mut rest)?, take_numbers::<f64>(&mut rest)?);
        let (mut places, mut names, mut begin) = (HashMap::new(), Vec::new(), 0usize);
        while !rest.is_empty() {
            let length = take_count(&mut rest)?;
            let (name, after) = rest.split_at_checked(length).ok_or_else(malformed)?;
            rest = after;
            let end = begin.checked_add(take_count(&mut rest)?).filter(|end| *end <= columns.len());
            let end = end.ok_or_else(malformed)?;
            let name: Arc<str> = std::str::from_utf8(name).map_err(|_| malformed())?.into();
            names.push(name.clone());
            places.insert(name, begin..end);
            begin = end;
        }
        match steps.len() == times.len() && begin == columns.len() && names.len() == places.len() {
            true => Ok(Self { steps, times, places, names, data: columns.to_vec() }),
            false => Err(malformed()),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let names: usize = self.names.iter().map(|name| 80 + name.len()).sum();
        size_of::<Self>() + 16 * self.steps.capacity() + names + self.data.capacity()
    }

    /// The metrics in the order in which they came.
    pub(super) fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The values of a metric, each with the index of its sample.
    pub(super) fn column(&self, name: &str) -> Result<Vec<(usize, f64)>, Error> {
        let Some(place) = self.places.get(name) else { return Ok(Vec::new()) };
        let mut rest = &self.data[place.clone()];
        let values: Vec<f64> = take_numbers(&mut rest)?;
        if rest.is_empty() {
            return match values.len() == self.steps.len() {
                true => Ok(values.into_iter().enumerate().collect()),
                false => Err(malformed()),
            };
        }
        let samples: Vec<u64> = take_numbers(&mut rest)?;
        let is_good = samples.len() == values.len() && samples.iter().all(|sample| *sample < self.steps.len() as u64);
        match is_good && rest.is_empty() {
            true => Ok(samples.into_iter().map(|sample| sample as usize).zip(values).collect()),
            false => Err(malformed()),
        }
    }

    /// All samples.
    pub(super) fn samples(&self) -> Result<Samples, Error> {
        let mut samples = Samples { weight: WEIGHT * self.steps.len(), ..Samples::default() };
        samples.steps.clone_from(&self.steps);
        samples.times.clone_from(&self.times);
        for name in &self.names {
            for (sample, value) in self.column(name)? {
                samples.put(sample as u64, name.clone(), value);
            }
        }
        Ok(samples)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chunk::checksum;

    /// Step, time, and values by a number of the metric.
    type Given = (i64, f64, Vec<(u8, f64)>);

    fn of(samples: &[Given]) -> Samples {
        let mut all = Samples::default();
        for (step, time, values) in samples {
            all.push(*step, *time, values.iter().map(|(name, value)| (format!("m{name}").into(), *value)));
        }
        all
    }

    fn read(samples: &Samples) -> Samples {
        let data = samples.encode();
        SystemChunk::decode(&data, checksum(&data)).unwrap().samples().unwrap()
    }

    proptest! {
        #[test]
        fn samples_read_back_and_join(
            samples in prop::collection::vec((any::<i64>(), 0.0..1e9f64, prop::collection::vec((0..5u8, -1e3..1e3f64), 0..6)), 0..60),
            cut in 0.0..1.0f64,
        ) {
            let all = of(&samples);
            prop_assert_eq!(&read(&all), &all);
            let (front, back) = samples.split_at((cut * samples.len() as f64) as usize);
            let mut joined = read(&of(front));
            joined.append(read(&of(back)));
            prop_assert_eq!(joined, all);
        }

        #[test]
        fn hostile_bytes_are_refused_without_panic(data: Vec<u8>) {
            if let Ok(chunk) = SystemChunk::decode(&data, checksum(&data)) {
                let _ = chunk.samples();
            }
        }
    }

    #[test]
    fn one_metric_is_read_without_the_others() {
        let samples = of(&[(0, 1.0, vec![(1, 0.5), (2, f64::NAN)]), (3, 2.0, vec![(1, 0.25)])]);
        let data = samples.encode();
        let chunk = SystemChunk::decode(&data, checksum(&data)).unwrap();
        assert_eq!(chunk.column("m1").unwrap(), [(0, 0.5), (1, 0.25)]);
        assert_eq!(chunk.column("m2").unwrap().len(), 1);
        assert_eq!(chunk.column("m3").unwrap(), []);
    }
}
