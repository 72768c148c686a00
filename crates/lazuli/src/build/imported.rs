//! The imported packages, which buildroots are made of.

use crate::failure::{Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_build::Digest;
use lazuli_build::workshop::{Imported, Shelf};
use lazuli_catalog::ComponentScope;
use lazuli_openpgp::Keyring;
use std::path::Path;

/// The repositories of imported packages: imported now where they are missing or of another lock.
pub fn open(workspace: &Workspace) -> Result<Imported<'static>> {
    if !crate::import::is_ready_for_buildroots(workspace)? {
        crate::import::for_buildroots(workspace)?;
    }
    let folders =
        [ComponentScope::Distribution, ComponentScope::Build].map(|scope| workspace.repository_of(scope));
    let certificate = workspace.signing_key()?.certificate()?;
    let keyring = Keyring::from_bytes(certificate.as_bytes()).or_fail(Kind::Trust)?;
    let mut shelves = Vec::new();
    for folder in folders {
        let text = std::fs::read(index(&folder)).or_fail(Kind::Environment)?;
        let (keyring, repository) = (keyring.clone(), folder.clone());
        shelves.push(Shelf::new(folder, Digest::of(&text), move || {
            crate::repo::records(&repository, &keyring)
                .map_err(|error| error.to_string().trim_start_matches("error: ").to_owned())
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
