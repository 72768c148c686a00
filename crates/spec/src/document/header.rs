//! Headers of sections, and the names of packages in them.

use std::collections::BTreeMap;

use super::line::section_name;

/// Deepest nesting of macros in a name.
const MAX_DEPTH: usize = 8;
/// Longest name with its macros replaced, in bytes.
const MAX_NAME: usize = 4096;

/// The package that a section is for, as its header names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageRef {
    /// The main package.
    Main,
    /// `%files devel`: the main package's name, a dash and this.
    Suffix(String),
    /// `%files -n libfoo`: this.
    Full(String),
}

/// The first line of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// `%files`, in lower case.
    pub(crate) name: &'static str,
    pub(crate) package: PackageRef,
}

impl Header {
    pub(crate) fn parse(line: &str) -> Option<Header> {
        let name = section_name(line.trim_start())?;
        let words = words(line);
        let package = match name {
            "prep"
            | "conf"
            | "generate_buildrequires"
            | "build"
            | "install"
            | "check"
            | "clean"
            | "changelog"
            | "patchlist"
            | "sourcelist" => PackageRef::Main,
            _ => package_of(&words[1..]),
        };
        Some(Header { name, package })
    }
}

/// Reads the options of a header (rpm's build/parse*.c, popt): `-n NAME`, a word without a dash, options with a value.
fn package_of(words: &[String]) -> PackageRef {
    let mut suffix = None;
    let mut at = 0;
    while at < words.len() {
        match words[at].as_str() {
            "--" => break,
            "-n" => {
                return match words.get(at + 1) {
                    Some(name) => PackageRef::Full(name.clone()),
                    None => PackageRef::Main,
                };
            }
            "-f" | "-p" | "-l" | "-P" => at += 1,
            word if word.starts_with('-') => {}
            word => {
                suffix.get_or_insert_with(|| word.to_owned());
            }
        }
        at += 1;
    }
    suffix.map_or(PackageRef::Main, PackageRef::Suffix)
}

/// The words of a header: blanks part them, but for those in macros and quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut begun = false;
    let mut before = ' ';
    for one in line.chars() {
        match one {
            '"' if depth == 0 => {
                (quoted, begun) = (!quoted, true);
                before = one;
                continue;
            }
            '{' | '(' if before == '%' || depth > 0 => depth += 1,
            '}' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if one.is_whitespace() && depth == 0 && !quoted {
            if begun {
                words.push(std::mem::take(&mut word));
                begun = false;
            }
        } else {
            word.push(one);
            begun = true;
        }
        before = one;
    }
    if begun {
        words.push(word);
    }
    words
}

/// What macros in names stand for, as far as the text alone tells: definitions that are the same wherever they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// `None` for a macro that has several values, or one with parameters.
    values: BTreeMap<String, Option<String>>,
}

impl Names {
    pub(crate) fn define(&mut self, name: &str, value: &str) {
        let value = value.trim().to_owned();
        self.values
            .entry(name.to_owned())
            .and_modify(|old| {
                if old.as_ref() != Some(&value) {
                    *old = None;
                }
            })
            .or_insert(Some(value));
    }

    pub(crate) fn forget(&mut self, name: &str) {
        self.values.insert(name.to_owned(), None);
    }

    /// The full name of a package, with what is known of its macros replaced.
    pub(crate) fn full(&self, package: &PackageRef) -> String {
        match package {
            PackageRef::Main => self.replace("%{name}"),
            PackageRef::Suffix(suffix) => self.replace(&format!("%{{name}}-{suffix}")),
            PackageRef::Full(name) => self.replace(name),
        }
    }

    /// Whether a header's package is the one that a person calls `wanted`: by its full name, by what comes after the
    /// main package's name, or as the header has it. No name is the main package.
    pub(crate) fn is(&self, package: &PackageRef, wanted: Option<&str>) -> bool {
        let full = self.full(package);
        let Some(wanted) = wanted.filter(|name| !name.is_empty()) else {
            return full == self.full(&PackageRef::Main);
        };
        let written = match package {
            PackageRef::Main => None,
            PackageRef::Suffix(text) | PackageRef::Full(text) => Some(text.as_str()),
        };
        written == Some(wanted)
            || full == self.replace(wanted)
            || full == self.full(&PackageRef::Suffix(wanted.to_owned()))
    }

    /// `text` with the macros replaced whose values are known; others stay.
    pub(crate) fn replace(&self, text: &str) -> String {
        self.replace_to(text, MAX_DEPTH)
    }

    fn replace_to(&self, text: &str, depth: usize) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let (whole, name) = reference(rest);
            let value = self.values.get(name).and_then(Option::as_ref);
            match value {
                Some(value) if depth > 0 && out.len() + value.len() < MAX_NAME => {
                    out.push_str(&self.replace_to(value, depth - 1));
                }
                _ => out.push_str(whole),
            }
            rest = &rest[whole.len()..];
        }
        out.push_str(rest);
        out
    }
}

/// The macro reference that `text` begins with, `%{x}`, `%{?x}` or `%x`, and its name; of anything else, one character
/// and no name.
fn reference(text: &str) -> (&str, &str) {
    let is_name = |one: char| one.is_ascii_alphanumeric() || one == '_';
    if let Some(inner) = text.strip_prefix("%{") {
        let inner = inner.strip_prefix('?').unwrap_or(inner);
        let skipped = text.len() - inner.len();
        let end = inner.find(|one| !is_name(one)).unwrap_or(inner.len());
        if end > 0 && inner[end..].starts_with('}') {
            return (&text[..skipped + end + 1], &inner[..end]);
        }
        return (&text[..2], "");
    }
    if text.starts_with("%%") {
        return (&text[..2], "");
    }
    let end = text[1..]
        .find(|one| !is_name(one))
        .map_or(text.len(), |at| at + 1);
    (&text[..end], &text[1..end])
}
