//! Who is told of a build while it runs.

use std::time::Duration;

/// What a build is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Finding or making the layers of the buildroot.
    Buildroot,
    /// Putting spec and sources in place.
    Inputs,
    /// `%generate_buildrequires`.
    GenerateRequirements,
    /// `%prep`.
    Prep,
    /// `%conf`, of rpm 4.18 and later.
    Conf,
    /// `%build`.
    Build,
    /// `%install`.
    Install,
    /// `%check`.
    Check,
    /// Dependencies are found and packages written.
    Package,
    /// Results are checked.
    Findings,
    /// Results are signed and put where they belong.
    Finish,
}

impl Phase {
    /// Its name as people know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Buildroot => "buildroot",
            Self::Inputs => "inputs",
            Self::GenerateRequirements => "%generate_buildrequires",
            Self::Prep => "%prep",
            Self::Conf => "%conf",
            Self::Build => "%build",
            Self::Install => "%install",
            Self::Check => "%check",
            Self::Package => "packages",
            Self::Findings => "check of results",
            Self::Finish => "sign",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What happens in a build.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A phase begins.
    Phase(Phase),
    /// A line of the log, output or errors, without its end; what is not UTF-8 was replaced.
    Line {
        /// Since the build began.
        at: Duration,
        /// The line.
        text: &'a str,
    },
    /// What could not be done as it should, and was done in another way.
    Note(&'a str),
}

/// Is told of a build while it runs, from the thread that builds or from one that it started.
pub trait Observer: Sync {
    /// Something happened. It must not block for long: the build waits.
    fn event(&self, event: &Event<'_>);
}

/// Is not interested.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Observer for Quiet {
    fn event(&self, _event: &Event<'_>) {}
}
