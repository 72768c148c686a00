//! Says of a folder of `.deb` files what the importer makes of their maintainer scripts:
//!
//! ```text
//! cargo run -p lazuli-import --example survey -- FOLDER [PACKAGE]
//! ```
//!
//! With a package, every statement of its scripts is printed with its verdict, and what came of its relations.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lazuli_deb::{Deb, Limits, Sha256Digest};
use lazuli_import::{ImportSettings, Imported, Origin, Severity, Verdict, import};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        eprintln!("usage: survey FOLDER [PACKAGE]");
        return ExitCode::from(2);
    };
    let only = arguments.next();
    let mut files: Vec<PathBuf> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries.filter_map(|e| Some(e.ok()?.path())).collect(),
        Err(error) => {
            eprintln!("failed to read {folder}: {error}");
            return ExitCode::FAILURE;
        }
    };
    files.retain(|path| path.extension().is_some_and(|e| e == "deb"));
    files.sort();
    let (mut packages, mut unclear, mut failed) = (0, Vec::new(), Vec::new());
    for file in files {
        let name = file
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        if only
            .as_ref()
            .is_some_and(|only| !name.starts_with(&format!("{only}_")))
        {
            continue;
        }
        packages += 1;
        match survey(&file) {
            Err(error) => failed.push(format!("{name}: {error}")),
            Ok(imported) => {
                if show(&imported, only.is_some()) {
                    unclear.push(imported.metadata.nevra.name.clone());
                }
            }
        }
    }
    println!(
        "{packages} packages, {} need a review: {}",
        unclear.len(),
        unclear.join(" ")
    );
    failed.iter().for_each(|line| println!("FAILED {line}"));
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn survey(file: &Path) -> Result<Imported, Box<dyn std::error::Error>> {
    let bytes = std::fs::read(file)?;
    let deb = Deb::parse(&bytes, Limits::default())?;
    let binary = deb.binary();
    let origin = Origin {
        archive: "local".to_owned(),
        suite: "local".to_owned(),
        package: binary.name.clone(),
        version: binary.version.clone(),
        sha256: Sha256Digest::of(&bytes),
        source: binary.source_name.clone(),
        source_version: binary.source_version.clone(),
    };
    Ok(import(&bytes, &origin, &ImportSettings::default())?)
}

/// Prints a package; true if one of its scripts asks for a review.
fn show(imported: &Imported, all: bool) -> bool {
    let name = &imported.metadata.nevra.name;
    let mut needs_review = false;
    for script in &imported.report.scripts {
        let count =
            |wanted: fn(&Verdict) -> bool| script.statements.iter().filter(|s| wanted(&s.verdict)).count();
        let unknown = count(|v| *v == Verdict::Unknown);
        needs_review |= unknown > 0;
        println!(
            "{name} {}: {} understood, {} irrelevant, {unknown} unknown",
            script.kind.file_name(),
            count(|v| matches!(v, Verdict::Understood(_))),
            count(|v| matches!(v, Verdict::Irrelevant(_))),
        );
        for statement in &script.statements {
            match &statement.verdict {
                Verdict::Unknown => println!("    line {}: {}", statement.line, statement.text),
                verdict if all => println!("    line {}: {}  => {verdict:?}", statement.line, statement.text),
                _ => {}
            }
        }
    }
    let findings = imported.report.findings.iter();
    for finding in findings.filter(|f| all || f.severity() == Severity::Error) {
        let is_script = matches!(finding, lazuli_import::Finding::UnknownScript { .. });
        if !is_script || all {
            println!("{name}: {finding}");
        }
    }
    if all {
        print_all(imported);
    }
    needs_review
}

fn print_all(imported: &Imported) {
    let metadata = &imported.metadata;
    println!("{} ({})", metadata.nevra, metadata.license);
    let lists = [
        ("requires", &metadata.requires),
        ("provides", &metadata.provides),
        ("conflicts", &metadata.conflicts),
        ("obsoletes", &metadata.obsoletes),
        ("recommends", &metadata.recommends),
    ];
    for (what, list) in lists {
        list.iter().for_each(|dependency| println!("{what} {dependency}"));
    }
    imported
        .report
        .notes
        .iter()
        .for_each(|note| println!("note: {note}"));
    for file in &metadata.files {
        let path = String::from_utf8_lossy(&file.path);
        println!(
            "{:06o} {}:{} {path} {:?}",
            file.mode, file.user, file.group, file.flags
        );
    }
}
