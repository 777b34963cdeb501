//! Invariants:
//! - A body is passed over once; no tree of it is built.
//! - What cannot be read matches nothing.
//!
//! Which bodies of a callback complete the token: those with one of the listed values at a JSON
//! Pointer (RFC 6901).

use super::fields::{Fields, invalid};
use crate::domain::api::error::ApiError;
use crate::domain::api::excerpt::excerpt;
use crate::domain::encoding::digits;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Most values in `in`.
pub const MAX_VALUES: usize = 50;
/// Longest pointer, in characters.
pub const MAX_POINTER: usize = 500;
/// Most levels that a pointer may go down. serde_json reads 127.
pub const MAX_DEPTH: usize = 100;
/// Longest string in `in`, in characters.
pub const MAX_VALUE: usize = 500;

const ACCEPT: &str = "callback.accept";
const POINTER: &str = "callback.accept.pointer";
const IN: &str = "callback.accept.in";
const EXAMPLE: &str = r#"{"pointer": "/status", "in": ["succeeded", "failed"]}"#;

/// Which bodies complete the token.
#[derive(Clone, Debug, PartialEq)]
pub struct Accept {
    /// The keys and indexes on the way to the value, unescaped.
    pointer: Vec<String>,
    values: Vec<Scalar>,
}

/// A JSON value that is neither an array nor an object.
#[derive(Clone, Debug, PartialEq)]
enum Scalar {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
}

impl Accept {
    /// Reads the JSON text of `callback.accept`.
    ///
    /// # Errors
    /// `ValidationError` with the field and the value.
    pub fn parse(json: &str) -> Result<Self, ApiError> {
        let fields = Fields::parse(json, ACCEPT, EXAMPLE, &["pointer", "in"])?;
        let like = r#"a JSON Pointer such as "/status""#;
        let pointer = fields.string("pointer", POINTER, like)?.ok_or_else(|| {
            let message = format!("pointer is missing. Use {like}.");
            invalid(POINTER, message)
        })?;
        let values = fields.get("in").ok_or_else(|| {
            let message = r#"in is missing. Use a list such as ["succeeded", "failed"]."#;
            invalid(IN, message.to_owned())
        })?;
        Ok(Self {
            pointer: parse_pointer(&pointer)?,
            values: parse_values(values)?,
        })
    }

    /// Whether the value at the pointer is one of the listed. A missing value is none of them.
    #[must_use]
    pub fn matches(&self, json: &str) -> bool {
        let mut reader = serde_json::Deserializer::from_str(json);
        let walk = Walk {
            way: &self.pointer,
            values: &self.values,
        };
        let is_listed = walk.deserialize(&mut reader);
        is_listed.unwrap_or(false) && reader.end().is_ok()
    }
}

/// Splits a JSON Pointer into its keys and indexes.
fn parse_pointer(text: &str) -> Result<Vec<String>, ApiError> {
    let fault = |why: String| Err(invalid(POINTER, why));
    let shown = excerpt(text);
    if text.chars().count() > MAX_POINTER {
        return fault(format!(
            "{shown} is too long. Use at most {MAX_POINTER} characters."
        ));
    }
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let Some(rest) = text.strip_prefix('/') else {
        return fault(format!(
            "{shown} is not a JSON Pointer. Begin it with \"/\", such as \"/status\", or use \"\" \
             for the whole body."
        ));
    };
    let is_escaped = |part: &str| {
        let mut after = part.split('~').skip(1);
        after.all(|after| after.starts_with(['0', '1']))
    };
    let parts: Vec<&str> = rest.split('/').collect();
    if !parts.iter().copied().all(is_escaped) {
        return fault(format!(
            "{shown} is not a JSON Pointer. Write \"~\" in a key as \"~0\" and \"/\" as \"~1\"."
        ));
    }
    if parts.len() > MAX_DEPTH {
        return fault(format!(
            "{shown} goes too deep. Use at most {MAX_DEPTH} keys."
        ));
    }
    // In this order, so that "~01" becomes "~1".
    let unescape = |part: &str| part.replace("~1", "/").replace("~0", "~");
    Ok(parts.into_iter().map(unescape).collect())
}

fn parse_values(json: &str) -> Result<Vec<Scalar>, ApiError> {
    let fault = |why: String| Err(invalid(IN, why));
    let Ok(values) = serde_json::from_str::<Vec<&RawValue>>(json) else {
        return fault(format!(
            "{} is not a list. Use one such as [\"succeeded\", \"failed\"].",
            excerpt(json)
        ));
    };
    if values.is_empty() {
        return fault("[] lists no value, so nothing could complete the token. List one.".into());
    }
    if values.len() > MAX_VALUES {
        return fault(format!(
            "{} values are too many. Use at most {MAX_VALUES}.",
            values.len()
        ));
    }
    values.into_iter().map(parse_value).collect()
}

/// Not by way of `serde_json::Value`, which would link the tables that write floating point numbers.
fn parse_value(value: &RawValue) -> Result<Scalar, ApiError> {
    let json = value.get();
    let fault = |why: &str| invalid(IN, format!("{} {why}", excerpt(json)));
    match json {
        "null" => Ok(Scalar::Null),
        "true" => Ok(Scalar::Bool(true)),
        "false" => Ok(Scalar::Bool(false)),
        _ if json.starts_with('"') => {
            let text: String = serde_json::from_str(json).map_err(|_| fault("is not a text."))?;
            if text.chars().count() > MAX_VALUE {
                let why = format!("is too long. Use at most {MAX_VALUE} characters.");
                return Err(fault(&why));
            }
            Ok(Scalar::Text(text))
        }
        _ if json.starts_with(['[', '{']) => Err(fault(
            "cannot be compared. Use strings, numbers, true, false or null.",
        )),
        _ => json
            .parse()
            .map(Scalar::Integer)
            .or_else(|_| serde_json::from_str(json).map(Scalar::Float))
            .map_err(|_| fault("is not a number that can be compared.")),
    }
}

impl Scalar {
    /// Whether two scalars have the same type and value. `1` is `1.0`, and `"1"` is neither.
    fn is_same(&self, other: &Self) -> bool {
        let equals = |integer: i128, float: f64| {
            // Above 2^53 only a float that stands for this very integer is equal.
            float.fract() == 0.0 && float as i128 == integer
        };
        match (self, other) {
            (Self::Integer(integer), Self::Float(float))
            | (Self::Float(float), Self::Integer(integer)) => equals(*integer, *float),
            _ => self == other,
        }
    }
}

/// Goes down a JSON text along a pointer. Its result is whether the value there is listed.
#[derive(Clone, Copy)]
struct Walk<'a> {
    way: &'a [String],
    values: &'a [Scalar],
}

impl Walk<'_> {
    /// Whether a scalar is at the pointer's end and listed.
    fn is_listed(self, scalar: &Scalar) -> bool {
        self.way.is_empty() && self.values.iter().any(|value| value.is_same(scalar))
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(self.is_listed(&Scalar::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        Ok(self.is_listed(&Scalar::Bool(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<bool, E> {
        Ok(self.is_listed(&Scalar::Integer(value.into())))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<bool, E> {
        Ok(self.is_listed(&Scalar::Integer(value.into())))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<bool, E> {
        Ok(self.is_listed(&Scalar::Float(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<bool, E> {
        let is_listed = |scalar: &Scalar| matches!(scalar, Scalar::Text(text) if text == value);
        Ok(self.way.is_empty() && self.values.iter().any(is_listed))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut is_listed = false;
        let Some((key, way)) = self.way.split_first() else {
            // An object is no scalar. The rest of the body is still to be read.
            while map.next_key_seed(KeyIs(""))?.is_some() {
                map.next_value::<IgnoredAny>()?;
            }
            return Ok(false);
        };
        while let Some(is_on_the_way) = map.next_key_seed(KeyIs(key))? {
            if is_on_the_way {
                // Of a repeated key the last value counts, as in JSON.parse.
                is_listed = map.next_value_seed(Walk { way, ..self })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(is_listed)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let mut is_listed = false;
        let (wanted, way) = match self.way.split_first() {
            Some((index, way)) => (parse_index(index), way),
            None => (None, self.way),
        };
        for index in 0_u64.. {
            if Some(index) == wanted {
                let Some(found) = seq.next_element_seed(Walk { way, ..self })? else {
                    break;
                };
                is_listed = found;
            } else if seq.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
        }
        Ok(is_listed)
    }
}

/// Reads the index of an array: without leading zeros.
fn parse_index(text: &str) -> Option<u64> {
    digits(text).filter(|_| text == "0" || !text.starts_with('0'))
}

/// Whether a key is this one. It is read as bytes, because a lone surrogate is an error in a string,
/// and JSON.parse accepts it.
struct KeyIs<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for KeyIs<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for KeyIs<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<bool, E> {
        Ok(key == self.0.as_bytes())
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}
