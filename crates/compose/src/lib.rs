//! Make a signed repository out of packages, check one, and open one that is fetched from elsewhere.

mod check;
mod create;
mod trust;
mod verify;

pub use check::{Finding, check};
pub use create::{ComposeError, CreateOptions, Report, create, sign};
pub use trust::{MetadataSigner, MetadataVerifier, TrustError};
pub use verify::{
    FetchError, Fetcher, FolderFetcher, OpenError, Rollback, Signatures, VerifiedRepository, open_repository,
};
