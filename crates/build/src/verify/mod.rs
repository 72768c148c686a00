//! Whether a build is reproducible: it is done again under varied circumstances, and the packages are compared.
//!
//! | varied | how |
//! |---|---|
//! | host name | another one |
//! | user and group of the build | other numbers |
//! | processors | one where there were several, else two |
//! | time zone, locale | others, in the environment |
//! | environment | one more variable |
//! | umask | 0077 |
//! | order of files in folders | what the build writes is in memory, where folders list their files in another order |
//! | time | later; nothing turns the clock |
//!
//! The folder of the build is the same on purpose: it is fixed for all builds. So is what the sandbox hides of the
//! machine. What was really varied is in [`Verification::varied`]: large builds do not fit into memory.

mod compare;
mod content;

pub use compare::compare;

use crate::run::{Circumstances, build_under};
use crate::{
    BuildError, BuildJob, BuildSettings, Built, Cancel, Failure, InputContent, Observer, RootSource,
};
use lazuli_sandbox::SandboxError;
use std::path::PathBuf;

/// A build writes up to so many times what its sources take, unpacked and compiled.
const GROWTH: u64 = 40;

/// What the smallest build may write to memory, in bytes.
const MEMORY_MIN: u64 = 256 << 20;

/// Which id the user of the second build has.
const OTHER_ID: u32 = 4711;

/// What is varied where the build fits into memory.
const IN_MEMORY: &str = "order of files: that of a disk, that of memory";

/// Where two builds differ.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Difference {
    /// Only one of the builds gave this package.
    OnlyIn {
        /// The package file's name.
        package: String,
        /// Which build.
        build: Which,
    },
    /// A value of the package's header differs.
    Header {
        /// The package file's name.
        package: String,
        /// What differs: a tag's name.
        tag: String,
        /// In the first build.
        first: String,
        /// In the second build.
        second: String,
    },
    /// A file is in one of the builds only.
    FileOnlyIn {
        /// The package file's name.
        package: String,
        /// The file's path.
        path: String,
        /// Which build.
        build: Which,
    },
    /// A file differs.
    File {
        /// The package file's name.
        package: String,
        /// The file's path.
        path: String,
        /// What differs, each in words: `mode 0644, 0600`, `section .text`, `content from byte 123`.
        what: Vec<String>,
    },
    /// The package files differ though all that is in them is the same: compression, order.
    Bytes {
        /// The package file's name.
        package: String,
    },
}

/// One of two builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The first.
    First,
    /// The second.
    Second,
}

impl std::fmt::Display for Which {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Second => "second",
        })
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OnlyIn { package, build } => write!(f, "{package}: only the {build} build gave it"),
            Self::Header {
                package,
                tag,
                first,
                second,
            } => write!(f, "{package}: {tag}: {first}, then {second}"),
            Self::FileOnlyIn { package, path, build } => {
                write!(f, "{package}: {path}: only in the {build} build")
            }
            Self::File { package, path, what } => write!(f, "{package}: {path}: {}", what.join("; ")),
            Self::Bytes { package } => {
                write!(
                    f,
                    "{package}: the files differ, though all that is in them is the same"
                )
            }
        }
    }
}

/// What became of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// What was varied, each in words.
    pub varied: Vec<String>,
    /// Where the builds differ; empty where the component is reproducible.
    pub differences: Vec<Difference>,
    /// The second build.
    pub second: Built,
}

impl Verification {
    /// Whether both builds gave the same.
    pub fn is_reproducible(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Builds again with all varied that may not matter, and compares with the package files of the first build, which were
/// signed by the same key. The results of the second build stay in `settings.results`.
///
/// `memory` says how many bytes what it writes may take of the machine's memory.
pub fn verify(
    job: &BuildJob,
    first: &[PathBuf],
    roots: &dyn RootSource,
    settings: &BuildSettings<'_>,
    memory: u64,
    observer: &dyn Observer,
    cancel: &Cancel,
) -> Result<Result<Verification, Failure>, BuildError> {
    let (mut circumstances, mut varied) = vary(job, memory);
    let mut outcome = build_under(job, roots, settings, observer, cancel, &circumstances);
    if circumstances.in_memory.is_some() && outcome.as_ref().is_err_and(takes_no_layers) {
        circumstances.in_memory = None;
        varied.retain(|words| words != IN_MEMORY);
        outcome = build_under(job, roots, settings, observer, cancel, &circumstances);
    }
    let second = match outcome? {
        Ok(second) => second,
        Err(failure) => return Ok(Err(failure)),
    };
    let paths: Vec<PathBuf> = second
        .packages
        .iter()
        .chain([&second.source_package])
        .map(|package| package.path.clone())
        .collect();
    Ok(Ok(Verification {
        varied,
        differences: compare(first, &paths)?,
        second,
    }))
}

/// Whether memory cannot hold what an overlay writes down: kernels before 6.6.
fn takes_no_layers(error: &BuildError) -> bool {
    matches!(error, BuildError::Sandbox { source, .. } if matches!(**source, SandboxError::NoAttributes { .. }))
}

/// Circumstances that differ from the usual in all that may not matter, and what they are in words.
fn vary(job: &BuildJob, memory: u64) -> (Circumstances, Vec<String>) {
    let usual = Circumstances::usual(job);
    let processors = if usual.processors == 1 { 2 } else { 1 };
    let size = |content: &InputContent| match content {
        InputContent::Bytes(bytes) => bytes.len() as u64,
        InputContent::Path(path) => std::fs::metadata(path).map_or(u64::MAX, |metadata| metadata.len()),
    };
    let sources = job
        .sources
        .iter()
        .fold(0u64, |sum, source| sum.saturating_add(size(&source.content)));
    let wanted = sources.saturating_mul(GROWTH).max(MEMORY_MIN);
    let in_memory = (wanted <= memory).then_some(memory);
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let circumstances = Circumstances {
        host: "another-host".to_owned(),
        id: OTHER_ID,
        processors,
        umask: 0o077,
        environment: vec![
            set("TZ", "XYZ-13:45"),
            set("LC_ALL", "C"),
            set("LANG", "et_EE.UTF-8"),
            set("LAZULI_VARIED", "something else"),
        ],
        in_memory,
    };
    let mut varied = vec![
        format!("host name: {}, {}", usual.host, circumstances.host),
        format!("user and group: {}, {OTHER_ID}", usual.id),
        format!("processors: {}, {processors}", usual.processors),
        "time zone: UTC, 13:45 hours east of it".to_owned(),
        "locale: C.UTF-8, C".to_owned(),
        "environment: one more variable".to_owned(),
        "umask: 0022, 0077".to_owned(),
        "time: later, by as much as the builds are apart".to_owned(),
    ];
    if in_memory.is_some() {
        varied.push(IN_MEMORY.to_owned());
    }
    (circumstances, varied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InputFile;

    #[test]
    fn all_is_varied_and_large_builds_stay_on_the_disk() {
        let mut job = crate::job::tests::job();
        let (circumstances, varied) = vary(&job, 1 << 30);
        let usual = Circumstances::usual(&job);
        assert_ne!(circumstances.host, usual.host);
        assert_ne!(circumstances.id, usual.id);
        assert_ne!(circumstances.umask, usual.umask);
        assert_ne!(circumstances.processors, usual.processors);
        assert_eq!(circumstances.in_memory, Some(1 << 30));
        assert_eq!(varied.len(), 9);
        job.limits.processors = 4;
        job.sources = vec![InputFile::path("gone", "/no/such/file", crate::Digest::of(b""))];
        let (circumstances, varied) = vary(&job, 1 << 30);
        assert_eq!(circumstances.processors, 1);
        assert_eq!(circumstances.in_memory, None);
        assert_eq!(varied.len(), 8);
    }
}
