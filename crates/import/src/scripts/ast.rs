//! The tree of a shell script, as far as maintainer scripts need it (POSIX.1-2017, Shell Command Language, 2.10).

/// A whole script.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Script {
    /// Its commands.
    pub(crate) root: Node,
    /// The texts of its here-documents.
    pub(crate) here: Vec<Word>,
}

/// A command, simple or compound, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// Line of its first character, from 1.
    pub(crate) line: u32,
    /// Its text: a range of bytes of the script; empty inside backticks.
    pub(crate) span: (usize, usize),
    /// What it is.
    pub(crate) kind: Kind,
    /// Its redirections.
    pub(crate) redirects: Vec<Redirect>,
}

/// What a command is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// `A=b command words`.
    Simple {
        /// Assignments before the words.
        assignments: Vec<(String, Word)>,
        /// The words; may be empty.
        words: Vec<Word>,
    },
    /// `a | b`, perhaps after `!`.
    Pipeline {
        /// Whether `!` stands before it.
        negated: bool,
        /// One or more commands.
        stages: Vec<Node>,
    },
    /// `a && b`
    And(Box<Node>, Box<Node>),
    /// `a || b`
    Or(Box<Node>, Box<Node>),
    /// `a; b`, or one command to a line.
    Sequence(Vec<Node>),
    /// `( … )`
    Subshell(Box<Node>),
    /// `{ … }`
    Group(Box<Node>),
    /// `if … then … elif … else … fi`
    If {
        /// Conditions and what follows them.
        branches: Vec<(Node, Node)>,
        /// `else`
        otherwise: Option<Box<Node>>,
    },
    /// `for v in words; do … done`
    For {
        /// The variable.
        variable: String,
        /// The words; `None` is `"$@"`.
        words: Option<Vec<Word>>,
        /// The body.
        body: Box<Node>,
    },
    /// `while … do … done`, `until`.
    While {
        /// The condition.
        condition: Box<Node>,
        /// The body.
        body: Box<Node>,
    },
    /// `case … in … esac`
    Case {
        /// What is matched.
        word: Word,
        /// The arms, in order.
        arms: Vec<Arm>,
    },
    /// `name() { … }`
    Function {
        /// Its name.
        name: String,
        /// Its body.
        body: Box<Node>,
    },
}

/// One arm of a `case`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arm {
    /// Its patterns.
    pub(crate) patterns: Vec<Word>,
    /// What it does.
    pub(crate) body: Node,
}

/// A word before expansion.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Word(pub(crate) Vec<Part>);

/// A piece of a word.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    /// Plain text, subject to file name patterns.
    Plain(String),
    /// Text that stands for itself: `'…'`, `\x`.
    Exact(String),
    /// `"…"`
    Double(Vec<Part>),
    /// `$name`, `${name:-word}` and so on.
    Variable {
        /// The name, a digit, or one of `@ * # ? $ ! -`.
        name: String,
        /// The operator and its word.
        operator: Option<(String, Word)>,
    },
    /// `$(…)` or backticks.
    Command(Box<Node>),
    /// `$((…))`: not computed.
    Arithmetic,
    /// The here-document of that number.
    Here(usize),
}

/// `2>file`, `<<EOF`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Redirect {
    /// The file descriptor before it, if one is written.
    pub(crate) descriptor: Option<u32>,
    /// How.
    pub(crate) operator: RedirectOperator,
    /// The file, or the text of a here-document.
    pub(crate) target: Word,
}

/// How a redirection works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RedirectOperator {
    /// `<`
    Read,
    /// `>`, `>|`
    Write,
    /// `>>`
    Append,
    /// `<>`
    ReadWrite,
    /// `<&`, `>&`
    Duplicate,
    /// `<<`, `<<-`; the target is the text.
    HereDocument,
}
