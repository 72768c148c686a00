//! Disks to try.

use std::path::{Path, PathBuf};

use lazuli_disk::disk::{DiskSize, DiskWriter, Partition, PartitionContent};
use lazuli_disk::gpt::{Attributes, derive_uuid, partition_type};
use lazuli_disk::{Content, Error, Tree, ext4, fat};
use uuid::{Uuid, uuid};

use super::{EPOCH, noise, variety};

/// What all identities are derived from.
pub const SEED: Uuid = uuid!("6c617a75-6c69-4a6f-8f2e-0000000000ff");
/// Bytes of a MiB.
pub const MIB: u64 = 1 << 20;

/// Files whose names and sizes are of all kinds.
pub fn esp_files() -> Vec<fat::File> {
    let file = |path: &str, content: Vec<u8>| fat::File::new(path, Content::bytes(content));
    vec![
        file("EFI/BOOT/BOOTX64.EFI", noise(11, 150_000)),
        file("EFI/Linux/lazuli-6.12.48-2.efi", noise(12, 3_000_000)),
        file("EFI/Linux/lazuli-6.12.49-1.efi", noise(13, 4096)),
        file("loader/loader.conf", b"timeout 0\n".to_vec()),
        file("loader/entries.srel", b"type1\n".to_vec()),
        file("loader/empty", Vec::new()),
        file("loader/größe 日本.txt", b"names".to_vec()),
        file(&format!("long/{}", "n".repeat(255)), b"long".to_vec()),
        file("exactly-13-un", b"thirteen units".to_vec()),
    ]
}

/// Settings of an ESP.
pub fn esp_settings(size: u64) -> fat::Settings {
    fat::Settings {
        size,
        volume_id: 0x1234_ABCD,
        label: "ESP".to_owned(),
        epoch: EPOCH,
    }
}

/// Writes a disk with an ESP, a root file system and a raw partition.
pub fn write_disk(path: &Path, tree: &Tree, files: &[fat::File]) -> Result<(), Error> {
    let partition = |name: &str, kind, size, attributes| Partition {
        name: name.to_owned(),
        kind,
        guid: derive_uuid(SEED, name),
        attributes,
        size,
    };
    let growing = Attributes::GROW_FILE_SYSTEM;
    let mut writer = DiskWriter::create(
        path,
        derive_uuid(SEED, "disk"),
        DiskSize::Fitting,
        vec![
            partition("esp", partition_type::ESP, 40 * MIB, Attributes::NONE),
            partition(
                "raw",
                partition_type::LINUX,
                5000,
                Attributes::NO_AUTO.with(Attributes::READ_ONLY),
            ),
            partition("root", partition_type::ROOT_X86_64, 64 * MIB, growing),
        ],
    )?;
    let root = ext4::plan(
        tree,
        &ext4::Settings::new(64 * MIB, derive_uuid(SEED, "root fs"), EPOCH),
    )?;
    let esp = fat::plan(files, &esp_settings(40 * MIB))?;
    let raw = Content::bytes(noise(21, 5000));
    let contents: [(usize, &dyn PartitionContent); 3] = [(0, &esp), (1, &raw), (2, &root)];
    writer.write(&contents)?;
    writer.set_guid(1, derive_uuid(SEED, "another"))?;
    writer.finish()
}

/// The same with one of everything in it.
pub fn disk(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    write_disk(&path, &variety().finish().unwrap(), &esp_files()).unwrap();
    path
}
