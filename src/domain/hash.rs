//! Invariant: the hash of the same bytes is the same in every build, as plans that are stored
//! depend on it.
//!
//! FNV-1a: short and fast, but not secure. A caller can choose texts with equal hashes and must gain
//! nothing by it.

/// The hash of these bytes.
pub(crate) fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
