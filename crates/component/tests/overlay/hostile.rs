//! Archives that mean harm, are damaged, or too large: refused, without a panic and without a file on the disk.

use lazuli_component::archive::{Archive, ArchiveError};
use proptest::prelude::*;

/// A ustar header with its checksum, and the content with its padding.
fn entry(name: &[u8], kind: u8, size: &[u8], content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name);
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..116].copy_from_slice(b"0000000\0");
    header[116..124].copy_from_slice(b"0000000\0");
    header[124..124 + size.len()].copy_from_slice(size);
    header[136..148].copy_from_slice(b"00000000000\0");
    header[148..156].copy_from_slice(b"        ");
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let padding = content.len().next_multiple_of(512) - content.len();
    [&header[..], content, &vec![0; padding]].concat()
}

fn sized(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    entry(
        name.as_bytes(),
        kind,
        format!("{:011o}", content.len()).as_bytes(),
        content,
    )
}

fn linked(name: &str, kind: u8, target: &str) -> Vec<u8> {
    let mut block = sized(name, kind, b"");
    block[157..157 + target.len()].copy_from_slice(target.as_bytes());
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 1024]].concat()
}

fn pax(record: &str) -> Vec<u8> {
    let length = record.len() + 4;
    format!("{length:2} {record}\n").into_bytes()
}

#[test]
fn hostile_members_are_refused() {
    for (entries, expected) in [
        (
            vec![sized("/etc/passwd", b'0', b"x")],
            "its member `/etc/passwd` is refused: its name is absolute",
        ),
        (
            vec![sized("a/../../b", b'0', b"x")],
            "its member `a/../../b` is refused: its name leaves the folder",
        ),
        (
            vec![sized("dev", b'3', b"")],
            "its member `dev` is refused: it is a device",
        ),
        (
            vec![sized("pipe", b'6', b"")],
            "its member `pipe` is refused: it is a pipe",
        ),
        (
            vec![linked("a", b'2', "/etc"), sized("a/passwd", b'0', b"x")],
            "its member `a/passwd` is refused: it lies below a symbolic link",
        ),
        (
            vec![linked("a", b'1', "../b")],
            "its member `../b` is refused: its name leaves the folder",
        ),
        (
            vec![sized("h", b'x', &pax("path=/root/x")), sized("a", b'0', b"x")],
            "its member `/root/x` is refused: its name is absolute",
        ),
        (
            vec![sized("h", b'L', b"../x\0"), sized("a", b'0', b"x")],
            "its member `../x` is refused: its name leaves the folder",
        ),
        (
            vec![sized("h", b'g', &pax("path=x")), sized("a", b'0', b"x")],
            "it is malformed at byte 0 of its unpacked content: a global header names or sizes members",
        ),
        (
            vec![sized("m", b'M', b"x")],
            "a tar archive with a member like `m` cannot be edited",
        ),
        (
            vec![sized("a", b'0', b"x"), vec![b'?'; 512]],
            "it is malformed at byte 1024 of its unpacked content: the checksum of a header is wrong",
        ),
        (
            vec![entry(b"a", b'0', b"77777777777", b"x")],
            "it is malformed at byte 0 of its unpacked content: the content of a member is cut off",
        ),
        (
            vec![entry(
                b"a",
                b'0',
                &[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                b"x",
            )],
            "it is malformed at byte 0 of its unpacked content: the content of a member is cut off",
        ),
        (
            vec![entry(b"a", b'0', b"9999", b"x")],
            "it is malformed at byte 0 of its unpacked content: the size is no number",
        ),
        (
            vec![sized("h", b'L', b"x"); 10],
            "it has more than 8 extension headers before one entry",
        ),
        (
            vec![entry(b"h", b'x', b"00010000000", &vec![b' '; 2 << 20])],
            "it has more than 1 MiB in an extension header",
        ),
        (
            vec![sized("h", b'x', b"zz"), sized("a", b'0', b"")],
            "it is malformed at byte 0 of its unpacked content: a record of an extended header is malformed",
        ),
    ] {
        let error = Archive::open(&archive(&entries)).expect_err(expected);
        assert_eq!(error.to_string(), expected);
    }
    let honest = archive(&[linked("d/l", b'2', "../x"), sized("d/f", b'0', b"x")]);
    assert!(Archive::open(&honest).is_ok());
}

#[test]
fn sizes_that_cannot_be_changed_are_refused() {
    let extended = archive(&[sized("h", b'x', &pax("size=1")), sized("a", b'0', b"x")]);
    let mut archive = Archive::open(&extended).unwrap();
    assert_eq!(&*archive.content(0).unwrap(), b"x");
    let error = archive.replace(0, b"yy".to_vec()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a member whose size is in an extension header cannot be edited"
    );
    assert_eq!(archive.pack().unwrap(), extended);
}

#[test]
fn other_formats_are_named() {
    for (bytes, expected) in [
        (&b"LZIP\x01"[..], "an archive compressed by lzip cannot be edited"),
        (
            b"]\0\0\x80\0",
            "an archive in the old lzma format cannot be edited",
        ),
        (
            b"",
            "a file that is neither a tar nor a zip archive cannot be edited",
        ),
        (
            b"PK\x03\x04",
            "it is malformed at byte 0 of its unpacked content: there is no end record",
        ),
    ] {
        assert_eq!(Archive::open(bytes).expect_err(expected).to_string(), expected);
    }
    for bytes in [
        &b"\x1f\x8b\x08"[..],
        b"\xfd7zXZ\0xx",
        b"BZh9xx",
        b"\x28\xb5\x2f\xfdxx",
    ] {
        assert!(
            matches!(Archive::open(bytes), Err(ArchiveError::Compression { .. })),
            "{bytes:?}"
        );
    }
}

#[test]
fn archives_without_an_end_stay_so() {
    for text in [
        sized("a", b'0', b"x"),
        [sized("a", b'0', b"x"), vec![0; 512]].concat(),
        [
            archive(&[sized("a", b'0', b"x")]),
            b"something behind the end".to_vec(),
        ]
        .concat(),
    ] {
        let archive = Archive::open(&text).unwrap();
        assert_eq!(archive.pack().unwrap(), text);
        let mut archive = Archive::open(&text).unwrap();
        archive.replace(0, b"yy".to_vec()).unwrap();
        let again = archive.pack().unwrap();
        assert_eq!(again[512..514], *b"yy");
        assert_eq!(again.len(), text.len());
    }
}

/// A zip archive of one stored member.
fn zip() -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(b"content");
    let common = [
        &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
        &crc.sum().to_le_bytes(),
        &7_u32.to_le_bytes(),
        &7_u32.to_le_bytes(),
        &[1, 0, 0, 0],
    ]
    .concat();
    let local = [b"PK\x03\x04", &common[..], b"a", b"content"].concat();
    let central = [b"PK\x01\x02\x14\x03", &common[..], &[0; 14], b"a"].concat();
    let end = [
        &b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..],
        &(central.len() as u32).to_le_bytes(),
        &(local.len() as u32).to_le_bytes(),
        &[0, 0],
    ]
    .concat();
    [local, central, end].concat()
}

#[test]
fn zip_archives_are_checked() {
    let good = zip();
    let mut archive = Archive::open(&good).unwrap();
    assert_eq!(&*archive.content(0).unwrap(), b"content");
    assert_eq!(archive.pack().unwrap(), good);
    archive.replace(0, b"other content".to_vec()).unwrap();
    let new = Archive::open(&archive.pack().unwrap()).unwrap();
    assert_eq!(&*new.content(0).unwrap(), b"other content");
    // A content that is not what its checksum says.
    let mut damaged = good;
    damaged[33] ^= 1;
    assert!(Archive::open(&damaged).unwrap().content(0).is_err());
}

fn exercise(bytes: &[u8]) {
    let Ok(mut archive) = Archive::open(bytes) else {
        return;
    };
    let places: Vec<usize> = archive.members().map(|(at, _)| at).collect();
    for at in &places {
        let _ = archive.content(*at).map(|content| content.len());
        let _ = archive.replace(*at, b"z".to_vec());
    }
    let _ = archive.root();
    let _ = archive.remove(&places[..places.len() / 2]);
    if let Ok(packed) = archive.pack() {
        assert!(Archive::open(&packed).is_ok() || places.len() < 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_archives_do_no_harm(
        which in 0..2,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        shortened in any::<bool>(),
    ) {
        let mut bytes = match which {
            0 => zip(),
            _ => archive(&[
                sized("h", b'x', &pax("path=abc/d")),
                sized("a", b'0', b"content"),
                linked("l", b'1', "abc/d"),
                sized("h", b'L', b"long\0"),
                sized("b", b'0', b"more"),
            ]),
        };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if shortened {
            bytes.truncate(cut.index(bytes.len()));
        }
        exercise(&bytes);
    }
}
