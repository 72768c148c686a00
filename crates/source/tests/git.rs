//! dist-git repositories, over git's own daemon and over HTTP.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod gits;
mod server;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gits::{Daemon, Upstream, dumb, smart};
use lazuli_catalog::Timestamp;
use lazuli_catalog::value::CommitId;
use lazuli_source::{
    CommitChoice, DistGit, Fetched, Freshness, FullCommit, LinkPolicy, LookasideRequest, Request,
    SourceError, Sources, TreeMode, TreePath, UrlTemplate, Variable,
};
use server::{Server, World, content, quiet, sha512};

fn pinned(id: &str) -> CommitChoice {
    CommitChoice::Pinned(CommitId::new(id).unwrap())
}

fn before(seconds: i64) -> CommitChoice {
    CommitChoice::Before(Timestamp::from_unix(seconds))
}

#[track_caller]
fn resolve(sources: &Sources, repository: &DistGit, choice: &CommitChoice) -> String {
    sources
        .resolve_commit(repository, choice, &quiet)
        .unwrap()
        .commit
        .to_string()
}

fn full(id: &str) -> FullCommit {
    FullCommit::new(id).unwrap()
}

/// The clone in the cache.
fn clone_of(world: &World) -> PathBuf {
    let folder = world.folder.path().join("cache/sources/git");
    let only = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    only.path().join("repository.git")
}

/// How many objects of a kind a clone has.
fn objects(clone: &Path, kind: &str) -> usize {
    let output = Command::new("git")
        .arg("--git-dir")
        .arg(clone)
        .args(["cat-file", "--batch-all-objects", "--batch-check=%(objecttype)"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter(|line| *line == kind)
        .count()
}

/// Three commits on `main`; between the second and the third a topic is merged.
fn sample() -> Option<(Upstream, [String; 4])> {
    let mut upstream = Upstream::new("bash")?;
    upstream
        .write("bash.spec", b"Version: 1\n")
        .write("run.sh", b"#!/bin/sh\n");
    upstream.git(&["config", "core.fileMode", "true"]);
    let script = upstream.tree().join("run.sh");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let first = upstream.commit("First: begin\n\nWith a body\nof two lines.\n");
    upstream
        .write("bash.spec", b"Version: 2\n")
        .write("tests/data/x", b"x\0y");
    let second = upstream.commit("Second, with \"quotes\" and \u{fc}ml\u{e4}uts");
    upstream.git(&["checkout", "--quiet", "-b", "topic"]);
    upstream.write("topic", b"t");
    upstream.commit("Topic");
    upstream.git(&["checkout", "--quiet", "main"]);
    let topic_time = upstream.time();
    upstream.git(&["merge", "--quiet", "--no-ff", "-m", "Merge", "topic"]);
    let merge = upstream.git(&["rev-parse", "HEAD"]);
    assert_eq!(topic_time, upstream.time());
    upstream
        .write("bash.spec", b"Version: 3\n")
        .write("large", &content(500_000));
    let third = upstream.commit("Third");
    Some((upstream, [first, second, merge, third]))
}

#[test]
fn commits_are_chosen() {
    let Some((mut upstream, [first, second, merge, third])) = sample() else {
        return;
    };
    let (world, daemon) = (World::new(), upstream.daemon());
    let (sources, repository) = (world.sources(), upstream.at(&daemon.base(), Some("main")));
    let newest = CommitChoice::Head(Freshness::Newest);
    assert_eq!(resolve(&sources, &repository, &newest), third);
    assert_eq!(
        resolve(&sources, &upstream.at(&daemon.base(), None), &newest),
        third
    );

    // Snapshots before the last fetch need no network, nor do commits that are there.
    let connections = daemon.connections();
    let day = 86_400;
    let last = upstream.time();
    for (time, expected) in [
        (last, &third),
        (last - 1, &merge),
        (last - day, &merge),
        // The topic is as old as the merge, but only first parents count.
        (last - day - 1, &second),
        (last - 2 * day - 1, &first),
        (last - 3 * day, &first),
    ] {
        assert_eq!(resolve(&sources, &repository, &before(time)), *expected, "{time}");
    }
    let error = sources
        .resolve_commit(&repository, &before(last - 3 * day - 1), &quiet)
        .unwrap_err();
    assert!(
        matches!(&error, SourceError::NoCommitBefore { branch, .. } if branch == "main"),
        "{error}"
    );
    assert_eq!(resolve(&sources, &repository, &pinned(&second)), second);
    assert_eq!(
        resolve(&sources, &repository, &pinned(&second[..7].to_uppercase())),
        second
    );
    let resolved = sources
        .resolve_commit(&repository, &pinned(&third), &quiet)
        .unwrap();
    assert_eq!(resolved.commit_time, last);
    assert_eq!(daemon.connections(), connections);

    // A new commit: the cached state does not know it; the newest does, and so does a snapshot after the last fetch.
    let fourth = upstream.commit("Fourth");
    assert_eq!(
        resolve(&sources, &repository, &CommitChoice::Head(Freshness::Cached)),
        third
    );
    assert_eq!(daemon.connections(), connections);
    assert_eq!(resolve(&sources, &repository, &before(2_000_000_000)), fourth);
    assert!(daemon.connections() > connections);
    let fifth = upstream.commit("Fifth");
    assert_eq!(resolve(&sources, &repository, &newest), fifth);
    let offline = world.offline();
    assert_eq!(resolve(&offline, &repository, &pinned(&fifth)), fifth);
    for choice in [newest, before(2_000_000_000), pinned(&"1".repeat(40))] {
        let error = offline.resolve_commit(&repository, &choice, &quiet).unwrap_err();
        assert!(matches!(error, SourceError::Offline { .. }), "{error}");
    }
}

#[test]
fn commits_elsewhere_are_found() {
    let Some((mut upstream, _)) = sample() else { return };
    upstream.git(&["checkout", "--quiet", "-b", "other"]);
    let other = upstream.commit("Other");
    let lost = upstream.commit("Lost");
    upstream.git(&["reset", "--quiet", "--hard", &other]);
    let (world, daemon) = (World::new(), upstream.daemon());
    let (sources, repository) = (world.sources(), upstream.at(&daemon.base(), Some("main")));
    assert_eq!(resolve(&sources, &repository, &pinned(&other[..12])), other);
    assert_eq!(resolve(&sources, &repository, &pinned(&lost)), lost);
    let error = sources
        .resolve_commit(&repository, &pinned("abcdef1234"), &quiet)
        .unwrap_err();
    assert!(
        matches!(&error, SourceError::NoCommit { commit, .. } if commit == "abcdef1234"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("upstream-commit"));
    let absent = upstream.at(&daemon.base(), Some("f99"));
    let error = sources
        .resolve_commit(&absent, &CommitChoice::Head(Freshness::Newest), &quiet)
        .unwrap_err();
    assert!(
        matches!(&error, SourceError::NoBranch { branch, .. } if branch == "f99"),
        "{error}"
    );
    assert!(
        world.pauses().is_empty(),
        "what is not there is not asked for again"
    );
}

#[test]
fn a_tree_is_read() {
    let Some((upstream, [first, _, _, third])) = sample() else {
        return;
    };
    let (world, daemon) = (World::new(), upstream.daemon());
    let (sources, repository) = (world.sources(), upstream.at(&daemon.base(), Some("main")));
    let checkout = sources.checkout(&repository, &full(&first), &quiet).unwrap();
    let listed: Vec<(&str, &[u8], TreeMode)> = checkout
        .files
        .iter()
        .map(|(path, file)| (path.as_str(), file.content.as_slice(), file.mode))
        .collect();
    assert_eq!(
        listed,
        [
            ("bash.spec", &b"Version: 1\n"[..], TreeMode::Plain),
            ("run.sh", b"#!/bin/sh\n", TreeMode::Executable)
        ]
    );
    // A partial clone: the contents of other commits did not come.
    assert_eq!(
        (
            objects(&clone_of(&world), "commit"),
            objects(&clone_of(&world), "blob")
        ),
        (5, 2)
    );
    let checkout = sources.checkout(&repository, &full(&third), &quiet).unwrap();
    assert_eq!(checkout.file("tests/data/x").unwrap().content, b"x\0y");
    assert_eq!(checkout.file("large").unwrap().content, content(500_000));
    assert!(checkout.sources().unwrap().is_empty() && checkout.left_out.is_empty());
    // Once: then nothing is asked of the network.
    let connections = daemon.connections();
    for sources in [&sources, &world.offline()] {
        assert_eq!(
            sources.checkout(&repository, &full(&third), &quiet).unwrap(),
            checkout
        );
    }
    assert_eq!(daemon.connections(), connections);
    let small = world.with(|settings| settings.git.max_bytes = 1000);
    let error = small.checkout(&repository, &full(&third), &quiet).unwrap_err();
    assert!(
        matches!(error, SourceError::TooLarge { limit: 1000, .. }),
        "{error}"
    );
    let few = world.with(|settings| settings.git.max_files = 2);
    let error = few.checkout(&repository, &full(&third), &quiet).unwrap_err();
    assert!(error.to_string().contains("more than 2 files"), "{error}");
}

#[test]
fn histories_are_read() {
    let Some((upstream, [first, second, merge, third])) = sample() else {
        return;
    };
    let (world, daemon) = (World::new(), upstream.daemon());
    let (sources, repository) = (world.sources(), upstream.at(&daemon.base(), Some("main")));
    let spec = TreePath::new("bash.spec").unwrap();
    let history = sources
        .history(&repository, &full(&third), &spec, &quiet)
        .unwrap();
    let ids: Vec<&str> = history.iter().map(|commit| commit.id.as_str()).collect();
    assert_eq!(ids, [&third, &merge, &second, &first]);
    assert_eq!(
        history[2].subject,
        "Second, with \"quotes\" and \u{fc}ml\u{e4}uts"
    );
    let oldest = &history[3];
    assert_eq!(
        (oldest.subject.as_str(), oldest.body.as_str()),
        ("First: begin", "With a body\nof two lines.")
    );
    assert_eq!(
        (oldest.author_name.as_str(), oldest.author_email.as_str()),
        ("A Uthor", "author@example.org")
    );
    assert_eq!(
        (oldest.commit_time, oldest.author_time),
        (1_735_776_000, 1_735_775_900)
    );

    let versions = sources
        .file_versions(&repository, &full(&third), (&spec, &spec), &quiet)
        .unwrap();
    let found: Vec<(&str, &[u8])> = versions
        .iter()
        .map(|version| (version.commit.as_str(), version.content.as_deref().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            (third.as_str(), &b"Version: 3\n"[..]),
            (&second, b"Version: 2\n"),
            (&first, b"Version: 1\n")
        ]
    );
    // Only the versions of this file came.
    assert_eq!(objects(&clone_of(&world), "blob"), 3);
    let connections = daemon.connections();
    let offline = world.offline();
    assert_eq!(
        offline
            .file_versions(&repository, &full(&third), (&spec, &spec), &quiet)
            .unwrap(),
        versions
    );
    assert_eq!(daemon.connections(), connections);
    let topic = TreePath::new("topic").unwrap();
    let versions = sources
        .file_versions(&repository, &full(&third), (&spec, &topic), &quiet)
        .unwrap();
    assert_eq!(versions.len(), 1);
    assert_eq!(
        (versions[0].commit.as_str(), versions[0].content.as_deref()),
        (merge.as_str(), Some(&b"t"[..]))
    );
    let short = world.with(|settings| settings.git.max_commits = 3);
    let error = short
        .history(&repository, &full(&third), &spec, &quiet)
        .unwrap_err();
    assert!(error.to_string().contains("more than 3 commits"), "{error}");
}

#[test]
fn a_removed_file_and_odd_messages() {
    let Some(mut upstream) = Upstream::new("odd") else {
        return;
    };
    upstream.write("a", b"1");
    upstream.commit("");
    std::fs::remove_file(upstream.tree().join("a")).unwrap();
    upstream.commit("gone\n\n\n- x\n\n%H %x00 tail");
    upstream.write("a", b"1");
    let last = upstream.commit("back");
    let (world, daemon) = (World::new(), upstream.daemon());
    let repository = upstream.at(&daemon.base(), None);
    let sources = world.sources();
    let path = TreePath::new("a").unwrap();
    let history = sources.history(&repository, &full(&last), &path, &quiet).unwrap();
    let messages: Vec<(&str, &str)> = history
        .iter()
        .map(|commit| (commit.subject.as_str(), commit.body.as_str()))
        .collect();
    assert_eq!(
        messages,
        [("back", ""), ("gone", "- x\n\n%H %x00 tail"), ("", "")]
    );
    let versions = sources
        .file_versions(&repository, &full(&last), (&path, &path), &quiet)
        .unwrap();
    let contents: Vec<Option<&[u8]>> = versions
        .iter()
        .map(|version| version.content.as_deref())
        .collect();
    assert_eq!(contents, [Some(&b"1"[..]), None, Some(b"1")]);
}

#[test]
fn links_and_submodules_are_refused_or_left_out() {
    let Some(mut upstream) = Upstream::new("links") else {
        return;
    };
    std::os::unix::fs::symlink("/etc/passwd", upstream.tree().join("link")).unwrap();
    let link = upstream.commit("link");
    let blob = upstream.blob(b"x");
    let submodule = upstream.raw_tree(&[("100644", "file", &blob), ("160000", "sub", &[7; 20])]);
    upstream.git(&["branch", "submodule", &submodule]);
    let (world, daemon) = (World::new(), upstream.daemon());
    let repository = upstream.at(&daemon.base(), None);
    let lenient = world.with(|settings| settings.git.links = LinkPolicy::LeaveOut);
    for (commit, path, kind) in [
        (&link, "link", "a symbolic link"),
        (&submodule, "sub", "a submodule"),
    ] {
        let error = world
            .sources()
            .checkout(&repository, &full(commit), &quiet)
            .unwrap_err();
        assert!(
            matches!(&error, SourceError::Tree { path: at, reason, .. } if at == path && reason.contains(kind)),
            "{error}"
        );
        assert!(error.hint().is_some());
        let checkout = lenient.checkout(&repository, &full(commit), &quiet).unwrap();
        assert_eq!(
            (checkout.left_out[0].path.as_str(), checkout.left_out[0].kind),
            (path, kind)
        );
        assert!(checkout.file(path).is_none());
    }
}

#[test]
fn hostile_names_are_refused() {
    let Some(mut upstream) = Upstream::new("hostile") else {
        return;
    };
    upstream.commit("begin");
    let blob = upstream.blob(b"x");
    let inner = upstream.git_with(
        &["hash-object", "-t", "tree", "--literally", "-w", "--stdin"],
        &[b"100644 evil\0".as_slice(), &blob].concat(),
    );
    let inner: Vec<u8> = (0..20)
        .map(|at| u8::from_str_radix(&inner[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let cases: [(&str, &str, &[u8]); 6] = [
        ("40000", "..", &inner),
        ("40000", ".git", &inner),
        ("100644", "a/b", &blob),
        ("100644", ".GIT", &blob),
        ("100644", "line\nfeed", &blob),
        ("100644", "\u{1b}[31m", &blob),
    ];
    for (number, (mode, name, id)) in cases.into_iter().enumerate() {
        let commit = upstream.raw_tree(&[(mode, name, id)]);
        upstream.git(&["update-ref", &format!("refs/heads/case-{number}"), &commit]);
        let (world, daemon) = (World::new(), upstream.daemon());
        let repository = upstream.at(&daemon.base(), Some(&format!("case-{number}")));
        let error = world
            .sources()
            .checkout(&repository, &full(&commit), &quiet)
            .unwrap_err();
        // git refuses some of them by itself when they come, and we the others.
        assert!(
            matches!(error, SourceError::Tree { .. }) || error.to_string().contains("fsck"),
            "{name:?}: {error}"
        );
    }
}

#[test]
fn trouble_is_met_with_another_try() {
    let Some((upstream, [.., third])) = sample() else {
        return;
    };
    let world = World::new();
    // The first two connections are closed at once.
    let daemon = Daemon::start(upstream.folder.path(), |number| number >= 2);
    let repository = upstream.at(&daemon.base(), Some("main"));
    let newest = CommitChoice::Head(Freshness::Newest);
    assert_eq!(resolve(&world.sources(), &repository, &newest), third);
    assert_eq!(world.pauses().len(), 2);

    let world = World::new();
    let down = Daemon::start(upstream.folder.path(), |_| false);
    let repository = upstream.at(&down.base(), Some("main"));
    let error = world
        .sources()
        .resolve_commit(&repository, &newest, &quiet)
        .unwrap_err();
    assert!(
        matches!(&error, SourceError::Git { action: "fetch", repository, .. } if repository.starts_with("git://")),
        "{error}"
    );
    assert_eq!((down.connections(), world.pauses().len()), (3, 2));

    // Trouble that stays is not tried again.
    let world = World::new();
    let mut absent = upstream.at(&daemon.base(), None);
    absent.package = "absent".to_owned();
    assert!(world.sources().resolve_commit(&absent, &newest, &quiet).is_err());
    assert!(world.pauses().is_empty());

    // A server that says nothing is left.
    let silent = Server::start(|_, answer| answer.wait());
    let repository = upstream.at(&silent.url("").replace("http", "git"), None);
    let impatient = world.with(|settings| {
        settings.git.stall_time = std::time::Duration::from_millis(300);
        settings.git.retry.rounds = 1;
    });
    let error = impatient
        .resolve_commit(&repository, &newest, &quiet)
        .unwrap_err();
    assert!(error.to_string().contains("said nothing for 300ms"), "{error}");
}

#[test]
fn what_a_kill_leaves_does_no_harm() {
    let Some((mut upstream, [first, ..])) = sample() else {
        return;
    };
    let (world, daemon) = (World::new(), upstream.daemon());
    let (sources, repository) = (world.sources(), upstream.at(&daemon.base(), Some("main")));
    sources.checkout(&repository, &full(&first), &quiet).unwrap();
    let clone = clone_of(&world);
    for stale in [
        "config.lock",
        "refs/heads/main.lock",
        "packed-refs.lock",
        "shallow.lock",
        "objects/pack/tmp_pack_x",
    ] {
        std::fs::write(clone.join(stale), b"").unwrap();
    }
    let fourth = upstream.commit("Fourth");
    let found = resolve(&sources, &repository, &CommitChoice::Head(Freshness::Newest));
    assert_eq!(found, fourth);
    assert!(!clone.join("objects/pack/tmp_pack_x").exists() && !clone.join("refs/heads/main.lock").exists());
}

/// Not a test by itself: what `a_killed_fetch_is_waited_for` runs and kills.
#[test]
fn killed() {
    let (Some(cache), Some(base)) = (std::env::var_os("TEST_KILL"), std::env::var("TEST_BASE").ok()) else {
        return;
    };
    let sources = Sources::open(lazuli_source::Settings::new(cache.into())).unwrap();
    let _ = sources.resolve_commit(&bash_at(&base), &CommitChoice::Head(Freshness::Newest), &quiet);
}

fn bash_at(base: &str) -> DistGit {
    DistGit {
        template: UrlTemplate::parse(&format!("{base}/rpms/$pkg/.git"), &[Variable::Package]).unwrap(),
        package: "bash".to_owned(),
        branch: Some("main".to_owned()),
    }
}

/// A run is killed in the middle of a fetch. Its git goes on and holds the lock; when it is gone, the next run fetches.
#[test]
fn a_killed_fetch_is_waited_for() {
    let Some((upstream, [.., third])) = sample() else {
        return;
    };
    let world = World::new();
    let (begun, first) = std::sync::mpsc::channel();
    let (go, may_go) = std::sync::mpsc::channel();
    let folder = upstream.folder.path().to_owned();
    let daemon = Daemon::start(&folder, move |number| {
        if number == 0 {
            begun.send(()).unwrap();
            // Until then the connection is open, and silent.
            let _ = may_go.recv_timeout(std::time::Duration::from_secs(20));
        }
        number > 0
    });
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed"])
        .env("TEST_KILL", world.folder.path().join("cache"))
        .env("TEST_BASE", daemon.base())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    first.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let newest = CommitChoice::Head(Freshness::Newest);
    let impatient = world.with(|settings| settings.git.max_time = std::time::Duration::from_millis(100));
    let error = impatient
        .resolve_commit(&bash_at(&daemon.base()), &newest, &quiet)
        .unwrap_err();
    assert!(
        matches!(error, SourceError::Busy { .. }) && error.hint().is_some(),
        "{error}"
    );
    go.send(()).unwrap();
    assert_eq!(
        resolve(&world.sources(), &bash_at(&daemon.base()), &newest),
        third
    );
}

#[test]
fn a_damaged_clone_is_made_anew() {
    let Some((upstream, [_, second, _, third])) = sample() else {
        return;
    };
    let (world, daemon) = (World::new(), upstream.daemon());
    let (sources, repository) = (world.sources(), upstream.at(&daemon.base(), Some("main")));
    let good = sources.checkout(&repository, &full(&third), &quiet).unwrap();
    let packs = || {
        let folder = clone_of(&world).join("objects/pack");
        let names = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        names
            .filter(|path| path.extension().is_some_and(|end| end == "pack"))
            .collect::<Vec<_>>()
    };
    for pack in packs() {
        let mut bytes = std::fs::read(&pack).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..].fill(0x55);
        std::fs::remove_file(&pack).unwrap();
        std::fs::write(&pack, bytes).unwrap();
    }
    let error = world
        .offline()
        .checkout(&repository, &full(&third), &quiet)
        .unwrap_err();
    assert!(
        matches!(error, SourceError::Git { .. } | SourceError::Offline { .. }),
        "{error}"
    );
    assert_eq!(
        sources.checkout(&repository, &full(&third), &quiet).unwrap(),
        good
    );
    // Gone altogether, while another one was being made.
    let clone = clone_of(&world);
    std::fs::rename(&clone, clone.parent().unwrap().join(".new-stale")).unwrap();
    assert_eq!(
        resolve(&sources, &repository, &before(1_735_689_600 + 2 * 86_400)),
        second
    );
}

#[test]
fn only_allowed_protocols_are_spoken() {
    let Some((upstream, [.., third])) = sample() else {
        return;
    };
    let newest = CommitChoice::Head(Freshness::Newest);
    let world = World::new();
    let local = upstream.at(
        &format!("file://{}", upstream.folder.path().display()),
        Some("main"),
    );
    assert_eq!(resolve(&world.sources(), &local, &newest), third);
    let strict = world.with(|settings| settings.git.protocols = vec!["https".to_owned()]);
    for base in ["file:///x", "ext::sh -c x", "git://h", "/x", "h:x"] {
        let Ok(template) = UrlTemplate::parse(&format!("{base}/$pkg"), &[Variable::Package]) else {
            continue;
        };
        let repository = DistGit {
            template,
            package: "x".to_owned(),
            branch: None,
        };
        let error = strict.resolve_commit(&repository, &newest, &quiet).unwrap_err();
        assert!(matches!(error, SourceError::Address { .. }), "{error}");
    }
    // A redirection from http must not lead to a protocol that was not asked for.
    let base = format!("file://{}", upstream.folder.path().display());
    let server = Server::start(move |asked, answer| {
        answer.whole(302, &[("Location", &format!("{base}{}", asked.path))], b"");
    });
    let error = World::new()
        .sources()
        .resolve_commit(&upstream.at(&server.url(""), Some("main")), &newest, &quiet)
        .unwrap_err();
    assert!(matches!(error, SourceError::Git { .. }), "{error}");
}

#[test]
fn repositories_come_over_http() {
    let Some((upstream, [first, .., third])) = sample() else {
        return;
    };
    let world = World::new();
    let server = smart(upstream.folder.path());
    let repository = upstream.at(&server.url(""), Some("main"));
    let sources = world.sources();
    let checkout = sources.checkout(&repository, &full(&first), &quiet).unwrap();
    assert_eq!(checkout.file("bash.spec").unwrap().content, b"Version: 1\n");
    assert_eq!(objects(&clone_of(&world), "blob"), 2);
    let asked = server.asked().len();
    sources.checkout(&repository, &full(&first), &quiet).unwrap();
    assert_eq!(server.asked().len(), asked);

    // Servers that cannot leave anything out: all comes, and it works all the same.
    upstream.git(&["config", "uploadpack.allowFilter", "false"]);
    let world = World::new();
    let checkout = world
        .sources()
        .checkout(&repository, &full(&first), &quiet)
        .unwrap();
    assert_eq!(checkout.files.len(), 2);
    assert!(objects(&clone_of(&world), "blob") > 2);
    let world = World::new();
    upstream.git(&["update-server-info"]);
    let plain = dumb(upstream.folder.path());
    let repository = upstream.at(&plain.url(""), Some("main"));
    let checkout = world
        .sources()
        .checkout(&repository, &full(&third), &quiet)
        .unwrap();
    assert_eq!(checkout.file("bash.spec").unwrap().content, b"Version: 3\n");

    // One that asks who we are: no one is asked, and no password is shown.
    let world = World::new();
    let closed =
        Server::start(|_, answer| answer.whole(401, &[("WWW-Authenticate", "Basic realm=\"x\"")], b""));
    let base = format!("http://user:secret@{}", closed.address());
    let error = world
        .sources()
        .checkout(&upstream.at(&base, None), &full(&third), &quiet)
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    assert!(world.pauses().is_empty());
    // One that breaks off in the middle.
    let world = World::new();
    let broken = Server::start(|_, answer| {
        answer.head(
            200,
            &[
                ("Content-Type", "application/x-git-upload-pack-advertisement"),
                ("Content-Length", "500"),
            ],
        );
        answer.bytes(b"001e# service=git-upload-pack\n0000");
    });
    let repository = upstream.at(&broken.url(""), Some("main"));
    let error = world
        .sources()
        .checkout(&repository, &full(&third), &quiet)
        .unwrap_err();
    assert!(matches!(error, SourceError::Git { .. }), "{error}");
    assert_eq!(world.pauses().len(), 2);
}

/// Not a test by itself: what `the_environment_does_no_harm` runs.
#[test]
fn in_a_hostile_environment() {
    let (Some(cache), Some(base)) = (std::env::var_os("TEST_CACHE"), std::env::var("TEST_BASE").ok()) else {
        return;
    };
    let sources = Sources::open(lazuli_source::Settings::new(cache.into())).unwrap();
    let repository = bash_at(&base);
    let commit = sources
        .resolve_commit(&repository, &CommitChoice::Head(Freshness::Newest), &quiet)
        .unwrap();
    sources.checkout(&repository, &commit.commit, &quiet).unwrap();
}

#[test]
fn the_environment_does_no_harm() {
    let Some((upstream, _)) = sample() else { return };
    let (world, daemon) = (World::new(), upstream.daemon());
    let home = tempfile::tempdir().unwrap();
    let trap = home.path().join("trap");
    let hooks = home.path().join("hooks");
    std::fs::create_dir(&hooks).unwrap();
    let script = hooks.join("reference-transaction");
    std::fs::write(&script, format!("#!/bin/sh\ntouch {}\n", trap.display())).unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let configuration = format!(
        "[core]\n hooksPath = {}\n fsmonitor = {}\n[url \"ext::touch {} #\"]\n insteadOf = git://\n[protocol]\n allow = always\n",
        hooks.display(),
        script.display(),
        trap.display()
    );
    std::fs::write(home.path().join(".gitconfig"), &configuration).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_hostile_environment"])
        .env("TEST_CACHE", world.folder.path().join("cache"))
        .env("TEST_BASE", daemon.base())
        .env("HOME", home.path())
        .env("GIT_CONFIG_SYSTEM", home.path().join(".gitconfig"))
        .env("GIT_CONFIG_GLOBAL", home.path().join(".gitconfig"))
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "core.hooksPath")
        .env("GIT_CONFIG_VALUE_0", &hooks)
        .env("GIT_DIR", "/nonexistent")
        .env("GIT_OBJECT_DIRECTORY", "/nonexistent")
        .env("GIT_TEMPLATE_DIR", "/nonexistent")
        .env("GIT_PROXY_COMMAND", &script)
        .env("GIT_ALLOW_PROTOCOL", "ext")
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    assert!(!trap.exists());
}

#[test]
fn a_package_comes_with_its_sources() {
    let Some(mut upstream) = Upstream::new("bash") else {
        return;
    };
    let (one, two) = (content(5000), b"old".to_vec());
    let md5 = lazuli_source::Digest::of(lazuli_source::HashAlgorithm::Md5, &two);
    let listed = format!(
        "SHA512 (one.tar.gz) = {}\n{}  two.zip\n",
        sha512(&one).hex(),
        md5.hex()
    );
    upstream
        .write("bash.spec", b"x")
        .write("sources", listed.as_bytes());
    let commit = upstream.commit("with sources");
    let (world, daemon) = (World::new(), upstream.daemon());
    let (first, second) = (one.clone(), two.clone());
    let first_path = format!("/bash/one.tar.gz/sha512/{}/one.tar.gz", sha512(&one).hex());
    let second_path = format!("/bash/two.zip/md5/{}/two.zip", md5.hex());
    let lookaside = Server::start(move |asked, answer| match &asked.path {
        path if *path == first_path => answer.content(asked, &first, "\"1\""),
        path if *path == second_path => answer.content(asked, &second, "\"2\""),
        _ => answer.whole(404, &[], b""),
    });
    let all = [
        Variable::Package,
        Variable::FileName,
        Variable::HashType,
        Variable::Hash,
    ];
    let template = |base: &str| {
        UrlTemplate::parse(
            &format!("{base}/$pkg/$filename/$hashtype/${{hash}}/$filename"),
            &all,
        )
        .unwrap()
    };
    let down = Server::start(|_, answer| answer.whole(404, &[], b""));
    let repository = upstream.at(&daemon.base(), Some("main"));
    let request = Request::DistGit {
        repository: repository.clone(),
        commit: pinned(&commit),
        lookaside: vec![template(&down.url("")), template(&lookaside.url(""))],
    };
    // Twice the same and something that fails, at once; then without a network.
    let mut absent = repository.clone();
    absent.package = "absent".to_owned();
    let failing = Request::Checkout {
        repository: absent,
        commit: CommitChoice::Head(Freshness::Newest),
    };
    let sources = world.sources();
    let requests = [request.clone(), failing, request.clone()];
    let results = sources.fetch_all(&requests, &quiet);
    assert!(results[1].is_err());
    let mut connections = None;
    for results in [results, world.offline().fetch_all(&requests[..1], &quiet)] {
        let Ok(Fetched::Checkout {
            checkout,
            sources: files,
        }) = &results[0]
        else {
            panic!("{results:?}")
        };
        assert_eq!(checkout.commit.as_str(), commit);
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["one.tar.gz", "two.zip"]);
        assert_eq!(sources.read(&files[0].file).unwrap(), one);
        assert_eq!(sources.read(&files[1].file).unwrap(), two);
        let now = (daemon.connections(), lookaside.asked().len());
        assert_eq!(now.1, 2);
        assert_eq!(*connections.get_or_insert(now), now);
    }
    let none = LookasideRequest {
        templates: Vec::new(),
        package: "bash".to_owned(),
        entry: lazuli_source::parse_sources(listed.as_bytes()).unwrap()[0].clone(),
    };
    let error = sources.lookaside(&none, &quiet).unwrap_err();
    assert!(error.to_string().contains("lookaside-base-uri"), "{error}");
}
