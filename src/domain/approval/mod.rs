//! The question that a token asks a person.

pub mod form;
pub mod schema;
