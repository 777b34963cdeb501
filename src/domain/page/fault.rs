//! What is wrong with the input of a form, and the sentences about it.

use crate::domain::approval::form::{FaultReason, Field, FieldFault, FieldKind};
use crate::domain::page::i18n::Words;
use std::borrow::Cow;

/// What is wrong with one part of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputFault {
    /// A field of the approval's form.
    Field(FieldFault),
    /// No choice was made.
    ChooseOne,
    /// The typed text is not the label of a choice.
    TypeExactly,
    /// A comment is required.
    CommentMissing,
    /// The comment is longer than [`MAX_COMMENT`](crate::domain::approval::schema::MAX_COMMENT).
    CommentTooLong,
}

/// The sentence about the fault of a field.
pub(super) fn sentence(words: &Words, field: Option<&Field>, why: &FaultReason) -> String {
    let kind = field.map(|field| &field.kind);
    match why {
        FaultReason::Missing => match kind {
            Some(FieldKind::One { .. }) => words.choose_one.to_owned(),
            Some(FieldKind::Many { min, .. }) => with(words, words.too_few, (*min).max(1)),
            _ => words.fill_in.to_owned(),
        },
        FaultReason::TooShort(min) => with(words, words.too_short, min),
        FaultReason::TooLong(max) => with(words, words.too_long, max),
        FaultReason::NotNumber => words.not_number.to_owned(),
        FaultReason::NotInteger => words.not_integer.to_owned(),
        FaultReason::TooSmall(min) => with(words, words.too_small, min),
        FaultReason::TooLarge(max) => with(words, words.too_large_number, max),
        FaultReason::NotEmail => words.not_email.to_owned(),
        FaultReason::NotUri => words.not_uri.to_owned(),
        FaultReason::NotDate => words.not_date.to_owned(),
        FaultReason::NotDateTime => words.not_date_time.to_owned(),
        FaultReason::NotAnOption => words.choose_one.to_owned(),
        FaultReason::TooFew(min) => with(words, words.too_few, min),
        FaultReason::TooMany(max) => with(words, words.too_many, max),
        FaultReason::Repeated | FaultReason::WrongType => words.not_valid.to_owned(),
    }
}

/// A sentence with its bound. Between words from right to left a sign would change sides.
pub(super) fn with(words: &Words, sentence: &str, bound: impl ToString) -> String {
    let bound: Cow<'_, str> = match words.dir {
        "rtl" => format!("\u{2066}{}\u{2069}", bound.to_string()).into(),
        _ => bound.to_string().into(),
    };
    sentence.replace("{n}", &bound)
}
