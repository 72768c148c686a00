//! The cache of build results as the command line wants it.

use super::{builds_folder, failure, read};
use crate::cli::SharedCacheArgs;
use crate::failure::{Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_cache::{Access, Cache, Limits, RemoteSettings, Settings};
use lazuli_openpgp::Keyring;
use std::sync::Arc;

/// What the names of environment variables with credentials and options of a cloud begin with.
const CLOUDS: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// Opens the local cache of build results, and the shared one if there is one.
pub fn open(workspace: &Workspace, shared: &SharedCacheArgs) -> Result<Cache> {
    let terminal = workspace.terminal.clone();
    let remote = match &shared.build_cache {
        Some(url) => Some(remote(workspace, shared, url)?),
        None => None,
    };
    Cache::open(Settings {
        folder: builds_folder(&workspace.cache),
        remote,
        notify: Arc::new(move |notice| terminal.warn(notice.to_string())),
    })
    .map_err(failure)
}

fn remote(workspace: &Workspace, shared: &SharedCacheArgs, url: &str) -> Result<RemoteSettings> {
    let key = workspace.signing_key()?;
    let mut trusted = Keyring::from_bytes(key.certificate()?.as_bytes()).or_fail(Kind::Trust)?;
    for path in &shared.build_cache_keys {
        let keys = Keyring::from_bytes(&read(path)?)
            .or_fail(Kind::Trust)
            .map_err(|failure| failure.context(format!("failed to read keys from {}", path.display())))?;
        trusted.merge(keys);
    }
    let options = std::env::vars_os().filter_map(|(name, value)| {
        let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
        CLOUDS
            .iter()
            .any(|cloud| name.starts_with(cloud))
            .then_some((name, value))
    });
    Ok(RemoteSettings {
        url: url.to_owned(),
        options: options.collect(),
        trusted,
        access: match shared.build_cache_readonly {
            true => Access::ReadOnly,
            false => Access::ReadWrite(Arc::new(key)),
        },
        limits: Limits::default(),
    })
}
