//! The inbox at `/inbox`: the tokens of an environment, for its operators.
//!
//! Invariants:
//! - A page of the inbox costs no more the more tokens there are (`query`, `page`).
//! - The templates escape every text that a caller or a person wrote.

pub mod bulk;
pub mod deadline;
pub mod decision;
pub mod page;
pub mod query;
pub mod render;
pub mod sent;
