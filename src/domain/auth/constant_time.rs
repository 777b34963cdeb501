//! Invariant: the time that a comparison takes depends on the lengths alone, so it tells nothing of
//! a secret.

use std::hint::black_box;

/// Whether two texts are equal, in a time that depends on their lengths alone.
pub(crate) fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    let differences = a
        .iter()
        .zip(b)
        .fold(0, |acc, (a, b)| black_box(acc | (a ^ b)));
    a.len() == b.len() && differences == 0
}
