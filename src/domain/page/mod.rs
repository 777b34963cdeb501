//! The approval page at `token.url`. A [`PageState`] is rendered as HTML, without HTTP and without a
//! clock.
//!
//! Invariant: the template (`www/page.html`) escapes every text that a caller or a person wrote. Such
//! a text is only in the content of an element or in a quoted attribute, and its direction is
//! isolated.

mod answers;
mod decide;
mod document;
mod fault;
mod fields;
mod form;
pub mod i18n;
mod operator;
mod render;
mod state;
mod votes;

pub use decide::{
    FormError, FormInput, MAX_FORM, NONCE_FIELD, NotRecorded, approval_of, compare, decide,
    read_comment,
};
pub use document::{CSS, JS, TimeElement};
pub use fault::InputFault;
pub use form::button_class;
pub use operator::{Opened, OperatorPage};
pub use render::{RenderContext, decider, render};
pub use state::{PageState, Reads, Submission};
pub use votes::{MAX_VOTE_ON_PAGE, ballot, compare_vote, progress};
