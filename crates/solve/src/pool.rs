//! What there is: packages of repositories, and the installed ones.

use crate::arch::{ArchClass, class_of};
use crate::index::HashIndex;
use lazuli_repodata::{Checksum, FileCoverage, PackageRecord, filelists::PackageFiles, is_primary_file};
use lazuli_rpm::Dependency;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

/// Limit of packages in a pool.
const MAX_PACKAGES: usize = 1 << 24;

/// A package of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageId(pub(crate) u32);

/// A repository of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryId(pub(crate) u32);

/// Where a package comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// It is installed.
    Installed,
    /// A repository has it.
    Repository(RepositoryId),
}

/// Gets all paths of a repository's packages. Called at most once, when a requirement names a path that
/// `primary.xml` does not list.
pub type FileLists = Box<dyn Fn() -> Result<Vec<PackageFiles>, Box<dyn std::error::Error + Send + Sync>>>;

/// Why the pool refuses something.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// There are more packages than can be numbered.
    #[error("too many packages: the limit is {limit}")]
    TooManyPackages {
        /// The limit.
        limit: usize,
    },
}

struct Entry {
    record: PackageRecord,
    origin: Origin,
    class: ArchClass,
    /// Installed as a dependency only.
    automatic: bool,
}

struct Repository {
    name: String,
    priority: i32,
    filelists: Option<FileLists>,
}

/// What there is. Adding is cheap; indexes are made once, at the first question.
pub struct Pool {
    arch: String,
    entries: Vec<Entry>,
    repositories: Vec<Repository>,
    index: OnceCell<Index>,
    files: OnceCell<HashIndex>,
    listed: OnceCell<ListedFiles>,
    file_list_errors: RefCell<Vec<String>>,
}

/// Packages of one name and architecture class.
pub(crate) type GroupId = u32;

struct Index {
    provides: HashIndex,
    /// Group of each package.
    group_of: Vec<GroupId>,
    /// Packages of each group.
    groups: Vec<Vec<PackageId>>,
    by_name: HashMap<Box<str>, Vec<GroupId>>,
    obsoletes: HashIndex,
    supplementing: Vec<PackageId>,
    /// Packages that another one of the same NEVRA, of a better repository, hides.
    shadowed: Vec<bool>,
}

/// Paths from filelists, of packages whose record has only the primary ones.
#[derive(Default)]
struct ListedFiles {
    paths: Vec<(PackageId, Vec<String>)>,
    index: HashIndex,
}

impl Pool {
    /// An empty pool for a machine of this architecture (`x86_64`, `aarch64`). Packages that cannot run there, and
    /// source packages, are left out.
    pub fn new(arch: &str) -> Self {
        Self {
            arch: arch.to_owned(),
            entries: Vec::new(),
            repositories: Vec::new(),
            index: OnceCell::new(),
            files: OnceCell::new(),
            listed: OnceCell::new(),
            file_list_errors: RefCell::new(Vec::new()),
        }
    }

    /// Adds a repository. Of packages with the same name, those of the repository with the lowest priority number
    /// are tried first, whatever their version; 99 by habit.
    pub fn add_repository(
        &mut self,
        name: &str,
        priority: i32,
        records: Vec<PackageRecord>,
        filelists: Option<FileLists>,
    ) -> Result<RepositoryId, PoolError> {
        let id = RepositoryId(self.repositories.len() as u32);
        self.repositories.push(Repository {
            name: name.to_owned(),
            priority,
            filelists,
        });
        self.add(records, Origin::Repository(id), |_| false)?;
        Ok(id)
    }

    /// Adds installed packages. `automatic` says which of them were installed as dependencies only, for
    /// [`crate::Job::autoremove`].
    pub fn add_installed(
        &mut self,
        records: Vec<PackageRecord>,
        automatic: impl Fn(&PackageRecord) -> bool,
    ) -> Result<(), PoolError> {
        self.add(records, Origin::Installed, automatic)
    }

    fn add(
        &mut self,
        records: Vec<PackageRecord>,
        origin: Origin,
        automatic: impl Fn(&PackageRecord) -> bool,
    ) -> Result<(), PoolError> {
        self.index.take();
        self.files.take();
        self.listed.take();
        if self.entries.len() + records.len() > MAX_PACKAGES {
            return Err(PoolError::TooManyPackages { limit: MAX_PACKAGES });
        }
        for record in records {
            let class = match class_of(&self.arch, &record.nevra.arch) {
                Some(class) => class,
                // What is installed is there, whatever it is for (such as a `gpg-pubkey`, which has no architecture).
                None if origin == Origin::Installed => ArchClass::Native,
                None => continue,
            };
            let automatic = automatic(&record);
            self.entries.push(Entry {
                record,
                origin,
                class,
                automatic,
            });
        }
        Ok(())
    }

    /// What is known of a package.
    pub fn record(&self, id: PackageId) -> &PackageRecord {
        &self.entries[id.0 as usize].record
    }

    /// Where it comes from.
    pub fn origin(&self, id: PackageId) -> Origin {
        self.entries[id.0 as usize].origin
    }

    /// Whether it is installed.
    pub fn is_installed(&self, id: PackageId) -> bool {
        self.origin(id) == Origin::Installed
    }

    /// The name of a repository.
    pub fn repository_name(&self, id: RepositoryId) -> &str {
        &self.repositories[id.0 as usize].name
    }

    /// All packages that the machine can run.
    pub fn packages(&self) -> impl Iterator<Item = PackageId> + use<> {
        (0..self.entries.len() as u32).map(PackageId)
    }

    /// How many packages there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no package.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The installed packages.
    pub fn installed(&self) -> impl Iterator<Item = PackageId> {
        self.packages().filter(|id| self.is_installed(*id))
    }

    /// All packages that provide what `dependency` names, in the order in which they were added. A rich dependency
    /// has no providers.
    pub fn providers(&self, dependency: &Dependency) -> Vec<PackageId> {
        let mut found = Vec::new();
        for (id, position) in self.index().provides.candidates(&dependency.name) {
            if found.last() != Some(&id) && self.record(id).provides[position].overlaps(dependency) {
                found.push(id);
            }
        }
        if dependency.name.starts_with('/') && dependency.constraint.is_none() {
            found.extend(self.owners(&dependency.name));
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    /// All packages that have `path`.
    pub fn owners(&self, path: &str) -> Vec<PackageId> {
        let index = self.files.get_or_init(|| {
            let files = |id: PackageId| self.record(id).files.iter().enumerate();
            let all = self
                .packages()
                .flat_map(|id| files(id).map(move |(n, file)| (&*file.path, id, n)));
            HashIndex::build(all)
        });
        let mut found: Vec<PackageId> = index
            .candidates(path)
            .filter(|(id, position)| self.record(*id).files[*position].path == path)
            .map(|(id, _)| id)
            .collect();
        if !is_primary_file(path) {
            let listed = self.listed.get_or_init(|| self.load_file_lists());
            for (position, _) in listed.index.candidates(path) {
                let (id, paths) = &listed.paths[position.0 as usize];
                if paths.iter().any(|one| one == path) {
                    found.push(*id);
                }
            }
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    /// What went wrong when filelists were loaded.
    pub(crate) fn file_list_errors(&self) -> Vec<String> {
        self.file_list_errors.borrow().clone()
    }

    fn load_file_lists(&self) -> ListedFiles {
        let mut listed = ListedFiles::default();
        for (number, repository) in self.repositories.iter().enumerate() {
            let Some(load) = &repository.filelists else {
                continue;
            };
            let lists = match load() {
                Ok(lists) => lists,
                Err(error) => {
                    let message = format!("failed to load the file lists of {}: {error}", repository.name);
                    self.file_list_errors.borrow_mut().push(message);
                    continue;
                }
            };
            let origin = Origin::Repository(RepositoryId(number as u32));
            let partial =
                |entry: &Entry| entry.origin == origin && entry.record.coverage == FileCoverage::Primary;
            let by_pkgid: HashMap<Checksum, PackageId> = self
                .packages()
                .filter(|id| partial(&self.entries[id.0 as usize]))
                .map(|id| (self.record(id).checksum, id))
                .collect();
            for list in lists {
                if let Some(id) = by_pkgid.get(&list.pkgid) {
                    let paths = list.files.into_iter().map(|file| file.path);
                    listed
                        .paths
                        .push((*id, paths.filter(|path| !is_primary_file(path)).collect()));
                }
            }
        }
        // The index's "package" is the position in `listed.paths`.
        let all = listed.paths.iter().enumerate();
        listed.index =
            HashIndex::build(all.flat_map(|(at, (_, paths))| {
                paths.iter().map(move |path| (&**path, PackageId(at as u32), 0))
            }));
        listed
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| self.build_index())
    }

    fn build_index(&self) -> Index {
        let provides = |id: PackageId| self.record(id).provides.iter().enumerate();
        let obsoletes = |id: PackageId| self.record(id).obsoletes.iter().enumerate();
        let mut groups: Vec<Vec<PackageId>> = Vec::new();
        let mut known: HashMap<(&str, ArchClass), GroupId> = HashMap::new();
        let mut by_name: HashMap<Box<str>, Vec<GroupId>> = HashMap::new();
        let mut group_of = Vec::with_capacity(self.entries.len());
        for id in self.packages() {
            let entry = &self.entries[id.0 as usize];
            let name = entry.record.nevra.name.as_str();
            let group = *known.entry((name, entry.class)).or_insert_with(|| {
                groups.push(Vec::new());
                let group = groups.len() as GroupId - 1;
                by_name.entry(name.into()).or_default().push(group);
                group
            });
            groups[group as usize].push(id);
            group_of.push(group);
        }
        let mut shadowed = vec![false; self.entries.len()];
        for group in &groups {
            self.mark_shadowed(group, &mut shadowed);
        }
        Index {
            provides: HashIndex::build(
                self.packages()
                    .flat_map(|id| provides(id).map(move |(n, one)| (&*one.name, id, n))),
            ),
            obsoletes: HashIndex::build(
                self.packages()
                    .flat_map(|id| obsoletes(id).map(move |(n, one)| (&*one.name, id, n))),
            ),
            supplementing: self
                .packages()
                .filter(|id| !self.record(*id).supplements.is_empty())
                .collect(),
            group_of,
            groups,
            by_name,
            shadowed,
        }
    }

    /// Of packages with the same NEVRA in repositories, only that of the best repository counts.
    fn mark_shadowed(&self, group: &[PackageId], shadowed: &mut [bool]) {
        for (at, id) in group.iter().enumerate() {
            let is_better = |other: &PackageId| {
                !self.is_installed(*other)
                    && self.record(*other).nevra == self.record(*id).nevra
                    && (self.priority(*other), *other) < (self.priority(*id), *id)
            };
            if !self.is_installed(*id) && group.len() > 1 {
                let others = group.iter().enumerate().filter(|(other, _)| *other != at);
                shadowed[id.0 as usize] = others.map(|(_, other)| other).any(is_better);
            }
        }
    }

    /// The priority number of a package's repository; installed packages come first.
    pub(crate) fn priority(&self, id: PackageId) -> i32 {
        match self.origin(id) {
            Origin::Installed => i32::MIN,
            Origin::Repository(repository) => self.repositories[repository.0 as usize].priority,
        }
    }

    pub(crate) fn class(&self, id: PackageId) -> ArchClass {
        self.entries[id.0 as usize].class
    }

    pub(crate) fn is_automatic(&self, id: PackageId) -> bool {
        self.entries[id.0 as usize].automatic
    }

    pub(crate) fn is_shadowed(&self, id: PackageId) -> bool {
        self.index().shadowed[id.0 as usize]
    }

    pub(crate) fn group_of(&self, id: PackageId) -> GroupId {
        self.index().group_of[id.0 as usize]
    }

    pub(crate) fn group(&self, group: GroupId) -> &[PackageId] {
        &self.index().groups[group as usize]
    }

    pub(crate) fn group_count(&self) -> usize {
        self.index().groups.len()
    }

    /// The name of a group's packages.
    pub(crate) fn group_name(&self, group: GroupId) -> &str {
        // A group is made with its first package.
        &self.record(self.group(group)[0]).nevra.name
    }

    /// The groups of a name: one for each architecture class.
    pub(crate) fn groups_named(&self, name: &str) -> &[GroupId] {
        self.index().by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// All names, in no particular order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.index().by_name.keys().map(|name| &**name)
    }

    /// Packages that supplement something.
    pub(crate) fn supplementing(&self) -> &[PackageId] {
        &self.index().supplementing
    }

    /// Packages that `obsoletes` (one of a package's) makes obsolete: by name and EVR, never by what they provide.
    pub(crate) fn obsoleted(&self, obsoletes: &Dependency) -> Vec<PackageId> {
        let groups = self.groups_named(&obsoletes.name);
        let all = groups.iter().flat_map(|group| self.group(*group)).copied();
        let mut found: Vec<_> = all.filter(|id| self.matches_nevr(*id, obsoletes)).collect();
        found.sort_unstable();
        found
    }

    /// Packages of another name that obsolete `id`.
    pub(crate) fn obsoleters(&self, id: PackageId) -> Vec<PackageId> {
        let name = &self.record(id).nevra.name;
        let mut found: Vec<PackageId> = self
            .index()
            .obsoletes
            .candidates(name)
            .filter(|(other, position)| {
                self.record(*other).nevra.name != *name
                    && self.matches_nevr(id, &self.record(*other).obsoletes[*position])
            })
            .map(|(other, _)| other)
            .collect();
        found.dedup();
        found
    }

    /// Whether a dependency means a package by its name and EVR.
    pub(crate) fn matches_nevr(&self, id: PackageId, dependency: &Dependency) -> bool {
        let nevra = &self.record(id).nevra;
        if nevra.name != dependency.name {
            return false;
        }
        let own = Dependency::versioned(&*nevra.name, lazuli_rpm::Comparison::Equal, nevra.evr.clone());
        own.overlaps(dependency)
    }
}
