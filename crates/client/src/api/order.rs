//! Orderings such as `-created_at` and `+config.lr`.

use steplog_protocol::Sort;

use super::field;
use crate::Error;

/// Reads an ordering: fields separated by commas, each with `-` in front for the largest first, or `+`, or nothing.
pub(super) fn parse(text: &str) -> Result<Vec<Sort>, Error> {
    let sort = |part: &str| {
        let (descending, name) = match part.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, part.strip_prefix('+').unwrap_or(part)),
        };
        Ok(Sort { field: field::field(name)?, descending })
    };
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(sort).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_give_the_direction() {
        let sort = |field: &str, descending| Sort { field: field.into(), descending };
        assert_eq!(parse("-created_at").unwrap(), [sort("created_at", true)]);
        assert_eq!(
            parse("+config.lr.value, -summary_metrics.loss,name").unwrap(),
            [sort("config.lr", false), sort("summary.loss", true), sort("name", false)]
        );
        assert_eq!(parse("").unwrap(), []);
        assert!(parse("-lr").unwrap_err().to_string().starts_with("there is no field \"lr\""));
    }
}
