//! The store in a file: its schema, and each thing that is done with it as a function of a connection. All SQL is here.
//!
//! Of the unfinished deliveries of a lane, the one that arrived first is its head, and heads alone are claimed. Whatever
//! finishes a head makes the next one the head in the same transaction, so there is no lock that could stay behind.

use rusqlite::{Connection, OptionalExtension as _, Result, Row, named_params, params};

use crate::delivery::{Dead, New, State, Status};
use crate::store::{Claimed, Inserted, Kept, Outcome, sql};

/// The version of the schema, here and on Postgres: `PRAGMA user_version` of a file that this version of the crate made.
pub(crate) const SCHEMA_VERSION: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE delivery (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of arrival
    source   TEXT    NOT NULL,
    id       TEXT    NOT NULL,                  -- unique within its source
    lane     TEXT    NOT NULL,                  -- one at a time, in order of arrival
    type     TEXT,                              -- of the notification; NULL of records, and of what cannot be read
    metadata TEXT    NOT NULL,                  -- JSON: what came beside the body
    body     BLOB,                              -- NULL when it is done and pruned
    packed   INTEGER NOT NULL,                  -- whether the body is LZ4, after its length
    state    TEXT    NOT NULL CHECK (state IN ('ready', 'claimed', 'done', 'dead')),
    head     INTEGER NOT NULL,                  -- whether it is the first unfinished one of its lane
    due      INTEGER NOT NULL,                  -- ms of the Unix epoch: when it may be claimed, or its lease ends
    attempts INTEGER NOT NULL DEFAULT 0,        -- counted when it is claimed
    token    INTEGER NOT NULL DEFAULT 0,        -- another one at each claim
    reason   TEXT,                              -- of the last failure
    received INTEGER NOT NULL,                  -- ms of the Unix epoch
    finished INTEGER,                           -- ms of the Unix epoch
    UNIQUE (source, id)
) STRICT;
CREATE INDEX delivery_due ON delivery (due) WHERE head = 1;
CREATE INDEX delivery_unfinished ON delivery (lane, seq) WHERE state IN ('ready', 'claimed');
CREATE INDEX delivery_done ON delivery (finished) WHERE state = 'done';
CREATE INDEX delivery_dead ON delivery (finished) WHERE state = 'dead';
";

/// Sets a connection up, and makes the tables where there are none. Gives the version of the schema that is there.
pub(crate) fn open(connection: &mut Connection) -> Result<i64> {
    // A commit is on the disk when it is done, also when the power fails.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        transaction.execute_batch(&sql(SCHEMA))?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    transaction.commit()?;
    Ok(if version == 0 { SCHEMA_VERSION } else { version })
}

pub(crate) fn insert(connection: &Connection, new: &New, now: i64, limit: Option<u64>) -> Result<Inserted> {
    let known = "SELECT 1 FROM delivery WHERE source = ?1 AND id = ?2";
    let known = connection.prepare_cached(&sql(known))?.exists(params![new.source, new.id])?;
    if known {
        return Ok(Inserted::Known);
    }
    if let Some(limit) = limit
        && used(connection)? >= limit
    {
        return Ok(Inserted::Full);
    }
    let is_dead = new.unreadable.is_some();
    connection
        .prepare_cached(&sql("INSERT INTO delivery
                 (source, id, lane, type, metadata, body, packed, state, head, due, reason, received, finished)
             VALUES (:source, :id, :lane, :type, :metadata, :body, :packed, :state,
                 :state = 'ready'
                 AND NOT EXISTS (SELECT 1 FROM delivery WHERE lane = :lane AND state IN ('ready', 'claimed')),
                 :now, :reason, :now, iif(:state = 'dead', :now, NULL))"))?
        .execute(named_params! {
            ":source": new.source, ":id": new.id, ":lane": new.lane, ":type": new.notification_type,
            ":metadata": new.metadata, ":body": new.body, ":packed": new.packed,
            ":state": if is_dead { "dead" } else { "ready" }, ":reason": new.unreadable, ":now": now,
        })?;
    Ok(Inserted::New)
}

/// The bytes of the file that are in use.
fn used(connection: &Connection) -> Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok(u64::try_from(pages * pragma("page_size")?).unwrap_or_default())
}

/// Claims heads that are due: those that are ready, and those whose lease has ended.
pub(crate) fn claim(connection: &Connection, count: usize, now: i64, lease: i64) -> Result<Vec<Claimed>> {
    let mut statement = connection.prepare_cached(&sql(
        "UPDATE delivery SET state = 'claimed', attempts = attempts + 1, token = token + 1, due = :until
         WHERE seq IN (SELECT seq FROM delivery WHERE head = 1 AND due <= :now ORDER BY due, seq LIMIT :count)
         RETURNING seq, token, attempts, received, source, id, metadata, body, packed",
    ))?;
    let claimed = |row: &Row<'_>| {
        Ok(Claimed {
            seq: row.get(0)?,
            token: row.get(1)?,
            attempt: row.get(2)?,
            age: now.saturating_sub(row.get(3)?),
            source: row.get(4)?,
            id: row.get(5)?,
            metadata: row.get(6)?,
            body: row.get::<_, Option<Vec<u8>>>(7)?.unwrap_or_default(),
            packed: row.get(8)?,
        })
    };
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let parameters = named_params! { ":until": now.saturating_add(lease), ":now": now, ":count": count };
    let mut all = statement.query_map(parameters, claimed)?.collect::<Result<Vec<_>>>()?;
    all.sort_by_key(|one| one.seq);
    Ok(all)
}

/// Ends a claim, if it is still the one that the token is of; false where it was lost.
pub(crate) fn finish(connection: &Connection, seq: i64, token: i64, outcome: &Outcome, now: i64) -> Result<bool> {
    let (state, due, reason, released) = match outcome {
        Outcome::Done => ("done", now, None, false),
        Outcome::Retry { pause, reason } => ("ready", now.saturating_add(*pause), Some(reason), false),
        Outcome::Dead { reason } => ("dead", now, Some(reason), false),
        Outcome::Released => ("ready", now, None, true),
    };
    let is_end = matches!(outcome, Outcome::Done | Outcome::Dead { .. });
    let changed = connection
        .prepare_cached(&sql("UPDATE delivery SET state = :state, due = :due, reason = coalesce(:reason, reason),
                 attempts = attempts - :released, head = NOT :end, finished = iif(:end, :now, NULL)
             WHERE seq = :seq AND token = :token AND state = 'claimed'"))?
        .execute(named_params! {
            ":state": state, ":due": due, ":reason": reason, ":released": released, ":end": is_end, ":now": now,
            ":seq": seq, ":token": token,
        })?;
    if changed == 1 && is_end {
        connection
            .prepare_cached(&sql("UPDATE delivery SET head = 1 WHERE seq = (
                     SELECT seq FROM delivery
                     WHERE lane = (SELECT lane FROM delivery WHERE seq = ?1) AND state IN ('ready', 'claimed')
                     ORDER BY seq LIMIT 1)"))?
            .execute([seq])?;
    }
    Ok(changed == 1)
}

/// Makes a lease last until then; false where it was lost.
pub(crate) fn renew(connection: &Connection, seq: i64, token: i64, until: i64) -> Result<bool> {
    let renew = "UPDATE delivery SET due = ?3 WHERE seq = ?1 AND token = ?2 AND state = 'claimed'";
    Ok(connection.prepare_cached(&sql(renew))?.execute([seq, token, until])? == 1)
}

/// How many milliseconds there are until a head is due; `None` where there is none.
pub(crate) fn next_due(connection: &Connection, now: i64) -> Result<Option<i64>> {
    let next = "SELECT min(due) FROM delivery WHERE head = 1";
    let due: Option<i64> = connection.prepare_cached(&sql(next))?.query_row([], |row| row.get(0))?;
    Ok(due.map(|due| due.saturating_sub(now).max(0)))
}

/// Dead letters, those that died last first.
pub(crate) fn dead(connection: &Connection, count: usize) -> Result<Vec<Dead>> {
    let mut statement = connection
        .prepare_cached(&sql("SELECT source, id, lane, type, attempts, reason, received, finished FROM delivery
         WHERE state = 'dead' ORDER BY finished DESC, seq DESC LIMIT ?1"))?;
    let dead = |row: &Row<'_>| {
        Ok(Dead {
            source: row.get(0)?,
            id: row.get(1)?,
            lane: row.get(2)?,
            notification_type: row.get(3)?,
            attempts: row.get(4)?,
            reason: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
            received: row.get(6)?,
            died: row.get::<_, Option<i64>>(7)?.unwrap_or_default(),
        })
    };
    statement.query_map([i64::try_from(count).unwrap_or(i64::MAX)], dead)?.collect()
}

/// What is stored of a dead letter, to be read again.
pub(crate) fn dead_body(connection: &Connection, source: &str, id: &str) -> Result<Option<Kept>> {
    let find = "SELECT seq, metadata, body, packed FROM delivery WHERE source = ?1 AND id = ?2 AND state = 'dead'";
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    connection.prepare_cached(&sql(find))?.query_row([source, id], row).optional()
}

/// Makes a dead letter ready again, in its place in the order of arrival.
pub(crate) fn replay(connection: &Connection, seq: i64, new: &New, now: i64) -> Result<()> {
    connection
        .prepare_cached(&sql("UPDATE delivery SET state = 'ready', due = ?2, attempts = 0, finished = NULL, lane = ?3, type = ?4, head = 0
             WHERE seq = ?1 AND state = 'dead'"))?
        .execute(params![seq, now, new.lane, new.notification_type])?;
    // One that is claimed stays the head until it is finished.
    connection
        .prepare_cached(&sql("UPDATE delivery SET head = 0 WHERE lane = ?1 AND state = 'ready'"))?
        .execute([&new.lane])?;
    connection
        .prepare_cached(&sql("UPDATE delivery SET head = 1 WHERE seq = (
                 SELECT seq FROM delivery WHERE lane = ?1 AND state IN ('ready', 'claimed')
                 ORDER BY state = 'claimed' DESC, seq LIMIT 1)"))?
        .execute([&new.lane])?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, source: &str, id: &str) -> Result<bool> {
    let delete = "DELETE FROM delivery WHERE source = ?1 AND id = ?2 AND state = 'dead'";
    Ok(connection.prepare_cached(&sql(delete))?.execute([source, id])? == 1)
}

/// Drops bodies of what was done before one time, and all of what was done before another. Gives how many rows it changed,
/// which are at most `most` of each.
pub(crate) fn prune(connection: &Connection, bodies_before: i64, rows_before: i64, most: usize) -> Result<usize> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = "DELETE FROM delivery WHERE seq IN (
                    SELECT seq FROM delivery WHERE state = 'done' AND finished < ?1 ORDER BY finished LIMIT ?2)";
    let bodies = "UPDATE delivery SET body = NULL WHERE seq IN (
                      SELECT seq FROM delivery WHERE state = 'done' AND finished < ?1 AND body IS NOT NULL
                      ORDER BY finished LIMIT ?2)";
    let rows = connection.prepare_cached(&sql(rows))?.execute([rows_before, most])?;
    Ok(rows + connection.prepare_cached(&sql(bodies))?.execute([bodies_before, most])?)
}

pub(crate) fn status(connection: &Connection, now: i64) -> Result<Status> {
    let mut status = Status::default();
    let mut states = connection.prepare_cached(&sql("SELECT state, count(*) FROM delivery GROUP BY state"))?;
    for row in states.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))? {
        let (state, count) = row?;
        let count = u64::try_from(count).unwrap_or_default();
        match State::named(&state) {
            Some(State::Ready) => status.ready = count,
            Some(State::Claimed) => status.claimed = count,
            Some(State::Done) => status.done = count,
            Some(State::Dead) => status.dead = count,
            None => {}
        }
    }
    let oldest = "SELECT min(received) FROM delivery WHERE state = 'ready'";
    let oldest: Option<i64> = connection.query_row(oldest, [], |row| row.get(0))?;
    status.oldest_ready = oldest.map(|oldest| crate::delivery::milliseconds(now.saturating_sub(oldest)));
    Ok(status)
}
