//! Package files of a folder, and what metadata says of them.

use crate::ComposeError;
use crate::digests::{Digests, Stamp};
use lazuli_repodata::{Checksum, FileFacts, PackageRecord};
use lazuli_rpm::{Header, Metadata, PackageHeaders, PackageKind, Tag, parse_headers};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// How much of a package is read at first to find its headers; most have less.
const HEAD_FIRST: u64 = 64 << 10;
/// Limit of the headers in bytes; rpm's own limit of a header is 256 MiB.
const HEAD_MAX: u64 = 512 << 20;
/// Folders below folders that are looked into.
const DEPTH_MAX: usize = 16;

/// Finds all `*.rpm` below `dir`, as paths relative to it, sorted. Hidden names and `repodata` are passed over, and so
/// are links to folders, which may lead in circles.
pub(crate) fn find(dir: &Path) -> Result<Vec<String>, ComposeError> {
    let mut found = Vec::new();
    walk(dir, "", 0, &mut found)?;
    found.sort_unstable();
    Ok(found)
}

fn walk(dir: &Path, prefix: &str, depth: usize, found: &mut Vec<String>) -> Result<(), ComposeError> {
    let fail = |source| ComposeError::Io {
        action: "read folder",
        path: dir.to_owned(),
        source,
    };
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let kind = entry.file_type().map_err(fail)?;
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| ComposeError::Package {
            path: path.clone(),
            reason: "its name is not UTF-8, which metadata cannot hold".to_owned(),
        })?;
        if name.starts_with('.') || (prefix.is_empty() && name == "repodata") {
            continue;
        }
        if kind.is_dir() && depth < DEPTH_MAX {
            walk(&path, &format!("{prefix}{name}/"), depth + 1, found)?;
        } else if name.ends_with(".rpm") && (kind.is_file() || (kind.is_symlink() && path.is_file())) {
            found.push(format!("{prefix}{name}"));
        }
    }
    Ok(())
}

/// A package of the repository.
pub(crate) struct Entry {
    pub(crate) record: PackageRecord,
    pub(crate) stamp: Stamp,
    pub(crate) digest: [u8; 32],
    pub(crate) is_reused: bool,
}

/// Reads the headers of a package, and the whole file for its digest unless that is known.
pub(crate) fn read(dir: &Path, location: &str, known: &Digests) -> Result<Entry, ComposeError> {
    let path = dir.join(location);
    let fail = |action| {
        let path = path.clone();
        move |source| ComposeError::Io { action, path, source }
    };
    let bad = |reason: String| ComposeError::Package {
        path: path.clone(),
        reason,
    };
    let mut file = File::open(&path).map_err(fail("open"))?;
    let metadata = file.metadata().map_err(fail("examine"))?;
    let stamp = Stamp::of(&metadata);
    let headers = read_headers(&file, metadata.len(), &path)?;
    let known = known.get(location, &stamp);
    let digest = match known {
        Some(digest) => digest,
        None => {
            let (digest, length) = digest(&mut file).map_err(fail("read"))?;
            if length != metadata.len() {
                return Err(bad("it changed while it was read".to_owned()));
            }
            digest
        }
    };
    let record =
        record(&headers, location, digest, metadata.len()).map_err(|error| bad(error.to_string()))?;
    Ok(Entry {
        record,
        stamp,
        digest,
        is_reused: known.is_some(),
    })
}

fn read_headers(file: &File, size: u64, path: &Path) -> Result<PackageHeaders, ComposeError> {
    let mut length = HEAD_FIRST.min(size);
    loop {
        let mut head = vec![0; length as usize];
        file.read_exact_at(&mut head, 0)
            .map_err(|source| ComposeError::Io {
                action: "read",
                path: path.to_owned(),
                source,
            })?;
        match parse_headers(&head) {
            Ok(headers) => return Ok(headers),
            // It may only be cut off.
            Err(_) if length < size.min(HEAD_MAX) => length = (length * 4).min(size).min(HEAD_MAX),
            Err(error) => {
                return Err(ComposeError::Package {
                    path: path.to_owned(),
                    reason: error.to_string(),
                });
            }
        }
    }
}

fn digest(file: &mut File) -> std::io::Result<([u8; 32], u64)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut length = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((hasher.finalize().into(), length));
        }
        hasher.update(&buffer[..read]);
        length += read as u64;
    }
}

/// What metadata says of a package with these headers.
///
/// The file's time is the package's build time: the file's own differs from one folder to the next.
pub(crate) fn record(
    headers: &PackageHeaders,
    location: &str,
    digest: [u8; 32],
    size: u64,
) -> Result<PackageRecord, lazuli_rpm::HeaderError> {
    let metadata = Metadata::from_header(&headers.header)?;
    let first = |header: &Header, tags: &[Tag]| {
        tags.iter().find_map(|tag| {
            let long = header.u64(*tag).ok().flatten();
            long.or_else(|| header.u32(*tag).ok().flatten().map(u64::from))
        })
    };
    let archive_size = first(&headers.signature, &[Tag::SIG_PAYLOADSIZE, Tag::LONGARCHIVESIZE])
        .or_else(|| first(&headers.header, &[Tag::ARCHIVESIZE, Tag::LONGARCHIVESIZE]));
    let range = &headers.header_range;
    let facts = FileFacts {
        checksum: Checksum::sha256(digest),
        location: location.to_owned(),
        package_size: size,
        archive_size: archive_size.unwrap_or(0),
        installed_size: first(&headers.header, &[Tag::SIZE, Tag::LONGSIZE]),
        header_range: range.start as u64..range.end as u64,
        file_time: u64::from(metadata.build_time),
    };
    let mut record = PackageRecord::from_metadata(&metadata, facts);
    if headers.kind == PackageKind::Source {
        record.nevra.arch = "src".to_owned();
    }
    Ok(record)
}
