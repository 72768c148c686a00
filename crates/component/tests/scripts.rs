//! Source files that scripts of the project make: with a runner that only pretends, and in a root tree.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use lazuli_catalog::ResolvedSourceFile;
use lazuli_component::provider::{LookasideFile, ProviderError, UpstreamCommit};
use lazuli_component::{
    CommitChoice, Content, LocalMirror, RenderError, RootRunner, ScriptError, ScriptRequest, ScriptRunner,
    SourceProvider, SourceTree, UpstreamPackage,
};
use support::{CONFIG, Project, spec};

/// A mirror with something that runs scripts.
struct WithScripts<'a> {
    mirror: &'a LocalMirror,
    runner: &'a dyn ScriptRunner,
}

impl SourceProvider for WithScripts<'_> {
    fn resolve(&self, package: &UpstreamPackage, choice: &CommitChoice) -> Result<String, ProviderError> {
        self.mirror.resolve(package, choice)
    }

    fn checkout(&self, package: &UpstreamPackage, commit: &str) -> Result<SourceTree, ProviderError> {
        self.mirror.checkout(package, commit)
    }

    fn history(&self, package: &UpstreamPackage, commit: &str) -> Result<Vec<UpstreamCommit>, ProviderError> {
        self.mirror.history(package, commit)
    }

    fn lookaside(&self, package: &UpstreamPackage, file: &LookasideFile) -> Result<Content, ProviderError> {
        self.mirror.lookaside(package, file)
    }

    fn source_file(&self, file: &ResolvedSourceFile) -> Result<Content, ProviderError> {
        self.mirror.source_file(file)
    }

    fn scripts(&self) -> Option<&dyn ScriptRunner> {
        Some(self.runner)
    }
}

/// The name of a script, its packages, and what lay in its folder.
type Asked = (String, Vec<String>, BTreeSet<String>);

/// Runs nothing: leaves files, and remembers what it was asked for.
struct Pretender {
    folder: tempfile::TempDir,
    leaves: Vec<(&'static str, &'static str)>,
    asked: Mutex<Vec<Asked>>,
}

impl Pretender {
    fn new(leaves: &[(&'static str, &'static str)]) -> Pretender {
        Pretender {
            folder: tempfile::tempdir().unwrap(),
            leaves: leaves.to_vec(),
            asked: Mutex::default(),
        }
    }
}

impl ScriptRunner for Pretender {
    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, request: &ScriptRequest, work: &Path) -> Result<(), ProviderError> {
        let names = fs::read_dir(work.join("script"))?
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        self.asked
            .lock()
            .unwrap()
            .push((request.name.clone(), request.packages.clone(), names));
        for (name, content) in &self.leaves {
            let path = work.join("output").join(name);
            fs::create_dir_all(path.parent().unwrap())?;
            fs::write(path, content)?;
        }
        Ok(())
    }
}

/// A project with `hello`, which has a file that `make.sh` makes of one file of the upstream and one of its lookaside
/// cache.
fn project(more: &str) -> Project {
    let project = Project::new(&format!(
        "{CONFIG}[[components.hello.source-files]]\nfilename = \"made.tar.gz\"\n{more}\
         origin = {{ type = \"custom\", script = \"make.sh\", packages = [\"tar\"], mock-packages = [\"gzip\"], \
         inputs = [\"list.txt\", \"hello-1.0.tar.gz\"] }}\n\
         [[components.hello.overlays]]\ntype = \"spec-add-tag\"\ntag = \"Source7\"\nvalue = \"made.tar.gz\"\n"
    ));
    project.repo.write("make.sh", SCRIPT);
    let upstream = project.upstream("hello");
    upstream.write("hello.spec", spec("1.0", "1", ""));
    upstream.write("fix.patch", "--- a\n+++ b\n");
    upstream.write("list.txt", "one two\n");
    upstream.write("hello-aarch64.conf", "x\n");
    let tarball = b"a tarball";
    let digest = lazuli_catalog::Sha256Digest::of(tarball);
    upstream.write("sources", format!("SHA256 (hello-1.0.tar.gz) = {digest}\n"));
    upstream.commit("Import", 0);
    fs::write(project.mirror.lookaside.join("hello-1.0.tar.gz"), tarball).unwrap();
    project.update("hello", 1);
    project
}

const SCRIPT: &str = "#!/bin/sh\nset -e\nread words < list.txt\nread tarball < hello-1.0.tar.gz || true\n\
                      echo \"$words, $tarball\" > /azldev-gen/output/made.txt\n\
                      while read -r line; do case $line in *:*) echo \"${line%%:*}\" >> \"$1/devices\";; esac; done < /proc/net/dev\n";

/// The members of a tarball with their modes, owners and times, and the content of one, by tar.
fn unpacked(content: &[u8], member: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.tar.gz");
    fs::write(&file, content).unwrap();
    let tar = |arguments: &[&str]| {
        let output = Command::new("tar")
            .env("TZ", "UTC")
            .arg("--numeric-owner")
            .args(arguments)
            .arg(&file)
            .args([member].iter().filter(|_| arguments[0] == "-xOf"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    (tar(&["-tvf"]), tar(&["-xOf"]))
}

#[test]
fn what_a_script_leaves_is_packed() {
    let project = project("");
    let pretender = Pretender::new(&[("dir/b", "B"), ("a", "A")]);
    let provider = WithScripts {
        mirror: &project.mirror,
        runner: &pretender,
    };
    let inputs = project.build_inputs(&provider, "hello").unwrap();
    let made = inputs
        .files
        .iter()
        .find(|file| file.name.as_str() == "made.tar.gz")
        .unwrap();
    let bytes = made.content.read().unwrap();
    let (list, content) = unpacked(&bytes, "dir/b");
    assert_eq!(content, "B");
    assert_eq!(
        list.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>(),
        [
            "-rw-r--r-- 0/0 1 2020-01-01 00:00 a",
            "drwxr-xr-x 0/0 0 2020-01-01 00:00 dir/",
            "-rw-r--r-- 0/0 1 2020-01-01 00:00 dir/b"
        ]
    );
    let asked = pretender.asked.lock().unwrap()[0].clone();
    let names = ["hello-1.0.tar.gz", "list.txt", "make.sh"].map(str::to_owned);
    assert_eq!(
        asked,
        (
            "make.sh".to_owned(),
            vec!["tar".to_owned(), "gzip".to_owned()],
            BTreeSet::from(names)
        )
    );
    // The same again gives the same bytes, and nothing is left of the work.
    let again = project.build_inputs(&provider, "hello").unwrap();
    assert!(again.files.iter().any(|file| file.sha256 == made.sha256));
    assert_eq!(fs::read_dir(pretender.folder()).unwrap().count(), 0);

    // One file of the very name is taken as it is; none at all is an error.
    let single = Pretender::new(&[("made.tar.gz", "as it is")]);
    let provider = WithScripts {
        mirror: &project.mirror,
        runner: &single,
    };
    let inputs = project.build_inputs(&provider, "hello").unwrap();
    let made = inputs
        .files
        .iter()
        .find(|file| file.name.as_str() == "made.tar.gz")
        .unwrap();
    assert_eq!(&*made.content.read().unwrap(), b"as it is");
    let nothing = Pretender::new(&[]);
    let provider = WithScripts {
        mirror: &project.mirror,
        runner: &nothing,
    };
    let error = project.build_inputs(&provider, "hello").unwrap_err();
    assert!(format!("{error:?}").contains("made nothing"), "{error:?}");
}

#[test]
fn without_a_root_a_script_is_refused() {
    let project = project("");
    let error = project.build_inputs(&project.mirror, "hello").unwrap_err();
    assert_eq!(
        error.to_string(),
        "source file `made.tar.gz` of `hello` is made by the script make.sh, and there is no root to run it in"
    );
    assert!(error.help().unwrap().contains("`hash`"));
}

#[test]
fn a_known_digest_needs_no_script_to_render_and_is_checked_at_the_build() {
    let digest = lazuli_catalog::Sha256Digest::of(b"as it is");
    let project = project(&format!("hash = \"{digest}\"\nhash-type = \"SHA256\"\n"));
    project.render("hello", lazuli_component::Mode::Write);
    let listed = project.repo.read("specs/h/hello/sources");
    assert!(
        listed.contains(&format!("SHA256 (made.tar.gz) = {digest}\n")),
        "{listed}"
    );
    let good = Pretender::new(&[("made.tar.gz", "as it is")]);
    let provider = WithScripts {
        mirror: &project.mirror,
        runner: &good,
    };
    assert!(project.build_inputs(&provider, "hello").is_ok());
    let other = Pretender::new(&[("made.tar.gz", "something else")]);
    let provider = WithScripts {
        mirror: &project.mirror,
        runner: &other,
    };
    let error = project.build_inputs(&provider, "hello").unwrap_err();
    assert!(error.to_string().contains("made one with the digest"), "{error}");
    // The lookaside cache may have it: then nothing runs.
    fs::write(project.mirror.lookaside.join("made.tar.gz"), "as it is").unwrap();
    assert!(project.build_inputs(&provider, "hello").is_ok());
}

#[test]
fn an_input_that_is_nowhere_is_named() {
    let project = project("");
    let text = project
        .repo
        .read("lazuli.toml")
        .replace("\"list.txt\"", "\"absent.txt\"");
    project.repo.write("lazuli.toml", text);
    project.update("hello", 2);
    let pretender = Pretender::new(&[]);
    let provider = WithScripts {
        mirror: &project.mirror,
        runner: &pretender,
    };
    let error = project.build_inputs(&provider, "hello").unwrap_err();
    assert!(error.to_string().contains("reads `absent.txt`"), "{error}");
    assert!(
        matches!(
            &error,
            lazuli_component::InputsError::Render(RenderError::Script(ScriptError::NoInput { .. }))
        ),
        "{error:?}"
    );
}

/// A root tree with a shell in it.
fn small_root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let copy = |from: &Path, to: &str| {
        let to = root.path().join(to.trim_start_matches('/'));
        if !to.exists() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    };
    let shell = Path::new("/bin/sh").canonicalize().unwrap();
    copy(&shell, "/bin/sh");
    let output = Command::new("ldd").arg(&shell).output().unwrap();
    for word in String::from_utf8_lossy(&output.stdout).split_whitespace() {
        if word.starts_with('/') {
            copy(Path::new(word), word);
        }
    }
    root
}

#[test]
fn a_script_runs_in_a_root_without_a_network() {
    if Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout != b"0\n")
    {
        eprintln!("SKIPPED: only the machine's root may mount without a namespace");
        return;
    }
    let project = project("");
    let (root, folder) = (small_root(), tempfile::tempdir().unwrap());
    let runner = RootRunner {
        root: root.path().to_owned(),
        folder: folder.path().to_owned(),
    };
    let provider = WithScripts {
        mirror: &project.mirror,
        runner: &runner,
    };
    let inputs = project.build_inputs(&provider, "hello").unwrap();
    let made = inputs
        .files
        .iter()
        .find(|file| file.name.as_str() == "made.tar.gz")
        .unwrap();
    let bytes = made.content.read().unwrap();
    assert_eq!(unpacked(&bytes, "made.txt").1, "one two, a tarball\n");
    assert_eq!(unpacked(&bytes, "devices").1.trim(), "lo");
    // A script that fails says what it wrote.
    project
        .repo
        .write("make.sh", "#!/bin/sh\necho no such luck >&2\nexit 3\n");
    project.update("hello", 2);
    let error = project.build_inputs(&provider, "hello").unwrap_err();
    let text = format!("{error:?}");
    assert!(
        text.contains("exit code 3") && text.contains("no such luck"),
        "{text}"
    );
}
