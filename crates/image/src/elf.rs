//! What an ELF file needs at run time: its interpreter and its libraries.
//!
//! Formats: System V ABI, chapter 5 (program loading and dynamic linking). Only program headers are read; a file
//! without section headers is as good as any. The reader is `object`'s, which checks every access.

use object::elf::{DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB, DynamicTag, FileHeader32};
use object::elf::{FileHeader64, PT_DYNAMIC, PT_INTERP, PT_LOAD};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, FileKind};

/// How many entries of a dynamic section are read; real ones have about thirty.
const MAX_DYNAMIC: usize = 4096;

/// What a file needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The program interpreter (`/lib64/ld-linux-x86-64.so.2`).
    pub(crate) interpreter: Option<String>,
    /// The `DT_NEEDED` names, in their order.
    pub(crate) libraries: Vec<String>,
    /// The folders of `DT_RUNPATH`, or else of `DT_RPATH`; `$ORIGIN` not yet replaced.
    pub(crate) search: Vec<String>,
}

/// Reads what the ELF file `data` needs; `None` if it is no ELF file.
pub(crate) fn needs(data: &[u8]) -> Result<Option<Needs>, String> {
    if !data.starts_with(b"\x7fELF") {
        return Ok(None);
    }
    let needs = match FileKind::parse(data).map_err(|e| e.to_string())? {
        FileKind::Elf64 => read::<FileHeader64<Endianness>>(data)?,
        FileKind::Elf32 => read::<FileHeader32<Endianness>>(data)?,
        _ => return Err("it is of an unknown ELF class".to_owned()),
    };
    Ok(Some(needs))
}

fn read<H: FileHeader<Endian = Endianness>>(data: &[u8]) -> Result<Needs, String> {
    let text = |e: object::read::Error| e.to_string();
    let header = H::parse(data).map_err(text)?;
    let endian = header.endian().map_err(text)?;
    let segments = header.program_headers(endian, data).map_err(text)?;
    let mut needs = Needs::default();
    let mut dynamic: &[H::Dyn] = &[];
    for segment in segments {
        match segment.p_type(endian) {
            PT_INTERP => {
                let bytes = segment
                    .data(endian, data)
                    .map_err(|()| "its interpreter lies outside of it".to_owned())?;
                needs.interpreter = Some(utf8(bytes.split(|&b| b == 0).next().unwrap_or_default())?);
            }
            PT_DYNAMIC => dynamic = segment.dynamic(endian, data).map_err(text)?.unwrap_or_default(),
            _ => {}
        }
    }
    let values: Vec<(DynamicTag, u64)> = dynamic
        .iter()
        .take(MAX_DYNAMIC)
        .map(|entry| (entry.tag(endian), entry.d_val(endian).into()))
        .take_while(|(tag, _)| *tag != DT_NULL)
        .collect();
    let first = |wanted: DynamicTag| {
        values
            .iter()
            .find(|(tag, _)| *tag == wanted)
            .map(|(_, value)| *value)
    };
    let Some(address) = first(DT_STRTAB) else {
        return Ok(needs);
    };
    let size = first(DT_STRSZ).ok_or("its string table has no size")?;
    let strings = segments
        .iter()
        .filter(|s| s.p_type(endian) == PT_LOAD)
        .find_map(|s| s.data_range(endian, data, address, size).ok().flatten())
        .ok_or("its string table lies outside of it")?;
    let string = |offset: u64| -> Result<String, String> {
        let start = usize::try_from(offset).ok().filter(|&o| o < strings.len());
        let rest = &strings[start.ok_or("a name lies outside of its string table")?..];
        utf8(rest.split(|&b| b == 0).next().unwrap_or_default())
    };
    for (tag, value) in &values {
        if *tag == DT_NEEDED {
            needs.libraries.push(string(*value)?);
        }
    }
    if let Some(offset) = first(DT_RUNPATH).or_else(|| first(DT_RPATH)) {
        needs.search = string(offset)?
            .split(':')
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect();
    }
    Ok(needs)
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a name in it is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_this_program() {
        let data = std::fs::read("/proc/self/exe").unwrap();
        let needs = needs(&data).unwrap().unwrap();
        assert!(
            needs.interpreter.unwrap().contains("ld-"),
            "the test program is linked dynamically"
        );
        assert!(needs.libraries.iter().any(|l| l.starts_with("libc.so")));
    }

    #[test]
    fn other_files_are_not_elf() {
        assert_eq!(needs(b"#!/bin/sh\n"), Ok(None));
        assert_eq!(needs(b""), Ok(None));
    }

    /// Damage anywhere in the headers or the dynamic section is an error or a smaller answer, never a panic.
    #[test]
    fn damage_is_no_panic() {
        let whole = std::fs::read("/proc/self/exe").unwrap();
        let mut data = whole[..whole.len().min(1 << 20)].to_vec();
        for cut in [4, 5, 16, 63, 64, 65, 200, 1000] {
            let _ = needs(&data[..cut]);
        }
        for at in 4..2048 {
            for flip in [1u8, 0x80, 0xff] {
                data[at] ^= flip;
                let _ = needs(&data);
                data[at] ^= flip;
            }
        }
    }
}
