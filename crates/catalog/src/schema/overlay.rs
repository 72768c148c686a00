//! Overlays: changes to a spec and its sources.

use super::{Local, Placed, entry, record, replaced};

/// The 17 kinds of overlay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OverlayType {
    /// Adds a tag that must not be there yet.
    SpecAddTag,
    /// Adds a tag after the last one of its family.
    SpecInsertTag,
    /// Sets a tag, be it there or not.
    SpecSetTag,
    /// Changes a tag that must be there.
    SpecUpdateTag,
    /// Removes a tag that must be there.
    SpecRemoveTag,
    /// Puts lines at the start of a section, or of the file.
    SpecPrependLines,
    /// Puts lines at the end of a section, or of the file.
    SpecAppendLines,
    /// Replaces what a regular expression matches, which it must.
    SpecSearchReplace,
    /// Removes a section.
    SpecRemoveSection,
    /// Removes all sections of a sub-package.
    SpecRemoveSubpackage,
    /// Adds a patch.
    PatchAdd,
    /// Removes patches.
    PatchRemove,
    /// Puts lines at the start of files.
    FilePrependLines,
    /// Replaces what a regular expression matches in files, in one at least.
    FileSearchReplace,
    /// Adds a file that must not be there yet.
    FileAdd,
    /// Removes files.
    FileRemove,
    /// Renames a file within its folder.
    FileRename,
}
replaced!(OverlayType);

impl OverlayType {
    /// The name in the file: `spec-add-tag`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            OverlayType::SpecAddTag => "spec-add-tag",
            OverlayType::SpecInsertTag => "spec-insert-tag",
            OverlayType::SpecSetTag => "spec-set-tag",
            OverlayType::SpecUpdateTag => "spec-update-tag",
            OverlayType::SpecRemoveTag => "spec-remove-tag",
            OverlayType::SpecPrependLines => "spec-prepend-lines",
            OverlayType::SpecAppendLines => "spec-append-lines",
            OverlayType::SpecSearchReplace => "spec-search-replace",
            OverlayType::SpecRemoveSection => "spec-remove-section",
            OverlayType::SpecRemoveSubpackage => "spec-remove-subpackage",
            OverlayType::PatchAdd => "patch-add",
            OverlayType::PatchRemove => "patch-remove",
            OverlayType::FilePrependLines => "file-prepend-lines",
            OverlayType::FileSearchReplace => "file-search-replace",
            OverlayType::FileAdd => "file-add",
            OverlayType::FileRemove => "file-remove",
            OverlayType::FileRename => "file-rename",
        }
    }
}

entry! {
    /// One overlay. Here are the keys of all kinds; each kind needs some of them and leaves the others unread.
    Overlay {
        /// The kind of overlay.
        #[serde(rename = "type")]
        kind: OverlayType,
        /// Why it is; it is named in errors.
        description: Option<String>,
        /// Where it comes from and how long it stays. Not in the fingerprint.
        metadata: Option<OverlayMetadata>,
        /// A file that is not the spec: a glob, for the kinds that take several.
        file: Option<String>,
        /// An archive among the sources that `file` is inside of.
        archive: Option<String>,
        /// A section of the spec: `%build`. Without it, where it may be left out, the whole spec.
        section: Option<String>,
        /// A sub-package of the spec. Default: the main package.
        package: Option<String>,
        /// A tag of the spec: `BuildRequires`.
        tag: Option<String>,
        /// The tag's value.
        value: Option<String>,
        /// A regular expression. `spec-search-replace` matches it against each line by itself, `file-search-replace`
        /// against the whole file.
        regex: Option<String>,
        /// What takes the place of a match, literally; for `file-rename` the new name. Default: nothing.
        replacement: Option<String>,
        /// **Lazuli:** for the two search-replace kinds: match the whole section, spec or file as one text, in which `^`
        /// and `$` are the ends of every line and `\n` is a line's end. Default: false.
        multi_line: Option<bool>,
        /// **Lazuli:** for the two search-replace kinds: `$1`, `${1}` and `${name}` in `replacement` stand for what the
        /// groups of `regex` matched, and `$$` for a dollar sign. Default: false, the replacement is literal.
        captures: Option<bool>,
        /// Lines to put in.
        #[serde(default)]
        lines: Vec<String>,
        /// A file to take: a path relative to this file.
        source: Option<Local<String>>,
    }
}

/// Why an overlay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OverlayCategory {
    /// A change of the upstream that its next version brings.
    UpstreamBackport,
    /// The older name of `upstream-backport`.
    BackportDistGit,
    /// Something is left out.
    AzlPruning,
    /// It is needed to work here.
    AzlCompatibility,
    /// Something is missing for a while.
    AzlTempWorkaround,
    /// The older name of `azl-temp-workaround`.
    AzlDepMissingWorkaround,
    /// Names and paths of the distribution.
    AzlBrandingPolicy,
    /// Tests that fail now and then.
    AzlDisableFlakyTests,
    /// Tests that can't run here.
    AzlDisableUnsupportedTests,
    /// Rules of security.
    AzlSecurityCompliance,
    /// Release numbers and changelogs.
    AzlReleaseManagement,
    /// Architectures and platforms.
    AzlPlatformAdaptation,
}
replaced!(OverlayCategory);

/// What the upstream says to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamStatus {
    /// It has it.
    Upstreamed,
    /// It could have it.
    Upstreamable,
    /// It would have to make it possible first.
    NeedsUpstreamHook,
    /// It is nothing for it.
    Inapplicable,
    /// Nobody knows.
    Unknown,
}
replaced!(UpstreamStatus);

record! {
    /// Where a change comes from and how long it stays. It changes nothing in the result.
    OverlayMetadata {
        /// Why the change is. Required.
        category: Option<OverlayCategory>,
        /// What the upstream says to it.
        upstream_status: Option<UpstreamStatus>,
        /// The older form of `upstream-status`.
        upstreamable: Option<bool>,
        /// Commits that it brings: `{ url = "…" }`, or the address alone.
        commits: Vec<Commit>,
        /// Bugs that it is about.
        bugs: Vec<Bug>,
    }
}

/// A commit, in the form of azldev's files or in their older one.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Commit {
    /// The address alone.
    Address(String),
    /// A table with the address.
    Link(Bug),
}
replaced!(Commit);

impl Commit {
    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Commit::Address(url) => url,
            Commit::Link(link) => &link.url,
        }
    }
}

entry! {
    /// A page of a bug tracker, or of a commit.
    Bug {
        /// Its address.
        url: String,
    }
}

record! {
    /// A file of overlays, `*.overlay.toml`: one change, in one or more overlays.
    OverlayFile {
        /// Where the change comes from; it holds for all overlays of the file.
        metadata: Option<OverlayMetadata>,
        /// The overlays, in order.
        overlays: Vec<Placed<Overlay>>,
    }
}

/// Where in a spec an overlay works.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SectionTarget {
    /// In the whole file.
    WholeSpec,
    /// In one section.
    Section {
        /// Its name: `%build`.
        name: String,
        /// Its sub-package, as the section's header has it.
        package: Option<String>,
    },
}

/// What a regular expression is matched against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchMode {
    /// Each line by itself, without its end: `spec-search-replace` as azldev has it.
    EachLine,
    /// The whole text, of which `^` and `$` are the ends: `file-search-replace` as azldev has it.
    WholeText,
    /// The whole text, where `^` and `$` are the ends of every line: `multi-line = true`.
    MultiLine,
}

/// What takes the place of a match.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replacement {
    /// This text, as it is.
    Literal(String),
    /// This text, in which `$1`, `${1}` and `${name}` stand for groups and `$$` for a dollar sign: `captures = true`.
    Captures(String),
}

impl Replacement {
    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Replacement::Literal(text) | Replacement::Captures(text) => text,
        }
    }
}

/// An overlay, with what its kind needs and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[allow(
    missing_docs,
    reason = "the fields are those of the file, documented at `Overlay`"
)]
pub enum OverlayAction {
    SpecAddTag {
        package: Option<String>,
        tag: String,
        value: String,
    },
    SpecInsertTag {
        package: Option<String>,
        tag: String,
        value: String,
    },
    SpecSetTag {
        package: Option<String>,
        tag: String,
        value: String,
    },
    SpecUpdateTag {
        package: Option<String>,
        tag: String,
        value: String,
    },
    SpecRemoveTag {
        package: Option<String>,
        tag: String,
        value: Option<String>,
    },
    SpecPrependLines {
        target: SectionTarget,
        lines: Vec<String>,
    },
    SpecAppendLines {
        target: SectionTarget,
        lines: Vec<String>,
    },
    SpecSearchReplace {
        target: SectionTarget,
        regex: String,
        mode: SearchMode,
        replacement: Replacement,
    },
    SpecRemoveSection {
        section: String,
        package: Option<String>,
    },
    SpecRemoveSubpackage {
        package: String,
    },
    PatchAdd {
        source: Local<String>,
        file: Option<String>,
        package: Option<String>,
    },
    PatchRemove {
        file: String,
    },
    FilePrependLines {
        file: String,
        lines: Vec<String>,
    },
    FileSearchReplace {
        file: String,
        archive: Option<String>,
        regex: String,
        mode: SearchMode,
        replacement: Replacement,
    },
    FileAdd {
        file: String,
        source: Local<String>,
    },
    FileRemove {
        file: String,
        archive: Option<String>,
    },
    FileRename {
        file: String,
        replacement: String,
    },
}

/// An overlay lacks what its kind needs, or has what it can't have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    /// A key is missing.
    #[error("overlay `{kind}` needs the key `{key}`")]
    Missing {
        /// The kind of overlay.
        kind: &'static str,
        /// The key.
        key: &'static str,
    },
    /// A key that must not be there.
    #[error("overlay `{kind}` cannot have the key `{key}`: {reason}")]
    Unexpected {
        /// The kind of overlay.
        kind: &'static str,
        /// The key.
        key: &'static str,
        /// Why not.
        reason: &'static str,
    },
}

impl Overlay {
    /// The overlay with what its kind needs. Other keys are left unread, as azldev does.
    ///
    /// # Errors
    /// A key is missing, or contradicts another.
    pub fn action(&self) -> Result<OverlayAction, OverlayError> {
        use OverlayAction as Action;
        let package = self.package.clone().filter(|name| !name.is_empty());
        self.refuse_foreign_keys()?;
        let archive = self.archive.clone().filter(|name| !name.is_empty());
        Ok(match self.kind {
            OverlayType::SpecAddTag => Action::SpecAddTag {
                package,
                tag: self.tag()?,
                value: self.value()?,
            },
            OverlayType::SpecInsertTag => Action::SpecInsertTag {
                package,
                tag: self.tag()?,
                value: self.value()?,
            },
            OverlayType::SpecSetTag => Action::SpecSetTag {
                package,
                tag: self.tag()?,
                value: self.value()?,
            },
            OverlayType::SpecUpdateTag => Action::SpecUpdateTag {
                package,
                tag: self.tag()?,
                value: self.value()?,
            },
            OverlayType::SpecRemoveTag => Action::SpecRemoveTag {
                package,
                tag: self.tag()?,
                value: self.value().ok(),
            },
            OverlayType::SpecPrependLines => Action::SpecPrependLines {
                target: self.target()?,
                lines: self.lines()?,
            },
            OverlayType::SpecAppendLines => Action::SpecAppendLines {
                target: self.target()?,
                lines: self.lines()?,
            },
            OverlayType::SpecSearchReplace => Action::SpecSearchReplace {
                target: self.target()?,
                regex: self.regex()?,
                mode: self.mode(SearchMode::EachLine),
                replacement: self.replacement(),
            },
            OverlayType::SpecRemoveSection => Action::SpecRemoveSection {
                section: self.need("section", self.section.as_ref())?,
                package,
            },
            OverlayType::SpecRemoveSubpackage => self.remove_subpackage()?,
            OverlayType::PatchAdd => Action::PatchAdd {
                source: self.source()?,
                file: self.file.clone().filter(|name| !name.is_empty()),
                package,
            },
            OverlayType::PatchRemove => Action::PatchRemove { file: self.file()? },
            OverlayType::FilePrependLines => Action::FilePrependLines {
                file: self.file()?,
                lines: self.lines()?,
            },
            OverlayType::FileSearchReplace => Action::FileSearchReplace {
                file: self.file()?,
                archive,
                regex: self.regex()?,
                mode: self.mode(SearchMode::WholeText),
                replacement: self.replacement(),
            },
            OverlayType::FileAdd => Action::FileAdd {
                file: self.file()?,
                source: self.source()?,
            },
            OverlayType::FileRemove => Action::FileRemove {
                file: self.file()?,
                archive,
            },
            OverlayType::FileRename => {
                let replacement = self.need("replacement", self.replacement.as_ref())?;
                Action::FileRename {
                    file: self.file()?,
                    replacement,
                }
            }
        })
    }

    /// Keys that change where and how an overlay works are refused where they would have no effect.
    fn refuse_foreign_keys(&self) -> Result<(), OverlayError> {
        let takes_archives = matches!(
            self.kind,
            OverlayType::FileSearchReplace | OverlayType::FileRemove
        );
        if !takes_archives && self.archive.as_ref().is_some_and(|archive| !archive.is_empty()) {
            return Err(OverlayError::Unexpected {
                kind: self.kind.name(),
                key: "archive",
                reason: "it is for `file-search-replace` and `file-remove`",
            });
        }
        if matches!(
            self.kind,
            OverlayType::SpecSearchReplace | OverlayType::FileSearchReplace
        ) {
            return Ok(());
        }
        let given = [
            ("multi-line", self.multi_line.is_some()),
            ("captures", self.captures.is_some()),
        ];
        match given.into_iter().find(|(_, there)| *there) {
            None => Ok(()),
            Some((key, _)) => Err(OverlayError::Unexpected {
                kind: self.kind.name(),
                key,
                reason: "it is for `spec-search-replace` and `file-search-replace`",
            }),
        }
    }

    fn mode(&self, otherwise: SearchMode) -> SearchMode {
        match self.multi_line {
            Some(true) => SearchMode::MultiLine,
            _ => otherwise,
        }
    }

    fn replacement(&self) -> Replacement {
        let text = self.replacement.clone().unwrap_or_default();
        match self.captures {
            Some(true) => Replacement::Captures(text),
            _ => Replacement::Literal(text),
        }
    }

    fn missing(&self, key: &'static str) -> OverlayError {
        OverlayError::Missing {
            kind: self.kind.name(),
            key,
        }
    }

    /// An empty text counts as a missing one, as azldev has it.
    fn need(&self, key: &'static str, value: Option<&String>) -> Result<String, OverlayError> {
        value
            .filter(|text| !text.is_empty())
            .cloned()
            .ok_or_else(|| self.missing(key))
    }

    fn tag(&self) -> Result<String, OverlayError> {
        self.need("tag", self.tag.as_ref())
    }

    fn value(&self) -> Result<String, OverlayError> {
        self.need("value", self.value.as_ref())
    }

    fn file(&self) -> Result<String, OverlayError> {
        self.need("file", self.file.as_ref())
    }

    fn regex(&self) -> Result<String, OverlayError> {
        self.need("regex", self.regex.as_ref())
    }

    fn source(&self) -> Result<Local<String>, OverlayError> {
        self.source.clone().ok_or_else(|| self.missing("source"))
    }

    fn lines(&self) -> Result<Vec<String>, OverlayError> {
        if self.lines.is_empty() {
            Err(self.missing("lines"))
        } else {
            Ok(self.lines.clone())
        }
    }

    fn remove_subpackage(&self) -> Result<OverlayAction, OverlayError> {
        if self.section.as_ref().is_some_and(|section| !section.is_empty()) {
            let reason = "all sections of the sub-package are removed";
            return Err(OverlayError::Unexpected {
                kind: self.kind.name(),
                key: "section",
                reason,
            });
        }
        let package = self.need("package", self.package.as_ref())?;
        Ok(OverlayAction::SpecRemoveSubpackage { package })
    }

    fn target(&self) -> Result<SectionTarget, OverlayError> {
        let package = self.package.clone().filter(|name| !name.is_empty());
        match (self.section.clone().filter(|name| !name.is_empty()), package) {
            (Some(name), package) => Ok(SectionTarget::Section { name, package }),
            (None, None) => Ok(SectionTarget::WholeSpec),
            (None, Some(_)) => Err(OverlayError::Unexpected {
                kind: self.kind.name(),
                key: "package",
                reason: "a sub-package is part of a section, and there is no `section`",
            }),
        }
    }
}
