use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ampersand_notifications::{Metadata, Source};
use rusqlite::Connection;
use tokio::sync::Notify;

use crate::InboxError;
use crate::delivery::{Dead, New, Put, Status};
#[cfg(feature = "postgres")]
use crate::postgres::Postgres;
use crate::sqlite;
use crate::store::{Clock, Inserted, Store};
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
    pub(crate) store: Store,
    pub(crate) options: Options,
    /// Something may be claimed now that could not be before.
    pub(crate) ready: Arc<Notify>,
}

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
    /// Opens a store, and makes its tables where there are none: `sqlite:` and the path of a file or, with the feature
    /// `postgres`, `postgres://user:password@host/database`.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: this crate knows no store of the URL, the file or database cannot be opened or is no store, or a
    /// later version of this crate made it.
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
        #[cfg(feature = "postgres")]
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let config = url.parse().map_err(|_| InboxError::Url(without_password(url)))?;
            let store = Store::Postgres(Arc::new(Postgres::open(config).await?));
            return Ok(Self { store, options, ready: Arc::new(Notify::new()) });
        }
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
        let store = Store::Sqlite(Writer::start(connection)?, clock);
        Ok(Self { store, options, ready: Arc::new(Notify::new()) })
    }

    /// Stores a delivery that is its body alone: a webhook that was verified elsewhere, a Kinesis record. When this
    /// returns [`Put::Stored`] or [`Put::Duplicate`], it is on the disk, and can be acknowledged.
    ///
    /// An id is unique within its source. A body that this crate cannot read is stored too, as a dead letter.
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
        match self.store.insert(new, self.options.limit).await {
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
        self.store.status().await
    }

    /// The dead letters, those that died last first.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status).
    pub async fn dead(&self, most: usize) -> Result<Vec<Dead>, InboxError> {
        self.store.dead(most).await
    }

    /// Makes a dead letter ready again, with all attempts before it and in its place in the order of arrival. It is read
    /// anew: after an upgrade, what could not be read may be. False where there is no such dead letter, or it still cannot
    /// be read.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: nothing was changed.
    pub async fn replay(&self, source: Source, id: &str) -> Result<bool, InboxError> {
        let replayed = self.store.replay(source, id).await?;
        self.ready.notify_one();
        Ok(replayed)
    }

    /// Deletes a dead letter; false if there is no such dead letter.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: nothing was changed.
    pub async fn delete(&self, source: Source, id: &str) -> Result<bool, InboxError> {
        self.store.delete(source, id).await
    }

    /// Drops what [`Options`] no longer asks to be kept of what is done, in small steps between which other work goes on.
    /// Gives how many deliveries it was of. Dead letters stay.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: what was dropped before stays dropped.
    pub async fn prune(&self) -> Result<usize, InboxError> {
        const STEP: usize = 500;
        let mut all = 0;
        loop {
            let pruned = self.store.prune(self.options.keep_bodies, self.options.keep_ids, STEP).await?;
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
