//! The first link of the chain: `InRelease` files (Debian's wiki, DebianRepository/Format), signed in clear text.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lazuli_catalog::SuiteName;
use lazuli_deb::{Sha256Digest, parse_date, parse_paragraph};
use lazuli_openpgp::Keyring;
use lazuli_rpm::SignerInfo;

use crate::error::UpstreamError;
use crate::settings::Expiry;

/// The most bytes that an `InRelease` may have; the largest real ones have some 300 KiB.
pub(crate) const MAX_RELEASE: u64 = 16 << 20;

/// How far in the future a signature may have been made: clocks differ, and a list may be signed while we run. Keys are
/// judged at that later time too, so that one which expires is refused so much early rather than late.
const CLOCK_SKEW: Duration = Duration::from_secs(600);

/// Something that is not as it should be, though the settings allow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A suite is out of date.
    Expired {
        /// The suite.
        suite: SuiteName,
        /// Its `Valid-Until`.
        until: String,
    },
}

/// A list that a suite has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleaseFile {
    /// Its digest.
    pub sha256: Sha256Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// What an `InRelease` with a good signature says.
#[derive(Debug, Clone)]
pub struct Release {
    /// `Suite`: `stable`
    pub suite: String,
    /// `Codename`: `trixie`
    pub codename: String,
    /// `Date`, in seconds since 1970.
    pub date: i64,
    /// The digest of the whole `InRelease` file.
    pub sha256: Sha256Digest,
    /// Who signed it.
    pub signer: SignerInfo,
    /// What is not as it should be.
    pub warnings: Vec<Warning>,
    files: BTreeMap<String, ReleaseFile>,
}

impl Release {
    /// Checks the signature of an `InRelease` file and reads what was signed. `file` names it in errors.
    pub(crate) fn verify(
        file: &str,
        bytes: &[u8],
        keyring: &Keyring,
        wanted: &SuiteName,
        (now, expiry): (SystemTime, Expiry),
    ) -> Result<Self, UpstreamError> {
        let (content, signer) = keyring
            .verify_cleartext(bytes, now + CLOCK_SKEW)
            .map_err(|source| UpstreamError::Signature {
                file: file.to_owned(),
                source,
            })?;
        let malformed = |reason: String| UpstreamError::Release {
            file: file.to_owned(),
            reason,
        };
        let text = std::str::from_utf8(&content).map_err(|_| malformed("it is no UTF-8".to_owned()))?;
        let paragraph = parse_paragraph(text).map_err(|error| malformed(error.to_string()))?;
        let field = |name| paragraph.get(name).unwrap_or_default().to_owned();

        let (suite, codename) = (field("Suite"), field("Codename"));
        if ![suite.as_str(), codename.as_str()].contains(&wanted.as_str()) {
            let found = format!("suite {suite}, codename {codename}");
            return Err(UpstreamError::WrongSuite {
                file: file.to_owned(),
                wanted: wanted.to_string(),
                found,
            });
        }
        let time = |name: &str, value: &str| {
            parse_date(value).ok_or_else(|| malformed(format!("`{value}` of the field `{name}` is no date")))
        };
        let date = time("Date", &field("Date"))?;
        let mut warnings = Vec::new();
        if let Some(until) = paragraph.get("Valid-Until")
            && time("Valid-Until", until)? < seconds(now)
        {
            let until = until.to_owned();
            match expiry {
                Expiry::Refuse => {
                    return Err(UpstreamError::Expired {
                        suite: wanted.to_string(),
                        until,
                    });
                }
                Expiry::Warn => warnings.push(Warning::Expired {
                    suite: wanted.clone(),
                    until,
                }),
            }
        }
        let list = paragraph
            .get("SHA256")
            .ok_or_else(|| malformed("it has no field `SHA256`".to_owned()))?;
        let files =
            parse_files(list).map_err(|line| malformed(format!("`{line}` is no `DIGEST SIZE NAME`")))?;
        Ok(Self {
            suite,
            codename,
            date,
            sha256: Sha256Digest::of(bytes),
            signer,
            warnings,
            files,
        })
    }

    /// A list by its name: `main/binary-amd64/Packages`.
    pub fn file(&self, name: &str) -> Option<ReleaseFile> {
        self.files.get(name).copied()
    }
}

fn parse_files(list: &str) -> Result<BTreeMap<String, ReleaseFile>, String> {
    let mut files = BTreeMap::new();
    for line in list.lines().filter(|line| !line.trim().is_empty()) {
        let mut words = line.split_ascii_whitespace();
        let (digest, size, name) = (words.next(), words.next(), words.next());
        let sha256 = digest.and_then(|digest| digest.parse().ok());
        let size = size.and_then(|size| size.parse().ok());
        match (sha256, size, name) {
            (Some(sha256), Some(size), Some(name)) => {
                files.insert(name.to_owned(), ReleaseFile { sha256, size })
            }
            _ => return Err(line.chars().take(120).collect()),
        };
    }
    Ok(files)
}

fn seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}
