//! Where sources are cached, and how patient we are with their servers.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};

/// Whether anything may be asked of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// What is not in the cache is fetched.
    Allowed,
    /// What is not in the cache is an error.
    Off,
}

/// What to do with files that are known by an MD5 or SHA-1 digest only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeakDigests {
    /// Take them: old packages have no other. The SHA-256 digest is recorded, and is what locks name.
    Accept,
    /// Refuse them.
    Refuse,
}

/// What to do with symbolic links and submodules in a repository's tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPolicy {
    /// The tree is refused.
    Refuse,
    /// They are left out and listed.
    LeaveOut,
}

/// Redirections from https to http, which take away the secrecy and authenticity that were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Downgrade {
    /// Never followed.
    Refuse,
    /// Followed to addresses of this machine only, which no one else can hear or change.
    ToLoopback,
}

/// When and how often a failed download is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often all addresses are gone through. At least 1.
    pub rounds: u32,
    /// How long to wait after the first round; it doubles from round to round.
    pub first_pause: Duration,
    /// The longest wait, also where a server asks for a longer one.
    pub max_pause: Duration,
}

/// Downloads over HTTP.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// How long a connection, with TLS, may take to be made.
    pub connect_timeout: Duration,
    /// How long a server may take to begin its answer.
    pub response_timeout: Duration,
    /// How long a body may bring fewer than `stall_bytes`.
    pub stall_time: Duration,
    /// How many bytes must come in `stall_time`.
    pub stall_bytes: u64,
    /// The largest file, in bytes.
    pub max_bytes: u64,
    /// How many redirections are followed.
    pub max_redirects: u32,
    /// Redirections from https to http.
    pub downgrade: Downgrade,
    /// How many downloads run at once from one host.
    pub per_host: usize,
    /// When to try again.
    pub retry: RetryPolicy,
    /// A file of certificates (PEM) to trust instead of the built-in ones: that of the machine, mostly.
    pub certificates: Option<PathBuf>,
    /// The proxy's address.
    pub proxy: Option<String>,
}

/// Repositories over git.
#[derive(Debug, Clone)]
pub struct GitSettings {
    /// The program.
    pub program: PathBuf,
    /// How addresses may begin: `https`, `http`, `git`, `ssh`, `file`.
    pub protocols: Vec<String>,
    /// Symbolic links and submodules.
    pub links: LinkPolicy,
    /// How long git may say nothing.
    pub stall_time: Duration,
    /// How long one fetch may take.
    pub max_time: Duration,
    /// The most files of a tree.
    pub max_files: usize,
    /// The most bytes of a tree.
    pub max_bytes: u64,
    /// The most commits of a history.
    pub max_commits: usize,
    /// When to try again.
    pub retry: RetryPolicy,
    /// The proxy's address.
    pub proxy: Option<String>,
}

/// Crates, by the machine's cargo.
#[derive(Debug, Clone)]
pub struct CargoSettings {
    /// The program.
    pub program: PathBuf,
    /// Variables that it gets beside those of this process.
    pub environment: Vec<(OsString, OsString)>,
    /// How long one run may take.
    pub max_time: Duration,
    /// The most bytes of all crates of one request, unpacked.
    pub max_bytes: u64,
}

/// All settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder for caches; it is made when it is missing.
    pub cache: PathBuf,
    /// Whether the network may be used.
    pub network: Network,
    /// Files known by a weak digest only.
    pub weak_digests: WeakDigests,
    /// How many requests are worked on at once. At least 1.
    pub parallel: usize,
    /// Downloads over HTTP.
    pub http: HttpSettings,
    /// Repositories over git.
    pub git: GitSettings,
    /// Crates.
    pub cargo: CargoSettings,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            rounds: 4,
            first_pause: Duration::from_millis(500),
            max_pause: Duration::from_secs(20),
        }
    }
}

impl RetryPolicy {
    /// How long to wait after a round, counted from 0, when the server asks for `wish`.
    #[must_use]
    pub fn pause(&self, round: u32, wish: Option<Duration>) -> Duration {
        let doubled = self
            .first_pause
            .saturating_mul(2u32.saturating_pow(round.min(16)));
        doubled.max(wish.unwrap_or_default()).min(self.max_pause)
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(20),
            response_timeout: Duration::from_secs(60),
            stall_time: Duration::from_secs(30),
            stall_bytes: 32 << 10,
            max_bytes: 8 << 30,
            max_redirects: 8,
            downgrade: Downgrade::Refuse,
            per_host: 4,
            retry: RetryPolicy::default(),
            certificates: None,
            proxy: None,
        }
    }
}

impl Default for GitSettings {
    fn default() -> Self {
        Self {
            program: PathBuf::from("git"),
            protocols: ["https", "http", "git", "ssh"].map(str::to_owned).to_vec(),
            links: LinkPolicy::Refuse,
            stall_time: Duration::from_secs(90),
            max_time: Duration::from_secs(3600),
            max_files: 50_000,
            max_bytes: 1 << 30,
            max_commits: 100_000,
            retry: RetryPolicy::default(),
            proxy: None,
        }
    }
}

impl Default for CargoSettings {
    fn default() -> Self {
        Self {
            program: PathBuf::from("cargo"),
            environment: Vec::new(),
            max_time: Duration::from_secs(3600),
            max_bytes: 4 << 30,
        }
    }
}

impl Settings {
    /// The usual settings, with a cache folder.
    #[must_use]
    pub fn new(cache: PathBuf) -> Self {
        Self {
            cache,
            network: Network::Allowed,
            weak_digests: WeakDigests::Accept,
            parallel: 8,
            http: HttpSettings::default(),
            git: GitSettings::default(),
            cargo: CargoSettings::default(),
            clock: Arc::new(SystemClock::default()),
        }
    }
}
