//! `[component-groups]`, `[package-groups]` and the settings of binary packages.

use super::{Component, Local, OverlayMetadata, Table, entry, record};
use crate::value::{ComponentName, FileGlob, PackageName};

record! {
    /// A group of components with common defaults.
    ComponentGroup {
        /// What the group is, in a line.
        description: Option<String>,
        /// Components by name.
        components: Vec<ComponentName>,
        /// Local specs: paths or globs, relative to this file. Each that ends in `.spec` becomes a component of the group,
        /// named as the file; one of that name in `[components]` is laid over it.
        specs: Vec<Local<FileGlob>>,
        /// Paths that `specs` does not look into: globs, relative to this file.
        excluded_paths: Vec<Local<FileGlob>>,
        /// What the members inherit.
        default_component_config: Option<Component>,
        /// Why the group is. Shown, and otherwise without effect.
        metadata: Option<OverlayMetadata>,
    }
}

record! {
    /// A template of components: one for each combination of the values of its axes.
    ///
    /// They are named as the template and the values, with `-` between them, in the order of the axes: `driver-6-12-gcc14`.
    ComponentTemplate {
        /// What it is, in a line.
        description: Option<String>,
        /// What all of them have.
        default_component_config: Option<Component>,
        /// The axes, in order; at least one.
        matrix: Vec<MatrixAxis>,
    }
}

entry! {
    /// An axis of a template.
    MatrixAxis {
        /// Its name, once in a template.
        axis: String,
        /// Its values: a part of a component's name, and what components with it have beside what all have. What a later
        /// axis says goes over what an earlier one says.
        values: Table<ComponentName, Component>,
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
