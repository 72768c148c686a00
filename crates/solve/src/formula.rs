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
    /// The package is there when its dependency counts, so it may meet it itself.
    There(PackageId),
    /// A package's conflict does not count the package itself.
    Conflicts(PackageId),
}

impl Owner {
    /// The same below an `or`.
    fn in_choice(self) -> Self {
        match self {
            Self::Conflicts(id) => Self::There(id),
            other => other,
        }
    }
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

    /// What must hold if a conflict of a package is to be avoided.
    ///
    /// A package never conflicts with itself alone; but in a choice (`Conflicts: (a and b)`) it counts as there, so of
    /// a package that provides `b` that is a conflict with `a`. This is libsolv's reading.
    pub(crate) fn conflict(
        pool: &Pool,
        dependency: &Dependency,
        package: PackageId,
    ) -> Result<Self, DependencyParseError> {
        let owner = Owner::Conflicts(package);
        if !dependency.is_rich() {
            return Ok(leaf(pool.providers(dependency), owner, Polarity::Negative));
        }
        let rich = RichDependency::parse(&dependency.name)?;
        Ok(build(pool, &rich, owner, Polarity::Negative))
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
    match (owner, polarity) {
        (Owner::There(id), Polarity::Positive) if packages.contains(&id) => return Formula::TRUE,
        (Owner::There(id), Polarity::Negative) if packages.contains(&id) => return Formula::FALSE,
        (Owner::Conflicts(id), Polarity::Negative) => packages.retain(|one| *one != id),
        (Owner::Conflicts(id), Polarity::Positive) if packages.contains(&id) => return Formula::TRUE,
        _ => {}
    }
    match polarity {
        Polarity::Positive => Formula::Any(packages),
        Polarity::Negative => Formula::None(packages),
    }
}

fn build(pool: &Pool, rich: &RichDependency, owner: Owner, polarity: Polarity) -> Formula {
    use Polarity::{Negative, Positive};
    let all = |parts: &[RichDependency]| {
        Formula::All(
            parts
                .iter()
                .map(|one| build(pool, one, owner, polarity))
                .collect(),
        )
    };
    let either = |parts: &[RichDependency]| {
        let owner = owner.in_choice();
        Formula::Either(
            parts
                .iter()
                .map(|one| build(pool, one, owner, polarity))
                .collect(),
        )
    };
    match rich {
        RichDependency::Simple(_) | RichDependency::With(_) | RichDependency::Without(..) => {
            leaf(package_set(pool, rich), owner, polarity)
        }
        // De Morgan: the negation of `and` is an `or` of negations, and the other way round.
        RichDependency::And(parts) if polarity == Positive => all(parts),
        RichDependency::Or(parts) if polarity == Negative => all(parts),
        RichDependency::And(parts) | RichDependency::Or(parts) => either(parts),
        // `a if b else c`: a where b holds, c where it does not. Without `else`, all is well where b does not hold.
        RichDependency::If {
            then,
            condition,
            otherwise,
        } => {
            let otherwise = otherwise
                .as_deref()
                .map_or(Branch::constant(polarity == Positive), Branch::Demands);
            choose(
                pool,
                condition,
                owner,
                polarity,
                [Branch::Demands(then), otherwise],
            )
        }
        // `a unless b else c`: c where b holds, a where it does not. Without `else`, nothing will do where b holds.
        RichDependency::Unless {
            then,
            condition,
            otherwise,
        } => {
            let otherwise = otherwise
                .as_deref()
                .map_or(Branch::constant(polarity == Negative), Branch::Demands);
            choose(
                pool,
                condition,
                owner,
                polarity,
                [otherwise, Branch::Demands(then)],
            )
        }
    }
}

/// What a condition decides about.
#[derive(Clone, Copy)]
enum Branch<'d> {
    /// This must hold (or, negated, must not).
    Demands(&'d RichDependency),
    Holds,
    Fails,
}

impl Branch<'_> {
    fn constant(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }
}

/// The first branch where `condition` holds, the second where it does not.
fn choose(
    pool: &Pool,
    condition: &RichDependency,
    owner: Owner,
    polarity: Polarity,
    branches: [Branch<'_>; 2],
) -> Formula {
    let mut parts = Vec::new();
    // The condition's own polarity in each branch, and its opposite.
    let sides = [
        (Polarity::Positive, Polarity::Negative),
        (Polarity::Negative, Polarity::Positive),
    ];
    for (at, (holds, fails)) in sides.into_iter().enumerate() {
        match (branches[at], branches[1 - at]) {
            // With no other way out, both the condition and what it demands.
            (Branch::Demands(rich), Branch::Fails) => {
                parts.push(build(pool, condition, owner, holds));
                parts.push(build(pool, rich, owner, polarity));
            }
            (Branch::Demands(rich), _) => {
                let owner = owner.in_choice();
                let without = build(pool, condition, owner, fails);
                parts.push(Formula::Either(vec![without, build(pool, rich, owner, polarity)]));
            }
            (Branch::Fails | Branch::Holds, _) => {}
        }
    }
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
