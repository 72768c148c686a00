//! Secret keys, and signatures made with them.

use crate::{KeyError, policy};
use lazuli_rpm::{KeyKind, SignError, Signer};
use sequoia_openpgp::armor;
use sequoia_openpgp::cert::{Cert, CertBuilder, CipherSuite};
use sequoia_openpgp::crypto::{KeyPair, Signer as _, hash::Hash as _};
use sequoia_openpgp::packet::Packet;
use sequoia_openpgp::packet::signature::Signature4;
use sequoia_openpgp::packet::signature::subpacket::{Subpacket, SubpacketArea, SubpacketValue};
use sequoia_openpgp::parse::Parse;
use sequoia_openpgp::serialize::Serialize;
use sequoia_openpgp::types::{HashAlgorithm, KeyFlags, PublicKeyAlgorithm, SignatureType, Timestamp};
use sequoia_openpgp::{Profile, Result as SequoiaResult};
use std::fmt;
use std::io::Write as _;
use std::time::SystemTime;

/// What all signatures are made with: rpm, gpg and Sequoia all know it.
const HASH: HashAlgorithm = HashAlgorithm::SHA256;

/// Which algorithm a new key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyAlgorithm {
    /// Ed25519, in the form that came before RFC 9580 (EdDSA), which rpm 4.18 and gpg 2.2 know.
    #[default]
    Ed25519,
    /// RSA with 4096 bits, for tools that know nothing else.
    Rsa4096,
}

/// A secret key that signs, with its certificate.
///
/// The same data and time give the same signature.
#[derive(Clone)]
pub struct SigningKey {
    certificate: Cert,
    pair: KeyPair,
}

/// Shows the fingerprint only.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes a new key: one primary key which certifies and signs, without expiry, in version 4.
    pub fn generate(algorithm: KeyAlgorithm, user_id: &str, created: SystemTime) -> Result<Self, KeyError> {
        let suite = match algorithm {
            KeyAlgorithm::Ed25519 => CipherSuite::Cv25519,
            KeyAlgorithm::Rsa4096 => CipherSuite::RSA4k,
        };
        let generated = CertBuilder::new()
            .set_profile(Profile::RFC4880)
            .and_then(|builder| {
                builder
                    .set_cipher_suite(suite)
                    .set_creation_time(created)
                    .set_primary_key_flags(KeyFlags::empty().set_certification().set_signing())
                    .add_userid(user_id)
                    .generate()
            });
        let (certificate, _) = generated.map_err(|error| failed("make", &error))?;
        Self::new(certificate)
    }

    /// Reads a secret key, armored or binary, that is not protected by a passphrase.
    pub fn from_armored(bytes: &[u8]) -> Result<Self, KeyError> {
        let certificate = Cert::from_bytes(bytes).map_err(|error| KeyError::BadCertificate {
            position: 1,
            reason: error.to_string(),
        })?;
        Self::new(certificate)
    }

    /// Takes the first key of a certificate that may sign and has its secret.
    fn new(certificate: Cert) -> Result<Self, KeyError> {
        let missing = || KeyError::NoSigningKey {
            fingerprint: certificate.fingerprint().to_hex(),
        };
        let policy = policy::at(SystemTime::UNIX_EPOCH);
        // The certificate as its owner left it, whatever the clock says.
        let time = last_change(&certificate);
        let key = certificate
            .keys()
            .with_policy(&policy, time)
            .revoked(false)
            .for_signing()
            .unencrypted_secret()
            .next()
            .ok_or_else(missing)?;
        let pair = key.key().clone().into_keypair().map_err(|_| missing())?;
        Ok(Self { certificate, pair })
    }

    /// The armored secret key. Whoever has it signs in our name.
    pub fn to_armored(&self) -> Result<String, KeyError> {
        armored(armor::Kind::SecretKey, |out| {
            self.certificate.as_tsk().serialize(out)
        })
        .map_err(|error| failed("write", &error))
    }

    /// The armored public certificate, as `rpm --import` and `gpg --import` take it.
    pub fn certificate(&self) -> Result<String, KeyError> {
        armored(armor::Kind::PublicKey, |out| self.certificate.export(out))
            .map_err(|error| failed("write", &error))
    }

    /// Fingerprint of the certificate, upper case hexadecimal.
    pub fn fingerprint(&self) -> String {
        self.certificate.fingerprint().to_hex()
    }

    /// The kind of the key that signs.
    pub fn kind(&self) -> KeyKind {
        match self.pair.public().pk_algo() {
            #[allow(deprecated)]
            PublicKeyAlgorithm::RSAEncryptSign | PublicKeyAlgorithm::RSASign => KeyKind::Rsa,
            _ => KeyKind::EdDsa,
        }
    }

    /// A detached binary signature which says that it was made at `time`.
    pub fn sign_detached(&self, data: &[u8], time: SystemTime) -> Result<Vec<u8>, SignError> {
        let mut out = Vec::new();
        let signed = self
            .sign(data, time)
            .and_then(|packet| packet.serialize(&mut out));
        signed.map_err(|error| self.sign_error(&error))?;
        Ok(out)
    }

    /// A detached armored signature (`repomd.xml.asc`) which says that it was made at `time`.
    pub fn sign_detached_armored(&self, data: &[u8], time: SystemTime) -> Result<String, SignError> {
        let signed = self.sign(data, time);
        signed
            .and_then(|packet| armored(armor::Kind::Signature, |out| packet.serialize(out)))
            .map_err(|error| self.sign_error(&error))
    }

    /// A signer of packages whose signatures say that they were made at `time`.
    pub fn signer(&self, time: SystemTime) -> PackageSigner<'_> {
        PackageSigner { key: self, time }
    }

    fn sign_error(&self, error: &sequoia_openpgp::anyhow::Error) -> SignError {
        SignError {
            key: self.fingerprint(),
            reason: error.to_string(),
        }
    }

    /// Assembles a version 4 signature (RFC 9580, section 5.2.3), without the random salt of Sequoia's builder.
    fn sign(&self, data: &[u8], time: SystemTime) -> SequoiaResult<Packet> {
        let mut pair = self.pair.clone();
        let public = pair.public();
        // Section 5.2.3.9: what a subpacket says counts only if it is hashed. rpm 4.18 finds the key by the short id.
        let subpacket = |value| Subpacket::new(value, false);
        let hashed = SubpacketArea::new(vec![
            subpacket(SubpacketValue::SignatureCreationTime(Timestamp::try_from(time)?))?,
            subpacket(SubpacketValue::Issuer(public.keyid()))?,
            subpacket(SubpacketValue::IssuerFingerprint(public.fingerprint()))?,
        ])?;
        let algorithm = public.pk_algo();
        let unhashed = SubpacketArea::default();
        // Section 5.2.4: the hash covers the data, the signature up to its hashed area, and a trailer. A signature
        // with no values yet has all that.
        let draft = Signature4::new(
            SignatureType::Binary,
            algorithm,
            HASH,
            hashed.clone(),
            unhashed.clone(),
            [0; 2],
            no_values(),
        );
        let mut context = HASH.context()?.for_signature(4);
        context.update(data);
        draft.hash(&mut context)?;
        let digest = context.into_digest()?;
        let values = pair.sign(HASH, &digest)?;
        let prefix = [digest[0], digest[1]];
        let signature = Signature4::new(
            SignatureType::Binary,
            algorithm,
            HASH,
            hashed,
            unhashed,
            prefix,
            values,
        );
        Ok(Packet::from(sequoia_openpgp::packet::Signature::from(signature)))
    }
}

/// Placeholder for the numbers of a signature that is not made yet.
fn no_values() -> sequoia_openpgp::crypto::mpi::Signature {
    sequoia_openpgp::crypto::mpi::Signature::Unknown {
        mpis: Box::default(),
        rest: Box::default(),
    }
}

/// Signs packages; the time in the signatures is fixed.
#[derive(Debug, Clone, Copy)]
pub struct PackageSigner<'k> {
    key: &'k SigningKey,
    time: SystemTime,
}

impl Signer for PackageSigner<'_> {
    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, SignError> {
        self.key.sign_detached(data, self.time)
    }

    fn key_kind(&self) -> KeyKind {
        self.key.kind()
    }
}

/// When a certificate was last changed by its owner.
fn last_change(certificate: &Cert) -> SystemTime {
    let of_keys = certificate.keys().flat_map(|key| {
        key.bundle()
            .self_signatures()
            .map(|s| s.signature_creation_time())
            .collect::<Vec<_>>()
    });
    let of_users = certificate.userids().flat_map(|user| {
        user.bundle()
            .self_signatures()
            .map(|s| s.signature_creation_time())
            .collect::<Vec<_>>()
    });
    let created = certificate.primary_key().key().creation_time();
    of_keys.chain(of_users).flatten().max().unwrap_or(created)
}

fn failed(action: &'static str, error: &sequoia_openpgp::anyhow::Error) -> KeyError {
    KeyError::Failed {
        action,
        reason: error.to_string(),
    }
}

/// ASCII armor without comments.
fn armored(
    kind: armor::Kind,
    write: impl FnOnce(&mut dyn std::io::Write) -> SequoiaResult<()>,
) -> SequoiaResult<String> {
    let mut writer = armor::Writer::new(Vec::new(), kind)?;
    write(&mut writer)?;
    writer.flush()?;
    Ok(String::from_utf8(writer.finalize()?)?)
}
