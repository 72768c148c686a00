//! What is done for each build of a run.

use super::error::WorkshopError;
use super::executor::{Executor, Work};
use super::imported::Imported;
use super::logs::Logs;
use super::memo::Memo;
use super::places::{Places, remove_folder};
use super::record::{Attempt, AttemptOutcome, Record};
use super::result_file::ComponentResult;
use super::watch::{FailureReport, HitFrom, Notice, Watcher, Why};
use crate::buildroot::ResolveError;
use crate::drive::Worker;
use crate::run::Keep;
use crate::schedule::{Lookup, Outcome, Schedule, Start, TaskId};
use crate::{
    BuildError, BuildJob, BuildKey, Buildroot, Buildroots, Built, Cancel, ContentIndex, Digest, Event,
    Failure, FailureReason, KeyInputs, Observer, Origin, PackageSet, RootSource, Stock,
};
use lazuli_cache::{Cache, CacheKey, NewEntry, ObjectName, Placement};
use lazuli_durable::WorkFolder;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The fact of a cache entry that names generated requirements.
const GENERATED: &str = "generated";
/// What folders of results that come from the cache are called.
const RESTORE_PREFIX: &str = "restore-";

/// Says how a component is built.
pub trait Recipes: Sync {
    /// The spec, the sources and the options of a component; sources are fetched where they are not there.
    fn recipe(&self, component: &str) -> Result<BuildJob, RecipeError>;
}

/// Why it is not known how a component is built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RecipeError {
    /// What is wrong, with its causes.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

/// A recipe with all that it was resolved to.
#[derive(Debug)]
pub struct Recipe {
    /// How it is built.
    pub job: BuildJob,
    /// The packages of its buildroot, without those for generated requirements.
    pub set: PackageSet,
    /// What it depends on, without generated requirements.
    pub key: BuildKey,
    /// The results that its buildroot may have packages of.
    visible: Vec<(PathBuf, Arc<ComponentResult>)>,
}

/// Whether results that are there are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Freshness {
    /// They are, and what a run learns is written down.
    #[default]
    Take,
    /// They are, and nothing is written down: it is only asked what would be built.
    Ask,
}

/// What a run works with.
#[derive(Clone, Copy)]
pub struct WorkshopSettings<'a> {
    /// Folders.
    pub places: &'a Places,
    /// Results of all builds.
    pub cache: &'a Cache,
    /// Layers.
    pub buildroots: &'a Buildroots,
    /// Content digests.
    pub index: &'a Mutex<ContentIndex>,
    /// Imported packages.
    pub imported: &'a Imported<'a>,
    /// How components are built.
    pub recipes: &'a dyn Recipes,
    /// Where they are built.
    pub executor: &'a dyn Executor,
    /// Who is told.
    pub watcher: &'a dyn Watcher,
    /// Stops it all.
    pub cancel: &'a Cancel,
    /// When sandboxes stay.
    pub keep: Keep,
    /// Whether results are taken, for all but these: components that are built anew in any case.
    pub rebuild: &'a BTreeSet<String>,
    /// Whether it is a real run.
    pub freshness: Freshness,
}

/// How it ended with a component.
#[derive(Debug, Clone)]
pub enum Ending {
    /// Its result was there.
    Hit {
        /// Where.
        from: HitFrom,
        /// What it is.
        result: Arc<ComponentResult>,
    },
    /// It was built.
    Built {
        /// Why.
        why: Why,
        /// What came out.
        result: Arc<ComponentResult>,
    },
    /// It must be built, but was not: somebody only asked, or the run ended before.
    Due {
        /// Why.
        why: Why,
    },
    /// It failed.
    Failed(FailureReport),
}

impl Ending {
    /// The result, where there is one.
    #[must_use]
    pub fn result(&self) -> Option<&Arc<ComponentResult>> {
        match self {
            Self::Hit { result, .. } | Self::Built { result, .. } => Some(result),
            Self::Due { .. } | Self::Failed(_) => None,
        }
    }
}

/// Does the work of a schedule: looks results up, builds, records.
pub struct Workshop<'a> {
    pub(super) settings: WorkshopSettings<'a>,
    names: Vec<String>,
    numbers: HashMap<String, usize>,
    needs: Vec<Vec<TaskId>>,
    base: PackageSet,
    imported: Digest,
    memo: Memo,
    recipes: Mutex<HashMap<usize, Arc<Recipe>>>,
    endings: Mutex<BTreeMap<usize, Ending>>,
    _held: File,
}

impl<'a> Workshop<'a> {
    /// Opens the folder for the builds of a schedule. One process at a time builds in one.
    pub fn open(settings: WorkshopSettings<'a>, schedule: &Schedule) -> Result<Self, WorkshopError> {
        let held = settings.places.hold()?;
        let names: Vec<String> = schedule.ids().map(|id| schedule.task(id).name.clone()).collect();
        let mut workshop = Self {
            numbers: names.iter().cloned().zip(0..).collect(),
            needs: schedule.ids().map(|id| schedule.all_needs(id)).collect(),
            names,
            base: PackageSet::default(),
            imported: settings.imported.digest(),
            memo: Memo::open(settings.places.resolutions.clone()),
            recipes: Mutex::default(),
            endings: Mutex::default(),
            _held: held,
            settings,
        };
        workshop.base = workshop.resolve_base()?;
        Ok(workshop)
    }

    /// How it ended with each component that was reached, by name.
    #[must_use]
    pub fn endings(&self) -> BTreeMap<String, Ending> {
        let endings = lock(&self.endings);
        let named = endings
            .iter()
            .map(|(number, ending)| (self.names[*number].clone(), ending.clone()));
        named.collect()
    }

    /// The recipe of a component that was looked up.
    #[must_use]
    pub fn recipe(&self, component: &str) -> Option<Arc<Recipe>> {
        let number = self.numbers.get(component)?;
        lock(&self.recipes).get(number).cloned()
    }

    /// A buildroot for a recipe, and for what its spec generates.
    #[must_use]
    pub fn roots<'r>(&'r self, recipe: &'r Recipe) -> impl RootSource + 'r {
        Roots {
            workshop: self,
            recipe,
        }
    }

    fn resolve_base(&self) -> Result<PackageSet, WorkshopError> {
        let question = Memo::question(&["base", &self.imported.to_string()]);
        if let Some(known) = self.memo.get(&question) {
            return Ok(known);
        }
        let stock = self.settings.imported.stock()?;
        let set = stock.base(self.settings.imported.base(), &mut lock(self.settings.index))?;
        self.memo.put(&question, &set)?;
        Ok(set)
    }

    /// The packages of a buildroot.
    fn resolve(
        &self,
        requires: &[String],
        visible: &[(PathBuf, Arc<ComponentResult>)],
    ) -> Result<PackageSet, WorkshopError> {
        let mut parts = vec![
            "layer".to_owned(),
            self.imported.to_string(),
            format!("{requires:?}"),
        ];
        for (folder, result) in visible {
            parts.push(folder.display().to_string());
            parts.extend(result.packages.iter().map(|package| package.digest.to_string()));
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let question = Memo::question(&parts);
        if let Some(known) = self.memo.get(&question) {
            return Ok(known);
        }
        let stock = self.stock(visible)?;
        let set = stock.with(&self.base, requires, &mut lock(self.settings.index))?;
        self.memo.put(&question, &set)?;
        Ok(set)
    }

    /// Imported packages, and those of some results.
    fn stock(&self, visible: &[(PathBuf, Arc<ComponentResult>)]) -> Result<Stock, WorkshopError> {
        let mut stock = self.settings.imported.stock()?;
        for (folder, result) in visible {
            let records = result.records(folder).map_err(|reason| WorkshopError::Imported {
                folder: folder.clone(),
                reason,
            })?;
            stock.add(Origin::Built, folder, records);
        }
        Ok(stock)
    }

    /// The results of all that a component needs.
    fn visible(&self, number: usize) -> Vec<(PathBuf, Arc<ComponentResult>)> {
        let (endings, recipes) = (lock(&self.endings), lock(&self.recipes));
        let result = |need: &TaskId| {
            let result = endings.get(&need.index())?.result()?.clone();
            let key = recipes.get(&need.index())?.key.digest();
            Some((self.settings.places.result(&result.component, &key), result))
        };
        self.needs[number].iter().filter_map(result).collect()
    }

    /// The recipe of a component, its buildroot, its key.
    fn prepare(&self, number: usize) -> Result<Recipe, FailureReport> {
        let job = self
            .settings
            .recipes
            .recipe(&self.names[number])
            .map_err(|error| FailureReport {
                help: error.help.clone(),
                ..unstarted(error.to_string())
            })?;
        let visible = self.visible(number);
        let set = self
            .resolve(&job.requires, &visible)
            .map_err(|error| report(&error))?;
        let key = BuildKey::new(KeyInputs {
            job: &job,
            buildroot: &set,
            generated: &[],
        });
        Ok(Recipe {
            job,
            set,
            key,
            visible,
        })
    }

    /// The digest of the whole key of a recipe, once the generated requirements are known.
    fn whole_key(&self, recipe: &Recipe, generated: &[String]) -> Result<Digest, WorkshopError> {
        if generated.is_empty() {
            return Ok(recipe.key.digest());
        }
        let requires = [recipe.job.requires.as_slice(), generated].concat();
        let set = self.resolve(&requires, &recipe.visible)?;
        let key = BuildKey::new(KeyInputs {
            job: &recipe.job,
            buildroot: &set,
            generated,
        });
        Ok(key.digest())
    }

    /// Looks for the result of a recipe.
    fn find(&self, recipe: &Recipe) -> Result<Option<(HitFrom, ComponentResult)>, WorkshopError> {
        let component = &recipe.job.component;
        let folder = self.settings.places.result(component, &recipe.key.digest());
        if let Some(result) = ComponentResult::read(&folder, component)
            && self.whole_key(recipe, &result.generated)? == result.key
        {
            return Ok(Some((HitFrom::Results, result)));
        }
        match self.restore(recipe, &folder) {
            Ok(found) => Ok(found.map(|result| (HitFrom::Cache, result))),
            Err(WorkshopError::Cache(error)) if error.is_miss() => {
                self.note(component, &error.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the result of a recipe from the cache.
    fn restore(&self, recipe: &Recipe, folder: &Path) -> Result<Option<ComponentResult>, WorkshopError> {
        let cache = self.settings.cache;
        let component = &recipe.job.component;
        let known = recipe.key.digest();
        let Some(entry) = cache.get(&cache_key(&known)?)? else {
            return Ok(None);
        };
        let generated = entry
            .facts
            .get(GENERATED)
            .map(|text| serde_json::from_str::<Vec<String>>(text));
        let whole = match generated {
            None => known,
            Some(Ok(generated)) => self.whole_key(recipe, &generated)?,
            Some(Err(_)) => return Ok(None),
        };
        let work = self.settings.places.work();
        let staging = WorkFolder::create(&work, RESTORE_PREFIX)
            .map_err(WorkshopError::io("make a work folder below", &work))?;
        let new = staging.path().join("result");
        std::fs::create_dir(&new).map_err(WorkshopError::io("make folder", &new))?;
        if cache
            .restore(&cache_key(&whole)?, &new, Placement::Link)?
            .is_none()
        {
            return Ok(None);
        }
        let result = ComponentResult::read(&new, component).filter(|result| result.key == whole);
        if result.is_none() {
            self.note(component, "the entry of the cache is not whole; it is built anew");
            return Ok(None);
        }
        put_in_place(&new, folder)?;
        Ok(result)
    }

    /// Why a recipe must be built.
    fn why(&self, recipe: &Recipe) -> Why {
        let component = &recipe.job.component;
        if self.settings.rebuild.contains(component) {
            return Why::Forced;
        }
        let Some(last) = Record::read(self.settings.places, component).last else {
            return Why::New;
        };
        let fields = recipe.key.changes(&last.key);
        match (fields.is_empty(), last.outcome) {
            (false, _) => Why::Changed { fields },
            (true, AttemptOutcome::Failed) => Why::FailedBefore,
            (true, AttemptOutcome::Built) => Why::Gone,
        }
    }

    /// Writes down what is current now, and removes what is not any more.
    fn settle(
        &self,
        recipe: &Recipe,
        result: &ComponentResult,
        attempt: Option<Attempt>,
    ) -> Result<(), WorkshopError> {
        if self.settings.freshness == Freshness::Ask {
            return Ok(());
        }
        let places = self.settings.places;
        let known = Record::read(places, &result.component);
        let key = recipe.key.digest();
        let mut new = known.clone();
        new.current = Some(key);
        new.took_ms = Some(result.took_ms);
        new.last = attempt.or_else(|| {
            let is_same = |last: &Attempt| last.key == recipe.key && last.outcome == AttemptOutcome::Built;
            known.last.clone().filter(is_same).or_else(|| {
                Some(Attempt {
                    key: recipe.key.clone(),
                    outcome: AttemptOutcome::Built,
                    finished: seconds(SystemTime::now()),
                    log: None,
                })
            })
        });
        if new != known {
            new.write(places)?;
        }
        let folder = places.results(&result.component);
        let current = places.result(&result.component, &key);
        let entries = std::fs::read_dir(&folder).map_err(WorkshopError::io("read folder", &folder))?;
        for entry in entries.flatten().filter(|entry| entry.path() != current) {
            remove_folder(&entry.path())?;
        }
        Ok(())
    }

    /// Builds a recipe, and puts what comes out where it belongs.
    fn build(&self, recipe: &Recipe, start: Start) -> Result<ComponentResult, FailureReport> {
        let component = &recipe.job.component;
        let mut job = recipe.job.clone();
        job.limits.processors = u32::try_from(start.cores.get()).unwrap_or(u32::MAX);
        let new = self.settings.places.folder.join("new").join(component);
        remove_folder(&new).map_err(|error| report(&error))?;
        let previous = self.previous(component);
        let work = Work {
            job: &job,
            key: &recipe.key,
            roots: &self.roots(recipe),
            results: &new,
            previous: &previous,
            keep: self.settings.keep,
        };
        let observer = Told {
            watcher: self.settings.watcher,
            component,
        };
        let ended = self
            .settings
            .executor
            .execute(&work, &observer, self.settings.cancel);
        let ended = ended.map_err(|error| report(&error.into()))?;
        match ended {
            Ok(built) => self.take(recipe, &built, &new).map_err(|error| report(&error)),
            Err(failure) => Err(self.failed(recipe, failure, &new)),
        }
    }

    /// The packages of the result that is current.
    fn previous(&self, component: &str) -> Vec<PathBuf> {
        let current = Record::read(self.settings.places, component).current;
        let folder = current.map(|key| self.settings.places.result(component, &key));
        let result = folder.and_then(|folder| Some((ComponentResult::read(&folder, component)?, folder)));
        result
            .map(|(result, folder)| result.files(&folder))
            .unwrap_or_default()
    }

    /// Takes the result of a build: into the cache, then where dependents find it.
    fn take(&self, recipe: &Recipe, built: &Built, new: &Path) -> Result<ComponentResult, WorkshopError> {
        let component = &recipe.job.component;
        let whole = BuildKey::new(KeyInputs {
            job: &recipe.job,
            buildroot: &built.buildroot,
            generated: &built.generated,
        });
        let result = ComponentResult::of(component, whole.digest(), built);
        result.write(new)?;
        {
            let mut index = lock(self.settings.index);
            for package in &built.packages {
                index.insert(package.digest, package.content);
            }
        }
        let finished = SystemTime::now();
        let log = Logs::new(&self.settings.places.logs).keep(component, &built.log, finished)?;
        self.share(recipe, &result, new, finished)?;
        put_in_place(new, &self.settings.places.result(component, &recipe.key.digest()))?;
        let attempt = Attempt {
            key: recipe.key.clone(),
            outcome: AttemptOutcome::Built,
            finished: seconds(finished),
            log: Some(log),
        };
        self.settle(recipe, &result, Some(attempt))?;
        Ok(result)
    }

    /// Gives a result to the cache, and takes its files from there: so that they are on the disk once.
    fn share(
        &self,
        recipe: &Recipe,
        result: &ComponentResult,
        folder: &Path,
        finished: SystemTime,
    ) -> Result<(), WorkshopError> {
        let cache = self.settings.cache;
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(WorkshopError::io("read folder", folder))? {
            let entry = entry.map_err(WorkshopError::io("read folder", folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push((
                ObjectName::new(name).map_err(lazuli_cache::CacheError::from)?,
                entry.path(),
            ));
        }
        files.sort();
        let entry = |files, facts| NewEntry {
            files,
            facts,
            finished,
            took: result.took(),
        };
        let stored = cache.put(&cache_key(&result.key)?, entry(files, BTreeMap::new()))?;
        if !result.generated.is_empty() {
            let text = serde_json::to_string(&result.generated).unwrap_or_default();
            let facts = BTreeMap::from([(GENERATED.to_owned(), text)]);
            cache.put(&cache_key(&recipe.key.digest())?, entry(Vec::new(), facts))?;
        }
        for object in &stored.objects {
            cache.fetch(object, &folder.join(object.name.as_str()), Placement::Link)?;
        }
        Ok(())
    }

    /// Takes the log of a build that failed, and writes down that it did.
    fn failed(&self, recipe: &Recipe, failure: Failure, new: &Path) -> FailureReport {
        let component = &recipe.job.component;
        let is_cancelled = failure.reason == FailureReason::Cancelled;
        let finished = SystemTime::now();
        let logs = Logs::new(&self.settings.places.logs);
        let log = failure
            .log
            .as_ref()
            .and_then(|log| match logs.keep(component, log, finished) {
                Ok(kept) => Some(kept),
                Err(error) => {
                    self.note(component, &error.to_string());
                    None
                }
            });
        let mut record = Record::read(self.settings.places, component);
        record.last = Some(Attempt {
            key: recipe.key.clone(),
            outcome: AttemptOutcome::Failed,
            finished: seconds(finished),
            log: log.clone(),
        });
        // A build that was stopped says nothing of the component.
        let written = match is_cancelled {
            true => Ok(()),
            false => record.write(self.settings.places),
        };
        if let Err(error) = written.and_then(|()| remove_folder(new)) {
            self.note(component, &error.to_string());
        }
        let reason = match &failure.reason {
            FailureReason::Findings(findings) => {
                let errors = findings.iter().filter(|finding| finding.is_error());
                let lines: String = errors.map(|finding| format!("\n    {finding}")).collect();
                format!("{}:{lines}", failure.reason)
            }
            reason => reason.to_string(),
        };
        FailureReport {
            reason,
            help: None,
            phase: Some(failure.phase),
            last_lines: failure.last_lines,
            log,
            elapsed: failure.elapsed,
            kept: failure.kept.map(Box::new),
            is_cancelled,
        }
    }

    fn note(&self, component: &str, text: &str) {
        self.settings.watcher.notice(component, &Notice::Note { text });
    }

    fn end(&self, number: usize, ending: Ending) {
        let component = &self.names[number];
        match &ending {
            Ending::Hit { from, .. } => self
                .settings
                .watcher
                .notice(component, &Notice::Hit { from: *from }),
            Ending::Built { result, .. } => {
                self.settings.watcher.notice(component, &Notice::Built { result })
            }
            Ending::Due { why } => self.settings.watcher.notice(component, &Notice::Miss { why }),
            Ending::Failed(failure) => self
                .settings
                .watcher
                .notice(component, &Notice::Failed { failure }),
        }
        lock(&self.endings).insert(number, ending);
    }

    fn look(&self, number: usize) -> Result<Ending, FailureReport> {
        let recipe = self.prepare(number)?;
        let is_rebuilt = self.settings.rebuild.contains(&self.names[number]);
        let found = match is_rebuilt {
            true => None,
            false => self.find(&recipe).map_err(|error| report(&error))?,
        };
        let ending = match found {
            Some((from, result)) => {
                self.settle(&recipe, &result, None)
                    .map_err(|error| report(&error))?;
                Ending::Hit {
                    from,
                    result: Arc::new(result),
                }
            }
            None => Ending::Due {
                why: self.why(&recipe),
            },
        };
        lock(&self.recipes).insert(number, Arc::new(recipe));
        Ok(ending)
    }
}

impl Worker for Workshop<'_> {
    fn look_up(&self, task: TaskId) -> Lookup {
        let ending = self.look(task.index()).unwrap_or_else(Ending::Failed);
        let found = match &ending {
            Ending::Hit { .. } | Ending::Built { .. } => Lookup::Hit,
            Ending::Due { .. } => Lookup::Miss,
            Ending::Failed(_) => Lookup::Failed,
        };
        self.end(task.index(), ending);
        found
    }

    fn run(&self, start: Start) -> Outcome {
        let number = start.task.index();
        let component = &self.names[number];
        let why = match lock(&self.endings).get(&number) {
            Some(Ending::Due { why }) => why.clone(),
            _ => Why::New,
        };
        let Some(recipe) = self.recipe(component) else {
            return Outcome::Failed;
        };
        self.settings
            .watcher
            .notice(component, &Notice::Started { cores: start.cores });
        match self.build(&recipe, start) {
            Ok(result) => {
                let result = Arc::new(result);
                self.end(number, Ending::Built { why, result });
                Outcome::Built
            }
            Err(failure) => {
                self.end(number, Ending::Failed(failure));
                Outcome::Failed
            }
        }
    }
}

/// Buildroots of one recipe.
struct Roots<'r, 'a> {
    workshop: &'r Workshop<'a>,
    recipe: &'r Recipe,
}

impl RootSource for Roots<'_, '_> {
    fn root(&self, requires: &[String]) -> Result<Buildroot, BuildError> {
        let Workshop { settings, base, .. } = self.workshop;
        if requires == self.recipe.job.requires {
            return settings.buildroots.prepare(base, &self.recipe.set);
        }
        let set = match self.workshop.resolve(requires, &self.recipe.visible) {
            Ok(set) => set,
            Err(WorkshopError::Build(error)) => return Err(error),
            Err(error) => {
                return Err(BuildError::Resolve(ResolveError::Pool {
                    repository: "the stock".to_owned(),
                    reason: error.to_string(),
                }));
            }
        };
        settings.buildroots.prepare(base, &set)
    }
}

/// Passes on what happens in a build.
pub(super) struct Told<'a> {
    pub(super) watcher: &'a dyn Watcher,
    pub(super) component: &'a str,
}

impl Observer for Told<'_> {
    fn event(&self, event: &Event<'_>) {
        self.watcher.notice(self.component, &Notice::Build(event));
    }
}

/// Moves a folder that is whole to its final name.
fn put_in_place(new: &Path, folder: &Path) -> Result<(), WorkshopError> {
    let parent = folder.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(parent).map_err(WorkshopError::io("make folder", parent))?;
    lazuli_durable::replace_folder(new, folder).map_err(WorkshopError::io("name the folder", folder))
}

fn cache_key(digest: &Digest) -> Result<CacheKey, WorkshopError> {
    Ok(CacheKey::new(digest.to_string()).map_err(lazuli_cache::CacheError::from)?)
}

/// A failure before anything ran.
fn unstarted(reason: String) -> FailureReport {
    FailureReport {
        reason,
        help: None,
        phase: None,
        last_lines: Box::default(),
        log: None,
        elapsed: Duration::ZERO,
        kept: None,
        is_cancelled: false,
    }
}

/// A failure of the builder, with its causes.
fn report(error: &WorkshopError) -> FailureReport {
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !reason.contains(&text) {
            reason.push_str(&format!(": {text}"));
        }
        cause = error.source();
    }
    FailureReport {
        help: error.help(),
        ..unstarted(reason)
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What a thread that panicked left is still whole: each change is one insertion.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
