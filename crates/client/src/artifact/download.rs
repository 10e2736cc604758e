//! Bringing the files of a version to this disk.
