//! What a list request asks, and what its page says.

pub mod query;
