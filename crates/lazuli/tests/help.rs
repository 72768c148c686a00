//! Help, completions and man pages of both programs: whole, and as they are checked in. `UPDATE_EXPECT=1` (or `make docs`)
//! writes the pages anew.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use clap::{Arg, Command as Declaration};
use clap_complete::Shell;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

fn programs() -> [(&'static str, Declaration); 2] {
    [("lazuli", lazuli::command()), ("lz", lz::command())]
}

/// All commands below and with this one, by what is typed.
fn commands(name: &str, declaration: &Declaration) -> Vec<(String, Declaration)> {
    let mut found = vec![(name.to_owned(), declaration.clone())];
    for one in declaration.get_subcommands() {
        found.extend(commands(&format!("{name} {}", one.get_name()), one));
    }
    found
}

#[test]
fn every_command_and_option_has_help() {
    let mut silent = Vec::new();
    for (name, declaration) in programs() {
        for (command, declaration) in commands(name, &declaration) {
            if declaration
                .get_about()
                .is_none_or(|about| about.to_string().is_empty())
            {
                silent.push(command.clone());
            }
            for argument in declaration.get_arguments() {
                let id = argument.get_id();
                if argument.get_help().is_none_or(|help| help.to_string().is_empty()) {
                    silent.push(format!("{command}: {id}"));
                }
                silent.extend(silent_values(argument).map(|value| format!("{command}: {id}: {value}")));
            }
        }
    }
    assert!(silent.is_empty(), "without help: {silent:#?}");
}

/// Values to choose from that say nothing of themselves; names of shells need not, and flags have none.
fn silent_values(argument: &Arg) -> impl Iterator<Item = String> {
    let is_chosen = argument.get_action().takes_values() && argument.get_id() != "shell";
    let values = argument.get_possible_values().into_iter();
    let values = values.filter(move |value| is_chosen && value.get_help().is_none());
    values.map(|value| value.get_name().to_owned())
}

#[test]
fn completions_know_every_command() {
    let dir = tempfile::tempdir().unwrap();
    for (name, declaration) in programs() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut declaration.clone(), name, &mut script);
            let text = String::from_utf8(script).unwrap();
            for (command, declaration) in commands(name, &declaration) {
                let last = declaration.get_name();
                assert!(text.contains(last), "{shell} does not know `{command}`");
            }
            let path = dir.path().join(format!("{name}.{shell}"));
            std::fs::write(&path, text).unwrap();
            // Each shell judges its own script.
            if let Some(said) = run(Command::new(shell.to_string()).arg("-n").arg(&path)) {
                assert_eq!(said, "", "{shell} -n {}", path.display());
            }
        }
    }
}

/// What a tool said on both outputs; `None` where it is absent.
fn run(command: &mut Command) -> Option<String> {
    match command.output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(output.status.success(), "{command:?}: {said}");
            Some(said)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("SKIPPED: {:?} is not installed", command.get_program());
            None
        }
        Err(error) => panic!("{command:?}: {error}"),
    }
}

/// Names and texts of the files in a folder.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, std::fs::read_to_string(entry.path()).unwrap())
    };
    entries.map(read).collect()
}

#[test]
fn man_pages_are_those_of_the_commands() {
    let checked_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/man");
    let dir = tempfile::tempdir().unwrap();
    for (_, declaration) in programs() {
        clap_mangen::generate_to(declaration, dir.path()).unwrap();
    }
    let made = files(dir.path());
    for (name, declaration) in programs() {
        for (command, one) in commands(name, &declaration) {
            let page = format!("{}.1", command.replace(' ', "-"));
            assert!(
                one.is_hide_set() || made.contains_key(&page),
                "no page for `{command}`"
            );
        }
    }
    // All warnings of the one that shows them.
    for page in made.keys() {
        let path = dir.path().join(page);
        if let Some(said) = run(Command::new("groff")
            .args(["-Kutf8", "-man", "-Tutf8", "-ww", "-z"])
            .arg(&path))
        {
            assert_eq!(said, "", "{page}");
        }
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let _missing = std::fs::remove_dir_all(&checked_in);
        std::fs::create_dir_all(&checked_in).unwrap();
        for (name, text) in &made {
            std::fs::write(checked_in.join(name), text).unwrap();
        }
    }
    let present = files(&checked_in);
    let mut differ: Vec<&String> = made
        .keys()
        .filter(|name| present.get(*name) != made.get(*name))
        .collect();
    differ.extend(present.keys().filter(|name| !made.contains_key(*name)));
    assert!(differ.is_empty(), "`make docs` writes these anew: {differ:?}");
}

#[test]
fn the_program_writes_its_pages_and_completions() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("man/man1");
    let lazuli = || Command::new(env!("CARGO_BIN_EXE_lazuli"));
    run(lazuli().arg("man").arg(&folder)).unwrap();
    assert!(files(&folder)["lazuli-image-build.1"].contains("lazuli image build"));
    let script = run(lazuli().args(["completions", "bash"])).unwrap();
    assert!(script.contains("_lazuli()"));
}
