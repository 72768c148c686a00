//! Source files that a script of the project makes: `origin = { type = "custom", … }`.
//!
//! A script is a stranger's code as much as a build is, so it runs where builds run: in a root tree, without a network.
//! Which root that is, with which packages in it, the caller knows: a [`ScriptRunner`]. Where there is none, the file is
//! refused with words rather than left out.
//!
//! # What a script finds
//!
//! As azldev has it (its pull requests 261 and 271, custom origins and their inputs):
//!
//! | | |
//! |---|---|
//! | `/azldev-gen/script/` | the working folder: the script, and its `inputs` beside it by their names |
//! | `/azldev-gen/output/`, also `$1` | empty: what it leaves there is packed into an archive, as the end of `filename` says |
//!
//! The archive depends on names, contents, modes and links alone: sorted, one time, no owner. Two things are ours: if the
//! script leaves one file that has the name of the source file, that is taken as it is; and there is never a network,
//! which azldev gives: what a script needs are its `packages` and `inputs`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lazuli_catalog::{ComponentName, ResolvedSourceFile, SourceOrigin};
use lazuli_sandbox::{Access, Bind, Network, Options, run_in_root};

use crate::archive::pack_folder;
use crate::provider::ProviderError;
use crate::source_tree::{Content, TreeError};

/// Where the script and its inputs are.
const SCRIPT_FOLDER: &str = "/azldev-gen/script";
/// Where the script leaves what it makes.
const OUTPUT_FOLDER: &str = "/azldev-gen/output";
/// How long a script may run.
const MAX_TIME: Duration = Duration::from_secs(1800);
/// How much of what a script wrote an error has, in bytes from the end.
const SHOWN: usize = 2000;

/// A script to run.
#[derive(Debug, Clone)]
pub struct ScriptRequest {
    /// The component that the file is of.
    pub component: ComponentName,
    /// The name of the source file that it makes.
    pub filename: String,
    /// The script's name.
    pub name: String,
    /// The script.
    pub script: Vec<u8>,
    /// The packages that it needs.
    pub packages: Vec<String>,
    /// What it reads, by name.
    pub inputs: BTreeMap<String, Content>,
}

/// Runs scripts that make source files.
pub trait ScriptRunner: Sync {
    /// A folder in which it may make folders to work in.
    fn folder(&self) -> &Path;

    /// Runs the script in `work/script`, with what it finds there; what it makes is in `work/output` afterwards.
    ///
    /// # Errors
    /// There is nowhere to run it, or it failed.
    fn run(&self, request: &ScriptRequest, work: &Path) -> Result<(), ProviderError>;
}

/// Runs scripts in a root tree that is there, in the sandbox. The caller sees to it that the root has the packages that
/// they need, and is root of the machine or of a namespace (`lazuli_sandbox::enter`).
#[derive(Debug, Clone)]
pub struct RootRunner {
    /// The root.
    pub root: PathBuf,
    /// A folder of the machine in which it may make folders to work in.
    pub folder: PathBuf,
}

impl ScriptRunner for RootRunner {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn run(&self, request: &ScriptRequest, work: &Path) -> Result<(), ProviderError> {
        let bind = |folder: &str, target: &str| Bind {
            source: work.join(folder),
            target: PathBuf::from(target),
            access: Access::ReadWrite,
        };
        let options = Options {
            network: Network::None,
            timeout: MAX_TIME,
            binds: vec![bind("script", SCRIPT_FOLDER), bind("output", OUTPUT_FOLDER)],
            working_directory: PathBuf::from(SCRIPT_FOLDER),
            ..Options::default()
        };
        let program = format!("{SCRIPT_FOLDER}/{}", request.name);
        let output = run_in_root(&self.root, &[program, OUTPUT_FOLDER.to_owned()], &options)?;
        if output.status.success() {
            return Ok(());
        }
        let text = [output.stdout, output.stderr].concat();
        let end = text.len().saturating_sub(SHOWN);
        let end = String::from_utf8_lossy(&text[end..]).trim().to_owned();
        Err(format!("the script {} ended with {}\n{end}", request.name, output.status).into())
    }
}

/// A source file can't be made by its script.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// There is nothing to run it in.
    #[error(
        "source file `{file}` of `{component}` is made by the script {script}, and there is no root to run it in"
    )]
    NoRunner {
        /// The component.
        component: ComponentName,
        /// The file.
        file: String,
        /// The script.
        script: String,
    },
    /// What it reads is nowhere.
    #[error(
        "the script {script} of `{component}` reads `{input}`, which is neither of the upstream nor an earlier source file"
    )]
    NoInput {
        /// The component.
        component: ComponentName,
        /// The script.
        script: String,
        /// What it reads.
        input: String,
    },
    /// It failed.
    #[error("failed to make source file `{file}` of `{component}`")]
    Failed {
        /// The component.
        component: ComponentName,
        /// The file.
        file: String,
        /// Why.
        source: ProviderError,
    },
    /// It made something else.
    #[error(
        "the script of source file `{file}` of `{component}` made one with the digest {found}, not {expected}"
    )]
    Mismatch {
        /// The component.
        component: ComponentName,
        /// The file.
        file: String,
        /// The digest in the configuration.
        expected: String,
        /// Its digest.
        found: String,
    },
    /// A file of the project or an input can't be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A file for it can't be written, or what it made can't be read.
    #[error("failed to use {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl ScriptError {
    /// What to do, as a line of its own after the message.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            ScriptError::NoRunner { .. } => Some(
                "give the file its `hash` and `hash-type`, and put it into the lookaside cache: then no script has to run"
                    .to_owned(),
            ),
            ScriptError::NoInput { .. } => {
                Some("`inputs` has names of the upstream's files, or of `source-files` that stand before this one".to_owned())
            }
            ScriptError::Mismatch { found, .. } => {
                Some(format!("if that is what it should be: `hash = \"{found}\"`"))
            }
            _ => None,
        }
    }
}

/// The script of a source file, if it has one: its path, packages and inputs.
pub(crate) fn script_of(file: &ResolvedSourceFile) -> Option<(&Path, &[String], Vec<&str>)> {
    match &file.origin {
        SourceOrigin::Custom {
            script,
            packages,
            inputs,
        } => {
            let inputs = inputs.iter().map(|name| name.as_str()).collect();
            Some((script, packages, inputs))
        }
        _ => None,
    }
}

/// Runs a script and gives the file that it makes.
pub(crate) fn run(runner: &dyn ScriptRunner, request: &ScriptRequest) -> Result<Vec<u8>, ScriptError> {
    let work = tempfile::tempdir_in(runner.folder()).map_err(|source| ScriptError::Io {
        path: runner.folder().to_owned(),
        source,
    })?;
    lay(request, work.path())?;
    let failed = |source| ScriptError::Failed {
        component: request.component.clone(),
        file: request.filename.clone(),
        source,
    };
    runner.run(request, work.path()).map_err(failed)?;
    let output = work.path().join("output");
    let own = output.join(&request.filename);
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| ScriptError::Io { path, source }
    };
    let count = fs::read_dir(&output).map_err(io(&output))?.count();
    let is_file = fs::symlink_metadata(&own).is_ok_and(|found| found.is_file());
    match count {
        0 => Err(failed("the script made nothing".into())),
        1 if is_file => fs::read(&own).map_err(io(&own)),
        _ => pack_folder(&output, &request.filename).map_err(|error| failed(error.into())),
    }
}

/// Puts the script and its inputs into `work/script`, and makes `work/output`.
fn lay(request: &ScriptRequest, work: &Path) -> Result<(), ScriptError> {
    let folder = work.join("script");
    let write = |name: &str, content: &[u8], mode: u32| {
        let path = folder.join(name);
        let written = fs::write(&path, content)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(mode)));
        written.map_err(|source| ScriptError::Io { path, source })
    };
    for folder in [&folder, &work.join("output")] {
        fs::create_dir(folder).map_err(|source| ScriptError::Io {
            path: folder.clone(),
            source,
        })?;
    }
    for (name, content) in &request.inputs {
        write(name, &content.read()?, 0o644)?;
    }
    write(&request.name, &request.script, 0o755)
}
