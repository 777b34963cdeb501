//! Asks upstream about credentials that no key here verifies. `domain::relay::foreign` judges the
//! responses.

use crate::domain::api::error::ApiError;
use crate::domain::auth::caller::{Caller, Claims};
use crate::domain::auth::keyring::{Environment, Keyring};
use crate::domain::auth::token_id::internal_id;
use crate::domain::relay::foreign::{
    Kind, MAX_CREDENTIAL, Proof, REMEMBER_ACCEPTED, REMEMBER_REFUSED, WRITE_PROBE,
    judge_environments, judge_read, judge_write, verdict_key,
};
use crate::domain::time::timestamp::Timestamp;
use crate::worker::bindings::random_uuid;
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::limit_unknown_credentials;
use crate::worker::http::upstream_token::unavailable;
use crate::worker::log_error;
use crate::worker::outgoing::upstream::{list_status, read_status, write_status};
use crate::worker::settings::{self, Accepted, Verdict};
use std::time::Duration;
use worker::Delay;

/// The pauses before upstream is asked again about a token that it has just created. Its replicas may
/// not have it yet.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(750)];

/// The caller with this credential, if upstream accepts the credential for the token `raw_id`.
/// `refused` is the error if nobody can be asked, or if upstream does not know the credential.
pub(crate) async fn judge(
    context: &RequestContext<'_>,
    credential: &str,
    raw_id: &str,
    refused: ApiError,
) -> Result<Caller<'static>, ApiError> {
    let Some((keyring, upstream)) = sole_upstream(context)? else {
        return Err(refused);
    };
    let Some(internal) = internal_id(raw_id).filter(|_| credential.len() <= MAX_CREDENTIAL) else {
        return Err(refused);
    };
    let key = verdict_key(credential, raw_id);
    let verdicts = settings::verdicts(context.env);
    let remembered = verdicts.borrow().get(&key, context.now).cloned();
    if let Some(verdict) = remembered {
        return verdict.map(caller_of);
    }
    limit_unknown_credentials(context).await?;
    let question = Question {
        keyring,
        upstream,
        credential,
        internal,
    };
    let verdict = question.ask(raw_id, refused).await;
    if let Some(until) = remember_until(&verdict, context.now) {
        verdicts.borrow_mut().put(&key, verdict.clone(), until);
    }
    verdict.map(caller_of)
}

/// Whether upstream has lately accepted this credential for the token.
pub(crate) fn is_remembered(context: &RequestContext<'_>, credential: &str, raw_id: &str) -> bool {
    let key = verdict_key(credential, raw_id);
    let verdicts = settings::verdicts(context.env).borrow();
    matches!(verdicts.get(&key, context.now), Some(Ok(_)))
}

/// The environment of a token that upstream has just created for a credential that is unknown here.
///
/// # Errors
/// `InvalidApiKey` if the token is in no environment here, `UpstreamUnavailable`.
pub(crate) async fn environment_of_created(
    context: &RequestContext<'_>,
    internal: &str,
) -> Result<&'static Environment, ApiError> {
    let (keyring, upstream) = sole_upstream(context)?.ok_or(ApiError::InvalidApiKey)?;
    let mut pauses = PAUSES.into_iter();
    loop {
        let found = find_environment(keyring, upstream, internal, ApiError::InvalidApiKey).await;
        match (found, pauses.next()) {
            (Err(_), Some(pause)) => Delay::from(pause).await,
            (found, _) => return found,
        }
    }
}

/// The upstream that is asked about unknown credentials: the one at which all tokens live.
fn sole_upstream(
    context: &RequestContext<'_>,
) -> Result<Option<(&'static Keyring, &'static str)>, ApiError> {
    let upstreams = settings::upstreams(context.env)?;
    let keyring = settings::keyring(context.env)?;
    let sole = upstreams.sole().filter(|_| keyring.is_upstream());
    Ok(sole.map(|upstream| (keyring, upstream)))
}

struct Question<'a> {
    keyring: &'static Keyring,
    upstream: &'static str,
    credential: &'a str,
    internal: &'a str,
}

impl Question<'_> {
    async fn ask(&self, raw_id: &str, refused: ApiError) -> Verdict {
        let kind = Kind::of(self.credential);
        let proof = kind.proof(raw_id)?;
        let read = read_status(self.upstream, self.credential, self.internal).await;
        judge_read(read.map_err(unavailable)?, refused.clone())?;
        self.check_write(proof, refused.clone()).await?;
        let environment =
            find_environment(self.keyring, self.upstream, self.internal, refused).await?;
        Ok(match kind {
            Kind::Opaque => Accepted::Owner(environment),
            // What it sees must not outlive it: neither links that we sign nor deliveries.
            Kind::RunToken { .. } => Accepted::Scoped(Claims {
                approver: None,
                environment,
                scopes: vec![
                    format!("write:waitpoints:{raw_id}"),
                    format!("read:waitpoints:{raw_id}"),
                ],
                subject: None,
                expires_at: u64::MAX,
                signed_callbacks: None,
            }),
            Kind::PublicToken(scoped) => Accepted::Scoped(Claims {
                approver: None,
                environment,
                scopes: scoped.scopes,
                subject: None,
                expires_at: scoped.expires_at,
                signed_callbacks: None,
            }),
        })
    }

    async fn check_write(&self, proof: Proof, refused: ApiError) -> Result<(), ApiError> {
        match proof {
            Proof::Scopes => Ok(()),
            Proof::Ask => {
                // An id of 120 random bits belongs to no token.
                let nonexistent = self
                    .keyring
                    .upstream_environments()
                    .next()
                    .map(|environment| environment.token_id(random_uuid().as_bytes()))
                    .ok_or(ApiError::UpstreamUnavailable)?;
                let status =
                    write_status(self.upstream, self.credential, &nonexistent, WRITE_PROBE).await;
                judge_write(status.map_err(unavailable)?, refused)
            }
        }
    }
}

/// The environment whose own key reads this token.
async fn find_environment(
    keyring: &'static Keyring,
    upstream: &str,
    internal: &str,
    refused: ApiError,
) -> Result<&'static Environment, ApiError> {
    let mut statuses = Vec::new();
    for environment in keyring.upstream_environments() {
        let status = status_for(upstream, environment.secret(), internal).await;
        if status == Some(200) {
            return Ok(environment);
        }
        statuses.push(status);
    }
    let error = judge_environments(&statuses, refused);
    if error != ApiError::UpstreamUnavailable {
        let line = "upstream accepts a credential for a token that no environment of SECRET_KEYS can \
                    read, so it is refused; the token's id";
        log_error(line, &internal.into());
    }
    Err(error)
}

/// The status of a read of the token with an environment's own key; `None` is no answer.
async fn status_for(upstream: &str, key: &str, internal: &str) -> Option<u16> {
    match read_status(upstream, key, internal).await.ok()? {
        // Either upstream does not know the token, or it is in trouble. If it is, it does not list
        // tokens either.
        500 => (list_status(upstream, key).await.ok()? == 200).then_some(500),
        status => Some(status),
    }
}

fn caller_of(accepted: Accepted) -> Caller<'static> {
    match accepted {
        Accepted::Owner(environment) => Caller::Secret(environment),
        Accepted::Scoped(claims) => Caller::Public(claims),
    }
}

/// Until when a verdict is remembered; `None` if the next request must ask again.
fn remember_until(verdict: &Verdict, now: Timestamp) -> Option<Timestamp> {
    let latest = now.plus(REMEMBER_ACCEPTED);
    match verdict {
        Ok(Accepted::Owner(_)) => Some(latest),
        Ok(Accepted::Scoped(claims)) => {
            let expiry = Timestamp::from_millis(claims.expires_at.saturating_mul(1_000));
            Some(latest.min(expiry))
        }
        Err(error) if error.is_failed_credential() || *error == ApiError::InsufficientScope => {
            Some(now.plus(REMEMBER_REFUSED))
        }
        Err(_) => None,
    }
}
