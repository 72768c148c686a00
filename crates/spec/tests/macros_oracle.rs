//! The macro engine against `rpm` itself: thousands of generated texts, expanded by both, in the same order and with the
//! same definitions, so that what one text leaves behind is compared too.
#![allow(clippy::unwrap_used)]

mod macros_support;

use std::sync::Arc;

use lazuli_spec::{Dialect, Host, Macros, Settings};
use macros_support::generator::Generator;
use macros_support::rpm::{self, Outcome};

/// Texts for each seed; an rpm process each.
const TEXTS: usize = 1_500;
const SEEDS: std::ops::Range<u64> = 1..12;

fn context() -> Macros {
    let cpus = std::thread::available_parallelism().unwrap().get();
    let host = Arc::new(Host { cpus: u32::try_from(cpus).unwrap(), ..Host::default() });
    let settings = Settings { host, dialect: Dialect::Rpm418, ..Settings::default() };
    Macros::new(settings)
}

#[test]
fn generated_texts_expand_as_rpm_expands_them() {
    let Some(rpm) = rpm::find() else { return };
    let mut compared = 0;
    let (mut failed, mut died) = (0, 0);
    let mut differences = Vec::new();
    for seed in SEEDS {
        let texts = Generator::new(seed).texts(TEXTS);
        let expected = rpm.expand_all(&texts, "");
        let mut macros = context();
        for (index, (text, expected)) in texts.iter().zip(expected).enumerate() {
            if expected == Outcome::Died {
                died += 1;
                continue;
            }
            let actual = match macros.expand(text) {
                Ok(expansion) => Outcome::Text(expansion.text),
                Err(_) => Outcome::Error,
            };
            compared += 1;
            failed += usize::from(expected == Outcome::Error);
            if actual != expected {
                let show = |outcome: &Outcome| match outcome {
                    Outcome::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
                    other => format!("{other:?}"),
                };
                let (expected, actual) = (show(&expected), show(&actual));
                differences.push(format!("seed {seed}, text {index}: {text:?}\n  rpm:  {expected}\n  here: {actual}"));
            }
        }
    }
    println!("{compared} texts compared, {failed} of them errors in rpm; {died} kill it");
    assert!(failed > compared / 50 && failed < compared / 2, "{failed} of {compared} texts fail: a poor mixture");
    let shown = differences.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} of {compared} differ:\n{shown}", differences.len());
}
