//! The index on disk. All numbers are little endian and have 32 bits.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic and version of the format |
//! | 32 | key: what the index was made from |
//! | 32 | SHA-256 of all that follows |
//! | 12 | counts: rows, provider rows, bytes of text |
//! | 28 each | rows: paragraph, name and version (offset, length each), suite |
//! | 12 each | provider rows: name (offset, length), row |
//! | the rest | text, UTF-8 |
//!
//! The digest finds damage; it is no protection against someone who can write to the cache folder.

use lazuli_catalog::SuiteName;
use lazuli_deb::Sha256Digest;

use super::{Index, ProviderRow, Row, Span};

const MAGIC: &[u8; 8] = b"LZINDEX\x01";
const HEAD: usize = 8 + 32 + 32;
const COUNTS: usize = 12;
const ROW: usize = 28;
const PROVIDER: usize = 12;

/// Writes an index, with the key of what it was made from.
pub(crate) fn encode(index: &Index, key: &Sha256Digest) -> Vec<u8> {
    let Index {
        rows,
        providers,
        text,
        ..
    } = index;
    let size = HEAD + COUNTS + rows.len() * ROW + providers.len() * PROVIDER + text.len();
    let mut bytes = Vec::with_capacity(size);
    bytes.extend(MAGIC);
    bytes.extend(key.as_bytes());
    bytes.extend([0; 32]);
    for count in [rows.len(), providers.len(), text.len()] {
        bytes.extend((count as u32).to_le_bytes());
    }
    for Row {
        paragraph,
        name,
        version,
        suite,
    } in rows
    {
        for number in [
            paragraph.offset,
            paragraph.length,
            name.offset,
            name.length,
            version.offset,
            version.length,
            *suite,
        ] {
            bytes.extend(number.to_le_bytes());
        }
    }
    for ProviderRow { name, row } in providers {
        for number in [name.offset, name.length, *row] {
            bytes.extend(number.to_le_bytes());
        }
    }
    bytes.extend(text.as_bytes());
    let digest = Sha256Digest::of(&bytes[HEAD..]);
    bytes[HEAD - 32..HEAD].copy_from_slice(digest.as_bytes());
    bytes
}

/// Reads an index; `None` if it is damaged, of another version, or made from something else.
pub(crate) fn decode(mut bytes: Vec<u8>, key: &Sha256Digest, suites: Vec<SuiteName>) -> Option<Index> {
    let (head, body) = bytes.split_at_checked(HEAD)?;
    if &head[..8] != MAGIC
        || &head[8..40] != key.as_bytes()
        || head[40..] != Sha256Digest::of(body).as_bytes()[..]
    {
        return None;
    }
    let mut counts = body
        .get(..COUNTS)?
        .chunks_exact(4)
        .map(|chunk| number(chunk) as usize);
    let (row_count, provider_count, text_length) = (counts.next()?, counts.next()?, counts.next()?);
    let rows_end = COUNTS.checked_add(row_count.checked_mul(ROW)?)?;
    let providers_end = rows_end.checked_add(provider_count.checked_mul(PROVIDER)?)?;
    let rows: Vec<Row> = body.get(COUNTS..rows_end)?.chunks_exact(ROW).map(row).collect();
    let providers: Vec<ProviderRow> = body
        .get(rows_end..providers_end)?
        .chunks_exact(PROVIDER)
        .map(provider)
        .collect();
    if body.len() - providers_end != text_length {
        return None;
    }
    // The text is most of it: move it to the front rather than copy it.
    bytes.drain(..HEAD + providers_end);
    let text = String::from_utf8(bytes).ok()?;
    let fits = |span: &Span| {
        let from = span.offset as usize;
        text.get(from..from + span.length as usize).is_some()
    };
    let rows_fit = rows.iter().all(|row| {
        fits(&row.paragraph) && fits(&row.name) && fits(&row.version) && (row.suite as usize) < suites.len()
    });
    let providers_fit = providers
        .iter()
        .all(|row| fits(&row.name) && (row.row as usize) < rows.len());
    (rows_fit && providers_fit).then_some(Index {
        suites,
        text,
        rows,
        providers,
    })
}

fn number(chunk: &[u8]) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&chunk[..4]);
    u32::from_le_bytes(bytes)
}

fn span(bytes: &[u8]) -> Span {
    Span {
        offset: number(bytes),
        length: number(&bytes[4..]),
    }
}

fn row(bytes: &[u8]) -> Row {
    Row {
        paragraph: span(bytes),
        name: span(&bytes[8..]),
        version: span(&bytes[16..]),
        suite: number(&bytes[24..]),
    }
}

fn provider(bytes: &[u8]) -> ProviderRow {
    ProviderRow {
        name: span(bytes),
        row: number(&bytes[8..]),
    }
}
