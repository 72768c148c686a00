//! Reading and writing of XML, as far as rpm-md needs it.

use crate::MetadataError;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use rayon::prelude::*;

/// Limit of packages in one metadata file. The largest distributions have about 100,000.
const MAX_PACKAGES: usize = 2_000_000;

/// A pull parser over one metadata file (or a part of it) that knows its name, for errors.
pub(crate) struct Scanner<'a> {
    reader: Reader<&'a [u8]>,
    file: &'static str,
    base: u64,
    /// The package that is being read, for errors.
    pub(crate) package: String,
}

/// What comes next inside an element.
pub(crate) enum Child<'a> {
    /// A start tag; its content and its end tag follow.
    Open(BytesStart<'a>),
    /// An element without content.
    Empty(BytesStart<'a>),
    /// The end tag of the element itself, or the end of the input.
    End,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(file: &'static str, xml: &'a str, base: u64) -> Self {
        let mut reader = Reader::from_str(xml);
        let config = reader.config_mut();
        config.check_end_names = true;
        config.allow_unmatched_ends = false;
        Self {
            reader,
            file,
            base,
            package: String::new(),
        }
    }

    fn offset(&self) -> u64 {
        self.base + self.reader.buffer_position()
    }

    pub(crate) fn value_error(&self, reason: impl Into<String>) -> MetadataError {
        MetadataError::Value {
            file: self.file.to_owned(),
            offset: self.offset(),
            package: self.package.clone(),
            reason: reason.into(),
        }
    }

    fn xml_error(&self, reason: impl ToString) -> MetadataError {
        MetadataError::Xml {
            file: self.file.to_owned(),
            offset: self.offset(),
            reason: reason.to_string(),
        }
    }

    fn event(&mut self) -> Result<Event<'a>, MetadataError> {
        match self.reader.read_event() {
            Ok(event) => Ok(event),
            Err(error) => Err(self.xml_error(error)),
        }
    }

    /// The next child element; text between elements is passed over.
    pub(crate) fn child(&mut self) -> Result<Child<'a>, MetadataError> {
        loop {
            match self.event()? {
                Event::Start(start) => return Ok(Child::Open(start)),
                Event::Empty(start) => return Ok(Child::Empty(start)),
                Event::End(_) | Event::Eof => return Ok(Child::End),
                // No entity may be declared: it could blow up, and rpm-md needs none.
                Event::DocType(_) => return Err(self.xml_error("a document type is not allowed")),
                _ => {}
            }
        }
    }

    /// The next child element, and whether it has content; `None` behind the last.
    pub(crate) fn tag(&mut self) -> Result<Option<(BytesStart<'a>, Form)>, MetadataError> {
        Ok(match self.child()? {
            Child::Open(tag) => Some((tag, Form::Open)),
            Child::Empty(tag) => Some((tag, Form::Empty)),
            Child::End => None,
        })
    }

    /// Passes over the content and the end tag of `start`.
    pub(crate) fn skip(&mut self, start: &BytesStart<'_>) -> Result<(), MetadataError> {
        match self.reader.read_to_end(start.name()) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.xml_error(error)),
        }
    }

    /// The text of the element whose start tag was just read, up to its end tag.
    pub(crate) fn text(&mut self) -> Result<String, MetadataError> {
        let mut result = String::new();
        loop {
            match self.event()? {
                Event::Text(text) => result.push_str(&text.xml10_content()),
                Event::CData(text) => result.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    if let Some(character) = reference.resolve_char_ref().map_err(|e| self.xml_error(e))? {
                        result.push(character);
                        continue;
                    }
                    match predefined(&reference.into_inner()) {
                        Some(text) => result.push_str(text),
                        None => return Err(self.xml_error("unknown entity")),
                    }
                }
                Event::End(_) => return Ok(result),
                Event::Eof => return Err(self.xml_error("the file ends inside an element")),
                Event::Start(_) | Event::Empty(_) => return Err(self.xml_error("an element inside of text")),
                _ => {}
            }
        }
    }

    /// The text of `child`, which is empty for an empty element.
    pub(crate) fn text_of(&mut self, form: Form) -> Result<String, MetadataError> {
        match form {
            Form::Open => self.text(),
            Form::Empty => Ok(String::new()),
        }
    }

    /// The text of the current element as a number.
    pub(crate) fn number(&mut self) -> Result<u64, MetadataError> {
        let text = self.text()?;
        self.parse_number(&text)
    }

    pub(crate) fn parse_number(&self, text: &str) -> Result<u64, MetadataError> {
        let text = text.trim();
        // Some tools write timestamps as floating point numbers.
        let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
        whole
            .parse()
            .map_err(|_| self.value_error(format!("`{text}` is no number")))
    }

    /// Calls `take` with the name and value of each attribute.
    pub(crate) fn attributes(
        &self,
        start: &BytesStart<'_>,
        mut take: impl FnMut(&str, &str) -> Result<(), MetadataError>,
    ) -> Result<(), MetadataError> {
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|e| self.xml_error(e))?;
            let key: &str = attribute.key.as_ref();
            if !attribute.value.contains(['&', '\n', '\t', '\r']) {
                take(key, &attribute.value)?;
                continue;
            }
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                .map_err(|e| self.xml_error(e))?;
            take(key, &value)?;
        }
        Ok(())
    }

    /// One attribute.
    pub(crate) fn attribute(
        &self,
        start: &BytesStart<'_>,
        name: &str,
    ) -> Result<Option<String>, MetadataError> {
        let mut found = None;
        self.attributes(start, |key, value| {
            if key == name {
                found = Some(value.to_owned());
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// One attribute that must be there.
    pub(crate) fn required(&self, start: &BytesStart<'_>, name: &str) -> Result<String, MetadataError> {
        let element: &str = start.name().into_inner();
        self.attribute(start, name)?
            .ok_or_else(|| self.value_error(format!("<{element}> lacks the attribute `{name}`")))
    }
}

/// Whether an element has content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `<a>…</a>`
    Open,
    /// `<a/>`
    Empty,
}

/// A file as text.
pub(crate) fn utf8<'x>(file: &'static str, xml: &'x [u8]) -> Result<&'x str, MetadataError> {
    std::str::from_utf8(xml).map_err(|error| MetadataError::Xml {
        file: file.to_owned(),
        offset: error.valid_up_to() as u64,
        reason: "the text is not UTF-8".to_owned(),
    })
}

fn predefined(entity: &str) -> Option<&'static str> {
    Some(match entity {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => return None,
    })
}

/// Parses a file that consists of one `root` element with many `<package>` elements, on several cores.
///
/// The body is cut behind `</package>`. That is only right where no comment or CDATA section can hide one, so a body
/// with any of them is parsed in one piece.
pub(crate) fn parse_packages<T: Send>(
    file: &'static str,
    root: &str,
    xml: &[u8],
    parse: impl Fn(&mut Scanner<'_>, &BytesStart<'_>) -> Result<T, MetadataError> + Sync,
) -> Result<Vec<T>, MetadataError> {
    let (body, base) = match body(file, root, xml)? {
        Some(found) => found,
        None => return Ok(Vec::new()),
    };
    let pieces = if body.contains("<!") {
        vec![(0, body)]
    } else {
        cut(body)
    };
    let parts: Vec<Vec<T>> = pieces
        .into_par_iter()
        .map(|(start, piece)| {
            let mut scanner = Scanner::new(file, piece, base + start as u64);
            let mut result = Vec::new();
            loop {
                match scanner.child()? {
                    Child::Open(tag) if tag.local_name().as_ref() == "package" => {
                        result.push(parse(&mut scanner, &tag)?);
                        scanner.package.clear();
                    }
                    Child::Open(tag) => scanner.skip(&tag)?,
                    Child::Empty(_) => {}
                    Child::End => return Ok(result),
                }
            }
        })
        .collect::<Result<_, MetadataError>>()?;
    let total = parts.iter().map(Vec::len).sum::<usize>();
    if total > MAX_PACKAGES {
        return Err(MetadataError::TooLarge {
            file: file.to_owned(),
            what: "packages",
            limit: MAX_PACKAGES as u64,
        });
    }
    let mut all = Vec::with_capacity(total);
    parts.into_iter().for_each(|part| all.extend(part));
    Ok(all)
}

/// What stands between the start and the end tag of the root element, with its offset; `None` if it is empty.
fn body<'a>(file: &'static str, root: &str, xml: &'a [u8]) -> Result<Option<(&'a str, u64)>, MetadataError> {
    let error = |offset: usize, reason: String| MetadataError::Xml {
        file: file.to_owned(),
        offset: offset as u64,
        reason,
    };
    let text = utf8(file, xml)?;
    let mut scanner = Scanner::new(file, text, 0);
    let start = match scanner.child()? {
        Child::Open(tag) if tag.local_name().as_ref() == root => scanner.offset() as usize,
        Child::Empty(tag) if tag.local_name().as_ref() == root => return Ok(None),
        _ => return Err(error(0, format!("expected the root element <{root}>"))),
    };
    let rest = text.get(start..).unwrap_or_default();
    let end_tag = format!("</{root}>");
    let end = rest
        .rfind(&end_tag)
        .ok_or_else(|| error(xml.len(), format!("{end_tag} is missing")))?;
    if !rest[end + end_tag.len()..].trim().is_empty() {
        return Err(error(start + end, format!("there is text after {end_tag}")));
    }
    Ok(Some((&rest[..end], start as u64)))
}

/// Cuts a body into pieces behind `</package>`, each with its offset: a few for each core, so that they even out.
fn cut(body: &str) -> Vec<(usize, &str)> {
    const END: &str = "</package>";
    const LEAST: usize = 256 << 10;
    let size = (body.len() / (rayon::current_num_threads() * 4)).max(LEAST);
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < body.len() {
        let mut aim = (start + size).min(body.len());
        while !body.is_char_boundary(aim) {
            aim += 1;
        }
        let end = body[aim..]
            .find(END)
            .map_or(body.len(), |found| aim + found + END.len());
        pieces.push((start, &body[start..end]));
        start = end;
    }
    pieces
}

/// Appends `text` to XML text, escaped. Characters that XML 1.0 has no way to write are left out, as createrepo_c does.
pub(crate) fn push_text(out: &mut String, text: &str) {
    push_escaped(out, text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\r' => Some("&#13;"),
        c if is_forbidden(c) => Some(""),
        _ => None,
    });
}

/// Appends `text` to the value of an attribute in double quotes, escaped.
pub(crate) fn push_attribute(out: &mut String, text: &str) {
    push_escaped(out, text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\t' => Some("&#9;"),
        '\n' => Some("&#10;"),
        '\r' => Some("&#13;"),
        c if is_forbidden(c) => Some(""),
        _ => None,
    });
}

/// XML 1.0, section 2.2: what is no `Char`.
fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn push_escaped(out: &mut String, text: &str, escape: impl Fn(char) -> Option<&'static str>) {
    let mut plain = 0;
    for (index, character) in text.char_indices() {
        if let Some(instead) = escape(character) {
            out.push_str(&text[plain..index]);
            out.push_str(instead);
            plain = index + character.len_utf8();
        }
    }
    out.push_str(&text[plain..]);
}

/// Appends `<name>text</name>` on a line of its own, after `indent`.
pub(crate) fn push_element(out: &mut String, indent: &str, name: &str, text: &str) {
    out.push_str(indent);
    out.push('<');
    out.push_str(name);
    out.push('>');
    push_text(out, text);
    out.push_str("</");
    out.push_str(name);
    out.push_str(">\n");
}
