//! The visible part of a text: which characters a person can see, and which labels look the same.
//!
//! A page can show text that somebody other than the token's creator wrote, such as a summary by a
//! language model or a commit message. Invariants: each character that [`strip_invisible`] keeps is
//! visible or changes how its neighbours look. Two labels of one page never look the same ([`Look`]),
//! so a typed word never means two of them ([`is_same_word`]).
//!
//! Every function is total and takes time in proportion to the text.

mod columns;
mod look;
mod packed;
#[rustfmt::skip]
mod tables;
mod visible;

pub use look::{Look, Looks, is_same_word, looks_alike};
pub use visible::{MAX_MARKS, single_line, strip_invisible};

/// The first characters of a text, at most `limit`.
#[must_use]
pub fn prefix(text: &str, limit: usize) -> &str {
    let end = text.char_indices().nth(limit).map(|(end, _)| end);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}
