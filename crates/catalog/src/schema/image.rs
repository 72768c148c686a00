//! `[images]`: disk images and containers.

use super::{
    DeclaredFile, Local, OverrideList, Symlink, Table, TestReference, TestSuiteReference, record, replaced,
};
use crate::value::{
    AbsolutePath, Architecture, ByteSize, HostName, ImageName, KernelArgument, Keymap, Line, Locale,
    NamePattern, PackageName, PathGlob, TimeZone, UnitName,
};

record! {
    /// An image: defined in a file of another tool by `definition`, or by Lazuli's keys here.
    Image {
        /// What it is, in a line.
        description: Option<String>,
        /// Where another tool's definition of it is. Lazuli doesn't read that: an image that has nothing else is listed, and
        /// `lazuli image build` refuses it.
        definition: Option<ImageDefinition>,
        /// What it can do. It goes into the manifest.
        capabilities: Option<ImageCapabilities>,
        /// Its tests: `lazuli image list --json` has them.
        tests: Option<ImageTests>,
        /// Where it is published. It goes into the manifest.
        publish: Option<ImagePublish>,
        /// **Lazuli:** the image that this one adds to. Lists grow, set values override.
        extends: Option<ImageName>,
        /// **Lazuli:** the formats that it is made in; the list takes the place of an inherited one. Default: none, so that
        /// the image only serves `extends`.
        formats: Option<OverrideList<ImageFormat>>,
        /// **Lazuli:** architectures that it is made for; the list takes the place of an inherited one.
        /// Default: `["x86_64"]`.
        architectures: Option<OverrideList<Architecture>>,
        /// **Lazuli:** packages to install; what they require comes with them.
        packages: Vec<PackageName>,
        /// **Lazuli:** packages that must not get in, be they recommended or required.
        exclude_packages: Vec<NamePattern>,
        /// **Lazuli:** install what the packages recommend. Default: false.
        recommends: Option<bool>,
        /// **Lazuli:** files to leave out: globs of absolute paths. A folder goes with all that is in it.
        exclude_files: Vec<PathGlob>,
        /// **Lazuli:** settings of the installed system.
        system: Option<System>,
        /// **Lazuli:** the kernel and its command line.
        kernel: Option<Kernel>,
        /// **Lazuli:** the initrd.
        initrd: Option<Initrd>,
        /// **Lazuli:** partitions and file systems.
        disk: Option<Disk>,
        /// **Lazuli:** files to put in.
        files: Vec<DeclaredFile>,
        /// **Lazuli:** symbolic links to put in.
        symlinks: Vec<Symlink>,
        /// **Lazuli:** labels: texts by name, such as `"org.opencontainers.image.vendor"`. They go into the manifest as
        /// `labels`.
        labels: Table<String, String>,
    }
}

record! {
    /// Where another tool's definition of an image is.
    ImageDefinition {
        /// The kind of definition: `kiwi`.
        #[serde(rename = "type")]
        kind: Option<String>,
        /// The file, relative to this one.
        path: Option<Local<String>>,
        /// The profile to build.
        profile: Option<String>,
    }
}

record! {
    /// What an image can do.
    ImageCapabilities {
        /// It boots on a machine, virtual or not: it must name a kernel. Default: false.
        machine_bootable: Option<bool>,
        /// It runs as a container. Default: false.
        container: Option<bool>,
        /// systemd is its init. What is written must be so in what is built, true or false. Default: false.
        systemd: Option<bool>,
        /// Packages can be added and removed in it. What is written must be so in what is built, true or false.
        /// Default: false.
        runtime_package_management: Option<bool>,
    }
}

record! {
    /// The tests of an image.
    ImageTests {
        /// Suites by name.
        test_suites: Vec<TestSuiteReference>,
        /// Tests and groups by name.
        tests: Vec<TestReference>,
    }
}

record! {
    /// Where an image is published.
    ImagePublish {
        /// Channels.
        channels: Vec<String>,
    }
}

/// **Lazuli:** formats of images.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ImageFormat {
    /// A sparse file, sector by sector.
    Raw,
    /// QEMU's format.
    Qcow2,
    /// Fixed-size VHD, a multiple of 1 MiB, as Azure takes it.
    Vhd,
}
replaced!(ImageFormat);

impl ImageFormat {
    /// The ending of the file's name, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            ImageFormat::Raw => "raw",
            ImageFormat::Qcow2 => "qcow2",
            ImageFormat::Vhd => "vhd",
        }
    }
}

record! {
    /// **Lazuli:** settings of the installed system.
    System {
        /// The host's name until something else sets it: `/etc/hostname`. Default: what the packages say, if anything.
        hostname: Option<HostName>,
        /// The time zone, which a package of the image must have: the link `/etc/localtime`.
        /// Default: none, which is UTC.
        timezone: Option<TimeZone>,
        /// The locale, which must be in the image: `LANG` of `/etc/locale.conf`. Default: what the packages say.
        locale: Option<Locale>,
        /// The keyboard of the console, which must be in the image: `/etc/vconsole.conf`. Default: that of the kernel, `us`.
        keymap: Option<Keymap>,
        /// What is booted to: the link `/etc/systemd/system/default.target`. Default: what the packages say.
        default_target: Option<UnitName>,
        /// Units to enable, whatever the packages' presets say, with those that they name with `Also=`.
        enable_units: Vec<UnitName>,
        /// Units to disable, whatever the packages' presets say, with those that they name with `Also=`.
        disable_units: Vec<UnitName>,
        /// Units that can't be started at all.
        mask_units: Vec<UnitName>,
    }
}

record! {
    /// **Lazuli:** the kernel.
    Kernel {
        /// The package with the kernel; it is installed like those of `packages`. Required in a bootable image.
        package: Option<PackageName>,
        /// Arguments of the kernel command line, one per entry; only with a `package`. The root file system's is added.
        command_line: Vec<KernelArgument>,
    }
}

record! {
    /// **Lazuli:** the initrd.
    Initrd {
        /// Kernel modules by name, which are loaded at its start; those that they need come with them. A final `?` marks one
        /// that the kernel need not have. Default: the drivers of disks of virtual machines.
        modules: Vec<Line>,
        /// Packages of the image whose files are in it, beside what every initrd has. The libraries that programs need come
        /// with them.
        packages: Vec<PackageName>,
        /// More files of the image that go in: globs of absolute paths, of which each must match. The libraries that
        /// programs need come with them.
        include_files: Vec<PathGlob>,
        /// Files of these packages and globs that stay out. What a program in it needs comes all the same.
        exclude_files: Vec<PathGlob>,
        /// Units that are enabled in it: of the image's packages, or among `files`. Their own files come with them; their
        /// programs are for `packages` and `include-files` to name.
        enable_units: Vec<UnitName>,
        /// Files to put in, in the place of any others.
        files: Vec<DeclaredFile>,
    }
}

record! {
    /// **Lazuli:** partitions and file systems of a disk image: a GPT with an EFI system partition and a root file system.
    Disk {
        /// The size of the whole disk, in whole MiB. A root without a `size` takes what the ESP leaves. Default: what the
        /// partitions need.
        size: Option<ByteSize>,
        /// The EFI system partition.
        esp: Option<EfiPartition>,
        /// The root file system.
        root: Option<RootPartition>,
    }
}

record! {
    /// **Lazuli:** the EFI system partition, FAT.
    EfiPartition {
        /// Its size. Default: `256M`.
        size: Option<ByteSize>,
        /// Its label, at most 11 capital letters, digits, spaces and ``!#$%&'()-@^_`{}~``. Default: `ESP`.
        label: Option<Line>,
    }
}

/// **Lazuli:** file systems of a root partition.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FileSystem {
    /// ext4.
    #[default]
    Ext4,
}
replaced!(FileSystem);

record! {
    /// **Lazuli:** the root file system.
    RootPartition {
        /// The kind. Default: `ext4`.
        filesystem: Option<FileSystem>,
        /// Its size in the image. Default: what the disk's `size` leaves, or else what its content needs and `free` more.
        size: Option<ByteSize>,
        /// The room that is left in the image, at least, where `size` is not set. Default: `256M`.
        free: Option<ByteSize>,
        /// Its label, at most 16 bytes. Default: `root`.
        label: Option<Line>,
        /// It takes the machine's whole disk at boot, if there is something to take. Default: true.
        grow: Option<bool>,
        /// Where other file systems are to be mounted: empty folders are made there. Default: none.
        mount_points: Vec<AbsolutePath>,
    }
}
