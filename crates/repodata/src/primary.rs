//! `primary.xml`: what is needed to resolve dependencies.

use crate::filelists::parse_version;
use crate::repomd::{check_location, parse_checksum};
use crate::xml::{Child, Form, Scanner, parse_packages, push_attribute, push_element, push_text};
use crate::{Checksum, FileKind, MetadataError, PackageRecord, RecordFile, RecordSize, RecordTime};
use lazuli_rpm::{Comparison, Dependency, Evr, Nevra, Sense};
use quick_xml::events::BytesStart;
use std::fmt::Write as _;

pub(crate) const FILE: &str = "primary.xml";

/// Parses `primary.xml`; on several cores where it is large.
pub fn parse(xml: &[u8]) -> Result<Vec<PackageRecord>, MetadataError> {
    parse_packages(FILE, "metadata", xml, |scanner, _| parse_package(scanner))
}

/// Writes `primary.xml`. Of each record's files only those of the primary rule are written.
pub fn write(packages: &[PackageRecord]) -> Vec<u8> {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata xmlns=\"http://linux.duke.edu/metadata/common\" \
         xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"{}\">\n",
        packages.len()
    );
    for package in packages {
        write_package(&mut out, package);
    }
    out.push_str("</metadata>");
    out.into_bytes()
}

fn parse_package(scanner: &mut Scanner<'_>) -> Result<PackageRecord, MetadataError> {
    let nevra = Nevra {
        name: String::new(),
        evr: Evr::new(0, "", ""),
        arch: String::new(),
    };
    let mut record = PackageRecord::new(nevra, Checksum::sha256([0; 32]), "");
    let mut checksum = None;
    while let Some((tag, form)) = scanner.tag()? {
        // Elements that hold all they say in attributes.
        match tag.local_name().as_ref() {
            "version" => record.nevra.evr = parse_version(scanner, &tag)?,
            "time" => record.time = parse_time(scanner, &tag)?,
            "size" => record.size = parse_size(scanner, &tag)?,
            "location" => parse_location(scanner, &tag, &mut record)?,
            _ if form == Form::Empty => continue,
            "name" => {
                record.nevra.name = scanner.text()?;
                scanner.package.clone_from(&record.nevra.name);
                continue;
            }
            "checksum" => {
                checksum = Some(parse_checksum(scanner, FILE, &tag)?);
                continue;
            }
            "format" => {
                parse_format(scanner, &mut record)?;
                continue;
            }
            name => {
                let target = match name {
                    "arch" => &mut record.nevra.arch,
                    "summary" => &mut record.summary,
                    "description" => &mut record.description,
                    "packager" => &mut record.packager,
                    "url" => &mut record.url,
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
    record.checksum = checksum.ok_or_else(|| scanner.value_error("the checksum is missing"))?;
    let missing = [
        ("name", record.nevra.name.is_empty()),
        ("architecture", record.nevra.arch.is_empty()),
        ("version", record.nevra.evr.version.is_empty()),
        ("location", record.location.is_empty()),
    ];
    if let Some((what, _)) = missing.iter().find(|(_, missing)| *missing) {
        return Err(scanner.value_error(format!("the {what} is missing")));
    }
    Ok(record)
}

fn parse_time(scanner: &Scanner<'_>, tag: &BytesStart<'_>) -> Result<RecordTime, MetadataError> {
    let mut time = RecordTime::default();
    scanner.attributes(tag, |key, value| {
        match key {
            "file" => time.file = scanner.parse_number(value)?,
            "build" => time.build = scanner.parse_number(value)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(time)
}

fn parse_size(scanner: &Scanner<'_>, tag: &BytesStart<'_>) -> Result<RecordSize, MetadataError> {
    let mut size = RecordSize::default();
    scanner.attributes(tag, |key, value| {
        match key {
            "package" => size.package = scanner.parse_number(value)?,
            "installed" => size.installed = scanner.parse_number(value)?,
            "archive" => size.archive = scanner.parse_number(value)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(size)
}

fn parse_location(
    scanner: &Scanner<'_>,
    tag: &BytesStart<'_>,
    record: &mut PackageRecord,
) -> Result<(), MetadataError> {
    scanner.attributes(tag, |key, value| {
        match key {
            "href" => value.clone_into(&mut record.location),
            "xml:base" => record.base = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    })?;
    check_location(FILE, &record.location)
}

fn parse_format(scanner: &mut Scanner<'_>, record: &mut PackageRecord) -> Result<(), MetadataError> {
    while let Some((tag, form)) = scanner.tag()? {
        let local = tag.local_name();
        let name: &str = local.as_ref();
        match name {
            "header-range" => {
                let start = scanner.parse_number(&scanner.required(&tag, "start")?)?;
                let end = scanner.parse_number(&scanner.required(&tag, "end")?)?;
                record.header_range = start..end;
                if form == Form::Open {
                    scanner.skip(&tag)?;
                }
                continue;
            }
            "file" => {
                record.files.push(parse_file(scanner, &tag, form)?);
                continue;
            }
            _ => {}
        }
        if form == Form::Empty {
            continue;
        }
        let texts = match name {
            "license" => Some(&mut record.license),
            "vendor" => Some(&mut record.vendor),
            "group" => Some(&mut record.group),
            "buildhost" => Some(&mut record.build_host),
            "sourcerpm" => Some(&mut record.source_rpm),
            _ => None,
        };
        if let Some(target) = texts {
            *target = scanner.text()?;
            continue;
        }
        let list = match name {
            "provides" => &mut record.provides,
            "requires" => &mut record.requires,
            "conflicts" => &mut record.conflicts,
            "obsoletes" => &mut record.obsoletes,
            "recommends" => &mut record.recommends,
            "suggests" => &mut record.suggests,
            "supplements" => &mut record.supplements,
            "enhances" => &mut record.enhances,
            _ => {
                scanner.skip(&tag)?;
                continue;
            }
        };
        parse_entries(scanner, list)?;
    }
    Ok(())
}

fn parse_entries(scanner: &mut Scanner<'_>, list: &mut Vec<Dependency>) -> Result<(), MetadataError> {
    loop {
        match scanner.child()? {
            Child::Open(tag) => {
                if tag.local_name().as_ref() == "entry" {
                    list.push(parse_entry(scanner, &tag)?);
                }
                scanner.skip(&tag)?;
            }
            Child::Empty(tag) => {
                if tag.local_name().as_ref() == "entry" {
                    list.push(parse_entry(scanner, &tag)?);
                }
            }
            Child::End => return Ok(()),
        }
    }
}

fn parse_entry(scanner: &Scanner<'_>, tag: &BytesStart<'_>) -> Result<Dependency, MetadataError> {
    let mut name = String::new();
    let mut evr = Evr::new(0, "", "");
    let mut comparison = None;
    let mut sense = Sense::empty();
    scanner.attributes(tag, |key, value| {
        match key {
            "name" => value.clone_into(&mut name),
            "flags" => {
                comparison = Some(match value {
                    "EQ" => Comparison::Equal,
                    "LT" => Comparison::Less,
                    "LE" => Comparison::LessOrEqual,
                    "GT" => Comparison::Greater,
                    "GE" => Comparison::GreaterOrEqual,
                    _ => return Err(scanner.value_error(format!("unknown comparison `{value}`"))),
                });
            }
            "epoch" => {
                evr.epoch = value
                    .parse()
                    .map_err(|_| scanner.value_error(format!("the epoch `{value}` is no number")))?;
            }
            "ver" => value.clone_into(&mut evr.version),
            "rel" => value.clone_into(&mut evr.release),
            "pre" if matches!(value, "1" | "true") => sense = Sense::PREREQ,
            _ => {}
        }
        Ok(())
    })?;
    if name.is_empty() {
        return Err(scanner.value_error("a dependency has no name"));
    }
    let constraint = comparison
        .filter(|_| !evr.version.is_empty())
        .map(|comparison| (comparison, evr));
    Ok(Dependency {
        name,
        constraint,
        sense,
    })
}

pub(crate) fn parse_file(
    scanner: &mut Scanner<'_>,
    tag: &BytesStart<'_>,
    form: Form,
) -> Result<RecordFile, MetadataError> {
    let mut kind = FileKind::File;
    scanner.attributes(tag, |key, value| {
        if key == "type" {
            kind = match value {
                "dir" => FileKind::Dir,
                "ghost" => FileKind::Ghost,
                _ => FileKind::File,
            };
        }
        Ok(())
    })?;
    Ok(RecordFile {
        path: scanner.text_of(form)?,
        kind,
    })
}

fn write_package(out: &mut String, record: &PackageRecord) {
    out.push_str("<package type=\"rpm\">\n");
    push_element(out, "  ", "name", &record.nevra.name);
    push_element(out, "  ", "arch", &record.nevra.arch);
    push_version(out, &record.nevra.evr);
    // Writing into a String cannot fail.
    let algorithm = record.checksum.algorithm().name();
    let _ = writeln!(
        out,
        "  <checksum type=\"{algorithm}\" pkgid=\"YES\">{}</checksum>",
        record.checksum
    );
    push_element(out, "  ", "summary", &record.summary);
    push_element(out, "  ", "description", &record.description);
    push_element(out, "  ", "packager", &record.packager);
    push_element(out, "  ", "url", &record.url);
    let _ = writeln!(
        out,
        "  <time file=\"{}\" build=\"{}\"/>",
        record.time.file, record.time.build
    );
    let size = &record.size;
    let _ = writeln!(
        out,
        "  <size package=\"{}\" installed=\"{}\" archive=\"{}\"/>",
        size.package, size.installed, size.archive
    );
    out.push_str("  <location ");
    if let Some(base) = &record.base {
        out.push_str("xml:base=\"");
        push_attribute(out, base);
        out.push_str("\" ");
    }
    out.push_str("href=\"");
    push_attribute(out, &record.location);
    out.push_str("\"/>\n  <format>\n");
    push_element(out, "    ", "rpm:license", &record.license);
    push_element(out, "    ", "rpm:vendor", &record.vendor);
    push_element(out, "    ", "rpm:group", &record.group);
    push_element(out, "    ", "rpm:buildhost", &record.build_host);
    push_element(out, "    ", "rpm:sourcerpm", &record.source_rpm);
    let range = &record.header_range;
    let _ = writeln!(
        out,
        "    <rpm:header-range start=\"{}\" end=\"{}\"/>",
        range.start, range.end
    );
    let lists = [
        ("rpm:provides", &record.provides),
        ("rpm:requires", &record.requires),
        ("rpm:conflicts", &record.conflicts),
        ("rpm:obsoletes", &record.obsoletes),
        ("rpm:suggests", &record.suggests),
        ("rpm:enhances", &record.enhances),
        ("rpm:recommends", &record.recommends),
        ("rpm:supplements", &record.supplements),
    ];
    for (name, list) in lists {
        write_entries(out, name, list);
    }
    for file in record.primary_files() {
        write_file(out, "    ", file);
    }
    out.push_str("  </format>\n</package>\n");
}

fn write_entries(out: &mut String, name: &str, list: &[Dependency]) {
    if list.is_empty() {
        return;
    }
    let _ = writeln!(out, "    <{name}>");
    for dependency in list {
        out.push_str("      <rpm:entry name=\"");
        push_attribute(out, &dependency.name);
        out.push('"');
        if let Some((comparison, evr)) = &dependency.constraint {
            let flags = match comparison {
                Comparison::Equal => "EQ",
                Comparison::Less => "LT",
                Comparison::LessOrEqual => "LE",
                Comparison::Greater => "GT",
                Comparison::GreaterOrEqual => "GE",
            };
            let _ = write!(out, " flags=\"{flags}\" epoch=\"{}\" ver=\"", evr.epoch);
            push_attribute(out, &evr.version);
            out.push('"');
            if !evr.release.is_empty() {
                out.push_str(" rel=\"");
                push_attribute(out, &evr.release);
                out.push('"');
            }
        }
        if dependency.sense.contains(Sense::PREREQ) {
            out.push_str(" pre=\"1\"");
        }
        out.push_str("/>\n");
    }
    let _ = writeln!(out, "    </{name}>");
}

/// `<version epoch= ver= rel=/>`, which all package lists share.
pub(crate) fn push_version(out: &mut String, evr: &Evr) {
    let _ = write!(out, "  <version epoch=\"{}\" ver=\"", evr.epoch);
    push_attribute(out, &evr.version);
    out.push_str("\" rel=\"");
    push_attribute(out, &evr.release);
    out.push_str("\"/>\n");
}

pub(crate) fn write_file(out: &mut String, indent: &str, file: &RecordFile) {
    out.push_str(indent);
    out.push_str(match file.kind {
        FileKind::File => "<file>",
        FileKind::Dir => "<file type=\"dir\">",
        FileKind::Ghost => "<file type=\"ghost\">",
    });
    push_text(out, &file.path);
    out.push_str("</file>\n");
}
