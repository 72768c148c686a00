//! Addresses (RFC 3986), as far as downloads and redirections need them.

use std::fmt;
use std::net::IpAddr;

use crate::error::SourceError;

/// The longest address, in bytes.
const MAX_URL: usize = 8192;

/// How an address is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// An `http:` or `https:` address without a fragment. Shown without user and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    scheme: Scheme,
    /// User, host and port.
    authority: String,
    /// Path and query; begins with a slash.
    path: String,
}

impl Url {
    pub(super) fn parse(text: &str) -> Result<Self, SourceError> {
        Self::read(text).map_err(|reason| SourceError::Address {
            url: without_password(text),
            reason: reason.to_owned(),
        })
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_URL {
            return Err("it is too long");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it has spaces, control characters or characters that are not escaped");
        }
        let (scheme, rest) = text.split_once("://").ok_or("it has no scheme")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err("it is neither http nor https"),
        };
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let url = Self {
            scheme,
            authority: authority.to_owned(),
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
        };
        match url.host().is_empty() {
            true => Err("it has no host"),
            false => Ok(url),
        }
    }

    /// As it is asked for.
    pub(super) fn text(&self) -> String {
        format!("{}://{}{}", self.scheme_name(), self.authority, self.path)
    }

    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    fn scheme_name(&self) -> &'static str {
        match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// Host and port, which downloads are counted by.
    pub(super) fn host_and_port(&self) -> &str {
        self.authority
            .rsplit_once('@')
            .map_or(self.authority.as_str(), |(_, host)| host)
    }

    fn host(&self) -> &str {
        let host = self.host_and_port();
        match host.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((inner, _)) => inner,
            None => host.split_once(':').map_or(host, |(host, _)| host),
        }
    }

    /// Whether it is an address of this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host();
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The address that a `Location` header means, seen from here (RFC 3986, section 5.2).
    pub(super) fn join(&self, location: &str) -> Result<Self, SourceError> {
        let location = escaped(location.trim());
        let origin = format!("{}://{}", self.scheme_name(), self.authority);
        if has_scheme(&location) {
            return Self::parse(&location);
        }
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("{}://{rest}", self.scheme_name()));
        }
        let (path, _) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let joined = match location.chars().next() {
            Some('/') => location,
            None | Some('?' | '#') => format!("{path}{location}"),
            Some(_) => format!(
                "{}/{location}",
                path.rsplit_once('/').map_or("", |(folder, _)| folder)
            ),
        };
        let (path, query) = match joined.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (joined.as_str(), None),
        };
        let mut text = format!("{origin}{}", without_dots(path));
        if let Some(query) = query {
            text.push('?');
            text.push_str(query);
        }
        Self::parse(&text)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}{}",
            self.scheme_name(),
            self.host_and_port(),
            self.path
        )
    }
}

/// An address as messages show it: no user, no password.
pub(crate) fn without_password(url: &str) -> String {
    let shown: String = url.chars().take(MAX_URL).collect();
    let Some((scheme, rest)) = shown.split_once("://") else {
        return shown;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => shown,
    }
}

/// `scheme:` before any other mark (RFC 3986, section 3.1).
fn has_scheme(location: &str) -> bool {
    let scheme = location.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// Escapes what servers should have escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte.is_ascii_graphic() {
            true => escaped.push(char::from(byte)),
            false => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// Takes `.` and `..` out of a path (RFC 3986, section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            "." => {}
            ".." => drop(kept.pop()),
            part => kept.push(part),
        }
        if last && matches!(part, "." | "..") {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, shown, host) in [
            ("http://h", "http://h/", "h"),
            ("HTTPS://u:p@h:8443/a?b=c#d", "https://h:8443/a?b=c", "h"),
            ("http://[::1]:80?x", "http://[::1]:80/?x", "::1"),
            ("http://h/a@b:c", "http://h/a@b:c", "h"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.to_string().as_str(), url.host()), (shown, host));
        }
        for bad in [
            "",
            "h/a",
            "file:///etc/passwd",
            "ftp://h/a",
            "http:///a",
            "http://:80/",
            "http://h/a b",
            "http://h/ä",
        ] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
        let error = Url::parse("ftp://user:secret@h/a").unwrap_err().to_string();
        assert!(
            error.contains("ftp://h/a") && !error.contains("secret"),
            "{error}"
        );
    }

    #[test]
    fn locations_are_joined() {
        let base = Url::parse("https://h:1/a/b/c?q").unwrap();
        for (location, expected) in [
            ("http://x/y", "http://x/y"),
            ("//x/y", "https://x/y"),
            ("/y", "https://h:1/y"),
            ("y", "https://h:1/a/b/y"),
            ("../y?z=1", "https://h:1/a/y?z=1"),
            ("../../../../y", "https://h:1/y"),
            ("./", "https://h:1/a/b/"),
            ("..", "https://h:1/a/"),
            ("?z", "https://h:1/a/b/c?z"),
            ("", "https://h:1/a/b/c"),
            ("y z/ü", "https://h:1/a/b/y%20z/%C3%BC"),
        ] {
            assert_eq!(base.join(location).unwrap().text(), expected, "{location}");
        }
        for bad in ["file:///etc/passwd", "javascript:x", "http://", "gopher://h/"] {
            assert!(base.join(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn loopback_is_known() {
        for (url, expected) in [
            ("http://127.0.0.1:8/", true),
            ("http://localhost/", true),
            ("http://[::1]/", true),
            ("http://127.0.0.1.example/", false),
            ("http://127.0.0.1@example/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(Url::parse(url).unwrap().is_loopback(), expected, "{url}");
        }
    }
}
