//! Metric keys: how the path to a leaf of a nested row is written as one text.
//!
//! `{"train": {"loss": 1}}` is the key `train.loss`, and `{"train.loss": 1}` is the key `train\.loss`: two metrics.

/// Longest key, in bytes.
pub const MAX_KEY_BYTES: usize = 4096;

/// Writes a path as a key: parts joined by `.`, with a `\` before every `.` or `\` inside a part.
pub fn join_key<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut key = String::new();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            key.push('.');
        }
        for character in part.chars() {
            if matches!(character, '.' | '\\') {
                key.push('\\');
            }
            key.push(character);
        }
    }
    key
}

/// Reads a key as a path; the inverse of [`join_key`].
pub fn split_key(key: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = key.chars();
    while let Some(character) = characters.next() {
        let last = parts.last_mut().expect("there is always a part");
        match character {
            '\\' => last.extend(characters.next()),
            '.' => parts.push(String::new()),
            _ => last.push(character),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nested_and_dotted_keys_differ() {
        assert_eq!(join_key(["train", "loss"]), "train.loss");
        assert_eq!(join_key(["train.loss"]), r"train\.loss");
        assert_eq!(join_key([r"a\b", ""]), r"a\\b.");
    }

    proptest! {
        #[test]
        fn keys_read_back(parts in prop::collection::vec(".*", 1..5)) {
            let key = join_key(parts.iter().map(String::as_str));
            prop_assert_eq!(split_key(&key), parts);
        }
    }
}
