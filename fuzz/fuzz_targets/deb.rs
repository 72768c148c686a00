//! A `.deb` of any bytes: errors, never a panic, a hang or unbounded memory.
#![no_main]

use lazuli_deb::{Deb, Limits};
use libfuzzer_sys::fuzz_target;
use std::io;

fuzz_target!(|data: &[u8]| {
    if let Ok(deb) = Deb::parse(data, Limits::default()) {
        let _ = deb.visit_files(|_, content| io::copy(content, &mut io::sink()).map(|_| ()));
    }
});
