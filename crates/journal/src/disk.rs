//! What whoever writes large files asks of the disk and of the system's memory, beyond `std`. On other systems than Linux
//! most of it does nothing.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};

/// So many zeros in a row are not written: a file with holes takes no more room where it goes than where it comes from.
const HOLE_BYTES: usize = 256 << 10;

/// Writes bytes at the end of a file, which is at `offset`, and leaves out what is zeros. The file's length says at any time
/// how far it is.
///
/// # Errors
/// The disk refuses.
pub fn append_leaving_holes(file: &mut File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut end = offset;
    for piece in bytes.chunks(HOLE_BYTES) {
        end += piece.len() as u64;
        if piece.len() == HOLE_BYTES && piece.iter().all(|byte| *byte == 0) {
            file.set_len(end)?;
            file.seek(SeekFrom::Start(end))?;
        } else {
            file.write_all(piece)?;
        }
    }
    Ok(())
}

/// Asks the system to begin with the writing of a range of a file to the disk, so that a sync later has less to wait for.
pub fn start_writing_back(file: &File, offset: u64, count: u64) {
    system::write_back(file, offset, count, false);
}

/// Returns when a range of a file is on the disk. Its length may not be: that is what a sync of the file is for, which also
/// tells of what failed here.
pub fn write_back(file: &File, offset: u64, count: u64) {
    system::write_back(file, offset, count, true);
}

/// Takes what is on the disk already of a range out of the system's memory, which is for what is read again and again. A
/// count of 0 means to the end.
pub fn forget(file: &File, offset: u64, count: u64) {
    system::forget(file, offset, count);
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::File;
    use std::num::NonZeroU64;
    use std::os::fd::AsRawFd as _;

    use rustix::fs::{Advice, fadvise};

    pub(super) fn write_back(file: &File, offset: u64, count: u64, waits: bool) {
        let wait = libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
        let flags = libc::SYNC_FILE_RANGE_WRITE | if waits { wait } else { 0 };
        // SAFETY: The descriptor is open as long as `file` is borrowed, and the call touches no memory of ours.
        unsafe {
            // Where it is refused, the sync has more to do.
            libc::sync_file_range(file.as_raw_fd(), offset as i64, count as i64, flags);
        }
    }

    pub(super) fn forget(file: &File, offset: u64, count: u64) {
        // Where it is refused, the system finds out by itself what it does not need.
        let _ = fadvise(file, offset, NonZeroU64::new(count), Advice::DontNeed);
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::File;

    pub(super) fn write_back(_: &File, _: u64, _: u64, _: bool) {}

    pub(super) fn forget(_: &File, _: u64, _: u64) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn zeros_take_no_room_and_nothing_else_is_left_out() {
        use std::os::unix::fs::MetadataExt as _;

        let mut file = tempfile::tempfile().expect("a file");
        let mut whole = vec![0; 40 * HOLE_BYTES + 100];
        for place in [0, 7 * HOLE_BYTES + 5, 40 * HOLE_BYTES + 99] {
            whole[place] = 1;
        }
        let mut offset = 0;
        for part in whole.chunks(3 * HOLE_BYTES + 1) {
            append_leaving_holes(&mut file, offset, part).expect("written");
            offset += part.len() as u64;
            assert_eq!(file.metadata().expect("found").len(), offset);
        }
        write_back(&file, 0, offset);
        forget(&file, 0, 0);
        let mut read = Vec::new();
        file.seek(SeekFrom::Start(0)).expect("the beginning");
        std::io::Read::read_to_end(&mut file, &mut read).expect("read");
        assert!(read == whole);
        let taken = file.metadata().expect("found").blocks() * 512;
        assert!(taken < offset / 2, "{taken} of {offset} bytes");
    }
}
