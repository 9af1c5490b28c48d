use std::collections::BTreeMap;

use ampersand_notifications::{Delivery, Metadata};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Returns a delivery as JSON for a snapshot. Placeholders replace identifiers, times and URLs: they differ by run.
///
/// A placeholder has the kind of the value and a number. Equal values get equal numbers, so references stay visible.
/// Members are sorted, and numbers keep their text. See [`assert_delivery_snapshot!`](crate::assert_delivery_snapshot).
///
/// ```
/// use ampersand_testing::{Envelope, Fixture, redacted};
///
/// let delivery = Fixture::new("connection.deleted").delivery(Envelope::Webhook)?;
/// assert!(redacted(&delivery).contains(r#""connectionId": "[uuid 1]""#));
/// # Ok::<(), ampersand_notifications::NormalizeError>(())
/// ```
pub fn redacted(delivery: &Delivery) -> String {
    let (kind, notification_type, id, timestamp, metadata): (_, _, _, _, &Metadata) = match delivery {
        Delivery::Notification(n) => {
            ("notification", Some(n.notification_type.as_str()), &n.id, &n.timestamp, &n.metadata)
        }
        Delivery::Records(r) => ("records", None, &r.id, &r.timestamp, &r.metadata),
    };
    let mut seen = Seen::default();
    let mut shown = BTreeMap::from([("kind", Json::Text(kind.to_owned()))]);
    if let Some(notification_type) = notification_type {
        shown.insert("notificationType", Json::Text(notification_type.to_owned()));
    }
    shown.insert("data", seen.redact(Json::parse(delivery.raw().data())));
    let metadata = metadata.iter().map(|(name, value)| (name.to_owned(), Json::Text(value.to_owned())));
    shown.insert("metadata", seen.redact(Json::Object(metadata.collect())));
    // An id has no form by which `kind` could recognise it.
    if let Some(id) = id {
        shown.insert("id", Json::Text(seen.numbered("id", id)));
    }
    if let Some(timestamp) = timestamp {
        shown.insert("timestamp", seen.redact(Json::Text(timestamp.as_str().to_owned())));
    }
    serde_json::to_string_pretty(&shown).unwrap_or_default()
}

/// JSON with sorted members. Numbers keep their text, because `serde_json::Value` rounds some.
enum Json {
    Text(String),
    Array(Vec<Self>),
    Object(BTreeMap<String, Self>),
    Other(Box<RawValue>),
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Array(items) => items.serialize(serializer),
            Self::Object(members) => members.serialize(serializer),
            Self::Other(value) => value.serialize(serializer),
        }
    }
}

impl Json {
    fn parse(text: &str) -> Self {
        Self::of(text, 100).unwrap_or_else(|_| Self::Text(text.to_owned()))
    }

    /// Reads so many levels; a value below them keeps its text.
    fn of(text: &str, levels: usize) -> serde_json::Result<Self> {
        Ok(match text.as_bytes().first() {
            Some(b'[' | b'{') if levels == 0 => Self::Other(RawValue::from_string(text.to_owned())?),
            Some(b'"') => Self::Text(serde_json::from_str(text)?),
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text)?;
                Self::Array(items.into_iter().map(|item| Self::of(item.get(), levels - 1)).collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let members: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
                let members = members.into_iter().map(|(name, value)| Ok((name, Self::of(value.get(), levels - 1)?)));
                Self::Object(members.collect::<serde_json::Result<_>>()?)
            }
            _ => Self::Other(RawValue::from_string(text.to_owned())?),
        })
    }
}

/// The values that were replaced, in order of appearance.
#[derive(Default)]
struct Seen(Vec<(&'static str, String)>);

impl Seen {
    fn redact(&mut self, value: Json) -> Json {
        match value {
            Json::Text(text) => Json::Text(match kind(&text) {
                Some(kind) => self.numbered(kind, &text),
                None => text,
            }),
            Json::Array(items) => Json::Array(items.into_iter().map(|item| self.redact(item)).collect()),
            Json::Object(members) => {
                Json::Object(members.into_iter().map(|(name, value)| (name, self.redact(value))).collect())
            }
            other => other,
        }
    }

    fn numbered(&mut self, kind: &'static str, value: &str) -> String {
        let known = self.0.iter().find(|(_, known)| known == value).map(|(kind, _)| *kind);
        if known.is_none() {
            self.0.push((kind, value.to_owned()));
        }
        let kind = known.unwrap_or(kind);
        let mut same = self.0.iter().filter(|(known, _)| *known == kind);
        let number = same.position(|(_, known)| known == value).unwrap_or_default() + 1;
        format!("[{kind} {number}]")
    }
}

/// Returns the kind of a string that differs between runs, or `None`.
fn kind(text: &str) -> Option<&'static str> {
    let is_uuid = |text: &str| {
        text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    };
    if is_uuid(text) {
        Some("uuid")
    } else if text.starts_with("https://") || text.starts_with("http://") {
        Some("url")
    } else if text.parse::<jiff::Timestamp>().is_ok() {
        Some("time")
    } else {
        None
    }
}

/// Compares a [`redacted`] delivery with its [insta](https://insta.rs) snapshot. Your crate needs `insta` itself.
///
/// ```
/// use ampersand_testing::{Envelope, Fixture, assert_delivery_snapshot};
///
/// let delivery = Fixture::new("connection.deleted").delivery(Envelope::Webhook)?;
/// assert_delivery_snapshot!(delivery, @r#"
/// {
///   "data": {
///     "connectionId": "[uuid 1]",
///     "consumerName": "Hank Scorpio",
///     "consumerRef": "usr_1207",
///     "groupRef": "globex",
///     "projectId": "[uuid 2]",
///     "provider": "zendeskSupport"
///   },
///   "id": "[id 1]",
///   "kind": "notification",
///   "metadata": {},
///   "notificationType": "connection.deleted",
///   "timestamp": "[time 1]"
/// }
/// "#);
/// // In a file, by a name: assert_delivery_snapshot!("deleted", delivery);
/// # Ok::<(), ampersand_notifications::NormalizeError>(())
/// ```
#[macro_export]
macro_rules! assert_delivery_snapshot {
    ($delivery:expr $(, @$snapshot:literal)? $(,)?) => {
        ::insta::assert_snapshot!($crate::redacted(&$delivery) $(, @$snapshot)?)
    };
    ($name:expr, $delivery:expr $(,)?) => {
        ::insta::assert_snapshot!($name, $crate::redacted(&$delivery))
    };
}
