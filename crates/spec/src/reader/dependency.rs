//! Requirements, provisions and the like, as a spec gives them.

use super::model::Position;

/// What a package has to do with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DependencyKind {
    /// It must be there.
    Requires,
    /// It is there with this package.
    Provides,
    /// It must not be there.
    Conflicts,
    /// This package takes its place.
    Obsoletes,
    /// It should be there.
    Recommends,
    /// It might be useful.
    Suggests,
    /// This package should be there if that one is.
    Supplements,
    /// This package might be useful if that one is there.
    Enhances,
    /// It is installed before, if it is installed at all.
    OrderWithRequires,
}

bitflags::bitflags! {
    /// When a dependency is needed: the words in the parentheses of `Requires(…)`, and what a scriptlet's interpreter is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct Qualifiers: u16 {
        /// `pre`: before the files are laid.
        const PRE = 1;
        /// `post`: after the files are laid.
        const POST = 2;
        /// `preun`: before the files are removed.
        const PREUN = 4;
        /// `postun`: after the files are removed.
        const POSTUN = 8;
        /// `pretrans`: before the transaction.
        const PRETRANS = 16;
        /// `posttrans`: after the transaction.
        const POSTTRANS = 32;
        /// `verify`: for `%verifyscript`.
        const VERIFY = 64;
        /// `interp`: it runs a scriptlet.
        const INTERP = 128;
        /// `meta`: it does not order the transaction.
        const META = 256;
        /// `rpmlib`: a feature of rpm itself.
        const RPMLIB = 512;
        /// `prereq`: the old word for what must be there before.
        const PREREQ = 1024;
        /// `preuntrans`, of newer rpm.
        const PREUNTRANS = 2048;
        /// `postuntrans`, of newer rpm.
        const POSTUNTRANS = 4096;
        /// `missingok`: it need not be there.
        const MISSING_OK = 8192;
    }
}

/// Where a dependency comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A line of the spec.
    Line(Position),
    /// rpm adds it: a package provides itself, needs its interpreters, and the features of rpm that it uses.
    Automatic,
}

/// One requirement, provision or the like.
///
/// Its `Display` is what rpm's `%{REQUIRENEVRS}` is: `name`, `name >= evr`, or the rich dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// What it is for.
    pub kind: DependencyKind,
    /// The name; of a rich dependency, the whole of it with single blanks: `(a if b)`.
    pub name: String,
    /// The comparison and the EVR with which it compares.
    pub constraint: Option<(Comparison, String)>,
    /// When it is needed.
    pub qualifiers: Qualifiers,
    /// Where it comes from.
    pub origin: Origin,
}

impl Dependency {
    /// Whether it is a rich dependency.
    #[must_use]
    pub fn is_rich(&self) -> bool {
        self.name.starts_with('(')
    }
}

impl std::fmt::Display for Dependency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.constraint {
            None => f.write_str(&self.name),
            Some((comparison, evr)) => write!(f, "{} {} {evr}", self.name, comparison.symbol()),
        }
    }
}

/// How versions are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
}

impl Comparison {
    /// The operator as rpm prints it.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
        }
    }

    /// The operator that a spec may use; it knows some spellings more than rpm prints.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
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
