//! Dependency resolution over repositories and installed packages.
