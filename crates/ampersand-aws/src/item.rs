use std::fmt;

use ampersand_notifications::{Delivery, Metadata, Source, from_source};
use ampersand_types::notifications::NotificationType;

use crate::document::{Inside, Object, Record, Wrapped};
use crate::{Event, EventError, RecordError, UnreadableError};

/// A delivery in an event, or what leads to one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Item {
    /// The sequence number of a record of Kinesis, the `messageId` of a message of SQS, SNS or Pub/Sub, the key of an object
    /// of S3; `None` of a request. Objects that are named in one message share its id.
    pub id: Option<String>,
    /// What the record carries, or why it cannot be read.
    pub content: Result<Content, Unreadable>,
}

/// What a record carries.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// A delivery. Your cloud permissions control who can write there, so there is no signature to verify.
    Delivery(Box<Delivery>),
    /// The name of an object of S3: fetch it, and read it with [`from_s3`](ampersand_notifications::from_s3).
    Object(Object),
    /// A request, which anyone may have sent: verify it.
    Webhook(Request),
}

/// A request as API Gateway, a function URL or a load balancer hands it on. `Debug` shows the size of the body alone.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The headers: [`Verifier::verify`](ampersand_notifications::Verifier::verify) takes them. A name may come several times.
    pub headers: Vec<(String, String)>,
    /// The body, decoded from base64 if need be: the bytes that were signed.
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} headers, {} bytes)", self.headers.len(), self.body.len())
    }
}

/// An object of S3, as a function of yours fetched it. `Debug` shows the size of the body alone.
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
    /// The user metadata of the object, with or without the prefix `x-amz-meta-`. It names the type.
    pub metadata: Metadata,
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fetched({} bytes)", self.body.len())
    }
}

/// A record that gives no delivery, whole, so that it can be put aside. `Debug` shows no part of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// As [`Item::id`].
    pub id: Option<String>,
    /// The record, as it stands in the event: JSON that `ampersand decode` reads again, alone or in a file of lines.
    pub record: String,
    /// Why it cannot be read.
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

/// Reads the deliveries in an event of Lambda, in a batch of EventBridge Pipes, or in what the command `aws` prints; in
/// order, each with a result of its own.
///
/// What services send for themselves (`s3:TestEvent`, confirmations of subscriptions to SNS), and notifications of objects
/// that were removed, are left out.
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
/// [`EventError::Unknown`]: the event is not JSON, or no record in it is like one of a known service.
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

/// Reads what was wrapped in a record of a service that verifies who writes there.
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
