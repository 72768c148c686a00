//! The record beside an image: what is in it, from where, and how it is laid out.

use lazuli_rpm::Metadata;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The version of the record's schema; it grows when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// One package of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Epoch, 0 if there is none.
    pub epoch: u32,
    /// Version.
    pub version: String,
    /// Release.
    pub release: String,
    /// Architecture.
    pub arch: String,
    /// SHA-256 of the package file, in hexadecimal.
    pub sha256: String,
    /// SPDX licence expression, or whatever the package says.
    pub license: String,
    /// The source package file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// Where the content came from, with its digest.
    pub origin: String,
    /// Home page; empty if unknown.
    pub url: String,
    /// One line on what it is.
    pub summary: String,
    /// Who ships it.
    pub vendor: String,
    /// How it came into being.
    #[serde(default)]
    pub made: Made,
}

/// How a package came into being.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// From an upstream's binary package.
    #[default]
    Imported,
    /// From source, by us.
    Built,
}

impl Package {
    /// The record of a package from its header and the digest of its file.
    pub fn from_metadata(metadata: &Metadata, sha256: [u8; 32]) -> Self {
        let evr = &metadata.nevra.evr;
        Self {
            name: metadata.nevra.name.clone(),
            epoch: evr.epoch,
            version: evr.version.clone(),
            release: evr.release.clone(),
            arch: metadata.nevra.arch.clone(),
            sha256: hex::encode(sha256),
            license: metadata.license.clone(),
            source: metadata.source_rpm.clone(),
            origin: metadata.vcs.clone(),
            url: metadata.url.clone(),
            summary: metadata.summary.clone(),
            vendor: metadata.vendor.clone(),
            made: Made::Imported,
        }
    }

    /// `[epoch:]version-release`.
    pub fn evr(&self) -> String {
        match self.epoch {
            0 => format!("{}-{}", self.version, self.release),
            epoch => format!("{epoch}:{}-{}", self.version, self.release),
        }
    }

    /// `name-[epoch:]version-release.arch`.
    pub fn nevra(&self) -> String {
        format!("{}-{}.{}", self.name, self.evr(), self.arch)
    }
}

/// The kernel of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// `uname -r`.
    pub release: String,
    /// Its command line.
    pub command_line: String,
    /// Bytes of the compressed initrd.
    pub initrd_size: u64,
    /// Modules in the initrd.
    pub initrd_modules: Vec<String>,
    /// Bytes of the unified image.
    pub image_size: u64,
    /// SHA-256 of the unified image, in hexadecimal.
    pub image_sha256: String,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// `PARTLABEL`.
    pub name: String,
    /// Partition type.
    #[serde(rename = "type")]
    pub kind: Uuid,
    /// `PARTUUID`.
    pub uuid: Uuid,
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
    /// File system.
    pub file_system: String,
    /// The file system's own id: a UUID, or the volume id of FAT.
    pub file_system_id: String,
}

/// One file that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// File name.
    pub file: String,
    /// `raw`, `qcow2`, `vhd`.
    pub format: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256, in hexadecimal.
    pub sha256: String,
}

/// The whole record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The image's name.
    pub name: String,
    /// The image's version.
    pub version: String,
    /// Architecture, as packages name it.
    pub arch: String,
    /// The distribution's name.
    pub distribution: String,
    /// What the image's definition says of it: texts by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub labels: BTreeMap<String, String>,
    /// What the image can do: `machine-bootable`, `container`, `systemd`, `runtime-package-management`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub capabilities: Vec<String>,
    /// Where it is to be published.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub channels: Vec<String>,
    /// The build's fixed time, RFC 3339 in UTC.
    pub created: String,
    /// `SOURCE_DATE_EPOCH` of the build.
    pub epoch: i64,
    /// The kernel.
    pub kernel: Kernel,
    /// Size of the virtual disk in bytes.
    pub disk_size: u64,
    /// GUID of the disk.
    pub disk_uuid: Uuid,
    /// Partitions in their order.
    pub partitions: Vec<Partition>,
    /// Bytes in regular files of the root.
    pub content_size: u64,
    /// The files made.
    pub artefacts: Vec<Artefact>,
    /// Packages, sorted.
    pub packages: Vec<Package>,
}

/// Seconds since 1970 as RFC 3339 in UTC, as both bills of materials want it.
pub(crate) fn rfc3339(epoch: i64) -> String {
    jiff::Timestamp::from_second(epoch)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_string()
}
