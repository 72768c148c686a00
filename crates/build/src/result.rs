//! What becomes of a build.

use crate::check::Finding;
use crate::{BuildKey, ContentDigest, Digest, PackageSet, Phase};
use lazuli_rpm::Nevra;
use std::path::PathBuf;
use std::time::Duration;

/// A package that came out, signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltPackage {
    /// Name, EVR, architecture (`src` for the source package).
    pub nevra: Nevra,
    /// Where it is.
    pub path: PathBuf,
    /// Of the signed file.
    pub digest: Digest,
    /// What it does to those who use it.
    pub content: ContentDigest,
    /// Bytes of the file.
    pub size: u64,
}

/// A build that gave packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The folder of the results, with the packages, `build.log.zst`, `provenance.json`.
    pub folder: PathBuf,
    /// The binary packages, by name.
    pub packages: Vec<BuiltPackage>,
    /// The source package.
    pub source_package: BuiltPackage,
    /// What the check of the results found; nothing among it is an error.
    pub findings: Vec<Finding>,
    /// What it depended on.
    pub key: BuildKey,
    /// Build requirements that `%generate_buildrequires` added.
    pub generated: Vec<String>,
    /// The packages of the buildroot, those for the generated requirements included.
    pub buildroot: PackageSet,
    /// The log, zstd.
    pub log: PathBuf,
    /// The in-toto statement.
    pub provenance: PathBuf,
    /// How long it took, from the buildroot to the signatures.
    pub elapsed: Duration,
    /// How long each phase took.
    pub phases: Vec<(Phase, Duration)>,
    /// The most memory that it took, in bytes, where that is known.
    pub peak_memory: Option<u64>,
    /// The sandbox, where it was asked to be kept.
    pub kept: Option<Kept>,
}

/// A build that gave no packages. That is no error of the builder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub reason: FailureReason,
    /// What it was doing.
    pub phase: Phase,
    /// The last lines of the log.
    pub last_lines: Box<[String]>,
    /// The log, zstd; `None` where nothing ran.
    pub log: Option<PathBuf>,
    /// How long it took.
    pub elapsed: Duration,
    /// The sandbox, where it was asked to be kept.
    pub kept: Option<Kept>,
}

/// Why a build gave no packages.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureReason {
    /// rpmbuild ended like this: its exit code, or a signal.
    Command {
        /// In words.
        status: String,
    },
    /// It took longer than it may.
    TimedOut {
        /// How long it may take.
        limit: Duration,
    },
    /// It reached a limit: memory, processes, disk.
    Limit {
        /// Which, in words.
        what: String,
    },
    /// Its requirements cannot be met.
    Requirements {
        /// In words.
        problem: String,
    },
    /// `%generate_buildrequires` wanted more each time.
    EndlessRequirements {
        /// How often it was run.
        rounds: usize,
    },
    /// What came out may not be used.
    Findings(Vec<Finding>),
    /// Somebody stopped it.
    Cancelled,
}

impl std::fmt::Display for FailureReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command { status } => write!(f, "rpmbuild failed: {status}"),
            Self::TimedOut { limit } => write!(f, "it took longer than {} s", limit.as_secs()),
            Self::Limit { what } => write!(f, "it reached its limit of {what}"),
            Self::Requirements { problem } => write!(f, "its build requirements cannot be met: {problem}"),
            Self::EndlessRequirements { rounds } => {
                write!(
                    f,
                    "%generate_buildrequires still wants more after {rounds} rounds"
                )
            }
            Self::Findings(findings) => {
                let errors = findings.iter().filter(|f| f.is_error()).count();
                write!(f, "{errors} findings in its packages do not let them be used")
            }
            Self::Cancelled => f.write_str("it was stopped"),
        }
    }
}

/// The sandbox of a build that was kept for a person to look at. It stays until [`Kept::remove`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its folder.
    pub folder: PathBuf,
}
