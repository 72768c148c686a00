//! From an installed root to the root of an image: what belongs to one machine goes out, what a first boot needs comes in.
//!
//! This is a function from [`Tree`] to [`Tree`]: the staged root on disk is left as the package manager made it.
//!
//! Choices, with their reasons:
//!
//! | file | state | why |
//! |---|---|---|
//! | `/etc/machine-id` | empty | systemd makes an id at first boot and keeps it. `uninitialized` would also make it a "first boot" with all presets applied again, which were applied when the image was made: 3 s for nothing under emulation, and questions of systemd-firstboot if a setting is missing |
//! | `/etc/.updated`, `/var/.updated` | as new as `/usr` | the caches (`ld.so.cache`, hwdb, catalogue) are made; without these files systemd makes them again |
//! | host keys of ssh, seeds, logs, caches | gone | they must not be shared between machines |
//! | `/usr/lib/repart.d/50-root.conf`, a link that starts `systemd-growfs-root` | there | the root partition and file system grow to the size of the disk, at every boot, if there is something to grow; with [`Growth::Never`] neither is there, and cloud-init is told to leave them alone |
//! | mount points | empty folders | what is mounted there brings its own owner and mode |
//! | `/etc/resolv.conf` | link to resolved's stub | only where the root has resolved |

use lazuli_disk::{Content, Entry, Kind, Tree, TreeBuilder, TreePath};

use crate::view::View;
use crate::{Error, Result};

/// What is particular to an image.
#[derive(Debug, Clone)]
pub struct FinaliseSettings {
    /// `/etc/hostname`, which cloud-init or DHCP replace; without one, the file is left as it is.
    pub hostname: Option<String>,
    /// Whether the root grows.
    pub growth: Growth,
    /// Folders to make for other file systems, by absolute path.
    pub mount_points: Vec<String>,
    /// The time of new files, in seconds since 1970.
    pub epoch: i64,
}

/// Whether the root partition and its file system take the whole disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// At every boot, if there is something to grow.
    AtBoot,
    /// They stay as they were made.
    Never,
}

/// Folders whose contents are dropped but which stay.
const EMPTIED: &[&str] = &["run", "tmp", "var/tmp", "proc", "sys", "dev"];
/// Folders below which files are dropped, but folders stay: packages own them, and daemons expect them.
const WITHOUT_FILES: &[&str] = &["var/cache", "var/log"];
/// Files that belong to one machine.
const DROPPED: &[&str] = &[
    "etc/.pwd.lock",
    "root/.bash_history",
    "root/.rpmdb",
    "var/lib/dbus/machine-id",
    "var/lib/systemd/catalog/database.tmp",
    "var/lib/systemd/credential.secret",
    "var/lib/systemd/random-seed",
];
/// Starts of paths that belong to one machine.
const DROPPED_STARTS: &[&str] = &["etc/ssh/ssh_host_"];

/// What tells cloud-init not to grow the root: it does both by default.
const KEPT_ROOT: (&str, &str) = (
    "etc/cloud/cloud.cfg.d/50-kept-root.cfg",
    "# The root file system of this image keeps its size.\ngrowpart: { mode: \"off\" }\nresize_rootfs: false\n",
);

/// Makes the root of an image.
pub fn finalise(root: Tree, settings: &FinaliseSettings) -> Result<Tree> {
    if let Some(hostname) = &settings.hostname {
        check_hostname(hostname)?;
    }
    for path in &settings.mount_points {
        check_mount_point(View::new(&root), path)?;
    }
    let has = |path: &str| -> Result<bool> { Ok(View::new(&root).find(path)?.is_some()) };
    let resolved = has("/usr/lib/systemd/systemd-resolved")?;
    let repart =
        has("/usr/bin/systemd-repart")? && has("/usr/lib/systemd/system/systemd-growfs-root.service")?;
    let cloud_init = has("/etc/cloud")?;
    let localtime = has("/usr/share/zoneinfo/Etc/UTC")?;
    let usr_time = View::new(&root)
        .find("/usr")?
        .map_or(settings.epoch, |usr| usr.mtime);
    let drop: Vec<TreePath> = root
        .entries()
        .iter()
        .filter(|e| is_machine_state(e))
        .map(|e| e.path.clone())
        .collect();
    let mut editor = Editor {
        builder: root.into_builder(),
        epoch: settings.epoch,
    };
    for path in drop {
        editor.builder.remove(&path);
    }
    for folder in ["dev", "efi", "proc", "run", "sys", "etc", "var"] {
        editor.folder(folder)?;
    }
    editor.file("etc/machine-id", 0o444, "")?;
    if let Some(hostname) = &settings.hostname {
        editor.file("etc/hostname", 0o644, &format!("{hostname}\n"))?;
    }
    editor.file_unless_there(
        "etc/fstab",
        "# The root file system is named on the kernel's command line; the EFI partition is found by systemd.\n",
    )?;
    if resolved {
        editor.link("etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf")?;
    }
    if localtime && editor.builder.get(&TreePath::new("etc/localtime")?).is_none() {
        editor.link("etc/localtime", "../usr/share/zoneinfo/Etc/UTC")?;
    }
    if settings.growth == Growth::Never && cloud_init {
        editor.file_unless_there(KEPT_ROOT.0, KEPT_ROOT.1)?;
    }
    if settings.growth == Growth::AtBoot && repart {
        editor.file_unless_there("usr/lib/repart.d/50-root.conf", "[Partition]\nType=root\n")?;
        editor.link_unless_there(
            "usr/lib/systemd/system/local-fs.target.wants/systemd-growfs-root.service",
            "../systemd-growfs-root.service",
        )?;
    }
    for path in &settings.mount_points {
        editor.folder(path)?;
    }
    // Adding to /usr must not make it newer than the caches.
    if let Some(usr) = editor.builder.get_mut(&TreePath::new("usr")?) {
        usr.mtime = usr_time;
    }
    for path in ["etc/.updated", "var/.updated"] {
        editor.file(path, 0o644, &updated_text(usr_time))?;
        if let Some(entry) = editor.builder.get_mut(&TreePath::new(path)?) {
            entry.mtime = usr_time;
        }
    }
    Ok(editor.builder.finish()?)
}

/// What systemd-update-done writes: systemd reads the time from here where the file's own has no nanoseconds.
fn updated_text(time: i64) -> String {
    format!(
        "# The caches of this folder are as new as /usr.\nTIMESTAMP_NSEC={}\n",
        i128::from(time) * 1_000_000_000
    )
}

fn check_hostname(name: &str) -> Result<()> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if name.is_empty()
        || name.len() > 63
        || !name.bytes().all(fits)
        || name.starts_with('-')
        || name.ends_with('-')
    {
        return Err(Error::Setting {
            setting: "host name",
            value: name.to_owned(),
            problem: "it must be 1 to 63 letters, digits and hyphens, with no hyphen at its ends",
        });
    }
    Ok(())
}

/// A mount point is a folder that is still there when the machine runs.
fn check_mount_point(root: View<'_>, path: &str) -> Result<()> {
    let place = TreePath::new(path)?;
    let refuse = |problem| {
        Err(Error::Setting {
            setting: "mount point",
            value: path.to_owned(),
            problem,
        })
    };
    if place.is_root() {
        return refuse("it is the root itself");
    }
    for folder in EMPTIED {
        if place.is_within(&TreePath::new(folder)?) {
            return refuse("what is there is made anew at every boot");
        }
    }
    // Every folder on the way, since a link leads elsewhere when the image runs.
    let mut at = TreePath::root();
    for name in place.as_bytes().split(|&b| b == b'/') {
        at = at.join(name)?;
        if root.tree().get(&at).is_some_and(|entry| !entry.is_directory()) {
            return refuse("it is, or passes, something that is no folder");
        }
    }
    Ok(())
}

fn is_machine_state(entry: &Entry) -> bool {
    let path = entry.path.as_bytes();
    let below = |folder: &str| {
        path.strip_prefix(folder.as_bytes())
            .is_some_and(|rest| rest.starts_with(b"/"))
    };
    EMPTIED.iter().any(|f| below(f))
        || (!entry.is_directory() && WITHOUT_FILES.iter().any(|f| below(f)))
        || DROPPED.iter().any(|f| path == f.as_bytes())
        || DROPPED_STARTS
            .iter()
            .any(|start| path.starts_with(start.as_bytes()))
}

struct Editor {
    builder: TreeBuilder,
    epoch: i64,
}

impl Editor {
    /// Adds or replaces an entry; folders on the way that are missing become root's.
    fn put(&mut self, entry: Entry) -> Result<()> {
        let mut above = Vec::new();
        let mut path = entry.path.clone();
        while let Some(parent) = path.parent_bytes().filter(|p| !p.is_empty()) {
            path = TreePath::new(parent)?;
            if self.builder.get(&path).is_some() {
                break;
            }
            above.push(path.clone());
        }
        for path in above {
            self.builder
                .add(Entry::new(path, Kind::Directory, 0o755).at(self.epoch))?;
        }
        self.builder.replace(entry.at(self.epoch));
        Ok(())
    }

    fn folder(&mut self, path: &str) -> Result<()> {
        if self.builder.get(&TreePath::new(path)?).is_none() {
            self.put(Entry::directory(path, 0o755)?)?;
        }
        Ok(())
    }

    fn file(&mut self, path: &str, mode: u16, text: &str) -> Result<()> {
        self.put(Entry::file(path, mode, Content::bytes(text.as_bytes()))?)
    }

    fn link(&mut self, path: &str, target: &str) -> Result<()> {
        self.put(Entry::symlink(path, target)?)
    }

    fn file_unless_there(&mut self, path: &str, text: &str) -> Result<()> {
        match self.builder.get(&TreePath::new(path)?) {
            Some(_) => Ok(()),
            None => self.file(path, 0o644, text),
        }
    }

    fn link_unless_there(&mut self, path: &str, target: &str) -> Result<()> {
        match self.builder.get(&TreePath::new(path)?) {
            Some(_) => Ok(()),
            None => self.link(path, target),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use expect_test::expect;

    fn root() -> Tree {
        let mut b = Tree::builder();
        for path in [
            "/etc/machine-id",
            "/etc/ssh/ssh_host_rsa_key",
            "/etc/ssh/sshd_config",
            "/root/.bash_history",
            "/tmp/x",
            "/usr/bin/systemd-repart",
            "/usr/lib/systemd/system/systemd-growfs-root.service",
            "/usr/lib/systemd/systemd-resolved",
            "/usr/share/zoneinfo/Etc/UTC",
            "/var/cache/ldconfig/aux-cache",
            "/var/log/dpkg.log",
        ] {
            b.add(
                Entry::file(path, 0o644, Content::bytes(&b"old"[..]))
                    .unwrap()
                    .at(50),
            )
            .unwrap();
        }
        b.add(Entry::directory("/usr", 0o755).unwrap().at(60)).unwrap();
        b.add(Entry::directory("/var/log/chrony", 0o750).unwrap().owned_by(9, 9))
            .unwrap();
        b.finish().unwrap()
    }

    fn settings() -> FinaliseSettings {
        FinaliseSettings {
            hostname: Some("lazuli".to_owned()),
            growth: Growth::AtBoot,
            mount_points: Vec::new(),
            epoch: 0,
        }
    }

    /// The paths that one settings' tree has and the other's has not.
    fn gained(from: &FinaliseSettings, to: &FinaliseSettings) -> Vec<String> {
        let mut builder = root().into_builder();
        builder
            .add(Entry::directory("/etc/cloud", 0o755).unwrap())
            .unwrap();
        let root = builder.finish().unwrap();
        let before = finalise(root.clone(), from).unwrap();
        let after = finalise(root, to).unwrap();
        let new = after
            .entries()
            .iter()
            .filter(|entry| before.get(&entry.path).is_none());
        new.map(|entry| entry.path.to_string()).collect()
    }

    #[test]
    fn a_root_grows_or_keeps_its_size() {
        let never = FinaliseSettings {
            growth: Growth::Never,
            ..settings()
        };
        let growing = [
            "/usr/lib/repart.d",
            "/usr/lib/repart.d/50-root.conf",
            "/usr/lib/systemd/system/local-fs.target.wants",
            "/usr/lib/systemd/system/local-fs.target.wants/systemd-growfs-root.service",
        ];
        assert_eq!(gained(&never, &settings()), growing);
        let kept = [
            "/etc/cloud/cloud.cfg.d",
            "/etc/cloud/cloud.cfg.d/50-kept-root.cfg",
        ];
        assert_eq!(gained(&settings(), &never), kept);
    }

    #[test]
    fn mount_points_are_folders_that_last() {
        let with = |path: &str| FinaliseSettings {
            mount_points: vec![path.to_owned()],
            ..settings()
        };
        assert_eq!(gained(&settings(), &with("/srv/data")), ["/srv", "/srv/data"]);
        assert_eq!(gained(&settings(), &with("/usr/bin")), [""; 0]);
        for bad in [
            "/",
            "/run/x",
            "/tmp",
            "/usr/bin/systemd-repart",
            "/etc/machine-id/x",
        ] {
            let error = finalise(root(), &with(bad)).unwrap_err();
            assert!(matches!(error, Error::Setting { .. }), "{bad}: {error}");
        }
    }

    #[test]
    fn a_host_without_a_name_of_its_own() {
        let nameless = FinaliseSettings {
            hostname: None,
            ..settings()
        };
        assert_eq!(gained(&nameless, &settings()), ["/etc/hostname"]);
    }

    #[test]
    fn machine_state_goes_and_first_boot_state_comes() {
        let settings = FinaliseSettings {
            epoch: 100,
            ..settings()
        };
        let tree = finalise(root(), &settings).unwrap();
        let text: String = tree
            .entries()
            .iter()
            .filter(|e| !e.is_directory() || e.path.as_bytes().starts_with(b"var"))
            .map(|e| match &e.kind {
                Kind::Symlink(target) => format!("{} -> {}\n", e.path, String::from_utf8_lossy(target)),
                Kind::File(content) => format!("{} {} bytes at {}\n", e.path, content.size(), e.mtime),
                _ => format!("{}\n", e.path),
            })
            .collect();
        expect![[r#"
            /etc/.updated 75 bytes at 60
            /etc/fstab 101 bytes at 100
            /etc/hostname 7 bytes at 100
            /etc/localtime -> ../usr/share/zoneinfo/Etc/UTC
            /etc/machine-id 0 bytes at 100
            /etc/resolv.conf -> ../run/systemd/resolve/stub-resolv.conf
            /etc/ssh/sshd_config 3 bytes at 50
            /usr/bin/systemd-repart 3 bytes at 50
            /usr/lib/repart.d/50-root.conf 22 bytes at 100
            /usr/lib/systemd/system/local-fs.target.wants/systemd-growfs-root.service -> ../systemd-growfs-root.service
            /usr/lib/systemd/system/systemd-growfs-root.service 3 bytes at 50
            /usr/lib/systemd/systemd-resolved 3 bytes at 50
            /usr/share/zoneinfo/Etc/UTC 3 bytes at 50
            /var
            /var/.updated 75 bytes at 60
            /var/cache
            /var/cache/ldconfig
            /var/log
            /var/log/chrony
        "#]]
        .assert_eq(&text);
        assert_eq!(
            finalise(tree.clone(), &settings).unwrap(),
            tree,
            "doing it twice changes nothing"
        );
    }

    #[test]
    fn host_names_are_checked() {
        for bad in ["", "-a", "a-", "a b", "a.b", "ä"] {
            let settings = FinaliseSettings {
                hostname: Some(bad.to_owned()),
                ..settings()
            };
            assert!(
                matches!(finalise(root(), &settings), Err(Error::Setting { .. })),
                "{bad}"
            );
        }
    }
}
