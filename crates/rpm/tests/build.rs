//! Building packages: the same bytes each time, and what is refused.

#![allow(clippy::unwrap_used)]

mod support;

use lazuli_rpm::{
    BuildError, BuiltPackage, Compression, Content, ContentSource, Dependency, FileEntry, FileFlags,
    Metadata, Package, PackageBuilder, Sense,
};
use std::borrow::Cow;
use std::io::{self, Read};
use support::{Contents, build, dependency, empty, everything};

#[test]
fn the_same_bytes_whatever_the_order() {
    let (metadata, contents) = everything();
    let first = build(&metadata, &contents);
    assert_eq!(first, build(&metadata, &contents));
    let mut shuffled = metadata.clone();
    shuffled.files.reverse();
    shuffled.requires.reverse();
    shuffled.provides.reverse();
    shuffled.provides.push(dependency("virtual = 5"));
    // Only which files are linked matters, not the number.
    for file in shuffled.files.iter_mut().filter(|file| file.inode == 77) {
        file.inode = 5;
    }
    assert_eq!(first.to_bytes(), build(&shuffled, &contents).to_bytes());
    // What was built can be built again.
    assert_eq!(first.to_bytes(), build(&first.metadata, &contents).to_bytes());
}

#[test]
fn what_is_written_is_read_back() {
    let (metadata, contents) = everything();
    for (metadata, contents) in [(metadata, contents), (empty(), Contents::new())] {
        let built = build(&metadata, &contents);
        let bytes = built.to_bytes();
        let mut written = Vec::new();
        built.write_to(&mut written).unwrap();
        assert_eq!(written, bytes);
        assert_eq!(built.size(), bytes.len() as u64);
        let package = Package::parse(&bytes).unwrap();
        package.verify_all_digests().unwrap();
        assert_eq!(package.metadata().unwrap(), built.metadata);
        assert_eq!(package.header_range(), built.header_range);
        assert_eq!(package.payload_bytes(), built.payload);
        assert_eq!(package.header_range().start % 8, 0);
    }
}

/// A source that hands out readers, in small pieces.
struct Pieces(Contents);

impl ContentSource for Pieces {
    fn content(&self, file: &FileEntry) -> io::Result<Content<'_>> {
        struct Slow<'a>(&'a [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let length = buffer.len().min(7);
                self.0.read(&mut buffer[..length])
            }
        }
        Ok(Content::Reader(Box::new(Slow(&self.0[&file.path]))))
    }
}

#[test]
fn readers_and_bytes_make_the_same_package() {
    let (metadata, contents) = everything();
    let expected = build(&metadata, &contents);
    let built = PackageBuilder::new(metadata)
        .build(&Pieces(contents), None)
        .unwrap();
    assert_eq!(built.to_bytes(), expected.to_bytes());
}

#[test]
fn adds_what_every_package_has() {
    let built = build(&empty(), &Contents::new());
    let texts =
        |dependencies: &[Dependency]| dependencies.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(texts(&built.metadata.provides), ["empty = 0-0"]);
    let required = [
        "rpmlib(PayloadFilesHavePrefix) <= 4.0-1",
        "rpmlib(PayloadIsZstd) <= 5.4.18-1",
    ];
    assert_eq!(texts(&built.metadata.requires), required);
    assert!(built.metadata.requires.iter().all(|d| d.sense == Sense::RPMLIB));
    let (metadata, contents) = everything();
    let provides = texts(&build(&metadata, &contents).metadata.provides);
    assert!(provides.contains(&"every-thing = 3:1.2~rc1+dfsg-4.lz1".to_owned()));
    assert!(provides.contains(&"every-thing(x86-64) = 3:1.2~rc1+dfsg-4.lz1".to_owned()));
}

/// Builds the smallest package with one file, after a change.
fn attempt(change: impl Fn(&mut Metadata, &mut Contents)) -> Result<BuiltPackage, BuildError> {
    let mut metadata = empty();
    metadata.files = vec![FileEntry::regular("/usr/a", 0o644, 3, None)];
    let mut contents = Contents::from([(b"/usr/a".to_vec(), b"abc".to_vec())]);
    change(&mut metadata, &mut contents);
    PackageBuilder::new(metadata).build(&contents, None)
}

fn refused(change: impl Fn(&mut Metadata, &mut Contents)) -> String {
    attempt(change).unwrap_err().to_string()
}

#[test]
fn refuses_what_makes_no_package() {
    assert!(attempt(|_, _| {}).is_ok());
    let name = |name: &'static str| refused(move |m, _| m.nevra.name = name.into());
    assert_eq!(
        name(""),
        "`` cannot be the name of a package: it must start with a letter, a digit or `_`"
    );
    assert_eq!(
        name("a b"),
        "`a b` cannot be the name of a package: it must not hold ` `"
    );
    assert_eq!(
        name("../a"),
        "`../a` cannot be the name of a package: it must start with a letter, a digit or `_`"
    );
    assert!(name("a/b").ends_with("it must not hold `/`"));
    let version = refused(|m, _| m.nevra.evr.version = "1-2".into());
    assert_eq!(
        version,
        "`1-2` cannot be the version of a package: it must not hold `-`"
    );
    assert!(refused(|m, _| m.nevra.evr.release = String::new()).contains("cannot be the release"));
    assert_eq!(
        refused(|m, _| m.source_rpm = None),
        "a source package cannot be built (source_rpm is empty)"
    );
    for (path, reason) in [
        ("usr/b", "it is not absolute"),
        ("/usr/../b", "it has a part `.` or `..`"),
        ("/usr//b", "it has an empty part"),
        ("/usr/b/", "it has an empty part"),
        ("/usr/\0", "it has a zero byte"),
    ] {
        let error = refused(|m, _| m.files.push(FileEntry::directory(path, 0o755)));
        assert_eq!(error, format!("the path `{path}` cannot be packaged: {reason}"));
    }
    assert_eq!(
        refused(|m, _| m.files.push(FileEntry::directory("/usr/a", 0o755))),
        "`/usr/a` is listed twice"
    );
    assert_eq!(
        refused(|m, _| m.files[0].mode = 0o644),
        "the path `/usr/a` cannot be packaged: its mode has no file type"
    );
    assert_eq!(
        refused(|m, _| m.files.push(FileEntry::symlink("/usr/l", ""))),
        "the path `/usr/l` cannot be packaged: its link target is empty or holds a zero byte"
    );
    for (requires, reason) in [
        (
            "(a unless b)",
            "`unless` cannot stand below `and`, or in a requirement: use `if`",
        ),
        ("(a and", "a name is missing"),
    ] {
        let error = refused(|m, _| m.requires = vec![Dependency::any(requires)]);
        assert_eq!(
            error,
            format!("`{requires}` cannot be the dependency of a package: {reason}")
        );
    }
    let error = refused(|m, _| m.provides = vec![Dependency::any("(a or b)")]);
    assert!(
        error.ends_with("a rich dependency cannot be provided or obsoleted"),
        "{error}"
    );
}

#[test]
fn contents_must_be_what_entries_say() {
    assert_eq!(
        refused(|_, contents| contents.clear()),
        "failed to read the content of `/usr/a`: no content is given for this path"
    );
    let size = |bytes: &'static [u8]| {
        refused(move |_, contents| {
            contents.insert(b"/usr/a".to_vec(), bytes.to_vec());
        })
    };
    assert_eq!(
        size(b"ab"),
        "`/usr/a` has 2 bytes of content, but its entry says 3"
    );
    assert_eq!(
        size(b"abcd"),
        "`/usr/a` has 4 bytes of content, but its entry says 3"
    );
    let digest = refused(|metadata, _| metadata.files[0].digest = Some([0; 32]));
    assert!(
        digest.starts_with("the content of `/usr/a` does not match its SHA-256 (expected 0000"),
        "{digest}"
    );
    let link = |change: fn(&mut FileEntry)| {
        refused(move |metadata, contents| {
            metadata.files[0].inode = 9;
            let mut other = FileEntry {
                path: b"/usr/b".to_vec(),
                ..metadata.files[0].clone()
            };
            change(&mut other);
            metadata.files.push(other);
            contents.insert(b"/usr/b".to_vec(), b"abc".to_vec());
        })
    };
    assert_eq!(
        link(|f| f.mode = 0o100_755),
        "`/usr/b` is a hard link of `/usr/a`, but its mode differs"
    );
    assert_eq!(
        link(|f| f.size = 4),
        "`/usr/b` is a hard link of `/usr/a`, but its size differs"
    );
    struct Broken;
    impl ContentSource for Broken {
        fn content(&self, _: &FileEntry) -> io::Result<Content<'_>> {
            Ok(Content::Reader(Box::new(io::empty().chain(Failing))))
        }
    }
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("disk on fire"))
        }
    }
    let mut metadata = empty();
    metadata.files = vec![FileEntry::regular("/usr/a", 0o644, 3, None)];
    let error = PackageBuilder::new(metadata).build(&Broken, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed to read the content of `/usr/a`: disk on fire"
    );
}

#[test]
fn a_ghost_needs_no_content() {
    let built = attempt(|metadata, contents| {
        metadata.files[0].flags = FileFlags::GHOST;
        metadata.files[0].size = 0;
        contents.clear();
    });
    assert_eq!(built.unwrap().metadata.files[0].digest, None);
}

/// The entries of an uncompressed `newc` archive, each with its name; the trailer is the last.
fn split_newc(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut entries = Vec::new();
    let mut rest = archive;
    while !rest.is_empty() {
        let field = |number: usize| {
            let digits = std::str::from_utf8(&rest[6 + 8 * number..][..8]).unwrap();
            usize::from_str_radix(digits, 16).unwrap()
        };
        let (size, name) = (field(6), field(11));
        let length = (110 + name).next_multiple_of(4) + size.next_multiple_of(4);
        let (entry, later) = rest.split_at(length);
        let text = String::from_utf8(entry[110..][..name - 1].to_vec()).unwrap();
        entries.push((text, entry.to_vec()));
        rest = later;
    }
    entries
}

/// Names of one file are written together, where the last of them stands; other writers scatter them.
#[test]
fn hard_links_are_written_together_and_read_in_any_order() {
    let (mut metadata, mut contents) = support::interleaved_links();
    for name in ["/usr/share/links/2-own", "/usr/share/links/4"] {
        metadata.files.push(FileEntry::regular(name, 0o644, 3, None));
        contents.insert(name.into(), b"own".into());
    }
    let built = PackageBuilder::new(metadata)
        .compression(Compression::None)
        .build(&contents, None)
        .unwrap();
    assert!(built.metadata.files.is_sorted_by_key(|file| &file.path));
    let mut entries = split_newc(&built.payload);
    let names: Vec<_> = entries
        .iter()
        .map(|(name, _)| name.trim_start_matches("./usr/share/links/"))
        .collect();
    assert_eq!(
        names,
        [
            "2-own",
            "1-one",
            "2-one",
            "3-one",
            "1-two",
            "2-two",
            "3-two",
            "4",
            "TRAILER!!!"
        ]
    );

    let read = |archive: &[u8]| {
        let bytes = [&built.head[..], archive].concat();
        let package = Package::parse(&bytes).unwrap();
        let mut payload = package.payload(&built.metadata).unwrap();
        let mut seen = Vec::new();
        while let Some(mut entry) = payload.next_entry().unwrap() {
            let content = String::from_utf8(entry.read_content().unwrap()).unwrap();
            seen.push((entry.index(), entry.links().to_vec(), content));
        }
        seen
    };
    let expected = [
        (3, vec![], "own".to_owned()),
        (5, vec![0, 2], "first".to_owned()),
        (6, vec![1, 4], "the second".to_owned()),
        (7, vec![], "own".to_owned()),
    ];
    assert_eq!(read(&built.payload), expected);
    // In the order of paths; `T` of the trailer sorts behind `.`.
    entries.sort();
    let scattered: Vec<u8> = entries.into_iter().flat_map(|(_, entry)| entry).collect();
    assert_ne!(scattered, built.payload);
    assert_eq!(read(&scattered), expected);
}

/// rpm's own archive format for large files, which has numbers instead of names.
#[test]
fn reads_the_stripped_format() {
    let mut metadata = empty();
    let mut contents = Contents::new();
    for name in ["/a", "/b", "/c"] {
        metadata.files.push(FileEntry::regular(name, 0o644, 5, None));
        contents.insert(name.as_bytes().to_vec(), b"hello".to_vec());
    }
    // `/a` and `/c` are one file.
    metadata.files[0].inode = 4;
    metadata.files[2].inode = 4;
    metadata.files.push(FileEntry::symlink("/d", "target"));
    metadata.files.push(FileEntry::directory("/e", 0o755));
    let built = PackageBuilder::new(metadata)
        .compression(Compression::None)
        .build(&contents, None)
        .unwrap();
    let entry = |index: u32, content: &str| {
        let mut entry = format!("07070X{index:08x}\0\0{content}").into_bytes();
        entry.resize(entry.len().next_multiple_of(4), 0);
        entry
    };
    let end = &built.payload[built.payload.len() - 124..];
    let archive = [
        entry(0, ""),
        entry(1, "hello"),
        entry(2, "hello"),
        entry(3, "target"),
        entry(4, ""),
        end.to_vec(),
    ]
    .concat();
    let bytes = [&built.head[..], &archive].concat();
    let package = Package::parse(&bytes).unwrap();
    let mut payload = package.payload(&built.metadata).unwrap();
    let mut seen = Vec::new();
    while let Some(mut entry) = payload.next_entry().unwrap() {
        let content = entry.read_content().unwrap();
        seen.push((entry.index(), entry.links().to_vec(), content.len()));
    }
    assert_eq!(
        seen,
        [(1, vec![], 5), (2, vec![0], 5), (3, vec![], 0), (4, vec![], 0)]
    );
}

/// The size that an entry promises is checked before anything is written that it does not fit.
#[test]
fn a_promised_size_is_not_believed() {
    struct Short;
    impl ContentSource for Short {
        fn content(&self, _: &FileEntry) -> io::Result<Content<'_>> {
            Ok(Content::Bytes(Cow::Borrowed(b"short")))
        }
    }
    for size in [6, 5 << 30, u64::MAX] {
        let mut metadata = empty();
        metadata.files = vec![FileEntry::regular("/usr/a", 0o644, size, None)];
        let error = PackageBuilder::new(metadata).build(&Short, None).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("`/usr/a` has 5 bytes of content, but its entry says {size}")
        );
    }
}
