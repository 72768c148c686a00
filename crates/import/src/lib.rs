//! Turn a binary package of an upstream archive into an RPM without scriptlets.
//!
//! ```text
//!  .deb + Origin + ImportSettings ──import──▶ Imported { metadata, contents, report } ──build──▶ .rpm
//! ```
//!
//! [`import`] is pure: bytes and values in, values out. [`import_all`] does it for many packages in parallel, with a
//! cache, and writes files. What a package needs beyond its files comes out of its maintainer scripts, which are read
//! but never run ([`recognise`]), and out of what is declared by hand ([`Declarations`]); both become plain files of the
//! package. What cannot be understood is a [`Finding`].
//!
//! | part | what it does |
//! |---|---|
//! | `version` | Debian versions as RPM versions, in the same order |
//! | `relations`, `automatic`, `elf` | dependencies: those that are written, those that files have |
//! | `license` | SPDX expressions of copyright files |
//! | `paths`, `tree`, `capability` | files: the move to `/usr`, links, owners |
//! | `scripts` | the recogniser of maintainer scripts |
//! | `declarations`, `recognised`, `emit` | what is declared, and how it becomes files |
//! | `convert`, `lint`, `origin` | one package, what is wrong with it, where it comes from |
//! | `batch` | many packages |
//! | `generate` | packages without an upstream |

mod automatic;
mod batch;
mod capability;
mod convert;
mod declarations;
mod elf;
mod emit;
mod error;
mod generate;
mod license;
mod lint;
mod origin;
mod paths;
mod recognised;
mod relations;
mod scripts;
mod settings;
mod tree;
mod version;

pub use batch::{
    ImportEvent, ImportInput, ImportPlaces, ImportSigner, ImportSummary, SummaryFinding, import_all, write,
};
pub use convert::{IMPORTER_VERSION, ImportReport, Imported, import};
pub use declarations::{
    Alternative, Attributes, Declarations, DeclaredFile, Directory, FileCapabilities, FileContent, Finaliser,
    Follower, Group, Member, Symlink, User,
};
pub use elf::{ElfDependencies, ElfError, MissingSoname, elf_dependencies};
pub use error::ImportError;
pub use generate::{GeneratedPackage, generate};
pub use license::{is_spdx, own_license, spdx_expression};
pub use lint::{Finding, Severity};
pub use origin::{Origin, OriginError};
pub use relations::{RelationMappingError, Relations, map_relations};
pub use scripts::{
    Action, KnownFile, Reason, Recognition, ScriptFacts, ShellError, Statement, UnitScope, Verdict, recognise,
};
pub use settings::{ImportSettings, MIN_REVIEW_DIGITS, Recognised, ReviewedScript};
pub use tree::Contents;
pub use version::{VersionMappingError, to_comparison, to_evr};
