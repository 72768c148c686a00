//! The header of an installed package, as the rpm database keeps it.
//!
//! The package's main header stays byte for byte what was signed: it is the immutable region. Behind it
//! come *dribbles*, sorted by tag: what the installation adds, and what the signature header says, under
//! numbers which the main header does not use (`headerMergeLegacySigs`, `rpmpsmRun` and `headerExport` of
//! rpm 4.18). So the same package and the same facts give the same bytes as rpm's.

use crate::header::{ENTRY_LEN, HeaderBuilder, assemble};

use crate::{Header, HeaderError, Tag};

/// The state of one file of an installed package (`rpmfileState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// It is there.
    Normal,
    /// A package that was installed later owns it now.
    Replaced,
    /// It was left out: documentation or languages that are not wanted.
    NotInstalled,
    /// It lies on a file system that is shared.
    NetShared,
    /// It was left out, since the same file of another ELF class is preferred.
    WrongColor,
}

impl FileState {
    fn number(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Replaced => 1,
            Self::NotInstalled => 2,
            Self::NetShared => 3,
            Self::WrongColor => 4,
        }
    }
}

/// What an installation adds to a package's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallFacts {
    /// Seconds since 1970.
    pub install_time: u32,
    /// Transaction id; rpm takes the transaction's start time.
    pub install_tid: u32,
    /// The transaction's colour: the ELF classes that may be installed. rpm's `%_transaction_color` has
    /// 3 (32 and 64 bit) on multilib distributions and 0 on others, such as Debian.
    pub install_color: u32,
    /// One state for each file of the header, in its order.
    pub file_states: Vec<FileState>,
}

/// Signature header tags, and what they are called beside a main header; rpm's order, which does not matter.
const MERGED: [(Tag, Tag); 15] = [
    (Tag::SIG_SIZE, Tag::SIGSIZE),
    (Tag::SIG_PGP, Tag::SIGPGP),
    (Tag::SIG_MD5, Tag::SIGMD5),
    (Tag::SIG_GPG, Tag::SIGGPG),
    (Tag::SIG_PAYLOADSIZE, Tag::ARCHIVESIZE),
    (Tag::FILESIGNATURES, Tag::FILESIGNATURES),
    (Tag::FILESIGNATURELENGTH, Tag::FILESIGNATURELENGTH),
    (Tag::VERITYSIGNATURES, Tag::VERITYSIGNATURES),
    (Tag::VERITYSIGNATUREALGO, Tag::VERITYSIGNATUREALGO),
    (Tag::SHA1HEADER, Tag::SHA1HEADER),
    (Tag::SHA256HEADER, Tag::SHA256HEADER),
    (Tag::DSAHEADER, Tag::DSAHEADER),
    (Tag::RSAHEADER, Tag::RSAHEADER),
    (Tag::LONGSIGSIZE, Tag::LONGSIGSIZE),
    (Tag::LONGARCHIVESIZE, Tag::LONGARCHIVESIZE),
];

/// The blob which rpm's sqlite backend stores in `Packages.blob`: a header without magic.
///
/// `header` is the main header of a package. Fails if `file_states` does not have one state for each file,
/// if a tag that is to be added is there already, or if the result grows past what a header may hold.
pub fn installed_header(
    signature: &Header,
    header: &Header,
    facts: &InstallFacts,
) -> Result<Vec<u8>, HeaderError> {
    let files = header
        .entry(Tag::BASENAMES)
        .or(header.entry(Tag::OLDFILENAMES))
        .map_or(0, |e| e.count);
    let states: Vec<u8> = facts.file_states.iter().map(|state| state.number()).collect();
    if states.len() != files {
        return Err(HeaderError::WrongCount {
            tag: Tag::FILESTATES,
            expected: files,
            found: states.len(),
        });
    }
    let added = [
        Tag::INSTALLTIME,
        Tag::FILESTATES,
        Tag::INSTALLCOLOR,
        Tag::INSTALLTID,
    ];
    if let Some(tag) = added.into_iter().find(|&tag| header.contains(tag)) {
        return Err(HeaderError::Duplicate { tag });
    }

    let mut dribbles = HeaderBuilder::new();
    for (from, to) in MERGED {
        if !header.contains(to) {
            dribbles.copy(to, signature, from);
        }
    }
    dribbles.u32s(Tag::INSTALLTIME, [facts.install_time]);
    dribbles.u32s(Tag::INSTALLTID, [facts.install_tid]);
    dribbles.u32s(Tag::INSTALLCOLOR, [facts.install_color]);
    dribbles.chars(Tag::FILESTATES, &states);

    let blob = header.blob();
    let index_end = 8 + (header.entries().len() + 1) * ENTRY_LEN;
    let (mut index, mut store) = (blob[8..index_end].to_vec(), blob[index_end..].to_vec());
    dribbles.lay_out(&mut index, &mut store)?;

    assemble(&index, &store)
}
