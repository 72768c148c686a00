//! Configuration and locks of any text.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = lazuli_fuzz::catalog(data);
});
