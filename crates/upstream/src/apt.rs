//! The machine's apt with folders of our own (apt.conf(5), sources.list(5), apt-helper).

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::UpstreamError;
use crate::settings::Settings;
use crate::source::SourceFiles;

/// apt's program for downloads by address, where every Debian has it.
const APT_HELPER: &str = "/usr/lib/apt/apt-helper";

/// How much of apt's standard error is kept, in bytes.
const MAX_MESSAGE: u64 = 64 << 10;

/// The longest output of apt that is taken, in bytes.
const MAX_OUTPUT: u64 = 256 << 20;

/// apt with a private configuration.
#[derive(Debug, Clone)]
pub(crate) struct Apt {
    folder: PathBuf,
    configuration: PathBuf,
    kind: ListKind,
}

/// Which lists of an archive are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// `Packages`: the binary packages of an architecture.
    Binary,
    /// `Sources`: the source packages.
    Source,
}

impl ListKind {
    /// The name of a list in `InRelease`.
    pub(crate) fn key(self, component: &str, architecture: &str) -> String {
        match self {
            Self::Binary => format!("{component}/binary-{architecture}/Packages"),
            Self::Source => format!("{component}/source/Sources"),
        }
    }

    /// What apt calls it (sources.list(5), "Created-By" and "target").
    fn target(self) -> &'static str {
        match self {
            Self::Binary => "Packages",
            Self::Source => "Sources",
        }
    }
}

/// A suite and the address of the archive that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) suite: lazuli_catalog::SuiteName,
    /// Without a slash at the end.
    pub(crate) uri: String,
}

/// A file that apt has fetched or will fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackagesList {
    /// The address of the suite: `…/dists/trixie/`.
    pub(crate) base_uri: String,
    /// The name of the list in `InRelease`: `main/binary-amd64/Packages`.
    pub(crate) key: String,
    /// The file on disk.
    pub(crate) path: PathBuf,
}

/// One file to download.
#[derive(Debug, Clone)]
pub(crate) struct Download {
    pub(crate) uri: String,
    pub(crate) target: PathBuf,
    pub(crate) sha256: lazuli_deb::Sha256Digest,
}

/// How a program of apt ended.
struct Outcome {
    success: bool,
    stdout: String,
    message: String,
}

impl Apt {
    /// Writes the private configuration below `folder`.
    pub(crate) fn prepare(
        folder: &Path,
        settings: &Settings,
        sites: &[Site],
        kind: ListKind,
    ) -> Result<Self, UpstreamError> {
        let apt = Self {
            folder: folder.to_owned(),
            configuration: folder.join("apt.conf"),
            kind,
        };
        for name in ["state/lists/partial", "cache/archives/partial", "trusted"] {
            let path = folder.join(name);
            std::fs::create_dir_all(&path).map_err(UpstreamError::io("make the folder", &path))?;
        }
        let keyring =
            std::fs::read(&settings.keyring).map_err(UpstreamError::io("read", &settings.keyring))?;
        // apt tells the two forms of a keyring by the name.
        let (name, other) = match keyring.starts_with(b"-----BEGIN PGP") {
            true => ("archive.asc", "archive.gpg"),
            false => ("archive.gpg", "archive.asc"),
        };
        let stale = folder.join("trusted").join(other);
        match std::fs::remove_file(&stale) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(UpstreamError::io("remove", &stale)(error));
            }
            _ => {}
        }
        write(&folder.join("trusted").join(name), &keyring)?;
        write(&folder.join("state/status"), b"")?;
        write(
            &folder.join("sources.list"),
            sources(settings, sites, kind)?.as_bytes(),
        )?;
        write(&apt.configuration, configuration(folder, settings)?.as_bytes())?;
        Ok(apt)
    }

    /// `apt-get update`; `progress` gets values from 0 to 1.
    pub(crate) fn update(&self, progress: &mut dyn FnMut(f32)) -> Result<(), UpstreamError> {
        let mut command = self.command("apt-get");
        command.args(["-qq", "-o", "APT::Status-Fd=1", "update"]);
        let outcome = run(command, progress)?;
        outcome.success("fetch the lists of the archive").map(drop)
    }

    /// The addresses of the `InRelease` files of the sources, and the files on disk that have them.
    pub(crate) fn releases(&self) -> Result<Vec<(String, PathBuf)>, UpstreamError> {
        let mut command = self.command("apt-get");
        command.args(["-q", "update", "--print-uris"]);
        let output = run(command, &mut |_| ())?.success("name its lists")?;
        let lists = self.folder.join("state/lists");
        let releases = release_uris(&output).map(|(uri, file)| (uri.to_owned(), lists.join(file)));
        Ok(releases.collect())
    }

    /// The lists of packages that are on disk.
    pub(crate) fn packages_lists(&self) -> Result<Vec<PackagesList>, UpstreamError> {
        let mut command = self.command("apt-get");
        command.args([
            "indextargets",
            "--format",
            "$(BASE_URI)\t$(METAKEY)\t$(FILENAME)",
            &format!("Created-By: {}", self.kind.target()),
        ]);
        let output = run(command, &mut |_| ())?.success("name its lists")?;
        let mut lists = Vec::new();
        for line in output.lines() {
            let mut fields = line.split('\t');
            if let (Some(base_uri), Some(key), Some(path)) = (fields.next(), fields.next(), fields.next()) {
                lists.push(PackagesList {
                    base_uri: base_uri.to_owned(),
                    key: key.to_owned(),
                    path: path.into(),
                });
            }
        }
        Ok(lists)
    }

    /// Reads a list, however apt keeps it.
    pub(crate) fn read_list(&self, path: &Path) -> Result<Vec<u8>, UpstreamError> {
        // We ask apt to keep lists as they are, but a `file:` mirror may have them compressed only.
        if path.extension().is_none() || !is_compressed(path) {
            return std::fs::read(path).map_err(UpstreamError::io("read", path));
        }
        let mut command = self.command(APT_HELPER);
        command.arg("cat-file").arg(path);
        run(command, &mut |_| ())?
            .success("read a list")
            .map(String::into_bytes)
    }

    /// Downloads files in parallel. Not all of them need be there afterwards: the caller looks. Gives what apt said.
    pub(crate) fn download(
        &self,
        files: &[Download],
        progress: &mut dyn FnMut(f32),
    ) -> Result<String, UpstreamError> {
        let mut command = self.command(APT_HELPER);
        command.args(["-qq", "-o", "APT::Status-Fd=1", "download-file"]);
        for Download { uri, target, sha256 } in files {
            command.arg(uri).arg(target).arg(format!("SHA256:{sha256}"));
        }
        Ok(run(command, progress)?.message)
    }

    /// Fetches files of a source package, `NAME=VERSION`, into a folder; `file:` mirrors give links to their files.
    pub(crate) fn fetch_source(
        &self,
        package: &str,
        files: SourceFiles,
        into: &Path,
        progress: &mut dyn FnMut(f32),
    ) -> Result<(), UpstreamError> {
        let mut command = self.command("apt-get");
        command.current_dir(into);
        command.args([
            "-qq",
            "-o",
            "APT::Status-Fd=1",
            "source",
            "--download-only",
            "--only-source",
        ]);
        if files == SourceFiles::Pristine {
            command.arg("--tar-only");
        }
        command.arg(package);
        run(command, progress)?
            .success("fetch a source package")
            .map(drop)
    }

    /// A program of apt with our configuration, which is read after all others.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("-c").arg(&self.configuration);
        command
    }
}

/// The `InRelease` files of the machine's own sources: their addresses.
pub(crate) fn machine_releases() -> Result<Vec<String>, UpstreamError> {
    let mut command = Command::new("apt-get");
    command.args(["-q", "update", "--print-uris"]);
    let output = run(command, &mut |_| ())?.success("name the machine's sources")?;
    Ok(release_uris(&output).map(|(uri, _)| uri.to_owned()).collect())
}

/// Picks the `InRelease` lines of `apt-get update --print-uris`: `'URI' FILE SIZE HASH`.
fn release_uris(output: &str) -> impl Iterator<Item = (&str, &str)> {
    output.lines().filter_map(|line| {
        let (uri, rest) = line.strip_prefix('\'')?.split_once("' ")?;
        uri.ends_with("/InRelease")
            .then_some((uri, rest.split(' ').next()?))
    })
}

fn is_compressed(path: &Path) -> bool {
    ["gz", "xz", "lz4", "zst", "bz2", "lzma"]
        .iter()
        .any(|end| path.extension().is_some_and(|e| e == *end))
}

/// sources.list: one line for each suite, and of each nothing but the list of packages.
fn sources(settings: &Settings, sites: &[Site], kind: ListKind) -> Result<String, UpstreamError> {
    let mut text = String::new();
    let components: Vec<&str> = settings.components.iter().map(AsRef::as_ref).collect();
    for Site { suite, uri } in sites {
        if uri.is_empty()
            || uri.contains(|c: char| c.is_whitespace() || c.is_control() || "[]'\"".contains(c))
        {
            let reason = format!("`{uri}` is no address of a mirror");
            return Err(UpstreamError::Settings { reason });
        }
        let components = components.join(" ");
        let _ = match kind {
            ListKind::Binary => {
                let architecture = &settings.architecture;
                writeln!(
                    text,
                    "deb [arch={architecture} target=Packages] {uri}/ {suite} {components}"
                )
            }
            ListKind::Source => writeln!(text, "deb-src [target=Sources] {uri}/ {suite} {components}"),
        };
    }
    Ok(text)
}

/// apt.conf: our folders instead of the machine's, and nothing that acts on the machine.
fn configuration(folder: &Path, settings: &Settings) -> Result<String, UpstreamError> {
    let folder = folder.to_str().filter(|path| !path.contains(['"', '\n', '\\']));
    let folder = folder.ok_or_else(|| UpstreamError::Settings {
        reason: "the path of the cache folder has a quotation mark, a backslash, a line feed, or is no text"
            .to_owned(),
    })?;
    let mut text = String::new();
    // Hooks of the machine: they are for its own packages.
    for hook in [
        "APT::Update::Pre-Invoke",
        "APT::Update::Post-Invoke",
        "APT::Update::Post-Invoke-Success",
        "DPkg::Pre-Invoke",
        "DPkg::Post-Invoke",
        "DPkg::Pre-Install-Pkgs",
        "APT::Architectures",
    ] {
        let _ = writeln!(text, "#clear {hook};");
    }
    for (key, path) in [
        ("Dir::State", "state"),
        ("Dir::State::lists", "state/lists"),
        ("Dir::State::status", "state/status"),
        ("Dir::State::extended_states", "state/extended_states"),
        ("Dir::Cache", "cache"),
        ("Dir::Cache::archives", "cache/archives"),
        ("Dir::Etc::sourcelist", "sources.list"),
        ("Dir::Etc::sourceparts", "none"),
        ("Dir::Etc::preferences", "none"),
        ("Dir::Etc::preferencesparts", "none"),
        ("Dir::Etc::trusted", "none"),
        ("Dir::Etc::trustedparts", "trusted"),
    ] {
        let _ = writeln!(text, "{key} \"{folder}/{path}\";");
    }
    let architecture = &settings.architecture;
    for (key, value) in [
        ("Dir::Cache::pkgcache", ""),
        ("Dir::Cache::srcpkgcache", ""),
        // Whoever we are owns the folders; `_apt` may not even be able to reach them.
        ("APT::Sandbox::User", "root"),
        ("APT::Architecture", architecture.as_str()),
        ("APT::Architectures::", architecture.as_str()),
        // Half an update is none.
        ("APT::Update::Error-Mode", "any"),
        ("Acquire::Languages", "none"),
        ("Acquire::GzipIndexes", "false"),
        // We judge validity ourselves, after the settings.
        ("Acquire::Check-Valid-Until", "false"),
        ("Acquire::AllowInsecureRepositories", "false"),
        ("Acquire::AllowWeakRepositories", "false"),
        ("Acquire::AllowDowngradeToInsecureRepositories", "false"),
        ("Acquire::Retries", "3"),
    ] {
        let _ = writeln!(text, "{key} \"{value}\";");
    }
    Ok(text)
}

fn write(path: &Path, content: &[u8]) -> Result<(), UpstreamError> {
    if std::fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    lazuli_durable::write(path, content).map_err(UpstreamError::io("write", path))
}

impl Outcome {
    fn success(self, action: &'static str) -> Result<String, UpstreamError> {
        match self.success {
            true => Ok(self.stdout),
            false => Err(UpstreamError::Apt {
                action,
                message: self.message,
            }),
        }
    }
}

/// Runs a program to its end. Lines of apt's status protocol go to `progress`, everything else of its standard output
/// is kept, and so is its standard error.
fn run(mut command: Command, progress: &mut dyn FnMut(f32)) -> Result<Outcome, UpstreamError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let no_apt = |source| UpstreamError::NoApt {
        program: program.clone(),
        source,
    };
    // Messages in the language that we read, and no question is ever asked.
    command
        .env("LC_ALL", "C.UTF-8")
        .env("DEBIAN_FRONTEND", "noninteractive");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(no_apt)?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(no_apt(std::io::Error::other("it has no output")));
    };
    let errors = std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut stderr = stderr;
        // What does not fit is read all the same, so that the program never waits for us.
        let _ = (&mut stderr).take(MAX_MESSAGE).read_to_end(&mut kept);
        let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        String::from_utf8_lossy(&kept).into_owned()
    });
    let mut kept = String::new();
    let mut reader = BufReader::new(stdout.take(MAX_OUTPUT));
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(no_apt)? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        match status_fraction(&text) {
            Some(fraction) => progress(fraction),
            None => kept.push_str(&text),
        }
    }
    drop(reader);
    let status = child.wait().map_err(no_apt)?;
    let message = errors.join().unwrap_or_default().trim().to_owned();
    let message = if message.is_empty() {
        format!("{program} ended with {status}")
    } else {
        message
    };
    Ok(Outcome {
        success: status.success(),
        stdout: kept,
        message,
    })
}

/// `dlstatus:ITEM:PERCENT:TEXT` (apt's README.progress-reporting).
fn status_fraction(line: &str) -> Option<f32> {
    let percent: f32 = line.strip_prefix("dlstatus:")?.split(':').nth(1)?.parse().ok()?;
    Some((percent / 100.0).clamp(0.0, 1.0))
}
