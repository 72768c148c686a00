//! Random universes, against libsolv and against a checker that knows no solver.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod common;

use common::{name, record};
use lazuli_repodata::{PackageRecord, primary};
use lazuli_rpm::{Dependency, RichDependency};
use lazuli_solve::{Job, PackageId, Pool, Solution, Spec, Upgrade, Weak, install_order, solve};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// SplitMix64: small, seeded, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

const NAMES: usize = 14;
const CAPABILITIES: usize = 6;

fn capability(random: &mut Random) -> String {
    let base = match random.below(10) {
        0..6 => format!("p{}", random.below(NAMES)),
        6..9 => format!("c{}", random.below(CAPABILITIES)),
        _ => format!("/usr/bin/f{}", random.below(4)),
    };
    if base.starts_with('/') || random.chance(60) {
        return base;
    }
    let comparison = ["<", "<=", "=", ">=", ">"][random.below(5)];
    format!("{base} {comparison} {}", 1 + random.below(3))
}

fn requirement(random: &mut Random) -> String {
    let mut one = || capability(random);
    let (a, b, c, d) = (one(), one(), one(), one());
    match random.below(24) {
        0 => format!("({a} or {b})"),
        1 => format!("({a} and {b})"),
        2 => format!("({a} if {b})"),
        3 => format!("({a} if {b} else {c})"),
        4 => format!("({a} unless {b})"),
        5 => format!("({a} with {b})"),
        6 => format!("({a} without {b})"),
        7 => format!("(({a} or {b}) if ({c} and {d}))"),
        8 => format!("({a} or ({b} and {c}))"),
        _ => a,
    }
}

fn conflict(random: &mut Random) -> String {
    let mut one = || capability(random);
    let (a, b) = (one(), one());
    match random.below(8) {
        0 => format!("({a} and {b})"),
        1 => format!("({a} or {b})"),
        2 => format!("({a} unless {b})"),
        3 => format!("({a} if {b})"),
        _ => a,
    }
}

fn universe(random: &mut Random) -> Vec<PackageRecord> {
    let mut all = Vec::new();
    for number in 0..NAMES {
        for version in 1..=3 {
            if random.chance(40) {
                continue;
            }
            let mut text = format!("p{number}-{version}-1.x86_64");
            for _ in 0..random.below(3) {
                write!(text, "; requires {}", requirement(random)).unwrap();
            }
            if random.chance(40) {
                let capability = random.below(CAPABILITIES);
                match random.below(3) {
                    0 => write!(text, "; provides c{capability}").unwrap(),
                    _ => write!(text, "; provides c{capability} = {}", 1 + random.below(3)).unwrap(),
                }
            }
            if random.chance(20) {
                write!(text, "; conflicts {}", conflict(random)).unwrap();
            }
            if random.chance(8) {
                write!(
                    text,
                    "; obsoletes p{} < {}",
                    random.below(NAMES),
                    1 + random.below(4)
                )
                .unwrap();
            }
            if random.chance(15) {
                write!(text, "; files /usr/bin/f{}", random.below(4)).unwrap();
            }
            if random.chance(20) {
                write!(text, "; recommends {}", requirement(random)).unwrap();
            }
            if random.chance(5) {
                write!(text, "; supplements {}", capability(random)).unwrap();
            }
            let mut made = record(&text);
            // How a rich conflict takes the package itself is a matter of reading.
            let own = made.clone();
            let is_clear = |one: &Dependency| {
                let rich = RichDependency::parse(&one.to_string()).unwrap();
                !one.is_rich() || rich.capabilities().iter().all(|part| !meets(&own, part))
            };
            made.conflicts.retain(is_clear);
            all.push(made);
        }
    }
    all
}

/// Whether `there` meets a capability; by reading the records, nothing else.
fn provides(there: &[&PackageRecord], wanted: &Dependency) -> bool {
    there.iter().any(|one| meets(one, wanted))
}

fn meets(one: &PackageRecord, wanted: &Dependency) -> bool {
    one.provides.iter().any(|provided| provided.overlaps(wanted))
        || one.files.iter().any(|file| file.path == wanted.name)
}

fn meets_all(one: &PackageRecord, rich: &RichDependency) -> bool {
    match rich {
        RichDependency::Simple(dependency) => meets(one, dependency),
        RichDependency::With(parts) => parts.iter().all(|part| meets_all(one, part)),
        RichDependency::Without(left, right) => meets_all(one, left) && !meets_all(one, right),
        RichDependency::Or(parts) => parts.iter().any(|part| meets_all(one, part)),
        _ => panic!("not a set of packages: {rich}"),
    }
}

fn holds(there: &[&PackageRecord], rich: &RichDependency) -> bool {
    let branch =
        |part: &Option<Box<RichDependency>>, default| part.as_ref().map_or(default, |one| holds(there, one));
    match rich {
        RichDependency::Simple(dependency) => provides(there, dependency),
        RichDependency::And(parts) => parts.iter().all(|part| holds(there, part)),
        RichDependency::Or(parts) => parts.iter().any(|part| holds(there, part)),
        RichDependency::If {
            then,
            condition,
            otherwise,
        } => {
            if holds(there, condition) {
                holds(there, then)
            } else {
                branch(otherwise, true)
            }
        }
        RichDependency::Unless {
            then,
            condition,
            otherwise,
        } => {
            if holds(there, condition) {
                branch(otherwise, false)
            } else {
                holds(there, then)
            }
        }
        RichDependency::With(_) | RichDependency::Without(..) => there.iter().any(|one| meets_all(one, rich)),
    }
}

fn evaluate(there: &[&PackageRecord], dependency: &Dependency) -> bool {
    holds(there, &RichDependency::parse(&dependency.to_string()).unwrap())
}

/// What is wrong with a set of installed packages.
fn violations(there: &[&PackageRecord]) -> Vec<String> {
    let mut found = Vec::new();
    for one in there {
        let others: Vec<&PackageRecord> = there
            .iter()
            .copied()
            .filter(|other| other.nevra != one.nevra)
            .collect();
        for dependency in one
            .requires
            .iter()
            .filter(|dependency| !evaluate(there, dependency))
        {
            found.push(format!("{} lacks {dependency}", one.nevra));
        }
        for dependency in one
            .conflicts
            .iter()
            .filter(|dependency| evaluate(&others, dependency))
        {
            found.push(format!("{} conflicts with {dependency}", one.nevra));
        }
        for other in &others {
            if other.nevra.name == one.nevra.name {
                found.push(format!("{} and {}", one.nevra, other.nevra));
            }
            let own = Dependency::versioned(
                &*other.nevra.name,
                lazuli_rpm::Comparison::Equal,
                other.nevra.evr.clone(),
            );
            if other.nevra.name != one.nevra.name
                && one.obsoletes.iter().any(|obsoletes| own.overlaps(obsoletes))
            {
                found.push(format!("{} obsoletes {}", one.nevra, other.nevra));
            }
        }
    }
    found
}

/// What is installed once a solution is carried out.
fn result<'p>(pool: &'p Pool, solution: &Solution) -> Vec<&'p PackageRecord> {
    let gone: BTreeSet<PackageId> = solution.outgoing().collect();
    let stays = pool.installed().filter(|id| !gone.contains(id));
    stays
        .chain(solution.incoming())
        .map(|id| pool.record(id))
        .collect()
}

/// Writes records as libsolv's own format, by way of our `primary.xml` and libsolv's reader of it.
fn write_solv(dir: &Path, file: &str, records: &[PackageRecord]) {
    let xml = dir.join("primary.xml");
    std::fs::write(&xml, primary::write(records)).unwrap();
    let output = std::fs::File::create(dir.join(file)).unwrap();
    let input = std::fs::File::open(&xml).unwrap();
    assert!(
        Command::new("rpmmd2solv")
            .stdin(input)
            .stdout(output)
            .status()
            .unwrap()
            .success()
    );
}

/// What libsolv answers: the steps of its transaction, or `None` if there is no solution.
fn libsolv(dir: &Path, case: &str) -> Option<Vec<String>> {
    std::fs::write(dir.join("case.t"), case).unwrap();
    let output = Command::new("testsolv")
        .arg("-r")
        .arg("case.t")
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    if text.lines().any(|line| line.starts_with("problem")) {
        return None;
    }
    Some(
        text.lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

fn has_libsolv() -> bool {
    let there =
        Command::new("testsolv").output().is_ok() && Command::new("rpmmd2solv").arg("-h").output().is_ok();
    if !there {
        eprintln!("SKIPPED: testsolv or rpmmd2solv (libsolv-tools) is missing");
    }
    there
}

fn install(names: &BTreeSet<usize>) -> Job {
    let specs = names
        .iter()
        .map(|number| Spec::parse(&format!("p{number}")).unwrap());
    Job {
        install: specs.collect(),
        weak: Weak::Ignore,
        ..Job::default()
    }
}

fn case(names: &BTreeSet<usize>, job: &str) -> String {
    let mut text = String::from(
        "repo system 0 solv installed.solv\nrepo available 0 solv available.solv\nsystem x86_64 rpm system\n\
         solverflags ignorerecommended\n",
    );
    for number in names {
        writeln!(text, "job {job} name p{number}").unwrap();
    }
    text + "result transaction,problems <inline>\n"
}

fn some_names(random: &mut Random, records: &[PackageRecord]) -> BTreeSet<usize> {
    let count = 1 + random.below(3);
    let mut pick = || {
        records[random.below(records.len())].nevra.name[1..]
            .parse()
            .unwrap()
    };
    (0..count).map(|_| pick()).collect()
}

/// How many universes a run tries; the environment may ask for more.
fn rounds(default: u64) -> u64 {
    std::env::var("LAZULI_ORACLE_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

#[test]
fn what_is_solvable_is_what_libsolv_solves() {
    if !has_libsolv() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (mut solved, mut failed, mut ours, mut theirs) = (0, 0, 0, 0);
    for seed in 0..rounds(60) {
        let random = &mut Random(seed);
        let available = universe(random);
        if available.is_empty() {
            continue;
        }
        write_solv(dir.path(), "available.solv", &available);
        write_solv(dir.path(), "installed.solv", &[]);
        let mut pool = Pool::new("x86_64");
        pool.add_repository("available", 99, available.clone(), None)
            .unwrap();
        for _ in 0..4 {
            let names = some_names(random, &available);
            let answer = solve(&pool, &install(&names));
            let oracle = libsolv(dir.path(), &case(&names, "install"));
            match (&answer, &oracle) {
                (Ok(solution), Some(steps)) => {
                    let there = result(&pool, solution);
                    assert_eq!(violations(&there), Vec::<String>::new(), "seed {seed} {names:?}");
                    assert_eq!(install_order(&pool, solution).len(), there.len());
                    solved += 1;
                    ours += there.len();
                    theirs += steps.len();
                }
                (Err(problem), None) => {
                    assert!(problem.causes.iter().all(|cause| !cause.message.is_empty()));
                    assert_ne!(
                        problem.causes[0].message, "the requests exclude each other",
                        "seed {seed} {names:?}: no explanation"
                    );
                    failed += 1;
                }
                (Ok(solution), None) => {
                    // libsolv gives up on some rich dependencies; what counts is that ours holds.
                    let there = result(&pool, solution);
                    assert_eq!(violations(&there), Vec::<String>::new(), "seed {seed} {names:?}");
                    panic!(
                        "seed {seed} {names:?}: solved, but not by libsolv: {}",
                        tell(&pool, solution)
                    );
                }
                (Err(problem), Some(steps)) => {
                    panic!("seed {seed} {names:?}: not solved, but libsolv did: {steps:?}\n{problem}");
                }
            }
        }
    }
    eprintln!("{solved} solved, {failed} not; {ours} packages, libsolv {theirs}");
    assert!(
        solved > 100 && failed > 30,
        "the universes do not test much: {solved} solved, {failed} not"
    );
    assert!(
        ours * 100 <= theirs * 101,
        "more packages than libsolv: {ours} and {theirs}"
    );
}

fn tell(pool: &Pool, solution: &Solution) -> String {
    solution
        .incoming()
        .map(|id| name(pool, id))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A pool in which the solution of a first job is installed, of versions up to 2, if there is one.
fn with_installed(random: &mut Random, available: &[PackageRecord]) -> Option<Vec<PackageRecord>> {
    let old: Vec<PackageRecord> = available
        .iter()
        .filter(|one| one.nevra.evr.version != "3")
        .cloned()
        .collect();
    if old.is_empty() {
        return None;
    }
    let names = some_names(random, &old);
    let mut pool = Pool::new("x86_64");
    pool.add_repository("old", 99, old, None).unwrap();
    let solution = solve(&pool, &install(&names)).ok()?;
    Some(result(&pool, &solution).into_iter().cloned().collect())
}

fn versions(there: &[&PackageRecord]) -> usize {
    there
        .iter()
        .map(|one| one.nevra.evr.version.parse::<usize>().unwrap())
        .sum()
}

/// What is installed after libsolv's steps, as the sum of versions and the number of packages.
fn apply(installed: &[PackageRecord], steps: &[String]) -> (usize, usize) {
    let mut there: BTreeSet<String> = installed.iter().map(|one| one.nevra.to_string()).collect();
    for step in steps {
        let words: Vec<&str> = step.split([' ', '@']).collect();
        match words[..] {
            ["install", new, ..] => _ = there.insert(new.to_owned()),
            ["erase", old, ..] => _ = there.remove(old),
            ["upgrade" | "downgrade" | "change" | "reinstall", old, _, new, ..] => {
                there.remove(old);
                there.insert(new.to_owned());
            }
            _ => panic!("unknown step {step}"),
        }
    }
    let version = |name: &String| name.split('-').nth(1).unwrap().parse::<usize>().unwrap();
    (there.iter().map(version).sum(), there.len())
}

#[test]
fn installed_systems_change_as_with_libsolv() {
    if !has_libsolv() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (mut jobs, mut failed, mut upgraded, mut newer, mut older) = (0, 0, 0, 0, 0);
    for seed in 10_000..10_000 + rounds(120) {
        let random = &mut Random(seed);
        let available = universe(random);
        let Some(installed) = with_installed(random, &available) else {
            continue;
        };
        write_solv(dir.path(), "available.solv", &available);
        write_solv(dir.path(), "installed.solv", &installed);
        let mut pool = Pool::new("x86_64");
        pool.add_installed(installed.clone(), |_| false).unwrap();
        pool.add_repository("available", 99, available.clone(), None)
            .unwrap();

        let names = some_names(random, &available);
        let answer = solve(&pool, &install(&names));
        let oracle = libsolv(dir.path(), &case(&names, "install"));
        assert_eq!(
            answer.is_ok(),
            oracle.is_some(),
            "seed {seed} {names:?} {oracle:?} {:?}",
            answer.err()
        );
        match &answer {
            Ok(solution) => {
                assert_eq!(
                    violations(&result(&pool, solution)),
                    Vec::<String>::new(),
                    "seed {seed} {names:?}"
                );
                assert!(solution.downgrade.is_empty(), "seed {seed}");
                jobs += 1;
            }
            Err(_) => failed += 1,
        }

        let upgrade = Job {
            upgrade: Upgrade::All,
            weak: Weak::Ignore,
            ..Job::default()
        };
        let solution = solve(&pool, &upgrade).unwrap_or_else(|problem| panic!("seed {seed}: {problem}"));
        let there = result(&pool, &solution);
        assert_eq!(violations(&there), Vec::<String>::new(), "seed {seed}");
        let case = case(&BTreeSet::new(), "").replace("result", "job update all packages\nresult");
        let steps = libsolv(dir.path(), &case).unwrap();
        upgraded += solution.upgrade.len();
        match versions(&there).cmp(&apply(&installed, &steps).0) {
            std::cmp::Ordering::Greater => newer += 1,
            std::cmp::Ordering::Less => older += 1,
            std::cmp::Ordering::Equal => {}
        }

        remove_one(random, &pool, seed);
    }
    eprintln!(
        "{jobs} installed, {failed} not; {upgraded} upgrades; newer {newer}, older {older} than libsolv's"
    );
    assert!(
        jobs > 30 && failed > 5 && upgraded > 30,
        "the universes do not test much"
    );
    assert!(
        older * 20 <= jobs + failed,
        "upgrades stay behind libsolv's in {older} of {} cases",
        jobs + failed
    );
}

/// Removes a package: what remains is whole, and nothing goes without need.
fn remove_one(random: &mut Random, pool: &Pool, seed: u64) {
    let all: Vec<PackageId> = pool.installed().collect();
    let victim = all[random.below(all.len())];
    let spec = Spec::parse(&pool.record(victim).nevra.name).unwrap();
    let solution = solve(
        pool,
        &Job {
            remove: vec![spec],
            ..Job::default()
        },
    )
    .unwrap();
    assert!(
        solution.incoming().next().is_none(),
        "seed {seed}: a removal installs nothing"
    );
    let there = result(pool, &solution);
    let broken: Vec<String> = violations(&there)
        .into_iter()
        .filter(|violation| violation.contains(" lacks ") || violation.contains("conflicts with ("))
        .collect();
    assert_eq!(broken, Vec::<String>::new(), "seed {seed}");
    assert!(there.iter().all(|one| one.nevra != pool.record(victim).nevra));
    for step in solution.remove.iter().filter(|step| step.package != victim) {
        let record = pool.record(step.package);
        let mut back = there.clone();
        back.push(record);
        let is_plain = !record
            .requires
            .iter()
            .chain(&record.conflicts)
            .any(Dependency::is_rich);
        assert!(
            !is_plain || record.requires.iter().any(|one| !evaluate(&back, one)),
            "seed {seed}: {} goes without need",
            record.nevra
        );
    }
}
