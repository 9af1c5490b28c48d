use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that grants access: a key, a token, a password, or the value of a header.
///
/// `Debug` shows `[redacted]`, and there is no `Display`. Only [`expose_secret`](Self::expose_secret) and `Serialize`
/// give the text.
///
/// ```
/// use ampersand_types::Credential;
///
/// let key = Credential::from("correct horse battery staple");
/// assert_eq!(format!("{key:?}"), "[redacted]");
/// assert_eq!(key.expose_secret(), "correct horse battery staple");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Credential(String);

impl Credential {
    /// Returns the text. Keep it out of logs and error messages.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl Serialize for Credential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl From<String> for Credential {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&String> for Credential {
    fn from(text: &String) -> Self {
        Self(text.clone())
    }
}

impl From<&str> for Credential {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
