//! A Debian archive as a package source: fetched by the machine's own apt, checked by ourselves.
//!
//! ```text
//!  keyring ──▶ InRelease ──▶ Packages ──▶ Index ──resolve, closure──▶ LockedPackage ──▶ Store ──▶ .deb
//!            signature     SHA-256, size        newest version wins                 SHA-256, size
//! ```
//!
//! Source packages go the same way: `InRelease` names `Sources`, and that the `.dsc` and all tarballs, by digest
//! ([`SourceArchive`]).
//!
//! apt knows the mirror, the proxy and the credentials, downloads in parallel, and checks signatures too. It runs with
//! folders of our own, as whoever we are: nothing of the machine's own state is read or changed but its configuration.
//! We check each link of the chain again, so that trust rests neither on apt nor on files left in a cache.
//!
//! | in the cache folder | what |
//! |---|---|
//! | `apt/KEY/` | apt's private state: one for each set of suites, mirrors and architecture |
//! | `index/KEY.index` | the [`Index`]; it holds the digest of the `InRelease` files that it was made from |
//! | `debs/ab/DIGEST.deb` | the [`Store`] |
//!
//! Invariants: a [`DebianArchive`] gives an [`Index`] only when every `InRelease` has a good signature *now* and the
//! index was made from lists whose digests those name; a `.deb` gets its name in the store only after its digest was
//! checked, and is checked again when it is read. No host name is written here: mirrors come from the settings or from
//! the machine's apt configuration.

mod apt;
mod archive;
mod closure;
mod error;
mod index;
mod lock;
mod mirror;
mod progress;
mod release;
mod settings;
mod source;
mod store;

pub use archive::{DebianArchive, Freshness, SuiteState};
pub use closure::{ClosureOptions, Recommends};
pub use error::{UpstreamError, Vanished};
pub use index::{Index, IndexEntry, Provider};
pub use lock::{LockConversionError, LockedPackage};
pub use progress::{OnProgress, Progress};
pub use release::{Release, ReleaseFile, Warning};
pub use settings::{Expiry, Settings, Suite};
pub use source::{SourceArchive, SourceFiles, SourceIndex, SourcePackage, SourcePackageFile};
pub use store::{FetchSummary, Store};
