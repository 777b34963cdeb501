//! `waitForToken`: by socket where there is one, else by long poll, else by asking again and again.

use super::browser::{Request, ask};
use super::events::{Events, is_aborted};
use super::http::{Attempt, AttemptResult, HttpTransport};
use super::js::{concat, get, parse_json, set};
use super::reference::Action;
use super::response::{is_finished, parse_token};
use super::retry::{RECONNECT, Retry, RetryHint, UNLIMITED};
use alloc::string::String;
use core::cell::Cell;
use js_sys::Date;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::WebSocket;

/// A server that was reached once will be reached again.
const RETRY: Retry = Retry {
    max_attempts: UNLIMITED,
    min: 500.0,
    max: 10_000.0,
    factor: 2.0,
};

/// Milliseconds that a server holds a long poll.
const HELD: f64 = 25_000.0;
/// An answer sooner than this many milliseconds was not held.
const NOT_HELD: f64 = 1_000.0;
/// Silence, in milliseconds, after which a socket is asked whether it lives.
const SILENCE: f64 = 30_000.0;
/// The longest timer that JavaScript has.
const LONGEST_TIMER: f64 = 2_147_483_647.0;

/// The token when it is finished.
pub(crate) async fn wait(token: JsValue, options: JsValue) -> Result<JsValue, JsValue> {
    let request = |action, until_finished| Request {
        action,
        token: &token,
        options: &options,
        body: None,
        until_finished,
    };
    let (_, first) = ask(request(Action::Retrieve, false)).await?;
    let first = parse_token(first)?;
    if is_finished(&first) {
        return Ok(first);
    }
    let last = match ask(request(Action::Wait, true)).await {
        // trigger.dev's, where nobody can wait.
        Err(error) if get(&error, "status") == 404 && get(&error, "code") != "token_not_found" => {
            ask(request(Action::Retrieve, true)).await
        }
        last => last,
    };
    let (_, last) = last?;
    // A socket's has no credential.
    set(&last, "url", &get(&first, "url"));
    parse_token(last)
}

/// What a request adds that asks for the end of a token. An answer of 2xx is that end.
pub(crate) struct WaitTransport {
    /// The server holds the request; else it is asked again and again.
    is_held: bool,
    /// Milliseconds to open a socket, and to answer on one.
    patience: f64,
    tries_sockets: Cell<bool>,
    has_heard: Cell<bool>,
}

#[wasm_bindgen(module = "/pkg/shared.js")]
extern "C" {
    /// Opens a socket; in Node one that does not keep its process once it is released.
    #[wasm_bindgen(catch, js_name = openSocket)]
    fn open_socket(url: &str, bearer: &str) -> Result<WebSocket, JsValue>;
    #[wasm_bindgen(js_name = releaseSocket)]
    fn release_socket(socket: &WebSocket);
}

/// Whether a subprotocol may hold this key: some characters are separators there.
fn fits_protocol(bearer: &str) -> bool {
    let separators = b"\"(),/:;<=>?@[\\]{}";
    !bearer.bytes().any(|byte| separators.contains(&byte))
}

impl WaitTransport {
    /// Makes a request one that asks for the end.
    pub(crate) fn add_to(transport: &mut HttpTransport, action: Action) -> Retry {
        let patience = transport.timeout;
        let is_held = action == Action::Wait;
        if is_held {
            transport.timeout = (patience + HELD).min(LONGEST_TIMER);
            transport.header = Some(("prefer", String::from("wait=25")));
        }
        transport.wait = Some(Self {
            is_held,
            patience,
            tries_sockets: Cell::new(is_held),
            has_heard: Cell::new(false),
        });
        RETRY
    }

    /// One attempt: by a socket if there is one, else by a request.
    pub(crate) async fn send(&self, transport: &HttpTransport) -> Attempt {
        let heard = self.listen(transport).await;
        if !heard.is_undefined() {
            self.has_heard.set(true);
            let status = if is_finished(&heard) { 200 } else { RECONNECT };
            return Attempt {
                hint: RetryHint::of_status(status),
                result: AttemptResult::Answered {
                    response: None,
                    body: heard,
                },
            };
        }
        // Also when a socket was refused, which does not tell why.
        let asked_at = Date::now();
        let mut attempt = transport.try_once().await;
        if let AttemptResult::Answered { body, .. } = &attempt.result
            && attempt.hint.is_success()
            && !is_finished(body)
        {
            // It is reached by requests alone: there is a proxy between, or a policy.
            self.tries_sockets
                .set(self.tries_sockets.get() && self.has_heard.get());
            // A server that does not hold the request is asked ever more seldom.
            let was_held = self.is_held && Date::now() - asked_at > NOT_HELD;
            attempt.hint.status = if was_held { RECONNECT } else { 0 };
        }
        attempt
    }

    /// None where there are no sockets, or none may be opened: a page of HTTPS and a server of HTTP.
    fn open(&self, transport: &HttpTransport) -> Option<WebSocket> {
        let is_possible = self.tries_sockets.get()
            && !is_aborted(&transport.signal)
            && fits_protocol(&transport.bearer);
        if !is_possible {
            return None;
        }
        // http becomes ws, and https wss.
        open_socket(&concat(&["ws", transport.url.get(4..)?]), &transport.bearer).ok()
    }

    /// What a socket said last before it ended; undefined if it said nothing, or there is none.
    async fn listen(&self, transport: &HttpTransport) -> JsValue {
        let mut heard = JsValue::UNDEFINED;
        let Some(socket) = self.open(transport) else {
            return heard;
        };
        let mut events = Events::new(&transport.signal, self.patience).or_online();
        // Node tells of a refused handshake by `error` alone.
        for name in ["message", "close", "error"] {
            events.listen(&socket, name);
        }
        let mut is_asked = true;
        loop {
            let event = events.next().await;
            let message = get(&event, "data");
            if message.is_string() {
                let said = parse_json(&message);
                if !said.is_undefined() {
                    heard = said;
                }
                if is_finished(&heard) {
                    break;
                }
                is_asked = false;
                events.restart_timer(SILENCE);
            } else if event.is_undefined() && !is_asked {
                let _ = socket.send_with_str("ping");
                is_asked = true;
                events.restart_timer(self.patience);
            } else {
                break;
            }
        }
        drop(events);
        let _ = socket.close();
        release_socket(&socket);
        heard
    }
}
