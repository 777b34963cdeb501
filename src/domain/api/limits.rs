//! Invariant: a request that exceeds one of these is rejected; nothing is truncated.
//!
//! Limits of requests.

/// Largest body of create, in bytes, if it has no `approval`. It is trigger.dev's.
pub const MAX_CREATE: usize = 10 * 1024;
/// Largest body of create with an `approval`, in bytes. The texts of an approval have limits in
/// characters, and as `\u` escapes a character can have 12 bytes.
pub const MAX_CREATE_WITH_APPROVAL: usize = 64 * 1024;
/// Largest body of complete and of a callback, in bytes. It is also the largest output.
pub const MAX_COMPLETE: usize = 3 * 1024 * 1024;
pub const MAX_FORM_FIELDS: usize = 1_000;
pub const MAX_TAGS: usize = 10;
/// Longest tag, in UTF-16 units.
pub const MAX_TAG: usize = 128;
/// Longest idempotency key, in UTF-16 units.
pub const MAX_KEY: usize = 2_048;
/// Longest reason of a cancel, in characters.
pub const MAX_REASON: usize = 500;
