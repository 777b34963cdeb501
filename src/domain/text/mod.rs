//! What a text shows: which of its characters a person can see, and which labels look the same to
//! them.
//!
//! A page can hold text that somebody other than the token's creator wrote: a summary by a language
//! model, a commit message. Invariants: what [`strip_invisible`] leaves can be seen, or changes how
//! its neighbours look; two labels of one page never look the same ([`Look`]), so a typed word
//! never means two of them ([`is_same_word`]).
//!
//! Every function is total and takes time in proportion to the text.

mod columns;
mod look;
mod packed;
#[rustfmt::skip]
mod tables;
mod visible;

pub use look::{Look, is_same_word, looks_alike};
pub use visible::{MAX_MARKS, single_line, strip_invisible};
