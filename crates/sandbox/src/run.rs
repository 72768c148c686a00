//! Running one program in a root tree: the caller's side.
//!
//! Everything that the new process needs is prepared here as plain C strings, since between its start and its
//! `execve` it must not allocate (other threads of the caller may have held the allocator's lock).

use crate::child::{self, Failure, Message, Prepared, PreparedBind, Step};
use crate::error::SandboxError;
use crate::options::{Access, Capabilities, Network, Options, Stdin, Streams};
use crate::output::{Output, Status, Usage};
use crate::points::{MountPoints, inside};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

/// Where programs are looked for, inside the root.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How much of a stream is read at once.
const READ_SIZE: usize = 64 * 1024;

/// Runs `argv` inside `root`, apart from the machine, and waits for it.
///
/// Inside there is a fresh `/proc`, a minimal `/dev`, empty `/tmp` and `/run`, and all else as it is in the root.
/// When the program ends, whatever it started is killed, and all mounts are gone. The caller must be root of the
/// machine or of a namespace (see [`crate::enter`]); it may have threads.
///
/// A program that fails is no error: look at [`Output::status`]. One that does not exist is.
pub fn run_in_root(root: &Path, argv: &[String], options: &Options) -> Result<Output, SandboxError> {
    let program = argv.first().cloned().unwrap_or_default();
    if !rustix::process::geteuid().is_root() {
        return Err(SandboxError::NotRoot {
            program,
            root: root.to_owned(),
        });
    }
    let root = root
        .canonicalize()
        .map_err(|e| SandboxError::io("opening the root", root, e))?;
    let prepared = prepare(&root, argv, options)?;
    let mut points = MountPoints::new(&root)?;
    points.make(&options.binds)?;
    let outcome = Session::start(&prepared, options, &root, &program).and_then(Session::finish);
    let removed = points.remove();
    let output = outcome?;
    removed?;
    Ok(output)
}

/// As [`run_in_root`], and hands on what the program writes as it comes, with [`Streams::Lines`].
///
/// The sink gets each line with its end; one that is longer than 64 KiB comes in pieces, and the last one may have no
/// end. It is called on the caller's thread, and what it takes long for, the program waits for.
pub fn run_streaming(
    root: &Path,
    argv: &[String],
    options: &Options,
    sink: &mut dyn FnMut(&[u8]),
) -> Result<Output, SandboxError> {
    let _ = (root, argv, options, sink);
    todo!()
}

fn prepare(root: &Path, argv: &[String], options: &Options) -> Result<Prepared, SandboxError> {
    let bad = |reason: &str| SandboxError::BadRequest {
        root: root.to_owned(),
        reason: reason.to_owned(),
    };
    let c_string = |bytes: &[u8]| CString::new(bytes).map_err(|_| bad("an argument holds a NUL byte"));
    let program = argv.first().ok_or_else(|| bad("no program is named"))?;
    let candidates = if program.contains('/') {
        vec![c_string(program.as_bytes())?]
    } else {
        SEARCH_PATH
            .split(':')
            .map(|dir| c_string(format!("{dir}/{program}").as_bytes()))
            .collect::<Result<_, _>>()?
    };
    let mut environment: Vec<(String, String)> =
        [("PATH", SEARCH_PATH), ("HOME", "/root"), ("LC_ALL", "C.UTF-8")]
            .into_iter()
            .filter(|(name, _)| !options.environment.iter().any(|(other, _)| other == name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
    environment.extend(options.environment.iter().cloned());
    environment.sort();
    let mut binds = Vec::new();
    for bind in &options.binds {
        binds.push(PreparedBind {
            source: c_string(bind.source.as_os_str().as_bytes())?,
            target: c_string(inside(root, &bind.target)?.as_os_str().as_bytes())?,
            read_only: bind.access == Access::ReadOnly,
        });
    }
    let mut prepared = Prepared::new(
        c_string(root.as_os_str().as_bytes())?,
        candidates,
        argv.iter()
            .map(|arg| c_string(arg.as_bytes()))
            .collect::<Result<_, _>>()?,
        environment
            .iter()
            .map(|(n, v)| c_string(format!("{n}={v}").as_bytes()))
            .collect::<Result<_, _>>()?,
    )
    .ok_or_else(|| bad("no program is named"))?;
    prepared.working_directory = c_string(options.working_directory.as_os_str().as_bytes())?;
    prepared.binds = binds;
    prepared.hostname = options.hostname.clone().into_bytes();
    prepared.private_network = options.network == Network::None;
    prepared.keep_capabilities = options.capabilities == Capabilities::All;
    Ok(prepared)
}

/// One running program: its pipes and its handle.
struct Session<'a> {
    pid: libc::pid_t,
    handle: OwnedFd,
    report: Option<OwnedFd>,
    stdin: Option<(OwnedFd, &'a [u8])>,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    limit: usize,
    deadline: Instant,
    root: &'a Path,
    program: &'a str,
    out: Vec<u8>,
    err: Vec<u8>,
    messages: Vec<u8>,
    truncated: bool,
}

impl<'a> Session<'a> {
    fn start(
        prepared: &Prepared,
        options: &'a Options,
        root: &'a Path,
        program: &'a str,
    ) -> Result<Self, SandboxError> {
        let (report, report_write) = pipe()?;
        let null = || {
            rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
                .map_err(|e| SandboxError::io("opening", "/dev/null", e))
        };
        let (stdin, stdin_child) = match &options.stdin {
            Stdin::Null => (None, Some(null()?)),
            Stdin::Inherit => (None, None),
            Stdin::Bytes(bytes) => {
                let (read, write) = pipe()?;
                rustix::fs::fcntl_setfl(&write, OFlags::NONBLOCK)
                    .map_err(|e| SandboxError::io("setting up", "a pipe", e))?;
                (Some((write, bytes.as_slice())), Some(read))
            }
        };
        let (mut stdout, mut stderr, mut stdout_child, mut stderr_child) = (None, None, None, None);
        let mut limit = 0;
        if let Streams::Capture { limit: asked } = options.streams {
            limit = asked;
            let (out, err) = (pipe()?, pipe()?);
            (stdout, stdout_child) = (Some(out.0), Some(out.1));
            (stderr, stderr_child) = (Some(err.0), Some(err.1));
        }
        let streams = [stdin_child.as_ref(), stdout_child.as_ref(), stderr_child.as_ref()];
        let (pid, handle) =
            child::start(prepared, streams, &report_write).map_err(|failure| SandboxError::Setup {
                program: program.to_owned(),
                root: root.to_owned(),
                step: failure.step.words(),
                source: failure.source(),
            })?;
        // The child's ends are closed here, as they are dropped.
        Ok(Self {
            pid,
            handle,
            report: Some(report),
            stdin,
            stdout,
            stderr,
            limit,
            deadline: Instant::now() + options.timeout,
            root,
            program,
            out: Vec::new(),
            err: Vec::new(),
            messages: Vec::new(),
            truncated: false,
        })
    }

    fn finish(mut self) -> Result<Output, SandboxError> {
        let mut timed_out = false;
        let pumped = loop {
            match self.pump() {
                Ok(Pump::More) => {}
                Ok(Pump::Done) => break Ok(()),
                Ok(Pump::Late) => {
                    timed_out = true;
                    break Ok(());
                }
                Err(e) => break Err(e),
            }
        };
        // The first process of a pid namespace takes all others with it.
        let _gone = rustix::process::pidfd_send_signal(&self.handle, rustix::process::Signal::KILL);
        child::reap(self.pid);
        pumped.map_err(|e| SandboxError::io("waiting for", self.program, e))?;
        self.conclude(timed_out)
    }

    fn pump(&mut self) -> Result<Pump, Errno> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Pump::Late);
        }
        let timeout = Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let readers = [self.report.as_ref(), self.stdout.as_ref(), self.stderr.as_ref()];
        if readers.iter().all(Option::is_none) {
            return Ok(Pump::Done);
        }
        let mut polled: Vec<PollFd<'_>> = readers
            .into_iter()
            .flatten()
            .map(|fd| PollFd::new(fd, PollFlags::IN))
            .collect();
        polled.extend(self.stdin.as_ref().map(|(fd, _)| PollFd::new(fd, PollFlags::OUT)));
        match rustix::event::poll(&mut polled, Some(&timeout)) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Pump::More),
            Err(e) => return Err(e),
        }
        let ready: Vec<bool> = polled.iter().map(|fd| !fd.revents().is_empty()).collect();
        let mut ready = ready.into_iter();
        let mut next = |present: bool| present && ready.next().unwrap_or(false);
        let (report, out, err, stdin) = (
            next(self.report.is_some()),
            next(self.stdout.is_some()),
            next(self.stderr.is_some()),
            next(self.stdin.is_some()),
        );
        if report {
            let mut dropped = false;
            drain(
                &mut self.report,
                &mut self.messages,
                child::MAX_REPORT,
                &mut dropped,
            )?;
        }
        if out {
            drain(&mut self.stdout, &mut self.out, self.limit, &mut self.truncated)?;
        }
        if err {
            drain(&mut self.stderr, &mut self.err, self.limit, &mut self.truncated)?;
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

    fn conclude(self, timed_out: bool) -> Result<Output, SandboxError> {
        let mut notes = Vec::new();
        let mut status = None;
        for message in Message::parse_all(&self.messages) {
            match message {
                Message::Failed(Failure {
                    step: Step::Exec,
                    errno,
                }) if errno == libc::ENOENT => {
                    return Err(SandboxError::Setup {
                        program: self.program.to_owned(),
                        root: self.root.to_owned(),
                        step: "the program, or its interpreter, is not there",
                        source: std::io::Error::from_raw_os_error(errno),
                    });
                }
                Message::Failed(failure) => {
                    return Err(SandboxError::Setup {
                        program: self.program.to_owned(),
                        root: self.root.to_owned(),
                        step: failure.step.words(),
                        source: failure.source(),
                    });
                }
                Message::Degraded(failure) => {
                    notes.push(format!(
                        "{}: {}; done without",
                        failure.step.words(),
                        failure.source()
                    ));
                }
                Message::Ended(raw) => status = Some(raw),
            }
        }
        let status = match status {
            Some(raw) if libc::WIFEXITED(raw) => Status::Exited(libc::WEXITSTATUS(raw)),
            Some(raw) => Status::Signalled(libc::WTERMSIG(raw)),
            None if timed_out => Status::TimedOut,
            // The first process was killed from outside.
            None => Status::Signalled(libc::SIGKILL),
        };
        Ok(Output {
            status,
            stdout: self.out,
            stderr: self.err,
            truncated: self.truncated,
            notes,
            usage: Usage::default(),
        })
    }
}

enum Pump {
    More,
    Done,
    Late,
}

fn pipe() -> Result<(OwnedFd, OwnedFd), SandboxError> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|e| SandboxError::io("making", "a pipe", e))
}

/// Reads once; at the end of the stream closes it. Keeps at most `limit` bytes.
fn drain(
    stream: &mut Option<OwnedFd>,
    kept: &mut Vec<u8>,
    limit: usize,
    truncated: &mut bool,
) -> Result<(), Errno> {
    let Some(fd) = stream.as_ref() else { return Ok(()) };
    let mut buffer = vec![0u8; READ_SIZE];
    match rustix::io::read(fd, &mut buffer) {
        Ok(0) => *stream = None,
        Ok(count) => {
            let room = limit.saturating_sub(kept.len()).min(count);
            kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
            *truncated |= room < count;
        }
        Err(Errno::INTR | Errno::AGAIN) => {}
        Err(e) => return Err(e),
    }
    Ok(())
}
