//! What the system keeps in memory of files that are written once and read much later: on a machine that trains, memory is
//! for what is read again and again.
//!
//! Nothing here waits, and where the system does not know these calls nothing happens.

use std::fs::File;

/// Asks the system to begin with the writing of a range to the disk.
#[cfg(target_os = "linux")]
pub(crate) fn start_writing_back(file: &File, offset: u64, count: u64) {
    use std::os::fd::AsRawFd as _;
    // SAFETY: The descriptor is open as long as `file` is borrowed, and the call touches no memory of ours.
    unsafe {
        libc::sync_file_range(file.as_raw_fd(), offset as i64, count as i64, libc::SYNC_FILE_RANGE_WRITE);
    }
}

/// Takes what is on the disk already of a range out of memory.
#[cfg(target_os = "linux")]
pub(crate) fn forget(file: &File, offset: u64, count: u64) {
    let _ = rustix::fs::fadvise(file, offset, std::num::NonZeroU64::new(count), rustix::fs::Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn start_writing_back(_: &File, _: u64, _: u64) {}

#[cfg(not(target_os = "linux"))]
pub(crate) fn forget(_: &File, _: u64, _: u64) {}
