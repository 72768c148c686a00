#![allow(clippy::unwrap_used)]
use super::*;
use lazuli_catalog::{Architecture, Catalog, ImageName};
use lazuli_disk::Kind as EntryKind;
use std::collections::BTreeMap;

pub(super) const TIME: u64 = 1_700_000_000;

/// A small root: what packages would have laid, with one enabled unit.
const ROOT: &[(&str, &str)] = &[
    (
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\nweb:x:81:82::/:/bin/sh\n",
    ),
    ("etc/group", "root:x:0:\nkeys:x:120:\n"),
    ("etc/locale.conf", "LANG=C.UTF-8\n"),
    ("usr/share/zoneinfo/UTC", "TZif"),
    ("usr/share/zoneinfo/Europe/Berlin", "TZif"),
    ("usr/lib/locale/de_DE.utf8/LC_CTYPE", "x"),
    ("usr/share/keymaps/i386/qwertz/de-latin1.map.gz", "x"),
    ("usr/lib/systemd/system/multi-user.target", "[Unit]\n"),
    (
        "usr/lib/systemd/system/web.service",
        "[Install]\nWantedBy=multi-user.target\nAlias=http.service\nAlso=web.socket\n",
    ),
    (
        "usr/lib/systemd/system/web.socket",
        "[Install]\nWantedBy=sockets.target\n",
    ),
    (
        "usr/lib/systemd/system/on.service",
        "[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "usr/lib/systemd/system/line@.service",
        "[Install]\nWantedBy=getty.target\n",
    ),
    ("usr/lib/systemd/system/static.service", "[Service]\n"),
];
const LINKS: &[(&str, &str)] = &[
    (
        "etc/systemd/system/multi-user.target.wants/on.service",
        "/usr/lib/systemd/system/on.service",
    ),
    ("usr/lib/systemd/system/other.service", "web.service"),
    ("usr/share/zoneinfo/Berlin", "Europe/Berlin"),
];

pub(super) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        for (path, text) in ROOT {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        for (path, target) in LINKS {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(target, path).unwrap();
        }
        Self { folder }
    }

    pub(super) fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("root")
    }

    fn tree(&self, image: &str) -> Result<Tree> {
        tree(&self.root(), &self.image(image), TIME)
    }

    /// An image of so many keys.
    pub(super) fn image(&self, image: &str) -> ResolvedImage {
        let text = format!(
            "[project]\ndefault-distro = {{ name = \"x\", version = \"1\" }}\n[distros.x.versions.1]\nrelease-ver = \"1\"\n\
             [images.server]\n{image}\n"
        );
        std::fs::write(self.folder.path().join("lazuli.toml"), text).unwrap();
        let catalog = Catalog::load(self.folder.path()).unwrap();
        let name = ImageName::new("server").unwrap();
        catalog
            .image(&name, &catalog.distro(None).unwrap(), Architecture::X86_64)
            .unwrap()
    }
}

/// Files and links of a tree: content or target, by path.
fn shown(tree: &Tree) -> BTreeMap<String, String> {
    let view = View::new(tree);
    let text = |entry: &Entry| match &entry.kind {
        EntryKind::Symlink(target) => Some(format!("-> {}", String::from_utf8_lossy(target))),
        EntryKind::File(_) => view.read_text(&entry.path.to_string()).unwrap(),
        _ => None,
    };
    tree.entries()
        .iter()
        .filter_map(|entry| Some((entry.path.to_string(), text(entry)?)))
        .collect()
}

/// What an image's keys change: lines `+ path content` and `- path`.
fn check(image: &str, expected: &str) {
    let bench = Bench::new();
    let (before, after) = (
        shown(&bench.tree("").unwrap()),
        shown(&bench.tree(image).unwrap()),
    );
    let mut lines = String::new();
    for (path, text) in &after {
        if before.get(path) != Some(text) {
            lines += &format!("+ {path} {}\n", text.trim_end());
        }
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        lines += &format!("- {path}\n");
    }
    assert_eq!(lines, expected, "{image}");
}

fn check_error(image: &str, expected: &str) {
    let error = Bench::new().tree(image).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().skip(1).map(str::trim).collect();
    assert_eq!(lines.join(" | "), expected, "{image}: {error}");
}

#[test]
fn settings_of_the_system() {
    check(
        "system = { timezone = \"Europe/Berlin\" }",
        "+ /etc/localtime -> ../usr/share/zoneinfo/Europe/Berlin\n",
    );
    check(
        "system = { timezone = \"Berlin\" }",
        "+ /etc/localtime -> ../usr/share/zoneinfo/Berlin\n",
    );
    check("system = { locale = \"C.UTF-8\" }", "");
    check(
        "system = { locale = \"de_DE.UTF-8\" }",
        "+ /etc/locale.conf LANG=de_DE.UTF-8\n",
    );
    check("system = { keymap = \"us\" }", "+ /etc/vconsole.conf KEYMAP=us\n");
    check(
        "system = { keymap = \"de-latin1\" }",
        "+ /etc/vconsole.conf KEYMAP=de-latin1\n",
    );
    check(
        "system = { default-target = \"multi-user.target\" }",
        "+ /etc/systemd/system/default.target -> /usr/lib/systemd/system/multi-user.target\n",
    );
}

#[test]
fn settings_that_the_image_cannot_have() {
    let setting = |text: &str, expected: &str| check_error(&format!("system = {{ {text} }}"), expected);
    setting(
        "timezone = \"Europe/Berlim\"",
        "because: there is no time zone `Europe/Berlim` in the image | hint: did you mean `Europe/Berlin`?",
    );
    setting(
        "timezone = \"Europe\"",
        "because: there is no time zone `Europe` in the image",
    );
    setting(
        "locale = \"de_DE\"",
        "because: there is no locale `de_DE` in the image | hint: it has C.UTF-8, POSIX, de_DE.utf8",
    );
    setting(
        "keymap = \"de-latin2\"",
        "because: there is no keyboard layout `de-latin2` in the image | hint: did you mean `de-latin1`?",
    );
    setting(
        "default-target = \"multi-usr.target\"",
        "because: there is no unit `multi-usr.target` in the image | hint: did you mean `multi-user.target`?",
    );
}

#[test]
fn units_are_enabled_disabled_and_masked() {
    check(
        "system = { enable-units = [\"web.service\", \"line@ttyS0.service\"] }",
        "+ /etc/systemd/system/getty.target.wants/line@ttyS0.service -> /usr/lib/systemd/system/line@.service\n\
         + /etc/systemd/system/http.service -> /usr/lib/systemd/system/web.service\n\
         + /etc/systemd/system/multi-user.target.wants/web.service -> /usr/lib/systemd/system/web.service\n\
         + /etc/systemd/system/sockets.target.wants/web.socket -> /usr/lib/systemd/system/web.socket\n",
    );
    check(
        "system = { disable-units = [\"on.service\"], mask-units = [\"never.service\"] }",
        "+ /etc/systemd/system/never.service -> /dev/null\n- /etc/systemd/system/multi-user.target.wants/on.service\n",
    );
    check("system = { disable-units = [\"web.service\"] }", "");
    let tree = Bench::new()
        .tree("system = { disable-units = [\"on.service\"] }")
        .unwrap();
    let folder = TreePath::new("etc/systemd/system/multi-user.target.wants").unwrap();
    assert_eq!(tree.get(&folder), None, "an empty folder of links goes");
    // A unit that the image brings.
    check(
        "files = [{ path = \"/etc/systemd/system/own.service\", content = \"[Install]\\nWantedBy=multi-user.target\\n\" }]\n\
         system = { enable-units = [\"own.service\"] }",
        "+ /etc/systemd/system/multi-user.target.wants/own.service -> /etc/systemd/system/own.service\n\
         + /etc/systemd/system/own.service [Install]\nWantedBy=multi-user.target\n",
    );
}

#[test]
fn units_that_cannot_be_enabled() {
    let unit = |name: &str, expected: &str| {
        check_error(&format!("system = {{ enable-units = [\"{name}\"] }}"), expected);
    };
    unit(
        "wbe.service",
        "because: there is no unit `wbe.service` in the image | hint: did you mean `web.service`?",
    );
    unit(
        "other.service",
        "because: unit `other.service` is a link to web.service | hint: name the unit itself: `web.service`",
    );
    unit(
        "static.service",
        "because: unit `static.service` has no [Install] section: it is started by what needs it | hint: to start it, add a \
         link to it in a `.wants` folder to `symlinks`; to keep it from starting, mask it: `mask-units = [\"static.service\"]`",
    );
    unit(
        "line@.service",
        "because: unit `line@.service` is a template: name an instance of it | hint: such as `line@tty1.service`",
    );
    check_error(
        "system = { disable-units = [\"none.service\"] }",
        "because: there is no unit `none.service` in the image | hint: did you mean `on.service`?",
    );
}

#[test]
fn what_an_image_can_do_is_so() {
    let can = |text: &str| format!("capabilities = {{ {text} }}");
    let systemd = "files = [{ path = \"/usr/lib/systemd/systemd\", content = \"\" }]";
    check(
        &can("systemd = false, runtime-package-management = false, container = true"),
        "",
    );
    check_error(
        &can("systemd = true"),
        "because: `systemd` is true, but the image has none of /usr/lib/systemd/systemd",
    );
    check_error(
        &format!("{}\n{systemd}", can("systemd = false")),
        "because: `systemd` is false, but the image has /usr/lib/systemd/systemd",
    );
    let error = Bench::new()
        .tree(&can("runtime-package-management = true"))
        .unwrap_err();
    assert!(error.to_string().contains("has none of /usr/bin/lz, "), "{error}");
}

#[test]
fn files_have_the_owners_that_they_name() {
    let file =
        |owner: &str| format!("files = [{{ path = \"/etc/a\", content = \"a\", mode = \"0640\", {owner} }}]");
    let tree = Bench::new()
        .tree(&file("owner = \"web\", group = \"keys\""))
        .unwrap();
    let entry = tree.get(&TreePath::new("etc/a").unwrap()).unwrap();
    assert_eq!((entry.uid, entry.gid, entry.mode), (81, 120, 0o640));
    assert_eq!(u64::try_from(entry.mtime).unwrap(), TIME);
    check_error(
        &file("group = \"kesy\""),
        "because: there is no group `kesy` in the image | hint: did you mean `keys`?",
    );
}
