//! The imported packages: what buildroots are made of before anything is built.

use super::error::WorkshopError;
use crate::{Digest, Origin, Stock};
use lazuli_repodata::PackageRecord;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Reads the packages of a repository; the error is in words.
type Read<'a> = Box<dyn Fn() -> Result<Vec<PackageRecord>, String> + Send + Sync + 'a>;

/// A repository of imported packages. It is read when somebody needs its packages: where all buildroots are known, nobody
/// does.
pub struct Shelf<'a> {
    folder: PathBuf,
    digest: Digest,
    read: Read<'a>,
    records: OnceLock<Result<Vec<PackageRecord>, String>>,
}

impl<'a> Shelf<'a> {
    /// A repository in a folder, with the digest of its index, and how it is read.
    pub fn new(
        folder: impl Into<PathBuf>,
        digest: Digest,
        read: impl Fn() -> Result<Vec<PackageRecord>, String> + Send + Sync + 'a,
    ) -> Self {
        Self {
            folder: folder.into(),
            digest,
            read: Box::new(read),
            records: OnceLock::new(),
        }
    }

    /// Its packages.
    pub fn records(&self) -> Result<&[PackageRecord], WorkshopError> {
        match self.records.get_or_init(|| (self.read)()) {
            Ok(records) => Ok(records),
            Err(reason) => Err(WorkshopError::Imported {
                folder: self.folder.clone(),
                reason: reason.clone(),
            }),
        }
    }
}

/// All imported packages, and which of them are the base.
pub struct Imported<'a> {
    architecture: String,
    base: Vec<String>,
    shelves: Vec<Shelf<'a>>,
}

impl<'a> Imported<'a> {
    /// The packages of some repositories for a machine; `base` names those that every buildroot has, with what they need.
    pub fn new(architecture: impl Into<String>, base: Vec<String>, shelves: Vec<Shelf<'a>>) -> Self {
        Self {
            architecture: architecture.into(),
            base,
            shelves,
        }
    }

    /// The packages that every buildroot has.
    #[must_use]
    pub fn base(&self) -> &[String] {
        &self.base
    }

    /// Changes with all that decides what is in a buildroot of imported packages.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut text = format!("{}\n{:?}\n", self.architecture, self.base);
        for shelf in &self.shelves {
            text.push_str(&format!("{} {}\n", shelf.digest, shelf.folder.display()));
        }
        Digest::of(text.as_bytes())
    }

    /// All packages.
    pub fn records(&self) -> Result<Vec<&PackageRecord>, WorkshopError> {
        let mut all = Vec::new();
        for shelf in &self.shelves {
            all.extend(shelf.records()?);
        }
        Ok(all)
    }

    /// A stock with these packages only.
    pub(super) fn stock(&self) -> Result<Stock, WorkshopError> {
        let mut stock = Stock::new(&self.architecture);
        for shelf in &self.shelves {
            stock.add(Origin::Imported, &shelf.folder, shelf.records()?.to_vec());
        }
        Ok(stock)
    }
}
