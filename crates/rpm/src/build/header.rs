//! The main header of a package that is built: the tags that rpmbuild 4.18 writes.

use super::Compression;
use super::payload::{WrittenPayload, needs_large_files};
use crate::dependency::DependencyTags;
use crate::metadata::SCRIPTLET_TAGS;
use crate::{
    Comparison, Dependency, Evr, FileEntry, Header, HeaderBuilder, HeaderError, HeaderKind, Metadata, Sense,
    Tag,
};
use std::collections::HashMap;

/// The version of rpm whose packages these are like.
const RPM_VERSION: &str = "4.18.0";

/// SHA-256 in FILEDIGESTALGO and PAYLOADDIGESTALGO (RFC 4880, section 9.4).
const ALGORITHM_SHA256: u32 = 8;

/// `rpm -V` checks everything (RPMVERIFY_ALL).
const VERIFY_ALL: u32 = u32::MAX;

/// `rpm -V` leaves out digest, size, link target and time, which a package does not know of its `%ghost`
/// files.
const VERIFY_GHOST: u32 = VERIFY_ALL & !0x27;

/// Adds what every package has: its own provides, and what it needs of rpm; sorts all dependencies.
pub(super) fn complete_dependencies(metadata: &mut Metadata, compression: Compression) {
    let nevra = &metadata.nevra;
    let mut own = vec![nevra.name.clone()];
    own.extend(isa(&nevra.arch).map(|isa| format!("{}({isa})", nevra.name)));
    for name in own {
        let provide = Dependency::versioned(name, Comparison::Equal, nevra.evr.clone());
        let is_same = |p: &Dependency| (&p.name, &p.constraint) == (&provide.name, &provide.constraint);
        if !metadata.provides.iter().any(is_same) {
            metadata.provides.push(provide);
        }
    }
    metadata
        .requires
        .retain(|dependency| !dependency.name.starts_with("rpmlib("));
    let features = rpmlib_features(metadata, compression);
    metadata
        .requires
        .extend(features.into_iter().map(|(name, version)| Dependency {
            sense: Sense::RPMLIB,
            ..Dependency::versioned(
                format!("rpmlib({name})"),
                Comparison::LessOrEqual,
                Evr::new(0, version, "1"),
            )
        }));
    for dependencies in [
        &mut metadata.requires,
        &mut metadata.provides,
        &mut metadata.conflicts,
        &mut metadata.obsoletes,
        &mut metadata.recommends,
        &mut metadata.suggests,
        &mut metadata.supplements,
        &mut metadata.enhances,
    ] {
        dependencies.sort();
        dependencies.dedup();
    }
}

/// What rpm's `%{_isa}` macro has between its parentheses.
fn isa(arch: &str) -> Option<&'static str> {
    match arch {
        "x86_64" => Some("x86-64"),
        "i386" | "i486" | "i586" | "i686" => Some("x86-32"),
        "aarch64" => Some("aarch-64"),
        "armv7hl" => Some("armv7hl-32"),
        "ppc64le" => Some("ppc-64"),
        "riscv64" => Some("riscv-64"),
        "s390x" => Some("s390-64"),
        _ => None,
    }
}

/// The features of rpm that a package needs, with the version that brought each (lib/rpmds.c of rpm).
fn rpmlib_features(metadata: &Metadata, compression: Compression) -> Vec<(&'static str, &'static str)> {
    let mut features = Vec::new();
    let files = &metadata.files;
    if !files.is_empty() {
        features.extend([("CompressedFileNames", "3.0.4"), ("FileDigests", "4.6.0")]);
    }
    features.push(("PayloadFilesHavePrefix", "4.0"));
    if matches!(compression, Compression::Zstd { .. }) {
        features.push(("PayloadIsZstd", "5.4.18"));
    }
    if files.iter().any(|file| !file.capabilities.is_empty()) {
        features.push(("FileCaps", "4.6.1"));
    }
    if needs_large_files(files) {
        features.push(("LargeFiles", "4.12.0"));
    }
    if metadata
        .scriptlets
        .iter()
        .any(|s| s.interpreter.first().is_some_and(|program| program == "<lua>"))
    {
        features.push(("BuiltinLuaScripts", "4.2.2"));
    }
    let all = || {
        all_dependencies(metadata)
            .into_iter()
            .flat_map(|(_, dependencies)| dependencies)
    };
    if all().any(Dependency::is_rich) {
        features.push(("RichDependencies", "4.12.0"));
    }
    let own = std::iter::once(&metadata.nevra.evr);
    let evrs: Vec<_> = all()
        .filter_map(|d| d.constraint.as_ref().map(|(_, evr)| evr))
        .chain(own)
        .collect();
    // Versions inside of rich dependencies count too.
    let has = |mark| {
        evrs.iter()
            .any(|evr| evr.version.contains(mark) || evr.release.contains(mark))
            || all().any(|d| d.is_rich() && d.name.contains(mark))
    };
    if has('~') {
        features.push(("TildeInVersions", "4.10.0"));
    }
    if has('^') {
        features.push(("CaretInVersions", "4.15.0"));
    }
    features
}

fn all_dependencies(metadata: &Metadata) -> [(DependencyTags, &Vec<Dependency>); 8] {
    [
        (DependencyTags::REQUIRES, &metadata.requires),
        (DependencyTags::PROVIDES, &metadata.provides),
        (DependencyTags::CONFLICTS, &metadata.conflicts),
        (DependencyTags::OBSOLETES, &metadata.obsoletes),
        (DependencyTags::RECOMMENDS, &metadata.recommends),
        (DependencyTags::SUGGESTS, &metadata.suggests),
        (DependencyTags::SUPPLEMENTS, &metadata.supplements),
        (DependencyTags::ENHANCES, &metadata.enhances),
    ]
}

/// Builds the main header.
pub(super) fn build(metadata: &Metadata, payload: &WrittenPayload) -> Result<Header, HeaderError> {
    let mut header = HeaderBuilder::new();
    describe(&mut header, metadata);
    for (tags, dependencies) in all_dependencies(metadata) {
        put_dependencies(&mut header, tags, dependencies);
    }
    put_files(&mut header, metadata);
    put_scriptlets(&mut header, metadata);
    put_changelog(&mut header, metadata);
    put_payload(&mut header, payload);
    header.build(HeaderKind::Main)
}

fn describe(header: &mut HeaderBuilder, metadata: &Metadata) {
    let nevra = &metadata.nevra;
    header.strings(Tag::HEADERI18NTABLE, ["C"]);
    header.string(Tag::NAME, &nevra.name);
    header.string(Tag::VERSION, &nevra.evr.version);
    header.string(Tag::RELEASE, &nevra.evr.release);
    if nevra.evr.epoch != 0 {
        header.u32s(Tag::EPOCH, [nevra.evr.epoch]);
    }
    header.string(Tag::ARCH, &nevra.arch);
    header.i18n(Tag::SUMMARY, &metadata.summary);
    header.i18n(Tag::DESCRIPTION, &metadata.description);
    header.i18n(
        Tag::GROUP,
        if metadata.group.is_empty() {
            "Unspecified"
        } else {
            &metadata.group
        },
    );
    header.u32s(Tag::BUILDTIME, [metadata.build_time]);
    let texts = [
        (Tag::BUILDHOST, &metadata.build_host),
        (Tag::DISTRIBUTION, &metadata.distribution),
        (Tag::VENDOR, &metadata.vendor),
        (Tag::LICENSE, &metadata.license),
        (Tag::PACKAGER, &metadata.packager),
        (Tag::URL, &metadata.url),
        (Tag::OS, &metadata.os),
        (Tag::PLATFORM, &metadata.platform),
        (Tag::VCS, &metadata.vcs),
    ];
    for (tag, text) in texts {
        header.string_unless_empty(tag, text);
    }
    header.string_unless_empty(Tag::SOURCERPM, metadata.source_rpm.as_deref().unwrap_or_default());
    header.string(Tag::RPMVERSION, RPM_VERSION);
    header.string(Tag::ENCODING, "utf-8");
    match u32::try_from(metadata.installed_size()) {
        Ok(size) => header.u32s(Tag::SIZE, [size]),
        Err(_) => header.u64s(Tag::LONGSIZE, [metadata.installed_size()]),
    };
}

fn put_dependencies(header: &mut HeaderBuilder, tags: DependencyTags, dependencies: &[Dependency]) {
    let version = |d: &Dependency| {
        d.constraint
            .as_ref()
            .map(|(_, evr)| evr.to_string())
            .unwrap_or_default()
    };
    let flags = |d: &Dependency| {
        let comparison = d
            .constraint
            .as_ref()
            .map_or(Sense::empty(), |(comparison, _)| comparison.sense());
        ((d.sense - Sense::COMPARISON) | comparison).bits()
    };
    header.strings(tags.name, dependencies.iter().map(|d| &d.name));
    header.strings(tags.version, dependencies.iter().map(version));
    header.u32s(tags.flags, dependencies.iter().map(flags));
}

fn put_files(header: &mut HeaderBuilder, metadata: &Metadata) {
    let files = &metadata.files;
    if files.is_empty() {
        return;
    }
    put_paths(header, files);
    if needs_large_files(files) {
        header.u64s(Tag::LONGFILESIZES, files.iter().map(|f| f.size));
    } else {
        header.u32s(Tag::FILESIZES, files.iter().map(|f| f.size as u32));
    }
    let digest = |f: &FileEntry| f.digest.map(hex::encode).unwrap_or_default();
    header.u16s(Tag::FILEMODES, files.iter().map(|f| f.mode));
    header.u16s(Tag::FILERDEVS, files.iter().map(|f| f.rdev));
    header.u32s(Tag::FILEMTIMES, files.iter().map(|f| f.mtime));
    header.strings(Tag::FILEDIGESTS, files.iter().map(digest));
    header.u32s(Tag::FILEDIGESTALGO, [ALGORITHM_SHA256]);
    header.strings(Tag::FILELINKTOS, files.iter().map(|f| &f.link_target));
    header.u32s(Tag::FILEFLAGS, files.iter().map(|f| f.flags.bits()));
    header.strings(Tag::FILEUSERNAME, files.iter().map(|f| &f.user));
    header.strings(Tag::FILEGROUPNAME, files.iter().map(|f| &f.group));
    let verify = |f: &FileEntry| if f.is_ghost() { VERIFY_GHOST } else { VERIFY_ALL };
    header.u32s(Tag::FILEVERIFYFLAGS, files.iter().map(verify));
    header.u32s(Tag::FILEDEVICES, files.iter().map(|_| 1));
    header.u32s(Tag::FILEINODES, files.iter().map(|f| f.inode));
    header.strings(Tag::FILELANGS, files.iter().map(|_| ""));
    if files.iter().any(|f| !f.capabilities.is_empty()) {
        header.strings(Tag::FILECAPS, files.iter().map(|f| &f.capabilities));
    }
}

/// Paths are stored as base names and indexes into a list of directories, in the order of their appearance.
fn put_paths(header: &mut HeaderBuilder, files: &[FileEntry]) {
    let mut directories: Vec<&[u8]> = Vec::new();
    let mut known: HashMap<&[u8], u32> = HashMap::new();
    let (mut names, mut indexes) = (Vec::new(), Vec::new());
    for file in files {
        let slash = file.path.iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1);
        let (directory, name) = file.path.split_at(slash);
        let index = *known.entry(directory).or_insert_with(|| {
            directories.push(directory);
            directories.len() as u32 - 1
        });
        names.push(name);
        indexes.push(index);
    }
    header.strings(Tag::BASENAMES, names);
    header.strings(Tag::DIRNAMES, directories);
    header.u32s(Tag::DIRINDEXES, indexes);
}

fn put_scriptlets(header: &mut HeaderBuilder, metadata: &Metadata) {
    for scriptlet in &metadata.scriptlets {
        let tags = SCRIPTLET_TAGS.iter().find(|(kind, _, _)| *kind == scriptlet.kind);
        let Some(&(_, body, interpreter)) = tags else {
            continue;
        };
        header.string_unless_empty(body, &scriptlet.body);
        // rpm stores an interpreter without arguments as a plain string.
        match scriptlet.interpreter.as_slice() {
            [] => header.string(interpreter, "/bin/sh"),
            [program] => header.string(interpreter, program),
            words => header.strings(interpreter, words),
        };
    }
}

fn put_changelog(header: &mut HeaderBuilder, metadata: &Metadata) {
    let entries = &metadata.changelog;
    header.u32s(Tag::CHANGELOGTIME, entries.iter().map(|e| e.time));
    header.strings(Tag::CHANGELOGNAME, entries.iter().map(|e| &e.author));
    header.strings(Tag::CHANGELOGTEXT, entries.iter().map(|e| &e.text));
}

fn put_payload(header: &mut HeaderBuilder, payload: &WrittenPayload) {
    header.string(Tag::PAYLOADFORMAT, "cpio");
    // Like rpm, no tags for a payload that is not compressed: a reader takes it for gzip and sees that it
    // is not.
    if let Compression::Zstd { level } = payload.compression {
        header.string(Tag::PAYLOADCOMPRESSOR, "zstd");
        header.string(Tag::PAYLOADFLAGS, level.to_string());
    }
    header.strings(Tag::PAYLOADDIGEST, [hex::encode(payload.digest)]);
    header.strings(Tag::PAYLOADDIGESTALT, [hex::encode(payload.archive_digest)]);
    header.u32s(Tag::PAYLOADDIGESTALGO, [ALGORITHM_SHA256]);
}
