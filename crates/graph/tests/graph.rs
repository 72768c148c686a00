//! Small projects and what the graph says of them.
#![allow(clippy::unwrap_used, missing_docs)]

use lazuli_graph::{BuildGraph, Component, Error, Package, Selection};
use lazuli_rpm::Dependency;
use proptest::prelude::*;

/// Lines `component: build requirements`, `> package = provides : requires : files`, in commas.
fn project(text: &str) -> BuildGraph {
    BuildGraph::new(components(text)).unwrap()
}

fn components(text: &str) -> Vec<Component> {
    let list = |text: &str| -> Vec<String> {
        text.split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let dependencies = |text: &str| {
        list(text)
            .iter()
            .map(|one| Dependency::parse(one).unwrap())
            .collect()
    };
    let mut found: Vec<Component> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(line) = line.strip_prefix('>') {
            let mut parts = line.split('|').map(str::trim);
            let name = parts.next().unwrap().to_owned();
            let mut provides: Vec<Dependency> = dependencies(parts.next().unwrap_or(""));
            provides.push(Dependency::parse(&format!("{name} = 1-1")).unwrap());
            let requires = dependencies(parts.next().unwrap_or(""));
            let files = list(parts.next().unwrap_or(""));
            found.last_mut().unwrap().packages.push(Package {
                name,
                provides,
                requires,
                files: files.into_iter().collect(),
            });
        } else {
            let (name, needs) = line.split_once(':').unwrap();
            found.push(Component {
                name: name.to_owned(),
                build_requires: dependencies(needs),
                packages: Vec::new(),
            });
        }
    }
    found
}

fn stages(graph: &BuildGraph) -> String {
    let order = graph.order();
    let stage = |groups: &Vec<lazuli_graph::Group>| {
        groups
            .iter()
            .map(|group| group.0.join("+"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    order.stages.iter().map(stage).collect::<Vec<_>>().join(" | ")
}

const CHAIN: &str = "
    zlib:
    > zlib-devel | pkgconfig(zlib) = 1.3
    openssl: zlib-devel
    > openssl-devel | | openssl-libs
    > openssl-libs
    curl: openssl-devel, pkgconfig(zlib) >= 1.2
    > curl
    docs:
    > docs";

#[test]
fn what_is_needed_is_built_first() {
    assert_eq!(stages(&project(CHAIN)), "docs zlib | openssl | curl");
}

#[test]
fn what_a_package_requires_is_built_before_what_builds_with_it() {
    let graph = project("a: b-devel\n> a\nb:\n> b-devel | | c-libs\nc:\n> c-libs");
    assert_eq!(stages(&graph), "b c | a");
    let way = graph.why("a", "c").unwrap().unwrap();
    let words: Vec<String> = way.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "the build of a requires `b-devel`: b-devel (of b)",
            "the package b-devel requires `c-libs`: c-libs (of c)",
        ]
    );
    assert_eq!(graph.why("c", "a").unwrap(), None);
}

#[test]
fn packages_that_require_each_other_are_no_cycle() {
    let graph = project("a: x\n> a\nx:\n> x | | y\ny:\n> y | | x");
    assert_eq!(graph.cycles(), []);
    assert_eq!(stages(&graph), "x y | a");
}

#[test]
fn cycles_are_named_with_their_edges() {
    let graph = project(
        "gcc: glibc-devel, make\n> gcc\nglibc: gcc\n> glibc-devel\nmake: gcc\n> make\nother: make\n> other",
    );
    let cycles = graph.cycles();
    assert_eq!(cycles.len(), 1);
    assert_eq!(cycles[0].components, ["gcc", "glibc", "make"]);
    let shortest: Vec<String> = cycles[0].shortest.iter().map(ToString::to_string).collect();
    assert_eq!(
        shortest,
        [
            "the build of gcc requires `glibc-devel`: glibc-devel (of glibc)",
            "the build of glibc requires `gcc`: gcc (of gcc)",
        ]
    );
    assert_eq!(cycles[0].edges.len(), 4);
    assert_eq!(stages(&graph), "gcc+glibc+make | other");
}

#[test]
fn a_component_may_need_itself() {
    let graph = project("gcc: gcc\n> gcc");
    assert_eq!(graph.cycles()[0].components, ["gcc"]);
    assert_eq!(graph.cycles()[0].shortest.len(), 1);
}

#[test]
fn a_failure_stops_what_needs_it_and_nothing_else() {
    let graph = project(CHAIN);
    let names: Vec<(usize, String)> = graph
        .dependents("zlib")
        .unwrap()
        .into_iter()
        .map(|one| (one.distance, one.component))
        .collect();
    assert_eq!(names, [(1, "curl".to_owned()), (1, "openssl".to_owned())]);
    assert_eq!(graph.dependents("curl").unwrap(), []);
    assert_eq!(
        graph.dependents_of(&["curl", "openssl"]).unwrap(),
        [],
        "the ones asked for are left out"
    );
}

#[test]
fn direct_dependents_have_a_package_of_it_in_their_buildroot() {
    let graph = project("a: b-devel\n> a\nb:\n> b-devel | | c-libs\nc:\n> c-libs\nd: a\n> d\ne: c-libs\n> e");
    let found: Vec<(String, usize)> = graph
        .direct_dependents("c")
        .unwrap()
        .into_iter()
        .map(|(name, way)| (name, way.len()))
        .collect();
    assert_eq!(found, [("a".to_owned(), 2), ("e".to_owned(), 1)]);
}

#[test]
fn what_is_built_before_is_what_may_be_in_the_buildroot() {
    let graph = project(
        "a: b-devel\n> a\nb: tool\n> b-devel | | c-libs\nc:\n> c-libs\ntool:\n> tool\nself: self\n> self",
    );
    let before = |name: &str| -> Vec<(String, usize)> {
        let found = graph.builds_before(name).unwrap().into_iter();
        found.map(|(name, way)| (name, way.len())).collect()
    };
    // What the build of `b` needs is not in the buildroot of `a`.
    assert_eq!(before("a"), [("b".to_owned(), 1), ("c".to_owned(), 2)]);
    assert_eq!(before("b"), [("tool".to_owned(), 1)]);
    assert_eq!(before("c"), []);
    assert_eq!(before("self"), [("self".to_owned(), 1)]);
}

#[test]
fn versions_files_and_rich_dependencies_count() {
    let check = |needs: &str, expected: &[&str]| {
        let text = format!(
            "
            asker: {needs}
            > asker
            old:
            > old | lib = 1
            new:
            > new | lib = 2, tool
            shell:
            > shell | | | /usr/bin/sh, /usr/bin/bash*, /usr/share/shell/, /etc/*.d/conf"
        );
        let graph = project(&text);
        let found: Vec<String> = graph
            .needs("asker")
            .unwrap()
            .into_iter()
            .map(|one| one.component)
            .collect();
        assert_eq!(found, expected, "{needs}");
    };
    check("lib >= 2", &["new"]);
    check("lib < 2", &["old"]);
    check("lib", &["new"]);
    check("lib > 2", &[]);
    check("/usr/bin/sh", &["shell"]);
    check("/usr/bin/bash5", &["shell"]);
    check("/usr/share/shell/deep/file", &["shell"]);
    check("/etc/x.d/conf", &["shell"]);
    check("/usr/bin/zsh", &[]);
    check("(nothing or tool)", &["new"]);
    check("(tool and shell)", &["new", "shell"]);
    check("(shell if tool)", &["shell"]);
    check("(shell if nothing)", &[]);
    check("(shell if nothing else old)", &["old"]);
    check("(shell unless tool)", &[]);
    check("(lib with tool)", &["new"]);
    check("(lib without tool)", &["old"]);
    check("tool >= 1", &[]);
}

#[test]
fn the_package_of_that_name_goes_first() {
    let graph = project("asker: lib\n> asker\na:\n> aaa | lib\nz:\n> lib\n");
    assert_eq!(graph.needs("asker").unwrap()[0].component, "z");
}

#[test]
fn what_nobody_provides_is_listed() {
    let graph = project("a: nothing >= 3\n> a | | nowhere\nb: nothing >= 3\n> b");
    let found: Vec<_> = graph
        .missing()
        .iter()
        .map(|one| (one.dependency.as_str(), one.builds.len(), one.packages.len()))
        .collect();
    assert_eq!(found, [("nothing >= 3", 2, 0), ("nowhere", 0, 1)]);
}

#[test]
fn names_are_checked() {
    let twice = components("a:\na:");
    assert_eq!(
        BuildGraph::new(twice).unwrap_err(),
        Error::Duplicate("a".to_owned())
    );
    let error = project(CHAIN).dependents("openssh").unwrap_err().to_string();
    assert_eq!(error, "there is no component `openssh`; did you mean `openssl`?");
}

#[test]
fn pictures_show_what_is_selected() {
    let graph = project(CHAIN);
    let around = Selection::Around {
        components: vec!["curl".to_owned()],
        distance: 1,
    };
    let dot = graph.to_dot(&around).unwrap();
    assert!(
        dot.contains("\"curl\" -> \"openssl\";") && dot.contains("\"openssl\" -> \"zlib\";"),
        "{dot}"
    );
    assert!(!dot.contains("docs"), "{dot}");
    let svg = graph.to_svg(&Selection::All).unwrap();
    assert_eq!(svg.matches("<rect").count(), 4);
    assert_eq!(
        svg.matches("<path d=\"M").count(),
        4,
        "one marker and three arrows"
    );
}

proptest! {
    /// Every component comes in a later stage than all that it needs, unless they are in one group; and each comes once.
    #[test]
    fn the_order_keeps_every_need(edges in proptest::collection::vec((0_usize..30, 0_usize..30, any::<bool>()), 0..80)) {
        let mut all: Vec<Component> = (0..30).map(|number| Component {
            name: format!("c{number:02}"),
            build_requires: Vec::new(),
            packages: vec![Package { name: format!("p{number:02}"), provides: vec![Dependency::any(format!("p{number:02}"))], ..Package::default() }],
        }).collect();
        for (from, to, install) in &edges {
            let need = Dependency::any(format!("p{to:02}"));
            if *install { all[*from].packages[0].requires.push(need) } else { all[*from].build_requires.push(need) }
        }
        let graph = BuildGraph::new(all).unwrap();
        let order = graph.order();
        let place = |name: &str| {
            let mut found = order.stages.iter().enumerate().flat_map(|(stage, groups)| groups.iter().map(move |group| (stage, group)));
            found.find(|(_, group)| group.0.iter().any(|one| one == name)).unwrap()
        };
        prop_assert_eq!(order.stages.iter().flatten().map(|group| group.0.len()).sum::<usize>(), 30);
        for component in graph.components() {
            for other in graph.dependents(component).unwrap() {
                let (low, high) = (place(component), place(&other.component));
                prop_assert!(low.0 < high.0 || low.1 == high.1, "{} before {}", component, other.component);
                prop_assert!(graph.why(&other.component, component).unwrap().is_some());
            }
        }
        for cycle in graph.cycles() {
            prop_assert!(!cycle.shortest.is_empty());
        }
    }
}
