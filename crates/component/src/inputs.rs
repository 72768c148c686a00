//! What a build takes: a rendered spec, and every file that it names, with its content.
//!
//! ```text
//!  Renderer::render ─▶ spec, patches ───────────────────────────────┐
//!                   └▶ external files ─▶ lookaside cache, origin ───┴─▶ BuildInputs
//! ```
//!
//! Nothing of it needs a rendered folder on the disk, and tarballs are not copied: they stay in the store that they were
//! fetched to, named by digest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lazuli_catalog::{
    ComponentName, OriginPolicy, ResolvedComponent, ResolvedSourceFile, Sha256Digest, SourceOrigin,
};
use rayon::prelude::*;

use crate::compose::{ComposeError, compose, upstream_package};
use crate::provider::{LookasideFile, SOURCES_FILE, UpstreamPackage};
use crate::render::{RenderError, Rendered, Renderer};
use crate::source_tree::{Content, FileMode, SourcePath, TreeError};
use crate::sources::{ExternalFile, ExternalSource};

/// All that a build of a component is made of, beside its buildroot.
#[derive(Debug, Clone)]
pub struct BuildInputs {
    /// The component.
    pub name: ComponentName,
    /// `[EPOCH:]VERSION-RELEASE` of its main package.
    pub evr: String,
    /// The rendered spec.
    pub spec: BuildFile,
    /// Every source, patch and other file that the spec needs, each once, sorted by name: what goes to rpm's
    /// `%{_sourcedir}`.
    pub files: Vec<BuildFile>,
    /// What the user should look at, each a sentence without a final full stop.
    pub warnings: Vec<String>,
}

/// A file that a build takes.
#[derive(Debug, Clone)]
pub struct BuildFile {
    /// Its name, relative to the folder of sources.
    pub name: SourcePath,
    /// The digest of its content.
    pub sha256: Sha256Digest,
    /// Its content: bytes, or the path of a file in the store.
    pub content: Content,
    /// Whether it is a program.
    pub mode: FileMode,
}

/// The inputs of a build can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputsError {
    /// The component can't be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A file that the spec names is nowhere.
    #[error("the spec of `{component}` names `{file}`, and nothing says where that is")]
    Missing {
        /// The component.
        component: ComponentName,
        /// The file.
        file: String,
    },
    /// A file has no digest.
    #[error("source file `{file}` of `{component}` has no `hash`")]
    NoHash {
        /// The component.
        component: ComponentName,
        /// The file.
        file: String,
    },
    /// A file is neither in the lookaside cache nor at its origin.
    #[error("source file `{file}` of `{component}` is not to be had: {first}; {second}")]
    Nowhere {
        /// The component.
        component: ComponentName,
        /// The file.
        file: String,
        /// What the lookaside cache said.
        first: String,
        /// What the origin said.
        second: String,
    },
    /// A file can't be written.
    #[error("failed to write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl InputsError {
    /// What to do, as a line of its own after the message.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            InputsError::Render(error) => error.help(),
            InputsError::Missing { component, file } => Some(format!(
                "put it beside the spec, or declare it: `[[components.{component}.source-files]]` with `filename = \"{file}\"`, \
                 `hash`, `hash-type` and `origin`"
            )),
            InputsError::NoHash { .. } => Some(
                "add `hash` and `hash-type`: only they say whether what is fetched is the right file"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl From<ComposeError> for InputsError {
    fn from(error: ComposeError) -> Self {
        InputsError::Render(error.into())
    }
}

impl From<TreeError> for InputsError {
    fn from(error: TreeError) -> Self {
        InputsError::Render(error.into())
    }
}

impl Renderer<'_> {
    /// Renders a component in memory and fetches all that its build takes. What is in the store is not fetched again.
    ///
    /// # Errors
    /// [`InputsError`].
    pub fn build_inputs(&self, component: &ResolvedComponent) -> Result<BuildInputs, InputsError> {
        let rendered = self.render(component)?;
        let mut files: Vec<BuildFile> = Vec::new();
        for (path, file) in rendered.tree.files() {
            let listing =
                path.as_str() == SOURCES_FILE && !rendered.sources.iter().any(|one| one == SOURCES_FILE);
            if path != rendered.tree.spec_path() && !listing {
                files.push(BuildFile::new(path.clone(), file.content.clone(), file.mode));
            }
        }
        self.check_names(component, &rendered)?;
        let fetched: Vec<BuildFile> = rendered
            .external
            .par_iter()
            .map(|file| self.external_file(component, file))
            .collect::<Result<_, InputsError>>()?;
        files.extend(fetched);
        files.sort_by(|one, two| one.name.cmp(&two.name));
        let spec = Content::Bytes(rendered.tree.spec_bytes()?);
        Ok(BuildInputs {
            name: rendered.name,
            evr: rendered.evr,
            spec: BuildFile::new(rendered.tree.spec_path().clone(), spec, FileMode::Plain),
            files,
            warnings: rendered.warnings,
        })
    }

    /// Every name of the spec has a file. A name that could not be expanded is rpm's to judge.
    fn check_names(&self, component: &ResolvedComponent, rendered: &Rendered) -> Result<(), InputsError> {
        let is_there = |name: &str| {
            rendered.tree.contains(name) || rendered.external.iter().any(|file| file.name == name)
        };
        let missing = rendered
            .sources
            .iter()
            .find(|name| !name.contains('%') && !is_there(name));
        match missing {
            None => Ok(()),
            Some(file) => Err(InputsError::Missing {
                component: component.name.clone(),
                file: file.clone(),
            }),
        }
    }

    fn external_file(
        &self,
        component: &ResolvedComponent,
        file: &ExternalFile,
    ) -> Result<BuildFile, InputsError> {
        let content = match &file.from {
            ExternalSource::Known(content) => content.clone(),
            ExternalSource::Lookaside(listed) => self.lookaside_file(component, listed)?,
            ExternalSource::Declared(declared) => self.declared(component, declared)?,
        };
        let name = SourcePath::new(file.name.as_str())?;
        Ok(BuildFile::new(name, content, FileMode::Plain))
    }

    /// A source file that the project declares. The lookaside cache comes first, where there is one: a mirror that keeps
    /// what origins may lose.
    pub(crate) fn declared(
        &self,
        component: &ResolvedComponent,
        file: &ResolvedSourceFile,
    ) -> Result<Content, InputsError> {
        let Some(listed) = LookasideFile::declared(file) else {
            return Err(InputsError::NoHash {
                component: component.name.clone(),
                file: file.filename.to_string(),
            });
        };
        let (package, policy) = self.package(component)?;
        let origin = || {
            self.provider
                .source_file(file)
                .map_err(ComposeError::source_file(component, file))
        };
        // An archive and a registry are such mirrors themselves.
        let own = matches!(
            file.origin,
            SourceOrigin::DebianSource { .. } | SourceOrigin::Crate { .. }
        );
        match &file.origin {
            SourceOrigin::Lookaside | SourceOrigin::Overlay => self.lookaside_file(component, &listed),
            SourceOrigin::Custom { .. } if package.lookaside.is_none() => {
                self.made_for_build(component, file)
            }
            SourceOrigin::Custom { .. } => {
                let first = match self.lookaside_file(component, &listed) {
                    Ok(content) => return Ok(content),
                    Err(error) => error,
                };
                self.made_for_build(component, file)
                    .map_err(|second| InputsError::Nowhere {
                        component: component.name.clone(),
                        file: file.filename.to_string(),
                        first: first.to_string(),
                        second: second.to_string(),
                    })
            }
            _ if policy == OriginPolicy::LookasideOnly => self.lookaside_file(component, &listed),
            _ if own || package.lookaside.is_none() => Ok(origin()?),
            _ => match self.provider.lookaside(&package, &listed) {
                Ok(content) => Ok(content),
                Err(first) => self
                    .provider
                    .source_file(file)
                    .map_err(|second| InputsError::Nowhere {
                        component: component.name.clone(),
                        file: file.filename.to_string(),
                        first: first.to_string(),
                        second: second.to_string(),
                    }),
            },
        }
    }

    /// What a script makes whose digest is known.
    fn made_for_build(
        &self,
        component: &ResolvedComponent,
        file: &ResolvedSourceFile,
    ) -> Result<Content, InputsError> {
        let lock = self.state.lock(&component.name).map_err(RenderError::from)?;
        let commit = lock.as_ref().and_then(|lock| lock.upstream_commit.as_ref());
        let commit = commit.map(|commit| commit.as_str());
        let composed = compose(self.state, component, commit, self.provider)?;
        let same = |one: &ResolvedSourceFile| one.filename == file.filename;
        let index = component.source_files.iter().position(same).unwrap_or_default();
        let made = self.make(component, &composed.upstream, index);
        Ok(made.map_err(RenderError::from)?)
    }

    pub(crate) fn lookaside_file(
        &self,
        component: &ResolvedComponent,
        file: &LookasideFile,
    ) -> Result<Content, InputsError> {
        let (package, _) = self.package(component)?;
        let get = ComposeError::provider(format!("lookaside file {}", file.name), &package);
        Ok(self.provider.lookaside(&package, file).map_err(get)?)
    }

    /// The package whose lookaside cache is asked: of a local spec, that of the project's own distribution.
    fn package(&self, component: &ResolvedComponent) -> Result<(UpstreamPackage, OriginPolicy), InputsError> {
        let own = self.state.distro();
        let package = upstream_package(self.state, component).map_err(ComposeError::from)?;
        let package = package.unwrap_or_else(|| UpstreamPackage::new(own, component.name.as_str()));
        Ok((package, own.origins))
    }
}

impl BuildFile {
    fn new(name: SourcePath, content: Content, mode: FileMode) -> BuildFile {
        BuildFile {
            sha256: content.sha256(),
            name,
            content,
            mode,
        }
    }

    /// Writes the file below a folder. Its bytes are checked against its digest on the way.
    ///
    /// # Errors
    /// It can't be read or written.
    pub fn write_below(&self, folder: &Path) -> Result<PathBuf, InputsError> {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.join(self.name.as_str());
        let failed = |source| InputsError::Write {
            path: path.clone(),
            source,
        };
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).map_err(failed)?;
        }
        if let Content::Link(target) = &self.content {
            std::os::unix::fs::symlink(&**target, &path).map_err(failed)?;
            return Ok(path);
        }
        fs::write(&path, self.content.read()?).map_err(failed)?;
        let mode = match self.mode {
            FileMode::Plain => 0o644,
            FileMode::Executable => 0o755,
        };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(failed)?;
        Ok(path)
    }
}

impl BuildInputs {
    /// Writes the spec and all files side by side into a folder, as `rpmbuild` takes them when `%{_sourcedir}` and
    /// `%{_specdir}` are that folder. Gives the path of the spec.
    ///
    /// # Errors
    /// A file can't be read or written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, InputsError> {
        for file in &self.files {
            file.write_below(folder)?;
        }
        self.spec.write_below(folder)
    }
}
