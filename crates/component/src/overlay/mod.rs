//! Overlays: named changes to a spec and its sources, all or nothing.
//!
//! ```text
//!  SourceTree + overlays ──apply──▶ SourceTree, Applied      (or OverlayFailure, and the tree is as it was)
//!  SourceTree + build options ──prepare──▶ SourceTree, Prepared
//! ```
//!
//! A spec is changed by the lossless editor of `lazuli-spec`: what an overlay does not name keeps every byte. Archives
//! are unpacked in memory, once for all overlays that change them, and packed at the end.
//!
//! Overlays work on a copy of the tree, which is cheap as contents are shared; only when all have applied does it take
//! the tree's place.

mod files;
mod pattern;
mod prepare;
mod report;
mod spec;
mod state;

use std::io;
use std::path::Path;

use lazuli_catalog::ResolvedOverlay;
use lazuli_catalog::schema::OverlayAction;

use crate::source_tree::SourceTree;
use state::{Fault, Workbench};

pub use prepare::{MACROS_SUFFIX, Prepared, prepare};
pub use report::{
    Applied, AppliedOverlay, FileAction, FileChange, FoundLine, OverlayFailure, OverlayIdentity, OverlayStep,
};

/// Reads the files that overlays bring along (`source = "…"`).
pub type ReadLocal<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// Most overlays of one component.
const MAX_OVERLAYS: usize = 10_000;

/// What an overlay did.
#[derive(Debug, Default)]
struct Outcome {
    changes: Vec<FileChange>,
    warnings: Vec<String>,
}

impl<'a> From<&'a ResolvedOverlay> for OverlayStep<'a> {
    fn from(overlay: &'a ResolvedOverlay) -> Self {
        OverlayStep {
            action: &overlay.action,
            description: overlay.description.as_deref(),
            place: Some((overlay.place.file.to_path_buf(), overlay.place.line)),
        }
    }
}

/// Applies the overlays in order. When one fails, the tree is as it was before the first.
///
/// # Errors
/// [`OverlayFailure`] of the first one that does not apply.
pub fn apply(
    tree: &mut SourceTree,
    overlays: &[OverlayStep<'_>],
    read: ReadLocal<'_>,
) -> Result<Applied, Box<OverlayFailure>> {
    let identity = |at: usize| identity(at, overlays.get(at));
    if overlays.len() > MAX_OVERLAYS {
        let spec = tree.spec_path().as_str();
        return Err(
            Fault::new(spec, "there are more than 10,000 overlays").into_failure(identity(MAX_OVERLAYS))
        );
    }
    let mut bench = Workbench::new(tree.clone());
    let mut applied = Applied::default();
    for (at, step) in overlays.iter().enumerate() {
        bench.overlay = at;
        let outcome =
            apply_one(&mut bench, step.action, read).map_err(|fault| fault.into_failure(identity(at)))?;
        applied.overlays.push(AppliedOverlay {
            overlay: identity(at),
            changes: outcome.changes,
            warnings: outcome.warnings,
        });
    }
    *tree = bench
        .finish()
        .map_err(|(at, fault)| fault.into_failure(identity(at)))?;
    Ok(applied)
}

fn identity(at: usize, step: Option<&OverlayStep<'_>>) -> OverlayIdentity {
    OverlayIdentity {
        number: at + 1,
        kind: step.map_or("overlay", |step| kind(step.action)),
        description: step.and_then(|step| step.description).map(str::to_owned),
        place: step.and_then(|step| step.place.clone()),
    }
}

fn kind(action: &OverlayAction) -> &'static str {
    match action {
        OverlayAction::SpecAddTag { .. } => "spec-add-tag",
        OverlayAction::SpecInsertTag { .. } => "spec-insert-tag",
        OverlayAction::SpecSetTag { .. } => "spec-set-tag",
        OverlayAction::SpecUpdateTag { .. } => "spec-update-tag",
        OverlayAction::SpecRemoveTag { .. } => "spec-remove-tag",
        OverlayAction::SpecPrependLines { .. } => "spec-prepend-lines",
        OverlayAction::SpecAppendLines { .. } => "spec-append-lines",
        OverlayAction::SpecSearchReplace { .. } => "spec-search-replace",
        OverlayAction::SpecRemoveSection { .. } => "spec-remove-section",
        OverlayAction::SpecRemoveSubpackage { .. } => "spec-remove-subpackage",
        OverlayAction::PatchAdd { .. } => "patch-add",
        OverlayAction::PatchRemove { .. } => "patch-remove",
        OverlayAction::FilePrependLines { .. } => "file-prepend-lines",
        OverlayAction::FileSearchReplace { .. } => "file-search-replace",
        OverlayAction::FileAdd { .. } => "file-add",
        OverlayAction::FileRemove { .. } => "file-remove",
        OverlayAction::FileRename { .. } => "file-rename",
    }
}

fn apply_one(bench: &mut Workbench, action: &OverlayAction, read: ReadLocal<'_>) -> Result<Outcome, Fault> {
    match action {
        OverlayAction::PatchAdd {
            source,
            file,
            package,
        } => spec::add_patch(bench, source, file.as_deref(), package.as_deref(), read),
        OverlayAction::PatchRemove { file } => spec::remove_patches(bench, file),
        OverlayAction::FilePrependLines { file, lines } => files::prepend(bench, file, lines),
        OverlayAction::FileSearchReplace {
            file,
            archive: None,
            regex,
            mode,
            replacement,
        } => files::search_replace(bench, file, regex, *mode, replacement),
        OverlayAction::FileSearchReplace {
            file,
            archive: Some(archive),
            regex,
            mode,
            replacement,
        } => files::search_replace_in_archive(bench, archive, file, regex, *mode, replacement),
        OverlayAction::FileAdd { file, source } => files::add(bench, file, source, read),
        OverlayAction::FileRemove { file, archive: None } => files::remove(bench, file),
        OverlayAction::FileRemove {
            file,
            archive: Some(archive),
        } => files::remove_in_archive(bench, archive, file),
        OverlayAction::FileRename { file, replacement } => files::rename(bench, file, replacement),
        action => match spec::apply(bench, action)? {
            Some(outcome) => Ok(outcome),
            None => Err(Fault::new(
                bench.spec().as_str(),
                "this kind of overlay is not known here",
            )),
        },
    }
}
