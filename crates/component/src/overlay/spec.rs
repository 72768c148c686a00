//! Overlays of the spec.

use lazuli_catalog::schema::{OverlayAction, Replacement, SearchMode, SectionTarget};
use lazuli_spec::{Document, Edit, EditError, Reach, Scope};

use crate::source_tree::{Content, SourcePath};

use super::pattern::{Anchors, compile, plain_text, substitute};
use super::report::{FileAction, FileChange};
use super::state::{Fault, Workbench, actions, matcher};
use super::{Outcome, ReadLocal};

fn scope(target: &SectionTarget) -> Scope<'_> {
    match target {
        SectionTarget::WholeSpec => Scope::WholeSpec,
        SectionTarget::Section { name, package } => Scope::Section {
            name,
            package: package.as_deref(),
        },
    }
}

/// Applies an overlay that changes the spec alone; `None` for one that is not of that kind.
pub(super) fn apply(bench: &mut Workbench, action: &OverlayAction) -> Result<Option<Outcome>, Fault> {
    let spec = bench.spec();
    let document = bench.document()?;
    let done = match action {
        OverlayAction::SpecAddTag { package, tag, value } => document.add_tag(package.as_deref(), tag, value),
        OverlayAction::SpecInsertTag { package, tag, value } => {
            document.insert_tag(package.as_deref(), tag, value)
        }
        OverlayAction::SpecSetTag { package, tag, value } => document.set_tag(package.as_deref(), tag, value),
        OverlayAction::SpecUpdateTag { package, tag, value } => {
            document.update_tag(package.as_deref(), tag, value)
        }
        OverlayAction::SpecRemoveTag { package, tag, value } => {
            document.remove_tag(package.as_deref(), tag, value.as_deref())
        }
        OverlayAction::SpecPrependLines { target, lines } => document.prepend_lines(scope(target), lines),
        OverlayAction::SpecAppendLines { target, lines } => document.append_lines(scope(target), lines),
        OverlayAction::SpecRemoveSection { section, package } => {
            document.remove_section(section, package.as_deref())
        }
        OverlayAction::SpecRemoveSubpackage { package } => document.remove_subpackage(package),
        OverlayAction::SpecSearchReplace {
            target,
            regex,
            mode,
            replacement,
        } => search_replace(document, &spec, target, regex, *mode, replacement)?,
        _ => return Ok(None),
    };
    let edit = done.map_err(|error| Fault::edit(&spec, error))?;
    Ok(Some(outcome(&spec, edit)))
}

fn search_replace(
    document: &mut Document,
    spec: &SourcePath,
    target: &SectionTarget,
    regex: &str,
    mode: SearchMode,
    replacement: &Replacement,
) -> Result<Result<Edit, EditError>, Fault> {
    let (reach, anchors) = match mode {
        SearchMode::EachLine => (Reach::EachLine, Anchors::Text),
        SearchMode::WholeText => (Reach::WholeText, Anchors::Text),
        SearchMode::MultiLine => {
            let crlf = document.as_bytes().windows(2).any(|pair| pair == b"\r\n");
            (Reach::WholeText, Anchors::Lines { crlf })
        }
    };
    let refused = |bad: super::pattern::BadPattern| {
        Fault::new(spec.as_str(), bad.problem)
            .looked_for(regex)
            .hint(bad.hint)
    };
    let pattern = compile(regex, anchors).map_err(refused)?;
    let substitute = substitute(replacement, &pattern).map_err(refused)?;
    let done = document.replace(scope(target), &pattern, reach, substitute, &plain_text(regex));
    Ok(done.map_err(|mut error| {
        // What was looked for is what the user wrote, not how it is compiled.
        error.context.looked_for = Some(regex.to_owned());
        error
    }))
}

pub(super) fn outcome(spec: &SourcePath, edit: Edit) -> Outcome {
    let changes = actions(&edit.changes).into_iter().map(|action| FileChange {
        file: spec.to_string(),
        member: None,
        action,
    });
    Outcome {
        changes: changes.collect(),
        warnings: edit.warnings,
    }
}

/// Copies a patch to the sources and registers it in the spec.
pub(super) fn add_patch(
    bench: &mut Workbench,
    source: &lazuli_catalog::schema::Local<String>,
    file: Option<&str>,
    package: Option<&str>,
    read: ReadLocal<'_>,
) -> Result<Outcome, Fault> {
    let from = source.resolve();
    let own_name = from.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = file.map(str::to_owned).or(own_name).unwrap_or_default();
    let mut added = super::files::add(bench, &name, source, read)?;
    let spec = bench.spec();
    let (edit, _) = bench
        .document()?
        .add_patch(package, &name)
        .map_err(|error| Fault::edit(&spec, error))?;
    let registered = outcome(&spec, edit);
    added.changes.extend(registered.changes);
    added.warnings.extend(registered.warnings);
    Ok(added)
}

/// Takes patches out of the spec and the sources.
pub(super) fn remove_patches(bench: &mut Workbench, glob: &str) -> Result<Outcome, Fault> {
    let spec = bench.spec();
    let matcher = matcher(glob).map_err(|problem| Fault::new(spec.as_str(), problem).looked_for(glob))?;
    let (edit, names) = bench
        .document()?
        .remove_patches(glob, &|name| matcher.is_match(name))
        .map_err(|error| Fault::edit(&spec, error))?;
    let mut done = outcome(&spec, edit);
    let mut files = bench.matching(glob)?;
    for name in names {
        match bench.tree().files().find(|(path, _)| path.as_str() == name) {
            Some((path, file)) if !files.contains(path) && !matches!(file.content, Content::Link(_)) => {
                files.push(path.clone());
            }
            Some(_) => {}
            None => done.warnings.push(format!(
                "the file of the patch `{name}` was not among the sources"
            )),
        }
    }
    files.sort();
    for path in files {
        bench.tree_mut().remove(path.as_str());
        done.changes.push(FileChange {
            file: path.to_string(),
            member: None,
            action: FileAction::Deleted,
        });
    }
    Ok(done)
}
