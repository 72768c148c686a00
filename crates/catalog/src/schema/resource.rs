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
        /// Architectures that it is for. Default: all.
        #[serde(default)]
        arches: Vec<String>,
        /// The repositories of the layout that it has. Default: all.
        #[serde(default)]
        subrepos: Vec<ResourceName>,
    }
}
