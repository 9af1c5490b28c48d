use std::borrow::Cow;
use std::fmt;

use ampersand_types::__private::place_of_invalid;
use ampersand_types::Timestamp;
use ampersand_types::notifications::NotificationType;

use crate::delivery::without_mark;
use crate::payload::{Content, Opened, Payload, content, data, open};
use crate::{
    Body, Delivery, Metadata, NormalizeError, NormalizeErrorKind, Notification, Raw, Records, Source, Verified,
};

/// A webhook: its body, and the values of its headers. Made from a [`Verified`], or from unverified bytes.
#[derive(Clone)]
pub struct Webhook<'a> {
    /// The body, as it came. An owned body becomes the [`Raw`] without a copy; a borrowed one is copied.
    pub body: Cow<'a, [u8]>,
    /// The header `svix-id` or `webhook-id`.
    pub id: Option<&'a str>,
    /// The header `svix-timestamp` or `webhook-timestamp`.
    pub timestamp: Option<Timestamp>,
}

impl<'a> From<Verified<'a>> for Webhook<'a> {
    fn from(verified: Verified<'a>) -> Self {
        Self { body: verified.body, id: Some(verified.id), timestamp: Some(verified.timestamp) }
    }
}

impl<'a, B: Into<Body<'a>>> From<B> for Webhook<'a> {
    fn from(body: B) -> Self {
        Self { body: body.into().0, id: None, timestamp: None }
    }
}

impl fmt::Debug for Webhook<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = format_args!("{} bytes", self.body.len());
        let mut shown = f.debug_struct("Webhook");
        shown.field("body", &body).field("id", &self.id).field("timestamp", &self.timestamp).finish()
    }
}

/// Reads a webhook: `{"notificationType": …, "data": …}`, or a data message.
///
/// # Errors
///
/// When the body is not JSON, does not have the shape of its type, or neither names a type nor is a data message. New
/// event types and fields are not errors.
pub fn from_webhook<'a>(webhook: impl Into<Webhook<'a>>) -> Result<Delivery, NormalizeError> {
    let webhook = webhook.into();
    let mut known = Known::of(Source::Webhook);
    known.said.id = webhook.id.map(str::to_owned);
    known.said.timestamp = webhook.timestamp;
    normalize(Body(webhook.body), known)
}

/// Reads the data of a Kinesis record: `{"data": …, "metadata": …}`.
///
/// A destination may be set up to leave out the metadata, or the whole envelope. Then the record does not name its
/// type: use [`from_kinesis_as`].
///
/// # Errors
///
/// As [`from_webhook`].
pub fn from_kinesis<'a>(record: impl Into<Body<'a>>) -> Result<Delivery, NormalizeError> {
    normalize(record.into(), Known::of(Source::Kinesis))
}

/// Reads the data of a Kinesis record that does not name its type.
///
/// If the record does name a type, that overrides `notification_type`.
///
/// # Errors
///
/// As [`from_webhook`].
pub fn from_kinesis_as<'a>(
    record: impl Into<Body<'a>>,
    notification_type: &NotificationType,
) -> Result<Delivery, NormalizeError> {
    let known = Known { notification_type: Some(notification_type.clone()), ..Known::of(Source::Kinesis) };
    normalize(record.into(), known)
}

/// Reads an S3 object and its user metadata, with or without the prefix `x-amz-meta-`.
///
/// The object is the payload, whatever members it has. If the metadata has neither a type nor an `event-id`, it may
/// have been lost: then this function recognises an envelope in the object.
///
/// # Errors
///
/// As [`from_webhook`].
pub fn from_s3<'a, N: Into<String>, V: Into<String>>(
    body: impl Into<Body<'a>>,
    metadata: impl IntoIterator<Item = (N, V)>,
) -> Result<Delivery, NormalizeError> {
    from_source(body, Source::S3, metadata.into_iter().collect(), None)
}

const PREFIX: &str = "x-amz-meta-";

fn without_prefix(name: &str) -> &str {
    match name.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => name,
    }
}

/// Reads the body and the attributes of a queue message, from SQS, Pub/Sub, Service Bus or RabbitMQ.
///
/// SQS has one attribute `metadata`, whose value is a JSON object. The others have one attribute for each entry. The
/// body is the payload, as in [`from_s3`].
///
/// # Errors
///
/// As [`from_webhook`].
pub fn from_attributes<'a, N: Into<String>, V: Into<String>>(
    body: impl Into<Body<'a>>,
    attributes: impl IntoIterator<Item = (N, V)>,
) -> Result<Delivery, NormalizeError> {
    from_source(body, Source::Attributes, attributes.into_iter().collect(), None)
}

/// Reads a body in an unknown envelope, which it recognises.
///
/// # Errors
///
/// As [`from_webhook`].
pub fn from_any<'a>(body: impl Into<Body<'a>>) -> Result<Delivery, NormalizeError> {
    normalize(body.into(), Known::of(Source::Bare))
}

/// Reads a body from a source that you choose at run time. `notification_type` counts if neither the body nor
/// `metadata` names a type. With [`Source::Bare`], it recognises the envelope.
///
/// ```
/// use ampersand_notifications::{Delivery, Metadata, Source, from_source};
/// use ampersand_types::notifications::NotificationType;
///
/// let metadata = Metadata::from_iter([("event-id", "evt_1")]);
/// let new = NotificationType::from("something.new");
/// let Delivery::Notification(notification) = from_source(b"{}", Source::Bare, metadata, Some(&new))? else {
///     panic!("it has a type");
/// };
/// assert_eq!((notification.notification_type, notification.id.as_deref()), (new, Some("evt_1")));
/// # Ok::<(), ampersand_notifications::NormalizeError>(())
/// ```
///
/// # Errors
///
/// As [`from_webhook`].
pub fn from_source<'a>(
    body: impl Into<Body<'a>>,
    source: Source,
    metadata: Metadata,
    notification_type: Option<&NotificationType>,
) -> Result<Delivery, NormalizeError> {
    let metadata = match source {
        Source::S3 => metadata.iter().map(|(name, value)| (without_prefix(name), value)).collect(),
        Source::Attributes => match metadata.get("metadata").map(serde_json::from_str::<Metadata>) {
            Some(Ok(packed)) => {
                let beside = metadata.iter().filter(|(name, _)| *name != "metadata" && packed.get(name).is_none());
                beside.chain(packed.iter()).collect()
            }
            _ => metadata,
        },
        _ => metadata,
    };
    let mut known = Known::with(source, metadata);
    known.notification_type = known.notification_type.or_else(|| notification_type.cloned());
    normalize(body.into(), known)
}

/// What the transport knows about a body.
struct Known {
    notification_type: Option<NotificationType>,
    said: Said,
}

/// What is known about a payload, apart from its type.
struct Said {
    source: Source,
    id: Option<String>,
    timestamp: Option<Timestamp>,
    metadata: Metadata,
}

impl Known {
    fn of(source: Source) -> Self {
        Self::with(source, Metadata::default())
    }

    fn with(source: Source, metadata: Metadata) -> Self {
        let notification_type = metadata.notification_type();
        Self { notification_type, said: Said { source, id: None, timestamp: None, metadata } }
    }

    /// Whether the body is the payload, whatever members it has: its type is known, or Ampersand's metadata for an object
    /// or message came with it. Without that metadata, an envelope is recognised.
    fn body_is_payload(&self) -> bool {
        let Said { source, metadata, .. } = &self.said;
        let is_beside = matches!(source, Source::S3 | Source::Attributes);
        is_beside && (self.notification_type.is_some() || metadata.said("event-id").is_some())
    }
}

fn normalize(body: Body<'_>, known: Known) -> Result<Delivery, NormalizeError> {
    let body = match String::from_utf8(body.0.into_owned()) {
        Ok(body) => body,
        Err(error) => {
            let (line, column) = place_of_invalid(&error);
            return Err(NormalizeError::new(NormalizeErrorKind::NotJson { line, column }, error.into_bytes()));
        }
    };
    let (content, wrapped, said) = match read(&body, known) {
        Ok(read) => read,
        Err(problem) => return Err(NormalizeError::new(problem, body.into_bytes())),
    };
    let Said { source, id, timestamp, metadata } = said;
    let raw = Raw { body, wrapped };
    Ok(match content {
        Content::Event(notification_type, event) => {
            Delivery::Notification(Notification { notification_type, event, id, timestamp, metadata, source, raw })
        }
        Content::Message(message) => Delivery::Records(Records { message, id, timestamp, metadata, source, raw }),
    })
}

/// Reads a body. Returns its content, whether an envelope wraps that, and what is known about it.
fn read(body: &str, known: Known) -> Result<(Content, bool, Said), NormalizeErrorKind> {
    let text = without_mark(body);
    let Opened { wrapped, notification_type, metadata, payload, odd } = match known.body_is_payload() {
        true => Opened::bare(Payload::Text(text)),
        false => open(text, known.notification_type.as_ref())?,
    };
    let source = match known.said.source {
        Source::Bare if notification_type.is_some() => Source::Webhook,
        Source::Bare if wrapped => Source::Kinesis,
        source => source,
    };
    // The caller's metadata adds to that of the body.
    let metadata = match metadata {
        None => known.said.metadata,
        Some(own) if known.said.metadata.is_empty() => own,
        Some(own) => {
            let beside = known.said.metadata.iter().filter(|(name, _)| own.get(name).is_none());
            own.iter().chain(beside).collect()
        }
    };
    let notification_type = notification_type.or_else(|| metadata.notification_type()).or(known.notification_type);
    let content = match payload {
        Payload::Event(guess, event) if notification_type.as_ref() == Some(&guess) => Ok(Content::Event(guess, event)),
        Payload::Event(..) => content(data(text).unwrap_or(text), notification_type, wrapped, &metadata),
        Payload::Text(payload) => content(payload, notification_type, wrapped, &metadata),
    };
    let content = content.map_err(|problem| match (problem, odd) {
        (NormalizeErrorKind::TypeMissing { .. }, Some(odd)) => odd,
        (problem, _) => problem,
    })?;
    let id = known.said.id.or_else(|| metadata.said("event-id").map(str::to_owned));
    let sent = || metadata.said("timestamp-ms").or_else(|| metadata.said("timestamp")).map(Timestamp::from);
    let timestamp = known.said.timestamp.or_else(sent);
    Ok((content, wrapped, Said { source, id, timestamp, metadata }))
}
