//! A guest that runs in the background.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::emulator::POLL;
use super::{Console, GuestSettings, prepare};
use crate::{Error, Result};

pub(super) const CONSOLE_LOG: &str = "console.log";
pub(super) const CONSOLE_SOCKET: &str = "console.socket";
pub(super) const CONTROL_SOCKET: &str = "control.socket";
pub(super) const MESSAGES: &str = "qemu.log";
/// How many lines of the console an error shows.
const TAIL_LINES: usize = 25;
/// How long QEMU may take to open its sockets, and to answer on them.
const CONTROL_LIMIT: Duration = Duration::from_secs(10);
/// Within how many seconds ssh must be connected, as it counts itself.
const SSH_CONNECT: &str = "ConnectTimeout=20";

/// What a command in the guest gave.
#[derive(Debug, Clone)]
pub struct SshOutput {
    /// Its exit code; 255 where ssh itself failed, `None` where a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl SshOutput {
    /// Whether it ended well.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }
}

/// A running guest. Dropped, it is ended at once and its temporary files go away.
#[derive(Debug)]
pub struct Guest {
    child: Child,
    folder: tempfile::TempDir,
    ports: Vec<(u16, u16)>,
    user: String,
    private_key: Option<PathBuf>,
    /// How much of the console's log earlier waits have seen.
    seen: usize,
}

impl Guest {
    /// Starts a guest and returns at once.
    pub fn start(settings: &GuestSettings) -> Result<Self> {
        let mut prepared = prepare(settings, Console::Files)?;
        let child = prepared.command.spawn().map_err(|e| Error::Emulator {
            program: prepared.command.get_program().to_string_lossy().into_owned(),
            problem: format!("cannot be run: {e}"),
        })?;
        Ok(Self {
            child,
            folder: prepared.folder,
            ports: prepared.ports,
            user: settings.user.clone(),
            private_key: settings.private_key.clone(),
            seen: 0,
        })
    }

    /// The process id of the virtual machine.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The host's port of the guest's ssh.
    pub fn ssh_port(&self) -> u16 {
        self.port(22).unwrap_or(0)
    }

    /// The host's port of a forwarded port of the guest.
    pub fn port(&self, guest: u16) -> Option<u16> {
        self.ports
            .iter()
            .find(|(g, _)| *g == guest)
            .map(|(_, host)| *host)
    }

    /// The file into which the serial console is written.
    pub fn console_log(&self) -> PathBuf {
        self.folder.path().join(CONSOLE_LOG)
    }

    /// All of the serial console so far; what is not UTF-8 is replaced.
    pub fn console(&self) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut file) = File::open(self.console_log()) {
            let _ = file.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until the console has printed `text`, after what the last wait found. Gives how long that took.
    pub fn wait_for(&mut self, text: &str, limit: Duration) -> Result<Duration> {
        let start = Instant::now();
        let mut bytes: Vec<u8> = Vec::new();
        let log = self.console_log();
        let base = self.seen;
        loop {
            // What is read must include what was printed before the end: ask for the end first.
            let ended = self.exit_status();
            if let Ok(mut file) = File::open(&log)
                && file.seek(SeekFrom::Start((base + bytes.len()) as u64)).is_ok()
            {
                let _ = file.read_to_end(&mut bytes);
            }
            if let Some(at) = find(&bytes, text.as_bytes()) {
                self.seen = base + at + text.len();
                return Ok(start.elapsed());
            }
            if let Some(status) = ended {
                return Err(self.ended(status, format!("waiting for `{text}`")));
            }
            if start.elapsed() > limit {
                return Err(Error::GuestTimeout {
                    pattern: text.to_owned(),
                    seconds: limit.as_secs(),
                    tail: self.tail(),
                });
            }
            std::thread::sleep(POLL);
        }
    }

    /// Types on the serial console.
    pub fn type_text(&mut self, text: &str) -> Result<()> {
        let path = self.folder.path().join(CONSOLE_SOCKET);
        let mut socket = connect(&path)?;
        socket
            .write_all(text.as_bytes())
            .map_err(|e| Error::io("write to", &path, e))
    }

    /// Waits until a login by ssh works.
    pub fn wait_for_ssh(&mut self, limit: Duration) -> Result<Duration> {
        let start = Instant::now();
        loop {
            if self.ssh("true")?.success() {
                return Ok(start.elapsed());
            }
            if let Some(status) = self.exit_status() {
                return Err(self.ended(status, "waiting for ssh".to_owned()));
            }
            if start.elapsed() > limit {
                return Err(Error::GuestTimeout {
                    pattern: "a login by ssh".to_owned(),
                    seconds: limit.as_secs(),
                    tail: self.tail(),
                });
            }
            std::thread::sleep(POLL * 10);
        }
    }

    /// Runs a command in the guest by ssh, as the settings' user.
    pub fn ssh(&self, command: &str) -> Result<SshOutput> {
        self.ssh_as(&self.user, self.private_key.as_deref(), command)
    }

    /// Runs a command in the guest by ssh, as a user and with a private key.
    pub fn ssh_as(&self, user: &str, key: Option<&Path>, command: &str) -> Result<SshOutput> {
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "none", "-q", "-p", &self.ssh_port().to_string()]);
        for option in [
            "BatchMode=yes",
            SSH_CONNECT,
            "ServerAliveInterval=20",
            "ServerAliveCountMax=6",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
        ] {
            ssh.args(["-o", option]);
        }
        if let Some(key) = key {
            ssh.args(["-o", "IdentitiesOnly=yes", "-i"]).arg(key);
        }
        let output = ssh
            .arg(format!("{user}@127.0.0.1"))
            .arg(command)
            .stdin(Stdio::null())
            .output()
            .map_err(|e| Error::io("run", Path::new("ssh"), e))?;
        Ok(SshOutput {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Asks the guest to power off, as with its button, and waits until it is off.
    pub fn power_off(&mut self, limit: Duration) -> Result<()> {
        self.control("system_powerdown")?;
        self.wait_for_end(limit, "powering off")
    }

    /// Ends the guest as a power failure would, with no word to it.
    pub fn cut_power(&mut self) -> Result<()> {
        let image = self.folder.path().to_owned();
        self.child
            .kill()
            .and_then(|()| self.child.wait())
            .map_err(|e| Error::io("end the guest of", &image, e))?;
        Ok(())
    }

    /// Waits until the guest has ended by itself.
    pub fn wait_for_end(&mut self, limit: Duration, doing: &str) -> Result<()> {
        let start = Instant::now();
        loop {
            match self.exit_status() {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.ended(status, doing.to_owned())),
                None if start.elapsed() > limit => {
                    return Err(Error::GuestTimeout {
                        pattern: format!("its end ({doing})"),
                        seconds: limit.as_secs(),
                        tail: self.tail(),
                    });
                }
                None => std::thread::sleep(POLL),
            }
        }
    }

    /// Runs a command of QEMU's control protocol (QMP): capabilities first, then the command.
    fn control(&self, command: &str) -> Result<()> {
        let path = self.folder.path().join(CONTROL_SOCKET);
        let fault = |e| Error::io("speak with QEMU on", &path, e);
        let socket = connect(&path)?;
        socket.set_read_timeout(Some(CONTROL_LIMIT)).map_err(fault)?;
        let mut lines = BufReader::new(&socket);
        let mut line = String::new();
        lines.read_line(&mut line).map_err(fault)?;
        for command in ["qmp_capabilities", command] {
            let text = format!("{}\n", serde_json::json!({ "execute": command }));
            (&socket).write_all(text.as_bytes()).map_err(fault)?;
            // Events may come between a command and its answer.
            loop {
                line.clear();
                if lines.read_line(&mut line).map_err(fault)? == 0 || line.contains("\"return\"") {
                    break;
                }
                if line.contains("\"error\"") {
                    return Err(fault(std::io::Error::other(line)));
                }
            }
        }
        Ok(())
    }

    fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    fn ended(&self, status: ExitStatus, waiting: String) -> Error {
        Error::GuestEnded {
            status: status.to_string(),
            waiting,
            tail: self.tail(),
        }
    }

    /// The last lines of the console, and what QEMU itself said.
    fn tail(&self) -> String {
        let console = self.console();
        let lines: Vec<&str> = console
            .lines()
            .map(|l| l.trim_end_matches('\r'))
            .filter(|l| !l.is_empty())
            .collect();
        let mut tail = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
        if let Ok(messages) = std::fs::read_to_string(self.folder.path().join(MESSAGES)) {
            for line in messages.lines() {
                tail += &format!("\nqemu: {line}");
            }
        }
        tail
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Connects to a socket that QEMU may just be about to open.
fn connect(path: &Path) -> Result<UnixStream> {
    let start = Instant::now();
    loop {
        match UnixStream::connect(path) {
            Ok(socket) => return Ok(socket),
            Err(e) if start.elapsed() > CONTROL_LIMIT => return Err(Error::io("connect to", path, e)),
            Err(_) => std::thread::sleep(POLL),
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len().max(1))
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found() {
        assert_eq!(find(b"a login: b", b"login:"), Some(2));
        assert_eq!(find(b"login", b"login:"), None);
    }
}
