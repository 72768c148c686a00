//! `%{lua:…}`: scripts in an embedded Lua 5.4 that sees the macros and nothing of the machine.
//!
//! A context makes its Lua when it meets the first script, and scripts share globals, as in rpm. While a script runs, the
//! engine's state lies in the Lua state (its application data), so that functions called from Lua can take it, work on
//! it, and put it back; nesting (`rpm.expand("%{lua:…}")`) works the same way.

mod host;
mod lists;
mod time;

pub use lists::LuaItem;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use mlua::chunk::ChunkMode;
use mlua::thread::ThreadStatus;
use mlua::{HookTriggers, IntoLuaMulti, Lua, LuaOptions, MultiValue, StdLib, Table, VmState};

use super::arguments::parse_options;
use super::engine::Engine;
use super::error::MacroErrorKind;
use super::expand::{Call, Output};
use super::expression::Value;
use super::failure::{Result, shown};
use super::settings::Limits;

/// The Lua of a context.
#[derive(Default)]
pub(crate) struct LuaState {
    lua: Option<Lua>,
    /// What scripts have printed, innermost script last.
    prints: Vec<Vec<u8>>,
    used: Arc<AtomicU64>,
    /// Changes of lists that the Lua has not been told yet.
    pending: Vec<lists::Change>,
}

impl std::fmt::Debug for LuaState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LuaState")
            .field("made", &self.lua.is_some())
            .finish_non_exhaustive()
    }
}

/// The engine's state, while a script runs.
struct Slot(Box<Engine>);

/// The hook that counts is called after so many instructions.
const HOOK_INSTRUCTIONS: u32 = 10_000;

const PRELUDE: &str = include_str!("prelude.lua");

const TOO_LONG: &str = "the script runs too long";

/// Where Lua's registry has the function that says whether the instructions are used up.
const EXHAUSTED: &str = "exhausted";

/// What scripts see as their options and arguments, before their own text.
const LOCALS: &[u8] = b"local opt = select(1, ...); local arg = select(2, ...);";

fn script_failed(error: &mlua::Error) -> MacroErrorKind {
    // The message of a caught error has a traceback and Rust's words around it: the script's own line is what helps.
    let text = match error {
        mlua::Error::CallbackError { cause, .. } => cause.to_string(),
        other => other.to_string(),
    };
    let text = text.strip_prefix("runtime error: ").unwrap_or(&text);
    let text = text.split("\nstack traceback:").next().unwrap_or(text);
    MacroErrorKind::Lua(shown(text.as_bytes()))
}

impl Engine {
    /// Runs a script for `%{lua:…}`.
    pub(crate) fn call_lua(&mut self, script: &[u8], out: &mut Output) -> Result<()> {
        let printed = match out.call.clone() {
            Some(Call {
                macro_name,
                options,
                words,
            }) => self.run_script(script, &macro_name, Some(&options), &words)?,
            None => self.run_script(script, b"<lua>", None, &[])?,
        };
        self.count_bytes(printed.len())?;
        out.bytes.extend_from_slice(&printed);
        Ok(())
    }

    /// A macro that is a function of Lua's `string` library.
    pub(crate) fn call_string_function(
        &mut self,
        function: &'static str,
        words: &[Vec<u8>],
        out: &mut Output,
    ) -> Result<()> {
        let first = words.get(1).map(Vec::as_slice).unwrap_or_default();
        let result = match function {
            "lower" => first.to_ascii_lowercase(),
            "upper" => first.to_ascii_uppercase(),
            "len" => first.len().to_string().into_bytes(),
            "reverse" => first.iter().rev().copied().collect(),
            _ => {
                let script = format!("return (string.{function}(table.unpack(arg)))");
                self.run_script(script.as_bytes(), function.as_bytes(), None, words)?
            }
        };
        self.count_bytes(result.len())?;
        out.bytes.extend_from_slice(&result);
        Ok(())
    }

    /// A function that an expression calls: `lua:name(arguments)`. Its first result as a string.
    pub(crate) fn call_lua_function(&mut self, name: &[u8], arguments: &[Value]) -> Result<Vec<u8>> {
        let lua = self.lua_handle()?;
        let arguments: mlua::Result<MultiValue> = arguments
            .iter()
            .map(|argument| match argument {
                Value::Integer(number) => Ok(mlua::Value::Integer(i64::from(*number))),
                other => lua.create_string(other.to_bytes()).map(mlua::Value::String),
            })
            .collect();
        let arguments = arguments.map_err(|error| script_failed(&error))?;
        let mut script = b"return ".to_vec();
        script.extend_from_slice(name);
        let results = self.with_lua(&lua, |lua| {
            let chunk = lua
                .load(script)
                .set_name(String::from_utf8_lossy(name))
                .set_mode(ChunkMode::Text);
            let function: mlua::Function = chunk.eval()?;
            run_apart(lua, function, arguments)
        })?;
        let text = match results.into_iter().next() {
            Some(mlua::Value::String(text)) => text.as_bytes().to_vec(),
            Some(value @ (mlua::Value::Integer(_) | mlua::Value::Number(_))) => {
                value.to_string().map(String::into_bytes).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        Ok(text)
    }

    /// Runs a script; `words[0]` is the macro's name where there are options. Gives what was printed and returned.
    fn run_script(
        &mut self,
        script: &[u8],
        name: &[u8],
        options: Option<&[u8]>,
        words: &[Vec<u8>],
    ) -> Result<Vec<u8>> {
        let lua = self.lua_handle()?;
        let tables = argument_tables(&lua, options, words);
        let (opt, arg) = match tables {
            Ok(tables) => tables,
            Err(Problem::Lua(error)) => return Err(script_failed(&error).into()),
            Err(Problem::Option(letter)) => {
                return Err(MacroErrorKind::UnknownOption {
                    option: char::from(letter),
                    name: shown(name),
                    options: shown(options.unwrap_or_default()),
                }
                .into());
            }
        };
        self.lua.prints.push(Vec::new());
        let text = [LOCALS, script].concat();
        let result = self.with_lua(&lua, |lua| {
            let chunk = lua
                .load(text)
                .set_name(String::from_utf8_lossy(name))
                .set_mode(ChunkMode::Text);
            let results = run_apart(lua, chunk.into_function()?, (opt, arg))?;
            if !results.is_empty() {
                let print: mlua::Function = lua.globals().get("print")?;
                print.call::<()>(results)?;
            }
            Ok(())
        });
        let printed = self.lua.prints.pop().unwrap_or_default();
        result.map(|()| printed)
    }

    /// Runs something in Lua while the engine's state lies there.
    fn with_lua<T>(&mut self, lua: &Lua, run: impl FnOnce(&Lua) -> mlua::Result<T>) -> Result<T> {
        lua.set_app_data(Slot(Box::new(std::mem::take(self))));
        let result = run(lua);
        // Whoever takes the state out puts it back, so that it is always there.
        if let Some(Slot(engine)) = lua.remove_app_data::<Slot>() {
            *self = *engine;
        }
        result.map_err(|error| script_failed(&error).into())
    }

    /// The context's Lua, made when it is first needed.
    fn lua_handle(&mut self) -> Result<Lua> {
        if let Some(lua) = self.lua.lua.clone() {
            self.tell_lists(&lua)?;
            return Ok(lua);
        }
        let module_path = format!("{}/lua/?.lua", self.settings.host.config_folder);
        let limits = self.settings.limits;
        let made = new_state(limits, &self.lua.used, &module_path);
        let lua = made.map_err(|error| script_failed(&error))?;
        self.lua.lua = Some(lua.clone());
        self.tell_lists(&lua)?;
        Ok(lua)
    }
}

fn new_state(limits: Limits, used: &Arc<AtomicU64>, module_path: &str) -> mlua::Result<Lua> {
    let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::UTF8 | StdLib::COROUTINE;
    let lua = Lua::new_with(libraries, LuaOptions::new())?;
    lua.set_memory_limit(limits.lua_memory)?;
    let triggers = HookTriggers::new().every_nth_instruction(HOOK_INSTRUCTIONS);
    let counter = Arc::clone(used);
    let limit = limits.lua_instructions;
    lua.set_global_hook(triggers, move |_, _| {
        let step = u64::from(HOOK_INSTRUCTIONS);
        let used = counter.fetch_add(step, Ordering::Relaxed) + step;
        if used > limit {
            // A coroutine that yields is simply left; an error would first run what closes its variables, which Lua
            // does not count. Where the script cannot yield, this is called again.
            return match (used - limit).div_ceil(step) % 2 {
                1 => Ok(VmState::Yield),
                _ => Err(mlua::Error::runtime(TOO_LONG)),
            };
        }
        Ok(VmState::Continue)
    })?;
    // Nothing of what is made now is garbage.
    lua.gc_stop();
    let functions = host::functions(&lua, Arc::clone(used), limit)?;
    lua.set_named_registry_value(EXHAUSTED, functions.get::<mlua::Function>(EXHAUSTED)?)?;
    functions.set("module_path", module_path)?;
    let prelude = compiled_prelude(&lua)?;
    lua.load(prelude)
        .set_mode(ChunkMode::Binary)
        .call::<()>(functions)?;
    lua.gc_restart();
    Ok(lua)
}

/// Calls a function in a coroutine of its own, so that it can be left when it has run too long.
fn run_apart(lua: &Lua, function: mlua::Function, arguments: impl IntoLuaMulti) -> mlua::Result<MultiValue> {
    let thread = lua.create_thread(function)?;
    let results = thread.resume::<MultiValue>(arguments)?;
    if thread.status() == ThreadStatus::Resumable {
        let exhausted: bool = lua.named_registry_value::<mlua::Function>(EXHAUSTED)?.call(())?;
        let message = if exhausted {
            TOO_LONG
        } else {
            "attempt to yield from outside a coroutine"
        };
        return Err(mlua::Error::runtime(message));
    }
    Ok(results)
}

/// The prelude, compiled once for all contexts: compiling takes far longer than all else that makes a Lua.
fn compiled_prelude(lua: &Lua) -> mlua::Result<&'static [u8]> {
    static COMPILED: OnceLock<Vec<u8>> = OnceLock::new();
    if let Some(compiled) = COMPILED.get() {
        return Ok(compiled);
    }
    let compiled = lua.load(PRELUDE).set_name("=prelude").into_function()?.dump(true);
    Ok(COMPILED.get_or_init(|| compiled))
}

enum Problem {
    Lua(mlua::Error),
    Option(u8),
}

impl From<mlua::Error> for Problem {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

/// The tables `opt` and `arg` of a script.
fn argument_tables(
    lua: &Lua,
    options: Option<&[u8]>,
    words: &[Vec<u8>],
) -> std::result::Result<(Table, Table), Problem> {
    let (opt, arg) = (lua.create_table()?, lua.create_table()?);
    let mut rest = words.get(1..).unwrap_or_default().to_vec();
    if let Some(options) = options {
        let parsed = parse_options(options, words);
        if let Some(letter) = parsed.refused {
            return Err(Problem::Option(letter));
        }
        for option in parsed.options {
            let letter = lua.create_string([option.letter])?;
            opt.raw_set(letter, lua.create_string(option.value.unwrap_or_default())?)?;
        }
        rest = parsed.words;
    }
    for (index, word) in rest.iter().enumerate() {
        arg.raw_set(index + 1, lua.create_string(word)?)?;
    }
    Ok((opt, arg))
}
