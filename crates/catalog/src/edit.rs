//! Adding a component to a file.
//!
//! Nothing else of a file changes, not a byte: the new entry is put between what is there. Where it goes is what a person
//! would do: beside its neighbour in the alphabet, in the form that the neighbour has.

use toml::de::{DeTable, DeValue};

use crate::explain::{one_line, toml_key};
use crate::schema;
use crate::value::ComponentName;

/// The one section that is edited.
const SECTION: &str = "components";

/// What a new component says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct NewComponent {
    /// Its keys, as TOML.
    body: toml::Table,
}

impl NewComponent {
    /// A component with all its defaults.
    #[must_use]
    pub fn plain() -> NewComponent {
        NewComponent {
            body: toml::Table::new(),
        }
    }

    /// A component that says this. What is empty is left out.
    ///
    /// # Errors
    /// [`EditError::Unwritable`] if a value has no form in TOML.
    pub fn new(config: &schema::Component) -> Result<NewComponent, EditError> {
        let value = toml::Value::try_from(config).map_err(|error| EditError::Unwritable {
            reason: error.to_string(),
        })?;
        match without_empty(value) {
            Some(toml::Value::Table(body)) => Ok(NewComponent { body }),
            _ => Ok(NewComponent::plain()),
        }
    }

    /// Whether it says nothing of itself: such components stand in lists.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.body.is_empty()
    }

    /// Its keys as lines, `key = value`.
    fn lines(&self, end: &str) -> String {
        let lines = self
            .body
            .iter()
            .map(|(key, value)| format!("{} = {}{end}", toml_key(key), one_line(value)));
        lines.collect()
    }

    /// Its keys as an inline table.
    fn inline(&self) -> String {
        match self.is_plain() {
            true => "{}".to_owned(),
            false => one_line(&toml::Value::Table(self.body.clone())),
        }
    }
}

fn without_empty(value: toml::Value) -> Option<toml::Value> {
    match value {
        toml::Value::Table(table) => {
            let kept: toml::Table = table
                .into_iter()
                .filter_map(|(key, value)| Some((key, without_empty(value)?)))
                .collect();
            (!kept.is_empty()).then_some(toml::Value::Table(kept))
        }
        toml::Value::Array(items) => {
            let kept: Vec<toml::Value> = items.into_iter().filter_map(without_empty).collect();
            (!kept.is_empty()).then_some(toml::Value::Array(kept))
        }
        other => Some(other),
    }
}

/// Why a component cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The file is no configuration file.
    #[error("failed to add component `{name}`: the file is not TOML: {reason}")]
    Syntax {
        /// The component.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The file has it already.
    #[error("component `{name}` is in line {line} of the file already")]
    Exists {
        /// The component.
        name: String,
        /// The line, from 1.
        line: usize,
    },
    /// There is no place for it.
    #[error("failed to add component `{name}`: `components` of the file is one inline table")]
    InlineSection {
        /// The component.
        name: String,
    },
    /// A value of it has no form in TOML.
    #[error("failed to write the component: {reason}")]
    Unwritable {
        /// What is wrong.
        reason: String,
    },
    /// The result is not what it should be.
    #[error("failed to add component `{name}`: the file is laid out in a way that is not known")]
    Layout {
        /// The component.
        name: String,
    },
}

/// The text of a file with a new component in it; an empty text is a new file.
///
/// # Errors
/// The file is not TOML, has the component, or has no place for it.
pub fn add_component(
    text: &str,
    name: &ComponentName,
    component: &NewComponent,
) -> Result<String, EditError> {
    let tree = DeTable::parse(text).map_err(|error| EditError::Syntax {
        name: name.to_string(),
        reason: error.message().to_owned(),
    })?;
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let entries = match tree.get_ref().get(SECTION).map(toml::Spanned::get_ref) {
        None => return verify(text, append(text, name, component, end), name),
        Some(DeValue::Table(entries)) => entries,
        Some(_) => {
            return Err(EditError::Layout {
                name: name.to_string(),
            });
        }
    };
    if let Some((key, _)) = entries.get_key_value(name.as_str()) {
        let line = text[..key.span().start].matches('\n').count() + 1;
        return Err(EditError::Exists {
            name: name.to_string(),
            line,
        });
    }
    let lines = Lines::new(text, tree.get_ref());
    let mut neighbours: Vec<(&str, usize)> = entries
        .iter()
        .map(|(key, _)| (key.get_ref().as_ref(), lines.of(key.span().start)))
        .collect();
    neighbours.sort_by(|left, right| left.0.cmp(right.0));
    let place = neighbours.partition_point(|(other, _)| *other < name.as_str());
    // Beside the one before it in the alphabet; of the first, before the one after it.
    let after = place.checked_sub(1).and_then(|before| neighbours.get(before));
    let Some((side, (_, line))) = after
        .map(|one| (Side::After, one))
        .or_else(|| neighbours.first().map(|one| (Side::Before, one)))
    else {
        return verify(text, append(text, name, component, end), name);
    };
    let edited = match lines.form(*line) {
        Form::Header => beside_header(&lines, *line, side, name, component, end),
        Form::Key { prefix } => beside_key(&lines, *line, side, &prefix, name, component, end),
        Form::Inside => {
            return Err(EditError::InlineSection {
                name: name.to_string(),
            });
        }
    };
    verify(text, edited, name)
}

/// On which side of its neighbour a component goes.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Before,
    After,
}

/// The form in which a component is written.
enum Form {
    /// `[components.bash]`.
    Header,
    /// `bash = { … }` below `[components]`, or `components.bash = { … }`; the prefix is what goes before the name.
    Key { prefix: String },
    /// In the middle of something else.
    Inside,
}

/// A text by lines, of which it is known which begin a table.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// Lines that begin within a value that goes over several.
    inside: Vec<bool>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str, tree: &DeTable<'_>) -> Lines<'t> {
        let breaks = text
            .bytes()
            .enumerate()
            .filter(|(at, byte)| *byte == b'\n' && at + 1 < text.len());
        let starts: Vec<usize> = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        let mut lines = Lines {
            text,
            inside: vec![false; starts.len()],
            starts,
        };
        lines.mark(tree);
        lines
    }

    fn mark(&mut self, table: &DeTable<'_>) {
        for (_, value) in table {
            match value.get_ref() {
                // The span of a table with a header is that of the header; that of an inline one is all of it.
                DeValue::Table(inner) => {
                    if self.text[value.span()].starts_with('{') {
                        self.mark_span(&value.span());
                    }
                    self.mark(inner);
                }
                DeValue::Array(items) => {
                    if self.text[value.span()].starts_with('[') && !self.text[value.span()].starts_with("[[")
                    {
                        self.mark_span(&value.span());
                    }
                    for item in items {
                        if let DeValue::Table(inner) = item.get_ref() {
                            self.mark(inner);
                        }
                    }
                }
                _ => self.mark_span(&value.span()),
            }
        }
    }

    fn mark_span(&mut self, span: &std::ops::Range<usize>) {
        let first = self.of(span.start);
        let last = self.of(span.end.saturating_sub(1).max(span.start));
        for line in first + 1..=last {
            if let Some(inside) = self.inside.get_mut(line) {
                *inside = true;
            }
        }
    }

    /// The line, from 0, that a byte is in.
    fn of(&self, at: usize) -> usize {
        self.starts
            .partition_point(|start| *start <= at)
            .saturating_sub(1)
    }

    fn line(&self, line: usize) -> &'t str {
        let start = self.starts.get(line).copied().unwrap_or(self.text.len());
        let end = self.starts.get(line + 1).copied().unwrap_or(self.text.len());
        &self.text[start..end]
    }

    fn count(&self) -> usize {
        self.starts.len()
    }

    fn is_header(&self, line: usize) -> bool {
        self.line(line).trim_start().starts_with('[') && !self.inside.get(line).copied().unwrap_or_default()
    }

    fn is_blank(&self, line: usize) -> bool {
        self.line(line).trim().is_empty() && !self.inside.get(line).copied().unwrap_or_default()
    }

    fn is_comment(&self, line: usize) -> bool {
        self.line(line).trim_start().starts_with('#') && !self.inside.get(line).copied().unwrap_or_default()
    }

    fn form(&self, line: usize) -> Form {
        let text = self.line(line).trim_start();
        if self.inside.get(line).copied().unwrap_or_default() {
            return Form::Inside;
        }
        if text.starts_with('[') {
            return Form::Header;
        }
        match text.strip_prefix(SECTION).map(str::trim_start) {
            Some(rest) if rest.starts_with('.') => Form::Key {
                prefix: format!("{SECTION}."),
            },
            Some(rest) if rest.starts_with('=') => Form::Inside,
            _ => Form::Key {
                prefix: String::new(),
            },
        }
    }

    /// The first line of the comment that belongs to a line: that which goes right before it.
    fn with_comment(&self, line: usize) -> usize {
        (0..line)
            .rev()
            .take_while(|above| self.is_comment(*above))
            .last()
            .unwrap_or(line)
    }

    /// The line after the last one of the component whose table begins at `line`: all its own tables belong to it, and no
    /// blank lines and comments before the next.
    fn end_of_tables(&self, line: usize) -> usize {
        let own = header_key(self.line(line));
        let next = (line + 1..self.count())
            .find(|&other| self.is_header(other) && header_key(self.line(other)) != own);
        let end = next.map_or(self.count(), |next| self.with_comment(next));
        (line + 1..end)
            .rev()
            .find(|&other| !self.is_blank(other))
            .map_or(line, |last| last)
            + 1
    }

    fn insert(&self, line: usize, new: &str, end: &str) -> String {
        let at = self.starts.get(line).copied().unwrap_or(self.text.len());
        let (before, after) = self.text.split_at(at);
        let ended = if before.is_empty() || before.ends_with('\n') {
            ""
        } else {
            end
        };
        format!("{before}{ended}{new}{after}")
    }
}

/// The first two keys of a header: section and name.
fn header_key(line: &str) -> Option<(String, String)> {
    let inner = line.trim_start().trim_start_matches('[');
    let inner = &inner[..inner.find(']').unwrap_or(inner.len())];
    // A header's keys are those of an assignment, and this one is as good as any.
    let table: toml::Table = toml::from_str(&format!("{inner} = 0")).ok()?;
    let (section, value) = table.into_iter().next()?;
    let name = value
        .as_table()
        .and_then(|table| table.keys().next().cloned())
        .unwrap_or_default();
    Some((section, name))
}

fn beside_header(
    lines: &Lines<'_>,
    line: usize,
    side: Side,
    name: &ComponentName,
    component: &NewComponent,
    end: &str,
) -> String {
    let table = format!(
        "[{SECTION}.{}]{end}{}",
        toml_key(name.as_str()),
        component.lines(end)
    );
    match side {
        Side::Before => {
            // What stands above a list of one-liners is about all of them.
            let is_list = line + 1 >= lines.count() || lines.is_header(line + 1);
            match is_list && component.is_plain() {
                true => lines.insert(line, &table, end),
                false => lines.insert(lines.with_comment(line), &format!("{table}{end}"), end),
            }
        }
        Side::After => {
            let last = lines.end_of_tables(line);
            // One-liners of a list stand close to each other.
            let tight = component.is_plain()
                && last == line + 1
                && !(last < lines.count() && lines.is_blank(last) && line > 0 && lines.is_blank(line - 1));
            let before = if tight { "" } else { end };
            // What follows directly keeps the distance that the neighbour had to it.
            let close = !tight && last < lines.count() && !lines.is_blank(last);
            let after = if close { end } else { "" };
            lines.insert(last, &format!("{before}{table}{after}"), end)
        }
    }
}

fn beside_key(
    lines: &Lines<'_>,
    line: usize,
    side: Side,
    prefix: &str,
    name: &ComponentName,
    component: &NewComponent,
    end: &str,
) -> String {
    let neighbour = lines.line(line);
    let indent = &neighbour[..neighbour.len() - neighbour.trim_start().len()];
    let entry = format!(
        "{indent}{prefix}{} = {}{end}",
        toml_key(name.as_str()),
        component.inline()
    );
    match side {
        Side::Before => lines.insert(lines.with_comment(line), &entry, end),
        Side::After => {
            let next = (line + 1..lines.count())
                .find(|&other| !lines.inside.get(other).copied().unwrap_or_default());
            // A neighbour may be written in several dotted keys.
            let dotted = |other: &usize| {
                dotted_name(lines.line(*other), prefix)
                    .is_some_and(|one| Some(one) == dotted_name(neighbour, prefix))
            };
            let mut last = next.unwrap_or(lines.count());
            while last < lines.count() && dotted(&last) {
                last += 1;
            }
            lines.insert(last, &entry, end)
        }
    }
}

/// The component's name of a line `PREFIX name = …` or `PREFIX name.key = …`.
fn dotted_name<'l>(line: &'l str, prefix: &str) -> Option<&'l str> {
    let rest = line.trim_start().strip_prefix(prefix)?;
    let end = match rest.strip_prefix(['"', '\'']) {
        Some(inner) => inner.find(['"', '\''])? + 2,
        None => rest.find(['.', '=', ' ', '\t'])?,
    };
    rest.get(..end)
}

/// The file with the component at its end.
fn append(text: &str, name: &ComponentName, component: &NewComponent, end: &str) -> String {
    let gap = match (text.is_empty(), text.ends_with('\n')) {
        (true, _) => String::new(),
        (false, true) => end.to_owned(),
        (false, false) => end.repeat(2),
    };
    format!(
        "{text}{gap}[{SECTION}.{}]{end}{}",
        toml_key(name.as_str()),
        component.lines(end)
    )
}

/// Checks that the file is what it was, and the component.
fn verify(before: &str, after: String, name: &ComponentName) -> Result<String, EditError> {
    let layout = || EditError::Layout {
        name: name.to_string(),
    };
    let old: toml::Table = toml::from_str(before).map_err(|_| layout())?;
    let mut new: toml::Table = toml::from_str(&after).map_err(|_| layout())?;
    let section = new
        .get_mut(SECTION)
        .and_then(toml::Value::as_table_mut)
        .ok_or_else(layout)?;
    let added = section.remove(name.as_str());
    if section.is_empty() && !old.contains_key(SECTION) {
        new.remove(SECTION);
    }
    match added.is_some() && new == old {
        true => Ok(after),
        false => Err(layout()),
    }
}
