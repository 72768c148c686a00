//! The packages of two builds, compared.

use super::content;
use super::{Difference, Which};
use crate::BuildError;
use crate::error::IoContext;
use lazuli_rpm::{FileEntry, Header, HeaderEntry, Metadata, Package, PackageError, Tag, TagType};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Most values of a tag that are shown.
const VALUES_SHOWN: usize = 4;
/// Longest value of a tag that is shown, in characters.
const VALUE_SHOWN: usize = 120;
/// Largest file that is kept for comparing, in bytes; of larger ones it is only said that they differ.
const FILE_MAX: u64 = 1 << 30;

/// What follows from the files, which are compared by themselves.
const OF_FILES: [Tag; 17] = [
    Tag::HEADERIMMUTABLE,
    Tag::SIZE,
    Tag::LONGSIZE,
    Tag::FILESIZES,
    Tag::LONGFILESIZES,
    Tag::FILEMODES,
    Tag::FILERDEVS,
    Tag::FILEMTIMES,
    Tag::FILEDIGESTS,
    Tag::FILELINKTOS,
    Tag::FILEUSERNAME,
    Tag::FILEGROUPNAME,
    Tag::BASENAMES,
    Tag::DIRINDEXES,
    Tag::DIRNAMES,
    Tag::PAYLOADDIGEST,
    Tag::PAYLOADDIGESTALT,
];

/// Compares the package files of two builds, by their names.
pub fn compare(first: &[PathBuf], second: &[PathBuf]) -> Result<Vec<Difference>, BuildError> {
    let by_name = |paths: &[PathBuf]| -> BTreeMap<String, PathBuf> {
        paths
            .iter()
            .map(|path| {
                let name = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                (name, path.clone())
            })
            .collect()
    };
    let (first, second) = (by_name(first), by_name(second));
    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let mut differences = Vec::new();
    for name in names {
        match (first.get(name), second.get(name)) {
            (Some(first), Some(second)) => differences.extend(pair(name, first, second)?),
            (Some(_), None) => differences.push(only_in(name, Which::First)),
            (None, _) => differences.push(only_in(name, Which::Second)),
        }
    }
    Ok(differences)
}

fn only_in(package: &str, build: Which) -> Difference {
    Difference::OnlyIn {
        package: package.to_owned(),
        build,
    }
}

fn pair(name: &str, first: &Path, second: &Path) -> Result<Vec<Difference>, BuildError> {
    let read = |path: &Path| std::fs::read(path).doing("reading", path);
    let (first_bytes, second_bytes) = (read(first)?, read(second)?);
    if first_bytes == second_bytes {
        return Ok(Vec::new());
    }
    let fail = |path: &Path, source: PackageError| BuildError::Package {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let first_package = Package::parse(&first_bytes).map_err(|e| fail(first, e))?;
    let second_package = Package::parse(&second_bytes).map_err(|e| fail(second, e))?;
    let mut differences = headers(name, first_package.header(), second_package.header());
    let first_metadata = first_package.metadata().map_err(|e| fail(first, e))?;
    let second_metadata = second_package.metadata().map_err(|e| fail(second, e))?;
    let differing = differing_files(&first_metadata, &second_metadata);
    let first_content = contents(&first_package, &first_metadata, &differing).map_err(|e| fail(first, e))?;
    let second_content =
        contents(&second_package, &second_metadata, &differing).map_err(|e| fail(second, e))?;
    let empty = Vec::new();
    differences.extend(files(name, &first_metadata, &second_metadata, |path| {
        let of = |contents: &BTreeMap<Vec<u8>, Vec<u8>>| contents.get(path).unwrap_or(&empty).clone();
        content::differences(&of(&first_content), &of(&second_content))
    }));
    if differences.is_empty() {
        differences.push(Difference::Bytes {
            package: name.to_owned(),
        });
    }
    Ok(differences)
}

fn headers(package: &str, first: &Header, second: &Header) -> Vec<Difference> {
    let tags: BTreeSet<Tag> = first
        .entries()
        .iter()
        .chain(second.entries())
        .map(|entry| entry.tag)
        .filter(|tag| !OF_FILES.contains(tag))
        .collect();
    let value = |header: &Header, tag| {
        let entry = header.entry(tag);
        entry.map(|entry| (entry.kind, header.data(entry).to_vec()))
    };
    tags.into_iter()
        .filter(|tag| value(first, *tag) != value(second, *tag))
        .map(|tag| Difference::Header {
            package: package.to_owned(),
            tag: tag.name().map_or_else(|| tag.0.to_string(), str::to_owned),
            first: shown(first, first.entry(tag)),
            second: shown(second, second.entry(tag)),
        })
        .collect()
}

/// A value of a header, for people.
fn shown(header: &Header, entry: Option<&HeaderEntry>) -> String {
    let Some(entry) = entry else {
        return "absent".to_owned();
    };
    let tag = entry.tag;
    let values: Vec<String> = match entry.kind {
        TagType::String | TagType::StringArray | TagType::I18nString => {
            header.strings(tag).unwrap_or_default()
        }
        TagType::Int16 => numbers(header.u16s(tag)),
        TagType::Int32 => numbers(header.u32s(tag)),
        TagType::Int64 => numbers(header.u64s(tag)),
        _ => vec![hex::encode(header.data(entry))],
    };
    let mut text = values
        .iter()
        .take(VALUES_SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if text.chars().count() > VALUE_SHOWN {
        text = text.chars().take(VALUE_SHOWN).collect::<String>() + "…";
    }
    if values.len() > VALUES_SHOWN {
        text.push_str(&format!(" and {} more", values.len() - VALUES_SHOWN));
    }
    text
}

fn numbers<T: ToString, E>(values: Result<Vec<T>, E>) -> Vec<String> {
    values
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn by_path(metadata: &Metadata) -> BTreeMap<&[u8], &FileEntry> {
    metadata
        .files
        .iter()
        .map(|file| (file.path.as_slice(), file))
        .collect()
}

/// Paths of regular files that are in both packages with another content.
fn differing_files(first: &Metadata, second: &Metadata) -> BTreeSet<Vec<u8>> {
    let second = by_path(second);
    let is_different = |file: &&FileEntry| {
        second
            .get(file.path.as_slice())
            .is_some_and(|other| other.is_regular() && file.is_regular() && other.digest != file.digest)
    };
    first
        .files
        .iter()
        .filter(is_different)
        .map(|file| file.path.clone())
        .collect()
}

fn contents(
    package: &Package<'_>,
    metadata: &Metadata,
    wanted: &BTreeSet<Vec<u8>>,
) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, PackageError> {
    let mut found = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let mut payload = package.payload(metadata)?;
    while let Some(mut entry) = payload.next_entry()? {
        // Of hard links one comes, with the content of all.
        let indexes: Vec<usize> = std::iter::once(entry.index())
            .chain(entry.links().iter().copied())
            .collect();
        let paths: Vec<&Vec<u8>> = indexes
            .iter()
            .filter_map(|index| metadata.files.get(*index))
            .map(|file| &file.path)
            .filter(|path| wanted.contains(*path))
            .collect();
        if paths.is_empty() || entry.size() > FILE_MAX {
            continue;
        }
        let content = entry.read_content()?;
        found.extend(paths.into_iter().map(|path| (path.clone(), content.clone())));
    }
    Ok(found)
}

fn files(
    package: &str,
    first: &Metadata,
    second: &Metadata,
    content: impl Fn(&[u8]) -> Vec<String>,
) -> Vec<Difference> {
    let (first, second) = (by_path(first), by_path(second));
    let paths: BTreeSet<&[u8]> = first.keys().chain(second.keys()).copied().collect();
    let mut differences = Vec::new();
    for path in paths {
        let text = String::from_utf8_lossy(path).into_owned();
        let only = |build| Difference::FileOnlyIn {
            package: package.to_owned(),
            path: text.clone(),
            build,
        };
        match (first.get(path), second.get(path)) {
            (Some(first), Some(second)) => {
                let what = file(first, second, &content);
                if !what.is_empty() {
                    differences.push(Difference::File {
                        package: package.to_owned(),
                        path: text,
                        what,
                    });
                }
            }
            (Some(_), None) => differences.push(only(Which::First)),
            (None, _) => differences.push(only(Which::Second)),
        }
    }
    differences
}

fn file(first: &FileEntry, second: &FileEntry, content: impl Fn(&[u8]) -> Vec<String>) -> Vec<String> {
    let mut what = Vec::new();
    let mut compare = |name: &str, first: String, second: String| {
        if first != second {
            what.push(format!("{name} {first}, {second}"));
        }
    };
    let owner = |file: &FileEntry| format!("{}:{}", file.user, file.group);
    let link = |file: &FileEntry| String::from_utf8_lossy(&file.link_target).into_owned();
    compare(
        "mode",
        format!("{:06o}", first.mode),
        format!("{:06o}", second.mode),
    );
    compare("owner", owner(first), owner(second));
    compare("time", first.mtime.to_string(), second.mtime.to_string());
    compare("link to", link(first), link(second));
    compare(
        "capabilities",
        first.capabilities.clone(),
        second.capabilities.clone(),
    );
    compare("device", first.rdev.to_string(), second.rdev.to_string());
    compare("size", first.size.to_string(), second.size.to_string());
    if first.is_regular() && second.is_regular() && first.digest != second.digest {
        what.extend(content(&first.path));
    }
    what
}
