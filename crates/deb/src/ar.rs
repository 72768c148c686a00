//! The outer layer of a `.deb`: an `ar` archive in the common format of System V and BSD (deb(5)).

use crate::archive::DebError;

/// What an `ar` archive begins with.
const MAGIC: &[u8] = b"!<arch>\n";

/// The size of a member's header: name 16, mtime 12, uid 6, gid 6, mode 8, size 10, end 2.
const HEADER_SIZE: usize = 60;

/// The most members that are looked at; a `.deb` has 3, and a few more where it is signed.
const MAX_MEMBERS: usize = 64;

/// One member: its name and content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a [u8],
}

/// Splits an archive into its members.
pub(crate) fn members(archive: &[u8]) -> Result<Vec<Member<'_>>, DebError> {
    let fail = |offset: usize, reason| Err(DebError::Ar { offset, reason });
    if !archive.starts_with(MAGIC) {
        return fail(0, "it does not begin with `!<arch>`");
    }
    let mut members = Vec::new();
    let mut offset = MAGIC.len();
    while offset < archive.len() {
        if members.len() == MAX_MEMBERS {
            return fail(offset, "it has too many members");
        }
        let Some(header) = archive[offset..].get(..HEADER_SIZE) else {
            return fail(offset, "a member's header is cut off");
        };
        if &header[58..] != b"`\n" {
            return fail(offset, "a member's header does not end as it must");
        }
        let Ok(name) = std::str::from_utf8(&header[..16]) else {
            return fail(offset, "a member's name is no text");
        };
        let size = std::str::from_utf8(&header[48..58])
            .ok()
            .and_then(|digits| parse_size(digits.trim_end()));
        let Some(size) = size else {
            return fail(offset, "a member's size is no number");
        };
        let Some(bytes) = archive[offset + HEADER_SIZE..].get(..size) else {
            return fail(offset, "a member's content is cut off");
        };
        let name = name.trim_end();
        members.push(Member {
            name: name.strip_suffix('/').unwrap_or(name),
            bytes,
        });
        // Members begin at even offsets; the last may lack its byte of padding.
        offset += HEADER_SIZE + size + size % 2;
    }
    Ok(members)
}

/// Parses decimal digits alone: `str::parse` would take a sign too.
fn parse_size(digits: &str) -> Option<usize> {
    digits
        .bytes()
        .all(|c| c.is_ascii_digit())
        .then(|| digits.parse().ok())?
}
