//! The inputs of a build as a layer: spec, sources, macros and the user, read-only for the build since they are root's.
//!
//! ```text
//! /builddir/SPECS/NAME.spec   /builddir/SOURCES/…       root's
//! /builddir/{BUILD,BUILDROOT,RPMS,SRPMS,home}           the build's
//! /builddir/home/.rpmmacros                             root's
//! /etc/passwd, /etc/group, /etc/hosts                   of the buildroot, with the user of the build
//! ```

use super::circumstances::Circumstances;
use super::macros::{self, TOP};
use crate::error::IoContext;
use crate::{BuildError, BuildJob, Digest, InputContent, InputFile};
use rustix::fs::{Gid, Uid};
use std::collections::HashSet;
use std::fs::{File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Most sources of one component.
const SOURCES_MAX: usize = 20_000;

/// How much of a source is copied at once.
const BLOCK: usize = 256 * 1024;

/// The name of the build's user and group.
const USER: &str = "builder";

/// The folders of rpmbuild that the build writes to.
const WRITABLE: [&str; 5] = ["BUILD", "BUILDROOT", "RPMS", "SRPMS", "home"];

/// The home folder of the build's user.
pub(super) fn home() -> String {
    format!("{TOP}/home")
}

/// Where the spec is, inside.
pub(super) fn spec_path(job: &BuildJob) -> String {
    format!("{TOP}/SPECS/{}", job.spec.name)
}

/// Writes the layer into an empty folder. `below` are the layers of the buildroot.
pub(super) fn write(
    folder: &Path,
    job: &BuildJob,
    below: &[PathBuf],
    circumstances: &Circumstances,
) -> Result<(), BuildError> {
    let layer = Layer {
        folder,
        time: SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(job.epoch.0)),
    };
    let top = TOP.trim_start_matches('/');
    for sub in [
        "",
        "SPECS",
        "SOURCES",
        "BUILD",
        "BUILDROOT",
        "RPMS",
        "SRPMS",
        "home",
    ] {
        layer.folder(&format!("{top}/{sub}"))?;
    }
    if !job.spec.name.ends_with(".spec") {
        return Err(BuildError::BadInput {
            what: "name of a spec",
            value: job.spec.name.clone(),
            reason: "it ends with `.spec`",
        });
    }
    if job.sources.len() > SOURCES_MAX {
        return Err(BuildError::BadInput {
            what: "list of sources",
            value: job.component.clone(),
            reason: "it has more than 20000 entries",
        });
    }
    layer.input(&format!("{top}/SPECS"), &job.spec)?;
    let mut names = HashSet::new();
    for source in &job.sources {
        if !names.insert(source.name.as_str()) {
            return Err(BuildError::BadInput {
                what: "source",
                value: source.name.clone(),
                reason: "another one has the same name",
            });
        }
        layer.input(&format!("{top}/SOURCES"), source)?;
    }
    let text = macros::text(job, circumstances.processors)?;
    // rpm 4.20 reads the second where it is there, older ones know the first.
    layer.file(&format!("{top}/home/.rpmmacros"), text.as_bytes())?;
    layer.folder(&format!("{top}/home/.config/rpm"))?;
    layer.file(&format!("{top}/home/.config/rpm/macros"), text.as_bytes())?;
    layer.accounts(below, circumstances)?;
    let (uid, gid) = (Uid::from_raw(circumstances.id), Gid::from_raw(circumstances.id));
    for sub in WRITABLE
        .map(|sub| format!("{top}/{sub}"))
        .iter()
        .chain([&format!("{top}/home/.config")])
    {
        let path = folder.join(sub);
        rustix::fs::chown(&path, Some(uid), Some(gid))
            .map_err(std::io::Error::from)
            .doing("giving to the build's user", &path)?;
    }
    Ok(())
}

struct Layer<'a> {
    folder: &'a Path,
    time: SystemTime,
}

impl Layer<'_> {
    fn folder(&self, path: &str) -> Result<(), BuildError> {
        let path = self.folder.join(path);
        std::fs::create_dir_all(&path).doing("making the folder", &path)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).doing("setting the mode of", &path)
    }

    fn file(&self, path: &str, content: &[u8]) -> Result<(), BuildError> {
        let path = self.folder.join(path);
        let mut file = File::create(&path).doing("writing", &path)?;
        file.write_all(content).doing("writing", &path)?;
        self.finish(&file, &path)
    }

    fn finish(&self, file: &File, path: &Path) -> Result<(), BuildError> {
        file.set_permissions(Permissions::from_mode(0o644))
            .and_then(|()| file.set_modified(self.time))
            .doing("setting mode and time of", path)
    }

    /// Copies an input and checks its digest on the way.
    fn input(&self, folder: &str, input: &InputFile) -> Result<(), BuildError> {
        let is_plain = !input.name.is_empty()
            && !matches!(input.name.as_str(), "." | "..")
            && !input.name.contains(['/', '\0', '\n']);
        if !is_plain {
            return Err(BuildError::BadInput {
                what: "name of a source",
                value: input.name.clone(),
                reason: "it must be the name of a file, without folders",
            });
        }
        let path = self.folder.join(folder).join(&input.name);
        let mut file = File::create(&path).doing("writing", &path)?;
        let found = match &input.content {
            InputContent::Bytes(bytes) => {
                file.write_all(bytes).doing("writing", &path)?;
                Digest::of(bytes)
            }
            InputContent::Path(source) => {
                let from = File::open(source).doing("opening the source", source)?;
                let mut tee = Tee { from, to: &mut file };
                Digest::of_reader(&mut tee).doing("copying the source", source)?
            }
        };
        if found != input.digest {
            return Err(BuildError::WrongDigest {
                name: input.name.clone(),
                expected: input.digest,
                found,
            });
        }
        self.finish(&file, &path)
    }

    /// The user of the build, added to those of the buildroot, and a name for the loopback.
    fn accounts(&self, below: &[PathBuf], circumstances: &Circumstances) -> Result<(), BuildError> {
        self.folder("etc")?;
        let id = circumstances.id;
        let home = home();
        let lines = [
            (
                "etc/passwd",
                format!("{USER}:x:{id}:{id}:{USER}:{home}:/bin/sh\n"),
            ),
            ("etc/group", format!("{USER}:x:{id}:\n")),
        ];
        for (path, line) in lines {
            let mut text = topmost(below, path)?;
            // Nobody of the buildroot may have its name or its number.
            let number = format!(":{id}:");
            let is_free = |entry: &&str| !entry.starts_with(&format!("{USER}:")) && !entry.contains(&number);
            text = text
                .lines()
                .filter(is_free)
                .map(|entry| format!("{entry}\n"))
                .collect();
            text.push_str(&line);
            self.file(path, text.as_bytes())?;
        }
        let host = &circumstances.host;
        self.file(
            "etc/hosts",
            format!("127.0.0.1 localhost {host}\n::1 localhost {host}\n").as_bytes(),
        )
    }
}

/// The text of a file in the topmost layer that has it.
fn topmost(layers: &[PathBuf], path: &str) -> Result<String, BuildError> {
    for layer in layers {
        let path = layer.join(path);
        match std::fs::read(&path) {
            Ok(bytes) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(BuildError::io("reading", path, error)),
        }
    }
    Ok(String::new())
}

/// Writes what is read through it.
struct Tee<'a> {
    from: File,
    to: &'a mut File,
}

impl Read for Tee<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(BLOCK);
        let buffer = buffer.get_mut(..length).unwrap_or_default();
        let count = self.from.read(buffer)?;
        self.to.write_all(buffer.get(..count).unwrap_or_default())?;
        Ok(count)
    }
}
