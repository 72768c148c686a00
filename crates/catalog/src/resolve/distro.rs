//! A version of a distribution.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Fault;
use crate::schema;
use crate::value::{
    AccountName, Architecture, ArchiveComponent, DistroName, DistroVersion, PackageName, SuiteName,
};

/// Where Debian's own package puts the keys of its archive.
const DEFAULT_KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A version of a distribution, with everything that components of it inherit.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResolvedDistro {
    /// The key in `[distros]`.
    pub name: DistroName,
    /// The key in `[distros.X.versions]`.
    pub version: DistroVersion,
    /// What it is, in a line; the version's own words, or else the distribution's.
    pub description: Option<String>,
    /// The release version: `VERSION_ID`, `$releasever`.
    pub release_version: String,
    /// `VERSION_CODENAME`.
    pub codename: Option<String>,
    /// `SUPPORT_END`.
    pub support_end: Option<String>,
    /// How it presents itself.
    pub release: ReleaseInfo,
    /// The archive that components are imported from.
    pub upstream: Option<ResolvedUpstream>,
    /// The base that packages are built in: packages that are imported or made from the catalog, without what they need.
    pub buildroot: Vec<PackageName>,
    /// Numeric ids of users by name.
    pub user_ids: BTreeMap<AccountName, u32>,
    /// Numeric ids of groups by name.
    pub group_ids: BTreeMap<AccountName, u32>,
    /// Address template of dist-git.
    pub dist_git_base_uri: Option<String>,
    /// The branch in dist-git.
    pub dist_git_branch: Option<String>,
    /// Address template of the lookaside cache.
    pub lookaside_base_uri: Option<String>,
    /// From where source files of components from this distribution may come.
    pub origins: OriginPolicy,
}

/// From where source files may come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OriginPolicy {
    /// From the lookaside cache, or else from their own origins.
    #[default]
    Any,
    /// From the lookaside cache only: `disable-origins = true`.
    LookasideOnly,
}

/// How a distribution presents itself, as os-release(5) has it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are the os-release fields of their names")]
pub struct ReleaseInfo {
    pub id: String,
    pub id_like: Vec<String>,
    pub name: String,
    pub vendor_name: Option<String>,
    pub vendor_url: Option<String>,
    pub home_url: Option<String>,
    pub documentation_url: Option<String>,
    pub support_url: Option<String>,
    pub bug_report_url: Option<String>,
    pub ansi_color: Option<String>,
    /// Where hosts find packages; with `$releasever` and `$basearch` in it.
    pub repository_url: Option<String>,
}

/// An archive that components are imported from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolvedUpstream {
    /// A Debian archive.
    Debian(DebianUpstream),
}

/// A Debian archive.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DebianUpstream {
    /// Suites, the base first.
    pub suites: Vec<SuiteName>,
    /// Components of the archive; never empty.
    pub components: Vec<ArchiveComponent>,
    /// Architectures; never empty.
    pub architectures: Vec<Architecture>,
    /// The keyring file with the keys that sign the archive.
    pub keyring: PathBuf,
}

impl ResolvedDistro {
    /// The Debian archive, if that is where components come from.
    #[must_use]
    pub fn debian(&self) -> Option<&DebianUpstream> {
        match &self.upstream {
            Some(ResolvedUpstream::Debian(upstream)) => Some(upstream),
            None => None,
        }
    }

    /// `NAME VERSION (CODENAME)`: `PRETTY_NAME`.
    #[must_use]
    pub fn pretty_name(&self) -> String {
        match &self.codename {
            Some(codename) => format!("{} {} ({codename})", self.release.name, self.release_version),
            None => format!("{} {}", self.release.name, self.release_version),
        }
    }
}

pub(crate) fn resolve_distro(
    name: &DistroName,
    version: &DistroVersion,
    distro: &schema::Distro,
    entry: &schema::DistroVersionEntry,
) -> Result<ResolvedDistro, Fault> {
    let Some(release_version) = entry.release_ver.clone() else {
        return Err(Fault::new(format!(
            "version `{version}` of distribution `{name}` has no `release-ver`"
        ))
        .at(&["versions", version.as_str()])
        .help(format!("add `release-ver = \"{version}\"`")));
    };
    let upstream = entry
        .upstream
        .as_ref()
        .map(|upstream| resolve_upstream(upstream, version))
        .transpose()?;
    let ids = distro.ids.clone().unwrap_or_default();
    Ok(ResolvedDistro {
        name: name.clone(),
        version: version.clone(),
        description: entry.description.clone().or_else(|| distro.description.clone()),
        release_version,
        codename: entry.codename.as_ref().map(ToString::to_string),
        support_end: entry.support_end.as_ref().map(ToString::to_string),
        release: release_info(name, distro.release.as_ref()),
        upstream,
        buildroot: entry.buildroot.clone().unwrap_or_default().packages,
        user_ids: ids.users.0,
        group_ids: ids.groups.0,
        dist_git_base_uri: distro.dist_git_base_uri.clone(),
        dist_git_branch: entry.dist_git_branch.clone(),
        lookaside_base_uri: distro.lookaside_base_uri.clone(),
        origins: match distro.disable_origins {
            Some(true) => OriginPolicy::LookasideOnly,
            _ => OriginPolicy::Any,
        },
    })
}

fn resolve_upstream(upstream: &schema::Upstream, version: &DistroVersion) -> Result<ResolvedUpstream, Fault> {
    let schema::UpstreamType::Debian = upstream.kind;
    if upstream.suites.is_empty() {
        return Err(Fault::new("an upstream needs at least one suite")
            .at(&["versions", version.as_str(), "upstream", "suites"])
            .help("name the suites, the base first: `suites = [\"trixie\", \"trixie-updates\"]`"));
    }
    let or_default = |components: Vec<ArchiveComponent>| match components.is_empty() {
        true => ArchiveComponent::new("main").into_iter().collect(),
        false => components,
    };
    let architectures = match upstream.architectures.is_empty() {
        true => vec![Architecture::X86_64],
        false => upstream.architectures.clone(),
    };
    let keyring = upstream
        .keyring
        .as_ref()
        .map_or_else(|| PathBuf::from(DEFAULT_KEYRING), schema::Local::resolve);
    Ok(ResolvedUpstream::Debian(DebianUpstream {
        suites: upstream.suites.clone(),
        components: or_default(upstream.components.clone()),
        architectures,
        keyring,
    }))
}

fn release_info(distro: &DistroName, release: Option<&schema::DistroRelease>) -> ReleaseInfo {
    let release = release.cloned().unwrap_or_default();
    let id = release.id.map_or_else(|| distro.to_string(), String::from);
    ReleaseInfo {
        name: release.name.map_or_else(|| id.clone(), String::from),
        id,
        id_like: release.id_like.into_iter().map(String::from).collect(),
        vendor_name: release.vendor_name.map(String::from),
        vendor_url: release.vendor_url.map(String::from),
        home_url: release.home_url.map(String::from),
        documentation_url: release.documentation_url.map(String::from),
        support_url: release.support_url.map(String::from),
        bug_report_url: release.bug_report_url.map(String::from),
        ansi_color: release.ansi_color.map(String::from),
        repository_url: release.repository_url.map(String::from),
    }
}
