//! The store in a file: its schema, and its operations as functions of a connection. All SQL is here.
//!
//! The unfinished delivery of a lane that arrived first is its head, and workers claim heads alone. A transaction that
//! finishes a head also makes the next delivery the head, so no lock can stay behind.

use std::cell::Cell;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, named_params, params};

use crate::Failure;
use crate::delivery::{Entry, New, Put, State, Status, Stored, milliseconds};
use crate::hooks::sql;
use crate::rows::{Claimed, End, Outcome, claimed, entry, stored, which};

/// The version of the schema, here and on Postgres. A file keeps its version in `PRAGMA user_version`.
pub(crate) const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Each migration makes the next version of the schema, the first one version 1.
pub(crate) const MIGRATIONS: [&str; 1] = [include_str!("sqlite.sql")];

/// The due time of a delivery that is never due: a dead letter that blocks its lane.
const NEVER: i64 = i64::MAX;

thread_local! {
    /// Whether a handler has the connection.
    static IS_HANDLED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps a handler from beginning or ending a transaction. Other work shares that transaction: a rollback would undo
/// it, and a commit would come too early.
fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Transaction { .. } if IS_HANDLED.get() => Authorization::Deny,
        AuthAction::Savepoint { savepoint_name, .. }
            if IS_HANDLED.get() && savepoint_name.eq_ignore_ascii_case("ampersand_inbox") =>
        {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }
}

/// Sets up a connection, and migrates the tables to the latest version of the schema. Returns their version then.
pub(crate) fn open(connection: &mut Connection, migrations: &[&'static str]) -> Result<i64> {
    // A commit returns once it is on the disk, so it survives a loss of power.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // In KiB, as it is negative: enough for most of the indexes of a million deliveries.
    connection.pragma_update(None, "cache_size", -16 * 1024)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.authorizer(Some(authorize))?;
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for migration in migrations.iter().skip(usize::try_from(version).unwrap_or(usize::MAX)) {
        transaction.execute_batch(&sql(migration))?;
        version += 1;
    }
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()?;
    Ok(version)
}

/// Opens a connection that only reads.
pub(crate) fn reader(path: &str) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    // Opens the files now: they may be unlinked before the first read.
    connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
    Ok(connection)
}

pub(crate) fn insert(connection: &Connection, new: &New, now: i64, limit: Option<u64>) -> Result<Put> {
    if let Some(limit) = limit
        && used(connection)? >= limit
    {
        let known = "SELECT 1 FROM delivery WHERE source = ?1 AND id = ?2";
        let known = connection.prepare_cached(&sql(known))?.exists(params![new.source, new.id])?;
        return Ok(if known { Put::Duplicate } else { Put::Full });
    }
    let New { source, id, lane, notification_type, metadata, body, packed, unreadable } = new;
    // A delivery that cannot be read is a dead letter from the beginning, and in no lane.
    let insert = "INSERT INTO delivery (source, id, lane, type, metadata, reason, due, received, state, head, finished)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, iif(?6 IS NULL, 'ready', 'dead'),
             iif(?6 IS NULL, NOT EXISTS (SELECT 1 FROM delivery WHERE lane = ?3 AND head IS NOT NULL), NULL),
             iif(?6 IS NULL, NULL, ?7))
         ON CONFLICT (source, id) DO NOTHING";
    let parameters = params![source, id, lane, notification_type, metadata, unreadable, now];
    if connection.prepare_cached(&sql(insert))?.execute(parameters)? == 0 {
        return Ok(Put::Duplicate);
    }
    let insert = "INSERT INTO delivery_body (seq, body, packed) VALUES (last_insert_rowid(), ?1, ?2)";
    connection.prepare_cached(insert)?.execute(params![body, packed])?;
    Ok(Put::Stored)
}

/// The bytes of the file that are in use.
fn used(connection: &Connection) -> Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok(u64::try_from(pages * pragma("page_size")?).unwrap_or_default())
}

/// Claims heads that are due: ready ones, and those whose lease has ended.
pub(crate) fn claim(connection: &Connection, count: usize, now: i64, lease: i64) -> Result<Vec<Claimed>> {
    let heads =
        "SELECT seq, random(), attempts + 1, ?1 - received, source, id, lane, type, metadata, body, packed, resolved
         FROM delivery LEFT JOIN delivery_body USING (seq) WHERE head = 1 AND due <= ?1 ORDER BY due, seq LIMIT ?2";
    let mut heads = connection.prepare_cached(&sql(heads))?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let heads = heads.query_map([now, count], |row| Ok(claimed!(row.get)))?;
    let mut all = heads.collect::<Result<Vec<_>>>()?;
    let mut claim = connection.prepare_cached(
        "UPDATE delivery SET state = 'claimed', attempts = attempts + 1, token = ?2, due = ?3 WHERE seq = ?1",
    )?;
    for one in &all {
        claim.execute([one.seq, one.token, now.saturating_add(lease)])?;
    }
    all.sort_by_key(|one| one.seq);
    Ok(all)
}

/// Ends the claim with this token. Returns false if it was lost.
pub(crate) fn finish(connection: &Connection, seq: i64, token: i64, outcome: &Outcome, now: i64) -> Result<bool> {
    let End { state, pause, reason, released, leaves } = outcome.end();
    let due = pause.map_or(NEVER, |pause| now.saturating_add(pause));
    let changed = connection
        .prepare_cached(&sql("UPDATE delivery SET state = :state, due = :due, reason = coalesce(:reason, reason),
                 attempts = attempts - :released, head = iif(:leaves, NULL, 1),
                 finished = iif(:state IN ('done', 'dead'), :now, NULL)
             WHERE seq = :seq AND token = :token AND state = 'claimed'"))?
        .execute(named_params! {
            ":state": state, ":due": due, ":reason": reason, ":released": released, ":leaves": leaves, ":now": now,
            ":seq": seq, ":token": token,
        })?;
    if changed == 1 && leaves {
        next(connection, seq)?;
    }
    Ok(changed == 1)
}

/// Makes the first delivery the head of the lane that `left` has left.
fn next(connection: &Connection, left: i64) -> Result<()> {
    let next = "UPDATE delivery SET head = 1 WHERE seq = (
                    SELECT seq FROM delivery
                    WHERE lane = (SELECT lane FROM delivery WHERE seq = ?1) AND head IS NOT NULL ORDER BY seq LIMIT 1)";
    connection.prepare_cached(&sql(next))?.execute([left]).map(drop)
}

/// Runs a handler in the transaction that ends the delivery. Returns false, without running it, if the claim is lost.
pub(crate) fn apply(
    connection: &Connection,
    seq: i64,
    token: i64,
    now: i64,
    handler: impl FnOnce() -> Result<(), Failure>,
) -> Result<Result<bool, Failure>> {
    connection.execute_batch("SAVEPOINT ampersand_inbox")?;
    let holds = finish(connection, seq, token, &Outcome::Done, now)?;
    IS_HANDLED.set(true);
    let handled = if holds { handler() } else { Ok(()) };
    IS_HANDLED.set(false);
    if handled.is_err() {
        connection.execute_batch("ROLLBACK TO ampersand_inbox")?;
    }
    connection.execute_batch("RELEASE ampersand_inbox")?;
    Ok(handled.map(|()| holds))
}

/// Extends a lease until `until`. Returns false if the claim was lost.
pub(crate) fn renew(connection: &Connection, seq: i64, token: i64, until: i64) -> Result<bool> {
    let renew = "UPDATE delivery SET due = ?3 WHERE seq = ?1 AND token = ?2 AND state = 'claimed'";
    Ok(connection.prepare_cached(&sql(renew))?.execute([seq, token, until])? == 1)
}

/// Keeps the downloaded content of a delivery's URLs.
#[cfg(feature = "resolve")]
pub(crate) fn keep(connection: &Connection, seq: i64, token: i64, resolved: &[u8]) -> Result<()> {
    let keep =
        "UPDATE delivery_body SET resolved = ?3 WHERE seq = (SELECT seq FROM delivery WHERE seq = ?1 AND token = ?2)";
    connection.prepare_cached(&sql(keep))?.execute(params![seq, token, resolved]).map(drop)
}

/// Milliseconds until the next head is due; `None` if there is no head.
pub(crate) fn next_due(connection: &Connection, now: i64) -> Result<Option<i64>> {
    let next = "SELECT min(due) FROM delivery WHERE head = 1";
    let due: Option<i64> = connection.prepare_cached(&sql(next))?.query_row([], |row| row.get(0))?;
    Ok(due.map(|due| due.saturating_sub(now).max(0)))
}

pub(crate) fn list(connection: &Connection, state: State, most: usize) -> Result<Vec<Entry>> {
    let list = format!(
        "SELECT source, id, lane, type, state, attempts, reason, received, due, finished FROM delivery {} LIMIT ?1",
        which(state)
    );
    let entry = |row: &Row<'_>| Ok(entry!(row.get));
    connection.prepare_cached(&list)?.query_map([i64::try_from(most).unwrap_or(i64::MAX)], entry)?.collect()
}

pub(crate) fn sources(connection: &Connection) -> Result<Vec<String>> {
    let sources = "SELECT DISTINCT source FROM delivery ORDER BY source";
    connection.prepare_cached(sources)?.query_map([], |row| row.get(0))?.collect()
}

pub(crate) fn find(connection: &Connection, source: &str, id: &str) -> Result<Option<Stored>> {
    let find =
        "SELECT source, id, lane, type, state, attempts, reason, received, due, finished, seq, metadata, body, packed
         FROM delivery LEFT JOIN delivery_body USING (seq) WHERE source = ?1 AND id = ?2";
    let stored = |row: &Row<'_>| Ok(stored!(row.get));
    connection.prepare_cached(&sql(find))?.query_row([source, id], stored).optional()
}

/// Makes a dead letter, as it is read now, ready again, in its place in the order of arrival. Returns false if there is no
/// such dead letter.
pub(crate) fn replay(connection: &Connection, new: &New) -> Result<bool> {
    let Some(seq) = dead(connection, &new.source, &new.id)? else { return Ok(false) };
    unblock(connection, seq)?;
    // It is due by the clock of any process, which may be behind this one.
    let ready = "UPDATE delivery
         SET state = 'ready', due = received, attempts = 0, finished = NULL, lane = ?2, type = ?3, head = 0
         WHERE seq = ?1";
    connection.prepare_cached(ready)?.execute(params![seq, new.lane, new.notification_type])?;
    // A head that is claimed or blocks the lane stays the head.
    connection
        .prepare_cached(&sql("UPDATE delivery SET head = 0 WHERE lane = ?1 AND head = 1 AND state = 'ready'"))?
        .execute([&new.lane])?;
    connection
        .prepare_cached(&sql("UPDATE delivery SET head = 1 WHERE seq = (
                 SELECT seq FROM delivery WHERE lane = ?1 AND head IS NOT NULL ORDER BY head DESC, seq LIMIT 1)"))?
        .execute([&new.lane])?;
    Ok(true)
}

/// Takes a dead letter out of the lane that it blocks.
fn unblock(connection: &Connection, seq: i64) -> Result<()> {
    let unblock = "UPDATE delivery SET head = NULL WHERE seq = ?1 AND head = 1 AND state = 'dead'";
    match connection.prepare_cached(&sql(unblock))?.execute([seq])? {
        0 => Ok(()),
        _ => next(connection, seq),
    }
}

fn dead(connection: &Connection, source: &str, id: &str) -> Result<Option<i64>> {
    let dead = "SELECT seq FROM delivery WHERE source = ?1 AND id = ?2 AND state = 'dead'";
    connection.prepare_cached(&sql(dead))?.query_row([source, id], |row| row.get(0)).optional()
}

pub(crate) fn delete(connection: &Connection, source: &str, id: &str) -> Result<bool> {
    let Some(seq) = dead(connection, source, id)? else { return Ok(false) };
    unblock(connection, seq)?;
    connection.prepare_cached("DELETE FROM delivery_body WHERE seq = ?1")?.execute([seq])?;
    Ok(connection.prepare_cached("DELETE FROM delivery WHERE seq = ?1")?.execute([seq])? == 1)
}

/// Drops the bodies of deliveries done before `bodies_before`, and the rows of those done before `rows_before` without
/// a body: at most `most` of each. Returns how many rows it changed.
pub(crate) fn prune(connection: &Connection, bodies_before: i64, rows_before: i64, most: usize) -> Result<usize> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let old = sql("WHERE seq IN (SELECT seq FROM delivery WHERE state = 'done' AND pruned = ?1 AND finished < ?2
             ORDER BY finished LIMIT ?3)");
    let change = |change: &str, pruned: bool, before: i64| {
        connection.prepare_cached(&format!("{change} {old}"))?.execute(params![pruned, before, most])
    };
    let rows = change("DELETE FROM delivery", true, rows_before)?;
    change("DELETE FROM delivery_body", false, bodies_before)?;
    Ok(rows + change("UPDATE delivery SET pruned = 1", false, bodies_before)?)
}

/// Counts by the indexes alone: a table may have millions of rows.
pub(crate) fn status(connection: &Connection, now: i64) -> Result<Status> {
    let count = |which: &str| -> Result<u64> {
        let count = format!("SELECT count(*) FROM delivery WHERE {which}");
        connection.query_row(&count, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    };
    // A claimed delivery counts as ready once its lease has ended.
    let held = format!("head = 1 AND due > {now} AND state");
    let (claimed, blocking) = (count(&format!("{held} = 'claimed'"))?, count(&format!("{held} = 'dead'"))?);
    let oldest = format!(
        "SELECT received FROM delivery WHERE seq = (
             SELECT min(seq) FROM delivery
             WHERE head IS NOT NULL AND seq NOT IN (SELECT seq FROM delivery WHERE {held} <> 'ready'))"
    );
    let oldest: Option<i64> = connection.query_row(&oldest, [], |row| row.get(0)).optional()?;
    Ok(Status {
        ready: count("head IS NOT NULL")?.saturating_sub(claimed + blocking),
        claimed,
        done: count("state = 'done'")?,
        dead: count("state = 'dead'")?,
        oldest_ready: oldest.map(|oldest| milliseconds(now.saturating_sub(oldest))),
    })
}
