//! Getting files of repositories: from a folder, or over http with a limit, a time limit and a bounded number of tries.

use lazuli_compose::{FetchError, Fetcher, FolderFetcher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a file is tried, over all of a repository's URLs.
const MAX_TRIES: usize = 4;

/// How long to wait before the second try; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How long to wait for a connection, and for an answer to begin.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// How long one file may take in all.
const FILE_TIMEOUT: Duration = Duration::from_secs(1800);

/// How much is read at once.
const BLOCK: usize = 64 << 10;

/// A place that a repository is fetched from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A folder of this machine.
    Folder(PathBuf),
    /// URLs of the same content.
    Web {
        /// Makes the requests.
        agent: ureq::Agent,
        /// Without a slash at the end.
        urls: Vec<String>,
    },
}

impl Source {
    /// Of base URLs; if the first is a `file://` URL, its folder.
    pub fn of(urls: &[String]) -> Self {
        if let Some(folder) = urls.first().and_then(|url| url.strip_prefix("file://")) {
            return Self::Folder(PathBuf::from(folder));
        }
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(FILE_TIMEOUT))
            // Files are checked by digest as they lie on the server.
            .accept_encoding("identity")
            .user_agent(concat!("lz/", env!("CARGO_PKG_VERSION")))
            .build();
        Self::Web {
            agent: config.new_agent(),
            urls: urls.to_vec(),
        }
    }

    /// The folder, if the repository lies in one: its packages are used where they are.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Web { .. } => None,
        }
    }

    /// Reads a file of at most `limit` bytes, and gives each block to `take`. When a try fails midway, `restart` is
    /// called before the next.
    pub fn read(
        &self,
        location: &str,
        limit: u64,
        restart: &mut dyn FnMut() -> std::io::Result<()>,
        take: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Result<(), FetchError> {
        match self {
            Self::Folder(root) => {
                let content = FolderFetcher { root: root.clone() }.fetch(location, limit)?;
                let fail = |e: std::io::Error| FetchError {
                    location: location.to_owned(),
                    reason: e.to_string(),
                };
                restart().and_then(|()| take(&content)).map_err(fail)
            }
            Self::Web { agent, urls } => {
                let mut pause = FIRST_PAUSE;
                let mut last = FetchError {
                    location: location.to_owned(),
                    reason: "there is no URL".to_owned(),
                };
                for (attempt, base) in urls.iter().cycle().take(MAX_TRIES.max(urls.len())).enumerate() {
                    let url = format!("{base}/{location}");
                    if attempt >= urls.len() {
                        std::thread::sleep(pause);
                        pause *= 2;
                    }
                    match get(agent, &url, limit, restart, take) {
                        Ok(()) => return Ok(()),
                        Err(Attempt::Final(reason)) => {
                            return Err(FetchError {
                                location: url,
                                reason,
                            });
                        }
                        Err(Attempt::NotHere(reason)) if attempt + 1 >= urls.len() => {
                            return Err(FetchError {
                                location: url,
                                reason,
                            });
                        }
                        Err(Attempt::NotHere(reason) | Attempt::Again(reason)) => {
                            last = FetchError {
                                location: url,
                                reason,
                            };
                        }
                    }
                }
                Err(last)
            }
        }
    }
}

impl Fetcher for Source {
    fn fetch(&self, location: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        let content = std::cell::RefCell::new(Vec::new());
        let mut restart = || {
            content.borrow_mut().clear();
            Ok(())
        };
        let mut take = |block: &[u8]| {
            content.borrow_mut().extend_from_slice(block);
            Ok(())
        };
        self.read(location, limit, &mut restart, &mut take)?;
        Ok(content.into_inner())
    }
}

/// Why one try failed.
enum Attempt {
    /// Another try may go better.
    Again(String),
    /// This server does not have it; another may.
    NotHere(String),
    /// No try will.
    Final(String),
}

fn get(
    agent: &ureq::Agent,
    url: &str,
    limit: u64,
    restart: &mut dyn FnMut() -> std::io::Result<()>,
    take: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<(), Attempt> {
    let mut response = agent.get(url).call().map_err(|error| match error {
        ureq::Error::StatusCode(code) if code >= 500 || code == 408 || code == 429 => {
            Attempt::Again(format!("the server answers {code}"))
        }
        ureq::Error::StatusCode(code) => Attempt::NotHere(format!("the server answers {code}")),
        ureq::Error::BadUri(reason) => Attempt::Final(reason),
        other => Attempt::Again(other.to_string()),
    })?;
    restart().map_err(|e| Attempt::Final(e.to_string()))?;
    let announced = response.body().content_length();
    if announced.is_some_and(|length| length > limit) {
        return Err(Attempt::Final(format!("it has more than {limit} bytes")));
    }
    let mut reader = response
        .body_mut()
        .with_config()
        .limit(limit.saturating_add(1))
        .reader();
    let (mut total, mut block) = (0u64, vec![0; BLOCK]);
    loop {
        match reader.read(&mut block) {
            Ok(0) => break,
            Ok(count) => {
                total += count as u64;
                if total > limit {
                    return Err(Attempt::Final(format!("it has more than {limit} bytes")));
                }
                // A write that fails is this machine's trouble, which no other server mends.
                take(block.get(..count).unwrap_or_default()).map_err(|e| Attempt::Final(e.to_string()))?;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Attempt::Again(e.to_string())),
        }
    }
    match announced {
        Some(length) if length != total => Err(Attempt::Again(format!(
            "it ended after {total} of {length} bytes"
        ))),
        _ => Ok(()),
    }
}
