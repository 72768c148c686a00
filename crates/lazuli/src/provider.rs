//! The upstreams of components: dist-git, lookaside caches, source packages and crates, fetched and kept by digest.

use crate::failure::{Kind, OrFail, Result};
use crate::workspace::Workspace;
use lazuli_component::DistGitProvider;
use lazuli_source::{DebianArchiveSettings, Freshness, Settings, Sources};

/// The upstreams, with one cache below the program's.
pub struct Upstreams {
    sources: Sources,
    archive: Option<DebianArchiveSettings>,
}

impl Upstreams {
    /// Opens the cache.
    pub fn open(workspace: &Workspace) -> Result<Self> {
        let mut settings = Settings::new(workspace.cache.join("sources"));
        // A folder of repositories is an upstream too: mirrors and tests have them.
        settings.git.protocols.push("file".to_owned());
        let sources = Sources::open(settings).or_fail(Kind::Environment)?;
        let archive = crate::upstream::settings(workspace)?;
        Ok(Self { sources, archive })
    }

    /// What gives the sources of components.
    pub fn provider(&self) -> DistGitProvider<'_> {
        DistGitProvider {
            sources: &self.sources,
            archive: self.archive.as_ref(),
            // A buildroot brings one.
            scripts: None,
            freshness: Freshness::Newest,
            progress: &|_| {},
        }
    }
}
