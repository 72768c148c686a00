//! From a layout to bytes on a disk.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rayon::prelude::*;

use super::Layout;
use super::format::{BLOCK, BLOCK_U64, INODE_SIZE, SUPERBLOCK_OFFSET};
use super::geometry::Geometry;
use super::plan::{PIECE_BLOCKS, Piece, Source, piece_bytes};
use super::superblock::{Summary, summarise, superblock};
use crate::sparse::{data_ranges, write_nonzero};
use crate::{Error, Region, Result};

/// Of parts of host files larger than this it is asked first where they have holes.
const SPARSE_FROM: usize = 1 << 20;

impl Layout<'_> {
    /// Writes the file system, in parallel, into a region that reads as zeros. What is zero stays unwritten.
    ///
    /// # Errors
    /// [`Error::Changed`] if a host file no longer has its planned size, [`Error::NoSpace`], [`Error::Io`], and
    /// [`Error::OutOfRegion`] if the region is too short.
    pub fn write(&self, region: Region<'_>) -> Result<()> {
        let summary = summarise(self);
        let batches = batches(&self.pieces);
        // Inode tables and contents do not depend on each other; the threads share them all.
        let (tables, contents) = rayon::join(
            || {
                (0..self.geometry.groups)
                    .into_par_iter()
                    .try_for_each(|group| self.write_table(&region, group))
            },
            || {
                batches
                    .par_iter()
                    .try_for_each_init(Vec::new, |buffer, batch| self.write_batch(&region, batch, buffer))
            },
        );
        tables?;
        contents?;
        self.write_summary(&region, &summary)
    }

    fn write_summary(&self, region: &Region<'_>, summary: &Summary) -> Result<()> {
        let geometry = &self.geometry;
        for (group, (blocks, inodes)) in summary.bitmaps.iter().enumerate() {
            region.write_at(geometry.block_bitmap(group as u32) * BLOCK_U64, blocks)?;
            region.write_at(geometry.inode_bitmap(group as u32) * BLOCK_U64, inodes)?;
        }
        // The primary copy last.
        for group in (0..geometry.groups)
            .rev()
            .filter(|&group| Geometry::has_superblock(group))
        {
            let start = geometry.group_start(group) * BLOCK_U64;
            region.write_at(start + BLOCK_U64, &summary.descriptors)?;
            // In group 0 the first 1024 bytes are a boot loader's; in the others the superblock comes first.
            let offset = if group == 0 { SUPERBLOCK_OFFSET as u64 } else { 0 };
            region.write_at(start + offset, &superblock(self, summary, group))?;
        }
        Ok(())
    }

    fn write_table(&self, region: &Region<'_>, group: u32) -> Result<()> {
        let first = group * self.geometry.inodes_per_group + 1;
        let from = self.inodes.partition_point(|inode| inode.number < first);
        let to = self
            .inodes
            .partition_point(|inode| inode.number < first + self.geometry.inodes_per_group);
        let inodes = &self.inodes[from..to];
        let Some(last) = inodes.last() else { return Ok(()) };
        let mut table = vec![0; (last.number - first + 1) as usize * INODE_SIZE];
        table
            .par_chunks_mut(INODE_SIZE)
            .enumerate()
            .with_min_len(256)
            .for_each(|(index, out)| {
                let number = first + index as u32;
                if let Ok(found) = inodes.binary_search_by_key(&number, |inode| inode.number) {
                    inodes[found].encode(self.seed, out);
                }
            });
        region.write_at(self.geometry.inode_table(group) * BLOCK_U64, &table)
    }

    /// Writes pieces that follow each other. The buffer is used again, which spares the kernel fresh pages.
    fn write_batch(&self, region: &Region<'_>, batch: &[Piece<'_>], buffer: &mut Vec<u8>) -> Result<()> {
        let Some(first) = batch.first() else { return Ok(()) };
        buffer.resize(batch.iter().map(piece_bytes).sum(), 0);
        let mut at = 0;
        for piece in batch {
            let length = piece_bytes(piece);
            self.fill(piece, &mut buffer[at..at + length])?;
            at += length;
        }
        write_nonzero(region, first.block * BLOCK_U64, buffer)
    }

    /// Fills all of `out`, whatever it holds.
    fn fill(&self, piece: &Piece<'_>, out: &mut [u8]) -> Result<()> {
        match &piece.source {
            Source::Bytes(bytes) => {
                let length = bytes.len().min(out.len());
                out[..length].copy_from_slice(&bytes[..length]);
                out[length..].fill(0);
                Ok(())
            }
            Source::Host { path, size, offset } => read_host(path, *size, *offset, out),
            Source::Directory { index, first } => {
                out.fill(0);
                self.directories[*index].encode(self.seed, *first..*first + out.len() / BLOCK, out);
                Ok(())
            }
        }
    }
}

/// Parts the pieces into runs that follow each other on the disk, of about [`PIECE_BLOCKS`] at most.
fn batches<'p, 't>(pieces: &'p [Piece<'t>]) -> Vec<&'p [Piece<'t>]> {
    let mut batches = Vec::new();
    let (mut start, mut blocks) = (0, 0);
    for (index, piece) in pieces.iter().enumerate() {
        let follows = index > 0 && pieces[index - 1].block + pieces[index - 1].blocks == piece.block;
        if index > start && (!follows || blocks + piece.blocks > PIECE_BLOCKS) {
            batches.push(&pieces[start..index]);
            (start, blocks) = (index, 0);
        }
        blocks += piece.blocks;
    }
    batches.push(&pieces[start..]);
    batches
}

/// Reads a host file of a known size from `offset` on into `out`, as much as there is.
fn read_host(path: &Path, size: u64, offset: u64, out: &mut [u8]) -> Result<()> {
    let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let found = file
        .metadata()
        .map_err(|e| Error::io("read the size of", path, e))?
        .len();
    if found != size {
        return Err(Error::Changed {
            path: path.to_owned(),
            expected: size,
            found,
        });
    }
    let length = out
        .len()
        .min(usize::try_from(size - offset).unwrap_or(usize::MAX));
    let whole = offset..offset + length as u64;
    out[length..].fill(0);
    let ranges = if length > SPARSE_FROM {
        out.fill(0);
        data_ranges(&file, path, whole)?
    } else {
        vec![whole]
    };
    for range in ranges {
        let part = &mut out[(range.start - offset) as usize..(range.end - offset) as usize];
        file.read_exact_at(part, range.start)
            .map_err(|e| match e.kind() {
                std::io::ErrorKind::UnexpectedEof => Error::Changed {
                    path: path.to_owned(),
                    expected: size,
                    found: range.start,
                },
                _ => Error::io("read", path, e),
            })?;
    }
    Ok(())
}
