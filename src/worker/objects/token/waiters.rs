//! Who waits at a token's object: hibernating sockets.

use crate::domain::api::event_stream::event;
use crate::domain::api::token_body::{Visibility, token_json, version};
use crate::domain::token::Token;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;
use web_sys::Response;
use worker::worker_sys::WebSocketRequestResponsePair;
use worker::worker_sys::ext::WebSocketExt;
use worker::{ResponseBuilder, State, WebSocket, WebSocketPair};

/// What brings a waiter's socket to a token's object: a [`Waiter`].
pub(crate) const WAITER_HEADER: &str = "waitpoint-waiter";

/// Who waits. It is the socket's attachment, which outlives the object's memory.
#[derive(Serialize, Deserialize)]
pub(crate) struct Waiter {
    /// The URL of the token that its messages show.
    pub(crate) url: String,
    pub(crate) hears: Hears,
}

impl Waiter {
    /// As a header or an attachment has it: JSON.
    pub(crate) fn parse(json: &str) -> Option<Self> {
        serde_json::from_slice(json.as_bytes()).ok()
    }
}

/// What a waiter's messages are.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hears {
    /// The token as JSON.
    Token,
    /// No message. The socket's close tells a long poll that the token has ended.
    End,
    /// An event as a stream of Server-Sent Events has it, unless this one was seen already.
    Events { seen: String },
}

/// Most bytes that are sent to waiters at once. They stay in memory until they are received, so many
/// waiters for an output of megabytes would fill the isolate. The others are closed with a code that
/// makes clients connect again.
const MOST_SENT: usize = 16 * 1024 * 1024;

/// Close codes of RFC 6455 and its registry.
const FINISHED: u16 = 1000;
const UNKNOWN_WAITER: u16 = 1012;
const TRY_AGAIN: u16 = 1013;

/// What waiters are told.
pub(crate) struct Notice<'a> {
    /// The public id.
    pub(crate) id: &'a str,
    pub(crate) token: &'a Token,
}

impl Notice<'_> {
    /// The token as retrieve returns it, but for the URL; nothing if this waiter has seen it.
    fn message(&self, waiter: &Waiter) -> Option<String> {
        let json = || token_json(self.id, &waiter.url, self.token, Visibility::Token);
        match &waiter.hears {
            Hears::Token => Some(json()),
            Hears::End => None,
            Hears::Events { seen } => {
                let version = version(self.token);
                (seen != version).then(|| event(version, &json()))
            }
        }
    }

    fn is_final(&self) -> bool {
        self.token.finished_at().is_some()
    }

    /// Sends its message to a waiter and returns that one's length in bytes.
    fn send(&self, socket: &WebSocket, waiter: &Waiter) -> worker::Result<usize> {
        let message = self.message(waiter);
        let length = message.as_ref().map_or(0, String::len);
        if let Some(message) = message {
            socket.send_with_str(message)?;
        }
        if self.is_final() {
            socket.close(Some(FINISHED), Some("finished"))?;
        }
        Ok(length)
    }
}

/// Takes a waiter and tells it how the token stands. While the token waits the socket hibernates:
/// it costs nothing.
pub(crate) fn accept(
    state: &State,
    waiter: &Waiter,
    notice: &Notice<'_>,
) -> Result<Response, JsValue> {
    let WebSocketPair { client, server } = WebSocketPair::new()?;
    if notice.is_final() {
        server.accept()?;
    } else {
        let pair = WebSocketRequestResponsePair::new("ping", "pong")?;
        // By the raw state: that of `worker` panics if these throw.
        state.as_raw().set_websocket_auto_response(&pair)?;
        let attachment = serde_json::to_string(waiter).unwrap_or_default();
        // First, as it may fail: a waiter without it could not be told.
        server.as_ref().serialize_attachment(attachment.into())?;
        state.as_raw().accept_websocket(server.as_ref())?;
    }
    notice.send(&server, waiter)?;
    let response = ResponseBuilder::new()
        .with_status(101)
        .with_websocket(client);
    Ok(response.empty().into())
}

/// The sockets of those who wait. After the object has closed a socket the platform still lists it until the
/// client's close frame comes, which may be never. Those are left out: nobody waits there any more.
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

/// Tells these waiters that the token is finished, and closes their sockets.
pub(crate) fn notify(sockets: Vec<WebSocket>, notice: &Notice<'_>) -> Result<(), JsValue> {
    let mut sent = 0;
    for socket in sockets {
        let attachment = socket.as_ref().deserialize_attachment()?;
        let length = match Waiter::parse(&attachment.as_string().unwrap_or_default()) {
            Some(_) if sent > MOST_SENT => {
                let closed = socket.close(Some(TRY_AGAIN), Some("connect again"));
                closed.map(|()| 0)
            }
            Some(waiter) => notice.send(&socket, &waiter),
            None => {
                let closed = socket.close(Some(UNKNOWN_WAITER), Some("unknown waiter"));
                closed.map(|()| 0)
            }
        };
        // It may have left in this very moment.
        sent += length.unwrap_or(0);
    }
    Ok(())
}
