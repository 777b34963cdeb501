//! Callbacks: what machines POST to `token.url`.

mod accept;
mod config;
pub(super) mod content;
mod forgery;
mod handshake;
mod handshake_rows;
mod kept_headers;
mod multipart;
mod negotiation;
mod secrets;
mod verify;

use waitpoint::domain::api::error::ApiError;

/// The field that an error names, and its message.
fn fault<T: std::fmt::Debug>(result: Result<T, ApiError>) -> (&'static str, String) {
    match result {
        Err(ApiError::ValidationError { path, message }) => (path, message),
        other => panic!("{other:?}"),
    }
}

/// A function that finds headers by their names in lower case.
fn headers(given: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    let given: Vec<_> = given
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned()))
        .collect();
    move |name| {
        assert_eq!(name, name.to_ascii_lowercase());
        let mut found = given.iter().filter(|(of, _)| of == name);
        found.next().map(|(_, value)| value.clone())
    }
}
