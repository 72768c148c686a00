//! `[resources]`: repositories by name.

use super::{Local, Table, entry, record, replaced};
use crate::value::ResourceName;

record! {
    /// Repositories that distribution versions name in their `inputs`.
    Resources {
        /// Single repositories.
        rpm_repos: Table<ResourceName, RpmRepository>,
        /// Layouts of repositories below one address.
        rpm_repo_set_templates: Table<ResourceName, RpmRepositorySetTemplate>,
        /// Layouts at an address.
        rpm_repo_sets: Table<ResourceName, RpmRepositorySet>,
        /// Pairs of sets to compare. Kept for azldev, not applied: comparing repositories belongs to publishing.
        rpm_repo_comparisons: Table<ResourceName, RpmRepositoryComparison>,
    }
}

record! {
    /// A repository: one of `base-uri` and `metalink`.
    RpmRepository {
        /// What it is, in a line.
        description: Option<String>,
        /// The kind; `rpm-md` is the only one.
        #[serde(rename = "type")]
        kind: Option<String>,
        /// Its address: `$basearch` and `$releasever` stand for their values.
        base_uri: Option<String>,
        /// The address of its metalink.
        metalink: Option<String>,
        /// The key that its packages are signed with: an address, or a path relative to this file.
        gpg_key: Option<Local<String>>,
        /// Do not check signatures. Default: false.
        disable_gpg_check: Option<bool>,
        /// Do not check the server's certificate. Default: false.
        disable_ssl_verify: Option<bool>,
        /// Architectures that it is for. Default: all.
        arches: Vec<String>,
    }
}

record! {
    /// A layout of repositories below one address.
    RpmRepositorySetTemplate {
        /// What it is, in a line.
        description: Option<String>,
        /// Its repositories, in order.
        subrepos: Vec<SubRepository>,
    }
}

/// What a repository of a set holds.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SubRepositoryKind {
    /// Binary packages.
    #[default]
    Binary,
    /// Debug information.
    Debug,
    /// Source packages.
    Source,
}
replaced!(SubRepositoryKind);

entry! {
    /// A repository of a layout.
    SubRepository {
        /// Its name, which the set's prefix goes before.
        name: ResourceName,
        /// Its path below the address of the set.
        subpath: String,
        /// What it holds. Default: `binary`.
        kind: Option<SubRepositoryKind>,
        /// Channels that are published there. Kept, not applied: it belongs to publishing.
        #[serde(default)]
        publish_channels: Vec<String>,
    }
}

entry! {
    /// A layout at an address.
    RpmRepositorySet {
        /// What it is, in a line.
        description: Option<String>,
        /// The name of the layout.
        template: ResourceName,
        /// The address that the paths of the layout are below.
        base_uri: String,
        /// What goes before the names of its repositories.
        name_prefix: Option<String>,
        /// The key that all its packages are signed with.
        gpg_key: Option<Local<String>>,
        /// Do not check signatures. Default: false.
        disable_gpg_check: Option<bool>,
        /// Do not check the server's certificate. Default: false.
        disable_ssl_verify: Option<bool>,
        /// Packages of all channels are in it. Kept, not applied: it belongs to publishing.
        unrouted: Option<bool>,
        /// Architectures that it is for. Default: all.
        #[serde(default)]
        arches: Vec<String>,
        /// The repositories of the layout that it has. Default: all.
        #[serde(default)]
        subrepos: Vec<ResourceName>,
    }
}

entry! {
    /// Two sets of repositories to compare. Kept for azldev, not applied.
    RpmRepositoryComparison {
        /// The one set.
        left: ResourceName,
        /// The other set.
        right: ResourceName,
        /// Architectures to compare. Default: all.
        #[serde(default)]
        arches: Vec<String>,
        /// Compare the latest versions only. Default: false.
        latest_only: Option<bool>,
        /// Compare where packages are with where they should be published. Default: false.
        check_publish_routing: Option<bool>,
        /// Compare names and versions, not contents. Default: false.
        skip_checksum_comparison: Option<bool>,
        /// Leave out what only `right` has in an older version. Default: false.
        ignore_older_added_in_right: Option<bool>,
    }
}
