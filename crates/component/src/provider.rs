//! Where the sources of components come from, as this crate sees it: a trait of few methods, so that everything here is
//! tested without a network, and a provider over git repositories on the disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lazuli_catalog::{ResolvedDistro, ResolvedSourceFile, SourceDigest, Timestamp};

use crate::git::{CommitInfo, GitError, GitRepository, Person};
use crate::script::ScriptRunner;
use crate::source_tree::{Content, SourceTree};

/// The name of the file in dist-git that lists what is in the lookaside cache.
pub const SOURCES_FILE: &str = "sources";
/// The name of the file in dist-git with the older entries of a generated changelog.
pub const CHANGELOG_FILE: &str = "changelog";

/// A package in the dist-git of a distribution.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UpstreamPackage {
    /// The distribution.
    pub distro: String,
    /// Its version.
    pub version: String,
    /// The package's name there.
    pub name: String,
    /// Address template of dist-git: `$pkg`.
    pub dist_git: Option<String>,
    /// The branch in dist-git.
    pub branch: Option<String>,
    /// Address template of the lookaside cache: `$pkg`, `$filename`, `$hashtype`, `$hash`.
    pub lookaside: Option<String>,
}

impl UpstreamPackage {
    /// The package `name` of a distribution's version.
    #[must_use]
    pub fn new(distro: &ResolvedDistro, name: &str) -> UpstreamPackage {
        UpstreamPackage {
            distro: distro.name.to_string(),
            version: distro.version.to_string(),
            name: name.to_owned(),
            dist_git: distro.dist_git_base_uri.clone(),
            branch: distro.dist_git_branch.clone(),
            lookaside: distro.lookaside_base_uri.clone(),
        }
    }

    /// The name that its spec has.
    #[must_use]
    pub fn spec_name(&self) -> String {
        format!("{}.spec", self.name)
    }
}

/// Which commit of dist-git is taken: an explicit pin, else the last one before a snapshot, else the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitChoice {
    /// This one, which may be abbreviated.
    Pinned(String),
    /// The last one of the branch that is not newer than this.
    Before(Timestamp),
    /// The newest one of the branch.
    Newest,
}

/// A file in the lookaside cache, as `sources` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookasideFile {
    /// Its name.
    pub name: String,
    /// The algorithm, in lower case: `sha512`.
    pub hash_type: String,
    /// The digest, hexadecimal.
    pub hash: String,
}

impl LookasideFile {
    /// A source file that the project declares with a digest.
    #[must_use]
    pub fn declared(file: &ResolvedSourceFile) -> Option<LookasideFile> {
        let (hash_type, hash) = match file.digest.as_ref()? {
            SourceDigest::Sha256(hash) => ("sha256", hash),
            SourceDigest::Sha512(hash) => ("sha512", hash),
        };
        Some(LookasideFile {
            name: file.filename.to_string(),
            hash_type: hash_type.to_owned(),
            hash: hash.to_ascii_lowercase(),
        })
    }
}

/// One commit of an upstream, for releases and changelogs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamCommit {
    /// Its full id.
    pub id: String,
    /// Who wrote it.
    pub author: Person,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
    /// Its message.
    pub message: String,
    /// The spec as this commit has it; the same pointer as in the next commit if it did not change.
    pub spec: Option<Arc<[u8]>>,
    /// Whether it changed the file `changelog`.
    pub changelog: ChangelogFile,
}

/// What a commit did to the file `changelog`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangelogFile {
    /// Nothing.
    #[default]
    Untouched,
    /// It changed it: older commits are in that file.
    Touched,
}

/// Why a provider has nothing: its own error, boxed, for this crate only passes it on.
pub type ProviderError = Box<dyn std::error::Error + Send + Sync>;

/// Gives the sources of upstreams.
pub trait SourceProvider: Sync {
    /// The full id of the commit that is meant.
    ///
    /// # Errors
    /// The repository can't be had, or has no such commit.
    fn resolve(&self, package: &UpstreamPackage, choice: &CommitChoice) -> Result<String, ProviderError>;

    /// The spec of a commit and the files beside it, without what is in the lookaside cache.
    ///
    /// # Errors
    /// The commit can't be had, or has no spec of that name.
    fn checkout(&self, package: &UpstreamPackage, commit: &str) -> Result<SourceTree, ProviderError>;

    /// The commits that lead to a commit, it first, as one line: where a merge brought the spec of one of its parents,
    /// that parent is followed, or else the first. See [`crate::history`] for why.
    ///
    /// # Errors
    /// The history can't be had.
    fn history(&self, package: &UpstreamPackage, commit: &str) -> Result<Vec<UpstreamCommit>, ProviderError>;

    /// A file of the lookaside cache, checked against its digest.
    ///
    /// # Errors
    /// It can't be had, or is not what its digest says.
    fn lookaside(&self, package: &UpstreamPackage, file: &LookasideFile) -> Result<Content, ProviderError>;

    /// A source file of the project from its own origin, where that is an address, a Debian source package or a crate.
    /// If it has a digest, it is checked against it. One from an address must have one; of the others, what vouches for
    /// it without a digest is the archive's signature or the registry's checksum.
    ///
    /// # Errors
    /// It can't be had, is not what its digest says, or has another kind of origin.
    fn source_file(&self, file: &ResolvedSourceFile) -> Result<Content, ProviderError>;

    /// What runs the scripts that make source files; nothing where there is no root to run them in.
    fn scripts(&self) -> Option<&dyn ScriptRunner> {
        None
    }
}

/// Reads a line of history from a git repository: what [`SourceProvider::history`] gives.
///
/// # Errors
/// There is no such commit.
pub fn history_of(
    repository: &GitRepository,
    commit: &str,
    spec_name: &str,
) -> Result<Vec<UpstreamCommit>, GitError> {
    let log = repository.log(commit)?;
    let by_id: BTreeMap<&str, &CommitInfo> = log.iter().map(|info| (info.id.as_str(), info)).collect();
    let specs = Blobs::read(repository, commit, spec_name)?;
    let changelogs = Blobs::read(repository, commit, CHANGELOG_FILE)?;
    let objects = repository.objects()?;
    let mut contents: BTreeMap<String, Arc<[u8]>> = BTreeMap::new();
    let mut line = Vec::new();
    let mut next = log.first().map(|info| info.id.as_str());
    while let Some(info) = next.and_then(|id| by_id.get(id)) {
        let (spec, changelog) = (specs.at(&info.id), changelogs.at(&info.id));
        let same = |parent: &&String| specs.at(parent) == spec;
        let parent = info.parents.iter().find(same).or(info.parents.first());
        let before = parent.map_or(&None, |id| changelogs.at(id));
        let content = match spec {
            None => None,
            Some(id) => match contents.get(id) {
                Some(known) => Some(Arc::clone(known)),
                None => {
                    let read: Option<Arc<[u8]>> = objects.read(id)?.map(Arc::from);
                    contents.extend(read.clone().map(|content| (id.clone(), content)));
                    read
                }
            },
        };
        line.push(UpstreamCommit {
            id: info.id.clone(),
            author: info.author.clone(),
            time: info.time,
            message: info.message.clone(),
            spec: content,
            changelog: match before == changelog {
                true => ChangelogFile::Untouched,
                false => ChangelogFile::Touched,
            },
        });
        next = parent.map(String::as_str);
    }
    Ok(line)
}

/// The object id of one file at each commit of a history.
struct Blobs(BTreeMap<String, Option<String>>);

impl Blobs {
    /// One `git cat-file --batch-check` answers for all commits.
    fn read(repository: &GitRepository, commit: &str, file: &str) -> Result<Blobs, GitError> {
        let commits = repository.log(commit)?;
        let names: Vec<String> = commits.iter().map(|info| format!("{}:{file}", info.id)).collect();
        let ids = repository.ids(&names)?;
        Ok(Blobs(commits.into_iter().map(|info| info.id).zip(ids).collect()))
    }

    fn at(&self, commit: &str) -> &Option<String> {
        self.0.get(commit).unwrap_or(&None)
    }
}

/// Upstreams that are git repositories on the disk, `FOLDER/NAME.git` or `FOLDER/NAME`, and a folder of lookaside files
/// by their names. For projects that mirror their upstreams, and for tests.
#[derive(Debug, Clone)]
pub struct LocalMirror {
    /// The folder of the repositories.
    pub repositories: PathBuf,
    /// The folder of lookaside files.
    pub lookaside: PathBuf,
}

impl LocalMirror {
    fn open(&self, package: &UpstreamPackage) -> Result<GitRepository, ProviderError> {
        let candidates = [
            self.repositories.join(format!("{}.git", package.name)),
            self.repositories.join(&package.name),
        ];
        for folder in candidates.iter().filter(|folder| folder.is_dir()) {
            match GitRepository::discover(folder)? {
                Some(repository) if repository.is_top() => return Ok(repository),
                _ => {}
            }
        }
        Err(format!(
            "there is no repository of {} in {}",
            package.name,
            self.repositories.display()
        )
        .into())
    }

    fn branch(package: &UpstreamPackage) -> &str {
        package.branch.as_deref().unwrap_or("HEAD")
    }
}

impl SourceProvider for LocalMirror {
    fn resolve(&self, package: &UpstreamPackage, choice: &CommitChoice) -> Result<String, ProviderError> {
        let repository = self.open(package)?;
        let branch = Self::branch(package);
        Ok(match choice {
            CommitChoice::Pinned(commit) => repository.commit(commit)?,
            CommitChoice::Newest => repository.commit(branch)?,
            CommitChoice::Before(time) => repository
                .last_before(branch, time.unix())?
                .ok_or_else(|| format!("branch {branch} of {} has no commit before {time}", package.name))?,
        })
    }

    fn checkout(&self, package: &UpstreamPackage, commit: &str) -> Result<SourceTree, ProviderError> {
        let repository = self.open(package)?;
        let spec = repository.folder().join(package.spec_name());
        Ok(repository.tree(commit)?.source_tree(&spec)?)
    }

    fn history(&self, package: &UpstreamPackage, commit: &str) -> Result<Vec<UpstreamCommit>, ProviderError> {
        let repository = self.open(package)?;
        Ok(history_of(&repository, commit, &package.spec_name())?)
    }

    fn source_file(&self, file: &ResolvedSourceFile) -> Result<Content, ProviderError> {
        match LookasideFile::declared(file) {
            Some(file) => self.local_file(&file),
            None => Ok(std::fs::read(self.lookaside.join(file.filename.as_str()))?.into()),
        }
    }

    fn lookaside(&self, _: &UpstreamPackage, file: &LookasideFile) -> Result<Content, ProviderError> {
        self.local_file(file)
    }
}

impl LocalMirror {
    fn local_file(&self, file: &LookasideFile) -> Result<Content, ProviderError> {
        let path = self
            .lookaside
            .join(Path::new(&file.name).file_name().unwrap_or_default());
        let content = std::fs::read(&path)?;
        let found = digest(&file.hash_type, &content).ok_or_else(|| {
            format!(
                "the hash algorithm {} of {} is not known",
                file.hash_type, file.name
            )
        })?;
        match found.eq_ignore_ascii_case(&file.hash) {
            true => Ok(content.into()),
            false => Err(format!("{} has the digest {found}, not {}", path.display(), file.hash).into()),
        }
    }
}

/// The digest of a content by an algorithm's name; nothing if the algorithm is not known or too weak.
pub(crate) fn digest(algorithm: &str, content: &[u8]) -> Option<String> {
    use sha2::Digest as _;
    match algorithm.to_ascii_lowercase().as_str() {
        "sha256" => Some(hex::encode(sha2::Sha256::digest(content))),
        "sha512" => Some(hex::encode(sha2::Sha512::digest(content))),
        _ => None,
    }
}
