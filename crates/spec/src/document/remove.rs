//! Sections and sub-packages taken out, with conditionals kept in balance.

use std::collections::BTreeSet;
use std::ops::Range;

use super::edit::{Edit, Splice};
use super::error::{EditError, EditErrorKind};
use super::line::LineKind;
use super::{Document, PackageRef, defined_name};

/// Most references to a removed package that are named in warnings.
const MAX_REFERENCES: usize = 20;

impl Document {
    /// Removes all sections of that name and package, with their headers.
    ///
    /// # Errors
    /// [`EditErrorKind::NoSection`], [`EditErrorKind::Conditional`].
    pub fn remove_section(&mut self, name: &str, package: Option<&str>) -> Result<Edit, EditError> {
        let sections = self.find_sections(name, package)?;
        self.remove_sections(&sections)
    }

    /// Removes all sections of a sub-package: its preamble, description, files, scripts and triggers.
    ///
    /// Conditionals around them stay, so that an empty block may be left. Definitions of macros in them stay where
    /// what is left of the spec uses them. What else names the package is named in warnings.
    ///
    /// # Errors
    /// [`EditErrorKind::NoPackage`], [`EditErrorKind::Conditional`], [`EditErrorKind::Refused`] for the main package.
    pub fn remove_subpackage(&mut self, package: &str) -> Result<Edit, EditError> {
        let package = package.trim();
        if package.is_empty() || self.names.is(&PackageRef::Main, Some(package)) {
            let problem = format!("`{package}` is the main package, which cannot be removed");
            return Err(EditError::new(EditErrorKind::Refused, problem));
        }
        let sections: Vec<usize> = (1..self.sections.len())
            .filter(|at| self.names.is(&self.sections[*at].package, Some(package)))
            .collect();
        let Some(first) = sections.first() else {
            return Err(self.no_package(package));
        };
        let full = self.names.full(&self.sections[*first].package);
        let mut edit = self.remove_sections(&sections)?;
        edit.warnings.extend(self.references_to(&full));
        Ok(edit)
    }

    fn no_package(&self, package: &str) -> EditError {
        let mut known: Vec<(usize, String)> = Vec::new();
        for section in &self.sections[1..] {
            let full = self.names.full(&section.package);
            if section.package != PackageRef::Main && !known.iter().any(|(_, name)| *name == full) {
                known.push((section.lines.start + 1, full));
            }
        }
        let wanted = self.names.full(&PackageRef::Suffix(package.to_owned()));
        let lines = known.iter().map(|(line, name)| (*line, name.as_bytes()));
        let nearest = super::nearest_line(&wanted, lines).map(|near| self.near(near.line - 1));
        let error = EditError::new(
            EditErrorKind::NoPackage,
            format!("there is no sub-package `{package}`"),
        )
        .looked_for(format!("%package {package}"))
        .nearest(nearest);
        match known.is_empty() {
            true => error.hint("the spec has no sub-packages"),
            false => {
                let names: Vec<String> = known.into_iter().map(|(_, name)| name).collect();
                error.hint(format!("the sub-packages are {}", names.join(", ")))
            }
        }
    }

    fn remove_sections(&mut self, sections: &[usize]) -> Result<Edit, EditError> {
        if let Some(line) = self.blocks.unbalanced {
            let problem = format!("the conditional in line {} has no other end", line + 1);
            return Err(EditError::new(EditErrorKind::Conditional, problem).nearest(Some(self.near(line))));
        }
        let mut ranges = Vec::new();
        for at in sections {
            ranges.push(self.removable(*at)?);
        }
        let kept = self.kept_lines(&ranges);
        let mut splices = Vec::new();
        for range in &ranges {
            let mut start = range.start;
            for line in range.clone().chain([range.end]) {
                if line == range.end || kept.contains(&line) {
                    if start < line {
                        splices.push(Splice::Remove { lines: start..line });
                    }
                    start = line + 1;
                }
            }
        }
        let mut warnings = Vec::new();
        if !kept.is_empty() {
            warnings.push("definitions of macros that other parts of the spec use were kept".to_owned());
        }
        Ok(Edit {
            changes: self.commit(splices),
            warnings,
        })
    }

    /// The lines of a section up to the first conditional that reaches out of it. Behind that there must be no content:
    /// it would be another section's when the conditional is false.
    fn removable(&self, at: usize) -> Result<Range<usize>, EditError> {
        let section = &self.sections[at];
        let lines = section.lines.clone();
        let Some(first) = self.first_straddling(&lines) else {
            return Ok(lines);
        };
        let mut line = first;
        while line < lines.end {
            let harmless = matches!(
                self.kind(line),
                LineKind::Blank
                    | LineKind::Comment
                    | LineKind::If
                    | LineKind::Else
                    | LineKind::EndIf
                    | LineKind::Definition
            );
            if !harmless {
                let title = self.section_title(section);
                let problem = format!("a conditional block begins or ends in the middle of {title}");
                return Err(EditError::new(EditErrorKind::Conditional, problem)
                    .section(title)
                    .looked_for("a section that conditionals enclose as a whole")
                    .nearest(Some(self.near(line)))
                    .hint(format!(
                        "line {} belongs to another section when the conditional of line {} is false: change the conditionals with `spec-search-replace` first",
                        line + 1,
                        first + 1
                    )));
            }
            line = self.unit_end(line);
        }
        Ok(lines.start..first)
    }

    /// Lines of the ranges that must stay: definitions of macros that are used outside of the ranges, or by such
    /// definitions, with the conditionals around them.
    fn kept_lines(&self, ranges: &[Range<usize>]) -> BTreeSet<usize> {
        let removed = |line: usize| ranges.iter().any(|range| range.contains(&line));
        let definitions: Vec<(usize, String)> = (0..self.lines.len())
            .filter(|line| removed(*line) && self.kind(*line) == LineKind::Definition)
            .filter_map(|line| defined_name(&self.line(line)).map(|name| (line, name.to_owned())))
            .collect();
        let mut kept = BTreeSet::new();
        if definitions.is_empty() {
            return kept;
        }
        let mut used: Vec<u8> = Vec::new();
        for line in (0..self.lines.len()).filter(|line| !removed(*line)) {
            used.extend_from_slice(self.line_bytes(line));
            used.push(b'\n');
        }
        // Each turn keeps one definition more, or is the last.
        for _ in 0..=definitions.len() {
            let next = definitions
                .iter()
                .find(|(line, name)| !kept.contains(line) && uses(&used, name));
            let Some((line, _)) = next else { break };
            let end = self.unit_end(*line);
            kept.extend(*line..end);
            used.extend_from_slice(&self.text[self.line_start(*line)..self.line_start(end)]);
            let around = self
                .blocks
                .blocks
                .iter()
                .filter(|block| block.start < *line && *line < block.end);
            for directive in around
                .flat_map(|block| block.directives())
                .filter(|line| removed(*line))
            {
                used.extend_from_slice(self.line_bytes(directive));
                kept.insert(directive);
            }
        }
        kept
    }

    /// Lines that name the package all the same.
    fn references_to(&self, full: &str) -> Vec<String> {
        let tags = self.all_tags().into_iter();
        let named = tags.filter(|tag| {
            let value = self.names.replace(&tag.value);
            let is_part = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.' | '+');
            value.match_indices(full).any(|(at, _)| {
                let before = value[..at].chars().next_back();
                let after = value[at + full.len()..].chars().next();
                !before.is_some_and(is_part) && !after.is_some_and(is_part)
            })
        });
        named
            .take(MAX_REFERENCES)
            .map(|tag| {
                let place = self.section_of_line(tag.line);
                format!(
                    "line {} in {place} still names {full}: `{}: {}`",
                    tag.line + 1,
                    tag.name,
                    tag.value
                )
            })
            .collect()
    }
}

/// Whether a text refers to a macro: `%x`, `%{x`, `%{?x`, `%{!?x`, `%{defined x}`, `macros.x`.
fn uses(text: &[u8], name: &str) -> bool {
    const BEFORE: [&[u8]; 9] = [
        b"%",
        b"%{",
        b"%?",
        b"%{?",
        b"%{!?",
        b"%!?",
        b"defined ",
        b"macros.",
        b"macros['",
    ];
    let name = name.as_bytes();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.windows(name.len()).enumerate().any(|(at, window)| {
        window == name
            && BEFORE.iter().any(|before| text[..at].ends_with(before))
            && !text.get(at + name.len()).is_some_and(|byte| is_name(*byte))
    })
}
