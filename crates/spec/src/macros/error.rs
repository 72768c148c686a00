//! What goes wrong in an expansion, where, and in which macros.

use std::fmt;

/// A macro that was being expanded when an error occurred, outermost first in [`MacroError::stack`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The name of the macro, without `%`.
    pub name: String,
    /// The byte offset in the body of that macro at which the next frame, or the error itself, is.
    pub offset: usize,
}

/// An expansion that rpm would refuse.
///
/// Its display is the message alone; [`MacroError::trace`] adds the macros that led to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct MacroError {
    /// What is wrong.
    #[source]
    pub kind: MacroErrorKind,
    /// The byte offset in the text that was given to be expanded: that of the `%` of the outermost macro.
    pub offset: usize,
    /// The macros whose bodies were being expanded, outermost first; empty when the text itself is wrong.
    pub stack: Vec<Frame>,
}

impl MacroError {
    /// The names of the macros that led to the error: `in %a, in %b`; empty when there are none.
    pub fn trace(&self) -> String {
        let names: Vec<String> = self
            .stack
            .iter()
            .map(|frame| format!("in %{}", frame.name))
            .collect();
        names.join(", ")
    }
}

/// What is wrong in an expansion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MacroErrorKind {
    /// Macros call each other without an end.
    #[error(
        "too many levels of recursion in macro expansion (limit {limit}), likely a macro that calls itself"
    )]
    TooDeep {
        /// The limit of levels.
        limit: usize,
    },
    /// A limit of this library, that protects against hostile input.
    #[error("macro expansion exceeds the limit of {limit} {unit}")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// What is counted.
        unit: &'static str,
    },
    /// `%{`, `%(` or `%[` without its end.
    #[error("unterminated {opener}: {text}")]
    Unterminated {
        /// The bracket that is open.
        opener: char,
        /// The text from the bracket on, shortened.
        text: String,
    },
    /// `%define`, `%global` or `%undefine` with a name that rpm does not allow.
    #[error("macro %{name} has illegal name ({action})")]
    IllegalName {
        /// The name.
        name: String,
        /// The macro that was called, with its `%`.
        action: &'static str,
    },
    /// A built-in macro cannot be defined anew.
    #[error("macro %{name} is a built-in ({action})")]
    BuiltIn {
        /// The name.
        name: String,
        /// The macro that was called, with its `%`.
        action: &'static str,
    },
    /// The definition of a macro is malformed.
    #[error("macro %{name} {problem}")]
    Definition {
        /// The name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A parametric macro was called with an option that it does not have.
    #[error("unknown option {option} in {name}({options})")]
    UnknownOption {
        /// The option's character.
        option: char,
        /// The macro's name.
        name: String,
        /// The macro's options.
        options: String,
    },
    /// A built-in was called without its argument.
    #[error("%{0}: argument expected")]
    ArgumentExpected(String),
    /// A built-in was called with an argument that it does not take.
    #[error("%{0}: unexpected argument")]
    UnexpectedArgument(String),
    /// A built-in was called with an argument that it does not know.
    #[error("%{name}: invalid argument: {argument}")]
    InvalidArgument {
        /// The built-in.
        name: String,
        /// The argument.
        argument: String,
    },
    /// `%{macrobody:…}` of a macro that is not defined.
    #[error("no such macro: {0}")]
    NoSuchMacro(String),
    /// The text of `%{error:…}`.
    #[error("{0}")]
    Reported(String),
    /// An expression is malformed or its types do not fit.
    #[error("{problem}: {expression}")]
    Expression {
        /// What is wrong with it.
        problem: ExpressionProblem,
        /// The expression.
        expression: String,
        /// The byte offset in the expression.
        offset: usize,
    },
    /// A Lua script failed.
    #[error("invalid Lua script in %{{lua:}}: {0}")]
    Lua(String),
    /// A macro file could not be read.
    #[error("failed to load macro file {path}: {reason}")]
    Load {
        /// The file's path.
        path: String,
        /// Why.
        reason: String,
    },
    /// The hook for `%(…)` failed.
    #[error("failed to run the command of a shell expansion: {0}")]
    Shell(String),
}

/// What is wrong in an expression, in rpm's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpressionProblem {
    /// `=` alone.
    Equals,
    /// `&` alone.
    And,
    /// `|` alone.
    Or,
    /// A term's macros did not give digits.
    NotAnInteger,
    /// A term's macros gave a word without quotes.
    BareWordFromMacro,
    /// A word without quotes.
    BareWord,
    /// A string without its end.
    UnterminatedString,
    /// `v"…"` holds no version.
    InvalidVersion,
    /// A character that starts no token.
    Parse,
    /// A token at a place where it cannot be.
    Syntax,
    /// Nothing where a term should be.
    UnexpectedEnd,
    /// A parenthesis without its end.
    UnmatchedParenthesis,
    /// `-` before a string or version.
    MinusOnNumbers,
    /// The operands' types differ.
    TypesMustMatch,
    /// Division by zero.
    DivisionByZero,
    /// An operator that strings do not have.
    NotForStrings(&'static str),
    /// An operator that versions do not have.
    NotForVersions(&'static str),
    /// A function that expressions do not have.
    UnsupportedFunction,
    /// A version as the argument of a function.
    UnsupportedArgument,
    /// Parentheses deeper than this library's limit.
    TooDeep,
}

impl fmt::Display for ExpressionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Equals => "syntax error while parsing ==",
            Self::And => "syntax error while parsing &&",
            Self::Or => "syntax error while parsing ||",
            Self::NotAnInteger => "macro expansion did not return an integer",
            Self::BareWordFromMacro => "macro expansion returned a bare word, please use \"...\"",
            Self::BareWord => "bare words are no longer supported, please use \"...\"",
            Self::UnterminatedString => "unterminated string in expression",
            Self::InvalidVersion => "invalid version",
            Self::Parse => "parse error in expression",
            Self::Syntax => "syntax error in expression",
            Self::UnexpectedEnd => "unexpected end of expression",
            Self::UnmatchedParenthesis => "unmatched (",
            Self::MinusOnNumbers => "- only on numbers",
            Self::TypesMustMatch => "types must match",
            Self::DivisionByZero => "division by zero",
            Self::NotForStrings(operators) => return write!(f, "{operators} not supported for strings"),
            Self::NotForVersions(operators) => return write!(f, "{operators} not supported for versions"),
            Self::UnsupportedFunction => "unsupported function",
            Self::UnsupportedArgument => "unsupported function argument type",
            Self::TooDeep => "expression is nested too deeply",
        };
        f.write_str(text)
    }
}
