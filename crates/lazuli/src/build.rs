//! `lazuli build`: components are built from source.
//!
//! 1. what is meant, and all that it needs: [`plan`];
//! 2. buildroots are made of the imported packages, which are imported where they are not there: [`imported`];
//! 3. a schedule is driven: each component is looked up when all that it needs is done, and built if it must be;
//! 4. the built repository gets exactly the current results: [`publish`];
//! 5. a summary, by [`summary`].

use crate::cli::BuildArgs;
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::interrupt;
use crate::repo::at;
use crate::workspace::Workspace;
use lazuli_build::drive::drive;
use lazuli_build::run::Keep;
use lazuli_build::schedule::{AfterFailure, Schedule, State};
use lazuli_build::workshop::{
    Ending, Freshness, Imported, Local, Logs, Places, Workshop, WorkshopError, WorkshopSettings, read_log,
    verify_components,
};
use lazuli_build::{Buildroots, Cancel, ContentIndex};
use lazuli_rpm::Signer;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Instant;

mod changed;
mod imported;
mod live;
mod machine;
mod plan;
mod publish;
mod recipes;
mod shell;
mod summary;

use live::Live;
use plan::Plan;
use recipes::ProjectRecipes;

/// Who builds, in the provenance.
const BUILDER: &str = "urn:lazuli:build";
/// The folder of buildroots, below the cache.
const BUILDROOTS: &str = "buildroots";

/// Whether the program must be root of a namespace: where only a log is printed, it need not.
pub fn needs_namespace(arguments: &BuildArgs) -> bool {
    arguments.log.is_none()
}

/// Runs `lazuli build`.
pub fn run(workspace: &Workspace, arguments: &BuildArgs) -> Result<()> {
    if let Some(name) = &arguments.log {
        return print_log(workspace, name);
    }
    let started = Instant::now();
    let imported = imported::open(workspace)?;
    let plan = Plan::new(workspace, arguments, &imported)?;
    if plan.wanted.is_empty() {
        workspace.terminal.note("there is nothing to build");
    }
    let done = run_plan(workspace, arguments, &imported, &plan, started);
    interrupt::finish();
    done
}

/// Where the builds of this version and architecture are.
pub fn places(workspace: &Workspace) -> Places {
    let version = workspace.distro.version.as_str();
    let architecture = workspace.architecture.to_string();
    Places {
        folder: workspace.out.join("build").join(version).join(&architecture),
        logs: workspace
            .out
            .join("logs")
            .join("build")
            .join(version)
            .join(&architecture),
        resolutions: workspace.cache.join("resolutions"),
    }
}

/// The time of signatures and of the built repository: that of the lock.
fn time(workspace: &Workspace) -> Result<u64> {
    Ok(match workspace.read_lock()? {
        Some(lock) => workspace.time(&lock),
        None => workspace.epoch().unwrap_or(crate::workspace::KEY_CREATED),
    })
}

/// A run of a plan, from the cache that is opened to the summary.
fn run_plan(
    workspace: &Workspace,
    arguments: &BuildArgs,
    imported: &Imported<'_>,
    plan: &Plan,
    started: Instant,
) -> Result<()> {
    let key = workspace.signing_key()?;
    let signer = key.signer(at(time(workspace)?));
    let places = places(workspace);
    let cache = crate::cache::open(workspace, &arguments.shared)?;
    let buildroots =
        Buildroots::open(workspace.cache.join(BUILDROOTS)).map_err(|error| failure(error.into()))?;
    let index =
        ContentIndex::open(&workspace.cache.join("content.index")).map_err(|error| failure(error.into()))?;
    let index = Mutex::new(index);
    let cancel = Cancel::default();
    let stop = cancel.clone();
    interrupt::gracefully(move || stop.cancel());
    let live = Live::new(&workspace.terminal, plan, arguments);
    let recipes = ProjectRecipes::open(workspace, plan, arguments)?;
    let work = places.work();
    let executor = Local {
        work: &work,
        signer: Some(&signer),
        builder: BUILDER,
    };
    let settings = WorkshopSettings {
        places: &places,
        cache: &cache,
        buildroots: &buildroots,
        index: &index,
        imported,
        recipes: &recipes,
        executor: &executor,
        watcher: &live,
        cancel: &cancel,
        keep: if arguments.keep_failed || arguments.shell {
            Keep::Failed
        } else {
            Keep::Never
        },
        rebuild: &if arguments.force {
            plan.wanted.clone()
        } else {
            BTreeSet::new()
        },
        freshness: if arguments.dry_run {
            Freshness::Ask
        } else {
            Freshness::Take
        },
    };
    let mut schedule = schedule(arguments, plan)?;
    let workshop = Workshop::open(settings, &schedule).map_err(failure)?;
    if arguments.dry_run {
        look_only(&mut schedule, &workshop);
    } else {
        drive(&mut schedule, &workshop, &cancel);
    }
    live.end();
    save(&index)?;
    let endings = workshop.endings();
    let report = summary::Report::new(&schedule, &endings, plan, started.elapsed(), &cancel);
    if arguments.dry_run {
        return report.print_dry_run(workspace, arguments);
    }
    let verified = match arguments.verify && !cancel.is_cancelled() {
        true => verify(arguments, plan, &workshop, &signer)?,
        false => std::collections::BTreeMap::new(),
    };
    live.end();
    publish::publish(workspace, &places)?;
    cache.finish();
    let result = report.print(workspace, arguments, &verified);
    if arguments.shell && !cancel.is_cancelled() {
        shell::enter(workspace, plan, &workshop, &endings)?;
    }
    result
}

fn schedule(arguments: &BuildArgs, plan: &Plan) -> Result<Schedule> {
    let after_failure = match arguments.keep_going {
        true => AfterFailure::KeepGoing,
        false => AfterFailure::Finish,
    };
    Schedule::new(plan.tasks.clone(), machine::limits(arguments.jobs), after_failure).map_err(|error| {
        let hint = error.hint();
        let failure = Failure::new(Kind::Project, error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })
}

/// Looks up what can be looked up without building.
fn look_only(schedule: &mut Schedule, workshop: &Workshop<'_>) {
    use lazuli_build::drive::Worker as _;
    while let Some(task) = schedule.next_lookup() {
        let found = workshop.look_up(task);
        schedule.looked_up(task, found);
    }
}

/// Builds again what was asked for and is there.
fn verify(
    arguments: &BuildArgs,
    plan: &Plan,
    workshop: &Workshop<'_>,
    signer: &dyn Signer,
) -> Result<std::collections::BTreeMap<String, lazuli_build::workshop::Verified>> {
    let endings = workshop.endings();
    let there = |name: &String| endings.get(name).and_then(Ending::result).is_some();
    let tasks = plan
        .tasks
        .iter()
        .filter(|task| plan.wanted.contains(&task.name) && there(&task.name));
    let limits = machine::limits(arguments.jobs);
    let memory = machine::scratch(limits.jobs.get());
    verify_components(
        workshop,
        tasks.cloned().collect(),
        limits,
        Some(signer),
        BUILDER,
        memory,
    )
    .or_fail(Kind::Failed)
}

fn save(index: &Mutex<ContentIndex>) -> Result<()> {
    let mut index = index.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    index.save().or_fail(Kind::Environment)
}

/// The log of the last build of a component.
fn print_log(workspace: &Workspace, name: &str) -> Result<()> {
    let logs = Logs::new(places(workspace).logs);
    let Some(last) = logs.all(name).map_err(failure)?.pop() else {
        return Err(Failure::message(
            Kind::Failed,
            format!("there is no log of a build of `{name}`"),
        ));
    };
    let text = read_log(&last).map_err(failure)?;
    let facts = serde_json::json!({ "component": name, "log": last, "text": text });
    workspace.terminal.facts(&facts, || text.clone())?;
    Ok(())
}

/// An error of the workshop with its hint.
pub fn failure(error: WorkshopError) -> Failure {
    let kind = match &error {
        WorkshopError::Busy { .. } | WorkshopError::Io { .. } => Kind::Environment,
        WorkshopError::Imported { .. } => Kind::Project,
        _ => Kind::Failed,
    };
    let help = error.help();
    let failure = Failure::new(kind, error);
    match help {
        Some(help) => failure.hint(help),
        None => failure,
    }
}

/// How a build stands at the end of a run, in a word.
pub fn state_word(state: State) -> &'static str {
    match state {
        State::Waiting => "waits",
        State::Due | State::Looking | State::Ready => "not started",
        State::Running => "running",
        State::Done(lazuli_build::schedule::Done::Hit) => "cached",
        State::Done(lazuli_build::schedule::Done::Built) => "built",
        State::Failed => "failed",
        State::Blocked { .. } => "blocked",
    }
}
