//! Which kernel modules an initrd gets, and their index files.
//!
//! The sources are `modules.dep`, `modules.softdep`, `modules.alias`, `modules.builtin` and `modules.order` of the
//! kernel's folder, all text (man pages `modules.dep(5)`, `depmod(8)`). Modules go in decompressed, because the whole
//! initrd is compressed once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::index::Index;
use crate::view::View;
use crate::{Error, Result};

/// The largest decompressed module, 256 MiB.
const MAX_MODULE: u64 = 256 << 20;

/// One module of the closure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Module {
    /// Path in the root relative to the kernel's folder, with the suffix of its compression.
    pub(super) source: String,
    /// Path in the initrd relative to the kernel's folder: the same, ending in `.ko`.
    pub(super) target: String,
}

/// The modules of one kernel.
pub(super) struct Catalogue<'t> {
    view: View<'t>,
    kernel: String,
    /// Name → path, by normalised name.
    paths: BTreeMap<String, String>,
    /// Path → the paths it needs, all levels deep.
    needs: BTreeMap<String, Vec<String>>,
    builtin: BTreeSet<String>,
    /// Name → names that its `softdep` lines mention.
    soft: BTreeMap<String, Vec<String>>,
    /// Name → its line in `modules.order`: of several modules for a device, the first is taken.
    order: BTreeMap<String, u32>,
}

/// The folder of a kernel's modules in a root.
pub(super) fn folder(kernel: &str) -> String {
    format!("/usr/lib/modules/{kernel}")
}

/// The releases of the kernels in a root: the folders with modules that have a list of them.
pub(crate) fn kernels(view: View<'_>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for name in view.names_in("/usr/lib/modules")? {
        if view.find(&format!("{}/modules.order", folder(&name)))?.is_some() {
            found.push(name);
        }
    }
    Ok(found)
}

/// A module's name from its path or from how it was asked for: without folder and suffix, `-` as `_`.
fn name_of(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split(".ko").next().unwrap_or(file).replace('-', "_")
}

impl<'t> Catalogue<'t> {
    pub(super) fn read(view: View<'t>, kernel: &str) -> Result<Self> {
        let folder = folder(kernel);
        let list = |name: &str| view.read_text(&format!("{folder}/{name}"));
        let path = format!("{folder}/modules.dep");
        let dep = view.read_text(&path)?.ok_or(Error::Missing {
            path: path.clone(),
            purpose: "the initrd",
        })?;
        let mut paths = BTreeMap::new();
        let mut needs = BTreeMap::new();
        for (number, line) in dep.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let (module, rest) = line.split_once(':').ok_or_else(|| Error::ModuleList {
                path: path.clone(),
                line: number + 1,
                problem: "it has no colon".to_owned(),
            })?;
            paths.insert(name_of(module), module.to_owned());
            needs.insert(
                module.to_owned(),
                rest.split_whitespace().map(str::to_owned).collect(),
            );
        }
        let builtin = list("modules.builtin")?
            .unwrap_or_default()
            .lines()
            .map(name_of)
            .collect();
        let mut soft: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in list("modules.softdep")?.unwrap_or_default().lines() {
            let mut words = line.split_whitespace();
            if words.next() != Some("softdep") {
                continue;
            }
            let Some(module) = words.next() else { continue };
            let wanted = words.filter(|w| !w.ends_with(':')).map(name_of);
            soft.entry(name_of(module)).or_default().extend(wanted);
        }
        let order = list("modules.order")?.unwrap_or_default();
        let order = order
            .lines()
            .zip(0..)
            .map(|(line, number)| (name_of(line), number))
            .collect();
        Ok(Self {
            view,
            kernel: kernel.to_owned(),
            paths,
            needs,
            builtin,
            soft,
            order,
        })
    }

    /// Whether a module is part of the kernel itself.
    pub(super) fn is_builtin(&self, name: &str) -> bool {
        self.builtin.contains(&name_of(name))
    }

    /// The closure of `wanted` over hard and soft dependencies. A name that neither the kernel nor its modules have is
    /// an error, unless it ends in `?`. Soft dependencies that do not exist are left out, as modprobe does.
    pub(super) fn closure(&self, wanted: &[String]) -> Result<Vec<Module>> {
        let mut todo: Vec<String> = Vec::new();
        for wanted in wanted {
            let (asked, optional) = wanted
                .strip_suffix('?')
                .map_or((wanted.as_str(), false), |w| (w, true));
            let name = name_of(asked);
            if self.builtin.contains(&name) {
                continue;
            }
            match self.paths.get(&name) {
                Some(path) => todo.push(path.clone()),
                None if optional => {}
                None => {
                    return Err(Error::Module {
                        module: asked.to_owned(),
                        kernel: self.kernel.clone(),
                    });
                }
            }
        }
        let mut taken = BTreeSet::new();
        while let Some(path) = todo.pop() {
            if !taken.insert(path.clone()) {
                continue;
            }
            todo.extend(self.needs.get(&path).into_iter().flatten().cloned());
            let soft = self.soft.get(&name_of(&path)).into_iter().flatten();
            todo.extend(soft.filter_map(|name| self.paths.get(name)).cloned());
        }
        Ok(taken
            .into_iter()
            .map(|source| Module {
                target: plain(&source).to_owned(),
                source,
            })
            .collect())
    }

    /// The decompressed bytes of a module.
    pub(super) fn load(&self, module: &Module) -> Result<Vec<u8>> {
        let path = format!("{}/{}", folder(&self.kernel), module.source);
        let data = self.view.read(&path, "the initrd")?;
        decompress(&data, &module.source).map_err(|problem| Error::Decompress { path, problem })
    }

    /// The files beside the modules in the initrd: relative name → content.
    pub(super) fn lists(&self, modules: &[Module]) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let bad = |file: &str, line: usize, problem: &str| Error::ModuleList {
            path: format!("{}/{file}", folder(&self.kernel)),
            line,
            problem: problem.to_owned(),
        };
        let names: BTreeSet<String> = modules.iter().map(|m| name_of(&m.source)).collect();
        let priority = |name: &str| self.order.get(&name_of(name)).copied().unwrap_or(u32::MAX);
        let mut dep = Index::default();
        for module in modules {
            let needs = self.needs.get(&module.source).into_iter().flatten();
            let line: String = needs.map(|n| format!(" {}", plain(n))).collect();
            dep.insert(
                &name_of(&module.source),
                &format!("{}:{line}", module.target),
                priority(&module.source),
            )
            .map_err(|problem| bad("modules.dep", 0, problem))?;
        }
        let mut alias = Index::default();
        let text = self
            .view
            .read_text(&format!("{}/modules.alias", folder(&self.kernel)))?
            .unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let mut words = line.split_whitespace();
            if let (Some("alias"), Some(pattern), Some(module)) = (words.next(), words.next(), words.next())
                && names.contains(&name_of(module))
            {
                alias
                    .insert(pattern, module, priority(module))
                    .map_err(|p| bad("modules.alias", number + 1, p))?;
            }
        }
        let soft: String = self
            .soft
            .iter()
            .filter(|(name, _)| names.contains(*name))
            .map(|(name, wanted)| format!("softdep {name} pre: {}\n", wanted.join(" ")))
            .collect();
        Ok(vec![
            ("modules.alias.bin", alias.to_bytes()),
            ("modules.dep.bin", dep.to_bytes()),
            ("modules.softdep", soft.into_bytes()),
        ])
    }
}

/// The path without the suffix of a compression.
fn plain(path: &str) -> &str {
    [".xz", ".zst", ".gz"]
        .iter()
        .find_map(|suffix| path.strip_suffix(suffix))
        .unwrap_or(path)
}

fn decompress(data: &[u8], name: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let reader: Box<dyn Read + '_> = match name.rsplit('.').next() {
        Some("xz") => Box::new(liblzma::read::XzDecoder::new(data)),
        Some("zst") => Box::new(zstd::Decoder::new(data).map_err(|e| e.to_string())?),
        Some("gz") => Box::new(flate2::read::GzDecoder::new(data)),
        _ => Box::new(data),
    };
    reader
        .take(MAX_MODULE + 1)
        .read_to_end(&mut out)
        .map_err(|e| e.to_string())?;
    if out.len() as u64 > MAX_MODULE {
        return Err(format!("it is larger than {MAX_MODULE} bytes"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use lazuli_disk::{Content, Entry, Tree};

    fn root() -> Tree {
        let mut b = Tree::builder();
        let mut file = |path: &str, text: &str| {
            let content = Content::bytes(text.as_bytes());
            b.add(Entry::file(format!("/usr/lib/modules/6.1/{path}"), 0o644, content).unwrap())
                .unwrap();
        };
        file("modules.order", "");
        file("modules.builtin", "kernel/fs/ext4/ext4.ko\n");
        file(
            "modules.dep",
            "kernel/a/virtio-blk.ko.xz:\nkernel/s/sd_mod.ko: kernel/s/scsi_mod.ko kernel/s/common.ko\n\
             kernel/s/scsi_mod.ko: kernel/s/common.ko\nkernel/s/common.ko:\nkernel/c/crc.ko:\nkernel/z/other.ko:\n",
        );
        file(
            "modules.softdep",
            "# comment\nsoftdep sd_mod pre: crc absent post: virtio-blk\n",
        );
        file(
            "modules.alias",
            "alias virtio:d00000002v* virtio_blk\nalias block-major-8-* sd_mod\nalias x other\n",
        );
        b.finish().unwrap()
    }

    fn check(wanted: &[&str], expected: &[&str]) {
        let tree = root();
        let catalogue = Catalogue::read(View::new(&tree), "6.1").unwrap();
        let wanted: Vec<String> = wanted.iter().map(|&s| s.to_owned()).collect();
        let found = catalogue.closure(&wanted).unwrap();
        let found: Vec<&str> = found.iter().map(|m| m.target.as_str()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn closures() {
        check(&["ext4"], &[]);
        check(&["virtio_blk"], &["kernel/a/virtio-blk.ko"]);
        check(&["none?", "virtio-blk"], &["kernel/a/virtio-blk.ko"]);
        check(
            &["sd_mod"],
            &[
                "kernel/a/virtio-blk.ko",
                "kernel/c/crc.ko",
                "kernel/s/common.ko",
                "kernel/s/scsi_mod.ko",
                "kernel/s/sd_mod.ko",
            ],
        );
    }

    #[test]
    fn a_module_that_is_not_there_is_an_error() {
        let tree = root();
        assert_eq!(kernels(View::new(&tree)).unwrap(), ["6.1"]);
        let catalogue = Catalogue::read(View::new(&tree), "6.1").unwrap();
        let error = catalogue.closure(&["nvme".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "kernel 6.1 has no module `nvme`");
    }

    #[test]
    fn compressions() {
        use std::io::Write;
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(b"module").unwrap();
        assert_eq!(decompress(&xz.finish().unwrap(), "a.ko.xz").unwrap(), b"module");
        assert_eq!(
            decompress(&zstd::encode_all(&b"module"[..], 1).unwrap(), "a.ko.zst").unwrap(),
            b"module"
        );
        assert_eq!(decompress(b"module", "a.ko").unwrap(), b"module");
        assert!(decompress(b"module", "a.ko.xz").is_err());
    }
}
