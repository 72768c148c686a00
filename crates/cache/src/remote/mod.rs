//! A store that is shared with other machines, behind the local folder.
//!
//! Nothing of it is believed but signatures: an entry counts if a trusted key signed it, an object if its bytes have the
//! digest that such an entry names. What fails is a miss; what fails on end is left alone.

mod breaker;
mod connect;
mod transfer;

use crate::cache::Counters;
use crate::document::{self, ENTRY_MAX};
use crate::folder::{Folder, entry_name};
use crate::{Access, CacheError, CacheKey, Entry, Limits, Notice, Object, RemoteSettings};
use breaker::{Breaker, Severity};
use connect::{Connected, Connection};
use futures_util::StreamExt;
use lazuli_catalog::Sha256Digest;
use lazuli_openpgp::{Keyring, SigningKey};
use object_store::client::{HttpError, HttpErrorKind};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// What a transfer must do in a second at least, on average, or it is cut off: bytes.
const RATE_MIN: u64 = 64 << 10;

/// Who is told.
pub(crate) type Notify = Arc<dyn Fn(Notice) + Send + Sync>;

/// The remote.
pub(crate) struct Remote {
    connection: Connection,
    trusted: Keyring,
    access: Access,
    limits: Limits,
    gate: Semaphore,
    breaker: Breaker,
    /// Objects that the remote gave wrongly: what it has under their names is not as good as what we have.
    wrong: Mutex<HashSet<Sha256Digest>>,
    folder: Folder,
    counters: Arc<Counters>,
    notify: Notify,
}

impl fmt::Debug for Remote {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Remote")
            .field("place", &self.connection.place)
            .finish_non_exhaustive()
    }
}

/// What a failed request says.
struct Failed {
    severity: Severity,
    reason: String,
}

impl Remote {
    /// Makes ready; `None` if the remote is away already, which was said then.
    pub(crate) fn open(
        settings: RemoteSettings,
        folder: Folder,
        counters: Arc<Counters>,
        notify: Notify,
    ) -> Result<Option<Self>, CacheError> {
        // One provider of cryptography for the process; that there is one already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let connection = match connect::connect(&settings)? {
            Connected::Yes(connection) => connection,
            Connected::Away { place, reason } => {
                notify(Notice::RemoteAway { place, reason });
                return Ok(None);
            }
        };
        let limits = settings.limits;
        Ok(Some(Self {
            connection,
            trusted: settings.trusted,
            access: settings.access,
            limits,
            gate: Semaphore::new(limits.transfers.max(1)),
            breaker: Breaker::new(limits.failures),
            wrong: Mutex::new(HashSet::new()),
            folder,
            counters,
            notify,
        }))
    }

    /// Whether it is of use.
    pub(crate) fn is_there(&self) -> bool {
        !self.breaker.is_open()
    }

    /// The key that signs what is shared.
    pub(crate) fn signing_key(&self) -> Option<&SigningKey> {
        match &self.access {
            Access::ReadWrite(key) => Some(key),
            Access::ReadOnly => None,
        }
    }

    pub(crate) fn place(&self) -> &str {
        &self.connection.place
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    fn store(&self) -> &dyn ObjectStore {
        &*self.connection.store
    }

    fn path(&self, name: &str) -> Path {
        let parts = self.connection.prefix.parts();
        let ours = name.split('/').map(object_store::path::PathPart::from);
        Path::from_iter(parts.chain(ours))
    }

    /// The entry of a build with its bytes as they came; `None` if there is none, or none that is believed.
    pub(crate) async fn entry(&self, key: &CacheKey) -> Option<(Entry, Vec<u8>)> {
        let path = self.path(&entry_name(key));
        let bytes = self
            .request("read", ENTRY_MAX, async {
                let result = match self.store().get(&path).await {
                    Err(object_store::Error::NotFound { .. }) => return Ok(None),
                    result => result?,
                };
                let mut bytes = Vec::new();
                let mut stream = result.into_stream();
                while let Some(chunk) = stream.next().await {
                    bytes.extend_from_slice(&chunk?);
                    if bytes.len() as u64 > ENTRY_MAX {
                        break;
                    }
                }
                Ok(Some(bytes))
            })
            .await
            .ok()
            .flatten()?;
        let parsed = match bytes.len() as u64 > ENTRY_MAX {
            true => Err(format!("it has more than {ENTRY_MAX} bytes")),
            false => document::parse_signed(key, &bytes, &self.trusted),
        };
        match parsed {
            Ok(entry) => Some((entry, bytes)),
            Err(reason) => {
                self.refuse(CacheError::Entry {
                    place: self.connection.place.clone(),
                    key: key.clone(),
                    reason,
                });
                None
            }
        }
    }

    /// Does a request, if there is any use in it, in its turn and its time. What fails counts against the remote.
    async fn request<T>(
        &self,
        action: &'static str,
        size: u64,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, CacheError> {
        let fail = |reason: String| CacheError::Transfer {
            action,
            place: self.connection.place.clone(),
            reason,
        };
        let Ok(_turn) = self.gate.acquire().await else {
            return Err(fail("the cache is closed".to_owned()));
        };
        if !self.is_there() {
            return Err(fail("it was away before".to_owned()));
        }
        let time = self.time_for(size);
        let failed = match tokio::time::timeout(time, request).await {
            Ok(Ok(value)) => {
                self.breaker.succeeded();
                return Ok(value);
            }
            Ok(Err(error)) => Failed::from(error),
            Err(_) => Failed {
                severity: Severity::Passing,
                reason: format!("it took more than {} s", time.as_secs()),
            },
        };
        if self.breaker.failed(failed.severity) {
            (self.notify)(Notice::RemoteAway {
                place: self.connection.place.clone(),
                reason: failed.reason.clone(),
            });
        }
        Err(fail(failed.reason))
    }

    /// How long a transfer of so many bytes may take, with all its tries.
    fn time_for(&self, size: u64) -> Duration {
        let limits = &self.limits;
        limits.retry_for + limits.connect + limits.stall + Duration::from_secs(size / RATE_MIN)
    }

    fn refuse(&self, error: CacheError) {
        self.counters.refused.add(1);
        (self.notify)(Notice::Refused(error));
    }

    fn wrong(&self) -> std::sync::MutexGuard<'_, HashSet<Sha256Digest>> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is said of an object with wrong bytes.
    fn wrong_bytes(&self, object: &Object, found: String) -> CacheError {
        self.wrong().insert(object.sha256.clone());
        CacheError::Digest {
            place: self.connection.place.clone(),
            name: object.name.to_string(),
            expected: object.sha256.clone(),
            found,
        }
    }
}

impl From<object_store::Error> for Failed {
    fn from(error: object_store::Error) -> Self {
        let mut reason = error.to_string();
        let mut severity = Severity::Passing;
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(error) = cause {
            if let Some(http) = error.downcast_ref::<HttpError>()
                && http.kind() == HttpErrorKind::Connect
            {
                severity = Severity::Unreachable;
            }
            let text = error.to_string();
            if !reason.contains(&text) {
                reason = format!("{reason}: {text}");
            }
            cause = error.source();
        }
        Self { severity, reason }
    }
}
