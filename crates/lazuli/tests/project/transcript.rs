//! Documents whose commands are run and whose output is compared.
//!
//! In a fenced block of `console`, a line after `$ ` is a command (lines after `> ` go on with it), and the lines that
//! follow are what it prints, on standard output and error. In these lines `…` stands for anything, such as a commit's
//! id; a line of `…` alone stands for any lines. A command that prints `error:` must fail, every other must succeed. A
//! block whose language is followed by `file=PATH` is the content of that file.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A step of a document.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Run {
        line: usize,
        command: String,
        expected: Vec<String>,
    },
    Write {
        path: String,
        content: String,
    },
}

fn parse(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = text.lines().zip(1..);
    while let Some((line, _)) = lines.next() {
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else {
            continue;
        };
        let block: Vec<(&str, usize)> = lines.by_ref().take_while(|(line, _)| *line != "```").collect();
        if let Some((_, path)) = info.split_once(" file=") {
            let content: String = block.iter().flat_map(|(line, _)| [line, "\n"]).collect();
            steps.push(Step::Write {
                path: path.to_owned(),
                content,
            });
        } else if info == "console" {
            commands(&block, &mut steps);
        }
    }
    steps
}

fn commands(block: &[(&str, usize)], steps: &mut Vec<Step>) {
    for (text, line) in block {
        match (text.strip_prefix("$ "), text.strip_prefix("> "), steps.last_mut()) {
            (Some(text), _, _) => {
                steps.push(Step::Run {
                    line: *line,
                    command: text.to_owned(),
                    expected: Vec::new(),
                });
            }
            (
                None,
                Some(more),
                Some(Step::Run {
                    command, expected, ..
                }),
            ) if expected.is_empty() => {
                command.push('\n');
                command.push_str(more);
            }
            (None, _, Some(Step::Run { expected, .. })) => expected.push((*text).to_owned()),
            _ => panic!("line {line}: output before any command: {text}"),
        }
    }
}

/// Whether a line is what was expected, with `…` for anything.
fn line_matches(expected: &str, found: &str) -> bool {
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = found.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn matches(expected: &[String], found: &[&str]) -> bool {
    match (expected, found) {
        ([], []) => true,
        ([dots, rest @ ..], _) if dots.trim() == "…" => {
            (0..=found.len()).any(|at| matches(rest, &found[at..]))
        }
        ([one, rest @ ..], [line, more @ ..]) => line_matches(one, line.trim_end()) && matches(rest, more),
        _ => false,
    }
}

/// Runs a document in an empty folder. Panics at the first command that does something else than it says.
pub(crate) fn run(document: &Path, folder: &Path) {
    let text = std::fs::read_to_string(document).unwrap();
    let steps = parse(&text);
    assert!(steps.len() > 3, "{} has commands", document.display());
    let mut current = folder.to_owned();
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Write { path, content } => {
                let path = current.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, content).unwrap();
            }
            Step::Run {
                line,
                command,
                expected,
            } => {
                let (success, output) = shell(command, folder, &mut current, number);
                let found: Vec<&str> = output.lines().collect();
                let at = format!("{}:{line}: {command}", document.display());
                assert!(
                    matches(expected, &found),
                    "{at}\nexpected:\n{}\nfound:\n{output}",
                    expected.join("\n")
                );
                let fails = expected.iter().any(|line| line.starts_with("error:"));
                assert_eq!(success, !fails, "{at}\n{output}");
            }
        }
    }
}

/// Runs a command in bash and follows it where it changes the folder; an hour passes from each command to the next.
fn shell(command: &str, home: &Path, current: &mut PathBuf, number: usize) -> (bool, String) {
    let programs = Path::new(env!("CARGO_BIN_EXE_lazuli")).parent().unwrap();
    let place = home.join(".place");
    let date = format!("{} +0000", 1_780_000_000 + 3600 * number);
    let script = format!(
        "exec 2>&1\n{command}\nstatus=$?\npwd >'{}'\nexit $status",
        place.display()
    );
    let output = Command::new("bash")
        .args(["--norc", "-c", &script])
        .current_dir(&*current)
        .env_clear()
        .env("HOME", home)
        .env(
            "PATH",
            format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display()),
        )
        .env("LANG", "C.UTF-8")
        .env("LAZULI_CACHE", home.join(".cache/lazuli"))
        .env("SOURCE_DATE_EPOCH", date.split(' ').next().unwrap())
        .envs([("GIT_AUTHOR_DATE", &date), ("GIT_COMMITTER_DATE", &date)])
        .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_COMMITTER_NAME", "Ada")])
        .envs([
            ("GIT_AUTHOR_EMAIL", "ada@example.org"),
            ("GIT_COMMITTER_EMAIL", "ada@example.org"),
        ])
        .envs([("GIT_CONFIG_NOSYSTEM", "1")])
        .output()
        .unwrap();
    if let Ok(place) = std::fs::read_to_string(&place) {
        *current = PathBuf::from(place.trim_end());
    }
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

#[test]
fn lines_are_compared_with_gaps() {
    for (expected, found, same) in [
        ("plain", "plain", true),
        ("plain", "plainer", false),
        ("commit …", "commit abc", true),
        ("a … c … e", "a b c d e", true),
        ("a … c … e", "a b d e", false),
        ("… end", "the end", true),
        ("… end", "ended", false),
    ] {
        assert_eq!(line_matches(expected, found), same, "{expected} {found}");
    }
    let expected = ["first".to_owned(), "…".to_owned(), "last".to_owned()];
    assert!(matches(&expected, &["first", "a", "b", "last"]));
    assert!(!matches(&expected, &["first", "a", "b"]));
}

#[test]
fn documents_have_commands_output_and_files() {
    let text = "words\n```console\n$ echo a \\\n> b\na b\n```\n```toml file=x.toml\nkey = 1\n```\n";
    assert_eq!(
        parse(text),
        [
            Step::Run {
                line: 3,
                command: "echo a \\\nb".to_owned(),
                expected: vec!["a b".to_owned()]
            },
            Step::Write {
                path: "x.toml".to_owned(),
                content: "key = 1\n".to_owned()
            },
        ]
    );
}
