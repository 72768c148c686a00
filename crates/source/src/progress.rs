//! What long work says of itself.

use std::time::Duration;

/// How far some work is. `what` is a file name, a repository or a package: it tells parallel work apart.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// Something begins that needs the network.
    Started {
        /// What it is.
        what: String,
    },
    /// Bytes have come.
    Bytes {
        /// Of what.
        what: String,
        /// How many there are so far, with those of earlier tries.
        done: u64,
        /// How many there will be, where the server says so.
        total: Option<u64>,
    },
    /// A try failed; another one follows.
    Retrying {
        /// Of what.
        what: String,
        /// Why it failed.
        reason: String,
        /// How long is waited before.
        pause: Duration,
    },
    /// It is there, and its digest is right.
    Finished {
        /// What it is.
        what: String,
        /// Where it came from.
        from: Origin,
    },
}

/// Where something came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was in the cache; nothing was asked of the network.
    Cache,
    /// It was fetched.
    Network,
}

/// Is told of progress, from any thread.
pub type OnProgress<'a> = &'a (dyn Fn(&Progress) + Sync);
