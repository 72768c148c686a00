//! The functions that Lua gets from the engine.
//!
//! Each gives `true` and its results, or `false` and a message: the prelude raises errors, so that scripts see strings.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mlua::{FromLuaMulti, IntoLua, Lua, LuaString, MultiValue, Table, Value};

use super::super::arguments::{join_quoted, split_quoted};
use super::super::engine::Engine;
use super::super::expand::Output;
use super::super::failure::Result as ExpandResult;
use super::super::notes::Severity;
use super::super::table::Level;
use super::super::version::Version;
use super::{Slot, time};

/// Results for the prelude, or a message.
type Outcome = Result<Vec<Value>, String>;

/// The table of functions.
pub(super) fn functions(lua: &Lua, used: Arc<AtomicU64>, limit: u64) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set(
        "exhausted",
        lua.create_function(move |_, ()| Ok(used.load(Ordering::Relaxed) > limit))?,
    )?;
    add_macros(lua, &table)?;
    add_texts(lua, &table)?;
    add_outside(lua, &table)?;
    Ok(table)
}

/// Lends the engine's state to a function.
fn with_engine<T>(lua: &Lua, run: impl FnOnce(&mut Engine) -> T) -> Result<T, String> {
    let Some(Slot(mut engine)) = lua.remove_app_data::<Slot>() else {
        return Err("macros are not reachable here".to_owned());
    };
    let result = run(&mut engine);
    lua.set_app_data(Slot(engine));
    Ok(result)
}

fn add<A: FromLuaMulti>(
    lua: &Lua,
    table: &Table,
    name: &str,
    function: impl Fn(&Lua, A) -> mlua::Result<Outcome> + Send + 'static,
) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, arguments: A| {
        let (ok, mut values) = match function(lua, arguments)? {
            Ok(values) => (true, values),
            Err(message) => (false, vec![lua.create_string(message).map(Value::String)?]),
        };
        values.insert(0, Value::Boolean(ok));
        Ok(MultiValue::from_vec(values))
    })?;
    table.set(name, function)
}

fn text(lua: &Lua, bytes: impl AsRef<[u8]>) -> mlua::Result<Outcome> {
    Ok(Ok(vec![Value::String(lua.create_string(bytes)?)]))
}

/// The text of an argument; Lua makes strings of numbers.
fn bytes(lua: &Lua, value: &Value) -> Option<Vec<u8>> {
    let text = lua.coerce_string(value.clone()).ok().flatten()?;
    Some(text.as_bytes().to_vec())
}

fn add_macros(lua: &Lua, table: &Table) -> mlua::Result<()> {
    add(lua, table, "print", |lua, words: MultiValue| {
        let words: Vec<Vec<u8>> = words.iter().filter_map(|word| bytes(lua, word)).collect();
        let printed = with_engine(lua, |engine| {
            let limit = engine.settings.limits.output;
            let Some(buffer) = engine.lua.prints.last_mut() else {
                return Ok(Vec::new());
            };
            buffer.extend_from_slice(&words.join(&b'\t'));
            if buffer.len() > limit {
                return Err(format!("the script prints too much (limit {limit} bytes)"));
            }
            Ok(Vec::new())
        });
        Ok(printed.and_then(|result| result))
    })?;
    add(lua, table, "expand", |lua, source: Value| {
        let Some(source) = bytes(lua, &source) else {
            return Ok(Err(expected("expand", "string")));
        };
        expansion(lua, "error expanding macro", |engine, out| {
            engine.expand_text(&source, out)
        })
    })?;
    add(lua, table, "define", |lua, definition: Value| {
        let Some(definition) = bytes(lua, &definition) else {
            return Ok(Err(expected("define", "string")));
        };
        expansion(lua, "error defining macro", |engine, _| {
            engine.define_line(&definition, Level::GLOBAL)
        })
        .map(|outcome| outcome.map(|_| Vec::new()))
    })?;
    add(lua, table, "undefine", |lua, name: Value| {
        let Some(name) = bytes(lua, &name) else {
            return Ok(Err(expected("undefine", "string")));
        };
        Ok(with_engine(lua, |engine| engine.table.pop(&name)).map(|_| Vec::new()))
    })?;
    add(lua, table, "isdefined", |lua, name: Value| {
        let Some(name) = bytes(lua, &name) else {
            return Ok(Err(expected("isdefined", "string")));
        };
        Ok(with_engine(lua, |engine| {
            let definition = engine.get(&name);
            let parametric = definition.is_some_and(|it| it.options().is_some());
            vec![Value::Boolean(definition.is_some()), Value::Boolean(parametric)]
        }))
    })?;
    add(lua, table, "load", |lua, path: Value| {
        let path = String::from_utf8_lossy(&bytes(lua, &path).unwrap_or_default()).into_owned();
        Ok(with_engine(lua, |engine| {
            let loaded = engine.load_file(&path);
            vec![Value::Number(if loaded.is_ok() { 0.0 } else { -1.0 })]
        }))
    })?;
    add(
        lua,
        table,
        "call",
        |lua, (name, arguments): (LuaString, Table)| {
            let mut words = vec![name.as_bytes().to_vec()];
            for argument in arguments.sequence_values::<Value>() {
                words.push(bytes(lua, &argument?).unwrap_or_default());
            }
            expansion(lua, "error expanding macro", |engine, out| {
                engine.call_by_name(words, out)
            })
        },
    )
}

fn expected(function: &str, what: &str) -> String {
    format!("bad argument #1 to '{function}' ({what} expected)")
}

/// Runs something that expands; Lua sees a short message, as in rpm, and the notes have the reason.
fn expansion(
    lua: &Lua,
    message: &str,
    run: impl FnOnce(&mut Engine, &mut Output) -> ExpandResult<()>,
) -> mlua::Result<Outcome> {
    let expanded = with_engine(lua, |engine| {
        let mut out = Output::default();
        let result = run(engine, &mut out);
        match result {
            Ok(()) => Ok(out.bytes),
            Err(failure) => {
                engine.notes.say(Severity::Error, failure.kind.to_string());
                Err(message.to_owned())
            }
        }
    });
    match expanded.and_then(|result| result) {
        Ok(bytes) => text(lua, bytes),
        Err(message) => Ok(Err(message)),
    }
}

impl Engine {
    /// Calls a macro with arguments that are not expanded; `words[0]` is its name.
    fn call_by_name(&mut self, words: Vec<Vec<u8>>, out: &mut Output) -> ExpandResult<()> {
        let Some(definition) = self.table.get(&words[0]).cloned() else {
            return Ok(());
        };
        self.within_depth(|engine| engine.call(&definition, Some(words), None, out))
    }
}

fn add_texts(lua: &Lua, table: &Table) -> mlua::Result<()> {
    add(lua, table, "splitargs", |lua, source: LuaString| {
        let mut words = Vec::new();
        split_quoted(&source.as_bytes(), b" \t", &mut words);
        let list = lua.create_table()?;
        for word in words {
            list.push(lua.create_string(word)?)?;
        }
        Ok(Ok(vec![Value::Table(list)]))
    })?;
    add(lua, table, "unsplitargs", |lua, list: Table| {
        let mut words = Vec::new();
        for word in list.sequence_values::<Value>() {
            words.push(bytes(lua, &word?).unwrap_or_default());
        }
        text(lua, join_quoted(&words))
    })?;
    add(lua, table, "vercmp", |lua, (left, right): (Value, Value)| {
        let parse = |value: &Value| bytes(lua, value).and_then(|text| Version::parse(&text));
        let (Some(left), Some(right)) = (parse(&left), parse(&right)) else {
            return Ok(Err(
                "bad argument #1 to 'rpm.vercmp' (invalid version )".to_owned()
            ));
        };
        Ok(Ok(vec![Value::Integer(left.compare(&right) as i64)]))
    })?;
    let parse_version = |lua: &Lua, source: LuaString| {
        let Some(version) = Version::parse(&source.as_bytes()) else {
            return Ok(None);
        };
        let list = lua.create_table()?;
        let part = |part: Option<Vec<u8>>| match part {
            Some(part) => lua.create_string(part).map(Value::String),
            None => Ok(Value::Boolean(false)),
        };
        list.push(part(version.epoch)?)?;
        list.push(part(Some(version.version))?)?;
        list.push(part(version.release)?)?;
        Ok(Some(list))
    };
    table.set("parse_version", lua.create_function(parse_version)?)?;
    add(
        lua,
        table,
        "b64encode",
        |lua, (source, length): (LuaString, Option<i64>)| {
            text(lua, encode_lines(&source.as_bytes(), length.unwrap_or(64)))
        },
    )?;
    add(lua, table, "b64decode", |lua, source: LuaString| {
        match decode(&source.as_bytes()) {
            Some(decoded) => text(lua, decoded),
            None => Ok(Ok(vec![Value::Nil])),
        }
    })
}

/// Base64 in lines of that length, each with a newline; one line without when the length is not positive.
fn encode_lines(source: &[u8], length: i64) -> Vec<u8> {
    let encoded = STANDARD.encode(source).into_bytes();
    let length = usize::try_from(length).unwrap_or(0) / 4 * 4;
    if length == 0 {
        return encoded;
    }
    encoded
        .chunks(length)
        .flat_map(|line| [line, b"\n"].concat())
        .collect()
}

fn decode(source: &[u8]) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
    let text: Vec<u8> = source
        .iter()
        .copied()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    engine.decode(text).ok()
}

fn add_outside(lua: &Lua, table: &Table) -> mlua::Result<()> {
    add(lua, table, "getenv", |lua, name: LuaString| {
        let name = name.to_string_lossy();
        match with_engine(lua, |engine| engine.variable(&name).map(str::to_owned)) {
            Ok(Some(value)) => text(lua, value),
            Ok(None) => Ok(Ok(vec![Value::Nil])),
            Err(message) => Ok(Err(message)),
        }
    })?;
    add(
        lua,
        table,
        "setenv",
        |lua, (name, value): (LuaString, LuaString)| {
            let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
            Ok(with_engine(lua, |engine| engine.set_variable(name, Some(value))).map(|()| Vec::new()))
        },
    )?;
    add(lua, table, "unsetenv", |lua, name: LuaString| {
        let name = name.to_string_lossy();
        Ok(with_engine(lua, |engine| engine.set_variable(name, None)).map(|()| Vec::new()))
    })?;
    add(lua, table, "read", |lua, path: LuaString| {
        let path = path.to_string_lossy();
        let content = with_engine(lua, |engine| engine.settings.files.read(&path));
        match content.and_then(|content| content) {
            Ok(content) => text(lua, content),
            Err(message) => Ok(Err(message)),
        }
    })?;
    let exists = |lua: &Lua, path: LuaString| {
        let path = path.to_string_lossy();
        with_engine(lua, |engine| engine.settings.files.exists(&path)).map_err(mlua::Error::runtime)
    };
    table.set("exists", lua.create_function(exists)?)?;
    add(lua, table, "entries", |lua, folder: LuaString| {
        let folder = folder.to_string_lossy();
        let found = with_engine(lua, |engine| engine.settings.files.glob(&format!("{folder}/*")));
        let list = lua.create_table()?;
        for path in found.unwrap_or_default() {
            list.push(path.rsplit('/').next().unwrap_or(&path))?;
        }
        Ok(Ok(vec![Value::Table(list)]))
    })?;
    for (name, severity) in [("warn", Severity::Warning), ("echo", Severity::Echo)] {
        let say = move |lua: &Lua, message: LuaString| {
            let message = message.to_string_lossy();
            with_engine(lua, |engine| engine.notes.say(severity, message.trim_end()))
                .map_err(mlua::Error::runtime)
        };
        table.set(name, lua.create_function(say)?)?;
    }
    add(lua, table, "uname", |lua, format: LuaString| {
        let format = format.as_bytes().to_vec();
        match with_engine(lua, |engine| engine.uname(&format)) {
            Ok(name) => text(lua, name),
            Err(message) => Ok(Err(message)),
        }
    })?;
    add(lua, table, "time", |lua, fields: Option<Table>| {
        let now = with_engine(lua, |engine| engine.settings.host.time);
        match (fields, now) {
            (Some(fields), _) => Ok(Ok(vec![time::from_table(&fields)?.into_lua(lua)?])),
            (None, Ok(Some(now))) => Ok(Ok(vec![Value::Integer(now)])),
            (None, _) => Ok(Err(NO_CLOCK.to_owned())),
        }
    })?;
    add(
        lua,
        table,
        "date",
        |lua, (format, at): (Option<LuaString>, Option<f64>)| {
            let now = with_engine(lua, |engine| engine.settings.host.time);
            let Some(at) = at.map(|at| at as i64).or(now.ok().flatten()) else {
                return Ok(Err(NO_CLOCK.to_owned()));
            };
            let format = format.map_or_else(|| "%c".to_owned(), |format| format.to_string_lossy());
            let format = format.strip_prefix('!').unwrap_or(&format);
            if format.starts_with("*t") {
                return Ok(Ok(vec![Value::Table(time::to_table(lua, at)?)]));
            }
            match time::format(format, at) {
                Some(formatted) => text(lua, formatted),
                None => Ok(Err(format!(
                    "bad argument #1 to 'date' (invalid conversion specifier in '{format}')"
                ))),
            }
        },
    )
}

const NO_CLOCK: &str = "the time is not available: no clock was given";

impl Engine {
    fn set_variable(&mut self, name: String, value: Option<String>) {
        const MAX_VARIABLES: usize = 10_000;
        if self.environment.len() < MAX_VARIABLES {
            self.environment.insert(name, value);
        }
    }

    /// `posix.uname`: of the machine that is built for, as macros say it; the engine knows no other.
    fn uname(&mut self, format: &[u8]) -> Vec<u8> {
        let mut name = Vec::new();
        let mut letters = format.iter();
        while let Some(&letter) = letters.next() {
            if letter != b'%' {
                name.push(letter);
                continue;
            }
            let source: &[u8] = match letters.next() {
                Some(b'm') => b"%{?_target_cpu}",
                Some(b's') => b"Linux",
                Some(b'n') => b"localhost",
                Some(b'%') => b"%%",
                _ => b"",
            };
            let mut out = Output::default();
            if self.expand_text(source, &mut out).is_ok() {
                name.extend_from_slice(&out.bytes);
            }
        }
        name
    }
}
