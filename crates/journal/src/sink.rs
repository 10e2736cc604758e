//! Where the bytes of the segment being written go.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{Ordering, fence};

use memmap2::MmapMut;

/// A segment file that is being written.
pub(crate) enum Sink {
    /// Preallocated and mapped: an append is a copy, and survives the process.
    Mapped { file: File, map: MmapMut },
    /// Plain `write(2)`, where mapping is unsafe (network file systems) or preallocation is not to be had.
    Plain { file: File, capacity: usize },
}

impl Sink {
    /// Makes the file with room for `capacity` bytes.
    ///
    /// # Errors
    /// The disk is full or the folder cannot be written; no file is left behind.
    pub(crate) fn create(path: &Path, capacity: usize, mapped: bool) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        Self::prepare(file, capacity, mapped).inspect_err(|_| {
            // The name must be free for the next try; if even that fails, so will the next try, loudly.
            let _ = std::fs::remove_file(path);
        })
    }

    fn prepare(file: File, capacity: usize, mapped: bool) -> io::Result<Self> {
        if !mapped || !mapping_is_safe(&file) || !preallocate(&file, capacity as u64)? {
            return Ok(Self::Plain { file, capacity });
        }
        // SAFETY: The blocks are allocated, so a full disk cannot turn a write into SIGBUS. The file is ours: its
        // name is random and nothing of steplog cuts a segment that is being written. A person who truncates the file
        // of a running process would end that process, as with any mapped file.
        let map = unsafe { MmapMut::map_mut(&file)? };
        Ok(Self::Mapped { file, map })
    }

    pub(crate) fn capacity(&self) -> usize {
        match self {
            Self::Mapped { map, .. } => map.len(),
            Self::Plain { capacity, .. } => *capacity,
        }
    }

    /// Touches every page, so that later writes find them there.
    pub(crate) fn populate(&self) {
        #[cfg(target_os = "linux")]
        if let Self::Mapped { map, .. } = self {
            // Kernels before 5.14 cannot; the pages then come one by one, as they are written.
            let _ = map.advise(memmap2::Advice::PopulateWrite);
        }
    }

    /// Writes `bytes`, one frame or header, at `at`. The caller has checked that they fit.
    ///
    /// # Errors
    /// The disk is full (plain files only); then nothing of the frame remains.
    pub(crate) fn write(&mut self, at: usize, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Mapped { map, .. } => {
                // The length goes last: whoever reads the file sees the whole frame or none.
                map[at + 4..at + bytes.len()].copy_from_slice(&bytes[4..]);
                fence(Ordering::Release);
                map[at..at + 4].copy_from_slice(&bytes[..4]);
                Ok(())
            }
            Self::Plain { file, .. } => file.write_all(bytes).inspect_err(|_| {
                // A torn frame here is a normal end of file to readers, but the next frame must not follow it.
                let _ = file.set_len(at as u64);
                let _ = io::Seek::seek(file, io::SeekFrom::Start(at as u64));
            }),
        }
    }

    /// Cuts the file to its used length.
    pub(crate) fn close(self, used: usize) -> io::Result<()> {
        match self {
            Self::Mapped { file, map } => {
                drop(map);
                file.set_len(used as u64)
            }
            Self::Plain { .. } => Ok(()),
        }
    }
}

/// Reserves the blocks of a file and extends it; `false` where the file system cannot.
#[cfg(target_os = "linux")]
fn preallocate(file: &File, bytes: u64) -> io::Result<bool> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;

    loop {
        return match fallocate(file, FallocateFlags::empty(), 0, bytes) {
            Ok(()) => Ok(true),
            Err(Errno::INTR) => continue,
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(false),
            Err(error) => Err(error.into()),
        };
    }
}

#[cfg(not(target_os = "linux"))]
fn preallocate(_file: &File, _bytes: u64) -> io::Result<bool> {
    Ok(false)
}

/// Whether a mapped write is seen by other readers and cannot fail: not so on network and user-space file systems.
#[cfg(target_os = "linux")]
fn mapping_is_safe(file: &File) -> bool {
    // Magic numbers of linux/magic.h: nfs, smb, cifs, smb2, ceph, lustre, fuse, 9p, afs, coda, beegfs, gpfs.
    const REMOTE: [u32; 12] = [
        0x6969,
        0x517b,
        0xff53_4d42,
        0xfe53_4d42,
        0x00c3_6400,
        0x0bd0_0bd0,
        0x6573_5546,
        0x0102_1997,
        0x5346_414f,
        0x7375_7245,
        0x1983_0326,
        0x4750_4653,
    ];
    rustix::fs::fstatfs(file).is_ok_and(|status| !REMOTE.contains(&(status.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
fn mapping_is_safe(_file: &File) -> bool {
    false
}
