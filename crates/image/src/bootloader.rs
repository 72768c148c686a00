//! What the EFI system partition holds: systemd-boot and the kernel images.
//!
//! Layout: the UAPI group's "Boot Loader Specification". systemd-boot is there twice: under the name that firmware
//! starts when it knows of nothing else (`EFI/BOOT/BOOTX64.EFI`), and under its own, where `bootctl` looks.

use lazuli_disk::{Content, fat};

use crate::view::View;
use crate::{Error, Result};

/// systemd-boot in a root.
const SYSTEMD_BOOT: &str = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi";
/// systemd-stub in a root.
const SYSTEMD_STUB: &str = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";

/// `loader.conf`: start the newest image at once, and let nobody at the console change the command line.
const LOADER_CONF: &str = "timeout 0\nconsole-mode keep\neditor no\n";

/// The bytes of the root's systemd-stub.
pub(crate) fn stub(view: View<'_>) -> Result<Vec<u8>> {
    Ok(view.read(SYSTEMD_STUB, "the kernel image")?.into_owned())
}

/// The files of the ESP, with the kernel image `uki` of that version.
pub(crate) fn files(view: View<'_>, uki: Vec<u8>, id: &str, version: &str) -> Result<Vec<fat::File>> {
    let loader = view.content(SYSTEMD_BOOT, "the boot loader")?;
    let file = |path: String, content: Content| fat::File { path, content };
    Ok(vec![
        file("EFI/BOOT/BOOTX64.EFI".to_owned(), loader.clone()),
        file(image_path(id, version)?, Content::bytes(uki)),
        file("EFI/systemd/systemd-bootx64.efi".to_owned(), loader.clone()),
        file(
            "loader/loader.conf".to_owned(),
            Content::bytes(LOADER_CONF.as_bytes()),
        ),
    ])
}

/// Where the kernel image of a version lies in the ESP.
pub(crate) fn image_path(id: &str, version: &str) -> Result<String> {
    for (setting, value) in [("name", id), ("version", version)] {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-~".contains(&b);
        if value.is_empty() || value.len() > 64 || !value.bytes().all(fits) {
            return Err(Error::Setting {
                setting,
                value: value.to_owned(),
                problem: "it must be letters, digits, `.`, `_`, `-` and `~`, 64 at most",
            });
        }
    }
    Ok(format!("EFI/Linux/{id}-{version}.efi"))
}
