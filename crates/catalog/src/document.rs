//! One file: from text to its schema type, with every error that can be found.

use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::check::{Shape, check};
use crate::diagnostic::{Diagnostic, Diagnostics, Location};
use crate::schema::{ConfigFile, OverlayFile, json_schema, overlay_file_schema};
use crate::validate;

/// Parses a configuration file. `path` is for messages only.
///
/// # Errors
/// All errors of the file: of TOML's syntax, or else of unknown keys, types and values, or else of keys that contradict
/// each other.
pub fn parse_config(path: &Path, text: &str) -> Result<ConfigFile, Diagnostics> {
    static SHAPE: OnceLock<Shape> = OnceLock::new();
    let shape = SHAPE.get_or_init(|| Shape::from_schema(&json_schema()));
    let (file, tree) = parse::<ConfigFile>(path, text, shape)?;
    finish(path, text, &tree, validate::config(&file)).map(|()| file)
}

/// Parses a file of overlays (`*.overlay.toml`). `path` is for messages only.
///
/// # Errors
/// As [`parse_config`].
pub fn parse_overlay_file(path: &Path, text: &str) -> Result<OverlayFile, Diagnostics> {
    static SHAPE: OnceLock<Shape> = OnceLock::new();
    let shape = SHAPE.get_or_init(|| Shape::from_schema(&overlay_file_schema()));
    let (file, tree) = parse::<OverlayFile>(path, text, shape)?;
    finish(path, text, &tree, validate::overlay_file(&file)).map(|()| file)
}

fn finish(
    path: &Path,
    text: &str,
    tree: &Spanned<DeTable<'_>>,
    faults: Vec<crate::resolve::Fault>,
) -> Result<(), Diagnostics> {
    let diagnose = |fault: crate::resolve::Fault| {
        let span = find(tree, &fault.key).unwrap_or(0..0);
        let mut diagnostic = Diagnostic::new(fault.message, Location::new(path, text, span));
        diagnostic.help = fault.help;
        diagnostic
    };
    match Diagnostics::from_vec(sorted(faults.into_iter().map(diagnose).collect())) {
        Some(diagnostics) => Err(diagnostics),
        None => Ok(()),
    }
}

fn parse<'t, T: DeserializeOwned>(
    path: &Path,
    text: &'t str,
    shape: &Shape,
) -> Result<(T, Spanned<DeTable<'t>>), Diagnostics> {
    let at = |span: Range<usize>| Location::new(path, text, span);
    let (tree, errors) = DeTable::parse_recoverable(text);
    let syntax = errors.into_iter().map(|error| {
        let span = error.span().unwrap_or(0..0);
        Diagnostic::new(error.message().replace('\n', "; "), at(span))
    });
    if let Some(diagnostics) = Diagnostics::from_vec(sorted(syntax.collect())) {
        return Err(diagnostics);
    }
    let findings = check(&tree, shape).into_iter().map(|finding| {
        let mut diagnostic = Diagnostic::new(finding.message, at(finding.span));
        diagnostic.label = finding.label;
        diagnostic.help = finding.help;
        diagnostic
    });
    if let Some(diagnostics) = Diagnostics::from_vec(sorted(findings.collect())) {
        return Err(diagnostics);
    }
    match T::deserialize(toml::de::Deserializer::from(tree.clone())) {
        Ok(value) => Ok((value, tree)),
        Err(error) => Err(Diagnostic::new(error.message(), at(error.span().unwrap_or(0..0))).into()),
    }
}

fn sorted(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|diagnostic| diagnostic.location.span.start);
    diagnostics
}

/// Where the key of a path of keys stands; a number selects an entry of a list. If the whole path is not there, the
/// longest part of it that is.
pub(crate) fn locate(path: &Path, text: &str, keys: &[String]) -> Location {
    let (tree, _) = DeTable::parse_recoverable(text);
    Location::new(path, text, find(&tree, keys).unwrap_or(0..0))
}

/// As [`locate`], if the whole path is there.
pub(crate) fn locate_exactly(path: &Path, text: &str, keys: &[String]) -> Option<Location> {
    let (tree, _) = DeTable::parse_recoverable(text);
    let (span, depth) = find_part(&tree, keys)?;
    (depth == keys.len()).then(|| Location::new(path, text, span))
}

fn find(tree: &Spanned<DeTable<'_>>, keys: &[String]) -> Option<Range<usize>> {
    find_part(tree, keys).map(|(span, _)| span)
}

/// Where the longest part of a path of keys stands that is there, and how many keys that part has.
fn find_part(tree: &Spanned<DeTable<'_>>, keys: &[String]) -> Option<(Range<usize>, usize)> {
    let (first, rest) = keys.split_first()?;
    let (key, value) = tree.get_ref().get_key_value(first.as_str())?;
    let mut span = key.span();
    let mut value = value;
    let mut depth = 1;
    for key in rest {
        match value.get_ref() {
            DeValue::Table(table) => {
                let Some((found, next)) = table.get_key_value(key.as_str()) else {
                    break;
                };
                span = found.span();
                value = next;
            }
            DeValue::Array(values) => {
                let Some(next) = entry_index(key, values.len()).and_then(|index| values.get(index)) else {
                    break;
                };
                span = next.span();
                value = next;
            }
            _ => break,
        }
        depth += 1;
    }
    Some((span, depth))
}

/// The index that a key means in a list: `1` counts from the start, `-1` is the last entry.
fn entry_index(key: &str, count: usize) -> Option<usize> {
    match key.strip_prefix('-') {
        Some(from_end) => count.checked_sub(from_end.parse().ok()?),
        None => key.parse().ok(),
    }
}
