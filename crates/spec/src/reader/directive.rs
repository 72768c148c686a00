//! Lines that steer reading: conditionals and `%include`.

/// A line that steers reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Directive {
    If,
    IfArch,
    IfNArch,
    IfOs,
    IfNOs,
    Elif,
    ElifArch,
    ElifOs,
    Else,
    Endif,
    Include,
}

impl Directive {
    /// The directive at the start of a text without blanks before it.
    ///
    /// What takes an argument is followed by a blank or the end of the text; `%else` and `%endif` by what is no letter.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('%')?;
        if !matches!(rest.as_bytes().first(), Some(b'i' | b'e')) {
            return None;
        }
        let end = rest
            .bytes()
            .position(|byte| !byte.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let directive = match &rest[..end] {
            "if" => Self::If,
            "ifarch" => Self::IfArch,
            "ifnarch" => Self::IfNArch,
            "ifos" => Self::IfOs,
            "ifnos" => Self::IfNOs,
            "elif" => Self::Elif,
            "elifarch" => Self::ElifArch,
            "elifos" => Self::ElifOs,
            "else" => Self::Else,
            "endif" => Self::Endif,
            "include" => Self::Include,
            _ => return None,
        };
        let follows = rest.as_bytes().get(end);
        let fits = !directive.takes_argument() || matches!(follows, None | Some(b' ' | b'\t'));
        fits.then_some(directive)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::If => "%if",
            Self::IfArch => "%ifarch",
            Self::IfNArch => "%ifnarch",
            Self::IfOs => "%ifos",
            Self::IfNOs => "%ifnos",
            Self::Elif => "%elif",
            Self::ElifArch => "%elifarch",
            Self::ElifOs => "%elifos",
            Self::Else => "%else",
            Self::Endif => "%endif",
            Self::Include => "%include",
        }
    }

    pub(crate) fn takes_argument(self) -> bool {
        !matches!(self, Self::Else | Self::Endif)
    }

    /// Whether it opens a conditional.
    pub(crate) fn opens(self) -> bool {
        matches!(
            self,
            Self::If | Self::IfArch | Self::IfNArch | Self::IfOs | Self::IfNOs
        )
    }

    /// Whether it is a further branch with a condition.
    pub(crate) fn is_elif(self) -> bool {
        matches!(self, Self::Elif | Self::ElifArch | Self::ElifOs)
    }
}
