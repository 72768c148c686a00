//! Damaged specs are read or refused; nothing panics, and nothing takes long.

use std::time::{Duration, Instant};

use crate::support::generator::{Generator, Random};
use crate::support::{PORTABLE_MACROS, corpus};
use lazuli_spec::{Depth, Limits, MacroBase, Macros, ReadOptions, Settings, Spec};

/// Damaged specs that are read.
const MUTATIONS: u64 = 3_000;
/// All of them together: none may hang.
const TIME: Duration = Duration::from_secs(60);

/// Bytes that mean something in specs.
const TOKENS: [&str; 32] = [
    "%",
    "%{",
    "}",
    "%(",
    ")",
    "%[",
    "]",
    "\\\n",
    "\n",
    "%if 1\n",
    "%else\n",
    "%endif\n",
    "%elif 0\n",
    "%package x\n",
    "%files\n",
    "%description\n",
    "%global a %{b}\n",
    "%define p() %{1}\n",
    "%{lua: print(1)}",
    ":",
    "Requires: (a or b)\n",
    "%build\n",
    "%include x\n",
    "%prep\n%setup -n\n",
    "%patch1 -p\n",
    "%changelog\n* \n",
    "\0",
    "\u{e4}",
    "\"",
    "%%",
    "-n",
    "%triggerin -- a\n",
];

fn base() -> MacroBase {
    let limits = Limits {
        output: 1 << 20,
        calls: 50_000,
        definitions: 1 << 20,
        lua_instructions: 1_000_000,
        ..Limits::default()
    };
    let mut macros = Macros::new(Settings {
        limits,
        ..Settings::default()
    });
    macros.load_text("test", PORTABLE_MACROS.as_bytes()).unwrap();
    macros.freeze()
}

fn mutate(random: &mut Random, text: &mut Vec<u8>) {
    for _ in 0..1 + random.below(3) {
        if text.is_empty() {
            return;
        }
        let at = random.below(text.len());
        match random.below(7) {
            0 => text[at] ^= 1 << random.below(8),
            1 => text.truncate(at),
            2 => {
                text.remove(at);
            }
            3 => {
                let end = (at + random.below(200)).min(text.len());
                text.drain(at..end);
            }
            4 => {
                let end = (at + random.below(200)).min(text.len());
                let copy = text[at..end].to_vec();
                let to = random.below(text.len());
                text.splice(to..to, copy);
            }
            _ => {
                let token = random.pick(&TOKENS);
                text.splice(at..at, token.bytes());
            }
        }
    }
}

#[test]
fn damaged_specs_never_panic() {
    let mut originals: Vec<Vec<u8>> = (0..60).map(|seed| Generator::spec(seed).into_bytes()).collect();
    for entry in std::fs::read_dir(corpus()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            originals.push(std::fs::read(path).unwrap());
        }
    }
    let base = base();
    let begun = Instant::now();
    let (mut read, mut refused) = (0, 0);
    for seed in 0..MUTATIONS {
        let mut random = Random::new(seed);
        let mut text = originals[random.below(originals.len())].clone();
        mutate(&mut random, &mut text);
        let depth = if random.chance(50) {
            Depth::Full
        } else {
            Depth::Query
        };
        match Spec::read(
            &text,
            base.context(),
            &ReadOptions {
                depth,
                ..ReadOptions::default()
            },
        ) {
            Ok(_) => read += 1,
            Err(error) => {
                refused += 1;
                let rendered = error.render();
                assert!(
                    rendered.starts_with("error: ") && !error.to_string().is_empty(),
                    "{rendered}"
                );
            }
        }
        assert!(begun.elapsed() < TIME, "seed {seed}: too slow");
    }
    println!("{read} read, {refused} refused, {:?}", begun.elapsed());
    assert!(
        read > 500 && refused > 500,
        "{read} read, {refused} refused: a poor mixture"
    );
}
