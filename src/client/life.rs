//! The exports of the entry `waitpoint/server` with which an owner ends a token or moves its timeout.

use super::http::{HttpTransport, header};
use super::js::{get, invalid_argument, invalid_argument_because, invalid_response, set, start};
use super::options::{Address, OPTIONS, Options};
use super::response::parse_token;
use super::server::check_timeout_date;
use crate::domain::api::error::ApiError;
use crate::domain::api::life::{parse_cancel, parse_extend};
use crate::domain::time::timestamp::Timestamp;
use js_sys::{Date, JSON, Object, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Response;

/// A request of the token's owner. Its body is one of the options.
struct OwnerRequest {
    action: &'static str,
    /// The name of that option.
    field: &'static str,
    /// Validates the body as the Worker does.
    check: fn(&[u8]) -> Result<(), ApiError>,
}

impl OwnerRequest {
    async fn send(
        self,
        token: JsValue,
        options: JsValue,
    ) -> Result<(Option<Response>, JsValue), JsValue> {
        let names = [OPTIONS.as_slice(), &[self.field]].concat();
        let call = Options::read_among(&options, &names)?;
        let value = get(&options, self.field);
        check_timeout_date(&value)?;
        let body: JsValue = Object::new().into();
        if !value.is_undefined() {
            set(&body, self.field, &value);
        }
        let text = JSON::stringify(&body).map_err(|cause| {
            invalid_argument_because(&["`", self.field, "` cannot be written as JSON."], &cause)
        })?;
        (self.check)(String::from(&text).as_bytes())
            .map_err(|why| invalid_argument(&[&why.to_string()]))?;
        let address = Address::of_owned_token(self.action, &token, &call)?;
        let transport = HttpTransport::new(address, call, Some(text));
        transport.send().await
    }
}

const OUTCOMES: [&str; 3] = ["cancelled", "already-completed", "timed-out"];

/// Withdraws a token.
#[wasm_bindgen(js_name = cancelToken)]
pub fn cancel_token(token: JsValue, options: JsValue) -> Promise {
    start(Box::pin(async move {
        let request = OwnerRequest {
            action: "cancel",
            field: "reason",
            check: |body| parse_cancel(body).map(drop),
        };
        let (response, body) = request.send(token, options).await?;
        if get(&body, "success") != true {
            return Err(invalid_response("success"));
        }
        let outcome = response.and_then(|response| header(&response, "waitpoint-outcome"));
        let outcome = outcome.filter(|outcome| OUTCOMES.contains(&outcome.as_str()));
        let cancelled: JsValue = Object::new().into();
        set(&cancelled, "success", &true.into());
        set(&cancelled, "outcome", &outcome.into());
        Ok(cancelled)
    }))
}

/// Moves the timeout of a token.
#[wasm_bindgen(js_name = extendToken)]
pub fn extend_token(token: JsValue, options: JsValue) -> Promise {
    start(Box::pin(async move {
        let request = OwnerRequest {
            action: "extend",
            field: "timeout",
            check: |body| {
                let now = Timestamp::from_millis(Date::now() as u64);
                parse_extend(body, now).map(drop)
            },
        };
        let (response, body) = request.send(token, options).await?;
        let extended = parse_token(body)?;
        let jwt = response.and_then(|response| header(&response, "x-trigger-jwt"));
        set(&extended, "publicAccessToken", &jwt.into());
        Ok(extended)
    }))
}
