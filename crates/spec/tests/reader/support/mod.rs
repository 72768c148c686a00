//! What the tests of the reader share: the machine's macros for us, and rpm's own answers.

pub(crate) mod answers;
pub(crate) mod generator;
pub(crate) mod rpmspec;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use lazuli_spec::{Dialect, Files, Host, Level, MacroBase, Macros, Settings, Shell};

/// Macros that specs use, without any machine's.
pub(crate) const PORTABLE_MACROS: &str = r#"
%_prefix /usr
%_bindir %{_prefix}/bin
%_datadir %{_prefix}/share
%_sourcedir /src
%defined() %{expand:%%{?%{1}:1}%%{!?%{1}:0}}
%undefined() %{expand:%%{?%{1}:0}%%{!?%{1}:1}}
%_builddir /build
%buildroot /root/%{NAME}
%_target_cpu x86_64
%_target_os linux
%_isa (x86-64)
%nil %{!?nil:}
%with() %{expand:%%{?with_%{1}:1}%%{!?with_%{1}:0}}
%without() %{expand:%%{?with_%{1}:0}%%{!?with_%{1}:1}}
%configure ./configure --prefix=%{_prefix} %{?extra}
%make_build make
%sneaky() %{expand:%%global sneaked %{1}}
%hidden_section %{?enabled:
%package hidden
Summary: From the text of a script
%%description hidden
}
"#;

/// The folder of specs that are written by hand.
pub(crate) fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// The disk, seen from a folder.
struct Disk(PathBuf);

impl Disk {
    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }
}

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.path(path)).map_err(|error| error.to_string())
    }

    fn glob(&self, pattern: &str) -> Vec<String> {
        // Macro paths have a star in their last part only.
        let path = self.path(pattern);
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let Some((start, end)) = name.split_once('*') else {
            return if path.exists() {
                vec![pattern.to_owned()]
            } else {
                Vec::new()
            };
        };
        let mut found: Vec<String> = std::fs::read_dir(path.parent().unwrap())
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(start) && name.ends_with(end)
            })
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        found.sort();
        found
    }

    fn exists(&self, path: &str) -> bool {
        self.path(path).exists()
    }
}

/// The shell of the machine, which only these tests use: rpm runs commands, and its answers are to be compared.
struct Sh;

impl Shell for Sh {
    fn run(&self, command: &[u8]) -> Result<Vec<u8>, String> {
        let command = String::from_utf8_lossy(command);
        let output = Command::new("/bin/sh")
            .args(["-c", &command])
            .output()
            .map_err(|error| error.to_string())?;
        Ok(output.stdout)
    }
}

/// Our macros, read from the files from which rpm reads its own.
pub(crate) fn machine_macros(folder: &Path, home: &Path) -> MacroBase {
    let environment = BTreeMap::from([("HOME".to_owned(), home.to_string_lossy().into_owned())]);
    let host = Host {
        cpus: rpmspec::eval(home, "%{getncpus}").parse().unwrap(),
        ..Host::default()
    };
    let settings = Settings {
        files: Arc::new(Disk(folder.to_owned())),
        shell: Some(Arc::new(Sh)),
        environment: Arc::new(environment),
        host: Arc::new(host),
        dialect: Dialect::Rpm418,
        ..Settings::default()
    };
    let mut macros = Macros::new(settings);
    for name in [
        "_host_cpu",
        "_host_os",
        "_target",
        "_target_cpu",
        "_target_os",
        "optflags",
    ] {
        macros.set(name, rpmspec::eval(home, &format!("%{{{name}}}")), Level::RPMRC);
    }
    macros.load_path(&rpmspec::macro_path(home));
    macros.take_notes();
    macros.freeze()
}
