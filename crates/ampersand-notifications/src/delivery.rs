use std::collections::BTreeMap;
use std::fmt;

use ampersand_types::Timestamp;
use ampersand_types::messages::WebhookMessage;
use ampersand_types::notifications::{Event, NotificationType};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// What a destination delivers.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    /// Something happened.
    Notification(Notification),
    /// Records that a read or a subscribe action found.
    Records(Records),
}

impl Delivery {
    /// The body, to the byte.
    pub fn raw(&self) -> &Raw {
        match self {
            Self::Notification(notification) => &notification.raw,
            Self::Records(records) => &records.raw,
        }
    }
}

/// An event, the same whichever envelope it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// Which event it is.
    pub notification_type: NotificationType,
    /// What happened.
    pub event: Event,
    /// Identifies the event: the same in every delivery of it, and the key to drop repeats by. Absent where the
    /// envelope has no place for it.
    pub id: Option<String>,
    /// When the event was sent, in RFC 3339. For a verified webhook, when this delivery was signed.
    pub timestamp: Option<Timestamp>,
    /// What the destination says beside the payload. Empty for webhooks, which have none.
    pub metadata: Metadata,
    /// Which kind of envelope it came in.
    pub source: Source,
    /// The body, to the byte.
    pub raw: Raw,
}

/// Records, the same whichever envelope they came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Records {
    /// The message that holds them, or says where they are.
    pub message: WebhookMessage,
    /// Identifies the event: the same in every delivery of it, and the key to drop repeats by. Absent where the
    /// envelope has no place for it.
    pub id: Option<String>,
    /// When the event was sent, in RFC 3339. For a verified webhook, when this delivery was signed.
    pub timestamp: Option<Timestamp>,
    /// What the destination says beside the payload. Empty for webhooks, which have none.
    pub metadata: Metadata,
    /// Which kind of envelope it came in.
    pub source: Source,
    /// The body, to the byte.
    pub raw: Raw,
}

/// The kinds of envelopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// `{"notificationType": …, "data": …}`.
    Webhook,
    /// `{"data": …, "metadata": …}`, or without its metadata, or the payload alone.
    Kinesis,
    /// The payload alone, and the user metadata of an S3 object.
    S3,
    /// The payload alone, and the attributes, properties or headers of a queue's message.
    Attributes,
    /// The payload alone.
    Bare,
}

/// What a destination says of an event beside its payload: a flat map of strings.
///
/// Names are looked up ignoring ASCII case, as S3 and HTTP lower them on the way.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// The value of a name, which may be written in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        let exact = self.0.get(name);
        let found = exact.or_else(|| self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v));
        found.map(String::as_str)
    }

    /// The type that is named.
    pub(crate) fn notification_type(&self) -> Option<NotificationType> {
        self.get("notificationType").map(NotificationType::from)
    }

    /// Every name, as it came, with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Shows the names; the values may be anybody's.
impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

/// A value that is not a string, which the contract of metadata does not have, is kept as its JSON.
impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    let value = serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned());
                    if entries.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom("a member comes twice"));
                    }
                }
                Ok(Metadata(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// The body of a delivery, to the byte. `Debug` shows its size alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Raw {
    pub(crate) body: String,
    pub(crate) wrapped: bool,
}

impl Raw {
    /// The whole body.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The whole body.
    pub fn into_body(self) -> String {
        self.body
    }

    /// The payload in it, whatever it was wrapped in. Looks for it, which takes the time of skipping over the body once.
    pub fn data(&self) -> &str {
        if !self.wrapped {
            return self.body.trim_ascii();
        }
        crate::payload::data(&self.body).unwrap_or(&self.body)
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.body.len())
    }
}
