//! What was done, at the end.

use super::plan::Plan;
use super::state_word;
use crate::cli::BuildArgs;
use crate::failure::{Failure, Kind, Result};
use crate::workspace::Workspace;
use lazuli_build::Cancel;
use lazuli_build::schedule::{Schedule, State};
use lazuli_build::workshop::{Ending, FailureReport, HitFrom, Verified, Why};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Lines of the log of a failed build that are shown.
const LAST_LINES: usize = 20;
/// Fields of a changed key that are named where many changed.
const FIELDS_MAX: usize = 30;
/// Differences between two builds that are named for each component.
const DIFFERENCES_MAX: usize = 20;
/// Hexadecimal digits of a digest that are shown.
const SHORT: usize = 12;

/// The whole run.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    components: Vec<Row>,
    seconds: f64,
    critical_path: Vec<Step>,
    built: usize,
    cached: usize,
    failed: usize,
    stopped: bool,
}

/// A component.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    component: String,
    /// Whether it was asked for, or is only needed.
    wanted: bool,
    state: &'static str,
    from: Option<HitFrom>,
    why: Option<Why>,
    blocked_by: Option<String>,
    seconds: Option<f64>,
    phases: Vec<(String, f64)>,
    peak_memory: Option<u64>,
    packages: Vec<String>,
    findings: Vec<String>,
    failure: Option<FailureRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct FailureRow {
    reason: String,
    help: Option<String>,
    phase: Option<&'static str>,
    last_lines: Vec<String>,
    log: Option<PathBuf>,
    sandbox: Option<PathBuf>,
}

/// A build on the longest chain.
#[derive(Serialize)]
struct Step {
    component: String,
    seconds: f64,
}

impl Report {
    /// Of a schedule that is over.
    pub fn new(
        schedule: &Schedule,
        endings: &BTreeMap<String, Ending>,
        plan: &Plan,
        elapsed: Duration,
        cancel: &Cancel,
    ) -> Self {
        let name = |id| schedule.task(id).name.clone();
        let rows: Vec<Row> = schedule
            .ids()
            .map(|id| {
                let ending = endings.get(&schedule.task(id).name);
                let mut row = Row::new(&name(id), schedule.state(id), ending);
                row.wanted = plan.wanted.contains(&row.component);
                if let State::Blocked { by } = schedule.state(id) {
                    row.blocked_by = Some(name(by));
                }
                row
            })
            .collect();
        let took = |id| match endings.get(&schedule.task(id).name) {
            Some(Ending::Built { result, .. }) => result.took(),
            Some(Ending::Failed(failure)) => failure.elapsed,
            _ => Duration::ZERO,
        };
        let path = schedule.longest_path(took).into_iter();
        let path = path.filter(|id| !took(*id).is_zero()).map(|id| Step {
            component: name(id),
            seconds: took(id).as_secs_f64(),
        });
        let count = |word: &str| rows.iter().filter(|row| row.state == word).count();
        Self {
            seconds: elapsed.as_secs_f64(),
            critical_path: path.collect(),
            built: count("built"),
            cached: count("cached"),
            failed: count("failed"),
            stopped: cancel.is_cancelled(),
            components: rows,
        }
    }

    /// What would be built.
    pub fn print_dry_run(&self, workspace: &Workspace, arguments: &BuildArgs) -> Result<()> {
        workspace.terminal.facts(self, || {
            let mut text = String::new();
            for row in &self.components {
                match (row.state, &row.why) {
                    ("cached", _) => {}
                    ("waits", _) => {
                        let _ = writeln!(text, "{:<24} decided when what it needs is built", row.component);
                    }
                    (_, Some(why)) => {
                        let lines = why_lines(why);
                        let first = lines.first().map(String::as_str).unwrap_or_default();
                        let _ = writeln!(text, "{:<24} {first}", row.component);
                        if arguments.explain {
                            lines.iter().skip(1).for_each(|line| {
                                let _ = writeln!(text, "{:<24} {line}", "");
                            });
                        }
                    }
                    (state, None) => {
                        let _ = writeln!(text, "{:<24} {state}", row.component);
                    }
                }
            }
            text
        })?;
        self.print_failures(workspace);
        let left = self.components.len() - self.cached;
        workspace.terminal.note(format!(
            "{} components are built already, {left} are not",
            self.cached
        ));
        self.verdict()
    }

    /// What was done.
    pub fn print(
        &self,
        workspace: &Workspace,
        arguments: &BuildArgs,
        verified: &BTreeMap<String, Verified>,
    ) -> Result<()> {
        #[derive(Serialize)]
        struct Facts<'a> {
            #[serde(flatten)]
            report: &'a Report,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            verified: &'a BTreeMap<String, Verified>,
        }
        workspace.terminal.facts(
            &Facts {
                report: self,
                verified,
            },
            || {
                let mut text = String::new();
                if arguments.timings {
                    self.timings(&mut text);
                }
                differences(&mut text, verified);
                text
            },
        )?;
        self.print_failures(workspace);
        self.print_blocked(workspace);
        workspace.terminal.note(self.line());
        self.verdict()?;
        let bad = verified
            .values()
            .filter(|one| !matches!(one, Verified::Same { .. }))
            .count();
        match bad {
            0 => Ok(()),
            count => Err(Failure::message(
                Kind::Failed,
                format!(
                    "{count} of {} components are not the same when built again",
                    verified.len()
                ),
            )),
        }
    }

    /// The last line.
    fn line(&self) -> String {
        let time = seconds(Duration::from_secs_f64(self.seconds));
        if self.built + self.failed == 0 && self.cached == self.components.len() {
            return format!(
                "nothing to do: {} components are built already ({time})",
                self.cached
            );
        }
        let mut line = format!("{} built", self.built);
        let failed = self.failed;
        if self.cached > 0 {
            let _ = write!(line, ", {} were built already", self.cached);
        }
        let rest = self.components.len() - self.built - self.cached - failed;
        if failed > 0 {
            let _ = write!(line, ", {failed} failed");
        }
        if rest > 0 {
            let _ = write!(line, ", {rest} not built");
        }
        let _ = write!(line, " in {time}");
        if self.critical_path.len() > 1 {
            let steps: Vec<String> = self
                .critical_path
                .iter()
                .map(|step| {
                    format!(
                        "{} {}",
                        step.component,
                        seconds(Duration::from_secs_f64(step.seconds))
                    )
                })
                .collect();
            let _ = write!(line, "; longest chain: {}", steps.join(", "));
        }
        line
    }

    fn print_failures(&self, workspace: &Workspace) {
        for row in &self.components {
            let Some(failure) = &row.failure else {
                continue;
            };
            let place = failure
                .phase
                .map(|phase| format!(" in {phase}"))
                .unwrap_or_default();
            let mut text = format!("\n{} failed{place}: {}\n", row.component, failure.reason);
            let skip = failure.last_lines.len().saturating_sub(LAST_LINES);
            for line in failure.last_lines.iter().skip(skip) {
                let _ = writeln!(text, "    {line}");
            }
            if let Some(log) = &failure.log {
                let _ = writeln!(
                    text,
                    "  the whole log: lazuli build --log {} ({})",
                    row.component,
                    log.display()
                );
            }
            if let Some(sandbox) = &failure.sandbox {
                let _ = writeln!(text, "  its sandbox: {}", sandbox.display());
            }
            if let Some(help) = &failure.help {
                let _ = writeln!(text, "  hint: {help}");
            }
            workspace.terminal.table(&text);
        }
    }

    fn print_blocked(&self, workspace: &Workspace) {
        let mut by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in &self.components {
            if let Some(failed) = &row.blocked_by {
                by.entry(failed).or_default().push(&row.component);
            }
        }
        for (failed, names) in by {
            workspace
                .terminal
                .note(format!("not built, for they need {failed}: {}", names.join(" ")));
        }
    }

    fn timings(&self, text: &mut String) {
        let mut rows: Vec<&Row> = self
            .components
            .iter()
            .filter(|row| row.state == "built")
            .collect();
        rows.sort_by(|left, right| {
            right
                .seconds
                .unwrap_or(0.0)
                .total_cmp(&left.seconds.unwrap_or(0.0))
        });
        for row in rows {
            let _ = write!(
                text,
                "{:<24} {:>8.2} s ",
                row.component,
                row.seconds.unwrap_or(0.0)
            );
            for (phase, time) in &row.phases {
                let _ = write!(text, " {phase} {time:.2}");
            }
            text.push('\n');
        }
        let sum: f64 = self
            .components
            .iter()
            .filter(|row| row.state == "built")
            .filter_map(|row| row.seconds)
            .sum();
        let _ = writeln!(
            text,
            "{:<24} {sum:>8.2} s of builds in {:.2} s",
            "total", self.seconds
        );
    }

    fn verdict(&self) -> Result<()> {
        match self.failed {
            0 => Ok(()),
            1 => {
                let name = self.components.iter().find(|row| row.state == "failed");
                let name = name.map(|row| row.component.as_str()).unwrap_or_default();
                Err(Failure::message(Kind::Failed, format!("{name} was not built")))
            }
            count => Err(Failure::message(
                Kind::Failed,
                format!("{count} components were not built"),
            )),
        }
    }
}

impl Row {
    fn new(component: &str, state: State, ending: Option<&Ending>) -> Self {
        let mut row = Self {
            component: component.to_owned(),
            wanted: false,
            state: state_word(state),
            from: None,
            why: None,
            blocked_by: None,
            seconds: None,
            phases: Vec::new(),
            peak_memory: None,
            packages: Vec::new(),
            findings: Vec::new(),
            failure: None,
        };
        match ending {
            Some(Ending::Hit { from, .. }) => row.from = Some(*from),
            Some(Ending::Built { why, result }) => {
                row.why = Some(why.clone());
                row.seconds = Some(result.took().as_secs_f64());
                let phases = result.phases.iter();
                row.phases = phases
                    .map(|(phase, ms)| (phase.name().to_owned(), *ms as f64 / 1000.0))
                    .collect();
                row.peak_memory = result.peak_memory;
                row.findings = result.findings.iter().map(ToString::to_string).collect();
            }
            Some(Ending::Due { why }) => row.why = Some(why.clone()),
            // That somebody stopped it says nothing of the component.
            Some(Ending::Failed(failure)) if failure.is_cancelled => row.state = "stopped",
            Some(Ending::Failed(failure)) => {
                row.seconds = Some(failure.elapsed.as_secs_f64());
                row.failure = Some(FailureRow::new(failure));
            }
            None => {}
        }
        if let Some(result) = ending.and_then(Ending::result) {
            row.packages = result
                .packages
                .iter()
                .map(|package| package.file.clone())
                .collect();
        }
        row
    }
}

impl FailureRow {
    fn new(failure: &FailureReport) -> Self {
        Self {
            reason: failure.reason.clone(),
            help: failure.help.clone(),
            phase: failure.phase.map(|phase| phase.name()),
            last_lines: failure.last_lines.clone(),
            log: failure.log.clone(),
            sandbox: failure.kept.as_ref().map(|kept| kept.folder.clone()),
        }
    }
}

/// Where builds differ.
fn differences(text: &mut String, verified: &BTreeMap<String, Verified>) {
    for (component, found) in verified {
        match found {
            Verified::Same { .. } => {
                let _ = writeln!(text, "{component}: reproducible");
            }
            Verified::Failed { reason } => {
                let _ = writeln!(text, "{component}: the second build failed: {reason}");
            }
            Verified::Different { differences } => {
                let _ = writeln!(text, "{component}: {} differences", differences.len());
                for one in differences.iter().take(DIFFERENCES_MAX) {
                    let _ = writeln!(text, "    {one}");
                }
            }
        }
    }
}

/// Why something is built, the most important line first.
pub fn why_lines(why: &Why) -> Vec<String> {
    match why {
        Why::Forced => vec!["it was asked for anew".to_owned()],
        Why::New => vec!["it was never built here".to_owned()],
        Why::FailedBefore => vec!["its last build failed".to_owned()],
        Why::Gone => vec!["its result is not there any more".to_owned()],
        Why::Changed { fields } => {
            let shown = fields.iter().take(FIELDS_MAX);
            let mut lines: Vec<String> = shown.map(|field| shortened(&field.to_string())).collect();
            let more = fields.len().saturating_sub(FIELDS_MAX);
            if more > 0 {
                lines.push(format!("and {more} more"));
            }
            lines
        }
    }
}

/// Digests are long, and their first digits tell them apart.
fn shortened(text: &str) -> String {
    let is_digest = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = text.split(' ').map(|word| {
        let bare = word.trim_end_matches(',');
        match is_digest(bare) {
            true => format!("{}…{}", &bare[..SHORT], &word[bare.len()..]),
            false => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A time as people say it.
pub fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60),
        more => format!("{} h {:02} min", more / 3600, more / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_shortened() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let text = format!("spec was {digest}, is {digest}");
        assert_eq!(shortened(&text), "spec was ba7816bf8f01…, is ba7816bf8f01…");
        assert_eq!(shortened("tests was run, is skip"), "tests was run, is skip");
    }

    #[test]
    fn times_are_short() {
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
        assert_eq!(seconds(Duration::from_secs(3_720)), "1 h 02 min");
    }
}
