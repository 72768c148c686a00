//! A root tree that has just what an image needs, with stand-ins for all programs.

use lazuli_disk::{Content, Entry, Tree, TreeBuilder};
use lazuli_image::initrd;
use lazuli_image::manifest::{Made, Package};

/// The kernel's release in [`root`].
pub(crate) const KERNEL: &str = "6.12.1-test";

/// A root whose every file is small.
pub(crate) fn root() -> TreeBuilder {
    let mut builder = Tree::builder();
    for (path, target) in [
        ("bin", "usr/bin"),
        ("lib", "usr/lib"),
        ("sbin", "usr/sbin"),
        ("lib64", "usr/lib64"),
    ] {
        builder.add(Entry::symlink(path, target).unwrap()).unwrap();
    }
    for path in initrd::required_files() {
        add(&mut builder, &path, 0o755, format!("#!{path}\n").into_bytes());
    }
    add(
        &mut builder,
        "/usr/lib/x86_64-linux-gnu/libkmod.so.2",
        0o644,
        b"library".to_vec(),
    );
    add(
        &mut builder,
        "/usr/lib/systemd/boot/efi/systemd-bootx64.efi",
        0o644,
        b"loader".to_vec(),
    );
    add(
        &mut builder,
        "/usr/lib/systemd/boot/efi/linuxx64.efi.stub",
        0o644,
        efi_program(0x2000),
    );
    add(
        &mut builder,
        &format!("/boot/vmlinuz-{KERNEL}"),
        0o644,
        efi_program(0x20_0000),
    );
    let release = "NAME=Lazuli\nID=lazuli\nVERSION_ID=2\nPRETTY_NAME=\"Lazuli 2\"\n";
    add(&mut builder, "/usr/lib/os-release", 0o644, release.into());
    builder
        .add(Entry::symlink("/etc/os-release", "../usr/lib/os-release").unwrap())
        .unwrap();
    add_kernel(&mut builder, KERNEL);
    builder
}

/// The modules of a kernel: the ones that an initrd has by default.
pub(crate) fn add_kernel(builder: &mut TreeBuilder, release: &str) {
    let folder = format!("/usr/lib/modules/{release}");
    let builtin =
        "kernel/fs/ext4/ext4.ko\nkernel/drivers/nvme/host/nvme.ko\nkernel/drivers/virtio/virtio_pci.ko\n";
    let modules = [
        ("virtio_blk", ""),
        ("virtio_scsi", " kernel/scsi_mod.ko"),
        ("sd_mod", " kernel/scsi_mod.ko"),
        ("scsi_mod", ""),
    ];
    let mut dep = String::new();
    for (name, needs) in modules {
        dep += &format!("kernel/{name}.ko:{needs}\n");
        add(
            builder,
            &format!("{folder}/kernel/{name}.ko"),
            0o644,
            format!("module {name}").into_bytes(),
        );
    }
    add(builder, &format!("{folder}/modules.dep"), 0o644, dep.into_bytes());
    add(
        builder,
        &format!("{folder}/modules.builtin"),
        0o644,
        builtin.into(),
    );
    add(builder, &format!("{folder}/modules.order"), 0o644, Vec::new());
    add(
        builder,
        &format!("{folder}/modules.alias"),
        0o644,
        b"alias virtio:d00000002v* virtio_blk\n".to_vec(),
    );
}

/// Adds a file.
pub(crate) fn add(builder: &mut TreeBuilder, path: &str, mode: u16, bytes: Vec<u8>) {
    builder
        .add(
            Entry::file(path, mode, Content::bytes(bytes))
                .unwrap()
                .at(1_600_000_000),
        )
        .unwrap();
}

/// Packages with all that is difficult in a bill of materials.
pub(crate) fn packages() -> Vec<Package> {
    let package = |name: &str, epoch, version: &str, license: &str| Package {
        name: name.to_owned(),
        epoch,
        version: version.to_owned(),
        release: "1+deb13u1".to_owned(),
        arch: "x86_64".to_owned(),
        sha256: "ab".repeat(32),
        license: license.to_owned(),
        source: Some(format!("{name}-{version}-1.src.rpm")),
        origin: format!("deb:{name}@{version}?sha256={}", "cd".repeat(32)),
        url: "https://example.org/".to_owned(),
        summary: "A package – with a dash".to_owned(),
        vendor: "Lazuli".to_owned(),
        made: Made::Imported,
    };
    vec![
        package("zlib1g", 1, "1.3.dfsg+really1.3.1", "Zlib"),
        package("bash", 0, "5.2.37", "GPL-3.0-or-later"),
        package(
            "libstdc++6",
            0,
            "14.2.0",
            "GPL-3.0-or-later WITH GCC-exception-3.1",
        ),
        package("odd", 0, "1~rc1", "LicenseRef-Debian-odd AND MIT"),
        package("unknown", 0, "2", "as the author pleases"),
        Package {
            url: String::new(),
            vendor: String::new(),
            origin: String::new(),
            ..package("none", 0, "3", "")
        },
    ]
}

/// A PE32+ file with one section: enough for a stub or a kernel.
fn efi_program(size_of_image: u32) -> Vec<u8> {
    let mut data = vec![0u8; 0x600];
    let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(0x3c, &[0x40]);
    put(0x40, b"PE\0\0");
    put(0x44, &0x8664u16.to_le_bytes());
    put(0x46, &[1]);
    put(0x54, &240u16.to_le_bytes());
    put(0x56, &0x22eu16.to_le_bytes());
    put(0x58, &0x20bu16.to_le_bytes());
    for (at, value) in [
        (32, 0x1000),
        (36, 0x200),
        (56, size_of_image),
        (60, 0x400),
        (108, 16),
    ] {
        put(0x58 + at, &value.to_le_bytes());
    }
    put(0x58 + 68, &[10]);
    put(0x148, b".text");
    for (at, value) in [
        (8, 0x123u32),
        (12, 0x1000),
        (16, 0x200),
        (20, 0x400),
        (36, 0x6000_0020),
    ] {
        put(0x148 + at, &value.to_le_bytes());
    }
    data
}
