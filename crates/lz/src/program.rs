//! The program: one command, and its exit code.

use crate::change::{self, Wish};
use crate::cli::{Clean, Cleaned, Cli, Command, Global, Which};
use crate::failure::{Failure, Kind, Result};
use crate::repository::{Refresh, Repository};
use crate::session::{MissingRoot, Run, Session, Settings, Sources};
use crate::setup::{self, Caller};
use crate::terminal::Terminal;
use crate::{check, query};
use clap::{CommandFactory, Parser};
use lazuli_solve::Weak;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The declaration of the command line, for completions and man pages.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs what the command line of this process says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = Terminal::new(&cli.global);
    match run(&cli, &terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.failure(&failure);
            failure.exit_code()
        }
    }
}

fn run(cli: &Cli, terminal: &Terminal) -> Result<()> {
    match &cli.command {
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut command(), "lz", &mut std::io::stdout());
            Ok(())
        }
        Command::Man { dir } => man(dir).map_err(|error| {
            let text = format!("failed to write man pages to {}: {error}", dir.display());
            Failure::new(Kind::Environment, text)
        }),
        Command::History => Err(Failure::new(
            Kind::Failed,
            "past transactions are not recorded yet",
        )),
        command => {
            let caller = Caller::now();
            become_root(command, &cli.global, caller)?;
            let settings = setup::settings(&cli.global, caller)?;
            match command {
                Command::Install(_) | Command::Remove(_) | Command::Upgrade(_) | Command::Reinstall(_) => {
                    change(command, &cli.global, settings, terminal)
                }
                Command::Makecache => makecache(settings, terminal),
                Command::Clean(arguments) => clean(&settings, arguments, terminal),
                _ => ask(command, settings, terminal),
            }
        }
    }
}

/// One page for the program and one for each command.
fn man(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    clap_mangen::generate_to(command(), dir)
}

/// Commands that change the root.
fn change(command: &Command, global: &Global, mut settings: Settings, terminal: &Terminal) -> Result<()> {
    let run = if global.dry_run { Run::Test } else { Run::Change };
    let weak = if global.no_weak_deps {
        Weak::Ignore
    } else {
        Weak::Install
    };
    let mut files = Vec::new();
    let (wish, needs_repositories) = match command {
        Command::Install(arguments) => {
            settings.missing_root = MissingRoot::Create;
            let specs;
            (files, specs) = change::split_files(&arguments.specs);
            (Wish::Install(specs), true)
        }
        Command::Remove(arguments) => (
            Wish::Remove {
                specs: arguments.specs.clone(),
                unneeded: arguments.unneeded,
            },
            false,
        ),
        Command::Upgrade(arguments) => (Wish::Upgrade(arguments.specs.clone()), true),
        Command::Reinstall(arguments) => (Wish::Reinstall(arguments.specs.clone()), true),
        _ => return Ok(()),
    };
    let sources = if needs_repositories {
        Sources::Repositories { files: &files }
    } else {
        Sources::InstalledOnly
    };
    change::run(&Session::open(settings, sources)?, &wish, weak, run, terminal)
}

/// Commands that only look.
fn ask(command: &Command, settings: Settings, terminal: &Terminal) -> Result<()> {
    let is_local = match command {
        Command::List(arguments) => arguments.which == Which::Installed,
        Command::Info(arguments) => arguments.installed,
        Command::Repoquery(arguments) => arguments.installed,
        Command::Verify(_) | Command::Check => true,
        _ => false,
    };
    let sources = if is_local {
        Sources::InstalledOnly
    } else {
        Sources::Repositories { files: &[] }
    };
    let session = Session::open(settings, sources)?;
    session
        .notes()
        .iter()
        .for_each(|note| terminal.note(format!("note: {note}")));
    match command {
        Command::List(arguments) => query::list(&session, arguments, terminal),
        Command::Info(arguments) => query::info(&session, arguments, terminal),
        Command::Search(arguments) => query::search(&session, arguments, terminal),
        Command::Provides(arguments) => query::provides(&session, arguments, terminal),
        Command::Repoquery(arguments) => query::repoquery(&session, arguments, terminal),
        Command::Verify(arguments) => check::verify(&session, &arguments.specs, terminal),
        Command::Check => check::check(&session, terminal),
        _ => Ok(()),
    }
}

/// What a command needs of a root.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// To give files to their owners.
    Change,
    /// To see whose they are, and to read those that only they may.
    Look,
    /// To read the database, which everybody may.
    Nothing,
}

fn need(command: &Command, global: &Global) -> Need {
    match command {
        Command::Install(_) | Command::Remove(_) | Command::Upgrade(_) | Command::Reinstall(_)
            if !global.dry_run =>
        {
            Need::Change
        }
        Command::Verify(_) => Need::Look,
        _ => Need::Nothing,
    }
}

/// An ordinary user becomes root of a namespace; before any thread is started. The machine itself is not his to change.
fn become_root(command: &Command, global: &Global, caller: Caller) -> Result<()> {
    let need = need(command, global);
    if caller == Caller::Root || need == Need::Nothing {
        return Ok(());
    }
    let root: PathBuf = global.root.canonicalize().unwrap_or_else(|_| global.root.clone());
    match (need, root == Path::new("/")) {
        (Need::Change, true) => {
            let text = "only root may change the packages of this machine";
            return Err(Failure::new(Kind::Environment, text)
                .hint("sudo lz …, or work on another root with --root DIR"));
        }
        // Files of the machine belong to whom they seem to.
        (_, true) => {}
        (_, false) => {
            lazuli_sandbox::enter(lazuli_sandbox::Settings::default())?;
        }
    }
    Ok(())
}

fn makecache(mut settings: Settings, terminal: &Terminal) -> Result<()> {
    if settings.refresh == Refresh::IfStale {
        settings.refresh = Refresh::Always;
    }
    let session = Session::open(settings, Sources::Repositories { files: &[] })?;
    session
        .notes()
        .iter()
        .for_each(|note| terminal.note(format!("note: {note}")));
    let pool = session.pool();
    let counts: Vec<(String, usize)> = session
        .repositories()
        .map(|repository| {
            let id = &repository.config.id;
            let is_its = |package: &lazuli_solve::PackageId| match pool.origin(*package) {
                lazuli_solve::Origin::Repository(origin) => pool.repository_name(origin) == id,
                lazuli_solve::Origin::Installed => false,
            };
            (id.clone(), pool.packages().filter(is_its).count())
        })
        .collect();
    let facts: std::collections::BTreeMap<_, _> = counts.iter().cloned().collect();
    terminal.facts(&facts, || {
        counts
            .iter()
            .map(|(id, count)| format!("{id}: {count} packages\n"))
            .collect()
    })
}

fn clean(settings: &Settings, arguments: &Clean, terminal: &Terminal) -> Result<()> {
    for config in &settings.repositories {
        let repository = Repository::open(config.clone(), &settings.cache)?;
        if arguments.what != Cleaned::Packages {
            repository.clean_metadata()?;
        }
        if arguments.what != Cleaned::Metadata {
            repository.clean_packages()?;
        }
    }
    let names: Vec<&str> = settings.repositories.iter().map(|one| one.id.as_str()).collect();
    terminal.facts(&names, || format!("Cleaned {} repositories.\n", names.len()))
}
