//! What looks like a secret, and how it is taken out of text before the text is kept.
//!
//! Three things tell a secret: that an environment variable with a telling name holds it, the name that stands before it
//! (`--api-key`, `PASSWORD=`, `Authorization:`), and the shape of well-known tokens. Names that also mean other things in
//! training scripts (`--pad-token "<pad>"`, `--max-tokens 4096`, `--sort-key loss`) take a value that could be one.

use serde_json::Value as Json;

/// Stands where a secret stood.
pub(crate) const REDACTED: &str = "[redacted]";

/// Shorter values of environment variables are no secrets, but words that stand everywhere.
const SHORTEST_VALUE: usize = 6;

/// No secret of one line is longer, in bytes.
const LONGEST_SECRET: usize = 8192;

/// Of a secret of several lines, such as a private key, a line as long as this tells it too.
const SHORTEST_LINE: usize = 16;

/// Beginnings of tokens, how many characters follow at least, and whether these may be `-` and `_` too.
const TOKENS: [(&str, usize, bool); 25] = [
    ("steplog-", 40, false),
    ("ghp_", 20, false),
    ("gho_", 20, false),
    ("ghu_", 20, false),
    ("ghs_", 20, false),
    ("ghr_", 20, false),
    ("github_pat_", 20, true),
    ("glpat-", 16, true),
    ("hf_", 20, false),
    ("sk-", 20, true),
    ("sk_live_", 16, false),
    ("sk_test_", 16, false),
    ("rk_live_", 16, false),
    ("xoxa-", 10, true),
    ("xoxb-", 10, true),
    ("xoxe-", 10, true),
    ("xoxp-", 10, true),
    ("xoxr-", 10, true),
    ("xoxs-", 10, true),
    ("xapp-", 10, true),
    ("npm_", 30, false),
    ("pypi-", 40, true),
    ("dckr_pat_", 16, true),
    ("dop_v1_", 32, false),
    ("AIza", 35, true),
];

/// Words for a secret whatever it is set to.
const SECRET_WORDS: [&str; 6] = ["password", "passwd", "passphrase", "secret", "credential", "pwd"];

/// Words that make a key out of `key` and tokens out of `tokens`.
const KEY_WORDS: [&str; 16] = [
    "access",
    "account",
    "api",
    "app",
    "auth",
    "client",
    "deploy",
    "encryption",
    "license",
    "master",
    "private",
    "secret",
    "service",
    "signing",
    "ssh",
    "subscription",
];

/// A name that ends so is about a secret and holds none.
const ABOUT_WORDS: [&str; 18] = [
    "bytes", "count", "dim", "dir", "env", "file", "folder", "home", "id", "len", "length", "name", "path", "size",
    "sock", "type", "url", "variable",
];

/// Takes secrets out of text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactor {
    /// Values that are secret wherever they stand, the longest first.
    values: Vec<String>,
}

impl Redactor {
    /// Knows the secrets among environment variables. The path of a file that is there is none, whatever its name.
    pub(crate) fn of_variables(variables: impl Iterator<Item = (String, String)>) -> Self {
        let is_path = |value: &str| std::path::Path::new(value).is_absolute() && std::path::Path::new(value).exists();
        let secret = variables.filter(|(name, value)| is_secret_variable(name, value) && !is_path(value));
        Self::default().with(secret.map(|(_, value)| value))
    }

    /// Knows some more.
    pub(crate) fn with(mut self, values: impl IntoIterator<Item = String>) -> Self {
        for value in values {
            let value = value.trim();
            let lines = value.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
            self.values.extend(lines.chain([value]).filter(|value| value.len() >= SHORTEST_VALUE).map(str::to_owned));
        }
        self.values.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        self.values.dedup();
        self
    }

    /// A command with its arguments.
    pub(crate) fn command(&self, arguments: &[String]) -> Vec<String> {
        let mut expected: Option<String> = None;
        let mut redacted = Vec::with_capacity(arguments.len());
        for argument in arguments {
            if let Some(name) = expected.take().filter(|_| !argument.starts_with('-')) {
                if is_scheme(argument) {
                    redacted.push(argument.clone());
                    expected = Some(name);
                    continue;
                }
                if is_secret(&name, argument) {
                    redacted.push(REDACTED.into());
                    continue;
                }
            }
            match argument.split_once('=').filter(|(name, _)| is_name(name)) {
                Some((name, value)) if is_secret(name, value) => redacted.push(format!("{name}={REDACTED}")),
                Some(_) => redacted.push(self.text(argument)),
                None => {
                    let name = argument.strip_suffix(':').unwrap_or(argument);
                    let tells = argument.starts_with('-') || argument.ends_with(':');
                    if is_scheme(argument) {
                        expected = Some("authorization".into());
                    } else if tells && is_name(name) {
                        expected = Some(name.to_owned());
                    }
                    redacted.push(self.text(argument));
                }
            }
        }
        redacted
    }

    /// Text of any kind and length; lines stay lines.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for value in &self.values {
            if text.contains(value) {
                text = text.replace(value, REDACTED);
            }
        }
        without_tokens(&without_named(&without_url_secrets(&without_private_keys(&text))))
    }

    /// Every text in a JSON value; the names of members too say what is secret.
    pub(crate) fn json(&self, value: Json) -> Json {
        match value {
            Json::String(text) => Json::String(self.text(&text)),
            Json::Array(items) => Json::Array(items.into_iter().map(|item| self.json(item)).collect()),
            Json::Object(members) => Json::Object(
                members
                    .into_iter()
                    .map(|(name, value)| match value {
                        Json::String(text) if is_secret(&name, &text) => (name, Json::from(REDACTED)),
                        value => (name, self.json(value)),
                    })
                    .collect(),
            ),
            other => other,
        }
    }

    /// The address of a repository, without user, password and what a query says secretly. `git@host:path` has none.
    pub(crate) fn remote(&self, url: &str) -> String {
        let bare = match url.split_once("://") {
            Some((scheme, rest)) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                let (host, path) = rest.split_at(end);
                let user = host.rsplit_once('@').map_or("", |(user, _)| user);
                // How one logs in with ssh is no secret: the name is the same for all.
                let user = if scheme.contains("ssh") { user.split(':').next().unwrap_or_default() } else { "" };
                let host = host.rsplit('@').next().unwrap_or_default();
                format!("{scheme}://{user}{}{host}{path}", if user.is_empty() { "" } else { "@" })
            }
            None => url.to_owned(),
        };
        self.text(&bare)
    }
}

/// Whether the variable's name says that its value is to be known to nobody.
fn is_secret_variable(name: &str, value: &str) -> bool {
    let words = words_of(name);
    let (is_always, is_maybe) = (words.iter().any(|word| is_always(word)), words.iter().any(|word| is_maybe(word)));
    value.len() >= SHORTEST_VALUE
        // Of the shell: the working directory.
        && !matches!(name, "PWD" | "OLDPWD")
        && !words.last().is_some_and(|last| ABOUT_WORDS.contains(&&**last) && last != "id")
        && (is_always || is_maybe && !is_harmless(value))
}

/// Whether a value is secret by the name that it is given to.
fn is_secret(name: &str, value: &str) -> bool {
    let words = words_of(name);
    let Some(last) = words.last() else { return false };
    if value.is_empty() || ABOUT_WORDS.contains(&&**last) || is_placeholder(value) {
        return false;
    }
    if words.iter().any(|word| is_always(word)) {
        return true;
    }
    if !is_maybe(last) || is_harmless(value) {
        return false;
    }
    let names_key = words.iter().any(|word| KEY_WORDS.contains(&&**word));
    match &**last {
        "key" => names_key || looks_random(value),
        "keys" | "tokens" => names_key,
        _ => true,
    }
}

fn is_always(word: &str) -> bool {
    SECRET_WORDS.iter().any(|secret| word == *secret || word.strip_suffix('s') == Some(secret))
        || SECRET_WORDS[..4].iter().any(|secret| word.ends_with(secret))
}

/// Whether a word means a secret where nothing else speaks against it.
fn is_maybe(word: &str) -> bool {
    let ends = ["token", "apikey", "accesskey", "authkey", "secretkey", "privatekey"];
    matches!(word, "key" | "keys" | "tokens" | "auth" | "authorization" | "cookie" | "bearer")
        || ends.iter().any(|end| word.ends_with(end))
}

/// The words of a name such as `--hf_token`, `model.apiKey` or `X-Auth-Token`, in small letters.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for character in name.chars() {
        let begins = character.is_uppercase() && before.is_lowercase();
        if (begins || !character.is_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if character.is_alphanumeric() {
            words.last_mut().expect("there is one").extend(character.to_lowercase());
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether it can be the name of an option, a variable or a header.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 200
        && text.chars().all(|character| character.is_alphanumeric() || "-_.+/@:".contains(character))
}

/// A number, a word of programs, a special token of a model.
fn is_harmless(value: &str) -> bool {
    let value = value.trim();
    let words = ["", "true", "false", "yes", "no", "on", "off", "none", "null", "auto", "default"];
    let wraps = [('<', '>'), ('[', ']')];
    words.iter().any(|word| value.eq_ignore_ascii_case(word))
        || (value.len() < 16 && value.parse::<f64>().is_ok())
        || wraps.iter().any(|(open, close)| value.starts_with(*open) && value.ends_with(*close))
}

/// What names a secret and is none: `$TOKEN`, `{token}`, `%s`, and what was taken out already.
fn is_placeholder(value: &str) -> bool {
    value.starts_with(['$', '{', '%']) || value.contains(REDACTED)
}

/// Letters and digits together, or very long.
fn looks_random(value: &str) -> bool {
    let has = |kind: fn(&char) -> bool| value.chars().any(|character| kind(&character));
    let is_one_word = !value.contains(char::is_whitespace);
    is_one_word
        && (value.len() >= 32 || value.len() >= 8 && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic))
}

/// The word before what proves who one is, in the value of an `Authorization` header.
fn is_scheme(word: &str) -> bool {
    ["bearer", "basic", "token"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Blocks from `-----BEGIN … PRIVATE KEY-----` to their end, or to that of the text; the lines that begin and end one
/// stay, and those of a patch keep their first character.
fn without_private_keys(text: &str) -> String {
    if !text.contains("PRIVATE KEY-----") {
        return text.to_owned();
    }
    let mut redacted = String::with_capacity(text.len());
    let mut is_inside = false;
    for line in text.split_inclusive('\n') {
        let begins = line.find("-----BEGIN ").filter(|at| line[*at..].contains("PRIVATE KEY-----"));
        if let Some(at) = begins {
            // All of it may be one line, with `\n` spelled out.
            is_inside = !line[at..].contains("-----END ");
            redacted.push_str(&line[..at]);
            redacted.push_str(REDACTED);
            redacted.push_str(if line.ends_with('\n') { "\n" } else { "" });
        } else if is_inside {
            is_inside = !line.contains("-----END ");
            let sign = &line[..usize::from(line.starts_with(['+', '-', ' ']))];
            redacted.push_str(sign);
            redacted.push_str(REDACTED);
            redacted.push_str(if line.ends_with('\n') { "\n" } else { "" });
        } else {
            redacted.push_str(line);
        }
    }
    redacted
}

/// `https://user:password@host` and `?token=…`.
fn without_url_secrets(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let begin = at + 3;
        redacted.push_str(&rest[..begin]);
        rest = &rest[begin..];
        let ends = |character: char| character.is_whitespace() || "\"'`<>".contains(character);
        let (url, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        let (host, path) = url.split_at(url.find(['/', '?', '#']).unwrap_or(url.len()));
        match host.rsplit_once('@') {
            // `git@host` is how one logs in, and `user@host` tells no password.
            Some((user, host)) if user.contains(':') || user.len() >= SHORTEST_LINE => {
                redacted.extend([REDACTED, "@", host]);
            }
            _ => redacted.push_str(host),
        }
        for piece in path.split_inclusive(['?', '&', ';', '#']) {
            let (pair, end) = piece.split_at(piece.trim_end_matches(['?', '&', ';', '#']).len());
            match pair.split_once('=') {
                Some((name, value)) if is_secret(name, value) => redacted.extend([name, "=", REDACTED]),
                _ => redacted.push_str(pair),
            }
            redacted.push_str(end);
        }
        rest = after;
    }
    redacted + rest
}

/// What stands behind a telling name and `=` or `:`, and behind `Bearer`. Code that merely handles secrets stays:
/// `token = read_token()`.
fn without_named(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut done = 0;
    for (at, separator) in text.match_indices([':', '=', ' ']) {
        if at < done {
            continue;
        }
        let Some((begin, end)) = (if separator == " " { bearer(text, at) } else { named(text, at) }) else { continue };
        redacted.push_str(&text[done..begin]);
        redacted.push_str(REDACTED);
        done = end;
    }
    redacted + &text[done..]
}

/// Where the secret behind the `=` or `:` at a place stands, if there is one.
fn named(text: &str, at: usize) -> Option<(usize, usize)> {
    let before = text[..at].trim_end_matches([' ', '\t', '"', '\'', '`', ']']);
    let is_of_name = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    let name = &before[before.trim_end_matches(is_of_name).len()..];
    if name.is_empty() || name.len() > 200 || !words_of(name).iter().any(|word| is_always(word) || is_maybe(word)) {
        return None;
    }
    let spaces = |text: &str| text.len() - text.trim_start_matches([' ', '\t', '=', ':']).len();
    let mut begin = at + 1 + spaces(&text[at + 1..]);
    let mut value = beginning(&text[begin..]).lines().next().unwrap_or_default();
    // A header: `Authorization: Basic abc`.
    if let Some((scheme, rest)) = value.split_once(' ').filter(|(scheme, _)| is_scheme(scheme)) {
        begin += scheme.len() + 1;
        value = rest;
    }
    if let Some(quote) = value.chars().next().filter(|first| "\"'`".contains(*first)) {
        let inside = &value[1..];
        let inside = &inside[..inside.find(quote)?];
        let is_long = inside.len() >= 8 || words_of(name).iter().any(|word| is_always(word));
        let is_text = inside.contains(char::is_whitespace);
        return (is_long && !is_text && is_secret(name, inside)).then_some((begin + 1, begin + 1 + inside.len()));
    }
    let end = value.find(|character: char| character.is_whitespace() || "\"'`,;)}&".contains(character));
    let value = &value[..end.unwrap_or(value.len())];
    // As in a file of variables: `DB_PASSWORD=simple`.
    let is_variable = begin == at + 1 && name.chars().all(|character| !character.is_lowercase());
    let is_code = value.contains(['(', '[']);
    (!is_code && is_secret(name, value) && (is_variable || looks_random(value))).then(|| (begin, begin + value.len()))
}

/// As much of a text as a secret may take: a line of megabytes is not gone through again and again.
fn beginning(text: &str) -> &str {
    let end = text.len().min(LONGEST_SECRET);
    &text[..(0..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default()]
}

/// Where the secret behind `Bearer` and the space at a place stands.
fn bearer(text: &str, at: usize) -> Option<(usize, usize)> {
    let word = text[..at].rsplit(|character: char| !character.is_alphanumeric()).next()?;
    if !word.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let value = beginning(&text[at + 1..]);
    let end = value.find(|character: char| !(character.is_ascii_alphanumeric() || "-_.~+/=".contains(character)));
    let value = &value[..end.unwrap_or(value.len())];
    (value.len() >= 16 || looks_random(value)).then(|| (at + 1, at + 1 + value.len()))
}

/// Words of the shape of well-known tokens.
fn without_tokens(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let is_of_word = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let mut rest = text;
    while !rest.is_empty() {
        let word = &rest[..rest.find(|character| !is_of_word(character)).unwrap_or(rest.len())];
        if word.is_empty() {
            let next = rest.find(is_of_word).unwrap_or(rest.len());
            redacted.push_str(&rest[..next]);
            rest = &rest[next..];
            continue;
        }
        let token = json_web_token(rest).map(|length| (0, length)).or_else(|| token_in(word));
        let end = match token {
            Some((begin, end)) => {
                redacted.push_str(&rest[..begin]);
                redacted.push_str(REDACTED);
                end
            }
            None => {
                redacted.push_str(word);
                word.len()
            }
        };
        rest = &rest[end..];
    }
    redacted
}

/// Length of the JSON web token that the text begins with: three parts, of which the first two are objects.
fn json_web_token(text: &str) -> Option<usize> {
    if !text.starts_with("eyJ") {
        return None;
    }
    let text = beginning(text);
    let end = text.find(|character: char| !(character.is_ascii_alphanumeric() || "-_.".contains(character)));
    let token = text[..end.unwrap_or(text.len())].trim_end_matches('.');
    let parts: Vec<&str> = token.split('.').collect();
    (parts.len() >= 3 && parts[1].starts_with("eyJ")).then_some(token.len())
}

/// Where in a word a token stands.
fn token_in(word: &str) -> Option<(usize, usize)> {
    for (prefix, least, is_wide) in TOKENS {
        let begins = |at: &usize| !word[..*at].ends_with(|before: char| before.is_ascii_alphanumeric());
        let Some(at) = word.match_indices(prefix).map(|(at, _)| at).find(begins) else { continue };
        let rest = &word[at + prefix.len()..];
        let rest = if is_wide { rest } else { &rest[..rest.find(['-', '_']).unwrap_or(rest.len())] };
        // `sk-learn-and-other-packages` is none.
        if rest.len() >= least && rest.contains(|character: char| character.is_ascii_digit()) {
            return Some((at, at + prefix.len() + rest.len()));
        }
    }
    let is_access_key = word.len() == 20
        && ["AKIA", "ASIA"].iter().any(|prefix| word.starts_with(prefix))
        && word.chars().all(|character| character.is_ascii_uppercase() || character.is_ascii_digit());
    is_access_key.then_some((0, word.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> String {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Redactor::default().command(&arguments).join(" ")
    }

    #[test]
    fn options_that_say_so_lose_their_values() {
        for (given, kept) in [
            ("train.py --api-key=abc --lr 0.1", "train.py --api-key=[redacted] --lr 0.1"),
            ("train.py --token abc --lr 0.1", "train.py --token [redacted] --lr 0.1"),
            ("--hf_token abc", "--hf_token [redacted]"),
            ("--hub.accessToken=abc", "--hub.accessToken=[redacted]"),
            ("-password x -p y", "-password [redacted] -p y"),
            ("DB_PASSWORD=1234 python train.py", "DB_PASSWORD=[redacted] python train.py"),
            ("logger.api_key=abc", "logger.api_key=[redacted]"),
            ("+secrets.value=abc", "+secrets.value=[redacted]"),
            ("--wandb-key 0123456789abcdef", "--wandb-key [redacted]"),
            ("--token --verbose", "--token --verbose"),
            ("-H Authorization: Bearer abc", "-H Authorization: Bearer [redacted]"),
            ("-H Authorization: abc", "-H Authorization: [redacted]"),
            ("--aws-secret-access-key a/b+c", "--aws-secret-access-key [redacted]"),
        ] {
            assert_eq!(command(given), kept);
        }
    }

    #[test]
    fn options_of_training_keep_theirs() {
        for line in [
            "--max-tokens 4096 --num_tokens=1e9 --tokens-per-batch 8",
            "--pad-token <pad> --mask_token=[MASK] --token none",
            "--sort-key loss --key image --key-dim 64 model.num_keys=8",
            "--token-file /run/secret --password-file x --tokenizer gpt2",
            "--monkey banana --keyboard x --passes 3 --secretary_id x",
            "-p 8000 -k 10 --author me",
        ] {
            assert_eq!(command(line), line);
        }
    }

    #[test]
    fn one_argument_may_hold_it_all() {
        let redactor = Redactor::default();
        for (given, kept) in [
            ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer [redacted]"),
            ("authorization: Basic dXNlcjpwYXNz1", "authorization: Basic [redacted]"),
            (r#"{"lr": 0.1, "api_key": "abcdefgh"}"#, r#"{"lr": 0.1, "api_key": "[redacted]"}"#),
            ("curl -H 'X-Api-Key: 0123456789abcdef'", "curl -H 'X-Api-Key: [redacted]'"),
            ("postgres://me:hunter2@db/x", "postgres://[redacted]@db/x"),
            ("see https://host/a?x=1&token=abc&y=2#part.", "see https://host/a?x=1&token=[redacted]&y=2#part."),
            ("git+ssh://git@host/x", "git+ssh://git@host/x"),
        ] {
            assert_eq!(redactor.text(given), kept);
        }
    }

    #[test]
    fn well_known_shapes_are_taken_out_of_any_text() {
        let (letters, jwt) = ("a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_x");
        let tokens = [
            format!("ghp_{letters}"),
            format!("github_pat_11A_{letters}"),
            format!("hf_{letters}"),
            format!("sk-proj-{letters}"),
            format!("sk-ant-api03-{letters}"),
            format!("glpat-{letters}"),
            format!("AIza{}", &letters[..35]),
            "xoxb-1234567890-abcdefghij".into(),
            "AKIAIOSFODNN7EXAMPLE".into(),
            jwt.into(),
        ];
        for token in tokens {
            let text = format!("a ({token}), x_{token}.");
            let kept = Redactor::default().text(&text);
            // These two begin at a word.
            let stays = token == jwt || token.starts_with("AKIA");
            let glued = if stays { token } else { REDACTED.to_owned() };
            assert_eq!(kept, format!("a ({REDACTED}), x_{glued}."));
        }
        for text in [
            "sk-learn-and-many-other-packages-are-here",
            "hf_hub_download(repo) # ghp_ and glpat- are prefixes",
            "eyJ.is.nothing AKIA task-runner-0123456789-0123456789",
            "commit 0123456789abcdef0123456789abcdef01234567",
        ] {
            assert_eq!(Redactor::default().text(text), text);
        }
    }

    #[test]
    fn variables_with_telling_names_are_known_by_their_values() {
        let variables = [
            ("MY_SERVICE_TOKEN", "plain word"),
            ("DB_PASSWORD", "123456"),
            ("SIGNING_KEY", "first line of a key\nsecond line of a key"),
            ("SHORT_KEY", "abc"),
            ("MAX_TOKENS", "131072"),
            ("TOKENIZERS_PARALLELISM", "parallel"),
            ("SSH_KEY_PATH", "/nowhere/at/all"),
            ("PWD", "/work/project"),
            ("LOG_LEVEL", "verbose"),
            ("GOOGLE_APPLICATION_CREDENTIALS", "/"),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let redactor = Redactor::of_variables(variables);
        let all = "first line of a key\nsecond line of a key";
        assert_eq!(redactor.values, [all, "second line of a key", "first line of a key", "plain word", "123456"]);
        let arguments = ["--x=a plain word", "verbose", "123456", "key:second line of a key"].map(str::to_owned);
        assert_eq!(redactor.command(&arguments), ["--x=a [redacted]", "verbose", "[redacted]", "key:[redacted]"]);
        assert_eq!(redactor.text("of 1234567"), "of [redacted]7");
    }

    #[test]
    fn a_patch_loses_literals_and_keeps_code() {
        let patch = "\
+API_KEY = 'abcdefgh'
+password = \"a\"
-token: 0123456789abcdef0123
+DB_PASSWORD=simple
+token = read_token()
+key = lambda row: row.loss
+sort_key: loss
+self.token = token
+password = os.environ['PASSWORD']
+special = dict(pad_token=\"<pad>\", secret_file='/run/secret')
+message = 'the secret: nobody knows'
";
        let kept = "\
+API_KEY = '[redacted]'
+password = \"[redacted]\"
-token: [redacted]
+DB_PASSWORD=[redacted]
+token = read_token()
+key = lambda row: row.loss
+sort_key: loss
+self.token = token
+password = os.environ['PASSWORD']
+special = dict(pad_token=\"<pad>\", secret_file='/run/secret')
+message = 'the secret: nobody knows'
";
        assert_eq!(Redactor::default().text(patch), kept);
    }

    #[test]
    fn a_long_line_is_gone_through_once() {
        for piece in ["\"token\": \"x", "eyJ.x.", "https://a@", "Bearer ", "é: token=é "] {
            let line = piece.repeat((1 << 20) / piece.len());
            assert_eq!(Redactor::default().text(&line).len(), line.len(), "{piece}");
        }
    }

    #[test]
    fn private_keys_lose_every_line() {
        let text = "+a\n+-----BEGIN RSA PRIVATE KEY-----\n+MIIE\n+abc=\n+-----END RSA PRIVATE KEY-----\n+b\n";
        let kept = "+a\n+[redacted]\n+[redacted]\n+[redacted]\n+[redacted]\n+b\n";
        assert_eq!(Redactor::default().text(text), kept);
        let line = "key -----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\\n";
        assert_eq!(Redactor::default().text(line), "key [redacted]");
    }

    #[test]
    fn remotes_lose_who_logs_in() {
        let redactor = Redactor::default();
        for (given, kept) in [
            ("https://user:abc@host/x.git", "https://host/x.git"),
            ("https://abc@host:8443/x.git?private_token=1#y", "https://host:8443/x.git?private_token=1#y"),
            ("https://host/x.git?access_token=a-b", "https://host/x.git?access_token=[redacted]"),
            ("ssh://git:pw@host/x.git", "ssh://git@host/x.git"),
            ("git@host:group/x.git", "git@host:group/x.git"),
            ("/srv/git/x@y.git", "/srv/git/x@y.git"),
            ("https://a@b:c@host/x", "https://host/x"),
        ] {
            assert_eq!(redactor.remote(given), kept);
        }
    }

    #[test]
    fn json_is_gone_through() {
        let redactor = Redactor::default().with(["hunter2".to_owned()]);
        let given = serde_json::json!({"a": ["x hunter2", 1], "api_key": "abc", "host": "h"});
        let kept = serde_json::json!({"a": ["x [redacted]", 1], "api_key": "[redacted]", "host": "h"});
        assert_eq!(redactor.json(given), kept);
    }
}
