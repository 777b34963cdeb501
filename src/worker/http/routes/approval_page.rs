//! The approval page: shows a token to a person, and decides what its form says.
//!
//! Invariant: the page decides only by a POST with the nonce that the page's form holds.

use crate::domain::api::error::ApiError;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::api::token_body;
use crate::domain::auth::caller::Caller;
use crate::domain::auth::form_nonce::NoncePurpose;
use crate::domain::auth::keyring::Environment;
use crate::domain::callback::config::verify_json;
use crate::domain::page::i18n::Words;
use crate::domain::page::{
    self, FormError, FormInput, InputFault, NotRecorded, PageState, Reads, RenderContext,
    Submission,
};
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::stored::votes::StoredBallot;
use crate::domain::token::transition::Outcome;
use crate::domain::token::votes::Ballot;
use crate::domain::token::{CompletedBy, Decision, Output, OutputKind, State, Token};
use crate::worker::http::context::RequestContext;
use crate::worker::http::csp;
use crate::worker::http::rate_limit::{Permit, enforce, is_exceeded};
use crate::worker::http::request::LinkHead;
use crate::worker::http::response::Reply;
use crate::worker::http::routes::complete::complete_token;
use crate::worker::http::routes::retrieve::read_token;
use crate::worker::http::token_object::send;
use crate::worker::http::upstream_token::ReadFor;
use std::cell::OnceCell;

/// A request to a `token.url`, which opens the page or sends its form.
pub(crate) struct Link<'a> {
    pub(crate) context: &'a RequestContext<'a>,
    pub(crate) head: LinkHead<'a>,
    pub(crate) words: &'static Words,
    pub(crate) environment: &'static Environment,
    pub(crate) caller: Caller<'static>,
    /// The internal id.
    pub(crate) id: &'a str,
    pub(crate) expired: bool,
    /// Whether the credential may decide. Otherwise the page only shows.
    pub(crate) may_decide: bool,
    /// What the credential may read of a finished token.
    pub(crate) reads: Reads,
}

impl Link<'_> {
    /// The page in the token's current state.
    pub(crate) async fn show(&self) -> Result<Reply, ApiError> {
        let (environment, id) = (&self.environment.id, self.id);
        let limit = if self.expired {
            RateLimitKey::ExpiredPage(environment, id)
        } else {
            RateLimitKey::Page(environment, id)
        };
        let permit = enforce(self.context, limit).await?;
        let token = self.token(&permit, ReadFor::Viewing).await?;
        let (token, reads) = (&token, self.reads);
        Ok(if self.expired {
            self.page(410, token, PageState::LinkExpired { token, reads })
        } else if token.state != State::Waiting {
            self.page(200, token, PageState::ended(token, reads))
        } else if !self.decides(token) {
            self.page(200, token, PageState::ShownOnly { token })
        } else {
            let words = self.words;
            let vote = self
                .approver(token)
                .and_then(|approver| token.vote_of(approver));
            let input = vote.map(|vote| FormInput::of_vote(&page::approval_of(token, words), vote));
            self.form(200, token, &input.unwrap_or_default(), None)
        })
    }

    /// The index of the approver whose link this is.
    fn approver(&self, token: &Token) -> Option<u8> {
        self.caller.approver_of(token.quorum.as_ref()?)
    }

    /// Whether this link decides the token. One with approvers is decided by their links alone.
    fn decides(&self, token: &Token) -> bool {
        self.may_decide && (token.quorum.is_none() || self.approver(token).is_some())
    }

    /// Counts a POST that has not yet proven that it may decide. It uses up no limit of decisions.
    pub(crate) async fn enforce_undecided(&self) -> Result<Permit, ApiError> {
        let limit = RateLimitKey::Undecided(&self.environment.id, self.id);
        enforce(self.context, limit).await
    }

    /// The `callback.verify` of the token's record, in JSON.
    pub(crate) async fn recorded_verify(&self, permit: &Permit) -> Result<String, ApiError> {
        let token = self.token(permit, ReadFor::Deciding).await?;
        let verify = token.callback.as_deref().and_then(verify_json);
        verify.map(str::to_owned).ok_or(ApiError::TokenNotFound)
    }

    /// Decides what the form says.
    pub(crate) async fn submit(&self, nonce: &str, input: &FormInput) -> Result<Reply, ApiError> {
        let (environment, id) = (&self.environment.id, self.id);
        let person = self.caller.person();
        let limit = match &person {
            Some(person) => RateLimitKey::Votes(environment, id, person),
            None => RateLimitKey::Decisions(environment, id),
        };
        let permit = enforce(self.context, limit).await?;
        let token = self.token(&permit, ReadFor::Deciding).await?;
        if token.state != State::Waiting {
            return Ok(self.over(&token, input));
        }
        if !self.decides(&token) {
            if !self.head.prefers_html() {
                return Err(ApiError::ApproversOnly);
            }
            return Ok(self.page(403, &token, PageState::ShownOnly { token: &token }));
        }
        // This limit is enforced after the token was found. Otherwise the keys of one environment
        // could use up the limit of another environment's token.
        let mut key = format!("{}/{}", self.environment.id, self.id);
        if let Some(approver) = self.approver(&token) {
            // Otherwise one approver could use up the limit of all.
            key += &format!("/{approver}");
        }
        if is_exceeded(self.context, "PAGE_LIMIT", &key).await {
            let page = self.form(429, &token, input, Some(&FormError::Busy));
            return Ok(page.with("retry-after", "60"));
        }
        let purpose = NoncePurpose::ApprovalPage(self.id);
        let opened = self
            .environment
            .open_form_nonce(purpose, nonce, self.context.now);
        if opened.is_none() {
            return Ok(self.form(403, &token, input, Some(&FormError::Stale)));
        }
        let approval = page::approval_of(&token, self.words);
        let outcome = match self.approver(&token) {
            Some(approver) => match page::ballot(&approval, input, approver) {
                Ok(ballot) => self.vote(&permit, ballot).await,
                Err(faults) => return Ok(self.form_with(&token, input, faults)),
            },
            None => match page::decide(&approval, input) {
                Ok(output) => self.complete(&permit, output).await,
                Err(faults) => return Ok(self.form_with(&token, input, faults)),
            },
        };
        match outcome {
            Ok(Outcome::Completed | Outcome::Voted) => Ok(self.see_page()),
            Ok(_) => {
                // Somebody else has decided in the meantime.
                let token = self.token(&permit, ReadFor::Deciding).await?;
                Ok(self.over(&token, input))
            }
            Err(ApiError::StorageUnavailable) => {
                let page = self.form(503, &token, input, Some(&FormError::Unavailable));
                Ok(page.with("retry-after", "2"))
            }
            Err(other) => Err(other),
        }
    }

    async fn complete(&self, permit: &Permit, output: String) -> Result<Outcome, ApiError> {
        let output = Some(Output {
            kind: OutputKind::Json,
            text: output,
        });
        let decision = Decision {
            output,
            by: CompletedBy::Page,
            subject: self.caller.subject().map(str::to_owned),
            callback: None,
            is_by_owner: false,
        };
        complete_token(self.context, permit, self.environment, self.id, &decision).await
    }

    async fn vote(&self, permit: &Permit, ballot: Ballot) -> Result<Outcome, ApiError> {
        let command = CommandMessage::Vote(StoredBallot::of(ballot));
        match send(
            self.context,
            permit,
            self.environment,
            self.id,
            &command,
            "",
        )
        .await?
        {
            TokenReply::Decided(outcome) => Ok(outcome),
            _ => Err(ApiError::TokenNotFound),
        }
    }

    /// The response to a decision on a token that has ended.
    fn over(&self, token: &Token, input: &FormInput) -> Reply {
        let not_recorded = if token.state == State::Waiting {
            // It was decided and purged, so the decision is not known any more.
            NotRecorded::AlreadyDecided
        } else if self.reads != Reads::Everything && matches!(token.state, State::Completed { .. })
        {
            // The result of a comparison would reveal the decision.
            NotRecorded::Undisclosed
        } else {
            let approval = page::approval_of(token, self.words);
            let not_recorded = match self.approver(token) {
                Some(approver) => page::compare_vote(token, &approval, input, approver),
                None => page::compare(token, &approval, input),
            };
            match not_recorded {
                // The same decision was sent again, by a double click or the back button.
                None => return self.see_page(),
                Some(not_recorded) => not_recorded,
            }
        };
        let status = match not_recorded {
            NotRecorded::TooLate | NotRecorded::Withdrawn => 410,
            _ => 409,
        };
        let state = PageState::Finished {
            token,
            reads: self.reads,
            submission: Some(Submission {
                input,
                not_recorded,
            }),
        };
        self.page(status, token, state)
    }

    /// Redirects to the page after a POST, so that a reload does not send the form again.
    fn see_page(&self) -> Reply {
        if !self.head.prefers_html() {
            return Reply::json(200, r#"{"success":true}"#.to_owned());
        }
        let head = self.context.head;
        Reply::empty(303).with("location", &format!("{}{}", head.path(), head.query()))
    }

    /// The form again, with its input and what is wrong with it.
    fn form_with(&self, token: &Token, input: &FormInput, faults: Vec<InputFault>) -> Reply {
        self.form(422, token, input, Some(&FormError::Input(faults)))
    }

    /// The form with this input, and why it is shown again.
    fn form(
        &self,
        status: u16,
        token: &Token,
        input: &FormInput,
        error: Option<&FormError>,
    ) -> Reply {
        let nonce = &self.nonce();
        let state = match self.approver(token) {
            Some(approver) => PageState::Voting {
                token,
                approver,
                nonce,
                input,
                error,
            },
            None => PageState::Waiting {
                token,
                nonce,
                input,
                error,
            },
        };
        self.page(status, token, state)
    }

    fn page(&self, status: u16, token: &Token, state: PageState<'_>) -> Reply {
        let context = RenderContext {
            words: self.words,
            now: self.context.now,
        };
        let reply = html(status, page::render(context, state))
            .with("waitpoint-status", token_body::status(token));
        // An open page reads these headers from time to time (www/page.js).
        match (&token.state, token.timeout_at) {
            (State::Cancelled { .. }, _) => {
                reply.with("waitpoint-outcome", Outcome::Cancelled.as_str())
            }
            // Only for those who may decide.
            (State::Waiting, Some(at)) if self.decides(token) && !self.expired => {
                reply.with("waitpoint-timeout-at", &at.to_string())
            }
            _ => reply,
        }
    }

    fn nonce(&self) -> String {
        self.environment
            .form_nonce(NoncePurpose::ApprovalPage(self.id), self.context.now)
    }

    async fn token(&self, permit: &Permit, purpose: ReadFor) -> Result<Token, ApiError> {
        read_token(self.context, permit, self.environment, self.id, purpose).await
    }
}

/// The page for an error; errors without a page are returned.
pub(crate) fn error_page(
    context: &RequestContext<'_>,
    words: &Words,
    error: ApiError,
) -> Result<Reply, ApiError> {
    let submitted = context.head.method() == "POST";
    let (status, state) = match error {
        // All errors of a link have the same page, so that it does not reveal which tokens exist.
        ApiError::InvalidPublicToken
        | ApiError::InvalidCallbackHash
        | ApiError::InsufficientScope
        | ApiError::TokenNotFound => (404, PageState::LinkNotFound),
        ApiError::StorageUnavailable => (503, PageState::Unavailable { submitted }),
        // Upstream is read before a decision is made, so nothing was decided.
        ApiError::UpstreamUnavailable => (503, PageState::Unavailable { submitted: false }),
        ApiError::TooManyRequests(_) => (429, PageState::Busy { submitted }),
        ApiError::TooManyFailures => (429, PageState::Busy { submitted: false }),
        ApiError::CrossSiteForm => (403, PageState::CrossSite),
        ApiError::BodyTooLarge { .. } | ApiError::TooManyFields(_) => (413, PageState::TooLarge),
        other => return Err(other),
    };
    let now = context.now;
    let reply = html(status, page::render(RenderContext { words, now }, state));
    Ok(match state {
        PageState::Unavailable { .. } => reply.with("retry-after", "2"),
        PageState::Busy { .. } => reply.with("retry-after", "60"),
        _ => reply,
    })
}

/// The response that holds a page.
fn html(status: u16, text: String) -> Reply {
    thread_local! {
        static POLICY: OnceCell<String> = const { OnceCell::new() };
    }
    POLICY.with(|policy| {
        let policy = policy.get_or_init(|| csp::of_page(&[page::CSS], &[page::JS], ""));
        Reply::html(status, text, policy).with("vary", "Accept-Language")
    })
}
