//! What a person sees: facts on stdout, everything else on stderr.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use crate::cli::{Color, Global};
use crate::download::DownloadProgress;
use crate::failure::{Failure, Kind, Result};
use indicatif::{ProgressBar, ProgressStyle};
use lazuli_transaction::{Progress, Step};
use serde::Serialize;
use std::io::{BufRead, IsTerminal, Write};
use std::sync::Mutex;

/// How to talk: decided once.
pub(crate) struct Terminal {
    json: bool,
    quiet: bool,
    yes: bool,
    color: bool,
    progress: bool,
}

impl Terminal {
    /// From the command line and what stdout and stderr are.
    pub(crate) fn new(global: &Global) -> Self {
        let color = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        };
        Self {
            json: global.json,
            quiet: global.quiet,
            yes: global.assume_yes,
            color,
            progress: !global.quiet && std::io::stderr().is_terminal(),
        }
    }

    /// Whether facts are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A remark on what happens.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            eprintln!("{}", text.as_ref());
        }
    }

    /// Why a command failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        eprintln!("{failure}");
    }

    /// A heading, bold where there is colour.
    pub(crate) fn bold(&self, text: &str) -> String {
        if self.color {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Prints facts: JSON if it was asked for, else the text.
    pub(crate) fn facts(&self, facts: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
        let out = if self.json {
            let mut json = serde_json::to_string_pretty(facts)
                .map_err(|e| Failure::new(Kind::Failed, format!("failed to write JSON: {e}")))?;
            json.push('\n');
            json
        } else {
            text()
        };
        match std::io::stdout().write_all(out.as_bytes()) {
            // `lz list | head` is no failure.
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::new(Kind::Environment, format!("failed to write: {e}")))
            }
            _ => Ok(()),
        }
    }

    /// Asks whether to go on. Without a terminal to answer, no is the answer.
    pub(crate) fn confirm(&self) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            let text = "there is nobody to ask whether this is wanted";
            return Err(Failure::new(Kind::Failed, text).hint("say --assume-yes (-y)"));
        }
        eprint!("Is this ok [y/N]: ");
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        read.map_err(|e| Failure::new(Kind::Environment, format!("failed to read the answer: {e}")))?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::new(Kind::Failed, "not confirmed; nothing was changed")),
        }
    }

    /// A bar for downloads of so many bytes.
    pub(crate) fn download_bar(&self, bytes: u64) -> Bars {
        let bars = Bars {
            shown: self.progress,
            state: Mutex::new(None),
        };
        if self.progress && bytes > 0 {
            let style =
                ProgressStyle::with_template("{msg:12} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}");
            let bar = ProgressBar::new(bytes).with_message("fetching");
            bar.set_style(
                style
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("=> "),
            );
            bars.put(None, bar);
        }
        bars
    }

    /// Bars for the steps of a transaction.
    pub(crate) fn step_bars(&self) -> Bars {
        Bars {
            shown: self.progress,
            state: Mutex::new(None),
        }
    }
}

/// One bar at a time.
pub(crate) struct Bars {
    shown: bool,
    state: Mutex<Option<(Option<Step>, ProgressBar)>>,
}

impl Bars {
    fn put(&self, step: Option<Step>, bar: ProgressBar) {
        if let Ok(mut state) = self.state.lock() {
            *state = Some((step, bar));
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Ok(mut state) = self.state.lock()
            && let Some((_, bar)) = state.take()
        {
            bar.finish_and_clear();
        }
    }
}

impl DownloadProgress for Bars {
    fn arrived(&self, bytes: u64) {
        if let Ok(state) = self.state.lock()
            && let Some((_, bar)) = state.as_ref()
        {
            bar.inc(bytes);
        }
    }
}

impl Progress for Bars {
    fn advanced(&self, step: Step, done: usize, total: usize) {
        if !self.shown {
            return;
        }
        let Ok(mut state) = self.state.lock() else { return };
        let is_current = state.as_ref().is_some_and(|(current, _)| *current == Some(step));
        if !is_current {
            if let Some((_, old)) = state.take() {
                old.finish_and_clear();
            }
            let words = match step {
                Step::Verify => "checking",
                Step::Accounts => "users",
                Step::Install => "installing",
                Step::Remove => "removing",
                Step::Database => "recording",
                Step::Finalise => "finalising",
            };
            let style = ProgressStyle::with_template("{msg:12} [{bar:30}] {percent}%");
            let bar = ProgressBar::new(total as u64).with_message(words);
            bar.set_style(
                style
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("=> "),
            );
            *state = Some((Some(step), bar));
        }
        if let Some((_, bar)) = state.as_ref() {
            // Workers report out of order.
            bar.set_position(bar.position().max(done as u64));
        }
    }
}

/// Rows with aligned columns; the last one is not padded.
pub(crate) fn columns(rows: &[Vec<String>], indent: usize) -> String {
    let width = |at: usize| {
        rows.iter()
            .filter_map(|row| row.get(at))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows.iter().map(Vec::len).max().unwrap_or(0))
        .map(width)
        .collect();
    let mut out = String::new();
    for row in rows {
        out.push_str(&" ".repeat(indent));
        for (at, cell) in row.iter().enumerate() {
            out.push_str(cell);
            if at + 1 < row.len() {
                let pad = widths
                    .get(at)
                    .copied()
                    .unwrap_or(0)
                    .saturating_sub(cell.chars().count());
                out.push_str(&" ".repeat(pad + 2));
            }
        }
        out.push('\n');
    }
    out
}

/// `1.2 MiB`
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    // Tenths, so that no floating point is needed.
    let mut tenths = u128::from(bytes) * 10;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_300_000, "1.2 MiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [
            vec!["a".to_owned(), "b".to_owned()],
            vec!["long".to_owned(), "c".to_owned()],
        ];
        assert_eq!(columns(&rows, 1), " a     b\n long  c\n");
    }
}
