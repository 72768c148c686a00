//! Built-in macros.

use super::define::{BodyForm, Expanded};
use super::engine::{Engine, to_number};
use super::error::MacroErrorKind;
use super::expand::{Output, Quotes};
use super::expression::{Terms, evaluate};
use super::failure::{Result, shown};
use super::notes::Severity;
use super::settings::Dialect;
use super::table::Level;
use super::{arguments, scan, text};

/// A built-in macro.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Builtin {
    Patch,
    Source,
    Basename,
    Define,
    Dirname,
    DiscardLine,
    Dump,
    Echo,
    Error,
    Exists,
    Expand,
    Expr,
    ConfigFolder,
    Getenv,
    Getncpus,
    Global,
    Load,
    Lua,
    Macrobody,
    Quote,
    Shescape,
    Shrink,
    Suffix,
    Trace,
    Uncompress,
    Undefine,
    UrlToPath,
    Verbose,
    Warn,
    /// `%getncpus` that takes no argument.
    Processors,
    // Those below came after rpm 4.18.
    RpmVersion,
    /// A function of Lua's `string` library.
    StringFunction(&'static str),
    Span,
    Xdg,
}

/// How many arguments a built-in takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arguments {
    None,
    Some,
    Any,
}

impl Arguments {
    pub(crate) fn takes_any(self) -> bool {
        self != Self::None
    }
}

impl Builtin {
    pub(crate) fn arguments(self) -> Arguments {
        match self {
            Self::Dump | Self::Processors | Self::ConfigFolder | Self::Trace | Self::RpmVersion => {
                Arguments::None
            }
            Self::Getncpus | Self::Verbose => Arguments::Any,
            _ => Arguments::Some,
        }
    }

    /// Whether its argument is taken as it is, without an expansion, and without braces reaches as far as it likes.
    pub(crate) fn takes_free_form(self) -> bool {
        matches!(
            self,
            Self::Define | Self::Global | Self::DiscardLine | Self::Lua | Self::Verbose
        )
    }
}

const COMMON: &[(&str, Builtin)] = &[
    ("P", Builtin::Patch),
    ("S", Builtin::Source),
    ("basename", Builtin::Basename),
    ("define", Builtin::Define),
    ("dirname", Builtin::Dirname),
    ("dnl", Builtin::DiscardLine),
    ("dump", Builtin::Dump),
    ("echo", Builtin::Echo),
    ("error", Builtin::Error),
    ("exists", Builtin::Exists),
    ("expand", Builtin::Expand),
    ("expr", Builtin::Expr),
    ("getconfdir", Builtin::ConfigFolder),
    ("getenv", Builtin::Getenv),
    ("global", Builtin::Global),
    ("load", Builtin::Load),
    ("lua", Builtin::Lua),
    ("macrobody", Builtin::Macrobody),
    ("quote", Builtin::Quote),
    ("shescape", Builtin::Shescape),
    ("shrink", Builtin::Shrink),
    ("suffix", Builtin::Suffix),
    ("trace", Builtin::Trace),
    ("u2p", Builtin::UrlToPath),
    ("uncompress", Builtin::Uncompress),
    ("undefine", Builtin::Undefine),
    ("url2path", Builtin::UrlToPath),
    ("verbose", Builtin::Verbose),
    ("warn", Builtin::Warn),
];

/// What rpm 4.18 has otherwise than later ones.
const EARLIER: &[(&str, Builtin)] = &[("getncpus", Builtin::Processors)];

const LATER: &[(&str, Builtin)] = &[
    ("getncpus", Builtin::Getncpus),
    ("gsub", Builtin::StringFunction("gsub")),
    ("len", Builtin::StringFunction("len")),
    ("lower", Builtin::StringFunction("lower")),
    ("rep", Builtin::StringFunction("rep")),
    ("reverse", Builtin::StringFunction("reverse")),
    ("rpmversion", Builtin::RpmVersion),
    ("span", Builtin::Span),
    ("sub", Builtin::StringFunction("sub")),
    ("upper", Builtin::StringFunction("upper")),
    ("xdg", Builtin::Xdg),
];

/// The built-ins of a dialect, by name.
pub(crate) fn all(dialect: Dialect) -> impl Iterator<Item = (&'static str, Builtin)> {
    let later = match dialect {
        Dialect::Rpm418 => EARLIER,
        Dialect::Rpm420 => LATER,
    };
    COMMON.iter().chain(later).copied()
}

impl Engine {
    /// Runs a built-in. `words` are its name and arguments; `consumed` is set for a free form without braces.
    pub(crate) fn call_builtin(
        &mut self,
        builtin: Builtin,
        words: Vec<Vec<u8>>,
        consumed: Option<&mut usize>,
        out: &mut Output,
    ) -> Result<()> {
        let argument = words.get(1).map(Vec::as_slice).unwrap_or_default();
        let given = words.len() > 1;
        match builtin {
            Builtin::Define => self.call_define(&words, Expanded::Later, consumed, out),
            Builtin::Global => self.call_define(&words, Expanded::Now, consumed, out),
            Builtin::Undefine => self.undefine_checked(argument),
            Builtin::DiscardLine => {
                if let Some(consumed) = consumed {
                    let end = argument.iter().position(|&c| scan::is_end_of_line(c));
                    *consumed = end.map_or(argument.len(), |end| end + 1);
                }
                Ok(())
            }
            Builtin::Lua => self.call_lua(argument, out),
            Builtin::StringFunction(function) => self.call_string_function(function, &words, out),
            Builtin::Expand => self
                .expand_text(argument, out)
                .map_err(|failure| failure.leave(b"expand")),
            Builtin::Source => self.expand_text(&[b"%SOURCE", argument].concat(), out),
            Builtin::Patch => self.expand_text(&[b"%PATCH", argument].concat(), out),
            Builtin::Verbose if consumed.is_none() && given => {
                if self.settings.host.verbose {
                    self.expand_text(argument, out)
                } else {
                    Ok(())
                }
            }
            Builtin::Uncompress if argument.is_empty() => Ok(()),
            Builtin::Uncompress => {
                self.expand_text(b"%__rpmuncompress ", out)?;
                self.append(argument, out)
            }
            // rpm 4.18 leaves the marks in every text.
            Builtin::Quote if self.settings.dialect == Dialect::Rpm418 => {
                self.append(&arguments::join_quoted(&words[1..]), out)
            }
            Builtin::Quote => {
                if out.quotes == Quotes::Keep {
                    out.has_quotes = true;
                    let joined = arguments::join_quoted(&words[1..]);
                    self.append(&joined, out)
                } else {
                    self.append(&arguments::join(&words[1..]), out)
                }
            }
            Builtin::Getncpus | Builtin::Processors => {
                let count = self.processors(if given { argument } else { b"total" }, out)?;
                self.append(count.to_string().as_bytes(), out)
            }
            Builtin::Shescape => {
                let last = match self.settings.dialect {
                    Dialect::Rpm418 => 2,
                    Dialect::Rpm420 => words.len(),
                };
                self.append(&text::shell_quote(&words[1..last]), out)
            }
            Builtin::Echo | Builtin::Warn | Builtin::Error | Builtin::Dump | Builtin::Trace => {
                self.report(builtin, argument)
            }
            Builtin::Load => {
                let path = String::from_utf8_lossy(argument).into_owned();
                self.load_file(&path)
            }
            _ => {
                let result = self.simple(builtin, argument)?;
                self.append(&result, out)
            }
        }
    }

    /// The built-ins that make a text of a text.
    fn simple(&mut self, builtin: Builtin, argument: &[u8]) -> Result<Vec<u8>> {
        let host = &self.settings.host;
        Ok(match builtin {
            Builtin::Basename => text::basename(argument).to_vec(),
            Builtin::Dirname => text::dirname(argument).to_vec(),
            Builtin::Suffix => text::suffix(argument).to_vec(),
            Builtin::Shrink => text::shrink(argument),
            Builtin::UrlToPath => text::url_path(argument).to_vec(),
            Builtin::ConfigFolder => host.config_folder.clone().into_bytes(),
            Builtin::RpmVersion => host.rpm_version.clone().into_bytes(),
            Builtin::Verbose => if host.verbose { b"1" } else { b"0" }.to_vec(),
            Builtin::Exists => {
                let there = self.settings.files.exists(&String::from_utf8_lossy(argument));
                if there { b"1" } else { b"0" }.to_vec()
            }
            Builtin::Getenv => {
                let name = String::from_utf8_lossy(argument);
                self.variable(&name).unwrap_or_default().as_bytes().to_vec()
            }
            Builtin::Expr => evaluate(self, argument, Terms::Plain)?.to_bytes(),
            Builtin::Macrobody if argument.is_empty() => Vec::new(),
            Builtin::Macrobody => match self.get(argument) {
                Some(definition) => definition.body().to_vec(),
                None => return Err(MacroErrorKind::NoSuchMacro(shown(argument)).into()),
            },
            Builtin::Xdg => self.xdg_folder(argument)?,
            // `%{span:text}` gives its text: it is for definitions over several lines.
            _ => argument.to_vec(),
        })
    }

    fn append(&mut self, text: &[u8], out: &mut Output) -> Result<()> {
        self.count_bytes(text.len())?;
        out.bytes.extend_from_slice(text);
        Ok(())
    }

    fn call_define(
        &mut self,
        words: &[Vec<u8>],
        expanded: Expanded,
        consumed: Option<&mut usize>,
        out: &Output,
    ) -> Result<()> {
        let level = match expanded {
            Expanded::Later => Level(self.level),
            Expanded::Now => Level::GLOBAL,
        };
        // Called from Lua, the name and the body come apart.
        let text = words.get(1..).unwrap_or_default().join(&b' ');
        let form = if consumed.is_some() {
            BodyForm::Line
        } else {
            BodyForm::Whole
        };
        let took = self.define(&text, level, expanded, form, out)?;
        if let Some(consumed) = consumed {
            *consumed = took;
        }
        Ok(())
    }

    fn report(&mut self, builtin: Builtin, argument: &[u8]) -> Result<()> {
        let message = String::from_utf8_lossy(argument).into_owned();
        match builtin {
            Builtin::Error => return Err(MacroErrorKind::Reported(message).into()),
            Builtin::Warn => self.notes.say(Severity::Warning, message),
            Builtin::Dump => {
                let table = self.dump();
                self.notes.say(Severity::Echo, table);
            }
            // Tracing shows what the caller can see otherwise.
            Builtin::Trace => {}
            _ => self.notes.say(Severity::Echo, message),
        }
        Ok(())
    }

    /// The table of definitions as `%dump` prints it.
    fn dump(&self) -> String {
        let mut table = Vec::new();
        for definition in self.table.all() {
            table.extend_from_slice(format!("{:3}: ", definition.level.0).as_bytes());
            table.extend_from_slice(&definition.name);
            if let Some(options) = definition.options.as_ref().filter(|options| !options.is_empty()) {
                table.push(b'(');
                table.extend_from_slice(options);
                table.push(b')');
            }
            table.push(b'\t');
            table.extend_from_slice(definition.body());
            table.push(b'\n');
        }
        String::from_utf8_lossy(&table).into_owned()
    }

    fn processors(&mut self, what: &[u8], out: &Output) -> Result<u64> {
        let cpus = u64::from(self.settings.host.cpus);
        let setting: &[u8] = match what {
            b"total" => return Ok(cpus.max(1)),
            b"proc" => b"%{?_smp_tasksize_proc}",
            b"thread" => b"%{?_smp_tasksize_thread}",
            _ => {
                let argument = shown(what);
                return Err(MacroErrorKind::InvalidArgument {
                    name: "getncpus".to_owned(),
                    argument,
                }
                .into());
            }
        };
        const TASK_SIZE: u64 = 512;
        let size = self.expand_part(setting, Quotes::Drop, out)?.bytes;
        let size = u64::try_from(to_number(&size))
            .ok()
            .filter(|&size| size > 0)
            .unwrap_or(TASK_SIZE);
        Ok((self.settings.host.memory / size).min(cpus).max(1))
    }

    /// A folder of the XDG base directory specification, as rpm 4.20 computes it from the environment.
    fn xdg_folder(&self, what: &[u8]) -> Result<Vec<u8>> {
        let (variable, below_home) = match what {
            b"cache" => ("XDG_CACHE_HOME", ".cache"),
            b"config" => ("XDG_CONFIG_HOME", ".config"),
            b"data" => ("XDG_DATA_HOME", ".local/share"),
            b"state" => ("XDG_STATE_HOME", ".local/state"),
            _ => {
                let argument = shown(what);
                return Err(MacroErrorKind::InvalidArgument {
                    name: "xdg".to_owned(),
                    argument,
                }
                .into());
            }
        };
        let folder = match self.variable(variable).filter(|folder| !folder.is_empty()) {
            Some(folder) => folder.to_owned(),
            None => format!("{}/{below_home}", self.variable("HOME").unwrap_or_default()),
        };
        Ok(folder.into_bytes())
    }
}
