//! `waitForToken`: waits by a WebSocket if possible, otherwise by long polls, otherwise by polling.

use super::browser::{Request, ask};
use super::events::{Events, is_aborted};
use super::http::{Attempt, HttpTransport};
use super::js::{concat, get, parse_json, set};
use super::reference::Action;
use super::response::{is_finished, parse_token};
use super::retry::{RECONNECT, Retry, RetryHint, UNLIMITED};
use core::cell::Cell;
use js_sys::Date;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::WebSocket;

/// The server was reached before the wait began, so retries are unlimited.
const RETRY: Retry = Retry {
    max_attempts: UNLIMITED,
    min: 500.0,
    max: 10_000.0,
    factor: 2.0,
};

/// How long a server holds a long poll, in milliseconds.
const POLL_HOLD: f64 = 25_000.0;
/// A long poll that ends within this many milliseconds was not held.
const MIN_HOLD: f64 = 1_000.0;
/// After this many milliseconds without a message a ping is sent on the socket.
const PING_AFTER: f64 = 30_000.0;
/// The longest timer that JavaScript has.
const LONGEST_TIMER: f64 = 2_147_483_647.0;

/// Waits for the end of a token.
pub(crate) async fn wait(token: JsValue, options: JsValue) -> Result<JsValue, JsValue> {
    let request = |action, until_finished| {
        ask(Request {
            action,
            token: &token,
            options: &options,
            body: None,
            until_finished,
        })
    };
    let (_, first) = request(Action::Retrieve, false).await?;
    let first = parse_token(first)?;
    if is_finished(&first) {
        return Ok(first);
    }
    let last = match request(Action::Wait, true).await {
        // trigger.dev has no endpoint to wait, so the token is polled.
        Err(error) if get(&error, "status") == 404 && get(&error, "code") != "token_not_found" => {
            request(Action::Retrieve, true).await
        }
        last => last,
    };
    let (_, last) = last?;
    // The socket's message has a URL without a credential.
    set(&last, "url", &get(&first, "url"));
    parse_token(last)
}

/// The additional state of a request that waits for a token. A 2xx response is the token's end.
pub(crate) struct WaitTransport {
    /// Whether the server holds the request. Otherwise the token is polled.
    pub(crate) is_held: bool,
    /// How long opening a socket, or an answer to a ping, may take, in milliseconds.
    patience: f64,
    tries_sockets: Cell<bool>,
    has_received: Cell<bool>,
}

#[wasm_bindgen(module = "/pkg/shared.js")]
extern "C" {
    /// Opens a socket. In Node, a released socket does not keep the process alive.
    #[wasm_bindgen(catch, js_name = openSocket)]
    fn open_socket(url: &str, bearer: &str) -> Result<WebSocket, JsValue>;
    #[wasm_bindgen(js_name = releaseSocket)]
    fn release_socket(socket: &WebSocket);
}

/// Whether a subprotocol can contain this key. Some characters are separators there.
fn fits_protocol(bearer: &str) -> bool {
    let is_separator = |byte: u8| br#""(),/:;<=>?@[\]{}"#.contains(&byte);
    !bearer.bytes().any(is_separator)
}

impl WaitTransport {
    /// Makes a request wait for the end of the token.
    pub(crate) fn add_to(transport: &mut HttpTransport, action: Action) {
        let patience = transport.timeout;
        let is_held = action == Action::Wait;
        if is_held {
            transport.timeout = (patience + POLL_HOLD).min(LONGEST_TIMER);
        }
        transport.wait = Some(Self {
            is_held,
            patience,
            tries_sockets: Cell::new(is_held),
            has_received: Cell::new(false),
        });
        transport.retry = RETRY;
    }

    /// Makes one attempt: by a socket if possible, otherwise by a request.
    pub(crate) async fn send(&self, transport: &HttpTransport) -> Attempt {
        let received = self.receive(transport).await;
        if !received.is_undefined() {
            self.has_received.set(true);
            let status = if is_finished(&received) {
                200
            } else {
                RECONNECT
            };
            return Attempt {
                hint: RetryHint::of_status(status),
                result: Ok((None, received)),
            };
        }
        // A request is also sent if the socket was rejected, because its events do not say why.
        let sent_at = Date::now();
        let mut attempt = transport.try_once().await;
        if let Ok((_, body)) = &attempt.result
            && !is_finished(body)
        {
            // Requests reach the server, but sockets never have, because of a proxy or a policy. So
            // no more sockets are tried.
            self.tries_sockets
                .set(self.tries_sockets.get() && self.has_received.get());
            // A server that does not hold requests is polled ever less often.
            let was_held = self.is_held && Date::now() - sent_at > MIN_HOLD;
            attempt.hint.status = if was_held { RECONNECT } else { 0 };
        }
        attempt
    }

    /// Opens a socket; `None` if sockets are unavailable or not allowed, as from an HTTPS page to an
    /// HTTP server.
    fn open(&self, transport: &HttpTransport) -> Option<WebSocket> {
        let is_possible = self.tries_sockets.get()
            && !is_aborted(&transport.signal)
            && fits_protocol(&transport.bearer);
        if !is_possible {
            return None;
        }
        // `http` becomes `ws`, and `https` becomes `wss`.
        open_socket(&concat(&["ws", transport.url.get(4..)?]), &transport.bearer).ok()
    }

    /// The last message of a socket before it ended; undefined if there was none.
    async fn receive(&self, transport: &HttpTransport) -> JsValue {
        let mut received = JsValue::UNDEFINED;
        let Some(socket) = self.open(transport) else {
            return received;
        };
        let mut events = Events::new(&transport.signal, self.patience).or_online();
        // Node reports a rejected handshake only by `error`.
        for name in ["message", "close", "error"] {
            events.listen(&socket, name);
        }
        let mut awaits_pong = true;
        loop {
            let event = (&mut events).await;
            let message = get(&event, "data");
            if message.is_string() {
                let message_json = parse_json(&message);
                if !message_json.is_undefined() {
                    received = message_json;
                }
                if is_finished(&received) {
                    break;
                }
                awaits_pong = false;
                events.restart_timer(PING_AFTER);
            } else if event.is_undefined() && !awaits_pong {
                let _ = socket.send_with_str("ping");
                awaits_pong = true;
                events.restart_timer(self.patience);
            } else {
                break;
            }
        }
        drop(events);
        let _ = socket.close();
        release_socket(&socket);
        received
    }
}
