//! Sources of packages: dist-git, lookaside caches, Debian source packages and crates, fetched once, by digest.

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
pub use error::{FailedAddress, SourceError};
pub use facade::Sources;
pub use lazuli_upstream::Freshness;
pub use name::{FileName, MAX_DEPTH, MAX_NAME, MAX_PATH, NameError, TreePath};
pub use progress::{OnProgress, Origin, Progress};
pub use request::{
    CommitChoice, Compression, CrateRequest, CrateSelection, CrateSource, DebianRequest, DebianSource,
    DistGit, Fetched, FileRequest, LockedCrate, LookasideRequest, NamedFile, Request, ResolvedCommit,
    StoredFile,
};
pub use settings::{
    CargoSettings, Downgrade, GitSettings, HttpSettings, LinkPolicy, Network, RetryPolicy, Settings,
    WeakDigests,
};
pub use sources_file::{SourceEntry, SourcesFileError, parse_sources};
pub use store::{Store, VerifyReport};
pub use template::{TemplateError, UrlTemplate, Variable};
