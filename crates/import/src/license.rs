//! The licence of a package as an SPDX expression, from its machine-readable copyright file.
//!
//! Every licence that the file names counts: which source files went into which binary package is not said. Names of
//! the copyright format that SPDX writes otherwise are mapped; others become `LicenseRef-Debian-…`, which SPDX allows
//! for what its list does not have.

use std::collections::BTreeSet;

use lazuli_deb::{Copyright, License, LicenseExpression};

/// How many different licences one package may name; more are cut with a note in the expression.
const MAX_LICENSES: usize = 60;

/// Names of copyright-format 1.0 (§ 7.1.1) and habits of its users, in lower case, and their SPDX identifiers. Families
/// of the GNU licences are mapped by rule.
const NAMES: [(&str, &str); 58] = [
    ("apache", "Apache-2.0"),
    ("apache-1", "Apache-1.0"),
    ("apache-2", "Apache-2.0"),
    ("apache-2+", "Apache-2.0"),
    ("apache-2.0+", "Apache-2.0"),
    ("artistic", "Artistic-1.0-Perl"),
    ("artistic-1", "Artistic-1.0"),
    ("artistic-2", "Artistic-2.0"),
    ("bsd", "BSD-3-Clause"),
    ("bsd-1-clause", "BSD-1-Clause"),
    ("bsd-2", "BSD-2-Clause"),
    ("bsd-2-clauses", "BSD-2-Clause"),
    ("bsd-3", "BSD-3-Clause"),
    ("bsd-3-clauses", "BSD-3-Clause"),
    ("bsd-3-clause-uc", "BSD-3-Clause"),
    ("bsd-4", "BSD-4-Clause"),
    ("bsd-4-clause-uc", "BSD-4-Clause-UC"),
    ("bsl-1", "BSL-1.0"),
    ("boost-1.0", "BSL-1.0"),
    ("boost", "BSL-1.0"),
    ("cc0", "CC0-1.0"),
    ("cc0-1", "CC0-1.0"),
    ("cc-by-3", "CC-BY-3.0"),
    ("cc-by-4", "CC-BY-4.0"),
    ("cc-by-sa-3", "CC-BY-SA-3.0"),
    ("cc-by-sa-4", "CC-BY-SA-4.0"),
    ("cddl", "CDDL-1.0"),
    ("cddl-1", "CDDL-1.0"),
    ("cpl", "CPL-1.0"),
    ("curl", "curl"),
    ("efl", "EFL-2.0"),
    ("eclipse", "EPL-1.0"),
    ("expat", "MIT"),
    ("mit", "MIT"),
    ("mit/x11", "X11"),
    ("fsful", "FSFUL"),
    ("fsfullr", "FSFULLR"),
    ("fsfap", "FSFAP"),
    ("isc", "ISC"),
    ("mpl", "MPL-1.1"),
    ("mpl-2", "MPL-2.0"),
    ("ofl", "OFL-1.1"),
    ("ofl-1", "OFL-1.1"),
    ("openldap-2.8", "OLDAP-2.8"),
    ("openssl", "OpenSSL"),
    ("psf", "PSF-2.0"),
    ("psf-2", "PSF-2.0"),
    ("python", "Python-2.0"),
    ("python-2.0", "Python-2.0"),
    ("qpl", "QPL-1.0"),
    ("sil", "OFL-1.1"),
    ("unicode", "Unicode-DFS-2016"),
    ("w3c", "W3C"),
    ("wtfpl-2", "WTFPL"),
    ("x11", "X11"),
    ("zlib", "Zlib"),
    ("zlib/libpng", "Zlib"),
    ("zope", "ZPL-2.1"),
];

/// Exceptions of the copyright format and their SPDX identifiers, in lower case.
const EXCEPTIONS: [(&str, &str); 14] = [
    ("autoconf", "Autoconf-exception-generic"),
    ("autoconf generic", "Autoconf-exception-generic"),
    ("autoconf-generic", "Autoconf-exception-generic"),
    ("autoconf-data", "Autoconf-exception-generic"),
    ("autoconf2", "Autoconf-exception-2.0"),
    ("autoconf3", "Autoconf-exception-3.0"),
    ("bison", "Bison-exception-2.2"),
    ("classpath", "Classpath-exception-2.0"),
    ("font", "Font-exception-2.0"),
    ("gcc", "GCC-exception-3.1"),
    ("gcc runtime library", "GCC-exception-3.1"),
    ("libtool", "Libtool-exception"),
    ("linux-syscall-note", "Linux-syscall-note"),
    ("texinfo", "Texinfo-exception"),
];

/// The licence of a package: an SPDX expression, always valid.
///
/// `None` where the file names no licence at all.
pub fn spdx_expression(copyright: &Copyright) -> Option<String> {
    let licenses: Vec<&License> = copyright
        .files
        .iter()
        .map(|f| &f.license)
        .filter(|l| !l.synopsis.is_empty())
        .collect();
    let licenses = if licenses.is_empty() {
        copyright.license.iter().collect()
    } else {
        licenses
    };
    let mut terms = BTreeSet::new();
    for license in licenses.into_iter().filter(|l| !l.synopsis.is_empty()) {
        match license.expression() {
            // A conjunction is what the whole is anyway.
            Ok(LicenseExpression::And(parts)) => terms.extend(parts.iter().map(|p| spdx(p, Inside::And))),
            Ok(expression) => drop(terms.insert(spdx(&expression, Inside::And))),
            Err(_) => drop(terms.insert(reference(&license.synopsis))),
        }
    }
    if terms.len() > MAX_LICENSES {
        terms = terms.into_iter().take(MAX_LICENSES).collect();
        terms.insert("LicenseRef-Debian-and-more".to_owned());
    }
    let only = terms.len() == 1;
    let texts: Vec<String> = terms.into_iter().collect();
    let joined = texts.join(" AND ");
    // A single choice needs no parentheses.
    let whole = match joined.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) if only => inner.to_owned(),
        _ => joined,
    };
    (!whole.is_empty()).then_some(whole)
}

/// A reference to a licence that is only in the package's own copyright file.
pub fn own_license(source: &str) -> String {
    reference(&format!("{source}-copyright"))
}

/// Whether a text is a valid SPDX expression.
pub fn is_spdx(text: &str) -> bool {
    spdx::Expression::parse(text).is_ok()
}

/// What a term stands in: it decides about parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    And,
    Or,
}

fn spdx(expression: &LicenseExpression, inside: Inside) -> String {
    let all = |parts: &[LicenseExpression], own, word: &str| {
        let mut terms: Vec<String> = parts.iter().map(|p| spdx(p, own)).collect();
        let mut seen = BTreeSet::new();
        terms.retain(|term| seen.insert(term.clone()));
        (terms.len() > 1, terms.join(word))
    };
    match expression {
        LicenseExpression::Name(name) => license_name(name),
        LicenseExpression::With { license, exception } => {
            let base = license_name(license);
            match exception_name(exception) {
                Some(exception) if !base.starts_with("LicenseRef-") => format!("{base} WITH {exception}"),
                _ => reference(&format!("{license} with {exception} exception")),
            }
        }
        LicenseExpression::And(parts) => match (all(parts, Inside::And, " AND "), inside) {
            ((true, text), Inside::Or) => format!("({text})"),
            ((_, text), _) => text,
        },
        LicenseExpression::Or(parts) => match (all(parts, Inside::Or, " OR "), inside) {
            ((true, text), Inside::And) => format!("({text})"),
            ((_, text), _) => text,
        },
    }
}

fn license_name(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let mapped = NAMES
        .iter()
        .find(|(debian, _)| *debian == lower)
        .map(|(_, spdx)| (*spdx).to_owned());
    let candidate = mapped
        .or_else(|| gnu_name(&lower))
        .unwrap_or_else(|| name.to_owned());
    // The list has deprecated names too, such as `GPL-2.0`.
    let listed = spdx::identifiers::LICENSES
        .iter()
        .find(|l| l.name.eq_ignore_ascii_case(&candidate));
    match listed.and_then(|l| spdx::license_id(l.name)) {
        Some(id) if !id.is_deprecated() => id.name.to_owned(),
        _ => reference(name),
    }
}

/// `gpl-2+` is `GPL-2.0-or-later`, `lgpl-2.1` is `LGPL-2.1-only`.
fn gnu_name(lower: &str) -> Option<String> {
    let (family, rest) = ["agpl", "lgpl", "gpl", "gfdl"]
        .into_iter()
        .find_map(|family| lower.strip_prefix(family).map(|rest| (family, rest)))?;
    let rest = rest.trim_start_matches('-');
    // `GFDL-NIV-1.3+` has the invariants in the middle.
    let (rest, no_invariants) = rest
        .strip_prefix("niv-")
        .map_or((rest, false), |rest| (rest, true));
    let (version, later) = match rest.strip_suffix('+').or_else(|| rest.strip_suffix("-or-later")) {
        Some(version) => (version, true),
        None => (rest.strip_suffix("-only").unwrap_or(rest), false),
    };
    let (version, invariants) = match version
        .strip_suffix("-niv")
        .or_else(|| version.strip_suffix("-no-invariants"))
    {
        Some(version) => (version, "-no-invariants"),
        None if no_invariants => (version, "-no-invariants"),
        None => (version, ""),
    };
    // `GPL` alone is any version.
    let (version, later) = match (version, family) {
        ("", "lgpl") => ("2.0".to_owned(), true),
        ("", "gfdl") => ("1.1".to_owned(), true),
        ("", "agpl") => ("1.0".to_owned(), true),
        ("", _) => ("1.0".to_owned(), true),
        (number, _) if number.contains('.') => (number.to_owned(), later),
        (number, _) => (format!("{number}.0"), later),
    };
    let ending = if later { "or-later" } else { "only" };
    Some(format!(
        "{}-{version}{invariants}-{ending}",
        family.to_ascii_uppercase()
    ))
}

fn exception_name(exception: &str) -> Option<&'static str> {
    let lower = exception.to_ascii_lowercase();
    let own = EXCEPTIONS
        .iter()
        .find(|(debian, _)| *debian == lower)
        .map(|(_, spdx)| *spdx);
    own.or(Some(exception))
        .and_then(spdx::exception_id)
        .map(|id| id.name)
}

/// A name that SPDX does not have, in the characters that it allows.
fn reference(name: &str) -> String {
    /// Some files put sentences where the name belongs.
    const MAX_NAME: usize = 60;
    let mut out = String::from("LicenseRef-Debian-");
    for c in name.chars().take(MAX_NAME) {
        match c {
            c if c.is_ascii_alphanumeric() || c == '.' => out.push(c),
            '+' => out.push_str("-or-later"),
            _ if !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    out.trim_end_matches('-').to_owned()
}
