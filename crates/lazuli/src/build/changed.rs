//! What is different from a state of the project.

use crate::component::changes_since;
use crate::failure::Result;
use crate::workspace::Workspace;
use lazuli_component::Change;

/// The components that must be built since a revision: those that changed, and those that need them.
pub fn components(workspace: &Workspace, from: &str) -> Result<Vec<String>> {
    let changes = changes_since(workspace, from, None)?;
    for (name, error) in &changes.unknown {
        workspace
            .terminal
            .warn(format!("what {name} is can't be told: {error}"));
    }
    let there = changes
        .components
        .iter()
        .filter(|one| !matches!(one.change, Change::Removed));
    Ok(there.map(|one| one.name.to_string()).collect())
}
