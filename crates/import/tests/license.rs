//! Licences of copyright files as SPDX expressions.
#![allow(clippy::unwrap_used)]

use lazuli_deb::Copyright;
use lazuli_import::{is_spdx, own_license, spdx_expression};

fn expression(licenses: &[&str]) -> Option<String> {
    let mut text =
        String::from("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n");
    for license in licenses {
        text.push_str(&format!("\nFiles: *\nCopyright: x\nLicense: {license}\n"));
    }
    spdx_expression(&Copyright::parse(&text).unwrap())
}

#[test]
fn expressions() {
    for (licenses, expected) in [
        (vec!["GPL-2+"], "GPL-2.0-or-later"),
        (vec!["GPL-3"], "GPL-3.0-only"),
        (vec!["LGPL-2.1+"], "LGPL-2.1-or-later"),
        (vec!["LGPL-2"], "LGPL-2.0-only"),
        (vec!["AGPL-3+"], "AGPL-3.0-or-later"),
        (vec!["GFDL-1.3+"], "GFDL-1.3-or-later"),
        (vec!["GFDL-NIV-1.3+"], "GFDL-1.3-no-invariants-or-later"),
        (vec!["Expat"], "MIT"),
        (vec!["BSD-3-clause"], "BSD-3-Clause"),
        (vec!["Apache-2.0"], "Apache-2.0"),
        (
            vec!["GPL-1+ or Artistic"],
            "GPL-1.0-or-later OR Artistic-1.0-Perl",
        ),
        (
            vec!["GPL-2+ or Expat", "ISC"],
            "(GPL-2.0-or-later OR MIT) AND ISC",
        ),
        (vec!["GPL-2+ and Expat", "Expat"], "GPL-2.0-or-later AND MIT"),
        (
            vec!["GPL-3+ with autoconf exception"],
            "GPL-3.0-or-later WITH Autoconf-exception-generic",
        ),
        (
            vec!["GPL-2+ with Font exception"],
            "GPL-2.0-or-later WITH Font-exception-2.0",
        ),
        (
            vec!["GPL-2+ with home-made exception"],
            "LicenseRef-Debian-GPL-2-or-later-with-home-made-exception",
        ),
        (vec!["public-domain"], "LicenseRef-Debian-public-domain"),
        (
            vec!["BSD-3-clause-generic"],
            "LicenseRef-Debian-BSD-3-clause-generic",
        ),
        (vec!["GPL-2.0-or-later"], "GPL-2.0-or-later"),
        (vec!["Zlib", "Zlib", "X11"], "X11 AND Zlib"),
    ] {
        let found = expression(&licenses).unwrap();
        assert_eq!(found, expected, "{licenses:?}");
        assert!(is_spdx(&found), "{found}");
    }
    assert_eq!(expression(&[]), None);
    assert!(is_spdx(&own_license("gcc-14")));
}

/// Whatever stands in the field, what comes out is valid.
#[test]
fn strange_names() {
    for name in [
        "(",
        "a b c, d and e or f",
        "GPL",
        "with x exception",
        "ÄÖÜ",
        "GPL-2+ AND",
        "----",
        "a/b/c",
        "GPL-v2+",
    ] {
        if let Some(found) = expression(&[name]) {
            assert!(is_spdx(&found), "{name}: {found}");
        }
    }
}
