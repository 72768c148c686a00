//! The walk over dependencies.
#![allow(clippy::unwrap_used, missing_docs)]

mod mirror;

use lazuli_upstream::{ClosureOptions, Freshness, Recommends};
use mirror::{Mirror, names, quiet, texts};

#[test]
fn closures_are_walked() {
    let Some(mut mirror) = Mirror::new() else { return };
    let mut add = |name: &str, more: &str| {
        mirror.package("trixie", name, "1", more);
    };
    add(
        "root",
        "Depends: first | second, mta\nPre-Depends: early\nRecommends: nice, missing | other\n",
    );
    add("first", "");
    add("second", "Depends: first (>= 2) | third\n");
    add("third", "");
    add("early", "Depends: root\n");
    add("nice", "");
    add("other", "");
    add("mail-b", "Priority: optional\nProvides: mta\n");
    add("mail-a", "Priority: optional\nProvides: mta\n");
    add("mail-c", "Priority: standard\nProvides: mta (= 2), other-mta\n");
    add("versioned", "Depends: mta (>= 2)\n");
    add("too-new", "Depends: mta (>= 3)\n");
    add("uses-b", "Depends: mail-b, mta\n");
    add("elsewhere", "Depends: first:any\n");
    add("broken", "Depends: missing | gone (>= 1)\n");
    mirror.publish();
    let index = mirror.archive().index(Freshness::Cached, &quiet).unwrap();
    let amd64 = mirror.settings().architecture;
    let check = |roots: &[&str], ignore: &[&str], recommends: Recommends, expected: &str| {
        let options = ClosureOptions {
            recommends,
            ignore: names(ignore).into_iter().collect(),
        };
        let shown = match index.closure(&names(roots), &options, &amd64) {
            Ok(packages) => texts(&packages).join(", ").replace(" 1", ""),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(shown, expected, "{roots:?} without {ignore:?}");
    };
    let (no, yes) = (Recommends::Ignore, Recommends::Follow);
    check(&["first"], &[], no, "first");
    check(&["root"], &[], no, "early, first, mail-c, root");
    check(&["root"], &[], yes, "early, first, mail-c, nice, other, root");
    // What was asked for answers the alternative; its own cannot be met by the version that there is.
    check(&["root", "second"], &[], no, "early, mail-c, root, second, third");
    check(&["root"], &["mail-c"], no, "early, first, mail-a, root");
    check(&["root"], &["mta", "early"], no, "first, root");
    check(&["versioned"], &[], no, "mail-c, versioned");
    check(
        &["too-new"],
        &[],
        no,
        "error: too-new needs `mta (>= 3)`, which nothing in the Debian archive provides",
    );
    check(&["uses-b"], &[], no, "mail-b, uses-b");
    check(&["elsewhere"], &[], no, "elsewhere, first");
    check(
        &["broken"],
        &[],
        no,
        "error: broken needs `missing | gone (>= 1)`, which nothing in the Debian archive provides",
    );
    check(&["broken"], &["gone"], no, "broken");
    check(
        &["first", "nowhere", "nothing"],
        &[],
        no,
        "error: the Debian archive has no package nowhere, nothing",
    );
}
