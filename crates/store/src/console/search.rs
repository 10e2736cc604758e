//! Looking for lines.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};
use steplog_model::without_colours;

use super::bits::Bits;
use super::chunk::Head;
use crate::Error;

/// Longest pattern.
const MAX_PATTERN_BYTES: usize = 1000;

/// Memory for the automata of a pattern.
const MAX_REGEX_BYTES: usize = 2 << 20;

/// What is looked for; also names what was found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pattern {
    pub(super) text: String,
    pub(super) is_regex: bool,
    pub(super) is_case_sensitive: bool,
}

/// A pattern made ready. It takes time linear in what it looks at, whatever the pattern.
pub(super) struct Matcher {
    regex: Regex,
    /// Whether it may be led over all lines of a chunk at once: a text without a line break never matches across lines.
    over_lines: bool,
}

impl Matcher {
    /// # Errors
    /// The pattern is too long or none.
    pub(super) fn new(pattern: &Pattern) -> Result<Self, Error> {
        let length = pattern.text.len();
        if length > MAX_PATTERN_BYTES {
            return Err(Error::invalid(format!("search has {length} bytes, and may have {MAX_PATTERN_BYTES}")));
        }
        let text = if pattern.is_regex { pattern.text.clone() } else { regex::escape(&pattern.text) };
        let regex = RegexBuilder::new(&text)
            .case_insensitive(!pattern.is_case_sensitive)
            .size_limit(MAX_REGEX_BYTES)
            .dfa_size_limit(MAX_REGEX_BYTES)
            .build()
            .map_err(|error| Error::invalid(format!("search is not a regular expression: {error}")))?;
        Ok(Self { regex, over_lines: !pattern.is_regex && !pattern.text.contains('\n') })
    }

    /// Which lines of a chunk match.
    pub(super) fn find(&self, head: &Head, texts: &str) -> Bits {
        let mut found = Bits::zeros(head.len());
        if !self.over_lines {
            for entry in (0..head.len()).filter(|entry| self.regex.is_match(&without_colours(head.text(*entry, texts))))
            {
                found.set(entry, true);
            }
            return found;
        }
        let (texts, ends) = plain(head, texts);
        let mut begin = 0;
        while let Some(hit) = self.regex.find_at(&texts, begin) {
            let entry = ends.partition_point(|end| (*end as usize) < hit.start());
            found.set(entry, true);
            begin = ends[entry] as usize + 1;
            if begin > texts.len() {
                break;
            }
        }
        found
    }
}

/// The texts without colours, and where each ends.
fn plain<'a>(head: &'a Head, texts: &'a str) -> (Cow<'a, str>, Cow<'a, [u32]>) {
    if !texts.as_bytes().contains(&b'\x1b') {
        return (Cow::Borrowed(texts), Cow::Borrowed(&head.ends));
    }
    let mut plain = String::with_capacity(texts.len());
    let mut ends = Vec::with_capacity(head.len());
    for entry in 0..head.len() {
        plain.push_str(&without_colours(head.text(entry, texts)));
        ends.push(plain.len() as u32);
        plain.push('\n');
    }
    (Cow::Owned(plain), Cow::Owned(ends))
}

#[cfg(test)]
mod tests {
    use steplog_model::ConsoleOutput;

    use super::super::chunk::{Entry, decode_head, decode_texts, encode};
    use super::*;
    use crate::chunk::checksum;

    fn find(lines: &[&str], text: &str, is_regex: bool, is_case_sensitive: bool) -> Result<Vec<usize>, Error> {
        let entry = |(number, text): (usize, &&str)| Entry {
            number: number as u64,
            time: 0.0,
            output: ConsoleOutput::Stdout,
            text: Cow::Owned((*text).into()),
        };
        let (head, texts) = encode(&lines.iter().enumerate().map(entry).collect::<Vec<_>>());
        let head = decode_head(&head, checksum(&head)).unwrap();
        let texts = decode_texts(&texts, checksum(&texts), &head).unwrap();
        let matcher = Matcher::new(&Pattern { text: text.into(), is_regex, is_case_sensitive })?;
        Ok(matcher.find(&head, &texts).ones(0).collect())
    }

    #[test]
    fn texts_are_found_through_colours_and_case() {
        let lines = ["", "Loss 0.5", "\x1b[31mlo\x1b[1mss\x1b[m 0.4", "los", "s loss", "LOSS"];
        assert_eq!(find(&lines, "loss", false, false).unwrap(), [1, 2, 4, 5]);
        assert_eq!(find(&lines, "loss", false, true).unwrap(), [2, 4]);
        assert_eq!(find(&lines, "31m", false, false).unwrap(), [0usize; 0]);
        assert_eq!(find(&lines, "0.", false, false).unwrap(), [1, 2]);
        assert_eq!(find(&lines, "s\ns", false, false).unwrap(), [0usize; 0]);
        assert_eq!(find(&["ÄÖ", "äö", "aö"], "äö", false, false).unwrap(), [0, 1]);
    }

    #[test]
    fn expressions_see_one_line_at_a_time() {
        let lines = ["", "loss 0.5", "\x1b[31mloss\x1b[m 0.4", "los", "s loss"];
        assert_eq!(find(&lines, r"^loss \d", true, false).unwrap(), [1, 2]);
        assert_eq!(find(&lines, r"los\s*s", true, false).unwrap(), [1, 2, 4]);
        assert_eq!(find(&lines, "^$", true, false).unwrap(), [0]);
        let error = find(&lines, "(", true, false).unwrap_err().to_string();
        assert!(error.starts_with("search is not a regular expression: "), "{error}");
        assert!(find(&lines, r"\w{1000}{1000}", true, false).is_err());
        let long = find(&lines, &"a".repeat(1001), false, false).unwrap_err();
        assert_eq!(long.to_string(), "search has 1001 bytes, and may have 1000");
    }
}
