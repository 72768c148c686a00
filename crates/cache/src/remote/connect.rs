//! From an address to a store.

use crate::{CacheError, Limits, RemoteSettings};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use reqwest::Url;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long the first pause before another try is.
const PAUSE_FIRST: Duration = Duration::from_millis(100);

/// How long a pause is at most.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// A store that can be asked, and what all names in it begin with.
pub(super) struct Connection {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) prefix: Path,
    /// How messages call it: the address, without what may be secret in it.
    pub(super) place: String,
}

/// Whether a store can be had.
pub(super) enum Connected {
    Yes(Connection),
    /// The folder is not there now.
    Away {
        place: String,
        reason: String,
    },
}

/// Makes a store of the settings; nothing is asked of it yet.
pub(super) fn connect(settings: &RemoteSettings) -> Result<Connected, CacheError> {
    let fail = |reason: String| CacheError::Remote {
        url: settings.url.clone(),
        reason,
    };
    let mut url = Url::parse(&settings.url).map_err(|error| fail(error.to_string()))?;
    if url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        // Nor may it be repeated in a message.
        url.set_query(None);
        url.set_fragment(None);
        let _ = url.set_password(None);
        return Err(CacheError::Remote {
            url: url.to_string(),
            reason: "an address has no password, query or fragment: credentials come from the environment"
                .to_owned(),
        });
    }
    let place = settings.url.trim_end_matches('/').to_owned();
    if url.scheme() == "file" {
        return folder(&url, place).map_err(fail);
    }
    let prefix = Path::from_url_path(url.path()).map_err(|error| fail(error.to_string()))?;
    let store = match url.scheme() {
        "s3" => amazon(settings, &url),
        "az" | "abfs" | "abfss" => azure(settings, &url),
        "gs" => google(settings, &url),
        _ => {
            let known =
                "`s3://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`, `gs://BUCKET/PREFIX` and `file:///FOLDER`";
            return Err(fail(format!("known are {known}")));
        }
    };
    let store = store.map_err(|error| fail(error.to_string()))?;
    Ok(Connected::Yes(Connection { store, prefix, place }))
}

type Store = object_store::Result<Arc<dyn ObjectStore>>;

fn amazon(settings: &RemoteSettings, url: &Url) -> Store {
    let mut builder = AmazonS3Builder::new()
        .with_client_options(client(&settings.limits))
        .with_retry(retry(&settings.limits));
    for (key, value) in options::<AmazonS3ConfigKey>(settings, "AWS_") {
        builder = builder.with_config(key, value);
    }
    Ok(Arc::new(builder.with_url(url.as_str()).build()?))
}

fn azure(settings: &RemoteSettings, url: &Url) -> Store {
    let mut builder = MicrosoftAzureBuilder::new()
        .with_client_options(client(&settings.limits))
        .with_retry(retry(&settings.limits));
    for (key, value) in options::<AzureConfigKey>(settings, "AZURE_") {
        builder = builder.with_config(key, value);
    }
    Ok(Arc::new(builder.with_url(url.as_str()).build()?))
}

fn google(settings: &RemoteSettings, url: &Url) -> Store {
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_client_options(client(&settings.limits))
        .with_retry(retry(&settings.limits));
    for (key, value) in options::<GoogleConfigKey>(settings, "GOOGLE_") {
        builder = builder.with_config(key, value);
    }
    Ok(Arc::new(builder.with_url(url.as_str()).build()?))
}

/// The options of one cloud that its client knows; others are for other programs.
fn options<'s, K: std::str::FromStr>(
    settings: &'s RemoteSettings,
    prefix: &'s str,
) -> impl Iterator<Item = (K, &'s str)> {
    let ours = settings
        .options
        .iter()
        .filter(move |(name, _)| name.starts_with(prefix));
    ours.filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value.as_str())))
}

fn client(limits: &Limits) -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(limits.connect)
        .with_read_timeout(limits.stall)
        // Transfers have a limit by their size.
        .with_timeout_disabled()
}

fn retry(limits: &Limits) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: PAUSE_FIRST,
            max_backoff: PAUSE_MAX,
            base: 2.0,
        },
        max_retries: limits.retries,
        retry_timeout: limits.retry_for,
    }
}

/// A plain folder. It must be there: made here, it could hide that something is not mounted.
fn folder(url: &Url, place: String) -> Result<Connected, String> {
    let path: PathBuf = url
        .to_file_path()
        .map_err(|()| "a folder's address is `file:///FOLDER`".to_owned())?;
    let folder = match std::fs::metadata(&path) {
        Ok(folder) => folder,
        Err(error) => {
            let reason = error.to_string();
            return Ok(Connected::Away { place, reason });
        }
    };
    if !folder.is_dir() {
        return Err("it is not a folder".to_owned());
    }
    let store = LocalFileSystem::new_with_prefix(&path).map_err(|error| error.to_string())?;
    Ok(Connected::Yes(Connection {
        store: Arc::new(store.with_fsync(true)),
        prefix: Path::default(),
        place,
    }))
}
