//! Invariants:
//! - Only the URLs of tokens change; every other byte stays as it is.
//! - No more URLs are collected than a page of a list can have; a longer list is left unchanged.
//!
//! Upstream's URLs, rewritten to ours in the bodies that clients get.

use crate::domain::list::query::MAX_SIZE;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;

/// The part of a token's URL before its id.
const TOKENS: &str = "/api/v1/waitpoints/tokens/";

/// Rewrites the `url` of upstream's token, or of each item of a list, to our `origin`. Everything
/// else is unchanged, and so is any other body.
#[must_use]
pub fn rewrite_urls(json: &str, origin: &str) -> String {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        url: Option<&'a RawValue>,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    let Ok(Body { url, data }) = serde_json::from_str(json) else {
        return json.to_owned();
    };
    let items = data.and_then(|data| serde_json::from_str::<UrlsOfItems<'_>>(data.get()).ok());
    let mut urls = items.map_or(Vec::new(), |UrlsOfItems(urls)| urls);
    if let Some(url) = url.map(RawValue::get) {
        let after = |other: &&str| other.as_ptr() < url.as_ptr();
        urls.insert(urls.partition_point(after), url);
    }
    let mut out = String::with_capacity(json.len());
    let mut copied = 0;
    for url in urls {
        let path = url.find(TOKENS).and_then(|at| url.get(at..));
        // The URL is a slice of `json`, so its address gives its position.
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

/// The URLs of a list's items, up to the largest page size.
struct UrlsOfItems<'a>(Vec<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for UrlsOfItems<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Item<'a> {
            #[serde(borrow)]
            url: Option<&'a RawValue>,
        }
        struct Items;
        impl<'de> Visitor<'de> for Items {
            type Value = Vec<&'de str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of objects")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut urls = Vec::new();
                while let Some(Item { url }) = items.next_element()? {
                    if urls.len() == MAX_SIZE {
                        return Err(A::Error::custom("more items than a page has"));
                    }
                    urls.extend(url.map(RawValue::get));
                }
                Ok(urls)
            }
        }
        deserializer.deserialize_seq(Items).map(UrlsOfItems)
    }
}
