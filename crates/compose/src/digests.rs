//! Which package files are unchanged since they were last digested.
//!
//! A text file, one line a package: `sha256 size mtime ctime path`, times in nanoseconds. The change time cannot be set
//! by a program, so a file that was rewritten in place, with its modification time put back, is noticed.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Name of the file in the repository's folder.
pub(crate) const FILE: &str = ".lazuli-digests";
/// First line; another one means another version, and the file is ignored.
const VERSION: &str = "lazuli-digests 1";
/// Limit of the file in bytes: some 500,000 packages.
const SIZE_MAX: u64 = 128 << 20;

/// What tells that a file is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    size: u64,
    modified: i128,
    changed: i128,
}

impl Stamp {
    pub(crate) fn of(metadata: &std::fs::Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            size: metadata.len(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Known digests, by path in the repository.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Digests(HashMap<String, (Stamp, [u8; 32])>);

impl Digests {
    /// Reads the file; what is absent or damaged is no digest.
    pub(crate) fn read(dir: &Path) -> Self {
        let path = dir.join(FILE);
        let is_small = std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() <= SIZE_MAX);
        let text = if is_small {
            std::fs::read_to_string(path).unwrap_or_default()
        } else {
            String::new()
        };
        let mut lines = text.lines();
        if lines.next() != Some(VERSION) {
            return Self::default();
        }
        Self(lines.filter_map(parse_line).collect())
    }

    /// The digest of a file that is unchanged.
    pub(crate) fn get(&self, path: &str, stamp: &Stamp) -> Option<[u8; 32]> {
        self.0
            .get(path)
            .filter(|(known, _)| known == stamp)
            .map(|(_, digest)| *digest)
    }

    pub(crate) fn insert(&mut self, path: &str, stamp: Stamp, digest: [u8; 32]) {
        // A path with a line break would break the format; its digest is not kept.
        if !path.contains('\n') {
            self.0.insert(path.to_owned(), (stamp, digest));
        }
    }

    pub(crate) fn to_text(&self) -> String {
        let mut lines: Vec<_> = self.0.iter().collect();
        lines.sort_unstable_by_key(|(path, _)| path.as_str());
        let mut text = format!("{VERSION}\n");
        for (path, (stamp, digest)) in lines {
            // Writing into a String cannot fail.
            let Stamp {
                size,
                modified,
                changed,
            } = stamp;
            let _ = writeln!(text, "{} {size} {modified} {changed} {path}", hex::encode(digest));
        }
        text
    }
}

fn parse_line(line: &str) -> Option<(String, (Stamp, [u8; 32]))> {
    let mut fields = line.splitn(5, ' ');
    let mut digest = [0; 32];
    hex::decode_to_slice(fields.next()?, &mut digest).ok()?;
    let size = fields.next()?.parse().ok()?;
    let modified = fields.next()?.parse().ok()?;
    let changed = fields.next()?.parse().ok()?;
    Some((
        fields.next()?.to_owned(),
        (
            Stamp {
                size,
                modified,
                changed,
            },
            digest,
        ),
    ))
}
