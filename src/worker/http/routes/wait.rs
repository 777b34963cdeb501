//! `GET …/{id}/wait`: answers when the token ends.
//!
//! Invariant: the object holds only hibernating sockets, however a client waits. When a client
//! leaves, nothing of it stays.

use crate::domain::api::error::ApiError;
use crate::domain::api::route::token_url;
use crate::domain::api::token_body::is_version;
use crate::domain::auth::token_id::internal_id;
use crate::domain::stored::envelope::ResponseContext;
use crate::domain::stored::message::TokenReply;
use crate::domain::token::Token;
use crate::worker::events::{Aborted, FirstEvent, Listener};
use crate::worker::http::authenticate::authenticate_for;
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::{enforce, reader_limit};
use crate::worker::http::request::WaitHead;
use crate::worker::http::response::{HandlerResponse, Reply};
use crate::worker::http::routes::retrieve::token_response;
use crate::worker::http::routes::wait_events::{close, event_stream};
use crate::worker::http::token_object::{self, response_context, unavailable};
use crate::worker::http::upstream_token::{import_from_upstream, upstream_of};
use crate::worker::now;
use crate::worker::objects::token::waiters::{Waiter, WaiterKind};
use crate::worker::settings;
use futures_util::future::select;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, MessageEvent};
use worker::{Delay, Response, WebSocket};

/// The subprotocol that the server speaks.
const PROTOCOL: &str = "waitpoint.v1";
/// The prefix of a second subprotocol, which carries the credential: browsers cannot set headers on a
/// WebSocket.
const BEARER: &str = "bearer.";
/// The longest that a request is held, in seconds: many clients and proxies give up after 30.
const LONGEST_POLL: u32 = 25;

const LONGEST_RELAYED_POLL: u32 = 10;

pub(crate) async fn wait(
    context: &RequestContext<'_>,
    raw_id: &str,
) -> Result<HandlerResponse, ApiError> {
    let head = WaitHead::of(context.request);
    let authorization = credential(context, &head);
    let caller = settings::keyring(context.env)?.authenticate(authorization, context.now);
    let caller = authenticate_for(context, caller, authorization, raw_id).await?;
    if !caller.allows("read", raw_id) {
        return Err(ApiError::InsufficientScope);
    }
    let environment = caller.environment();
    let internal = internal_id(raw_id).ok_or(ApiError::TokenNotFound)?;
    let permit = enforce(context, reader_limit(&caller, authorization)).await?;
    let waits = head.upgrades() || head.wants_events() || head.wait() > Some(0);
    if let (Some(upstream), true) = (upstream_of(context, environment)?, waits) {
        import_from_upstream(context, &permit, &caller, internal, upstream).await?;
    }
    let open = async |kind| {
        let url = token_url(context.link_origin(environment), internal);
        let waiter = Waiter { url, kind };
        token_object::wait(context, &permit, environment, internal, &waiter).await
    };
    if head.upgrades() {
        return socket_response(&head, open(WaiterKind::Token).await?);
    }
    if head.wants_events() {
        let seen = last_event(&head).to_owned();
        let socket = open(WaiterKind::Events { seen }).await?;
        let stream = event_stream(socket, &context.request.signal()).map_err(no_waiter)?;
        return Ok(Reply::events(stream).into());
    }
    // Upstream is asked before and after the wait, so a relayed request is held for less time.
    let longest = match upstream_of(context, environment)? {
        None => LONGEST_POLL,
        Some(_) => LONGEST_RELAYED_POLL,
    };
    let seconds = head.wait().unwrap_or(0).min(longest);
    let waited = head.wait().map(|_| seconds);
    if seconds > 0 {
        let mut token = None;
        match open(WaiterKind::End).await {
            Ok(socket) => {
                let longest = Duration::from_secs(seconds.into());
                let ended = ended(socket, longest, context.request.signal()).await;
                token = ended.map_err(no_waiter)?;
            }
            // The read below answers 404 in this case.
            Err(ApiError::TokenNotFound) => {}
            Err(error) => return Err(error),
        }
        if let (Some(token), None) = (token, upstream_of(context, environment)?) {
            let response_context = ResponseContext {
                waited,
                ..response_context(context, &caller)
            };
            let reply = response_context.render(&token, environment, internal, now());
            return Ok(reply.into());
        }
    }
    token_response(context, &permit, caller, internal, waited).await
}

/// The credential in the header or the subprotocol. It is never taken from the query, because queries
/// are logged.
fn credential<'a>(context: &RequestContext<'a>, head: &'a WaitHead) -> &'a str {
    let offered = head
        .protocols()
        .find_map(|protocol| protocol.strip_prefix(BEARER));
    match offered {
        Some(jwt) if context.head.authorization().is_empty() => jwt,
        _ => context.head.authorization(),
    }
}

/// The id of the last event that the client received. Other texts are ignored, because the id is
/// stored in the socket's attachment, which has a size limit.
fn last_event(head: &WaitHead) -> &str {
    let seen = head.last_event();
    if is_version(seen) { seen } else { "" }
}

fn socket_response(head: &WaitHead, socket: WebSocket) -> Result<HandlerResponse, ApiError> {
    let response = Response::from_websocket(socket).map_err(no_waiter)?;
    if head.protocols().any(|protocol| protocol == PROTOCOL) {
        let headers = response.headers();
        headers
            .set("sec-websocket-protocol", PROTOCOL)
            .map_err(no_waiter)?;
    }
    Ok(HandlerResponse::Forwarded(response.into()))
}

/// Resolves when the object closes the socket, when the time is up, or when the client leaves; with the
/// token if the object has sent its end.
pub(crate) async fn ended(
    socket: WebSocket,
    longest: Duration,
    signal: AbortSignal,
) -> Result<Option<Token>, worker::Error> {
    let sent = Rc::new(RefCell::new(String::new()));
    let message = Rc::clone(&sent);
    let on_message = move |event: JsValue| {
        let data = event.unchecked_into::<MessageEvent>().data();
        message.replace(data.as_string().unwrap_or_default());
    };
    let _listener = Listener::new(socket.as_ref(), &["message"], on_message)?;
    let left = Aborted::of(signal)?;
    // The object closes the socket when the token ends, and the platform does when it evicts the
    // object.
    let closed = FirstEvent::of(socket.as_ref(), &["close", "error"])?;
    socket.accept()?;
    select(closed, select(Delay::from(longest), left)).await;
    close(&socket);
    Ok(match TokenReply::from_bytes(sent.take().as_bytes()) {
        Ok(TokenReply::Found(token)) => Some(token),
        _ => None,
    })
}

fn no_waiter(why: impl Into<JsValue>) -> ApiError {
    unavailable("a token's object took no waiter", &why.into())
}
