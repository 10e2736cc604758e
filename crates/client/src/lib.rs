//! steplog records machine-learning experiments. This crate is the run of a training program.
//!
//! ```no_run
//! let run = steplog::Run::builder("digits").name("lr-0.1").config("lr", 0.1).init()?;
//! for step in 0..100 {
//!     run.log([("loss", 1.0 / f64::from(step + 1)), ("accuracy", 0.9)])?;
//! }
//! run.set_summary("best", 0.93)?;
//! run.finish();
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! [`Run::log`] copies the row into a memory-mapped journal file and returns: no network, no waiting. Whatever it
//! returned from survives `kill -9`. A background thread sends the journal to a server, for as long as it takes;
//! [`Run::finish`] waits for that a bounded time, and `steplog sync` sends what was left. Trouble with disk or network is
//! one warning, never an error of training: a call fails only for arguments that are wrong, and then that call alone has
//! no effect.
//!
//! # Where the data goes
//!
//! To `steplog/<project>/<id>/` below the working directory, or below [`RunBuilder::root`], and from there to the server
//! of `STEPLOG_BASE_URL` or `steplog login`, else to one at [`DEFAULT_URL`] if it is there. [`Mode`] says otherwise;
//! without a server `steplog ui FOLDER` shows the runs of a folder. Everything that the builder is not told comes from
//! variables such as `STEPLOG_PROJECT`, as [`RunBuilder`] lists them.
//!
//! ```
//! use steplog::{FinishReport, Mode, Run};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let run = Run::builder("digits").id("first").root(folder.path()).mode(Mode::Offline).init()?;
//! assert_eq!(run.path(), "local/digits/first");
//! assert!(run.dir().unwrap().ends_with("steplog/digits/first/files"));
//! assert_eq!(run.finish(), FinishReport::Local { missing_bytes: 0 });
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! # Rows and steps
//!
//! A row has a step and any number of metrics. [`Run::log`] takes the next step and completes the row. With
//! [`Run::log_at`] a row stays open for more, until a call without a step or with a higher one completes it. A step below
//! the run's is a late row: it is kept at its step, and nothing moves.
//!
//! ```
//! # use steplog::{Mode, Run};
//! # let folder = tempfile::tempdir().unwrap();
//! # let run = Run::builder("digits").root(folder.path()).mode(Mode::Offline).init()?;
//! run.log([("loss", 0.5)])?;
//! run.log_at(10, [("loss", 0.4)])?;
//! run.log_at(10, [("accuracy", 0.8)])?;
//! run.log([("epoch", 1)])?;
//! run.log_at(3, [("late", 0.1)])?;
//!
//! let steps: Vec<_> = run.history()?.into_iter().map(|row| (row.step, row.entries.len())).collect();
//! assert_eq!(steps, [(0, 1), (10, 3), (3, 1)]);
//! assert_eq!(run.step(), 11);
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! Values are what [`Value`] can be made from: numbers, truth values, text, times, lists, maps, JSON. A map is flattened,
//! each leaf a metric of its own; a [`Histogram`] stays whole. Floats keep their bits, NaN and infinities included. The
//! fastest way, for many rows with the same keys, is [`Run::intern`] and [`Run::log_entries`].
//!
//! # Config
//!
//! What the run was set up with. A key can be set again to an equal value; another one must be asked for.
//!
//! ```
//! # use steplog::{ErrorKind, Mode, Run, Value};
//! # let folder = tempfile::tempdir().unwrap();
//! # let builder = Run::builder("digits").root(folder.path()).mode(Mode::Offline);
//! let run = builder.config("lr", 0.1).config("layers", vec![64, 32]).init()?;
//! run.update_config(vec![("epochs".into(), 5.into())], false)?;
//!
//! let refused = run.update_config(vec![("lr".into(), 0.2.into())], false).unwrap_err();
//! assert_eq!(refused.kind(), ErrorKind::ConfigConflict);
//! assert_eq!(run.config().get("lr"), Some(&Value::Float(0.1)));
//! run.update_config(vec![("lr".into(), 0.2.into())], true)?;
//! # assert_eq!(run.config().get("lr"), Some(&Value::Float(0.2)));
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! Keys that nothing else sets come from a file `config-defaults.yaml` in the working directory;
//! [`RunBuilder::config_file`] reads another one.
//!
//! # Summary and definitions of metrics
//!
//! The summary has one value for each metric: that of the highest step, unless it is set by hand, or unless
//! [`Run::define_metric`] asks for something else.
//!
//! ```
//! # use steplog::{Mode, Run};
//! use steplog::{Aggregate, MetricDefinition, Value};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let run = Run::builder("digits").root(folder.path()).mode(Mode::Offline).init()?;
//! run.define_metric(MetricDefinition {
//!     name: "val/*".into(),
//!     step_metric: Some("epoch".into()),
//!     summary: Some(vec![Aggregate::Min, Aggregate::Last]),
//!     ..MetricDefinition::default()
//! })?;
//! for (epoch, loss) in [(0, 0.9), (1, 0.2), (2, 0.3)] {
//!     run.log([("epoch", Value::from(epoch)), ("val/loss", loss.into())])?;
//! }
//! run.set_summary("best epoch", 1)?;
//! run.log([("best epoch", 2)])?;
//!
//! let summary = run.summary();
//! assert_eq!(summary.get("val/loss.min"), Some(&Value::Float(0.2)));
//! assert_eq!(summary.get("val/loss.last"), Some(&Value::Float(0.3)));
//! assert_eq!(summary.get("best epoch"), Some(&Value::Int(1)));
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! # Alerts
//!
//! ```
//! # use steplog::{Mode, Run};
//! use std::time::Duration;
//!
//! use steplog::AlertLevel;
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let run = Run::builder("digits").root(folder.path()).mode(Mode::Offline).init()?;
//! run.alert("loss is NaN", "at step 812", AlertLevel::Error, Some(Duration::from_secs(600)))?;
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! Every alert is kept; one with a title that was given within the waiting time is not passed on.
//!
//! # Files
//!
//! [`Run::save`] puts links to files into [`Run::dir`], from where they go to the server in the background: as they
//! change, once, or at the end.
//!
//! ```
//! # use steplog::{Mode, Run};
//! use steplog::SaveOptions;
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let run = Run::builder("digits").root(folder.path()).mode(Mode::Offline).init()?;
//! let checkpoint = folder.path().join("checkpoints/last.bin");
//! # std::fs::create_dir_all(checkpoint.parent().unwrap()).unwrap();
//! std::fs::write(&checkpoint, [1, 2, 3]).unwrap();
//! let saved = run.save(checkpoint.to_str().unwrap(), &SaveOptions::default())?;
//! assert_eq!(saved, [run.dir().unwrap().join("checkpoints/last.bin")]);
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! # Artifacts
//!
//! An [`Artifact`] is a named set of files of which every change is a version. [`Run::log_artifact`] makes one of copies that
//! were taken as files were added, and returns as soon as it is on this disk; a thread sends to the server what that lacks.
//! [`Run::use_artifact`] takes a version as an input, so that it is known what was made of what. [`mod@artifact`] has more.
//!
//! ```
//! # use steplog::{Mode, Run};
//! use steplog::Artifact;
//! use steplog::artifact::AddOptions;
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let run = Run::builder("digits").root(folder.path()).mode(Mode::Offline).init()?;
//! # let weights = folder.path().join("weights.bin");
//! std::fs::write(&weights, [1, 2, 3]).unwrap();
//! let model = Artifact::new("net", "model")?;
//! model.add_file(&weights, None, &AddOptions::default())?;
//! run.log_artifact(&model, &["best"])?;
//! model.wait(None)?;
//!
//! let best = run.use_artifact("net:best", Some("model"))?;
//! assert_eq!((best.name(), best.size_bytes()), ("net:v0".to_owned(), 3));
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! # What the program prints
//!
//! [`Run::write_console`] records what a program shows on the terminal: carriage returns and cursor movements are resolved as
//! a terminal does, and colours are kept. With [`ConsoleMode::Redirect`] everything that is written to the file
//! descriptors 1 and 2 is recorded without that, also by child processes and libraries in C. The text is in `output.log`
//! in [`Run::dir`] too.
//!
//! ```
//! # use steplog::{Mode, Run};
//! use steplog::ConsoleOutput;
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let run = Run::builder("digits").root(folder.path()).mode(Mode::Offline).init()?;
//! for percent in [0, 50, 100] {
//!     run.write_console(ConsoleOutput::Stderr, format!("\rtraining {percent:>3} %").as_bytes());
//! }
//! run.write_console(ConsoleOutput::Stdout, b"done\n");
//! let log = run.dir().unwrap().join("output.log");
//! run.finish();
//! assert_eq!(std::fs::read_to_string(log).unwrap(), "training 100 %\ndone\n");
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! # What is recorded unasked
//!
//! Two threads that nothing waits for: one samples what the machine and this process are busy with, every ten seconds
//! ([`RunBuilder::system_metrics`], [`RunBuilder::system_interval`]); one finds out what is run and where, once: host,
//! packages, the commit of git and what was changed since ([`RunBuilder::environment`], [`RunBuilder::disable_git`],
//! [`RunBuilder::disable_code`]). Secrets are taken out of the command, of git's answers and of the changes before they
//! are kept, and no environment variable is, but for the numbers of a job of a batch system and the name of the user.
//!
//! ```
//! # use steplog::{Mode, Run};
//! use std::time::Duration;
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let builder = Run::builder("digits").root(folder.path()).mode(Mode::Offline);
//! let builder = builder.package(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
//! let run = builder.system_interval(Duration::from_secs(60)).disable_code(true).init()?;
//! assert!(!run.keeps_code());
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! # Going on with a run
//!
//! With [`RunBuilder::resume`] a later process goes on where the run stands, on the server or on this disk: steps, config,
//! summary, tags and notes. A fork is a new run that begins with the history of another; a rewind goes back in the same
//! run. Neither copies a row. Only these wait for a server in [`RunBuilder::init`], at most
//! [`RunBuilder::init_timeout`].
//!
//! ```
//! # use steplog::{Mode, Run};
//! use steplog::{Resume, Value, parse_fork_point};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let builder = || Run::builder("digits").root(folder.path()).mode(Mode::Offline);
//! let run = builder().id("training").config("lr", 0.1).init()?;
//! (0..5).try_for_each(|_| run.log([("loss", 0.5)]))?;
//! run.finish_with(1);
//!
//! let resumed = builder().id("training").resume(Resume::Must).init()?;
//! assert_eq!((resumed.resumed(), resumed.starting_step()), (true, 5));
//! assert_eq!(resumed.config().get("lr"), Some(&Value::Float(0.1)));
//! resumed.finish();
//!
//! let fork = builder().fork_from(parse_fork_point("training?_step=2")?).init()?;
//! assert_eq!((fork.resumed(), fork.starting_step()), (false, 3));
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! # Threads and processes
//!
//! A [`Run`] is a handle: clones are the same run, threads may use it at once, and so may forked children, each of which
//! writes a journal of its own. Processes on several machines write one run with [`Mode::Shared`], the same
//! [`RunBuilder::id`] and a [`RunBuilder::label`] each.
//!
//! ```
//! # use steplog::{Mode, Run};
//! # let folder = tempfile::tempdir().unwrap();
//! # let run = Run::builder("digits").root(folder.path()).mode(Mode::Offline).init()?;
//! std::thread::scope(|scope| {
//!     for worker in 0..4 {
//!         let run = &run;
//!         scope.spawn(move || (0..100).try_for_each(|_| run.log([(format!("worker-{worker}/loss"), 0.5)])));
//!     }
//! });
//! assert_eq!((run.step(), run.history()?.len()), (400, 400));
//! # Ok::<(), steplog::Error>(())
//! ```
//!
//! # Reading runs back
//!
//! [`Api`] reads what a server holds, and changes what people may change; [`mod@api`] has an example.
//!
//! # The end
//!
//! [`Run::finish`] completes the open row, records the exit code and waits for the server up to
//! [`RunBuilder::finish_timeout`]; with [`RunBuilder::finish_detached`] a process in the background sends the rest. A run
//! that is dropped is finished, with exit code 1 while panicking. A process that is killed loses nothing: the next run
//! below the same folder, or `steplog sync`, sends what it left. [`Run::status`] says at any time what the server has.
//!
//! ```
//! # use steplog::{ErrorKind, Mode, Run};
//! # let folder = tempfile::tempdir().unwrap();
//! # let run = Run::builder("digits").root(folder.path()).mode(Mode::Offline).init()?;
//! run.log([("loss", 0.5)])?;
//! run.finish_with(3);
//! assert_eq!(run.log([("loss", 0.4)]).unwrap_err().kind(), ErrorKind::Finished);
//!
//! let status = run.status();
//! assert!(status.journal_bytes > 0);
//! assert_eq!((status.synced_bytes, status.connected), (0, false));
//! # Ok::<(), steplog::Error>(())
//! ```

pub mod api;
pub mod artifact;

mod children;
mod config_file;
mod console;
mod earlier;
mod error;
mod files;
mod fork;
mod history;
mod init;
mod local;
mod message;
mod metrics;
mod redact;
mod resume;
mod row;
mod run;
mod sender;
mod settings;
mod shared_step;
mod source;
mod state;
mod surroundings;
mod sync;
mod system;
mod terminate;
mod transport;
mod upload;
mod uploader;

pub use api::{Api, ApiSettings};
pub use artifact::Artifact;
pub use config_file::read_config_file;
pub use console::ConsoleMode;
pub use error::{Error, ErrorKind};
pub use files::SaveOptions;
pub use history::HistoryRow;
pub use init::RunBuilder;
pub use message::Verbosity;
pub use resume::{Resume, parse_fork_point};
pub use row::IntoRow;
pub use run::{FinishReport, Run, RunStatus};
pub use sender::{LocalRun, local_run, send_patiently};
pub use settings::{Credentials, DEFAULT_URL, Mode, ServerCredentials, Settings, credentials_path};
pub use steplog_journal::{KeyId, RunFolder, find_runs};
pub use steplog_model::{
    Aggregate, AlertLevel, Config, ConsoleOutput, Entity, FilePolicy, ForkPoint, Histogram, MetricDefinition, Project,
    RunId, RunPath, Summary, Value, join_key, split_key,
};
pub use sync::{SyncProgress, SyncReport, sync_run};
pub use transport::{ArtifactTransport, Commit, Http, Transport, TransportError};
