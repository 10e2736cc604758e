//! Files of sections and settings, as the tools of AWS keep them.

use std::collections::BTreeMap;

/// Settings by section. What cannot be understood is left out.
pub(super) fn parse(text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut sections = BTreeMap::<String, BTreeMap<String, String>>::new();
    let mut section = String::new();
    for line in text.lines() {
        // An indented line belongs to the setting above.
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            section = name.0.split_whitespace().collect::<Vec<_>>().join(" ");
        } else if let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with(['#', ';'])) {
            let value = value.split(" #").next().unwrap_or_default().trim();
            sections.entry(section.clone()).or_default().insert(name.trim().to_lowercase(), value.to_owned());
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_settings_are_read() {
        let text =
            "# comment\n[default]\nAWS_Access_Key_Id = a=b # it\ns3 =\n  endpoint_url = nested\n[profile  two]\nx=1\n";
        let found = parse(text);
        assert_eq!(found["default"]["aws_access_key_id"], "a=b");
        assert_eq!(found["profile two"], BTreeMap::from([("x".to_owned(), "1".to_owned())]));
        assert_eq!(found["default"].get("endpoint_url"), None);
    }
}
