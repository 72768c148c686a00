//! `lazuli repo …`: signed repositories.

use crate::cli::RepoCommand;
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::terminal::Terminal;
use crate::workspace::Workspace;
use lazuli_compose::{
    CreateOptions, FolderFetcher, MetadataSigner, MetadataVerifier, Report, Rollback, Signatures, TrustError,
    open_repository,
};
use lazuli_openpgp::{Keyring, SigningKey};
use lazuli_repodata::PackageRecord;
use std::path::Path;
use std::time::{Duration, SystemTime};

mod serve;

/// Level of the metadata's compression: it is small, and downloaded by every host.
const METADATA_LEVEL: i32 = 12;

/// Runs a command on repositories.
pub fn run(workspace: &Workspace, command: &RepoCommand) -> Result<()> {
    let terminal = &workspace.terminal;
    match command {
        RepoCommand::Create { dir: None } => {
            let lock = workspace.lock()?;
            crate::import::repository(workspace, &lock, lazuli_catalog::ComponentScope::Distribution)?;
            report(
                terminal,
                &workspace.repository(),
                &create(workspace, &workspace.repository(), workspace.time(&lock))?,
            )
        }
        RepoCommand::Create { dir: Some(dir) } => {
            let time = match workspace.read_lock()? {
                Some(lock) => workspace.time(&lock),
                None => {
                    return Err(Failure::message(
                        Kind::Project,
                        "the project has no lock to take the time from",
                    )
                    .hint("set SOURCE_DATE_EPOCH, or run `lazuli component update`"));
                }
            };
            report(terminal, dir, &create(workspace, dir, time)?)
        }
        RepoCommand::Sign { dir } => {
            let key = workspace.signing_key()?;
            let time = workspace.time(&workspace.lock()?);
            lazuli_compose::sign(
                dir,
                &MetadataKey {
                    key: &key,
                    time: at(time),
                },
            )?;
            terminal.note(format!("signed {} with {}", dir.display(), key.fingerprint()));
            Ok(())
        }
        RepoCommand::Check { dir, key } => check(workspace, dir, key.as_deref()),
        RepoCommand::Serve { listen } => {
            let root = workspace.out.join("repo");
            let server = serve::Server::bind(&root, *listen)?;
            terminal.note(format!(
                "serving {} on http://{}/",
                root.display(),
                server.address()?
            ));
            server.run(terminal)
        }
    }
}

fn report(terminal: &Terminal, dir: &Path, report: &Report) -> Result<()> {
    let facts = serde_json::json!({
        "repository": dir, "packages": report.packages, "reused": report.reused, "revision": report.revision,
        "package-bytes": report.package_bytes, "metadata-bytes": report.metadata_bytes,
    });
    terminal.facts(&facts, || {
        format!(
            "{}: {} packages, {} MiB\n",
            dir.display(),
            report.packages,
            report.package_bytes >> 20
        )
    })?;
    Ok(())
}

/// Writes signed metadata for a folder of packages.
pub fn create(workspace: &Workspace, dir: &Path, time: u64) -> Result<Report> {
    let key = workspace.signing_key()?;
    let signer = MetadataKey {
        key: &key,
        time: at(time),
    };
    let options = CreateOptions {
        signer: Some(&signer),
        revision: time,
        workers: 0,
        zstd_level: METADATA_LEVEL,
    };
    Ok(lazuli_compose::create(dir, &options)?)
}

fn check(workspace: &Workspace, dir: &Path, key: Option<&Path>) -> Result<()> {
    let certificate = match key {
        Some(path) => std::fs::read(path)
            .map_err(anyhow::Error::from)
            .map_err(|error| {
                Failure::new(Kind::Environment, error).context(format!("failed to read {}", path.display()))
            })?,
        None => workspace.signing_key()?.certificate()?.into_bytes(),
    };
    let keyring = MetadataKeyring(Keyring::from_bytes(&certificate).or_fail(Kind::Trust)?);
    let findings = lazuli_compose::check(dir, Some(&keyring)).or_fail(Kind::Trust)?;
    let facts: Vec<_> = findings
        .iter()
        .map(|finding| serde_json::json!({ "file": finding.file, "problem": finding.problem }))
        .collect();
    workspace.terminal.facts(&facts, || {
        findings
            .iter()
            .map(|finding| format!("{}: {}\n", finding.file, finding.problem))
            .collect()
    })?;
    match findings.len() {
        0 => {
            workspace.terminal.note(format!("{}: clean", dir.display()));
            Ok(())
        }
        count => Err(Failure::message(
            Kind::Trust,
            format!("{}: {count} findings", dir.display()),
        )),
    }
}

/// What a repository of the project has, from the signature on.
pub fn records(repository: &Path, keyring: &Keyring) -> Result<Vec<PackageRecord>> {
    let fetcher = FolderFetcher {
        root: repository.to_owned(),
    };
    let trusted = MetadataKeyring(keyring.clone());
    let opened = open_repository(&fetcher, Signatures::Required(&trusted), Rollback::FirstContact)
        .or_fail(Kind::Trust)?;
    opened.packages().or_fail(Kind::Trust)
}

/// Seconds since 1970 as a time.
pub fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Our key, as `compose` wants it.
struct MetadataKey<'k> {
    key: &'k SigningKey,
    time: SystemTime,
}

impl MetadataSigner for MetadataKey<'_> {
    fn sign_detached(&self, data: &[u8]) -> Result<Vec<u8>, TrustError> {
        Ok(self.key.sign_detached_armored(data, self.time)?.into_bytes())
    }

    fn certificate(&self) -> Result<Vec<u8>, TrustError> {
        Ok(self.key.certificate()?.into_bytes())
    }
}

/// Trusted keys, as `compose` wants them.
pub struct MetadataKeyring(pub Keyring);

impl MetadataVerifier for MetadataKeyring {
    fn verify_detached(&self, data: &[u8], signature: &[u8]) -> Result<String, TrustError> {
        Ok(self
            .0
            .verify_detached(data, signature, SystemTime::now())?
            .fingerprint)
    }
}
