//! A registry of crates in a folder.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    dead_code,
    unreachable_pub,
    missing_docs
)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use lazuli_catalog::Sha256Digest;

/// A registry in a folder, and a home of cargo that knows no other (The Cargo Book, "Source Replacement", local
/// registries).
pub struct Registry {
    pub folder: tempfile::TempDir,
}

impl Registry {
    /// `None`, with a loud message, where there is no cargo.
    pub fn new() -> Option<Self> {
        if Command::new("cargo")
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_err()
        {
            eprintln!("SKIPPED: cargo is not there");
            return None;
        }
        let registry = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir_all(registry.home()).unwrap();
        let configuration = format!(
            "[source.crates-io]\nreplace-with = \"local\"\n\n[source.local]\nlocal-registry = \"{}\"\n",
            registry.root().display()
        );
        fs::write(registry.home().join("config.toml"), configuration).unwrap();
        Some(registry)
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("registry")
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Adds a crate; `needs` are names and requirements, those with a `?` optional. `more` are further files.
    pub fn add(&self, name: &str, version: &str, needs: &[(&str, &str)], more: &[(&str, &str)]) -> String {
        let top = format!("{name}-{version}");
        let mut manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n\n[dependencies]\n"
        );
        let mut index = Vec::new();
        for (needed, requirement) in needs {
            let optional = needed.ends_with('?');
            let needed = needed.trim_end_matches('?');
            manifest.push_str(&format!(
                "{needed} = {{ version = \"{requirement}\", optional = {optional} }}\n"
            ));
            index.push(format!(
                "{{\"name\":\"{needed}\",\"req\":\"{requirement}\",\"features\":[],\"optional\":{optional},\"default_features\":true,\"target\":null,\"kind\":\"normal\"}}"
            ));
        }
        let mut files = vec![
            ("Cargo.toml", manifest.as_str()),
            ("src/lib.rs", "pub fn x() {}\n"),
        ];
        files.extend_from_slice(more);
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
            Vec::new(),
            flate2::Compression::fast(),
        ));
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(if content.starts_with("#!") { 0o755 } else { 0o644 });
            tar.append_data(&mut header, format!("{top}/{path}"), content.as_bytes())
                .unwrap();
        }
        let packed = tar.into_inner().unwrap().finish().unwrap();
        fs::create_dir_all(self.root()).unwrap();
        fs::write(self.root().join(format!("{top}.crate")), &packed).unwrap();
        let sum = Sha256Digest::of(&packed).to_string();
        let line = format!(
            "{{\"name\":\"{name}\",\"vers\":\"{version}\",\"deps\":[{}],\"cksum\":\"{sum}\",\"features\":{{}},\"yanked\":false}}\n",
            index.join(",")
        );
        let file = self
            .root()
            .join("index")
            .join(&name[..2])
            .join(&name[2..4])
            .join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, before + &line).unwrap();
        sum
    }

    /// What cargo must have in its environment to know this registry and no other.
    pub fn environment(&self) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
        vec![("CARGO_HOME".into(), self.home().into())]
    }
}
