//! Telling a forked child from its parent without a system call.
//!
//! A child must not touch its parent's journal (two writers) nor its locks (held for ever by threads that did not come
//! along), so every call first compares the generation that it was made in with the current one.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

static GENERATION: AtomicU32 = AtomicU32::new(0);
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Whether a thread is forking right now, and how many threads are in [`shielded`].
static FORKING: AtomicBool = AtomicBool::new(false);
static SHIELDED: AtomicU32 = AtomicU32::new(0);

/// A fork waits so often for [`shielded`] threads to go on, and then no longer: it may not depend on them.
const MOST_YIELDS: usize = 10_000;

/// Begins to watch for forks; to be called before the first run.
pub(crate) fn watch() {
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| {
        #[cfg(unix)]
        // SAFETY: The handlers only use atomics and close descriptors, which is allowed between fork and exec.
        unsafe {
            libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child));
        }
    });
}

#[cfg(unix)]
extern "C" fn before() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    FORKING.store(true, Ordering::SeqCst);
    let mut yields = 0;
    while SHIELDED.load(Ordering::SeqCst) > 0 && yields < MOST_YIELDS {
        std::thread::yield_now();
        yields += 1;
    }
}

#[cfg(unix)]
extern "C" fn in_parent() {
    FORKING.store(false, Ordering::SeqCst);
}

#[cfg(unix)]
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    FORKING.store(false, Ordering::SeqCst);
    SHIELDED.store(0, Ordering::SeqCst);
    crate::console::redirect::forget_in_child();
}

/// Does a short piece of work with a run's state in a thread that nobody asked to, as far as can be not while another thread
/// forks: a child can only take over a state that is whole.
pub(crate) fn shielded<T>(work: impl FnOnce() -> T) -> T {
    struct Shield;

    impl Drop for Shield {
        fn drop(&mut self) {
            SHIELDED.fetch_sub(1, Ordering::SeqCst);
        }
    }

    let _shield = loop {
        SHIELDED.fetch_add(1, Ordering::SeqCst);
        let shield = Shield;
        if !FORKING.load(Ordering::SeqCst) {
            break shield;
        }
        drop(shield);
        std::thread::yield_now();
    };
    work()
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
