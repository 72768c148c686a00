//! Where a package comes from, in a form that its header keeps (RPMTAG_VCS).
//!
//! ```text
//! deb:ARCHIVE/SUITE/NAME@VERSION#sha256=HEX&source=SOURCE@SOURCEVERSION
//! deb:debian/trixie/libc6@2.41-12+deb13u1#sha256=9f86…&source=glibc@2.41-12+deb13u1
//! ```
//!
//! The versions are the upstream's own, before any mapping. `sha256` is that of the `.deb`. The bill of materials is
//! made from this.

use std::fmt;
use std::str::FromStr;

use lazuli_deb::{PackageName, Sha256Digest, Version};

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The archive, such as `debian`.
    pub archive: String,
    /// The suite, such as `trixie` or `trixie-security`.
    pub suite: String,
    /// The binary package.
    pub package: PackageName,
    /// Its version there.
    pub version: Version,
    /// SHA-256 of the `.deb`.
    pub sha256: Sha256Digest,
    /// The source package.
    pub source: PackageName,
    /// Its version.
    pub source_version: Version,
}

/// Why a text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no origin of a package: {reason}")]
pub struct OriginError {
    /// What was parsed.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Origin {
    /// Parses the form that [`Origin`]'s `Display` writes.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let fail = |reason: String| OriginError {
            text: text.chars().take(300).collect(),
            reason,
        };
        let missing = |what: &str| fail(format!("{what} is missing"));
        let rest = text.strip_prefix("deb:").ok_or_else(|| missing("`deb:`"))?;
        let (place, details) = rest.split_once('#').ok_or_else(|| missing("`#`"))?;
        let mut parts = place.splitn(3, '/');
        let mut part = |what| {
            parts
                .next()
                .filter(|p| !p.is_empty())
                .ok_or_else(|| missing(what))
        };
        let (archive, suite, package) = (part("the archive")?, part("the suite")?, part("the package")?);
        let (mut sha256, mut source) = (None, None);
        for detail in details.split('&') {
            match detail.split_once('=') {
                Some(("sha256", value)) => sha256 = Some(value),
                Some(("source", value)) => source = Some(value),
                // Later versions may say more.
                _ => {}
            }
        }
        let at = |text: &str, what: &str| -> Result<(PackageName, Version), OriginError> {
            let (name, version) = text.split_once('@').ok_or_else(|| missing(what))?;
            Ok((
                PackageName::parse(name).map_err(|e| fail(e.to_string()))?,
                Version::parse(version).map_err(|e| fail(e.to_string()))?,
            ))
        };
        let (package, version) = at(package, "the version")?;
        let (source, source_version) = at(
            source.ok_or_else(|| missing("the source"))?,
            "the source's version",
        )?;
        let sha256 = Sha256Digest::from_str(sha256.ok_or_else(|| missing("the digest"))?)
            .map_err(|e| fail(e.to_string()))?;
        Ok(Self {
            archive: archive.to_owned(),
            suite: suite.to_owned(),
            package,
            version,
            sha256,
            source,
            source_version,
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            archive,
            suite,
            package,
            version,
            sha256,
            source,
            source_version,
        } = self;
        write!(
            f,
            "deb:{archive}/{suite}/{package}@{version}#sha256={sha256}&source={source}@{source_version}"
        )
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Origin;

    #[test]
    fn there_and_back() {
        let text = format!(
            "deb:debian/trixie/libc6@1:2.41~rc1-12+b1#sha256={}&source=glibc@2.41-12",
            "ab".repeat(32)
        );
        assert_eq!(Origin::parse(&text).unwrap().to_string(), text);
        for bad in [
            "",
            "deb:",
            "deb:debian/trixie/x@1",
            "git:x",
            &text[..60],
            &text.replace("source=", "s="),
        ] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }
}
