//! Cargo.lock files (The Cargo Book, "Cargo.toml vs Cargo.lock"): which crates of a registry they name.

use std::collections::BTreeSet;

use lazuli_catalog::Sha256Digest;

use crate::request::LockedCrate;

/// The largest Cargo.lock, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// The most crates of a Cargo.lock.
const MAX_CRATES: usize = 20_000;

/// The longest name or version of a crate, in bytes.
const MAX_NAME: usize = 128;

#[derive(serde::Deserialize)]
struct Schema {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(serde::Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

/// Reads a Cargo.lock. Each crate that it does not have beside it must be of one registry, and have a checksum.
pub(super) fn parse(content: &[u8]) -> Result<Vec<LockedCrate>, String> {
    if content.len() > MAX_BYTES {
        return Err(format!("it has more than {MAX_BYTES} bytes"));
    }
    let text = std::str::from_utf8(content).map_err(|_| "it is no UTF-8".to_owned())?;
    let schema: Schema = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    if schema.package.len() > MAX_CRATES {
        return Err(format!("it names more than {MAX_CRATES} crates"));
    }
    let (mut crates, mut sources) = (BTreeSet::new(), BTreeSet::new());
    for Package {
        name,
        version,
        source,
        checksum,
    } in schema.package
    {
        // Without a source it lies beside the Cargo.lock: it is what is to be built.
        let Some(source) = source else { continue };
        check_name(&name, &version)?;
        if !source.starts_with("registry+") && !source.starts_with("sparse+") {
            return Err(format!(
                "{name} {version} is of no registry, so that nothing says what is in it ({source})"
            ));
        }
        sources.insert(source);
        let checksum =
            checksum.ok_or_else(|| format!("{name} {version} has no checksum; `cargo update` adds it"))?;
        let sha256 = Sha256Digest::new(checksum.as_str())
            .map_err(|_| format!("the checksum of {name} {version}, `{checksum}`, is no SHA-256 digest"))?;
        let new = crates.insert(LockedCrate {
            name: name.clone(),
            version: version.clone(),
            sha256,
        });
        if !new {
            return Err(format!("{name} {version} stands twice in it"));
        }
    }
    match sources.len() {
        0 | 1 => Ok(crates.into_iter().collect()),
        _ => Err("its crates are of more than one registry".to_owned()),
    }
}

/// Names and versions become parts of paths and of a manifest.
pub(super) fn check_name(name: &str, version: &str) -> Result<(), String> {
    let fits = |text: &str, more: &str| {
        !text.is_empty()
            && text.len() <= MAX_NAME
            && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    if !fits(name, "-_") {
        return Err(format!("`{}` is no name of a crate", name.escape_debug()));
    }
    let parts = version.split(['-', '+']).next().unwrap_or_default().split('.');
    match fits(version, ".-+") && parts.count() == 3 {
        true => Ok(()),
        false => Err(format!(
            "`{}` is no whole version of a crate, such as 1.2.3",
            version.escape_debug()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[&str], &str>) {
        let found = parse(text.as_bytes()).map(|crates| {
            let names = crates.iter().map(|one| format!("{} {}", one.name, one.version));
            names.collect::<Vec<_>>()
        });
        match (&found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            _ => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn locks_are_read() {
        let sum = "a".repeat(64);
        let package = |name: &str, version: &str, more: &str| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{more}\n")
        };
        let good = format!("source = \"registry+https://example.org/index\"\nchecksum = \"{sum}\"");
        check("version = 4\n", Ok(&[]));
        check(
            &format!(
                "{}{}{}",
                package("b", "1.0.0", &good),
                package("own", "0.1.0", ""),
                package("a", "2.0.0-rc.1+x", &good)
            ),
            Ok(&["a 2.0.0-rc.1+x", "b 1.0.0"]),
        );
        check(
            &package("a", "1.0.0", "source = \"registry+x\""),
            Err("has no checksum"),
        );
        check(
            &package("a", "1.0.0", "source = \"git+https://h/x#abc\""),
            Err("is of no registry"),
        );
        check(&package("../a", "1.0.0", &good), Err("no name of a crate"));
        check(&package("a", "1.0", &good), Err("no whole version"));
        check(&package("a", "../../1.0.0", &good), Err("no whole version"));
        check(&package("a", "1.0.0", &good).repeat(2), Err("stands twice"));
        check(
            &format!(
                "{}{}",
                package("a", "1.0.0", &good),
                package("b", "1.0.0", &good.replace("example", "other"))
            ),
            Err("more than one registry"),
        );
        check(
            &package("a", "1.0.0", &good.replace(&sum, "abc")),
            Err("is no SHA-256 digest"),
        );
        check("package = 3", Err("invalid type"));
        check("[[", Err(""));
    }
}
