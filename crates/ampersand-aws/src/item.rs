use std::fmt;

use ampersand_notifications::{Delivery, Metadata, Source, from_source};
use ampersand_types::notifications::NotificationType;

use crate::document::{Inside, Object, Record, Wrapped};
use crate::{Event, EventError, RecordError, UnreadableError};

/// An item of an event: a delivery, an S3 object or a webhook.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Item {
    /// The sequence number of a Kinesis record, the `messageId` of an SQS, SNS or Pub/Sub message, or the key of an S3
    /// object. `None` for a request. Objects that one message names share its id.
    pub id: Option<String>,
    /// The content of the record, or the reason why it is unreadable.
    pub content: Result<Content, Unreadable>,
}

/// The content of a record.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// A delivery. Your cloud permissions control who can write there, so there is no signature to verify.
    Delivery(Box<Delivery>),
    /// The name of an S3 object: fetch it, and read it with [`from_s3`](ampersand_notifications::from_s3).
    Object(Object),
    /// A request, which may come from anyone: verify it.
    Webhook(Request),
}

/// A request as API Gateway, a function URL or a load balancer forwards it. `Debug` shows only sizes.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The headers, for [`Verifier::verify`](ampersand_notifications::Verifier::verify). A name may be repeated.
    pub headers: Vec<(String, String)>,
    /// The body, decoded from base64 if necessary: the bytes that were signed.
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} headers, {} bytes)", self.headers.len(), self.body.len())
    }
}

/// An S3 object that your function fetched. `Debug` shows only the size of the body.
///
/// ```
/// use ampersand_aws::Fetched;
/// use ampersand_notifications::Metadata;
///
/// let metadata = Metadata::from_iter([("event-id", "evt_1"), ("notificationtype", "connection.created")]);
/// let fetched = Fetched { body: b"{}".to_vec(), metadata };
/// assert_eq!(format!("{fetched:?}"), "Fetched(2 bytes)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The content of the object.
    pub body: Vec<u8>,
    /// The user metadata of the object, with or without the prefix `x-amz-meta-`. It holds the notification type.
    pub metadata: Metadata,
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fetched({} bytes)", self.body.len())
    }
}

/// A whole record without a readable delivery, so that you can store it. `Debug` shows no part of the record.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// The id: see [`Item::id`].
    pub id: Option<String>,
    /// The record's JSON text in the event. `ampersand decode` can read it again, alone or as a line of a file.
    pub record: String,
    /// The reason why the record is unreadable.
    pub error: UnreadableError,
}

impl fmt::Debug for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = format_args!("{} bytes", self.record.len());
        let mut shown = f.debug_struct("Unreadable");
        shown.field("id", &self.id).field("record", &record).field("error", &self.error).finish()
    }
}

impl Unreadable {
    pub(crate) fn new(record: &Record<'_>, error: UnreadableError) -> Self {
        Self { id: record.origin.id.clone(), record: record.text.to_owned(), error }
    }
}

/// Reads the deliveries in a Lambda event, in a batch of EventBridge Pipes, or in output of the command `aws`. Items
/// are in order, and each has its own result.
///
/// Messages of the services themselves (`s3:TestEvent`, confirmations of SNS subscriptions) are skipped, and so are
/// notifications of removed objects.
///
/// ```
/// use ampersand_aws::{Content, deliveries};
/// use ampersand_testing::{Fixture, aws};
///
/// let event = aws::sqs_event([&Fixture::new("installation.created")]);
/// for item in deliveries(&event)? {
///     match item.content {
///         Ok(Content::Delivery(delivery)) => assert_eq!(item.id.as_deref(), delivery.id()),
///         Ok(Content::Object(object)) => println!("fetch {} from {}", object.key, object.bucket),
///         Ok(_) => println!("a request: verify it"),
///         Err(unreadable) => println!("put aside: {}", unreadable.error),
///     }
/// }
/// # Ok::<(), ampersand_aws::EventError>(())
/// ```
///
/// # Errors
///
/// [`EventError::Unknown`]: the event is not JSON, or no record looks like one of a known service.
pub fn deliveries<'e>(event: impl Into<Event<'e>>) -> Result<Vec<Item>, EventError> {
    let event = event.into();
    let mut items = Vec::new();
    for mut record in event.records()? {
        let id = record.origin.id.clone();
        let inside = std::mem::replace(&mut record.inside, Ok(Inside::Nothing("")));
        let content = match inside {
            Ok(Inside::Nothing(_)) => continue,
            Ok(Inside::Objects(objects)) => {
                let created = objects.into_iter().filter(Object::is_created);
                items.extend(created.map(|object| Item { id: id.clone(), content: Ok(Content::Object(object)) }));
                continue;
            }
            Ok(Inside::Delivery(wrapped)) if wrapped.source == Source::Webhook => {
                Ok(Content::Webhook(Request { headers: wrapped.headers, body: wrapped.body }))
            }
            Ok(Inside::Delivery(wrapped)) => read(wrapped, None).map(|delivery| Content::Delivery(Box::new(delivery))),
            Err(error) => Err(UnreadableError::Record(error)),
        };
        items.push(Item { id, content: content.map_err(|error| Unreadable::new(&record, error)) });
    }
    Ok(items)
}

/// Reads the delivery in a record of a service that controls who may write to it.
pub(crate) fn read(
    wrapped: Wrapped,
    notification_type: Option<&NotificationType>,
) -> Result<Delivery, UnreadableError> {
    let Wrapped { body, source, metadata, .. } = wrapped;
    if source == Source::Webhook {
        return Err(UnreadableError::Record(RecordError::Unverified));
    }
    body_of(body, source, metadata.into_iter().collect(), notification_type)
}

pub(crate) fn body_of(
    body: Vec<u8>,
    source: Source,
    metadata: Metadata,
    notification_type: Option<&NotificationType>,
) -> Result<Delivery, UnreadableError> {
    from_source(body, source, metadata, notification_type).map_err(UnreadableError::Body)
}
