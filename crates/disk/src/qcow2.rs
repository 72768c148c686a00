//! qcow2 images, version 3, written in one pass, with clusters compressed in parallel.
//!
//! Specification: QEMU's `docs/interop/qcow2.txt`.
//!
//! ```text
//! header │ L1 table │ L2 tables │ clusters, compressed or not, in the order of the disk │ refcount table │ refcount blocks
//! ```
//!
//! Clusters of zeros are left unallocated. QEMU reads zstd clusters from version 5.1 on.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rayon::prelude::*;

use crate::sparse::{data_ranges, is_zero};
use crate::{Error, OutputFile, Region, Result};

/// Bytes of a cluster, QEMU's default.
const CLUSTER: u64 = 1 << CLUSTER_BITS;
const CLUSTER_BITS: u32 = 16;
/// Entries of an L2 table.
const L2_ENTRIES: u64 = CLUSTER / 8;
/// Refcounts (of 16 bits) in a refcount block.
const REFCOUNTS: u64 = CLUSTER / 2;
/// Lengths of compressed clusters count in sectors.
const SECTOR: u64 = 512;
/// In a descriptor of a compressed cluster, the offset has so many bits: 62 less the bits of the length.
const OFFSET_BITS: u32 = 62 - (CLUSTER_BITS - 8);
/// `QCOW_OFLAG_COPIED`: the cluster has exactly one reference.
const COPIED: u64 = 1 << 63;
/// `QCOW_OFLAG_COMPRESSED`.
const COMPRESSED: u64 = 1 << 62;
const MAGIC: [u8; 4] = *b"QFI\xFB";
/// Bytes of the header, up to and with the compression type.
const HEADER: u32 = 112;
/// Incompatible feature: the compression type is not deflate.
const INCOMPATIBLE_COMPRESSION: u64 = 1 << 3;
/// Clusters that are read and compressed at once.
const BATCH: usize = 256;
/// The largest disk: 64 TiB, so that the tables stay in memory.
const MAX_SIZE: u64 = 64 << 40;

/// Whether clusters are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Stored as they are.
    None,
    /// By zstd of this level.
    Zstd(i32),
}

/// Writes `out`, a qcow2 image of the raw disk `raw`.
pub fn convert(raw: &Path, out: &Path, compression: Compression) -> Result<()> {
    let file = File::open(raw).map_err(|e| Error::io("open", raw, e))?;
    let size = file
        .metadata()
        .map_err(|e| Error::io("read the size of", raw, e))?
        .len();
    if size == 0 || size > MAX_SIZE || !size.is_multiple_of(SECTOR) {
        let problem = format!("a disk of {size} bytes; it must have whole sectors and at most 64 TiB");
        return Err(Error::Settings {
            what: "qcow2",
            problem,
        });
    }
    let output = OutputFile::create(out)?;
    let mut writer = Writer::new(&output, size, compression);
    for batch in cluster_batches(&file, raw, size)? {
        let clusters: Vec<Cluster> = batch
            .par_iter()
            .map_init(
                || compressor(compression),
                |tool, &index| read_cluster(&file, raw, size, index, tool),
            )
            .collect::<Result<_>>()?;
        writer.add(&batch, clusters)?;
    }
    writer.finish()?;
    output.commit()
}

/// A cluster as it will be stored.
enum Cluster {
    Zero,
    Plain(Vec<u8>),
    Compressed(Vec<u8>),
}

type Compressor = Result<Option<zstd::bulk::Compressor<'static>>, std::io::Error>;

fn compressor(compression: Compression) -> Compressor {
    match compression {
        Compression::None => Ok(None),
        Compression::Zstd(level) => zstd::bulk::Compressor::new(level).map(Some),
    }
}

/// The numbers of all clusters that may hold data, in batches.
fn cluster_batches(file: &File, path: &Path, size: u64) -> Result<Vec<Vec<u64>>> {
    let mut clusters: Vec<u64> = Vec::new();
    for range in data_ranges(file, path, 0..size)? {
        let next = clusters.last().map_or(0, |last| last + 1);
        clusters.extend((range.start / CLUSTER).max(next)..range.end.div_ceil(CLUSTER));
    }
    Ok(clusters.chunks(BATCH).map(<[u64]>::to_vec).collect())
}

fn read_cluster(file: &File, path: &Path, size: u64, index: u64, tool: &mut Compressor) -> Result<Cluster> {
    let start = index * CLUSTER;
    let mut bytes = vec![0; CLUSTER as usize];
    let length = (size - start).min(CLUSTER) as usize;
    file.read_exact_at(&mut bytes[..length], start)
        .map_err(|e| Error::io("read", path, e))?;
    if is_zero(&bytes) {
        return Ok(Cluster::Zero);
    }
    let failed = |e: &std::io::Error| Error::Settings {
        what: "qcow2",
        problem: format!("zstd failed: {e}"),
    };
    match tool {
        Ok(None) => Ok(Cluster::Plain(bytes)),
        Ok(Some(tool)) => {
            let packed = tool.compress(&bytes).map_err(|e| failed(&e))?;
            // It counts in sectors: less than one saved is nothing saved.
            let saves = (packed.len() as u64).next_multiple_of(SECTOR) < CLUSTER;
            Ok(if saves {
                Cluster::Compressed(packed)
            } else {
                Cluster::Plain(bytes)
            })
        }
        Err(e) => Err(failed(e)),
    }
}

struct Writer<'f> {
    region: Region<'f>,
    size: u64,
    compression: Compression,
    /// Where each guest cluster is, as a descriptor.
    map: Vec<u64>,
    /// References of each cluster of the file.
    refcounts: Vec<u16>,
    /// The end of what is written.
    cursor: u64,
    /// Where the last L2 table ends.
    tables_end: u64,
}

impl<'f> Writer<'f> {
    fn new(output: &'f OutputFile, size: u64, compression: Compression) -> Self {
        let clusters = size.div_ceil(CLUSTER);
        let l2_tables = clusters.div_ceil(L2_ENTRIES);
        let l1_clusters = (8 * l2_tables).div_ceil(CLUSTER);
        let tables_end = (1 + l1_clusters + l2_tables) * CLUSTER;
        Self {
            // The file grows while it is written: there is no length to keep to.
            region: output.region(u64::MAX >> 1),
            size,
            compression,
            map: vec![0; clusters as usize],
            refcounts: vec![1; (tables_end / CLUSTER) as usize],
            cursor: tables_end,
            tables_end,
        }
    }

    /// Places clusters one after the other and writes them as one run.
    fn add(&mut self, indexes: &[u64], clusters: Vec<Cluster>) -> Result<()> {
        let from = self.cursor;
        let mut run = Vec::with_capacity(BATCH * CLUSTER as usize / 2);
        for (&index, cluster) in indexes.iter().zip(clusters) {
            let (descriptor, bytes, start) = match cluster {
                Cluster::Zero => continue,
                Cluster::Plain(bytes) => {
                    let start = self.cursor.next_multiple_of(CLUSTER);
                    (start | COPIED, bytes, start)
                }
                Cluster::Compressed(bytes) => {
                    let start = self.cursor;
                    // Whole sectors beside the one in which it starts, at least to the last byte.
                    let sectors = (start % SECTOR + bytes.len() as u64 - 1) / SECTOR;
                    (COMPRESSED | sectors << OFFSET_BITS | start, bytes, start)
                }
            };
            self.map[index as usize] = descriptor;
            run.resize((start - from) as usize, 0);
            run.extend_from_slice(&bytes);
            self.cursor = start + bytes.len() as u64;
            self.count(start..self.cursor);
        }
        self.region.write_at(from, &run)
    }

    /// Counts a reference to every cluster of the file that a range touches.
    fn count(&mut self, range: std::ops::Range<u64>) {
        let clusters = (range.start / CLUSTER) as usize..range.end.div_ceil(CLUSTER) as usize;
        if self.refcounts.len() < clusters.end {
            self.refcounts.resize(clusters.end, 0);
        }
        for count in &mut self.refcounts[clusters] {
            // No compressed cluster is shorter than 9 bytes, so at most some thousands share one cluster.
            *count += 1;
        }
    }

    fn finish(mut self) -> Result<()> {
        let (table_start, table_clusters, blocks) = self.place_refcounts();
        let block_start = table_start + table_clusters * CLUSTER;
        let table: Vec<u8> = (0..blocks)
            .flat_map(|block| (block_start + block * CLUSTER).to_be_bytes())
            .collect();
        self.region.write_at(table_start, &table)?;
        let mut counts: Vec<u8> = self
            .refcounts
            .iter()
            .flat_map(|count| count.to_be_bytes())
            .collect();
        // The last block reaches to the end of the file: its zeros are written, so that the file has whole clusters.
        counts.resize((blocks * CLUSTER) as usize, 0);
        self.region.write_at(block_start, &counts)?;
        self.write_tables()?;
        self.region.write_at(0, &self.header(table_start, table_clusters))
    }

    /// Where the refcounts go, which count themselves too: start and clusters of the table, number of blocks.
    fn place_refcounts(&mut self) -> (u64, u64, u64) {
        let used = self.refcounts.len() as u64;
        let (mut table, mut blocks) = (1, 1);
        loop {
            let all = used + table + blocks;
            let (need_blocks, need_table) = (all.div_ceil(REFCOUNTS), (8 * blocks).div_ceil(CLUSTER));
            if need_blocks <= blocks && need_table <= table {
                break;
            }
            (blocks, table) = (need_blocks.max(blocks), need_table.max(table));
        }
        self.refcounts.resize((used + table + blocks) as usize, 1);
        (used * CLUSTER, table, blocks)
    }

    fn write_tables(&self) -> Result<()> {
        let l2_tables = self.map.len().div_ceil(L2_ENTRIES as usize) as u64;
        let l2_start = self.tables_end - l2_tables * CLUSTER;
        let l1: Vec<u8> = (0..l2_tables)
            .flat_map(|table| ((l2_start + table * CLUSTER) | COPIED).to_be_bytes())
            .collect();
        self.region.write_at(CLUSTER, &l1)?;
        for (index, entries) in self.map.chunks(L2_ENTRIES as usize).enumerate() {
            if entries.iter().any(|&entry| entry != 0) {
                let table: Vec<u8> = entries.iter().flat_map(|entry| entry.to_be_bytes()).collect();
                self.region.write_at(l2_start + index as u64 * CLUSTER, &table)?;
            }
        }
        Ok(())
    }

    fn header(&self, refcount_table: u64, refcount_clusters: u64) -> Vec<u8> {
        let zstd = matches!(self.compression, Compression::Zstd(_));
        let l2_tables = self.map.len().div_ceil(L2_ENTRIES as usize) as u32;
        let mut header = Vec::with_capacity(HEADER as usize + 8);
        header.extend_from_slice(&MAGIC);
        let mut word = |value: u32| header.extend_from_slice(&value.to_be_bytes());
        word(3);
        // No backing file: offset (8 bytes) and length.
        (0..3).for_each(|_| word(0));
        word(CLUSTER_BITS);
        word((self.size >> 32) as u32);
        word(self.size as u32);
        // Not encrypted.
        word(0);
        word(l2_tables);
        // The L1 table is the second cluster.
        word(0);
        word(CLUSTER as u32);
        word((refcount_table >> 32) as u32);
        word(refcount_table as u32);
        word(refcount_clusters as u32);
        // No snapshots: number, offset (8 bytes).
        (0..3).for_each(|_| word(0));
        // Incompatible, compatible and autoclear features.
        word(0);
        word(if zstd { INCOMPATIBLE_COMPRESSION as u32 } else { 0 });
        (0..4).for_each(|_| word(0));
        // Refcounts of 2⁴ bits; length of the header; compression type and padding; then no header extension.
        word(4);
        word(HEADER);
        word(if zstd { 1 << 24 } else { 0 });
        (0..3).for_each(|_| word(0));
        header
    }
}
