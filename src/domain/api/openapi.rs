//! Invariant: the document and the start page are made of one source, `www/openapi.json`, by
//! `build.rs`.
//!
//! The API as OpenAPI 3.1, and the start page that tells people the same.

use crate::domain::page;
use askama::Template;

/// The document, and the start page's account of it: a line each.
const TEXTS: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.txt"));
/// Stands in the start page; the response's policy names its hash.
pub const CSS: &str = include_str!("../../../www/start.css");

#[must_use]
pub fn document() -> &'static str {
    texts().0
}

fn texts() -> (&'static str, &'static str) {
    TEXTS.split_once('\n').unwrap_or_default()
}

#[must_use]
pub fn start_page() -> String {
    #[derive(Template)]
    #[template(path = "start.html")]
    struct Page {
        page_css: &'static str,
        css: &'static str,
        endpoints: &'static str,
    }
    let page = Page {
        page_css: page::CSS,
        css: CSS,
        endpoints: texts().1,
    };
    // Writing to a string cannot fail.
    page.render().unwrap_or_default()
}
