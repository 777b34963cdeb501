//! A request to an object, and its response.
//!
//! Invariant: a client's request reaches an object only with a [`Permit`], so code that does not
//! enforce a rate limit does not compile. Objects call each other without one, because a client's
//! permitted request or an alarm caused the call.

use crate::domain::stored::envelope::{Envelope, ResponseContext, header};
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::worker::bindings::{ObjectError, RawStub, send_command, settled};
use crate::worker::http::body;
use crate::worker::http::rate_limit::Permit;
use crate::worker::objects::token::waiters::{WAITER_HEADER, Waiter};
use crate::worker::objects::{Namespace, ObjectName};
use js_sys::{Promise, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Headers, RequestInit, Response};
use worker::worker_sys::ext::ResponseExt;
use worker::{Env, WebSocket};

/// The header that holds a command, instead of a body. Its name contains "secret" so that logs of
/// requests leave out its value. `js/crossings.js` has the same name.
const COMMAND_HEADER: &str = "waitpoint-secret-command";

const OBJECT_URL: &str = "http://object/";

/// A command to a token's object, in a header or in a body. A body is copied out of wasm's memory at
/// once. That memory never shrinks, and many outputs of megabytes may be in flight at the same time.
pub(crate) type TokenEnvelope = Envelope<Uint8Array>;

pub(crate) fn envelope(
    command: &CommandMessage,
    context: Option<ResponseContext<'_>>,
    text: &str,
) -> TokenEnvelope {
    Envelope::new(command, context, text)
}

/// An object, and the time that it has to respond.
pub(crate) struct ObjectRef<'a> {
    env: &'a Env,
    namespace: Namespace,
    name: &'a ObjectName,
    timeout: Option<Duration>,
}

impl<'a> ObjectRef<'a> {
    pub(crate) fn new(env: &'a Env, namespace: Namespace, name: &'a ObjectName) -> Self {
        Self {
            env,
            namespace,
            name,
            timeout: None,
        }
    }

    /// Fails a request that takes longer than this.
    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        Self {
            timeout: Some(timeout),
            ..self
        }
    }

    /// Has a token's object build the client's response from the envelope's context.
    pub(crate) async fn respond(
        &self,
        _: &Permit,
        envelope: TokenEnvelope,
    ) -> Result<Response, JsValue> {
        let (header, body) = envelope.into_parts();
        self.send(&header, body).await
    }

    /// Sends a command to a token's object and reads its reply.
    pub(crate) async fn call(
        &self,
        permit: &Permit,
        envelope: TokenEnvelope,
    ) -> Result<TokenReply, JsValue> {
        let bytes = bytes_of(self.respond(permit, envelope).await?).await?;
        TokenReply::from_bytes(&bytes).map_err(JsValue::from)
    }

    /// Opens a socket on which a token's object sends what the waiter asked for; `None` if there is
    /// no such token.
    pub(crate) async fn wait(
        &self,
        _: &Permit,
        waiter: &Waiter,
    ) -> Result<Option<WebSocket>, JsValue> {
        let headers = Headers::new()?;
        headers.set("upgrade", "websocket")?;
        let waiter = serde_json::to_string(waiter).unwrap_or_default();
        headers.set(WAITER_HEADER, &waiter)?;
        let init = RequestInit::new();
        init.set_headers(&headers);
        let response = with_retry(|| self.fetch(&init)).await?;
        if response.status() == 404 {
            return Ok(None);
        }
        match response.websocket() {
            Some(socket) => Ok(Some(socket.into())),
            None => Err(format!("the object responded with status {}", response.status()).into()),
        }
    }

    /// Sends a command to an object that replies in JSON.
    pub(super) async fn call_json<T: DeserializeOwned>(
        &self,
        command: &impl Serialize,
    ) -> Result<T, JsValue> {
        let response = match header(command) {
            Some(header) => self.send(&header, None).await?,
            None => {
                let json = serde_json::to_vec(command).unwrap_or_default();
                let body = Uint8Array::from(json.as_slice());
                self.send("", Some(body)).await?
            }
        };
        let bytes = bytes_of(response).await?;
        parse(&bytes).ok_or_else(|| JsValue::from_str("an object's response cannot be parsed"))
    }

    /// The object's response, unchanged. Passing it on costs a quarter less than building a new one.
    async fn send(&self, header: &str, body: Option<Uint8Array>) -> Result<Response, JsValue> {
        let attempt = || match &body {
            None if self.timeout.is_none() => {
                self.namespace.with(self.env, self.name, |namespace| {
                    send_command(namespace.as_ref(), self.name.as_str(), header)
                })
            }
            _ => self.fetch(&self.request(header, body.as_ref())?),
        };
        with_retry(attempt).await
    }

    fn request(&self, header: &str, body: Option<&Uint8Array>) -> Result<RequestInit, JsValue> {
        let init = RequestInit::new();
        match body {
            Some(body) => {
                init.set_method("POST");
                init.set_body(body);
            }
            None => {
                let headers = Headers::new()?;
                headers.set(COMMAND_HEADER, header)?;
                init.set_headers(&headers);
            }
        }
        if let Some(timeout) = self.timeout {
            let millis = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
            init.set_signal(Some(&AbortSignal::timeout_with_u32(millis)));
        }
        Ok(init)
    }

    fn fetch(&self, init: &RequestInit) -> Result<Promise, JsValue> {
        let stub = self.namespace.with(self.env, self.name, |namespace| {
            Ok(namespace.get_by_name(self.name.as_str())?)
        })?;
        stub.into_rpc::<RawStub>().fetch(OBJECT_URL, init)
    }
}

/// Makes an attempt, and a second one if the object was moved or its code updated. So every command
/// may arrive twice. If a socket was opened and lost, it closes by itself.
async fn with_retry(attempt: impl Fn() -> Result<Promise, JsValue>) -> Result<Response, JsValue> {
    let response = match settled(attempt()?).await {
        Err(error) if is_worth_repeating(&error) => settled(attempt()?).await?,
        result => result?,
    };
    Ok(response.unchecked_into())
}

fn is_worth_repeating(error: &JsValue) -> bool {
    if !error.is_object() {
        return false;
    }
    let error = error.unchecked_ref::<ObjectError>();
    error.retryable() == Some(true) && error.overloaded() != Some(true)
}

/// The body of an object's response to the Worker itself. For a failure, the body is the error.
async fn bytes_of(response: Response) -> Result<Vec<u8>, JsValue> {
    let buffer = settled(response.array_buffer()?).await?;
    let bytes = Uint8Array::new(&buffer).to_vec();
    if response.ok() {
        return Ok(bytes);
    }
    Err(String::from_utf8_lossy(&bytes).into_owned().into())
}

/// Reads the command that was sent to an object that speaks JSON.
pub(super) async fn read_json<T: DeserializeOwned>(
    request: &worker::Request,
) -> Result<T, JsValue> {
    let unreadable = || JsValue::from_str("a command cannot be read");
    let bytes = match request.headers().get(COMMAND_HEADER)? {
        Some(header) => header.into_bytes(),
        None => body::whole(request.inner()).await?,
    };
    parse(&bytes).ok_or_else(unreadable)
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    serde_json::from_str(std::str::from_utf8(json).ok()?).ok()
}
