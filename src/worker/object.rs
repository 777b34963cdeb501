//! The Durable Object of one token.
//!
//! Invariants:
//! - Storage is the token: what is held in memory spares work and may be lost with it.
//! - From reading the record to writing it there is no `await`, so no other event comes between
//!   and the writes are one transaction. The answer leaves when they are durable.
//! - Nothing is written for a read but a timeout that has come, so a made-up id leaves no object.
//! - The alarm is set to [`Token::next_wakeup`] whenever the record is written and whenever something
//!   that was due is done, so whatever is owed has a wake-up.

use super::deliver::Outbox;
use super::platform::{self, alarm_at};
use super::record::{Answer, Command, Unreadable, pack_token, unpack, unpack_token};
use super::{key, now, settings};
use crate::delivery::{Debt, LEASE, Listed, Target};
use crate::time::Timestamp;
use crate::token::{Ask, Reply, Token, answer};
use crate::upstream::difference;
use crate::wire::{self, Reader};
use js_sys::{Promise, Uint8Array};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Request, Response};
use worker::Env;
use worker::worker_sys::DurableObjectState;

// Bound by hand rather than by `#[durable_object]`: that wraps every request and response once more,
// and exports a handler that panics for each event that its object does not take.

/// How often upstream is asked while somebody waits: it tells nobody by itself.
const WATCH: Duration = Duration::from_secs(15);

/// Where a waiter's own URL goes; `platform.js` has the same.
const URL_HERE: &str = "https://url.invalid/";

/// One token's object.
#[wasm_bindgen]
pub struct TokenObject {
    object: Rc<Object>,
}

#[wasm_bindgen]
impl TokenObject {
    /// Called by the runtime.
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        let name = platform::name(&state);
        let (environment, id) = name.split_once('/').unwrap_or(("", ""));
        let object = Object {
            environment: environment.to_owned(),
            id: id.to_owned(),
            state,
            env,
            listed: Cell::default(),
            busy: Cell::default(),
            gone: Cell::default(),
        };
        Self {
            object: Rc::new(object),
        }
    }

    /// Answers a [`Command`] of the Worker.
    ///
    /// Trouble with storage is a 503, so that the Worker can tell it from a bug.
    ///
    /// # Errors
    /// None that is known.
    pub async fn fetch(&self, request: Request) -> Result<Response, JsValue> {
        if let Some(url) = platform::waits(&request) {
            return self.object.admit(&url).await;
        }
        match self.object.answer(&request).await {
            Ok(answer) => platform::respond(200, "", Some(&answer.to_bytes())),
            Err(why) => {
                platform::error("the token's storage failed", &why);
                platform::respond(503, "", Some(b"storage trouble"))
            }
        }
    }

    /// A waiter says something. It has nothing to say; pings are answered by the platform.
    #[wasm_bindgen(js_name = webSocketMessage)]
    pub fn web_socket_message(&self, _socket: JsValue, _message: JsValue) {}

    /// A waiter leaves.
    ///
    /// # Errors
    /// None that is known.
    #[wasm_bindgen(js_name = webSocketClose)]
    pub fn web_socket_close(&self, socket: JsValue) -> Result<(), JsValue> {
        platform::farewell(&socket)
    }

    /// A waiter is lost.
    #[wasm_bindgen(js_name = webSocketError)]
    pub fn web_socket_error(&self, _socket: JsValue, _error: JsValue) {}

    /// Times the token out, does what is due, or forgets the token; whatever comes next gets its own
    /// alarm.
    ///
    /// # Errors
    /// If not even an alarm can be set; the runtime then calls again.
    pub async fn alarm(&self) -> Result<(), JsValue> {
        match self.object.look().await {
            Ok(()) => Ok(()),
            Err(why) => {
                platform::error("an alarm found the token's storage failing", &why);
                // The runtime would call six times and then never again.
                let later = alarm_at(now().plus(10 * LEASE));
                platform::set_alarm(&self.object.state, Some(later)).await
            }
        }
    }
}

/// The object itself: what is spawned must hold it.
struct Object {
    environment: String,
    /// The internal id.
    id: String,
    state: DurableObjectState,
    env: Env,
    /// What the index is known to have.
    listed: Cell<Listed>,
    /// Whether [`Object::pay`] is under way.
    busy: Cell<bool>,
    /// Whether there was a token that is forgotten.
    gone: Cell<bool>,
}

/// A write under way.
type Saving = JsFuture;

impl Object {
    async fn answer(self: &Rc<Self>, request: &Request) -> Result<Answer, JsValue> {
        let body = platform::bytes(request).await?;
        // What may be megabytes is let go of before anything is awaited: wasm's memory never shrinks.
        let (answer, saving) = {
            let (command, text): (Command, String) = unpack(&Uint8Array::new(&body).to_vec())?;
            let (reply, token, saving) = self.apply(command.into_ask(text), now())?;
            (Answer::of(reply, token), saving)
        };
        if let Some(saving) = saving {
            saving.await?;
            self.follow_up();
        }
        Ok(answer)
    }

    /// Takes a waiter, or tells it at once how the token ended.
    async fn admit(self: &Rc<Self>, url: &str) -> Result<Response, JsValue> {
        let (token, saving) = match self.apply(Ask::Read, now()) {
            Ok((Reply::Found, Some(token), saving)) => (token, saving),
            Ok(_) => return platform::respond(404, "", None),
            Err(why) => {
                platform::error("the token's storage failed", &why);
                return platform::respond(503, "", None);
            }
        };
        if let Some(saving) = saving {
            // It is finished, so nothing that comes while this is written changes how it ended.
            saving.await?;
            self.follow_up();
        }
        let is_final = token.finished_at().is_some();
        let response = platform::admit(&self.state, url, &self.message(&token), is_final)?;
        if self.is_watched(&token) {
            platform::set_alarm(&self.state, self.wakeup(&token, now())).await?;
        }
        Ok(response)
    }

    /// After the answer to whoever changed the token: tells the waiters, and does what is due.
    fn follow_up(self: &Rc<Self>) {
        let object = Rc::clone(self);
        spawn_local(async move {
            let done = match object.wake() {
                Ok(()) => object.pay(true).await,
                Err(why) => Err(why),
            };
            // The alarm is set, and looks again.
            if let Err(why) = done {
                platform::error("what follows a change of a token failed", &why);
            }
        });
    }

    /// Tells the waiters how the token ended, if it has. It is written down by now.
    fn wake(&self) -> Result<(), JsValue> {
        if platform::waiters(&self.state)? == 0 {
            return Ok(());
        }
        match self.read()? {
            Some(token) if token.finished_at().is_some() => {
                platform::wake(&self.state, &self.message(&token))
            }
            _ => Ok(()),
        }
    }

    /// The token as retrieve returns it, but for the URL, which differs by waiter.
    fn message(&self, token: &Token) -> String {
        wire::token_json(&self.public_id(), URL_HERE, token, Reader::Guest)
    }

    fn public_id(&self) -> String {
        format!("waitpoint_{}", self.id)
    }

    /// Reads, decides and writes, with no `await` between. The future tells that it is written.
    fn apply(
        &self,
        ask: Ask,
        now: Timestamp,
    ) -> Result<(Reply, Option<Token>, Option<Saving>), JsValue> {
        let mut record = self.read()?;
        let retention = settings::retention(&self.env);
        let (subscribers, gone) = (self.subscribers(), self.gone.get());
        let (reply, changed) = answer(&mut record, ask, retention, now, &subscribers, gone);
        if reply == Reply::Created {
            self.listed.set(Listed::Unknown);
        }
        let saving = match &record {
            Some(token) if changed => Some(self.save(token, now)?),
            _ => None,
        };
        Ok((reply, record, saving))
    }

    /// What an alarm is for.
    async fn look(&self) -> Result<(), JsValue> {
        let now = now();
        let Some(mut token) = self.read()? else {
            return platform::forget(&self.state).await;
        };
        let settled = token.settle_if_due(now, &self.subscribers());
        if settled {
            self.save(&token, now)?.await?;
        }
        let mut learned = false;
        if token.is_asked_for() {
            learned = self.ask_upstream().await?;
            // Nobody waits any more, and nothing else is known of it.
            let passing = self.read()?.is_some_and(|token| token.is_passing());
            if passing && platform::waiters(&self.state)? == 0 {
                return platform::forget(&self.state).await;
            }
        }
        // Also if it was noticed before: whoever did may not have come to it.
        self.wake()?;
        self.pay(settled || learned).await
    }

    /// Takes the end that the token came to upstream, if it did.
    async fn ask_upstream(&self) -> Result<bool, JsValue> {
        let Some(theirs) = self.outbox().theirs().await else {
            return Ok(false);
        };
        let (_, _, saving) = self.apply(Ask::Learn(Box::new(theirs)), now())?;
        match saving {
            Some(saving) => saving.await.map(|_| true),
            None => Ok(false),
        }
    }

    /// Does what is due, one thing after the other. `armed`: the alarm is set for what is.
    async fn pay(&self, mut armed: bool) -> Result<(), JsValue> {
        let token = if self.busy.replace(true) {
            self.read()?
        } else {
            if self.listed.get() == Listed::Unreachable {
                self.listed.set(Listed::Unknown);
            }
            let paid = self.pay_all(&mut armed).await;
            self.busy.set(false);
            paid?
        };
        match token {
            Some(token) if !armed => {
                platform::set_alarm(&self.state, self.wakeup(&token, now())).await
            }
            _ => Ok(()),
        }
    }

    /// Returns the token when nothing is due any more.
    async fn pay_all(&self, armed: &mut bool) -> Result<Option<Token>, JsValue> {
        let retention = settings::retention(&self.env);
        // Whatever comes between two of them is seen here, as the record is read each time.
        while let Some(token) = self.read()? {
            match token.debt(retention, self.listed.get(), now()) {
                None => return Ok(Some(token)),
                Some(Debt::List) => {
                    self.listed.set(self.outbox().list(token).await);
                    *armed = false;
                }
                Some(Debt::Deliver(index)) => {
                    let attempted = self.outbox().attempt(token, index).await;
                    let Some(mut token) = self.read()? else { break };
                    let now = now();
                    let note = attempted
                        .theirs
                        .and_then(|theirs| difference(&token, &theirs));
                    let (answer, pause) = (attempted.answer, attempted.pause);
                    token.attempted(index, answer, pause, &self.id, now);
                    token.note(index, note);
                    self.log_attempt(&token, index);
                    let saving = self.save(&token, now)?;
                    drop(token);
                    saving.await?;
                    *armed = true;
                }
                Some(Debt::Forget) => {
                    if let Some(key) = &token.key {
                        key::release(&self.env, &self.environment, &key.text, &self.id).await?;
                    }
                    if let Some(remains) = token.remains() {
                        drop(token);
                        self.save(&remains, now())?.await?;
                        *armed = true;
                        break;
                    }
                    self.gone.set(true);
                    platform::forget(&self.state).await?;
                    break;
                }
            }
        }
        Ok(None)
    }

    fn outbox(&self) -> Outbox<'_> {
        Outbox {
            env: &self.env,
            environment: &self.environment,
            id: &self.id,
        }
    }

    /// The record as it was written.
    fn read(&self) -> Result<Option<Token>, JsValue> {
        let bytes = platform::load(&self.state)?;
        let token = bytes.map(|bytes| unpack_token(&bytes.to_vec()));
        Ok(token.transpose()?)
    }

    fn save(&self, token: &Token, now: Timestamp) -> Result<Saving, JsValue> {
        let alarm = self.wakeup(token, now);
        let saving: Promise = platform::save(&self.state, &pack_token(token), alarm)?;
        Ok(JsFuture::from(saving))
    }

    /// Whether somebody waits for what may be decided upstream.
    fn is_watched(&self, token: &Token) -> bool {
        token.is_asked_for() && platform::waiters(&self.state).is_ok_and(|waiters| waiters > 0)
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

    /// A line for the operator when an attempt has failed.
    fn log_attempt(&self, token: &Token, index: usize) {
        if let Some(line) = wire::failed_attempt_json(&self.public_id(), token, index) {
            platform::log(&line);
        }
    }

    /// An alarm that comes too early finds nothing to do and sets the next.
    fn wakeup(&self, token: &Token, now: Timestamp) -> Option<f64> {
        let retention = settings::retention(&self.env);
        let wakeup = token.next_wakeup(retention, self.listed.get(), now);
        let watch = self.is_watched(token).then(|| now.plus(WATCH));
        wakeup.into_iter().chain(watch).min().map(alarm_at)
    }
}

impl From<Unreadable> for JsValue {
    fn from(_: Unreadable) -> Self {
        JsValue::from_str("the stored record cannot be read")
    }
}
