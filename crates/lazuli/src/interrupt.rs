//! Ctrl-C and its kin.
//!
//! Nothing needs to be undone: files get their final names when they are whole, mounts and sandboxes end with the process,
//! and what is left beside them is removed by the next run. So a signal only says so and ends the programs that we
//! started, then does what it always does, so that a shell sees which signal it was.
//!
//! A command that has something to say at its end asks for it with [`gracefully`]: the first signal only tells it to stop,
//! and the command ends with [`finish`]; the second one ends the program as above.

use crate::failure::{Kind, OrFail, Result};
use crate::terminal::Terminal;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};

/// Children that are ended at most.
const MAX_CHILDREN: usize = 1024;

/// What is told to stop by the first signal.
static STOP: Mutex<Option<Box<dyn Fn() + Send>>> = Mutex::new(None);
/// The signal that said so; 0 if none did.
static STOPPED_BY: AtomicI32 = AtomicI32::new(0);
/// Whether a program of the user has the terminal: Ctrl-C is meant for it.
static LENT: AtomicBool = AtomicBool::new(false);

/// From here on, the first signal calls `stop` instead of ending the program.
pub fn gracefully(stop: impl Fn() + Send + 'static) {
    *STOP.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(stop));
}

/// Ends the program as the signal would have that stopped the command; does nothing if there was none.
pub fn finish() {
    *STOP.lock().unwrap_or_else(PoisonError::into_inner) = None;
    let signal = STOPPED_BY.load(Ordering::SeqCst);
    if signal != 0 {
        // It does not come back; should it, the command ends with its own error.
        let _ = emulate_default_handler(signal);
    }
}

/// Runs something that has the terminal: Ctrl-C does not end us meanwhile.
pub fn lend_terminal<T>(run: impl FnOnce() -> T) -> T {
    LENT.store(true, Ordering::SeqCst);
    let result = run();
    LENT.store(false, Ordering::SeqCst);
    result
}

/// Whether a signal was answered without ending the program.
fn is_answered(signal: i32, terminal: &Terminal) -> bool {
    if signal == SIGINT && LENT.load(Ordering::SeqCst) {
        return true;
    }
    let Some(stop) = STOP.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return false;
    };
    STOPPED_BY.store(signal, Ordering::SeqCst);
    terminal.note("stopping what runs; once more to end at once");
    stop();
    true
}

/// From here on, a signal that asks the program to end is answered with a line on what that means. What the caller has set
/// to be ignored, as nohup(1) does, stays ignored.
pub fn watch(terminal: &Terminal) -> Result<()> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let heard = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| !ignores(&status, *signal));
    let mut signals = Signals::new(heard).or_fail(Kind::Environment)?;
    let terminal = terminal.clone();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                if is_answered(signal, &terminal) {
                    continue;
                }
                end_children();
                terminal.interrupted(match signal {
                    SIGINT => "interrupted",
                    SIGTERM => "asked to end",
                    _ => "the terminal is gone",
                });
                // It does not come back; should it, the process goes on as if nothing had been.
                let _ = emulate_default_handler(signal);
            }
        })
        .or_fail(Kind::Environment)?;
    Ok(())
}

/// Whether a process ignores a signal (proc(5), `SigIgn` of `status`: a mask in hexadecimal).
fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask
        .and_then(|text| u64::from_str_radix(text.trim(), 16).ok())
        .unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// Asks the programs that this process started to end: a signal from `kill` does not reach them. Those in a sandbox end
/// with us in any case.
fn end_children() {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return;
    };
    // proc(5), `children`: of each thread, the processes that it started.
    let lists = threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let text: String = lists.collect();
    for word in text.split_ascii_whitespace().take(MAX_CHILDREN) {
        if let Some(pid) = word.parse().ok().and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_known() {
        let status = "Name:\tlazuli\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n";
        assert!(ignores(status, SIGHUP));
        assert!(!ignores(status, SIGINT) && !ignores(status, SIGTERM) && !ignores("", SIGHUP));
    }
}
