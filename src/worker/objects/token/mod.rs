//! The Durable Object of one token. It runs a [`TokenActor`], which makes all decisions.
//!
//! Invariants:
//! - Storage is the truth. What is in memory only saves work and may be lost.
//! - There is no `await` between reading the record and writing it. So no other event comes in
//!   between, and the writes are one transaction. The response is sent when they are durable.
//! - Only the newest instance writes; one from before a panic refuses to.

mod effects;
mod message;
pub(crate) mod outbox;
pub(crate) mod response;
pub(crate) mod waiters;

use crate::domain::api::error::ApiError;
use crate::domain::approval::schema::MAX_CHOICE_OUTPUT;
use crate::domain::auth::token_id::public_id;
use crate::domain::inbox::render::MAX_OUTPUT;
use crate::domain::page::MAX_VOTE_ON_PAGE;
use crate::domain::stored::envelope::{self, ResponseContext};
use crate::domain::stored::line::Unreadable;
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::stored::record::{pack_record, unpack_record};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::CompletedBy;
use crate::domain::token::actor::TokenActor;
use crate::domain::token::command::{Command, Reply};
use crate::domain::token::effects::Input;
use crate::domain::token::record::Record;
use crate::domain::token::schedule::Alarm;
use crate::domain::token::transition::Outcome;
use crate::worker::guard::{self, panics};
use crate::worker::http::body;
use crate::worker::http::response::{Reply as HttpReply, respond, respond_status};
use crate::worker::objects::storage::{Saving, Stored, object_name};
use crate::worker::objects::token::effects::Failure;
use crate::worker::objects::token::waiters::{Update, WAITER_HEADER, Waiter};
use crate::worker::settings;
use crate::worker::{log_error, now};
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Response;
use worker::{DurableObject, Env, Request, State as ObjectState, durable_object};

/// The longest record that is cached, in bytes. The objects of an isolate share its memory.
const MAX_CACHED_RECORD: usize = 4_000;

/// The object of one token. `js/entry.js` handles the events of its sockets: a waiter that sends a
/// message is disconnected.
#[durable_object(alarm)]
pub struct TokenObject {
    object: Rc<Object>,
}

/// The object itself, which background tasks share.
struct Object {
    environment: String,
    /// The internal id.
    id: String,
    state: ObjectState,
    stored: Stored,
    env: Env,
    actor: RefCell<TokenActor>,
    /// The record as it was last read or written, if it is short. Reading it again costs a seventh of
    /// a request.
    cached: RefCell<Option<Record>>,
    /// The number of panics when this instance was created.
    generation: u32,
}

#[wasm_bindgen]
impl TokenObject {
    /// Answers a command that came in a header, like `fetch` but synchronously. `worker` has no name
    /// for such a method.
    ///
    /// A storage failure is a 503, so that the Worker can tell it from a bug.
    ///
    /// # Errors
    /// Fails if the response cannot be built.
    pub fn answer(&self, header: &str) -> Result<Response, JsValue> {
        self.object.on_command(header, &[])
    }
}

impl DurableObject for TokenObject {
    fn new(state: ObjectState, env: Env) -> Self {
        guard::log_panics();
        let name = object_name(&state);
        let (environment, id) = name.split_once('/').unwrap_or(("", ""));
        let object = Object {
            environment: environment.to_owned(),
            id: id.to_owned(),
            stored: Stored::of(&state),
            state,
            env,
            actor: RefCell::new(TokenActor::new(id.to_owned())),
            cached: RefCell::default(),
            generation: panics(),
        };
        Self {
            object: Rc::new(object),
        }
    }

    /// Accepts a waiter, or answers a command that came in a body.
    async fn fetch(&self, request: Request) -> worker::Result<worker::Response> {
        let object = &self.object;
        let answering = async {
            if let Some(waiter) = request.headers().get(WAITER_HEADER)? {
                let waiter = Waiter::parse(&waiter).ok_or(Unreadable)?;
                return object.accept_waiter(&waiter).await;
            }
            let bytes = body::whole(request.inner()).await?;
            object.on_command("", &bytes)
        };
        let response = guard::watch(&guard::request_key(&request), answering).await;
        Ok(response?.into())
    }

    /// Fails only if no alarm can be set either; the runtime then retries.
    async fn alarm(&self) -> worker::Result<worker::Response> {
        let object = &self.object;
        let handling = async {
            object.on_alarm().await?;
            worker::Response::empty()
        };
        guard::watch(&guard::alarm_key(&object.state), handling).await
    }
}

impl Object {
    fn on_command(self: &Rc<Self>, header: &str, body: &[u8]) -> Result<Response, JsValue> {
        let (message, context, text) = envelope::read(header, body)?;
        #[cfg(feature = "faults")]
        crate::worker::fault("fault:object", &text);
        let is_for_page = matches!(message, CommandMessage::ReadForPage);
        let now = now();
        let command = message.into_command(text);
        let reply = self.reply(command, is_for_page, now);
        match (reply, context) {
            (Ok((reply, _)), None) => respond("", Ok(reply.to_bytes())),
            (Ok((reply, callback)), Some(context)) => {
                let response = self.render(&context, &reply, callback.as_deref(), now);
                let response = response.unwrap_or_else(|error| HttpReply::error(&error));
                response.with_cors(&context.cors_origin).into_response()
            }
            (Err(failure), context) => {
                self.spawn_recovery(failure);
                let cors_origin = context.map_or(Cow::default(), |context| context.cors_origin);
                let response = HttpReply::error(&ApiError::StorageUnavailable);
                response.with_cors(&cors_origin).into_response()
            }
        }
    }

    /// Also returns the token's `callback`, if a callback brought the command.
    fn reply(
        self: &Rc<Self>,
        command: Command,
        is_for_page: bool,
        now: Timestamp,
    ) -> Result<(TokenReply, Option<String>), Failure> {
        let is_callback = command.completed_by() == Some(CompletedBy::Callback);
        let mut turn = self.handle(Input::Command(command), None, now)?;
        let mut token = turn.record.take().and_then(Record::into_token);
        let reply = turn.effects.reply.take().unwrap_or(Reply::NotFound);
        self.spawn(turn);
        if let (true, Some(token)) = (is_for_page, &mut token) {
            token.shorten_long_output(MAX_CHOICE_OUTPUT, MAX_OUTPUT + 1);
            token.leave_out_long_votes(MAX_VOTE_ON_PAGE);
        }
        let callback = token.as_ref().filter(|_| is_callback);
        let callback = callback.and_then(|token| token.callback.clone());
        Ok((TokenReply::new(reply, token), callback))
    }

    fn render(
        &self,
        context: &ResponseContext<'_>,
        reply: &TokenReply,
        callback: Option<&str>,
        now: Timestamp,
    ) -> Result<HttpReply, ApiError> {
        match reply {
            TokenReply::Decided(Outcome::Unsigned) => Err(ApiError::InvalidSignature),
            TokenReply::Decided(Outcome::ApproversOnly) => Err(ApiError::ApproversOnly),
            TokenReply::Decided(outcome) => Ok(context.render_outcome(*outcome, callback)),
            TokenReply::Invalid(issues) => Err(ApiError::InvalidFields(issues.clone())),
            TokenReply::LivesUpstream => Err(ApiError::NotSupportedUpstream),
            // Of these, no client is answered by the object.
            TokenReply::NotFound | TokenReply::Created | TokenReply::Reminded(_) => {
                Err(ApiError::TokenNotFound)
            }
            TokenReply::Found(token) => {
                let keyring = settings::keyring(&self.env)?;
                let environment = keyring.by_id(&self.environment);
                // The Worker already has newer settings with this environment. This object will have
                // them shortly.
                let environment = environment.ok_or(ApiError::StorageUnavailable)?;
                Ok(context.render(token, environment, &self.id, now))
            }
        }
    }

    /// Accepts a waiter, or tells it at once how the token ended.
    async fn accept_waiter(self: &Rc<Self>, waiter: &Waiter) -> Result<Response, JsValue> {
        let mut turn = match self.handle(Input::WaiterJoined, None, now()) {
            Ok(turn) => turn,
            Err(failure) => {
                self.spawn_recovery(failure);
                return respond_status(503);
            }
        };
        let token = turn.record.take().and_then(Record::into_token);
        let (alarm, reply) = (turn.effects.alarm.take(), turn.effects.reply.take());
        self.spawn(turn);
        let (Some(Reply::Found), Some(token)) = (reply, token) else {
            return respond_status(404);
        };
        let update = Update {
            id: &self.public_id(),
            token: &token,
        };
        let accepted = async {
            let response = waiters::accept(&self.state, waiter, &update)?;
            if let Some(alarm) = alarm {
                self.set_alarm(alarm).await?;
            }
            Ok(response)
        };
        let accepted = accepted.await;
        if accepted.is_err() {
            // The actor believes that the alarm is set.
            self.recover_or_log(None).await;
        }
        accepted
    }

    async fn on_alarm(&self) -> Result<(), JsValue> {
        let handled = match self.handle(Input::AlarmFired, None, now()) {
            Ok(turn) => self.carry_out(turn).await,
            Err(failure) => Err(failure),
        };
        let Err(Failure { why, task }) = handled else {
            return Ok(());
        };
        log_error("an alarm could not be handled", &why);
        self.recover(task).await
    }

    /// Fails if there was a panic since this instance was created. The token then has a newer
    /// instance, and this one must not write. The newer instance or the alarm continues its work.
    fn ensure_current(&self) -> Result<(), JsValue> {
        if self.generation == panics() {
            return Ok(());
        }
        Err(JsValue::from_str(
            "a newer instance has replaced this one after a panic",
        ))
    }

    /// The record as it was last written.
    fn load(&self) -> Result<Option<Record>, JsValue> {
        let is_current = self.ensure_current().is_ok();
        if let Some(record) = self.cached.borrow().as_ref().filter(|_| is_current) {
            return Ok(Some(record.clone()));
        }
        let Some(bytes) = self.stored.load_record()? else {
            return Ok(None);
        };
        let record = unpack_record(&bytes)?;
        self.cache(&record, &bytes);
        Ok(Some(record))
    }

    fn save(&self, record: &Record, alarm: Alarm) -> Result<Saving, JsValue> {
        self.ensure_current()?;
        let bytes = pack_record(record);
        // Emptied first: if the write fails, only storage has the record.
        self.cached.take();
        let saving = self.stored.save_record(&bytes, alarm)?;
        self.cache(record, &bytes);
        Ok(saving)
    }

    /// Caches a record; `bytes` is its stored form.
    fn cache(&self, record: &Record, bytes: &[u8]) {
        let is_short = bytes.len() <= MAX_CACHED_RECORD;
        self.cached.replace(is_short.then(|| record.clone()));
    }

    fn public_id(&self) -> String {
        public_id(&self.id)
    }
}

impl From<Unreadable> for JsValue {
    fn from(_: Unreadable) -> Self {
        JsValue::from_str("the stored record cannot be read")
    }
}
