//! The factory of the Lazuli distribution, as a program: parses the command line, calls an engine, prints.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | the request cannot be fulfilled, or a check found something |
//! | 2 | wrong command line |
//! | 3 | the project's files are wrong |
//! | 4 | the machine lacks something: a tool, a right, room, the network |
//! | 5 | bytes are not what a signature or digest says: nothing was used |
//! | 128 + N | ended by signal N, as a shell shows it: 130 for Ctrl-C, 143 for `kill` |
//!
//! A command that a signal ends, even SIGKILL, leaves nothing half-made under a final name, and no mount; what else it
//! leaves, the next run of the command removes.

// A program has no public interface but `main` and its declaration: else, `pub` means "for the other modules".
#![allow(unreachable_pub, missing_docs)]

mod build;
mod cache;
mod cli;
mod component;
mod failure;
mod graph;
mod image;
mod import;
mod interrupt;
mod provider;
mod repo;
mod scaffold;
mod specs;
mod terminal;
mod upstream;
mod workspace;

use clap::{CommandFactory, Parser};
use cli::{Cli, Command};
use failure::{Failure, Kind, Result};
use lazuli_sandbox::Standing;
use std::path::Path;
use std::process::ExitCode;
use terminal::Terminal;
use workspace::Workspace;

/// The declaration of the command line, for completions and man pages.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = Terminal::new(cli.global.json, cli.global.quiet);
    match run(&cli, &terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.failure(&failure);
            failure.exit_code()
        }
    }
}

fn run(cli: &Cli, terminal: &Terminal) -> Result<()> {
    let needs_namespace = match &cli.command {
        Command::Image(command) => image::needs_namespace(command),
        Command::Build(arguments) => build::needs_namespace(arguments),
        _ => false,
    };
    if needs_namespace {
        // Before any thread is started: a namespace is entered by a process of one thread.
        enter()?;
    }
    interrupt::watch(terminal)?;
    let open = || Workspace::open(&cli.global, terminal.clone());
    match &cli.command {
        Command::Project(command) => scaffold::run(terminal, command),
        Command::Component(command) => component::run(&open()?, command),
        Command::Graph(command) => graph::run(&open()?, command),
        Command::Import(args) => import::run(&open()?, args),
        Command::Repo(command) => repo::run(&open()?, command),
        Command::Build(arguments) => build::run(&open()?, arguments),
        Command::Image(command) => image::run(&open()?, command),
        Command::Cache(command) => cache::run(&cli.global, terminal, command),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut command(), "lazuli", &mut std::io::stdout());
            Ok(())
        }
        Command::Man { dir } => man(dir),
    }
}

/// Makes the process root of a user namespace, so that files get their owners. Outside, it stays who it was.
///
/// What it mounts is its own and ends with it, however that comes.
fn enter() -> Result<()> {
    lazuli_sandbox::enter(lazuli_sandbox::Settings::default())
        .and_then(|standing| match standing {
            Standing::Root => lazuli_sandbox::private_mounts(),
            Standing::Inside { .. } | Standing::OrdinaryUser => Ok(()),
        })
        .map_err(|error| {
            let hint = error.hint();
            let failure = Failure::new(Kind::Environment, error);
            match hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })
}

/// One page for the program and one for each command.
fn man(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    clap_mangen::generate_to(command(), dir)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }
}
