//! Overlays: changes to a spec and its sources.

use super::{Local, entry, record, replaced};

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
        /// A regular expression, matched line by line.
        regex: Option<String>,
        /// What takes the place of a match, literally; for `file-rename` the new name. Default: nothing.
        replacement: Option<String>,
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
        /// Addresses of commits that it brings.
        commits: Vec<String>,
        /// Bugs that it is about.
        bugs: Vec<Bug>,
    }
}

entry! {
    /// A bug.
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
        overlays: Vec<Overlay>,
    }
}

/// Where in a spec an overlay works.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// An overlay, with what its kind needs and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        replacement: String,
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
        replacement: String,
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
        let replacement = self.replacement.clone().unwrap_or_default();
        let archive = self.archive.clone();
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
                replacement,
            },
            OverlayType::SpecRemoveSection => Action::SpecRemoveSection {
                section: self.need("section", self.section.as_ref())?,
                package,
            },
            OverlayType::SpecRemoveSubpackage => self.remove_subpackage()?,
            OverlayType::PatchAdd => Action::PatchAdd {
                source: self.source()?,
                file: self.file.clone(),
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
                replacement,
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
