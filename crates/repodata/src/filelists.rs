//! `filelists.xml`: all paths of all packages.

use crate::primary::{parse_file, push_version, write_file};
use crate::xml::{Form, Scanner, parse_packages, push_attribute};
use crate::{Checksum, FileCoverage, MetadataError, PackageRecord, RecordFile};
use lazuli_rpm::{Evr, Nevra};
use quick_xml::events::BytesStart;
use std::collections::HashMap;

pub(crate) const FILE: &str = "filelists.xml";

/// All paths of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFiles {
    /// The package file's checksum, which ties this to [`PackageRecord::checksum`].
    pub pkgid: Checksum,
    /// Name, EVR, architecture.
    pub nevra: Nevra,
    /// Its paths.
    pub files: Vec<RecordFile>,
}

/// Parses `filelists.xml`; on several cores where it is large.
pub fn parse(xml: &[u8]) -> Result<Vec<PackageFiles>, MetadataError> {
    parse_packages(FILE, "filelists", xml, |scanner, start| {
        let (pkgid, name, arch) = parse_identity(scanner, FILE, start)?;
        let (mut evr, mut files) = (None, Vec::new());
        while let Some((tag, form)) = scanner.tag()? {
            match tag.local_name().as_ref() {
                "file" if form == Form::Open => files.push(parse_file(scanner, &tag, form)?),
                "version" => {
                    evr = Some(parse_version(scanner, &tag)?);
                    if form == Form::Open {
                        scanner.skip(&tag)?;
                    }
                }
                _ if form == Form::Open => scanner.skip(&tag)?,
                _ => {}
            }
        }
        let evr = evr.ok_or_else(|| scanner.value_error("the version is missing"))?;
        Ok(PackageFiles {
            pkgid,
            nevra: Nevra { name, evr, arch },
            files,
        })
    })
}

/// Writes `filelists.xml`. Records that hold only primary files give an incomplete list.
pub fn write(packages: &[PackageRecord]) -> Vec<u8> {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<filelists \
         xmlns=\"http://linux.duke.edu/metadata/filelists\" packages=\"{}\">\n",
        packages.len()
    );
    for package in packages {
        write_identity(&mut out, package);
        for file in &package.files {
            write_file(&mut out, "  ", file);
        }
        out.push_str("</package>\n");
    }
    out.push_str("</filelists>");
    out.into_bytes()
}

/// Gives the records all their paths. Records that the lists do not name keep what they have.
pub fn attach(records: &mut [PackageRecord], lists: Vec<PackageFiles>) {
    let mut by_pkgid: HashMap<Checksum, Vec<RecordFile>> =
        lists.into_iter().map(|list| (list.pkgid, list.files)).collect();
    for record in records {
        if let Some(files) = by_pkgid.remove(&record.checksum) {
            record.files = files;
            record.coverage = FileCoverage::All;
        }
    }
}

/// The attributes of `<package pkgid= name= arch=>`, which `filelists` and `other` share.
pub(crate) fn parse_identity(
    scanner: &mut Scanner<'_>,
    file: &str,
    start: &BytesStart<'_>,
) -> Result<(Checksum, String, String), MetadataError> {
    let name = scanner.required(start, "name")?;
    scanner.package.clone_from(&name);
    let arch = scanner.required(start, "arch")?;
    let pkgid = scanner.required(start, "pkgid")?;
    // The algorithm is told by the length only.
    let algorithm = match pkgid.len() {
        96 => "sha384",
        128 => "sha512",
        _ => "sha256",
    };
    let pkgid = Checksum::parse(algorithm, &pkgid).map_err(|source| MetadataError::ChecksumSyntax {
        file: file.to_owned(),
        source,
    })?;
    Ok((pkgid, name, arch))
}

/// The attributes of `<version epoch= ver= rel=>`.
pub(crate) fn parse_version(scanner: &Scanner<'_>, tag: &BytesStart<'_>) -> Result<Evr, MetadataError> {
    let mut evr = Evr::new(0, "", "");
    scanner.attributes(tag, |key, value| {
        match key {
            "epoch" => {
                evr.epoch = value
                    .parse()
                    .map_err(|_| scanner.value_error(format!("the epoch `{value}` is no number")))?;
            }
            "ver" => evr.version = value.to_owned(),
            "rel" => evr.release = value.to_owned(),
            _ => {}
        }
        Ok(())
    })?;
    if evr.version.is_empty() {
        return Err(scanner.value_error("the version is empty"));
    }
    Ok(evr)
}

pub(crate) fn write_identity(out: &mut String, package: &PackageRecord) {
    out.push_str("<package pkgid=\"");
    out.push_str(&package.checksum.to_string());
    out.push_str("\" name=\"");
    push_attribute(out, &package.nevra.name);
    out.push_str("\" arch=\"");
    push_attribute(out, &package.nevra.arch);
    out.push_str("\">\n");
    push_version(out, &package.nevra.evr);
}
