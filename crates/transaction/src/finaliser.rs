//! Finalisers: what must be computed over the whole root, such as `ld.so.cache`, once after each change of its inputs.
//!
//! Packages declare them in `/usr/lib/lazuli/finalisers.d/NAME.toml`. They run in the sandbox, in the order of their numbers;
//! those with the same number run at the same time, and must not depend on each other.

use crate::scriptlet::shown;
use crate::{Clock, Progress, Root, Step, TransactionError};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use rayon::prelude::*;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Where packages declare them.
pub(crate) const FOLDER: &str = "/usr/lib/lazuli/finalisers.d";

/// Most finalisers of one root.
const MAX_FINALISERS: usize = 1000;

/// The file's schema.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Schema {
    /// For people.
    #[allow(dead_code)]
    description: String,
    /// Globs of absolute paths; `**` crosses folders, `*` does not.
    watch: Vec<String>,
    /// Program and arguments.
    run: Vec<String>,
    /// What it makes: absolute paths.
    #[serde(default)]
    outputs: Vec<String>,
    /// When it runs among others.
    #[serde(default)]
    order: i64,
}

#[derive(Debug)]
struct Finaliser {
    name: String,
    path: String,
    watch: GlobSet,
    run: Vec<String>,
    outputs: Vec<String>,
    order: i64,
}

impl Finaliser {
    fn parse(name: String, path: String, text: &str) -> Result<Self, TransactionError> {
        let fail = |line: usize, reason: String| TransactionError::Declaration {
            file: path.clone(),
            line,
            reason,
        };
        let schema: Schema = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                1 + text.get(..span.start).unwrap_or("").matches('\n').count()
            });
            fail(line, error.message().to_owned())
        })?;
        if schema.run.is_empty() {
            return Err(fail(1, "`run` is empty".to_owned()));
        }
        let mut watch = GlobSetBuilder::new();
        for pattern in &schema.watch {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            watch.add(glob.map_err(|error| fail(1, format!("`{pattern}` is no glob: {}", error.kind())))?);
        }
        let watch = watch.build().map_err(|error| fail(1, error.to_string()))?;
        Ok(Self {
            name,
            watch,
            run: schema.run,
            outputs: schema.outputs,
            order: schema.order,
            path,
        })
    }

    /// Whether something that it depends on was touched.
    fn is_due(&self, touched: &BTreeSet<Vec<u8>>) -> bool {
        touched.contains(self.path.as_bytes())
            || touched
                .iter()
                .any(|path| self.watch.is_match(Path::new(OsStr::from_bytes(path))))
    }
}

/// What became of the finalisers.
#[derive(Debug, Default)]
pub(crate) struct Finalised {
    /// Names of those that ran.
    pub(crate) ran: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// Runs those finalisers whose inputs are among the touched paths.
pub(crate) fn run(
    root: &Root,
    touched: &mut BTreeSet<Vec<u8>>,
    clock: Clock,
    timeout: Duration,
    progress: &dyn Progress,
) -> Result<Finalised, TransactionError> {
    let mut all = Vec::new();
    for name in root.list(FOLDER.as_bytes())?.into_iter().take(MAX_FINALISERS) {
        let name = crate::root::text(&name);
        let path = format!("{FOLDER}/{name}");
        if let Some(stem) = name.strip_suffix(".toml")
            && let Some(text) = root.read_text(&path)?
        {
            all.push(Finaliser::parse(stem.to_owned(), path, &text)?);
        }
    }
    all.sort_by(|left, right| (left.order, &left.name).cmp(&(right.order, &right.name)));
    let mut done = Finalised::default();
    let (total, mut finished) = (all.len(), 0);
    for group in all.chunk_by(|left, right| left.order == right.order) {
        let due: Vec<&Finaliser> = group
            .iter()
            .filter(|finaliser| finaliser.is_due(touched))
            .collect();
        // Those of one order do not depend on each other.
        let results: Vec<Result<Vec<String>, TransactionError>> = due
            .par_iter()
            .with_max_len(1)
            .map(|finaliser| run_one(root, finaliser, clock, timeout))
            .collect();
        for (finaliser, result) in due.iter().zip(results) {
            done.notes.extend(result?);
            done.ran.push(finaliser.name.clone());
            // What it made may be what a later one watches.
            touched.extend(finaliser.outputs.iter().map(|output| output.clone().into_bytes()));
        }
        finished += group.len();
        progress.advanced(Step::Finalise, finished, total);
    }
    Ok(done)
}

/// Answers what the user should know.
fn run_one(
    root: &Root,
    finaliser: &Finaliser,
    clock: Clock,
    timeout: Duration,
) -> Result<Vec<String>, TransactionError> {
    let options = lazuli_sandbox::Options {
        timeout,
        environment: vec![("SOURCE_DATE_EPOCH".to_owned(), clock.seconds().to_string())],
        ..lazuli_sandbox::Options::default()
    };
    let fail = |status: String, stderr: String| TransactionError::Finaliser {
        name: finaliser.name.clone(),
        status,
        stderr,
    };
    let output = match lazuli_sandbox::run_in_root(root.path(), &finaliser.run, &options) {
        Ok(output) => output,
        Err(error @ lazuli_sandbox::SandboxError::Setup { .. }) => {
            return Err(fail("it could not be started".to_owned(), error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    if !output.status.success() {
        let words = shown(&output.stdout, &output.stderr);
        return Err(fail(
            output.status.to_string(),
            words.trim_start_matches(": ").to_owned(),
        ));
    }
    for path in &finaliser.outputs {
        // Made now, it would have the time of now; the same root is to have the same bytes.
        root.set_time(path.as_bytes(), clock.seconds())?;
    }
    Ok(output
        .notes
        .iter()
        .map(|note| format!("finaliser {}: {note}", finaliser.name))
        .collect())
}
