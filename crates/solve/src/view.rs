//! Which packages a job may use, and which of them it prefers.

use crate::arch::ArchClass;
use crate::pool::GroupId;
use crate::{Job, Origin, PackageId, Pool};
use std::cmp::{Ordering, Reverse};
use std::collections::{HashMap, HashSet};

/// The pool as one job sees it.
pub(crate) struct View<'p> {
    pub(crate) pool: &'p Pool,
    /// By package: whether it may be part of the solution.
    enabled: Vec<bool>,
    /// By group: whether its newest version is wanted even if an older one is installed.
    raised: Vec<bool>,
    /// By group: whether several versions may be installed side by side.
    install_only: Vec<bool>,
    /// By group: the position in the job's list of favourites.
    favoured: HashMap<GroupId, usize>,
    /// The same package in a repository, of an installed one.
    twins: HashMap<PackageId, PackageId>,
    /// Groups that will be part of any solution, as far as can be told beforehand.
    needed: HashSet<GroupId>,
    /// Groups that those recommend.
    recommended: HashSet<GroupId>,
    /// Whether versions that no repository has are to be left (`distro-sync`).
    sync: bool,
}

impl<'p> View<'p> {
    pub(crate) fn new(pool: &'p Pool, job: &Job) -> Self {
        let mut view = Self {
            pool,
            enabled: pool.packages().map(|id| !pool.is_shadowed(id)).collect(),
            raised: vec![false; pool.group_count()],
            install_only: vec![false; pool.group_count()],
            favoured: HashMap::new(),
            twins: HashMap::new(),
            needed: HashSet::new(),
            recommended: HashSet::new(),
            sync: job.sync,
        };
        for name in &job.install_only {
            for group in pool.groups_named(name) {
                view.install_only[*group as usize] = true;
            }
        }
        for (position, name) in job.favour.iter().enumerate() {
            for group in pool.groups_named(name) {
                view.favoured.entry(*group).or_insert(position);
            }
        }
        view.hide_twins();
        view
    }

    /// A package that is installed is not to be fetched again.
    fn hide_twins(&mut self) {
        for id in self.pool.installed() {
            let same = |other: &&PackageId| {
                !self.pool.is_installed(**other)
                    && !self.pool.is_shadowed(**other)
                    && self.pool.record(**other).nevra == self.pool.record(id).nevra
            };
            if let Some(twin) = self.pool.group(self.pool.group_of(id)).iter().find(same) {
                self.enabled[twin.0 as usize] = false;
                self.twins.insert(id, *twin);
            }
        }
    }

    pub(crate) fn is_enabled(&self, id: PackageId) -> bool {
        self.enabled[id.0 as usize]
    }

    pub(crate) fn disable(&mut self, id: PackageId) {
        self.enabled[id.0 as usize] = false;
    }

    /// Puts the repository's package in the place of the installed one.
    pub(crate) fn reinstall(&mut self, id: PackageId) -> Option<PackageId> {
        let twin = self.twins.get(&id).copied()?;
        self.enabled[id.0 as usize] = false;
        self.enabled[twin.0 as usize] = true;
        Some(twin)
    }

    /// The package of a repository that is the same as an installed one.
    pub(crate) fn twin(&self, id: PackageId) -> Option<PackageId> {
        self.twins.get(&id).copied()
    }

    /// Wants the newest version of a group.
    pub(crate) fn raise(&mut self, group: GroupId) {
        self.raised[group as usize] = true;
    }

    /// Whether the newest version of a group is wanted.
    pub(crate) fn is_raised(&self, group: GroupId) -> bool {
        self.raised[group as usize]
    }

    pub(crate) fn is_install_only(&self, group: GroupId) -> bool {
        self.install_only[group as usize]
    }

    pub(crate) fn set_expected(&mut self, needed: HashSet<GroupId>, recommended: HashSet<GroupId>) {
        self.needed = needed;
        self.recommended = recommended;
    }

    /// The packages of a group that may be used, best first.
    pub(crate) fn candidates(&self, group: GroupId) -> Vec<PackageId> {
        let mut found: Vec<PackageId> = self
            .pool
            .group(group)
            .iter()
            .copied()
            .filter(|id| self.is_enabled(*id))
            .collect();
        found.sort_by(|a, b| self.compare(*a, *b));
        found
    }

    /// Orders packages of one group: less is better.
    pub(crate) fn compare(&self, left: PackageId, right: PackageId) -> Ordering {
        let kept = |id: PackageId| {
            let group = self.pool.group_of(id);
            self.pool.is_installed(id) && !self.raised[group as usize]
        };
        let orphan = |id: PackageId| self.sync && self.pool.is_installed(id) && !self.twins.contains_key(&id);
        let native = |id: PackageId| self.pool.record(id).nevra.arch != "noarch";
        let evr = |id: PackageId| &self.pool.record(id).nevra.evr;
        kept(right)
            .cmp(&kept(left))
            .then_with(|| orphan(left).cmp(&orphan(right)))
            .then_with(|| self.priority(left).cmp(&self.priority(right)))
            .then_with(|| evr(right).cmp(evr(left)))
            .then_with(|| self.pool.is_installed(right).cmp(&self.pool.is_installed(left)))
            .then_with(|| native(right).cmp(&native(left)))
            .then_with(|| left.cmp(&right))
    }

    /// An installed package counts as one of the best repository that has its name, so that it is replaced neither by
    /// an older version of a better repository nor by a newer one of a worse.
    fn priority(&self, id: PackageId) -> i32 {
        match self.pool.origin(id) {
            Origin::Repository(_) => self.pool.priority(id),
            Origin::Installed => {
                let group = self.pool.group(self.pool.group_of(id));
                let others = group.iter().filter(|other| !self.pool.is_installed(**other));
                others
                    .map(|other| self.pool.priority(*other))
                    .min()
                    .unwrap_or(i32::MAX)
            }
        }
    }

    /// Sorts what meets a requirement: a list of groups, the best first, each with its packages, the best first.
    /// `packages` come in the order in which the requirement names them; `name` is the capability's name.
    pub(crate) fn choices(&self, packages: &[Vec<PackageId>], name: &str) -> Vec<Vec<PackageId>> {
        let mut groups: Vec<(GroupId, usize, Vec<PackageId>)> = Vec::new();
        let mut known: HashMap<GroupId, usize> = HashMap::new();
        for (position, alternative) in packages.iter().enumerate() {
            for id in alternative.iter().copied().filter(|id| self.is_enabled(*id)) {
                let group = self.pool.group_of(id);
                let at = *known.entry(group).or_insert_with(|| {
                    groups.push((group, position, Vec::new()));
                    groups.len() - 1
                });
                groups[at].2.push(id);
            }
        }
        for (_, _, members) in &mut groups {
            members.sort_by(|a, b| self.compare(*a, *b));
            members.dedup();
        }
        if groups.len() > 1 {
            let bests: Vec<PackageId> = groups.iter().map(|(_, _, members)| members[0]).collect();
            groups.sort_by_cached_key(|(group, position, members)| {
                self.choice_key(*group, *position, members, &bests, name)
            });
        }
        groups.into_iter().map(|(_, _, members)| members).collect()
    }

    /// What makes one name a better choice than another one: less is better.
    fn choice_key<'k>(
        &'k self,
        group: GroupId,
        position: usize,
        members: &[PackageId],
        bests: &[PackageId],
        name: &str,
    ) -> impl Ord + use<'k, 'p> {
        let best = members[0];
        let own = self.pool.group_name(group);
        let obsoletes = |other: &PackageId| {
            let list = &self.pool.record(*other).obsoletes;
            *other != best && list.iter().any(|one| self.pool.matches_nevr(best, one))
        };
        let expected = if self.needed.contains(&group) {
            0
        } else if self.recommended.contains(&group) {
            1
        } else {
            2
        };
        (
            self.favoured.get(&group).copied().unwrap_or(usize::MAX),
            Reverse(members.iter().any(|id| self.pool.is_installed(*id))),
            bests.iter().any(obsoletes),
            expected,
            self.pool.class(best) != ArchClass::Native,
            position,
            (own != name, self.priority(best), own.len(), own, group),
        )
    }

    /// Whether a package will probably be part of the solution.
    pub(crate) fn is_expected(&self, id: PackageId) -> bool {
        self.is_enabled(id) && (self.pool.is_installed(id) || self.needed.contains(&self.pool.group_of(id)))
    }
}
