//! The job in the solver's terms.
//!
//! A name of the solver is a group (packages of one name and architecture class); a version set is an explicit list of
//! packages of one group; a requirement is the union of the version sets that meet it. What no union can say becomes a
//! *choice*: an invented name, one of whose invented candidates must be taken. A candidate requires and excludes what
//! its branch demands. So a formula of any depth takes space linear in its size, and the solver's own conditions,
//! which know only "another version of the same name", are not needed.

use crate::formula::{Formula, Owner};
use crate::view::View;
use crate::{PackageId, Pool};
use lazuli_rpm::Dependency;
use resolvo::{
    Candidates, Condition, ConditionId, Dependencies, DependencyProvider, HintDependenciesAvailable,
    Interner, KnownDependencies, NameId, Requirement, SolvableId, SolverCache, StringId, VersionSetId,
    VersionSetUnionId,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Display;
use std::rc::Rc;

/// Why a version set exists, for explanations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// It meets a requirement.
    Meets,
    /// A package conflicts with the rest of the group.
    Conflict(Rc<str>),
    /// A package obsoletes the rest of the group.
    Obsoletes(Rc<str>),
}

struct VersionSet {
    name: NameId,
    /// Sorted.
    members: Vec<SolvableId>,
    why: Why,
}

/// A candidate of a choice.
struct Branch {
    name: NameId,
    dependencies: KnownDependencies,
    /// The package whose dependency made it; `None` for the job.
    owner: Option<PackageId>,
}

#[derive(Default)]
struct Tables {
    sets: Vec<VersionSet>,
    unions: Vec<Vec<VersionSetId>>,
    branches: Vec<Branch>,
    /// Candidates of each invented name.
    choices: Vec<Vec<SolvableId>>,
    /// The text of each requirement, for explanations.
    texts: HashMap<Requirement, Rc<str>>,
    /// What was compiled before, so that equal dependencies share one requirement.
    plain: HashMap<(String, String), Requirement>,
}

/// Answers the solver's questions.
pub(crate) struct Encoder<'v> {
    view: &'v View<'v>,
    tables: RefCell<Tables>,
}

/// Who demands something, and in which words.
#[derive(Clone)]
pub(crate) struct Demand {
    /// `None` for the job.
    pub(crate) owner: Option<PackageId>,
    /// The dependency's text.
    pub(crate) text: Rc<str>,
    /// The capability's name, which a package of the same name meets best.
    pub(crate) name: Rc<str>,
}

impl<'v> Encoder<'v> {
    pub(crate) fn new(view: &'v View<'v>) -> Self {
        Self {
            view,
            tables: RefCell::default(),
        }
    }

    fn pool(&self) -> &'v Pool {
        self.view.pool
    }

    fn package_count(&self) -> u32 {
        self.view.pool.len() as u32
    }

    /// The package behind a solvable; `None` for a branch.
    pub(crate) fn package(&self, id: SolvableId) -> Option<PackageId> {
        (id.into_raw() < self.package_count()).then(|| PackageId(id.into_raw()))
    }

    /// The package to which a solvable belongs: itself, or the owner of a branch.
    pub(crate) fn owner(&self, id: SolvableId) -> Option<PackageId> {
        self.package(id)
            .or_else(|| self.tables.borrow().branches[self.branch(id)].owner)
    }

    fn branch(&self, id: SolvableId) -> usize {
        (id.into_raw() - self.package_count()) as usize
    }

    /// The words of a requirement.
    pub(crate) fn text(&self, requirement: &Requirement) -> Rc<str> {
        self.tables
            .borrow()
            .texts
            .get(requirement)
            .cloned()
            .unwrap_or_else(|| Rc::from(""))
    }

    /// Why a version set exists.
    pub(crate) fn why(&self, set: VersionSetId) -> Why {
        self.tables.borrow().sets[set.0 as usize].why.clone()
    }

    /// Adds what `formula` demands to `out`.
    pub(crate) fn compile(&self, formula: &Formula, demand: &Demand, out: &mut KnownDependencies) {
        match formula {
            Formula::Any(packages) => self.require(std::slice::from_ref(packages), demand, out),
            Formula::None(packages) => {
                self.exclude(packages, Why::Conflict(demand.text.clone()), out);
            }
            Formula::All(parts) => parts.iter().for_each(|part| self.compile(part, demand, out)),
            Formula::Either(parts) => self.compile_either(parts, demand, out),
        }
    }

    fn compile_either(&self, parts: &[Formula], demand: &Demand, out: &mut KnownDependencies) {
        let mut flat = Vec::new();
        flatten(parts, &mut flat);
        if flat.contains(&&Formula::TRUE) {
            return;
        }
        let plain: Option<Vec<Vec<PackageId>>> = flat
            .iter()
            .map(|part| match part {
                Formula::Any(packages) => Some(packages.clone()),
                _ => None,
            })
            .collect();
        if let Some(alternatives) = plain {
            return self.require(&alternatives, demand, out);
        }
        flat.sort_by_key(|part| self.doubt(part));
        let branches = flat.iter().map(|part| {
            let mut dependencies = KnownDependencies::default();
            self.compile(part, demand, &mut dependencies);
            dependencies
        });
        let branches: Vec<KnownDependencies> = branches.collect();
        self.choose(branches, demand, out);
    }

    /// Demands `formula` if that is possible; if it is not, nothing.
    pub(crate) fn compile_softly(&self, formula: &Formula, demand: &Demand, out: &mut KnownDependencies) {
        let mut wanted = KnownDependencies::default();
        self.compile(formula, demand, &mut wanted);
        self.choose(vec![wanted, KnownDependencies::default()], demand, out);
    }

    /// How unlikely it is that a branch will hold: less is tried first.
    fn doubt(&self, formula: &Formula) -> u8 {
        let expected = |packages: &[PackageId]| packages.iter().any(|id| self.view.is_expected(*id));
        match formula {
            Formula::Any(packages) => u8::from(!expected(packages)),
            Formula::None(packages) => 2 * u8::from(expected(packages)),
            Formula::All(parts) => parts.iter().map(|part| self.doubt(part)).max().unwrap_or(0),
            Formula::Either(parts) => parts.iter().map(|part| self.doubt(part)).min().unwrap_or(2),
        }
    }

    /// One of the packages, those of the first alternatives preferred.
    fn require(&self, alternatives: &[Vec<PackageId>], demand: &Demand, out: &mut KnownDependencies) {
        let groups = self.view.choices(alternatives, &demand.name);
        let tables = &mut *self.tables.borrow_mut();
        let requirement = if groups.is_empty() {
            // A name without candidates.
            let name = self.invent(tables);
            tables.set(name, Vec::new(), Why::Meets).into()
        } else {
            let sets: Vec<VersionSetId> = groups
                .iter()
                .map(|group| {
                    let name = NameId::from_raw(self.pool().group_of(group[0]));
                    tables.set(
                        name,
                        group.iter().map(|id| SolvableId::from_raw(id.0)).collect(),
                        Why::Meets,
                    )
                })
                .collect();
            tables.union(sets)
        };
        tables.texts.insert(requirement, demand.text.clone());
        out.requirements.push(requirement.into());
    }

    /// None of the packages.
    fn exclude(&self, packages: &[PackageId], why: Why, out: &mut KnownDependencies) {
        let mut groups: Vec<(u32, Vec<PackageId>)> = Vec::new();
        for id in packages.iter().copied().filter(|id| self.view.is_enabled(*id)) {
            let group = self.pool().group_of(id);
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, members)) => members.push(id),
                None => groups.push((group, vec![id])),
            }
        }
        let tables = &mut *self.tables.borrow_mut();
        for (group, excluded) in groups {
            let all = self.pool().group(group).iter();
            let others = all.filter(|id| self.view.is_enabled(**id) && !excluded.contains(id));
            let members = others.map(|id| SolvableId::from_raw(id.0)).collect();
            out.constrains
                .push(tables.set(NameId::from_raw(group), members, why.clone()));
        }
    }

    /// One of the branches, the first ones preferred.
    fn choose(&self, branches: Vec<KnownDependencies>, demand: &Demand, out: &mut KnownDependencies) {
        let tables = &mut *self.tables.borrow_mut();
        let name = self.invent(tables);
        let mut candidates = Vec::with_capacity(branches.len());
        for dependencies in branches {
            let id = SolvableId::from_raw(self.package_count() + tables.branches.len() as u32);
            tables.branches.push(Branch {
                name,
                dependencies,
                owner: demand.owner,
            });
            candidates.push(id);
        }
        let number = tables.choices.len() - 1;
        tables.choices[number].clone_from(&candidates);
        let requirement: Requirement = tables.set(name, candidates, Why::Meets).into();
        tables.texts.insert(requirement, demand.text.clone());
        out.requirements.push(requirement.into());
    }

    fn invent(&self, tables: &mut Tables) -> NameId {
        tables.choices.push(Vec::new());
        NameId::from_raw((self.pool().group_count() + tables.choices.len() - 1) as u32)
    }

    /// What a package needs and excludes.
    fn dependencies_of(&self, id: PackageId) -> KnownDependencies {
        let mut out = KnownDependencies::default();
        for dependency in &self.pool().record(id).requires {
            self.compile_requirement(id, dependency, &mut out);
        }
        self.compile_conflicts(id, &mut out);
        out
    }

    fn compile_requirement(&self, id: PackageId, dependency: &Dependency, out: &mut KnownDependencies) {
        if dependency.name.starts_with("rpmlib(") {
            return;
        }
        let pool = self.pool();
        let key = (dependency.name.clone(), constraint_text(dependency));
        let known = self.tables.borrow().plain.get(&key).copied();
        let is_installed = pool.is_installed(id);
        if let (Some(requirement), false) = (known, is_installed) {
            out.requirements.push(requirement.into());
            return;
        }
        let demand = Demand::of(Some(id), dependency);
        let Ok(formula) = Formula::requirement(pool, dependency, Owner::There(id)) else {
            // What cannot be understood cannot be met.
            return self.require(&[], &demand, out);
        };
        // What is broken already does not stop all else.
        if is_installed && !formula.holds(&|one| pool.is_installed(one)) {
            return;
        }
        self.compile(&formula, &demand, out);
        // Requirements that a package meets itself have no formula to share.
        if let (Formula::Any(_), Some(last)) = (&formula, out.requirements.last()) {
            self.tables.borrow_mut().plain.insert(key, last.requirement);
        }
    }

    fn compile_conflicts(&self, id: PackageId, out: &mut KnownDependencies) {
        let pool = self.pool();
        let record = pool.record(id);
        // Installed packages that conflict with each other do not stop all else.
        let tolerated = |other: &PackageId| pool.is_installed(id) && pool.is_installed(*other);
        for dependency in &record.conflicts {
            let demand = Demand::of(Some(id), dependency);
            match Formula::conflict(pool, dependency, id) {
                Ok(Formula::None(mut packages)) => {
                    packages.retain(|other| !tolerated(other));
                    self.exclude(&packages, Why::Conflict(demand.text), out);
                }
                Ok(formula) if pool.is_installed(id) && !formula.holds(&|one| pool.is_installed(one)) => {}
                Ok(formula) => self.compile(&formula, &demand, out),
                Err(_) => self.require(&[], &demand, out),
            }
        }
        for dependency in &record.obsoletes {
            let mut packages = pool.obsoleted(dependency);
            packages.retain(|other| {
                *other != id && pool.record(*other).nevra.name != record.nevra.name && !tolerated(other)
            });
            if !packages.is_empty() {
                self.exclude(&packages, Why::Obsoletes(Rc::from(dependency.to_string())), out);
            }
        }
    }
}

impl Demand {
    pub(crate) fn of(owner: Option<PackageId>, dependency: &Dependency) -> Self {
        Self {
            owner,
            text: Rc::from(dependency.to_string()),
            name: Rc::from(dependency.name.as_str()),
        }
    }
}

fn constraint_text(dependency: &Dependency) -> String {
    dependency
        .constraint
        .as_ref()
        .map(|(comparison, evr)| format!("{}{evr}", comparison.symbol()))
        .unwrap_or_default()
}

fn flatten<'f>(parts: &'f [Formula], out: &mut Vec<&'f Formula>) {
    for part in parts {
        match part {
            Formula::Either(inner) => flatten(inner, out),
            other => out.push(other),
        }
    }
}

impl Tables {
    fn set(&mut self, name: NameId, mut members: Vec<SolvableId>, why: Why) -> VersionSetId {
        members.sort_unstable();
        self.sets.push(VersionSet { name, members, why });
        VersionSetId(self.sets.len() as u32 - 1)
    }

    fn union(&mut self, sets: Vec<VersionSetId>) -> Requirement {
        if let [single] = sets[..] {
            return single.into();
        }
        self.unions.push(sets);
        VersionSetUnionId(self.unions.len() as u32 - 1).into()
    }
}

impl Interner for Encoder<'_> {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        match self.package(solvable) {
            Some(id) => self.pool().record(id).nevra.to_string(),
            None => format!("choice {}", solvable.into_raw()),
        }
    }

    fn display_name(&self, name: NameId) -> impl Display + '_ {
        let raw = name.into_raw();
        if (raw as usize) < self.pool().group_count() {
            self.pool().group_name(raw).to_owned()
        } else {
            format!("choice {raw}")
        }
    }

    fn display_version_set(&self, version_set: VersionSetId) -> impl Display + '_ {
        format!("set {}", version_set.0)
    }

    fn display_string(&self, string_id: StringId) -> impl Display + '_ {
        string_id.0
    }

    fn version_set_name(&self, version_set: VersionSetId) -> NameId {
        self.tables.borrow().sets[version_set.0 as usize].name
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        match self.package(solvable) {
            Some(id) => NameId::from_raw(self.pool().group_of(id)),
            None => self.tables.borrow().branches[self.branch(solvable)].name,
        }
    }

    fn version_sets_in_union(&self, union: VersionSetUnionId) -> impl Iterator<Item = VersionSetId> {
        self.tables.borrow().unions[union.0 as usize].clone().into_iter()
    }

    fn resolve_condition(&self, condition: ConditionId) -> Condition {
        // No requirement is made with a condition; a set is the only thing to answer.
        Condition::Requirement(VersionSetId(condition.as_u32()))
    }
}

impl DependencyProvider for Encoder<'_> {
    async fn filter_candidates(
        &self,
        candidates: &[SolvableId],
        version_set: VersionSetId,
        inverse: bool,
    ) -> Vec<SolvableId> {
        let tables = self.tables.borrow();
        let members = &tables.sets[version_set.0 as usize].members;
        candidates
            .iter()
            .copied()
            .filter(|id| members.binary_search(id).is_ok() != inverse)
            .collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates> {
        let raw = name.into_raw();
        let groups = self.pool().group_count();
        let candidates = if (raw as usize) < groups {
            let all = self
                .pool()
                .group(raw)
                .iter()
                .filter(|id| self.view.is_enabled(**id));
            all.map(|id| SolvableId::from_raw(id.0)).collect()
        } else {
            self.tables.borrow().choices[raw as usize - groups].clone()
        };
        let allow_multiple = (raw as usize) < groups && self.view.is_install_only(raw);
        Some(Candidates {
            candidates,
            allow_multiple,
            hint_dependencies_available: HintDependenciesAvailable::None,
            ..Candidates::default()
        })
    }

    async fn sort_candidates(&self, _solver: &SolverCache<Self>, solvables: &mut [SolvableId]) {
        solvables.sort_by(|a, b| match (self.package(*a), self.package(*b)) {
            (Some(a), Some(b)) => self.view.compare(a, b),
            // Branches are numbered in the order of preference.
            _ => a.cmp(b),
        });
    }

    async fn get_dependencies(&self, solvable: SolvableId) -> Dependencies {
        Dependencies::Known(match self.package(solvable) {
            Some(id) => self.dependencies_of(id),
            None => self.tables.borrow().branches[self.branch(solvable)]
                .dependencies
                .clone(),
        })
    }
}
