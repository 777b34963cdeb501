//! The Workers platform as the Worker uses it: `platform.js`, typed. Whatever can throw is caught
//! here and comes back as an `Err`; an exception that is not would hang the request.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};
use worker::Env;
use worker::worker_sys::DurableObjectState;

#[wasm_bindgen(module = "/src/worker/platform.js")]
extern "C" {
    /// Method, URL and the headers that [`super::http::Head`] names, a line each.
    pub(super) fn head(request: &Request) -> String;

    /// The headers that [`super::http::LinkHead`] names, a line each.
    #[wasm_bindgen(js_name = linkHead)]
    pub(super) fn link_head(request: &Request) -> String;

    /// Whether `key` has used up its share of the limit `binding`.
    #[wasm_bindgen(catch)]
    pub(super) async fn limited(env: &Env, binding: &str, key: &str) -> Result<JsValue, JsValue>;

    /// The body as a `Uint8Array`, `undefined` if it is longer than `limit`.
    #[wasm_bindgen(catch)]
    pub(super) async fn read(request: &Request, limit: u32) -> Result<JsValue, JsValue>;

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

    /// Sends bytes to the object `name` of `binding`; its answer as a `Uint8Array`.
    #[wasm_bindgen(catch)]
    pub(super) async fn ask(
        env: &Env,
        binding: &str,
        name: &str,
        bytes: &Uint8Array,
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

    #[wasm_bindgen(catch, js_name = setAlarm)]
    pub(super) async fn set_alarm(
        state: &DurableObjectState,
        alarm: Option<f64>,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) async fn forget(state: &DurableObjectState) -> Result<(), JsValue>;

    /// The name that the object was addressed by.
    pub(super) fn name(state: &DurableObjectState) -> String;

    /// A variable or secret, `""` if there is none.
    pub(super) fn setting(env: &Env, binding: &str) -> String;

    /// 122 random bits as a UUID.
    pub(super) fn unique() -> String;

    pub(super) fn log(line: &str);
    pub(super) fn error(line: &str, cause: &JsValue);
}
