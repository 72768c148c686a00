//! Reading a root tree as the running system would: links are followed *inside* the tree, never on the host.

use std::borrow::Cow;
use std::fs;
use std::io::Read;

use lazuli_disk::{Content, Entry, Kind, Tree, TreePath};

use crate::{Error, Result};

/// How many symbolic links one lookup follows, as Linux has it.
const MAX_LINKS: usize = 40;
/// The largest file that is taken into memory, 1 GiB.
const MAX_FILE: u64 = 1 << 30;

/// One step of a lookup: a link that was passed, or the entry where it ended.
pub(crate) struct Walk<'t> {
    /// The links that were followed, in order.
    pub(crate) links: Vec<&'t Entry>,
    /// Where the path ends; its path has no link in it.
    pub(crate) end: &'t Entry,
}

/// A tree, looked at as a file system.
#[derive(Clone, Copy)]
pub struct View<'t> {
    tree: &'t Tree,
}

impl<'t> View<'t> {
    /// Looks at a tree.
    pub fn new(tree: &'t Tree) -> Self {
        Self { tree }
    }

    /// The tree.
    pub fn tree(&self) -> &'t Tree {
        self.tree
    }

    /// Follows `path`; `None` if nothing is there.
    pub(crate) fn walk(&self, path: &str) -> Result<Option<Walk<'t>>> {
        let mut todo: Vec<Vec<u8>> = Vec::new();
        push_reversed(&mut todo, path.as_bytes());
        let mut at = TreePath::root();
        let mut links = Vec::new();
        while let Some(name) = todo.pop() {
            match name.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    at = TreePath::new(at.parent_bytes().unwrap_or_default())?;
                    continue;
                }
                _ => {}
            }
            let next = at.join(&name)?;
            let Some(entry) = self.tree.get(&next) else {
                return Ok(None);
            };
            if let Kind::Symlink(target) = &entry.kind {
                if links.len() == MAX_LINKS {
                    return Err(Error::LinkLoop {
                        path: path.to_owned(),
                    });
                }
                links.push(entry);
                if target.starts_with(b"/") {
                    at = TreePath::root();
                }
                push_reversed(&mut todo, target);
            } else {
                at = next;
            }
        }
        Ok(self.tree.get(&at).map(|end| Walk { links, end }))
    }

    /// The entry at the end of `path`, links followed.
    pub fn find(&self, path: &str) -> Result<Option<&'t Entry>> {
        Ok(self.walk(path)?.map(|walk| walk.end))
    }

    /// The content of the regular file at `path`; an error if there is none.
    pub(crate) fn content(&self, path: &str, purpose: &'static str) -> Result<&'t Content> {
        let missing = || Error::Missing {
            path: path.to_owned(),
            purpose,
        };
        let entry = self.find(path)?.ok_or_else(missing)?;
        self.content_of(entry)
    }

    /// The content of an entry, through a hard link.
    pub(crate) fn content_of(&self, entry: &'t Entry) -> Result<&'t Content> {
        let wrong = |found| Error::WrongKind {
            path: entry.path.to_string(),
            found,
            expected: "a regular file",
        };
        match &entry.kind {
            Kind::File(content) => Ok(content),
            Kind::HardLink(target) => match self.tree.get(target).map(|e| &e.kind) {
                Some(Kind::File(content)) => Ok(content),
                _ => Err(wrong("a hard link to something else")),
            },
            Kind::Directory => Err(wrong("a directory")),
            _ => Err(wrong("a special file")),
        }
    }

    /// The bytes of the regular file at `path`; an error if there is none.
    pub fn read(&self, path: &str, purpose: &'static str) -> Result<Cow<'t, [u8]>> {
        read_content(self.content(path, purpose)?)
    }

    /// The text of the regular file at `path`, if it is there; what is not UTF-8 is replaced.
    pub fn read_text(&self, path: &str) -> Result<Option<String>> {
        let Some(entry) = self.find(path)? else {
            return Ok(None);
        };
        let bytes = read_content(self.content_of(entry)?)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The names of what lies directly in the folder at `path`, sorted; empty if there is no such folder.
    pub fn names_in(&self, path: &str) -> Result<Vec<String>> {
        let Some(folder) = self.find(path)? else {
            return Ok(Vec::new());
        };
        let names = self
            .tree
            .entries()
            .iter()
            .filter(|entry| entry.path.parent_bytes() == Some(folder.path.as_bytes()));
        Ok(names
            .map(|e| String::from_utf8_lossy(e.path.name()).into_owned())
            .collect())
    }
}

/// The bytes of a content. A host file is checked against the size that the tree has for it.
pub(crate) fn read_content(content: &Content) -> Result<Cow<'_, [u8]>> {
    match content {
        Content::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
        Content::HostFile { path, size } => {
            if *size > MAX_FILE {
                return Err(Error::io(
                    "read the whole of",
                    path,
                    std::io::ErrorKind::FileTooLarge,
                ));
            }
            let file = fs::File::open(path).map_err(|e| Error::io("open", path, e))?;
            let mut bytes = Vec::with_capacity(usize::try_from(*size).unwrap_or(0));
            file.take(size + 1)
                .read_to_end(&mut bytes)
                .map_err(|e| Error::io("read", path, e))?;
            if bytes.len() as u64 != *size {
                return Err(lazuli_disk::Error::Changed {
                    path: path.clone(),
                    expected: *size,
                    found: bytes.len() as u64,
                }
                .into());
            }
            Ok(Cow::Owned(bytes))
        }
    }
}

fn push_reversed(todo: &mut Vec<Vec<u8>>, path: &[u8]) {
    todo.extend(path.split(|&b| b == b'/').rev().map(<[u8]>::to_vec));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tree() -> Tree {
        let mut b = Tree::builder();
        for (path, target) in [
            ("lib", "usr/lib"),
            ("usr/lib/a.so", "../share/a.so.1"),
            ("abs", "/usr/share/a.so.1"),
            ("loop", "loop"),
            ("up", "../../../../usr/share"),
        ] {
            b.add(Entry::symlink(path, target).unwrap()).unwrap();
        }
        b.add(Entry::file("usr/share/a.so.1", 0o644, Content::bytes(&b"x"[..])).unwrap())
            .unwrap();
        b.finish().unwrap()
    }

    #[test]
    fn links_are_followed_inside_the_tree() {
        let tree = tree();
        let view = View::new(&tree);
        let check = |path: &str, expected: Option<&str>| {
            let found = view.find(path).unwrap().map(|e| e.path.to_string());
            assert_eq!(found.as_deref(), expected, "{path}");
        };
        check("/lib/a.so", Some("/usr/share/a.so.1"));
        check("/abs", Some("/usr/share/a.so.1"));
        check("/up/a.so.1", Some("/usr/share/a.so.1"));
        check("/lib/..//./share", Some("/usr/share"));
        check("/lib/none", None);
        check("/", Some("/"));
        assert!(matches!(view.find("/loop"), Err(Error::LinkLoop { .. })));
        assert_eq!(view.names_in("/lib").unwrap(), ["a.so"]);
        assert!(matches!(
            view.read("/usr", "a test"),
            Err(Error::WrongKind { .. })
        ));
    }
}
