//! The package manager of Lazuli hosts, as a library and as the program `lz`.
//!
//! [`Session`] is one root with its repositories: resolve, fetch, commit. The command line is on top of it:
//! [`main`] parses, becomes root of a namespace where that is needed, runs one command, and turns a failure into an exit
//! code.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done, or nothing to do |
//! | 1 | the request cannot be fulfilled or was declined, or a check found something |
//! | 2 | the command line is wrong |
//! | 3 | a configuration file is wrong |
//! | 4 | the machine lacks something: a right, room, the network |
//! | 5 | a signature or digest is not good; nothing of it was used |

mod change;
mod check;
mod cli;
mod config;
mod download;
mod failure;
mod fetch;
mod program;
mod query;
mod repository;
mod session;
mod setup;
mod terminal;

pub use config::{
    Check, DEFAULT_EXPIRE, DEFAULT_PRIORITY, RepositoryConfig, Variables, parse as parse_repositories,
};
pub use download::DownloadProgress;
pub use failure::{Failure, Kind, Result};
pub use fetch::Source;
pub use program::{command, main};
pub use repository::{Refresh, Repository};
pub use session::{Downloads, LOCAL_FILES, MissingRoot, Proposal, Run, Session, Settings, Sources};
