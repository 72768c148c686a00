//! Small grammars: versions, relations, licences, changelogs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = lazuli_fuzz::text(data);
});
