//! Hostile and damaged packages: named errors, never a panic.
#![allow(clippy::unwrap_used, missing_docs)]

mod writer;

use lazuli_deb::{Deb, DebError, Limits, VisitError};
use writer::{Tar, ar, check_error, deb, list, package};

#[test]
fn refuses_other_archives() {
    let control = writer::control();
    let empty = Tar::default().finish();
    check_error(b"", "it does not begin with `!<arch>`");
    check_error(b"!<arch>\n", "`debian-binary`: it is not the first member");
    check_error(
        &ar(&[("debian-binary", b"3.0\n")]),
        "the version of the format is not 2",
    );
    check_error(
        &ar(&[("debian-binary", b"2.0\n")]),
        "`control.tar`: it is missing",
    );
    check_error(
        &ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control)]),
        "`data.tar`: it is missing",
    );
    check_error(
        &ar(&[
            ("debian-binary", b"2.0\n"),
            ("data.tar", &empty),
            ("control.tar", &control),
        ]),
        "`data.tar`: it stands where another member is due",
    );
    check_error(
        &ar(&[("debian-binary", b"2.0\n"), ("control.tar", &empty)]),
        "no file `control`",
    );
    let mut sized = package();
    sized[8 + 48..8 + 58].copy_from_slice(b"9999999999");
    check_error(&sized, "a member's content is cut off");
    sized[8 + 48..8 + 58].copy_from_slice(b"-1        ");
    check_error(&sized, "a member's size is no number");
    let many = vec![("_a", &b""[..]); 100];
    check_error(&ar(&many), "it has too many members");
}

#[test]
fn refuses_hostile_control_archives() {
    let check = |build: &dyn Fn(&mut Tar) -> &mut Tar, expected: &str| {
        let mut tar = Tar::default();
        tar.file("./control", writer::CONTROL);
        build(&mut tar);
        let control = tar.finish();
        check_error(
            &ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control)]),
            expected,
        );
    };
    check(&|tar| tar.file("./control", b""), "`./control`: it stands twice");
    check(&|tar| tar.file("../x", b""), "`../x`: it holds `..`");
    check(&|tar| tar.file("a/b", b""), "`a/b`: it is no plain name");
    check(
        &|tar| tar.link("a", b'2', "/etc/passwd"),
        "`a`: it is no regular file",
    );
    check(
        &|tar| tar.file("conffiles", b"etc/x\n"),
        "conffiles, line 1: the path of a conffile is not absolute",
    );
    check(
        &|tar| tar.file("conffiles", b"/a\n/../x\n"),
        "conffiles, line 2: it holds `..`",
    );
    check(
        &|tar| tar.file("triggers", b"explode now\n"),
        "triggers, line 1: the directive is unknown",
    );
    check(
        &|tar| tar.file("md5sums", b"xyz  a\n"),
        "md5sums, line 1: the line is too short",
    );
    check(
        &|tar| (0..300).fold(tar, |tar, n| tar.file(&format!("f{n}"), b"")),
        "control.tar has more than 256 entries",
    );
}

#[test]
fn refuses_hostile_entries() {
    let check = |build: &dyn Fn(&mut Tar) -> &mut Tar, expected: &str| {
        let mut tar = Tar::default();
        build(&mut tar);
        check_error(&deb(&tar.finish()), expected);
    };
    check(
        &|tar| tar.file("/etc/passwd", b""),
        "`/etc/passwd`: it is absolute",
    );
    check(
        &|tar| tar.file("./a/../../b", b""),
        "`./a/../../b`: it holds `..`",
    );
    check(
        &|tar| tar.link("a", b'2', "/etc").file("a/passwd", b""),
        "it goes through a symbolic link",
    );
    check(
        &|tar| tar.link("a", b'2', "..").file("a/b/c/d", b""),
        "it goes through a symbolic link",
    );
    check(
        &|tar| tar.file("a/b", b"").link("a", b'2', "/"),
        "something lies below it, but it is no folder",
    );
    check(&|tar| tar.dir("a").link("a", b'2', "/"), "`a`: it stands twice");
    check(
        &|tar| tar.file("a", b"").file("./a", b""),
        "`./a`: it stands twice",
    );
    check(&|tar| tar.dir("a").dir("a/"), "`a/`: it stands twice");
    check(
        &|tar| tar.file("a", b"").file("a/b", b""),
        "it lies below something that is no folder",
    );
    check(
        &|tar| tar.link("a", b'1', "b"),
        "a hard link to a file that does not stand before it",
    );
    check(
        &|tar| tar.link("a", b'1', "/etc/shadow"),
        "the path of its hard link is not allowed",
    );
    check(
        &|tar| tar.link("s", b'2', "/x").link("a", b'1', "s"),
        "a hard link to a file that does not stand",
    );
    check(&|tar| tar.link("a", b'2', ""), "its link has no text");
    check(
        &|tar| tar.file("./", b""),
        "it is a regular file, but its name ends with a slash",
    );
    check(&|tar| tar.link(".", b'2', "/x"), "it is the root, but no folder");
    check(
        &|tar| tar.special("a", b'S', 0, 0),
        "sparse files are not supported",
    );
    check(&|tar| tar.special("a", b'Z', 0, 0), "its type is unknown");
    check(
        &|tar| tar.special("a", b'g', 0, 0),
        "global PAX headers are not supported",
    );
    check(&|tar| tar.file(&"a/".repeat(10), b""), "ends with a slash");
    check(
        &|tar| tar.long(b'L', &vec![b'a'; 5000]),
        "an extension header has 5000 bytes, more than 4097",
    );
    check(
        &|tar| tar.long(b'L', &vec![b'a'; 300]).file("a", b""),
        "one of its components is too long",
    );
    check(
        &|tar| tar.long(b'L', b"a\0b").file("a", b""),
        "it holds a NUL byte",
    );
    check(
        &|tar| tar.long(b'L', b"a").long(b'L', b"b"),
        "an extension header stands twice",
    );
    check(
        &|tar| tar.long(b'L', b"a"),
        "an extension header stands before the end",
    );
    check(
        &|tar| tar.pax(&[("size", b"-1")]).file("a", b""),
        "the PAX record `size` is no number",
    );
    check(
        &|tar| tar.pax(&[("size", b"18446744073709551615")]).file("a", b""),
        "cut off",
    );
    check(
        &|tar| tar.pax(&[("GNU.sparse.size", b"1")]).file("a", b""),
        "sparse files are not supported",
    );
    check(
        &|tar| tar.pax(&[("uid", b"4294967296")]).file("a", b""),
        "its owner's number is too large",
    );
    check(
        &|tar| tar.long(b'x', b"99 path=a\n").file("a", b""),
        "a PAX header is malformed",
    );
    check(
        &|tar| tar.long(b'x', b"1 ").file("a", b""),
        "a PAX header is malformed",
    );
    check(&|tar| tar.file_with_size("a", b"", 1 << 40), "cut off");
}

#[test]
fn refuses_bombs() {
    let limits = Limits {
        data_bytes: 1 << 20,
        control_bytes: 1 << 20,
        entries: 10,
        decompressor_memory: 64 << 20,
    };
    let mut tar = Tar::default();
    let zeros = tar.file("./zeros", &vec![0; 4 << 20]).finish();
    for (suffix, bytes) in [(".zst", zstd::encode_all(&zeros[..], 1).unwrap()), ("", zeros)] {
        let data = format!("data.tar{suffix}");
        let whole = ar(&[
            ("debian-binary", b"2.0\n"),
            ("control.tar", &writer::control()),
            (&data, &bytes),
        ]);
        let error = list(&whole, SMALL).unwrap_err().to_string();
        assert!(error.contains("unfolds to more than 1048576 bytes"), "{error}");
        let skipped = Deb::parse(&whole, limits)
            .unwrap()
            .visit_files(|_, _| Ok::<(), std::io::Error>(()));
        assert!(matches!(
            skipped,
            Err(VisitError::Deb(DebError::TooLarge { limit: 1_048_576, .. }))
        ));
    }
    let mut tar = Tar::default();
    (0..20).fold(&mut tar, |tar, n| tar.file(&format!("f{n}"), b""));
    let error = list(&deb(&tar.finish()), limits).unwrap_err();
    assert!(
        matches!(error, DebError::TooManyEntries { limit: 10, .. }),
        "{error}"
    );
}

/// Limits that no small package comes near, so that a mutation does not take long.
const SMALL: Limits = Limits {
    data_bytes: 1 << 20,
    control_bytes: 1 << 20,
    entries: 100,
    decompressor_memory: 64 << 20,
};

/// Every byte of a small package flipped in turn, and the package cut at every length: an error or a value, no panic.
/// A flip in a compressed member must never go unseen.
#[test]
fn survives_mutations() {
    let whole = package();
    let good = list(&whole, SMALL).unwrap();
    assert!(good.len() > 3);
    let mut refused = 0;
    for at in 0..whole.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= mask;
            refused += usize::from(list(&bytes, SMALL).is_err());
        }
    }
    // What may change unseen: owners and times of ar members, and other fields that the format does not protect.
    assert!(
        refused > whole.len() * 2,
        "only {refused} of {} changes were refused",
        whole.len() * 3
    );
    let last = whole.len() - 1;
    for length in 0..whole.len() {
        // The last byte may be the padding of the last member, which real archives sometimes lack.
        let cut = list(&whole[..length], SMALL);
        assert!(
            cut.is_err() || length == last,
            "a package cut at {length} was taken"
        );
    }
}

/// Uncompressed packages let every flip through to the tar reader.
#[test]
fn survives_mutations_of_the_tar_archives() {
    let mut tar = Tar::default();
    tar.dir("./")
        .file("./a", b"content")
        .long(b'L', b"./long")
        .file("x", b"y")
        .link("./b", b'1', "./a");
    tar.pax(&[("SCHILY.xattr.user.x", b"1"), ("mtime", b"1.5")])
        .file("./c", b"");
    let bytes = tar.finish();
    for at in 0..bytes.len() - 1024 {
        for mask in [0x01, 0x10, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= mask;
            let _ = list(&deb(&changed), SMALL);
            // With its checksum put right again, a header goes further.
            writer::fix_checksum(&mut changed, at / 512 * 512);
            let _ = list(&deb(&changed), SMALL);
        }
    }
}
