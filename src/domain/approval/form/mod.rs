//! The form of an approval: fields that a person fills in, from a JSON Schema.
//!
//! Invariants:
//! - A schema that parses can be shown as a form and filled in. Nothing in it is ignored.
//! - What comes from the page and what comes by the API is checked by the same rules.

pub mod check;
mod decimal;
mod formats;
mod issues;
mod keywords;
pub mod kinds;
pub mod options;
pub mod schema;
mod values;

use serde::{Deserialize, Serialize};

/// The most fields.
pub const MAX_FIELDS: usize = 20;
/// The most options of a field.
pub const MAX_OPTIONS: usize = 100;
/// Longest text of a field that names no `maxLength`, in characters.
pub const DEFAULT_MAX_LENGTH: usize = 2_000;

/// The fields that a person fills in, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    pub fields: Vec<Field>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its key in the output.
    pub name: String,
    /// Its label; the name if `None`.
    pub title: Option<String>,
    /// What to know to fill it in.
    pub description: Option<String>,
    /// Whether it must be filled in.
    pub is_required: bool,
    pub kind: FieldKind,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A text; its lengths are in characters.
    Text {
        min: usize,
        max: usize,
        format: Option<TextFormat>,
        default: Option<String>,
    },
    /// A number. The bounds and the default are JSON numbers, as written in the schema.
    Number {
        is_integer: bool,
        minimum: Option<String>,
        maximum: Option<String>,
        default: Option<String>,
    },
    Boolean {
        default: bool,
    },
    /// One of the options.
    One {
        options: Vec<FieldOption>,
        default: Option<String>,
    },
    /// Some of the options.
    Many {
        options: Vec<FieldOption>,
        min: usize,
        /// At most the number of options.
        max: usize,
        default: Vec<String>,
    },
}

/// The format of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFormat {
    Email,
    Uri,
    Date,
    /// With an offset, as in RFC 3339. From the page it may lack one, and then is UTC.
    DateTime,
}

/// An option of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldOption {
    /// Its value in the output.
    pub value: String,
    /// Its label; the value if `None`.
    pub title: Option<String>,
}

/// What is wrong with the value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// The index of the field.
    pub field: usize,
    pub why: FaultReason,
}

/// Why a value is refused. Lengths are in characters, bounds are JSON numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultReason {
    Missing,
    TooShort(usize),
    TooLong(usize),
    NotNumber,
    NotInteger,
    TooSmall(String),
    TooLarge(String),
    NotEmail,
    NotUri,
    NotDate,
    NotDateTime,
    /// None of the options.
    NotAnOption,
    TooFew(usize),
    TooMany(usize),
    /// The same option twice.
    Repeated,
    /// Another type of JSON than the field has. The page cannot cause this.
    WrongType,
}

/// What is wrong with a value in a JSON document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Where the value is, or should be: a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong with it, and what would do: sentences.
    pub message: String,
}

impl Field {
    /// The label, as the creator wrote it.
    #[must_use]
    pub fn label(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }
}

impl FieldOption {
    /// The label, as the creator wrote it.
    #[must_use]
    pub fn label(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.value)
    }
}
