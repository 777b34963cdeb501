//! The requests of one call.

use super::events::{Events, is_aborted};
use super::js::{
    Init, NO_STATUS, concat, fetch, get, get_some, make_error, parse_json, resolve, set, short_text,
};
use super::options::{Address, Options};
use super::retry::{Retry, RetryHint, Transport, send};
use alloc::string::String;
use core::cell::Cell;
use core::future::Future;
use core::pin::pin;
use js_sys::{Date, JsString, Math, Object};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal, Response};
#[cfg(feature = "browser")]
use {alloc::boxed::Box, core::pin::Pin};

/// A body with this many characters or more is not sent with `keepalive`. Browsers allow 64 KiB for
/// all requests of a page together that outlive it.
const KEEPALIVE_BELOW: u32 = 20_000;

/// A request that can be repeated.
pub(crate) struct HttpTransport {
    pub(crate) url: String,
    pub(crate) bearer: String,
    /// Makes the request a POST.
    body: Option<JsString>,
    /// An additional header.
    #[cfg(feature = "server")]
    pub(crate) header: Option<(&'static str, String)>,
    pub(crate) signal: Option<AbortSignal>,
    /// The timeout of each attempt, in milliseconds.
    pub(crate) timeout: f64,
    pub(crate) retry: Retry,
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

/// The response and its body if it is a 2xx, otherwise the error.
pub(crate) type AttemptResult = Result<(Option<Response>, JsValue), JsValue>;

impl HttpTransport {
    pub(crate) fn new(address: Address, options: Options, body: Option<JsString>) -> Self {
        let is_short = |body: &JsString| body.length() < KEEPALIVE_BELOW;
        Self {
            url: address.url,
            bearer: address.bearer,
            keepalive: Cell::new(options.keepalive && body.as_ref().is_some_and(is_short)),
            body,
            #[cfg(feature = "server")]
            header: None,
            signal: options.signal,
            timeout: options.timeout,
            retry: options.retry,
            #[cfg(feature = "browser")]
            wait: None,
        }
    }

    /// Calls `add` with each header of the request.
    fn headers(&self, mut add: impl FnMut(&str, &str)) {
        #[cfg(feature = "server")]
        if let Some((name, value)) = &self.header {
            add(name, value);
        }
        #[cfg(feature = "browser")]
        if self.wait.as_ref().is_some_and(|wait| wait.is_held) {
            add("prefer", "wait=25");
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
        self.headers(|name, value| set(&headers, name, &value.into()));
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

    /// Starts a request.
    fn begin(&self, controller: &AbortController) -> Result<JsFuture, JsValue> {
        let init: Init = JsCast::unchecked_into(Object::new());
        init.set_keepalive(self.keepalive.get());
        init.set_signal(Some(&controller.signal()));
        fetch(&self.request(&init)?, &init)
    }

    async fn exchange(&self, controller: &AbortController) -> Result<(Response, JsValue), JsValue> {
        let response = self.begin(controller)?.await?;
        // A `fetch` that a test provides may return something else.
        if get(&response, "status").as_f64().is_none() {
            return Err(response);
        }
        let response: Response = response.unchecked_into();
        let text = resolve(&response.text()?.into()).await?;
        Ok((response, text))
    }

    /// Sends the request once.
    pub(crate) async fn try_once(&self) -> Attempt {
        let controller = match AbortController::new() {
            Ok(controller) => controller,
            Err(cause) => return self.failed("The request could not be made.", cause),
        };
        let events = Events::new(&self.signal, self.timeout);
        let exchange = pin!(self.exchange(&controller));
        let ended = if is_aborted(&self.signal) {
            Err(JsValue::UNDEFINED)
        } else {
            events.unless(exchange).await
        };
        match ended {
            Ok(Ok((response, text))) => Attempt::of_response(response, &text),
            Ok(Err(cause)) => self.failed("The server could not be reached.", cause),
            Err(_) => {
                controller.abort();
                self.failed("", JsValue::UNDEFINED)
            }
        }
    }

    /// The result of an attempt without a response. Without a message the time was up.
    fn failed(&self, message: &str, cause: JsValue) -> Attempt {
        // The attempt may have failed because too many bytes had `keepalive`.
        self.keepalive.set(false);
        let mut hint = RetryHint::of_status(NO_STATUS);
        let (mut message, mut code, mut cause) = (message, "network_error", cause);
        if message.is_empty() {
            message = "The server did not answer within `timeoutInMs`.";
            code = "timeout";
        }
        if let Some(signal) = &self.signal
            && signal.aborted()
        {
            message = "The call was aborted.";
            code = "aborted";
            cause = get(signal, "reason");
            hint.should_retry = Some(false);
        }
        let retryable = hint.is_retryable();
        Attempt {
            hint,
            result: Err(make_error(message, code, NO_STATUS, retryable, &cause)),
        }
    }

    /// Sends the request until a response is final. Returns the response and its body if it is a 2xx.
    pub(crate) async fn send(&self) -> AttemptResult {
        send(self, &self.retry).await.result
    }
}

impl Transport for HttpTransport {
    type Attempt = Attempt;

    #[cfg(feature = "browser")]
    fn send(&self) -> impl Future<Output = Attempt> {
        // Boxed, so that the code of a wait is a function of its own. The engine compiles it only
        // when it is called, and a click does not call it.
        let attempt: Pin<Box<dyn Future<Output = Attempt> + '_>> = match &self.wait {
            Some(wait) => Box::pin(wait.send(self)),
            None => Box::pin(self.try_once()),
        };
        attempt
    }

    #[cfg(feature = "server")]
    fn send(&self) -> impl Future<Output = Attempt> {
        self.try_once()
    }

    fn hint(&self, attempt: &Attempt) -> RetryHint {
        attempt.hint
    }

    fn sleep(&self, millis: f64) -> impl Future {
        Events::new(&self.signal, millis).or_online()
    }

    fn random(&self) -> f64 {
        Math::random()
    }
}

impl Attempt {
    fn of_response(response: Response, text: &JsValue) -> Self {
        let header = |name| header(&response, name);
        let mut hint = RetryHint::of_status(response.status());
        hint.should_retry = match header("x-should-retry").as_deref() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        // `Retry-After` is seconds or a date. `x-ratelimit-reset` is a Unix time in milliseconds.
        let number = |text: &str| JsValue::from_str(text).unchecked_into_f64();
        hint.pause = match header("retry-after").filter(|text| !text.is_empty()) {
            Some(after) => {
                let seconds = number(&after);
                Some(if seconds >= 0.0 {
                    seconds * 1_000.0
                } else {
                    Date::new(&after.into()).get_time() - Date::now()
                })
            }
            None if hint.status == 429 => {
                header("x-ratelimit-reset").map(|reset| number(&reset) - Date::now())
            }
            None => None,
        };
        let body = parse_json(text);
        let result = if hint.is_success() {
            Ok((Some(response), body))
        } else {
            Err(http_error(hint, &body))
        };
        Self { hint, result }
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
    let status = short_text(&hint.status.into());
    let message =
        message.unwrap_or_else(|| concat(&["The server answered with status ", &status, "."]));
    let code = get(body, "code").as_string();
    let code = code.unwrap_or_else(|| concat(&["http_", &status]));
    let retryable = hint.is_retryable();
    let error = make_error(&message, &code, hint.status, retryable, &JsValue::UNDEFINED);
    let details = get(body, "details");
    if details.is_array() {
        set(&error, "details", &details);
    }
    error
}
