//! Relations between packages: `a (>= 1) [amd64] <!nocheck> | b:any, c` (Policy § 7.1).

use std::fmt;

use crate::names::{Architecture, NameError, PackageName};
use crate::version::{Version, VersionError};

/// The longest relation field that is taken, in bytes; the largest real one is below 100 KiB.
pub const MAX_RELATION_FIELD: usize = 4 << 20;

/// How a version must compare with the one that is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// `<<`: strictly earlier.
    Earlier,
    /// `<=`: earlier or equal.
    EarlierOrEqual,
    /// `=`: equal.
    Equal,
    /// `>=`: later or equal.
    LaterOrEqual,
    /// `>>`: strictly later.
    Later,
}

impl Comparison {
    /// The operator as it is written in a control file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Earlier => "<<",
            Self::EarlierOrEqual => "<=",
            Self::Equal => "=",
            Self::LaterOrEqual => ">=",
            Self::Later => ">>",
        }
    }
}

/// `(>= 1.2)`: which versions a relation means.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionConstraint {
    /// The operator.
    pub comparison: Comparison,
    /// What to compare with.
    pub version: Version,
}

impl VersionConstraint {
    /// Whether `version` is one of those that are meant.
    pub fn admits(&self, version: &Version) -> bool {
        let order = version.cmp(&self.version);
        match self.comparison {
            Comparison::Earlier => order.is_lt(),
            Comparison::EarlierOrEqual => order.is_le(),
            Comparison::Equal => order.is_eq(),
            Comparison::LaterOrEqual => order.is_ge(),
            Comparison::Later => order.is_gt(),
        }
    }
}

/// The part after `:` of `python3:any`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ArchitectureQualifier {
    /// `:any`: a package of any architecture that is `Multi-Arch: allowed`.
    Any,
    /// `:native`: the building machine's architecture (source packages only).
    Native,
    /// `:amd64`: that architecture.
    Exact(Architecture),
}

/// One term of `[amd64 !arm64]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ArchitectureTerm {
    /// Whether `!` stands before it.
    pub negated: bool,
    /// The architecture or wildcard.
    pub architecture: Architecture,
}

/// One term of `<!nocheck>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProfileTerm {
    /// Whether `!` stands before it.
    pub negated: bool,
    /// The build profile.
    pub profile: String,
}

/// One package of a relation field, with its conditions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Relation {
    /// The package, real or virtual.
    pub name: PackageName,
    /// What follows the name after `:`.
    pub arch_qualifier: Option<ArchitectureQualifier>,
    /// Which versions; `None` for every version.
    pub constraint: Option<VersionConstraint>,
    /// On which architectures the relation holds; empty for all. (Source packages, mostly.)
    pub architectures: Vec<ArchitectureTerm>,
    /// Under which build profiles: an or of ands; empty for always. (Source packages, mostly.)
    pub profiles: Vec<Vec<ProfileTerm>>,
}

/// Relations parted by `|`: any one of them will do. Never empty when it comes from [`parse_relations`].
pub type Alternatives = Vec<Relation>;

impl Relation {
    /// Whether the relation holds on `architecture` (an empty `[…]` list means everywhere).
    pub fn holds_on(&self, architecture: &Architecture) -> bool {
        match self.architectures.first() {
            None => true,
            // Policy § 7.1 forbids mixing: either all terms are negated or none is.
            Some(first) if first.negated => !self
                .architectures
                .iter()
                .any(|t| t.architecture.covers(architecture)),
            Some(_) => self
                .architectures
                .iter()
                .any(|t| t.architecture.covers(architecture)),
        }
    }

    /// Whether a real package `version` answers this relation's constraint.
    pub fn admits(&self, version: &Version) -> bool {
        self.constraint
            .as_ref()
            .is_none_or(|constraint| constraint.admits(version))
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        match &self.arch_qualifier {
            None => {}
            Some(ArchitectureQualifier::Any) => f.write_str(":any")?,
            Some(ArchitectureQualifier::Native) => f.write_str(":native")?,
            Some(ArchitectureQualifier::Exact(architecture)) => write!(f, ":{architecture}")?,
        }
        if let Some(VersionConstraint { comparison, version }) = &self.constraint {
            write!(f, " ({} {version})", comparison.as_str())?;
        }
        let sign = |negated| if negated { "!" } else { "" };
        if !self.architectures.is_empty() {
            let terms = self
                .architectures
                .iter()
                .map(|t| format!("{}{}", sign(t.negated), t.architecture));
            write!(f, " [{}]", terms.collect::<Vec<_>>().join(" "))?;
        }
        for group in &self.profiles {
            let terms = group.iter().map(|t| format!("{}{}", sign(t.negated), t.profile));
            write!(f, " <{}>", terms.collect::<Vec<_>>().join(" "))?;
        }
        Ok(())
    }
}

/// Why a relation field cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelationError {
    /// The field is longer than [`MAX_RELATION_FIELD`].
    #[error("the relation field has {length} bytes, more than {MAX_RELATION_FIELD}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The name or an architecture is malformed.
    #[error("in the relation `{relation}`: {source}")]
    Name {
        /// The relation.
        relation: String,
        /// What is wrong.
        source: NameError,
    },
    /// The version is malformed.
    #[error("in the relation `{relation}`: {source}")]
    Version {
        /// The relation.
        relation: String,
        /// What is wrong.
        source: VersionError,
    },
    /// Something else is wrong.
    #[error("the relation `{relation}` is malformed: {reason}")]
    Syntax {
        /// The relation.
        relation: String,
        /// What is wrong.
        reason: &'static str,
    },
}

/// Parses a relation field: a list parted by `,` of alternatives parted by `|`.
///
/// An empty field, and an empty place between commas, means nothing and is skipped, as dpkg does.
pub fn parse_relations(field: &str) -> Result<Vec<Alternatives>, RelationError> {
    if field.len() > MAX_RELATION_FIELD {
        return Err(RelationError::TooLong { length: field.len() });
    }
    let mut relations = Vec::new();
    for group in field.split(',').filter(|group| !group.trim().is_empty()) {
        relations.push(
            group
                .split('|')
                .map(parse_relation)
                .collect::<Result<Alternatives, _>>()?,
        );
    }
    Ok(relations)
}

/// Parses one relation, without `,` and `|`.
pub fn parse_relation(text: &str) -> Result<Relation, RelationError> {
    let text = text.trim();
    let shown = || text.chars().take(200).collect::<String>();
    let syntax = |reason| RelationError::Syntax {
        relation: shown(),
        reason,
    };
    let name_error = |source| RelationError::Name {
        relation: shown(),
        source,
    };

    let end = text
        .find(|c: char| c.is_ascii_whitespace() || "([<".contains(c))
        .unwrap_or(text.len());
    let (head, mut rest) = text.split_at(end);
    let (name, qualifier) = match head.split_once(':') {
        None => (head, None),
        Some((name, qualifier)) => (name, Some(qualifier)),
    };
    let mut relation = Relation {
        name: PackageName::parse(name).map_err(name_error)?,
        arch_qualifier: match qualifier {
            None => None,
            Some("any") => Some(ArchitectureQualifier::Any),
            Some("native") => Some(ArchitectureQualifier::Native),
            Some(exact) => Some(ArchitectureQualifier::Exact(
                Architecture::parse(exact).map_err(name_error)?,
            )),
        },
        constraint: None,
        architectures: Vec::new(),
        profiles: Vec::new(),
    };
    loop {
        rest = rest.trim_start();
        let Some(bracket) = rest.chars().next() else {
            return Ok(relation);
        };
        let close = match bracket {
            '(' => ')',
            '[' => ']',
            '<' => '>',
            _ => return Err(syntax("something unexpected follows the name")),
        };
        let (inside, after) = rest[1..]
            .split_once(close)
            .ok_or_else(|| syntax("a bracket is not closed"))?;
        rest = after;
        match bracket {
            '(' if relation.constraint.is_some() => return Err(syntax("it has two version constraints")),
            '(' => {
                let (comparison, version) =
                    split_operator(inside.trim()).ok_or_else(|| syntax("no operator"))?;
                let version = Version::parse(version.trim()).map_err(|source| RelationError::Version {
                    relation: shown(),
                    source,
                })?;
                relation.constraint = Some(VersionConstraint { comparison, version });
            }
            '[' => {
                for term in inside.split_ascii_whitespace() {
                    let (negated, name) = split_sign(term);
                    let architecture = Architecture::parse(name).map_err(name_error)?;
                    relation.architectures.push(ArchitectureTerm {
                        negated,
                        architecture,
                    });
                }
            }
            _ => {
                let terms = inside.split_ascii_whitespace().map(split_sign);
                let terms = terms.map(|(negated, profile)| ProfileTerm {
                    negated,
                    profile: profile.to_owned(),
                });
                relation.profiles.push(terms.collect());
            }
        }
    }
}

fn split_sign(term: &str) -> (bool, &str) {
    term.strip_prefix('!').map_or((false, term), |name| (true, name))
}

/// Splits off the operator. A lone `<` or `>` is the obsolete form of `<=` or `>=`, which dpkg still takes.
fn split_operator(text: &str) -> Option<(Comparison, &str)> {
    const OPERATORS: [(&str, Comparison); 7] = [
        ("<<", Comparison::Earlier),
        ("<=", Comparison::EarlierOrEqual),
        (">>", Comparison::Later),
        (">=", Comparison::LaterOrEqual),
        ("=", Comparison::Equal),
        ("<", Comparison::EarlierOrEqual),
        (">", Comparison::LaterOrEqual),
    ];
    OPERATORS
        .iter()
        .find_map(|(sign, comparison)| text.strip_prefix(sign).map(|version| (*comparison, version)))
}
