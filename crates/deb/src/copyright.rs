//! Machine-readable copyright files ("copyright-format 1.0", once DEP-5).

use crate::control::{ControlError, Paragraph, parse_paragraphs};
use crate::license::{LicenseExpression, LicenseExpressionError};

/// The most paragraphs that are taken; the largest real files have some thousand.
const MAX_PARAGRAPHS: usize = 100_000;

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
    /// Patterns of *source* files, where `*` and `?` match any character, `/` too.
    pub patterns: Vec<String>,
    /// The copyright statements, unfolded; empty where the field is missing.
    pub copyright: String,
    /// The licence; with an empty synopsis where the field is missing.
    pub license: License,
}

/// A licence field: a short name or expression, and perhaps its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct License {
    /// The first line: `GPL-2+ or MIT`. Files that do not follow the format may have it empty.
    pub synopsis: String,
    /// The text, unfolded; empty where a paragraph of its own has it.
    pub text: String,
}

/// Why a copyright file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CopyrightError {
    /// It is a text for people: it does not begin with a `Format` field.
    #[error("the copyright file is not machine-readable: it does not begin with a `Format` field")]
    NotMachineReadable,
    /// It is malformed.
    #[error("the copyright file is malformed: {0}")]
    Control(#[from] ControlError),
    /// It has more paragraphs than are taken.
    #[error("the copyright file has more than {MAX_PARAGRAPHS} paragraphs")]
    TooManyParagraphs,
}

impl Copyright {
    /// Parses a copyright file.
    ///
    /// Missing `Copyright` and `License` fields are taken as empty, for real files lack them.
    pub fn parse(text: &str) -> Result<Self, CopyrightError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut paragraphs = parse_paragraphs(text);
        let header = match paragraphs.next() {
            Some(Ok(header)) if is_header(&header) => header,
            _ => return Err(CopyrightError::NotMachineReadable),
        };
        let field = |name| header.get(name).map(|value| value.trim().to_owned());
        let mut copyright = Self {
            upstream_name: field("Upstream-Name"),
            source: field("Source"),
            license: header.text("License").map(|value| License::of_field(&value)),
            files: Vec::new(),
            licenses: Vec::new(),
        };
        for (count, paragraph) in paragraphs.enumerate() {
            if count == MAX_PARAGRAPHS {
                return Err(CopyrightError::TooManyParagraphs);
            }
            let paragraph = paragraph?;
            let license = paragraph.text("License").map(|value| License::of_field(&value));
            match (paragraph.get("Files"), license) {
                (Some(files), license) => copyright.files.push(FilesParagraph {
                    patterns: files.split_ascii_whitespace().map(str::to_owned).collect(),
                    copyright: paragraph
                        .text("Copyright")
                        .map(|value| value.trim().to_owned())
                        .unwrap_or_default(),
                    license: license.unwrap_or_default(),
                }),
                (None, Some(license)) => copyright.licenses.push(license),
                // Paragraphs of other fields are comments.
                (None, None) => {}
            }
        }
        Ok(copyright)
    }

    /// The text of the licence `synopsis`: of the paragraph that stands alone, or of the first that has one.
    pub fn license_text(&self, synopsis: &str) -> Option<&str> {
        let all = self
            .licenses
            .iter()
            .chain(self.files.iter().map(|files| &files.license))
            .chain(&self.license);
        all.filter(|license| license.synopsis.eq_ignore_ascii_case(synopsis) && !license.text.is_empty())
            .map(|license| license.text.as_str())
            .next()
    }
}

/// `Format` since DEP-5 was accepted, `Format-Specification` before.
fn is_header(paragraph: &Paragraph<'_>) -> bool {
    paragraph
        .get("Format")
        .or(paragraph.get("Format-Specification"))
        .is_some()
}

impl License {
    fn of_field(value: &str) -> Self {
        let (synopsis, text) = value.split_once('\n').unwrap_or((value, ""));
        Self {
            synopsis: synopsis.trim().to_owned(),
            text: text.to_owned(),
        }
    }

    /// The synopsis as an expression.
    pub fn expression(&self) -> Result<LicenseExpression, LicenseExpressionError> {
        LicenseExpression::parse(&self.synopsis)
    }
}
