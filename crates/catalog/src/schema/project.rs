//! The whole file, and `[project]` and `[tools]`.

use super::{
    Component, ComponentGroup, ComponentTemplate, Distro, DistroReference, Image, Local, Package,
    PackageGroup, Resources, Table, Test, TestGroup, TestSuite, record,
};
use crate::value::{ComponentName, DistroName, FileGlob, GroupName, ImageName, TestSuiteName};

record! {
    /// One configuration file. Any file may hold any section; there is no difference between the root file and an included one.
    ConfigFile {
        /// The JSON schema that an editor shall use for this file. The loader does not read it.
        #[serde(rename = "$schema")]
        schema: Option<String>,
        /// More files to load: paths or globs (`*`, `?`, `[…]`, `**`), relative to the folder of this file. They come after
        /// this file, in the order of this list and of their paths within one glob, each followed by its own includes.
        includes: Vec<FileGlob>,
        /// What holds for the project as a whole. Across files, set values override.
        project: Option<Project>,
        /// Distributions that are built or that sources are taken from. The same one may stand in several files:
        /// its fields are merged, its lists are replaced.
        distros: Table<DistroName, Distro>,
        /// Components: what is packaged. A name may be defined once in all files.
        components: Table<ComponentName, Component>,
        /// Groups of components with common defaults. A name may be defined once in all files.
        component_groups: Table<GroupName, ComponentGroup>,
        /// What every component inherits, after the distribution version's defaults.
        default_component_config: Option<Component>,
        /// Templates, each of which makes several components. A name may be defined once in all files.
        component_templates: Table<GroupName, ComponentTemplate>,
        /// Groups of binary packages with common settings. A name may be defined once in all files.
        package_groups: Table<GroupName, PackageGroup>,
        /// What every binary package inherits.
        default_package_config: Option<Package>,
        /// Images. A name may be defined once in all files.
        images: Table<ImageName, Image>,
        /// Test suites that images name. A name may be defined once in all files.
        test_suites: Table<TestSuiteName, TestSuite>,
        /// Tests that components and images name. A name may be defined once in all files.
        tests: Table<TestSuiteName, Test>,
        /// Lists of tests. A name may be defined once in all files.
        test_groups: Table<TestSuiteName, TestGroup>,
        /// Repositories that distribution versions name. A later file's entry of the same name replaces the whole entry.
        resources: Option<Resources>,
        /// Settings of external tools. Across files, set values override.
        tools: Option<Tools>,
    }
}

record! {
    /// What holds for the project as a whole. Paths are relative to the folder of the file that they stand in.
    Project {
        /// What the project is, in a line.
        description: Option<String>,
        /// Folder of logs.
        log_dir: Option<Local<String>>,
        /// Folder of temporary work.
        work_dir: Option<Local<String>>,
        /// Folder of results. Default: `out` beside the root file.
        output_dir: Option<Local<String>>,
        /// Folder of rendered specs.
        rendered_specs_dir: Option<Local<String>>,
        /// Folder of lock files. Default: `locks` beside the root file.
        lock_dir: Option<Local<String>>,
        /// The distribution, and its version, that commands work on when none is named.
        default_distro: Option<DistroReference>,
        /// Whom generated changelog entries and commits name.
        default_author_email: Option<String>,
    }
}

record! {
    /// Settings of external tools. Kept for azldev, not applied.
    Tools {
        /// Settings of Image Customizer.
        #[serde(rename = "imageCustomizer")]
        image_customizer: Option<ImageCustomizer>,
    }
}

record! {
    /// Settings of Image Customizer.
    ImageCustomizer {
        /// The tag of its container.
        #[serde(rename = "containerTag")]
        container_tag: Option<String>,
    }
}
