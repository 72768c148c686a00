//! Installing, upgrading and removing: resolve, show, ask, fetch, do.

use crate::failure::{Failure, Result};
use crate::session::{Proposal, Run, Session};
use crate::terminal::{Terminal, columns, size};
use lazuli_solve::{Job, Origin, PackageId, Reason, Spec, Upgrade, Weak};
use serde::Serialize;
use std::path::PathBuf;

/// Splits what a user named into package files and specs.
pub(crate) fn split_files(names: &[String]) -> (Vec<PathBuf>, Vec<String>) {
    let is_file =
        |name: &String| name.ends_with(".rpm") && (name.contains('/') || PathBuf::from(name).is_file());
    let (files, specs): (Vec<String>, Vec<String>) = names.iter().cloned().partition(is_file);
    (files.into_iter().map(PathBuf::from).collect(), specs)
}

/// What a command wants.
pub(crate) enum Wish {
    /// These packages, and those of the package files.
    Install(Vec<String>),
    /// These gone.
    Remove {
        /// Which.
        specs: Vec<String>,
        /// And what nothing needs any more.
        unneeded: bool,
    },
    /// These, or all, in their newest version.
    Upgrade(Vec<String>),
    /// These again.
    Reinstall(Vec<String>),
}

fn parse(specs: &[String]) -> Result<Vec<Spec>> {
    specs
        .iter()
        .map(|spec| Spec::parse(spec).map_err(Failure::from))
        .collect()
}

/// The job for the solver.
pub(crate) fn job(session: &Session, wish: &Wish, weak: Weak) -> Result<Job> {
    let mut job = Job {
        weak,
        ..Job::default()
    };
    match wish {
        Wish::Install(specs) => {
            job.install = parse(specs)?;
            // Exactly the package of each file, not another one of its name.
            let files = session
                .pool()
                .packages()
                .filter(|id| origin_name(session, *id) == crate::session::LOCAL_FILES);
            for id in files {
                job.install
                    .push(Spec::parse(&session.pool().record(id).nevra.to_string())?);
            }
        }
        Wish::Remove { specs, unneeded } => {
            job.remove = parse(specs)?;
            job.autoremove = *unneeded;
            job.weak = Weak::Ignore;
            job.allow.erase = true;
        }
        Wish::Upgrade(specs) if specs.is_empty() => job.upgrade = Upgrade::All,
        Wish::Upgrade(specs) => job.upgrade = Upgrade::Only(parse(specs)?),
        Wish::Reinstall(specs) => job.reinstall = parse(specs)?,
    }
    Ok(job)
}

/// Does what is wished, after asking.
pub(crate) fn run(session: &Session, wish: &Wish, weak: Weak, run: Run, terminal: &Terminal) -> Result<()> {
    for note in session.notes() {
        terminal.note(format!("note: {note}"));
    }
    let proposal = session.resolve(job(session, wish, weak)?)?;
    for spec in &proposal.solution.nothing_to_do {
        terminal.note(format!("{spec}: nothing to do"));
    }
    let summary = Summary::new(session, &proposal);
    if proposal.solution.is_empty() {
        return terminal.facts(&summary, || "Nothing to do.\n".to_owned());
    }
    let shown = summary.text(terminal);
    if terminal.is_json() {
        terminal.note(&shown);
    } else {
        terminal.facts(&(), || shown)?;
    }
    if run == Run::Change {
        terminal.confirm()?;
    }
    let bars = terminal.download_bar(summary.download_size);
    let downloads = session.fetch(&proposal, &bars);
    bars.finish();
    let downloads = downloads?;
    let bars = terminal.step_bars();
    let report = session.commit(&proposal, &downloads, run, &bars);
    bars.finish();
    let report = report?;
    for note in &report.notes {
        terminal.note(format!("note: {note}"));
    }
    let done = Done {
        summary,
        changed: run == Run::Change,
        notes: report.notes,
        finalisers: report.finalisers,
    };
    terminal.facts(&done, || match run {
        Run::Test => "Nothing was changed: this was a test (--dry-run).\n".to_owned(),
        Run::Change => format!("Done: {}.\n", done.summary.counts()),
    })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Done {
    #[serde(flatten)]
    summary: Summary,
    changed: bool,
    notes: Vec<String>,
    finalisers: Vec<String>,
}

/// One line of the table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line {
    name: String,
    arch: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_version: Option<String>,
    repository: String,
    size: u64,
    reason: String,
}

/// What will happen, for people and programs.
#[derive(Debug, Serialize, Default)]
#[serde(rename_all = "kebab-case")]
struct Summary {
    install: Vec<Line>,
    install_dependencies: Vec<Line>,
    install_weak: Vec<Line>,
    upgrade: Vec<Line>,
    downgrade: Vec<Line>,
    reinstall: Vec<Line>,
    remove: Vec<Line>,
    download_size: u64,
    installed_size: u64,
    freed_size: u64,
}

fn origin_name(session: &Session, id: PackageId) -> &str {
    match session.pool().origin(id) {
        Origin::Installed => "@installed",
        Origin::Repository(repository) => session.pool().repository_name(repository),
    }
}

fn reason_text(session: &Session, reason: &Reason) -> String {
    let name = |id: &PackageId| session.pool().record(*id).nevra.name.clone();
    match reason {
        Reason::User(spec) => format!("asked for ({spec})"),
        Reason::Upgrade => "newer version".to_owned(),
        Reason::DependencyOf(id) => format!("required by {}", name(id)),
        Reason::WeakOf(id) => format!("recommended by {}", name(id)),
        Reason::ObsoletedBy(id) => format!("obsoleted by {}", name(id)),
        Reason::Needs(id) => format!("needs {}, which goes", name(id)),
        Reason::ConflictsWith(id) => format!("conflicts with {}", name(id)),
        Reason::Unneeded => "needed no more".to_owned(),
        Reason::Other => String::new(),
    }
}

impl Summary {
    fn new(session: &Session, proposal: &Proposal) -> Self {
        let line = |id: PackageId, old: Option<PackageId>, reason: &Reason| {
            let record = session.pool().record(id);
            let is_installed = session.pool().is_installed(id);
            Line {
                name: record.nevra.name.clone(),
                arch: record.nevra.arch.clone(),
                version: record.nevra.evr.to_string(),
                old_version: old.map(|old| session.pool().record(old).nevra.evr.to_string()),
                repository: origin_name(session, id).to_owned(),
                size: if is_installed {
                    record.size.installed
                } else {
                    record.size.package
                },
                reason: reason_text(session, reason),
            }
        };
        let solution = &proposal.solution;
        let mut summary = Self {
            download_size: session.download_size(proposal),
            ..Self::default()
        };
        for step in &solution.install {
            let list = match step.reason {
                Reason::User(_) => &mut summary.install,
                Reason::WeakOf(_) => &mut summary.install_weak,
                _ => &mut summary.install_dependencies,
            };
            list.push(line(step.package, None, &step.reason));
        }
        for (steps, list) in [
            (&solution.upgrade, &mut summary.upgrade),
            (&solution.downgrade, &mut summary.downgrade),
            (&solution.reinstall, &mut summary.reinstall),
        ] {
            list.extend(
                steps
                    .iter()
                    .map(|step| line(step.new, Some(step.old), &step.reason)),
            );
        }
        summary.remove = solution
            .remove
            .iter()
            .map(|step| line(step.package, None, &step.reason))
            .collect();
        let total = |ids: &[PackageId]| {
            ids.iter()
                .map(|id| session.pool().record(*id).size.installed)
                .sum()
        };
        summary.installed_size = total(&proposal.install);
        summary.freed_size = total(&proposal.remove);
        summary
    }

    fn sections(&self) -> [(&'static str, &Vec<Line>); 7] {
        [
            ("Installing:", &self.install),
            ("Installing dependencies:", &self.install_dependencies),
            ("Installing weak dependencies:", &self.install_weak),
            ("Upgrading:", &self.upgrade),
            ("Downgrading:", &self.downgrade),
            ("Reinstalling:", &self.reinstall),
            ("Removing:", &self.remove),
        ]
    }

    fn counts(&self) -> String {
        let installed = self.install.len() + self.install_dependencies.len() + self.install_weak.len();
        let counts = [
            (installed, "installed"),
            (self.upgrade.len(), "upgraded"),
            (self.downgrade.len(), "downgraded"),
            (self.reinstall.len(), "reinstalled"),
            (self.remove.len(), "removed"),
        ];
        let words: Vec<String> = counts
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, word)| format!("{n} {word}"))
            .collect();
        words.join(", ")
    }

    /// The table that is asked about.
    fn text(&self, terminal: &Terminal) -> String {
        let mut rows = vec![
            ["Package", "Arch", "Version", "Repository", "Size"]
                .map(str::to_owned)
                .to_vec(),
        ];
        let mut headings = Vec::new();
        for (heading, lines) in self.sections() {
            if lines.is_empty() {
                continue;
            }
            headings.push((rows.len(), heading));
            for line in lines {
                let version = match &line.old_version {
                    Some(old) if *old != line.version => format!("{old} -> {}", line.version),
                    _ => line.version.clone(),
                };
                let cells = [
                    &line.name,
                    &line.arch,
                    &version,
                    &line.repository,
                    &size(line.size),
                ]
                .map(Clone::clone);
                rows.push(cells.to_vec());
            }
        }
        let table = columns(&rows, 1);
        let mut out = String::new();
        for (at, row) in table.lines().enumerate() {
            if let Some((_, heading)) = headings.iter().find(|(before, _)| *before == at) {
                out.push_str(&format!("{}\n", terminal.bold(heading)));
            }
            out.push_str(&if at == 0 {
                terminal.bold(row)
            } else {
                row.to_owned()
            });
            out.push('\n');
        }
        out.push_str(&format!("\nTo be done: {}.\n", self.counts()));
        if self.download_size > 0 {
            out.push_str(&format!("To be fetched: {}.\n", size(self.download_size)));
        }
        if self.installed_size > 0 {
            out.push_str(&format!("Size once installed: {}.\n", size(self.installed_size)));
        }
        if self.freed_size > 0 {
            out.push_str(&format!("Size of what goes: {}.\n", size(self.freed_size)));
        }
        out
    }
}
