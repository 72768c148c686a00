//! Patches: put in with the next free number, taken out with the lines that apply them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::edit::{Edit, Splice};
use super::error::{EditError, EditErrorKind};
use super::line::{LineKind, directive};
use super::tags::Tag;
use super::{Document, nearest_line};

/// Highest number of a patch that is counted on from: rpm's numbers are 32 bits wide.
const MAX_NUMBER: u32 = u32::MAX - 1;

/// Most patches of a spec of which some are removed.
const MAX_PATCHES: usize = 20_000;

/// Whether a new patch will be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatchUse {
    /// This macro, in this line from 1, applies all patches.
    Automatic {
        /// `%autosetup`, `%autopatch`, `%{patches}`.
        by: String,
        /// Its line.
        line: usize,
    },
    /// Nothing that applies all patches is in sight: a line that applies this one has to be put in.
    Unseen,
}

/// A patch of the spec.
#[derive(Debug, Clone)]
struct Patch {
    /// Its line, from 0.
    line: usize,
    /// `None` where a macro is in the number.
    number: Option<u32>,
    numbering: Numbering,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbering {
    /// `Patch3:`.
    Written,
    /// `Patch:`: one more than the highest before it.
    Counted,
    /// An entry of `%patchlist`.
    Listed,
}

/// A place that refers to a patch by its number.
#[derive(Debug, Clone)]
struct Reference {
    line: usize,
    number: u32,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// The line applies this patch and does nothing else.
    Line,
    /// The line applies several patches; these bytes of the line are for this one.
    Part(Range<usize>),
    /// The line does something with it.
    Mention,
}

impl Document {
    /// All patches, in order, with the numbers that rpm gives them (build/parsePreamble.c): one that is not numbered
    /// has the highest number before it and one, the first having 0.
    fn patches(&self) -> Vec<Patch> {
        self.patches_without(&BTreeSet::new(), &BTreeMap::new())
    }

    /// As [`patches`](Self::patches), without some lines, and with some lines counted as written with their number now.
    fn patches_without(&self, gone: &BTreeSet<usize>, pinned: &BTreeMap<usize, u32>) -> Vec<Patch> {
        let mut last: Option<u32> = None;
        let mut patches = Vec::new();
        for (line, value, numbering, written) in self.patch_lines() {
            if gone.contains(&line) {
                continue;
            }
            let pin = pinned.get(&line).copied();
            let number = match (numbering, written.or(pin)) {
                (_, Some(number)) => Some(number),
                (Numbering::Written, None) => None,
                (_, None) => Some(last.map_or(0, |last| last.min(MAX_NUMBER) + 1)),
            };
            last = last.max(number);
            patches.push(Patch {
                line,
                number,
                numbering,
                value,
            });
        }
        patches
    }

    fn patch_lines(&self) -> Vec<(usize, String, Numbering, Option<u32>)> {
        let mut lines = Vec::new();
        for tag in self.all_tags() {
            if tag.family == "patch" {
                let numbering = match tag.name.len() == "patch".len() {
                    true => Numbering::Counted,
                    false => Numbering::Written,
                };
                lines.push((tag.line, tag.value, numbering, tag.number));
            } else if tag.name.to_ascii_lowercase().starts_with("patch%") {
                lines.push((tag.line, tag.value, Numbering::Written, None));
            }
        }
        for section in self.sections.iter().filter(|section| section.name == "patchlist") {
            for line in section
                .body
                .clone()
                .filter(|line| self.kind(*line) == LineKind::Text)
            {
                lines.push((line, self.line(line).trim().to_owned(), Numbering::Listed, None));
            }
        }
        lines.sort_by_key(|(line, ..)| *line);
        lines
    }

    /// Puts a patch in: at the end of `%patchlist`, or as a tag with the next free number.
    ///
    /// # Errors
    /// [`EditErrorKind::PatchExists`], [`EditErrorKind::NoSection`], [`EditErrorKind::Refused`].
    pub fn add_patch(&mut self, package: Option<&str>, file: &str) -> Result<(Edit, PatchUse), EditError> {
        let patches = self.patches();
        if let Some(patch) = patches
            .iter()
            .find(|patch| self.patch_names(&patch.value).iter().any(|name| name == file))
        {
            let problem = format!("the spec has the patch `{file}` already");
            return Err(EditError::new(EditErrorKind::PatchExists, problem)
                .section(self.section_of_line(patch.line))
                .looked_for(format!("no patch `{file}`"))
                .nearest(Some(self.near(patch.line)))
                .hint("upstream has it too by now: drop this overlay, or give the patch another name with `file`"));
        }
        if file.is_empty() || file.contains(['\n', '\r', '%']) {
            return Err(EditError::new(
                EditErrorKind::Refused,
                format!("`{file}` cannot be the name of a patch"),
            ));
        }
        let listed = self
            .sections
            .iter()
            .position(|section| section.name == "patchlist");
        let (mut edit, number) = match listed {
            Some(at) => {
                let splice = Splice::Insert {
                    at: self.content_end(&self.sections[at]),
                    lines: vec![file.to_owned()],
                };
                let changes = self.commit(vec![splice]);
                (
                    Edit {
                        changes,
                        warnings: Vec::new(),
                    },
                    None,
                )
            }
            None => {
                let number = patches
                    .iter()
                    .filter_map(|patch| patch.number)
                    .max()
                    .map_or(0, |last| last.min(MAX_NUMBER) + 1);
                (
                    self.insert_tag(package, &format!("Patch{number}"), file)?,
                    Some(number),
                )
            }
        };
        if patches.iter().any(|patch| patch.number.is_none()) {
            edit.warnings.push(
                "some patches have a macro in their number: it may be the same as the new one's".to_owned(),
            );
        }
        let used = self.patch_use(number);
        if used == PatchUse::Unseen {
            let how = match number {
                Some(number) => format!("`%patch -P {number} -p1`"),
                None => "`%autopatch -p1`".to_owned(),
            };
            edit.warnings.push(format!(
                "nothing in %prep applies all patches: add {how} with `spec-append-lines` or `spec-search-replace`"
            ));
        }
        Ok((edit, used))
    }

    /// What in the spec applies all patches, or that of a number.
    fn patch_use(&self, number: Option<u32>) -> PatchUse {
        let scripts = self
            .sections
            .iter()
            .filter(|section| matches!(section.name, "prep" | "conf" | "build"));
        for section in scripts {
            for line in section
                .body
                .clone()
                .filter(|line| self.kind(*line) != LineKind::Comment)
            {
                if let Some(by) = applies_all(&self.line(line), number) {
                    return PatchUse::Automatic {
                        by: by.to_owned(),
                        line: line + 1,
                    };
                }
            }
        }
        PatchUse::Unseen
    }

    /// Removes all patches of which `matches` likes the file's name, with the lines of scripts that apply them. What
    /// refers to them otherwise is named in warnings. Gives the names of their files too.
    ///
    /// # Errors
    /// [`EditErrorKind::NoPatch`]; [`EditErrorKind::Refused`] when the entries of `%patchlist` would get other numbers,
    /// and scripts refer to those.
    pub fn remove_patches(
        &mut self,
        pattern: &str,
        matches: &dyn Fn(&str) -> bool,
    ) -> Result<(Edit, Vec<String>), EditError> {
        let patches = self.patches();
        if patches.len() > MAX_PATCHES {
            let problem = "the spec has more than 20,000 patches";
            return Err(EditError::new(EditErrorKind::Refused, problem));
        }
        let (gone, stay): (Vec<Patch>, Vec<Patch>) = patches
            .into_iter()
            .partition(|patch| self.patch_names(&patch.value).iter().any(|name| matches(name)));
        if gone.is_empty() {
            let lines = stay.iter().map(|patch| (patch.line + 1, patch.value.as_bytes()));
            let nearest = nearest_line(pattern, lines).map(|near| self.near(near.line - 1));
            return Err(EditError::new(
                EditErrorKind::NoPatch,
                format!("the spec has no patch `{pattern}`"),
            )
            .looked_for(pattern)
            .nearest(nearest));
        }
        let mut names: Vec<String> = gone
            .iter()
            .filter_map(|patch| self.patch_names(&patch.value).pop())
            .collect();
        names.dedup();
        let references = self.patch_references();
        let mut splices = self.pins(&gone, &stay, &references)?;
        let mut warnings = self.removed_references(&gone, &stay, &references, &mut splices);
        splices.extend(gone.iter().map(|patch| Splice::Remove {
            lines: patch.line..self.unit_end(patch.line),
        }));
        warnings.extend(self.ranges_of_autopatch());
        Ok((
            Edit {
                changes: self.commit(splices),
                warnings,
            },
            names,
        ))
    }

    /// The names that a patch's value may have: as written, its last part, and both with macros replaced; the last of
    /// them is the name of its file.
    fn patch_names(&self, value: &str) -> Vec<String> {
        let replaced = self.names.replace(value);
        let base = |text: &str| text.rsplit('/').next().unwrap_or(text).to_owned();
        vec![value.to_owned(), base(value), replaced.clone(), base(&replaced)]
    }

    /// Numbers that have to be written, so that those of patches that stay do not change where scripts use them.
    fn pins(
        &self,
        gone: &[Patch],
        stay: &[Patch],
        references: &[Reference],
    ) -> Result<Vec<Splice>, EditError> {
        let gone: BTreeSet<usize> = gone.iter().map(|patch| patch.line).collect();
        let used: BTreeSet<u32> = references.iter().map(|reference| reference.number).collect();
        let mut pinned = BTreeMap::new();
        // Each turn writes one number more.
        for _ in 0..=stay.len() {
            let now = self.patches_without(&gone, &pinned);
            let shifted: Vec<&Patch> = stay
                .iter()
                .zip(&now)
                .filter(|(before, after)| before.number != after.number)
                .map(|(before, _)| before)
                .collect();
            if !shifted
                .iter()
                .any(|patch| patch.number.is_some_and(|number| used.contains(&number)))
            {
                break;
            }
            let Some(first) = shifted.first() else { break };
            if first.numbering == Numbering::Listed {
                let problem =
                    "the other entries of %patchlist would get other numbers, which scripts refer to";
                return Err(EditError::new(EditErrorKind::Refused, problem)
                    .section("%patchlist")
                    .nearest(Some(self.near(first.line)))
                    .hint("change the numbers in scripts with `spec-search-replace` first"));
            }
            pinned.extend(first.number.map(|number| (first.line, number)));
        }
        let splices = pinned
            .iter()
            .filter_map(|(line, number)| self.pin(&self.tag(*line)?, *number));
        Ok(splices.collect())
    }

    fn pin(&self, tag: &Tag, number: u32) -> Option<Splice> {
        let lines = tag.line..self.unit_end(tag.line);
        let text = &self.text[self.line_start(lines.start)..self.line_start(lines.end)];
        let colon = text.iter().position(|byte| *byte == b':')?;
        let name_end = colon
            - text[..colon]
                .iter()
                .rev()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
        let mut new = text[..name_end].to_vec();
        new.extend_from_slice(number.to_string().as_bytes());
        new.extend_from_slice(&text[name_end..]);
        Some(Splice::Replace {
            lines,
            text: new,
            count: 1,
        })
    }

    fn removed_references(
        &self,
        gone: &[Patch],
        stay: &[Patch],
        references: &[Reference],
        splices: &mut Vec<Splice>,
    ) -> Vec<String> {
        // A number may be there twice, in branches of a conditional.
        let numbers: BTreeSet<u32> = gone.iter().filter_map(|patch| patch.number).collect();
        let still: BTreeSet<u32> = stay.iter().filter_map(|patch| patch.number).collect();
        let is_gone = |reference: &&Reference| {
            numbers.contains(&reference.number) && !still.contains(&reference.number)
        };
        let mut warnings = Vec::new();
        let mut lines: BTreeSet<usize> = BTreeSet::new();
        for reference in references.iter().filter(is_gone) {
            let line = reference.line;
            match &reference.form {
                Form::Mention => warnings.push(format!(
                    "line {} still refers to patch {}: `{}`",
                    line + 1,
                    reference.number,
                    self.line(line).trim()
                )),
                Form::Line | Form::Part(_) => {
                    lines.insert(line);
                }
            }
        }
        for line in lines {
            let of_line = || references.iter().filter(|reference| reference.line == line);
            let parts: Vec<Range<usize>> = of_line()
                .filter(is_gone)
                .filter_map(|reference| match &reference.form {
                    Form::Part(range) => Some(range.clone()),
                    _ => None,
                })
                .collect();
            let all_gone = of_line().all(|reference| is_gone(&reference));
            splices.push(match all_gone {
                true => Splice::Remove {
                    lines: line..line + 1,
                },
                false => self.without_parts(line, &parts),
            });
        }
        warnings
    }

    fn without_parts(&self, line: usize, parts: &[Range<usize>]) -> Splice {
        let text = &self.text[self.line_start(line)..self.line_start(line + 1)];
        let kept = text
            .iter()
            .enumerate()
            .filter(|(at, _)| !parts.iter().any(|part| part.contains(at)));
        Splice::Replace {
            lines: line..line + 1,
            text: kept.map(|(_, byte)| *byte).collect(),
            count: parts.len(),
        }
    }

    fn patch_references(&self) -> Vec<Reference> {
        let mut references = Vec::new();
        for section in self
            .sections
            .iter()
            .filter(|section| !matches!(section.name, "" | "package" | "changelog"))
        {
            for line in section.body.clone() {
                if !matches!(self.kind(line), LineKind::Comment | LineKind::Blank) {
                    let text: String = self
                        .line_bytes(line)
                        .iter()
                        .map(|byte| if byte.is_ascii() { *byte as char } else { '?' })
                        .collect();
                    let found = references_in(&text);
                    references.extend(found.into_iter().map(|(number, form)| Reference {
                        line,
                        number,
                        form,
                    }));
                }
            }
        }
        references
    }

    fn ranges_of_autopatch(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for section in self.sections.iter().filter(|section| section.name == "prep") {
            for line in section
                .body
                .clone()
                .filter(|line| self.kind(*line) == LineKind::Text)
            {
                let text = self.line(line);
                let words: Vec<&str> = text.split_whitespace().collect();
                let ranged = words
                    .iter()
                    .any(|word| word.starts_with("-m") || word.starts_with("-M"));
                if ranged && text.trim_start().starts_with("%autopatch") {
                    warnings.push(format!(
                        "line {} applies a range of patches, look at its numbers: `{}`",
                        line + 1,
                        text.trim()
                    ));
                }
            }
        }
        warnings
    }
}

/// What in a line of a script applies all patches, or a range in which `number` is.
fn applies_all(line: &str, number: Option<u32>) -> Option<&'static str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |name: &str| {
        let at = words.iter().position(|word| {
            let word = word.trim_start_matches(|one: char| !matches!(one, '%'));
            word == format!("%{name}") || word == format!("%{{{name}}}") || word == format!("%{{{name}")
        })?;
        Some(&words[at + 1..])
    };
    for (name, label) in [("autosetup", "%autosetup"), ("forgeautosetup", "%forgeautosetup")] {
        if after(name).is_some_and(|options| !options.contains(&"-N")) {
            return Some(label);
        }
    }
    if let Some(options) = after("autopatch") {
        let bound = |letter: &str| {
            let at = options.iter().position(|word| word.starts_with(letter))?;
            let attached = options[at][letter.len()..].parse().ok();
            attached.or_else(|| options.get(at + 1).and_then(|word| word.parse().ok()))
        };
        let named = options
            .iter()
            .any(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        let reaches = match number {
            Some(number) => {
                bound("-m").is_none_or(|least: u32| number >= least)
                    && bound("-M").is_none_or(|most: u32| number <= most)
            }
            None => bound("-M").is_none(),
        };
        // Numbers that stand alone name the patches, rather than being values of options.
        let after_option = options
            .windows(2)
            .any(|pair| matches!(pair[0], "-m" | "-M" | "-p") && pair[1].parse::<u32>().is_ok());
        if reaches && (!named || after_option) {
            return Some("%autopatch");
        }
    }
    let all = line.contains("%{patches}") || words.contains(&"%patches") || line.contains("%{PATCHES}");
    all.then_some("%{patches}")
}

/// The references to patches in a line of a script, which is ASCII.
fn references_in(line: &str) -> Vec<(u32, Form)> {
    let trimmed = line.trim_start();
    let indent = line.len() - trimmed.len();
    if let Some(rest) = directive(trimmed).and_then(|name| name.strip_prefix("patch")) {
        if let Ok(number) = rest.parse() {
            return vec![(number, Form::Line)];
        }
        if rest.is_empty() {
            return arguments(line, indent + "%patch".len());
        }
    }
    mentions(line)
}

/// The patches that `%patch` names: `-P N`, `-PN`, or, since rpm 4.18, a number alone; patch 0 without any.
fn arguments(line: &str, from: usize) -> Vec<(u32, Form)> {
    let mut found = Vec::new();
    let mut words = word_ranges(line, from).into_iter().peekable();
    while let Some(range) = words.next() {
        let word = &line[range.clone()];
        // The blanks before a part go with it.
        let start = line[..range.start].trim_end().len();
        if let Some(attached) = word.strip_prefix("-P") {
            if attached.is_empty() {
                if let Some((number, next)) = words
                    .peek()
                    .and_then(|next| Some((line[next.clone()].parse().ok()?, next.clone())))
                {
                    found.push((number, Form::Part(start..next.end)));
                    words.next();
                }
            } else if let Ok(number) = attached.parse() {
                found.push((number, Form::Part(start..range.end)));
            }
        } else if matches!(word, "-b" | "-z" | "-o" | "-d" | "-F" | "-p") {
            words.next();
        } else if let Ok(number) = word.parse() {
            found.push((number, Form::Part(start..range.end)));
        }
    }
    match found.is_empty() {
        true => vec![(0, Form::Line)],
        false => found,
    }
}

fn word_ranges(line: &str, from: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = from;
    while at < line.len() {
        let rest = &line[at..];
        let start = at + (rest.len() - rest.trim_start().len());
        let end = line[start..]
            .find(char::is_whitespace)
            .map_or(line.len(), |length| start + length);
        if start < end {
            ranges.push(start..end);
        }
        at = end.max(start + 1);
    }
    ranges
}

/// `%{PATCH3}`, `%PATCH3`, `%{P:3}`, `%{patch3}` or `%patch3` anywhere in a line.
fn mentions(line: &str) -> Vec<(u32, Form)> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices('%') {
        let rest = line[at + 1..].trim_start_matches(['{', '?', '!']);
        let Some(rest) = ["PATCH", "patch", "P:"]
            .iter()
            .find_map(|prefix| rest.strip_prefix(prefix))
        else {
            continue;
        };
        let end = rest.find(|one: char| !one.is_ascii_digit()).unwrap_or(rest.len());
        if let Ok(number) = rest[..end].parse() {
            found.push((number, Form::Mention));
        }
    }
    found
}
