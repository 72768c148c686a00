//! What a change is called in a changelog when nobody says it.

use lazuli_catalog::{CommitId, ComponentLock, ResolvedComponent, Source, SpecSource};

use crate::fingerprint::FieldChange;

/// Digits of a commit in a changelog.
const SHORT_COMMIT: usize = 10;
/// Most fields that a changelog names one by one.
const MAX_NAMED: usize = 4;

/// What changed, in words.
pub(super) fn describe(
    component: &ResolvedComponent,
    lock: &ComponentLock,
    before: Option<&ComponentLock>,
    fields: &[FieldChange],
) -> String {
    let short = |commit: &CommitId| commit.as_str().chars().take(SHORT_COMMIT).collect::<String>();
    let commit = lock.upstream_commit.as_ref();
    let Some(before) = before else {
        return match (&component.source, commit) {
            (Source::Spec(SpecSource::Upstream { distro, .. }), Some(commit)) => {
                format!("Import from {distro} at {}", short(commit))
            }
            _ => "Initial package".to_owned(),
        };
    };
    let mut items = Vec::new();
    if let Some(commit) = commit.filter(|commit| before.upstream_commit.as_ref() != Some(*commit)) {
        items.push(format!("Update to upstream commit {}", short(commit)));
    }
    if lock.manual_bump > before.manual_bump {
        items.push("Rebuild".to_owned());
    }
    let rest: Vec<&FieldChange> = fields
        .iter()
        .filter(|field| !matches!(field.path.as_str(), "source.commit" | "manual-bump"))
        .collect();
    let named = rest.iter().take(MAX_NAMED).map(|field| {
        let overlay = || overlay_words(component, field);
        let verb = match (&field.old, &field.new) {
            (None, _) => "Add",
            (_, None) => "Remove",
            _ => "Change",
        };
        overlay().unwrap_or_else(|| format!("{verb} {}", field.path))
    });
    let mut named: Vec<String> = named.collect();
    named.dedup();
    items.extend(named);
    if rest.len() > MAX_NAMED {
        items.push(format!(
            "{} more changes of the configuration",
            rest.len() - MAX_NAMED
        ));
    }
    match items.split_first() {
        None => "Change of the configuration".to_owned(),
        Some((first, [])) => first.clone(),
        Some((first, rest)) => format!(
            "{first}\n\n{}",
            rest.iter().map(|item| format!("- {item}\n")).collect::<String>()
        ),
    }
}

/// An overlay that came, in its own words.
fn overlay_words(component: &ResolvedComponent, field: &FieldChange) -> Option<String> {
    let index = field
        .path
        .strip_prefix("overlays[")?
        .split(']')
        .next()?
        .parse::<usize>()
        .ok()?;
    let _ = field.new.as_ref()?;
    let description = component.overlays.get(index)?.description.as_deref()?;
    let line = description.lines().next().unwrap_or_default().trim();
    (!line.is_empty()).then(|| line.to_owned())
}
