//! Signing what came out.
