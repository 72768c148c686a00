//! What a person sees: notes and progress on stderr, facts on stdout.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use crate::failure::Failure;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How to talk: decided once, from the command line and the terminal.
#[derive(Debug, Clone)]
pub struct Terminal {
    json: bool,
    quiet: bool,
    progress: bool,
}

impl Terminal {
    /// Progress is shown only where somebody watches.
    pub fn new(json: bool, quiet: bool) -> Self {
        Self {
            json,
            quiet,
            progress: !quiet && std::io::stderr().is_terminal(),
        }
    }

    /// Whether somebody watches: progress may move.
    pub fn is_watched(&self) -> bool {
        self.progress
    }

    /// A line on what happens.
    pub fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            eprintln!("{}", text.as_ref());
        }
    }

    /// A line that must be read.
    pub fn warn(&self, text: impl AsRef<str>) {
        eprintln!("warning: {}", text.as_ref());
    }

    /// A table for stderr, wanted explicitly: shown even when quiet.
    pub fn table(&self, text: &str) {
        eprint!("{text}");
    }

    /// Why a command failed.
    pub fn failure(&self, failure: &Failure) {
        eprintln!("{failure}");
    }

    /// A signal ends the program; this is its last line.
    pub fn interrupted(&self, why: &str) {
        use std::io::Write;
        // A bar may stand on the line. Nobody may be there to read it.
        let start = if self.progress { "\n" } else { "" };
        let _ = writeln!(
            std::io::stderr(),
            "{start}{why}: what was finished stays, nothing is half-made; run the command again to go on"
        );
    }

    /// Facts: JSON if that was asked for, else the text.
    pub fn facts(&self, facts: &impl Serialize, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        use std::io::Write;
        let text = if self.json {
            serde_json::to_string_pretty(facts)? + "\n"
        } else {
            text()
        };
        match std::io::stdout().write_all(text.as_bytes()) {
            // `lazuli … | head` is no error.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// A bar of `total` steps.
    pub fn bar(&self, what: &str, total: u64) -> ProgressBar {
        if !self.progress {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(total);
        if let Ok(style) = ProgressStyle::with_template("{prefix:>12} [{bar:32}] {pos}/{len} {wide_msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what.to_owned());
        bar
    }

    /// A line that moves while something of unknown length runs.
    pub fn spinner(&self, what: &str) -> ProgressBar {
        if !self.progress {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new_spinner();
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}

/// How long each stage took.
#[derive(Debug)]
pub struct Stages {
    started: Instant,
    last: Instant,
    stages: Vec<(String, Duration)>,
}

impl Default for Stages {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            started: now,
            last: now,
            stages: Vec::new(),
        }
    }
}

impl Stages {
    /// Ends a stage.
    pub fn done(&mut self, name: impl Into<String>) {
        let now = Instant::now();
        self.stages.push((name.into(), now - self.last));
        self.last = now;
    }

    /// Stages from elsewhere, which ran since the last one ended.
    pub fn add(&mut self, stages: impl IntoIterator<Item = (String, Duration)>) {
        self.stages.extend(stages);
        self.last = Instant::now();
    }

    /// A table with shares.
    pub fn table(&self) -> String {
        let total = self.started.elapsed();
        let mut text = String::new();
        for (name, time) in &self.stages {
            let share = time.as_secs_f64() / total.as_secs_f64().max(f64::EPSILON) * 100.0;
            text += &format!("{name:<28} {:>8.2} s {share:>5.1} %\n", time.as_secs_f64());
        }
        text + &format!("{:<28} {:>8.2} s\n", "total", total.as_secs_f64())
    }
}
