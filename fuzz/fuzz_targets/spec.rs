//! A spec file of any bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = lazuli_fuzz::spec(data);
});
