//! The Workers platform as the Worker uses it: `platform.js`, typed. Whatever can throw is caught
//! here and comes back as an `Err`; an exception that is not would hang the request.

use super::task::Promised;
use crate::time::Timestamp;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

/// workerd counts alarms in nanoseconds of 63 bits, which end in the year 2262.
const LAST_ALARM: u64 = 9_200_000_000_000;

/// An alarm's time, as the functions below want it.
pub(super) fn alarm_at(at: Timestamp) -> f64 {
    at.as_millis().min(LAST_ALARM) as f64
}

#[wasm_bindgen]
extern "C" {
    /// A request that came in.
    #[derive(Clone)]
    pub type Request;

    /// A response as the platform has it.
    #[derive(Clone)]
    pub type Response;

    /// Bindings, variables and secrets.
    #[derive(Clone)]
    pub type Env;

    /// What the platform gives a Durable Object: its name, storage, sockets.
    #[derive(Clone)]
    pub type ObjectState;
}

// By this name the bundler finds `platform.js` (scripts/build.mjs).
#[wasm_bindgen(raw_module = "waitpoint:platform")]
extern "C" {
    /// Method, URL and the headers that [`super::http::Head`] names, a line each.
    pub(super) fn head(request: &Request) -> String;

    /// The headers of these names, a line each.
    pub(super) fn headers(request: &Request, names: &str) -> String;

    /// Whether `key` has used up its share of the limit `binding`.
    pub(super) fn limited(env: &Env, binding: &str, key: &str) -> Promised;

    /// A WebSocket response whose messages come from the object; `undefined` if there is no
    /// token.
    #[wasm_bindgen(js_name = waitBySocket)]
    pub(super) fn wait_by_socket(
        env: &Env,
        binding: &str,
        name: &str,
        url: &str,
        protocol: &str,
    ) -> Promised;

    /// Until the token is finished, or for `millis`; at once if there is no token.
    #[wasm_bindgen(js_name = waitUntil)]
    pub(super) fn wait_until(env: &Env, binding: &str, name: &str, millis: f64) -> Promised;

    /// A stream of events, `undefined` if there is no token; `seen` is the id of the last event
    /// that the client got.
    #[wasm_bindgen(js_name = waitByEvents)]
    pub(super) fn wait_by_events(
        env: &Env,
        binding: &str,
        name: &str,
        url: &str,
        seen: &str,
    ) -> Promised;

    /// Takes a waiter's socket and sends it the token.
    #[wasm_bindgen(catch)]
    pub(super) fn admit(
        state: &ObjectState,
        url: &str,
        json: &str,
        finished: bool,
    ) -> Result<Response, JsValue>;

    /// How many waiters there are.
    #[wasm_bindgen(catch)]
    pub(super) fn waiters(state: &ObjectState) -> Result<u32, JsValue>;

    /// Sends the finished token to all waiters and closes their sockets.
    #[wasm_bindgen(catch)]
    pub(super) fn wake(state: &ObjectState, json: &str) -> Result<(), JsValue>;

    /// The body as a `Uint8Array`.
    pub(super) fn bytes(request: &Request) -> Promised;

    /// The body as a `Uint8Array`, `undefined` if it is longer than `limit`.
    pub(super) fn read(request: &Request, limit: u32) -> Promised;

    /// Reads a body of a moderate size that nobody has read.
    pub(super) fn drain(request: &Request) -> Promised;

    /// Throws for a header that HTTP cannot carry. `is_usual`: many responses have these headers.
    #[wasm_bindgen(catch)]
    pub(super) fn respond(
        status: u16,
        headers: &str,
        body: Option<&[u8]>,
        is_usual: bool,
    ) -> Result<Response, JsValue>;

    /// Likewise with a `ReadableStream`.
    #[wasm_bindgen(catch, js_name = respondStream)]
    pub(super) fn respond_stream(
        status: u16,
        headers: &str,
        stream: &JsValue,
    ) -> Result<Response, JsValue>;

    /// Asks the object `name` of `binding`, by a line for its header or by a body; its answer as a
    /// `Uint8Array`.
    pub(super) fn ask(
        env: &Env,
        binding: &str,
        name: &str,
        line: &str,
        body: Option<Uint8Array>,
    ) -> Promised;

    /// The same within so many milliseconds, for what nobody waits for.
    #[wasm_bindgen(js_name = ask)]
    pub(super) fn ask_within(
        env: &Env,
        binding: &str,
        name: &str,
        line: &str,
        body: Option<Uint8Array>,
        within: f64,
    ) -> Promised;

    /// Likewise; its answer as it is.
    #[wasm_bindgen(js_name = handOver)]
    pub(super) fn hand_over(
        env: &Env,
        binding: &str,
        name: &str,
        line: &str,
        body: Option<Uint8Array>,
    ) -> Promised;

    /// Whether a token's object says that this request completed it.
    #[wasm_bindgen(js_name = tellsOfCompletion)]
    pub(super) fn tells_of_completion(response: &Response) -> bool;

    #[wasm_bindgen(catch)]
    pub(super) fn load(state: &ObjectState) -> Result<Option<Uint8Array>, JsValue>;

    /// Puts the record before it returns, and sets the alarm, deletes it (`null`), or leaves it as it is
    /// (`undefined`). The promise tells that all is durable.
    #[wasm_bindgen(catch)]
    pub(super) fn save(
        state: &ObjectState,
        bytes: &[u8],
        alarm: JsValue,
    ) -> Result<Promised, JsValue>;

    /// Sends a row to the object `name` of `binding` soon, with others.
    pub(super) fn gather(env: &Env, binding: &str, name: &str, row: &str);

    /// Resolves when all that was written is durable.
    #[wasm_bindgen(catch)]
    pub(super) fn written(state: &ObjectState) -> Result<Promised, JsValue>;

    /// Sets the alarm unless there is a sooner one.
    #[wasm_bindgen(js_name = alarmBy)]
    pub(super) fn alarm_by(state: &ObjectState, alarm: f64) -> Promised;

    /// Sets the alarm, or none.
    #[wasm_bindgen(js_name = setAlarm)]
    pub(super) fn set_alarm(state: &ObjectState, alarm: Option<f64>) -> Promised;

    pub(super) fn forget(state: &ObjectState) -> Promised;

    /// Sets the alarm if there is none.
    #[wasm_bindgen(js_name = alarmUnlessSet)]
    pub(super) fn alarm_unless_set(state: &ObjectState, alarm: f64) -> Promised;

    /// A stored text.
    #[wasm_bindgen(catch)]
    pub(super) fn get(state: &ObjectState, key: &str) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) fn put(state: &ObjectState, key: &str, text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) fn remove(state: &ObjectState, key: &str) -> Result<(), JsValue>;

    /// Runs a statement with a JSON array of bindings; its rows as JSON arrays.
    #[wasm_bindgen(catch)]
    pub(super) fn sql(
        state: &ObjectState,
        statement: &str,
        bindings: &str,
    ) -> Result<String, JsValue>;

    /// Tells another object of the binding, and then leaves nothing of this one; no other event comes
    /// between.
    pub(super) fn dissolve(
        state: &ObjectState,
        env: &Env,
        binding: &str,
        name: &str,
        bytes: &Uint8Array,
    ) -> Promised;

    /// POSTs to a URL of somebody else's and resolves with `<status> <milliseconds>`, the latter being the
    /// pause that the receiver asks for, if it does. Follows no redirect.
    pub(super) fn post(url: &str, headers: &str, body: &Uint8Array, within: f64) -> Promised;

    /// Hands the request on to this URL as it is, and answers with what comes back.
    pub(super) fn pass(request: &Request, url: &str) -> Promised;

    /// Sends a request upstream and resolves with status, headers (a line each) and body. `like`: whose
    /// headers go with it; `bearer`: the credential instead of theirs, if not empty; no body means GET.
    pub(super) fn relay(
        like: Option<&Request>,
        url: &str,
        bearer: &str,
        body: Option<Uint8Array>,
        within: f64,
    ) -> Promised;

    /// The name that the object was addressed by.
    pub(super) fn name(state: &ObjectState) -> String;

    /// A variable or secret, `""` if there is none.
    pub(super) fn setting(env: &Env, binding: &str) -> String;

    /// Which of the editions of settings that the isolate has seen these are, from 0.
    pub(super) fn edition(env: &Env) -> u32;

    /// 122 random bits as a UUID.
    pub(super) fn unique() -> String;

    pub(super) fn log(line: &str);
    pub(super) fn error(line: &str, cause: &JsValue);
}
