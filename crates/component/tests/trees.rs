//! A project reads the same from a commit as from the disk.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use lazuli_catalog::{Disk, EntryKind, Files as _};
use lazuli_component::provider::{ChangelogFile, history_of};
use lazuli_component::{FileMode, GitError, GitRepository, ProjectFiles as _, SourcePath, SourceTree};
use support::Repo;

fn listing(files: &dyn lazuli_catalog::Files, folder: &Path) -> BTreeMap<String, EntryKind> {
    let entries = files.list(folder).unwrap().into_iter();
    entries
        .filter(|entry| entry.name != ".git")
        .map(|entry| (entry.name, entry.kind))
        .collect()
}

fn fixture() -> (tempfile::TempDir, Repo) {
    let keep = tempfile::tempdir().unwrap();
    let repo = Repo::init(&keep.path().canonicalize().unwrap().join("repo"));
    repo.write("top.txt", "top\n");
    repo.write("sub/project/lazuli.toml", "x = 1\n");
    repo.write("sub/project/with space/ü.toml", "y = 2\n");
    repo.write("sub/project/specs/a.spec", "Name: a\n");
    repo.write("sub/project/specs/deep/er/x.patch", b"\xff\x00binary");
    repo.write("sub/project/specs/.hidden", "no");
    repo.write("sub/project/specs/run.sh", "#!/bin/sh\n");
    let script = repo.folder.join("sub/project/specs/run.sh");
    std::fs::set_permissions(script, std::fs::Permissions::from_mode(0o755)).unwrap();
    for (target, link) in [
        ("a.spec", "sub/project/specs/link.spec"),
        ("specs", "sub/project/linked"),
        ("../../top.txt", "sub/project/up.txt"),
        ("/etc/passwd", "sub/project/outside"),
        ("loop", "sub/project/loop"),
        ("nowhere", "sub/project/dangling"),
    ] {
        symlink(target, repo.folder.join(link)).unwrap();
    }
    repo.commit("all", 1);
    (keep, repo)
}

#[test]
fn a_commit_reads_as_the_disk() {
    let (_keep, repo) = fixture();
    let project = repo.folder.join("sub/project");
    let repository = GitRepository::discover(&project).unwrap().unwrap();
    assert!(!repository.is_top());
    let tree = repository.tree("HEAD").unwrap();
    for folder in [
        "",
        "specs",
        "specs/deep",
        "with space",
        "linked",
        "linked/deep/er",
    ] {
        let folder = project.join(folder);
        assert_eq!(listing(&tree, &folder), {
            let mut disk = listing(&Disk, &folder);
            // A link out of the repository leads nowhere in a commit.
            if disk.contains_key("outside") {
                disk.insert("outside".to_owned(), EntryKind::Other);
            }
            disk
        });
    }
    for file in [
        "lazuli.toml",
        "with space/ü.toml",
        "specs/link.spec",
        "linked/a.spec",
        "up.txt",
        "../../top.txt",
    ] {
        let path = project.join(file);
        let path = lexical(&path);
        assert!(tree.is_file(&path), "{file}");
        assert_eq!(tree.read(&path).unwrap(), Disk.read(&path).unwrap(), "{file}");
    }
    let binary = project.join("specs/deep/er/x.patch");
    assert_eq!(tree.read_bytes(&binary).unwrap(), b"\xff\x00binary");
    assert_eq!(tree.digest(&binary).unwrap(), Disk.digest(&binary).unwrap());
    assert_eq!(
        tree.read(&binary).unwrap_err().kind(),
        std::io::ErrorKind::InvalidData
    );
    for absent in [
        "no",
        "specs/no",
        "outside",
        "loop",
        "dangling",
        "specs/a.spec/x",
        "/etc/passwd",
    ] {
        assert!(!tree.is_file(&project.join(absent)), "{absent}");
        assert!(tree.read(&project.join(absent)).is_err(), "{absent}");
    }
    assert_eq!(
        tree.list(&project.join("no")).unwrap_err().kind(),
        std::io::ErrorKind::NotFound
    );
    assert_eq!(
        tree.list(&project.join("lazuli.toml")).unwrap_err().kind(),
        std::io::ErrorKind::NotADirectory
    );

    // As sources of a spec.
    let from_git = tree.source_tree(&project.join("specs/a.spec")).unwrap();
    let from_disk = SourceTree::load(&project.join("specs"), SourcePath::new("a.spec").unwrap()).unwrap();
    assert!(
        from_git.changes(&from_disk).is_empty(),
        "{:?}",
        from_git.changes(&from_disk)
    );
    assert_eq!(from_git.get("run.sh").unwrap().mode, FileMode::Executable);
}

fn lexical(path: &Path) -> std::path::PathBuf {
    let mut clean = std::path::PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
}

#[test]
fn revisions_and_their_errors() {
    let (keep, repo) = fixture();
    let repository = GitRepository::discover(&repo.folder).unwrap().unwrap();
    for bad in ["nothing", "--help", "-x", "HEAD:top.txt", "", "a b", "HEAD~7"] {
        let error = repository.commit(bad).unwrap_err();
        assert!(matches!(&error, GitError::NoRevision { .. }), "{bad}: {error}");
        assert!(error.help().is_some());
    }
    repo.git(&["tag", "-a", "v1", "-m", "v1"], 2);
    assert_eq!(
        repository.commit("v1").unwrap(),
        repository.commit("HEAD").unwrap()
    );
    assert!(GitRepository::discover(keep.path()).unwrap().is_none());
    let empty = Repo::init(&keep.path().join("empty"));
    assert_eq!(
        GitRepository::discover(&empty.folder)
            .unwrap()
            .unwrap()
            .head()
            .unwrap(),
        None
    );
}

#[test]
fn changes_of_files_below_a_folder() {
    let keep = tempfile::tempdir().unwrap();
    let repo = Repo::init(&keep.path().canonicalize().unwrap().join("r"));
    repo.write("p/locks/a.lock", "1");
    repo.write("p/locks/b.lock", "1");
    repo.write("other", "1");
    let one = repo.commit("one\n\nbody with \u{1f} nothing", 1);
    repo.write("p/locks/a.lock", "2");
    repo.write("p/locks/x/c.lock", "1");
    let two = repo.commit("two", 2);
    repo.write("other", "2");
    repo.commit("elsewhere", 3);
    repo.git(&["rm", "-q", "p/locks/b.lock"], 4);
    let three = repo.commit("three", 4);
    let repository = GitRepository::discover(&repo.folder.join("p")).unwrap().unwrap();
    let changes = repository
        .changes_below("HEAD", &repo.folder.join("p/locks"))
        .unwrap();
    let short: Vec<(String, String, bool)> = changes
        .iter()
        .map(|change| {
            (
                change.commit.id.clone(),
                change.path.clone(),
                change.blob.is_some(),
            )
        })
        .collect();
    let row = |commit: &str, path: &str, there: bool| (commit.to_owned(), path.to_owned(), there);
    assert_eq!(
        short,
        [
            row(&three, "b.lock", false),
            row(&two, "a.lock", true),
            row(&two, "x/c.lock", true),
            row(&one, "a.lock", true),
            row(&one, "b.lock", true),
        ]
    );
    assert_eq!(
        changes[0].commit.author.to_string(),
        "Una Upstream <una@upstream.example>"
    );
    assert_eq!(changes[0].commit.message, "three");
}

#[test]
fn an_upstream_with_merges_is_one_line() {
    let keep = tempfile::tempdir().unwrap();
    let repo = Repo::init(&keep.path().canonicalize().unwrap().join("r"));
    repo.write("x.spec", "1");
    repo.commit("one", 1);
    repo.git(&["checkout", "-q", "-b", "side"], 2);
    repo.write("x.spec", "2");
    repo.write("changelog", "old\n");
    repo.commit("side two", 2);
    repo.git(&["checkout", "-q", "main"], 3);
    repo.write("other", "x");
    repo.commit("main three", 3);
    repo.git(&["merge", "-q", "--no-ff", "-m", "merge", "side"], 4);
    repo.write("x.spec", "3");
    repo.commit("five", 5);
    let repository = GitRepository::discover(&repo.folder).unwrap().unwrap();
    let line = history_of(&repository, "HEAD", "x.spec").unwrap();
    let rows: Vec<(&str, &str, bool)> = line
        .iter()
        .map(|commit| {
            let spec = std::str::from_utf8(commit.spec.as_deref().unwrap()).unwrap();
            (
                commit.message.as_str(),
                spec,
                commit.changelog == ChangelogFile::Touched,
            )
        })
        .collect();
    // The merge brought the spec of the side: its history is followed.
    assert_eq!(
        rows,
        [
            ("five", "3", false),
            ("merge", "2", false),
            ("side two", "2", true),
            ("one", "1", false)
        ]
    );
}
