//! Invariant: a body that is longer than any handshake is not parsed.
//!
//! A callback as the table of handshakes sees it.

use crate::domain::api::form::form_fields;
use crate::domain::json::entries;
use serde_json::value::RawValue;

/// Longest body of a handshake, in bytes. Those of the table have less than 3,000.
pub const MAX_HANDSHAKE: usize = 8 * 1024;

/// Most keys of an object in a handshake. Those of the table have less than twenty.
const MAX_KEYS: usize = 100;

/// A callback, before anything of it is taken for a decision.
pub struct Incoming<'a> {
    pub method: &'a str,
    /// The query of the URL, without `?`.
    pub query: &'a str,
    /// A header by its name in lower case.
    pub headers: &'a dyn Fn(&str) -> Option<String>,
    /// The body as text.
    pub body: &'a str,
    /// The fields, if the body is a form, URL-encoded or multipart.
    pub fields: Option<&'a [(String, String)]>,
}

/// A JSON object: its keys, and their values as JSON text.
pub(super) struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Reads an object; `None` for other JSON, and for a key that is repeated.
    pub(super) fn parse(json: &'a str) -> Option<Self> {
        if json.len() > MAX_HANDSHAKE {
            return None;
        }
        let keys = entries(json)?;
        let is_repeated = |(at, (key, _)): (usize, &(String, &RawValue))| {
            keys.iter().take(at).any(|(earlier, _)| earlier == key)
        };
        let fits = keys.len() <= MAX_KEYS && !keys.iter().enumerate().any(is_repeated);
        fits.then_some(Self(keys))
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(name, _)| name == key);
        found.map(|(_, raw)| raw.get())
    }

    /// A value that is a string.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.get(key)?).ok()
    }

    /// A value that is an object.
    pub(super) fn object(&self, key: &str) -> Option<Object<'a>> {
        Object::parse(self.get(key)?)
    }

    pub(super) fn is(&self, key: &str, value: &str) -> bool {
        self.text(key).is_some_and(|text| text == value)
    }

    pub(super) fn has_all(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.get(key).is_some())
    }

    pub(super) fn has_only(&self, key: &str) -> bool {
        self.0.len() == 1 && self.get(key).is_some()
    }
}

/// The only element of an array of one element.
pub(super) fn only_element(json: &str) -> Option<&str> {
    if json.len() > MAX_HANDSHAKE || !json.trim_ascii_start().starts_with('[') {
        return None;
    }
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    match elements.as_slice() {
        [one] => Some(one.get()),
        _ => None,
    }
}

impl Incoming<'_> {
    pub(super) fn header(&self, name: &str) -> Option<String> {
        (self.headers)(name).map(|value| value.trim().to_owned())
    }

    pub(super) fn header_is(&self, name: &str, value: &str) -> bool {
        self.header(name)
            .is_some_and(|given| given.eq_ignore_ascii_case(value))
    }

    /// A parameter of the query. `+` is a space.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let mut parameters = form_fields(self.query);
        parameters
            .find(|(given, _)| given == name)
            .map(|(_, value)| value)
    }

    /// Whether there is no body, or an empty object, as some clients send instead.
    pub(super) fn is_bodiless(&self) -> bool {
        let body = self.body.trim();
        body.is_empty() || body == "{}"
    }

    /// A field of a form that has no others but these.
    pub(super) fn field_among(&self, name: &str, known: &[&str]) -> Option<&str> {
        let fields = self.fields?;
        if !fields
            .iter()
            .all(|(name, _)| known.contains(&name.as_str()))
        {
            return None;
        }
        let mut values = fields.iter().filter(|(given, _)| given == name);
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }
}
