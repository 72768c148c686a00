//! Bills of materials: the same facts as the manifest's, in the two formats that others read.

mod cyclonedx;
mod spdx;

use std::collections::BTreeSet;

use crate::manifest::{Manifest, Package};

/// The image as an SPDX 2.3 document in JSON.
pub fn spdx(manifest: &Manifest) -> serde_json::Result<Vec<u8>> {
    spdx::document(manifest)
}

/// The image as a CycloneDX 1.6 document in JSON.
pub fn cyclonedx(manifest: &Manifest) -> serde_json::Result<Vec<u8>> {
    cyclonedx::document(manifest)
}

/// A licence as the formats can say it.
enum License {
    /// An SPDX expression, with the `LicenseRef-` names that it uses.
    Expression {
        text: String,
        references: BTreeSet<String>,
    },
    /// Something else; empty if nothing is known.
    Text(String),
}

impl License {
    fn of(package: &Package) -> Self {
        match ::spdx::Expression::parse(&package.license) {
            Ok(expression) => {
                let names = expression.requirements().filter_map(|r| match &r.req.license {
                    ::spdx::LicenseItem::Other(other) => Some(format!("LicenseRef-{}", other.lic_ref)),
                    ::spdx::LicenseItem::Spdx { .. } => None,
                });
                let references = names.collect();
                Self::Expression {
                    text: package.license.clone(),
                    references,
                }
            }
            Err(_) => Self::Text(package.license.clone()),
        }
    }
}

/// The package URL (purl specification, type `rpm`).
fn purl(distribution: &str, package: &Package) -> String {
    let mut text = format!(
        "pkg:rpm/{}/{}@{}?arch={}",
        encode(&distribution.to_lowercase()),
        encode(&package.name),
        encode(&format!("{}-{}", package.version, package.release)),
        encode(&package.arch)
    );
    if package.epoch != 0 {
        text += &format!("&epoch={}", package.epoch);
    }
    text
}

/// Percent-encoding of what is not a letter, a digit or one of `.-_~`.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}
