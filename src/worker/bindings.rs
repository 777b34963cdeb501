//! Parts of the platform that the crate `worker` does not bind. `docs/upstream.md` lists what
//! `worker` would need for each.
//!
//! Functions that can throw are declared with `catch`. An exception that passes through Rust leaves
//! the instance in an undefined state, as a panic does.

use js_sys::{Array, JsString, Object, Promise, Uint8Array};
use wasm_bindgen::JsThreadLocal;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Headers, ReadableStream, ReadableStreamByobReader, ReadableStreamGetReaderOptions,
    ReadableStreamReaderMode, ReadableWritablePair, RequestInit, Response,
};
use worker::{Env, ObjectNamespace, State, Storage, wasm_bindgen_futures, worker_sys};

#[wasm_bindgen]
extern "C" {
    /// A Durable Object's key-value storage, without promises. `Storage::get` and `put` take three
    /// times as long, and there must be no `await` between reading a record and writing it.
    pub(crate) type SyncKv;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn get(this: &SyncKv, key: &JsString) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = put)]
    pub(crate) fn put_bytes(
        this: &SyncKv,
        key: &JsString,
        value: &Uint8Array,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = put)]
    pub(crate) fn put_text(this: &SyncKv, key: &JsString, value: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn delete(this: &SyncKv, key: &JsString) -> Result<bool, JsValue>;

    type WithSyncKv;

    /// Throws only for a class without SQLite. `new_sqlite_classes` in wrangler.toml names all our
    /// classes, and `DurableObject::new` could not return an error.
    #[wasm_bindgen(method, getter)]
    fn kv(this: &WithSyncKv) -> SyncKv;
}

/// The key-value storage of an object.
pub(crate) fn sync_kv(storage: &Storage) -> SyncKv {
    let storage: &JsValue = storage.as_raw().as_ref();
    storage.unchecked_ref::<WithSyncKv>().kv()
}

#[wasm_bindgen]
extern "C" {
    type Cursor;

    /// Can throw if a row cannot be read, and so can `next`. `SqlCursor` declares neither as
    /// throwing.
    #[wasm_bindgen(method, catch, js_name = toArray)]
    fn to_array(this: &Cursor) -> Result<Array, JsValue>;
}

/// The rows of a statement as JavaScript objects. The cursor must be read to its end, or the object
/// breaks.
pub(crate) fn sql_rows(state: &State, statement: &str, bindings: Array) -> Result<Array, JsValue> {
    let cursor = state.as_raw().storage()?.sql().exec(statement, bindings)?;
    cursor.unchecked_ref::<Cursor>().to_array()
}

#[wasm_bindgen]
extern "C" {
    type AnyNamespace;

    /// Throws where the platform has no jurisdictions, as workerd by itself has none.
    /// `worker::ObjectNamespace` lacks it.
    #[wasm_bindgen(method, catch)]
    fn jurisdiction(this: &AnyNamespace, name: &str) -> Result<JsValue, JsValue>;
}

/// The objects of a namespace in a jurisdiction. Their ids are others, even for the same name.
pub(crate) fn in_jurisdiction(
    namespace: &JsValue,
    jurisdiction: &str,
) -> Result<ObjectNamespace, JsValue> {
    let namespace: &AnyNamespace = namespace.unchecked_ref();
    Ok(namespace.jurisdiction(jurisdiction)?.unchecked_into())
}

#[wasm_bindgen(raw_module = "waitpoint:crossings")]
extern "C" {
    /// Takes one call into JavaScript. `Stub` and `Request` would take eight.
    #[wasm_bindgen(catch, js_name = sendCommand)]
    pub(crate) fn send_command(
        namespace: &JsValue,
        name: &str,
        command: &str,
    ) -> Result<Promise, JsValue>;

    /// Takes one call into JavaScript. `ResponseBuilder` would take six.
    #[wasm_bindgen(catch)]
    pub(crate) fn respond(
        status: u16,
        headers: Option<&Headers>,
        body: &[u8],
    ) -> Result<Response, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// The JavaScript object behind a stub, from `Stub::into_rpc`. `Stub::fetch_with_request`
    /// rebuilds the response, which costs more than the object's own work, and takes no signal.
    pub(crate) type RawStub;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn fetch(this: &RawStub, url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// The exception that is thrown if an object could not be reached. `worker::Error` drops these
    /// properties.
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
/// `serde-wasm-bindgen`. Nothing else here needs that crate, and it links the tables that format
/// floating point numbers.
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

    /// Returns the binding without a check of its type. `Env::var` and `Env::rate_limiter` compare
    /// the name of its constructor at each call, and their error is the same for a missing binding
    /// and a renamed constructor.
    #[wasm_bindgen(method, structural, indexing_getter)]
    fn binding(this: &Bindings, name: &str) -> JsValue;
}

/// A variable, a secret or a binding; undefined if it is not set.
pub(crate) fn variable(env: &Env, name: &str) -> JsValue {
    env.unchecked_ref::<Bindings>().binding(name)
}

#[wasm_bindgen]
extern "C" {
    /// `fetch`. `worker::Fetch` copies requests and responses, and always follows the redirects of a
    /// raw request.
    #[wasm_bindgen(catch, js_name = fetch)]
    pub(crate) fn fetch_outside(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;

    /// The entries of a `Headers` object. `web_sys::Headers` has no typed iterator, and
    /// `worker::Headers::entries` panics if the iterator throws.
    #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
    pub(crate) fn header_pairs(headers: &web_sys::Headers) -> Result<Array, JsValue>;

    /// Converts any value to a string.
    #[wasm_bindgen(catch, js_name = String)]
    pub(crate) fn to_text(value: &JsValue) -> Result<String, JsValue>;

    /// Parses a number. `str::parse::<f64>` would add 10 kB of tables to the upload.
    #[wasm_bindgen(js_name = Number)]
    pub(crate) fn to_number(text: &str) -> f64;

    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    pub(crate) fn random_uuid() -> String;
}

#[wasm_bindgen]
extern "C" {
    /// web-sys has it only among its unstable APIs. It is a pair of streams.
    #[wasm_bindgen(extends = ReadableWritablePair)]
    pub(crate) type DecompressionStream;

    /// The format is `gzip`, `deflate` or `deflate-raw`.
    #[wasm_bindgen(constructor, catch)]
    pub(crate) fn new(format: &str) -> Result<DecompressionStream, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    type AtLeastReader;

    /// Reads at least a number of bytes; specific to Cloudflare. The standard's `read` returns each
    /// chunk as the client sent it.
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

    /// Can throw if the stream is locked. `web_sys::ReadableStream::get_reader_with_options` does not
    /// declare that.
    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn get_reader(
        this: &ByobStream,
        options: &ReadableStreamGetReaderOptions,
    ) -> Result<ReadableStreamByobReader, JsValue>;
}

/// A BYOB reader: the caller provides the buffers.
pub(crate) fn byob_reader(stream: &ReadableStream) -> Result<ReadableStreamByobReader, JsValue> {
    let options = ReadableStreamGetReaderOptions::new();
    options.set_mode(ReadableStreamReaderMode::Byob);
    stream.unchecked_ref::<ByobStream>().get_reader(&options)
}

/// Reads at least this many bytes, or what is left of the stream.
pub(crate) fn read_at_least(
    reader: &ReadableStreamByobReader,
    bytes: u32,
    room: &Uint8Array,
) -> Result<Promise, JsValue> {
    reader
        .unchecked_ref::<AtLeastReader>()
        .read_at_least(bytes, room)
}

/// A promise as a future. Not inlined, because each `JsFuture::from` has two closures.
#[inline(never)]
pub(crate) fn settled(promise: Promise) -> JsFuture {
    JsFuture::from(promise)
}

// Names that are passed to JavaScript with most requests. Each becomes a JavaScript string once.
// rustfmt would remove their values.
#[rustfmt::skip]
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, static_string)]
    pub(crate) static TOKEN: JsString = "token";
    #[wasm_bindgen(thread_local_v2, static_string)]
    pub(crate) static AUTHORIZATION: JsString = "authorization";
    #[wasm_bindgen(thread_local_v2, static_string)]
    pub(crate) static CONTENT_LENGTH: JsString = "content-length";
    #[wasm_bindgen(thread_local_v2, static_string)]
    pub(crate) static ORIGIN: JsString = "origin";
    #[wasm_bindgen(thread_local_v2, static_string)]
    pub(crate) static IF_NONE_MATCH: JsString = "if-none-match";
    #[wasm_bindgen(thread_local_v2, static_string)]
    pub(crate) static WAITPOINT_OUTCOME: JsString = "waitpoint-outcome";
}

#[wasm_bindgen]
extern "C" {
    type NamedHeaders;

    /// Never throws, because these names are valid.
    #[wasm_bindgen(method)]
    fn get(this: &NamedHeaders, name: &JsString) -> Option<String>;
}

/// A header. `web_sys::Headers::get` would convert the name at each call.
pub(crate) fn header_of(
    headers: &Headers,
    name: &'static JsThreadLocal<JsString>,
) -> Option<String> {
    name.with(|name| headers.unchecked_ref::<NamedHeaders>().get(name))
}
