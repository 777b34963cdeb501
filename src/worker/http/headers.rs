//! Lists of headers, and the platform's `Headers` made of them.

use std::borrow::Cow;
use std::cell::RefCell;
use wasm_bindgen::JsValue;
use web_sys::Headers;

/// Names and values.
pub(crate) type HeaderList = Vec<(Cow<'static, str>, Cow<'static, str>)>;

/// How many lists of headers are kept.
const MAX_CACHED: usize = 50;

/// A list whose values have more bytes is not kept: some hold what a client wrote.
const MAX_CACHED_BYTES: usize = 1_000;

/// By `append`: from an array of pairs they would cost five times as much.
pub(crate) fn headers_of(list: &HeaderList) -> Result<Headers, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in list {
        headers.append(name, value)?;
    }
    Ok(headers)
}

/// Headers that many responses have are made once: a response copies them, which costs a third of
/// making them. Unlike a request, a response or a stream, `Headers` belong to no request, so they may
/// be used again in another.
pub(crate) fn cached_headers(list: HeaderList) -> Result<Headers, JsValue> {
    thread_local! {
        static CACHED: RefCell<Vec<(HeaderList, Headers)>> = const { RefCell::new(Vec::new()) };
    }
    CACHED.with_borrow_mut(|cached| {
        if let Some((_, headers)) = cached.iter().find(|(cached, _)| *cached == list) {
            return Ok(headers.clone());
        }
        let headers = headers_of(&list)?;
        if list.iter().map(|(_, value)| value.len()).sum::<usize>() <= MAX_CACHED_BYTES {
            if cached.len() >= MAX_CACHED {
                cached.clear();
            }
            cached.push((list, headers.clone()));
        }
        Ok(headers)
    })
}
