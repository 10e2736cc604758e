//! Ending runs well when the process is asked to end: SIGTERM, as batch systems send it before they take a machine away.
//!
//! A script that has no handler of its own for the signal gets this one. It records the end of every run with exit code
//! 143, gives the sending a few seconds, and then lets the signal do what it does. A thread of its own does that, for the
//! main thread may be deep in a library; the handler itself only wakes it.

use std::sync::Weak;
#[cfg(unix)]
use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicI32, Ordering},
};

use crate::run::Shared;

/// As a shell tells the exit code of a process that a signal ended.
#[cfg(unix)]
const EXIT_CODE: i32 = 128 + libc::SIGTERM;

/// Batch systems wait half a minute or so before they kill.
#[cfg(unix)]
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// The end of the pipe that wakes the thread, and the process that it is in; -1: none.
#[cfg(unix)]
static WAKE: AtomicI32 = AtomicI32::new(-1);
#[cfg(unix)]
static PROCESS: AtomicI32 = AtomicI32::new(-1);

/// How many runs are open, for a handler that may not take a lock; and whether the signal came.
#[cfg(unix)]
static OPEN: AtomicI32 = AtomicI32::new(0);
#[cfg(unix)]
static CAME: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
static RUNS: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// Ends this run, too, when the process is asked to end.
#[cfg(unix)]
pub(crate) fn watch(run: Weak<Shared>) {
    let mut runs = crate::run::lock(&RUNS);
    runs.retain(|run| run.strong_count() > 0);
    runs.push(run);
    // SAFETY: Asking for the own process id cannot fail.
    let process = unsafe { libc::getpid() };
    if PROCESS.load(Ordering::Acquire) != process && handles_nothing() {
        // Without a pipe or a thread the signal ends the process as ever; its data is safe all the same.
        let _ = begin(process);
    }
    OPEN.fetch_add(1, Ordering::AcqRel);
}

#[cfg(not(unix))]
pub(crate) fn watch(_run: Weak<Shared>) {}

/// A run of this process has ended: a signal that finds none open is none of our business.
#[cfg(unix)]
pub(crate) fn run_ended() {
    OPEN.fetch_sub(1, Ordering::AcqRel);
}

#[cfg(not(unix))]
pub(crate) fn run_ended() {}

/// The exit code to record: the script's own, unless the process is being ended.
#[cfg(unix)]
pub(crate) fn exit_code(own: i32) -> i32 {
    if is_ending() { EXIT_CODE } else { own }
}

#[cfg(not(unix))]
pub(crate) fn exit_code(own: i32) -> i32 {
    own
}

/// Waits for the end when the signal came: a script that ends by itself in the meantime must not end another way. Should
/// the end not come, whatever keeps it, the script goes on.
pub(crate) fn give_way() {
    #[cfg(unix)]
    {
        let until = std::time::Instant::now() + 2 * PATIENCE;
        while is_ending() && std::time::Instant::now() < until {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

#[cfg(unix)]
fn is_ending() -> bool {
    // SAFETY: Asking for the own process id cannot fail.
    CAME.load(Ordering::Acquire) && PROCESS.load(Ordering::Acquire) == unsafe { libc::getpid() }
}

/// Whether the script leaves the signal to the system, or to a parent's handler of ours.
#[cfg(unix)]
fn handles_nothing() -> bool {
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: With no new action the call only fills in the current one.
    let action = unsafe {
        if libc::sigaction(libc::SIGTERM, std::ptr::null(), now.as_mut_ptr()) != 0 {
            return false;
        }
        now.assume_init()
    };
    action.sa_sigaction == libc::SIG_DFL || action.sa_sigaction == on_signal as *const () as libc::sighandler_t
}

#[cfg(unix)]
fn begin(process: i32) -> std::io::Result<()> {
    use std::io::Read as _;
    use std::os::fd::IntoRawFd as _;

    let (mut reader, writer) = std::io::pipe()?;
    std::thread::Builder::new().name("steplog-terminate".into()).stack_size(256 << 10).spawn(move || {
        let mut byte = [0];
        if reader.read_exact(&mut byte).is_ok() {
            end_runs();
            by_default();
        }
    })?;
    // A parent's runs do not count.
    OPEN.store(0, Ordering::Release);
    // Kept open for good: the handler may write at any time.
    WAKE.store(writer.into_raw_fd(), Ordering::Release);
    PROCESS.store(process, Ordering::Release);
    // SAFETY: The handler only makes calls that are allowed in one, and the struct is filled in before use.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_signal as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(libc::SIGTERM, &raw const action, std::ptr::null_mut());
    }
    Ok(())
}

#[cfg(unix)]
extern "C" fn on_signal(_: libc::c_int) {
    // SAFETY: `getpid` and `write` are allowed in a handler, and the descriptor stays open.
    unsafe {
        CAME.store(true, Ordering::Release);
        // A forked child has no thread to wake.
        if libc::getpid() != PROCESS.load(Ordering::Acquire)
            || OPEN.load(Ordering::Acquire) <= 0
            || libc::write(WAKE.load(Ordering::Acquire), [1u8].as_ptr().cast(), 1) != 1
        {
            by_default();
        }
    }
}

/// Lets the signal do what it does without a handler.
#[cfg(unix)]
fn by_default() {
    // SAFETY: Both calls are allowed in a handler and touch no memory of ours.
    unsafe {
        libc::signal(libc::SIGTERM, libc::SIG_DFL);
        libc::kill(libc::getpid(), libc::SIGTERM);
    }
}

#[cfg(unix)]
fn end_runs() {
    let runs: Vec<_> = crate::run::lock(&RUNS).iter().filter_map(Weak::upgrade).collect();
    // First what is quick, for all of them.
    for run in &runs {
        run.close_journal(EXIT_CODE);
    }
    let until = std::time::Instant::now() + PATIENCE;
    for run in &runs {
        run.drain(until.saturating_duration_since(std::time::Instant::now()));
    }
    // The process ends here: nothing of theirs is to be dropped by this thread.
    std::mem::forget(runs);
}
