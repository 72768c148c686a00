//! Where the components of a project are built: what is known of each, and what one build of a run does from the look
//! into the cache to the recorded result.
//!
//! ```text
//! FOLDER/                        one version of the distribution, one architecture
//!   results/NAME/KEY/            the packages of one build, its log, its provenance, `result.json`
//!   records/NAME.json            what was built last, from what, in what time
//!   work/                        builds that are going on; sandboxes that were kept
//! LOGS/NAME/TIME.log.zst         the logs of the last builds
//! CACHE/resolutions/DIGEST.json  packages of buildroots, by all that decides which they are
//! ```
//!
//! A build sees the imported packages and, before them, those of the components that it needs, however far away: never
//! what happens to be built already. So its buildroot is the same in whatever order and on whatever machine.
//!
//! A result is found by the digest of the build's key: below `results`, where it is of this or an earlier run, or in the
//! cache. Where a spec generates build requirements, they are known only when it was built once: the cache then has two
//! entries, one under the key without them that says which they are, and one under the whole key.

mod error;
mod executor;
mod imported;
mod job;
mod logs;
mod memo;
mod outcome;
mod places;
mod record;
mod resolve;
mod result_file;
mod verified;
mod watch;

pub use error::WorkshopError;
pub use executor::{Executor, Local, Work};
pub use imported::{Imported, Shelf};
pub use job::{Ending, Freshness, Recipe, RecipeError, Recipes, Workshop, WorkshopSettings};
pub use logs::{Logs, read_log};
pub use places::Places;
pub use record::{Attempt, AttemptOutcome, Record};
pub use result_file::{ComponentResult, ResultPackage};
pub use verified::{Verified, verify_components};
pub use watch::{FailureReport, HitFrom, Notice, Silent, Watcher, Why};
