//! The preamble of the main package and of sub-packages: their tags.

use crate::Level;

use super::depend::{self, Rich};
use super::error::{SpecError, SpecErrorKind as Kind};
use super::lines::Strip;
use super::model::{
    DEFAULT_LANGUAGE, Dependency, DependencyKind, Origin, Package, Qualifiers, SourceKind, TagValue,
};
use super::section::Section;
use super::state::{Naming, Reader, Restart};
use super::tags::{self, Effect, OPTIONAL, Parentheses, TagLine, TextTag, Words};
use super::values::{NAME_CHARACTERS, clean_path, is_yes};

/// More packages are refused.
const MAX_PACKAGES: usize = 20_000;
/// The name of the main package before it has one.
const MAIN: &str = "the main package";

impl Reader<'_> {
    /// Reads a preamble: the main package's, or that of a `%package` line.
    pub(crate) fn read_preamble(&mut self, header: Option<&str>) -> Result<Option<Section>, Restart> {
        let index = match header {
            None => {
                let package = Package::empty(String::new(), self.lines.position());
                self.packages.push(package);
                0
            }
            Some(header) => self.declare_package(header)?,
        };
        let next = loop {
            if !self.lines.read(Strip::CommentsAndBlanks)? {
                break None;
            }
            let line = self.lines.line();
            if let Some(section) = Section::parse(line) {
                break Some(section);
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let line = line.to_owned();
            if let Some(architectures) = self.read_tag(index, &line)? {
                return Err(Restart::Architectures(architectures));
            }
        };
        self.complete(index)?;
        Ok(next)
    }

    fn declare_package(&mut self, header: &str) -> Result<usize, SpecError> {
        let mut words = header.split_ascii_whitespace().skip(1);
        let bad = |reason: &str| Kind::BadArguments {
            what: "%package".to_owned(),
            reason: reason.to_owned(),
        };
        let (naming, name) = match words.next() {
            Some("-n") => (Naming::Full, words.next()),
            word => (Naming::Suffix, word),
        };
        let Some(name) = name else {
            return Err(self.lines.error(bad("a name is expected"), header));
        };
        if let Some(extra) = words.next() {
            return Err(self.lines.error(bad("only one name is expected"), extra));
        }
        self.check_characters(name, TextTag::Name, naming == Naming::Full)?;
        let full = naming.full_name(&self.packages[0].name, name);
        if self.packages.iter().any(|package| package.name == full) {
            return Err(self.lines.error(Kind::DuplicatePackage { package: full }, name));
        }
        if self.packages.len() >= MAX_PACKAGES {
            let limit = Kind::Limit {
                what: "number of packages",
                limit: MAX_PACKAGES,
            };
            return Err(self.lines.error(limit, name));
        }
        let position = self.lines.position();
        self.packages.push(Package::empty(full, position));
        Ok(self.packages.len() - 1)
    }

    /// Reads one tag; the architectures of a `BuildArch` for which reading must begin again.
    fn read_tag(&mut self, index: usize, line: &str) -> Result<Option<Vec<String>>, SpecError> {
        let Some(tag) = tags::parse(line) else {
            // A macro that nobody defines may stand for any lines: it is among the unknowns.
            if line.trim_ascii_start().starts_with('%') && self.leaves(line) {
                return Ok(None);
            }
            return Err(self.unknown_tag(line));
        };
        if tag.value.is_empty() {
            let name = line.split(':').next().unwrap_or(line).trim_ascii();
            return Err(self.lines.error(Kind::EmptyTag { tag: name.to_owned() }, line));
        }
        if tag.row.deprecated {
            self.lines.warn(format!(
                "{} is deprecated, use Requires(pre) or BuildRequires",
                tag.row.name
            ));
        }
        if tag.row.effect == Effect::BuildArch {
            return self.build_architectures(index, tag.value);
        }
        self.apply_tag(index, &tag)?;
        if tag.row.is_macro {
            self.lines.macros.set(tag.row.name, tag.value, Level::SPEC);
            if index == 0 {
                self.lines
                    .macros
                    .set(tag.row.name.to_ascii_uppercase(), tag.value, Level::SPEC);
            }
        }
        Ok(None)
    }

    fn unknown_tag(&self, line: &str) -> SpecError {
        let line = line.trim_ascii();
        let name = line.split(':').next().unwrap_or(line).trim_ascii_end();
        let error = self.lines.error(Kind::UnknownTag { tag: name.to_owned() }, name);
        let word = name.split(['(', ' ']).next().unwrap_or(name);
        if let Some(macro_name) = word.strip_prefix('%') {
            let macro_name: String = macro_name
                .chars()
                .filter(|character| character.is_ascii_alphanumeric() || *character == '_')
                .collect();
            return error.with_hint(format!(
                "the macro `{macro_name}` is not defined; define it, or write `%{{?{macro_name}}}`"
            ));
        }
        match tags::nearest(word) {
            Some(tag) if !word.is_empty() && line.contains(':') => {
                error.with_hint(format!("did you mean `{tag}`?"))
            }
            _ => error.with_hint("a line of the preamble is `Tag: value`; texts begin with %description"),
        }
    }

    fn apply_tag(&mut self, index: usize, tag: &TagLine<'_>) -> Result<(), SpecError> {
        let value = tag.value;
        match tag.row.effect {
            Effect::Text(kind, words) => {
                if words == Words::One {
                    self.check_single_word(kind.name(), value)?;
                }
                self.add_text(index, kind, tag)?;
            }
            Effect::Identity(kind) => {
                self.check_single_word(kind.name(), value)?;
                self.check_characters(value, kind, true)?;
                if kind == TextTag::Name {
                    if index != 0 || !self.packages[0].name.is_empty() {
                        return Err(self.duplicate(index, kind, value));
                    }
                    self.packages[0].name = value.to_owned();
                    self.packages[0].position = self.lines.position();
                }
                self.add_text(index, kind, tag)?;
            }
            Effect::Epoch => {
                self.check_single_word("Epoch", value)?;
                if self.leaves(value) {
                    self.lines.warn(format!("the epoch `{value}` can't be known"));
                    return Ok(());
                }
                let number = self.number("the epoch", value)?;
                if self.packages[index].epoch.replace(number).is_some() {
                    return Err(self.duplicate(index, TextTag::Epoch, value));
                }
            }
            Effect::Source => self.add_source(SourceKind::Source, Some(tag.suffix), value)?,
            Effect::Patch => self.add_source(SourceKind::Patch, Some(tag.suffix), value)?,
            Effect::NoSource => self.exclude_sources(SourceKind::Source, value)?,
            Effect::NoPatch => self.exclude_sources(SourceKind::Patch, value)?,
            Effect::Icon => {
                self.check_single_word("Icon", value)?;
                self.add_text(index, TextTag::Icon, tag)?;
            }
            Effect::Dependency(kind) => {
                let qualifiers = self.qualifiers(tag)?;
                self.add_dependencies(Target::Package(index), kind, qualifiers, value)?;
            }
            Effect::PreReq => {
                let qualifiers = self.qualifiers(tag)? | Qualifiers::PRE | Qualifiers::PREUN;
                self.add_dependencies(
                    Target::Package(index),
                    DependencyKind::Requires,
                    qualifiers,
                    value,
                )?;
            }
            Effect::BuildDependency(kind) => {
                self.add_dependencies(Target::Source, kind, Qualifiers::empty(), value)?;
            }
            Effect::ExcludeArch
            | Effect::ExclusiveArch
            | Effect::ExcludeOs
            | Effect::ExclusiveOs
            | Effect::Prefixes => self.apply_list(index, tag)?,
            Effect::BuildRoot | Effect::BuildOption | Effect::BuildArch => {}
            Effect::AutoReqProv => {
                self.packages[index].automatic_requires = is_yes(value);
                self.packages[index].automatic_provides = is_yes(value);
            }
            Effect::AutoReq => self.packages[index].automatic_requires = is_yes(value),
            Effect::AutoProv => self.packages[index].automatic_provides = is_yes(value),
            Effect::DocDir => self.set_doc_dir(value)?,
            Effect::RemovePathPostfixes => {
                let endings = value
                    .split(':')
                    .filter(|ending| !ending.is_empty())
                    .map(str::to_owned);
                self.packages[index].remove_path_postfixes.extend(endings);
            }
        }
        Ok(())
    }

    fn set_doc_dir(&mut self, value: &str) -> Result<(), SpecError> {
        self.check_single_word("DocDir", value)?;
        if !value.starts_with('/') {
            let kind = Kind::BadPath {
                path: value.to_owned(),
                reason: "must begin with a slash",
            };
            return Err(self.lines.error(kind, value));
        }
        self.lines.macros.undefine("_docdir");
        self.lines.macros.set("_docdir", value, Level::SPEC);
        Ok(())
    }

    fn apply_list(&mut self, index: usize, tag: &TagLine<'_>) -> Result<(), SpecError> {
        let words = self.words(tag.value)?;
        let list = match tag.row.effect {
            Effect::ExcludeArch => &mut self.restrictions.excluded_architectures,
            Effect::ExclusiveArch => &mut self.restrictions.exclusive_architectures,
            Effect::ExcludeOs => &mut self.restrictions.excluded_systems,
            Effect::ExclusiveOs => &mut self.restrictions.exclusive_systems,
            _ => {
                if let Some(word) = words.iter().find(|word| word.len() > 1 && word.ends_with('/')) {
                    let reason = "must not end with a slash";
                    return Err(self.lines.error(
                        Kind::BadPath {
                            path: word.clone(),
                            reason,
                        },
                        word,
                    ));
                }
                &mut self.packages[index].prefixes
            }
        };
        list.extend(words);
        Ok(())
    }

    fn add_text(&mut self, index: usize, kind: TextTag, tag: &TagLine<'_>) -> Result<(), SpecError> {
        let language = if tag.row.parentheses == Parentheses::Language && !tag.argument.is_empty() {
            tag.argument
        } else {
            DEFAULT_LANGUAGE
        };
        let position = self.lines.position();
        let value = TagValue {
            tag: kind,
            language: language.to_owned(),
            value: tag.value.to_owned(),
            position,
        };
        let package = &mut self.packages[index];
        let before = package
            .tags
            .iter()
            .position(|other| other.tag == kind && other.language == language);
        match before {
            // rpm keeps the last of localised texts, and refuses others.
            Some(at) if tag.row.parentheses == Parentheses::Language => {
                package.tags[at] = value;
                self.lines.warn(format!(
                    "a second {}, which takes the place of the first",
                    kind.name()
                ));
            }
            Some(_) => return Err(self.duplicate(index, kind, tag.value)),
            None => package.tags.push(value),
        }
        Ok(())
    }

    fn duplicate(&self, index: usize, tag: TextTag, value: &str) -> SpecError {
        let package = self.display_name(index);
        self.lines.error(
            Kind::DuplicateTag {
                tag: tag.name(),
                package,
            },
            value,
        )
    }

    fn display_name(&self, index: usize) -> String {
        let name = &self.packages[index].name;
        if name.is_empty() {
            MAIN.to_owned()
        } else {
            format!("`{name}`")
        }
    }

    fn build_architectures(&mut self, index: usize, value: &str) -> Result<Option<Vec<String>>, SpecError> {
        let mut words = self.words(value)?;
        words.retain(|word| !(self.leaves(word) && word.starts_with('%')));
        if index == 0 {
            return Ok(if self.architectures.is_none() && !words.is_empty() {
                Some(words)
            } else {
                None
            });
        }
        if words != ["noarch"] {
            let reason = "a sub-package can be built for noarch only".to_owned();
            return Err(self.lines.error(Kind::BadArchitecture { reason }, value));
        }
        self.packages[index].architecture = "noarch".to_owned();
        Ok(None)
    }

    /// Adds the dependencies of a tag.
    pub(crate) fn add_dependencies(
        &mut self,
        target: Target,
        kind: DependencyKind,
        qualifiers: Qualifiers,
        list: &str,
    ) -> Result<(), SpecError> {
        let leaves = |name: &str| self.leaves(name);
        let position = self.lines.position();
        let mut added = Vec::new();
        let mut doubts = Vec::new();
        let result = depend::parse_list(list, rich(kind), self.dependency_words(), |item| {
            if kind == DependencyKind::Obsoletes && !leaves(&item.name) {
                check_obsoletes(&item, &mut doubts)?;
            }
            if item
                .constraint
                .as_ref()
                .is_some_and(|(_, evr)| evr.contains(['%', '{', '}']))
            {
                doubts.push(format!(
                    "a macro in the version of `{}` may not be expanded",
                    item.name
                ));
            }
            added.push(Dependency {
                kind,
                name: item.name,
                constraint: item.constraint,
                qualifiers,
                origin: Origin::Line(position.clone()),
            });
            Ok(())
        });
        match target {
            Target::Package(index) => self.packages[index].dependencies.extend(added),
            Target::Source => self.build_dependencies.extend(added),
        }
        for doubt in doubts {
            self.lines.warn(doubt);
        }
        result.map_err(|bad| {
            let dependency = list
                .get(bad.start..bad.end.max(bad.start + 1))
                .unwrap_or(&list[bad.start..]);
            let kind = Kind::BadDependency {
                dependency: dependency.to_owned(),
                reason: bad.reason,
            };
            self.lines.error(kind, dependency)
        })
    }

    /// Checks a preamble at its end, and gives a package what it inherits.
    fn complete(&mut self, index: usize) -> Result<(), SpecError> {
        if index == 0 {
            self.complete_main();
        } else {
            let (main, rest) = self.packages.split_at_mut(1);
            let package = &mut rest[index - 1];
            for value in &main[0].tags {
                if value.tag.is_inherited() && !package.has(value.tag) {
                    package.tags.push(value.clone());
                }
            }
            package.epoch = package.epoch.or(main[0].epoch);
            if package.prefixes.is_empty() {
                package.prefixes.clone_from(&main[0].prefixes);
            }
        }
        let package = &self.packages[index];
        for tag in [
            TextTag::Name,
            TextTag::Version,
            TextTag::Release,
            TextTag::Summary,
            TextTag::License,
        ] {
            let there = if tag == TextTag::Name {
                !package.name.is_empty()
            } else {
                package.has(tag)
            };
            if !there {
                let error = Kind::MissingTag {
                    tag: tag.name(),
                    package: self.display_name(index),
                };
                let mut error = SpecError::of_file(&self.options.file, error);
                if index > 0 {
                    error.set_line(package.position.line);
                }
                return Err(error.with_hint(format!("add a line `{}: …`", tag.name())));
            }
        }
        Ok(())
    }

    fn complete_main(&mut self) {
        for (tag, name) in OPTIONAL {
            if !self.packages[0].has(tag) && self.lines.macros.is_defined(name) {
                let value = self.lines.value_of(name);
                let position = self.lines.position();
                if !value.starts_with('%') {
                    let language = DEFAULT_LANGUAGE.to_owned();
                    self.packages[0].tags.push(TagValue {
                        tag,
                        language,
                        value,
                        position,
                    });
                }
            }
        }
        if !self.build_root.is_empty()
            && let Ok(path) = self.lines.macros.expand(&self.build_root)
        {
            let path = clean_path(&path.to_text());
            self.lines.macros.set("buildroot", path, Level::SPEC);
        }
    }
}

/// Whose dependencies they are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Package(usize),
    /// The source package's.
    Source,
}

fn rich(kind: DependencyKind) -> Rich {
    match kind {
        DependencyKind::Requires | DependencyKind::Recommends | DependencyKind::Suggests => Rich::Positive,
        DependencyKind::Conflicts | DependencyKind::Supplements | DependencyKind::Enhances => Rich::Negative,
        DependencyKind::Provides | DependencyKind::Obsoletes | DependencyKind::OrderWithRequires => {
            Rich::Refused
        }
    }
}

fn check_obsoletes(item: &depend::Item, doubts: &mut Vec<String>) -> Result<(), String> {
    use super::model::Comparison;
    if !item
        .name
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || NAME_CHARACTERS.contains(character))
    {
        return Err("only names of packages can be obsoleted".to_owned());
    }
    match &item.constraint {
        None => doubts.push(format!("`{}` is obsoleted in every version", item.name)),
        Some((Comparison::Greater | Comparison::GreaterOrEqual, _)) => {
            doubts.push(format!(
                "`{}` is obsoleted in versions that may come later",
                item.name
            ));
        }
        Some(_) => {}
    }
    Ok(())
}
