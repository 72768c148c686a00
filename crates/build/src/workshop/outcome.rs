//! What comes of a build, and where it goes.

use super::error::WorkshopError;
use super::executor::Work;
use super::job::{Freshness, GENERATED, Recipe, Told, Workshop, cache_key, lock, put_in_place};
use super::logs::Logs;
use super::places::remove_folder;
use super::record::{Attempt, AttemptOutcome, Record};
use super::result_file::ComponentResult;
use super::watch::{FailureReport, report};
use crate::schedule::Start;
use crate::{BuildKey, Built, Failure, FailureReason, KeyInputs};
use lazuli_cache::{NewEntry, ObjectName, Placement};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

impl Workshop<'_> {
    /// Writes down what is current now, and removes what is not any more.
    pub(super) fn settle(
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
    pub(super) fn build(&self, recipe: &Recipe, start: Start) -> Result<ComponentResult, Box<FailureReport>> {
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
    fn failed(&self, recipe: &Recipe, failure: Failure, new: &Path) -> Box<FailureReport> {
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
        Box::new(FailureReport {
            reason,
            help: None,
            phase: Some(failure.phase),
            last_lines: failure.last_lines.into_vec(),
            log,
            elapsed: failure.elapsed,
            kept: failure.kept,
            is_cancelled,
        })
    }
}

/// Seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
