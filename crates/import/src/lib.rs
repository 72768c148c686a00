//! Turn a binary package of an upstream archive into an RPM without scriptlets.
mod declarations;
mod elf;
mod files;
mod scripts;
mod version;
pub use declarations::*;
pub use elf::{ElfDependencies, ElfError, MissingSoname, elf_dependencies};
pub use scripts::{Action, KnownFile, Reason, Recognition, ScriptFacts, ShellError, Statement, UnitScope, Verdict, recognise};
pub use version::{VersionMappingError, to_comparison, to_evr};
