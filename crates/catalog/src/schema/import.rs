//! **Lazuli's own:** the sources `import` and `generate` of a component.

use super::{Table, entry, record, replaced};
use crate::value::{
    AbsolutePath, Architecture, DependencyText, Line, NamePattern, PackageName, PathGlob, ProgramName,
    Sha256Digest, Url,
};

record! {
    /// Take a binary package of the distribution version's `upstream`: its files as they are, its relations mapped, its
    /// install scripts dropped. What the scripts did is recognised, or declared in `declare` and reviewed here.
    ///
    /// In the relations below, a pattern takes a name or a file's path with `*` and `?`; names are those of the upstream,
    /// before anything is added. Each list only grows on the way from the distribution's defaults to the component.
    Import {
        /// The upstream's binary package. Default: the component's name. With wildcards it means every package that
        /// matches and that no other component imports by its exact name: `linux-image-*-cloud-amd64`.
        package: Option<NamePattern>,
        /// The name of the package that is made, where it is not the upstream's: for a part of a package beside the rest.
        name: Option<PackageName>,
        /// Requirements (Depends, Pre-Depends) to leave out. Where one alternative of `a | b` matches, all of them go:
        /// what can be left out in one way can be left out.
        drop_requires: Vec<NamePattern>,
        /// Requirements to put in.
        add_requires: Vec<DependencyText>,
        /// Requirements to put in the place of others: `exim4 = "(exim4 or postfix)"`.
        replace_requires: Table<PackageName, DependencyText>,
        /// Recommendations to leave out.
        drop_recommends: Vec<NamePattern>,
        /// Recommendations to put in.
        add_recommends: Vec<DependencyText>,
        /// Suggestions and enhancements to leave out.
        drop_suggests: Vec<NamePattern>,
        /// What is provided, to leave out.
        drop_provides: Vec<NamePattern>,
        /// What is provided, to put in.
        add_provides: Vec<DependencyText>,
        /// Conflicts, breaks and replacements to leave out.
        drop_conflicts: Vec<NamePattern>,
        /// Conflicts to put in.
        add_conflicts: Vec<DependencyText>,
        /// Packages that this one takes the place of.
        add_obsoletes: Vec<DependencyText>,
        /// Files to leave out: globs of absolute paths after the move to `/usr`. A folder goes with all that is in it.
        exclude_files: Vec<PathGlob>,
        /// Files to keep although `exclude-files` matches them.
        keep_files: Vec<PathGlob>,
        /// The licence as an SPDX expression, where it cannot be read from the package's copyright file.
        license: Option<Line>,
        /// Maintainer scripts that a person has read, and of which all that matters is declared.
        reviewed: Vec<ReviewedScript>,
    }
}

/// The scripts of a Debian package.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum MaintainerScript {
    /// Before the files are unpacked.
    Preinst,
    /// After the files are unpacked.
    Postinst,
    /// Before the files are removed.
    Prerm,
    /// After the files are removed.
    Postrm,
    /// Questions for the administrator.
    Config,
    /// Triggers that the package waits for or sets off.
    Triggers,
}
replaced!(MaintainerScript);

impl MaintainerScript {
    /// The file's name in the control archive.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            MaintainerScript::Preinst => "preinst",
            MaintainerScript::Postinst => "postinst",
            MaintainerScript::Prerm => "prerm",
            MaintainerScript::Postrm => "postrm",
            MaintainerScript::Config => "config",
            MaintainerScript::Triggers => "triggers",
        }
    }
}

entry! {
    /// A maintainer script that a person has read.
    ReviewedScript {
        /// Which script.
        script: MaintainerScript,
        /// The digest of exactly that text; any change asks for a new review.
        sha256: Sha256Digest,
        /// What it does, and where that is declared or why it is not needed.
        note: Line,
    }
}

/// What a package is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GenerateType {
    /// The identity of the distribution, made from `[distros.X.release]`: os-release, issue, and what `declare` adds.
    Release,
    /// A program of this workspace.
    Program,
    /// Nothing but what `declare` says, and the relations below.
    Declared,
}
replaced!(GenerateType);

entry! {
    /// Make the package from the catalog.
    Generate {
        /// What it is made of.
        #[serde(rename = "type")]
        kind: GenerateType,
        /// The program, for `program`. Default: the component's name.
        program: Option<ProgramName>,
        /// Where the program goes. Default: `/usr/bin/` and its name.
        path: Option<AbsolutePath>,
        /// One line on the package.
        summary: Option<Line>,
        /// Some lines on the package.
        description: Option<String>,
        /// The licence as an SPDX expression. Default: `MIT`.
        license: Option<Line>,
        /// The page of the package.
        url: Option<Url>,
        /// The version. Default: the distribution's release version; of a program, the program's.
        version: Option<Line>,
        /// The release number. Default: `1`.
        release: Option<Line>,
        /// The architecture, if it is for one only. Default: `noarch`, of a program that of the build.
        architecture: Option<Architecture>,
        /// What it needs.
        #[serde(default)]
        requires: Vec<DependencyText>,
        /// What it recommends.
        #[serde(default)]
        recommends: Vec<DependencyText>,
        /// What it provides.
        #[serde(default)]
        provides: Vec<DependencyText>,
        /// What it cannot be installed beside.
        #[serde(default)]
        conflicts: Vec<DependencyText>,
        /// What it takes the place of.
        #[serde(default)]
        obsoletes: Vec<DependencyText>,
    }
}
