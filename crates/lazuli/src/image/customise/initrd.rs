//! What an image's definition adds to its initrd: files of packages, files by glob, files of its own, enabled units.
//!
//! All is chosen here, from the tree of the image, so that the engine gets paths and entries and nothing to look up.

use super::units::{TreeUnits, explain};
use super::{Editor, files, missing};
use crate::failure::{Kind, OrFail, Result};
use crate::image::root::PackagePaths;
use lazuli_catalog::value::{PathGlob, PathMatcher};
use lazuli_catalog::{InitrdSpec, ResolvedImage, UnitName, nearest};
use lazuli_disk::{Entry, Tree, TreePath};
use lazuli_image::View;
use lazuli_image::initrd::InitrdSettings;
use lazuli_transaction::links_of_enabling;
use std::collections::BTreeSet;

/// Where packages have their units.
const UNITS: &str = "usr/lib/systemd/system";

/// The settings of the initrd of `tree`; `packages` has the files of the packages that it names.
pub fn settings(
    image: &ResolvedImage,
    packages: &PackagePaths,
    tree: &Tree,
    time: u64,
) -> Result<InitrdSettings> {
    let time = i64::try_from(time).or_fail(Kind::Project)?;
    let mut settings = InitrdSettings::new(time);
    if !image.initrd.modules.is_empty() {
        settings.modules.clone_from(&image.initrd.modules);
    }
    apply(&mut settings, &image.initrd, packages, tree, time)
        .map_err(|failure| failure.context(format!("the initrd of the image `{}`", image.name)))?;
    Ok(settings)
}

fn apply(
    settings: &mut InitrdSettings,
    initrd: &InitrdSpec,
    packages: &PackagePaths,
    tree: &Tree,
    time: i64,
) -> Result<()> {
    let view = View::new(tree);
    let excluded = PathMatcher::new(&initrd.exclude_files);
    let mut chosen = BTreeSet::new();
    for package in &initrd.packages {
        let paths = packages
            .get(package.as_str())
            .ok_or_else(|| missing(&format!("package `{package}`"), None).hint("add it to `packages`"))?;
        for path in paths {
            // What the image leaves out can't be here either.
            let is_there = view.find(path)?.is_some() || tree.get(&TreePath::new(path)?).is_some();
            if is_there && !excluded.matches(path) {
                chosen.insert(path.clone());
            }
        }
    }
    for glob in &initrd.include_files {
        let found = included(&view, glob)?;
        chosen.extend(found.into_iter().filter(|path| !excluded.matches(path)));
    }
    settings.own = files(&view, &initrd.files, time)?;
    let units = units(tree, &chosen, &settings.own, time)?;
    for unit in &initrd.enable_units {
        enable(settings, &units, unit, &mut chosen, time)?;
    }
    settings.extra_files = chosen.into_iter().collect();
    Ok(())
}

/// The files that a glob means: at least one. One that is a plain path may pass links.
fn included(view: &View<'_>, glob: &PathGlob) -> Result<Vec<String>> {
    let is_file = |entry: &Entry| !entry.is_directory();
    if view.find(glob.as_str())?.is_some_and(is_file) {
        return Ok(vec![glob.to_string()]);
    }
    let matcher = PathMatcher::new([glob]);
    let all = || view.tree().entries().iter().filter(|entry| !entry.is_directory());
    let paths = || all().map(|entry| entry.path.to_string());
    let found: Vec<String> = paths().filter(|path| matcher.matches(path)).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let known: Vec<String> = paths().collect();
    let near = nearest(glob.as_str(), known.iter().map(String::as_str));
    Err(missing(&format!("file `{glob}`"), near))
}

/// The units that can be enabled: those of packages, those that go in, and the initrd's own. What the image enables and
/// masks is of no matter here.
fn units(tree: &Tree, chosen: &BTreeSet<String>, own: &[Entry], time: i64) -> Result<Tree> {
    let folder = TreePath::new(UNITS)?;
    let mut editor = Editor::new(Tree::builder().finish()?, time);
    for entry in tree.entries() {
        if entry.path.is_within(&folder) || chosen.contains(&entry.path.to_string()) {
            editor.builder.replace(entry.clone());
        }
    }
    for entry in own {
        editor.builder.replace(entry.clone());
    }
    editor.builder.finish().or_fail(Kind::Project)
}

/// Enables a unit: its links are the initrd's own, and the files that they lead to go in.
fn enable(
    settings: &mut InitrdSettings,
    units: &Tree,
    unit: &UnitName,
    chosen: &mut BTreeSet<String>,
    time: i64,
) -> Result<()> {
    let files = TreeUnits(View::new(units));
    let links = links_of_enabling(&files, unit.as_str()).map_err(|error| explain(&files, error))?;
    for (path, target) in links {
        settings.own.push(Entry::symlink(&path, &target)?.at(time));
        let place = TreePath::new(&target)?;
        if !settings.own.iter().any(|entry| entry.path == place) {
            chosen.insert(target);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::{Bench, TIME};
    use super::*;

    fn settings_of(initrd: &str) -> Result<InitrdSettings> {
        let bench = Bench::new();
        let image = bench.image(&format!(
            "initrd = {{ {initrd} }}\nexclude-files = [\"/usr/share/zoneinfo/UTC\"]"
        ));
        let tree = super::super::tree(&bench.root(), &image, TIME).unwrap();
        let paths = |paths: &[&str]| paths.iter().map(ToString::to_string).collect();
        let packages = PackagePaths::from([
            (
                "tzdata".to_owned(),
                paths(&[
                    "/usr/share/zoneinfo",
                    "/usr/share/zoneinfo/Berlin",
                    "/usr/share/zoneinfo/Europe/Berlin",
                    "/usr/share/zoneinfo/UTC",
                ]),
            ),
            ("web".to_owned(), paths(&["/usr/lib/systemd/system/web.service"])),
        ]);
        settings(&image, &packages, &tree, TIME)
    }

    /// Paths of the image, then what is the initrd's own.
    fn check(initrd: &str, expected: &str) {
        let settings = settings_of(initrd).unwrap();
        let mut text = String::new();
        for path in &settings.extra_files {
            text += &format!("{path}\n");
        }
        for entry in &settings.own {
            let kind = match &entry.kind {
                lazuli_disk::Kind::Symlink(target) => format!("-> {}", String::from_utf8_lossy(target)),
                _ => format!("{:o} {}:{}", entry.mode, entry.uid, entry.gid),
            };
            text += &format!("own {} {kind}\n", entry.path);
        }
        assert_eq!(text, expected, "{initrd}");
    }

    fn check_error(initrd: &str, expected: &str) {
        let error = settings_of(initrd).unwrap_err().to_string();
        let lines: Vec<&str> = error.lines().skip(1).map(str::trim).collect();
        assert_eq!(lines.join(" | "), expected, "{initrd}: {error}");
    }

    #[test]
    fn packages_and_globs_less_what_is_excluded() {
        check(
            "packages = [\"tzdata\"]",
            "/usr/share/zoneinfo\n/usr/share/zoneinfo/Berlin\n/usr/share/zoneinfo/Europe/Berlin\n",
        );
        check(
            "packages = [\"tzdata\"], exclude-files = [\"/usr/share/zoneinfo/E*\"]",
            "/usr/share/zoneinfo\n/usr/share/zoneinfo/Berlin\n",
        );
        check(
            "include-files = [\"/usr/**/web.*\", \"/etc/passwd\"], exclude-files = [\"/**/*.socket\"]",
            "/etc/passwd\n/usr/lib/systemd/system/web.service\n",
        );
        check_error(
            "packages = [\"tsdata\"]",
            "because: there is no package `tsdata` in the image | hint: add it to `packages`",
        );
        check_error(
            "include-files = [\"/etc/passwt\"]",
            "because: there is no file `/etc/passwt` in the image | hint: did you mean `/etc/passwd`?",
        );
    }

    #[test]
    fn files_of_its_own() {
        check(
            "files = [{ path = \"/etc/a\", content = \"a\", mode = \"0640\", owner = \"web\", group = \"keys\" }]",
            "own /etc/a 640 81:120\n",
        );
    }

    #[test]
    fn units_are_enabled_with_their_files() {
        check(
            "enable-units = [\"web.service\"]",
            "/usr/lib/systemd/system/web.service\n/usr/lib/systemd/system/web.socket\n\
             own /etc/systemd/system/http.service -> /usr/lib/systemd/system/web.service\n\
             own /etc/systemd/system/multi-user.target.wants/web.service -> /usr/lib/systemd/system/web.service\n\
             own /etc/systemd/system/sockets.target.wants/web.socket -> /usr/lib/systemd/system/web.socket\n",
        );
        check(
            "files = [{ path = \"/etc/systemd/system/own.service\", content = \"[Install]\\nWantedBy=initrd.target\\n\" }], \
             enable-units = [\"own.service\"]",
            "own /etc/systemd/system/own.service 644 0:0\n\
             own /etc/systemd/system/initrd.target.wants/own.service -> /etc/systemd/system/own.service\n",
        );
        check_error(
            "enable-units = [\"wbe.service\"]",
            "because: there is no unit `wbe.service` in the image | hint: did you mean `web.service`?",
        );
    }
}
