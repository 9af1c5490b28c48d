use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ampersand_notifications::{Body, Delivery, Metadata, Source};
use rusqlite::Connection;
use tokio::sync::Notify;

use crate::delivery::{self, Entry, New, Put, State, Status, Stored};
#[cfg(feature = "postgres")]
use crate::postgres;
use crate::store::{Clock, File, Store};
use crate::writer::Writer;
use crate::{InboxError, observe, sqlite};

/// A durable store of deliveries, with [webhooks](Inbox::webhook) that fill it and [workers](Inbox::worker) that handle
/// them. Cheap to clone; clones share the store.
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
    /// Notifies workers that a delivery may have become ready.
    pub(crate) ready: Arc<Notify>,
    endpoint: Arc<str>,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("options", &self.options).finish_non_exhaustive()
    }
}

/// How an inbox keeps deliveries.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The largest size of the store in bytes. A full store refuses deliveries with [`Put::Full`]. Default: no limit but
    /// the disk.
    pub limit: Option<u64>,
    /// How long to keep the bodies of handled deliveries. Default: 3 days.
    pub keep_bodies: Duration,
    /// How long to keep the ids of handled deliveries, by which the inbox deduplicates. It keeps an id at least as long as
    /// the body. Default: 14 days.
    pub keep_ids: Duration,
    /// Chooses the lane of a delivery. Workers handle one delivery of a lane at a time, in order of arrival. A delivery
    /// without a lane (`None`) waits for no other. Default: the id of the installation.
    pub lane: fn(&Delivery) -> Option<String>,
    /// Whether a dead letter blocks its lane until you replay or delete it. Default: false.
    pub dead_letters_block: bool,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Options {
    fn default() -> Self {
        let lane = delivery::of_installation;
        Self { limit: None, keep_bodies: 3 * DAY, keep_ids: 14 * DAY, lane, dead_letters_block: false }
    }
}

impl Inbox {
    /// Opens a store, and creates its tables if they are missing. The URL is `sqlite:` and the path of a file or, with the
    /// feature `postgres`, `postgres://user:password@host/database`.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: the URL is not supported, the file or database cannot be opened or is not a store, or a later
    /// version of this crate made it.
    pub async fn open(url: &str) -> Result<Self, InboxError> {
        Self::open_with(url, Options::default()).await
    }

    /// Opens a store with options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_with(url: &str, options: Options) -> Result<Self, InboxError> {
        #[cfg(feature = "postgres")]
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::open_tls(url, options, tokio_postgres::NoTls).await;
        }
        Self::open_at(url, options, steady_clock()).await
    }

    /// Opens a store in a Postgres database with TLS. `tls` is the connector of a TLS library for [`tokio_postgres`], such
    /// as `MakeRustlsConnect` of `tokio-postgres-rustls`. Set `sslmode=require` in the URL to require encryption; the
    /// default, `prefer`, does not.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    #[cfg(feature = "postgres")]
    pub async fn open_tls<T>(url: &str, options: Options, tls: T) -> Result<Self, InboxError>
    where
        T: tokio_postgres::tls::MakeTlsConnect<tokio_postgres::Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as tokio_postgres::tls::TlsConnect<tokio_postgres::Socket>>::Future: Send,
    {
        let config = postgres::config(url)?;
        let connect: Arc<postgres::Connect> = Arc::new(move || {
            let (config, tls) = (config.clone(), tls.clone());
            Box::pin(async move {
                let (client, connection) = config.connect(tls).await?;
                // When the connection ends, the client returns errors, so its callers notice.
                tokio::spawn(async { drop(connection.await) });
                Ok(client)
            })
        });
        let (postgres, version) = postgres::Postgres::open(connect).await?;
        Self::of(Store::Postgres(Arc::new(postgres)), version, options)
    }

    pub(crate) fn of(store: Store, version: i64, options: Options) -> Result<Self, InboxError> {
        if version > sqlite::SCHEMA_VERSION {
            return Err(InboxError::NewerSchema(version));
        }
        Ok(Self { store, options, ready: Arc::new(Notify::new()), endpoint: "".into() })
    }

    pub(crate) async fn open_at(url: &str, options: Options, clock: Clock) -> Result<Self, InboxError> {
        // A database in memory would lose its deliveries.
        let path = url.strip_prefix("sqlite:").filter(|path| !path.is_empty() && !path.starts_with(":memory:"));
        let path = path.ok_or_else(|| InboxError::url(url))?.to_owned();
        let open = move || {
            let mut connection = Connection::open(&path)?;
            let version = sqlite::open(&mut connection, &sqlite::MIGRATIONS)?;
            Ok((connection, sqlite::reader(&path)?, version))
        };
        let opened = tokio::task::spawn_blocking(open).await.map_err(|_| InboxError::Closed)?;
        let (connection, reader, version) = opened.map_err(|error: rusqlite::Error| InboxError::of(&error))?;
        let (writer, reader) = (Writer::start(connection)?, Arc::new(Mutex::new(reader)));
        Self::of(Store::Sqlite(File { writer, reader, clock }), version, options)
    }

    /// Returns the same inbox for another endpoint. Its [`webhook`](Self::webhook) and [`put`](Self::put) store deliveries
    /// under a source of their own, such as `webhook:eu`. Ids are unique within a source.
    ///
    /// ```
    /// # fn example(inbox: ampersand_inbox::Inbox, eu: ampersand_notifications::Verifier, us: ampersand_notifications::Verifier) {
    /// let app: axum::Router = axum::Router::new()
    ///     .route("/eu", inbox.endpoint("eu").webhook(eu))
    ///     .route("/us", inbox.endpoint("us").webhook(us));
    /// # }
    /// ```
    #[must_use]
    pub fn endpoint(&self, name: &str) -> Self {
        Self { endpoint: name.into(), ..self.clone() }
    }

    /// Stores a delivery that consists of its body, such as a webhook that was verified elsewhere, or a Kinesis record.
    /// After [`Put::Stored`] or [`Put::Duplicate`], the delivery is on the disk: acknowledge it.
    ///
    /// Ids are unique within a source. A body that this crate cannot read is stored too, as a dead letter.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: nothing was stored. Do not acknowledge the delivery, so that it is sent again.
    pub async fn put(&self, source: Source, id: &str, body: impl Into<Body<'_>>) -> Result<Put, InboxError> {
        self.put_with(source, id, body, &Metadata::default()).await
    }

    /// Stores a delivery with its metadata: the user metadata of an S3 object, or the attributes of a queue message.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub async fn put_with(
        &self,
        source: Source,
        id: &str,
        body: impl Into<Body<'_>>,
        beside: &Metadata,
    ) -> Result<Put, InboxError> {
        let begun = Instant::now();
        let source = delivery::name_of(source, &self.endpoint);
        let new = New::read(source, id, beside, body.into(), self.options.lane);
        let put = match self.store.insert(new, self.options.limit).await {
            Err(InboxError::Full) => Ok(Put::Full),
            put => put,
        };
        if put == Ok(Put::Stored) {
            self.ready.notify_one();
        }
        observe::put(&put, begun);
        put
    }

    /// Returns the number of deliveries by state, and how long the oldest has waited. With the feature `metrics`, also sets
    /// the gauges.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: the store cannot be read.
    pub async fn status(&self) -> Result<Status, InboxError> {
        self.store.status().await.inspect(observe::status)
    }

    /// Lists at most `most` deliveries in a state: ready and claimed ones in order of arrival, others latest first.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status).
    pub async fn list(&self, state: State, most: usize) -> Result<Vec<Entry>, InboxError> {
        self.store.list(state, most).await
    }

    /// Returns the sources of all deliveries, such as `webhook` and `webhook:eu`, sorted.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status).
    pub async fn sources(&self) -> Result<Vec<String>, InboxError> {
        self.store.sources().await
    }

    /// Returns a delivery with its body, by its source (such as `webhook`) and id. `None` if the inbox does not have it.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status).
    pub async fn show(&self, source: &str, id: &str) -> Result<Option<Stored>, InboxError> {
        self.store.show(source, id).await
    }

    /// Makes a dead letter ready again, in its place in the order of arrival; it gets all its attempts again. It is also
    /// read again: after an upgrade, an unreadable delivery may have become readable. Returns false if there is no such
    /// dead letter, or it still cannot be read.
    ///
    /// ```no_run
    /// # async fn example(inbox: ampersand_inbox::Inbox) -> Result<(), ampersand_inbox::InboxError> {
    /// let mut all = inbox.list(ampersand_inbox::State::Dead, usize::MAX).await?;
    /// all.reverse();
    /// all.sort_by_key(|dead| dead.received); // in their order of arrival
    /// for dead in all {
    ///     if dead.notification_type.as_deref() == Some("installation.updated") {
    ///         inbox.replay(&dead.source, &dead.id).await?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InboxError`]: nothing was changed.
    pub async fn replay(&self, source: &str, id: &str) -> Result<bool, InboxError> {
        self.store.replay(source, id, self.options.lane).await.inspect(|_| self.ready.notify_one())
    }

    /// Deletes a dead letter. Returns false if there is no such dead letter.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: nothing was changed.
    pub async fn delete(&self, source: &str, id: &str) -> Result<bool, InboxError> {
        self.store.delete(source, id).await.inspect(|_| self.ready.notify_one())
    }

    /// Drops the bodies and ids of handled deliveries that are older than [`Options`] keeps them. It works in small steps,
    /// between which other work goes on. Returns how many bodies and ids it dropped. Dead letters stay.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: the steps before the error remain done.
    pub async fn prune(&self) -> Result<usize, InboxError> {
        let mut all = 0;
        loop {
            match self.store.prune(self.options.keep_bodies, self.options.keep_ids, 500).await? {
                0 => return Ok(all),
                pruned => all += pruned,
            }
        }
    }
}

/// The system time when the inbox is opened, plus the time that has passed since. When the system clock is set, no
/// retry comes early, and no lease ends early.
fn steady_clock() -> Clock {
    let (opened, since) = (SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), Instant::now());
    Arc::new(move || i64::try_from((opened + since.elapsed()).as_millis()).unwrap_or(i64::MAX))
}
