//! Schedules of random graphs, driven by executors that end builds in any order.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap};

fn limits(jobs: usize, cores: usize, memory: u64) -> Limits {
    Limits {
        jobs: NonZeroUsize::new(jobs).unwrap_or(NonZeroUsize::MIN),
        cores: NonZeroUsize::new(cores).unwrap_or(NonZeroUsize::MIN),
        memory,
    }
}

fn task(name: &str, needs: &[&str], seconds: u64) -> Task {
    Task {
        name: name.to_owned(),
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        recorded: Some(Duration::from_secs(seconds)),
        effort: Effort::Ordinary,
    }
}

fn expensive(name: &str, seconds: u64) -> Task {
    Task {
        effort: Effort::Expensive,
        ..task(name, &[], seconds)
    }
}

fn schedule(tasks: Vec<Task>, jobs: usize) -> Schedule {
    Schedule::new(tasks, limits(jobs, jobs, 64 << 30), AfterFailure::KeepGoing).expect("a schedule")
}

/// Looks everything up that is due, finds nothing, and names what starts.
fn started(schedule: &mut Schedule) -> Vec<String> {
    while let Some(id) = schedule.next_lookup() {
        schedule.looked_up(id, Lookup::Miss);
    }
    let mut names = Vec::new();
    while let Some(start) = schedule.next_start() {
        names.push(schedule.task(start.task).name.clone());
    }
    names
}

fn finish(schedule: &mut Schedule, name: &str, outcome: Outcome) {
    let id = schedule.find(name).expect("a known build");
    schedule.finished(id, outcome);
}

#[test]
fn the_longest_chain_goes_first() {
    let tasks = vec![
        task("a-long", &[], 50),
        task("b-short", &[], 10),
        task("c-after-b", &["b-short"], 100),
        task("d-short", &[], 20),
    ];
    let mut schedule = schedule(tasks, 2);
    assert_eq!(started(&mut schedule), ["b-short", "a-long"]);
    finish(&mut schedule, "b-short", Outcome::Built);
    assert_eq!(started(&mut schedule), ["c-after-b"]);
}

#[test]
fn what_is_not_recorded_has_a_default() {
    let unknown = Task {
        recorded: None,
        ..task("unknown", &[], 0)
    };
    let tasks = vec![task("shorter", &[], 59), task("longer", &[], 61), unknown];
    assert_eq!(started(&mut schedule(tasks, 3)), ["longer", "unknown", "shorter"]);
}

#[test]
fn an_expensive_build_runs_alone_on_a_small_machine() {
    let tasks = vec![expensive("kernel", 1000), task("small", &[], 1)];
    let mut schedule = schedule(tasks, 2);
    while let Some(id) = schedule.next_lookup() {
        schedule.looked_up(id, Lookup::Miss);
    }
    let start = schedule.next_start().expect("the kernel starts");
    assert_eq!(schedule.task(start.task).name, "kernel");
    assert_eq!(start.cores.get(), 2);
    assert_eq!(schedule.next_start(), None);
    schedule.finished(start.task, Outcome::Built);
    assert_eq!(started(&mut schedule), ["small"]);
}

#[test]
fn a_build_that_does_not_fit_is_not_passed_for_ever() {
    let mut tasks = vec![task("aa", &[], 500), expensive("big", 400)];
    let small: Vec<String> = (0..20).map(|number| format!("small-{number:02}")).collect();
    tasks.extend(small.iter().map(|name| task(name, &[], 1)));
    let mut schedule = schedule(tasks, 2);
    let mut passed = Vec::new();
    let mut starts = started(&mut schedule);
    assert_eq!(starts.remove(0), "aa");
    while let Some(name) = starts.pop() {
        assert!(name.starts_with("small-"));
        finish(&mut schedule, &name, Outcome::Built);
        passed.push(name);
        starts.extend(started(&mut schedule));
    }
    assert_eq!(passed.len(), PASSED_MAX as usize);
    finish(&mut schedule, "aa", Outcome::Built);
    assert_eq!(started(&mut schedule), ["big"]);
}

#[test]
fn processors_are_parted_among_what_can_run() {
    let cores = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("t{number}")).collect();
        let tasks = names.iter().map(|name| task(name, &[], 1)).collect();
        let mut schedule =
            Schedule::new(tasks, limits(8, 8, 64 << 30), AfterFailure::Finish).expect("a schedule");
        while let Some(id) = schedule.next_lookup() {
            schedule.looked_up(id, Lookup::Miss);
        }
        std::iter::from_fn(|| schedule.next_start())
            .map(|start| start.cores.get())
            .collect::<Vec<_>>()
    };
    assert_eq!(cores(1), [8]);
    assert_eq!(cores(2), [4, 4]);
    assert_eq!(cores(3), [2, 3, 3]);
    assert_eq!(cores(20), [1; 8]);
}

#[test]
fn memory_is_a_limit_too() {
    let tasks = vec![task("a", &[], 3), task("b", &[], 2), task("c", &[], 1)];
    let mut schedule =
        Schedule::new(tasks, limits(8, 8, 2 * ORDINARY_MEMORY), AfterFailure::Finish).expect("a schedule");
    assert_eq!(started(&mut schedule), ["a", "b"]);
    // And with less than one build's, one runs.
    let mut schedule = Schedule::new(
        vec![expensive("a", 1), task("b", &[], 1)],
        limits(8, 8, 1),
        AfterFailure::Finish,
    )
    .expect("a schedule");
    assert_eq!(started(&mut schedule), ["a"]);
}

#[test]
fn after_a_failure_what_runs_is_finished() {
    let tasks = vec![
        task("a", &[], 9),
        task("b", &[], 8),
        task("c", &[], 7),
        task("needs-b", &["b"], 1),
    ];
    let mut schedule =
        Schedule::new(tasks, limits(2, 2, 64 << 30), AfterFailure::Finish).expect("a schedule");
    assert_eq!(started(&mut schedule), ["a", "b"]);
    finish(&mut schedule, "a", Outcome::Failed);
    assert_eq!(started(&mut schedule), Vec::<String>::new());
    assert!(!schedule.is_over());
    finish(&mut schedule, "b", Outcome::Built);
    assert!(schedule.is_over());
    let state = |name: &str| schedule.state(schedule.find(name).expect("known"));
    assert_eq!(state("c"), State::Ready);
    assert_eq!(state("needs-b"), State::Due);
}

#[test]
fn a_hit_makes_dependents_due_without_a_build() {
    let mut schedule = schedule(vec![task("a", &[], 1), task("b", &["a"], 1)], 1);
    let a = schedule.next_lookup().expect("a is due");
    assert_eq!(schedule.next_lookup(), None);
    schedule.looked_up(a, Lookup::Hit);
    let b = schedule.next_lookup().expect("b is due");
    schedule.looked_up(b, Lookup::Hit);
    assert_eq!(schedule.next_start(), None);
    assert!(schedule.is_over());
    assert_eq!(schedule.state(b), State::Done(Done::Hit));
}

#[test]
fn cycles_are_named_without_what_hangs_on_them() {
    let tasks = vec![
        task("root", &[], 1),
        task("a", &["b", "root"], 1),
        task("b", &["c"], 1),
        task("c", &["a"], 1),
        task("leaf", &["c"], 1),
    ];
    let error = Schedule::new(tasks, limits(1, 1, 1), AfterFailure::Finish).expect_err("a cycle");
    let names = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(error, ScheduleError::Cycle { names });
    assert!(error.hint().is_some_and(|hint| hint.contains("build.bootstrap")));
}

#[test]
fn names_are_checked() {
    let none = limits(1, 1, 1);
    let twice = Schedule::new(
        vec![task("a", &[], 1), task("a", &[], 1)],
        none,
        AfterFailure::Finish,
    );
    assert_eq!(
        twice.expect_err("twice"),
        ScheduleError::Duplicate { name: "a".to_owned() }
    );
    let unknown = Schedule::new(vec![task("a", &["b"], 1)], none, AfterFailure::Finish);
    let (name, needs) = ("a".to_owned(), "b".to_owned());
    assert_eq!(
        unknown.expect_err("unknown"),
        ScheduleError::Unknown { name, needs }
    );
}

#[test]
fn the_longest_path_is_that_of_the_given_times() {
    let tasks = vec![
        task("a", &[], 1),
        task("b", &["a"], 1),
        task("c", &["a"], 1),
        task("d", &["b", "c"], 1),
    ];
    let schedule = schedule(tasks, 1);
    let path = schedule.longest_path(|id| match schedule.task(id).name.as_str() {
        "c" => Duration::from_secs(5),
        _ => Duration::from_secs(1),
    });
    let names: Vec<&str> = path.iter().map(|id| schedule.task(*id).name.as_str()).collect();
    assert_eq!(names, ["a", "c", "d"]);
}

/// What an executor met, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Hit(String),
    Start(String, usize),
    End(String, Outcome),
}

/// A random graph: an edge goes to an earlier build only.
#[derive(Debug, Clone)]
struct Case {
    tasks: Vec<Task>,
    fails: BTreeSet<String>,
    hits: BTreeSet<String>,
    limits: Limits,
    after_failure: AfterFailure,
    /// Which of the running builds ends next.
    picks: Vec<usize>,
}

fn cases() -> impl Strategy<Value = Case> {
    let one = (
        prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        prop::option::of(0_u64..1000),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.2),
    );
    let graph = prop::collection::vec(one, 1..40);
    let machine = (
        1_usize..6,
        1_usize..9,
        prop::sample::select(vec![1_u64, 3 << 30, 8 << 30, 64 << 30]),
    );
    (
        graph,
        machine,
        any::<bool>(),
        prop::collection::vec(0_usize..64, 64),
    )
        .prop_map(|(graph, (jobs, cores, memory), keep_going, picks)| {
            // Names are not in the order of the edges.
            let name = |number: usize| format!("n{:03}", (number * 37) % 101);
            let mut case = Case {
                tasks: Vec::new(),
                fails: BTreeSet::new(),
                hits: BTreeSet::new(),
                limits: limits(jobs, cores, memory),
                after_failure: if keep_going {
                    AfterFailure::KeepGoing
                } else {
                    AfterFailure::Finish
                },
                picks,
            };
            for (number, (needs, seconds, is_expensive, fails, hit)) in graph.into_iter().enumerate() {
                let needs = needs
                    .iter()
                    .filter(|_| number > 0)
                    .map(|need| name(need.index(number)));
                case.tasks.push(Task {
                    name: name(number),
                    needs: needs.collect(),
                    recorded: seconds.map(Duration::from_secs),
                    effort: if is_expensive {
                        Effort::Expensive
                    } else {
                        Effort::Ordinary
                    },
                });
                if fails {
                    case.fails.insert(name(number));
                }
                if hit {
                    case.hits.insert(name(number));
                }
            }
            case
        })
}

/// Runs a schedule to its end, and after each step checks that no place was left empty.
fn drive(case: &Case) -> (Schedule, Vec<Event>) {
    let mut schedule =
        Schedule::new(case.tasks.clone(), case.limits, case.after_failure).expect("no cycle was made");
    let (mut events, mut running) = (Vec::new(), Vec::new());
    // Each round ends a build, or is the last.
    for round in 0..=case.tasks.len() {
        while let Some(id) = schedule.next_lookup() {
            let name = schedule.task(id).name.clone();
            let hit = case.hits.contains(&name);
            schedule.looked_up(id, if hit { Lookup::Hit } else { Lookup::Miss });
            if hit {
                events.push(Event::Hit(name));
            }
        }
        while let Some(start) = schedule.next_start() {
            events.push(Event::Start(
                schedule.task(start.task).name.clone(),
                start.cores.get(),
            ));
            running.push(start.task);
        }
        assert_no_place_is_empty(&schedule);
        if running.is_empty() {
            break;
        }
        let id = running.remove(case.picks[round % case.picks.len()] % running.len());
        let name = schedule.task(id).name.clone();
        let outcome = match case.fails.contains(&name) {
            true => Outcome::Failed,
            false => Outcome::Built,
        };
        schedule.finished(id, outcome);
        events.push(Event::End(name, outcome));
    }
    (schedule, events)
}

/// Nothing that fits waits, but for one that was passed often enough to have what is free kept for it.
fn assert_no_place_is_empty(schedule: &Schedule) {
    if schedule.stopped {
        return;
    }
    let free = schedule.free();
    let ready = || schedule.ids().filter(|id| schedule.state(*id) == State::Ready);
    let is_kept = ready().any(|id| schedule.passed[id.0] >= PASSED_MAX && !schedule.fits(id, free));
    if !is_kept {
        assert!(
            !ready().any(|id| schedule.fits(id, free)),
            "a build waits beside a free place"
        );
    }
    if schedule.running().next().is_none() {
        assert_eq!(ready().next(), None, "alone, everything fits");
    }
}

fn expected_blocked(case: &Case, schedule: &Schedule) -> BTreeSet<TaskId> {
    let failed = schedule.ids().filter(|id| schedule.state(*id) == State::Failed);
    let all: BTreeSet<TaskId> = failed.flat_map(|id| schedule.all_dependents(id)).collect();
    assert!(
        all.iter()
            .all(|id| case.tasks.iter().any(|task| task.name == schedule.task(*id).name))
    );
    all
}

proptest! {
    #[test]
    fn each_build_runs_once_and_after_all_that_it_needs(case in cases()) {
        let (_, events) = drive(&case);
        let needs: HashMap<&str, &Vec<String>> =
            case.tasks.iter().map(|task| (task.name.as_str(), &task.needs)).collect();
        let (mut done, mut started) = (BTreeSet::new(), BTreeSet::new());
        for event in &events {
            match event {
                Event::Hit(name) | Event::Start(name, _) => {
                    prop_assert!(started.insert(name.clone()), "{name} came twice");
                    prop_assert!(needs[name.as_str()].iter().all(|need| done.contains(need)), "{name} came too early");
                    if matches!(event, Event::Hit(_)) {
                        done.insert(name.clone());
                    }
                }
                Event::End(name, Outcome::Built) => {
                    done.insert(name.clone());
                }
                Event::End(_, Outcome::Failed) => {}
            }
        }
    }

    #[test]
    fn a_failure_reaches_its_dependents_and_nothing_else(case in cases()) {
        let (schedule, _) = drive(&case);
        prop_assert!(schedule.is_over());
        let expected = expected_blocked(&case, &schedule);
        for id in schedule.ids() {
            match schedule.state(id) {
                State::Blocked { by } => {
                    prop_assert!(expected.contains(&id));
                    prop_assert_eq!(schedule.state(by), State::Failed);
                    prop_assert!(schedule.all_needs(id).contains(&by));
                }
                State::Failed => prop_assert!(case.fails.contains(&schedule.task(id).name)),
                State::Done(_) => prop_assert!(!expected.contains(&id)),
                State::Waiting | State::Due | State::Ready => {
                    prop_assert!(schedule.stopped && !expected.contains(&id));
                }
                State::Looking | State::Running => prop_assert!(false, "over, and busy"),
            }
        }
    }

    #[test]
    fn the_places_are_never_more_than_there_are(case in cases()) {
        let (schedule, events) = drive(&case);
        let mut running: BTreeSet<&str> = BTreeSet::new();
        for event in &events {
            match event {
                Event::Start(name, cores) => {
                    running.insert(name);
                    prop_assert!((1..=case.limits.cores.get()).contains(cores));
                    let ids = running.iter().filter_map(|name| schedule.find(name));
                    let slots: usize = ids.map(|id| schedule.demand(id).slots).sum();
                    prop_assert!(slots <= case.limits.jobs.get());
                }
                Event::End(name, _) => {
                    running.remove(name.as_str());
                }
                Event::Hit(_) => {}
            }
        }
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(case in cases()) {
        let mut other = case.clone();
        other.tasks.reverse();
        prop_assert_eq!(drive(&case).1, drive(&other).1);
    }
}
