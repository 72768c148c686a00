//! Sources of packages: dist-git, lookaside caches, Debian source packages and crates, fetched once, by digest.
//!
//! ```text
//!  dist-git ──git──▶ commit ──▶ files, `sources` ──▶ lookaside cache ──http──┐
//!  addresses with a digest ────────────────────────────────────────────http──┤
//!  Debian archive ──apt──▶ InRelease ▶ Sources ▶ .dsc and tarballs ──────────┼──▶ Store, by SHA-256
//!  registry ──cargo──▶ crates of a Cargo.lock ──▶ one tarball ───────────────┘
//! ```
//!
//! [`Sources`] is the door to all of it; [`Sources::fetch_all`] works on many requests at once. What is in the cache is
//! never asked of the network again, and [`Network::Off`] makes sure of it.
//!
//! | in the cache folder | what |
//! |---|---|
//! | `sources/objects`, `names`, `parts`, `locks`, `records` | the [`Store`] |
//! | `sources/git/KEY-NAME/` | a bare partial clone for each repository address |
//! | `apt/KEY/` | lists of Debian archives, which `lazuli-upstream` keeps |
//!
//! Invariants: a file is used only with the digest that was asked for, and it is hashed whenever it is asked for; a
//! partial download never has a final name; every wait, try, size and number has a limit in the settings or a named
//! constant; no address is written here; programs (git, apt, cargo) run with the least that they need. Processes may
//! share a cache, and may be killed at any point.
//!
//! Deliberately absent: the removal of what is no longer needed, and downloads without a digest.

mod checkout;
mod clock;
mod crates;
mod debian;
mod digest;
mod error;
mod facade;
mod git;
mod http;
mod lock;
mod lookaside;
mod name;
mod process;
mod progress;
mod request;
mod settings;
mod sources_file;
mod store;
mod tarball;
mod template;

pub use checkout::{
    Checkout, CommitError, CommitRecord, FileVersion, FullCommit, LeftOut, SOURCES_FILE, TreeFile, TreeMode,
};
pub use clock::{Clock, SystemClock};
pub use digest::{Digest, DigestError, HashAlgorithm};
pub use error::{FailedAddress, NoTarball, SourceError};
pub use facade::Sources;
pub use lazuli_upstream::{Freshness, Settings as DebianArchiveSettings, SourceFiles};
pub use name::{FileName, MAX_DEPTH, MAX_NAME, MAX_PATH, NameError, TreePath};
pub use progress::{OnProgress, Origin, Progress};
pub use request::{
    CommitChoice, Compression, CrateRequest, CrateSelection, CrateSource, DebianFileRequest, DebianRequest,
    DebianSource, DistGit, Fetched, FileRequest, LockedCrate, LookasideRequest, NamedFile, Request,
    ResolvedCommit, ServedTarball, StoredFile,
};
pub use settings::{
    CargoSettings, Downgrade, GitSettings, HttpSettings, LinkPolicy, Network, RetryPolicy, Settings,
    WeakDigests,
};
pub use sources_file::{SourceEntry, SourcesFileError, parse_sources};
pub use store::{Store, VerifyReport};
pub use template::{TemplateError, UrlTemplate, Variable};
