//! What the reader says beyond what rpm answers: conditionals, build conditions, unknowns, files, warnings.

use std::collections::BTreeMap;
use std::sync::Arc;

use lazuli_spec::{
    Depth, Forbidden, Macros, MemoryFiles, Origin, Outcome, ReadOptions, Settings, Spec, TextTag, UnknownKind,
};

use crate::support::PORTABLE_MACROS;

const HEAD: &str = "Name: x\nVersion: 1.2\nRelease: 3\nSummary: s\nLicense: MIT\n";

fn macros() -> Macros {
    let files = BTreeMap::from([
        (
            "part.inc".to_owned(),
            b"Requires: included\n%if 1\nRequires: inner\n%endif\n".to_vec(),
        ),
        ("loop.inc".to_owned(), b"%include loop.inc\n".to_vec()),
    ]);
    let settings = Settings {
        files: Arc::new(MemoryFiles(files)),
        ..Settings::default()
    };
    let mut macros = Macros::new(settings);
    macros.load_text("test", PORTABLE_MACROS.as_bytes()).unwrap();
    macros
}

fn read_with(text: &str, options: &ReadOptions) -> Spec {
    match Spec::read(text.as_bytes(), macros(), options) {
        Ok(spec) => spec,
        Err(error) => panic!("{}", error.render()),
    }
}

fn read(lines: &str) -> Spec {
    read_with(&format!("{HEAD}{lines}"), &ReadOptions::for_file("x.spec").full())
}

#[test]
fn conditionals_are_named_with_what_became_of_them() {
    let spec = read(
        "%if 0%{?nope}\n%if 1\n%endif\n%elif \"%{name}\" == \"x\"\nRequires: a\n%else\n%endif\n%description\n%ifarch %{_target_cpu} arm\n%endif\n",
    );
    let found: Vec<String> = spec
        .conditionals
        .iter()
        .map(|c| {
            format!(
                "{} {} {} {}",
                c.position.line,
                c.directive,
                c.condition,
                c.outcome == Outcome::Taken
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "6 %if 0 false",
            "9 %elif \"x\" == \"x\" true",
            "14 %ifarch x86_64 arm true"
        ]
    );
}

#[test]
fn build_conditions_follow_their_switches() {
    let text = format!(
        "%bcond_with gui\n%bcond_without tests\n%bcond docs 1\n%bcond extras %{{with gui}}\n{HEAD}%if %{{with gui}}\nRequires: gui\n%endif\n%if %{{with tests}}\nRequires: tests\n%endif\n%description\n"
    );
    let check = |with: &[&str], without: &[&str], expected: &[&str], requires: &[&str]| {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let options = ReadOptions {
            with: list(with),
            without: list(without),
            ..ReadOptions::default()
        };
        let spec = read_with(&text, &options);
        let found: Vec<String> = spec
            .build_conditions
            .iter()
            .map(|c| format!("{} {} {} {}", c.position.line, c.name, c.default, c.enabled))
            .collect();
        assert_eq!(found, expected);
        let found: Vec<&str> = spec.main().requires().map(|r| r.name.as_str()).collect();
        assert_eq!(found, requires);
    };
    check(
        &[],
        &[],
        &[
            "1 gui false false",
            "2 tests true true",
            "3 docs true true",
            "4 extras false false",
        ],
        &["tests"],
    );
    check(
        &["gui"],
        &["tests", "docs"],
        &[
            "1 gui false true",
            "2 tests true false",
            "3 docs true false",
            "4 extras true true",
        ],
        &["gui"],
    );
}

#[test]
fn what_is_not_known_is_left_and_listed() {
    let spec = read(
        "Requires: %{python_thing} >= %{py_version}\n%global out %(date +%%Y)\nProvides: year = %{?never}0\nProvides: y(%{out})\nBuildRequires: %{py3 dist a >= 1} >= 2 (%{x y} if b)\n%kernel_subpackages -n a\n%if %{kernel_version} >= 3\nURL: a\n%else\nURL: b\n%endif\nEpoch: %{era}\n%description\n%{out} %{python_thing} 100%\n%files\n%doc %{docs_of}\n",
    );
    let found: Vec<String> = spec
        .unknowns
        .iter()
        .map(|unknown| match &unknown.kind {
            UnknownKind::Macro(name) => format!("{} macro {name}", unknown.position.line),
            UnknownKind::Command(command) => format!("{} command {command}", unknown.position.line),
        })
        .collect();
    assert_eq!(
        found,
        [
            "6 macro py_version",
            "6 macro python_thing",
            "7 command date +%Y",
            "10 macro py3",
            "10 macro x",
            "11 macro kernel_subpackages",
            "12 macro kernel_version",
            "17 macro era",
            "21 macro docs_of"
        ],
    );
    let build: Vec<String> = spec.build_requires().map(ToString::to_string).collect();
    assert_eq!(build, ["%{py3 dist a >= 1} >= 2", "(%{x y} if b)"]);
    assert_eq!(spec.main().url(), Some("b"));
    let conditions: Vec<Outcome> = spec.conditionals.iter().map(|c| c.outcome).collect();
    assert_eq!(conditions, [Outcome::Unknown, Outcome::Taken]);
    assert_eq!(spec.epoch(), None);
    let requires: Vec<String> = spec.main().requires().map(ToString::to_string).collect();
    assert_eq!(requires, ["%{python_thing} >= %{py_version}"]);
    assert!(
        spec.main().description().contains("%(date"),
        "{}",
        spec.main().description()
    );
}

#[test]
fn files_keep_their_attributes() {
    let spec = read(
        "%description\n%files -f list -f %{name}.lang\n%defattr(0644, root, -, 0755)\n%attr(4755, -, adm) %{_bindir}/a*\n%config(noreplace, missingok) /etc/x\n%doc README \"a b\"\n%license COPYING\n%dir %ghost /run/x\n%lang(de,fr) %verify(not md5 size) /usr/l\n%caps(cap_net_raw=ep) /p\n%exclude /e\n%artifact /f\n%missingok /g\n/path\\ with\n/two /files\n%attr(9999,-,-) /h\n%defattr(-,-,-)\n/plain\n",
    );
    let files = spec.main().files.as_ref().unwrap();
    assert_eq!(files.from, ["list", "x.lang"]);
    let entry = |path: &str| {
        let found = files
            .entries
            .iter()
            .find(|entry| entry.paths.iter().any(|p| p == path));
        found.unwrap_or_else(|| panic!("{path} is not among {:#?}", files.entries))
    };
    let attributes = entry("/usr/bin/a*").attributes.clone().unwrap();
    assert_eq!(
        (
            attributes.mode,
            attributes.user.as_deref(),
            attributes.group.as_deref(),
            attributes.folder_mode
        ),
        (Some(0o4755), Some("root"), Some("adm"), Some(0o755))
    );
    let config = entry("/etc/x");
    assert!(config.config.unwrap().no_replace && config.config.unwrap().missing_ok && config.may_be_missing);
    assert_eq!(entry("README").paths, ["README", "a b"]);
    assert!(entry("README").documentation && entry("COPYING").license);
    assert!(entry("/run/x").folder_only && entry("/run/x").ghost);
    assert_eq!(entry("/usr/l").languages, ["de", "fr"]);
    let verify = entry("/usr/l").verify.clone().unwrap();
    assert!(verify.negated);
    assert_eq!(verify.words, ["md5", "size"]);
    assert_eq!(entry("/p").capabilities.as_deref(), Some("cap_net_raw=ep"));
    assert!(entry("/e").exclude && entry("/f").artifact && entry("/g").may_be_missing);
    assert_eq!(entry("/path\\ with").line, 19);
    assert_eq!(entry("/plain").attributes, None);
    let warnings: Vec<String> = spec
        .warnings
        .iter()
        .map(|w| format!("{}: {}", w.position.line, w.text))
        .collect();
    assert_eq!(
        warnings,
        [
            "20: `/two /files` names several files; only %doc and %license may",
            "21: `9999` in `%attr(9999,-,-)` is no mode"
        ]
    );
}

#[test]
fn the_changelog_has_authors_and_versions() {
    let spec = read(
        "%description\n%changelog\n* Tue Jan  2 2024 Name Of <a@b> - 1:2-3\n- x\n* Mon Jan 01 10:30:00 B <b@c> 1-1\n- y\n* Mon Jan 01 2024 C <c@d>\n- z\n",
    );
    // The second gives a time without a year, which ends the list.
    assert_eq!(spec.changelog.len(), 1);
    assert!(
        spec.warnings.iter().any(|w| w.text.contains("changelog")),
        "{:?}",
        spec.warnings
    );
    let spec = read(
        "%description\n%changelog\n* Tue Jan  2 2024 Name Of <a@b> - 1:2-3\n- x\n* Mon Jan 01 10:30:00 UTC 2024 B <b@c> 1-1\n- y\n* Mon Jan 01 1990 C <c@d>\n- z\n* Mon Jan 01 1990 No Mail - 0.1-1\n- z\n",
    );
    let found: Vec<_> = spec
        .changelog
        .iter()
        .map(|entry| (entry.time, entry.author(), entry.version()))
        .collect();
    assert_eq!(
        found,
        [
            (1_704_196_800, "Name Of <a@b>", Some("1:2-3")),
            (1_704_105_000, "B <b@c>", Some("1-1")),
            (631_195_200, "C <c@d>", None),
            (631_195_200, "No Mail", Some("0.1-1")),
        ]
    );
}

#[test]
fn included_files_have_their_own_lines() {
    let spec = read("%include part.inc\nRequires: after\n%description\n");
    let places: Vec<String> = spec
        .main()
        .requires()
        .map(|requires| match &requires.origin {
            Origin::Line(position) => format!("{}:{} {}", position.file, position.line, requires.name),
            Origin::Automatic => format!("automatic {}", requires.name),
        })
        .collect();
    assert_eq!(
        places,
        ["part.inc:1 included", "part.inc:3 inner", "x.spec:7 after"]
    );
    assert_eq!(spec.included, ["part.inc"]);
}

#[test]
fn a_section_that_makes_requirements_is_noted() {
    assert!(!read("%description\n%build\n").generates_build_requires());
    assert!(read("%description\n%generate_buildrequires\npyproject\n").generates_build_requires());
}

#[test]
fn newer_words_are_understood() {
    let spec = read(
        "  URL: http://indented\nSourceLicense: GPL\nBuildSystem: autotools\nBuildOption(conf): --x\n%description\n%preuntrans\nx\n%postuntrans -p /bin/sh\n%build\na\n%build -a\nb\n%install -p\nc\n",
    );
    assert_eq!(spec.main().url(), Some("http://indented"));
    assert_eq!(spec.main().tag(TextTag::BuildSystem), Some("autotools"));
    assert_eq!(spec.main().scriptlets.len(), 2);
    assert_eq!(spec.build_sections.len(), 3);
}

#[test]
fn restrictions_are_checked_where_they_are_asked_for() {
    let spec =
        read("ExclusiveArch: x86_64 aarch64\nExcludeArch: aarch64\nExcludeOS: solaris\n%description\n");
    assert_eq!(spec.restrictions.check("X86_64", "linux"), Ok(()));
    assert_eq!(
        spec.restrictions.check("aarch64", "linux"),
        Err(Forbidden::Excluded("aarch64".to_owned()))
    );
    assert_eq!(
        spec.restrictions.check("s390x", "linux"),
        Err(Forbidden::NotIncluded("s390x".to_owned()))
    );
    assert_eq!(
        spec.restrictions.check("x86_64", "Solaris"),
        Err(Forbidden::Excluded("Solaris".to_owned()))
    );
}

#[test]
fn warnings_say_what_is_doubtful() {
    let spec = read(
        "Obsoletes: old\nPreReq: p\n# %{name}\n%if 1\n%endif text\nSummary: again\n%description\n%{warn:from a macro}\n",
    );
    let found: Vec<String> = spec
        .warnings
        .iter()
        .map(|w| format!("{} {}", w.position.line, w.text))
        .collect();
    assert_eq!(
        found,
        [
            "6 `old` is obsoleted in every version",
            "7 prereq is deprecated, use Requires(pre) or BuildRequires",
            "8 a macro is expanded in a comment",
            "10 %endif is followed by `text`, which has no effect",
            "11 a second Summary, which takes the place of the first",
            "13 from a macro",
        ]
    );
}

#[test]
fn text_that_is_no_utf8_is_read() {
    let mut text = HEAD.replace("Summary: s", "Summary: caf\u{1}").into_bytes();
    for byte in &mut text {
        if *byte == 1 {
            *byte = 0xe9;
        }
    }
    text.extend_from_slice(b"%description\n");
    let spec = Spec::read(
        &text,
        macros(),
        &ReadOptions {
            depth: Depth::Query,
            ..ReadOptions::default()
        },
    )
    .unwrap();
    assert_eq!(spec.main().summary(), "caf\u{fffd}");
}
