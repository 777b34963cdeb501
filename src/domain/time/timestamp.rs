//! Instants and durations. There is no clock here: whoever needs the time is given it.
//!
//! Invariant: a [`Timestamp`] is a whole number of milliseconds since 1970-01-01T00:00:00Z, between
//! that moment and the end of the year 9999, so it always has an ISO 8601 form of 24 characters.

use std::fmt;
use std::time::Duration;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
/// On average.
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

/// The forms that [`parse_duration`] accepts, for error messages.
pub const DURATION_FORMS: &str = "\"30s\", \"10m\", \"1h30m\", \"2d\" or \"1w\"";

/// The forms that [`parse_timeout`] accepts, for error messages.
pub const TIMEOUT_FORMS: &str =
    "a duration such as \"30s\", \"10m\", \"1h30m\", \"2d\" or \"1w\", or a future ISO 8601 date";

/// The forms that [`parse_since`] accepts, for error messages.
pub const PERIOD_FORMS: &str =
    "a duration such as \"30m\", \"1.5h\", \"7d\", \"1 day 2 hours\" or \"P1D\"";

/// An instant: milliseconds since the Unix epoch, at most the end of the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// 9999-12-31T23:59:59.999Z, the last instant with a four-digit year.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_999);

    /// From milliseconds since the epoch; later than [`Timestamp::MAX`] becomes that.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::MAX.0 {
            Self::MAX
        } else {
            Self(millis)
        }
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down (the unit of a JWT's `exp`).
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / SECOND
    }

    /// This instant plus `duration`, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// Reads an ISO 8601 date or date-time: `2031-01-05`, `2031-01-05T10:00Z`,
    /// `2031-01-05T10:00:00.000+02:00`. Without an offset it is UTC. `None` for anything else, a
    /// year alone too, and for dates before 1970.
    #[must_use]
    pub fn parse_iso(text: &str) -> Option<Self> {
        let (date, time) = match text.split_once(['T', 't']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let mut fields = date.split('-');
        let year = digits(fields.next()?, 4)?;
        let month = digits(fields.next()?, 2)?;
        let day = digits(fields.next()?, 2)?;
        if fields.next().is_some() || !(1..=12).contains(&month) {
            return None;
        }
        if day < 1 || day > days_in_month(year, month) {
            return None;
        }
        let midnight = days_from_epoch(year, month, day) * DAY as i64;
        let millis = midnight + time.map_or(Some(0), parse_time_of_day)?;
        u64::try_from(millis)
            .ok()
            .filter(|&millis| millis <= Self::MAX.0)
            .map(Self)
    }
}

/// ISO 8601 in UTC with milliseconds, as `Date.prototype.toISOString` writes it.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_from_days(self.0 / DAY);
        let (hour, minute) = (self.0 % DAY / HOUR, self.0 % HOUR / MINUTE);
        let (second, milli) = (self.0 % MINUTE / SECOND, self.0 % SECOND);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
        )
    }
}

/// Why a text is no timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutError {
    /// Neither a duration nor an ISO 8601 date.
    Unreadable,
    /// A date, but not a future one.
    Past,
    /// Beyond the year 9999.
    TooFar,
}

/// Reads a token's timeout: a duration from `now`, or a date after it.
///
/// Source: trigger.dev's `delays.ts`; there, what does not parse means "never", here it is an
/// error.
///
/// # Errors
/// See [`TimeoutError`].
pub fn parse_timeout(text: &str, now: Timestamp) -> Result<Timestamp, TimeoutError> {
    if let Some(millis) = duration_millis(text) {
        let at = now.0.saturating_add(millis?);
        return if at > Timestamp::MAX.0 {
            Err(TimeoutError::TooFar)
        } else {
            Ok(Timestamp(at))
        };
    }
    future(
        Timestamp::parse_iso(text).ok_or(TimeoutError::Unreadable)?,
        now,
    )
}

/// `at` if it lies after `now`.
///
/// # Errors
/// [`TimeoutError::Past`] otherwise.
pub fn future(at: Timestamp, now: Timestamp) -> Result<Timestamp, TimeoutError> {
    if at > now {
        Ok(at)
    } else {
        Err(TimeoutError::Past)
    }
}

/// Reads a duration such as `30s`, `1h30m` or `2d`: numbers with the units `w d h hr m s`, at most
/// 100 characters. Of a unit named twice the first counts, as in trigger.dev.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    duration_millis(text)?.ok().map(Duration::from_millis)
}

/// `None` if the text is no duration, an error inside if it overflows.
fn duration_millis(text: &str) -> Option<Result<u64, TimeoutError>> {
    if text.is_empty() || text.len() > 100 {
        return None;
    }
    let mut seen = [false; 5];
    let mut total = Some(0_u64);
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(end)?;
        if number.is_empty() {
            return None;
        }
        let (slot, unit, width) = match tail.as_bytes() {
            [b'w', ..] => (0, WEEK, 1),
            [b'd', ..] => (1, DAY, 1),
            [b'h', b'r', ..] => (2, HOUR, 2),
            [b'h', ..] => (2, HOUR, 1),
            [b'm', ..] => (3, MINUTE, 1),
            [b's', ..] => (4, SECOND, 1),
            _ => return None,
        };
        rest = tail.get(width..)?;
        if let Some(seen) = seen.get_mut(slot).filter(|seen| !**seen) {
            *seen = true;
            let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
            total = total.and_then(|total| total.checked_add(part?));
        }
    }
    Some(total.ok_or(TimeoutError::TooFar))
}

/// The instant that lies a period before `now`, at the earliest the epoch. A period is numbers, perhaps
/// with decimals, each with its unit (`1.5h`, `1 day 2 hours`); a number of milliseconds; or an
/// ISO 8601 duration. At most 100 characters.
///
/// Source: `parse-duration`, which trigger.dev's list uses. Unlike there, the `M` of `P1M` is a month, and
/// what cannot be read as a whole is nothing.
#[must_use]
pub fn parse_since(text: &str, now: Timestamp) -> Option<Timestamp> {
    let millis = period_millis(text.trim_matches(' '))?;
    Some(Timestamp(now.0.saturating_sub(millis)))
}

fn period_millis(text: &str) -> Option<u64> {
    if text.len() > 100 {
        return None;
    }
    if let Some((number, "")) = Decimal::leading(text) {
        return Some(number.times(1));
    }
    let mut rest = text.strip_prefix(['P', 'p']).unwrap_or(text);
    // Between the `P` and the `T` of an ISO 8601 duration.
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

/// Of a unit of [`UNITS`] in whatever case, perhaps in the plural.
fn unit_millis(unit: &str) -> Option<u64> {
    let named = |unit: &str| {
        let mut units = UNITS.iter();
        let found = units.find(|(name, _)| unit.eq_ignore_ascii_case(name));
        found.map(|&(_, millis)| millis)
    };
    let singular = || unit.strip_suffix(['s', 'S']).filter(|one| one.len() > 1);
    named(unit).or_else(|| named(singular()?))
}

/// A number whose decimals are cut off after the eighth.
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
        // What is too large for a number is longer than all time.
        let whole = whole.parse().unwrap_or(u64::MAX);
        Some((Self { whole, fraction }, rest))
    }

    /// As many units, in whole milliseconds. No unit is so long that the product overflows.
    fn times(&self, unit: u64) -> u64 {
        let part = self.fraction * unit / 100_000_000;
        self.whole.saturating_mul(unit).saturating_add(part)
    }
}

/// One digit or more, and what follows them.
fn leading_digits(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let parts = text.split_at_checked(end.unwrap_or(text.len()));
    parts.filter(|(digits, _)| !digits.is_empty())
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fff…` with `Z`, an offset or nothing, as milliseconds from
/// midnight UTC.
fn parse_time_of_day(text: &str) -> Option<i64> {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (text.get(..at)?, parse_offset(text.get(at..)?)?),
        None => (text, 0),
    };
    let mut fields = clock.split(':');
    let hour = digits(fields.next()?, 2)?;
    let minute = digits(fields.next()?, 2)?;
    let (second, milli) = match fields.next().map(|field| (field, field.split_once('.'))) {
        Some((_, Some((second, fraction)))) => (digits(second, 2)?, fraction_millis(fraction)?),
        Some((second, None)) => (digits(second, 2)?, 0),
        None => (0, 0),
    };
    let midnight_next = hour == 24 && minute == 0 && second == 0 && milli == 0;
    if fields.next().is_some() || (hour > 23 && !midnight_next) || minute > 59 || second > 59 {
        return None;
    }
    Some(
        (hour as i64 * 60 + minute as i64 - offset) * MINUTE as i64
            + (second * SECOND + milli) as i64,
    )
}

/// Minutes east of UTC.
fn parse_offset(text: &str) -> Option<i64> {
    let (sign, digits_of) = match text.as_bytes() {
        [b'Z' | b'z'] => return Some(0),
        [b'+', ..] => (1, text.get(1..)?),
        [b'-', ..] => (-1, text.get(1..)?),
        _ => return None,
    };
    let (hours, minutes) = digits_of.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours as i64 * 60 + minutes as i64))
}

/// The first three digits of a fraction of a second.
fn fraction_millis(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let padded: String = text.chars().chain("000".chars()).take(3).collect();
    padded.parse().ok()
}

/// Exactly `width` decimal digits.
fn digits(text: &str, width: usize) -> Option<u64> {
    (text.len() == width && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant, "chrono-Compatible
/// Low-Level Date Algorithms").
fn days_from_epoch(year: u64, month: u64, day: u64) -> i64 {
    let year = if month <= 2 {
        year as i64 - 1
    } else {
        year as i64
    };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month as i64 + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day as i64 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_epoch`] for days from 1970 on.
fn date_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}
