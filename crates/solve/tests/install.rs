//! What is chosen for an empty system: versions, providers, rich and weak dependencies, files; and why it cannot be.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod common;

use common::check;
use expect_test::expect;

#[test]
fn the_newest_version_is_installed_with_what_it_needs() {
    check(
        "available a-1-1.x86_64; requires b >= 2
         available a-2-1.x86_64; requires b >= 2
         available b-1-1.noarch
         available b-2-1.noarch; requires libc.so.6()(64bit)
         available glibc-2-1.x86_64; provides libc.so.6()(64bit)
         available unrelated-1-1.noarch",
        "install a",
        expect![[r#"
            install glibc-2-1.x86_64 (needed by b-2-1.noarch)
            install b-2-1.noarch (needed by a-2-1.x86_64)
            install a-2-1.x86_64 (asked for `a`)
        "#]],
    );
}

#[test]
fn an_older_version_is_taken_if_the_newest_does_not_fit() {
    check(
        "available a-1-1.x86_64
         available a-2-1.x86_64; requires nothing-has-this",
        "install a",
        expect![[r#"
            install a-1-1.x86_64 (asked for `a`)
        "#]],
    );
}

#[test]
fn providers_that_are_needed_anyway_are_preferred() {
    check(
        "available a-1-1.x86_64; requires mail
         available exim-1-1.x86_64; provides mail
         available postfix-1-1.x86_64; provides mail
         available b-1-1.x86_64; requires c
         available c-1-1.x86_64; requires postfix",
        "install a, b",
        expect![[r#"
            install postfix-1-1.x86_64 (needed by a-1-1.x86_64)
            install a-1-1.x86_64 (asked for `a`)
            install c-1-1.x86_64 (needed by b-1-1.x86_64)
            install b-1-1.x86_64 (asked for `b`)
        "#]],
    );
    check(
        "available a-1-1.x86_64; requires mail
         available aa-1-1.x86_64; provides mail
         available mail-1-1.x86_64",
        "install a",
        expect![[r#"
            install mail-1-1.x86_64 (needed by a-1-1.x86_64)
            install a-1-1.x86_64 (asked for `a`)
        "#]],
    );
    check(
        "available a-1-1.x86_64; requires mail
         installed zmail-1-1.x86_64; provides mail
         available mail-1-1.x86_64",
        "install a",
        expect![[r#"
            install a-1-1.x86_64 (asked for `a`)
        "#]],
    );
    check(
        "available a-1-1.x86_64; requires mail
         available x-1-1.x86_64; provides mail
         available y-1-1.x86_64; provides mail",
        "install a; favour y",
        expect![[r#"
            install y-1-1.x86_64 (needed by a-1-1.x86_64)
            install a-1-1.x86_64 (asked for `a`)
        "#]],
    );
    // What a choice itself needs may make the choice superfluous.
    check(
        "available ssh-1-1.x86_64; requires lsb
         available lsb-1-1.x86_64; requires sysv
         available sysv-1-1.x86_64; provides lsb",
        "install ssh",
        expect![[r#"
            install sysv-1-1.x86_64 (needed by ssh-1-1.x86_64)
            install ssh-1-1.x86_64 (asked for `ssh`)
        "#]],
    );
    // What is recommended steers a choice, too.
    check(
        "available a-1-1.x86_64; requires mail; recommends y
         available x-1-1.x86_64; provides mail
         available y-1-1.x86_64; provides mail",
        "install a",
        expect![[r#"
            install y-1-1.x86_64 (needed by a-1-1.x86_64)
            install a-1-1.x86_64 (asked for `a`)
        "#]],
    );
}

#[test]
fn rich_dependencies() {
    let universe = "available or-1-1.x86_64; requires (z or y)
         available if-1-1.x86_64; requires (lang if base)
         available else-1-1.x86_64; requires (x if base else y)
         available with-1-1.x86_64; requires (cap >= 2 with cap < 4)
         available without-1-1.x86_64; requires (cap without y)
         available unless-1-1.x86_64; conflicts (x unless y)
         available and-1-1.x86_64; conflicts (x and y)
         available nested-1-1.x86_64; requires ((x or lang) if (base and y))
         available base-1-1.x86_64
         available lang-1-1.x86_64
         available x-1-1.x86_64; provides cap = 5
         available y-1-1.x86_64; provides cap = 3
         available z-1-1.x86_64; provides cap = 1";
    for (wanted, expected) in [
        (
            "install or",
            expect![[r#"
            install z-1-1.x86_64 (needed by or-1-1.x86_64)
            install or-1-1.x86_64 (asked for `or`)
        "#]],
        ),
        (
            "install if",
            expect![[r#"
            install if-1-1.x86_64 (asked for `if`)
        "#]],
        ),
        (
            "install if, base",
            expect![[r#"
            install base-1-1.x86_64 (asked for `base`)
            install lang-1-1.x86_64 (needed by if-1-1.x86_64)
            install if-1-1.x86_64 (asked for `if`)
        "#]],
        ),
        (
            "install else",
            expect![[r#"
            install y-1-1.x86_64 (needed by else-1-1.x86_64)
            install else-1-1.x86_64 (asked for `else`)
        "#]],
        ),
        (
            "install else, base",
            expect![[r#"
            install base-1-1.x86_64 (asked for `base`)
            install x-1-1.x86_64 (needed by else-1-1.x86_64)
            install else-1-1.x86_64 (asked for `else`)
        "#]],
        ),
        (
            "install with",
            expect![[r#"
            install y-1-1.x86_64 (needed by with-1-1.x86_64)
            install with-1-1.x86_64 (asked for `with`)
        "#]],
        ),
        (
            "install without",
            expect![[r#"
            install x-1-1.x86_64 (needed by without-1-1.x86_64)
            install without-1-1.x86_64 (asked for `without`)
        "#]],
        ),
        (
            "install unless, x",
            expect![[r#"
            install unless-1-1.x86_64 (asked for `unless`)
            install x-1-1.x86_64 (asked for `x`)
            install y-1-1.x86_64 (needed by unless-1-1.x86_64)
        "#]],
        ),
        (
            "install and, x, y",
            expect![[r#"
            `and` is asked for
            `x` is asked for
            `y` is asked for
            and-1-1.x86_64 conflicts with (x and y) provided by x-1-1.x86_64
            and-1-1.x86_64 conflicts with (x and y) provided by y-1-1.x86_64
        "#]],
        ),
        (
            "install nested, base, y",
            expect![[r#"
            install base-1-1.x86_64 (asked for `base`)
            install x-1-1.x86_64 (needed by nested-1-1.x86_64)
            install nested-1-1.x86_64 (asked for `nested`)
            install y-1-1.x86_64 (asked for `y`)
        "#]],
        ),
        (
            "install (x and y)",
            expect![[r#"
            install x-1-1.x86_64 (asked for `(x and y)`)
            install y-1-1.x86_64 (asked for `(x and y)`)
        "#]],
        ),
    ] {
        check(universe, wanted, expected);
    }
}

#[test]
fn files_and_capabilities() {
    let universe = "available a-1-1.x86_64; requires /usr/bin/perl
         available perl-5-1.x86_64; files /usr/bin/perl, /etc/perl
         available b-1-1.x86_64; provides webserver = 2";
    for (wanted, expected) in [
        (
            "install a",
            expect![[r#"
            install perl-5-1.x86_64 (needed by a-1-1.x86_64)
            install a-1-1.x86_64 (asked for `a`)
        "#]],
        ),
        (
            "install /usr/bin/perl",
            expect![[r#"
            install perl-5-1.x86_64 (asked for `/usr/bin/perl`)
        "#]],
        ),
        (
            "install webserver",
            expect![[r#"
            install b-1-1.x86_64 (asked for `webserver`)
        "#]],
        ),
        (
            "install webserver >= 3",
            expect![[r#"
                no package matches `webserver >= 3`
                hint: b-1-1.x86_64 provides webserver = 2
            "#]],
        ),
        (
            "install perl >= 5",
            expect![[r#"
            install perl-5-1.x86_64 (asked for `perl >= 5`)
        "#]],
        ),
        (
            "install /usr/bin/pearl",
            expect![[r#"
            no package matches `/usr/bin/pearl`
        "#]],
        ),
    ] {
        check(universe, wanted, expected);
    }
}

#[test]
fn names_in_all_forms() {
    let universe = "available foo-1-1.x86_64
         available foo-1:2-1.x86_64
         available foo-2-1.i686
         available foo-libs-1-1.noarch
         available only32-1-1.i686";
    for (wanted, expected) in [
        (
            "install foo",
            expect![[r#"
            install foo-1:2-1.x86_64 (asked for `foo`)
        "#]],
        ),
        (
            "install foo.i686",
            expect![[r#"
            install foo-2-1.i686 (asked for `foo.i686`)
        "#]],
        ),
        (
            "install foo-1",
            expect![[r#"
            install foo-1-1.x86_64 (asked for `foo-1`)
        "#]],
        ),
        (
            "install foo-1-1",
            expect![[r#"
            install foo-1-1.x86_64 (asked for `foo-1-1`)
        "#]],
        ),
        (
            "install foo-1:2-1.x86_64",
            expect![[r#"
            install foo-1:2-1.x86_64 (asked for `foo-1:2-1.x86_64`)
        "#]],
        ),
        (
            "install foo-2-1.x86_64",
            expect![[r#"
            install foo-1:2-1.x86_64 (asked for `foo-2-1.x86_64`)
        "#]],
        ),
        (
            "install foo*",
            expect![[r#"
            install foo-1:2-1.x86_64 (asked for `foo*`)
            install foo-libs-1-1.noarch (asked for `foo*`)
        "#]],
        ),
        (
            "install fo?-libs",
            expect![[r#"
            install foo-libs-1-1.noarch (asked for `fo?-libs`)
        "#]],
        ),
        (
            "install only32",
            expect![[r#"
            install only32-1-1.i686 (asked for `only32`)
        "#]],
        ),
        (
            "install foo-3",
            expect![[r#"
            no package matches `foo-3`
            hint: the newest `foo` is foo-1:2-1.x86_64
        "#]],
        ),
        (
            "install fooo",
            expect![[r#"
            no package matches `fooo`
            hint: did you mean `foo`?
        "#]],
        ),
        (
            "install foo; exclude foo",
            expect![[r#"
                no package matches `foo`
                hint: foo-1:2-1.x86_64 is available, but the job excludes it
                hint: foo-1:2-1.x86_64 provides foo = 1:2-1
            "#]],
        ),
    ] {
        check(universe, wanted, expected);
    }
}

#[test]
fn weak_dependencies() {
    let universe = "available a-1-1.x86_64; recommends r, missing, (s if t)
         available r-1-1.x86_64; recommends rr
         available rr-1-1.x86_64; requires broken
         available s-1-1.x86_64
         available t-1-1.x86_64
         available l-1-1.x86_64; supplements (a and t)
         available m-1-1.x86_64; supplements a; conflicts t";
    for (wanted, expected) in [
        (
            "install a",
            expect![[r#"
            install a-1-1.x86_64 (asked for `a`)
            install m-1-1.x86_64 (weak of a-1-1.x86_64)
            install r-1-1.x86_64 (weak of a-1-1.x86_64)
        "#]],
        ),
        (
            "install a, t",
            expect![[r#"
            install a-1-1.x86_64 (asked for `a`)
            install l-1-1.x86_64 (weak of a-1-1.x86_64)
            install r-1-1.x86_64 (weak of a-1-1.x86_64)
            install s-1-1.x86_64 (weak of a-1-1.x86_64)
            install t-1-1.x86_64 (asked for `t`)
        "#]],
        ),
        (
            "install a, t; weak off",
            expect![[r#"
            install a-1-1.x86_64 (asked for `a`)
            install t-1-1.x86_64 (asked for `t`)
        "#]],
        ),
        (
            "install a; exclude r",
            expect![[r#"
            install a-1-1.x86_64 (asked for `a`)
            install m-1-1.x86_64 (weak of a-1-1.x86_64)
        "#]],
        ),
    ] {
        check(universe, wanted, expected);
    }
    // What was left out stays out when the package is upgraded; what is newly recommended comes.
    check(
        "installed a-1-1.x86_64; recommends r
         available a-2-1.x86_64; recommends r, s
         available r-1-1.x86_64
         available s-1-1.x86_64",
        "upgrade",
        expect![[r#"
            upgrade a-1-1.x86_64 to a-2-1.x86_64 (upgrade)
            install s-1-1.x86_64 (weak of a-2-1.x86_64)
        "#]],
    );
}

#[test]
fn repositories_of_a_lower_number_come_first() {
    check(
        "available a-2-1.x86_64
         other a-1-1.x86_64
         available b-1-1.x86_64",
        "install a, b",
        expect![[r#"
            install a-1-1.x86_64 (asked for `a`)
            install b-1-1.x86_64 (asked for `b`)
        "#]],
    );
}

#[test]
fn failures_are_explained() {
    let universe = "available bar-1-2.x86_64; requires libfoo.so.1()(64bit)
         available top-1-1.x86_64; requires bar, baz
         available baz-1-1.x86_64
         available left-1-1.x86_64; requires lib = 1
         available right-1-1.x86_64; requires lib = 2
         available lib-1-1.x86_64
         available lib-2-1.x86_64
         available needs-new-1-1.x86_64; requires lib >= 3
         available enemy-1-1.x86_64; conflicts baz < 2
         available bash-1-1.x86_64";
    for (wanted, expected) in [
        (
            "install bar",
            expect![[r#"
            `bar` is asked for
            nothing provides libfoo.so.1()(64bit) needed by bar-1-2.x86_64
        "#]],
        ),
        (
            "install top",
            expect![[r#"
            `top` is asked for
            top-1-1.x86_64 requires bar, which only bar-1-2.x86_64 provides
            nothing provides libfoo.so.1()(64bit) needed by bar-1-2.x86_64
        "#]],
        ),
        (
            "install left, right",
            expect![[r#"
            `left` is asked for
            `right` is asked for
            left-1-1.x86_64 requires lib = 1, which only lib-1-1.x86_64 provides
            right-1-1.x86_64 requires lib = 2, which only lib-2-1.x86_64 provides
            only one of lib-1-1.x86_64, lib-2-1.x86_64 can be installed
        "#]],
        ),
        (
            "install needs-new",
            expect![[r#"
            `needs-new` is asked for
            nothing provides lib >= 3 needed by needs-new-1-1.x86_64
            hint: the newest `lib` is lib-2-1.x86_64
        "#]],
        ),
        (
            "install enemy, baz",
            expect![[r#"
            `baz` is asked for
            `enemy` is asked for
            enemy-1-1.x86_64 conflicts with baz < 2 provided by baz-1-1.x86_64
        "#]],
        ),
        (
            "install bahs",
            expect![[r#"
            no package matches `bahs`
            hint: did you mean `bash`?
        "#]],
        ),
        (
            "install bash, top",
            expect![[r#"
            `top` is asked for
            top-1-1.x86_64 requires bar, which only bar-1-2.x86_64 provides
            nothing provides libfoo.so.1()(64bit) needed by bar-1-2.x86_64
        "#]],
        ),
    ] {
        check(universe, wanted, expected);
    }
}

#[test]
fn the_order_follows_requirements_and_breaks_cycles_the_same_way() {
    check(
        "available a-1-1.x86_64; requires b
         available b-1-1.x86_64; requires c; prerequires d
         available c-1-1.x86_64; requires b
         available d-1-1.x86_64; requires b
         available e-1-1.x86_64; prerequires a
         available f-1-1.x86_64; prerequires g
         available g-1-1.x86_64; prerequires f",
        "install a, e, f",
        expect![[r#"
            install c-1-1.x86_64 (needed by b-1-1.x86_64)
            install d-1-1.x86_64 (needed by b-1-1.x86_64)
            install b-1-1.x86_64 (needed by a-1-1.x86_64)
            install a-1-1.x86_64 (asked for `a`)
            install e-1-1.x86_64 (asked for `e`)
            install f-1-1.x86_64 (asked for `f`)
            install g-1-1.x86_64 (needed by f-1-1.x86_64)
        "#]],
    );
}

#[test]
fn a_package_may_meet_its_own_requirements_but_not_conflict_with_itself() {
    check(
        "available a-1-1.x86_64; requires cap, (cap if a), /usr/bin/a; provides cap; conflicts cap; files /usr/bin/a",
        "install a",
        expect![[r#"
            install a-1-1.x86_64 (asked for `a`)
        "#]],
    );
}
