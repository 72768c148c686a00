//! What the recogniser makes of scripts.
#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};
use lazuli_deb::ScriptKind;
use lazuli_import::{KnownFile, Recognition, ScriptFacts, Verdict, recognise};

fn facts() -> ScriptFacts {
    let regular = KnownFile::Regular {
        mode: 0o755,
        empty: false,
    };
    let mut facts = ScriptFacts {
        package: "sample".to_owned(),
        architecture: "amd64".to_owned(),
        ..ScriptFacts::default()
    };
    for path in [
        "/usr/bin/tool",
        "/usr/share/sample/default.conf",
        "/etc/init.d/sample",
    ] {
        facts.files.insert(path.to_owned(), regular);
    }
    facts
        .files
        .insert("/usr/share/sample".to_owned(), KnownFile::Directory);
    facts.answers.insert("sample/yes".to_owned(), "true".to_owned());
    facts
}

fn shown(recognition: &Recognition) -> String {
    let line = |s: &lazuli_import::Statement| match &s.verdict {
        Verdict::Unknown => format!("{} ? {}\n", s.line, s.text),
        Verdict::Irrelevant(reason) => format!("{} - {reason:?}: {}\n", s.line, s.text),
        Verdict::Understood(action) => format!("{} + {action:?}\n", s.line),
    };
    recognition.statements.iter().map(line).collect()
}

fn postinst(body: &str, expected: Expect) {
    let recognition = recognise(
        ScriptKind::Postinst,
        format!("#!/bin/sh\n{body}").as_bytes(),
        &facts(),
    );
    expected.assert_eq(&shown(&recognition));
}

#[test]
fn debhelper_unit() {
    postinst(
        r#"set -e
# Automatically added by dh_installsystemd/13.24.2
if [ "$1" = "configure" ] || [ "$1" = "abort-upgrade" ] || [ "$1" = "abort-deconfigure" ] || [ "$1" = "abort-remove" ] ; then
	# The following line should be removed in trixie or trixie+1
	deb-systemd-helper unmask 'sample.service' >/dev/null || true

	# was-enabled defaults to true, so new installations run enable.
	if deb-systemd-helper --quiet was-enabled 'sample.service'; then
		deb-systemd-helper enable 'sample.service' >/dev/null || true
	else
		deb-systemd-helper update-state 'sample.service' >/dev/null || true
	fi
fi
# End automatically added section
if [ "$1" = "configure" ]; then
	if deb-systemd-helper debian-installed 'other.service'; then
		deb-systemd-helper enable 'other.service' >/dev/null || true
	fi
	if [ -d /run/systemd/system ]; then
		systemctl --system daemon-reload >/dev/null || true
		if [ -n "$2" ]; then
			_dh_action=restart
		else
			_dh_action=start
		fi
		deb-systemd-invoke $_dh_action 'sample.service' >/dev/null || true
	fi
	deb-systemd-helper --user enable 'mine.socket'
fi"#,
        expect![[r#"
            6 - BookKeeping: deb-systemd-helper unmask 'sample.service' >/dev/null
            9 - NoEffect: deb-systemd-helper --quiet was-enabled 'sample.service'
            10 + EnableUnit { unit: "sample.service", scope: System }
            12 - NotReached: deb-systemd-helper update-state 'sample.service' >/dev/null || true
            17 - NoEffect: deb-systemd-helper debian-installed 'other.service'
            18 - NotReached: deb-systemd-helper enable 'other.service' >/dev/null || true
            21 - RunningSystem: systemctl --system daemon-reload >/dev/null || true if [ -n "$2" ]; then _dh_action=restart else _dh_action=start fi deb-systemd-invoke $_dh_action 'sample.service' >/dev/null || true
            29 + EnableUnit { unit: "mine.socket", scope: User }
        "#]],
    );
}

#[test]
fn case_skeleton_and_upgrade_code() {
    postinst(
        r#"case "$1" in
    configure)
        if dpkg --compare-versions "$2" lt-nl 2.0; then
            rm -rf /var/lib/sample/old
        fi
        if [ -n "$2" ] && dpkg --compare-versions "$2" lt 1; then rm -f /etc/x; fi
        dpkg --compare-versions "$2" lt 1 && mkdir /var/lib/first
    ;;
    abort-upgrade|abort-remove|abort-deconfigure)
    ;;
    *)
        echo "postinst called with unknown argument \`$1'" >&2
        exit 1
    ;;
esac
dpkg-maintscript-helper rm_conffile /etc/old 1.0\~ -- "$@"
exit 0
rm -rf /"#,
        expect![[r#"
            4 - NoEffect: dpkg --compare-versions "$2" lt-nl 2.0
            5 - Upgrade: rm -rf /var/lib/sample/old
            7 - Upgrade: dpkg --compare-versions "$2" lt 1
            7 - Upgrade: rm -f /etc/x;
            8 - NoEffect: dpkg --compare-versions "$2" lt 1
            8 + Directory { path: "/var/lib/first", mode: 493 }
            13 - NotReached: echo "postinst called with unknown argument \`$1'" >&2 exit 1
            17 - BookKeeping: dpkg-maintscript-helper rm_conffile /etc/old 1.0\~ -- "$@"
        "#]],
    );
}

#[test]
fn functions_loops_and_variables() {
    postinst(
        r#"add() {
    dir=$1 name=$2
    mkdir -p "$dir/$name"
}
root=${SAMPLE_ROOT:-/var/lib}
for x in a b; do add "$root/sample" $x; done
base=$(basename /usr/share/thing.conf .conf)
slave() { echo "--slave $1/$2 $2 $1/$3"; }
update-alternatives --install /usr/bin/vi vi /usr/bin/tool 10 $(
	slave /usr/bin ex tool
	for u in cat less; do slave /usr/bin x$u y$u; done
)
file=${0##*/}
touch "/var/log/${root#/var/}.log""#,
        expect![[r#"
            4 + Directory { path: "/var/lib/sample/a", mode: 493 }
            4 + Directory { path: "/var/lib/sample/b", mode: 493 }
            8 - NoEffect: basename /usr/share/thing.conf .conf
            10 + Alternative(Alternative { link: "/usr/bin/vi", name: "vi", path: "/usr/bin/tool", priority: 10, followers: [Follower { link: "/usr/bin/ex", name: "ex", path: "/usr/bin/tool" }, Follower { link: "/usr/bin/xcat", name: "xcat", path: "/usr/bin/ycat" }, Follower { link: "/usr/bin/xless", name: "xless", path: "/usr/bin/yless" }] })
            15 + Touch { path: "/var/log/lib.log", mode: 420 }
        "#]],
    );
}

#[test]
fn conditions_that_are_not_known() {
    postinst(
        r#"if grep -q sample /etc/shells; then echo there; else echo "not there"; fi
if grep -q x /etc/passwd; then mkdir /var/lib/x; fi
if [ ! -e /etc/sample.conf ]; then cp /usr/share/sample/default.conf /etc/sample.conf; fi
[ -e /etc/other.conf ] || touch /etc/other.conf
if [ -d /etc/apache2/conf.d ]; then ln -s /etc/sample.conf /etc/apache2/conf.d/sample.conf; fi
command -v restorecon && restorecon -R /var/lib
for f in /etc/sample.d/*; do rm "$f"; done
grep -q y /etc/x && exit 0
mkdir /var/lib/after"#,
        expect![[r#"
            2 - NoEffect: grep -q sample /etc/shells
            3 - NoEffect: grep -q x /etc/passwd
            3 ? what follows depends on `grep -q x /etc/passwd;`
            4 + CopyFile { source: "/usr/share/sample/default.conf", path: "/etc/sample.conf" }
            5 + Touch { path: "/etc/other.conf", mode: 420 }
            6 ? another package decides, by `[ -d /etc/apache2/conf.d ];`
            7 - NoEffect: command -v restorecon
            7 - Cache: restorecon -R /var/lib
            8 ? what follows depends on `rm "$f";`
            8 ? rm "$f"
            9 - NoEffect: grep -q y /etc/x
            10 ? mkdir /var/lib/after   # unless the script has ended because of `grep -q y /etc/x`
        "#]],
    );
}

#[test]
fn debconf_answers() {
    postinst(
        r#". /usr/share/debconf/confmodule
db_get sample/yes
if [ "$RET" = true ]; then chmod 4755 /usr/bin/tool; else chmod 0755 /usr/bin/tool; fi
db_get shared/question
if [ "$RET" = true ]; then chmod 0700 /usr/bin/tool; fi
db_stop"#,
        expect![[r#"
            2 - Question: . /usr/share/debconf/confmodule
            3 - Question: db_get sample/yes
            4 + Mode { path: "/usr/bin/tool", mode: 2541 }
            5 - Question: db_get shared/question
            6 ? what follows depends on `[ "$RET" = true ];`
            7 - Question: db_stop
        "#]],
    );
}

#[test]
fn accounts() {
    postinst(
        r#"if ! getent passwd sampled >/dev/null; then
	adduser --quiet --system --no-create-home --home /var/lib/sample --shell /bin/false --gecos "Sample, really" --group sampled
fi
getent group extra >/dev/null || addgroup --system --gid 77 extra
adduser sampled extra
useradd -r -d /srv -s /usr/sbin/nologin -c Other -g nogroup -u 88 other
groupadd --system --force third
usermod -a -G extra other
adduser person
if getent passwd sampled >/dev/null; then chown -R sampled:extra /var/lib/sample; fi"#,
        expect![[r#"
            2 - NoEffect: getent passwd sampled >/dev/null
            3 + User(User { name: "sampled", uid: None, group: None, home: Some("/var/lib/sample"), shell: Some("/usr/bin/false"), comment: Some("Sample, really") })
            5 - NoEffect: getent group extra >/dev/null
            5 + Group(Group { name: "extra", gid: Some(77) })
            6 + Member(Member { user: "sampled", group: "extra" })
            7 + User(User { name: "other", uid: Some(88), group: Some("nogroup"), home: Some("/srv"), shell: Some("/usr/sbin/nologin"), comment: Some("Other") })
            8 + Group(Group { name: "third", gid: None })
            9 + Member(Member { user: "other", group: "extra" })
            10 ? adduser person
            11 - NoEffect: getent passwd sampled >/dev/null
            11 + Owner { path: "/var/lib/sample", owner: Some("sampled"), group: Some("extra"), recursive: true }
        "#]],
    );
}

#[test]
fn commands_that_nobody_knows() {
    postinst(
        r#"frobnicate --now
$UNSET_COMMAND x
"$0" again
sed -i s/a/b/ /etc/x
sed s/a/b/ /etc/x > /etc/y
curl https://example.org/ | sh
rm -rf /usr/share/sample
chmod u+s /usr/bin/tool
eval "$(dircolors)"
systemctl mask x.service
python3 -c 'import os'
echo secret > /etc/sample.secret
echo out > "$TMPDIR/x""#,
        expect![[r#"
            2 ? frobnicate --now
            3 ? $UNSET_COMMAND x
            4 ? "$0" again
            5 ? sed -i s/a/b/ /etc/x
            6 - NoEffect: sed s/a/b/ /etc/x > /etc/y
            6 ? sed s/a/b/ /etc/x > /etc/y
            7 ? curl https://example.org/
            7 ? sh
            8 ? rm -rf /usr/share/sample
            9 + Mode { path: "/usr/bin/tool", mode: 2541 }
            10 ? dircolors
            10 ? eval "$(dircolors)"
            11 ? systemctl mask x.service
            12 ? python3 -c 'import os'
            13 + WriteFile { path: "/etc/sample.secret", content: "secret\n", append: false }
            14 ? echo out > "$TMPDIR/x"
        "#]],
    );
}

#[test]
fn hooks_of_kernels_prepare_a_boot() {
    postinst(
        r#"version=6.1.0-56-cloud-amd64
if [ -d /etc/kernel/postinst.d ]; then
    DEB_MAINT_PARAMS="$*" run-parts --report --exit-on-error --arg=$version \
	      --arg=/boot/vmlinuz-$version /etc/kernel/postinst.d
fi
run-parts /etc/sample.d
"#,
        expect![[r#"
            4 - Boot: DEB_MAINT_PARAMS="$*" run-parts --report --exit-on-error --arg=$version \ --arg=/boot/vmlinuz-$version /etc/kernel/postinst.d
            7 ? run-parts /etc/sample.d
        "#]],
    );
}

#[test]
fn here_documents_and_quotes() {
    postinst(
        r#"cat > /etc/a <<EOF
name: $DPKG_MAINTSCRIPT_PACKAGE
cost: \$5
EOF
cat <<-'EOF' > /etc/b
	plain $1
	EOF
{ echo 'one'; printf '%s\n' "two $1"; } > /etc/c
: > /etc/d
cat > /etc/e <<X
$(uname -r)
X"#,
        expect![[r#"
            2 + WriteFile { path: "/etc/a", content: "name: sample\ncost: $5\n", append: false }
            6 + WriteFile { path: "/etc/b", content: "plain $1\n", append: false }
            9 + WriteFile { path: "/etc/c", content: "one\ntwo configure\n", append: false }
            10 + WriteFile { path: "/etc/d", content: "", append: false }
            11 ? cat > /etc/e <<X
            12 - NoEffect: 
        "#]],
    );
}

#[test]
fn triggers() {
    let mut facts = facts();
    facts.interests = vec!["/usr/share/sample".to_owned()];
    let script = b"#!/bin/sh\nif [ \"$1\" = triggered ]; then\n for t in $2; do\n  case $t in /usr/share/sample) update-sample-cache;; esac\n done\nfi\n";
    let recognition = recognise(ScriptKind::Postinst, script, &facts);
    expect![[r#"
        3 - NotReached: for t in $2; do case $t in /usr/share/sample) update-sample-cache;; esac done
        4 ? update-sample-cache
    "#]]
    .assert_eq(&shown(&recognition));
}

#[test]
fn removal() {
    let script = b"#!/bin/sh -e
case \"$1\" in
  remove) update-alternatives --remove vi /usr/bin/tool; rm -rf /var/cache/sample; frobnicate --off;;
  purge) deluser sampled; rm -rf /var/lib/sample;;
esac
";
    let recognition = recognise(ScriptKind::Postrm, script, &facts());
    expect![[r#"
        3 - Removal: update-alternatives --remove vi /usr/bin/tool
        3 - Removal: rm -rf /var/cache/sample
        3 ? frobnicate --off
        4 - NotReached: deluser sampled; rm -rf /var/lib/sample
    "#]]
    .assert_eq(&shown(&recognition));
}

#[test]
fn scripts_that_cannot_be_read() {
    for (script, expected) in [
        (
            "#!/usr/bin/perl\nprint 1;",
            "1 ? a program for another interpreter: #!/usr/bin/perl\n",
        ),
        (
            "#!/bin/sh\nif true; then",
            "2 ? not readable: a compound command does not close\n",
        ),
        ("#!/bin/sh\necho 'x", "2 ? not readable: a quote does not close\n"),
        (
            "#!/bin/sh\ncat <<EOF\nx",
            "3 ? not readable: a here-document does not end\n",
        ),
        ("#!/bin/sh\n)", "2 ? not readable: a word that closes nothing\n"),
        ("", ""),
        ("#!/bin/sh\n", ""),
    ] {
        let recognition = recognise(ScriptKind::Postinst, script.as_bytes(), &facts());
        assert_eq!(shown(&recognition), expected, "{script}");
    }
}

/// Scripts that would take for ever, or all memory, or the stack.
#[test]
fn bounded() {
    let deep = format!("#!/bin/sh\n{}true{}", "(".repeat(100_000), ")".repeat(100_000));
    let quotes = format!(
        "#!/bin/sh\necho {}x{}",
        "\"$(".repeat(10_000),
        ")\"".repeat(10_000)
    );
    let ticks = format!("#!/bin/sh\n{}", "`".repeat(9_999));
    let bombs = [
        "#!/bin/sh\nf() { f; f; }; f".to_owned(),
        "#!/bin/sh\nx=aaaaaaaaaaaaaaaa; for i in 1 2 3 4 5 6 7 8 9; do for j in 1 2 3 4 5 6 7 8 9; do x=$x$x; done; done; mkdir /$x".to_owned(),
        "#!/bin/sh\nwhile true; do mkdir /x; done".to_owned(),
        "#!/bin/sh\nfor a in 1 2 3 4 5 6 7 8 9; do for b in 1 2 3 4 5 6 7 8 9; do for c in 1 2 3 4 5 6 7 8 9; do for d in 1 2 3 4 5 6 7 8 9; do for e in 1 2 3 4 5 6 7 8 9; do for f in 1 2 3 4 5 6 7 8 9; do mkdir /$a$b$c$d$e$f; done; done; done; done; done; done".to_owned(),
        deep,
        quotes,
        ticks,
        format!("#!/bin/sh\n{}", "if ls; then x=1; fi;".repeat(20_000)),
    ];
    for script in bombs {
        let recognition = recognise(ScriptKind::Postinst, script.as_bytes(), &facts());
        assert!(
            recognition.unknown().count() > 0 || script.contains("if ls"),
            "{}",
            &script[..40.min(script.len())]
        );
    }
}
