//! The store in a Postgres database: its schema, its connections and its operations. All SQL is here.
//!
//! As in a file, the first unfinished delivery of a lane is its head, and workers claim heads alone. Every put, finish
//! and replay holds the lock of its lane until it commits, so a lane with unfinished deliveries always has a head.
//! These are functions in the database, and each takes one round trip. At the level *read committed*, each of their
//! statements sees what was committed before it began. A handler's transaction waits for the lock last.
//!
//! Only the clock of the database counts: this crate passes spans, and the database adds them to its time.

use std::error::Error as _;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error, GenericClient, IsolationLevel, Row, Transaction};

use crate::InboxError;
use crate::delivery::{Entry, Failure, Incoming, New, Put, State, Status, Stored, milliseconds};
use crate::hooks::{point, sql};
use crate::rows::{Claimed, End, Outcome, claimed, entry, stored, which};
use crate::sqlite::SCHEMA_VERSION;

/// Each migration makes the next version of the schema, the first one version 1. There are as many as for a file.
const MIGRATIONS: [&str; SCHEMA_VERSION as usize] = [include_str!("postgres.sql")];

/// Settings of each new connection. A commit returns once it is on the disk. Keepalives end the sessions of a machine
/// that vanished, and so release its locks.
const SETUP: &str = "
SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4;
SET default_transaction_isolation = 'read committed';
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// The most connections that store deliveries, and the most that serve workers. Handlers in transactions have their
/// own.
const CONNECTIONS: usize = 8;
/// The default timeout to connect. Sent data may stay unacknowledged for twice as long.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Postgres {
    receiving: Pool,
    working: Pool,
    handling: Pool,
    /// The bytes in use, and when they were counted.
    used: Mutex<Option<(Instant, u64)>>,
}

/// The future of a handler of [`Worker::in_postgres_transaction`](crate::Worker::in_postgres_transaction).
pub type Handling<'t> = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 't>>;

/// Makes a connection, and spawns the task that serves it.
pub(crate) type Connect = dyn Fn() -> Pin<Box<dyn Future<Output = Result<Client, Error>> + Send>> + Send + Sync;

/// A pool: it makes connections when they are needed, and keeps them for reuse.
struct Pool {
    connect: Arc<Connect>,
    idle: Mutex<Vec<Client>>,
    permits: Semaphore,
}

impl Pool {
    fn new(connect: &Arc<Connect>, most: usize) -> Self {
        Self { connect: connect.clone(), idle: Mutex::default(), permits: Semaphore::new(most) }
    }

    async fn get(&self) -> Result<Held<'_>, InboxError> {
        let permit = self.permits.acquire().await.map_err(|_| InboxError::Closed)?;
        let mut client = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if client.as_ref().is_none_or(Client::is_closed) {
            let made = tokio::time::timeout(2 * PATIENCE, async {
                let made = (self.connect)().await?;
                made.batch_execute(SETUP).await?;
                Ok(made)
            });
            let silent = |_| InboxError::Unreachable("the server does not answer".to_owned());
            client = Some(made.await.map_err(silent)?.map_err(failed)?);
        }
        Ok(Held { client, is_spent: false, pool: self, _permit: permit })
    }
}

/// A connection, until it returns to the pool.
struct Held<'p> {
    client: Option<Client>,
    /// Whether to close it instead. After a transaction was dropped, its last statement may still be waiting.
    is_spent: bool,
    pool: &'p Pool,
    _permit: SemaphorePermit<'p>,
}

impl Held<'_> {
    /// Begins a transaction. Call [`ended`](Self::ended) once it has ended.
    async fn begin(&mut self) -> Result<Transaction<'_>, Error> {
        self.is_spent = true;
        let client = self.client.as_mut().expect("it is held until it is dropped");
        client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await
    }

    fn ended(&mut self) {
        self.is_spent = false;
    }
}

impl Deref for Held<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client.as_ref().expect("it is held until it is dropped")
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let client = self.client.take().filter(|client| !self.is_spent && !client.is_closed());
        self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(client);
    }
}

/// Converts an error. It leaves out the details that the database gives, which may contain values of a row.
fn failed(error: Error) -> InboxError {
    let Some(said) = error.as_db_error() else {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        return InboxError::Unreachable(format!("{error}{cause}"));
    };
    let (code, message) = (said.code(), format!("{} ({})", said.message(), said.code().code()));
    match code {
        _ if *code == SqlState::DISK_FULL => InboxError::Full,
        _ if *code == SqlState::INSUFFICIENT_PRIVILEGE => InboxError::Unreachable(message),
        _ if ["42", "XX001", "XX002"].iter().any(|kind| code.code().starts_with(kind)) => InboxError::Corrupt(message),
        _ => InboxError::Unreachable(message),
    }
}

/// Calls a function of the database that returns a boolean.
async fn call(client: &impl GenericClient, call: &str, parameters: Parameters<'_>) -> Result<bool, InboxError> {
    client.query_typed_one(call, parameters).await.and_then(|row| row.try_get(0)).map_err(failed)
}

type Parameters<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

/// Lists parameters with their types.
macro_rules! typed {
    ($($value:expr => $kind:ident),*) => { &[$((&$value as &(dyn ToSql + Sync), Type::$kind)),*] };
}

fn count(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// Reads a URL, and sets default timeouts.
pub(crate) fn config(url: &str) -> Result<Config, InboxError> {
    let mut config: Config = url.parse().map_err(|_| InboxError::url(url))?;
    config.connect_timeout(config.get_connect_timeout().copied().unwrap_or(PATIENCE));
    // Two hours, the default, is not told from an absent one.
    config.keepalives_idle(config.get_keepalives_idle().min(4 * PATIENCE));
    config.keepalives_interval(config.get_keepalives_interval().unwrap_or(PATIENCE));
    config.keepalives_retries(config.get_keepalives_retries().unwrap_or(4));
    config.tcp_user_timeout(config.get_tcp_user_timeout().copied().unwrap_or(2 * PATIENCE));
    config.application_name(config.get_application_name().unwrap_or("ampersand-inbox").to_owned());
    Ok(config)
}

impl Postgres {
    /// Migrates the tables to the latest version of the schema. Returns the store and the version of its schema.
    pub(crate) async fn open(connect: Arc<Connect>) -> Result<(Self, i64), InboxError> {
        let postgres = Self {
            receiving: Pool::new(&connect, CONNECTIONS),
            working: Pool::new(&connect, CONNECTIONS),
            handling: Pool::new(&connect, Semaphore::MAX_PERMITS),
            used: Mutex::default(),
        };
        let version = migrate(&mut postgres.receiving.get().await?, &MIGRATIONS).await.map_err(failed)?;
        Ok((postgres, version))
    }

    pub(crate) async fn insert(&self, new: &New, limit: Option<u64>) -> Result<Put, InboxError> {
        let mut client = self.receiving.get().await?;
        // The caller may stop waiting. The pool then closes the connection, because its statement may still wait for a lock.
        client.is_spent = true;
        let mut put = self.put(&client, new, limit).await;
        // The error has no code, or one that the server sends when it ends a connection.
        let has_ended = |error: &Error| error.code().is_none_or(|code| code.code().starts_with("57P"));
        // The connection may have ended while the process was frozen. Storing again is safe: a duplicate changes nothing.
        if put.as_ref().is_err_and(has_ended) {
            drop(client);
            client = self.receiving.get().await?;
            client.is_spent = true;
            put = self.put(&client, new, limit).await;
        }
        client.ended();
        put.map_err(failed)
    }

    async fn put(&self, client: &Client, new: &New, limit: Option<u64>) -> Result<Put, Error> {
        let New { source, id, lane, notification_type, metadata, body, packed, unreadable } = new;
        if let Some(limit) = limit
            && self.used(client).await? >= limit
        {
            let known = "SELECT EXISTS (SELECT 1 FROM ampersand_inbox.delivery WHERE source = $1 AND id = $2)";
            let known = client.query_typed_one(known, typed![source => TEXT, id => TEXT]).await?;
            return Ok(if known.try_get(0)? { Put::Duplicate } else { Put::Full });
        }
        let put = "SELECT ampersand_inbox.put($1, $2, $3, $4, $5, $6, $7, $8)";
        let parameters = typed![source => TEXT, id => TEXT, lane => TEXT, notification_type => TEXT, metadata => TEXT,
            body => BYTEA, packed => BOOL, unreadable => TEXT];
        let is_new = client.query_typed_one(put, parameters).await?.try_get(0)?;
        Ok(if is_new { Put::Stored } else { Put::Duplicate })
    }

    /// The approximate bytes that the deliveries take, without the free space in the table's files. Counted at most once
    /// per second.
    async fn used(&self, client: &Client) -> Result<u64, Error> {
        let known = *self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, used)) = known
            && at.elapsed() < Duration::from_secs(1)
        {
            return Ok(used);
        }
        // Allows 200 bytes for the rest of a row and its indexes.
        let used = "SELECT coalesce(sum(200 + octet_length(metadata) + coalesce(pg_column_size(body), 0)
                 + coalesce(pg_column_size(resolved), 0)), 0)::bigint
             FROM ampersand_inbox.delivery";
        let used: i64 = client.query_typed_one(used, &[]).await?.try_get(0)?;
        let used = u64::try_from(used).unwrap_or_default();
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), used));
        Ok(used)
    }

    /// Claims heads that are due: ready ones, and those whose lease has ended.
    pub(crate) async fn claim(&self, most: usize, lease: i64) -> Result<Vec<Claimed>, InboxError> {
        // With `= ANY (ARRAY …)` instead of `IN`, Postgres chooses the rows once, and locks no more than those.
        let claim = sql("UPDATE ampersand_inbox.delivery
             SET state = 'claimed', attempts = attempts + 1, token = token + 1,
                 due = clock_timestamp() + $2 * interval '1 ms'
             WHERE seq = ANY (ARRAY (
                 SELECT seq FROM ampersand_inbox.delivery WHERE head AND due <= now()
                 ORDER BY due, seq LIMIT $1 FOR UPDATE SKIP LOCKED))
             RETURNING seq, token, attempts, (extract(epoch FROM clock_timestamp() - received) * 1000)::bigint,
                 source, id, lane, type, metadata, body, packed, resolved");
        let client = self.working.get().await?;
        let parameters = typed![count(most) => INT8, lease => INT8];
        let rows = client.query_typed(&claim, parameters).await.map_err(failed)?;
        let claimed = |row: &Row| Ok(claimed!(row.try_get));
        let mut all = rows.iter().map(claimed).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        all.sort_by_key(|one| one.seq);
        Ok(all)
    }

    pub(crate) async fn finish(&self, seq: i64, token: i64, outcome: &Outcome) -> Result<bool, InboxError> {
        finish(&*self.working.get().await?, seq, token, outcome).await
    }

    /// Runs a handler in the transaction that ends the delivery. Returns false, and changes nothing, if the claim is lost.
    pub(crate) async fn apply<H>(&self, seq: i64, token: i64, incoming: Incoming, handler: &H) -> Result<bool, Failure>
    where
        H: for<'t> Fn(Incoming, &'t Transaction<'t>) -> Handling<'t>,
    {
        let mut client = self.handling.get().await?;
        let transaction = client.begin().await.map_err(failed)?;
        // The first query also fixes the isolation level, which could be changed before it.
        let holds = sql("SELECT (extract(epoch FROM now()) * 1000000)::bigint FROM ampersand_inbox.delivery
             WHERE seq = $1 AND token = $2 AND state = 'claimed'");
        let holds = transaction.query_typed_opt(&holds, typed![seq => INT8, token => INT8]).await;
        let Some(row) = holds.map_err(failed)? else { return Ok(false) };
        let begun: i64 = row.try_get(0).map_err(failed)?;
        if let Err(failure) = handler(incoming, &transaction).await {
            if transaction.rollback().await.is_ok() {
                client.ended();
            }
            return Err(failure);
        }
        // `now()` is when the transaction began: it differs if the handler ended that and began another.
        let same = "SELECT (extract(epoch FROM now()) * 1000000)::bigint = $1";
        if !call(&transaction, same, typed![begun => INT8]).await? {
            return Err(Failure::permanent("the handler ended the inbox's transaction, and must not"));
        }
        // Locks the row, so it comes last: an earlier lock would keep the worker from renewing the claim.
        let holds = finish(&transaction, seq, token, &Outcome::Done).await?;
        if holds {
            point("before the commit");
            transaction.commit().await.map_err(failed)?;
            point("after the commit");
            client.ended();
        }
        Ok(holds)
    }

    pub(crate) async fn renew(&self, seq: i64, token: i64, lease: i64) -> Result<bool, InboxError> {
        // A handler that has completed the delivery itself goes on.
        let renew = sql("UPDATE ampersand_inbox.delivery SET due = clock_timestamp() + $3 * interval '1 ms'
             WHERE seq = $1 AND token = $2 AND state IN ('claimed', 'done')");
        let parameters = typed![seq => INT8, token => INT8, lease => INT8];
        let renewed = self.working.get().await?.execute_typed(&renew, parameters).await;
        Ok(renewed.map_err(failed)? == 1)
    }

    #[cfg(feature = "resolve")]
    pub(crate) async fn keep(&self, seq: i64, token: i64, resolved: &[u8]) -> Result<(), InboxError> {
        let keep = sql("UPDATE ampersand_inbox.delivery SET resolved = $3 WHERE seq = $1 AND token = $2");
        let parameters = typed![seq => INT8, token => INT8, resolved => BYTEA];
        self.working.get().await?.execute_typed(&keep, parameters).await.map(drop).map_err(failed)
    }

    pub(crate) async fn next_due(&self) -> Result<Option<i64>, InboxError> {
        let next = "SELECT greatest((extract(epoch FROM min(due) - now()) * 1000)::bigint, 0)
             FROM ampersand_inbox.delivery WHERE head AND due < 'infinity' HAVING min(due) IS NOT NULL";
        let row = self.working.get().await?.query_typed_opt(next, &[]).await.map_err(failed)?;
        row.map(|row| row.try_get(0)).transpose().map_err(failed)
    }

    pub(crate) async fn list(&self, state: State, most: usize) -> Result<Vec<Entry>, InboxError> {
        let list = format!("SELECT {ENTRY} FROM ampersand_inbox.delivery {} LIMIT $1", which(state));
        let list = self.receiving.get().await?.query_typed(&list, typed![count(most) => INT8]).await;
        list.and_then(|rows| rows.iter().map(|row| Ok(entry!(row.try_get))).collect()).map_err(failed)
    }

    pub(crate) async fn sources(&self) -> Result<Vec<String>, InboxError> {
        let sources = "SELECT DISTINCT source COLLATE \"C\" FROM ampersand_inbox.delivery ORDER BY 1";
        let sources = self.receiving.get().await?.query_typed(sources, &[]).await;
        sources.and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect()).map_err(failed)
    }

    pub(crate) async fn find(&self, source: &str, id: &str) -> Result<Option<Stored>, InboxError> {
        let which = "FROM ampersand_inbox.delivery WHERE source = $1 AND id = $2";
        let find = format!("SELECT {ENTRY}, seq, metadata, body, packed {which}");
        let client = self.receiving.get().await?;
        let row = client.query_typed_opt(&find, typed![source => TEXT, id => TEXT]).await.map_err(failed)?;
        let stored = |row: Row| Ok(stored!(row.try_get));
        row.map(stored).transpose().map_err(failed)
    }

    /// Makes a dead letter, as it is read now, ready again, in its place in the order of arrival. Returns false if it no
    /// longer is one.
    pub(crate) async fn replay(&self, seq: i64, New { lane, notification_type, .. }: &New) -> Result<bool, InboxError> {
        let replay = "SELECT ampersand_inbox.replay($1, $2, $3)";
        let parameters = typed![seq => INT8, lane => TEXT, notification_type => TEXT];
        call(&*self.receiving.get().await?, replay, parameters).await
    }

    pub(crate) async fn delete(&self, source: &str, id: &str) -> Result<bool, InboxError> {
        let parameters = typed![source => TEXT, id => TEXT];
        call(&*self.receiving.get().await?, "SELECT ampersand_inbox.remove($1, $2)", parameters).await
    }

    /// Drops the bodies of deliveries that were done `bodies` milliseconds ago, and the rows of those done `rows`
    /// milliseconds ago: at most `most` of each. Returns how many rows it changed.
    pub(crate) async fn prune(&self, bodies: i64, rows: i64, most: usize) -> Result<usize, InboxError> {
        let delete = "DELETE FROM ampersand_inbox.delivery WHERE seq = ANY (ARRAY (
                 SELECT seq FROM ampersand_inbox.delivery
                 WHERE state = 'done' AND finished < now() - $1 * interval '1 ms'
                 ORDER BY finished LIMIT $2 FOR UPDATE SKIP LOCKED))";
        let empty = "UPDATE ampersand_inbox.delivery SET body = NULL, resolved = NULL WHERE seq = ANY (ARRAY (
                 SELECT seq FROM ampersand_inbox.delivery
                 WHERE state = 'done' AND finished < now() - $1 * interval '1 ms' AND body IS NOT NULL
                 ORDER BY finished LIMIT $2 FOR UPDATE SKIP LOCKED))";
        let client = self.receiving.get().await?;
        let mut all = 0;
        for (statement, before) in [(delete, rows), (empty, bodies)] {
            let parameters = typed![before => INT8, count(most) => INT8];
            all += client.execute_typed(&sql(statement), parameters).await.map_err(failed)?;
        }
        Ok(usize::try_from(all).unwrap_or(usize::MAX))
    }

    /// Counts by the indexes alone where possible: a table may have millions of rows.
    pub(crate) async fn status(&self) -> Result<Status, InboxError> {
        // A claimed delivery counts as ready once its lease has ended.
        let status = "WITH held AS MATERIALIZED (
                 SELECT seq, state FROM ampersand_inbox.delivery WHERE head AND due > now() AND state <> 'ready')
             SELECT (SELECT count(*) FROM ampersand_inbox.delivery WHERE head IS NOT NULL) - (SELECT count(*) FROM held),
                 (SELECT count(*) FROM held WHERE state = 'claimed'),
                 (SELECT count(*) FROM ampersand_inbox.delivery WHERE state = 'done'),
                 (SELECT count(*) FROM ampersand_inbox.delivery WHERE state = 'dead'),
                 (SELECT (extract(epoch FROM now() - received) * 1000)::bigint FROM ampersand_inbox.delivery
                  WHERE seq = (SELECT min(seq) FROM ampersand_inbox.delivery
                      WHERE head IS NOT NULL AND seq NOT IN (SELECT seq FROM held)))";
        let row = self.receiving.get().await?.query_typed_one(status, &[]).await.map_err(failed)?;
        let count = |column| row.try_get::<_, i64>(column).map(i64::unsigned_abs).map_err(failed);
        let oldest_ready = row.try_get::<_, Option<i64>>(4).map_err(failed)?.map(milliseconds);
        Ok(Status { ready: count(0)?, claimed: count(1)?, done: count(2)?, dead: count(3)?, oldest_ready })
    }
}

/// Migrates the tables to the latest version of the schema. Returns the version that they have then.
async fn migrate(client: &mut Held<'_>, migrations: &[&'static str]) -> Result<i64, Error> {
    let transaction = client.begin().await?;
    transaction.batch_execute("SELECT pg_advisory_xact_lock(hashtextextended('ampersand_inbox', 0))").await?;
    let exists = "SELECT to_regclass('ampersand_inbox.schema') IS NOT NULL";
    if !transaction.query_typed_one(exists, &[]).await?.try_get::<_, bool>(0)? {
        let schema = "CREATE SCHEMA IF NOT EXISTS ampersand_inbox;
             CREATE TABLE ampersand_inbox.schema (version bigint NOT NULL);
             INSERT INTO ampersand_inbox.schema VALUES (0)";
        transaction.batch_execute(schema).await?;
    }
    let version = "SELECT version FROM ampersand_inbox.schema";
    let mut version: i64 = transaction.query_typed_one(version, &[]).await?.try_get(0)?;
    for migration in migrations.iter().skip(usize::try_from(version).unwrap_or(usize::MAX)) {
        transaction.batch_execute(&sql(migration)).await?;
        version += 1;
        let update = "UPDATE ampersand_inbox.schema SET version = $1";
        transaction.execute_typed(update, typed![version => INT8]).await?;
    }
    transaction.commit().await?;
    client.ended();
    Ok(version)
}

/// The columns of an entry.
const ENTRY: &str = "source, id, lane, type, state, attempts, reason, (extract(epoch FROM received) * 1000)::bigint,
     CASE WHEN isfinite(due) THEN (extract(epoch FROM due) * 1000)::bigint END,
     (extract(epoch FROM finished) * 1000)::bigint";

/// Ends the claim with this token. Returns false if it was lost.
async fn finish(client: &impl GenericClient, seq: i64, token: i64, outcome: &Outcome) -> Result<bool, InboxError> {
    let End { state, pause, reason, released, leaves } = outcome.end();
    let parameters = typed![seq => INT8, token => INT8, state => TEXT, pause => INT8, reason => TEXT, released => INT8,
        leaves => BOOL];
    // True also if the handler completed the delivery itself.
    let finish = "SELECT ampersand_inbox.finish($1, $2, $3, $4, $5, $6, $7) OR $3 = 'done' AND EXISTS (
             SELECT 1 FROM ampersand_inbox.delivery WHERE seq = $1 AND token = $2 AND state = 'done')";
    call(client, finish, parameters).await
}
