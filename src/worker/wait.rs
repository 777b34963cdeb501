//! `GET …/{id}/wait`: how a token ends, told when it does.
//!
//! Invariant: nothing is held in the object but hibernating sockets, whichever way a client waits. A
//! client that has left leaves nothing behind.

use super::api::Call;
use super::http::{Answered, Reply, WaitHead};
use super::{platform, settings};
use crate::auth::Environment;
use crate::caller::Caller;
use crate::error::Refusal;
use crate::route::internal_id;
use wasm_bindgen::{JsCast, JsValue};

/// The subprotocol that is spoken.
const PROTOCOL: &str = "waitpoint.v1";
/// A second one that a browser offers, as it cannot set headers: its credential follows.
const BEARER: &str = "bearer.";
/// Longest a request is held, in seconds: a Worker must answer within 30.
const LONGEST_POLL: u32 = 25;

const LONGEST_RELAYED_POLL: u32 = 10;

impl Call<'_> {
    pub(super) async fn wait(&self, typed: &str) -> Result<Answered, Refusal> {
        let head = WaitHead::of(self.request);
        let authorization = self.waiting_credential(&head);
        let caller = settings::keyring(self.env)?.caller(authorization, self.now)?;
        if !caller.may("read", typed) {
            return Err(Refusal::ScopeTooSmall);
        }
        let environment = caller.environment();
        let internal = internal_id(typed).ok_or(Refusal::UnknownToken)?;
        self.count_reader(&caller, authorization);
        self.admit().await?;
        let waits = head.upgrades() || head.wants_events() || head.wait() > Some(0);
        if let (Some(upstream), true) = (self.upstream_of(environment)?, waits) {
            let is_named = matches!(caller, Caller::Public(_));
            self.learn(environment, internal, upstream, is_named)
                .await?;
        }
        if head.upgrades() {
            return self.wait_by_socket(&head, environment, internal).await;
        }
        let reply = if head.wants_events() {
            self.wait_by_events(&head, environment, internal).await?
        } else {
            self.poll(&head, caller, internal).await?
        };
        Ok(reply.into())
    }

    /// The credential of the header, or of the subprotocol; never of the query, which is logged.
    fn waiting_credential<'a>(&'a self, head: &'a WaitHead) -> &'a str {
        let offered = head
            .protocols()
            .find_map(|protocol| protocol.strip_prefix(BEARER));
        match offered {
            Some(jwt) if self.head.authorization().is_empty() => jwt,
            _ => self.head.authorization(),
        }
    }

    async fn wait_by_socket(
        &self,
        head: &WaitHead,
        environment: &Environment,
        internal: &str,
    ) -> Result<Answered, Refusal> {
        let protocol = head
            .protocols()
            .find(|protocol| *protocol == PROTOCOL)
            .unwrap_or("");
        let (name, url) = self.names(environment, internal);
        let opened = platform::wait_by_socket(self.env, "TOKENS", &name, &url, protocol).await;
        let opened = opened.map_err(trouble)?;
        if opened.is_undefined() {
            return Err(Refusal::UnknownToken);
        }
        Ok(Answered::Passed(opened.unchecked_into()))
    }

    async fn wait_by_events(
        &self,
        head: &WaitHead,
        environment: &Environment,
        internal: &str,
    ) -> Result<Reply, Refusal> {
        let (name, url) = self.names(environment, internal);
        let seen = head.last_event();
        let stream = platform::wait_by_events(self.env, "TOKENS", &name, &url, seen).await;
        let stream = stream.map_err(trouble)?;
        if stream.is_undefined() {
            return Err(Refusal::UnknownToken);
        }
        Ok(Reply::events(stream))
    }

    /// Long poll: the token when it is finished, or as it stands when the time is over.
    async fn poll(
        &self,
        head: &WaitHead,
        caller: Caller<'_>,
        internal: &str,
    ) -> Result<Reply, Refusal> {
        // Upstream is asked before and after.
        let upstream = self.upstream_of(caller.environment())?;
        let longest = upstream.map_or(LONGEST_POLL, |_| LONGEST_RELAYED_POLL);
        let seconds = head.wait().unwrap_or(0).min(longest);
        if seconds > 0 {
            let (name, _) = self.names(caller.environment(), internal);
            let millis = f64::from(seconds) * 1_000.0;
            // Also if the object knows no such token: that is found out below.
            let waited = platform::wait_until(self.env, "TOKENS", &name, millis).await;
            waited.map_err(trouble)?;
        }
        let reply = self.told(caller, internal).await?;
        Ok(match head.wait() {
            Some(_) => reply.with("preference-applied", &format!("wait={seconds}")),
            None => reply,
        })
    }

    /// The object's name, and the URL that its messages show: the token's, without a credential.
    fn names(&self, environment: &Environment, internal: &str) -> (String, String) {
        let origin = self.head.origin();
        (
            format!("{}/{internal}", environment.id),
            format!("{origin}/api/v1/waitpoints/tokens/waitpoint_{internal}"),
        )
    }
}

fn trouble(why: JsValue) -> Refusal {
    platform::error("a token's object took no waiter", &why);
    Refusal::StorageTrouble
}
