use ampersand_notifications::{Delivery, Metadata};
use serde_json::{Map, Value, json};

use crate::values::sorted;

/// A delivery as JSON for a snapshot, with what differs from run to run replaced: identifiers, times and URLs.
///
/// Each is replaced by its kind and a number, the same for the same value, so a snapshot still shows what refers to
/// what. Pair it with [`assert_delivery_snapshot!`](crate::assert_delivery_snapshot).
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
    let mut shown = Map::new();
    shown.insert("kind".to_owned(), kind.into());
    if let Some(notification_type) = notification_type {
        shown.insert("notificationType".to_owned(), notification_type.into());
    }
    let raw = delivery.raw();
    let data = sorted(serde_json::from_str(raw.data()).unwrap_or_else(|_| raw.data().into()));
    shown.insert("data".to_owned(), seen.redact(data));
    shown.insert("metadata".to_owned(), seen.redact(json!(metadata)));
    // An id has no form that would tell it.
    if let Some(id) = id {
        shown.insert("id".to_owned(), seen.numbered("id", id).into());
    }
    if let Some(timestamp) = timestamp {
        shown.insert("timestamp".to_owned(), seen.redact(json!(timestamp)));
    }
    format!("{:#}", sorted(Value::Object(shown)))
}

/// What has been replaced, in the order in which it came.
#[derive(Default)]
struct Seen(Vec<(&'static str, String)>);

impl Seen {
    fn redact(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => match kind(&text) {
                Some(kind) => self.numbered(kind, &text).into(),
                None => Value::String(text),
            },
            Value::Array(items) => items.into_iter().map(|item| self.redact(item)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, value)| (name, self.redact(value))).collect::<Map<_, _>>().into()
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

/// What a string is, if it is of a kind that differs from run to run.
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
/// # fn receive(body: Vec<u8>) -> ampersand_notifications::Delivery {
/// #     ampersand_notifications::from_webhook(body).unwrap()
/// # }
/// use ampersand_testing::{Envelope, Fixture, assert_delivery_snapshot};
///
/// let delivery = receive(Fixture::new("connection.deleted").send(Envelope::Webhook).body);
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
///   "kind": "notification",
///   "metadata": {},
///   "notificationType": "connection.deleted"
/// }
/// "#);
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
