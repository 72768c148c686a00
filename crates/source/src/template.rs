//! Address templates as distributions give them: `https://…/$pkg/$filename/$hashtype/$hash/$filename`.

use std::fmt::Write as _;

/// The longest template, in bytes.
const MAX_TEMPLATE: usize = 4096;

/// What a `$name` in a template stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// `$pkg`: the package's name upstream.
    Package,
    /// `$filename`: the name of the source file.
    FileName,
    /// `$hashtype`: the algorithm of its digest, in lower case.
    HashType,
    /// `$hash`: its digest.
    Hash,
}

/// All variables; where one name begins with another, the longer stands first.
const VARIABLES: [(&str, Variable); 4] = [
    ("pkg", Variable::Package),
    ("filename", Variable::FileName),
    ("hashtype", Variable::HashType),
    ("hash", Variable::Hash),
];

/// An address with variables in it. A `$` that begins no variable is an error: it would be asked for literally.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(Variable),
}

/// A template that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the address template `{template}` cannot be used: {reason}")]
pub struct TemplateError {
    /// The template, shortened.
    pub template: String,
    /// What is wrong with it.
    pub reason: String,
}

impl UrlTemplate {
    /// Reads a template in which the variables of `allowed` may occur, as `$name` or `${name}`.
    pub fn parse(text: &str, allowed: &[Variable]) -> Result<Self, TemplateError> {
        let fail = |reason: String| TemplateError {
            template: text.chars().take(200).collect(),
            reason,
        };
        if text.len() > MAX_TEMPLATE || text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(fail(
                "it is too long, or has spaces or control characters".to_owned(),
            ));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, behind)) = rest.split_once('$') {
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let (inner, braced) = match behind.strip_prefix('{') {
                Some(inner) => (inner, true),
                None => (behind, false),
            };
            let found = VARIABLES.into_iter().find_map(|(name, variable)| {
                let after = inner.strip_prefix(name)?;
                let after = if braced { after.strip_prefix('}')? } else { after };
                Some((variable, after))
            });
            let Some((variable, after)) = found else {
                let shown: String = behind.chars().take(20).collect();
                return Err(fail(format!(
                    "`${shown}` begins no variable; there are $pkg, $filename, $hashtype and $hash"
                )));
            };
            if !allowed.contains(&variable) {
                let name = VARIABLES.iter().find(|(_, other)| *other == variable);
                return Err(fail(format!(
                    "${} has no meaning here",
                    name.map_or("?", |(name, _)| name)
                )));
            }
            parts.push(Part::Variable(variable));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }

    /// The template as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address for some values. They are escaped (RFC 3986, section 2.1), so that none can change its structure.
    #[must_use]
    pub fn expand(&self, value: impl Fn(Variable) -> String) -> String {
        let mut address = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => address.push_str(text),
                Part::Variable(variable) => escape(&value(*variable), &mut address),
            }
        }
        address
    }
}

/// Escapes what has a meaning in a path; `+` and the like, which many file names have, stay.
fn escape(value: &str, into: &mut String) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'+'
            | b'='
            | b','
            | b'@' => {
                into.push(char::from(byte));
            }
            // Writing to a String cannot fail.
            _ => drop(write!(into, "%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Variable; 4] = [
        Variable::Package,
        Variable::FileName,
        Variable::HashType,
        Variable::Hash,
    ];

    fn check(template: &str, expected: Result<&str, &str>) {
        let value = |variable| {
            match variable {
                Variable::Package => "libsigc++",
                Variable::FileName => "a b/../c#?.tar",
                Variable::HashType => "sha512",
                Variable::Hash => "cf83",
            }
            .to_owned()
        };
        let found = UrlTemplate::parse(template, &ALL).map(|template| template.expand(value));
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, _) => panic!("{template}: {found:?}"),
        }
    }

    #[test]
    fn templates_expand() {
        check(
            "https://h/$pkg/$hashtype/$hash",
            Ok("https://h/libsigc++/sha512/cf83"),
        );
        check("https://h/${pkg}_x/${hash}s", Ok("https://h/libsigc++_x/cf83s"));
        check("https://h/$pkg_x", Ok("https://h/libsigc++_x"));
        check("https://h/$filename", Ok("https://h/a%20b%2F..%2Fc%23%3F.tar"));
        check("https://h/", Ok("https://h/"));
        check(
            "https://h/$package/$name",
            Err("`$package/$name` begins no variable"),
        );
        check("https://h/${pkg", Err("begins no variable"));
        check("https://h/$", Err("begins no variable"));
        check("https://h/ $pkg", Err("spaces"));
        let only = UrlTemplate::parse("git://h/$filename", &[Variable::Package]);
        assert!(only.is_err_and(|error| error.reason.contains("$filename has no meaning")));
    }
}
