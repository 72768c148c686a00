//! A project that azldev made, through the commands: load, list, show, update, render, diff, query, graph, changed.
//!
//! Its upstream is made here: git repositories in a folder, and a lookaside cache that a server on this machine gives.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// When the upstream was committed, as the fixture's README has it.
const IMPORTED: &str = "2026-01-02T03:04:05+0000";
/// When the project is worked on: 2026-05-01T00:00:00Z.
const NOW: &str = "1777593600";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/tests/fixtures")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => fs::copy(entry.path(), target).map(drop).unwrap(),
        }
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("HOME", folder);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Upstream");
        command.env(format!("GIT_{role}_EMAIL"), "upstream@example.com");
        command.env(format!("GIT_{role}_DATE"), IMPORTED);
    }
    run(&mut command).trim().to_owned()
}

/// The files of a lookaside cache by name, whatever else is in the address. The server runs as long as the test does.
fn serve(files: BTreeMap<String, Vec<u8>>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines();
            let first = lines.next().and_then(Result::ok).unwrap_or_default();
            // The request's head ends with an empty line.
            let _ = lines.find(|line| line.as_ref().is_ok_and(String::is_empty));
            let path = first.split(' ').nth(1).unwrap_or_default();
            let found = files.get(path.rsplit('/').next().unwrap_or_default());
            let status = if found.is_some() {
                "200 OK"
            } else {
                "404 Not Found"
            };
            let body = found.map_or(&[][..], Vec::as_slice);
            let head = format!(
                "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            // The other side may be gone: that is its own affair.
            let _ = (&stream)
                .write_all(head.as_bytes())
                .and_then(|()| (&stream).write_all(body));
        }
    });
    format!("http://{address}")
}

/// The fixture's upstream, as its README says.
fn upstream(folder: &Path) -> String {
    let from = fixtures().join("azldev-upstream");
    let mut lookaside = BTreeMap::new();
    for entry in fs::read_dir(from.join("lookaside")).unwrap() {
        let entry = entry.unwrap();
        lookaside.insert(
            entry.file_name().into_string().unwrap(),
            fs::read(entry.path()).unwrap(),
        );
    }
    for name in ["bash", "curl", "grep", "kernel", "libstdc++", "sed", "zlib-ng"] {
        let repository = folder.join("rpms").join(format!("{name}.git"));
        copy(&from.join(name), &repository);
        if name == "bash" {
            let tarball = folder.join("bash-5.3.tar.gz");
            run(Command::new("tar")
                .arg("-czf")
                .arg(&tarball)
                .arg("-C")
                .arg(&repository)
                .arg("bash-5.3"));
            fs::remove_dir_all(repository.join("bash-5.3")).unwrap();
            let digest = run(Command::new("sha512sum").arg(&tarball));
            let digest = digest.split(' ').next().unwrap();
            let sources = fs::read_to_string(repository.join("sources")).unwrap_or_default();
            fs::write(
                repository.join("sources"),
                format!("{sources}SHA512 (bash-5.3.tar.gz) = {digest}\n"),
            )
            .unwrap();
            lookaside.insert("bash-5.3.tar.gz".to_owned(), fs::read(&tarball).unwrap());
        }
        git(&repository, &["init", "-q", "-b", "f43"]);
        git(&repository, &["add", "-A"]);
        git(&repository, &["commit", "-q", "-m", "Import"]);
        git(&repository, &["branch", "rawhide"]);
    }
    serve(lookaside)
}

/// A checkout of the project.
struct Checkout {
    home: tempfile::TempDir,
}

impl Checkout {
    fn new() -> Checkout {
        let checkout = Checkout {
            home: tempfile::tempdir().unwrap(),
        };
        let address = upstream(checkout.home.path());
        copy(&fixtures().join("azldev"), &checkout.project());
        let settings = format!(
            "[distros.upstream]\ndist-git-base-uri = \"file://{}/rpms/$pkg.git\"\n\
             lookaside-base-uri = \"{address}/$pkg/$filename/$hashtype/$hash/$filename\"\n",
            checkout.home.path().display()
        );
        fs::write(checkout.home.path().join("local.toml"), settings).unwrap();
        git(&checkout.project(), &["init", "-q", "-b", "main"]);
        checkout.commit("As azldev has it");
        checkout
    }

    fn project(&self) -> PathBuf {
        self.home.path().join("project")
    }

    fn commit(&self, message: &str) {
        git(&self.project(), &["add", "-A"]);
        git(&self.project(), &["commit", "-q", "-m", message]);
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lazuli"));
        // Any folder of the project will do.
        command.current_dir(self.project().join("base/comps"));
        command
            .arg("--config-file")
            .arg(self.home.path().join("local.toml"));
        command.args(arguments).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("HOME", self.home.path());
        command.env("LAZULI_CACHE", self.home.path().join("cache"));
        command.env("SOURCE_DATE_EPOCH", NOW);
        command.envs([
            ("GIT_AUTHOR_NAME", "Pia"),
            ("GIT_AUTHOR_EMAIL", "pia@example.com"),
        ]);
        command
    }

    fn lazuli(&self, arguments: &[&str]) -> String {
        run(&mut self.command(arguments))
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.lazuli(&[&["--json"], arguments].concat())).unwrap()
    }

    /// What is said of a command that fails.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

fn names(rows: &serde_json::Value, key: &str) -> Vec<String> {
    let rows = rows.as_array().unwrap();
    rows.iter()
        .map(|row| row[key].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_project_of_azldev_goes_through_every_command() {
    let checkout = Checkout::new();
    let listed = names(&checkout.json(&["component", "list"]), "name");
    for name in [
        "bash",
        "curl",
        "custom-tool",
        "kernel",
        "my-driver-6-12-gcc14",
        "sed",
    ] {
        assert!(listed.iter().any(|one| one == name), "{name} in {listed:?}");
    }
    let shown = checkout.lazuli(&["component", "show", "bash"]);
    assert!(shown.contains("bash.comp.toml"), "{shown}");

    // The kernel has a file that a script makes, and there is no root to run it in: refused with words, and no other is.
    checkout.lazuli(&["component", "update"]);
    assert!(
        checkout
            .read("base/locks/zlib-ng.lock")
            .contains("47cbc9b01592751a0fb7ae83f07acf3f5885c699")
    );
    let refused = checkout.refused(&["component", "render"]);
    assert!(
        refused.contains("kernel: source file `firmware.tar.gz`") && refused.contains("no root to run it in"),
        "{refused}"
    );
    let rendered: Vec<&String> = listed.iter().filter(|name| *name != "kernel").collect();
    for name in &rendered {
        let letter: String = name.chars().take(1).collect();
        let folder = checkout.project().join("base/specs").join(letter).join(name);
        let specs = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        assert!(
            specs
                .flatten()
                .any(|file| file.path().extension().is_some_and(|end| end == "spec"))
        );
    }
    check_bash(&checkout);
    let grep = checkout.read("base/specs/g/grep-classic/grep.spec");
    assert!(grep.contains("Name: grep"), "{grep}");

    // Rendering again changes nothing, and a change by hand is found.
    checkout.commit("Rendered");
    let but_kernel: Vec<&str> = rendered.iter().map(|name| name.as_str()).collect();
    checkout.lazuli(&[&["component", "render", "--check"], &but_kernel[..]].concat());
    let path = checkout.project().join("base/specs/c/curl/curl.spec");
    let by_hand = fs::read_to_string(&path).unwrap() + "# by hand\n";
    fs::write(&path, by_hand).unwrap();
    checkout.refused(&["component", "render", "--check", "curl"]);
    checkout.lazuli(&["component", "render", "curl"]);
    assert_eq!(git(&checkout.project(), &["status", "--porcelain"]), "");

    let diff = checkout.lazuli(&["component", "diff", "sed"]);
    assert!(diff.contains("+Vendor: Example"), "{diff}");
    let found = checkout.json(&["component", "query", "curl", "bash"]);
    let text = found.to_string();
    assert!(text.contains("curl") && text.contains("5.3"), "{text}");
    let order = checkout.lazuli(&["graph", "order"]);
    assert!(order.lines().any(|line| line.ends_with(" zlib-ng")), "{order}");
    check_build_inputs(&checkout);
    check_changed(&checkout);
}

/// All 17 overlays, and the two files of them.
fn check_bash(checkout: &Checkout) {
    let spec = checkout.read("base/specs/b/bash/bash.spec");
    for text in [
        "Vendor: Example",
        "Version: 5.3",
        "%global example 1",
        "Summary: Libraries of bash",
    ] {
        assert!(spec.contains(text), "{text} in {spec}");
    }
    for text in [
        "autogen",
        "--enable-old",
        "%post doc",
        "%package doc",
        "CVE-2024-0001",
    ] {
        assert!(!spec.contains(text), "{text} in {spec}");
    }
    assert!(
        checkout
            .read("base/specs/b/bash/Makefile")
            .starts_with("# changed\n")
    );
    assert!(checkout.project().join("base/specs/b/bash/new.conf").is_file());
    assert!(
        spec.contains("* Fri May 01 2026 Pia <pia@example.com> - 5.3-2\n- Import from upstream at "),
        "{spec}"
    );
    // The tarball is ours now, and only the build takes it.
    let upstream = checkout.home.path().join("rpms/bash.git/sources");
    let line = |text: &str| {
        text.lines()
            .find(|line| line.contains("bash-5.3.tar.gz"))
            .unwrap()
            .to_owned()
    };
    let (before, after) = (
        line(&fs::read_to_string(upstream).unwrap()),
        line(&checkout.read("base/specs/b/bash/sources")),
    );
    assert_ne!(before, after);
    assert!(
        !checkout
            .project()
            .join("base/specs/b/bash/bash-5.3.tar.gz")
            .exists()
    );
}

/// What a build takes: the tarball as the overlays left it, by rpm's own reckoning enough for a source package.
fn check_build_inputs(checkout: &Checkout) {
    let folder = checkout.home.path().join("inputs");
    let into = folder.to_str().unwrap();
    // The fixture renames a source and does not tell the spec.
    let refused = checkout.refused(&["component", "render", "bash", "--sources-into", into]);
    assert!(
        refused.contains("names `old.conf`, and nothing says where that is"),
        "{refused}"
    );
    let path = checkout.project().join("base/comps/bash/bash.comp.toml");
    let text = fs::read_to_string(&path).unwrap();
    let told =
        "[[components.bash.overlays]]\ntype = \"spec-update-tag\"\ntag = \"Source1\"\nvalue = \"new.conf\"\n";
    fs::write(&path, format!("{text}\n{told}")).unwrap();
    checkout.lazuli(&["component", "update", "bash"]);
    checkout.lazuli(&["component", "render", "bash", "--sources-into", into]);
    let members = run(Command::new("tar")
        .arg("-tf")
        .arg(folder.join("bash/bash-5.3.tar.gz")));
    assert!(
        members.contains("bash-5.3/configure.ac") && !members.contains("tests/run"),
        "{members}"
    );
    for name in [
        "bash.spec",
        "new.conf",
        "profile",
        "keep.patch",
        "0001-fix.patch",
        "CVE-2026-1234.patch",
    ] {
        assert!(folder.join("bash").join(name).is_file(), "{name}");
    }
    assert!(!folder.join("bash/sources").exists());
    if Command::new("rpmbuild").arg("--version").output().is_ok() {
        let folder = folder.join("bash");
        let defined = |name: &str| format!("{name} {}", folder.display());
        run(Command::new("rpmbuild")
            .args([
                "-bs",
                "--define",
                &defined("_sourcedir"),
                "--define",
                &defined("_srcrpmdir"),
            ])
            .arg(folder.join("bash.spec")));
    }
    checkout.commit("A change of bash");
}

/// A change of a group reaches its components, with a reason, and no other.
fn check_changed(checkout: &Checkout) {
    let none = checkout.json(&["component", "changed"]);
    assert_eq!(none.to_string(), "[]");
    let path = checkout.project().join("base/comps/components.toml");
    let text = fs::read_to_string(&path).unwrap();
    let changed = text.replace("defines = { network = \"1\" }", "defines = { network = \"2\" }");
    assert_ne!(text, changed);
    fs::write(&path, changed).unwrap();
    let explained = checkout.lazuli(&["component", "changed", "--explain"]);
    assert!(explained.contains("curl"), "{explained}");
    assert!(explained.contains("build.defines.network"), "{explained}");
    assert!(!explained.contains("zlib-ng"), "{explained}");
}
