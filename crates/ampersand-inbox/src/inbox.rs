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
    /// So many bytes the store may have before deliveries are turned away: [`Put::Full`]. Default: no limit but the disk.
    pub limit: Option<u64>,
    /// For how long the bodies of what is done are kept. Default: 3 days.
    pub keep_bodies: Duration,
    /// For how long the ids of what is done are kept, so that a repeat is known; at least as long as the bodies. Default:
    /// 14 days.
    pub keep_ids: Duration,
    /// What gives the lane of a delivery: one of a lane is handled at a time, in order of arrival. What has none waits for
    /// nobody. Default: the id of the installation.
    pub lane: fn(&Delivery) -> Option<String>,
    /// Whether what is behind a dead letter in its lane waits until that is replayed or deleted. Default: it does not.
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
        #[cfg(feature = "postgres")]
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::open_tls(url, options, tokio_postgres::NoTls).await;
        }
        Self::open_at(url, options, steady_clock()).await
    }

    /// Opens a store in a database of Postgres by connections that are encrypted, with what a TLS library has for
    /// [`tokio_postgres`]: `MakeRustlsConnect` of `tokio-postgres-rustls`, say. The URL says by `sslmode` whether they have
    /// to be: `require`, or by default `prefer`.
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
                // A caller learns of the end of a connection when its client fails.
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
        // A database in memory keeps nothing.
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

    /// The same inbox, for what comes in at another place: its [`webhook`](Self::webhook) and [`put`](Self::put) give a
    /// source of its own, as in `webhook:eu`, within which ids are unique.
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

    /// Stores a delivery that is its body alone: a webhook that was verified elsewhere, a Kinesis record. When this
    /// returns [`Put::Stored`] or [`Put::Duplicate`], it is on the disk, and can be acknowledged.
    ///
    /// An id is unique within its source. A body that this crate cannot read is stored too, as a dead letter.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: nothing was stored, and the delivery must come again.
    pub async fn put(&self, source: Source, id: &str, body: impl Into<Body<'_>>) -> Result<Put, InboxError> {
        self.put_with(source, id, body, &Metadata::default()).await
    }

    /// Stores a delivery with what came beside its body: the user metadata of an S3 object, the attributes of a queue's
    /// message.
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

    /// How many deliveries there are, and how long the oldest has waited. With the feature `metrics`, sets the gauges to that.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: the store cannot be read.
    pub async fn status(&self) -> Result<Status, InboxError> {
        self.store.status().await.inspect(observe::status)
    }

    /// The deliveries in a state, at most so many: of those that are ready or claimed the ones that came first, of the others
    /// the ones that ended last.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status).
    pub async fn list(&self, state: State, most: usize) -> Result<Vec<Entry>, InboxError> {
        self.store.list(state, most).await
    }

    /// A delivery as it came, by its source, such as `webhook`, and its id; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status).
    pub async fn show(&self, source: &str, id: &str) -> Result<Option<Stored>, InboxError> {
        self.store.show(source, id).await
    }

    /// Makes a dead letter ready again, with all attempts before it and in its place in the order of arrival. It is read
    /// anew: after an upgrade, what could not be read may be. False where there is no such dead letter, or it still cannot
    /// be read.
    ///
    /// ```no_run
    /// # async fn example(inbox: ampersand_inbox::Inbox) -> Result<(), ampersand_inbox::InboxError> {
    /// for dead in inbox.list(ampersand_inbox::State::Dead, usize::MAX).await? {
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

    /// Deletes a dead letter; false if there is no such dead letter.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: nothing was changed.
    pub async fn delete(&self, source: &str, id: &str) -> Result<bool, InboxError> {
        self.store.delete(source, id).await.inspect(|_| self.ready.notify_one())
    }

    /// Drops what [`Options`] no longer asks to be kept of what is done, in small steps between which other work goes on.
    /// Gives how many deliveries it was of. Dead letters stay.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: what was dropped before stays dropped.
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

/// The time of day when it is made, and what has passed since: where the system's clock is set, what waits is not due early,
/// and no lease ends early.
fn steady_clock() -> Clock {
    let (opened, since) = (SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), Instant::now());
    Arc::new(move || i64::try_from((opened + since.elapsed()).as_millis()).unwrap_or(i64::MAX))
}
