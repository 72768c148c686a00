//! Bytes without sense: the engine answers or refuses, in bounded time, and never panics.
#![allow(clippy::unwrap_used)]

mod macros_support;

use std::time::{Duration, Instant};

use lazuli_spec::{Dialect, Limits, Macros, Settings};
use macros_support::generator::Generator;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 20) % limit as u64).unwrap()
    }
}

/// Bytes that mean something to the engine.
const TELLING: &[u8] = b"%{}()[]?!:-*#\\\"\n\r\t 0v1&|<>=+/,;~^.\0\x1f\xff\xc3\x80az_";

fn mutate(text: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(6) {
        if text.is_empty() {
            text.push(b'%');
        }
        let at = random.below(text.len());
        let byte = TELLING[random.below(TELLING.len())];
        match random.below(6) {
            0 => text[at] = byte,
            1 => text.insert(at, byte),
            2 => drop(text.remove(at)),
            3 => text.truncate(at),
            4 => {
                let end = (at + random.below(12)).min(text.len());
                let part = text[at..end].to_vec();
                let place = random.below(text.len());
                text.splice(place..place, part);
            }
            _ => text.swap(at, 0),
        }
    }
}

fn context(dialect: Dialect) -> Macros {
    let limits = Limits {
        output: 1 << 20,
        calls: 20_000,
        lua_instructions: 100_000,
        lua_memory: 8 << 20,
        ..Limits::default()
    };
    Macros::new(Settings {
        dialect,
        limits,
        ..Settings::default()
    })
}

#[test]
fn mutated_texts_never_panic() {
    let start = Instant::now();
    for (seed, dialect) in [(11, Dialect::Rpm418), (12, Dialect::Rpm420)] {
        let mut random = Random(seed);
        let mut macros = context(dialect);
        let mut refused = 0;
        for text in Generator::new(seed).texts(3_000) {
            let mut text = text.into_bytes();
            mutate(&mut text, &mut random);
            refused += usize::from(macros.expand(&text).is_err());
            if let Err(error) = macros.condition(&text) {
                // Every error can be shown, and is inside the text.
                assert!(!error.to_string().is_empty() && error.trace().len() < 100_000);
                assert!(error.offset <= text.len().max(1) * 64, "{error:?}");
            }
            let _ = macros.define(&text, lazuli_spec::Level::GLOBAL);
            let _ = macros.load_text("garbage", &text);
        }
        assert!(refused > 500 && refused < 2_900, "{refused} refused");
    }
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn random_bytes_never_panic() {
    let mut random = Random(7);
    let mut macros = context(Dialect::Rpm420);
    for _ in 0..5_000 {
        let length = random.below(60);
        let text: Vec<u8> = (0..length)
            .map(|_| TELLING[random.below(TELLING.len())])
            .collect();
        let _ = macros.expand(&text);
        let _ = macros.evaluate(&text);
        let _ = macros.expression(&text);
        let _ = macros.load_text("garbage", &text);
    }
}
