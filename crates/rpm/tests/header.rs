//! The header: layout, round trips, and each rule that it can break.

#![allow(clippy::unwrap_used)]

use lazuli_rpm::{Header, HeaderBuilder, HeaderError, HeaderKind, Tag, TagType};

fn sample() -> HeaderBuilder {
    let mut builder = HeaderBuilder::new();
    builder
        .string(Tag::NAME, "abc")
        .u64s(Tag::LONGSIZE, [1 << 40])
        .strings(Tag::BASENAMES, ["x", "", "yz"])
        .i18n(Tag::SUMMARY, "words")
        .u16s(Tag::FILEMODES, [1, 2, 3])
        .u32s(Tag::EPOCH, [7])
        .binary(Tag::RSAHEADER, &[1, 2, 3])
        .chars(Tag::FILESTATES, &[0, 1]);
    builder
}

fn bytes() -> Vec<u8> {
    sample().build(HeaderKind::Main).unwrap().to_bytes()
}

#[test]
fn round_trip() {
    let bytes = bytes();
    let (header, length) = Header::parse(&[&bytes[..], b"behind"].concat(), HeaderKind::Main).unwrap();
    assert_eq!(length, bytes.len());
    assert_eq!(header.to_bytes(), bytes);
    assert_eq!(Header::from_blob(header.blob()).unwrap().blob(), header.blob());
    assert_eq!(header.string(Tag::NAME).unwrap().as_deref(), Some("abc"));
    assert_eq!(header.strings(Tag::BASENAMES).unwrap(), ["x", "", "yz"]);
    assert_eq!(header.bytes(Tag::BASENAMES).unwrap(), Some(&b"x"[..]));
    assert_eq!(header.string(Tag::SUMMARY).unwrap().as_deref(), Some("words"));
    assert_eq!(header.u16s(Tag::FILEMODES).unwrap(), [1, 2, 3]);
    assert_eq!(header.u32(Tag::EPOCH).unwrap(), Some(7));
    assert_eq!(
        header.u64(Tag::EPOCH).unwrap(),
        Some(7),
        "a number of 32 bits is widened"
    );
    assert_eq!(header.u64(Tag::LONGSIZE).unwrap(), Some(1 << 40));
    assert_eq!(header.binary(Tag::RSAHEADER).unwrap(), Some(&[1, 2, 3][..]));
    assert_eq!(header.string(Tag::URL).unwrap(), None);
    assert_eq!(header.u32s(Tag::FILESIZES).unwrap(), []);
    let tags: Vec<_> = header.entries().iter().map(|e| e.tag.0).collect();
    assert!(tags.is_sorted());
    assert_eq!(header.region_entries(), tags.len());
    let name = Tag::NAME;
    let error = HeaderError::WrongType {
        tag: name,
        expected: "32-bit numbers",
        found: TagType::String,
    };
    assert_eq!(header.u32(name), Err(error));
}

/// Where the index entry of a tag starts in the bytes.
fn entry_at(bytes: &[u8], tag: Tag) -> usize {
    let is_entry = |at: &usize| bytes[*at..*at + 4] == tag.0.to_be_bytes();
    (16..bytes.len() - 4).step_by(16).find(is_entry).unwrap()
}

/// Changes a field of an entry: 0 the tag, 1 the type, 2 the offset, 3 the count.
fn change(bytes: &mut [u8], tag: Tag, field: usize, value: u32) {
    let at = entry_at(bytes, tag) + 4 * field;
    bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
}

fn refused(damage: impl Fn(&mut Vec<u8>)) -> String {
    let mut bytes = bytes();
    damage(&mut bytes);
    Header::parse(&bytes, HeaderKind::Main).unwrap_err().to_string()
}

#[test]
fn each_rule_is_enforced() {
    let set =
        |at: usize, value: u32| move |b: &mut Vec<u8>| b[at..at + 4].copy_from_slice(&value.to_be_bytes());
    assert_eq!(
        refused(|b| b[0] = 0),
        "the header does not start with its magic (8eade801)"
    );
    assert_eq!(
        refused(|b| b[7] = 1),
        "the header does not start with its magic (8eade801)"
    );
    assert_eq!(
        refused(set(8, 0)),
        "the header has 0 index entries, of 1 to 65535 that are allowed"
    );
    assert_eq!(
        refused(set(8, 0x1_0000)),
        "the header has 65536 index entries, of 1 to 65535 that are allowed"
    );
    assert_eq!(
        refused(set(12, 1 << 28)),
        "the header's store has 268435456 bytes, of 268435455 that are allowed"
    );
    assert!(refused(set(12, 1 << 20)).starts_with("the header ends early: "));
    let region = Tag::HEADERIMMUTABLE;
    assert_eq!(
        refused(|b| change(b, region, 0, 62)),
        "the header's first entry is no region tag 63 (HEADERIMMUTABLE) with 16 bytes"
    );
    assert_eq!(
        refused(|b| change(b, region, 2, 0)),
        "the header's region is damaged: its data does not repeat its tag"
    );
    assert_eq!(
        refused(|b| change(b, region, 2, u32::MAX - 3)),
        "the header's region is damaged: its data lies outside of the store"
    );
    let trailer = |value: i32| {
        move |b: &mut Vec<u8>| {
            let at = b.len() - 8;
            b[at..at + 4].copy_from_slice(&value.to_be_bytes());
        }
    };
    for value in [0, 16, -8, -1600, i32::MIN] {
        let message = "the header's region is damaged: it covers an impossible part of the index";
        assert_eq!(refused(trailer(value)), message);
    }
    assert_eq!(
        refused(trailer(-32)),
        "the header's region is damaged: something lies outside of it"
    );
    assert_eq!(
        refused(|b| change(b, Tag::NAME, 0, 99)),
        "index entry 2 has the number 99, which no tag has"
    );
    assert_eq!(
        refused(|b| change(b, Tag::NAME, 1, 0)),
        "tag 1000 (NAME) has the unknown type 0"
    );
    assert_eq!(
        refused(|b| change(b, Tag::NAME, 1, 10)),
        "tag 1000 (NAME) has the unknown type 10"
    );
    assert!(refused(|b| change(b, Tag::NAME, 3, 2)).starts_with("tag 1000 (NAME) has the value count 2"));
    assert!(refused(|b| change(b, Tag::EPOCH, 3, 0)).starts_with("tag 1003 (EPOCH) has the value count 0"));
    assert!(
        refused(|b| change(b, Tag::EPOCH, 3, u32::MAX)).starts_with("tag 1003 (EPOCH) points past the store")
    );
    assert!(
        refused(|b| change(b, Tag::EPOCH, 2, 0x7fff_fffc))
            .starts_with("tag 1003 (EPOCH) points past the store")
    );
    assert!(
        refused(|b| change(b, Tag::EPOCH, 2, 0xffff_fffc))
            .starts_with("tag 1003 (EPOCH) points past the store")
    );
    assert!(refused(|b| change(b, Tag::EPOCH, 2, 5)).starts_with("tag 1003 (EPOCH) has the offset 5"));
    assert!(refused(|b| change(b, Tag::EPOCH, 2, 0)).starts_with("the data of tag 1003 (EPOCH) overlaps"));
    assert_eq!(
        refused(|b| change(b, Tag::SUMMARY, 0, 1000)),
        "tag 1000 (NAME) appears twice"
    );
}

#[test]
fn data_is_aligned_whatever_comes_before() {
    for length in 1..9 {
        let mut builder = HeaderBuilder::new();
        builder
            .string(Tag::NAME, "x".repeat(length))
            .u64s(Tag::LONGSIZE, [9])
            .u16s(Tag::FILEMODES, [1]);
        let header = builder.build(HeaderKind::Signature).unwrap();
        assert_eq!(header.u64(Tag::LONGSIZE).unwrap(), Some(9));
    }
}

#[test]
fn empty_values_are_left_out() {
    let mut builder = HeaderBuilder::new();
    builder
        .strings::<&str>(Tag::BASENAMES, [])
        .u32s(Tag::FILESIZES, [])
        .binary(Tag::RSAHEADER, &[]);
    builder.string_unless_empty(Tag::URL, "");
    let header = builder.build(HeaderKind::Main).unwrap();
    assert!(header.entries().is_empty());
}

#[test]
fn strings_end_inside_the_store() {
    let mut builder = HeaderBuilder::new();
    let mut bytes = builder
        .string(Tag::NAME, "abc")
        .build(HeaderKind::Main)
        .unwrap()
        .to_bytes();
    // Magic and counts, two entries, `abc`.
    let end = 16 + 2 * 16 + 3;
    assert_eq!(bytes[end], 0);
    bytes[end] = b'd';
    // The region's data behind it has zeros, but does not belong to the string.
    let error = Header::parse(&bytes, HeaderKind::Main).unwrap_err();
    assert_eq!(error, HeaderError::UnterminatedString { tag: Tag::NAME });
}
