//! Lua's tables of sources and patches, which `%autosetup`, `%autopatch`, `%sources` and `%patches` go through.

use crate::Macros;

/// Appends to `sources` and `source_nums`, or to `patches` and `patch_nums`.
pub(crate) fn append(macros: &mut Macros, list: &str, path: &str, number: u32) {
    let _ = (macros, list, path, number);
}
