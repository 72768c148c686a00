//! One running program: its pipes, its clock, and who looks after it.

use crate::CANCEL_LATENCY;
use crate::cgroup::Cgroup;
use crate::child::{self, Descriptors};
use crate::error::SandboxError;
use crate::ids;
use crate::layer::LayerWatch;
use crate::options::{Options, Stdin, Streams};
use crate::output::{Output, Status, Usage};
use crate::plan::Plan;
use crate::prepared::{Identity, Prepared};
use crate::report::{self, Failure, Message, Step};
use crate::streams::Stream;
use crate::terminal::Lent;
use crate::watch::{Bounds, Watch};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketFlags, SocketType,
};
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

pub(crate) use crate::streams::Sink;

/// Between two looks at whether the layer has grown too large, which a thread finds out.
const LAYER_LATENCY: Duration = Duration::from_millis(100);

/// Between two questions to a control group.
const GROUP_LATENCY: Duration = Duration::from_millis(250);

/// How many ids a run's own user namespace has.
const IDS: u32 = 65_536;

/// The first process of a run, with all others. Dropped, they are dead.
struct First {
    pid: libc::pid_t,
    handle: OwnedFd,
    cgroup: Option<Cgroup>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Alive,
    Reaped,
}

impl First {
    /// The first process of a pid namespace takes all others with it: when it is reaped, none is left.
    fn kill(&mut self) {
        if self.state == State::Alive {
            self.state = State::Reaped;
            if let Some(cgroup) = &self.cgroup {
                cgroup.kill();
            }
            let _gone = rustix::process::pidfd_send_signal(&self.handle, rustix::process::Signal::KILL);
            child::reap(self.pid);
        }
    }
}

impl Drop for First {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program that runs.
pub(crate) struct Running<'a, 's> {
    first: First,
    options: &'a Options,
    root: &'a Path,
    program: &'a str,
    sink: Sink<'s>,
    stdin: Option<(OwnedFd, &'a [u8])>,
    report: Stream,
    stdout: Stream,
    stderr: Stream,
    control: Option<OwnedFd>,
    watch: Option<Watch>,
    layer: Option<LayerWatch>,
    terminal: Option<Lent>,
    began: Instant,
    last_output: Instant,
    usage: Usage,
    notes: Vec<String>,
}

enum Pump {
    More,
    Done,
    Stop(Status),
}

impl<'a, 's> Running<'a, 's> {
    pub(crate) fn start(
        plan: &mut Plan,
        options: &'a Options,
        root: &'a Path,
        program: &'a str,
        sink: Sink<'s>,
    ) -> Result<Self, SandboxError> {
        let (report, report_write) = pipe()?;
        let (control, control_child) = sockets()?;
        let (stdin, stdin_child) = input(options)?;
        let outputs = outputs(options)?;
        let layer = options.limits.layer.as_ref().map(LayerWatch::start).transpose();
        let layer = layer.map_err(|e| SandboxError::io("starting a thread that watches", root, e))?;
        let mut cgroup = group(plan, options);
        let given = Descriptors {
            streams: [
                stdin_child.as_ref(),
                outputs.stdout_child.as_ref(),
                outputs.stderr_child.as_ref(),
            ],
            report: &report_write,
            control: &control_child,
        };
        let fail = |failure: Failure| SandboxError::Setup {
            program: program.to_owned(),
            root: root.to_owned(),
            step: failure.step.words(),
            source: failure.source(),
        };
        let began = Instant::now();
        let (pid, handle) = launch(plan, given, &mut cgroup).map_err(fail)?;
        let first = First {
            pid,
            handle,
            cgroup,
            state: State::Alive,
        };
        let running = Self {
            first,
            options,
            root,
            program,
            sink,
            stdin,
            report: Stream::new(Some(report), report::MAX_REPORT),
            stdout: outputs.stdout,
            stderr: outputs.stderr,
            control: Some(control),
            watch: None,
            layer,
            terminal: outputs.terminal,
            began,
            last_output: began,
            usage: Usage::default(),
            notes: std::mem::take(&mut plan.notes),
        };
        if has_own_ids(&plan.prepared) {
            running.let_go()?;
        }
        // The child's ends are closed here, as they are dropped.
        Ok(running)
    }

    /// Maps the ids of the first process's user namespace, and tells it so.
    fn let_go(&self) -> Result<(), SandboxError> {
        for kind in ["uid_map", "gid_map"] {
            let own = format!("/proc/self/{kind}");
            let map = std::fs::read_to_string(&own).map_err(|e| SandboxError::io("reading", own, e))?;
            let theirs = format!("/proc/{}/{kind}", self.first.pid);
            std::fs::write(&theirs, ids::same_ids(&map, IDS))
                .map_err(|e| SandboxError::io("writing", theirs, e))?;
        }
        if let Some(control) = &self.control {
            // If it is gone, its report says why.
            let _gone = rustix::net::send(control, b"!", SendFlags::NOSIGNAL);
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Output, SandboxError> {
        let (mut reason, mut killed) = (None, None);
        let pumped = loop {
            match self.pump() {
                Ok(Pump::More) => {}
                Ok(Pump::Done) => break Ok(()),
                Ok(Pump::Stop(status)) => {
                    reason = Some(status);
                    break Ok(());
                }
                Err(e) => break Err(e),
            }
        };
        self.first.kill();
        // The kernel may have ended it before we looked.
        if reason.is_none()
            && let Some(cgroup) = &self.first.cgroup
        {
            killed = cgroup.look(&mut self.usage);
        }
        self.terminal = None;
        self.layer = None;
        pumped
            .and_then(|()| self.drain_rest())
            .map_err(|e| SandboxError::io("waiting for", self.program, e))?;
        self.usage.wall = self.began.elapsed();
        self.conclude(reason.or(killed))
    }

    /// What was written before the end, and is still in the pipes. Nobody is left who could write more.
    fn drain_rest(&mut self) -> Result<(), Errno> {
        for stream in [&mut self.report, &mut self.stdout, &mut self.stderr] {
            while stream.open().is_some() {
                stream.drain()?;
            }
        }
        if let Streams::Lines { .. } = self.options.streams {
            self.stdout.hand_on(&mut self.sink);
        }
        Ok(())
    }

    /// What the run is to be ended for, and when to ask again.
    fn judge(&mut self) -> Result<Instant, Status> {
        let now = Instant::now();
        let options = self.options;
        let mut next = now + Duration::from_secs(3600);
        if let Some(end) = self.began.checked_add(options.timeout) {
            if now >= end {
                return Err(Status::TimedOut);
            }
            next = next.min(end);
        }
        if let Some(cancel) = &options.cancel {
            if cancel.is_cancelled() {
                return Err(Status::Cancelled);
            }
            next = next.min(now + CANCEL_LATENCY / 2);
        }
        let heard = self.stdout.open().is_some() || self.stderr.open().is_some();
        if let Some(after) = options.limits.idle
            && heard
            && let Some(end) = self.last_output.checked_add(after)
        {
            if now >= end {
                return Err(Status::Idle { after });
            }
            next = next.min(end);
        }
        if let Some(watch) = &mut self.watch {
            if let Some(status) = watch.look(&mut self.usage) {
                return Err(status);
            }
            next = next.min(watch.next());
        }
        if let Some(cgroup) = &self.first.cgroup {
            if let Some(status) = cgroup.look(&mut self.usage) {
                return Err(status);
            }
            next = next.min(now + GROUP_LATENCY);
        }
        if let Some(layer) = &self.layer {
            if layer.exceeded() {
                return Err(Status::LayerLimit {
                    bytes: layer.limit.bytes,
                });
            }
            next = next.min(now + LAYER_LATENCY);
        }
        Ok(next)
    }

    fn pump(&mut self) -> Result<Pump, Errno> {
        let next = match self.judge() {
            Ok(next) => next,
            Err(status) => return Ok(Pump::Stop(status)),
        };
        let readers = [self.report.open(), self.stdout.open(), self.stderr.open()];
        if readers.iter().all(Option::is_none) {
            return Ok(Pump::Done);
        }
        let [report, out, err] = readers.map(|fd| fd.map(|fd| (fd, PollFlags::IN)));
        let control = self.control.as_ref().map(|fd| (fd, PollFlags::IN));
        let stdin = self.stdin.as_ref().map(|(fd, _)| (fd, PollFlags::OUT));
        let [report, out, err, control, stdin] = wait([report, out, err, control, stdin], next)?;
        if report {
            self.report.drain()?;
        }
        let mut heard = 0;
        if out {
            heard += self.stdout.drain()?;
            if let Streams::Lines { .. } = self.options.streams {
                self.stdout.hand_on(&mut self.sink);
            }
        }
        if err {
            heard += self.stderr.drain()?;
        }
        if heard > 0 {
            self.last_output = Instant::now();
        }
        if control {
            self.receive()?;
        }
        if stdin {
            self.feed()?;
        }
        Ok(Pump::More)
    }

    fn feed(&mut self) -> Result<(), Errno> {
        let Some((fd, bytes)) = &mut self.stdin else {
            return Ok(());
        };
        match child::write_quietly(fd, bytes) {
            Ok(count) => *bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR | Errno::AGAIN) => {}
            // The program does not care for the rest.
            Err(Errno::PIPE) => *bytes = &[],
            Err(e) => return Err(e),
        }
        if bytes.is_empty() {
            self.stdin = None;
        }
        Ok(())
    }

    /// Takes what the first process hands out.
    fn receive(&mut self) -> Result<(), Errno> {
        let Some(control) = &self.control else {
            return Ok(());
        };
        let mut byte = [0u8];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::io::retry_on_intr(|| {
            rustix::net::recvmsg(
                control,
                &mut [IoSliceMut::new(&mut byte)],
                &mut ancillary,
                RecvFlags::CMSG_CLOEXEC,
            )
        });
        let mut descriptors = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                descriptors.extend(rights);
            }
        }
        // One message is all that there is. An end without one is told by the report.
        self.control = None;
        match received {
            Ok(_) | Err(Errno::CONNRESET) => {}
            Err(e) => return Err(e),
        }
        let mut descriptors = descriptors.into_iter();
        if let Some(processes) = descriptors.next() {
            let bounds = Bounds {
                memory: self.options.limits.memory,
                processes: self.options.limits.processes,
            };
            self.watch = Some(Watch::new(bounds, processes, descriptors.next()));
        }
        Ok(())
    }

    fn conclude(mut self, reason: Option<Status>) -> Result<Output, SandboxError> {
        let mut status = None;
        for message in Message::parse_all(&self.report.kept) {
            match message {
                Message::Failed(failure) => return Err(self.failed(failure)),
                Message::Degraded(failure) => {
                    let (step, source) = (failure.step.words(), failure.source());
                    self.notes.push(format!("{step}: {source}; done without"));
                }
                Message::Ended(raw) => status = Some(raw),
            }
        }
        // A program that the kernel ended for its memory has a status of its own, which says less.
        let ended_for = |status: Status| matches!(status, Status::MemoryLimit { .. });
        let status = match (status, reason) {
            (Some(raw), Some(reason)) if !libc::WIFEXITED(raw) && ended_for(reason) => reason,
            (Some(raw), _) if libc::WIFEXITED(raw) => Status::Exited(libc::WEXITSTATUS(raw)),
            (Some(raw), _) => Status::Signalled(libc::WTERMSIG(raw)),
            (None, Some(reason)) => reason,
            // The first process was killed from outside.
            (None, None) => Status::Signalled(libc::SIGKILL),
        };
        let dropped = self.stdout.dropped.saturating_add(self.stderr.dropped);
        if let (Streams::Lines { limit }, true) = (self.options.streams, dropped > 0) {
            let limit = crate::limits::size_words(limit as u64);
            self.notes.push(format!(
                "output limit of {limit} reached: {dropped} bytes are left out"
            ));
        }
        Ok(Output {
            status,
            stdout: self.stdout.kept,
            stderr: self.stderr.kept,
            truncated: dropped > 0,
            notes: self.notes,
            usage: self.usage,
        })
    }

    fn failed(&self, failure: Failure) -> SandboxError {
        let absent = failure.step == Step::Exec && failure.errno == libc::ENOENT;
        SandboxError::Setup {
            program: self.program.to_owned(),
            root: self.root.to_owned(),
            step: if absent {
                "the program, or its interpreter, is not there"
            } else {
                failure.step.words()
            },
            source: failure.source(),
        }
    }
}

/// A control group for the run, if its limits want one and the machine lets us; if it does not, a word on how they are
/// kept instead.
fn group(plan: &mut Plan, options: &Options) -> Option<Cgroup> {
    if !plan.prepared.watched {
        return None;
    }
    match Cgroup::make(&options.limits, options.cpus) {
        Ok(group) => {
            plan.prepared.watched = false;
            Some(group)
        }
        Err(reason) => {
            let kept = match plan.prepared.identity {
                Identity::User { .. } => {
                    "memory by looking several times a second, processes by a resource limit"
                }
                _ => "memory and processes by looking several times a second",
            };
            plan.notes
                .push(format!("limits are kept without a cgroup, {kept}: {reason}"));
            None
        }
    }
}

fn own_ids() -> u64 {
    u64::from(libc::CLONE_NEWUSER.cast_unsigned())
}

fn has_own_ids(prepared: &Prepared) -> bool {
    prepared.namespaces & own_ids() != 0
}

/// Starts the first process: without its control group where it may not be born there, without a user namespace of its
/// own where the machine has no more of them.
fn launch(
    plan: &mut Plan,
    given: Descriptors<'_>,
    cgroup: &mut Option<Cgroup>,
) -> Result<(libc::pid_t, OwnedFd), Failure> {
    let prepared = &mut plan.prepared;
    let mut outcome = child::start(prepared, given, cgroup.as_ref().map(Cgroup::descriptor));
    if let (Err(failure), true) = (&outcome, cgroup.is_some()) {
        plan.notes.push(format!(
            "limits are kept without a cgroup, by looking several times a second: {}",
            failure.source()
        ));
        *cgroup = None;
        prepared.watched = true;
        outcome = child::start(prepared, given, None);
    }
    let (Err(failure), true) = (&outcome, has_own_ids(prepared)) else {
        return outcome;
    };
    prepared.namespaces &= !own_ids();
    let started = child::start(prepared, given, None)?;
    if let Identity::User { uid, .. } = prepared.identity {
        plan.notes.push(format!(
            "a user namespace for this run: {}; done without: the kernel counts processes of all runs as user {uid} \
             together",
            failure.source()
        ));
    }
    Ok(started)
}

/// What is still to be written to the program, and the program's end.
type Input<'a> = (Option<(OwnedFd, &'a [u8])>, Option<OwnedFd>);

fn input(options: &Options) -> Result<Input<'_>, SandboxError> {
    if let Streams::Terminal = options.streams {
        return Ok((None, None));
    }
    match &options.stdin {
        Stdin::Null => rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
            .map(|null| (None, Some(null)))
            .map_err(|e| SandboxError::io("opening", "/dev/null", e)),
        Stdin::Inherit => Ok((None, None)),
        Stdin::Bytes(bytes) => {
            let (read, write) = pipe()?;
            rustix::fs::fcntl_setfl(&write, OFlags::NONBLOCK)
                .map_err(|e| SandboxError::io("setting up", "a pipe", e))?;
            Ok((Some((write, bytes.as_slice())), Some(read)))
        }
    }
}

/// The ends of what the program writes: ours, and its own, which are `None` where they are the caller's streams.
#[derive(Default)]
struct Outputs {
    stdout: Stream,
    stderr: Stream,
    stdout_child: Option<OwnedFd>,
    stderr_child: Option<OwnedFd>,
    terminal: Option<Lent>,
}

fn outputs(options: &Options) -> Result<Outputs, SandboxError> {
    let mut outputs = Outputs::default();
    match options.streams {
        Streams::Capture { limit } => {
            let (out, err) = (pipe()?, pipe()?);
            (outputs.stdout, outputs.stdout_child) = (Stream::new(Some(out.0), limit), Some(out.1));
            (outputs.stderr, outputs.stderr_child) = (Stream::new(Some(err.0), limit), Some(err.1));
        }
        Streams::Lines { limit } => {
            let (read, write) = pipe()?;
            outputs.stdout = Stream::new(Some(read), limit);
            outputs.stderr_child = Some(duplicate(&write)?);
            outputs.stdout_child = Some(write);
        }
        Streams::Inherit => {}
        Streams::Terminal => outputs.terminal = Some(Lent::new()?),
    }
    Ok(outputs)
}

/// Which of the descriptors are ready, at the latest at that time.
fn wait<const N: usize>(
    wanted: [Option<(&OwnedFd, PollFlags)>; N],
    until: Instant,
) -> Result<[bool; N], Errno> {
    let left = until.saturating_duration_since(Instant::now());
    let timeout = Timespec {
        tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: i64::from(left.subsec_nanos()),
    };
    let mut polled: Vec<PollFd<'_>> = wanted
        .iter()
        .flatten()
        .map(|(fd, flags)| PollFd::new(*fd, *flags))
        .collect();
    match rustix::event::poll(&mut polled, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(e) => return Err(e),
    }
    let mut ready = polled.iter().map(|fd| !fd.revents().is_empty());
    Ok(wanted.map(|fd| fd.is_some() && ready.next().unwrap_or(false)))
}

fn pipe() -> Result<(OwnedFd, OwnedFd), SandboxError> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|e| SandboxError::io("making", "a pipe", e))
}

fn duplicate(fd: &OwnedFd) -> Result<OwnedFd, SandboxError> {
    fd.try_clone()
        .map_err(|e| SandboxError::io("duplicating", "a pipe", e))
}

fn sockets() -> Result<(OwnedFd, OwnedFd), SandboxError> {
    rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(|e| SandboxError::io("making", "a pair of sockets", e))
}
