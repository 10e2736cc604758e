//! Filter expressions, such as `config.lr >= 0.001 and not state in ("failed", "crashed")`, read into a tree.

use crate::Error;

/// Deepest nesting of parentheses and `not`.
const MAX_DEPTH: usize = 64;

/// Longest expression, in bytes: more can only be an accident.
const MAX_BYTES: usize = 64 << 10;

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Compare { field: String, operator: Operator, value: Literal },
    In { field: String, values: Vec<Literal> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A bare word: a field, a keyword or a number.
    Word(String),
    /// A field in backticks.
    Quoted(String),
    Text(String),
    Symbol(&'static str),
}

const SYMBOLS: [&str; 11] = ["!=", "<=", ">=", "==", "=", "<", ">", "~", "(", ")", ","];

/// Reads an expression.
pub(crate) fn parse(text: &str) -> Result<Filter, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::invalid(format!("the filter is {} bytes long, more than {MAX_BYTES}", text.len())));
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, end: text.chars().count() + 1 };
    let filter = parser.or(0)?;
    match parser.peek() {
        None => Ok(filter),
        Some(_) => Err(parser.wrong("`and`, `or` or the end")),
    }
}

fn error(place: usize, message: &str) -> Error {
    Error::invalid(format!("the filter is wrong at character {place}: {message}"))
        .with_hint("a filter looks like: config.lr >= 0.001 and state = \"running\"")
}

/// The tokens with their places, counted in characters from 1.
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Error> {
    let mut tokens = Vec::new();
    let characters: Vec<char> = text.chars().collect();
    let is_word = |c: char| c.is_alphanumeric() || "_./-+".contains(c);
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let start = at;
        let symbol =
            SYMBOLS.iter().find(|symbol| symbol.chars().eq(characters[at..].iter().take(symbol.len()).copied()));
        let token = match (character, symbol) {
            (c, _) if c.is_whitespace() => {
                at += 1;
                continue;
            }
            ('"' | '\'' | '`', _) => {
                let quoted = quoted(&characters, &mut at)?;
                if character == '`' { Token::Quoted(quoted) } else { Token::Text(quoted) }
            }
            (_, Some(symbol)) => {
                at += symbol.len();
                Token::Symbol(if *symbol == "==" { "=" } else { symbol })
            }
            (c, None) if is_word(c) => {
                while characters.get(at).is_some_and(|c| is_word(*c)) {
                    at += 1;
                }
                Token::Word(characters[start..at].iter().collect())
            }
            (c, None) => {
                return Err(error(start + 1, &format!("{c:?} means nothing here; put such a field in backticks")));
            }
        };
        tokens.push((start + 1, token));
    }
    Ok(tokens)
}

/// Reads up to the closing quote. In texts `\` takes the next character as it is; a field is taken verbatim.
fn quoted(characters: &[char], at: &mut usize) -> Result<String, Error> {
    let (start, quote) = (*at, characters[*at]);
    let mut content = String::new();
    *at += 1;
    while let Some(&character) = characters.get(*at) {
        *at += 1;
        match character {
            c if c == quote => return Ok(content),
            '\\' if quote != '`' => {
                content.extend(characters.get(*at));
                *at += 1;
            }
            c => content.push(c),
        }
    }
    Err(error(start + 1, &format!("the {quote} has no end")))
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    /// The place behind the last character.
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn takes_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    fn wrong(&self, expected: &str) -> Error {
        let place = self.tokens.get(self.at).map_or(self.end, |(place, _)| *place);
        let found = match self.peek() {
            None => "the end".into(),
            Some(Token::Word(word)) => format!("{word:?}"),
            Some(Token::Quoted(field)) => format!("`{field}`"),
            Some(Token::Text(text)) => format!("the text {text:?}"),
            Some(Token::Symbol(symbol)) => format!("{symbol:?}"),
        };
        error(place, &format!("expected {expected}, found {found}"))
    }

    fn or(&mut self, depth: usize) -> Result<Filter, Error> {
        let mut parts = vec![self.and(depth)?];
        while self.takes_word("or") {
            parts.push(self.and(depth)?);
        }
        Ok(one_or(parts, Filter::Or))
    }

    fn and(&mut self, depth: usize) -> Result<Filter, Error> {
        let mut parts = vec![self.not(depth)?];
        while self.takes_word("and") {
            parts.push(self.not(depth)?);
        }
        Ok(one_or(parts, Filter::And))
    }

    fn not(&mut self, depth: usize) -> Result<Filter, Error> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("less nesting"));
        }
        if self.takes_word("not") {
            return Ok(Filter::Not(Box::new(self.not(depth + 1)?)));
        }
        if self.takes_symbol("(") {
            let inner = self.or(depth + 1)?;
            return if self.takes_symbol(")") { Ok(inner) } else { Err(self.wrong("`)`")) };
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Filter, Error> {
        let field = match self.peek() {
            Some(Token::Word(word)) if !is_keyword(word) && !word.starts_with(|c: char| c.is_ascii_digit()) => {
                word.clone()
            }
            Some(Token::Quoted(field)) => field.clone(),
            _ => return Err(self.wrong("a field")),
        };
        self.at += 1;
        let negated = self.takes_word("not");
        if self.takes_word("in") {
            let values = self.list()?;
            let filter = Filter::In { field, values };
            return Ok(if negated { Filter::Not(Box::new(filter)) } else { filter });
        }
        let operator = match self.peek() {
            _ if negated => None,
            Some(Token::Symbol("=")) => Some(Operator::Equal),
            Some(Token::Symbol("!=")) => Some(Operator::NotEqual),
            Some(Token::Symbol("<")) => Some(Operator::Less),
            Some(Token::Symbol("<=")) => Some(Operator::LessOrEqual),
            Some(Token::Symbol(">")) => Some(Operator::Greater),
            Some(Token::Symbol(">=")) => Some(Operator::GreaterOrEqual),
            Some(Token::Symbol("~")) => Some(Operator::Contains),
            _ => None,
        };
        let Some(operator) = operator else {
            return Err(self.wrong(if negated { "`in`" } else { "an operator (= != < <= > >= ~ in)" }));
        };
        self.at += 1;
        let value = self.literal()?;
        Ok(Filter::Compare { field, operator, value })
    }

    fn list(&mut self) -> Result<Vec<Literal>, Error> {
        if !self.takes_symbol("(") {
            return Err(self.wrong("`(`"));
        }
        let mut values = vec![self.literal()?];
        while self.takes_symbol(",") {
            values.push(self.literal()?);
        }
        if self.takes_symbol(")") { Ok(values) } else { Err(self.wrong("`,` or `)`")) }
    }

    fn literal(&mut self) -> Result<Literal, Error> {
        let value = match self.peek() {
            Some(Token::Text(text)) => Some(Literal::Text(text.clone())),
            Some(Token::Word(word)) => match word.to_ascii_lowercase().as_str() {
                "null" | "none" => Some(Literal::Null),
                "true" => Some(Literal::Bool(true)),
                "false" => Some(Literal::Bool(false)),
                word => word.parse().ok().filter(|number: &f64| !number.is_nan()).map(Literal::Number),
            },
            _ => None,
        };
        match value {
            Some(value) => {
                self.at += 1;
                Ok(value)
            }
            None => Err(self.wrong("a number, a text in quotes, true, false or null")),
        }
    }
}

fn is_keyword(word: &str) -> bool {
    ["and", "or", "not", "in"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

fn one_or(mut parts: Vec<Filter>, many: impl FnOnce(Vec<Filter>) -> Filter) -> Filter {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compare(field: &str, operator: Operator, value: Literal) -> Filter {
        Filter::Compare { field: field.into(), operator, value }
    }

    #[test]
    fn and_binds_tighter_than_or_and_not_tightest() {
        let a = || compare("config.lr", Operator::GreaterOrEqual, Literal::Number(1e-3));
        let b = || compare("state", Operator::Equal, Literal::Text("running".into()));
        let c = || compare("summary.train/loss-1", Operator::Less, Literal::Number(-2.5));
        assert_eq!(
            parse("config.lr >= 1e-3 or not state = 'running' AND summary.train/loss-1 < -2.5").unwrap(),
            Filter::Or(vec![a(), Filter::And(vec![Filter::Not(Box::new(b())), c()])])
        );
        assert_eq!(
            parse("(config.lr>=.001 or state=\"running\") and `summary.train/loss-1`<-2.5").unwrap(),
            Filter::And(vec![Filter::Or(vec![a(), b()]), c()])
        );
    }

    #[test]
    fn lists_nulls_and_escapes() {
        let list = Filter::In { field: "tags".into(), values: vec![Literal::Text("a\"b".into()), Literal::Null] };
        assert_eq!(parse(r#"tags in ("a\"b", null)"#).unwrap(), list);
        assert_eq!(parse(r#"tags not in ("a\"b", null)"#).unwrap(), Filter::Not(Box::new(list)));
        assert_eq!(
            parse(r"`config.a\.b c` ~ 'x'").unwrap(),
            compare(r"config.a\.b c", Operator::Contains, Literal::Text("x".into()))
        );
    }

    #[test]
    fn errors_point_at_the_place() {
        for (text, message) in [
            ("", "at character 1: expected a field, found the end"),
            (
                "config.lr >=",
                "at character 13: expected a number, a text in quotes, true, false or null, found the end",
            ),
            ("config.lr 3", "at character 11: expected an operator (= != < <= > >= ~ in), found \"3\""),
            ("name = x", "at character 8: expected a number, a text in quotes, true, false or null, found \"x\""),
            ("name = 'x", "at character 8: the ' has no end"),
            ("(name = 'x'", "at character 12: expected `)`, found the end"),
            ("name = 'x' state = 'y'", "at character 12: expected `and`, `or` or the end, found \"state\""),
            ("a; drop table runs", "at character 2: ';' means nothing here; put such a field in backticks"),
            ("tags in ()", "at character 10: expected a number, a text in quotes, true, false or null, found \")\""),
            ("and = 1", "at character 1: expected a field, found \"and\""),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), format!("the filter is wrong {message}"));
        }
        assert!(parse(&"(".repeat(10_000)).unwrap_err().to_string().contains("less nesting"));
        assert!(parse(&"not ".repeat(10_000)).unwrap_err().to_string().contains("less nesting"));
    }

    proptest! {
        #[test]
        fn hostile_text_is_refused_without_panic(text in "[ -~]{0,40}|.{0,20}") {
            let _ = parse(&text);
        }
    }
}
