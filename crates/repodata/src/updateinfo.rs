//! `updateinfo.xml`: advisories, and which packages they fix.

use crate::xml::{Child, Form, Scanner, push_attribute, push_element, utf8};
use crate::{Checksum, MetadataError};
use lazuli_rpm::{Evr, Nevra};
use quick_xml::events::BytesStart;
use std::fmt::Write as _;

const FILE: &str = "updateinfo.xml";
/// Limit of advisories in one file. Fedora has some 30,000.
const MAX_ADVISORIES: usize = 1_000_000;

/// What an advisory points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `cve`, `bugzilla`, `self`, `other`.
    pub kind: String,
    /// Such as `CVE-2026-1234`.
    pub id: String,
    /// Where to read more.
    pub href: String,
    /// One line.
    pub title: String,
}

/// A package that an advisory fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedPackage {
    /// The first package that has the fix.
    pub nevra: Nevra,
    /// Name of the source package file; may be empty.
    pub source_rpm: String,
    /// Name of the package file.
    pub filename: String,
    /// Checksum of the package file.
    pub checksum: Option<Checksum>,
}

/// An advisory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// Such as `LZSA-2026:0001`.
    pub id: String,
    /// `security`, `bugfix`, `enhancement`, `newpackage`.
    pub kind: String,
    /// Who issued it.
    pub from: String,
    /// `final`, `stable`, `testing`.
    pub status: String,
    /// One line.
    pub title: String,
    /// `Critical`, `Important`, `Moderate`, `Low`; may be empty.
    pub severity: String,
    /// When it was issued: `YYYY-MM-DD HH:MM:SS` in UTC, as the format has it.
    pub issued: String,
    /// When it was last changed, in the same form; may be empty.
    pub updated: String,
    /// Many lines.
    pub description: String,
    /// What to do.
    pub solution: String,
    /// References.
    pub references: Vec<Reference>,
    /// The packages that have the fix.
    pub packages: Vec<FixedPackage>,
}

/// Parses `updateinfo.xml`.
pub fn parse(xml: &[u8]) -> Result<Vec<Advisory>, MetadataError> {
    let text = utf8(FILE, xml)?;
    let mut scanner = Scanner::new(FILE, text, 0);
    match scanner.child()? {
        Child::Open(tag) if tag.local_name().as_ref() == "updates" => {}
        Child::Empty(tag) if tag.local_name().as_ref() == "updates" => return Ok(Vec::new()),
        _ => return Err(scanner.value_error("expected the root element <updates>")),
    }
    let mut result = Vec::new();
    loop {
        match scanner.child()? {
            Child::Open(tag) if tag.local_name().as_ref() == "update" => {
                if result.len() == MAX_ADVISORIES {
                    return Err(MetadataError::TooLarge {
                        file: FILE.to_owned(),
                        what: "advisories",
                        limit: MAX_ADVISORIES as u64,
                    });
                }
                result.push(parse_advisory(&mut scanner, &tag)?);
            }
            Child::Open(tag) => scanner.skip(&tag)?,
            Child::Empty(_) => {}
            Child::End => return Ok(result),
        }
    }
}

fn parse_advisory(scanner: &mut Scanner<'_>, start: &BytesStart<'_>) -> Result<Advisory, MetadataError> {
    let mut advisory = Advisory {
        id: String::new(),
        kind: scanner.attribute(start, "type")?.unwrap_or_default(),
        from: scanner.attribute(start, "from")?.unwrap_or_default(),
        status: scanner.attribute(start, "status")?.unwrap_or_default(),
        title: String::new(),
        severity: String::new(),
        issued: String::new(),
        updated: String::new(),
        description: String::new(),
        solution: String::new(),
        references: Vec::new(),
        packages: Vec::new(),
    };
    while let Some((tag, form)) = scanner.tag()? {
        let local = tag.local_name();
        let name: &str = local.as_ref();
        match name {
            "issued" => advisory.issued = scanner.attribute(&tag, "date")?.unwrap_or_default(),
            "updated" => advisory.updated = scanner.attribute(&tag, "date")?.unwrap_or_default(),
            _ if form == Form::Empty => {}
            "references" => {
                parse_references(scanner, &mut advisory.references)?;
                continue;
            }
            "pkglist" => {
                parse_package_list(scanner, &mut advisory.packages, 0)?;
                continue;
            }
            _ => {
                let target = match name {
                    "id" => &mut advisory.id,
                    "title" => &mut advisory.title,
                    "severity" => &mut advisory.severity,
                    "description" => &mut advisory.description,
                    "solution" => &mut advisory.solution,
                    _ => {
                        scanner.skip(&tag)?;
                        continue;
                    }
                };
                *target = scanner.text()?;
                continue;
            }
        }
        if form == Form::Open {
            scanner.skip(&tag)?;
        }
    }
    if advisory.id.is_empty() {
        return Err(scanner.value_error("an advisory has no id"));
    }
    Ok(advisory)
}

fn parse_references(scanner: &mut Scanner<'_>, list: &mut Vec<Reference>) -> Result<(), MetadataError> {
    while let Some((tag, form)) = scanner.tag()? {
        let attribute = |name| scanner.attribute(&tag, name).map(Option::unwrap_or_default);
        let reference = Reference {
            kind: attribute("type")?,
            id: attribute("id")?,
            href: attribute("href")?,
            title: attribute("title")?,
        };
        list.push(reference);
        if form == Form::Open {
            scanner.skip(&tag)?;
        }
    }
    Ok(())
}

/// Packages lie in `<collection>` elements.
fn parse_package_list(
    scanner: &mut Scanner<'_>,
    list: &mut Vec<FixedPackage>,
    depth: usize,
) -> Result<(), MetadataError> {
    loop {
        match scanner.child()? {
            Child::Open(tag) => match tag.local_name().as_ref() {
                "collection" if depth == 0 => parse_package_list(scanner, list, 1)?,
                "package" => list.push(parse_fixed(scanner, &tag)?),
                _ => scanner.skip(&tag)?,
            },
            Child::Empty(_) => {}
            Child::End => return Ok(()),
        }
    }
}

fn parse_fixed(scanner: &mut Scanner<'_>, start: &BytesStart<'_>) -> Result<FixedPackage, MetadataError> {
    let mut evr = Evr::new(0, "", "");
    let (mut name, mut arch, mut source_rpm) = (String::new(), String::new(), String::new());
    scanner.attributes(start, |key, value| {
        match key {
            "name" => value.clone_into(&mut name),
            "arch" => value.clone_into(&mut arch),
            "src" => value.clone_into(&mut source_rpm),
            "version" => value.clone_into(&mut evr.version),
            "release" => value.clone_into(&mut evr.release),
            // Some distributions leave it empty.
            "epoch" => evr.epoch = value.parse().unwrap_or(0),
            _ => {}
        }
        Ok(())
    })?;
    let (mut filename, mut checksum) = (String::new(), None);
    loop {
        match scanner.child()? {
            Child::Open(tag) => match tag.local_name().as_ref() {
                "filename" => filename = scanner.text()?,
                "sum" => {
                    let algorithm = scanner.attribute(&tag, "type")?.unwrap_or_default();
                    // A weak sum (old advisories have MD5) is no reason to refuse the advisory; it is not used.
                    checksum = Checksum::parse(&algorithm, scanner.text()?.trim()).ok();
                }
                _ => scanner.skip(&tag)?,
            },
            Child::Empty(_) => {}
            Child::End => break,
        }
    }
    if name.is_empty() || evr.version.is_empty() {
        return Err(scanner.value_error("a package of an advisory has no name or version"));
    }
    Ok(FixedPackage {
        nevra: Nevra { name, evr, arch },
        source_rpm,
        filename,
        checksum,
    })
}

/// Writes `updateinfo.xml`.
pub fn write(advisories: &[Advisory]) -> Vec<u8> {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<updates>\n");
    for advisory in advisories {
        write_advisory(&mut out, advisory);
    }
    out.push_str("</updates>\n");
    out.into_bytes()
}

fn write_advisory(out: &mut String, advisory: &Advisory) {
    push_tag(
        out,
        "  <update",
        &[
            ("from", &advisory.from),
            ("status", &advisory.status),
            ("type", &advisory.kind),
            ("version", "2.0"),
        ],
        ">\n",
    );
    push_element(out, "    ", "id", &advisory.id);
    push_element(out, "    ", "title", &advisory.title);
    push_tag(out, "    <issued", &[("date", &advisory.issued)], "/>\n");
    if !advisory.updated.is_empty() {
        push_tag(out, "    <updated", &[("date", &advisory.updated)], "/>\n");
    }
    push_element(out, "    ", "severity", &advisory.severity);
    push_element(out, "    ", "description", &advisory.description);
    push_element(out, "    ", "solution", &advisory.solution);
    out.push_str("    <references>\n");
    for one in &advisory.references {
        let attributes = [
            ("href", &*one.href),
            ("id", &one.id),
            ("type", &one.kind),
            ("title", &one.title),
        ];
        push_tag(out, "      <reference", &attributes, "/>\n");
    }
    out.push_str("    </references>\n    <pkglist>\n      <collection>\n");
    for package in &advisory.packages {
        let Nevra { name, evr, arch } = &package.nevra;
        let epoch = evr.epoch.to_string();
        let attributes = [
            ("name", name.as_str()),
            ("version", &evr.version),
            ("release", &evr.release),
            ("epoch", &epoch),
            ("arch", arch),
            ("src", &package.source_rpm),
        ];
        push_tag(out, "        <package", &attributes, ">\n");
        push_element(out, "          ", "filename", &package.filename);
        if let Some(checksum) = &package.checksum {
            let algorithm = checksum.algorithm().name();
            // Writing into a String cannot fail.
            let _ = writeln!(out, "          <sum type=\"{algorithm}\">{checksum}</sum>");
        }
        out.push_str("        </package>\n");
    }
    out.push_str("      </collection>\n    </pkglist>\n  </update>\n");
}

fn push_tag(out: &mut String, open: &str, attributes: &[(&str, &str)], close: &str) {
    out.push_str(open);
    for (name, value) in attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        push_attribute(out, value);
        out.push('"');
    }
    out.push_str(close);
}
