//! A FAT32 file system from a list of files: the EFI system partition.
//!
//! Written once and never changed here, so every file and directory is one contiguous run of clusters. The `fatfs`
//! crate would do more than is needed, through a seeking device, and one cluster after the other.
//!
//! Always FAT32, as UEFI 2.10, 13.3, has it for a system partition, whatever its size: the size of clusters is chosen
//! so that there are enough of them.
//!
//! Specification: Microsoft, "FAT32 File System Specification", version 1.03 (in parentheses: its sections).

mod name;
mod read;
mod write;

use std::collections::BTreeMap;

use crate::{Content, Error, Result, TreePath};

pub use self::read::Found;
pub(crate) use self::read::walk;

/// Bytes of a sector.
const SECTOR: u64 = 512;
/// Sectors before the first table, at least.
const RESERVED: u64 = 32;
/// The data starts at a multiple of so many sectors (4 KiB), like the pages of the firmware and the host.
const ALIGN_SECTORS: u64 = 8;
/// Fewer clusters make a FAT16 (3.5); the specification asks to keep some distance.
const LEAST_CLUSTERS: u64 = 65525 + 16;
/// The most clusters of 28 bit numbers, less those with a meaning.
const MOST_CLUSTERS: u64 = 0x0FFF_FFF5;
/// The root directory's cluster, the first there is.
const ROOT_CLUSTER: u32 = 2;
/// Bytes of a directory record.
const RECORD: usize = 32;
/// The largest file.
const MAX_FILE: u64 = u32::MAX as u64;
/// A directory has at most so many records (2 MiB of them).
const MAX_RECORDS: usize = 65536;

/// What a FAT file system shall be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Size in bytes, at least about 33 MiB. A remainder that makes no sector is left over.
    pub size: u64,
    /// The volume id, which Linux shows as UUID `XXXX-XXXX`.
    pub volume_id: u32,
    /// Label, up to 11 upper-case characters of ASCII.
    pub label: String,
    /// Time of all files, in seconds since 1970, as UTC. Before 1980 it is taken as 1980.
    pub epoch: u32,
}

/// A file: its path with `/` between the components, and its content. Directories are made as needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// For example `EFI/BOOT/BOOTX64.EFI`.
    pub path: String,
    /// The bytes.
    pub content: Content,
}

impl File {
    /// A file at a path.
    pub fn new(path: impl Into<String>, content: Content) -> Self {
        Self {
            path: path.into(),
            content,
        }
    }
}

/// Sizes of a file system, in sectors and clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Geometry {
    sectors: u64,
    reserved: u64,
    /// Of one table; there are two.
    table_sectors: u64,
    cluster_sectors: u64,
    clusters: u64,
}

impl Geometry {
    fn new(size: u64) -> Result<Self> {
        let sectors = (size / SECTOR).min(u64::from(u32::MAX));
        let mut cluster_sectors = match size >> 30 {
            0..8 => 8,
            8..16 => 16,
            16..32 => 32,
            _ => 64,
        };
        while cluster_sectors > 0 {
            let geometry = Self::with_clusters(sectors, cluster_sectors);
            if (LEAST_CLUSTERS..=MOST_CLUSTERS).contains(&geometry.clusters) {
                return Ok(geometry);
            }
            cluster_sectors /= 2;
        }
        let mut least = LEAST_CLUSTERS;
        while Self::with_clusters(least, 1).clusters < LEAST_CLUSTERS {
            least += ALIGN_SECTORS;
        }
        let needed = least * SECTOR;
        Err(Error::TooSmall {
            what: "a FAT32 file system",
            size,
            needed,
        })
    }

    fn with_clusters(sectors: u64, cluster_sectors: u64) -> Self {
        // The tables are a little larger than needed: they could hold the sectors which they take themselves.
        let table_sectors = (sectors / cluster_sectors + 2).div_ceil(SECTOR / 4);
        let start = (RESERVED + 2 * table_sectors).next_multiple_of(ALIGN_SECTORS.max(cluster_sectors));
        let reserved = start - 2 * table_sectors;
        let clusters = sectors.saturating_sub(start) / cluster_sectors;
        Self {
            sectors,
            reserved,
            table_sectors,
            cluster_sectors,
            clusters,
        }
    }

    fn cluster_bytes(&self) -> u64 {
        self.cluster_sectors * SECTOR
    }

    /// Where a cluster starts, in bytes.
    fn position(&self, cluster: u32) -> u64 {
        let data = self.reserved + 2 * self.table_sectors;
        (data + u64::from(cluster - ROOT_CLUSTER) * self.cluster_sectors) * SECTOR
    }
}

/// A file or directory in its place.
#[derive(Debug)]
struct Node {
    name: String,
    short: name::Short,
    parent: usize,
    kind: NodeKind,
    first: u32,
    clusters: u64,
}

#[derive(Debug)]
enum NodeKind {
    /// Indexes of its children, by their upper-case names.
    Directory(BTreeMap<String, usize>),
    File(Content),
}

/// A planned FAT32 file system.
#[derive(Debug)]
pub struct Layout {
    settings: Settings,
    label: [u8; 11],
    geometry: Geometry,
    /// The first is the root.
    nodes: Vec<Node>,
    /// The first cluster that is free.
    free: u32,
}

/// Lays files out. Their order in the list is of no account.
///
/// # Errors
/// [`Error::TooSmall`], [`Error::Duplicate`] (names differ by more than case), [`Error::InvalidPath`],
/// [`Error::Unrepresentable`] for files of 4 GiB and more, [`Error::Settings`].
pub fn plan(files: &[File], settings: &Settings) -> Result<Layout> {
    let geometry = Geometry::new(settings.size)?;
    let label = name::label(&settings.label).ok_or_else(|| Error::Settings {
        what: "FAT32",
        problem: format!("the label `{}`", settings.label),
    })?;
    let root = Node {
        name: String::new(),
        short: name::Short::EMPTY,
        parent: 0,
        kind: NodeKind::Directory(BTreeMap::new()),
        first: ROOT_CLUSTER,
        clusters: 0,
    };
    let mut layout = Layout {
        settings: settings.clone(),
        label,
        geometry,
        nodes: vec![root],
        free: ROOT_CLUSTER,
    };
    let mut files: Vec<&File> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for file in files {
        layout.insert(file)?;
    }
    layout.name_shortly()?;
    layout.place()?;
    Ok(layout)
}

impl Layout {
    /// The size of the file system in bytes.
    pub fn size(&self) -> u64 {
        self.geometry.sectors * SECTOR
    }

    /// How many bytes are free.
    pub fn free(&self) -> u64 {
        (self.geometry.clusters - u64::from(self.free - ROOT_CLUSTER)) * self.geometry.cluster_bytes()
    }

    fn insert(&mut self, file: &File) -> Result<()> {
        let path = TreePath::new(&file.path)?;
        if file.content.size() > MAX_FILE {
            let problem = format!("it has {} bytes, {MAX_FILE} is the most", file.content.size());
            return Err(Error::Unrepresentable {
                path: file.path.clone(),
                format: "FAT32",
                problem,
            });
        }
        let mut at = 0;
        let mut components = file.path.trim_start_matches('/').split('/').peekable();
        if path.is_root() {
            return Err(Error::InvalidPath {
                path: file.path.clone(),
                reason: "it names no file",
            });
        }
        while let Some(component) = components.next() {
            if !name::is_valid(component) {
                let reason = "FAT does not allow this name";
                return Err(Error::InvalidPath {
                    path: file.path.clone(),
                    reason,
                });
            }
            let is_last = components.peek().is_none();
            let existing = match &self.nodes[at].kind {
                NodeKind::Directory(children) => children.get(&component.to_uppercase()).copied(),
                NodeKind::File(_) => {
                    let parent = self.nodes[at].name.clone();
                    return Err(Error::ParentNotDirectory {
                        path: file.path.clone(),
                        parent,
                    });
                }
            };
            at = match existing {
                Some(_) if is_last => {
                    return Err(Error::Duplicate {
                        path: file.path.clone(),
                    });
                }
                Some(existing) => existing,
                None if is_last => self.add(at, component, NodeKind::File(file.content.clone())),
                None => self.add(at, component, NodeKind::Directory(BTreeMap::new())),
            };
        }
        Ok(())
    }

    fn add(&mut self, parent: usize, name: &str, kind: NodeKind) -> usize {
        let index = self.nodes.len();
        let short = name::Short::EMPTY;
        self.nodes.push(Node {
            name: name.to_owned(),
            short,
            parent,
            kind,
            first: 0,
            clusters: 0,
        });
        if let NodeKind::Directory(children) = &mut self.nodes[parent].kind {
            children.insert(name.to_uppercase(), index);
        }
        index
    }

    fn children(&self, index: usize) -> Vec<usize> {
        match &self.nodes[index].kind {
            NodeKind::Directory(children) => children.values().copied().collect(),
            NodeKind::File(_) => Vec::new(),
        }
    }

    /// Gives every node a name of 8 and 3 characters that is alone in its directory.
    fn name_shortly(&mut self) -> Result<()> {
        for directory in 0..self.nodes.len() {
            let children = self.children(directory);
            let names: Vec<&str> = children
                .iter()
                .map(|&child| self.nodes[child].name.as_str())
                .collect();
            let shorts = name::shorten(&names).ok_or_else(|| Error::Settings {
                what: "FAT32",
                problem: format!(
                    "no short names are left in the directory `{}`",
                    self.nodes[directory].name
                ),
            })?;
            for (child, short) in children.into_iter().zip(shorts) {
                self.nodes[child].short = short;
            }
        }
        Ok(())
    }

    /// Gives out clusters: directories first, then files, each in order.
    fn place(&mut self) -> Result<()> {
        let cluster_bytes = self.geometry.cluster_bytes();
        let is_file = |node: &Node| matches!(node.kind, NodeKind::File(_));
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        order.sort_by_key(|&index| (is_file(&self.nodes[index]), index));
        let mut next = u64::from(ROOT_CLUSTER);
        for index in order {
            let bytes = match &self.nodes[index].kind {
                NodeKind::File(content) => content.size(),
                NodeKind::Directory(_) => {
                    let records = self.records(index);
                    if records > MAX_RECORDS {
                        let problem = format!("`{}` has too many entries", self.nodes[index].name);
                        return Err(Error::Settings {
                            what: "FAT32",
                            problem,
                        });
                    }
                    (records * RECORD) as u64
                }
            };
            let clusters = bytes.div_ceil(cluster_bytes);
            // An empty file has no cluster at all.
            self.nodes[index].first = if clusters == 0 {
                0
            } else {
                u32::try_from(next).unwrap_or(u32::MAX)
            };
            self.nodes[index].clusters = clusters;
            next += clusters;
        }
        let used = next - u64::from(ROOT_CLUSTER);
        if used > self.geometry.clusters {
            let needed = self.settings.size + (used - self.geometry.clusters) * cluster_bytes;
            return Err(Error::TooSmall {
                what: "a FAT32 file system",
                size: self.settings.size,
                needed,
            });
        }
        self.free = next as u32;
        Ok(())
    }

    /// Records of a directory: label, or `.` and `..`; for each child its long name and itself.
    fn records(&self, index: usize) -> usize {
        let own = if index == 0 { 1 } else { 2 };
        own + self
            .children(index)
            .iter()
            .map(|&child| self.nodes[child].records())
            .sum::<usize>()
    }
}

impl Node {
    fn records(&self) -> usize {
        if self.short.is_whole() {
            1
        } else {
            1 + name::long_records(&self.name)
        }
    }
}
