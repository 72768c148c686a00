//! The imported packages, which buildroots are made of.

use crate::failure::{Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_build::Digest;
use lazuli_build::workshop::{Imported, Shelf};
use lazuli_catalog::ComponentScope;
use lazuli_openpgp::Keyring;
use std::path::Path;

/// What says of which lock the imported packages are.
const STAMP: &str = "imported.lock-digest";

/// The repositories of imported packages: imported now where they are missing or of another lock.
pub fn open(workspace: &Workspace) -> Result<Imported<'static>> {
    let folders =
        [ComponentScope::Distribution, ComponentScope::Build].map(|scope| workspace.repository_of(scope));
    let lock = std::fs::read(workspace.lock_path()).map(|text| Digest::of(&text).to_string());
    let stamp = super::places(workspace).folder.join(STAMP);
    let is_of_lock = match (&lock, std::fs::read_to_string(&stamp)) {
        (Ok(lock), Ok(known)) => *lock == known,
        _ => false,
    };
    if !is_of_lock || !folders.iter().all(|folder| index(folder).is_file()) {
        crate::import::for_buildroots(workspace)?;
        if let Ok(lock) = lock {
            lazuli_durable::write(&stamp, lock.as_bytes()).or_fail(Kind::Environment)?;
        }
    }
    let certificate = workspace.signing_key()?.certificate()?;
    let keyring = Keyring::from_bytes(certificate.as_bytes()).or_fail(Kind::Trust)?;
    let mut shelves = Vec::new();
    for folder in folders {
        let text = std::fs::read(index(&folder)).or_fail(Kind::Environment)?;
        let (keyring, repository) = (keyring.clone(), folder.clone());
        shelves.push(Shelf::new(folder, Digest::of(&text), move || {
            crate::repo::records(&repository, &keyring).map_err(|error| error.to_string())
        }));
    }
    let base = workspace
        .distro
        .buildroot
        .iter()
        .map(ToString::to_string)
        .collect();
    Ok(Imported::new(workspace.architecture.to_string(), base, shelves))
}

fn index(folder: &Path) -> std::path::PathBuf {
    folder.join("repodata").join("repomd.xml")
}
