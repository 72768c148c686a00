//! The line that is most like one that is not there.

use std::collections::BTreeMap;

use super::error::NearLine;

/// Bytes of a line that are compared, and shown.
const MAX_COMPARED: usize = 200;
/// Lines that are compared.
const MAX_LINES: usize = 200_000;
/// How much of what was looked for must be in a line, in thousandths.
const ENOUGH: usize = 400;

/// The line that has the most pairs of neighbouring letters in common with `wanted`. `lines` are numbers from 1 and
/// texts. There is none where less than two fifths of the pairs are found.
pub fn nearest_line<'a>(
    wanted: &str,
    lines: impl IntoIterator<Item = (usize, &'a [u8])>,
) -> Option<NearLine> {
    let wanted = fold(wanted.as_bytes());
    let pairs = pairs(&wanted);
    let total: usize = pairs.values().sum();
    if total == 0 {
        return None;
    }
    let mut best: Option<(usize, usize, &[u8])> = None;
    for (number, line) in lines.into_iter().take(MAX_LINES) {
        let folded = fold(line);
        let found = common(&pairs, &folded);
        let length = folded.len().saturating_sub(1);
        // What was looked for may be a part of its line, so that counts more than how alike the whole lines are.
        let contained = found * 1000 / total;
        let alike = 2000 * found / (total + length).max(1);
        let score = 3 * contained + alike;
        if contained >= ENOUGH && best.is_none_or(|(most, ..)| score > most) {
            best = Some((score, number, line));
        }
    }
    best.map(|(_, line, text)| NearLine {
        line,
        text: shown(text),
    })
}

/// A line as it is shown: without blanks around it, shortened.
pub(crate) fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim();
    match text.char_indices().nth(MAX_COMPARED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Case and the number of blanks don't count.
fn fold(line: &[u8]) -> Vec<u8> {
    let mut folded: Vec<u8> = Vec::new();
    for byte in line.trim_ascii().iter().take(MAX_COMPARED) {
        let byte = match byte {
            b'\t' => b' ',
            byte => byte.to_ascii_lowercase(),
        };
        if !(byte == b' ' && folded.last() == Some(&b' ')) {
            folded.push(byte);
        }
    }
    folded
}

fn pairs(text: &[u8]) -> BTreeMap<[u8; 2], usize> {
    let mut pairs = BTreeMap::new();
    for pair in text.windows(2) {
        *pairs.entry([pair[0], pair[1]]).or_default() += 1;
    }
    pairs
}

fn common(wanted: &BTreeMap<[u8; 2], usize>, text: &[u8]) -> usize {
    let mut left = wanted.clone();
    let mut found = 0;
    for pair in text.windows(2) {
        if let Some(count) = left.get_mut(&[pair[0], pair[1]]).filter(|count| **count > 0) {
            *count -= 1;
            found += 1;
        }
    }
    found
}
