//! What an isolate remembers of earlier requests, to save work.
//!
//! Invariants:
//! - Only facts that cannot change are cached, each until a known time: the claims of a signed token
//!   until it expires, and that a token was completed until it is purged. The exception is upstream's
//!   verdict on a credential, which is kept for a minute at most.
//! - The memory is bounded by the number of slots and the length of keys.

use crate::domain::auth::constant_time::constant_time_eq;
use crate::domain::time::timestamp::Timestamp;

/// A direct-mapped cache: one entry per slot, the newest wins.
pub struct DirectMappedCache<T> {
    slots: Vec<Option<Box<Slot<T>>>>,
}

struct Slot<T> {
    key: String,
    value: T,
    until: Timestamp,
}

/// The longest key, in bytes. Longer ones are not cached, so the memory is bounded.
const MAX_KEY: usize = 1_000;

impl<T> DirectMappedCache<T> {
    /// A cache with this many slots.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let mut cache = Self { slots: Vec::new() };
        cache.slots.resize_with(slots, || None);
        cache
    }

    /// The value of a key. The key may be a credential, so the time that this takes reveals nothing
    /// about the other keys.
    #[must_use]
    pub fn get(&self, key: &str, now: Timestamp) -> Option<&T> {
        let slot = self.slots.get(self.slot(key))?.as_ref()?;
        (constant_time_eq(slot.key.as_bytes(), key.as_bytes()) && now < slot.until)
            .then_some(&slot.value)
    }

    /// Stores a value. It replaces the entry that has the same slot.
    pub fn put(&mut self, key: &str, value: T, until: Timestamp) {
        let at = self.slot(key);
        if let (Some(slot), ..=MAX_KEY) = (self.slots.get_mut(at), key.len()) {
            let key = key.to_owned();
            *slot = Some(Box::new(Slot { key, value, until }));
        }
    }

    /// The hash is of the key's end, because ids and signatures differ there.
    fn slot(&self, key: &str) -> usize {
        let end = key.bytes().rev().take(8);
        let hash = end.fold(0, |hash: usize, byte| {
            hash.wrapping_mul(31).wrapping_add(usize::from(byte))
        });
        hash.checked_rem(self.slots.len()).unwrap_or(0)
    }
}
