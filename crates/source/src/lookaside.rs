//! Lookaside caches: large source files beside a repository, each at an address made of its name and digest.

use crate::error::SourceError;
use crate::request::{FileRequest, LookasideRequest};
use crate::template::Variable;

/// The file of a lookaside cache, with the addresses that it may have.
pub(crate) fn request(lookaside: &LookasideRequest) -> Result<FileRequest, SourceError> {
    let LookasideRequest {
        templates,
        package,
        entry,
    } = lookaside;
    if templates.is_empty() {
        return Err(SourceError::Settings {
            reason: format!(
                "{} of {package} lies in a lookaside cache, but the distribution names none: set `lookaside-base-uri`",
                entry.name
            ),
        });
    }
    let value = |variable| match variable {
        Variable::Package => package.clone(),
        Variable::FileName => entry.name.to_string(),
        Variable::HashType => entry.digest.algorithm().name().to_owned(),
        Variable::Hash => entry.digest.hex().to_owned(),
    };
    Ok(FileRequest {
        name: entry.name.clone(),
        digest: entry.digest.clone(),
        size: None,
        urls: templates.iter().map(|template| template.expand(value)).collect(),
    })
}
