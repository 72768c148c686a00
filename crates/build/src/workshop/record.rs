//! What is known of a component: its last build, and the result that is current.

use super::error::WorkshopError;
use super::places::Places;
use crate::{BuildKey, Digest};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// The version of the file.
const VERSION: u32 = 1;

/// What is known of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    version: u32,
    /// The component.
    pub component: String,
    /// The key of the result that is current, which names its folder.
    pub current: Option<Digest>,
    /// How long the last build took that gave one, in milliseconds.
    pub took_ms: Option<u64>,
    /// The last build, however it ended.
    pub last: Option<Attempt>,
}

/// One build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Attempt {
    /// What it depended on.
    pub key: BuildKey,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// When: seconds since 1970.
    pub finished: u64,
    /// Its log.
    pub log: Option<PathBuf>,
}

/// How a build ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptOutcome {
    /// With packages, here or where the cache has them from.
    Built,
    /// With an error.
    Failed,
}

impl Record {
    /// Of a component of which nothing is known.
    #[must_use]
    pub fn new(component: &str) -> Self {
        Self {
            version: VERSION,
            component: component.to_owned(),
            current: None,
            took_ms: None,
            last: None,
        }
    }

    /// Reads what is known. What is missing, damaged or of another version is nothing: it is known again after a build.
    #[must_use]
    pub fn read(places: &Places, component: &str) -> Self {
        let known = std::fs::read(places.record(component)).ok();
        let record = known.and_then(|text| serde_json::from_slice::<Self>(&text).ok());
        record
            .filter(|record| record.version == VERSION && record.component == component)
            .unwrap_or_else(|| Self::new(component))
    }

    /// Writes it down.
    pub fn write(&self, places: &Places) -> Result<(), WorkshopError> {
        let path = places.record(&self.component);
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::from);
        text.and_then(|text| lazuli_durable::write(&path, &text))
            .map_err(WorkshopError::io("write", path))
    }

    /// How long its last build took that gave packages.
    #[must_use]
    pub fn took(&self) -> Option<Duration> {
        self.took_ms.map(Duration::from_millis)
    }
}
