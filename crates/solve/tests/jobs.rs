//! Jobs and what comes of them, as data.
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
fn upgrades() {
    let universe = "installed a-1-1.x86_64; requires lib = 1
         installed lib-1-1.x86_64
         installed old-1-1.x86_64
         installed orphan-1-1.x86_64
         available a-2-1.x86_64; requires lib = 2
         available lib-2-1.x86_64
         available new-1-1.x86_64; obsoletes old < 2; provides old = 2
         available lib-1-1.x86_64";
    for (wanted, expected) in [
        (
            "upgrade",
            expect![[r#"
                upgrade lib-1-1.x86_64 to lib-2-1.x86_64 (needed by a-2-1.x86_64)
                upgrade a-1-1.x86_64 to a-2-1.x86_64 (upgrade)
                install new-1-1.x86_64 (upgrade)
                remove old-1-1.x86_64 (obsoleted by new-1-1.x86_64)
            "#]],
        ),
        (
            "upgrade a",
            expect![[r#"
            upgrade lib-1-1.x86_64 to lib-2-1.x86_64 (needed by a-2-1.x86_64)
            upgrade a-1-1.x86_64 to a-2-1.x86_64 (asked for `a`)
        "#]],
        ),
        (
            "upgrade lib",
            expect![[r#"
                upgrade lib-1-1.x86_64 to lib-2-1.x86_64 (asked for `lib`)
                upgrade a-1-1.x86_64 to a-2-1.x86_64 (needs lib-1-1.x86_64)
            "#]],
        ),
        (
            "upgrade old",
            expect![[r#"
            install new-1-1.x86_64 (asked for `old`)
            remove old-1-1.x86_64 (obsoleted by new-1-1.x86_64)
        "#]],
        ),
        (
            "upgrade orphan",
            expect![[r#"
            nothing to do for orphan
        "#]],
        ),
        (
            "upgrade nonexistent",
            expect![[r#"
            no package matches `nonexistent`
        "#]],
        ),
        (
            "install a",
            expect![[r#"
            upgrade lib-1-1.x86_64 to lib-2-1.x86_64 (needed by a-2-1.x86_64)
            upgrade a-1-1.x86_64 to a-2-1.x86_64 (asked for `a`)
        "#]],
        ),
        (
            "install old",
            expect![[r#"
            nothing to do for old
        "#]],
        ),
        (
            "install a-1",
            expect![[r#"
            nothing to do for a-1
        "#]],
        ),
    ] {
        check(universe, wanted, expected);
    }
}

#[test]
fn an_upgrade_that_does_not_fit_is_held_back() {
    check(
        "installed a-1-1.x86_64; requires lib = 1
         installed lib-1-1.x86_64
         installed c-1-1.x86_64
         available c-2-1.x86_64
         available lib-2-1.x86_64",
        "upgrade",
        expect![[r#"
            upgrade c-1-1.x86_64 to c-2-1.x86_64 (upgrade)
        "#]],
    );
}

#[test]
fn removal() {
    let universe = "installed a-1-1.x86_64; requires lib
         installed b-1-1.x86_64; requires a
         automatic lib-1-1.x86_64; requires sublib
         automatic sublib-1-1.x86_64
         installed c-1-1.x86_64
         available lib2-1-1.x86_64; provides lib
         available lib-1-1.x86_64
         available a-2-1.x86_64";
    for (wanted, expected) in [
        (
            "remove b",
            expect![[r#"
            remove b-1-1.x86_64 (asked for `b`)
        "#]],
        ),
        (
            "remove lib",
            expect![[r#"
            remove a-1-1.x86_64 (needs lib-1-1.x86_64)
            remove b-1-1.x86_64 (needs a-1-1.x86_64)
            remove lib-1-1.x86_64 (asked for `lib`)
        "#]],
        ),
        (
            "remove a; autoremove",
            expect![[r#"
            remove a-1-1.x86_64 (asked for `a`)
            remove b-1-1.x86_64 (needs a-1-1.x86_64)
            remove lib-1-1.x86_64 (unneeded)
            remove sublib-1-1.x86_64 (unneeded)
        "#]],
        ),
        (
            "remove lib; protect b",
            expect![[r#"
            a-1-1.x86_64 needs lib-1-1.x86_64, which would be removed
            b-1-1.x86_64 needs a-1-1.x86_64, which would be removed
            b-1-1.x86_64 is protected and must not be removed
            hint: leave it, or take it off the list of protected packages
        "#]],
        ),
        (
            "remove c; protect c",
            expect![[r#"
            c-1-1.x86_64 is protected and must not be removed
            hint: leave it, or take it off the list of protected packages
        "#]],
        ),
        (
            "remove d",
            expect![[r#"
                no installed package matches `d`
            "#]],
        ),
        (
            "remove lib; install lib2",
            expect![[r#"
            install lib2-1-1.x86_64 (asked for `lib2`)
            remove lib-1-1.x86_64 (asked for `lib`)
        "#]],
        ),
        ("autoremove", expect![[""]]),
        (
            "remove b, c; autoremove",
            expect![[r#"
            remove b-1-1.x86_64 (asked for `b`)
            remove c-1-1.x86_64 (asked for `c`)
        "#]],
        ),
    ] {
        check(universe, wanted, expected);
    }
}

#[test]
fn replacing_and_reinstalling() {
    let universe = "installed a-2-1.x86_64
         available a-1-1.x86_64
         available a-2-1.x86_64
         installed b-3-1.x86_64
         available b-1-1.x86_64
         installed gone-1-1.x86_64";
    for (wanted, expected) in [
        (
            "reinstall a",
            expect![[r#"
            reinstall a-2-1.x86_64 to a-2-1.x86_64 (asked for `a`)
        "#]],
        ),
        (
            "reinstall gone",
            expect![[r#"
            gone-1-1.x86_64 cannot be reinstalled: no repository has it
            hint: upgrade it instead
        "#]],
        ),
        (
            "downgrade a",
            expect![[r#"
            downgrade a-2-1.x86_64 to a-1-1.x86_64 (asked for `a`)
        "#]],
        ),
        (
            "downgrade a, b",
            expect![[r#"
            downgrade a-2-1.x86_64 to a-1-1.x86_64 (asked for `a`)
            downgrade b-3-1.x86_64 to b-1-1.x86_64 (asked for `b`)
        "#]],
        ),
        (
            "downgrade gone",
            expect![[r#"
            no version below gone-1-1.x86_64 is available
            hint: look for other versions with `repoquery`
        "#]],
        ),
        (
            "install a-1",
            expect![[r#"
            downgrade a-2-1.x86_64 to a-1-1.x86_64 (asked for `a-1`)
        "#]],
        ),
        (
            "sync",
            expect![[r#"
                downgrade b-3-1.x86_64 to b-1-1.x86_64 (upgrade)
            "#]],
        ),
        ("upgrade", expect![[""]]),
    ] {
        check(universe, wanted, expected);
    }
}

#[test]
fn conflicts_and_what_may_be_erased() {
    let universe = "installed postfix-1-1.x86_64; conflicts mta
         installed tool-1-1.x86_64; requires postfix
         available exim-1-1.x86_64; provides mta; conflicts postfix
         available old-1-1.x86_64; obsoletes tool";
    for (wanted, expected) in [
        (
            "install exim",
            expect![[r#"
            `exim` is asked for
            postfix-1-1.x86_64 is installed and must stay
            exim-1-1.x86_64 conflicts with postfix provided by postfix-1-1.x86_64
            hint: it would be possible if these may be removed: postfix-1-1.x86_64, tool-1-1.x86_64
        "#]],
        ),
        (
            "install exim; erase",
            expect![[r#"
                install exim-1-1.x86_64 (asked for `exim`)
                remove postfix-1-1.x86_64 (conflicts with exim-1-1.x86_64)
                remove tool-1-1.x86_64 (needs postfix-1-1.x86_64)
            "#]],
        ),
        (
            "install exim; erase; protect tool",
            expect![[r#"
            install exim-1-1.x86_64 (asked for `exim`)
            install old-1-1.x86_64 (other)
            remove postfix-1-1.x86_64 (conflicts with exim-1-1.x86_64)
            remove tool-1-1.x86_64 (obsoleted by old-1-1.x86_64)
        "#]],
        ),
        (
            "install old",
            expect![[r#"
            install old-1-1.x86_64 (asked for `old`)
            remove tool-1-1.x86_64 (obsoleted by old-1-1.x86_64)
        "#]],
        ),
        (
            "install exim; remove postfix",
            expect![[r#"
            install exim-1-1.x86_64 (asked for `exim`)
            install old-1-1.x86_64 (other)
            remove postfix-1-1.x86_64 (asked for `postfix`)
            remove tool-1-1.x86_64 (needs postfix-1-1.x86_64)
        "#]],
        ),
    ] {
        check(universe, wanted, expected);
    }
}

#[test]
fn kernels_stay_side_by_side() {
    let universe = "installed kernel-1-1.x86_64
         available kernel-2-1.x86_64
         available kernel-3-1.x86_64; requires firmware
         available firmware-1-1.noarch";
    for (wanted, expected) in [
        (
            "install kernel; multi kernel",
            expect![[r#"
            install firmware-1-1.noarch (needed by kernel-3-1.x86_64)
            install kernel-3-1.x86_64 (asked for `kernel`)
        "#]],
        ),
        (
            "install kernel-2; multi kernel",
            expect![[r#"
            install kernel-2-1.x86_64 (asked for `kernel-2`)
        "#]],
        ),
        (
            "upgrade; multi kernel",
            expect![[r#"
            install firmware-1-1.noarch (needed by kernel-3-1.x86_64)
            install kernel-3-1.x86_64 (upgrade)
        "#]],
        ),
        (
            "upgrade",
            expect![[r#"
                install firmware-1-1.noarch (needed by kernel-3-1.x86_64)
                upgrade kernel-1-1.x86_64 to kernel-3-1.x86_64 (upgrade)
            "#]],
        ),
        (
            "remove kernel-1; multi kernel",
            expect![[r#"
            remove kernel-1-1.x86_64 (asked for `kernel-1`)
        "#]],
        ),
        (
            "install kernel-1; multi kernel",
            expect![[r#"
            nothing to do for kernel-1
        "#]],
        ),
    ] {
        check(universe, wanted, expected);
    }
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
fn what_is_broken_already_does_not_stop_other_things() {
    check(
        "installed broken-1-1.x86_64; requires not-there
         installed x-1-1.x86_64; conflicts y
         installed y-1-1.x86_64
         available a-1-1.x86_64",
        "install a",
        expect![[r#"
            install a-1-1.x86_64 (asked for `a`)
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
