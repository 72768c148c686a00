//! GUID partition tables.
//!
//! Specification: UEFI 2.10, chapter 5. Types and attributes: the Discoverable Partitions Specification of the UAPI
//! group. The writer is our own (three structures and two checksums): it writes at positions of a region instead of
//! through a seeking device, and takes nothing from a random source.

use uuid::Uuid;

use crate::{Error, Region, Result};

/// Bytes of a sector. Disks with others are not written.
pub const SECTOR: u64 = 512;
/// Partitions start and end at multiples of this: 1 MiB.
pub const ALIGNMENT: u64 = 1 << 20;
/// Entries of the table, and bytes of one.
const ENTRIES: usize = 128;
const ENTRY: usize = 128;
/// Sectors of the entries.
const ENTRY_SECTORS: u64 = (ENTRIES * ENTRY) as u64 / SECTOR;
/// The first sector that a partition may have: after protective MBR, header and entries.
const FIRST_USABLE: u64 = 2 + ENTRY_SECTORS;
const HEADER: usize = 92;
const SIGNATURE: &[u8; 8] = b"EFI PART";
const REVISION: u32 = 0x0001_0000;
/// UTF-16 units of a partition's name.
const NAME_UNITS: usize = 36;

/// Types of the Discoverable Partitions Specification, <https://uapi-group.org/specifications/specs/discoverable_partitions_specification/>.
pub mod partition_type {
    use uuid::{Uuid, uuid};

    /// EFI system partition (UEFI 2.10, 5.3.3).
    pub const ESP: Uuid = uuid!("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
    /// Extended boot loader partition.
    pub const XBOOTLDR: Uuid = uuid!("bc13c2ff-59e6-4262-a352-b275fd6f7172");
    /// Root file system, x86-64.
    pub const ROOT_X86_64: Uuid = uuid!("4f68bce3-e8cd-4db1-96e7-fbcaf984b709");
    /// Hash tree of the root file system, x86-64.
    pub const ROOT_X86_64_VERITY: Uuid = uuid!("2c7357ed-ebd2-46d9-aec1-23d437ec2bf5");
    /// Signature of the root file system's root hash, x86-64.
    pub const ROOT_X86_64_VERITY_SIG: Uuid = uuid!("41092b05-9fc8-4523-994f-2def0408b176");
    /// Root file system, 64-bit ARM.
    pub const ROOT_ARM64: Uuid = uuid!("b921b045-1df0-41c3-af44-4c6f280d3fae");
    /// Hash tree of the root file system, 64-bit ARM.
    pub const ROOT_ARM64_VERITY: Uuid = uuid!("df3300ce-d69f-4c92-978c-9bfb0f38d820");
    /// Signature of the root file system's root hash, 64-bit ARM.
    pub const ROOT_ARM64_VERITY_SIG: Uuid = uuid!("6db69de6-29f4-4758-a7a5-962190f00ce3");
    /// `/usr`, x86-64.
    pub const USR_X86_64: Uuid = uuid!("8484680c-9521-48c6-9c11-b0720656f69e");
    /// Hash tree of `/usr`, x86-64.
    pub const USR_X86_64_VERITY: Uuid = uuid!("77ff5f63-e7b6-4633-acf4-1565b864c0e6");
    /// Signature of the root hash of `/usr`, x86-64.
    pub const USR_X86_64_VERITY_SIG: Uuid = uuid!("e7bb33fb-06cf-4e81-8273-e543b413e2e2");
    /// `/usr`, 64-bit ARM.
    pub const USR_ARM64: Uuid = uuid!("b0e01050-ee5f-4390-949a-9101b17104e9");
    /// Hash tree of `/usr`, 64-bit ARM.
    pub const USR_ARM64_VERITY: Uuid = uuid!("6e11a4e7-fbca-4ded-b9e9-e1a512bb664e");
    /// Signature of the root hash of `/usr`, 64-bit ARM.
    pub const USR_ARM64_VERITY_SIG: Uuid = uuid!("c23ce4ff-44bd-4b00-b2d4-b41b3419e02a");
    /// Swap.
    pub const SWAP: Uuid = uuid!("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f");
    /// `/home`.
    pub const HOME: Uuid = uuid!("933ac7e1-2eb4-4f13-b844-0e14e2aef915");
    /// `/srv`.
    pub const SRV: Uuid = uuid!("3b8f8425-20e0-4f3b-907f-1a25a76f98e8");
    /// `/var`. Found only where the partition's GUID is derived from the machine id.
    pub const VAR: Uuid = uuid!("4d21b016-b534-45c2-a9fb-5c16e091fd2d");
    /// Any file system of Linux, not found by itself.
    pub const LINUX: Uuid = uuid!("0fc63daf-8483-4772-8e79-3d69d8477de4");
}

/// A UUID for one thing, derived from a seed (version 5, RFC 9562): the same for the same seed and words.
///
/// Give each thing of an image words of its own: `derive_uuid(seed, "partition root")`.
pub fn derive_uuid(seed: Uuid, what: &str) -> Uuid {
    Uuid::new_v5(&seed, what.as_bytes())
}

/// Attribute bits of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes(u64);

impl Attributes {
    /// None.
    pub const NONE: Self = Self(0);
    /// The platform needs it: tools should not delete it.
    pub const REQUIRED: Self = Self(1);
    /// The file system is grown to the partition's size when it is first mounted.
    pub const GROW_FILE_SYSTEM: Self = Self(1 << 59);
    /// Mounted read-only.
    pub const READ_ONLY: Self = Self(1 << 60);
    /// Not found and mounted by itself.
    pub const NO_AUTO: Self = Self(1 << 63);

    /// These and those.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are among these.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A partition in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its name (`PARTLABEL`), up to 36 UTF-16 units.
    pub name: String,
    /// Its type: [`partition_type`].
    pub kind: Uuid,
    /// Its own GUID (`PARTUUID`).
    pub guid: Uuid,
    /// Attributes.
    pub attributes: Attributes,
    /// The first byte, a multiple of [`SECTOR`].
    pub start: u64,
    /// Bytes, a multiple of [`SECTOR`].
    pub length: u64,
}

/// A partition table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The disk's GUID.
    pub disk: Uuid,
    /// Bytes of the disk.
    pub size: u64,
    /// The partitions, by their numbers.
    pub partitions: Vec<Partition>,
}

impl Table {
    /// Bytes of the smallest disk with partitions up to `end`: there is room for the second table, in whole MiB.
    pub fn disk_size(end: u64) -> u64 {
        (end.max(ALIGNMENT) + (1 + ENTRY_SECTORS) * SECTOR).next_multiple_of(ALIGNMENT)
    }

    /// Where the last partition of a disk of `size` bytes must end, in whole MiB.
    pub fn partitions_end(size: u64) -> u64 {
        let end = size.saturating_sub((1 + ENTRY_SECTORS) * SECTOR);
        end - end % ALIGNMENT
    }

    /// Writes the protective MBR and both copies of the table; `region` is the whole disk.
    pub fn write(&self, region: Region<'_>) -> Result<()> {
        self.check()?;
        let sectors = self.size / SECTOR;
        let entries = self.entries()?;
        // The copy at the end first: the primary table shows that the disk is complete.
        region.write_at((sectors - 1 - ENTRY_SECTORS) * SECTOR, &entries)?;
        region.write_at(
            (sectors - 1) * SECTOR,
            &self.header(&entries, sectors - 1, 1, sectors - 1 - ENTRY_SECTORS),
        )?;
        region.write_at(2 * SECTOR, &entries)?;
        region.write_at(SECTOR, &self.header(&entries, 1, sectors - 1, 2))?;
        region.write_at(0, &protective_mbr(sectors))
    }

    fn check(&self) -> Result<()> {
        let refuse = |problem| {
            Err(Error::Settings {
                what: "partition table",
                problem,
            })
        };
        if self.partitions.len() > ENTRIES {
            return refuse(format!(
                "{} partitions, {ENTRIES} is the most",
                self.partitions.len()
            ));
        }
        let sectors = self.size / SECTOR;
        if !self.size.is_multiple_of(SECTOR) || sectors < FIRST_USABLE + ENTRY_SECTORS + 2 {
            return refuse(format!("a disk of {} bytes", self.size));
        }
        let mut taken: Vec<(u64, u64, &str)> = Vec::new();
        for partition in &self.partitions {
            let (start, end) = (partition.start, partition.start.saturating_add(partition.length));
            let usable = FIRST_USABLE * SECTOR..(sectors - 1 - ENTRY_SECTORS) * SECTOR;
            let aligned = start.is_multiple_of(SECTOR) && end.is_multiple_of(SECTOR);
            if !aligned || partition.length == 0 || start < usable.start || end > usable.end {
                return refuse(format!(
                    "the partition `{}` cannot lie at {start}..{end}",
                    partition.name
                ));
            }
            if let Some(other) = taken.iter().find(|other| start < other.1 && other.0 < end) {
                return refuse(format!(
                    "the partitions `{}` and `{}` overlap",
                    other.2, partition.name
                ));
            }
            taken.push((start, end, &partition.name));
        }
        Ok(())
    }

    fn entries(&self) -> Result<Vec<u8>> {
        let mut entries = vec![0; ENTRIES * ENTRY];
        for (partition, entry) in self.partitions.iter().zip(entries.chunks_exact_mut(ENTRY)) {
            entry[0..16].copy_from_slice(&partition.kind.to_bytes_le());
            entry[16..32].copy_from_slice(&partition.guid.to_bytes_le());
            let last = (partition.start + partition.length) / SECTOR - 1;
            entry[32..40].copy_from_slice(&(partition.start / SECTOR).to_le_bytes());
            entry[40..48].copy_from_slice(&last.to_le_bytes());
            entry[48..56].copy_from_slice(&partition.attributes.0.to_le_bytes());
            let name: Vec<u16> = partition.name.encode_utf16().collect();
            if name.len() > NAME_UNITS {
                let problem = format!(
                    "the name `{}` is longer than {NAME_UNITS} UTF-16 units",
                    partition.name
                );
                return Err(Error::Settings {
                    what: "partition table",
                    problem,
                });
            }
            for (unit, place) in name.iter().zip(entry[56..].chunks_exact_mut(2)) {
                place.copy_from_slice(&unit.to_le_bytes());
            }
        }
        Ok(entries)
    }

    fn header(&self, entries: &[u8], own: u64, other: u64, first_entry: u64) -> Vec<u8> {
        let mut header = vec![0; SECTOR as usize];
        header[0..8].copy_from_slice(SIGNATURE);
        header[8..12].copy_from_slice(&REVISION.to_le_bytes());
        header[12..16].copy_from_slice(&(HEADER as u32).to_le_bytes());
        let last_usable = self.size / SECTOR - 2 - ENTRY_SECTORS;
        for (at, sector) in [
            (24, own),
            (32, other),
            (40, FIRST_USABLE),
            (48, last_usable),
            (72, first_entry),
        ] {
            header[at..at + 8].copy_from_slice(&sector.to_le_bytes());
        }
        header[56..72].copy_from_slice(&self.disk.to_bytes_le());
        for (at, value) in [
            (80, ENTRIES as u32),
            (84, ENTRY as u32),
            (88, crc32fast::hash(entries)),
        ] {
            header[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        let sum = crc32fast::hash(&header[..HEADER]);
        header[16..20].copy_from_slice(&sum.to_le_bytes());
        header
    }

    /// Reads the primary table of a disk.
    ///
    /// # Errors
    /// [`Error::Damaged`] where signature, sizes or checksums are wrong, or a partition leaves the disk.
    pub fn read(region: Region<'_>) -> Result<Self> {
        let damaged = |offset, problem: &str| Error::Damaged {
            format: "GPT",
            offset,
            problem: problem.to_owned(),
        };
        if region.length() < (2 + ENTRY_SECTORS) * SECTOR {
            return Err(damaged(0, "the disk is too small for a partition table"));
        }
        let mut header = [0; SECTOR as usize];
        region.read_at(SECTOR, &mut header)?;
        let word =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        if &header[..8] != SIGNATURE || word(12) as usize != HEADER {
            return Err(damaged(SECTOR, "there is no partition table"));
        }
        let mut summed = header;
        summed[16..20].fill(0);
        if crc32fast::hash(&summed[..HEADER]) != word(16) {
            return Err(damaged(SECTOR, "the checksum of the header is wrong"));
        }
        if word(80) as usize != ENTRIES || word(84) as usize != ENTRY || long(72) != 2 {
            return Err(damaged(SECTOR, "the table is of an unusual size or place"));
        }
        let mut entries = vec![0; ENTRIES * ENTRY];
        region.read_at(2 * SECTOR, &mut entries)?;
        if crc32fast::hash(&entries) != word(88) {
            return Err(damaged(2 * SECTOR, "the checksum of the entries is wrong"));
        }
        let mut partitions = Vec::new();
        for entry in entries
            .chunks_exact(ENTRY)
            .filter(|entry| entry[..16].iter().any(|&byte| byte != 0))
        {
            let partition =
                read_entry(entry).ok_or_else(|| damaged(2 * SECTOR, "a partition has no sensible place"))?;
            region.part(partition.start, partition.length)?;
            partitions.push(partition);
        }
        let disk = uuid_at(&header, 56);
        Ok(Self {
            disk,
            size: region.length(),
            partitions,
        })
    }
}

fn uuid_at(bytes: &[u8], at: usize) -> Uuid {
    let mut uuid = [0; 16];
    uuid.copy_from_slice(&bytes[at..at + 16]);
    Uuid::from_bytes_le(uuid)
}

fn read_entry(entry: &[u8]) -> Option<Partition> {
    let long = |at: usize| Some(u64::from_le_bytes(entry.get(at..at + 8)?.try_into().ok()?));
    let (first, last) = (long(32)?, long(40)?);
    let length = last.checked_sub(first)?.checked_add(1)?.checked_mul(SECTOR)?;
    let units: Vec<u16> = entry[56..]
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .take_while(|&unit| unit != 0)
        .collect();
    Some(Partition {
        name: String::from_utf16_lossy(&units),
        kind: uuid_at(entry, 0),
        guid: uuid_at(entry, 16),
        attributes: Attributes(long(48)?),
        start: first.checked_mul(SECTOR)?,
        length,
    })
}

/// The MBR that tells older tools that the disk is in use (UEFI 2.10, 5.2.3).
fn protective_mbr(sectors: u64) -> Vec<u8> {
    let mut mbr = vec![0; SECTOR as usize];
    let size = u32::try_from(sectors - 1).unwrap_or(u32::MAX);
    // Not bootable; from cylinder 0, head 0, sector 2; type; to the end as far as the fields reach; LBA 1 and size.
    mbr[446..454].copy_from_slice(&[0, 0, 2, 0, 0xEE, 0xFF, 0xFF, 0xFF]);
    mbr[454..458].copy_from_slice(&1u32.to_le_bytes());
    mbr[458..462].copy_from_slice(&size.to_le_bytes());
    mbr[510..512].copy_from_slice(&[0x55, 0xAA]);
    mbr
}
