//! The cache of build results.

mod cache;
mod entry;
mod error;
mod key;
mod settings;

pub use cache::{Cache, Placement, Statistics};
pub use entry::{Entry, NewEntry, Object};
pub use error::CacheError;
pub use key::{CacheKey, InvalidName, ObjectName};
pub use settings::{Access, Limits, Notice, RemoteSettings, Settings};

/// The builder shares one between its threads.
const fn _shared<T: Send + Sync>() {}
const _: () = _shared::<Cache>();
