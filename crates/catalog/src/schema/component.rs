//! `[components]`: what is packaged, and from where.

use super::{
    Build, Declare, DistroReference, Generate, Import, Local, Overlay, OverrideList, Package, Placed,
    Release, Render, SourceFile, Table, TestReference, record, replaced,
};
use crate::value::{Architecture, CommitId, DistroVersion, FileGlob, GroupName, PackageName};

record! {
    /// A component, or what components inherit. An empty table is a component with all its defaults.
    ///
    /// A component has one source: `spec` (built), `import` (an upstream's binary package) or `generate` (made from the
    /// catalog). The last layer that has one of them decides. Where no layer has one, a component of a distribution
    /// version with an `upstream` is imported from there.
    Component {
        /// Where the spec comes from.
        spec: Option<Spec>,
        /// The release number.
        release: Option<Release>,
        /// Changes to the spec and its sources, in order.
        overlays: Vec<Placed<Overlay>>,
        /// Files of overlays (`*.overlay.toml`), applied after `overlays` in the order of this list, and of file names
        /// within a glob. A later layer's list takes the place of an earlier one's; an empty one turns it off.
        ///
        /// A component's own entries are relative to this file, and each must match. Of `default-component-config` at the
        /// top of a file, an entry with `{component}` as a folder is relative to that file, and stands for every component:
        /// each folder with a match becomes one. An inherited entry without it is relative to the file that defines the
        /// component, and need not match.
        overlay_files: Option<OverrideList<Local<FileGlob>>>,
        /// Build options.
        build: Option<Build>,
        /// How the spec is rendered.
        render: Option<Render>,
        /// More source files.
        source_files: Vec<SourceFile>,
        /// Settings of single binary packages, by exact name.
        packages: Table<PackageName, Package>,
        /// Settings of all its binary packages. Kept for older projects.
        default_package_config: Option<Package>,
        /// Where its packages are published.
        publish: Option<ComponentPublish>,
        /// Tests of the component. Kept, not applied: it belongs to testing.
        tests: Option<ComponentTests>,
        /// Kept for older projects, not applied: `[component-templates]` makes components of its own.
        templates: Vec<GroupName>,
        /// **Lazuli:** the component exists in these versions of the distribution only. Default: in all.
        versions: Option<OverrideList<DistroVersion>>,
        /// **Lazuli:** the component exists for these architectures only. Default: for all.
        architectures: Option<OverrideList<Architecture>>,
        /// **Lazuli:** who gets its packages. Default: `distribution`.
        scope: Option<ComponentScope>,
        /// **Lazuli:** take an upstream's binary package.
        import: Option<Import>,
        /// **Lazuli:** make the package from the catalog.
        generate: Option<Generate>,
        /// **Lazuli:** what install scripts would do elsewhere: users, directories, units, links and more, as data.
        declare: Option<Declare>,
        /// **Lazuli:** what is added in one version of the distribution, after what holds in all:
        /// `[components.X.per-version.1.declare]`.
        per_version: Table<DistroVersion, VersionAdditions>,
    }
}

record! {
    /// **Lazuli:** what a component adds in one version of the distribution. Lists grow, set values override.
    VersionAdditions {
        /// Of its import: reviews of scripts that only this version's package has, and the like.
        import: Option<Import>,
        /// Of its declarations.
        declare: Option<Declare>,
    }
}

/// Who gets the packages of a component.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentScope {
    /// Images and hosts: they are in the distribution's repository.
    #[default]
    Distribution,
    /// Buildroots only: they are in a repository of their own, and an image is made without them.
    Build,
}
replaced!(ComponentScope);

record! {
    /// Tests of a component.
    ComponentTests {
        /// Names of tests and groups.
        tests: Vec<TestReference>,
    }
}

/// Kinds of spec source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SpecType {
    /// A file of this project.
    Local,
    /// A distribution's dist-git.
    Upstream,
    /// Not said; as if the key were missing.
    #[serde(rename = "")]
    Unset,
}
replaced!(SpecType);

record! {
    /// Where the spec comes from.
    Spec {
        /// The kind of source. Required, but in defaults.
        #[serde(rename = "type")]
        kind: Option<SpecType>,
        /// The spec, for `local`: a path relative to this file.
        path: Option<Local<String>>,
        /// The distribution, for `upstream`.
        upstream_distro: Option<DistroReference>,
        /// The component's name in that distribution. Default: its name here.
        upstream_name: Option<String>,
        /// The commit in dist-git; it goes before a snapshot.
        upstream_commit: Option<CommitId>,
    }
}

record! {
    /// Where a component's packages are published.
    ComponentPublish {
        /// The channel of binary packages; `none` is not published.
        rpm_channel: Option<String>,
        /// The channel of the source package.
        srpm_channel: Option<String>,
        /// The channel of debug information.
        debuginfo_channel: Option<String>,
    }
}
