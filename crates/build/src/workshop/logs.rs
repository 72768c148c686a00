//! The logs of the last builds, compressed, by component and time.

use super::error::WorkshopError;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Logs that are kept of each component.
const KEPT_MAX: usize = 10;
/// Builds of one component that may end in one second.
const NAMES_MAX: usize = 100;
/// Largest log that is read at once, unpacked.
const LOG_SIZE_MAX: u64 = 1 << 30;
/// What names of logs end with.
const SUFFIX: &str = ".log.zst";

/// Keeps logs.
#[derive(Debug, Clone)]
pub struct Logs {
    folder: PathBuf,
}

impl Logs {
    /// Logs below a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Keeps a log that was just written, and forgets the oldest. Says where it is.
    pub fn keep(&self, component: &str, log: &Path, time: SystemTime) -> Result<PathBuf, WorkshopError> {
        let folder = self.folder.join(component);
        std::fs::create_dir_all(&folder).map_err(WorkshopError::io("make folder", &folder))?;
        let name = name(time);
        let target = (0..NAMES_MAX)
            .map(|number| folder.join(format!("{name}-{number:02}{SUFFIX}")))
            .find(|path| !path.exists())
            .unwrap_or_else(|| folder.join(format!("{name}-00{SUFFIX}")));
        std::fs::copy(log, &target).map_err(WorkshopError::io("write", &target))?;
        for old in self.all(component)?.iter().rev().skip(KEPT_MAX) {
            std::fs::remove_file(old).map_err(WorkshopError::io("remove", old))?;
        }
        Ok(target)
    }

    /// The logs of a component, the oldest first.
    pub fn all(&self, component: &str) -> Result<Vec<PathBuf>, WorkshopError> {
        let folder = self.folder.join(component);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(WorkshopError::io("read folder", folder)(error)),
        };
        let mut logs: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().ends_with(SUFFIX))
            .collect();
        // Names are times: they sort by age.
        logs.sort();
        Ok(logs)
    }
}

/// `20261201T153000Z`.
fn name(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.strftime("%Y%m%dT%H%M%SZ").to_string(),
        Err(_) => "unknown-time".to_owned(),
    }
}

/// Unpacks a log.
pub fn read_log(path: &Path) -> Result<String, WorkshopError> {
    let file = std::fs::File::open(path).map_err(WorkshopError::io("open", path))?;
    let mut bytes = Vec::new();
    zstd::stream::read::Decoder::new(file)
        .and_then(|reader| reader.take(LOG_SIZE_MAX).read_to_end(&mut bytes))
        .map_err(WorkshopError::io("unpack", path))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_last_ones_are_kept_in_order() {
        let dir = tempfile::tempdir().expect("a folder");
        let log = dir.path().join("log");
        let logs = Logs::new(dir.path().join("logs"));
        for second in 0..KEPT_MAX as u64 + 3 {
            let packed = zstd::encode_all(format!("build {second}\n").as_bytes(), 3).expect("packed");
            std::fs::write(&log, packed).expect("written");
            // Two in each second.
            let time = UNIX_EPOCH + Duration::from_secs(1_800_000_000 + second / 2);
            logs.keep("zlib", &log, time).expect("kept");
        }
        let all = logs.all("zlib").expect("listed");
        let texts: Vec<String> = all.iter().map(|path| read_log(path).expect("read")).collect();
        let expected: Vec<String> = (3..KEPT_MAX as u64 + 3)
            .map(|second| format!("build {second}\n"))
            .collect();
        assert_eq!(texts, expected);
        assert!(
            all[0].ends_with("zlib/20270115T080001Z-01.log.zst"),
            "{}",
            all[0].display()
        );
        assert_eq!(logs.all("other").expect("listed"), Vec::<PathBuf>::new());
    }
}
