//! Definitions: a shared immutable base, and what a context has defined over it.
//!
//! Each name has a stack: `%define` pushes, `%undefine` pops. A context copies the stack of a name from the base when
//! it first changes it; the stacks share their entries, so that this costs a few words.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::builtin::Builtin;
use super::settings::Dialect;

/// Where a definition is from, which is also the scope that ends it: positive levels are the calls of parametric
/// macros, the others are the constants here (the numbers are rpm's own, `RMIL_…`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(pub i32);

impl Level {
    /// Built into the engine.
    pub const BUILTIN: Self = Self(-20);
    /// From a macro file.
    pub const MACRO_FILE: Self = Self(-13);
    /// From `rpmrc` files: the machine.
    pub const RPMRC: Self = Self(-11);
    /// From `--define`.
    pub const COMMAND_LINE: Self = Self(-7);
    /// From a spec's tags: `%name`, `%version`, `%SOURCE0`.
    pub const SPEC: Self = Self(-3);
    /// `%global`, and `%define` outside of any parametric macro.
    pub const GLOBAL: Self = Self(0);
}

/// What a definition expands to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// Text that is expanded.
    Text(Vec<u8>),
    /// Text that is taken as it is: arguments of parametric macros.
    Literal(Vec<u8>),
    /// Text with quote marks within, from `%{quote:}` in a `%global`.
    Quoted(Vec<u8>),
    /// Literal text with quote marks within: `%**`.
    LiteralQuoted(Vec<u8>),
    /// A built-in.
    Builtin(Builtin),
}

/// One definition of a macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    pub(crate) name: Vec<u8>,
    pub(crate) options: Option<Vec<u8>>,
    pub(crate) body: Body,
    pub(crate) level: Level,
    /// Made by a call (`%1`, `%{-f}`), not by a definition.
    pub(crate) automatic: bool,
}

impl Definition {
    /// The name, without `%`.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The options of a parametric macro, as `getopt` has them; none for a simple one.
    pub fn options(&self) -> Option<&[u8]> {
        self.options.as_deref()
    }

    /// The body as it was defined; `<builtin>` for a built-in, as rpm shows it.
    pub fn body(&self) -> &[u8] {
        match &self.body {
            Body::Text(text) | Body::Literal(text) | Body::Quoted(text) | Body::LiteralQuoted(text) => text,
            Body::Builtin(_) => b"<builtin>",
        }
    }

    /// Where it is from.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Whether it is built in.
    pub fn is_builtin(&self) -> bool {
        matches!(self.body, Body::Builtin(_))
    }

    fn size(&self) -> usize {
        // The words of the structure and its place in tables count too: many tiny definitions are not free.
        self.name.len() * 2 + self.options.as_ref().map_or(0, Vec::len) + self.body().len() + 128
    }
}

/// Hashes short names fast; macro names are not chosen to collide by anyone but the owner of a spec, who hurts himself.
#[derive(Default)]
pub(crate) struct NameHasher(u64);

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let mixed = (self.0.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(MULTIPLIER);
            self.0 = mixed ^ (mixed >> 32);
        }
    }

    fn write_usize(&mut self, length: usize) {
        self.0 = self.0.wrapping_add(length as u64);
    }

    fn write_u8(&mut self, byte: u8) {
        self.write(&[byte]);
    }
}

type Stack = Vec<Arc<Definition>>;
type NameMap = HashMap<Vec<u8>, Stack, BuildHasherDefault<NameHasher>>;

/// The definitions of a context.
#[derive(Debug, Default)]
pub(crate) struct Table {
    base: Option<Arc<NameMap>>,
    own: NameMap,
    /// Names that have a definition with a positive level somewhere in their stack.
    scoped: Vec<Vec<u8>>,
    /// Bytes of all that was defined here.
    size: usize,
}

impl Table {
    /// An empty table over a base.
    pub(crate) fn over(base: &Arc<NameMap>) -> Self {
        Self {
            base: Some(Arc::clone(base)),
            ..Self::default()
        }
    }

    /// Makes all definitions immutable, to be shared.
    pub(crate) fn freeze(self) -> Arc<NameMap> {
        match self.base {
            None => Arc::new(self.own),
            Some(base) if self.own.is_empty() => base,
            Some(base) => {
                let mut all = (*base).clone();
                all.extend(self.own);
                all.retain(|_, stack| !stack.is_empty());
                Arc::new(all)
            }
        }
    }

    /// The definition in force.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&Arc<Definition>> {
        match self.own.get(name) {
            Some(stack) => stack.last(),
            None => self
                .base
                .as_ref()
                .and_then(|base| base.get(name))
                .and_then(|stack| stack.last()),
        }
    }

    fn stack(&mut self, name: &[u8]) -> &mut Stack {
        if !self.own.contains_key(name) {
            let stack = self
                .base
                .as_ref()
                .and_then(|base| base.get(name))
                .cloned()
                .unwrap_or_default();
            self.own.insert(name.to_vec(), stack);
        }
        self.own.entry(name.to_vec()).or_default()
    }

    /// Defines a macro over what its name had before.
    pub(crate) fn push(&mut self, definition: Definition) {
        self.size += definition.size();
        if definition.level > Level::GLOBAL && !self.scoped.contains(&definition.name) {
            self.scoped.push(definition.name.clone());
        }
        match self.own.get_mut(&definition.name) {
            Some(stack) => stack.push(Arc::new(definition)),
            None => {
                let name = definition.name.clone();
                self.stack(&name).push(Arc::new(definition));
            }
        }
    }

    /// Takes the definition in force away; what was before it is in force again.
    pub(crate) fn pop(&mut self, name: &[u8]) -> bool {
        if self.get(name).is_none() {
            return false;
        }
        if let Some(definition) = self.stack(name).pop() {
            self.size = self.size.saturating_sub(definition.size());
        }
        true
    }

    /// Ends a scope: definitions of that level or deeper go, as far as they are in force.
    ///
    /// rpm 4.18 takes one definition of each name only: what was defined twice in a scope outlives it.
    pub(crate) fn end_scope(&mut self, level: Level, dialect: Dialect) {
        let mut scoped = std::mem::take(&mut self.scoped);
        scoped.retain(|name| {
            while self.get(name).is_some_and(|definition| definition.level >= level) {
                self.pop(name);
                if dialect == Dialect::Rpm418 {
                    break;
                }
            }
            let stack = self.own.get(name);
            stack.is_some_and(|stack| stack.iter().any(|definition| definition.level > Level::GLOBAL))
        });
        self.scoped = scoped;
    }

    /// Bytes of all that was defined here, beyond the base.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// All definitions in force, by name.
    pub(crate) fn all(&self) -> Vec<&Arc<Definition>> {
        let own = self.own.values().filter_map(|stack| stack.last());
        let base = self.base.iter().flat_map(|base| base.iter());
        let below = base
            .filter(|(name, _)| !self.own.contains_key(*name))
            .filter_map(|(_, stack)| stack.last());
        let mut all: Vec<_> = own.chain(below).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

pub(crate) type Shared = Arc<NameMap>;
