//! Rules of overlays.

use std::collections::BTreeSet;

use crate::re2::compile_search;
use crate::resolve::Fault;
use crate::schema::{Overlay, OverlayAction, OverlayCategory, OverlayMetadata, Replacement, UpstreamStatus};
use crate::value::{FileName, Url};

pub(super) fn overlay(one: &Overlay, key: &[&str], faults: &mut Vec<Fault>) {
    let describe = |mut fault: Fault| {
        if let (Some(description), None) = (&one.description, &fault.help) {
            fault = fault.help(format!("the overlay is described as: {description}"));
        }
        fault
    };
    match one.action() {
        Err(error) => faults.push(describe(Fault::new(error.to_string()).at(key))),
        Ok(action) => faults.extend(values(&action).map(|(part, message, help)| {
            let fault = Fault::new(message).at(&[key, &[part]].concat());
            match help {
                Some(help) => fault.help(help),
                None => describe(fault),
            }
        })),
    }
    if let Some(metadata) = &one.metadata {
        check_metadata(metadata, &[key, &["metadata"]].concat(), faults);
    }
}

/// What is wrong with the value of a key: the key, the message, and what to do.
type Wrong = (&'static str, String, Option<String>);

/// The first value of an overlay that cannot be meant.
fn values(action: &OverlayAction) -> Option<Wrong> {
    match action {
        OverlayAction::SpecSearchReplace {
            regex, replacement, ..
        } => search(regex, replacement),
        OverlayAction::FileSearchReplace {
            file,
            archive,
            regex,
            replacement,
            mode: _,
        } => path(file)
            .or_else(|| glob(file))
            .or_else(|| archive.as_deref().and_then(archive_name))
            .or_else(|| search(regex, replacement)),
        OverlayAction::FileRemove { file, archive } => path(file)
            .or_else(|| glob(file))
            .or_else(|| archive.as_deref().and_then(archive_name)),
        OverlayAction::PatchRemove { file } | OverlayAction::FilePrependLines { file, .. } => {
            path(file).or_else(|| glob(file))
        }
        OverlayAction::FileAdd { file, .. } => path(file),
        OverlayAction::PatchAdd { file, .. } => file.as_deref().and_then(path),
        OverlayAction::FileRename { file, replacement } => path(file).or_else(|| {
            FileName::new(replacement.as_str()).err().map(|_| {
                let message = format!("the new name `{replacement}` is not a file name");
                (
                    "replacement",
                    message,
                    Some("a file is renamed within its folder: expected a name without `/`".to_owned()),
                )
            })
        }),
        _ => None,
    }
}

/// A path among the sources, or in an archive.
fn path(file: &str) -> Option<Wrong> {
    let leads_out = file.starts_with('/') || file.contains('\0') || file.split('/').any(|part| part == "..");
    leads_out.then(|| {
        let message = format!("`{file}` is not a path among the sources");
        (
            "file",
            message,
            Some("expected a relative path without `..`".to_owned()),
        )
    })
}

fn glob(file: &str) -> Option<Wrong> {
    let error = globset::GlobBuilder::new(file)
        .literal_separator(true)
        .build()
        .err()?;
    Some(("file", format!("`{file}` is not a glob: {}", error.kind()), None))
}

fn archive_name(archive: &str) -> Option<Wrong> {
    FileName::new(archive).err().map(|_| {
        let message = format!("`{archive}` is not an archive among the sources");
        (
            "archive",
            message,
            Some("expected a file name without `/`".to_owned()),
        )
    })
}

fn search(text: &str, replacement: &Replacement) -> Option<Wrong> {
    let regex = match compile_search(text) {
        Ok(regex) => regex,
        Err(reason) => {
            let message = format!("`{text}` is not a regular expression: {reason}");
            return Some(("regex", message, None));
        }
    };
    let Replacement::Captures(template) = replacement else {
        return None;
    };
    let known: BTreeSet<String> = regex
        .capture_names()
        .enumerate()
        .flat_map(|(index, name)| [Some(index.to_string()), name.map(str::to_owned)])
        .flatten()
        .collect();
    let unknown = references(template)
        .into_iter()
        .find(|name| !known.contains(name))?;
    let message = format!("`{unknown}` is no group of the regular expression");
    let names = known
        .iter()
        .map(|name| format!("`${{{name}}}`"))
        .collect::<Vec<_>>()
        .join(", ");
    Some((
        "replacement",
        message,
        Some(format!(
            "there are {names}; write `${{1}}x` where a letter follows, and `$$` for `$`"
        )),
    ))
}

/// The groups that a replacement names: `$name` takes as many letters, digits and `_` as there are.
fn references(template: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            names.push(name.to_owned());
            rest = after;
        } else {
            let end = rest
                .find(|one: char| !one.is_ascii_alphanumeric() && one != '_')
                .unwrap_or(rest.len());
            if end > 0 {
                names.push(rest[..end].to_owned());
            }
            rest = &rest[end..];
        }
    }
    names
}

pub(super) fn check_metadata(metadata: &OverlayMetadata, key: &[&str], faults: &mut Vec<Fault>) {
    match metadata.category {
        None => faults.push(
            Fault::new("overlay metadata needs a `category`")
                .at(key)
                .help("say why the overlay is: `category = …`"),
        ),
        Some(OverlayCategory::UpstreamBackport | OverlayCategory::BackportDistGit) => {
            backport(metadata, key, faults)
        }
        Some(_) => {}
    }
    let commits = metadata
        .commits
        .iter()
        .enumerate()
        .map(|(index, commit)| ("commits", index, commit.url()));
    let bugs = metadata
        .bugs
        .iter()
        .enumerate()
        .map(|(index, bug)| ("bugs", index, bug.url.as_str()));
    for (list, index, address) in commits
        .chain(bugs)
        .filter(|(_, _, address)| Url::new(*address).is_err())
    {
        let fault =
            Fault::new(format!("`{address}` is not a web address"))
                .at(&[key, &[list, &index.to_string()]].concat());
        faults.push(fault.help("expected an address that starts with https:// or http://"));
    }
}

/// What is brought from the upstream is there, so it can be named and is no matter of doubt.
fn backport(metadata: &OverlayMetadata, key: &[&str], faults: &mut Vec<Fault>) {
    if metadata.commits.is_empty() {
        let fault =
            Fault::new("a backport names the commits that it brings").at(&[key, &["category"]].concat());
        faults.push(fault.help("add `commits = [{ url = \"https://…\" }]`"));
    }
    let fits =
        |status: UpstreamStatus| matches!(status, UpstreamStatus::Upstreamed | UpstreamStatus::Upstreamable);
    if metadata.upstream_status.is_some_and(|status| !fits(status)) {
        let fault =
            Fault::new("a backport is `upstreamed` or `upstreamable`")
                .at(&[key, &["upstream-status"]].concat());
        faults.push(fault.help("choose another category if the upstream cannot have the change"));
    }
}
