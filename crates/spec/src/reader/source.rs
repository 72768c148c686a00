//! Sources and patches: their numbers, and the macros that name them.

use crate::Level;

use super::error::{SpecError, SpecErrorKind as Kind};
use super::lines::Strip;
use super::model::{Source, SourceKind};
use super::section::Section;
use super::state::Reader;
use super::values::clean_path;

/// More sources and patches are refused.
const MAX_SOURCES: usize = 20_000;

impl SourceKind {
    fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Patch => "patch",
        }
    }
}

impl Reader<'_> {
    /// Adds a source or patch; `suffix` is what stands between the tag and its colon.
    pub(crate) fn add_source(
        &mut self,
        kind: SourceKind,
        suffix: Option<&str>,
        location: &str,
    ) -> Result<(), SpecError> {
        let last = &self.last_numbers[kind as usize];
        let given = suffix.map_or("", str::trim_ascii);
        let number = if given.is_empty() {
            last.map_or(0, |last| last.saturating_add(1))
        } else {
            self.number("the number of a source or patch", given)?
        };
        if self
            .sources
            .iter()
            .any(|source| source.kind == kind && source.number == number)
        {
            let error = Kind::DuplicateSource {
                what: kind.word(),
                number,
            };
            return Err(self.lines.error(error, location));
        }
        if self.sources.len() >= MAX_SOURCES {
            let limit = Kind::Limit {
                what: "number of sources",
                limit: MAX_SOURCES,
            };
            return Err(self.lines.error(limit, location));
        }
        self.last_numbers[kind as usize] = Some(number);
        let position = self.lines.position();
        let source = Source {
            kind,
            number,
            location: location.to_owned(),
            excluded: false,
            position,
        };
        self.name_source(&source);
        self.sources.push(source);
        Ok(())
    }

    /// Defines `%SOURCE0`, `%SOURCEURL0` and the entries of Lua's tables.
    fn name_source(&mut self, source: &Source) {
        let path = self.source_path(source.file_name());
        let number = source.number;
        let (word, lists) = match source.kind {
            SourceKind::Source => ("SOURCE", ("sources", "source_nums")),
            SourceKind::Patch => ("PATCH", ("patches", "patch_nums")),
        };
        let macros = &mut self.lines.macros;
        macros.set(format!("{word}{number}"), &path, Level::SPEC);
        macros.set(format!("{word}URL{number}"), &source.location, Level::SPEC);
        super::lua_lists::append(macros, lists, &path, number);
    }

    /// Where a source lies when the package is built.
    pub(crate) fn source_path(&mut self, file: &str) -> String {
        match self.lines.macros.expand(format!("%{{_sourcedir}}/{file}")) {
            Ok(path) => clean_path(&path.to_text()),
            Err(_) => file.to_owned(),
        }
    }

    pub(crate) fn find_source(&self, kind: SourceKind, number: u32) -> Option<&Source> {
        self.sources
            .iter()
            .find(|source| source.kind == kind && source.number == number)
    }

    /// `NoSource`, `NoPatch`: numbers of what is not in the source package.
    pub(crate) fn exclude_sources(&mut self, kind: SourceKind, value: &str) -> Result<(), SpecError> {
        for word in value.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
            let number = self.number("the number of a source or patch", word)?;
            match self
                .sources
                .iter_mut()
                .find(|source| source.kind == kind && source.number == number)
            {
                Some(source) => source.excluded = true,
                None => {
                    let error = Kind::UnknownSource {
                        what: kind.word(),
                        number,
                    };
                    return Err(self.lines.error(error, word));
                }
            }
        }
        Ok(())
    }

    /// `%sourcelist`, `%patchlist`: one on each line.
    pub(crate) fn read_list(&mut self, kind: SourceKind) -> Result<Option<Section>, SpecError> {
        self.each_line(Strip::CommentsAndBlanks, |reader| {
            if reader.lines.line().is_empty() {
                return Ok(());
            }
            let location = reader.lines.line().to_owned();
            reader.add_source(kind, None, location.trim_ascii())
        })
    }
}
