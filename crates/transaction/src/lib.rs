//! Plan and execute package changes in a root, and keep the rpm database.
//!
//! ```text
//! package files ──open_packages──▶ VerifiedPackage ──┐
//! rpm database  ──read_installed─▶ InstalledPackage ─┼─Plan::new──▶ Plan ──execute──▶ Report
//! configuration files that are there (Disk) ─────────┘
//! ```
//!
//! A [`Plan`] is made without changing anything, and says for every file what becomes of it; [`execute`] does it. Which
//! packages are wanted is the solver's business: the request names them.
//!
//! Whoever calls this must be root, of the machine or of a user namespace (`lazuli_sandbox::enter`): files get their owners.
//!
//! Deliberately absent: scriptlets of our own packages (they have none), triggers of foreign ones (yet; they are named in
//! the report), file colours of multilib systems.

mod accounts;
mod aliases;
mod alternatives;
mod capability;
mod error;
mod execute;
mod finaliser;
mod journal;
mod lay;
mod options;
mod package;
mod plan;
mod presets;
mod remove;
mod root;
mod rpmdb;
mod scriptlet;
mod settle;
mod verify;

pub use aliases::Aliases;
pub use error::TransactionError;
pub use execute::{Report, execute, read_automatic};
pub use journal::{Journal, NoJournal, Stage};
pub use options::{Clock, Docs, Finalisers, Options, Progress, Quiet, Scriptlets, Step};
pub use package::{PackageFile, Trust, VerifiedPackage, Wanted, open_packages};
pub use plan::{Change, Conflict, Disk, EmptyDisk, OnDisk, Plan, Request};
pub use presets::{UnitError, UnitFile, UnitFiles, links_of_disabling, links_of_enabling, system_units};
pub use root::Root;
pub use rpmdb::{DATABASE_FOLDER, InstalledPackage, check as check_database, read_installed};
pub use verify::{Aspect, Difference, verify};
