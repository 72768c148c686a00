//! The macro engine.
//!
//! ```text
//!  text ──engine──▶ output          scan: where a macro ends        table: definitions in stacks, over a shared base
//!           │                       arguments: words and options    settings: files, shell, environment, limits
//!           ├─ define, builtin, expression, lua                     notes: what could not be known
//!           └─ file: macro files
//! ```
//!
//! Behaviour is that of rpm 4.18, measured on `rpm --eval`; the built-in macros that rpm 4.20 has beyond it are there
//! in [`Dialect::Rpm420`](crate::Dialect).

mod arguments;
mod builtin;
mod context;
mod define;
mod engine;
mod error;
mod expand;
mod expression;
mod failure;
mod file;
mod lua;
mod notes;
mod scan;
mod settings;
mod table;
mod text;
mod version;

pub use context::{Expansion, MacroBase, Macros};
pub use error::{ExpressionProblem, Frame, MacroError, MacroErrorKind};
pub use expression::Value;
pub use lua::LuaItem;
pub use notes::{Message, Notes, Severity};
pub use settings::{Dialect, Files, Host, Limits, MemoryFiles, NoFiles, Settings, Shell};
pub use table::{Definition, Level};
pub use version::Version;
