//! CycloneDX 1.6 (ECMA-424), JSON: only the fields that are used here.

use serde::Serialize;
use uuid::Uuid;

use super::{License, purl};
use crate::manifest::{Manifest, Package, rfc3339};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
}

#[derive(Serialize)]
struct Metadata {
    timestamp: String,
    tools: Tools,
    component: Component,
}

#[derive(Serialize)]
struct Tools {
    components: Vec<Component>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    bom_ref: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<Supplier>,
    name: String,
    version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<Choice>,
    #[serde(skip_serializing_if = "String::is_empty")]
    purl: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Supplier {
    name: String,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Choice {
    Expression { expression: String },
    Named { license: Named },
}

#[derive(Serialize)]
struct Named {
    name: String,
}

#[derive(Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    depends_on: Vec<String>,
}

/// The document of an image.
pub(super) fn document(manifest: &Manifest) -> serde_json::Result<Vec<u8>> {
    let components: Vec<Component> = manifest.packages.iter().map(|p| component(manifest, p)).collect();
    let image = Component {
        kind: "operating-system",
        bom_ref: "image".to_owned(),
        supplier: Some(Supplier {
            name: manifest.distribution.clone(),
        }),
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        ..Component::default()
    };
    let tool = Component {
        kind: "application",
        bom_ref: "lazuli".to_owned(),
        name: "lazuli".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Component::default()
    };
    let bom = Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: format!(
            "urn:uuid:{}",
            Uuid::new_v5(&manifest.disk_uuid, b"CycloneDX serial number")
        ),
        version: 1,
        dependencies: vec![Dependency {
            reference: "image".to_owned(),
            depends_on: components.iter().map(|c| c.bom_ref.clone()).collect(),
        }],
        metadata: Metadata {
            timestamp: rfc3339(manifest.epoch),
            tools: Tools {
                components: vec![tool],
            },
            component: image,
        },
        components,
    };
    let mut bytes = serde_json::to_vec_pretty(&bom)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn component(manifest: &Manifest, package: &Package) -> Component {
    let licenses = match License::of(package) {
        License::Expression { text, .. } => vec![Choice::Expression { expression: text }],
        License::Text(text) if text.is_empty() => Vec::new(),
        License::Text(name) => vec![Choice::Named {
            license: Named { name },
        }],
    };
    let mut properties = Vec::new();
    if !package.origin.is_empty() {
        properties.push(Property {
            name: "lazuli:origin",
            value: package.origin.clone(),
        });
    }
    if let Some(source) = &package.source {
        properties.push(Property {
            name: "lazuli:source",
            value: source.clone(),
        });
    }
    Component {
        kind: "library",
        bom_ref: package.nevra(),
        supplier: (!package.vendor.is_empty()).then(|| Supplier {
            name: package.vendor.clone(),
        }),
        name: package.name.clone(),
        version: package.evr(),
        description: package.summary.clone(),
        hashes: vec![Hash {
            alg: "SHA-256",
            content: package.sha256.clone(),
        }],
        licenses,
        purl: purl(&manifest.distribution, package),
        properties,
    }
}
