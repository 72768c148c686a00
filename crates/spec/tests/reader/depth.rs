//! The query path leaves texts out; what it says is what the whole reading says.

use crate::support::PORTABLE_MACROS;
use crate::support::generator::Generator;
use lazuli_spec::{Depth, Macros, ReadOptions, Spec};

fn macros() -> Macros {
    let mut macros = Macros::default();
    macros.load_text("test", PORTABLE_MACROS.as_bytes()).unwrap();
    macros
}

fn read(text: &str, depth: Depth) -> Result<Spec, String> {
    let options = ReadOptions {
        depth,
        ..ReadOptions::default()
    };
    Spec::read(text.as_bytes(), macros(), &options).map_err(|error| error.to_string())
}

/// All that the query path answers.
fn facts(spec: &Spec) -> String {
    let packages: Vec<_> = spec
        .packages
        .iter()
        .map(|package| {
            let scripts: Vec<_> = package
                .scriptlets
                .iter()
                .map(|script| (script.kind, &script.interpreter, &script.file, &script.conditions))
                .collect();
            let files = package.files.as_ref().map(|files| &files.from);
            (
                &package.name,
                &package.tags,
                &package.architecture,
                &package.dependencies,
                scripts,
                files,
            )
        })
        .collect();
    format!(
        "{packages:#?}\n{:#?}\n{:#?}\n{:#?}\n{:#?}\n{:#?}",
        spec.build_dependencies, spec.sources, spec.restrictions, spec.conditionals, spec.build_conditions
    )
}

#[test]
fn generated_specs_say_the_same() {
    let mut compared = 0;
    for seed in 10_000..10_400 {
        let text = Generator::spec(seed);
        match (read(&text, Depth::Query), read(&text, Depth::Full)) {
            (Ok(query), Ok(full)) => {
                compared += 1;
                assert_eq!(facts(&query), facts(&full), "seed {seed}:\n{text}");
            }
            (query, full) => assert_eq!(query.err(), full.err(), "seed {seed}:\n{text}"),
        }
    }
    assert!(compared > 300, "only {compared} specs are read: a poor mixture");
}

const HEAD: &str =
    "Name: x\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n%description\nd\n%package sub\nSummary: s\n";

/// What a text does to what comes after it is seen, in whatever text it stands and however deep.
#[test]
fn texts_with_effects_are_expanded() {
    for effect in [
        "%global sneaked yes",
        "echo %{?x}%{!?x:%global sneaked yes}",
        "%sneaky yes",
        "echo %{sneaky yes} after",
        "%{expand:%%global sneaked yes}",
        "%{lua: rpm.define('sneaked yes')}",
        "x \\\n  %{?name:%define sneaked yes}",
        "# %global sneaked yes",
    ] {
        for section in [
            "%build",
            "%install",
            "%description",
            "%post",
            "%files",
            "%changelog",
        ] {
            let text = format!(
                "{HEAD}%description sub\n{section}\n{effect}\n%package late\nSummary: s\nRequires: %{{sneaked}}\n%description late\n"
            );
            let (query, full) = (
                read(&text, Depth::Query).unwrap(),
                read(&text, Depth::Full).unwrap(),
            );
            assert_eq!(facts(&query), facts(&full), "{effect} in {section}");
            let late = query.package("x-late").unwrap();
            assert!(
                late.requires().any(|r| r.name == "yes"),
                "{effect} in {section}: {:?}",
                late.dependencies
            );
        }
    }
}

#[test]
fn a_section_may_come_from_a_macro_in_a_text() {
    let text = format!("%global enabled 1\n{HEAD}%description sub\n%build\nmake\n%hidden_section\nText.\n");
    let spec = read(&text, Depth::Query).unwrap();
    assert!(spec.package("x-hidden").is_some(), "{:?}", spec.packages);
    assert_eq!(facts(&spec), facts(&read(&text, Depth::Full).unwrap()));
}

#[test]
fn texts_are_left_out_of_a_query() {
    let text = format!(
        "{HEAD}%description sub\nText.\n%build\nmake %{{nowhere}}\n%post\nscript\n%files\n/x\n%changelog\n* Mon Jan 01 2024 A\n- x\n"
    );
    let query = read(&text, Depth::Query).unwrap();
    assert_eq!(query.expanded(), None);
    assert_eq!(query.build_sections[0].script, None);
    assert_eq!((query.unknowns.len(), query.changelog.len()), (0, 0));
    let full = read(&text, Depth::Full).unwrap();
    assert_eq!(
        full.build_sections[0].script.as_deref(),
        Some("make %{nowhere}\n")
    );
    assert_eq!((full.unknowns.len(), full.changelog.len()), (1, 1));
    assert_eq!(full.main().files.as_ref().unwrap().entries.len(), 1);
    assert_eq!(full.package("x-sub").unwrap().description(), "Text.");
}
