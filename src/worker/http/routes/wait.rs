//! `GET …/{id}/wait`: how a token ends, told when it does.
//!
//! Invariant: nothing is held in the object but hibernating sockets, whichever way a client waits. A
//! client that has left leaves nothing behind.

use crate::domain::api::error::ApiError;
use crate::domain::api::token_body::VERSIONS;
use crate::domain::auth::caller::Caller;
use crate::domain::auth::keyring::Environment;
use crate::domain::auth::token_id::internal_id;
use crate::worker::bindings::settled;
use crate::worker::guard;
use crate::worker::http::api::{RequestContext, object_name};
use crate::worker::http::response::{HandlerResponse, Reply, WaitHead};
use crate::worker::log_error;
use crate::worker::objects::token::waiters::{Hears, Waiter};
use crate::worker::settings;
use futures_channel::{mpsc, oneshot};
use futures_util::future::{Either, select};
use futures_util::{FutureExt, Stream, StreamExt};
use js_sys::{Function, Uint8Array};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, EventTarget, MessageEvent, ReadableStream, TransformStream};
use worker::{Delay, WebSocket};

/// The subprotocol that is spoken.
const PROTOCOL: &str = "waitpoint.v1";
/// A second one that a browser offers, as it cannot set headers: its credential follows.
const BEARER: &str = "bearer.";
/// Longest a request is held, in seconds: a Worker must answer within 30.
const LONGEST_POLL: u32 = 25;

const LONGEST_RELAYED_POLL: u32 = 10;

/// How often a stream of events shows that it is alive.
const PING_EVERY: Duration = Duration::from_secs(15);

impl RequestContext<'_> {
    pub(crate) async fn wait(&self, typed: &str) -> Result<HandlerResponse, ApiError> {
        let head = WaitHead::of(self.request);
        let authorization = self.waiting_credential(&head);
        let caller = settings::keyring(self.env)?.authenticate(authorization, self.now)?;
        if !caller.allows("read", typed) {
            return Err(ApiError::InsufficientScope);
        }
        let environment = caller.environment();
        let internal = internal_id(typed).ok_or(ApiError::TokenNotFound)?;
        self.count_reader(&caller, authorization);
        self.admit().await?;
        let waits = head.upgrades() || head.wants_events() || head.wait() > Some(0);
        if let (Some(upstream), true) = (self.upstream_of(environment)?, waits) {
            let is_named = matches!(caller, Caller::Public(_));
            self.import_from_upstream(environment, internal, upstream, is_named)
                .await?;
        }
        if head.upgrades() {
            return self.wait_by_socket(&head, environment, internal).await;
        }
        if head.wants_events() {
            let events = self.wait_by_events(&head, environment, internal).await?;
            return Ok(events.into());
        }
        self.poll(&head, caller, internal).await
    }

    /// The credential of the header, or of the subprotocol; never of the query, which is logged.
    fn waiting_credential<'a>(&'a self, head: &'a WaitHead) -> &'a str {
        let offered = head
            .protocols()
            .find_map(|protocol| protocol.strip_prefix(BEARER));
        match offered {
            Some(jwt) if self.head.authorization().is_empty() => jwt,
            _ => self.head.authorization(),
        }
    }

    async fn wait_by_socket(
        &self,
        head: &WaitHead,
        environment: &Environment,
        internal: &str,
    ) -> Result<HandlerResponse, ApiError> {
        let protocol = head
            .protocols()
            .find(|protocol| *protocol == PROTOCOL)
            .unwrap_or("");
        let socket = self.wait_at(environment, internal, Hears::Token).await?;
        let response = worker::Response::from_websocket(socket).map_err(trouble)?;
        if !protocol.is_empty() {
            let headers = response.headers();
            headers
                .set("sec-websocket-protocol", protocol)
                .map_err(trouble)?;
        }
        Ok(HandlerResponse::Forwarded(response.into()))
    }

    async fn wait_by_events(
        &self,
        head: &WaitHead,
        environment: &Environment,
        internal: &str,
    ) -> Result<Reply, ApiError> {
        // Any other text is ignored: it would be stored in the socket's attachment, which has a size limit.
        let seen = head.last_event();
        let seen = if VERSIONS.contains(&seen) { seen } else { "" };
        let seen = seen.to_owned();
        let hears = Hears::Events { seen };
        let socket = self.wait_at(environment, internal, hears).await?;
        let signal = self.request.signal();
        let stream = event_stream(socket, &signal).map_err(trouble)?;
        Ok(Reply::events(stream))
    }

    /// A socket that hears of the token.
    async fn wait_at(
        &self,
        environment: &Environment,
        internal: &str,
        hears: Hears,
    ) -> Result<WebSocket, ApiError> {
        let name = object_name(environment, internal);
        let origin = self.head.origin();
        let waiter = Waiter {
            url: format!("{origin}/api/v1/waitpoints/tokens/waitpoint_{internal}"),
            hears,
        };
        let socket = self.object(&name).wait(&waiter).await;
        socket.map_err(trouble)?.ok_or(ApiError::TokenNotFound)
    }

    /// Long poll: the token when it is finished, or as it stands when the time is over.
    async fn poll(
        &self,
        head: &WaitHead,
        caller: Caller<'_>,
        internal: &str,
    ) -> Result<HandlerResponse, ApiError> {
        // Upstream is asked before and after.
        let upstream = self.upstream_of(caller.environment())?;
        let longest = upstream.map_or(LONGEST_POLL, |_| LONGEST_RELAYED_POLL);
        let seconds = head.wait().unwrap_or(0).min(longest);
        if seconds > 0 {
            let environment = caller.environment();
            match self.wait_at(environment, internal, Hears::End).await {
                Ok(socket) => {
                    let longest = Duration::from_secs(seconds.into());
                    let signal = self.request.signal();
                    let ended = ended(socket, longest, &signal).await;
                    ended.map_err(trouble)?;
                }
                // That is found out below.
                Err(ApiError::TokenNotFound) => {}
                Err(error) => return Err(error),
            }
        }
        let waited = head.wait().map(|_| seconds);
        self.token_response(caller, internal, waited).await
    }
}

/// Resolves when the object lets the waiter go, after so long, or when the client has left.
async fn ended(
    socket: WebSocket,
    longest: Duration,
    signal: &AbortSignal,
) -> Result<(), worker::Error> {
    let left = Heard::of(signal, &["abort"])?;
    // It closes after the final message, and when the object has to go.
    let closed = Heard::of(socket.as_ref(), &["close", "error"])?;
    socket.accept()?;
    select(closed, select(Delay::from(longest), left)).await;
    close(&socket);
    Ok(())
}

fn close(socket: &WebSocket) {
    // It may be closed already.
    let _ = socket.close(Some(1000), None::<&str>);
}

/// A listener to events, while this is held. `WebSocket::events` borrows the socket, and a body must own it.
struct Listening {
    target: EventTarget,
    kinds: &'static [&'static str],
    listener: Closure<dyn FnMut(JsValue)>,
}

impl Listening {
    fn to(
        target: &EventTarget,
        kinds: &'static [&'static str],
        hear: impl FnMut(JsValue) + 'static,
    ) -> Result<Self, JsValue> {
        let listening = Self {
            target: target.clone(),
            kinds,
            listener: Closure::new(hear),
        };
        for kind in kinds {
            target.add_event_listener_with_callback(kind, listening.function())?;
        }
        Ok(listening)
    }

    fn function(&self) -> &Function {
        AsRef::<JsValue>::as_ref(&self.listener).unchecked_ref()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        for kind in self.kinds {
            let function = self.function();
            let _ = self
                .target
                .remove_event_listener_with_callback(kind, function);
        }
    }
}

/// Resolves when one of some events has come.
///
/// That of a request's signal tells that the client has left. The platform lets go of the promises
/// of such a request without settling them, so a future that awaits one would never be dropped.
pub(crate) struct Heard {
    heard: oneshot::Receiver<()>,
    _listening: Listening,
}

impl Heard {
    pub(crate) fn of(
        target: &EventTarget,
        kinds: &'static [&'static str],
    ) -> Result<Self, JsValue> {
        let (tell, heard) = oneshot::channel();
        let mut tell = Some(tell);
        let hear = move |_| {
            if let Some(tell) = tell.take() {
                let _ = tell.send(());
            }
        };
        Ok(Self {
            heard,
            _listening: Listening::to(target, kinds, hear)?,
        })
    }
}

impl Future for Heard {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.heard.poll_unpin(context).map(drop)
    }
}

/// The messages of a socket as a response's body, until it closes or the client leaves.
///
/// Not by `Response::from_stream`: what that makes cannot be ended from outside, which
/// `js/entry.js` must be able to when the instance is replaced that feeds it.
fn event_stream(socket: WebSocket, signal: &AbortSignal) -> Result<ReadableStream, JsValue> {
    let mut events = Events::of(socket, signal)?;
    let through = TransformStream::new()?;
    let writer = through.writable().get_writer()?;
    let mut gone = settled(writer.closed());
    let mut left = Heard::of(signal, &["abort"])?;
    guard::spawn_stream(writer.clone(), async move {
        while let Either::Left((Some(text), _)) = select(events.next(), &mut gone).await {
            let bytes = Uint8Array::from(text.as_bytes());
            // The write stays pending while the client reads nothing; the client may leave meanwhile.
            let written = settled(writer.write_with_chunk(&bytes));
            match select(written, &mut left).await {
                Either::Left((Ok(_), _)) => {}
                _ => return,
            }
        }
        drop(events);
        select(settled(writer.close()), left).await;
    });
    Ok(through.readable())
}

/// A socket's messages as a stream of Server-Sent Events.
struct Events {
    messages: mpsc::UnboundedReceiver<String>,
    closed: Heard,
    left: Heard,
    ping: Delay,
    socket: WebSocket,
    _listening: Listening,
}

impl Events {
    fn of(socket: WebSocket, signal: &AbortSignal) -> Result<Self, JsValue> {
        let (tell, messages) = mpsc::unbounded();
        // How long the client's pause is before it connects again.
        let _ = tell.unbounded_send("retry: 2000\n\n".to_owned());
        let hear = move |event: JsValue| {
            let data = event.unchecked_into::<MessageEvent>().data();
            let _ = tell.unbounded_send(data.as_string().unwrap_or_default());
        };
        let events = Self {
            messages,
            _listening: Listening::to(socket.as_ref(), &["message"], hear)?,
            closed: Heard::of(socket.as_ref(), &["close", "error"])?,
            left: Heard::of(signal, &["abort"])?,
            ping: Delay::from(PING_EVERY),
            socket,
        };
        events.socket.accept()?;
        Ok(events)
    }
}

impl Stream for Events {
    type Item = String;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(message) = self.messages.poll_next_unpin(context) {
            return Poll::Ready(message);
        }
        let is_over = self.closed.poll_unpin(context).is_ready();
        if is_over || self.left.poll_unpin(context).is_ready() {
            return Poll::Ready(None);
        }
        if self.ping.poll_unpin(context).is_pending() {
            return Poll::Pending;
        }
        self.ping = Delay::from(PING_EVERY);
        Poll::Ready(Some(": still waiting\n\n".to_owned()))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        close(&self.socket);
    }
}

fn trouble(why: impl Into<JsValue>) -> ApiError {
    log_error("a token's object took no waiter", &why.into());
    ApiError::StorageUnavailable
}
