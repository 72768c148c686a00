//! The distribution's own packages, for tests that build on them.

use super::hello;
use lazuli_build::{BuildJob, InputFile, Limits, Macros, Origin, Stock, package_record};
use lazuli_catalog::Catalog;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// The repositories, unless the project has none: `out` of the project, or of the one that is named.
pub(crate) fn repositories() -> Option<[PathBuf; 2]> {
    let out = std::env::var_os("LAZULI_TEST_OUT").map_or_else(|| project().join("out"), PathBuf::from);
    let found = ["repo/2/x86_64", "repo-build/2/x86_64"].map(|path| out.join(path));
    if found.iter().all(|folder| folder.join("repodata").is_dir()) {
        return Some(found);
    }
    eprintln!(
        "SKIPPED: no repositories in {}; `lazuli import --buildroot` makes them",
        out.display()
    );
    None
}

pub(crate) fn stock(repositories: &[PathBuf]) -> Stock {
    let mut stock = Stock::new("x86_64");
    for folder in repositories {
        let names = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names = names.filter(|name| name.ends_with(".rpm"));
        let records = names
            .map(|name| package_record(&folder.join(&name), &name).unwrap())
            .collect();
        stock.add(Origin::Imported, folder, records);
    }
    stock
}

/// The list of the base, from the project itself.
pub(crate) fn base_names() -> Vec<String> {
    let catalog = Catalog::load(&project().join("distro")).unwrap();
    let version = "2".parse().unwrap();
    let distro = catalog.distro(Some(&version)).unwrap();
    distro.buildroot.iter().map(ToString::to_string).collect()
}

/// As the distribution builds it: with its macros, and packages of debug information.
pub(crate) fn job() -> BuildJob {
    let spec = include_str!("../data/hello.spec")
        .replace("gcc -O2 -g", "gcc %{optflags} %{build_ldflags}")
        .replace("%{buildroot}/usr/lib/", "%{buildroot}%{_libdir}/")
        .replace("\n/usr/lib/", "\n%{_libdir}/");
    let mut job = hello();
    job.spec = InputFile::bytes("hello.spec", spec);
    job.macros = Macros::default();
    job.limits = Limits {
        processors: 2,
        timeout: Duration::from_secs(300),
        ..Limits::default()
    };
    job
}
