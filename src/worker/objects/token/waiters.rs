//! Clients that wait at a token's object, each with a hibernating socket.

use crate::domain::api::event_stream::event;
use crate::domain::api::token_body::{Visibility, token_json, version};
use crate::domain::stored::message::TokenReply;
use crate::domain::token::Token;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;
use web_sys::Response;
use worker::worker_sys::WebSocketRequestResponsePair;
use worker::worker_sys::ext::WebSocketExt;
use worker::{ResponseBuilder, State, WebSocket, WebSocketPair};

/// The header of the request that opens a waiter's socket. It holds a [`Waiter`].
pub(crate) const WAITER_HEADER: &str = "waitpoint-waiter";

/// A client that waits. This is the socket's attachment, which is kept while the object hibernates.
#[derive(Serialize, Deserialize)]
pub(crate) struct Waiter {
    /// The `token.url` in the messages.
    pub(crate) url: String,
    #[serde(rename = "hears")]
    pub(crate) kind: WaiterKind,
}

impl Waiter {
    /// Parses the JSON of the header or the attachment.
    pub(crate) fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

/// The messages that a waiter gets.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WaiterKind {
    /// The token as JSON.
    Token,
    /// The token at its end, as a [`TokenReply`]: a Worker makes the response to a long poll from it, and
    /// need not read the token once more. While the token waits, no message.
    End,
    /// A Server-Sent Event, unless the client has seen this one.
    Events { seen: String },
}

/// The most bytes that are sent to waiters at once. Messages stay in memory until they are received,
/// so a long output for many waiters would fill the isolate. Further sockets are closed with a code
/// that makes clients reconnect.
const MAX_SENT: usize = 16 * 1024 * 1024;

/// Close codes of RFC 6455 and its registry.
const FINISHED: u16 = 1000;
const UNKNOWN_WAITER: u16 = 1012;
const TRY_AGAIN: u16 = 1013;

/// The message for waiters.
pub(crate) struct Update<'a> {
    /// The public id.
    pub(crate) id: &'a str,
    pub(crate) token: &'a Token,
}

impl Update<'_> {
    /// What this waiter gets, `None` if that is nothing: mostly the token as retrieve returns it, with
    /// the waiter's own URL.
    fn message(&self, waiter: &Waiter) -> Option<String> {
        let json = || token_json(self.id, &waiter.url, self.token, Visibility::Token);
        match &waiter.kind {
            WaiterKind::Token => Some(json()),
            WaiterKind::End => self.is_final().then(|| {
                let reply = TokenReply::Found(self.token.clone());
                String::from_utf8(reply.to_bytes()).unwrap_or_default()
            }),
            WaiterKind::Events { seen } => {
                let version = version(self.token);
                (*seen != version).then(|| event(&version, &json()))
            }
        }
    }

    fn is_final(&self) -> bool {
        self.token.finished_at().is_some()
    }

    /// Sends a message to a waiter, if there is one. Returns its length in bytes.
    fn send(&self, socket: &WebSocket, message: Option<&str>) -> worker::Result<usize> {
        let length = message.map_or(0, str::len);
        if let Some(message) = message {
            socket.send_with_str(message)?;
        }
        if self.is_final() {
            socket.close(Some(FINISHED), Some("finished"))?;
        }
        Ok(length)
    }
}

/// Accepts a waiter and sends it the current state. While the token waits, the socket hibernates and
/// costs nothing.
pub(crate) fn accept(
    state: &State,
    waiter: &Waiter,
    update: &Update<'_>,
) -> Result<Response, JsValue> {
    let WebSocketPair { client, server } = WebSocketPair::new()?;
    if update.is_final() {
        server.accept()?;
    } else {
        let pair = WebSocketRequestResponsePair::new("ping", "pong")?;
        // These are the platform's own methods: those of `worker` panic on an exception.
        state.as_raw().set_websocket_auto_response(&pair)?;
        let attachment = serde_json::to_string(waiter).unwrap_or_default();
        // This comes first because it can fail, and a socket without an attachment could not be
        // notified.
        server.as_ref().serialize_attachment(attachment.into())?;
        state.as_raw().accept_websocket(server.as_ref())?;
    }
    update.send(&server, update.message(waiter).as_deref())?;
    let response = ResponseBuilder::new()
        .with_status(101)
        .with_websocket(client);
    Ok(response.empty().into())
}

/// The sockets of the clients that wait. The platform lists a socket that the object has closed until
/// the client's close frame arrives, which may be never. Such sockets are left out.
pub(crate) fn open_sockets(state: &State) -> Result<Vec<WebSocket>, JsValue> {
    let sockets = state.as_raw().get_websockets()?.into_iter();
    Ok(sockets.filter(is_open).map(WebSocket::from).collect())
}

/// Whether anybody waits. If that cannot be known somebody may: an early alarm does no harm.
pub(crate) fn has_any(state: &State) -> bool {
    let sockets = state.as_raw().get_websockets();
    sockets.map_or(true, |sockets| sockets.iter().any(is_open))
}

fn is_open(socket: &web_sys::WebSocket) -> bool {
    socket.ready_state() == web_sys::WebSocket::OPEN
}

/// Sends these waiters the token. If it has ended, their sockets are closed.
pub(crate) fn notify(sockets: Vec<WebSocket>, update: &Update<'_>) -> Result<(), JsValue> {
    let mut sent = 0;
    // Most waiters of a token have asked for the same, so a message is made once for all in a row.
    let mut attachment = String::new();
    let mut message = None;
    for socket in sockets {
        let of_socket = socket.as_ref().deserialize_attachment()?;
        let of_socket = of_socket.as_string().unwrap_or_default();
        if of_socket != attachment || message.is_none() {
            message = Waiter::parse(&of_socket).map(|waiter| update.message(&waiter));
            attachment = of_socket;
        }
        let length = match &message {
            Some(_) if sent > MAX_SENT => {
                let closed = socket.close(Some(TRY_AGAIN), Some("connect again"));
                closed.map(|()| 0)
            }
            Some(message) => update.send(&socket, message.as_deref()),
            None => {
                let closed = socket.close(Some(UNKNOWN_WAITER), Some("unknown waiter"));
                closed.map(|()| 0)
            }
        };
        // The client may have left just now.
        sent += length.unwrap_or(0);
    }
    Ok(())
}
