//! What the platform has and the crate `worker` lacks. `docs/upstream.md` says of each what
//! `worker` would need.
//!
//! Functions that can throw are declared with `catch`: an exception that passes through Rust is as bad as
//! a panic.

use js_sys::{Array, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Headers, ReadableStream, ReadableStreamByobReader, ReadableStreamGetReaderOptions,
    ReadableStreamReaderMode, RequestInit, Response,
};
use worker::{Env, State, Storage, wasm_bindgen_futures, worker_sys};

#[wasm_bindgen]
extern "C" {
    /// A Durable Object's storage by key, without promises. `Storage::get` and `put` take three
    /// times as long, and between reading a record and writing it there may be no `await`.
    pub(crate) type SyncKv;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn get(this: &SyncKv, key: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = put)]
    pub(crate) fn put_bytes(this: &SyncKv, key: &str, value: &Uint8Array) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = put)]
    pub(crate) fn put_text(this: &SyncKv, key: &str, value: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn delete(this: &SyncKv, key: &str) -> Result<bool, JsValue>;

    type WithSyncKv;

    /// Throws only for a class without SQLite; `new_sqlite_classes` in wrangler.toml names all of ours.
    /// `DurableObject::new` could not return an error either.
    #[wasm_bindgen(method, getter)]
    fn kv(this: &WithSyncKv) -> SyncKv;
}

/// The storage of an object by key.
pub(crate) fn sync_kv(storage: &Storage) -> SyncKv {
    let storage: &JsValue = storage.as_raw().as_ref();
    storage.unchecked_ref::<WithSyncKv>().kv()
}

#[wasm_bindgen]
extern "C" {
    type Cursor;

    /// `SqlCursor` declares neither this nor `next` to throw, yet both do if a row cannot be read.
    #[wasm_bindgen(method, catch, js_name = toArray)]
    fn to_array(this: &Cursor) -> Result<Array, JsValue>;
}

/// The rows of a statement as JavaScript objects. A cursor that is not read to its end would break
/// the object.
pub(crate) fn sql_rows(state: &State, statement: &str, bindings: Array) -> Result<Array, JsValue> {
    let cursor = state.as_raw().storage()?.sql().exec(statement, bindings)?;
    cursor.unchecked_ref::<Cursor>().to_array()
}

#[wasm_bindgen(raw_module = "waitpoint:crossings")]
extern "C" {
    /// With `Stub` and `Request` it would be eight calls into JavaScript.
    #[wasm_bindgen(catch, js_name = sendCommand)]
    pub(crate) fn send_command(
        namespace: &JsValue,
        name: &str,
        command: &str,
    ) -> Result<Promise, JsValue>;

    /// With `ResponseBuilder` it would be six.
    #[wasm_bindgen(catch)]
    pub(crate) fn respond(
        status: u16,
        headers: Option<&Headers>,
        body: &[u8],
    ) -> Result<Response, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// What `Stub::into_rpc` makes of a stub. `Stub::fetch_with_request` takes the response apart
    /// and makes another of it, which costs more than what the object does, and it takes no signal.
    pub(crate) type RawStub;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn fetch(this: &RawStub, url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// The exception for an object that could not be reached. `worker::Error` drops these properties.
    pub(crate) type ObjectError;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn retryable(this: &ObjectError) -> Option<bool>;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn overloaded(this: &ObjectError) -> Option<bool>;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn message(this: &ObjectError) -> JsValue;
}

#[wasm_bindgen]
extern "C" {
    type LimitOptions;

    #[wasm_bindgen(method, setter)]
    fn set_key(this: &LimitOptions, key: &str);

    type LimitOutcome;

    #[wasm_bindgen(method, getter)]
    fn success(this: &LimitOutcome) -> bool;
}

/// Whether `key` has used up a limit. `RateLimiter::limit` reads the outcome with
/// `serde-wasm-bindgen`, which nothing else here needs and which brings the tables that print floating
/// point numbers.
pub(crate) async fn is_limited(limiter: &JsValue, key: &str) -> Result<bool, JsValue> {
    let options = Object::new().unchecked_into::<LimitOptions>();
    options.set_key(key);
    let limiter: &worker_sys::RateLimiter = limiter.unchecked_ref();
    let outcome = settled(limiter.limit(options.unchecked_into())?).await?;
    Ok(!outcome.unchecked_ref::<LimitOutcome>().success())
}

#[wasm_bindgen]
extern "C" {
    type Bindings;

    /// The binding itself. `Env::var` and `Env::rate_limiter` compare the name of its constructor each time,
    /// and their error does not tell a binding that is missing from one whose constructor was renamed.
    #[wasm_bindgen(method, structural, indexing_getter)]
    fn binding(this: &Bindings, name: &str) -> JsValue;
}

/// A variable, a secret or a binding; undefined if there is none.
pub(crate) fn variable(env: &Env, name: &str) -> JsValue {
    env.unchecked_ref::<Bindings>().binding(name)
}

#[wasm_bindgen]
extern "C" {
    /// `worker::Fetch` copies requests and responses, and always follows the redirects of a raw request.
    #[wasm_bindgen(catch, js_name = fetch)]
    pub(crate) fn fetch_outside(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;

    /// `web_sys::Headers` has no iterator that is typed, and `worker::Headers::entries` panics if one throws.
    #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
    pub(crate) fn header_pairs(headers: &web_sys::Headers) -> Result<Array, JsValue>;

    /// Any value as text.
    #[wasm_bindgen(catch, js_name = String)]
    pub(crate) fn to_text(value: &JsValue) -> Result<String, JsValue>;

    /// `str::parse::<f64>` and its tables are 10 kB of the upload.
    #[wasm_bindgen(js_name = Number)]
    pub(crate) fn to_number(text: &str) -> f64;

    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    pub(crate) fn random_uuid() -> String;
}

#[wasm_bindgen]
extern "C" {
    type AtLeastReader;

    /// Cloudflare's own. The standard's `read` returns each piece as the client sent it.
    #[wasm_bindgen(method, catch, js_name = readAtLeast)]
    fn read_at_least(
        this: &AtLeastReader,
        bytes: u32,
        room: &Uint8Array,
    ) -> Result<Promise, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    type ByobStream;

    /// `web_sys::ReadableStream::get_reader_with_options` is not declared to throw, and it does if the
    /// stream is locked.
    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn get_reader(
        this: &ByobStream,
        options: &ReadableStreamGetReaderOptions,
    ) -> Result<ReadableStreamByobReader, JsValue>;
}

/// A reader into buffers that the caller brings.
pub(crate) fn byob_reader(stream: &ReadableStream) -> Result<ReadableStreamByobReader, JsValue> {
    let options = ReadableStreamGetReaderOptions::new();
    options.set_mode(ReadableStreamReaderMode::Byob);
    stream.unchecked_ref::<ByobStream>().get_reader(&options)
}

/// Reads at least so many bytes, or the rest.
pub(crate) fn read_at_least(
    reader: &ReadableStreamByobReader,
    bytes: u32,
    room: &Uint8Array,
) -> Result<Promise, JsValue> {
    reader
        .unchecked_ref::<AtLeastReader>()
        .read_at_least(bytes, room)
}

/// A promise as a future. Not inlined: each `JsFuture::from` has two closures.
#[inline(never)]
pub(crate) fn settled(promise: Promise) -> JsFuture {
    JsFuture::from(promise)
}

/// Names that pass to JavaScript with every request. `wasm_bindgen::intern` makes each a JavaScript string
/// once.
const NAMES: [&str; 14] = [
    "token",
    "authorization",
    "content-length",
    "origin",
    "if-none-match",
    "content-type",
    "cache-control",
    "x-trigger-request-idempotency-key",
    "x-trigger-jwt",
    "x-trigger-jwt-claims",
    "x-content-type-options",
    "x-robots-tag",
    "strict-transport-security",
    "waitpoint-outcome",
];

pub(crate) fn intern_names() {
    for name in NAMES {
        wasm_bindgen::intern(name);
    }
}
