//! Scripts that packages carry: scriptlets, triggers and file triggers.

use super::arguments::{parse_options, split_words};
use super::depend::{self, Rich};
use super::error::{SpecError, SpecErrorKind as Kind};
use super::lines::Strip;
use super::model::{
    Comparison, Dependency, DependencyKind, Origin, Qualifiers, ScriptExpansion, Scriptlet, ScriptletKind,
    TriggerCondition,
};
use super::section::Section;
use super::state::{Naming, Reader};

/// The interpreter of a script that names none.
const SHELL: &str = "/bin/sh";
/// The priority of a file trigger that gives none.
const DEFAULT_PRIORITY: u32 = 1_000_000;

impl Reader<'_> {
    /// Reads a scriptlet or trigger.
    pub(crate) fn read_scriptlet(
        &mut self,
        kind: ScriptletKind,
        header: &str,
    ) -> Result<Option<Section>, SpecError> {
        let position = self.lines.position();
        let (arguments, conditions) = match header.split_once("--") {
            Some((arguments, conditions)) if kind.is_trigger() => (arguments, conditions),
            _ if kind.is_trigger() => {
                let error = Kind::TriggerWithoutCondition { section: kind.name() };
                return Err(self.lines.error(error, header));
            }
            _ => (header, ""),
        };
        let known = if kind.is_file_trigger() {
            "p:n:f:eqP:"
        } else {
            "p:n:f:eq"
        };
        let options = self.section_options(kind.name(), arguments, known)?;
        let naming = if options.has('n') {
            Naming::Full
        } else {
            Naming::Suffix
        };
        let name = options.value('n').or(options.words.first().map(String::as_str));
        if options.words.len() > usize::from(!options.has('n')) {
            return Err(self.bad_arguments(kind.name(), "only one name is expected".to_owned(), header));
        }
        let index = self.find_package(kind.name(), name, naming)?;
        if !kind.is_trigger() && self.packages[index].scriptlet(kind).is_some() {
            let section = format!("{} of `{}`", kind.name(), self.packages[index].name);
            return Err(self.lines.error(Kind::SecondSection { section }, header));
        }
        let interpreter = self.interpreter(kind, options.value('p').unwrap_or(SHELL))?;
        let expand = ScriptExpansion {
            macros: options.has('e'),
            query_format: options.has('q'),
        };
        let priority = match options.value('P') {
            Some(value) => self.number("the priority", value)?,
            None => DEFAULT_PRIORITY,
        };
        let conditions = self.conditions(kind, conditions)?;
        let file = options.value('f').map(str::to_owned);
        let mut script = String::new();
        let full = self.is_full();
        self.lines.start_skimming(!full);
        let next = self.each_line(Strip::Nothing, |reader| {
            if full {
                script.push_str(reader.lines.line());
            }
            Ok(())
        });
        self.lines.start_skimming(false);
        script.truncate(script.trim_ascii_end().len());
        self.need_interpreter(index, kind, &interpreter, expand);
        self.packages[index].scriptlets.push(Scriptlet {
            kind,
            position,
            interpreter,
            script,
            file,
            conditions,
            priority,
            expand,
        });
        next
    }

    /// The options of a section's line.
    pub(crate) fn section_options(
        &self,
        section: &str,
        line: &str,
        known: &str,
    ) -> Result<super::arguments::Options, SpecError> {
        split_words(line)
            .and_then(|words| parse_options(words.get(1..).unwrap_or_default(), known))
            .map_err(|reason| self.bad_arguments(section, reason, line.trim_ascii()))
    }

    pub(crate) fn bad_arguments(&self, section: &str, reason: String, word: &str) -> SpecError {
        self.lines.error(
            Kind::BadArguments {
                what: section.to_owned(),
                reason,
            },
            word,
        )
    }

    fn interpreter(&self, kind: ScriptletKind, text: &str) -> Result<Vec<String>, SpecError> {
        let refuse = |reason: &str| {
            Err(self.bad_arguments(kind.name(), format!("the interpreter `{text}` {reason}"), text))
        };
        if text.starts_with('<') {
            if text != "<lua>" {
                return refuse("is none that rpm has; there is `<lua>`");
            }
        } else if !text.starts_with('/') {
            return refuse("must begin with `/`");
        }
        split_words(text).map_err(|reason| self.bad_arguments(kind.name(), reason, text))
    }

    fn conditions(&self, kind: ScriptletKind, list: &str) -> Result<Vec<TriggerCondition>, SpecError> {
        let mut conditions = Vec::new();
        depend::parse_list(list, Rich::Refused, self.dependency_words(), |item| {
            if kind.is_file_trigger() && !item.name.starts_with('/') {
                return Err("the condition of a file trigger begins with `/`".to_owned());
            }
            conditions.push(TriggerCondition {
                name: item.name,
                constraint: item.constraint,
            });
            Ok(())
        })
        .map_err(|bad| {
            let dependency = list.get(bad.start..bad.end).unwrap_or(list);
            let error = Kind::BadDependency {
                dependency: dependency.to_owned(),
                reason: bad.reason,
            };
            self.lines.error(error, dependency)
        })?;
        Ok(conditions)
    }

    /// What a package needs to run a script.
    fn need_interpreter(
        &mut self,
        index: usize,
        kind: ScriptletKind,
        interpreter: &[String],
        expand: ScriptExpansion,
    ) {
        let program = interpreter.first().map_or(SHELL, String::as_str);
        if program == "<lua>" {
            self.need_feature(index, "BuiltinLuaScripts", "4.2.2-1");
        } else {
            let when = match kind {
                ScriptletKind::Pre => Qualifiers::PRE,
                ScriptletKind::Post => Qualifiers::POST,
                ScriptletKind::Preun => Qualifiers::PREUN,
                ScriptletKind::Postun => Qualifiers::POSTUN,
                ScriptletKind::Pretrans => Qualifiers::PRETRANS,
                ScriptletKind::Posttrans => Qualifiers::POSTTRANS,
                ScriptletKind::Preuntrans => Qualifiers::PREUNTRANS,
                ScriptletKind::Postuntrans => Qualifiers::POSTUNTRANS,
                ScriptletKind::Verify => Qualifiers::VERIFY,
                _ => Qualifiers::empty(),
            };
            self.packages[index].dependencies.push(Dependency {
                kind: DependencyKind::Requires,
                name: program.to_owned(),
                constraint: None,
                qualifiers: when | Qualifiers::INTERP,
                origin: Origin::Automatic,
            });
        }
        if interpreter.len() > 1 {
            self.need_feature(index, "ScriptletInterpreterArgs", "4.0.3-1");
        }
        if expand.macros || expand.query_format {
            self.need_feature(index, "ScriptletExpansion", "4.9.0-1");
        }
    }

    fn need_feature(&mut self, index: usize, feature: &str, since: &str) {
        self.packages[index].dependencies.push(Dependency {
            kind: DependencyKind::Requires,
            name: format!("rpmlib({feature})"),
            constraint: Some((Comparison::LessOrEqual, since.to_owned())),
            qualifiers: Qualifiers::RPMLIB,
            origin: Origin::Automatic,
        });
    }
}
