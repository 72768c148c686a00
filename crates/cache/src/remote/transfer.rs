//! Objects on their way from and to a remote.

use super::Remote;
use crate::folder::{Hashing, object_name};
use crate::{CacheError, Entry, Notice, Object};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use lazuli_durable::Pending;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use std::fs::File;
use std::io::{self, Read, Write};

/// How much goes in one request: larger objects go in parts.
const PART: usize = 8 << 20;

/// What came of a download.
enum Came {
    /// Whole; digest and size are checked.
    Good(Pending),
    /// It is not there.
    Absent,
    /// It is not what it should be.
    Wrong(String),
    /// The local disk did not take it.
    Local(CacheError),
}

impl Remote {
    /// Brings an object into the local folder. Whether it is there then: what fails is a miss. Errors are those of the folder.
    pub(crate) async fn download(&self, object: &Object) -> Result<bool, CacheError> {
        match self.request("read from", object.size, self.receive(object)).await {
            Ok(Came::Good(pending)) => {
                self.folder.adopt(pending, &object.sha256)?;
                self.counters.downloaded.add(object.size);
                Ok(true)
            }
            Ok(Came::Wrong(found)) => {
                let error = self.wrong_bytes(object, found);
                self.refuse(error);
                Ok(false)
            }
            Ok(Came::Local(error)) => Err(error),
            // The breaker has said what there is to say.
            Ok(Came::Absent) | Err(_) => Ok(false),
        }
    }

    async fn receive(&self, object: &Object) -> object_store::Result<Came> {
        let path = self.path(&object_name(&object.sha256));
        let result = match self.store().get(&path).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(Came::Absent),
            result => result?,
        };
        let sizes = |size: u64| Ok(Came::Wrong(format!("{size} bytes, not {}", object.size)));
        if result.meta.size != object.size {
            return sizes(result.meta.size);
        }
        let mut pending = match self.folder.incoming() {
            Ok(pending) => pending,
            Err(error) => return Ok(Came::Local(error)),
        };
        let mut hashing = Hashing::default();
        let mut stream = result.into_stream();
        let mut left = object.size;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk?;
            hashing.update(&chunk);
            let Some(less) = left.checked_sub(chunk.len() as u64) else {
                return sizes(object.size + chunk.len() as u64 - left);
            };
            left = less;
            let path = pending.temporary().to_owned();
            if let Err(error) = pending.file().write_all(&chunk) {
                return Ok(Came::Local(CacheError::io("write", path)(error)));
            }
        }
        let (sha256, size) = hashing.finish();
        Ok(match (size == object.size, sha256 == object.sha256) {
            (true, true) => Came::Good(pending),
            (false, _) => Came::Wrong(format!("{size} bytes, not {}", object.size)),
            (_, false) => Came::Wrong(sha256.to_string()),
        })
    }

    /// Gives an entry to the remote, its objects first. Never fails: what is not shared is said.
    pub(crate) async fn share(&self, entry: &Entry, bytes: Vec<u8>) {
        match self.upload_all(entry, bytes).await {
            Ok(()) => self.counters.shared.add(1),
            Err(error) => {
                self.counters.not_shared.add(1);
                // That the remote is away was said, once.
                if self.is_there() {
                    (self.notify)(Notice::NotShared(error));
                }
            }
        }
    }

    async fn upload_all(&self, entry: &Entry, bytes: Vec<u8>) -> Result<(), CacheError> {
        let uploads = entry.objects.iter().map(|object| self.upload(object));
        for result in join_all(uploads).await {
            result?;
        }
        let path = self.path(&crate::folder::entry_name(&entry.key));
        let size = bytes.len() as u64;
        self.request("write to", size, async {
            self.store().put(&path, PutPayload::from(bytes)).await
        })
        .await?;
        self.counters.uploaded.add(size);
        Ok(())
    }

    /// Gives an object, if it is not there yet.
    async fn upload(&self, object: &Object) -> Result<(), CacheError> {
        let path = self.path(&object_name(&object.sha256));
        if !self.wrong().contains(&object.sha256) {
            let known = self
                .request("look into", 0, async {
                    match self.store().head(&path).await {
                        Err(object_store::Error::NotFound { .. }) => Ok(None),
                        head => head.map(|meta| Some(meta.size)),
                    }
                })
                .await?;
            if known == Some(object.size) {
                return Ok(());
            }
        }
        let sent = self
            .request("write to", object.size, self.send(object, &path))
            .await?;
        sent?;
        self.counters.uploaded.add(object.size);
        self.wrong().remove(&object.sha256);
        Ok(())
    }

    /// The outer error is the remote's, the inner one the local folder's.
    async fn send(
        &self,
        object: &Object,
        path: &object_store::path::Path,
    ) -> object_store::Result<Result<(), CacheError>> {
        let mut source = match Source::open(self, object) {
            Ok(source) => source,
            Err(error) => return Ok(Err(error)),
        };
        if object.size <= PART as u64 {
            let part = match source.part().and_then(|part| source.check().map(|()| part)) {
                Ok(part) => part,
                Err(error) => return Ok(Err(error)),
            };
            self.store().put(path, PutPayload::from(part)).await?;
            return Ok(Ok(()));
        }
        let mut upload = self.store().put_multipart(path).await?;
        let sent = send_parts(&mut source, &mut *upload).await;
        if !matches!(sent, Ok(Ok(()))) {
            // Else its parts stay and cost. If even that fails, a rule of the store has to remove them.
            let _ = upload.abort().await;
            return sent;
        }
        upload.complete().await?;
        Ok(Ok(()))
    }
}

async fn send_parts(
    source: &mut Source<'_>,
    upload: &mut dyn MultipartUpload,
) -> object_store::Result<Result<(), CacheError>> {
    loop {
        let part = match source.part() {
            Ok(part) if part.is_empty() => return Ok(source.check()),
            Ok(part) => part,
            Err(error) => return Ok(Err(error)),
        };
        upload.put_part(PutPayload::from(part)).await?;
    }
}

/// An object that is read to be given away, and hashed on the way: what is damaged here is not spread.
struct Source<'o> {
    object: &'o Object,
    path: std::path::PathBuf,
    file: File,
    hashing: Hashing,
}

impl<'o> Source<'o> {
    fn open(remote: &Remote, object: &'o Object) -> Result<Self, CacheError> {
        let path = remote.folder.object_path(&object.sha256);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(CacheError::Missing {
                    name: object.name.to_string(),
                    sha256: object.sha256.clone(),
                });
            }
            file => file.map_err(CacheError::io("open", &path))?,
        };
        Ok(Self {
            object,
            path,
            file,
            hashing: Hashing::default(),
        })
    }

    /// The next part; empty at the end.
    fn part(&mut self) -> Result<Bytes, CacheError> {
        let mut part = Vec::new();
        (&self.file)
            .take(PART as u64)
            .read_to_end(&mut part)
            .map_err(CacheError::io("read", &self.path))?;
        self.hashing.update(&part);
        Ok(Bytes::from(part))
    }

    /// Whether all that was read is what it should be.
    fn check(&mut self) -> Result<(), CacheError> {
        let (sha256, _) = std::mem::take(&mut self.hashing).finish();
        match sha256 == self.object.sha256 {
            true => Ok(()),
            false => Err(CacheError::Digest {
                place: self.path.display().to_string(),
                name: self.object.name.to_string(),
                expected: self.object.sha256.clone(),
                found: sha256.to_string(),
            }),
        }
    }
}
