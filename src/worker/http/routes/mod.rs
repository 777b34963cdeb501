//! A file an endpoint.

pub(crate) mod relay;
pub(crate) mod token_url;
pub(crate) mod wait;
