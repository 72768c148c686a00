//! A project as large as Azure Linux's loads and resolves at once.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use lazuli_catalog::{Architecture, Catalog};

/// 7,382 one-liners in one file and 201 components with a file of their own each.
const PLAIN: usize = 7_382;
const OWN_FILE: usize = 201;
/// Ten times what it takes on two slow cores without optimisation; what it guards against is quadratic work.
const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn thousands_of_components_load() {
    let folder = tempfile::tempdir().unwrap();
    let mut plain = "includes = [\"**/*.comp.toml\"]\n".to_owned();
    for index in 0..PLAIN {
        writeln!(plain, "[components.plain-{index}]").unwrap();
    }
    let root = r#"
includes = ["components.toml"]
project = { default-distro = { name = "x" } }
[distros.x]
default-version = "1"
versions.1 = { release-ver = "1", upstream = { type = "debian", suites = ["trixie"] } }
import = { drop-requires = ["debconf", "dpkg", "perl*"], exclude-files = ["/usr/share/lintian"] }
"#;
    std::fs::write(folder.path().join("lazuli.toml"), root).unwrap();
    std::fs::write(folder.path().join("components.toml"), plain).unwrap();
    let own = include_str!("fixtures/azldev/base/comps/bash/bash.comp.toml");
    for index in 0..OWN_FILE {
        let name = format!("own-{index}");
        std::fs::create_dir_all(folder.path().join(&name)).unwrap();
        let text = own.replace("components.bash", &format!("components.{name}"));
        std::fs::write(folder.path().join(&name).join("x.comp.toml"), text).unwrap();
    }
    let start = Instant::now();
    let catalog = Catalog::load(folder.path()).unwrap();
    let distro = catalog.distro(None).unwrap();
    let components = catalog.components(&distro, Architecture::X86_64).unwrap();
    let elapsed = start.elapsed();
    assert_eq!(components.len(), PLAIN + OWN_FILE);
    assert!(elapsed < LIMIT, "took {elapsed:?}");
    println!("loaded and resolved in {elapsed:?}");
}
