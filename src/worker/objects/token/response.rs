//! Responses about a token.
//!
//! A token's object builds its client's response, and the Worker forwards it unchanged. So the
//! response is built only once.

use crate::domain::api::approver_link::ApproverLink;
use crate::domain::api::claims::claims_json;
use crate::domain::api::token_body::{Visibility, owned_token_json, token_json, version};
use crate::domain::auth::access_token::Lifetime;
use crate::domain::auth::keyring::Environment;
use crate::domain::auth::short_link::{self, LinkPurpose};
use crate::domain::auth::token_id::public_id;
use crate::domain::callback::config::{CallbackConfig, verify_json};
use crate::domain::stored::envelope::ResponseContext;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::Token;
use crate::domain::token::home::Home;
use crate::domain::token::transition::Outcome;
use crate::worker::http::response::Reply;

impl ResponseContext<'_> {
    /// The response that shows a token to this client; `id` is the internal id.
    pub(crate) fn render(
        &self,
        token: &Token,
        environment: &Environment,
        id: &str,
        now: Timestamp,
    ) -> Reply {
        let reader = match self.credential {
            None => Visibility::Owner,
            Some(_) => Visibility::Token,
        };
        let etag = etag(token, reader);
        let reply = if matches_etag(&self.etag, &etag) {
            Reply::unchanged()
        } else {
            let public = format!("waitpoint_{id}");
            Reply::private_json(if let Some(credential) = &self.credential {
                // The URL holds the client's own credential, so that it grants no more than the
                // client has.
                let url = url(&self.origin, &public, credential);
                token_json(&public, &url, token, reader)
            } else {
                let links = links(&self.origin, environment, id, token, now);
                owned_token_json(
                    &public,
                    &links.url,
                    &links.short_url,
                    &links.approvers,
                    token,
                )
            })
        };
        // One that is more than the version changes with the history, so hardly two tokens have the same.
        let reply = if etag.trim_matches('"') == version(token) {
            reply.with("etag", &etag)
        } else {
            reply.with_unique("etag", &etag)
        };
        let reply = reply.with_fixed("vary", "Authorization");
        match self.waited {
            Some(seconds) => reply.with("preference-applied", &format!("wait={seconds}")),
            None => reply,
        }
    }

    /// The response to a decision. `callback` is the field of the token, which may choose the response.
    pub(crate) fn render_outcome(&self, outcome: Outcome, callback: Option<&str>) -> Reply {
        let config = callback.and_then(|text| CallbackConfig::parse(text).ok());
        let reply = match config.and_then(|config| config.respond) {
            Some(respond) => Reply::chosen(respond),
            None => Reply::json(200, r#"{"success":true}"#.to_owned()),
        };
        let reply = reply.with("waitpoint-outcome", outcome.as_str());
        match &self.hint {
            Some(hint) => reply.with("waitpoint-hint", hint),
            None => reply,
        }
    }
}

/// The `ETag` of a token for this reader. It changes with the state and the timeout. For the owner, who
/// sees deliveries and the history, it also changes with those. Bodies of the same version differ by
/// client, hence `Vary`. A token that lives upstream can show two ends, ours and then upstream's, so its
/// version includes the time of the end.
pub(crate) fn etag(token: &Token, reader: Visibility) -> String {
    let mut version = format!("\"{}", version(token));
    if let (Home::Upstream, Some(at)) = (token.home, token.finished_at()) {
        version += &format!(".{at}");
    }
    if reader == Visibility::Owner {
        let attempts: u32 = token.deliveries.iter().map(|one| one.attempts).sum();
        if attempts > 0 {
            version += &format!(".{attempts}");
        }
        if let Some(at) = token.reminded_at {
            version += &format!(".{}", at.as_millis());
        }
        if let Some(last) = token.history.last() {
            version += &format!(".{}.{}", token.history.len(), last.at.as_millis());
        }
    }
    version.push('"');
    version
}

/// `token.url` for a token's public id, at the origin that the client calls.
pub(crate) fn url(origin: &str, id: &str, credential: &str) -> String {
    format!("{origin}/api/v1/waitpoints/tokens/{id}/callback/{credential}")
}

/// The links of a token, and the JWT in its `url`.
pub(crate) struct Links {
    credential: String,
    lifetime: Lifetime,
    pub(crate) url: String,
    pub(crate) short_url: String,
    /// Those of the approvers.
    pub(crate) approvers: Vec<ApproverLink>,
}

/// The links for a token's internal id, which live as long as those that it was created with.
pub(crate) fn links(
    origin: &str,
    environment: &Environment,
    id: &str,
    token: &Token,
    now: Timestamp,
) -> Links {
    links_since(token.created_at, origin, environment, id, token, now)
}

/// The links for a token's internal id, which live as long as if it was created at `since`.
pub(crate) fn links_since(
    since: Timestamp,
    origin: &str,
    environment: &Environment,
    id: &str,
    token: &Token,
    now: Timestamp,
) -> Links {
    let lifetime = Lifetime::of(since, token.timeout_at, now);
    let verify = token.callback.as_deref().and_then(verify_json);
    let public = public_id(id);
    let jwt = environment.mint_link(&public, verify, None, lifetime);
    let ids = token.quorum.iter().flat_map(|quorum| &quorum.approvers);
    let approver = |(index, approver): (u8, &String)| {
        let jwt = environment.mint_link(&public, None, Some(approver), lifetime);
        let short = environment.short_link(LinkPurpose::Vote(index), id, lifetime);
        ApproverLink {
            approver: approver.clone(),
            url: url(origin, &public, &jwt),
            short_url: short_link::short_url(origin, id, &short),
        }
    };
    let short = environment.short_link(LinkPurpose::of_token(verify), id, lifetime);
    Links {
        url: url(origin, &public, &jwt),
        short_url: short_link::short_url(origin, id, &short),
        approvers: (0..).zip(ids).map(approver).collect(),
        credential: jwt,
        lifetime,
    }
}

impl Links {
    /// The public access token for whoever created the token. The credential of a link whose callbacks
    /// are signed may not write, so then it is another one. `id` is the public id.
    pub(crate) fn into_jwt(self, environment: &Environment, id: &str, token: &Token) -> String {
        if token.callback.is_none() {
            self.credential
        } else {
            environment.mint_link(id, None, None, self.lifetime)
        }
    }
}

/// A response with the headers from which trigger.dev's SDK takes the public access token.
pub(crate) fn with_jwt(reply: Reply, environment: &Environment, jwt: &str) -> Reply {
    reply
        .with_unique("x-trigger-jwt", jwt)
        .with("x-trigger-jwt-claims", &claims_json(&environment.id))
}

/// Whether an `If-None-Match` names this tag.
fn matches_etag(header: &str, etag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/") == etag;
    header.trim() == "*" || header.split(',').any(strong)
}
