//! The lead: 96 bytes in front of every package, which only `file` still reads (struct rpmlead of rpm).

use super::PackageError;
use crate::Nevra;

/// Bytes of the lead.
pub(crate) const LEAD_LEN: usize = 96;

const MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];

/// The only kind of signature there is: a header.
const SIGNATURE_HEADER: u16 = 5;

/// Whether a package is binary or source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageKind {
    /// It can be installed.
    Binary,
    /// It holds what a binary package is built of.
    Source,
}

/// Checks the lead as rpm does: magic, major version 3 or 4, signature type.
pub(crate) fn parse(bytes: &[u8]) -> Result<PackageKind, PackageError> {
    let available = bytes.len();
    let lead = bytes.get(..LEAD_LEN).ok_or(PackageError::Truncated {
        what: "lead",
        needed: LEAD_LEN,
        available,
    })?;
    let fail = |reason| PackageError::BadLead { reason };
    if lead[..4] != MAGIC {
        return Err(fail("its magic is not edabeedb"));
    }
    if !(3..=4).contains(&lead[4]) {
        return Err(fail("its major version is neither 3 nor 4"));
    }
    if u16::from_be_bytes([lead[78], lead[79]]) != SIGNATURE_HEADER {
        return Err(fail("its signature type is not 5"));
    }
    match u16::from_be_bytes([lead[6], lead[7]]) {
        0 => Ok(PackageKind::Binary),
        1 => Ok(PackageKind::Source),
        _ => Err(fail("its package type is neither 0 nor 1")),
    }
}

/// The lead of a binary package, as rpm writes it.
pub(crate) fn build(nevra: &Nevra) -> [u8; LEAD_LEN] {
    /// `archnum` of rpm's rpmrc; nothing reads it any more.
    const ARCHITECTURES: [(&str, u16); 4] = [("x86_64", 1), ("i686", 1), ("aarch64", 19), ("noarch", 255)];
    const LINUX: u16 = 1;
    let mut lead = [0; LEAD_LEN];
    lead[..4].copy_from_slice(&MAGIC);
    lead[4] = 3;
    let number = ARCHITECTURES
        .iter()
        .find(|(name, _)| *name == nevra.arch)
        .map_or(255, |(_, number)| *number);
    lead[8..10].copy_from_slice(&number.to_be_bytes());
    let name = format!("{}-{}", nevra.name, nevra.evr);
    // 66 bytes with a final zero.
    let length = name.len().min(65);
    lead[10..10 + length].copy_from_slice(&name.as_bytes()[..length]);
    lead[76..78].copy_from_slice(&LINUX.to_be_bytes());
    lead[78..80].copy_from_slice(&SIGNATURE_HEADER.to_be_bytes());
    lead
}
