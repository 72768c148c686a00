//! Source files of the project, from where they say that they come from.

use lazuli_catalog::{CratePart, ResolvedSourceFile, SourceOrigin, SourceVersion, TarballCompression};
use lazuli_source::{
    Compression, CrateRequest, CrateSelection, DebianFileRequest, Digest, FileName, FileRequest, Freshness,
    NamedFile, SourceEntry, StoredFile,
};

use super::{DistGitProvider, entry};
use crate::provider::{LookasideFile, ProviderError};

/// The time of all files in tarballs of crates, 2020-01-01T00:00:00Z in seconds since 1970: their digests stand in
/// projects, so it never changes.
const CRATE_TIME: u64 = 1_577_836_800;

pub(super) fn fetch(
    provider: &DistGitProvider<'_>,
    file: &ResolvedSourceFile,
) -> Result<StoredFile, ProviderError> {
    let known = LookasideFile::declared(file)
        .map(|file| entry(&file))
        .transpose()?;
    match &file.origin {
        SourceOrigin::Download { uri } => {
            let SourceEntry { name, digest } = known.ok_or_else(|| {
                format!(
                    "`{}` has no `hash`, and only that says whether what {uri} gives is the right file",
                    file.filename
                )
            })?;
            let request = FileRequest {
                name,
                digest,
                size: None,
                urls: vec![uri.clone()],
            };
            Ok(provider.sources.file(&request, provider.progress)?)
        }
        SourceOrigin::DebianSource {
            package,
            version,
            file,
        } => {
            let archive = provider
                .archive
                .ok_or("the distribution's version has no Debian archive as its `upstream`")?;
            let request = DebianFileRequest {
                archive: archive.clone(),
                package: package.as_str().parse()?,
                version: version
                    .as_ref()
                    .map(SourceVersion::as_str)
                    .map(str::parse)
                    .transpose()?,
                file: FileName::new(file.as_str())?,
                digest: known.map(|entry| entry.digest),
                // A digest decides, not the lists: they are fetched anew when they don't have it.
                freshness: Freshness::Cached,
            };
            Ok(provider.sources.debian_file(&request, provider.progress)?)
        }
        SourceOrigin::Crate {
            name,
            version,
            part,
            compression,
        } => {
            let digest = known.map(|entry| entry.digest);
            if let Some(digest) = &digest
                && let Some(stored) = provider.sources.stored(digest)?
            {
                return Ok(stored);
            }
            let request = CrateRequest {
                what: CrateSelection::Named {
                    name: name.to_string(),
                    version: version.to_string(),
                },
                time: CRATE_TIME,
                compression: match compression {
                    TarballCompression::Zstd => Compression::Zstd,
                    TarballCompression::Gzip => Compression::Gzip,
                },
                vendor_sha256: None,
            };
            crate_part(provider, &request, *part, digest.as_ref())
        }
        SourceOrigin::Lookaside | SourceOrigin::Custom { .. } | SourceOrigin::Overlay => {
            Err(format!("`{}` is not fetched from an origin of its own", file.filename).into())
        }
    }
}

fn crate_part(
    provider: &DistGitProvider<'_>,
    request: &CrateRequest,
    part: CratePart,
    expected: Option<&Digest>,
) -> Result<StoredFile, ProviderError> {
    let crates = provider.sources.crates(request, provider.progress)?;
    let (source, vendor, lock) = (crates.source, crates.vendor, crates.lock);
    let NamedFile { name, file } = match part {
        CratePart::Source => source.ok_or("the registry gave no source of the crate")?,
        CratePart::Vendor => vendor,
        CratePart::Lock => lock,
    };
    let Some(expected) = expected else {
        return Ok(file);
    };
    let found = Digest::of(expected.algorithm(), &provider.sources.read(&file)?);
    match found == *expected {
        true => Ok(file),
        false => Err(format!("{name} has the digest {found}, but {expected} is expected").into()),
    }
}
