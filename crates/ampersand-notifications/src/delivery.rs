use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ampersand_types::Timestamp;
use ampersand_types::messages::WebhookMessage;
use ampersand_types::notifications::{Event, NotificationType};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A delivery: a notification or records.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    /// A notification of an event.
    Notification(Notification),
    /// Records from a read or subscribe action.
    Records(Records),
}

/// Reads a field that both kinds of delivery have.
macro_rules! either {
    ($delivery:ident, $one:ident => $value:expr) => {
        match $delivery {
            Self::Notification($one) => $value,
            Self::Records($one) => $value,
        }
    };
}

/// The fields that all deliveries have, without a `match`.
///
/// ```
/// use ampersand_notifications::from_kinesis;
///
/// let delivery = from_kinesis(
///     r#"{"data": {"groupRef": "acme"}, "metadata": {"notificationType": "x.new", "event-id": "evt_1"}}"#,
/// )?;
/// assert_eq!(delivery.id(), Some("evt_1"));
/// assert_eq!(delivery.group_ref().as_deref(), Some("acme"));
/// # Ok::<(), ampersand_notifications::NormalizeError>(())
/// ```
impl Delivery {
    /// The whole body, byte for byte.
    pub fn raw(&self) -> &Raw {
        either!(self, one => &one.raw)
    }

    /// Returns the whole body, byte for byte.
    pub fn into_raw(self) -> Raw {
        either!(self, one => one.raw)
    }

    /// The id of the event: every delivery of the event has the same id. Deduplicate by it together with the
    /// [`source`](Self::source). `None` if the envelope has no place for it, such as an unwrapped Kinesis record.
    pub fn id(&self) -> Option<&str> {
        either!(self, one => one.id())
    }

    /// When the event was sent, in RFC 3339. For a verified webhook, when this delivery was signed.
    pub fn timestamp(&self) -> Option<&Timestamp> {
        either!(self, one => one.timestamp())
    }

    /// The metadata beside the payload. Empty for webhooks, which have none.
    pub fn metadata(&self) -> &Metadata {
        either!(self, one => one.metadata())
    }

    /// The kind of envelope.
    pub fn source(&self) -> Source {
        either!(self, one => one.source())
    }

    /// Your application's own id of the group: the customer that the delivery is about.
    pub fn group_ref(&self) -> Option<Cow<'_, str>> {
        either!(self, one => one.group_ref())
    }

    /// The id of the Ampersand project that the delivery is from.
    pub fn project_id(&self) -> Option<Cow<'_, str>> {
        either!(self, one => one.project_id())
    }

    /// The id of the installation that the delivery is about. Events about a connection or a destination have none.
    pub fn installation_id(&self) -> Option<Cow<'_, str>> {
        either!(self, one => one.installation_id())
    }

    /// The name of the object that the delivery is about, as the integration has it.
    pub fn object_name(&self) -> Option<Cow<'_, str>> {
        either!(self, one => one.object_name())
    }
}

/// A notification of an event, the same for every envelope.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// The type of the event.
    pub notification_type: NotificationType,
    /// The event.
    pub event: Event,
    /// The id of the event: every delivery of the event has the same id. Deduplicate by it. `None` if the envelope has no
    /// place for it.
    pub id: Option<String>,
    /// When the event was sent, in RFC 3339. For a verified webhook, when this delivery was signed.
    pub timestamp: Option<Timestamp>,
    /// The metadata beside the payload. Empty for webhooks, which have none.
    pub metadata: Metadata,
    /// The kind of envelope.
    pub source: Source,
    /// The whole body, byte for byte.
    pub raw: Raw,
}

/// Records, the same for every envelope.
#[derive(Clone, Debug, PartialEq)]
pub struct Records {
    /// The message that holds the records, or their URL.
    pub message: WebhookMessage,
    /// The id of the event: every delivery of the event has the same id. Deduplicate by it. `None` if the envelope has no
    /// place for it.
    pub id: Option<String>,
    /// When the event was sent, in RFC 3339. For a verified webhook, when this delivery was signed.
    pub timestamp: Option<Timestamp>,
    /// The metadata beside the payload. Empty for webhooks, which have none.
    pub metadata: Metadata,
    /// The kind of envelope.
    pub source: Source,
    /// The whole body, byte for byte.
    pub raw: Raw,
}

/// The fields beside the payload, with the same names as in [`Delivery`].
macro_rules! beside {
    ($delivery:ident) => {
        impl $delivery {
            /// The id of the event: every delivery of the event has the same id. Deduplicate by it together with the
            /// [`source`](Self::source). `None` if the envelope has no place for it, such as an unwrapped Kinesis record.
            pub fn id(&self) -> Option<&str> {
                self.id.as_deref()
            }

            /// When the event was sent, in RFC 3339. For a verified webhook, when this delivery was signed.
            pub fn timestamp(&self) -> Option<&Timestamp> {
                self.timestamp.as_ref()
            }

            /// The metadata beside the payload. Empty for webhooks, which have none.
            pub fn metadata(&self) -> &Metadata {
                &self.metadata
            }

            /// The kind of envelope.
            pub fn source(&self) -> Source {
                self.source
            }
        }
    };
}
beside!(Notification);
beside!(Records);

/// What the event is about, from its data or else its metadata.
impl Notification {
    /// Your application's own id of the group: the customer that the delivery is about.
    pub fn group_ref(&self) -> Option<Cow<'_, str>> {
        self.event.group_ref().or_else(|| self.metadata.get("groupRef").map(Cow::from))
    }

    /// The id of the Ampersand project that the delivery is from.
    pub fn project_id(&self) -> Option<Cow<'_, str>> {
        self.event.project_id().or_else(|| self.metadata.get("projectId").map(Cow::from))
    }

    /// The id of the installation that the delivery is about. Events about a connection or a destination have none.
    pub fn installation_id(&self) -> Option<Cow<'_, str>> {
        self.event.installation_id().or_else(|| self.metadata.get("installationId").map(Cow::from))
    }

    /// The name of the object that the delivery is about, as the integration has it.
    pub fn object_name(&self) -> Option<Cow<'_, str>> {
        self.event.object_name().or_else(|| self.metadata.get("objectName").map(Cow::from))
    }
}

/// What the records are about, from their message.
impl Records {
    /// Your application's own id of the group: the customer that the delivery is about.
    pub fn group_ref(&self) -> Option<Cow<'_, str>> {
        Some(self.message.group_ref.as_str().into())
    }

    /// The id of the Ampersand project that the delivery is from.
    pub fn project_id(&self) -> Option<Cow<'_, str>> {
        Some(self.message.project_id.as_str().into())
    }

    /// The id of the installation that the delivery is about. Events about a connection or a destination have none.
    pub fn installation_id(&self) -> Option<Cow<'_, str>> {
        Some(self.message.installation_id.as_str().into())
    }

    /// The name of the object that the delivery is about, as the integration has it.
    pub fn object_name(&self) -> Option<Cow<'_, str>> {
        Some(self.message.object_name.as_str().into())
    }
}

/// The kind of an envelope.
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

impl Source {
    /// All kinds.
    pub const ALL: &[Self] = &[Self::Webhook, Self::Kinesis, Self::S3, Self::Attributes, Self::Bare];

    /// Returns the name, for people and stores: `webhook`, `kinesis`, `s3`, `attributes` or `bare`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Kinesis => "kinesis",
            Self::S3 => "s3",
            Self::Attributes => "attributes",
            Self::Bare => "bare",
        }
    }
}

/// The metadata that a destination sends beside the payload: a flat map of strings.
///
/// Lookups ignore ASCII case, because S3 and HTTP change names to lower case.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// Returns the value of a name, ignoring ASCII case.
    pub fn get(&self, name: &str) -> Option<&str> {
        let exact = self.0.get(name);
        let found = exact.or_else(|| self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v));
        found.map(String::as_str)
    }

    /// The notification type, if the metadata names it.
    pub(crate) fn notification_type(&self) -> Option<NotificationType> {
        self.said("notificationType").map(NotificationType::from)
    }

    /// The value of a name, unless it is empty.
    pub(crate) fn said(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Iterates over the names, as they came, and their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Shows only the names: the values may be sensitive.
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

/// Keeps a value that is not a string as its JSON, though the contract allows only strings. Leaves out `null`, which
/// says nothing.
impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let (mut entries, mut nulls) = (BTreeMap::new(), BTreeSet::new());
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    let comes_twice = if value.get() == "null" {
                        entries.contains_key(&name) || !nulls.insert(name)
                    } else {
                        let value = serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned());
                        nulls.contains(&name) || entries.insert(name, value).is_some()
                    };
                    if comes_twice {
                        return Err(serde::de::Error::custom("a member comes twice"));
                    }
                }
                Ok(Metadata(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// The body of a delivery, byte for byte. `Debug` shows only its size.
#[derive(Clone, PartialEq, Eq)]
pub struct Raw {
    pub(crate) body: String,
    pub(crate) wrapped: bool,
}

impl Raw {
    /// Returns the whole body, with the byte order mark if it has one.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Returns the whole body.
    pub fn into_body(self) -> String {
        self.body
    }

    /// Returns the payload without its envelope and without a byte order mark. Each call skips over the body once to find
    /// it.
    pub fn data(&self) -> &str {
        let text = without_mark(&self.body);
        let payload = if self.wrapped { crate::payload::data(text) } else { None };
        payload.unwrap_or_else(|| text.trim_ascii())
    }
}

/// Removes the byte order mark that some programs write before the text.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.body.len())
    }
}
