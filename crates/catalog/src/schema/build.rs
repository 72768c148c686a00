//! How a component is built from source: build options, release numbers, rendering and source files.

use super::{Local, Table, entry, record, replaced};
use crate::value::{AbsolutePath, DependencyText, FileName, HexDigest, PackageName, SourceVersion};

record! {
    /// Build options.
    Build {
        /// Conditionals to turn on: `--with`.
        with: Vec<String>,
        /// Conditionals to turn off: `--without`.
        without: Vec<String>,
        /// Macros to define.
        defines: Table<String, String>,
        /// Macros to undefine.
        undefines: Vec<String>,
        /// Put the origin of the sources into the package.
        emit_upstream_provenance: Option<bool>,
        /// The `%check` section.
        check: Option<Check>,
        /// What is known of failing builds.
        failure: Option<BuildFailure>,
        /// Hints for whoever schedules builds.
        hints: Option<BuildHints>,
        /// **Lazuli:** what the build takes from the imported packages though a component provides it, so that components
        /// which need each other can be built: names of components, or what the spec requires, as it requires it.
        bootstrap: Vec<DependencyText>,
        /// **Lazuli:** what may be in its packages that others may not have.
        allow: Option<BuildAllow>,
    }
}

record! {
    /// Settings of the `%check` section.
    Check {
        /// Skip it. Default: false.
        skip: Option<bool>,
        /// Why; required with `skip`.
        #[serde(rename = "skip_reason")]
        skip_reason: Option<String>,
    }
}

record! {
    /// What is known of failing builds.
    BuildFailure {
        /// The build is expected to fail. Default: false.
        expected: Option<bool>,
        /// Why; required with `expected`.
        expected_reason: Option<String>,
    }
}

record! {
    /// Hints for whoever schedules builds.
    BuildHints {
        /// The build takes much time or memory. Default: false.
        expensive: Option<bool>,
    }
}

record! {
    /// **Lazuli:** what may be in the packages of a component that others may not have: each a word of somebody who has looked.
    BuildAllow {
        /// Files that may be setuid or setgid.
        setuid: Vec<AbsolutePath>,
        /// Files and folders that everybody may write to.
        world_writable: Vec<AbsolutePath>,
        /// Files that may have capabilities.
        capabilities: Vec<AbsolutePath>,
        /// Files outside the folders of packages.
        outside: Vec<AbsolutePath>,
        /// Names of libraries, as `libz.so.1`, that may go though the build before had them.
        lost_sonames: Vec<String>,
        /// Programs and libraries without a build-id.
        without_build_id: Vec<AbsolutePath>,
        /// Files that may name the folder in which they were built.
        build_paths: Vec<AbsolutePath>,
    }
}

/// How the release number comes about.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseCalculation {
    /// By what stands in the spec: `%autorelease`, or a number that is counted up.
    #[default]
    Auto,
    /// The spec uses `%autorelease`.
    Autorelease,
    /// The spec has a number, which is counted up.
    Static,
    /// The component does it by itself.
    Manual,
}
replaced!(ReleaseCalculation);

record! {
    /// The release number.
    Release {
        /// How it comes about. Default: `auto`.
        calculation: Option<ReleaseCalculation>,
    }
}

record! {
    /// How the spec is rendered.
    Render {
        /// Keep files that no `Source` or `Patch` names. Default: false.
        skip_file_filter: Option<bool>,
    }
}

/// Hash algorithms of source files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub enum HashType {
    /// SHA-256.
    #[serde(rename = "SHA256")]
    Sha256,
    /// SHA-512.
    #[serde(rename = "SHA512")]
    Sha512,
}
replaced!(HashType);

entry! {
    /// A source file that is not in dist-git or the lookaside cache.
    SourceFile {
        /// Its name among the sources.
        filename: FileName,
        /// Its digest, in hexadecimal digits.
        hash: Option<HexDigest>,
        /// The algorithm of the digest; required with `hash`.
        hash_type: Option<HashType>,
        /// Where it comes from.
        origin: Option<Origin>,
        /// It takes the place of the upstream's file of the same name. Default: false.
        replace_upstream: Option<bool>,
        /// Why; required with `replace-upstream`.
        replace_reason: Option<String>,
    }
}

/// Kinds of origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OriginType {
    /// Downloaded from `uri`.
    Download,
    /// Made by a script.
    Custom,
    /// Made by an overlay.
    Overlay,
    /// **Lazuli:** a tarball of a Debian source package: `package`, and where needed `archive-filename` and `version`.
    DebianSource,
    /// **Lazuli:** a crate of the registry, or the crates that it needs: `name`, `version` and `part`.
    Crate,
}
replaced!(OriginType);

/// Which file of a crate is meant.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CratePart {
    /// A tarball of the crate itself, its files below `NAME-VERSION/`.
    #[default]
    Source,
    /// A tarball of all crates that its Cargo.lock names, their files below `vendor/NAME-VERSION/`.
    Vendor,
    /// The Cargo.lock that `vendor` is made by: the crate's own, or else one with the newest crates that fit.
    Lock,
}
replaced!(CratePart);

entry! {
    /// Where a source file comes from.
    Origin {
        /// The kind of origin.
        #[serde(rename = "type")]
        kind: OriginType,
        /// The address, for `download`.
        uri: Option<String>,
        /// The script, for `custom`.
        script: Option<Local<String>>,
        /// Packages that the script needs.
        #[serde(default)]
        packages: Vec<String>,
        /// The older name of `packages`.
        #[serde(default)]
        mock_packages: Vec<String>,
        /// Names of source files that the script reads: the upstream's, or earlier ones of this list.
        #[serde(default)]
        inputs: Vec<FileName>,
        /// **Lazuli:** the name of the source package, for `debian-source`. It is taken from the archive that the
        /// distribution's own version is imported from, and its signatures are checked.
        package: Option<PackageName>,
        /// **Lazuli:** the file as the archive names it, for `debian-source`. Default: `filename`.
        archive_filename: Option<FileName>,
        /// **Lazuli:** the crate, for `crate`.
        name: Option<PackageName>,
        /// **Lazuli:** for `crate`, its version. For `debian-source`, the version of the source package; where none is
        /// given, any is taken that has the file with this digest, so that a new revision changes nothing.
        version: Option<SourceVersion>,
        /// **Lazuli:** which file of the crate, for `crate`. A tarball is compressed as the end of `filename` says:
        /// `.tar.zst`, `.tar.gz`, `.tgz` or `.crate`. Default: `source`.
        part: Option<CratePart>,
    }
}
