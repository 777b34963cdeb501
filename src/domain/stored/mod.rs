//! The stored form of a token, and the messages between the Worker and a token's object.

mod delivery;
pub mod envelope;
pub mod line;
pub mod message;
mod notify;
pub mod record;
pub mod votes;
