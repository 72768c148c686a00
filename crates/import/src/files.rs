//! Paths.

/// Folders of the root that are links into `/usr`.
pub(crate) const MERGED: [&str; 7] = ["bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32"];

/// An absolute path without empty or `.` parts, after the move to `/usr`. `None` if it is relative or climbs.
pub(crate) fn merged_path(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.strip_prefix('/')?.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part => parts.push(part),
        }
    }
    match parts.as_slice() {
        [first, ..] if MERGED.contains(first) => parts.insert(0, "usr"),
        ["var", "run", ..] => drop(parts.remove(0)),
        _ => {}
    }
    Some(format!("/{}", parts.join("/")))
}
