//! What long work says of itself.

/// How far some work is.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// apt fetches the lists of the archive.
    Updating {
        /// From 0 to 1, by bytes.
        fraction: f32,
    },
    /// The lists are checked and the index is made.
    Indexing {
        /// How many packages there are so far.
        packages: usize,
    },
    /// What is in the store already is hashed.
    Checking {
        /// How many packages there are.
        packages: usize,
    },
    /// Packages are fetched.
    Fetching {
        /// How many packages are to be fetched.
        packages: usize,
        /// How many bytes have come.
        done: u64,
        /// How many bytes are to come in all.
        total: u64,
    },
}

/// Is told of progress, from any thread.
pub type OnProgress<'a> = &'a (dyn Fn(&Progress) + Sync);
