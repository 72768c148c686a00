//! `lazuli component update` for components that are made from specs: which commit, which fingerprint, which change.

use crate::cli::UpdateArgs;
use crate::component::project::SpecProject;
use crate::component::render::failure;
use crate::component::select;
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_component::{Committed, Rebuild, Resolution, Update, Updater, Verdict, orphaned_locks};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write;

/// What an update did to a component.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Row<'a> {
    component: String,
    commit: Option<String>,
    change: Option<&'a str>,
    fields: &'a [lazuli_component::FieldChange],
    written: bool,
}

/// Updates the locks of components that are made from specs.
pub fn update(workspace: &Workspace, args: &UpdateArgs) -> Result<()> {
    let project = SpecProject::open(workspace)?;
    let components = project.components(&args.names)?;
    if components.is_empty() {
        return Ok(());
    }
    let author = project.author()?;
    let updater = Updater {
        state: &project.state,
        committed: project
            .committed
            .as_ref()
            .map(|(state, history)| Committed { state, history }),
        provider: &project.upstreams.provider(),
        reader: &project.reader,
        now: project.now(),
        author: &author,
        message: args.message.as_deref(),
        resolution: if args.newest {
            Resolution::Always
        } else {
            Resolution::WhenNeeded
        },
        rebuild: if args.rebuild { Rebuild::Bump } else { Rebuild::No },
    };
    let spinner = workspace
        .terminal
        .spinner(&format!("resolving {} components", components.len()));
    let outcomes = updater.plan(&components);
    spinner.finish_and_clear();
    let (mut updates, mut failures): (Vec<Update>, Vec<Failure>) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome.verdict {
            Verdict::Success(update) | Verdict::UnexpectedSuccess { value: update, .. } => {
                updates.push(update)
            }
            Verdict::ExpectedFailure { error, reason } => {
                workspace
                    .terminal
                    .note(format!("{} fails, as expected ({reason}): {error}", outcome.name));
            }
            Verdict::Failure(error) => failures.push(failure(&outcome.name, &error, error.help())),
        }
    }
    if !args.dry_run {
        for update in updates.iter().filter(|update| update.is_change()) {
            update.apply().or_fail(Kind::Environment)?;
        }
        if args.names.is_empty() {
            remove_orphans(workspace, &project)?;
        }
    }
    report(workspace, &updates)?;
    let count = failures.len();
    match (failures.pop(), count) {
        (None, _) => Ok(()),
        (Some(only), 1) => Err(only),
        (Some(last), _) => {
            failures
                .iter()
                .chain([&last])
                .for_each(|failure| workspace.terminal.failure(failure));
            Err(Failure::message(
                Kind::Failed,
                format!("{count} components could not be updated; the others are"),
            ))
        }
    }
}

fn report(workspace: &Workspace, updates: &[Update]) -> Result<()> {
    let rows: Vec<Row> = updates
        .iter()
        .map(|update| Row {
            component: update.name.to_string(),
            commit: update.lock.upstream_commit.as_ref().map(ToString::to_string),
            change: update.recorded.as_ref().map(|change| change.text.as_str()),
            fields: &update.fields,
            written: update.is_change(),
        })
        .collect();
    workspace.terminal.facts(&rows, || {
        let mut text = String::new();
        for row in rows.iter().filter(|row| row.written) {
            let change = row
                .change
                .and_then(|change| change.lines().next())
                .unwrap_or("as it is committed");
            let _ = writeln!(text, "{}: {change}", row.component);
        }
        text
    })?;
    let written = rows.iter().filter(|row| row.written).count();
    workspace
        .terminal
        .note(format!("{} components, {written} changed", rows.len()));
    Ok(())
}

/// Removes the locks of components that are no more.
fn remove_orphans(workspace: &Workspace, project: &SpecProject<'_>) -> Result<()> {
    let known: BTreeSet<_> = select(workspace, &[])?.into_iter().collect();
    for path in orphaned_locks(&project.state, &known).or_fail(Kind::Project)? {
        std::fs::remove_file(&path).or_fail(Kind::Environment)?;
        workspace
            .terminal
            .note(format!("removed {}: there is no such component", path.display()));
    }
    Ok(())
}
