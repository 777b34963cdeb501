//! The exports of the entry `waitpoint`.

use super::http::{HttpTransport, header};
use super::js::{
    configured_settings, get, invalid_argument, invalid_argument_because, invalid_response, set,
    show, start,
};
use super::options::{
    Address, Options, check_base_url, reject_unknown_fields, text_field, token_text,
};
use super::reference::{Action, claims};
use super::response::{describe_claims, parse_token};
use super::wait::{WaitTransport, wait};
use alloc::boxed::Box;
use js_sys::{JSON, JsString, Object, Promise, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Response;

/// A request about a token.
pub(crate) struct Request<'a> {
    pub(crate) action: Action,
    pub(crate) token: &'a JsValue,
    pub(crate) options: &'a JsValue,
    pub(crate) body: Option<JsString>,
    /// Whether to repeat the request until the token is finished.
    pub(crate) until_finished: bool,
}

/// Sends the request. Returns the response and its body.
pub(crate) async fn ask(request: Request<'_>) -> Result<(Option<Response>, JsValue), JsValue> {
    prepare(request)?.send().await
}

fn prepare(request: Request<'_>) -> Result<HttpTransport, JsValue> {
    let options = Options::read(request.options)?;
    let address = Address::of_token(request.action, request.token, &options)?;
    let mut transport = HttpTransport::new(address, options, request.body);
    if request.until_finished {
        WaitTransport::add_to(&mut transport, request.action);
    }
    Ok(transport)
}

const OUTCOMES: [&str; 4] = ["completed", "already-completed", "timed-out", "cancelled"];

/// Completes a token.
#[wasm_bindgen(js_name = completeToken)]
pub fn complete_token(token: JsValue, data: JsValue, options: JsValue) -> Promise {
    start(Box::pin(async move {
        let request = Request {
            action: Action::Complete,
            token: &token,
            options: &options,
            body: Some(completion_body(&data)?),
            until_finished: false,
        };
        let (response, body) = ask(request).await?;
        if get(&body, "success") != true {
            return Err(invalid_response("success"));
        }
        let outcome = response.and_then(|response| header(&response, "waitpoint-outcome"));
        let outcome = outcome.filter(|outcome| OUTCOMES.contains(&outcome.as_str()));
        let completed: JsValue = Object::new().into();
        set(&completed, "success", &true.into());
        set(&completed, "outcome", &outcome.into());
        Ok(completed)
    }))
}

/// The JSON text of `{ data }`. Rejects data that would become `{}` or nothing, such as a promise or
/// a function.
fn completion_body(data: &JsValue) -> Result<JsString, JsValue> {
    let fields: JsValue = Object::new().into();
    if !data.is_undefined() {
        set(&fields, "data", data);
    }
    let text = JSON::stringify(&fields).map_err(|cause| {
        invalid_argument_because(&["`data` cannot be written as JSON."], &cause)
    })?;
    let is_plain = || {
        let prototype = Object::get_prototype_of(data);
        prototype.is_null() || Object::get_prototype_of(&prototype).is_null()
    };
    let is_lost = text == "{}" || (text == "{\"data\":{}}" && !is_plain());
    if is_lost && !data.is_undefined() {
        return Err(invalid_argument(&[
            "`data` is ",
            &show(data),
            ", of which JSON holds nothing. Use what JSON can say.",
        ]));
    }
    Ok(text)
}

/// Reads a token.
#[wasm_bindgen(js_name = retrieveToken)]
pub fn retrieve_token(token: JsValue, options: JsValue) -> Promise {
    start(Box::pin(async move {
        let request = Request {
            action: Action::Retrieve,
            token: &token,
            options: &options,
            body: None,
            until_finished: false,
        };
        parse_token(ask(request).await?.1)
    }))
}

/// Waits until a token is finished.
#[wasm_bindgen(js_name = waitForToken)]
pub fn wait_for_token(token: JsValue, options: JsValue) -> Promise {
    start(Box::pin(wait(token, options)))
}

/// The claims of a public access token.
///
/// # Errors
/// `invalid_argument` if the text contains no public access token.
#[wasm_bindgen(js_name = decodeToken)]
pub fn decode_token(token: JsValue) -> Result<JsValue, JsValue> {
    let text = token_text(&token, &["publicAccessToken", "url", "href"])?;
    let described = claims(&text).and_then(|claims| describe_claims(&claims));
    described.ok_or_else(|| {
        invalid_argument(&[
            "`token` holds no claims. Use a token's public access token (a JWT), or a url that holds one.",
        ])
    })
}

/// Sets the defaults for the options of later calls.
///
/// # Errors
/// `invalid_argument`, naming the field.
#[wasm_bindgen]
pub fn configure(options: JsValue) -> Result<(), JsValue> {
    const NAMES: [&str; 2] = ["baseURL", "accessToken"];
    reject_unknown_fields("options", &options, &NAMES)?;
    check_base_url(&text_field(&options, "baseURL")?)?;
    let settings = configured_settings();
    for name in NAMES {
        if Reflect::has(&options, &name.into()).unwrap_or(false) {
            set(&settings, name, &text_field(&options, name)?.into());
        }
    }
    Ok(())
}
