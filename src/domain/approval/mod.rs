//! The question that a token asks a person.

pub mod approvers;
pub mod form;
pub mod output;
pub mod schema;
