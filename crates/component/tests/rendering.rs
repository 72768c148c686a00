//! From an upstream and a project to rendered specs: updates, releases, drift, in real repositories.
#![allow(clippy::unwrap_used)]

mod support;

use lazuli_catalog::{ComponentName, DistroName};
use lazuli_component::history::ChangesFile;
use lazuli_component::{
    AddRequest, Added, Adder, Mode, Person, Rebuild, RenderError, Resolution, UpdateError, Verdict,
    orphaned_locks, orphans, project_diff,
};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use support::{CONFIG, DAY, Project, Repo, START, spec};

const AUTO: (&str, &str) = ("%autorelease", "%autochangelog\n");

/// A project with `hello`, whose upstream has three commits.
fn project(config: &str, release: &str, changelog: &str) -> (Project, Repo, Vec<String>) {
    let project = Project::new(config);
    let upstream = project.upstream("hello");
    let mut commits = Vec::new();
    upstream.write("hello.spec", spec("1.0", release, changelog));
    upstream.write("fix.patch", "--- a\n+++ b\n");
    upstream.write("unused.txt", "nobody names this\n");
    upstream.write("hello-aarch64.conf", "for another architecture\n");
    upstream.write("hello.rpmlintrc", "x\n");
    upstream.write(".gitignore", "/hello-*.tar.gz\n");
    upstream.write(
        "sources",
        format!("SHA512 (hello-1.0.tar.gz) = {}\n", "ab".repeat(64)),
    );
    commits.push(upstream.commit("Import", 0));
    upstream.write("fix.patch", "--- a\n+++ b\n@@\n");
    commits.push(upstream.commit("Better fix\n\n- and a second item", 1));
    upstream.write("hello.spec", spec("2.0", release, changelog));
    commits.push(upstream.commit("Update to 2.0", 5));
    (project, upstream, commits)
}

fn line<'t>(text: &'t str, start: &str) -> &'t str {
    text.lines()
        .find(|line| line.starts_with(start))
        .unwrap_or_else(|| panic!("no {start} in {text}"))
}

fn with_overlay(config: &str, value: &str) -> String {
    format!(
        "{config}\n[[components.hello.overlays]]\ntype = \"spec-add-tag\"\ndescription = \"{value} is needed\"\n\
         tag = \"BuildRequires\"\nvalue = \"{value}\"\n"
    )
}

#[test]
fn one_update_and_one_commit_are_enough() {
    let (project, _, _) = project(CONFIG, AUTO.0, AUTO.1);
    let first = project.update("hello", 10);
    assert!(
        first
            .recorded
            .as_ref()
            .unwrap()
            .text
            .starts_with("Import from up at ")
    );
    let written = project.render("hello", Mode::Write);
    assert_eq!(written.evr, "2.0-2.ex1");
    let before = project.repo.read("specs/h/hello/hello.spec");
    project.repo.commit("Import hello: whatever the message is", 11);

    // After the commit everything is as it was before it: nothing to render, nothing to update.
    assert!(project.render("hello", Mode::Check).drift.is_empty());
    assert!(!project.update("hello", 12).is_change());

    // A change, an update, a commit; and the same again.
    for (day, value, expected) in [(20, "gcc", "2.0-3.ex1"), (30, "make", "2.0-4.ex1")] {
        project.repo.write("lazuli.toml", with_overlay(CONFIG, value));
        let update = project.update("hello", day);
        assert_eq!(
            update.recorded.as_ref().unwrap().text,
            format!("{value} is needed")
        );
        assert_eq!(project.render("hello", Mode::Write).evr, expected);
        project.repo.commit("something else", day + 1);
        assert!(project.render("hello", Mode::Check).drift.is_empty());
        assert!(!project.update("hello", day + 2).is_change());
    }
    let spec = project.repo.read("specs/h/hello/hello.spec");
    let (_, changelog) = spec.split_once("%changelog\n").unwrap();
    let expected = "\
* Sat Jan 31 2026 Pia Project <pia@project.example> - 2.0-4
- make is needed

* Wed Jan 21 2026 Pia Project <pia@project.example> - 2.0-3
- gcc is needed

* Sun Jan 11 2026 Pia Project <pia@project.example> - 2.0-2
";
    assert!(changelog.starts_with(expected), "{changelog}");
    assert!(changelog.ends_with("- Update to 2.0\n\n* Fri Jan 02 2026 Una Upstream <una@upstream.example> - 1.0-2\n- Better fix\n- and a second item\n\n* Thu Jan 01 2026 Una Upstream <una@upstream.example> - 1.0-1\n- Import\n"), "{changelog}");
    assert!(before.contains("2.0-2") && !before.contains("2.0-3"));

    // A history that is squashed, and a clone that has only its end, change nothing.
    let orphan = ["checkout", "-q", "--orphan", "squashed"];
    project.repo.git(&orphan, 40);
    project.repo.commit("all in one", 40);
    assert!(project.render("hello", Mode::Check).drift.is_empty());
    assert!(!project.update("hello", 41).is_change());
}

#[test]
fn updates_before_a_commit_are_one_change() {
    let (project, _, _) = project(CONFIG, AUTO.0, AUTO.1);
    project.update("hello", 10);
    project.render("hello", Mode::Write);
    project.repo.commit("import", 11);
    let committed = project.repo.read("locks/hello.changes");
    let lock = project.repo.read("locks/hello.lock");

    project.repo.write("lazuli.toml", with_overlay(CONFIG, "gcc"));
    project.update("hello", 20);
    project.repo.write("lazuli.toml", with_overlay(CONFIG, "clang"));
    let second = project.update("hello", 21);
    assert_eq!(second.changes.unwrap().changes.len(), 2);
    // Run once more, it writes the same: time and words stay.
    assert!(!project.update("hello", 25).is_change());
    assert_eq!(project.render("hello", Mode::Write).evr, "2.0-3.ex1");
    // Another text for the same change.
    let update = project
        .try_update("hello", 26, |updater| {
            updater.message = Some("Build by clang\n\n- faster")
        })
        .unwrap();
    assert_eq!(update.changes.unwrap().changes.len(), 2);
    project.render("hello", Mode::Write);
    assert!(
        project
            .repo
            .read("specs/h/hello/hello.spec")
            .contains("- Build by clang\n- faster\n")
    );

    // Taken back: everything is as it was committed.
    project.repo.write("lazuli.toml", CONFIG);
    assert!(project.update("hello", 27).is_change());
    assert_eq!(project.repo.read("locks/hello.changes"), committed);
    assert_eq!(project.repo.read("locks/hello.lock"), lock);
    assert_eq!(project.render("hello", Mode::Write).evr, "2.0-2.ex1");
    assert_eq!(project.repo.git(&["status", "--porcelain"], 30), "");
}

#[test]
fn a_lock_that_does_not_fit_is_refused() {
    let (project, _, _) = project(CONFIG, AUTO.0, AUTO.1);
    project.update("hello", 10);
    project.render("hello", Mode::Write);
    project.repo.write("lazuli.toml", with_overlay(CONFIG, "gcc"));
    match project.try_render("hello", Mode::Check) {
        Verdict::Failure(error @ RenderError::Stale { .. }) => {
            assert_eq!(
                error.to_string(),
                "the lock of `hello` does not fit its configuration any more"
            );
            assert!(error.help().unwrap().contains("lazuli component update hello"));
        }
        other => panic!("{other:?}"),
    }
    // A description changes nothing in the package.
    let described = with_overlay(CONFIG, "gcc");
    project.repo.write("lazuli.toml", &described);
    project.update("hello", 11);
    project
        .repo
        .write("lazuli.toml", described.replace("gcc is needed", "other words"));
    assert!(!project.update("hello", 12).is_change());
    project.render("hello", Mode::Write);
}

#[test]
fn files_that_nobody_names_are_dropped() {
    let (project, _, _) = project(CONFIG, AUTO.0, AUTO.1);
    project.update("hello", 10);
    project.repo.write("specs/h/hello/stale.txt", "from before\n");
    project.repo.write("specs/h/hello/unused.txt", "from before\n");
    project.render("hello", Mode::Write);
    let names = |project: &Project| {
        let folder = project.repo.folder.join("specs/h/hello");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    // The file of a branch that is not taken here is kept: `%{_arch}` may be anything.
    assert_eq!(
        names(&project),
        ["fix.patch", "hello-aarch64.conf", "hello.spec", "sources"]
    );
    let all = format!("{CONFIG}[components.hello.render]\nskip-file-filter = true\n");
    project.repo.write("lazuli.toml", all);
    project.update("hello", 11);
    project.render("hello", Mode::Write);
    assert_eq!(
        names(&project),
        [
            "fix.patch",
            "hello-aarch64.conf",
            "hello.rpmlintrc",
            "hello.spec",
            "sources",
            "unused.txt"
        ]
    );
}

#[test]
fn drift_is_shown_as_a_diff_that_git_applies() {
    let (project, _, _) = project(
        CONFIG,
        "1%{?dist}",
        "* Thu Jan 01 2026 Una <u@x.example> - 1.0-1\n- Old\n",
    );
    project.update("hello", 10);
    project.render("hello", Mode::Write);
    let right = project.repo.read("specs/h/hello/hello.spec");
    assert_eq!(line(&right, "Release:"), "Release: 2%{?dist}");
    project.repo.commit("import", 11);
    project.repo.write(
        "specs/h/hello/hello.spec",
        right.replace("License: MIT", "License: other"),
    );
    std::fs::remove_file(project.repo.folder.join("specs/h/hello/fix.patch")).unwrap();
    project.repo.write("specs/h/hello/by-hand", "no line end");
    let drift = project.render("hello", Mode::Check).drift;
    let files: Vec<String> = drift
        .files
        .iter()
        .map(|file| format!("{} {:?}", file.path, file.kind))
        .collect();
    assert_eq!(
        files,
        ["by-hand Removed", "fix.patch Added", "hello.spec Changed"]
    );
    assert!(drift.to_string().contains("-License: other\n+License: MIT\n"));

    let mut apply = Command::new("git")
        .arg("-C")
        .arg(project.repo.folder.join("specs"))
        .args(["apply", "--directory=specs"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut apply.stdin.take().unwrap(), drift.to_string().as_bytes()).unwrap();
    assert!(apply.wait().unwrap().success(), "{drift}");
    assert_eq!(project.repo.git(&["status", "--porcelain"], 30), "");
    assert!(project.render("hello", Mode::Check).drift.is_empty());
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let render = || {
        let (project, _, _) = project(&with_overlay(CONFIG, "gcc"), AUTO.0, AUTO.1);
        project.update("hello", 10);
        project.render("hello", Mode::Write);
        let files = [
            "locks/hello.lock",
            "locks/hello.changes",
            "specs/h/hello/hello.spec",
            "specs/h/hello/sources",
        ];
        files.map(|file| project.repo.read(file))
    };
    assert_eq!(render(), render());
}

#[test]
fn static_releases_have_entries_for_each_change() {
    let old = "* Thu Jan 01 2026 Una <u@x.example> - 1.0-1\n- Old\n";
    let (project, upstream, commits) = project(CONFIG, "3%{?dist}", old);
    project.repo.write(
        "lazuli.toml",
        format!(
            "{CONFIG}[components.hello.spec]\ntype = \"upstream\"\nupstream-commit = \"{}\"\n",
            commits[1]
        ),
    );
    project.update("hello", 10);
    assert_eq!(project.render("hello", Mode::Write).evr, "1.0-4.ex1");
    project.repo.commit("import", 11);
    // The upstream goes on, with a release that goes up by itself.
    upstream.write("hello.spec", spec("2.0", "7%{?dist}", old));
    upstream.commit("Release 7", 15);
    project.repo.write("lazuli.toml", CONFIG);
    let update = project.update("hello", 20);
    let text = update.recorded.unwrap().text;
    assert!(text.starts_with("Update to upstream commit "), "{text}");
    let rendered = project.render("hello", Mode::Write);
    assert_eq!(rendered.evr, "2.0-9.ex1");
    let spec = project.repo.read("specs/h/hello/hello.spec");
    let headers: Vec<&str> = spec.lines().filter(|line| line.starts_with('*')).collect();
    assert_eq!(
        headers,
        [
            "* Wed Jan 21 2026 Pia Project <pia@project.example> - 2.0-9",
            "* Sun Jan 11 2026 Pia Project <pia@project.example> - 1.0-4",
            "* Thu Jan 01 2026 Una <u@x.example> - 1.0-1",
        ]
    );
}

#[test]
fn commits_are_chosen_by_pin_snapshot_or_branch() {
    let (project, upstream, commits) = project(CONFIG, AUTO.0, AUTO.1);
    let commit = |project: &Project| {
        let lock = project
            .state()
            .lock(&ComponentName::new("hello").unwrap())
            .unwrap()
            .unwrap();
        let id = |commit: Option<lazuli_catalog::CommitId>| commit.unwrap().to_string();
        (id(lock.upstream_commit), id(lock.import_commit))
    };
    project.update("hello", 10);
    assert_eq!(commit(&project), (commits[2].clone(), commits[2].clone()));
    // A newer commit is taken when asked for, and the fork point stays.
    upstream.write("fix.patch", "newer\n");
    let newest = upstream.commit("Newer", 12);
    project.update("hello", 13);
    assert_eq!(commit(&project).0, commits[2]);
    project
        .try_update("hello", 14, |updater| updater.resolution = Resolution::Always)
        .unwrap();
    assert_eq!(commit(&project), (newest, commits[2].clone()));
    // A snapshot, then a pin.
    let snapshot = CONFIG.replace(
        "version = \"43\" }",
        "version = \"43\", snapshot = \"2026-01-03T00:00:00Z\" }",
    );
    project.repo.write("lazuli.toml", &snapshot);
    project.update("hello", 15);
    assert_eq!(commit(&project).0, commits[1]);
    let pin = &commits[0][..9];
    project.repo.write(
        "lazuli.toml",
        format!("{snapshot}[components.hello.spec]\ntype = \"upstream\"\nupstream-commit = \"{pin}\"\n"),
    );
    project.update("hello", 16);
    assert_eq!(commit(&project).0, commits[0]);
    // A rebuild that a person asks for.
    let update = project
        .try_update("hello", 17, |updater| updater.rebuild = Rebuild::Bump)
        .unwrap();
    assert_eq!(update.lock.manual_bump, 1);
    assert!(project.repo.read("locks/hello.lock").contains("manual-bump = 1"));
}

/// A project as azldev leaves it: locks whose fingerprints are its own, and no recorded changes.
#[test]
fn changes_that_git_knows_of_are_taken_over() {
    let (project, _, commits) = project(CONFIG, AUTO.0, AUTO.1);
    let lock = |commit: &str, token: &str| {
        format!(
            "version = 1\nimport-commit = '{}'\nupstream-commit = '{commit}'\ninput-fingerprint = 'v1:sha256:{token}'\n",
            commits[0]
        )
    };
    project.repo.write("locks/hello.lock", lock(&commits[1], "aa"));
    project.repo.commit("hello: import", 2);
    project
        .repo
        .write("locks/hello.lock", lock(&commits[1], "aa") + "# no change\n");
    project.repo.commit("a comment", 3);
    project.repo.write("locks/hello.lock", lock(&commits[1], "bb"));
    project
        .repo
        .commit("hello: a fix\n\nthat is not in the changelog", 4);
    project.repo.write("locks/hello.lock", lock(&commits[2], "cc"));
    project.repo.commit("hello: new version", 6);

    // Rendered as azldev counts: the upstream's commit to 2.0, and ours.
    assert_eq!(project.render("hello", Mode::Write).evr, "2.0-2.ex1");
    let spec = project.repo.read("specs/h/hello/hello.spec");
    for entry in [
        "> - 2.0-2\n- hello: new version\n",
        "> - 2.0-1\n- Update to 2.0\n",
        "> - 1.0-4\n- hello: a fix\n\n",
        "> - 1.0-3\n- hello: import\n",
        "> - 1.0-2\n- Better fix\n",
    ] {
        assert!(spec.contains(entry), "{entry}: {spec}");
    }
    project.repo.commit("rendered", 7);
    // Nothing has changed: the lock of the other program stays.
    assert!(!project.update("hello", 8).is_change());

    // The first change of ours takes over what git knows; numbers go on.
    project.repo.write("lazuli.toml", with_overlay(CONFIG, "gcc"));
    let update = project.update("hello", 9);
    assert_eq!(update.fields.len(), 1);
    assert_eq!(update.changes.as_ref().unwrap().changes.len(), 4);
    assert_eq!(project.render("hello", Mode::Write).evr, "2.0-3.ex1");
    project.repo.commit("gcc", 10);
    assert!(project.render("hello", Mode::Check).drift.is_empty());
    assert!(!project.update("hello", 11).is_change());
    // Taken back before the commit, even the file goes again.
    let text = project.repo.read("locks/hello.changes");
    assert_eq!(
        ChangesFile::parse(Path::new("x"), &text).unwrap().to_string(),
        text
    );
}

#[test]
fn local_specs_count_by_their_own_versions() {
    let config = CONFIG.to_owned() + "spec = { type = \"local\", path = \"hello/hello.spec\" }\n";
    let project = Project::new(&config);
    project
        .repo
        .write("hello/hello.spec", spec("1.0", AUTO.0, AUTO.1));
    project.repo.write("hello/fix.patch", b"\xff binary \x00 patch");
    project.update("hello", 1);
    project.render("hello", Mode::Write);
    project.repo.commit("import", 1);
    project.repo.write("hello/fix.patch", "better\n");
    project.update("hello", 2);
    assert_eq!(project.render("hello", Mode::Write).evr, "1.0-2.ex1");
    project.repo.commit("fix", 2);
    project
        .repo
        .write("hello/hello.spec", spec("1.1", AUTO.0, AUTO.1));
    let update = project.update("hello", 3);
    assert_eq!(update.recorded.unwrap().text, "Change source.files.hello.spec");
    assert_eq!(project.render("hello", Mode::Write).evr, "1.1-1.ex1");
    let text = project.repo.read("specs/h/hello/hello.spec");
    assert!(
        text.contains("- 1.0-2\n- Change source.files.fix.patch\n"),
        "{text}"
    );
    assert!(text.contains("- 1.0-1\n- Initial package\n"));
}

#[test]
fn failures_that_are_expected() {
    let broken = format!(
        "{CONFIG}[components.hello.build]\nfailure = {{ expected = true, expected-reason = \"the tag is gone\" }}\n\
         [[components.hello.overlays]]\ntype = \"spec-update-tag\"\ntag = \"Nonsense\"\nvalue = \"x\"\n"
    );
    let (project, _, _) = project(CONFIG, AUTO.0, AUTO.1);
    project.update("hello", 1);
    project.render("hello", Mode::Write);
    let before = project.repo.read("specs/h/hello/hello.spec");
    let lock = project.repo.read("locks/hello.lock");
    project.repo.write("lazuli.toml", &broken);
    let error = project.try_update("hello", 2, |_| {}).unwrap_err();
    assert!(
        matches!(&error, UpdateError::Render(RenderError::Compose(_))),
        "{error:?}"
    );
    assert!(error.to_string().contains("lazuli.toml:"), "{error}");
    // Nothing was written.
    assert_eq!(project.repo.read("locks/hello.lock"), lock);
    std::fs::remove_file(project.repo.folder.join("locks/hello.lock")).unwrap();
    project.repo.write(
        "locks/hello.lock",
        lock.lines()
            .filter(|line| !line.contains("fingerprint"))
            .collect::<Vec<_>>()
            .join("\n"),
    );
    match project.try_render("hello", Mode::Write) {
        Verdict::ExpectedFailure { reason, .. } => assert_eq!(reason, "the tag is gone"),
        other => panic!("{other:?}"),
    }
    assert_eq!(project.repo.read("specs/h/hello/hello.spec"), before);
    project
        .repo
        .write("lazuli.toml", broken.replace("Nonsense", "License"));
    match project.try_render("hello", Mode::Write) {
        Verdict::UnexpectedSuccess { reason, value } => {
            assert_eq!(reason, "the tag is gone");
            assert!(!value.drift.is_empty());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_project_changes() {
    let (project, _, _) = project(&with_overlay(CONFIG, "gcc"), AUTO.0, AUTO.1);
    project.update("hello", 1);
    let diff = project_diff(&project.state(), &project.component("hello"), &project.mirror).unwrap();
    assert_eq!(diff.files.len(), 1);
    let text = diff.to_string();
    assert!(
        text.starts_with("diff --git a/hello.spec b/hello.spec\n--- a/hello.spec\n+++ b/hello.spec\n"),
        "{text}"
    );
    let added: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with('+') && !line.starts_with("+++"))
        .collect();
    assert!(added.contains(&"+BuildRequires: gcc"), "{text}");
}

#[test]
fn binary_files_and_modes_in_diffs() {
    use lazuli_component::{Content, FileMode, SourceFile, SourcePath, SourceTree, diff};
    let path = |name: &str| SourcePath::new(name).unwrap();
    let mut old = SourceTree::new(path("x.spec"), "a\n");
    let mut new = old.clone();
    old.put(path("logo.png"), b"\x89\x00".to_vec());
    new.put(path("logo.png"), b"\x89\x00\x01".to_vec());
    new.put(path("empty"), "");
    new.put(path("latin"), b"\xe9\n".to_vec());
    old.put(path("run"), "#!/bin/sh\n");
    new.insert(
        path("run"),
        SourceFile {
            content: Content::from("#!/bin/sh\n"),
            mode: FileMode::Executable,
        },
    );
    let text = diff(Some(&old), &new, "d/").unwrap().to_string();
    assert_eq!(
        text,
        "diff --git a/d/empty b/d/empty\nnew file mode 100644\n\
         diff --git a/d/latin b/d/latin\nnew file mode 100644\nBinary files /dev/null and b/d/latin differ\n\
         diff --git a/d/logo.png b/d/logo.png\nBinary files a/d/logo.png and b/d/logo.png differ\n\
         diff --git a/d/run b/d/run\nold mode 100644\nnew mode 100755\n"
    );
}

#[test]
fn components_are_added_where_their_likes_are() {
    let config = CONFIG.replace("[components.hello]\n", "[components]\nalpha = {}\nzeta = {}\n");
    let (project, _, commits) = project(&config, AUTO.0, AUTO.1);
    project.repo.write("lazuli.toml", &config);
    let mut request = AddRequest {
        name: ComponentName::new("hello").unwrap(),
        distro: None,
        version: None,
        upstream_name: None,
        commit: None,
    };
    let author = Person::parse("Pia Project <pia@project.example>");
    let plan = |project: &Project, request: &AddRequest| {
        let adder = Adder {
            state: &project.state(),
            provider: &project.mirror,
            reader: &project.reader,
            now: START,
            author: &author,
        };
        adder.plan(request)
    };
    let added = plan(&project, &request).unwrap();
    assert_eq!(added.text, config.replace("zeta = {}", "hello = {}\nzeta = {}"));
    assert_eq!(added.text.lines().nth(added.line - 1), Some("hello = {}"));
    let locked = |added: &Added| added.update.lock.upstream_commit.as_ref().unwrap().to_string();
    let version = |added: &Added| added.update.recorded.as_ref().unwrap().version.clone();
    assert_eq!(
        (locked(&added), version(&added).as_deref()),
        (commits[2].clone(), Some("2.0"))
    );
    assert!(added.files.iter().any(|path| path.as_str() == "fix.patch"));
    // Another name, a pin; the distribution is the default one, and need not be said.
    request.name = ComponentName::new("greeter").unwrap();
    request.distro = Some(DistroName::new("up").unwrap());
    request.upstream_name = Some("hello".to_owned());
    request.commit = Some(lazuli_catalog::CommitId::new(commits[0].as_str()).unwrap());
    let added = plan(&project, &request).unwrap();
    assert_eq!(version(&added).as_deref(), Some("1.0"));
    added.apply().unwrap();
    let component = project.component("greeter");
    let spec = component.config.spec.as_ref().unwrap();
    assert_eq!(spec.upstream_name.as_deref(), Some("hello"));
    assert!(project.repo.read("locks/greeter.lock").contains(&commits[0]));
    assert!(!project.update("greeter", 1).is_change(), "it is locked");
    // It is there now; and one that its upstream has not is refused before anything is written.
    let error = plan(&project, &request).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("component `greeter` is there already, at "),
        "{error}"
    );
    let before = project.repo.read("lazuli.toml");
    request.name = ComponentName::new("missing").unwrap();
    request.upstream_name = None;
    request.commit = None;
    let error = plan(&project, &request).unwrap_err();
    assert!(error.to_string().contains("of `missing`"), "{error}");
    assert_eq!(project.repo.read("lazuli.toml"), before);
}

#[test]
fn what_is_left_of_components_that_are_no_more() {
    let (project, _, _) = project(CONFIG, AUTO.0, AUTO.1);
    project.update("hello", 1);
    project.render("hello", Mode::Write);
    project.repo.write("specs/README.md", "by hand\n");
    project.repo.write("specs/g/notes/README.md", "no spec\n");
    let names = |list: &[&str]| -> BTreeSet<ComponentName> {
        list.iter()
            .map(|name| ComponentName::new(*name).unwrap())
            .collect()
    };
    let output = project.repo.folder.join("specs");
    assert_eq!(orphans(&output, &names(&["hello"])).unwrap(), []);
    assert_eq!(
        orphaned_locks(&project.state(), &names(&["hello"])).unwrap(),
        Vec::<std::path::PathBuf>::new()
    );
    let found = orphans(&output, &names(&["other"])).unwrap();
    assert_eq!(found.len(), 1);
    found[0].remove().unwrap();
    assert!(!output.join("h/hello").exists());
    assert_eq!(orphaned_locks(&project.state(), &names(&[])).unwrap().len(), 2);
}

#[test]
fn times_are_those_that_were_given() {
    let (project, _, _) = project(CONFIG, AUTO.0, AUTO.1);
    let update = project.update("hello", 10);
    assert_eq!(update.recorded.unwrap().time, START + 10 * DAY);
}
