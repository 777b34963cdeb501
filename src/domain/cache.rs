//! Invariants:
//! - Only what cannot change is remembered, until a moment that is known: what a signed token says
//!   until it expires, that a token was completed until it is forgotten.
//! - The memory is bounded: there are as many places as were asked for, and no long text is kept.
//!
//! What an isolate remembers of earlier requests, so that the same is not found out twice.

use crate::domain::auth::constant_time::equal;
use crate::domain::time::timestamp::Timestamp;

/// As many texts as it has places, the last of each place, and what is known of each.
pub struct Recent<T> {
    places: Vec<Option<Known<T>>>,
}

struct Known<T> {
    text: String,
    what: T,
    until: Timestamp,
}

/// Longer texts are not remembered, so the memory is bounded. In bytes.
const LONGEST: usize = 1_000;

impl<T> Recent<T> {
    /// With so many places.
    #[must_use]
    pub fn new(places: usize) -> Self {
        let mut recent = Self { places: Vec::new() };
        recent.places.resize_with(places, || None);
        recent
    }

    /// What is known of a text. It may be a credential: the time that this takes tells nothing of others.
    #[must_use]
    pub fn get(&self, text: &str, now: Timestamp) -> Option<&T> {
        let known = self.places.get(self.place(text))?.as_ref()?;
        (equal(known.text.as_bytes(), text.as_bytes()) && now < known.until).then_some(&known.what)
    }

    /// Remembers it, in place of another.
    pub fn put(&mut self, text: &str, what: T, until: Timestamp) {
        let at = self.place(text);
        if let (Some(place), ..=LONGEST) = (self.places.get_mut(at), text.len()) {
            let text = text.to_owned();
            *place = Some(Known { text, what, until });
        }
    }

    /// By its end: ids and signatures differ there.
    fn place(&self, text: &str) -> usize {
        let end = text.bytes().rev().take(8);
        let hash = end.fold(0, |hash: usize, byte| {
            hash.wrapping_mul(31).wrapping_add(usize::from(byte))
        });
        hash.checked_rem(self.places.len()).unwrap_or(0)
    }
}
