//! What is known of a spec while it is read.

use std::sync::Arc;

use crate::{Level, Macros};

use super::error::{SpecError, SpecErrorKind as Kind};
use super::lines::Lines;
use super::model::{BuildSection, ChangelogEntry, Dependency, Package, Position, Restrictions, Source};
use super::options::{Depth, ReadOptions, UnknownMacros};
use super::tags::TextTag;

/// Why reading ends before the end of the file.
#[derive(Debug)]
pub(crate) enum Restart {
    Error(SpecError),
    /// The spec is built for other architectures: it is read again for the first that fits.
    Architectures(Vec<String>),
}

impl From<SpecError> for Restart {
    fn from(error: SpecError) -> Self {
        Self::Error(error)
    }
}

/// A spec that is being read.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) options: &'a ReadOptions,
    pub(crate) lines: Lines,
    pub(crate) packages: Vec<Package>,
    pub(crate) build_dependencies: Vec<Dependency>,
    pub(crate) sources: Vec<Source>,
    /// The number of the source and of the patch that came last.
    pub(crate) last_numbers: [Option<u32>; 2],
    pub(crate) restrictions: Restrictions,
    /// The architectures of `BuildArch`, when the spec is read again for one of them.
    pub(crate) architectures: Option<Vec<String>>,
    pub(crate) build_sections: Vec<BuildSection>,
    pub(crate) changelog: Vec<ChangelogEntry>,
    /// The folder that files are installed to, as it was before the spec.
    pub(crate) build_root: Vec<u8>,
    /// Whether there was a `%changelog`.
    pub(crate) seen_changelog: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        text: Arc<str>,
        mut macros: Macros,
        options: &'a ReadOptions,
        architectures: Option<Vec<String>>,
    ) -> Self {
        // As rpm does, what macros say of the build root is kept from before the spec.
        let build_root = macros
            .expand("%{?buildroot:%{buildroot}}")
            .map(|expansion| expansion.text)
            .unwrap_or_default();
        super::lua_lists::clear(&mut macros);
        macros.set("_docdir", "%{_defaultdocdir}", Level::SPEC);
        macros.set_literal("__file_name", options.file.as_bytes(), Level::SPEC);
        let mut lines = Lines::new(Arc::clone(&options.file), text, macros, options);
        lines.macros.take_notes();
        Self {
            options,
            lines,
            packages: Vec::new(),
            build_dependencies: Vec::new(),
            sources: Vec::new(),
            last_numbers: [None; 2],
            restrictions: Restrictions::default(),
            architectures,
            build_sections: Vec::new(),
            changelog: Vec::new(),
            build_root,
            seen_changelog: false,
        }
    }

    pub(crate) fn into_macros(self) -> Macros {
        self.lines.macros
    }

    pub(crate) fn is_full(&self) -> bool {
        self.options.depth == Depth::Full
    }

    /// Whether macros that nobody defines are left in a text.
    pub(crate) fn leaves(&self, text: &str) -> bool {
        self.options.unknown_macros == UnknownMacros::Leave && text.contains('%')
    }

    /// The index of the package that a section names: by its full name after `-n`, or else by what follows the main
    /// package's name and a dash. Without a name it is the main package.
    pub(crate) fn find_package(
        &self,
        section: &'static str,
        name: Option<&str>,
        naming: Naming,
    ) -> Result<usize, SpecError> {
        let Some(name) = name else { return Ok(0) };
        let full = naming.full_name(&self.packages[0].name, name);
        match self.packages.iter().position(|package| package.name == full) {
            Some(index) => Ok(index),
            None => {
                let error = self.lines.error(
                    Kind::UnknownPackage {
                        section,
                        package: full.clone(),
                    },
                    name,
                );
                Err(
                    match self
                        .packages
                        .iter()
                        .find(|package| package.name == name || package.name.ends_with(name))
                    {
                        Some(other) if naming == Naming::Suffix && other.name == name => {
                            error.with_hint(format!("write `{section} -n {name}` for the package `{name}`"))
                        }
                        _ => error.with_hint(format!(
                            "declare it before with `%package`; there are {}",
                            self.names()
                        )),
                    },
                )
            }
        }
    }

    fn names(&self) -> String {
        /// More names than this are no help.
        const SHOWN: usize = 8;
        let mut names: Vec<String> = self
            .packages
            .iter()
            .take(SHOWN)
            .map(|package| format!("`{}`", package.name))
            .collect();
        if self.packages.len() > SHOWN {
            names.push("others".to_owned());
        }
        names.join(", ")
    }
}

/// How a section names a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// `-n name`: in full.
    Full,
    /// `name`: what follows the main package's name and a dash.
    Suffix,
}

impl Naming {
    pub(crate) fn full_name(self, main: &str, name: &str) -> String {
        match self {
            Self::Full => name.to_owned(),
            Self::Suffix => format!("{main}-{name}"),
        }
    }
}

impl Package {
    pub(crate) fn empty(name: String, position: Position) -> Self {
        Self {
            name,
            position,
            epoch: None,
            architecture: String::new(),
            tags: Vec::new(),
            descriptions: Vec::new(),
            dependencies: Vec::new(),
            files: None,
            scriptlets: Vec::new(),
            automatic_requires: true,
            automatic_provides: true,
            prefixes: Vec::new(),
            remove_path_postfixes: Vec::new(),
        }
    }

    pub(crate) fn has(&self, tag: TextTag) -> bool {
        self.tags.iter().any(|value| value.tag == tag)
    }
}
