//! The program: one command, and its exit code.

use crate::change::{self, Wish};
use crate::cli::{Clean, Cleaned, Cli, Command, Global};
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
    let global = &cli.global;
    match &cli.command {
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut command(), "lz", &mut std::io::stdout());
            return Ok(());
        }
        Command::Man => {
            let page = clap_mangen::Man::new(command());
            return page
                .render(&mut std::io::stdout())
                .map_err(|e| Failure::new(Kind::Environment, format!("failed to write the man page: {e}")));
        }
        Command::History => {
            return Err(Failure::new(
                Kind::Failed,
                "past transactions are not recorded yet",
            ));
        }
        _ => {}
    }
    let caller = Caller::now();
    become_root(&cli.command, global, caller)?;
    let mut settings = setup::settings(global, caller)?;
    if matches!(cli.command, Command::Install(_)) {
        settings.missing_root = MissingRoot::Create;
    }
    let settings = settings;
    let run = if global.dry_run { Run::Test } else { Run::Change };
    let weak = if global.no_weak_deps {
        Weak::Ignore
    } else {
        Weak::Install
    };
    let change = |wish: &Wish, sources: Sources<'_>| {
        let session = Session::open(settings.clone(), sources)?;
        change::run(&session, wish, weak, run, terminal)
    };
    let ask = |sources: Sources<'_>| {
        let session = Session::open(settings.clone(), sources)?;
        session
            .notes()
            .iter()
            .for_each(|note| terminal.note(format!("note: {note}")));
        Ok::<_, Failure>(session)
    };
    let all = Sources::Repositories { files: &[] };
    match &cli.command {
        Command::Install(arguments) => {
            let (files, specs) = change::split_files(&arguments.specs);
            let wish = Wish::Install(specs);
            change::refuse_empty(&wish, &files)?;
            change(&wish, Sources::Repositories { files: &files })
        }
        Command::Remove(arguments) => {
            let wish = Wish::Remove {
                specs: arguments.specs.clone(),
                unneeded: arguments.unneeded,
            };
            change(&wish, Sources::InstalledOnly)
        }
        Command::Upgrade(arguments) => change(&Wish::Upgrade(arguments.specs.clone()), all),
        Command::Reinstall(arguments) => change(&Wish::Reinstall(arguments.specs.clone()), all),
        Command::List(arguments) if arguments.which == crate::cli::Which::Installed => {
            query::list(&ask(Sources::InstalledOnly)?, arguments, terminal)
        }
        Command::List(arguments) => query::list(&ask(all)?, arguments, terminal),
        Command::Info(arguments) => query::info(
            &ask(if arguments.installed {
                Sources::InstalledOnly
            } else {
                all
            })?,
            arguments,
            terminal,
        ),
        Command::Search(arguments) => query::search(&ask(all)?, arguments, terminal),
        Command::Provides(arguments) => query::provides(&ask(all)?, arguments, terminal),
        Command::Repoquery(arguments) => {
            let sources = if arguments.installed {
                Sources::InstalledOnly
            } else {
                all
            };
            query::repoquery(&ask(sources)?, arguments, terminal)
        }
        Command::Verify(arguments) => {
            check::verify(&ask(Sources::InstalledOnly)?, &arguments.specs, terminal)
        }
        Command::Check => check::check(&ask(Sources::InstalledOnly)?, terminal),
        Command::Makecache => makecache(settings, terminal),
        Command::Clean(arguments) => clean(&settings, arguments, terminal),
        Command::Completions { .. } | Command::Man | Command::History => Ok(()),
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
