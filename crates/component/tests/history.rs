//! Releases and changelogs, from messages and histories, with rpm as the judge of what comes of them.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::process::Command;

use lazuli_catalog::ReleaseCalculation;
use lazuli_component::Person;
use lazuli_component::history::{
    ChangesFile, Counted, HistoryLine, RecordedChange, ReleaseRule, changelog_items, release, skips_changelog,
};
use lazuli_component::provider::{ChangelogFile, UpstreamCommit};
use std::path::Path;
use support::{DAY, START, has, reader, spec};

#[test]
fn messages_become_items() {
    let check =
        |message: &str, expected: &[&str]| assert_eq!(changelog_items(message), expected, "{message:?}");
    check(
        "Update to 2.3.4 (bug#666)\n\nThis also fixes builds on arm64.\n",
        &["Update to 2.3.4 (bug#666)"],
    );
    check(
        "Update to 2.3.5\n\n... (bug#667,\nbug#123)\n\n- Fixes s390 (bug#668)\n\n(no dash)\n- late\n",
        &["Update to 2.3.5 (bug#667, bug#123)", "Fixes s390 (bug#668)"],
    );
    check(
        "One\n\n… and more\n- two\n- three\n  goes on\n",
        &["One and more", "two", "three goes on"],
    );
    check("- dashed subject\n\n- item\n", &["dashed subject", "item"]);
    check("Two lines\nof subject\n", &["Two lines of subject"]);
    check("100% of %{name}\n", &["100%% of %%{name}"]);
    check("\n\n", &[]);
    check("x\n\n....and y\n", &["x and y"]);
}

#[test]
fn entries_can_be_left_out() {
    let check = |message: &str, expected: bool| assert_eq!(skips_changelog(message), expected, "{message:?}");
    check("Fix\n\n[skip changelog]\n", true);
    check("Fix\n\n  [ skip  changelog ]  ", true);
    check("Fix\n\n[skip changelog, other]", true);
    check("Fix [skip changelog]", false);
    check("Fix\n\n[skip]", false);
}

fn commit(id: &str, day: i64, version: &str, message: &str) -> UpstreamCommit {
    UpstreamCommit {
        id: id.to_owned(),
        author: Person::parse("Una Upstream <una@upstream.example>"),
        time: START + day * DAY,
        message: message.to_owned(),
        spec: Some(
            spec(version, "%autorelease", "%autochangelog\n")
                .into_bytes()
                .into(),
        ),
        changelog: ChangelogFile::Untouched,
    }
}

fn change(at: Option<&str>, day: i64, version: &str, text: &str) -> RecordedChange {
    RecordedChange {
        time: START + day * DAY,
        author: Person::parse("Pia Project <pia@project.example>"),
        text: text.to_owned(),
        fingerprint: format!("f{day}"),
        upstream_commit: at.map(str::to_owned),
        version: Some(version.to_owned()),
    }
}

/// Each entry as `VERSION-NUMBER message`, the oldest first.
fn entries(line: &HistoryLine) -> Vec<String> {
    let entries = line.entries.iter();
    entries
        .map(|entry| format!("{}-{} {}", entry.version, entry.number, entry.message))
        .collect()
}

#[test]
fn our_changes_stand_after_the_commit_that_was_locked() {
    let reader = reader();
    let version_of = |spec: &[u8]| reader.version(spec);
    let upstream = [
        commit("u3", 30, "2.0", "U3"),
        commit("u2", 20, "2.0", "U2"),
        commit("u1", 10, "1.0", "U1"),
        commit("u0", 0, "1.0", "U0"),
    ];
    let changes = [
        change(Some("u1"), 11, "1.0", "P1"),
        // Newer than the upstream's next commit, but made on the old one.
        change(Some("u1"), 25, "1.0", "P2"),
        change(Some("u3"), 31, "2.0", "P3"),
    ];
    let line = HistoryLine::new(&upstream, &changes, "2.0", Counted::All, &version_of);
    assert_eq!(
        entries(&line),
        [
            "1.0-1 U0", "1.0-2 U1", "1.0-3 P1", "1.0-4 P2", "2.0-1 U2", "2.0-2 U3", "2.0-3 P3"
        ]
    );
    assert_eq!((line.number(), line.own(), line.displaced), (3, 3, 0));

    // An overlay sets another version: that is what counts for the newest.
    let line = HistoryLine::new(&upstream, &changes, "2.1", Counted::All, &version_of);
    assert_eq!(line.number(), 1);
    // A commit of another branch is placed by its date, and still counts.
    let other = [
        change(Some("gone"), 21, "2.0", "P0"),
        change(Some("u3"), 31, "2.0", "P3"),
    ];
    let line = HistoryLine::new(&upstream, &other, "2.0", Counted::All, &version_of);
    assert_eq!(
        entries(&line)[2..],
        ["2.0-1 U2", "2.0-2 P0", "2.0-3 U3", "2.0-4 P3"]
    );
    assert_eq!(line.displaced, 1);
    // Back to an older commit: a release never goes down.
    let back = [
        change(Some("u1"), 11, "1.0", "P1"),
        change(Some("u0"), 12, "1.0", "P2"),
    ];
    let line = HistoryLine::new(&upstream[3..], &back, "1.0", Counted::All, &version_of);
    assert_eq!(entries(&line), ["1.0-1 U0", "1.0-2 P1", "1.0-3 P2"]);
    // Nothing is known.
    let line = HistoryLine::new(&[], &[], "1.0", Counted::All, &version_of);
    assert_eq!((line.number(), line.own()), (1, 0));
}

#[test]
fn changes_files_come_back_as_they_were() {
    let mut file = ChangesFile::default();
    for (index, text) in [
        "One line",
        "Subject\n\n- item \"quoted\" \\ and 'single'\n- tab\there",
        "three ''' quotes",
        "ends with '",
        "\u{1}control",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        let day = i64::try_from(index).unwrap();
        let mut change = change((index % 2 == 0).then_some("0123456789"), day, "1:2.0", text);
        change.author = Person::parse("Ünï \"Q\" Code <u@x.example>");
        if index == 3 {
            change.version = None;
        }
        file.changes.push(change);
    }
    let text = file.to_string();
    let read = ChangesFile::parse(Path::new("x"), &text).unwrap();
    assert_eq!(read, file, "{text}");
    assert_eq!(read.to_string(), text);
    assert!(
        ChangesFile::parse(Path::new("x"), "schema = 2\n")
            .unwrap_err()
            .to_string()
            .contains("format 2")
    );
    assert!(ChangesFile::parse(Path::new("x"), "schema = 1\nother = 1\n").is_err());

    // What is not committed yet is replaced; what leads back is taken out.
    file.record(change(None, 9, "1", "new"), 2);
    assert_eq!(file.changes.len(), 3);
    file.record(change(None, 10, "1", "newer"), 2);
    assert_eq!((file.changes.len(), file.changes[2].text.as_str()), (3, "newer"));
    file.record(change(None, 1, "1", "back to f1"), 2);
    assert_eq!(file.changes.len(), 2);
}

fn released(
    spec: &str,
    calculation: ReleaseCalculation,
    line: &HistoryLine,
    file: Option<&str>,
) -> (String, ReleaseRule) {
    let result = release(
        spec.as_bytes(),
        calculation,
        line,
        file.map(str::as_bytes),
        &|_| None,
    );
    let result = result.unwrap_or_else(|error| panic!("{error}: {spec}"));
    (String::from_utf8(result.spec).unwrap(), result.rule)
}

fn history(count: usize) -> HistoryLine {
    let changes: Vec<RecordedChange> = (0..count)
        .map(|index| {
            change(
                None,
                i64::try_from(index).unwrap(),
                "1.0",
                &format!("Change {index}"),
            )
        })
        .collect();
    HistoryLine::new(&[], &changes, "1.0", Counted::All, &|_| None)
}

#[test]
fn static_releases_count_up() {
    let check = |release: &str, count: usize, expected: &str| {
        let old = "* Thu Jan 01 2026 Una <u@x.example> - 1.0-1\n- Old\n";
        let (text, rule) = released(
            &spec("1.0", release, old),
            ReleaseCalculation::Auto,
            &history(count),
            None,
        );
        assert_eq!(rule, ReleaseRule::Static);
        let line = text.lines().find(|line| line.starts_with("Release:")).unwrap();
        assert_eq!(line, format!("Release: {expected}"));
    };
    check("3%{?dist}", 0, "3%{?dist}");
    check("3%{?dist}", 2, "5%{?dist}");
    check("9", 1, "10");
    check("0.3.rc1%{?dist}", 2, "0.5.rc1%{?dist}");
    check("0", 1, "1");
    check("1.git%{x}%{?dist}", 1, "2.git%{x}%{?dist}");
    let error = |spec: &str| {
        let result = release(
            spec.as_bytes(),
            ReleaseCalculation::Auto,
            &history(1),
            None,
            &|_| None,
        );
        result.unwrap_err().to_string()
    };
    assert!(error(&spec("1", "%{pkg_release}", "")).contains("no number"));
    assert!(error(&spec("1", "99999999999999999999", "")).contains("too large"));
    assert!(error("Name: x\n").contains("no `Release`"));
    let manual = spec(
        "1.0",
        "%{pkg_release}",
        "* Thu Jan 01 2026 Una <u@x.example> - 1.0-1\n- Old\n",
    );
    assert_eq!(
        released(&manual, ReleaseCalculation::Manual, &history(3), None).0,
        manual
    );
}

#[test]
fn a_macro_that_holds_the_number_counts_up() {
    let text = format!(
        "%global baserelease 4\n%global lines() one\\\nRelease: 7\n{}",
        spec("1.0", "%{baserelease}%{?dist}", "")
    );
    let (text, _) = released(&text, ReleaseCalculation::Static, &history(2), None);
    assert!(
        text.starts_with("%global baserelease 6\n%global lines() one\\\nRelease: 7\n"),
        "{text}"
    );
    assert!(text.contains("Release: %{baserelease}%{?dist}\n"));
    assert!(
        text.contains("- 1.0-6\n- Change 1\n\n* Thu Jan 01 2026 Pia Project <pia@project.example> - 1.0-5\n"),
        "{text}"
    );
}

#[test]
fn conditional_releases() {
    let both = spec("1.0", "1", "").replace(
        "Release: 1",
        "%if 0%{?rhel}\nRelease: 7\n%else\nRelease: %autorelease\n%endif",
    );
    let (text, rule) = released(&both, ReleaseCalculation::Auto, &history(2), None);
    assert_eq!(rule, ReleaseRule::Autorelease);
    assert!(text.contains("Release: 7\n"));
    let numbers = spec("1.0", "1", "").replace(
        "Release: 1",
        "%if 0%{?rhel}\nRelease: 7\n%else\nRelease: 1\n%endif",
    );
    let (text, _) = released(&numbers, ReleaseCalculation::Auto, &history(2), None);
    assert!(text.contains("Release: 9\n%else\nRelease: 3\n"), "{text}");
}

#[test]
fn generated_changelogs() {
    let reader = reader();
    let mut upstream = vec![
        commit("u3", 30, "1.0", "Newest\n\n[skip changelog]"),
        commit(
            "u2",
            20,
            "1.0",
            "After the file, in a line that is so long that it must be broken at some word before the end",
        ),
        commit("u1", 10, "1.0", "Touches the file"),
        commit("u0", 0, "0.9", "In the file"),
    ];
    upstream[2].changelog = ChangelogFile::Touched;
    let changes = [
        change(Some("u0"), 25, "0.9", "Ours, before the cut"),
        change(Some("u3"), 31, "1.0", "Ours\n\n- 5% more"),
    ];
    let line = HistoryLine::new(&upstream, &changes, "1.0", Counted::All, &|spec| {
        reader.version(spec)
    });
    let file = "* Wed Dec 31 2025 Old <old@x.example> 0.8-1\n- Uses %{macro}\n";
    let (text, _) = released(
        &spec("1.0", "%autorelease", "%autochangelog\n"),
        ReleaseCalculation::Auto,
        &line,
        Some(file),
    );
    let (_, changelog) = text.split_once("%changelog\n").unwrap();
    let expected = "\
* Sun Feb 01 2026 Pia Project <pia@project.example> - 1.0-4
- Ours
- 5%% more

* Mon Jan 26 2026 Una Upstream <una@upstream.example> - 1.0-2
- After the file, in a line that is so long that it must be broken at some
  word before the end

* Mon Jan 26 2026 Pia Project <pia@project.example> - 0.9-2
- Ours, before the cut

* Wed Dec 31 2025 Old <old@x.example> 0.8-1
- Uses %%{macro}
";
    assert_eq!(changelog, expected);
}

/// rpm reads what we wrote: its release, and its changelog, whose dates must descend.
#[test]
fn rpm_agrees_with_releases_and_changelogs() {
    if !has("rpmspec") {
        return;
    }
    let reader = reader();
    let upstream = [commit("u1", 10, "1.0", "U1"), commit("u0", 0, "1.0", "U0")];
    let changes = [
        change(Some("u0"), 40, "1.0", "P1, newer than U1"),
        change(Some("u1"), 12, "1.0", "P2 with 100% %name"),
    ];
    let line = HistoryLine::new(&upstream, &changes, "1.0", Counted::All, &|spec| {
        reader.version(spec)
    });
    let cases = [
        ("%autorelease", "4.ex1"),
        ("%{autorelease}", "4.ex1"),
        ("%autorelease -b 100", "103.ex1"),
        ("%autorelease -p -e pre1", "0.4.pre1.ex1"),
        (
            "%autorelease -e pre1 -s 20260317gitabc",
            "4.pre1.20260317gitabc.ex1",
        ),
        ("%autorelease -n", "4"),
        ("%{autorelease -b 3 -n}", "6"),
        ("3%{?dist}", "5.ex1"),
        ("%{base}%{?dist}", "9.ex1"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (index, (value, _)) in cases.iter().enumerate() {
        let old = "* Sat Jan 24 2026 Una <u@x.example> - 1.0-1\n- Old\n";
        let changelog = if value.contains("autorelease") {
            "%autochangelog\n"
        } else {
            old
        };
        let text = format!("%global base 7\n{}", spec("1.0", value, changelog))
            .replace("Name: hello", &format!("Name: hello{index}"));
        let (text, _) = released(&text, ReleaseCalculation::Auto, &line, None);
        let path = folder.path().join(format!("{index}.spec"));
        fs::write(&path, text).unwrap();
        files.push(path);
    }
    let output = Command::new("rpmspec")
        .args([
            "-q",
            "--srpm",
            "--define",
            "dist .ex1",
            "--qf",
            "%{RELEASE} [%{CHANGELOGTIME}:%{CHANGELOGNAME}|]\n",
        ])
        .args(&files)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let answers = String::from_utf8_lossy(&output.stdout).into_owned();
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), cases.len(), "{answers:?} {error}");
    for ((value, expected), answer) in cases.iter().zip(&answers) {
        let (release, changelog) = answer.split_once(' ').unwrap();
        assert_eq!(release, *expected, "{value}");
        // Times descend, and the newest has the release that is rendered, but for dist and options.
        let times: Vec<i64> = changelog
            .split('|')
            .filter_map(|entry| entry.trim_matches(['[', ']']).split(':').next()?.parse().ok())
            .collect();
        assert!(
            times.len() >= 3 && times.windows(2).all(|pair| pair[0] >= pair[1]),
            "{value}: {answer}"
        );
        let counted = if *value == "3%{?dist}" {
            "1.0-5|"
        } else if value.starts_with("%{base}") {
            "1.0-9|"
        } else {
            "1.0-4|"
        };
        assert!(
            changelog.contains(&format!("Pia Project <pia@project.example> - {counted}")),
            "{value}: {answer}"
        );
    }
}

#[test]
fn versions_are_read_from_the_text_or_expanded() {
    let reader = reader();
    let check = |head: &str, expected: Option<&str>| {
        let spec = format!(
            "Name: x\n{head}\nRelease: 1\nSummary: x\nLicense: MIT\n%description\nVersion: 9\n%prep\n"
        );
        assert_eq!(reader.version(spec.as_bytes()).as_deref(), expected, "{head}");
    };
    check("Version: 1.2~rc1^git", Some("1.2~rc1^git"));
    check("Epoch: 3\nversion :\t1.2", Some("3:1.2"));
    check("%global ver 4.5\nVersion: %{ver}", Some("4.5"));
    check("%global other() \\\nVersion: 8\nVersion: 1", Some("1"));
    check("%if 0\nVersion: 1\n%else\nVersion: 2\n%endif", Some("2"));
    check("%{!?x:Epoch: 7}\nVersion: 1", Some("7:1"));
    check("%bcond_with x\n%global a b\nVersion: 5", Some("5"));
    check("Version: %{nobody_knows}", None);
    assert_eq!(reader.version(b"not a spec"), None);
}

#[test]
fn where_only_ours_count_the_specs_of_the_upstream_are_not_read() {
    let upstream = [
        commit("u2", 20, "2.0", "U2"),
        commit("u1", 10, "1.0", "U1"),
        commit("u0", 0, "1.0", "U0"),
    ];
    let recorded = [
        change(Some("u1"), 11, "1.0", "P1"),
        change(Some("u2"), 31, "2.0", "P2"),
    ];
    let line = HistoryLine::new(&upstream, &recorded, "2.0", Counted::Own, &|_| {
        panic!("a spec is read")
    });
    assert_eq!(
        entries(&line),
        ["-0 U0", "-0 U1", "1.0-0 P1", "-0 U2", "2.0-0 P2"]
    );
    assert_eq!(line.own(), 2);
    // A change that git knows of has no version: it is that of the spec that was locked.
    let mut committed = recorded;
    committed[0].version = None;
    let reader = reader();
    let line = HistoryLine::new(&upstream, &committed, "2.0", Counted::Own, &|spec| {
        reader.version(spec)
    });
    assert_eq!(entries(&line)[2], "1.0-0 P1");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 200, ..Default::default() })]

    /// No message and no spec makes it panic, and what it writes it can read.
    #[test]
    fn any_text_is_survived(
        message in "(?s).{0,80}",
        author in "[^\u{0}-\u{1f}]{0,20}",
        head in "(?s)(Release: ?|%global |%define |%changelog\n|%autorelease|%\\{|\\}|[0-9.]{1,3}|.|\n){0,30}",
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
    ) {
        let mut change = change(None, 1, "1", &message);
        change.author = Person::parse(&author);
        for item in changelog_items(&message) {
            assert!(!item.contains('\n') && !item.is_empty());
        }
        let file = ChangesFile { changes: vec![change.clone()] };
        let read = ChangesFile::parse(Path::new("x"), &file.to_string()).unwrap();
        assert_eq!(read.changes[0].text, message.trim_end());
        let line = HistoryLine::new(&[], &[change], "1", Counted::All, &|_| None);
        for calculation in [ReleaseCalculation::Auto, ReleaseCalculation::Autorelease, ReleaseCalculation::Static] {
            let spec = [head.as_bytes(), &bytes].concat();
            let _ = release(&spec, calculation, &line, Some(message.as_bytes()), &|_| None);
        }
    }
}
