//! The file `sources` of a dist-git repository: which files lie in the lookaside cache.
//!
//! Two forms of lines are in use: that of BSD's digest programs, `SHA512 (NAME) = HEX`, and the older one of md5sum,
//! `HEX  NAME`.

use std::collections::BTreeMap;

use crate::digest::{Digest, HashAlgorithm};
use crate::name::FileName;

/// The most bytes of a `sources` file; real ones have a few hundred.
const MAX_BYTES: usize = 1 << 20;

/// The most files that it may list; the largest real ones have some thousands.
const MAX_ENTRIES: usize = 10_000;

/// A file in the lookaside cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceEntry {
    /// Its name.
    pub name: FileName,
    /// Its digest.
    pub digest: Digest,
}

/// What is wrong with a `sources` file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourcesFileError {
    /// A line is not understood.
    #[error("line {line} of the file `sources`, `{text}`: {reason}")]
    Line {
        /// The line's number, from 1.
        line: usize,
        /// The line, shortened.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// It is no text, or too large.
    #[error("the file `sources` {0}")]
    Whole(&'static str),
}

/// Reads a `sources` file. The same file listed twice is an error unless the digests agree.
pub fn parse_sources(content: &[u8]) -> Result<Vec<SourceEntry>, SourcesFileError> {
    if content.len() > MAX_BYTES {
        return Err(SourcesFileError::Whole("has more than 1 MiB"));
    }
    let text = std::str::from_utf8(content).map_err(|_| SourcesFileError::Whole("is no UTF-8"))?;
    let mut entries: Vec<SourceEntry> = Vec::new();
    let mut seen: BTreeMap<FileName, usize> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fail = |reason: String| SourcesFileError::Line {
            line: number + 1,
            text: line.chars().take(200).collect(),
            reason,
        };
        let entry = parse_line(line).map_err(fail)?;
        if let Some(present) = seen.get(&entry.name).and_then(|index| entries.get(*index)) {
            if *present == entry {
                continue;
            }
            return Err(fail(format!("it has been listed before, as {}", present.digest)));
        }
        if entries.len() == MAX_ENTRIES {
            return Err(SourcesFileError::Whole("lists more than 10,000 files"));
        }
        seen.insert(entry.name.clone(), entries.len());
        entries.push(entry);
    }
    Ok(entries)
}

fn parse_line(line: &str) -> Result<SourceEntry, String> {
    const FORMS: &str = "it is neither `SHA512 (NAME) = HEX` nor `MD5-HEX  NAME`";
    if let Some((head, hex)) = line.rsplit_once(") = ") {
        let (algorithm, name) = head.split_once(" (").ok_or(FORMS)?;
        let known = HashAlgorithm::parse(algorithm)
            .ok_or_else(|| format!("the hash algorithm `{algorithm}` is not known"))?;
        return Ok(SourceEntry {
            name: FileName::new(name).map_err(|error| error.to_string())?,
            digest: Digest::new(known, hex.trim()).map_err(|error| error.to_string())?,
        });
    }
    let (hex, name) = line.split_once(char::is_whitespace).ok_or(FORMS)?;
    // md5sum marks files that were read as binary by a star.
    let name = name.trim_start();
    let name = name.strip_prefix('*').unwrap_or(name);
    Ok(SourceEntry {
        name: FileName::new(name).map_err(|error| error.to_string())?,
        digest: Digest::new(HashAlgorithm::Md5, hex).map_err(|_| FORMS.to_owned())?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(text: &str, expected: Result<&[&str], &str>) {
        let found = parse_sources(text.as_bytes());
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                let found: Vec<String> = found
                    .iter()
                    .map(|entry| format!("{} {}", entry.name, entry.digest))
                    .collect();
                assert_eq!(found, expected, "{text}");
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn both_forms_are_read() {
        let (md5, sha512) = ("d41d8cd98f00b204e9800998ecf8427e", "AB".repeat(64));
        let lower = sha512.to_lowercase();
        check("", Ok(&[]));
        check(
            &format!(
                "# comment\n\nSHA512 (a-1.tar.gz) = {sha512}\r\n{md5}  b.zip\nMD5 (c d (e).zip) = {md5}\n"
            ),
            Ok(&[
                &format!("a-1.tar.gz sha512:{lower}"),
                &format!("b.zip md5:{md5}"),
                &format!("c d (e).zip md5:{md5}"),
            ]),
        );
        check(&format!("{md5} *a\n{md5}  a\n"), Ok(&[&format!("a md5:{md5}")]));
        check(
            &format!("{md5}  a\nSHA512 (a) = {sha512}\n"),
            Err("line 2 of the file `sources`"),
        );
        check(&format!("SHA512 (../a) = {sha512}"), Err("refused"));
        check(&format!("SHA512 (a) = {md5}"), Err("no sha512 digest"));
        check(&format!("CRC (a) = {md5}"), Err("`CRC` is not known"));
        check(&format!("{sha512}  a"), Err("neither"));
        check("word", Err("neither"));
        check("<html>", Err("neither"));
        assert!(parse_sources(b"\xff").is_err());
        assert!(parse_sources(&vec![b'#'; MAX_BYTES + 1]).is_err());
    }
}
