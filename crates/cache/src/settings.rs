//! What a cache is opened with.

use crate::CacheError;
use lazuli_openpgp::{Keyring, SigningKey};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where a cache is, and what it may do.
#[derive(Clone)]
pub struct Settings {
    /// The local folder; it is made when it is missing.
    pub folder: PathBuf,
    /// A remote that is shared with other machines.
    pub remote: Option<RemoteSettings>,
    /// Told what a person should know. It is called from other threads too.
    pub notify: Arc<dyn Fn(Notice) + Send + Sync>,
}

impl Settings {
    /// A local cache that tells nobody anything.
    pub fn local(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            remote: None,
            notify: Arc::new(|_| ()),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Settings")
            .field("folder", &self.folder)
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}

/// What a person should know; each is a line by `Display`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice {
    /// The remote does not answer and is left alone from here on. It is said once.
    RemoteAway {
        /// The remote.
        place: String,
        /// The last failure.
        reason: String,
    },
    /// Something was refused: wrong bytes, a wrong or missing signature.
    Refused(CacheError),
    /// An upload failed; the build is as good as it was.
    NotShared(CacheError),
}

impl fmt::Display for Notice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RemoteAway { place, reason } => write!(
                out,
                "the build cache {place} is away, the build goes on without it: {reason}"
            ),
            Self::Refused(error) => write!(out, "{error}; the build goes on as if it were not there"),
            Self::NotShared(error) => write!(out, "a result was not shared: {error}"),
        }
    }
}

/// A remote, and how it is used.
#[derive(Clone)]
pub struct RemoteSettings {
    /// Its address: `s3://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`, `gs://BUCKET/PREFIX` or `file:///FOLDER`.
    pub url: String,
    /// Credentials and options under the names of the environment variables that the clouds' own tools read:
    /// `AWS_…`, `AZURE_…`, `GOOGLE_…`.
    pub options: Vec<(String, String)>,
    /// Whose entries are believed.
    pub trusted: Keyring,
    /// Whether results are shared.
    pub access: Access,
    /// How long, how often, how many.
    pub limits: Limits,
}

/// Shows no credentials.
impl fmt::Debug for RemoteSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RemoteSettings")
            .field("url", &self.url)
            .field("access", &self.access)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What may be done with a remote.
#[derive(Debug, Clone)]
pub enum Access {
    /// Results are taken, none is given.
    ReadOnly,
    /// Results are given too, signed with this key.
    ReadWrite(Arc<SigningKey>),
}

/// Limits on what goes to and from a remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many transfers run at once.
    pub transfers: usize,
    /// How long a connection may take to be made.
    pub connect: Duration,
    /// How long a transfer may stand still.
    pub stall: Duration,
    /// How often a request is tried anew.
    pub retries: usize,
    /// How long a request may take with all its tries.
    pub retry_for: Duration,
    /// After how many failures on end the remote is left alone.
    pub failures: usize,
    /// How long [`finish`](crate::Cache::finish) waits for uploads.
    pub finish: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            transfers: 8,
            connect: Duration::from_secs(5),
            stall: Duration::from_secs(30),
            retries: 3,
            retry_for: Duration::from_secs(60),
            failures: 3,
            finish: Duration::from_secs(600),
        }
    }
}
