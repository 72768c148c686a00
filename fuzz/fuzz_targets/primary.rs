//! rpm-md metadata of any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = lazuli_repodata::primary::parse(data);
    let _ = lazuli_repodata::Repomd::parse(data);
});
