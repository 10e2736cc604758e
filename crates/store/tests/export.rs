//! Exports give back what was logged, bit for bit.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::ChunkReader;
use steplog_model::Value;
use steplog_protocol::ErrorKind;
use steplog_store::{ExportFormat, ExportSelection, Store};
use support::{Journal, open};
use tempfile::TempDir;

const SPECIAL: [u64; 8] = [
    0x7ff8_0000_0000_0000,
    0x7ff0_0000_dead_beef,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0x8000_0000_0000_0000,
    1,
    0x000f_ffff_ffff_ffff,
    0x3fb9_9999_9999_999a,
];

fn export(store: &Store, journal: &Journal, format: ExportFormat, selection: &ExportSelection) -> Vec<u8> {
    let mut out = Vec::new();
    store.export(&journal.path, format, selection, &mut out).unwrap();
    out
}

fn parquet(bytes: Vec<u8>) -> Vec<RecordBatch> {
    fn read(bytes: impl ChunkReader + 'static) -> Vec<RecordBatch> {
        ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap().map(Result::unwrap).collect()
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.parquet");
    std::fs::write(&path, bytes).unwrap();
    read(std::fs::File::open(path).unwrap())
}

#[test]
fn floats_keep_their_bits_and_columns_their_types() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new("local/digits/a");
    for (step, bits) in (0i64..).zip(SPECIAL) {
        let entries = [
            ("float", Value::Float(f64::from_bits(bits))),
            ("int", Value::Int(i64::MAX - step)),
            ("bool", Value::Bool(step % 2 == 0)),
            ("text", format!("t{step}").into()),
            ("mixed", if step % 2 == 0 { Value::Int(step) } else { Value::Float(0.5) }),
            ("wide", if step % 2 == 0 { Value::Int(i64::MAX) } else { Value::Float(0.5) }),
            ("list", Value::List(vec![step.into(), Value::Null])),
        ];
        journal.row(step, &entries);
        if step == 3 {
            journal.send(&store);
            store.seal_all().unwrap();
        }
    }
    journal.send(&store);
    let arrow = export(&store, &journal, ExportFormat::Arrow, &ExportSelection::default());
    let arrow: Vec<RecordBatch> = StreamReader::try_new(&arrow[..], None).unwrap().map(Result::unwrap).collect();
    for batches in [arrow, parquet(export(&store, &journal, ExportFormat::Parquet, &ExportSelection::default()))] {
        assert_eq!(batches.len(), 1);
        let batch = &batches[0];
        let names: Vec<&str> = batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["_step", "_timestamp", "_runtime", "bool", "float", "int", "list", "mixed", "text", "wide"]);
        let column = |name: &str| batch.column_by_name(name).unwrap();
        let floats = |name| column(name).as_primitive::<Float64Type>().values().to_vec();
        let ints = |name| column(name).as_primitive::<Int64Type>().values().to_vec();
        assert_eq!(floats("float").iter().map(|value| value.to_bits()).collect::<Vec<_>>(), SPECIAL);
        assert_eq!(ints("_step"), (0..8).collect::<Vec<_>>());
        assert_eq!(floats("_runtime"), (0..8).map(f64::from).collect::<Vec<_>>());
        assert_eq!(ints("int"), (0..8).map(|step| i64::MAX - step).collect::<Vec<_>>());
        assert_eq!(floats("mixed"), [0.0, 0.5, 2.0, 0.5, 4.0, 0.5, 6.0, 0.5]);
        assert_eq!(column("bool").as_boolean().true_count(), 4);
        assert_eq!(column("text").as_string::<i32>().value(7), "t7");
        assert_eq!(column("wide").as_string::<i64>().value(0), "9223372036854775807");
        assert_eq!(column("list").as_string::<i64>().value(1), "[1,null]");
    }
}

#[test]
fn text_formats_quote_and_name_what_they_cannot_say() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new("local/digits/a");
    journal
        .row(-1, &[("a,\"b\"", f64::NAN.into()), ("_step", 7.into())])
        .row(2, &[("text", "x, \"y\"\nz".into()), ("a,\"b\"", f64::NEG_INFINITY.into())])
        .row(3, &[("a,\"b\"", Value::Float(-0.0))])
        .send(&store);
    let text =
        |format, selection: &ExportSelection| String::from_utf8(export(&store, &journal, format, selection)).unwrap();
    let all = ExportSelection::default();
    assert_eq!(
        text(ExportFormat::Csv, &all),
        "_step,_timestamp,_runtime,_step_,\"a,\"\"b\"\"\",text\r\n\
         -1,999.0,-1.0,7,NaN,\r\n\
         2,1002.0,2.0,,-Infinity,\"x, \"\"y\"\"\nz\"\r\n\
         3,1003.0,3.0,,-0.0,\r\n"
    );
    assert_eq!(
        text(ExportFormat::Jsonl, &all),
        "{\"_step\":-1,\"_timestamp\":999.0,\"_runtime\":-1.0,\"_step_\":7,\"a,\\\"b\\\"\":\"NaN\"}\n\
         {\"_step\":2,\"_timestamp\":1002.0,\"_runtime\":2.0,\"a,\\\"b\\\"\":\"-Infinity\",\"text\":\"x, \\\"y\\\"\\nz\"}\n\
         {\"_step\":3,\"_timestamp\":1003.0,\"_runtime\":3.0,\"a,\\\"b\\\"\":-0.0}\n"
    );
    let keys = Some(vec!["text".into()]);
    let some = ExportSelection { keys, from_step: Some(0), to_step: Some(2), ..ExportSelection::default() };
    assert_eq!(
        text(ExportFormat::Csv, &some),
        "_step,_timestamp,_runtime,text\r\n2,1002.0,2.0,\"x, \"\"y\"\"\nz\"\r\n"
    );
    let none = ExportSelection { keys: Some(vec!["nope".into()]), ..all };
    let error = store.export(&journal.path, ExportFormat::Csv, &none, &mut Vec::new()).unwrap_err();
    assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::NotFound, "run local/digits/a has no key \"nope\""));
}

#[test]
fn a_long_history_comes_in_parts() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new("local/digits/a");
    let keys: Vec<String> = (0..20).map(|key| format!("k{key}")).collect();
    for step in 0..100_000 {
        let entries: Vec<(&str, Value)> = keys.iter().map(|key| (&**key, Value::Float(step as f64))).collect();
        journal.row(step, &entries);
    }
    journal.send(&store);
    let batches = parquet(export(&store, &journal, ExportFormat::Parquet, &ExportSelection::default()));
    let steps: Vec<i64> = batches
        .iter()
        .flat_map(|batch| batch.column_by_name("_step").unwrap().as_primitive::<Int64Type>().values().to_vec())
        .collect();
    assert_eq!(steps, (0..100_000).collect::<Vec<_>>());
    let bytes = export(&store, &journal, ExportFormat::Arrow, &ExportSelection::default());
    let parts: Vec<usize> =
        StreamReader::try_new(&bytes[..], None).unwrap().map(|batch| batch.unwrap().num_rows()).collect();
    assert!(parts.len() > 1 && parts.iter().sum::<usize>() == 100_000, "{parts:?}");
}

fn steps(store: &Store, journal: &Journal, selection: &ExportSelection) -> Vec<i64> {
    let bytes = export(store, journal, ExportFormat::Arrow, selection);
    let batches = StreamReader::try_new(&bytes[..], None).unwrap().map(Result::unwrap);
    batches
        .flat_map(|batch| batch.column_by_name("_step").unwrap().as_primitive::<Int64Type>().values().to_vec())
        .collect()
}

/// 10,000 rows, half of them sealed: `loss` in all, `val` in every hundredth, null in the others.
fn long_run(store: &Store) -> Journal {
    let mut journal = Journal::new("local/digits/a");
    for step in 0..10_000i64 {
        let loss = match step {
            4321 => 1e9,
            8765 => f64::NAN,
            _ => 1.0 / (step + 1) as f64,
        };
        let val = if step % 100 == 0 { Value::Float(-loss) } else { Value::Null };
        journal.row(step, &[("loss", loss.into()), ("val", val)]);
        if step == 5000 {
            journal.send(store);
            store.seal_all().unwrap();
        }
    }
    journal.send(store);
    journal
}

#[test]
fn pages_and_required_keys_pick_rows() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let journal = long_run(&store);
    let mut page = ExportSelection { limit: Some(999), ..ExportSelection::default() };
    let mut all = Vec::new();
    loop {
        let steps = steps(&store, &journal, &page);
        assert!(steps.len() <= 999);
        let Some(last) = steps.last() else { break };
        page.from_step = Some(last + 1);
        all.extend(steps);
    }
    assert_eq!(all, (0..10_000).collect::<Vec<_>>());
    let val = || vec!["val".to_owned()];
    let required = ExportSelection { required: val(), ..ExportSelection::default() };
    assert_eq!(steps(&store, &journal, &required), (0..10_000).step_by(100).collect::<Vec<_>>());
    let three = ExportSelection { limit: Some(3), from_step: Some(101), ..required.clone() };
    assert_eq!(steps(&store, &journal, &three), [200, 300, 400]);
    let unknown = vec!["val".to_owned(), "nope".to_owned()];
    let none = ExportSelection { keys: Some(unknown.clone()), required: unknown, ..ExportSelection::default() };
    assert_eq!(steps(&store, &journal, &none), [0; 0]);
    let csv = export(&store, &journal, ExportFormat::Csv, &none);
    assert_eq!(String::from_utf8(csv).unwrap(), "_step,_timestamp,_runtime,val,nope\r\n");
}

#[test]
fn samples_spread_over_the_run_and_hide_no_extreme() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let journal = long_run(&store);
    let sampled = ExportSelection { samples: Some(100), ..ExportSelection::default() };
    let found = steps(&store, &journal, &sampled);
    assert!((50..=100).contains(&found.len()), "{}", found.len());
    assert!([0, 4321, 8765, 9999].iter().all(|step| found.contains(step)), "{found:?}");
    assert!(found.windows(2).all(|pair| pair[0] < pair[1]) && found.iter().filter(|step| **step > 5000).count() > 20);
    let few = ExportSelection { samples: Some(100), required: vec!["val".into()], ..ExportSelection::default() };
    assert_eq!(steps(&store, &journal, &few), (0..10_000).step_by(100).collect::<Vec<_>>());
}

#[test]
fn contradictions_are_refused() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut journal = Journal::new("local/digits/a");
    journal.row(0, &[("x", 1.into())]).send(&store);
    let all = ExportSelection::default();
    for (selection, message) in [
        (ExportSelection { limit: Some(0), ..all.clone() }, "limit must be 1 to 1000000"),
        (ExportSelection { samples: Some(1_000_001), ..all.clone() }, "samples must be 1 to 1000000"),
        (ExportSelection { samples: Some(1), limit: Some(1), ..all.clone() }, "limit and samples exclude each other"),
        (
            ExportSelection { keys: Some(vec!["x".into()]), required: vec!["y".into()], ..all },
            "the required key \"y\" is not among the keys",
        ),
    ] {
        let error = store.export(&journal.path, ExportFormat::Csv, &selection, &mut Vec::new()).unwrap_err();
        assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::Invalid, message));
    }
}
