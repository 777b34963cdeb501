//! The callbacks of machines: a POST to `token.url`.

pub mod charset;
pub mod content;
pub mod media_type;
pub mod negotiation;
