use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ampersand_notifications::{Metadata, Source};
use rusqlite::Connection;
use tokio::sync::Notify;

use crate::InboxError;
use crate::delivery::{self, Dead, New, Put, Status};
use crate::sqlite::{self, Inserted};
use crate::worker::Worker;
use crate::writer::Writer;

/// A store of deliveries, and the way to their handlers. Cheap to clone; clones share the store.
///
/// ```no_run
/// use ampersand_inbox::{Failure, Inbox, Incoming};
/// use ampersand_notifications::Verifier;
///
/// async fn handle(incoming: Incoming) -> Result<(), Failure> {
///     println!("{:?}", incoming.delivery.group_ref());
///     Ok(())
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let inbox = Inbox::open("sqlite:inbox.db").await?;
/// let verifier = Verifier::new("whsec_bm90IGEgc2VjcmV0LCBidXQgYSBkb2N1bWVudA==")?;
/// let app: axum::Router = axum::Router::new().route("/ampersand", inbox.webhook(verifier));
/// tokio::spawn(inbox.worker().concurrency(16).run(handle));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Inbox {
    pub(crate) writer: Writer,
    pub(crate) options: Options,
    /// Something may be claimed now that could not be before.
    pub(crate) ready: Arc<Notify>,
    clock: Clock,
}

/// Milliseconds of the Unix epoch.
type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("options", &self.options).finish_non_exhaustive()
    }
}

/// How an inbox keeps deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// So many bytes the store may have before deliveries are turned away: [`Put::Full`]. Default: no limit but the disk.
    pub limit: Option<u64>,
    /// For how long the bodies of what is done are kept. Default: 3 days.
    pub keep_bodies: Duration,
    /// For how long the ids of what is done are kept, so that a repeat is known. Default: 14 days.
    pub keep_ids: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Options {
    fn default() -> Self {
        Self { limit: None, keep_bodies: 3 * DAY, keep_ids: 14 * DAY }
    }
}

impl Inbox {
    /// Opens a store, and makes it where there is none: `sqlite:` and the path of a file.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: the URL is none of a store, the file cannot be opened or is no store, or a later version of this
    /// crate made it.
    pub async fn open(url: &str) -> Result<Self, InboxError> {
        Self::open_with(url, Options::default()).await
    }

    /// Opens a store with options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_with(url: &str, options: Options) -> Result<Self, InboxError> {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let clock = Arc::new(move || i64::try_from(now()).unwrap_or(i64::MAX));
        Self::open_at(url, options, clock).await
    }

    pub(crate) async fn open_at(url: &str, options: Options, clock: Clock) -> Result<Self, InboxError> {
        let path = url.strip_prefix("sqlite:").filter(|path| !path.is_empty());
        let path = path.ok_or_else(|| InboxError::Url(without_password(url)))?.to_owned();
        let open = move || {
            let mut connection = Connection::open(path)?;
            let version = sqlite::open(&mut connection)?;
            Ok((connection, version))
        };
        let opened = tokio::task::spawn_blocking(open).await.map_err(|_| InboxError::Closed)?;
        let (connection, version) = opened.map_err(|error: rusqlite::Error| InboxError::of(&error))?;
        if version > sqlite::SCHEMA_VERSION {
            return Err(InboxError::NewerSchema(version));
        }
        Ok(Self { writer: Writer::start(connection)?, options, ready: Arc::new(Notify::new()), clock })
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Stores a delivery that is its body alone: a webhook that was verified elsewhere, a Kinesis record. When this
    /// returns [`Put::Stored`] or [`Put::Duplicate`], it is on the disk, and can be acknowledged.
    ///
    /// An id is unique within its source. What cannot be read is stored too, as a dead letter.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: nothing was stored, and the delivery must come again.
    pub async fn put(&self, source: Source, id: &str, body: &[u8]) -> Result<Put, InboxError> {
        self.put_with(source, id, body, &Metadata::default()).await
    }

    /// Stores a delivery with what came beside its body: the user metadata of an S3 object, the attributes of a queue's
    /// message.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub async fn put_with(&self, source: Source, id: &str, body: &[u8], beside: &Metadata) -> Result<Put, InboxError> {
        let new = New::read(source, id, beside, body);
        let (now, limit) = (self.now(), self.options.limit);
        match self.writer.call(move |connection| sqlite::insert(connection, &new, now, limit)).await {
            Ok(Inserted::New) => {
                self.ready.notify_one();
                Ok(Put::Stored)
            }
            Ok(Inserted::Known) => Ok(Put::Duplicate),
            Ok(Inserted::Full) | Err(InboxError::Full) => Ok(Put::Full),
            Err(error) => Err(error),
        }
    }

    /// A worker, which hands what is stored to a handler.
    pub fn worker(&self) -> Worker {
        Worker::new(self.clone())
    }

    /// How many deliveries there are, and how long the oldest has waited.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: the store cannot be read.
    pub async fn status(&self) -> Result<Status, InboxError> {
        let now = self.now();
        self.writer.call(move |connection| sqlite::status(connection, now)).await
    }

    /// The dead letters, those that died last first.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status).
    pub async fn dead(&self, most: usize) -> Result<Vec<Dead>, InboxError> {
        self.writer.call(move |connection| sqlite::dead(connection, most)).await
    }

    /// Makes a dead letter ready again, with all attempts before it and in its place in the order of arrival. It is read
    /// anew: after an upgrade, what could not be read may be. False where there is no such dead letter, or it still cannot
    /// be read.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: nothing was changed.
    pub async fn replay(&self, source: Source, id: &str) -> Result<bool, InboxError> {
        let (name, key) = (delivery::name_of(source), id.to_owned());
        let now = self.now();
        let replay = move |connection: &Connection| {
            let Some((seq, metadata, body, packed)) = sqlite::dead_body(connection, name, &key)? else {
                return Ok(false);
            };
            let Some(body) = delivery::unpack(body, packed) else { return Ok(false) };
            let metadata: Metadata = serde_json::from_str(&metadata).unwrap_or_default();
            let new = New::read(source, &key, &metadata, &body);
            if new.unreadable.is_some() {
                return Ok(false);
            }
            sqlite::replay(connection, seq, &new, now)?;
            Ok(true)
        };
        let replayed = self.writer.call(replay).await?;
        self.ready.notify_one();
        Ok(replayed)
    }

    /// Deletes a dead letter. False where there is none.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: nothing was changed.
    pub async fn delete(&self, source: Source, id: &str) -> Result<bool, InboxError> {
        let (name, id) = (delivery::name_of(source), id.to_owned());
        self.writer.call(move |connection| sqlite::delete(connection, name, &id)).await
    }

    /// Drops what [`Options`] no longer asks to be kept of what is done, in small steps between which other work goes on.
    /// Gives how many deliveries it was of. Dead letters stay.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: what was dropped before stays dropped.
    pub async fn prune(&self) -> Result<usize, InboxError> {
        const STEP: usize = 500;
        let before = |kept: Duration| self.now() - i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
        let (bodies, rows) = (before(self.options.keep_bodies), before(self.options.keep_ids));
        let mut all = 0;
        loop {
            let pruned = self.writer.call(move |connection| sqlite::prune(connection, bodies, rows, STEP)).await?;
            all += pruned;
            if pruned == 0 {
                return Ok(all);
            }
        }
    }
}

/// A URL without what may be a password: `postgres://…@host/db`.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => url.to_owned(),
    }
}
