//! GUID partition table.
use uuid::Uuid;

/// A UUID derived from a seed and what it is for: version 5.
pub fn derive_uuid(seed: Uuid, what: &str) -> Uuid {
    Uuid::new_v5(&seed, what.as_bytes())
}

/// Partition types of the Discoverable Partitions Specification.
pub mod partition_type {
    use uuid::{Uuid, uuid};
    /// EFI system partition.
    pub const ESP: Uuid = uuid!("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
    /// Root file system, x86-64.
    pub const ROOT_X86_64: Uuid = uuid!("4f68bce3-e8cd-4db1-96e7-fbcaf984b709");
}

/// Attribute bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes(pub u64);

impl Attributes {
    /// Grow the file system on first mount.
    pub const GROW_FILE_SYSTEM: Self = Self(1 << 59);
    /// Read only.
    pub const READ_ONLY: Self = Self(1 << 60);
    /// Not mounted automatically.
    pub const NO_AUTO: Self = Self(1 << 63);
    /// These and those.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
