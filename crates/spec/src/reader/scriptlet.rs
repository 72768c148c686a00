//! Scripts that packages carry, as values.

use super::model::{Comparison, Position};

/// Which scriptlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScriptletKind {
    /// `%pre`
    Pre,
    /// `%post`
    Post,
    /// `%preun`
    Preun,
    /// `%postun`
    Postun,
    /// `%pretrans`
    Pretrans,
    /// `%posttrans`
    Posttrans,
    /// `%preuntrans`, of newer rpm.
    Preuntrans,
    /// `%postuntrans`, of newer rpm.
    Postuntrans,
    /// `%verifyscript`
    Verify,
    /// `%triggerprein`
    TriggerPrein,
    /// `%triggerin`, `%trigger`
    TriggerIn,
    /// `%triggerun`
    TriggerUn,
    /// `%triggerpostun`
    TriggerPostun,
    /// `%filetriggerin`, `%filetrigger`
    FileTriggerIn,
    /// `%filetriggerun`
    FileTriggerUn,
    /// `%filetriggerpostun`
    FileTriggerPostun,
    /// `%transfiletriggerin`, `%transfiletrigger`
    TransFileTriggerIn,
    /// `%transfiletriggerun`
    TransFileTriggerUn,
    /// `%transfiletriggerpostun`
    TransFileTriggerPostun,
}

impl ScriptletKind {
    /// Whether it waits for other packages or for files.
    #[must_use]
    pub fn is_trigger(self) -> bool {
        self >= Self::TriggerPrein
    }

    /// Whether it waits for files.
    #[must_use]
    pub fn is_file_trigger(self) -> bool {
        self >= Self::FileTriggerIn
    }
}

/// A script that a package carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scriptlet {
    /// Which.
    pub kind: ScriptletKind,
    /// The line of its section.
    pub position: Position,
    /// The interpreter and its arguments; `<lua>` is rpm's own.
    pub interpreter: Vec<String>,
    /// The script, without blank lines after it; empty if there is an interpreter only.
    pub script: String,
    /// The file that `-f` gives: the script comes from it when the package is built.
    pub file: Option<String>,
    /// What a trigger waits for: packages, or prefixes of paths.
    pub conditions: Vec<TriggerCondition>,
    /// The priority of a file trigger, from `-P`.
    pub priority: u32,
    /// Whether the script is expanded again when it is run (`-e`), and formatted with the package's tags (`-q`).
    pub expand: ScriptExpansion,
}

/// What is done with a script before it is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScriptExpansion {
    /// `-e`: its macros are expanded.
    pub macros: bool,
    /// `-q`: the package's tags are put in.
    pub query_format: bool,
}

/// A package or a prefix of paths that a trigger waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerCondition {
    /// The name of the package, or the prefix.
    pub name: String,
    /// Its version.
    pub constraint: Option<(Comparison, String)>,
}
