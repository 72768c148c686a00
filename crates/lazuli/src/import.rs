//! `lazuli import`: locked upstream packages become signed RPMs, from a cache where that is possible.

use crate::component::{Scope, locked, update};
use crate::failure::{Failure, Kind, Result};
use crate::upstream::{archive, failure};
use crate::workspace::Workspace;
use lazuli_catalog::LockFile;
use lazuli_upstream::{Progress, Store, UpstreamError};

/// Makes sure that every locked package is in the store. Where the upstream no longer has one, and `update_vanished` is
/// set, the lock is moved, which is said; else it is an error.
pub fn ensure_fetched(workspace: &Workspace, update_vanished: bool) -> Result<LockFile> {
    let lock = match workspace.read_lock()? {
        None if update_vanished => {
            update(workspace, &Scope::Vanished, false)?;
            workspace.lock()?
        }
        _ => workspace.lock()?,
    };
    match fetch(workspace, &lock) {
        Err(UpstreamError::Vanished { packages }) if update_vanished => {
            workspace.terminal.warn(format!(
                "the upstream no longer has {} of the locked packages; the lock is updated for these",
                packages.len()
            ));
            update(workspace, &Scope::Vanished, false)?;
            let lock = workspace.lock()?;
            fetch(workspace, &lock).map_err(failure)?;
            Ok(lock)
        }
        Err(error) => Err(failure(error)),
        Ok(()) => Ok(lock),
    }
}

fn fetch(workspace: &Workspace, lock: &LockFile) -> Result<(), UpstreamError> {
    let settings = |error: Failure| UpstreamError::Settings { reason: error.to_string() };
    let packages = locked(lock).map_err(settings)?;
    let store = Store::open(&workspace.cache.join("upstream"))?;
    let archive = archive(workspace).map_err(settings)?;
    let bar = workspace.terminal.bar("fetch", 0);
    store.fetch(&archive, &packages, &|progress| {
        if let Progress::Fetching { done, total, .. } = progress {
            bar.set_length(total >> 20);
            bar.set_position(done >> 20);
        }
    })?;
    bar.finish_and_clear();
    Ok(())
}
pub fn run(_: &Workspace, _: &[String], _: bool) -> Result<()> { Err(Failure::message(Kind::Failed, "x")) }
pub fn lint(_: &Workspace, _: &[String]) -> Result<()> { Ok(()) }
pub fn repository(_: &Workspace, _: &lazuli_catalog::LockFile) -> Result<()> { Ok(()) }
