//! Where the archive is: the settings say so, or else the machine's apt configuration.

use crate::apt::{self, Site};
use crate::error::UpstreamError;
use crate::settings::{Settings, Suite};

/// Codenames and class names of Debian's suites: what tells a Debian archive from other sources of a machine.
const DEBIAN_SUITES: [&str; 13] = [
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "duke",
    "sid",
    "unstable",
    "testing",
    "stable",
    "oldstable",
    "oldoldstable",
    "experimental",
    "buster",
];

/// What may follow a base suite in the names of Debian's suites.
const SUFFIXES: [&str; 7] = [
    "",
    "-updates",
    "-security",
    "-backports",
    "-backports-sloppy",
    "-proposed-updates",
    "/updates",
];

/// What marks a suite of the security archive.
const SECURITY: &str = "-security";

/// A source of the machine: the address of its archive and a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    uri: String,
    suite: String,
}

/// Finds an address for every suite.
pub(crate) fn sites(settings: &Settings) -> Result<Vec<Site>, UpstreamError> {
    if settings.suites.is_empty() || settings.components.is_empty() {
        return Err(UpstreamError::Settings {
            reason: "there is no suite or no component".to_owned(),
        });
    }
    let known = |suite: &Suite| {
        let given = suite
            .mirror
            .clone()
            .or_else(|| given_mirror(settings.mirror.as_deref(), suite.name.as_str()));
        given.map(|uri| normalised(&uri))
    };
    let mut machine: Option<Vec<Source>> = None;
    let mut sites = Vec::new();
    for suite in &settings.suites {
        let uri = match known(suite) {
            Some(uri) => uri,
            None => {
                let sources = match &mut machine {
                    Some(sources) => sources,
                    None => machine.insert(
                        apt::machine_releases()?
                            .iter()
                            .filter_map(|uri| parse(uri))
                            .collect(),
                    ),
                };
                choose(sources, settings.mirror.as_deref(), suite.name.as_str()).ok_or_else(|| {
                    UpstreamError::NoMirror {
                        suite: suite.name.to_string(),
                    }
                })?
            }
        };
        sites.push(Site {
            suite: suite.name.clone(),
            uri,
        });
    }
    Ok(sites)
}

/// The address as apt writes it: no slash at the end, and one slash only before the path of `file:` addresses.
fn normalised(uri: &str) -> String {
    let uri = uri.trim_end_matches('/');
    match uri.strip_prefix("file:") {
        Some(path) => format!("file:/{}", path.trim_start_matches('/')),
        None => uri.to_owned(),
    }
}

/// The mirror of the settings, if it alone says where a suite is. A security suite is in an archive of its own, and
/// which one the machine knows best; but what is told to use files must not go to the network.
fn given_mirror(mirror: Option<&str>, suite: &str) -> Option<String> {
    let mirror = mirror?;
    match suite.ends_with(SECURITY) {
        false => Some(mirror.to_owned()),
        true if mirror.starts_with("file:") => {
            Some(security_sibling(mirror).unwrap_or_else(|| mirror.to_owned()))
        }
        true => None,
    }
}

/// `…/dists/SUITE/InRelease`, parted.
fn parse(uri: &str) -> Option<Source> {
    let (uri, suite) = uri.strip_suffix("/InRelease")?.rsplit_once("/dists/")?;
    Some(Source {
        uri: uri.to_owned(),
        suite: suite.to_owned(),
    })
}

/// Chooses an archive for a suite from the machine's sources.
fn choose(sources: &[Source], mirror: Option<&str>, suite: &str) -> Option<String> {
    let security = suite.ends_with(SECURITY);
    let alike = sources
        .iter()
        .filter(|source| is_debian(source) && is_security(source) == security);
    // The archive that has another suite of the same kind has this one too, but one that has the very suite is sure to.
    let best = alike.min_by_key(|source| {
        (
            !is_whole(sources, source),
            source.suite != suite,
            !is_customary(source),
        )
    });
    if let Some(source) = best {
        return Some(source.uri.clone());
    }
    if !security {
        return None;
    }
    let main = mirror
        .map(str::to_owned)
        .or_else(|| choose(sources, None, suite.strip_suffix(SECURITY)?))?;
    security_sibling(&main)
}

/// Mirrors keep the security archive, where they have it, beside the main one.
fn security_sibling(main: &str) -> Option<String> {
    let main = main.trim_end_matches('/');
    main.ends_with("/debian").then(|| format!("{main}-security"))
}

fn is_security(source: &Source) -> bool {
    source.suite.ends_with(SECURITY) || source.suite.ends_with("/updates")
}

fn is_debian(source: &Source) -> bool {
    let end = source.suite.find(['-', '/']).unwrap_or(source.suite.len());
    let (base, rest) = source.suite.split_at(end);
    DEBIAN_SUITES.contains(&base) && SUFFIXES.contains(&rest)
}

/// Whether the same address has a suite that only Debian's own archives have. Others (of programs that are packaged by
/// their makers) name their suites after Debian's too, but have only those of the releases themselves.
fn is_whole(sources: &[Source], source: &Source) -> bool {
    let same = sources
        .iter()
        .filter(|other| other.uri == source.uri && is_debian(other));
    same.into_iter().any(|other| other.suite.contains('-'))
}

/// Whether the address ends as most mirrors' do.
fn is_customary(source: &Source) -> bool {
    let path = source
        .uri
        .split_once("://")
        .map_or(source.uri.as_str(), |(_, rest)| rest);
    path.ends_with("/debian") && path.matches('/').count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(releases: &[&str], mirror: Option<&str>, suite: &str, expected: Option<&str>) {
        let sources: Vec<Source> = releases.iter().filter_map(|uri| parse(uri)).collect();
        assert_eq!(
            choose(&sources, mirror, suite).as_deref(),
            expected,
            "{suite} of {releases:?}"
        );
    }

    #[test]
    fn mirrors_are_chosen() {
        let all = [
            "https://example.org/apt/dists/tools-bookworm/InRelease",
            "https://example.org/node/dists/nodistro/InRelease",
            "http://mirror.example/debian/dists/bookworm/InRelease",
            "http://mirror.example/debian/dists/bookworm-updates/InRelease",
            "http://other.example/debian-security/dists/bookworm-security/InRelease",
            "http://back.example/debian/dists/bookworm-backports/InRelease",
        ];
        check(&all, None, "trixie", Some("http://mirror.example/debian"));
        check(
            &all,
            None,
            "bookworm-backports",
            Some("http://back.example/debian"),
        );
        check(
            &all,
            None,
            "trixie-security",
            Some("http://other.example/debian-security"),
        );
        check(
            &all,
            Some("http://given.example/debian"),
            "trixie-security",
            Some("http://other.example/debian-security"),
        );
        check(
            &all[..4],
            None,
            "trixie-security",
            Some("http://mirror.example/debian-security"),
        );
        check(
            &all[..2],
            Some("http://given.example/debian"),
            "trixie-security",
            Some("http://given.example/debian-security"),
        );
        check(&all[..3], None, "sid", Some("http://mirror.example/debian"));
        let made = [
            "https://example.org/linux/debian/dists/trixie/InRelease",
            all[2],
            all[3],
        ];
        check(&made, None, "trixie", Some("http://mirror.example/debian"));
        check(
            &made[..2],
            None,
            "trixie",
            Some("https://example.org/linux/debian"),
        );
        check(
            &["http://x.example/db/dists/trixie-pgdg/InRelease"],
            None,
            "trixie",
            None,
        );
        check(&all[..2], None, "trixie", None);
        check(&all[4..5], None, "trixie", None);
        check(
            &["http://x.example/dists/trixie/InRelease"],
            None,
            "trixie-security",
            None,
        );
    }

    #[test]
    fn a_mirror_of_files_stays_with_files() {
        assert_eq!(
            given_mirror(Some("file:/m/debian"), "a-security").as_deref(),
            Some("file:/m/debian-security")
        );
        assert_eq!(
            given_mirror(Some("file:/m"), "a-security").as_deref(),
            Some("file:/m")
        );
        assert_eq!(given_mirror(Some("http://m/debian"), "a-security"), None);
        assert_eq!(given_mirror(Some("http://m"), "a").as_deref(), Some("http://m"));
        assert_eq!(normalised("file:///m/debian//"), "file:/m/debian");
        assert_eq!(normalised("http://m/debian/"), "http://m/debian");
    }
}
