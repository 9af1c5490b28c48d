use std::collections::BTreeMap;
use std::fmt;

use ampersand_notifications::{
    Delivery, NormalizeError, Secret, SecretError, from_attributes, from_kinesis, from_kinesis_as, from_s3,
    from_webhook,
};
use ampersand_types::SignedUrl;
use ampersand_types::notifications::NotificationType;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::values::{Values, sorted};

/// A notification, or a message of records, as Ampersand would send it.
///
/// Equal seeds make equal fixtures, on any machine; any field can be set.
///
/// ```
/// use ampersand_notifications::Delivery;
/// use ampersand_testing::{Envelope, Fixture};
/// use ampersand_types::notifications::Event;
///
/// let fixture = Fixture::new("installation.updated").set("groupRef", "acme").set("config.read", "none");
/// let Delivery::Notification(notification) = fixture.delivery(Envelope::Kinesis)? else { unreachable!() };
/// let Event::InstallationUpdated(data) = &notification.event else { unreachable!() };
/// assert_eq!(data.group_ref, "acme");
/// # Ok::<(), ampersand_notifications::NormalizeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fixture {
    /// `None` for records.
    notification_type: Option<NotificationType>,
    values: Values,
    data: Value,
}

/// What a destination wraps a payload in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Envelope {
    /// `{"data": …, "notificationType": …}`.
    Webhook,
    /// A Kinesis record, `{"data": …, "metadata": …}`.
    Kinesis,
    /// A Kinesis record of a destination that leaves the metadata out, `{"data": …}`.
    KinesisWrapped,
    /// A Kinesis record of a destination that leaves the wrapping out too: the payload.
    KinesisBare,
    /// An S3 object, the payload, with user metadata in lower case.
    S3,
    /// A message of SQS, the payload, with one attribute that holds all metadata as JSON.
    Sqs,
    /// A message of Pub/Sub, Service Bus or RabbitMQ, the payload, with an attribute for each entry of the metadata.
    Attributes,
}

impl Envelope {
    /// Every envelope.
    pub const ALL: [Self; 7] =
        [Self::Webhook, Self::Kinesis, Self::KinesisWrapped, Self::KinesisBare, Self::S3, Self::Sqs, Self::Attributes];

    /// Its name: `webhook`, `kinesis`, `kinesis-wrapped`, `kinesis-bare`, `s3`, `sqs` or `attributes`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Kinesis => "kinesis",
            Self::KinesisWrapped => "kinesis-wrapped",
            Self::KinesisBare => "kinesis-bare",
            Self::S3 => "s3",
            Self::Sqs => "sqs",
            Self::Attributes => "attributes",
        }
    }
}

/// What is sent: a body, and what goes beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The body, in JSON.
    pub body: Vec<u8>,
    /// The headers of a webhook, the user metadata of an S3 object, the attributes of a queue's message.
    pub headers: BTreeMap<String, String>,
}

impl Fixture {
    /// A notification of a type. Of one that is not known, its data are those that every event has.
    pub fn new(notification_type: impl Into<NotificationType>) -> Self {
        Self::seeded(notification_type, 0)
    }

    /// A notification of a type that tells of something else than that of another seed.
    pub fn seeded(notification_type: impl Into<NotificationType>, seed: u64) -> Self {
        let notification_type = notification_type.into();
        let data = template(notification_type.as_str()).unwrap_or_else(|| json!({"projectId": "{projectId}"}));
        Self::fill(Some(notification_type), data, seed)
    }

    /// A message of records, which a read has found.
    pub fn records() -> Self {
        Self::seeded_records(0)
    }

    /// A message of records that tells of something else than that of another seed.
    pub fn seeded_records(seed: u64) -> Self {
        Self::fill(None, template("records").unwrap_or_default(), seed)
    }

    /// A notification of every type that is known.
    pub fn all() -> impl Iterator<Item = Self> {
        NotificationType::KNOWN.iter().cloned().map(Self::new)
    }

    fn fill(notification_type: Option<NotificationType>, template: Value, seed: u64) -> Self {
        let values = Values::new(seed);
        Self { notification_type, data: values.fill(&template), values }
    }

    /// Sets a field of the payload: `groupRef`, or `config.provider` for one within another. What is not there is made.
    ///
    /// # Panics
    ///
    /// When the value has no JSON form: a map whose keys are not strings, for instance.
    #[expect(clippy::expect_used, reason = "a test that cannot make its fixture has failed")]
    pub fn set(mut self, path: &str, value: impl Serialize) -> Self {
        *self.field(path) = serde_json::to_value(value).expect("a value with a JSON form");
        self
    }

    /// Leaves a field of the payload out.
    pub fn without(mut self, path: &str) -> Self {
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        let parent = if parent.is_empty() { &mut self.data } else { self.field(parent) };
        if let Value::Object(members) = parent {
            members.remove(name);
        }
        self
    }

    /// The same, as it is sent when its configuration or its records are too large: a URL leads to them.
    pub fn too_large(self, url: &SignedUrl) -> Self {
        let url = url.expose_secret();
        match self.notification_type {
            Some(_) => self.set("config", json!({})).set("configURL", url),
            None => self.set("result", json!([])).set("resultInfo.type", "url").set("resultInfo.downloadUrl", url),
        }
    }

    fn field(&mut self, path: &str) -> &mut Value {
        path.split('.').fold(&mut self.data, member)
    }

    /// The type; `None` for records.
    pub fn notification_type(&self) -> Option<&NotificationType> {
        self.notification_type.as_ref()
    }

    /// The payload.
    pub fn data(&self) -> &Value {
        &self.data
    }

    /// The id of the event, which is the same in every envelope, and another for another type or seed.
    pub fn id(&self) -> String {
        let kind = self.notification_type.as_ref().map_or("records", NotificationType::as_str);
        self.values.get(&format!("event-id of {kind}"))
    }

    /// When it was sent, which is always the same for a seed.
    pub fn timestamp(&self) -> Timestamp {
        self.values.timestamp()
    }

    /// What a destination sends. A webhook is not signed: see [`signed`](Self::signed).
    pub fn send(&self, envelope: Envelope) -> Sent {
        let data = &self.data;
        let body = match (envelope, &self.notification_type) {
            (Envelope::Webhook, Some(notification_type)) => {
                json!({"data": data, "notificationType": notification_type.as_str()})
            }
            (Envelope::Kinesis, _) => json!({"data": data, "metadata": self.metadata()}),
            (Envelope::KinesisWrapped, _) => json!({"data": data}),
            _ => data.clone(),
        };
        let headers = match envelope {
            Envelope::Webhook => BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]),
            Envelope::S3 => {
                self.metadata().into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
            }
            Envelope::Sqs => BTreeMap::from([("metadata".to_owned(), json!(self.metadata()).to_string())]),
            Envelope::Attributes => self.metadata(),
            _ => BTreeMap::new(),
        };
        Sent { body: sorted(body).to_string().into_bytes(), headers }
    }

    /// A webhook as it is sent, signed at a time: now, for a receiver that looks at the clock.
    ///
    /// # Errors
    ///
    /// When the secret is none: see [`Secret::new`].
    pub fn signed(&self, secret: &str, at: Timestamp) -> Result<Sent, SecretError> {
        let Sent { body, mut headers } = self.send(Envelope::Webhook);
        let id = format!("msg_{}", self.id().replace('-', ""));
        let signature = Secret::new(secret)?.sign(&id, at, &body);
        headers.extend([
            ("svix-id".to_owned(), id),
            ("svix-timestamp".to_owned(), at.as_second().to_string()),
            ("svix-signature".to_owned(), signature),
        ]);
        Ok(Sent { body, headers })
    }

    /// What a receiver makes of it.
    ///
    /// # Errors
    ///
    /// When a field was set to what its type does not allow.
    pub fn delivery(&self, envelope: Envelope) -> Result<Delivery, NormalizeError> {
        let Sent { body, headers } = self.send(envelope);
        match (envelope, &self.notification_type) {
            (Envelope::Webhook, _) => from_webhook(body),
            (Envelope::KinesisWrapped | Envelope::KinesisBare, Some(notification_type)) => {
                from_kinesis_as(body, notification_type)
            }
            (Envelope::Kinesis | Envelope::KinesisWrapped | Envelope::KinesisBare, _) => from_kinesis(body),
            (Envelope::S3, _) => from_s3(body, headers),
            (Envelope::Sqs | Envelope::Attributes, _) => from_attributes(body, headers),
        }
    }

    /// What a destination says beside the payload.
    fn metadata(&self) -> BTreeMap<String, String> {
        let mut metadata = BTreeMap::from([
            ("event-id".to_owned(), self.id()),
            ("timestamp".to_owned(), self.timestamp().to_string()),
            ("topic".to_owned(), "crm-events".to_owned()),
        ]);
        let named = self.notification_type.iter().map(|t| ("notificationType", t.as_str()));
        let repeated = ["projectId", "installationId", "connectionId", "destinationId", "operationId", "objectName"];
        let repeated = repeated.into_iter().filter_map(|name| Some((name, self.data.get(name)?.as_str()?)));
        metadata.extend(named.chain(repeated).map(|(name, value)| (name.to_owned(), value.to_owned())));
        metadata
    }
}

impl fmt::Display for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A member of an object, which is made where it is not there; or an item of an array, by its index.
fn member<'v>(value: &'v mut Value, name: &str) -> &'v mut Value {
    if let Some(index) = name.parse().ok().filter(|index: &usize| value.get(index).is_some()) {
        return &mut value[index];
    }
    if !value.is_object() {
        *value = json!({});
    }
    &mut value[name]
}

/// The payload of a type, with names for what differs by seed.
fn template(name: &str) -> Option<Value> {
    let mut payloads: Map<String, Value> = serde_json::from_str(include_str!("payloads.json")).unwrap_or_default();
    payloads.remove(name)
}
