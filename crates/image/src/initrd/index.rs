//! The binary index files of kernel modules (`modules.dep.bin`, `modules.alias.bin`).
//!
//! Format: kmod's `libkmod-index.h`, version 2.1. All numbers are big-endian.
//!
//! ```text
//! file    magic 0xB007F457 | version 0x00020001 | reference to the root node | nodes
//! node    [prefix, zero-terminated]  [first, last: u8, then a reference for each byte first..=last]
//!         [count, then for each value: priority, text, zero-terminated]
//! reference: the offset of the node, with the bits 31, 30, 29 telling whether it has prefix, values, children
//! ```
//!
//! kmod reads only these, not the text files; a subset of the text files would otherwise be of no use without `depmod`.

use std::collections::BTreeMap;

const MAGIC: u32 = 0xB007_F457;
const VERSION: u32 = 0x0002_0001;
const HAS_PREFIX: u32 = 1 << 31;
const HAS_VALUES: u32 = 1 << 30;
const HAS_CHILDREN: u32 = 1 << 29;
const OFFSET_MASK: u32 = 0x0FFF_FFFF;

/// A value under a key: the smaller the priority number, the earlier it is found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Value {
    priority: u32,
    text: Vec<u8>,
}

#[derive(Debug, Default)]
struct Node {
    prefix: Vec<u8>,
    children: BTreeMap<u8, Node>,
    values: Vec<Value>,
}

/// An index being made: keys to values.
#[derive(Debug, Default)]
pub(super) struct Index {
    root: Node,
}

impl Index {
    /// Adds a value under a key. Keys are ASCII without zero bytes; others are not representable and are refused.
    pub(super) fn insert(&mut self, key: &str, text: &str, priority: u32) -> Result<(), &'static str> {
        if !key.bytes().all(|b| b.is_ascii() && b != 0) || text.contains('\0') {
            return Err("a name or alias with bytes that are not ASCII");
        }
        self.root.insert(
            key.as_bytes(),
            Value {
                priority,
                text: text.as_bytes().to_vec(),
            },
        );
        Ok(())
    }

    /// The bytes of the index file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(MAGIC.to_be_bytes());
        out.extend(VERSION.to_be_bytes());
        out.extend([0; 4]);
        let root = self.root.write(&mut out);
        out[8..12].copy_from_slice(&root.to_be_bytes());
        out
    }
}

impl Node {
    fn insert(&mut self, key: &[u8], value: Value) {
        let shared = self.prefix.iter().zip(key).take_while(|(a, b)| a == b).count();
        if shared < self.prefix.len() {
            // The node's prefix goes on differently: what it was becomes its child.
            let rest = self.prefix.split_off(shared);
            let lower = Node {
                prefix: rest[1..].to_vec(),
                children: std::mem::take(&mut self.children),
                values: std::mem::take(&mut self.values),
            };
            self.children.insert(rest[0], lower);
        }
        match key[shared..].split_first() {
            None => {
                let at = self.values.partition_point(|v| *v <= value);
                self.values.insert(at, value);
            }
            Some((first, rest)) => match self.children.get_mut(first) {
                Some(child) => child.insert(rest, value),
                None => {
                    let leaf = Node {
                        prefix: rest.to_vec(),
                        values: vec![value],
                        ..Node::default()
                    };
                    self.children.insert(*first, leaf);
                }
            },
        }
    }

    /// Writes this node and then those below it, in the order of depmod, and gives the reference to this one.
    fn write(&self, out: &mut Vec<u8>) -> u32 {
        let mut reference = u32::try_from(out.len()).map_or(0, |o| o & OFFSET_MASK);
        if !self.prefix.is_empty() {
            reference |= HAS_PREFIX;
            out.extend(&self.prefix);
            out.push(0);
        }
        let mut table = 0;
        let range = self.children.keys().next().zip(self.children.keys().last());
        if let Some((&first, &last)) = range {
            reference |= HAS_CHILDREN;
            out.extend([first, last]);
            table = out.len();
            out.resize(table + 4 * (usize::from(last - first) + 1), 0);
        }
        if !self.values.is_empty() {
            reference |= HAS_VALUES;
            out.extend(u32::try_from(self.values.len()).unwrap_or(u32::MAX).to_be_bytes());
            for value in &self.values {
                out.extend(value.priority.to_be_bytes());
                out.extend(&value.text);
                out.push(0);
            }
        }
        if let Some((&first, _)) = range {
            for (&byte, child) in &self.children {
                let at = table + 4 * usize::from(byte - first);
                let child = child.write(out).to_be_bytes();
                out[at..at + 4].copy_from_slice(&child);
            }
        }
        reference
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A reader after the format's description, for the test only: the first value of an exact key.
    fn get(data: &[u8], key: &[u8]) -> Option<String> {
        let number = |at: usize| u32::from_be_bytes(data[at..at + 4].try_into().unwrap());
        assert_eq!((number(0), number(4)), (MAGIC, VERSION));
        let (mut reference, mut key) = (number(8), key);
        loop {
            let mut at = (reference & OFFSET_MASK) as usize;
            if reference & HAS_PREFIX != 0 {
                let end = at + data[at..].iter().position(|&b| b == 0).unwrap();
                key = key.strip_prefix(&data[at..end])?;
                at = end + 1;
            }
            let mut children = None;
            if reference & HAS_CHILDREN != 0 {
                let (first, last) = (data[at], data[at + 1]);
                children = Some((first, last, at + 2));
                at += 2 + 4 * (usize::from(last - first) + 1);
            }
            let Some((&byte, rest)) = key.split_first() else {
                if reference & HAS_VALUES == 0 {
                    return None;
                }
                let text = &data[at + 8..];
                let end = text.iter().position(|&b| b == 0).unwrap();
                return Some(String::from_utf8(text[..end].to_vec()).unwrap());
            };
            let (first, last, table) = children?;
            if !(first..=last).contains(&byte) {
                return None;
            }
            reference = number(table + 4 * usize::from(byte - first));
            if reference == 0 {
                return None;
            }
            key = rest;
        }
    }

    #[test]
    fn what_is_inserted_is_found() {
        let entries = [
            ("virtio_blk", "kernel/drivers/block/virtio_blk.ko:"),
            (
                "virtio_scsi",
                "kernel/drivers/scsi/virtio_scsi.ko: kernel/drivers/scsi/scsi_mod.ko",
            ),
            ("virtio", "v"),
            ("sd_mod", "s"),
            ("", "empty"),
            ("virtio_blk2", "x"),
            ("a", "y"),
        ];
        let mut index = Index::default();
        for (key, value) in entries {
            index.insert(key, value, 0).unwrap();
        }
        let bytes = index.to_bytes();
        for (key, value) in entries {
            assert_eq!(get(&bytes, key.as_bytes()).as_deref(), Some(value), "{key}");
        }
        for absent in ["virt", "virtio_b", "virtio_blk3", "z", "sd_mod_"] {
            assert_eq!(get(&bytes, absent.as_bytes()), None, "{absent}");
        }
        assert!(index.insert("ä", "", 0).is_err());
    }

    #[test]
    fn lower_priorities_come_first_and_the_order_of_insertion_does_not_matter() {
        let (mut a, mut b) = (Index::default(), Index::default());
        for (key, text, priority) in [("k", "late", 9), ("k", "early", 1), ("kk", "z", 0)] {
            a.insert(key, text, priority).unwrap();
        }
        for (key, text, priority) in [("kk", "z", 0), ("k", "early", 1), ("k", "late", 9)] {
            b.insert(key, text, priority).unwrap();
        }
        assert_eq!(a.to_bytes(), b.to_bytes());
        assert_eq!(get(&a.to_bytes(), b"k").as_deref(), Some("early"));
    }

    /// What depmod of kmod 34 makes of two modules, byte for byte.
    #[test]
    fn the_bytes_are_those_of_depmod() {
        let check = |entries: &[(&str, &str, u32)], expected: &str| {
            let mut index = Index::default();
            for (key, text, priority) in entries {
                index.insert(key, text, *priority).unwrap();
            }
            assert_eq!(hex::encode(index.to_bytes()), expected);
        };
        check(
            &[
                ("virtio_rng", "k/virtio-rng.ko:", 0),
                ("virtio_blk", "k/virtio_blk.ko:", 1),
            ],
            "b007f457000200012000000c7676a0000012697274696f5f006272c000005f00000000000000000000000000000000000000\
             0000000000000000000000000000000000000000000000000000000000000000000000000000000000c000007b6c6b000000\
             0001000000016b2f76697274696f5f626c6b2e6b6f3a006e670000000001000000006b2f76697274696f2d726e672e6b6f3a\
             00",
        );
        check(
            &[
                ("virtio:d00000004v*", "virtio_rng", 0),
                ("virtio:d00000002v*", "virtio_blk", 1),
            ],
            "b007f457000200012000000c7676a0000012697274696f3a6430303030303030003234c000002f00000000c0000045762a00\
             000000010000000176697274696f5f626c6b00762a00000000010000000076697274696f5f726e6700",
        );
    }
}
