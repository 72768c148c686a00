//! The rows of the index tables that a header gives (`tag2index` of rpm's `lib/rpmdb.c`).

use super::schema::Keys;
use lazuli_rpm::{Header, HeaderError, Sense, Tag};

/// A value of `key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key<'h> {
    Text(&'h [u8]),
    Blob(Vec<u8>),
}

/// One row, without the package's number.
pub(super) type Row<'h> = (Key<'h>, u32);

/// Requirements of scriptlets that run before or after the installation, of the installer (`rpmlib(…)`) and of
/// keys: they do not matter once the package is there (`isInstallPreReq` of rpmds.h).
const INSTALL_ONLY: u32 = Sense::SCRIPT_PRE.bits()
    | Sense::SCRIPT_POST.bits()
    | Sense::RPMLIB.bits()
    | KEYRING
    | PRETRANS
    | POSTTRANS;
const KEYRING: u32 = 1 << 26;
const PRETRANS: u32 = 1 << 7;
const POSTTRANS: u32 = 1 << 5;

/// Requirements of scriptlets that run when the package is removed (`isErasePreReq`).
const ERASE: u32 = Sense::SCRIPT_PREUN.bits() | Sense::SCRIPT_POSTUN.bits();

/// The rows of one table.
pub(super) fn rows(header: &Header, keys: Keys) -> Result<Vec<Row<'_>>, HeaderError> {
    Ok(match keys {
        Keys::Strings(tag) => numbered(header.byte_strings(tag)?).collect(),
        Keys::Requires => {
            let flags = header.u32s(Tag::REQUIREFLAGS)?;
            let is_kept = |index: u32| {
                let flags = flags.get(index as usize).copied().unwrap_or_default();
                flags & INSTALL_ONLY == 0 || flags & ERASE != 0
            };
            numbered(header.byte_strings(Tag::REQUIRENAME)?)
                .filter(|(_, index)| is_kept(*index))
                .collect()
        }
        Keys::Triggers(tag) => {
            let mut seen: Vec<&[u8]> = Vec::new();
            let mut rows = Vec::new();
            for (index, name) in (0..).zip(header.byte_strings(tag)?) {
                if !seen.contains(&name) {
                    seen.push(name);
                    rows.push((Key::Text(name), index));
                }
            }
            rows
        }
        Keys::FileTriggers(tag, numbers) => {
            let numbers = header.u32s(numbers)?;
            let names = header.byte_strings(tag)?;
            names
                .into_iter()
                .zip(numbers)
                .map(|(name, number)| (Key::Text(name), number))
                .collect()
        }
        Keys::Bytes(tag) => header
            .binary(tag)?
            .map(|bytes| (Key::Blob(bytes.to_vec()), 0))
            .into_iter()
            .collect(),
        Keys::Number(tag) => header
            .u32(tag)?
            .map(|number| (Key::Blob(number.to_ne_bytes().to_vec()), 0))
            .into_iter()
            .collect(),
    })
}

fn numbered(strings: Vec<&[u8]>) -> impl Iterator<Item = Row<'_>> {
    (0..)
        .zip(strings)
        .map(|(index, string)| (Key::Text(string), index))
}
