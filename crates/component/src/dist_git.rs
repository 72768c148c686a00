//! A provider over dist-git repositories and lookaside caches, by `lazuli-source`.

mod origin;

use std::collections::BTreeMap;
use std::sync::Arc;

use lazuli_catalog::{CommitId, ResolvedSourceFile};
use lazuli_source::{
    self as source, DebianArchiveSettings, Digest, DistGit, FileName, FileVersion, Freshness, FullCommit,
    HashAlgorithm, LookasideRequest, OnProgress, SourceEntry, Sources, TreeMode, TreePath, UrlTemplate,
    Variable,
};

use crate::git::Person;
use crate::provider::{
    CHANGELOG_FILE, ChangelogFile, CommitChoice, LookasideFile, ProviderError, SourceProvider,
    UpstreamCommit, UpstreamPackage,
};
use crate::script::ScriptRunner;
use crate::source_tree::{Content, FileMode, SourceFile, SourcePath, SourceTree, StoredFile, TreeError};

/// Upstreams by their address templates, with everything in one cache.
#[derive(Clone, Copy)]
pub struct DistGitProvider<'a> {
    /// The cache, and how to fetch.
    pub sources: &'a Sources,
    /// Whether the newest commit may come from the cache.
    pub freshness: Freshness,
    /// Is told how fetching goes.
    pub progress: OnProgress<'a>,
    /// The archive that source files of the kind `debian-source` come from, if the distribution's version has one.
    pub archive: Option<&'a DebianArchiveSettings>,
    /// What runs the scripts that make source files, if there is a root to run them in.
    pub scripts: Option<&'a dyn ScriptRunner>,
}

impl std::fmt::Debug for DistGitProvider<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "DistGitProvider({:?})", self.sources)
    }
}

/// What commits made of a file: nothing where one removed it.
type Versions = BTreeMap<String, Option<Arc<[u8]>>>;

fn repository(package: &UpstreamPackage) -> Result<DistGit, ProviderError> {
    let address = package
        .dist_git
        .as_deref()
        .ok_or_else(|| format!("distribution `{}` has no `dist-git-base-uri`", package.distro))?;
    Ok(DistGit {
        template: UrlTemplate::parse(address, &[Variable::Package])?,
        package: package.name.clone(),
        branch: package.branch.clone(),
    })
}

pub(crate) fn entry(file: &LookasideFile) -> Result<SourceEntry, ProviderError> {
    let algorithm = HashAlgorithm::parse(&file.hash_type).ok_or_else(|| {
        format!(
            "the hash algorithm {} of {} is not known",
            file.hash_type, file.name
        )
    })?;
    Ok(SourceEntry {
        name: FileName::new(&file.name)?,
        digest: Digest::new(algorithm, &file.hash)?,
    })
}

fn stored(file: source::StoredFile) -> Content {
    Content::Stored(Arc::new(StoredFile {
        path: file.path,
        sha256: file.sha256,
        size: file.size,
    }))
}

/// Whether a file in a folder of the repository is one that a spec can have beside it: hidden ones are git's.
fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.'))
}

impl SourceProvider for DistGitProvider<'_> {
    fn resolve(&self, package: &UpstreamPackage, choice: &CommitChoice) -> Result<String, ProviderError> {
        let choice = match choice {
            CommitChoice::Pinned(commit) => source::CommitChoice::Pinned(CommitId::new(commit.as_str())?),
            CommitChoice::Before(time) => source::CommitChoice::Before(time.clone()),
            CommitChoice::Newest => source::CommitChoice::Head(self.freshness),
        };
        let found = self
            .sources
            .resolve_commit(&repository(package)?, &choice, self.progress)?;
        Ok(found.commit.to_string())
    }

    fn checkout(&self, package: &UpstreamPackage, commit: &str) -> Result<SourceTree, ProviderError> {
        let commit = FullCommit::new(commit)?;
        let checkout = self
            .sources
            .checkout(&repository(package)?, &commit, self.progress)?;
        let spec = package.spec_name();
        if checkout.file(&spec).is_none() {
            return Err(TreeError::NoSpec { spec }.into());
        }
        let mut tree = SourceTree::new(SourcePath::new(spec)?, "");
        for (path, file) in checkout.files {
            if is_hidden(path.as_str()) {
                continue;
            }
            let mode = match file.mode {
                TreeMode::Plain => FileMode::Plain,
                TreeMode::Executable => FileMode::Executable,
            };
            let content = Content::from(file.content);
            tree.insert(SourcePath::new(path.as_str())?, SourceFile { content, mode });
        }
        Ok(tree)
    }

    fn history(&self, package: &UpstreamPackage, commit: &str) -> Result<Vec<UpstreamCommit>, ProviderError> {
        let commit = FullCommit::new(commit)?;
        let repository = repository(package)?;
        let followed = TreePath::new(&package.spec_name())?;
        let records = self
            .sources
            .history(&repository, &commit, &followed, self.progress)?;
        let versions = |path: &str| -> Result<Versions, ProviderError> {
            let versions = self.sources.file_versions(
                &repository,
                &commit,
                (&followed, &TreePath::new(path)?),
                self.progress,
            )?;
            let content = |one: FileVersion| (one.commit.to_string(), one.content.map(Arc::from));
            Ok(versions.into_iter().map(content).collect())
        };
        let (specs, changelogs) = (versions(&package.spec_name())?, versions(CHANGELOG_FILE)?);
        let mut commits: Vec<UpstreamCommit> = Vec::with_capacity(records.len());
        // A commit that did not touch the spec has that of the commit before it: from the oldest to the newest.
        let mut spec = None;
        for record in records.into_iter().rev() {
            let id = record.id.to_string();
            if let Some(version) = specs.get(&id) {
                spec = version.clone();
            }
            commits.push(UpstreamCommit {
                author: Person {
                    name: record.author_name,
                    email: record.author_email,
                },
                time: record.commit_time,
                message: match record.body.is_empty() {
                    true => record.subject,
                    false => format!("{}\n\n{}", record.subject, record.body),
                },
                spec: spec.clone(),
                changelog: match changelogs.contains_key(&id) {
                    true => ChangelogFile::Touched,
                    false => ChangelogFile::Untouched,
                },
                id,
            });
        }
        commits.reverse();
        Ok(commits)
    }

    fn lookaside(&self, package: &UpstreamPackage, file: &LookasideFile) -> Result<Content, ProviderError> {
        let address = package
            .lookaside
            .as_deref()
            .ok_or_else(|| format!("distribution `{}` has no `lookaside-base-uri`", package.distro))?;
        let all = [
            Variable::Package,
            Variable::FileName,
            Variable::HashType,
            Variable::Hash,
        ];
        let request = LookasideRequest {
            templates: vec![UrlTemplate::parse(address, &all)?],
            package: package.name.clone(),
            entry: entry(file)?,
        };
        Ok(stored(self.sources.lookaside(&request, self.progress)?))
    }

    fn source_file(&self, file: &ResolvedSourceFile) -> Result<Content, ProviderError> {
        origin::fetch(self, file).map(stored)
    }

    fn scripts(&self) -> Option<&dyn ScriptRunner> {
        self.scripts
    }
}
