//! Running other programs, within limits.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::clock::Clock;
use crate::error::SourceError;

/// How much is read at once, in bytes.
const BLOCK: usize = 64 << 10;

/// How much of what a program says on standard error is kept, in bytes: the end of it.
const MAX_MESSAGE: usize = 64 << 10;

/// How many lines of it are shown.
const MAX_LINES: usize = 20;

/// How long a program that is to end is left alone, so many times.
const GRACE: Duration = Duration::from_millis(20);

/// How many times.
const MAX_GRACE: usize = 50;

/// How many blocks wait to be taken before the program has to wait.
const QUEUE: usize = 16;

/// What a program may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long it may say nothing.
    pub(crate) silence: Duration,
    /// How long it may run.
    pub(crate) time: Duration,
    /// How many bytes it may write to standard output.
    pub(crate) output: u64,
}

/// What a program reads.
pub(crate) enum Input {
    /// Nothing; or an empty file, whose lock it holds as long as it runs.
    Stdio(Stdio),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// How a program ended.
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    /// What it said, or how it ended.
    pub(crate) message: String,
    /// It was stopped, because it said nothing or took too long.
    pub(crate) stopped: bool,
}

enum Event {
    Output(Vec<u8>),
    Message(Vec<u8>),
    /// One of the two is at its end.
    End,
}

/// Runs a program. It stays in our process group, so that an interrupt from the terminal reaches it too.
pub(crate) fn run(
    mut command: Command,
    input: Input,
    limits: Limits,
    clock: &dyn Clock,
) -> Result<Outcome, SourceError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |source| SourceError::NoProgram {
        program: program.clone(),
        source,
    };
    let (stdin, bytes) = match input {
        Input::Stdio(stdio) => (stdio, None),
        Input::Bytes(bytes) => (Stdio::piped(), Some(bytes)),
    };
    let mut child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (sender, events) = mpsc::sync_channel(QUEUE);
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(failed(std::io::Error::other("it has no output")));
    };
    let (stdin, other) = (child.stdin.take(), sender.clone());
    // They end when the program's side is closed, or when no one listens any more.
    std::thread::spawn(move || pump(stdout, &sender, Event::Output));
    std::thread::spawn(move || pump(stderr, &other, Event::Message));
    if let (Some(mut stdin), Some(bytes)) = (stdin, bytes) {
        // A program that ends early does not read it all: how it ended says why.
        std::thread::spawn(move || stdin.write_all(&bytes));
    }
    let (mut stdout, mut said, mut ends) = (Vec::new(), Vec::new(), 0);
    let start = clock.elapsed();
    let mut verdict = None;
    while ends < 2 {
        let left = limits.time.saturating_sub(clock.elapsed().saturating_sub(start));
        match events.recv_timeout(limits.silence.min(left)) {
            Ok(Event::End) => ends += 1,
            Ok(Event::Output(bytes)) => stdout.extend_from_slice(&bytes),
            Ok(Event::Message(bytes)) => {
                said.extend_from_slice(&bytes);
                let excess = said.len().saturating_sub(MAX_MESSAGE);
                said.drain(..excess);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                verdict = Some(match left.is_zero() || left < limits.silence {
                    true => format!("it took longer than {:?}", limits.time),
                    false => format!("it said nothing for {:?}", limits.silence),
                });
                break;
            }
        }
        if stdout.len() as u64 > limits.output {
            verdict = Some(format!("it wrote more than {} bytes", limits.output));
            break;
        }
    }
    if verdict.is_some() {
        stop(&mut child);
    }
    let status = child.wait().map_err(failed)?;
    let stopped = verdict.is_some();
    let said = plain(&said);
    let message = match verdict {
        Some(verdict) if said.is_empty() => verdict,
        Some(verdict) => format!("{verdict}; before that: {said}"),
        None if said.is_empty() => format!("it ended with {status}"),
        None => said,
    };
    Ok(Outcome {
        status,
        stdout,
        message,
        stopped,
    })
}

/// Asks a program to end, so that it can end what it has started itself; one that does not is killed.
fn stop(child: &mut Child) {
    if let Some(process) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended just now.
        let _ = kill_process(process, Signal::TERM);
    }
    for _ in 0..MAX_GRACE {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        std::thread::sleep(GRACE);
    }
    // The same holds here.
    let _ = child.kill();
}

impl Outcome {
    pub(crate) fn success(&self) -> bool {
        self.status.success() && !self.stopped
    }
}

fn pump(mut from: impl Read, to: &mpsc::SyncSender<Event>, event: fn(Vec<u8>) -> Event) {
    let mut block = vec![0; BLOCK];
    loop {
        match from.read(&mut block) {
            Ok(count) if count > 0 => {
                let bytes = block.get(..count).unwrap_or_default().to_vec();
                if to.send(event(bytes)).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            // An end that no one waits for is no loss.
            _ => return drop(to.send(Event::End)),
        }
    }
}

/// What was said, without the lines that a progress report overwrote and without control characters.
fn plain(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let mut lines: Vec<String> = text
        .lines()
        .filter_map(|line| {
            let last = line.rsplit('\r').find(|part| !part.trim().is_empty())?;
            let clean: String = last.chars().filter(|c| !c.is_control()).collect();
            Some(clean.trim_end().to_owned())
        })
        .collect();
    lines.dedup();
    let excess = lines.len().saturating_sub(MAX_LINES);
    lines.split_off(excess).join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clock::SystemClock;

    fn shell(script: &str, input: Input, limits: Limits) -> Outcome {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, input, limits, &SystemClock::default()).unwrap()
    }

    const LIMITS: Limits = Limits {
        silence: Duration::from_secs(20),
        time: Duration::from_secs(30),
        output: 1 << 20,
    };

    #[test]
    fn programs_run_within_limits() {
        let good = shell("cat; echo said >&2", Input::Bytes(b"in".to_vec()), LIMITS);
        assert!(good.success() && good.stdout == b"in" && good.message == "said");
        let bad = shell(
            "printf '10%%\\r20%%\\nno\\n' >&2; exit 3",
            Input::Stdio(Stdio::null()),
            LIMITS,
        );
        assert!(!bad.success() && bad.message == "20%\nno", "{}", bad.message);
        let silent = Limits {
            silence: Duration::from_millis(80),
            ..LIMITS
        };
        let stuck = shell(
            "echo begun >&2; exec sleep 60",
            Input::Stdio(Stdio::null()),
            silent,
        );
        assert!(
            stuck.stopped
                && stuck
                    .message
                    .contains("said nothing for 80ms; before that: begun")
        );
        let stubborn = shell(
            "trap '' TERM; echo begun >&2; while :; do read x; done",
            Input::Stdio(Stdio::null()),
            silent,
        );
        assert!(stubborn.stopped && stubborn.message.contains("begun"));
        let short = Limits {
            time: Duration::from_millis(80),
            ..LIMITS
        };
        let long = shell(
            "while :; do echo x; sleep 0.01; done",
            Input::Stdio(Stdio::null()),
            short,
        );
        assert!(
            long.stopped && long.message.contains("longer than 80ms"),
            "{}",
            long.message
        );
        let loud = shell("cat /dev/zero", Input::Stdio(Stdio::null()), LIMITS);
        assert!(loud.stopped && loud.message.contains("more than 1048576 bytes"));
        let absent = run(
            Command::new("/nonexistent/git"),
            Input::Stdio(Stdio::null()),
            LIMITS,
            &SystemClock::default(),
        );
        assert!(matches!(absent, Err(SourceError::NoProgram { .. })));
    }
}
