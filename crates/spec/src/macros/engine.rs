//! The state of a context, and the ways into it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::builtin;
use super::context::Expand;
use super::error::{MacroError, MacroErrorKind};
use super::expand::Output;
use super::expression::{Terms, Value, evaluate};
use super::failure::{Failure, Result};
use super::lua::LuaState;
use super::notes::Notes;
use super::settings::Settings;
use super::table::{Body, Definition, Level, Table};

/// The state of a context.
#[derive(Debug, Default)]
pub(crate) struct Engine {
    pub(crate) table: Table,
    pub(crate) settings: Settings,
    pub(crate) notes: Notes,
    /// The scope: 0, and one more for each parametric macro that is being expanded.
    pub(crate) level: i32,
    /// Macros within macros.
    pub(crate) depth: usize,
    /// Terms within terms of expressions, in all expressions that are being evaluated.
    pub(crate) terms: usize,
    /// Bytes that this expansion has made so far, those of arguments and inner results too.
    produced: usize,
    /// Macros that this expansion has called so far.
    calls: usize,
    /// Variables that Lua has set or removed.
    pub(crate) environment: BTreeMap<String, Option<String>>,
    pub(crate) lua: LuaState,
}

fn outcome<T>(result: Result<T>) -> std::result::Result<T, MacroError> {
    result.map_err(|failure| Failure::into_error(*failure))
}

impl Engine {
    pub(crate) fn new(table: Table, settings: Settings) -> Self {
        Self {
            table,
            settings,
            ..Self::default()
        }
    }

    pub(crate) fn into_parts(self) -> (Table, Settings) {
        (self.table, self.settings)
    }

    pub(crate) fn define_builtins(&mut self) {
        for (name, builtin) in builtin::all(self.settings.dialect) {
            self.table.push(Definition {
                name: name.as_bytes().to_vec(),
                options: builtin.arguments().takes_any().then(Vec::new),
                body: Body::Builtin(builtin),
                level: Level::BUILTIN,
                automatic: false,
            });
        }
    }

    pub(crate) fn set(&mut self, name: &[u8], body: &[u8], level: Level, expand: Expand) {
        let body = match expand {
            Expand::Yes => Body::Text(body.to_vec()),
            Expand::No => Body::Literal(body.to_vec()),
        };
        self.table.push(Definition {
            name: name.to_vec(),
            options: None,
            body,
            level,
            automatic: false,
        });
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<&Definition> {
        self.table.get(name).map(|definition| &**definition)
    }

    pub(crate) fn definitions(&self) -> Vec<Arc<Definition>> {
        self.table.all().into_iter().cloned().collect()
    }

    /// A variable of the environment, as Lua may have changed it.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        match self.environment.get(name) {
            Some(changed) => changed.as_deref(),
            None => self.settings.environment.get(name).map(String::as_str),
        }
    }

    fn begin(&mut self) {
        self.depth = 0;
        self.terms = 0;
        self.produced = 0;
        self.calls = 0;
    }

    pub(crate) fn expand_top(
        &mut self,
        text: &[u8],
        out: &mut Vec<u8>,
    ) -> std::result::Result<(), MacroError> {
        // Most lines of a spec have no macro at all.
        if memchr::memchr(b'%', text).is_none() {
            out.extend_from_slice(text);
            return Ok(());
        }
        self.begin();
        let mut output = Output::default();
        std::mem::swap(&mut output.bytes, out);
        let result = self.expand_text(text, &mut output);
        *out = output.bytes;
        outcome(result)
    }

    pub(crate) fn expand_number(&mut self, text: &[u8]) -> std::result::Result<i64, MacroError> {
        let mut out = Vec::new();
        self.expand_top(text, &mut out)?;
        Ok(to_number(&out))
    }

    pub(crate) fn expression_top(&mut self, text: &[u8]) -> std::result::Result<Value, MacroError> {
        self.begin();
        outcome(evaluate(self, text, Terms::Expanded))
    }

    pub(crate) fn evaluate_top(&mut self, text: &[u8]) -> std::result::Result<Value, MacroError> {
        self.begin();
        outcome(evaluate(self, text, Terms::Plain))
    }

    pub(crate) fn define_top(
        &mut self,
        definition: &[u8],
        level: Level,
    ) -> std::result::Result<(), MacroError> {
        self.begin();
        outcome(self.define_line(definition, level))
    }

    pub(crate) fn load_top(&mut self, path: &str) -> std::result::Result<(), MacroError> {
        outcome(self.load_file(path))
    }

    pub(crate) fn load_text_top(&mut self, path: &str, text: &[u8]) -> std::result::Result<(), MacroError> {
        outcome(self.load_text(path, text))
    }

    pub(crate) fn push_level(&mut self) {
        self.level += 1;
    }

    pub(crate) fn pop_level(&mut self) {
        if self.level > 0 {
            self.end_scope();
        }
    }

    /// Ends the innermost scope: its definitions go.
    pub(crate) fn end_scope(&mut self) {
        self.table.end_scope(Level(self.level), self.settings.dialect);
        self.level -= 1;
    }

    /// Counts a macro call against the limit.
    pub(crate) fn count_call(&mut self) -> Result<()> {
        self.calls += 1;
        let limit = self.settings.limits.calls;
        if self.calls > limit {
            return Err(MacroErrorKind::TooLarge {
                limit,
                unit: "macro calls",
            }
            .into());
        }
        Ok(())
    }

    /// Counts bytes that were made against the limit.
    pub(crate) fn count_bytes(&mut self, bytes: usize) -> Result<()> {
        self.produced = self.produced.saturating_add(bytes);
        let limit = self.settings.limits.output;
        if self.produced > limit {
            return Err(MacroErrorKind::TooLarge { limit, unit: "bytes" }.into());
        }
        Ok(())
    }
}

/// A number as rpm reads one from a macro: C's notation (`10`, `0x10`, `010`), `Y…` is 1, all else is 0.
pub(crate) fn to_number(text: &[u8]) -> i64 {
    let text = String::from_utf8_lossy(text);
    if text.starts_with(['Y', 'y']) {
        return 1;
    }
    let trimmed = text.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    if digits.starts_with(['-', '+']) {
        return 0;
    }
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hexadecimal) => (16, hexadecimal),
        None if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        None => (10, digits),
    };
    let number = i64::from_str_radix(digits, radix).unwrap_or(0);
    if negative { -number } else { number }
}
