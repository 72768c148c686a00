//! One root and its repositories: resolve a wish, fetch what it takes, change the root. The factory uses it as the
//! command line does.

use crate::config::{Check, RepositoryConfig};
use crate::download::{DownloadProgress, Fetched, Wanted as ToFetch, fetch, size};
use crate::failure::{Failure, Kind, Result};
use crate::repository::{Refresh, Repository};
use lazuli_openpgp::Keyring;
use lazuli_repodata::{Checksum, FileFacts, PackageRecord};
use lazuli_rpm::Package;
use lazuli_solve::{Job, Origin, PackageId, Pool, Reason, Solution, install_order, removal_order, solve};
use lazuli_transaction::{
    Aliases, Clock, Docs, Finalisers, InstalledPackage, NoJournal, Options, PackageFile, Plan, Progress,
    Report, Request, Root, Scriptlets, Trust, Wanted, execute, open_packages, read_automatic, read_installed,
};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of the repository that package files given by path seem to come from.
pub const LOCAL_FILES: &str = "@files";

/// Packages of which several versions stay side by side.
const INSTALL_ONLY: &[&str] = &["kernel", "kernel-core", "kernel-modules", "kernel-modules-core"];

/// Packages that are never removed from the machine that `lz` runs on.
const PROTECTED: &[&str] = &["lz", "systemd", "lazuli-release"];

/// How a session works. Nothing is taken from the environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The root to look at and to change.
    pub root: PathBuf,
    /// What to do where there is no such folder.
    pub missing_root: MissingRoot,
    /// Architecture as RPM names it (`x86_64`).
    pub arch: String,
    /// Where fetched metadata and packages are kept.
    pub cache: PathBuf,
    /// Repositories, enabled ones only.
    pub repositories: Vec<RepositoryConfig>,
    /// When metadata is fetched.
    pub refresh: Refresh,
    /// The time of the transaction.
    pub clock: Clock,
    /// What becomes of scriptlets of foreign packages.
    pub scriptlets: Scriptlets,
    /// Whether finalisers run.
    pub finalisers: Finalisers,
    /// Whether documentation is laid.
    pub docs: Docs,
    /// Whether package files given by path must be signed by a key of some repository.
    pub local_files: Check,
}

/// What to do where the root's folder is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingRoot {
    /// It is made: something will be put into it.
    Create,
    /// It is an error.
    Refuse,
}

/// A root, what is installed in it, and what could be.
pub struct Session {
    settings: Settings,
    root: Root,
    installed: Vec<InstalledPackage>,
    automatic: BTreeSet<String>,
    pool: Pool,
    repositories: Vec<Arc<Repository>>,
    notes: Vec<String>,
}

/// What is to be done, resolved but not yet fetched.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// What the solver says.
    pub solution: Solution,
    /// All packages to lay, in their order.
    pub install: Vec<PackageId>,
    /// All installed packages that go, in their order.
    pub remove: Vec<PackageId>,
}

impl Session {
    /// Opens a root and loads what is asked for.
    pub fn open(settings: Settings, sources: Sources<'_>) -> Result<Self> {
        let root = match settings.missing_root {
            MissingRoot::Create => Root::open_or_create(&settings.root)?,
            MissingRoot::Refuse => Root::open(&settings.root)?,
        };
        let installed = read_installed(&root)?;
        let automatic = read_automatic(&root)?;
        let mut session = Self {
            pool: Pool::new(&settings.arch),
            root,
            installed,
            automatic,
            repositories: Vec::new(),
            notes: Vec::new(),
            settings,
        };
        let records = session
            .installed
            .iter()
            .map(|p| PackageRecord::installed(&p.metadata, p.digest))
            .collect();
        let automatic = session.automatic.clone();
        session
            .pool
            .add_installed(records, |record| automatic.contains(&record.nevra.name))?;
        if let Sources::Repositories { files } = sources {
            session.add_repositories()?;
            session.add_files(files)?;
        }
        Ok(session)
    }

    fn add_repositories(&mut self) -> Result<()> {
        for config in self.settings.repositories.clone() {
            let repository = Arc::new(Repository::open(config, &self.settings.cache)?);
            let (records, note) = repository.packages(self.settings.refresh)?;
            self.notes.extend(note);
            if repository.config.metadata == Check::Unchecked
                && repository.config.packages == Check::Unchecked
            {
                self.notes.push(format!(
                    "nothing of repository `{}` is checked for its origin",
                    repository.config.id
                ));
            }
            let lists = Arc::clone(&repository);
            let filelists: lazuli_solve::FileLists = Box::new(move || lists.filelists().map_err(Into::into));
            let priority = repository.config.priority;
            self.pool
                .add_repository(&repository.config.id, priority, records, Some(filelists))?;
            self.repositories.push(repository);
        }
        Ok(())
    }

    /// Package files given by path become a repository of their own.
    fn add_files(&mut self, files: &[PathBuf]) -> Result<()> {
        if files.is_empty() {
            return Ok(());
        }
        let records = files
            .iter()
            .map(|path| record_of(path))
            .collect::<Result<Vec<_>>>()?;
        self.pool.add_repository(LOCAL_FILES, 0, records, None)?;
        Ok(())
    }

    /// What there is.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The root.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// What is installed.
    pub fn installed(&self) -> &[InstalledPackage] {
        &self.installed
    }

    /// What the user should know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The repositories.
    pub fn repositories(&self) -> impl Iterator<Item = &Repository> {
        self.repositories.iter().map(AsRef::as_ref)
    }

    /// The installed package that a package of the pool is.
    pub fn installed_package(&self, id: PackageId) -> Option<&InstalledPackage> {
        let digest = self.pool.record(id).checksum.as_sha256()?;
        self.installed.iter().find(|package| package.digest == digest)
    }

    /// Finds what fulfils a job, with what never changes filled in.
    pub fn resolve(&self, job: Job) -> Result<Proposal> {
        let is_own = self.settings.root == Path::new("/");
        let job = Job {
            install_only: INSTALL_ONLY.iter().map(|name| (*name).to_owned()).collect(),
            protected: PROTECTED
                .iter()
                .filter(|_| is_own)
                .map(|name| (*name).to_owned())
                .collect(),
            ..job
        };
        let solution = solve(&self.pool, &job)?;
        let install = install_order(&self.pool, &solution);
        let replaced = solution
            .upgrade
            .iter()
            .chain(&solution.downgrade)
            .chain(&solution.reinstall);
        let mut remove: Vec<PackageId> = replaced.map(|step| step.old).collect();
        remove.extend(removal_order(&self.pool, &solution));
        Ok(Proposal {
            solution,
            install,
            remove,
        })
    }

    fn repository_of(&self, id: PackageId) -> Option<&Repository> {
        let Origin::Repository(origin) = self.pool.origin(id) else {
            return None;
        };
        let name = self.pool.repository_name(origin);
        self.repositories
            .iter()
            .find(|repository| repository.config.id == name)
            .map(AsRef::as_ref)
    }

    fn to_fetch(&self, proposal: &Proposal) -> Vec<(PackageId, Option<ToFetch<'_>>)> {
        let wanted = |id: &PackageId| {
            let repository = self.repository_of(*id);
            (
                *id,
                repository.map(|repository| ToFetch {
                    repository,
                    record: self.pool.record(*id),
                }),
            )
        };
        proposal.install.iter().map(wanted).collect()
    }

    /// Bytes that fetching will take.
    pub fn download_size(&self, proposal: &Proposal) -> u64 {
        size(
            &self
                .to_fetch(proposal)
                .into_iter()
                .filter_map(|(_, wanted)| wanted)
                .collect::<Vec<_>>(),
        )
    }

    /// Fetches the packages of a proposal.
    pub fn fetch(&self, proposal: &Proposal, progress: &dyn DownloadProgress) -> Result<Downloads> {
        let (mut files, mut wanted, mut ids) = (HashMap::new(), Vec::new(), Vec::new());
        for (id, one) in self.to_fetch(proposal) {
            match one {
                Some(one) => {
                    wanted.push(one);
                    ids.push(id);
                }
                None => {
                    files.insert(id, PathBuf::from(&self.pool.record(id).location));
                }
            }
        }
        let Fetched { paths, temporary } = fetch(&wanted, progress)?;
        files.extend(ids.into_iter().zip(paths));
        Ok(Downloads { files, temporary })
    }

    /// Checks packages, plans, and changes the root; with [`Run::Test`] all but the last.
    pub fn commit(
        &self,
        proposal: &Proposal,
        downloads: &Downloads,
        run: Run,
        progress: &dyn Progress,
    ) -> Result<Report> {
        let plan = self.plan(proposal, downloads, progress)?;
        if run == Run::Test {
            return Ok(Report {
                notes: plan.notes().to_vec(),
                ..Report::default()
            });
        }
        let options = Options {
            scriptlets: self.settings.scriptlets,
            finalisers: self.settings.finalisers,
            progress,
            journal: &NoJournal,
            ..Options::new(self.settings.clock)
        };
        let report = execute(&plan, &self.root, &options)?;
        for path in &downloads.temporary {
            // A package that stays in the cache does no harm.
            let _left = std::fs::remove_file(path);
        }
        Ok(report)
    }

    fn plan(&self, proposal: &Proposal, downloads: &Downloads, progress: &dyn Progress) -> Result<Plan> {
        let all_keys = self.all_keys();
        let mut packages = Vec::with_capacity(proposal.install.len());
        for (repository, positions, files) in self.by_origin(proposal, downloads)? {
            let (check, ring) = match repository {
                Some(repository) => (repository.config.packages, repository.keyring()),
                None => (self.settings.local_files, all_keys.as_ref()),
            };
            let opened = open_packages(&files, trust(check, ring)?, progress)?;
            packages.extend(positions.into_iter().zip(opened));
        }
        packages.sort_by_key(|(position, _)| *position);
        let remove = proposal
            .remove
            .iter()
            .filter_map(|id| Some(self.installed_package(*id)?.number))
            .collect();
        Ok(Plan::new(Request {
            install: packages.into_iter().map(|(_, package)| package).collect(),
            remove,
            installed: &self.installed,
            aliases: Aliases::of_root(&self.root)?,
            disk: &self.root,
            docs: self.settings.docs,
        })?)
    }

    /// Package files of a proposal, with their positions, by repository: those of one have the same keys.
    fn by_origin(&self, proposal: &Proposal, downloads: &Downloads) -> Result<Vec<Group<'_>>> {
        let by_user: BTreeSet<PackageId> = user_wishes(&proposal.solution);
        let mut groups: Vec<Group<'_>> = Vec::new();
        for (position, id) in proposal.install.iter().enumerate() {
            let record = self.pool.record(*id);
            let missing = || Failure::new(Kind::Failed, format!("{} was not fetched", record.nevra));
            let path = downloads.files.get(id).cloned().ok_or_else(missing)?;
            let wanted = if by_user.contains(id) {
                Wanted::ByUser
            } else {
                Wanted::AsDependency
            };
            let file = PackageFile {
                path,
                sha256: record.checksum.as_sha256(),
                wanted,
            };
            let repository = self.repository_of(*id);
            let id_of = |repository: Option<&Repository>| repository.map(|r| r.config.id.clone());
            match groups
                .iter_mut()
                .find(|(other, ..)| id_of(*other) == id_of(repository))
            {
                Some((_, positions, files)) => {
                    positions.push(position);
                    files.push(file);
                }
                None => groups.push((repository, vec![position], vec![file])),
            }
        }
        Ok(groups)
    }

    fn all_keys(&self) -> Option<Keyring> {
        self.repositories
            .iter()
            .filter_map(|repository| repository.keyring().cloned())
            .reduce(|mut all, ring| {
                all.merge(ring);
                all
            })
    }
}

/// Package files of one repository (`None` for those given by path), and their positions in a proposal.
type Group<'r> = (Option<&'r Repository>, Vec<usize>, Vec<PackageFile>);

fn trust(check: Check, ring: Option<&Keyring>) -> Result<Trust<'_>> {
    match (check, ring) {
        (Check::Unchecked, _) => Ok(Trust::Unchecked),
        (Check::Required, Some(ring)) => Ok(Trust::Keyring(ring)),
        (Check::Required, None) => {
            let text = "package files are to be checked, but no repository has a key";
            Err(Failure::new(Kind::Trust, text).hint("if you trust the files: --no-gpg-checks"))
        }
    }
}

/// What a session needs.
#[derive(Debug, Clone, Copy)]
pub enum Sources<'a> {
    /// What is installed.
    InstalledOnly,
    /// Repositories as well, and these package files.
    Repositories {
        /// Paths of package files.
        files: &'a [PathBuf],
    },
}

/// Whether a root is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Everything is checked and planned, and nothing changed.
    Test,
    /// It is.
    Change,
}

/// Packages that are at hand.
#[derive(Debug, Default)]
pub struct Downloads {
    files: HashMap<PackageId, PathBuf>,
    temporary: Vec<PathBuf>,
}

/// Packages that a user asked for by name.
fn user_wishes(solution: &Solution) -> BTreeSet<PackageId> {
    let installs = solution.install.iter().map(|step| (step.package, &step.reason));
    let replaced = solution
        .upgrade
        .iter()
        .chain(&solution.downgrade)
        .chain(&solution.reinstall);
    installs
        .chain(replaced.map(|step| (step.new, &step.reason)))
        .filter(|(_, reason)| matches!(reason, Reason::User(_)))
        .map(|(id, _)| id)
        .collect()
}

fn record_of(path: &Path) -> Result<PackageRecord> {
    let fail = |e: &dyn std::fmt::Display| {
        Failure::new(Kind::Failed, format!("failed to read {}: {e}", path.display()))
    };
    let path = path.canonicalize().map_err(|e| fail(&e))?;
    let bytes = std::fs::read(&path).map_err(|e| fail(&e))?;
    let package = Package::parse(&bytes).map_err(|e| fail(&e))?;
    let metadata = package.metadata().map_err(|e| fail(&e))?;
    let range = package.header_range();
    Ok(PackageRecord::from_metadata(
        &metadata,
        FileFacts {
            checksum: Checksum::sha256(Sha256::digest(&bytes).into()),
            location: path.display().to_string(),
            package_size: bytes.len() as u64,
            archive_size: 0,
            installed_size: None,
            header_range: range.start as u64..range.end as u64,
            file_time: 0,
        },
    ))
}
