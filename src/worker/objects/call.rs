//! A request to an object, and its response.

use crate::domain::stored::envelope::{Envelope, ResponseContext, header};
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::worker::bindings::{ObjectError, RawStub, send_command, settled};
use crate::worker::http::body;
use js_sys::{Promise, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Headers, RequestInit, Response};
use worker::{Env, ObjectNamespace};

/// What a request to an object has instead of a body, if it can. Logs of requests leave out what is
/// called secret. `js/crossings.js` has the same.
const COMMAND_HEADER: &str = "waitpoint-secret-command";

const OBJECT_URL: &str = "http://object/";

/// The objects of a binding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespace {
    Tokens,
    Keys,
    Index,
}

impl Namespace {
    fn binding(self) -> &'static str {
        match self {
            Self::Tokens => "TOKENS",
            Self::Keys => "KEYS",
            Self::Index => "INDEX",
        }
    }

    /// `Env::durable_object` compares the name of the binding's constructor each time, so it is asked once.
    fn of<T>(
        self,
        env: &Env,
        use_it: impl FnOnce(&ObjectNamespace) -> Result<T, JsValue>,
    ) -> Result<T, JsValue> {
        type Known = Vec<(Namespace, Env, ObjectNamespace)>;
        thread_local! {
            static KNOWN: RefCell<Known> = const { RefCell::new(Vec::new()) };
        }
        KNOWN.with_borrow_mut(|known| {
            let is_same = |of: &Env| AsRef::<JsValue>::as_ref(of) == AsRef::<JsValue>::as_ref(env);
            known.retain(|(namespace, of, _)| *namespace != self || is_same(of));
            if let Some((_, _, namespace)) = known.iter().find(|(known, ..)| *known == self) {
                return use_it(namespace);
            }
            let namespace = env.durable_object(self.binding())?;
            let used = use_it(&namespace);
            known.push((self, env.clone(), namespace));
            used
        })
    }
}

/// An object, and how long it is given to answer.
pub(crate) struct ObjectRef<'a> {
    pub(crate) env: &'a Env,
    pub(crate) namespace: Namespace,
    pub(crate) name: &'a str,
    pub(crate) within: Option<Duration>,
}

impl ObjectRef<'_> {
    /// The object's response as it is: passed on untouched it costs a quarter less than made again.
    async fn send(&self, header: &str, body: Option<Uint8Array>) -> Result<Response, JsValue> {
        let attempt = || match &body {
            None if self.within.is_none() => self.namespace.of(self.env, |namespace| {
                send_command(namespace.as_ref(), self.name, header)
            }),
            _ => self.fetch(&self.request(header, body.as_ref())?),
        };
        let response = match settled(attempt()?).await {
            // The object was moved or its code updated. Every command may be sent twice.
            Err(error) if is_worth_repeating(&error) => settled(attempt()?).await?,
            attempted => attempted?,
        };
        Ok(response.unchecked_into())
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
        if let Some(within) = self.within {
            let millis = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
            init.set_signal(Some(&AbortSignal::timeout_with_u32(millis)));
        }
        Ok(init)
    }

    fn fetch(&self, init: &RequestInit) -> Result<Promise, JsValue> {
        let stub = self
            .namespace
            .of(self.env, |namespace| Ok(namespace.get_by_name(self.name)?))?;
        stub.into_rpc::<RawStub>().fetch(OBJECT_URL, init)
    }

    /// Lets a token's object answer whom the context tells of.
    pub(crate) async fn respond(
        &self,
        envelope: Envelope<Uint8Array>,
    ) -> Result<Response, JsValue> {
        let (header, body) = envelope.into_parts();
        self.send(&header, body).await
    }

    /// Asks a token's object.
    pub(crate) async fn ask(&self, envelope: Envelope<Uint8Array>) -> Result<TokenReply, JsValue> {
        let bytes = bytes_of(self.respond(envelope).await?).await?;
        TokenReply::from_bytes(&bytes).map_err(JsValue::from)
    }

    /// Asks one of the other objects, whose answers are JSON.
    pub(crate) async fn ask_json<T: DeserializeOwned>(
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
        serde_json::from_slice(&bytes)
            .map_err(|_| JsValue::from_str("an object answered what cannot be read"))
    }

    /// A socket to a token's object, that hears of it; nothing if there is no such token.
    pub(crate) async fn wait(
        &self,
        waiter: &crate::worker::objects::token::waiters::Waiter,
    ) -> Result<Option<worker::WebSocket>, JsValue> {
        let headers = Headers::new()?;
        headers.set("upgrade", "websocket")?;
        let waiter = serde_json::to_string(waiter).unwrap_or_default();
        headers.set(
            crate::worker::objects::token::waiters::WAITER_HEADER,
            &waiter,
        )?;
        let init = RequestInit::new();
        init.set_headers(&headers);
        let response: Response = settled(self.fetch(&init)?).await?.unchecked_into();
        if response.status() == 404 {
            return Ok(None);
        }
        use worker::worker_sys::ext::ResponseExt;
        match response.websocket() {
            Some(socket) => Ok(Some(socket.into())),
            None => Err(format!("the object answered {}", response.status()).into()),
        }
    }
}

/// What an object answers to the Worker itself.
async fn bytes_of(response: Response) -> Result<Vec<u8>, JsValue> {
    let buffer = settled(response.array_buffer()?).await?;
    let bytes = Uint8Array::new(&buffer).to_vec();
    if response.ok() {
        return Ok(bytes);
    }
    Err(String::from_utf8_lossy(&bytes).into_owned().into())
}

fn is_worth_repeating(error: &JsValue) -> bool {
    if !error.is_object() {
        return false;
    }
    let error = error.unchecked_ref::<ObjectError>();
    error.retryable() == Some(true) && error.overloaded() != Some(true)
}

/// The command that came to an object that speaks JSON.
pub(crate) async fn read_json<T: DeserializeOwned>(
    request: &worker::Request,
) -> Result<T, JsValue> {
    let unreadable = |_| JsValue::from_str("a command cannot be read");
    let bytes = match request.headers().get(COMMAND_HEADER)? {
        Some(header) => header.into_bytes(),
        None => body::whole(request.inner()).await?,
    };
    serde_json::from_slice(&bytes).map_err(unreadable)
}

/// What a token's object is asked, in a header or in a body.
pub(crate) type TokenEnvelope = Envelope<Uint8Array>;

/// A command to a token's object. The body lies outside wasm's memory from the beginning: that
/// never shrinks, and while answers are awaited many outputs of megabytes may be under way.
pub(crate) fn envelope(
    command: &CommandMessage,
    context: Option<ResponseContext>,
    text: &str,
) -> TokenEnvelope {
    Envelope::new(command, context, text)
}
