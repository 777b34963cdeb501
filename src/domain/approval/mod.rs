//! What a token asks of a person.

pub mod schema;
