//! Built-ins that make a text of a text.

use super::scan::is_space;

/// What is after the last `/`; unlike `basename(1)`, nothing when the text ends with it.
pub(crate) fn basename(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..])
}

/// What is before the last `/`, or all.
pub(crate) fn dirname(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |slash| &path[..slash])
}

/// What is after the last dot, or nothing.
pub(crate) fn suffix(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'.', path).map_or(&[], |dot| &path[dot + 1..])
}

/// Removes white space at both ends and makes one space of each white space within.
pub(crate) fn shrink(text: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> = text
        .split(|&c| is_space(c))
        .filter(|word| !word.is_empty())
        .collect();
    words.join(&b' ')
}

/// The path of a URL, or of a text that is none; `/` when it has none.
pub(crate) fn url_path(url: &[u8]) -> &[u8] {
    const SCHEMES: [&[u8]; 5] = [b"file://", b"ftp://", b"hkp://", b"http://", b"https://"];
    let path = match SCHEMES.iter().find_map(|scheme| url.strip_prefix(*scheme)) {
        Some(rest) => memchr::memchr(b'/', rest).map_or(&[][..], |slash| &rest[slash..]),
        None if url == b"-" => &[],
        None => url,
    };
    if path.is_empty() { b"/" } else { path }
}

/// Words in single quotes, as a shell reads them.
pub(crate) fn shell_quote(words: &[Vec<u8>]) -> Vec<u8> {
    let mut quoted = Vec::new();
    for word in words {
        if !quoted.is_empty() {
            quoted.push(b' ');
        }
        quoted.push(b'\'');
        for &byte in word {
            match byte {
                b'\'' => quoted.extend_from_slice(b"'\\''"),
                _ => quoted.push(byte),
            }
        }
        quoted.push(b'\'');
    }
    quoted
}
