//! An image with what it extends laid under it and its defaults filled in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::declare::{resolve_files, resolve_symlinks};
use super::{Fault, FileEntry, LinkEntry};
use crate::schema::{self, FileSystem, ImageFormat, Layer as _, ListRule};
use crate::value::{
    AbsolutePath, Architecture, ByteSize, ImageName, KernelArgument, Keymap, Locale, NamePattern,
    PackageName, PathGlob, TimeZone, UnitName,
};

const MIB: u64 = 1 << 20;
const DEFAULT_ESP_SIZE: u64 = 256 * MIB;
const DEFAULT_ROOT_FREE: u64 = 256 * MIB;
/// FAT volume labels have 11 bytes, ext4's have 16.
const MAX_FAT_LABEL: usize = 11;
const MAX_EXT4_LABEL: usize = 16;

/// An image that can be built.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResolvedImage {
    /// Its name.
    pub name: ImageName,
    /// The file that defines it.
    pub file: PathBuf,
    /// What it is, in a line.
    pub description: String,
    /// The formats that it is made in; empty for one that only serves others.
    pub formats: Vec<ImageFormat>,
    /// Architectures; never empty.
    pub architectures: Vec<Architecture>,
    /// What it can do.
    pub capabilities: schema::ImageCapabilities,
    /// Another tool's definition of it, if there is one.
    pub definition: Option<schema::ImageDefinition>,
    /// Its tests.
    pub tests: schema::ImageTests,
    /// The channels that it is published in.
    pub channels: Vec<String>,
    /// Packages to install, the kernel's among them; sorted, each once.
    pub packages: Vec<PackageName>,
    /// Packages that must not get in.
    pub exclude_packages: Vec<NamePattern>,
    /// Install what the packages recommend.
    pub recommends: bool,
    /// Files to leave out.
    pub exclude_files: Vec<PathGlob>,
    /// Settings of the installed system.
    pub system: SystemSettings,
    /// The kernel, of a bootable image.
    pub kernel: Option<KernelSpec>,
    /// The initrd.
    pub initrd: InitrdSpec,
    /// Partitions and file systems.
    pub disk: DiskLayout,
    /// Files to put in.
    pub files: Vec<FileEntry>,
    /// Symbolic links to put in.
    pub symlinks: Vec<LinkEntry>,
    /// Labels of the manifest.
    pub labels: BTreeMap<String, String>,
}

/// Settings of the installed system.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SystemSettings {
    /// The host's name.
    pub hostname: Option<String>,
    /// The time zone, if one is set.
    pub timezone: Option<TimeZone>,
    /// The locale, if one is set.
    pub locale: Option<Locale>,
    /// The keyboard of the console, if one is set.
    pub keymap: Option<Keymap>,
    /// What is booted to, if it is set.
    pub default_target: Option<UnitName>,
    /// Units to enable.
    pub enable_units: Vec<UnitName>,
    /// Units to disable.
    pub disable_units: Vec<UnitName>,
    /// Units that can't be started.
    pub mask_units: Vec<UnitName>,
}

/// The kernel of an image.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct KernelSpec {
    /// The package with the kernel.
    pub package: PackageName,
    /// Arguments of the command line, without those of the root file system.
    pub command_line: Vec<KernelArgument>,
}

/// The initrd of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct InitrdSpec {
    /// Kernel modules by name.
    pub modules: Vec<String>,
    /// Packages whose files are in it.
    pub packages: Vec<PackageName>,
    /// More files of the root.
    pub include_files: Vec<PathGlob>,
    /// Files of its packages that stay out.
    pub exclude_files: Vec<PathGlob>,
    /// Units that are enabled in it.
    pub enable_units: Vec<UnitName>,
    /// Files to put in.
    pub files: Vec<FileEntry>,
}

/// Partitions and file systems.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DiskLayout {
    /// The size of the whole disk in bytes, if it is fixed.
    pub size: Option<u64>,
    /// The EFI system partition.
    pub esp: EspLayout,
    /// The root file system.
    pub root: RootLayout,
}

/// The EFI system partition.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct EspLayout {
    /// Its size in bytes.
    pub size: u64,
    /// Its label, at most 11 bytes.
    pub label: String,
}

/// How large the root file system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootSize {
    /// So many bytes.
    Fixed(u64),
    /// What the content needs, and so many bytes more.
    Free(u64),
}

/// The root file system.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RootLayout {
    /// The kind.
    pub filesystem: FileSystem,
    /// Its size.
    pub size: RootSize,
    /// Its label, at most 16 bytes.
    pub label: String,
    /// It takes the whole disk at the first boot.
    pub grow: bool,
    /// Directories for other mounts.
    pub mount_points: Vec<AbsolutePath>,
}

/// `layers` holds the image that extends nothing first, and the image itself last.
pub(crate) fn resolve_image(
    name: &ImageName,
    file: &Path,
    layers: Vec<schema::Image>,
) -> Result<ResolvedImage, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut image = schema::Image::default();
    for layer in layers {
        image.absorb(layer, ListRule::Append);
    }
    let formats = image.formats.take().map(|list| list.0).unwrap_or_default();
    let architectures = image.architectures.take().map(|list| list.0).unwrap_or_default();
    let capabilities = image.capabilities.clone().unwrap_or_default();
    let kernel = resolve_kernel(
        name,
        image.kernel.clone(),
        &capabilities,
        !formats.is_empty(),
        &mut faults,
    );
    let mut packages = image.packages.clone();
    packages.extend(kernel.iter().map(|kernel| kernel.package.clone()));
    packages.sort();
    packages.dedup();
    let excluded = |name: &PackageName| {
        image
            .exclude_packages
            .iter()
            .any(|not| not.matches(name.as_str()))
    };
    if let Some(both) = packages.iter().find(|name| excluded(name)) {
        let message = format!("package `{both}` is both in `packages` and in `exclude-packages`");
        faults.push(Fault::new(message).at(&["packages"]));
    }
    let resolved = ResolvedImage {
        name: name.clone(),
        file: file.to_owned(),
        description: image.description.clone().unwrap_or_else(|| name.to_string()),
        formats,
        architectures: if architectures.is_empty() {
            vec![Architecture::X86_64]
        } else {
            architectures
        },
        capabilities,
        definition: image.definition.clone(),
        tests: image.tests.clone().unwrap_or_default(),
        channels: image.publish.clone().unwrap_or_default().channels,
        packages,
        exclude_packages: image.exclude_packages.clone(),
        recommends: image.recommends.unwrap_or(false),
        exclude_files: image.exclude_files.clone(),
        system: resolve_system(image.system.clone().unwrap_or_default(), &mut faults),
        kernel,
        initrd: resolve_initrd(image.initrd.clone().unwrap_or_default(), &mut faults),
        disk: resolve_disk(image.disk.clone().unwrap_or_default(), &mut faults),
        files: resolve_files(&image.files, &["files"], &mut faults),
        symlinks: resolve_symlinks(&image.symlinks),
        labels: image.labels.0,
    };
    if faults.is_empty() {
        Ok(resolved)
    } else {
        Err(faults)
    }
}

fn resolve_kernel(
    name: &ImageName,
    kernel: Option<schema::Kernel>,
    capabilities: &schema::ImageCapabilities,
    makes_disks: bool,
    faults: &mut Vec<Fault>,
) -> Option<KernelSpec> {
    let kernel = kernel.unwrap_or_default();
    match kernel.package {
        Some(package) => Some(KernelSpec {
            package,
            command_line: kernel.command_line,
        }),
        None => {
            if makes_disks && !kernel.command_line.is_empty() {
                let fault = Fault::new("a command line is nothing without the `package` of a kernel");
                faults.push(fault.at(&["kernel", "command-line"]));
            }
            if capabilities.machine_bootable == Some(true) && makes_disks {
                let fault = Fault::new(format!("image `{name}` boots on a machine, but names no kernel"));
                faults.push(
                    fault
                        .at(&["kernel"])
                        .help("add `package = \"linux-image-…\"` to its `kernel`"),
                );
            }
            None
        }
    }
}

fn resolve_system(system: schema::System, faults: &mut Vec<Fault>) -> SystemSettings {
    let lists = [
        ("enable-units", &system.enable_units),
        ("disable-units", &system.disable_units),
        ("mask-units", &system.mask_units),
    ];
    for (at, (first, units)) in lists.iter().enumerate() {
        for (second, others) in lists.iter().skip(at + 1) {
            for unit in others.iter().filter(|unit| units.contains(unit)) {
                let fault = Fault::new(format!("unit `{unit}` is both in `{first}` and in `{second}`"));
                faults.push(fault.at(&["system", second]));
            }
        }
    }
    if let Some(target) = system
        .default_target
        .as_ref()
        .filter(|unit| !unit.as_str().ends_with(".target"))
    {
        let fault = Fault::new(format!("`{target}` is not a target")).at(&["system", "default-target"]);
        faults.push(fault.help("name a unit that ends in `.target`, such as `multi-user.target`"));
    }
    SystemSettings {
        hostname: system.hostname.map(String::from),
        timezone: system.timezone,
        locale: system.locale,
        keymap: system.keymap,
        default_target: system.default_target,
        enable_units: system.enable_units,
        disable_units: system.disable_units,
        mask_units: system.mask_units,
    }
}

fn resolve_initrd(initrd: schema::Initrd, faults: &mut Vec<Fault>) -> InitrdSpec {
    InitrdSpec {
        files: resolve_files(&initrd.files, &["initrd", "files"], faults),
        modules: initrd.modules.into_iter().map(String::from).collect(),
        packages: initrd.packages,
        include_files: initrd.include_files,
        exclude_files: initrd.exclude_files,
        enable_units: initrd.enable_units,
    }
}

fn resolve_disk(disk: schema::Disk, faults: &mut Vec<Fault>) -> DiskLayout {
    let esp = disk.esp.unwrap_or_default();
    let root = disk.root.unwrap_or_default();
    let mut label = |given: Option<crate::value::Line>, default: &str, limit: usize, key: &str| {
        let label = given.map_or_else(|| default.to_owned(), String::from);
        if label.is_empty() || label.len() > limit {
            faults.push(
                Fault::new(format!("label `{label}` must have 1 to {limit} bytes"))
                    .at(&["disk", key, "label"]),
            );
        }
        label
    };
    // FAT has no small letters in labels, and few other characters (Microsoft's FAT specification, 6.1).
    let esp_label = label(esp.label, "ESP", MAX_FAT_LABEL, "esp");
    let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b" !#$%&'()-@^_`{}~".contains(&b);
    let root_label = label(root.label, "root", MAX_EXT4_LABEL, "root");
    if esp_label.starts_with(' ') || !esp_label.bytes().all(fits) {
        let fault = Fault::new(format!("`{esp_label}` cannot be the label of a FAT file system"));
        let fault = fault.at(&["disk", "esp", "label"]);
        faults.push(fault.help("write it in capital letters, digits and hyphens"));
    }
    let bytes = |size: Option<ByteSize>| size.map(|size| size.bytes());
    DiskLayout {
        size: bytes(disk.size),
        esp: EspLayout {
            size: bytes(esp.size).unwrap_or(DEFAULT_ESP_SIZE),
            label: esp_label,
        },
        root: RootLayout {
            filesystem: root.filesystem.unwrap_or_default(),
            size: match bytes(root.size) {
                Some(size) => RootSize::Fixed(size),
                None => RootSize::Free(bytes(root.free).unwrap_or(DEFAULT_ROOT_FREE)),
            },
            label: root_label,
            grow: root.grow.unwrap_or(true),
            mount_points: root.mount_points,
        },
    }
}
