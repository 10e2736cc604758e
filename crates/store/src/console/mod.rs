//! What the processes of a run printed: stored in chunks, read in pages, searched, exported.
//!
//! A process numbers its lines, and writes a line again when it changes. Chunks hold what came; an order kept in memory says
//! for every line where it first appeared and where its text is now.

mod bits;
mod chunk;
mod export;
mod order;
mod query;
mod read;
mod search;
mod stream_order;
mod verify;
mod write;

pub use export::ConsoleFormat;
pub(crate) use read::{ConsoleCaches, count_lines};
pub(crate) use verify::verify;
pub(crate) use write::write;
