//! The reader against rpm's own `rpmspec`: what it answers, what it expands to, and what it refuses.

use std::path::{Path, PathBuf};

use crate::support::generator::Generator;
use crate::support::{answers, corpus, machine_macros, rpmspec};
use lazuli_spec::{MacroBase, ReadOptions, Spec};

/// Specs that the generator makes.
const GENERATED: u64 = 300;

/// Specs in which we differ from rpm 4.18 on purpose, by their file names, and why.
const EXPLAINED: [(&str, &str); 2] = [
    (
        "filetrigger_relative.spec",
        "rpm says that the condition must begin with a slash, and goes on without the trigger",
    ),
    (
        "interpreter_internal.spec",
        "rpm says that the interpreter is none, and goes on without the scriptlet",
    ),
];

fn read(base: &MacroBase, path: &Path, name: &str) -> Result<Spec, lazuli_spec::SpecError> {
    let bytes = std::fs::read(path).unwrap();
    Spec::read(
        &bytes,
        base.context(),
        &ReadOptions::for_file(name).full().strict(),
    )
}

/// The specs of a folder, sorted.
fn specs_in(folder: &Path) -> Vec<PathBuf> {
    let mut specs: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "spec"))
        .collect();
    specs.sort();
    specs
}

/// The first line in which two texts differ, with the lines around it.
fn difference(kind: &str, expected: &str, actual: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let (expected, actual): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let at = expected
        .iter()
        .zip(&actual)
        .position(|(a, b)| a != b)
        .unwrap_or(expected.len().min(actual.len()));
    let show = |lines: &[&str]| {
        lines
            .iter()
            .skip(at.saturating_sub(2))
            .take(5)
            .map(|line| format!("    {line}\n"))
            .collect::<String>()
    };
    Some(format!(
        "  {kind}, line {}:\n   rpm:\n{}   here:\n{}",
        at + 1,
        show(&expected),
        show(&actual)
    ))
}

/// rpm 4.18 loses the line of the section after `%prep` when it prints what it has parsed; we do not.
fn as_rpm_prints(expanded: &str) -> String {
    let is_section = |line: &&str| {
        let word = line
            .split_ascii_whitespace()
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        !line.starts_with(' ')
            && matches!(
                word.as_str(),
                "%package"
                    | "%generate_buildrequires"
                    | "%conf"
                    | "%build"
                    | "%install"
                    | "%check"
                    | "%clean"
                    | "%preun"
                    | "%postun"
                    | "%pretrans"
                    | "%posttrans"
                    | "%pre"
                    | "%post"
                    | "%files"
                    | "%changelog"
                    | "%description"
                    | "%triggerpostun"
                    | "%triggerprein"
                    | "%triggerun"
                    | "%triggerin"
                    | "%trigger"
                    | "%verifyscript"
                    | "%filetriggerin"
                    | "%filetrigger"
                    | "%filetriggerun"
                    | "%filetriggerpostun"
                    | "%transfiletriggerin"
                    | "%transfiletrigger"
                    | "%transfiletriggerun"
                    | "%transfiletriggerpostun"
                    | "%end"
                    | "%sourcelist"
                    | "%patchlist"
                    | "%sepolicy"
            )
    };
    let mut lines: Vec<&str> = expanded.split_inclusive('\n').collect();
    if let Some(prep) = lines
        .iter()
        .position(|line| line.trim_ascii_end().eq_ignore_ascii_case("%prep"))
        && let Some(next) = lines[prep + 1..].iter().position(is_section)
    {
        lines.remove(prep + 1 + next);
    }
    lines.concat()
}

fn compare(base: &MacroBase, path: &Path, name: &str, expected: &rpmspec::Answers) -> Option<String> {
    match (read(base, path, name), &expected.packages) {
        (Err(error), Some(_)) => Some(format!("  only we refuse it:\n{}", error.render())),
        (Ok(_), None) => Some("  only rpm refuses it\n".to_owned()),
        (Err(_), None) => None,
        (Ok(spec), Some(packages)) => {
            let parts = [
                difference(
                    "packages",
                    &answers::normalise(packages),
                    &answers::normalise(&answers::packages(&spec)),
                ),
                difference(
                    "source package",
                    &answers::normalise(expected.source.as_deref().unwrap_or_default()),
                    &answers::normalise(&answers::source(&spec)),
                ),
                difference(
                    "expanded",
                    expected.expanded.as_deref().unwrap_or_default(),
                    &as_rpm_prints(spec.expanded().unwrap()),
                ),
            ];
            let parts: String = parts.into_iter().flatten().collect();
            (!parts.is_empty()).then_some(parts)
        }
    }
}

#[test]
fn specs_are_read_as_rpm_reads_them() {
    if !rpmspec::is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    for entry in std::fs::read_dir(corpus().join("include")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let mut specs = specs_in(&corpus());
    let written = specs.len();
    let refused = specs_in(&corpus().join("refused"));
    specs.extend(refused.iter().cloned());
    for seed in 0..GENERATED {
        let path = folder.path().join(format!("case{seed}.spec"));
        std::fs::write(&path, Generator::spec(seed)).unwrap();
        specs.push(path);
    }
    let base = machine_macros(folder.path(), &home);
    let expected = rpmspec::ask(folder.path(), &home, &specs);
    let mut differences = Vec::new();
    let mut explained = 0;
    let mut read = 0;
    for (path, expected) in specs.iter().zip(&expected) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        read += usize::from(expected.packages.is_some());
        let must_be_read = !path.starts_with(corpus().join("refused"));
        if expected.packages.is_none() && must_be_read {
            differences.push(format!("{name} is refused by rpm, so that it shows nothing\n"));
        }
        let Some(found) = compare(&base, path, &path.to_string_lossy(), expected) else {
            continue;
        };
        if EXPLAINED.iter().any(|(known, _)| *known == name) {
            explained += 1;
        } else {
            differences.push(format!("{name}\n{found}"));
        }
    }
    println!(
        "{} specs, {read} of them read by rpm; {explained} explained differences",
        specs.len()
    );
    if let Some(folder) = std::env::var_os("LAZULI_KEEP_SPECS") {
        for path in &specs {
            std::fs::copy(path, Path::new(&folder).join(path.file_name().unwrap())).unwrap();
        }
    }
    let shown = differences
        .iter()
        .take(12)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        differences.is_empty(),
        "{} of {} specs differ:\n{shown}",
        differences.len(),
        specs.len()
    );
    assert_eq!(
        explained,
        EXPLAINED.len(),
        "an explained difference is none any more"
    );
    assert!(read >= 300, "only {read} specs are read by rpm: a poor mixture");
    assert!(written >= 20 && refused.len() >= 50, "the corpus is too small");
}
