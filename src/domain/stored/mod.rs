//! The stored form of a token, and the messages between the Worker and a token's object.

pub mod envelope;
pub mod line;
pub mod message;
pub mod record;
