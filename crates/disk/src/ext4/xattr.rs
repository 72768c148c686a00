//! Extended attributes: in the inode's body as far as they fit, the rest in one block.
//!
//! Specification: the kernel's `Documentation/filesystems/ext4/attributes.rst`.

use std::collections::BTreeMap;

use super::format::{BLOCK, checksum, get16, get32, put16, put32};
use crate::{Entry, Error, Result};

pub(crate) const MAGIC: u32 = 0xEA02_0000;
/// Bytes after the inode's fields, including the magic number.
pub(crate) const BODY_ROOM: usize = 96;
/// The block's header.
pub(crate) const BLOCK_HEADER: usize = 32;
/// An entry without its name.
pub(crate) const ENTRY: usize = 16;
/// Prefixes of names by their index. The two access control lists are whole names.
pub(crate) const PREFIXES: [(u8, &[u8]); 6] = [
    (2, b"system.posix_acl_access"),
    (3, b"system.posix_acl_default"),
    (1, b"user."),
    (4, b"trusted."),
    (6, b"security."),
    (7, b"system."),
];

/// The attributes of one inode, encoded.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    /// What follows the inode's fields; empty if there is nothing.
    pub(crate) body: Vec<u8>,
    /// The block, without its checksum, which depends on where it lies: see [`seal`].
    pub(crate) block: Option<Vec<u8>>,
}

struct Attribute<'t> {
    index: u8,
    name: &'t [u8],
    value: Vec<u8>,
}

impl Attribute<'_> {
    fn entry_length(&self) -> usize {
        (ENTRY + self.name.len()).next_multiple_of(4)
    }

    fn length(&self) -> usize {
        self.entry_length() + self.value.len().next_multiple_of(4)
    }
}

/// Encodes the attributes of an entry.
pub(crate) fn encode(entry: &Entry) -> Result<Encoded> {
    if entry.xattrs.is_empty() {
        return Ok(Encoded::default());
    }
    let refuse = |problem| Error::Unrepresentable {
        path: entry.path.to_string(),
        format: "ext4",
        problem,
    };
    let mut attributes = entry
        .xattrs
        .iter()
        .map(|(name, value)| attribute(name, value))
        .collect::<Result<Vec<_>, String>>()
        .map_err(refuse)?;
    // The order which the kernel wants in a block.
    attributes.sort_by(|a, b| (a.index, a.name.len(), a.name).cmp(&(b.index, b.name.len(), b.name)));
    let (mut body, mut block) = (Vec::new(), Vec::new());
    let mut body_used = 4 + 4;
    for attribute in attributes {
        if body_used + attribute.length() <= BODY_ROOM {
            body_used += attribute.length();
            body.push(attribute);
        } else {
            block.push(attribute);
        }
    }
    let needed = BLOCK_HEADER + 4 + block.iter().map(Attribute::length).sum::<usize>();
    if needed > BLOCK {
        let problem = format!("its extended attributes need {needed} bytes, {BLOCK} is the most");
        return Err(refuse(problem));
    }
    Ok(Encoded {
        body: encode_body(&body),
        block: (!block.is_empty()).then(|| encode_block(&block)),
    })
}

fn attribute<'t>(name: &'t [u8], value: &[u8]) -> Result<Attribute<'t>, String> {
    let lossy = || String::from_utf8_lossy(name);
    let found = PREFIXES
        .iter()
        .find_map(|(index, prefix)| Some((*index, name.strip_prefix(*prefix)?)));
    let Some((index, rest)) = found else {
        return Err(format!(
            "the extended attribute `{}` is of no known name space",
            lossy()
        ));
    };
    let is_acl = index == 2 || index == 3;
    if is_acl != rest.is_empty() || rest.len() > 255 {
        return Err(format!(
            "the name of the extended attribute `{}` is not valid",
            lossy()
        ));
    }
    let value = if is_acl {
        acl_to_disk(value).ok_or_else(|| format!("the value of `{}` is no access control list", lossy()))?
    } else {
        value.to_vec()
    };
    Ok(Attribute {
        index,
        name: rest,
        value,
    })
}

fn encode_body(attributes: &[Attribute<'_>]) -> Vec<u8> {
    if attributes.is_empty() {
        return Vec::new();
    }
    let mut body = vec![0; BODY_ROOM];
    put32(&mut body, 0, MAGIC);
    // Value offsets count from the first entry, and the body's entries carry no hash.
    put_attributes(&mut body[4..], attributes, 0, |_| 0);
    body
}

fn encode_block(attributes: &[Attribute<'_>]) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    put_attributes(&mut block, attributes, BLOCK_HEADER, entry_hash);
    // An entry without a hash makes the whole block one without, which is then not shared.
    let hashes = attributes.iter().map(entry_hash);
    let whole = hashes
        .clone()
        .fold(0u32, |whole, hash| whole.rotate_left(16) ^ hash);
    let whole = if hashes.clone().any(|hash| hash == 0) {
        0
    } else {
        whole
    };
    put32(&mut block, 0, MAGIC);
    put32(&mut block, 4, 1);
    put32(&mut block, 8, 1);
    put32(&mut block, 12, whole);
    block
}

fn put_attributes(
    area: &mut [u8],
    attributes: &[Attribute<'_>],
    first: usize,
    hash: impl Fn(&Attribute<'_>) -> u32,
) {
    let (mut at, mut end) = (first, area.len());
    for attribute in attributes {
        end -= attribute.value.len().next_multiple_of(4);
        let offset = if attribute.value.is_empty() { 0 } else { end };
        area[at] = attribute.name.len() as u8;
        area[at + 1] = attribute.index;
        put16(area, at + 2, offset as u16);
        put32(area, at + 8, attribute.value.len() as u32);
        put32(area, at + 12, hash(attribute));
        area[at + ENTRY..at + ENTRY + attribute.name.len()].copy_from_slice(attribute.name);
        area[end..end + attribute.value.len()].copy_from_slice(&attribute.value);
        at += attribute.entry_length();
    }
}

/// The hash of one entry: of its name's bytes, then of its value's words.
fn entry_hash(attribute: &Attribute<'_>) -> u32 {
    let name = attribute
        .name
        .iter()
        .fold(0u32, |hash, &byte| hash.rotate_left(5) ^ u32::from(byte));
    attribute.value.chunks(4).fold(name, |hash, word| {
        let mut padded = [0; 4];
        padded[..word.len()].copy_from_slice(word);
        hash.rotate_left(16) ^ u32::from_le_bytes(padded)
    })
}

/// Puts the checksum into an attribute block that lies at `position`.
pub(crate) fn seal(block: &mut [u8], seed: u32, position: u64) {
    put32(block, 16, 0);
    let sum = checksum(checksum(seed, &position.to_le_bytes()), block);
    put32(block, 16, sum);
}

/// Version of access control lists in system calls, and on disk.
const ACL_CALL: u32 = 2;
const ACL_DISK: u32 = 1;
/// Tags of list entries which name a user or group; the others have no id on disk.
const ACL_USER: u16 = 2;
const ACL_GROUP: u16 = 8;

/// From the form of `getxattr` (each entry: tag, permissions, id) to that of the disk, which leaves out unused ids.
fn acl_to_disk(value: &[u8]) -> Option<Vec<u8>> {
    let (version, entries) = value.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*version) != ACL_CALL || entries.len() % 8 != 0 {
        return None;
    }
    let mut disk = ACL_DISK.to_le_bytes().to_vec();
    for entry in entries.chunks_exact(8) {
        let named = matches!(get16(entry, 0), ACL_USER | ACL_GROUP);
        disk.extend_from_slice(if named { entry } else { &entry[..4] });
    }
    Some(disk)
}

/// From the form of the disk to that of `getxattr`.
fn acl_from_disk(value: &[u8]) -> Option<Vec<u8>> {
    let (version, mut rest) = value.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*version) != ACL_DISK {
        return None;
    }
    let mut call = ACL_CALL.to_le_bytes().to_vec();
    while !rest.is_empty() {
        let named = matches!(get16(rest.get(..4)?, 0), ACL_USER | ACL_GROUP);
        call.extend_from_slice(&rest[..4]);
        let id = if named {
            u32::from_le_bytes(rest.get(4..8)?.try_into().ok()?)
        } else {
            u32::MAX
        };
        call.extend_from_slice(&id.to_le_bytes());
        rest = &rest[if named { 8 } else { 4 }..];
    }
    Some(call)
}

/// Reads entries from `area`, the first at `first`, into `into`; the reverse of [`encode`]. `None` on damage.
pub(crate) fn decode(area: &[u8], first: usize, into: &mut BTreeMap<Vec<u8>, Vec<u8>>) -> Option<()> {
    let mut at = first;
    while get32(area.get(at..at + 4)?, 0) != 0 {
        let entry = area.get(at..at + ENTRY)?;
        let (name_length, index) = (usize::from(entry[0]), entry[1]);
        let (offset, size) = (usize::from(get16(entry, 2)), get32(entry, 8) as usize);
        let name = area.get(at + ENTRY..at + ENTRY + name_length)?;
        let value = area.get(offset..offset.checked_add(size)?)?;
        let prefix = PREFIXES.iter().find(|(known, _)| *known == index)?.1;
        let value = if index == 2 || index == 3 {
            acl_from_disk(value)?
        } else {
            value.to_vec()
        };
        into.insert([prefix, name].concat(), value);
        at += (ENTRY + name_length).next_multiple_of(4);
        if at + 4 > area.len() {
            return None;
        }
    }
    Some(())
}
