//! What can be asked for, and what comes of it.

use std::path::PathBuf;

use lazuli_catalog::value::CommitId;
use lazuli_catalog::{Sha256Digest, Timestamp};

use crate::checkout::{Checkout, FullCommit};
use crate::digest::Digest;
use crate::name::FileName;
use crate::sources_file::SourceEntry;
use crate::template::UrlTemplate;
use lazuli_upstream::{Freshness, SourceFiles};

/// A file by its digest, and where it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRequest {
    /// Its name, for messages and for what is made of it.
    pub name: FileName,
    /// Its digest: the file is never used with another.
    pub digest: Digest,
    /// Its size in bytes, where it is known.
    pub size: Option<u64>,
    /// Addresses of the same content, the first to be tried first.
    pub urls: Vec<String>,
}

/// A file of a lookaside cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookasideRequest {
    /// The address templates, the first to be tried first.
    pub templates: Vec<UrlTemplate>,
    /// The package's name upstream.
    pub package: String,
    /// The line of the file `sources`.
    pub entry: SourceEntry,
}

/// A dist-git repository: an address template with a package put in, and a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistGit {
    /// The template; `$pkg` is the only variable.
    pub template: UrlTemplate,
    /// The package's name upstream.
    pub package: String,
    /// The branch; the one that the server calls its HEAD if it is not named.
    pub branch: Option<String>,
}

/// Which commit is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitChoice {
    /// This one, on whatever branch it is.
    Pinned(CommitId),
    /// The last one on the branch (first parents, committer's date) that is not younger than a snapshot.
    Before(Timestamp),
    /// The newest on the branch.
    Head(Freshness),
}

/// A source package of a Debian archive.
#[derive(Debug, Clone)]
pub struct DebianRequest {
    /// The archive. Its cache folder is used for apt's lists.
    pub archive: lazuli_upstream::Settings,
    /// The name of the source package.
    pub package: lazuli_deb::PackageName,
    /// The version; the newest of the suites if none is named.
    pub version: Option<lazuli_deb::Version>,
    /// Which of its files.
    pub files: SourceFiles,
    /// Which lists of the archive are good enough.
    pub freshness: Freshness,
}

/// One tarball of a source package of a Debian archive.
#[derive(Debug, Clone)]
pub struct DebianFileRequest {
    /// The archive. Its cache folder is used for apt's lists.
    pub archive: lazuli_upstream::Settings,
    /// The name of the source package.
    pub package: lazuli_deb::PackageName,
    /// Its version. If none is named, any will do that has the file, the newest first: a new revision of the same
    /// upstream version has the same tarball.
    pub version: Option<lazuli_deb::Version>,
    /// The tarball, as the archive names it.
    pub file: FileName,
    /// Its digest, if it is known: then no other file is taken.
    pub digest: Option<Digest>,
    /// Which lists of the archive are good enough.
    pub freshness: Freshness,
}

/// A tarball that a Debian archive serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedTarball {
    /// Its name.
    pub name: String,
    /// Its digest.
    pub sha256: Sha256Digest,
    /// The version of the source package that it is of.
    pub version: lazuli_deb::Version,
}

/// A crate of a registry with all that it is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrateRequest {
    /// What is wanted.
    pub what: CrateSelection,
    /// The time of all files in the tarballs, in seconds since 1970.
    pub time: u64,
    /// How the tarballs are compressed.
    pub compression: Compression,
    /// The digest that the tarball of the dependencies must have, if it is locked.
    pub vendor_sha256: Option<Sha256Digest>,
}

/// Which crates are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrateSelection {
    /// A crate of the registry, with the dependencies that its own Cargo.lock names, or else the newest.
    Named {
        /// Its name.
        name: String,
        /// Its version, whole.
        version: String,
    },
    /// All crates of a registry that a Cargo.lock names.
    Lock {
        /// For messages and the names of tarballs.
        name: FileName,
        /// The content of the Cargo.lock.
        content: Vec<u8>,
    },
}

/// How a tarball is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// `.tar.zst`
    Zstd,
    /// `.tar.gz`
    Gzip,
}

/// A file in the store, whose digest was checked just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its digest, by which it is stored.
    pub sha256: Sha256Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Where it is. It must not be changed.
    pub path: PathBuf,
}

/// A stored file and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// The name.
    pub name: FileName,
    /// The file.
    pub file: StoredFile,
}

/// A Debian source package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebianSource {
    /// Its name.
    pub package: lazuli_deb::PackageName,
    /// Its version.
    pub version: lazuli_deb::Version,
    /// The suite that has it.
    pub suite: String,
    /// The source format: `3.0 (quilt)`.
    pub format: String,
    /// The upstream's own tarballs; of a native package its only one.
    pub pristine: Vec<NamedFile>,
    /// The `.dsc` file, if all files were asked for.
    pub dsc: Option<NamedFile>,
    /// What else there is, if all files were asked for: signatures, what Debian adds.
    pub others: Vec<NamedFile>,
}

/// A crate of a Cargo.lock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct LockedCrate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The digest of its `.crate` file.
    pub sha256: Sha256Digest,
}

/// Crates, packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrateSource {
    /// The crate itself, as the registry has it; `None` if a Cargo.lock was asked for.
    pub package: Option<LockedCrate>,
    /// The source of the crate itself, `NAME-VERSION/…`; `None` if a Cargo.lock was asked for.
    pub source: Option<NamedFile>,
    /// All crates that are needed, `vendor/NAME-VERSION/…`.
    pub vendor: NamedFile,
    /// The Cargo.lock.
    pub lock: NamedFile,
    /// The crates of the registry that the Cargo.lock names.
    pub crates: Vec<LockedCrate>,
}

/// One of many requests.
#[derive(Debug, Clone)]
pub enum Request {
    /// A file by its digest.
    File(FileRequest),
    /// A file of a lookaside cache.
    Lookaside(LookasideRequest),
    /// The files of a repository at a commit.
    Checkout {
        /// The repository.
        repository: DistGit,
        /// The commit.
        commit: CommitChoice,
    },
    /// The files of a repository at a commit, and all that its file `sources` names.
    DistGit {
        /// The repository.
        repository: DistGit,
        /// The commit.
        commit: CommitChoice,
        /// The lookaside cache's address templates.
        lookaside: Vec<UrlTemplate>,
    },
    /// A Debian source package.
    Debian(Box<DebianRequest>),
    /// Crates.
    Crate(CrateRequest),
}

/// What came of a [`Request`].
#[derive(Debug, Clone)]
pub enum Fetched {
    /// Of [`Request::File`] and [`Request::Lookaside`].
    File(NamedFile),
    /// Of [`Request::Checkout`] and [`Request::DistGit`].
    Checkout {
        /// The commit's files.
        checkout: Checkout,
        /// What its file `sources` names, in its order; empty for [`Request::Checkout`].
        sources: Vec<NamedFile>,
    },
    /// Of [`Request::Debian`].
    Debian(DebianSource),
    /// Of [`Request::Crate`].
    Crate(CrateSource),
}

/// The commit that a [`CommitChoice`] means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedCommit {
    /// The commit.
    pub commit: FullCommit,
    /// Its committer's date, in seconds since 1970.
    pub commit_time: i64,
}
