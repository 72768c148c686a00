//! Making layers: packages are laid by the same engine that installs hosts.

use super::layers::About;
use super::{LAYOUT_VERSION, PackageSet, RootPackage};
use crate::BuildError;
use crate::error::IoContext;
use lazuli_sandbox::{Overlay, mount_overlay};
use lazuli_transaction::{
    Aliases, Clock, Docs, EmptyDisk, InstalledPackage, Options, PackageFile, Plan, Quiet, Request, Root,
    TransactionError, Trust, Wanted, execute, open_packages, read_installed,
};
use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The time of everything in a buildroot that has none of its own: the same for all, so that a layer which is made anew
/// is the same. 2000-01-01, since some programs take 0 for "unknown".
const CLOCK: u32 = 946_684_800;

/// Most files that are counted for the size of a layer.
const FILES_MAX: usize = 10_000_000;

/// What is below a layer.
#[derive(Clone, Copy)]
pub(super) struct Below<'a> {
    pub(super) root: &'a Path,
    pub(super) base: &'a PackageSet,
}

/// Installs a base into `FOLDER/root`.
pub(super) fn base(folder: &Path, base: &PackageSet) -> Result<About, BuildError> {
    let name = "base";
    let path = folder.join("root");
    let fail = |source| transaction(name, source);
    let root = Root::open_or_create(&path).map_err(fail)?;
    let packages: Vec<&RootPackage> = base.packages().iter().collect();
    let install = open_packages(&files(&packages), Trust::Unchecked, &Quiet).map_err(fail)?;
    let plan = Plan::new(Request {
        install,
        remove: Vec::new(),
        installed: &[],
        aliases: Aliases::default(),
        disk: &EmptyDisk,
        docs: Docs::Skip,
    })
    .map_err(fail)?;
    execute(&plan, &root, &Options::new(Clock::new(CLOCK))).map_err(fail)?;
    about(&path, &packages)
}

/// Makes of the base what `whole` says, into `FOLDER/upper`.
pub(super) fn layer(folder: &Path, below: Below<'_>, whole: &PackageSet) -> Result<About, BuildError> {
    let (upper, work, merged) = (folder.join("upper"), folder.join("work"), folder.join("merged"));
    for path in [&upper, &work, &merged] {
        std::fs::create_dir(path).doing("making the folder", path)?;
    }
    like_root_folder(below.root, &upper)?;
    let overlay = Overlay {
        lower: vec![below.root.to_owned()],
        upper: upper.clone(),
        work: work.clone(),
    };
    let mounted = mount_overlay(&overlay, &merged).map_err(|source| mounting(&merged, source))?;
    let added = change(&merged, below.base, whole);
    let unmounted = mounted.unmount().map_err(|source| mounting(&merged, source));
    let added = added?;
    unmounted?;
    for path in [&work, &merged] {
        std::fs::remove_dir_all(path).doing("removing", path)?;
    }
    about(&upper, &added)
}

fn change<'a>(
    merged: &Path,
    base: &PackageSet,
    whole: &'a PackageSet,
) -> Result<Vec<&'a RootPackage>, BuildError> {
    let fail = |source| transaction("of dependencies", source);
    let in_base: HashSet<_> = base.packages().iter().map(|package| package.digest).collect();
    let in_whole: HashSet<_> = whole.packages().iter().map(|package| package.digest).collect();
    let added: Vec<&RootPackage> = whole
        .packages()
        .iter()
        .filter(|package| !in_base.contains(&package.digest))
        .collect();
    let root = Root::open(merged).map_err(fail)?;
    let installed = read_installed(&root).map_err(fail)?;
    let numbers = numbers(&installed);
    let gone = base.packages().iter().filter(|p| !in_whole.contains(&p.digest));
    let remove = gone
        .map(|package| {
            let number = numbers.get(&package.nevra.to_string()).copied();
            number.ok_or_else(|| BuildError::Damaged {
                path: merged.to_owned(),
                what: "a buildroot",
                reason: format!("{} is not installed, and should be", package.nevra),
            })
        })
        .collect::<Result<Vec<u32>, _>>()?;
    let install = open_packages(&files(&added), Trust::Unchecked, &Quiet).map_err(fail)?;
    let plan = Plan::new(Request {
        install,
        remove,
        installed: &installed,
        aliases: Aliases::of_root(&root).map_err(fail)?,
        disk: &root,
        docs: Docs::Skip,
    })
    .map_err(fail)?;
    execute(&plan, &root, &Options::new(Clock::new(CLOCK))).map_err(fail)?;
    Ok(added)
}

fn numbers(installed: &[InstalledPackage]) -> HashMap<String, u32> {
    installed
        .iter()
        .map(|package| (package.metadata.nevra.to_string(), package.number))
        .collect()
}

/// Their digests come from signed metadata, or were made here; they are checked when the files are read.
fn files(packages: &[&RootPackage]) -> Vec<PackageFile> {
    packages
        .iter()
        .map(|package| PackageFile {
            path: package.path.clone(),
            sha256: Some(*package.digest.as_bytes()),
            wanted: Wanted::AsDependency,
        })
        .collect()
}

/// The folder of an upper layer is what the root folder looks like.
fn like_root_folder(root: &Path, upper: &Path) -> Result<(), BuildError> {
    let metadata = std::fs::metadata(root).doing("reading", root)?;
    std::fs::set_permissions(upper, metadata.permissions()).doing("setting the mode of", upper)
}

fn about(path: &Path, packages: &[&RootPackage]) -> Result<About, BuildError> {
    Ok(About {
        layout: LAYOUT_VERSION,
        packages: packages.iter().map(|package| package.nevra.to_string()).collect(),
        bytes: disk_usage(path)?,
    })
}

/// Bytes that a tree takes on the disk, hard links counted once.
fn disk_usage(top: &Path) -> Result<u64, BuildError> {
    let mut folders = vec![top.to_owned()];
    let mut links = HashSet::new();
    let (mut bytes, mut count) = (0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).doing("reading the folder", &folder)? {
            let entry = entry.doing("reading the folder", &folder)?;
            let metadata = entry.metadata().doing("reading", entry.path())?;
            count += 1;
            if metadata.nlink() > 1 && !metadata.is_dir() && !links.insert(metadata.ino()) {
                continue;
            }
            bytes += metadata.blocks() * 512;
            if metadata.is_dir() && count < FILES_MAX {
                folders.push(entry.path());
            }
        }
    }
    Ok(bytes)
}

fn transaction(layer: &str, source: TransactionError) -> BuildError {
    BuildError::Transaction {
        layer: layer.to_owned(),
        source: Box::new(source),
    }
}

fn mounting(path: &Path, source: lazuli_sandbox::SandboxError) -> BuildError {
    BuildError::Sandbox {
        program: format!("the overlay at {}", path.display()),
        source: Box::new(source),
    }
}
