//! `[distros]`: distributions, their versions and their upstreams.

use super::{Component, Import, Layer, ListRule, Local, Table, entry, record, replaced};
use crate::value::{
    AccountName, Architecture, ArchiveComponent, DistroName, DistroVersion, Line, PackageName, ResourceName,
    SuiteName, Timestamp, Url,
};

record! {
    /// A distribution that is built here or that sources are taken from.
    Distro {
        /// What it is, in a line.
        description: Option<String>,
        /// The version that is meant when none is named.
        default_version: Option<DistroVersion>,
        /// Address template of its dist-git repositories: `$pkg` stands for the package.
        dist_git_base_uri: Option<String>,
        /// Address template of its lookaside cache: `$pkg`, `$filename`, `$hashtype` and `$hash` stand for their values.
        lookaside_base_uri: Option<String>,
        /// Its package repositories. Kept, not applied: `[resources]` and `inputs` name what builds use.
        repos: Vec<PackageRepository>,
        /// Take source files from the lookaside cache only, never from their own origins.
        disable_origins: Option<bool>,
        /// Its versions.
        versions: Table<DistroVersion, DistroVersionEntry>,
        /// **Lazuli:** how the distribution presents itself, in os-release and elsewhere.
        release: Option<DistroRelease>,
        /// **Lazuli:** what every imported component inherits, before all other defaults.
        import: Option<Import>,
        /// **Lazuli:** numeric ids of the users and groups that packages declare by name.
        ids: Option<FixedIds>,
    }
}

record! {
    /// One version of a distribution.
    DistroVersionEntry {
        /// What it is, in a line.
        description: Option<String>,
        /// The release version, `VERSION_ID` of os-release and `$releasever` of repositories. Required.
        release_ver: Option<String>,
        /// The branch of this version in dist-git repositories.
        dist_git_branch: Option<String>,
        /// What every component of this version inherits.
        default_component_config: Option<Component>,
        /// mock's configuration. Kept, not applied.
        mock_config: Option<Local<String>>,
        /// mock's configuration for x86_64. Kept, not applied.
        #[serde(rename = "mock-config-x86_64")]
        mock_config_x86_64: Option<Local<String>>,
        /// mock's configuration for aarch64. Kept, not applied.
        #[serde(rename = "mock-config-aarch64")]
        mock_config_aarch64: Option<Local<String>>,
        /// Repositories that builds of this version may use.
        inputs: Option<Inputs>,
        /// **Lazuli:** the version's name, `VERSION_CODENAME` of os-release.
        codename: Option<Line>,
        /// **Lazuli:** the day on which support ends, `SUPPORT_END` of os-release: `2031-06-30`.
        support_end: Option<Line>,
        /// **Lazuli:** the archive that components are imported from.
        upstream: Option<Upstream>,
        /// **Lazuli:** what packages are built in.
        buildroot: Option<Buildroot>,
    }
}

record! {
    /// **Lazuli:** what every package is built in, before what its spec asks for.
    Buildroot {
        /// Packages that are imported or made from the catalog: with all that they need, they are the base. What is not in
        /// the distribution itself is imported for builds only, as components with `scope = "build"` are.
        packages: Vec<PackageName>,
    }
}

record! {
    /// Repositories that builds use.
    Inputs {
        /// For building packages.
        rpm_build: Vec<RepositoryUse>,
        /// For building images.
        image_build: Vec<RepositoryUse>,
    }
}

record! {
    /// A repository of `[resources]`: exactly one of the two keys.
    RepositoryUse {
        /// The name of a repository.
        repo: Option<ResourceName>,
        /// The name of a repository set.
        set: Option<ResourceName>,
    }
}

entry! {
    /// A package repository of a distribution.
    PackageRepository {
        /// Its address: `$releasever` stands for the version.
        base_uri: String,
    }
}

/// A reference to a distribution.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DistroReference {
    /// The key of the distribution in `[distros]`.
    pub name: DistroName,
    /// The key of its version. Default: the distribution's `default-version`.
    pub version: Option<DistroVersion>,
    /// Take sources as they were at this time, RFC 3339. Not in a component of its own: it is inherited from defaults, or
    /// else from the project's `default-distro`.
    pub snapshot: Option<Timestamp>,
}

impl Layer for DistroReference {
    /// A version belongs to its distribution, and does not stay when another one is named; a snapshot does.
    fn absorb(&mut self, later: Self, _: ListRule) {
        if later.version.is_some() || later.name != self.name {
            self.version = later.version;
        }
        self.name = later.name;
        self.snapshot = later.snapshot.or(self.snapshot.take());
    }
}

record! {
    /// **Lazuli:** how a distribution presents itself; the keys are those of os-release(5).
    DistroRelease {
        /// `ID`: lower-case letters, digits, `.`, `_` and `-`. Default: the key of the distribution.
        id: Option<Line>,
        /// `ID_LIKE`: ids of the distributions that it is close to.
        id_like: Vec<Line>,
        /// `NAME`: "Lazuli Linux". Default: the id.
        name: Option<Line>,
        /// `VENDOR_NAME`.
        vendor_name: Option<Line>,
        /// `VENDOR_URL`.
        vendor_url: Option<Url>,
        /// `HOME_URL`.
        home_url: Option<Url>,
        /// `DOCUMENTATION_URL`.
        documentation_url: Option<Url>,
        /// `SUPPORT_URL`.
        support_url: Option<Url>,
        /// `BUG_REPORT_URL`.
        bug_report_url: Option<Url>,
        /// Where hosts find the distribution's packages: `$releasever` and `$basearch` stand for their values. It goes
        /// into the repository file of the release package. Default: no repository file.
        repository_url: Option<Url>,
        /// `ANSI_COLOR`: parameters of a terminal's SGR sequence, such as `0;34`.
        ansi_color: Option<Line>,
    }
}

record! {
    /// **Lazuli:** numeric ids that stay the same in every image and on every host.
    FixedIds {
        /// Users: `sshd = 74`.
        users: Table<AccountName, u32>,
        /// Groups: `ssh-keys = 101`. A user's own group, if it is not named here, has the user's id.
        groups: Table<AccountName, u32>,
    }
}

/// Kinds of upstream archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamType {
    /// A Debian archive: signed `InRelease`, `Packages` indices and `.deb` files.
    Debian,
}
replaced!(UpstreamType);

entry! {
    /// **Lazuli:** the archive that components of a distribution version are imported from.
    ///
    /// The mirror is not part of the project: it is the one of the machine's own apt configuration, or that of the
    /// environment variable `LAZULI_DEBIAN_MIRROR`.
    Upstream {
        /// The kind of archive.
        #[serde(rename = "type")]
        kind: UpstreamType,
        /// Suites, of which later ones only add or update: `["trixie", "trixie-updates", "trixie-security"]`.
        suites: Vec<SuiteName>,
        /// Components of the archive. Default: `["main"]`.
        #[serde(default)]
        components: Vec<ArchiveComponent>,
        /// Architectures that are locked and imported. Default: `["x86_64"]`.
        #[serde(default)]
        architectures: Vec<Architecture>,
        /// The keyring with the archive's signing keys: a path, relative to this file, or absolute.
        /// Default: `/usr/share/keyrings/debian-archive-keyring.gpg`.
        keyring: Option<Local<String>>,
    }
}
