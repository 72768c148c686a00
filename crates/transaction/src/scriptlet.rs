//! Scriptlets of foreign packages. They run in the sandbox: the root is theirs, the machine and the network are not.

use crate::{Root, Scriptlets, TransactionError};
use lazuli_rpm::{Metadata, Scriptlet, ScriptletKind};
use lazuli_sandbox::{Access, Bind, SandboxError};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// Where a script is seen inside the root.
const SCRIPT_PATH: &str = "/.lz-scriptlet";

/// How much of a script's output goes into a message.
const MAX_SHOWN: usize = 2000;

/// Runs scriptlets.
pub(crate) struct Runner<'a> {
    pub(crate) root: &'a Root,
    pub(crate) policy: Scriptlets,
    pub(crate) timeout: Duration,
}

impl Runner<'_> {
    /// Refuses, before anything is changed, what cannot be run.
    pub(crate) fn check(&self, metadata: &Metadata) -> Result<(), TransactionError> {
        let lua = metadata
            .scriptlets
            .iter()
            .find(|s| s.interpreter.first().is_some_and(|i| i == "<lua>"));
        match lua {
            Some(scriptlet) if self.policy == Scriptlets::Run && scriptlet.kind != ScriptletKind::Verify => {
                Err(TransactionError::Lua {
                    package: metadata.nevra.to_string(),
                    kind: scriptlet.kind,
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether a package has a scriptlet that would run.
    pub(crate) fn has(&self, metadata: &Metadata, kind: ScriptletKind) -> bool {
        self.policy == Scriptlets::Run && metadata.scriptlets.iter().any(|s| s.kind == kind)
    }

    /// Runs a package's scriptlet of a kind, if it has one. `instances` is its first argument: how many packages of the
    /// name there are. Answers what the user should know; a failure before the files change is an error.
    pub(crate) fn run(
        &self,
        metadata: &Metadata,
        kind: ScriptletKind,
        instances: usize,
    ) -> Result<Option<String>, TransactionError> {
        if self.policy == Scriptlets::Skip {
            return Ok(None);
        }
        let Some(scriptlet) = metadata.scriptlets.iter().find(|s| s.kind == kind) else {
            return Ok(None);
        };
        let reason = match self.start(scriptlet, instances) {
            Ok(output) if output.status.success() => return Ok(None),
            Ok(output) => format!("{}{}", output.status, shown(&output.stdout, &output.stderr)),
            Err(TransactionError::Sandbox(error @ SandboxError::Setup { .. })) => error.to_string(),
            Err(error) => return Err(error),
        };
        let package = metadata.nevra.to_string();
        match kind {
            ScriptletKind::Pre | ScriptletKind::PreUn | ScriptletKind::PreTrans => {
                Err(TransactionError::Scriptlet {
                    package,
                    kind,
                    reason,
                })
            }
            _ => Ok(Some(format!(
                "the {kind:?} scriptlet of {package} failed: {reason}"
            ))),
        }
    }

    fn start(
        &self,
        scriptlet: &Scriptlet,
        instances: usize,
    ) -> Result<lazuli_sandbox::Output, TransactionError> {
        let mut argv = scriptlet.interpreter.clone();
        if argv.is_empty() {
            argv.push("/bin/sh".to_owned());
        }
        let mut options = lazuli_sandbox::Options {
            timeout: self.timeout,
            ..lazuli_sandbox::Options::default()
        };
        let file =
            tempfile::NamedTempFile::new().map_err(|e| TransactionError::io("making", "a script file", e))?;
        if !scriptlet.body.is_empty() {
            let fail = |e| TransactionError::io("writing", file.path(), e);
            file.as_file()
                .write_all(scriptlet.body.as_bytes())
                .map_err(fail)?;
            file.as_file()
                .set_permissions(std::fs::Permissions::from_mode(0o700))
                .map_err(fail)?;
            options.binds.push(Bind {
                source: file.path().to_owned(),
                target: SCRIPT_PATH.into(),
                access: Access::ReadOnly,
            });
            argv.push(SCRIPT_PATH.to_owned());
            argv.push(instances.to_string());
        }
        Ok(lazuli_sandbox::run_in_root(self.root.path(), &argv, &options)?)
    }
}

/// The end of what a program wrote, for a message.
pub(crate) fn shown(stdout: &[u8], stderr: &[u8]) -> String {
    let text = if stderr.is_empty() { stdout } else { stderr };
    let text = String::from_utf8_lossy(text);
    let text = text.trim();
    let start = text.len().saturating_sub(MAX_SHOWN);
    let start = (start..text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    match text.get(start..) {
        Some(end) if !end.is_empty() => format!(": {end}"),
        _ => String::new(),
    }
}
