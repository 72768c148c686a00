//! Releases and changelogs, computed from history.
//!
//! # What counts
//!
//! A component's history is a line of entries, the oldest first: the commits of its upstream, and between them our own
//! changes. Each of ours stands after the upstream commit that was locked when it was made:
//!
//! ```text
//!  upstream   U0 ── U1 ────────── U2 ── U3
//!  ours             └─ P1 ─ P2 ──┘       └─ P3
//!  line       U0    U1    P1   P2    U2    U3    P3
//! ```
//!
//! A change of ours is one that changed the component's fingerprint, and so the built package. `%autorelease` is the
//! number of entries since the version last changed; a static number in the spec goes up by one for each of ours;
//! `%autochangelog` lists the entries, and an ordinary `%changelog` gets ours on top.
//!
//! # No dance
//!
//! Where a release is the number of *commits* that changed a lock, the rendered spec can't be right before its commit is
//! made: one renders, commits, renders again and amends. Here a change is recorded when it is made, not when it is
//! committed: `lazuli component update` appends it to `locks/NAME.changes`, beside the lock, with its time, author, text,
//! version and locked upstream commit. What is rendered depends on files alone, never on the commit that will hold
//! them. So one `lazuli component update && git commit` is enough, and:
//!
//! | what happens | commits counted | changes recorded |
//! |---|---|---|
//! | squash, rebase, amend, cherry-pick | the release moves | nothing changes |
//! | shallow clone | the release is wrong, or an error | nothing changes |
//! | two updates before one commit | one release | one: a change that is not in `HEAD` yet is replaced, not added to |
//! | an update is taken back before it is committed | no release | none: the change goes again |
//! | two branches change one component | two releases, a conflict in the lock | a conflict in lock and record: keep both entries; the next update adds one |
//! | the commit's message | is in the changelog | `update --message`, or the fields that changed, in words |
//!
//! The price is a file for each component that was ever changed, and that a changelog's text is chosen at the update.
//!
//! A project that azldev made has no such files. Its changes are read from git as azldev does it: the commits that
//! changed `input-fingerprint` in the lock ([`ProjectHistory`]). The first change that is recorded takes these over, so
//! that numbers go on where they were.
//!
//! # Merges of an upstream
//!
//! A line has one parent for each commit. Where the upstream merged, the parent that has the merge's spec is followed, or
//! if none has it the first one, the branch that was merged into: so the commits of a merged branch count where the merge
//! took its spec. `rpmautospec`, the field's tool (`pkg_history.py`, its visitors for release numbers and changelogs),
//! does it alike, but not always:
//!
//! | a merge | `rpmautospec` | here |
//! |---|---|---|
//! | has the tree of one parent: `%autorelease` | one more than the greatest number among the parents with the same version, which is mostly this one | the same where it is this one |
//! | `%autochangelog` | that parent's entries, and none of the merge's own | that parent's entries, and the merge's |
//! | made a third spec of two: `%autorelease` | one more than the greatest number among the parents with the same version | one more than the first parent's |
//! | `%autochangelog` | gives up: an entry says `unresolvable merge`, and what is older is lost | the first parent's entries, and the merge's |
//!
//! So a release may be smaller here where both sides of a merge changed the spec. No number has to be equal to the
//! upstream's, for our import is a change of its own; it has to go up with each commit, and it does, because a line only
//! grows.

mod changelog;
mod line;
mod project;
mod record;
mod release;

pub use changelog::{ChangelogError, changelog_items, skips_changelog};
pub use line::{Counted, Entry, HistoryLine, Origin};
pub use project::{HistoryError, ProjectHistory};
pub use record::{ChangesFile, RecordError, RecordedChange};
pub use release::{ReleaseError, ReleaseRule, Released, release};
