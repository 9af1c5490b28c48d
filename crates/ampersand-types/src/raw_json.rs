use std::fmt;
use std::string::FromUtf8Error;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// One JSON value, kept as the text that was sent.
///
/// A `RawJson` holds the parts of a payload whose shape the contract leaves open: configurations, a provider's records,
/// values of any type. The text is encoded exactly as it was sent, with its key order, its escapes and numbers of any
/// size. Nothing is parsed before you call [`parse`](Self::parse).
///
/// `Debug` shows the kind and the size, but never the text, which may hold a customer's data.
/// Two values are equal if their texts are equal.
///
/// ```
/// use ampersand_types::RawJson;
///
/// let raw = RawJson::new(r#"{"commit": 1742558812455698400, "price": 1.10}"#)?;
/// assert_eq!(raw.as_str(), r#"{"commit": 1742558812455698400, "price": 1.10}"#);
///
/// #[derive(serde::Deserialize)]
/// struct Change { commit: u64 }
/// assert_eq!(raw.parse::<Change>()?.commit, 1_742_558_812_455_698_400);
/// # Ok::<(), ampersand_types::JsonError>(())
/// ```
///
/// If serde buffers a value before it decodes it (an untagged or internally tagged enum, a field marked
/// `#[serde(flatten)]`), the text is lost. The `RawJson` then holds new text with the same meaning.
#[derive(Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Wraps the text of one JSON value. White space around the value is removed; white space inside it is kept.
    ///
    /// # Errors
    ///
    /// When the text is not exactly one JSON value.
    pub fn new(text: impl Into<String>) -> Result<Self, JsonError> {
        let mut text = text.into();
        // If anything follows the value, such as the last line end of a file, `from_string` would copy the whole text.
        text.truncate(text.trim_end_matches([' ', '\t', '\n', '\r']).len());
        RawValue::from_string(text).map(Self).map_err(|e| JsonError::new::<Self>(&e))
    }

    /// Wraps the bytes of one JSON value, such as a file or a response. The bytes are not copied.
    ///
    /// # Errors
    ///
    /// When the bytes are not exactly one JSON value in UTF-8.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, JsonError> {
        String::from_utf8(bytes).map_err(|error| JsonError::not_utf8::<Self>(&error)).and_then(Self::new)
    }

    /// Encodes a value, such as a changed configuration.
    ///
    /// # Errors
    ///
    /// When `value` has no JSON form, such as a map whose keys are not strings, or its `Serialize` fails.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        serde_json::value::to_raw_value(value).map(Self).map_err(|e| JsonError::new::<T>(&e))
    }

    /// Decodes the value as a `T`: a type of this crate such as `ConfigContent`, one of your own,
    /// or `serde_json::Value`.
    ///
    /// # Errors
    ///
    /// When the value does not have the shape of a `T`.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, JsonError> {
        self.parse_with(|json| T::deserialize(json))
    }

    /// Decodes the value with a function, if `Deserialize` alone is not enough.
    pub(crate) fn parse_with<'a, T>(
        &'a self,
        decode: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::StrRead<'a>>) -> serde_json::Result<T>,
    ) -> Result<T, JsonError> {
        // Nothing can follow the value, so there is no need to check for it.
        decode(&mut serde_json::Deserializer::from_str(self.as_str())).map_err(|e| JsonError::new::<T>(&e))
    }

    /// Returns the text as it was sent.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Returns whether the value is `null`.
    pub fn is_null(&self) -> bool {
        self.as_str() == "null"
    }

    pub(crate) fn null() -> Self {
        Self(RawValue::NULL.to_owned())
    }

    /// Returns whether the value is `null` or `{}`: a sender leaves one of them in place of a value behind a URL.
    pub(crate) fn is_blank(&self) -> bool {
        let inside = self.as_str().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        self.is_null() || inside.is_some_and(|inside| inside.trim_ascii().is_empty())
    }

    /// Returns the kind of the JSON value.
    pub(crate) fn kind(&self) -> &'static str {
        kind(self.as_str())
    }
}

/// Returns the kind of a JSON value, which its first byte determines.
pub fn kind(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        _ => "number",
    }
}

/// Converts types whose values always have a JSON form. A `&str` becomes a JSON string; use [`RawJson::new`] for JSON
/// text. A number that is infinite or NaN has no JSON form, and becomes `null`.
macro_rules! from {
    ($( $type:ty ),*) => {$(
        impl From<$type> for RawJson {
            fn from(value: $type) -> Self {
                Self::encode(&value).unwrap_or_else(|_| Self::null())
            }
        }
    )*};
}
from!(bool, f32, f64, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);
from!(&str, String, &String, serde_json::Value, &serde_json::Value);

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(Buffered(deserializer)).map(Self)
    }
}

/// A deserializer that gives a `RawValue` its original text, or else text with the same meaning.
///
/// `serde_json` answers the request for a `RawValue` with a map that holds the text. Any other deserializer, such as
/// serde's own for buffered values, answers with a newtype around the value.
struct Buffered<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Buffered<D> {
    type Error = D::Error;

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_newtype_struct(name, TextOr { name, visitor })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.0.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct TextOr<V> {
    name: &'static str,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for TextOr<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(map)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        value.deserialize_newtype_struct(self.name, self.visitor).map_err(D::Error::custom)
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson({}, {} bytes)", self.kind(), self.as_str().len())
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RawJson {}

/// The error for a text that is not JSON, or not JSON of the expected shape.
///
/// It shows the position, the expected type and the kind of value that was found. It never quotes the text.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonError {
    expected: &'static str,
    reason: Option<String>,
    syntax: bool,
    line: usize,
    column: usize,
}

impl JsonError {
    fn new<T: ?Sized>(cause: &serde_json::Error) -> Self {
        let message = cause.to_string();
        let is_lone_surrogate = SURROGATES.iter().any(|start| message.starts_with(start));
        Self {
            expected: std::any::type_name::<T>(),
            reason: if is_lone_surrogate { Some(LONE_SURROGATE.to_owned()) } else { reason_in(&message) },
            syntax: (cause.is_syntax() || cause.is_eof()) && !is_lone_surrogate,
            line: cause.line(),
            column: cause.column(),
        }
    }

    fn not_utf8<T: ?Sized>(cause: &FromUtf8Error) -> Self {
        let (line, column) = place_of_invalid(cause);
        Self { expected: std::any::type_name::<T>(), reason: None, syntax: true, line, column }
    }

    /// Returns whether the text is not JSON at all, as opposed to JSON of another shape.
    pub fn is_syntax(&self) -> bool {
        self.syntax
    }

    /// Returns the line of the text, counted from 1, or 0 if encoding failed and there was no text.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns the column of the line in bytes, counted from 1; 0 is before the first byte.
    pub fn column(&self) -> usize {
        self.column
    }
}

/// Describes a string that follows JSON's grammar but is not valid text, such as `"\ud83d"`.
pub const LONE_SURROGATE: &str = "found a string with a lone surrogate, which is half of a character";

/// The beginnings of `serde_json`'s messages for a lone surrogate.
const SURROGATES: [&str; 2] = ["lone leading surrogate in hex escape", "unexpected end of hex escape"];

/// Returns the line and the column, each counted from 1, of the first byte that is not UTF-8.
pub fn place_of_invalid(cause: &FromUtf8Error) -> (usize, usize) {
    let before = cause.as_bytes().get(..cause.utf8_error().valid_up_to()).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (line, column)
}

/// Returns serde's message without the value that it quotes. Names and kinds stay, because they belong to the types.
///
/// serde offers only the message. No other code parses it; if serde changes the wording, there is no reason.
pub fn reason(cause: &serde_json::Error) -> Option<String> {
    reason_in(&cause.to_string())
}

fn reason_in(message: &str) -> Option<String> {
    let (message, _place) = message.rsplit_once(" at line ").unwrap_or((message, ""));
    if message == "a member comes twice"
        || message.starts_with("missing field `")
        || message.starts_with("duplicate field `")
    {
        return Some(message.to_owned());
    }
    let (_, found) = message.split_once("invalid type: ").or_else(|| message.split_once("invalid value: "))?;
    let (found, expected) = found.rsplit_once(", expected ")?;
    let kind = found.split(['"', '`']).next().unwrap_or_default().trim_end();
    Some(format!("found {kind}, expected {expected}"))
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, reason, syntax, line, column } = self;
        let expected = short(expected);
        match (syntax, line) {
            (true, _) => write!(f, "not valid JSON at line {line} column {column}")?,
            (false, 0) => write!(f, "this `{expected}` has no JSON form")?,
            (false, _) => write!(f, "not the JSON of a `{expected}` at line {line} column {column}")?,
        }
        reason.as_ref().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

/// Shows the same text as `Display`, for a `main` that returns the error.
impl fmt::Debug for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for JsonError {}

/// Returns the name of a type without its modules.
fn short(name: &str) -> String {
    let is_between = |c: char| !c.is_alphanumeric() && !matches!(c, '_' | ':');
    let parts = name.split_inclusive(is_between);
    parts.map(|part| part.rsplit_once("::").map_or(part, |(_, last)| last)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Result = std::result::Result<(), JsonError>;

    #[test]
    fn text_comes_out_as_it_went_in() -> Result {
        let text = r#"{"b" : 1e400, "a": [1.10, 9007199254740993, "\u00e9\ud83d\ude00"]}"#;
        let raw = RawJson::new(format!(" {text}\n"))?;
        assert_eq!(raw.as_str(), text);
        assert_eq!(RawJson::encode(&raw)?.as_str(), text);
        Ok(())
    }

    #[test]
    fn debug_shows_kind_and_size_only() -> Result {
        for (text, shown) in [
            (r#"{"secret":1}"#, "RawJson(object, 12 bytes)"),
            ("[1]", "RawJson(array, 3 bytes)"),
            (r#""secret""#, "RawJson(string, 8 bytes)"),
            ("true", "RawJson(boolean, 4 bytes)"),
            ("null", "RawJson(null, 4 bytes)"),
            ("-5", "RawJson(number, 2 bytes)"),
        ] {
            assert_eq!(format!("{:?}", RawJson::new(text)?), shown);
        }
        Ok(())
    }

    #[test]
    fn what_serde_has_buffered_says_the_same() {
        #[derive(Deserialize)]
        struct Outer {
            #[serde(flatten)]
            inner: Inner,
        }
        #[derive(Deserialize)]
        struct Inner {
            raw: RawJson,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Inner(Inner),
        }
        let json = r#"{"other": 1, "raw": {"b": [1.5, null, "x"], "a": 9007199254740993}}"#;
        let says_the_same = |raw: &RawJson| assert_eq!(raw.as_str(), r#"{"a":9007199254740993,"b":[1.5,null,"x"]}"#);
        says_the_same(&serde_json::from_str::<Outer>(json).expect("flattened").inner.raw);
        let Either::Inner(inner) = serde_json::from_str(json).expect("untagged");
        says_the_same(&inner.raw);
        let value = serde_json::from_str::<serde_json::Value>(json).expect("a value");
        says_the_same(&serde_json::from_value::<Inner>(value).expect("from a value").raw);
    }

    #[test]
    fn errors_name_the_place_and_quote_nothing() -> Result {
        let wrong = RawJson::new(r#"{"a": "secret"}"#)?;
        let error = wrong.parse::<std::collections::BTreeMap<String, i64>>();
        let error = error.expect_err("a string is no integer");
        assert!(!error.is_syntax());
        assert_eq!(
            error.to_string(),
            "not the JSON of a `BTreeMap<String, i64>` at line 1 column 14: found string, expected i64"
        );
        assert_eq!(RawJson::from_bytes(b"[1]".to_vec())?.as_str(), "[1]");
        let error = RawJson::from_bytes(b"[\n  \"\xff\"]".to_vec()).expect_err("not UTF-8");
        assert_eq!((error.is_syntax(), error.line(), error.column()), (true, 2, 4));
        let error = RawJson::new("{\n\"secret\"").expect_err("cut short");
        assert!(error.is_syntax());
        assert_eq!(error.to_string(), "not valid JSON at line 2 column 8");
        Ok(())
    }

    #[test]
    fn reasons_hold_names_and_kinds_and_no_values() {
        for (message, expected) in [
            ("missing field `id` at line 1 column 2", Some("missing field `id`")),
            ("a member comes twice at line 1 column 2", Some("a member comes twice")),
            ("duplicate field `id` at line 1 column 2", Some("duplicate field `id`")),
            (
                "invalid type: string \"a, expected b\", expected u8 at line 1 column 2",
                Some("found string, expected u8"),
            ),
            (
                "invalid type: integer `5`, expected a string at line 1 column 2",
                Some("found integer, expected a string"),
            ),
            ("invalid value: integer `-5`, expected u8 at line 1 column 2", Some("found integer, expected u8")),
            ("invalid type: null, expected a string at line 1 column 2", Some("found null, expected a string")),
            ("invalid length 3, expected fewer elements at line 1 column 2", None),
            ("unknown variant `secret`, expected `a` or `b` at line 1 column 2", None),
            ("secret", None),
        ] {
            assert_eq!(reason_in(message).as_deref(), expected, "{message}");
        }
    }

    #[test]
    fn blank_is_null_or_an_object_without_members() -> Result {
        for (text, blank) in [
            ("null", true),
            ("{}", true),
            ("{ \n\t}", true),
            (r#"{"a":1}"#, false),
            ("[]", false),
            (r#""""#, false),
            ("0", false),
        ] {
            assert_eq!(RawJson::new(text)?.is_blank(), blank, "{text}");
        }
        Ok(())
    }
}
