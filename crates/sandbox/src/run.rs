//! Running one program in a root tree: the caller's side.
//!
//! Everything that the new process needs is prepared here as plain C strings, since between its start and its
//! `execve` it must not allocate (other threads of the caller may have held the allocator's lock).

use crate::error::SandboxError;
use crate::options::Options;
use crate::output::Output;
use crate::plan::plan;
use crate::points::MountPoints;
use crate::session::{Running, Sink};
use std::path::Path;

/// Runs `argv` inside `root`, apart from the machine, and waits for it.
///
/// Inside there is a fresh `/proc`, a minimal `/dev`, empty `/tmp` and `/run`, and all else as it is in the root.
/// When the program ends, whatever it started is killed, and all mounts are gone; so they are when the caller is
/// killed. The caller must be root of the machine or of a namespace (see [`crate::enter`]); it may have threads.
///
/// A program that fails is no error: look at [`Output::status`]. One that does not exist is.
pub fn run_in_root(root: &Path, argv: &[String], options: &Options) -> Result<Output, SandboxError> {
    run(root, argv, options, Sink::Keep)
}

/// As [`run_in_root`], and hands on what the program writes as it comes, with [`crate::Streams::Lines`].
///
/// The sink gets each line with its end; one that is longer than 64 KiB comes in pieces, and the last one may have no
/// end. It is called on the caller's thread, and what it takes long for, the program waits for. What it gets is not
/// kept in [`Output::stdout`].
pub fn run_streaming(
    root: &Path,
    argv: &[String],
    options: &Options,
    sink: &mut dyn FnMut(&[u8]),
) -> Result<Output, SandboxError> {
    run(root, argv, options, Sink::Give(sink))
}

fn run(root: &Path, argv: &[String], options: &Options, sink: Sink<'_>) -> Result<Output, SandboxError> {
    let program = argv.first().cloned().unwrap_or_default();
    if !rustix::process::geteuid().is_root() {
        return Err(SandboxError::NotRoot {
            program,
            root: root.to_owned(),
        });
    }
    let root = root
        .canonicalize()
        .map_err(|e| SandboxError::io("opening the root", root, e))?;
    let mut plan = plan(&root, argv, options)?;
    let mut points = MountPoints::new(&root)?;
    points.make(&options.binds)?;
    let outcome = Running::start(&mut plan, options, &root, &program, sink).and_then(Running::finish);
    let removed = points.remove();
    let output = outcome?;
    removed?;
    Ok(output)
}
