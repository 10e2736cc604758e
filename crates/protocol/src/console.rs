//! What the processes of a run printed.

use serde::{Deserialize, Serialize};

/// Most lines that a request may ask for.
pub const MAX_CONSOLE_LINES: u32 = 5_000;

/// `POST /console/query`: a page of the lines that the processes of a run printed.
///
/// The lines of a process stand in the order in which they began. Those of several processes are merged by the times at
/// which they first appeared; of equal times, those of the process that began first come first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ConsoleRequest {
    /// `entity/project/id`.
    pub run: String,
    /// Only the lines of this process: the id of its journal, 32 hex characters. `null` for all processes.
    pub stream: Option<String>,
    /// Only lines of this output.
    pub output: Option<ConsoleOutput>,
    /// Only lines that contain this, at most 1,000 bytes. Colours are looked through.
    pub search: Option<String>,
    /// Whether `search` is a regular expression, in the syntax of the Rust crate `regex`: as elsewhere, but without
    /// look-around and back-references.
    pub regex: bool,
    /// Whether upper and lower case differ in `search`.
    pub case_sensitive: bool,
    /// The first line, by its place among the lines that match, from 0; negative from the end on, as in Python's slices:
    /// -1 is the last line. Default 0.
    pub from: Option<i64>,
    /// How many lines at most: 1 to 5,000. Default 1,000. Fewer come where their texts are above 4 MiB together.
    pub limit: Option<u32>,
}

/// The answer of `POST /console/query`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsoleLineList {
    /// One page, in order.
    pub lines: Vec<ConsoleLine>,
    /// The place of the first of them among the lines that match; where the next page begins when there are none.
    pub from: u64,
    /// How many lines match.
    pub total: u64,
    /// How many lines there are of the process and output asked for, whatever is searched for.
    pub line_count: u64,
    /// The processes that printed something, the one that began first first.
    pub processes: Vec<ConsoleProcess>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsoleLine {
    /// Its place among the lines of the process and output asked for, whatever is searched for.
    pub index: u64,
    /// Its number among the lines of its process, both outputs together.
    pub number: u64,
    /// Which process: an index into [`ConsoleLineList::processes`].
    pub process: u32,
    /// Where it was printed to.
    pub output: ConsoleOutput,
    /// When it first appeared, Unix seconds. A line that is written again, as progress bars are, keeps its time.
    pub time: f64,
    /// As a terminal shows it now. Of control characters it has tabs and the sequences for colours and styles,
    /// `ESC [ … m`.
    pub text: String,
}

/// Where a process prints to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConsoleOutput {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A process that printed something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsoleProcess {
    /// The id of its journal, 32 hex characters.
    pub stream: String,
    /// What the script calls it, when several processes write one run.
    pub label: Option<String>,
    /// Host name.
    pub host: Option<String>,
    /// Process id.
    pub process_id: Option<u32>,
    /// Whether another process of the run was forked into it.
    pub is_fork: bool,
    /// How many lines it printed.
    pub line_count: u64,
}
