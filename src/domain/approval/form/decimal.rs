//! Numbers as text.
//!
//! Invariant: comparing is exact. Nothing is rounded to a floating point number, so that a bound of a
//! schema means what it says; and the tables that read one are not in the upload.

/// Longest number, in characters.
pub(super) const MAX_NUMBER: usize = 100;
/// The greatest power of ten by which a number is multiplied or divided.
const MAX_EXPONENT: i32 = 200;

/// A JSON number: `0.digits × 10^point`. The greater of two is the greater number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    is_negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    /// The position of the point; the least there is for zero.
    point: i64,
}

impl Decimal {
    /// Reads a JSON number of at most [`MAX_NUMBER`] characters. A greater one than [`MAX_EXPONENT`]
    /// allows would be infinite, or endless work, for those who read the output.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = Parts::of(text).filter(|_| text.len() <= MAX_NUMBER)?;
        let has_one_form = number.whole == "0" || !number.whole.starts_with('0');
        let is_json = has_one_form
            && !number.whole.is_empty()
            && !text.starts_with('+')
            && number.fraction.is_none_or(|digits| !digits.is_empty());
        let exponent: i32 = match number.exponent {
            Some(exponent) => exponent
                .parse()
                .ok()
                .filter(|it: &i32| it.abs() <= MAX_EXPONENT)?,
            None => 0,
        };
        let all = format!("{}{}", number.whole, number.fraction.unwrap_or(""));
        let digits = all.trim_start_matches('0');
        let point = number.whole.len() as i64 - (all.len() - digits.len()) as i64;
        let digits = digits.trim_end_matches('0').to_owned();
        let is_zero = digits.is_empty();
        is_json.then_some(Self {
            is_negative: number.is_negative && !is_zero,
            digits,
            point: if is_zero {
                i64::MIN
            } else {
                point + i64::from(exponent)
            },
        })
    }

    /// Whether the number is an integer, however it is written: `1.0` and `1e2` are.
    pub(super) fn is_integer(&self) -> bool {
        self.digits.is_empty() || self.point >= self.digits.len() as i64
    }

    pub(super) fn is_less_than(&self, other: &Self) -> bool {
        let sizes = (self.point, &self.digits).cmp(&(other.point, &other.digits));
        match (self.is_negative, other.is_negative) {
            (true, true) => sizes.is_gt(),
            (false, false) => sizes.is_lt(),
            (is_negative, _) => is_negative,
        }
    }
}

/// A number that a person typed, such as `+5`, `.5` or `007`, as a JSON number.
pub(super) fn to_json_number(typed: &str) -> Option<String> {
    let number = Parts::of(typed)?;
    let fraction = number.fraction.unwrap_or("");
    if number.whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut json = String::with_capacity(typed.len() + 1);
    if number.is_negative {
        json.push('-');
    }
    match number.whole.trim_start_matches('0') {
        "" => json.push('0'),
        whole => json += whole,
    }
    if !fraction.is_empty() {
        json.push('.');
        json += fraction;
    }
    if let Some(exponent) = number.exponent {
        json.push('e');
        json += exponent;
    }
    Some(json)
}

/// The parts of a number, with a sign or none. Those before the exponent may be empty.
struct Parts<'a> {
    is_negative: bool,
    whole: &'a str,
    /// What follows the point, if there is one.
    fraction: Option<&'a str>,
    /// With its sign.
    exponent: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (text, None),
        };
        let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (unsigned, None),
        };
        let is_exponent = |exponent: &str| {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !digits.is_empty() && is_digits(digits)
        };
        let is_number = is_digits(whole)
            && is_digits(fraction.unwrap_or(""))
            && exponent.is_none_or(is_exponent);
        is_number.then_some(Self {
            is_negative: text.starts_with('-'),
            whole,
            fraction,
            exponent,
        })
    }
}
