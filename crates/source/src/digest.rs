//! Digests as lookaside caches, archives and locks name them.

use std::fmt;
use std::io::Read;
use std::str::FromStr;

use lazuli_catalog::Sha256Digest;
use sha2::Digest as _;

/// How much is read at once while hashing, in bytes.
const BLOCK: usize = 256 << 10;

/// A hash algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// MD5: old lookaside entries only. Collisions are made in seconds.
    Md5,
    /// SHA-1: old lookaside entries only. Collisions are known.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// All algorithms, the weakest first.
    pub const ALL: [Self; 4] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512];

    /// The name in lower case, as addresses of lookaside caches have it: `sha512`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The algorithm of a name in either case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The length of a digest in hexadecimal digits.
    #[must_use]
    pub fn hex_length(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    /// Whether two contents of one digest can be made, so that the digest alone names no content.
    #[must_use]
    pub fn is_weak(self) -> bool {
        matches!(self, Self::Md5 | Self::Sha1)
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The digest of a content: algorithm and value. As text: `sha512:cf83…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: HashAlgorithm,
    /// Lower case.
    hex: String,
}

/// What is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// The algorithm is not known.
    #[error("`{0}` is no hash algorithm that is known: md5, sha1, sha256, sha512")]
    Algorithm(String),
    /// The value is not what the algorithm gives.
    #[error("`{text}` is no {algorithm} digest, which has {} hexadecimal digits", algorithm.hex_length())]
    Value {
        /// The algorithm.
        algorithm: HashAlgorithm,
        /// What was given, shortened.
        text: String,
    },
}

impl Digest {
    /// Checks the length and the digits; upper case becomes lower case.
    pub fn new(algorithm: HashAlgorithm, hex: &str) -> Result<Self, DigestError> {
        match hex.len() == algorithm.hex_length() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            true => Ok(Self {
                algorithm,
                hex: hex.to_ascii_lowercase(),
            }),
            false => Err(DigestError::Value {
                algorithm,
                text: hex.chars().take(140).collect(),
            }),
        }
    }

    /// The digest of `bytes`.
    #[must_use]
    pub fn of(algorithm: HashAlgorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// The value, in lower case hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, hex) = text.split_once(':').unwrap_or((text, ""));
        let known = HashAlgorithm::parse(algorithm)
            .ok_or_else(|| DigestError::Algorithm(algorithm.chars().take(140).collect()))?;
        Self::new(known, hex)
    }
}

impl From<&Sha256Digest> for Digest {
    fn from(digest: &Sha256Digest) -> Self {
        Self {
            algorithm: HashAlgorithm::Sha256,
            hex: digest.as_str().to_owned(),
        }
    }
}

impl From<Sha256Digest> for Digest {
    fn from(digest: Sha256Digest) -> Self {
        Self::from(&digest)
    }
}

/// Hashes one content with one algorithm.
enum Hasher {
    Md5(md5::Md5),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
    Sha512(Box<sha2::Sha512>),
}

impl Hasher {
    fn new(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Md5 => Self::Md5(md5::Md5::new()),
            HashAlgorithm::Sha1 => Self::Sha1(sha1::Sha1::new()),
            HashAlgorithm::Sha256 => Self::Sha256(sha2::Sha256::new()),
            HashAlgorithm::Sha512 => Self::Sha512(Box::new(sha2::Sha512::new())),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> Digest {
        let (algorithm, hex) = match self {
            Self::Md5(hasher) => (HashAlgorithm::Md5, hex::encode(hasher.finalize())),
            Self::Sha1(hasher) => (HashAlgorithm::Sha1, hex::encode(hasher.finalize())),
            Self::Sha256(hasher) => (HashAlgorithm::Sha256, hex::encode(hasher.finalize())),
            Self::Sha512(hasher) => (HashAlgorithm::Sha512, hex::encode(hasher.finalize())),
        };
        Digest { algorithm, hex }
    }
}

/// What hashing a content once gives: its SHA-256 digest, its size, and the digests that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) sha256: Sha256Digest,
    pub(crate) size: u64,
    digests: Vec<Digest>,
}

impl Measured {
    /// Reads a content to its end. SHA-256 is always computed, others as `algorithms` has them.
    pub(crate) fn read(
        content: &mut dyn Read,
        algorithms: impl IntoIterator<Item = HashAlgorithm>,
    ) -> std::io::Result<Self> {
        let mut wanted: Vec<HashAlgorithm> = algorithms.into_iter().collect();
        wanted.push(HashAlgorithm::Sha256);
        wanted.sort_unstable();
        wanted.dedup();
        let mut hashers: Vec<Hasher> = wanted.into_iter().map(Hasher::new).collect();
        let (mut size, mut block) = (0u64, vec![0; BLOCK]);
        loop {
            match content.read(&mut block) {
                Ok(0) => break,
                Ok(count) => {
                    let part = block.get(..count).unwrap_or_default();
                    hashers.iter_mut().for_each(|hasher| hasher.update(part));
                    size += count as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let digests: Vec<Digest> = hashers.into_iter().map(Hasher::finish).collect();
        let sha256 = digests
            .iter()
            .find(|digest| digest.algorithm == HashAlgorithm::Sha256)
            .and_then(|digest| Sha256Digest::new(digest.hex.as_str()).ok())
            .ok_or_else(|| std::io::Error::other("the SHA-256 digest is malformed"))?;
        Ok(Self {
            sha256,
            size,
            digests,
        })
    }

    /// The digest by an algorithm that was asked for.
    pub(crate) fn by(&self, algorithm: HashAlgorithm) -> Option<&Digest> {
        self.digests.iter().find(|digest| digest.algorithm == algorithm)
    }

    /// All digests that were computed.
    pub(crate) fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// The first of the digests that this content does not have, and what it has instead.
    pub(crate) fn mismatch<'d>(&self, expected: &'d [Digest]) -> Option<(&'d Digest, Option<Digest>)> {
        let wrong = expected
            .iter()
            .find(|digest| self.by(digest.algorithm) != Some(*digest))?;
        Some((wrong, self.by(wrong.algorithm).cloned()))
    }
}
