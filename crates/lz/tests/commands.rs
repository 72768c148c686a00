//! The commands, as a user types them.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{Lz, Make, index, sample, skip_unless_root};
use std::process::Command;

fn with_repository() -> Lz {
    let lz = Lz::new();
    sample(&lz.path("repo"), None);
    index(&lz.path("repo"), None, 1);
    lz
}

fn repo(lz: &Lz) -> String {
    format!("test={}", lz.path("repo").display())
}

#[test]
fn install_upgrade_remove() {
    if skip_unless_root() {
        return;
    }
    let lz = with_repository();
    let repo = repo(&lz);
    let shown = lz.ok(&["--repo-path", &repo, "-y", "install", "app"]);
    assert_eq!(
        shown.split("\nTo be done").next().unwrap(),
        " Package  Arch    Version  Repository  Size\n\
         Installing:\n app      x86_64  2:1.0-1  test        SIZE\n\
         Installing dependencies:\n base     x86_64  1-1      test        SIZE\n lib      x86_64  1.5-1    test        SIZE\n\
         Installing weak dependencies:\n extra    x86_64  1-1      test        SIZE\n"
            .split('\n')
            .map(|line| match line.strip_suffix("SIZE") {
                Some(front) => shown.lines().find(|l| l.starts_with(front)).unwrap_or(line).to_owned(),
                None => line.to_owned(),
            })
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert!(shown.ends_with("Done: 4 installed.\n"), "{shown}");
    assert_eq!(std::fs::read_to_string(lz.root("/usr/bin/app")).unwrap(), "app 1");
    assert_eq!(lz.ok(&["list"]).lines().count(), 4);
    assert_eq!(lz.ok(&["check"]), "4 packages, all is well.\n");
    assert_eq!(lz.ok(&["verify"]), "");
    assert_eq!(
        lz.ok(&["--repo-path", &repo, "-y", "install", "app"]),
        "Nothing to do.\n"
    );
    let automatic = std::fs::read_to_string(lz.root("/usr/lib/sysimage/lz/automatic")).unwrap();
    assert_eq!(automatic, "base\nextra\nlib\n");

    let newer = Make {
        name: "app",
        evr: "2:1.1-1",
        requires: &["base"],
        recommends: &[],
        files: &[("/usr/bin/app", "app 2")],
    };
    newer.build(&lz.path("repo"), None);
    index(&lz.path("repo"), None, 2);
    assert_eq!(
        lz.ok(&["--repo-path", &repo, "list", "upgrades"]),
        "app.x86_64  2:1.1-1  test\n"
    );
    let shown = lz.ok(&["--repo-path", &repo, "-y", "upgrade"]);
    assert!(
        shown.contains("2:1.0-1 -> 2:1.1-1") && shown.ends_with("Done: 1 upgraded.\n"),
        "{shown}"
    );
    assert_eq!(std::fs::read_to_string(lz.root("/usr/bin/app")).unwrap(), "app 2");
    assert!(!lz.root("/var/lib/owned/secret").exists());

    std::fs::write(lz.root("/usr/bin/app"), "changed").unwrap();
    assert!(
        lz.fails(1, &["verify", "app"])
            .contains("1 files are not as they were laid")
    );
    lz.ok(&["--repo-path", &repo, "-y", "reinstall", "app"]);
    assert_eq!(lz.ok(&["verify"]), "");

    let shown = lz.ok(&["-y", "remove", "--unneeded", "app"]);
    assert!(shown.contains("Removing:"), "{shown}");
    assert_eq!(
        lz.ok(&["list"]),
        "",
        "what came as a dependency goes with what needed it"
    );
    assert!(!lz.root("/etc/base.conf").exists());
}

#[test]
fn nothing_changes_without_a_yes() {
    if skip_unless_root() {
        return;
    }
    let lz = with_repository();
    let repo = repo(&lz);
    let error = lz.fails(1, &["--repo-path", &repo, "install", "app"]);
    assert!(error.contains("hint: say --assume-yes"), "{error}");
    let shown = lz.ok(&["--repo-path", &repo, "--dry-run", "install", "app"]);
    assert!(
        shown.ends_with("Nothing was changed: this was a test (--dry-run).\n"),
        "{shown}"
    );
    assert_eq!(std::fs::read_dir(lz.path("root")).unwrap().count(), 0);
    lz.ok(&["--repo-path", &repo, "-y", "--no-weak-deps", "install", "app"]);
    assert!(!lz.root("/usr/bin/extra").exists());
}

#[test]
fn failures_are_explained() {
    if skip_unless_root() {
        return;
    }
    let lz = with_repository();
    let repo = repo(&lz);
    let error = lz.fails(1, &["--repo-path", &repo, "-y", "install", "broken"]);
    assert!(error.contains("nothing-has-this >= 3"), "{error}");
    let error = lz.fails(1, &["--repo-path", &repo, "-y", "install", "nowhere"]);
    assert!(error.contains("nowhere"), "{error}");
    let error = lz.fails(1, &["--repo-path", "x", "-y", "install", "nowhere"]);
    assert!(error.contains("expected NAME=DIR or NAME=URL"), "{error}");
    assert!(lz.fails(1, &["history"]).contains("not recorded yet"));
    lz.fails(2, &["install"]);
    lz.fails(2, &["frobnicate"]);
    lz.configure("[bad]\nbaseurl=gopher://x\n");
    let error = lz.fails(3, &["list", "available"]);
    assert!(error.contains("test.repo, line 2: `gopher://x`"), "{error}");
    lz.configure("[bad]\nbaseurl=file:///nowhere\n");
    let error = lz.fails(3, &["list", "available"]);
    assert!(error.contains("has no `gpgkey`"), "{error}");
}

#[test]
fn questions() {
    if skip_unless_root() {
        return;
    }
    let lz = with_repository();
    let repo = repo(&lz);
    lz.ok(&["--repo-path", &repo, "-y", "install", "lib"]);
    let ask = |arguments: &[&str]| lz.ok(&[&["--repo-path", &repo], arguments].concat());
    assert_eq!(
        ask(&["list", "available", "ex*", "app"]),
        "app.x86_64    2:1.0-1  test\nextra.x86_64  1-1      test\n"
    );
    assert_eq!(ask(&["list", "installed"]), "lib.x86_64  1.5-1  @installed\n");
    let info = ask(&["info", "lib"]);
    assert!(
        info.contains("Name          : lib\nVersion       : 1.5\n"),
        "{info}"
    );
    assert!(
        info.contains("Repository    : @installed\n") && info.contains("First line.\n"),
        "{info}"
    );
    assert_eq!(
        ask(&["search", "tests", "LIB"]),
        "lib.x86_64  The lib of the tests\n"
    );
    assert!(
        lz.fails(1, &["--repo-path", &repo, "search", "zzz"])
            .contains("nothing matches zzz")
    );
    assert!(ask(&["provides", "/usr/bin/app"]).starts_with("app-2:1.0-1.x86_64  test"));
    assert!(
        ask(&["provides", "/bin/app"]).starts_with("app-2:1.0-1.x86_64"),
        "merged /usr"
    );
    assert!(
        ask(&["provides", "/usr/share/lib/data"]).contains("test"),
        "from the file lists"
    );
    assert!(ask(&["provides", "lib = 1.5-1"]).contains("@installed"));
    assert_eq!(
        ask(&["repoquery", "--requires", "app"]),
        "/usr/share/lib/data\nbase\nlib >= 1\n"
    );
    assert_eq!(
        ask(&["repoquery", "--whatrequires", "base"]),
        "app-2:1.0-1.x86_64\nextra-1-1.x86_64\n"
    );
    assert_eq!(
        ask(&["repoquery", "--whatrequires", "lib"]),
        "app-2:1.0-1.x86_64\n"
    );
    assert_eq!(
        ask(&["repoquery", "--whatprovides", "/usr/bin/extra"]),
        "extra-1-1.x86_64\n"
    );
    assert_eq!(
        ask(&["repoquery", "-l", "app"]),
        "/usr/bin/app\n/var/lib/owned/secret\n"
    );
    assert_eq!(
        ask(&[
            "repoquery",
            "--installed",
            "--queryformat",
            "%{name} %{evr} %{repoid}\\n"
        ]),
        "lib 1.5-1 @installed\n"
    );
    let json: serde_json::Value = serde_json::from_str(&ask(&["--json", "list", "installed"])).unwrap();
    assert_eq!(json[0]["name"], "lib");
    let output = lz.output(&["--repo-path", &repo, "--json", "-y", "install", "extra"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (json["changed"].as_bool(), &json["install"][0]["name"]),
        (Some(true), &"extra".into())
    );
    assert_eq!(json["install-dependencies"][0]["name"], "base");
}

#[test]
fn package_files_by_path() {
    if skip_unless_root() {
        return;
    }
    let lz = with_repository();
    let repo = repo(&lz);
    let local = Make {
        name: "local",
        evr: "1-1",
        requires: &["lib"],
        recommends: &[],
        files: &[("/usr/bin/local", "l")],
    };
    let file = local.build(&lz.path("local"), None);
    let file = file.to_str().unwrap();
    assert!(
        lz.fails(5, &["--repo-path", &repo, "-y", "install", file])
            .contains("--no-gpg-checks")
    );
    lz.ok(&["--repo-path", &repo, "--no-gpg-checks", "-y", "install", file]);
    assert!(lz.root("/usr/bin/local").exists() && lz.root("/usr/share/lib/data").exists());
}

#[test]
fn completions_and_man_pages() {
    let lz = Lz::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(lz.ok(&["completions", shell]).contains("repoquery"), "{shell}");
    }
    let folder = lz.path("man");
    lz.ok(&["man", folder.to_str().unwrap()]);
    let page = std::fs::read_to_string(folder.join("lz.1")).unwrap();
    assert!(page.contains(".TH lz") && page.contains("Exit codes"), "{page}");
    assert!(folder.join("lz-install.1").exists());
}

/// The whole way as an ordinary user: the root's files belong to the right ids inside a namespace.
#[test]
fn an_ordinary_user_makes_a_root() {
    if skip_unless_root() {
        return;
    }
    const USER: &str = "lazuli-test";
    let run = |program: &str, arguments: &[&str]| Command::new(program).args(arguments).output();
    for program in ["newuidmap", "newgidmap", "useradd", "setpriv"] {
        if !run("sh", &["-c", &format!("command -v {program}")])
            .unwrap()
            .status
            .success()
        {
            eprintln!("SKIPPED: `{program}` is not installed");
            return;
        }
    }
    // Another test may make the user at this moment.
    let _made = run("useradd", &["-m", USER]);
    let id = |flag: &str| {
        common::text(&run("id", &[flag, USER]).unwrap().stdout)
            .trim()
            .to_owned()
    };
    let (uid, gid) = (id("-u"), id("-g"));
    let lz = with_repository();
    let binary = lz.path("lz");
    std::fs::copy(env!("CARGO_BIN_EXE_lz"), &binary).unwrap();
    assert!(
        run(
            "chown",
            &["-R", &format!("{uid}:{gid}"), lz.dir.path().to_str().unwrap()]
        )
        .unwrap()
        .status
        .success()
    );
    let as_user = |arguments: &[&str]| {
        let output = Command::new("setpriv")
            .args(["--reuid", &uid, "--regid", &gid, "--clear-groups"])
            .arg(&binary)
            .args([
                "--root",
                lz.path("root").to_str().unwrap(),
                "--repo-path",
                &repo(&lz),
                "--arch",
                "x86_64",
                "-y",
            ])
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", lz.dir.path())
            .env("SOURCE_DATE_EPOCH", common::EPOCH.to_string())
            .current_dir("/")
            .output()
            .unwrap();
        let (out, err) = (common::text(&output.stdout), common::text(&output.stderr));
        assert!(
            output.status.success(),
            "{arguments:?}: {}\n{out}\n{err}",
            output.status
        );
        out
    };
    as_user(&["install", "app"]);
    use std::os::unix::fs::MetadataExt;
    let meta = lz.root("/usr/bin/app").metadata().unwrap();
    assert_eq!(meta.uid().to_string(), uid, "root inside is the user outside");
    let meta = lz.root("/var/lib/owned/secret").metadata().unwrap();
    let subids = std::fs::read_to_string("/etc/subuid").unwrap();
    let first: u32 = subids
        .lines()
        .find(|l| l.starts_with(USER))
        .unwrap()
        .split(':')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(meta.uid(), first + 399, "id 400 inside");
    assert_eq!(as_user(&["verify"]), "");
    as_user(&["remove", "app"]);
    assert!(!lz.root("/usr/bin/app").exists());
}
