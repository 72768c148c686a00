//! Sections by name and package, and lines at their starts and ends.

use std::ops::Range;

use super::edit::{Edit, Splice};
use super::error::{EditError, EditErrorKind};
use super::line::LineKind;
use super::{Document, PackageRef, Section, nearest_line};

/// Most sections that one edit is made in.
const MAX_SECTIONS: usize = 5_000;

/// What an edit is made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// The whole file.
    WholeSpec,
    /// All sections of a name and a package. In a spec with conditionals there may be several.
    Section {
        /// The name: `%files`.
        name: &'a str,
        /// The package: its full name, what comes after the main package's name, or as the header has it.
        package: Option<&'a str>,
    },
}

impl Document {
    /// The sections of that name and package, by their places in [`Document::sections`].
    ///
    /// # Errors
    /// [`EditErrorKind::NoSection`], [`EditErrorKind::NoPackage`].
    pub(super) fn find_sections(&self, name: &str, package: Option<&str>) -> Result<Vec<usize>, EditError> {
        let plain = plain_name(name);
        let found: Vec<usize> = (1..self.sections.len())
            .filter(|index| self.sections[*index].name == plain)
            .filter(|index| self.names.is(&self.sections[*index].package, package))
            .collect();
        if found.len() > MAX_SECTIONS {
            let problem = format!("there are more than 5,000 sections %{plain}");
            return Err(EditError::new(EditErrorKind::Refused, problem));
        }
        match found.is_empty() {
            true => Err(self.no_section(&plain, package)),
            false => Ok(found),
        }
    }

    fn no_section(&self, name: &str, package: Option<&str>) -> EditError {
        let wanted = match package {
            Some(package) => format!("%{name} {package}"),
            None => format!("%{name}"),
        };
        let headers = self.sections[1..].iter().map(|section| section.lines.start);
        let nearest = nearest_line(&wanted, headers.map(|index| (index + 1, self.line_bytes(index))));
        let mut same = self.sections[1..].iter().filter(|section| section.name == name);
        let hint = match (same.next(), package) {
            (Some(section), None) => format!(
                "there is one for a sub-package, {}: name it with `package`",
                self.section_title(section)
            ),
            (Some(section), Some(_)) => format!("there is {}", self.section_title(section)),
            (None, _) if name == "package" && package.is_none() => {
                "the preamble of the main package has no header: use the tag overlays, or leave out `section`"
                    .to_owned()
            }
            (None, _) => {
                "nothing is made silently: add the section with lines at the end of the file".to_owned()
            }
        };
        EditError::new(EditErrorKind::NoSection, format!("there is no section {wanted}"))
            .section(wanted.clone())
            .looked_for(wanted)
            .nearest(nearest)
            .hint(hint)
    }

    /// `%files devel`: as a person names it.
    pub(super) fn section_title(&self, section: &Section) -> String {
        match (section.name, &section.package) {
            ("", _) => "the preamble".to_owned(),
            (name, PackageRef::Main) => format!("%{name}"),
            (name, PackageRef::Suffix(package)) => format!("%{name} {package}"),
            (name, PackageRef::Full(package)) => format!("%{name} -n {package}"),
        }
    }

    /// The section that a line, from 0, is in, as a person names it.
    #[must_use]
    pub fn section_of_line(&self, line: usize) -> String {
        let section = self
            .sections
            .iter()
            .rev()
            .find(|section| section.lines.contains(&line));
        section.map_or_else(
            || "the preamble".to_owned(),
            |section| self.section_title(section),
        )
    }

    /// The first line in `range` of a conditional block that is only partly in it.
    pub(super) fn first_straddling(&self, range: &Range<usize>) -> Option<usize> {
        let blocks = self.blocks.blocks.iter().filter(|block| !block.is_inside(range));
        blocks
            .flat_map(|block| block.directives().filter(|line| range.contains(line)).min())
            .min()
    }

    /// Where the content of a section ends: before blank lines and before conditionals that reach out of it.
    pub(super) fn content_end(&self, section: &Section) -> usize {
        let mut end = self.first_straddling(&section.body).unwrap_or(section.body.end);
        while end > section.body.start && self.kind(end - 1) == LineKind::Blank {
            end -= 1;
        }
        end
    }

    /// Puts lines at the start of sections, behind their headers, or of the file.
    ///
    /// # Errors
    /// [`EditErrorKind::NoSection`].
    pub fn prepend_lines(&mut self, scope: Scope<'_>, lines: &[String]) -> Result<Edit, EditError> {
        self.insert_lines(scope, lines, |_, section| section.body.start, 0)
    }

    /// Puts lines at the end of sections, before blank lines and conditionals that reach out of them, or of the file.
    ///
    /// # Errors
    /// [`EditErrorKind::NoSection`].
    pub fn append_lines(&mut self, scope: Scope<'_>, lines: &[String]) -> Result<Edit, EditError> {
        self.insert_lines(scope, lines, Document::content_end, self.lines.len())
    }

    fn insert_lines(
        &mut self,
        scope: Scope<'_>,
        lines: &[String],
        place: impl Fn(&Document, &Section) -> usize,
        in_file: usize,
    ) -> Result<Edit, EditError> {
        let places = match scope {
            Scope::WholeSpec => vec![in_file],
            Scope::Section { name, package } => {
                let sections = self.find_sections(name, package)?;
                let places = sections.iter().map(|index| place(self, &self.sections[*index]));
                places.collect()
            }
        };
        if lines.is_empty() {
            return Err(EditError::new(
                EditErrorKind::NoChange,
                "there are no lines to put in",
            ));
        }
        let splices = places.into_iter().map(|at| Splice::Insert {
            at,
            lines: lines.to_vec(),
        });
        let splices = splices.collect();
        Ok(Edit {
            changes: self.commit(splices),
            warnings: Vec::new(),
        })
    }
}

/// A section's name without `%`, in lower case.
pub(super) fn plain_name(name: &str) -> String {
    let name = name.trim();
    name.strip_prefix('%').unwrap_or(name).to_ascii_lowercase()
}
