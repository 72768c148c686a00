//! From a tree to a layout.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use rayon::prelude::*;

use super::directory::{Directory, Record, file_type};
use super::format::{
    BLOCK, BLOCK_U64, FIRST_INODE, FLAG_EXTENTS, FLAG_INDEX, JOURNAL_INODE, LOST_FOUND_INODE, RESIZE_INODE,
    ROOT_INODE, checksum, get32, put32,
};
use super::geometry::{Allocator, Geometry};
use super::inode::{FAST_SYMLINK, Inode, check_time, device};
use super::special::{RESIZE_SIZE, journal_blocks, journal_superblock, reserved};
use super::{Journal, Layout, Settings, extent, xattr};
use crate::{Content, Entry, Error, Kind, Result, Tree};

/// Blocks that are written at once: contents are cut into pieces of at most this many.
pub(super) const PIECE_BLOCKS: u64 = 1024;
/// Blocks of `lost+found`, so that `e2fsck` has room in it without allocating.
const LOST_FOUND_BLOCKS: usize = 4;
const LOST_FOUND: &[u8] = b"lost+found";
/// The largest file: 2³² blocks less one, by the width of logical block numbers.
const MAX_FILE: u64 = (u32::MAX as u64) * BLOCK_U64;
/// How often [`minimum_size`] corrects its guess.
const MAX_GUESSES: usize = 10_000;
/// [`minimum_size`] gives whole MiB.
const MIB: u64 = 1 << 20;

/// What fills consecutive blocks.
#[derive(Debug)]
pub(super) struct Piece<'t> {
    pub(super) block: u64,
    pub(super) blocks: u64,
    pub(super) source: Source<'t>,
}

/// Where the bytes of a piece come from. Past their end the piece is zero.
#[derive(Debug)]
pub(super) enum Source<'t> {
    Bytes(Cow<'t, [u8]>),
    /// A part of a host file, from an offset.
    Host {
        path: &'t Path,
        size: u64,
        offset: u64,
    },
    /// Blocks of a directory (by its index), from the given one on.
    Directory {
        index: usize,
        first: usize,
    },
}

/// Lays a tree out in a file system. Nothing is read or written.
///
/// # Errors
/// [`Error::TooSmall`] with the size that is needed, [`Error::Unrepresentable`] if an entry does not fit into ext4
/// (extended attributes of more than 4 KiB, times outside of 1901 to 2446), [`Error::Settings`].
pub fn plan<'t>(tree: &'t Tree, settings: &Settings) -> Result<Layout<'t>> {
    match try_plan(tree, settings) {
        Ok(Some(layout)) => Ok(layout),
        Ok(None) | Err(Error::TooSmall { .. }) => {
            let needed = minimum_size(tree, settings)?;
            Err(Error::TooSmall {
                what: "an ext4 file system",
                size: settings.size,
                needed,
            })
        }
        Err(other) => Err(other),
    }
}

/// The least size in bytes, in whole MiB, of a file system for a tree. The `size` of the settings is ignored.
///
/// A file system of this size is full: add what shall be free.
pub fn minimum_size(tree: &Tree, settings: &Settings) -> Result<u64> {
    let needed = demand(tree, settings)?;
    let mut size = needed.next_multiple_of(MIB);
    for _ in 0..MAX_GUESSES {
        let attempt = Settings {
            size,
            ..settings.clone()
        };
        let geometry = match Geometry::new(&attempt, tree.entries().len() as u64) {
            Ok(geometry) => geometry,
            Err(Error::TooSmall { needed, .. }) => {
                size = needed.max(size + 1).next_multiple_of(MIB);
                continue;
            }
            Err(other) => return Err(other),
        };
        // From below first, by counting, which is quick; then for certain.
        let journal = journal_blocks(settings.journal, geometry.blocks)? * BLOCK_U64;
        let free = Allocator::new(&geometry).free() * BLOCK_U64;
        if free < needed + journal {
            size += (needed + journal - free).next_multiple_of(MIB);
        } else if try_plan(tree, &attempt)?.is_some() {
            return Ok(size);
        } else {
            size += MIB;
        }
    }
    Err(Error::Settings {
        what: "ext4",
        problem: "no size is enough for the tree".to_owned(),
    })
}

/// Bytes of the blocks that the tree itself takes, without journal: from a plan with more than enough room.
fn demand(tree: &Tree, settings: &Settings) -> Result<u64> {
    let count = tree.entries().len() as u64;
    // A block and an attribute block for each entry, names of the longest kind, and what the groups have.
    let ample = tree.content_size() + count * 4 * BLOCK_U64;
    let size = ample + ample / 4 + (1 << 30);
    let ample = Settings {
        size,
        journal: Journal::None,
        ..settings.clone()
    };
    let Some(layout) = try_plan(tree, &ample)? else {
        return Err(Error::Settings {
            what: "ext4",
            problem: "no size is enough for the tree".to_owned(),
        });
    };
    Ok((Allocator::new(&layout.geometry).free() - layout.allocator.free()) * BLOCK_U64)
}

/// A layout, or `None` if the blocks do not suffice.
fn try_plan<'t>(tree: &'t Tree, settings: &Settings) -> Result<Option<Layout<'t>>> {
    if settings.label.len() > 16 {
        let problem = format!("the label `{}` is longer than 16 bytes", settings.label);
        return Err(Error::Settings {
            what: "ext4",
            problem,
        });
    }
    let numbers = Numbers::new(tree)?;
    let geometry = Geometry::new(settings, u64::from(numbers.last - FIRST_INODE))?;
    let mut planner = Planner {
        tree,
        numbers: &numbers,
        layout: Layout {
            settings: settings.clone(),
            allocator: Allocator::new(&geometry),
            geometry,
            seed: checksum(u32::MAX, settings.uuid.as_bytes()),
            inodes: Vec::with_capacity(tree.entries().len() + 4),
            journal: None,
            directories: Vec::new(),
            pieces: Vec::new(),
        },
    };
    let Some(()) = planner.run()? else { return Ok(None) };
    let mut layout = planner.layout;
    layout.inodes.sort_unstable_by_key(|inode| inode.number);
    layout.journal = layout
        .inodes
        .iter()
        .position(|inode| inode.number == JOURNAL_INODE);
    layout.pieces.sort_unstable_by_key(|piece| piece.block);
    Ok(Some(layout))
}

/// Inode numbers of the entries, and how many names each has.
struct Numbers {
    /// By index of the entry; hard links have their target's.
    inodes: Vec<u32>,
    /// Links by index of the entry, of what is not a hard link itself.
    links: Vec<u32>,
    /// Children of each directory, by index of the entry.
    children: HashMap<usize, Vec<usize>>,
    last: u32,
}

impl Numbers {
    fn new(tree: &Tree) -> Result<Self> {
        let entries = tree.entries();
        let mut numbers = Self {
            inodes: vec![0; entries.len()],
            links: vec![0; entries.len()],
            children: HashMap::new(),
            last: LOST_FOUND_INODE,
        };
        for (index, entry) in entries.iter().enumerate() {
            numbers.inodes[index] = match &entry.kind {
                Kind::HardLink(_) => continue,
                _ if entry.path.is_root() => ROOT_INODE,
                Kind::Directory if entry.path.as_bytes() == LOST_FOUND => LOST_FOUND_INODE,
                _ if entry.path.as_bytes() == LOST_FOUND => {
                    let problem = "this name is taken for the directory of the file system check".to_owned();
                    return Err(Error::Unrepresentable {
                        path: entry.path.to_string(),
                        format: "ext4",
                        problem,
                    });
                }
                _ => {
                    numbers.last += 1;
                    numbers.last
                }
            };
        }
        for (index, entry) in entries.iter().enumerate() {
            let owner = match &entry.kind {
                Kind::HardLink(target) => tree.index_of(target.as_bytes()).unwrap_or(index),
                _ => index,
            };
            numbers.inodes[index] = numbers.inodes[owner];
            numbers.links[owner] += 1;
            let is_directory = entry.is_directory();
            if is_directory {
                // Its own `.`; the root's `..` besides, as if it had a name.
                numbers.links[index] += 1;
                numbers.children.entry(index).or_default();
            }
            if let Some(parent) = entry.path.parent_bytes().and_then(|parent| tree.index_of(parent)) {
                numbers.children.entry(parent).or_default().push(index);
                numbers.links[parent] += u32::from(is_directory);
            }
        }
        Ok(numbers)
    }
}

struct Planner<'t, 'n> {
    tree: &'t Tree,
    numbers: &'n Numbers,
    layout: Layout<'t>,
}

impl<'t> Planner<'t, '_> {
    /// Gives out everything, in the order in which it shall lie. `None` as soon as blocks run out.
    fn run(&mut self) -> Result<Option<()>> {
        let entries = self.tree.entries();
        let tree = self.tree;
        let attributes: Vec<xattr::Encoded> = tree
            .entries()
            .par_iter()
            .map(xattr::encode)
            .collect::<Result<_>>()?;
        let mut attributes: Vec<Option<xattr::Encoded>> = attributes.into_iter().map(Some).collect();
        let mut take = |index: usize| attributes[index].take().unwrap_or_default();
        if self.add_resize_inode().is_none() || self.add_directories(&mut take)?.is_none() {
            return Ok(None);
        }
        let journal = journal_blocks(self.layout.settings.journal, self.layout.geometry.blocks)?;
        if journal > 0 && self.add_journal(journal).is_none() {
            return Ok(None);
        }
        for (index, entry) in entries.iter().enumerate() {
            if !matches!(entry.kind, Kind::Directory | Kind::HardLink(_))
                && self.add_entry(index, entry, take(index))?.is_none()
            {
                return Ok(None);
            }
        }
        Ok(Some(()))
    }

    fn inode_of(&self, index: usize, entry: &Entry) -> Result<Inode> {
        check_time(entry.mtime, || entry.path.to_string())?;
        Ok(Inode {
            number: self.numbers.inodes[index],
            mode: entry.st_mode(),
            uid: entry.uid,
            gid: entry.gid,
            mtime: entry.mtime,
            links: self.numbers.links[index],
            size: 0,
            flags: 0,
            blocks: 0,
            i_block: [0; 60],
            body: Vec::new(),
            attribute_block: 0,
        })
    }

    /// An inode of the file system's own.
    fn own_inode(&self, number: u32, mode: u16, links: u32) -> Inode {
        Inode {
            number,
            mode,
            uid: 0,
            gid: 0,
            mtime: i64::from(self.layout.settings.epoch),
            links,
            size: 0,
            flags: 0,
            blocks: 0,
            i_block: [0; 60],
            body: Vec::new(),
            attribute_block: 0,
        }
    }

    fn add_directories(&mut self, take: &mut impl FnMut(usize) -> xattr::Encoded) -> Result<Option<()>> {
        let tree = self.tree;
        let has_lost_found = tree.index_of(LOST_FOUND).is_some();
        let planned: Vec<(usize, Directory<'t>)> = tree
            .entries()
            .par_iter()
            .enumerate()
            .filter(|(_, entry)| entry.is_directory())
            .map(|(index, entry)| (index, self.plan_directory(index, entry, has_lost_found)))
            .collect();
        for (index, directory) in planned {
            let entry = &tree.entries()[index];
            let mut inode = self.inode_of(index, entry)?;
            if entry.path.is_root() && !has_lost_found {
                inode.links += 1;
            }
            if self.add_directory(inode, directory, take(index)).is_none() {
                return Ok(None);
            }
        }
        if !has_lost_found {
            let inode = self.own_inode(LOST_FOUND_INODE, 0o040700, 2);
            let directory = Directory::plan(
                LOST_FOUND_INODE,
                ROOT_INODE,
                Vec::new(),
                [0; 4],
                LOST_FOUND_BLOCKS,
            );
            if self
                .add_directory(inode, directory, xattr::Encoded::default())
                .is_none()
            {
                return Ok(None);
            }
        }
        Ok(Some(()))
    }

    fn plan_directory(&self, index: usize, entry: &'t Entry, has_lost_found: bool) -> Directory<'t> {
        let entries = self.tree.entries();
        let number = self.numbers.inodes[index];
        let parent = entry
            .path
            .parent_bytes()
            .and_then(|parent| self.tree.index_of(parent))
            .unwrap_or(index);
        let children = self.numbers.children.get(&index).map_or(&[][..], Vec::as_slice);
        let mut records: Vec<Record<'t>> = children
            .iter()
            .map(|&child| {
                let kind = match &entries[child].kind {
                    Kind::HardLink(target) => self
                        .tree
                        .get(target)
                        .map_or(&entries[child].kind, |entry| &entry.kind),
                    kind => kind,
                };
                let inode = self.numbers.inodes[child];
                Record {
                    name: entries[child].path.name(),
                    inode,
                    file_type: file_type(kind),
                }
            })
            .collect();
        if entry.path.is_root() && !has_lost_found {
            records.push(Record {
                name: LOST_FOUND,
                inode: LOST_FOUND_INODE,
                file_type: 2,
            });
        }
        let seed = self.layout.settings.hash_seed.as_bytes();
        let seed = [0, 4, 8, 12].map(|at| get32(seed, at));
        let least = if number == LOST_FOUND_INODE {
            LOST_FOUND_BLOCKS
        } else {
            1
        };
        Directory::plan(number, self.numbers.inodes[parent], records, seed, least)
    }

    fn add_directory(
        &mut self,
        mut inode: Inode,
        directory: Directory<'t>,
        attributes: xattr::Encoded,
    ) -> Option<()> {
        let blocks = directory.blocks() as u64;
        inode.size = blocks * BLOCK_U64;
        if directory.is_indexed() {
            inode.flags |= FLAG_INDEX;
        }
        let index = self.layout.directories.len();
        self.layout.directories.push(directory);
        self.add_attributes(&mut inode, attributes)?;
        self.add_blocks(&mut inode, blocks, |first| Source::Directory {
            index,
            first: first as usize,
        })?;
        self.layout.inodes.push(inode);
        Some(())
    }

    fn add_entry(
        &mut self,
        index: usize,
        entry: &'t Entry,
        attributes: xattr::Encoded,
    ) -> Result<Option<()>> {
        let mut inode = self.inode_of(index, entry)?;
        if self.add_attributes(&mut inode, attributes).is_none() {
            return Ok(None);
        }
        let done = match &entry.kind {
            Kind::Symlink(target) if target.len() < FAST_SYMLINK => {
                inode.size = target.len() as u64;
                inode.i_block[..target.len()].copy_from_slice(target);
                Some(())
            }
            Kind::Symlink(target) => {
                inode.size = target.len() as u64;
                self.add_blocks(&mut inode, 1, |_| Source::Bytes(Cow::Borrowed(target)))
            }
            Kind::File(content) => {
                inode.size = content.size();
                if inode.size > MAX_FILE {
                    let problem = format!("it has {} bytes, {MAX_FILE} is the most", inode.size);
                    return Err(Error::Unrepresentable {
                        path: entry.path.to_string(),
                        format: "ext4",
                        problem,
                    });
                }
                let blocks = inode.size.div_ceil(BLOCK_U64);
                self.add_blocks(&mut inode, blocks, |first| {
                    content_source(content, first * BLOCK_U64)
                })
            }
            kind => {
                inode.i_block = device(kind);
                Some(())
            }
        };
        self.layout.inodes.push(inode);
        Ok(done)
    }

    fn add_attributes(&mut self, inode: &mut Inode, attributes: xattr::Encoded) -> Option<()> {
        inode.body = attributes.body;
        if let Some(mut encoded) = attributes.block {
            let block = self.layout.allocator.take_one()?;
            xattr::seal(&mut encoded, self.layout.seed, block);
            self.layout.pieces.push(Piece {
                block,
                blocks: 1,
                source: Source::Bytes(Cow::Owned(encoded)),
            });
            inode.attribute_block = block;
            inode.blocks += 1;
        }
        Some(())
    }

    /// Gives an inode its content: `source` tells where it comes from, by the first logical block.
    fn add_blocks(
        &mut self,
        inode: &mut Inode,
        count: u64,
        source: impl Fn(u64) -> Source<'t>,
    ) -> Option<()> {
        let layout = &mut self.layout;
        let ranges = layout.allocator.take(count)?;
        let mut logical = 0;
        for range in &ranges {
            let mut block = range.start;
            while block < range.end {
                let blocks = (range.end - block).min(PIECE_BLOCKS);
                layout.pieces.push(Piece {
                    block,
                    blocks,
                    source: source(logical),
                });
                logical += blocks;
                block += blocks;
            }
        }
        let tree = extent::build(inode.number, layout.seed, &ranges, &mut layout.allocator)?;
        inode.blocks += count + tree.blocks.len() as u64;
        inode.i_block = tree.root;
        inode.flags |= FLAG_EXTENTS;
        let own = |(block, bytes)| Piece {
            block,
            blocks: 1,
            source: Source::Bytes(Cow::Owned(bytes)),
        };
        layout.pieces.extend(tree.blocks.into_iter().map(own));
        Some(())
    }

    fn add_journal(&mut self, blocks: u64) -> Option<()> {
        let mut inode = self.own_inode(JOURNAL_INODE, 0o100600, 1);
        inode.size = blocks * BLOCK_U64;
        let superblock = journal_superblock(blocks);
        // All but the first block is zero, as the region is before: nothing needs to be written.
        self.add_blocks(&mut inode, blocks, |first| {
            Source::Bytes(if first == 0 {
                Cow::Owned(superblock.clone())
            } else {
                Cow::Borrowed(&[])
            })
        })?;
        self.layout.inodes.push(inode);
        Some(())
    }

    fn add_resize_inode(&mut self) -> Option<()> {
        if self.layout.geometry.reserved_blocks == 0 {
            return Some(());
        }
        let double = self.layout.allocator.take_one()?;
        let reserved = reserved(&self.layout.geometry, double);
        let mut inode = self.own_inode(RESIZE_INODE, 0o100600, 1);
        inode.size = RESIZE_SIZE;
        inode.blocks = reserved.count;
        // The 14th pointer is the double-indirect one. It is 32 bits wide: the block lies in group 0.
        put32(&mut inode.i_block, 13 * 4, double as u32);
        let own = |(block, bytes)| Piece {
            block,
            blocks: 1,
            source: Source::Bytes(Cow::Owned(bytes)),
        };
        self.layout.pieces.extend(reserved.blocks.into_iter().map(own));
        self.layout.inodes.push(inode);
        Some(())
    }
}

fn content_source(content: &Content, offset: u64) -> Source<'_> {
    match content {
        Content::Bytes(bytes) => Source::Bytes(Cow::Borrowed(&bytes[offset as usize..])),
        Content::HostFile { path, size } => Source::Host {
            path,
            size: *size,
            offset,
        },
    }
}

/// Bytes of a piece.
pub(super) fn piece_bytes(piece: &Piece<'_>) -> usize {
    piece.blocks as usize * BLOCK
}
