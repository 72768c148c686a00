//! skeleton
use crate::{Header, HeaderError};
/// The state of one file of an installed package (`rpmfileState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FileState {
    Normal,
    Replaced,
    NotInstalled,
    NetShared,
    WrongColor,
}
/// What an installation adds to a package's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallFacts {
    /// Seconds since 1970.
    pub install_time: u32,
    /// Transaction id; rpm takes the transaction's start time.
    pub install_tid: u32,
    /// The transaction's colour (3 on x86_64 with both ELF classes allowed, 0 without multilib).
    pub install_color: u32,
    /// One state for each file of the header, in its order.
    pub file_states: Vec<FileState>,
}
/// The blob which rpm's sqlite backend stores in `Packages.blob`.
#[allow(unused_variables)]
pub fn installed_header(
    signature: &Header,
    header: &Header,
    facts: &InstallFacts,
) -> Result<Vec<u8>, HeaderError> {
    unimplemented!()
}
