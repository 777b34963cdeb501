//! Periods that end now, for the filters of a list.
//!
//! Invariant: a text is parsed as a whole or not at all.

use super::timestamp::Timestamp;
use super::{DAY, HOUR, MINUTE, SECOND, WEEK};

/// The average length, in milliseconds.
const YEAR: u64 = 365 * DAY + 6 * HOUR;
const MONTH: u64 = YEAR / 12;

/// The units that [`parse_since`] reads, each in the singular.
const UNITS: [(&str, u64); 22] = [
    ("ms", 1),
    ("msec", 1),
    ("millisecond", 1),
    ("s", SECOND),
    ("sec", SECOND),
    ("second", SECOND),
    ("m", MINUTE),
    ("min", MINUTE),
    ("minute", MINUTE),
    ("h", HOUR),
    ("hr", HOUR),
    ("hour", HOUR),
    ("d", DAY),
    ("day", DAY),
    ("w", WEEK),
    ("wk", WEEK),
    ("week", WEEK),
    ("mo", MONTH),
    ("month", MONTH),
    ("y", YEAR),
    ("yr", YEAR),
    ("year", YEAR),
];

/// The forms that [`parse_since`] accepts, for error messages.
pub const PERIOD_FORMS: &str =
    "a duration such as \"30m\", \"1.5h\", \"7d\", \"1 day 2 hours\" or \"P1D\"";

/// The instant that is a period before `now`, at the earliest the epoch. A period is one of these, of
/// at most 100 characters:
/// - numbers, perhaps with decimals, each with its unit (`1.5h`, `1 day 2 hours`);
/// - a number of milliseconds;
/// - an ISO 8601 duration.
///
/// Source: `parse-duration`, which trigger.dev's list uses. Unlike there, the `M` in `P1M` is a
/// month, and a text that is not valid as a whole is rejected.
#[must_use]
pub fn parse_since(text: &str, now: Timestamp) -> Option<Timestamp> {
    let millis = period_millis(text.trim_matches(' '))?;
    Some(Timestamp::from_millis(
        now.as_millis().saturating_sub(millis),
    ))
}

fn period_millis(text: &str) -> Option<u64> {
    if text.len() > 100 {
        return None;
    }
    if let Some((number, "")) = Decimal::leading(text) {
        return Some(number.times(1));
    }
    let mut rest = text.strip_prefix(['P', 'p']).unwrap_or(text);
    // Whether this is between the `P` and the `T` of an ISO 8601 duration.
    let mut dates = rest.len() < text.len();
    let mut total = 0_u64;
    let mut is_first = true;
    while is_first || !rest.is_empty() {
        if let Some(times) = rest.strip_prefix(['T', 't']).filter(|_| is_first || dates) {
            (rest, dates) = (times, false);
        }
        let (number, tail) = Decimal::leading(rest)?;
        let tail = tail.trim_start_matches(' ');
        let ends = |c: char| !c.is_ascii_alphabetic() || (dates && matches!(c, 'T' | 't'));
        let (unit, tail) = tail.split_at_checked(tail.find(ends).unwrap_or(tail.len()))?;
        let unit = match unit {
            "M" | "m" if dates => MONTH,
            _ => unit_millis(unit)?,
        };
        total = total.saturating_add(number.times(unit));
        is_first = false;
        rest = tail.trim_start_matches(' ');
    }
    Some(total)
}

/// A unit of [`UNITS`] in any case, perhaps in the plural.
fn unit_millis(unit: &str) -> Option<u64> {
    let named = |unit: &str| {
        let mut units = UNITS.iter();
        let found = units.find(|(name, _)| unit.eq_ignore_ascii_case(name));
        found.map(|&(_, millis)| millis)
    };
    let singular = || unit.strip_suffix(['s', 'S']).filter(|one| one.len() > 1);
    named(unit).or_else(|| named(singular()?))
}

/// A number. Decimals after the eighth are ignored.
struct Decimal {
    whole: u64,
    /// In units of 10⁻⁸.
    fraction: u64,
}

impl Decimal {
    /// The number at the beginning of a text, and what follows it.
    fn leading(text: &str) -> Option<(Self, &str)> {
        let (whole, rest) = leading_digits(text)?;
        let (decimals, rest) = match rest.strip_prefix('.') {
            Some(tail) => leading_digits(tail)?,
            None => ("0", rest),
        };
        let mut fraction = 0;
        for digit in decimals.bytes().chain(*b"00000000").take(8) {
            fraction = fraction * 10 + u64::from(digit - b'0');
        }
        // A number that does not fit is longer than all time.
        let whole = whole.parse().unwrap_or(u64::MAX);
        Some((Self { whole, fraction }, rest))
    }

    /// This many units, in whole milliseconds. No unit is so long that the product overflows.
    fn times(&self, unit: u64) -> u64 {
        let part = self.fraction * unit / 100_000_000;
        self.whole.saturating_mul(unit).saturating_add(part)
    }
}

/// One or more digits, and the rest of the text.
fn leading_digits(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let parts = text.split_at_checked(end.unwrap_or(text.len()));
    parts.filter(|(digits, _)| !digits.is_empty())
}
