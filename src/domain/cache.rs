//! What an isolate remembers of earlier requests, to save work.
//!
//! Invariants:
//! - Only facts that cannot change are cached, each until a known time: the claims of a signed token
//!   until it expires, and that a token was completed until it is purged.
//! - The memory is bounded by the number of slots and the length of keys.

use crate::domain::auth::constant_time::constant_time_eq;
use crate::domain::time::timestamp::Timestamp;

/// A direct-mapped cache: one entry per slot, the newest wins.
pub struct DirectMappedCache<T> {
    slots: Vec<Option<Slot<T>>>,
}

struct Slot<T> {
    text: String,
    what: T,
    until: Timestamp,
}

/// The longest key, in bytes. Longer ones are not cached, so the memory is bounded.
const LONGEST: usize = 1_000;

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
    pub fn get(&self, text: &str, now: Timestamp) -> Option<&T> {
        let known = self.slots.get(self.slot(text))?.as_ref()?;
        (constant_time_eq(known.text.as_bytes(), text.as_bytes()) && now < known.until)
            .then_some(&known.what)
    }

    /// Stores a value. It replaces the entry that has the same slot.
    pub fn put(&mut self, text: &str, what: T, until: Timestamp) {
        let at = self.slot(text);
        if let (Some(slot), ..=LONGEST) = (self.slots.get_mut(at), text.len()) {
            let text = text.to_owned();
            *slot = Some(Slot { text, what, until });
        }
    }

    /// The hash is of the key's end, because ids and signatures differ there.
    fn slot(&self, text: &str) -> usize {
        let end = text.bytes().rev().take(8);
        let hash = end.fold(0, |hash: usize, byte| {
            hash.wrapping_mul(31).wrapping_add(usize::from(byte))
        });
        hash.checked_rem(self.slots.len()).unwrap_or(0)
    }
}
