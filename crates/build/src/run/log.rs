//! The log of a build: each line with the time since the beginning, compressed; and what is read out of it.

use crate::error::IoContext;
use crate::{BuildError, Event, Observer, Phase};
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The compression of logs.
const LEVEL: i32 = 3;

/// Lines that are kept for the message of a failure.
const LAST_LINES: usize = 40;

/// Longest line that is kept whole there, in bytes.
const LAST_LINE_MAX: usize = 2000;

/// Most unpackaged files that are listed.
const UNPACKAGED_MAX: usize = 1000;

/// What rpmbuild writes before the paths that are in no package.
const UNPACKAGED: &str = "Installed (but unpackaged) file(s) found:";

/// A log that is being written.
pub(super) struct Log<'a> {
    observer: &'a dyn Observer,
    path: PathBuf,
    encoder: zstd::Encoder<'static, File>,
    start: Instant,
    phase: (Phase, Instant),
    phases: Vec<(Phase, Duration)>,
    last: VecDeque<String>,
    unpackaged: Unpackaged,
    failed: Option<std::io::Error>,
}

/// The paths that rpmbuild lists, indented, behind its message.
#[derive(Default)]
struct Unpackaged {
    is_listing: bool,
    paths: Vec<String>,
}

/// What a finished log leaves.
pub(super) struct Finished {
    pub(super) phases: Vec<(Phase, Duration)>,
    pub(super) last_lines: Vec<String>,
}

impl<'a> Log<'a> {
    pub(super) fn create(
        path: &Path,
        observer: &'a dyn Observer,
        start: Instant,
    ) -> Result<Self, BuildError> {
        let file = File::create(path).doing("writing the log", path)?;
        observer.event(&Event::Phase(Phase::Buildroot));
        Ok(Self {
            observer,
            path: path.to_owned(),
            encoder: zstd::Encoder::new(file, LEVEL).doing("writing the log", path)?,
            start,
            phase: (Phase::Buildroot, start),
            phases: Vec::new(),
            last: VecDeque::new(),
            unpackaged: Unpackaged::default(),
            failed: None,
        })
    }

    /// What the build is doing.
    pub(super) fn phase(&self) -> Phase {
        self.phase.0
    }

    /// A phase begins.
    pub(super) fn begin(&mut self, phase: Phase) {
        let now = Instant::now();
        let (old, since) = std::mem::replace(&mut self.phase, (phase, now));
        self.add(old, now - since);
        self.observer.event(&Event::Phase(phase));
    }

    fn add(&mut self, phase: Phase, spent: Duration) {
        match self.phases.iter_mut().find(|(known, _)| *known == phase) {
            Some((_, total)) => *total += spent,
            None => self.phases.push((phase, spent)),
        }
    }

    /// Something that is not the build's own output.
    pub(super) fn note(&mut self, text: &str) {
        self.write(&format!("lazuli: {text}"));
        self.observer.event(&Event::Note(text));
    }

    /// A line of output, with or without its end.
    pub(super) fn line(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        if let Some(phase) = phase_of(text).filter(|phase| *phase != self.phase()) {
            self.begin(phase);
        }
        self.unpackaged.look(text);
        let at = self.write(text);
        if self.last.len() == LAST_LINES {
            self.last.pop_front();
        }
        self.last.push_back(shortened(text));
        self.observer.event(&Event::Line { at, text });
    }

    fn write(&mut self, text: &str) -> Duration {
        let at = self.start.elapsed();
        let written = writeln!(self.encoder, "[{:10.3}] {text}", at.as_secs_f64());
        // The build goes on; the error is told when the log is finished.
        self.failed = self.failed.take().or(written.err());
        at
    }

    /// Paths that rpmbuild found in no package.
    pub(super) fn unpackaged(&self) -> &[String] {
        &self.unpackaged.paths
    }

    pub(super) fn finish(mut self) -> Result<Finished, BuildError> {
        let (phase, since) = self.phase;
        self.add(phase, since.elapsed());
        if let Some(error) = self.failed {
            return Err(BuildError::io("writing the log", &self.path, error));
        }
        self.encoder
            .finish()
            .and_then(|file| file.sync_all())
            .doing("writing the log", &self.path)?;
        Ok(Finished {
            phases: self.phases,
            last_lines: self.last.into(),
        })
    }
}

impl Unpackaged {
    fn look(&mut self, line: &str) {
        if line.contains(UNPACKAGED) {
            self.is_listing = true;
            return;
        }
        let path = line.trim();
        self.is_listing &= line.starts_with(' ') && path.starts_with('/');
        // rpmbuild repeats the list in its summary at the end.
        if self.is_listing && self.paths.len() < UNPACKAGED_MAX && !self.paths.iter().any(|p| p == path) {
            self.paths.push(path.to_owned());
        }
    }
}

/// The phase that a line of rpmbuild begins.
fn phase_of(line: &str) -> Option<Phase> {
    if line.starts_with("Processing files:") || line.starts_with("Wrote: ") {
        return Some(Phase::Package);
    }
    let section = line.strip_prefix("Executing(%")?.split(')').next()?;
    Some(match section {
        "prep" => Phase::Prep,
        "generate_buildrequires" => Phase::GenerateRequirements,
        "conf" => Phase::Conf,
        "build" => Phase::Build,
        "install" => Phase::Install,
        "check" => Phase::Check,
        _ => return None,
    })
}

fn shortened(line: &str) -> String {
    if line.len() <= LAST_LINE_MAX {
        return line.to_owned();
    }
    let end = (0..=LAST_LINE_MAX).rev().find(|at| line.is_char_boundary(*at));
    format!("{}…", line.get(..end.unwrap_or(0)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Quiet;

    #[test]
    fn lines_are_kept_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.zst");
        let mut log = Log::create(&path, &Quiet, Instant::now()).unwrap();
        for line in [
            "Executing(%prep): /bin/sh -e /var/tmp/rpm-tmp.1",
            "+ cd x",
            "Executing(%build): /bin/sh",
            "bad \u{fffd} line",
            "error: Installed (but unpackaged) file(s) found:",
            "   /usr/bin/one",
            "   /usr/share/two words",
            "RPM build errors:",
            "    Installed (but unpackaged) file(s) found:",
            "   /usr/bin/one",
            "other",
            "   /usr/bin/three",
        ] {
            log.line(format!("{line}\n").as_bytes());
        }
        assert_eq!(log.phase(), Phase::Build);
        assert_eq!(log.unpackaged(), ["/usr/bin/one", "/usr/share/two words"]);
        let finished = log.finish().unwrap();
        assert_eq!(finished.last_lines.len(), 12);
        let phases: Vec<Phase> = finished.phases.iter().map(|(phase, _)| *phase).collect();
        assert_eq!(phases, [Phase::Buildroot, Phase::Prep, Phase::Build]);
        let text = String::from_utf8(zstd::decode_all(File::open(&path).unwrap()).unwrap()).unwrap();
        assert_eq!(text.lines().count(), 12);
        let first = text.lines().next().unwrap();
        assert!(
            first.starts_with("[     0.0") && first.contains("] Executing(%prep)"),
            "{first}"
        );
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let line = "ä".repeat(2000);
        let short = shortened(&line);
        assert!(short.len() <= LAST_LINE_MAX + 4 && short.ends_with('…'));
    }
}
