//! The `steplog` command as people and scripts use it.

mod account;
mod artifact;
mod artifact_run;
mod export;
mod help;
mod logs;
mod read_api;
mod runs;
mod serve;
mod status;
mod support;
mod sync;
mod verify;
