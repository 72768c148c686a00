//! Why a job cannot be fulfilled.

use crate::spec::Target;
use crate::view::View;
use crate::{PackageId, Pool, Spec};
use lazuli_rpm::Dependency;
use std::fmt;

/// One cause, in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// Such as `nothing provides libfoo.so.1()(64bit) needed by bar-1-2.x86_64`.
    pub message: String,
}

/// Why a job cannot be fulfilled, in words that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The causes, from the job down to the package that is to blame.
    pub causes: Vec<Cause>,
    /// What could be done.
    pub hints: Vec<String>,
}

impl Problem {
    pub(crate) fn new(message: String, hint: String) -> Self {
        Self {
            causes: vec![Cause { message }],
            hints: vec![hint],
        }
    }
}

impl fmt::Display for Problem {
    /// One cause a line; the hints are for the caller to show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, cause) in self.causes.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{}", cause.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// No package matches a spec.
pub(crate) fn missing(pool: &Pool, view: &View<'_>, spec: &Spec) -> Problem {
    let text = spec.as_str();
    let mut hints = Vec::new();
    // It may be there, but hidden.
    if let Target::Packages(_, hidden) = spec.find(pool, &|id| !view.is_enabled(id) && !pool.is_installed(id))
        && let Some(id) = hidden.iter().max_by_key(|id| &pool.record(**id).nevra.evr)
    {
        hints.push(format!(
            "{} is available, but the job excludes it",
            pool.record(*id).nevra
        ));
    }
    hints.extend(name_hints(pool, text));
    Problem {
        causes: vec![Cause {
            message: format!("no package matches `{text}`"),
        }],
        hints,
    }
}

/// A spec must name installed packages, and names none.
pub(crate) fn not_installed(pool: &Pool, spec: &Spec) -> Problem {
    let text = spec.as_str();
    let mut hints = Vec::new();
    let names = || pool.installed().map(|id| pool.record(id).nevra.name.as_str());
    if let Some(near) = nearest(text, names()) {
        hints.push(format!("did you mean the installed `{near}`?"));
    } else if matches!(spec.find(pool, &|_| true), Target::Packages(..)) {
        hints.push(format!("`{text}` is available: install it"));
    }
    Problem {
        causes: vec![Cause {
            message: format!("no installed package matches `{text}`"),
        }],
        hints,
    }
}

/// The removal of a protected package is asked for, by way of `chain` (which begins with it).
pub(crate) fn protected(pool: &Pool, id: PackageId, chain: &[PackageId]) -> Problem {
    let name = |id: &PackageId| pool.record(*id).nevra.to_string();
    let mut causes: Vec<Cause> = chain
        .windows(2)
        .map(|pair| Cause {
            message: format!(
                "{} needs {}, which would be removed",
                name(&pair[0]),
                name(&pair[1])
            ),
        })
        .collect();
    causes.reverse();
    causes.push(Cause {
        message: format!("{} is protected and must not be removed", name(&id)),
    });
    Problem {
        causes,
        hints: vec!["leave it, or take it off the list of protected packages".to_owned()],
    }
}

/// What may have been meant by a name that nothing matches: a name with another version, a capability with another
/// version, or a name of similar spelling.
pub(crate) fn name_hints(pool: &Pool, text: &str) -> Vec<String> {
    let name = text.split([' ', '<', '>', '=']).next().unwrap_or(text);
    let available = |name: &str| {
        let groups = pool.groups_named(name).iter();
        let mut all: Vec<PackageId> = groups.flat_map(|group| pool.group(*group)).copied().collect();
        all.sort_by(|a, b| pool.record(*b).nevra.evr.cmp(&pool.record(*a).nevra.evr));
        all.first().map(|id| pool.record(*id).nevra.to_string())
    };
    if name != text || text.contains('-') {
        let stems = text.rmatch_indices('-').take(2).map(|(at, _)| &text[..at]);
        for stem in std::iter::once(name).chain(stems) {
            if let Some(best) = available(stem) {
                return vec![format!("the newest `{stem}` is {best}")];
            }
        }
    }
    // A capability of another version.
    let mut providers = pool.providers(&Dependency::any(name));
    providers.sort_by(|a, b| pool.record(*b).nevra.evr.cmp(&pool.record(*a).nevra.evr));
    if let Some(id) = providers.first() {
        let record = pool.record(*id);
        if let Some(provided) = record.provides.iter().find(|one| one.name == name) {
            return vec![format!("{} provides {provided}", record.nevra)];
        }
    }
    match nearest(name, pool.names()) {
        Some(near) => vec![format!("did you mean `{near}`?")],
        None => Vec::new(),
    }
}

/// The known name that is spelt most like `wanted`; of equals the first by alphabet. `None` if none is similar.
fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    const LONGEST: usize = 100;
    if wanted.len() > LONGEST {
        return None;
    }
    let limit = (wanted.chars().count() / 3).min(3);
    names
        .filter(|name| name.len().abs_diff(wanted.len()) <= limit)
        .map(|name| (distance(wanted, name), name))
        .filter(|(distance, _)| (1..=limit).contains(distance))
        .min()
        .map(|(_, name)| name)
}

/// How many letters must be inserted, removed, changed or swapped with their neighbour (restricted
/// Damerau–Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != b))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn spelling_distance() {
        let cases = [
            ("a", "a", 0),
            ("bash", "bahs", 1),
            ("vim", "vi", 1),
            ("curl", "crul", 1),
            ("abc", "xyz", 3),
            ("", "ab", 2),
        ];
        for (left, right, expected) in cases {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
        assert_eq!(nearest("ngnix", ["nginx", "nano"].into_iter()), Some("nginx"));
        assert_eq!(nearest("zzz", ["nginx", "nano"].into_iter()), None);
    }
}
