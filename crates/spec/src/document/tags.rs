//! Tags: added, inserted behind their family, set, updated, removed.

use std::ops::Range;

use super::edit::{Edit, Splice};
use super::error::{EditError, EditErrorKind};
use super::line::{LineKind, TagParts};
use super::{Document, Section, nearest_line};

/// Families of tags that a package may have several of.
const REPEATED: [&str; 17] = [
    "buildrequires",
    "buildprereq",
    "buildconflicts",
    "requires",
    "prereq",
    "provides",
    "conflicts",
    "obsoletes",
    "recommends",
    "suggests",
    "supplements",
    "enhances",
    "orderwithrequires",
    "source",
    "patch",
    "nosource",
    "nopatch",
];

/// A tag of a preamble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its line, from 0.
    pub line: usize,
    /// As it is written: `Source3`, `Requires(post)`.
    pub name: String,
    /// Its name in lower case, without number and qualifier: `source`, `requires`.
    pub family: String,
    /// Its number: the 3 of `Source3`.
    pub number: Option<u32>,
    /// What is in parentheses: `post`.
    pub qualifier: Option<String>,
    /// Its value, without blanks around it; of a tag that has several lines, all of them.
    pub value: String,
    /// Where the value is, in bytes of the text.
    span: Range<usize>,
}

impl Tag {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.trim())
    }

    fn has_value(&self, value: &str) -> bool {
        same_text(&self.value, value)
    }

    fn text(&self) -> String {
        format!("{}: {}", self.name, self.value)
    }
}

/// A tag's name in its parts.
fn name_parts(name: &str) -> (String, Option<u32>, Option<String>) {
    let (plain, qualifier) = match name.split_once('(') {
        Some((plain, rest)) => (plain, Some(rest.trim_end_matches(')').to_ascii_lowercase())),
        None => (name, None),
    };
    let plain = plain.trim().to_ascii_lowercase();
    let family = plain.trim_end_matches(|one: char| one.is_ascii_digit());
    let number = plain[family.len()..].parse().ok();
    match family.is_empty() {
        true => (plain, None, qualifier),
        false => (family.to_owned(), number, qualifier),
    }
}

/// Case and the number of blanks don't count.
fn same_text(one: &str, two: &str) -> bool {
    one.split_whitespace()
        .map(str::to_ascii_lowercase)
        .eq(two.split_whitespace().map(str::to_ascii_lowercase))
}

impl Document {
    /// The tags of a package's preamble, in order; of the main package, without a name.
    ///
    /// # Errors
    /// [`EditErrorKind::NoSection`]: there is no such sub-package.
    pub fn tags(&self, package: Option<&str>) -> Result<Vec<Tag>, EditError> {
        let preambles = self.preambles(package)?;
        Ok(preambles
            .iter()
            .flat_map(|index| self.section_tags(*index))
            .collect())
    }

    /// All tags of all packages.
    pub(super) fn all_tags(&self) -> Vec<Tag> {
        let preambles =
            (0..self.sections.len()).filter(|index| matches!(self.sections[*index].name, "" | "package"));
        preambles.flat_map(|index| self.section_tags(index)).collect()
    }

    pub(super) fn preambles(&self, package: Option<&str>) -> Result<Vec<usize>, EditError> {
        if self.names.is(&super::PackageRef::Main, package) {
            return Ok(vec![0]);
        }
        self.find_sections("package", package)
    }

    fn section_tags(&self, section: usize) -> Vec<Tag> {
        let body = self.sections[section].body.clone();
        let tags = body.filter(|index| self.kind(*index) == LineKind::Tag);
        tags.filter_map(|index| self.tag(index)).collect()
    }

    pub(super) fn tag(&self, line: usize) -> Option<Tag> {
        let range = self.lines.get(line)?.text.clone();
        let first = std::str::from_utf8(&self.text[range.clone()]).ok();
        let lossy;
        let first = match first {
            Some(text) => text,
            None => {
                // Positions must be those of the bytes, so that each byte that is not UTF-8 counts as one letter.
                lossy = self.text[range.clone()]
                    .iter()
                    .map(|byte| if byte.is_ascii() { *byte as char } else { '?' })
                    .collect::<String>();
                lossy.as_str()
            }
        };
        let parts = TagParts::parse(first)?;
        let start = range.start + parts.value.start;
        let last = self.unit_end(line) - 1;
        let end = match last == line {
            true => range.start + parts.value.end,
            false => self.lines[last].text.end,
        };
        let name = first[parts.name].to_owned();
        let (family, number, qualifier) = name_parts(&name);
        let value = String::from_utf8_lossy(&self.text[start..end.max(start)])
            .trim()
            .to_owned();
        Some(Tag {
            line,
            name,
            family,
            number,
            qualifier,
            value,
            span: start..end.max(start),
        })
    }

    /// Adds a tag, behind the last of its family. A tag of which a package has one must not be there yet; of one that
    /// is repeated, such as `BuildRequires`, none with this value.
    ///
    /// # Errors
    /// [`EditErrorKind::TagExists`], [`EditErrorKind::NoSection`], [`EditErrorKind::Refused`].
    pub fn add_tag(&mut self, package: Option<&str>, name: &str, value: &str) -> Result<Edit, EditError> {
        let (family, number, _) = name_parts(name);
        let repeated = REPEATED.contains(&family.as_str()) && number.is_none();
        let tags = self.tags(package)?;
        let same = tags
            .iter()
            .find(|tag| tag.is(name) && (!repeated || tag.has_value(value)));
        if let Some(tag) = same {
            let error = EditError::new(
                EditErrorKind::TagExists,
                format!("the tag `{}` is there already", tag.text()),
            )
            .section(self.section_of_line(tag.line))
            .looked_for(format!(
                "no `{}`",
                if repeated { tag.text() } else { tag.name.clone() }
            ))
            .nearest(Some(self.near(tag.line)));
            return Err(match repeated {
                true => error.hint("upstream has it too by now: drop this overlay"),
                false => error.hint("to give it another value, use `spec-update-tag` or `spec-set-tag`"),
            });
        }
        self.insert_tag(package, name, value)
    }

    /// Puts a tag behind the last of its family, or else behind the last tag; never into a conditional block.
    ///
    /// # Errors
    /// [`EditErrorKind::NoSection`], [`EditErrorKind::Refused`].
    pub fn insert_tag(&mut self, package: Option<&str>, name: &str, value: &str) -> Result<Edit, EditError> {
        check_tag(name, value)?;
        let preambles = self.preambles(package)?;
        let splices = preambles.iter().map(|index| {
            let (at, indent) = self.tag_place(&self.sections[*index], name);
            Splice::Insert {
                at,
                lines: vec![format!("{name}:{indent}{value}")],
            }
        });
        let splices = splices.collect();
        Ok(Edit {
            changes: self.commit(splices),
            warnings: Vec::new(),
        })
    }

    /// The line before which a tag of that name goes, and the blanks between its colon and its value: those that bring
    /// the value below that of the tag before it, if that one is lined up too.
    fn tag_place(&self, section: &Section, name: &str) -> (usize, String) {
        let body = &section.body;
        let limit = self.first_straddling(body).unwrap_or(body.end);
        let tags: Vec<Tag> = (body.start..limit)
            .filter_map(|index| self.tag_line(index))
            .collect();
        let (family, _, qualifier) = name_parts(name);
        // A patch without other patches goes behind the sources; anything else behind the last tag.
        let families: &[&str] = match family.as_str() {
            "patch" => &["patch", "source"],
            family => &[family],
        };
        let last_of = |wanted: &str| {
            let mut same = tags.iter().filter(|tag| tag.family == wanted);
            let exact = tags
                .iter()
                .rfind(|tag| tag.family == wanted && tag.qualifier == qualifier);
            exact.or_else(|| same.next_back())
        };
        let last = families
            .iter()
            .find_map(|family| last_of(family))
            .or_else(|| tags.last());
        let Some(last) = last else {
            return (self.content_end(section), " ".to_owned());
        };
        let at = self.past_blocks(self.unit_end(last.line), body);
        (at, self.aligned(last, name))
    }

    fn tag_line(&self, index: usize) -> Option<Tag> {
        (self.kind(index) == LineKind::Tag)
            .then(|| self.tag(index))
            .flatten()
    }

    fn aligned(&self, before: &Tag, name: &str) -> String {
        let start = self.line_start(before.line);
        let line = &self.text[start..before.span.start];
        let blanks = line.iter().rev().take_while(|byte| **byte == b' ').count();
        let width = line.len();
        let lined_up = blanks >= 2 && !line.contains(&b'\t') && width > name.len() + 1;
        match lined_up {
            true => " ".repeat(width - name.len() - 1),
            false => " ".to_owned(),
        }
    }

    /// `at`, or, where that is in a conditional block of this section, the line after the block.
    fn past_blocks(&self, at: usize, body: &Range<usize>) -> usize {
        let around = self
            .blocks
            .blocks
            .iter()
            .filter(|block| block.is_inside(body) && block.start < at && at <= block.end);
        around.map(|block| block.end + 1).max().unwrap_or(at)
    }

    /// Gives a tag another value, or adds it.
    ///
    /// # Errors
    /// As [`Document::update_tag`] and [`Document::insert_tag`], but that it need not be there.
    pub fn set_tag(&mut self, package: Option<&str>, name: &str, value: &str) -> Result<Edit, EditError> {
        let there = self.tags(package)?.iter().any(|tag| tag.is(name));
        match there {
            true => self.update_tag(package, name, value),
            false => self.insert_tag(package, name, value),
        }
    }

    /// Gives a tag another value, in all branches of conditionals that have it.
    ///
    /// # Errors
    /// [`EditErrorKind::NoTag`], [`EditErrorKind::Ambiguous`] when a tag that is repeated is there with several values,
    /// [`EditErrorKind::NoSection`], [`EditErrorKind::Refused`].
    pub fn update_tag(&mut self, package: Option<&str>, name: &str, value: &str) -> Result<Edit, EditError> {
        check_tag(name, value)?;
        let tags = self.tags(package)?;
        let same: Vec<&Tag> = tags.iter().filter(|tag| tag.is(name)).collect();
        let Some(first) = same.first() else {
            return Err(self.no_tag(&tags, package, name, None));
        };
        if same.iter().any(|tag| tag.value == value) && (same.len() == 1 || is_repeated(first)) {
            let warning = format!("the tag `{}` has this value already", first.name);
            return Ok(Edit {
                changes: Vec::new(),
                warnings: vec![warning],
            });
        }
        if same.len() > 1 && is_repeated(first) {
            let problem = format!(
                "{} tags `{}` are there: which one is meant is not said",
                same.len(),
                first.name
            );
            return Err(EditError::new(EditErrorKind::Ambiguous, problem)
                .section(self.section_of_line(first.line))
                .looked_for(format!("one tag `{name}`"))
                .nearest(Some(self.near(first.line)))
                .hint(
                    "use `spec-remove-tag` with the old value and `spec-add-tag`, or `spec-search-replace`",
                ));
        }
        let splices = same.iter().map(|tag| self.with_value(tag, value)).collect();
        Ok(Edit {
            changes: self.commit(splices),
            warnings: Vec::new(),
        })
    }

    fn with_value(&self, tag: &Tag, value: &str) -> Splice {
        let end = self.unit_end(tag.line);
        let (start, stop) = (self.line_start(tag.line), self.line_start(end));
        let mut text = self.text[start..tag.span.start].to_vec();
        // A tag without a value may have no blank behind its colon.
        if text.ends_with(b":") {
            text.push(b' ');
        }
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(&self.text[tag.span.end..stop]);
        Splice::Replace {
            lines: tag.line..end,
            text,
            count: 1,
        }
    }

    /// Removes all tags of a name, or those that also have this value.
    ///
    /// # Errors
    /// [`EditErrorKind::NoTag`], [`EditErrorKind::NoSection`].
    pub fn remove_tag(
        &mut self,
        package: Option<&str>,
        name: &str,
        value: Option<&str>,
    ) -> Result<Edit, EditError> {
        let tags = self.tags(package)?;
        let meant = |tag: &&Tag| tag.is(name) && value.is_none_or(|value| tag.has_value(value));
        let splices: Vec<Splice> = tags
            .iter()
            .filter(meant)
            .map(|tag| Splice::Remove {
                lines: tag.line..self.unit_end(tag.line),
            })
            .collect();
        if splices.is_empty() {
            return Err(self.no_tag(&tags, package, name, value));
        }
        Ok(Edit {
            changes: self.commit(splices),
            warnings: Vec::new(),
        })
    }

    fn no_tag(&self, tags: &[Tag], package: Option<&str>, name: &str, value: Option<&str>) -> EditError {
        let wanted = match value {
            Some(value) => format!("{name}: {value}"),
            None => format!("{name}:"),
        };
        // Where no value was given, values do not make a line any nearer.
        let text = |tag: &Tag| match value {
            Some(_) => tag.text(),
            None => format!("{}:", tag.name),
        };
        let texts: Vec<String> = tags.iter().map(text).collect();
        let lines = tags
            .iter()
            .zip(&texts)
            .map(|(tag, text)| (tag.line + 1, text.as_bytes()));
        let nearest = nearest_line(&wanted, lines).map(|near| self.near(near.line - 1));
        let section = self
            .preambles(package)
            .ok()
            .and_then(|found| found.first().copied())
            .unwrap_or(0);
        let error = EditError::new(
            EditErrorKind::NoTag,
            format!("there is no tag `{}`", wanted.trim_end_matches(':')),
        )
        .section(self.section_title(&self.sections[section]))
        .looked_for(wanted.clone())
        .nearest(nearest);
        let elsewhere = self.all_tags().into_iter().find(|tag| {
            tag.is(name)
                && value.is_none_or(|value| tag.has_value(value))
                && !tags.iter().any(|one| one.line == tag.line)
        });
        let part = |tag: &&Tag| value.is_some_and(|value| tag.is(name) && tag.value.contains(value));
        match (elsewhere, tags.iter().find(part)) {
            (Some(tag), _) => {
                let place = self.section_of_line(tag.line);
                error.hint(format!(
                    "it is in {place}, line {}: set `package` accordingly",
                    tag.line + 1
                ))
            }
            (None, Some(tag)) => error.hint(format!(
                "line {} has more than this value: give the whole value, or use `spec-search-replace`",
                tag.line + 1
            )),
            (None, None) => error,
        }
    }

    pub(super) fn near(&self, line: usize) -> super::NearLine {
        super::NearLine {
            line: line + 1,
            text: super::nearest::shown(self.line_bytes(line)),
        }
    }
}

fn is_repeated(tag: &Tag) -> bool {
    REPEATED.contains(&tag.family.as_str()) && tag.number.is_none()
}

/// A tag is one line, and must read as a tag afterwards.
fn check_tag(name: &str, value: &str) -> Result<(), EditError> {
    let line = format!("{name}: {value}");
    let whole = TagParts::parse(&line).is_some_and(|parts| line[parts.name] == *name);
    if !whole {
        return Err(EditError::new(
            EditErrorKind::Refused,
            format!("`{name}` is no name of a tag"),
        ));
    }
    if value.contains(['\n', '\r']) {
        let problem = format!("the value of the tag `{name}` has more than one line");
        return Err(EditError::new(EditErrorKind::Refused, problem));
    }
    Ok(())
}
