//! The state of a context.

use std::sync::Arc;

use super::context::Expand;
use super::error::{MacroError, MacroErrorKind};
use super::expression::Value;
use super::notes::Notes;
use super::settings::Settings;
use super::table::{Body, Definition, Level, Table};

/// The state of a context.
#[derive(Debug, Default)]
pub(crate) struct Engine {
    table: Table,
    settings: Settings,
    notes: Notes,
    level: i32,
}

impl Engine {
    pub(crate) fn new(table: Table, settings: Settings) -> Self {
        Self { table, settings, ..Self::default() }
    }
    pub(crate) fn into_parts(self) -> (Table, Settings) {
        (self.table, self.settings)
    }
    pub(crate) fn define_builtins(&mut self) {}
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }
    pub(crate) fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }
    pub(crate) fn notes(&self) -> &Notes {
        &self.notes
    }
    pub(crate) fn notes_mut(&mut self) -> &mut Notes {
        &mut self.notes
    }
    pub(crate) fn load_path(&mut self, _path: &str) {}
    pub(crate) fn load(&mut self, _path: &str) -> Result<(), MacroError> {
        Ok(())
    }
    pub(crate) fn load_text(&mut self, _name: &str, _text: &[u8]) -> Result<(), MacroError> {
        Ok(())
    }
    pub(crate) fn define_line(&mut self, _definition: &[u8], _level: Level) -> Result<(), MacroError> {
        Ok(())
    }
    pub(crate) fn set(&mut self, name: &[u8], body: &[u8], level: Level, expand: Expand) {
        let body = match expand {
            Expand::Yes => Body::Text(body.to_vec()),
            Expand::No => Body::Literal(body.to_vec()),
        };
        self.table.push(Definition { name: name.to_vec(), options: None, body, level, automatic: false });
    }
    pub(crate) fn undefine(&mut self, name: &[u8]) -> bool {
        self.table.pop(name)
    }
    pub(crate) fn get(&self, name: &[u8]) -> Option<&Definition> {
        self.table.get(name).map(|definition| &**definition)
    }
    pub(crate) fn definitions(&self) -> Vec<Arc<Definition>> {
        self.table.all().into_iter().cloned().collect()
    }
    pub(crate) fn expand_top(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), MacroError> {
        out.extend_from_slice(text);
        Ok(())
    }
    pub(crate) fn expand_number(&mut self, _text: &[u8]) -> Result<i64, MacroError> {
        Ok(0)
    }
    pub(crate) fn expression_top(&mut self, _expression: &[u8]) -> Result<Value, MacroError> {
        Err(MacroErrorKind::TooDeep { limit: 0 }.into())
    }
    pub(crate) fn push_level(&mut self) {
        self.level += 1;
    }
    pub(crate) fn pop_level(&mut self) {
        self.table.end_scope(Level(self.level));
        self.level -= 1;
    }
}
