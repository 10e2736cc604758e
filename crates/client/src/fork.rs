//! Telling a forked child from its parent without a system call.
//!
//! A child must not touch its parent's journal (two writers) nor its locks (held for ever by threads that did not come
//! along), so every call first compares the generation that it was made in with the current one.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static GENERATION: AtomicU32 = AtomicU32::new(0);
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Begins to watch for forks; to be called before the first run.
pub(crate) fn watch() {
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| {
        #[cfg(unix)]
        // SAFETY: The handlers only use atomics and close descriptors, which is allowed between fork and exec.
        unsafe {
            libc::pthread_atfork(Some(before), None, Some(in_child));
        }
    });
}

#[cfg(unix)]
extern "C" fn before() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

#[cfg(unix)]
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    crate::console::redirect::forget_in_child();
}

/// How many forks lie between this process and the first one.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// How many forks this process has begun, those of its own parents counted.
pub(crate) fn count() -> u32 {
    FORKS.load(Ordering::Relaxed)
}
