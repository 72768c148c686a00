//! The `git` program, hardened: it reads no one's configuration, runs no hooks, asks no questions, and speaks only the
//! protocols that are allowed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::clock::Clock;
use crate::error::SourceError;
use crate::process::{self, Input, Limits, Outcome};
use crate::settings::GitSettings;

/// Variables by which git could be led elsewhere or made to run something (git(1), "Environment Variables").
const REMOVED: [&str; 32] = [
    "GIT_DIR",
    "GIT_COMMON_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_NAMESPACE",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_SYSTEM",
    "GIT_TEMPLATE_DIR",
    "GIT_DEFAULT_HASH",
    "GIT_SSH",
    "GIT_SSH_VARIANT",
    "GIT_PROXY_COMMAND",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
    "GIT_PAGER",
    "GIT_TRACE",
    "GIT_TRACE_PACKET",
    "GIT_TRACE_CURL",
    "GIT_CURL_VERBOSE",
    "GIT_PROTOCOL",
    "GIT_SSL_NO_VERIFY",
    "LANGUAGE",
];

/// Flaws of old commits that do no harm, and that many honest repositories have (git-fsck(1), "fsck messages").
const TOLERATED: [&str; 7] = [
    "badTimezone",
    "zeroPaddedFilemode",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "missingNameBeforeEmail",
    "missingEmail",
    "badEmail",
];

/// A protocol that there is not: git is to use no network at all.
const NO_PROTOCOL: &str = "none";

/// The most bytes that git may write when it lists things.
const MAX_LISTING: u64 = 256 << 20;

/// The program with its settings.
#[derive(Debug, Clone)]
pub(super) struct Git {
    pub(super) settings: GitSettings,
    pub(super) clock: Arc<dyn Clock>,
}

impl Git {
    /// Reads from a repository; nothing is fetched, also not what is missing of a partial clone.
    pub(super) fn local(
        &self,
        repository: &Path,
        arguments: &[&str],
        input: Vec<u8>,
    ) -> Result<Outcome, SourceError> {
        let limit = self.settings.max_bytes.saturating_add(MAX_LISTING);
        let mut command = self.command(repository, NO_PROTOCOL);
        command.args(arguments);
        process::run(command, Input::Bytes(input), self.limits(limit), &*self.clock)
    }

    /// Does something over the network. `protocol` is that of the repository's address; `stdin` may carry a lock.
    pub(super) fn remote(
        &self,
        repository: &Path,
        protocol: &str,
        arguments: &[&str],
        stdin: Stdio,
    ) -> Result<Outcome, SourceError> {
        // A redirection may lead from http to https, but to nothing else.
        let allowed = match protocol {
            "http" => "http:https",
            other => other,
        };
        let mut command = self.command(repository, allowed);
        command.args(arguments);
        process::run(
            command,
            Input::Stdio(stdin),
            self.limits(MAX_LISTING),
            &*self.clock,
        )
    }

    fn limits(&self, output: u64) -> Limits {
        Limits {
            silence: self.settings.stall_time,
            time: self.settings.max_time,
            output,
        }
    }

    fn command(&self, repository: &Path, protocols: &str) -> Command {
        let settings = &self.settings;
        let mut command = Command::new(&settings.program);
        for name in REMOVED {
            command.env_remove(name);
        }
        for (name, value) in [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oServerAliveInterval=15"),
            ("GIT_ALLOW_PROTOCOL", protocols),
            // We say what is fetched: git would do so by itself whenever it misses something, and from servers that know
            // nothing of git again and again.
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_LITERAL_PATHSPECS", "1"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("LC_ALL", "C"),
        ] {
            command.env(name, value);
        }
        let slow = format!("http.lowSpeedTime={}", settings.stall_time.as_secs().max(1));
        for setting in [
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
            "core.askPass=",
            "credential.helper=",
            "safe.directory=*",
            "safe.bareRepository=all",
            "transfer.fsckObjects=true",
            "fetch.fsckObjects=true",
            "fetch.recurseSubmodules=false",
            "protocol.version=2",
            "gc.auto=0",
            "maintenance.auto=false",
            "log.showSignature=false",
            "http.lowSpeedLimit=1000",
            &slow,
        ] {
            command.args(["-c", setting]);
        }
        for flaw in TOLERATED {
            command.arg("-c").arg(format!("fetch.fsck.{flaw}=warn"));
        }
        if let Some(proxy) = &settings.proxy {
            command.arg("-c").arg(format!("http.proxy={proxy}"));
        }
        command.arg("--git-dir").arg(repository);
        command
    }
}
