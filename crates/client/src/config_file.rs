//! Config from YAML files: `config-defaults.yaml` in the working directory, and files named by the script.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::ErrorKind as IoErrorKind;
use std::path::Path;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput, Tag};
use steplog_model::{MAX_VALUE_DEPTH, Value};

use crate::error::{Error, ErrorKind};

/// Read by every `init` from the working directory, if it is there; everything else that sets a key is stronger.
pub(crate) const DEFAULTS: &str = "config-defaults.yaml";

/// Largest file, in bytes.
const MAX_FILE_BYTES: usize = 16 << 20;

/// Most values of a file, those that aliases repeat included.
const MAX_VALUES: usize = 1 << 20;

/// Reads config entries from a YAML file.
///
/// Each key of the file is one of the config. Its value is what stands there, or, when that is a map of `value` and at
/// most `desc` beside it, the `value` in it. An entry `wandb_version: 1` is taken as a mark of this format and left out.
/// Plain words are read as the field's scripts expect: `yes`, `no`, `on`, `off` are truth values as in YAML 1.1, and
/// `1e-3` is a number as in YAML 1.2.
///
/// # Errors
/// The file is missing, is no YAML, is not a map, is of another `wandb_version`, or is too large.
pub fn read_config_file(path: &Path) -> Result<Vec<(String, Value)>, Error> {
    let refuse = |what: String| Error::new(ErrorKind::ConfigFile, format!("config file {}: {what}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        IoErrorKind::NotFound => refuse("there is no such file".into()),
        _ => refuse(error.to_string()),
    })?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(refuse(format!("{} bytes are more than {MAX_FILE_BYTES}", bytes.len())));
    }
    let text = String::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8".into()))?;
    parse(&text).map_err(refuse)
}

/// The entries of `config-defaults.yaml` in the working directory; none when there is no such file.
pub(crate) fn read_defaults() -> Result<Vec<(String, Value)>, Error> {
    let path = Path::new(DEFAULTS);
    if path.is_file() { read_config_file(path) } else { Ok(Vec::new()) }
}

fn parse(text: &str) -> Result<Vec<(String, Value)>, String> {
    let entries = match Document::read(text)? {
        Value::Null => Vec::new(),
        Value::Map(entries) => entries,
        _ => return Err("its top level is not a map of keys and values".into()),
    };
    let mut config = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        match (&*key, value) {
            ("wandb_version", Value::Int(1)) => {}
            ("wandb_version", other) => return Err(format!("wandb_version is {other:?}; only 1 is known")),
            (_, value) => config.push((key.trim_matches('-').to_owned(), described(value))),
        }
    }
    Ok(config)
}

/// The `value` of an entry with a description, or the entry itself.
fn described(value: Value) -> Value {
    let Value::Map(entries) = &value else { return value };
    let has_value = entries.iter().any(|(name, _)| &**name == "value");
    if !has_value || entries.iter().any(|(name, _)| !matches!(&**name, "value" | "desc")) {
        return value;
    }
    let Value::Map(entries) = value else { unreachable!("it was a map a line ago") };
    entries.into_iter().find(|(name, _)| &**name == "value").map_or(Value::Null, |(_, value)| value)
}

/// The first document of a YAML text on its way to a value.
struct Document<'text> {
    parser: Parser<'text, StrInput<'text>>,
    /// Values that an alias may repeat, each with how many values it is of.
    anchors: HashMap<usize, (Value, usize)>,
    /// How many values there are so far.
    values: usize,
}

impl<'text> Document<'text> {
    fn read(text: &'text str) -> Result<Value, String> {
        let mut document = Self { parser: Parser::new_from_str(text), anchors: HashMap::new(), values: 0 };
        loop {
            match document.next()? {
                Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
                Event::StreamEnd => return Ok(Value::Null),
                event => return document.value(event, 0),
            }
        }
    }

    fn next(&mut self) -> Result<Event<'text>, String> {
        match self.parser.next() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => Err(format!("invalid YAML: {error}")),
            None => Ok(Event::StreamEnd),
        }
    }

    fn value(&mut self, event: Event<'text>, depth: usize) -> Result<Value, String> {
        if depth > MAX_VALUE_DEPTH {
            return Err(format!("it nests more than {MAX_VALUE_DEPTH} levels deep"));
        }
        let before = self.values;
        self.count(1)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (scalar(text, style, tag.as_deref())?, anchor),
            Event::SequenceStart(anchor, _) => (self.list(depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.map(depth)?, anchor),
            Event::Alias(anchor) => {
                let (value, values) =
                    self.anchors.get(&anchor).ok_or("an alias stands inside what it repeats")?.clone();
                self.count(values)?;
                return Ok(value);
            }
            other => return Err(format!("invalid YAML: {other:?} where a value was expected")),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), self.values - before));
        }
        Ok(value)
    }

    /// Counts values, so that aliases of aliases do not fill the memory.
    fn count(&mut self, values: usize) -> Result<(), String> {
        self.values += values;
        if self.values > MAX_VALUES { Err(format!("it holds more than {MAX_VALUES} values")) } else { Ok(()) }
    }

    fn list(&mut self, depth: usize) -> Result<Value, String> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(Value::List(items)),
                event => items.push(self.value(event, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, String> {
        let mut own: Vec<(Box<str>, Value)> = Vec::new();
        let mut merged: Vec<(Box<str>, Value)> = Vec::new();
        loop {
            let (name, is_merge): (Box<str>, bool) = match self.next()? {
                Event::MappingEnd => break,
                Event::Scalar(text, style, ..) => ((&*text).into(), &*text == "<<" && style == ScalarStyle::Plain),
                Event::Alias(anchor) => match self.anchors.get(&anchor) {
                    Some((Value::Text(text), _)) => (text.clone(), false),
                    _ => return Err("a key is an alias of something that is no text".into()),
                },
                _ => return Err("a key is a list or a map".into()),
            };
            let event = self.next()?;
            let value = self.value(event, depth + 1)?;
            if is_merge {
                merge(&mut merged, value)?;
            } else if own.iter().any(|(other, _)| *other == name) {
                return Err(format!("the key {name:?} stands there twice"));
            } else {
                own.push((name, value));
            }
        }
        merged.retain(|(name, _)| own.iter().all(|(other, _)| other != name));
        merged.append(&mut own);
        Ok(Value::Map(merged))
    }
}

/// Takes in the map of a `<<`, or of several the earlier before the later.
fn merge(merged: &mut Vec<(Box<str>, Value)>, value: Value) -> Result<(), String> {
    match value {
        Value::Map(entries) => {
            for (name, value) in entries {
                if merged.iter().all(|(other, _)| *other != name) {
                    merged.push((name, value));
                }
            }
            Ok(())
        }
        Value::List(maps) if maps.iter().all(|map| matches!(map, Value::Map(_))) => {
            maps.into_iter().try_for_each(|map| merge(merged, map))
        }
        _ => Err("<< stands before something that is no map".into()),
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let tag = match tag {
        None if style == ScalarStyle::Plain => return Ok(plain(&text)),
        None => "str",
        Some(tag) if tag.is_yaml_core_schema() => &*tag.suffix,
        // `!` alone: not to be interpreted.
        Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => "str",
        Some(tag) => return Err(format!("the tag {tag} is not known")),
    };
    let value = match (tag, plain(&text)) {
        ("str", _) => Value::Text((&*text).into()),
        ("null", Value::Null) => Value::Null,
        ("bool", value @ Value::Bool(_)) => value,
        ("int", value @ (Value::Int(_) | Value::BigInt(_))) => value,
        ("float", value @ Value::Float(_)) => value,
        ("float", value @ (Value::Int(_) | Value::BigInt(_))) => Value::Float(value.as_f64().unwrap_or(f64::NAN)),
        _ => return Err(format!("{text:?} is no {tag}")),
    };
    Ok(value)
}

/// What a word without quotes means.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let negative = text.starts_with('-');
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Value::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    integer(unsigned, negative).or_else(|| float(text, unsigned)).unwrap_or_else(|| Value::Text(text.into()))
}

fn integer(unsigned: &str, negative: bool) -> Option<Value> {
    let radix = |digits: &str, radix: u32| i128::from_str_radix(digits, radix).ok();
    let digits = unsigned.replace('_', "");
    let number = if !unsigned.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    } else if let Some(digits) = digits.strip_prefix("0x") {
        radix(digits, 16)?
    } else if let Some(digits) = digits.strip_prefix("0o") {
        radix(digits, 8)?
    } else if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    } else if let Ok(number) = digits.parse::<i128>() {
        number
    } else {
        let digits = digits.trim_start_matches('0');
        return Some(Value::BigInt(if negative { format!("-{digits}") } else { digits.to_owned() }.into()));
    };
    Some(Value::from(if negative { -number } else { number }))
}

fn float(text: &str, unsigned: &str) -> Option<Value> {
    let begins = unsigned.strip_prefix('.').unwrap_or(unsigned).starts_with(|first: char| first.is_ascii_digit());
    let only = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-' | b'_');
    if !begins || !text.bytes().all(only) {
        return None;
    }
    text.replace('_', "").parse().ok().map(Value::Float)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn read(text: &str) -> Result<Json, String> {
        let entries = parse(text)?;
        Ok(Value::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect()).to_json())
    }

    #[test]
    fn entries_are_values_or_have_a_description() {
        let text = "wandb_version: 1\nlr:\n  desc: learning rate\n  value: 1e-3\nepochs: {value: 3}\nname: run\n\
                    model: {value: 1, depth: 2}\n--dashed-key: [1, two]\n";
        let expected = json!({
            "lr": 0.001, "epochs": 3, "name": "run", "model": {"value": 1, "depth": 2}, "dashed-key": [1, "two"]
        });
        assert_eq!(read(text), Ok(expected));
        assert_eq!((read(""), read("# nothing\n")), (Ok(json!({})), Ok(json!({}))));
    }

    #[test]
    fn plain_words_mean_what_scripts_expect() {
        for (text, expected) in [
            ("~", json!(null)),
            ("yes", json!(true)),
            ("Off", json!(false)),
            ("\"yes\"", json!("yes")),
            ("y", json!("y")),
            ("-12", json!(-12)),
            ("1_000", json!(1000)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("9223372036854775808", json!("9223372036854775808")),
            ("-170141183460469231731687303715884105729", json!("-170141183460469231731687303715884105729")),
            ("1e-3", json!(0.001)),
            ("+.5", json!(0.5)),
            ("6.", json!(6.0)),
            ("-.inf", json!("-Infinity")),
            (".nan", json!("NaN")),
            ("1.2.3", json!("1.2.3")),
            ("2024-01-02", json!("2024-01-02")),
            ("-", json!([null])),
            ("e5", json!("e5")),
            ("inf", json!("inf")),
            ("!!str 5", json!("5")),
            ("!!float 5", json!(5.0)),
            ("|\n  two\n  lines\n", json!("two\nlines\n")),
        ] {
            assert_eq!(read(&format!("key: {}", if text == "-" { "\n-" } else { text })), Ok(json!({"key": expected})));
        }
    }

    #[test]
    fn aliases_and_merges() {
        let text = "base: &base {a: 1, b: 2}\nown:\n  b: 3\n  <<: *base\nagain: *base\n";
        let expected = json!({"base": {"a": 1, "b": 2}, "own": {"a": 1, "b": 3}, "again": {"a": 1, "b": 2}});
        assert_eq!(read(text), Ok(expected));
    }

    #[test]
    fn what_is_no_config_is_refused() {
        for (text, message) in [
            ("wandb_version: 2", "wandb_version is 2; only 1 is known"),
            ("- a\n- b", "its top level is not a map of keys and values"),
            ("a: 1\na: 2", "the key \"a\" stands there twice"),
            ("[a]: 1", "a key is a list or a map"),
            ("a: !mine 1", "the tag !mine is not known"),
            ("a: !!int x", "\"x\" is no int"),
            ("<<: 5", "<< stands before something that is no map"),
        ] {
            assert_eq!(read(text), Err(message.to_owned()));
        }
        assert!(read("a: [1, 2").unwrap_err().starts_with("invalid YAML: "));
        assert!(read("a: *nowhere").unwrap_err().starts_with("invalid YAML: "));
    }

    #[test]
    fn a_file_that_unfolds_without_end_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb += &format!("a{level}: &a{level} [{aliases}]\n");
        }
        assert_eq!(read(&bomb), Err(format!("it holds more than {MAX_VALUES} values")));
        assert_eq!(read(&"- ".repeat(1000)), Err(format!("it nests more than {MAX_VALUE_DEPTH} levels deep")));
    }
}
