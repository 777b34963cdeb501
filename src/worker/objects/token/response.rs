//! What a client is told of a token.
//!
//! A token's object answers its client itself: the Worker hands the response on as it is, which spares a
//! second one.

use crate::domain::api::token_body::{Visibility, token_json, version};
use crate::domain::auth::keyring::Environment;
use crate::domain::stored::envelope::ResponseContext;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::Token;
use crate::domain::token::home::Home;
use crate::domain::token::transition::Outcome;
use crate::worker::http::response::Reply;

impl ResponseContext {
    /// A token as this viewer may see it; `id` is the internal one.
    pub(crate) fn shown(
        &self,
        token: &Token,
        environment: &Environment,
        id: &str,
        now: Timestamp,
    ) -> Reply {
        let (reader, etag) = self.version(token);
        let reply = if matches_etag(&self.etag, &etag) {
            Reply::unchanged()
        } else {
            let id = format!("waitpoint_{id}");
            let minted;
            // The viewer's own credential: a link must not grant more than its reader has.
            let credential = if let Some(credential) = &self.credential {
                credential
            } else {
                minted = environment.mint(&id, token.created_at, token.timeout_at, now);
                &minted
            };
            let url = url(&self.origin, &id, credential);
            Reply::private_json(token_json(&id, &url, token, reader))
        };
        let reply = reply.with("etag", &etag).with("vary", "Authorization");
        match self.waited {
            Some(seconds) => reply.with("preference-applied", &format!("wait={seconds}")),
            None => reply,
        }
    }

    /// What a decision came to.
    pub(crate) fn decided(&self, outcome: Outcome) -> Reply {
        let reply = Reply::json(200, r#"{"success":true}"#.to_owned())
            .with("waitpoint-outcome", outcome.as_str());
        match &self.hint {
            Some(hint) => reply.with("waitpoint-hint", hint),
            None => reply,
        }
    }

    /// What this viewer sees of a token, and its version: one a state, and for the owner, who sees
    /// deliveries, one an attempt. The bodies of the same version differ by viewer, hence `Vary`. Of a token
    /// that lives upstream two ends can be seen, one after the other.
    fn version(&self, token: &Token) -> (Visibility, String) {
        let mut version = format!("\"{}", version(token));
        if let (Home::Upstream, Some(at)) = (token.home, token.finished_at()) {
            version += &format!(".{at}");
        }
        let attempts: u32 = token.deliveries.iter().map(|one| one.attempts).sum();
        let reader = match self.credential {
            None => Visibility::Owner,
            Some(_) => Visibility::Token,
        };
        if reader == Visibility::Owner && attempts > 0 {
            version += &format!(".{attempts}");
        }
        version.push('"');
        (reader, version)
    }
}

/// `token.url` for the public id of a token, as who calls `origin` may use it.
pub(crate) fn url(origin: &str, id: &str, credential: &str) -> String {
    format!("{origin}/api/v1/waitpoints/tokens/{id}/callback/{credential}")
}

/// Whether an `If-None-Match` names this tag.
fn matches_etag(header: &str, etag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/") == etag;
    header.trim() == "*" || header.split(',').any(strong)
}
