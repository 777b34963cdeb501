//! Lists of headers, and the platform's `Headers` built from them.

use std::borrow::Cow;
use std::cell::RefCell;
use wasm_bindgen::JsValue;
use web_sys::Headers;

/// Names and values.
pub(crate) type HeaderList = Vec<(Cow<'static, str>, Cow<'static, str>)>;

/// How many lists of headers are cached.
const MAX_CACHED: usize = 50;

/// A list with longer values (in bytes) is not cached, because some values are what a client wrote.
const MAX_CACHED_BYTES: usize = 1_000;

/// Uses `append`. Building `Headers` from an array of pairs costs five times as much.
pub(crate) fn headers_of(list: &HeaderList) -> Result<Headers, JsValue> {
    let headers = Headers::new()?;
    append(&headers, list)?;
    Ok(headers)
}

pub(crate) fn append(headers: &Headers, list: &HeaderList) -> Result<(), JsValue> {
    for (name, value) in list {
        headers.append(name, value)?;
    }
    Ok(())
}

/// The `Headers` of many responses are the same, so they are cached. A response copies them, which
/// costs a third of building them. Unlike a request, a response or a stream, `Headers` do not belong
/// to one request, so another request may use them.
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
