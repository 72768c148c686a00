//! Machine-readable copyright files (DEP-5, "copyright-format 1.0").

/// A machine-readable `debian/copyright`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copyright {
    /// `Upstream-Name`
    pub upstream_name: Option<String>,
    /// `Source`
    pub source: Option<String>,
    /// `License` of the header: of the work as a whole.
    pub license: Option<License>,
    /// The `Files` paragraphs; the last that matches a file counts.
    pub files: Vec<FilesParagraph>,
    /// The licences that stand alone, for reference by name.
    pub licenses: Vec<License>,
}

/// A `Files` paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesParagraph {
    /// Patterns of *source* files.
    pub patterns: Vec<String>,
    /// The copyright statements.
    pub copyright: String,
    /// The licence.
    pub license: License,
}

/// A licence field: `GPL-2+ or MIT` and perhaps its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License {
    /// The short name or expression; empty in a header of old files.
    pub synopsis: String,
    /// The text, unfolded; empty where a paragraph of its own has it.
    pub text: String,
}

/// A licence expression such as `GPL-2+ with OpenSSL exception, or MIT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LicenseExpression {
    /// A short name, as it is written.
    Name(String),
    /// A short name with an exception, without the words `with` and `exception`.
    With {
        /// The licence.
        license: String,
        /// The exception.
        exception: String,
    },
    /// All of them hold.
    And(Vec<LicenseExpression>),
    /// One of them may be chosen.
    Or(Vec<LicenseExpression>),
}
