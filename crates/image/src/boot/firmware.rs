//! UEFI firmware for guests: the code, and the variables' initial state.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Where distributions have it: Debian and Ubuntu, Fedora, Arch, SUSE. The larger flash of 4 MiB first.
const PLACES: &[(&str, &str)] = &[
    (
        "/usr/share/OVMF/OVMF_CODE_4M.fd",
        "/usr/share/OVMF/OVMF_VARS_4M.fd",
    ),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    (
        "/usr/share/edk2/ovmf/OVMF_CODE_4M.fd",
        "/usr/share/edk2/ovmf/OVMF_VARS_4M.fd",
    ),
    (
        "/usr/share/edk2/ovmf/OVMF_CODE.fd",
        "/usr/share/edk2/ovmf/OVMF_VARS.fd",
    ),
    (
        "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
        "/usr/share/edk2/x64/OVMF_VARS.4m.fd",
    ),
    (
        "/usr/share/qemu/ovmf-x86_64-code.bin",
        "/usr/share/qemu/ovmf-x86_64-vars.bin",
    ),
];

/// A firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firmware {
    /// The program, mapped read-only.
    pub code: PathBuf,
    /// The variables' initial state; each guest gets a copy.
    pub variables: PathBuf,
}

impl Firmware {
    /// The first firmware that is there.
    pub fn find() -> Result<Self> {
        Self::find_in(Path::new("/"))
    }

    fn find_in(root: &Path) -> Result<Self> {
        let below = |path: &str| root.join(path.trim_start_matches('/'));
        let pairs = PLACES.iter().map(|(code, variables)| Self {
            code: below(code),
            variables: below(variables),
        });
        pairs
            .into_iter()
            .find(|f| f.code.is_file() && f.variables.is_file())
            .ok_or_else(|| {
                let mut searched: Vec<String> = PLACES
                    .iter()
                    .filter_map(|(code, _)| Path::new(code).parent())
                    .map(|folder| folder.display().to_string())
                    .collect();
                searched.dedup();
                Error::Firmware { searched }
            })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn both_halves_must_be_there() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("usr/share/OVMF");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("OVMF_CODE_4M.fd"), "").unwrap();
        let error = Firmware::find_in(root.path()).unwrap_err().to_string();
        assert!(error.contains("/usr/share/OVMF, /usr/share/edk2/ovmf"), "{error}");
        std::fs::write(folder.join("OVMF_CODE.fd"), "").unwrap();
        std::fs::write(folder.join("OVMF_VARS.fd"), "").unwrap();
        assert_eq!(
            Firmware::find_in(root.path()).unwrap().code,
            folder.join("OVMF_CODE.fd")
        );
    }
}
