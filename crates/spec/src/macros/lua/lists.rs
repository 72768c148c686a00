//! Global lists that scripts find: of a spec, its sources and patches.
//!
//! They are kept here until there is a Lua to tell them to, since most specs need none.

use mlua::{Lua, Table, Value};

use super::script_failed;
use crate::macros::engine::Engine;
use crate::macros::failure::Result;

/// An item of a list that scripts find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LuaItem {
    /// A string.
    Text(Vec<u8>),
    /// An integer.
    Number(i64),
}

/// A change of a global list: an item that is appended, or none for a list that is empty again.
#[derive(Debug)]
pub(super) struct Change {
    list: String,
    item: Option<LuaItem>,
}

impl Engine {
    /// Empties a global list, or makes it.
    pub(crate) fn clear_lua_list(&mut self, list: &str) {
        self.lua.pending.push(Change {
            list: list.to_owned(),
            item: None,
        });
    }

    /// Appends to a global list.
    pub(crate) fn append_to_lua_list(&mut self, list: &str, item: LuaItem) {
        self.lua.pending.push(Change {
            list: list.to_owned(),
            item: Some(item),
        });
    }

    /// Makes the changes that are pending.
    pub(super) fn tell_lists(&mut self, lua: &Lua) -> Result<()> {
        for change in std::mem::take(&mut self.lua.pending) {
            tell(lua, change).map_err(|error| script_failed(&error))?;
        }
        Ok(())
    }
}

fn tell(lua: &Lua, change: Change) -> mlua::Result<()> {
    let globals = lua.globals();
    // A script may have put something else in its place.
    let (Some(item), Value::Table(table)) = (change.item, globals.get::<Value>(change.list.as_str())?) else {
        let table: Table = lua.create_table()?;
        return globals.set(change.list, table);
    };
    match item {
        LuaItem::Text(text) => table.push(lua.create_string(text)?),
        LuaItem::Number(number) => table.push(number),
    }
}
