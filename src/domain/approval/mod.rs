//! The question that a token asks a person.

pub mod schema;
