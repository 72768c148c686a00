//! Fingerprints: a digest over all that can change a component's packages, as named fields, so that it can say why.
//!
//! # What is in it
//!
//! | field | what |
//! |---|---|
//! | `distro.release-version` | the distribution's release version: it is in `%{dist}` and more |
//! | `manual-bump` | the count of rebuilds that a person asked for |
//! | `source.commit`, `source.files.NAME`, `source.packages.NAME` | what is built: the commit of an upstream, the digests of a local spec and the files beside it, the digests of imported packages |
//! | `source.wanted.KEY` | only where nothing is locked yet: what the commit will be chosen by |
//! | `build.…`, `release.…`, `render.…`, `source-files.NAME.…` | the settings, by the names that they have in TOML; a default has no field |
//! | `overlays[N].…` | each overlay in order; of a file that it takes, the name and the digest |
//! | `import.…`, `declare.…`, `generate.…` | the same for components without a spec |
//! | `environment.buildroot.NAME`, `environment.macros.NAME`, `environment.sandbox` | what it is built in, as far as the caller knows it |
//!
//! Left out, because the result is the same without them: descriptions, reasons, notes, `metadata`, `publish`, `hints`,
//! `failure`, `tests`, `origin` of a file whose digest is given, and the way to a locked commit (distribution, pin,
//! snapshot): the commit stands for it. Where a file is does not count either, only what is in it.
//!
//! # Two digests
//!
//! [`Fingerprint::digest`] is over all fields: equal ones mean that nothing is to be built. [`Fingerprint::inputs`] leaves
//! `environment` out, and is what a lock keeps: a new compiler rebuilds everything, but it is no change of every
//! component that its changelog should tell.
//!
//! # How it is computed
//!
//! SHA-256 over the line `lazuli component fingerprint 1` and a line feed, then for each field, sorted by the bytes of its
//! path: the path's length in bytes as 8 bytes, the least significant first, the path in UTF-8, the value's length and
//! the value likewise. A list is its JSON. As a default has no field, a setting that a later version adds moves no
//! fingerprint of a component that does not use it.

mod explain;
mod fields;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use lazuli_catalog::Sha256Digest;
use sha2::Digest as _;

pub use explain::{FieldChange, explain};
pub use fields::{FingerprintInputs, SourceIdentity, fingerprint};

/// What our tokens in locks begin with; the number is the version of the computation.
pub const TOKEN_PREFIX: &str = "lazuli1:sha256:";
/// What is hashed first.
const PREAMBLE: &[u8] = b"lazuli component fingerprint 1\n";
/// What the paths of fields about the place of building begin with.
const ENVIRONMENT: &str = "environment.";

/// A component's fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fingerprint {
    /// The digest over all fields.
    pub digest: Sha256Digest,
    /// The fields, by their paths.
    pub fields: BTreeMap<String, String>,
}

/// What a component is built in.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Environment {
    /// The packages of the buildroot: name, and version or digest.
    pub buildroot: BTreeMap<String, String>,
    /// The macro files that specs are read with: name, and digest.
    pub macros: BTreeMap<String, String>,
    /// The version of the sandbox.
    pub sandbox: Option<String>,
}

/// A fingerprint can't be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FingerprintError {
    /// A file that counts can't be read.
    #[error("failed to read {}, which {what}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why it counts.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// A value has no JSON.
    #[error("failed to write {what} as JSON")]
    Json {
        /// The value.
        what: &'static str,
        /// Why not.
        source: serde_json::Error,
    },
}

impl Fingerprint {
    /// From its fields.
    #[must_use]
    pub fn new(fields: BTreeMap<String, String>) -> Fingerprint {
        let digest = digest(fields.iter());
        Fingerprint { digest, fields }
    }

    /// The fingerprint of what a project itself decides, as a lock has it: without the environment.
    #[must_use]
    pub fn inputs(&self) -> lazuli_catalog::Fingerprint {
        let inputs = self
            .fields
            .iter()
            .filter(|(path, _)| !path.starts_with(ENVIRONMENT));
        token(&digest(inputs))
    }
}

/// A digest as a lock has it.
pub(crate) fn token(digest: &Sha256Digest) -> lazuli_catalog::Fingerprint {
    let text = format!("{TOKEN_PREFIX}{digest}");
    match lazuli_catalog::Fingerprint::new(text) {
        Ok(token) => token,
        Err(_) => unreachable!("a token has letters, digits and colons only"),
    }
}

/// The token of some keys and values: for digests that are not of a whole component.
pub(crate) fn token_of(fields: &[(&str, String)]) -> lazuli_catalog::Fingerprint {
    let fields: BTreeMap<String, String> = fields
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    token(&digest(fields.iter()))
}

/// Whether a lock's fingerprint was computed by this version: others say nothing about what is in them.
#[must_use]
pub fn is_ours(token: &lazuli_catalog::Fingerprint) -> bool {
    token.as_str().starts_with(TOKEN_PREFIX)
}

pub(crate) fn digest<'f>(fields: impl Iterator<Item = (&'f String, &'f String)>) -> Sha256Digest {
    let mut hash = sha2::Sha256::new();
    hash.update(PREAMBLE);
    for (path, value) in fields {
        for text in [path, value] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
    }
    match Sha256Digest::new(hex::encode(hash.finalize())) {
        Ok(digest) => digest,
        Err(_) => unreachable!("a SHA-256 has 64 hexadecimal digits"),
    }
}
