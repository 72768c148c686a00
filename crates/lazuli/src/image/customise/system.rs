//! Time zone, locale, keyboard and target of the installed system.

use super::{Editor, missing};
use crate::failure::{Failure, Kind, OrFail, Result};
use lazuli_catalog::value::{Keymap, Locale, TimeZone};
use lazuli_catalog::{SystemSettings, UnitName, nearest};
use lazuli_disk::{Entry, Kind as EntryKind, Tree};
use lazuli_image::View;
use std::collections::BTreeSet;

/// Where time zones are, tzfile(5).
const ZONES: &str = "usr/share/zoneinfo";
/// Folders of compiled locales, and the archive of them: localedef(1).
const LOCALES: &str = "/usr/lib/locale";
const LOCALE_ARCHIVE: &str = "/usr/lib/locale/locale-archive";
/// Where keyboard layouts of the console are, vconsole.conf(5).
const KEYMAPS: [&str; 3] = [
    "usr/share/keymaps",
    "usr/share/kbd/keymaps",
    "usr/lib/kbd/keymaps",
];
/// What a layout's file may end in.
const KEYMAP_ENDINGS: [&str; 5] = [".map", ".map.gz", ".map.bz2", ".map.xz", ".map.zst"];
/// The layout that is in the kernel.
const KERNEL_KEYMAP: &str = "us";
/// Where targets are: the administrator's, then the packages'.
const TARGETS: [&str; 2] = ["/etc/systemd/system", "/usr/lib/systemd/system"];

/// Applies what is set; what is not stays as the packages have it.
pub(super) fn apply(tree: Tree, system: &SystemSettings, time: i64) -> Result<Tree> {
    let view = View::new(&tree);
    let mut links = Vec::new();
    let mut files = Vec::new();
    if let Some(zone) = &system.timezone {
        check_zone(&view, zone)?;
        links.push(("etc/localtime", format!("../{ZONES}/{zone}")));
    }
    if let Some(locale) = &system.locale {
        check_locale(&view, locale)?;
        files.push(("etc/locale.conf", format!("LANG={locale}\n")));
    }
    if let Some(keymap) = &system.keymap {
        check_keymap(&tree, keymap)?;
        files.push(("etc/vconsole.conf", format!("KEYMAP={keymap}\n")));
    }
    if let Some(target) = &system.default_target {
        links.push(("etc/systemd/system/default.target", find_target(&view, target)?));
    }
    // A file of a package that says the same already is left alone, with its owner and its time.
    let mut changed = Vec::new();
    for (path, content) in files {
        if view.read_text(path)?.as_deref() != Some(content.as_str()) {
            changed.push((path, content));
        }
    }
    let mut editor = Editor::new(tree, time);
    for (path, target) in links {
        editor.link(path, &target)?;
    }
    for (path, content) in changed {
        editor.file(path, content)?;
    }
    editor.builder.finish().or_fail(Kind::Project)
}

fn is_file(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::File(_) | EntryKind::HardLink(_))
}

/// The paths of files below a folder, relative to it.
fn files_below<'t>(tree: &'t Tree, folder: &'t str) -> impl Iterator<Item = &'t str> {
    tree.entries()
        .iter()
        .filter(|entry| !entry.is_directory())
        .filter_map(move |entry| {
            std::str::from_utf8(entry.path.as_bytes())
                .ok()?
                .strip_prefix(folder)?
                .strip_prefix('/')
        })
}

fn check_zone(view: &View<'_>, zone: &TimeZone) -> Result<()> {
    let found = view.find(&format!("/{ZONES}/{zone}"))?;
    if found.is_some_and(is_file) {
        return Ok(());
    }
    if view.find(&format!("/{ZONES}"))?.is_none() {
        let failure = missing(&format!("time zone `{zone}`"), None);
        return Err(failure.hint("add the package `tzdata` to the image"));
    }
    let near = nearest(zone.as_str(), files_below(view.tree(), ZONES));
    Err(missing(&format!("time zone `{zone}`"), near))
}

/// The C library has the locale `C` itself; others are folders, or in the archive.
fn check_locale(view: &View<'_>, locale: &Locale) -> Result<()> {
    let name = normalised(locale.as_str());
    if ["C", "POSIX", "C.utf8"].contains(&name.as_str()) {
        return Ok(());
    }
    let folders = view.names_in(LOCALES)?;
    if folders
        .iter()
        .any(|known| *known == name || known == locale.as_str())
    {
        return Ok(());
    }
    if view.find(LOCALE_ARCHIVE)?.is_some() {
        let archive = view.read(LOCALE_ARCHIVE, "the locales of the image")?;
        // Names end with a zero byte in its table of strings, and do not occur elsewhere.
        let needle = [name.as_bytes(), b"\0"].concat();
        if archive.windows(needle.len()).any(|window| window == needle) {
            return Ok(());
        }
    }
    let known: BTreeSet<&str> = folders
        .iter()
        .map(String::as_str)
        .filter(|name| !LOCALE_ARCHIVE.ends_with(name))
        .chain(["C.UTF-8", "POSIX"])
        .collect();
    let failure = missing(&format!("locale `{locale}`"), None);
    Err(
        failure.hint(match nearest(locale.as_str(), known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", Vec::from_iter(known).join(", ")),
        }),
    )
}

/// As the C library looks a locale up: the code set without anything but letters and digits, in lower case.
fn normalised(locale: &str) -> String {
    let Some((language, rest)) = locale.split_once('.') else {
        return locale.to_owned();
    };
    let (code_set, modifier) = match rest.split_once('@') {
        Some((code_set, modifier)) => (code_set, format!("@{modifier}")),
        None => (rest, String::new()),
    };
    let code_set: String = code_set
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    format!("{language}.{code_set}{modifier}")
}

fn check_keymap(tree: &Tree, keymap: &Keymap) -> Result<()> {
    let mut known: BTreeSet<&str> = KEYMAPS
        .into_iter()
        .flat_map(|folder| files_below(tree, folder))
        .filter_map(|path| {
            let file = path.rsplit('/').next()?;
            KEYMAP_ENDINGS.iter().find_map(|ending| file.strip_suffix(ending))
        })
        .collect();
    if known.is_empty() && keymap.as_str() != KERNEL_KEYMAP {
        let failure = missing(&format!("keyboard layout `{keymap}`"), None);
        return Err(failure.hint("the image has no layouts: add a package with some, such as `console-data`"));
    }
    known.insert(KERNEL_KEYMAP);
    if known.contains(keymap.as_str()) {
        return Ok(());
    }
    let near = nearest(keymap.as_str(), known);
    Err(missing(&format!("keyboard layout `{keymap}`"), near))
}

/// The file of a target.
fn find_target(view: &View<'_>, target: &UnitName) -> Result<String> {
    for folder in TARGETS {
        let path = format!("{folder}/{target}");
        match view.find(&path)? {
            Some(entry) if is_file(entry) => return Ok(path),
            Some(_) => {
                let message = format!("`{target}` cannot be booted to: {path} is masked, or no file");
                return Err(Failure::message(Kind::Project, message));
            }
            None => {}
        }
    }
    let mut known = Vec::new();
    for folder in TARGETS {
        known.extend(
            view.names_in(folder)?
                .into_iter()
                .filter(|name| name.ends_with(".target")),
        );
    }
    let near = nearest(target.as_str(), known.iter().map(String::as_str));
    Err(missing(&format!("unit `{target}`"), near))
}
