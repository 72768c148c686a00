//! Secret keys, and signatures made with them.

use crate::{KeyError, policy};
use lazuli_rpm::{KeyKind, SignError, Signer};
use sequoia_openpgp::armor;
use sequoia_openpgp::cert::Cert;
use sequoia_openpgp::crypto::hash::{Context, Hash as _};
use sequoia_openpgp::crypto::{KeyPair, Signer as _, mpi};
use sequoia_openpgp::packet::key::{Key4, PrimaryRole, SecretParts};
use sequoia_openpgp::packet::signature::Signature4;
use sequoia_openpgp::packet::signature::subpacket::{Subpacket, SubpacketArea, SubpacketValue};
use sequoia_openpgp::packet::{Key, Packet, Signature, UserID};
use sequoia_openpgp::parse::Parse;
use sequoia_openpgp::serialize::Serialize;
use sequoia_openpgp::types::{Curve, HashAlgorithm, KeyFlags, PublicKeyAlgorithm, SignatureType, Timestamp};
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
        let certificate = certify(algorithm, user_id, created).map_err(|error| failed("make", &error))?;
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

    fn sign(&self, data: &[u8], time: SystemTime) -> SequoiaResult<Packet> {
        let mut pair = self.pair.clone();
        let signature = assemble(
            &mut pair,
            SignatureType::Binary,
            time,
            vec![],
            |draft, context| {
                context.update(data);
                draft.hash(context)
            },
        )?;
        Ok(Packet::from(signature))
    }
}

/// Makes a key and signs its user id with it.
///
/// The certificate is assembled here too: rpm 4.18 takes none in which key flags are marked as critical, as
/// Sequoia's builder does.
fn certify(algorithm: KeyAlgorithm, user_id: &str, created: SystemTime) -> SequoiaResult<Cert> {
    let mut key: Key4<SecretParts, PrimaryRole> = match algorithm {
        KeyAlgorithm::Ed25519 => Key4::generate_ecc(true, Curve::Ed25519)?,
        KeyAlgorithm::Rsa4096 => Key4::generate_rsa(4096)?,
    };
    key.set_creation_time(created)?;
    let key = Key::from(key);
    let user = UserID::from(user_id);
    let mut pair = key.clone().into_keypair()?;
    let more = vec![
        SubpacketValue::KeyFlags(KeyFlags::empty().set_certification().set_signing()),
        SubpacketValue::PreferredHashAlgorithms(vec![HashAlgorithm::SHA512, HashAlgorithm::SHA256]),
    ];
    let kind = SignatureType::PositiveCertification;
    let signature = assemble(&mut pair, kind, created, more, |draft, context| {
        draft.hash_userid_binding(context, &key, &user)
    })?;
    Cert::from_packets([Packet::from(key), Packet::from(user), Packet::from(signature)].into_iter())
}

/// Assembles a version 4 signature (RFC 9580, section 5.2.3), without the random salt of Sequoia's builder.
///
/// `hash` puts into the hash what is signed, and then the signature's own fields.
fn assemble(
    pair: &mut KeyPair,
    kind: SignatureType,
    time: SystemTime,
    more: Vec<SubpacketValue>,
    hash: impl FnOnce(&Signature, &mut Context) -> SequoiaResult<()>,
) -> SequoiaResult<Signature> {
    let public = pair.public();
    let algorithm = public.pk_algo();
    // Section 5.2.3.9: what a subpacket says counts only if it is hashed. rpm 4.18 finds the key by the
    // short id.
    let mut values = vec![
        SubpacketValue::SignatureCreationTime(Timestamp::try_from(time)?),
        SubpacketValue::Issuer(public.keyid()),
        SubpacketValue::IssuerFingerprint(public.fingerprint()),
    ];
    values.extend(more);
    let packets = values.into_iter().map(|value| Subpacket::new(value, false));
    let hashed = SubpacketArea::new(packets.collect::<SequoiaResult<_>>()?)?;
    // Section 5.2.4: the hash covers what is signed, the signature up to its hashed area, and a trailer. A
    // signature without values has all that.
    let with = |prefix, values| {
        let (hashed, unhashed) = (hashed.clone(), SubpacketArea::default());
        Signature::from(Signature4::new(
            kind, algorithm, HASH, hashed, unhashed, prefix, values,
        ))
    };
    let draft = with(
        [0; 2],
        mpi::Signature::Unknown {
            mpis: Box::default(),
            rest: Box::default(),
        },
    );
    let mut context = HASH.context()?.for_signature(4);
    hash(&draft, &mut context)?;
    let digest = context.into_digest()?;
    let values = pair.sign(HASH, &digest)?;
    Ok(with([digest[0], digest[1]], values))
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

/// ASCII armor without comments, with the checksum of RFC 4880, which rpm 4.18 asks for.
fn armored(
    kind: armor::Kind,
    write: impl FnOnce(&mut dyn std::io::Write) -> SequoiaResult<()>,
) -> SequoiaResult<String> {
    let mut writer = armor::Writer::new(Vec::new(), kind)?;
    writer.set_profile(Profile::RFC4880)?;
    write(&mut writer)?;
    writer.flush()?;
    Ok(String::from_utf8(writer.finalize()?)?)
}
