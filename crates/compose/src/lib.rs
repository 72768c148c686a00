//! Make a signed repository out of packages.
