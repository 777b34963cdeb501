//! The API as an OpenAPI 3.1 document, and the start page that shows it to people.
//!
//! Invariant: `build.rs` generates both from one source, `www/openapi.json`.

use crate::domain::page;
use askama::Template;

/// Two lines: the document, and the start page's list of endpoints.
const TEXTS: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.txt"));
/// The start page's style; the Content-Security-Policy names its hash.
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
