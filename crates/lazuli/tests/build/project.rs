//! The project of the tests.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The components, in the order in which they are built.
pub(crate) const COMPONENTS: [&str; 4] = ["test-apart", "test-low", "test-mid", "test-top"];

/// What of the cache is a project's own: all else, packages and layers of buildroots, is shared with the distribution.
const OWN: [&str; 3] = ["builds", "resolutions", "content.index"];

/// A project in a folder that goes with it.
pub(crate) struct Project {
    dir: tempfile::TempDir,
}

impl Project {
    /// The distribution, with the components of the test.
    pub(crate) fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let project = Self { dir };
        let distro = project.path("distro");
        succeed(Command::new("cp").arg("-r").arg(root.join("distro")).arg(&distro));
        succeed(Command::new("git").args(["init", "-q"]).arg(project.dir.path()));
        project.share_cache();
        project.import();
        let mut toml = String::new();
        for name in COMPONENTS {
            let folder = distro.join("specs").join(name);
            std::fs::create_dir_all(&folder).unwrap();
            toml += &format!(
                "[components.{name}]\nspec = {{ type = \"local\", path = \"../specs/{name}/{name}.spec\" }}\n"
            );
        }
        std::fs::write(distro.join("components/test-build.toml"), toml).unwrap();
        project.write("test-low", "low.c", "int low(void) { return 1; }\n");
        project.write("test-low", "test-low.spec", &library("low", "", ""));
        project.write(
            "test-mid",
            "mid.c",
            "int low(void);\nint mid(void) { return low() + 1; }\n",
        );
        project.write("test-mid", "test-mid.spec", &library("mid", "low", "-llow"));
        project.write(
            "test-top",
            "top.c",
            "#include <stdio.h>\nint mid(void);\nint main(void) { printf(\"%d\\n\", mid()); return 0; }\n",
        );
        project.write(
            "test-top",
            "test-top.spec",
            &program("top", "test-mid-dev", "-lmid -llow"),
        );
        project.write("test-apart", "apart.c", "int main(void) { return 0; }\n");
        project.write("test-apart", "test-apart.spec", &program("apart", "", ""));
        project
    }

    /// The machine's cache, but for what the test makes.
    fn share_cache(&self) {
        let shared = std::env::var_os("LAZULI_CACHE")
            .map(PathBuf::from)
            .unwrap_or_else(|| {
                let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
                let home =
                    home.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
                home.join("lazuli")
            });
        std::fs::create_dir_all(shared.join("buildroots")).unwrap();
        std::fs::create_dir(self.path("cache")).unwrap();
        for entry in std::fs::read_dir(&shared).unwrap() {
            let name = entry.unwrap().file_name();
            if !OWN.iter().any(|own| name == *own) {
                symlink(shared.join(&name), self.path("cache").join(&name)).unwrap();
            }
        }
    }

    /// Imports what buildroots are made of: once, into a folder that stays, since nothing changes it.
    fn import(&self) {
        static IMPORTED: OnceLock<PathBuf> = OnceLock::new();
        let first = IMPORTED.get_or_init(|| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build-imported");
            let mut command = self.command(&["import", "--buildroot"]);
            succeed(command.arg("--out").arg(&folder));
            folder
        });
        std::fs::create_dir(self.path("out")).unwrap();
        for folder in ["keys", "repo", "repo-build"] {
            // Hard links: none of it is ever changed in place.
            succeed(
                Command::new("cp")
                    .arg("-rl")
                    .arg(first.join(folder))
                    .arg(self.path("out")),
            );
        }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    fn source(&self, component: &str, file: &str) -> PathBuf {
        self.path("distro/specs").join(component).join(file)
    }

    pub(crate) fn write(&self, component: &str, file: &str, text: &str) {
        std::fs::write(self.source(component, file), text).unwrap();
    }

    /// Changes a file of a component.
    pub(crate) fn replace(&self, component: &str, file: &str, old: &str, new: &str) {
        let path = self.source(component, file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{} has no {old:?}", path.display());
        std::fs::write(path, text.replace(old, new)).unwrap();
    }

    /// The program, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lazuli"));
        command.args(arguments);
        command.arg("--project").arg(self.path("distro"));
        command.env("LAZULI_OUT", self.path("out"));
        command.arg("--cache").arg(self.path("cache"));
        command.env("SOURCE_DATE_EPOCH", "1790000000");
        command.env_remove("LAZULI_SIGNING_KEY");
        // Whoever records a change.
        command
            .env("GIT_AUTHOR_NAME", "A Tester")
            .env("GIT_AUTHOR_EMAIL", "tester@example.org");
        command.stdin(Stdio::null());
        command
    }

    /// Locks all components of the test as they are now.
    pub(crate) fn lock(&self) {
        let mut arguments = vec!["component", "update"];
        arguments.extend(COMPONENTS);
        succeed(&mut self.command(&arguments));
    }

    /// Locks and builds; gives the state of each component.
    pub(crate) fn build(&self, options: &[&str]) -> Built {
        self.lock();
        let mut arguments = vec!["build", "--json", "test-top", "test-apart"];
        arguments.extend(options);
        Built::of(self.command(&arguments).output().unwrap())
    }

    /// Names of the packages in the built repository.
    pub(crate) fn repository(&self) -> Vec<String> {
        let folder = self.path("out/built/2/x86_64");
        let names = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = names
            .map(|one| one.unwrap().file_name().into_string().unwrap())
            .collect();
        names.retain(|name| name.ends_with(".rpm"));
        names.sort();
        names
    }
}

/// What a run said.
pub(crate) struct Built {
    pub(crate) output: Output,
    /// Of each component: `built`, `cached`, `failed`, `blocked`, `not started`.
    pub(crate) states: BTreeMap<String, String>,
}

impl Built {
    fn of(output: Output) -> Self {
        let facts: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        let rows = facts["components"].as_array().unwrap().iter();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        Self {
            states: rows
                .map(|row| (text(&row["component"]), text(&row["state"])))
                .collect(),
            output,
        }
    }

    /// The states, in the order of [`COMPONENTS`].
    pub(crate) fn all(&self) -> [&str; 4] {
        COMPONENTS.map(|name| self.states[name].as_str())
    }

    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }
}

/// Runs a command that must succeed; gives its standard output.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The spec of a library of one file, which may need another.
fn library(name: &str, needs: &str, flags: &str) -> String {
    let (build_requires, requires) = match needs {
        "" => (String::new(), String::new()),
        needs => (
            format!("BuildRequires:  test-{needs}-dev\n"),
            format!("Requires:       test-{needs}-dev\n"),
        ),
    };
    format!(
        "Name:           test-{name}
Version:        1
Release:        %autorelease
Summary:        A library of a test
License:        MIT
Source0:        {name}.c
BuildRequires:  gcc
{build_requires}
%description
A library.

%package dev
Summary:        What programs are linked with
Requires:       %{{name}} = %{{version}}-%{{release}}
{requires}
%description dev
A link.

%build
gcc -g -O2 -shared -fPIC -Wl,-soname,lib{name}.so.1 -o lib{name}.so.1 %{{SOURCE0}} {flags}

%install
install -D lib{name}.so.1 %{{buildroot}}%{{_libdir}}/lib{name}.so.1
ln -s lib{name}.so.1 %{{buildroot}}%{{_libdir}}/lib{name}.so

%files
%{{_libdir}}/lib{name}.so.1

%files dev
%{{_libdir}}/lib{name}.so

%changelog
%autochangelog
"
    )
}

/// The spec of a program of one file.
fn program(name: &str, needs: &str, flags: &str) -> String {
    let build_requires = match needs {
        "" => String::new(),
        needs => format!("BuildRequires:  {needs}\n"),
    };
    format!(
        "Name:           test-{name}
Version:        1
Release:        %autorelease
Summary:        A program of a test
License:        MIT
Source0:        {name}.c
BuildRequires:  gcc
{build_requires}
%description
A program.

%build
gcc -g -O2 -o test-{name} %{{SOURCE0}} {flags}

%check
./test-{name}

%install
install -D test-{name} %{{buildroot}}%{{_bindir}}/test-{name}

%files
%{{_bindir}}/test-{name}

%changelog
%autochangelog
"
    )
}
