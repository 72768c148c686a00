//! Each of the 17 kinds, where it applies and where it does not.

use crate::{change, one_failure, sample};

#[test]
fn tags() {
    for (overlay, expected) in [
        (
            "type = 'spec-add-tag'\ntag = 'BuildRequires'\nvalue = 'cmake'",
            "sample.spec:+\"BuildRequires: cmake\\n\"\n= sample.spec inserted [10..=10]\n",
        ),
        (
            "type = 'spec-insert-tag'\ntag = 'Source9999'\nvalue = 'macros'",
            "sample.spec:+\"Source9999: macros\\n\"\n= sample.spec inserted [7..=7]\n",
        ),
        (
            "type = 'spec-set-tag'\ntag = 'Summary'\nvalue = 'H'\npackage = 'devel'",
            "sample.spec:-\"Summary: Headers\\n\"\nsample.spec:+\"Summary: H\\n\"\n= sample.spec changed [15..=15] 1\n",
        ),
        (
            "type = 'spec-set-tag'\ntag = 'Epoch'\nvalue = '1'",
            "sample.spec:+\"Epoch: 1\\n\"\n= sample.spec inserted [10..=10]\n",
        ),
        (
            "type = 'spec-update-tag'\ntag = 'Version'\nvalue = '2'",
            "sample.spec:-\"Version: 1.0\\n\"\nsample.spec:+\"Version: 2\\n\"\n= sample.spec changed [2..=2] 1\n",
        ),
        (
            "type = 'spec-remove-tag'\ntag = 'BuildRequires'\nvalue = 'gcc'",
            "sample.spec:-\"BuildRequires: gcc\\n\"\n= sample.spec removed [9..=9]\n",
        ),
    ] {
        assert_eq!(change(&sample(), overlay), expected, "{overlay}");
    }
}

#[test]
fn lines_and_patterns_of_the_spec() {
    for (overlay, expected) in [
        (
            "type = 'spec-prepend-lines'\nsection = '%build'\nlines = ['export A=1', 'export B=2']",
            "sample.spec:+\"export A=1\\n\"\nsample.spec:+\"export B=2\\n\"\n= sample.spec inserted [24..=25]\n",
        ),
        (
            "type = 'spec-append-lines'\nsection = '%files'\npackage = 'devel'\nlines = ['/x']",
            "sample.spec:+\"/x\\n\"\n= sample.spec inserted [36..=36]\n",
        ),
        (
            "type = 'spec-append-lines'\nlines = ['%global x 1']",
            "sample.spec:+\"%global x 1\\n\"\n= sample.spec inserted [36..=36]\n",
        ),
        (
            "type = 'spec-prepend-lines'\nlines = ['# top']",
            "sample.spec:+\"# top\\n\"\n= sample.spec inserted [1..=1]\n",
        ),
        (
            "type = 'spec-search-replace'\nsection = '%build'\nregex = '--enable-(\\w+)'\nreplacement = '--$1'",
            "sample.spec:-\"    --enable-old\\n\"\nsample.spec:+\"    --$1\\n\"\n= sample.spec changed [25..=25] 1\n",
        ),
        (
            "type = 'spec-search-replace'\nregex = '--enable-(?P<what>\\w+)'\nreplacement = '--no-${what}$$'\ncaptures = true",
            "sample.spec:-\"    --enable-old\\n\"\nsample.spec:+\"    --no-old$\\n\"\n= sample.spec changed [25..=25] 1\n",
        ),
        (
            "type = 'spec-search-replace'\nsection = '%build'\nregex = '\\s*\\\\\\n\\s*--enable-old$'\nmulti-line = true",
            "sample.spec:-\"%configure --disable-static \\\\\\n\"\nsample.spec:-\"    --enable-old\\n\"\n\
             sample.spec:+\"%configure --disable-static\\n\"\n= sample.spec changed [24..=24] 1\n",
        ),
        (
            "type = 'spec-remove-section'\nsection = '%check'",
            "sample.spec:-\"%check\\n\"\nsample.spec:-\"make check\\n\"\nsample.spec:-\"\\n\"\n= sample.spec removed [28..=30]\n",
        ),
        (
            "type = 'spec-remove-subpackage'\npackage = 'sample-devel'",
            "sample.spec:-\"%package devel\\n\"\nsample.spec:-\"Summary: Headers\\n\"\nsample.spec:-\"\\n\"\n\
             sample.spec:-\"%description devel\\n\"\nsample.spec:-\"Headers.\\n\"\nsample.spec:-\"\\n\"\n\
             sample.spec:-\"%files devel\\n\"\nsample.spec:-\"/usr/include/sample.h\\n\"\n\
             = sample.spec removed [14..=16, 17..=19, 34..=35]\n",
        ),
    ] {
        assert_eq!(change(&sample(), overlay), expected, "{overlay}");
    }
}

#[test]
fn patches() {
    assert_eq!(
        change(&sample(), "type = 'patch-add'\nsource = 'patches/new.patch'"),
        "added new.patch \"new patch\\n\"\nsample.spec:+\"Patch2: new.patch\\n\"\n\
         = new.patch added\n= sample.spec inserted [9..=9]\n"
    );
    assert_eq!(
        change(
            &sample(),
            "type = 'patch-add'\nsource = 'patches/new.patch'\nfile = '0001.patch'"
        ),
        "added 0001.patch \"new patch\\n\"\nsample.spec:+\"Patch2: 0001.patch\\n\"\n\
         = 0001.patch added\n= sample.spec inserted [9..=9]\n"
    );
    assert_eq!(
        change(&sample(), "type = 'patch-remove'\nfile = '*.patch'"),
        "deleted first.patch\nsample.spec:-\"Patch0: first.patch\\n\"\nsample.spec:-\"Patch1: second.patch\\n\"\n\
         deleted second.patch\n\
         = sample.spec removed [7..=7, 8..=8]\n= first.patch deleted\n= second.patch deleted\n"
    );
    let mut without = sample();
    without.remove("first.patch");
    assert_eq!(
        change(&without, "type = 'patch-remove'\nfile = 'first.*'"),
        "sample.spec:-\"Patch0: first.patch\\n\"\n= sample.spec removed [7..=7]\n\
         ! the file of the patch `first.patch` was not among the sources\n"
    );
}

#[test]
fn files() {
    for (overlay, expected) in [
        (
            "type = 'file-prepend-lines'\nfile = 'conf/**/*.conf'\nlines = ['# a', '# b']",
            "conf/a.conf:+\"# a\\n\"\nconf/a.conf:+\"# b\\n\"\nconf/deep/b.conf:+\"# a\\r\\n\"\nconf/deep/b.conf:+\"# b\\r\\n\"\n\
             = conf/a.conf inserted [1..=2]\n= conf/deep/b.conf inserted [1..=2]\n",
        ),
        (
            "type = 'file-search-replace'\nfile = 'Makefile'\nregex = '-O1'\nreplacement = '-O2'",
            "Makefile:-\"\\tcc -O1 x.c\\n\"\nMakefile:-\"\\tcc -O1 y.c\\n\"\nMakefile:+\"\\tcc -O2 x.c\\n\"\n\
             Makefile:+\"\\tcc -O2 y.c\\n\"\n= Makefile changed [2..=3] 2\n",
        ),
        // One of several files is enough; the text is matched as a whole.
        (
            "type = 'file-search-replace'\nfile = '**'\nregex = 'x = 2\\s+y'\nreplacement = 'z'",
            "conf/deep/b.conf:-\"x = 2\\r\\n\"\nconf/deep/b.conf:-\"y = 3\\r\\n\"\nconf/deep/b.conf:+\"z = 3\\r\\n\"\n\
             = conf/deep/b.conf changed [1..=1] 1\n",
        ),
        (
            "type = 'file-search-replace'\nfile = '**/b.conf'\nregex = '^y.*$'\nmulti-line = true",
            "conf/deep/b.conf:-\"y = 3\\r\\n\"\nconf/deep/b.conf:+\"\\r\\n\"\n= conf/deep/b.conf changed [2..=2] 1\n",
        ),
        (
            "type = 'file-add'\nfile = 'conf/extra.conf'\nsource = 'files/extra.conf'",
            "added conf/extra.conf \"extra\\n\"\n= conf/extra.conf added\n",
        ),
        (
            "type = 'file-remove'\nfile = 'conf/*.conf'",
            "deleted conf/a.conf\n= conf/a.conf deleted\n",
        ),
        (
            "type = 'file-rename'\nfile = 'conf/a.conf'\nreplacement = 'c.conf'",
            "deleted conf/a.conf\nadded conf/c.conf \"x = 1\\n\"\n= conf/a.conf renamed conf/c.conf\n",
        ),
    ] {
        assert_eq!(change(&sample(), overlay), expected, "{overlay}");
    }
}

#[test]
fn what_does_not_apply_is_explained() {
    for (overlay, expected) in [
        (
            "type = 'spec-add-tag'\ntag = 'Version'\nvalue = '2'",
            "overlay 1 (spec-add-tag) at sample.comp.toml:10 does not apply to sample.spec, section the preamble: \
             the tag `Version: 1.0` is there already\n  looked for: no `Version`\n  nearest is: Version: 1.0 (line 2)\n  \
             hint: to give it another value, use `spec-update-tag` or `spec-set-tag`",
        ),
        (
            "type = 'spec-insert-tag'\ntag = 'Provides'\nvalue = 'x'\npackage = 'libs'",
            "overlay 1 (spec-insert-tag) at sample.comp.toml:10 does not apply to sample.spec, section %package libs: \
             there is no section %package libs\n  looked for: %package libs\n  nearest is: %package devel (line 14)\n  \
             hint: there is %package devel",
        ),
        (
            "type = 'spec-update-tag'\ntag = 'Licence'\nvalue = 'x'",
            "overlay 1 (spec-update-tag) at sample.comp.toml:10 does not apply to sample.spec, section the preamble: \
             there is no tag `Licence`\n  looked for: Licence:\n  nearest is: License: MIT (line 5)",
        ),
        (
            "type = 'spec-set-tag'\ntag = 'A B'\nvalue = 'x'",
            "overlay 1 (spec-set-tag) at sample.comp.toml:10 does not apply to sample.spec: `A B` is no name of a tag",
        ),
        (
            "type = 'spec-remove-tag'\ntag = 'BuildRequires'\nvalue = 'gcc-c++'",
            "overlay 1 (spec-remove-tag) at sample.comp.toml:10 does not apply to sample.spec, section the preamble: \
             there is no tag `BuildRequires: gcc-c++`\n  looked for: BuildRequires: gcc-c++\n  \
             nearest is: BuildRequires: gcc (line 9)",
        ),
        (
            "type = 'spec-prepend-lines'\nsection = '%instal'\nlines = ['x']",
            "overlay 1 (spec-prepend-lines) at sample.comp.toml:10 does not apply to sample.spec, section %instal: \
             there is no section %instal\n  looked for: %instal\n  \
             hint: nothing is made silently: add the section with lines at the end of the file",
        ),
        (
            "type = 'spec-append-lines'\nsection = '%post'\nlines = ['x']",
            "overlay 1 (spec-append-lines) at sample.comp.toml:10 does not apply to sample.spec, section %post: \
             there is no section %post\n  looked for: %post\n  \
             hint: nothing is made silently: add the section with lines at the end of the file",
        ),
        (
            "type = 'spec-search-replace'\nsection = '%build'\nregex = '--enable-older?'\ndescription = 'Old things'",
            "overlay 1 (spec-search-replace) “Old things” at sample.comp.toml:10 does not apply to sample.spec, \
             section %build: the pattern matches nothing\n  looked for: --enable-older?\n  \
             nearest is: --enable-old (line 25)",
        ),
        (
            "type = 'spec-search-replace'\nregex = '(a'",
            "overlay 1 (spec-search-replace) at sample.comp.toml:10 does not apply to sample.spec: \
             the regular expression is not valid: unclosed group\n  looked for: (a",
        ),
        (
            "type = 'spec-search-replace'\nregex = '(m)ake'\nreplacement = '$1ake'\ncaptures = true",
            "overlay 1 (spec-search-replace) at sample.comp.toml:10 does not apply to sample.spec: \
             the replacement names the group `1ake`, which the regular expression does not have\n  looked for: (m)ake\n  \
             hint: a name goes as far as letters and digits do: write ${1}ake",
        ),
        (
            "type = 'spec-remove-section'\nsection = '%install'",
            "overlay 1 (spec-remove-section) at sample.comp.toml:10 does not apply to sample.spec, section %install: \
             there is no section %install\n  looked for: %install\n  \
             hint: nothing is made silently: add the section with lines at the end of the file",
        ),
        (
            "type = 'spec-remove-subpackage'\npackage = 'doc'",
            "overlay 1 (spec-remove-subpackage) at sample.comp.toml:10 does not apply to sample.spec: \
             there is no sub-package `doc`\n  looked for: %package doc\n  nearest is: %package devel (line 14)\n  \
             hint: the sub-packages are sample-devel",
        ),
        (
            "type = 'patch-add'\nsource = 'patches/new.patch'\nfile = 'first.patch'",
            "overlay 1 (patch-add) at sample.comp.toml:10 does not apply to first.patch: \
             there is a file of this name already\n  \
             hint: upstream has it too by now: drop this overlay, or give the file another name with `file`",
        ),
        (
            "type = 'patch-add'\nsource = 'patches/none.patch'",
            "overlay 1 (patch-add) at sample.comp.toml:10 does not apply to none.patch: \
             failed to read patches/none.patch: no such file",
        ),
        (
            "type = 'patch-remove'\nfile = 'firts.patch'",
            "overlay 1 (patch-remove) at sample.comp.toml:10 does not apply to sample.spec: \
             the spec has no patch `firts.patch`\n  looked for: firts.patch\n  \
             nearest is: Patch0: first.patch (line 7)",
        ),
        (
            "type = 'file-prepend-lines'\nfile = 'Makefil'\nlines = ['x']",
            "overlay 1 (file-prepend-lines) at sample.comp.toml:10 does not apply to Makefil: \
             no file has a name that matches; specs do not count\n  looked for: Makefil\n  hint: there is `Makefile`",
        ),
        (
            "type = 'file-search-replace'\nfile = 'sample.spec'\nregex = 'x'",
            "overlay 1 (file-search-replace) at sample.comp.toml:10 does not apply to sample.spec: \
             no file has a name that matches; specs do not count\n  looked for: sample.spec\n  \
             hint: a spec is changed by the `spec-…` kinds",
        ),
        (
            "type = 'file-search-replace'\nfile = '**'\nregex = 'cc -O2 y.c'\nreplacement = 'z'",
            "overlay 1 (file-search-replace) at sample.comp.toml:10 does not apply to Makefile: \
             the pattern matches nothing\n  looked for: cc -O2 y.c\n  nearest is: cc -O1 y.c (line 3)",
        ),
        (
            "type = 'file-search-replace'\nfile = 'Makefile'\nregex = '-O.'\nreplacement = '-O1'",
            "overlay 1 (file-search-replace) at sample.comp.toml:10 does not apply to Makefile: \
             the pattern matches, but what takes the place of the match is the same text\n  looked for: -O.\n  \
             nearest is: cc -O1 x.c (line 2)\n  hint: upstream may have made this change: drop the overlay",
        ),
        (
            "type = 'file-add'\nfile = 'Makefile'\nsource = 'files/extra.conf'",
            "overlay 1 (file-add) at sample.comp.toml:10 does not apply to Makefile: there is a file of this name already\n  \
             hint: upstream has it too by now: drop this overlay, or give the file another name with `file`",
        ),
        (
            "type = 'file-add'\nfile = '../x'\nsource = 'files/extra.conf'",
            "overlay 1 (file-add) at sample.comp.toml:10 does not apply to ../x: \
             the file name `../x` cannot be used: a part of it is empty, `.` or `..`",
        ),
        (
            "type = 'file-add'\nfile = 'Makefile/x'\nsource = 'files/extra.conf'",
            "overlay 1 (file-add) at sample.comp.toml:10 does not apply to Makefile/x: \
             it cannot be a file beside `Makefile`: one would be a folder",
        ),
        (
            "type = 'file-remove'\nfile = '[a'",
            "overlay 1 (file-remove) at sample.comp.toml:10 does not apply to [a: \
             the glob is not valid: unclosed character class; missing ']'",
        ),
        (
            "type = 'file-rename'\nfile = '*.patch'\nreplacement = 'x'",
            "overlay 1 (file-rename) at sample.comp.toml:10 does not apply to *.patch: \
             several files match, and one name cannot be that of all: first.patch, second.patch",
        ),
        (
            "type = 'file-rename'\nfile = 'Makefile'\nreplacement = 'first.patch'",
            "overlay 1 (file-rename) at sample.comp.toml:10 does not apply to Makefile: \
             there is a file `first.patch` already, or it would be a second spec",
        ),
        (
            "type = 'file-remove'\nfile = 'x'\narchive = 'sample-1.0.tar.gz'",
            "overlay 1 (file-remove) at sample.comp.toml:10 does not apply to sample-1.0.tar.gz: \
             there is no such archive among the sources\n  looked for: sample-1.0.tar.gz\n  \
             hint: the files are Makefile, conf/a.conf, conf/deep/b.conf, first.patch, sample.spec, second.patch",
        ),
    ] {
        assert_eq!(one_failure(&sample(), overlay), expected, "{overlay}");
    }
}
