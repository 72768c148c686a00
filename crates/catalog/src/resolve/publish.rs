//! Channels of packages, and repositories.

use std::path::PathBuf;

use crate::schema::SubRepositoryKind;
use crate::value::{Architecture, PackageName};

/// The channel name that says that a package is not published.
const NOT_PUBLISHED: &str = "none";

/// Where a package is published.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Nothing says where.
    Unset,
    /// Nowhere: `none`.
    NotPublished,
    /// In this channel.
    Named(String),
}

impl From<Option<String>> for Channel {
    fn from(name: Option<String>) -> Channel {
        match name {
            None => Channel::Unset,
            Some(name) if name.is_empty() => Channel::Unset,
            Some(name) if name == NOT_PUBLISHED => Channel::NotPublished,
            Some(name) => Channel::Named(name),
        }
    }
}

/// What a binary package holds, as far as it decides on its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageKind {
    /// Programs and what else is installed.
    Binary,
    /// What debuggers need: its name ends in `-debuginfo` or `-debugsource`.
    DebugInfo,
}

impl PackageKind {
    /// The kind of the package of that name.
    #[must_use]
    pub fn of(package: &PackageName) -> PackageKind {
        match package.as_str() {
            name if name.ends_with("-debuginfo") || name.ends_with("-debugsource") => PackageKind::DebugInfo,
            _ => PackageKind::Binary,
        }
    }
}

/// Where the packages of a component are published, for one binary package of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResolvedPublication {
    /// What the package holds.
    pub kind: PackageKind,
    /// The channel for binary packages.
    pub rpm: Channel,
    /// The channel for debug information.
    pub debuginfo: Channel,
    /// The channel of the component's source package.
    pub source: Channel,
}

impl ResolvedPublication {
    /// The channel of the package itself.
    #[must_use]
    pub fn channel(&self) -> &Channel {
        match self.kind {
            PackageKind::Binary => &self.rpm,
            PackageKind::DebugInfo => &self.debuginfo,
        }
    }
}

/// A repository that builds use.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResolvedRepository {
    /// Its name; of one of a set, with the set's prefix.
    pub id: String,
    /// What it is, in a line.
    pub description: Option<String>,
    /// Where it is: `$basearch` and `$releasever` stand for their values.
    pub address: RepositoryAddress,
    /// What it holds.
    pub kind: SubRepositoryKind,
    /// Whether signatures of packages are checked.
    pub signatures: SignatureCheck,
    /// Whether the server's certificate is checked.
    pub server: ServerCheck,
    /// The architectures that it is for; empty for all.
    pub architectures: Vec<String>,
}

impl ResolvedRepository {
    /// Whether it has packages of an architecture.
    #[must_use]
    pub fn is_for(&self, architecture: Architecture) -> bool {
        self.architectures.is_empty() || self.architectures.iter().any(|one| one == architecture.rpm())
    }
}

/// Where a repository is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepositoryAddress {
    /// At this address.
    BaseUri(String),
    /// At the addresses that the metalink there names.
    Metalink(String),
}

/// Whether signatures are checked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureCheck {
    /// They are not.
    Unchecked,
    /// They are, with this key.
    Checked(SigningKey),
}

/// Whether the certificate of a server is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerCheck {
    /// It is not.
    Unchecked,
    /// It is.
    Checked,
}

/// Where a key is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SigningKey {
    /// In a file.
    File(PathBuf),
    /// At this address.
    Address(String),
}
