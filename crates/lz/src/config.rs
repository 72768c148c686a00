//! Repository files: `/etc/yum.repos.d/*.repo`, as dnf reads them.
//!
//! An INI dialect: `[id]` sections, `key = value` lines, comments with `#` or `;`, and lists that go on in indented lines.
//! Understood are `name`, `baseurl`, `enabled`, `gpgcheck`, `repo_gpgcheck`, `gpgkey`, `priority` and
//! `metadata_expire`; what dnf knows beyond that is passed over. `$releasever`, `$basearch` and `$arch` are replaced.

use crate::failure::{Failure, Kind, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most repositories.
const MAX_REPOSITORIES: usize = 1000;

/// How long metadata counts as fresh where nothing else is said.
pub const DEFAULT_EXPIRE: Duration = Duration::from_secs(6 * 3600);

/// The priority of repositories that have none.
pub const DEFAULT_PRIORITY: i32 = 99;

/// Whether a signature is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// It must be there and good.
    Required,
    /// It is not looked at.
    Unchecked,
}

impl Check {
    fn of(is_required: bool) -> Self {
        if is_required {
            Self::Required
        } else {
            Self::Unchecked
        }
    }
}

/// One repository, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryConfig {
    /// The section's name.
    pub id: String,
    /// For people.
    pub name: String,
    /// Where it is: URLs of the same content, tried in turn. `file://` URLs are local folders.
    pub base_urls: Vec<String>,
    /// Whether packages must be signed.
    pub packages: Check,
    /// Whether metadata must be signed.
    pub metadata: Check,
    /// Where its keys are: paths of files.
    pub keys: Vec<PathBuf>,
    /// Lower is better.
    pub priority: i32,
    /// How long fetched metadata counts as fresh.
    pub expire: Duration,
    /// Whether it is used.
    pub enabled: bool,
}

/// What `$…` stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variables {
    /// `$releasever`
    pub release: String,
    /// `$basearch`
    pub arch: String,
}

impl Variables {
    fn expand(&self, text: &str) -> String {
        let text = text
            .replace("$releasever", &self.release)
            .replace("${releasever}", &self.release);
        let text = text
            .replace("$basearch", &self.arch)
            .replace("${basearch}", &self.arch);
        text.replace("$arch", &self.arch).replace("${arch}", &self.arch)
    }
}

/// Reads all `*.repo` files of a folder, in the order of their names. `keys_below` is where `gpgkey=file:///…` is looked
/// up: the root whose configuration it is.
pub(crate) fn read_folder(
    folder: &Path,
    keys_below: &Path,
    variables: &Variables,
) -> Result<Vec<RepositoryConfig>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => {
            return Err(Failure::new(
                Kind::Configuration,
                format!("failed to read {}: {e}", folder.display()),
            ));
        }
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "repo"));
    paths.sort();
    let mut all: Vec<RepositoryConfig> = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(|e| {
            Failure::new(
                Kind::Configuration,
                format!("failed to read {}: {e}", path.display()),
            )
        })?;
        for one in parse(&path.display().to_string(), &text, keys_below, variables)? {
            if all.iter().any(|other| other.id == one.id) {
                let text = format!("{}: the repository `{}` is there twice", path.display(), one.id);
                return Err(Failure::new(Kind::Configuration, text));
            }
            all.push(one);
        }
        if all.len() > MAX_REPOSITORIES {
            return Err(Failure::new(
                Kind::Configuration,
                format!("more than {MAX_REPOSITORIES} repositories"),
            ));
        }
    }
    Ok(all)
}

/// Reads the text of one file.
pub fn parse(
    file: &str,
    text: &str,
    keys_below: &Path,
    variables: &Variables,
) -> Result<Vec<RepositoryConfig>> {
    let mut repositories = Vec::new();
    for section in sections(file, text)? {
        repositories.extend(section.repository(file, keys_below, variables)?);
    }
    Ok(repositories)
}

struct Section {
    id: String,
    line: usize,
    values: Vec<(String, usize, String)>,
}

fn fail(file: &str, line: usize, reason: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::Configuration, format!("{file}, line {line}: {reason}"))
}

fn sections(file: &str, text: &str) -> Result<Vec<Section>> {
    let mut sections: Vec<Section> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(id) = trimmed.strip_prefix('[') {
            let id = id
                .strip_suffix(']')
                .ok_or_else(|| fail(file, number, "`]` is missing"))?
                .trim();
            if id.is_empty()
                || !id
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
            {
                return Err(fail(file, number, format!("`{id}` is no name of a repository")));
            }
            sections.push(Section {
                id: id.to_owned(),
                line: number,
                values: Vec::new(),
            });
            continue;
        }
        let section = sections
            .last_mut()
            .ok_or_else(|| fail(file, number, "there is no [section] above"))?;
        if line.starts_with([' ', '\t']) {
            let (.., value) = section
                .values
                .last_mut()
                .ok_or_else(|| fail(file, number, "this continues nothing"))?;
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        let (key, value) = trimmed
            .split_once('=')
            .ok_or_else(|| fail(file, number, "expected `key = value`"))?;
        section
            .values
            .push((key.trim().to_ascii_lowercase(), number, value.trim().to_owned()));
    }
    Ok(sections)
}

impl Section {
    /// `None` for `[main]`, which is about the program and not a repository.
    fn repository(
        self,
        file: &str,
        keys_below: &Path,
        variables: &Variables,
    ) -> Result<Option<RepositoryConfig>> {
        if self.id == "main" {
            return Ok(None);
        }
        let mut one = RepositoryConfig {
            name: self.id.clone(),
            id: self.id.clone(),
            base_urls: Vec::new(),
            packages: Check::Required,
            metadata: Check::Unchecked,
            keys: Vec::new(),
            priority: DEFAULT_PRIORITY,
            expire: DEFAULT_EXPIRE,
            enabled: true,
        };
        let mut other_source = None;
        for (key, line, value) in &self.values {
            if matches!(key.as_str(), "mirrorlist" | "metalink") {
                other_source = Some((key.clone(), *line));
            }
            one.set(key, value, keys_below, variables)
                .map_err(|failure| failure.prefixed(&format!("{file}, line {line}")))?;
        }
        if one.enabled && one.base_urls.is_empty() {
            return Err(match other_source {
                Some((key, line)) => fail(
                    file,
                    line,
                    format!("`{key}` is not supported yet, and there is no `baseurl`"),
                ),
                None => fail(
                    file,
                    self.line,
                    format!("the repository `{}` has no `baseurl`", one.id),
                ),
            });
        }
        Ok(Some(one))
    }
}

impl RepositoryConfig {
    fn set(&mut self, key: &str, value: &str, keys_below: &Path, variables: &Variables) -> Result<()> {
        let fail = |reason: String| Failure::new(Kind::Configuration, reason);
        let flag = || boolean(value).ok_or_else(|| fail(format!("`{value}` is neither 0 nor 1")));
        match key {
            "name" => self.name = variables.expand(value),
            "baseurl" => {
                for url in list(value) {
                    let url = variables.expand(&url);
                    if !["http://", "https://", "file:///"]
                        .iter()
                        .any(|scheme| url.starts_with(scheme))
                    {
                        return Err(fail(format!("`{url}` is no http, https or file URL")));
                    }
                    self.base_urls.push(url.trim_end_matches('/').to_owned());
                }
            }
            "enabled" => self.enabled = flag()?,
            "gpgcheck" | "pkg_gpgcheck" => self.packages = Check::of(flag()?),
            "repo_gpgcheck" => self.metadata = Check::of(flag()?),
            "gpgkey" => {
                for url in list(value) {
                    let url = variables.expand(&url);
                    let path = url.strip_prefix("file://").filter(|path| path.starts_with('/'));
                    let path = path.ok_or_else(|| {
                        fail(format!("`{url}`: a key must be a file (file:///…) of this machine"))
                            .hint("a key that is fetched on the way proves nothing: fetch it once, check it, keep it")
                    })?;
                    self.keys.push(keys_below.join(path.trim_start_matches('/')));
                }
            }
            "priority" => {
                self.priority = value
                    .parse()
                    .map_err(|_| fail(format!("`{value}` is no number")))?
            }
            "metadata_expire" => {
                self.expire = duration(value).ok_or_else(|| fail(format!("`{value}` is no time span")))?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn list(value: &str) -> Vec<String> {
    value
        .split([' ', '\t', '\n', ','])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Some(true),
        "0" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// `never`, `-1`, or a number with `s`, `m`, `h` or `d`.
fn duration(value: &str) -> Option<Duration> {
    if value == "never" || value == "-1" {
        return Some(Duration::MAX);
    }
    let (number, unit) = match value.char_indices().last()? {
        (at, 's') => (value.get(..at)?, 1),
        (at, 'm') => (value.get(..at)?, 60),
        (at, 'h') => (value.get(..at)?, 3600),
        (at, 'd') => (value.get(..at)?, 86_400),
        _ => (value, 1),
    };
    number
        .parse::<u64>()
        .ok()?
        .checked_mul(unit)
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn variables() -> Variables {
        Variables {
            release: "2".to_owned(),
            arch: "x86_64".to_owned(),
        }
    }

    #[test]
    fn files_are_read() {
        let text = "# remark\n[main]\nx=1\n[lazuli]\nname = Lazuli $releasever\nbaseurl = https://a.test/$releasever/$basearch/\n\
                    \thttp://b.test/\nenabled=1\ngpgcheck=0\nrepo_gpgcheck = yes\ngpgkey=file:///etc/pki/k1 file:///etc/pki/k2\n\
                    priority=5\nmetadata_expire=2d\nskip_if_unavailable=1\n\n[off]\nenabled=0\nmetalink=https://m.test\n";
        let all = parse("x.repo", text, Path::new("/root"), &variables()).unwrap();
        assert_eq!(all.len(), 2);
        let one = &all[0];
        assert_eq!((one.id.as_str(), one.name.as_str()), ("lazuli", "Lazuli 2"));
        assert_eq!(one.base_urls, ["https://a.test/2/x86_64", "http://b.test"]);
        assert_eq!((one.packages, one.metadata), (Check::Unchecked, Check::Required));
        assert_eq!(
            one.keys,
            [Path::new("/root/etc/pki/k1"), Path::new("/root/etc/pki/k2")]
        );
        assert_eq!(
            (one.priority, one.expire.as_secs(), one.enabled),
            (5, 172_800, true)
        );
        assert!(!all[1].enabled);
    }

    #[test]
    fn mistakes_are_named() {
        let check = |text: &str, expected: &str| {
            let error = parse("x.repo", text, Path::new("/"), &variables()).unwrap_err();
            assert!(error.is(Kind::Configuration));
            assert!(error.to_string().contains(expected), "{error}");
        };
        check("a=1\n", "line 1: there is no [section] above");
        check("[a\n", "line 1: `]` is missing");
        check("[a b]\n", "line 1: `a b` is no name");
        check("[a]\nb\n", "line 2: expected `key = value`");
        check(
            "[a]\nbaseurl=ftp://x\n",
            "line 2: `ftp://x` is no http, https or file URL",
        );
        check("[a]\nname=b\n", "line 1: the repository `a` has no `baseurl`");
        check(
            "[a]\nmetalink=https://x\n",
            "line 2: `metalink` is not supported yet",
        );
        check("[a]\nenabled=maybe\n", "line 2: `maybe` is neither 0 nor 1");
        check(
            "[a]\ngpgkey=https://x/key\n",
            "line 2: `https://x/key`: a key must be a file",
        );
        check("[a]\nmetadata_expire=5y\n", "line 2: `5y` is no time span");
    }
}
