//! What is done for each build of a run.

use super::error::WorkshopError;
use super::executor::Executor;
use super::imported::Imported;
use super::memo::Memo;
use super::places::Places;
use super::record::{AttemptOutcome, Record};
use super::resolve::Roots;
use super::result_file::ComponentResult;
use super::watch::{FailureReport, HitFrom, Notice, Watcher, Why, report, unstarted};
use crate::drive::Worker;
use crate::run::Keep;
use crate::schedule::{Lookup, Outcome, Schedule, Start, TaskId};
use crate::{
    BuildJob, BuildKey, Buildroots, Cancel, ContentIndex, Digest, Event, KeyInputs, Observer, PackageSet,
    RootSource,
};
use lazuli_cache::{Cache, CacheKey, Placement};
use lazuli_durable::WorkFolder;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The fact of a cache entry that names generated requirements.
pub(super) const GENERATED: &str = "generated";
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
    pub(super) visible: Vec<(PathBuf, Arc<ComponentResult>)>,
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
    pub(super) names: Vec<String>,
    pub(super) numbers: HashMap<String, usize>,
    pub(super) needs: Vec<Vec<TaskId>>,
    pub(super) base: PackageSet,
    pub(super) imported: Digest,
    pub(super) memo: Memo,
    pub(super) recipes: Mutex<HashMap<usize, Arc<Recipe>>>,
    pub(super) endings: Mutex<BTreeMap<usize, Ending>>,
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

    /// The recipe of a component, its buildroot, its key.
    fn prepare(&self, number: usize) -> Result<Recipe, Box<FailureReport>> {
        let job = self
            .settings
            .recipes
            .recipe(&self.names[number])
            .map_err(|error| {
                let mut failure = unstarted(error.to_string());
                failure.help = error.help;
                failure
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

    pub(super) fn note(&self, component: &str, text: &str) {
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

    fn look(&self, number: usize) -> Result<Ending, Box<FailureReport>> {
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
        let ending = self
            .look(task.index())
            .unwrap_or_else(|failure| Ending::Failed(*failure));
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
                self.end(number, Ending::Failed(*failure));
                Outcome::Failed
            }
        }
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
pub(super) fn put_in_place(new: &Path, folder: &Path) -> Result<(), WorkshopError> {
    let parent = folder.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(parent).map_err(WorkshopError::io("make folder", parent))?;
    lazuli_durable::replace_folder(new, folder).map_err(WorkshopError::io("name the folder", folder))
}

/// The name of a result in the cache.
pub(super) fn cache_key(digest: &Digest) -> Result<CacheKey, WorkshopError> {
    Ok(CacheKey::new(digest.to_string()).map_err(lazuli_cache::CacheError::from)?)
}

/// What a thread that panicked left is still whole: each change is one insertion.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
