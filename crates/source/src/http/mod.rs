//! Downloads: from mirrors in turn, with limits on everything, resumed where they stopped.
//!
//! ```text
//!  in the store? ──yes──▶ done
//!       │ no
//!  lock of the digest ──▶ in the store by now? ──yes──▶ done
//!       │ no
//!  round 1 … n: each address in turn ──▶ part, which grows ──▶ digest right? ──▶ store
//!       ▲                │ failed                                 │ wrong
//!       └── pause ◀──────┘                 from the beginning, then no more from this address
//! ```
//!
//! A part is kept under the digest that the whole must have, so that any address, in this run or the next, can go on
//! with it (Range, RFC 9110, section 14). The digest of the whole decides; entity tags only save wasted bytes. A try
//! which brought the part well further does not count as a failed round, so that a server which always cuts off late still
//! gets a large file through, within a limit on all tries.

mod attempt;
mod hosts;
mod part;
pub(crate) mod url;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::{FailedAddress, SourceError};
use crate::progress::{OnProgress, Origin, Progress};
use crate::request::{FileRequest, StoredFile};
use crate::settings::{HttpSettings, Network};
use crate::store::Store;
use attempt::Failure;
use hosts::Hosts;
use part::Part;
use url::Url;

/// The most tries of one file, over all addresses and rounds, also if each brings it further.
const MAX_TRIES: u32 = 256;

/// How many bytes a try must bring to count as progress: a server that gives a few at a time is one that fails.
const MIN_PROGRESS: u64 = 64 << 10;

/// The most addresses of one file.
const MAX_ADDRESSES: usize = 64;

/// Fetches files into a store.
#[derive(Debug)]
pub(crate) struct Downloader {
    agent: ureq::Agent,
    settings: HttpSettings,
    hosts: Hosts,
    clock: Arc<dyn Clock>,
}

/// An address and how it went so far.
struct Address {
    url: Url,
    tries: u32,
    reason: String,
    given_up: bool,
}

/// How a round through all addresses went.
enum Round {
    Done(StoredFile),
    /// Nothing came, but it may later; a server may have asked for a pause.
    Failed {
        wish: Option<Duration>,
        progressed: bool,
    },
}

impl Downloader {
    pub(crate) fn new(settings: HttpSettings, clock: Arc<dyn Clock>) -> Result<Self, SourceError> {
        Ok(Self {
            agent: agent(&settings)?,
            hosts: Hosts::new(settings.per_host),
            settings,
            clock,
        })
    }

    /// Makes sure that a file is in the store.
    pub(crate) fn fetch(
        &self,
        store: &Store,
        request: &FileRequest,
        network: Network,
        progress: OnProgress<'_>,
    ) -> Result<StoredFile, SourceError> {
        let what = request.name.to_string();
        let finished = |stored, from| {
            progress(&Progress::Finished {
                what: what.clone(),
                from,
            });
            Ok(stored)
        };
        if let Some(stored) = store.find(&request.digest)? {
            return finished(stored, Origin::Cache);
        }
        if network == Network::Off {
            let what = format!("{what} with the digest {}", request.digest);
            return Err(SourceError::Offline { what });
        }
        let mut addresses = Vec::new();
        for url in request.urls.iter().take(MAX_ADDRESSES) {
            addresses.push(Address {
                url: Url::parse(url)?,
                tries: 0,
                reason: String::new(),
                given_up: false,
            });
        }
        let _lock = store.lock(&request.digest)?;
        if let Some(stored) = store.find(&request.digest)? {
            return finished(stored, Origin::Cache);
        }
        progress(&Progress::Started { what: what.clone() });
        let stored = self.fetch_locked(store, request, &mut addresses, progress)?;
        finished(stored, Origin::Network)
    }

    fn fetch_locked(
        &self,
        store: &Store,
        request: &FileRequest,
        addresses: &mut [Address],
        progress: OnProgress<'_>,
    ) -> Result<StoredFile, SourceError> {
        let part = Part::at(store.part_path(&request.digest));
        let (mut failed_rounds, mut tries) = (0, 0);
        while failed_rounds < self.settings.retry.rounds.max(1)
            && tries < MAX_TRIES
            && addresses.iter().any(|address| !address.given_up)
        {
            let (wish, progressed) = match self.round(store, request, &part, addresses, progress)? {
                Round::Done(stored) => return Ok(stored),
                Round::Failed { wish, progressed } => (wish, progressed),
            };
            failed_rounds = if progressed { 0 } else { failed_rounds + 1 };
            tries = addresses.iter().map(|address| address.tries).sum();
            let last = addresses.iter().rev().find(|address| !address.given_up);
            // Not after the last round: no one waits for nothing.
            if let Some(last) = last
                && failed_rounds < self.settings.retry.rounds.max(1)
                && tries < MAX_TRIES
            {
                let pause = self.settings.retry.pause(failed_rounds.saturating_sub(1), wish);
                progress(&Progress::Retrying {
                    what: request.name.to_string(),
                    reason: format!("{}: {}", last.url, last.reason),
                    pause,
                });
                self.clock.sleep(pause);
            }
        }
        Err(SourceError::Download {
            file: request.name.to_string(),
            digest: request.digest.clone(),
            attempts: addresses
                .iter()
                .map(|address| FailedAddress {
                    url: address.url.to_string(),
                    tries: address.tries,
                    reason: address.reason.clone(),
                })
                .collect(),
        })
    }

    /// Tries each address once, or twice where bytes of earlier tries turn out to be of another content.
    fn round(
        &self,
        store: &Store,
        request: &FileRequest,
        part: &Part,
        addresses: &mut [Address],
        progress: OnProgress<'_>,
    ) -> Result<Round, SourceError> {
        let (mut wish, mut progressed) = (None, false);
        for address in addresses.iter_mut().filter(|address| !address.given_up) {
            for _ in 0..2 {
                let before = part.length()?;
                address.tries += 1;
                match self.attempt(&address.url, request, part, progress) {
                    Ok(()) => match store.adopt(
                        part.path(),
                        &address.url.to_string(),
                        std::slice::from_ref(&request.digest),
                    ) {
                        Ok(stored) => {
                            part.finish()?;
                            return Ok(Round::Done(stored));
                        }
                        Err(SourceError::Digest { found, .. }) => {
                            part.discard()?;
                            address.reason = format!("what it sent has the digest {found}");
                            if before == 0 {
                                address.given_up = true;
                                break;
                            }
                            // Some of it came earlier, perhaps from elsewhere: once more, from the beginning.
                        }
                        Err(other) => return Err(other),
                    },
                    Err(Failure::Here(error)) => return Err(error),
                    Err(Failure::NotHere(reason)) => {
                        address.reason = reason;
                        address.given_up = true;
                        break;
                    }
                    Err(Failure::Again { reason, wait }) => {
                        address.reason = reason;
                        wish = wish.max(wait);
                        progressed |= part.length()? >= before.saturating_add(MIN_PROGRESS);
                        break;
                    }
                }
            }
        }
        Ok(Round::Failed { wish, progressed })
    }
}

/// ureq as we need it: no redirection, no proxy and no decoding but what the settings and we ourselves decide.
fn agent(settings: &HttpSettings) -> Result<ureq::Agent, SourceError> {
    let wrong = |reason: String| SourceError::Settings { reason };
    let proxy = match &settings.proxy {
        None => None,
        Some(address) => Some(
            ureq::Proxy::new(address)
                .map_err(|error| wrong(format!("the proxy `{}`: {error}", url::without_password(address))))?,
        ),
    };
    let mut tls = ureq::tls::TlsConfig::builder();
    if let Some(path) = &settings.certificates {
        let pem = std::fs::read(path).map_err(SourceError::io("read", path))?;
        let certificates: Vec<_> = ureq::tls::parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            return Err(wrong(format!("{} has no certificates", path.display())));
        }
        tls = tls.root_certs(ureq::tls::RootCerts::new_with_certs(&certificates));
    }
    let config = ureq::Agent::config_builder()
        .timeout_connect(Some(settings.connect_timeout))
        .timeout_recv_response(Some(settings.response_timeout))
        .timeout_per_read(Some(settings.stall_time))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .accept_encoding("identity")
        .user_agent(concat!("lazuli/", env!("CARGO_PKG_VERSION")))
        .proxy(proxy)
        .tls_config(tls.build())
        .build();
    Ok(config.new_agent())
}
