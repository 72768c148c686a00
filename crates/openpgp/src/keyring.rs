//! Certificates, and signatures checked with them.

use crate::{KeyError, policy};
use lazuli_rpm::{SignerInfo, Verifier, VerifyError};
use sequoia_openpgp::cert::amalgamation::ValidAmalgamation as _;
use sequoia_openpgp::cert::{Cert, CertParser};
use sequoia_openpgp::parse::Parse;
use sequoia_openpgp::parse::stream::{
    DetachedVerifierBuilder, GoodChecksum, MessageLayer, MessageStructure, VerificationError,
    VerificationHelper, VerifierBuilder,
};
use sequoia_openpgp::policy::StandardPolicy;
use sequoia_openpgp::types::RevocationStatus;
use sequoia_openpgp::{KeyHandle, Result as SequoiaResult};
use std::io::Read;
use std::time::SystemTime;

/// Most certificates of one ring.
const CERTIFICATES_MAX: usize = 1024;

/// What an armored block starts with.
const ARMOR: &[u8] = b"-----BEGIN PGP";

/// What a cleartext-signed message starts with (RFC 9580, section 7).
const CLEARTEXT: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";

/// Certificates that are trusted.
#[derive(Debug, Clone)]
pub struct Keyring {
    certificates: Vec<Cert>,
}

impl Keyring {
    /// Reads certificates: binary, one after the other, or armored, any number of blocks.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut certificates = Vec::new();
        for block in blocks(bytes) {
            let position = certificates.len() + 1;
            let fail = |reason: String| KeyError::BadCertificate { position, reason };
            let parser = CertParser::from_bytes(block).map_err(|error| fail(error.to_string()))?;
            for certificate in parser {
                let position = certificates.len() + 1;
                if position > CERTIFICATES_MAX {
                    let reason = format!("there are more than {CERTIFICATES_MAX}");
                    return Err(KeyError::BadCertificate { position, reason });
                }
                let fail = |reason: String| KeyError::BadCertificate { position, reason };
                certificates.push(certificate.map_err(|error| fail(error.to_string()))?);
            }
        }
        if certificates.is_empty() {
            return Err(KeyError::NoCertificate);
        }
        Ok(Self { certificates })
    }

    /// Adds the certificates of another ring.
    pub fn merge(&mut self, other: Self) {
        self.certificates.extend(other.certificates);
    }

    /// Fingerprints of the certificates, upper case hexadecimal.
    pub fn fingerprints(&self) -> Vec<String> {
        self.certificates
            .iter()
            .map(|certificate| certificate.fingerprint().to_hex())
            .collect()
    }

    /// Checks a detached signature, binary or armored, as of a time; of several, one good one suffices.
    pub fn verify_detached(
        &self,
        data: &[u8],
        signature: &[u8],
        at: SystemTime,
    ) -> Result<SignerInfo, VerifyError> {
        let policy = policy::at(at);
        let mut verdict = None;
        let judge = Judge {
            keyring: self,
            policy: &policy,
            at,
            verdict: &mut verdict,
        };
        let result = DetachedVerifierBuilder::from_bytes(signature)
            .and_then(|builder| builder.with_policy(&policy, at, judge))
            .and_then(|mut verifier| verifier.verify_bytes(data));
        conclude(result, verdict)
    }

    /// Checks a cleartext-signed message, such as a Debian `InRelease`, as of a time.
    ///
    /// Returns what was signed, and nothing of what may stand before or behind it.
    pub fn verify_cleartext(
        &self,
        message: &[u8],
        at: SystemTime,
    ) -> Result<(Vec<u8>, SignerInfo), VerifyError> {
        if !message.starts_with(CLEARTEXT) {
            let reason = "it does not start with `-----BEGIN PGP SIGNED MESSAGE-----`".to_owned();
            return Err(VerifyError::Malformed { reason });
        }
        let policy = policy::at(at);
        let mut verdict = None;
        let judge = Judge {
            keyring: self,
            policy: &policy,
            at,
            verdict: &mut verdict,
        };
        let mut content = Vec::new();
        let result = VerifierBuilder::from_bytes(message)
            .and_then(|builder| builder.with_policy(&policy, at, judge))
            .and_then(|mut verifier| Ok(verifier.read_to_end(&mut content)?));
        // The content counts only if the end was reached, where the signatures stand.
        let info = conclude(result.map(|_| ()), verdict)?;
        Ok((content, info))
    }

    /// A verifier which judges as of a time.
    pub fn at(&self, time: SystemTime) -> KeyringAt<'_> {
        KeyringAt { keyring: self, time }
    }

    /// Certificates with a key that a signature names; a name can be shortened to 64 bits.
    fn named(&self, names: &[KeyHandle]) -> Vec<Cert> {
        let is_named = |certificate: &&Cert| {
            certificate
                .keys()
                .any(|key| names.iter().any(|name| key.key().key_handle().aliases(name)))
        };
        self.certificates.iter().filter(is_named).cloned().collect()
    }
}

/// Judges as of the system's time: for a program that runs where the packages are used.
impl Verifier for Keyring {
    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<SignerInfo, VerifyError> {
        self.verify_detached(data, signature, SystemTime::now())
    }
}

/// A keyring with the time as of which signatures are judged.
#[derive(Debug, Clone, Copy)]
pub struct KeyringAt<'k> {
    keyring: &'k Keyring,
    time: SystemTime,
}

impl Verifier for KeyringAt<'_> {
    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<SignerInfo, VerifyError> {
        self.keyring.verify_detached(data, signature, self.time)
    }
}

/// The armored blocks of a text, or all of it if it is binary.
fn blocks(bytes: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<_> = bytes
        .windows(ARMOR.len())
        .enumerate()
        .filter(|(at, window)| *window == ARMOR && (*at == 0 || bytes[at - 1] == b'\n'))
        .map(|(at, _)| at)
        .collect();
    let Some(first) = starts.first() else {
        return vec![bytes];
    };
    // A binary ring starts with a packet, whose first bit is set.
    if *first != 0 && bytes[0] & 0x80 != 0 {
        return vec![bytes];
    }
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| &bytes[start..end])
        .collect()
}

type Verdict = Result<SignerInfo, VerifyError>;

/// What the signatures came to; if they were not even judged, what was wrong before.
fn conclude(result: SequoiaResult<()>, verdict: Option<Verdict>) -> Verdict {
    match (result, verdict) {
        (_, Some(Err(error))) => Err(error),
        (Err(error), _) => Err(VerifyError::Malformed {
            reason: chain(&error),
        }),
        (Ok(()), Some(Ok(info))) => Ok(info),
        (Ok(()), None) => Err(VerifyError::Unsigned),
    }
}

/// An error with its causes.
fn chain(error: &sequoia_openpgp::anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// Gives Sequoia the certificates and hears what it found.
struct Judge<'j> {
    keyring: &'j Keyring,
    policy: &'j StandardPolicy<'static>,
    at: SystemTime,
    verdict: &'j mut Option<Verdict>,
}

impl VerificationHelper for Judge<'_> {
    fn get_certs(&mut self, ids: &[KeyHandle]) -> SequoiaResult<Vec<Cert>> {
        Ok(self.keyring.named(ids))
    }

    fn check(&mut self, structure: MessageStructure<'_>) -> SequoiaResult<()> {
        let verdict = self.judge(structure);
        let result = verdict.as_ref().map(|_| ()).map_err(|error| error.clone().into());
        *self.verdict = Some(verdict);
        result
    }
}

impl Judge<'_> {
    fn judge(&self, structure: MessageStructure<'_>) -> Verdict {
        let (mut tried, mut reasons) = (Vec::new(), Vec::new());
        for layer in structure {
            let MessageLayer::SignatureGroup { results } = layer else {
                let reason = "it is encrypted or compressed".to_owned();
                return Err(VerifyError::Malformed { reason });
            };
            for result in results {
                match result {
                    Ok(good) => match self.usable(&good) {
                        Ok(info) => return Ok(info),
                        Err(reason) => reasons.push(reason),
                    },
                    Err(VerificationError::MissingKey { sig }) => {
                        tried.extend(sig.get_issuers().first().map(ToString::to_string));
                    }
                    Err(error) => reasons.push(describe(&error)),
                }
            }
        }
        Err(match (tried.is_empty(), reasons.is_empty()) {
            (true, true) => VerifyError::Unsigned,
            (false, true) => VerifyError::UnknownKey { tried },
            (_, false) => VerifyError::Bad { reasons },
        })
    }

    /// Sequoia asks that the key was valid when it signed; we ask that it still is, since a stolen key
    /// that expired could sign with a date in the past.
    fn usable(&self, good: &GoodChecksum<'_>) -> Result<SignerInfo, String> {
        let signing_key = good.ka.key().fingerprint();
        let fail = |what: &str| Err(format!("key {signing_key} {what} at the reference time"));
        let certificate = good.ka.valid_cert().cert();
        let valid = match certificate.with_policy(self.policy, self.at) {
            Ok(valid) => valid,
            Err(error) => return Err(format!("key {signing_key} is not usable: {}", chain(&error))),
        };
        let is_revoked = |status: &RevocationStatus<'_>| matches!(status, RevocationStatus::Revoked(_));
        if valid.alive().is_err() {
            return fail("belongs to a certificate which is expired");
        }
        if is_revoked(&valid.revocation_status()) {
            return fail("belongs to a certificate which is revoked");
        }
        let Some(key) = valid.keys().find(|key| key.key().fingerprint() == signing_key) else {
            return fail("is not bound to its certificate");
        };
        if key.alive().is_err() {
            return fail("is expired");
        }
        if is_revoked(&key.revocation_status()) {
            return fail("is revoked");
        }
        let user_id = valid
            .primary_userid()
            .map(|user| String::from_utf8_lossy(user.userid().value()).into_owned());
        Ok(SignerInfo {
            fingerprint: certificate.fingerprint().to_hex(),
            signing_key: signing_key.to_hex(),
            user_id: user_id.unwrap_or_default(),
            created: good
                .sig
                .signature_creation_time()
                .unwrap_or(SystemTime::UNIX_EPOCH),
        })
    }
}

/// A refused signature: its key, and why.
fn describe(error: &VerificationError<'_>) -> String {
    let of_key = |key: String, error: &sequoia_openpgp::anyhow::Error| format!("key {key}: {}", chain(error));
    match error {
        VerificationError::UnboundKey { cert, error, .. } => of_key(cert.fingerprint().to_hex(), error),
        VerificationError::BadKey { ka, error, .. } | VerificationError::BadSignature { ka, error, .. } => {
            of_key(ka.key().fingerprint().to_hex(), error)
        }
        other => other.to_string(),
    }
}
