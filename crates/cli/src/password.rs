//! Asking for names and passwords.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Context as _, Result};

use crate::failure::Refusal;

/// Asks for a new password twice on a terminal; reads the first line of standard input otherwise.
pub(crate) fn ask_new(name: &str) -> Result<String> {
    if !io::stdin().is_terminal() {
        return read_line();
    }
    let password = rpassword::prompt_password(format!("password for {name}: ")).context("cannot read the password")?;
    let again = rpassword::prompt_password("the same again: ").context("cannot read the password")?;
    if password == again { Ok(password) } else { Err(Refusal::new("the two passwords differ").into()) }
}

/// Asks for a known password on a terminal; reads the next line of standard input otherwise.
pub(crate) fn ask(name: &str) -> Result<String> {
    if !io::stdin().is_terminal() {
        return read_line();
    }
    rpassword::prompt_password(format!("password of {name}: ")).context("cannot read the password")
}

/// Asks a question on a terminal; reads the next line of standard input otherwise.
pub(crate) fn ask_text(question: &str) -> Result<String> {
    if io::stdin().is_terminal() {
        eprint!("{question}: ");
        io::stderr().flush()?;
    }
    read_line()
}

/// The next line of standard input.
pub(crate) fn read_line() -> Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("cannot read standard input")?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}
