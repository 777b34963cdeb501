//! The formats of texts.

use super::{FaultReason, TextFormat};
use crate::domain::email_address::{MAX_ADDRESS, check_address};
use crate::domain::time::timestamp::{is_date, is_date_time};
use std::ops::RangeInclusive;

impl TextFormat {
    /// The format of this name in JSON Schema.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "email" => Some(Self::Email),
            "uri" => Some(Self::Uri),
            "date" => Some(Self::Date),
            "date-time" => Some(Self::DateTime),
            _ => None,
        }
    }

    /// The lengths that texts of the format can have, in characters.
    pub(super) fn lengths(self) -> RangeInclusive<usize> {
        match self {
            Self::Email => 5..=MAX_ADDRESS,
            Self::Uri => 3..=usize::MAX,
            Self::Date => 10..=10,
            // From `2026-01-31T14:30:00Z` to nine decimals and an offset.
            Self::DateTime => 20..=35,
        }
    }

    /// Why a text does not have the format.
    pub(super) fn fault(self, text: &str) -> Option<FaultReason> {
        let (is_valid, why) = match self {
            Self::Email => (check_address(text).is_ok(), FaultReason::NotEmail),
            Self::Uri => (is_uri(text), FaultReason::NotUri),
            Self::Date => (is_date(text), FaultReason::NotDate),
            Self::DateTime => (is_date_time(text), FaultReason::NotDateTime),
        };
        (!is_valid).then_some(why)
    }
}

/// Whether the text is a scheme and something after it, without white space. Letters of any script are
/// allowed, as browsers allow them.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let is_scheme =
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(fits);
    is_scheme && !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
}
