//! `lazuli import`: locked upstream packages become signed RPMs, from a cache where that is possible.

use crate::cli::ImportArgs;
use crate::component::{Scope, locked, named, update};
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::repo::at;
use crate::upstream::{archive, failure};
use crate::workspace::Workspace;
use lazuli_catalog::{ComponentName, ComponentScope, LockFile, ResolvedComponent, Source};
use lazuli_import::{
    ImportError, ImportEvent, ImportInput, ImportPlaces, ImportSigner, ImportSummary, Origin, import_all,
    write,
};
use lazuli_openpgp::SigningKey;
use lazuli_upstream::{LockedPackage, Progress, Store, UpstreamError};
use settings::Common;
use sha2::Digest as _;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod generated;
mod settings;

/// What says, in the repository for builds, of which lock both repositories are.
const OF_LOCK: &str = ".of-lock";

/// Which of the locked packages are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those of the distribution: what images are made of.
    Distribution,
    /// Those of buildroots, too.
    Everything,
}

/// Makes sure that locked packages are in the store. Where the upstream no longer has one, and `update_vanished` is
/// set, the lock is moved, which is said; else it is an error.
pub fn ensure_fetched(workspace: &Workspace, reach: Reach, update_vanished: bool) -> Result<LockFile> {
    let lock = match workspace.read_lock()? {
        None if update_vanished => {
            update(workspace, &Scope::Vanished, false)?;
            workspace.lock()?
        }
        _ => workspace.lock()?,
    };
    match fetch(workspace, reach, &lock) {
        Err(UpstreamError::Vanished { packages }) if update_vanished => {
            workspace.terminal.warn(format!(
                "the upstream no longer has {} of the locked packages; the lock is updated for these",
                packages.len()
            ));
            update(workspace, &Scope::Vanished, false)?;
            let lock = workspace.lock()?;
            fetch(workspace, reach, &lock).map_err(failure)?;
            Ok(lock)
        }
        Err(error) => Err(failure(error)),
        Ok(()) => Ok(lock),
    }
}

fn fetch(workspace: &Workspace, reach: Reach, lock: &LockFile) -> Result<(), UpstreamError> {
    let settings = |error: Failure| UpstreamError::Settings {
        reason: error.to_string(),
    };
    let packages = locked(lock, reach).map_err(settings)?;
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
pub fn run(workspace: &Workspace, args: &ImportArgs) -> Result<()> {
    let wanted = named(workspace, &args.components)?;
    let reach = match args.buildroot || for_builds(workspace, &wanted)? {
        true => Reach::Everything,
        false => Reach::Distribution,
    };
    let lock = ensure_fetched(workspace, reach, false)?;
    let cache = if args.force { Cache::Ignore } else { Cache::Use };
    if args.buildroot {
        return repositories(workspace, &lock, cache);
    }
    let mut summaries = Vec::new();
    let mut text = String::new();
    for scope in scopes(reach) {
        let mut batch = Batch::new(workspace, &lock, *scope, &wanted)?;
        batch.cache = cache;
        for summary in batch.run()? {
            text += &format!("{}/{}\n", batch.output.display(), summary.file_name);
            summaries.push(summary);
        }
    }
    workspace.terminal.facts(&summaries, || text)?;
    Ok(())
}

/// Fills both repositories and writes their metadata, for builds from source.
pub fn for_buildroots(workspace: &Workspace) -> Result<()> {
    let lock = ensure_fetched(workspace, Reach::Everything, false)?;
    fill_both(workspace, &lock, Cache::Use)?;
    Ok(())
}

/// Whether both repositories are there and of this lock. Changes of components do not count: `lazuli import --buildroot`
/// imports these.
pub fn is_ready_for_buildroots(workspace: &Workspace) -> Result<bool> {
    let known = std::fs::read_to_string(workspace.build_repository().join(OF_LOCK)).unwrap_or_default();
    let folders = scopes(Reach::Everything)
        .iter()
        .map(|scope| workspace.repository_of(*scope));
    let mut indexes = folders.map(|folder| folder.join("repodata").join("repomd.xml"));
    Ok(known == lock_digest(workspace)? && indexes.all(|index| index.is_file()))
}

fn lock_digest(workspace: &Workspace) -> Result<String> {
    let text = std::fs::read(workspace.lock_path()).or_fail(Kind::Project)?;
    Ok(hex::encode(sha2::Sha256::digest(text)))
}

/// Both repositories with their metadata, and last of all what says that they are whole.
fn fill_both(workspace: &Workspace, lock: &LockFile, cache: Cache) -> Result<Vec<(PathBuf, usize)>> {
    let time = workspace.time(lock);
    let digest = lock_digest(workspace)?;
    let mut rows = Vec::new();
    for scope in scopes(Reach::Everything) {
        let summaries = fill(workspace, lock, *scope, cache)?;
        let folder = workspace.repository_of(*scope);
        crate::repo::create(workspace, &folder, time)?;
        rows.push((folder, summaries.len()));
    }
    let stamp = workspace.build_repository().join(OF_LOCK);
    lazuli_durable::write(&stamp, digest.as_bytes()).or_fail(Kind::Environment)?;
    Ok(rows)
}

/// Fills both repositories and writes their metadata: a root can be installed from them.
fn repositories(workspace: &Workspace, lock: &LockFile, cache: Cache) -> Result<()> {
    let rows = fill_both(workspace, lock, cache)?;
    let facts: Vec<_> = rows
        .iter()
        .map(|(folder, packages)| serde_json::json!({ "repository": folder, "packages": packages }))
        .collect();
    workspace.terminal.facts(&facts, || {
        rows.iter()
            .map(|(folder, packages)| format!("{}: {packages} packages\n", folder.display()))
            .collect()
    })?;
    Ok(())
}

/// Whose packages are in reach.
fn scopes(reach: Reach) -> &'static [ComponentScope] {
    match reach {
        Reach::Distribution => &[ComponentScope::Distribution],
        Reach::Everything => &[ComponentScope::Distribution, ComponentScope::Build],
    }
}

/// Whether one of the components is for buildroots only.
fn for_builds(workspace: &Workspace, names: &[ComponentName]) -> Result<bool> {
    for name in names {
        let component = workspace
            .catalog
            .component(name, &workspace.distro)
            .or_fail(Kind::Project)?;
        if component.scope == ComponentScope::Build {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Runs `lazuli component lint`.
pub fn lint(workspace: &Workspace, names: &[String]) -> Result<()> {
    let wanted = named(workspace, names)?;
    let reach = match wanted.is_empty() || for_builds(workspace, &wanted)? {
        true => Reach::Everything,
        false => Reach::Distribution,
    };
    let lock = ensure_fetched(workspace, reach, false)?;
    let mut summaries = Vec::new();
    for scope in scopes(reach) {
        summaries.extend(Batch::new(workspace, &lock, *scope, &wanted)?.run()?);
    }
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

/// Fills a repository of the project with exactly the packages of the lock and those that the catalog makes.
pub fn repository(
    workspace: &Workspace,
    lock: &LockFile,
    scope: ComponentScope,
) -> Result<Vec<ImportSummary>> {
    fill(workspace, lock, scope, Cache::Use)
}

fn fill(
    workspace: &Workspace,
    lock: &LockFile,
    scope: ComponentScope,
    cache: Cache,
) -> Result<Vec<ImportSummary>> {
    let mut batch = Batch::new(workspace, lock, scope, &[])?;
    batch.cache = cache;
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
        if component.scope != scope {
            continue;
        }
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
    /// The packages of some components, or of all, that go to one repository.
    fn new(
        workspace: &'w Workspace,
        lock: &LockFile,
        scope: ComponentScope,
        wanted: &[ComponentName],
    ) -> Result<Self> {
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
        for (name, package) in lock.all() {
            let only_builds = lock.build_packages.contains_key(name);
            let mut components: Vec<ResolvedComponent> = imports.get(name).into_iter().cloned().collect();
            if components.is_empty() {
                let undefined = workspace.catalog.undefined_component(name, &workspace.distro);
                components.push(undefined.or_fail(Kind::Project)?);
            }
            for component in components {
                // A part of a distribution's package may be for builds; of what only builds need, nothing is not.
                let goes_to = if only_builds {
                    ComponentScope::Build
                } else {
                    component.scope
                };
                if goes_to != scope || !wanted.is_empty() && !wanted.contains(&component.name) {
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
        }
        let (key, output) = (workspace.signing_key()?, workspace.repository_of(scope));
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
