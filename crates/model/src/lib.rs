//! The nouns of steplog and their rules: ids, values, records, the config tree, the summary, steps.
//!
//! No I/O, no async, no clock: everything here is a function of its arguments, so that client, server and
//! tests share one meaning.

mod alert;
mod artifact;
mod config;
mod console;
mod file;
mod hash;
mod histogram;
mod id;
mod key;
mod media_type;
mod metric;
mod record;
mod step;
mod summary;
mod system;
mod time;
mod value;

pub use alert::{Alert, AlertLevel, InvalidAlert, MAX_ALERT_TITLE};
pub use artifact::{
    Alias, ArtifactDetails, ArtifactId, ArtifactLink, ArtifactName, ArtifactPath, ArtifactRecord, ArtifactType,
    ArtifactUse, CollectionName, CollectionPath, InvalidArtifact, InvalidArtifactName, InvalidManifest, LoggedArtifact,
    MAX_MANIFEST_ENTRIES, MAX_MANIFEST_LINE_BYTES, MAX_METADATA_KEYS, Manifest, ManifestBuilder, ManifestDigest,
    ManifestEntry, ManifestLines, ManifestTotals, Md5, Selector, Source, Version, write_manifest_header,
    write_manifest_line,
};
pub use config::{Config, ConfigConflict};
pub use console::{ConsoleLines, ConsoleOutput, MAX_CONSOLE_LINE_BYTES, clean_console_text, without_colours};
pub use file::{FilePath, FilePolicy, InvalidFile, MAX_FILE_PATH_BYTES, SavedFile};
pub use hash::ContentHash;
pub use histogram::Histogram;
pub use id::{
    Entity, InvalidName, MAX_PROJECT_BYTES, MAX_RUN_ID_BYTES, Project, RunId, RunPath, StreamId, path_segment,
};
pub use key::{MAX_KEY_BYTES, join_key, split_key};
pub use media_type::media_type;
pub use metric::{Aggregate, InvalidMetric, MetricDefinition, MetricDefinitions, SummaryRule};
pub use record::{Change, ForkPoint, Record, Row, RunStart, RunUpdate};
pub use step::{StepCounter, StepPlan};
pub use summary::Summary;
pub use system::{MAX_SYSTEM_VALUES, SystemSample};
pub use value::{MAX_TEXT_BYTES, MAX_VALUE_DEPTH, Value};
