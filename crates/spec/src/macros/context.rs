//! The public face of the engine: a context of macros.

use std::sync::Arc;

use super::engine::Engine;
use super::error::MacroError;
use super::expression::Value;
use super::lua::LuaItem;
use super::notes::Notes;
use super::settings::Settings;
use super::table::{Definition, Level, Shared, Table};

/// The result of an expansion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expansion {
    /// The text, with all bytes that are no macro as they were.
    pub text: Vec<u8>,
    /// What could not be known, and what was said, in this expansion.
    pub notes: Notes,
}

impl Expansion {
    /// The text as UTF-8, with replacement characters for what is none.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// Definitions and settings that many contexts share: macro files are read once, and each spec starts from here.
#[derive(Debug, Clone)]
pub struct MacroBase {
    table: Shared,
    settings: Settings,
}

impl MacroBase {
    /// A new context that has all of the base and leaves it as it is.
    pub fn context(&self) -> Macros {
        Macros {
            engine: Engine::new(Table::over(&self.table), self.settings.clone()),
        }
    }
}

/// A context of macros: definitions, and the state of expansions.
///
/// Text is bytes: what is not UTF-8 goes through unchanged. Unlike rpm, which ends a text at its first NUL, a NUL is
/// a byte like any other.
///
/// A context is `Send`. Definitions persist from one expansion to the next, also when an expansion fails, as in rpm.
#[derive(Debug)]
pub struct Macros {
    engine: Engine,
}

impl Default for Macros {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Macros {
    /// A context with the built-in macros alone.
    pub fn new(settings: Settings) -> Self {
        let mut engine = Engine::new(Table::default(), settings);
        engine.define_builtins();
        Self { engine }
    }

    /// Makes this context the base of many.
    pub fn freeze(self) -> MacroBase {
        let (table, settings) = self.engine.into_parts();
        MacroBase {
            table: table.freeze(),
            settings,
        }
    }

    /// What the context was given from outside.
    pub fn settings(&self) -> &Settings {
        &self.engine.settings
    }

    /// Changes what the context is given from outside, but for the dialect's built-ins.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.engine.settings
    }

    /// Reads the macro files of a search path: patterns with `:` between, the later file wins.
    ///
    /// A definition that is wrong is passed over and noted, as rpm does.
    pub fn load_path(&mut self, path: &str) {
        self.engine.load_path(path);
    }

    /// Reads one macro file, as `%{load:}` does: a definition that is wrong is an error, after all others are made.
    pub fn load(&mut self, path: &str) -> Result<(), MacroError> {
        self.engine.load_top(path)
    }

    /// Reads the text of a macro file; `name` is the file's name in messages.
    pub fn load_text(&mut self, name: &str, text: &[u8]) -> Result<(), MacroError> {
        self.engine.load_text_top(name, text)
    }

    /// Defines a macro as `--define` and `%define` do: `name body`, `name(options) body`.
    pub fn define(&mut self, definition: impl AsRef<[u8]>, level: Level) -> Result<(), MacroError> {
        self.engine.define_top(definition.as_ref(), level)
    }

    /// Defines a simple macro with this body, which is expanded when it is used.
    ///
    /// The name and body are not checked: a reader defines `%SOURCE0` and even empty bodies so.
    pub fn set(&mut self, name: impl AsRef<[u8]>, body: impl AsRef<[u8]>, level: Level) {
        self.engine.set(name.as_ref(), body.as_ref(), level, Expand::Yes);
    }

    /// Defines a simple macro whose body is taken as it is, `%` and all.
    pub fn set_literal(&mut self, name: impl AsRef<[u8]>, body: impl AsRef<[u8]>, level: Level) {
        self.engine.set(name.as_ref(), body.as_ref(), level, Expand::No);
    }

    /// Takes the definition in force away; whether there was one.
    pub fn undefine(&mut self, name: impl AsRef<[u8]>) -> bool {
        self.engine.table.pop(name.as_ref())
    }

    /// The definition in force.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&Definition> {
        self.engine.get(name.as_ref())
    }

    /// Whether a macro of that name is defined.
    pub fn is_defined(&self, name: impl AsRef<[u8]>) -> bool {
        self.get(name).is_some()
    }

    /// All definitions in force, sorted by name.
    pub fn definitions(&self) -> Vec<Arc<Definition>> {
        self.engine.definitions()
    }

    /// Expands all macros in a text.
    pub fn expand(&mut self, text: impl AsRef<[u8]>) -> Result<Expansion, MacroError> {
        let before = self.take_notes();
        let mut out = Vec::new();
        let result = self.expand_into(text.as_ref(), &mut out);
        let notes = self.take_notes();
        self.engine.notes = before;
        result.map(|()| Expansion { text: out, notes })
    }

    /// Expands all macros in a text and appends the result; what could not be known is collected in [`Macros::notes`].
    ///
    /// On an error the output has what was expanded up to it.
    pub fn expand_into(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), MacroError> {
        self.engine.expand_top(text, out)
    }

    /// Expands a text and reads it as rpm reads numeric macros: a number, `Y…` for 1, anything else is 0.
    pub fn expand_number(&mut self, text: impl AsRef<[u8]>) -> Result<i64, MacroError> {
        self.engine.expand_number(text.as_ref())
    }

    /// Evaluates an expression, as `%[…]` does: its terms are expanded as they are met.
    pub fn expression(&mut self, expression: impl AsRef<[u8]>) -> Result<Value, MacroError> {
        self.engine.expression_top(expression.as_ref())
    }

    /// Evaluates an expression that has been expanded already, as `%{expr:…}` does: a `%` in it is an error.
    pub fn evaluate(&mut self, expression: impl AsRef<[u8]>) -> Result<Value, MacroError> {
        self.engine.evaluate_top(expression.as_ref())
    }

    /// Evaluates the condition of an `%if` or `%elif`, the rest of its line: it is expanded first, and then evaluated,
    /// as rpm does, so that a macro may hold a part of an expression.
    ///
    /// For a line that has been expanded already use [`Macros::evaluate`].
    pub fn condition(&mut self, expression: impl AsRef<[u8]>) -> Result<bool, MacroError> {
        let mut expanded = Vec::new();
        self.expand_into(expression.as_ref(), &mut expanded)?;
        self.evaluate(expanded).map(|value| value.is_true())
    }

    /// Makes a global list of Lua empty: a spec's `sources`, `source_nums`, `patches`, `patch_nums`.
    pub fn clear_lua_list(&mut self, list: &str) {
        self.engine.clear_lua_list(list);
    }

    /// Appends to a global list of Lua.
    pub fn append_to_lua_list(&mut self, list: &str, item: LuaItem) {
        self.engine.append_to_lua_list(list, item);
    }

    /// Begins a scope: `%define` defines for it alone, until [`Macros::pop_level`].
    pub fn push_level(&mut self) {
        self.engine.push_level();
    }

    /// Ends the innermost scope and its definitions; nothing happens without one.
    pub fn pop_level(&mut self) {
        self.engine.pop_level();
    }

    /// What expansions since the last [`Macros::take_notes`] left open, and what they said.
    pub fn notes(&self) -> &Notes {
        &self.engine.notes
    }

    /// Takes the notes; the context starts with none again.
    pub fn take_notes(&mut self) -> Notes {
        std::mem::take(&mut self.engine.notes)
    }
}

/// Whether a body is expanded when it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expand {
    Yes,
    No,
}
