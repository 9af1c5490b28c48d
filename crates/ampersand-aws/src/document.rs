//! Finds the deliveries in documents of AWS and Pub/Sub: Lambda events, batches of EventBridge Pipes, Pub/Sub pushes,
//! and output of the command `aws`. The command line uses this module too.

use std::fmt;

use ampersand_notifications::Source;
use ampersand_types::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::RecordError as Fault;
use crate::attributes::{self, Entries};
use crate::headers;
use crate::members::Members;

/// A record of a document. A document that is one record is its own record.
pub struct Record<'t> {
    /// The place of the record in the document, as a JSONPath. Empty if the record is the whole document.
    pub path: String,
    /// The record's text in the document. [`records`] can also read this text by itself.
    pub text: &'t str,
    /// The identity of the record.
    pub origin: Origin,
    /// The content of the record.
    pub inside: Result<Inside, Fault>,
}

/// Shows the path and the origin, and no content.
impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("path", &self.path).field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// The identity of a record, and the group that orders it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The service that assigned the identifier.
    pub service: Service,
    /// The identifier that the service assigned; never empty.
    pub id: Option<String>,
    /// The group of a message in a FIFO queue. Messages of a group are in order.
    pub group: Option<String>,
}

/// The services whose records have an identifier in the response to a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Service {
    /// The identifier is a sequence number.
    Kinesis,
    /// The identifier is the id of a message.
    Sqs,
    /// The service has no partial responses.
    #[default]
    Other,
}

/// The content of a record.
pub enum Inside {
    /// A delivery.
    Delivery(Wrapped),
    /// Names of S3 objects, which have to be fetched.
    Objects(Vec<Object>),
    /// A message of the service itself, which has no delivery. The text says what it is.
    Nothing(&'static str),
}

/// Shows no content of a delivery.
impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivery(wrapped) => wrapped.fmt(f),
            Self::Objects(objects) => objects.fmt(f),
            Self::Nothing(what) => f.write_str(what),
        }
    }
}

/// A delivery, extracted from its record.
pub struct Wrapped {
    /// The exact bytes of the body.
    pub body: Vec<u8>,
    /// The kind of envelope.
    pub source: Source,
    /// The metadata in the record.
    pub metadata: Entries,
    /// The headers of a request.
    pub headers: Vec<(String, String)>,
    /// The id in the headers.
    pub id: Option<String>,
    /// The time in the headers.
    pub timestamp: Option<Timestamp>,
}

impl Wrapped {
    fn new(body: Vec<u8>, source: Source) -> Self {
        Self { body, source, metadata: Entries::new(), headers: Vec::new(), id: None, timestamp: None }
    }

    /// Returns whether the body holds all information of the record.
    pub fn is_body_alone(&self) -> bool {
        self.metadata.is_empty() && self.id.is_none() && self.timestamp.is_none()
    }
}

/// Shows only the size of the body, and the source.
impl fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wrapped({} bytes, {:?})", self.body.len(), self.source)
    }
}

/// The name of an S3 object, which has to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Object {
    /// The bucket that the object is in.
    pub bucket: String,
    /// The decoded key. In the event, it is URL-encoded, with `+` for a space.
    pub key: String,
    /// The version of the object, if the bucket keeps versions.
    pub version: Option<String>,
    /// What happened to the object, as in `ObjectCreated:Put`.
    pub event: Option<String>,
}

impl Object {
    /// Returns whether the object was created, or the notification does not say: other objects cannot be fetched.
    pub(crate) fn is_created(&self) -> bool {
        let is_created = |event: &str| event.trim_start_matches("s3:").starts_with("ObjectCreated");
        self.event.as_deref().is_none_or(is_created)
    }
}

/// Finds the records of a document, in order. Returns `None` if the document is not of a known service.
pub fn records(document: &str) -> Option<Vec<Record<'_>>> {
    let document = document.trim_ascii();
    if document.starts_with('[') {
        return list("$", document).filter(|records| !records.is_empty());
    }
    let members: Members<'_> = serde_json::from_str(document).ok()?;
    let lists = ["Records", "Messages"].iter().find_map(|name| Some((name, members.get(name)?)));
    match lists {
        Some((name, records)) if !is_delivery(&members) => list(&format!("$.{name}"), records.get()),
        _ => Some(vec![Record {
            path: String::new(),
            text: document,
            inside: content(&members)?,
            origin: origin(&members),
        }]),
    }
}

/// Finds the records of a list. The list has to be empty or to have at least one known record.
fn list<'t>(path: &str, items: &'t str) -> Option<Vec<Record<'t>>> {
    let items: Vec<&RawValue> = serde_json::from_str(items).ok()?;
    let (mut records, mut is_known) = (Vec::new(), items.is_empty());
    for (index, item) in items.into_iter().enumerate() {
        let members = serde_json::from_str::<Members<'_>>(item.get()).ok();
        let found = members.as_ref().and_then(content);
        is_known |= found.is_some();
        let inside = found.unwrap_or(Err(Fault::Unknown));
        let origin = members.as_ref().map(origin).unwrap_or_default();
        records.push(Record { path: format!("{path}[{index}]"), text: item.get(), origin, inside });
    }
    is_known.then_some(records)
}

/// Returns whether an object is itself a delivery, whatever other members it has.
fn is_delivery(members: &Members<'_>) -> bool {
    members.get("notificationType").is_some()
}

/// Opens a record; its members show which service sent it. Returns `None` for an unknown service.
fn content(record: &Members<'_>) -> Option<Result<Inside, Fault>> {
    let has = |names: &[&str]| names.iter().any(|name| record.get(name).is_some());
    Some(match () {
        () if is_delivery(record) => return None,
        () if has(&["kinesis"]) => object(record, "kinesis").and_then(|record| kinesis(&record)),
        () if has(&["sequenceNumber", "SequenceNumber", "partitionKey", "PartitionKey"]) => kinesis(record),
        () if has(&["receiptHandle", "ReceiptHandle"]) => sqs(record),
        () if has(&["messageId", "MessageId"]) && has(&["body", "Body"]) => sqs(record),
        () if has(&["Sns"]) => object(record, "Sns").and_then(|record| sns(&record)),
        () if has(&["s3"]) => s3(record).map(|object| Inside::Objects(vec![object])),
        () if has(&["cf"]) => edge(record),
        () if has(&["requestContext"]) || has(&["isBase64Encoded"]) && has(&["body"]) => http(record),
        () if has(&["messageId", "message_id"]) && is_text(record, "data") => pub_sub(record),
        () if has(&["subscription", "ackId"]) => object(record, "message").and_then(|message| pub_sub(&message)),
        () => match object(record, "message") {
            Ok(message) if is_text(&message, "data") => pub_sub(&message),
            _ => return of_service(record),
        },
    })
}

/// Finds the identity of a record, even if other parts of it are invalid.
fn origin(record: &Members<'_>) -> Origin {
    let named = |members: &Members<'_>, names: &[&'static str]| {
        names.iter().find_map(|name| text(members, name).ok().filter(|id| !id.is_empty()))
    };
    let sequence = ["sequenceNumber", "SequenceNumber"];
    let of_stream = object(record, "kinesis").ok().and_then(|kinesis| named(&kinesis, &sequence));
    if let Some(id) = of_stream.or_else(|| named(record, &sequence)) {
        return Origin { service: Service::Kinesis, id: Some(id), group: None };
    }
    let id = named(record, &["messageId", "MessageId", "message_id"]);
    if id.is_some() && ["body", "Body", "receiptHandle", "ReceiptHandle"].iter().any(|name| record.get(name).is_some())
    {
        return Origin { service: Service::Sqs, id, group: group(record) };
    }
    let inside = |name, names: &[&'static str]| object(record, name).ok().and_then(|inner| named(&inner, names));
    let id = id.or_else(|| inside("Sns", &["MessageId"])).or_else(|| inside("message", &["messageId", "message_id"]));
    let id = id.or_else(|| Some(s3(record).ok()?.key));
    Origin { id, ..Origin::default() }
}

/// Returns the group of a message, within which a FIFO queue keeps the order. Messages of a standard queue may also
/// have a group, but no order.
fn group(message: &Members<'_>) -> Option<String> {
    let group = ["attributes", "Attributes"].iter().find_map(|name| object(message, name).ok());
    let group = group.and_then(|attributes| text(&attributes, "MessageGroupId").ok());
    match text(message, "eventSourceARN") {
        Ok(queue) => queue.ends_with(".fifo").then(|| group.unwrap_or_default()),
        Err(_) => group,
    }
}

/// Opens messages of SNS and S3, which may be an event or the body of another message.
fn of_service(body: &Members<'_>) -> Option<Result<Inside, Fault>> {
    let is = |name, expected| text(body, name).is_ok_and(|value| value == expected);
    Some(match () {
        () if is("Event", "s3:TestEvent") => Ok(Inside::Nothing("the test event of S3")),
        () if body.get("Message").is_none() => return None,
        () if is("Type", "Notification") => sns(body),
        () if is("Type", "SubscriptionConfirmation") => Ok(Inside::Nothing("a confirmation of a subscription to SNS")),
        () if is("Type", "UnsubscribeConfirmation") => Ok(Inside::Nothing("the end of a subscription to SNS")),
        () => return None,
    })
}

fn kinesis(record: &Members<'_>) -> Result<Inside, Fault> {
    let body = base64(record, either(record, "data", "Data"))?;
    Ok(Inside::Delivery(Wrapped::new(body, Source::Kinesis)))
}

/// Reads the attributes that the sender of a message set. SQS sets `attributes` itself.
fn sqs(message: &Members<'_>) -> Result<Inside, Fault> {
    let body = text(message, either(message, "body", "Body"))?;
    queued(body, said(message, either(message, "messageAttributes", "MessageAttributes"))?)
}

fn sns(notification: &Members<'_>) -> Result<Inside, Fault> {
    queued(text(notification, "Message")?, said(notification, "MessageAttributes")?)
}

fn pub_sub(message: &Members<'_>) -> Result<Inside, Fault> {
    let (body, metadata) = (base64(message, "data")?, said(message, "attributes")?);
    Ok(Inside::Delivery(Wrapped { metadata, ..Wrapped::new(body, Source::Attributes) }))
}

/// Opens the body of a message, which may be a message of SNS or S3. Each level doubles the escapes of the next, so
/// there are few levels. If the message has Ampersand's metadata, the body is the payload, whatever it looks like.
fn queued(body: String, metadata: Entries) -> Result<Inside, Fault> {
    let merged = attributes::merge([&metadata], Source::Attributes);
    let is_payload = ["notificationType", "event-id"].iter().any(|name| merged.get(name).is_some());
    let inner = serde_json::from_str::<Members<'_>>(&body).ok().filter(|_| !is_payload);
    if let Some(opened) = inner.and_then(|inner| of_service(&inner).or_else(|| objects(&inner))) {
        return opened;
    }
    Ok(Inside::Delivery(Wrapped { metadata, ..Wrapped::new(body.into_bytes(), Source::Attributes) }))
}

/// Opens an S3 notification.
fn objects(notification: &Members<'_>) -> Option<Result<Inside, Fault>> {
    let records: Vec<Members<'_>> = serde_json::from_str(notification.get("Records")?.get()).ok()?;
    records.first()?.get("s3")?;
    Some(records.iter().map(s3).collect::<Result<_, _>>().map(Inside::Objects))
}

fn s3(record: &Members<'_>) -> Result<Object, Fault> {
    let s3 = object(record, "s3")?;
    let (bucket, named) = (object(&s3, "bucket")?, object(&s3, "object")?);
    Ok(Object {
        bucket: text(&bucket, "name")?,
        key: url_decoded(&text(&named, "key")?).ok_or(Fault::Key)?,
        version: text(&named, "versionId").ok(),
        event: text(record, "eventName").ok(),
    })
}

fn http(request: &Members<'_>) -> Result<Inside, Fault> {
    let is_encoded = request.get("isBase64Encoded").is_some_and(|value| value.get() == "true");
    let body = if is_encoded { base64(request, "body")? } else { text(request, "body")?.into_bytes() };
    Ok(webhook(body, request))
}

fn edge(record: &Members<'_>) -> Result<Inside, Fault> {
    let request = object(&object(record, "cf")?, "request")?;
    let body = object(&request, "body")?;
    let is_text = text(&body, "encoding").is_ok_and(|encoding| encoding == "text");
    let body = if is_text { text(&body, "data")?.into_bytes() } else { base64(&body, "data")? };
    Ok(webhook(body, &request))
}

fn webhook(body: Vec<u8>, request: &Members<'_>) -> Inside {
    let found = ["multiValueHeaders", "headers"].iter().filter_map(|name| request.get(name));
    let found = found.map(headers::of_raw).find(|headers| !headers.is_empty()).unwrap_or_default();
    let (id, timestamp) = headers::id_and_timestamp(&found);
    Inside::Delivery(Wrapped { headers: found, id, timestamp, ..Wrapped::new(body, Source::Webhook) })
}

/// Returns the name that a message uses: Lambda writes names in another case than `aws` prints.
fn either(record: &Members<'_>, lambda: &'static str, printed: &'static str) -> &'static str {
    if record.get(lambda).is_none() && record.get(printed).is_some() { printed } else { lambda }
}

fn is_text(members: &Members<'_>, name: &str) -> bool {
    members.get(name).is_some_and(|value| value.get().starts_with('"'))
}

fn value<'t>(members: &Members<'t>, name: &'static str) -> Result<&'t RawValue, Fault> {
    members.get(name).filter(|value| value.get() != "null").ok_or(Fault::Missing(name))
}

fn object<'t>(members: &Members<'t>, name: &'static str) -> Result<Members<'t>, Fault> {
    serde_json::from_str(value(members, name)?.get()).map_err(|_| Fault::NotObject(name))
}

fn text(members: &Members<'_>, name: &'static str) -> Result<String, Fault> {
    serde_json::from_str(value(members, name)?.get()).map_err(|_| Fault::NotText(name))
}

fn base64(members: &Members<'_>, name: &'static str) -> Result<Vec<u8>, Fault> {
    STANDARD.decode(text(members, name)?).map_err(|_| Fault::NotBase64(name))
}

fn said(members: &Members<'_>, name: &'static str) -> Result<Entries, Fault> {
    match value(members, name) {
        Ok(attributes) => attributes::of_attributes(attributes).ok_or(Fault::Attributes),
        Err(_) => Ok(Entries::new()),
    }
}

/// Decodes the URL-encoded key of an object. S3 writes a space as `+`.
fn url_decoded(key: &str) -> Option<String> {
    let key = key.replace('+', " ");
    let mut parts = key.split('%');
    let mut decoded = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        decoded.push(u8::from_str_radix(code, 16).ok()?);
        decoded.extend(rest.as_bytes());
    }
    String::from_utf8(decoded).ok()
}
