//! `lazuli import`: locked upstream packages become signed RPMs, from a cache where that is possible.

use crate::component::{Scope, locked, named, update};
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::repo::at;
use crate::upstream::{archive, failure};
use crate::workspace::Workspace;
use lazuli_catalog::{ComponentName, LockFile, Source};
use lazuli_import::{
    ImportError, ImportEvent, ImportInput, ImportPlaces, ImportSigner, ImportSummary, Origin, import_all,
    write,
};
use lazuli_openpgp::SigningKey;
use lazuli_upstream::{LockedPackage, Progress, Store, UpstreamError};
use settings::Common;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod generated;
mod settings;

/// Makes sure that every locked package is in the store. Where the upstream no longer has one, and `update_vanished` is
/// set, the lock is moved, which is said; else it is an error.
pub fn ensure_fetched(workspace: &Workspace, update_vanished: bool) -> Result<LockFile> {
    let lock = match workspace.read_lock()? {
        None if update_vanished => {
            update(workspace, &Scope::Vanished, false)?;
            workspace.lock()?
        }
        _ => workspace.lock()?,
    };
    match fetch(workspace, &lock) {
        Err(UpstreamError::Vanished { packages }) if update_vanished => {
            workspace.terminal.warn(format!(
                "the upstream no longer has {} of the locked packages; the lock is updated for these",
                packages.len()
            ));
            update(workspace, &Scope::Vanished, false)?;
            let lock = workspace.lock()?;
            fetch(workspace, &lock).map_err(failure)?;
            Ok(lock)
        }
        Err(error) => Err(failure(error)),
        Ok(()) => Ok(lock),
    }
}

fn fetch(workspace: &Workspace, lock: &LockFile) -> Result<(), UpstreamError> {
    let settings = |error: Failure| UpstreamError::Settings {
        reason: error.to_string(),
    };
    let packages = locked(lock).map_err(settings)?;
    let store = Store::open(&workspace.cache.join("upstream"))?;
    let archive = archive(workspace).map_err(settings)?;
    let bar = workspace.terminal.bar("fetch", 0);
    store.fetch(&archive, &packages, &|progress| {
        if let Progress::Fetching { done, total, .. } = progress {
            bar.set_length(total >> 20);
            bar.set_position(done >> 20);
        }
    })?;
    bar.finish_and_clear();
    Ok(())
}

/// Runs `lazuli import`.
pub fn run(workspace: &Workspace, names: &[String], force: bool) -> Result<()> {
    let wanted = named(workspace, names)?;
    let lock = ensure_fetched(workspace, false)?;
    let mut batch = Batch::new(workspace, &lock, &wanted)?;
    batch.cache = if force { Cache::Ignore } else { Cache::Use };
    let summaries = batch.run()?;
    workspace.terminal.facts(&summaries, || {
        summaries
            .iter()
            .map(|summary| format!("{}/{}\n", batch.output.display(), summary.file_name))
            .collect()
    })?;
    Ok(())
}

/// Runs `lazuli component lint`.
pub fn lint(workspace: &Workspace, names: &[String]) -> Result<()> {
    let wanted = named(workspace, names)?;
    let lock = ensure_fetched(workspace, false)?;
    let summaries = Batch::new(workspace, &lock, &wanted)?.run()?;
    let count = |error: bool| {
        summaries
            .iter()
            .flat_map(|one| &one.findings)
            .filter(|one| one.error == error)
            .count()
    };
    workspace.terminal.facts(&summaries, || {
        let mut text = String::new();
        for summary in &summaries {
            for finding in summary.findings.iter().filter(|finding| finding.error) {
                text += &format!("{}: {}\n", summary.name, finding.text);
            }
        }
        text
    })?;
    workspace
        .terminal
        .note(format!("{} packages, {} notes", summaries.len(), count(false)));
    match count(true) {
        0 => Ok(()),
        errors => Err(Failure::message(Kind::Failed, format!("{errors} findings must be answered")).hint(
            "read the scripts, declare what they did under [components.NAME.declare], and record the review under \
             [components.NAME.import], reviewed",
        )),
    }
}

/// Fills the project's repository with exactly the packages of the lock and those that the catalog makes.
pub fn repository(workspace: &Workspace, lock: &LockFile) -> Result<Vec<ImportSummary>> {
    let batch = Batch::new(workspace, lock, &[])?;
    let mut summaries = batch.run()?;
    let time = workspace.time(lock);
    for component in workspace
        .catalog
        .components(&workspace.distro, workspace.architecture)
        .or_fail(Kind::Project)?
    {
        let Source::Generate(source) = &component.source else {
            continue;
        };
        let made = generated::make(workspace, &component, source, &batch.common, time)?;
        let signer = batch.key.signer(at(time));
        summaries.push(write(&made, Some(&signer), &batch.output).or_fail(Kind::Environment)?);
    }
    remove_others(&batch.output, &summaries)?;
    Ok(summaries)
}

/// Packages of earlier locks go: a repository with two versions of everything would not be what the lock says.
fn remove_others(folder: &Path, summaries: &[ImportSummary]) -> Result<()> {
    let expected: BTreeSet<&str> = summaries
        .iter()
        .map(|summary| summary.file_name.as_str())
        .collect();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".rpm") && !expected.contains(&*name) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Whether earlier results are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cache {
    Use,
    Ignore,
}

/// Packages to import together.
struct Batch<'w> {
    workspace: &'w Workspace,
    common: Common,
    key: SigningKey,
    time: u64,
    inputs: Vec<ImportInput>,
    output: PathBuf,
    cache: Cache,
}

impl<'w> Batch<'w> {
    /// The packages of some components, or of all.
    fn new(workspace: &'w Workspace, lock: &LockFile, wanted: &[ComponentName]) -> Result<Self> {
        let time = workspace.time(lock);
        let common = Common::new(workspace, lock, time)?;
        let store = Store::open(&workspace.cache.join("upstream")).map_err(failure)?;
        let imports = workspace
            .catalog
            .imports(&workspace.distro, workspace.architecture)
            .or_fail(Kind::Project)?;
        let suite = workspace
            .distro
            .debian()
            .and_then(|upstream| upstream.suites.first());
        let suite = suite.map(ToString::to_string).unwrap_or_default();
        let mut inputs = Vec::new();
        for (name, package) in &lock.packages {
            let component = match imports.get(name) {
                Some(component) => component.clone(),
                None => workspace
                    .catalog
                    .undefined_component(name, &workspace.distro)
                    .or_fail(Kind::Project)?,
            };
            if !wanted.is_empty() && !wanted.contains(&component.name) {
                continue;
            }
            let package = LockedPackage::from_catalog(name, package)?;
            inputs.push(ImportInput {
                file: store.path(&package.sha256),
                settings: Arc::new(common.of(&component)?),
                origin: Origin {
                    archive: "debian".to_owned(),
                    suite: suite.clone(),
                    package: package.name,
                    version: package.version,
                    sha256: package.sha256,
                    source: package.source_name,
                    source_version: package.source_version,
                },
            });
        }
        let (key, output) = (workspace.signing_key()?, workspace.repository());
        Ok(Self {
            workspace,
            common,
            key,
            time,
            inputs,
            output,
            cache: Cache::Use,
        })
    }

    fn run(&self) -> Result<Vec<ImportSummary>> {
        let signer = self.key.signer(at(self.time));
        let identity = format!("{} {}", self.key.fingerprint(), self.time);
        let cache = self.workspace.cache.join("packages");
        let places = ImportPlaces {
            output: &self.output,
            cache: (self.cache == Cache::Use).then_some(cache.as_path()),
        };
        for folder in [&self.output, &cache] {
            lazuli_durable::reclaim(folder)?;
        }
        let bar = self.workspace.terminal.bar("import", self.inputs.len() as u64);
        let results = import_all(
            &self.inputs,
            Some(ImportSigner {
                signer: &signer,
                identity: &identity,
            }),
            places,
            &|event| {
                if let ImportEvent::Finished { package, .. } = event {
                    bar.inc(1);
                    bar.set_message(package.to_owned());
                }
            },
        );
        bar.finish_and_clear();
        let mut summaries = Vec::new();
        let mut failed = Vec::new();
        for (result, input) in results.into_iter().zip(&self.inputs) {
            match result {
                Ok(summary) => summaries.push(summary),
                Err(error) => failed.push((&input.origin.package, error)),
            }
        }
        let count = failed.len();
        // What the machine lacks, all packages lack: it is said once.
        if let Some(at) = failed
            .iter()
            .position(|(_, error)| matches!(error, ImportError::Write { .. }))
        {
            let (package, error) = failed.swap_remove(at);
            return Err(Failure::new(Kind::Environment, error).context(format!("failed to import {package}")));
        }
        let lines: Vec<String> = failed
            .iter()
            .map(|(package, error)| format!("{package}: {error}"))
            .collect();
        match count {
            0 => Ok(summaries),
            _ => Err(Failure::message(Kind::Failed, lines.join("\n"))
                .context(format!("{count} packages cannot be imported"))),
        }
    }
}
