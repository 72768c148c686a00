//! What a context is given from outside: files, a shell, an environment, facts of the machine, limits.
//!
//! The engine itself reads no file, no variable and no clock: what is not given is not there.

use std::collections::BTreeMap;
use std::sync::Arc;

/// How macros and Lua reach files: `%{load:}`, `%{exists:}`, macro paths, Lua's `require` and `io.open`.
pub trait Files: Send + Sync {
    /// The content of a file, or why it cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// The paths that match a shell pattern, sorted; a pattern without wildcards is a path.
    fn glob(&self, pattern: &str) -> Vec<String>;

    /// Whether there is a file or folder of that path.
    fn exists(&self, path: &str) -> bool {
        self.read(path).is_ok()
    }
}

/// There are no files.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _path: &str) -> Result<Vec<u8>, String> {
        Err("no files are given".to_owned())
    }

    fn glob(&self, _pattern: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Files in memory, by path: for tests, and for sources that are not on a disk.
///
/// Its patterns know `*` and `?`, which do not match `/`.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles(pub BTreeMap<String, Vec<u8>>);

impl Files for MemoryFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }

    fn glob(&self, pattern: &str) -> Vec<String> {
        self.0
            .keys()
            .filter(|path| wildcard(pattern.as_bytes(), path.as_bytes()))
            .cloned()
            .collect()
    }

    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }
}

/// Matches `*` and `?` within one path component each.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    // The last `*` and the place in the text up to which it took: a mismatch makes it take one byte more.
    let mut retry: Option<(usize, usize)> = None;
    let (mut p, mut t) = (0, 0);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&c) if c == text[t] || (c == b'?' && text[t] != b'/') => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after, taken)) if text[taken] != b'/' => {
                    retry = Some((after, taken + 1));
                    p = after;
                    t = taken + 1;
                }
                _ => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

/// How `%(…)` is run.
pub trait Shell: Send + Sync {
    /// Runs a command line as `/bin/sh -c` does and gives its standard output, or why it could not be run.
    ///
    /// A command that fails is no error: rpm takes what it wrote.
    fn run(&self, command: &[u8]) -> Result<Vec<u8>, String>;
}

/// Which rpm is followed where releases differ: in the built-in macros that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// rpm 4.18: no `%{upper:}`, `%{gsub:}` and the like.
    Rpm418,
    /// rpm 4.20: the string functions of Lua as macros, `%{rpmversion}`, `%{span:}`, `%{xdg:}`.
    #[default]
    Rpm420,
}

/// Facts of the machine that macros ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Processors, for `%getncpus`.
    pub cpus: u32,
    /// Memory in MiB, for `%{getncpus:proc}`.
    pub memory: u64,
    /// Seconds since 1970 in UTC, for Lua's `os.time` and `os.date`; none: these fail.
    pub time: Option<i64>,
    /// The folder of rpm's configuration, for `%getconfdir`; Lua's `require` searches its `lua` folder.
    pub config_folder: String,
    /// Whether rpm is verbose, for `%verbose`.
    pub verbose: bool,
    /// What `%rpmversion` gives.
    pub rpm_version: String,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            cpus: 1,
            memory: 4096,
            time: None,
            config_folder: "/usr/lib/rpm".to_owned(),
            verbose: false,
            rpm_version: "4.20.1".to_owned(),
        }
    }
}

/// Limits that keep hostile input from taking time or memory without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of macros within macros; rpm's own limit is 64.
    pub depth: usize,
    /// Bytes of one expansion's result, and of what is expanded on the way to it.
    pub output: usize,
    /// Macro calls in one expansion.
    pub calls: usize,
    /// Bytes of all definitions of one context beyond its base.
    pub definitions: usize,
    /// Lua's virtual machine instructions in one context.
    pub lua_instructions: u64,
    /// Bytes of memory of one context's Lua.
    pub lua_memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 64,
            output: 64 << 20,
            calls: 4_000_000,
            definitions: 256 << 20,
            lua_instructions: 200_000_000,
            lua_memory: 256 << 20,
        }
    }
}

/// All that a context is given from outside; cloning it is cheap enough to do once per spec.
#[derive(Clone)]
pub struct Settings {
    /// Files.
    pub files: Arc<dyn Files>,
    /// The shell of `%(…)`; none: the text stays and is noted.
    pub shell: Option<Arc<dyn Shell>>,
    /// The environment's variables, for `%{getenv:}`.
    pub environment: Arc<BTreeMap<String, String>>,
    /// Facts of the machine.
    pub host: Arc<Host>,
    /// Limits.
    pub limits: Limits,
    /// Which rpm is followed.
    pub dialect: Dialect,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            files: Arc::new(NoFiles),
            shell: None,
            environment: Arc::default(),
            host: Arc::default(),
            limits: Limits::default(),
            dialect: Dialect::default(),
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("shell", &self.shell.is_some())
            .field("host", &self.host)
            .field("limits", &self.limits)
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}
