//! Digests and commit ids.

use super::text_type;

fn is_lower_hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

text_type!(
    /// A SHA-256 digest, as 64 lower-case hexadecimal digits.
    Sha256Digest, "sha256", "a SHA-256 digest", "64 lower-case hexadecimal digits", "^[0-9a-f]{64}$",
    |text| text.len() == 64 && is_lower_hex(text)
);

impl Sha256Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Sha256Digest {
        use sha2::Digest as _;
        Sha256Digest(hex::encode(sha2::Sha256::digest(bytes)))
    }

    /// Wraps 32 raw bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Sha256Digest {
        Sha256Digest(hex::encode(bytes))
    }

    /// The 32 raw bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (index, pair) in self.0.as_bytes().chunks_exact(2).enumerate().take(bytes.len()) {
            bytes[index] = hex_digit(pair[0]) << 4 | hex_digit(pair[1]);
        }
        bytes
    }
}

/// The value of a digit that the constructor has already found to be hexadecimal.
fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a') + 10,
    }
}

text_type!(
    /// A git commit: 7 to 40 hexadecimal digits.
    CommitId, "commit-id", "a git commit", "7 to 40 hexadecimal digits", "^[0-9a-fA-F]{7,40}$",
    |text| (7..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
);

text_type!(
    /// A fingerprint of a component lock, the algorithm before the digest: `sha256:…`. What made it decides what it
    /// means; two of them are only ever compared.
    Fingerprint, "fingerprint", "a fingerprint",
    "letters, digits and `.:+/=_-`, at most 256 of them", "^[A-Za-z0-9.:+/=_-]{1,256}$",
    |text| {
        !text.is_empty()
            && text.len() <= 256
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:+/=_-".contains(&byte))
    }
);

text_type!(
    /// A digest of a source file, of the algorithm that stands beside it.
    HexDigest, "hex-digest", "a digest", "hexadecimal digits, 64 of them for SHA-256 and 128 for SHA-512",
    "^[0-9a-fA-F]{1,128}$",
    |text| (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
);
