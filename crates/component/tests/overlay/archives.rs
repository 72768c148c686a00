//! Archives: edited, compared with what real programs read of them, and packed the same each time.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use lazuli_component::overlay::FileAction;
use lazuli_component::{SourcePath, SourceTree};

use crate::{contents, one_failure, run, tree};

const LONG: &str = "a-folder-with-a-rather-long-name/and-another-one-below-it-that-is-long-too/and-a-third-one-so-that-it-does-not-fit-in-a-header.txt";

/// Each compression with the option that makes `tar` use it.
const COMPRESSIONS: [(&str, &str); 5] = [
    ("tar", "--no-auto-compress"),
    ("tar.gz", "--gzip"),
    ("tar.xz", "--xz"),
    ("tar.bz2", "--bzip2"),
    ("tar.zst", "--zstd"),
];

fn missing(programs: &[&str]) -> bool {
    let is_missing = |program: &&str| {
        Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_err()
    };
    match programs.iter().copied().find(|program| is_missing(program)) {
        Some(program) => {
            eprintln!("SKIPPED: {program} is not installed");
            true
        }
        None => false,
    }
}

/// A folder `pkg-1.0` with what archives have.
fn make_folder(folder: &Path) {
    let root = folder.join("pkg-1.0");
    fs::create_dir_all(root.join("tests/data")).unwrap();
    fs::create_dir_all(root.join(Path::new(LONG).parent().unwrap())).unwrap();
    fs::write(root.join("configure.ac"), "AC_INIT([pkg], [1.0])\n").unwrap();
    fs::write(root.join("run.sh"), "#!/bin/sh\necho 1.0\n").unwrap();
    fs::set_permissions(root.join("run.sh"), fs::Permissions::from_mode(0o751)).unwrap();
    fs::write(root.join("tests/one.c"), "int one;\n").unwrap();
    fs::write(root.join("tests/data/big"), vec![b'x'; 100_000]).unwrap();
    fs::write(root.join(LONG), "version 1.0 long\n").unwrap();
    fs::write(root.join("empty"), "").unwrap();
    std::os::unix::fs::symlink("configure.ac", root.join("link")).unwrap();
    fs::hard_link(root.join("run.sh"), root.join("again.sh")).unwrap();
}

fn tar(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("tar")
        .current_dir(folder)
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn packed(folder: &Path, name: &str, format: &str, compression: &str) -> Vec<u8> {
    let format = format!("--format={format}");
    let owner = ["--owner=builder:1234", "--group=staff:50", "--mtime=@1700000000"];
    let arguments = [
        &["-cf", name, compression, &format, "--sort=name"],
        &owner[..],
        &["pkg-1.0"],
    ]
    .concat();
    tar(folder, &arguments);
    fs::read(folder.join(name)).unwrap()
}

/// What `tar -tv` says of an archive, a line a member.
fn listing(folder: &Path, name: &str, archive: &[u8]) -> Vec<String> {
    let file = folder.join(format!("list-{name}"));
    fs::write(&file, archive).unwrap();
    let text = tar(folder, &["-tvf", file.to_str().unwrap(), "--full-time"]);
    String::from_utf8(text)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn member(folder: &Path, name: &str, archive: &[u8], member: &str) -> Vec<u8> {
    let file = folder.join(format!("get-{name}"));
    fs::write(&file, archive).unwrap();
    tar(folder, &["-xOf", file.to_str().unwrap(), member])
}

fn edits(archive: &str) -> String {
    let mut text = String::new();
    for (kind, rest) in [
        (
            "file-search-replace",
            "file = '**/*'\nregex = '1\\.0'\nreplacement = '2.0-longer'",
        ),
        ("file-remove", "file = 'tests/*.c'"),
        (
            "file-search-replace",
            "file = 'run.sh'\nregex = '(?m)^echo'\nreplacement = 'printf'",
        ),
    ] {
        text.push_str(&format!(
            "[[overlays]]\ntype = '{kind}'\narchive = '{archive}'\n{rest}\n"
        ));
    }
    text
}

#[test]
fn members_change_and_all_else_stays() {
    if missing(&["tar", "xz", "bzip2", "zstd"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    make_folder(folder.path());
    for format in ["gnu", "pax", "ustar"] {
        if format == "ustar" {
            // Its names end at 256 bytes in two fields, which the long one does not fit in.
            fs::remove_dir_all(folder.path().join("pkg-1.0/a-folder-with-a-rather-long-name")).unwrap();
        }
        for (suffix, compression) in COMPRESSIONS {
            let name = format!("{format}.{suffix}");
            let old = packed(folder.path(), &name, format, compression);
            let mut sources = tree(&[(&name, &old)]);
            let applied = run(&mut sources, &edits(&name)).unwrap();
            let new = contents(&sources)[&name].clone();
            let (before, after) = (
                listing(folder.path(), &name, &old),
                listing(folder.path(), &name, &new),
            );
            check_listings(&before, &after);
            assert_eq!(
                member(folder.path(), &name, &new, "pkg-1.0/again.sh"),
                b"#!/bin/sh\nprintf 2.0-longer\n"
            );
            assert_eq!(
                member(folder.path(), &name, &new, "pkg-1.0/configure.ac"),
                b"AC_INIT([pkg], [2.0-longer])\n"
            );
            if format != "ustar" {
                let long = member(folder.path(), &name, &new, &format!("pkg-1.0/{LONG}"));
                assert_eq!(long, b"version 2.0-longer long\n");
            }
            let members: Vec<&str> = applied.overlays[0]
                .changes
                .iter()
                .filter_map(|change| change.member.as_deref())
                .collect();
            assert!(
                members.contains(&"pkg-1.0/configure.ac") && members.contains(&"pkg-1.0/again.sh"),
                "{members:?}"
            );
            assert_eq!(applied.overlays[1].changes[0].action, FileAction::Deleted);

            // The same edits give the same bytes, and no edit gives the archive as it is.
            let mut again = tree(&[(&name, &old)]);
            run(&mut again, &edits(&name)).unwrap();
            assert!(sources.changes(&again).is_empty());
            if suffix == "tar" {
                assert_eq!(new.len() % 10_240, 0);
            }
            if suffix == "tar.gz" {
                assert_eq!(new[3..8], [0; 5], "flags and time of the gzip header");
            }
        }
    }
}

/// But for sizes of what changed and the member that is gone, the lists are the same, in order.
fn check_listings(before: &[String], after: &[String]) {
    // Mode, owner, size, date, time, name.
    let fields = |line: &String| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
    let kept: Vec<&String> = before
        .iter()
        .filter(|line| !line.contains("tests/one.c"))
        .collect();
    assert_eq!(kept.len(), after.len());
    assert_eq!(kept.len() + 1, before.len());
    for (old, new) in kept.into_iter().zip(after) {
        let (mut old_fields, mut new_fields) = (fields(old), fields(new));
        let changed = ["configure.ac", "again.sh", LONG]
            .iter()
            .any(|name| old_fields[5].ends_with(name) && old_fields.len() == 6);
        if changed {
            assert_ne!(old_fields[2], new_fields[2], "{old}");
            (old_fields[2], new_fields[2]) = (String::new(), String::new());
        }
        assert_eq!(old_fields, new_fields);
    }
}

#[test]
fn untouched_members_are_the_same_bytes() {
    if missing(&["tar"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    make_folder(folder.path());
    let old = packed(folder.path(), "a.tar", "pax", "--no-auto-compress");
    let mut sources = tree(&[("a.tar", &old)]);
    run(
        &mut sources,
        "[[overlays]]\ntype = 'file-remove'\narchive = 'a.tar'\nfile = 'empty'\n",
    )
    .unwrap();
    let new = contents(&sources)["a.tar"].clone();
    // The member's header and its extended header, three blocks, are gone; the rest moved up.
    let at = old.iter().zip(&new).take_while(|(one, two)| one == two).count() / 512 * 512;
    let gone = (1..8).map(|blocks| blocks * 512).find(|gone| {
        let end = old.len() - 10_240;
        old[at + gone..end] == new[at..end - gone]
    });
    assert!(gone.is_some());
}

#[test]
fn git_archives_keep_their_comment() {
    if missing(&["git", "tar"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "one\n").unwrap();
    fs::write(folder.path().join("b.txt"), "two\n").unwrap();
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .current_dir(folder.path())
            .args([
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@b",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(arguments)
            .env("HOME", folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "x"]);
    let commit = String::from_utf8(git(&["rev-parse", "HEAD"])).unwrap();
    let old = git(&["archive", "--prefix=p/", "HEAD"]);
    let mut sources = tree(&[("g.tar", &old)]);
    let edit = "[[overlays]]\ntype = 'file-search-replace'\narchive = 'g.tar'\nfile = 'a.txt'\nregex = 'one'\nreplacement = '1'\n";
    run(&mut sources, edit).unwrap();
    let new = contents(&sources)["g.tar"].clone();
    assert_eq!(member(folder.path(), "g.tar", &new, "p/a.txt"), b"1\n");
    fs::write(folder.path().join("new.tar"), &new).unwrap();
    let mut child = Command::new("git")
        .arg("get-tar-commit-id")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&new).unwrap();
    assert_eq!(
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap(),
        commit
    );
}

#[test]
fn zip_archives_too() {
    if missing(&["zip", "unzip"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    make_folder(folder.path());
    let zipped = |arguments: &[&str]| {
        let output = Command::new("zip")
            .current_dir(folder.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    zipped(&["-q", "-r", "-y", "a.zip", "pkg-1.0"]);
    let old = fs::read(folder.path().join("a.zip")).unwrap();
    let mut sources = tree(&[("a.zip", &old)]);
    run(&mut sources, &edits("a.zip")).unwrap();
    let new = contents(&sources)["a.zip"].clone();
    fs::write(folder.path().join("new.zip"), &new).unwrap();
    let unzip = |arguments: &[&str]| {
        let output = Command::new("unzip")
            .current_dir(folder.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(unzip(&["-t", "new.zip"]).contains("No errors detected"));
    assert_eq!(
        unzip(&["-p", "new.zip", "pkg-1.0/run.sh"]),
        "#!/bin/sh\nprintf 2.0-longer\n"
    );
    assert_eq!(
        unzip(&["-p", "new.zip", &format!("pkg-1.0/{LONG}")]),
        "version 2.0-longer long\n"
    );
    let names = unzip(&["-Z1", "new.zip"]);
    let expected: String = unzip(&["-Z1", "a.zip"])
        .lines()
        .filter(|line| !line.ends_with("one.c"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(names, expected);
    let mut again = tree(&[("a.zip", &old)]);
    run(&mut again, &edits("a.zip")).unwrap();
    assert!(sources.changes(&again).is_empty());
}

#[test]
fn what_is_not_in_an_archive_is_explained() {
    if missing(&["tar"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    make_folder(folder.path());
    let old = packed(folder.path(), "a.tar.gz", "gnu", "--gzip");
    let sources = tree(&[("a.tar.gz", &old), ("text", b"no archive at all")]);
    for (overlay, expected) in [
        (
            "type = 'file-search-replace'\nfile = 'configure.ac'\nregex = 'AC_INIT\\(\\[pkgs\\]'\nreplacement = 'x'",
            "does not apply to a.tar.gz (pkg-1.0/configure.ac): the pattern matches nothing\n  \
             looked for: AC_INIT\\(\\[pkgs\\]\n  nearest is: AC_INIT([pkg], [1.0]) (line 1)",
        ),
        (
            "type = 'file-search-replace'\nfile = 'configure.in'\nregex = 'x'",
            "does not apply to a.tar.gz (configure.in): no file in the archive has a name that matches\n  \
             looked for: configure.in\n  hint: there is `configure.ac`",
        ),
        (
            // Of two names of one file, tar has the content below the first.
            "type = 'file-remove'\nfile = 'again.sh'",
            "does not apply to a.tar.gz: the archive cannot be edited: \
             `pkg-1.0/again.sh`, of which `pkg-1.0/run.sh` is a hard link, cannot be edited",
        ),
    ] {
        let shown = one_failure(&sources, &format!("archive = 'a.tar.gz'\n{overlay}"));
        assert!(shown.ends_with(expected), "{shown}");
    }
    let shown = one_failure(&sources, "archive = 'text'\ntype = 'file-remove'\nfile = 'x'");
    assert!(
        shown.ends_with("a file that is neither a tar nor a zip archive cannot be edited"),
        "{shown}"
    );
    // Whole names match too, where names below the top do not; both hard links can go.
    for file in ["pkg-1.0/tests/*.c", "{again,run}.sh", "link"] {
        let mut sources: SourceTree = sources.clone();
        let edit = format!("[[overlays]]\ntype = 'file-remove'\narchive = 'a.tar.gz'\nfile = '{file}'\n");
        run(&mut sources, &edit).unwrap();
    }
    // An archive that was edited can be renamed in the same turn.
    let mut renamed = sources.clone();
    let text = "[[overlays]]\ntype = 'file-remove'\narchive = 'a.tar.gz'\nfile = 'link'\n\
                [[overlays]]\ntype = 'file-rename'\nfile = 'a.tar.gz'\nreplacement = 'b.tar.gz'\n";
    run(&mut renamed, text).unwrap();
    let after = contents(&renamed)["b.tar.gz"].clone();
    assert!(
        !listing(folder.path(), "b", &after)
            .iter()
            .any(|line| line.contains("link ->"))
    );
    assert!(SourcePath::new("b.tar.gz").is_ok() && !renamed.contains("a.tar.gz"));
}
