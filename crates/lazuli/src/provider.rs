//! The upstreams of components: dist-git and lookaside caches, fetched and kept by digest.

use crate::failure::{Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_component::DistGitProvider;
use lazuli_source::{Freshness, Settings, Sources};

/// The upstreams, with one cache below the program's.
pub struct Upstreams {
    sources: Sources,
}

impl Upstreams {
    /// Opens the cache.
    pub fn open(workspace: &Workspace) -> Result<Self> {
        let mut settings = Settings::new(workspace.cache.join("sources"));
        // A folder of repositories is an upstream too: mirrors and tests have them.
        settings.git.protocols.push("file".to_owned());
        let sources = Sources::open(settings).or_fail(Kind::Environment)?;
        Ok(Self { sources })
    }

    /// What gives the sources of components.
    pub fn provider(&self) -> DistGitProvider<'_> {
        DistGitProvider {
            sources: &self.sources,
            freshness: Freshness::Newest,
            progress: &|_| {},
        }
    }
}
