//! Folders that are links: `/bin` is `usr/bin`, and so `/bin/sh` and `/usr/bin/sh` are one file.

use crate::{Root, TransactionError};
use lazuli_rpm::FileEntry;
use std::borrow::Cow;

/// Folders that may be links to others (the merged /usr, and its continuation).
const CANDIDATES: &[&str] = &[
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/usr/sbin",
    "/usr/lib64",
];

/// Which folders are links, and where they lead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Aliases {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Aliases {
    /// As they are in a root.
    pub fn of_root(root: &Root) -> Result<Self, TransactionError> {
        let mut aliases = Self::default();
        for candidate in CANDIDATES {
            let target = root
                .read_link(candidate.as_bytes())
                .map_err(|e| root.error("reading the link", candidate.as_bytes(), e))?;
            if let Some(target) = target {
                aliases.add(candidate.as_bytes(), &target);
            }
        }
        Ok(aliases)
    }

    /// Adds those that packages bring.
    pub fn extend<'f>(&mut self, files: impl IntoIterator<Item = &'f FileEntry>) {
        for file in files {
            if file.is_symlink() && CANDIDATES.iter().any(|c| c.as_bytes() == file.path) {
                self.add(&file.path, &file.link_target);
            }
        }
    }

    fn add(&mut self, from: &[u8], target: &[u8]) {
        let absolute = if target.starts_with(b"/") {
            target.to_vec()
        } else {
            let (folder, _) = crate::root::split(from);
            [folder, b"/", target].concat()
        };
        let climbs = absolute
            .split(|b| *b == b'/')
            .any(|part| part == b"." || part == b"..");
        if !climbs && absolute != from && !self.pairs.iter().any(|(known, _)| known == from) {
            self.pairs.push((from.to_vec(), absolute));
        }
    }

    /// The path under which a packaged file really lies. A link itself keeps its path; what is below it moves.
    pub fn resolve<'p>(&self, path: &'p [u8]) -> Cow<'p, [u8]> {
        let mut path = Cow::Borrowed(path);
        // Each pair once: `/sbin` is `/usr/sbin`, which is `/usr/bin`.
        for (from, to) in self.pairs.iter().chain(&self.pairs) {
            if let Some(rest) = path.strip_prefix(from.as_slice())
                && rest.starts_with(b"/")
            {
                path = Cow::Owned([to, rest].concat());
            }
        }
        path
    }

    /// Whether a path is a folder that is a link.
    pub(crate) fn is_alias(&self, path: &[u8]) -> bool {
        self.pairs.iter().any(|(from, _)| from == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &str) {
        let mut aliases = Aliases::default();
        aliases.add(b"/bin", b"usr/bin");
        aliases.add(b"/sbin", b"/usr/sbin");
        aliases.add(b"/usr/sbin", b"bin");
        aliases.add(b"/lib", b"../../etc");
        assert_eq!(
            String::from_utf8_lossy(&aliases.resolve(path.as_bytes())),
            expected
        );
    }

    #[test]
    fn paths_are_moved() {
        check("/bin/sh", "/usr/bin/sh");
        check("/bin", "/bin");
        check("/binary/x", "/binary/x");
        check("/sbin/ldconfig", "/usr/bin/ldconfig");
        check("/lib/x", "/lib/x");
        check("/usr/bin/env", "/usr/bin/env");
    }
}
