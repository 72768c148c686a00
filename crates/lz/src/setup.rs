//! From the command line and the machine to settings. The only place that reads the environment.

use crate::cli::Global;
use crate::config::{self, Check, DEFAULT_EXPIRE, DEFAULT_PRIORITY, RepositoryConfig, Variables};
use crate::failure::{Failure, Kind, Result};
use crate::repository::Refresh;
use crate::session::{MissingRoot, Settings};
use globset::Glob;
use lazuli_transaction::{Clock, Docs, Finalisers, Scriptlets};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where repository files are.
const REPOSITORY_FOLDER: &str = "etc/yum.repos.d";

/// What the process was before it entered a namespace: afterwards it is root in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Root of the machine.
    Root,
    /// Anyone else.
    OrdinaryUser,
}

impl Caller {
    /// Who it is, right now.
    pub(crate) fn now() -> Self {
        if rustix::process::geteuid().is_root() {
            Self::Root
        } else {
            Self::OrdinaryUser
        }
    }
}

/// All settings of a session.
pub(crate) fn settings(global: &Global, caller: Caller) -> Result<Settings> {
    let arch = global
        .arch
        .clone()
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let root = std::path::absolute(&global.root).map_err(|e| {
        Failure::new(
            Kind::Environment,
            format!("failed to find {}: {e}", global.root.display()),
        )
    })?;
    let mut repositories = repositories(global, &root, &arch)?;
    if global.no_gpg_checks {
        for one in &mut repositories {
            one.packages = Check::Unchecked;
            one.metadata = Check::Unchecked;
        }
    }
    let refresh = match (global.refresh, global.cache_only) {
        (true, _) => Refresh::Always,
        (_, true) => Refresh::Never,
        _ => Refresh::IfStale,
    };
    Ok(Settings {
        cache: cache(global, caller)?,
        root,
        missing_root: MissingRoot::Refuse,
        arch,
        repositories,
        refresh,
        clock: clock()?,
        scriptlets: if global.no_scripts {
            Scriptlets::Skip
        } else {
            Scriptlets::Run
        },
        finalisers: Finalisers::Run,
        docs: if global.no_docs { Docs::Skip } else { Docs::Install },
        local_files: if global.no_gpg_checks {
            Check::Unchecked
        } else {
            Check::Required
        },
    })
}

fn repositories(global: &Global, root: &Path, arch: &str) -> Result<Vec<RepositoryConfig>> {
    let variables = Variables {
        release: global.releasever.clone().unwrap_or_else(|| release_of(root)),
        arch: arch.to_owned(),
    };
    let own = root.join(REPOSITORY_FOLDER);
    let mut all = match &global.repos_dir {
        Some(folder) => config::read_folder(folder, Path::new("/"), &variables)?,
        None if own.is_dir() => config::read_folder(&own, root, &variables)?,
        // With repositories named on the command line, those of the machine are not meant.
        None if global.repo_path.is_empty() => config::read_folder(
            &Path::new("/").join(REPOSITORY_FOLDER),
            Path::new("/"),
            &variables,
        )?,
        None => Vec::new(),
    };
    all.retain(|one| one.enabled || !global.repo.is_empty());
    if !global.repo.is_empty() {
        let mut wanted = Vec::new();
        for pattern in &global.repo {
            let glob = Glob::new(pattern)
                .map_err(|e| Failure::new(Kind::Failed, e))?
                .compile_matcher();
            let before = wanted.len();
            wanted.extend(all.iter().filter(|one| glob.is_match(&one.id)).cloned());
            if wanted.len() == before
                && !global
                    .repo_path
                    .iter()
                    .any(|one| one.starts_with(&format!("{pattern}=")))
            {
                return Err(Failure::new(
                    Kind::Failed,
                    format!("there is no repository `{pattern}`"),
                ));
            }
        }
        wanted.dedup_by(|left, right| left.id == right.id);
        all = wanted;
    }
    for text in &global.repo_path {
        all.push(ad_hoc(text, global)?);
    }
    Ok(all)
}

/// A repository of the command line. A folder is as trustworthy as whoever named it, unless a key is named too.
fn ad_hoc(text: &str, global: &Global) -> Result<RepositoryConfig> {
    let bad = |reason: &str| Failure::new(Kind::Failed, format!("--repo-path {text}: {reason}"));
    let (name, place) = text
        .split_once('=')
        .ok_or_else(|| bad("expected NAME=DIR or NAME=URL"))?;
    if name.is_empty()
        || !name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
    {
        return Err(bad("that is no name of a repository"));
    }
    let is_web = place.starts_with("http://") || place.starts_with("https://");
    let url = if is_web {
        place.trim_end_matches('/').to_owned()
    } else {
        let folder = Path::new(place.strip_prefix("file://").unwrap_or(place));
        let folder = folder.canonicalize().map_err(|e| bad(&e.to_string()))?;
        format!("file://{}", folder.display())
    };
    if is_web && global.gpg_key.is_empty() && !global.no_gpg_checks {
        return Err(bad("a repository on the network must be checked")
            .hint("name its key with --gpg-key, or say --no-gpg-checks"));
    }
    let check = if global.gpg_key.is_empty() {
        Check::Unchecked
    } else {
        Check::Required
    };
    Ok(RepositoryConfig {
        id: name.to_owned(),
        name: name.to_owned(),
        base_urls: vec![url],
        packages: check,
        metadata: check,
        keys: global.gpg_key.clone(),
        priority: DEFAULT_PRIORITY,
        expire: DEFAULT_EXPIRE,
        enabled: true,
    })
}

/// VERSION_ID of os-release(5): the root's, or where the root is new the machine's.
fn release_of(root: &Path) -> String {
    let places = ["etc/os-release", "usr/lib/os-release"];
    let files = places
        .iter()
        .map(|place| root.join(place))
        .chain([PathBuf::from("/etc/os-release")]);
    for file in files {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if let Some(value) = text.lines().find_map(|line| line.strip_prefix("VERSION_ID=")) {
            return value.trim_matches('"').to_owned();
        }
    }
    String::new()
}

fn cache(global: &Global, caller: Caller) -> Result<PathBuf> {
    if let Some(folder) = &global.cache_dir {
        return std::path::absolute(folder).map_err(|e| {
            Failure::new(
                Kind::Environment,
                format!("failed to find {}: {e}", folder.display()),
            )
        });
    }
    if caller == Caller::Root {
        return Ok(PathBuf::from("/var/cache/lz"));
    }
    let folder = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
    let missing =
        || Failure::new(Kind::Environment, "neither XDG_CACHE_HOME nor HOME is set").hint("set one of them");
    Ok(base.ok_or_else(missing)?.join("lz"))
}

/// `SOURCE_DATE_EPOCH`, so that a root can be made again bit for bit, or else now.
fn clock() -> Result<Clock> {
    let bad = |text: &str| {
        Failure::new(
            Kind::Environment,
            format!("SOURCE_DATE_EPOCH is `{text}`, which is no time"),
        )
    };
    let seconds = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text.parse().map_err(|_| bad(&text))?,
        Err(_) => {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map(|time| time.as_secs())
                .unwrap_or_default();
            u32::try_from(now)
                .map_err(|_| Failure::new(Kind::Environment, "the machine's clock is past 2106"))?
        }
    };
    Ok(Clock::new(seconds))
}
