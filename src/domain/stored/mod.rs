//! What is stored of a token, and what Worker and object say to each other.

pub mod envelope;
pub mod line;
pub mod message;
pub mod record;
