//! Sets of packages.

use crate::{ContentDigest, Digest};
use lazuli_rpm::Nevra;
use std::path::PathBuf;

/// How a package came into being.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// From an upstream's binary package.
    Imported,
    /// From source, by us.
    Built,
}

/// A package of a buildroot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootPackage {
    /// Name, EVR, architecture.
    pub nevra: Nevra,
    /// Of the package file.
    pub digest: Digest,
    /// What it does to those who use it.
    pub content: ContentDigest,
    /// Where the file is.
    pub path: PathBuf,
    /// How it came into being.
    pub origin: Origin,
}

/// Packages, sorted by name, architecture and EVR.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageSet {
    packages: Vec<RootPackage>,
}

impl PackageSet {
    /// A set; the order does not matter.
    pub fn new(mut packages: Vec<RootPackage>) -> Self {
        packages.sort_by(|a, b| {
            let key = |p: &RootPackage| {
                (
                    p.nevra.name.clone(),
                    p.nevra.arch.clone(),
                    p.nevra.evr.to_string(),
                )
            };
            key(a).cmp(&key(b))
        });
        Self { packages }
    }

    /// The packages, sorted.
    pub fn packages(&self) -> &[RootPackage] {
        &self.packages
    }

    /// The digest of name, EVR, architecture and file of each.
    pub fn digest(&self) -> Digest {
        let mut text = String::new();
        for package in &self.packages {
            text.push_str(&format!("{} {}\n", package.nevra, package.digest));
        }
        Digest::of(text.as_bytes())
    }
}
