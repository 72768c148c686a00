//! Lua's tables of sources and patches, which `%autosetup`, `%autopatch`, `%sources` and `%patches` go through.

use crate::{LuaItem, Macros};

/// The tables: paths, and the numbers at the same places.
const LISTS: [&str; 4] = ["sources", "source_nums", "patches", "patch_nums"];

/// Empties the tables for a spec that begins.
pub(crate) fn clear(macros: &mut Macros) {
    for list in LISTS {
        macros.clear_lua_list(list);
    }
}

/// Appends a source or patch.
pub(crate) fn append(macros: &mut Macros, lists: (&str, &str), path: &str, number: u32) {
    macros.append_to_lua_list(lists.0, LuaItem::Text(path.as_bytes().to_vec()));
    macros.append_to_lua_list(lists.1, LuaItem::Number(i64::from(number)));
}
