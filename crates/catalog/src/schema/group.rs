//! `[component-groups]`, `[package-groups]` and the settings of binary packages.

use super::{Component, Local, OverlayMetadata, record};
use crate::value::{ComponentName, FileGlob, PackageName};

record! {
    /// A group of components with common defaults.
    ComponentGroup {
        /// What the group is, in a line.
        description: Option<String>,
        /// Components by name.
        components: Vec<ComponentName>,
        /// Local specs: each becomes a component of the group.
        specs: Vec<Local<FileGlob>>,
        /// Paths that `specs` does not look into.
        excluded_paths: Vec<Local<FileGlob>>,
        /// What the members inherit.
        default_component_config: Option<Component>,
        /// Why the group is.
        metadata: Option<OverlayMetadata>,
    }
}

record! {
    /// A group of binary packages with common settings.
    PackageGroup {
        /// What the group is, in a line.
        description: Option<String>,
        /// Binary packages by exact name. A package is in one group at most.
        packages: Vec<PackageName>,
        /// What the members inherit.
        default_package_config: Option<Package>,
    }
}

record! {
    /// Settings of a binary package.
    Package {
        /// Where it is published.
        publish: Option<PackagePublish>,
    }
}

record! {
    /// Where a binary package is published.
    PackagePublish {
        /// The channel; `none` is not published.
        rpm_channel: Option<String>,
        /// The channel of debug information; `none` is not published.
        debuginfo_channel: Option<String>,
        /// The older name of `rpm-channel`, used where that one is not set.
        channel: Option<String>,
    }
}
