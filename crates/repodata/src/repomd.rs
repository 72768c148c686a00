//! `repomd.xml`: the index of a repository's metadata files, and the only one that is signed.

use crate::xml::{Child, Scanner, push_attribute, push_element, utf8};
use crate::{Checksum, MetadataError, compression};
use quick_xml::events::BytesStart;
use std::fmt::Write as _;

/// Limit of `repomd.xml` itself, in bytes. Real ones have 1 to 10 KiB.
pub const MAX_REPOMD_SIZE: u64 = 4 << 20;
/// Limit of one decompressed metadata file, in bytes. Fedora's filelists have about 1 GB.
pub const MAX_OPEN_SIZE: u64 = 4 << 30;
/// Limit of entries in `repomd.xml`. Real ones have 3 to 30.
const MAX_ENTRIES: usize = 1000;

const FILE: &str = "repomd.xml";

/// One metadata file of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataEntry {
    /// `primary`, `filelists`, `other`, `updateinfo`, …
    pub kind: String,
    /// Of the file as it lies in the repository.
    pub checksum: Checksum,
    /// Of the decompressed file; `None` where it is not compressed.
    pub open_checksum: Option<Checksum>,
    /// Path relative to the repository's root.
    pub location: String,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Size in bytes, as it lies in the repository; `None` if it is not promised.
    pub size: Option<u64>,
    /// Size in bytes when decompressed; `None` if it is not promised.
    pub open_size: Option<u64>,
}

/// The index of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repomd {
    /// By habit a time in seconds since 1970; any text is allowed.
    pub revision: String,
    /// The metadata files, in the file's order.
    pub data: Vec<DataEntry>,
}

impl Repomd {
    /// Parses `repomd.xml`.
    pub fn parse(xml: &[u8]) -> Result<Self, MetadataError> {
        if xml.len() as u64 > MAX_REPOMD_SIZE {
            return Err(MetadataError::TooLarge {
                file: FILE.to_owned(),
                what: "bytes",
                limit: MAX_REPOMD_SIZE,
            });
        }
        let text = utf8(FILE, xml)?;
        let mut scanner = Scanner::new(FILE, text, 0);
        match scanner.child()? {
            Child::Open(tag) if tag.local_name().as_ref() == "repomd" => {}
            _ => return Err(scanner.value_error("expected the root element <repomd>")),
        }
        let mut result = Self::default();
        loop {
            match scanner.child()? {
                Child::Open(tag) => match tag.local_name().as_ref() {
                    "revision" => result.revision = scanner.text()?,
                    "data" => {
                        if result.data.len() == MAX_ENTRIES {
                            return Err(MetadataError::TooLarge {
                                file: FILE.to_owned(),
                                what: "entries",
                                limit: MAX_ENTRIES as u64,
                            });
                        }
                        let entry = parse_entry(&mut scanner, &tag)?;
                        if result.get(&entry.kind).is_some() {
                            return Err(scanner.value_error(format!("two entries of kind `{}`", entry.kind)));
                        }
                        result.data.push(entry);
                    }
                    _ => scanner.skip(&tag)?,
                },
                Child::Empty(_) => {}
                Child::End => break,
            }
        }
        if !text.trim_end().ends_with('>') || !text.contains("</repomd>") {
            return Err(scanner.value_error("</repomd> is missing"));
        }
        Ok(result)
    }

    /// Writes `repomd.xml`.
    pub fn to_xml(&self) -> Vec<u8> {
        let mut out = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\" \
             xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\n",
        );
        push_element(&mut out, "  ", "revision", &self.revision);
        for entry in &self.data {
            write_entry(&mut out, entry);
        }
        out.push_str("</repomd>\n");
        out.into_bytes()
    }

    /// The entry of a kind.
    pub fn get(&self, kind: &str) -> Option<&DataEntry> {
        self.data.iter().find(|entry| entry.kind == kind)
    }

    /// A number that grows with each publication, for rollback protection: the revision where it is a number, or
    /// else the newest timestamp.
    pub fn freshness(&self) -> u64 {
        let newest = || self.data.iter().map(|entry| entry.timestamp).max().unwrap_or(0);
        self.revision.trim().parse().unwrap_or_else(|_| newest())
    }
}

impl DataEntry {
    /// The entry of a file that was just made. `location` becomes `repodata/CHECKSUM-NAME`.
    pub fn describe(kind: &str, name: &str, compressed: &[u8], open: &[u8], timestamp: u64) -> Self {
        let checksum = Checksum::of(crate::Algorithm::Sha256, compressed);
        Self {
            kind: kind.to_owned(),
            location: format!("repodata/{checksum}-{name}"),
            checksum,
            open_checksum: Some(Checksum::of(crate::Algorithm::Sha256, open)),
            timestamp,
            size: Some(compressed.len() as u64),
            open_size: Some(open.len() as u64),
        }
    }

    /// Checks size and checksum of the file as it lies in the repository, decompresses it (never beyond the promised
    /// size), and checks the result too.
    pub fn open(&self, data: &[u8]) -> Result<Vec<u8>, MetadataError> {
        self.check(data)?;
        let limit = self.open_size.unwrap_or(MAX_OPEN_SIZE);
        if limit > MAX_OPEN_SIZE {
            return Err(MetadataError::TooLarge {
                file: self.location.clone(),
                what: "decompressed bytes",
                limit: MAX_OPEN_SIZE,
            });
        }
        let open = compression::decompress(&self.location, data, limit)?;
        if let Some(expected) = self.open_size
            && expected != open.len() as u64
        {
            return Err(MetadataError::SizeMismatch {
                file: self.location.clone(),
                expected,
                found: open.len() as u64,
            });
        }
        if let Some(expected) = self.open_checksum {
            compare(&self.location, expected, &open)?;
        }
        Ok(open)
    }

    /// Checks size and checksum of the file as it lies in the repository.
    pub fn check(&self, data: &[u8]) -> Result<(), MetadataError> {
        if let Some(expected) = self.size
            && expected != data.len() as u64
        {
            return Err(MetadataError::SizeMismatch {
                file: self.location.clone(),
                expected,
                found: data.len() as u64,
            });
        }
        compare(&self.location, self.checksum, data)
    }
}

fn compare(file: &str, expected: Checksum, data: &[u8]) -> Result<(), MetadataError> {
    let found = Checksum::of(expected.algorithm(), data);
    if found == expected {
        Ok(())
    } else {
        Err(MetadataError::ChecksumMismatch {
            file: file.to_owned(),
            expected: Box::new(expected),
            found: Box::new(found),
        })
    }
}

/// Refuses a location that leads out of the repository: absolute, with `..`, with control characters or a scheme.
pub(crate) fn check_location(file: &str, location: &str) -> Result<(), MetadataError> {
    let unsafe_part = |part: &str| part == ".." || part == "." || part.is_empty();
    let bad = location.is_empty()
        || location.split('/').any(unsafe_part)
        || location.contains(|c: char| c.is_control() || matches!(c, '\\' | '?' | '#'))
        || location.contains("://");
    if bad {
        return Err(MetadataError::UnsafeLocation {
            file: file.to_owned(),
            location: location.to_owned(),
        });
    }
    Ok(())
}

pub(crate) fn parse_checksum(
    scanner: &mut Scanner<'_>,
    file: &str,
    tag: &BytesStart<'_>,
) -> Result<Checksum, MetadataError> {
    let algorithm = scanner.required(tag, "type")?;
    let value = scanner.text()?;
    Checksum::parse(&algorithm, value.trim()).map_err(|source| MetadataError::ChecksumSyntax {
        file: file.to_owned(),
        source,
    })
}

fn parse_entry(scanner: &mut Scanner<'_>, start: &BytesStart<'_>) -> Result<DataEntry, MetadataError> {
    let kind = scanner.required(start, "type")?;
    let (mut checksum, mut open_checksum, mut location) = (None, None, None);
    let (mut timestamp, mut size, mut open_size) = (0, None, None);
    loop {
        match scanner.child()? {
            Child::Open(tag) => match tag.local_name().as_ref() {
                "checksum" => checksum = Some(parse_checksum(scanner, FILE, &tag)?),
                "open-checksum" => open_checksum = Some(parse_checksum(scanner, FILE, &tag)?),
                "timestamp" => timestamp = scanner.number()?,
                "size" => size = Some(scanner.number()?),
                "open-size" => open_size = Some(scanner.number()?),
                "location" => {
                    location = Some(scanner.required(&tag, "href")?);
                    scanner.skip(&tag)?;
                }
                _ => scanner.skip(&tag)?,
            },
            Child::Empty(tag) => {
                if tag.local_name().as_ref() == "location" {
                    location = Some(scanner.required(&tag, "href")?);
                }
            }
            Child::End => break,
        }
    }
    let missing = |what: &str| scanner.value_error(format!("the entry `{kind}` has no {what}"));
    let location = location.ok_or_else(|| missing("location"))?;
    check_location(FILE, &location)?;
    let checksum = checksum.ok_or_else(|| missing("checksum"))?;
    Ok(DataEntry {
        kind,
        checksum,
        open_checksum,
        location,
        timestamp,
        size,
        open_size,
    })
}

fn write_entry(out: &mut String, entry: &DataEntry) {
    out.push_str("  <data type=\"");
    push_attribute(out, &entry.kind);
    out.push_str("\">\n");
    write_checksum(out, "checksum", &entry.checksum);
    if let Some(checksum) = &entry.open_checksum {
        write_checksum(out, "open-checksum", checksum);
    }
    out.push_str("    <location href=\"");
    push_attribute(out, &entry.location);
    out.push_str("\"/>\n");
    // Writing into a String cannot fail.
    let _ = writeln!(out, "    <timestamp>{}</timestamp>", entry.timestamp);
    if let Some(size) = entry.size {
        let _ = writeln!(out, "    <size>{size}</size>");
    }
    if let Some(size) = entry.open_size {
        let _ = writeln!(out, "    <open-size>{size}</open-size>");
    }
    out.push_str("  </data>\n");
}

fn write_checksum(out: &mut String, name: &str, checksum: &Checksum) {
    let algorithm = checksum.algorithm().name();
    let _ = writeln!(out, "    <{name} type=\"{algorithm}\">{checksum}</{name}>");
}
