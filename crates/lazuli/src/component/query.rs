//! `lazuli component query`: what the specs of the project say.

use crate::cli::QueryArgs;
use crate::component::named;
use crate::failure::{Failure, Kind, Result};
use crate::specs::ProjectSpecs;
use crate::workspace::Workspace;
use lazuli_component::index::SpecFacts;
use lazuli_graph::Paths;
use lazuli_rpm::Dependency;
use serde::Serialize;
use std::fmt::Write;

/// What is printed of a component.
#[derive(Serialize)]
struct Answer<'a> {
    component: &'a str,
    #[serde(flatten)]
    facts: &'a SpecFacts,
}

/// Prints what specs say.
pub fn query(workspace: &Workspace, args: &QueryArgs) -> Result<()> {
    let names = named(workspace, &args.names)?;
    let specs = ProjectSpecs::read(workspace, &names)?;
    specs.warn(workspace);
    let provides = wanted(args.what_provides.as_deref())?;
    let requires = wanted(args.what_requires.as_deref())?;
    let chosen = specs.specs.iter().filter(|(_, facts)| {
        provides.as_ref().is_none_or(|wanted| {
            facts
                .packages
                .iter()
                .any(|one| any_meets(&one.provides, wanted) || has_file(&one.files, wanted))
        }) && requires.as_ref().is_none_or(|wanted| {
            any_meets(&facts.build_requires, wanted)
                || facts.packages.iter().any(|one| any_meets(&one.requires, wanted))
        })
    });
    let answers: Vec<Answer> = chosen
        .map(|(location, facts)| Answer {
            component: &location.component,
            facts,
        })
        .collect();
    workspace.terminal.facts(&answers, || {
        let mut text = String::new();
        for answer in &answers {
            print(&mut text, answer, args);
        }
        text
    })?;
    match answers.is_empty() {
        true if provides.is_some() || requires.is_some() => {
            Err(Failure::message(Kind::Failed, "no component's spec says so"))
        }
        _ => Ok(()),
    }
}

fn print(text: &mut String, answer: &Answer<'_>, args: &QueryArgs) {
    let facts = answer.facts;
    let lists: [(bool, Vec<&String>); 4] = [
        (args.build_requires, facts.build_requires.iter().collect()),
        (
            args.provides,
            facts.packages.iter().flat_map(|one| &one.provides).collect(),
        ),
        (
            args.requires,
            facts.packages.iter().flat_map(|one| &one.requires).collect(),
        ),
        (args.sources, facts.sources.iter().collect()),
    ];
    if lists.iter().any(|(asked, _)| *asked) {
        for line in lists
            .into_iter()
            .filter(|(asked, _)| *asked)
            .flat_map(|(_, lines)| lines)
        {
            let _ = writeln!(text, "{line}");
        }
        return;
    }
    let packages: Vec<&str> = facts.packages.iter().map(|one| one.name.as_str()).collect();
    let _ = writeln!(
        text,
        "{:<40} {:<24} {}",
        answer.component,
        facts.evr,
        packages.join(" ")
    );
}

fn wanted(text: Option<&str>) -> Result<Option<Dependency>> {
    let parse = |text: &str| {
        Dependency::parse(text).map_err(|error| {
            Failure::new(Kind::Failed, error).hint("write `name`, `name >= version` or a path")
        })
    };
    text.map(parse).transpose()
}

/// A rich dependency meets what one of its parts does.
fn any_meets(texts: &[String], wanted: &Dependency) -> bool {
    texts
        .iter()
        .filter(|text| text.contains(&wanted.name))
        .any(|text| {
            lazuli_rpm::RichDependency::parse(text)
                .is_ok_and(|rich| rich.capabilities().iter().any(|one| one.overlaps(wanted)))
        })
}

fn has_file(files: &Paths, wanted: &Dependency) -> bool {
    wanted.name.starts_with('/') && files.contains(&wanted.name)
}
