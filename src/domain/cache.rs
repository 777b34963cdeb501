//! Invariants:
//! - Only what cannot change is remembered, until a moment that is known: what a signed token says
//!   until it expires, that a token was completed until it is forgotten.
//! - The memory is bounded: there are as many slots as were asked for, and no long text is kept.
//!
//! What an isolate remembers of earlier requests, so that the same is not found out twice.

use crate::domain::auth::constant_time::constant_time_eq;
use crate::domain::time::timestamp::Timestamp;

/// As many texts as it has slots, the last of each slot, and what is known of each.
pub struct DirectMappedCache<T> {
    slots: Vec<Option<Slot<T>>>,
}

struct Slot<T> {
    text: String,
    what: T,
    until: Timestamp,
}

/// Longer texts are not remembered, so the memory is bounded. In bytes.
const LONGEST: usize = 1_000;

impl<T> DirectMappedCache<T> {
    /// With so many slots.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let mut cache = Self { slots: Vec::new() };
        cache.slots.resize_with(slots, || None);
        cache
    }

    /// What is known of a text. It may be a credential: the time that this takes tells nothing of others.
    #[must_use]
    pub fn get(&self, text: &str, now: Timestamp) -> Option<&T> {
        let known = self.slots.get(self.slot(text))?.as_ref()?;
        (constant_time_eq(known.text.as_bytes(), text.as_bytes()) && now < known.until)
            .then_some(&known.what)
    }

    /// Remembers it, in slot of another.
    pub fn put(&mut self, text: &str, what: T, until: Timestamp) {
        let at = self.slot(text);
        if let (Some(slot), ..=LONGEST) = (self.slots.get_mut(at), text.len()) {
            let text = text.to_owned();
            *slot = Some(Slot { text, what, until });
        }
    }

    /// By its end: ids and signatures differ there.
    fn slot(&self, text: &str) -> usize {
        let end = text.bytes().rev().take(8);
        let hash = end.fold(0, |hash: usize, byte| {
            hash.wrapping_mul(31).wrapping_add(usize::from(byte))
        });
        hash.checked_rem(self.slots.len()).unwrap_or(0)
    }
}
