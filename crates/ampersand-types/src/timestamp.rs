use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, kept as the text that was sent.
///
/// The contract promises RFC 3339, but decoding accepts any text. Only [`parse`](Self::parse) reads the text as a time.
/// Encoding writes the same text, including its offset and its fraction.
///
/// ```
/// use ampersand_types::Timestamp;
///
/// let sent = Timestamp::from("2026-08-19T10:03:10.5-07:00");
/// assert_eq!(sent.parse()?, "2026-08-19T17:03:10.5Z".parse()?);
/// assert_eq!(sent.as_str(), "2026-08-19T10:03:10.5-07:00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timestamp(String);

impl Timestamp {
    /// Returns the text as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses the text as a time.
    ///
    /// # Errors
    ///
    /// When the text is not a time with an offset, as in RFC 3339, or is later than `jiff` supports
    /// (9999-12-30T22:00:00Z). Forms that `jiff` accepts beyond RFC 3339, such as 20260819T170310Z, also parse.
    pub fn parse(&self) -> Result<jiff::Timestamp, TimestampError> {
        self.0.parse().map_err(|_| TimestampError(self.0.clone()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&String> for Timestamp {
    fn from(text: &String) -> Self {
        Self(text.clone())
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self(time.to_string())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The error for a [`Timestamp`] whose text is not a time.
#[derive(Clone, PartialEq, Eq)]
pub struct TimestampError(String);

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a time that can be read, such as 2026-08-19T17:03:10Z", self.0)
    }
}

/// Shows the same text as `Display`, for a `main` that returns the error.
impl fmt::Debug for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for TimestampError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_on_demand_and_refuses_nothing_before() {
        for (text, expected) in [
            ("2026-08-19T17:03:10Z", Some(1_787_158_990)),
            ("2026-08-19T10:03:10-07:00", Some(1_787_158_990)),
            ("0001-01-01T00:00:00Z", Some(-62_135_596_800)),
            ("2026-08-19T17:03:10", None),
            ("2026-08-19", None),
            ("", None),
            ("9999-12-31T23:59:59Z", None),
        ] {
            let json = format!("{text:?}");
            let sent: Timestamp = serde_json::from_str(&json).expect(text);
            assert_eq!(serde_json::to_string(&sent).expect(text), json);
            assert_eq!(sent.parse().ok().map(jiff::Timestamp::as_second), expected, "{text}");
        }
    }

    #[test]
    fn error_shows_what_was_sent_and_what_was_wanted() {
        let error = Timestamp::from("yesterday").parse().expect_err("no time");
        assert_eq!(error.to_string(), r#""yesterday" is not a time that can be read, such as 2026-08-19T17:03:10Z"#);
    }
}
