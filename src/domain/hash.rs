//! Invariant: the same bytes have the same hash in every build, because stored plans depend on it.
//!
//! FNV-1a, which is short and fast but not secure. Callers can choose texts with equal hashes, and
//! must not gain anything by that.

/// The hash of these bytes.
pub(crate) fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
