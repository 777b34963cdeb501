//! A call that is held until somebody decides, or for a while.

use super::tools::Failed;
use super::{Agent, Call, read};
use crate::domain::api::error::ApiError;
use crate::domain::api::route::token_url;
use crate::domain::auth::token_id::public_id;
use crate::domain::mcp::client::Client;
use crate::domain::mcp::{message, outcome};
use crate::domain::token::{State, Token};
use crate::worker::events::FirstEvent;
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::Permit;
use crate::worker::http::request::{Head, header};
use crate::worker::http::response::{HandlerResponse, Reply};
use crate::worker::http::routes::wait::ended;
use crate::worker::http::routes::wait_events::{close, text_stream};
use crate::worker::http::token_object::{self, unavailable};
use crate::worker::objects::token::waiters::{Waiter, WaiterKind};
use futures_util::future::{Either, select};
use futures_util::{StreamExt, stream};
use std::time::Duration;
use wasm_bindgen::JsValue;
use worker::{Delay, Env, WebSocket};

/// How long a call is held for a decision: many clients give up after 60 seconds.
const WAIT: Duration = Duration::from_secs(25);
/// How often a client that waits hears that nobody has decided yet.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);
impl Call<'_> {
    /// Answers with the decision, or after a while that there is none yet.
    pub(super) async fn wait(
        &self,
        permit: Permit,
        id: String,
        token: Token,
    ) -> Result<HandlerResponse, Failed> {
        let context = self.context;
        let decision = |token: &Token| {
            let json = outcome::decision_json(&public_id(&id), token, None);
            self.reply(&outcome::call_result(&self.client, &json))
        };
        if token.state != State::Waiting {
            return Ok(decision(&token));
        }
        let environment = self.agent.environment;
        let waiter = Waiter {
            url: token_url(context.link_origin(environment), &id),
            kind: WaiterKind::End,
        };
        let socket = token_object::wait(context, &permit, environment, &id, &waiter).await;
        let socket = match socket {
            Ok(socket) => socket,
            Err(ApiError::TokenNotFound) => return Ok(decision(&token)),
            Err(error) => return Err(error.into()),
        };
        let accepts_events = header(context.request, "accept").contains("text/event-stream");
        if let (Some(progress_token), true) = (self.client.progress_token.clone(), accepts_events) {
            let waiting = Waiting {
                env: context.env.clone(),
                request: Clone::clone(context.request),
                agent: self.agent,
                permit,
                client: self.client.clone(),
                rpc_id: self.request.id.to_owned(),
                progress_token,
                id,
                token: Some(token),
                closed: FirstEvent::of(socket.as_ref(), &["close", "error"]).map_err(no_waiter)?,
                waited: Duration::ZERO,
                socket,
            };
            waiting.socket.accept().map_err(no_waiter)?;
            let texts = stream::unfold(waiting, Waiting::next).boxed_local();
            let stream = text_stream(texts, &context.request.signal()).map_err(no_waiter)?;
            // Proxies are to pass each notice on at once.
            let reply = Reply::events(stream).with_fixed("x-accel-buffering", "no");
            return Ok(reply.into());
        }
        let ended = ended(socket, WAIT, context.request.signal()).await;
        let token = match ended.map_err(no_waiter)? {
            Some(token) => token,
            None => self.read(&permit, &id).await?,
        };
        Ok(decision(&token))
    }
}

fn no_waiter(why: impl Into<JsValue>) -> Failed {
    unavailable("a token's object took no waiter", &why.into()).into()
}

/// A call that waits for a decision, and tells its client so.
struct Waiting {
    env: Env,
    request: web_sys::Request,
    agent: Agent,
    /// That of the call, which this is a part of.
    permit: Permit,
    client: Client,
    rpc_id: String,
    progress_token: String,
    /// The internal id.
    id: String,
    /// `None` once the result was sent.
    token: Option<Token>,
    closed: FirstEvent,
    waited: Duration,
    socket: WebSocket,
}

impl Waiting {
    /// The next event, and the last one.
    async fn next(mut self) -> Option<(String, Self)> {
        let known = self.token.take()?;
        let tick = Delay::from(PROGRESS_EVERY);
        if let Either::Right(_) = select(&mut self.closed, tick).await {
            self.waited += PROGRESS_EVERY;
            if self.waited < WAIT {
                let text = message::progress(&self.progress_token, self.waited.as_secs());
                self.token = Some(known);
                return Some((message::event(&text), self));
            }
        }
        let head = Head::of(&self.request);
        let context = RequestContext::new(&self.request, &head, None, &self.env);
        let token = read(&context, &self.permit, self.agent, &self.id).await;
        let token = token.unwrap_or(known);
        let decision = outcome::decision_json(&public_id(&self.id), &token, None);
        let result = outcome::call_result(&self.client, &decision);
        let text = message::event(&message::response(&self.rpc_id, &result));
        Some((text, self))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        close(&self.socket);
    }
}
