//! Paths in a package or an image, and the globs that select files.

use super::text_type;

/// Longest path that Linux takes, `PATH_MAX` without the final zero.
const MAX_PATH: usize = 4095;

fn is_absolute_path(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else {
        return false;
    };
    let parts_are_plain = || {
        rest.split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
    };
    text.len() <= MAX_PATH && !text.contains(char::is_control) && (rest.is_empty() || parts_are_plain())
}

text_type!(
    /// An absolute path inside a package or an image: no `.` or `..`, no doubled and no final `/`.
    AbsolutePath, "absolute-path", "an absolute path",
    "a path that starts with `/`, without `.`, `..`, doubled or final `/`",
    "^/([^/]+(/[^/]+)*)?$", is_absolute_path
);

text_type!(
    /// A file's name, without any folder.
    FileName, "file-name", "a file name", "a name without `/`, and not `.` or `..`", "^[^/]+$",
    |text| !text.is_empty() && text.len() <= 255 && !text.contains(['/', '\0']) && text != "." && text != ".."
);

fn compile(text: &str) -> Result<globset::Glob, globset::Error> {
    globset::GlobBuilder::new(text)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
}

text_type!(
    /// A glob over absolute paths of a package or an image: `*` and `?` stay within a folder, `**` does not.
    PathGlob, "path-glob", "a glob of absolute paths",
    "a path that starts with `/`, in which `*`, `?`, `[…]`, `{…,…}` and `**` may stand",
    "^/.+", |text| text.starts_with('/') && text.len() > 1 && text.len() <= MAX_PATH && compile(text).is_ok()
);

text_type!(
    /// A path or glob of files beside the configuration file, relative to the folder of that file.
    FileGlob, "file-glob", "a path or glob of files",
    "a path in which `*`, `?`, `[…]`, `{…,…}` and `**` may stand",
    "^.+", |text| {
        let parts_compile = || text.split('/').all(|part| compile(part).is_ok());
        !text.is_empty() && text.len() <= MAX_PATH && !text.contains('\0') && parts_compile()
    }
);

impl FileGlob {
    /// Whether there is a wildcard in it. A literal path that is missing is an error, a glob without a match is not.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        self.as_str().contains(['*', '?', '[', '{'])
    }
}

/// Many [`PathGlob`]s, compiled together.
#[derive(Debug, Clone)]
pub struct PathMatcher(globset::GlobSet);

impl PathMatcher {
    /// Compiles the globs. A glob also matches everything below what it matches: `/usr/share/doc` takes the folder
    /// and its content.
    #[must_use]
    pub fn new<'a>(globs: impl IntoIterator<Item = &'a PathGlob>) -> PathMatcher {
        let mut set = globset::GlobSetBuilder::new();
        for glob in globs {
            // The constructor has compiled the glob already, and a folder's content is one more `/**`.
            for text in [
                glob.as_str().to_owned(),
                format!("{}/**", glob.as_str().trim_end_matches('/')),
            ] {
                if let Ok(glob) = compile(&text) {
                    set.add(glob);
                }
            }
        }
        PathMatcher(set.build().unwrap_or_else(|_| globset::GlobSet::empty()))
    }

    /// Whether any of the globs matches `path` or a folder above it.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }

    /// Whether there is nothing to match.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
