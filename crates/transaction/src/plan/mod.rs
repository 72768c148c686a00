//! What a transaction will do, decided before anything is changed.
//!
//! A [`Plan`] is made of values only: verified packages, installed packages, and a look at the configuration files
//! that are there ([`Disk`]). It says for each file of each package what becomes of it, so that executing it leaves
//! no choices.

mod config;
mod conflict;
mod directory;

pub use config::{Disk, EmptyDisk, OnDisk};
pub use conflict::Conflict;
pub(crate) use directory::PlannedDirectory;

use crate::{Aliases, Docs, InstalledPackage, TransactionError, VerifiedPackage};
use conflict::Owners;
use lazuli_rpm::{FileEntry, FileFlags, Nevra, Tag};
use std::collections::{HashMap, HashSet};

/// What is wanted.
pub struct Request<'a> {
    /// Packages to lay, each after what it requires.
    pub install: Vec<VerifiedPackage>,
    /// Numbers of installed packages that will be gone: removed, or replaced by one of `install`. In the order in which
    /// to remove them.
    pub remove: Vec<u32>,
    /// All that is installed.
    pub installed: &'a [InstalledPackage],
    /// Folders of the root that are links.
    pub aliases: Aliases,
    /// What configuration files are there.
    pub disk: &'a dyn Disk,
    /// Whether documentation is laid.
    pub docs: Docs,
}

/// What becomes of one file of a package that is laid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// It is laid at its path.
    Write,
    /// It is laid beside what is there, with this ending.
    WriteBeside(&'static str),
    /// What is there is moved to its path with this ending; then it is laid.
    SaveAndWrite(&'static str),
    /// What is there stays: the administrator changed it, and the package did not.
    Keep,
    /// Another package of the plan lays the same.
    Shared,
    /// It is not laid, and the database says so.
    LeaveOut,
    /// The package owns the path without having it.
    Ghost,
    /// A folder: see [`Plan::directories`].
    Directory,
}

/// One package to lay.
#[derive(Debug)]
pub(crate) struct Install {
    pub(crate) package: VerifiedPackage,
    /// One for each file of the metadata.
    pub(crate) actions: Vec<Action>,
    /// Positions in `removals` of what it replaces.
    pub(crate) replaces: Vec<usize>,
    /// How many packages of its name there are once it is laid, those that it replaces included.
    pub(crate) instances: usize,
}

/// What becomes of a path whose owner goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// A file or link is removed.
    Unlink,
    /// A changed configuration file is kept with this ending.
    Save(&'static str),
    /// A folder is removed if it is empty.
    RemoveFolder,
}

/// One installed package that goes.
#[derive(Debug)]
pub(crate) struct Removal {
    pub(crate) package: InstalledPackage,
    /// Whether a package of the plan takes its place.
    pub(crate) replaced: bool,
    /// Real paths, children before their parents.
    pub(crate) paths: Vec<(Vec<u8>, Fate)>,
    /// How many packages of its name will be left.
    pub(crate) instances: usize,
}

/// What a transaction will do. See [`crate::execute`].
#[derive(Debug)]
pub struct Plan {
    pub(crate) installs: Vec<Install>,
    pub(crate) removals: Vec<Removal>,
    /// All folders that packages to lay own, parents first.
    pub(crate) directories: Vec<PlannedDirectory>,
    pub(crate) aliases: Aliases,
    pub(crate) notes: Vec<String>,
    /// Whether nothing was installed before.
    pub(crate) is_fresh: bool,
    /// Numbers of what was installed when the plan was made.
    pub(crate) based_on: Vec<u32>,
}

/// What a plan says of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The package to lay; `None` for a removal.
    pub new: Option<Nevra>,
    /// What goes for it.
    pub old: Vec<Nevra>,
}

impl Plan {
    /// Decides everything. Fails with all file conflicts at once.
    pub fn new(request: Request<'_>) -> Result<Self, TransactionError> {
        let Request {
            install,
            remove,
            installed,
            mut aliases,
            disk,
            docs,
        } = request;
        for package in &install {
            aliases.extend(&package.metadata.files);
        }
        let outgoing = find_all(installed, &remove)?;
        let gone: HashSet<u32> = remove.iter().copied().collect();
        let staying: Vec<&InstalledPackage> =
            installed.iter().filter(|p| !gone.contains(&p.number)).collect();
        let owners = Owners::new(&install, &staying, &aliases);
        let (shared, conflicts) = owners.compare();
        if !conflicts.is_empty() {
            return Err(TransactionError::Conflicts { conflicts });
        }
        let mut notes = Vec::new();
        let directories = directory::merge(&owners, &mut notes);
        let old_files = config::OldFiles::new(&outgoing, &aliases);
        let count = |name: &str| {
            install.iter().filter(|p| p.metadata.nevra.name == name).count()
                + staying.iter().filter(|p| p.metadata.nevra.name == name).count()
        };
        let decide = Decide {
            aliases: &aliases,
            shared: &shared,
            old_files: &old_files,
            disk,
            docs,
        };
        let mut actions = Vec::with_capacity(install.len());
        for (position, package) in install.iter().enumerate() {
            actions.push(decide.actions(position, package)?);
        }
        let removals = plan_removals(&outgoing, &install, &staying, &owners, &aliases, disk, &count)?;
        let is_fresh = installed.is_empty();
        note_triggers(&install, &staying, &mut notes);
        // What it replaces is still there when its scriptlets run.
        let leaving = |name: &str| outgoing.iter().filter(|p| p.metadata.nevra.name == name).count();
        let instances: Vec<usize> = install
            .iter()
            .map(|package| count(&package.metadata.nevra.name) + leaving(&package.metadata.nevra.name))
            .collect();
        let installs = assemble(install, actions, instances, &removals);
        let based_on = installed.iter().map(|package| package.number).collect();
        Ok(Self {
            installs,
            removals,
            directories,
            aliases,
            notes,
            is_fresh,
            based_on,
        })
    }

    /// What will be laid, replaced and removed.
    pub fn changes(&self) -> Vec<Change> {
        let old = |at: &usize| self.removals.get(*at).map(|r| r.package.metadata.nevra.clone());
        let mut changes: Vec<Change> = self
            .installs
            .iter()
            .map(|install| Change {
                new: Some(install.package.metadata.nevra.clone()),
                old: install.replaces.iter().filter_map(old).collect(),
            })
            .collect();
        changes.extend(
            self.removals
                .iter()
                .filter(|removal| !removal.replaced)
                .map(|removal| Change {
                    new: None,
                    old: vec![removal.package.metadata.nevra.clone()],
                }),
        );
        changes
    }

    /// What the user should know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Bytes that will be written.
    pub fn installed_size(&self) -> u64 {
        self.installs
            .iter()
            .map(|install| install.package.metadata.installed_size())
            .sum()
    }
}

fn find_all<'i>(
    installed: &'i [InstalledPackage],
    numbers: &[u32],
) -> Result<Vec<&'i InstalledPackage>, TransactionError> {
    let find = |number: &u32| {
        let found = installed.iter().find(|package| package.number == *number);
        found.ok_or(TransactionError::NoSuchPackage { number: *number })
    };
    numbers.iter().map(find).collect()
}

fn assemble(
    install: Vec<VerifiedPackage>,
    actions: Vec<Vec<Action>>,
    instances: Vec<usize>,
    removals: &[Removal],
) -> Vec<Install> {
    let parts = install.into_iter().zip(actions).zip(instances);
    parts
        .map(|((package, actions), instances)| Install {
            replaces: replaced_by(&package, removals),
            package,
            actions,
            instances,
        })
        .collect()
}

/// What goes for a package: those of its name.
fn replaced_by(package: &VerifiedPackage, removals: &[Removal]) -> Vec<usize> {
    let name = &package.metadata.nevra.name;
    (0..removals.len())
        .filter(|at| {
            removals
                .get(*at)
                .is_some_and(|r| r.package.metadata.nevra.name == *name)
        })
        .collect()
}

struct Decide<'a> {
    aliases: &'a Aliases,
    shared: &'a HashSet<(usize, usize)>,
    old_files: &'a config::OldFiles<'a>,
    disk: &'a dyn Disk,
    docs: Docs,
}

impl Decide<'_> {
    fn actions(&self, position: usize, package: &VerifiedPackage) -> Result<Vec<Action>, TransactionError> {
        let files = &package.metadata.files;
        files
            .iter()
            .enumerate()
            .map(|(at, file)| self.action((position, at), file))
            .collect()
    }

    fn action(&self, place: (usize, usize), file: &FileEntry) -> Result<Action, TransactionError> {
        if file.is_ghost() {
            return Ok(Action::Ghost);
        }
        if self.docs == Docs::Skip && file.flags.contains(FileFlags::DOC) {
            return Ok(Action::LeaveOut);
        }
        if file.is_directory() {
            return Ok(Action::Directory);
        }
        if self.shared.contains(&place) {
            return Ok(Action::Shared);
        }
        if !file.flags.contains(FileFlags::CONFIG) || !(file.is_regular() || file.is_symlink()) {
            return Ok(Action::Write);
        }
        let path = self.aliases.resolve(&file.path);
        Ok(config::install_action(
            file,
            self.old_files.get(&path),
            &self.disk.look(&path)?,
        ))
    }
}

fn plan_removals(
    outgoing: &[&InstalledPackage],
    install: &[VerifiedPackage],
    staying: &[&InstalledPackage],
    owners: &Owners<'_>,
    aliases: &Aliases,
    disk: &dyn Disk,
    count: &dyn Fn(&str) -> usize,
) -> Result<Vec<Removal>, TransactionError> {
    if outgoing.is_empty() {
        return Ok(Vec::new());
    }
    let kept: HashSet<_> = staying
        .iter()
        .flat_map(|p| &p.metadata.files)
        .map(|file| aliases.resolve(&file.path))
        .collect();
    let mut removals = Vec::with_capacity(outgoing.len());
    for package in outgoing {
        let name = &package.metadata.nevra.name;
        let mut paths = Vec::new();
        for (file, present) in package.metadata.files.iter().zip(&package.present) {
            let path = aliases.resolve(&file.path);
            if !*present || owners.is_incoming(&path) || kept.contains(&path) || aliases.is_alias(&path) {
                continue;
            }
            let fate = config::removal_fate(file, || disk.look(&path))?;
            paths.push((path.into_owned(), fate));
        }
        // Longer paths are deeper, and a folder's content sorts behind it.
        paths.sort_by(|left, right| right.0.cmp(&left.0));
        removals.push(Removal {
            replaced: install.iter().any(|p| p.metadata.nevra.name == *name),
            instances: count(name),
            package: (*package).clone(),
            paths,
        });
    }
    Ok(removals)
}

/// Tags whose presence means that a package wants to run something when another one changes.
const TRIGGER_TAGS: [Tag; 3] = [Tag::TRIGGERNAME, Tag::FILETRIGGERNAME, Tag::TRANSFILETRIGGERNAME];

fn note_triggers(install: &[VerifiedPackage], staying: &[&InstalledPackage], notes: &mut Vec<String>) {
    let mut names: Vec<&str> = Vec::new();
    let headers = install
        .iter()
        .map(|p| (&p.header, &p.metadata))
        .chain(staying.iter().map(|p| (&p.header, &p.metadata)));
    for (header, metadata) in headers {
        if TRIGGER_TAGS.iter().any(|tag| header.contains(*tag)) {
            names.push(&metadata.nevra.name);
        }
    }
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        notes.push(format!(
            "triggers are not run yet; these packages have some: {}",
            names.join(", ")
        ));
    }
}

/// Files by real path.
pub(crate) type ByPath<'a, T> = HashMap<std::borrow::Cow<'a, [u8]>, T>;
