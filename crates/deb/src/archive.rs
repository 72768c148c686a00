//! The `.deb` file itself (deb(5)): an `ar` archive of `debian-binary`, `control.tar.*` and `data.tar.*`.

use std::collections::BTreeMap;
use std::io::Read;

use crate::binary::{Binary, BinaryError};
use crate::control::ControlError;
use crate::entry::{Entry, EntryPath};

/// How much a `.deb` may unfold to. All limits are in bytes unless their name says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The uncompressed size of `control.tar`.
    pub control_bytes: u64,
    /// The uncompressed size of `data.tar`.
    pub data_bytes: u64,
    /// The number of entries of `data.tar`.
    pub entries: usize,
    /// The memory that a decompressor may take.
    pub decompressor_memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            control_bytes: 32 << 20,
            data_bytes: 16 << 30,
            entries: 2_000_000,
            decompressor_memory: 512 << 20,
        }
    }
}

/// A `.deb`: everything of its control archive, and a way through its file archive.
#[derive(Debug, Clone)]
pub struct Deb<'a> {
    control: Control,
    data: DataMember<'a>,
    limits: Limits,
}

#[derive(Debug, Clone)]
struct DataMember<'a> {
    name: String,
    bytes: &'a [u8],
}

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
    /// `shlibs`, as it is.
    pub shlibs: Option<Vec<u8>>,
    /// `symbols`, as it is.
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

/// A configuration file that dpkg does not overwrite.
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

/// Why a `.deb` cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// The control paragraph is malformed.
    #[error("control: {0}")]
    Control(#[from] ControlError),
    /// The control paragraph describes no package.
    #[error("control: {0}")]
    Binary(#[from] BinaryError),
}

/// Why a walk through the files ended.
#[derive(Debug, thiserror::Error)]
pub enum VisitError<E> {
    /// The archive is damaged or hostile.
    #[error(transparent)]
    Deb(#[from] DebError),
    /// The visitor gave up.
    #[error(transparent)]
    Visitor(E),
}

impl<'a> Deb<'a> {
    /// Reads the control archive of a `.deb` and finds its file archive.
    pub fn parse(_bytes: &'a [u8], _limits: Limits) -> Result<Self, DebError> {
        Err(DebError::Control(ControlError::NotOne { found: 0 }))
    }

    /// The content of the control archive.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The package that the control paragraph describes.
    pub fn binary(&self) -> &Binary {
        &self.control.binary
    }

    /// Walks through the files in the order of the archive, each checked: `visitor` gets the entry, and a reader of
    /// exactly the bytes of a regular file (of none otherwise). What it leaves unread is skipped.
    pub fn visit_files<E>(
        &self,
        _visitor: impl FnMut(&Entry, &mut dyn Read) -> Result<(), E>,
    ) -> Result<(), VisitError<E>> {
        let _ = (&self.data.name, self.data.bytes, self.limits);
        Ok(())
    }
}
