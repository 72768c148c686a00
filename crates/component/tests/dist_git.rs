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
    let last = repo.commit("Three", 3);

    let mut settings = Settings::new(folder.join("cache"));
    settings.git.protocols.push("file".to_owned());
    let sources = Sources::open(settings).unwrap();
    let provider = DistGitProvider {
        sources: &sources,
        archive: None,
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
    assert_eq!(one.files().len(), 4);
    assert_eq!(
        provider.history(&package, &last).unwrap(),
        mirror.history(&package, &last).unwrap()
    );

    package.dist_git = None;
    let error = provider.resolve(&package, &CommitChoice::Newest).unwrap_err();
    assert_eq!(error.to_string(), "distribution `up` has no `dist-git-base-uri`");
}
