//! From a root tree to an image: initrd, kernel image, file systems, disk, formats, and the records beside it.
//!
//! ```text
//!  root tree ─finalise─▶ root ─┬─ initrd ─ UKI ─▶ ESP (FAT) ─┐
//!                              └──────────────▶ root (ext4) ─┴─▶ raw ─┬▶ qcow2
//!                                                                     └▶ vhd      ─▶ manifest, SPDX, CycloneDX
//! ```
//!
//! Every id (disk, partitions, file systems, documents) is derived from what the image is made of, and every time is
//! [`ImageSpec::epoch`]: the same inputs give the same bytes in every format.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lazuli_disk::disk::{DiskSize, DiskWriter, Partition};
use lazuli_disk::gpt::{ALIGNMENT, Attributes, Table, derive_uuid, partition_type};
use lazuli_disk::{Digest, OutputFile, Tree, ext4, fat, qcow2, vhd};
use lazuli_durable::WorkFolder;
use sha2::Sha256;
use uuid::{Uuid, uuid};

use crate::finalise::{FinaliseSettings, Growth, finalise};
use crate::initrd::{self, Initrd, InitrdSettings};
use crate::manifest::{self, Artefact, Manifest, Package};
use crate::view::View;
use crate::{Error, Result, bootloader, sbom, uki};

/// The space in which the ids of images are made.
const NAMESPACE: Uuid = uuid!("0b7e7a4c-6d55-5f0e-9a53-6c617a756c69");
const MIB: u64 = 1 << 20;

/// A format of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// The disk byte for byte, in a sparse file.
    Raw,
    /// QEMU's format, compressed.
    Qcow2,
    /// Fixed VHD in whole MiB, as Azure wants it.
    Vhd,
}

impl Format {
    /// The suffix of its files, which is also its name.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vhd => "vhd",
        }
    }
}

/// What an image shall be.
#[derive(Debug, Clone)]
pub struct ImageSpec {
    /// Name of the image (`server`).
    pub name: String,
    /// Id of the distribution (`lazuli`), the start of file names and of the kernel image's name.
    pub id: String,
    /// Name of the distribution (`Lazuli`).
    pub distribution: String,
    /// Version of the image.
    pub version: String,
    /// Architecture as packages name it (`x86_64`).
    pub arch: String,
    /// The kernel's command line, without `root=`, which is added.
    pub command_line: String,
    /// The initrd.
    pub initrd: InitrdSettings,
    /// Host name until the cloud gives another.
    pub hostname: Option<String>,
    /// Size of the whole disk in bytes. Without one it is what the partitions need; with one, a root partition without a
    /// size of its own takes what the others leave.
    pub disk_size: Option<u64>,
    /// Size of the EFI system partition in bytes.
    pub esp_size: u64,
    /// Label of the EFI system partition's file system, up to 11 capital letters, digits and the like.
    pub esp_label: String,
    /// Label of the root file system, up to 16 bytes.
    pub root_label: String,
    /// Whether the root takes the whole disk of the machine.
    pub root_growth: Growth,
    /// Folders of the root for other file systems.
    pub mount_points: Vec<String>,
    /// Bytes that are free in the root file system before it grows, at least; of no effect with a `root_size`.
    pub root_free: u64,
    /// Size of the root partition in bytes, where it is not to follow from what is in it.
    pub root_size: Option<u64>,
    /// The formats to make.
    pub formats: Vec<Format>,
    /// The packages of the root.
    pub packages: Vec<Package>,
    /// Texts by name, for the manifest.
    pub labels: BTreeMap<String, String>,
    /// What it can do, for the manifest: `machine-bootable`.
    pub capabilities: Vec<String>,
    /// Where it is to be published, for the manifest.
    pub channels: Vec<String>,
    /// `SOURCE_DATE_EPOCH`: the time of everything that has none of its own.
    pub epoch: u32,
}

impl ImageSpec {
    /// The usual settings of a server image.
    pub fn new(name: &str, version: &str, epoch: u32) -> Self {
        Self {
            name: name.to_owned(),
            id: "lazuli".to_owned(),
            distribution: "Lazuli".to_owned(),
            version: version.to_owned(),
            arch: "x86_64".to_owned(),
            command_line: "rw rootfstype=ext4 console=tty0 console=ttyS0,115200".to_owned(),
            initrd: InitrdSettings::new(i64::from(epoch)),
            hostname: Some("lazuli".to_owned()),
            disk_size: None,
            esp_size: 256 * MIB,
            esp_label: "ESP".to_owned(),
            root_label: "root".to_owned(),
            root_growth: Growth::AtBoot,
            mount_points: Vec::new(),
            root_free: 256 * MIB,
            root_size: None,
            formats: vec![Format::Raw, Format::Qcow2, Format::Vhd],
            packages: Vec::new(),
            labels: BTreeMap::new(),
            capabilities: Vec::new(),
            channels: Vec::new(),
            epoch,
        }
    }

    /// The start of all file names: `lazuli-server-2.0`.
    pub fn stem(&self) -> String {
        format!("{}-{}-{}", self.id, self.name, self.version)
    }

    /// What every id of the image is derived from: all that decides on its contents.
    fn seed(&self) -> Uuid {
        let mut text = format!(
            "{}\n{}\n{}\n{}\n",
            self.stem(),
            self.arch,
            self.command_line,
            self.epoch
        );
        for package in &self.packages {
            text += &format!("{} {}\n", package.nevra(), package.sha256);
        }
        Uuid::new_v5(&NAMESPACE, text.as_bytes())
    }
}

/// A step of the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The root is made ready.
    Finalise,
    /// The files of the initrd are collected.
    Initrd,
    /// The initrd is compressed, the kernel image put together and the disk written.
    Disk,
    /// The disk is converted to the other formats, and all are hashed.
    Formats,
    /// Manifest and bills of materials.
    Records,
}

impl Stage {
    /// A word for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Finalise => "finalise",
            Self::Initrd => "initrd",
            Self::Disk => "disk",
            Self::Formats => "formats",
            Self::Records => "records",
        }
    }
}

/// What was made.
#[derive(Debug)]
pub struct Built {
    /// The image files.
    pub images: Vec<(Format, PathBuf)>,
    /// The manifest's file.
    pub manifest_path: PathBuf,
    /// The bills of materials: SPDX, CycloneDX.
    pub sboms: Vec<PathBuf>,
    /// The manifest.
    pub manifest: Manifest,
    /// How long each stage took.
    pub times: Vec<(Stage, Duration)>,
}

/// Builds the image of `root` into the folder `out`. `progress` is told when a stage starts.
///
/// Each file appears under its name only when it is complete; the manifest comes last, and an older one is taken away
/// first, so that where there is a manifest, all that it names is of the same build.
pub fn build(spec: &ImageSpec, root: Tree, out: &Path, progress: &(dyn Fn(Stage) + Sync)) -> Result<Built> {
    check(spec)?;
    let mut clock = Clock {
        progress,
        times: Vec::new(),
        running: None,
    };
    let ids = Ids::new(spec.seed());
    std::fs::create_dir_all(out).map_err(|e| Error::io("create the folder", out, e))?;
    let manifest_path = out.join(format!("{}.manifest.json", spec.stem()));
    remove_if_there(&manifest_path)?;

    clock.start(Stage::Finalise);
    let settings = FinaliseSettings {
        hostname: spec.hostname.clone(),
        growth: spec.root_growth,
        mount_points: spec.mount_points.clone(),
        epoch: i64::from(spec.epoch),
    };
    let root = finalise(root, &settings)?;

    clock.start(Stage::Initrd);
    let initrd = initrd::build(&root, &spec.initrd)?;

    clock.start(Stage::Disk);
    // The raw disk is the source of the other formats; where nobody asked for it, it is hidden and goes away.
    let scratch =
        WorkFolder::create(out, ".scratch-").map_err(|e| Error::io("create a folder in", out, e))?;
    let keep_raw = spec.formats.contains(&Format::Raw);
    let raw_name = format!("{}.raw", spec.stem());
    let raw = if keep_raw {
        out.join(&raw_name)
    } else {
        scratch.path().join(&raw_name)
    };
    let disk = write_disk(spec, &ids, &root, &initrd, &raw)?;

    clock.start(Stage::Formats);
    let (images, artefacts): (Vec<_>, Vec<_>) = convert(spec, &ids, &raw, out)?.into_iter().unzip();

    clock.start(Stage::Records);
    let mut packages = spec.packages.clone();
    packages.sort();
    let manifest = Manifest {
        schema: manifest::SCHEMA,
        name: spec.name.clone(),
        version: spec.version.clone(),
        arch: spec.arch.clone(),
        distribution: spec.distribution.clone(),
        labels: spec.labels.clone(),
        capabilities: spec.capabilities.clone(),
        channels: spec.channels.clone(),
        created: manifest::rfc3339(spec.epoch.into()),
        epoch: spec.epoch.into(),
        kernel: disk.kernel,
        disk_size: disk.size,
        disk_uuid: ids.disk,
        partitions: disk.partitions,
        content_size: root.content_size(),
        artefacts,
        packages,
    };
    let sboms = write_records(spec, &manifest, out, &manifest_path)?;
    Ok(Built {
        images,
        manifest_path,
        sboms,
        manifest,
        times: clock.stop(),
    })
}

/// Refuses what cannot be before anything is written.
fn check(spec: &ImageSpec) -> Result<()> {
    if spec.formats.is_empty() {
        return Err(Error::Setting {
            setting: "list of formats",
            value: String::new(),
            problem: "it is empty",
        });
    }
    // The same characters are safe in the names of files.
    bootloader::image_path(&spec.id, &spec.version)?;
    bootloader::image_path(&spec.name, &spec.version)?;
    Ok(())
}

/// The ids of an image.
struct Ids {
    disk: Uuid,
    esp: Uuid,
    esp_volume: u32,
    root: Uuid,
    root_file_system: Uuid,
    vhd: Uuid,
}

impl Ids {
    fn new(seed: Uuid) -> Self {
        let volume = derive_uuid(seed, "volume id of the ESP");
        Self {
            disk: derive_uuid(seed, "disk"),
            esp: derive_uuid(seed, "partition esp"),
            esp_volume: u32::from_be_bytes(*volume.as_bytes().first_chunk().unwrap_or(&[0; 4])),
            root: derive_uuid(seed, "partition root"),
            root_file_system: derive_uuid(seed, "file system root"),
            vhd: derive_uuid(seed, "vhd"),
        }
    }
}

/// The files of the ESP, and what the manifest says of them.
struct Boot {
    files: Vec<fat::File>,
    record: manifest::Kernel,
}

fn kernel_image(spec: &ImageSpec, root: &Tree, initrd: &Initrd, root_partition: Uuid) -> Result<Boot> {
    let view = View::new(root);
    let archive = initrd.archive()?;
    let kernel = view.read(&kernel_path(view, &initrd.kernel)?, "the kernel image")?;
    let os_release = view.read("/etc/os-release", "the kernel image")?;
    let command_line = format!("root=PARTUUID={root_partition} {}", spec.command_line)
        .trim()
        .to_owned();
    let image = uki::assemble(&uki::Parts {
        stub: &bootloader::stub(view)?,
        kernel: &kernel,
        initrd: &archive,
        command_line: &command_line,
        os_release: &String::from_utf8_lossy(&os_release),
        release: &initrd.kernel,
    })?;
    let record = manifest::Kernel {
        release: initrd.kernel.clone(),
        command_line,
        initrd_size: archive.len() as u64,
        initrd_modules: initrd.modules.clone(),
        image_size: image.len() as u64,
        image_sha256: hex::encode(<Sha256 as sha2::Digest>::digest(&image)),
    };
    Ok(Boot {
        files: bootloader::files(view, image, &spec.id, &spec.version)?,
        record,
    })
}

/// Where the kernel of a release is: as Fedora has it, or else as Debian has it.
fn kernel_path(view: View<'_>, release: &str) -> Result<String> {
    let places = [
        format!("/usr/lib/modules/{release}/vmlinuz"),
        format!("/boot/vmlinuz-{release}"),
    ];
    for place in &places {
        if view.find(place)?.is_some() {
            return Ok(place.clone());
        }
    }
    let [_, path] = places;
    Err(Error::Missing {
        path,
        purpose: "the kernel image",
    })
}

/// A disk that was written.
struct Disk {
    size: u64,
    partitions: Vec<manifest::Partition>,
    kernel: manifest::Kernel,
}

fn write_disk(spec: &ImageSpec, ids: &Ids, root: &Tree, initrd: &Initrd, raw: &Path) -> Result<Disk> {
    let root_settings = root_settings(spec, ids, root)?;
    let esp_size = spec.esp_size.next_multiple_of(MIB);
    let partition = |name: &str, kind, guid, attributes, size| Partition {
        name: name.to_owned(),
        kind,
        guid,
        attributes,
        size,
    };
    let partitions = vec![
        partition("esp", partition_type::ESP, ids.esp, Attributes::NONE, esp_size),
        partition(
            "root",
            partition_type::ROOT_X86_64,
            ids.root,
            match spec.root_growth {
                Growth::AtBoot => Attributes::GROW_FILE_SYSTEM,
                Growth::Never => Attributes::NONE,
            },
            root_settings.size,
        ),
    ];
    let size = spec.disk_size.map_or(DiskSize::Fitting, |size| {
        DiskSize::Fixed(size.next_multiple_of(MIB))
    });
    let disk = DiskWriter::create(raw, ids.disk, size, partitions)?;
    // Compressing the initrd takes as long as writing the root, and by one processor: both at the same time.
    let write_esp = || -> Result<manifest::Kernel> {
        let boot = kernel_image(spec, root, initrd, ids.root)?;
        let settings = fat::Settings {
            size: esp_size,
            volume_id: ids.esp_volume,
            label: spec.esp_label.clone(),
            epoch: spec.epoch,
        };
        fat::plan(&boot.files, &settings)?.write(disk.region(0)?)?;
        Ok(boot.record)
    };
    let write_root = || -> Result<()> { Ok(ext4::plan(root, &root_settings)?.write(disk.region(1)?)?) };
    let (kernel, written) = rayon::join(write_esp, write_root);
    let kernel = kernel?;
    written?;
    let volume = format!("{:04X}-{:04X}", ids.esp_volume >> 16, ids.esp_volume & 0xffff);
    let file_systems = [("vfat", volume), ("ext4", root_settings.uuid.to_string())];
    let partitions = disk.table().partitions.iter().zip(file_systems);
    let partitions = partitions
        .map(|(p, (file_system, id))| manifest::Partition {
            name: p.name.clone(),
            kind: p.kind,
            uuid: p.guid,
            offset: p.start,
            size: p.length,
            file_system: file_system.to_owned(),
            file_system_id: id,
        })
        .collect();
    let size = disk.size();
    disk.finish()?;
    Ok(Disk {
        size,
        partitions,
        kernel,
    })
}

/// The settings of the root file system, with its size.
fn root_settings(spec: &ImageSpec, ids: &Ids, root: &Tree) -> Result<ext4::Settings> {
    let mut settings = ext4::Settings::new(0, ids.root_file_system, spec.epoch);
    settings.label.clone_from(&spec.root_label);
    let size = match (spec.root_size, spec.disk_size) {
        (Some(size), _) => size,
        (None, None) => ext4::minimum_size(root, &settings)? + spec.root_free,
        (None, Some(disk)) => {
            let needed = ext4::minimum_size(root, &settings)? + spec.root_free;
            let end = Table::partitions_end(disk.next_multiple_of(MIB));
            let left = end.saturating_sub(ALIGNMENT + spec.esp_size.next_multiple_of(MIB));
            if left < needed {
                let problem = format!(
                    "a disk of {disk} bytes leaves {left} for the root file system, which needs {needed}: {} of them free",
                    spec.root_free
                );
                return Err(lazuli_disk::Error::Settings {
                    what: "disk",
                    problem,
                }
                .into());
            }
            left
        }
    };
    settings.size = size.next_multiple_of(MIB);
    Ok(settings)
}

/// An image file, and what the manifest says of it.
type Image = ((Format, PathBuf), Artefact);

/// Makes the formats from the raw disk, and their digests.
fn convert(spec: &ImageSpec, ids: &Ids, raw: &Path, out: &Path) -> Result<Vec<Image>> {
    let path = |format: Format| out.join(format!("{}.{}", spec.stem(), format.suffix()));
    let wanted = |format| spec.formats.contains(&format);
    let image = |format, digest: Digest| {
        let path = path(format);
        let artefact = Artefact {
            file: path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            format: format.suffix().to_owned(),
            size: digest.size,
            sha256: hex::encode(digest.sha256),
        };
        ((format, path), artefact)
    };
    // A digest is the work of one processor, for about as long as compression takes two: they share them.
    let plain = || -> Result<Vec<Image>> {
        let (raw, vhd) = if wanted(Format::Vhd) {
            let done = vhd::convert(raw, &path(Format::Vhd), ids.vhd, spec.epoch)?;
            (Some(done.raw), Some(done.vhd))
        } else if wanted(Format::Raw) {
            (Some(digest(raw)?), None)
        } else {
            (None, None)
        };
        let raw = raw.filter(|_| wanted(Format::Raw));
        let made = [(Format::Raw, raw), (Format::Vhd, vhd)].into_iter();
        Ok(made
            .filter_map(|(format, digest)| Some(image(format, digest?)))
            .collect())
    };
    let packed = || -> Result<Option<Image>> {
        if !wanted(Format::Qcow2) {
            return Ok(None);
        }
        let path = path(Format::Qcow2);
        qcow2::convert(raw, &path, qcow2::Compression::Zstd(3))?;
        Ok(Some(image(Format::Qcow2, digest(&path)?)))
    };
    let (plain, packed) = rayon::join(plain, packed);
    let mut images = plain?;
    images.extend(packed?);
    images.sort_by_key(|((format, _), _)| *format);
    Ok(images)
}

fn digest(path: &Path) -> Result<Digest> {
    let file = std::fs::File::open(path).map_err(|e| Error::io("open", path, e))?;
    Ok(Digest::of(&file, path)?)
}

fn write_records(
    spec: &ImageSpec,
    manifest: &Manifest,
    out: &Path,
    manifest_path: &Path,
) -> Result<Vec<PathBuf>> {
    let json = |path: &Path, result: serde_json::Result<Vec<u8>>| -> Result<()> {
        write_file(path, &result.map_err(|e| Error::io("describe", path, e))?)
    };
    let spdx = out.join(format!("{}.spdx.json", spec.stem()));
    json(&spdx, sbom::spdx(manifest))?;
    let cyclonedx = out.join(format!("{}.cdx.json", spec.stem()));
    json(&cyclonedx, sbom::cyclonedx(manifest))?;
    let text = serde_json::to_vec_pretty(manifest).map(|mut text| {
        text.push(b'\n');
        text
    });
    json(manifest_path, text)?;
    Ok(vec![spdx, cyclonedx])
}

/// Writes a small file durably.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let output = OutputFile::create(path)?;
    output
        .file()
        .write_all(bytes)
        .map_err(|e| Error::io("write", path, e))?;
    Ok(output.commit()?)
}

fn remove_if_there(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path, e)),
        _ => Ok(()),
    }
}

/// Measures the stages.
struct Clock<'a> {
    progress: &'a (dyn Fn(Stage) + Sync),
    times: Vec<(Stage, Duration)>,
    running: Option<(Stage, Instant)>,
}

impl Clock<'_> {
    fn start(&mut self, stage: Stage) {
        self.end();
        (self.progress)(stage);
        self.running = Some((stage, Instant::now()));
    }

    fn end(&mut self) {
        if let Some((stage, since)) = self.running.take() {
            self.times.push((stage, since.elapsed()));
        }
    }

    fn stop(mut self) -> Vec<(Stage, Duration)> {
        self.end();
        self.times
    }
}
