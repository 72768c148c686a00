//! `lazuli component render` and `diff`: what will be built, as files.

use crate::cli::RenderArgs;
use crate::component::project::SpecProject;
use crate::component::select;
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_catalog::ResolvedComponent;
use lazuli_component::{InputsError, Mode, Outcome, Renderer, StaleLock, Verdict, orphans, project_diff};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

/// One component of a report.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    component: String,
    state: &'static str,
    evr: Option<String>,
    folder: Option<String>,
    warnings: Vec<String>,
    error: Option<String>,
}

/// Renders components, or compares what is rendered.
pub fn render(workspace: &Workspace, args: &RenderArgs) -> Result<()> {
    let project = SpecProject::open(workspace)?;
    let components = project.components(&args.names)?;
    let output = project.rendered_specs()?;
    let renderer = Renderer {
        state: &project.state,
        provider: &project.upstreams.provider(),
        reader: &project.reader,
        history: project.history(),
        stale: if args.preview {
            StaleLock::Preview
        } else {
            StaleLock::Refuse
        },
    };
    let mode = if args.check { Mode::Check } else { Mode::Write };
    let spinner = workspace
        .terminal
        .spinner(&format!("rendering {} components", components.len()));
    let outcomes = renderer.render_all(&components, &output, mode);
    spinner.finish_and_clear();
    let mut drifted = outcomes
        .iter()
        .filter(|one| one.verdict.value().is_some_and(|it| !it.drift.is_empty()))
        .count();
    let mut text = String::new();
    if args.check {
        for written in outcomes.iter().filter_map(|outcome| outcome.verdict.value()) {
            let _ = write!(text, "{}", written.drift);
        }
    }
    if args.names.is_empty() {
        drifted += left_over(workspace, &output, mode, &mut text)?;
    }
    let rows: Vec<Row> = outcomes.iter().map(|outcome| row(outcome, mode)).collect();
    let changed: Vec<&Row> = rows.iter().filter(|row| row.state == "written").collect();
    for row in changed {
        let _ = writeln!(
            text,
            "{} {}",
            row.component,
            row.evr.as_deref().unwrap_or_default()
        );
    }
    workspace.terminal.facts(&rows, || text)?;
    for row in &rows {
        row.warnings
            .iter()
            .for_each(|warning| workspace.terminal.warn(format!("{}: {warning}", row.component)));
    }
    report_failures(workspace, &outcomes)?;
    if let Some(folder) = &args.sources_into {
        write_inputs(workspace, &renderer, &components, folder)?;
    }
    workspace.terminal.note(summary(rows.len(), drifted, mode));
    match args.check && drifted > 0 {
        true => Err(Failure::message(
            Kind::Failed,
            format!("{drifted} rendered components are not what the project says"),
        )
        .hint("run `lazuli component render` and commit the result")),
        false => Ok(()),
    }
}

/// Fetches all that builds take, and lays it below a folder.
fn write_inputs(
    workspace: &Workspace,
    renderer: &Renderer<'_>,
    components: &[ResolvedComponent],
    folder: &Path,
) -> Result<()> {
    for component in components {
        let failed = |error: InputsError| failure(&component.name, &error, error.help());
        let inputs = renderer.build_inputs(component).map_err(failed)?;
        let folder = folder.join(component.name.as_str());
        // What lies there already would be taken for a source.
        if std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
            let message = format!("{} is not empty", folder.display());
            return Err(
                Failure::message(Kind::Environment, message).hint("remove it, or name another folder")
            );
        }
        inputs.write(&folder).map_err(failed)?;
        workspace.terminal.note(format!(
            "{}: {} files and the spec in {}",
            component.name,
            inputs.files.len(),
            folder.display()
        ));
    }
    Ok(())
}

fn summary(total: usize, drifted: usize, mode: Mode) -> String {
    match (mode, drifted) {
        (_, 0) => format!("{total} components are as they were rendered"),
        (Mode::Write, changed) => format!("{total} components rendered, {changed} changed"),
        (Mode::Check, changed) => format!("{total} components compared, {changed} differ"),
    }
}

fn row(outcome: &Outcome, mode: Mode) -> Row {
    let value = outcome.verdict.value();
    let changed = value.is_some_and(|written| !written.drift.is_empty());
    let (state, error) = match (&outcome.verdict, mode) {
        (Verdict::Failure(error), _) => ("failed", Some(error.to_string())),
        (Verdict::ExpectedFailure { error, .. }, _) => ("failed-as-expected", Some(error.to_string())),
        (_, Mode::Write) if changed => ("written", None),
        (_, Mode::Check) if changed => ("differs", None),
        _ => ("same", None),
    };
    Row {
        component: outcome.name.to_string(),
        state,
        evr: value.map(|written| written.evr.clone()),
        folder: value.map(|written| written.folder.display().to_string()),
        warnings: value.map(|written| written.warnings.clone()).unwrap_or_default(),
        error,
    }
}

/// Says what failed, and fails if that was not expected.
fn report_failures(workspace: &Workspace, outcomes: &[Outcome]) -> Result<()> {
    let mut first: Option<Failure> = None;
    let mut failed = 0_usize;
    for outcome in outcomes {
        match &outcome.verdict {
            Verdict::Success(_) => {}
            Verdict::UnexpectedSuccess { reason, .. } => workspace.terminal.warn(format!(
                "{} is rendered, though a failure is expected: {reason}",
                outcome.name
            )),
            Verdict::ExpectedFailure { error, reason } => {
                workspace
                    .terminal
                    .note(format!("{} fails, as expected ({reason}): {error}", outcome.name));
            }
            Verdict::Failure(error) => {
                failed += 1;
                let failure = failure(&outcome.name, error, error.help());
                match first {
                    None => first = Some(failure),
                    Some(_) => workspace.terminal.failure(&failure),
                }
            }
        }
    }
    match first {
        None => Ok(()),
        Some(failure) if failed == 1 => Err(failure),
        Some(failure) => {
            workspace.terminal.failure(&failure);
            Err(Failure::message(
                Kind::Failed,
                format!("{failed} components could not be rendered"),
            ))
        }
    }
}

/// An error of a component with all its causes.
pub fn failure(
    name: &lazuli_catalog::ComponentName,
    error: &dyn std::error::Error,
    help: Option<String>,
) -> Failure {
    let mut text = format!("{name}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            let _ = write!(text, "\n  because: {more}");
        }
        cause = error.source();
    }
    let failure = Failure::message(Kind::Failed, text);
    match help {
        Some(help) => failure.hint(help),
        None => failure,
    }
}

/// Folders of components that are no more: removed, or said.
fn left_over(workspace: &Workspace, output: &Path, mode: Mode, text: &mut String) -> Result<usize> {
    let known: BTreeSet<_> = select(workspace, &[])?.into_iter().collect();
    let folders = orphans(output, &known).or_fail(Kind::Environment)?;
    for folder in &folders {
        let _ = writeln!(text, "{} is of no component", folder.path.display());
        if mode == Mode::Write {
            folder.remove().or_fail(Kind::Environment)?;
        }
    }
    Ok(folders.len())
}

/// Prints upstream against ours.
pub fn diff(workspace: &Workspace, names: &[String]) -> Result<()> {
    let project = SpecProject::open(workspace)?;
    let mut found = std::collections::BTreeMap::new();
    for component in project.components(names)? {
        let diff = project_diff(&project.state, &component, &project.upstreams.provider())
            .map_err(|error| failure(&component.name, &error, error.help()))?;
        found.insert(component.name.to_string(), diff);
    }
    workspace
        .terminal
        .facts(&found, || found.values().map(ToString::to_string).collect())?;
    Ok(())
}
