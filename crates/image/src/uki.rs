//! Unified Kernel Images: a kernel, its initrd and its command line as one EFI program.
//!
//! Format: the UAPI group's "Unified Kernel Image" specification (UKI.1), on top of Microsoft's PE format. The
//! distribution's `systemd-stub` is the program; everything else is appended to it as sections. Rules that are kept:
//!
//! - a section starts in memory at the next multiple of `SectionAlignment` after the last one, and in the file at the
//!   next multiple of `FileAlignment`, filled with zeros;
//! - the new headers go right after the present ones, and must fit before the first section's data (`SizeOfHeaders`);
//! - `.linux` gets as much memory as the kernel's own `SizeOfImage` asks for, since a stub may start it where it lies;
//! - `SizeOfImage` and `SizeOfInitializedData` are brought up to date, and the checksum is zero, which UEFI accepts.
//!
//! Nothing is signed here. Whoever signs takes the bytes of [`assemble`] before they go into the ESP.

use crate::{Error, Result};

/// The largest image, 1 GiB: far above what an ESP holds.
const MAX_IMAGE: usize = 1 << 30;
/// The largest number of sections in a PE file that UEFI firmware is known to accept.
const MAX_SECTIONS: usize = 96;
const SECTION_HEADER: usize = 40;
/// `IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ`
const DATA: u32 = 0x4000_0040;
/// `IMAGE_SCN_CNT_CODE | IMAGE_SCN_MEM_READ`
const CODE: u32 = 0x4000_0020;

/// What goes into an image.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// `linuxx64.efi.stub` or its like.
    pub stub: &'a [u8],
    /// The kernel, itself an EFI program.
    pub kernel: &'a [u8],
    /// The compressed initrd.
    pub initrd: &'a [u8],
    /// The kernel's command line.
    pub command_line: &'a str,
    /// The text of `os-release`.
    pub os_release: &'a str,
    /// The kernel's release (`uname -r`).
    pub release: &'a str,
}

/// Puts the parts together.
pub fn assemble(parts: &Parts<'_>) -> Result<Vec<u8>> {
    let stub = Headers::read(parts.stub).map_err(|problem| pe_error("systemd-stub", problem))?;
    let kernel = Headers::read(parts.kernel).map_err(|problem| pe_error("the kernel", problem))?;
    if parts.command_line.contains('\0') {
        return Err(Error::Setting {
            setting: "kernel command line",
            value: parts.command_line.escape_default().to_string(),
            problem: "it has a zero byte",
        });
    }
    let kernel_memory = (kernel.size_of_image as usize).max(parts.kernel.len());
    let sections = [
        Section::new(b".osrel", parts.os_release.as_bytes()),
        Section::new(b".cmdline", parts.command_line.as_bytes()),
        Section::new(b".uname", parts.release.as_bytes()),
        Section {
            flags: CODE,
            memory: kernel_memory,
            ..Section::new(b".linux", parts.kernel)
        },
        Section::new(b".initrd", parts.initrd),
    ];
    append(parts.stub, &stub, &sections).map_err(|problem| pe_error("systemd-stub", problem))
}

fn pe_error(path: &str, problem: &str) -> Error {
    Error::Pe {
        path: path.to_owned(),
        problem: problem.to_owned(),
    }
}

struct Section<'a> {
    name: &'a [u8],
    data: &'a [u8],
    memory: usize,
    flags: u32,
}

impl<'a> Section<'a> {
    fn new(name: &'a [u8], data: &'a [u8]) -> Self {
        Self {
            name,
            data,
            memory: data.len(),
            flags: DATA,
        }
    }
}

/// The fields of a PE32+ file's headers that matter here.
struct Headers {
    /// Where the COFF header starts.
    coff: usize,
    /// Where the optional header starts.
    optional: usize,
    /// Where the section headers start.
    table: usize,
    sections: usize,
    section_alignment: usize,
    file_alignment: usize,
    size_of_image: u32,
    size_of_headers: usize,
    size_of_data: u32,
    /// Where the last section ends in memory.
    memory_end: usize,
    names: Vec<[u8; 8]>,
    /// Whether there is a signature, which covers the whole file.
    signed: bool,
}

impl Headers {
    fn read(data: &[u8]) -> Result<Self, &'static str> {
        if data.get(..2) != Some(b"MZ") {
            return Err("it does not start with `MZ`");
        }
        let pe = u32_at(data, 0x3c)? as usize;
        if data.get(pe..).and_then(|d| d.get(..4)) != Some(b"PE\0\0") {
            return Err("it has no PE header");
        }
        let coff = pe + 4;
        let optional = coff + 20;
        if u16_at(data, optional)? != 0x20b {
            return Err("it is not in the PE32+ format");
        }
        let table = optional + usize::from(u16_at(data, coff + 16)?);
        let sections = usize::from(u16_at(data, coff + 2)?);
        let power = |value: u32, what| {
            if value.is_power_of_two() {
                Ok(value as usize)
            } else {
                Err(what)
            }
        };
        let mut headers = Self {
            coff,
            optional,
            table,
            sections,
            section_alignment: power(
                u32_at(data, optional + 32)?,
                "its section alignment is no power of two",
            )?,
            file_alignment: power(
                u32_at(data, optional + 36)?,
                "its file alignment is no power of two",
            )?,
            size_of_image: u32_at(data, optional + 56)?,
            size_of_headers: u32_at(data, optional + 60)? as usize,
            size_of_data: u32_at(data, optional + 8)?,
            memory_end: 0,
            names: Vec::new(),
            // The certificate table is data directory 4.
            signed: u32_at(data, optional + 108)? > 4 && u32_at(data, optional + 144)? != 0,
        };
        for index in 0..sections {
            let at = table + index * SECTION_HEADER;
            let name = data
                .get(at..at + 8)
                .and_then(|n| n.try_into().ok())
                .ok_or("its section table is cut off")?;
            headers.names.push(name);
            let end = u64::from(u32_at(data, at + 12)?) + u64::from(u32_at(data, at + 8)?);
            headers.memory_end = headers
                .memory_end
                .max(usize::try_from(end).map_err(|_| "a section is too large")?);
        }
        Ok(headers)
    }
}

fn append(stub: &[u8], headers: &Headers, sections: &[Section<'_>]) -> Result<Vec<u8>, &'static str> {
    if headers.signed {
        return Err("it is signed, and what is appended would break the signature");
    }
    let count = headers.sections + sections.len();
    let table_end = headers.table + count * SECTION_HEADER;
    if count > MAX_SECTIONS || table_end > headers.size_of_headers || table_end > stub.len() {
        return Err("it has no room for more section headers");
    }
    let mut out = stub.to_vec();
    let mut memory = headers.memory_end.next_multiple_of(headers.section_alignment);
    let mut data_size = u64::from(headers.size_of_data);
    for (index, section) in sections.iter().enumerate() {
        let mut name = [0; 8];
        name[..section.name.len()].copy_from_slice(section.name);
        if headers.names.contains(&name) {
            return Err("it has one of the sections already, so it is no plain stub");
        }
        let raw = out.len().next_multiple_of(headers.file_alignment);
        let raw_size = section.data.len().next_multiple_of(headers.file_alignment);
        if raw + raw_size > MAX_IMAGE || memory + section.memory > MAX_IMAGE {
            return Err("the image would be larger than 1 GiB");
        }
        out.resize(raw, 0);
        out.extend_from_slice(section.data);
        out.resize(raw + raw_size, 0);
        let at = headers.table + (headers.sections + index) * SECTION_HEADER;
        out[at..at + SECTION_HEADER].fill(0);
        out[at..at + 8].copy_from_slice(&name);
        put(&mut out, at + 8, section.memory);
        put(&mut out, at + 12, memory);
        put(&mut out, at + 16, raw_size);
        put(&mut out, at + 20, raw);
        out[at + 36..at + 40].copy_from_slice(&section.flags.to_le_bytes());
        data_size += section.memory as u64;
        memory = (memory + section.memory).next_multiple_of(headers.section_alignment);
    }
    let sections = u16::try_from(count).map_err(|_| "it has too many sections")?;
    out[headers.coff + 2..headers.coff + 4].copy_from_slice(&sections.to_le_bytes());
    put(
        &mut out,
        headers.optional + 8,
        usize::try_from(data_size).unwrap_or(MAX_IMAGE),
    );
    put(&mut out, headers.optional + 56, memory);
    put(&mut out, headers.optional + 64, 0);
    Ok(out)
}

/// Writes a number that is known to be below [`MAX_IMAGE`].
fn put(out: &mut [u8], at: usize, value: usize) {
    let value = u32::try_from(value).unwrap_or(u32::MAX);
    out[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn u16_at(data: &[u8], at: usize) -> Result<u16, &'static str> {
    let bytes = data
        .get(at..)
        .and_then(|d| d.first_chunk::<2>())
        .ok_or("its headers are cut off")?;
    Ok(u16::from_le_bytes(*bytes))
}

fn u32_at(data: &[u8], at: usize) -> Result<u32, &'static str> {
    let bytes = data
        .get(at..)
        .and_then(|d| d.first_chunk::<4>())
        .ok_or("its headers are cut off")?;
    Ok(u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use expect_test::expect;
    use object::read::pe::PeFile64;
    use object::{Object, ObjectSection};

    /// A PE32+ file with one section: just enough to be a stub or a kernel.
    fn program(size_of_image: u32) -> Vec<u8> {
        let mut data = vec![0u8; 0x600];
        data[..2].copy_from_slice(b"MZ");
        data[0x3c] = 0x40;
        data[0x40..0x44].copy_from_slice(b"PE\0\0");
        data[0x44..0x46].copy_from_slice(&0x8664u16.to_le_bytes());
        data[0x46] = 1;
        data[0x54..0x56].copy_from_slice(&240u16.to_le_bytes());
        let optional = 0x58;
        data[optional..optional + 2].copy_from_slice(&0x20bu16.to_le_bytes());
        for (at, value) in [
            (32, 0x1000),
            (36, 0x200),
            (56, size_of_image),
            (60, 0x400),
            (64, 77),
            (108, 16),
        ] {
            put(&mut data, optional + at, value as usize);
        }
        let table = optional + 240;
        data[table..table + 5].copy_from_slice(b".text");
        for (at, value) in [(8, 0x123), (12, 0x1000), (16, 0x200), (20, 0x400)] {
            put(&mut data, table + at, value);
        }
        data
    }

    fn parts<'a>(stub: &'a [u8], kernel: &'a [u8]) -> Parts<'a> {
        Parts {
            stub,
            kernel,
            initrd: &[7; 5000],
            command_line: "root=PARTUUID=x rw",
            os_release: "ID=lazuli\n",
            release: "6.12.1",
        }
    }

    #[test]
    fn sections_are_where_the_format_wants_them() {
        let (stub, kernel) = (program(0x2000), program(0x9_0000));
        let image = assemble(&parts(&stub, &kernel)).unwrap();
        let file = PeFile64::parse(&*image).unwrap();
        let mut text = String::new();
        for section in file.sections() {
            let (raw, length) = section.file_range().unwrap();
            let name = section.name().unwrap();
            text += &format!(
                "{name} at {:#x}, raw {raw:#x}+{length:#x}, memory {:#x}\n",
                section.address(),
                section.size()
            );
        }
        expect![[r"
            .text at 0x1000, raw 0x400+0x123, memory 0x123
            .osrel at 0x2000, raw 0x600+0xa, memory 0xa
            .cmdline at 0x3000, raw 0x800+0x12, memory 0x12
            .uname at 0x4000, raw 0xa00+0x6, memory 0x6
            .linux at 0x5000, raw 0xc00+0x600, memory 0x90000
            .initrd at 0x95000, raw 0x1200+0x1388, memory 0x1388
        "]]
        .assert_eq(&text);
        let optional = file.nt_headers().optional_header;
        assert_eq!(optional.size_of_image.get(object::LittleEndian), 0x97000);
        assert_eq!(optional.check_sum.get(object::LittleEndian), 0);
        assert_eq!(
            image,
            assemble(&parts(&stub, &kernel)).unwrap(),
            "the same parts give the same bytes"
        );
    }

    #[test]
    fn what_is_no_plain_stub_is_refused() {
        let kernel = program(0x2000);
        let check = |stub: &[u8], problem: &str| {
            let error = assemble(&parts(stub, &kernel)).unwrap_err().to_string();
            assert!(error.ends_with(problem), "{error}");
        };
        check(b"", "it does not start with `MZ`");
        check(b"MZ", "its headers are cut off");
        let image = assemble(&parts(&program(0x2000), &kernel)).unwrap();
        check(
            &image,
            "it has one of the sections already, so it is no plain stub",
        );
        let mut signed = program(0x2000);
        put(&mut signed, 0x58 + 144, 0x600);
        check(
            &signed,
            "it is signed, and what is appended would break the signature",
        );
        let mut full = program(0x2000);
        put(&mut full, 0x58 + 60, 0x1a0);
        check(&full, "it has no room for more section headers");
    }

    #[test]
    fn damaged_headers_never_panic() {
        let kernel = program(0x2000);
        let mut stub = program(0x2000);
        for cut in 0..stub.len() {
            let _ = assemble(&parts(&stub[..cut], &kernel));
        }
        for at in 0..0x200 {
            for flip in [0x01, 0x80, 0xff] {
                stub[at] ^= flip;
                let _ = assemble(&parts(&stub, &kernel));
                let _ = assemble(&parts(&kernel, &stub));
                stub[at] ^= flip;
            }
        }
    }
}
