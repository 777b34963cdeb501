//! A deadline as the form of a token's page sends it.

use crate::domain::time::timestamp::Timestamp;

/// Reads the value of `<input type="datetime-local">`, in UTC: `2027-01-31T14:30`, perhaps with seconds.
#[must_use]
pub fn parse_deadline(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // A browser without that kind of field lets people type.
    let text = text.trim_end_matches('Z').replace(' ', "T");
    let date_time = Timestamp::parse_iso(&format!("{text}Z"));
    date_time.or_else(|| Timestamp::parse_iso(&format!("{text}:00Z")))
}

/// The value of such a field for a time: `2027-01-31T14:30`.
#[must_use]
pub fn field_of(at: Timestamp) -> String {
    let iso = at.to_string();
    iso.get(..16).unwrap_or_default().to_owned()
}
