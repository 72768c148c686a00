//! What ELF files provide and require, in the words that rpm's `elfdeps` uses.
//!
//! A shared object provides `libfoo.so.1()(64bit)` and each version it defines, `libfoo.so.1(FOO_1.0)(64bit)`; what a
//! file needs is written the same way. The `(64bit)` is missing for 32-bit objects. Names that do not look like those
//! of shared libraries (plug-ins) are passed over, as rpm does.
//!
//! Formats: System V ABI, chapters 4 and 5; Linux Standard Base Core, "Symbol Versioning".

use std::collections::BTreeSet;

use object::elf;
use object::read::elf::FileHeader;
use object::{Endianness, FileKind};

/// What one ELF file provides and requires, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ElfDependencies {
    /// Capabilities of its soname.
    pub provides: BTreeSet<String>,
    /// Capabilities of what it needs.
    pub requires: BTreeSet<String>,
}

/// Whether a file that has no soname provides its own name instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingSoname {
    /// It lies where the dynamic linker looks for libraries: this file name counts.
    FileName,
    /// It provides nothing.
    Nothing,
}

/// Why an ELF file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a damaged ELF file: {0}")]
pub struct ElfError(#[from] object::Error);

/// Reads an executable or a shared object; `None` if `data` is neither.
///
/// `file_name` is the last part of its path. Nothing but the tables that matter is read: large files are quick.
pub fn elf_dependencies(
    data: &[u8],
    file_name: &str,
    missing: MissingSoname,
) -> Result<Option<ElfDependencies>, ElfError> {
    match FileKind::parse(data) {
        Ok(FileKind::Elf64) => read::<elf::FileHeader64<Endianness>>(data, "(64bit)", file_name, missing),
        Ok(FileKind::Elf32) => read::<elf::FileHeader32<Endianness>>(data, "", file_name, missing),
        _ => Ok(None),
    }
}

/// What the dynamic section says.
#[derive(Default)]
struct Dynamic {
    soname: Option<String>,
    needed: Vec<String>,
    hash: bool,
    gnu_hash: bool,
    debug: bool,
}

fn read<Elf: FileHeader<Endian = Endianness>>(
    data: &[u8],
    marker: &str,
    file_name: &str,
    missing: MissingSoname,
) -> Result<Option<ElfDependencies>, ElfError> {
    let header = Elf::parse(data)?;
    let endian = header.endian()?;
    let kind = header.e_type(endian);
    if kind != elf::ET_EXEC && kind != elf::ET_DYN {
        return Ok(None);
    }
    // Alpha has one class only, and rpm marks it not.
    let marker = if header.e_machine(endian) == elf::EM_ALPHA {
        ""
    } else {
        marker
    };
    let sections = header.sections(endian, data)?;
    let mut found = ElfDependencies::default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();

    if let Some((mut definitions, link)) = sections.gnu_verdef(endian, data)? {
        let strings = sections.strings(endian, data, link)?;
        let mut soname = None;
        while let Some((definition, mut names)) = definitions.next()? {
            while let Some(name) = names.next()? {
                let name = text(name.name(endian, strings)?);
                if definition.vd_flags.get(endian).0 & elf::VER_FLG_BASE.0 != 0 {
                    soname = Some(name);
                } else if let Some(soname) = &soname {
                    add(&mut found.provides, soname, &name, marker);
                }
            }
        }
    }
    if let Some((mut needs, link)) = sections.gnu_verneed(endian, data)? {
        let strings = sections.strings(endian, data, link)?;
        while let Some((need, mut versions)) = needs.next()? {
            let soname = text(need.file(endian, strings)?);
            while let Some(version) = versions.next()? {
                let version = text(version.name(endian, strings)?);
                add(&mut found.requires, &soname, &version, marker);
            }
        }
    }
    let dynamic = dynamic::<Elf>(header, endian, data)?;
    for soname in &dynamic.needed {
        add(&mut found.requires, soname, "", marker);
    }
    if dynamic.gnu_hash && !dynamic.hash {
        found.requires.insert("rtld(GNU_HASH)".to_owned());
    }
    // DT_DEBUG marks an executable, position-independent ones too.
    if kind == elf::ET_DYN && !dynamic.debug {
        let soname = match (dynamic.soname, missing) {
            (Some(soname), _) => Some(soname),
            (None, MissingSoname::FileName) => Some(file_name.to_owned()),
            (None, MissingSoname::Nothing) => None,
        };
        if let Some(soname) = soname {
            add(&mut found.provides, &soname, "", marker);
        }
    }
    Ok(Some(found))
}

fn dynamic<Elf: FileHeader<Endian = Endianness>>(
    header: &Elf,
    endian: Endianness,
    data: &[u8],
) -> Result<Dynamic, ElfError> {
    use object::read::elf::Dyn as _;
    let mut result = Dynamic::default();
    let sections = header.sections(endian, data)?;
    let Some((entries, link)) = sections.dynamic(endian, data)? else {
        return Ok(result);
    };
    let strings = sections.strings(endian, data, link)?;
    for entry in entries {
        match entry.tag(endian) {
            elf::DT_NULL => break,
            elf::DT_HASH => result.hash = true,
            elf::DT_GNU_HASH => result.gnu_hash = true,
            elf::DT_DEBUG => result.debug = true,
            tag @ (elf::DT_SONAME | elf::DT_NEEDED) => {
                let name = String::from_utf8_lossy(entry.string(endian, strings)?).into_owned();
                if tag == elf::DT_SONAME {
                    result.soname = Some(name)
                } else {
                    result.needed.push(name)
                }
            }
            _ => {}
        }
    }
    Ok(result)
}

fn add(set: &mut BTreeSet<String>, soname: &str, version: &str, marker: &str) {
    if !looks_like_library(soname) {
        return;
    }
    let capability = if version.is_empty() && marker.is_empty() {
        soname.to_owned()
    } else {
        format!("{soname}({version}){marker}")
    };
    set.insert(capability);
}

/// rpm passes over what is no library: names without `.so`, or with another beginning.
fn looks_like_library(soname: &str) -> bool {
    const BEGINNINGS: [&str; 5] = ["lib", "ld.", "ld-", "ld64.", "ld64-"];
    soname.contains(".so")
        && !soname.contains(char::is_whitespace)
        && BEGINNINGS.iter().any(|beginning| soname.starts_with(beginning))
}

/// The program that interprets a script: `#!/bin/sh -e` is `/bin/sh`. Of `env`, the program that it starts.
pub(crate) fn interpreter(content: &[u8]) -> Option<&str> {
    /// Longer lines are cut by the kernel (BINPRM_BUF_SIZE).
    const MAX_LINE: usize = 256;
    let line = content.strip_prefix(b"#!")?;
    let line = &line[..line.len().min(MAX_LINE)];
    let line = line.split(|c| *c == b'\n').next()?;
    let program = std::str::from_utf8(line).ok()?.split_whitespace().next()?;
    program.starts_with('/').then_some(program)
}
