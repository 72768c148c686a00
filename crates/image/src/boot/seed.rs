//! The cloud-init seed of a guest: a small disk of the data source NoCloud, and the key in it.
//!
//! Format: cloud-init's documentation of the NoCloud data source. The disk is a FAT file system labelled `CIDATA` with
//! `meta-data` and `user-data`; both are YAML, of which JSON is a part.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lazuli_disk::{Content, OutputFile, fat};
use serde_json::json;

use crate::{Error, Result};

/// The smallest file system that has the number of clusters of FAT32. Nearly all of it is a hole.
const SIZE: u64 = 34 << 20;

/// An ssh key of the person who starts a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshKey {
    /// The line of the public key.
    pub public: String,
    /// The file of the private key, if it is known. Without one, ssh's agent is relied on.
    pub private: Option<PathBuf>,
}

impl SshKey {
    /// Reads a public key; the private one is expected beside it, without `.pub`.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
        let public = text.lines().next().unwrap_or_default().trim().to_owned();
        if public.split_whitespace().count() < 2 {
            return Err(Error::Setting {
                setting: "ssh key",
                value: path.display().to_string(),
                problem: "the file has no public key",
            });
        }
        let private = Some(path.with_extension("")).filter(|p| p.is_file());
        Ok(Self { public, private })
    }

    /// The first usable public key of a folder (`~/.ssh`): Ed25519 first, then the others by name.
    pub fn find_in(folder: &Path) -> Option<Self> {
        let entries = std::fs::read_dir(folder).ok()?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
        paths.retain(|p| p.extension().is_some_and(|e| e == "pub"));
        paths.sort_by_key(|p| (!p.ends_with("id_ed25519.pub"), p.clone()));
        paths.iter().find_map(|p| Self::read(p).ok())
    }

    /// The key `guest-key` of a folder, which is made if it is not there.
    pub fn find_or_make(folder: &Path) -> Result<Self> {
        let private = folder.join("guest-key");
        let public = folder.join("guest-key.pub");
        if !public.is_file() || !private.is_file() {
            std::fs::create_dir_all(folder).map_err(|e| Error::io("create the folder", folder, e))?;
            let output = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "guest", "-f"])
                .arg(&private)
                .stdin(Stdio::null())
                .output()
                .map_err(|e| Error::io("run `ssh-keygen` for", &private, e))?;
            if !output.status.success() {
                return Err(Error::Command {
                    command: "ssh-keygen".to_owned(),
                    status: output.status.to_string(),
                    message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
                });
            }
        }
        Self::read(&public)
    }
}

/// What cloud-init is told.
#[derive(Debug, Clone)]
pub struct Seed {
    /// A new one makes cloud-init take the machine for a new one.
    pub instance_id: String,
    /// Host name.
    pub hostname: String,
    /// Public keys of the default user.
    pub keys: Vec<String>,
    /// More of the `#cloud-config`, in its top level.
    pub more: serde_json::Map<String, serde_json::Value>,
}

impl Seed {
    /// Writes the disk.
    pub fn write(&self, path: &Path) -> Result<()> {
        let meta = json!({ "instance-id": self.instance_id, "local-hostname": self.hostname });
        let mut user = self.more.clone();
        user.insert("ssh_authorized_keys".to_owned(), json!(self.keys));
        let user = format!("#cloud-config\n{}\n", serde_json::Value::Object(user));
        let files = [
            fat::File::new("meta-data", Content::bytes(format!("{meta}\n").into_bytes())),
            fat::File::new("user-data", Content::bytes(user.into_bytes())),
        ];
        let settings = fat::Settings {
            size: SIZE,
            volume_id: 0x4c5a_5d01,
            label: "CIDATA".to_owned(),
            epoch: 0,
        };
        let layout = fat::plan(&files, &settings)?;
        let output = OutputFile::create(path)?;
        output.set_length(SIZE)?;
        layout.write(output.region(SIZE))?;
        Ok(output.commit()?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::print_stderr)]
    use super::*;

    #[test]
    fn keys_are_made_once_and_found() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(SshKey::find_in(folder.path()), None);
        let Ok(made) = SshKey::find_or_make(folder.path()) else {
            eprintln!("SKIPPED: ssh-keygen is missing");
            return;
        };
        assert!(made.public.starts_with("ssh-ed25519 "));
        assert_eq!(made, SshKey::find_or_make(folder.path()).unwrap());
        std::fs::write(folder.path().join("a.pub"), "nonsense\n").unwrap();
        assert_eq!(SshKey::find_in(folder.path()), Some(made));
    }

    /// mtools reads what cloud-init will read.
    #[test]
    fn the_seed_has_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seed.img");
        let seed = Seed {
            instance_id: "i-1".to_owned(),
            hostname: "h".to_owned(),
            keys: vec!["ssh-ed25519 AAAA \"x\"".to_owned()],
            more: serde_json::Map::new(),
        };
        seed.write(&path).unwrap();
        let read = |name: &str| {
            Command::new("mtype")
                .args(["-i".as_ref(), path.as_os_str()])
                .arg(format!("::{name}"))
                .output()
        };
        let Ok(output) = read("user-data") else {
            eprintln!("SKIPPED: mtools is missing");
            return;
        };
        let text = String::from_utf8(output.stdout).unwrap();
        let json = text.strip_prefix("#cloud-config\n").unwrap();
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(value["ssh_authorized_keys"][0], "ssh-ed25519 AAAA \"x\"");
        let meta = String::from_utf8(read("meta-data").unwrap().stdout).unwrap();
        assert_eq!(meta, "{\"instance-id\":\"i-1\",\"local-hostname\":\"h\"}\n");
    }
}
