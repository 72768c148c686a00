//! Capabilities: what a package requires, provides, conflicts with and so on.

use crate::{Evr, Tag};
use std::cmp::Ordering;
use std::fmt;

bitflags::bitflags! {
    /// The bits of RPMTAG_REQUIREFLAGS and its siblings (rpmds.h).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
    pub struct Sense: u32 {
        /// RPMSENSE_LESS
        const LESS = 1 << 1;
        /// RPMSENSE_GREATER
        const GREATER = 1 << 2;
        /// RPMSENSE_EQUAL
        const EQUAL = 1 << 3;
        /// RPMSENSE_PREREQ
        const PREREQ = 1 << 6;
        /// RPMSENSE_INTERP
        const INTERP = 1 << 8;
        /// RPMSENSE_SCRIPT_PRE
        const SCRIPT_PRE = 1 << 9;
        /// RPMSENSE_SCRIPT_POST
        const SCRIPT_POST = 1 << 10;
        /// RPMSENSE_SCRIPT_PREUN
        const SCRIPT_PREUN = 1 << 11;
        /// RPMSENSE_SCRIPT_POSTUN
        const SCRIPT_POSTUN = 1 << 12;
        /// RPMSENSE_FIND_REQUIRES
        const FIND_REQUIRES = 1 << 14;
        /// RPMSENSE_FIND_PROVIDES
        const FIND_PROVIDES = 1 << 15;
        /// RPMSENSE_RPMLIB
        const RPMLIB = 1 << 24;
        /// RPMSENSE_CONFIG
        const CONFIG = 1 << 28;
        /// Bits without a name here are kept.
        const _ = !0;
    }
}

/// How a dependency bounds the version of what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl Sense {
    /// The bits that compare versions.
    pub const COMPARISON: Self = Self::LESS.union(Self::GREATER).union(Self::EQUAL);
}

/// Where a header keeps one kind of dependencies: three arrays of the same length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DependencyTags {
    pub(crate) name: Tag,
    pub(crate) version: Tag,
    pub(crate) flags: Tag,
}

macro_rules! dependency_tags {
    ($($kind:ident = $name:ident, $version:ident, $flags:ident;)*) => {
        impl DependencyTags {
            $(pub(crate) const $kind: Self = Self { name: Tag::$name, version: Tag::$version, flags: Tag::$flags };)*
        }
    };
}

dependency_tags! {
    REQUIRES = REQUIRENAME, REQUIREVERSION, REQUIREFLAGS;
    PROVIDES = PROVIDENAME, PROVIDEVERSION, PROVIDEFLAGS;
    CONFLICTS = CONFLICTNAME, CONFLICTVERSION, CONFLICTFLAGS;
    OBSOLETES = OBSOLETENAME, OBSOLETEVERSION, OBSOLETEFLAGS;
    RECOMMENDS = RECOMMENDNAME, RECOMMENDVERSION, RECOMMENDFLAGS;
    SUGGESTS = SUGGESTNAME, SUGGESTVERSION, SUGGESTFLAGS;
    SUPPLEMENTS = SUPPLEMENTNAME, SUPPLEMENTVERSION, SUPPLEMENTFLAGS;
    ENHANCES = ENHANCENAME, ENHANCEVERSION, ENHANCEFLAGS;
}

impl Comparison {
    /// The comparison bits of a header's flags; `None` if they say nothing (none is set, or all).
    pub fn from_sense(sense: Sense) -> Option<Self> {
        let has = |bit| sense.contains(bit);
        match (has(Sense::LESS), has(Sense::EQUAL), has(Sense::GREATER)) {
            (true, false, false) => Some(Self::Less),
            (true, true, false) => Some(Self::LessOrEqual),
            (false, true, false) => Some(Self::Equal),
            (false, true, true) => Some(Self::GreaterOrEqual),
            (false, false, true) => Some(Self::Greater),
            _ => None,
        }
    }

    /// The bits of a header's flags.
    pub fn sense(self) -> Sense {
        match self {
            Self::Less => Sense::LESS,
            Self::LessOrEqual => Sense::LESS | Sense::EQUAL,
            Self::Equal => Sense::EQUAL,
            Self::GreaterOrEqual => Sense::GREATER | Sense::EQUAL,
            Self::Greater => Sense::GREATER,
        }
    }

    /// `<`, `<=`, `=`, `>=` or `>`.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
        }
    }

    /// The comparison of a symbol; `==` counts as `=`.
    pub fn from_symbol(text: &str) -> Option<Self> {
        Some(match text {
            "<" => Self::Less,
            "<=" | "=<" => Self::LessOrEqual,
            "=" | "==" => Self::Equal,
            ">=" | "=>" => Self::GreaterOrEqual,
            ">" => Self::Greater,
            _ => return None,
        })
    }
}

/// One capability with its version bound. A rich dependency keeps its whole text in `name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dependency {
    /// The capability, a path, or the whole text of a rich dependency (`(a or b)`).
    pub name: String,
    /// The bound, if there is one.
    pub constraint: Option<(Comparison, Evr)>,
    /// What else the header says of it; the comparison bits are derived from `constraint` and not set here.
    pub sense: Sense,
}

/// Why a text is no dependency.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is no dependency: {reason}")]
pub struct DependencyParseError {
    /// What was parsed.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Dependency {
    /// A capability of any version.
    pub fn any(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            constraint: None,
            sense: Sense::empty(),
        }
    }

    /// A capability with a version bound.
    pub fn versioned(name: impl Into<String>, comparison: Comparison, evr: Evr) -> Self {
        Self {
            name: name.into(),
            constraint: Some((comparison, evr)),
            sense: Sense::empty(),
        }
    }

    /// Parses `name`, `name >= evr`, or a rich dependency in parentheses.
    pub fn parse(text: &str) -> Result<Self, DependencyParseError> {
        let fail = |reason: &str| DependencyParseError {
            text: text.to_owned(),
            reason: reason.to_owned(),
        };
        let trimmed = text.trim();
        if trimmed.starts_with('(') {
            return Ok(Self::any(trimmed));
        }
        let mut words = trimmed.split_whitespace();
        let name = words.next().ok_or_else(|| fail("it is empty"))?;
        let Some(symbol) = words.next() else {
            return Ok(Self::any(name));
        };
        let comparison = Comparison::from_symbol(symbol).ok_or_else(|| fail("expected <, <=, =, >= or >"))?;
        let evr = words
            .next()
            .ok_or_else(|| fail("a version must follow the comparison"))?;
        if words.next().is_some() {
            return Err(fail("there is text after the version"));
        }
        let evr = Evr::parse(evr).map_err(|e| fail(e.reason))?;
        Ok(Self::versioned(name, comparison, evr))
    }

    /// Whether this is a rich (boolean) dependency.
    pub fn is_rich(&self) -> bool {
        self.name.starts_with('(')
    }

    /// Whether the version ranges of two dependencies of the same name meet (`rpmdsCompare`).
    pub fn overlaps(&self, other: &Self) -> bool {
        if self.name != other.name {
            return false;
        }
        let (Some((left, left_evr)), Some((right, right_evr))) = (&self.constraint, &other.constraint) else {
            return true;
        };
        let (l, r) = (left.sense(), right.sense());
        match left_evr.compare_open(right_evr) {
            Ordering::Less => l.contains(Sense::GREATER) || r.contains(Sense::LESS),
            Ordering::Greater => l.contains(Sense::LESS) || r.contains(Sense::GREATER),
            Ordering::Equal => l.intersects(r),
        }
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some((comparison, evr)) = &self.constraint {
            write!(f, " {} {evr}", comparison.symbol())?;
        }
        Ok(())
    }
}
