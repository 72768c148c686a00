//! One try to get a file, or the rest of it, from one address.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use ureq::Body;
use ureq::http::{HeaderMap, Response, header};

use super::Downloader;
use super::hosts::Permit;
use super::part::{Part, PartOrigin};
use super::url::{Scheme, Url};
use crate::error::SourceError;
use crate::progress::{OnProgress, Progress};
use crate::request::FileRequest;
use crate::settings::Downgrade;

/// How much is read at once, in bytes.
const BLOCK: usize = 64 << 10;

/// How many bytes come between two reports of progress.
const REPORT: u64 = 256 << 10;

/// Why a try failed.
pub(super) enum Failure {
    /// Another try may go better.
    Again {
        reason: String,
        /// How long the server asks to wait (RFC 9110, section 10.2.3; whole seconds only).
        wait: Option<Duration>,
    },
    /// This address will not give it.
    NotHere(String),
    /// This machine fails, which no server can mend.
    Here(SourceError),
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::Here(error)
    }
}

fn again(reason: impl Into<String>) -> Failure {
    Failure::Again {
        reason: reason.into(),
        wait: None,
    }
}

/// What of a file is to come, and where it goes.
struct Incoming {
    file: File,
    /// How many bytes there are already.
    start: u64,
    /// How many there will be in all, as the server says.
    total: Option<u64>,
    /// Bytes as they lie at the server: others cannot be resumed.
    resumable: bool,
}

/// What an answer means for the part.
enum Answer {
    Body(Incoming),
    /// All of it is there already.
    Complete,
    /// The part is of no use with this server.
    Restart,
}

impl Downloader {
    /// Brings the part further. `Ok` when the server says that it is whole.
    pub(super) fn attempt(
        &self,
        url: &Url,
        request: &FileRequest,
        part: &Part,
        progress: OnProgress<'_>,
    ) -> Result<(), Failure> {
        // A part that does not fit is dropped, once.
        for _ in 0..2 {
            // The permit lasts until the body has come.
            let (response, _permit) = self.get(url, part)?;
            match self.judge(response.status().as_u16(), response.headers(), url, request, part)? {
                Answer::Complete => return Ok(()),
                Answer::Restart => part.discard()?,
                Answer::Body(incoming) => {
                    let resumable = incoming.resumable;
                    let result = self.receive(response, incoming, request, part, progress);
                    if result.is_err() && !resumable {
                        part.discard()?;
                    }
                    return result;
                }
            }
        }
        Err(again(
            "the server does not answer consistently about parts of the file",
        ))
    }

    /// Asks for the file, or for what is missing of it, through redirections.
    fn get(&self, url: &Url, part: &Part) -> Result<(Response<Body>, Permit<'_>), Failure> {
        let length = part.length()?;
        let mut url = url.clone();
        for _ in 0..=self.settings.max_redirects {
            let permit = self.hosts.enter(url.host_and_port());
            let mut request = self.agent.get(url.text());
            if length > 0 {
                request = request.header(header::RANGE, format!("bytes={length}-"));
                // Without a tag that is known to be this content's, the digest of the whole must tell.
                if let Some(etag) = part
                    .origin()
                    .filter(|one| one.url == url.to_string())
                    .and_then(|one| one.etag)
                {
                    request = request.header(header::IF_RANGE, etag);
                }
            }
            let response = request.call().map_err(|error| failure(&error))?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok((response, permit));
            }
            url = self.redirected(&url, response.headers())?;
        }
        let limit = self.settings.max_redirects;
        Err(Failure::NotHere(format!(
            "it redirects more than {limit} times, the last time to {url}"
        )))
    }

    fn redirected(&self, from: &Url, headers: &HeaderMap) -> Result<Url, Failure> {
        let location = text(headers, header::LOCATION)
            .ok_or_else(|| Failure::NotHere("it redirects, but does not say where to".to_owned()))?;
        let to = from
            .join(location)
            .map_err(|error| Failure::NotHere(format!("it redirects: {error}")))?;
        if from.scheme() == Scheme::Https && to.scheme() == Scheme::Http {
            let allowed = self.settings.downgrade == Downgrade::ToLoopback && to.is_loopback();
            if !allowed {
                return Err(Failure::NotHere(format!(
                    "it redirects from https to {to}, which is refused"
                )));
            }
        }
        Ok(to)
    }

    /// Reads status and headers (RFC 9110, sections 14 and 15).
    fn judge(
        &self,
        status: u16,
        headers: &HeaderMap,
        url: &Url,
        request: &FileRequest,
        part: &Part,
    ) -> Result<Answer, Failure> {
        let present = part.length()?;
        let encoded = text(headers, header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
        let announced = match encoded {
            true => None,
            false => {
                text(headers, header::CONTENT_LENGTH).and_then(|length| length.trim().parse::<u64>().ok())
            }
        };
        let range = text(headers, header::CONTENT_RANGE).and_then(content_range);
        match status {
            200 => {
                self.check_size(announced, request)?;
                let origin = PartOrigin {
                    url: url.to_string(),
                    etag: text(headers, header::ETAG)
                        .filter(|tag| tag.starts_with('"'))
                        .map(str::to_owned),
                };
                Ok(Answer::Body(Incoming {
                    file: part.restart(&origin)?,
                    start: 0,
                    total: announced,
                    resumable: !encoded,
                }))
            }
            206 => match range {
                Some((Some(start), total)) if start == present && present > 0 && !encoded => {
                    let total = total.or(announced.map(|length| present.saturating_add(length)));
                    self.check_size(total, request)?;
                    Ok(Answer::Body(Incoming {
                        file: part.go_on()?,
                        start: present,
                        total,
                        resumable: true,
                    }))
                }
                _ if present > 0 => Ok(Answer::Restart),
                _ => Err(again(
                    "it sent a part of the file, though all of it was asked for",
                )),
            },
            416 if present > 0 => match range {
                Some((None, Some(total))) if total == present => Ok(Answer::Complete),
                _ => Ok(Answer::Restart),
            },
            408 | 425 | 429 | 500..=599 => Err(Failure::Again {
                reason: format!("the server answers {status}"),
                wait: text(headers, header::RETRY_AFTER)
                    .and_then(|seconds| seconds.trim().parse().ok())
                    .map(Duration::from_secs),
            }),
            _ => Err(Failure::NotHere(format!("the server answers {status}"))),
        }
    }

    /// Refuses a file by its size before it comes.
    fn check_size(&self, total: Option<u64>, request: &FileRequest) -> Result<(), Failure> {
        let Some(total) = total else { return Ok(()) };
        match request.size {
            Some(size) if size != total => Err(Failure::NotHere(format!(
                "the server announces {total} bytes, but {size} are expected"
            ))),
            _ if total > self.settings.max_bytes => Err(Failure::NotHere(format!(
                "the server announces {total} bytes, but at most {} are taken",
                self.settings.max_bytes
            ))),
            _ => Ok(()),
        }
    }

    fn receive(
        &self,
        response: Response<Body>,
        incoming: Incoming,
        request: &FileRequest,
        part: &Part,
        progress: OnProgress<'_>,
    ) -> Result<(), Failure> {
        let Incoming {
            mut file,
            start,
            total,
            ..
        } = incoming;
        let limit = request.size.unwrap_or(u64::MAX).min(self.settings.max_bytes);
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let (mut done, mut reported, mut block) = (start, start, vec![0; BLOCK]);
        let (mut window_start, mut window_bytes) = (self.clock.elapsed(), 0u64);
        let report = |done| {
            progress(&Progress::Bytes {
                what: request.name.to_string(),
                done,
                total,
            });
        };
        loop {
            let count = match body.read(&mut block) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
                    return Err(again(format!(
                        "it broke off after {done}{of} bytes: {}",
                        words(&error)
                    )));
                }
            };
            done += count as u64;
            if done > limit {
                part.discard()?;
                return Err(Failure::NotHere(format!("it sent more than {limit} bytes")));
            }
            file.write_all(block.get(..count).unwrap_or_default())
                .map_err(SourceError::io("write", part.path()))?;
            if done - reported >= REPORT {
                reported = done;
                report(done);
            }
            window_bytes += count as u64;
            let now = self.clock.elapsed();
            if now.saturating_sub(window_start) >= self.settings.stall_time {
                if window_bytes < self.settings.stall_bytes {
                    let time = self.settings.stall_time;
                    return Err(again(format!("it sent only {window_bytes} bytes in {time:?}")));
                }
                (window_start, window_bytes) = (now, 0);
            }
        }
        report(done);
        match total.or(request.size) {
            Some(total) if done != total => Err(again(format!("it broke off after {done} of {total} bytes"))),
            _ => Ok(()),
        }
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// `bytes 5-9/10`, `bytes 5-9/*` or `bytes */10`: where the part begins and how long the whole is.
fn content_range(value: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (range, total) = value.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let total = match total {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    match range {
        "*" => Some((None, total)),
        range => Some((Some(range.split_once('-')?.0.parse().ok()?), total)),
    }
}

/// What an error of ureq means.
fn failure(error: &ureq::Error) -> Failure {
    match error {
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            again("no connection came about in time")
        }
        ureq::Error::Timeout(_) => again("the server did not answer in time"),
        ureq::Error::BadUri(reason) => Failure::NotHere(reason.clone()),
        // A certificate that is not good will not be at the next try.
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => {
            Failure::NotHere(error.to_string())
        }
        ureq::Error::Io(inner) if inner.kind() == ErrorKind::InvalidData => {
            Failure::NotHere(inner.to_string())
        }
        other => again(other.to_string()),
    }
}

/// An error while reading a body, in words.
fn words(error: &std::io::Error) -> String {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<ureq::Error>());
    match (inner, error.kind()) {
        (Some(ureq::Error::Timeout(_)), _) | (_, ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
            "nothing came for too long".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::content_range;

    #[test]
    fn content_ranges_are_read() {
        for (text, expected) in [
            ("bytes 5-9/10", Some((Some(5), Some(10)))),
            ("bytes 5-9/*", Some((Some(5), None))),
            ("bytes */10", Some((None, Some(10)))),
            ("bytes=5-9/10", None),
            ("bytes 5", None),
            ("bytes x-9/10", None),
            ("items 5-9/10", None),
            ("bytes 5-9/18446744073709551616", None),
        ] {
            assert_eq!(content_range(text), expected, "{text}");
        }
    }
}
