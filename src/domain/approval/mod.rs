//! The question that a token asks a person.

pub mod approvers;
pub mod form;
mod output;
pub mod schema;
