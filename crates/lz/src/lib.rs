//! The package manager of Lazuli hosts.
