//! An `.rpm` of any bytes: headers, metadata, digests and payload.
#![no_main]

use lazuli_rpm::Package;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(package) = Package::parse(data) {
        let _ = package.metadata();
        let _ = package.verify_digests();
    }
});
