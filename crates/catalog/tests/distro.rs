//! The distribution of this very project loads, and everything in it resolves.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use lazuli_catalog::{Architecture, Catalog, DistroVersion};

#[test]
fn our_own_distribution_resolves_in_every_version() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../distro");
    let catalog = Catalog::load(&root).unwrap_or_else(|error| panic!("{error}"));
    for version in ["1", "2"] {
        let distro = catalog
            .distro(Some(&DistroVersion::new(version).unwrap()))
            .unwrap_or_else(|e| panic!("{e}"));
        assert!(distro.debian().is_some(), "version {version} has an archive");
        let components = catalog
            .components(&distro, Architecture::X86_64)
            .unwrap_or_else(|e| panic!("{e}"));
        assert!(!components.is_empty());
        for name in catalog.image_names() {
            let image = catalog
                .image(name, &distro, Architecture::X86_64)
                .unwrap_or_else(|e| panic!("{e}"));
            assert!(!image.packages.is_empty(), "{name}");
        }
    }
}
