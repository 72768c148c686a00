//! The control archive of a `.deb`: the control paragraph, maintainer scripts and lists (deb(5)).

use std::collections::BTreeMap;
use std::io::Read;

use crate::archive::{DebError, tar_error};
use crate::binary::Binary;
use crate::control::parse_paragraph;
use crate::entry::EntryPath;
use crate::tarball::TarReader;

/// The most files that a control archive may have; real ones have below 20.
const MAX_CONTROL_FILES: usize = 256;

/// The content of `control.tar`.
#[derive(Debug, Clone)]
pub struct Control {
    /// The control paragraph.
    pub binary: Binary,
    /// The text of the control paragraph.
    pub text: String,
    /// The maintainer scripts that are there.
    pub scripts: BTreeMap<ScriptKind, Vec<u8>>,
    /// `conffiles`
    pub conffiles: Vec<Conffile>,
    /// `triggers`
    pub triggers: Vec<Trigger>,
    /// `md5sums`: path and MD5 digest.
    pub md5sums: BTreeMap<EntryPath, [u8; 16]>,
    /// `shlibs`, as it is (deb-shlibs(5)).
    pub shlibs: Option<Vec<u8>>,
    /// `symbols`, as it is (deb-symbols(5)).
    pub symbols: Option<Vec<u8>>,
    /// Every other file by name (`templates`, `isinstallable`, …).
    pub others: BTreeMap<String, Vec<u8>>,
}

/// Which maintainer script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScriptKind {
    /// Before files are laid.
    Preinst,
    /// After files are laid.
    Postinst,
    /// Before files are removed.
    Prerm,
    /// After files are removed.
    Postrm,
    /// debconf's questions.
    Config,
}

impl ScriptKind {
    /// All scripts, in the order in which dpkg runs them over a package's life.
    pub const ALL: [Self; 5] = [
        Self::Config,
        Self::Preinst,
        Self::Postinst,
        Self::Prerm,
        Self::Postrm,
    ];

    /// The name of the script's file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Preinst => "preinst",
            Self::Postinst => "postinst",
            Self::Prerm => "prerm",
            Self::Postrm => "postrm",
            Self::Config => "config",
        }
    }
}

/// A configuration file that dpkg does not overwrite (deb-conffiles(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conffile {
    /// Which file.
    pub path: EntryPath,
    /// Whether an upgrade removes it (it is then not in the file archive).
    pub remove_on_upgrade: bool,
}

/// A line of `triggers` (deb-triggers(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Whether the package reacts to the trigger or sets it off.
    pub direction: TriggerDirection,
    /// Whether the package that sets it off waits until it is dealt with.
    pub waiting: TriggerWaiting,
    /// The trigger: a name, or an absolute path (a file trigger).
    pub name: String,
}

/// Which side of a trigger a package is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TriggerDirection {
    /// `interest`: the package's postinst runs when it is set off.
    Interest,
    /// `activate`: a change of the package sets it off.
    Activate,
}

/// Whether a trigger is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TriggerWaiting {
    /// No suffix: the default, which is to wait.
    Default,
    /// `-await`
    Await,
    /// `-noawait`
    NoAwait,
}

impl Control {
    /// Reads an uncompressed control archive; `member` is its name for errors.
    pub(crate) fn read(member: &str, input: impl Read) -> Result<Self, DebError> {
        let mut files = read_files(member, input)?;
        let text = files.remove("control").ok_or(DebError::NoControl)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let binary = Binary::from_paragraph(&parse_paragraph(&text)?)?;
        let mut scripts = BTreeMap::new();
        for kind in ScriptKind::ALL {
            if let Some(script) = files.remove(kind.file_name()) {
                scripts.insert(kind, script);
            }
        }
        let mut lines = |name| files.remove(name).unwrap_or_default();
        Ok(Self {
            binary,
            text,
            scripts,
            conffiles: parse_lines("conffiles", &lines("conffiles"), parse_conffile)?,
            triggers: parse_lines("triggers", &lines("triggers"), parse_trigger)?,
            md5sums: parse_lines("md5sums", &lines("md5sums"), parse_md5sum)?
                .into_iter()
                .collect(),
            shlibs: files.remove("shlibs"),
            symbols: files.remove("symbols"),
            others: files,
        })
    }
}

/// Reads all files of the control archive into memory; its total size is limited by the input.
fn read_files(member: &str, input: impl Read) -> Result<BTreeMap<String, Vec<u8>>, DebError> {
    let mut tar = TarReader::new(input);
    let mut files = BTreeMap::new();
    while let Some(entry) = tar.next_entry().map_err(|error| tar_error(member, error))? {
        let refuse = |reason| DebError::Path {
            member: member.to_owned(),
            path: String::from_utf8_lossy(&entry.path).into_owned(),
            reason,
        };
        let path = EntryPath::parse(&entry.path).map_err(refuse)?;
        if entry.kind.is_dir() && path.is_root() {
            continue;
        }
        if !entry.kind.is_file() && !entry.kind.is_contiguous() {
            return Err(refuse("it is no regular file"));
        }
        let name = std::str::from_utf8(path.as_bytes())
            .ok()
            .filter(|name| !name.is_empty() && !name.contains('/'));
        let name = name.ok_or_else(|| refuse("it is no plain name"))?.to_owned();
        if files.contains_key(&name) {
            return Err(refuse("it stands twice in the archive"));
        }
        if files.len() == MAX_CONTROL_FILES {
            return Err(DebError::TooManyEntries {
                member: member.to_owned(),
                limit: MAX_CONTROL_FILES,
            });
        }
        let mut bytes = Vec::new();
        tar.content()
            .read_to_end(&mut bytes)
            .map_err(|source| crate::compression::read_error(member, source))?;
        files.insert(name, bytes);
    }
    Ok(files)
}

/// Parses a file of lines; empty lines mean nothing. `parse` gives `Ok(None)` for a line without a value.
fn parse_lines<T>(
    file: &'static str,
    bytes: &[u8],
    parse: impl Fn(&[u8]) -> Result<Option<T>, &'static str>,
) -> Result<Vec<T>, DebError> {
    let mut values = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            continue;
        }
        match parse(line) {
            Ok(value) => values.extend(value),
            Err(reason) => {
                return Err(DebError::ControlFile {
                    file,
                    line: index + 1,
                    reason,
                });
            }
        }
    }
    Ok(values)
}

/// `[remove-on-upgrade ]/absolute/path`
fn parse_conffile(line: &[u8]) -> Result<Option<Conffile>, &'static str> {
    let (path, remove_on_upgrade) = match line.strip_prefix(b"remove-on-upgrade") {
        Some(rest) if rest.starts_with(b" ") || rest.starts_with(b"\t") => (rest.trim_ascii_start(), true),
        _ => (line, false),
    };
    let path = path
        .strip_prefix(b"/")
        .ok_or("the path of a conffile is not absolute, or its flag is unknown")?;
    Ok(Some(Conffile {
        path: EntryPath::parse(path)?,
        remove_on_upgrade,
    }))
}

/// `interest[-await|-noawait] NAME` or `activate[-await|-noawait] NAME`, with `#` comments.
fn parse_trigger(line: &[u8]) -> Result<Option<Trigger>, &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "the line is no text")?;
    let line = line.split('#').next().unwrap_or("").trim();
    if line.is_empty() {
        return Ok(None);
    }
    let (directive, name) = line
        .split_once([' ', '\t'])
        .ok_or("the directive has no trigger")?;
    let (direction, waiting) = match directive.split_once('-').unwrap_or((directive, "")) {
        ("interest", waiting) => (TriggerDirection::Interest, waiting),
        ("activate", waiting) => (TriggerDirection::Activate, waiting),
        _ => return Err("the directive is unknown"),
    };
    let waiting = match waiting {
        "" => TriggerWaiting::Default,
        "await" => TriggerWaiting::Await,
        "noawait" => TriggerWaiting::NoAwait,
        _ => return Err("the directive is unknown"),
    };
    Ok(Some(Trigger {
        direction,
        waiting,
        name: name.trim_start().to_owned(),
    }))
}

/// `DIGEST  PATH`, the path relative to the root.
fn parse_md5sum(line: &[u8]) -> Result<Option<(EntryPath, [u8; 16])>, &'static str> {
    let (digits, path) = line
        .split_at_checked(32)
        .ok_or("the line is too short for a digest")?;
    let mut digest = [0; 16];
    hex::decode_to_slice(digits, &mut digest).map_err(|_| "the digest is not 32 hexadecimal digits")?;
    // Two blanks, or a blank and the `*` of md5sum's binary mode.
    let path = path
        .strip_prefix(b"  ")
        .or(path.strip_prefix(b" *"))
        .ok_or("no two blanks follow the digest")?;
    Ok(Some((EntryPath::parse(path)?, digest)))
}
