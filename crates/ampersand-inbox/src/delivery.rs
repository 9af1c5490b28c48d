//! Deliveries: as callers put them, as the store keeps them, as a handler gets them, and how a handler fails.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use ampersand_notifications::{Delivery, Metadata, NormalizeError, Source, Webhook, from_source, from_webhook};

/// The name of what may come from anywhere in a lane of its own.
const NO_LANE: &str = "";
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
    pub(crate) fn read(source: Source, id: &str, metadata: &Metadata, body: &[u8]) -> Self {
        let delivery = normalize(source, id, metadata, body);
        let metadata = serde_json::to_string(metadata).unwrap_or_else(|_| "{}".to_owned());
        let (body, packed) = pack(body);
        let source = name_of(source).to_owned();
        let (lane, notification_type, unreadable) = match delivery {
            Ok(delivery) => (lane_of(&delivery), type_of(&delivery), None),
            Err(error) => (NO_LANE.to_owned(), None, Some(error.to_string())),
        };
        // What belongs to no installation waits for nobody.
        let lane = if lane == NO_LANE { format!("{source} {id}") } else { lane };
        Self { source, id: id.to_owned(), lane, notification_type, metadata, body, packed, unreadable }
    }

    /// What a webhook says in its headers.
    pub(crate) fn of_webhook(timestamp: &str) -> Metadata {
        Metadata::from_iter([(TIMESTAMP, timestamp)])
    }
}

/// One delivery at a time for an installation.
fn lane_of(delivery: &Delivery) -> String {
    delivery.installation_id().map(Cow::into_owned).unwrap_or_default()
}

fn type_of(delivery: &Delivery) -> Option<String> {
    match delivery {
        Delivery::Notification(notification) => Some(notification.notification_type.as_str().to_owned()),
        Delivery::Records(_) => None,
    }
}

pub(crate) fn normalize(
    source: Source,
    id: &str,
    metadata: &Metadata,
    body: &[u8],
) -> Result<Delivery, NormalizeError> {
    match source {
        Source::Webhook => {
            let timestamp = metadata.get(TIMESTAMP).map(Into::into);
            from_webhook(Webhook { body: Cow::Borrowed(body), id: Some(id), timestamp })
        }
        source => from_source(body, source, metadata.clone(), None),
    }
}

/// The names of sources in the store.
const SOURCES: [(Source, &str); 5] = [
    (Source::Webhook, "webhook"),
    (Source::Kinesis, "kinesis"),
    (Source::S3, "s3"),
    (Source::Attributes, "attributes"),
    (Source::Bare, "bare"),
];

pub(crate) fn name_of(source: Source) -> &'static str {
    SOURCES.iter().find(|(known, _)| *known == source).map_or("bare", |(_, name)| name)
}

pub(crate) fn source_named(name: &str) -> Source {
    SOURCES.iter().find(|(_, known)| *known == name).map_or(Source::Bare, |(source, _)| *source)
}

fn pack(body: &[u8]) -> (Vec<u8>, bool) {
    match body.len() {
        0..=PLAIN => (body.to_vec(), false),
        _ => (lz4_flex::compress_prepend_size(body), true),
    }
}

/// The body as it came; `None` where the store is damaged.
pub(crate) fn unpack(body: Vec<u8>, packed: bool) -> Option<Vec<u8>> {
    if packed { lz4_flex::decompress_size_prepended(&body).ok() } else { Some(body) }
}

/// A delivery that a handler is to handle.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Incoming {
    /// The delivery.
    pub delivery: Delivery,
    /// Identifies it within its source: the same in every delivery of the event from there.
    pub id: String,
    /// How often it was handed to a handler, this time included. From 1.
    pub attempt: u32,
    /// How long ago it was put into the inbox.
    pub age: Duration,
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
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            reason = format!("{reason}: {cause}");
            source = cause.source();
        }
        Self { is_permanent: false, reason }
    }
}

/// The states of a delivery in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Ready,
    Claimed,
    Done,
    Dead,
}

impl State {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ready" => Self::Ready,
            "claimed" => Self::Claimed,
            "done" => Self::Done,
            "dead" => Self::Dead,
            _ => return None,
        })
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

/// A dead letter: a delivery that cannot be read, or that was tried in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dead {
    /// Where it came from, as in `webhook`.
    pub source: String,
    /// Identifies it within its source.
    pub id: String,
    /// The lane that it was in: the id of the installation.
    pub lane: String,
    /// The type of the notification; `None` of records, and of what cannot be read.
    pub notification_type: Option<String>,
    /// How often it was handed to a handler.
    pub attempts: u32,
    /// The last failure, in words.
    pub reason: String,
    /// When it was put, in milliseconds of the Unix epoch.
    pub received: i64,
    /// When it was given up, in milliseconds of the Unix epoch.
    pub died: i64,
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
