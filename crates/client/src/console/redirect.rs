//! Catching what is written to the file descriptors 1 and 2, whoever writes it: C code and child processes too.
//!
//! Each of them is made the end of a pipe, or of a pseudo-terminal where it was a terminal, and a thread copies what comes
//! out of the other end to where it was to go, and to the runs. Where both lead to one place they share a channel, for
//! their order is to be kept; all of it then counts as stdout.
//!
//! The other end must not vanish with this process: what a killed process wrote last would not be shown, and children that
//! outlive it would get SIGPIPE. So a shell waits beside it until this process closes a pipe, by its end or on purpose, and
//! then becomes a `cat` that copies what is left, until nobody holds the channel any more. It is no child of this process:
//! a script may wait for all of its children.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fstat};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::stdio::{dup2_stderr, dup2_stdout, stderr, stdout};
use rustix::termios::{
    OptionalActions, OutputModes, Winsize, isatty, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize,
};
use steplog_model::ConsoleOutput;

use crate::fork;
use crate::run::{Active, lock};

/// What takes over a channel: standard input is the channel, output the place where it leads, and error the pipe that tells
/// of our end. Signals for the terminal's programs are not for it.
const HEIR: &str = "trap '' HUP INT QUIT TERM; cd /; exec 4<&0; { read -r _ <&2; exec cat <&4 2>/dev/null; } &";

/// The thread reads so much at once.
const CHUNK_BYTES: usize = 64 << 10;

/// At the end what is on its way is waited for: more than a channel holds, and not longer than this.
const MOST_DRAINED_BYTES: usize = 1 << 20;
const DRAIN_PATIENCE: Duration = Duration::from_secs(5);

/// How often the size of a terminal's window is looked at while nothing is printed.
const WINDOW_LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

/// The redirection of one process. A forked child must not touch its parent's, whose lock may be held for ever.
struct Slot {
    generation: u32,
    redirect: Mutex<Option<Redirect>>,
}

/// Null until there is one; slots are never freed.
static SLOT: AtomicPtr<Slot> = AtomicPtr::new(std::ptr::null_mut());

/// Descriptors that a forked child is to close, or it would keep the heirs waiting; -1: none.
static NOT_FOR_CHILDREN: [AtomicI32; 6] = [const { AtomicI32::new(-1) }; 6];

struct Redirect {
    runs: Arc<Mutex<Vec<Weak<Active>>>>,
    orders: Sender<Order>,
    /// A byte wakes the thread.
    wake: File,
    /// The descriptors 1 and 2 as they were; `None` for one that was closed.
    originals: [Option<Arc<OwnedFd>>; 2],
}

/// Work off what is in the channels, and then say so; at the end also stop.
struct Order {
    stop: bool,
    done: Sender<()>,
}

/// What one or both of the descriptors lead through.
struct Channel {
    output: ConsoleOutput,
    reader: File,
    original: Arc<OwnedFd>,
    /// Its end wakes the heir.
    control: Option<OwnedFd>,
    terminal: Option<Terminal>,
    /// The size of one read, kept from one to the next.
    buffer: Vec<u8>,
}

struct Terminal {
    /// What a pseudo-terminal holds is only safe as long as somebody has its other side.
    slave: OwnedFd,
    size: Option<Winsize>,
}

fn slot() -> &'static Slot {
    let now = SLOT.load(Ordering::Acquire);
    // SAFETY: A pointer in `SLOT` is null or comes from `Box::into_raw` and is never freed.
    if let Some(slot) = unsafe { now.as_ref() }.filter(|slot| slot.generation == fork::generation()) {
        return slot;
    }
    let new = Box::into_raw(Box::new(Slot { generation: fork::generation(), redirect: Mutex::new(None) }));
    match SLOT.compare_exchange(now, new, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: As above.
        Ok(_) => unsafe { &*new },
        // SAFETY: `new` was not published, and the winner is as above.
        Err(winner) => unsafe {
            drop(Box::from_raw(new));
            &*winner
        },
    }
}

/// Begins to catch for a run; it is given what is printed until [`end`].
///
/// # Errors
/// The system refuses; nothing has changed then.
pub(crate) fn begin(run: &Arc<Active>) -> io::Result<()> {
    let mut redirect = lock(&slot().redirect);
    let redirect = match &mut *redirect {
        Some(redirect) => {
            // What was printed before is not for this run.
            if let Some(done) = redirect.order(false) {
                let _ = done.recv_timeout(DRAIN_PATIENCE);
            }
            redirect
        }
        none => none.insert(Redirect::install()?),
    };
    lock(&redirect.runs).push(Arc::downgrade(run));
    Ok(())
}

/// Ends that: when it returns, the run has what was printed before. The last run puts the descriptors back.
pub(crate) fn end(run: &Active) {
    let mut slot = lock(&slot().redirect);
    let Some(redirect) = &*slot else { return };
    let is_ours = |other: &Weak<Active>| std::ptr::eq(other.as_ptr(), run);
    let runs = redirect.runs.clone();
    let is_known = lock(&runs).iter().any(is_ours);
    let is_last = lock(&runs).iter().all(|other| is_ours(other) || other.strong_count() == 0);
    if !is_known {
        return;
    }
    flush_c_stdout();
    if is_last {
        redirect.restore();
    }
    let done = redirect.order(is_last);
    if is_last {
        *slot = None;
    }
    // Others may print while this waits.
    drop(slot);
    if let Some(done) = done {
        let _ = done.recv_timeout(DRAIN_PATIENCE);
    }
    lock(&runs).retain(|other| !is_ours(other));
}

/// Where messages of our own go, so that they are not caught.
pub(crate) fn original_stderr() -> Option<File> {
    let now = SLOT.load(Ordering::Acquire);
    // SAFETY: As in `slot`.
    let slot = unsafe { now.as_ref() }.filter(|slot| slot.generation == fork::generation())?;
    let redirect = lock(&slot.redirect);
    let original = redirect.as_ref()?.originals[1].as_ref()?;
    Some(File::from(original.try_clone().ok()?))
}

/// In a child that was just forked: gives up what only its parent may hold. Takes no lock and allocates nothing.
pub(crate) fn forget_in_child() {
    for descriptor in &NOT_FOR_CHILDREN {
        let descriptor = descriptor.swap(-1, Ordering::Relaxed);
        if descriptor >= 0 {
            // SAFETY: The descriptor is the child's copy of one that its parent owns; in the child the owner never runs.
            unsafe {
                libc::close(descriptor);
            }
        }
    }
}

impl Redirect {
    fn install() -> io::Result<Self> {
        flush_c_stdout();
        // A closed descriptor stays closed.
        let keep = |fd: BorrowedFd<'_>| fcntl_dupfd_cloexec(fd, 3).ok().map(Arc::new);
        let originals = [keep(stdout()), keep(stderr())];
        let mut channels = Vec::new();
        let mut ends = Vec::new();
        for (original, output) in originals.iter().zip([ConsoleOutput::Stdout, ConsoleOutput::Stderr]) {
            let Some(original) = original else { continue };
            if !channels.is_empty() && lead_to_one_place(&originals) {
                break;
            }
            let (channel, end) = Channel::open(output, original.clone())?;
            channels.push(channel);
            ends.push(end);
        }
        let (reader, wake) = pipe_with(PipeFlags::CLOEXEC)?;
        let (orders, order) = channel();
        let runs = Arc::<Mutex<Vec<Weak<Active>>>>::default();
        let copier = Copier { channels, runs: runs.clone(), wake: File::from(reader), order };
        note_for_children(&copier.channels);
        std::thread::Builder::new().name("steplog-console".into()).spawn(move || copier.run())?;
        let redirect = Self { runs, orders, wake: File::from(wake), originals };
        if let Err(error) = redirect.put(&ends) {
            redirect.restore();
            return Err(error.into());
        }
        Ok(redirect)
    }

    /// Puts the ends of channels in the places of the descriptors.
    fn put(&self, ends: &[OwnedFd]) -> Result<(), Errno> {
        if self.originals[0].is_some() {
            dup2_stdout(&ends[0])?;
        }
        if self.originals[1].is_some() {
            dup2_stderr(ends.last().expect("an open descriptor has a channel"))?;
        }
        Ok(())
    }

    fn restore(&self) {
        // They were open before, so they can be again.
        if let Some(original) = &self.originals[0] {
            let _ = dup2_stdout(original);
        }
        if let Some(original) = &self.originals[1] {
            let _ = dup2_stderr(original);
        }
    }

    /// Has the thread work off what is there, and stop if it is to; answers where it will say that it has done so.
    fn order(&self, stop: bool) -> Option<Receiver<()>> {
        let (done, is_done) = channel();
        self.orders.send(Order { stop, done }).ok()?;
        (&self.wake).write_all(&[1]).ok()?;
        Some(is_done)
    }
}

/// Whether what is written to both appears in one place, in the order in which it was written.
fn lead_to_one_place(originals: &[Option<Arc<OwnedFd>>; 2]) -> bool {
    let [Some(first), Some(second)] = originals else { return false };
    let (Ok(first), Ok(second)) = (fstat(&**first), fstat(&**second)) else { return false };
    let is_null = File::open("/dev/null")
        .is_ok_and(|null| fstat(&null).is_ok_and(|null| (null.st_dev, null.st_ino) == (first.st_dev, first.st_ino)));
    !is_null && (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)
}

fn note_for_children(channels: &[Channel]) {
    let descriptors = channels.iter().flat_map(|channel| {
        let terminal = channel.terminal.as_ref().map(|terminal| terminal.slave.as_raw_fd());
        let control = channel.control.as_ref().map(|control| control.as_raw_fd());
        [Some(channel.reader.as_raw_fd()), control, terminal].into_iter().flatten()
    });
    for (place, descriptor) in NOT_FOR_CHILDREN.iter().zip(descriptors.chain(std::iter::repeat(-1))) {
        place.store(descriptor, Ordering::Relaxed);
    }
}

impl Channel {
    /// A channel that leads to `original`, and the end to write to.
    fn open(output: ConsoleOutput, original: Arc<OwnedFd>) -> io::Result<(Self, OwnedFd)> {
        let (reader, end, terminal) = match isatty(&*original) {
            true => {
                let (master, slave) = open_terminal(original.as_fd())?;
                let terminal = Terminal { slave: slave.try_clone()?, size: tcgetwinsize(&*original).ok() };
                (master, slave, Some(terminal))
            }
            false => {
                let (reader, end) = pipe_with(PipeFlags::CLOEXEC)?;
                (reader, end, None)
            }
        };
        // Without a shell the channel ends with this process.
        let control = appoint_heir(&reader, &original).ok();
        let reader = File::from(reader);
        let buffer = vec![0; CHUNK_BYTES];
        Ok((Self { output, reader, original, control, terminal, buffer }, end))
    }

    /// Copies what there is; answers how many bytes, `None` when no more can come.
    fn copy(&mut self, runs: &Mutex<Vec<Weak<Active>>>) -> Option<usize> {
        self.follow_window();
        let count = loop {
            match self.reader.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A pseudo-terminal that nobody holds answers an error.
                Ok(0) | Err(_) => return None,
                Ok(count) => break count,
            }
        };
        let bytes = &self.buffer[..count];
        let shown = write_all(self.original.as_fd(), bytes);
        let runs: Vec<_> = lock(runs).iter().filter_map(Weak::upgrade).collect();
        runs.iter().for_each(|run| run.write_console(self.output, bytes));
        // Nobody reads what is printed any more: writers are to be told as they would be without us.
        shown.is_ok().then_some(count)
    }

    /// Gives the pseudo-terminal the size of the real one.
    fn follow_window(&mut self) {
        let Some(terminal) = &mut self.terminal else { return };
        let size = tcgetwinsize(&*self.original).ok();
        let numbers = |size: &Winsize| (size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel);
        if let Some(new) = size.filter(|new| terminal.size.as_ref().map(numbers) != Some(numbers(new))) {
            let _ = tcsetwinsize(&self.reader, new);
            terminal.size = Some(new);
        }
    }
}

/// A pseudo-terminal like the real one, but that leaves it to that one what to do with line breaks.
fn open_terminal(original: BorrowedFd<'_>) -> io::Result<(OwnedFd, OwnedFd)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let slave = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    let mut modes = tcgetattr(original)?;
    modes.output_modes.remove(OutputModes::OPOST);
    tcsetattr(&slave, OptionalActions::Now, &modes)?;
    if let Ok(size) = tcgetwinsize(original) {
        tcsetwinsize(&master, size)?;
    }
    Ok((master, slave))
}

/// Starts what takes over the channel; answers what it waits for the end of.
fn appoint_heir(reader: &OwnedFd, original: &OwnedFd) -> io::Result<OwnedFd> {
    let (waiting, control) = pipe_with(PipeFlags::CLOEXEC)?;
    let mut shell = Command::new("/bin/sh")
        .args(["-c", HEIR])
        .stdin(Stdio::from(reader.try_clone()?))
        .stdout(Stdio::from(original.try_clone()?))
        .stderr(Stdio::from(waiting))
        .spawn()?;
    // It leaves the waiting to a process of its own.
    shell.wait()?;
    Ok(control)
}

/// Writes all bytes, also to something that somebody made non-blocking.
fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::from_borrowed_fd(to, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The thread that copies.
struct Copier {
    channels: Vec<Channel>,
    runs: Arc<Mutex<Vec<Weak<Active>>>>,
    wake: File,
    order: Receiver<Order>,
}

impl Copier {
    fn run(mut self) {
        loop {
            let has_terminal = self.channels.iter().any(|channel| channel.terminal.is_some());
            let (ready, is_woken) = self.wait(has_terminal.then_some(&WINDOW_LOOK));
            self.copy(&ready);
            if is_woken {
                let mut byte = [0];
                let _ = self.wake.read(&mut byte);
                let Ok(order) = self.order.recv() else { return };
                self.drain();
                if order.stop {
                    // The heirs take over, should anybody still hold a channel.
                    note_for_children(&[]);
                    self.channels.clear();
                    let _ = order.done.send(());
                    return;
                }
                let _ = order.done.send(());
            }
        }
    }

    /// Waits until something can be read; answers which channels that are, and whether there is an order.
    fn wait(&mut self, at_most: Option<&Timespec>) -> (Vec<bool>, bool) {
        self.channels.iter_mut().for_each(Channel::follow_window);
        let mut polled: Vec<_> =
            self.channels.iter().map(|channel| PollFd::new(&channel.reader, PollFlags::IN)).collect();
        polled.push(PollFd::new(&self.wake, PollFlags::IN));
        let waited = poll(&mut polled, at_most);
        let mut ready: Vec<bool> = polled.iter().map(|polled| waited.is_ok() && !polled.revents().is_empty()).collect();
        let is_woken = ready.pop().unwrap_or_default();
        (ready, is_woken)
    }

    /// Copies from the channels that are ready; answers how many bytes.
    fn copy(&mut self, ready: &[bool]) -> usize {
        let mut copied = 0;
        let (mut open, mut closed) = (Vec::new(), Vec::new());
        for (mut channel, is_ready) in std::mem::take(&mut self.channels).into_iter().zip(ready) {
            let count = if *is_ready { channel.copy(&self.runs) } else { Some(0) };
            copied += count.unwrap_or(0);
            if count.is_some() { open.push(channel) } else { closed.push(channel) }
        }
        self.channels = open;
        if !closed.is_empty() {
            // Before their descriptors can become those of other files.
            note_for_children(&self.channels);
        }
        copied
    }

    fn drain(&mut self) {
        let mut copied = 0;
        while copied < MOST_DRAINED_BYTES {
            let (ready, _) = self.wait(Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
            if !ready.contains(&true) {
                return;
            }
            copied += self.copy(&ready);
        }
    }
}

/// Brings out what C code printed, unless somebody is printing right now.
fn flush_c_stdout() {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        unsafe extern "C" {
            #[cfg_attr(target_os = "macos", link_name = "__stdoutp")]
            static stdout: *mut libc::FILE;
            fn ftrylockfile(file: *mut libc::FILE) -> libc::c_int;
            fn funlockfile(file: *mut libc::FILE);
        }
        // SAFETY: The C library's own stream, which it makes before anything else runs; the lock is its own too.
        unsafe {
            if !stdout.is_null() && ftrylockfile(stdout) == 0 {
                libc::fflush(stdout);
                funlockfile(stdout);
            }
        }
    }
}
