//! What a person sees while components are built: a table that moves on a terminal, lines elsewhere.

use super::plan::Plan;
use super::summary::{seconds, why_lines};
use crate::cli::BuildArgs;
use crate::terminal::Terminal;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use lazuli_build::Event;
use lazuli_build::workshop::{HitFrom, Notice, Verified, Watcher};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the table moves.
const TICK: Duration = Duration::from_millis(200);
/// What of a log line is kept for the table.
const LINE_MAX: usize = 400;

/// Tells a person.
pub struct Live {
    terminal: Terminal,
    table: Option<Table>,
    explains: bool,
    /// Notes of builds that were said: what is so on this machine is so for all of them.
    said: Mutex<HashSet<String>>,
}

struct Table {
    rows: MultiProgress,
    total: ProgressBar,
    running: Mutex<HashMap<String, Row>>,
    width: usize,
}

/// A component that is being built.
struct Row {
    bar: ProgressBar,
    phase: &'static str,
}

impl Live {
    /// For the components of a plan.
    pub fn new(terminal: &Terminal, plan: &Plan, arguments: &BuildArgs) -> Self {
        let width = plan.tasks.iter().map(|task| task.name.len()).max().unwrap_or(0);
        Self {
            table: terminal
                .is_watched()
                .then(|| Table::new(plan.tasks.len() as u64, width)),
            explains: arguments.explain && !arguments.dry_run,
            terminal: terminal.clone(),
            said: Mutex::default(),
        }
    }

    /// Takes the table away.
    pub fn end(&self) {
        if let Some(table) = &self.table {
            table.total.finish_and_clear();
            for (_, row) in table.running().drain() {
                row.bar.finish_and_clear();
            }
        }
    }

    /// A line that stays.
    fn say(&self, text: &str) {
        match &self.table {
            Some(table) => table.rows.suspend(|| self.terminal.note(text)),
            None => self.terminal.note(text),
        }
    }

    fn done(&self, component: &str) {
        let Some(table) = &self.table else {
            return;
        };
        if let Some(row) = table.running().remove(component) {
            row.bar.finish_and_clear();
            table.rows.remove(&row.bar);
        }
        table.total.inc(1);
    }
}

impl Table {
    fn new(count: u64, width: usize) -> Self {
        let rows = MultiProgress::new();
        let total = rows.add(ProgressBar::new(count));
        if let Ok(style) = ProgressStyle::with_template("{prefix:>12} [{bar:32}] {pos}/{len} {elapsed}") {
            total.set_style(style.progress_chars("=> "));
        }
        total.set_prefix("build");
        Self {
            rows,
            total,
            running: Mutex::default(),
            width,
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, Row>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, component: &str) {
        let bar = self.rows.add(ProgressBar::new_spinner());
        let template = format!(
            "{{spinner}} {{prefix:{}}} {{elapsed:>4}} {{wide_msg}}",
            self.width
        );
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar.set_prefix(component.to_owned());
        bar.enable_steady_tick(TICK);
        self.running()
            .insert(component.to_owned(), Row { bar, phase: "" });
    }

    fn event(&self, component: &str, event: &Event<'_>) {
        let mut running = self.running();
        let Some(row) = running.get_mut(component) else {
            return;
        };
        match event {
            Event::Phase(phase) => {
                row.phase = phase.name();
                row.bar.set_message(row.phase);
            }
            Event::Line { text, .. } => {
                // Control characters would move the cursor about.
                let line: String = text
                    .chars()
                    .filter(|one| !one.is_control())
                    .take(LINE_MAX)
                    .collect();
                row.bar.set_message(format!("{}: {line}", row.phase));
            }
            _ => {}
        }
    }
}

impl Watcher for Live {
    fn notice(&self, component: &str, notice: &Notice<'_>) {
        match notice {
            Notice::Hit { from } => {
                if *from == HitFrom::Cache {
                    self.say(&format!("{component}: from the cache"));
                }
                self.done(component);
            }
            Notice::Miss { why } if self.explains => {
                let lines: String = why_lines(why)
                    .iter()
                    .map(|line| format!("\n    {line}"))
                    .collect();
                self.say(&format!("{component}: is built because{lines}"));
            }
            Notice::Started { cores } => match &self.table {
                Some(table) => table.start(component),
                None if cores.get() > 1 => {
                    self.say(&format!("{component}: building with {cores} processors"))
                }
                None => self.say(&format!("{component}: building")),
            },
            Notice::Build(Event::Note(text)) => {
                let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
                if said.insert((*text).to_owned()) {
                    self.say(&format!("{component}: note: {text}"));
                }
            }
            Notice::Build(event) => {
                if let Some(table) = &self.table {
                    table.event(component, event);
                }
            }
            Notice::Built { result } => {
                self.done(component);
                self.say(&format!("{component}: built in {}", seconds(result.took())));
            }
            Notice::Failed { failure } => {
                self.done(component);
                let word = if failure.is_cancelled { "stopped" } else { "FAILED" };
                let place = failure.phase.map(|phase| {
                    let time = seconds(failure.elapsed);
                    format!(" in {phase} after {time}")
                });
                self.say(&format!("{component}: {word}{}", place.unwrap_or_default()));
            }
            Notice::Verified { found } => {
                self.done(component);
                let word = match found {
                    Verified::Same { .. } => "the second build is the same to the bit",
                    Verified::Different { .. } => "the second build is DIFFERENT",
                    Verified::Failed { .. } => "the second build FAILED",
                };
                self.say(&format!("{component}: {word}"));
            }
            Notice::Note { text } => self.say(&format!("{component}: note: {text}")),
            _ => {}
        }
    }
}
