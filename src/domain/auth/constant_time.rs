//! Invariant: the time of a comparison depends on the lengths alone, so it reveals nothing about a
//! secret.

use std::hint::black_box;

/// Whether two texts are equal, in time that depends only on their lengths.
pub(crate) fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    let differences = a
        .iter()
        .zip(b)
        .fold(0, |acc, (a, b)| black_box(acc | (a ^ b)));
    a.len() == b.len() && differences == 0
}
