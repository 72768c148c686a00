//! Users and groups: `/etc/passwd`, `group`, `shadow` and `gshadow` (passwd(5), group(5), shadow(5), gshadow(5)), and
//! what packages declare about them.

mod apply;
mod sysusers;

pub(crate) use apply::{Declared, apply};
pub(crate) use sysusers::words;

use crate::{Root, TransactionError};
use std::collections::HashMap;

/// Names to ids.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids {
    users: HashMap<String, u32>,
    groups: HashMap<String, u32>,
}

impl Ids {
    /// As a root has them.
    pub(crate) fn of_root(root: &Root) -> Result<Self, TransactionError> {
        Ok(Self {
            users: read_ids(root, "/etc/passwd")?,
            groups: read_ids(root, "/etc/group")?,
        })
    }

    /// The id of a user; root is 0 even where nobody says so.
    pub(crate) fn user(&self, name: &str) -> Option<u32> {
        lookup(&self.users, name)
    }

    /// The id of a group.
    pub(crate) fn group(&self, name: &str) -> Option<u32> {
        lookup(&self.groups, name)
    }
}

fn lookup(ids: &HashMap<String, u32>, name: &str) -> Option<u32> {
    ids.get(name)
        .copied()
        .or_else(|| (name == "root").then_some(0))
        .or_else(|| name.parse().ok())
}

/// Both files have the name first and the id third.
fn read_ids(root: &Root, path: &str) -> Result<HashMap<String, u32>, TransactionError> {
    let text = root.read_text(path)?.unwrap_or_default();
    let line = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((name, fields.nth(1)?.parse().ok()?))
    };
    let mut ids = HashMap::new();
    for (name, id) in text.lines().filter_map(line) {
        // The first line counts, as for getpwnam(3).
        ids.entry(name).or_insert(id);
    }
    Ok(ids)
}
