//! The Durable Objects, and how they are called.

pub(crate) mod call;
pub(crate) mod idempotency_key;
pub(crate) mod index;
pub(crate) mod storage;
pub(crate) mod token;
