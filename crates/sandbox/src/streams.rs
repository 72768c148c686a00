//! What a program writes, on its way to the caller.

use rustix::io::Errno;
use std::os::fd::OwnedFd;

/// How much of a stream is read at once.
const READ_SIZE: usize = 64 * 1024;

/// The longest piece of a line that is handed on at once.
const MAX_LINE: usize = 64 * 1024;

/// Who gets lines.
pub(crate) enum Sink<'a> {
    /// Nobody: they are kept.
    Keep,
    /// This.
    Give(&'a mut dyn FnMut(&[u8])),
}

/// One stream.
#[derive(Default)]
pub(crate) struct Stream {
    descriptor: Option<OwnedFd>,
    limit: usize,
    taken: usize,
    pub(crate) dropped: u64,
    pub(crate) kept: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(descriptor: Option<OwnedFd>, limit: usize) -> Self {
        Self {
            descriptor,
            limit,
            ..Self::default()
        }
    }

    pub(crate) fn open(&self) -> Option<&OwnedFd> {
        self.descriptor.as_ref()
    }

    /// Reads once; at the end of the stream closes it. What is beyond the limit is dropped. Answers how much there was.
    pub(crate) fn drain(&mut self) -> Result<usize, Errno> {
        let Some(fd) = self.descriptor.as_ref() else {
            return Ok(0);
        };
        let mut buffer = vec![0u8; READ_SIZE];
        match rustix::io::read(fd, &mut buffer) {
            Ok(0) => {
                self.descriptor = None;
                Ok(0)
            }
            Ok(count) => {
                let room = self.limit.saturating_sub(self.taken).min(count);
                self.kept
                    .extend_from_slice(buffer.get(..room).unwrap_or_default());
                self.taken += room;
                self.dropped = self.dropped.saturating_add((count - room) as u64);
                Ok(count)
            }
            Err(Errno::INTR | Errno::AGAIN) => Ok(0),
            Err(e) => Err(e),
        }
    }

    /// Hands on the lines that are whole; with the stream's end, the rest.
    pub(crate) fn hand_on(&mut self, sink: &mut Sink<'_>) {
        let Sink::Give(sink) = sink else { return };
        let mut from = 0;
        while let Some(rest) = self.kept.get(from..)
            && !rest.is_empty()
        {
            let end = rest.iter().take(MAX_LINE).position(|byte| *byte == b'\n');
            let length = match end {
                Some(newline) => newline + 1,
                None if rest.len() >= MAX_LINE => MAX_LINE,
                None if self.descriptor.is_none() => rest.len(),
                None => break,
            };
            sink(rest.get(..length).unwrap_or(rest));
            from += length;
        }
        self.kept.drain(..from);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_handed_on_whole_and_long_ones_in_pieces() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let mut stream = Stream::new(Some(read), 200_000);
        let mut lines = Vec::new();
        let mut feed = |text: Option<&[u8]>| {
            if let Some(text) = text {
                rustix::io::write(&write, text).unwrap();
            }
            stream.drain().unwrap();
            stream.hand_on(&mut Sink::Give(&mut |line: &[u8]| lines.push(line.to_vec())));
            std::mem::take(&mut lines)
        };
        assert_eq!(feed(Some(b"a\nb")), [b"a\n".to_vec()]);
        assert_eq!(feed(Some(b"c\n\n")), [b"bc\n".to_vec(), b"\n".to_vec()]);
        assert!(feed(Some(&[b'x'; 60_000])).is_empty());
        assert_eq!(feed(Some(&[b'y'; 6_000])).first().map(Vec::len), Some(MAX_LINE));
        drop(write);
        stream.drain().unwrap();
        stream.hand_on(&mut Sink::Give(&mut |line: &[u8]| lines.push(line.to_vec())));
        assert_eq!(lines, [vec![b'y'; 66_000 - MAX_LINE]]);
    }

    #[test]
    fn what_is_beyond_the_limit_is_dropped_and_counted() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let mut stream = Stream::new(Some(read), 4);
        rustix::io::write(&write, b"abcdef").unwrap();
        assert_eq!(stream.drain().unwrap(), 6);
        assert_eq!((stream.kept.as_slice(), stream.dropped), (b"abcd".as_slice(), 2));
    }
}
