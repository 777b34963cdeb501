//! The requests of one call.

use super::events::{Events, is_aborted};
use super::js::{Failure, Init, concat, fetch, get, get_some, parse_json, resolve};
use super::options::{Address, Options};
use super::retry::{Retry, RetryHint, Transport, send};
use alloc::string::String;
use core::cell::Cell;
use js_sys::{Date, JsString, Math, Object};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, AbortSignal, Response};
#[cfg(feature = "browser")]
use {alloc::boxed::Box, core::future::Future, core::pin::Pin};

/// A body with this many characters or more is not sent with `keepalive`. Browsers allow 64 KiB for
/// all requests of a page together that outlive it.
const KEEPALIVE_BELOW: u32 = 20_000;

/// A request that can be repeated.
pub(crate) struct HttpTransport {
    pub(crate) url: String,
    pub(crate) bearer: String,
    /// Makes the request a POST.
    body: Option<JsString>,
    pub(crate) header: Option<(&'static str, String)>,
    pub(crate) signal: Option<AbortSignal>,
    /// The timeout of each attempt, in milliseconds.
    pub(crate) timeout: f64,
    keepalive: Cell<bool>,
    /// Set if the request waits for the end of a token.
    #[cfg(feature = "browser")]
    pub(crate) wait: Option<super::wait::WaitTransport>,
}

/// The result of an attempt.
pub(crate) struct Attempt {
    pub(crate) hint: RetryHint,
    pub(crate) result: AttemptResult,
}

pub(crate) enum AttemptResult {
    Response {
        response: Option<Response>,
        body: JsValue,
    },
    Failed {
        code: &'static str,
        message: &'static str,
        cause: JsValue,
    },
}

const ABORTED: &str = "aborted";

impl HttpTransport {
    pub(crate) fn new(address: Address, options: &Options, body: Option<JsString>) -> Self {
        let is_short = |body: &JsString| body.length() < KEEPALIVE_BELOW;
        Self {
            url: address.url,
            bearer: address.bearer,
            keepalive: Cell::new(options.keepalive && body.as_ref().is_some_and(is_short)),
            body,
            header: None,
            signal: options.signal.clone(),
            timeout: options.timeout,
            #[cfg(feature = "browser")]
            wait: None,
        }
    }

    /// Calls `add` with each header of the request.
    fn headers(&self, mut add: impl FnMut(&str, &str)) {
        if let Some((name, value)) = &self.header {
            add(name, value);
        }
        if self.body.is_some() {
            add("content-type", "application/json");
        }
        if !self.bearer.is_empty() {
            add("authorization", &concat(&["Bearer ", &self.bearer]));
        }
    }

    /// Without a bearer token the URL is a callback URL, whose body is the value of `data` alone.
    fn body(&self) -> Option<JsString> {
        let body = self.body.as_ref()?;
        Some(if self.bearer.is_empty() {
            body.slice(8, body.length() - 1)
        } else {
            body.clone()
        })
    }

    #[cfg(feature = "browser")]
    fn request(&self, init: &Init) -> Result<JsValue, JsValue> {
        // Not a `Headers` object, because jsdom has none.
        let headers = Object::new();
        self.headers(|name, value| super::js::set(&headers, name, &value.into()));
        init.set_headers(&headers);
        if let Some(body) = self.body() {
            init.set_method("POST");
            init.set_body(&body);
        }
        Ok(JsValue::from_str(&self.url))
    }

    #[cfg(feature = "server")]
    fn request(&self, _: &Init) -> Result<JsValue, JsValue> {
        use gloo_net::http::{Request, RequestBuilder};
        // gloo-net panics on an invalid URL if the error comes from another JavaScript realm.
        web_sys::Url::new(&self.url)?;
        let mut request: Option<RequestBuilder> = Some(match self.body {
            Some(_) => Request::post(&self.url),
            None => Request::get(&self.url),
        });
        self.headers(|name, value| {
            request = request.take().map(|request| request.header(name, value));
        });
        let request = request.ok_or(JsValue::UNDEFINED)?;
        let built = match self.body() {
            Some(body) => request.body(body),
            None => request.build(),
        };
        let built = built.map_err(|error| js_sys::Error::new(&error.to_string()))?;
        Ok(web_sys::Request::from(built).into())
    }

    async fn exchange(&self, controller: &AbortController) -> Result<(Response, JsValue), JsValue> {
        let init: Init = JsCast::unchecked_into(Object::new());
        init.set_keepalive(self.keepalive.get());
        init.set_signal(Some(&controller.signal()));
        let request = self.request(&init)?;
        let response = fetch(&request, &init).await?;
        // A `fetch` that a test provides may return something else.
        if get(&response, "status").as_f64().is_none() {
            return Err(response);
        }
        let response: Response = response.unchecked_into();
        let text = resolve(response.text()?.into()).await?;
        Ok((response, text))
    }

    async fn attempt(&self) -> Result<Attempt, JsValue> {
        let controller = AbortController::new()?;
        let events = Events::new(&self.signal, self.timeout);
        let ended = if is_aborted(&self.signal) {
            Err(JsValue::UNDEFINED)
        } else {
            events.unless(self.exchange(&controller)).await
        };
        let (mut code, mut message, mut cause) = match ended {
            Ok(Ok((response, text))) => return Ok(Attempt::of_response(response, &text)),
            Ok(Err(cause)) => ("network_error", "The server could not be reached.", cause),
            Err(_) => {
                controller.abort();
                let message = "The server did not answer within `timeoutInMs`.";
                ("timeout", message, JsValue::UNDEFINED)
            }
        };
        // The attempt may have failed because too many bytes had `keepalive`.
        self.keepalive.set(false);
        if let Some(signal) = &self.signal
            && signal.aborted()
        {
            (code, message) = (ABORTED, "The call was aborted.");
            cause = get(signal, "reason");
        }
        Ok(Attempt::failed(code, message, cause))
    }

    /// Sends the request once.
    pub(crate) async fn try_once(&self) -> Attempt {
        let attempt = self.attempt().await;
        attempt.unwrap_or_else(|cause| {
            Attempt::failed("network_error", "The request could not be made.", cause)
        })
    }

    /// Sends the request until a response is final. Returns the response and its body if it is a 2xx.
    pub(crate) async fn send(&self, retry: &Retry) -> Result<(Option<Response>, JsValue), JsValue> {
        let Attempt { hint, result } = send(self, retry).await;
        match result {
            AttemptResult::Response { response, body } if hint.is_success() => Ok((response, body)),
            AttemptResult::Response { body, .. } => Err(http_error(hint, &body)),
            AttemptResult::Failed {
                code,
                message,
                cause,
            } => Err(Failure {
                message,
                code,
                status: None,
                retryable: code != ABORTED,
                cause,
            }
            .into()),
        }
    }
}

impl Transport for HttpTransport {
    type Attempt = Attempt;

    async fn send(&self) -> Attempt {
        #[cfg(feature = "browser")]
        if let Some(wait) = &self.wait {
            // Boxed, so that the code of a wait is a function of its own. The engine compiles it only
            // when it is called, and a click does not call it.
            let attempt: Pin<Box<dyn Future<Output = Attempt> + '_>> = Box::pin(wait.send(self));
            return attempt.await;
        }
        self.try_once().await
    }

    fn hint(&self, attempt: &Attempt) -> Option<RetryHint> {
        match attempt.result {
            AttemptResult::Failed { code: ABORTED, .. } => None,
            _ => Some(attempt.hint),
        }
    }

    async fn sleep(&self, millis: f64) {
        Events::new(&self.signal, millis).or_online().next().await;
    }

    fn random(&self) -> f64 {
        Math::random()
    }
}

impl Attempt {
    fn failed(code: &'static str, message: &'static str, cause: JsValue) -> Self {
        Self {
            hint: RetryHint::of_status(0),
            result: AttemptResult::Failed {
                code,
                message,
                cause,
            },
        }
    }

    fn of_response(response: Response, text: &JsValue) -> Self {
        let status = response.status();
        let header = |name| header(&response, name);
        let should_retry = match header("x-should-retry").as_deref() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        // `Retry-After` is seconds or a date. `x-ratelimit-reset` is a Unix time in milliseconds.
        let number = |text: &str| JsValue::from_str(text).unchecked_into_f64();
        let pause = match header("retry-after").filter(|text| !text.is_empty()) {
            Some(after) if number(&after) >= 0.0 => Some(number(&after) * 1_000.0),
            Some(after) => Some(Date::parse(&after) - Date::now()),
            None if status == 429 => {
                header("x-ratelimit-reset").map(|reset| number(&reset) - Date::now())
            }
            None => None,
        };
        Self {
            hint: RetryHint {
                status,
                should_retry,
                pause,
            },
            result: AttemptResult::Response {
                body: parse_json(text),
                response: Some(response),
            },
        }
    }
}

/// A header of a response, which may be a test's own object.
pub(crate) fn header(response: &Response, name: &str) -> Option<String> {
    if !get(&get(response, "headers"), "get").is_function() {
        return None;
    }
    #[cfg(feature = "server")]
    {
        let response = gloo_net::http::Response::from(<Response as Clone>::clone(response));
        response.headers().get(name)
    }
    #[cfg(feature = "browser")]
    response.headers().get(name).ok()?
}

/// The error for a response that is not a 2xx, with the server's message.
fn http_error(hint: RetryHint, body: &JsValue) -> JsValue {
    let error = get(body, "error");
    let message = get_some(&error, "message").unwrap_or(error).as_string();
    let status = digits(hint.status);
    Failure {
        message: &message
            .unwrap_or_else(|| concat(&["The server answered with status ", &status, "."])),
        code: &get(body, "code")
            .as_string()
            .unwrap_or_else(|| concat(&["http_", &status])),
        status: Some(hint.status),
        retryable: hint.is_retryable(),
        cause: JsValue::UNDEFINED,
    }
    .into()
}

/// Three digits, without the code of `core::fmt`, which is large.
fn digits(status: u16) -> String {
    let mut text = String::new();
    for digit in [status / 100, status / 10 % 10, status % 10] {
        text.push(char::from(b'0' + (digit % 10) as u8));
    }
    text
}
