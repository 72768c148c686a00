//! The initrd: systemd and the drivers of disks, taken from the root's own files.
//!
//! No generator scripts run and nothing is compiled: a list of programs ([`contents`]) is closed over the libraries
//! that they need, a list of kernel modules over the modules that these need, and a few files are added. The result is a
//! [`Tree`], so that it can be looked at, and an archive of it ([`Initrd::archive`]), which is the same for the same
//! root: owners are root's, times are one fixed time, and the order is that of the tree.

mod contents;
mod index;
mod modules;

use std::collections::BTreeSet;

use lazuli_disk::{Content, Entry, Kind, Tree, TreeBuilder, TreePath};

use crate::elf;
use crate::view::{View, read_content};
use crate::{Error, Result};
use modules::Catalogue;
pub(crate) use modules::kernels;

const UNIT_FOLDER: &str = "/usr/lib/systemd/system";
const RULE_FOLDER: &str = "/usr/lib/udev/rules.d";
/// How much is taken from one root, in entries: a guard against a closure that never ends.
const MAX_ENTRIES: usize = 20_000;

/// The modules that a cloud machine's disk may need (virtio, SCSI, Hyper-V, NVMe), and `autofs4`, which systemd asks for.
/// Those that are part of the kernel are passed over, and `?` marks those that a kernel may do without.
pub const DEFAULT_MODULES: &[&str] = &[
    "ext4",
    "nvme",
    "virtio_pci",
    "virtio_blk",
    "virtio_scsi",
    "sd_mod",
    "hv_vmbus?",
    "hv_storvsc?",
    "pci_hyperv?",
    "autofs4?",
];

/// What an initrd shall have.
#[derive(Debug, Clone)]
pub struct InitrdSettings {
    /// The kernel's release (`6.12.1-cloud-amd64`); `None` for the only one of the root.
    pub kernel: Option<String>,
    /// Kernel modules by name; each is loaded at start. A final `?` marks one that may be missing.
    pub modules: Vec<String>,
    /// More of the root, by path: programs with the libraries that they need, other files, links with what they lead to,
    /// and folders, but not what is in them.
    pub extra_files: Vec<String>,
    /// What is the initrd's own. It comes last, in the place of anything of the same path.
    pub own: Vec<Entry>,
    /// The zstd level of the archive, 1 to 19.
    pub compression: i32,
    /// The time of all entries, in seconds since 1970.
    pub epoch: i64,
}

impl InitrdSettings {
    /// The usual contents.
    pub fn new(epoch: i64) -> Self {
        Self {
            kernel: None,
            modules: DEFAULT_MODULES.iter().map(|&s| s.to_owned()).collect(),
            extra_files: Vec::new(),
            own: Vec::new(),
            compression: 9,
            epoch,
        }
    }
}

/// An initrd.
#[derive(Debug)]
pub struct Initrd {
    /// Its files.
    pub tree: Tree,
    /// The release of the kernel that it is for.
    pub kernel: String,
    /// The modules in it, as paths below the kernel's folder.
    pub modules: Vec<String>,
    level: i32,
}

impl Initrd {
    /// The cpio archive, compressed with zstd.
    pub fn archive(&self) -> Result<Vec<u8>> {
        let mut plain = Vec::new();
        lazuli_disk::cpio::write(&self.tree, &mut plain)?;
        let fault = |source| Error::io("compress", std::path::Path::new("initrd"), source);
        let mut encoder = zstd::Encoder::new(Vec::new(), self.level).map_err(fault)?;
        // The kernel checks the content size, and a wrong archive fails early with a checksum.
        encoder.include_checksum(true).map_err(fault)?;
        encoder
            .set_pledged_src_size(Some(plain.len() as u64))
            .map_err(fault)?;
        std::io::Write::write_all(&mut encoder, &plain).map_err(fault)?;
        encoder.finish().map_err(fault)
    }
}

/// The paths that a root must have for its initrd, beside libraries and kernel modules.
pub fn required_files() -> Vec<String> {
    let programs = contents::PROGRAMS.iter().map(|path| (*path).to_owned());
    let units = contents::UNITS.iter().map(|unit| format!("{UNIT_FOLDER}/{unit}"));
    let rules = contents::RULES.iter().map(|rule| format!("{RULE_FOLDER}/{rule}"));
    programs.chain(units).chain(rules).collect()
}

/// Makes the initrd of a root.
pub fn build(root: &Tree, settings: &InitrdSettings) -> Result<Initrd> {
    if !(1..=19).contains(&settings.compression) {
        return Err(Error::Setting {
            setting: "initrd compression level",
            value: settings.compression.to_string(),
            problem: "it must be from 1 to 19",
        });
    }
    let view = View::new(root);
    let kernel = choose_kernel(view, settings.kernel.as_deref())?;
    let mut collector = Collector::new(view, settings.epoch);
    for path in ["/bin", "/sbin", "/lib", "/lib64"] {
        collector.take_link(path)?;
    }
    for path in &required_files() {
        collector.take(path, "the initrd")?;
    }
    for path in &settings.extra_files {
        collector.take_any(path)?;
    }
    for path in contents::OPTIONAL_PROGRAMS {
        if view.find(path)?.is_some() {
            collector.take(path, "the initrd")?;
        }
    }
    for library in contents::LOADED_LIBRARIES {
        collector.take_library(library, "/usr/lib/systemd/systemd")?;
    }
    let catalogue = Catalogue::read(view, &kernel)?;
    let modules = catalogue.closure(&settings.modules)?;
    let folder = modules::folder(&kernel);
    for module in &modules {
        collector.put(&format!("{folder}/{}", module.target), catalogue.load(module)?)?;
    }
    for (name, bytes) in catalogue.lists(&modules)? {
        collector.put(&format!("{folder}/{name}"), bytes)?;
    }
    collector.put(
        "usr/lib/modules-load.d/10-initrd.conf",
        load_list(&catalogue, settings).into_bytes(),
    )?;
    add_own_files(&mut collector)?;
    for entry in &settings.own {
        collector.builder.replace(entry.clone().at(settings.epoch));
    }
    Ok(Initrd {
        tree: collector.finish()?,
        kernel,
        modules: modules.into_iter().map(|m| m.target).collect(),
        level: settings.compression,
    })
}

/// The release of the kernel to use.
fn choose_kernel(view: View<'_>, wanted: Option<&str>) -> Result<String> {
    let mut found = kernels(view)?;
    match wanted {
        Some(wanted) if found.iter().any(|k| k == wanted) => Ok(wanted.to_owned()),
        None if found.len() == 1 => Ok(found.remove(0)),
        _ => Err(Error::Kernel { found }),
    }
}

/// The modules to load at start, one a line, in the order of the settings.
fn load_list(catalogue: &Catalogue<'_>, settings: &InitrdSettings) -> String {
    let names = settings
        .modules
        .iter()
        .filter(|name| !catalogue.is_builtin(name.trim_end_matches('?')));
    let present = names.filter(|name| {
        catalogue
            .closure(&[(*name).clone()])
            .is_ok_and(|found| !found.is_empty())
    });
    present
        .map(|name| format!("{}\n", name.trim_end_matches('?')))
        .collect()
}

fn add_own_files(collector: &mut Collector<'_>) -> Result<()> {
    let release = collector
        .view
        .read_text("/etc/os-release")?
        .ok_or(Error::Missing {
            path: "/etc/os-release".to_owned(),
            purpose: "the initrd",
        })?;
    // systemd greets with PRETTY_NAME: say which of the two systems it is.
    let release = release
        .lines()
        .map(|line| match line.strip_prefix("PRETTY_NAME=") {
            Some(name) => format!("PRETTY_NAME=\"{} (initrd)\"\n", name.trim_matches(['"', '\''])),
            None => format!("{line}\n"),
        });
    collector.put("etc/initrd-release", release.collect::<String>().into_bytes())?;
    for (path, text) in contents::FILES {
        collector.put(path, text.as_bytes().to_vec())?;
    }
    for folder in contents::FOLDERS {
        collector.add(Entry::directory(folder, 0o755)?);
    }
    for (path, target) in contents::LINKS {
        collector.add(Entry::symlink(path, target)?);
    }
    for (target, unit) in contents::WANTS {
        let path = format!("usr/lib/systemd/system/{target}.wants/{unit}");
        collector.add(Entry::symlink(path, format!("../{unit}"))?);
    }
    Ok(())
}

/// Takes files of a root, with all that they need.
struct Collector<'t> {
    view: View<'t>,
    builder: TreeBuilder,
    taken: BTreeSet<TreePath>,
    epoch: i64,
}

impl<'t> Collector<'t> {
    fn new(view: View<'t>, epoch: i64) -> Self {
        let mut builder = Tree::builder();
        builder.parent_time(epoch);
        Self {
            view,
            builder,
            taken: BTreeSet::new(),
            epoch,
        }
    }

    /// Takes the file at `path`: the links on the way to it, the file itself and, of a program, its libraries.
    ///
    /// A library may need another one that its own search folders do not reach, because the program that loads it has
    /// loaded that one already. So the folders of the program are handed down.
    fn take(&mut self, path: &str, purpose: &'static str) -> Result<()> {
        // A stack instead of recursion, because a chain of libraries may be long.
        let mut todo = vec![(path.to_owned(), Vec::new())];
        let mut purpose = purpose;
        while let Some((path, mut folders)) = todo.pop() {
            let walk = self.view.walk(&path)?.filter(|w| !w.end.is_directory());
            let Some(walk) = walk else {
                return Err(Error::Missing { path, purpose });
            };
            purpose = "a program of the initrd";
            for link in walk.links {
                self.add(link.clone());
            }
            let (end, path) = (walk.end, walk.end.path.to_string());
            if !self.taken.insert(end.path.clone()) {
                continue;
            }
            if self.taken.len() > MAX_ENTRIES {
                return Err(Error::Setting {
                    setting: "initrd",
                    value: path,
                    problem: "more than 20000 files would go into it",
                });
            }
            let content = self.view.content_of(end)?;
            self.add(Entry::new(
                end.path.clone(),
                Kind::File(content.clone()),
                end.mode & 0o755,
            ));
            let data = read_content(content)?;
            let needs = elf::needs(&data).map_err(|problem| Error::Elf {
                path: path.clone(),
                problem,
            })?;
            let Some(needs) = needs else { continue };
            let origin = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let own: Vec<String> = needs
                .search
                .iter()
                .map(|folder| expand_origin(folder, origin))
                .collect();
            folders.extend(
                own.into_iter()
                    .filter(|f| !folders.contains(f))
                    .collect::<Vec<_>>(),
            );
            todo.extend(needs.interpreter.map(|interpreter| (interpreter, Vec::new())));
            for library in &needs.libraries {
                todo.push((self.find_library(library, &path, &folders)?, folders.clone()));
            }
        }
        Ok(())
    }

    fn find_library(&self, library: &str, needed_by: &str, folders: &[String]) -> Result<String> {
        if library.contains('/') {
            return Ok(library.to_owned());
        }
        for folder in folders
            .iter()
            .map(String::as_str)
            .chain(LIBRARY_FOLDERS.iter().copied())
        {
            let path = format!("{folder}/{library}");
            if self.view.find(&path)?.is_some() {
                return Ok(path);
            }
        }
        Err(Error::Library {
            library: library.to_owned(),
            needed_by: needed_by.to_owned(),
        })
    }

    fn take_library(&mut self, library: &str, needed_by: &str) -> Result<()> {
        let path = self.find_library(library, needed_by, &[])?;
        self.take(&path, "the initrd")
    }

    /// Takes what is at `path`, whatever it is. A link need not lead anywhere: what it leads to may come at run time.
    fn take_any(&mut self, path: &str) -> Result<()> {
        let end = self.view.find(path)?;
        if let Some(folder) = end.filter(|end| end.is_directory()) {
            self.add(folder.clone());
            return self.take_link(path);
        }
        let is_link = self.view.tree().get(&TreePath::new(path)?).is_some();
        if end.is_none() && is_link {
            return self.take_link(path);
        }
        self.take(path, "the initrd")
    }

    /// Takes the link at `path` itself, if it is one.
    fn take_link(&mut self, path: &str) -> Result<()> {
        if let Some(entry) = self.view.tree().get(&TreePath::new(path)?)
            && matches!(entry.kind, Kind::Symlink(_))
        {
            self.add(entry.clone());
        }
        Ok(())
    }

    /// Adds a file of the initrd's own.
    fn put(&mut self, path: &str, bytes: Vec<u8>) -> Result<()> {
        let mode = if path.ends_with("/shadow") { 0o600 } else { 0o644 };
        self.add(Entry::file(path, mode, Content::bytes(bytes))?);
        Ok(())
    }

    /// Adds an entry as root's, at the one time, without attributes: an initrd has no use for them.
    fn add(&mut self, mut entry: Entry) {
        entry.xattrs.clear();
        let entry = entry.owned_by(0, 0).at(self.epoch);
        self.builder.replace(entry);
    }

    fn finish(self) -> Result<Tree> {
        Ok(self.builder.finish()?)
    }
}

/// The folders where the loaders of Debian's and Fedora's systems look without a cache.
const LIBRARY_FOLDERS: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
];

fn expand_origin(folder: &str, origin: &str) -> String {
    folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::print_stderr)]
    use super::*;
    use std::process::Command;

    /// The closure of a program of the host is what the loader itself says.
    #[test]
    fn closures_agree_with_ldd() {
        let mut checked = 0;
        for program in [
            "/usr/bin/ssh",
            "/usr/bin/curl",
            "/usr/bin/python3",
            "/usr/bin/git",
        ] {
            let Ok(program) = std::fs::canonicalize(program) else {
                continue;
            };
            let Ok(output) = Command::new("ldd").arg(&program).output() else {
                continue;
            };
            // `name => /path (0x…)`, or `/path (0x…)` for the loader; the vdso has no path.
            let text = String::from_utf8(output.stdout).unwrap();
            let mut expected: BTreeSet<std::path::PathBuf> = text
                .lines()
                .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
                .map(|path| std::fs::canonicalize(path).unwrap())
                .collect();
            expected.insert(program.clone());
            if expected.len() < 2 || expected.iter().any(|p| !p.starts_with("/usr")) {
                continue;
            }
            let mut builder = Tree::builder();
            for (path, target) in [("lib", "usr/lib"), ("lib64", "usr/lib64"), ("bin", "usr/bin")] {
                builder.add(Entry::symlink(path, target).unwrap()).unwrap();
            }
            // Both the files and the names by which they are asked for.
            let asked = text
                .lines()
                .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
            for path in asked.map(std::path::PathBuf::from).chain([program.clone()]) {
                let file = std::fs::canonicalize(&path).unwrap();
                let name = path.to_str().unwrap().replacen(
                    "/lib",
                    "/usr/lib",
                    usize::from(!path.starts_with("/usr")),
                );
                let content = Content::host_file(&file).unwrap();
                builder.replace(Entry::file(&name, 0o755, content).unwrap());
            }
            let tree = builder.finish().unwrap();
            let mut collector = Collector::new(View::new(&tree), 0);
            collector.take(program.to_str().unwrap(), "a test").unwrap();
            let taken: BTreeSet<_> = collector
                .taken
                .iter()
                .map(|path| std::fs::canonicalize(path.to_string()).unwrap())
                .collect();
            assert_eq!(taken, expected, "{}", program.display());
            checked += 1;
        }
        if checked == 0 {
            eprintln!("SKIPPED: no program of the host could be compared with ldd");
        }
    }
}
