//! A component as it is for one version of a distribution.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::build::{resolve_build, resolve_source_file};
use super::declare::resolve_declare;
use super::overlay::{OverlaySource, resolve_overlay};
use super::{BuildSettings, Declarations, Fault, ResolvedDistro, ResolvedOverlay, ResolvedSourceFile};
use crate::schema::{self, ComponentScope, GenerateType, Layer as _, ListRule, MaintainerScript, SpecType};
use crate::value::{
    AbsolutePath, Architecture, CommitId, ComponentName, DependencyText, DistroName, DistroVersion,
    GroupName, NamePattern, PackageName, PathGlob, PathMatcher, ProgramName, Sha256Digest, Timestamp,
};

/// A layer of configuration that a component was made of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerOrigin {
    /// `[distros.X.import]`.
    DistroImport,
    /// `[distros.X.versions.V.default-component-config]`.
    DistroVersion,
    /// `[default-component-config]`.
    Project,
    /// `[component-groups.G.default-component-config]`.
    Group(GroupName),
    /// The path of a spec that `specs` of `[component-groups.G]` matches.
    SpecFile(GroupName),
    /// `[component-templates.T.default-component-config]`.
    Template(GroupName),
    /// A value of an axis of `[component-templates.T]`.
    TemplateValue {
        /// The template.
        template: GroupName,
        /// The axis.
        axis: String,
        /// The value.
        value: ComponentName,
    },
    /// `[components.C]`.
    Component,
}

impl LayerOrigin {
    /// Whether it is of one component alone, and not something that it inherits.
    #[must_use]
    pub fn is_own(&self) -> bool {
        match self {
            LayerOrigin::DistroImport
            | LayerOrigin::DistroVersion
            | LayerOrigin::Project
            | LayerOrigin::Group(_) => false,
            LayerOrigin::SpecFile(_)
            | LayerOrigin::Template(_)
            | LayerOrigin::TemplateValue { .. }
            | LayerOrigin::Component => true,
        }
    }
}

/// In the words of a configuration file: what stands in the brackets.
impl fmt::Display for LayerOrigin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LayerOrigin::DistroImport => out.write_str("import defaults of the distribution"),
            LayerOrigin::DistroVersion => out.write_str("distribution version"),
            LayerOrigin::Project => out.write_str("project"),
            LayerOrigin::Group(group) => write!(out, "group {group}"),
            LayerOrigin::SpecFile(group) => write!(out, "spec of group {group}"),
            LayerOrigin::Template(template) => write!(out, "template {template}"),
            LayerOrigin::TemplateValue {
                template,
                axis,
                value,
            } => write!(out, "template {template}, {axis} {value}"),
            LayerOrigin::Component => out.write_str("component"),
        }
    }
}

/// A component as it is for one version of a distribution: everything inherited, defaults filled in.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResolvedComponent {
    /// Its name.
    pub name: ComponentName,
    /// The file that defines it; the root file for one that is not defined.
    pub file: PathBuf,
    /// Where its content comes from.
    pub source: Source,
    /// Who gets its packages.
    pub scope: ComponentScope,
    /// What it declares.
    pub declare: Declarations,
    /// Changes to its spec and sources, in the order in which they are applied.
    pub overlays: Vec<ResolvedOverlay>,
    /// How it is built, rendered and numbered.
    pub build: BuildSettings,
    /// Source files that are declared beside the spec.
    pub source_files: Vec<ResolvedSourceFile>,
    /// The merged configuration, for what is not part of the fields above.
    pub config: schema::Component,
    /// The layers that it was made of, the earliest first.
    pub layers: Vec<LayerOrigin>,
}

/// Where a component's content comes from.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A binary package of the upstream.
    Import(ImportSource),
    /// A spec that is built.
    Spec(SpecSource),
    /// The catalog itself.
    Generate(GenerateSource),
}

/// A binary package of the upstream, and what changes in it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImportSource {
    /// The upstream's binary package, or a pattern of packages.
    pub package: NamePattern,
    /// The name of what is made, where it is not the upstream's.
    pub name: Option<PackageName>,
    /// Requirements to leave out.
    pub drop_requires: Vec<NamePattern>,
    /// Requirements to put in.
    pub add_requires: Vec<DependencyText>,
    /// Requirements to put in the place of those on a package.
    pub replace_requires: BTreeMap<PackageName, DependencyText>,
    /// Recommendations to leave out.
    pub drop_recommends: Vec<NamePattern>,
    /// Recommendations to put in.
    pub add_recommends: Vec<DependencyText>,
    /// Suggestions and enhancements to leave out.
    pub drop_suggests: Vec<NamePattern>,
    /// Provides to leave out.
    pub drop_provides: Vec<NamePattern>,
    /// Provides to put in.
    pub add_provides: Vec<DependencyText>,
    /// Conflicts, breaks and replacements to leave out.
    pub drop_conflicts: Vec<NamePattern>,
    /// Conflicts to put in.
    pub add_conflicts: Vec<DependencyText>,
    /// Obsoletes to put in.
    pub add_obsoletes: Vec<DependencyText>,
    /// Files to leave out.
    pub exclude_files: Vec<PathGlob>,
    /// Files to keep all the same.
    pub keep_files: Vec<PathGlob>,
    /// The licence, where it is not the copyright file's.
    pub license: Option<String>,
    /// Scripts that a person has read.
    pub reviewed: Vec<Review>,
}

/// A maintainer script that a person has read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Review {
    /// Which script.
    pub script: MaintainerScript,
    /// The digest of the text that was read.
    pub sha256: Sha256Digest,
    /// What the person found.
    pub note: String,
}

impl ImportSource {
    /// What decides which files stay.
    pub fn file_filter(&self) -> impl Fn(&str) -> bool + use<> {
        let (exclude, keep) = (
            PathMatcher::new(&self.exclude_files),
            PathMatcher::new(&self.keep_files),
        );
        move |path| !exclude.matches(path) || keep.matches(path)
    }

    /// The note of the person who has read exactly this script, if someone has.
    #[must_use]
    pub fn review(&self, script: MaintainerScript, text: &[u8]) -> Option<&str> {
        let digest = Sha256Digest::of(text);
        let found = self
            .reviewed
            .iter()
            .find(|one| one.script == script && one.sha256 == digest);
        found.map(|review| review.note.as_str())
    }
}

/// Where a spec comes from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpecSource {
    /// A file of the project.
    Local {
        /// The spec.
        path: PathBuf,
    },
    /// A distribution's dist-git.
    Upstream {
        /// The distribution.
        distro: DistroName,
        /// Its version; the distribution's default if it is not named.
        version: Option<DistroVersion>,
        /// The component's name there.
        name: String,
        /// The commit, if it is pinned.
        commit: Option<CommitId>,
        /// Take the last commit before this time.
        snapshot: Option<Timestamp>,
    },
}

/// A package that is made from the catalog.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GenerateSource {
    /// What it is made of.
    pub kind: Generated,
    /// One line on the package.
    pub summary: String,
    /// Some lines on the package.
    pub description: String,
    /// The licence, SPDX.
    pub license: String,
    /// The page of the package.
    pub url: Option<String>,
    /// The version, if one is set; else the distribution's release version, or the program's.
    pub version: Option<String>,
    /// The release number.
    pub release: String,
    /// The architecture, if one is set; else none, or of a program that of the build.
    pub architecture: Option<Architecture>,
    /// What it needs.
    pub requires: Vec<DependencyText>,
    /// What it recommends.
    pub recommends: Vec<DependencyText>,
    /// What it provides.
    pub provides: Vec<DependencyText>,
    /// What it conflicts with.
    pub conflicts: Vec<DependencyText>,
    /// What it obsoletes.
    pub obsoletes: Vec<DependencyText>,
}

/// What a generated package is made of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generated {
    /// The identity of the distribution.
    Release,
    /// A program of this workspace.
    Program {
        /// The program.
        name: ProgramName,
        /// Where it goes.
        path: AbsolutePath,
    },
    /// Nothing but declarations and relations.
    Declared,
}

/// The source that a layer names, if it names one.
fn named_source(layer: &schema::Component) -> Option<&'static str> {
    let spec = layer
        .spec
        .as_ref()
        .is_some_and(|spec| spec.kind != Some(SpecType::Unset));
    // The keys of one table exclude each other; the loader has refused more than one.
    match (spec, layer.import.is_some(), layer.generate.is_some()) {
        (true, ..) => Some("spec"),
        (_, true, _) => Some("import"),
        (_, _, true) => Some("generate"),
        _ => None,
    }
}

/// Lays the layers of a component over each other and makes the domain type of the result.
pub(crate) fn resolve_component(
    name: &ComponentName,
    file: &Path,
    distro: &ResolvedDistro,
    layers: Vec<(LayerOrigin, schema::Component)>,
    overlay_files: &[OverlaySource<'_>],
    snapshot: Option<Timestamp>,
) -> Result<ResolvedComponent, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut overlays = Vec::new();
    let mut config = schema::Component::default();
    let mut origins = Vec::with_capacity(layers.len());
    let mut kind = None;
    for (origin, layer) in layers {
        // The distribution's import defaults say how to import, not what is imported.
        if origin != LayerOrigin::DistroImport {
            kind = named_source(&layer).or(kind);
        }
        for one in &layer.overlays {
            resolve_overlay(one, None, &origin, &mut overlays, &mut faults);
        }
        origins.push(origin);
        config.absorb(layer, ListRule::Append);
    }
    for source in overlay_files {
        for one in &source.file.overlays {
            resolve_overlay(
                one,
                source.file.metadata.as_ref(),
                &source.layer,
                &mut overlays,
                &mut faults,
            );
        }
    }
    let source = match kind {
        Some("spec") => resolve_spec(name, &config, snapshot).map(Source::Spec),
        Some("generate") => resolve_generate(name, distro, &config).map(Source::Generate),
        Some(_) => Ok(Source::Import(resolve_import(name, &config))),
        None if distro.upstream.is_some() => Ok(Source::Import(resolve_import(name, &config))),
        None => Err(Fault::new(format!("component `{name}` has no source")).help(format!(
            "give it `spec`, `import` or `generate`, or give version `{}` of `{}` an `upstream` to import from",
            distro.version, distro.name
        ))),
    };
    let declare = resolve_declare(config.declare.as_ref(), distro, &mut faults);
    match source {
        Ok(source) if faults.is_empty() => {
            let (name, file) = (name.clone(), file.to_owned());
            Ok(ResolvedComponent {
                name,
                file,
                source,
                scope: config.scope.unwrap_or_default(),
                declare,
                overlays,
                build: resolve_build(&config),
                source_files: config.source_files.iter().map(resolve_source_file).collect(),
                config,
                layers: origins,
            })
        }
        Ok(_) => Err(faults),
        Err(fault) => {
            faults.insert(0, fault);
            Err(faults)
        }
    }
}

fn resolve_import(name: &ComponentName, config: &schema::Component) -> ImportSource {
    let import = config.import.clone().unwrap_or_default();
    ImportSource {
        package: import.package.unwrap_or_else(|| NamePattern::from(name)),
        name: import.name,
        drop_requires: import.drop_requires,
        add_requires: import.add_requires,
        replace_requires: import.replace_requires.0,
        drop_recommends: import.drop_recommends,
        add_recommends: import.add_recommends,
        drop_suggests: import.drop_suggests,
        drop_provides: import.drop_provides,
        add_provides: import.add_provides,
        drop_conflicts: import.drop_conflicts,
        add_conflicts: import.add_conflicts,
        add_obsoletes: import.add_obsoletes,
        exclude_files: import.exclude_files,
        keep_files: import.keep_files,
        license: import.license.map(String::from),
        reviewed: import
            .reviewed
            .into_iter()
            .map(|one| Review {
                script: one.script,
                sha256: one.sha256,
                note: one.note.into(),
            })
            .collect(),
    }
}

fn resolve_spec(
    name: &ComponentName,
    config: &schema::Component,
    snapshot: Option<Timestamp>,
) -> Result<SpecSource, Fault> {
    let spec = config.spec.clone().unwrap_or_default();
    match (spec.kind, spec.path, spec.upstream_distro) {
        (Some(SpecType::Local), Some(path), _) => Ok(SpecSource::Local { path: path.resolve() }),
        (Some(SpecType::Local), None, _) => {
            Err(Fault::new(format!("component `{name}` has a local spec without a `path`"))
                .at(&["spec"])
                .help("name the file: `spec = { type = \"local\", path = \"NAME.spec\" }`"))
        }
        (Some(SpecType::Upstream), _, Some(distro)) => Ok(SpecSource::Upstream {
            distro: distro.name,
            version: distro.version,
            name: spec.upstream_name.unwrap_or_else(|| name.to_string()),
            commit: spec.upstream_commit,
            snapshot: distro.snapshot.or(snapshot),
        }),
        (Some(SpecType::Upstream), _, None) => {
            Err(Fault::new(format!("component `{name}` has an upstream spec, but nothing says of which distribution"))
                .at(&["spec"])
                .help("add `upstream-distro = { name = \"…\" }` here or to the distribution's `default-component-config`"))
        }
        (Some(SpecType::Unset) | None, ..) => Err(Fault::new(format!("the `spec` of component `{name}` has no `type`"))
            .at(&["spec"])
            .help("the type is `local` or `upstream`")),
    }
}

fn resolve_generate(
    name: &ComponentName,
    distro: &ResolvedDistro,
    config: &schema::Component,
) -> Result<GenerateSource, Fault> {
    let Some(generate) = config.generate.clone() else {
        return Err(Fault::new(format!("component `{name}` has no `generate`")));
    };
    let invalid = |error: crate::InvalidValue| Fault::new(error.to_string()).at(&["generate"]);
    let kind = match generate.kind {
        GenerateType::Release => Generated::Release,
        GenerateType::Declared => Generated::Declared,
        GenerateType::Program => {
            let program = generate
                .program
                .map_or_else(|| ProgramName::new(name.as_str()), Ok)
                .map_err(invalid)?;
            let default_path = || AbsolutePath::new(format!("/usr/bin/{program}"));
            let path = generate.path.map_or_else(default_path, Ok).map_err(invalid)?;
            Generated::Program { name: program, path }
        }
    };
    let summary = generate
        .summary
        .map_or_else(|| format!("{name} of {}", distro.release.name), String::from);
    Ok(GenerateSource {
        kind,
        description: generate.description.unwrap_or_else(|| summary.clone()),
        summary,
        license: generate.license.map_or_else(|| "MIT".to_owned(), String::from),
        url: generate.url.map(String::from),
        version: generate.version.map(String::from),
        release: generate.release.map_or_else(|| "1".to_owned(), String::from),
        architecture: generate.architecture,
        requires: generate.requires,
        recommends: generate.recommends,
        provides: generate.provides,
        conflicts: generate.conflicts,
        obsoletes: generate.obsoletes,
    })
}
