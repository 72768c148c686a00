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

use std::io::Read;

use lazuli_catalog::SuiteName;
use lazuli_deb::Sha256Digest;
use sha2::{Digest, Sha256};

use super::{Index, ProviderRow, Row, Span};

const MAGIC: &[u8; 8] = b"LZINDEX\x01";
const HEAD: usize = 8 + 32 + 32;
const COUNTS: usize = 12;
const ROW: usize = 28;
const PROVIDER: usize = 12;

/// The most memory that is asked for on the word of a count alone, in bytes.
const MAX_RESERVED: usize = 256 << 20;

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
    bytes.extend(text);
    let digest = Sha256Digest::of(&bytes[HEAD..]);
    bytes[HEAD - 32..HEAD].copy_from_slice(digest.as_bytes());
    bytes
}

/// Reads an index; `None` if it is damaged, of another version, or made from something else.
pub(crate) fn decode(mut input: impl Read, key: &Sha256Digest, suites: Vec<SuiteName>) -> Option<Index> {
    let mut head = [0; HEAD + COUNTS];
    input.read_exact(&mut head).ok()?;
    let (digest, counts) = (&head[40..HEAD], &head[HEAD..]);
    if &head[..8] != MAGIC || &head[8..40] != key.as_bytes() {
        return None;
    }
    let count = |at: usize| number(&counts[4 * at..]) as usize;
    let (row_count, provider_count, text_length) = (count(0), count(1), count(2));
    let rows_length = row_count.checked_mul(ROW)?;
    let tables_length = rows_length.checked_add(provider_count.checked_mul(PROVIDER)?)?;
    // Tables and text are read apart, so that the text, which is most of it, need not be moved. A damaged count is no
    // reason to ask for much memory: `take` and `read_to_end` ask for what is there.
    let tables = read_part(&mut input, tables_length)?;
    let text = read_part(&mut input, text_length)?;
    if input.read(&mut [0]).ok()? != 0 {
        return None;
    }
    let mut hash = Sha256::new();
    for part in [counts, &tables, &text] {
        hash.update(part);
    }
    if hash.finalize()[..] != *digest {
        return None;
    }
    let (rows, providers) = tables.split_at_checked(rows_length)?;
    let rows: Vec<Row> = rows.chunks_exact(ROW).map(row).collect();
    let providers: Vec<ProviderRow> = providers.chunks_exact(PROVIDER).map(provider).collect();
    let fits = |span: &Span| span.offset as usize + span.length as usize <= text.len();
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

/// Reads exactly so many bytes.
fn read_part(input: &mut impl Read, length: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length.min(MAX_RESERVED));
    input.take(length as u64).read_to_end(&mut bytes).ok()?;
    (bytes.len() == length).then_some(bytes)
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
