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

/// A notification, or a message of records, as Ampersand would send it.
///
/// Equal seeds make equal fixtures, on any machine; any field can be set.
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
    /// The entries that were set.
    metadata: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
enum Kind {
    Notification(NotificationType),
    /// A data message, by its name here.
    Message(&'static str),
}

const RECORDS: &str = "records";
const CHANGES: &str = "changes";

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

/// A body, and its headers or metadata, as a destination sends them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The body, in JSON.
    pub body: Vec<u8>,
    /// The headers of a webhook, the user metadata of an S3 object, the attributes of a queue's message.
    pub headers: BTreeMap<String, String>,
}

impl Fixture {
    /// A notification of a type of the contract.
    ///
    /// # Panics
    ///
    /// When the contract has no such type: the name is misspelt, or [`unknown`](Self::unknown) is meant.
    #[track_caller]
    pub fn new(notification_type: impl Into<NotificationType>) -> Self {
        Self::seeded(notification_type, 0)
    }

    /// A notification of a type of the contract that tells of something else than that of another seed.
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

    /// A notification of a type that the contract does not have, as a later one may: your handler has to let it pass. Its
    /// data are a `projectId`, and what you [`set`](Self::set).
    ///
    /// # Panics
    ///
    /// When the contract has the type: [`new`](Self::new) makes it.
    #[track_caller]
    pub fn unknown(name: &str) -> Self {
        Self::seeded_unknown(name, 0)
    }

    /// A notification of a type that the contract does not have, with another id than that of another seed.
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

    /// A message of records, which a read action has found.
    pub fn records() -> Self {
        Self::seeded_records(0)
    }

    /// A message of records that tells of something else than that of another seed.
    pub fn seeded_records(seed: u64) -> Self {
        Self::message(RECORDS, seed)
    }

    /// A message of records that changed, as a subscribe action sends it: one was made, one updated, one deleted.
    pub fn changes() -> Self {
        Self::seeded_changes(0)
    }

    /// A message of records that changed, which tells of something else than that of another seed.
    pub fn seeded_changes(seed: u64) -> Self {
        Self::message(CHANGES, seed)
    }

    /// A notification of every type that is known. The data messages are [`records`](Self::records) and
    /// [`changes`](Self::changes).
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

    /// Sets a field of the payload: `groupRef`, or `config.provider` for one within another. What is not there is made,
    /// so that there can be fields that are new: a name that is misspelt makes one too.
    ///
    /// # Panics
    ///
    /// When the value has no JSON form: a map whose keys are not strings, for instance.
    pub fn set(mut self, path: &str, value: impl Serialize) -> Self {
        payload::set(&mut self.data, path, value);
        self
    }

    /// Leaves a field of the payload out.
    ///
    /// # Panics
    ///
    /// When it is not there: its name is misspelt, or the test is of something else than it seems.
    #[track_caller]
    pub fn without(mut self, path: &str) -> Self {
        let left_out = payload::remove(&mut self.data, path);
        assert!(left_out, "there is no `{path}` in the payload of `{}` that could be left out", self.name());
        self
    }

    /// Gives the event this id in every envelope, as a repeat of another event would have it.
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Lets the event be sent at this time.
    pub fn at(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// Sets what a destination says beside the payload: `topic`, or any other name. A webhook has no place for it.
    pub fn with_metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// The same, as it is sent when its configuration or its records are too large: a URL leads to them.
    pub fn too_large(self, url: &SignedUrl) -> Self {
        let url = url.expose_secret();
        match self.kind {
            Kind::Notification(_) => self.set("config", json!({})).set("configURL", url),
            Kind::Message(_) => {
                self.set("result", json!([])).set("resultInfo.type", "url").set("resultInfo.downloadUrl", url)
            }
        }
    }

    /// The type; `None` for a data message.
    pub fn notification_type(&self) -> Option<&NotificationType> {
        match &self.kind {
            Kind::Notification(notification_type) => Some(notification_type),
            Kind::Message(_) => None,
        }
    }

    /// The name of the type, or `records` or `changes` for a data message.
    pub fn name(&self) -> &str {
        match &self.kind {
            Kind::Notification(notification_type) => notification_type.as_str(),
            Kind::Message(name) => name,
        }
    }

    /// The payload, in JSON.
    pub fn payload(&self) -> &Value {
        &self.data
    }

    /// The payload, typed: the data of the notification's [`Event`](ampersand_types::notifications::Event), or a
    /// [`WebhookMessage`](ampersand_types::messages::WebhookMessage).
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
    /// When the payload is of another type, or a field was set to what its type does not allow.
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

    /// The id of the event, which is the same in every envelope but a webhook's, and another for another type or seed.
    pub fn id(&self) -> String {
        self.id.clone().unwrap_or_else(|| Values::new(self.seed).get(&format!("event-id of {}", self.name())))
    }

    /// The id that a webhook has, which its sender gives it: `msg_` and the same digits, unless it was set.
    pub fn webhook_id(&self) -> String {
        self.id.clone().unwrap_or_else(|| format!("msg_{}", self.id().replace('-', "")))
    }

    /// When it was sent, which is always the same for a seed.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp.unwrap_or_else(|| Values::new(self.seed).timestamp())
    }

    /// What a destination sends. A webhook is not signed: see [`signed`](Self::signed).
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

    /// A webhook as it is sent, signed now: for a receiver that looks at the clock.
    ///
    /// # Errors
    ///
    /// When `secret` is not a signing secret: see [`Secret::new`].
    pub fn signed_now(&self, secret: &str) -> Result<Sent, SecretError> {
        self.signed(secret, Timestamp::now())
    }

    /// A webhook as it is sent, signed at a time of your choice.
    ///
    /// # Errors
    ///
    /// When `secret` is not a signing secret: see [`Secret::new`].
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

    /// What a receiver makes of it. Of a webhook, one that has verified it.
    ///
    /// # Errors
    ///
    /// When a field was set to what its type does not allow.
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

    /// What a destination says beside the payload.
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
    /// The same webhook, signed with another secret too, as its sender does while a secret is changed.
    ///
    /// # Errors
    ///
    /// When `secret` is not a signing secret: see [`Secret::new`].
    ///
    /// # Panics
    ///
    /// When it is not [signed](Fixture::signed).
    #[expect(clippy::expect_used, reason = "a test that cannot make its fixture has failed")]
    #[track_caller]
    pub fn and_signed(mut self, secret: &str) -> Result<Self, SecretError> {
        let secret = Secret::new(secret)?;
        let prefix = if self.headers.contains_key("webhook-id") { "webhook" } else { "svix" };
        let header = |name: &str| self.headers.get(&format!("{prefix}-{name}")).expect("a webhook that is signed");
        let seconds = header("timestamp").parse().ok();
        let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).expect("a time in seconds");
        let signature = format!("{} {}", header("signature"), secret.sign(header("id"), at, &self.body));
        self.headers.insert(format!("{prefix}-signature"), signature);
        Ok(self)
    }

    /// The same webhook with the headers that Standard Webhooks names: `webhook-id` in place of `svix-id`, and so on.
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

/// Returns the known name that is most like this one.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> &'n str {
    known.min_by_key(|known| strsim::levenshtein(known, name)).unwrap_or_default()
}

/// The payload of a type, with names for what differs by seed.
fn template(name: &str) -> Option<Value> {
    let mut payloads: Map<String, Value> = serde_json::from_str(include_str!("payloads.json")).unwrap_or_default();
    payloads.remove(name)
}
