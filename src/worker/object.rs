//! The Durable Object of one token.
//!
//! Invariants:
//! - It holds nothing in memory: storage is the token, so an eviction loses nothing.
//! - From reading the record to writing it there is no `await`, so no other event comes between
//!   and the writes are one transaction. The answer leaves when they are durable.
//! - Nothing is written for a read but a timeout that has come, so a made-up id leaves no object.
//! - The alarm is set to [`Token::next_wakeup`] whenever the record is written, and by every alarm.

use super::record::{Answer, Command, Record, Unreadable, pack_token, unpack, unpack_token};
use super::{now, platform, settings};
use crate::time::Timestamp;
use crate::token::{Event, Outcome, Token};
use crate::wire;
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, Response};
use worker::Env;
use worker::worker_sys::DurableObjectState;

// Bound by hand rather than by `#[durable_object]`: that wraps every request and response once more,
// and exports a handler that panics for each event that its object does not take.

/// workerd counts alarms in nanoseconds of 63 bits, which end in the year 2262.
const LAST_ALARM: u64 = 9_200_000_000_000;

/// Where a waiter's own URL goes; `platform.js` has the same.
const URL_HERE: &str = "https://url.invalid/";

/// One token's object.
#[wasm_bindgen]
pub struct TokenObject {
    state: DurableObjectState,
    env: Env,
}

#[wasm_bindgen]
impl TokenObject {
    /// Called by the runtime.
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        Self { state, env }
    }

    /// Answers a [`Command`] of the Worker.
    ///
    /// Trouble with storage is a 503, so that the Worker can tell it from a bug.
    ///
    /// # Errors
    /// None that is known.
    pub async fn fetch(&self, request: Request) -> Result<Response, JsValue> {
        if let Some(url) = platform::waits(&request) {
            return self.admit(&url).await;
        }
        match self.answer(&request).await {
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

    /// Times the token out, or forgets it; whatever comes next gets its own alarm.
    ///
    /// # Errors
    /// Storage trouble; the runtime then calls again.
    pub async fn alarm(&self) -> Result<(), JsValue> {
        let Some((token, settled)) = self.load(now())? else {
            return platform::forget(&self.state).await;
        };
        if settled {
            self.save(&token)?.await?;
            self.wake(&token);
            return Ok(());
        }
        platform::set_alarm(&self.state, self.wakeup(&token)).await
    }
}

/// A write under way, and the token if waiters are to be told of it.
type Saved = (JsFuture, Option<Token>);

impl TokenObject {
    async fn answer(&self, request: &Request) -> Result<Answer, JsValue> {
        let body = Uint8Array::new(&platform::read(request, u32::MAX).await?).to_vec();
        let (command, text): (Command, String) = unpack(&body)?;
        let (answer, saved) = self.apply(command, text, now())?;
        if let Some((saved, token)) = saved {
            saved.await?;
            if let Some(token) = token {
                self.wake(&token);
            }
        }
        Ok(answer)
    }

    /// Takes a waiter, or tells it at once how the token ended.
    async fn admit(&self, url: &str) -> Result<Response, JsValue> {
        let (token, settled) = match self.load(now()) {
            Ok(Some(found)) => found,
            Ok(None) => return platform::respond(404, "", None),
            Err(why) => {
                platform::error("the token's storage failed", &why);
                return platform::respond(503, "", None);
            }
        };
        if settled {
            // It is finished, so nothing that comes while this is written changes it.
            self.save(&token)?.await?;
            self.wake(&token);
        }
        platform::admit(
            &self.state,
            url,
            &self.message(&token),
            token.finished_at().is_some(),
        )
    }

    /// Tells the waiters how the token ended. It is written down by now.
    fn wake(&self, token: &Token) {
        if platform::waiters(&self.state) > 0 {
            platform::wake(&self.state, &self.message(token));
        }
    }

    /// The token as retrieve returns it, but for the URL, which differs by waiter.
    fn message(&self, token: &Token) -> String {
        let name = platform::name(&self.state);
        let internal = name.rsplit('/').next().unwrap_or("");
        wire::token_json(&format!("waitpoint_{internal}"), URL_HERE, token)
    }

    /// Reads, decides and writes, with no `await` between. The future tells that it is written.
    fn apply(
        &self,
        command: Command,
        text: String,
        now: Timestamp,
    ) -> Result<(Answer, Option<Saved>), JsValue> {
        let Some((mut token, settled)) = self.load(now)? else {
            return match command {
                Command::Create(record) => {
                    let saved = self.create(record)?;
                    Ok((Answer::Created, Some((saved, None))))
                }
                Command::Read | Command::Complete(_) => Ok((Answer::Unknown, None)),
            };
        };
        let (answer, changed) = match command {
            Command::Create(_) | Command::Read => (None, settled),
            Command::Complete(deciding) => {
                let decision = deciding.into_decision(text);
                let (outcome, changed) = token.apply(Event::Complete(decision), now);
                (Some(outcome), changed || settled)
            }
        };
        let saved = if changed {
            let saved = self.save(&token)?;
            // A changed token is a finished one.
            let woken = (platform::waiters(&self.state) > 0).then(|| token.clone());
            Some((saved, woken))
        } else {
            None
        };
        Ok((answer.map_or(Answer::Found(token), Answer::Decided), saved))
    }

    fn create(&self, record: Record) -> Result<JsFuture, JsValue> {
        self.save(&record.into_token(String::new()))
    }

    /// The token as it stands at `now`, and whether reading it timed it out.
    fn load(&self, now: Timestamp) -> Result<Option<(Token, bool)>, JsValue> {
        let Some(bytes) = platform::load(&self.state)? else {
            return Ok(None);
        };
        let mut token = unpack_token(&bytes.to_vec())?;
        let settled = token.settle_if_due(now);
        let forgotten = token
            .forget_at(settings::retention(&self.env))
            .is_some_and(|at| at <= now);
        Ok((!forgotten).then_some((token, settled)))
    }

    fn save(&self, token: &Token) -> Result<JsFuture, JsValue> {
        let saved: Promise = platform::save(&self.state, &pack_token(token), self.wakeup(token))?;
        Ok(JsFuture::from(saved))
    }

    /// An alarm that comes too early finds nothing to do and sets the next.
    fn wakeup(&self, token: &Token) -> Option<f64> {
        let at = token.next_wakeup(settings::retention(&self.env))?;
        Some(at.as_millis().min(LAST_ALARM) as f64)
    }
}

impl From<Unreadable> for JsValue {
    fn from(_: Unreadable) -> Self {
        JsValue::from_str("the stored record cannot be read")
    }
}

impl Outcome {
    /// As the header `waitpoint-outcome` names it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::AlreadyCompleted => "already-completed",
            Self::TimedOut => "timed-out",
        }
    }
}
