//! The Durable Object of one token.
//!
//! Invariants:
//! - Storage is the token: what is held in memory spares work and may be lost with it.
//! - From reading the record to writing it there is no `await`, so no other event comes between
//!   and the writes are one transaction. The answer leaves when they are durable.
//! - One in memory at a time writes: after a panic that is a new one.
//! - Nothing is written for a read but a timeout that has come, so a made-up id leaves no object.
//! - Whenever the record is written and whenever something that was due is done, there is an alarm at
//!   [`Token::next_wakeup`] or sooner, so whatever is owed has a wake-up.

pub(crate) mod outbox;
pub(crate) mod response;
pub(crate) mod waiters;

use crate::domain::api::delivery_body::failed_attempt_json;
use crate::domain::api::error::ApiError;
use crate::domain::approval::schema::MAX_CHOICE_OUTPUT;
use crate::domain::relay::conflict::detect_conflict;
use crate::domain::stored::envelope::{self, ResponseContext};
use crate::domain::stored::record::{Answer, Command, Unreadable, pack_token, unpack_token};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::command::{Ask, answer};
use crate::domain::token::delivery::Target;
use crate::domain::token::index_state::IndexState;
use crate::domain::token::schedule::{DueTask, LEASE};
use crate::domain::token::transition::Outcome;
use crate::domain::token::{CompletedBy, Token, command};
use crate::worker::guard::{self, panics};
use crate::worker::http::body;
use crate::worker::http::response::{Reply, respond, respond_status};
use crate::worker::objects::idempotency_key;
use crate::worker::objects::index::{self, Row};
use crate::worker::objects::storage::{Saving, Stored, object_name};
use crate::worker::objects::token::outbox::{Attempted, Outbox};
use crate::worker::objects::token::waiters::{Notice, WAITER_HEADER, Waiter};
use crate::worker::settings;
use crate::worker::{log_error, now};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Response;
use worker::{DurableObject, Env, Request, State as ObjectState, console_log, durable_object};

/// How often upstream is asked while somebody waits: it tells nobody by itself.
const UPSTREAM_POLL_INTERVAL: Duration = Duration::from_secs(15);

/// In bytes: the objects of an isolate share its memory.
const LONGEST_HELD: usize = 4_000;

/// One token's object. Its sockets' events are taken by `js/entry.js`: a waiter has nothing to say.
#[durable_object(alarm)]
pub struct TokenObject {
    object: Rc<Object>,
}

#[wasm_bindgen]
impl TokenObject {
    /// Answers a command that came in a header: `fetch` without a promise and a poll, which
    /// `worker` has no name for.
    ///
    /// Trouble with storage is a 503, so that the Worker can tell it from a bug.
    ///
    /// # Errors
    /// If the answer could not be made a response.
    pub fn answer(&self, header: &str) -> Result<Response, JsValue> {
        self.object.answer(header, &[])
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
            listed: Cell::default(),
            busy: Cell::default(),
            gone: Cell::default(),
            is_rung: Cell::default(),
            held: RefCell::default(),
            born: panics(),
        };
        Self {
            object: Rc::new(object),
        }
    }

    /// Takes a waiter, or answers a command that came in a body.
    async fn fetch(&self, request: Request) -> worker::Result<worker::Response> {
        let object = &self.object;
        let answering = async {
            if let Some(waiter) = request.headers().get(WAITER_HEADER)? {
                let waiter = Waiter::parse(&waiter).ok_or(Unreadable)?;
                return object.admit(&waiter).await;
            }
            let bytes = body::whole(request.inner()).await?;
            object.answer("", &bytes)
        };
        let response = guard::watch(&guard::request_key(&request), answering).await;
        Ok(response?.into())
    }

    /// Times the token out, does what is due, or forgets the token; whatever comes next gets its
    /// own alarm. It fails if not even an alarm can be set; the runtime then calls again.
    async fn alarm(&self) -> worker::Result<worker::Response> {
        let object = &self.object;
        let looking = async {
            if let Err(why) = object.look().await {
                // Perhaps what is held was not written.
                object.held.take();
                log_error("an alarm was not done", &why);
                // Storage fails, or another has taken over, who can begin at once. The runtime would call six
                // times and then never again.
                let pause = object.check().map_or(Duration::ZERO, |()| 10 * LEASE);
                object.stored.set_alarm_by(now().plus(pause)).await?;
            }
            worker::Response::empty()
        };
        guard::watch(&guard::alarm_key(&object.state), looking).await
    }
}

/// The object itself: what is spawned must hold it.
struct Object {
    environment: String,
    /// The internal id.
    id: String,
    state: ObjectState,
    stored: Stored,
    env: Env,
    /// What the index is known to have.
    listed: Cell<IndexState>,
    /// Whether [`Object::pay`] is under way.
    busy: Cell<bool>,
    /// Whether there was a token that is forgotten.
    gone: Cell<bool>,
    /// Whether its alarm has come, and none was set since.
    is_rung: Cell<bool>,
    /// The record as it was last read or written, if it is short: reading it costs a seventh of a request.
    held: RefCell<Option<Token>>,
    /// How many panics there were then.
    born: u32,
}

impl Object {
    fn answer(self: &Rc<Self>, header: &str, body: &[u8]) -> Result<Response, JsValue> {
        let (command, context, text) = envelope::read(header, body)?;
        let now = now();
        match (self.decide(command, text, now), context) {
            (Ok(answer), None) => respond("", Ok(answer.to_bytes())),
            (Ok(answer), Some(context)) => {
                let told = self.told(&context, &answer, now);
                let reply = told.unwrap_or_else(|error| Reply::error(&error));
                reply.with_cors(&context.page).into_response()
            }
            (Err(why), context) => {
                log_error("the token's storage failed", &why);
                let page = context.map_or(String::new(), |context| context.page);
                let reply = Reply::error(&ApiError::StorageUnavailable);
                reply.with_cors(&page).into_response()
            }
        }
    }

    /// What is answered leaves when what is written is durable: the platform holds it back.
    fn decide(
        self: &Rc<Self>,
        command: Command,
        text: String,
        now: Timestamp,
    ) -> Result<Answer, JsValue> {
        #[cfg(feature = "faults")]
        crate::worker::fault("fault:object", &text);
        let by = command.way();
        let is_for_page = matches!(command, Command::ReadForPage);
        let (reply, mut token, saving) = self.apply(command.into_ask(text), now)?;
        let event = match (reply, by) {
            (command::Reply::Created, _) => Some(("created", None)),
            (command::Reply::Decided(Outcome::Completed), by) => Some(("completed", by)),
            _ => None,
        };
        match (saving, &token) {
            (Some(saving), Some(token)) => self.follow_up(saving, token, event),
            // Whoever comes by mends what a crash may have kept from waiters and the index.
            (None, Some(token)) if self.listed.get() == IndexState::Unknown => {
                self.follow_up(self.stored.synced(), token, None);
            }
            _ => {}
        }
        if let (true, Some(token)) = (is_for_page, &mut token) {
            token.leave_out_long_output(MAX_CHOICE_OUTPUT);
        }
        Ok(Answer::of(reply, token))
    }

    fn told(
        &self,
        context: &ResponseContext,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<Reply, ApiError> {
        match answer {
            Answer::Decided(outcome) => Ok(context.decided(*outcome)),
            Answer::Unknown | Answer::Created => Err(ApiError::TokenNotFound),
            Answer::Found(token) => {
                let keyring = settings::keyring(&self.env)?;
                let environment = keyring.by_id(&self.environment);
                // The Worker knows it, so it has newer settings: this object has them in a moment.
                let environment = environment.ok_or(ApiError::StorageUnavailable)?;
                Ok(context.shown(token, environment, &self.id, now))
            }
        }
    }

    /// Takes a waiter, or tells it at once how the token ended.
    async fn admit(self: &Rc<Self>, waiter: &Waiter) -> Result<Response, JsValue> {
        let now = now();
        let token = match self.apply(Ask::Read, now) {
            Ok((command::Reply::Found, Some(token), saving)) => {
                if let Some(saving) = saving {
                    self.follow_up(saving, &token, None);
                }
                token
            }
            Ok(_) => return respond_status(404),
            Err(why) => {
                log_error("the token's storage failed", &why);
                return respond_status(503);
            }
        };
        let id = self.public_id();
        let response = waiters::accept(
            &self.state,
            waiter,
            &Notice {
                id: &id,
                token: &token,
            },
        )?;
        if self.is_watched(&token) {
            self.arm(&token, now).await?;
        }
        Ok(response)
    }

    /// Of whoever changed the token: tells the waiters and the index, and does what is due, once it is
    /// written.
    /// `event` is what the log is told.
    fn follow_up(
        self: &Rc<Self>,
        saving: Saving,
        token: &Token,
        event: Option<(&'static str, Option<CompletedBy>)>,
    ) {
        let object = Rc::clone(self);
        let row = Row::of(&self.id, token);
        let is_news = token.needs_index_update(self.listed.get());
        let (created_at, owes) = (token.created_at, token.has_pending_delivery());
        #[cfg(feature = "faults")]
        let output = format!("{:?}", token.state);
        guard::spawn(async move {
            let done = async {
                saving.await?;
                #[cfg(feature = "faults")]
                crate::worker::fault("fault:after", &output);
                if let Some((event, by)) = event {
                    object.log(event, by);
                }
                object.wake()?;
                if is_news {
                    object.tell(created_at, row);
                }
                if owes {
                    object.pay(true).await?;
                }
                Ok(())
            };
            if let Err(why) = done.await {
                let why: JsValue = why;
                // Perhaps it was not written.
                object.held.take();
                // The alarm is set, and looks again.
                log_error("what follows a change of a token failed", &why);
            }
        });
    }

    /// Tells the index of a token as it is written.
    fn tell(&self, created_at: Timestamp, row: Row) {
        index::tell(&self.env, &self.environment, created_at, row);
        self.listed.update(IndexState::after_sending);
    }

    /// Tells the waiters how the token ended, if it has. It is written down by now.
    fn wake(&self) -> Result<(), JsValue> {
        if waiters::count(&self.state)? == 0 {
            return Ok(());
        }
        match self.read()? {
            Some(token) if token.finished_at().is_some() => {
                let id = self.public_id();
                waiters::notify(
                    &self.state,
                    &Notice {
                        id: &id,
                        token: &token,
                    },
                )
            }
            _ => Ok(()),
        }
    }

    fn public_id(&self) -> String {
        format!("waitpoint_{}", self.id)
    }

    /// Reads, decides and writes, with no `await` between. The future tells that it is written.
    fn apply(
        &self,
        ask: Ask,
        now: Timestamp,
    ) -> Result<(command::Reply, Option<Token>, Option<Saving>), JsValue> {
        let mut record = self.read()?;
        let retention = settings::retention(&self.env);
        let (subscribers, gone) = (self.subscribers(), self.gone.get());
        let (reply, changed) = answer(&mut record, ask, retention, now, &subscribers, gone);
        if reply == command::Reply::Created {
            self.listed.set(IndexState::Unknown);
        }
        let saving = match &mut record {
            Some(token) if changed => Some(self.save(token, now)?),
            _ => None,
        };
        Ok((reply, record, saving))
    }

    /// What an alarm is for.
    async fn look(&self) -> Result<(), JsValue> {
        let now = now();
        self.is_rung.set(true);
        if self.listed.get() == IndexState::Unconfirmed {
            self.listed.set(IndexState::Unknown);
        }
        let Some(mut token) = self.read()? else {
            return self.forget().await;
        };
        let settled = token.time_out_if_due(now, &self.subscribers());
        if settled {
            self.save(&mut token, now)?.await?;
        }
        let mut learned = false;
        if token.needs_upstream_poll() {
            learned = self.ask_upstream().await?;
            // Nobody waits any more, and nothing else is known of it.
            let passing = self
                .read()?
                .is_some_and(|token| token.is_kept_only_for_waiters());
            if passing && waiters::count(&self.state)? == 0 {
                return self.forget().await;
            }
        }
        // Also if it was noticed before: whoever did may not have come to it.
        self.wake()?;
        self.pay(settled || learned).await
    }

    /// Takes the end that the token came to upstream, if it did.
    async fn ask_upstream(&self) -> Result<bool, JsValue> {
        let Some(theirs) = self.outbox().fetch_upstream().await else {
            return Ok(false);
        };
        let (_, _, saving) = self.apply(Ask::Learn(Box::new(theirs)), now())?;
        match saving {
            Some(saving) => saving.await.map(|()| true),
            None => Ok(false),
        }
    }

    /// Does what is due, one thing after the other. `armed`: the alarm is set for what is.
    async fn pay(&self, mut armed: bool) -> Result<(), JsValue> {
        let token = if self.busy.replace(true) {
            self.read()?
        } else {
            if self.listed.get() == IndexState::Unreachable {
                self.listed.set(IndexState::Unknown);
            }
            let paid = self.pay_all(&mut armed).await;
            self.busy.set(false);
            paid?
        };
        match token {
            Some(token) if !armed || self.is_rung.get() => self.arm(&token, now()).await,
            _ => Ok(()),
        }
    }

    /// Returns the token when nothing is due any more.
    async fn pay_all(&self, armed: &mut bool) -> Result<Option<Token>, JsValue> {
        let retention = settings::retention(&self.env);
        // Whatever comes between two of them is seen here, as the record is read each time.
        while let Some(token) = self.read()? {
            self.check()?;
            match token.next_task(retention, self.listed.get(), now()) {
                None => return Ok(Some(token)),
                Some(DueTask::List) => {
                    self.listed.set(self.outbox().list(token).await);
                    *armed = false;
                }
                Some(DueTask::Deliver(index)) => {
                    let attempted = self.outbox().attempt(token, index).await;
                    let Some(mut token) = self.read()? else { break };
                    let now = now();
                    let Attempted { answer, pause, .. } = attempted;
                    token.record_attempt(index, answer, pause, &self.id, now);
                    self.log_attempt(&token, index);
                    let saving = self.save(&mut token, now)?;
                    #[cfg(feature = "faults")]
                    crate::worker::fault("fault:pay", &format!("{:?}", token.state));
                    drop(token);
                    saving.await?;
                    *armed = true;
                    // After it is written, so that what goes wrong here does not repeat the attempt.
                    if attempted.may_differ {
                        self.note_difference(index).await?;
                    }
                }
                Some(DueTask::Purge) => {
                    if let Some(key) = &token.key {
                        idempotency_key::release(&self.env, &self.environment, &key.text, &self.id)
                            .await?;
                    }
                    if let Some(mut remains) = token.tombstone() {
                        drop(token);
                        self.save(&mut remains, now())?.await?;
                        *armed = true;
                        break;
                    }
                    self.gone.set(true);
                    self.forget().await?;
                    break;
                }
            }
        }
        Ok(None)
    }

    /// Notes what stands upstream if that is another decision than the one that was just delivered.
    async fn note_difference(&self, index: usize) -> Result<(), JsValue> {
        let Some(theirs) = self.outbox().fetch_upstream().await else {
            return Ok(());
        };
        let Some(mut token) = self.read()? else {
            return Ok(());
        };
        let note = detect_conflict(&token, &theirs);
        drop(theirs);
        if note.is_none() {
            return Ok(());
        }
        token.note(index, note);
        self.save(&mut token, now())?.await.map(drop)
    }

    fn outbox(&self) -> Outbox<'_> {
        Outbox {
            env: &self.env,
            environment: &self.environment,
            id: &self.id,
        }
    }

    /// Fails if a panic has come since: the token has another object in memory then, and what this one would
    /// write is left to that and to the alarm.
    fn check(&self) -> Result<(), JsValue> {
        if self.born == panics() {
            return Ok(());
        }
        Err(JsValue::from_str("another has taken over after a panic"))
    }

    /// The record as it was written.
    fn read(&self) -> Result<Option<Token>, JsValue> {
        let is_current = self.check().is_ok();
        if let Some(token) = self.held.borrow().as_ref().filter(|_| is_current) {
            return Ok(Some(token.clone()));
        }
        let Some(bytes) = self.stored.load_record()? else {
            return Ok(None);
        };
        let token = unpack_token(&bytes)?;
        self.hold(&token, &bytes);
        Ok(Some(token))
    }

    /// `bytes` is its record.
    fn hold(&self, token: &Token, bytes: &[u8]) {
        let is_short = bytes.len() <= LONGEST_HELD;
        self.held.replace(is_short.then(|| token.clone()));
    }

    /// Leaves nothing of the token.
    async fn forget(&self) -> Result<(), JsValue> {
        self.check()?;
        self.held.take();
        self.stored.delete_all().await
    }

    fn save(&self, token: &mut Token, now: Timestamp) -> Result<Saving, JsValue> {
        self.check()?;
        let wakeup = self.wakeup(token, now);
        let alarm = token.plan_alarm(wakeup, !self.is_rung.take(), now);
        let bytes = pack_token(token);
        // If it fails, storage alone knows.
        self.held.take();
        let saving = self.stored.save_record(&bytes, alarm)?;
        self.hold(token, &bytes);
        Ok(saving)
    }

    /// Sets the alarm of a token as it is written.
    async fn arm(&self, token: &Token, now: Timestamp) -> Result<(), JsValue> {
        self.check()?;
        self.is_rung.set(false);
        let at = token.alarm_for(self.wakeup(token, now), now);
        self.stored.set_alarm(at).await
    }

    /// Whether somebody waits for what may be decided upstream.
    fn is_watched(&self, token: &Token) -> bool {
        token.needs_upstream_poll() && self.has_waiters()
    }

    fn has_waiters(&self) -> bool {
        waiters::count(&self.state).is_ok_and(|waiters| waiters > 0)
    }

    /// Who is told of every token's end here. A setting that cannot be read may name a webhook, which is
    /// told once the setting is mended.
    fn subscribers(&self) -> Vec<Target> {
        let hears = match settings::webhooks(&self.env) {
            Ok(webhooks) => webhooks.url(&self.environment).is_some(),
            Err(_) => true,
        };
        hears.then_some(Target::Environment).into_iter().collect()
    }

    /// A line for the operator about what is new. It holds no credential and nothing that a caller wrote but
    /// the id.
    fn log(&self, event: &str, by: Option<CompletedBy>) {
        let (environment, id) = (&self.environment, self.public_id());
        let by = by.map_or(String::new(), |by| format!(r#","by":"{}""#, by.as_str()));
        // An environment's name and an id need no escaping.
        console_log!(r#"{{"event":"{event}","environment":"{environment}","token":"{id}"{by}}}"#);
    }

    /// A line for the operator when an attempt has failed.
    fn log_attempt(&self, token: &Token, index: usize) {
        if let Some(line) = failed_attempt_json(&self.public_id(), token, index) {
            console_log!("{line}");
        }
    }

    fn wakeup(&self, token: &Token, now: Timestamp) -> Option<Timestamp> {
        let retention = settings::retention(&self.env);
        let wakeup = token.next_wakeup(retention, self.listed.get(), now);
        let watch = self
            .is_watched(token)
            .then(|| now.plus(UPSTREAM_POLL_INTERVAL));
        // Should whoever tells them be interrupted.
        let is_heard = token.finished_at().is_some() && self.has_waiters();
        let tell = is_heard.then(|| now.plus(LEASE));
        wakeup.into_iter().chain(watch).chain(tell).min()
    }
}

impl From<Unreadable> for JsValue {
    fn from(_: Unreadable) -> Self {
        JsValue::from_str("the stored record cannot be read")
    }
}
