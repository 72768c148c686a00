//! Many paths in one text.

use std::fmt;
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Paths and globs, in order. A distribution has hundreds of thousands of them, and most are never asked for: so they are
/// kept in one text, one a line, and a copy costs nothing. In JSON they are a list, in a cache the text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Paths(Arc<str>);

impl Paths {
    /// The paths.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.lines()
    }

    /// Whether one of them is this.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.iter().any(|one| one == path)
    }
}

impl<Text: AsRef<str>> FromIterator<Text> for Paths {
    /// A path that would be two lines is none that a spec can name: it is left out.
    fn from_iter<Texts: IntoIterator<Item = Text>>(paths: Texts) -> Self {
        let mut text = String::new();
        for path in paths {
            let path = path.as_ref();
            if !path.is_empty() && !path.contains(['\n', '\r']) {
                text.push_str(path);
                text.push('\n');
            }
        }
        Self(text.into())
    }
}

impl fmt::Debug for Paths {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Paths {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match to.is_human_readable() {
            true => to.collect_seq(self.iter()),
            false => to.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match from.is_human_readable() {
            true => from.deserialize_seq(PathsVisitor),
            false => from.deserialize_str(PathsVisitor),
        }
    }
}

struct PathsVisitor;

impl<'de> Visitor<'de> for PathsVisitor {
    type Value = Paths;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of paths")
    }

    fn visit_str<E>(self, text: &str) -> Result<Paths, E> {
        Ok(Paths(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Paths, A::Error> {
        let mut paths: Vec<String> = Vec::new();
        while let Some(path) = list.next_element()? {
            paths.push(path);
        }
        Ok(paths.into_iter().collect())
    }
}
