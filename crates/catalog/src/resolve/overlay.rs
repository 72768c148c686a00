//! Overlays in the order in which they are applied.

use std::path::Path;

use super::{Fault, LayerOrigin};
use crate::schema::{Overlay, OverlayAction, OverlayFile, OverlayMetadata, OverlayType, Place, Placed};

/// An overlay of a component, one step in the order in which they are applied: those of the layers, the earliest layer
/// first, and then those of overlay files.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResolvedOverlay {
    /// The kind of overlay.
    pub kind: OverlayType,
    /// What it does; paths in it know the folder that they are relative to.
    pub action: OverlayAction,
    /// Why it is, in a line.
    pub description: Option<String>,
    /// Where the change comes from; of an overlay in an overlay file, the file's. It changes nothing in the result, and
    /// is no part of any fingerprint.
    pub metadata: Option<OverlayMetadata>,
    /// The layer that has it, or that names its file.
    pub layer: LayerOrigin,
    /// Where it is written.
    pub place: Place,
}

/// An overlay file of a component, and the layer that names it.
pub(crate) struct OverlaySource<'c> {
    pub(crate) path: &'c Path,
    pub(crate) file: &'c OverlayFile,
    pub(crate) layer: LayerOrigin,
}

/// Adds the step that `overlay` is. `metadata` is that of its file, if it is in an overlay file.
pub(crate) fn resolve_overlay(
    overlay: &Placed<Overlay>,
    metadata: Option<&OverlayMetadata>,
    layer: &LayerOrigin,
    steps: &mut Vec<ResolvedOverlay>,
    faults: &mut Vec<Fault>,
) {
    // Files are checked when they are loaded; what is left are overlays that no file has.
    let (action, place) = match (overlay.action(), overlay.place()) {
        (Ok(action), Some(place)) => (action, place.clone()),
        (Err(error), _) => return faults.push(Fault::new(error.to_string()).at(&["overlays"])),
        (_, None) => return faults.push(Fault::new("an overlay is in no file").at(&["overlays"])),
    };
    steps.push(ResolvedOverlay {
        kind: overlay.kind,
        action,
        description: overlay.description.clone(),
        metadata: metadata.or(overlay.metadata.as_ref()).cloned(),
        layer: layer.clone(),
        place,
    });
}
