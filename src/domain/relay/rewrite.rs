//! Invariant: only the URLs of tokens change; every other byte stays as it is.
//!
//! Bodies of upstream's on their way to a client.

use serde::Deserialize;
use serde_json::value::RawValue;

/// What precedes a token's id in every URL of its API.
const TOKENS: &str = "/api/v1/waitpoints/tokens/";

/// A body of upstream's with the URLs of its tokens leading here, to `origin`: that of the token, or those of
/// the items of a list. Everything else stays as it is, and so does what is no such body.
#[must_use]
pub fn rewrite_urls(json: &str, origin: &str) -> String {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        url: Option<&'a RawValue>,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(borrow)]
        url: Option<&'a RawValue>,
    }
    let Ok(Body { url, data }) = serde_json::from_str(json) else {
        return json.to_owned();
    };
    let items: Vec<Item<'_>> = data
        .and_then(|data| serde_json::from_str(data.get()).ok())
        .unwrap_or_default();
    let mut urls: Vec<&str> = items
        .iter()
        .filter_map(|item| item.url)
        .map(RawValue::get)
        .collect();
    if let Some(url) = url.map(RawValue::get) {
        let after = |other: &&str| other.as_ptr() < url.as_ptr();
        urls.insert(urls.partition_point(after), url);
    }
    let mut out = String::with_capacity(json.len());
    let mut copied = 0;
    for url in urls {
        let path = url.find(TOKENS).and_then(|at| url.get(at..));
        // A URL is a part of `json`, so its address tells its place there.
        let start = url.as_ptr() as usize - json.as_ptr() as usize;
        if let Some((before, path)) = json.get(copied..start).zip(path) {
            for part in [before, "\"", origin, path] {
                out += part;
            }
            copied = start + url.len();
        }
    }
    out + json.get(copied..).unwrap_or_default()
}
