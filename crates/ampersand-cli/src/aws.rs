//! Finds the deliveries in documents of AWS and Pub/Sub: events of Lambda, batches of Pipes, pushes, and what `aws`
//! prints.

use std::fmt;

use ampersand_notifications::Source;
use ampersand_types::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::kept;
use crate::members::Members;
use crate::metadata::{self, Entries};

/// A record of a document, or the whole document where it is one record.
pub(crate) struct Record<'t> {
    /// Where the record is in the document, as a JSONPath; empty where it is the document.
    pub(crate) path: String,
    /// The record, as it stands in the document. [`records`] reads it alone too.
    pub(crate) text: &'t str,
    pub(crate) content: Result<Content, Fault>,
}

/// What a record carries.
pub(crate) enum Content {
    Delivery(Wrapped),
    /// Objects of S3 are named, and have to be fetched.
    Objects(Vec<Object>),
    /// A service speaks for itself, and no delivery is missing: what the record is.
    Nothing(&'static str),
}

/// A delivery, taken out of its record.
pub(crate) struct Wrapped {
    pub(crate) body: Vec<u8>,
    pub(crate) source: Source,
    pub(crate) metadata: Entries,
    pub(crate) id: Option<String>,
    pub(crate) timestamp: Option<Timestamp>,
}

impl Wrapped {
    /// Whether the body says all that the record does.
    pub(crate) fn is_body_alone(&self) -> bool {
        self.metadata.is_empty() && self.id.is_none() && self.timestamp.is_none()
    }
}

/// The name of an object of S3.
pub(crate) struct Object {
    pub(crate) bucket: String,
    /// The key, decoded.
    pub(crate) key: String,
    pub(crate) version: Option<String>,
}

/// Why a record cannot be opened.
#[derive(Debug, PartialEq)]
pub(crate) enum Fault {
    /// It is not like a record of any service.
    Unknown,
    /// This member is missing, or `null`.
    Missing(&'static str),
    /// This member is not an object.
    NotObject(&'static str),
    /// This member is not a string, or has an escape that stands for no character.
    NotText(&'static str),
    /// This member is not base64.
    NotBase64(&'static str),
    /// The attributes are not strings, or a name comes twice.
    Attributes,
    /// The key of an object is not encoded as in a URL.
    Key,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("not a record of Kinesis, SQS, SNS, S3, Pub/Sub or Lambda@Edge"),
            Self::Missing(member) => write!(f, "the record has no `{member}`"),
            Self::NotObject(member) => write!(f, "`{member}` of the record is not an object"),
            Self::NotText(member) => write!(f, "`{member}` of the record is not a valid string"),
            Self::NotBase64(member) => write!(f, "`{member}` of the record is not valid base64"),
            Self::Attributes => f.write_str("the attributes of the record are not an object of strings"),
            Self::Key => f.write_str("the key of the object is not URL-encoded"),
        }
    }
}

/// Finds the records of a document, in order. Returns `None` where the document is of no known service.
pub(crate) fn records(document: &str) -> Option<Vec<Record<'_>>> {
    let document = document.trim_ascii();
    if document.starts_with('[') {
        return list("$", document).filter(|records| !records.is_empty());
    }
    let members: Members<'_> = serde_json::from_str(document).ok()?;
    let lists = ["Records", "Messages"].iter().find_map(|name| Some((name, members.get(name)?)));
    match lists {
        Some((name, records)) if !is_delivery(&members) => list(&format!("$.{name}"), records.get()),
        _ => Some(vec![Record { path: String::new(), text: document, content: content(&members)? }]),
    }
}

/// Finds the records of a list in which at least one is known, or which is empty.
fn list<'t>(path: &str, items: &'t str) -> Option<Vec<Record<'t>>> {
    let items: Vec<&RawValue> = serde_json::from_str(items).ok()?;
    let (mut records, mut is_known) = (Vec::new(), items.is_empty());
    for (index, item) in items.into_iter().enumerate() {
        let found = serde_json::from_str(item.get()).ok().and_then(|members| content(&members));
        is_known |= found.is_some();
        let content = found.unwrap_or(Err(Fault::Unknown));
        records.push(Record { path: format!("{path}[{index}]"), text: item.get(), content });
    }
    is_known.then_some(records)
}

/// Whether an object is a delivery itself, whatever else is in it.
fn is_delivery(members: &Members<'_>) -> bool {
    members.get("notificationType").is_some()
}

/// Opens a record, by the members that those of its service have. Returns `None` where it is of no known service.
fn content(record: &Members<'_>) -> Option<Result<Content, Fault>> {
    let has = |names: &[&str]| names.iter().any(|name| record.get(name).is_some());
    Some(match () {
        () if is_delivery(record) => return None,
        () if has(&["kinesis"]) => object(record, "kinesis").and_then(|record| kinesis(&record)),
        () if has(&["sequenceNumber", "SequenceNumber", "partitionKey", "PartitionKey"]) => kinesis(record),
        () if has(&["receiptHandle", "ReceiptHandle"]) => sqs(record),
        () if has(&["messageId", "MessageId"]) && has(&["body", "Body"]) => sqs(record),
        () if has(&["Sns"]) => object(record, "Sns").and_then(|record| sns(&record)),
        () if has(&["s3"]) => s3(record).map(|object| Content::Objects(vec![object])),
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

/// Opens what SNS and S3 send on their own, and in the body of a message too.
fn of_service(body: &Members<'_>) -> Option<Result<Content, Fault>> {
    let is = |name, expected| text(body, name).is_ok_and(|value| value == expected);
    Some(match () {
        () if is("Event", "s3:TestEvent") => Ok(Content::Nothing("the test event of S3")),
        () if body.get("Message").is_none() => return None,
        () if is("Type", "Notification") => sns(body),
        () if is("Type", "SubscriptionConfirmation") => Ok(Content::Nothing("a confirmation of a subscription to SNS")),
        () if is("Type", "UnsubscribeConfirmation") => Ok(Content::Nothing("the end of a subscription to SNS")),
        () => return None,
    })
}

fn kinesis(record: &Members<'_>) -> Result<Content, Fault> {
    let body = base64(record, either(record, "data", "Data"))?;
    let source = Source::Kinesis;
    Ok(Content::Delivery(Wrapped { body, source, metadata: Entries::new(), id: None, timestamp: None }))
}

/// The attributes of a message are what its sender set. `attributes` is what SQS itself sets.
fn sqs(message: &Members<'_>) -> Result<Content, Fault> {
    let body = text(message, either(message, "body", "Body"))?;
    queued(body, attributes(message, either(message, "messageAttributes", "MessageAttributes"))?)
}

fn sns(notification: &Members<'_>) -> Result<Content, Fault> {
    queued(text(notification, "Message")?, attributes(notification, "MessageAttributes")?)
}

fn pub_sub(message: &Members<'_>) -> Result<Content, Fault> {
    let (body, metadata) = (base64(message, "data")?, attributes(message, "attributes")?);
    Ok(Content::Delivery(Wrapped { body, source: Source::Attributes, metadata, id: None, timestamp: None }))
}

/// Opens the body of a message, where SNS or S3 sent it. Each level doubles the escapes of the next one, so there are
/// few. With the metadata of Ampersand beside it, the body is the payload, whatever it looks like.
fn queued(body: String, metadata: Entries) -> Result<Content, Fault> {
    let merged = metadata::merge([&metadata], Source::Attributes);
    let is_payload = ["notificationType", "event-id"].iter().any(|name| merged.get(name).is_some());
    let inner = serde_json::from_str::<Members<'_>>(&body).ok().filter(|_| !is_payload);
    if let Some(opened) = inner.and_then(|inner| of_service(&inner).or_else(|| objects(&inner))) {
        return opened;
    }
    let (body, source) = (body.into_bytes(), Source::Attributes);
    Ok(Content::Delivery(Wrapped { body, source, metadata, id: None, timestamp: None }))
}

/// Opens a notification of S3.
fn objects(notification: &Members<'_>) -> Option<Result<Content, Fault>> {
    let records: Vec<Members<'_>> = serde_json::from_str(notification.get("Records")?.get()).ok()?;
    records.first()?.get("s3")?;
    Some(records.iter().map(s3).collect::<Result<_, _>>().map(Content::Objects))
}

fn s3(record: &Members<'_>) -> Result<Object, Fault> {
    let s3 = object(record, "s3")?;
    let (bucket, named) = (object(&s3, "bucket")?, object(&s3, "object")?);
    Ok(Object {
        bucket: text(&bucket, "name")?,
        key: url_decoded(&text(&named, "key")?).ok_or(Fault::Key)?,
        version: text(&named, "versionId").ok(),
    })
}

fn http(request: &Members<'_>) -> Result<Content, Fault> {
    let is_encoded = request.get("isBase64Encoded").is_some_and(|value| value.get() == "true");
    let body = if is_encoded { base64(request, "body")? } else { text(request, "body")?.into_bytes() };
    Ok(webhook(body, request))
}

fn edge(record: &Members<'_>) -> Result<Content, Fault> {
    let request = object(&object(record, "cf")?, "request")?;
    let body = object(&request, "body")?;
    let is_text = text(&body, "encoding").is_ok_and(|encoding| encoding == "text");
    let body = if is_text { text(&body, "data")?.into_bytes() } else { base64(&body, "data")? };
    Ok(webhook(body, &request))
}

fn webhook(body: Vec<u8>, request: &Members<'_>) -> Content {
    let headers = ["multiValueHeaders", "headers"].iter().filter_map(|name| request.get(name));
    let headers = headers.filter_map(|headers| kept::parse(headers.get().as_bytes()).ok()).next();
    let (id, timestamp) = headers.as_ref().map(kept::id_and_timestamp).unwrap_or_default();
    Content::Delivery(Wrapped { body, source: Source::Webhook, metadata: Entries::new(), id, timestamp })
}

/// The one of two names that a record has, for messages: Lambda writes names in another case than `aws` prints.
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

fn attributes(members: &Members<'_>, name: &'static str) -> Result<Entries, Fault> {
    match value(members, name) {
        Ok(attributes) => metadata::of_attributes(attributes).ok_or(Fault::Attributes),
        Err(_) => Ok(Entries::new()),
    }
}

/// Decodes the key of an object, in which S3 writes `+` for a space.
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
