//! What a build takes: the rendered spec, and all that it names, from wherever it comes.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../source/tests/registry/mod.rs"]
mod registry;
#[path = "../../source/tests/source_archive/mod.rs"]
mod source_archive;
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use lazuli_catalog::Sha256Digest;
use lazuli_component::{BuildInputs, Content, DistGitProvider, InputsError, Mode, UpdateError};
use lazuli_source::{DebianArchiveSettings, Freshness, Settings, Sources};
use registry::Registry;
use source_archive::Archive;
use support::{CONFIG, Project, has};

fn names(inputs: &BuildInputs) -> Vec<&str> {
    inputs.files.iter().map(|file| file.name.as_str()).collect()
}

fn provider<'a>(sources: &'a Sources, archive: Option<&'a DebianArchiveSettings>) -> DistGitProvider<'a> {
    DistGitProvider {
        sources,
        archive,
        scripts: None,
        freshness: Freshness::Newest,
        progress: &|_| {},
    }
}

/// A project with `local`, whose spec lies in it and names `sources`.
fn local(sources: &str, source_files: &str) -> Project {
    let config = CONFIG.replace(
        "[components.hello]\n",
        &format!(
            "[components.local]\nspec = {{ type = \"local\", path = \"local/local.spec\" }}\n{source_files}"
        ),
    );
    let project = Project::new(&config);
    project.repo.write(
        "local/local.spec",
        format!(
            "Name: local\nVersion: 2.10\nRelease: 100\nSummary: Local\nLicense: MIT\nBuildArch: noarch\n{sources}\n\
             %description\nLocal.\n\n%prep\n%build\n%install\n\n%files\n"
        ),
    );
    project.repo.write("local/own.patch", "--- a/x\n+++ b/x\n");
    project.repo.write("local/notes.txt", "nobody names this\n");
    project
}

fn set(project: &Project, from: &str, to: &str) {
    let text = project.repo.read("lazuli.toml");
    assert!(text.contains(from), "{from} in {text}");
    project.repo.write("lazuli.toml", text.replacen(from, to, 1));
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

const DEBIAN: &str = "source-files = [{ filename = \"hello-2.10.tar.gz\", HASH origin = { type = \"debian-source\", \
                      package = \"hello\", archive-filename = \"hello_2.10.orig.tar.gz\" } }]\n";

#[test]
fn a_local_spec_is_built_from_the_tarball_of_a_source_package() {
    let Some(archive) = Archive::new() else { return };
    archive.package("hello", "2.10", Some("3")).publish();
    let keep = tempfile::tempdir().unwrap();
    let sources = Sources::open(Settings::new(keep.path().join("cache"))).unwrap();
    let settings = archive.settings(&archive.address(), &keep.path().join("lists"));
    let provider = provider(&sources, Some(&settings));
    let project = local(
        "Source0: https://example.org/hello-%{version}.tar.gz\nPatch0: own.patch",
        &DEBIAN.replace("HASH", ""),
    );

    // Without a digest nothing is locked, but it is said what it would be.
    let orig = read(&archive.pool().join("hello_2.10.orig.tar.gz"));
    let digest = Sha256Digest::of(&orig).to_string();
    let error = project
        .try_update_from(&provider, "local", 1, |_| {})
        .unwrap_err();
    assert!(matches!(&error, UpdateError::NoHash { .. }), "{error}");
    assert_eq!(
        error.help().unwrap(),
        format!(
            "if these are the right files, add\n  hello-2.10.tar.gz: hash-type = \"SHA256\", hash = \"{digest}\""
        )
    );
    let hash = |digest: &str| format!("hash = \"{digest}\", hash-type = \"SHA256\", origin");
    set(&project, " origin", &format!(" {}", hash(&digest)));
    project.try_update_from(&provider, "local", 2, |_| {}).unwrap();

    // The folder that is kept under git has the spec and what lies beside it; the tarball is named by its digest.
    let written = project.render("local", Mode::Write);
    // The import is a change of its own.
    assert_eq!(written.evr, "2.10-101");
    assert_eq!(
        project.repo.read("specs/l/local/sources"),
        format!("SHA256 (hello-2.10.tar.gz) = {digest}\n")
    );
    assert!(!project.repo.folder.join("specs/l/local/notes.txt").exists());

    // The builder gets all of it.
    let inputs = project.build_inputs(&provider, "local").unwrap();
    assert_eq!(names(&inputs), ["hello-2.10.tar.gz", "own.patch"]);
    assert_eq!(inputs.evr, "2.10-101");
    assert_eq!(inputs.spec.name.as_str(), "local.spec");
    assert_eq!(
        String::from_utf8_lossy(&inputs.spec.content.read().unwrap()),
        project.repo.read("specs/l/local/local.spec")
    );
    let tarball = &inputs.files[0];
    assert!(
        matches!(&tarball.content, Content::Stored(file) if file.sha256 == tarball.sha256),
        "it stays in the store"
    );
    assert_eq!(
        (tarball.sha256.as_str(), &*tarball.content.read().unwrap()),
        (digest.as_str(), &orig[..])
    );

    // rpm makes a source package of it.
    let folder = keep.path().join("inputs");
    let spec = inputs.write(&folder).unwrap();
    if has("rpmbuild") {
        let defined = |name: &str| format!("{name} {}", folder.display());
        let output = Command::new("rpmbuild")
            .args([
                "-bs",
                "--define",
                &defined("_sourcedir"),
                "--define",
                &defined("_srcrpmdir"),
            ])
            .arg(&spec)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(folder.join("local-2.10-101.src.rpm").is_file());
    }

    // Another digest is refused, and what the archive has is named.
    set(&project, &digest, &"0".repeat(64));
    project.try_update_from(&provider, "local", 3, |_| {}).unwrap();
    let error = project.build_inputs(&provider, "local").unwrap_err();
    let InputsError::Render(inner) = &error else {
        panic!("{error}")
    };
    let cause = std::error::Error::source(inner).unwrap().to_string();
    assert!(
        cause.contains(&format!(
            "hello_2.10.orig.tar.gz (sha256 {digest}) of version 2.10-3"
        )),
        "{cause}"
    );
    assert!(error.help().unwrap().contains("take one of these files"));
}

#[test]
fn a_version_of_the_distribution_without_an_archive_is_told_so() {
    let keep = tempfile::tempdir().unwrap();
    let sources = Sources::open(Settings::new(keep.path().join("cache"))).unwrap();
    let project = local("Source0: hello-2.10.tar.gz", &DEBIAN.replace("HASH", ""));
    let error = project
        .try_update_from(&provider(&sources, None), "local", 1, |_| {})
        .unwrap_err();
    let text = format!("{:?}", error);
    assert!(text.contains("no Debian archive as its `upstream`"), "{text}");
}

#[test]
fn a_crate_gives_two_source_files() {
    let Some(registry) = Registry::new() else { return };
    registry.add("inner", "1.2.0", &[], &[]);
    registry.add(
        "tool",
        "0.3.1",
        &[("inner", "1")],
        &[("src/main.rs", "fn main() {}\n")],
    );
    let keep = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(keep.path().join("cache"));
    settings.cargo.environment = registry.environment();
    let sources = Sources::open(settings).unwrap();
    let provider = provider(&sources, None);
    let origin =
        |part: &str| format!("origin = {{ type = \"crate\", name = \"tool\", version = \"0.3.1\"{part} }}");
    let project = local(
        "Source0: tool-0.3.1.tar.gz\nSource1: tool-0.3.1-vendor.tar.zst\nPatch0: own.patch",
        &format!(
            "source-files = [\n{{ filename = \"tool-0.3.1.tar.gz\", {} }},\n\
             {{ filename = \"tool-0.3.1-vendor.tar.zst\", {} }},\n]\n",
            origin(""),
            origin(", part = \"vendor\"")
        ),
    );
    let error = project
        .try_update_from(&provider, "local", 1, |_| {})
        .unwrap_err();
    let UpdateError::NoHash { found, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(found.len(), 2);
    for (file, digest) in found {
        set(
            &project,
            &format!("\"{file}\", origin"),
            &format!("\"{file}\", hash = \"{digest}\", hash-type = \"SHA256\", origin"),
        );
    }
    project.try_update_from(&provider, "local", 2, |_| {}).unwrap();
    let inputs = project.build_inputs(&provider, "local").unwrap();
    assert_eq!(
        names(&inputs),
        ["own.patch", "tool-0.3.1-vendor.tar.zst", "tool-0.3.1.tar.gz"]
    );
    // What is in them, by tar.
    let folder = keep.path().join("inputs");
    inputs.write(&folder).unwrap();
    let members = |file: &str| {
        let output = Command::new("tar")
            .arg("-tf")
            .arg(folder.join(file))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(members("tool-0.3.1.tar.gz").contains("tool-0.3.1/src/main.rs\n"));
    assert!(members("tool-0.3.1-vendor.tar.zst").contains("vendor/inner-1.2.0/src/lib.rs\n"));

    // Another store makes the same bytes of the same registry; another digest is refused.
    let mut settings = Settings::new(keep.path().join("other"));
    settings.cargo.environment = registry.environment();
    let others = Sources::open(settings).unwrap();
    let again = project
        .build_inputs(&self::provider(&others, None), "local")
        .unwrap();
    assert_eq!(again.files[1].sha256, inputs.files[1].sha256);
    set(&project, found[0].1.as_str(), &"1".repeat(64));
    project.try_update_from(&provider, "local", 3, |_| {}).unwrap();
    let error = project.build_inputs(&provider, "local").unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("but 1111") || text.contains("1111"), "{text}");
}

#[test]
fn every_name_of_a_spec_has_a_file() {
    let project = local("Source0: absent.tar.gz\nPatch0: own.patch", "");
    project.update("local", 1);
    let error = project.build_inputs(&project.mirror, "local").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the spec of `local` names `absent.tar.gz`, and nothing says where that is"
    );
    assert!(
        error
            .help()
            .unwrap()
            .contains("[[components.local.source-files]]")
    );
}

#[test]
fn an_upstream_gives_what_its_lookaside_cache_has_and_what_overlays_made_of_it() {
    let config = format!(
        "{CONFIG}source-files = [{{ filename = \"more.bin\", hash = \"MORE\", hash-type = \"SHA256\", \
         origin = {{ type = \"download\", uri = \"https://more.example/more.bin\" }} }}]\n\
         [[components.hello.overlays]]\ntype = \"spec-add-tag\"\ntag = \"Source7\"\nvalue = \"more.bin\"\n"
    );
    let more = b"more";
    let project = Project::new(&config.replace("MORE", Sha256Digest::of(more).as_str()));
    let upstream = project.upstream("hello");
    upstream.write("hello.spec", support::spec("1.0", "1", ""));
    upstream.write("fix.patch", "--- a\n+++ b\n");
    upstream.write("hello-aarch64.conf", "for another architecture\n");
    upstream.write("unused.txt", "x\n");
    let tarball = b"a tarball";
    let digest = Sha256Digest::of(tarball);
    upstream.write("sources", format!("SHA256 (hello-1.0.tar.gz) = {digest}\n"));
    upstream.commit("Import", 0);
    fs::write(project.mirror.lookaside.join("hello-1.0.tar.gz"), tarball).unwrap();
    fs::write(project.mirror.lookaside.join("more.bin"), more).unwrap();
    project.update("hello", 1);
    let inputs = project.build_inputs(&project.mirror, "hello").unwrap();
    assert_eq!(
        names(&inputs),
        ["fix.patch", "hello-1.0.tar.gz", "hello-aarch64.conf", "more.bin"]
    );
    assert_eq!(inputs.files[1].sha256, digest);
    fs::write(project.mirror.lookaside.join("hello-1.0.tar.gz"), "another").unwrap();
    assert!(project.build_inputs(&project.mirror, "hello").is_err());
}
