//! The steps of the build, and what `%setup` and `%patch` stand for in `%prep`.
//!
//! Both are no macros in rpm 4.18: a line of `%prep` that begins with one after all macros are expanded is replaced.
//! Elsewhere, and after blanks, they stay.

use crate::Level;

use super::arguments::{Options, parse_options, split_words};
use super::error::{SpecError, SpecErrorKind as Kind};
use super::lines::Strip;
use super::model::{BuildSection, BuildSectionKind, SourceKind};
use super::section::Section;
use super::state::Reader;
use super::values::clean_path;

const SETUP_OPTIONS: &str = "a:b:cDn:Tq";
const PATCH_OPTIONS: &str = "P:p:b:z:F:d:o:REZ";

impl Reader<'_> {
    /// Reads a step of the build.
    pub(crate) fn read_build_section(
        &mut self,
        kind: BuildSectionKind,
        header: &str,
    ) -> Result<Option<Section>, SpecError> {
        let adds = header
            .split_ascii_whitespace()
            .skip(1)
            .any(|word| word == "-a" || word == "-p");
        if !adds && self.build_sections.iter().any(|section| section.kind == kind) {
            let section = kind.name().to_owned();
            return Err(self.lines.error(Kind::SecondSection { section }, header));
        }
        let full = self.is_full();
        let position = self.lines.position();
        let mut script = String::new();
        let mut folder = None;
        self.lines.start_skimming(!full);
        let next = self.each_line(Strip::Nothing, |reader| {
            let line = reader.lines.line();
            let special =
                kind == BuildSectionKind::Prep && (line.starts_with("%setup") || line.starts_with("%patch"));
            if special {
                let line = line.to_owned();
                let replacement = reader.replace_line(&line, &mut folder);
                if full {
                    reader.lines.replace_expanded(line.len(), &replacement);
                    script.push_str(&replacement);
                }
            } else if full {
                script.push_str(line);
            }
            Ok(())
        });
        self.lines.start_skimming(false);
        if let Some(folder) = folder {
            self.lines.macros.set("buildsubdir", folder, Level::SPEC);
        }
        let script = full.then_some(script);
        self.build_sections.push(BuildSection {
            kind,
            position,
            script,
        });
        next
    }

    /// What a line with `%setup` or `%patch` stands for. What is wrong with it is warned of: rpm goes on as well where
    /// it only reads a spec.
    fn replace_line(&mut self, line: &str, folder: &mut Option<String>) -> String {
        let mut script = String::new();
        let result = if line.starts_with("%setup") {
            self.setup(line, folder, &mut script)
        } else {
            self.patch(line, &mut script)
        };
        if let Err(reason) = result {
            self.lines.warn(reason);
        }
        script
    }

    fn setup(&mut self, line: &str, folder: &mut Option<String>, script: &mut String) -> Result<(), String> {
        // Where texts are skimmed, the options may be those of %autosetup.
        let known = if self.is_full() {
            SETUP_OPTIONS
        } else {
            "a:b:cDn:TvNS:p:q"
        };
        let words = split_words(line)?;
        let options = parse_options(words.get(1..).unwrap_or_default(), known)
            .map_err(|reason| format!("%setup: {reason}"))?;
        let main = &self.packages[0];
        let name = match options.value('n') {
            Some(name) => name.to_owned(),
            None => format!("{}-{}", main.name, main.version()),
        };
        *folder = Some(name.clone());
        if !self.is_full() {
            return Ok(());
        }
        let build = clean_path(&self.lines.value_of("_builddir"));
        let creates = options.has('c');
        let unpacks = !options.has('T');
        let quiet = options.has('q');
        script.push_str(&format!("cd '{build}'\n"));
        if !options.has('D') {
            script.push_str(&format!("rm -rf '{name}'\n"));
        }
        if creates {
            let mkdir = self.lines.value_of("__mkdir_p");
            script.push_str(&format!("{mkdir} '{name}'\ncd '{name}'\n"));
        }
        for number in numbers(&options, 'b')? {
            self.unpack(number, quiet, script)?;
        }
        if !creates && unpacks {
            self.unpack(0, quiet, script)?;
        }
        if !creates {
            script.push_str(&format!("cd '{name}'\n"));
        }
        if creates && unpacks {
            self.unpack(0, quiet, script)?;
        }
        for number in numbers(&options, 'a')? {
            self.unpack(number, quiet, script)?;
        }
        let fix = self.lines.value_of("_fixperms");
        if !fix.starts_with('%') {
            script.push_str(&format!("{fix} .\n"));
        }
        Ok(())
    }

    fn unpack(&mut self, number: u32, quiet: bool, script: &mut String) -> Result<(), String> {
        let file = match self.find_source(SourceKind::Source, number) {
            Some(source) => source.file_name().to_owned(),
            None => return Err(format!("%setup: there is no source {number}")),
        };
        let path = self.source_path(&file);
        let program = self.lines.value_of("__rpmuncompress");
        let verbose = if quiet { "" } else { "-v " };
        script.push_str(&format!(
            "{program} -x {verbose}{path}\nSTATUS=$?\nif [ $STATUS -ne 0 ]; then\n  exit $STATUS\nfi\n"
        ));
        Ok(())
    }

    fn patch(&mut self, line: &str, script: &mut String) -> Result<(), String> {
        if !self.is_full() {
            return Ok(());
        }
        let words = split_words(line)?;
        let number = words.first().map_or("", |word| &word["%patch".len()..]);
        let options = parse_options(words.get(1..).unwrap_or_default(), PATCH_OPTIONS)
            .map_err(|reason| format!("%patch: {reason}"))?;
        let mut wanted = Vec::new();
        let given = Some(number).filter(|number| !number.is_empty());
        for word in given
            .into_iter()
            .chain(options.values('P'))
            .chain(options.words.iter().map(String::as_str))
        {
            wanted.push(
                word.parse::<u32>()
                    .map_err(|_| format!("%patch: `{word}` is no number"))?,
            );
        }
        if wanted.is_empty() {
            self.lines
                .warn("%patch names no patch, which is that of the number 0".to_owned());
            wanted.push(0);
        }
        for number in wanted {
            self.apply_patch(number, &options, script)?;
        }
        Ok(())
    }

    fn apply_patch(&mut self, number: u32, options: &Options, script: &mut String) -> Result<(), String> {
        let file = match self.find_source(SourceKind::Patch, number) {
            Some(source) => source.file_name().to_owned(),
            None => return Err(format!("%patch: there is no patch {number}")),
        };
        let path = self.source_path(&file);
        let uncompress = self.lines.value_of("__rpmuncompress");
        let program = self.lines.value_of("__patch");
        let flags = self.lines.value_of("_default_patch_flags");
        let strip = options.value('p').unwrap_or("0");
        let mut arguments = String::new();
        if let Some(suffix) = options.value('b').or(options.value('z')) {
            arguments.push_str(&format!("-b --suffix {suffix}"));
        }
        let fuzz = match options.value('F') {
            Some(fuzz) => fuzz.to_owned(),
            None => self.lines.value_of("_default_patch_fuzz"),
        };
        arguments.push_str(&format!(" --fuzz={fuzz}"));
        for (option, word) in [('d', " -d "), ('o', " -o ")] {
            if let Some(value) = options.value(option) {
                arguments.push_str(word);
                arguments.push_str(value);
            }
        }
        for (option, word) in [('R', " -R"), ('E', " -E"), ('Z', " -Z")] {
            if options.has(option) {
                arguments.push_str(word);
            }
        }
        script.push_str(&format!(
            "echo \"Patch #{number} ({file}):\"\n{{ {uncompress} {path} || echo patch_fail ; }} | {program} {flags} -p{strip} {arguments}\n\n"
        ));
        Ok(())
    }
}

fn numbers(options: &Options, letter: char) -> Result<Vec<u32>, String> {
    options
        .values(letter)
        .map(|value| {
            value
                .parse()
                .map_err(|_| format!("%setup: `{value}` after `-{letter}` is no number"))
        })
        .collect()
}
