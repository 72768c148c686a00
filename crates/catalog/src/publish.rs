//! Where packages are published, and from which repositories builds take theirs.

use crate::catalog::Catalog;
use crate::resolve::{
    Channel, PackageKind, RepositoryAddress, ResolvedComponent, ResolvedDistro, ResolvedPublication,
    ResolvedRepository, ServerCheck, SignatureCheck, SigningKey,
};
use crate::schema::{self, Package, RpmRepository};
use crate::value::PackageName;

/// What repositories are used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepositoryPurpose {
    /// Building packages: `inputs.rpm-build`.
    PackageBuild,
    /// Building images: `inputs.image-build`.
    ImageBuild,
}

/// The channels of a package as far as they are laid over each other.
#[derive(Default)]
struct Channels {
    rpm: Option<String>,
    debuginfo: Option<String>,
    /// The older `channel`, for where `rpm` stays empty.
    older: Option<String>,
}

impl Channels {
    fn lay(&mut self, package: Option<&Package>) {
        let Some(publish) = package.and_then(|package| package.publish.as_ref()) else {
            return;
        };
        lay(&mut self.rpm, publish.rpm_channel.as_ref());
        lay(&mut self.debuginfo, publish.debuginfo_channel.as_ref());
        lay(&mut self.older, publish.channel.as_ref());
    }
}

/// An empty text says nothing, as azldev has it.
fn lay(channel: &mut Option<String>, later: Option<&String>) {
    if let Some(later) = later.filter(|later| !later.is_empty()) {
        *channel = Some(later.clone());
    }
}

impl Catalog {
    /// Where a package of a component is published. Later ones win: the project's `default-package-config`, the
    /// component's `publish`, the package's group, the component's `default-package-config` and its entry for the package.
    #[must_use]
    pub fn publication(&self, component: &ResolvedComponent, package: &PackageName) -> ResolvedPublication {
        let config = &component.config;
        let publish = config.publish.clone().unwrap_or_default();
        let mut channels = Channels::default();
        channels.lay(self.config.default_package_config.as_ref());
        lay(&mut channels.rpm, publish.rpm_channel.as_ref());
        lay(&mut channels.debuginfo, publish.debuginfo_channel.as_ref());
        let group = self.package_groups.get(package);
        let group = group.and_then(|group| self.config.package_groups.get(group));
        channels.lay(group.and_then(|group| group.default_package_config.as_ref()));
        channels.lay(config.default_package_config.as_ref());
        channels.lay(config.packages.get(package));
        ResolvedPublication {
            kind: PackageKind::of(package),
            rpm: Channel::from(channels.rpm.or(channels.older)),
            debuginfo: Channel::from(channels.debuginfo),
            source: Channel::from(publish.srpm_channel),
        }
    }

    /// The repositories that builds for a version of a distribution use, in the order of its `inputs`, each once.
    #[must_use]
    pub fn repositories(
        &self,
        distro: &ResolvedDistro,
        purpose: RepositoryPurpose,
    ) -> Vec<ResolvedRepository> {
        let version = self
            .config
            .distros
            .get(&distro.name)
            .and_then(|one| one.versions.get(&distro.version));
        let inputs = version
            .and_then(|version| version.inputs.clone())
            .unwrap_or_default();
        let uses = match purpose {
            RepositoryPurpose::PackageBuild => inputs.rpm_build,
            RepositoryPurpose::ImageBuild => inputs.image_build,
        };
        let all = self.all_repositories();
        let mut found: Vec<ResolvedRepository> = Vec::new();
        for one in uses {
            let named = all
                .iter()
                .filter(|(set, repository)| match (&one.repo, &one.set) {
                    (Some(repo), _) => repository.id == repo.as_str(),
                    (None, Some(name)) => *set == Some(name.as_str()),
                    (None, None) => false,
                });
            for (_, repository) in named {
                if !found.iter().any(|earlier| earlier.id == repository.id) {
                    found.push(repository.clone());
                }
            }
        }
        found
    }

    /// All repositories: single ones, and those of sets with the names of these.
    fn all_repositories(&self) -> Vec<(Option<&str>, ResolvedRepository)> {
        let Some(resources) = &self.config.resources else {
            return Vec::new();
        };
        let single = resources
            .rpm_repos
            .iter()
            .filter_map(|(name, one)| Some((None, resolve_repository(name.as_str(), one)?)));
        let of_sets = resources.rpm_repo_sets.iter().flat_map(|(name, set)| {
            let template = resources.rpm_repo_set_templates.get(&set.template);
            let all = template.into_iter().flat_map(|template| &template.subrepos);
            let taken = all.filter(|one| set.subrepos.is_empty() || set.subrepos.contains(&one.name));
            taken.map(move |one| (Some(name.as_str()), resolve_of_set(set, one)))
        });
        single.chain(of_sets).collect()
    }
}

fn resolve_repository(name: &str, one: &RpmRepository) -> Option<ResolvedRepository> {
    // The loader has refused those that have none or both.
    let address = match (&one.base_uri, &one.metalink) {
        (Some(uri), _) => RepositoryAddress::BaseUri(uri.clone()),
        (None, Some(uri)) => RepositoryAddress::Metalink(uri.clone()),
        (None, None) => return None,
    };
    Some(ResolvedRepository {
        id: name.to_owned(),
        description: one.description.clone(),
        address,
        kind: schema::SubRepositoryKind::Binary,
        signatures: signatures(one.gpg_key.as_ref(), one.disable_gpg_check),
        server: server(one.disable_ssl_verify),
        architectures: one.arches.clone(),
    })
}

fn resolve_of_set(set: &schema::RpmRepositorySet, one: &schema::SubRepository) -> ResolvedRepository {
    let prefix = set.name_prefix.as_deref().unwrap_or_default();
    ResolvedRepository {
        id: format!("{prefix}{}", one.name),
        description: set.description.clone(),
        address: RepositoryAddress::BaseUri(format!(
            "{}/{}",
            set.base_uri.trim_end_matches('/'),
            one.subpath
        )),
        kind: one.kind.unwrap_or_default(),
        signatures: signatures(set.gpg_key.as_ref(), set.disable_gpg_check),
        server: server(set.disable_ssl_verify),
        architectures: set.arches.clone(),
    }
}

fn signatures(key: Option<&schema::Local<String>>, disabled: Option<bool>) -> SignatureCheck {
    match (key, disabled) {
        (_, Some(true)) | (None, _) => SignatureCheck::Unchecked,
        (Some(key), _) if key.is_address() => {
            SignatureCheck::Checked(SigningKey::Address(key.as_str().to_owned()))
        }
        (Some(key), _) => SignatureCheck::Checked(SigningKey::File(key.resolve())),
    }
}

fn server(disabled: Option<bool>) -> ServerCheck {
    match disabled {
        Some(true) => ServerCheck::Unchecked,
        _ => ServerCheck::Checked,
    }
}
