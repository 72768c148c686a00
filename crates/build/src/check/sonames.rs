//! Libraries that come and go between two builds of a component.

use super::finding::{Finding, FindingKind, Severity};
use super::{is_debug, is_source};
use crate::BuildJob;
use lazuli_rpm::Metadata;
use std::collections::{BTreeMap, BTreeSet};

/// Compares with the previous build; where there is none, there is nothing to say.
pub(super) fn compare(job: &BuildJob, previous: &[Metadata], packages: &[Metadata]) -> Vec<Finding> {
    if previous.is_empty() {
        return Vec::new();
    }
    let (old, new) = (sonames(previous), sonames(packages));
    let finding = |severity, package: &str, kind| Finding {
        severity,
        package: package.to_owned(),
        path: None,
        kind,
    };
    let mut findings = Vec::new();
    for (soname, package) in &old {
        if !new.contains_key(soname) && !job.allowances.lost_sonames.contains(*soname) {
            let soname = (*soname).to_owned();
            findings.push(finding(
                Severity::Error,
                package,
                FindingKind::LostSoname { soname },
            ));
        }
    }
    for (soname, package) in &new {
        if !old.contains_key(soname) {
            let soname = (*soname).to_owned();
            findings.push(finding(
                Severity::Note,
                package,
                FindingKind::NewSoname { soname },
            ));
        }
    }
    let names: BTreeSet<&str> = packages.iter().map(|m| m.nevra.name.as_str()).collect();
    let lost = previous
        .iter()
        .filter(|metadata| !is_source(metadata) && !names.contains(metadata.nevra.name.as_str()));
    findings.extend(lost.map(|m| finding(Severity::Warning, &m.nevra.name, FindingKind::LostPackage)));
    findings
}

/// The sonames that packages provide, as `elfdeps` writes them: `libz.so.1()(64bit)`, `libz.so.1(ZLIB_1.2)(64bit)`.
fn sonames(packages: &[Metadata]) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    for metadata in packages {
        if is_source(metadata) || is_debug(&metadata.nevra.name) {
            continue;
        }
        for provide in &metadata.provides {
            let Some((name, _)) = provide.name.split_once('(') else {
                continue;
            };
            if name.contains(".so") && !name.contains('/') {
                found.insert(name, metadata.nevra.name.as_str());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use lazuli_rpm::{Dependency, Evr, Nevra};

    fn library(name: &str, soname: &str) -> Metadata {
        let mut metadata = Metadata::new(Nevra {
            name: name.to_owned(),
            evr: Evr::new(0, "1", "1"),
            arch: "x86_64".to_owned(),
        });
        metadata.provides = vec![
            Dependency::any(format!("{soname}()(64bit)")),
            Dependency::any(format!("{soname}(V_1)(64bit)")),
            Dependency::any(format!("pkgconfig({name})")),
        ];
        metadata
    }

    #[test]
    fn a_changed_soname_needs_a_word() {
        let mut job = crate::job::tests::job();
        let old = [library("libx1", "libx.so.1"), library("plugin", "p.so")];
        let new = [library("libx2", "libx.so.2"), library("plugin", "p.so")];
        let lines = |job: &BuildJob, old: &[Metadata]| {
            let found = compare(job, old, &new);
            found
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        };
        expect![[r#"
            error: libx1: the previous build had the library libx.so.1: what needs it will not install
            note: libx2: the library libx.so.2 is new
            warning: libx1: the package was expected, and did not come out"#]]
        .assert_eq(&lines(&job, &old));
        assert_eq!(lines(&job, &[]), "");
        job.allowances.lost_sonames.insert("libx.so.1".to_owned());
        assert!(!lines(&job, &old).contains("error"));
    }
}
