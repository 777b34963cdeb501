//! A token as an operator sees it, in the inbox: what the approval page says, and all votes.

use super::decide::{FormError, FormInput, NotRecorded, approval_of};
use super::document::{Document, TimeElement};
use super::form::Form;
use super::render::{RenderContext, finished, question};
use super::state::{Reads, Submission};
use super::votes;
use crate::domain::token::{State, Token};
use askama::Template;

/// A token that an operator has opened.
#[derive(Clone, Copy)]
pub struct Opened<'a> {
    pub token: &'a Token,
    /// The nonce that the form sends back.
    pub nonce: &'a str,
    pub input: &'a FormInput,
    /// Why the form is shown again.
    pub error: Option<&'a FormError>,
    /// Why the form's decision was not recorded.
    pub not_recorded: Option<NotRecorded>,
}

/// The part of a page that shows the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorPage {
    /// The page's title.
    pub title: String,
    /// A class of the page's body, for the colour.
    pub tone: &'static str,
    pub html: String,
}

impl OperatorPage {
    #[must_use]
    pub fn of(context: RenderContext<'_>, opened: Opened<'_>) -> Self {
        let (words, token) = (context.words, opened.token);
        if token.state != State::Waiting {
            let submission = opened.not_recorded.map(|not_recorded| Submission {
                input: opened.input,
                not_recorded,
            });
            return Self::new(&finished(context, token, Reads::Everything, submission));
        }
        let approval = approval_of(token, words);
        let fields = approval.form();
        let (nonce, input, error) = (opened.nonce, opened.input, opened.error);
        let mut details = votes::details(words, token, &approval);
        let progress = votes::progress(words, token);
        details.extend(votes::missing(words, token, &approval));
        Self::new(&Document {
            deadline: token.timeout_at.map(TimeElement::of),
            form: Some(Form::of(words, &approval, &fields, nonce, input, error)),
            question: Some(question(words, &approval)),
            progress: progress.map(|votes| format!("{votes} {}", words.inbox.overrules)),
            details,
            ..Document::of_token(words, context.now)
        })
    }

    fn new(document: &Document<'_>) -> Self {
        Self {
            title: document.title(),
            tone: document.tone.name(),
            // Writing to a string cannot fail.
            html: document.card().render().unwrap_or_default(),
        }
    }
}
