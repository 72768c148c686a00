//! Installing, upgrading and removing.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{Bench, CLOCK, make, skip_unless_root};
use lazuli_rpm::{FileFlags, Scriptlet, ScriptletKind};
use lazuli_transaction::{Clock, Docs, Options, Scriptlets, TransactionError, execute};
use std::os::unix::fs::MetadataExt;

#[test]
fn the_same_packages_give_the_same_bytes() {
    if skip_unless_root() {
        return;
    }
    let contents = || {
        let bench = Bench::new();
        bench.install(
            (0..20)
                .map(|n| {
                    make(&format!("package{n}"), "1-1")
                        .file(
                            &format!("/usr/share/p{n}/file"),
                            0o644,
                            &"content ".repeat(n * 100),
                        )
                        .file(
                            "/usr/lib/sysusers.d/same.conf",
                            0o644,
                            "u one - - -\nu two - - -\ng three -\n",
                        )
                })
                .collect(),
        );
        [
            "/usr/lib/sysimage/rpm/rpmdb.sqlite",
            "/etc/passwd",
            "/etc/shadow",
            "/etc/group",
            "/etc/gshadow",
        ]
        .map(|path| {
            (
                std::fs::read(bench.path(path)).unwrap(),
                bench.path(path).metadata().unwrap().mtime(),
            )
        })
    };
    assert!(contents() == contents());
}

#[test]
fn upgrade_replaces_and_removes() {
    if skip_unless_root() {
        return;
    }
    let bench = Bench::new();
    bench.install(vec![
        make("alpha", "1-1")
            .dir("/usr/share/alpha", 0o755)
            .dir("/usr/share/alpha/old", 0o755)
            .file("/usr/share/alpha/old/gone", 0o644, "1")
            .file("/usr/share/alpha/stays", 0o644, "1")
            .link("/usr/share/alpha/link", "stays"),
        make("bravo", "1-1")
            .dir("/usr/share/alpha", 0o755)
            .file("/usr/share/alpha/theirs", 0o644, "b"),
    ]);
    let new = make("alpha", "2-1")
        .dir("/usr/share/alpha", 0o755)
        .file("/usr/share/alpha/stays", 0o600, "2")
        .file("/usr/share/alpha/link", 0o644, "now a file");
    let report = bench.change(&[new.into(&bench.packages())], &[]).unwrap();
    assert_eq!((report.installed, report.removed), (1, 0));
    assert!(!bench.exists("/usr/share/alpha/old"));
    assert_eq!(bench.read("/usr/share/alpha/stays"), "2");
    assert_eq!(bench.read("/usr/share/alpha/link"), "now a file");
    assert_eq!(
        bench.path("/usr/share/alpha/stays").metadata().unwrap().mode() & 0o7777,
        0o600
    );
    bench.change(&[], &["alpha"]).unwrap();
    assert_eq!(
        std::fs::read_dir(bench.path("/usr/share/alpha")).unwrap().count(),
        1,
        "the folder and the file of the other package stay"
    );
    bench.change(&[], &["bravo"]).unwrap();
    assert!(!bench.exists("/usr/share/alpha"));
    assert_eq!(lazuli_transaction::read_installed(&bench.root).unwrap().len(), 0);
}

#[test]
fn configuration_of_the_administrator_is_kept() {
    if skip_unless_root() {
        return;
    }
    let bench = Bench::new();
    let version = |n: u32| {
        make("alpha", &format!("{n}-1"))
            .config("/etc/keep.conf", &format!("keep {n}"), FileFlags::NOREPLACE)
            .config("/etc/replace.conf", &format!("replace {n}"), FileFlags::empty())
            .config(
                "/etc/untouched.conf",
                &format!("untouched {n}"),
                FileFlags::NOREPLACE,
            )
            .config("/etc/same.conf", "same", FileFlags::empty())
    };
    std::fs::create_dir_all(bench.path("/etc")).unwrap();
    std::fs::write(bench.path("/etc/untouched.conf"), "was here before").unwrap();
    bench.install(vec![version(1)]);
    assert_eq!(bench.read("/etc/untouched.conf"), "was here before");
    assert_eq!(bench.read("/etc/untouched.conf.rpmnew"), "untouched 1");
    std::fs::rename(
        bench.path("/etc/untouched.conf.rpmnew"),
        bench.path("/etc/untouched.conf"),
    )
    .unwrap();
    for name in ["keep", "replace", "same"] {
        std::fs::write(bench.path(&format!("/etc/{name}.conf")), "mine").unwrap();
    }
    let report = bench.install(vec![version(2)]);
    assert_eq!(bench.read("/etc/keep.conf"), "mine");
    assert_eq!(bench.read("/etc/keep.conf.rpmnew"), "keep 2");
    assert_eq!(bench.read("/etc/replace.conf"), "replace 2");
    assert_eq!(bench.read("/etc/replace.conf.rpmsave"), "mine");
    assert_eq!(bench.read("/etc/untouched.conf"), "untouched 2");
    assert_eq!(bench.read("/etc/same.conf"), "mine");
    assert!(!bench.exists("/etc/same.conf.rpmnew"));
    assert_eq!(report.notes.len(), 2, "{:?}", report.notes);
    bench.change(&[], &["alpha"]).unwrap();
    assert_eq!(bench.read("/etc/keep.conf.rpmsave"), "mine");
    assert_eq!(bench.read("/etc/same.conf.rpmsave"), "mine");
    assert!(!bench.exists("/etc/replace.conf") && !bench.exists("/etc/untouched.conf"));
}

fn conflict(left: common::Make, right: common::Make) -> Result<(), String> {
    let bench = Bench::new();
    let files = [left.into(&bench.packages()), right.into(&bench.packages())];
    let together = bench
        .plan(&files, &[], Docs::Install)
        .map(|_| ())
        .map_err(|e| e.to_string());
    bench.change(&files[..1], &[]).unwrap();
    let after = bench
        .plan(&files[1..], &[], Docs::Install)
        .map(|_| ())
        .map_err(|e| e.to_string());
    assert_eq!(together.is_err(), after.is_err(), "{together:?} {after:?}");
    together
}

#[test]
fn conflicts_name_both_packages() {
    if skip_unless_root() {
        return;
    }
    let left = || make("left", "1-1");
    let right = || make("right", "2-1");
    let text = conflict(
        left().file("/usr/f", 0o644, "a"),
        right().file("/usr/f", 0o644, "b"),
    )
    .unwrap_err();
    assert!(
        text.contains("/usr/f of left-1-1.x86_64 and of right-2-1.x86_64: different content"),
        "{text}"
    );
    let cases = [
        (
            left().file("/usr/f", 0o644, "a"),
            right().file("/usr/f", 0o755, "a"),
            Some("different modes"),
        ),
        (
            left().file("/usr/f", 0o644, "a"),
            right().link("/usr/f", "x"),
            Some("different kinds of file"),
        ),
        (
            left().file("/usr/f", 0o644, "a"),
            right().dir("/usr/f", 0o755),
            Some("different kinds of file"),
        ),
        (
            left().link("/usr/f", "y"),
            right().link("/usr/f", "x"),
            Some("different targets"),
        ),
        (
            left().file("/usr/f", 0o644, "a"),
            right().file_as("/usr/f", 0o644, "a", |f| f.user = "daemon".to_owned()),
            Some("different owners"),
        ),
        (
            left().file("/usr/f", 0o644, "a"),
            right().file("/usr/f", 0o644, "a"),
            None,
        ),
        (left().dir("/usr/d", 0o755), right().dir("/usr/d", 0o700), None),
        (left().link("/usr/f", "x"), right().link("/usr/f", "x"), None),
        (
            left().file("/usr/f", 0o644, "a"),
            right().file_as("/usr/f", 0o644, "", |f| f.flags = FileFlags::GHOST),
            None,
        ),
    ];
    for (left, right, expected) in cases {
        match (conflict(left, right), expected) {
            (Err(text), Some(words)) => assert!(text.contains(words), "{text}"),
            (Ok(()), None) => {}
            other => panic!("{other:?}"),
        }
    }
    let bench = Bench::new();
    let files = [
        left().file("/usr/f", 0o644, "a").into(&bench.packages()),
        right().file("/usr/f/below", 0o644, "a").into(&bench.packages()),
    ];
    let text = bench.plan(&files, &[], Docs::Install).unwrap_err().to_string();
    assert!(
        text.contains("a file or link in one, a folder in the other"),
        "{text}"
    );
}

#[test]
fn merged_usr_is_one_place() {
    if skip_unless_root() {
        return;
    }
    let bench = Bench::new();
    bench.install(vec![
        make("filesystem", "1-1")
            .dir("/usr/bin", 0o755)
            .link("/bin", "usr/bin"),
        make("alpha", "1-1").file("/bin/alpha", 0o755, "1"),
    ]);
    assert_eq!(bench.target("/bin"), "usr/bin");
    assert_eq!(bench.read("/usr/bin/alpha"), "1");
    // The file moves from /bin to /usr/bin: the removal of the old package must not take the new file.
    bench.install(vec![make("alpha", "2-1").file("/usr/bin/alpha", 0o755, "2")]);
    assert_eq!(bench.read("/usr/bin/alpha"), "2");
    let other = make("other", "1-1")
        .file("/bin/alpha", 0o755, "3")
        .into(&bench.packages());
    assert!(bench.plan(&[other], &[], Docs::Install).is_err());
}

#[test]
fn documentation_can_be_left_out() {
    if skip_unless_root() {
        return;
    }
    let bench = Bench::new();
    let file = make("alpha", "1-1")
        .file_as("/usr/share/doc/alpha/README", 0o644, "r", |f| {
            f.flags = FileFlags::DOC
        })
        .file("/usr/bin/alpha", 0o755, "a")
        .into(&bench.packages());
    let plan = bench.plan(&[file], &[], Docs::Skip).unwrap();
    execute(&plan, &bench.root, &Options::new(Clock::new(CLOCK))).unwrap();
    assert!(!bench.exists("/usr/share/doc") && bench.exists("/usr/bin/alpha"));
    if common::has_rpm() {
        assert_eq!(bench.rpm(&["-Va"]), "");
        assert_eq!(
            bench
                .rpm(&["-q", "--state", "alpha"])
                .matches("not installed")
                .count(),
            1
        );
    }
    bench.change(&[], &["alpha"]).unwrap();
}

#[test]
fn links_cannot_lead_out_of_the_root() {
    if skip_unless_root() {
        return;
    }
    let bench = Bench::new();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), bench.path("/usr")).unwrap();
    let file = make("alpha", "1-1")
        .file("/usr/share/alpha", 0o644, "a")
        .into(&bench.packages());
    assert!(bench.change(std::slice::from_ref(&file), &[]).is_err());
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    // Inside the root, a link of an ordinary user is no way either.
    std::fs::remove_file(bench.path("/usr")).unwrap();
    std::fs::create_dir_all(bench.path("/usr")).unwrap();
    std::fs::create_dir_all(bench.path("/secret")).unwrap();
    std::os::unix::fs::symlink("/secret", bench.path("/usr/share")).unwrap();
    std::os::unix::fs::lchown(bench.path("/usr/share"), Some(1000), Some(1000)).unwrap();
    let error = bench.change(std::slice::from_ref(&file), &[]).unwrap_err();
    assert!(error.to_string().contains("/usr/share"), "{error}");
    assert!(!bench.exists("/secret/alpha"));
    // One of root's is.
    std::os::unix::fs::lchown(bench.path("/usr/share"), Some(0), Some(0)).unwrap();
    bench.change(&[file], &[]).unwrap();
    assert!(bench.exists("/secret/alpha"));
}

#[test]
fn damaged_packages_change_nothing() {
    if skip_unless_root() {
        return;
    }
    let bench = Bench::new();
    let good = make("alpha", "1-1")
        .file("/usr/share/alpha", 0o644, &"abc".repeat(5000))
        .into(&bench.packages());
    let bytes = std::fs::read(&good).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 60) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x20;
        let file = bench.packages().join("damaged.rpm");
        std::fs::write(&file, &damaged).unwrap();
        // The lead's name and the padding are covered by no digest, and mean nothing.
        if let Err(error) = bench.plan(std::slice::from_ref(&file), &[], Docs::Install) {
            assert!(error.to_string().contains("damaged.rpm"), "{error}");
        }
        std::fs::write(&file, bytes.get(..at).unwrap()).unwrap();
        assert!(bench.plan(&[file], &[], Docs::Install).is_err(), "cut at {at}");
    }
    assert_eq!(std::fs::read_dir(bench.root.path()).unwrap().count(), 0);
    // Damage between the check and the laying: the file is caught by its digest, and is not there.
    let plan = bench
        .plan(std::slice::from_ref(&good), &[], Docs::Install)
        .unwrap();
    let evil = make("alpha", "1-1")
        .file("/usr/share/alpha", 0o644, &"xyz".repeat(5000))
        .into(&bench.root.path().join("../packages"));
    assert_eq!(evil.file_name(), good.file_name());
    let error = execute(&plan, &bench.root, &Options::new(Clock::new(CLOCK))).unwrap_err();
    assert!(matches!(error, TransactionError::Package { .. }), "{error}");
    assert!(!bench.exists("/usr/share/alpha"));
    assert_eq!(lazuli_transaction::read_installed(&bench.root).unwrap().len(), 0);
}

fn script(kind: ScriptletKind, body: &str) -> Scriptlet {
    Scriptlet {
        kind,
        interpreter: vec!["/bin/sh".to_owned()],
        body: body.to_owned(),
    }
}

#[test]
fn scriptlets_of_foreign_packages_run_in_order() {
    if skip_unless_root() {
        return;
    }
    let bench = Bench::new();
    common::add_shell(bench.root.path());
    let version = |n: u32| {
        let mut package = make("alpha", &format!("{n}-1")).file("/usr/share/alpha", 0o644, &n.to_string());
        package.metadata.scriptlets = [
            (ScriptletKind::Pre, "pre"),
            (ScriptletKind::Post, "post"),
            (ScriptletKind::PreUn, "preun"),
            (ScriptletKind::PostUn, "postun"),
            (ScriptletKind::PostTrans, "posttrans"),
        ]
        .into_iter()
        .map(|(kind, name)| {
            let look = "if [ -e /usr/share/alpha ]; then cat /usr/share/alpha; else echo -n none; fi";
            script(kind, &format!("echo \"{name}{n} $1 $({look})\" >> /log\n"))
        })
        .collect();
        package
    };
    bench.install(vec![version(1)]);
    assert_eq!(bench.read("/log"), "pre1 1 none\npost1 1 1\nposttrans1 1 1\n");
    std::fs::remove_file(bench.path("/log")).unwrap();
    bench.install(vec![version(2)]);
    assert_eq!(
        bench.read("/log"),
        "pre2 2 1\npost2 2 2\npreun1 1 2\npostun1 1 2\nposttrans2 2 2\n"
    );
    std::fs::remove_file(bench.path("/log")).unwrap();
    bench.change(&[], &["alpha"]).unwrap();
    assert_eq!(bench.read("/log"), "preun2 0 2\npostun2 0 none\n");
}

#[test]
fn failing_scriptlets() {
    if skip_unless_root() {
        return;
    }
    let bench = Bench::new();
    common::add_shell(bench.root.path());
    let with = |name: &str, kind, body: &str| {
        let mut package = make(name, "1-1").file(&format!("/usr/share/{name}"), 0o644, "x");
        package.metadata.scriptlets = vec![script(kind, body)];
        package.into(&bench.packages())
    };
    let first = make("first", "1-1")
        .file("/usr/share/first", 0o644, "x")
        .into(&bench.packages());
    let bad = with("bad", ScriptletKind::Pre, "echo no way >&2; exit 3");
    let error = bench.change(&[first, bad], &[]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("Pre scriptlet of bad-1-1.x86_64 failed: exit code 3: no way"),
        "{error}"
    );
    let names: Vec<_> = lazuli_transaction::read_installed(&bench.root)
        .unwrap()
        .into_iter()
        .map(|package| package.metadata.nevra.name)
        .collect();
    assert_eq!(names, ["first"], "what was laid before is known");
    assert!(!bench.exists("/usr/share/bad"));
    let late = with("late", ScriptletKind::Post, "exit 4");
    let report = bench.change(&[late], &[]).unwrap();
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("Post scriptlet of late-1-1")),
        "{:?}",
        report.notes
    );
    let mut lua = make("lua", "1-1");
    lua.metadata.scriptlets = vec![Scriptlet {
        kind: ScriptletKind::Post,
        interpreter: vec!["<lua>".to_owned()],
        body: "print(1)".to_owned(),
    }];
    let lua = lua.into(&bench.packages());
    assert!(matches!(
        bench.change(std::slice::from_ref(&lua), &[]),
        Err(TransactionError::Lua { .. })
    ));
    let plan = bench.plan(&[lua], &[], Docs::Install).unwrap();
    let options = Options {
        scriptlets: Scriptlets::Skip,
        ..Options::new(Clock::new(CLOCK))
    };
    assert_eq!(execute(&plan, &bench.root, &options).unwrap().installed, 1);
}

/// Fills the disk at many different points; whatever the step, the error says so, and no file is half there.
#[test]
fn a_full_disk_leaves_nothing_half_made() {
    if skip_unless_root() {
        return;
    }
    let outside = Bench::new();
    let content = |n: usize| format!("{n} ").repeat(9000 + n * 700);
    let files: Vec<_> = (0..12)
        .map(|n| {
            make(&format!("p{n}"), "1-1")
                .file(&format!("/usr/share/p{n}"), 0o644, &content(n))
                .into(&outside.packages())
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let mut failures = 0;
    for kilobytes in (8..1000).step_by(61) {
        let options = format!("size={kilobytes}k");
        rustix::mount::mount(
            "lz-test",
            dir.path(),
            "tmpfs",
            rustix::mount::MountFlags::empty(),
            std::ffi::CString::new(options).unwrap().as_c_str(),
        )
        .unwrap();
        let result = std::panic::catch_unwind(|| {
            let root = lazuli_transaction::Root::open(dir.path()).unwrap();
            let bench = Bench::with_root(root);
            let outcome = bench.change(&files, &[]);
            for n in 0..12 {
                let path = format!("/usr/share/p{n}");
                assert!(
                    !bench.exists(&path) || bench.read(&path) == content(n),
                    "{path} is half there"
                );
            }
            let mut names = Vec::new();
            common::walk(bench.root.path(), &mut |path| {
                names.push(path.display().to_string())
            });
            assert!(!names.iter().any(|name| name.contains("/.lz-")), "{names:?}");
            match outcome {
                Ok(report) => assert_eq!(report.installed, 12),
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains("No space left") || text.contains("full"), "{text}");
                    assert!(
                        lazuli_transaction::read_installed(&bench.root).map_or(true, |all| all.len() <= 12)
                    );
                    return true;
                }
            }
            false
        });
        rustix::mount::unmount(dir.path(), rustix::mount::UnmountFlags::DETACH).unwrap();
        failures += usize::from(result.unwrap());
    }
    assert!(
        (5..17).contains(&failures),
        "{failures} of the sizes were too small"
    );
}
