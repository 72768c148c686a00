//! The sections of a spec and the words that begin them.

use super::model::{BuildSectionKind, ScriptletKind, SourceKind};

/// A section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Package,
    Build(BuildSectionKind),
    Scriptlet(ScriptletKind),
    Files,
    Changelog,
    Description,
    Policies,
    List(SourceKind),
    /// `%end`: nothing but blank lines until the next section.
    End,
}

use BuildSectionKind as B;
use ScriptletKind as S;

/// The words that begin sections.
const SECTIONS: [(&str, Section); 37] = [
    ("package", Section::Package),
    ("prep", Section::Build(B::Prep)),
    ("generate_buildrequires", Section::Build(B::GenerateBuildRequires)),
    ("conf", Section::Build(B::Conf)),
    ("build", Section::Build(B::Build)),
    ("install", Section::Build(B::Install)),
    ("check", Section::Build(B::Check)),
    ("clean", Section::Build(B::Clean)),
    ("preun", Section::Scriptlet(S::Preun)),
    ("postun", Section::Scriptlet(S::Postun)),
    ("pretrans", Section::Scriptlet(S::Pretrans)),
    ("posttrans", Section::Scriptlet(S::Posttrans)),
    ("preuntrans", Section::Scriptlet(S::Preuntrans)),
    ("postuntrans", Section::Scriptlet(S::Postuntrans)),
    ("pre", Section::Scriptlet(S::Pre)),
    ("post", Section::Scriptlet(S::Post)),
    ("files", Section::Files),
    ("changelog", Section::Changelog),
    ("description", Section::Description),
    ("triggerpostun", Section::Scriptlet(S::TriggerPostun)),
    ("triggerprein", Section::Scriptlet(S::TriggerPrein)),
    ("triggerun", Section::Scriptlet(S::TriggerUn)),
    ("triggerin", Section::Scriptlet(S::TriggerIn)),
    ("trigger", Section::Scriptlet(S::TriggerIn)),
    ("verifyscript", Section::Scriptlet(S::Verify)),
    ("sepolicy", Section::Policies),
    ("filetriggerin", Section::Scriptlet(S::FileTriggerIn)),
    ("filetrigger", Section::Scriptlet(S::FileTriggerIn)),
    ("filetriggerun", Section::Scriptlet(S::FileTriggerUn)),
    ("filetriggerpostun", Section::Scriptlet(S::FileTriggerPostun)),
    ("transfiletriggerin", Section::Scriptlet(S::TransFileTriggerIn)),
    ("transfiletrigger", Section::Scriptlet(S::TransFileTriggerIn)),
    ("transfiletriggerun", Section::Scriptlet(S::TransFileTriggerUn)),
    (
        "transfiletriggerpostun",
        Section::Scriptlet(S::TransFileTriggerPostun),
    ),
    ("end", Section::End),
    ("patchlist", Section::List(SourceKind::Patch)),
    ("sourcelist", Section::List(SourceKind::Source)),
];

/// Words that are no macros, but belong to `%files`, conditionals and `%prep`.
const OTHER_WORDS: [&str; 29] = [
    "if",
    "ifarch",
    "ifnarch",
    "ifos",
    "ifnos",
    "elif",
    "elifarch",
    "elifos",
    "else",
    "endif",
    "include",
    "doc",
    "docdir",
    "license",
    "dir",
    "ghost",
    "exclude",
    "artifact",
    "readme",
    "missingok",
    "config",
    "attr",
    "defattr",
    "verify",
    "defverify",
    "lang",
    "caps",
    "pubkey",
    "setup",
];

impl Section {
    /// The section that a line begins: its first word decides, in any case, and nothing may stand before it.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let rest = line.strip_prefix('%')?;
        let end = rest
            .find(|character: char| character.is_ascii_whitespace())
            .unwrap_or(rest.len());
        let word = &rest[..end];
        SECTIONS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map(|(_, section)| *section)
    }
}

impl BuildSectionKind {
    /// The word that begins it, with its `%`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prep => "%prep",
            Self::GenerateBuildRequires => "%generate_buildrequires",
            Self::Conf => "%conf",
            Self::Build => "%build",
            Self::Install => "%install",
            Self::Check => "%check",
            Self::Clean => "%clean",
        }
    }
}

impl ScriptletKind {
    /// The word that begins it, with its `%`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pre => "%pre",
            Self::Post => "%post",
            Self::Preun => "%preun",
            Self::Postun => "%postun",
            Self::Pretrans => "%pretrans",
            Self::Posttrans => "%posttrans",
            Self::Preuntrans => "%preuntrans",
            Self::Postuntrans => "%postuntrans",
            Self::Verify => "%verifyscript",
            Self::TriggerPrein => "%triggerprein",
            Self::TriggerIn => "%triggerin",
            Self::TriggerUn => "%triggerun",
            Self::TriggerPostun => "%triggerpostun",
            Self::FileTriggerIn => "%filetriggerin",
            Self::FileTriggerUn => "%filetriggerun",
            Self::FileTriggerPostun => "%filetriggerpostun",
            Self::TransFileTriggerIn => "%transfiletriggerin",
            Self::TransFileTriggerUn => "%transfiletriggerun",
            Self::TransFileTriggerPostun => "%transfiletriggerpostun",
        }
    }
}

/// Whether a word after `%` belongs to specs as such, and is no macro that lacks its definition.
pub(crate) fn is_word_of_specs(word: &str) -> bool {
    OTHER_WORDS.contains(&word) || SECTIONS.iter().any(|(name, _)| name.eq_ignore_ascii_case(word))
}
