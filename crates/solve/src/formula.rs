//! Dependencies as boolean formulas over packages.

use crate::{PackageId, Pool};
use lazuli_rpm::{Dependency, DependencyParseError, RichDependency};

/// A formula over packages, with negation only at the leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Formula {
    /// At least one of them is there. Empty: false.
    Any(Vec<PackageId>),
    /// None of them is there. Empty: true.
    None(Vec<PackageId>),
    /// All parts hold. Empty: true.
    All(Vec<Formula>),
    /// One part holds, the first ones preferred. Empty: false.
    Either(Vec<Formula>),
}

/// How a package's dependency takes the package itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// There is none: the dependency stands for itself.
    Nobody,
    /// The package is there when its requirement is asked for, so it may meet it itself.
    Requires(PackageId),
    /// A package never conflicts with itself.
    Conflicts(PackageId),
}

/// Whether a formula is wanted as it is, or its negation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Polarity {
    Positive,
    Negative,
}

impl Formula {
    /// What holds whatever there is.
    pub(crate) const TRUE: Self = Self::All(Vec::new());
    /// What never holds.
    pub(crate) const FALSE: Self = Self::Any(Vec::new());

    /// What must hold if a requirement (or a recommendation) is to be met.
    pub(crate) fn requirement(
        pool: &Pool,
        dependency: &Dependency,
        owner: Owner,
    ) -> Result<Self, DependencyParseError> {
        if !dependency.is_rich() {
            return Ok(leaf(pool.providers(dependency), owner, Polarity::Positive));
        }
        Ok(build(
            pool,
            &RichDependency::parse(&dependency.name)?,
            owner,
            Polarity::Positive,
        ))
    }

    /// What must hold if a conflict is to be avoided.
    pub(crate) fn conflict(
        pool: &Pool,
        dependency: &Dependency,
        owner: Owner,
    ) -> Result<Self, DependencyParseError> {
        if !dependency.is_rich() {
            return Ok(leaf(pool.providers(dependency), owner, Polarity::Negative));
        }
        Ok(build(
            pool,
            &RichDependency::parse(&dependency.name)?,
            owner,
            Polarity::Negative,
        ))
    }

    /// Whether it holds where `is_there` says which packages there are.
    pub(crate) fn holds(&self, is_there: &impl Fn(PackageId) -> bool) -> bool {
        match self {
            Self::Any(packages) => packages.iter().any(|id| is_there(*id)),
            Self::None(packages) => !packages.iter().any(|id| is_there(*id)),
            Self::All(parts) => parts.iter().all(|part| part.holds(is_there)),
            Self::Either(parts) => parts.iter().any(|part| part.holds(is_there)),
        }
    }

    /// The packages that help to fulfil it, from left to right.
    pub(crate) fn helpers(&self, found: &mut Vec<PackageId>) {
        match self {
            Self::Any(packages) => found.extend(packages),
            Self::None(_) => {}
            Self::All(parts) | Self::Either(parts) => parts.iter().for_each(|part| part.helpers(found)),
        }
    }
}

fn leaf(mut packages: Vec<PackageId>, owner: Owner, polarity: Polarity) -> Formula {
    match owner {
        Owner::Requires(id) if packages.contains(&id) => {
            return match polarity {
                Polarity::Positive => Formula::TRUE,
                Polarity::Negative => Formula::FALSE,
            };
        }
        Owner::Conflicts(id) => packages.retain(|one| *one != id),
        _ => {}
    }
    match polarity {
        Polarity::Positive => Formula::Any(packages),
        Polarity::Negative => Formula::None(packages),
    }
}

fn build(pool: &Pool, rich: &RichDependency, owner: Owner, polarity: Polarity) -> Formula {
    use Polarity::{Negative, Positive};
    let parts_of = |parts: &[RichDependency]| {
        parts
            .iter()
            .map(|one| build(pool, one, owner, polarity))
            .collect()
    };
    match rich {
        RichDependency::Simple(_) | RichDependency::With(_) | RichDependency::Without(..) => {
            leaf(package_set(pool, rich), owner, polarity)
        }
        // De Morgan: the negation of `and` is an `or` of negations, and the other way round.
        RichDependency::And(parts) if polarity == Positive => Formula::All(parts_of(parts)),
        RichDependency::Or(parts) if polarity == Negative => Formula::All(parts_of(parts)),
        RichDependency::And(parts) | RichDependency::Or(parts) => Formula::Either(parts_of(parts)),
        // `a if b else c` is (not b or a) and (b or c). Without `else` it holds where b does not.
        RichDependency::If {
            then,
            condition,
            otherwise,
        } => {
            let when_true = Some(build(pool, then, owner, polarity));
            let when_false = match otherwise {
                Some(part) => Some(build(pool, part, owner, polarity)),
                None => (polarity == Negative).then_some(Formula::FALSE),
            };
            choose(pool, condition, owner, when_true, when_false)
        }
        // `a unless b else c` is (b or a) and (not b or c). Without `else` it fails where b holds.
        RichDependency::Unless {
            then,
            condition,
            otherwise,
        } => {
            let when_false = Some(build(pool, then, owner, polarity));
            let when_true = match otherwise {
                Some(part) => Some(build(pool, part, owner, polarity)),
                None => (polarity == Positive).then_some(Formula::FALSE),
            };
            choose(pool, condition, owner, when_true, when_false)
        }
    }
}

/// One formula where `condition` holds, another one where it does not; `None` demands nothing.
fn choose(
    pool: &Pool,
    condition: &RichDependency,
    owner: Owner,
    when_true: Option<Formula>,
    when_false: Option<Formula>,
) -> Formula {
    let branch =
        |polarity, demanded| Formula::Either(vec![build(pool, condition, owner, polarity), demanded]);
    let mut parts = Vec::new();
    parts.extend(when_true.map(|demanded| branch(Polarity::Negative, demanded)));
    parts.extend(when_false.map(|demanded| branch(Polarity::Positive, demanded)));
    Formula::All(parts)
}

/// The packages that a plain dependency, `with`, `without` or an `or` of them names.
fn package_set(pool: &Pool, rich: &RichDependency) -> Vec<PackageId> {
    match rich {
        RichDependency::Simple(dependency) => pool.providers(dependency),
        RichDependency::With(parts) => {
            let mut sets = parts.iter().map(|part| package_set(pool, part));
            let first = sets.next().unwrap_or_default();
            sets.fold(first, |found, other| {
                found.into_iter().filter(|id| other.contains(id)).collect()
            })
        }
        RichDependency::Without(left, right) => {
            let other = package_set(pool, right);
            package_set(pool, left)
                .into_iter()
                .filter(|id| !other.contains(id))
                .collect()
        }
        RichDependency::Or(parts) => {
            let mut found: Vec<PackageId> = Vec::new();
            for id in parts.iter().flat_map(|part| package_set(pool, part)) {
                if !found.contains(&id) {
                    found.push(id);
                }
            }
            found
        }
        // The parser refuses these below `with` and `without`.
        RichDependency::And(_) | RichDependency::If { .. } | RichDependency::Unless { .. } => Vec::new(),
    }
}
