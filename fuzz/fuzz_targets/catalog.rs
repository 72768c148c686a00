//! A configuration file and a lock of any text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|text: &str| {
    let _ = lazuli_catalog::parse_config(Path::new("fuzz.toml"), text);
    let _ = lazuli_catalog::LockFile::parse(text);
});
