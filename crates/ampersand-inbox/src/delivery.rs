//! The types of a delivery: as it is put, stored and handled, and how a handler fails.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ampersand_notifications::{Body, Delivery, Metadata, NormalizeError, Source, Webhook, from_source, from_webhook};

/// The metadata key under which the store keeps the timestamp of a webhook.
const TIMESTAMP: &str = "webhook-timestamp";
/// Bodies longer than this many bytes are compressed. Configurations and records are JSON, which shrinks several times.
const PLAIN: usize = 4096;

/// The result of storing a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what is not stored must not be acknowledged"]
pub enum Put {
    /// The delivery is stored: acknowledge it.
    Stored,
    /// The inbox had the delivery already, and nothing changed: acknowledge it.
    Duplicate,
    /// The store is full: do not acknowledge the delivery, so that it is sent again. See
    /// [`Options::limit`](crate::Options::limit).
    Full,
}

/// A delivery as the store takes it.
#[derive(Clone, Debug)]
pub(crate) struct New {
    pub(crate) source: String,
    pub(crate) id: String,
    pub(crate) lane: String,
    pub(crate) notification_type: Option<String>,
    pub(crate) metadata: String,
    pub(crate) body: Vec<u8>,
    pub(crate) packed: bool,
    /// Why the delivery cannot be read, which makes it a dead letter at once.
    pub(crate) unreadable: Option<String>,
}

impl New {
    /// Reads a delivery for the store. `lane` chooses its lane.
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
        // A delivery without a lane gets a lane of its own, so it waits for no other.
        let lane = lane.filter(|lane| !lane.is_empty()).unwrap_or_else(|| format!("{source} {id}"));
        // Postgres has no NUL in text, and no long text in an index.
        let mut lane = plain(lane);
        if let Some((end, _)) = lane.char_indices().nth(256) {
            lane.truncate(end);
        }
        let notification_type = notification_type.map(plain);
        Self { source, id: plain(id.to_owned()), lane, notification_type, metadata, body, packed, unreadable }
    }

    /// The metadata of a webhook: the timestamp from its headers.
    pub(crate) fn of_webhook(timestamp: &str) -> Metadata {
        Metadata::from_iter([(TIMESTAMP, timestamp)])
    }
}

/// Replaces NUL, which Postgres does not store in text.
pub(crate) fn plain(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// Chooses the lane of a delivery: [`Options::lane`](crate::Options::lane).
pub(crate) type Lane = fn(&Delivery) -> Option<String>;

/// The default lane: the id of the installation.
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

/// The name of a source: its kind, followed by the endpoint if it is one of several, as in `webhook:eu`.
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

/// The original bytes; `None` if the stored ones are damaged.
pub(crate) fn unpack(bytes: Vec<u8>, packed: bool) -> Option<Vec<u8>> {
    if packed { lz4_flex::decompress_size_prepended(&bytes).ok() } else { Some(bytes) }
}

/// A delivery, as a handler gets it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Incoming {
    /// The delivery.
    pub delivery: Delivery,
    /// The source, such as `webhook` or, for an [endpoint](crate::Inbox::endpoint), `webhook:eu`.
    pub source: String,
    /// The id, unique within its source: every repeat of the delivery has the same id.
    pub id: String,
    /// The lane; workers handle one delivery of a lane at a time. It is the id of the installation, unless
    /// [`Options::lane`](crate::Options::lane) chooses another.
    pub lane: String,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// How long before this attempt the delivery was stored.
    pub age: Duration,
    /// An SQL statement that marks the delivery as handled. Execute it in a transaction of your own in the inbox's Postgres
    /// database, with sqlx, Diesel or any other client, in a handler of [`run`](crate::Worker::run). The effects and the
    /// end of the delivery then commit together: effectively once. `None` if the inbox is a file.
    ///
    /// Execute it last, right before the commit: after it, the worker cannot renew the claim. It fails if the claim was
    /// lost, or if the isolation level is not *read committed*. Return an error then; the database rolls everything back.
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

/// Why a handler failed. Any error converts to a failure that the worker retries:
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
    /// Returns a failure that a retry would not fix: the delivery becomes a dead letter.
    pub fn permanent(reason: impl fmt::Display) -> Self {
        Self { is_permanent: true, reason: reason.to_string() }
    }

    /// Returns a failure that the worker retries. `?` makes one from any error.
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

/// The state of a delivery in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for a worker or for a retry.
    Ready,
    /// A worker has claimed it.
    Claimed,
    /// A handler has succeeded.
    Done,
    /// It is a dead letter: it cannot be read, or its last attempt failed.
    Dead,
}

impl State {
    /// Returns the name of the state in the store.
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

/// The number of deliveries by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Deliveries that wait for a worker or for a retry.
    pub ready: u64,
    /// Deliveries that a worker has claimed.
    pub claimed: u64,
    /// Deliveries that are handled and not yet pruned.
    pub done: u64,
    /// Dead letters.
    pub dead: u64,
    /// The time since the oldest ready delivery was stored. Alert on this.
    pub oldest_ready: Option<Duration>,
}

/// A delivery in the store, without its body and metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The source, such as `webhook` or, for an [endpoint](crate::Inbox::endpoint), `webhook:eu`.
    pub source: String,
    /// The id, unique within its source.
    pub id: String,
    /// The lane: the id of the installation, unless [`Options::lane`](crate::Options::lane) chooses another.
    pub lane: String,
    /// The type of the notification. `None` for records, and for a delivery that cannot be read.
    pub notification_type: Option<String>,
    /// The state.
    pub state: State,
    /// The number of attempts.
    pub attempts: u32,
    /// The message of the last failure.
    pub reason: Option<String>,
    /// When the delivery was stored.
    pub received: SystemTime,
    /// When the next attempt may begin or, while it is claimed, when the lease ends. `None` once it is done or dead.
    pub due: Option<SystemTime>,
    /// When the delivery was done, or became a dead letter.
    pub finished: Option<SystemTime>,
}

/// A delivery in the store, with its body and metadata.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    pub(crate) seq: i64,
    /// Everything but the body and metadata.
    pub entry: Entry,
    /// The metadata that came with the body.
    pub metadata: Metadata,
    /// The body. `None` once it was [pruned](crate::Inbox::prune).
    pub body: Option<Vec<u8>>,
}

impl Stored {
    /// Reads a dead letter again. Returns its place in the order of arrival and the result; `None` if it is not a dead
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

/// Converts milliseconds since the Unix epoch.
pub(crate) fn time(milliseconds: i64) -> SystemTime {
    UNIX_EPOCH + self::milliseconds(milliseconds)
}

/// Converts milliseconds; a negative number becomes zero.
pub(crate) fn milliseconds(span: i64) -> Duration {
    Duration::from_millis(u64::try_from(span).unwrap_or_default())
}

/// Converts to milliseconds, at most some 30 years: every database can add that to a time.
pub(crate) fn in_milliseconds(span: Duration) -> i64 {
    const LONGEST: i64 = 1_000_000_000_000;
    i64::try_from(span.as_millis()).unwrap_or(LONGEST).min(LONGEST)
}
