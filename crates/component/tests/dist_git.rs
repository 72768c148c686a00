//! The provider over dist-git gives what a mirror on the disk gives.
#![allow(clippy::unwrap_used)]

mod support;

use lazuli_component::{CommitChoice, DistGitProvider, LocalMirror, SourceProvider, UpstreamPackage};
use lazuli_source::{Freshness, Settings, Sources};
use support::{Repo, spec};

#[test]
fn dist_git_and_a_mirror_agree() {
    let keep = tempfile::tempdir().unwrap();
    let folder = keep.path().canonicalize().unwrap();
    let repo = Repo::init(&folder.join("rpms/hello"));
    repo.write("hello.spec", spec("1.0", "%autorelease", "%autochangelog\n"));
    repo.write(
        "changelog",
        "* Wed Dec 31 2025 Old <old@x.example> 0.8-1\n- Old\n",
    );
    repo.write("tests/run.sh", "#!/bin/sh\n");
    repo.write(".gitignore", "/x\n");
    let first = repo.commit("One\n\n- with a body", 1);
    repo.write("other", "x");
    repo.commit("Two", 2);
    repo.write("hello.spec", spec("2.0", "%autorelease", "%autochangelog\n"));
    repo.commit("Three", 3);
    // A branch whose spec a merge takes, and one that a merge leaves behind.
    for (day, branch, strategy) in [(4, "taken", "-Xtheirs"), (8, "left", "-sours")] {
        repo.git(&["checkout", "-q", "-b", branch], day);
        repo.write(
            "hello.spec",
            spec(&format!("{day}.0"), "%autorelease", "%autochangelog\n"),
        );
        repo.commit(&format!("{branch} one"), day);
        repo.write("changelog", format!("* {branch}\n"));
        repo.commit(&format!("{branch} two"), day + 1);
        repo.git(&["checkout", "-q", "main"], day);
        repo.write("only-main", branch);
        repo.commit("main goes on", day + 2);
        repo.git(
            &["merge", "-q", "--no-ff", "-m", "merge", strategy, branch],
            day + 3,
        );
    }
    let last = repo.git(&["rev-parse", "HEAD"], 12);

    let mut settings = Settings::new(folder.join("cache"));
    settings.git.protocols.push("file".to_owned());
    let sources = Sources::open(settings).unwrap();
    let provider = DistGitProvider {
        sources: &sources,
        archive: None,
        scripts: None,
        freshness: Freshness::Newest,
        progress: &|_| {},
    };
    let mirror = LocalMirror {
        repositories: folder.join("rpms"),
        lookaside: folder.join("none"),
    };
    let mut package = UpstreamPackage {
        distro: "up".to_owned(),
        version: "43".to_owned(),
        name: "hello".to_owned(),
        dist_git: Some(format!("file://{}/rpms/$pkg", folder.display())),
        branch: Some("main".to_owned()),
        lookaside: None,
    };
    let snapshot = lazuli_catalog::Timestamp::from_unix(support::START + 2 * support::DAY);
    for choice in [
        CommitChoice::Newest,
        CommitChoice::Pinned(first[..10].to_owned()),
        CommitChoice::Before(snapshot),
    ] {
        let found = provider.resolve(&package, &choice).unwrap();
        assert_eq!(found, mirror.resolve(&package, &choice).unwrap(), "{choice:?}");
    }
    let (one, two) = (
        provider.checkout(&package, &last).unwrap(),
        mirror.checkout(&package, &last).unwrap(),
    );
    assert!(one.changes(&two).is_empty(), "{:?}", one.changes(&two));
    assert_eq!(one.files().len(), 5);
    let line = provider.history(&package, &last).unwrap();
    assert_eq!(line, mirror.history(&package, &last).unwrap());
    // The first merge took the spec of its branch, the second one did not.
    let messages: Vec<&str> = line.iter().map(|commit| commit.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "merge",
            "main goes on",
            "merge",
            "taken two",
            "taken one",
            "Three",
            "Two",
            "One\n\n- with a body"
        ]
    );

    package.dist_git = None;
    let error = provider.resolve(&package, &CommitChoice::Newest).unwrap_err();
    assert_eq!(error.to_string(), "distribution `up` has no `dist-git-base-uri`");
}
