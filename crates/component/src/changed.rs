//! What is different between two states of a project, and what must be rebuilt for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use lazuli_catalog::{Architecture, ComponentName};

use crate::fingerprint::{Environment, FieldChange, Fingerprint, explain};
use crate::state::{ProjectState, StateError};

/// A component that needs another one directly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependent {
    /// The component.
    pub component: String,
    /// What it needs: `BuildRequires: zlib-devel`.
    pub needs: String,
}

/// Who needs a component directly; of a component that is not known, nobody.
pub type DirectDependents<'a> = &'a dyn Fn(&str) -> Vec<Dependent>;

/// One side of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The project.
    pub state: &'a ProjectState,
    /// What its components are built in.
    pub environment: &'a Environment,
}

/// A component that must be built, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ChangedComponent {
    /// Its name.
    pub name: ComponentName,
    /// What happened to it.
    pub change: Change,
}

/// What happened to a component.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", rename_all_fields = "kebab-case")]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its fingerprint is another.
    Changed {
        /// What is different.
        fields: Vec<FieldChange>,
    },
    /// It needs, perhaps through others, one that is new, gone or changed.
    Dependent {
        /// The way from it to that one, each step with what is needed.
        path: Vec<DependencyStep>,
    },
}

/// One step of the way to what changed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DependencyStep {
    /// Who needs.
    pub component: String,
    /// What: `BuildRequires: zlib-devel`.
    pub needs: String,
    /// Who provides that.
    pub provider: String,
}

/// What changed from one state to another.
#[derive(Debug, Default)]
pub struct Changes {
    /// The components, sorted by name.
    pub components: Vec<ChangedComponent>,
    /// Components whose fingerprint can't be computed in one of the states, with the reason.
    pub unknown: Vec<(ComponentName, StateError)>,
}

/// Compares all components of two states, and follows who needs what changed.
///
/// # Errors
/// The configuration of a state has errors.
pub fn changed(
    from: Side<'_>,
    to: Side<'_>,
    architecture: Architecture,
    dependents: DirectDependents<'_>,
) -> Result<Changes, StateError> {
    let mut before = from.state.fingerprints(architecture, from.environment)?;
    let after = to.state.fingerprints(architecture, to.environment)?;
    let present: BTreeSet<String> = after.keys().map(ToString::to_string).collect();
    let mut changes = Changes::default();
    for (name, new) in after {
        let old = before.remove(&name);
        match (old, new) {
            (_, Err(error)) | (Some(Err(error)), _) => changes.unknown.push((name, error)),
            (None, Ok(_)) => changes.push(name, Change::Added),
            (Some(Ok(old)), Ok(new)) => {
                if let Some(change) = compare(&old, &new) {
                    changes.push(name, change);
                }
            }
        }
    }
    for name in before.into_keys() {
        changes.push(name, Change::Removed);
    }
    changes.follow(&present, dependents);
    changes.components.sort_by(|one, two| one.name.cmp(&two.name));
    Ok(changes)
}

fn compare(old: &Fingerprint, new: &Fingerprint) -> Option<Change> {
    (old.digest != new.digest).then(|| Change::Changed {
        fields: explain(old, new),
    })
}

impl Changes {
    fn push(&mut self, name: ComponentName, change: Change) {
        self.components.push(ChangedComponent { name, change });
    }

    /// Walks from what changed to those who need it, the nearest first, so that every way is a shortest one. Each
    /// component is entered once, so cycles end.
    fn follow(&mut self, present: &BTreeSet<String>, dependents: DirectDependents<'_>) {
        let mut names: Vec<String> = self.components.iter().map(|one| one.name.to_string()).collect();
        // What can't be computed may have changed: who needs it is told too.
        names.extend(self.unknown.iter().map(|(name, _)| name.to_string()));
        names.sort();
        let mut reached: BTreeMap<String, Vec<DependencyStep>> =
            names.iter().map(|name| (name.clone(), Vec::new())).collect();
        let mut queue: VecDeque<String> = names.into();
        let mut found = Vec::new();
        while let Some(provider) = queue.pop_front() {
            let way = reached.get(&provider).cloned().unwrap_or_default();
            let mut direct = dependents(&provider);
            direct.sort();
            for Dependent { component, needs } in direct {
                if reached.contains_key(&component) || !present.contains(&component) {
                    continue;
                }
                let step = DependencyStep {
                    component: component.clone(),
                    needs,
                    provider: provider.clone(),
                };
                let path: Vec<DependencyStep> = std::iter::once(step).chain(way.iter().cloned()).collect();
                reached.insert(component.clone(), path.clone());
                if let Ok(name) = ComponentName::new(component.as_str()) {
                    found.push((name, path));
                }
                queue.push_back(component);
            }
        }
        for (name, path) in found {
            self.push(name, Change::Dependent { path });
        }
    }
}
