//! The approval page at `token.url`. No HTTP and no clock: a [`PageState`] goes in, a document comes
//! out.
//!
//! Invariant: every text that a caller or a person wrote is escaped by the template
//! (`www/page.html`), stands in the content of an element or in a quoted attribute, and is isolated
//! in its own direction.

mod decide;
mod document;
pub mod i18n;
mod render;
mod state;

pub use decide::{
    FormError, FormInput, MAX_FORM, NONCE_FIELD, NotRecorded, approval_of, compare, decide,
};
pub use document::{CSS, JS};
pub use render::{RenderContext, render};
pub use state::{PageState, Reads, Submission};
