//! `lazuli project new`: an empty project that loads.

use crate::cli::ProjectCommand;
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::terminal::Terminal;
use lazuli_catalog::{Catalog, DistroName};
use std::path::Path;

/// Runs a command on projects.
pub fn run(terminal: &Terminal, command: &ProjectCommand) -> Result<()> {
    let ProjectCommand::New {
        dir,
        name,
        dist_git,
        lookaside,
        branch,
    } = command;
    let name = match name {
        Some(name) => name.clone(),
        None => dir
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
    };
    DistroName::new(name.as_str()).map_err(|error| {
        Failure::new(Kind::Project, error).hint("give the distribution another name: --name NAME")
    })?;
    let files = [
        (
            "lazuli.toml",
            root(&name, dist_git.as_deref(), lookaside.as_deref(), branch),
        ),
        ("components/components.toml", COMPONENTS.to_owned()),
        (".gitignore", "/out\n".to_owned()),
    ];
    if let Some((existing, _)) = files.iter().find(|(path, _)| dir.join(path).exists()) {
        let message = format!("{} is there already", dir.join(existing).display());
        return Err(Failure::message(Kind::Project, message).hint("name a folder that has no project yet"));
    }
    for (path, text) in &files {
        let path = dir.join(path);
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).or_fail(Kind::Environment)?;
        lazuli_durable::write(&path, text.as_bytes()).or_fail(Kind::Environment)?;
    }
    // What was written must be a project.
    Catalog::load(dir).or_fail(Kind::Failed)?;
    let written: Vec<String> = files
        .iter()
        .map(|(path, _)| dir.join(path).display().to_string())
        .collect();
    terminal.facts(&written, || {
        written.iter().map(|path| format!("wrote {path}\n")).collect()
    })?;
    terminal.note("next: `lazuli component add NAME`, in that folder");
    Ok(())
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn root(name: &str, dist_git: Option<&str>, lookaside: Option<&str>, branch: &str) -> String {
    let line = |key: &str, value: Option<&str>, example: &str| match value {
        Some(value) => format!("{key} = {}\n", quoted(value)),
        None => format!("# {key} = \"{example}\"\n"),
    };
    format!(
        "# What this project is, and where its components come from.\n\
         includes = [\"components/**/*.toml\"]\n\n\
         [project]\n\
         description = {}\n\
         rendered-specs-dir = \"specs\"\n\
         lock-dir = \"locks\"\n\
         output-dir = \"out\"\n\
         default-distro = {{ name = {2}, version = \"1\" }}\n\n\
         # The distribution that is made here.\n\
         [distros.{1}]\n\
         default-version = \"1\"\n\n\
         [distros.{1}.versions.1]\n\
         release-ver = \"1\"\n\n\
         # A component is taken from the upstream unless it says something else.\n\
         [distros.{1}.versions.1.default-component-config]\n\
         spec = {{ type = \"upstream\", upstream-distro = {{ name = \"upstream\", version = \"1\" }} }}\n\n\
         # The upstream: a git repository for each package, and a place for tarballs.\n\
         [distros.upstream]\n\
         default-version = \"1\"\n\
         {3}{4}\n\
         [distros.upstream.versions.1]\n\
         release-ver = \"1\"\n\
         dist-git-branch = {5}\n",
        quoted(&format!("The distribution {name}")),
        name,
        quoted(name),
        line("dist-git-base-uri", dist_git, "https://…/rpms/$pkg.git"),
        line(
            "lookaside-base-uri",
            lookaside,
            "https://…/$pkg/$filename/$hashtype/$hash/$filename"
        ),
        quoted(branch),
    )
}

const COMPONENTS: &str = "# Components that are taken as they are, in alphabetical order. One that is changed has a file of its own.\n";
