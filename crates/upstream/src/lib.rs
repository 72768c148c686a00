//! Fetch and verify packages of an upstream archive.
