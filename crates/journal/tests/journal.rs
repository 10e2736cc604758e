//! The journal as its users see it: write, read, cut, damage, full disk.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use steplog_journal::{
    AppendError, Chunk, Event, JournalReader, JournalWriter, Keys, ReadError, StreamDecoder, StreamError, Tail,
    WriterOptions, list_segments,
};
use steplog_model::{Record, Row, StreamId, Value};

const SMALL: WriterOptions = WriterOptions { segment_bytes: 512, memory_bytes: 1 << 20, mapped: true };

fn write_rows(writer: &mut JournalWriter, steps: std::ops::Range<i64>) {
    for step in steps {
        let value = Value::Float((step + 1) as f64 / 3.0);
        append(writer, step, step as f64, &format!("key{}", step % 7), value).unwrap();
    }
}

thread_local! {
    /// The keys of the one journal that a test writes.
    static KEYS: RefCell<Keys> = RefCell::default();
}

fn append(writer: &mut JournalWriter, step: i64, time: f64, key: &str, value: Value) -> Result<(), AppendError> {
    KEYS.with_borrow_mut(|keys| {
        let key = keys.intern(key)?;
        writer.append_row(step, time, true, &[(key, value)], keys)
    })
}

fn expected_row(step: i64) -> Record {
    let entries = vec![(format!("key{}", step % 7).into(), Value::Float((step + 1) as f64 / 3.0))];
    Record::Row(Row { step, time: step as f64, committed: true, entries })
}

fn expected_rows(steps: std::ops::Range<i64>) -> Vec<Record> {
    steps.map(expected_row).collect()
}

/// Everything that can be read from a folder, as an uploader sends it and a server decodes it.
fn read_all(folder: &Path, stream: StreamId, max_bytes: usize) -> Result<Vec<Record>, ReadError> {
    let reader = JournalReader::new(folder);
    let mut decoder = StreamDecoder::new(stream);
    let mut records = Vec::new();
    loop {
        let Chunk { offset, bytes } = reader.read(decoder.offset(), max_bytes)?;
        if bytes.is_empty() {
            return Ok(records);
        }
        assert_eq!(offset, decoder.offset());
        assert_eq!(decoder.decode(&bytes, |record| records.push(record)), Ok(bytes.len()));
    }
}

fn journal(options: WriterOptions) -> (tempfile::TempDir, JournalWriter) {
    let folder = tempfile::tempdir().unwrap();
    let writer = JournalWriter::create(&folder.path().join("j"), StreamId::generate(), options).unwrap();
    (folder, writer)
}

#[test]
fn rows_read_back_over_many_segments_mapped_and_plain() {
    for mapped in [true, false] {
        let (folder, mut writer) = journal(WriterOptions { mapped, ..SMALL });
        let folder = folder.path().join("j");
        write_rows(&mut writer, 0..200);
        // A process that is killed here leaves exactly these files.
        assert_eq!(read_all(&folder, writer.stream(), 1).unwrap(), expected_rows(0..200));
        assert_eq!(read_all(&folder, writer.stream(), 1 << 20).unwrap(), expected_rows(0..200));
        let stream = writer.stream();
        writer.close().unwrap();
        assert_eq!(read_all(&folder, stream, 300).unwrap(), expected_rows(0..200));
        assert!(list_segments(&folder).unwrap().len() > 5);
    }
}

#[test]
fn a_row_larger_than_a_segment_gets_one_of_its_own() {
    let (folder, mut writer) = journal(SMALL);
    let text = Value::Text("x".repeat(10_000).into());
    append(&mut writer, 0, 0.0, "text", text.clone()).unwrap();
    write_rows(&mut writer, 1..3);
    let row = Row { step: 0, time: 0.0, committed: true, entries: vec![("text".into(), text)] };
    let mut expected = vec![Record::Row(row)];
    expected.extend(expected_rows(1..3));
    assert_eq!(read_all(&folder.path().join("j"), writer.stream(), 100).unwrap(), expected);
}

#[test]
fn a_row_that_cannot_be_written_leaves_the_journal_as_it_was() {
    let (folder, mut writer) = journal(SMALL);
    write_rows(&mut writer, 0..2);
    let text = Value::Text("x".repeat(17 << 20).into());
    assert_eq!(
        append(&mut writer, 2, 0.0, "new", text).unwrap_err().to_string(),
        "the record takes 17825814 bytes, more than 16777216"
    );
    assert_eq!(
        append(&mut writer, 2, 0.0, &"k".repeat(4097), Value::Null),
        Err(AppendError::KeyTooLong { bytes: 4097 })
    );
    append(&mut writer, 2, 2.0, "new", Value::Int(1)).unwrap();
    let mut expected = expected_rows(0..2);
    expected.push(Record::Row(Row {
        step: 2,
        time: 2.0,
        committed: true,
        entries: vec![("new".into(), Value::Int(1))],
    }));
    assert_eq!(read_all(&folder.path().join("j"), writer.stream(), 100).unwrap(), expected);
}

#[test]
fn every_cut_of_a_journal_is_a_journal() {
    let (folder, mut writer) = journal(WriterOptions { segment_bytes: 1 << 20, ..SMALL });
    let (folder, stream) = (folder.path().join("j"), writer.stream());
    let backlog = writer.backlog();
    let mut ends = vec![backlog.end()];
    for step in 0..40 {
        write_rows(&mut writer, step..step + 1);
        ends.push(backlog.end());
    }
    writer.close().unwrap();
    let path = list_segments(&folder).unwrap()[0].path.clone();
    let whole = fs::read(&path).unwrap();
    for cut in 0..=whole.len() {
        for zeros in [0, 100] {
            let mut bytes = whole[..cut].to_vec();
            bytes.resize(cut + zeros, 0);
            fs::write(&path, bytes).unwrap();
            let rows = ends.partition_point(|end| *end <= cut as u64).saturating_sub(1) as i64;
            assert_eq!(
                read_all(&folder, stream, 64).unwrap(),
                expected_rows(0..rows),
                "cut at {cut}, {zeros} zeros behind"
            );
        }
    }
}

#[test]
fn a_changed_byte_is_named_and_what_stands_before_it_is_good() {
    let (folder, mut writer) = journal(WriterOptions { segment_bytes: 1 << 20, ..SMALL });
    let (folder, stream) = (folder.path().join("j"), writer.stream());
    let backlog = writer.backlog();
    write_rows(&mut writer, 0..3);
    let third = backlog.end();
    write_rows(&mut writer, 3..6);
    writer.close().unwrap();
    let path = list_segments(&folder).unwrap()[0].path.clone();
    let mut bytes = fs::read(&path).unwrap();
    bytes[third as usize + 12] ^= 0x40;
    fs::write(&path, &bytes).unwrap();
    let reader = JournalReader::new(&folder);
    let good = reader.read(0, 1 << 20).unwrap();
    assert_eq!(good.bytes.len() as u64, third);
    match reader.read(third, 1 << 20).unwrap_err() {
        ReadError::Damaged { offset, reason, .. } => {
            assert_eq!((offset, reason), (third, "the frame's checksum is wrong"));
        }
        ReadError::Io(error) => panic!("{error}"),
    }
    let mut decoder = StreamDecoder::new(stream);
    let mut records = Vec::new();
    assert_eq!(
        decoder.decode(&bytes, |record| records.push(record)),
        Err(StreamError::Damaged { offset: third, reason: "the frame's checksum is wrong" })
    );
    assert_eq!(records, expected_rows(0..3));
}

#[test]
fn a_torn_frame_at_the_end_is_a_normal_end() {
    let (folder, mut writer) = journal(WriterOptions { segment_bytes: 1 << 20, ..SMALL });
    let (folder, stream) = (folder.path().join("j"), writer.stream());
    write_rows(&mut writer, 0..3);
    let end = writer.backlog().end();
    let path = list_segments(&folder).unwrap()[0].path.clone();
    let reader = JournalReader::new(&folder);
    assert_eq!(reader.tail(end).unwrap(), Tail::Clean);
    // What a kill in the middle of an append leaves: the body without its length.
    let mut bytes = fs::read(&path).unwrap();
    bytes[end as usize + 4..end as usize + 20].fill(7);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(read_all(&folder, stream, 1 << 20).unwrap(), expected_rows(0..3));
    assert_eq!(reader.tail(end).unwrap(), Tail::Torn(20));
}

#[test]
fn foreign_files_and_foreign_streams_are_refused() {
    let (folder, writer) = journal(SMALL);
    let path = list_segments(&folder.path().join("j")).unwrap()[0].path.clone();
    let header = fs::read(&path).unwrap()[..48].to_vec();
    let mut other = StreamDecoder::new(StreamId::generate());
    assert_eq!(other.decode(&header, |_| {}), Err(StreamError::ForeignStream { offset: 0, found: writer.stream() }));
    let mut decoder = StreamDecoder::resume(writer.stream(), 100, Vec::new());
    assert_eq!(decoder.decode(&header, |_| {}), Err(StreamError::Misplaced { offset: 100, base: 0 }));
    assert_eq!(StreamDecoder::new(writer.stream()).decode(b"PK\x03\x04, a zip", |_| {}), Err(StreamError::NoHeader));
    fs::write(&path, b"\x7fELF not a journal at all, but something long enough to be one").unwrap();
    let error = JournalReader::new(folder.path().join("j")).read(0, 1 << 20).unwrap_err();
    assert!(error.to_string().starts_with("damaged at byte 0 of the stream: not a steplog journal: "), "{error}");
}

#[test]
fn an_uploader_reads_whole_frames_from_any_boundary() {
    let (_folder, mut writer) = journal(SMALL);
    let backlog = writer.backlog();
    write_rows(&mut writer, 0..50);
    let mut decoder = StreamDecoder::new(writer.stream());
    let mut records = Vec::new();
    while decoder.offset() < backlog.end() {
        let bytes = backlog.read(decoder.offset(), 90).unwrap();
        assert_eq!(decoder.decode(&bytes, |record| records.push(record)), Ok(bytes.len()));
    }
    assert_eq!(records, expected_rows(0..50));
    assert_eq!(backlog.read(backlog.end(), 90).unwrap(), Vec::<u8>::new());
}

/// Makes every write to the journal's folder fail, and undoes it when dropped.
struct BrokenFolder<'a>(&'a Path);

impl<'a> BrokenFolder<'a> {
    fn new(folder: &'a Path) -> Self {
        fs::rename(folder, folder.with_extension("away")).unwrap();
        fs::write(folder, "in the way").unwrap();
        Self(folder)
    }
}

impl Drop for BrokenFolder<'_> {
    fn drop(&mut self) {
        fs::remove_file(self.0).unwrap();
        fs::rename(self.0.with_extension("away"), self.0).unwrap();
    }
}

fn wait_for_disk(writer: &mut JournalWriter) {
    while writer.is_in_memory() {
        writer.retry_disk();
        std::thread::yield_now();
    }
}

#[test]
fn a_disk_that_takes_nothing_costs_no_row_when_it_comes_back() {
    let (folder, mut writer) = journal(SMALL);
    let (folder, stream) = (folder.path().join("j"), writer.stream());
    write_rows(&mut writer, 0..100);
    let broken = BrokenFolder::new(&folder);
    write_rows(&mut writer, 100..200);
    let [Event::DiskFull { .. }] = &writer.take_events()[..] else { panic!("one warning") };
    // The uploader goes on from memory.
    let backlog = writer.backlog();
    let is_header = |at: &u64| backlog.read(*at, 1 << 20).is_ok_and(|bytes| bytes.starts_with(b"STEPLOG\0"));
    let memory_starts = (0..backlog.end()).find(is_header).expect("memory begins with a segment");
    let mut decoder = StreamDecoder::resume(stream, memory_starts, Vec::new());
    let mut held = Vec::new();
    decoder.decode(&backlog.read(memory_starts, 1 << 20).unwrap(), |record| held.push(record)).unwrap();
    assert_eq!((decoder.offset(), held.last()), (backlog.end(), Some(&expected_row(199))));
    drop(broken);
    wait_for_disk(&mut writer);
    write_rows(&mut writer, 200..300);
    assert_eq!(writer.take_events(), vec![Event::DiskBack { lost_rows: 0 }]);
    assert_eq!(read_all(&folder, stream, 1 << 20).unwrap(), expected_rows(0..300));
}

#[test]
fn rows_beyond_memory_are_counted_and_the_count_is_recorded() {
    let (folder, mut writer) = journal(WriterOptions { memory_bytes: 4096, ..SMALL });
    let (folder, stream) = (folder.path().join("j"), writer.stream());
    let broken = BrokenFolder::new(&folder);
    for step in 0..20 {
        append(&mut writer, step, 0.0, "text", Value::Text("x".repeat(300_000).into())).unwrap();
    }
    let [Event::DiskFull { .. }, Event::Losing] = &writer.take_events()[..] else { panic!("two warnings") };
    drop(broken);
    wait_for_disk(&mut writer);
    let [Event::DiskBack { lost_rows }] = writer.take_events()[..] else { panic!("the disk is back") };
    let records = read_all(&folder, stream, 1 << 20).unwrap();
    assert_eq!(records.len() as u64, 20 - lost_rows + 1);
    assert!(matches!(records.last(), Some(Record::Loss { rows, .. }) if *rows == lost_rows));
}

#[test]
fn memory_that_a_server_has_is_let_go() {
    let (folder, mut writer) = journal(WriterOptions { memory_bytes: 1 << 20, ..SMALL });
    let folder = folder.path().join("j");
    let backlog = writer.backlog();
    let broken = BrokenFolder::new(&folder);
    for step in 0..20 {
        append(&mut writer, step, 0.0, "text", Value::Text("x".repeat(300_000).into())).unwrap();
        backlog.acknowledge(backlog.end());
    }
    let [Event::DiskFull { .. }] = &writer.take_events()[..] else { panic!("nothing was lost") };
    drop(broken);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_rows_with_any_segment_size_read_back(
        segment_bytes in 60usize..600,
        mapped: bool,
        rows in prop::collection::vec((any::<i64>(), prop::collection::vec((0u8..30, any::<u64>()), 0..12)), 0..60),
    ) {
        let (folder, mut writer) = journal(WriterOptions { segment_bytes, mapped, ..SMALL });
        let (mut expected, mut keys) = (Vec::new(), Keys::default());
        for (step, entries) in rows {
            let ids: Vec<_> = entries
                .iter()
                .map(|(key, bits)| (keys.intern(&format!("k{key}")).unwrap(), Value::Float(f64::from_bits(*bits))))
                .collect();
            writer.append_row(step, 1.0, false, &ids, &keys).unwrap();
            let entries =
                entries.iter().map(|(key, bits)| (format!("k{key}").into(), Value::Float(f64::from_bits(*bits)))).collect();
            expected.push(Record::Row(Row { step, time: 1.0, committed: false, entries }));
        }
        prop_assert_eq!(read_all(&folder.path().join("j"), writer.stream(), 256).unwrap(), expected);
    }
}
