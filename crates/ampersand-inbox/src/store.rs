//! Where an inbox keeps deliveries: a file, or a database of Postgres that several machines share.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ampersand_notifications::{Metadata, Source};
use rusqlite::Connection;

use crate::InboxError;
use crate::delivery::{self, Dead, New, Status};
#[cfg(feature = "postgres")]
use crate::postgres::Postgres;
use crate::sqlite;
#[cfg(test)]
use crate::tests;
use crate::writer::Writer;

/// A statement. Tests take guards out of it, to see that they are missed.
pub(crate) fn sql(statement: &'static str) -> Cow<'static, str> {
    #[cfg(test)]
    if let Some((guard, nothing)) = tests::REMOVED.get() {
        return Cow::Owned(statement.replace(guard, nothing));
    }
    Cow::Borrowed(statement)
}

/// A point where tests kill the process, or stop it.
pub(crate) fn point(_name: &str) {
    #[cfg(test)]
    tests::points::reached(_name);
}

/// What was put, or was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    New,
    Known,
    /// There is as much as may be.
    Full,
}

/// A delivery that is claimed.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) seq: i64,
    pub(crate) token: i64,
    pub(crate) attempt: u32,
    /// How many milliseconds before the claim it was put.
    pub(crate) age: i64,
    pub(crate) source: String,
    pub(crate) id: String,
    pub(crate) metadata: String,
    pub(crate) body: Vec<u8>,
    pub(crate) packed: bool,
}

/// What becomes of a delivery that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// It is tried again after so many milliseconds.
    Retry {
        pause: i64,
        reason: String,
    },
    Dead {
        reason: String,
    },
    /// Nothing was tried: it is given back.
    Released,
}

/// A place in the order of arrival, and what stands there: metadata, body, and whether that is packed.
pub(crate) type Kept = (i64, String, Vec<u8>, bool);

/// Reads what is kept of a dead letter anew; `None` where it still cannot be read.
pub(crate) fn reread(source: Source, id: &str, (_, metadata, body, packed): Kept) -> Option<New> {
    let metadata: Metadata = serde_json::from_str(&metadata).unwrap_or_default();
    let new = New::read(source, id, &metadata, &delivery::unpack(body, packed)?);
    new.unreadable.is_none().then_some(new)
}

/// Milliseconds of the Unix epoch.
pub(crate) type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

#[derive(Clone)]
pub(crate) enum Store {
    /// A file, which this machine alone uses: its clock counts.
    Sqlite(Writer, Clock),
    /// A database, whose own clock counts.
    #[cfg(feature = "postgres")]
    Postgres(Arc<Postgres>),
}

impl Store {
    pub(crate) async fn insert(&self, new: New, limit: Option<u64>) -> Result<Inserted, InboxError> {
        match self {
            Self::Sqlite(writer, clock) => {
                let now = clock();
                writer.call(move |connection| sqlite::insert(connection, &new, now, limit)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.insert(&new, limit).await,
        }
    }

    pub(crate) async fn claim(&self, count: usize, lease: i64) -> Result<Vec<Claimed>, InboxError> {
        match self {
            Self::Sqlite(writer, clock) => {
                let now = clock();
                writer.call(move |connection| sqlite::claim(connection, count, now, lease)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.claim(count, lease).await,
        }
    }

    /// Ends a claim, if it is still the one that the token is of; false where it was lost.
    pub(crate) async fn finish(&self, seq: i64, token: i64, outcome: Outcome) -> Result<bool, InboxError> {
        match self {
            Self::Sqlite(writer, clock) => {
                let now = clock();
                writer.call(move |connection| sqlite::finish(connection, seq, token, &outcome, now)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.finish(seq, token, &outcome).await,
        }
    }

    /// Makes a lease last so many milliseconds from now; false where it was lost.
    pub(crate) async fn renew(&self, seq: i64, token: i64, lease: i64) -> Result<bool, InboxError> {
        match self {
            Self::Sqlite(writer, clock) => {
                let until = clock().saturating_add(lease);
                writer.call(move |connection| sqlite::renew(connection, seq, token, until)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.renew(seq, token, lease).await,
        }
    }

    /// How many milliseconds there are until a head is due; `None` where there is none.
    pub(crate) async fn next_due(&self) -> Result<Option<i64>, InboxError> {
        match self {
            Self::Sqlite(writer, clock) => {
                let now = clock();
                writer.call(move |connection| sqlite::next_due(connection, now)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.next_due().await,
        }
    }

    pub(crate) async fn dead(&self, most: usize) -> Result<Vec<Dead>, InboxError> {
        match self {
            Self::Sqlite(writer, _) => writer.call(move |connection| sqlite::dead(connection, most)).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.dead(most).await,
        }
    }

    /// Makes a dead letter ready again, read anew; false where there is none, or it still cannot be read.
    pub(crate) async fn replay(&self, source: Source, id: &str) -> Result<bool, InboxError> {
        match self {
            Self::Sqlite(writer, clock) => {
                let (id, now) = (id.to_owned(), clock());
                let replay = move |connection: &Connection| {
                    let kept = sqlite::dead_body(connection, delivery::name_of(source), &id)?;
                    let read = kept.and_then(|kept| Some((kept.0, reread(source, &id, kept)?)));
                    let Some((seq, new)) = read else { return Ok(false) };
                    sqlite::replay(connection, seq, &new, now)?;
                    Ok(true)
                };
                writer.call(replay).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let kept = database.dead_body(delivery::name_of(source), id).await?;
                let read = kept.and_then(|kept| Some((kept.0, reread(source, id, kept)?)));
                let Some((seq, new)) = read else { return Ok(false) };
                database.replay(seq, &new).await
            }
        }
    }

    pub(crate) async fn delete(&self, source: Source, id: &str) -> Result<bool, InboxError> {
        let source = delivery::name_of(source);
        match self {
            Self::Sqlite(writer, _) => {
                let id = id.to_owned();
                writer.call(move |connection| sqlite::delete(connection, source, &id)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.delete(source, id).await,
        }
    }

    /// Drops bodies and rows of what was done so long ago, at most so many of each. Gives how many it was.
    pub(crate) async fn prune(&self, bodies: Duration, rows: Duration, most: usize) -> Result<usize, InboxError> {
        let (bodies, rows) = (delivery::in_milliseconds(bodies), delivery::in_milliseconds(rows));
        match self {
            Self::Sqlite(writer, clock) => {
                let now = clock();
                writer.call(move |connection| sqlite::prune(connection, now - bodies, now - rows, most)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.prune(bodies, rows, most).await,
        }
    }

    pub(crate) async fn status(&self) -> Result<Status, InboxError> {
        match self {
            Self::Sqlite(writer, clock) => {
                let now = clock();
                writer.call(move |connection| sqlite::status(connection, now)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.status().await,
        }
    }

    /// Whether a worker waits until the store can be used again. A database may be away for a while; a file is not.
    pub(crate) fn is_away(&self, error: &InboxError) -> bool {
        !matches!(self, Self::Sqlite(..)) && matches!(error, InboxError::Unreachable(_) | InboxError::Full)
    }

    /// The thread of a file.
    pub(crate) fn writer(&self) -> Result<(&Writer, i64), InboxError> {
        match self {
            Self::Sqlite(writer, clock) => Ok((writer, clock())),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Err(InboxError::OtherStore),
        }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn postgres(&self) -> Result<&Arc<Postgres>, InboxError> {
        match self {
            Self::Sqlite(..) => Err(InboxError::OtherStore),
            Self::Postgres(database) => Ok(database),
        }
    }
}
