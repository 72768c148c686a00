//! What is built, and what is not built again.

use crate::project::{Project, succeed};
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

#[test]
fn what_is_built_is_not_built_again_and_a_change_goes_as_far_as_it_must() {
    let project = Project::new();

    // From nothing.
    let first = project.build(&[]);
    assert_eq!(first.all(), ["built"; 4], "{}", first.said());
    let packages = project.repository();
    let has = |start: &str| packages.iter().any(|name| name.starts_with(start));
    assert!(
        ["test-mid-1-1.", "test-mid-dev-1-1.", "test-apart-1-1."]
            .into_iter()
            .all(has),
        "{packages:?}"
    );
    let folder = project.path("out/built/2/x86_64");
    succeed(
        Command::new(env!("CARGO_BIN_EXE_lazuli"))
            .args(["repo", "check"])
            .arg(&folder)
            .args([
                "--key".as_ref(),
                folder.join("repodata/repomd.xml.key").as_os_str(),
                "--project".as_ref(),
                project.path("distro").as_os_str(),
            ]),
    );
    // What came out is a package that rpm takes, for the program that was compiled.
    let top = packages
        .iter()
        .find(|name| name.starts_with("test-top-1-"))
        .unwrap();
    let requires = succeed(
        Command::new("rpm")
            .args(["-qp", "--requires"])
            .arg(folder.join(top)),
    );
    assert!(requires.contains("libmid.so.1()(64bit)"), "{requires}");

    // Again: nothing to do.
    let again = project.build(&[]);
    assert_eq!(again.all(), ["cached"; 4]);
    assert!(again.said().contains("nothing to do"), "{}", again.said());

    // A comment changes nothing of the packages: nothing further is built.
    project.replace("test-low", "test-low.spec", "%build", "# A comment.\n%build");
    let comment = project.build(&["--explain"]);
    assert_eq!(comment.all(), ["cached", "built", "cached", "cached"]);
    assert!(comment.said().contains("spec was"), "{}", comment.said());

    // A change of the library does: whoever has it in the buildroot is built, and nobody else.
    project.replace("test-low", "low.c", "return 1", "return 41");
    let dry = project.build(&["--dry-run"]);
    assert_eq!(dry.all(), ["cached", "not started", "waits", "waits"]);
    let source = project.build(&["--explain"]);
    assert_eq!(source.all(), ["cached", "built", "built", "built"]);
    assert!(
        source.said().contains("package test-low.x86_64 was"),
        "{}",
        source.said()
    );
    let log = succeed(&mut project.command(&["build", "--log", "test-top"]));
    assert!(
        log.contains("+ ./test-top") && log.contains("\n") && log.contains("42"),
        "{log}"
    );

    // Back to the state before: all of it is in the cache.
    project.replace("test-low", "low.c", "return 41", "return 1");
    let back = project.build(&[]);
    assert_eq!(back.all()[0], "cached");
    assert_eq!(back.all()[2..], ["cached", "cached"], "{}", back.said());
    assert!(back.said().contains("from the cache"), "{}", back.said());

    // Anew, though nothing has changed: only what was named.
    let forced = project.build(&["--force"]);
    assert_eq!(forced.all(), ["built", "cached", "cached", "built"]);
}

#[test]
fn a_failure_stops_what_depends_on_it_and_nothing_else() {
    let project = Project::new();
    project.replace("test-mid", "mid.c", "low() + 1", "no_such_thing");
    let failed = project.build(&["--keep-going"]);
    assert_eq!(
        failed.all(),
        ["built", "built", "failed", "blocked"],
        "{}",
        failed.said()
    );
    assert_eq!(failed.output.status.code(), Some(1));
    let said = failed.said();
    // The last lines of the log, and where the whole is.
    assert!(
        said.contains("no_such_thing") && said.contains("lazuli build --log test-mid"),
        "{said}"
    );
    assert!(
        said.contains("not built, for they need test-mid: test-top"),
        "{said}"
    );
    assert!(!project.repository().iter().any(|name| name.contains("test-mid")));

    // What was done stays done.
    project.replace("test-mid", "mid.c", "no_such_thing", "low() + 1");
    assert_eq!(project.build(&[]).all(), ["cached", "cached", "built", "built"]);
}

#[test]
fn a_cycle_is_named_and_broken_by_a_bootstrap() {
    let project = Project::new();
    project.replace(
        "test-low",
        "test-low.spec",
        "BuildRequires:  gcc\n",
        "BuildRequires:  gcc\nBuildRequires:  test-top\n",
    );
    project.lock();
    let output = project.command(&["build", "test-top"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for part in [
        "test-low, test-mid, test-top",
        "the build of test-low requires `test-top`",
        "build.bootstrap",
    ] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let project = Project::new();
    project.lock();
    // Endless: only a signal ends it.
    project.replace("test-top", "test-top.spec", "%check\n", "%check\nsleep 1000\n");
    project.lock();
    for (signal, number) in [("-KILL", 9), ("-INT", 2)] {
        let mut child = Command::new("env");
        // What a shell started in the background has SIGINT ignored, and we with it.
        child.arg("--default-signal=INT");
        let command = project.command(&["build", "test-top", "test-apart"]);
        child.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => child.env(name, value),
                None => child.env_remove(name),
            };
        }
        let mut child = child.stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let begun = lines
            .by_ref()
            .any(|line| line.unwrap().starts_with("test-top: building"));
        assert!(begun, "test-top was not begun");
        succeed(Command::new("kill").args([signal, &child.id().to_string()]));
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(number), "{rest:?}");
        if number == 2 {
            assert!(
                rest.iter().any(|line| line.starts_with("test-top: stopped")),
                "{rest:?}"
            );
        }
    }
    project.replace("test-top", "test-top.spec", "%check\nsleep 1000\n", "%check\n");
    let built = project.build(&[]);
    assert_eq!(
        built.all()[1..],
        ["cached", "cached", "built"],
        "{}",
        built.said()
    );
    let work = std::fs::read_dir(project.path("out/build/2/x86_64/work")).unwrap();
    assert_eq!(
        work.count(),
        0,
        "something is left of the builds that were killed"
    );
}
