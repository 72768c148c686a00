//! Which lines of texts need not be expanded to know what a spec says.
//!
//! The query path passes over scripts, descriptions, file lists and the changelog. A line of these must be expanded all
//! the same where its macros may have an effect elsewhere: where they define a macro, begin a section or a conditional,
//! end with an error, run Lua or expand a text twice. A scan of the line and of the bodies of the macros that it calls,
//! as far as they go, says so; what it can't see through counts as an effect.
//!
//! What is lost are the notes of macros that nobody defines, and the warnings of such lines.

use std::collections::HashMap;

use crate::Macros;

use super::section::is_word_of_specs;

/// Bodies are followed so deep.
const MAX_DEPTH: usize = 16;
/// So many bytes of bodies are looked at for one line.
const MAX_WORK: usize = 64 << 10;

/// Built-in macros whose expansion is their result and nothing else.
const PURE: [&str; 33] = [
    "basename",
    "dirname",
    "suffix",
    "url2path",
    "u2p",
    "uncompress",
    "getenv",
    "getconfdir",
    "quote",
    "shrink",
    "gsub",
    "sub",
    "len",
    "upper",
    "lower",
    "reverse",
    "rep",
    "byte",
    "char",
    "S",
    "P",
    "F",
    "getncpus",
    "exists",
    "nil",
    "echo",
    "warn",
    "verbose",
    "rpmversion",
    "shescape",
    "macrobody",
    "span",
    "xdg",
];

/// What was found of macros' bodies.
#[derive(Debug, Default)]
pub(crate) struct Skimmer {
    known: HashMap<Vec<u8>, bool>,
}

impl Skimmer {
    /// Forgets what was found: macros may have changed.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }

    /// Whether expanding a text has no effect beyond its result.
    pub(crate) fn is_inert(&mut self, text: &[u8], macros: &Macros) -> bool {
        let mut work = MAX_WORK;
        self.scan(text, macros, 0, &mut work)
    }

    fn scan(&mut self, text: &[u8], macros: &Macros, depth: usize, work: &mut usize) -> bool {
        let Some(left) = work.checked_sub(text.len()) else {
            return false;
        };
        *work = left;
        let mut at = 0;
        while let Some(found) = text[at..].iter().position(|&byte| byte == b'%') {
            at += found + 1;
            let doubled = text.get(at) == Some(&b'%');
            if doubled {
                at += 1;
            }
            let rest = text[at..].trim_ascii_start();
            match rest.first() {
                Some(b'[') if !doubled => return false,
                None => return true,
                _ => {}
            }
            let name = name_of(&text[at..]);
            if name.is_empty() || name[0].is_ascii_digit() || name[0] == b'-' {
                continue;
            }
            if doubled {
                // What is left for a second expansion is a text; only as the start of a line it may mean more.
                if std::str::from_utf8(name).is_ok_and(is_word_of_specs) {
                    return false;
                }
                continue;
            }
            if !self.is_inert_macro(name, macros, depth, work) {
                return false;
            }
        }
        true
    }

    fn is_inert_macro(&mut self, name: &[u8], macros: &Macros, depth: usize, work: &mut usize) -> bool {
        if let Some(&known) = self.known.get(name) {
            return known;
        }
        let inert = match macros.get(name) {
            None => {
                std::str::from_utf8(name).is_ok_and(|name| !is_word_of_specs(name) || PURE.contains(&name))
            }
            Some(definition) if definition.is_builtin() => {
                std::str::from_utf8(name).is_ok_and(|name| PURE.contains(&name))
            }
            Some(_) if depth >= MAX_DEPTH => false,
            Some(definition) => {
                // A macro that calls itself is as inert as all else in it.
                self.known.insert(name.to_vec(), true);
                let body = definition.body().to_vec();
                self.scan(&body, macros, depth + 1, work)
            }
        };
        self.known.insert(name.to_vec(), inert);
        inert
    }
}

/// The name of the macro after a `%`.
fn name_of(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|byte| !matches!(byte, b'{' | b'?' | b'!'))
        .unwrap_or(text.len());
    let rest = &text[start..];
    let end = rest
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-'))
        .unwrap_or(rest.len());
    let name = &rest[..end];
    // A dash is part of `%{-n*}` only.
    if name.first() == Some(&b'-') {
        return name;
    }
    let end = name.iter().position(|&byte| byte == b'-').unwrap_or(name.len());
    &name[..end]
}
