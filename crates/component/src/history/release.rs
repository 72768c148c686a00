//! The release and the changelog that a spec gets.
//!
//! | `release.calculation` | release | changelog |
//! |---|---|---|
//! | `autorelease` | `%autorelease` is defined with the number of entries since the version changed | `%autochangelog` is replaced; any other changelog stays |
//! | `static` | the number at the beginning of `Release` goes up by one for each of our changes | ours go on top; `%autochangelog` is replaced |
//! | `manual` | stays | stays, but `%autochangelog` is replaced |
//! | `auto` | `autorelease` if a `Release` has it, else `static` | as there |
//!
//! `%autorelease` takes `-b BASE`, `-e EXTRAVER`, `-s SNAPINFO`, `-p` and `-n`, as rpmautospec's documentation has them.
//! A static `0.N` is a pre-release by Fedora's old rule: N goes up, for `1` is the final release's. Where `Release` begins
//! with a macro, the number in that macro's definition goes up.

use std::sync::Arc;

use lazuli_catalog::schema::ReleaseCalculation;

use super::changelog::{self, ChangelogError};
use super::line::{Entry, HistoryLine};

/// What begins a section of a spec. Those of triggers and scripts are here too, for a tag can't be in them.
const SECTIONS: [&str; 35] = [
    "%package",
    "%description",
    "%prep",
    "%build",
    "%install",
    "%check",
    "%clean",
    "%conf",
    "%files",
    "%changelog",
    "%generate_buildrequires",
    "%pre",
    "%post",
    "%preun",
    "%postun",
    "%pretrans",
    "%posttrans",
    "%preuntrans",
    "%postuntrans",
    "%verify",
    "%verifyscript",
    "%trigger",
    "%triggerin",
    "%triggerun",
    "%triggerprein",
    "%triggerpostun",
    "%filetrigger",
    "%filetriggerin",
    "%filetriggerun",
    "%filetriggerpostun",
    "%transfiletriggerin",
    "%transfiletriggerun",
    "%transfiletriggerpostun",
    "%sourcelist",
    "%patchlist",
];

/// How a release comes about, once `auto` is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseRule {
    /// `%autorelease` counts.
    Autorelease,
    /// A number goes up.
    Static,
    /// It stays.
    Manual,
}

/// A release can't be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// There is no `Release`.
    #[error("the spec has no `Release`")]
    Missing,
    /// There is no number that could go up.
    #[error("`Release: {value}` has no number that could go up")]
    NoNumber {
        /// The value.
        value: String,
    },
    /// The number is too large.
    #[error("the number in `Release: {value}` is too large")]
    TooLarge {
        /// The value.
        value: String,
    },
    /// The changelog.
    #[error(transparent)]
    Changelog(#[from] ChangelogError),
}

impl ReleaseError {
    /// What to do, as a line of its own after the message.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            ReleaseError::NoNumber { .. } => Some(
                "set `release.calculation = \"manual\"`, or give it a number by an overlay `spec-update-tag`",
            ),
            ReleaseError::Missing => Some("set `release.calculation = \"manual\"` if another file has it"),
            _ => None,
        }
    }
}

/// A spec with its release and changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// The spec.
    pub spec: Vec<u8>,
    /// How the release came about.
    pub rule: ReleaseRule,
    /// The number that was counted: entries since the version changed, or our changes; 0 where it does not matter.
    pub number: u64,
}

/// Gives a spec its release and its changelog. `file` is the content of the file `changelog`; `spec_at` gives the
/// upstream's spec at a commit, for the releases that older entries of a static changelog name.
///
/// # Errors
/// [`ReleaseError`].
pub fn release(
    spec: &[u8],
    calculation: ReleaseCalculation,
    history: &HistoryLine,
    file: Option<&[u8]>,
    spec_at: &dyn Fn(&str) -> Option<Arc<[u8]>>,
) -> Result<Released, ReleaseError> {
    let mut lines: Vec<Vec<u8>> = spec
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let tags = release_tags(&lines);
    let automatic = tags.iter().any(|tag| mentions(&tag.value, "autorelease"));
    let rule = match calculation {
        ReleaseCalculation::Autorelease => ReleaseRule::Autorelease,
        ReleaseCalculation::Static => ReleaseRule::Static,
        ReleaseCalculation::Manual => ReleaseRule::Manual,
        ReleaseCalculation::Auto if automatic => ReleaseRule::Autorelease,
        ReleaseCalculation::Auto => ReleaseRule::Static,
    };
    let own = history.own();
    let changelog = section(&lines, "%changelog");
    let stands_for_changelog = |line: &Vec<u8>| {
        let text = String::from_utf8_lossy(line);
        matches!(
            text.trim(),
            "%autochangelog" | "%{autochangelog}" | "%{?autochangelog}"
        )
    };
    let generated_at = changelog.and_then(|(start, end)| {
        let found = lines.get(start + 1..end)?.iter().position(stands_for_changelog)?;
        Some(start + 1 + found)
    });
    // From the end to the beginning, so that the numbers of lines stay right.
    match generated_at {
        Some(at) => lines[at] = changelog::generated(history, file)?.into_bytes(),
        None if rule == ReleaseRule::Static && own > 0 => {
            let (start, end) = changelog.unwrap_or_else(|| {
                end_with_newline(&mut lines);
                lines.push(b"\n".to_vec());
                lines.push(b"%changelog\n".to_vec());
                (lines.len() - 1, lines.len())
            });
            let below = lines.get(start + 1..end).unwrap_or_default().concat();
            let evr = |index: usize, entry: &Entry| static_evr(index, entry, history, spec, spec_at);
            let text = changelog::own(history, &evr, &below);
            end_with_newline(&mut lines);
            lines.insert(start + 1, text.into_bytes());
        }
        None => {}
    }
    let number = match rule {
        ReleaseRule::Static => {
            count_up(&mut lines, &tags, own)?;
            own
        }
        ReleaseRule::Autorelease | ReleaseRule::Manual => history.number(),
    };
    let mut released = Vec::with_capacity(spec.len() + 512);
    if rule == ReleaseRule::Autorelease && automatic {
        released.extend_from_slice(autorelease(number).as_bytes());
    }
    released.extend(lines.concat());
    Ok(Released {
        spec: released,
        rule,
        number,
    })
}

/// The definition of `%autorelease` for a number. `-b BASE` counts from BASE rather than from 1.
fn autorelease(number: u64) -> String {
    let more = number.saturating_sub(1);
    format!(
        "# Set by lazuli: the release as the history of this project counts it.\n\
         %define autorelease(e:s:pb:n) %{{?-p:0.}}%{{expr:%{{?-b*}}%{{!?-b:1}} + {more}}}\
         %{{?-e:.%{{-e*}}}}%{{?-s:.%{{-s*}}}}%{{!?-n:%{{?dist}}}}\n"
    )
}

fn end_with_newline(lines: &mut [Vec<u8>]) {
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with(b"\n")) {
        last.push(b'\n');
    }
}

/// Version and release of our change number `index`: what `Release` was in the upstream commit that was locked then, and
/// one for each of our changes up to this one.
fn static_evr(
    index: usize,
    entry: &Entry,
    history: &HistoryLine,
    spec: &[u8],
    spec_at: &dyn Fn(&str) -> Option<Arc<[u8]>>,
) -> String {
    let own = history.own();
    let up = u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1);
    let then = match up == own {
        // The newest is what is rendered now, with all overlays.
        true => Some(Arc::from(spec)),
        false => entry.upstream_commit.as_deref().and_then(spec_at),
    };
    let then = then.or_else(|| {
        let current = history.entries.last().map(|last| &last.version);
        (current == Some(&entry.version)).then(|| Arc::from(spec))
    });
    let value = then.and_then(|spec| {
        let mut lines: Vec<Vec<u8>> = spec
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        let tags = release_tags(&lines);
        count_up(&mut lines, &tags, up).ok()?;
        let bumped = release_tags(&lines).into_iter().next()?;
        resolve_definition(&lines, &bumped.value)
    });
    match value {
        Some(value) => format!("{}-{value}", entry.version),
        None => entry.version.clone(),
    }
}

/// The beginning of a release, up to its first macro that is not a plain number.
fn resolve_definition(lines: &[Vec<u8>], value: &str) -> Option<String> {
    let value = match leading_macro(value) {
        Some(name) => {
            let definition = definitions(lines, name).into_iter().next()?;
            definition.value.clone()
        }
        None => value.to_owned(),
    };
    let plain = value.split('%').next().unwrap_or_default().trim_end_matches('.');
    (!plain.is_empty()).then(|| plain.to_owned())
}

/// A line with a number in it: the index, and where the value begins in bytes.
#[derive(Debug, Clone)]
struct Tag {
    line: usize,
    start: usize,
    value: String,
}

/// The `Release` tags of the main package; there are several where conditionals choose.
fn release_tags(lines: &[Vec<u8>]) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut open = 0_i64;
    let mut continued = false;
    for (index, line) in lines.iter().enumerate() {
        let text = String::from_utf8_lossy(line);
        let first = text.split_whitespace().next().unwrap_or_default();
        let inside = continued || open > 0;
        if !inside && SECTIONS.contains(&first) {
            break;
        }
        // A definition may go on for lines, by backslashes or in braces; what is in there is no tag.
        if inside || matches!(first, "%global" | "%define") {
            open += braces(&text);
            continued = text.trim_end_matches(['\n', '\r']).ends_with('\\');
        }
        if inside {
            continue;
        }
        if let Some((start, value)) = tag_value(line, b"release") {
            tags.push(Tag {
                line: index,
                start,
                value,
            });
        }
    }
    tags
}

fn braces(text: &str) -> i64 {
    text.bytes().fold(0, |open, byte| match byte {
        b'{' => open + 1,
        b'}' => open - 1,
        _ => open,
    })
}

/// Where the value of a tag begins, and the value without the white space around it.
fn tag_value(line: &[u8], tag: &[u8]) -> Option<(usize, String)> {
    let indent = line
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let name = line.get(indent..indent + tag.len())?;
    if !name.eq_ignore_ascii_case(tag) {
        return None;
    }
    let colon = line
        .iter()
        .skip(indent + tag.len())
        .position(|byte| *byte == b':')?
        + indent
        + tag.len();
    if line
        .get(indent + tag.len()..colon)?
        .iter()
        .any(|byte| !matches!(byte, b' ' | b'\t'))
    {
        return None;
    }
    let start = line
        .iter()
        .skip(colon + 1)
        .position(|byte| !matches!(byte, b' ' | b'\t'))?
        + colon
        + 1;
    // The value's length must be that of its bytes, for it is replaced in place.
    let value = std::str::from_utf8(line.get(start..)?)
        .ok()?
        .trim_end()
        .to_owned();
    Some((start, value))
}

/// Whether a text uses a macro: `%name`, `%{name}`, `%{?name}`, `%{name …}`.
fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].trim_end_matches(['?', '!', '{']);
        let after = text[at + name.len()..].chars().next();
        before.ends_with('%') && after.is_none_or(|one| !one.is_ascii_alphanumeric() && one != '_')
    })
}

/// The lines of a section: its header, and where the next one begins.
fn section(lines: &[Vec<u8>], name: &str) -> Option<(usize, usize)> {
    let header = |line: &Vec<u8>| {
        let text = String::from_utf8_lossy(line);
        text.split_whitespace()
            .next()
            .map(str::to_owned)
            .unwrap_or_default()
    };
    let start = lines.iter().rposition(|line| header(line) == name)?;
    let rest = lines
        .iter()
        .skip(start + 1)
        .position(|line| SECTIONS.contains(&header(line).as_str()));
    Some((start, rest.map_or(lines.len(), |rest| start + 1 + rest)))
}

/// Adds to the number of every `Release`, or of the definition that it begins with.
fn count_up(lines: &mut [Vec<u8>], tags: &[Tag], by: u64) -> Result<(), ReleaseError> {
    if tags.is_empty() {
        return Err(ReleaseError::Missing);
    }
    if by == 0 {
        return Ok(());
    }
    let mut counted: Vec<String> = Vec::new();
    for tag in tags {
        let Some(name) = leading_macro(&tag.value) else {
            replace(lines, tag, &bumped(&tag.value, by)?);
            continue;
        };
        if counted.iter().any(|known| known == name) {
            continue;
        }
        let definitions = definitions(lines, name);
        if definitions.is_empty() {
            let value = tag.value.clone();
            return Err(ReleaseError::NoNumber { value });
        }
        for definition in definitions {
            replace(lines, &definition, &bumped(&definition.value, by)?);
        }
        counted.push(name.to_owned());
    }
    Ok(())
}

fn replace(lines: &mut [Vec<u8>], tag: &Tag, value: &str) {
    if let Some(line) = lines.get_mut(tag.line) {
        let end = tag.start + tag.value.len();
        line.splice(tag.start..end.min(line.len()), value.bytes());
    }
}

/// The macro that a value begins with: `%{baserelease}%{?dist}`, `%release_number`.
fn leading_macro(value: &str) -> Option<&str> {
    let rest = value.strip_prefix('%')?;
    let (name, _) = match rest.strip_prefix('{') {
        Some(rest) => rest.split_once('}')?,
        None => {
            let end = rest.find(|one: char| !one.is_ascii_alphanumeric() && one != '_');
            rest.split_at(end.unwrap_or(rest.len()))
        }
    };
    let good = !name.is_empty() && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_');
    good.then_some(name)
}

/// Where a macro is defined as something that begins with a number.
fn definitions(lines: &[Vec<u8>], name: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Ok(text) = std::str::from_utf8(line) else {
            continue;
        };
        let mut words = text.split_whitespace();
        if !matches!(words.next(), Some("%global" | "%define")) || words.next() != Some(name) {
            continue;
        }
        let Some(value) = words.next() else { continue };
        // The name has been seen; the value is what follows it.
        let after_name = text.find(name).map_or(0, |at| at + name.len());
        let Some(start) = text.get(after_name..).and_then(|rest| rest.find(value)) else {
            continue;
        };
        if value.starts_with(|one: char| one.is_ascii_digit()) {
            found.push(Tag {
                line: index,
                start: after_name + start,
                value: value.to_owned(),
            });
        }
    }
    found
}

/// `3%{?dist}` by 2 is `5%{?dist}`; `0.3.rc1` is `0.5.rc1`.
fn bumped(value: &str, by: u64) -> Result<String, ReleaseError> {
    let (number, rest) = digits(value);
    let (head, number, rest) = match (number, rest.strip_prefix('.').map(digits)) {
        ("0", Some((second, rest))) if !second.is_empty() => ("0.", second, rest),
        _ => ("", number, rest),
    };
    if number.is_empty() {
        let value = value.to_owned();
        return Err(ReleaseError::NoNumber { value });
    }
    let next = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_add(by));
    let next = next.ok_or_else(|| ReleaseError::TooLarge {
        value: value.to_owned(),
    })?;
    Ok(format!("{head}{next}{rest}"))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|one: char| !one.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}
