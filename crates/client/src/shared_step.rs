//! The step counter that a process shares with its forked children.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicI64, Ordering};

/// The number that the next automatic row will use, in memory that stays shared when the process forks. It is never
/// unmapped as long as a process of the run lives, for a child's copy of this value points to it too.
pub(crate) struct SharedStep {
    next: NonNull<AtomicI64>,
}

// SAFETY: The atomic may be used from any thread, and the mapping lives as long as the value.
unsafe impl Send for SharedStep {}
// SAFETY: As above.
unsafe impl Sync for SharedStep {}

impl SharedStep {
    /// A counter at a step; `None` where memory cannot be shared. Processes then count each for itself.
    #[cfg(unix)]
    pub(crate) fn new(next: i64) -> Option<Self> {
        use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

        let length = size_of::<AtomicI64>();
        // SAFETY: A new mapping at a place that the system chooses touches no other memory.
        let page = unsafe {
            mmap_anonymous(std::ptr::null_mut(), length, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED)
        };
        let shared = Self { next: NonNull::new(page.ok()?.cast())? };
        shared.store(next);
        Some(shared)
    }

    #[cfg(not(unix))]
    pub(crate) fn new(_next: i64) -> Option<Self> {
        None
    }

    fn counter(&self) -> &AtomicI64 {
        // SAFETY: The mapping is large enough, aligned to a page, zeroed at first and lives as long as `self`.
        unsafe { self.next.as_ref() }
    }

    /// Notes the counter of the only process.
    #[inline]
    pub(crate) fn store(&self, next: i64) {
        self.counter().store(next, Ordering::Release);
    }

    /// Notes how far this process came.
    pub(crate) fn raise(&self, next: i64) {
        self.counter().fetch_max(next, Ordering::AcqRel);
    }

    /// The next step, at least `own`.
    pub(crate) fn next(&self, own: i64) -> i64 {
        self.counter().load(Ordering::Acquire).max(own)
    }

    /// Takes the next step, at least `own`, for this process alone.
    pub(crate) fn take(&self, own: i64) -> i64 {
        let counter = self.counter();
        let mut known = counter.load(Ordering::Acquire);
        let mut taken = known.max(own);
        while let Err(now) =
            counter.compare_exchange_weak(known, taken.saturating_add(1), Ordering::AcqRel, Ordering::Acquire)
        {
            known = now;
            taken = known.max(own);
        }
        taken
    }

    /// Lets go of a step that was taken and that no row got, unless somebody has taken the next one by now.
    pub(crate) fn give_back(&self, taken: i64) {
        let _ = self.counter().compare_exchange(taken.saturating_add(1), taken, Ordering::AcqRel, Ordering::Acquire);
    }
}

impl Drop for SharedStep {
    fn drop(&mut self) {
        #[cfg(unix)]
        // SAFETY: The mapping is this value's own, and a child has a mapping of its own.
        unsafe {
            let _ = rustix::mm::munmap(self.next.as_ptr().cast(), size_of::<AtomicI64>());
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_taken_once() {
        let shared = SharedStep::new(5).unwrap();
        let mut taken: Vec<i64> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| (0..500).map(|_| shared.take(0)).collect::<Vec<_>>())).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        taken.sort_unstable();
        assert_eq!(taken, (5..2005).collect::<Vec<_>>());
        shared.raise(3000);
        assert_eq!((shared.take(10), shared.take(4000), shared.next(0)), (3000, 4000, 4001));
    }

    #[test]
    fn a_step_that_no_row_got_is_taken_by_the_next_one() {
        let shared = SharedStep::new(5).unwrap();
        let refused = shared.take(0);
        shared.give_back(refused);
        assert_eq!((shared.take(0), shared.take(0)), (5, 6));
        // Another process has gone on: the step is left out.
        shared.give_back(5);
        assert_eq!(shared.take(0), 7);
    }
}
