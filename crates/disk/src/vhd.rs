//! Fixed VHD.
use crate::Result;
use std::path::Path;
use uuid::Uuid;

/// Writes `out`, a fixed VHD of the raw disk `raw`, padded to whole MiB.
pub fn convert(_raw: &Path, _out: &Path, _uuid: Uuid, _epoch: u32) -> Result<()> {
    todo!()
}
