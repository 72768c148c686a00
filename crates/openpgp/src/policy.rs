//! Which algorithms count.

use sequoia_openpgp::policy::StandardPolicy;
use sequoia_openpgp::types::HashAlgorithm;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Algorithms are judged as of this time or later, in seconds since 1970 (2025-01-01): a reference time in
/// the past must not make accepted what is broken today.
const JUDGED_AT_LEAST: u64 = 1_735_689_600;

/// The policy for a reference time.
pub(crate) fn at(time: SystemTime) -> StandardPolicy<'static> {
    let least = UNIX_EPOCH + Duration::from_secs(JUDGED_AT_LEAST);
    let mut policy = StandardPolicy::at(time.max(least));
    for weak in [HashAlgorithm::MD5, HashAlgorithm::SHA1, HashAlgorithm::RipeMD] {
        policy.reject_hash(weak);
    }
    policy
}
