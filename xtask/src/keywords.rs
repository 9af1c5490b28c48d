//! The keywords of OpenAPI and JSON Schema, by what they hold, and the types and words of JSON.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Keywords that hold an object whose members may have any name: a property may be called `title`.
pub(crate) const NAMED: &str = "$defs callbacks content definitions dependentSchemas encoding headers links \
    parameters pathItems paths patternProperties properties requestBodies responses schemas scopes securitySchemes \
    variables webhooks";

/// Keywords that hold data, in which there are no schemas or references.
pub(crate) const DATA: &str = "const default enum example examples mapping required security tags";

/// Whether some keywords include a keyword.
pub(crate) fn among(keywords: &str, keyword: &str) -> bool {
    keywords.split_ascii_whitespace().any(|one| one == keyword)
}

/// Returns the word that JSON has for a variant of an enum.
pub(crate) fn word(of: impl Serialize) -> String {
    serde_json::to_value(of).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Returns the variant of an enum for a word of JSON; `None` if no variant has that word.
pub(crate) fn variant<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(word.into()).ok()
}

/// The types of JSON, in alphabetical order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Type {
    Array,
    Boolean,
    Integer,
    Null,
    Number,
    Object,
    String,
}

impl Type {
    pub(crate) const ANY: [Self; 7] =
        [Self::Array, Self::Boolean, Self::Integer, Self::Null, Self::Number, Self::Object, Self::String];

    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }
}
