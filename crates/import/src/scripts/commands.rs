//! Programs that scripts call: which of them do something that lasts.

use lazuli_deb::Version;

use super::ast::Node;
use super::condition::tool;
use super::evaluate::{Interpreter, Phase, Status};
use super::expand::Field;
use super::{Action, Reason, Verdict};

/// Programs that only read, compute or say something, with the options that change that.
const QUERIES: [&str; 38] = [
    "grep",
    "egrep",
    "fgrep",
    "cut",
    "tr",
    "sort",
    "uniq",
    "head",
    "tail",
    "wc",
    "awk",
    "realpath",
    "stat",
    "ls",
    "md5sum",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "cmp",
    "diff",
    "id",
    "whoami",
    "date",
    "expr",
    "seq",
    "pidof",
    "pgrep",
    "who",
    "runlevel",
    "ischroot",
    "getcap",
    "tempfile",
    "hostname",
    "arch",
    "getconf",
    "logger",
    "df",
    "aa-enabled",
];

/// Programs that talk to services, devices and sessions of a running system.
const RUNNING: [&str; 18] = [
    "invoke-rc.d",
    "deb-systemd-invoke",
    "service",
    "udevadm",
    "dbus-send",
    "busctl",
    "kill",
    "killall",
    "pkill",
    "start-stop-daemon",
    "modprobe",
    "rmmod",
    "sysctl",
    "initctl",
    "telinit",
    "apparmor_parser",
    "loginctl",
    "vgcfgbackup",
];

/// What serves an init system that Lazuli does not have.
const OTHER_INIT: [&str; 4] = ["update-rc.d", "runit-helper", "insserv", "rcconf"];

/// Programs that make caches which only save time.
const CACHES: [&str; 13] = [
    "py3compile",
    "pypy3compile",
    "py3clean",
    "pypy3clean",
    "pycompile",
    "pyclean",
    "update-menus",
    "update-icon-caches",
    "gtk-update-icon-cache",
    "update-python-modules",
    "restorecon",
    "helpztags",
    "mandb",
];

/// Programs that keep dpkg's own books, or help with upgrades from earlier versions.
const BOOK_KEEPING: [&str; 5] = [
    "dpkg-maintscript-helper",
    "dpkg-trigger",
    "ucfr",
    "dpkg-query",
    "shadowconfig",
];

/// Programs that prepare an installed system to boot.
const BOOT: [&str; 7] = [
    "update-initramfs",
    "linux-update-symlinks",
    "linux-run-hooks",
    "linux-check-removal",
    "update-grub",
    "bootctl",
    "kernel-install",
];

/// Programs that run the program after `--` as somebody else.
const WRAPPERS: [&str; 4] = ["setpriv", "runuser", "chroot", "unshare"];

/// Programs that compute something over the whole root, and the finaliser that stands for them.
const FINALISERS: [(&str, &str); 16] = [
    ("ldconfig", "ldconfig"),
    ("update-ca-certificates", "ca-certificates"),
    ("systemd-hwdb", "hwdb"),
    ("locale-gen", "locale"),
    ("depmod", "depmod"),
    ("glib-compile-schemas", "glib-schemas"),
    ("gio-querymodules", "gio-modules"),
    ("fc-cache", "font-cache"),
    ("update-mime-database", "mime-database"),
    ("update-desktop-database", "desktop-database"),
    ("update-shells", "shells"),
    ("pam-auth-update", "pam"),
    ("install-info", "info"),
    ("update-texmf", "tex"),
    ("gdk-pixbuf-query-loaders", "pixbuf-loaders"),
    ("iconvconfig", "gconv"),
];

/// Where packages put what is to run when a kernel comes or goes: all of it prepares a boot.
const KERNEL_HOOKS: &str = "/etc/kernel/";

/// Whether the folder that run-parts(8) is given, its last argument, is one of hooks of kernels.
fn runs_kernel_hooks(arguments: &[Field]) -> bool {
    let folder = arguments.last().and_then(Field::known);
    folder.is_some_and(|folder| folder.starts_with(KERNEL_HOOKS) && folder.ends_with(".d"))
}

impl<'s> Interpreter<'s> {
    /// Gives a program its verdict, and says how it ends.
    pub(super) fn command(&mut self, node: &'s Node, name: &str, arguments: &[Field]) -> Status {
        let name = name.rsplit('/').next().unwrap_or(name);
        let first = arguments.first().and_then(Field::known).unwrap_or_default();
        let irrelevant = |this: &mut Self, reason| {
            this.print(None);
            this.note(node, Verdict::Irrelevant(reason));
        };
        if QUERIES.contains(&name) {
            irrelevant(self, Reason::NoEffect);
            return Status::Opaque;
        }
        if RUNNING.contains(&name) {
            irrelevant(self, Reason::RunningSystem);
            return Status::Yes;
        }
        if OTHER_INIT.contains(&name) {
            irrelevant(self, Reason::OtherInit);
            return Status::Yes;
        }
        if CACHES.contains(&name) {
            irrelevant(self, Reason::Cache);
            return Status::Yes;
        }
        if BOOK_KEEPING.contains(&name) {
            irrelevant(self, Reason::BookKeeping);
            return if name == "dpkg-query" {
                Status::Opaque
            } else {
                Status::Yes
            };
        }
        if BOOT.contains(&name) || (name == "run-parts" && runs_kernel_hooks(arguments)) {
            irrelevant(self, Reason::Boot);
            return Status::Yes;
        }
        if WRAPPERS.contains(&name)
            && let Some(dashes) = arguments.iter().position(|f| f.known() == Some("--"))
            && let Some(inner) = arguments
                .get(dashes + 1)
                .and_then(Field::known)
                .map(str::to_owned)
        {
            return self.command(node, &inner, &arguments[dashes + 2..]);
        }
        if name.starts_with("python3")
            && arguments
                .iter()
                .filter_map(Field::known)
                .any(|w| w.ends_with("/py_compile.py") || w == "compileall")
        {
            irrelevant(self, Reason::Cache);
            return Status::Yes;
        }
        if self.phase == Phase::Remove
            && let Some(status) = self.removal(node, name)
        {
            return status;
        }
        if let Some((_, finaliser)) = FINALISERS.iter().find(|(program, _)| *program == name) {
            self.note(
                node,
                Verdict::Understood(Action::Finalise {
                    name: (*finaliser).to_owned(),
                }),
            );
            return Status::Yes;
        }
        match name {
            "basename" | "dirname" => {
                let text = arguments
                    .first()
                    .and_then(Field::known)
                    .map(|path| part_of_path(name, path));
                self.print(text.filter(|_| arguments.len() == 1).as_deref());
                self.note(node, Verdict::Irrelevant(Reason::NoEffect));
                Status::Yes
            }
            "sed" => self.sed(node, arguments),
            "find" => self.find(node, arguments),
            "command" | "which" | "type" => self.which(node, arguments),
            "getent" => {
                irrelevant(self, Reason::NoEffect);
                let made = arguments
                    .get(1)
                    .and_then(Field::known)
                    .is_some_and(|n| self.state.accounts.contains(n));
                Status::from_bool(made)
            }
            "readlink" => self.readlink(node, arguments),
            "uname" => {
                self.print((first == "-s" || arguments.is_empty()).then_some("Linux\n"));
                self.note(node, Verdict::Irrelevant(Reason::NoEffect));
                Status::Yes
            }
            "mktemp" => {
                self.note(node, Verdict::Irrelevant(Reason::Temporary));
                self.print(Some("/tmp/lazuli-import\n"));
                Status::Yes
            }
            "dpkg" => self.dpkg(node, arguments),
            "dpkg-divert" => self.divert(node, arguments),
            "dpkg-statoverride" => self.stat_override(node, arguments),
            "journalctl" if arguments.iter().any(|f| f.known() == Some("--update-catalog")) => {
                self.note(
                    node,
                    Verdict::Understood(Action::Finalise {
                        name: "catalog".to_owned(),
                    }),
                );
                Status::Yes
            }
            "systemd-machine-id-setup" | "dbus-uuidgen" => {
                // Every host makes its own at its first start.
                irrelevant(self, Reason::RunningSystem);
                Status::Yes
            }
            "systemd-sysusers" => self.apply(node, "sysusers", arguments),
            "systemd-tmpfiles" => self.apply(node, "tmpfiles", arguments),
            "systemctl" | "deb-systemd-helper" => self.unit(node, name, arguments),
            "update-alternatives" => self.alternative(node, arguments),
            "adduser" | "useradd" | "addgroup" | "groupadd" | "usermod" | "groupmod" | "gpasswd" => {
                self.account(node, name, arguments)
            }
            "mkdir" | "install" | "chown" | "chgrp" | "chmod" | "touch" | "ln" | "cp" | "mv" | "rm"
            | "rmdir" | "setcap" | "ucf" => self.file_command(node, name, arguments),
            _ if first == "--version" || first == "--help" => {
                irrelevant(self, Reason::NoEffect);
                Status::Opaque
            }
            _ => {
                self.print(None);
                self.note(node, Verdict::Unknown);
                Status::Opaque
            }
        }
    }

    /// What only cleans up when the package goes.
    fn removal(&mut self, node: &'s Node, name: &str) -> Option<Status> {
        const CLEANING: [&str; 18] = [
            "rm",
            "rmdir",
            "find",
            "xargs",
            "deluser",
            "delgroup",
            "userdel",
            "groupdel",
            "update-alternatives",
            "dpkg-divert",
            "dpkg-statoverride",
            "ucf",
            "deb-systemd-helper",
            "systemctl",
            "pam-auth-update",
            "update-binfmts",
            "mv",
            "sed",
        ];
        // dh_python3 removes byte code by a line of Perl.
        let bytecode = name == "perl" && self.text_of(node).contains("/__pycache__/");
        if !CLEANING.contains(&name) && !bytecode {
            return None;
        }
        self.print(None);
        self.note(node, Verdict::Irrelevant(Reason::Removal));
        Some(if name == "dpkg-statoverride" {
            Status::No
        } else {
            Status::Yes
        })
    }

    fn sed(&mut self, node: &'s Node, arguments: &[Field]) -> Status {
        let in_place = arguments.iter().filter_map(Field::known).any(|a| {
            // In a cluster of letters, those after `e` and `f` are a value.
            let letters = a
                .strip_prefix('-')
                .filter(|a| !a.starts_with('-'))
                .unwrap_or_default();
            let letters = letters.split(['e', 'f']).next().unwrap_or_default();
            a.starts_with("--in-place") || letters.contains('i')
        });
        let unclear = arguments.contains(&Field::Unknown);
        self.print(None);
        // An unknown word may be an option only if it comes before the script.
        let verdict = if in_place || (unclear && arguments.first().and_then(Field::known).is_none()) {
            Verdict::Unknown
        } else {
            Verdict::Irrelevant(Reason::NoEffect)
        };
        self.note(node, verdict);
        Status::Opaque
    }

    /// Of links, only those of the layout are known.
    fn readlink(&mut self, node: &'s Node, arguments: &[Field]) -> Status {
        self.note(node, Verdict::Irrelevant(Reason::NoEffect));
        let words: Option<Vec<&str>> = arguments.iter().map(Field::known).collect();
        let target = match words.as_deref() {
            Some(["-f" | "-e" | "-m", path]) => layout_link(path).map(|name| format!("/usr/{name}\n")),
            Some([path]) => layout_link(path).map(|name| format!("usr/{name}\n")),
            _ => None,
        };
        self.print(target.as_deref());
        if target.is_some() {
            Status::Yes
        } else {
            Status::Opaque
        }
    }

    fn find(&mut self, node: &'s Node, arguments: &[Field]) -> Status {
        const CHANGING: [&str; 8] = [
            "-delete", "-exec", "-execdir", "-ok", "-okdir", "-fprint", "-fls", "-fprintf",
        ];
        let changes = arguments.iter().any(|f| match f.known() {
            Some(word) => CHANGING.contains(&word),
            None => false,
        });
        self.print(None);
        self.note(
            node,
            if changes {
                Verdict::Unknown
            } else {
                Verdict::Irrelevant(Reason::NoEffect)
            },
        );
        Status::Opaque
    }

    /// `command -v tool`, `which tool`: where a tool is.
    fn which(&mut self, node: &'s Node, arguments: &[Field]) -> Status {
        let words: Vec<&Field> = arguments
            .iter()
            .filter(|f| !f.known().is_some_and(|w| w.starts_with('-')))
            .collect();
        let asks = arguments.len() > words.len() || !self.text_of(node).starts_with("command ");
        if !asks {
            let rest = arguments.get(1..).unwrap_or_default();
            let Some(name) = arguments.first().and_then(Field::known).map(str::to_owned) else {
                self.note(node, Verdict::Unknown);
                return Status::Opaque;
            };
            return self.command(node, &name, rest);
        }
        self.note(node, Verdict::Irrelevant(Reason::NoEffect));
        let Some(name) = words.first().and_then(|f| f.known()) else {
            self.print(None);
            return Status::Opaque;
        };
        let own = ["/usr/bin/", "/usr/sbin/"]
            .iter()
            .map(|folder| format!("{folder}{name}"))
            .find(|path| self.facts.files.contains_key(path));
        let status = if own.is_some() { Status::Yes } else { tool(name) };
        match (own, status) {
            (Some(path), _) => self.print(Some(&format!("{path}\n"))),
            (None, Status::Yes) => self.print(Some(&format!("/usr/bin/{name}\n"))),
            _ => self.print(Some(&format!("/usr/bin/{name}\n"))),
        }
        status
    }

    fn dpkg(&mut self, node: &'s Node, arguments: &[Field]) -> Status {
        self.note(node, Verdict::Irrelevant(Reason::NoEffect));
        let words: Vec<Option<&str>> = arguments.iter().map(Field::known).collect();
        match words.as_slice() {
            [Some("--compare-versions"), left, operator, right] => {
                compare_versions(*left, operator.unwrap_or_default(), *right)
            }
            // An empty version that is not quoted vanishes: `dpkg --compare-versions $2 lt 1`.
            [Some("--compare-versions"), Some(operator), right] => {
                compare_versions(Some(""), operator, *right)
            }
            [Some("--print-architecture")] => {
                let architecture = format!("{}\n", self.facts.architecture);
                self.print(Some(&architecture));
                Status::Yes
            }
            [
                Some("--configure" | "--unpack" | "-i" | "--install" | "--remove" | "--purge"),
                ..,
            ] => {
                self.statements.pop();
                self.note(node, Verdict::Unknown);
                Status::Opaque
            }
            _ => {
                self.print(None);
                Status::Opaque
            }
        }
    }

    /// Diversions move another package's file away. Those of the move to `/usr` protect against dpkg itself.
    fn divert(&mut self, node: &'s Node, arguments: &[Field]) -> Status {
        let words: Vec<&str> = arguments.iter().filter_map(Field::known).collect();
        if words.contains(&"--truename") {
            let path = words.last().copied().unwrap_or_default();
            self.print(Some(&format!("{path}\n")));
            self.note(node, Verdict::Irrelevant(Reason::NoEffect));
            return Status::Yes;
        }
        if words.iter().any(|w| matches!(*w, "--list" | "--listpackage")) {
            self.print(Some(""));
            self.note(node, Verdict::Irrelevant(Reason::NoEffect));
            return Status::No;
        }
        let protects = words.iter().any(|w| w.ends_with(".usr-is-merged"));
        let removes = words.contains(&"--remove");
        let verdict = if protects || removes {
            Verdict::Irrelevant(Reason::Diversion)
        } else {
            Verdict::Unknown
        };
        self.note(node, verdict);
        Status::Yes
    }

    /// Applies configuration that the package ships.
    fn apply(&mut self, node: &'s Node, what: &'static str, arguments: &[Field]) -> Status {
        let mut names = Vec::new();
        for field in arguments {
            match field.known() {
                Some(word) if word.starts_with("--") => {}
                Some(word) => names.push(word.to_owned()),
                None => {
                    self.note(node, Verdict::Unknown);
                    return Status::Yes;
                }
            }
        }
        self.note(node, Verdict::Understood(Action::Apply { what, names }));
        Status::Yes
    }
}

/// `dpkg --compare-versions`: an empty version is earlier than any, with `-nl` later than any.
fn compare_versions(left: Option<&str>, operator: &str, right: Option<&str>) -> Status {
    let (Some(left), Some(right)) = (left, right) else {
        return Status::Opaque;
    };
    use std::cmp::Ordering;
    let (relation, empty_is_later) = match operator.strip_suffix("-nl") {
        Some(relation) => (relation, true),
        None => (operator, false),
    };
    let order = match (left.is_empty(), right.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => {
            if empty_is_later {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (false, true) => {
            if empty_is_later {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (false, false) => match (Version::parse(left), Version::parse(right)) {
            (Ok(left), Ok(right)) => left.cmp(&right),
            _ => return Status::Opaque,
        },
    };
    match relation {
        "lt" | "<<" => Status::from_bool(order.is_lt()),
        "le" | "<=" | "<" => Status::from_bool(order.is_le()),
        "eq" | "=" => Status::from_bool(order.is_eq()),
        "ne" => Status::from_bool(order.is_ne()),
        "ge" | ">=" | ">" => Status::from_bool(order.is_ge()),
        "gt" | ">>" => Status::from_bool(order.is_gt()),
        _ => Status::Opaque,
    }
}

/// What `basename` and `dirname` print.
fn part_of_path(program: &str, path: &str) -> String {
    let path = path.trim_end_matches('/');
    let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
    let part = if program == "basename" { name } else { folder };
    format!("{}\n", if part.is_empty() { "/" } else { part })
}

/// The name of a link from the root into `/usr`.
fn layout_link(path: &str) -> Option<&str> {
    path.strip_prefix('/')
        .filter(|name| matches!(*name, "bin" | "sbin" | "lib" | "lib64"))
}
