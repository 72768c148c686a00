//! Objects by their ids, from one `git cat-file --batch` that stays open.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use super::{GitError, GitRepository, not_understood};

/// Largest object that is read, in bytes.
const MAX_OBJECT: u64 = 1 << 30;

/// A running `git cat-file --batch`. Requests take turns.
#[derive(Debug)]
pub(crate) struct Objects {
    repository: GitRepository,
    process: Mutex<Process>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    pub(super) fn start(repository: &GitRepository) -> Result<Objects, GitError> {
        let failed = |source| GitError::Run {
            folder: repository.folder().to_owned(),
            source,
        };
        let mut command = repository.command();
        command.args(["cat-file", "--batch"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(failed)?;
        let (requests, answers) = (child.stdin.take(), child.stdout.take());
        let answers = answers.ok_or_else(|| not_understood("cat-file", "no output"))?;
        Ok(Objects {
            repository: repository.clone(),
            process: Mutex::new(Process {
                child,
                requests,
                answers: BufReader::new(answers),
            }),
        })
    }

    /// The content of an object, named by its id or as `commit:path`; nothing if there is none.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, GitError> {
        if name.contains('\n') {
            return Ok(None);
        }
        let failed = |source| GitError::Run {
            folder: self.repository.folder().to_owned(),
            source,
        };
        // A panic of another thread between request and answer would leave a stale answer: the process is then done for.
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(requests) = process.requests.as_mut() else {
            return Err(not_understood("cat-file", "it has ended"));
        };
        requests
            .write_all(format!("{name}\n").as_bytes())
            .and_then(|()| requests.flush())
            .map_err(failed)?;
        let mut header = String::new();
        process.answers.read_line(&mut header).map_err(failed)?;
        let header = header.trim_end_matches('\n');
        if header.ends_with(" missing") || header.ends_with(" ambiguous") {
            return Ok(None);
        }
        let size = header
            .rsplit_once(' ')
            .and_then(|(_, size)| size.parse::<u64>().ok());
        let size = size
            .filter(|size| *size <= MAX_OBJECT)
            .ok_or_else(|| not_understood("cat-file", header))?;
        let mut content = Vec::new();
        let answers = &mut process.answers;
        answers.take(size).read_to_end(&mut content).map_err(failed)?;
        let mut end = [0];
        answers.read_exact(&mut end).map_err(failed)?;
        Ok(Some(content))
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap_or_else(PoisonError::into_inner);
        // It ends when its input does.
        drop(process.requests.take());
        let _ = process.child.wait();
    }
}
