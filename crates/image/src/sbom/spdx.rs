//! SPDX 2.3 (ISO/IEC 5962), JSON serialisation: only the fields that are used here.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{License, purl};
use crate::manifest::{Manifest, Package, rfc3339};

const NONE: &str = "NOASSERTION";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: String,
    document_namespace: String,
    creation_info: CreationInfo,
    packages: Vec<Item>,
    relationships: Vec<Relationship>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    has_extracted_licensing_infos: Vec<Extracted>,
}

#[derive(Serialize)]
struct CreationInfo {
    created: String,
    creators: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    version_info: String,
    supplier: String,
    download_location: &'static str,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum>,
    #[serde(skip_serializing_if = "String::is_empty")]
    homepage: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    source_info: String,
    license_concluded: &'static str,
    license_declared: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    license_comments: String,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    summary: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<External>,
    primary_package_purpose: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: &'static str,
    checksum_value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct External {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: &'static str,
    related_spdx_element: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Extracted {
    license_id: String,
    extracted_text: String,
}

/// The document of an image.
pub(super) fn document(manifest: &Manifest) -> serde_json::Result<Vec<u8>> {
    let image = "SPDXRef-Image".to_owned();
    let mut packages = vec![image_item(manifest, &image)];
    let mut relationships = vec![Relationship {
        spdx_element_id: "SPDXRef-DOCUMENT".to_owned(),
        relationship_type: "DESCRIBES",
        related_spdx_element: image.clone(),
    }];
    let mut references = BTreeSet::new();
    for (index, package) in manifest.packages.iter().enumerate() {
        let item = package_item(manifest, package, index, &mut references);
        relationships.push(Relationship {
            spdx_element_id: image.clone(),
            relationship_type: "CONTAINS",
            related_spdx_element: item.id.clone(),
        });
        packages.push(item);
    }
    let document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: "SPDXRef-DOCUMENT",
        name: format!("{}-{}", manifest.name, manifest.version),
        document_namespace: format!("urn:uuid:{}", manifest.disk_uuid),
        creation_info: CreationInfo {
            created: rfc3339(manifest.epoch),
            creators: vec![format!("Tool: lazuli-{}", env!("CARGO_PKG_VERSION"))],
        },
        packages,
        relationships,
        has_extracted_licensing_infos: references
            .into_iter()
            .map(|license_id| Extracted {
                license_id,
                extracted_text: "See /usr/share/doc/PACKAGE/copyright in the image.".to_owned(),
            })
            .collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn image_item(manifest: &Manifest, id: &str) -> Item {
    Item {
        id: id.to_owned(),
        name: manifest.name.clone(),
        version_info: manifest.version.clone(),
        supplier: format!("Organization: {}", manifest.distribution),
        download_location: NONE,
        files_analyzed: false,
        checksums: Vec::new(),
        homepage: String::new(),
        source_info: String::new(),
        license_concluded: NONE,
        license_declared: NONE.to_owned(),
        license_comments: String::new(),
        copyright_text: NONE,
        summary: String::new(),
        external_refs: Vec::new(),
        primary_package_purpose: "OPERATING-SYSTEM",
    }
}

fn package_item(
    manifest: &Manifest,
    package: &Package,
    index: usize,
    references: &mut BTreeSet<String>,
) -> Item {
    let (declared, comments) = match License::of(package) {
        License::Expression {
            text,
            references: more,
        } => {
            references.extend(more);
            (text, String::new())
        }
        License::Text(text) if text.is_empty() => (NONE.to_owned(), String::new()),
        License::Text(text) => (NONE.to_owned(), format!("The package says: {text}")),
    };
    // Ids are letters, digits, `.` and `-`; the number makes them unique whatever was replaced.
    let plain: String = package
        .name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    Item {
        id: format!("SPDXRef-Package-{index}-{plain}"),
        name: package.name.clone(),
        version_info: package.evr(),
        supplier: match package.vendor.as_str() {
            "" => NONE.to_owned(),
            vendor => format!("Organization: {vendor}"),
        },
        download_location: NONE,
        files_analyzed: false,
        checksums: vec![Checksum {
            algorithm: "SHA256",
            checksum_value: package.sha256.clone(),
        }],
        homepage: if package.url.starts_with("http") {
            package.url.clone()
        } else {
            String::new()
        },
        source_info: package.origin.clone(),
        license_concluded: NONE,
        license_declared: declared,
        license_comments: comments,
        copyright_text: NONE,
        summary: package.summary.clone(),
        external_refs: vec![External {
            reference_category: "PACKAGE-MANAGER",
            reference_type: "purl",
            reference_locator: purl(&manifest.distribution, package),
        }],
        primary_package_purpose: "INSTALL",
    }
}
