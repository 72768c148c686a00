//! Who is told of a run.

use super::error::WorkshopError;
use super::result_file::ComponentResult;
use super::verified::Verified;
use crate::{Event, Kept, KeyChange, Phase};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Where a result was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HitFrom {
    /// It is there from an earlier run.
    Results,
    /// In the cache.
    Cache,
}

/// Why a component is built.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Why {
    /// Somebody wants it anew.
    Forced,
    /// It was never built here.
    New,
    /// Its last build failed.
    FailedBefore,
    /// Its result is not there any more.
    Gone,
    /// What it depends on is not as it was.
    Changed {
        /// What differs.
        fields: Vec<KeyChange>,
    },
}

/// A build that gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureReport {
    /// Why.
    pub reason: String,
    /// What to do next, where that is known.
    pub help: Option<String>,
    /// What it was doing; nothing where it did not begin.
    pub phase: Option<Phase>,
    /// The last lines of its log.
    pub last_lines: Vec<String>,
    /// Its log.
    pub log: Option<PathBuf>,
    /// How long it took.
    pub elapsed: Duration,
    /// Its sandbox, where it was asked to be kept.
    pub kept: Option<Kept>,
    /// Whether it failed only since somebody stopped it.
    pub is_cancelled: bool,
}

/// What happens in a run.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// The result is there.
    Hit {
        /// Where it was found.
        from: HitFrom,
    },
    /// It must be built.
    Miss {
        /// Why.
        why: &'a Why,
    },
    /// Its build begins.
    Started {
        /// The processors that it should use.
        cores: NonZeroUsize,
    },
    /// Something happens in its build.
    Build(&'a Event<'a>),
    /// It was built.
    Built {
        /// What came out.
        result: &'a ComponentResult,
    },
    /// It was not.
    Failed {
        /// Why.
        failure: &'a FailureReport,
    },
    /// It was built again, to see whether it is reproducible.
    Verified {
        /// What became of it.
        found: &'a Verified,
    },
    /// Something could not be done as it should; the build goes on.
    Note {
        /// What, in words.
        text: &'a str,
    },
}

/// Is told of a run, from the threads that build.
pub trait Watcher: Sync {
    /// Something happened to a component. It must not block for long: the build waits.
    fn notice(&self, component: &str, notice: &Notice<'_>);
}

/// Is not interested.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Watcher for Silent {
    fn notice(&self, _component: &str, _notice: &Notice<'_>) {}
}

/// A failure before anything ran.
pub(super) fn unstarted(reason: String) -> Box<FailureReport> {
    Box::new(FailureReport {
        reason,
        help: None,
        phase: None,
        last_lines: Vec::new(),
        log: None,
        elapsed: Duration::ZERO,
        kept: None,
        is_cancelled: false,
    })
}

/// A failure of the builder, with its causes.
pub(super) fn report(error: &WorkshopError) -> Box<FailureReport> {
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !reason.contains(&text) {
            reason.push_str(&format!(": {text}"));
        }
        cause = error.source();
    }
    let mut failure = unstarted(reason);
    failure.help = error.help();
    failure
}
