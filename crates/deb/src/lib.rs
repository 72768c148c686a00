//! The Debian package format: versions, control files, relations, the .deb archive.
