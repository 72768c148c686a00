//! The reader: what a spec file says, as rpm 4.18 understands it.
//!
//! ```text
//!  bytes ──lines──▶ lines ──section──▶ preamble ─▶ tags, dependencies, sources ──finish──▶ Spec
//!          join, expand,      which     prep, script, files, changelog
//!          directives         section
//! ```
//!
//! As in rpm, everything happens in one pass, line by line, so that a macro is what it was where it is used. A
//! `BuildArch` in the main package begins the pass again for that architecture, with the macros as they are by then.
//!
//! What is newer than rpm 4.18 is understood too: `%preuntrans`, `%postuntrans`, `SourceLicense`, `BuildSystem`,
//! `BuildOption`, appended sections (`%build -a`), blanks before tags.
//!
//! The query path leaves out texts ([`Depth::Query`]); [`skim`] says which lines are not expanded, and why this makes no
//! difference.

mod architecture;
mod arguments;
mod changelog;
mod chunk;
mod conditions;
mod depend;
mod dependency;
mod directive;
mod error;
mod file_list;
mod files;
mod finish;
mod lines;
mod lua_lists;
mod model;
mod options;
mod package;
mod preamble;
mod prep;
mod script;
mod scriptlet;
mod section;
mod skim;
mod source;
mod state;
mod tags;
mod values;

pub use error::{Detail, SpecError, SpecErrorKind};
pub use model::{
    Attributes, BuildCondition, BuildSection, BuildSectionKind, ChangelogEntry, Comparison, Conditional,
    ConfigPolicy, DEFAULT_LANGUAGE, Dependency, DependencyKind, FileEntry, FileList, Forbidden, Origin,
    Outcome, Package, Position, Qualifiers, Restrictions, ScriptExpansion, Scriptlet, ScriptletKind, Source,
    SourceKind, Spec, TagValue, TriggerCondition, Unknown, UnknownKind, Verify, Warning,
};
pub use options::{Depth, ReadOptions, UnknownMacros};
pub use tags::TextTag;

use std::sync::Arc;

use crate::{Level, Macros};

use error::SpecErrorKind as Kind;
use lines::Strip;
use section::Section;
use state::{Reader, Restart};

/// Larger specs are refused.
const MAX_SPEC: usize = 64 << 20;

/// How `%bcond` is defined where the macro files do not: newer than rpm 4.18, and used by newer specs.
const BCOND: &str = r#"bcond() %{expand:%[%{2}?"%%bcond_without":"%%bcond_with"] %{1}}"#;

impl Spec {
    /// Reads a spec file.
    ///
    /// `macros` holds what rpm's macro files, the distribution and the command line define; the spec's own definitions
    /// do not come back. Text that is no UTF-8 is read with replacement characters.
    pub fn read(bytes: &[u8], macros: Macros, options: &ReadOptions) -> Result<Self, SpecError> {
        if bytes.len() > MAX_SPEC {
            let limit = Kind::Limit {
                what: "spec, in bytes,",
                limit: MAX_SPEC,
            };
            return Err(SpecError::of_file(&options.file, limit));
        }
        let text: Arc<str> = Arc::from(&*String::from_utf8_lossy(bytes));
        let mut macros = macros;
        prepare(&mut macros, options);
        let mut reader = Reader::new(Arc::clone(&text), macros, options, None);
        match reader.run() {
            Ok(()) => reader.finish(),
            Err(Restart::Error(error)) => Err(error),
            Err(Restart::Architectures(names)) => {
                let mut macros = reader.into_macros();
                let Some(name) = architecture::first_compatible(&mut macros, &names) else {
                    let reason = format!("no architecture of `{}` fits this machine", names.join(" "));
                    return Err(SpecError::of_file(
                        &options.file,
                        Kind::BadArchitecture { reason },
                    ));
                };
                macros.set("_target_cpu", name, Level::RPMRC);
                let mut reader = Reader::new(text, macros, options, Some(names));
                match reader.run() {
                    Ok(()) => reader.finish(),
                    Err(Restart::Error(error)) => Err(error),
                    // A reader that was given architectures does not ask for them.
                    Err(Restart::Architectures(_)) => reader.finish(),
                }
            }
        }
    }
}

/// Defines what a spec finds before its first line.
fn prepare(macros: &mut Macros, options: &ReadOptions) {
    for (names, word) in [(&options.with, "with"), (&options.without, "without")] {
        for name in names {
            macros.set(
                format!("_{word}_{name}"),
                format!("--{word}-{name}"),
                Level::COMMAND_LINE,
            );
        }
    }
    if !macros.is_defined("bcond") {
        // The definition is a constant, and right.
        let _ = macros.define(BCOND, Level::MACRO_FILE);
    }
    for (name, body) in [
        ("bcond_with()", "%{expand:%%{?_with_%{1}:%%global with_%{1} 1}}"),
        (
            "bcond_without()",
            "%{expand:%%{!?_without_%{1}:%%global with_%{1} 1}}",
        ),
    ] {
        if !macros.is_defined(name.trim_end_matches("()")) {
            let _ = macros.define(format!("{name} {body}"), Level::MACRO_FILE);
        }
    }
}

impl Reader<'_> {
    /// Reads all sections.
    fn run(&mut self) -> Result<(), Restart> {
        let mut next = self.read_preamble(None)?;
        while let Some(section) = next {
            let header = self.lines.line().trim_ascii_end().to_owned();
            next = match section {
                Section::Package => self.read_preamble(Some(&header))?,
                Section::Build(kind) => self.read_build_section(kind, &header)?,
                Section::Scriptlet(kind) => self.read_scriptlet(kind, &header)?,
                Section::Files => self.read_files(&header)?,
                Section::Changelog => self.read_changelog()?,
                Section::Description => self.read_description(&header)?,
                Section::Policies => self.read_policies(&header)?,
                Section::List(kind) => self.read_list(kind)?,
                Section::End => self.read_outside(&header)?,
            };
        }
        Ok(())
    }

    /// Gives each line up to the next section, and says which that is.
    fn each_line(
        &mut self,
        strip: Strip,
        mut each: impl FnMut(&mut Self) -> Result<(), SpecError>,
    ) -> Result<Option<Section>, SpecError> {
        while self.lines.read(strip)? {
            if let Some(section) = Section::parse(self.lines.line()) {
                return Ok(Some(section));
            }
            each(self)?;
        }
        Ok(None)
    }

    /// `%end`: nothing until the next section.
    fn read_outside(&mut self, header: &str) -> Result<Option<Section>, SpecError> {
        if header.split_ascii_whitespace().nth(1).is_some() {
            return Err(self.lines.error(
                Kind::OutsideSection {
                    reason: "%end takes no arguments",
                },
                header,
            ));
        }
        self.each_line(Strip::CommentsAndBlanks, |reader| {
            let line = reader.lines.line().trim_ascii();
            if line.is_empty() {
                return Ok(());
            }
            let kind = Kind::OutsideSection {
                reason: "the line belongs to no section",
            };
            Err(reader.lines.error(kind, line))
        })
    }
}
