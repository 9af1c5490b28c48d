use std::any::{Any, type_name};
use std::collections::BTreeMap;
use std::fmt;

use ampersand_notifications::{
    Delivery, NormalizeError, Secret, SecretError, Webhook, from_attributes, from_kinesis, from_kinesis_as, from_s3,
    from_webhook,
};
use ampersand_types::SignedUrl;
use ampersand_types::notifications::NotificationType;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::payload;
use crate::values::{Values, sorted};

/// A notification, or a message of records, as Ampersand sends it.
///
/// Equal seeds make equal fixtures on every machine. A test can set any field.
///
/// ```
/// use ampersand_notifications::Delivery;
/// use ampersand_testing::{Envelope, Fixture};
/// use ampersand_types::notifications::{Event, InstallationUpdatedData};
///
/// let fixture = Fixture::new("installation.updated").set("groupRef", "acme").set("config.read", "none");
/// let data: InstallationUpdatedData = fixture.data();
/// assert_eq!(data.group_ref, "acme");
///
/// let Delivery::Notification(notification) = fixture.delivery(Envelope::Kinesis)? else { unreachable!() };
/// assert_eq!(notification.event, Event::InstallationUpdated(data));
/// # Ok::<(), ampersand_notifications::NormalizeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fixture {
    kind: Kind,
    seed: u64,
    data: Value,
    id: Option<String>,
    timestamp: Option<Timestamp>,
    /// The entries that the test set.
    metadata: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
enum Kind {
    Notification(NotificationType),
    /// A data message: `records` or `changes`.
    Message(&'static str),
}

const RECORDS: &str = "records";
const CHANGES: &str = "changes";

/// The wrapping that a destination puts around a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Envelope {
    /// `{"data": …, "notificationType": …}`.
    Webhook,
    /// A Kinesis record, `{"data": …, "metadata": …}`.
    Kinesis,
    /// A Kinesis record of a destination that omits the metadata, `{"data": …}`.
    KinesisWrapped,
    /// A Kinesis record of a destination that also omits the wrapping: only the payload.
    KinesisBare,
    /// An S3 object: the payload, with user metadata whose names are in lower case.
    S3,
    /// An SQS message: the payload, with one attribute that holds all metadata as JSON.
    Sqs,
    /// A message of Pub/Sub, Service Bus or RabbitMQ: the payload, with an attribute for each metadata entry.
    Attributes,
}

impl Envelope {
    /// Every envelope.
    pub const ALL: [Self; 7] =
        [Self::Webhook, Self::Kinesis, Self::KinesisWrapped, Self::KinesisBare, Self::S3, Self::Sqs, Self::Attributes];

    /// Returns the name: `webhook`, `kinesis`, `kinesis-wrapped`, `kinesis-bare`, `s3`, `sqs` or `attributes`.
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

/// A body, and its headers or metadata, as a destination sends them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The body, in JSON.
    pub body: Vec<u8>,
    /// The headers of a webhook, the user metadata of an S3 object, or the attributes of a queue message.
    pub headers: BTreeMap<String, String>,
}

impl Fixture {
    /// Makes a notification of a type that the contract has.
    ///
    /// # Panics
    ///
    /// If the contract does not have the type. Check its spelling, or use [`unknown`](Self::unknown) for a new type.
    #[track_caller]
    pub fn new(notification_type: impl Into<NotificationType>) -> Self {
        Self::seeded(notification_type, 0)
    }

    /// Makes a notification of a type that the contract has. Other seeds give other values.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn seeded(notification_type: impl Into<NotificationType>, seed: u64) -> Self {
        let notification_type = notification_type.into();
        let name = notification_type.as_str();
        let known = !matches!(notification_type, NotificationType::Unknown(_));
        assert!(
            known,
            "the contract has no notification type `{name}`: did you mean `{}`? `Fixture::unknown` makes one that is new",
            nearest(name, NotificationType::KNOWN.iter().map(NotificationType::as_str))
        );
        let data = template(name).unwrap_or_default();
        Self::fill(Kind::Notification(notification_type), data, seed)
    }

    /// Makes a notification of a type that the contract does not have. A later contract may add one, and your handler
    /// must accept it. The data hold a `projectId`, and the fields that you [`set`](Self::set).
    ///
    /// # Panics
    ///
    /// If the contract has the type. Use [`new`](Self::new) for it.
    #[track_caller]
    pub fn unknown(name: &str) -> Self {
        Self::seeded_unknown(name, 0)
    }

    /// Makes a notification of a type that the contract does not have. Other seeds give other ids.
    ///
    /// # Panics
    ///
    /// As [`unknown`](Self::unknown).
    #[track_caller]
    pub fn seeded_unknown(name: &str, seed: u64) -> Self {
        let notification_type = NotificationType::from(name);
        let unknown = matches!(notification_type, NotificationType::Unknown(_));
        assert!(unknown, "the contract has the notification type `{name}`: `Fixture::new` makes it");
        Self::fill(Kind::Notification(notification_type), json!({"projectId": "{projectId}"}), seed)
    }

    /// Makes a message of records that a read action found.
    pub fn records() -> Self {
        Self::seeded_records(0)
    }

    /// Makes a message of records that a read action found. Other seeds give other values.
    pub fn seeded_records(seed: u64) -> Self {
        Self::message(RECORDS, seed)
    }

    /// Makes a message of changes, as a subscribe action sends it: one record was created, one updated, one deleted.
    pub fn changes() -> Self {
        Self::seeded_changes(0)
    }

    /// Makes a message of changes. Other seeds give other values.
    pub fn seeded_changes(seed: u64) -> Self {
        Self::message(CHANGES, seed)
    }

    /// Returns a notification of every known type. See [`records`](Self::records) and [`changes`](Self::changes) for
    /// the data messages.
    pub fn all() -> impl Iterator<Item = Self> {
        NotificationType::KNOWN.iter().cloned().map(Self::new)
    }

    fn message(name: &'static str, seed: u64) -> Self {
        Self::fill(Kind::Message(name), template(name).unwrap_or_default(), seed)
    }

    fn fill(kind: Kind, template: Value, seed: u64) -> Self {
        let data = Values::new(seed).fill(&template);
        Self { kind, seed, data, id: None, timestamp: None, metadata: BTreeMap::new() }
    }

    /// Sets a field of the payload. `groupRef` names a field, and `config.provider` a field within another. If the
    /// field does not exist, it is added: a test can send new fields, but a misspelt name also adds one.
    ///
    /// # Panics
    ///
    /// If the value has no JSON form, such as a map whose keys are not strings.
    pub fn set(mut self, path: &str, value: impl Serialize) -> Self {
        payload::set(&mut self.data, path, value);
        self
    }

    /// Removes a field from the payload.
    ///
    /// # Panics
    ///
    /// If the payload has no such field: its name is misspelt, or the test does not test what it seems to.
    #[track_caller]
    pub fn without(mut self, path: &str) -> Self {
        let left_out = payload::remove(&mut self.data, path);
        assert!(left_out, "there is no `{path}` in the payload of `{}` that could be left out", self.name());
        self
    }

    /// Sets the id of the event in every envelope. Give two fixtures the same id to test how you handle repeats.
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the time at which the event was sent.
    pub fn at(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// Sets a metadata entry, such as `topic`. A webhook does not carry metadata.
    pub fn with_metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Replaces the configuration or the records with a URL, as Ampersand does when they are too large to send.
    pub fn too_large(self, url: &SignedUrl) -> Self {
        let url = url.expose_secret();
        match self.kind {
            Kind::Notification(_) => self.set("config", json!({})).set("configURL", url),
            Kind::Message(_) => {
                self.set("result", json!([])).set("resultInfo.type", "url").set("resultInfo.downloadUrl", url)
            }
        }
    }

    /// Returns the notification type, or `None` for a data message.
    pub fn notification_type(&self) -> Option<&NotificationType> {
        match &self.kind {
            Kind::Notification(notification_type) => Some(notification_type),
            Kind::Message(_) => None,
        }
    }

    /// Returns the name of the type, or `records` or `changes` for a data message.
    pub fn name(&self) -> &str {
        match &self.kind {
            Kind::Notification(notification_type) => notification_type.as_str(),
            Kind::Message(name) => name,
        }
    }

    /// Returns the payload as JSON.
    pub fn payload(&self) -> &Value {
        &self.data
    }

    /// Returns the payload as a type: the data of the notification's [`Event`](ampersand_types::notifications::Event),
    /// or a [`WebhookMessage`](ampersand_types::messages::WebhookMessage).
    ///
    /// ```
    /// use ampersand_testing::Fixture;
    /// use ampersand_types::messages::WebhookMessage;
    /// use ampersand_types::notifications::InstallationCreatedData;
    ///
    /// let data: InstallationCreatedData = Fixture::new("installation.created").set("groupRef", "acme").data();
    /// assert_eq!(data.group_ref, "acme");
    /// assert_eq!(Fixture::records().data::<WebhookMessage>().result.len(), 2);
    /// ```
    ///
    /// # Panics
    ///
    /// If the payload is of another type, or a field has a value that its type does not allow.
    #[track_caller]
    pub fn data<T: Clone + 'static>(&self) -> T {
        let delivery = match self.delivery(Envelope::Webhook) {
            Ok(delivery) => delivery,
            Err(error) => panic!("the payload of the fixture was changed to one that cannot be read: {error}"),
        };
        let data: &dyn Any = match &delivery {
            Delivery::Notification(notification) => notification.event.__data(),
            Delivery::Records(records) => &records.message,
        };
        match data.downcast_ref::<T>() {
            Some(data) => data.clone(),
            None => panic!(
                "a fixture of `{}` has no `{}`: the variants of `Event` say which data each type has",
                self.name(),
                type_name::<T>().rsplit("::").next().unwrap_or_default()
            ),
        }
    }

    /// Returns the id of the event. All envelopes but the webhook share it. Another type or seed has another id.
    pub fn id(&self) -> String {
        self.id.clone().unwrap_or_else(|| Values::new(self.seed).get(&format!("event-id of {}", self.name())))
    }

    /// Returns the id of the webhook, which its sender assigns. Default: `msg_` and the digits of the event's id.
    pub fn webhook_id(&self) -> String {
        self.id.clone().unwrap_or_else(|| format!("msg_{}", self.id().replace('-', "")))
    }

    /// Returns the time at which the event was sent. It depends only on the seed, unless the test set it.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp.unwrap_or_else(|| Values::new(self.seed).timestamp())
    }

    /// Returns what a destination sends. A webhook is not signed: see [`signed`](Self::signed).
    pub fn send(&self, envelope: Envelope) -> Sent {
        let data = &self.data;
        let body = match (envelope, self.notification_type()) {
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

    /// Returns a webhook that is signed now, for a receiver that checks the time of the signature.
    ///
    /// # Errors
    ///
    /// If `secret` is not a signing secret: see [`Secret::new`].
    pub fn signed_now(&self, secret: &str) -> Result<Sent, SecretError> {
        self.signed(secret, Timestamp::now())
    }

    /// Returns a webhook that is signed at the given time.
    ///
    /// # Errors
    ///
    /// If `secret` is not a signing secret: see [`Secret::new`].
    pub fn signed(&self, secret: &str, at: Timestamp) -> Result<Sent, SecretError> {
        let Sent { body, mut headers } = self.send(Envelope::Webhook);
        let id = self.webhook_id();
        let signature = Secret::new(secret)?.sign(&id, at, &body);
        headers.extend([
            ("svix-id".to_owned(), id),
            ("svix-timestamp".to_owned(), at.as_second().to_string()),
            ("svix-signature".to_owned(), signature),
        ]);
        Ok(Sent { body, headers })
    }

    /// Returns the delivery that a receiver decodes. For a webhook, this is the delivery after verification.
    ///
    /// # Errors
    ///
    /// If a field has a value that its type does not allow.
    pub fn delivery(&self, envelope: Envelope) -> Result<Delivery, NormalizeError> {
        let Sent { body, headers } = self.send(envelope);
        match (envelope, self.notification_type()) {
            (Envelope::Webhook, _) => {
                let id = self.webhook_id();
                from_webhook(Webhook { body: body.into(), id: Some(&id), timestamp: Some(self.timestamp().into()) })
            }
            (Envelope::KinesisWrapped | Envelope::KinesisBare, Some(notification_type)) => {
                from_kinesis_as(body, notification_type)
            }
            (Envelope::Kinesis | Envelope::KinesisWrapped | Envelope::KinesisBare, _) => from_kinesis(body),
            (Envelope::S3, _) => from_s3(body, headers),
            (Envelope::Sqs | Envelope::Attributes, _) => from_attributes(body, headers),
        }
    }

    /// Returns the metadata that a destination sends with the payload.
    fn metadata(&self) -> BTreeMap<String, String> {
        let mut metadata = BTreeMap::from([
            ("event-id".to_owned(), self.id()),
            ("timestamp".to_owned(), self.timestamp().to_string()),
            ("topic".to_owned(), "crm-events".to_owned()),
        ]);
        let named = self.notification_type().into_iter().map(|t| ("notificationType", t.as_str()));
        let repeated = ["projectId", "installationId", "connectionId", "destinationId", "operationId", "objectName"];
        let repeated = repeated.into_iter().filter_map(|name| Some((name, self.data.get(name)?.as_str()?)));
        metadata.extend(named.chain(repeated).map(|(name, value)| (name.to_owned(), value.to_owned())));
        metadata.extend(self.metadata.clone());
        metadata
    }
}

impl Sent {
    /// Adds a signature made with another secret, as the sender does while you rotate secrets.
    ///
    /// # Errors
    ///
    /// If `secret` is not a signing secret: see [`Secret::new`].
    ///
    /// # Panics
    ///
    /// If the webhook is not [signed](Fixture::signed).
    #[expect(clippy::expect_used, reason = "a test that cannot make its fixture has failed")]
    #[track_caller]
    pub fn and_signed(mut self, secret: &str) -> Result<Self, SecretError> {
        let secret = Secret::new(secret)?;
        let prefix = if self.headers.contains_key("webhook-id") { "webhook" } else { "svix" };
        let header = |name: &str| {
            self.headers
                .get(&format!("{prefix}-{name}"))
                .expect("call `signed_now` first: only a signed webhook can be signed again")
        };
        let seconds = header("timestamp").parse().ok();
        let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).expect("a time in seconds");
        let signature = format!("{} {}", header("signature"), secret.sign(header("id"), at, &self.body));
        self.headers.insert(format!("{prefix}-signature"), signature);
        Ok(self)
    }

    /// Renames the headers to those of Standard Webhooks: `webhook-id` instead of `svix-id`, and so on.
    pub fn with_webhook_headers(mut self) -> Self {
        let renamed = |name: String| name.strip_prefix("svix-").map(|rest| format!("webhook-{rest}")).unwrap_or(name);
        self.headers = self.headers.into_iter().map(|(name, value)| (renamed(name), value)).collect();
        self
    }
}

impl fmt::Display for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Returns the known name that is most similar to `name`.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> &'n str {
    known.min_by_key(|known| strsim::levenshtein(known, name)).unwrap_or_default()
}

/// Returns the payload template of a type, with a name in braces for each value that depends on the seed.
fn template(name: &str) -> Option<Value> {
    let mut payloads: Map<String, Value> = serde_json::from_str(include_str!("payloads.json")).unwrap_or_default();
    payloads.remove(name)
}
