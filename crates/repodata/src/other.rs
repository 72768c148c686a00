//! `other.xml`: changelogs.

use crate::filelists::{parse_identity, parse_version, write_identity};
use crate::xml::{Form, Scanner, parse_packages, push_attribute, push_text};
use crate::{Checksum, MetadataError, PackageRecord};
use lazuli_rpm::{ChangelogEntry, Nevra};
use quick_xml::events::BytesStart;
use std::collections::HashMap;

pub(crate) const FILE: &str = "other.xml";
/// How many entries of a changelog are written, the newest ones; createrepo_c's limit.
const CHANGELOG_LIMIT: usize = 10;

/// The changelog of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageChangelog {
    /// The package file's checksum, which ties this to [`PackageRecord::checksum`].
    pub pkgid: Checksum,
    /// Name, EVR, architecture.
    pub nevra: Nevra,
    /// Its entries, newest first.
    pub entries: Vec<ChangelogEntry>,
}

/// Parses `other.xml`; on several cores where it is large.
pub fn parse(xml: &[u8]) -> Result<Vec<PackageChangelog>, MetadataError> {
    parse_packages(FILE, "otherdata", xml, |scanner, start| {
        let (pkgid, name, arch) = parse_identity(scanner, FILE, start)?;
        let (mut evr, mut entries) = (None, Vec::new());
        while let Some((tag, form)) = scanner.tag()? {
            match tag.local_name().as_ref() {
                "changelog" => entries.push(parse_entry(scanner, &tag, form)?),
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
        // The file has the oldest entry first.
        entries.reverse();
        let evr = evr.ok_or_else(|| scanner.value_error("the version is missing"))?;
        Ok(PackageChangelog {
            pkgid,
            nevra: Nevra { name, evr, arch },
            entries,
        })
    })
}

fn parse_entry(
    scanner: &mut Scanner<'_>,
    tag: &BytesStart<'_>,
    form: Form,
) -> Result<ChangelogEntry, MetadataError> {
    let author = scanner.attribute(tag, "author")?.unwrap_or_default();
    let date = scanner.required(tag, "date")?;
    let time = u32::try_from(scanner.parse_number(&date)?)
        .map_err(|_| scanner.value_error(format!("the date {date} is out of range")))?;
    Ok(ChangelogEntry {
        time,
        author,
        text: scanner.text_of(form)?,
    })
}

/// Gives the records their changelogs.
pub fn attach(records: &mut [PackageRecord], changelogs: Vec<PackageChangelog>) {
    let mut by_pkgid: HashMap<Checksum, Vec<ChangelogEntry>> = changelogs
        .into_iter()
        .map(|changelog| (changelog.pkgid, changelog.entries))
        .collect();
    for record in records {
        if let Some(entries) = by_pkgid.remove(&record.checksum) {
            record.changelogs = entries;
        }
    }
}

/// Writes `other.xml`, with the newest entries of each changelog, the oldest of them first.
pub fn write(packages: &[PackageRecord]) -> Vec<u8> {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<otherdata \
         xmlns=\"http://linux.duke.edu/metadata/other\" packages=\"{}\">\n",
        packages.len()
    );
    for package in packages {
        write_identity(&mut out, package);
        for entry in package.changelogs.iter().take(CHANGELOG_LIMIT).rev() {
            out.push_str("  <changelog author=\"");
            push_attribute(&mut out, &entry.author);
            out.push_str("\" date=\"");
            out.push_str(&entry.time.to_string());
            out.push_str("\">");
            push_text(&mut out, &entry.text);
            out.push_str("</changelog>\n");
        }
        out.push_str("</package>\n");
    }
    out.push_str("</otherdata>");
    out.into_bytes()
}
