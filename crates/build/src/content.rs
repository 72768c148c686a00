//! What a package does to those who use it, as a digest: the early cut-off.
//!
//! Two packages with the same content digest are the same to whoever builds with them. In it are:
//!
//! - name and architecture;
//! - files: path, mode, owner, group, digest, link target, device, capabilities, flags, and which are hard links;
//! - dependencies of every kind, with the package's own EVR replaced by a word, since a package that provides
//!   `zlib = 1.3-2` gives no more than one that provided `zlib = 1.3-1`;
//! - scriptlets.
//!
//! Not in it, so that a rebuild which changes nothing rebuilds nothing: EVR, build time and host, changelog, summary and
//! description, file times, signatures, compression.

use crate::error::IoContext;
use crate::{BuildError, Digest};
use lazuli_rpm::{Dependency, Evr, FileEntry, Metadata, Package};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

/// Raised when [`content_digest`] means something else.
const CONTENT_VERSION: &str = "lazuli package content 1";

/// What stands for the package's own EVR in its dependencies.
const OWN_EVR: &str = "(own)";

/// Largest package file that is read for its content digest.
const PACKAGE_SIZE_MAX: u64 = 4 << 30;

/// The digest of what a package does to those who use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentDigest(pub Digest);

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A hash of fields, each with its length, so that no two lists of fields look alike.
struct Fields(Sha256);

impl Fields {
    fn put(&mut self, field: impl AsRef<[u8]>) {
        let field = field.as_ref();
        self.0.update((field.len() as u64).to_be_bytes());
        self.0.update(field);
    }
}

/// The content digest of a package.
pub fn content_digest(metadata: &Metadata) -> ContentDigest {
    let mut fields = Fields(Sha256::new());
    fields.put(CONTENT_VERSION);
    fields.put(&metadata.nevra.name);
    fields.put(&metadata.nevra.arch);
    let kinds = [
        ("requires", &metadata.requires),
        ("provides", &metadata.provides),
        ("conflicts", &metadata.conflicts),
        ("obsoletes", &metadata.obsoletes),
        ("recommends", &metadata.recommends),
        ("suggests", &metadata.suggests),
        ("supplements", &metadata.supplements),
        ("enhances", &metadata.enhances),
    ];
    for (kind, dependencies) in kinds {
        let mut lines: Vec<String> = dependencies
            .iter()
            .map(|dependency| dependency_line(dependency, &metadata.nevra.evr))
            .collect();
        lines.sort();
        fields.put(kind);
        fields.put((lines.len() as u64).to_be_bytes());
        lines.iter().for_each(|line| fields.put(line));
    }
    fields.put((metadata.scriptlets.len() as u64).to_be_bytes());
    for scriptlet in &metadata.scriptlets {
        fields.put(format!("{:?}", scriptlet.kind));
        fields.put(scriptlet.interpreter.join("\0"));
        fields.put(&scriptlet.body);
    }
    put_files(&mut fields, &metadata.files);
    ContentDigest(Digest::from(<[u8; 32]>::from(fields.0.finalize())))
}

fn dependency_line(dependency: &Dependency, own: &Evr) -> String {
    let bound = match &dependency.constraint {
        Some((comparison, evr)) if evr == own => format!("{} {OWN_EVR}", comparison.symbol()),
        Some((comparison, evr)) => format!("{} {evr}", comparison.symbol()),
        None => String::new(),
    };
    let name = if dependency.is_rich() {
        dependency.name.replace(&own.to_string(), OWN_EVR)
    } else {
        dependency.name.clone()
    };
    format!("{name}\0{bound}\0{}", dependency.sense.bits())
}

fn put_files(fields: &mut Fields, files: &[FileEntry]) {
    let mut sorted: Vec<&FileEntry> = files.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    // Inode numbers differ between builds; which files share one does not.
    let mut first_of: HashMap<u32, &[u8]> = HashMap::new();
    fields.put((sorted.len() as u64).to_be_bytes());
    for file in sorted {
        fields.put(&file.path);
        fields.put(file.mode.to_be_bytes());
        fields.put(&file.user);
        fields.put(&file.group);
        fields.put(file.digest.map(|digest| digest.to_vec()).unwrap_or_default());
        fields.put(&file.link_target);
        fields.put(&file.capabilities);
        fields.put(file.flags.bits().to_be_bytes());
        fields.put(file.rdev.to_be_bytes());
        let linked_to = if file.is_regular() && file.inode != 0 {
            *first_of.entry(file.inode).or_insert(&file.path)
        } else {
            &file.path
        };
        fields.put(linked_to);
    }
}

/// Content digests of package files, kept by the digest of the file: reading a package costs more than looking up.
#[derive(Debug, Default)]
pub struct ContentIndex {
    path: Option<PathBuf>,
    known: BTreeMap<Digest, ContentDigest>,
    is_changed: bool,
}

impl ContentIndex {
    /// One that is not kept.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Reads what is known from a file; one that is missing, damaged or of another version knows nothing, since all in
    /// it can be had again.
    pub fn open(path: &Path) -> Result<Self, BuildError> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            text => text.doing("reading", path)?,
        };
        Ok(Self {
            path: Some(path.to_owned()),
            known: parse(&text).unwrap_or_default(),
            is_changed: false,
        })
    }

    /// The content digest of a package file whose digest is known. The file is read once; it must have that digest.
    pub fn of_file(&mut self, path: &Path, file: Digest) -> Result<ContentDigest, BuildError> {
        if let Some(known) = self.known.get(&file) {
            return Ok(*known);
        }
        let (found, content) = read_content(path)?;
        if found != file {
            return Err(BuildError::WrongDigest {
                name: path.display().to_string(),
                expected: file,
                found,
            });
        }
        self.insert(file, content);
        Ok(content)
    }

    /// Notes the content digest of a package file that was just made.
    pub fn insert(&mut self, file: Digest, content: ContentDigest) {
        self.is_changed |= self.known.insert(file, content) != Some(content);
    }

    /// Writes what is known, if there is something new.
    pub fn save(&mut self) -> Result<(), BuildError> {
        let Some(path) = self.path.as_ref().filter(|_| self.is_changed) else {
            return Ok(());
        };
        let mut text = format!("{CONTENT_VERSION}\n");
        for (file, content) in &self.known {
            text.push_str(&format!("{file} {content}\n"));
        }
        lazuli_durable::write(path, text.as_bytes()).doing("writing", path)?;
        self.is_changed = false;
        Ok(())
    }
}

fn parse(text: &str) -> Option<BTreeMap<Digest, ContentDigest>> {
    let lines = text.strip_prefix(CONTENT_VERSION)?.strip_prefix('\n')?.lines();
    lines
        .map(|line| {
            let (file, content) = line.split_once(' ')?;
            Some((file.parse().ok()?, ContentDigest(content.parse().ok()?)))
        })
        .collect()
}

/// The digest of a package file, and of its content.
fn read_content(path: &Path) -> Result<(Digest, ContentDigest), BuildError> {
    let size = std::fs::metadata(path).doing("reading", path)?.len();
    if size > PACKAGE_SIZE_MAX {
        return Err(BuildError::BadInput {
            what: "package",
            value: path.display().to_string(),
            reason: "it has more than 4 GiB",
        });
    }
    let bytes = std::fs::read(path).doing("reading", path)?;
    let metadata = Package::parse(&bytes)
        .and_then(|package| package.metadata())
        .map_err(|source| BuildError::Package {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
    Ok((Digest::of(&bytes), content_digest(&metadata)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use lazuli_rpm::{ChangelogEntry, Comparison, Nevra};

    fn package() -> Metadata {
        let evr = Evr::new(0, "1.3", "2");
        let mut metadata = Metadata::new(Nevra {
            name: "zlib1g".to_owned(),
            evr: evr.clone(),
            arch: "x86_64".to_owned(),
        });
        metadata.provides = vec![Dependency::versioned("zlib", Comparison::Equal, evr.clone())];
        metadata.requires = vec![
            Dependency::versioned("zlib-data", Comparison::Equal, evr),
            Dependency::any("libc.so.6()(64bit)"),
        ];
        metadata.files = vec![
            FileEntry::regular("/usr/lib/libz.so.1.3", 0o755, 3, Some([1; 32])),
            FileEntry::symlink("/usr/lib/libz.so.1", "libz.so.1.3"),
        ];
        metadata
    }

    /// What does not matter to those who use a package does not change its digest.
    #[test]
    fn what_a_rebuild_changes_alone_is_not_in_it() {
        let first = package();
        let mut second = package();
        second.nevra.evr.release = "3".to_owned();
        for list in [&mut second.provides, &mut second.requires] {
            for (_, evr) in list.iter_mut().filter_map(|d| d.constraint.as_mut()) {
                evr.release = "3".to_owned();
            }
        }
        second.requires.reverse();
        second.build_time = 7;
        second.build_host = "other".to_owned();
        second.description = "other".to_owned();
        second.files.reverse();
        second.files[1].mtime = 9;
        second.changelog = vec![ChangelogEntry {
            time: 1,
            author: "A".to_owned(),
            text: "- t".to_owned(),
        }];
        assert_eq!(content_digest(&first), content_digest(&second));
    }

    type Change = fn(&mut Metadata);

    /// What matters does.
    #[test]
    fn what_users_see_is_in_it() {
        let changes: [(&str, Change); 9] = [
            ("name", |m| m.nevra.name.push('x')),
            ("digest", |m| m.files[0].digest = Some([2; 32])),
            ("mode", |m| m.files[0].mode ^= 0o1),
            ("owner", |m| m.files[0].user = "daemon".to_owned()),
            ("link", |m| m.files[1].link_target = b"other".to_vec()),
            ("capabilities", |m| {
                m.files[0].capabilities = "cap_chown=ep".to_owned()
            }),
            ("config", |m| m.files[0].flags = lazuli_rpm::FileFlags::CONFIG),
            ("requirement", |m| m.requires.push(Dependency::any("bash"))),
            ("bound", |m| {
                m.provides[0].constraint.as_mut().unwrap().1.version = "9".to_owned()
            }),
        ];
        for (what, change) in changes {
            let mut changed = package();
            change(&mut changed);
            assert_ne!(content_digest(&package()), content_digest(&changed), "{what}");
        }
    }

    #[test]
    fn hard_links_count_and_their_numbers_do_not() {
        let with = |inodes: [u32; 2]| {
            let mut metadata = package();
            metadata.files = inodes
                .iter()
                .zip(["/usr/bin/a", "/usr/bin/b"])
                .map(|(inode, path)| FileEntry {
                    inode: *inode,
                    ..FileEntry::regular(path, 0o755, 1, Some([1; 32]))
                })
                .collect();
            content_digest(&metadata)
        };
        assert_eq!(with([1, 1]), with([5, 5]));
        assert_ne!(with([1, 1]), with([1, 2]));
    }

    #[test]
    fn the_index_is_kept_and_a_damaged_one_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        let (file, content) = (Digest::of(b"a"), ContentDigest(Digest::of(b"b")));
        let mut index = ContentIndex::open(&path).unwrap();
        index.insert(file, content);
        index.save().unwrap();
        let mut index = ContentIndex::open(&path).unwrap();
        assert_eq!(index.of_file(Path::new("/none"), file).unwrap(), content);
        std::fs::write(&path, "lazuli package content 1\nrubbish\n").unwrap();
        let mut index = ContentIndex::open(&path).unwrap();
        assert!(index.of_file(Path::new("/none"), file).is_err());
    }
}
