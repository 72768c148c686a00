//! Makes an index of the lists of the suites.

use lazuli_catalog::SuiteName;
use lazuli_deb::{Architecture, Binary, EntryPath, Paragraph, Version, parse_paragraph};
use rayon::prelude::*;

use super::{Index, ProviderRow, Row, Span};
use crate::error::UpstreamError;

/// The fields that are kept, in the order in which they are written. `Package` and `Version` come before them.
const KEPT: [&str; 24] = [
    "Source",
    "Architecture",
    "Essential",
    "Protected",
    "Important",
    "Multi-Arch",
    "Priority",
    "Section",
    "Pre-Depends",
    "Depends",
    "Recommends",
    "Suggests",
    "Enhances",
    "Breaks",
    "Conflicts",
    "Replaces",
    "Provides",
    "Installed-Size",
    "Maintainer",
    "Homepage",
    "Filename",
    "Size",
    "SHA256",
    "Description",
];

/// The most bytes of text that an index may have: offsets have 32 bits.
const MAX_TEXT: usize = u32::MAX as usize;

/// A `Packages` file whose digest has been checked.
#[derive(Debug)]
pub(crate) struct PackagesText {
    /// Its name for errors.
    pub(crate) file: String,
    /// Which suite, by its place in the settings.
    pub(crate) suite: usize,
    /// Its content.
    pub(crate) text: String,
}

/// A package that has been read.
struct Parsed {
    /// The paragraph, cut down. It begins with `Package: NAME\nVersion: VERSION\n`.
    text: String,
    name: String,
    version: Version,
    provides: Vec<String>,
    suite: usize,
    architecture: Architecture,
}

/// Makes an index. Every paragraph is read and checked once, here, so that none can fail later.
pub(crate) fn build(
    suites: Vec<SuiteName>,
    lists: &[PackagesText],
    architecture: &Architecture,
    progress: &mut dyn FnMut(usize),
) -> Result<Index, UpstreamError> {
    let mut all: Vec<Parsed> = Vec::new();
    for list in lists {
        let paragraphs: Vec<&str> = list
            .text
            .split("\n\n")
            .filter(|text| !text.trim().is_empty())
            .collect();
        let parsed: Result<Vec<Parsed>, UpstreamError> = paragraphs
            .par_iter()
            .map(|text| parse(list, text, architecture))
            .collect();
        all.extend(parsed?);
        progress(all.len());
    }
    // A stable sort: of equal versions, that of the suite which stands first in the settings comes first.
    all.par_sort_by(|a, b| a.name.cmp(&b.name).then_with(|| b.version.cmp(&a.version)));
    all.dedup_by(|later, first| {
        later.name == first.name
            && later.version.as_str() == first.version.as_str()
            && later.architecture == first.architecture
    });
    assemble(suites, &all)
}

/// Puts the packages, in their order, into one text with tables.
fn assemble(suites: Vec<SuiteName>, all: &[Parsed]) -> Result<Index, UpstreamError> {
    let mut text = String::with_capacity(all.iter().map(|parsed| parsed.text.len()).sum());
    let mut rows = Vec::with_capacity(all.len());
    let mut provided: Vec<(&str, u32)> = Vec::new();
    for (number, parsed) in all.iter().enumerate() {
        let offset = text.len();
        text.push_str(&parsed.text);
        let name_at = offset + "Package: ".len();
        let version_at = name_at + parsed.name.len() + "\nVersion: ".len();
        rows.push(Row {
            paragraph: span(offset, parsed.text.len())?,
            name: span(name_at, parsed.name.len())?,
            version: span(version_at, parsed.version.as_str().len())?,
            suite: parsed.suite as u32,
        });
        provided.extend(parsed.provides.iter().map(|name| (name.as_str(), number as u32)));
    }
    provided.sort_unstable();
    provided.dedup();
    let mut providers: Vec<ProviderRow> = Vec::with_capacity(provided.len());
    let mut last: Option<(&str, Span)> = None;
    for (name, row) in provided {
        let name_span = match last {
            Some((before, span)) if before == name => span,
            _ => {
                text.push_str(name);
                span(text.len() - name.len(), name.len())?
            }
        };
        last = Some((name, name_span));
        providers.push(ProviderRow { name: name_span, row });
    }
    Ok(Index {
        suites,
        text: text.into_bytes(),
        rows,
        providers,
    })
}

fn span(offset: usize, length: usize) -> Result<Span, UpstreamError> {
    match offset + length {
        0..=MAX_TEXT => Ok(Span {
            offset: offset as u32,
            length: length as u32,
        }),
        _ => Err(UpstreamError::Settings {
            reason: "the suites have too many packages for one index".to_owned(),
        }),
    }
}

fn parse(list: &PackagesText, text: &str, wanted: &Architecture) -> Result<Parsed, UpstreamError> {
    let paragraph = parse_paragraph(text).map_err(|source| UpstreamError::Control {
        file: list.file.clone(),
        source,
    })?;
    let binary = Binary::from_paragraph(&paragraph).map_err(|source| UpstreamError::Package {
        file: list.file.clone(),
        source: Box::new(source),
    })?;
    let fail = |reason| UpstreamError::Entry {
        file: list.file.clone(),
        package: binary.name.to_string(),
        reason,
    };
    if binary.size.is_none() || binary.sha256.is_none() {
        return Err(fail("it has no field `Size` or `SHA256`"));
    }
    let filename = binary
        .filename
        .as_deref()
        .ok_or_else(|| fail("it has no field `Filename`"))?;
    if EntryPath::parse(filename.as_bytes()).is_err()
        || filename.contains(|c: char| c.is_whitespace() || c == '\'')
    {
        return Err(fail(
            "its `Filename` climbs, is absolute, or has characters that no file name needs",
        ));
    }
    if !binary.architecture.is_all() && &binary.architecture != wanted {
        return Err(fail("it is of another architecture"));
    }
    let provides = binary
        .provides
        .iter()
        .flatten()
        .map(|provided| provided.name.to_string())
        .collect();
    Ok(Parsed {
        text: cut_down(&paragraph, &binary),
        name: binary.name.to_string(),
        version: binary.version,
        provides,
        suite: list.suite,
        architecture: binary.architecture,
    })
}

/// The paragraph with nothing but the fields that are kept. No empty line follows it: offsets tell where it ends.
fn cut_down(paragraph: &Paragraph<'_>, binary: &Binary) -> String {
    let mut text = format!("Package: {}\nVersion: {}\n", binary.name, binary.version);
    for field in KEPT {
        let value = paragraph.get(field).filter(|value| !value.is_empty());
        if let Some(value) = value {
            for part in [field, ": ", value, "\n"] {
                text.push_str(part);
            }
        }
    }
    text
}
