//! skeleton
use crate::{Dependency, DependencyParseError};
/// A rich (boolean) dependency.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RichDependency {
    /// A plain capability.
    Simple(Dependency),
    /// `(a and b and …)`
    And(Vec<RichDependency>),
    /// `(a or b or …)`
    Or(Vec<RichDependency>),
    /// `(then if condition [else otherwise])`
    If {
        /// What is wanted.
        then: Box<RichDependency>,
        /// When it is wanted.
        condition: Box<RichDependency>,
        /// What is wanted otherwise.
        otherwise: Option<Box<RichDependency>>,
    },
    /// `(then unless condition [else otherwise])`
    Unless {
        /// What is wanted.
        then: Box<RichDependency>,
        /// When it is not wanted.
        condition: Box<RichDependency>,
        /// What is wanted otherwise.
        otherwise: Option<Box<RichDependency>>,
    },
    /// `(a with b with …)`: one package provides all.
    With(Vec<RichDependency>),
    /// `(a without b)`: one package provides `a` and not `b`.
    Without(Box<RichDependency>, Box<RichDependency>),
}
impl RichDependency {
    /// Parses a rich dependency in parentheses, or a plain one.
    pub fn parse(_text: &str) -> Result<Self, DependencyParseError> {
        unimplemented!()
    }
}
impl std::fmt::Display for RichDependency {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        unimplemented!()
    }
}
