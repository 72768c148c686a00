//! Builds by the real rpmbuild, in the sandbox, on a tree with a compiler.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout)]

mod common;

use common::{Bench, Tree, hello, job, log, paths, skip};
use lazuli_build::verify::verify;
use lazuli_build::{
    BuildSettings, Cancel, Event, FailureReason, FindingKind, Keep, Kept, Observer, Phase, Severity,
};
use std::process::Command;

const PROGRAMS: [&str; 3] = ["rpmbuild", "gcc", "make"];

fn rpm(arguments: &[&str]) -> String {
    let output = Command::new("rpm").args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A spec of one package without architecture; `more` is all from `%install` on.
fn small(name: &str, more: &str) -> String {
    format!(
        "Name: {name}\nVersion: 1\nRelease: 1\nSummary: A test\nLicense: MIT\nBuildArch: noarch\n\
         %description\nA test.\n{more}\n"
    )
}

#[test]
fn a_component_is_built() {
    if skip(&PROGRAMS) {
        return;
    }
    let bench = Bench::new();
    let built = bench.built(&hello(), "hello");
    let names: Vec<&str> = built
        .packages
        .iter()
        .map(|package| package.nevra.name.as_str())
        .collect();
    assert_eq!(names, ["hello", "libgreet", "libgreet-devel"]);
    assert_eq!(built.source_package.nevra.arch, "src");
    for package in &built.packages {
        let path = package.path.to_str().unwrap();
        // rpm itself finds digests and payload good.
        rpm(&["-K", "--nosignature", path]);
        let facts = rpm(&[
            "-qp",
            "--qf",
            "%{BUILDHOST} %{BUILDTIME} %{VENDOR} %{PAYLOADCOMPRESSOR} %{EVR}",
            path,
        ]);
        assert_eq!(facts, "lazuli 1700000000 Lazuli zstd 2.1-3.lz2");
        assert_eq!(
            lazuli_build::Digest::of(&std::fs::read(path).unwrap()),
            package.digest
        );
    }
    let owners = rpm(&[
        "-qp",
        "--qf",
        "[%{FILEUSERNAME} %{FILEGROUPNAME} %{FILENAMES}\n]",
        built.packages[0].path.to_str().unwrap(),
    ]);
    assert_eq!(owners, "root root /usr/bin/hello\n");
    let phases: Vec<Phase> = built.phases.iter().map(|(phase, _)| *phase).collect();
    for phase in [
        Phase::Buildroot,
        Phase::Inputs,
        Phase::Prep,
        Phase::Build,
        Phase::Install,
        Phase::Check,
        Phase::Finish,
    ] {
        assert!(phases.contains(&phase), "{phase}");
    }
    let text = log(&built.log);
    assert!(
        text.contains("] + gcc -O2") && text.lines().all(|line| line.starts_with('[')),
        "{text}"
    );
    let errors: Vec<_> = built
        .findings
        .iter()
        .filter(|f| f.severity >= Severity::Warning)
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    bench.assert_clean();
}

/// Early cut-off: what does not change the packages does not change their content digests.
#[test]
fn a_comment_changes_no_content_and_a_source_does() {
    if skip(&PROGRAMS) {
        return;
    }
    let bench = Bench::new();
    let first = bench.built(&hello(), "first");
    let spec = include_str!("data/hello.spec");
    let with = |spec: &str, greeting: &str| {
        let mut job = hello();
        job.spec = lazuli_build::InputFile::bytes("hello.spec", spec);
        job.sources[1] = lazuli_build::InputFile::bytes(
            "greet.c",
            include_str!("data/greet.c").replace("\"hello\"", greeting),
        );
        job.expected.evr = None;
        job
    };
    // A comment, and what goes with it: a new release, and a later time.
    let mut comment = with(
        &spec.replace("Release:        3", "# A comment.\nRelease:        4"),
        "\"hello\"",
    );
    comment.epoch.0 += 1000;
    let second = bench.built(&comment, "second");
    assert_ne!(first.key.digest(), second.key.digest());
    let changed: Vec<String> = second
        .key
        .changes(&first.key)
        .iter()
        .map(|c| c.field.clone())
        .collect();
    assert_eq!(changed, ["epoch", "spec"]);
    for (old, new) in first.packages.iter().zip(&second.packages) {
        assert_eq!(old.content, new.content, "{}", new.nevra);
        assert_ne!(old.digest, new.digest, "{}", new.nevra);
    }
    let mut source = with(spec, "\"hello\" \"!\"");
    source.options.tests = lazuli_build::Tests::Skip;
    let third = bench.built(&source, "third");
    let same: Vec<bool> = first
        .packages
        .iter()
        .zip(&third.packages)
        .map(|(a, b)| a.content == b.content)
        .collect();
    assert_eq!(same, [true, false, true], "only the library");
}

#[test]
fn a_build_is_reproducible() {
    if skip(&PROGRAMS) {
        return;
    }
    let bench = Bench::new();
    let first = bench.built(&hello(), "first");
    let (work, results) = (bench.work(), bench.results("second"));
    let settings = BuildSettings {
        work: &work,
        results: &results,
        keep: Keep::Never,
        signer: None,
        previous: &[],
        builder: "urn:lazuli:test",
    };
    let again = |job: &lazuli_build::BuildJob, first: &[_]| {
        verify(
            job,
            first,
            &Tree,
            &settings,
            1 << 30,
            &bench.record,
            &Cancel::default(),
        )
        .unwrap()
        .unwrap()
    };
    let verification = again(&hello(), &paths(&first));
    assert!(verification.is_reproducible(), "{:#?}", verification.differences);
    assert_eq!(verification.second.packages.len(), 3);

    // What looks at its surroundings is told where.
    let mut leaky = hello();
    let spec = include_str!("data/hello.spec").replace(
        "gcc -O2 -g hello.c",
        "gcc -O2 -g -DWHERE=\"\\\"$(uname -n) $(id -u)\\\"\" -include where.h hello.c",
    );
    let spec = spec.replace(
        "%build\n",
        "%build\necho 'const char *where = WHERE;' > where.h\n",
    );
    leaky.spec = lazuli_build::InputFile::bytes("hello.spec", spec);
    let first = bench.built(&leaky, "leaky");
    let verification = again(&leaky, &paths(&first));
    let lines: Vec<String> = verification.differences.iter().map(ToString::to_string).collect();
    let file = lines.iter().find(|line| line.contains("/usr/bin/hello")).unwrap();
    assert!(file.contains("section .rodata"), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("libgreet")), "{lines:#?}");
}

#[test]
fn a_failing_check_fails_and_is_kept() {
    if skip(&PROGRAMS) {
        return;
    }
    let mut bench = Bench::new();
    bench.keep = Keep::Failed;
    let mut job = hello();
    let spec = include_str!("data/hello.spec").replace("= hello\n", "= goodbye\n");
    job.spec = lazuli_build::InputFile::bytes("hello.spec", spec);
    let failure = bench.run(&job, "x").unwrap_err();
    assert_eq!(failure.phase, Phase::Check);
    assert!(
        matches!(failure.reason, FailureReason::Command { .. }),
        "{:?}",
        failure.reason
    );
    assert!(
        failure
            .last_lines
            .iter()
            .any(|line| line.contains("Bad exit status")),
        "{:?}",
        failure.last_lines
    );
    assert!(log(&failure.log.unwrap()).contains("Executing(%check)"));
    let kept = failure.kept.unwrap();
    enter(&kept.folder);
    assert_eq!(Kept::open(&kept.folder).unwrap().component().unwrap(), "hello");
    kept.remove().unwrap();
    bench.assert_clean();
    // Without the check it is built.
    job.options.tests = lazuli_build::Tests::Skip;
    bench.built(&job, "x");
}

/// Tells the test's own program to enter a kept sandbox: on a terminal, which `script` makes.
const ENTER: &str = "LAZULI_TEST_ENTER";

#[test]
fn child_in_a_kept_sandbox() {
    let Some(folder) = std::env::var_os(ENTER) else {
        // Without the parent there is no sandbox: then it is an error to enter one.
        assert!(Kept::open("/nonexistent").is_err());
        return;
    };
    let script = "id -un; ls BUILD; test -t 0 && echo a terminal; test -e /builddir/SOURCES/hello.c; exit 7";
    let status = Kept::open(folder)
        .unwrap()
        .enter(&["sh", "-c", script].map(str::to_owned))
        .unwrap();
    println!("it ended: {status}");
}

/// A person in the sandbox is the build's user, where the build ended, on a terminal.
fn enter(folder: &std::path::Path) {
    let program = std::env::current_exe().unwrap();
    let command = format!(
        "{} child_in_a_kept_sandbox --exact --nocapture",
        program.display()
    );
    let output = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env(ENTER, folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for expected in ["builder", "hello-2.1", "a terminal", "it ended: exit code 7"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn what_may_not_be_in_packages_is_found() {
    if skip(&PROGRAMS) {
        return;
    }
    let bench = Bench::new();
    let unpackaged = small(
        "loose",
        "%install\ninstall -D /dev/null %{buildroot}/usr/share/loose/one\n%files",
    );
    let failure = bench.run(&job("loose", &unpackaged, &[]), "x").unwrap_err();
    let FailureReason::Findings(findings) = failure.reason else {
        panic!("{:?}", failure.reason)
    };
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].kind, FindingKind::Unpackaged);
    assert_eq!(findings[0].path.as_deref(), Some("/usr/share/loose/one"));

    let setuid = small(
        "powerful",
        "%install\ninstall -D -m4755 /dev/null %{buildroot}/usr/bin/powerful\n%files\n%attr(4755, root, root) /usr/bin/powerful",
    );
    let mut job = job("powerful", &setuid, &[]);
    let failure = bench.run(&job, "x").unwrap_err();
    assert_eq!(failure.phase, Phase::Findings);
    let FailureReason::Findings(findings) = failure.reason else {
        panic!("{:?}", failure.reason)
    };
    assert!(
        matches!(findings[0].kind, FindingKind::SetId { .. }),
        "{findings:?}"
    );
    job.allowances.setuid.insert("/usr/bin/powerful".to_owned());
    bench.built(&job, "x");
    bench.assert_clean();
}

/// A program without build-id, a path of the build, and a library that changed its name.
#[test]
fn files_are_looked_into() {
    if skip(&PROGRAMS) {
        return;
    }
    let mut bench = Bench::new();
    let first = bench.built(&hello(), "first");
    bench.previous = paths(&first);
    let mut job = hello();
    let spec = include_str!("data/hello.spec")
        .replace("libgreet.so.1", "libgreet.so.2")
        .replace("gcc -O2 -g hello.c", "gcc -O2 -g -Wl,--build-id=none hello.c")
        .replace(
            "%check",
            "echo \"# $PWD\" >> %{buildroot}/usr/include/greet.h\n%check",
        );
    job.spec = lazuli_build::InputFile::bytes("hello.spec", spec);
    let failure = bench.run(&job, "x").unwrap_err();
    let FailureReason::Findings(findings) = failure.reason else {
        panic!("{:?}", failure.reason)
    };
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    let has = |text: &str| assert!(lines.iter().any(|line| line.contains(text)), "{text}: {lines:#?}");
    has("error: hello: /usr/bin/hello: this ELF file has no build-id");
    has("error: libgreet: the previous build had the library libgreet.so.1");
    has("note: libgreet: the library libgreet.so.2 is new");
    has(
        "warning: libgreet-devel: /usr/include/greet.h: it names the folder in which it was built: /builddir/BUILD/hello-2.1",
    );
}

/// Cancels when the build writes a certain line.
struct CancelAt<'a>(&'a str, &'a Cancel);

impl Observer for CancelAt<'_> {
    fn event(&self, event: &Event<'_>) {
        if matches!(event, Event::Line { text, .. } if text.contains(self.0)) {
            self.1.cancel();
        }
    }
}

#[test]
fn a_build_is_stopped() {
    if skip(&PROGRAMS) {
        return;
    }
    let bench = Bench::new();
    let endless = small("endless", "%build\necho started\nwhile :; do :; done\n%files");
    let (work, results) = (bench.work(), bench.results("x"));
    let cancel = Cancel::default();
    let settings = BuildSettings {
        work: &work,
        results: &results,
        keep: Keep::Failed,
        signer: None,
        previous: &[],
        builder: "urn:lazuli:test",
    };
    let observer = CancelAt("started", &cancel);
    let failure = lazuli_build::build(
        &job("endless", &endless, &[]),
        &Tree,
        &settings,
        &observer,
        &cancel,
    )
    .unwrap()
    .unwrap_err();
    assert_eq!(failure.reason, FailureReason::Cancelled);
    assert_eq!(failure.kept, None);
    bench.assert_clean();
}

#[test]
fn a_build_takes_no_longer_than_it_may() {
    if skip(&PROGRAMS) {
        return;
    }
    let bench = Bench::new();
    let mut job = job(
        "endless",
        &small("endless", "%build\nwhile :; do :; done\n%files"),
        &[],
    );
    job.limits.timeout = std::time::Duration::from_millis(1500);
    let failure = bench.run(&job, "x").unwrap_err();
    assert!(
        matches!(failure.reason, FailureReason::TimedOut { .. }),
        "{:?}",
        failure.reason
    );
}

/// Inputs cannot be changed by the build, whoever it is, and the build is nobody.
#[test]
fn the_build_is_shut_in() {
    if skip(&PROGRAMS) {
        return;
    }
    let bench = Bench::new();
    let spec = small(
        "shut-in",
        "Source0: input\n%prep\nid -un; id -u; pwd\n\
         for f in %{SOURCE0} %{_specdir}/shut-in.spec ~/.rpmmacros /etc/passwd /usr/bin/x; do\n\
         if echo x 2>/dev/null >> $f; then echo wrote $f; exit 1; fi; done\n\
         if mv %{_sourcedir} /builddir/elsewhere 2>/dev/null; then exit 1; fi\n\
         test $SOURCE_DATE_EPOCH = 1700000000\n\
         date -r %{SOURCE0} +%%s\n\
         %files",
    );
    let spec = spec
        .replacen("%description", "Source0: input\n%description", 1)
        .replacen("Source0: input\n%prep", "%prep", 1);
    bench.built(&job("shut-in", &spec, &[("input", "text")]), "x");
    let text = bench.record.text();
    for line in ["builder", "1000"] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    assert!(
        text.lines().any(|line| line.starts_with("/builddir/BUILD")),
        "{text}"
    );
    assert!(text.contains("\n1700000000\n"), "{text}");
}

#[test]
fn inputs_are_checked_before_they_are_used() {
    if skip(&PROGRAMS) {
        return;
    }
    let bench = Bench::new();
    let run = |job: &lazuli_build::BuildJob| {
        let (work, results) = (bench.work(), bench.results("x"));
        let settings = BuildSettings {
            work: &work,
            results: &results,
            keep: Keep::Never,
            signer: None,
            previous: &[],
            builder: "urn:lazuli:test",
        };
        let outcome = lazuli_build::build(job, &Tree, &settings, &bench.record, &Cancel::default());
        outcome.unwrap_err().to_string()
    };
    let mut wrong = hello();
    wrong.sources[0].digest = lazuli_build::Digest::of(b"other");
    let message = run(&wrong);
    assert!(message.starts_with("the input hello.c has SHA-256 "), "{message}");
    let mut outside = hello();
    outside.sources[0].name = "../x".to_owned();
    assert!(run(&outside).contains("`../x` is not usable"));
    bench.assert_clean();
}

/// `%generate_buildrequires` is asked until it wants nothing new.
#[test]
fn generated_requirements_are_asked_for() {
    if skip(&PROGRAMS) {
        return;
    }
    let bench = Bench::new();
    let spec = small(
        "generated",
        "%generate_buildrequires\necho 'gcc'\necho 'something >= 2'\n%files",
    );
    let asked = std::sync::Mutex::new(Vec::new());
    struct Asked<'a>(&'a std::sync::Mutex<Vec<Vec<String>>>);
    impl lazuli_build::RootSource for Asked<'_> {
        fn root(&self, requires: &[String]) -> Result<lazuli_build::Buildroot, lazuli_build::BuildError> {
            self.0.lock().unwrap().push(requires.to_vec());
            Tree.root(requires)
        }
    }
    let (work, results) = (bench.work(), bench.results("x"));
    let settings = BuildSettings {
        work: &work,
        results: &results,
        keep: Keep::Never,
        signer: None,
        previous: &[],
        builder: "urn:lazuli:test",
    };
    // The tree's database does not have it, so rpmbuild may refuse in the end; what matters is what was asked for.
    let outcome = lazuli_build::build(
        &job("generated", &spec, &[]),
        &Asked(&asked),
        &settings,
        &bench.record,
        &Cancel::default(),
    );
    drop(outcome.unwrap());
    let asked = asked.into_inner().unwrap();
    assert_eq!(
        asked,
        [
            vec!["gcc".to_owned()],
            vec!["gcc".to_owned(), "something >= 2".to_owned()]
        ]
    );
}
