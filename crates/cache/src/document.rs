//! How an entry is written down: the schema, apart from the type that programs work with.
//!
//! ```text
//! {
//!   "kind": "lazuli-build",
//!   "version": 1,
//!   "key": "9f86d0…",
//!   "finished": 1764000000,        seconds since 1970
//!   "took-ms": 61250,
//!   "objects": [ { "name": "zlib1g-1.3.1-100.x86_64.rpm", "sha256": "2c26b4…", "size": 61234 } ],
//!   "facts": { "content:zlib1g": "fcde2b…" }
//! }
//! -----BEGIN PGP SIGNATURE-----
//! …
//! ```
//!
//! The signature is detached, over all bytes before its first line; it is there where results are shared. `kind` and `key`
//! are below the signature, so that nothing else that the key ever signed, and no entry of another build, can stand in the
//! place of an entry. A reader takes only versions that it knows.

use crate::{CacheKey, Entry, Object, ObjectName};
use lazuli_catalog::Sha256Digest;
use lazuli_openpgp::{Keyring, SigningKey};
use lazuli_rpm::Verifier;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The largest entry with its signature, in bytes.
pub(crate) const ENTRY_MAX: u64 = 4 << 20;

/// The most objects of an entry.
const OBJECTS_MAX: usize = 10_000;

const KIND: &str = "lazuli-build";
const VERSION: u32 = 1;

/// What the signature starts with. A line of JSON cannot: line ends within texts are escaped.
const SIGNATURE: &[u8] = b"\n-----BEGIN PGP SIGNATURE-----";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    kind: String,
    version: u32,
    key: CacheKey,
    finished: u64,
    took_ms: u64,
    objects: Vec<ObjectDocument>,
    facts: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct ObjectDocument {
    name: ObjectName,
    sha256: Sha256Digest,
    size: u64,
}

/// Writes an entry down, without a signature.
pub(crate) fn render(entry: &Entry) -> Result<Vec<u8>, String> {
    let seconds = entry
        .finished
        .duration_since(UNIX_EPOCH)
        .map_err(|_| "it ended before 1970".to_owned())?
        .as_secs();
    let document = Document {
        kind: KIND.to_owned(),
        version: VERSION,
        key: entry.key.clone(),
        finished: seconds,
        took_ms: u64::try_from(entry.took.as_millis()).unwrap_or(u64::MAX),
        objects: entry.objects.iter().map(ObjectDocument::from).collect(),
        facts: entry.facts.clone(),
    };
    check(&document, &entry.key)?;
    let mut bytes = serde_json::to_vec_pretty(&document).map_err(|error| error.to_string())?;
    bytes.push(b'\n');
    match bytes.len() as u64 <= ENTRY_MAX / 2 {
        true => Ok(bytes),
        false => Err(format!("its entry has more than {} bytes", ENTRY_MAX / 2)),
    }
}

/// Appends a signature.
pub(crate) fn sign(mut bytes: Vec<u8>, key: &SigningKey) -> Result<Vec<u8>, String> {
    let signature = key
        .sign_detached_armored(&bytes, SystemTime::now())
        .map_err(|error| error.to_string())?;
    bytes.extend_from_slice(signature.as_bytes());
    Ok(bytes)
}

/// Reads an entry, whoever signed it: for the local folder.
pub(crate) fn parse(key: &CacheKey, bytes: &[u8]) -> Result<Entry, String> {
    let (document, _) = split(bytes);
    let document: Document = serde_json::from_slice(document).map_err(|error| error.to_string())?;
    check(&document, key)?;
    Ok(Entry {
        key: document.key,
        objects: document.objects.into_iter().map(Object::from).collect(),
        facts: document.facts,
        finished: UNIX_EPOCH + Duration::from_secs(document.finished),
        took: Duration::from_millis(document.took_ms),
    })
}

/// Reads an entry that must be signed by a key of the ring: for remotes.
pub(crate) fn parse_signed(key: &CacheKey, bytes: &[u8], trusted: &Keyring) -> Result<Entry, String> {
    let (document, signature) = split(bytes);
    let signature = signature.ok_or("it is not signed")?;
    trusted
        .verify(document, signature)
        .map_err(|error| error.to_string())?;
    parse(key, document)
}

/// Document and signature.
fn split(bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    let start = bytes
        .windows(SIGNATURE.len())
        .position(|window| window == SIGNATURE);
    match start {
        // The line end belongs to the document.
        Some(at) => (&bytes[..=at], Some(&bytes[at + 1..])),
        None => (bytes, None),
    }
}

fn check(document: &Document, key: &CacheKey) -> Result<(), String> {
    if document.kind != KIND || document.version != VERSION {
        let (kind, version) = (&document.kind, document.version);
        return Err(format!("it is `{kind}` {version}, not `{KIND}` {VERSION}"));
    }
    if document.key != *key {
        return Err(format!("it is the entry of build {}", document.key));
    }
    if document.objects.len() > OBJECTS_MAX {
        return Err(format!("it has more than {OBJECTS_MAX} objects"));
    }
    // Later sums of time and sizes must not overflow.
    const MAX: u64 = u64::MAX >> 16;
    if document.finished > u64::from(u32::MAX) << 8 || document.objects.iter().any(|object| object.size > MAX)
    {
        return Err("it has a number that cannot be".to_owned());
    }
    let mut names = BTreeSet::new();
    match document.objects.iter().find(|object| !names.insert(&object.name)) {
        Some(twice) => Err(format!("it has two objects with the name {}", twice.name)),
        None => Ok(()),
    }
}

impl From<&Object> for ObjectDocument {
    fn from(object: &Object) -> Self {
        Self {
            name: object.name.clone(),
            sha256: object.sha256.clone(),
            size: object.size,
        }
    }
}

impl From<ObjectDocument> for Object {
    fn from(document: ObjectDocument) -> Self {
        Self {
            name: document.name,
            sha256: document.sha256,
            size: document.size,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use lazuli_openpgp::KeyAlgorithm;

    fn key(digit: char) -> CacheKey {
        CacheKey::new(digit.to_string().repeat(64)).unwrap()
    }

    fn entry() -> Entry {
        let object = |name: &str| Object {
            name: ObjectName::new(name).unwrap(),
            sha256: Sha256Digest::of(name.as_bytes()),
            size: 3,
        };
        let hostile = "\n-----BEGIN PGP SIGNATURE-----\n";
        Entry {
            key: key('1'),
            objects: vec![object("a.rpm"), object("build.log.zst")],
            facts: BTreeMap::from([("content:a".to_owned(), hostile.to_owned())]),
            finished: UNIX_EPOCH + Duration::from_secs(1_764_000_000),
            took: Duration::from_millis(61_250),
        }
    }

    fn signing_key(name: &str) -> (SigningKey, Keyring) {
        let created = UNIX_EPOCH + Duration::from_secs(1_577_836_800);
        let key = SigningKey::generate(KeyAlgorithm::Ed25519, name, created).unwrap();
        let ring = Keyring::from_bytes(key.certificate().unwrap().as_bytes()).unwrap();
        (key, ring)
    }

    #[test]
    fn entries_come_back() {
        let plain = render(&entry()).unwrap();
        assert_eq!(parse(&key('1'), &plain).unwrap(), entry());
        let (secret, ring) = signing_key("ours");
        let signed = sign(plain.clone(), &secret).unwrap();
        assert!(signed.starts_with(&plain));
        assert_eq!(parse(&key('1'), &signed).unwrap(), entry());
        assert_eq!(parse_signed(&key('1'), &signed, &ring).unwrap(), entry());
    }

    #[test]
    fn what_is_not_signed_as_it_stands_is_refused() {
        let (secret, ring) = signing_key("ours");
        let (stranger, _) = signing_key("a stranger");
        let plain = render(&entry()).unwrap();
        let signed = sign(plain.clone(), &secret).unwrap();
        let refused = |key: &CacheKey, bytes: &[u8]| parse_signed(key, bytes, &ring).unwrap_err();
        assert_eq!(refused(&key('1'), &plain), "it is not signed");
        assert!(refused(&key('1'), &sign(plain, &stranger).unwrap()).contains("no key"));
        let other = refused(&key('2'), &signed);
        assert!(other.contains("entry of build 1111"), "{other}");
        for at in (0..signed.len() - 200).step_by(17) {
            let mut bent = signed.clone();
            bent[at] ^= 1;
            assert!(parse_signed(&key('1'), &bent, &ring).is_err(), "byte {at}");
            assert!(
                parse_signed(&key('1'), &signed[..at], &ring).is_err(),
                "cut at {at}"
            );
        }
        // Something else that the key signed.
        let other = sign(b"{ \"kind\": \"something\" }\n".to_vec(), &secret).unwrap();
        assert!(refused(&key('1'), &other).contains("missing field"));
    }

    #[test]
    fn unknown_versions_and_doubled_names_are_refused() {
        let text = String::from_utf8(render(&entry()).unwrap()).unwrap();
        let newer = text.replace("\"version\": 1", "\"version\": 2");
        let error = parse(&key('1'), newer.as_bytes()).unwrap_err();
        assert_eq!(error, "it is `lazuli-build` 2, not `lazuli-build` 1");
        let twice = text.replace("build.log.zst", "a.rpm");
        let error = parse(&key('1'), twice.as_bytes()).unwrap_err();
        assert!(error.contains("two objects"), "{error}");
        let outside = text.replace("a.rpm", "../a.rpm");
        assert!(
            parse(&key('1'), outside.as_bytes())
                .unwrap_err()
                .contains("file name")
        );
    }
}
