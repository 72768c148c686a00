//! From a job to roots: the formulas that must hold in the solution.

use crate::formula::Formula;
use crate::pool::GroupId;
use crate::problem::{missing, not_installed, protected};
use crate::run::{Root, Source, Strength};
use crate::spec::{Reading, Target};
use crate::tidy::requirement;
use crate::view::View;
use crate::{Job, PackageId, Pool, Problem, Reason, Spec, Upgrade};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A job, made precise.
pub(crate) struct Request<'p> {
    pub(crate) view: View<'p>,
    /// What the job asks for, in its order.
    pub(crate) wanted: Vec<Root>,
    /// For each installed package that stays: itself or what may replace it.
    pub(crate) kept: Vec<Root>,
    /// Installed packages that go, each with the reason.
    pub(crate) removed: BTreeMap<PackageId, Reason>,
    /// Installed packages that depend on those, and go with them unless the job brings a substitute.
    pub(crate) dependents: BTreeMap<PackageId, Reason>,
    pub(crate) nothing_to_do: Vec<Spec>,
}

struct Builder<'p, 'j> {
    pool: &'p Pool,
    job: &'j Job,
    view: View<'p>,
    wanted: Vec<Root>,
    removed: BTreeMap<PackageId, Reason>,
    nothing_to_do: Vec<Spec>,
    /// By group: versions that the job names, and which therefore may replace a newer one.
    named: HashMap<GroupId, HashSet<PackageId>>,
    /// Installed packages whose replacement the job demands by name.
    replaced: HashSet<PackageId>,
}

impl<'p> Request<'p> {
    pub(crate) fn new(pool: &'p Pool, job: &Job) -> Result<Self, Problem> {
        let mut builder = Builder {
            pool,
            job,
            view: View::new(pool, job),
            wanted: Vec::new(),
            removed: BTreeMap::new(),
            nothing_to_do: Vec::new(),
            named: HashMap::new(),
            replaced: HashSet::new(),
        };
        builder.exclude();
        builder.remove()?;
        builder.reinstall()?;
        builder.downgrade()?;
        builder.upgrade()?;
        builder.install()?;
        let dependents = builder.dependents()?;
        let kept = builder.keep(&dependents);
        let Builder {
            view,
            wanted,
            removed,
            nothing_to_do,
            ..
        } = builder;
        Ok(Self {
            view,
            wanted,
            kept,
            removed,
            dependents,
            nothing_to_do,
        })
    }
}

impl Builder<'_, '_> {
    fn find(&self, spec: &Spec) -> Target {
        spec.find(self.pool, &|id| self.view.is_enabled(id))
    }

    fn find_installed(&self, spec: &Spec) -> Vec<PackageId> {
        match spec.find(self.pool, &|id| self.pool.is_installed(id)) {
            Target::Packages(_, packages) => packages,
            Target::Rich(_) | Target::Nothing => Vec::new(),
        }
    }

    fn exclude(&mut self) {
        for spec in &self.job.exclude {
            if let Target::Packages(_, packages) = spec.find(self.pool, &|id| !self.pool.is_installed(id)) {
                packages.into_iter().for_each(|id| self.view.disable(id));
            }
        }
    }

    fn is_protected(&self, id: PackageId) -> bool {
        self.job.protected.contains(&self.pool.record(id).nevra.name)
    }

    fn remove(&mut self) -> Result<(), Problem> {
        for spec in &self.job.remove {
            let found = self.find_installed(spec);
            if found.is_empty() {
                return Err(not_installed(self.pool, spec));
            }
            for id in found {
                if self.is_protected(id) {
                    return Err(protected(self.pool, id, &[]));
                }
                self.removed.insert(id, Reason::User(spec.clone()));
                // It must not come back in another version, unless a part of the job brings it.
                let group = self.pool.group_of(id);
                self.view.disable(id);
                if !self.view.is_install_only(group) && !self.is_installed_by_name(id) {
                    self.pool
                        .group(group)
                        .iter()
                        .for_each(|other| self.view.disable(*other));
                }
            }
        }
        Ok(())
    }

    /// Whether the job also installs the package's name (`swap`).
    fn is_installed_by_name(&self, id: PackageId) -> bool {
        self.job.install.iter().any(
            |spec| match spec.find(self.pool, &|one| !self.pool.is_installed(one)) {
                Target::Packages(_, found) => found
                    .iter()
                    .any(|one| self.pool.group_of(*one) == self.pool.group_of(id)),
                Target::Rich(_) | Target::Nothing => false,
            },
        )
    }

    fn want(&mut self, spec: &Spec, packages: Vec<PackageId>) {
        for id in &packages {
            self.named.entry(self.pool.group_of(*id)).or_default().insert(*id);
        }
        let source = Source::User(spec.clone());
        self.wanted.push(Root::new(
            Formula::Any(packages),
            Strength::Hard,
            source,
            spec.as_str(),
        ));
    }

    fn reinstall(&mut self) -> Result<(), Problem> {
        for spec in &self.job.reinstall {
            let found = self.find_installed(spec);
            if found.is_empty() {
                return Err(not_installed(self.pool, spec));
            }
            for id in found {
                let Some(twin) = self.view.reinstall(id) else {
                    return Err(Problem::new(
                        format!(
                            "{} cannot be reinstalled: no repository has it",
                            self.pool.record(id).nevra
                        ),
                        "upgrade it instead".to_owned(),
                    ));
                };
                self.replaced.insert(id);
                self.want(spec, vec![twin]);
            }
        }
        Ok(())
    }

    fn downgrade(&mut self) -> Result<(), Problem> {
        for spec in &self.job.downgrade {
            let Target::Packages(_, found) = self.find(spec) else {
                return Err(missing(self.pool, &self.view, spec));
            };
            let groups: Vec<GroupId> = ordered_groups(self.pool, &found);
            for group in groups {
                let Some(installed) = self
                    .pool
                    .group(group)
                    .iter()
                    .copied()
                    .find(|id| self.pool.is_installed(*id))
                else {
                    return Err(not_installed(self.pool, spec));
                };
                let evr = &self.pool.record(installed).nevra.evr;
                let lower: Vec<PackageId> = found
                    .iter()
                    .copied()
                    .filter(|id| self.pool.group_of(*id) == group && self.pool.record(*id).nevra.evr < *evr)
                    .collect();
                if lower.is_empty() {
                    return Err(Problem::new(
                        format!(
                            "no version below {} is available",
                            self.pool.record(installed).nevra
                        ),
                        "look for other versions with `repoquery`".to_owned(),
                    ));
                }
                self.want(spec, lower);
            }
        }
        Ok(())
    }

    fn upgrade(&mut self) -> Result<(), Problem> {
        match &self.job.upgrade {
            Upgrade::None => {}
            Upgrade::All => {
                let installed: Vec<PackageId> = self.pool.installed().collect();
                installed
                    .into_iter()
                    .for_each(|id| self.view.raise(self.pool.group_of(id)));
                self.upgrade_install_only();
            }
            Upgrade::Only(specs) => {
                for spec in specs {
                    self.upgrade_one(spec)?;
                }
            }
        }
        if self.job.sync {
            let installed: Vec<PackageId> = self.pool.installed().collect();
            installed
                .into_iter()
                .for_each(|id| self.view.raise(self.pool.group_of(id)));
        }
        Ok(())
    }

    fn upgrade_one(&mut self, spec: &Spec) -> Result<(), Problem> {
        // The spec may name what is installed or, with a version, what it is to become.
        let found = match spec.find(self.pool, &|_| true) {
            Target::Packages(_, found) => found,
            Target::Rich(_) | Target::Nothing => return Err(missing(self.pool, &self.view, spec)),
        };
        let is_present = |group: &GroupId| {
            self.pool
                .group(*group)
                .iter()
                .any(|id| self.pool.is_installed(*id))
        };
        let groups: Vec<GroupId> = ordered_groups(self.pool, &found)
            .into_iter()
            .filter(is_present)
            .collect();
        if groups.is_empty() {
            return Err(not_installed(self.pool, spec));
        }
        for group in groups {
            self.view.raise(group);
            let newest = self
                .pool
                .group(group)
                .iter()
                .filter(|id| self.pool.is_installed(**id));
            let Some(newest) = newest.map(|id| &self.pool.record(*id).nevra.evr).max() else {
                continue;
            };
            let targets: Vec<PackageId> = found
                .iter()
                .copied()
                .filter(|id| self.pool.group_of(*id) == group && self.view.is_enabled(*id))
                .filter(|id| self.pool.record(*id).nevra.evr >= *newest)
                .collect();
            let installed = self
                .pool
                .group(group)
                .iter()
                .copied()
                .filter(|id| self.pool.is_installed(*id));
            let obsoleters: Vec<PackageId> = installed.flat_map(|id| self.obsoleters(id)).collect();
            if targets.iter().all(|id| self.pool.is_installed(*id)) && obsoleters.is_empty() {
                self.nothing_to_do.push(spec.clone());
                continue;
            }
            // What obsoletes it goes first.
            for id in &obsoleters {
                let source = Source::User(spec.clone());
                self.wanted.push(Root::new(
                    Formula::Any(vec![*id]),
                    Strength::Soft,
                    source,
                    spec.as_str(),
                ));
            }
            self.want(spec, obsoleters.into_iter().chain(targets).collect());
        }
        Ok(())
    }

    /// Of a name that keeps its versions side by side, an upgrade adds the newest one.
    fn upgrade_install_only(&mut self) {
        let installed: Vec<PackageId> = self.pool.installed().collect();
        for group in ordered_groups(self.pool, &installed) {
            if !self.view.is_install_only(group) {
                continue;
            }
            if let Some(best) = self.view.candidates(group).first().copied()
                && !self.pool.is_installed(best)
            {
                let text = self.pool.record(best).nevra.to_string();
                self.wanted.push(Root::new(
                    Formula::Any(vec![best]),
                    Strength::Soft,
                    Source::Upgrade,
                    &text,
                ));
            }
        }
    }

    /// Enabled packages of other names that obsolete `id`, only the best of each name, and none that is obsolete itself.
    fn obsoleters(&self, id: PackageId) -> Vec<PackageId> {
        let all = self.pool.obsoleters(id).into_iter();
        all.filter(|other| self.view.is_enabled(*other) && !self.pool.is_installed(*other))
            .filter(|other| self.view.candidates(self.pool.group_of(*other)).first() == Some(other))
            .filter(|other| {
                !self
                    .pool
                    .obsoleters(*other)
                    .iter()
                    .any(|by| self.view.is_enabled(*by))
            })
            .collect()
    }

    fn install(&mut self) -> Result<(), Problem> {
        for spec in &self.job.install {
            let (reading, found) = match self.find(spec) {
                Target::Nothing => return Err(missing(self.pool, &self.view, spec)),
                Target::Rich(formula) => {
                    let source = Source::User(spec.clone());
                    self.wanted
                        .push(Root::new(formula, Strength::Hard, source, spec.as_str()));
                    continue;
                }
                Target::Packages(reading, found) => (reading, found),
            };
            if reading == Reading::Capability {
                self.want_capability(spec, found);
                continue;
            }
            let mut names: Vec<&str> = Vec::new();
            for group in ordered_groups(self.pool, &found) {
                let name = self.pool.group_name(group);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            for name in names {
                let all = found
                    .iter()
                    .copied()
                    .filter(|id| self.pool.record(*id).nevra.name == name);
                self.install_one(spec, reading, all.collect());
            }
        }
        Ok(())
    }

    /// A capability is met by what is installed, or else by the best package.
    fn want_capability(&mut self, spec: &Spec, found: Vec<PackageId>) {
        if found.iter().any(|id| self.pool.is_installed(*id)) {
            self.nothing_to_do.push(spec.clone());
        }
        let source = Source::User(spec.clone());
        self.wanted.push(Root::new(
            Formula::Any(found),
            Strength::Hard,
            source,
            spec.as_str(),
        ));
    }

    /// Wants one of the packages, all of one name.
    fn install_one(&mut self, spec: &Spec, reading: Reading, mut found: Vec<PackageId>) {
        // Of several architectures the machine's own, unless the spec says otherwise.
        if let Some(best) = found.iter().map(|id| self.pool.class(*id)).min() {
            found.retain(|id| self.pool.class(*id) == best);
        }
        let Some(group) = found.first().map(|id| self.pool.group_of(*id)) else {
            return;
        };
        self.view.raise(group);
        found.sort_by(|a, b| self.view.compare(*a, *b));
        if reading == Reading::Name
            && let Some(successors) = self.successors(&found)
        {
            found = successors;
        } else if self.view.is_install_only(group) {
            found.truncate(1);
        }
        if found.first().is_some_and(|id| self.pool.is_installed(*id)) {
            self.nothing_to_do.push(spec.clone());
        }
        if reading == Reading::Exact {
            self.want(spec, found);
        } else {
            let source = Source::User(spec.clone());
            self.wanted.push(Root::new(
                Formula::Any(found),
                Strength::Hard,
                source,
                spec.as_str(),
            ));
        }
    }

    /// If other packages obsolete all of these and provide the same name, then those are meant.
    fn successors(&self, found: &[PackageId]) -> Option<Vec<PackageId>> {
        let name = &self.pool.record(*found.first()?).nevra.name;
        let mut successors = Vec::new();
        for id in found {
            if self.pool.is_installed(*id) {
                return None;
            }
            let mut by = self.obsoleters(*id);
            by.retain(|other| {
                self.pool
                    .record(*other)
                    .provides
                    .iter()
                    .any(|one| one.name == *name)
            });
            if by.is_empty() {
                return None;
            }
            successors.extend(by);
        }
        successors.sort_unstable();
        successors.dedup();
        Some(successors)
    }

    /// Installed packages that lose what they require with those that are removed.
    fn dependents(&mut self) -> Result<BTreeMap<PackageId, Reason>, Problem> {
        let mut gone: BTreeMap<PackageId, Reason> = BTreeMap::new();
        if self.removed.is_empty() {
            return Ok(gone);
        }
        let installed: Vec<PackageId> = self
            .pool
            .installed()
            .filter(|id| !self.removed.contains_key(id))
            .collect();
        loop {
            let before = gone.len();
            for id in &installed {
                if gone.contains_key(id) {
                    continue;
                }
                if let Some(reason) = self.lost(*id, &gone) {
                    gone.insert(*id, reason);
                }
            }
            if gone.len() == before {
                break;
            }
        }
        // Where the job installs nothing, nothing can take the place of what goes.
        if self.job.install.is_empty() {
            for (id, reason) in &gone {
                if self.is_protected(*id) {
                    let chain = chain(*id, reason, &gone);
                    return Err(protected(self.pool, *id, &chain));
                }
            }
            for id in gone.keys() {
                self.view.disable(*id);
                if !self.view.is_install_only(self.pool.group_of(*id)) {
                    self.pool
                        .group(self.pool.group_of(*id))
                        .iter()
                        .for_each(|one| self.view.disable(*one));
                }
            }
        }
        Ok(gone)
    }

    /// Which package's removal breaks a requirement of `id` that holds now.
    fn lost(&self, id: PackageId, gone: &BTreeMap<PackageId, Reason>) -> Option<Reason> {
        let stays = |one: PackageId| {
            self.pool.is_installed(one) && !self.removed.contains_key(&one) && !gone.contains_key(&one)
        };
        let record = self.pool.record(id);
        let requires = record
            .requires
            .iter()
            .filter_map(|one| requirement(&self.view, id, one));
        // A rich conflict may need something too: `Conflicts: (a unless b)`.
        let rich = record.conflicts.iter().filter(|one| one.is_rich());
        let conflicts = rich.filter_map(|one| Formula::conflict(self.pool, one, id).ok());
        let held = |formula: &Formula| formula.holds(&|one| self.pool.is_installed(one));
        let broken = requires
            .chain(conflicts)
            .find(|formula| held(formula) && !formula.holds(&stays))?;
        let mut helpers = Vec::new();
        broken.helpers(&mut helpers);
        let culprit = helpers
            .into_iter()
            .find(|one| self.pool.is_installed(*one) && !stays(*one));
        Some(culprit.map_or(Reason::Other, Reason::Needs))
    }

    /// One root for each installed package that stays.
    fn keep(&self, dependents: &BTreeMap<PackageId, Reason>) -> Vec<Root> {
        let mut roots = Vec::new();
        for id in self.pool.installed() {
            if self.removed.contains_key(&id) {
                continue;
            }
            let is_dependent = dependents.contains_key(&id);
            if is_dependent && self.job.install.is_empty() {
                continue;
            }
            if self.job.upgrade == Upgrade::All {
                // What obsoletes a package goes before its newer versions; all parts, if it was split.
                for other in self.obsoleters(id) {
                    let formula = Formula::Any(vec![other]);
                    let text = self.pool.record(other).nevra.to_string();
                    roots.push(Root::new(formula, Strength::Soft, Source::Upgrade, &text));
                }
            }
            let protected = self.is_protected(id);
            let strength = if is_dependent && !protected {
                Strength::Soft
            } else {
                Strength::Hard
            };
            let text = self.pool.record(id).nevra.to_string();
            roots.push(Root::new(
                self.keep_formula(id),
                strength,
                Source::Keep(id),
                &text,
            ));
        }
        roots
    }

    /// An installed package, or what may replace it.
    fn keep_formula(&self, id: PackageId) -> Formula {
        let group = self.pool.group_of(id);
        if self.view.is_install_only(group) {
            let twin = self.view.twin(id).filter(|_| self.replaced.contains(&id));
            return Formula::Any(vec![twin.unwrap_or(id)]);
        }
        let evr = &self.pool.record(id).nevra.evr;
        let may_lower = self.job.allow.downgrade || self.job.sync;
        let named = self.named.get(&group);
        let same = self.view.candidates(group).into_iter().filter(|other| {
            may_lower
                || self.pool.record(*other).nevra.evr >= *evr
                || named.is_some_and(|named| named.contains(other))
        });
        let same: Vec<PackageId> = same.collect();
        let obsoleters: Vec<PackageId> = self
            .pool
            .obsoleters(id)
            .into_iter()
            .filter(|other| self.view.is_enabled(*other) && !self.pool.is_installed(*other))
            .collect();
        // What is installed stays if it can: its own name is listed first.
        Formula::Either(vec![Formula::Any(same), Formula::Any(obsoleters)])
    }
}

fn chain(id: PackageId, reason: &Reason, gone: &BTreeMap<PackageId, Reason>) -> Vec<PackageId> {
    let mut chain = vec![id];
    let mut next = reason;
    while let Reason::Needs(cause) = next {
        if chain.contains(cause) {
            break;
        }
        chain.push(*cause);
        let Some(reason) = gone.get(cause) else { break };
        next = reason;
    }
    chain
}

/// The groups of packages, each once, in the order of their first package.
pub(crate) fn ordered_groups(pool: &Pool, packages: &[PackageId]) -> Vec<GroupId> {
    let mut seen = HashSet::new();
    packages
        .iter()
        .map(|id| pool.group_of(*id))
        .filter(|group| seen.insert(*group))
        .collect()
}
