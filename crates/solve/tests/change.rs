//! What is chosen where something is installed already: upgrades, removals, replacements, conflicts.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod common;

use common::check;
use expect_test::expect;

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
