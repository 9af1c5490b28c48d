//! Deliveries: as callers put them, as the store keeps them, as a handler gets them, and how a handler fails.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ampersand_notifications::{Body, Delivery, Metadata, NormalizeError, Source, Webhook, from_source, from_webhook};

/// The member of `metadata` that keeps the time of a webhook.
const TIMESTAMP: &str = "webhook-timestamp";
/// Bodies of more bytes are compressed: configurations and records are JSON, and shrink several times.
const PLAIN: usize = 4096;

/// What became of a delivery that was put into an inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what is not stored must not be acknowledged"]
pub enum Put {
    /// It is stored, and can be acknowledged.
    Stored,
    /// It was there already, and nothing is changed. It can be acknowledged.
    Duplicate,
    /// There is no room: it must come again. See [`Options::limit`](crate::Options::limit).
    Full,
}

/// A delivery as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct New {
    pub(crate) source: String,
    pub(crate) id: String,
    pub(crate) lane: String,
    pub(crate) notification_type: Option<String>,
    pub(crate) metadata: String,
    pub(crate) body: Vec<u8>,
    pub(crate) packed: bool,
    /// Why it is a dead letter from the beginning.
    pub(crate) unreadable: Option<String>,
}

impl New {
    /// Reads a delivery for the store; `lane` says what it is in the lane of.
    pub(crate) fn read(source: String, id: &str, metadata: &Metadata, body: Body<'_>, lane: Lane) -> Self {
        let (lane, notification_type, unreadable, body) = match normalize(&source, id, metadata, body) {
            Ok(delivery) => {
                let (lane, notification_type) = (lane(&delivery), type_of(&delivery));
                (lane, notification_type, None, delivery.into_raw().into_body().into_bytes())
            }
            Err(error) => (None, None, Some(error.to_string()), error.into_body()),
        };
        let packed = body.len() > PLAIN;
        let body = if packed { pack(&body) } else { body };
        let metadata = serde_json::to_string(metadata).unwrap_or_else(|_| "{}".to_owned());
        // What has no lane waits for nobody.
        let lane = lane.filter(|lane| !lane.is_empty()).unwrap_or_else(|| format!("{source} {id}"));
        Self { source, id: id.to_owned(), lane, notification_type, metadata, body, packed, unreadable }
    }

    /// What a webhook says in its headers.
    pub(crate) fn of_webhook(timestamp: &str) -> Metadata {
        Metadata::from_iter([(TIMESTAMP, timestamp)])
    }
}

/// What gives the lane of a delivery: [`Options::lane`](crate::Options::lane).
pub(crate) type Lane = fn(&Delivery) -> Option<String>;

/// One delivery at a time for an installation.
pub(crate) fn of_installation(delivery: &Delivery) -> Option<String> {
    delivery.installation_id().map(Cow::into_owned)
}

fn type_of(delivery: &Delivery) -> Option<String> {
    match delivery {
        Delivery::Notification(notification) => Some(notification.notification_type.as_str().to_owned()),
        Delivery::Records(_) => None,
    }
}

pub(crate) fn normalize(
    source: &str,
    id: &str,
    metadata: &Metadata,
    body: Body<'_>,
) -> Result<Delivery, NormalizeError> {
    match kind_of(source) {
        Source::Webhook => {
            let webhook = Webhook::from(body);
            let timestamp = metadata.get(TIMESTAMP).map(Into::into);
            from_webhook(Webhook { id: Some(id), timestamp, ..webhook })
        }
        source => from_source(body, source, metadata.clone(), None),
    }
}

/// The name of a source: its kind, and the endpoint if there are several, as in `webhook:eu`.
pub(crate) fn name_of(kind: Source, endpoint: &str) -> String {
    if endpoint.is_empty() { kind.as_str().to_owned() } else { format!("{}:{endpoint}", kind.as_str()) }
}

fn kind_of(source: &str) -> Source {
    let kind = source.split(':').next();
    Source::ALL.iter().find(|known| Some(known.as_str()) == kind).copied().unwrap_or(Source::Bare)
}

pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
    lz4_flex::compress_prepend_size(bytes)
}

/// The bytes as they came; `None` where the store is damaged.
pub(crate) fn unpack(bytes: Vec<u8>, packed: bool) -> Option<Vec<u8>> {
    if packed { lz4_flex::decompress_size_prepended(&bytes).ok() } else { Some(bytes) }
}

/// A delivery that a handler is to handle.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Incoming {
    /// The delivery.
    pub delivery: Delivery,
    /// Where it came from, as in `webhook` or, of an [endpoint](crate::Inbox::endpoint), `webhook:eu`.
    pub source: String,
    /// Identifies it within its source: the same in every delivery of the event from there.
    pub id: String,
    /// One delivery of a lane is handled at a time: the id of the installation, unless [`Options::lane`](crate::Options::lane)
    /// says another.
    pub lane: String,
    /// How often it was handed to a handler, this time included. From 1.
    pub attempt: u32,
    /// How long ago it was put into the inbox.
    pub age: Duration,
    /// A statement of SQL that ends the delivery as handled: for a handler that is [`run`](crate::Worker::run) and has a
    /// transaction of its own in the inbox's Postgres database, by sqlx, Diesel or any other client. Its effects and the end of
    /// the delivery are then one: effectively once. `None` where the inbox is a file.
    ///
    /// It is the last statement before the commit: from there on, the claim cannot be renewed. It fails where the claim was
    /// lost, and where the transaction is not at the level *read committed*; then return an error, and nothing was done.
    ///
    #[cfg_attr(feature = "postgres", doc = "```no_run")]
    #[cfg_attr(not(feature = "postgres"), doc = "```ignore")]
    /// use ampersand_inbox::{Failure, Incoming, tokio_postgres::Client};
    ///
    /// async fn handle(client: &mut Client, incoming: Incoming) -> Result<(), Failure> {
    ///     let completion = incoming.completion.ok_or_else(|| Failure::permanent("the inbox is a file"))?;
    ///     let transaction = client.transaction().await?;
    ///     transaction.execute("INSERT INTO customer (id) VALUES ($1)", &[&incoming.id]).await?;
    ///     transaction.batch_execute(&completion).await?;
    ///     Ok(transaction.commit().await?)
    /// }
    /// ```
    pub completion: Option<String>,
}

/// Why a handler did not handle a delivery. Any error becomes one that is tried again:
///
/// ```
/// use ampersand_inbox::{Failure, Incoming};
///
/// async fn handle(incoming: Incoming) -> Result<(), Failure> {
///     let Some(group) = incoming.delivery.group_ref() else {
///         return Err(Failure::permanent("no group")); // a dead letter at once
///     };
///     std::fs::write("/var/lib/app/last", group.as_bytes())?; // tried again
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Failure {
    pub(crate) is_permanent: bool,
    pub(crate) reason: String,
}

impl Failure {
    /// A failure that no further attempt would mend.
    pub fn permanent(reason: impl fmt::Display) -> Self {
        Self { is_permanent: true, reason: reason.to_string() }
    }

    /// A failure that is tried again, as any error is that `?` makes a failure of.
    pub fn transient(reason: impl fmt::Display) -> Self {
        Self { is_permanent: false, reason: reason.to_string() }
    }
}

impl<E: StdError> From<E> for Failure {
    fn from(error: E) -> Self {
        let causes = std::iter::successors(error.source(), |&cause| cause.source());
        let reason = causes.fold(error.to_string(), |reason, cause| format!("{reason}: {cause}"));
        Self { is_permanent: false, reason }
    }
}

/// The states of a delivery in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for a worker, or for another attempt.
    Ready,
    /// A worker has it.
    Claimed,
    /// It is handled.
    Done,
    /// It cannot be read, or was tried in vain: a dead letter.
    Dead,
}

impl State {
    /// As it is in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Claimed => "claimed",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        [Self::Ready, Self::Claimed, Self::Done].into_iter().find(|state| state.as_str() == name).unwrap_or(Self::Dead)
    }
}

/// How many deliveries there are, by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Those that wait for a worker, or for another attempt.
    pub ready: u64,
    /// Those that a worker has.
    pub claimed: u64,
    /// Those that are handled, and not yet pruned.
    pub done: u64,
    /// The dead letters.
    pub dead: u64,
    /// How long ago the oldest of the ready ones was put. An alert watches this.
    pub oldest_ready: Option<Duration>,
}

/// A delivery in the store, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Where it came from, as in `webhook` or, of an [endpoint](crate::Inbox::endpoint), `webhook:eu`.
    pub source: String,
    /// Identifies it within its source.
    pub id: String,
    /// The lane that it is in: the id of the installation, unless [`Options::lane`](crate::Options::lane) says another.
    pub lane: String,
    /// The type of the notification; `None` of records, and of what cannot be read.
    pub notification_type: Option<String>,
    /// Where it stands.
    pub state: State,
    /// How often it was handed to a handler.
    pub attempts: u32,
    /// The last failure, in words.
    pub reason: Option<String>,
    /// When it was put.
    pub received: SystemTime,
    /// When it may be tried, or its lease ends; `None` of what is done or dead.
    pub due: Option<SystemTime>,
    /// When it was done, or given up.
    pub finished: Option<SystemTime>,
}

/// A delivery in the store, as it came.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    pub(crate) seq: i64,
    /// All but the body.
    pub entry: Entry,
    /// The metadata that came with the body.
    pub metadata: Metadata,
    /// The body; `None` where it was [pruned](crate::Inbox::prune).
    pub body: Option<Vec<u8>>,
}

impl Stored {
    /// The place of a dead letter in the order of arrival, and what it is when it is read anew; `None` where it is no dead
    /// letter, or still cannot be read.
    pub(crate) fn reread(self, lane: Lane) -> Option<(i64, New)> {
        let Self { seq, entry: Entry { source, id, state, .. }, metadata, body } = self;
        let new = New::read(source, &id, &metadata, body.filter(|_| state == State::Dead)?.into(), lane);
        new.unreadable.is_none().then_some((seq, new))
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = format_args!("{:?} bytes", self.body.as_ref().map(Vec::len));
        f.debug_struct("Stored")
            .field("entry", &self.entry)
            .field("metadata", &self.metadata)
            .field("body", &body)
            .finish()
    }
}

/// A time, of milliseconds of the Unix epoch.
pub(crate) fn time(milliseconds: i64) -> SystemTime {
    UNIX_EPOCH + self::milliseconds(milliseconds)
}

/// A span of milliseconds; a negative one is zero.
pub(crate) fn milliseconds(span: i64) -> Duration {
    Duration::from_millis(u64::try_from(span).unwrap_or_default())
}

/// The milliseconds of a span. The longest one is some 30 years, which every database can add to a time.
pub(crate) fn in_milliseconds(span: Duration) -> i64 {
    const LONGEST: i64 = 1_000_000_000_000;
    i64::try_from(span.as_millis()).unwrap_or(LONGEST).min(LONGEST)
}
