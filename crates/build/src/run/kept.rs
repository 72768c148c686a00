//! Sandboxes that stay, for a person to look at.

use super::circumstances::Circumstances;
use super::macros::TOP;
use crate::error::IoContext;
use crate::result::Kept;
use crate::{BuildError, BuildJob};
use lazuli_sandbox::{Options, Overlay, Status, Streams, User, mount_overlay, run_in_root};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What says how to enter a sandbox again.
const ABOUT: &str = "kept.json";

/// What is needed to enter a sandbox again.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    component: String,
    /// Layers of the buildroot, topmost first.
    layers: Vec<PathBuf>,
    /// The user's id.
    id: u32,
    environment: Vec<(String, String)>,
}

/// Writes down how to enter the sandbox in a work folder again.
pub(super) fn describe(
    folder: &Path,
    job: &BuildJob,
    layers: &[PathBuf],
    circumstances: &Circumstances,
    environment: &[(String, String)],
) -> Result<(), BuildError> {
    let about = About {
        component: job.component.clone(),
        layers: layers.to_vec(),
        id: circumstances.id,
        environment: environment.to_vec(),
    };
    let path = folder.join(ABOUT);
    let text = serde_json::to_vec_pretty(&about)
        .map_err(std::io::Error::from)
        .doing("writing", &path)?;
    lazuli_durable::write(&path, &text).doing("writing", &path)
}

impl Kept {
    /// A sandbox in a folder that an earlier run left.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, BuildError> {
        let kept = Self {
            folder: folder.into(),
        };
        kept.about()?;
        Ok(kept)
    }

    fn about(&self) -> Result<About, BuildError> {
        let path = self.folder.join(ABOUT);
        let text = std::fs::read(&path).doing("reading", &path)?;
        serde_json::from_slice(&text).map_err(|error| BuildError::Damaged {
            path,
            what: "the description of a kept sandbox",
            reason: error.to_string(),
        })
    }

    /// Which component was built in it.
    pub fn component(&self) -> Result<String, BuildError> {
        Ok(self.about()?.component)
    }

    /// Runs a program in it as the build's user, on the caller's terminal, with the build's environment and as little
    /// network; a shell, say. Layers that were collected in the meantime are an error.
    pub fn enter(&self, program: &[String]) -> Result<Status, BuildError> {
        let about = self.about()?;
        let fail = |source| BuildError::Sandbox {
            program: program.join(" "),
            source: Box::new(source),
        };
        let mut lower = vec![self.folder.join("inputs")];
        lower.extend(about.layers);
        let overlay = Overlay {
            lower,
            upper: self.folder.join("written/upper"),
            work: self.folder.join("written/work"),
        };
        let merged = self.folder.join("merged");
        std::fs::create_dir_all(&merged).doing("making the folder", &merged)?;
        let mounted = mount_overlay(&overlay, &merged).map_err(fail)?;
        let mut options = Options {
            timeout: Duration::MAX,
            streams: Streams::Terminal,
            environment: about.environment,
            working_directory: PathBuf::from(TOP),
            user: User::Unprivileged {
                uid: about.id,
                gid: about.id,
            },
            ..Options::build()
        };
        options.limits.idle = None;
        let output = run_in_root(&merged, program, &options).map_err(fail);
        mounted.unmount().map_err(fail)?;
        Ok(output?.status)
    }

    /// Removes it.
    pub fn remove(self) -> Result<(), BuildError> {
        std::fs::remove_dir_all(&self.folder).doing("removing", &self.folder)
    }
}
