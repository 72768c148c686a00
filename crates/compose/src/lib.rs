//! Make a signed repository out of packages, check one, and open one that is fetched from elsewhere.
//!
//! ```text
//! DIR/*.rpm, DIR/*/*.rpm …                   packages
//! DIR/repodata/repomd.xml                    index: sizes and checksums of all metadata
//! DIR/repodata/repomd.xml.asc, .key          its signature, and the certificate to verify it with
//! DIR/repodata/SHA256-primary.xml.zst …      metadata, named by their checksums
//! DIR/.lazuli-digests                        digests of unchanged package files, so that they are not read again
//! ```
//!
//! [`create`] replaces the folder `repodata` in one step; since all other metadata is named by checksum, a client that
//! has fetched the old index either still gets the old files or an error, never a mixture.

mod check;
mod create;
mod digests;
mod packages;
mod trust;
mod verify;

pub use check::{Finding, check};
pub use create::{ComposeError, CreateOptions, Report, create, sign};
pub use trust::{MetadataSigner, MetadataVerifier, TrustError};
pub use verify::{
    FetchError, Fetcher, FolderFetcher, OpenError, Rollback, Signatures, VerifiedRepository, open_repository,
};
