//! The page on which an operator signs in.

use super::layout::page;
use super::view::{Frame, SignIn, SignInProblem};
use crate::domain::page::i18n::Words;
use askama::Template;

#[derive(Template)]
#[template(path = "inbox/sign_in.html")]
struct SignInPage<'a> {
    words: &'a Words,
    nonce: &'a str,
    next: &'a str,
    problem: Option<&'static str>,
    is_key_wrong: bool,
}

/// The sign-in page.
#[must_use]
pub fn sign_in(frame: Frame<'_>, form: SignIn<'_>) -> String {
    let words = frame.words;
    let content = SignInPage {
        words,
        nonce: form.nonce,
        next: form.next,
        problem: form.problem.map(|problem| match problem {
            SignInProblem::WrongKey => words.inbox.wrong_key,
            SignInProblem::TooManyAttempts => words.inbox.too_many_keys,
            SignInProblem::LinkUsed => words.inbox.link_used,
            SignInProblem::Stale => words.inbox.stale,
        }),
        is_key_wrong: form.problem == Some(SignInProblem::WrongKey),
    };
    let content = content.render().unwrap_or_default();
    page(frame, words.inbox.sign_in, "single", &content)
}
