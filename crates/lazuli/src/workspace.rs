//! What every command works with: the project, where results and caches go, the time, the signing key.

use crate::cli::Global;
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::terminal::Terminal;
use lazuli_catalog::{
    Architecture, Catalog, ComponentScope, Disk, DistroVersion, LoadOptions, LockFile, ResolvedDistro,
};
use lazuli_durable as durable;
use lazuli_openpgp::{KeyAlgorithm, SigningKey};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Earliest creation time of a development key: a signature may not be older than its key, and is as old as the lock.
pub const KEY_CREATED: u64 = 1_577_836_800; // 2020-01-01

/// The project and its surroundings.
pub struct Workspace {
    /// All configuration.
    pub catalog: Catalog,
    /// The distribution version that is worked on.
    pub distro: ResolvedDistro,
    /// The architecture that is worked on.
    pub architecture: Architecture,
    /// Where results go.
    pub out: PathBuf,
    /// Where downloads and converted packages are kept.
    pub cache: PathBuf,
    /// A mirror other than the machine's.
    pub mirror: Option<String>,
    /// How to talk.
    pub terminal: Terminal,
    epoch: Option<u64>,
}

impl Workspace {
    /// Finds and loads the project.
    pub fn open(global: &Global, terminal: Terminal) -> Result<Self> {
        let start = match &global.project {
            Some(path) => path.clone(),
            None => std::env::current_dir().or_fail(Kind::Environment)?,
        };
        let options = load_options(global)?;
        let catalog = load(&start, &options)?;
        let version = match &global.distro_version {
            Some(text) => Some(DistroVersion::new(text.as_str()).or_fail(Kind::Project)?),
            None => None,
        };
        let distro = catalog.distro(version.as_ref()).or_fail(Kind::Project)?;
        let out = absolute(&global.out.clone().unwrap_or_else(|| catalog.project().output_dir))?;
        let cache = cache_folder(global)?;
        let (mirror, epoch) = (global.debian_mirror.clone(), global.source_date_epoch);
        Ok(Self {
            catalog,
            distro,
            architecture: Architecture::X86_64,
            out,
            cache,
            mirror,
            terminal,
            epoch,
        })
    }

    /// The lock of this distribution version and architecture.
    pub fn lock_path(&self) -> PathBuf {
        self.catalog.lock_path(&self.distro, self.architecture)
    }

    /// Reads the lock; `None` if there is none yet.
    pub fn read_lock(&self) -> Result<Option<LockFile>> {
        let path = self.lock_path();
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(LockFile::parse_file(&path, &text).or_fail(Kind::Project)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::from(error).context(format!("failed to read {}", path.display()))),
        }
    }

    /// Reads the lock, which must be there.
    pub fn lock(&self) -> Result<LockFile> {
        self.read_lock()?.ok_or_else(|| {
            Failure::message(
                Kind::Project,
                format!("there is no lock at {}", self.lock_path().display()),
            )
            .hint("run `lazuli component update`")
        })
    }

    /// Seconds since 1970 that go into everything that is made: `SOURCE_DATE_EPOCH`, or the newest time in the lock.
    pub fn time(&self, lock: &LockFile) -> u64 {
        let locked = lock.newest_time().and_then(|time| u64::try_from(time).ok());
        self.epoch.or(locked).unwrap_or(KEY_CREATED).max(KEY_CREATED)
    }

    /// `SOURCE_DATE_EPOCH`, or what the command line says instead.
    pub fn epoch(&self) -> Option<u64> {
        self.epoch
    }

    /// The key that signs packages and repositories: `LAZULI_SIGNING_KEY`, or one that is made at first use under `out`.
    pub fn signing_key(&self) -> Result<SigningKey> {
        let given = std::env::var_os("LAZULI_SIGNING_KEY").map(PathBuf::from);
        let path = given
            .clone()
            .unwrap_or_else(|| self.out.join("keys").join("signing.key"));
        match std::fs::read(&path) {
            Ok(bytes) => SigningKey::from_armored(&bytes)
                .or_fail(Kind::Trust)
                .map_err(|failure| {
                    failure.context(format!("failed to read the signing key {}", path.display()))
                }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && given.is_none() => {
                self.make_key(&path)
            }
            Err(error) => Err(Failure::new(Kind::Environment, error)
                .context(format!("failed to read the signing key {}", path.display()))),
        }
    }

    fn make_key(&self, path: &Path) -> Result<SigningKey> {
        let user = format!("{} development key", self.distro.release.name);
        let created = SystemTime::UNIX_EPOCH + Duration::from_secs(KEY_CREATED);
        let key = SigningKey::generate(KeyAlgorithm::Ed25519, &user, created)?;
        durable::write_private(path, key.to_armored()?.as_bytes()).or_fail(Kind::Environment)?;
        self.terminal
            .note(format!("made a development signing key: {}", path.display()));
        Ok(key)
    }

    /// The repository of this distribution version and architecture.
    pub fn repository(&self) -> PathBuf {
        self.out
            .join("repo")
            .join(self.distro.version.as_str())
            .join(self.architecture.to_string())
    }

    /// The repository of what only buildroots get: imported for builds, and made for them from the catalog.
    pub fn build_repository(&self) -> PathBuf {
        self.out
            .join("repo-build")
            .join(self.distro.version.as_str())
            .join(self.architecture.to_string())
    }

    /// The repository of what is built from source.
    pub fn built_repository(&self) -> PathBuf {
        self.out
            .join("built")
            .join(self.distro.version.as_str())
            .join(self.architecture.to_string())
    }

    /// The repository that the packages of a component go to.
    pub fn repository_of(&self, scope: ComponentScope) -> PathBuf {
        match scope {
            ComponentScope::Distribution => self.repository(),
            ComponentScope::Build => self.build_repository(),
        }
    }

    /// The folder of an image.
    pub fn image(&self, name: &str) -> PathBuf {
        self.out.join("images").join(name)
    }
}

/// What comes after the project: the user's own file, and those of the command line.
fn load_options(global: &Global) -> Result<LoadOptions> {
    let config = std::env::var_os("XDG_CONFIG_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from);
    let config = config.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let files = global.config_files.iter().map(|path| absolute(path));
    Ok(LoadOptions {
        user_config: config.map(|folder| folder.join("lazuli/config.toml")),
        config_files: files.collect::<Result<_>>()?,
    })
}

/// The project at or above `start`, or in its `distro` folder.
fn load(start: &Path, options: &LoadOptions) -> Result<Catalog> {
    let load = |start: &Path| Catalog::load_with(&Disk, start, options);
    let found = match load(start) {
        Err(lazuli_catalog::Error::NotFound { .. }) => {
            let below = start
                .ancestors()
                .map(|folder| folder.join("distro"))
                .find(|folder| folder.join("lazuli.toml").is_file());
            match below {
                Some(folder) => load(&folder),
                None => load(start),
            }
        }
        other => other,
    };
    found.map_err(|error| {
        let help = match &error {
            lazuli_catalog::Error::NotFound { .. } => {
                Some("go to a project's folder, or name one with --project".to_owned())
            }
            other => other.help(),
        };
        let failure = Failure::new(Kind::Project, error);
        match help {
            Some(help) => failure.hint(help),
            None => failure,
        }
    })
}

fn absolute(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).or_fail(Kind::Environment)?;
    // `distro/../out` reads badly in messages.
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    Ok(clean)
}

/// Where downloads and results are kept, with or without a project.
pub fn cache_folder(global: &Global) -> Result<PathBuf> {
    match &global.cache {
        Some(path) => absolute(path),
        None => absolute(&default_cache()?),
    }
}

fn default_cache() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    base.or_else(home).map(|base| base.join("lazuli")).ok_or_else(|| {
        Failure::message(
            Kind::Environment,
            "there is no folder for caches: neither XDG_CACHE_HOME nor HOME is set",
        )
        .hint("set LAZULI_CACHE, or give --cache")
    })
}
