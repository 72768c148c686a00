//! The cache of build results: what was built once, here or on another machine, is not built again.
//!
//! - An **object** is a file that a build gave (package, log, provenance), under the SHA-256 digest of its bytes.
//! - An **entry** says, under the key of a build, which objects came of it, what else is known of it, and how long it took.
//!   The key is the digest of all that decides what comes out; the builder computes it, the cache only compares it.
//!
//! # On disk
//!
//! | in the local folder | what |
//! |---|---|
//! | `objects/ab/cdef…` | an object; the two parts of the name are its digest; read-only |
//! | `entries/ab/cdef….json` | an entry; the two parts of the name are its key; the time of the file is its last use |
//! | `leases/PID-N` | what a living process uses, a line each: `entry KEY`, `object SHA256`; locked while it lives |
//! | `incoming/.lazuli-tmp-…` | an object on its way in; locked while it is written |
//!
//! A remote has `objects/…` and `entries/…` of the same names below its prefix, and nothing else. Nothing in either is ever
//! changed in place.
//!
//! # What can be relied on
//!
//! - **Killed anywhere**, a process leaves whole files under their final names, or nothing. An object has its name before
//!   the entry that names it is written, and an entry is gone before its objects are, so that an entry never promises what
//!   was not there. What a killed process leaves in `incoming`, in `leases` and as objects without an entry is removed by
//!   [`Folder::collect`].
//! - **Shared between processes** without a daemon. What a process uses is kept by its lease: a line in it is written while
//!   the lock on `leases` is shared, a collection holds that lock alone and reads all leases first.
//! - **Bytes are checked when they are used**: objects are hashed when they come from a remote, when they are placed and
//!   when they are uploaded. Wrong ones are refused, counted, said, and count as absent.
//! - **A remote is believed only as far as it is signed.** An entry counts if a key of the caller's ring signed it and it
//!   says the key that was asked for; an object is what such an entry says. Who can write to the remote, or stands in
//!   between, can withhold results and give old ones back, which are right for their key, but can forge none.
//! - **A remote never fails a build.** What it does not give in its time is a miss; after [`Limits::failures`] failures on
//!   end, or when nobody answers at all, it is left alone for as long as the cache is open, and that is said once. Uploads
//!   run behind the build; [`Cache::finish`] waits for them.
//!
//! # Trade-offs
//!
//! - The local folder is trusted: who can write there is the user, who can do worse. Its entries need no signature.
//! - An object is hashed each time that it is placed: 1.8 GB/s are cheap beside a build, and a bad disk is found at once.
//! - What is in use is a list in a file and not a lock for each entry: a build uses thousands, and file descriptors are few.
//! - A collection makes others wait that begin to use something, for as long as it removes files: seconds at most.
//! - Remotes are not collected by us: their own rules by age do that better, as nobody knows who else uses them.

mod cache;
mod document;
mod entry;
mod error;
mod failpoint;
mod folder;
mod key;
#[cfg(test)]
mod killed;
mod remote;
mod settings;

pub use cache::{Cache, Placement, Statistics};
pub use entry::{Entry, NewEntry, Object};
pub use error::CacheError;
pub use folder::{
    Collected, Collection, Damage, Folder, ObjectKind, OnDamage, Share, Usage, Use, Verified, cutoff,
};
pub use key::{CacheKey, InvalidName, ObjectName};
pub use settings::{Access, Limits, Notice, RemoteSettings, Settings};

/// The builder shares one between its threads.
const fn is_shared<T: Send + Sync>() {}
const _: () = is_shared::<Cache>();
