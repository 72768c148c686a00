//! Our answers in the form in which rpm is asked for its own.

use std::fmt::Write as _;

use lazuli_spec::{Dependency, DependencyKind, Package, Qualifiers, ScriptletKind, Spec, TextTag};

/// As rpm's `deptype` format has it.
fn qualifiers(qualifiers: Qualifiers) -> String {
    let names = [
        (Qualifiers::PRE, "pre"),
        (Qualifiers::POST, "post"),
        (Qualifiers::PREUN, "preun"),
        (Qualifiers::POSTUN, "postun"),
        (Qualifiers::VERIFY, "verify"),
        (Qualifiers::INTERP, "interp"),
        (Qualifiers::RPMLIB, "rpmlib"),
        (Qualifiers::PREREQ, "prereq"),
        (Qualifiers::PRETRANS, "pretrans"),
        (Qualifiers::POSTTRANS, "posttrans"),
        (Qualifiers::META, "meta"),
    ];
    let words: Vec<&str> = names
        .into_iter()
        .filter(|(flag, _)| qualifiers.contains(*flag))
        .map(|(_, name)| name)
        .collect();
    if words.is_empty() {
        "manual".to_owned()
    } else {
        words.join(",")
    }
}

fn requirement(dependency: &Dependency) -> String {
    format!("requires {dependency} ({})", qualifiers(dependency.qualifiers))
}

/// Puts the lines of each kind in order, and each once: rpm sorts dependencies by its own rules.
pub(crate) fn normalise(text: &str) -> String {
    let mut out = Vec::new();
    let mut run: Vec<String> = Vec::new();
    let flush = |run: &mut Vec<String>, out: &mut Vec<String>| {
        run.sort();
        run.dedup();
        out.append(run);
    };
    for line in text.lines() {
        let word = line.split(' ').next().unwrap_or_default();
        let sorted = matches!(
            word,
            "provides"
                | "requires"
                | "conflicts"
                | "obsoletes"
                | "recommends"
                | "suggests"
                | "supplements"
                | "enhances"
                | "order"
                | "trigger"
                | "filetrigger"
                | "transfiletrigger"
                | "source"
                | "patch"
                | "nosource"
                | "nopatch"
        );
        if !sorted
            || run
                .first()
                .is_some_and(|first| first.split(' ').next() != Some(word))
        {
            flush(&mut run, &mut out);
        }
        if sorted {
            run.push(sort_words(line));
        } else {
            out.push(line.to_owned());
        }
    }
    flush(&mut run, &mut out);
    out.join("\n")
}

/// The words of `deptype` in order.
fn sort_words(line: &str) -> String {
    let Some((before, words)) = line.strip_suffix(')').and_then(|line| line.rsplit_once(" (")) else {
        return line.to_owned();
    };
    let mut words: Vec<&str> = words.split(',').collect();
    words.sort_unstable();
    format!("{before} ({})", words.join(","))
}

/// As [`super::rpmspec`] asks for binary packages.
pub(crate) fn packages(spec: &Spec) -> String {
    spec.packages.iter().map(package).collect()
}

fn or_none(text: Option<&str>) -> &str {
    text.filter(|text| !text.is_empty()).unwrap_or("(none)")
}

fn package(package: &Package) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").unwrap();
    line(format!(
        "package {}|{}|{}|{}|{}",
        package.name,
        package.epoch.unwrap_or(0),
        package.version(),
        package.release(),
        package.architecture
    ));
    line(format!("summary {}", package.summary()));
    line(format!("license {}", package.license()));
    line(format!("group {}", package.group()));
    line(format!("url {}", or_none(package.url())));
    for (name, tag) in [
        ("vendor", TextTag::Vendor),
        ("packager", TextTag::Packager),
        ("bugurl", TextTag::BugUrl),
        ("vcs", TextTag::Vcs),
    ] {
        line(format!("{name} {}", or_none(package.tag(tag))));
    }
    for prefix in &package.prefixes {
        line(format!("prefix {prefix}"));
    }
    for dependency in package.provides() {
        line(format!("provides {dependency}"));
    }
    for dependency in package.requires() {
        line(requirement(dependency));
    }
    for (name, kind) in [
        ("conflicts", DependencyKind::Conflicts),
        ("obsoletes", DependencyKind::Obsoletes),
        ("recommends", DependencyKind::Recommends),
        ("suggests", DependencyKind::Suggests),
        ("supplements", DependencyKind::Supplements),
        ("enhances", DependencyKind::Enhances),
    ] {
        for dependency in package.dependencies_of(kind) {
            line(format!("{name} {dependency}"));
        }
    }
    for dependency in package.dependencies_of(DependencyKind::OrderWithRequires) {
        let (sign, evr) = dependency
            .constraint
            .as_ref()
            .map_or(("", ""), |(c, evr)| (c.symbol(), evr.as_str()));
        line(format!("order {} {sign} {evr}", dependency.name));
    }
    scriptlets(package, &mut line);
    line(format!("description {}\nend", package.description()));
    out
}

fn scriptlets(package: &Package, line: &mut impl FnMut(String)) {
    for kind in [
        ScriptletKind::Pre,
        ScriptletKind::Post,
        ScriptletKind::Preun,
        ScriptletKind::Postun,
        ScriptletKind::Pretrans,
        ScriptletKind::Posttrans,
        ScriptletKind::Verify,
    ] {
        let name = &kind.name()[1..];
        match package.scriptlet(kind) {
            None => line(format!("{name} (none)|(none)")),
            // Of an interpreter with arguments, rpm's format without an iterator gives the first word.
            Some(scriptlet) => {
                line(format!(
                    "{name} {}|{}",
                    scriptlet.interpreter[0],
                    or_none(Some(&scriptlet.script))
                ));
            }
        }
    }
    for scriptlet in package
        .scriptlets
        .iter()
        .filter(|s| s.kind.is_trigger() && !s.kind.is_file_trigger())
    {
        let kind = match scriptlet.kind {
            ScriptletKind::TriggerPrein => "prein",
            ScriptletKind::TriggerIn => "in",
            ScriptletKind::TriggerUn => "un",
            _ => "postun",
        };
        for condition in &scriptlet.conditions {
            let evr = condition.constraint.as_ref().map_or("", |(_, evr)| evr.as_str());
            line(format!("trigger {}|{kind}|{evr}", condition.name));
        }
    }
    let of_transactions = |kind| kind >= ScriptletKind::TransFileTriggerIn;
    for (name, wanted) in [("filetrigger", false), ("transfiletrigger", true)] {
        let triggers = || {
            package.scriptlets.iter().filter(move |scriptlet| {
                scriptlet.kind.is_file_trigger() && of_transactions(scriptlet.kind) == wanted
            })
        };
        for condition in triggers().flat_map(|trigger| &trigger.conditions) {
            line(format!("{name} {}", condition.name));
        }
    }
}

/// As [`super::rpmspec`] asks for the source package.
pub(crate) fn source(spec: &Spec) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").unwrap();
    line(format!(
        "source {}|{}|{}|{}",
        spec.name(),
        spec.epoch().unwrap_or(0),
        spec.version(),
        spec.release()
    ));
    line(format!("summary {}", spec.main().summary()));
    for dependency in spec.build_requires() {
        line(requirement(dependency));
    }
    for dependency in spec.build_conflicts() {
        line(format!("conflicts {dependency}"));
    }
    for source in spec.source_files() {
        line(format!("source {}", source.file_name()));
    }
    for patch in spec.patches() {
        line(format!("patch {}", patch.file_name()));
    }
    for source in spec.source_files().filter(|source| source.excluded) {
        line(format!("nosource {}", source.number));
    }
    for patch in spec.patches().filter(|patch| patch.excluded) {
        line(format!("nopatch {}", patch.number));
    }
    for (name, list) in [
        ("excludearch", &spec.restrictions.excluded_architectures),
        ("exclusivearch", &spec.restrictions.exclusive_architectures),
        ("excludeos", &spec.restrictions.excluded_systems),
        ("exclusiveos", &spec.restrictions.exclusive_systems),
        ("buildarchs", &spec.build_architectures),
    ] {
        for word in list {
            line(format!("{name} {word}"));
        }
    }
    for entry in &spec.changelog {
        line(format!("changelog {}|{}|{}", entry.time, entry.name, entry.text));
    }
    line("end".to_owned());
    out
}
