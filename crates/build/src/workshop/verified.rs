//! Whether components are reproducible: each is built again under other circumstances.

use super::job::{Told, Workshop, lock};
use super::watch::Notice;
use crate::drive::{Worker, drive};
use crate::run::{BuildSettings, Keep};
use crate::schedule::{AfterFailure, Limits, Lookup, Outcome, Schedule, ScheduleError, Start, Task, TaskId};
use crate::verify::{Difference, verify};
use lazuli_rpm::Signer;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

/// What became of a second build.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Verified {
    /// It was the same to the bit.
    Same {
        /// What was varied.
        varied: Vec<String>,
    },
    /// It was not.
    Different {
        /// Where the builds differ.
        differences: Vec<Difference>,
    },
    /// It failed.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Builds components again that the workshop has results of, and compares. `memory` is what one of them may take for a
/// sandbox in memory.
pub fn verify_components(
    workshop: &Workshop<'_>,
    tasks: Vec<Task>,
    limits: Limits,
    signer: Option<&dyn Signer>,
    builder: &str,
    memory: u64,
) -> Result<BTreeMap<String, Verified>, ScheduleError> {
    // Nothing has to wait for another: all results are there.
    let alone = tasks.into_iter().map(|task| Task {
        needs: Vec::new(),
        ..task
    });
    let mut schedule = Schedule::new(alone.collect(), limits, AfterFailure::KeepGoing)?;
    let names = schedule.ids().map(|id| schedule.task(id).name.clone()).collect();
    let verifier = Verifier {
        workshop,
        names,
        signer,
        builder,
        memory,
        found: Mutex::default(),
    };
    drive(&mut schedule, &verifier, workshop.settings.cancel);
    Ok(verifier.found.into_inner().unwrap_or_default())
}

struct Verifier<'v, 'a> {
    workshop: &'v Workshop<'a>,
    names: Vec<String>,
    signer: Option<&'v dyn Signer>,
    builder: &'v str,
    memory: u64,
    found: Mutex<BTreeMap<String, Verified>>,
}

impl Verifier<'_, '_> {
    fn verify(&self, component: &str, start: Start) -> Result<Verified, String> {
        let settings = &self.workshop.settings;
        let (Some(recipe), Some(first)) = (self.workshop.recipe(component), self.first(component)) else {
            return Err("it has no result to compare with".to_owned());
        };
        let mut job = recipe.job.clone();
        job.limits.processors = u32::try_from(start.cores.get()).unwrap_or(u32::MAX);
        let results = settings.places.folder.join("again").join(component);
        let again = BuildSettings {
            work: &settings.places.work(),
            results: &results,
            keep: Keep::Never,
            signer: self.signer,
            previous: &[],
            builder: self.builder,
        };
        let told = Told {
            watcher: settings.watcher,
            component,
        };
        let ended = verify(
            &job,
            &first,
            &self.workshop.roots(&recipe),
            &again,
            self.memory,
            &told,
            settings.cancel,
        );
        let found = match ended.map_err(|error| error.to_string())? {
            Err(failure) => return Err(failure.reason.to_string()),
            Ok(found) => found,
        };
        Ok(match found.differences.is_empty() {
            true => {
                // Nobody needs the same packages twice; what can't be removed, the next time replaces.
                let _ = std::fs::remove_dir_all(&results);
                Verified::Same { varied: found.varied }
            }
            false => Verified::Different {
                differences: found.differences,
            },
        })
    }

    /// The packages of the first build.
    fn first(&self, component: &str) -> Option<Vec<PathBuf>> {
        let key = self.workshop.recipe(component)?.key.digest();
        let ending = self.workshop.endings().remove(component)?;
        let folder = self.workshop.settings.places.result(component, &key);
        let result = ending.result()?;
        let mut files = result.files(&folder);
        files.push(folder.join(&result.source_package.file));
        Some(files)
    }
}

impl Worker for Verifier<'_, '_> {
    fn look_up(&self, _task: TaskId) -> Lookup {
        Lookup::Miss
    }

    fn run(&self, start: Start) -> Outcome {
        let component = &self.names[start.task.index()];
        let watcher = self.workshop.settings.watcher;
        watcher.notice(component, &Notice::Started { cores: start.cores });
        let found = self
            .verify(component, start)
            .unwrap_or_else(|reason| Verified::Failed { reason });
        watcher.notice(component, &Notice::Verified { found: &found });
        let outcome = match found {
            Verified::Failed { .. } => Outcome::Failed,
            Verified::Same { .. } | Verified::Different { .. } => Outcome::Built,
        };
        lock(&self.found).insert(component.clone(), found);
        outcome
    }
}
