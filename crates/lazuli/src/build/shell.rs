//! `lazuli build --shell`: a person in a sandbox.

use super::plan::Plan;
use crate::failure::{Failure, Kind, Result};
use crate::interrupt;
use crate::workspace::Workspace;
use lazuli_build::run::{BuildSettings, Keep, prepare};
use lazuli_build::workshop::{Ending, Workshop};
use lazuli_build::{Cancel, Kept, Quiet};
use std::collections::BTreeMap;

/// What runs in it.
const SHELL: [&str; 2] = ["/bin/bash", "-l"];

/// Opens a shell in the sandbox of the build that failed, or else in a fresh one of the component that was named.
pub fn enter(
    workspace: &Workspace,
    plan: &Plan,
    workshop: &Workshop<'_>,
    endings: &BTreeMap<String, Ending>,
) -> Result<()> {
    let failed = endings.iter().find_map(|(name, ending)| match ending {
        Ending::Failed(failure) => failure.kept.clone().map(|kept| (name, kept)),
        _ => None,
    });
    let (name, kept) = match (failed, plan.wanted.iter().next()) {
        (Some(found), _) => found,
        (None, Some(name)) if plan.wanted.len() == 1 => (name, fresh(workspace, workshop, name)?),
        _ => {
            return Err(
                Failure::message(Kind::Failed, "there is no sandbox to open a shell in")
                    .hint("name one component"),
            );
        }
    };
    workspace.terminal.note(format!(
        "a shell in the sandbox of {name} ({}); it goes when the shell ends",
        kept.folder.display()
    ));
    let shell = SHELL.map(str::to_owned);
    let status = interrupt::lend_terminal(|| kept.enter(&shell));
    kept.remove()?;
    status?;
    Ok(())
}

/// A sandbox in which nothing has run yet.
fn fresh(workspace: &Workspace, workshop: &Workshop<'_>, component: &str) -> Result<Kept> {
    let Some(recipe) = workshop.recipe(component) else {
        return Err(Failure::message(
            Kind::Failed,
            format!("there is no buildroot for {component}: what it needs was not built"),
        ));
    };
    let places = super::places(workspace);
    let settings = BuildSettings {
        work: &places.work(),
        results: &places.folder.join("new").join(component),
        keep: Keep::Always,
        signer: None,
        previous: &[],
        builder: super::BUILDER,
    };
    let prepared = prepare(
        &recipe.job,
        &workshop.roots(&recipe),
        &settings,
        &Quiet,
        &Cancel::default(),
    );
    prepared?.map_err(|failure| Failure::message(Kind::Failed, failure.reason))
}
