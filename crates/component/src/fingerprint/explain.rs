//! What is different between two fingerprints.

use std::collections::{BTreeMap, BTreeSet};

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::Fingerprint;

/// A field that is different.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FieldChange {
    /// The field; an overlay is numbered from 0, as it stands in the new list, or else in the old.
    pub path: String,
    /// Its old value, if it had one.
    pub old: Option<String>,
    /// Its new value, if it has one.
    pub new: Option<String>,
}

/// The fields that are different, sorted by path.
///
/// Overlays are a list: one that is put in before others moves these. They are aligned first, so that an overlay that
/// came or went is one change, and what only moved is none.
#[must_use]
pub fn explain(old: &Fingerprint, new: &Fingerprint) -> Vec<FieldChange> {
    let (old_fields, old_overlays) = part(&old.fields);
    let (new_fields, new_overlays) = part(&new.fields);
    let mut changes = compare(&old_fields, &new_fields, "");
    for operation in capture_diff_slices(Algorithm::Myers, &old_overlays, &new_overlays) {
        match operation {
            DiffOp::Equal { .. } => {}
            DiffOp::Delete {
                old_index, old_len, ..
            } => {
                changes.extend(
                    (old_index..old_index + old_len).map(|index| whole(index, old_overlays.get(index), None)),
                );
            }
            DiffOp::Insert {
                new_index, new_len, ..
            } => {
                changes.extend(
                    (new_index..new_index + new_len).map(|index| whole(index, None, new_overlays.get(index))),
                );
            }
            DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            } => {
                for step in 0..old_len.max(new_len) {
                    let before = old_overlays.get(old_index + step).filter(|_| step < old_len);
                    let after = new_overlays.get(new_index + step).filter(|_| step < new_len);
                    match (before, after) {
                        (Some(before), Some(after)) if before.get("type") == after.get("type") => {
                            let prefix = format!("overlays[{}].", new_index + step);
                            changes.extend(compare(before, after, &prefix));
                        }
                        (before, after) => {
                            let index = if after.is_some() { new_index } else { old_index };
                            changes.push(whole(index + step, before, after));
                        }
                    }
                }
            }
        }
    }
    changes.sort_by(|one, two| one.path.cmp(&two.path));
    changes
}

type Keys<'f> = BTreeMap<&'f str, &'f str>;

/// The fields that are not of overlays, and the overlays in order.
fn part(fields: &BTreeMap<String, String>) -> (Keys<'_>, Vec<Keys<'_>>) {
    let mut plain = Keys::new();
    let mut overlays: BTreeMap<usize, Keys<'_>> = BTreeMap::new();
    for (path, value) in fields {
        let rest = path
            .strip_prefix("overlays[")
            .and_then(|rest| rest.split_once("]."));
        match rest.and_then(|(index, key)| Some((index.parse().ok()?, key))) {
            Some((index, key)) => {
                overlays.entry(index).or_default().insert(key, value);
            }
            None => {
                plain.insert(path, value);
            }
        }
    }
    (plain, overlays.into_values().collect())
}

fn compare(old: &Keys<'_>, new: &Keys<'_>, prefix: &str) -> Vec<FieldChange> {
    let paths: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let different = paths.into_iter().filter(|path| old.get(path) != new.get(path));
    let owned = |value: Option<&&str>| value.map(|value| (*value).to_owned());
    different
        .map(|path| FieldChange {
            path: format!("{prefix}{path}"),
            old: owned(old.get(path)),
            new: owned(new.get(path)),
        })
        .collect()
}

/// An overlay in one line: its type, then its keys.
fn whole(index: usize, old: Option<&Keys<'_>>, new: Option<&Keys<'_>>) -> FieldChange {
    let line = |keys: &Keys<'_>| {
        let kind = keys.get("type").copied().unwrap_or_default().to_owned();
        let rest = keys.iter().filter(|(key, _)| **key != "type");
        rest.fold(kind, |line, (key, value)| format!("{line} {key}={value:?}"))
    };
    FieldChange {
        path: format!("overlays[{index}]"),
        old: old.map(line),
        new: new.map(line),
    }
}
