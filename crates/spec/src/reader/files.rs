//! `%files`: paths and patterns with their attributes.
//!
//! rpm reads these lines only when it builds; here too nothing in them is an error. What rpm would refuse then is
//! warned of.

use crate::Level;

use super::error::{SpecError, SpecErrorKind as Kind};
use super::lines::Strip;
use super::model::{Attributes, ConfigPolicy, FileEntry, FileList, Verify};
use super::section::Section;
use super::state::{Naming, Reader};

/// Entries beyond these are not kept.
const MAX_ENTRIES: usize = 1_000_000;

impl Reader<'_> {
    /// Reads `%files`.
    pub(crate) fn read_files(&mut self, header: &str) -> Result<Option<Section>, SpecError> {
        let options = self.section_options("%files", header, "n:f:")?;
        if options.words.len() > usize::from(!options.has('n')) {
            return Err(self.bad_arguments("%files", "only one name is expected".to_owned(), header));
        }
        let naming = if options.has('n') {
            Naming::Full
        } else {
            Naming::Suffix
        };
        let name = options.value('n').or(options.words.first().map(String::as_str));
        let index = self.find_package("%files", name, naming)?;
        let from: Vec<String> = options.values('f').map(str::to_owned).collect();
        // rpm adds a second list of the same package to the first.
        let position = self.lines.position();
        let mut list = self.packages[index].files.take().unwrap_or_else(|| FileList {
            position,
            from: Vec::new(),
            entries: Vec::new(),
        });
        list.from.extend(from);
        let full = self.is_full();
        let mut defaults = Attributes::default();
        // Here `%license` is a word of its own, not the value of the tag.
        self.lines.macros.set("license", "%%license", Level::SPEC);
        self.lines.start_skimming(!full);
        let next = self.each_line(Strip::Comments, |reader| {
            let text = reader.lines.line().trim_ascii();
            if !full || text.is_empty() {
                return Ok(());
            }
            if list.entries.len() >= MAX_ENTRIES {
                let limit = Kind::Limit {
                    what: "number of files",
                    limit: MAX_ENTRIES,
                };
                return Err(reader.lines.error(limit, text));
            }
            match parse_entry(text, &mut defaults) {
                Ok(Some(mut entry)) => {
                    entry.line = reader.lines.position().line;
                    list.entries.push(entry);
                }
                Ok(None) => {}
                Err(doubt) => reader.lines.warn(doubt),
            }
            Ok(())
        });
        self.lines.start_skimming(false);
        self.lines.macros.undefine("license");
        self.packages[index].files = Some(list);
        next
    }
}

/// Takes a line apart; none if it only sets what holds for those after it.
fn parse_entry(line: &str, defaults: &mut Attributes) -> Result<Option<FileEntry>, String> {
    let mut entry = FileEntry {
        attributes: Some(defaults.clone()),
        ..FileEntry::default()
    };
    let mut only_defaults = false;
    let mut rest = line;
    while !rest.is_empty() {
        if let Some(name) = rest.strip_prefix('%') {
            let end = name
                .find(|character: char| !character.is_ascii_alphabetic())
                .unwrap_or(name.len());
            let (word, after) = rest.split_at(end + 1);
            let (arguments, after) = take_arguments(after)?;
            match apply(&mut entry, defaults, word, arguments)? {
                Applied::Yes => {
                    rest = after.trim_ascii_start();
                    continue;
                }
                Applied::Defaults => {
                    only_defaults = true;
                    rest = after.trim_ascii_start();
                    continue;
                }
                Applied::No => {}
            }
        }
        let (path, after) = take_path(rest);
        entry.paths.push(path);
        rest = after.trim_ascii_start();
    }
    if entry.paths.is_empty() {
        return if only_defaults {
            Ok(None)
        } else {
            Err(format!("`{line}` names no file"))
        };
    }
    if entry.paths.len() > 1 && !entry.documentation && !entry.license {
        return Err(format!(
            "`{line}` names several files; only %doc and %license may"
        ));
    }
    if entry.attributes == Some(Attributes::default()) {
        entry.attributes = None;
    }
    Ok(Some(entry))
}

enum Applied {
    Yes,
    /// It holds for the lines after it.
    Defaults,
    /// It is no word of `%files`.
    No,
}

fn apply(
    entry: &mut FileEntry,
    defaults: &mut Attributes,
    word: &str,
    arguments: Option<&str>,
) -> Result<Applied, String> {
    let words = || {
        arguments
            .unwrap_or_default()
            .split([' ', '\t', ','])
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    match word {
        "%doc" => entry.documentation = true,
        "%readme" => entry.documentation = true,
        "%license" => entry.license = true,
        "%dir" => entry.folder_only = true,
        "%ghost" => entry.ghost = true,
        "%exclude" => entry.exclude = true,
        "%artifact" => entry.artifact = true,
        "%missingok" => entry.may_be_missing = true,
        "%docdir" | "%pubkey" => {}
        "%lang" => entry.languages = words(),
        "%caps" => entry.capabilities = Some(arguments.unwrap_or_default().trim_ascii().to_owned()),
        "%attr" => entry.attributes = Some(parse_attributes(word, arguments, Some(defaults))?),
        "%defattr" => {
            *defaults = parse_attributes(word, arguments, None)?;
            return Ok(Applied::Defaults);
        }
        "%defverify" => return Ok(Applied::Defaults),
        "%config" => {
            let mut policy = ConfigPolicy::default();
            for word in words() {
                match word.as_str() {
                    "missingok" => policy.missing_ok = true,
                    "noreplace" => policy.no_replace = true,
                    _ => return Err(format!("`{word}` is no word of %config")),
                }
            }
            entry.may_be_missing |= policy.missing_ok;
            entry.config = Some(policy);
        }
        "%verify" => {
            let (negations, words): (Vec<_>, Vec<_>) = words().into_iter().partition(|word| word == "not");
            entry.verify = Some(Verify {
                negated: !negations.is_empty(),
                words,
            });
        }
        _ => return Ok(Applied::No),
    }
    Ok(Applied::Yes)
}

/// What stands in the parentheses after a word.
fn take_arguments(text: &str) -> Result<(Option<&str>, &str), String> {
    let trimmed = text.trim_ascii_start();
    let Some(inner) = trimmed.strip_prefix('(') else {
        return Ok((None, text));
    };
    match inner.split_once(')') {
        Some((arguments, after)) => Ok((Some(arguments), after)),
        None => Err(format!("`{trimmed}` lacks its closing parenthesis")),
    }
}

/// A path, which quotes may keep together, and in which a backslash keeps the next character.
fn take_path(text: &str) -> (String, &str) {
    if let Some((path, after)) = text.strip_prefix('"').and_then(|inner| inner.split_once('"')) {
        return (path.to_owned(), after);
    }
    let mut escaped = false;
    let end = text.find(|character: char| {
        let ends = character.is_ascii_whitespace() && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    });
    let (path, after) = text.split_at(end.unwrap_or(text.len()));
    (path.to_owned(), after)
}

/// `(mode, user, group)`, of `%defattr` also a mode for folders; `-` leaves what holds by default.
fn parse_attributes(
    word: &str,
    arguments: Option<&str>,
    defaults: Option<&Attributes>,
) -> Result<Attributes, String> {
    let text = arguments.unwrap_or_default();
    let mut parts = text.split([',', ' ', '\t']).filter(|part| !part.is_empty());
    let mode = |part: Option<&str>, default: Option<u32>| match part {
        None | Some("-") => Ok(default),
        Some(part) => match u32::from_str_radix(part, 8) {
            Ok(mode) if mode <= 0o7777 => Ok(Some(mode)),
            _ => Err(format!("`{part}` in `{word}({text})` is no mode")),
        },
    };
    let name = |part: Option<&str>, default: Option<&String>| match part {
        None | Some("-") => default.cloned(),
        Some(part) => Some(part.trim_matches('"').to_owned()),
    };
    let attributes = Attributes {
        mode: mode(parts.next(), defaults.and_then(|defaults| defaults.mode))?,
        user: name(parts.next(), defaults.and_then(|defaults| defaults.user.as_ref())),
        group: name(
            parts.next(),
            defaults.and_then(|defaults| defaults.group.as_ref()),
        ),
        folder_mode: mode(parts.next(), defaults.and_then(|defaults| defaults.folder_mode))?,
    };
    match parts.next() {
        Some(extra) => Err(format!("`{extra}` in `{word}({text})` is too much")),
        None => Ok(attributes),
    }
}
