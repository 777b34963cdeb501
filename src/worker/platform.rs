//! The Workers platform as the Worker uses it: `platform.js`, typed. Whatever can throw is caught
//! here and comes back as an `Err`; an exception that is not would hang the request.

use crate::time::Timestamp;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};
use worker::Env;
use worker::worker_sys::DurableObjectState;

/// workerd counts alarms in nanoseconds of 63 bits, which end in the year 2262.
const LAST_ALARM: u64 = 9_200_000_000_000;

/// An alarm's time, as the functions below want it.
pub(super) fn alarm_at(at: Timestamp) -> f64 {
    at.as_millis().min(LAST_ALARM) as f64
}

#[wasm_bindgen(module = "/src/worker/platform.js")]
extern "C" {
    /// Method, URL and the headers that [`super::http::Head`] names, a line each.
    pub(super) fn head(request: &Request) -> String;

    /// The headers of these names, a line each.
    pub(super) fn headers(request: &Request, names: &str) -> String;

    /// Whether `key` has used up its share of the limit `binding`.
    #[wasm_bindgen(catch)]
    pub(super) async fn limited(env: &Env, binding: &str, key: &str) -> Result<JsValue, JsValue>;

    /// A WebSocket response whose messages come from the object; `undefined` if there is no
    /// token.
    #[wasm_bindgen(catch, js_name = waitBySocket)]
    pub(super) async fn wait_by_socket(
        env: &Env,
        binding: &str,
        name: &str,
        url: &str,
        protocol: &str,
    ) -> Result<JsValue, JsValue>;

    /// Until the token is finished, or for `millis`; at once if there is no token.
    #[wasm_bindgen(catch, js_name = waitUntil)]
    pub(super) async fn wait_until(
        env: &Env,
        binding: &str,
        name: &str,
        millis: f64,
    ) -> Result<JsValue, JsValue>;

    /// A stream of events, `undefined` if there is no token; `seen` is the id of the last event
    /// that the client got.
    #[wasm_bindgen(catch, js_name = waitByEvents)]
    pub(super) async fn wait_by_events(
        env: &Env,
        binding: &str,
        name: &str,
        url: &str,
        seen: &str,
    ) -> Result<JsValue, JsValue>;

    /// The URL to show to a waiter, if this request brings one.
    pub(super) fn waits(request: &Request) -> Option<String>;

    /// Takes a waiter's socket and sends it the token.
    #[wasm_bindgen(catch)]
    pub(super) fn admit(
        state: &DurableObjectState,
        url: &str,
        json: &str,
        finished: bool,
    ) -> Result<Response, JsValue>;

    /// How many waiters there are.
    #[wasm_bindgen(catch)]
    pub(super) fn waiters(state: &DurableObjectState) -> Result<u32, JsValue>;

    /// Sends the finished token to all waiters and closes their sockets.
    #[wasm_bindgen(catch)]
    pub(super) fn wake(state: &DurableObjectState, json: &str) -> Result<(), JsValue>;

    /// Answers a waiter's close.
    #[wasm_bindgen(catch)]
    pub(super) fn farewell(socket: &JsValue) -> Result<(), JsValue>;

    /// The body as a `Uint8Array`, `undefined` if it is longer than `limit`.
    #[wasm_bindgen(catch)]
    pub(super) async fn read(request: &Request, limit: u32) -> Result<JsValue, JsValue>;

    /// The body as a `Uint8Array`, whatever its length: of another object or the Worker.
    #[wasm_bindgen(catch)]
    pub(super) async fn bytes(request: &Request) -> Result<JsValue, JsValue>;

    /// Reads a body of a moderate size that nobody has read.
    #[wasm_bindgen(catch)]
    pub(super) async fn drain(request: &Request) -> Result<(), JsValue>;

    /// Throws for a header that HTTP cannot carry.
    #[wasm_bindgen(catch)]
    pub(super) fn respond(
        status: u16,
        headers: &str,
        body: Option<&[u8]>,
    ) -> Result<Response, JsValue>;

    /// Likewise with a `ReadableStream`.
    #[wasm_bindgen(catch, js_name = respondStream)]
    pub(super) fn respond_stream(
        status: u16,
        headers: &str,
        stream: &JsValue,
    ) -> Result<Response, JsValue>;

    /// Sends bytes to the object `name` of `binding`; its answer as a `Uint8Array`.
    #[wasm_bindgen(catch)]
    pub(super) async fn ask(
        env: &Env,
        binding: &str,
        name: &str,
        bytes: &Uint8Array,
    ) -> Result<JsValue, JsValue>;

    /// The same within so many milliseconds, for what nobody waits for.
    #[wasm_bindgen(catch, js_name = ask)]
    pub(super) async fn ask_within(
        env: &Env,
        binding: &str,
        name: &str,
        bytes: &Uint8Array,
        within: f64,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) fn load(state: &DurableObjectState) -> Result<Option<Uint8Array>, JsValue>;

    /// Puts the record and sets the alarm before it returns; the promise tells that both hold.
    #[wasm_bindgen(catch)]
    pub(super) fn save(
        state: &DurableObjectState,
        bytes: &[u8],
        alarm: Option<f64>,
    ) -> Result<js_sys::Promise, JsValue>;

    /// Sets the alarm, or none.
    #[wasm_bindgen(catch, js_name = setAlarm)]
    pub(super) async fn set_alarm(
        state: &DurableObjectState,
        alarm: Option<f64>,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) async fn forget(state: &DurableObjectState) -> Result<(), JsValue>;

    /// Sets the alarm if there is none.
    #[wasm_bindgen(catch, js_name = alarmUnlessSet)]
    pub(super) async fn alarm_unless_set(
        state: &DurableObjectState,
        alarm: f64,
    ) -> Result<(), JsValue>;

    /// A stored text.
    #[wasm_bindgen(catch)]
    pub(super) fn get(state: &DurableObjectState, key: &str) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) fn put(state: &DurableObjectState, key: &str, text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) fn remove(state: &DurableObjectState, key: &str) -> Result<(), JsValue>;

    /// Runs a statement with a JSON array of bindings; its rows as JSON arrays.
    #[wasm_bindgen(catch)]
    pub(super) fn sql(
        state: &DurableObjectState,
        statement: &str,
        bindings: &str,
    ) -> Result<String, JsValue>;

    /// Tells another object of the binding, and then leaves nothing of this one; no other event comes
    /// between.
    #[wasm_bindgen(catch)]
    pub(super) async fn dissolve(
        state: &DurableObjectState,
        env: &Env,
        binding: &str,
        name: &str,
        bytes: &Uint8Array,
    ) -> Result<(), JsValue>;

    /// POSTs to a URL of somebody else's and resolves with `<status> <milliseconds>`, the latter being the
    /// pause that the receiver asks for, if it does. Follows no redirect.
    #[wasm_bindgen(catch)]
    pub(super) async fn post(
        url: &str,
        headers: &str,
        body: &Uint8Array,
        within: f64,
    ) -> Result<JsValue, JsValue>;

    /// Hands the request on to this URL as it is, and answers with what comes back.
    #[wasm_bindgen(catch)]
    pub(super) async fn pass(request: &Request, url: &str) -> Result<JsValue, JsValue>;

    /// Sends a request upstream and resolves with status, headers (a line each) and body. `like`: whose
    /// headers go with it; `bearer`: the credential instead of theirs, if not empty; no body means GET.
    #[wasm_bindgen(catch)]
    pub(super) async fn relay(
        like: Option<&Request>,
        url: &str,
        bearer: &str,
        body: Option<Uint8Array>,
        within: f64,
    ) -> Result<JsValue, JsValue>;

    /// The name that the object was addressed by.
    pub(super) fn name(state: &DurableObjectState) -> String;

    /// A variable or secret, `""` if there is none.
    pub(super) fn setting(env: &Env, binding: &str) -> String;

    /// 122 random bits as a UUID.
    pub(super) fn unique() -> String;

    pub(super) fn log(line: &str);
    pub(super) fn error(line: &str, cause: &JsValue);
}
