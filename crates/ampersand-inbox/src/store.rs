//! The store of an inbox: a file, or a Postgres database that several machines can share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use crate::delivery::{self, Entry, Lane, New, Put, State, Status, Stored};
#[cfg(feature = "postgres")]
use crate::postgres::Postgres;
use crate::rows::{Claimed, Outcome};
use crate::writer::Writer;
use crate::{InboxError, sqlite};

/// Returns milliseconds since the Unix epoch.
pub(crate) type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

#[derive(Clone)]
pub(crate) enum Store {
    /// A file on this machine, whose clock counts.
    Sqlite(File),
    /// A database, whose own clock counts.
    #[cfg(feature = "postgres")]
    Postgres(Arc<Postgres>),
}

#[derive(Clone)]
pub(crate) struct File {
    pub(crate) writer: Writer,
    /// A second connection for reads, which therefore do not delay writes.
    pub(crate) reader: Arc<Mutex<Connection>>,
    pub(crate) clock: Clock,
}

impl File {
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Connection, i64) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, InboxError> {
        let (reader, now) = (self.reader.clone(), (self.clock)());
        let look = move || look(&reader.lock().unwrap_or_else(PoisonError::into_inner), now);
        let looked = tokio::task::spawn_blocking(look).await.map_err(|_| InboxError::Closed)?;
        looked.map_err(|error| InboxError::of(&error))
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection, i64) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, InboxError> {
        let now = (self.clock)();
        self.writer.call(move |connection| write(connection, now)).await
    }
}

/// Calls the operation of the store in use.
macro_rules! either {
    ($store:ident, $file:ident => $in_file:expr, $database:ident => $in_database:expr) => {
        match $store {
            Self::Sqlite($file) => $in_file.await,
            #[cfg(feature = "postgres")]
            Self::Postgres($database) => $in_database.await,
        }
    };
}

impl Store {
    pub(crate) async fn insert(&self, new: New, limit: Option<u64>) -> Result<Put, InboxError> {
        // Returns `new` to this thread, which allocated it: another thread would free the memory more slowly.
        either!(self, file => async {
            let insert = move |c: &Connection, now| Ok((sqlite::insert(c, &new, now, limit)?, new));
            file.write(insert).await.map(|(put, _new)| put)
        }, database => database.insert(&new, limit))
    }

    pub(crate) async fn claim(&self, count: usize, lease: i64) -> Result<Vec<Claimed>, InboxError> {
        either!(self, file => file.write(move |c, now| sqlite::claim(c, count, now, lease)),
            database => database.claim(count, lease))
    }

    /// Ends the claim with this token. Returns false if it was lost.
    pub(crate) async fn finish(&self, seq: i64, token: i64, outcome: Outcome) -> Result<bool, InboxError> {
        either!(self, file => file.write(move |c, now| sqlite::finish(c, seq, token, &outcome, now)),
            database => database.finish(seq, token, &outcome))
    }

    /// Extends a lease to `lease` milliseconds from now. Returns false if the claim was lost.
    pub(crate) async fn renew(&self, seq: i64, token: i64, lease: i64) -> Result<bool, InboxError> {
        either!(self, file => file.write(move |c, now| sqlite::renew(c, seq, token, now.saturating_add(lease))),
            database => database.renew(seq, token, lease))
    }

    /// Keeps the downloaded content of a delivery's URLs.
    #[cfg(feature = "resolve")]
    pub(crate) async fn keep(&self, seq: i64, token: i64, resolved: Vec<u8>) -> Result<(), InboxError> {
        either!(self, file => file.write(move |c, _| sqlite::keep(c, seq, token, &resolved)),
            database => database.keep(seq, token, &resolved))
    }

    /// Milliseconds until the next head is due; `None` if there is no head.
    pub(crate) async fn next_due(&self) -> Result<Option<i64>, InboxError> {
        either!(self, file => file.write(sqlite::next_due), database => database.next_due())
    }

    pub(crate) async fn list(&self, state: State, most: usize) -> Result<Vec<Entry>, InboxError> {
        either!(self, file => file.look(move |c, _| sqlite::list(c, state, most)),
            database => database.list(state, most))
    }

    pub(crate) async fn sources(&self) -> Result<Vec<String>, InboxError> {
        either!(self, file => file.look(|c, _| sqlite::sources(c)), database => database.sources())
    }

    pub(crate) async fn show(&self, source: &str, id: &str) -> Result<Option<Stored>, InboxError> {
        let (given, wanted) = (source.to_owned(), id.to_owned());
        either!(self, file => file.look(move |c, _| sqlite::find(c, &given, &wanted)),
            database => database.find(source, id))
    }

    /// Reads a dead letter again and makes it ready. Returns false if the store does not have it, or this version cannot
    /// read it.
    pub(crate) async fn replay(&self, source: &str, id: &str, lane: Lane) -> Result<bool, InboxError> {
        let dead = self.show(source, id).await?.and_then(|stored| stored.reread(lane));
        let Some((_seq, new)) = dead else { return Ok(false) };
        either!(self, file => file.write(move |c, _| sqlite::replay(c, &new)),
            database => database.replay(_seq, &new))
    }

    pub(crate) async fn delete(&self, source: &str, id: &str) -> Result<bool, InboxError> {
        let (given, wanted) = (source.to_owned(), id.to_owned());
        either!(self, file => file.write(move |c, _| sqlite::delete(c, &given, &wanted)),
            database => database.delete(source, id))
    }

    /// Drops the bodies and rows of deliveries done so long ago, at most `most` of each. Returns how many it dropped.
    pub(crate) async fn prune(&self, bodies: Duration, rows: Duration, most: usize) -> Result<usize, InboxError> {
        let (bodies, rows) = (delivery::in_milliseconds(bodies), delivery::in_milliseconds(rows.max(bodies)));
        either!(self, file => file.write(move |c, now| sqlite::prune(c, now - bodies, now - rows, most)),
            database => database.prune(bodies, rows, most))
    }

    pub(crate) async fn status(&self) -> Result<Status, InboxError> {
        either!(self, file => file.look(sqlite::status), database => database.status())
    }

    /// The statement that ends a claim in the handler's own transaction.
    pub(crate) fn completion(&self, _seq: i64, _token: i64) -> Option<String> {
        match self {
            Self::Sqlite(_) => None,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Some(format!("SELECT ampersand_inbox.complete({_seq}, {_token})")),
        }
    }

    /// Whether a worker waits until the store can be used again: it is full or locked, or its database cannot be reached.
    pub(crate) fn is_away(&self, error: &InboxError) -> bool {
        let is_elsewhere = !matches!(self, Self::Sqlite(_));
        matches!(error, InboxError::Full | InboxError::Locked | InboxError::Undone)
            || (is_elsewhere && matches!(error, InboxError::Unreachable(_)))
    }

    pub(crate) fn file(&self) -> Result<&File, InboxError> {
        match self {
            Self::Sqlite(file) => Ok(file),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Err(InboxError::OtherStore),
        }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn postgres(&self) -> Result<&Arc<Postgres>, InboxError> {
        match self {
            Self::Sqlite(_) => Err(InboxError::OtherStore),
            Self::Postgres(database) => Ok(database),
        }
    }
}
