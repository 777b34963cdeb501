//! Confirms a subscription, as Amazon SNS asks.

use super::{fetch, set_timeout};
use crate::worker::bindings::settled;
use crate::worker::log_error;
use std::time::Duration;
use wasm_bindgen::JsValue;
use web_sys::RequestInit;

/// SNS itself waits 15 seconds for the answer to its request.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Calls the URL of a subscription once. If that fails, SNS sends its request again.
pub(crate) async fn confirm(url: Option<&str>) {
    let Some(url) = url else { return };
    if let Err(why) = call(url).await {
        log_error("a subscription could not be confirmed", &why);
    }
}

async fn call(url: &str) -> Result<(), JsValue> {
    let init = RequestInit::new();
    set_timeout(&init, TIMEOUT);
    let response = fetch(url, &init).await?;
    if let Some(body) = response.body() {
        settled(body.cancel()).await?;
    }
    Ok(())
}
