//! `token.url`: the page that a person opens and sends, and what a machine sends.
//!
//! Invariant: GET and HEAD decide nothing, whatever the query or the headers. A page decides by a POST
//! that holds the nonce it was given.

use crate::domain::api::callback::parse_callback;
use crate::domain::api::error::ApiError;
use crate::domain::api::form::{check_field_count, form_fields, is_form};
use crate::domain::api::limits::MAX_COMPLETE;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::api::token_body;
use crate::domain::auth::caller::Caller;
use crate::domain::auth::keyring::Environment;
use crate::domain::auth::token_id::internal_id;
use crate::domain::encoding::base64url_encode;
use crate::domain::page::i18n::{self, Words};
use crate::domain::page::{
    self, FormError, FormInput, MAX_FORM, NONCE_FIELD, NotRecorded, PageState, Reads,
    RenderContext, Submission,
};
use crate::domain::token::transition::Outcome;
use crate::domain::token::{CompletedBy, Decision, Output, OutputKind, State, Token};
use crate::worker::http::api::RequestContext;
use crate::worker::http::body::{body, drain};
use crate::worker::http::response::{HandlerResponse, LinkHead, Reply, content_type};
use crate::worker::settings;
use sha2::{Digest, Sha256};
use std::cell::OnceCell;

/// A link that is being opened or sent.
struct Link<'a> {
    call: &'a RequestContext<'a>,
    head: LinkHead,
    words: &'static Words,
    environment: &'static Environment,
    /// The internal id.
    id: &'a str,
    expired: bool,
    /// What the credential may read once the token is finished.
    reads: Reads,
}

impl RequestContext<'_> {
    /// Answers any method that `token.url` takes.
    pub(crate) async fn link(
        &self,
        typed: &str,
        credential: &str,
    ) -> Result<HandlerResponse, ApiError> {
        let head = LinkHead::of(self.request);
        let words = i18n::choose(self.query("lang"), head.accept_language());
        let shows = self.head.method() != "POST" || head.wants_html();
        match self.answer_link(typed, credential, head, words).await {
            Err(error) if shows => {
                drain(self.request).await;
                let error = self.throttle_failed_auth(error).await;
                self.notice(words, error).map(Into::into)
            }
            answer => answer,
        }
    }

    async fn answer_link(
        &self,
        typed: &str,
        credential: &str,
        head: LinkHead,
        words: &'static Words,
    ) -> Result<HandlerResponse, ApiError> {
        if head.is_plain_http() {
            let secure = self.head.origin().replacen("http:", "https:", 1);
            let location = format!("{secure}{}{}", self.head.path(), self.head.query());
            return Ok(Reply::empty(308).with("location", &location).into());
        }
        let post = self.head.method() == "POST";
        if post && (head.is_of_another_site() || self.head.is_of_another_origin()) {
            return Err(ApiError::CrossSiteForm);
        }
        let keyring = settings::keyring(self.env)?;
        let (caller, expired) = keyring.authenticate_link(typed, credential, self.now)?;
        if expired && post && !head.wants_html() {
            return Err(ApiError::PublicTokenExpired);
        }
        let link = Link {
            call: self,
            head,
            words,
            environment: caller.environment(),
            id: internal_id(typed).ok_or(ApiError::TokenNotFound)?,
            expired,
            reads: match &caller {
                Caller::CallbackHash(_) => Reads::Nothing,
                caller if caller.allows("read", typed) => Reads::Everything,
                _ => Reads::Question,
            },
        };
        if !post || expired {
            let (environment, id) = (&link.environment.id, link.id);
            self.count(if expired {
                RateLimitKey::ExpiredPage(environment, id)
            } else {
                RateLimitKey::Page(environment, id)
            });
            return link.show().await.map(Into::into);
        }
        let body = body(self.request, self.head, MAX_COMPLETE).await?;
        // Not to hold the body while the object is asked: the client may leave, and it be collected late.
        match link.form(&body)? {
            Some((nonce, draft)) => {
                drop(body);
                link.send(caller, &nonce, &draft).await.map(Into::into)
            }
            None => {
                let output = parse_callback(&content_type(self.request), &body)?;
                drop(body);
                self.decide(caller, typed, Some(output), CompletedBy::Callback, None)
                    .await
            }
        }
    }

    /// An error as a person may read it.
    fn notice(&self, words: &Words, error: ApiError) -> Result<Reply, ApiError> {
        let submitted = self.head.method() == "POST";
        let (status, state) = match error {
            // One page for all that is wrong with a link, so that none tells what there is.
            ApiError::InvalidPublicToken
            | ApiError::InvalidCallbackHash
            | ApiError::InsufficientScope
            | ApiError::TokenNotFound => (404, PageState::LinkNotFound),
            ApiError::StorageUnavailable => (503, PageState::Unavailable { submitted }),
            // Upstream is read before anything is decided.
            ApiError::UpstreamUnavailable => (503, PageState::Unavailable { submitted: false }),
            ApiError::TooManyRequests(_) => (429, PageState::Busy { submitted }),
            ApiError::TooManyFailures => (429, PageState::Busy { submitted: false }),
            ApiError::CrossSiteForm => (403, PageState::CrossSite),
            ApiError::UnsupportedMediaType(_) => (415, PageState::CrossSite),
            ApiError::BodyTooLarge(_) | ApiError::TooManyFields(_) => (413, PageState::TooLarge),
            other => return Err(other),
        };
        let now = self.now;
        let reply = html(status, page::render(RenderContext { words, now }, state));
        Ok(match state {
            PageState::Unavailable { .. } => reply.with("retry-after", "2"),
            PageState::Busy { .. } => reply.with("retry-after", "60"),
            _ => reply,
        })
    }

    /// The value of a parameter of the query, as it stands there.
    fn query(&self, name: &str) -> &str {
        let query = self.head.query().trim_start_matches('?');
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(found, _)| *found == name)
            .map_or("", |(_, value)| value)
    }
}

impl Link<'_> {
    /// The page as it stands now.
    async fn show(&self) -> Result<Reply, ApiError> {
        let token = self.token(false).await?;
        let (nonce, reads) = (self.nonce(), self.reads);
        Ok(if self.expired {
            let token = &token;
            self.page(410, token, PageState::LinkExpired { token, reads })
        } else {
            self.page(200, &token, PageState::opened(&token, &nonce, reads))
        })
    }

    /// Nonce and draft of the page's form; none if a machine sent the body.
    fn form(&self, body: &[u8]) -> Result<Option<(String, FormInput)>, ApiError> {
        // What a browser will show the answer of is the page's form, or pretends to be.
        let browser = self.head.navigates() || self.head.wants_html();
        let content_type = content_type(self.call.request);
        if !is_form(&content_type) {
            return if browser {
                Err(ApiError::UnsupportedMediaType(content_type.to_owned()))
            } else {
                Ok(None)
            };
        }
        let text = String::from_utf8_lossy(body);
        check_field_count(&text)?;
        let mut nonce = None;
        let mut draft = FormInput::default();
        for (name, value) in form_fields(&text) {
            match name.as_str() {
                NONCE_FIELD => nonce = Some(value),
                "choice" => draft.choice = value,
                "typed" => draft.typed = value,
                "comment" => draft.comment = value,
                _ => {}
            }
        }
        if nonce.is_none() && !browser {
            return Ok(None);
        }
        if body.len() > MAX_FORM {
            return Err(ApiError::BodyTooLarge(MAX_FORM));
        }
        Ok(Some((nonce.unwrap_or_default(), draft)))
    }

    /// Decides as the form says.
    async fn send(
        &self,
        caller: Caller<'_>,
        nonce: &str,
        draft: &FormInput,
    ) -> Result<Reply, ApiError> {
        let share = RateLimitKey::Decisions(&self.environment.id, self.id);
        self.call.count(share);
        let token = self.token(true).await?;
        if token.state != State::Waiting {
            return Ok(self.over(&token, draft));
        }
        // Not before the token is known: an environment's keys must not use up the share of another's.
        let sendings = format!("{}/{}", self.environment.id, self.id);
        if self.call.is_exceeded("PAGE_LIMIT", &sendings).await {
            let page = self.form_again(429, &token, draft, FormError::Busy);
            return Ok(page.with("retry-after", "60"));
        }
        if !self
            .environment
            .accepts_form_nonce(self.id, nonce, self.call.now)
        {
            return Ok(self.form_again(403, &token, draft, FormError::Stale));
        }
        let text = match page::decide(&page::approval_of(&token, self.words), draft) {
            Ok(text) => text,
            Err(error) => return Ok(self.form_again(422, &token, draft, error)),
        };
        let output = Some(Output {
            kind: OutputKind::Json,
            text,
        });
        let decision = Decision {
            output,
            by: CompletedBy::Page,
            subject: caller.subject(),
        };
        match self
            .call
            .complete_token(self.environment, self.id, &decision)
            .await
        {
            Ok(Outcome::Completed) => Ok(self.see_page()),
            Ok(_) => {
                // Somebody was faster.
                let token = self.token(true).await?;
                Ok(self.over(&token, draft))
            }
            Err(ApiError::StorageUnavailable) => {
                let page = self.form_again(503, &token, draft, FormError::Unavailable);
                Ok(page.with("retry-after", "2"))
            }
            Err(other) => Err(other),
        }
    }

    /// The answer to a decision on a token that is finished.
    fn over(&self, token: &Token, draft: &FormInput) -> Reply {
        let not_recorded = if self.reads != Reads::Everything && token.state != State::TimedOut {
            // The result of a comparison would tell what was decided.
            NotRecorded::Undisclosed
        } else {
            match page::compare(token, &page::approval_of(token, self.words), draft) {
                // The same decision again: a double click, or the back button.
                None => return self.see_page(),
                Some(not_recorded) => not_recorded,
            }
        };
        let status = match not_recorded {
            NotRecorded::TooLate => 410,
            _ => 409,
        };
        let state = PageState::Finished {
            token,
            reads: self.reads,
            submission: Some(Submission {
                input: draft,
                not_recorded,
            }),
        };
        self.page(status, token, state)
    }

    /// Post, redirect, get.
    fn see_page(&self) -> Reply {
        if !self.head.wants_html() {
            return Reply::json(200, r#"{"success":true}"#.to_owned());
        }
        let head = self.call.head;
        Reply::empty(303).with("location", &format!("{}{}", head.path(), head.query()))
    }

    /// The form once more, with what was filled in and what is wrong.
    fn form_again(&self, status: u16, token: &Token, input: &FormInput, error: FormError) -> Reply {
        let state = PageState::Waiting {
            token,
            nonce: &self.nonce(),
            input,
            error: Some(error),
        };
        self.page(status, token, state)
    }

    fn page(&self, status: u16, token: &Token, state: PageState<'_>) -> Reply {
        let context = RenderContext {
            words: self.words,
            now: self.call.now,
        };
        html(status, page::render(context, state))
            .with("waitpoint-status", token_body::status(token))
    }

    fn nonce(&self) -> String {
        self.environment.form_nonce(self.id, self.call.now)
    }

    async fn token(&self, decides: bool) -> Result<Token, ApiError> {
        self.call
            .read_token(self.environment, self.id, decides)
            .await
    }
}

/// A page of `page.rs`.
fn html(status: u16, text: String) -> Reply {
    thread_local! {
        static POLICY: OnceCell<String> = const { OnceCell::new() };
    }
    POLICY.with(|policy| {
        let policy = policy.get_or_init(|| {
            let (style, script) = (hash(page::CSS), hash(page::JS));
            format!(
                "default-src 'none'; style-src '{style}'; script-src '{script}'; img-src 'self' data:; \
                 connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                 require-trusted-types-for 'script'"
            )
        });
        Reply::html(status, text, policy).with("vary", "Accept-Language")
    })
}

/// As a Content-Security-Policy names a text that stands in the page.
pub(crate) fn hash(text: &str) -> String {
    let mut encoded = String::new();
    base64url_encode(&Sha256::digest(text.as_bytes()), &mut encoded);
    format!("sha256-{}=", encoded.replace('-', "+").replace('_', "/"))
}
