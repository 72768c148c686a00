//! Which text counts: the branches of conditionals, and build conditions.

use super::directive::Directive;
use super::error::SpecErrorKind;
use super::lines::{Lines, MAX_RECORDS};
use super::model::BuildCondition;

/// Conditionals may nest so deep.
const MAX_NESTING: usize = 1000;

#[derive(Debug)]
struct Branch {
    /// The directive that came last.
    last: Directive,
    /// The directive that opened it, and its line.
    opened: (Directive, u32),
    /// Whether the text of the branch counts.
    reading: bool,
    /// Whether a later branch may still count: none did, and the text around it does.
    pending: bool,
}

/// The conditionals that are open.
#[derive(Debug, Default)]
pub(crate) struct Branches {
    stack: Vec<Branch>,
}

impl Branches {
    /// Whether text counts.
    pub(crate) fn reading(&self) -> bool {
        self.stack.last().is_none_or(|branch| branch.reading)
    }

    /// The innermost conditional that is open, and its line.
    pub(crate) fn open(&self) -> Option<(Directive, u32)> {
        self.stack.last().map(|branch| branch.opened)
    }

    /// Whether the condition of a directive matters here.
    pub(crate) fn asks(&self, directive: Directive) -> bool {
        if directive.opens() {
            self.reading()
        } else {
            self.stack.last().is_some_and(|branch| branch.pending)
        }
    }

    /// Whether a directive may come here.
    pub(crate) fn check(&self, directive: Directive) -> Result<(), SpecErrorKind> {
        let misplaced = |reason: String| {
            Err(SpecErrorKind::MisplacedConditional {
                directive: directive.name(),
                reason,
            })
        };
        if directive.opens() {
            if self.stack.len() >= MAX_NESTING {
                return Err(SpecErrorKind::Limit {
                    what: "nesting of conditionals",
                    limit: MAX_NESTING,
                });
            }
            return Ok(());
        }
        match self.stack.last() {
            None => misplaced("has no %if".to_owned()),
            Some(branch) if branch.last == Directive::Else && directive != Directive::Endif => {
                misplaced(format!(
                    "comes after the %else of the {} in line {}",
                    branch.opened.0.name(),
                    branch.opened.1
                ))
            }
            Some(_) => Ok(()),
        }
    }

    /// Obeys a directive that was checked; always says that no file is to be included.
    pub(crate) fn apply(
        &mut self,
        directive: Directive,
        holds: bool,
        line: u32,
    ) -> Result<bool, SpecErrorKind> {
        if directive.opens() {
            let outer = self.reading();
            let reading = outer && holds;
            self.stack.push(Branch {
                last: directive,
                opened: (directive, line),
                reading,
                pending: outer && !reading,
            });
        } else if directive == Directive::Endif {
            self.stack.pop();
        } else if let Some(branch) = self.stack.last_mut() {
            branch.last = directive;
            branch.reading = branch.pending && holds;
            branch.pending &= !branch.reading;
        }
        Ok(false)
    }
}

/// The macros that declare build conditions.
const DECLARATIONS: [&str; 3] = ["bcond_without", "bcond_with", "bcond"];

/// Notes the build conditions that a chunk declares, after it was expanded.
pub(crate) fn record_build_conditions(lines: &mut Lines, chunk: &str) {
    for (at, _) in chunk.match_indices("bcond") {
        let before = chunk[..at].trim_end_matches('{');
        let called = before.ends_with('%') && !before.ends_with("%%");
        let Some(word) = DECLARATIONS.iter().find(|word| chunk[at..].starts_with(**word)) else {
            continue;
        };
        let rest = &chunk[at + word.len()..];
        if !called || !rest.starts_with([' ', '\t']) || lines.records.build_conditions.len() >= MAX_RECORDS {
            continue;
        }
        let arguments = rest.lines().next().unwrap_or_default().trim_ascii();
        let (name, default) = arguments.split_once([' ', '\t', '}']).unwrap_or((arguments, ""));
        let Ok(name) = lines.macros.expand(name) else {
            continue;
        };
        let name = name.to_text();
        if name.is_empty() || name.contains('%') {
            continue;
        }
        let enabled = lines.macros.is_defined(format!("with_{name}"));
        let default = match *word {
            "bcond_with" => false,
            "bcond_without" => true,
            _ => lines
                .macros
                .expand(default.trim_ascii())
                .ok()
                .and_then(|default| lines.macros.condition(&default.text).ok())
                .unwrap_or(enabled),
        };
        let position = lines.position();
        lines.records.build_conditions.push(BuildCondition {
            name,
            position,
            default,
            enabled,
        });
    }
}
