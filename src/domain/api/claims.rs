//! Invariant: the claims contain the environment of the key that asks, and nothing secret.
//!
//! The claims of public access tokens that a client signs itself.

use crate::domain::json::to_json;
use serde::Serialize;

/// The SDK's `auth.createPublicToken` asks for these before it signs a token.
#[must_use]
pub fn claims_json(environment: &str) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        sub: &'a str,
        #[serde(rename = "pub")]
        public: bool,
    }
    to_json(&Body {
        sub: environment,
        public: true,
    })
}
